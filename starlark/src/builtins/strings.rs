//! The methods of strings and bytes.

use crate::cx::Cx;
use crate::data::text::{self, Elems};
use crate::data::{iter, list};
use crate::failure::{Res, fail};
use crate::host::Args;
use crate::ops::format;
use crate::value::{Kind, Value, ValueExt, boolean, length, small_int};

use super::collections::span;
use super::convert::string;
use super::methods::Method;

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
    Method { name: "format", call: format_ },
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

/// The receiver.
fn this<'s>(args: &Args<'_, 's>) -> &'s str {
    args.this.as_str().unwrap_or("")
}

// ---------------------------------------------------------------------------------------------- case

fn capitalize<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let [] = args.exactly()?;
    let mut chars = this(args).chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    cx.str_of(&[&first, &chars.as_str().to_lowercase()])
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
            out.extend(c.to_uppercase());
        }
        inside = c.is_alphabetic();
    }
    cx.str(&out)
}

// ---------------------------------------------------------------------------------------------- tests

/// Is there something, and does `test` hold for all of it?
fn each(args: &Args<'_, '_>, test: impl Fn(char) -> bool) -> Res<bool> {
    args.positional(0, 0)?;
    Ok(!this(args).is_empty() && this(args).chars().all(test))
}

fn isalnum<'s>(_: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    Ok(boolean(each(args, |c| c.is_alphabetic() || c.is_numeric())?))
}

fn isalpha<'s>(_: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    Ok(boolean(each(args, char::is_alphabetic)?))
}

fn isdigit<'s>(_: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    Ok(boolean(each(args, char::is_numeric)?))
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
        if c.is_uppercase() || is_titlecase(c) {
            if inside {
                return Ok(boolean(false));
            }
            inside = true;
            some = true;
        } else if c.is_lowercase() {
            if !inside {
                return Ok(boolean(false));
            }
            some = true;
        } else {
            inside = false;
        }
    }
    Ok(boolean(some))
}

/// The few letters that are pairs, the first of them a capital.
fn is_titlecase(c: char) -> bool {
    matches!(c, '\u{1c5}' | '\u{1c8}' | '\u{1cb}' | '\u{1f2}')
        || matches!(u32::from(c), 0x1f88..=0x1f8f | 0x1f98..=0x1f9f | 0x1fa8..=0x1faf | 0x1fbc | 0x1fcc | 0x1ffc)
}

fn endswith<'s>(_: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    has_affix(args, |text, affix| text.ends_with(affix))
}

fn startswith<'s>(_: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    has_affix(args, |text, affix| text.starts_with(affix))
}

/// Does `test` hold for the string and the argument, or one of a tuple of them?
fn has_affix<'s>(args: &Args<'_, 's>, test: impl Fn(&[u8], &[u8]) -> bool) -> Res<Value<'s>> {
    args.positional(1, 3)?;
    let (start, end) = span(args, 1, this(args).len())?;
    let text = &this(args).as_bytes()[start..end];
    let affix = args.positional[0].get();
    if let Some(affix) = affix.as_str() {
        return Ok(boolean(test(text, affix.as_bytes())));
    }
    let Some(tuple) = affix.as_kind(Kind::Tuple) else {
        fail!("got {}, want string or tuple of string", affix.type_name());
    };
    for (index, affix) in tuple.references().iter().enumerate() {
        match affix.as_str() {
            Some(affix) if test(text, affix.as_bytes()) => return Ok(boolean(true)),
            Some(_) => {}
            None => fail!("want string, got {}, for element {index}", affix.type_name()),
        }
    }
    Ok(boolean(false))
}

// ---------------------------------------------------------------------------------------------- search

/// What is searched for, and the offset of the part that is searched.
fn search<'s>(args: &Args<'_, 's>) -> Res<(&'s str, usize, &'s [u8])> {
    args.positional(1, 3)?;
    let wanted = string(args.positional[0].get(), "sub")?;
    let (start, end) = span(args, 1, this(args).len())?;
    Ok((wanted, start, &this(args).as_bytes()[start..end]))
}

