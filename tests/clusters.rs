//! Structures that are counted as one: when they are, what ends it, and that nothing lives longer for it.
//!
//! The heaps are in the checking mode: every collection is followed by a look at all invariants. (`histories.rs` goes through
//! random histories with clusters of every size.)

use frazil::{
    BlockBytes, Config, Drain, Group, Handle, Heap, LowTag, Object, ObjectKind, Report, Request, Shape,
    Shared, Value,
};

const PAIR: Shape = Shape::new(1, "pair").raw_words(1).references(2);
const CELL: Shape = Shape::new(2, "cell").references(1).mutable();
const LEAF: Shape = Shape::new(3, "leaf").raw_words(1);

type TestHeap<'id> = Heap<'id, LowTag>;
type Val<'s, 'id> = Value<'s, 'id, LowTag>;

fn with_heap<R>(config: Config, f: impl for<'id> FnOnce(TestHeap<'id>) -> R) -> R {
    Heap::branded(config, f).expect("a heap")
}

/// Clusters of at least so many objects, of about so many bytes.
fn config(cluster_objects: u32, cluster_bytes: usize) -> Config {
    Config { nursery_bytes: 1 << 20, cluster_objects, cluster_bytes, ..Config::STRESS }
}

fn pair<'s, 'id>(heap: &'s TestHeap<'id>, id: u64, left: Val<'s, 'id>, right: Val<'s, 'id>) -> Val<'s, 'id> {
    let mut pair = heap.alloc(&PAIR, 0).expect("memory");
    pair.raw_mut()[0] = id;
    pair.references_mut().copy_from_slice(&[left, right]);
    pair.finish().into()
}

/// A perfect tree; the nodes are numbered from 1, level by level.
fn tree<'s, 'id>(heap: &'s TestHeap<'id>, id: u64, levels: u32) -> Val<'s, 'id> {
    if levels == 0 {
        return Value::EMPTY;
    }
    let left = tree(heap, 2 * id, levels - 1);
    let right = tree(heap, 2 * id + 1, levels - 1);
    pair(heap, id, left, right)
}

fn child<'s, 'id>(of: Val<'s, 'id>, index: usize) -> Val<'s, 'id> {
    of.object().expect("a pair").references().iter().nth(index).expect("a reference")
}

/// The counts of the objects with these numbers.
fn counts<const N: usize>(heap: &mut TestHeap<'_>, ids: [u64; N]) -> [u64; N] {
    let census = heap.census();
    ids.map(|id| census.iter().find(|object| object.raw == Some(id)).expect("alive").count)
}

fn alive(heap: &mut TestHeap<'_>) -> usize {
    heap.census().iter().filter(|object| object.kind != ObjectKind::Young).count()
}

fn complete(heap: &mut TestHeap<'_>) -> Report {
    heap.collect(Request::Complete)
}

#[test]
fn a_tree_is_counted_as_one_and_dies_at_once() {
    for block_bytes in BlockBytes::ALL {
        with_heap(Config { block_bytes, ..config(8, 1 << 20) }, |mut heap| {
            let root = heap.root(tree(&heap, 1, 8));
            let report = complete(&mut heap);
            assert_eq!((report.clustered, report.dissolved), (255, 0));
            assert_eq!((report.promoted_objects, report.promoted_bytes), (255, 255 * 32));
            assert_eq!(counts(&mut heap, [1, 2, 255]), [0, 1, 1], "as if they were kept");
            assert_eq!(complete(&mut heap).freed_objects, 0);
            heap.unroot(root);
            assert_eq!(complete(&mut heap).freed_objects, 255);
            assert_eq!((alive(&mut heap), heap.stats().dissolved), (0, 0));
        });
    }
}

/// Its cells are freed a block at a time: sixty-four of its objects count for one that is released.
#[test]
fn what_a_cluster_releases_is_charged_to_the_instalment() {
    let drain = Drain::Instalments { objects_per_kib: 1, micros_max: 1_000_000 };
    with_heap(Config { drain, ..config(8, 1 << 20) }, |mut heap| {
        let roots = [(); 4].map(|()| heap.root(tree(&heap, 1, 10)));
        assert_eq!(complete(&mut heap).clustered, 4 * 1023);
        roots.into_iter().for_each(|root| heap.unroot(root));
        // Nothing was allocated: one is due, and it is the head of a thousand.
        let report = complete(&mut heap);
        assert_eq!((report.freed_objects, report.waiting), (1023, 3));
        assert_eq!((heap.drain(1 + 1023 / 64), heap.drain(2 + 1023 / 64)), (2, 0));
    });
}

