//! The syntax tree, shaped for a compiler that emits code for a stack machine in one walk.
//!
//! - What the grammar allows but the language does not (a call as assignment target, parameters in a wrong
//!   order) has no representation: [`Target`], [`Params`] and [`Args`] hold only what is legal.
//! - Chains are flat: `a + b - c`, `a and b and c`, `x.f(y)[z]` and `if`/`elif`/`else` are one node each
//!   with a vector, so the depth of a tree is bounded by the nesting of brackets and blocks in the text.
//! - Parentheses leave no trace but the span of what they enclose.
//! - Lists are in evaluation order, left to right. Identifiers carry their [`Binding`], which
//!   [`mod@super::resolve`] fills in; the parser leaves [`Binding::Unresolved`].

use num_bigint::BigInt;

use super::names::{Names, Symbol};
use super::resolve::{Binding, FunctionInfo};
use super::source::{SourceFile, Span};

/// A parsed module.
#[derive(Debug)]
pub struct File {
    /// What it was parsed from.
    pub source: SourceFile,
    /// The text of every [`Symbol`] in the tree.
    pub names: Names,
    /// The top-level statements.
    pub body: Vec<Stmt>,
}

/// An identifier that refers to a variable.
#[derive(Clone, Copy, Debug)]
pub struct Ident {
    /// The name.
    pub name: Symbol,
    /// Which variable it is.
    pub binding: Binding,
    /// Where it stands.
    pub span: Span,
}

/// An identifier that is only a name: an attribute, or the keyword of an argument.
#[derive(Clone, Copy, Debug)]
pub struct Name {
    /// The name.
    pub symbol: Symbol,
    /// Where it stands.
    pub span: Span,
}

// ---------------------------------------------------------------------------------------------- statements

/// A statement.
#[derive(Debug)]
pub struct Stmt {
    /// From its first token to its last; a block belongs to it.
    pub span: Span,
    /// Which statement it is.
    pub kind: StmtKind,
}

/// The kinds of statements.
#[derive(Debug)]
pub enum StmtKind {
    /// An expression evaluated for its effect; its value is dropped.
    Expr(Expr),
    /// `target = value`
    Assign(Box<Assign>),
    /// `target op= value`
    AugAssign(Box<AugAssign>),
    /// `def name(params): body`
    Def(Box<Def>),
    /// `if`/`elif`/`else`
    If(Box<If>),
    /// `for target in iterable: body`
    For(Box<For>),
    /// `while cond: body`
    While(Box<While>),
    /// `return value`; without a value it returns `None`.
    Return(Option<Expr>),
    /// `break`
    Break,
    /// `continue`
    Continue,
    /// `pass`
    Pass,
    /// `load(module, ...)`
    Load(Box<Load>),
}

/// `target = value`. The value is evaluated first, then the target's operands from left to right.
#[derive(Debug)]
pub struct Assign {
    /// What is assigned to.
    pub target: Target,
    /// The `=`.
    pub op_span: Span,
    /// The value.
    pub value: Expr,
}

/// `target op= value`. The target's operands are evaluated once, before the value.
#[derive(Debug)]
pub struct AugAssign {
    /// Never a [`TargetKind::Sequence`].
    pub target: Target,
    /// The operator without its `=`.
    pub op: BinaryOp,
    /// The operator.
    pub op_span: Span,
    /// The right operand.
    pub value: Expr,
}

/// Something that can be assigned to.
#[derive(Debug)]
pub struct Target {
    /// With the parentheses around it, if any.
    pub span: Span,
    /// What it is.
    pub kind: TargetKind,
}

/// The kinds of assignment targets.
#[derive(Debug)]
pub enum TargetKind {
    /// A variable.
    Ident(Ident),
    /// `object.name`
    Attr(Box<AttrTarget>),
    /// `object[index]`
    Index(Box<IndexTarget>),
    /// `a, b` or `[a, b]`, possibly empty: the value must be an iterable of this length.
    Sequence(Vec<Target>),
}

