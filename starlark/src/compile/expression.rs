//! Expressions. [`Compiler::expression`] puts a value in a given register, [`Compiler::operand`] says in which
//! register it is, which for a variable needs no code at all, and [`Compiler::condition`] only jumps.

use crate::code::{Link, Near, Op, Reg};
use crate::syntax::ast::{
    Binary, BinaryOp, Conditional, DictEntry, Expr, ExprKind, Ident, Primary, Slice, SuffixKind, Unary,
    UnaryOp,
};
use crate::syntax::{Binding, Span};

use super::emit::Jump;
use super::{Compiler, Const, VARIABLES_MAX};

/// How many elements of a list or dict display are collected in registers before they are stored.
const CHUNK: usize = 32;
/// So many constants in a row are added to a list at one go.
const RUN: usize = 8;

impl<'m> Compiler<'m> {
    /// Evaluates an expression into register `d`.
    pub(super) fn expression(&mut self, expr: &'m Expr, d: Reg) {
        let span = expr.span;
        if let Some(constant) = self.known(expr) {
            return self.emit_known(constant, d, span);
        }
        match &expr.kind {
            ExprKind::Ident(ident) => self.variable(ident, d),
            ExprKind::Tuple(items) => self.tuple(items, d, span),
            ExprKind::List(items) if items.len() <= CHUNK => {
                let mark = self.body.next;
                let base = self.operands(items);
                self.emit(Op::List { d, base, count: items.len() as u8 }, span);
                self.release(mark);
            }
            ExprKind::Unary(unary) => self.unary(unary, d),
            ExprKind::Binary(binary) => self.binary(binary, d),
            ExprKind::Conditional(conditional) => self.conditional(conditional, d),
            ExprKind::Lambda(function) => self.function(function, d),
            ExprKind::Primary(primary) => self.primary(primary, d),
            ExprKind::Int(_)
            | ExprKind::BigInt(_)
            | ExprKind::Float(_)
            | ExprKind::Str(_)
            | ExprKind::Bytes(_) => unreachable!("literals are known"),
            // These write their result in steps, while their parts may still have to read the variable.
            ExprKind::And(_)
            | ExprKind::Or(_)
            | ExprKind::List(_)
            | ExprKind::Dict(_)
            | ExprKind::ListComp(_)
            | ExprKind::DictComp(_) => {
                if d >= self.body.first_temporary {
                    return self.in_steps(expr, d);
                }
                let mark = self.body.next;
                let a = self.temporary(span);
                self.in_steps(expr, a);
                self.emit(Op::Move { d, a }, span);
                self.release(mark);
            }
        }
    }

    /// Evaluates an expression that uses `d`, a temporary, all along.
    fn in_steps(&mut self, expr: &'m Expr, d: Reg) {
        match &expr.kind {
            ExprKind::And(operands) => self.logic(operands, d, false),
            ExprKind::Or(operands) => self.logic(operands, d, true),
            ExprKind::List(items) => self.long_list(items, d, expr.span),
            ExprKind::Dict(entries) => self.dict(entries, d, expr.span),
            ExprKind::ListComp(comp) => self.list_comprehension(comp, d, expr.span),
            ExprKind::DictComp(comp) => self.dict_comprehension(comp, d, expr.span),
            _ => self.expression(expr, d),
        }
    }

    /// Evaluates an expression and says in which register its value is.
    pub(super) fn operand(&mut self, expr: &'m Expr) -> Reg {
        if let ExprKind::Ident(Ident { binding: Binding::Local(slot), span, .. }) = expr.kind
            && (slot as usize) < VARIABLES_MAX
        {
            let r = 1 + slot as Reg;
            self.check(slot, span);
            return r;
        }
        let r = self.temporary(expr.span);
        self.expression(expr, r);
        r
    }

    /// Evaluates expressions into consecutive registers and returns the first.
    pub(super) fn operands(&mut self, exprs: &'m [Expr]) -> Reg {
        let base = self.body.next as Reg;
        for expr in exprs {
            let r = self.temporary(expr.span);
            self.expression(expr, r);
        }
        base
    }

    /// Fails at run time if a variable may have no value here and has none.
    fn check(&mut self, slot: u32, span: Span) {
        if !self.body.assigned[slot as usize] && !self.body.dead {
            self.emit(Op::Check { r: 1 + slot as Reg }, span);
        }
    }

