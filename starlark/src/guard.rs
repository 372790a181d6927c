//! What is not the interpreter's own code may panic: that becomes an error of the function, and the engine goes on.
//!
//! Nothing is undefined afterwards. Such code runs while the heap is borrowed, so nothing is collected; an object it was
//! about to fill is garbage; and what the interpreter was about to do with its result, it has not begun. (A panic of the
//! interpreter itself is no error of a program, and is not held up.)

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::cx::Cx;
use crate::failure::{Failure, Res};

/// A function of the embedding program has panicked: the [source](Error::source) of the engine's error.
///
/// ```
/// use frazil_starlark::{Engine, ErrorKind, Panic, function};
/// use std::error::Error;
///
/// function! { fn first(cx, text: &str) -> String { text[..1].to_owned() } }
///
/// std::panic::set_hook(Box::new(|_| ())); // It would write to standard error.
/// let mut engine = Engine::default();
/// engine.function("first", first).unwrap();
/// let error = engine.evaluate("m", "first('')").unwrap_err();
/// assert!(error.message().starts_with("error in first: panicked: "));
/// assert_eq!(error.kind(), ErrorKind::Host);
/// assert!(error.source().is_some_and(|source| source.is::<Panic>()));
/// assert!(engine.evaluate("m", "first('again')").is_ok());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panic(String);

impl Panic {
    /// What the panic said.
    pub fn message(&self) -> &str {
        &self.0
    }

    pub(crate) fn of(payload: &(dyn Any + Send)) -> Panic {
        let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
        Panic(text.unwrap_or_else(|| "for an unknown reason".to_owned()))
    }
}

impl fmt::Display for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "panicked: {}", self.0)
    }
}

impl Error for Panic {}

/// Runs code of the embedding program.
///
/// # Errors
/// Its own, or it panicked.
pub(crate) fn guarded<R>(run: impl FnOnce() -> Res<R>) -> Res<R> {
    caught(run).unwrap_or_else(|payload| Err(Failure::host(Panic::of(&*payload))))
}

/// The same for what has an effect, and happens only once: so there should be room for what it makes.
///
/// # Errors
/// Its own, it panicked, or it was not run because a collection is better now.
pub(crate) fn once<R>(cx: Cx<'_>, run: impl FnOnce() -> Res<R>) -> Res<R> {
    cx.room_for_host()?;
    guarded(run).map_err(Failure::of_host)
}

/// The result of code of the embedding program, or what it panicked with.
pub(crate) fn caught<R>(run: impl FnOnce() -> R) -> Result<R, Box<dyn Any + Send>> {
    catch_unwind(AssertUnwindSafe(run))
}
