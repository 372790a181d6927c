//! Lists: a length, a number of iterations in progress, and slots that are replaced by larger ones when full.

use std::cell::Cell;

use frazil::References;

use super::table;
use crate::cx::Cx;
use crate::failure::{Failure, Res, fail};
use crate::value::{Object, Shaped, Tagging, Value, misshapen, shapes, unset};

const LEN: usize = 0;
const ITERATIONS: usize = 1;

/// The list's own fields, whose places are known from the shape.
///
/// # Panics
/// It is no list.
#[inline(always)]
fn fields(list: Object<'_>) -> Shaped<'_> {
    match list.shaped(&shapes::LIST) {
        Some(fields) => fields,
        None => misshapen(list, "list"),
    }
}

/// How many elements there are.
#[inline(always)]
pub fn len(list: Object<'_>) -> usize {
    fields(list).raw(LEN) as usize
}

#[inline(always)]
fn set_len(list: Object<'_>, len: usize) {
    if let Some(cells) = fields(list).raw_cells() {
        cells[LEN].set(len as u64);
    }
}

#[inline(always)]
fn slots(list: Object<'_>) -> Option<Shaped<'_>> {
    fields(list).get(0).object()?.shaped(&shapes::SLOTS)
}

/// The element at an index below [`len`].
#[inline(always)]
pub fn get(list: Object<'_>, index: usize) -> Value<'_> {
    match slots(list) {
        Some(slots) => slots.get(index),
        None => unset(),
    }
}

/// The element that a loop has come to, if it is not over. Asks for the memory of what the loop will come to: of an element
/// further on, and of the entries of a dict that is nearer, which has come into the cache meanwhile.
#[inline(always)]
pub fn step(list: Object<'_>, at: usize) -> Option<Value<'_>> {
    let elements = elements(list);
    if at >= elements.len() {
        return None;
    }
    if at + AHEAD < elements.len() {
        if let Some(object) = elements.get(at + AHEAD).object() {
            object.prefetch();
        }
        if let Some(object) = elements.get(at + AHEAD / 2).object() {
            table::prefetch_entries(object);
        }
    }
    Some(elements.get(at))
}

/// Elements by which a loop is ahead with asking for their memory: those of a large heap lie anywhere.
const AHEAD: usize = 8;

/// All elements in order. The list must not be changed meanwhile.
#[inline(always)]
pub fn items(list: Object<'_>) -> Items<'_> {
    Items { elements: elements(list), at: 0 }
}

/// The same as what can be asked for the element at a place.
#[inline(always)]
pub fn elements(list: Object<'_>) -> References<'_, 'static, Tagging> {
    slots(list).map_or(References::default(), |slots| slots.references().first(len(list)))
}

/// The elements of a list.
#[derive(Clone)]
pub struct Items<'s> {
    elements: References<'s, 'static, Tagging>,
    at: usize,
}

impl<'s> Iterator for Items<'s> {
    type Item = Value<'s>;

    #[inline(always)]
    fn next(&mut self) -> Option<Value<'s>> {
        if self.at >= self.elements.len() {
            return None;
        }
        let value = self.elements.get(self.at);
        self.at += 1;
        Some(value)
    }

    #[inline(always)]
    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.elements.len() - self.at;
        (left, Some(left))
    }
}

impl ExactSizeIterator for Items<'_> {}

/// A list of the values.
///
/// # Errors
/// Memory ran out.
pub fn of<'s>(cx: Cx<'s>, values: &[Value<'s>]) -> Res<Value<'s>> {
    of_iter(cx, values.iter().copied())
}

/// A list of the values in the cells.
///
/// # Errors
/// Memory ran out.
pub fn of_cells<'s>(cx: Cx<'s>, values: &[Cell<Value<'s>>]) -> Res<Value<'s>> {
    of_iter(cx, values.iter().map(Cell::get))
}

/// A list of the values.
///
/// # Errors
/// Memory ran out.
#[inline]
pub fn of_iter<'s>(cx: Cx<'s>, values: impl ExactSizeIterator<Item = Value<'s>>) -> Res<Value<'s>> {
    fill(cx, values.len(), values, Ok)
}

/// A list of what `make` makes of `len` parts.
///
/// # Errors
/// `make` failed, or memory ran out.
#[inline]
pub fn fill<'s, T>(
    cx: Cx<'s>,
    len: usize,
    parts: impl Iterator<Item = T>,
    make: impl Fn(T) -> Res<Value<'s>>,
) -> Res<Value<'s>> {
    let mut list = cx.alloc(&shapes::LIST, 0)?;
    if len > 0 {
        let mut slots = cx.alloc(&shapes::SLOTS, len)?;
        for (slot, part) in slots.references_mut().iter_mut().zip(parts) {
            *slot = make(part)?;
        }
        list.raw_mut()[LEN] = len as u64;
        list.references_mut()[0] = slots.finish().into();
    }
    Ok(list.finish().into())
}

/// An empty list with room for `capacity` elements.
///
/// # Errors
/// Memory ran out.
pub fn with_capacity<'s>(cx: Cx<'s>, capacity: usize) -> Res<Value<'s>> {
    let mut list = cx.alloc(&shapes::LIST, 0)?;
    if capacity > 0 {
        list.references_mut()[0] = cx.alloc(&shapes::SLOTS, capacity)?.finish().into();
    }
    Ok(list.finish().into())
}

