//! The front end: from the text of a module to a resolved syntax tree.
//!
//! ```text
//! SourceFile --lexer--> tokens --parser--> ast::File --resolve--> resolve::Module
//!      \_________________ diagnostics point back into it _________________/
//! ```
//!
//! Reading order: [`source`] (files, spans), [`ast`] (the tree), `lexer`, `parser`, then [`mod@resolve`]
//! (what each identifier means) and [`diagnostics`] (how errors are shown). Nothing here knows the runtime:
//! the compiler takes a [`Module`] and everything it must know about scopes is written in it.
//!
//! **Invariant:** a tree is at most [`MAX_NESTING`] × 10 nodes deep, whatever the input, so that recursive
//! walks (dropping it is one) are safe on small stacks. Long chains (`a + b + ...`, `a.b().c()...`, `elif`)
//! are flat.

pub mod ast;
pub mod diagnostics;
mod dialect;
mod incomplete;
mod lexer;
mod literals;
pub mod names;
mod parser;
pub mod resolve;
pub mod source;
mod token;

pub use diagnostics::{Cause, Diagnostic, Frame, Note, Severity, Stage};
pub use dialect::{Dialect, Feature};
pub use incomplete::is_incomplete;
pub use names::{Names, Symbol};
pub use parser::{Parsed, parse};
pub use resolve::{Binding, Environment, FunctionInfo, Module, resolve};
pub use source::{LineCol, SourceFile, Span};

/// How deeply brackets, blocks, lambdas, conditionals and unary operators may be nested in each other.
///
/// Raised: more stack is needed to parse and compile. Lowered: generated code may be refused. At 200, a
/// stack of 512 KiB is enough to parse, resolve and drop the worst module, even without optimisation;
/// CPython allows as many nested parentheses.
pub const MAX_NESTING: u32 = 200;

/// So many errors of one text are told.
///
/// Raised: who reads them has more to scroll over, and a long line is shown that often. Lowered: fewer are mended in one go.
pub const ERRORS_MAX: usize = 100;

/// Parses and resolves a module: the whole front end in one call.
///
/// Warnings are in the module. Errors are returned in the order of the text; of more than [`ERRORS_MAX`] the first ones, and
/// the last of them says how many there are besides. If there are syntax errors, names are not looked at, since what could
/// not be parsed may bind them.
pub fn analyze(
    source: &SourceFile,
    environment: &dyn Environment,
    dialect: &Dialect,
) -> Result<Module, Vec<Diagnostic>> {
    let Parsed { file, syntax_errors, check_errors, warnings, misplaced: _ } = parse(source, dialect);
    let by = |stage| move |error: Diagnostic| error.found_by(stage);
    let resolve_names = syntax_errors.is_empty();
    let mut errors: Vec<Diagnostic> =
        check_errors.into_iter().chain(syntax_errors).map(by(Stage::Syntax)).collect();
    if resolve_names {
        match resolve(file, environment, dialect) {
            Ok(module) if errors.is_empty() => {
                let warnings = warnings.into_iter().map(by(Stage::Syntax)).collect();
                return Ok(Module { warnings, ..module });
            }
            Ok(_) => {}
            Err(more) => errors.extend(more.into_iter().map(by(Stage::Scope))),
        }
    }
    errors.sort_by_key(|error| error.span.start);
    Err(first_of(errors))
}

/// The errors that are told.
fn first_of(mut errors: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let more = errors.len().saturating_sub(ERRORS_MAX);
    errors.truncate(ERRORS_MAX);
    if let Some(last) = errors.pop_if(|_| more > 0) {
        let s = if more == 1 { "" } else { "s" };
        errors.push(last.note(format!("and {more} more error{s} in this file")));
    }
    errors
}
