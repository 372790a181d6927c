//! Memory runs out: the heap's limit is reached, the system refuses, and garbage must leave nothing behind.

use frazil::{AllocError, BlockBytes, Config, Drain, Handle, Heap, LowTag, Report, Request, Shape, Value};

const LEAF: Shape = Shape::new(1, "leaf").raw_words(1);
const PAIR: Shape = Shape::new(2, "pair").raw_words(1).references(2);
const CELL: Shape = Shape::new(3, "cell").raw_words(1).references(2).mutable();
const TUPLE: Shape = Shape::new(4, "tuple").references_tail();
const SLOTS: Shape = Shape::new(5, "slots").references_tail().mutable();
const BYTES: Shape = Shape::new(6, "bytes").bytes();
const BUFFER: Shape = Shape::new(7, "buffer").bytes().mutable();

type TestHeap<'id> = Heap<'id, LowTag>;

fn with_heap<R>(config: Config, f: impl for<'id> FnOnce(TestHeap<'id>) -> R) -> R {
    Heap::branded(config, f).expect("the settings agree")
}

fn complete(heap: &mut TestHeap<'_>) {
    heap.collect(Request::Complete);
}

/// Objects of every kind live and die, again and again; the blocks in use and the memory taken stay as they were.
#[test]
fn garbage_leaves_nothing_behind() {
    // Clusters, which have blocks of their own, are made always, or never; otherwise they are tried now and then.
    let settings = BlockBytes::ALL.into_iter().flat_map(|block| [(block, 8), (block, u32::MAX)]);
    for (block_bytes, cluster_objects) in settings {
        with_heap(Config { block_bytes, cluster_objects, ..Config::default() }, |mut heap| {
            let mut round = |survive: bool| {
                let shapes = [
                    (&PAIR, 0),
                    (&CELL, 0),
                    (&TUPLE, 300),
                    (&SLOTS, 5000),
                    (&BYTES, 40_000),
                    (&BUFFER, 600_000),
                ];
                for (shape, len) in shapes {
                    let object = heap.alloc(shape, len).unwrap().finish();
                    if survive {
                        let handle = heap.root(object.into());
                        complete(&mut heap);
                        heap.unroot(handle);
                    }
                    complete(&mut heap);
                }
                let report = &heap.stats().last;
                (report.old_objects, report.blocks_used, heap.used_bytes())
            };
            // The first round begins the blocks that the others fill.
            let first = round(true);
            for number in 0..40 {
                assert_eq!(round(number % 2 == 0), first, "after round {number}");
            }
            assert_eq!(first.0, 0);
        });
    }
}

/// Makes and roots objects until one is refused, and says why.
fn fill<'id>(heap: &TestHeap<'id>, shape: &Shape, len: usize, handles: &mut Vec<Handle<'id>>) -> AllocError {
    loop {
        match heap.alloc(shape, len) {
            Ok(fresh) => handles.push(heap.root(fresh.finish().into())),
            Err(error) => return error,
        }
    }
}

#[test]
fn a_heap_at_its_limit_can_be_used_again() {
    const LIMIT: usize = 1 << 20;
    for block_bytes in BlockBytes::ALL {
        with_heap(Config { block_bytes, limit_bytes: Some(LIMIT), ..Config::default() }, |mut heap| {
            for (shape, len) in [(&LEAF, 0), (&SLOTS, 100), (&BYTES, 1000), (&BYTES, 100_000)] {
                let mut handles = Vec::new();
                // The host collects and tries again; everything is held, so there is less and less room.
                for _ in 0..4 {
                    let error = fill(&heap, shape, len, &mut handles);
                    assert!(matches!(error, AllocError::Limit { limit: LIMIT, .. }), "{error}");
                    assert!(heap.should_collect());
                    complete(&mut heap);
                    assert_eq!(heap.stats().last.old_objects, handles.len());
                    heap.verify().unwrap();
                }
                assert!(handles.len() * len < 2 * LIMIT, "{} of {len} are too many", handles.len());
                handles.into_iter().for_each(|handle| heap.unroot(handle));
                complete(&mut heap);
                assert_eq!(heap.stats().last.old_objects, 0);
            }
        });
    }
}

