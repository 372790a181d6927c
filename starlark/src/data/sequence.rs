//! Ranges, and what indices and slices mean for everything that has a length.

use crate::advice;
use crate::cx::Cx;
use crate::failure::{Failure, Res, fail};
use crate::value::{Kind, Object, Value, ValueExt, misshapen, shapes, small_int};

use super::{elems, int, list, table, text};

/// An arithmetic progression of ints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The first element.
    pub start: i64,
    /// The bound as it was given, for `repr`.
    pub stop: i64,
    /// The distance of two elements, never 0.
    pub step: i64,
    /// How many elements there are.
    pub len: usize,
}

impl Range {
    /// From `start` towards `stop`, which is not reached.
    pub fn new(start: i64, stop: i64, step: i64) -> Range {
        let is_ahead = if step > 0 { start < stop } else { start > stop };
        let len = if is_ahead { (start.abs_diff(stop) - 1) / step.unsigned_abs() + 1 } else { 0 };
        Range { start, stop, step, len: usize::try_from(len).unwrap_or(usize::MAX) }
    }

    /// What a range object holds.
    ///
    /// # Panics
    /// It is no range.
    #[inline(always)]
    pub fn of(object: Object<'_>) -> Range {
        let Some(fields) = object.shaped(&shapes::RANGE) else { misshapen(object, "range") };
        Range {
            start: fields.raw(0) as i64,
            stop: fields.raw(1) as i64,
            step: fields.raw(2) as i64,
            len: fields.raw(3) as usize,
        }
    }

    /// The object.
    ///
    /// # Errors
    /// Memory ran out.
    pub fn make<'s>(self, cx: Cx<'s>) -> Res<Value<'s>> {
        let mut fresh = cx.alloc(&shapes::RANGE, 0)?;
        let words = [self.start as u64, self.stop as u64, self.step as u64, self.len as u64];
        fresh.raw_mut().copy_from_slice(&words);
        Ok(fresh.finish().into())
    }

    /// The element at an index below the length.
    #[inline(always)]
    pub fn get(&self, index: usize) -> i64 {
        self.start.wrapping_add((index as i64).wrapping_mul(self.step))
    }

    /// Do both have the same elements?
    pub fn same_elements(&self, other: &Range) -> bool {
        self.len == other.len
            && (self.len == 0 || self.start == other.start)
            && (self.len <= 1 || self.step == other.step)
    }

    /// Is this one of the elements?
    pub fn contains(&self, i: i64) -> bool {
        let is_ahead = if self.step > 0 { i >= self.start } else { i <= self.start };
        let (distance, stride) = (i.abs_diff(self.start), self.step.unsigned_abs());
        let index = distance / stride;
        is_ahead && index < self.len as u64 && index * stride == distance
    }
}

/// The length of a value, if it has one.
#[inline]
pub fn len(value: Value<'_>) -> Option<usize> {
    let object = value.object()?;
    Some(match value.kind() {
        Kind::Str | Kind::Bytes => object.byte_len(),
        Kind::Tuple => object.reference_count(),
        Kind::List => list::len(object),
        Kind::Dict | Kind::Set => table::len(object),
        Kind::Range => Range::of(object).len,
        Kind::Elems => return elems::len(object),
        _ => return None,
    })
}

#[cold]
fn no_index(index: Value<'_>, of: Value<'_>) -> Box<Failure> {
    let message = format!("{} index: got {}, want int", of.type_name(), index.type_name());
    Failure::new(message).help_if(advice::on_int(index))
}

/// The place that an index means in a sequence of this length.
///
/// # Errors
/// There is none.
#[inline]
pub fn resolve_index<'s>(index: Value<'s>, len: usize, of: Value<'s>) -> Res<usize> {
    let Some(given) = index.as_small() else {
        if index.kind() == Kind::BigInt {
            fail!("{} index: {} out of range", of.type_name(), int::text(index));
        }
        return Err(no_index(index, of));
    };
    let at = if given < 0 { given + len as i64 } else { given };
    if at >= 0 && (at as usize) < len {
        return Ok(at as usize);
    }
    if len == 0 {
        fail!("index {given} out of range: empty {}", of.type_name());
    }
    fail!("{} index {given} out of range [{}:{}]", of.type_name(), -(len as i64), len - 1)
}

/// `value[index]` for everything but dicts.
///
/// # Errors
/// The value has no elements, or the index is not one of its.
pub fn index<'s>(cx: Cx<'s>, value: Value<'s>, at: Value<'s>) -> Res<Value<'s>> {
    let place = |len| resolve_index(at, len, value);
    if let Some(object) = value.object() {
        match value.kind() {
            Kind::Str => return Ok(cx.byte(object.bytes()[place(object.byte_len())?])),
            Kind::Bytes => return Ok(small_int(i64::from(object.bytes()[place(object.byte_len())?]))),
            Kind::Tuple => return Ok(object.get(place(object.reference_count())?)),
            Kind::List => return Ok(list::get(object, place(list::len(object))?)),
            Kind::Range => {
                let range = Range::of(object);
                return int::make(cx, range.get(place(range.len)?));
            }
            Kind::Elems => {
                if let Some(len) = elems::len(object) {
                    return Ok(elems::get(cx, object, place(len)?));
                }
            }
            _ => {}
        }
    }
    let message = format!("unhandled index operation {}[{}]", value.type_name(), at.type_name());
    Err(Failure::new(message).help_if(advice::on_none(value)))
}

