//! The constructors of types: `bool`, `int`, `str`, `list` and so on.

use num_bigint::BigInt;

use crate::advice;
use crate::cx::Cx;
use crate::data::{int, iter, list, table, text};
use crate::failure::{Failure, Res, fail};
use crate::host::{Args, PlainFn};
use crate::ops::{self, repr};
use crate::value::{Kind, Object, Value, ValueExt, boolean, none, shapes, small_int};

/// Name and function.
pub const ALL: &[(&str, PlainFn)] = &[
    ("bool", bool_),
    ("bytes", bytes),
    ("chr", chr),
    ("dict", dict),
    ("float", float),
    ("int", int_),
    ("list", list_),
    ("ord", ord),
    ("set", set),
    ("str", str_),
    ("tuple", tuple),
];

/// The one optional positional argument.
fn optional<'s>(args: &Args<'_, 's>) -> Res<Option<Value<'s>>> {
    args.positional(0, 1)?;
    Ok(args.at(0))
}

fn bool_<'s>(_: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    Ok(boolean(optional(args)?.is_some_and(ops::truth)))
}

fn bytes<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let value = args.only("bytes")?;
    match (value.kind(), value.object()) {
        (Kind::Bytes, _) => return Ok(value),
        (Kind::Str, Some(object)) => return ops::bytes(cx, text::lossy(object.bytes()).as_bytes()),
        _ => {}
    }
    let Some(mut iter) = iter::iterate(cx, value)? else {
        fail!("got {}, want string, bytes, or iterable of ints", value.type_name());
    };
    let mut content = Vec::new();
    while let Some(item) = iter.step()? {
        match (item.kind(), item.as_small().map(u8::try_from)) {
            (_, Some(Ok(byte))) => content.push(byte),
            (Kind::Int | Kind::BigInt, _) => {
                fail!(
                    "at index {}, {} out of range (want value in unsigned 8-bit range)",
                    content.len(),
                    int::text(item)
                )
            }
            _ => fail!("at index {}, got {}, want int", content.len(), item.type_name()),
        }
    }
    ops::bytes(cx, &content)
}

fn chr<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    args.unnamed("chr")?;
    let [code] = args.exactly()?;
    let Some(code) = int::to_big(code) else { fail!("got {}, want int", code.type_name()) };
    if code < BigInt::ZERO {
        fail!("Unicode code point {code} out of range (<0)");
    }
    match u32::try_from(&code) {
        Ok(code) if code <= 0x10_ffff => {
            cx.str(char::from_u32(code).unwrap_or('\u{fffd}').encode_utf8(&mut [0; 4]))
        }
        _ => fail!("Unicode code point U+{code:X} out of range (>0x10FFFF)"),
    }
}

fn ord<'s>(_: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    args.unnamed("ord")?;
    let [value] = args.exactly()?;
    // Text of one byte is a character of ASCII.
    if let Some(&[byte]) = value.as_str().map(str::as_bytes) {
        return Ok(small_int(i64::from(byte)));
    }
    if let Some(object) = value.as_kind(Kind::Bytes) {
        return match object.bytes() {
            [byte] => Ok(small_int(i64::from(*byte))),
            bytes => fail!("bytes has length {}, want 1", bytes.len()),
        };
    }
    if value.kind() != Kind::Str {
        fail!("got {}, want string or bytes", value.type_name());
    }
    let text = text::lossy_of(value);
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(c), None) => Ok(small_int(i64::from(u32::from(c)))),
        _ => fail!("string encodes {} Unicode code points, want 1", text.chars().count()),
    }
}

fn str_<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let value = args.only("str")?;
    match (value.as_small(), value.kind()) {
        (Some(i), _) => cx.str(itoa::Buffer::new().format(i)),
        (_, Kind::Str) => Ok(value),
        _ => cx.build(|out| {
            repr::write_str(cx, out, value);
            Ok(())
        }),
    }
}

fn list_<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    match optional(args)? {
        Some(iterable) => list::of(cx, &iter::collect(cx, iterable, "1")?),
        None => list::of(cx, &[]),
    }
}

fn tuple<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    match optional(args)? {
        Some(tuple) if tuple.kind() == Kind::Tuple => Ok(tuple),
        Some(iterable) => cx.tuple(&iter::collect(cx, iterable, "1")?),
        None => Ok(cx.empty_tuple()),
    }
}

fn set<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let set = match optional(args)? {
        None => table::with_capacity(cx, &shapes::SET, 0)?,
        Some(other) => match other.as_kind(Kind::Set) {
            Some(other) => table::copy(cx, other, &shapes::SET)?,
            None => {
                let items = iter::collect(cx, other, "1")?;
                let set = table::with_capacity(cx, &shapes::SET, 0)?;
                for item in items {
                    table::insert(cx, set, item, none())?;
                }
                set
            }
        },
    };
    Ok(set.into())
}

fn dict<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    if args.positional.len() > 1 {
        fail!("got {} arguments, want at most 1", args.positional.len());
    }
    let dict = match args.at(0).and_then(|other| other.as_kind(Kind::Dict)) {
        Some(other) => table::copy(cx, other, &shapes::DICT)?,
        None => {
            let dict = table::with_capacity(cx, &shapes::DICT, 0)?;
            if let Some(pairs) = args.at(0) {
                update_from_pairs(cx, dict, pairs)?;
            }
            dict
        }
    };
    update_from_named(cx, dict, args.named)?;
    Ok(dict.into())
}