/// A long pause is better than a refusal where nothing is alive.
#[test]
fn what_waits_in_instalments_is_released_before_something_is_refused_twice() {
    const LIMIT: usize = 4 << 20;
    let drain = Drain::Instalments { objects_per_kib: 64, micros_max: 500 };
    let config = Config { limit_bytes: Some(LIMIT), drain, cluster_objects: u32::MAX, ..Config::default() };
    let lose_a_list = |heap: &mut TestHeap<'_>| {
        let list = heap.root(Value::EMPTY);
        for _ in 0..60_000 {
            let mut pair = heap.alloc(&PAIR, 0).unwrap();
            pair.references_mut()[0] = heap.rooted(&list);
            heap.reroot(&list, pair.finish().into());
            if heap.should_collect() {
                heap.collect(Request::Auto);
            }
        }
        complete(heap);
        heap.unroot(list);
        complete(heap);
        assert_eq!(heap.waiting(), 1, "it is so long that one instalment does not reach its end");
    };
    with_heap(config, |mut heap| {
        for by_the_system in [false, true] {
            lose_a_list(&mut heap);
            let len = if by_the_system { LIMIT / 3 } else { LIMIT * 3 / 4 };
            if by_the_system {
                heap.refuse_memory_after(0);
            }
            let refusal = heap.alloc(&BYTES, len).map(|_| ()).unwrap_err();
            assert_eq!(matches!(refusal, AllocError::System { .. }), by_the_system, "{refusal}");
            complete(&mut heap);
            assert_eq!(heap.waiting(), 0);
            heap.alloc(&BYTES, len).expect("room");
        }
        lose_a_list(&mut heap);
    });
}

/// What a large object takes beside its own bytes counts, too.
#[test]
fn large_objects_do_not_pass_the_limit() {
    const LIMIT: usize = 2 << 20;
    for block_bytes in BlockBytes::ALL {
        let config = Config { block_bytes, limit_bytes: Some(LIMIT), ..Config::default() };
        for len in [17_000, 33_000, 100_000, 500_000, 600_000, 980_000, 1_950_000] {
            with_heap(config.clone(), |heap| {
                fill(&heap, &BYTES, len, &mut Vec::new());
                assert!(heap.used_bytes() <= LIMIT, "{len}: {}", heap.used_bytes());
                // What they have taken, small ones cannot have as well, although the nursery was open for them.
                fill(&heap, &LEAF, 0, &mut Vec::new());
                assert!(heap.used_bytes() <= LIMIT, "{len}, then small ones: {}", heap.used_bytes());
            });
        }
    }
}

/// A host that collects whenever it is refused something, and tries again, gets no further than the limit.
#[test]
fn trying_again_does_not_pass_the_limit() {
    const LIMIT: usize = 1 << 20;
    for block_bytes in BlockBytes::ALL {
        with_heap(Config { block_bytes, limit_bytes: Some(LIMIT), ..Config::default() }, |mut heap| {
            let mut handles = Vec::new();
            let mut held = usize::MAX;
            while held != handles.len() {
                held = handles.len();
                fill(&heap, &LEAF, 0, &mut handles);
                complete(&mut heap);
                // Blocks are taken whole.
                assert!(heap.used_bytes() <= LIMIT + LIMIT / 8, "{}", heap.used_bytes());
            }
            assert!(held * 16 > LIMIT / 2, "{held} objects");
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
        heap.alloc(&LEAF, 0).unwrap();
        complete(&mut heap);
        heap.verify().unwrap();
    });
}

/// Each lane and size may begin a block of its own: so many are held ready, however little the nursery has room for.
#[test]
fn survivors_of_every_kind_and_size_find_room() {
    for block_bytes in BlockBytes::ALL {
        let config = Config { block_bytes, nursery_bytes: 32 << 10, nursery_growth: 1, ..Config::default() };
        with_heap(config, |mut heap| {
            for words in 1..40 {
                for (shape, len) in [(&SLOTS, words), (&TUPLE, words), (&BYTES, 8 * words)] {
                    heap.root(heap.alloc(shape, len).expect("memory").finish().into());
                }
            }
            complete(&mut heap);
            assert_eq!(heap.stats().last.old_objects, heap.handles());
            heap.verify().unwrap();
        });
    }
}

/// Makes 8 MiB of old objects, and says which they are.
fn fill_many_blocks<'id>(heap: &mut TestHeap<'id>) -> Vec<Handle<'id>> {
    let make = |_| {
        if heap.should_collect() {
            heap.collect(Request::Auto);
        }
        heap.root(heap.alloc(&TUPLE, 31).expect("memory").finish().into())
    };
    let handles = (0..32 << 10).map(make).collect();
    heap.collect(Request::Auto);
    handles
}

