//! Expressions whose value is known before the program runs: literals, and operators on them.
//!
//! What could fail is left to the machine: so an error, and its place, are always its own, and code that is never reached may be
//! wrong. So is what would not be in the word, or longer than [`TEXT_MAX`]: a program may ask for more than fits in memory, and
//! say `if` before it.

use crate::code::{Op, Reg};
use crate::data::int;
use crate::syntax::ast::{Binary, BinaryOp, Expr, ExprKind, Unary, UnaryOp};
use crate::syntax::{Binding, Span};
use crate::value::{INT_MAX, INT_MIN};

use super::{Compiler, Const};

/// Bytes of the longest text that an operator may give here. Longer: more is put together only once, and kept for as long as the
/// code is, however seldom it is wanted.
const TEXT_MAX: usize = 256;

impl<'m> Compiler<'m> {
    /// The constant that an expression is. What it is made of are constants of the module from now on.
    pub(super) fn known(&mut self, expr: &'m Expr) -> Option<Const> {
        match &expr.kind {
            ExprKind::Int(i) => Some(Const::Int(*i)),
            ExprKind::BigInt(i) => Some(Const::BigInt((**i).clone())),
            ExprKind::Float(f) => Some(Const::Float(f.to_bits())),
            ExprKind::Str(text) => Some(Const::Str(text.clone())),
            ExprKind::Bytes(bytes) => Some(Const::Bytes(bytes.clone())),
            ExprKind::Ident(ident) if ident.binding == Binding::Universal => match self.text(ident.name) {
                "None" => Some(Const::None),
                "True" => Some(Const::Bool(true)),
                "False" => Some(Const::Bool(false)),
                _ => None,
            },
            ExprKind::Tuple(items) => self.known_tuple(items),
            ExprKind::Unary(unary) => self.known_unary(unary),
            ExprKind::Binary(binary) => match self.known_start(binary)? {
                (constant, applied) if applied == binary.tails.len() => Some(constant),
                _ => None,
            },
            _ => None,
        }
    }

    /// The int that an expression is, if it is one that fits in an instruction.
    pub(super) fn small(&mut self, expr: &'m Expr) -> Option<i32> {
        match self.known(expr)? {
            Const::Int(i) => i32::try_from(i).ok(),
            _ => None,
        }
    }

    /// A tuple of these elements, if all of them are known.
    pub(super) fn known_tuple(&mut self, items: &'m [Expr]) -> Option<Const> {
        let items: Option<Vec<Const>> = items.iter().map(|item| self.known(item)).collect();
        Some(Const::Tuple(items?.into_iter().map(|item| self.module_constant(item)).collect()))
    }

    fn known_unary(&mut self, unary: &'m Unary) -> Option<Const> {
        match (unary.op, self.known(&unary.operand)?) {
            (UnaryOp::Minus, Const::Int(i)) => i.checked_neg().map(Const::Int),
            (UnaryOp::Minus, Const::Float(bits)) => Some(Const::Float((-f64::from_bits(bits)).to_bits())),
            (UnaryOp::Invert, Const::Int(i)) => Some(Const::Int(!i)),
            _ => None,
        }
    }

    /// What a chain of operators has come to where it first depends on the run of the program, and how many operators have been
    /// applied before.
    pub(super) fn known_start(&mut self, binary: &'m Binary) -> Option<(Const, usize)> {
        let mut value = self.known(&binary.first)?;
        for (applied, tail) in binary.tails.iter().enumerate() {
            let operand = self.known(&tail.operand);
            match operand.and_then(|operand| result(tail.op, &value, &operand)) {
                Some(result) => value = result,
                None => return Some((value, applied)),
            }
        }
        Some((value, binary.tails.len()))
    }

    /// Puts a constant in a register.
    pub(super) fn emit_known(&mut self, constant: Const, d: Reg, span: Span) {
        let op = match constant {
            Const::None => Op::None { d },
            Const::Bool(b) => Op::Bool { d, b },
            Const::Int(i) if i32::try_from(i).is_ok() => Op::Int { d, i: i as i32 },
            constant => Op::Const { d, k: self.constant(constant) },
        };
        self.emit(op, span);
    }
}

/// The result of an operator, if it is small and cannot fail.
fn result(op: BinaryOp, a: &Const, b: &Const) -> Option<Const> {
    match (op, a, b) {
        (_, &Const::Int(x), &Const::Int(y)) => {
            let in_word = |i| (INT_MIN..=INT_MAX).contains(&i);
            if in_word(x) && in_word(y) { int::at_once(op, x, y).map(Const::Int) } else { None }
        }
        (_, &Const::Float(x), &Const::Float(y)) => {
            let (x, y) = (f64::from_bits(x), f64::from_bits(y));
            let result = match op {
                BinaryOp::Add => x + y,
                BinaryOp::Sub => x - y,
                BinaryOp::Mul => x * y,
                BinaryOp::Div if y != 0.0 => x / y,
                _ => return None,
            };
            Some(Const::Float(result.to_bits()))
        }
        (BinaryOp::Add, Const::Str(a), Const::Str(b)) if a.len() + b.len() <= TEXT_MAX => {
            Some(Const::Str([&**a, &**b].concat().into()))
        }
        (BinaryOp::Mul, Const::Str(text), &Const::Int(count))
        | (BinaryOp::Mul, &Const::Int(count), Const::Str(text)) => {
            let count = usize::try_from(count.max(0)).ok()?;
            let len = text.len().checked_mul(count)?;
            (len <= TEXT_MAX).then(|| Const::Str(text.repeat(count).into()))
        }
        _ => None,
    }
}
