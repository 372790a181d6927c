//! Dicts and sets: insertion ordered, without an index while they are small.
//!
//! ```text
//! table  | packed word: live entries, used entries, iterations | entries | index |
//! entries (slots)   key value key value ...      (a set has keys only); a deleted entry has no key
//! index   (bytes)   u32 cells: 0, or part of the hash above the entry's number plus one
//! ```
//!
//! Up to [`SMALL`] entries a lookup compares the keys one after the other: first by identity, which is how keys
//! that are constants of the program are found. No hash is computed or stored. Larger tables have an
//! index. An entry's position does not change until deleted entries are squeezed out, so a cell
//! of the index is never taken back; one that names a deleted entry is passed over.

use std::cell::Cell;

use crate::cx::Cx;
use crate::failure::{Res, fail};
use crate::value::{Kind, Object, Shaped, Value, ValueExt, misshapen, shapes, unset};

use super::equal::equal_keys;
use super::text::same;
use super::{hash, index};

mod change;

pub use change::{
    adopt, check_writable, clear, copy, copy_into, insert, remove, remove_at, remove_first, set_value,
};

/// The largest capacity without an index.
pub const SMALL: usize = 8;

/// Bits of each of the two numbers of entries in the packed word.
const COUNT_BITS: u32 = 28;
pub(crate) const COUNT_MASK: u64 = (1 << COUNT_BITS) - 1;
const ITERATIONS_SHIFT: u32 = 2 * COUNT_BITS;

/// Slots in a table.
const ENTRIES: usize = 0;
const INDEX: usize = 1;

/// Words of an entry.
#[inline(always)]
fn stride(table: Object<'_>) -> usize {
    if table.is(&shapes::DICT) { 2 } else { 1 }
}

/// The table's own fields, whose places are known from the shape: both shapes have the same.
///
/// # Panics
/// It is no table.
#[inline(always)]
fn fields(table: Object<'_>) -> Shaped<'_> {
    match table.shaped(&shapes::DICT).or_else(|| table.shaped(&shapes::SET)) {
        Some(fields) => fields,
        None => misshapen(table, "dict or set"),
    }
}

/// How many entries there are.
#[inline(always)]
pub fn len(table: Object<'_>) -> usize {
    (fields(table).raw(0) & COUNT_MASK) as usize
}

/// Positions below this may hold entries.
#[inline(always)]
pub fn used(table: Object<'_>) -> usize {
    (fields(table).raw(0) >> COUNT_BITS & COUNT_MASK) as usize
}

#[inline(always)]
fn set_counts(table: Object<'_>, live: usize, used: usize) {
    if let Some([word]) = fields(table).raw_cells() {
        let iterations = word.get() >> ITERATIONS_SHIFT;
        word.set(iterations << ITERATIONS_SHIFT | (used as u64) << COUNT_BITS | live as u64);
    }
}

#[inline(always)]
fn entries(table: Object<'_>) -> Option<Shaped<'_>> {
    fields(table).get(ENTRIES).object()?.shaped(&shapes::SLOTS)
}

/// The index of a table that is large enough to have one.
#[inline(always)]
fn index_of(table: Object<'_>) -> Option<Object<'_>> {
    fields(table).get(INDEX).object()
}

/// If the object is a dict, asks for the memory of its entries.
#[inline(always)]
pub fn prefetch_entries(object: Object<'_>) {
    if let Some(dict) = object.shaped(&shapes::DICT)
        && let Some(entries) = dict.get(ENTRIES).object()
    {
        entries.prefetch();
    }
}

/// The key at a position below [`used`]; unset if the entry was deleted.
#[inline(always)]
pub fn key(table: Object<'_>, position: usize) -> Value<'_> {
    match entries(table) {
        Some(slots) => slots.get(position * stride(table)),
        None => unset(),
    }
}

/// The value at a position of a dict.
#[inline(always)]
pub fn value(table: Object<'_>, position: usize) -> Value<'_> {
    match entries(table) {
        Some(slots) => slots.get(position * 2 + 1),
        None => unset(),
    }
}

/// The first entry at `position` or behind it.
#[inline(always)]
pub fn next(table: Object<'_>, position: usize) -> Option<usize> {
    let (slots, stride) = (entries(table)?, stride(table));
    (position..used(table)).find(|position| !slots.get(position * stride).is_unset())
}

/// The first key at `position` or behind it, and the position behind that.
#[inline]
pub fn next_key(table: Object<'_>, position: usize) -> Option<(Value<'_>, usize)> {
    let (slots, stride) = (entries(table)?, stride(table));
    for position in position..used(table) {
        let key = slots.get(position * stride);
        if !key.is_unset() {
            return Some((key, position + 1));
        }
    }
    None
}

/// The positions of all entries in order.
#[inline]
pub fn positions(table: Object<'_>) -> impl Iterator<Item = usize> {
    let (slots, stride) = (entries(table), stride(table));
    let is_live = move |slots: Shaped<'_>, position: usize| !slots.get(position * stride).is_unset();
    (0..used(table)).filter(move |&position| slots.is_some_and(|slots| is_live(slots, position)))
}

/// An empty dict or set with room for `capacity` entries.
///
/// # Errors
/// Memory ran out.
pub fn with_capacity<'s>(cx: Cx<'s>, shape: &frazil::Shape, capacity: usize) -> Res<Object<'s>> {
    let mut fresh = cx.alloc(shape, 0)?;
    if capacity > 0 {
        let stride = if shape.id() == Kind::Dict as u16 { 2 } else { 1 };
        fresh.references_mut()[ENTRIES] = cx.alloc(&shapes::SLOTS, capacity * stride)?.finish().into();
        if capacity > SMALL {
            fresh.references_mut()[INDEX] = index::make(cx, index::cells_for(capacity))?.into();
        }
    }
    Ok(fresh.finish())
}

/// A dict of these keys, which are known to be different and hashable, and values.
///
/// # Errors
/// Memory ran out.
#[inline]
pub fn of_distinct<'s>(cx: Cx<'s>, keys: Object<'s>, values: &[Cell<Value<'s>>]) -> Res<Value<'s>> {
    if values.len() > SMALL {
        let dict = with_capacity(cx, &shapes::DICT, values.len())?;
        for (key, value) in keys.references().iter().zip(values) {
            insert(cx, dict, key, value.get())?;
        }
        return Ok(dict.into());
    }
    let mut slots = cx.alloc(&shapes::SLOTS, 2 * values.len())?;
    for ((entry, key), value) in
        slots.references_mut().chunks_exact_mut(2).zip(keys.references().iter()).zip(values)
    {
        entry[0] = key;
        entry[1] = value.get();
    }
    let mut dict = cx.alloc(&shapes::DICT, 0)?;
    dict.raw_mut()[0] = (values.len() as u64) << COUNT_BITS | values.len() as u64;
    dict.references_mut()[ENTRIES] = slots.finish().into();
    Ok(dict.finish().into())
}

