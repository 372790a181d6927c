//! Pictures of a heap: what is in them, and that every object knows where it was born.

use frazil::{
    BlockBytes, BlockUse, BlockView, Config, Dominators, Drain, Heap, LowTag, ObjectKind, Paths, Request,
    RootPlace, Shape, Snapshot,
};

const LEAF: Shape = Shape::new(1, "leaf").raw_words(1);
const NODE: Shape = Shape::new(2, "node").raw_words(1).references_tail();
const CELL: Shape = Shape::new(3, "cell").raw_words(1).references(2).mutable();
const TEXT: Shape = Shape::new(4, "text").text();
const BYTES: Shape = Shape::new(5, "bytes").bytes();
const KEYED: Shape = Shape::new(6, "keyed").bytes().references(1);

type TestHeap<'id> = Heap<'id, LowTag>;

fn with_heap<R>(config: Config, f: impl for<'id> FnOnce(TestHeap<'id>) -> R) -> R {
    Heap::branded(config, f).expect("the settings agree")
}

/// Makes a mutable cell that the handle keeps, with `count` leaves behind a node each, all at the sites from `site`.
fn fill(heap: &TestHeap<'_>, site: u32, count: u32) {
    for number in 0..count {
        heap.set_site(site + number);
        let mut leaf = heap.alloc(&LEAF, 0).unwrap();
        leaf.raw_mut()[0] = u64::from(site + number);
        let leaf = leaf.finish();
        let mut node = heap.alloc(&NODE, 1).unwrap();
        node.raw_mut()[0] = u64::from(site + number);
        node.references_mut()[0] = leaf.into();
        let node = node.finish();
        heap.stack_from(number as usize % heap.stack_len())[0].set(node.into());
    }
}

/// Every object carries its site as its first raw word.
fn assert_sites(snapshot: &Snapshot) {
    for object in &snapshot.objects {
        assert_eq!(object.raw, Some(u64::from(object.site)), "{object:?}");
    }
}

#[test]
fn sites_follow_objects_through_every_collection() {
    for block in BlockBytes::ALL {
        for base in [Config::STRESS, Config { nursery_bytes: 64 << 10, ..Config::DEFAULT }] {
            let config = Config { block_bytes: block, short_collections: true, stack_words: 4096, ..base };
            with_heap(config, |mut heap| {
                heap.profile();
                heap.stack_grow(900).unwrap();
                for round in 0..12 {
                    fill(&heap, 1 + 1000 * round, 700);
                    assert_sites(&heap.snapshot(0));
                    heap.collect(if round % 3 == 2 { Request::Complete } else { Request::Short });
                    let snapshot = heap.snapshot(0);
                    assert_sites(&snapshot);
                    assert!(snapshot.objects.len() >= 1400, "{}", snapshot.objects.len());
                }
                heap.collect(Request::Complete);
                let uses = heap.old_by_site();
                let (objects, bytes) =
                    uses.iter().fold((0, 0), |sum, used| (sum.0 + used.objects, sum.1 + used.bytes));
                let snapshot = heap.snapshot(0);
                assert_eq!((objects, bytes), (snapshot.objects.len(), snapshot.bytes()));
                assert!(
                    uses.iter().all(|used| used.objects == 2),
                    "a leaf and a node of each site: {uses:?}"
                );
            });
        }
    }
}

#[test]
fn large_objects_and_late_safepoints_have_sites_too() {
    with_heap(Config { nursery_bytes: 16 << 10, ..Config::DEFAULT }, |mut heap| {
        heap.profile();
        let sizes = [100_000, 3_000_000, 10, 100_000];
        let handles: Vec<_> = sizes
            .into_iter()
            .zip(1..)
            .map(|(size, site)| {
                heap.set_site(site);
                heap.root(heap.alloc(&NODE, size).unwrap().finish().into())
            })
            .collect();
        // Far more than the nursery is meant to take, and more than its first range has.
        heap.set_site(9);
        let mut last = heap.alloc(&LEAF, 0).unwrap().finish();
        for _ in 0..5_000_000 {
            last = heap.alloc(&LEAF, 0).unwrap().finish();
        }
        assert_eq!(heap.site_of(last), 9);
        let last = heap.root(last.into());
        for _ in 0..2 {
            let site = |handle| heap.site_of(heap.rooted(handle).object().unwrap());
            assert_eq!(handles.iter().map(site).collect::<Vec<_>>(), [1, 2, 3, 4]);
            assert_eq!(site(&last), 9);
            heap.collect(Request::Complete);
        }
        let snapshot = heap.snapshot(0);
        let large = snapshot.blocks.iter().filter(|block| block.used == BlockUse::Large);
        let bytes: Vec<usize> = large.clone().map(|block| block.bytes).collect();
        assert!(bytes.len() == 3 && bytes.iter().any(|&bytes| bytes > 24_000_000), "{bytes:?}");
        assert!(large.into_iter().all(|block| block.objects.len() == 1 && block.object_bytes < block.bytes));
    });
}