    pub(super) fn variable(&mut self, ident: &Ident, d: Reg) {
        let span = ident.span;
        match ident.binding {
            Binding::Local(slot) if (slot as usize) < VARIABLES_MAX => {
                self.check(slot, span);
                self.emit(Op::Move { d, a: 1 + slot as Reg }, span);
            }
            Binding::Local(slot) => self.spilled(slot, d, span),
            Binding::Cell(slot) if (slot as usize) < VARIABLES_MAX => {
                self.emit(Op::Cell { d, cell: 1 + slot as Reg }, span);
            }
            Binding::Cell(slot) => {
                self.spilled(slot, d, span);
                self.emit(Op::Cell { d, cell: d }, span);
            }
            Binding::Free(index) => {
                let at = self.body.captures_at + index;
                self.emit(Op::Free { d, at }, span);
            }
            Binding::Global(global) => {
                let global = self.link(Link::Global(global));
                self.emit(Op::Global { d, global }, span);
            }
            Binding::Predeclared => {
                let text = self.text(ident.name);
                self.emit_known(Const::Predeclared(text.into()), d, span);
            }
            Binding::Universal => {
                let text = self.text(ident.name);
                match self.universal.get(text) {
                    Some(&number) => self.emit_known(Const::Builtin(number), d, span),
                    None => self.error(span, format!("undefined: {text}")),
                }
            }
            Binding::Unresolved => self.error(span, "name was not resolved"),
        }
    }

    fn spilled(&mut self, slot: u32, d: Reg, span: Span) {
        if let Some(from) = self.body.spill {
            self.emit(Op::Spilled { d, from, slot: slot - VARIABLES_MAX as u32 }, span);
        }
    }

    // ------------------------------------------------------------------ operators

    fn unary(&mut self, unary: &'m Unary, d: Reg) {
        let mark = self.body.next;
        let a = self.operand(&unary.operand);
        self.release(mark);
        let op = match unary.op {
            UnaryOp::Plus => Op::Plus { d, a },
            UnaryOp::Minus => Op::Minus { d, a },
            UnaryOp::Invert => Op::Invert { d, a },
            UnaryOp::Not => Op::Not { d, a },
        };
        self.emit(op, unary.op_span);
    }

    fn binary(&mut self, binary: &'m Binary, d: Reg) {
        let mark = self.body.next;
        let (mut a, applied) = match self.known_start(binary) {
            Some((constant, applied)) => {
                let r = self.temporary(binary.first.span);
                self.emit_known(constant, r, binary.first.span);
                (r, applied)
            }
            None => (self.operand(&binary.first), 0),
        };
        for (index, tail) in binary.tails.iter().enumerate().skip(applied) {
            let last = index + 1 == binary.tails.len();
            // What the chain has come to is kept in a temporary.
            let inner = self.body.next;
            let target = match (last, a >= self.body.first_temporary) {
                (true, _) => d,
                (false, true) => a,
                (false, false) => self.temporary(tail.op_span),
            };
            let kept = self.body.next;
            self.apply(tail.op, target, a, &tail.operand, tail.op_span);
            self.release(if last { inner } else { kept });
            a = target;
        }
        self.release(mark);
    }

    /// `d = a op operand`
    pub(super) fn apply(&mut self, op: BinaryOp, d: Reg, a: Reg, operand: &'m Expr, span: Span) {
        let instruction = match (op, self.small(operand)) {
            (BinaryOp::Add, Some(i)) => Op::AddInt { d, a, i },
            (BinaryOp::Sub, Some(i)) => Op::SubInt { d, a, i },
            (
                BinaryOp::Mod
                | BinaryOp::FloorDiv
                | BinaryOp::Mul
                | BinaryOp::ShiftLeft
                | BinaryOp::ShiftRight
                | BinaryOp::BitAnd,
                Some(i),
            ) => Op::BinaryInt { op, d, a, i },
            _ => {
                let b = self.container(op, operand);
                match op {
                    BinaryOp::Add => Op::Add { d, a, b },
                    BinaryOp::Sub => Op::Sub { d, a, b },
                    BinaryOp::Mul => Op::Mul { d, a, b },
                    _ => Op::Binary { op, d, a, b },
                }
            }
        };
        self.emit(instruction, span);
    }

    fn logic(&mut self, operands: &'m [Expr], d: Reg, when: bool) {
        let mut jumps = Vec::new();
        for (index, operand) in operands.iter().enumerate() {
            self.expression(operand, d);
            if index + 1 < operands.len() {
                let op = if when { Op::JumpIf { a: d, to: 0 } } else { Op::JumpUnless { a: d, to: 0 } };
                jumps.push(self.jump(op, operand.span));
            }
        }
        self.land(jumps);
    }

    fn conditional(&mut self, conditional: &'m Conditional, d: Reg) {
        let otherwise = self.condition(&conditional.cond, false);
        self.expression(&conditional.then, d);
        let end = self.jump(Op::Jump { to: 0 }, conditional.then.span);
        self.land(otherwise);
        self.expression(&conditional.otherwise, d);
        self.land([end]);
    }

