//! Expressions, operators and the arguments of calls.

use num_bigint::BigInt;

use super::{Function, Ident, Name, Target};
use crate::syntax::source::Span;

/// An expression.
#[derive(Debug)]
pub struct Expr {
    /// With the parentheses around it, if any.
    pub span: Span,
    /// What it is.
    pub kind: ExprKind,
}

/// The kinds of expressions.
#[derive(Debug)]
pub enum ExprKind {
    /// A variable.
    Ident(Ident),
    /// An integer literal.
    Int(i64),
    /// An integer literal above `i64::MAX`.
    BigInt(Box<BigInt>),
    /// A floating-point literal.
    Float(f64),
    /// A string literal, decoded.
    Str(Box<str>),
    /// A bytes literal, decoded.
    Bytes(Box<[u8]>),
    /// `a, b` or `()`
    Tuple(Vec<Expr>),
    /// `[a, b]`
    List(Vec<Expr>),
    /// `{k: v}`
    Dict(Vec<DictEntry>),
    /// `[element for ...]`
    ListComp(Box<ListComp>),
    /// `{key: value for ...}`
    DictComp(Box<DictComp>),
    /// `-a`, `+a`, `~a`, `not a`
    Unary(Box<Unary>),
    /// Arithmetic and comparison.
    Binary(Box<Binary>),
    /// `a and b and ...`: at least two operands, evaluated until one is false; the last evaluated is the
    /// result.
    And(Vec<Expr>),
    /// `a or b or ...`: the same until one is true.
    Or(Vec<Expr>),
    /// `a if cond else b`
    Conditional(Box<Conditional>),
    /// `lambda params: body`
    Lambda(Box<Function>),
    /// An operand and what is applied to it: attributes, indices, slices and calls.
    Primary(Box<Primary>),
}

/// One `key: value` of a dict display.
#[derive(Debug)]
pub struct DictEntry {
    /// The key, evaluated first.
    pub key: Expr,
    /// The colon: where a duplicate or unhashable key is reported.
    pub colon: Span,
    /// The value.
    pub value: Expr,
}

/// `[element for ...]`
#[derive(Debug)]
pub struct ListComp {
    /// Evaluated once for each round of the innermost loop.
    pub element: Expr,
    /// At least one; the first is a [`Clause::For`].
    pub clauses: Vec<Clause>,
}

/// `{key: value for ...}`
#[derive(Debug)]
pub struct DictComp {
    /// Evaluated once for each round of the innermost loop.
    pub entry: DictEntry,
    /// At least one; the first is a [`Clause::For`].
    pub clauses: Vec<Clause>,
}

/// A clause of a comprehension. The variables of all its clauses live in one scope of their own; only the
/// iterable of the first clause is evaluated outside of it.
#[derive(Debug)]
pub enum Clause {
    /// `for target in iterable`
    For {
        /// The variables.
        target: Target,
        /// What they run through.
        iterable: Expr,
    },
    /// `if cond`
    If(Expr),
}

/// A unary operator and its operand.
#[derive(Debug)]
pub struct Unary {
    /// The operator.
    pub op: UnaryOp,
    /// Where it stands.
    pub op_span: Span,
    /// The operand.
    pub operand: Expr,
}

/// The unary operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnaryOp {
    /// `+`
    Plus,
    /// `-`
    Minus,
    /// `~`
    Invert,
    /// `not`
    Not,
}

/// `first op operand op operand ...`: operators of one precedence, applied from left to right. Comparisons
/// do not associate and have exactly one tail.
#[derive(Debug)]
pub struct Binary {
    /// The leftmost operand.
    pub first: Expr,
    /// The rest, at least one.
    pub tails: Vec<BinaryTail>,
}

/// An operator of a [`Binary`] chain and its right operand. The left operand is all that comes before.
#[derive(Debug)]
pub struct BinaryTail {
    /// The operator.
    pub op: BinaryOp,
    /// Where it stands; errors of the operation are reported here.
    pub op_span: Span,
    /// The right operand.
    pub operand: Expr,
}

/// The binary operators but `and` and `or`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // The names say it.
pub enum BinaryOp {
    Add,
    Sub,
    Mul,
    Div,
    FloorDiv,
    Mod,
    BitAnd,
    BitOr,
    BitXor,
    ShiftLeft,
    ShiftRight,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    In,
    NotIn,
}

impl BinaryOp {
    /// The operator as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            BinaryOp::Add => "+",
            BinaryOp::Sub => "-",
            BinaryOp::Mul => "*",
            BinaryOp::Div => "/",
            BinaryOp::FloorDiv => "//",
            BinaryOp::Mod => "%",
            BinaryOp::BitAnd => "&",
            BinaryOp::BitOr => "|",
            BinaryOp::BitXor => "^",
            BinaryOp::ShiftLeft => "<<",
            BinaryOp::ShiftRight => ">>",
            BinaryOp::Eq => "==",
            BinaryOp::Ne => "!=",
            BinaryOp::Lt => "<",
            BinaryOp::Le => "<=",
            BinaryOp::Gt => ">",
            BinaryOp::Ge => ">=",
            BinaryOp::In => "in",
            BinaryOp::NotIn => "not in",
        }
    }
}

/// `then if cond else otherwise`; `cond` is evaluated first.
#[derive(Debug)]
pub struct Conditional {
    /// The condition.
    pub cond: Expr,
    /// The value if it is true.
    pub then: Expr,
    /// The value if it is false.
    pub otherwise: Expr,
}

/// `operand suffix suffix ...`. The value of `x.f(y)` is a call of an attribute: two suffixes. The text of
/// the first `n` suffixes spans from `operand.span.start` to `suffixes[n - 1].span.end`.
#[derive(Debug)]
pub struct Primary {
    /// What the first suffix is applied to; never a [`ExprKind::Primary`] unless in parentheses.
    pub operand: Expr,
    /// At least one.
    pub suffixes: Vec<Suffix>,
}

/// One application to the value before it.
#[derive(Debug)]
pub struct Suffix {
    /// From its dot or opening bracket to its end; its start is where errors are reported.
    pub span: Span,
    /// What is applied.
    pub kind: SuffixKind,
}

/// The kinds of suffixes.
#[derive(Debug)]
pub enum SuffixKind {
    /// `.name`
    Attr(Name),
    /// `[index]`
    Index(Expr),
    /// `[start:stop:step]`
    Slice(Box<Slice>),
    /// `(args)`
    Call(Box<Args>),
}

/// The operands of a slice.
#[derive(Debug)]
pub struct Slice {
    /// Before the first colon.
    pub start: Option<Expr>,
    /// Behind the first colon.
    pub stop: Option<Expr>,
    /// Behind the second colon.
    pub step: Option<Expr>,
}

/// The arguments of a call, in evaluation order.
#[derive(Debug, Default)]
pub struct Args {
    /// Given by position.
    pub positional: Vec<Expr>,
    /// Given by keyword; no keyword is repeated.
    pub named: Vec<NamedArg>,
    /// `*args`
    pub args: Option<Expr>,
    /// `**kwargs`
    pub kwargs: Option<Expr>,
}

/// `name = value` in a call.
#[derive(Debug)]
pub struct NamedArg {
    /// The keyword.
    pub name: Name,
    /// The value.
    pub value: Expr,
}