/// Refuses if the list cannot be changed now.
///
/// # Errors
/// It cannot.
#[inline(always)]
pub fn check_writable(cx: Cx<'_>, list: Object<'_>, verb: &str) -> Res<()> {
    cx.heap.check_writable(list).map_err(|error| Failure::store(error, verb, "list"))
}

#[inline(always)]
fn store<'s>(cx: Cx<'s>, slots: Shaped<'s>, index: usize, value: Value<'s>) -> Res<()> {
    let stored = cx.heap.store_shaped(slots, index, value);
    stored.map_err(|error| Failure::store(error, "assign to element of", "list"))
}

/// Some slots that are all going to be written.
fn cells<'s>(cx: Cx<'s>, slots: Shaped<'s>, start: usize, end: usize) -> Res<&'s [Cell<Value<'s>>]> {
    let writable = cx.heap.writable(slots.into(), start, end);
    writable.map_err(|error| Failure::store(error, "assign to elements of", "list"))
}

/// Replaces the element at an index below [`len`].
///
/// # Errors
/// The list cannot be changed now.
#[inline(always)]
pub fn set<'s>(cx: Cx<'s>, list: Object<'s>, index: usize, value: Value<'s>) -> Res<()> {
    check_writable(cx, list, "assign to element of")?;
    match slots(list) {
        Some(slots) => store(cx, slots, index, value),
        None => Ok(()),
    }
}

/// Slots with room for `more` elements. Whoever adds to a list gets them first and then only stores.
#[inline(always)]
fn reserve<'s>(cx: Cx<'s>, list: Object<'s>, more: usize) -> Res<Shaped<'s>> {
    let needed = len(list) + more;
    if slots(list).is_none_or(|slots| slots.reference_count() < needed) {
        grow(cx, list, more)?;
    }
    match slots(list) {
        Some(slots) => Ok(slots),
        None => unreachable!("it has been given some"),
    }
}

#[cold]
fn grow<'s>(cx: Cx<'s>, list: Object<'s>, more: usize) -> Res<()> {
    let (len, capacity) = (len(list), slots(list).map_or(0, Shaped::reference_count));
    // Small lists double, large ones grow by half: their unused slots are memory.
    let grown = if capacity < 64 { capacity * 2 } else { capacity + capacity / 2 };
    let mut to = cx.alloc(&shapes::SLOTS, grown.max(len + more).max(4))?;
    if let Some(slots) = slots(list) {
        slots.references().first(len).copy_to(&mut to.references_mut()[..len]);
    }
    cx.heap.store(list, 0, to.finish().into()).map_err(|error| Failure::store(error, "append to", "list"))
}

