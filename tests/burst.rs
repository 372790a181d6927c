//! Bursts of allocations: whatever happens while one is under way, every object is where it should be afterwards.

use frazil::{AllocError, Burst, Config, Handle, Heap, LowTag, Object, ObjectKind, Request, Shape, Value};
use quickcheck::{Arbitrary, Gen, QuickCheck};

const CELL: Shape = Shape::new(1, "cell").raw_words(1).references(1);
const ARRAY: Shape = Shape::new(2, "array").raw_words(1).references_tail().mutable();

type TestHeap<'id> = Heap<'id, LowTag>;
type TestBurst<'s, 'id> = Burst<'s, 'id, LowTag>;

fn with_heap<R>(config: Config, f: impl for<'id> FnOnce(TestHeap<'id>) -> R) -> R {
    Heap::branded(config, f).expect("the settings agree")
}

/// What a program that allocates does next.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Makes cells in the innermost burst, if one is under way.
    Cells(u8),
    /// An array with so many references, there.
    Array(u16),
    /// A cell from the heap itself.
    Aside,
    Begin,
    End,
}

impl Arbitrary for Step {
    fn arbitrary(g: &mut Gen) -> Step {
        match u8::arbitrary(g) % 12 {
            0..4 => Step::Cells(u8::arbitrary(g)),
            4..6 => Step::Array(u16::arbitrary(g) % 1000),
            6..8 => Step::Aside,
            8..10 => Step::Begin,
            _ => Step::End,
        }
    }
}

/// All objects of a program, each with its number and a reference to the one before it.
struct Chain<'s, 'id> {
    last: Value<'s, 'id, LowTag>,
    length: u64,
}

impl<'s, 'id> Chain<'s, 'id> {
    fn add(&mut self, fresh: Result<frazil::Fresh<'s, 'id, LowTag>, AllocError>) {
        let mut fresh = fresh.expect("memory");
        fresh.raw_mut()[0] = self.length;
        fresh.references_mut()[0] = self.last;
        self.last = fresh.finish().into();
        self.length += 1;
    }

    /// Runs the steps up to the end of this burst.
    fn run(
        &mut self,
        heap: &'s TestHeap<'id>,
        mut burst: Option<&mut TestBurst<'s, 'id>>,
        steps: &mut std::slice::Iter<'_, Step>,
    ) {
        let mut alloc = |shape: &Shape, len| match &mut burst {
            Some(burst) => burst.alloc(shape, len),
            None => heap.alloc(shape, len),
        };
        while let Some(&step) = steps.next() {
            match step {
                Step::Cells(count) => (0..count).for_each(|_| self.add(alloc(&CELL, 0))),
                Step::Array(len) => self.add(alloc(&ARRAY, 1 + usize::from(len))),
                Step::Aside => self.add(heap.alloc(&CELL, 0)),
                Step::Begin => heap.burst(|inner| self.run(heap, Some(inner), steps)),
                Step::End => return,
            }
        }
    }
}

/// The numbers along the chain that ends here.
fn numbers(last: Value<'_, '_, LowTag>) -> Vec<u64> {
    let chain =
        std::iter::successors(last.object(), |object: &Object<'_, '_, LowTag>| object.get(0).object());
    chain.map(|object| object.raw(0)).collect()
}