#[test]
fn a_root_into_the_middle_keeps_what_is_below_it_and_no_more() {
    with_heap(config(8, 1 << 20), |mut heap| {
        let root = heap.root(tree(&heap, 1, 8));
        complete(&mut heap);
        let inner = heap.root(child(heap.rooted(&root), 1));
        assert_eq!(complete(&mut heap).dissolved, 255);
        heap.unroot(root);
        assert_eq!(complete(&mut heap).dissolved, 0, "told once");
        assert_eq!(alive(&mut heap), 127);
        assert_eq!(counts(&mut heap, [3, 6, 7, 255]), [0, 1, 1, 1]);
        heap.unroot(inner);
        complete(&mut heap);
        assert_eq!(alive(&mut heap), 0);
    });
}

#[test]
fn so_does_a_reference_of_an_object_old_or_young() {
    for mutable in [false, true] {
        with_heap(config(8, 1 << 20), |mut heap| {
            let root = heap.root(tree(&heap, 1, 8));
            complete(&mut heap);
            let inner = child(heap.rooted(&root), 0);
            let outer = if mutable {
                let cell = heap.alloc(&CELL, 0).expect("memory").finish();
                heap.store(cell, 0, inner).expect("a cell");
                heap.root(cell.into())
            } else {
                heap.root(pair(&heap, 1000, inner, Value::EMPTY))
            };
            assert_eq!(complete(&mut heap).dissolved, 255 + usize::from(!mutable));
            heap.unroot(root);
            complete(&mut heap);
            assert_eq!(alive(&mut heap), 128);
            assert_eq!(counts(&mut heap, [2]), [u64::from(!mutable)]);
            heap.unroot(outer);
            complete(&mut heap);
            assert_eq!(alive(&mut heap), 0);
        });
    }
}

#[test]
fn what_is_shared_inside_is_inside() {
    with_heap(config(8, 1 << 20), |mut heap| {
        // A ladder: both references of each lead to the next.
        let ladder = (1..=100).fold(Value::EMPTY, |below, id| pair(&heap, id, below, below));
        let root = heap.root(ladder);
        assert_eq!(complete(&mut heap).clustered, 100);
        assert_eq!(counts(&mut heap, [100, 99, 1]), [0, 2, 2]);
        let inner = heap.root(child(heap.rooted(&root), 0));
        complete(&mut heap);
        heap.unroot(root);
        complete(&mut heap);
        assert_eq!((alive(&mut heap), counts(&mut heap, [99, 98])), (99, [0, 2]));
        heap.unroot(inner);
        complete(&mut heap);
        assert_eq!(alive(&mut heap), 0);
    });
}

#[test]
fn what_a_cluster_refers_to_outside_is_counted_and_counted_down() {
    with_heap(config(8, 1 << 20), |mut heap| {
        let outside = heap.root(pair(&heap, 500, Value::EMPTY, Value::EMPTY));
        complete(&mut heap);
        let of = heap.rooted(&outside);
        let list = (1..=50).fold(Value::EMPTY, |below, id| pair(&heap, id, of, below));
        let list = heap.root(list);
        assert_eq!(complete(&mut heap).clustered, 50);
        assert_eq!(counts(&mut heap, [500]), [50]);
        heap.unroot(outside);
        complete(&mut heap);
        assert_eq!(counts(&mut heap, [500]), [50]);
        heap.unroot(list);
        assert_eq!(complete(&mut heap).freed_objects, 51);
    });
}

#[test]
fn a_cluster_that_refers_to_the_inside_of_another_dissolves_that() {
    with_heap(config(8, 1 << 20), |mut heap| {
        let first = heap.root(tree(&heap, 1, 5));
        complete(&mut heap);
        let inner = child(child(heap.rooted(&first), 0), 0);
        let second = (100..=150).fold(inner, |below, id| pair(&heap, id, Value::EMPTY, below));
        let second = heap.root(second);
        let report = complete(&mut heap);
        assert_eq!((report.clustered, report.dissolved), (51, 31));
        assert_eq!(counts(&mut heap, [1, 2, 4, 8]), [0, 1, 2, 1]);
        heap.unroot(first);
        complete(&mut heap);
        assert_eq!(alive(&mut heap), 51 + 7);
        heap.unroot(second);
        complete(&mut heap);
        assert_eq!(alive(&mut heap), 0);
    });
}