// ---------------------------------------------------------------------------------------------- lookup

fn fill_index<'s>(cx: Cx<'s>, table: Object<'s>, index: Object<'s>) -> Res<()> {
    if let Some(cells) = index.cells::<u32>() {
        for position in positions(table) {
            index::put(cells, hash::hash(cx, key(table, position))?, position);
        }
    }
    Ok(())
}

/// The position of a key.
///
/// # Errors
/// It is not hashable.
#[inline]
pub fn find<'s>(cx: Cx<'s>, table: Object<'s>, wanted: Value<'s>) -> Res<Option<usize>> {
    match index_of(table) {
        None => {
            if let Some(text) = wanted.as_text() {
                return Ok(find_str_small(table, wanted, text));
            }
            hash::check(cx, wanted)?;
            for position in 0..used(table) {
                if equal_keys(cx, key(table, position), wanted)? {
                    return Ok(Some(position));
                }
            }
            Ok(None)
        }
        Some(index) => find_hashed(cx, table, index, wanted, hash::hash(cx, wanted)?),
    }
}

#[inline]
fn find_hashed<'s>(
    cx: Cx<'s>,
    table: Object<'s>,
    index: Object<'s>,
    wanted: Value<'s>,
    hash: u64,
) -> Res<Option<usize>> {
    index::find(index, hash, |position| equal_keys(cx, key(table, position), wanted))
}

/// A string in a table without an index: by identity, then by length and contents.
#[inline]
fn find_str_small<'s>(table: Object<'s>, wanted: Value<'s>, text: &[u8]) -> Option<usize> {
    let slots = entries(table)?.references();
    let (stride, used) = (stride(table), used(table));
    for position in 0..used {
        if slots.get(position * stride) == wanted {
            return Some(position);
        }
    }
    (0..used).find(|position| slots.get(position * stride).as_text().is_some_and(|key| same(key, text)))
}

/// The position of a string that is not a value yet.
pub fn find_text(table: Object<'_>, text: &[u8]) -> Option<usize> {
    let is_it = |key: Value<'_>| key.as_text().is_some_and(|key| same(key, text));
    match index_of(table) {
        None => (0..used(table)).find(|&position| is_it(key(table, position))),
        Some(index) => {
            let hash = hash::bytes(text);
            index::find(index, hash, |position| Ok(is_it(key(table, position)))).unwrap_or(None)
        }
    }
}

