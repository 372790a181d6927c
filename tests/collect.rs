//! What a collection does, one behaviour at a time.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use frazil::{
    BlockBytes, Config, Drain, Group, Handle, Heap, Host, Kind, LowTag, Object, ObjectKind, Request, Shape,
    StoreError, Value, Weak, layout,
};

const LEAF: Shape = Shape::new(1, "leaf").raw_words(1);
const NODE: Shape = Shape::new(2, "node").raw_words(1).references_tail();
const CELL: Shape = Shape::new(3, "cell").raw_words(1).references(2).mutable();
const ARRAY: Shape = Shape::new(4, "array").raw_words(1).references_tail().mutable();
const TEXT: Shape = Shape::new(5, "text").text();

type TestHeap<'id> = Heap<'id, LowTag>;
type Obj<'s, 'id> = Object<'s, 'id, LowTag>;

fn with_heap<R>(config: Config, f: impl for<'id> FnOnce(TestHeap<'id>) -> R) -> R {
    Heap::branded(config, f).expect("the settings agree")
}

/// Every rare thing made common, with the given blocks.
fn stress(block_bytes: BlockBytes) -> Config {
    Config { block_bytes, ..Config::STRESS }
}

fn leaf<'s, 'id>(heap: &'s TestHeap<'id>, id: u64) -> Obj<'s, 'id> {
    let mut fresh = heap.alloc(&LEAF, 0).unwrap();
    fresh.raw_mut()[0] = id;
    fresh.finish()
}

fn node<'s, 'id>(heap: &'s TestHeap<'id>, id: u64, children: &[Obj<'s, 'id>]) -> Obj<'s, 'id> {
    let mut fresh = heap.alloc(&NODE, children.len()).unwrap();
    fresh.raw_mut()[0] = id;
    for (slot, &child) in fresh.references_mut().iter_mut().zip(children) {
        *slot = child.into();
    }
    fresh.finish()
}

fn cell<'s, 'id>(heap: &'s TestHeap<'id>, id: u64) -> Obj<'s, 'id> {
    let mut fresh = heap.alloc(&CELL, 0).unwrap();
    fresh.raw_mut()[0] = id;
    fresh.finish()
}

/// The ids of old objects of a kind, in order.
fn ids(heap: &mut TestHeap<'_>, kind: ObjectKind) -> Vec<u64> {
    let mut ids: Vec<u64> =
        heap.census().iter().filter(|object| object.kind == kind).filter_map(|object| object.raw).collect();
    ids.sort_unstable();
    ids
}

#[test]
fn immutable_objects_are_counted_and_freed_when_their_root_goes() {
    for block in BlockBytes::ALL {
        with_heap(stress(block), |mut heap| {
            let child = leaf(&heap, 1);
            let root = heap.root(node(&heap, 2, &[child, child]).into());
            heap.collect(Request::Complete);
            assert_eq!(ids(&mut heap, ObjectKind::Counted), [1, 2]);
            let census = heap.census();
            let count = |id| census.iter().find(|object| object.raw == Some(id)).unwrap().count;
            assert_eq!((count(1), count(2)), (2, 0));

            heap.unroot(root);
            heap.collect(Request::Complete);
            assert!(heap.census().is_empty());
        });
    }
}

#[test]
fn what_reaches_something_mutable_is_traced_until_that_is_frozen() {
    with_heap(stress(BlockBytes::K4), |mut heap| {
        let inner = cell(&heap, 1);
        let outer = node(&heap, 2, &[inner]);
        let root = heap.root(outer.into());
        heap.collect(Request::Complete);
        assert_eq!(ids(&mut heap, ObjectKind::Traced), [1, 2]);

        let frozen = heap.freeze_deep(heap.rooted(&root));
        assert_eq!(frozen, 1);
        let report = heap.collect(Request::Complete);
        assert_eq!(report.settled, 1);
        assert_eq!(ids(&mut heap, ObjectKind::Counted), [1, 2]);
    });
}

#[test]
fn a_frozen_cycle_is_one_component_and_dies_as_a_whole() {
    for old_when_frozen in [false, true] {
        with_heap(stress(BlockBytes::K4), |mut heap| {
            let (a, b, shared) = (cell(&heap, 1), cell(&heap, 2), leaf(&heap, 3));
            heap.store(a, 0, b.into()).unwrap();
            heap.store(b, 0, a.into()).unwrap();
            heap.store(b, 1, shared.into()).unwrap();
            let kept = heap.root(shared.into());
            let root = heap.root(a.into());
            if old_when_frozen {
                heap.collect(Request::Complete);
                assert_eq!(ids(&mut heap, ObjectKind::Traced), [1, 2]);
            }
            heap.freeze_deep(heap.rooted(&root));
            let report = heap.collect(Request::Complete);
            assert_eq!(report.components, 1);
            assert_eq!(ids(&mut heap, ObjectKind::Counted), [1, 2, 3]);

            heap.unroot(root);
            heap.collect(Request::Complete);
            assert_eq!(ids(&mut heap, ObjectKind::Counted), [3]);
            heap.unroot(kept);
        });
    }
}

/// Something to refer to: a counted node (0), one that is traced (1), or a frozen cycle (2).
fn something<'s, 'id>(heap: &'s TestHeap<'id>, what: u64, id: u64) -> Obj<'s, 'id> {
    let inner = if what == 0 { leaf(heap, id) } else { cell(heap, id) };
    if what == 2 {
        heap.store(inner, 0, inner.into()).unwrap();
        heap.freeze(inner);
    }
    node(heap, id + 1, &[inner])
}

