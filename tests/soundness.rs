//! What has broken other memory managers, tried on this one: overflowing counts, lost handles, deep structures
//! on small stacks, heaps that end in the middle of things. See also `sizes.rs` and `exhaustion.rs`.

use std::panic::{AssertUnwindSafe, catch_unwind};

use frazil::{Config, Fresh, Handle, Heap, LowTag, Object, References, Request, Shape, Value, Weak};
use static_assertions::assert_not_impl_any;

const LEAF: Shape = Shape::new(1, "leaf").raw_words(1);
const PAIR: Shape = Shape::new(2, "pair").raw_words(1).references(2);
const CELL: Shape = Shape::new(3, "cell").raw_words(1).references(2).mutable();
const TUPLE: Shape = Shape::new(4, "tuple").references_tail();
const SLOTS: Shape = Shape::new(5, "slots").references_tail().mutable();
const BYTES: Shape = Shape::new(6, "bytes").bytes();

type TestHeap<'id> = Heap<'id, LowTag>;
type Obj<'s, 'id> = Object<'s, 'id, LowTag>;

// Everything belongs to one heap, and so to one thread. (A handle is a number that only its own heap
// understands; it may be sent, to no avail.)
assert_not_impl_any!(TestHeap<'static>: Send, Sync, Clone);
assert_not_impl_any!(Value<'static, 'static, LowTag>: Send, Sync);
assert_not_impl_any!(Obj<'static, 'static>: Send, Sync);
assert_not_impl_any!(Fresh<'static, 'static, LowTag>: Send, Sync, Clone);
assert_not_impl_any!(References<'static, 'static, LowTag>: Send, Sync);
assert_not_impl_any!(Handle<'static>: Sync, Clone);
assert_not_impl_any!(Weak<'static>: Sync, Clone);

fn with_heap<R>(config: Config, f: impl for<'id> FnOnce(TestHeap<'id>) -> R) -> R {
    Heap::branded(config, f).expect("the settings agree")
}

fn leaf<'s, 'id>(heap: &'s TestHeap<'id>, id: u64) -> Obj<'s, 'id> {
    let mut fresh = heap.alloc(&LEAF, 0).unwrap();
    fresh.raw_mut()[0] = id;
    fresh.finish()
}

/// A pair or a cell with one reference.
fn link<'s, 'id>(heap: &'s TestHeap<'id>, shape: &Shape, next: Value<'s, 'id, LowTag>) -> Obj<'s, 'id> {
    let mut fresh = heap.alloc(shape, 0).unwrap();
    fresh.references_mut()[0] = next;
    fresh.finish()
}

fn complete(heap: &mut TestHeap<'_>) {
    heap.collect(Request::Complete);
}

// ---------------------------------------------------------------------- counts

#[test]
fn a_hub_with_a_hundred_thousand_references_is_counted_exactly() {
    const HUB: u64 = 77;
    let count_of = |heap: &mut TestHeap<'_>| {
        let hub =
            heap.census().into_iter().find(|object| object.shape_id == LEAF.id() && object.raw == Some(HUB));
        hub.map(|hub| (hub.count, hub.retained))
    };
    for count_max in [1, 2, 253] {
        with_heap(Config { count_max, ..Config::default() }, |mut heap| {
            let hub = leaf(&heap, HUB);
            let handles = [1, 2, 253, 254, 255, 256, 65_536, 100_000].map(|len| {
                let mut tuple = heap.alloc(&TUPLE, len).unwrap();
                tuple.references_mut().fill(hub.into());
                (len as u64, heap.root(tuple.finish().into()))
            });
            complete(&mut heap);
            let mut expected = handles.iter().map(|(len, _)| len).sum();
            assert_eq!(count_of(&mut heap), Some((expected, false)));
            for (len, handle) in handles {
                heap.unroot(handle);
                complete(&mut heap);
                expected -= len;
                assert_eq!(count_of(&mut heap), (expected > 0).then_some((expected, false)), "without {len}");
            }
            heap.verify().unwrap();
        });
    }
}

// ---------------------------------------------------------------------- handles

#[test]
fn a_lost_handle_keeps_its_object_and_nothing_else() {
    with_heap(Config::STRESS, |mut heap| {
        let _lost = heap.root(link(&heap, &PAIR, leaf(&heap, 1).into()).into());
        let kept = heap.root(leaf(&heap, 2).into());
        complete(&mut heap);
        heap.unroot(kept);
        complete(&mut heap);
        assert_eq!(heap.census().len(), 2, "the pair and its leaf");
        // Its place is not given to anybody else.
        let other = heap.root(leaf(&heap, 3).into());
        complete(&mut heap);
        assert_eq!(heap.rooted(&other).object().unwrap().raw(0), 3);
        assert_eq!((heap.census().len(), heap.handles()), (3, 2));
    });
}

#[test]
fn a_handle_that_was_given_back_makes_room_for_another() {
    with_heap(Config::STRESS, |mut heap| {
        for round in 0..100 {
            let handles: Vec<Handle<'_>> =
                (0..10).map(|id| heap.root(leaf(&heap, round * 10 + id).into())).collect();
            complete(&mut heap);
            for (id, handle) in handles.into_iter().enumerate().rev() {
                assert_eq!(heap.rooted(&handle).object().unwrap().raw(0), round * 10 + id as u64);
                heap.unroot(handle);
            }
        }
        complete(&mut heap);
        assert_eq!((heap.census().len(), heap.handles()), (0, 0));
    });
}

// ---------------------------------------------------------------------- deep structures

/// Runs `f` on a thread whose stack has room for a few hundred frames, not for a frame an object.
fn on_a_small_stack(f: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new().stack_size(256 << 10).spawn(f).unwrap().join().unwrap();
}

/// A chain of `depth` objects is promoted, kept, traced (if mutable), frozen, settled and freed.
fn chain(shape: &'static Shape, depth: usize) {
    on_a_small_stack(move || {
        with_heap(Config::default(), |mut heap| {
            let mut last = Value::EMPTY;
            for _ in 0..depth {
                last = link(&heap, shape, last).into();
            }
            let root = heap.root(last);
            complete(&mut heap);
            assert_eq!(heap.stats().last.old_objects, depth);
            complete(&mut heap);
            assert_eq!(heap.stats().last.traced_objects, if shape.is_mutable() { depth } else { 0 });
            assert_eq!(heap.freeze_deep(heap.rooted(&root)), if shape.is_mutable() { depth } else { 0 });
            complete(&mut heap);
            assert_eq!(heap.stats().last.settled, if shape.is_mutable() { depth } else { 0 });
            complete(&mut heap);
            assert_eq!(heap.stats().last.traced_objects, 0);
            heap.unroot(root);
            complete(&mut heap);
            assert_eq!(heap.stats().last.old_objects, 0);
        });
    });
}

#[test]
fn an_immutable_chain_of_a_million() {
    chain(&PAIR, 1_000_000);
}

#[test]
fn a_mutable_chain_of_a_million() {
    chain(&CELL, 1_000_000);
}

#[test]
#[ignore = "takes a gigabyte"]
fn chains_of_ten_million() {
    chain(&PAIR, 10_000_000);
    chain(&CELL, 10_000_000);
}

/// A ring of mutable objects is one component when frozen, young or old.
#[test]
fn a_ring_of_a_million_settles_as_one() {
    const LEN: usize = 1_000_000;
    on_a_small_stack(|| {
        for frozen_young in [true, false] {
            with_heap(Config::default(), |mut heap| {
                let first = link(&heap, &CELL, Value::EMPTY);
                let mut last = first;
                for _ in 1..LEN {
                    last = link(&heap, &CELL, last.into());
                }
                heap.store(first, 0, last.into()).unwrap();
                let root = heap.root(first.into());
                if !frozen_young {
                    complete(&mut heap);
                }
                assert_eq!(heap.freeze_deep(heap.rooted(&root)), LEN);
                complete(&mut heap);
                assert_eq!((heap.stats().last.settled, heap.stats().last.components), (LEN, 1));
                complete(&mut heap);
                assert_eq!((heap.stats().last.old_objects, heap.stats().last.traced_objects), (LEN, 0));
                heap.unroot(root);
                complete(&mut heap);
                assert_eq!(heap.stats().last.old_objects, 0);
            });
        }
    });
}

// ---------------------------------------------------------------------- allocation without collection

/// Allocation never moves anything, however late the host collects.
#[test]
fn values_stay_while_the_heap_grows() {
    with_heap(Config { nursery_bytes: 4 << 10, ..Config::default() }, |mut heap| {
        let first = leaf(&heap, 42);
        let list = heap.alloc(&SLOTS, 5000).unwrap().finish();
        for index in 0..5000 {
            // 80 MiB in all: more than the first range of the nursery.
            let bytes = heap.alloc(&BYTES, 1000 + index * 6).unwrap().finish();
            heap.store(list, index, bytes.into()).unwrap();
        }
        assert!(heap.should_collect());
        assert_eq!(first.raw(0), 42);
        let root = heap.root(list.into());
        complete(&mut heap);
        let list = heap.rooted(&root).object().unwrap();
        assert!((0..5000).all(|index| list.get(index).object().unwrap().byte_len() == 1000 + index * 6));
        assert_eq!(heap.stats().last.old_objects, 5001);
    });
}

#[test]
fn an_object_that_was_never_finished_is_gone() {
    with_heap(Config::STRESS, |mut heap| {
        let child = leaf(&heap, 1);
        let mut unfinished = heap.alloc(&PAIR, 0).unwrap();
        unfinished.references_mut()[0] = child.into();
        heap.alloc(&SLOTS, 10_000).unwrap();
        complete(&mut heap);
        assert_eq!(heap.census().len(), 0);
    });
}

// ---------------------------------------------------------------------- heaps that end

#[test]
fn heaps_end_in_the_middle_of_things() {
    for _ in 0..20 {
        let unwound = catch_unwind(|| {
            with_heap(Config::STRESS, |mut heap| {
                let cell = link(&heap, &CELL, Value::EMPTY);
                heap.store(cell, 0, cell.into()).unwrap();
                heap.finalize(cell, 1);
                let (_lost, _weak) = (heap.root(cell.into()), heap.weak(cell));
                complete(&mut heap);
                heap.alloc(&SLOTS, 100_000).unwrap();
                panic!("in the middle of things");
            })
        });
        assert!(unwound.is_err());
    }
}

#[test]
fn two_heaps_know_nothing_of_each_other() {
    with_heap(Config::STRESS, |mut one| {
        with_heap(Config::STRESS, |mut other| {
            let (a, b) = (one.root(leaf(&one, 1).into()), other.root(leaf(&other, 2).into()));
            for _ in 0..10 {
                complete(&mut one);
                complete(&mut other);
                complete(&mut one);
            }
            assert_eq!(one.rooted(&a).object().unwrap().raw(0), 1);
            assert_eq!(other.rooted(&b).object().unwrap().raw(0), 2);
        });
        complete(&mut one);
        assert_eq!(one.census().len(), 1);
    });
}

/// An observer is called when everything is in order again; what it does can break nothing.
#[test]
fn an_observer_that_panics() {
    with_heap(Config::STRESS, |mut heap| {
        let root = heap.root(leaf(&heap, 5).into());
        heap.observe(|_| panic!("I have seen enough"));
        assert!(catch_unwind(AssertUnwindSafe(|| complete(&mut heap))).is_err());
        heap.verify().unwrap();
        heap.observe(|_| {});
        complete(&mut heap);
        assert_eq!(heap.rooted(&root).object().unwrap().raw(0), 5);
    });
}
