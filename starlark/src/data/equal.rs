//! Equality and order of values.
//!
//! Nested values are compared recursively for some levels, and then by the walks in `deep`, which end with an error
//! only if a value contains itself.

use std::cmp::Ordering;

use crate::failure::{Failure, Res};
use crate::residents;
use crate::value::{Kind, Object, Value, ValueExt};

use super::{deep, int, list, record, sequence, table};

/// So many levels are compared recursively.
const DEPTH_MAX: usize = 16;

/// `a == b`
///
/// # Errors
/// A value contains itself.
#[inline]
pub fn equal<'s>(a: Value<'s>, b: Value<'s>) -> Res<bool> {
    if a.as_small().is_some() && b.as_small().is_some() {
        return Ok(a == b);
    }
    if let (Some(a), Some(b)) = (a.as_text(), b.as_text()) {
        return Ok(a == b);
    }
    equal_at(a, b, 0)
}

/// Whether one of the items equals a value.
///
/// # Errors
/// A value contains itself.
#[inline(always)]
pub fn any<'s>(mut items: impl Iterator<Item = Value<'s>>, wanted: Value<'s>) -> Res<bool> {
    if wanted.as_small().is_some() {
        return Ok(items.any(|item| {
            item == wanted || item.as_float().is_some() && int::compare(item, wanted) == Ordering::Equal
        }));
    }
    if let Some(text) = wanted.as_text() {
        return Ok(items.any(|item| item == wanted || item.as_text() == Some(text)));
    }
    for item in items {
        if equal_at(item, wanted, 0)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether two hashable values are the same key. An unset one equals nothing else.
#[inline]
pub fn equal_keys<'s>(a: Value<'s>, b: Value<'s>) -> Res<bool> {
    if a == b {
        return Ok(true);
    }
    if let (Some(a), Some(b)) = (a.as_text(), b.as_text()) {
        return Ok(a == b);
    }
    if a.as_small().is_some() && b.as_small().is_some() {
        return Ok(false);
    }
    equal_at(a, b, 0)
}

fn equal_at<'s>(a: Value<'s>, b: Value<'s>, depth: usize) -> Res<bool> {
    let kind = a.kind();
    let (Some(x), Some(y), true) = (a.object(), b.object(), kind == b.kind()) else {
        return equal_leaves(a, b);
    };
    if depth > DEPTH_MAX {
        return deep::equal(a, b);
    }
    // A structure is only known to equal itself if it is no cycle, which would have to be an error.
    match kind {
        Kind::Tuple => {
            let (x, y) = (x.references(), y.references());
            Ok(x.len() == y.len() && all(x.iter().zip(y.iter()), depth)?)
        }
        Kind::List => Ok(list::len(x) == list::len(y) && all(list::items(x).zip(list::items(y)), depth)?),
        Kind::Dict => equal_dicts(x, y, depth),
        Kind::Struct => {
            let values = |record| (0..record::len(record)).map(move |index| record::value(record, index));
            Ok(record::len(x) == record::len(y)
                && record::same_names(x, y)
                && all(values(x).zip(values(y)), depth)?)
        }
        _ => equal_leaves(a, b),
    }
}

/// Equality of values that are not both lists, tuples, dicts or structs.
pub(super) fn equal_leaves<'s>(a: Value<'s>, b: Value<'s>) -> Res<bool> {
    let (kind, other) = (a.kind(), b.kind());
    if kind != other {
        return Ok(is_number(kind) && is_number(other) && int::compare(a, b) == Ordering::Equal);
    }
    let (Some(x), Some(y)) = (a.object(), b.object()) else { return Ok(a == b) };
    match kind {
        Kind::Str | Kind::Bytes | Kind::BigInt => Ok(x == y || x.bytes() == y.bytes()),
        Kind::Float => Ok(int::compare(a, b) == Ordering::Equal),
        Kind::Set => equal_sets(x, y),
        Kind::Range => Ok(sequence::Range::of(x).same_elements(&sequence::Range::of(y))),
        Kind::Host => match residents::keys(x, y) {
            Some((a, b)) => equal_leaves(a, b),
            None => Ok(x == y),
        },
        Kind::Bound => Ok(x.raw(0) == y.raw(0) && x.get(0) == y.get(0)),
        _ => Ok(x == y),
    }
}