#[test]
fn without_profiling_no_object_has_a_site() {
    with_heap(Config::DEFAULT, |mut heap| {
        heap.set_site(3);
        let kept = heap.root(heap.alloc(&LEAF, 0).unwrap().finish().into());
        assert_eq!((heap.site(), heap.old_by_site().len()), (0, 0));
        heap.profile();
        heap.set_site(4);
        heap.collect(Request::Complete);
        assert_eq!(heap.site_of(heap.rooted(&kept).object().unwrap()), 0, "it is older than the profile");
        assert_eq!(heap.site(), 4);
    });
}

#[test]
fn the_totals_are_those_of_the_report() {
    with_heap(Config { nursery_bytes: 64 << 10, ..Config::DEFAULT }, |mut heap| {
        heap.stack_grow(5000).unwrap();
        fill(&heap, 0, 5000);
        let report = heap.collect(Request::Complete);
        let snapshot = heap.snapshot(0);
        assert_eq!(snapshot.objects.len(), report.old_objects);
        let cells: usize = snapshot.blocks.iter().map(|block| block.cell_bytes * block.objects.len()).sum();
        assert_eq!(cells, report.old_bytes);
        let used = snapshot.blocks.iter().filter(|block| block.used != BlockUse::Free);
        assert_eq!(used.map(|block| block.bytes).sum::<usize>(), report.block_bytes);
        let free = snapshot.blocks.iter().filter(|block| block.used == BlockUse::Free);
        let free: usize = free.map(|block| block.bytes / snapshot.block_bytes).sum();
        assert_eq!(free, report.blocks_free);
        let both_free = |two: &[BlockView]| two.iter().all(|block| block.used == BlockUse::Free);
        assert!(!snapshot.blocks.windows(2).any(both_free), "free blocks side by side are one");
        let retained: usize = snapshot.blocks.iter().map(|block| block.retained).sum();
        assert_eq!((retained, snapshot.roots.len()), (5000, 5000), "the nodes, and not what they count");
        assert_eq!((snapshot.nursery_bytes, snapshot.block_bytes), (0, heap.config().block_bytes.get()));
    });
}

#[test]
fn a_snapshot_says_what_each_object_is() {
    with_heap(Config::DEFAULT, |mut heap| {
        let text = heap.text(&TEXT, "a text of äöü").unwrap();
        let cell = heap.alloc(&CELL, 0).unwrap().finish();
        heap.store(cell, 1, text.into()).unwrap();
        let frozen = heap.alloc(&CELL, 0).unwrap().finish();
        heap.store(frozen, 0, cell.into()).unwrap();
        heap.freeze(frozen);
        let kept = heap.root(frozen.into());
        heap.collect(Request::Complete);
        let young = heap.alloc(&LEAF, 0).unwrap().finish();
        heap.stack_grow(2).unwrap();
        heap.stack_from(1)[0].set(young.into());

        let snapshot = heap.snapshot(11);
        let find = |shape: &Shape| {
            let same = |object: &usize| snapshot.objects[*object].shape_id == shape.id();
            (0..snapshot.objects.len()).filter(same).collect::<Vec<_>>()
        };
        let (leaf, text) = (find(&LEAF)[0], find(&TEXT)[0]);
        let [first, second] = find(&CELL)[..] else { panic!("two cells") };
        let (frozen, cell) = if snapshot.objects[first].frozen { (first, second) } else { (second, first) };
        assert_eq!(snapshot.text(text), "a text of ", "no half characters");
        let texts = [10, 12, 16, 17].map(|bytes| heap.snapshot(bytes).text(text).to_owned());
        assert_eq!(texts, ["a text of ", "a text of ä", "a text of äöü", "a text of äöü"]);
        let kinds = [leaf, text, cell, frozen].map(|object| snapshot.objects[object].kind);
        assert_eq!(kinds, [ObjectKind::Young, ObjectKind::Counted, ObjectKind::Traced, ObjectKind::Traced]);
        assert!(snapshot.objects[cell].mutable && !snapshot.objects[frozen].mutable);
        let used = |object| {
            snapshot.blocks.iter().find(|block| block.objects.contains(&object)).map(|block| block.used)
        };
        assert_eq!([text, cell, leaf].map(used), [Some(BlockUse::Leaves), Some(BlockUse::Mutable), None]);
        assert_eq!(snapshot.references(cell).collect::<Vec<_>>(), [None, Some(text)]);
        let roots: Vec<_> = snapshot.roots.iter().map(|root| (root.place, root.object)).collect();
        assert_eq!(roots, [(RootPlace::Stack(1), leaf), (RootPlace::Handle(0), frozen)]);

        let path = Paths::from_roots(&snapshot).to(text);
        let steps: Vec<_> = path.iter().map(|step| (step.object, step.reference)).collect();
        assert_eq!(steps, [(frozen, Some(0)), (cell, Some(1)), (text, None)]);
        let dominators = Dominators::new(&snapshot);
        assert_eq!((dominators.nearest(text), dominators.nearest(frozen)), (Some(cell), None));
        let all = [leaf, frozen].map(|object| dominators.retained(object)).iter().sum::<u64>();
        assert_eq!(all, snapshot.bytes() as u64);
        heap.unroot(kept);
    });
}

