//! Why an operation did not succeed, before it is known where in the program that was.
//!
//! The machine turns a [`Failure`] into a diagnostic with a place and a call stack, or, if memory ran out and a
//! collection may help, collects and repeats the instruction. That works because every operation allocates all
//! it needs *before* it changes anything. (Functions of the embedding program need not: see [`Failure::Refused`].)

use std::any::Any;
use std::borrow::Cow;
use std::error::Error;
use std::sync::Arc;

use frazil::{AllocError, StoreError};

use crate::advice;
use crate::limits::Limit;
use crate::syntax::Feature;

/// What went wrong.
#[derive(Debug)]
pub enum Failure {
    /// An error of the program.
    Error(String, Help),
    /// An error inside the built-in function with this name.
    Builtin(String, String, Help),
    /// An allocation was refused.
    Alloc(AllocError),
    /// One of a function of the embedding program was, which had begun and is not called once more.
    Refused(AllocError),
    /// A function of the embedding program asked for this room before it began: it may be called once more.
    Room(AllocError),
    /// The program has reached a limit.
    Limit(Limit),
    /// An error of the embedding program, and the name of its function.
    Host(Option<String>, Arc<dyn Error + Send + Sync>),
    /// An error that has its place and call stack already: one from inside a call that a built-in made.
    Placed(Box<crate::syntax::diagnostics::Diagnostic>),
}

/// What the user could do about an error, as far as there is something to say.
#[derive(Debug, Default)]
pub struct Help {
    /// In words.
    pub text: Option<Cow<'static, str>>,
    /// The part of the language that would allow it, and that the dialect has not.
    pub lacks: Option<Feature>,
}

/// The result of an operation. The failure is boxed so that the good case fits in registers.
pub type Res<T> = Result<T, Box<Failure>>;

impl Failure {
    /// An error of the program.
    #[cold]
    pub fn new(message: impl Into<String>) -> Box<Failure> {
        Box::new(Failure::Error(message.into(), Help::default()))
    }

    /// The same error of the program, with what the user could do about it.
    ///
    /// ```
    /// use frazil_starlark::{Engine, Failure, Res, function};
    /// function! { fn version(_cx) -> Res<i64> { Err(Failure::new("no version").help("call `release` before")) } }
    ///
    /// let mut engine = Engine::default();
    /// engine.function("version", version)?;
    /// let error = engine.run("BUILD", "version()").unwrap_err();
    /// assert_eq!(error[0].help.as_deref(), Some("call `release` before"));
    /// # Ok::<(), frazil_starlark::Error>(())
    /// ```
    #[cold]
    pub fn help(self: Box<Self>, help: impl Into<Cow<'static, str>>) -> Box<Failure> {
        self.help_if(Some(help))
    }

    /// The same, if there is something to say.
    #[cold]
    pub(crate) fn help_if(mut self: Box<Self>, help: Option<impl Into<Cow<'static, str>>>) -> Box<Failure> {
        if let (Failure::Error(_, place) | Failure::Builtin(_, _, place), Some(help)) = (&mut *self, help) {
            place.text = Some(help.into());
        }
        self
    }

    /// The same error of the program, with what would allow it, if the dialect had it.
    #[cold]
    pub(crate) fn lacking(mut self: Box<Self>, feature: Feature) -> Box<Failure> {
        if let Failure::Error(_, help) | Failure::Builtin(_, _, help) = &mut *self {
            help.lacks = Some(feature);
        }
        self
    }

    /// An error of the embedding program, which finds it again as the source of the engine's error.
    #[cold]
    pub fn host(error: impl Into<Box<dyn Error + Send + Sync>>) -> Box<Failure> {
        Box::new(Failure::Host(None, error.into().into()))
    }

    /// Is it an error of the embedding program?
    pub(crate) fn is_host(&self) -> bool {
        matches!(self, Failure::Host(..))
    }

    /// Was memory refused for the sake of the heap's limit, to something that can be done once more when garbage has gone?
    pub(crate) fn is_for_want_of_room(&self) -> bool {
        matches!(self, Failure::Alloc(AllocError::Limit { .. }) | Failure::Room(_))
    }

    /// The same failure, of a function of the embedding program: nobody knows what it has done before it failed, so it is
    /// done once more only if it asked for that.
    #[cold]
    pub(crate) fn of_host(mut self: Box<Self>) -> Box<Failure> {
        if let Failure::Alloc(error) = *self {
            *self = Failure::Refused(error);
        }
        self
    }

    /// The same failure, known to have happened inside a built-in function.
    #[cold]
    pub fn inside(mut self: Box<Self>, builtin: &str) -> Box<Failure> {
        match &mut *self {
            Failure::Error(message, help) => {
                *self = Failure::Builtin(builtin.to_owned(), std::mem::take(message), std::mem::take(help));
            }
            Failure::Host(inside, _) => _ = inside.get_or_insert_with(|| builtin.to_owned()),
            _ => {}
        }
        self
    }

    /// A store that was refused: `verb` says what was tried, `noun` on what.
    #[cold]
    pub fn store(error: StoreError, verb: &str, noun: &str) -> Box<Failure> {
        match error {
            StoreError::Frozen => {
                Failure::new(format!("cannot {verb} frozen {noun}")).help_if(advice::on_frozen(noun))
            }
            StoreError::Guarded => {
                Failure::new(format!("cannot {verb} {noun} during iteration")).help(advice::ITERATED)
            }
        }
    }
}

/// Any error of the embedding program (so that its functions can use `?`), and a refused allocation.
impl<E: Error + Send + Sync + 'static> From<E> for Box<Failure> {
    #[cold]
    fn from(error: E) -> Box<Failure> {
        let any: &dyn Any = &error;
        if let Some(refused) = any.downcast_ref::<AllocError>() {
            return Box::new(Failure::Alloc(*refused));
        }
        // An error of a call that the function made: it has its place already.
        match any.downcast_ref::<crate::Error>().and_then(|error| error.first()) {
            Some(diagnostic) => Box::new(Failure::Placed(Box::new(diagnostic.clone()))),
            None => Failure::host(error),
        }
    }
}

/// Returns an error of the program, formatted.
macro_rules! fail {
    ($($arg:tt)*) => {
        return Err($crate::failure::Failure::new(format!($($arg)*)))
    };
}
pub(crate) use fail;
