//! Assignment.

use crate::code::{Link, Op, Reg};
use crate::syntax::ast::{Assign, AugAssign, BinaryOp, Expr, ExprKind, Ident, Target, TargetKind};
use crate::syntax::{Binding, Span};

use super::{Compiler, Const, VARIABLES_MAX};

impl<'m> Compiler<'m> {
    /// `target = value`
    pub(super) fn assignment(&mut self, assign: &'m Assign) {
        if let (TargetKind::Sequence(targets), ExprKind::Tuple(values)) =
            (&assign.target.kind, &assign.value.kind)
            && targets.len() == values.len()
            && values.len() <= 8
        {
            // No tuple is needed: all values are evaluated before the first is assigned.
            let base = self.operands(values);
            for (target, r) in targets.iter().zip(base..) {
                self.assign(target, r);
            }
            return;
        }
        match self.direct_target(&assign.target) {
            Some(d) => {
                self.expression(&assign.value, d);
                self.mark_assigned(&assign.target);
            }
            None => {
                let a = self.operand(&assign.value);
                self.assign(&assign.target, a);
            }
        }
    }

    /// The register of a target that is a variable in a register.
    pub(super) fn direct_target(&self, target: &Target) -> Option<Reg> {
        match target.kind {
            TargetKind::Ident(Ident { binding: Binding::Local(slot), .. })
                if (slot as usize) < VARIABLES_MAX =>
            {
                Some(1 + slot as Reg)
            }
            _ => None,
        }
    }

    /// A target that is a local variable has a value from now on.
    pub(super) fn mark_assigned(&mut self, target: &Target) {
        if let TargetKind::Ident(Ident { binding: Binding::Local(slot), .. }) = target.kind {
            self.body.assigned[slot as usize] = true;
        }
    }

    /// Assigns the value in register `a`.
    pub(super) fn assign(&mut self, target: &'m Target, a: Reg) {
        let mark = self.body.next;
        match &target.kind {
            TargetKind::Ident(ident) => self.set_variable(ident, a),
            TargetKind::Attr(attr) => {
                let owner = self.operand(&attr.object);
                let name = self.attr(attr.name.symbol);
                self.emit(Op::SetAttr { a: owner, attr: name, value: a }, attr.dot);
            }
            TargetKind::Index(index) => {
                let container = self.operand(&index.object);
                let i = self.operand(&index.index);
                self.emit(Op::SetIndex { a: container, i, value: a }, index.brackets);
            }
            TargetKind::Sequence(targets) => {
                let base = self.body.next as Reg;
                if targets.len() > self.free_temporaries() {
                    let (count, free) = (targets.len(), self.free_temporaries());
                    let message =
                        format!("too many targets in one assignment ({count}, and at most {free} here)");
                    return self.error(target.span, message);
                }
                for target in targets {
                    self.temporary(target.span);
                }
                self.emit(Op::Unpack { a, base, count: targets.len() as u8 }, target.span);
                for (target, r) in targets.iter().zip(base..) {
                    self.assign(target, r);
                }
            }
        }
        self.release(mark);
    }

    pub(super) fn set_variable(&mut self, ident: &Ident, a: Reg) {
        let span = ident.span;
        match ident.binding {
            Binding::Local(slot) => {
                self.body.assigned[slot as usize] = true;
                match (self.body.spill, slot as usize >= VARIABLES_MAX) {
                    (Some(to), true) => {
                        self.emit(Op::SetSpilled { a, to, slot: slot - VARIABLES_MAX as u32 }, span);
                    }
                    _ => self.emit(Op::Move { d: 1 + slot as Reg, a }, span),
                }
            }
            Binding::Cell(slot) => match (self.body.spill, slot as usize >= VARIABLES_MAX) {
                (Some(from), true) => {
                    let mark = self.body.next;
                    let cell = self.temporary(span);
                    self.emit(Op::Spilled { d: cell, from, slot: slot - VARIABLES_MAX as u32 }, span);
                    self.emit(Op::SetCell { cell, a }, span);
                    self.release(mark);
                }
                _ => self.emit(Op::SetCell { cell: 1 + slot as Reg, a }, span),
            },
            Binding::Global(global) => {
                let global = self.link(Link::Global(global));
                self.emit(Op::SetGlobal { a, global }, span);
            }
            Binding::Free(_) | Binding::Predeclared | Binding::Universal | Binding::Unresolved => {
                self.error(span, format!("cannot assign to {}", self.text(ident.name)));
            }
        }
    }

    /// `target op= value`
    pub(super) fn augmented(&mut self, assign: &'m AugAssign) {
        let (op, span) = (assign.op, assign.op_span);
        match &assign.target.kind {
            TargetKind::Ident(ident) => {
                if let Some(r) = self.direct_target(&assign.target) {
                    let r = self.check_variable(ident, r);
                    return self.apply_in_place(op, r, r, &assign.value, span);
                }
                let r = self.temporary(ident.span);
                self.variable(ident, r);
                self.apply_in_place(op, r, r, &assign.value, span);
                self.set_variable(ident, r);
            }
            TargetKind::Index(index) => {
                let a = self.operand(&index.object);
                let i = self.operand(&index.index);
                let value = self.temporary(span);
                self.emit(Op::Index { d: value, a, i }, index.brackets);
                self.apply_in_place(op, value, value, &assign.value, span);
                self.emit(Op::SetIndex { a, i, value }, index.brackets);
            }
            TargetKind::Attr(target) => {
                let a = self.operand(&target.object);
                let attr = self.attr(target.name.symbol);
                let value = self.temporary(span);
                self.emit(Op::Attr { d: value, a, attr }, target.dot);
                self.apply_in_place(op, value, value, &assign.value, span);
                self.emit(Op::SetAttr { a, attr, value }, target.dot);
            }
            TargetKind::Sequence(_) => self.error(span, "cannot assign to several targets in place"),
        }
    }

    fn check_variable(&mut self, ident: &Ident, r: Reg) -> Reg {
        if let Binding::Local(slot) = ident.binding
            && !self.body.assigned[slot as usize]
        {
            self.emit(Op::Check { r }, ident.span);
        }
        r
    }

    /// `d = a op operand`, where `a` may be changed in place.
    fn apply_in_place(&mut self, op: BinaryOp, d: Reg, a: Reg, operand: &'m Expr, span: Span) {
        use BinaryOp::{Add, BitAnd, BitOr, BitXor, Sub};
        let in_place = matches!(op, Add | Sub | BitOr | BitAnd | BitXor);
        if !in_place || matches!(self.known(operand), Some(Const::Int(_))) {
            return self.apply(op, d, a, operand, span);
        }
        let b = self.operand(operand);
        self.emit(
            match op {
                BinaryOp::Add => Op::AddInPlace { d, a, b },
                _ => Op::InPlace { op, d, a, b },
            },
            span,
        );
    }
}
