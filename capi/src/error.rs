//! What a call came to: a status, and for those that failed a sentence.

use std::any::Any;
use std::cell::RefCell;
use std::ffi::{CStr, CString, c_char};

use crate::quiet;

/// What a call came to. Everything above [`FRAZIL_NONE`](Self::FRAZIL_NONE) is a failure: the call did nothing, and
/// [`frazil_error_message`] says more.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum frazil_status {
    /// Done.
    FRAZIL_OK = 0,
    /// Done, and there is nothing: the object of a weak reference is dead, the finalizer queue is empty.
    FRAZIL_NONE = 1,
    /// A pointer is null that must not be.
    FRAZIL_NULL = 2,
    /// A number is none of those that the parameter's enumeration has.
    FRAZIL_BAD_ARGUMENT = 3,
    /// The size of a structure is another one in this library, or a length is not that of the object.
    FRAZIL_WRONG_SIZE = 4,
    /// There is no reference, word or byte with this index.
    FRAZIL_OUT_OF_RANGE = 5,
    /// There is no such heap, or it has ended.
    FRAZIL_NO_HEAP = 6,
    /// The heap belongs to another thread.
    FRAZIL_WRONG_THREAD = 7,
    /// A handle, a weak reference, a scope or an object belongs to another heap.
    FRAZIL_WRONG_HEAP = 8,
    /// A handle, a weak reference or a scope has ended, or never was one.
    FRAZIL_STALE_HANDLE = 9,
    /// A word is no reference, or leads to no object.
    FRAZIL_NOT_AN_OBJECT = 10,
    /// There is no such shape, or it is not one for this.
    FRAZIL_WRONG_SHAPE = 11,
    /// The object is frozen, or was born immutable.
    FRAZIL_FROZEN = 12,
    /// The host guards the object against writes.
    FRAZIL_GUARDED = 13,
    /// The heap's limit would be passed. A collection may help.
    FRAZIL_LIMIT = 14,
    /// The system gave no memory.
    FRAZIL_NO_MEMORY = 15,
    /// No object can have a tail this long.
    FRAZIL_TOO_LONG = 16,
    /// The scope is not the innermost one, or there is none.
    FRAZIL_WRONG_SCOPE = 17,
    /// The frame is not the one on top of the root stack.
    FRAZIL_WRONG_FRAME = 18,
    /// The root stack has no room for the frame, or there are too many handles.
    FRAZIL_FULL = 19,
    /// A root or a reference leads to no object: it was not rooted during some collection.
    FRAZIL_BAD_REFERENCE = 20,
    /// The settings do not agree with each other.
    FRAZIL_BAD_CONFIG = 21,
    /// The bytes of a text are not UTF-8.
    FRAZIL_NOT_UTF8 = 22,
    /// The heap is in the middle of another call (this one comes from a signal handler, say).
    FRAZIL_BUSY = 23,
    /// The heap can only be destroyed: a call before ended with [`FRAZIL_INTERNAL`](Self::FRAZIL_INTERNAL).
    FRAZIL_BROKEN = 24,
    /// An error in the collector; or checking mode found one that the host made, such as a write without the test.
    FRAZIL_INTERNAL = 25,
    /// Something mutable can be reached from what was to be shared.
    FRAZIL_NOT_SHAREABLE = 26,
    /// The heap belongs to no group, or to another one.
    FRAZIL_WRONG_GROUP = 27,
    /// The object may have been shared already: it is registered before it is.
    FRAZIL_TOO_LATE = 28,
}

use frazil_status::*;

impl frazil_status {
    /// All of them, by number.
    pub const ALL: [frazil_status; 29] = [
        FRAZIL_OK,
        FRAZIL_NONE,
        FRAZIL_NULL,
        FRAZIL_BAD_ARGUMENT,
        FRAZIL_WRONG_SIZE,
        FRAZIL_OUT_OF_RANGE,
        FRAZIL_NO_HEAP,
        FRAZIL_WRONG_THREAD,
        FRAZIL_WRONG_HEAP,
        FRAZIL_STALE_HANDLE,
        FRAZIL_NOT_AN_OBJECT,
        FRAZIL_WRONG_SHAPE,
        FRAZIL_FROZEN,
        FRAZIL_GUARDED,
        FRAZIL_LIMIT,
        FRAZIL_NO_MEMORY,
        FRAZIL_TOO_LONG,
        FRAZIL_WRONG_SCOPE,
        FRAZIL_WRONG_FRAME,
        FRAZIL_FULL,
        FRAZIL_BAD_REFERENCE,
        FRAZIL_BAD_CONFIG,
        FRAZIL_NOT_UTF8,
        FRAZIL_BUSY,
        FRAZIL_BROKEN,
        FRAZIL_INTERNAL,
        FRAZIL_NOT_SHAREABLE,
        FRAZIL_WRONG_GROUP,
        FRAZIL_TOO_LATE,
    ];