#[test]
fn what_an_object_becomes_does_not_depend_on_which_of_its_references_is_near() {
    let config = Config {
        short_collections: true,
        cluster_objects: u32::MAX,
        cluster_bytes: usize::MAX,
        check: true,
        ..Config::DEFAULT
    };
    for (far, near) in (0..3).flat_map(|far| (0..3).map(move |near| (far, near))) {
        let outcome = |near_last: bool, request| {
            with_heap(config.clone(), |mut heap| {
                let far = something(&heap, far, 1);
                for _ in 0..100 {
                    node(&heap, 0, &[far]);
                }
                let near = something(&heap, near, 3);
                let top = node(&heap, 5, &if near_last { [far, near] } else { [near, far] });
                let root = heap.root(node(&heap, 6, &[top, near, far]).into());
                heap.collect(request);
                let mut objects: Vec<_> =
                    heap.census().iter().map(|object| (object.raw, object.kind, object.count)).collect();
                objects.sort_by_key(|object| object.0);
                heap.unroot(root);
                heap.collect(Request::Complete);
                assert!(heap.census().is_empty());
                objects
            })
        };
        for request in [Request::Short, Request::Complete] {
            let objects = outcome(false, request);
            assert_eq!(objects.len(), 6);
            assert_eq!(outcome(true, request), objects, "{far}, {near}, {request:?}");
            let is_counted = |id: usize| objects[id - 1].1 == ObjectKind::Counted;
            assert_eq!((is_counted(2), is_counted(4)), (far != 1, near != 1));
            assert_eq!((is_counted(5), is_counted(6)), (far != 1 && near != 1, far != 1 && near != 1));
        }
    }
}

/// Every graph of three objects with two references each, all of which the first leads to, and of which all are frozen or all but
/// one. `references` has four values each: the three objects, and none.
fn small_graphs() -> impl Iterator<Item = ([[usize; 2]; 3], Option<usize>)> {
    let graphs = (0..4_usize.pow(6))
        .map(|number| [0, 1, 2].map(|from| [0, 1].map(|at| number >> (4 * from + 2 * at) & 3)));
    let whole = graphs.filter(|graph| ways(graph)[0][1] && ways(graph)[0][2]);
    whole.flat_map(|graph| [None, Some(0), Some(2)].map(|mutable| (graph, mutable)))
}

/// From which object one or more references lead to which.
fn ways(references: &[[usize; 2]; 3]) -> [[bool; 3]; 3] {
    let mut ways = references.map(|references| [0, 1, 2].map(|to| references.contains(&to)));
    for through in 0..3 {
        for from in 0..3 {
            for to in 0..3 {
                ways[from][to] |= ways[from][through] && ways[through][to];
            }
        }
    }
    ways
}

#[test]
fn every_small_graph_is_counted_as_far_as_it_is_frozen_and_each_of_its_cycles_is_one_component() {
    #[derive(Clone, Copy, Debug)]
    enum Frozen {
        Young(Request),
        Old,
    }
    let config = Config { short_collections: true, nursery_bytes: 4 << 10, ..Config::DEFAULT };
    with_heap(config, |mut heap| {
        let when = [Frozen::Young(Request::Short), Frozen::Young(Request::Complete), Frozen::Old];
        for ((graph, mutable), when) in small_graphs().flat_map(|graph| when.map(|when| (graph, when))) {
            let made = [1, 2, 3].map(|id| cell(&heap, id));
            for (&from, references) in made.iter().zip(&graph) {
                for (index, &to) in references.iter().enumerate().filter(|&(_, &to)| to < 3) {
                    heap.store(from, index, made[to].into()).unwrap();
                }
            }
            let roots = made.map(|object| heap.root(object.into()));
            if matches!(when, Frozen::Old) {
                heap.collect(Request::Complete);
            }
            for (_, root) in roots.iter().enumerate().filter(|&(number, _)| Some(number) != mutable) {
                heap.freeze(heap.rooted(root).object().unwrap());
            }
            let [top, others @ ..] = roots;
            others.into_iter().for_each(|root| heap.unroot(root));
            let request = if let Frozen::Young(request) = when { request } else { Request::Complete };
            let report = heap.collect(request);

            let ways = ways(&graph);
            let is_traced = |&of: &usize| mutable.is_some_and(|mutable| of == mutable || ways[of][mutable]);
            let (traced, counted): (Vec<usize>, Vec<usize>) = (0..3).partition(is_traced);
            let is_first = |&&of: &&usize| ways[of][of] && !(0..of).any(|to| ways[of][to] && ways[to][of]);
            let circles = counted.iter().filter(is_first).count();
            let is = [ObjectKind::Traced, ObjectKind::Counted].map(|kind| ids(&mut heap, kind));
            let should =
                [traced, counted].map(|of| of.iter().map(|&number| number as u64 + 1).collect::<Vec<_>>());
            let case = format!("{graph:?}, {mutable:?} is mutable, {when:?}");
            assert_eq!(is, should, "{case}");
            assert_eq!(report.components, circles, "{case}");
            if request == Request::Complete {
                assert_eq!(report.settled, should[1].len(), "{case}");
            }
            assert_eq!(heap.verify(), Ok(()), "{case}");
            heap.unroot(top);
            assert_eq!(heap.collect(Request::Complete).old_objects, 0, "{case}");
        }
    });
}

/// Or it would take as long as there are ways through it: a trillion.
#[test]
fn what_stays_traced_is_classified_once() {
    with_heap(stress(BlockBytes::K4), |mut heap| {
        let mut top = node(&heap, 0, &[cell(&heap, 1)]);
        for id in 2..42 {
            top = node(&heap, id, &[top, top]);
        }
        let (root, frozen) = (heap.root(top.into()), heap.root(cell(&heap, 42).into()));
        heap.collect(Request::Complete);
        assert!(heap.freeze(heap.rooted(&frozen).object().unwrap()));
        assert_eq!(heap.collect(Request::Complete).settled, 1);
        assert_eq!(ids(&mut heap, ObjectKind::Traced).len(), 42);
        heap.unroot(root);
    });
}