#[test]
fn a_large_structure_becomes_several_clusters() {
    with_heap(config(8, 1 << 10), |mut heap| {
        let root = heap.root(tree(&heap, 1, 12));
        let report = complete(&mut heap);
        assert!(report.clustered > 3000, "{report:?}");
        assert_eq!(report.clustered + report.dissolved, 4095);
        let inner = heap.root(child(child(heap.rooted(&root), 1), 1));
        let dissolved = complete(&mut heap).dissolved;
        assert!(dissolved < 200, "one cluster of about a KiB: {dissolved} objects");
        heap.unroot(root);
        complete(&mut heap);
        assert_eq!(alive(&mut heap), 1023);
        heap.unroot(inner);
        complete(&mut heap);
        assert_eq!(alive(&mut heap), 0);
    });
}

#[test]
fn a_list_becomes_a_chain_of_clusters() {
    for instalments in [false, true] {
        let drain = if instalments {
            frazil::Drain::Instalments { objects_per_kib: 1, micros_max: u32::MAX }
        } else {
            frazil::Drain::All
        };
        with_heap(Config { drain, ..config(8, 1 << 10) }, |mut heap| {
            let list = (0..10_000).fold(Value::EMPTY, |below, id| pair(&heap, id, below, Value::EMPTY));
            let root = heap.root(list);
            assert!(complete(&mut heap).clustered > 9900);
            heap.unroot(root);
            let mut rounds = 0;
            while alive(&mut heap) > 0 {
                complete(&mut heap);
                rounds += 1;
            }
            assert_eq!(rounds > 10, instalments, "{rounds} collections");
        });
    }
}

#[test]
fn something_mutable_below_leaves_the_rest_to_the_classifier() {
    with_heap(config(2, 256), |mut heap| {
        let cell: Val<'_, '_> = heap.alloc(&CELL, 0).expect("memory").finish().into();
        let counted = tree(&heap, 1, 6);
        let traced = (100..=120).fold(cell, |below, id| pair(&heap, id, counted, below));
        let root = heap.root(traced);
        let report = complete(&mut heap);
        assert_eq!(report.promoted_objects, 1 + 63 + 21);
        let census = heap.census();
        let of_kind = |kind| census.iter().filter(|object| object.kind == kind).count();
        assert_eq!((of_kind(ObjectKind::Traced), of_kind(ObjectKind::Counted)), (22, 63));
        heap.freeze_deep(heap.rooted(&root));
        complete(&mut heap);
        assert!(heap.census().iter().all(|object| object.kind == ObjectKind::Counted));
        heap.unroot(root);
        complete(&mut heap);
        assert_eq!(alive(&mut heap), 0);
    });
}

#[test]
fn weak_references_and_finalizers_see_no_difference() {
    with_heap(config(8, 1 << 20), |mut heap| {
        let root = heap.root(tree(&heap, 1, 6));
        complete(&mut heap);
        let weak = heap.weak(child(heap.rooted(&root), 0).object().expect("a pair"));
        complete(&mut heap);
        assert_eq!(heap.stats().dissolved, 0, "a weak reference does not keep anything alive");
        let found: Option<Object<'_, '_, LowTag>> = heap.upgrade(&weak);
        assert_eq!(found.map(|found| found.raw(0)), Some(2));
        let watched = child(child(heap.rooted(&root), 1), 0).object().expect("a pair");
        heap.finalize(watched, 7);
        heap.unroot(root);
        complete(&mut heap);
        assert!(heap.is_cleared(&weak));
        assert_eq!(heap.next_finalizable().map(|(object, token)| (object.raw(0), token)), Some((6, 7)));
        complete(&mut heap);
        assert_eq!(alive(&mut heap), 0);
    });
}

#[test]
fn who_waits_for_an_inner_death_hears_of_the_heads() {
    let drain = Drain::Instalments { objects_per_kib: 1, micros_max: 1_000_000 };
    with_heap(Config { drain, ..config(8, 1 << 20) }, |mut heap| {
        let roots: Vec<_> = (0..40).map(|_| heap.root(tree(&heap, 1, 4))).collect();
        let clusters = complete(&mut heap).clustered / 15;
        let inner = |root| heap.weak(child(heap.rooted(root), 0).object().expect("a pair"));
        let weak: Vec<_> = roots.iter().map(inner).collect();
        complete(&mut heap);
        roots.into_iter().for_each(|root| heap.unroot(root));
        let report = complete(&mut heap);
        assert!(clusters > 30 && report.waiting > 30, "nearly all are still there");
        assert_eq!(report.weak_cleared, clusters, "but nothing leads to their insides any more");
        while heap.waiting() > 0 {
            complete(&mut heap);
        }
        assert!(weak.iter().all(|weak| heap.is_cleared(weak)));
        assert_eq!(alive(&mut heap), 0);
    });
}