    /// Its name in the header.
    const fn name(self) -> &'static CStr {
        match self {
            FRAZIL_OK => c"FRAZIL_OK",
            FRAZIL_NONE => c"FRAZIL_NONE",
            FRAZIL_NULL => c"FRAZIL_NULL",
            FRAZIL_BAD_ARGUMENT => c"FRAZIL_BAD_ARGUMENT",
            FRAZIL_WRONG_SIZE => c"FRAZIL_WRONG_SIZE",
            FRAZIL_OUT_OF_RANGE => c"FRAZIL_OUT_OF_RANGE",
            FRAZIL_NO_HEAP => c"FRAZIL_NO_HEAP",
            FRAZIL_WRONG_THREAD => c"FRAZIL_WRONG_THREAD",
            FRAZIL_WRONG_HEAP => c"FRAZIL_WRONG_HEAP",
            FRAZIL_STALE_HANDLE => c"FRAZIL_STALE_HANDLE",
            FRAZIL_NOT_AN_OBJECT => c"FRAZIL_NOT_AN_OBJECT",
            FRAZIL_WRONG_SHAPE => c"FRAZIL_WRONG_SHAPE",
            FRAZIL_FROZEN => c"FRAZIL_FROZEN",
            FRAZIL_GUARDED => c"FRAZIL_GUARDED",
            FRAZIL_LIMIT => c"FRAZIL_LIMIT",
            FRAZIL_NO_MEMORY => c"FRAZIL_NO_MEMORY",
            FRAZIL_TOO_LONG => c"FRAZIL_TOO_LONG",
            FRAZIL_WRONG_SCOPE => c"FRAZIL_WRONG_SCOPE",
            FRAZIL_WRONG_FRAME => c"FRAZIL_WRONG_FRAME",
            FRAZIL_FULL => c"FRAZIL_FULL",
            FRAZIL_BAD_REFERENCE => c"FRAZIL_BAD_REFERENCE",
            FRAZIL_BAD_CONFIG => c"FRAZIL_BAD_CONFIG",
            FRAZIL_NOT_UTF8 => c"FRAZIL_NOT_UTF8",
            FRAZIL_BUSY => c"FRAZIL_BUSY",
            FRAZIL_BROKEN => c"FRAZIL_BROKEN",
            FRAZIL_INTERNAL => c"FRAZIL_INTERNAL",
            FRAZIL_NOT_SHAREABLE => c"FRAZIL_NOT_SHAREABLE",
            FRAZIL_WRONG_GROUP => c"FRAZIL_WRONG_GROUP",
            FRAZIL_TOO_LATE => c"FRAZIL_TOO_LATE",
        }
    }
}

/// A call that did not succeed, inside this crate.
#[derive(Debug)]
pub(crate) struct Error {
    pub status: frazil_status,
    pub message: String,
}

/// What the inside of a call comes to.
pub(crate) type Outcome<T = ()> = Result<T, Error>;

/// A refusal, with what to say about it.
pub(crate) fn refuse<T>(status: frazil_status, message: impl Into<String>) -> Outcome<T> {
    Err(Error { status, message: message.into() })
}

/// There is nothing to give, which is no failure.
pub(crate) fn nothing<T>() -> Outcome<T> {
    Err(Error { status: FRAZIL_NONE, message: String::new() })
}

impl Error {
    /// What a panic said.
    pub fn from_panic(payload: Box<dyn Any + Send>) -> Error {
        let text = payload.downcast::<String>().map(|text| *text);
        let text = text.or_else(|payload| payload.downcast::<&str>().map(|text| text.to_string()));
        let text = text.unwrap_or_else(|payload| {
            // What it is made of may panic again when it is dropped.
            std::mem::forget(payload);
            "an error in the collector".to_owned()
        });
        let message = format!("{text} ({})", quiet::place());
        Error { status: FRAZIL_INTERNAL, message }
    }
}

thread_local! {
    static MESSAGE: RefCell<CString> = RefCell::default();
}

/// The status of an outcome. What there is to say about it is kept for the host.
pub(crate) fn status_of(outcome: Outcome) -> frazil_status {
    let Err(error) = outcome else { return FRAZIL_OK };
    if error.status != FRAZIL_NONE {
        let text: Vec<u8> = error.message.into_bytes().into_iter().filter(|&byte| byte != 0).collect();
        let text = CString::new(text).unwrap_or_default();
        // A thread that is about to end has no place for it any more.
        let _ = MESSAGE.try_with(|message| message.replace(text));
    }
    error.status
}

/// What was wrong with the last call of this thread that failed, as a sentence without a full stop; empty if none did. It
/// is valid until the next call that fails.
#[unsafe(no_mangle)]
pub extern "C" fn frazil_error_message() -> *const c_char {
    MESSAGE.try_with(|message| message.borrow().as_ptr()).unwrap_or(c"".as_ptr())
}

/// The name of a status as the header writes it; "unknown" for numbers that are none.
#[unsafe(no_mangle)]
pub extern "C" fn frazil_status_name(status: u32) -> *const c_char {
    frazil_status::ALL.get(status as usize).map_or(c"unknown", |status| status.name()).as_ptr()
}

/// The version of this library, such as "0.1.0".
#[unsafe(no_mangle)]
pub extern "C" fn frazil_version() -> *const c_char {
    const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");
    VERSION.as_ptr().cast()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_stand_at_their_numbers() {
        for (number, status) in frazil_status::ALL.into_iter().enumerate() {
            assert_eq!(status as usize, number);
            assert_eq!(status.name().to_str().unwrap(), format!("{status:?}"));
        }
    }
}
