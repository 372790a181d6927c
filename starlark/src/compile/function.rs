//! Functions and the top level of modules.

use crate::code::{Capture, CaptureFrom, Code, Link, Op, Params, Reg};
use crate::syntax::ast::{Function, Param, Stmt, StmtKind};
use crate::syntax::resolve::{self, FunctionInfo, Local};
use crate::syntax::{Span, Symbol};

use super::emit::Body;
use super::{Compiler, VARIABLES_MAX};

/// The most parameters of a function.
const PARAMETERS_MAX: usize = VARIABLES_MAX;

impl<'m> Compiler<'m> {
    /// The code of the module's top level. Its result is the value of its last statement, if that is an expression.
    pub(super) fn toplevel(&mut self) {
        let module = self.module;
        self.open(&module.toplevel, 0, 1, Span::at(0));
        let (value, statements) = match module.body.split_last() {
            Some((Stmt { kind: StmtKind::Expr(value), .. }, before)) => (Some(value), before),
            _ => (None, &module.body[..]),
        };
        self.statements(statements);
        if let Some(value) = value.filter(|_| !self.body.dead) {
            let a = self.operand(value);
            self.emit(Op::Return { a }, value.span);
        }
        self.close("<toplevel>", Params::default(), &module.toplevel, Span::at(0), &Body::default());
    }

    /// Makes a function in register `d`: its defaults are evaluated here, its body is compiled apart.
    pub(super) fn function(&mut self, function: &'m Function, d: Reg) {
        let mark = self.body.next;
        let params = &function.params;
        if params.count() > PARAMETERS_MAX {
            return self.error(function.span, format!("function has more than {PARAMETERS_MAX} parameters"));
        }
        let with_default = params.positional.iter().filter_map(|param| param.default.as_ref());
        let defaults = with_default.clone().count();
        let base = self.body.next as Reg;
        for default in with_default {
            let r = self.temporary(default.span);
            self.expression(default, r);
        }
        for param in &params.keyword_only {
            let r = self.temporary(param.name.span);
            match &param.default {
                Some(default) => self.expression(default, r),
                // The mark of a mandatory parameter.
                None => self.emit(Op::Unset { d: r }, param.name.span),
            }
        }
        let code = self.nested(function, defaults);
        let link = self.link(Link::Code(code));
        self.emit(Op::Function { d, base, link }, function.span);
        self.release(mark);
    }

    /// Compiles the body of a function; returns the number of its code.
    fn nested(&mut self, function: &'m Function, defaults: usize) -> u32 {
        let outer = std::mem::take(&mut self.body);
        let params = &function.params;
        let captures_at = 1 + defaults + params.keyword_only.len();
        self.open(&function.info, params.count(), captures_at, function.span);
        self.statements(&function.body);
        let name = |param: &Param| self.module.names.get(param.name.name).into();
        let compiled = Params {
            names: params.positional.iter().chain(&params.keyword_only).map(name).collect(),
            positional: params.positional.len(),
            defaults,
            args: params.args.is_some(),
            kwargs: params.kwargs.is_some(),
        };
        let name = self.text(function.name);
        let code = self.close(name, compiled, &function.info, function.span, &outer);
        self.body = outer;
        code
    }

    /// The text of a symbol.
    pub(super) fn text(&self, symbol: Symbol) -> &'m str {
        let module = self.module;
        module.names.get(symbol)
    }

    /// Begins a body whose first `params` variables are parameters.
    fn open(&mut self, info: &FunctionInfo, params: usize, captures_at: usize, span: Span) {
        let in_registers = info.locals.len().min(VARIABLES_MAX);
        let spilled = info.locals.len() - in_registers;
        let mut first_temporary = 1 + in_registers;
        self.body = Body { captures_at: captures_at as u32, ..Body::default() };
        self.body.assigned = (0..info.locals.len()).map(|slot| slot < params).collect();
        if spilled > 0 {
            let r = first_temporary as Reg;
            self.body.spill = Some(r);
            self.emit(Op::Spill { d: r, count: spilled as u32 }, span);
            first_temporary += 1;
        }
        self.body.first_temporary = first_temporary as Reg;
        self.body.next = first_temporary;
        self.body.most = first_temporary + 3;
        for (slot, _) in info.locals.iter().enumerate().filter(|(_, local)| local.captured) {
            self.new_cell(slot, span);
        }
    }

    /// Puts a captured variable in a cell, with its value if it is a parameter.
    fn new_cell(&mut self, slot: usize, span: Span) {
        if slot < VARIABLES_MAX {
            return self.emit(Op::NewCell { r: 1 + slot as Reg }, span);
        }
        let Some(to) = self.body.spill else { return };
        let mark = self.body.next;
        let a = self.temporary(span);
        self.emit(Op::Unset { d: a }, span);
        self.emit(Op::NewCell { r: a }, span);
        self.emit(Op::SetSpilled { a, to, slot: (slot - VARIABLES_MAX) as u32 }, span);
        self.release(mark);
    }

    /// Ends a body; returns the number of its code.
    fn close(&mut self, name: &str, params: Params, info: &FunctionInfo, span: Span, outer: &Body) -> u32 {
        let mark = self.body.next;
        let a = self.temporary(span);
        let end = Span::at(span.end);
        self.emit(Op::None { d: a }, end);
        self.emit(Op::Return { a }, end);
        self.release(mark);
        let number = self.codes.len() as u32;
        let body = std::mem::take(&mut self.body);
        let text = |local: &Local| self.text(local.name).into();
        self.codes.push(Code {
            name: name.into(),
            file: self.module.source.clone(),
            ops: body.ops.into(),
            spans: body.spans.into(),
            registers: body.most,
            params,
            locals: info.locals.iter().take(VARIABLES_MAX).map(text).collect(),
            captures: info.captures.iter().map(|capture| self.capture(capture, outer)).collect(),
            attrs: body.attrs.into(),
            calls: body.calls.into(),
            loops: body.loop_sites.into(),
            loads: body.loads.into(),
            links: body.links.into_iter().map(|link| link.from(number)).collect(),
            globals: self.globals.clone(),
        });
        number
    }

    /// Where the enclosing function, whose body is `outer`, has the cell of a captured variable.
    fn capture(&self, capture: &resolve::Capture, outer: &Body) -> Capture {
        let from = match (capture.from, outer.spill) {
            (resolve::CaptureFrom::Cell(slot), Some(from)) if slot as usize >= VARIABLES_MAX => {
                CaptureFrom::Spilled { from, slot: slot - VARIABLES_MAX as u32 }
            }
            (resolve::CaptureFrom::Cell(slot), _) => CaptureFrom::Register(1 + slot as Reg),
            (resolve::CaptureFrom::Free(index), _) => CaptureFrom::Function(outer.captures_at + index),
        };
        Capture { name: self.text(capture.name).into(), from }
    }
}