fn all<'s>(mut pairs: impl Iterator<Item = (Value<'s>, Value<'s>)>, depth: usize) -> Res<bool> {
    pairs.try_fold(true, |so_far, (x, y)| Ok(so_far && equal_at(x, y, depth + 1)?))
}

fn equal_dicts<'s>(x: Object<'s>, y: Object<'s>, depth: usize) -> Res<bool> {
    if table::len(x) != table::len(y) {
        return Ok(false);
    }
    for position in table::positions(x) {
        match table::get(y, table::key(x, position))? {
            Some(other) if equal_at(table::value(x, position), other, depth + 1)? => {}
            _ => return Ok(false),
        }
    }
    Ok(true)
}

fn equal_sets<'s>(x: Object<'s>, y: Object<'s>) -> Res<bool> {
    if table::len(x) != table::len(y) {
        return Ok(false);
    }
    for position in table::positions(x) {
        if table::find(y, table::key(x, position))?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

fn is_number(kind: Kind) -> bool {
    matches!(kind, Kind::Int | Kind::BigInt | Kind::Float)
}

/// The order of two values; `operator` is what the program wrote, for the error.
///
/// # Errors
/// The values have no order, or contain themselves.
#[inline]
pub fn compare<'s>(operator: &str, a: Value<'s>, b: Value<'s>) -> Res<Ordering> {
    if let (Some(a), Some(b)) = (a.as_small(), b.as_small()) {
        return Ok(a.cmp(&b));
    }
    match sequences(operator, a, b, 0)?.or_else(|| compare_leaves(a, b)) {
        Some(order) => Ok(order),
        None => Err(no_order(operator, a, b)),
    }
}

/// The error that two values have no order.
#[cold]
pub(super) fn no_order(operator: &str, a: Value<'_>, b: Value<'_>) -> Box<Failure> {
    Failure::new(format!("{} {operator} {} not implemented", a.type_name(), b.type_name()))
}

/// The order of two lists or two tuples.
fn sequences<'s>(operator: &str, a: Value<'s>, b: Value<'s>, depth: usize) -> Res<Option<Ordering>> {
    let (Some(x), Some(y), true) = (a.object(), b.object(), a.kind() == b.kind()) else { return Ok(None) };
    match a.kind() {
        Kind::Tuple | Kind::List if depth > DEPTH_MAX => deep::compare(operator, a, b).map(Some),
        Kind::Tuple => elements(operator, x.references().iter(), y.references().iter(), depth).map(Some),
        Kind::List => elements(operator, list::items(x), list::items(y), depth).map(Some),
        _ => Ok(None),
    }
}

/// The first pair of elements that are not equal decides. Equal ones need no order.
fn elements<'s>(
    operator: &str,
    x: impl ExactSizeIterator<Item = Value<'s>>,
    y: impl ExactSizeIterator<Item = Value<'s>>,
    depth: usize,
) -> Res<Ordering> {
    let lengths = x.len().cmp(&y.len());
    for (x, y) in x.zip(y) {
        let order = match compare_leaves(x, y) {
            Some(order) => order,
            None => match sequences(operator, x, y, depth + 1)? {
                Some(order) => order,
                None if equal_at(x, y, depth + 1)? => Ordering::Equal,
                None => return Err(no_order(operator, x, y)),
            },
        };
        if order.is_ne() {
            return Ok(order);
        }
    }
    Ok(lengths)
}

/// The order of values that have one and no parts.
pub(super) fn compare_leaves<'s>(a: Value<'s>, b: Value<'s>) -> Option<Ordering> {
    let (kind, other) = (a.kind(), b.kind());
    if is_number(kind) && is_number(other) {
        return Some(int::compare(a, b));
    }
    match (kind, a.object(), b.object()) {
        (Kind::Str | Kind::Bytes, Some(x), Some(y)) if kind == other => Some(x.bytes().cmp(y.bytes())),
        (Kind::Host, Some(x), Some(y)) if kind == other => {
            residents::keys(x, y).and_then(|(a, b)| compare_leaves(a, b))
        }
        (Kind::Bool, ..) if kind == other => Some(a.as_bool().cmp(&b.as_bool())),
        _ => None,
    }
}
