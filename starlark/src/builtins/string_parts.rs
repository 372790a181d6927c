//! The methods of strings that search, split, join and replace. They work on bytes, so that strings which are not
//! valid text are no special case; a part of a valid string is known to be valid without a look at its bytes.

use std::ops::Range;

use memchr::{memchr_iter, memmem, memrchr_iter};

use crate::advice;
use crate::cx::Cx;
use crate::data::text::{self, Text, check_length};
use crate::data::{iter, list};
use crate::failure::{Failure, Res, fail};
use crate::host::Args;
use crate::limits::TEXT_MAX;
use crate::ops;
use crate::value::{Kind, Value, ValueExt, boolean, length, small_int};

use super::collections::span;
use super::convert::string;
use super::functions::int_parameter;

/// The receiver's bytes.
fn this<'s>(args: &Args<'_, 's>) -> &'s [u8] {
    args.this.as_text().unwrap_or_default()
}

/// A list of `count` parts of a string.
fn slices<'s>(
    cx: Cx<'s>,
    of: Value<'s>,
    count: usize,
    ranges: impl Iterator<Item = Range<usize>>,
) -> Res<Value<'s>> {
    let whole = of.as_str();
    list::fill(cx, count, ranges, |range| match whole.and_then(|text| text.get(range.clone())) {
        Some(part) => cx.str(part),
        None => text::slice(cx, of, range),
    })
}

/// The same for ranges that are known.
fn slices_at<'s>(cx: Cx<'s>, of: Value<'s>, ranges: Vec<Range<usize>>) -> Res<Value<'s>> {
    slices(cx, of, ranges.len(), ranges.into_iter())
}

// ---------------------------------------------------------------------------------------------- search

pub(super) fn endswith<'s>(_: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    has_affix(args, |text, affix| text.ends_with(affix))
}

pub(super) fn startswith<'s>(_: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    has_affix(args, |text, affix| text.starts_with(affix))
}

/// Does `test` hold for the string and the argument, or one of a tuple of them?
fn has_affix<'s>(args: &Args<'_, 's>, test: impl Fn(&[u8], &[u8]) -> bool) -> Res<Value<'s>> {
    args.positional(1, 3)?;
    let (start, end) = span(args, 1, this(args).len())?;
    let within = &this(args)[start..end];
    let affix = args.positional[0].get();
    if let Some(affix) = affix.as_text() {
        return Ok(boolean(test(within, affix)));
    }
    let Some(tuple) = affix.as_kind(Kind::Tuple) else {
        fail!("got {}, want string or tuple of string", affix.type_name());
    };
    for (index, affix) in tuple.references().iter().enumerate() {
        match affix.as_text() {
            Some(affix) if test(within, affix) => return Ok(boolean(true)),
            Some(_) => {}
            None => fail!("want string, got {}, for element {index}", affix.type_name()),
        }
    }
    Ok(boolean(false))
}

/// What is searched for, and the offset of the part that is searched.
fn search<'s>(args: &Args<'_, 's>) -> Res<(&'s [u8], usize, &'s [u8])> {
    args.positional(1, 3)?;
    let wanted = string(args.positional[0].get(), "1")?;
    let (start, end) = span(args, 1, this(args).len())?;
    Ok((wanted, start, &this(args)[start..end]))
}

fn first(args: &Args<'_, '_>) -> Res<Option<usize>> {
    let (wanted, start, within) = search(args)?;
    Ok(text::find(within, wanted).map(|at| start + at))
}

fn last(args: &Args<'_, '_>) -> Res<Option<usize>> {
    let (wanted, start, within) = search(args)?;
    Ok(text::rfind(within, wanted).map(|at| start + at))
}

pub(super) fn find<'s>(_: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    Ok(first(args)?.map_or(small_int(-1), length))
}

pub(super) fn rfind<'s>(_: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    Ok(last(args)?.map_or(small_int(-1), length))
}

pub(super) fn index<'s>(_: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    match first(args)? {
        Some(at) => Ok(length(at)),
        None => fail!("substring not found"),
    }
}