#[test]
fn a_mutable_cycle_does_not_leak() {
    with_heap(stress(BlockBytes::K8), |mut heap| {
        let (a, b) = (cell(&heap, 1), cell(&heap, 2));
        heap.store(a, 0, b.into()).unwrap();
        heap.store(b, 0, a.into()).unwrap();
        let root = heap.root(a.into());
        heap.collect(Request::Complete);
        heap.unroot(root);
        heap.collect(Request::Complete);
        assert!(heap.census().is_empty());
    });
}

#[test]
fn a_short_collection_looks_only_at_what_was_touched() {
    let config = Config { short_collections: true, ..stress(BlockBytes::K4) };
    with_heap(config, |mut heap| {
        let (a, b) = (cell(&heap, 1), cell(&heap, 2));
        heap.store(a, 0, b.into()).unwrap();
        let root = heap.root(a.into());
        heap.collect(Request::Complete);

        let b = heap.rooted(&root).object().unwrap().get(0).object().unwrap();
        heap.store(b, 1, leaf(&heap, 3).into()).unwrap();
        let report = heap.collect(Request::Short);
        assert_eq!((report.kind, report.traced_objects), (Kind::Short, 1));
        assert_eq!((report.promoted_objects, report.retained_by_root.touched), (1, 1));

        let b = heap.rooted(&root).object().unwrap().get(0).object().unwrap();
        heap.store(b, 1, Value::EMPTY).unwrap();
        heap.collect(Request::Short);
        assert_eq!(ids(&mut heap, ObjectKind::Counted), [3], "nothing old dies in a short collection");
        heap.collect(Request::Complete);
        assert_eq!(ids(&mut heap, ObjectKind::Counted), [0u64; 0]);
    });
}

/// A large array of mutable slots is traced before anybody has reached it, a large tuple is what its parts make of it:
/// whatever refers to them, and whichever of them are young at the same time.
#[test]
fn what_refers_to_a_large_young_object_is_what_its_class_makes_of_it() {
    const SLOTS: usize = 5000;
    for (request, tuples) in [
        (Request::Complete, false),
        (Request::Short, false),
        (Request::Complete, true),
        (Request::Short, true),
    ] {
        with_heap(stress(BlockBytes::K4), |mut heap| {
            fn array<'s, 'id>(heap: &'s TestHeap<'id>, id: u64) -> Obj<'s, 'id> {
                let mut fresh = heap.alloc(&ARRAY, SLOTS).unwrap();
                fresh.raw_mut()[0] = id;
                fresh.references_mut()[SLOTS - 1] = leaf(heap, 10 * id).into();
                node(heap, 100 * id, &[fresh.finish()])
            }
            // Reached from an immutable object, from a mutable one, from a root, and not at all.
            let holder = cell(&heap, 1);
            heap.store(holder, 0, array(&heap, 2).into()).unwrap();
            array(&heap, 3);
            let direct = array(&heap, 4);
            let roots = [holder.into(), array(&heap, 5).into(), direct.get(0)].map(|value| heap.root(value));
            let tuple = tuples.then(|| {
                let parts = vec![leaf(&heap, 6); SLOTS];
                heap.root(node(&heap, 7, &parts).into())
            });
            let weak = heap.weak(direct);
            heap.collect(request);
            assert_eq!(ids(&mut heap, ObjectKind::Traced), [1, 2, 4, 5, 200, 500]);
            let counted = if tuples { vec![6, 7, 20, 40, 50] } else { vec![20, 40, 50] };
            assert_eq!(ids(&mut heap, ObjectKind::Counted), counted);
            assert!(heap.upgrade(&weak).is_none(), "only what it refers to was a root");

            // What was not reached left nothing behind: others live in its place, and are not traced.
            let text = "ice freezes".repeat(SLOTS * 8 / 11);
            let texts = [(); 4].map(|()| heap.root(heap.text(&TEXT, &text).unwrap().into()));
            heap.collect(request);
            let traced = heap.census().iter().filter(|object| object.kind == ObjectKind::Traced).count();
            assert_eq!(traced, 6);
            roots.into_iter().chain(tuple).chain(texts).for_each(|root| heap.unroot(root));
            heap.collect(Request::Complete);
            assert_eq!(heap.census().len(), 0);
        });
    }
}

#[test]
fn of_a_large_array_only_the_touched_part_is_scanned() {
    let config = Config { short_collections: true, ..stress(BlockBytes::K32) };
    with_heap(config, |mut heap| {
        let array = heap.alloc(&ARRAY, 200_000).unwrap().finish();
        let root = heap.root(array.into());
        heap.collect(Request::Complete);
        let array = heap.rooted(&root).object().unwrap();
        assert!(heap.writable(array, 200_000, 200_000).unwrap().is_empty());
        for index in [5, 6, 150_000] {
            heap.store(array, index, leaf(&heap, index as u64).into()).unwrap();
        }
        let report = heap.collect(Request::Short);
        assert_eq!((report.promoted_objects, report.traced_bytes, report.touched_bytes), (3, 2048, 2048));
        let array = heap.rooted(&root).object().unwrap();
        assert_eq!(array.get(150_000).object().unwrap().raw(0), 150_000);
        // Many at once, of several KiB: what is stored in the last of them counts as much as what is in the first.
        let cells = heap.writable(array, 1000, 2000).unwrap();
        for index in [0, 500, 999] {
            cells[index].set(leaf(&heap, index as u64).into());
        }
        assert_eq!(heap.collect(Request::Short).promoted_objects, 3);
        let array = heap.rooted(&root).object().unwrap();
        assert_eq!([1000, 1500, 1999].map(|at| array.get(at).object().unwrap().raw(0)), [0, 500, 999]);
    });
}

