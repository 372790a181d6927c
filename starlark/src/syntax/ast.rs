//! The syntax tree, shaped for a compiler that emits code for a stack machine in one walk.
//!
//! - What the grammar allows but the language does not (a call as assignment target, parameters in a wrong
//!   order) has no representation: [`Target`], [`Params`] and [`Args`] hold only what is legal.
//! - Chains are flat: `a + b - c`, `a and b and c`, `x.f(y)[z]` and `if`/`elif`/`else` are one node each
//!   with a vector, so the depth of a tree is bounded by the nesting of brackets and blocks in the text.
//! - Parentheses leave no trace but the span of what they enclose.
//! - Lists are in evaluation order, left to right. Identifiers carry their [`Binding`], which
//!   [`mod@super::resolve`] fills in; the parser leaves [`Binding::Unresolved`].

use super::names::{Names, Symbol};
use super::resolve::{Binding, FunctionInfo};
use super::source::{SourceFile, Span};

mod expression;

pub use expression::{
    Args, Binary, BinaryOp, BinaryTail, Clause, Conditional, DictComp, DictEntry, Expr, ExprKind, ListComp,
    NamedArg, Primary, Slice, Suffix, SuffixKind, Unary, UnaryOp,
};

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
