//! Pointers that come from C: all that is believed about them is believed here.
//!
//! A pointer to one thing is declared as an optional reference, which is the same for C; null is `None`. What a host
//! promises (`frazil.h` says so at the beginning): a pointer that is not null leads to what its type says, aligned, and
//! no two pointers of a call to the same place, unless both are only read.

use std::borrow::Cow;
use std::cell::Cell;
use std::ffi::{CStr, c_char};
use std::mem::MaybeUninit;

use crate::error::{Outcome, frazil_status::*, refuse};

/// Where a result goes.
pub type Out<'a, T> = Option<&'a mut MaybeUninit<T>>;

/// The thing that a pointer leads to.
///
/// # Errors
/// It is null.
pub(crate) fn wanted<T>(pointer: Option<T>, name: &str) -> Outcome<T> {
    match pointer {
        Some(thing) => Ok(thing),
        None => refuse(FRAZIL_NULL, format!("`{name}` is null")),
    }
}

/// Does the caller mean the same structure?
///
/// # Errors
/// It has another size.
pub(crate) fn check_size<T>(bytes: usize) -> Outcome {
    let right = size_of::<T>();
    if bytes != right {
        let name = std::any::type_name::<T>().rsplit("::").next().unwrap_or_default();
        return refuse(
            FRAZIL_WRONG_SIZE,
            format!("a {name} has {right} bytes in this library, not {bytes}: was another header used?"),
        );
    }
    Ok(())
}

/// `count` things that lie side by side. The pointer may be null if there are none.
///
/// # Errors
/// It is null, or does not point to whole things, or they would be larger than memory is.
pub(crate) fn many<'a, T: Copy>(first: *const T, count: usize, name: &str) -> Outcome<&'a [T]> {
    if count == 0 {
        return Ok(&[]);
    }
    if first.is_null() {
        return refuse(FRAZIL_NULL, format!("`{name}` is null, and {count} are to be there"));
    }
    if !first.is_aligned() || count > isize::MAX as usize / size_of::<T>() {
        return refuse(FRAZIL_BAD_ARGUMENT, format!("`{name}` cannot lead to {count} of its type"));
    }
    // SAFETY: not null, aligned, small enough for an address space; that so many are there is the host's promise. They
    // are read before the call is over.
    Ok(unsafe { std::slice::from_raw_parts(first, count) })
}

/// The text that a pointer leads to, up to its zero; empty for null.
pub(crate) fn text(first: *const c_char) -> String {
    if first.is_null() {
        return String::new();
    }
    // SAFETY: not null; that it leads to a text that ends with zero is the host's promise. It is copied at once.
    let text: Cow<'_, str> = unsafe { CStr::from_ptr(first) }.to_string_lossy();
    text.into_owned()
}

/// Copies bytes in, to all of `to`. They may be those of the same object: where these are, the host is told. So there is no
/// slice of them, which would have to stay as it is, and they come as if all were read before the first is written.
///
/// # Errors
/// `bytes` is null, and there is room for any.
pub(crate) fn copy_in(bytes: *const u8, to: &[Cell<u8>]) -> Outcome {
    if to.is_empty() {
        return Ok(());
    }
    if bytes.is_null() {
        return refuse(FRAZIL_NULL, format!("`bytes` is null, and {} are to be there", to.len()));
    }
    // SAFETY: not null; that as many bytes are there as were spoken of is the host's promise. Cells may be written.
    unsafe { std::ptr::copy(bytes, to.as_ptr().cast::<u8>().cast_mut(), to.len()) };
    Ok(())
}

/// Copies bytes out to `buffer`.
///
/// # Errors
/// It is null, and there are any.
pub(crate) fn copy_out(bytes: &[u8], buffer: *mut u8) -> Outcome {
    if bytes.is_empty() {
        return Ok(());
    }
    if buffer.is_null() {
        return refuse(FRAZIL_NULL, format!("`buffer` is null, and {} bytes are to go there", bytes.len()));
    }
    // SAFETY: not null; that it has room for as many bytes as were asked for, outside of the heap, is the host's promise.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), buffer, bytes.len()) };
    Ok(())
}