    /// Evaluates a condition; the jumps returned are taken if its truth is `when`.
    pub(super) fn condition(&mut self, expr: &'m Expr, when: bool) -> Vec<Jump> {
        let mark = self.body.next;
        match &expr.kind {
            ExprKind::Unary(unary) if unary.op == UnaryOp::Not => self.condition(&unary.operand, !when),
            ExprKind::And(operands) => self.conditions(operands, false, when),
            ExprKind::Or(operands) => self.conditions(operands, true, when),
            ExprKind::Binary(binary) if binary.tails.len() == 1 && is_comparison(binary.tails[0].op) => {
                let tail = &binary.tails[0];
                let (op, a, to) = (tail.op, self.operand(&binary.first), Near::new(0));
                let jump = match self.small(&tail.operand).map(i8::try_from) {
                    Some(Ok(i)) if !matches!(op, BinaryOp::In | BinaryOp::NotIn) => {
                        Op::JumpCompareInt { op, when, a, i, to }
                    }
                    _ => Op::JumpCompare { op, when, a, b: self.container(op, &tail.operand), to },
                };
                self.release(mark);
                vec![self.jump(jump, tail.op_span)]
            }
            _ => {
                let a = self.operand(expr);
                self.release(mark);
                let op = if when { Op::JumpIf { a, to: 0 } } else { Op::JumpUnless { a, to: 0 } };
                vec![self.jump(op, expr.span)]
            }
        }
    }

    /// A chain of `and` (`decisive` is false: a false operand decides) or `or` (a true one does).
    fn conditions(&mut self, operands: &'m [Expr], decisive: bool, when: bool) -> Vec<Jump> {
        let mut jumps = Vec::new();
        let mut decided = Vec::new();
        for (index, operand) in operands.iter().enumerate() {
            if index + 1 == operands.len() {
                jumps.extend(self.condition(operand, when));
            } else if decisive == when {
                jumps.extend(self.condition(operand, decisive));
            } else {
                decided.extend(self.condition(operand, decisive));
            }
        }
        self.land(decided);
        jumps
    }

    // ------------------------------------------------------------------ displays

    fn tuple(&mut self, items: &'m [Expr], d: Reg, span: Span) {
        let mark = self.body.next;
        if items.len() <= CHUNK {
            let base = self.operands(items);
            self.emit(Op::Tuple { d, base, count: items.len() as u8 }, span);
        } else {
            let a = self.temporary(span);
            self.long_list(items, a, span);
            self.emit(Op::TupleOf { d, a }, span);
        }
        self.release(mark);
    }

    /// What `in` looks through. If that is a display of constants nobody can change it, and it need not be made anew each time.
    fn container(&mut self, op: BinaryOp, expr: &'m Expr) -> Reg {
        if let (BinaryOp::In | BinaryOp::NotIn, ExprKind::List(items)) = (op, &expr.kind)
            && let Some(tuple) = self.known_tuple(items)
        {
            let d = self.temporary(expr.span);
            self.emit_known(tuple, d, expr.span);
            return d;
        }
        self.operand(expr)
    }

    /// A list of any length in a temporary.
    pub(super) fn long_list(&mut self, items: &'m [Expr], d: Reg, span: Span) {
        let mark = self.body.next;
        let starts_a_run = items.len() >= RUN && items[..RUN].iter().all(|item| self.known(item).is_some());
        let (first, rest) = items.split_at(if starts_a_run { 0 } else { items.len().min(CHUNK) });
        let base = self.operands(first);
        self.emit(Op::List { d, base, count: first.len() as u8 }, span);
        self.release(mark);
        let mut run = Vec::new();
        for item in rest {
            if let Some(constant) = self.known(item) {
                run.push((constant, item.span));
                continue;
            }
            self.append_known(d, &mut run);
            let a = self.operand(item);
            self.emit(Op::Append { list: d, a }, item.span);
            self.release(mark);
        }
        self.append_known(d, &mut run);
    }

    /// Adds constants in a row to the list in `list`. Long lists are mostly data: two instructions, their places and a link for
    /// each string would take more memory than the strings.
    fn append_known(&mut self, list: Reg, run: &mut Vec<(Const, Span)>) {
        if run.len() >= RUN {
            let span = run[0].1;
            let items = run.drain(..).map(|(item, _)| self.module_constant(item)).collect();
            let k = self.constant(Const::Tuple(items));
            return self.emit(Op::AppendAll { list, k }, span);
        }
        for (item, span) in run.drain(..) {
            let mark = self.body.next;
            let a = self.temporary(span);
            self.emit_known(item, a, span);
            self.emit(Op::Append { list, a }, span);
            self.release(mark);
        }
    }

