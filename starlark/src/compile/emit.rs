//! The function being compiled: its instructions so far, jumps that do not know their target yet, and what is
//! known about its variables.

use crate::code::{AttrSite, CallSite, Link, LoadSite, LoopSite, Near, Op, Reg};
use crate::data::hash::QuickMap;
use crate::syntax::{Span, Symbol};

use super::Compiler;

/// A jump whose target is not known yet: the number of its instruction.
#[must_use]
#[derive(Clone, Copy, Debug)]
pub(super) struct Jump(usize);

/// A loop that is being compiled.
pub(super) struct Loop {
    /// Where `continue` jumps to.
    pub top: usize,
    /// The state of a `for` loop.
    pub state: Option<Reg>,
    /// Jumps of `break`.
    pub breaks: Vec<Jump>,
}

/// See [the module](self).
#[derive(Default)]
pub(super) struct Body {
    pub ops: Vec<Op>,
    pub spans: Vec<Span>,
    /// The lowest temporary that is free.
    pub next: usize,
    /// The most registers in use at once.
    pub most: usize,
    pub first_temporary: Reg,
    /// The register with the object for variables that have none.
    pub spill: Option<Reg>,
    /// For each variable, whether it certainly has a value here.
    pub assigned: Vec<bool>,
    /// Whether this place cannot be reached.
    pub dead: bool,
    pub loops: Vec<Loop>,
    /// References of the function object before its captures.
    pub captures_at: u32,
    pub links: Vec<Link>,
    pub link_numbers: QuickMap<Link, u32>,
    pub attrs: Vec<AttrSite>,
    pub attr_numbers: Vec<(Symbol, u32)>,
    pub calls: Vec<CallSite>,
    pub loop_sites: Vec<LoopSite>,
    pub loads: Vec<LoadSite>,
}

impl Compiler<'_> {
    pub(super) fn emit(&mut self, op: Op, span: Span) {
        self.body.ops.push(op);
        self.body.spans.push(span);
    }

    /// The number of the next instruction.
    pub(super) fn here(&self) -> usize {
        self.body.ops.len()
    }

    /// Emits a jump whose target is set by [`Compiler::land`].
    pub(super) fn jump(&mut self, op: Op, span: Span) -> Jump {
        let at = self.here();
        self.emit(op, span);
        Jump(at)
    }

    /// Lets jumps lead here.
    pub(super) fn land(&mut self, jumps: impl IntoIterator<Item = Jump>) {
        let here = self.here();
        for Jump(at) in jumps {
            let span = self.body.spans[at];
            let mut too_far = false;
            match &mut self.body.ops[at] {
                Op::Jump { to } | Op::JumpIf { to, .. } | Op::JumpUnless { to, .. } | Op::Next { to, .. } => {
                    *to = here as u32
                }
                Op::JumpCompare { to, .. } | Op::JumpCompareInt { to, .. } => {
                    too_far = here - at - 1 > Near::MAX;
                    *to = Near::new(here - at - 1);
                }
                other => unreachable!("{other:?} is no jump"),
            }
            if too_far {
                self.error(span, "function is too long");
            }
        }
    }

    /// Frees all temporaries from `mark` on.
    pub(super) fn release(&mut self, mark: usize) {
        self.body.next = mark;
    }

    /// The number of an attribute in the function's table.
    pub(super) fn attr(&mut self, name: Symbol) -> u32 {
        if let Some(&(_, number)) = self.body.attr_numbers.iter().find(|(known, _)| *known == name) {
            return number;
        }
        let module = self.module;
        let text = module.names.get(name);
        let constant = self.constant_str(text);
        let number = self.body.attrs.len() as u32;
        let method = crate::builtins::methods::name_number(text).unwrap_or(AttrSite::NO_METHOD);
        self.body.attrs.push(AttrSite { name: constant, method, hint: Default::default() });
        self.body.attr_numbers.push((name, number));
        number
    }
}
