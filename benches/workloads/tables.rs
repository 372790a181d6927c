//! W3, build and freeze: hash tables that fill, become immutable arrays, and die after a while.

use frazil::Shape;

use crate::meter::Meter;
use crate::{Obj, Val, View, WorkHeap, fresh, fresh_of, lull, next, object_of, safepoint};

const TEXT: Shape = Shape::new(1, "text").bytes();
const RECORD: Shape = Shape::new(2, "record").raw_words(2);
const ENTRY: Shape = Shape::new(3, "entry").raw_words(1).references(3).mutable();
const BUCKETS: Shape = Shape::new(4, "buckets").references_tail().mutable();
const PAIR: Shape = Shape::new(5, "pair").references(2);
const FROZEN: Shape = Shape::new(6, "frozen").references_tail();

/// References of an entry.
const KEY: usize = 0;
const VALUE: usize = 1;
const NEXT: usize = 2;

/// The table's place on the root stack, from its first word: the ring, and the buckets.
const RING: usize = 0;
const TABLE: usize = 1;

/// Inserts or updates between two safepoints.
const BATCH: u64 = 250;

pub fn run(heap: &mut WorkHeap<'_>, meter: &mut Meter, rounds: u64, entries: u64, kept: u64) -> u32 {
    meter.begin();
    let base = heap.stack_grow(2).expect("room on the stack");
    heap.stack_from(base)[RING].set(fresh_of(heap, &BUCKETS, kept as usize).finish().into());
    let mut state = 12345;
    meter.mark();
    for round in 0..rounds {
        heap.stack_from(base)[TABLE].set(fresh_of(heap, &BUCKETS, 16).finish().into());
        for number in 0..entries {
            if number.is_multiple_of(BATCH) {
                safepoint(heap);
            }
            let key = key(heap, round * entries + number);
            let record = record(heap, number, round);
            insert(heap, base, number, key, record);
        }
        for step in 0..4 * entries {
            if step.is_multiple_of(BATCH) {
                safepoint(heap);
            }
            state = next(state);
            let key = key(heap, round * entries + u64::from(state >> 8) % entries);
            update(heap, buckets(heap.stack_from(base)[TABLE].get()), key, u64::from(state & 15));
        }
        let slots = heap.stack_from(base);
        let frozen = freeze(heap, buckets(slots[TABLE].replace(Val::EMPTY)), entries as usize);
        let ring = buckets(slots[RING].get());
        heap.store_shaped(ring, (round % kept) as usize, frozen.into()).expect("mutable");
        lull(heap);
        meter.mark();
    }
    let sum = total(heap.stack_from(base)[RING].get());
    heap.stack_truncate(base);
    meter.finish();
    sum
}

fn buckets<'s, 'id>(value: Val<'s, 'id>) -> View<'s, 'id> {
    object_of(value, &BUCKETS).expect("a table")
}

fn text<'s, 'id>(value: Val<'s, 'id>) -> &'s [u8] {
    object_of(value, &TEXT).expect("a text").bytes()
}

/// The text "key" with a number.
fn key<'s, 'id>(heap: &'s WorkHeap<'id>, mut number: u64) -> Obj<'s, 'id> {
    let digits = (number | 1).ilog10() as usize + 1;
    let mut key = fresh_of(heap, &TEXT, 3 + digits);
    let (name, places) = key.bytes_mut().split_at_mut(3);
    name.copy_from_slice(b"key");
    for place in places.iter_mut().rev() {
        *place = b'0' + (number % 10) as u8;
        number /= 10;
    }
    key.finish()
}

fn hash(key: &[u8]) -> u32 {
    key.iter().fold(0, |hash: u32, &byte| hash.wrapping_mul(31).wrapping_add(u32::from(byte)))
}

fn record<'s, 'id>(heap: &'s WorkHeap<'id>, a: u64, b: u64) -> Obj<'s, 'id> {
    let mut record = fresh(heap, &RECORD);
    record.raw_mut().copy_from_slice(&[a, b]);
    record.finish()
}