    fn dict(&mut self, entries: &'m [DictEntry], d: Reg, span: Span) {
        let mark = self.body.next;
        if let Some(k) = self.constant_keys(entries) {
            let base = self.body.next as Reg;
            for entry in entries {
                let r = self.temporary(entry.value.span);
                self.expression(&entry.value, r);
            }
            self.emit(Op::DictOf { d, base, count: entries.len() as u8, k }, span);
            return self.release(mark);
        }
        self.emit(Op::Dict { d, capacity: entries.len() as u32 }, span);
        for entry in entries {
            let key = self.operand(&entry.key);
            let a = self.operand(&entry.value);
            self.emit(Op::InsertNew { dict: d, key, a }, entry.colon);
            self.release(mark);
        }
    }

    /// The keys as a constant tuple, if they are different constant strings and not too many.
    fn constant_keys(&mut self, entries: &'m [DictEntry]) -> Option<u32> {
        if entries.is_empty() || entries.len() > CHUNK {
            return None;
        }
        let mut keys = Vec::with_capacity(entries.len());
        for entry in entries {
            let ExprKind::Str(text) = &entry.key.kind else { return None };
            let key = self.module_constant(Const::Str(text.clone()));
            if keys.contains(&key) {
                return None;
            }
            keys.push(key);
        }
        Some(self.constant(Const::Tuple(keys)))
    }

    // ------------------------------------------------------------------ primaries

    fn primary(&mut self, primary: &'m Primary, d: Reg) {
        let mark = self.body.next;
        let mut suffixes = primary.suffixes.iter().peekable();
        let mut a = None;
        while let Some(suffix) = suffixes.next() {
            let method = match (&suffix.kind, suffixes.peek().map(|next| (&next.kind, next.span))) {
                (SuffixKind::Attr(name), Some((SuffixKind::Call(args), span))) => Some((name, args, span)),
                _ => None,
            };
            if method.is_some() {
                suffixes.next();
            }
            let last = suffixes.peek().is_none();
            // Operands below may use the temporaries from here on; the result takes the first of them.
            let source = match a {
                Some(a) => Source::Register(a),
                None => Source::Expression(&primary.operand),
            };
            let target = if last { d } else { mark as Reg };
            if !last && self.body.next == mark {
                self.temporary(suffix.span);
            }
            match (&suffix.kind, method) {
                (_, Some((name, args, span))) => {
                    // The name is where a missing attribute is reported, but the call is what fails most.
                    let attr = self.attr(name.symbol);
                    self.call(source, args, Some(attr), target, suffix.span.to(span));
                }
                (SuffixKind::Call(args), None) => self.call(source, args, None, target, suffix.span),
                (SuffixKind::Attr(name), None) => {
                    let a = self.source(source);
                    let attr = self.attr(name.symbol);
                    self.emit(Op::Attr { d: target, a, attr }, suffix.span);
                }
                (SuffixKind::Index(index), None) => {
                    let a = self.source(source);
                    let i = self.operand(index);
                    self.emit(Op::Index { d: target, a, i }, suffix.span);
                }
                (SuffixKind::Slice(slice), None) => {
                    let a = self.source(source);
                    let base = self.slice_operands(slice, suffix.span);
                    self.emit(Op::Slice { d: target, a, base }, suffix.span);
                }
            }
            self.release(if last { mark } else { mark + 1 });
            a = Some(target);
        }
    }

    /// The register of what a suffix is applied to.
    pub(super) fn source(&mut self, source: Source<'m>) -> Reg {
        match source {
            Source::Register(r) => r,
            Source::Expression(expr) => self.operand(expr),
        }
    }

    fn slice_operands(&mut self, slice: &'m Slice, span: Span) -> Reg {
        let base = self.body.next as Reg;
        for operand in [&slice.start, &slice.stop, &slice.step] {
            let r = self.temporary(span);
            match operand {
                Some(expr) => self.expression(expr, r),
                None => self.emit(Op::None { d: r }, span),
            }
        }
        base
    }
}

/// What a suffix is applied to.
#[derive(Clone, Copy)]
pub(super) enum Source<'m> {
    /// The value in a register.
    Register(Reg),
    /// The value of an expression that has not been evaluated yet.
    Expression(&'m Expr),
}

fn is_comparison(op: BinaryOp) -> bool {
    use BinaryOp::*;
    matches!(op, Eq | Ne | Lt | Le | Gt | Ge | In | NotIn)
}
