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
use crate::failure::{Failure, Res, fail};
use crate::value::{Kind, Object, Value, ValueExt, none, shapes, unset};

use super::equal::equal_keys;
use super::{hash, index};

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

/// How many entries there are.
#[inline(always)]
pub fn len(table: Object<'_>) -> usize {
    (table.raw(0) & COUNT_MASK) as usize
}

/// Positions below this may hold entries.
#[inline(always)]
pub fn used(table: Object<'_>) -> usize {
    (table.raw(0) >> COUNT_BITS & COUNT_MASK) as usize
}

#[inline(always)]
fn set_counts(table: Object<'_>, live: usize, used: usize) {
    if let Some([word]) = table.raw_cells() {
        let iterations = word.get() >> ITERATIONS_SHIFT;
        word.set(iterations << ITERATIONS_SHIFT | (used as u64) << COUNT_BITS | live as u64);
    }
}

#[inline(always)]
fn entries(table: Object<'_>) -> Option<Object<'_>> {
    table.get(ENTRIES).object()
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
pub fn next(table: Object<'_>, mut position: usize) -> Option<usize> {
    let used = used(table);
    while position < used {
        if !key(table, position).is_unset() {
            return Some(position);
        }
        position += 1;
    }
    None
}

/// The positions of all entries in order.
pub fn positions(table: Object<'_>) -> impl Iterator<Item = usize> {
    (0..used(table)).filter(move |&position| !key(table, position).is_unset())
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
    match table.get(INDEX).object() {
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
    (0..used).find(|position| slots.get(position * stride).as_text() == Some(text))
}

/// The position of a string that is not a value yet.
pub fn find_text(table: Object<'_>, text: &[u8]) -> Option<usize> {
    let same = |key: Value<'_>| key.as_text() == Some(text);
    match table.get(INDEX).object() {
        None => (0..used(table)).find(|&position| same(key(table, position))),
        Some(index) => {
            let hash = hash::bytes(text);
            index::find(index, hash, |position| Ok(same(key(table, position)))).unwrap_or(None)
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

// ---------------------------------------------------------------------------------------------- change

/// Refuses if the table cannot be changed now.
///
/// # Errors
/// It cannot.
#[inline(always)]
pub fn check_writable(cx: Cx<'_>, table: Object<'_>, verb: &str) -> Res<()> {
    cx.heap.check_writable(table).map_err(|error| Failure::store(error, verb, "hash table"))
}

/// Maps `key` to `value`, or adds it to a set (then `value` is ignored). Says whether the key is new.
///
/// # Errors
/// The table cannot be changed now, the key is not hashable, or memory ran out: then nothing has changed.
#[inline]
pub fn insert<'s>(cx: Cx<'s>, table: Object<'s>, key: Value<'s>, value: Value<'s>) -> Res<bool> {
    check_writable(cx, table, "insert into")?;
    let hash = match table.get(INDEX).object() {
        Some(index) => {
            let hash = hash::hash(cx, key)?;
            if let Some(position) = find_hashed(cx, table, index, key, hash)? {
                set_value(cx, table, position, value)?;
                return Ok(false);
            }
            hash
        }
        None => {
            if let Some(position) = find(cx, table, key)? {
                set_value(cx, table, position, value)?;
                return Ok(false);
            }
            0
        }
    };
    append(cx, table, key, value, hash)?;
    Ok(true)
}

/// Replaces the value at a position; of a set there is nothing to replace.
#[inline]
pub fn set_value<'s>(cx: Cx<'s>, table: Object<'s>, position: usize, value: Value<'s>) -> Res<()> {
    match entries(table) {
        Some(slots) if stride(table) == 2 => store(cx, slots, position * 2 + 1, value),
        _ => Ok(()),
    }
}

#[inline(always)]
fn store<'s>(cx: Cx<'s>, slots: Object<'s>, at: usize, value: Value<'s>) -> Res<()> {
    cx.heap.store(slots, at, value).map_err(|error| Failure::store(error, "insert into", "hash table"))
}

/// Adds an entry that is not there yet. `hash` is only looked at if the table has an index.
fn append<'s>(cx: Cx<'s>, table: Object<'s>, key: Value<'s>, value: Value<'s>, hash: u64) -> Res<()> {
    let stride = stride(table);
    let capacity = entries(table).map_or(0, |slots| slots.reference_count() / stride);
    if used(table) == capacity {
        make_room(cx, table, capacity)?;
    }
    let (live, position) = (len(table), used(table));
    if let Some(index) = table.get(INDEX).object() {
        if index::cells_for(position + 1) > index::cells(index) {
            rebuild_index(cx, table, index::cells_for(position + 1))?;
        }
        // `make_room` may have made the first index, so the caller may not know the hash.
        let hash = if capacity <= SMALL { hash::hash(cx, key)? } else { hash };
        if let Some(cells) = table.get(INDEX).object().and_then(Object::cells::<u32>) {
            index::put(cells, hash, position);
        }
    }
    if let Some(slots) = entries(table) {
        store(cx, slots, position * stride, key)?;
        if stride == 2 {
            store(cx, slots, position * 2 + 1, value)?;
        }
    }
    set_counts(table, live + 1, position + 1);
    Ok(())
}

/// Makes room for another entry: by squeezing out deleted ones if there are many, by growing if not.
#[cold]
fn make_room<'s>(cx: Cx<'s>, table: Object<'s>, capacity: usize) -> Res<()> {
    let live = len(table);
    if live + live / 4 < capacity {
        return squeeze(cx, table);
    }
    let grown =
        if capacity < 4 { 4 } else { capacity + capacity / 2 + usize::from(capacity < 32) * capacity / 2 };
    if grown as u64 > COUNT_MASK {
        fail!("a hash table cannot have more than {COUNT_MASK} entries");
    }
    let stride = stride(table);
    let mut slots = cx.alloc(&shapes::SLOTS, grown * stride)?;
    if let Some(old) = entries(table) {
        for (to, from) in slots.references_mut().iter_mut().zip(old.references().iter()) {
            *to = from;
        }
    }
    let index = match table.get(INDEX).object() {
        None if grown > SMALL => {
            let index = index::make(cx, index::cells_for(grown))?;
            fill_index(cx, table, index)?;
            Some(index)
        }
        _ => None,
    };
    store(cx, table, ENTRIES, slots.finish().into())?;
    if let Some(index) = index {
        store(cx, table, INDEX, index.into())?;
    }
    Ok(())
}

fn rebuild_index<'s>(cx: Cx<'s>, table: Object<'s>, cells: usize) -> Res<()> {
    let index = index::make(cx, cells)?;
    fill_index(cx, table, index)?;
    store(cx, table, INDEX, index.into())
}