#[test]
fn whatever_happens_in_bursts_all_objects_are_found() {
    fn holds(steps: Vec<Step>) -> bool {
        for config in [
            Config::DEFAULT,
            Config { nursery_bytes: 4 << 10, nursery_growth: 1, ..Config::DEFAULT },
            Config { short_collections: true, ..Config::STRESS },
            Config { check: true, ..Config::STRESS },
        ] {
            with_heap(config, |mut heap| {
                let mut kept: Option<(Handle<'_>, u64)> = None;
                for _ in 0..3 {
                    let (before, length) = match &kept {
                        Some((handle, length)) => (heap.rooted(handle), *length),
                        None => (Value::EMPTY, 0),
                    };
                    let mut chain = Chain { last: before, length };
                    chain.run(&heap, None, &mut steps.iter());
                    let Chain { last, length } = chain;
                    let handle = heap.root(last);
                    heap.verify_references().expect("each reference leads to an object");
                    assert_eq!(young_bytes(&mut heap), heap.allocated_bytes());
                    heap.collect(Request::Auto);
                    heap.verify().expect("the heap is whole");
                    assert!(numbers(heap.rooted(&handle)).into_iter().eq((0..length).rev()));
                    kept = Some((handle, length));
                }
            });
        }
        true
    }
    QuickCheck::new().tests(200).quickcheck(holds as fn(Vec<Step>) -> bool);
}

/// Bytes of all young objects, each by itself.
fn young_bytes(heap: &mut TestHeap<'_>) -> usize {
    let snapshot = heap.snapshot(0);
    let young = snapshot.objects.iter().filter(|object| object.kind == ObjectKind::Young);
    young.map(|object| object.bytes).sum()
}

#[test]
fn a_burst_ends_when_it_panics() {
    with_heap(Config::DEFAULT, |mut heap| {
        let handle = heap.root(Value::EMPTY);
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            heap.burst(|burst| {
                let mut cell = burst.alloc(&CELL, 0).expect("memory");
                cell.raw_mut()[0] = 7;
                heap.reroot(&handle, cell.finish().into());
                panic!("in the midst");
            })
        }));
        assert!(panicked.is_err());
        assert_eq!(heap.allocated_bytes(), 24);
        heap.collect(Request::Complete);
        assert_eq!(numbers(heap.rooted(&handle)), [7]);
    });
}

#[test]
fn the_limit_holds_in_a_burst_and_it_goes_on_behind_it() {
    let config = Config { limit_bytes: Some(256 << 10), ..Config::DEFAULT };
    with_heap(config, |mut heap| {
        let made = heap.burst(|burst| {
            let made = (0..100_000).take_while(|_| burst.alloc(&CELL, 0).is_ok()).count();
            assert!(matches!(burst.alloc(&ARRAY, 100_000), Err(AllocError::Limit { .. })));
            assert!(matches!(burst.alloc(&ARRAY, usize::MAX), Err(AllocError::TooLong { .. })));
            made
        });
        assert!((100..20_000).contains(&made), "{made}");
        assert_eq!(heap.allocated_bytes(), made * 24);
        assert!(heap.should_collect());
        heap.collect(Request::Complete);
        assert!(heap.burst(|burst| burst.alloc(&CELL, 0).is_ok()));
    });
}

#[test]
fn what_is_large_is_so_in_a_burst_too() {
    with_heap(Config::DEFAULT, |mut heap| {
        heap.burst(|burst| heap.root(burst.alloc(&ARRAY, 8 << 10).expect("memory").finish().into()));
        assert_eq!((heap.snapshot(0).nursery_bytes, heap.snapshot(0).objects.len()), (0, 1));
        heap.collect(Request::Complete);
        heap.verify().unwrap();
    });
}

#[test]
fn sites_are_noted_in_a_burst_too() {
    with_heap(Config::DEFAULT, |mut heap| {
        heap.profile();
        let base = heap.stack_grow(2).expect("room");
        heap.burst(|burst| {
            for site in [5, 9] {
                heap.set_site(site);
                let cell = burst.alloc(&CELL, 0).expect("memory").finish();
                heap.stack_from(base)[usize::from(site == 9)].set(cell.into());
            }
        });
        heap.collect(Request::Complete);
        let uses = heap.old_by_site();
        let mut sites: Vec<_> = uses.iter().map(|site| (site.site, site.objects)).collect();
        sites.sort_unstable();
        assert_eq!(sites, [(5, 1), (9, 1)]);
    });
}

#[test]
#[should_panic(expected = "while a burst of allocations is under way")]
fn nobody_looks_for_objects_in_a_burst() {
    with_heap(Config::DEFAULT, |heap| {
        heap.burst(|burst| {
            burst.alloc(&CELL, 0).expect("memory");
            // SAFETY: that object is complete.
            unsafe { heap.census_beside() }
        });
    });
}
