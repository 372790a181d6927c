//! What an engine says when it could not do what it was asked.

use std::error::Error as StdError;
use std::fmt;
use std::ops::Deref;

use crate::limits::Limit;
use crate::syntax::Diagnostic;
use crate::syntax::diagnostics::Cause;

/// One error that ended a run, or all that is wrong with a text. It shows as people know it from rustc, with the lines of
/// the program, and the calls that were active.
///
/// An error of the embedding program, which one of its functions returned, is the [source](StdError::source).
///
/// ```
/// use frazil_starlark::{Engine, ErrorKind};
/// let mut engine = Engine::default();
/// let error = engine.run("BUILD", "x = 1\nfail('no', x)").unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Fail);
/// assert_eq!((error.message(), error[0].line_col().line), ("fail: no 1", 2));
/// assert!(error.to_string().contains("2 | fail('no', x)"));
/// ```
#[derive(Clone, Debug)]
pub struct Error(Vec<Diagnostic>);

/// What kind of error it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The text is wrong: no program was run. There may be several diagnostics.
    Text,
    /// The program did something it may not.
    Program,
    /// The program called `fail`.
    Fail,
    /// The program, or what the embedding program did in its stead, reached a limit. The engine is as usable as before.
    Limit(Limit),
    /// A function of the embedding program returned an error.
    Host,
}

impl Error {
    /// What kind of error it is.
    pub fn kind(&self) -> ErrorKind {
        match self.0.first().map(|diagnostic| &diagnostic.cause) {
            None | Some(Cause::Text) => ErrorKind::Text,
            Some(Cause::Program) => ErrorKind::Program,
            Some(Cause::Fail) => ErrorKind::Fail,
            Some(Cause::Limit(limit)) => ErrorKind::Limit(*limit),
            Some(Cause::Host(_)) => ErrorKind::Host,
        }
    }

    /// The message alone: of several, the first.
    pub fn message(&self) -> &str {
        self.0.first().map_or("", |diagnostic| &diagnostic.message)
    }

    /// The text for people, with colours for a terminal.
    pub fn render(&self, color: bool) -> String {
        self.0.iter().map(|diagnostic| diagnostic.render(color)).collect()
    }
}

impl Deref for Error {
    type Target = [Diagnostic];

    fn deref(&self) -> &[Diagnostic] {
        &self.0
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.render(false).trim_end())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.0.first()?.cause {
            Cause::Host(error) => Some(&**error),
            _ => None,
        }
    }
}

impl From<Diagnostic> for Error {
    fn from(diagnostic: Diagnostic) -> Error {
        Error(vec![diagnostic])
    }
}

impl From<Vec<Diagnostic>> for Error {
    fn from(diagnostics: Vec<Diagnostic>) -> Error {
        Error(diagnostics)
    }
}

impl From<Error> for Vec<Diagnostic> {
    fn from(error: Error) -> Vec<Diagnostic> {
        error.0
    }
}
