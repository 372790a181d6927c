//! A word that leads to no object is refused, wherever it is and however the object went.

use frazil::{Config, Drain, Heap, LowTag, Object, Overlooked, Place, Request, Shape, Value};

const LEAF: Shape = Shape::new(1, "leaf").raw_words(1);
const PAIR: Shape = Shape::new(2, "pair").references(2);
const CELL: Shape = Shape::new(3, "cell").references(1).mutable();

type TestHeap<'id> = Heap<'id, LowTag>;

fn leaf<'s, 'id>(heap: &'s TestHeap<'id>) -> Object<'s, 'id, LowTag> {
    heap.alloc(&LEAF, 0).unwrap().finish()
}

fn root(root: usize) -> Place {
    Place { root, path: Vec::new() }
}

fn overlook(heap: &mut TestHeap<'_>, places: Vec<Place>) {
    // SAFETY: nothing is read from the heap before it has been verified.
    unsafe { heap.collect_overlooking(Request::Complete, &Overlooked { places, touches: false }) };
}

/// What the verification says after a collection that overlooked a place, on a heap with two words on its stack.
fn found(config: Config, prepare: impl Fn(&mut TestHeap<'_>), place: Place) -> String {
    Heap::branded(config, |mut heap: TestHeap<'_>| {
        heap.stack_grow(2).unwrap();
        prepare(&mut heap);
        heap.verify_references().expect("nothing is wrong before the collection");
        overlook(&mut heap, vec![place]);
        heap.verify_references().expect_err("the word leads nowhere").what
    })
    .unwrap()
}

fn young_on_the_stack(heap: &mut TestHeap<'_>) {
    heap.stack_from(0)[1].set(leaf(heap).into());
}

fn old_on_the_stack(heap: &mut TestHeap<'_>) {
    young_on_the_stack(heap);
    heap.collect(Request::Complete);
}

#[test]
fn a_word_of_the_root_stack() {
    let what = found(Config::STRESS, young_on_the_stack, root(1));
    assert!(
        what.starts_with("word 1 of the root stack leads to ") && what.contains("collection 1"),
        "{what}"
    );
    let what = found(Config::STRESS, old_on_the_stack, root(1));
    assert!(what.starts_with("word 1 of the root stack") && what.contains("has been freed"), "{what}");
}

#[test]
fn what_died_and_waits_is_not_alive() {
    let slowly = Drain::Instalments { objects_per_kib: 1, micros_max: 1_000_000 };
    let config = Config { drain: slowly, ..Config::STRESS };
    let prepare = |heap: &mut TestHeap<'_>| {
        // Both die; the instalment releases one of them, the other has to wait. (Leaves would not wait.)
        for word in 0..2 {
            let pair = heap.alloc(&PAIR, 0).unwrap().finish();
            heap.stack_from(0)[word].set(pair.into());
        }
        heap.collect(Request::Complete);
        heap.stack_from(0)[1].set(Value::EMPTY);
    };
    let what = found(config, prepare, root(0));
    assert!(what.contains(", which died and waits to be freed"), "{what}");
}

#[test]
fn a_reference_inside_an_object() {
    let cell_of_leaf = |heap: &mut TestHeap<'_>| {
        let cell = heap.alloc(&CELL, 0).unwrap().finish();
        heap.store(cell, 0, leaf(heap).into()).unwrap();
        heap.stack_from(0)[0].set(cell.into());
    };
    let place = Place { root: 0, path: vec![0] };
    let what = found(Config::STRESS, cell_of_leaf, place.clone());
    assert!(what.starts_with("reference 0 of the object of shape 3 at "), "{what}");
    assert!(what.ends_with("the place was not rooted"), "{what}");
}

#[test]
fn a_counted_object_has_been_looked_at_when_it_was_promoted() {
    Heap::branded(Config::STRESS, |mut heap: TestHeap<'_>| {
        heap.stack_grow(1).unwrap();
        let mut pair = heap.alloc(&PAIR, 0).unwrap();
        pair.references_mut()[1] = leaf(&heap).into();
        heap.stack_from(0)[0].set(pair.finish().into());
        heap.collect(Request::Complete);
        overlook(&mut heap, vec![Place { root: 0, path: vec![1] }]);
        assert_eq!(heap.verify_references(), Ok(()));
        // Places that do not exist are not overlooked.
        let nowhere = [vec![2], vec![0, 0], vec![1, 0]].map(|path| Place { root: 0, path });
        overlook(&mut heap, [nowhere.to_vec(), vec![root(7)]].concat());
        assert_eq!(heap.verify_references(), Ok(()));
    })
    .unwrap();
}

/// Nor in a page of it that begins like a block.
#[test]
fn no_object_begins_inside_another() {
    const SLOTS: Shape = Shape::new(7, "slots").references_tail().mutable();
    Heap::branded(Config { check: false, ..Config::STRESS }, |mut heap: TestHeap<'_>| {
        for len in [1000, 100_000, 300_000] {
            let root = heap.root(heap.alloc(&SLOTS, len).unwrap().finish().into());
            for _young_then_old in 0..2 {
                let word = heap.rooted(&root).bits();
                // SAFETY: the object is a large one, and the heap has imported nothing.
                let begins = |offset: u64| unsafe { heap.object_at(word + offset) }.is_some();
                assert!(begins(0));
                for offset in [1, 4, 8, 16, 4096, 4096 + 16, 8 * len as u64 - 8] {
                    assert!(!begins(offset), "{offset} bytes behind the beginning of {len} references");
                }
                heap.collect(Request::Complete);
            }
        }
    })
    .unwrap();
}

#[test]
#[should_panic(expected = "before a collection: references: word 0 of the root stack leads to ")]
fn checking_mode_looks_before_every_collection() {
    Heap::branded(Config::STRESS, |mut heap: TestHeap<'_>| {
        heap.stack_grow(1).unwrap();
        heap.stack_from(0)[0].set(leaf(&heap).into());
        overlook(&mut heap, vec![root(0)]);
        heap.collect(Request::Short);
    })
    .unwrap();
}
