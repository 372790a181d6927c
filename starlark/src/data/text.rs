//! Strings: bytes that are meant to be UTF-8, and nearly always are.
//!
//! The language leaves it to the implementation what the elements of a string are. Here they are bytes, as in the
//! Go implementation, so that `len` and indexing take constant time. A slice may cut through a code point; the
//! result is a string that is not valid UTF-8, and joining the halves gives the code point again. Which of the two
//! a string is is known from its shape: all valid strings have [`STR`](crate::value::shapes::STR), and no others.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use memchr::{memchr, memmem, memrchr};

use crate::cx::Cx;
use crate::failure::{Res, fail};
use crate::limits::TEXT_MAX;
use crate::value::{Value, ValueExt};

/// The bytes as text, each that is not part of a code point as U+FFFD.
pub fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(bytes.len() + 8);
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| '\u{fffd}'));
    }
    Cow::Owned(text)
}

/// The code points, with where each begins. A byte that is not part of one counts as U+FFFD.
pub fn points(bytes: &[u8]) -> Vec<(usize, char)> {
    let mut points = Vec::with_capacity(bytes.len());
    let mut at = 0;
    for chunk in bytes.utf8_chunks() {
        points.extend(chunk.valid().char_indices().map(|(index, c)| (at + index, c)));
        at += chunk.valid().len();
        points.extend((at..at + chunk.invalid().len()).map(|index| (index, '\u{fffd}')));
        at += chunk.invalid().len();
    }
    points
}

/// Are these the same bytes? The strings of one program often begin alike, so their ends are compared first.
#[inline(always)]
pub fn same(a: &[u8], b: &[u8]) -> bool {
    /// Are the first `N` bytes of the two the same, and the last?
    macro_rules! same_ends {
        ($n:literal) => {
            a.last_chunk::<$n>() == b.last_chunk::<$n>() && a.first_chunk::<$n>() == b.first_chunk::<$n>()
        };
    }
    a.len() == b.len()
        && match a.len() {
            0 => true,
            1..4 => {
                let (middle, last) = (a.len() / 2, a.len() - 1);
                a[0] == b[0] && a[middle] == b[middle] && a[last] == b[last]
            }
            4..8 => same_ends!(4),
            8..=16 => same_ends!(8),
            _ => same_ends!(8) && a == b,
        }
}

/// Where bytes are first in others. Most of what is looked for is one character: there is nothing to prepare for that.
#[inline]
pub fn find(within: &[u8], wanted: &[u8]) -> Option<usize> {
    match *wanted {
        [byte] => memchr(byte, within),
        _ => memmem::find(within, wanted),
    }
}

/// Where they are last.
#[inline]
pub fn rfind(within: &[u8], wanted: &[u8]) -> Option<usize> {
    match *wanted {
        [byte] => memrchr(byte, within),
        _ => memmem::rfind(within, wanted),
    }
}

/// The text of any string, as [`lossy`].
pub fn lossy_of(value: Value<'_>) -> Cow<'_, str> {
    match value.as_str() {
        Some(text) => Cow::Borrowed(text),
        None => lossy(value.as_text().unwrap_or_default()),
    }
}

// ---------------------------------------------------------------------------------------------- in the making

/// A string in the making: text, until something else is appended.
#[derive(Debug, Default)]
pub struct Text {
    text: String,
    /// What there is altogether, once it may not be valid.
    bytes: Option<Vec<u8>>,
    /// Something was left out, because it would have been too long.
    full: bool,
}

impl Text {
    /// Appends text.
    #[inline]
    pub fn push_str(&mut self, text: &str) {
        if !self.has_room(text.len()) {
            return;
        }
        match &mut self.bytes {
            None => self.text.push_str(text),
            Some(bytes) => bytes.extend_from_slice(text.as_bytes()),
        }
    }

    /// Appends a code point.
    #[inline]
    pub fn push(&mut self, c: char) {
        self.push_str(c.encode_utf8(&mut [0; 4]));
    }

    /// Appends bytes that may not be valid.
    pub fn push_bytes(&mut self, more: &[u8]) {
        if !self.has_room(more.len()) {
            return;
        }
        let text = &mut self.text;
        let bytes = self.bytes.get_or_insert_with(|| std::mem::take(text).into_bytes());
        bytes.extend_from_slice(more);
    }

    /// Is there room for so many bytes more?
    #[inline]
    fn has_room(&mut self, more: usize) -> bool {
        self.full |= self.len() + more > TEXT_MAX;
        !self.full
    }

    /// Was something left out, because the text would have been too long?
    pub fn is_full(&self) -> bool {
        self.full
    }

    /// Nothing more is appended.
    pub(crate) fn cut(&mut self) {
        self.full = true;
    }

    /// Appends a part of a string.
    #[inline]
    pub fn push_slice(&mut self, string: Value<'_>, range: Range<usize>) {
        if range.is_empty() {
            return;
        }
        match string.as_str().and_then(|text| text.get(range.clone())) {
            Some(part) => self.push_str(part),
            None => self.push_bytes(&string.as_text().unwrap_or_default()[range]),
        }
    }

    /// Appends a string.
    #[inline]
    pub fn push_value(&mut self, string: Value<'_>) {
        match string.as_str() {
            Some(text) => self.push_str(text),
            None => self.push_bytes(string.as_text().unwrap_or_default()),
        }
    }

    /// The string.
    ///
    /// # Errors
    /// It is too long, or memory ran out.
    pub fn value<'s>(&self, cx: Cx<'s>) -> Res<Value<'s>> {
        if self.full {
            // If it was cut, that was because of the program's limits.
            cx.host.meter.step()?;
            check_length(usize::MAX)?;
        }
        match &self.bytes {
            None => cx.str(&self.text),
            Some(bytes) => cx.text(bytes),
        }
    }

    /// How many bytes there are.
    pub fn len(&self) -> usize {
        self.bytes.as_ref().map_or(self.text.len(), Vec::len)
    }

    /// Is there nothing yet?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets everything but the memory.
    pub fn clear(&mut self) {
        self.text.clear();
        self.bytes = None;
        self.full = false;
    }

    /// How much it can hold without taking more memory.
    pub fn capacity(&self) -> usize {
        self.text.capacity()
    }

    /// The text, as [`lossy`].
    pub fn into_string(self) -> String {
        match self.bytes {
            None => self.text,
            Some(bytes) => lossy(&bytes).into_owned(),
        }
    }
}