/// `object.name` as a target.
#[derive(Debug)]
pub struct AttrTarget {
    /// The object.
    pub object: Expr,
    /// The dot.
    pub dot: Span,
    /// The attribute.
    pub name: Name,
}

/// `object[index]` as a target.
#[derive(Debug)]
pub struct IndexTarget {
    /// The object.
    pub object: Expr,
    /// The brackets and what is in them.
    pub brackets: Span,
    /// The index.
    pub index: Expr,
}

/// A `def` statement: makes a function and assigns it to a variable.
#[derive(Debug)]
pub struct Def {
    /// The variable.
    pub name: Ident,
    /// The function.
    pub function: Function,
}

/// `if`/`elif`/`else`.
#[derive(Debug)]
pub struct If {
    /// The `if` and the `elif`s, at least one.
    pub branches: Vec<Branch>,
    /// The `else`; empty if there is none.
    pub otherwise: Vec<Stmt>,
}

/// One condition of an [`If`] with its block.
#[derive(Debug)]
pub struct Branch {
    /// The condition.
    pub cond: Expr,
    /// What is done if it is true.
    pub body: Vec<Stmt>,
}

/// A `for` statement.
#[derive(Debug)]
pub struct For {
    /// The loop variables.
    pub target: Target,
    /// Evaluated once, before the loop.
    pub iterable: Expr,
    /// The block.
    pub body: Vec<Stmt>,
}

/// A `while` statement (only in dialects that have it).
#[derive(Debug)]
pub struct While {
    /// The condition.
    pub cond: Expr,
    /// The block.
    pub body: Vec<Stmt>,
}

/// A `load` statement.
#[derive(Debug)]
pub struct Load {
    /// The module's name.
    pub module: Box<str>,
    /// The string literal of the name.
    pub module_span: Span,
    /// What is loaded, at least one.
    pub symbols: Vec<LoadSymbol>,
}

/// One name of a `load` statement: `local = "remote"`, or just `"name"`.
#[derive(Debug)]
pub struct LoadSymbol {
    /// The variable it is bound to in this file.
    pub local: Ident,
    /// Its name in the loaded module.
    pub remote: Name,
}

// ---------------------------------------------------------------------------------------------- functions

/// The common part of `def` and `lambda`.
#[derive(Debug)]
pub struct Function {
    /// `lambda` for lambdas.
    pub name: Symbol,
    /// The parameters. Their defaults belong to the scope around the function.
    pub params: Params,
    /// The body; that of a lambda is one `return`.
    pub body: Vec<Stmt>,
    /// The string literal at the start of the body. It stays in `body` as an expression statement, too.
    pub doc: Option<Box<str>>,
    /// Its variables; filled in by the resolver.
    pub info: FunctionInfo,
    /// From `def` or `lambda` to the end.
    pub span: Span,
}

/// The parameters of a function in the order of their slots: slot 0 is the first of `positional`, then
/// follow `keyword_only`, `args` and `kwargs`, without gaps. A slot whose variable is
/// [captured](super::resolve::Local) must be put in a cell when the function is entered.
#[derive(Debug, Default)]
pub struct Params {
    /// May be given by position or by keyword; those with defaults come last.
    pub positional: Vec<Param>,
    /// May be given by keyword only: those behind `*` or `*args`. Any of them may have a default.
    pub keyword_only: Vec<Param>,
    /// `*args`. A bare `*` shows only in that `keyword_only` is not empty.
    pub args: Option<Ident>,
    /// `**kwargs`.
    pub kwargs: Option<Ident>,
}

impl Params {
    /// How many slots the parameters take.
    pub fn count(&self) -> usize {
        let rest = usize::from(self.args.is_some()) + usize::from(self.kwargs.is_some());
        self.positional.len() + self.keyword_only.len() + rest
    }
}

/// A parameter with its default.
#[derive(Debug)]
pub struct Param {
    /// The variable.
    pub name: Ident,
    /// Evaluated when the function is made, in the scope around it.
    pub default: Option<Expr>,
}

// ---------------------------------------------------------------------------------------------- expressions

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