/// A heap that may hold short collections goes from cheap complete ones, which need not notice writes, to short ones, and back
/// to complete ones where everything is written all the time.
#[test]
fn a_heap_changes_from_one_kind_of_collection_to_the_other_and_back() {
    const CELLS: usize = 2_000;

    /// Makes a hundred more cells and writes into so many, `rounds` times. Says how many of the collections were short.
    fn short<'id>(heap: &mut TestHeap<'id>, root: &Handle<'id>, writes: usize, rounds: usize) -> usize {
        let mut short = 0;
        for round in 0..rounds {
            let array = heap.rooted(root).object().unwrap();
            let made = (0..CELLS).take_while(|&index| array.get(index).object().is_some()).count();
            for index in made..CELLS.min(made + 100) {
                heap.store(array, index, cell(heap, index as u64).into()).unwrap();
            }
            for index in 0..writes {
                let cell = array.get(index).object().unwrap();
                heap.store(cell, 1, leaf(heap, round as u64).into()).unwrap();
            }
            short += usize::from(heap.collect(Request::Auto).kind == Kind::Short);
            let array = heap.rooted(root).object().unwrap();
            let written = |index| array.get(index).object().unwrap().get(1).object().unwrap().raw(0);
            assert!((0..writes).all(|index| written(index) == round as u64));
        }
        short
    }

    let config = Config {
        short_collections: true,
        nursery_bytes: 16 << 10,
        growth_bytes: 64 << 10,
        ..stress(BlockBytes::K8)
    };
    with_heap(config, |mut heap| {
        let root = heap.root(heap.alloc(&ARRAY, CELLS).unwrap().finish().into());
        let found = [(0, 30), (10, 30), (CELLS, 30), (10, 60)]
            .map(|(writes, rounds)| short(&mut heap, &root, writes, rounds));
        assert!(found[0] > 10 && found[1] > 20 && found[2] < 10 && found[3] > 20, "{found:?}");
    });
}

#[test]
fn what_an_object_has_not_is_not_written() {
    with_heap(stress(BlockBytes::K4), |heap| {
        let refused = |f: &dyn Fn() -> bool| catch_unwind(AssertUnwindSafe(f)).is_err();
        let pair = cell(&heap, 1);
        assert!(refused(&|| heap.store(pair, 2, pair.into()).is_ok()));
        assert!(refused(&|| heap.writable(pair, 0, 3).is_ok()));
        assert!(refused(&|| heap.writable(pair, 2, 1).is_ok()));
        assert_eq!(heap.writable(pair, 2, 2).map(<[_]>::len), Ok(0));
    });
}

/// Of a heap that holds short collections: what is free is needed now.
#[test]
fn near_the_limit_every_collection_is_complete() {
    let limit = 8 << 20;
    let config = Config {
        short_collections: true,
        cheap_percent: 0,
        growth_bytes: usize::MAX,
        limit_bytes: Some(limit),
        ..Config::DEFAULT
    };
    with_heap(config, |mut heap| {
        heap.root(cell(&heap, 1).into());
        assert_eq!(heap.collect(Request::Auto).kind, Kind::Short);
        while heap.used_bytes() < limit / 8 * 7 {
            heap.root(heap.alloc(&NODE, 8 << 10).unwrap().finish().into());
        }
        assert_eq!(heap.collect(Request::Auto).kind, Kind::Complete);
    });
}

#[test]
fn a_guarded_object_says_so_until_it_is_frozen() {
    with_heap(stress(BlockBytes::K4), |heap| {
        let answers = |object| {
            let stored = heap.store(object, 0, Value::EMPTY);
            assert_eq!(
                (stored, stored),
                (heap.writable(object, 0, 1).map(drop), heap.check_writable(object))
            );
            stored
        };
        let (one, other) = (cell(&heap, 1), cell(&heap, 2));
        for object in [one, other] {
            assert_eq!(answers(object), Ok(()));
            heap.guard(object, true);
            assert_eq!(answers(object), Err(StoreError::Guarded));
            heap.guard(object, false);
            assert_eq!(answers(object), Ok(()));
            heap.guard(object, true);
        }
        assert_eq!((heap.freeze(one), heap.freeze_deep(other.into())), (true, 1));
        for object in [one, other, node(&heap, 3, &[one])] {
            assert_eq!(answers(object), Err(StoreError::Frozen));
            heap.guard(object, true);
            assert_eq!(answers(object), Err(StoreError::Frozen));
        }
    });
}

#[test]
fn an_idle_drain_clears_weak_references_and_revives() {
    let drain = Drain::Instalments { objects_per_kib: 1, micros_max: 1_000_000 };
    with_heap(Config { drain, cluster_objects: u32::MAX, ..stress(BlockBytes::K4) }, |mut heap| {
        let (plain, wanted) = (leaf(&heap, 1), leaf(&heap, 2));
        let weak = heap.weak(plain);
        heap.finalize(wanted, 77);
        let list = (3..100).fold(node(&heap, 0, &[plain, wanted]), |list, id| node(&heap, id, &[list]));
        let root = heap.root(list.into());
        heap.collect(Request::Complete);
        heap.unroot(root);
        assert_eq!(heap.collect(Request::Complete).waiting, 1);
        // They are behind all others. (To look at the object would keep it alive.)
        assert!(!heap.is_cleared(&weak) && heap.next_finalizable().is_none());
        let young = heap.weak(leaf(&heap, 3));
        assert_eq!(heap.drain(usize::MAX), 0);
        assert!(heap.is_cleared(&weak) && !heap.is_cleared(&young));
        let (object, token) = heap.next_finalizable().expect("it died");
        assert_eq!((object.raw(0), token), (2, 77));
        heap.collect(Request::Complete);
        assert!(heap.census().is_empty());
    });
}

