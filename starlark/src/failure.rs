//! Why an operation did not succeed, before it is known where in the program that was.
//!
//! The machine turns a [`Failure`] into a diagnostic with a place and a call stack, or, if memory ran out and a
//! collection may help, collects and repeats the instruction. That works because every operation allocates all
//! it needs *before* it changes anything.

use frazil::{AllocError, StoreError};

/// What went wrong.
#[derive(Debug)]
pub enum Failure {
    /// An error of the program.
    Error(String),
    /// An error inside the built-in function with this name.
    Builtin(String, String),
    /// An allocation was refused.
    Alloc(AllocError),
    /// An error that has its place and call stack already: one from inside a call that a built-in made.
    Placed(Box<crate::syntax::diagnostics::Diagnostic>),
}

/// The result of an operation. The failure is boxed so that the good case fits in registers.
pub type Res<T> = Result<T, Box<Failure>>;

impl Failure {
    /// An error of the program.
    #[cold]
    pub fn new(message: impl Into<String>) -> Box<Failure> {
        Box::new(Failure::Error(message.into()))
    }

    /// The same failure, known to have happened inside a built-in function.
    #[cold]
    pub fn inside(mut self: Box<Self>, builtin: &str) -> Box<Failure> {
        if let Failure::Error(message) = &mut *self {
            *self = Failure::Builtin(builtin.to_owned(), std::mem::take(message));
        }
        self
    }

    /// A store that was refused: `verb` says what was tried, `noun` on what.
    #[cold]
    pub fn store(error: StoreError, verb: &str, noun: &str) -> Box<Failure> {
        Failure::new(match error {
            StoreError::Frozen => format!("cannot {verb} frozen {noun}"),
            StoreError::Guarded => format!("cannot {verb} {noun} during iteration"),
        })
    }
}

impl From<AllocError> for Box<Failure> {
    #[cold]
    fn from(error: AllocError) -> Box<Failure> {
        Box::new(Failure::Alloc(error))
    }
}

/// Returns an error of the program, formatted.
macro_rules! fail {
    ($($arg:tt)*) => {
        return Err($crate::failure::Failure::new(format!($($arg)*)))
    };
}
pub(crate) use fail;
