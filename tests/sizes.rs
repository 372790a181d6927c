//! Objects of every size come through: around every size class, around the sizes at which an object gets blocks or
//! a mapping of its own, and empty ones.

use frazil::{
    BlockBytes, Config, Handle, Heap, LowTag, Object, ObjectKind, Request, Shape, StoreError, Value,
};

const TUPLE: Shape = Shape::new(4, "tuple").references_tail();
const SLOTS: Shape = Shape::new(5, "slots").references_tail().mutable();
const BYTES: Shape = Shape::new(6, "bytes").bytes();
const BUFFER: Shape = Shape::new(7, "buffer").bytes().mutable();
const TEXT: Shape = Shape::new(8, "text").text();

type TestHeap<'id> = Heap<'id, LowTag>;
type Obj<'s, 'id> = Object<'s, 'id, LowTag>;

fn with_heap<R>(config: Config, f: impl for<'id> FnOnce(TestHeap<'id>) -> R) -> R {
    Heap::branded(config, f).expect("the settings agree")
}

fn complete(heap: &mut TestHeap<'_>) {
    heap.collect(Request::Complete);
}

/// In the nursery an object takes its words and no more: only blocks have granules.
#[test]
fn a_young_object_takes_whole_words() {
    const THREE: Shape = Shape::new(1, "three").references(2);
    with_heap(Config::default(), |mut heap| {
        let young: Vec<_> = (0..8).map(|_| Value::from(heap.alloc(&THREE, 0).unwrap().finish())).collect();
        assert!(young.windows(2).all(|two| two[1].bits() - two[0].bits() == 24));
        let header_alone = heap.alloc(&BYTES, 0).unwrap().finish();
        let behind = heap.alloc(&BYTES, 1).unwrap().finish();
        assert_eq!(Value::from(behind).bits() - Value::from(header_alone).bits(), 8);
        assert_eq!(heap.allocated_bytes(), 8 * 24 + 8 + 16);
        let kept = heap.root(young[3]);
        let snapshot = heap.snapshot(0);
        assert_eq!(snapshot.bytes(), snapshot.nursery_bytes);
        complete(&mut heap);
        assert_eq!(heap.snapshot(0).bytes(), 32, "{kept:?}");
    });
}

/// The blocks for its survivors are asked for when it is filled, not all at the beginning.
#[test]
fn a_huge_nursery_costs_little_while_little_is_in_it() {
    with_heap(Config { nursery_bytes: 64 << 30, ..Config::default() }, |mut heap| {
        let report = heap.collect(Request::Complete);
        assert!(report.blocks_free * BlockBytes::K32.get() < 4 << 30, "{} free blocks", report.blocks_free);
        assert!(heap.alloc(&BYTES, 100).is_ok() && !heap.should_collect());
    });
}

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
        heap.collect(if round == 1 { Request::Short } else { Request::Complete });
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
