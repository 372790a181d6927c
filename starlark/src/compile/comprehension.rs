//! Loops of statements and comprehensions.

use crate::code::{LoopSite, Op, Reg};
use crate::syntax::ast::{Args, Clause, DictComp, Expr, ExprKind, ListComp, SuffixKind, Target};
use crate::syntax::{Binding, Span};

use super::Compiler;
use super::emit::Jump;

/// A loop whose head has been compiled.
pub(super) struct Head {
    /// The first instruction during which the loop is in progress.
    start: usize,
    /// Its `Next` instruction; the body is behind it.
    pub top: usize,
    /// Where the element goes.
    d: Reg,
    /// The first register of its state.
    pub state: Reg,
    /// The jump at its end.
    exit: Jump,
}

impl<'m> Compiler<'m> {
    /// Reserves the state of a loop and evaluates what it runs over.
    pub(super) fn begin_loop(&mut self, iterable: &'m Expr) -> Reg {
        let span = iterable.span;
        let r = self.temporary(span);
        self.temporary(span);
        match self.range_bounds(iterable) {
            Some(args) => {
                let mark = self.body.next;
                let a = match args.positional.len() {
                    1 => {
                        let a = self.temporary(span);
                        self.emit(Op::Int { d: a, i: 0 }, span);
                        a
                    }
                    _ => self.operand(&args.positional[0]),
                };
                let b = self.operand(&args.positional[args.positional.len() - 1]);
                self.emit(Op::ForRange { r, a, b }, span);
                self.release(mark);
            }
            None => {
                self.expression(iterable, r);
                self.emit(Op::For { r }, span);
            }
        }
        r
    }

    /// The bounds, if the expression is a call of `range` with one or two of them: no range object is needed.
    fn range_bounds(&self, iterable: &'m Expr) -> Option<&'m Args> {
        let ExprKind::Primary(primary) = &iterable.kind else { return None };
        let (ExprKind::Ident(ident), [suffix]) = (&primary.operand.kind, &primary.suffixes[..]) else {
            return None;
        };
        let SuffixKind::Call(args) = &suffix.kind else { return None };
        let plain = args.named.is_empty() && args.args.is_none() && args.kwargs.is_none();
        let is_range = ident.binding == Binding::Universal && self.text(ident.name) == "range";
        (plain && is_range && matches!(args.positional.len(), 1 | 2)).then_some(args)
    }

    /// The top of a loop: takes the next element.
    pub(super) fn loop_head(&mut self, state: Reg, start: usize, target: &'m Target) -> Head {
        let span = target.span;
        let direct = self.direct_target(target);
        let mark = self.body.next;
        let d = match direct {
            Some(r) => r,
            None => self.temporary(span),
        };
        let top = self.here();
        let exit = self.jump(Op::Next { d, r: state, to: 0 }, span);
        match direct {
            Some(_) => self.mark_assigned(target),
            None => self.assign(target, d),
        }
        self.release(mark);
        Head { start, top, d, state, exit }
    }

    /// The end of a loop: goes on with its body.
    pub(super) fn loop_end(&mut self, head: Head, span: Span) {
        self.emit(Op::Again { d: head.d, r: head.state, to: head.top as u32 + 1 }, span);
        self.land([head.exit]);
        let (start, end) = (head.start as u32, self.here() as u32);
        self.body.loop_sites.push(LoopSite { start, end, r: head.state });
    }

    /// `[element for ...]` in a temporary.
    pub(super) fn list_comprehension(&mut self, comp: &'m ListComp, d: Reg, span: Span) {
        let (mark, assigned) = (self.body.next, self.body.assigned.clone());
        let Some(Clause::For { target, iterable }) = comp.clauses.first() else { return };
        let state = self.begin_loop(iterable);
        let start = self.here();
        if comp.clauses.len() == 1 {
            self.emit(Op::ListFor { d, r: state }, span);
        } else {
            self.emit(Op::List { d, base: d, count: 0 }, span);
        }
        self.clauses((state, start), target, &comp.clauses[1..], &mut |compiler| {
            let mark = compiler.body.next;
            let a = compiler.operand(&comp.element);
            compiler.emit(Op::Append { list: d, a }, comp.element.span);
            compiler.release(mark);
        });
        self.body.assigned = assigned;
        self.release(mark);
    }

    /// `{key: value for ...}` in a temporary.
    pub(super) fn dict_comprehension(&mut self, comp: &'m DictComp, d: Reg, span: Span) {
        let (mark, assigned) = (self.body.next, self.body.assigned.clone());
        let Some(Clause::For { target, iterable }) = comp.clauses.first() else { return };
        let state = self.begin_loop(iterable);
        let start = self.here();
        self.emit(Op::Dict { d, capacity: 0 }, span);
        self.clauses((state, start), target, &comp.clauses[1..], &mut |compiler| {
            let mark = compiler.body.next;
            let key = compiler.operand(&comp.entry.key);
            let a = compiler.operand(&comp.entry.value);
            compiler.emit(Op::Insert { dict: d, key, a }, comp.entry.colon);
            compiler.release(mark);
        });
        self.body.assigned = assigned;
        self.release(mark);
    }

    /// The loops and conditions of a comprehension around its innermost part.
    fn clauses(
        &mut self,
        (state, start): (Reg, usize),
        target: &'m Target,
        rest: &'m [Clause],
        inner: &mut dyn FnMut(&mut Self),
    ) {
        let head = self.loop_head(state, start, target);
        self.rest_of_clauses(rest, inner);
        self.loop_end(head, target.span);
    }

    /// Recursive in loops alone, of which there are so many as there are registers: conditions there may be any number.
    fn rest_of_clauses(&mut self, mut rest: &'m [Clause], inner: &mut dyn FnMut(&mut Self)) {
        let mut skips = Vec::new();
        while let Some((Clause::If(cond), behind)) = rest.split_first() {
            skips.extend(self.condition(cond, false));
            rest = behind;
        }
        match rest.split_first() {
            Some((Clause::For { target, iterable }, rest)) if self.errors.is_empty() => {
                let mark = self.body.next;
                let state = self.begin_loop(iterable);
                let start = self.here();
                self.clauses((state, start), target, rest, inner);
                self.release(mark);
            }
            _ => inner(self),
        }
        self.land(skips);
    }
}
