//! What changes a table. Everything is allocated before anything is written, so a change that fails changed nothing.

use crate::cx::Cx;
use crate::data::{hash, index};
use crate::failure::{Failure, Res, fail};
use crate::value::{Object, Shaped, Value, ValueExt, none, shapes, unset};

use super::{
    COUNT_MASK, ENTRIES, INDEX, SMALL, entries, fields, fill_index, find, find_hashed, index_of, key, len,
    positions, set_counts, stride, used,
};

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
    let hash = match index_of(table) {
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
fn store<'s>(cx: Cx<'s>, slots: Shaped<'s>, at: usize, value: Value<'s>) -> Res<()> {
    cx.heap.store_shaped(slots, at, value).map_err(|error| Failure::store(error, "insert into", "hash table"))
}

/// Adds an entry that is not there yet. `hash` is only looked at if the table has an index.
fn append<'s>(cx: Cx<'s>, table: Object<'s>, key: Value<'s>, value: Value<'s>, hash: u64) -> Res<()> {
    let stride = stride(table);
    let capacity = entries(table).map_or(0, |slots| slots.reference_count() / stride);
    if used(table) == capacity {
        grow(cx, table, capacity)?;
    }
    let (live, position) = (len(table), used(table));
    if let Some(index) = index_of(table) {
        if index::cells_for(position + 1) > index::cells(index) {
            rebuild_index(cx, table, index::cells_for(position + 1))?;
        }
        // `grow` may have made the first index, so the caller may not know the hash.
        let hash = if capacity <= SMALL { hash::hash(cx, key)? } else { hash };
        if let Some(cells) = index_of(table).and_then(Object::cells::<u32>) {
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
fn grow<'s>(cx: Cx<'s>, table: Object<'s>, capacity: usize) -> Res<()> {
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
        old.references().copy_to(&mut slots.references_mut()[..old.reference_count()]);
    }
    let index = match index_of(table) {
        None if grown > SMALL => {
            let index = index::make(cx, index::cells_for(grown))?;
            fill_index(cx, table, index)?;
            Some(index)
        }
        _ => None,
    };
    store(cx, fields(table), ENTRIES, slots.finish().into())?;
    if let Some(index) = index {
        store(cx, fields(table), INDEX, index.into())?;
    }
    Ok(())
}

fn rebuild_index<'s>(cx: Cx<'s>, table: Object<'s>, cells: usize) -> Res<()> {
    let index = index::make(cx, cells)?;
    fill_index(cx, table, index)?;
    store(cx, fields(table), INDEX, index.into())
}

/// Moves all entries to the front of new slots.
fn squeeze<'s>(cx: Cx<'s>, table: Object<'s>) -> Res<()> {
    let Some(old) = entries(table) else { return Ok(()) };
    let (stride, live) = (stride(table), len(table));
    let capacity = old.reference_count() / stride;
    let new_capacity = if live * 4 < capacity { (live * 2).max(4) } else { capacity };
    let mut slots = cx.alloc(&shapes::SLOTS, new_capacity * stride)?;
    let index = match index_of(table) {
        Some(_) if new_capacity > SMALL => Some(index::make(cx, index::cells_for(new_capacity))?),
        _ => None,
    };
    let from = positions(table);
    for (to, from) in slots.references_mut().chunks_exact_mut(stride).zip(from) {
        for (word, slot) in to.iter_mut().enumerate() {
            *slot = old.get(from * stride + word);
        }
    }
    store(cx, fields(table), ENTRIES, slots.finish().into())?;
    store(cx, fields(table), INDEX, index.map_or(unset(), Value::from))?;
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
    // Most of the room must not be that of deleted entries.
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
    let used = if position + 1 == used && index_of(table).is_none() { position } else { used };
    set_counts(table, live - 1, used);
    Ok(removed)
}

/// What it costs to squeeze an entry, as often as it costs to walk over a deleted one; twice.
const SQUEEZE_COST: usize = 24;

/// Removes the first entry, which is at this position. Whoever takes one entry after the other from the front walks over the
/// deleted ones each time: when that has cost as much as squeezing them out, they go.
///
/// # Errors
/// Memory ran out; then nothing has changed.
pub fn remove_first<'s>(cx: Cx<'s>, table: Object<'s>, position: usize) -> Res<Value<'s>> {
    if position.saturating_mul(position) > SQUEEZE_COST * used(table) {
        squeeze(cx, table)?;
        return remove_at(cx, table, 0);
    }
    remove_at(cx, table, position)
}

/// Removes all entries.
///
/// # Errors
/// The table cannot be changed now.
pub fn clear<'s>(cx: Cx<'s>, table: Object<'s>) -> Res<()> {
    check_writable(cx, table, "clear")?;
    store(cx, fields(table), ENTRIES, unset())?;
    store(cx, fields(table), INDEX, unset())?;
    set_counts(table, 0, 0);
    Ok(())
}

/// Gives a table the entries of another one of the same type, which must not be used afterwards. Allocates nothing.
///
/// # Errors
/// The table cannot be changed now.
pub fn adopt<'s>(cx: Cx<'s>, to: Object<'s>, from: Object<'s>) -> Res<()> {
    store(cx, fields(to), ENTRIES, from.get(ENTRIES))?;
    store(cx, fields(to), INDEX, from.get(INDEX))?;
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
    let Some(old) = entries(table).map(Shaped::references) else { return Ok(()) };
    let mut slots = cx.alloc(&shapes::SLOTS, live * to_stride)?;
    if live == used && from_stride == to_stride {
        old.first(live * to_stride).copy_to(slots.references_mut());
    } else {
        for (entry, from) in slots.references_mut().chunks_exact_mut(to_stride).zip(positions(table)) {
            for (word, slot) in entry.iter_mut().enumerate() {
                *slot = if word < from_stride { old.get(from * from_stride + word) } else { none() };
            }
        }
    }
    let index = match index_of(table) {
        _ if live <= SMALL => None,
        // No entry changes its number, so the index stays right.
        Some(old) if live == used => {
            let mut index = cx.alloc(&shapes::INDEX, old.byte_len())?;
            old.copy_bytes_to(index.bytes_mut());
            Some(index.finish())
        }
        _ => Some(index::make(cx, index::cells_for(live))?),
    };
    store(cx, fields(to), ENTRIES, slots.finish().into())?;
    store(cx, fields(to), INDEX, index.map_or(unset(), Value::from))?;
    set_counts(to, live, live);
    match index {
        Some(index) if live < used => fill_index(cx, to, index),
        _ => Ok(()),
    }
}
