//! Equality and order of values.
//!
//! Nested values are compared recursively down to [`DEPTH_MAX`]; deeper ones, cyclic ones among them, are an error.

use std::cmp::Ordering;

use crate::failure::{Res, fail};
use crate::value::{Kind, Object, Value, ValueExt};

use super::{int, list, record, sequence, table};

/// How deeply values may be nested to be compared.
pub const DEPTH_MAX: usize = 1000;

/// `a == b`
///
/// # Errors
/// The values are nested too deeply.
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
/// The values are nested too deeply.
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
    if depth > DEPTH_MAX {
        fail!("comparison exceeded maximum recursion depth");
    }
    let (kind, other) = (a.kind(), b.kind());
    if kind != other {
        return Ok(is_number(kind) && is_number(other) && int::compare(a, b) == Ordering::Equal);
    }
    let (Some(x), Some(y)) = (a.object(), b.object()) else { return Ok(a == b) };
    // A structure is only known to equal itself if it is no cycle, which would have to be an error.
    match kind {
        Kind::Str | Kind::Bytes | Kind::BigInt => Ok(x.bytes() == y.bytes()),
        Kind::Float => Ok(int::compare(a, b) == Ordering::Equal),
        Kind::Tuple => {
            let (x, y) = (x.references(), y.references());
            Ok(x.len() == y.len() && all(x.iter().zip(y.iter()), depth)?)
        }
        Kind::List => Ok(list::len(x) == list::len(y) && all(list::items(x).zip(list::items(y)), depth)?),
        Kind::Dict => equal_dicts(x, y, depth),
        Kind::Set => equal_sets(x, y),
        Kind::Range => Ok(sequence::Range::of(x).same_elements(&sequence::Range::of(y))),
        Kind::Struct => record::equal(x, y, |x, y| equal_at(x, y, depth + 1)),
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
/// The values have no order, or are nested too deeply.
#[inline]
pub fn compare<'s>(operator: &str, a: Value<'s>, b: Value<'s>) -> Res<Ordering> {
    if let (Some(a), Some(b)) = (a.as_small(), b.as_small()) {
        return Ok(a.cmp(&b));
    }
    compare_at(operator, a, b, 0)
}

fn compare_at<'s>(operator: &str, a: Value<'s>, b: Value<'s>, depth: usize) -> Res<Ordering> {
    if depth > DEPTH_MAX {
        fail!("comparison exceeded maximum recursion depth");
    }
    let (kind, other) = (a.kind(), b.kind());
    if is_number(kind) && is_number(other) {
        return Ok(int::compare(a, b));
    }
    if kind == other {
        match (kind, a.object(), b.object()) {
            (Kind::Str | Kind::Bytes, Some(x), Some(y)) => return Ok(x.bytes().cmp(y.bytes())),
            (Kind::Bool, ..) => return Ok(a.as_bool().cmp(&b.as_bool())),
            (Kind::Tuple, Some(x), Some(y)) => {
                return elements(operator, x.references().iter(), y.references().iter(), depth);
            }
            (Kind::List, Some(x), Some(y)) => {
                return elements(operator, list::items(x), list::items(y), depth);
            }
            _ => {}
        }
    }
    fail!("{} {operator} {} not implemented", a.type_name(), b.type_name())
}

/// The first pair of elements that are not equal decides.
fn elements<'s>(
    operator: &str,
    x: impl ExactSizeIterator<Item = Value<'s>>,
    y: impl ExactSizeIterator<Item = Value<'s>>,
    depth: usize,
) -> Res<Ordering> {
    let lengths = x.len().cmp(&y.len());
    for (x, y) in x.zip(y) {
        if !equal_at(x, y, depth + 1)? {
            return compare_at(operator, x, y, depth + 1);
        }
    }
    Ok(lengths)
}