#[test]
fn the_root_stack_has_as_many_words_as_it_was_to_have() {
    with_heap(Config { stack_words: 4, ..Config::DEFAULT }, |heap| {
        assert_eq!((heap.stack_grow(3), heap.stack_grow(2), heap.stack_grow(1)), (Some(0), None, Some(3)));
        assert_eq!((heap.stack_grow(1), heap.stack_grow(usize::MAX), heap.stack_len()), (None, None, 4));
        assert!(catch_unwind(AssertUnwindSafe(|| heap.stack_truncate(5))).is_err());
        assert_eq!(heap.stack_len(), 4);
    });
}

/// However much is counted already: a walk through it for each object that is frozen would take hours.
#[test]
fn what_is_counted_is_passed_by_when_something_is_frozen() {
    with_heap(Config::DEFAULT, |mut heap| {
        let list = (1..300_000).fold(leaf(&heap, 0), |list, id| node(&heap, id, &[list]));
        let root = heap.root(list.into());
        heap.collect(Request::Complete);
        let list = heap.rooted(&root);
        for id in 0..300_000 {
            let young = cell(&heap, id);
            heap.store(young, 1, list).unwrap();
            assert_eq!((heap.freeze_deep(young.into()), heap.freeze_deep(list)), (1, 0));
        }
    });
}

/// A host that forgets a safepoint is to be found out, so each is one, from the first on.
#[test]
fn in_checking_mode_a_collection_is_always_due() {
    with_heap(Config { check: true, ..Config::DEFAULT }, |mut heap| {
        for _ in 0..3 {
            assert!(heap.should_collect());
            heap.collect(Request::Auto);
        }
    });
}

#[test]
fn instalments_free_a_little_at_a_time() {
    let drain = Drain::Instalments { objects_per_kib: 1, micros_max: 1_000_000 };
    with_heap(Config { drain, ..stress(BlockBytes::K4) }, |mut heap| {
        let mut list = leaf(&heap, 0);
        for id in 1..100 {
            list = node(&heap, id, &[list]);
        }
        let root = heap.root(list.into());
        heap.collect(Request::Complete);
        heap.unroot(root);
        let report = heap.collect(Request::Complete);
        assert!(report.waiting == 1 && report.freed_objects < 100);
        while heap.drain(10) > 0 {}
        heap.collect(Request::Complete);
        assert!(heap.census().is_empty());
        let stats = heap.stats();
        assert_eq!(stats.freed_objects, stats.promoted_objects, "what was drained in between is counted");
        assert_eq!(stats.freed_bytes, stats.promoted_bytes);
    });
}

#[test]
fn an_instalment_ends_when_its_time_is_up() {
    let drain = Drain::Instalments { objects_per_kib: u32::MAX, micros_max: 0 };
    with_heap(Config { drain, cluster_objects: u32::MAX, ..stress(BlockBytes::K4) }, |mut heap| {
        let list = (1..1000).fold(leaf(&heap, 0), |list, id| node(&heap, id, &[list]));
        let root = heap.root(list.into());
        heap.collect(Request::Complete);
        heap.unroot(root);
        // The clock is looked at every 64 objects.
        assert!((1..=64).contains(&heap.collect(Request::Complete).freed_objects));
    });
}

#[test]
fn every_instalment_releases_something_however_short_it_is() {
    let drain = Drain::Instalments { objects_per_kib: 1, micros_max: 0 };
    with_heap(Config { drain, cluster_objects: u32::MAX, ..stress(BlockBytes::K4) }, |mut heap| {
        let list = (1..10).fold(leaf(&heap, 0), |list, id| node(&heap, id, &[list]));
        let root = heap.root(list.into());
        heap.collect(Request::Complete);
        heap.unroot(root);
        let freed: Vec<usize> = (0..10).map(|_| heap.collect(Request::Complete).freed_objects).collect();
        assert_eq!(freed, [1; 10]);
    });
}

#[test]
fn leaves_do_not_wait_to_be_freed() {
    let drain = Drain::Instalments { objects_per_kib: 1, micros_max: 1_000_000 };
    with_heap(Config { drain, ..stress(BlockBytes::K4) }, |mut heap| {
        let array = heap.alloc(&ARRAY, 100).unwrap().finish();
        (0..100).for_each(|index| heap.store(array, index, leaf(&heap, index as u64).into()).unwrap());
        // Something counted refers to one of them.
        let holder = node(&heap, 100, &[array.get(7).object().unwrap()]);
        let (root, holder) = (heap.root(array.into()), heap.root(holder.into()));
        let weak = heap.weak(heap.rooted(&root).object().unwrap().get(8).object().unwrap());
        heap.collect(Request::Complete);
        heap.unroot(root);
        let before = heap.stats().last.old_bytes;
        let report = heap.collect(Request::Complete);
        assert_eq!((report.freed_objects, report.waiting, report.weak_cleared), (100, 0, 1));
        assert_eq!((report.freed_bytes, report.blocks_diffed > 0), (before - report.old_bytes, true));
        assert!(heap.upgrade(&weak).is_none());
        assert_eq!(heap.rooted(&holder).object().unwrap().get(0).object().unwrap().raw(0), 7);
    });
}

#[test]
fn a_finalizable_leaf_is_revived_among_others_that_are_freed() {
    with_heap(stress(BlockBytes::K4), |mut heap| {
        let array = heap.alloc(&ARRAY, 100).unwrap().finish();
        (0..100).for_each(|index| heap.store(array, index, leaf(&heap, index as u64).into()).unwrap());
        heap.finalize(array.get(9).object().unwrap(), 99);
        let root = heap.root(array.into());
        heap.collect(Request::Complete);
        heap.unroot(root);
        let report = heap.collect(Request::Complete);
        assert_eq!((report.freed_objects, report.finalizable), (100, 1));
        assert_eq!(heap.next_finalizable().map(|(object, token)| (object.raw(0), token)), Some((9, 99)));
        heap.collect(Request::Complete);
        assert!(heap.census().is_empty());
    });
}