/// Adds an entry to the table of `count` entries, after doubling its buckets if they are full.
fn insert<'s, 'id>(
    heap: &'s WorkHeap<'id>,
    base: usize,
    count: u64,
    key: Obj<'s, 'id>,
    record: Obj<'s, 'id>,
) {
    let table = &heap.stack_from(base)[TABLE];
    let old = buckets(table.get());
    if count as usize >= old.reference_count() {
        table.set(doubled(heap, old));
    }
    let mut entry = fresh(heap, &ENTRY);
    entry.raw_mut()[0] = u64::from(hash(text(key.into())));
    entry.references_mut().copy_from_slice(&[key.into(), record.into(), Val::EMPTY]);
    push(heap, buckets(table.get()), entry.finish().into());
}

/// Puts an entry before the others of its bucket.
fn push<'id>(heap: &WorkHeap<'id>, buckets: View<'_, 'id>, value: Val<'_, 'id>) {
    let entry = object_of(value, &ENTRY).expect("an entry");
    let bucket = entry.raw(0) as usize & (buckets.reference_count() - 1);
    heap.store_shaped(entry, NEXT, buckets.get(bucket)).expect("mutable");
    heap.store_shaped(buckets, bucket, value).expect("mutable");
}

fn doubled<'s, 'id>(heap: &'s WorkHeap<'id>, old: View<'s, 'id>) -> Val<'s, 'id> {
    let new = fresh_of(heap, &BUCKETS, 2 * old.reference_count()).finish().into();
    for mut chain in old.references().iter() {
        while let Some(entry) = object_of(chain, &ENTRY) {
            let next = entry.get(NEXT);
            push(heap, buckets(new), chain);
            chain = next;
        }
    }
    new
}

/// Finds an entry and replaces its value.
fn update<'id>(heap: &WorkHeap<'id>, buckets: View<'_, 'id>, key: Obj<'_, 'id>, more: u64) {
    let key = text(key.into());
    let hash = hash(key);
    let mut chain = buckets.get(hash as usize & (buckets.reference_count() - 1));
    while let Some(entry) = object_of(chain, &ENTRY) {
        if entry.raw(0) == u64::from(hash) && text(entry.get(KEY)) == key {
            let old = object_of(entry.get(VALUE), &RECORD).expect("a record");
            let new = record(heap, old.raw(0) + more, old.raw(1) + 1);
            heap.store_shaped(entry, VALUE, new.into()).expect("mutable");
            return;
        }
        chain = entry.get(NEXT);
    }
    unreachable!("every key was inserted");
}

/// An immutable array of all pairs, bucket by bucket.
fn freeze<'s, 'id>(heap: &'s WorkHeap<'id>, buckets: View<'s, 'id>, entries: usize) -> Obj<'s, 'id> {
    let mut frozen = fresh_of(heap, &FROZEN, entries);
    let mut places = frozen.references_mut().iter_mut();
    for mut chain in buckets.references().iter() {
        while let Some(entry) = object_of(chain, &ENTRY) {
            let mut pair = fresh(heap, &PAIR);
            pair.references_mut().copy_from_slice(&[entry.get(KEY), entry.get(VALUE)]);
            *places.next().expect("room for every entry") = pair.finish().into();
            chain = entry.get(NEXT);
        }
    }
    frozen.finish()
}

/// What every sixteenth array of the ring comes to.
fn total(ring: Val<'_, '_>) -> u32 {
    let arrays = buckets(ring).references().iter().step_by(16).filter_map(|array| object_of(array, &FROZEN));
    arrays.flat_map(|array| array.references().iter()).fold(0, |sum: u32, pair| {
        let pair = object_of(pair, &PAIR).expect("a pair");
        let record = object_of(pair.get(1), &RECORD).expect("a record");
        let key = text(pair.get(0));
        sum.wrapping_add((record.raw(0) + record.raw(1)) as u32).wrapping_add(key.len() as u32)
    })
}