/// The text of a part, if it does not cut through a code point.
fn part(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

fn position(args: &Args<'_, '_>, last: bool) -> Res<Option<usize>> {
    let (wanted, start, within) = search(args)?;
    let found = match part(within) {
        Some(text) if last => text.rfind(wanted),
        Some(text) => text.find(wanted),
        None if wanted.is_empty() => Some(if last { within.len() } else { 0 }),
        None => {
            let mut windows = within.windows(wanted.len());
            if last {
                windows.rposition(|window| window == wanted.as_bytes())
            } else {
                windows.position(|window| window == wanted.as_bytes())
            }
        }
    };
    Ok(found.map(|at| start + at))
}

fn find<'s>(_: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    Ok(position(args, false)?.map_or(small_int(-1), length))
}

fn rfind<'s>(_: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    Ok(position(args, true)?.map_or(small_int(-1), length))
}

fn index<'s>(_: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    match position(args, false)? {
        Some(at) => Ok(length(at)),
        None => fail!("substring not found"),
    }
}

fn rindex<'s>(_: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    match position(args, true)? {
        Some(at) => Ok(length(at)),
        None => fail!("substring not found"),
    }
}

fn count<'s>(_: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let (wanted, _, within) = search(args)?;
    let text = String::from_utf8_lossy(within);
    Ok(length(if wanted.is_empty() { text.chars().count() + 1 } else { text.matches(wanted).count() }))
}

// ---------------------------------------------------------------------------------------------- parts

fn partition<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    partition_at(cx, args, false)
}

fn rpartition<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    partition_at(cx, args, true)
}

fn partition_at<'s>(cx: Cx<'s>, args: &Args<'_, 's>, last: bool) -> Res<Value<'s>> {
    let [separator] = args.exactly()?;
    let wanted = string(separator, "sep")?;
    if wanted.is_empty() {
        fail!("empty separator");
    }
    let text = this(args);
    let empty = cx.empty_str();
    let parts = match if last { text.rsplit_once(wanted) } else { text.split_once(wanted) } {
        Some((before, behind)) => [cx.str(before)?, separator, cx.str(behind)?],
        None if last => [empty, empty, args.this],
        None => [args.this, empty, empty],
    };
    cx.tuple(&parts)
}

fn removeprefix<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let [prefix] = args.exactly()?;
    match this(args).strip_prefix(string(prefix, "prefix")?) {
        Some(rest) => cx.str(rest),
        None => Ok(args.this),
    }
}

fn removesuffix<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let [suffix] = args.exactly()?;
    match this(args).strip_suffix(string(suffix, "suffix")?) {
        Some(rest) => cx.str(rest),
        None => Ok(args.this),
    }
}

/// The characters to be stripped, `None` for white space.
fn cutset<'s>(args: &Args<'_, 's>) -> Res<Option<&'s str>> {
    args.positional(0, 1)?;
    match args.at(0) {
        None => Ok(None),
        Some(chars) if chars.is_none() => Ok(None),
        // No characters at all mean white space, too.
        Some(chars) => Ok(Some(string(chars, "chars")?).filter(|chars| !chars.is_empty())),
    }
}

fn strip<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let text = this(args);
    cx.str(match cutset(args)? {
        None => text.trim(),
        Some(chars) => text.trim_matches(|c| chars.contains(c)),
    })
}

fn lstrip<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let text = this(args);
    cx.str(match cutset(args)? {
        None => text.trim_start(),
        Some(chars) => text.trim_start_matches(|c| chars.contains(c)),
    })
}

fn rstrip<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let text = this(args);
    cx.str(match cutset(args)? {
        None => text.trim_end(),
        Some(chars) => text.trim_end_matches(|c| chars.contains(c)),
    })
}

/// Separator (`None` for white space) and the most splits.
fn split_arguments<'s>(args: &Args<'_, 's>) -> Res<(Option<&'s str>, usize)> {
    let [separator, max] = args.bind(["sep?", "maxsplit?"])?;
    let max = match max {
        None => usize::MAX,
        Some(max) => match max.as_small() {
            Some(max) => usize::try_from(max).unwrap_or(usize::MAX),
            None => fail!("for parameter maxsplit: got {}, want int", max.type_name()),
        },
    };
    match separator.filter(|separator| !separator.is_none()) {
        None => Ok((None, max)),
        Some(separator) => match string(separator, "sep")? {
            "" => fail!("empty separator"),
            separator => Ok((Some(separator), max)),
        },
    }
}

/// A list of strings.
fn strings<'s, 't>(cx: Cx<'s>, parts: impl Iterator<Item = &'t str>) -> Res<Value<'s>> {
    let values: Res<Vec<Value<'s>>> = parts.map(|part| cx.str(part)).collect();
    list::of(cx, &values?)
}