/// Objects that move and objects that stay are registered side by side; deaths in between leave the others where they are.
#[test]
fn what_dies_at_once_is_finalized_in_the_order_in_which_it_was_registered() {
    fn register<'id>(heap: &TestHeap<'id>, all: &Handle<'id>, tokens: std::ops::Range<u64>) {
        for token in tokens {
            let object = cell(heap, token);
            heap.finalize(object, token);
            heap.store(heap.rooted(all).object().unwrap(), token as usize, object.into()).unwrap();
        }
    }
    fn told_without<'id>(heap: &mut TestHeap<'id>, all: &Handle<'id>, indices: &[usize]) -> Vec<u64> {
        let list = heap.rooted(all).object().unwrap();
        indices.iter().for_each(|&index| heap.store(list, index, Value::EMPTY).unwrap());
        assert_eq!(heap.collect(Request::Complete).finalizable, indices.len());
        std::iter::from_fn(|| heap.next_finalizable().map(|(_, token)| token)).collect()
    }
    with_heap(stress(BlockBytes::K4), |mut heap| {
        let all = heap.root(heap.alloc(&ARRAY, 6).unwrap().finish().into());
        register(&heap, &all, 0..3);
        heap.collect(Request::Complete);
        register(&heap, &all, 3..6); // young ones behind old ones
        assert_eq!(told_without(&mut heap, &all, &[4, 1]), [1, 4]);
        assert_eq!(told_without(&mut heap, &all, &[5, 3, 2, 0]), [0, 2, 3, 5]);
        assert_eq!(told_without(&mut heap, &all, &[]), []);
    });
}

#[test]
fn a_weak_reference_is_cleared_and_a_finalizable_object_revived() {
    with_heap(stress(BlockBytes::K4), |mut heap| {
        let (plain, mutable) = (leaf(&heap, 1), cell(&heap, 2));
        let (weak, gone) = (heap.weak(mutable), heap.weak(plain));
        heap.finalize(mutable, 77);
        heap.collect(Request::Complete);
        assert!(heap.upgrade(&gone).is_none());
        let (object, token) = heap.next_finalizable().expect("it died");
        assert_eq!((object.raw(0), token), (2, 77));
        assert_eq!(heap.upgrade(&weak), Some(object));
        heap.collect(Request::Complete);
        assert!(heap.upgrade(&weak).is_none() && heap.next_finalizable().is_none());
    });
}

#[test]
fn a_table_of_weak_references_hears_of_each_death_once() {
    for block in BlockBytes::ALL {
        with_heap(stress(block), |mut heap| {
            let roots: Vec<Handle<'_>> = (0..100).map(|id| heap.root(leaf(&heap, id).into())).collect();
            // Two for each, of which one is ended early.
            let weak = |root| heap.weak(heap.rooted(root).object().expect("a leaf"));
            let spare: Vec<Weak<'_>> = roots.iter().map(weak).collect();
            let mut table: BTreeMap<usize, (Weak<'_>, u64)> = BTreeMap::new();
            for (root, id) in roots.iter().zip(0..) {
                let entry = weak(root);
                table.insert(entry.number(), (entry, id));
            }
            heap.collect(Request::Complete);
            spare.into_iter().for_each(|spare| heap.forget_weak(spare));
            heap.collect(Request::Complete);
            heap.verify().unwrap();
            assert!(heap.cleared().is_empty());
            let mut kept = Vec::new();
            for (root, id) in roots.into_iter().zip(0..) {
                if id % 3 == 0 { kept.push(root) } else { heap.unroot(root) }
            }
            assert_eq!(heap.collect(Request::Complete).weak_cleared, 66);
            for number in heap.cleared() {
                let (dead, id) = table.remove(&number).expect("an entry of the table");
                assert!(id % 3 != 0 && heap.upgrade(&dead).is_none());
                heap.forget_weak(dead);
            }
            assert!(heap.cleared().is_empty());
            assert_eq!(table.len(), kept.len());
            for (weak, id) in table.values() {
                assert_eq!(heap.upgrade(weak).map(|leaf| leaf.raw(0)), Some(*id));
            }
            heap.collect(Request::Complete);
            heap.verify().unwrap();
        });
    }
}

/// Nothing says any more that somebody waits for this death; of the other, something must.
#[test]
fn who_ends_a_weak_reference_hears_of_the_others_all_the_same() {
    with_heap(stress(BlockBytes::K4), |mut heap| {
        let roots = [1, 2].map(|id| heap.root(node(&heap, id, &[leaf(&heap, 10 + id)]).into()));
        let [one, other] = [0, 1].map(|at| heap.weak(heap.rooted(&roots[at]).object().unwrap()));
        heap.collect(Request::Complete);
        heap.forget_weak(one);
        roots.into_iter().for_each(|root| heap.unroot(root));
        assert_eq!(heap.collect(Request::Complete).weak_cleared, 1);
        assert!(heap.is_cleared(&other));
    });
}

#[test]
fn a_death_that_the_host_has_not_asked_for_yet_is_reported_once() {
    with_heap(stress(BlockBytes::K4), |mut heap| {
        for token in 1..4 {
            heap.finalize(cell(&heap, token), token);
            assert_eq!(heap.collect(Request::Complete).finalizable, 1);
        }
        assert_eq!(heap.collect(Request::Complete).finalizable, 0);
        assert_eq!(std::iter::from_fn(|| heap.next_finalizable()).count(), 3);
    });
}

#[test]
fn what_becomes_counted_after_it_was_traced_is_heard_of() {
    with_heap(stress(BlockBytes::K4), |mut heap| {
        let root = heap.root(cell(&heap, 1).into());
        heap.collect(Request::Complete);
        let object = heap.rooted(&root).object().expect("a cell");
        let weak = heap.weak(object);
        heap.finalize(object, 5);
        heap.collect(Request::Complete);
        heap.freeze_deep(heap.rooted(&root));
        heap.collect(Request::Complete);
        heap.verify().unwrap();
        heap.unroot(root);
        assert_eq!(heap.collect(Request::Complete).weak_cleared, 0, "it is revived");
        assert_eq!(heap.next_finalizable().map(|(object, token)| (object.raw(0), token)), Some((1, 5)));
        assert_eq!(heap.collect(Request::Complete).weak_cleared, 1);
        assert!(heap.is_cleared(&weak));
    });
}

#[test]
fn a_text_comes_through() {
    with_heap(stress(BlockBytes::K4), |mut heap| {
        let long = "älter ".repeat(5000);
        let roots = ["", "a", "frazil", &long].map(|text| heap.root(heap.text(&TEXT, text).unwrap().into()));
        heap.collect(Request::Complete);
        let texts = roots.each_ref().map(|root| heap.rooted(root).object().unwrap().text());
        assert_eq!(texts, ["", "a", "frazil", &long]);
    });
}

#[test]
fn in_a_lull_a_collection_is_due_before_the_nursery_is_full() {
    with_heap(Config { nursery_bytes: 64 << 10, ..Config::DEFAULT }, |mut heap| {
        let due = |heap: &TestHeap<'_>| (heap.should_collect_early(), heap.should_collect());
        let fill = |heap: &TestHeap<'_>, bytes| {
            while heap.allocated_bytes() < bytes {
                leaf(heap, 1);
            }
        };
        fill(&heap, 40 << 10);
        assert_eq!(due(&heap), (false, false));
        fill(&heap, 48 << 10);
        assert_eq!(due(&heap), (true, false));
        fill(&heap, (64 << 10) + 16);
        assert_eq!(due(&heap), (true, true));
        heap.collect(Request::Complete);
        assert_eq!(due(&heap), (false, false));
        heap.want_collection();
        assert_eq!(due(&heap), (true, true));
    });
}

