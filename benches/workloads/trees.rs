//! W1, binary trees: half of all nodes are leaves, every tree dies whole.

use frazil::Shape;

use crate::meter::Meter;
use crate::{Obj, Val, WorkHeap, fresh, object_of, safepoint};

const NODE: Shape = Shape::new(1, "node").references(2);

/// Trees up to this depth (4095 nodes, 96 KiB) are made without a safepoint; their nodes stay in registers.
const AT_ONCE: u64 = 11;

pub fn run(heap: &mut WorkHeap<'_>, meter: &mut Meter, depth: u64) -> u32 {
    meter.begin();
    let base = heap.stack_grow(1).expect("room on the stack");
    let mut sum = 0u32;
    let mut temporary = |heap: &mut WorkHeap<'_>, depth| {
        make(heap, depth);
        let base = heap.stack_len() - 1;
        let nodes = check(heap.stack_from(base)[0].get());
        heap.stack_truncate(base);
        sum = sum.wrapping_add(nodes);
    };
    temporary(heap, depth + 1);
    make(heap, depth);
    for small in (4..=depth).step_by(2) {
        for _ in 0..1u64 << (depth - small + 4) {
            temporary(heap, small);
        }
    }
    sum = sum.wrapping_add(check(heap.stack_from(base + 1)[0].get()));
    heap.stack_truncate(base);
    meter.finish();
    sum
}

/// A tree of this depth, on top of the root stack.
fn make(heap: &mut WorkHeap<'_>, depth: u64) {
    if depth <= AT_ONCE {
        safepoint(heap);
        let base = heap.stack_grow(1).expect("room on the stack");
        heap.stack_from(base)[0].set(make_at_once(heap, depth).into());
        return;
    }
    make(heap, depth - 1);
    make(heap, depth - 1);
    let base = heap.stack_len() - 2;
    let slots = heap.stack_from(base);
    slots[0].set(node(heap, slots[0].get(), slots[1].get()).into());
    heap.stack_truncate(base + 1);
}

#[inline(never)]
fn make_at_once<'s, 'id>(heap: &'s WorkHeap<'id>, depth: u64) -> Obj<'s, 'id> {
    if depth == 0 {
        return node(heap, Val::EMPTY, Val::EMPTY);
    }
    let left = make_at_once(heap, depth - 1);
    let right = make_at_once(heap, depth - 1);
    node(heap, left.into(), right.into())
}

#[inline(always)]
fn node<'s, 'id>(heap: &'s WorkHeap<'id>, left: Val<'s, 'id>, right: Val<'s, 'id>) -> Obj<'s, 'id> {
    let mut node = fresh(heap, &NODE);
    node.references_mut().copy_from_slice(&[left, right]);
    node.finish()
}

/// How many nodes.
#[inline(never)]
fn check(tree: Val<'_, '_>) -> u32 {
    match object_of(tree, &NODE) {
        Some(node) => 1 + check(node.get(0)) + check(node.get(1)),
        None => 0,
    }
}