pub(super) fn rindex<'s>(_: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    match last(args)? {
        Some(at) => Ok(length(at)),
        None => fail!("substring not found"),
    }
}

pub(super) fn count<'s>(_: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let (wanted, _, within) = search(args)?;
    // The empty string stands between any two characters.
    Ok(length(match wanted {
        [] => text::lossy(within).chars().count() + 1,
        [byte] => memchr_iter(*byte, within).count(),
        _ => memmem::find_iter(within, wanted).count(),
    }))
}

// ---------------------------------------------------------------------------------------------- parts

pub(super) fn partition<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let [separator] = args.exactly()?;
    let wanted = separator_of(separator)?;
    let found = text::find(this(args), wanted);
    partition_at(cx, args.this, separator, found, [args.this, cx.empty_str(), cx.empty_str()])
}

pub(super) fn rpartition<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let [separator] = args.exactly()?;
    let wanted = separator_of(separator)?;
    let found = text::rfind(this(args), wanted);
    partition_at(cx, args.this, separator, found, [cx.empty_str(), cx.empty_str(), args.this])
}

fn partition_at<'s>(
    cx: Cx<'s>,
    this: Value<'s>,
    separator: Value<'s>,
    found: Option<usize>,
    otherwise: [Value<'s>; 3],
) -> Res<Value<'s>> {
    let Some(at) = found else { return cx.tuple(&otherwise) };
    let len = |string: Value<'s>| string.as_text().map_or(0, <[u8]>::len);
    let before = text::slice(cx, this, 0..at)?;
    let behind = text::slice(cx, this, at + len(separator)..len(this))?;
    cx.tuple(&[before, separator, behind])
}

fn separator_of<'s>(separator: Value<'s>) -> Res<&'s [u8]> {
    match string(separator, "1")? {
        [] => fail!("empty separator"),
        separator => Ok(separator),
    }
}

pub(super) fn removeprefix<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let [prefix] = args.exactly()?;
    let (text, prefix) = (this(args), string(prefix, "1")?);
    if !text.starts_with(prefix) {
        return Ok(args.this);
    }
    text::slice(cx, args.this, prefix.len()..text.len())
}

pub(super) fn removesuffix<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let [suffix] = args.exactly()?;
    let (text, suffix) = (this(args), string(suffix, "1")?);
    if !text.ends_with(suffix) {
        return Ok(args.this);
    }
    text::slice(cx, args.this, 0..text.len() - suffix.len())
}

/// What is left of the receiver without the characters of the argument (or white space) at both ends.
fn stripped<'s>(args: &Args<'_, 's>) -> Res<Range<usize>> {
    args.positional(0, 1)?;
    // No characters at all mean white space, too.
    let cutset = match args.at(0).filter(|chars| !chars.is_none()) {
        Some(chars) => text::lossy(string(chars, "1")?),
        None => "".into(),
    };
    let is_cut = |c: char| if cutset.is_empty() { c.is_whitespace() } else { cutset.contains(c) };
    if let Some(text) = args.this.as_str() {
        let start = text.len() - text.trim_start_matches(is_cut).len();
        return Ok(start..text.trim_end_matches(is_cut).len().max(start));
    }
    let points = text::points(this(args));
    let is_kept = |&(_, c): &(usize, char)| !is_cut(c);
    match (points.iter().position(is_kept), points.iter().rposition(is_kept)) {
        (Some(first), Some(last)) => {
            Ok(points[first].0..points.get(last + 1).map_or(this(args).len(), |&(at, _)| at))
        }
        _ => Ok(0..0),
    }
}

pub(super) fn strip<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    text::slice(cx, args.this, stripped(args)?)
}

pub(super) fn lstrip<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let kept = stripped(args)?;
    text::slice(cx, args.this, if kept.is_empty() { 0..0 } else { kept.start..this(args).len() })
}

pub(super) fn rstrip<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let kept = stripped(args)?;
    text::slice(cx, args.this, if kept.is_empty() { 0..0 } else { 0..kept.end })
}

