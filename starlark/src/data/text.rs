//! Strings: always UTF-8, indexed by bytes.
//!
//! The language leaves it to the implementation what the elements of a string are. Here they are bytes, as in the
//! Go implementation, so that `len` and indexing take constant time. But a string is never anything but UTF-8: a
//! slice that begins or ends inside of a code point has U+FFFD in place of the broken part.

use crate::cx::Cx;
use crate::failure::{Res, fail};
use crate::value::{Object, Value, ValueExt, shapes, small_int};

/// The bytes `start..end` of a string.
///
/// # Errors
/// Memory ran out.
#[inline]
pub fn slice<'s>(cx: Cx<'s>, text: &str, start: usize, end: usize) -> Res<Value<'s>> {
    match text.get(start..end) {
        Some("") => Ok(cx.empty_str()),
        Some(part) => cx.str(part),
        None => cx.str(&String::from_utf8_lossy(&text.as_bytes()[start..end.max(start)])),
    }
}

/// `text * count`
///
/// # Errors
/// The result would be too long, or memory ran out.
pub fn repeat<'s>(cx: Cx<'s>, text: &str, count: usize) -> Res<Value<'s>> {
    check_repeat(text.len(), count)?;
    cx.str(&text.repeat(count))
}

/// How long the result of a repetition may be.
const REPEAT_MAX: usize = 1 << 30;

/// Refuses repetitions that are too long.
///
/// # Errors
/// This one is.
pub fn check_repeat(len: usize, count: usize) -> Res<()> {
    if len.checked_mul(count).is_none_or(|product| product >= REPEAT_MAX) {
        fail!("excessive repeat ({len} * {count} elements)");
    }
    Ok(())
}

// ---------------------------------------------------------------------------------------------- elements

/// Which elements an object of [`shapes::ELEMS`] stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Elems {
    /// `string.elems()`: strings of one byte.
    Strings,
    /// `string.elem_ords()`: bytes as ints.
    Ords,
    /// `string.codepoints()`: strings of one code point.
    Codepoints,
    /// `string.codepoint_ords()`: code points as ints.
    CodepointOrds,
    /// `bytes.elems()`: bytes as ints.
    Bytes,
}

const ELEMS: [Elems; 5] =
    [Elems::Strings, Elems::Ords, Elems::Codepoints, Elems::CodepointOrds, Elems::Bytes];

/// The elements of a string or bytes value as an iterable.
///
/// # Errors
/// Memory ran out.
pub fn elems<'s>(cx: Cx<'s>, of: Value<'s>, which: Elems) -> Res<Value<'s>> {
    let mut fresh = cx.alloc(&shapes::ELEMS, 0)?;
    fresh.raw_mut()[0] = which as u64;
    fresh.references_mut()[0] = of;
    Ok(fresh.finish().into())
}

/// Which elements it stands for, and of which bytes.
pub fn elems_parts(object: Object<'_>) -> (Elems, &[u8]) {
    let which = ELEMS[object.raw(0) as usize % ELEMS.len()];
    (which, object.get(0).object().map_or(&[], Object::bytes))
}

/// The name of its type.
pub fn elems_type_name(value: Value<'_>) -> &'static str {
    match value.object().map(|object| elems_parts(object).0) {
        Some(Elems::Codepoints | Elems::CodepointOrds) => "string.codepoints",
        Some(Elems::Bytes) => "bytes.elems",
        _ => "string.elems",
    }
}

/// Its length; that of code points would have to be counted and is not told.
pub fn elems_len(object: Object<'_>) -> Option<usize> {
    let (which, bytes) = elems_parts(object);
    (!matches!(which, Elems::Codepoints | Elems::CodepointOrds)).then_some(bytes.len())
}

/// The element at a byte offset below the length.
pub fn elem<'s>(cx: Cx<'s>, object: Object<'s>, at: usize) -> Value<'s> {
    let (which, bytes) = elems_parts(object);
    match which {
        Elems::Strings => cx.ascii(bytes[at]),
        _ => small_int(i64::from(bytes[at])),
    }
}

/// The element that begins at byte offset `at`, and the offset behind it; `None` at the end.
///
/// # Errors
/// Memory ran out.
pub fn elem_step<'s>(cx: Cx<'s>, object: Object<'s>, at: usize) -> Res<Option<(Value<'s>, usize)>> {
    let (which, bytes) = elems_parts(object);
    if at >= bytes.len() {
        return Ok(None);
    }
    if !matches!(which, Elems::Codepoints | Elems::CodepointOrds) {
        return Ok(Some((elem(cx, object, at), at + 1)));
    }
    let text = object.get(0).as_str().unwrap_or("");
    let Some(point) = text.get(at..).and_then(|rest| rest.chars().next()) else { return Ok(None) };
    let value = match which {
        Elems::Codepoints => cx.str(point.encode_utf8(&mut [0; 4]))?,
        _ => small_int(i64::from(u32::from(point))),
    };
    Ok(Some((value, at + point.len_utf8())))
}

/// The method that made it, for `str`.
pub fn elems_method(object: Object<'_>) -> &'static str {
    match elems_parts(object).0 {
        Elems::Strings | Elems::Bytes => "elems",
        Elems::Ords => "elem_ords",
        Elems::Codepoints => "codepoints",
        Elems::CodepointOrds => "codepoint_ords",
    }
}