impl fmt::Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push_str(text);
        Ok(())
    }
}

// ---------------------------------------------------------------------------------------------- operations

/// A part of a string.
///
/// # Errors
/// Memory ran out.
#[inline]
pub fn slice<'s>(cx: Cx<'s>, string: Value<'s>, range: Range<usize>) -> Res<Value<'s>> {
    match string.as_str().and_then(|text| text.get(range.clone())) {
        Some("") => Ok(cx.empty_str()),
        // Often there is nothing to be taken away.
        Some(part) if string.as_str().is_some_and(|text| text.len() == part.len()) => Ok(string),
        Some(part) => cx.str(part),
        None => cx.text(string.as_text().and_then(|bytes| bytes.get(range)).unwrap_or_default()),
    }
}

/// `a + b`
///
/// # Errors
/// Memory ran out.
#[inline]
pub fn concat<'s>(cx: Cx<'s>, a: Value<'s>, b: Value<'s>) -> Res<Value<'s>> {
    match (a.as_str(), b.as_str()) {
        (Some(a), Some(b)) => cx.str_with(a.len() + b.len(), |room| {
            room.push(a);
            room.push(b);
        }),
        _ => cx.text(&[a.as_text().unwrap_or_default(), b.as_text().unwrap_or_default()].concat()),
    }
}

/// `string * count`
///
/// # Errors
/// The result would be too long, or memory ran out.
pub fn repeat<'s>(cx: Cx<'s>, string: Value<'s>, count: usize) -> Res<Value<'s>> {
    check_repeat(string.as_text().map_or(0, <[u8]>::len), count)?;
    match string.as_str() {
        Some(text) if text.len() * count == 0 => Ok(cx.empty_str()),
        Some(text) => cx.str(&text.repeat(count)),
        None => cx.text(&string.as_text().unwrap_or_default().repeat(count)),
    }
}

/// Refuses texts that are too long to be put together.
///
/// # Errors
/// This one is.
pub fn check_length(bytes: usize) -> Res<()> {
    if bytes > TEXT_MAX {
        fail!("the text is longer than {TEXT_MAX} bytes");
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    quickcheck::quickcheck! {
        fn the_same_bytes_are_those_that_are_equal(bytes: Vec<u8>, others: Vec<u8>, at: usize) -> bool {
            let mut changed = bytes.clone();
            if let Some(byte) = changed.get_mut(at % bytes.len().max(1)) {
                *byte ^= 1;
            }
            same(&bytes, &bytes.clone())
                && same(&bytes, &others) == (bytes == others)
                && same(&bytes, &changed) == bytes.is_empty()
        }
    }

    #[test]
    fn what_is_no_text_shows_as_replacement_characters() {
        assert_eq!(lossy("hé".as_bytes()), "hé");
        assert_eq!(lossy(&"世界".as_bytes()[..5]), "世\u{fffd}\u{fffd}");
        assert_eq!(lossy(b"\xed\xb0\x80"), "\u{fffd}\u{fffd}\u{fffd}");
    }
}
