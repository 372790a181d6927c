//! W6, cyclic garbage: doubly linked rings that live for a moment.

use frazil::Shape;

use crate::meter::Meter;
use crate::{Obj, WorkHeap, fresh, safepoint};

const NODE: Shape = Shape::new(1, "node").raw_words(1).references(2).mutable();

/// References of a node.
const NEXT: usize = 0;
const PREVIOUS: usize = 1;

pub fn run(heap: &mut WorkHeap<'_>, meter: &mut Meter, rings: u64, len: u64) -> u32 {
    meter.begin();
    meter.mark();
    let mut sum = 0u32;
    for number in 0..rings {
        safepoint(heap);
        sum = sum.wrapping_add(total(ring(heap, number, len)));
        if number % 10 == 9 {
            meter.mark();
        }
    }
    meter.finish();
    sum
}

#[inline(never)]
fn ring<'s, 'id>(heap: &'s WorkHeap<'id>, number: u64, len: u64) -> Obj<'s, 'id> {
    let node = |value: u64| {
        let mut node = fresh(heap, &NODE);
        node.raw_mut()[0] = value & 1023;
        node
    };
    let link = |from, place, to: Obj<'s, 'id>| heap.store(from, place, to.into()).expect("mutable");
    let first = node(number).finish();
    let mut last = first;
    for place in 1..len {
        let mut fresh = node(number + place);
        fresh.references_mut().copy_from_slice(&[first.into(), last.into()]);
        let new = fresh.finish();
        link(last, NEXT, new);
        last = new;
    }
    link(last, NEXT, first);
    link(first, PREVIOUS, last);
    first
}

#[inline(never)]
fn total(first: Obj<'_, '_>) -> u32 {
    let mut sum = value(first);
    let mut node = next(first);
    while node != first {
        sum = sum.wrapping_add(value(node));
        node = next(node);
    }
    sum
}

#[inline(always)]
fn value(node: Obj<'_, '_>) -> u32 {
    node.shaped(&NODE).expect("a node").raw(0) as u32
}

#[inline(always)]
fn next<'s, 'id>(node: Obj<'s, 'id>) -> Obj<'s, 'id> {
    node.shaped(&NODE).expect("a node").get(NEXT).object().expect("a ring")
}