/// Adds an element at the end.
///
/// # Errors
/// The list cannot be changed now, or memory ran out.
#[inline]
pub fn push<'s>(cx: Cx<'s>, list: Object<'s>, value: Value<'s>) -> Res<()> {
    check_writable(cx, list, "append to")?;
    // Nothing that happens here changes what the header says, so it is looked at once.
    let list = fields(list);
    let len = list.raw(LEN) as usize;
    let slots = list.get(0).object().and_then(|slots| slots.shaped(&shapes::SLOTS));
    match slots.filter(|slots| len < slots.reference_count()) {
        Some(slots) => store(cx, slots, len, value)?,
        None => store(cx, reserve(cx, list.into(), 1)?, len, value)?,
    }
    if let Some(cells) = list.raw_cells() {
        cells[LEN].set(len as u64 + 1);
    }
    Ok(())
}

/// Adds elements, which are not the list's own, at the end.
///
/// # Errors
/// The list cannot be changed now, or memory ran out.
pub fn extend<'s>(
    cx: Cx<'s>,
    list: Object<'s>,
    values: impl ExactSizeIterator<Item = Value<'s>>,
    verb: &str,
) -> Res<()> {
    check_writable(cx, list, verb)?;
    if values.len() == 0 {
        return Ok(());
    }
    let slots = reserve(cx, list, values.len())?;
    let (len, end) = (len(list), len(list) + values.len());
    for (cell, value) in cells(cx, slots, len, end)?.iter().zip(values) {
        cell.set(value);
    }
    set_len(list, end);
    Ok(())
}

/// Inserts an element before an index, which may be [`len`].
///
/// # Errors
/// The list cannot be changed now, or memory ran out.
pub fn insert<'s>(cx: Cx<'s>, list: Object<'s>, index: usize, value: Value<'s>) -> Res<()> {
    check_writable(cx, list, "insert into")?;
    let slots = reserve(cx, list, 1)?;
    let len = len(list);
    let moved = cells(cx, slots, index, len + 1)?;
    for pair in moved.windows(2).rev() {
        pair[1].set(pair[0].get());
    }
    moved[0].set(value);
    set_len(list, len + 1);
    Ok(())
}

/// Removes the element at an index below [`len`].
///
/// # Errors
/// The list cannot be changed now.
pub fn remove<'s>(cx: Cx<'s>, list: Object<'s>, index: usize, verb: &str) -> Res<Value<'s>> {
    check_writable(cx, list, verb)?;
    let Some(slots) = slots(list) else { fail!("index {index} out of range: empty list") };
    let (len, removed) = (len(list), slots.get(index));
    let moved = cells(cx, slots, index, len)?;
    for pair in moved.windows(2) {
        pair[0].set(pair[1].get());
    }
    moved[len - 1 - index].set(unset());
    set_len(list, len - 1);
    Ok(removed)
}

/// Removes all elements.
///
/// # Errors
/// The list cannot be changed now.
pub fn clear<'s>(cx: Cx<'s>, list: Object<'s>) -> Res<()> {
    check_writable(cx, list, "clear")?;
    cx.heap.store(list, 0, unset()).map_err(|error| Failure::store(error, "clear", "list"))?;
    set_len(list, 0);
    Ok(())
}

/// An iteration begins: until it ends, changes are refused.
pub fn begin_iteration(cx: Cx<'_>, list: Object<'_>) {
    if let Some(cells) = fields(list).raw_cells() {
        cells[ITERATIONS].set(cells[ITERATIONS].get() + 1);
        cx.heap.guard(list, true);
    }
}

/// The end of an iteration.
pub fn end_iteration(cx: Cx<'_>, list: Object<'_>) {
    if let Some(cells) = fields(list).raw_cells() {
        cells[ITERATIONS].set(cells[ITERATIONS].get().saturating_sub(1));
        if cells[ITERATIONS].get() == 0 {
            cx.heap.guard(list, false);
        }
    }
}