fn split<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let text = this(args);
    match split_arguments(args)? {
        (Some(separator), usize::MAX) => match separator.as_bytes() {
            // Much faster than a search for a string.
            [byte] => strings(cx, text.split(char::from(*byte))),
            _ => strings(cx, text.split(separator)),
        },
        (Some(separator), max) => strings(cx, text.splitn(max + 1, separator)),
        (None, usize::MAX) => strings(cx, text.split_whitespace()),
        (None, max) => {
            let mut parts = Vec::new();
            let mut rest = text.trim_start();
            while !rest.is_empty() && parts.len() < max {
                let (part, behind) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
                parts.push(part);
                rest = behind.trim_start();
            }
            if !rest.is_empty() {
                parts.push(rest);
            }
            strings(cx, parts.into_iter())
        }
    }
}

fn rsplit<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let text = this(args);
    let mut parts: Vec<&str> = match split_arguments(args)? {
        (Some(separator), usize::MAX) => text.rsplit(separator).collect(),
        (Some(separator), max) => text.rsplitn(max + 1, separator).collect(),
        (None, max) => {
            let mut parts = Vec::new();
            let mut rest = text.trim_end();
            while !rest.is_empty() && parts.len() < max {
                let (before, part) = rest.rsplit_once(char::is_whitespace).unwrap_or(("", rest));
                parts.push(part);
                rest = before.trim_end();
            }
            if !rest.is_empty() {
                parts.push(rest);
            }
            parts
        }
    };
    parts.reverse();
    strings(cx, parts.into_iter())
}

fn splitlines<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let [keep] = args.bind(["keepends?"])?;
    let keep = match keep.map(|keep| (keep, keep.as_bool())) {
        None => false,
        Some((_, Some(keep))) => keep,
        Some((keep, None)) => fail!("for parameter keepends: got {}, want bool", keep.type_name()),
    };
    let mut lines = Vec::new();
    let mut rest = this(args);
    while let Some(at) = rest.find(['\n', '\r']) {
        let end = at + if rest[at..].starts_with("\r\n") { 2 } else { 1 };
        lines.push(&rest[..if keep { end } else { at }]);
        rest = &rest[end..];
    }
    if !rest.is_empty() {
        lines.push(rest);
    }
    strings(cx, lines.into_iter())
}

// ---------------------------------------------------------------------------------------------- composition

fn format_<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    format::format(cx, this(args), args)
}

fn join<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let [iterable] = args.exactly()?;
    let separator = this(args);
    let Some(mut iter) = iter::iterate(cx, iterable) else {
        fail!("for parameter iterable: got {}, want iterable", iterable.type_name());
    };
    let mut parts = Vec::with_capacity(2 * iter.size_hint());
    while let Some(item) = iter.step()? {
        let Some(text) = item.as_str() else {
            fail!("in {}, want string, got {}", iterable.type_name(), item.type_name());
        };
        if !parts.is_empty() {
            parts.push(separator);
        }
        parts.push(text);
    }
    match parts[..] {
        [] => Ok(cx.empty_str()),
        [only] => cx.str(only),
        _ => cx.str_of(&parts),
    }
}

fn replace<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    args.positional(2, 3)?;
    let old = string(args.positional[0].get(), "old")?;
    let new = string(args.positional[1].get(), "new")?;
    let count = match args.at(2).map(|count| (count, count.as_small())) {
        None => usize::MAX,
        Some((_, Some(count))) => usize::try_from(count).unwrap_or(usize::MAX),
        Some((count, None)) => fail!("for parameter count: got {}, want int", count.type_name()),
    };
    let text = this(args);
    if count == usize::MAX {
        cx.str(&text.replace(old, new))
    } else {
        cx.str(&text.replacen(old, new, count))
    }
}

// ---------------------------------------------------------------------------------------------- elements

fn elems<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let [] = args.exactly()?;
    text::elems(cx, args.this, Elems::Strings)
}

fn elem_ords<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let [] = args.exactly()?;
    text::elems(cx, args.this, Elems::Ords)
}

fn codepoints<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let [] = args.exactly()?;
    text::elems(cx, args.this, Elems::Codepoints)
}

fn codepoint_ords<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let [] = args.exactly()?;
    text::elems(cx, args.this, Elems::CodepointOrds)
}

fn bytes_elems<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let [] = args.exactly()?;
    text::elems(cx, args.this, Elems::Bytes)
}
