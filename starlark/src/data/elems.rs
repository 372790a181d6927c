//! What `"abc".elems()` and its relatives give: iterables over the elements of a string or bytes.

use crate::cx::Cx;
use crate::failure::Res;
use crate::value::{Object, Value, ValueExt, misshapen, shapes, small_int};

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
pub fn make<'s>(cx: Cx<'s>, of: Value<'s>, which: Elems) -> Res<Value<'s>> {
    let mut fresh = cx.alloc(&shapes::ELEMS, 0)?;
    fresh.raw_mut()[0] = which as u64;
    fresh.references_mut()[0] = of;
    Ok(fresh.finish().into())
}

/// Which elements it stands for, and of which bytes.
///
/// # Panics
/// It is no such object.
#[inline]
pub fn parts(object: Object<'_>) -> (Elems, &[u8]) {
    let Some(fields) = object.shaped(&shapes::ELEMS) else { misshapen(object, "elems") };
    let which = ELEMS[fields.raw(0) as usize % ELEMS.len()];
    (which, fields.get(0).object().map_or(&[], Object::bytes))
}

/// The name of its type.
pub fn type_name(value: Value<'_>) -> &'static str {
    match value.object().map(|object| parts(object).0) {
        Some(Elems::Codepoints | Elems::CodepointOrds) => "string.codepoints",
        Some(Elems::Bytes) => "bytes.elems",
        _ => "string.elems",
    }
}

/// The method that made it, for `str`.
pub fn method(object: Object<'_>) -> &'static str {
    match parts(object).0 {
        Elems::Strings | Elems::Bytes => "elems",
        Elems::Ords => "elem_ords",
        Elems::Codepoints => "codepoints",
        Elems::CodepointOrds => "codepoint_ords",
    }
}

/// Its length; that of code points would have to be counted and is not told.
pub fn len(object: Object<'_>) -> Option<usize> {
    let (which, bytes) = parts(object);
    (!matches!(which, Elems::Codepoints | Elems::CodepointOrds)).then_some(bytes.len())
}

/// The element at a byte offset below the length.
pub fn get<'s>(cx: Cx<'s>, object: Object<'s>, at: usize) -> Value<'s> {
    let (which, bytes) = parts(object);
    match which {
        Elems::Strings => cx.byte(bytes[at]),
        _ => small_int(i64::from(bytes[at])),
    }
}

/// The element that begins at byte offset `at`, and the offset behind it; `None` at the end.
///
/// # Errors
/// Memory ran out.
#[inline]
pub fn step<'s>(cx: Cx<'s>, object: Object<'s>, at: usize) -> Res<Option<(Value<'s>, usize)>> {
    let (which, bytes) = parts(object);
    let Some(&byte) = bytes.get(at) else { return Ok(None) };
    let element = match which {
        // A byte of this range is a code point.
        Elems::Codepoints if byte < 0x80 => cx.byte(byte),
        Elems::CodepointOrds if byte < 0x80 => small_int(i64::from(byte)),
        Elems::Codepoints | Elems::CodepointOrds => return step_point(cx, object, at),
        Elems::Strings => cx.byte(byte),
        Elems::Ords | Elems::Bytes => small_int(i64::from(byte)),
    };
    Ok(Some((element, at + 1)))
}

fn step_point<'s>(cx: Cx<'s>, object: Object<'s>, at: usize) -> Res<Option<(Value<'s>, usize)>> {
    let (which, bytes) = parts(object);
    let (point, len) = decode(object.get(0).as_str(), bytes, at);
    let value = match which {
        Elems::Codepoints => cx.str(point.encode_utf8(&mut [0; 4]))?,
        _ => small_int(i64::from(u32::from(point))),
    };
    Ok(Some((value, at + len)))
}

/// The code point at an offset, and its length. A byte that is no part of one counts as U+FFFD.
fn decode(text: Option<&str>, bytes: &[u8], at: usize) -> (char, usize) {
    let point = match text {
        Some(text) => text.get(at..).and_then(|rest| rest.chars().next()),
        None => {
            let window = &bytes[at..bytes.len().min(at + 4)];
            window.utf8_chunks().next().and_then(|chunk| chunk.valid().chars().next())
        }
    };
    point.map_or(('\u{fffd}', 1), |point| (point, point.len_utf8()))
}