/// Separator (`None` for white space) and the most splits.
fn split_arguments<'s>(args: &Args<'_, 's>) -> Res<(Option<&'s [u8]>, usize)> {
    let [separator, max] = args.bind(["sep?", "maxsplit?"])?;
    let max = match max {
        None => usize::MAX,
        Some(max) => {
            usize::try_from(int_parameter(max, || args.label("maxsplit", "2"))?).unwrap_or(usize::MAX)
        }
    };
    match separator.filter(|separator| !separator.is_none()) {
        None => Ok((None, max)),
        Some(separator) if separator.kind() != Kind::Str => {
            fail!("got {} for separator, want string", separator.type_name())
        }
        Some(separator) => Ok((Some(separator_of(separator)?), max)),
    }
}

pub(super) fn split<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let bytes = this(args);
    match split_arguments(args)? {
        (Some([byte]), max) => {
            let found = memchr_iter(*byte, bytes);
            let count = found.clone().count().min(max) + 1;
            slices(cx, args.this, count, between(found.take(max), 1, bytes.len()))
        }
        (Some(separator), max) => {
            let found = memmem::find_iter(bytes, separator).take(max);
            slices_at(cx, args.this, between(found, separator.len(), bytes.len()).collect())
        }
        (None, max) => {
            let mut words = words(args.this);
            if words.len() > max {
                words.truncate(max + 1);
                words[max].end = bytes.len();
            }
            slices_at(cx, args.this, words)
        }
    }
}

pub(super) fn rsplit<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let bytes = this(args);
    match split_arguments(args)? {
        (Some(separator), max) => {
            let mut found: Vec<usize> = match separator {
                [byte] => memrchr_iter(*byte, bytes).take(max).collect(),
                _ => memmem::rfind_iter(bytes, separator).take(max).collect(),
            };
            found.reverse();
            slices_at(cx, args.this, between(found.into_iter(), separator.len(), bytes.len()).collect())
        }
        (None, max) => {
            let mut words = words(args.this);
            if words.len() > max {
                words.drain(..words.len() - max - 1);
                words[0].start = 0;
            }
            slices_at(cx, args.this, words)
        }
    }
}

/// The ranges between separators of a length that begin at these places.
fn between(
    separators: impl Iterator<Item = usize>,
    separator_len: usize,
    len: usize,
) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    separators.map(Some).chain([None]).map(move |separator| {
        let range = start..separator.unwrap_or(len);
        start = range.end + separator_len;
        range
    })
}

/// The parts of a string between white space.
fn words(string: Value<'_>) -> Vec<Range<usize>> {
    let Some(text) = string.as_str() else {
        let bytes = string.as_text().unwrap_or_default();
        return words_of(text::points(bytes).into_iter(), bytes.len());
    };
    words_of(text.char_indices(), text.len())
}

fn words_of(points: impl Iterator<Item = (usize, char)>, len: usize) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let mut start = None;
    for (at, c) in points {
        match (start, c.is_whitespace()) {
            (None, false) => start = Some(at),
            (Some(from), true) => {
                words.push(from..at);
                start = None;
            }
            _ => {}
        }
    }
    words.extend(start.map(|from| from..len));
    words
}

pub(super) fn splitlines<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let [keep] = args.bind(["keepends?"])?;
    let keep = match keep.map(|keep| (keep, keep.as_bool())) {
        None => false,
        Some((_, Some(keep))) => keep,
        Some((keep, None)) => {
            fail!("for parameter {}: got {}, want bool", args.label("keepends", "1"), keep.type_name())
        }
    };
    let bytes = this(args);
    let mut lines = Vec::new();
    let mut start = 0;
    for at in memchr::memchr2_iter(b'\n', b'\r', bytes) {
        // The second half of "\r\n".
        if at < start {
            continue;
        }
        let end = at + if bytes[at..].starts_with(b"\r\n") { 2 } else { 1 };
        lines.push(start..if keep { end } else { at });
        start = end;
    }
    if start < bytes.len() {
        lines.push(start..bytes.len());
    }
    slices_at(cx, args.this, lines)
}