#[test]
fn the_first_eight_bytes_of_an_object_are_told() {
    with_heap(Config::DEFAULT, |mut heap| {
        for (shape, bytes) in [(&BYTES, &b"seven b"[..]), (&BYTES, b"eight by"), (&KEYED, b"nine byte")] {
            heap.alloc(shape, bytes.len()).unwrap().bytes_mut().copy_from_slice(bytes);
        }
        let raw: Vec<_> = heap.snapshot(0).objects.iter().map(|object| object.raw).collect();
        assert_eq!(
            raw,
            [None, Some(u64::from_ne_bytes(*b"eight by")), Some(u64::from_ne_bytes(*b"nine byt"))]
        );
    });
}

#[test]
fn what_lies_in_the_nursery_takes_whole_words() {
    with_heap(Config::DEFAULT, |mut heap| {
        heap.stack_grow(1).unwrap();
        fill(&heap, 0, 1);
        let bytes =
            |snapshot: &Snapshot| snapshot.objects.iter().map(|object| object.bytes).collect::<Vec<_>>();
        let young = heap.snapshot(0);
        assert_eq!((bytes(&young), young.nursery_bytes), (vec![16, 24], 40));
        heap.collect(Request::Complete);
        assert_eq!(bytes(&heap.snapshot(0)).iter().sum::<usize>(), 16 + 32);
    });
}

#[test]
fn counts_that_nobody_keeps_are_told_too() {
    with_heap(Config { cluster_objects: 1, ..Config::DEFAULT }, |mut heap| {
        let mut last = heap.alloc(&LEAF, 0).unwrap().finish();
        for _ in 0..9 {
            let mut node = heap.alloc(&NODE, 1).unwrap();
            node.references_mut()[0] = last.into();
            last = node.finish();
        }
        heap.root(last.into());
        assert_eq!(heap.collect(Request::Complete).clustered, 10);
        let mut counts: Vec<_> = heap.snapshot(0).objects.iter().map(|object| object.count).collect();
        counts.sort_unstable();
        assert_eq!(counts, [0, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
    });
}

#[test]
fn what_waits_is_told_of_all_that_wait() {
    let drain = Drain::Instalments { objects_per_kib: 1, micros_max: 1_000_000 };
    with_heap(Config { drain, ..Config::DEFAULT }, |mut heap| {
        let rings = [(); 8].map(|()| {
            let [one, other] = [(); 2].map(|()| heap.alloc(&CELL, 0).unwrap().finish());
            heap.store(one, 0, other.into()).unwrap();
            heap.store(other, 0, one.into()).unwrap();
            assert_eq!(heap.freeze_deep(one.into()), 2);
            heap.root(one.into())
        });
        let dead = heap.alloc(&CELL, 0).unwrap().finish();
        heap.finalize(dead, 7);
        heap.collect(Request::Complete);
        let snapshot = heap.snapshot(0);
        let ready = snapshot.roots.iter().filter(|root| root.place == RootPlace::Finalizable);
        assert_eq!(ready.count(), 1);
        assert!(snapshot.objects.iter().all(|object| !object.waiting));
        rings.into_iter().for_each(|ring| heap.unroot(ring));
        let waiting = heap.collect(Request::Complete).waiting;
        let snapshot = heap.snapshot(0);
        let told = snapshot.objects.iter().filter(|object| object.waiting && object.component.is_some());
        assert!(waiting > 0);
        assert_eq!(told.count(), 2 * waiting, "both objects of each ring");
    });
}

#[test]
fn a_large_object_is_alone_in_its_blocks() {
    with_heap(Config::DEFAULT, |mut heap| {
        heap.profile();
        heap.set_site(9);
        heap.root(heap.alloc(&BYTES, 100_000).unwrap().finish().into());
        heap.set_site(0);
        assert_eq!(heap.snapshot(0).objects[0].site, 9);
        heap.collect(Request::Complete);
        let snapshot = heap.snapshot(0);
        assert_eq!(snapshot.objects[0].site, 9);
        let large = snapshot.blocks.iter().find(|block| block.used == BlockUse::Large).expect("a large one");
        assert_eq!((large.objects.clone(), large.cells, large.cell_bytes), (0..1, 1, 0));
        assert_eq!(large.bytes, 100_000usize.next_multiple_of(snapshot.block_bytes));
    });
}

/// The last thing that is allocated before a collection, and what is there when the host asks for sites once more.
#[test]
fn no_site_is_forgotten() {
    with_heap(Config::DEFAULT, |mut heap| {
        heap.profile();
        heap.set_site(7);
        let leaf = heap.root(heap.alloc(&LEAF, 0).unwrap().finish().into());
        for _ in 0..2 {
            heap.collect(Request::Complete);
            assert_eq!((heap.site_of(heap.rooted(&leaf).object().unwrap()), heap.site()), (7, 7));
            heap.profile();
        }
    });
}