/// Ends every other one, so that all blocks are half empty, and then the rest.
fn empty_many_blocks<'id>(heap: &mut TestHeap<'id>, handles: Vec<Handle<'id>>, request: Request) -> Report {
    let mut rest = Vec::new();
    for (at, handle) in handles.into_iter().enumerate() {
        if at % 2 == 0 { heap.unroot(handle) } else { rest.push(handle) }
    }
    heap.collect(Request::Auto);
    heap.verify().unwrap();
    rest.into_iter().for_each(|handle| heap.unroot(handle));
    let report = heap.collect(request);
    heap.verify().unwrap();
    assert_eq!(report.old_objects, 0);
    report
}

/// Not before sixteen collections have done without it, unless the host asks for everything. Who needs memory again
/// finds what has gone on no list.
#[test]
fn memory_that_nobody_needs_goes_back() {
    for block_bytes in [BlockBytes::K4, BlockBytes::K32] {
        let config = Config { block_bytes, nursery_bytes: 64 << 10, nursery_growth: 1, ..Config::default() };
        with_heap(config, |mut heap| {
            let blocks = (8 << 20) / block_bytes.get();
            let handles = fill_many_blocks(&mut heap);
            assert!(heap.stats().last.blocks_used >= blocks);
            let free = empty_many_blocks(&mut heap, handles, Request::Auto).blocks_free;
            assert!(free >= blocks && heap.stats().last.blocks_used < 8);
            let passed = (1..100).find(|_| heap.collect(Request::Auto).blocks_free < free / 4 * 3);
            assert!(passed.is_some_and(|passed| (16..=32).contains(&passed)), "after {passed:?}");
            // It is all in use again before the spell is over in which it was idle.
            let handles = fill_many_blocks(&mut heap);
            empty_many_blocks(&mut heap, handles, Request::Auto);
            for _ in 0..20 {
                heap.collect(Request::Auto);
            }
            let handles = fill_many_blocks(&mut heap);
            let report = empty_many_blocks(&mut heap, handles, Request::Complete);
            assert!(report.blocks_free < free, "the host has asked for it");
            let left = heap.collect(Request::Complete).blocks_free;
            assert!(left < free / 4 * 3, "{left} of {free}");
            let handles = fill_many_blocks(&mut heap);
            heap.verify().unwrap();
            assert_eq!(heap.stats().last.old_objects, handles.len());
        });
    }
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
    if cfg!(frazil_asan) {
        println!("skipped: the address sanitizer needs all of the address space for itself");
        return;
    }
    if cfg!(windows) {
        println!("skipped: no shell limits the address space here");
        return;
    }
    in_little_memory("the_system_refuses_memory", 300 << 10);
}

#[test]
#[ignore = "it is run by another test, with little memory"]
fn the_system_refuses_memory() {
    with_heap(Config::default(), |mut heap| {
        for _ in 0..2 {
            let mut handles = Vec::new();
            let error = fill(&heap, &BYTES, 4 << 20, &mut handles);
            assert!(matches!(error, AllocError::System { .. }), "{error}");
            assert!(handles.len() > 10, "only {}", handles.len());
            heap.alloc(&LEAF, 0).unwrap();
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

/// Blocks are held ready for what the nursery has room for, however much is traced: not for all that the policy would like.
#[test]
fn much_that_is_traced_does_not_take_all_addresses() {
    with_heap(Config { nursery_bytes: 1 << 20, ..Config::DEFAULT }, |mut heap| {
        let last = heap.stack_grow(1).expect("room on the stack");
        for _ in 0..100 << 10 {
            let mut slots = heap.alloc(&SLOTS, 127).expect("memory");
            slots.references_mut()[0] = heap.stack_from(last)[0].get();
            heap.stack_from(last)[0].set(slots.finish().into());
            if heap.should_collect() {
                heap.collect(Request::Auto);
            }
        }
        heap.collect(Request::Auto);
        let report = heap.collect(Request::Auto);
        assert!(report.old_bytes >= 100 << 20);
        assert!(report.blocks_free << 15 < 192 << 20, "{} free blocks", report.blocks_free);
    });
}