// ---------------------------------------------------------------------------------------------- slices

/// The elements that a slice takes from a sequence.
struct Chosen {
    start: usize,
    /// The bound, which is not reached.
    stop: i64,
    step: i64,
    len: usize,
}

impl Chosen {
    fn indices(&self) -> impl ExactSizeIterator<Item = usize> + use<> {
        let (start, step) = (self.start as i64, self.step);
        (0..self.len).map(move |i| (start + i as i64 * step) as usize)
    }
}

/// A bound of a slice of a sequence of `len` elements, as an int between `low` and `high`. `None` means the default.
///
/// # Errors
/// It is no int.
pub fn bound(value: Value<'_>, default: i64, len: i64, low: i64, high: i64, what: &str) -> Res<i64> {
    let given = match value.kind() {
        Kind::None => return Ok(default),
        Kind::Int => value.as_small().unwrap_or(0),
        Kind::BigInt if int::is_negative(value) => i64::MIN / 2,
        Kind::BigInt => i64::MAX / 2,
        _ => fail!("invalid {what} index: got {}, want int", value.type_name()),
    };
    let at = if given < 0 { given.saturating_add(len) } else { given };
    Ok(at.clamp(low, high))
}

fn choose(start: Value<'_>, stop: Value<'_>, step: Value<'_>, len: usize) -> Res<Chosen> {
    let len = len as i64;
    let step = match step.kind() {
        Kind::None => 1,
        Kind::Int => step.as_small().unwrap_or(1),
        Kind::BigInt if int::is_negative(step) => i64::MIN / 4,
        Kind::BigInt => i64::MAX / 4,
        _ => fail!("invalid slice step: got {}, want int", step.type_name()),
    };
    if step == 0 {
        fail!("zero is not a valid slice step");
    }
    let range = if step > 0 {
        let start = bound(start, 0, len, 0, len, "start")?;
        Range::new(start, bound(stop, len, len, start, len, "end")?, step)
    } else {
        let start = bound(start, len - 1, len, -1, len - 1, "start")?;
        Range::new(start, bound(stop, -1, len, -1, start, "end")?, step)
    };
    Ok(Chosen { start: usize::try_from(range.start).unwrap_or(0), stop: range.stop, step, len: range.len })
}

/// `value[start:stop:step]`; what is left out is `None`.
///
/// # Errors
/// The value cannot be sliced, an operand is no int, or memory ran out.
pub fn slice<'s>(
    cx: Cx<'s>,
    value: Value<'s>,
    start: Value<'s>,
    stop: Value<'s>,
    step: Value<'s>,
) -> Res<Value<'s>> {
    let (Kind::Str | Kind::Bytes | Kind::Tuple | Kind::List | Kind::Range) = value.kind() else {
        fail!("invalid slice operand {}", value.type_name());
    };
    let (Some(object), Some(len)) = (value.object(), len(value)) else { return Ok(value) };
    let chosen = choose(start, stop, step, len)?;
    match value.kind() {
        Kind::Str if chosen.step == 1 => text::slice(cx, value, chosen.start..chosen.start + chosen.len),
        Kind::Str => {
            let bytes: Vec<u8> = chosen.indices().map(|at| object.bytes()[at]).collect();
            cx.text(&bytes)
        }
        Kind::Bytes => {
            let mut fresh = cx.alloc(&shapes::BYTES, chosen.len)?;
            for (byte, at) in fresh.bytes_mut().iter_mut().zip(chosen.indices()) {
                *byte = object.bytes()[at];
            }
            Ok(fresh.finish().into())
        }
        Kind::Tuple if chosen.len == 0 => Ok(cx.empty_tuple()),
        Kind::Tuple => {
            let mut fresh = cx.alloc(&shapes::TUPLE, chosen.len)?;
            for (slot, at) in fresh.references_mut().iter_mut().zip(chosen.indices()) {
                *slot = object.get(at);
            }
            Ok(fresh.finish().into())
        }
        Kind::Range => {
            let range = Range::of(object);
            // What does not fit is only seen where there is at most one element; but no step may become 0, or another one.
            let step = range.step.saturating_mul(chosen.step);
            let stop = range.start.saturating_add(chosen.stop.saturating_mul(range.step));
            Range { start: range.get(chosen.start), stop, step, len: chosen.len }.make(cx)
        }
        _ => list::of_iter(cx, chosen.indices().map(|at| list::get(object, at))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_count_and_contain_their_elements() {
        let far = Range::new(i64::MIN + 1, i64::MAX, i64::MAX);
        assert!(far.contains(0) && far.contains(i64::MIN + 1) && !far.contains(i64::MAX) && !far.contains(1));
        for (start, stop, step) in [(0, 10, 3), (10, 0, -3), (5, 5, 1), (-3, 4, 2), (0, -1, 1)] {
            let range = Range::new(start, stop, step);
            let expected: Vec<i64> = if step > 0 {
                (start..stop).step_by(step as usize).collect()
            } else {
                (stop + 1..=start).rev().step_by(-step as usize).collect()
            };
            let found: Vec<i64> = (0..range.len).map(|index| range.get(index)).collect();
            assert_eq!(found, expected);
            for i in -5..15 {
                assert_eq!(range.contains(i), expected.contains(&i), "{i} in {range:?}");
            }
        }
    }
}
