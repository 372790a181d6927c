//! Heaps of a group: what they share, one behaviour at a time.

use frazil::{Config, Group, Heap, LowTag, Request, Shape, ShareError, Value};

const NODE: Shape = Shape::new(1, "node").raw_words(1).references(2);
const CELL: Shape = Shape::new(2, "cell").references(1).mutable();

type TestHeap<'id> = Heap<'id, LowTag>;

fn group() -> Group<LowTag> {
    Group::new(Config { check: true, nursery_bytes: 16 << 10, ..Config::DEFAULT })
        .expect("the settings agree")
}

/// A chain of `len` nodes, on top of the root stack.
fn chain(heap: &mut TestHeap<'_>, len: u64) {
    let base = heap.stack_grow(1).expect("room on the stack");
    for number in 0..len {
        if heap.should_collect() {
            heap.collect(Request::Auto);
        }
        let mut node = heap.alloc(&NODE, 0).expect("memory");
        node.raw_mut()[0] = number;
        node.references_mut()[0] = heap.stack_from(base)[0].get();
        heap.stack_from(base)[0].set(node.finish().into());
    }
}

fn length(heap: &TestHeap<'_>, mut value: Value<'_, '_, LowTag>) -> u64 {
    let _ = heap;
    let mut len = 0;
    while let Some(node) = value.object() {
        len += 1;
        value = node.get(0);
    }
    len
}

fn old_objects(heap: &mut TestHeap<'_>) -> usize {
    heap.collect(Request::Complete).old_objects
}

#[test]
fn what_another_heap_holds_lives_and_dies_with_it() {
    let group = group();
    group
        .branded(|mut one| {
            chain(&mut one, 100);
            let top = one.stack_len() - 1;
            let handle = one.root(one.stack_from(top)[0].get());
            let shared = one.share(&handle).expect("immutable");
            one.unroot(handle);
            one.stack_truncate(top);
            assert_eq!(old_objects(&mut one), 100, "the handle holds it");
            group
                .branded(|mut two| {
                    let base = two.stack_grow(1).unwrap();
                    two.stack_from(base)[0].set(two.import(shared));
                    two.collect(Request::Complete);
                    assert_eq!(old_objects(&mut one), 100, "the other heap holds it");
                    assert_eq!(length(&two, two.stack_from(base)[0].get()), 100);
                    // Half of it goes.
                    for _ in 0..50 {
                        let node = two.stack_from(base)[0].get().object().unwrap();
                        two.stack_from(base)[0].set(node.get(0));
                    }
                    two.collect(Request::Complete);
                    assert_eq!(old_objects(&mut one), 50);
                })
                .unwrap();
            assert_eq!(old_objects(&mut one), 0, "the other heap has ended");
        })
        .unwrap();
}

#[test]
fn what_an_ended_heap_has_left_goes_when_nobody_holds_it() {
    let group = group();
    let shared = group
        .branded(|mut heap| {
            chain(&mut heap, 1000);
            let handle = heap.root(heap.stack_from(0)[0].get());
            heap.share(&handle).expect("immutable")
        })
        .unwrap();
    assert_eq!(group.orphans(), 1);
    group
        .branded(|mut heap| {
            let base = heap.stack_grow(1).unwrap();
            heap.stack_from(base)[0].set(heap.import(shared.clone()));
            old_objects(&mut heap);
            assert_eq!(length(&heap, heap.stack_from(base)[0].get()), 1000);
        })
        .unwrap();
    assert_eq!(group.orphans(), 1);
    drop(shared);
    assert_eq!(group.orphans(), 0);
}

#[test]
fn a_heap_that_adopts_owns_what_it_held() {
    let group = group();
    group
        .branded(|mut heap| {
            let base = heap.stack_grow(1).unwrap();
            let (shared, estate) = group
                .branded(|mut other| {
                    chain(&mut other, 1000);
                    let handle = other.root(other.stack_from(0)[0].get());
                    (other.share(&handle).expect("immutable"), other.end())
                })
                .unwrap();
            heap.stack_from(base)[0].set(heap.import(shared));
            assert_eq!(old_objects(&mut heap), 0);
            heap.adopt(estate);
            assert_eq!(old_objects(&mut heap), 1000);
            heap.stack_truncate(base);
            assert_eq!(old_objects(&mut heap), 0);
        })
        .unwrap();
    assert_eq!(group.orphans(), 0);
}

#[test]
fn what_is_not_frozen_is_refused_with_the_way_to_it() {
    group()
        .branded(|mut heap| {
            let cell = heap.alloc(&CELL, 0).unwrap().finish();
            let mut below = heap.alloc(&NODE, 0).unwrap();
            below.references_mut()[1] = cell.into();
            let below = below.finish();
            let mut node = heap.alloc(&NODE, 0).unwrap();
            node.references_mut()[0] = below.into();
            let handle = heap.root(node.finish().into());
            let refused = ShareError::Mutable { path: vec![0, 1], shape_ids: vec![1, 1, 2] };
            assert_eq!(heap.share(&handle).unwrap_err(), refused);
            heap.collect(Request::Complete);
            assert_eq!(heap.share(&handle).unwrap_err(), refused);
            heap.freeze_deep(heap.rooted(&handle));
            heap.share(&handle).expect("frozen");
        })
        .unwrap();
}

#[test]
fn an_immortal_value_costs_nobody_anything() {
    let group = group();
    let constant = group
        .branded(|mut heap| {
            chain(&mut heap, 10);
            heap.immortalise(heap.stack_from(0)[0].get()).expect("immutable")
        })
        .unwrap();
    assert_eq!(group.orphans(), 0);
    group
        .branded(|mut heap| {
            let handle = heap.root(heap.import(constant.clone()));
            let report = heap.collect(Request::Complete);
            assert_eq!((report.posted, report.old_objects), (0, 0));
            assert_eq!(length(&heap, heap.rooted(&handle)), 10);
        })
        .unwrap();
}

#[test]
fn threads_pass_graphs_on() {
    let group = &group();
    let (sender, receiver) = std::sync::mpsc::sync_channel(8);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            group.branded(move |mut heap| {
                for _ in 0..200 {
                    chain(&mut heap, 50);
                    let handle = heap.root(heap.stack_from(0)[0].get());
                    heap.stack_truncate(0);
                    let shared = heap.share(&handle).expect("immutable");
                    heap.unroot(handle);
                    sender.send(shared).expect("somebody listens");
                }
            })
        });
        scope.spawn(move || {
            group.branded(move |mut heap| {
                let ring = heap.stack_grow(8).unwrap();
                let mut count = 0;
                while let Ok(shared) = receiver.recv() {
                    heap.stack_from(ring)[count % 8].set(heap.import(shared));
                    if heap.should_collect() {
                        heap.collect(Request::Auto);
                    }
                    assert_eq!(length(&heap, heap.stack_from(ring)[count % 8].get()), 50);
                    count += 1;
                }
                assert_eq!(count, 200);
            })
        });
    });
    group.tend();
    assert_eq!(group.orphans(), 0);
}