/// Moves all entries to the front of new slots.
fn squeeze<'s>(cx: Cx<'s>, table: Object<'s>) -> Res<()> {
    let Some(old) = entries(table) else { return Ok(()) };
    let (stride, live) = (stride(table), len(table));
    let capacity = old.reference_count() / stride;
    let new_capacity = if live * 4 < capacity { (live * 2).max(4) } else { capacity };
    let mut slots = cx.alloc(&shapes::SLOTS, new_capacity * stride)?;
    let index = match table.get(INDEX).object() {
        Some(_) if new_capacity > SMALL => Some(index::make(cx, index::cells_for(new_capacity))?),
        _ => None,
    };
    let from = positions(table);
    for (to, from) in slots.references_mut().chunks_exact_mut(stride).zip(from) {
        for (word, slot) in to.iter_mut().enumerate() {
            *slot = old.get(from * stride + word);
        }
    }
    store(cx, table, ENTRIES, slots.finish().into())?;
    store(cx, table, INDEX, index.map_or(unset(), Value::from))?;
    set_counts(table, live, live);
    index.map_or(Ok(()), |index| fill_index(cx, table, index))
}

/// Removes a key and returns the value that a dict had for it (for a set: the key).
///
/// # Errors
/// The table cannot be changed now, or the key is not hashable.
pub fn remove<'s>(cx: Cx<'s>, table: Object<'s>, wanted: Value<'s>) -> Res<Option<Value<'s>>> {
    check_writable(cx, table, "delete from")?;
    match find(cx, table, wanted)? {
        Some(position) => remove_at(cx, table, position).map(Some),
        None => Ok(None),
    }
}