/// The value of a key of a dict.
///
/// # Errors
/// The key is not hashable.
#[inline]
pub fn get<'s>(cx: Cx<'s>, dict: Object<'s>, wanted: Value<'s>) -> Res<Option<Value<'s>>> {
    Ok(find(cx, dict, wanted)?.map(|position| value(dict, position)))
}

// ---------------------------------------------------------------------------------------------- iteration

/// An iteration begins: until it ends, changes are refused.
///
/// # Errors
/// There are too many at once.
pub fn begin_iteration(cx: Cx<'_>, table: Object<'_>) -> Res<()> {
    let Some([word]) = fields(table).raw_cells() else { return Ok(()) };
    match word.get().checked_add(1 << ITERATIONS_SHIFT) {
        Some(packed) => word.set(packed),
        None => fail!("too many iterations over the same hash table at once"),
    }
    cx.heap.guard(table, true);
    Ok(())
}

/// The end of an iteration.
pub fn end_iteration(cx: Cx<'_>, table: Object<'_>) {
    let Some([word]) = fields(table).raw_cells() else { return };
    word.set(word.get().saturating_sub(1 << ITERATIONS_SHIFT));
    if word.get() >> ITERATIONS_SHIFT == 0 {
        cx.heap.guard(table, false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::int;
    use crate::engine::Engine;
    use crate::value::small_int;

    /// Random changes to a dict and to a plain vector of pairs, which must agree all the time.
    fn agrees_with_a_vector(changes: &[(u8, u8)], keys: u8) {
        let engine = Engine::new(frazil::Config::DEFAULT, Default::default()).expect("an engine");
        engine.with(|cx| {
            let dict = with_capacity(cx, &shapes::DICT, 0).expect("memory");
            let mut model: Vec<(i64, i64)> = Vec::new();
            for (step, &(key, what)) in changes.iter().enumerate() {
                let (number, step) = (i64::from(key % keys), step as i64);
                // Half of the keys are strings.
                let key = if number % 2 == 0 { int::make(cx, number) } else { cx.str(&format!("k{number}")) };
                let key = key.expect("memory");
                let known = model.iter().position(|(known, _)| *known == number);
                match (what % 8, known) {
                    (0..=4, Some(at)) => model[at].1 = step,
                    (0..=4, None) => model.push((number, step)),
                    (5..=6, Some(at)) => drop(model.remove(at)),
                    _ => {}
                }
                match what % 8 {
                    0..=4 => assert_eq!(insert(cx, dict, key, small_int(step)).ok(), Some(known.is_none())),
                    5..=6 => assert_eq!(
                        remove(cx, dict, key).map(|found| found.is_some()).ok(),
                        Some(known.is_some())
                    ),
                    _ => assert_eq!(
                        find(cx, dict, key).map(|found| found.is_some()).ok(),
                        Some(known.is_some())
                    ),
                }
                let values: Vec<i64> =
                    positions(dict).filter_map(|position| value(dict, position).as_small()).collect();
                assert_eq!(values, model.iter().map(|(_, value)| *value).collect::<Vec<_>>());
                assert_eq!(len(dict), model.len());
            }
            let copied = copy(cx, dict, &shapes::DICT).expect("memory");
            assert!(super::super::equal::equal(cx, dict.into(), copied.into()).is_ok_and(|equal| equal));
        });
    }

    #[test]
    fn taking_from_the_front_walks_over_few_deleted_entries() {
        let engine = Engine::new(frazil::Config::DEFAULT, Default::default()).expect("an engine");
        engine.with(|cx| {
            let (set, count) = (with_capacity(cx, &shapes::SET, 0).expect("memory"), 20_000);
            for i in 0..count {
                insert(cx, set, small_int(i), unset()).expect("memory");
            }
            let mut walked = 0;
            for i in 0..count {
                let first = next(set, 0).expect("an element");
                walked += first;
                assert_eq!(remove_first(cx, set, first).expect("memory"), small_int(i));
            }
            assert_eq!(len(set), 0);
            assert!(walked < 20_000_000, "walked over {walked} deleted entries");
        });
    }

    quickcheck::quickcheck! {
        fn small_dicts_are_maps_in_order(changes: Vec<(u8, u8)>) -> bool {
            agrees_with_a_vector(&changes, 9);
            true
        }

        fn large_dicts_are_maps_in_order(changes: Vec<(u8, u8)>) -> bool {
            // Long enough to grow, to squeeze and to grow again.
            agrees_with_a_vector(&changes.repeat(4), 255);
            true
        }
    }
}
