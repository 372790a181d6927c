//! The front end: from the text of a module to a resolved syntax tree.
//!
//! ```text
//! SourceFile --lexer--> tokens --parser--> ast::File --resolve--> resolve::Module
//!      \_________________ diagnostics point back into it _________________/
//! ```
//!
//! Reading order: [`source`] (files, spans), [`ast`] (the tree), `lexer`, `parser`, then [`resolve`] (what each
//! identifier means) and [`diagnostics`] (how errors are shown). Nothing here knows the runtime: the compiler takes
//! a [`Module`] and everything it must know about scopes is written in it.
//!
//! **Invariant:** a tree is at most [`MAX_NESTING`] × 10 nodes deep, whatever the input, so that recursive walks
//! (dropping it is one) are safe on small stacks. Long chains (`a + b + ...`, `a.b().c()...`, `elif`) are flat.

pub mod ast;
pub mod names;
pub mod resolve;
pub mod source;

pub use names::{Names, Symbol};
pub use resolve::{Binding, Environment, FunctionInfo, Module};
pub use source::{LineCol, SourceFile, Span};

/// How deeply brackets, blocks, lambdas, conditionals and unary operators may be nested in each other.
///
/// Raised: more stack is needed to parse and compile. Lowered: generated code may be refused. CPython allows 200
/// nested parentheses.
pub const MAX_NESTING: u32 = 200;
