//! The methods of strings and bytes: the tables, and those about single characters. The others are in
//! `string_parts`.

use std::borrow::Cow;

use crate::cx::Cx;
use crate::data::elems::{self, Elems};
use crate::data::text;
use crate::failure::Res;
use crate::host::Args;
use crate::value::{Value, boolean};

use super::letters::{is_digit, is_letter, is_titlecase, title_digraph};
use super::methods::Method;
use super::string_parts::{
    count, endswith, find, format, index, join, lstrip, partition, removeprefix, removesuffix, replace,
    rfind, rindex, rpartition, rsplit, rstrip, split, splitlines, startswith, strip,
};

/// The methods of strings.
pub const METHODS: &[Method] = &[
    Method { name: "capitalize", call: capitalize },
    Method { name: "codepoint_ords", call: codepoint_ords },
    Method { name: "codepoints", call: codepoints },
    Method { name: "count", call: count },
    Method { name: "elem_ords", call: elem_ords },
    Method { name: "elems", call: elems },
    Method { name: "endswith", call: endswith },
    Method { name: "find", call: find },
    Method { name: "format", call: format },
    Method { name: "index", call: index },
    Method { name: "isalnum", call: isalnum },
    Method { name: "isalpha", call: isalpha },
    Method { name: "isdigit", call: isdigit },
    Method { name: "islower", call: islower },
    Method { name: "isspace", call: isspace },
    Method { name: "istitle", call: istitle },
    Method { name: "isupper", call: isupper },
    Method { name: "join", call: join },
    Method { name: "lower", call: lower },
    Method { name: "lstrip", call: lstrip },
    Method { name: "partition", call: partition },
    Method { name: "removeprefix", call: removeprefix },
    Method { name: "removesuffix", call: removesuffix },
    Method { name: "replace", call: replace },
    Method { name: "rfind", call: rfind },
    Method { name: "rindex", call: rindex },
    Method { name: "rpartition", call: rpartition },
    Method { name: "rsplit", call: rsplit },
    Method { name: "rstrip", call: rstrip },
    Method { name: "split", call: split },
    Method { name: "splitlines", call: splitlines },
    Method { name: "startswith", call: startswith },
    Method { name: "strip", call: strip },
    Method { name: "title", call: title },
    Method { name: "upper", call: upper },
];

/// The methods of bytes.
pub const BYTES_METHODS: &[Method] = &[Method { name: "elems", call: bytes_elems }];

/// The receiver as text.
fn this<'s>(args: &Args<'_, 's>) -> Cow<'s, str> {
    text::lossy_of(args.this)
}

// ---------------------------------------------------------------------------------------------- case

fn capitalize<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let [] = args.exactly()?;
    let text = this(args);
    let mut chars = text.chars();
    let mut out = String::with_capacity(text.len());
    if let Some(first) = chars.next() {
        push_title(&mut out, first);
    }
    out.push_str(&chars.as_str().to_lowercase());
    cx.str(&out)
}

fn lower<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let [] = args.exactly()?;
    let text = this(args);
    cx.str(&if text.is_ascii() { text.to_ascii_lowercase() } else { text.to_lowercase() })
}

fn upper<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let [] = args.exactly()?;
    let text = this(args);
    cx.str(&if text.is_ascii() { text.to_ascii_uppercase() } else { text.to_uppercase() })
}

fn title<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let [] = args.exactly()?;
    let mut out = String::with_capacity(this(args).len());
    let mut inside = false;
    for c in this(args).chars() {
        if inside {
            out.extend(c.to_lowercase());
        } else {
            push_title(&mut out, c);
        }
        inside = c.is_uppercase() || c.is_lowercase() || is_titlecase(c);
    }
    cx.str(&out)
}

/// Appends a character as it begins a word.
fn push_title(out: &mut String, c: char) {
    match title_digraph(c) {
        Some(title) => out.push(title),
        None => out.extend(c.to_uppercase()),
    }
}

// ---------------------------------------------------------------------------------------------- tests

/// Is there something, and does `test` hold for all of it?
fn each(args: &Args<'_, '_>, test: impl Fn(char) -> bool) -> Res<bool> {
    args.positional(0, 0)?;
    let text = this(args);
    Ok(!text.is_empty() && text.chars().all(test))
}

fn isalnum<'s>(_: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    Ok(boolean(each(args, |c| is_letter(c) || is_digit(c))?))
}

fn isalpha<'s>(_: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    Ok(boolean(each(args, is_letter)?))
}

fn isdigit<'s>(_: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    Ok(boolean(each(args, is_digit)?))
}

fn isspace<'s>(_: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    Ok(boolean(each(args, char::is_whitespace)?))
}

fn islower<'s>(_: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let [] = args.exactly()?;
    let text = this(args);
    Ok(boolean(
        text.chars().any(char::is_lowercase) && !text.chars().any(|c| c.is_uppercase() || is_titlecase(c)),
    ))
}

fn isupper<'s>(_: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let [] = args.exactly()?;
    let text = this(args);
    Ok(boolean(
        text.chars().any(char::is_uppercase) && !text.chars().any(|c| c.is_lowercase() || is_titlecase(c)),
    ))
}

fn istitle<'s>(_: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let [] = args.exactly()?;
    let (mut inside, mut some) = (false, false);
    for c in this(args).chars() {
        let begins_word = is_titlecase(c) || c.is_uppercase() && title_digraph(c).is_none();
        let continues_word = c.is_lowercase();
        if begins_word && inside || continues_word && !inside || c.is_uppercase() && !begins_word {
            return Ok(boolean(false));
        }
        inside = begins_word || continues_word;
        some |= inside;
    }
    Ok(boolean(some))
}

// ---------------------------------------------------------------------------------------------- elements

fn elems<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let [] = args.exactly()?;
    elems::make(cx, args.this, Elems::Strings)
}

fn elem_ords<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let [] = args.exactly()?;
    elems::make(cx, args.this, Elems::Ords)
}

fn codepoints<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let [] = args.exactly()?;
    elems::make(cx, args.this, Elems::Codepoints)
}

fn codepoint_ords<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let [] = args.exactly()?;
    elems::make(cx, args.this, Elems::CodepointOrds)
}

fn bytes_elems<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let [] = args.exactly()?;
    elems::make(cx, args.this, Elems::Bytes)
}
