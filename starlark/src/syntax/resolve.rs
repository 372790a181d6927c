//! What each identifier means: the result of static name resolution, and the walk that computes it.
//!
//! Scopes, innermost first: the comprehension, the function (and those around it), the module's globals and
//! loaded names, the predeclared names, the universal names. A function's variables are those it binds
//! anywhere in its body, and the same holds for the module, so a use may come before the definition;
//! whether the variable has a value by then is a question for run time.

mod advice;
mod declare;
mod scopes;
mod visit;
mod walk;

use super::ast::{File, Stmt};
use super::diagnostics::Diagnostic;
use super::dialect::Dialect;
use super::names::{Names, Symbol};
use super::source::{SourceFile, Span};

/// Which variable an identifier refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// Not resolved yet; does not occur in a [`Module`].
    Unresolved,
    /// A variable of the current function that no nested function uses: lives in this slot of the frame.
    Local(u32),
    /// A variable of the current function that nested functions use: this slot of the frame holds a cell.
    Cell(u32),
    /// A variable of an enclosing function: the cell with this index among the closure's captures.
    Free(u32),
    /// A global or loaded name of this module: index in [`Module::globals`].
    Global(u32),
    /// Predeclared by the host for this module.
    Predeclared,
    /// Known in every module.
    Universal,
}

/// The variables of a function, or of the top level of a module.
#[derive(Clone, Debug, Default)]
pub struct FunctionInfo {
    /// One for each slot of the frame: first the parameters, then the other variables, those of
    /// comprehensions included (each has a slot of its own).
    pub locals: Vec<Local>,
    /// Where the cells of the closure come from when it is made; [`Binding::Free`] indexes this list.
    pub captures: Vec<Capture>,
}

/// A variable in a frame.
#[derive(Clone, Copy, Debug)]
pub struct Local {
    /// Its name.
    pub name: Symbol,
    /// Where it is bound first.
    pub span: Span,
    /// Whether nested functions use it. Its slot must then hold a fresh cell from function entry on, and
    /// every identifier that refers to it has [`Binding::Cell`].
    pub captured: bool,
}

/// A variable of an enclosing function that a closure takes along.
#[derive(Clone, Copy, Debug)]
pub struct Capture {
    /// Its name.
    pub name: Symbol,
    /// Where the directly enclosing function has it.
    pub from: CaptureFrom,
}

/// Where a function finds the cell to hand to a nested one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaptureFrom {
    /// In this slot of its frame.
    Cell(u32),
    /// At this index of its own captures.
    Free(u32),
}

/// A resolved module: all the compiler needs.
#[derive(Debug)]
pub struct Module {
    /// What it was parsed from.
    pub source: SourceFile,
    /// The text of every symbol.
    pub names: Names,
    /// The top-level statements: the body of a function without parameters.
    pub body: Vec<Stmt>,
    /// The variables of that function: those of comprehensions outside functions. It captures nothing.
    pub toplevel: FunctionInfo,
    /// The module's own variables.
    pub globals: Vec<Global>,
    /// What the user should know, though nothing is wrong.
    pub warnings: Vec<Diagnostic>,
}

/// A variable of a module.
#[derive(Clone, Copy, Debug)]
pub struct Global {
    /// Its name.
    pub name: Symbol,
    /// Where it is bound first.
    pub span: Span,
    /// Bound by `load`: visible in this file only, not exported. (Whether names with a leading underscore
    /// can be loaded is not decided here.)
    pub loaded: bool,
}

/// The names a module may use without binding them.
pub trait Environment {
    /// Whether the host predeclares the name for this module.
    fn is_predeclared(&self, name: &str) -> bool;

    /// Whether the name is known in every module, like `len`.
    fn is_universal(&self, name: &str) -> bool;

    /// Whether the name is a global already, bound by an earlier part of the same module. Such names come first
    /// in [`Module::globals`], in the order in which the text mentions them.
    fn is_bound(&self, _name: &str) -> bool {
        false
    }

    /// All of them, for the hint at a misspelt name. May be left empty.
    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Resolves all names of a module. The errors come in the order of the text.
pub fn resolve(
    file: File,
    environment: &dyn Environment,
    dialect: &Dialect,
) -> Result<Module, Vec<Diagnostic>> {
    let File { source, names, mut body } = file;
    let resolver = walk::Resolver::new(&source, &names, environment, dialect);
    let (toplevel, globals) = resolver.module(&mut body)?;
    Ok(Module { source, names, body, toplevel, globals, warnings: Vec::new() })
}