/// Inserts named arguments; a name given twice is an error.
pub(super) fn update_from_named<'s>(
    cx: Cx<'s>,
    dict: Object<'s>,
    named: &[(Value<'s>, Value<'s>)],
) -> Res<()> {
    for (index, &(name, value)) in named.iter().enumerate() {
        if named[..index].iter().any(|(earlier, _)| earlier.as_text() == name.as_text()) {
            fail!("duplicate keyword arg: {}", repr::repr(cx, name));
        }
        table::insert(cx, dict, name, value)?;
    }
    Ok(())
}

/// Inserts pairs from an iterable.
pub(super) fn update_from_pairs<'s>(cx: Cx<'s>, dict: Object<'s>, pairs: Value<'s>) -> Res<()> {
    let Some(iter) = iter::iterate(cx, pairs)? else { fail!("got {}, want iterable", pairs.type_name()) };
    for (index, pair) in iter.collect()?.into_iter().enumerate() {
        let Some(parts) = iter::iterate(cx, pair)? else {
            fail!("dictionary update sequence element #{index} is not iterable ({})", pair.type_name());
        };
        // Most pairs are tuples.
        if let Some(pair) = pair.as_kind(Kind::Tuple).filter(|pair| pair.reference_count() == 2) {
            table::insert(cx, dict, pair.get(0), pair.get(1))?;
            continue;
        }
        match parts.collect()?[..] {
            [key, value] => table::insert(cx, dict, key, value)?,
            ref parts => {
                fail!("dictionary update sequence element #{index} has length {}, want 2", parts.len())
            }
        };
    }
    Ok(())
}

fn float<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    args.unnamed("float")?;
    let value = match args.positional {
        [] => return int::make_float(cx, 0.0),
        [value] => value.get(),
        given => fail!("float got {} arguments, wants 1", given.len()),
    };
    match value.kind() {
        Kind::Float => Ok(value),
        Kind::Bool => int::make_float(cx, f64::from(u8::from(value.as_bool() == Some(true)))),
        Kind::Int | Kind::BigInt => int::make_float(cx, int::to_finite_float(value)?),
        Kind::Str => int::make_float(cx, parse_float(&text::lossy_of(value))?),
        _ => fail!("float got {}, want number or string", value.type_name()),
    }
}

fn parse_float(text: &str) -> Res<f64> {
    if text.is_empty() {
        fail!("empty string");
    }
    match text.parse() {
        Ok(f) if f64::is_finite(f) => Ok(f),
        // Rust's parser knows the same words for what is not finite, but a number that is too large is an error.
        Ok(f) if !text.contains(|c: char| c.is_ascii_digit()) => Ok(f),
        Ok(_) => fail!("floating-point number too large"),
        Err(_) => fail!("invalid float literal: {text}"),
    }
}

fn int_<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let [value, base] = args.bind(["x", "base?"])?;
    let value = value.unwrap_or(none());
    if value.kind() != Kind::Str {
        if base.is_some() {
            fail!("can't convert non-string with explicit base");
        }
        return match value.kind() {
            Kind::Int | Kind::BigInt => Ok(value),
            Kind::Bool => Ok(small_int(i64::from(value.as_bool() == Some(true)))),
            _ => int::make_big(cx, &int::truncated(value)?),
        };
    }
    let text = &text::lossy_of(value);
    let base = match base {
        None => 10,
        Some(base) => match (base.kind(), base.as_small()) {
            (_, Some(base)) if base == 0 || (2..=36).contains(&base) => base as u32,
            (Kind::Int | Kind::BigInt, _) => fail!("base must be an integer >= 2 && <= 36"),
            _ => fail!("for base, got {}, want int", base.type_name()),
        },
    };
    match parse_int(text, base) {
        Some(i) => int::make_big(cx, &i),
        None => {
            let message = format!("invalid literal with base {base}: {text}");
            let has_fraction = base == 10 && text.trim().parse::<f64>().is_ok_and(f64::is_finite);
            Err(Failure::new(message).help_if(has_fraction.then_some(advice::FRACTION)))
        }
    }
}

/// An int in a base; base 0 is told by the prefix.
fn parse_int(text: &str, base: u32) -> Option<BigInt> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let prefixed = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => Some(16),
        [b'0', b'o' | b'O', ..] => Some(8),
        [b'0', b'b' | b'B', ..] => Some(2),
        _ => None,
    };
    let (base, digits) = match (base, prefixed) {
        (0, Some(base)) => (base, &digits[2..]),
        (0, None) if digits.starts_with('0') && digits.bytes().any(|digit| digit != b'0') => return None,
        (0, None) => (10, digits),
        (base, Some(prefixed)) if base == prefixed => (base, &digits[2..]),
        (base, _) => (base, digits),
    };
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_alphanumeric()) {
        return None;
    }
    let magnitude = int::parse(digits, base)?;
    Some(if negative { -magnitude } else { magnitude })
}

/// An argument that must be a string.
#[inline]
pub(super) fn string<'s>(value: Value<'s>, parameter: &str) -> Res<&'s [u8]> {
    match value.as_text() {
        Some(text) => Ok(text),
        None => fail!("for parameter {parameter}: got {}, want string", value.type_name()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ints_are_parsed_as_the_language_says() {
        let parse = |text, base| parse_int(text, base).and_then(|i| i64::try_from(i).ok());
        assert_eq!(parse("-0x12", 16), Some(-18));
        assert_eq!(parse("0x12", 0), Some(18));
        assert_eq!(parse("0x12", 10), None);
        assert_eq!(parse("012", 0), None);
        assert_eq!(parse("000", 0), Some(0));
        assert_eq!(parse("--4", 10), None);
        assert_eq!(parse("zz", 36), Some(1295));
        assert_eq!(parse("", 10), None);
    }
}
