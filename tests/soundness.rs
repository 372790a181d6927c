//! What has broken other memory managers, tried on this one: overflowing counts, lost handles, deep structures
//! on small stacks, odd sizes, memory that is refused, heaps that end in the middle of things.

use std::panic::{AssertUnwindSafe, catch_unwind};

use frazil::{
    AllocError, BlockBytes, Config, Fresh, Handle, Heap, LowTag, Object, ObjectKind, References, Request,
    Shape, StoreError, Value, Weak,
};
use static_assertions::assert_not_impl_any;

const LEAF: Shape = Shape::new(1, "leaf").raw_words(1);
const PAIR: Shape = Shape::new(2, "pair").raw_words(1).references(2);
const CELL: Shape = Shape::new(3, "cell").raw_words(1).references(2).mutable();
const TUPLE: Shape = Shape::new(4, "tuple").references_tail();
const SLOTS: Shape = Shape::new(5, "slots").references_tail().mutable();
const BYTES: Shape = Shape::new(6, "bytes").bytes();
const BUFFER: Shape = Shape::new(7, "buffer").bytes().mutable();
const TEXT: Shape = Shape::new(8, "text").text();

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
    heap.collect(Request::Complete).unwrap();
}

// ---------------------------------------------------------------------- counts

#[test]
fn a_hub_with_a_hundred_thousand_references_is_counted_exactly() {
    const HUB: u64 = 77;
    let count_of = |heap: &TestHeap<'_>| {
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
            assert_eq!(count_of(&heap), Some((expected, false)));
            for (len, handle) in handles {
                heap.unroot(handle);
                complete(&mut heap);
                expected -= len;
                assert_eq!(count_of(&heap), (expected > 0).then_some((expected, false)), "without {len}");
            }
            heap.verify().unwrap();
        });
    }
}

// ---------------------------------------------------------------------- handles

