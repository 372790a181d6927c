//! W2, an old tree and short-lived lists: what does the old heap cost those who don't touch it?

use frazil::Shape;

use crate::meter::Meter;
use crate::{Val, WorkHeap, fresh, object_of, safepoint};

const NODE: Shape = Shape::new(1, "node").raw_words(1).references(2);
const CELL: Shape = Shape::new(2, "cell").raw_words(1).references(1);

const LIST: u64 = 100;

/// Subtrees of at most this many nodes are made without a safepoint.
const AT_ONCE: u64 = 1 << 10;

pub fn run(heap: &mut WorkHeap<'_>, meter: &mut Meter, nodes: u64, cells: u64) -> u32 {
    let base = heap.stack_len();
    meter.set_up(|| build(heap, 0, nodes));
    meter.begin();
    meter.mark();
    let mut sum = 0u32;
    for round in 0..cells / LIST {
        safepoint(heap);
        sum = sum.wrapping_add(total(list(heap, round)));
        if round % 100 == 99 {
            meter.mark();
        }
    }
    meter.finish();
    sum = sum.wrapping_add(keys(heap.stack_from(base)[0].get(), 0));
    heap.stack_truncate(base);
    sum
}

/// The balanced tree over the keys `low..high`, on top of the root stack.
fn build(heap: &mut WorkHeap<'_>, low: u64, high: u64) {
    if high - low <= AT_ONCE {
        safepoint(heap);
        let base = heap.stack_grow(1).expect("room on the stack");
        heap.stack_from(base)[0].set(build_at_once(heap, low, high));
        return;
    }
    let middle = low.midpoint(high);
    build(heap, low, middle);
    build(heap, middle + 1, high);
    let base = heap.stack_len() - 2;
    let slots = heap.stack_from(base);
    slots[0].set(node(heap, slots[0].get(), middle, slots[1].get()));
    heap.stack_truncate(base + 1);
}

fn build_at_once<'s, 'id>(heap: &'s WorkHeap<'id>, low: u64, high: u64) -> Val<'s, 'id> {
    if low >= high {
        return Val::EMPTY;
    }
    let middle = low.midpoint(high);
    let left = build_at_once(heap, low, middle);
    node(heap, left, middle, build_at_once(heap, middle + 1, high))
}

fn node<'s, 'id>(heap: &'s WorkHeap<'id>, left: Val<'s, 'id>, key: u64, right: Val<'s, 'id>) -> Val<'s, 'id> {
    let mut node = fresh(heap, &NODE);
    node.raw_mut()[0] = key;
    node.references_mut().copy_from_slice(&[left, right]);
    node.finish().into()
}

fn keys(tree: Val<'_, '_>, sum: u32) -> u32 {
    match object_of(tree, &NODE) {
        Some(node) => {
            let sum = keys(node.get(0), sum).wrapping_add(node.raw(0) as u32);
            keys(node.get(1), sum)
        }
        None => sum,
    }
}

#[inline(never)]
fn list<'s, 'id>(heap: &'s WorkHeap<'id>, round: u64) -> Val<'s, 'id> {
    heap.burst(|burst| {
        let mut list = Val::EMPTY;
        for place in 0..LIST {
            let mut cell = burst.alloc(&CELL, 0).expect("the machine has the memory");
            cell.raw_mut()[0] = (round + place) & 1023;
            cell.references_mut()[0] = list;
            list = cell.finish().into();
        }
        list
    })
}

#[inline(never)]
fn total(mut list: Val<'_, '_>) -> u32 {
    let mut sum = 0u32;
    while let Some(cell) = object_of(list, &CELL) {
        sum = sum.wrapping_add(cell.raw(0) as u32);
        list = cell.get(0);
    }
    sum
}