#[test]
fn an_observer_is_told_of_every_collection() {
    with_heap(stress(BlockBytes::K4), |mut heap| {
        let told = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
        let ears = told.clone();
        heap.observe(move |report| ears.borrow_mut().push((report.number, report.kind)));
        heap.collect(Request::Complete);
        heap.collect(Request::Complete);
        assert_eq!(*told.borrow(), [(1, Kind::Complete), (2, Kind::Complete)]);
    });
}

#[test]
fn generated_code_may_allocate_inline() {
    with_heap(Config::default(), |heap| {
        let place = std::ptr::from_ref(&heap).cast::<u8>();
        let before = leaf(&heap, 1);
        // SAFETY: the offset of a word in a live heap.
        let top = unsafe { place.add(TestHeap::TOP_OFFSET).cast::<u64>().read() };
        let after = leaf(&heap, 2);
        assert_eq!(Value::from(after).bits(), top);
        assert_eq!(Value::from(after).bits() - Value::from(before).bits(), (layout::WORD_BYTES * 2) as u64);
    });
}

#[test]
fn an_object_with_many_references_is_released_a_part_at_a_time() {
    let drain = Drain::Instalments { objects_per_kib: 1, micros_max: 1_000_000 };
    // In blocks of its own, or in one with others.
    for (block_bytes, len) in [(BlockBytes::K4, 3000), (BlockBytes::K32, 2000)] {
        with_heap(Config { drain, cluster_objects: u32::MAX, ..stress(block_bytes) }, |mut heap| {
            let children: Vec<_> = (0..len).map(|id| leaf(&heap, id)).collect();
            let root = heap.root(node(&heap, 9999, &children).into());
            let bytes = heap.collect(Request::Complete).promoted_bytes;
            assert_eq!(bytes, len as usize * 16 + (2 + len as usize) * 8, "large ones are promoted, too");
            heap.unroot(root);
            // It is taken up, and then a part of it is released: what that referred to waits with it.
            assert_eq!((heap.collect(Request::Complete).waiting, heap.drain(1)), (1, 1 + 512));
            let mut rounds = 0;
            while !heap.census().is_empty() {
                heap.collect(Request::Complete);
                heap.drain(20);
                heap.verify().unwrap();
                rounds += 1;
            }
            assert!(rounds > 10, "{rounds}");
        });
    }
}

/// Its representative was retained, and the member was not: nothing has looked at the member's block since it was filled.
#[test]
fn a_cycle_is_revived_for_a_member_in_a_block_that_nobody_has_touched() {
    with_heap(stress(BlockBytes::K4), |mut heap| {
        let first = cell(&heap, 1);
        let member = heap.alloc(&ARRAY, 9).unwrap().finish();
        heap.store(first, 0, member.into()).unwrap();
        heap.store(member, 0, first.into()).unwrap();
        heap.finalize(member, 7);
        heap.freeze_deep(first.into());
        let root = heap.root(first.into());
        assert_eq!(heap.collect(Request::Complete).components, 1);
        heap.unroot(root);
        assert_eq!(heap.collect(Request::Complete).finalizable, 1);
        let (member, token) = heap.next_finalizable().unwrap();
        assert_eq!((member.get(0).object().unwrap().raw(0), token), (1, 7));
        heap.collect(Request::Complete);
        assert!(heap.census().is_empty());
    });
}

#[test]
fn a_heap_at_its_limit_refuses_and_recovers() {
    let config = Config { limit_bytes: Some(1 << 20), ..Config::default() };
    with_heap(config, |mut heap| {
        let kept = heap.root(Value::EMPTY);
        let mut length = 0;
        let refused = loop {
            if heap.should_collect() {
                heap.collect(Request::Auto);
            }
            let mut fresh = match heap.alloc(&NODE, 1) {
                Ok(fresh) => fresh,
                Err(refused) => break refused,
            };
            fresh.references_mut()[0] = heap.rooted(&kept);
            let next = fresh.finish();
            heap.reroot(&kept, next.into());
            length += 1;
        };
        assert!(refused.to_string().contains("the heap limit of 1048576 bytes is reached"), "{refused}");
        // Survivors may begin a block of their size class, which is counted whole.
        assert!(length > 15_000 && heap.used_bytes() <= (1 << 20) + (64 << 10), "{length}");
        heap.reroot(&kept, Value::EMPTY);
        heap.collect(Request::Complete);
        assert!(heap.alloc(&NODE, 1).is_ok());
    });
}

