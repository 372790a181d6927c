//! Calls: the callee and its arguments in consecutive registers.

use crate::code::{CallSite, Op, Reg};
use crate::syntax::Span;
use crate::syntax::ast::{Args, BinaryOp};

use super::Compiler;
use super::expression::Source;

/// More arguments than this are passed as `*args`.
const IN_REGISTERS_MAX: usize = 64;

impl<'m> Compiler<'m> {
    /// Calls a value, or its attribute `attr`, and puts the result in `d`.
    pub(super) fn call(&mut self, callee: Source<'m>, args: &'m Args, attr: Option<u32>, d: Reg, span: Span) {
        let mark = self.body.next;
        let base = match callee {
            // The topmost temporary can be the callee where it is.
            Source::Register(a) if a >= self.body.first_temporary && a as usize + 1 == mark => a,
            _ => self.temporary(span),
        };
        match callee {
            Source::Register(a) if a == base => {}
            Source::Register(a) => self.emit(Op::Move { d: base, a }, span),
            Source::Expression(expr) => self.expression(expr, base),
        }
        let many = args.positional.len() + args.named.len() > IN_REGISTERS_MAX;
        if !many {
            self.operands(&args.positional);
        }
        if args.named.is_empty() && args.args.is_none() && args.kwargs.is_none() && !many {
            let count = args.positional.len() as u8;
            let op = match attr {
                Some(attr) => Op::CallMethod { d, base, count, attr },
                None => Op::Call { d, base, count },
            };
            self.emit(op, span);
        } else {
            let site = if many { self.many_arguments(args, attr, span) } else { self.site(args, attr) };
            self.emit(
                match attr {
                    Some(_) => Op::CallMethodWith { d, base, site },
                    None => Op::CallWith { d, base, site },
                },
                span,
            );
        }
        self.release(mark);
    }

    /// Evaluates what follows the positional arguments.
    fn site(&mut self, args: &'m Args, attr: Option<u32>) -> u32 {
        let mut names = Vec::with_capacity(args.named.len());
        for named in &args.named {
            let text = self.text(named.name.symbol);
            names.push(self.constant_str(text));
            let r = self.temporary(named.value.span);
            self.expression(&named.value, r);
        }
        for rest in args.args.iter().chain(&args.kwargs) {
            let r = self.temporary(rest.span);
            self.expression(rest, r);
        }
        self.add_site(CallSite {
            positional: args.positional.len(),
            names: names.into(),
            args: args.args.is_some(),
            kwargs: args.kwargs.is_some(),
            attr: attr.unwrap_or(0),
        })
    }

    /// The same for calls with so many arguments that they do not fit in registers: the positional ones go into
    /// a list, the named ones into a dict.
    fn many_arguments(&mut self, args: &'m Args, attr: Option<u32>, span: Span) -> u32 {
        let list = self.temporary(span);
        self.long_list(&args.positional, list, span);
        let dict = self.temporary(span);
        self.emit(Op::Dict { d: dict, capacity: args.named.len() as u32 }, span);
        let mark = self.body.next;
        for named in &args.named {
            let key = self.temporary(named.name.span);
            let text = self.text(named.name.symbol);
            let k = self.constant_str(text);
            self.emit(Op::Const { d: key, k }, named.name.span);
            let a = self.operand(&named.value);
            self.emit(Op::InsertNew { dict, key, a }, named.name.span);
            self.release(mark);
        }
        for (rest, a, op) in [(&args.args, list, BinaryOp::Add), (&args.kwargs, dict, BinaryOp::BitOr)] {
            if let Some(rest) = rest {
                let b = self.operand(rest);
                self.emit(Op::InPlace { op, d: a, a, b }, rest.span);
                self.release(mark);
            }
        }
        self.add_site(CallSite {
            positional: 0,
            names: Box::new([]),
            args: true,
            kwargs: true,
            attr: attr.unwrap_or(0),
        })
    }

    fn add_site(&mut self, site: CallSite) -> u32 {
        self.body.calls.push(site);
        self.body.calls.len() as u32 - 1
    }
}
