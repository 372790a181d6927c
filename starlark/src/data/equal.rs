//! Equality and order of values: by recursion as far as `effort` goes, and then by the walks in `deep`,
//! which end with an error only if a value contains itself. Every element that is looked at is a step of the program.

use std::cmp::Ordering;

use crate::advice;
use crate::builtins::sets;
use crate::cx::Cx;
use crate::failure::{Failure, Res};
use crate::residents;
use crate::value::{Kind, Object, Tagging, Value, ValueExt};

use super::effort::{Effort, Stop, or_walk};
use super::text::same;
use super::{deep, elems, int, list, record, sequence, table};

type References<'s> = frazil::References<'s, 'static, Tagging>;

/// `a == b`
///
/// # Errors
/// A value contains itself.
#[inline]
pub fn equal<'s>(cx: Cx<'s>, a: Value<'s>, b: Value<'s>) -> Res<bool> {
    match at_once(a, b) {
        Some(equal) => Ok(equal),
        None => equal_slow(cx, a, b),
    }
}

/// Whether two values are equal, if that can be seen without going into them.
#[inline(always)]
pub fn at_once<'s>(a: Value<'s>, b: Value<'s>) -> Option<bool> {
    if a.as_small().is_some() && b.as_small().is_some() {
        return Some(a == b);
    }
    // `None` and the like equal nothing else, whatever that is.
    let is_alone = |value: Value<'s>| value.object().is_none() && value.as_small().is_none();
    let Some(text) = a.as_text() else {
        return if is_alone(a) || is_alone(b) { Some(a == b) } else { None };
    };
    // Constants of a program, and what `type` gives, are often one object.
    Some(a == b || b.as_text().is_some_and(|other| same(text, other)))
}

/// The same for two values of which [`at_once`] knows nothing.
///
/// # Errors
/// A value contains itself.
#[inline(never)]
pub fn equal_slow<'s>(cx: Cx<'s>, a: Value<'s>, b: Value<'s>) -> Res<bool> {
    or_walk(equal_at(&mut Effort::new(cx), a, b, 0), || deep::equal(cx, a, b))
}

/// Whether one of the items equals a value.
///
/// # Errors
/// A value contains itself.
#[inline(always)]
pub fn any<'s>(cx: Cx<'s>, items: impl Iterator<Item = Value<'s>>, wanted: Value<'s>) -> Res<bool> {
    let mut looked_at = 0;
    let mut items = items.inspect(|_| looked_at += 1);
    let found = if wanted.as_small().is_some() {
        items.any(|item| {
            item == wanted || item.as_float().is_some() && int::compare(item, wanted) == Ordering::Equal
        })
    } else if let Some(text) = wanted.as_text() {
        items.any(|item| item == wanted || item.as_text().is_some_and(|item| same(item, text)))
    } else {
        let mut outcomes = items.map(|item| equal_slow(cx, item, wanted));
        outcomes.find(|outcome| !matches!(outcome, Ok(false))).unwrap_or(Ok(false))?
    };
    cx.host.meter.steps(looked_at)?;
    Ok(found)
}

/// Whether two hashable values are the same key. An unset one equals nothing else.
#[inline]
pub fn equal_keys<'s>(cx: Cx<'s>, a: Value<'s>, b: Value<'s>) -> Res<bool> {
    if a == b {
        return Ok(true);
    }
    if let (Some(a), Some(b)) = (a.as_text(), b.as_text()) {
        return Ok(same(a, b));
    }
    if a.as_small().is_some() && b.as_small().is_some() {
        return Ok(false);
    }
    equal_slow(cx, a, b)
}