#[test]
fn who_waits_for_an_inner_death_hears_of_it_when_the_cluster_is_dissolved() {
    with_heap(config(8, 1 << 20), |mut heap| {
        let root = heap.root(tree(&heap, 1, 4));
        complete(&mut heap);
        let inner = |index| heap.weak(child(heap.rooted(&root), index).object().expect("a pair"));
        let (left, right) = (inner(0), inner(1));
        complete(&mut heap);
        let kept = heap.root(child(heap.rooted(&root), 1));
        heap.unroot(root);
        let report = complete(&mut heap);
        assert_eq!((report.dissolved, report.weak_cleared), (15, 1));
        assert!(heap.is_cleared(&left));
        assert_eq!(heap.upgrade(&right).map(Value::from), Some(heap.rooted(&kept)));
        heap.unroot(kept);
        assert_eq!(complete(&mut heap).weak_cleared, 1);
    });
}

/// Shares a cluster of 255 objects from one heap to another, which nothing else holds.
fn with_shared_tree(f: impl for<'a, 'b> FnOnce(&mut TestHeap<'a>, &mut TestHeap<'b>, Shared<LowTag>)) {
    let group = Group::<LowTag>::new(config(8, 1 << 20)).expect("the settings agree");
    let within = |mut owner: TestHeap<'_>| {
        let root = owner.root(tree(&owner, 1, 8));
        assert_eq!(complete(&mut owner).clustered, 255);
        let shared = owner.share_settled(owner.rooted(&root)).expect("counted");
        owner.unroot(root);
        group.branded(|mut other| f(&mut owner, &mut other, shared)).expect("memory");
    };
    group.branded(within).expect("memory");
}

#[test]
fn another_heap_may_keep_the_inside() {
    with_shared_tree(|owner, other, shared| {
        assert_eq!(complete(owner).freed_objects, 0, "the handle keeps all of it");
        let inner = other.root(child(other.import(shared), 1));
        complete(other);
        assert_eq!(complete(owner).dissolved, 255);
        complete(other);
        complete(owner);
        assert_eq!(alive(owner), 127);
        other.unroot(inner);
        complete(other);
        complete(owner);
        assert_eq!(alive(owner), 0);
    });
}

/// What its owner's tables say of it, nobody else looks at.
#[test]
fn another_heap_may_refer_to_the_inside_weakly() {
    with_shared_tree(|owner, other, shared| {
        let inner = child(other.import(shared), 1).object().expect("a pair");
        let weak = other.weak(inner);
        assert_eq!(complete(other).weak_cleared, 0);
        assert_eq!(complete(owner).dissolved, 255);
        complete(other);
        complete(owner);
        assert_eq!(other.upgrade(&weak).map(|inner| inner.raw(0)), Some(3));
        assert_eq!(alive(owner), 127);
        other.forget_weak(weak);
        complete(other);
        complete(owner);
        assert_eq!(alive(owner), 0);
    });
}

#[test]
fn what_is_always_dissolved_is_not_always_tried() {
    with_heap(config(9, 1 << 20), |mut heap| {
        let tried = (0..30).filter(|_| {
            let root = heap.root(tree(&heap, 1, 6));
            let tried = complete(&mut heap).clustered > 0;
            let inner = heap.root(child(heap.rooted(&root), 0));
            complete(&mut heap);
            [root, inner].into_iter().for_each(|root| heap.unroot(root));
            tried
        });
        assert!((2..20).contains(&tried.count()));
    });
}

#[test]
fn a_structure_is_a_cluster_from_so_many_objects_on() {
    let clustered = |cluster_objects| {
        with_heap(config(cluster_objects, 1 << 20), |mut heap| {
            let root = heap.root(tree(&heap, 1, 4));
            let report = complete(&mut heap);
            heap.unroot(root);
            report.clustered
        })
    };
    assert_eq!([14, 15, 16].map(clustered), [15, 15, 0]);
}

