//! W3, build and freeze: hash tables that fill, become immutable arrays, and die after a while.

use frazil::Shape;

use crate::meter::Meter;
use crate::{Obj, Val, WorkHeap, fresh, fresh_of, next, safepoint};

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
            update(heap, object(heap.stack_from(base)[TABLE].get()), key, u64::from(state & 15));
        }
        let slots = heap.stack_from(base);
        let frozen = freeze(heap, object(slots[TABLE].replace(Val::EMPTY)), entries as usize);
        heap.store(object(slots[RING].get()), (round % kept) as usize, frozen.into()).expect("mutable");
        meter.mark();
    }
    let sum = total(object(heap.stack_from(base)[RING].get()));
    heap.stack_truncate(base);
    meter.finish();
    sum
}

fn object<'s, 'id>(value: Val<'s, 'id>) -> Obj<'s, 'id> {
    value.object().expect("a reference")
}

/// The text "key" with a number.
fn key<'s, 'id>(heap: &'s WorkHeap<'id>, mut number: u64) -> Obj<'s, 'id> {
    let mut text = [b'0'; 24];
    let mut start = text.len();
    loop {
        start -= 1;
        text[start] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    start -= 3;
    text[start..start + 3].copy_from_slice(b"key");
    let mut key = fresh_of(heap, &TEXT, text.len() - start);
    key.bytes_mut().copy_from_slice(&text[start..]);
    key.finish()
}

fn hash(key: Obj<'_, '_>) -> u32 {
    key.bytes().iter().fold(0, |hash: u32, &byte| hash.wrapping_mul(31).wrapping_add(u32::from(byte)))
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
    let old = object(table.get());
    if count as usize >= old.reference_count() {
        table.set(doubled(heap, old).into());
    }
    let mut entry = fresh(heap, &ENTRY);
    let hash = hash(key);
    entry.raw_mut()[0] = u64::from(hash);
    entry.references_mut().copy_from_slice(&[key.into(), record.into(), Val::EMPTY]);
    push(heap, object(table.get()), entry.finish());
}

/// Puts an entry before the others of its bucket.
fn push<'id>(heap: &WorkHeap<'id>, buckets: Obj<'_, 'id>, entry: Obj<'_, 'id>) {
    let bucket = entry.raw(0) as usize & (buckets.reference_count() - 1);
    heap.store(entry, NEXT, buckets.get(bucket)).expect("mutable");
    heap.store(buckets, bucket, entry.into()).expect("mutable");
}

fn doubled<'s, 'id>(heap: &'s WorkHeap<'id>, old: Obj<'s, 'id>) -> Obj<'s, 'id> {
    let new = fresh_of(heap, &BUCKETS, 2 * old.reference_count()).finish();
    for mut chain in old.references().iter() {
        while let Some(entry) = chain.object() {
            chain = entry.get(NEXT);
            push(heap, new, entry);
        }
    }
    new
}

/// Finds an entry and replaces its value.
fn update<'id>(heap: &WorkHeap<'id>, buckets: Obj<'_, 'id>, key: Obj<'_, 'id>, more: u64) {
    let hash = hash(key);
    let mut chain = buckets.get(hash as usize & (buckets.reference_count() - 1));
    while let Some(entry) = chain.object() {
        if entry.raw(0) == u64::from(hash) && object(entry.get(KEY)).bytes() == key.bytes() {
            let old = object(entry.get(VALUE));
            let new = record(heap, old.raw(0) + more, old.raw(1) + 1);
            heap.store(entry, VALUE, new.into()).expect("mutable");
            return;
        }
        chain = entry.get(NEXT);
    }
    unreachable!("every key was inserted");
}

/// An immutable array of all pairs, bucket by bucket.
fn freeze<'s, 'id>(heap: &'s WorkHeap<'id>, buckets: Obj<'s, 'id>, entries: usize) -> Obj<'s, 'id> {
    let mut frozen = fresh_of(heap, &FROZEN, entries);
    let mut places = frozen.references_mut().iter_mut();
    for mut chain in buckets.references().iter() {
        while let Some(entry) = chain.object() {
            let mut pair = fresh(heap, &PAIR);
            pair.references_mut().copy_from_slice(&[entry.get(KEY), entry.get(VALUE)]);
            *places.next().expect("room for every entry") = pair.finish().into();
            chain = entry.get(NEXT);
        }
    }
    frozen.finish()
}

/// What every sixteenth array of the ring comes to.
fn total(ring: Obj<'_, '_>) -> u32 {
    let arrays = ring.references().iter().step_by(16).filter_map(|array| array.object());
    arrays.flat_map(|array| array.references().iter()).map(object).fold(0, |sum: u32, pair| {
        let (key, record) = (object(pair.get(0)), object(pair.get(1)));
        sum.wrapping_add((record.raw(0) + record.raw(1)) as u32).wrapping_add(key.byte_len() as u32)
    })
}