/// Removes the entry at a position.
///
/// # Errors
/// Memory ran out; then nothing has changed.
pub fn remove_at<'s>(cx: Cx<'s>, table: Object<'s>, position: usize) -> Res<Value<'s>> {
    let stride = stride(table);
    let Some(slots) = entries(table) else { return Ok(unset()) };
    // Taking entries from the front again and again must not walk over the deleted ones each time.
    let (live, used) = (len(table), used(table));
    let squeeze_first = used > 4 * SMALL && live < used / 2;
    if squeeze_first {
        let before = (0..position).filter(|&p| !key(table, p).is_unset()).count();
        squeeze(cx, table)?;
        return remove_at(cx, table, before);
    }
    let removed = slots.get(position * stride + stride - 1);
    for word in 0..stride {
        store(cx, slots, position * stride + word, unset())?;
    }
    let used = if position + 1 == used && table.get(INDEX).object().is_none() { position } else { used };
    set_counts(table, live - 1, used);
    Ok(removed)
}

/// Removes all entries.
///
/// # Errors
/// The table cannot be changed now.
pub fn clear<'s>(cx: Cx<'s>, table: Object<'s>) -> Res<()> {
    check_writable(cx, table, "clear")?;
    store(cx, table, ENTRIES, unset())?;
    store(cx, table, INDEX, unset())?;
    set_counts(table, 0, 0);
    Ok(())
}

/// Gives a table the entries of another one of the same type, which must not be used afterwards. Allocates nothing.
///
/// # Errors
/// The table cannot be changed now.
pub fn adopt<'s>(cx: Cx<'s>, to: Object<'s>, from: Object<'s>) -> Res<()> {
    store(cx, to, ENTRIES, from.get(ENTRIES))?;
    store(cx, to, INDEX, from.get(INDEX))?;
    set_counts(to, len(from), used(from));
    Ok(())
}

/// A copy with the same order and no deleted entries.
///
/// # Errors
/// Memory ran out.
pub fn copy<'s>(cx: Cx<'s>, table: Object<'s>, shape: &frazil::Shape) -> Res<Object<'s>> {
    let to = cx.alloc(shape, 0)?.finish();
    if len(table) > 0 {
        copy_into(cx, to, table)?;
    }
    Ok(to)
}

/// Gives an empty table the entries of another one, which is not empty. From a dict a set takes the keys.
///
/// # Errors
/// The table cannot be changed now, or memory ran out.
pub fn copy_into<'s>(cx: Cx<'s>, to: Object<'s>, table: Object<'s>) -> Res<()> {
    check_writable(cx, to, "insert into")?;
    let (live, used) = (len(table), used(table));
    let (from_stride, to_stride) = (stride(table), stride(to));
    let Some(old) = entries(table).map(Object::references) else { return Ok(()) };
    let mut slots = cx.alloc(&shapes::SLOTS, live * to_stride)?;
    if live == used && from_stride == to_stride {
        for (slot, value) in slots.references_mut().iter_mut().zip(old.iter()) {
            *slot = value;
        }
    } else {
        for (entry, from) in slots.references_mut().chunks_exact_mut(to_stride).zip(positions(table)) {
            for (word, slot) in entry.iter_mut().enumerate() {
                *slot = if word < from_stride { old.get(from * from_stride + word) } else { none() };
            }
        }
    }
    let index = match table.get(INDEX).object() {
        _ if live <= SMALL => None,
        // No entry changes its number, so the index stays right.
        Some(old) if live == used => {
            let mut index = cx.alloc(&shapes::INDEX, old.byte_len())?;
            for (at, cell) in index.bytes_mut().chunks_exact_mut(8).enumerate() {
                cell.copy_from_slice(&old.number::<u64>(at).to_le_bytes());
            }
            Some(index.finish())
        }
        _ => Some(index::make(cx, index::cells_for(live))?),
    };
    store(cx, to, ENTRIES, slots.finish().into())?;
    store(cx, to, INDEX, index.map_or(unset(), Value::from))?;
    set_counts(to, live, live);
    match index {
        Some(index) if live < used => fill_index(cx, to, index),
        _ => Ok(()),
    }
}

// ---------------------------------------------------------------------------------------------- iteration

/// An iteration begins: until it ends, changes are refused.
///
/// # Errors
/// There are too many at once.
pub fn begin_iteration(cx: Cx<'_>, table: Object<'_>) -> Res<()> {
    let Some([word]) = table.raw_cells() else { return Ok(()) };
    match word.get().checked_add(1 << ITERATIONS_SHIFT) {
        Some(packed) => word.set(packed),
        None => fail!("too many iterations over the same hash table at once"),
    }
    cx.heap.guard(table, true);
    Ok(())
}

/// The end of an iteration.
pub fn end_iteration(cx: Cx<'_>, table: Object<'_>) {
    let Some([word]) = table.raw_cells() else { return };
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