/// A host whose references carry three bits of its own, and whose immediates have the highest bit.
struct Tagged;

// SAFETY: addresses are multiples of 8 with a clear highest bit; the three lowest bits are taken off again.
unsafe impl Host for Tagged {
    const EMPTY: u64 = 1 << 63;

    fn address(word: u64) -> Option<usize> {
        (word >> 63 == 0 && word & !7 != 0).then_some((word & !7) as usize)
    }

    fn word(address: usize, old: u64) -> u64 {
        address as u64 | old & 7
    }
}

#[test]
fn the_tags_of_a_reference_stay_when_its_object_moves() {
    for cluster_objects in [2, u32::MAX] {
        let config = Config { short_collections: true, cluster_objects, ..stress(BlockBytes::K4) };
        Heap::<Tagged>::branded(config, tags_stay).expect("the settings agree");
    }
}

fn tags_stay(mut heap: Heap<'_, Tagged>) {
    let cell = heap.alloc(&CELL, 0).unwrap().finish();
    let leaf = || heap.alloc(&LEAF, 0).unwrap().finish();
    heap.store(cell, 0, leaf().tagged_like(5)).unwrap();
    heap.store(cell, 1, cell.tagged_like(3)).unwrap();
    // What is immutable is promoted by a walk of its own: this meets one object twice.
    let (below, shared) = (heap.alloc(&NODE, 2), leaf());
    let (mut below, mut node) = (below.unwrap(), heap.alloc(&NODE, 2).unwrap());
    below.references_mut().copy_from_slice(&[shared.tagged_like(1), leaf().tagged_like(2)]);
    node.references_mut().copy_from_slice(&[shared.tagged_like(6), below.finish().tagged_like(4)]);
    let roots = [heap.root(cell.tagged_like(7)), heap.root(node.finish().tagged_like(3))];
    for request in [Request::Short, Request::Complete, Request::Complete] {
        heap.collect(request);
        let [cell, node] = roots.each_ref().map(|root| heap.rooted(root));
        let tags = |value: Value<'_, '_, Tagged>| {
            let object = value.object().unwrap();
            [value, object.get(0), object.get(1)].map(|word| word.bits() & 7)
        };
        assert_eq!([tags(cell), tags(node)], [[7, 5, 3], [3, 6, 4]]);
        let (cell, node) = (cell.object().unwrap(), node.object().unwrap());
        assert_eq!(cell.get(1).object(), Some(cell), "the same object under another tag");
        let below = node.get(1);
        assert_eq!(tags(below), [4, 1, 2]);
        assert_eq!(below.object().unwrap().get(0).object(), node.get(0).object());
        heap.verify().unwrap();
    }
}

#[test]
fn an_idle_drain_leaves_the_blocks_that_young_objects_may_need() {
    let drain = Drain::Instalments { objects_per_kib: 1, micros_max: 1_000 };
    with_heap(Config { drain, nursery_bytes: 64 << 10, ..Config::default() }, |mut heap| {
        let root = heap.root(Value::EMPTY);
        for round in 0..2 {
            heap.reroot(&root, Value::EMPTY);
            if round == 1 {
                heap.collect(Request::Complete);
                assert!(heap.waiting() > 0, "the old chain is dead, and not yet freed");
            }
            for id in 0..1_000_000 {
                let tail = heap.rooted(&root).object();
                let next = node(&heap, id, tail.as_slice());
                heap.reroot(&root, next.into());
            }
            if round == 0 {
                heap.collect(Request::Complete);
            }
        }
        // So much is young now that the chunks which the drain empties are wanted for it.
        while heap.drain(1_000_000) > 0 {}
        let report = heap.collect(Request::Complete);
        assert_eq!(report.promoted_objects, 1_000_000);
    });
}

thread_local! {
    /// Does whoever looks at a reference panic?
    static BREAKS: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// A host whose collections can be made to panic.
struct Fragile;

// SAFETY: a word is an address, or 0, which is none.
unsafe impl Host for Fragile {
    const EMPTY: u64 = 0;

    fn address(word: u64) -> Option<usize> {
        assert!(!BREAKS.get(), "a collection that fails");
        (word != 0).then_some(word as usize)
    }

    fn word(address: usize, _old: u64) -> u64 {
        address as u64
    }
}

/// Nobody knows any more what is alive in it.
#[test]
#[cfg_attr(any(miri, frazil_asan), ignore = "it keeps memory for ever, on purpose")]
fn of_a_heap_whose_collection_has_panicked_nothing_is_ever_freed() {
    let group = Group::<Fragile>::new(Config::DEFAULT).expect("the settings agree");
    let breaks = |mut heap: Heap<'_, Fragile>| {
        let mut leaf = heap.alloc(&LEAF, 0).expect("memory");
        leaf.raw_mut()[0] = 7;
        let leaf = heap.root(leaf.finish().into());
        let shared = heap.share(&leaf).expect("immutable");
        BREAKS.set(true);
        assert!(catch_unwind(AssertUnwindSafe(|| heap.collect(Request::Complete))).is_err());
        BREAKS.set(false);
        shared
    };
    let shared = group.branded(breaks).expect("memory");
    assert_eq!(group.orphans(), 0, "it would be tended");
    group.branded(|heap| assert_eq!(heap.import(shared).object().map(|leaf| leaf.raw(0)), Some(7))).unwrap();
}