fn equal_at<'s>(effort: &mut Effort<'s>, a: Value<'s>, b: Value<'s>, depth: u32) -> Result<bool, Stop> {
    let kind = a.kind();
    let (Some(x), Some(y), true) = (a.object(), b.object(), kind == b.kind()) else {
        return Ok(equal_leaves(effort.cx, a, b)?);
    };
    if !matches!(kind, Kind::Tuple | Kind::List | Kind::Dict | Kind::Struct) {
        return Ok(equal_leaves(effort.cx, a, b)?);
    }
    effort.enter(depth)?;
    // A structure is only known to equal itself if it is no cycle, which would have to be an error.
    match kind {
        Kind::Tuple => all(effort, x.references(), y.references(), 0, depth),
        Kind::List => all(effort, list::elements(x), list::elements(y), 0, depth),
        Kind::Dict => equal_dicts(effort, x, y, depth),
        _ => {
            // Behind the names.
            Ok(record::len(x) == record::len(y)
                && record::same_names(x, y)
                && all(effort, x.references(), y.references(), 1, depth)?)
        }
    }
}

/// Equality of values that are not both lists, tuples, dicts or structs.
pub(super) fn equal_leaves<'s>(cx: Cx<'s>, a: Value<'s>, b: Value<'s>) -> Res<bool> {
    let (kind, other) = (a.kind(), b.kind());
    if kind != other {
        return Ok(is_number(kind) && is_number(other) && int::compare(a, b) == Ordering::Equal);
    }
    let (Some(x), Some(y)) = (a.object(), b.object()) else { return Ok(a == b) };
    match kind {
        Kind::Str | Kind::Bytes | Kind::BigInt => Ok(x == y || same(x.bytes(), y.bytes())),
        Kind::Float => Ok(int::compare(a, b) == Ordering::Equal),
        Kind::Set => equal_sets(cx, x, y),
        Kind::Range => Ok(sequence::Range::of(x).same_elements(&sequence::Range::of(y))),
        Kind::Elems => Ok(elems::parts(x) == elems::parts(y)),
        Kind::Host => match residents::keys(x, y) {
            Some((a, b)) => equal_leaves(cx, a, b),
            None => Ok(x == y),
        },
        _ => Ok(x == y),
    }
}

/// Have two containers as many parts, and are those from `start` on equal, one after the other?
fn all<'s>(
    effort: &mut Effort<'s>,
    x: References<'s>,
    y: References<'s>,
    start: usize,
    depth: u32,
) -> Result<bool, Stop> {
    if x.len() != y.len() {
        return Ok(false);
    }
    let (mut next, mut unequal) = (start, None);
    // The same ints in the word are passed over in a loop with nothing else in it.
    let is_other = |&index: &usize| x.get(index) != y.get(index) || x.get(index).as_small().is_none();
    while let Some(index) = (next..x.len()).find(is_other) {
        let (a, b) = (x.get(index), y.get(index));
        next = index + 1;
        let equal = match at_once(a, b) {
            Some(equal) => equal,
            None => equal_at(effort, a, b, depth + 1)?,
        };
        if !equal {
            unequal = Some(index);
            break;
        }
    }
    let looked_at = unequal.map_or(x.len(), |index| index + 1) - start;
    effort.cx.host.meter.steps(looked_at)?;
    Ok(unequal.is_none())
}

fn equal_dicts<'s>(effort: &mut Effort<'s>, x: Object<'s>, y: Object<'s>, depth: u32) -> Result<bool, Stop> {
    if table::len(x) != table::len(y) {
        return Ok(false);
    }
    for position in table::positions(x) {
        effort.cx.host.meter.step()?;
        let (key, value) = (table::key(x, position), table::value(x, position));
        // Equal dicts mostly have their entries in the same order: then nothing has to be hashed.
        let other = match position < table::used(y) && at_once(key, table::key(y, position)) == Some(true) {
            true => table::value(y, position),
            false => match table::get(effort.cx, y, key)? {
                Some(other) => other,
                None => return Ok(false),
            },
        };
        let equal = match at_once(value, other) {
            Some(equal) => equal,
            None => equal_at(effort, value, other, depth + 1)?,
        };
        if !equal {
            return Ok(false);
        }
    }
    Ok(true)
}

fn equal_sets<'s>(cx: Cx<'s>, x: Object<'s>, y: Object<'s>) -> Res<bool> {
    Ok(table::len(x) == table::len(y) && sets::contains_all(cx, y, x)?)
}

