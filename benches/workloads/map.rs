//! W4, a persistent map: an AVL tree of which every update copies a path.

use std::cmp::Ordering;

use frazil::Shape;

use crate::meter::Meter;
use crate::{Val, WorkHeap, fresh, object_of, safepoint};

/// Key, value and height share a word (the workload's keys and values are below 2^22), so that a node takes 32 bytes.
const NODE: Shape = Shape::new(1, "node").raw_words(1).references(2);

/// The full-period generator of keys.
const KEYS: u32 = 1 << 22;

fn next_key(key: u32) -> u32 {
    crate::next(key) & (KEYS - 1)
}

pub fn run(heap: &mut WorkHeap<'_>, meter: &mut Meter, keys: u64, pairs: u64) -> u32 {
    assert!(keys + pairs < u64::from(KEYS), "there are only 2^22 keys");
    let base = heap.stack_grow(1).expect("room on the stack");
    let (mut inserted, mut deleted) = (12345, 12345);
    let mut put = |heap: &mut WorkHeap<'_>, value| {
        safepoint(heap);
        inserted = next_key(inserted);
        let tree = &heap.stack_from(base)[0];
        tree.set(insert(heap, inserted, value as u32, tree.get()));
    };
    meter.set_up(|| (0..keys).for_each(|value| put(heap, value)));
    meter.begin();
    meter.mark();
    for pair in 0..pairs {
        deleted = next_key(deleted);
        let tree = &heap.stack_from(base)[0];
        tree.set(remove(heap, deleted, tree.get()));
        put(heap, keys + pair);
        if pair & 63 == 63 {
            meter.mark();
        }
    }
    meter.finish();
    let sum = fold(heap.stack_from(base)[0].get(), 0);
    heap.stack_truncate(base);
    sum
}

/// A node, taken apart.
#[derive(Clone, Copy)]
struct Node<'s, 'id> {
    left: Val<'s, 'id>,
    right: Val<'s, 'id>,
    key: u32,
    value: u32,
    height: u32,
}

#[inline(always)]
fn open<'s, 'id>(tree: Val<'s, 'id>) -> Option<Node<'s, 'id>> {
    let node = object_of(tree, &NODE)?;
    let word = node.raw(0);
    let [key, value, height] = [word >> 40, word >> 8 & 0xffff_ffff, word & 0xff].map(|field| field as u32);
    Some(Node { left: node.get(0), right: node.get(1), key, value, height })
}

#[inline(always)]
fn height(tree: Val<'_, '_>) -> u32 {
    object_of(tree, &NODE).map_or(0, |node| (node.raw(0) & 0xff) as u32)
}

#[inline(always)]
fn node<'s, 'id>(
    heap: &'s WorkHeap<'id>,
    left: Val<'s, 'id>,
    (key, value): (u32, u32),
    right: Val<'s, 'id>,
    height: u32,
) -> Val<'s, 'id> {
    let mut node = fresh(heap, &NODE);
    node.raw_mut()[0] = u64::from(key) << 40 | u64::from(value) << 8 | u64::from(height);
    node.references_mut().copy_from_slice(&[left, right]);
    node.finish().into()
}

#[inline(always)]
fn make<'s, 'id>(
    heap: &'s WorkHeap<'id>,
    left: Val<'s, 'id>,
    entry: (u32, u32),
    right: Val<'s, 'id>,
) -> Val<'s, 'id> {
    node(heap, left, entry, right, height(left).max(height(right)) + 1)
}

/// A node whose subtrees differ in height by at most two, rotated so that they differ by one.
fn balanced<'s, 'id>(
    heap: &'s WorkHeap<'id>,
    left: Val<'s, 'id>,
    entry: (u32, u32),
    right: Val<'s, 'id>,
) -> Val<'s, 'id> {
    let (low, high) = (height(left), height(right));
    if low > high + 1 {
        let l = open(left).expect("it is higher");
        if height(l.left) >= height(l.right) {
            return make(heap, l.left, (l.key, l.value), make(heap, l.right, entry, right));
        }
        let lr = open(l.right).expect("it is higher");
        let outer = make(heap, l.left, (l.key, l.value), lr.left);
        return make(heap, outer, (lr.key, lr.value), make(heap, lr.right, entry, right));
    }
    if high > low + 1 {
        let r = open(right).expect("it is higher");
        if height(r.right) >= height(r.left) {
            return make(heap, make(heap, left, entry, r.left), (r.key, r.value), r.right);
        }
        let rl = open(r.left).expect("it is higher");
        let inner = make(heap, left, entry, rl.left);
        return make(heap, inner, (rl.key, rl.value), make(heap, rl.right, (r.key, r.value), r.right));
    }
    node(heap, left, entry, right, low.max(high) + 1)
}

fn insert<'s, 'id>(heap: &'s WorkHeap<'id>, key: u32, value: u32, tree: Val<'s, 'id>) -> Val<'s, 'id> {
    let Some(n) = open(tree) else { return node(heap, Val::EMPTY, (key, value), Val::EMPTY, 1) };
    let entry = (n.key, n.value);
    match key.cmp(&n.key) {
        Ordering::Less => balanced(heap, insert(heap, key, value, n.left), entry, n.right),
        Ordering::Greater => balanced(heap, n.left, entry, insert(heap, key, value, n.right)),
        Ordering::Equal => node(heap, n.left, (key, value), n.right, n.height),
    }
}

fn remove<'s, 'id>(heap: &'s WorkHeap<'id>, key: u32, tree: Val<'s, 'id>) -> Val<'s, 'id> {
    let Some(n) = open(tree) else { return Val::EMPTY };
    let entry = (n.key, n.value);
    match key.cmp(&n.key) {
        Ordering::Less => balanced(heap, remove(heap, key, n.left), entry, n.right),
        Ordering::Greater => balanced(heap, n.left, entry, remove(heap, key, n.right)),
        Ordering::Equal if n.left == Val::EMPTY => n.right,
        Ordering::Equal if n.right == Val::EMPTY => n.left,
        Ordering::Equal => balanced(heap, n.left, least(n.right), without_least(heap, n.right)),
    }
}

/// The entry with the least key.
fn least(tree: Val<'_, '_>) -> (u32, u32) {
    let mut n = open(tree).expect("a tree with entries");
    while let Some(left) = open(n.left) {
        n = left;
    }
    (n.key, n.value)
}

fn without_least<'s, 'id>(heap: &'s WorkHeap<'id>, tree: Val<'s, 'id>) -> Val<'s, 'id> {
    let n = open(tree).expect("a tree with entries");
    if n.left == Val::EMPTY {
        return n.right;
    }
    balanced(heap, without_least(heap, n.left), (n.key, n.value), n.right)
}

/// A sum that tells the shape of the tree.
fn fold(tree: Val<'_, '_>, sum: u32) -> u32 {
    let Some(n) = open(tree) else { return sum };
    let here = fold(n.left, sum).wrapping_mul(31).wrapping_add(n.key + n.value + n.height);
    fold(n.right, here)
}