#[test]
fn a_lost_handle_keeps_its_object_and_nothing_else() {
    with_heap(Config::STRESS, |mut heap| {
        let lost = heap.root(link(&heap, &PAIR, leaf(&heap, 1).into()).into());
        let kept = heap.root(leaf(&heap, 2).into());
        drop(lost);
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

// ---------------------------------------------------------------------- memory that is refused

#[test]
fn a_heap_at_its_limit_can_be_used_again() {
    for block_bytes in BlockBytes::ALL {
        let limit = 1 << 20;
        with_heap(Config { block_bytes, limit_bytes: Some(limit), ..Config::default() }, |mut heap| {
            for (shape, len) in [(&LEAF, 0), (&SLOTS, 100), (&BYTES, 1000), (&BYTES, 100_000)] {
                let mut handles = Vec::new();
                let error = loop {
                    match heap.alloc(shape, len) {
                        Ok(fresh) => handles.push(heap.root(fresh.finish().into())),
                        Err(error) if heap.should_collect() && handles.len().is_multiple_of(2) => {
                            break error;
                        }
                        // At the limit, too, a collection does no harm: everything is held.
                        Err(_) => {
                            handles.push(heap.root(Value::EMPTY));
                            complete(&mut heap);
                        }
                    }
                };
                assert!(matches!(error, AllocError::Limit { limit: 1_048_576, .. }), "{error}");
                assert!(handles.len() * len < 2 * limit, "{} of {len} are too many", handles.len());
                let objects =
                    handles.len() - handles.iter().filter(|&h| heap.rooted(h).object().is_none()).count();
                complete(&mut heap);
                assert_eq!(heap.stats().last.old_objects, objects);
                handles.into_iter().for_each(|handle| heap.unroot(handle));
                complete(&mut heap);
                assert_eq!(heap.stats().last.old_objects, 0);
                heap.verify().unwrap();
            }
        });
    }
}

#[test]
fn absurd_sizes_are_refused_and_do_no_harm() {
    with_heap(Config { limit_bytes: Some(1 << 20), ..Config::default() }, |mut heap| {
        let too_long = |error: Option<AllocError>| matches!(error, Some(AllocError::TooLong { .. }));
        assert!(too_long(heap.alloc(&TUPLE, usize::MAX).err()));
        assert!(too_long(heap.alloc(&BYTES, u32::MAX as usize + 1).err()));
        for shape in [&TUPLE, &SLOTS, &BYTES, &BUFFER] {
            let error = heap.alloc(shape, u32::MAX as usize).err();
            assert!(matches!(error, Some(AllocError::Limit { .. })), "{error:?}");
        }
        leaf(&heap, 1);
        complete(&mut heap);
        heap.verify().unwrap();
    });
}

/// Runs the ignored test `name` in a process with so many KiB of address space.
fn in_little_memory(name: &str, kib: u32) {
    let this = std::env::current_exe().expect("a test knows its own file");
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", &format!("ulimit -v {kib}; exec \"$0\" \"$@\"")]).arg(this);
    let output = shell.args(["--ignored", "--exact", "--test-threads=1", name]).output().expect("sh starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn memory_that_the_system_refuses() {
    in_little_memory("the_system_refuses_memory", 300 << 10);
}

#[test]
#[ignore = "it is run by another test, with little memory"]
fn the_system_refuses_memory() {
    with_heap(Config::default(), |mut heap| {
        for round in 0..2 {
            let mut handles = Vec::new();
            let error = loop {
                match heap.alloc(&BYTES, 4 << 20) {
                    Ok(fresh) => handles.push(heap.root(fresh.finish().into())),
                    Err(error) => break error,
                }
            };
            assert!(matches!(error, AllocError::System { .. }), "{error}");
            assert!(handles.len() > 10, "only {}", handles.len());
            leaf(&heap, round);
            // Whether the collection gets its memory or not, nothing is lost.
            let _ = heap.collect(Request::Complete);
            let lens = handles.iter().map(|handle| heap.rooted(handle).object().unwrap().byte_len());
            assert!(lens.into_iter().all(|len| len == 4 << 20));
            handles.into_iter().for_each(|handle| heap.unroot(handle));
            complete(&mut heap);
            assert_eq!(heap.stats().last.old_objects, 0);
            heap.verify().unwrap();
        }
    });
}

// ---------------------------------------------------------------------- sizes

/// Objects of one size, some of which die, and what they hold.
struct Sample<'id> {
    handles: Vec<(u64, usize, Handle<'id>)>,
    next: u64,
}

impl<'id> Sample<'id> {
    /// An object with `words` raw words, references or words of bytes, as `layout` says.
    fn make(&mut self, heap: &TestHeap<'id>, layout: usize, size: usize) {
        let seed = self.next;
        self.next += 1;
        let object = match layout {
            0 => {
                let mut fresh = heap.alloc(&BYTES, size).unwrap();
                let bytes = fresh.bytes_mut().iter_mut().enumerate();
                bytes.for_each(|(at, byte)| *byte = (seed as usize * 7 + at) as u8);
                fresh.finish()
            }
            1 => {
                let mut fresh = heap.alloc(&SLOTS, size / 8).unwrap();
                let slots = fresh.references_mut().iter_mut().enumerate();
                slots.for_each(|(at, slot)| *slot = Value::immediate((seed + at as u64) << 3 | 1));
                fresh.finish()
            }
            _ => {
                let shape =
                    Shape::new(9, "fixed").raw_words(size.min(63)).references(size.saturating_sub(63));
                let mut fresh = heap.alloc(&shape, 0).unwrap();
                fresh.raw_mut().iter_mut().for_each(|word| *word = seed);
                fresh.references_mut().fill(Value::immediate(seed << 3 | 1));
                fresh.finish()
            }
        };
        self.handles.push((seed, layout, heap.root(object.into())));
    }

    fn check(&self, heap: &TestHeap<'id>, size: usize) {
        for (seed, layout, handle) in &self.handles {
            let object = heap.rooted(handle).object().unwrap();
            let mut references = object.references().iter().enumerate();
            let right = match layout {
                0 => {
                    object.byte_len() == size
                        && object
                            .bytes()
                            .iter()
                            .enumerate()
                            .all(|(at, &byte)| byte == (*seed as usize * 7 + at) as u8)
                }
                1 => {
                    object.reference_count() == size / 8
                        && references
                            .all(|(at, value)| value == Value::immediate((seed + at as u64) << 3 | 1))
                }
                _ => {
                    (0..size.min(63)).all(|at| object.raw(at) == *seed)
                        && object.reference_count() == size.saturating_sub(63)
                        && references.all(|(_, value)| value == Value::immediate(seed << 3 | 1))
                }
            };
            assert!(right, "object {seed} of layout {layout} and size {size}: {object:?}");
        }
    }
}

/// Objects of this size live, move, die among others and are replaced.
fn one_size(heap: &mut TestHeap<'_>, layouts: &[usize], size: usize) {
    let mut objects = Sample { handles: Vec::new(), next: 0 };
    for round in 0..3 {
        for _ in 0..3 {
            layouts.iter().for_each(|&layout| objects.make(heap, layout, size));
        }
        heap.collect(if round == 1 { Request::Short } else { Request::Complete }).unwrap();
        objects.check(heap, size);
        for index in (0..objects.handles.len()).rev().step_by(2) {
            heap.unroot(objects.handles.remove(index).2);
        }
    }
    complete(heap);
    objects.check(heap, size);
    objects.handles.into_iter().for_each(|(_, _, handle)| heap.unroot(handle));
    complete(heap);
    assert_eq!(heap.stats().last.old_objects, 0, "size {size}");
}

fn config_of_sizes(block_bytes: BlockBytes) -> Config {
    Config { block_bytes, short_collections: true, ..Config::default() }
}

#[test]
fn every_small_size_comes_through() {
    for block in BlockBytes::ALL {
        with_heap(config_of_sizes(block), |mut heap| {
            for words in 0..=70 {
                one_size(&mut heap, &[2], words);
            }
            for bytes in 0..200 {
                one_size(&mut heap, &[0, 1], bytes);
            }
            heap.verify().unwrap();
        });
    }
}

#[test]
fn every_class_boundary_comes_through() {
    for block in BlockBytes::ALL {
        let classes = (0..blocks::classes::CLASSES as u8).map(|class| blocks::classes::Class(class).bytes());
        let mut boundaries: Vec<usize> = classes.filter(|&bytes| bytes <= block.get() / 2).collect();
        // Blocks of its own, a chunk's share, a mapping of its own.
        boundaries.extend([1, 2, 3].map(|count| count * block.get()));
        boundaries.extend([512 << 10, 1 << 20, 3 << 20]);
        with_heap(config_of_sizes(block), |mut heap| {
            for boundary in boundaries {
                // The header and the bytes behind a large object's end count as well.
                let beside = [boundary - boundary / 1024 - 8, boundary - 16, boundary - 8, boundary];
                for size in beside.into_iter().flat_map(|size| [size.saturating_sub(1), size, size + 1]) {
                    one_size(&mut heap, if boundary < 100 << 10 { &[0, 1] } else { &[0] }, size);
                }
            }
            heap.verify().unwrap();
        });
    }
}

#[test]
fn empty_objects_are_objects() {
    with_heap(Config::STRESS, |mut heap| {
        let shapes = [&TUPLE, &SLOTS, &BYTES, &BUFFER];
        let mut handles: Vec<Handle<'_>> =
            shapes.iter().map(|shape| heap.root(heap.alloc(shape, 0).unwrap().finish().into())).collect();
        handles.push(heap.root(heap.text(&TEXT, "").unwrap().into()));
        for _ in 0..3 {
            complete(&mut heap);
            let objects: Vec<Obj<'_, '_>> =
                handles.iter().map(|handle| heap.rooted(handle).object().unwrap()).collect();
            for (index, object) in objects.iter().enumerate() {
                assert!(objects[..index].iter().all(|other| other != object), "two objects in one place");
                assert_eq!((object.reference_count(), object.byte_len()), (0, 0));
                heap.freeze(*object);
            }
            assert_eq!(objects[4].text(), "");
            assert_eq!(heap.writable(objects[1], 0, 0).err(), Some(StoreError::Frozen));
        }
        assert!(heap.census().iter().all(|object| object.kind == ObjectKind::Counted));
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
        drop(unfinished);
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