fn is_number(kind: Kind) -> bool {
    matches!(kind, Kind::Int | Kind::BigInt | Kind::Float)
}

/// The order of two values; `operator` is what the program wrote, for the error.
///
/// # Errors
/// The values have no order, or contain themselves.
#[inline]
pub fn compare<'s>(cx: Cx<'s>, operator: &str, a: Value<'s>, b: Value<'s>) -> Res<Ordering> {
    if let Some(order) = compare_leaves(a, b) {
        return Ok(order);
    }
    let ordered = sequences(&mut Effort::new(cx), operator, a, b, 0);
    let ordered = or_walk(ordered, || deep::compare(cx, operator, a, b).map(Some));
    ordered?.ok_or_else(|| no_order(operator, a, b))
}

/// The error that two values have no order.
#[cold]
pub(super) fn no_order(operator: &str, a: Value<'_>, b: Value<'_>) -> Box<Failure> {
    Failure::new(format!("{} {operator} {} not implemented", a.type_name(), b.type_name()))
        .help_if(advice::on_binary(operator, a, b))
}

/// The order of two lists or two tuples.
fn sequences<'s>(
    effort: &mut Effort<'s>,
    operator: &str,
    a: Value<'s>,
    b: Value<'s>,
    depth: u32,
) -> Result<Option<Ordering>, Stop> {
    let (Some(x), Some(y), true) = (a.object(), b.object(), a.kind() == b.kind()) else { return Ok(None) };
    let order = match a.kind() {
        Kind::Tuple => {
            effort.enter(depth)?;
            elements(effort, operator, x.references().iter(), y.references().iter(), depth)?
        }
        Kind::List => {
            effort.enter(depth)?;
            elements(effort, operator, list::items(x), list::items(y), depth)?
        }
        _ => return Ok(None),
    };
    Ok(Some(order))
}

/// The first pair of elements that are not equal decides. Equal ones need no order.
fn elements<'s>(
    effort: &mut Effort<'s>,
    operator: &str,
    x: impl ExactSizeIterator<Item = Value<'s>>,
    y: impl ExactSizeIterator<Item = Value<'s>>,
    depth: u32,
) -> Result<Ordering, Stop> {
    let lengths = x.len().cmp(&y.len());
    for (x, y) in x.zip(y) {
        effort.cx.host.meter.step()?;
        let order = match compare_leaves(x, y) {
            Some(order) => order,
            None => match sequences(effort, operator, x, y, depth + 1)? {
                Some(order) => order,
                None if equal_at(effort, x, y, depth + 1)? => Ordering::Equal,
                None => return Err(no_order(operator, x, y).into()),
            },
        };
        if order.is_ne() {
            return Ok(order);
        }
    }
    Ok(lengths)
}

/// The order of values that have one and no parts.
#[inline]
pub(super) fn compare_leaves<'s>(a: Value<'s>, b: Value<'s>) -> Option<Ordering> {
    if let (Some(x), Some(y)) = (a.as_small(), b.as_small()) {
        return Some(x.cmp(&y));
    }
    if let (Some(x), Some(y)) = (a.as_text(), b.as_text()) {
        return Some(x.cmp(y));
    }
    compare_other_leaves(a, b)
}

fn compare_other_leaves<'s>(a: Value<'s>, b: Value<'s>) -> Option<Ordering> {
    let (kind, other) = (a.kind(), b.kind());
    if is_number(kind) && is_number(other) {
        return Some(int::compare(a, b));
    }
    match (kind, a.object(), b.object()) {
        (Kind::Bytes, Some(x), Some(y)) if kind == other => Some(x.bytes().cmp(y.bytes())),
        (Kind::Host, Some(x), Some(y)) if kind == other => {
            residents::keys(x, y).and_then(|(a, b)| compare_leaves(a, b))
        }
        (Kind::Bool, ..) if kind == other => Some(a.as_bool().cmp(&b.as_bool())),
        _ => None,
    }
}