// ---------------------------------------------------------------------------------------------- composition

pub(super) fn format<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    ops::format::format(cx, args.this, args)
}

pub(super) fn join<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let [iterable] = args.exactly()?;
    match (iterable.as_kind(Kind::List), iterable.as_kind(Kind::Tuple)) {
        (Some(list), _) => {
            cx.host.meter.steps(list::len(list))?;
            join_items(cx, args, iterable, list::items(list))
        }
        (_, Some(tuple)) => {
            cx.host.meter.steps(tuple.reference_count())?;
            join_items(cx, args, iterable, tuple.references().iter())
        }
        _ => {
            let items = iter::collect(cx, iterable, "1")?;
            join_items(cx, args, iterable, items.iter().copied())
        }
    }
}

fn join_items<'s>(
    cx: Cx<'s>,
    args: &Args<'_, 's>,
    iterable: Value<'s>,
    items: impl ExactSizeIterator<Item = Value<'s>> + Clone,
) -> Res<Value<'s>> {
    let (separator, mut bytes, mut are_texts) = (this(args), 0, args.this.as_str().is_some());
    for item in items.clone() {
        match item.as_text() {
            Some(text) => bytes += text.len() + separator.len(),
            None => {
                let message = format!("in {}, want string, got {}", iterable.type_name(), item.type_name());
                return Err(Failure::new(message).help(advice::JOIN));
            }
        }
        are_texts &= item.as_str().is_some();
    }
    match (items.len(), items.clone().next()) {
        (0, _) => return Ok(cx.empty_str()),
        (1, Some(only)) => return Ok(only),
        _ => bytes -= separator.len(),
    }
    check_length(bytes)?;
    if !are_texts {
        let parts: Vec<&[u8]> = items.filter_map(ValueExt::as_text).collect();
        return cx.text(&parts.join(separator));
    }
    let separator = args.this.as_str().unwrap_or_default();
    cx.str_with(bytes, |room| {
        for (at, part) in items.filter_map(ValueExt::as_str).enumerate() {
            if at > 0 {
                room.push(separator);
            }
            room.push(part);
        }
    })
}

pub(super) fn replace<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    args.positional(2, 3)?;
    let [old, new] = [args.positional[0].get(), args.positional[1].get()];
    let (wanted, _) = (string(old, "1")?, string(new, "2")?);
    let count = match args.at(2) {
        None => usize::MAX,
        Some(count) => usize::try_from(int_parameter(count, || "3".to_owned())?).unwrap_or(usize::MAX),
    };
    // Often there is nothing to be replaced.
    if !wanted.is_empty() && text::find(this(args), wanted).is_none() {
        return Ok(args.this);
    }
    if let (Some(text), Some(old), Some(new)) = (args.this.as_str(), old.as_str(), new.as_str()) {
        let longer = new.len().saturating_sub(old.len());
        // Only if all that could be replaced made too much, what is there is counted.
        if longer.saturating_mul(text.len() + 1) > TEXT_MAX {
            check_length(text.len() + longer.saturating_mul(text.matches(old).take(count).count()))?;
        }
        return cx.str(&match count {
            usize::MAX => text.replace(old, new),
            _ => text.replacen(old, new, count),
        });
    }
    let bytes = this(args);
    let found: Box<dyn Iterator<Item = usize>> = match wanted {
        // The empty string stands before and behind each character.
        [] => Box::new(text::points(bytes).into_iter().map(|(at, _)| at).chain([bytes.len()])),
        _ => Box::new(memmem::find_iter(bytes, wanted)),
    };
    cx.build(|out: &mut Text| {
        let mut start = 0;
        for at in found.take(count) {
            out.push_slice(args.this, start..at);
            out.push_value(new);
            start = at + wanted.len();
        }
        out.push_slice(args.this, start..bytes.len());
        Ok(())
    })
}