/// In one collection: each time that a cluster came of it makes up for one that none did.
#[test]
fn where_every_root_leads_to_a_handful_it_is_tried_no_more() {
    let tried = |cluster_objects, large_ones: usize| {
        with_heap(config(cluster_objects, 1 << 20), |mut heap| {
            let handful = |_| heap.root(tree(&heap, 1, 2));
            let mut roots: Vec<_> = (0..10).map(handful).collect();
            roots.extend((0..large_ones).map(|_| heap.root(tree(&heap, 1, 5))));
            roots.extend((0..100).map(handful));
            let report = complete(&mut heap);
            assert_eq!(report.clustered, 31 * large_ones);
            report.dissolved / 3
        })
    };
    assert_eq!([0, 3, 20].map(|large_ones| tried(9, large_ones)), [17, 20, 27]);
    assert_eq!(tried(8, 3), 110, "who wants to see them");
}

#[test]
fn where_circles_are_expected_only_trees_and_their_leaves_are_clusters() {
    with_heap(config(8, 1 << 20), |mut heap| {
        heap.expect_circles();
        let leaf: Val<'_, '_> = heap.alloc(&LEAF, 0).expect("memory").finish().into();
        let list = (1..=50).fold(Value::EMPTY, |below, id| pair(&heap, id, leaf, below));
        let list = heap.root(list);
        let ladder = (1..=50).fold(Value::EMPTY, |below, id| pair(&heap, id, below, below));
        let ladder = heap.root(ladder);
        let report = complete(&mut heap);
        assert_eq!((report.clustered, report.dissolved > 0), (51, true));
        [list, ladder].into_iter().for_each(|root| heap.unroot(root));
        complete(&mut heap);
        assert_eq!(alive(&mut heap), 0);
    });
}

#[test]
fn nobody_has_to_have_them() {
    with_heap(config(u32::MAX, 0), |mut heap| {
        let root = heap.root(tree(&heap, 1, 8));
        let report = complete(&mut heap);
        assert_eq!((report.clustered, report.dissolved), (0, 0));
        heap.unroot(root);
        assert_eq!(complete(&mut heap).freed_objects, 255);
    });
}

/// Lets go of a tree, but for one object, and what is below it, of each part that begins so many levels below its root.
fn keep_some<'id>(heap: &mut TestHeap<'id>, root: Handle<'id>, levels: usize) -> Vec<Handle<'id>> {
    let mut parts = vec![heap.rooted(&root)];
    for _ in 0..levels {
        parts = parts.iter().flat_map(|&part| [child(part, 0), child(part, 1)]).collect();
    }
    let kept = parts.iter().map(|&part| heap.root(child(child(part, 0), 1))).collect();
    heap.unroot(root);
    kept
}

/// Each run has to be found by its address, and freed by itself.
#[test]
fn what_is_scattered_is_counted_one_by_one() {
    // Of each part of so many levels, one object stays; the next structure fills the holes.
    let clustered = |levels: usize| {
        with_heap(config(8, 1 << 20), |mut heap| {
            let root = heap.root(tree(&heap, 1, 10));
            complete(&mut heap);
            let kept = keep_some(&mut heap, root, 10 - levels);
            let before = complete(&mut heap).blocks_used;
            let other = heap.root(tree(&heap, 2000, 8));
            let report = complete(&mut heap);
            assert_eq!(report.blocks_used, before);
            kept.into_iter().chain([other]).for_each(|handle| heap.unroot(handle));
            complete(&mut heap);
            assert_eq!(alive(&mut heap), 0);
            report.clustered
        })
    };
    assert_eq!([3, 4, 5].map(clustered), [0, 255, 255]);
}

/// What clusters have left, once they were dissolved and mostly died, is room for others while no clusters are made.
#[test]
fn the_holes_of_clusters_are_filled_while_none_are_made() {
    with_heap(config(16, 1 << 20), |mut heap| {
        let root = heap.root(tree(&heap, 1, 10));
        assert_eq!(complete(&mut heap).clustered, 1023);
        // Of each part of seven objects, one stays.
        let kept = keep_some(&mut heap, root, 7);
        let before = complete(&mut heap);
        assert_eq!((before.dissolved, before.old_objects), (1023, kept.len()));
        let other = heap.root(tree(&heap, 2000, 8));
        let after = complete(&mut heap);
        assert_eq!((after.clustered, after.promoted_objects), (0, 255));
        assert_eq!(after.blocks_used, before.blocks_used);
        kept.into_iter().chain([other]).for_each(|handle| heap.unroot(handle));
        complete(&mut heap);
        assert_eq!(alive(&mut heap), 0);
    });
}
