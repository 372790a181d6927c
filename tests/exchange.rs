//! Heaps of a group: what they share, one behaviour at a time.

use std::panic::{AssertUnwindSafe, catch_unwind};

use frazil::{Config, Drain, Estate, Group, Heap, LowTag, Request, Shape, ShareError, Shared, Value};

const NODE: Shape = Shape::new(1, "node").raw_words(1).references(2);
const CELL: Shape = Shape::new(2, "cell").references(1).mutable();
const BYTES: Shape = Shape::new(3, "bytes").bytes();
const TUPLE: Shape = Shape::new(4, "tuple").references_tail();

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

/// Shares what is in a slot of the root stack.
fn share_slot(heap: &mut TestHeap<'_>, slot: usize) -> Shared<LowTag> {
    let handle = heap.root(heap.stack_from(slot)[0].get());
    let shared = heap.share(&handle).expect("immutable");
    heap.unroot(handle);
    shared
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
            let shared = share_slot(&mut one, top);
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
            share_slot(&mut heap, 0)
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
                    (share_slot(&mut other, 0), other.end())
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

/// What it kept alive was another heap's; what it does not keep alive is this heap's own.
#[test]
fn a_weak_reference_to_what_was_adopted_keeps_nothing_alive_any_more() {
    for (node, is_drained) in [(0, false), (0, true), (500, false), (500, true)] {
        let group = group();
        let within = |mut heap: TestHeap<'_>| {
            let end = |mut other: TestHeap<'_>| {
                chain(&mut other, 1000);
                (share_slot(&mut other, 0), other.end())
            };
            let (shared, estate) = group.branded(end).unwrap();
            let mut object = heap.import(shared).object().expect("a node");
            for _ in 0..node {
                object = object.get(0).object().expect("a node");
            }
            let weak = heap.weak(object);
            heap.collect(Request::Complete);
            heap.adopt(estate);
            assert_eq!(heap.verify(), Ok(()));
            if is_drained {
                heap.drain(usize::MAX);
            }
            assert_eq!(heap.upgrade(&weak).map(|node| length(&heap, node.into())), Some(1000 - node));
            assert_eq!(old_objects(&mut heap), 0);
            assert!(heap.is_cleared(&weak));
        };
        group.branded(within).unwrap();
    }
}

/// A short collection meets again what the complete one before it has given up: that is a new claim.
#[test]
fn what_is_given_up_and_imported_again_is_held() {
    let short = Config { check: true, short_collections: true, ..Config::DEFAULT };
    let group = Group::<LowTag>::new(short).expect("the settings agree");
    group
        .branded(|mut one| {
            chain(&mut one, 10);
            let shared = share_slot(&mut one, 0);
            one.stack_truncate(0);
            group
                .branded(|mut two| {
                    let base = two.stack_grow(2).unwrap();
                    let chain = two.import(shared.clone());
                    // The second node is held all the time, so the block they lie in is always known.
                    two.stack_from(base)[1].set(chain.object().unwrap().get(0));
                    two.stack_from(base)[0].set(chain);
                    two.collect(Request::Complete);
                    two.stack_from(base)[0].set(Value::EMPTY);
                    two.collect(Request::Complete);
                    two.stack_from(base)[0].set(two.import(shared));
                    two.collect(Request::Short);
                    assert_eq!(old_objects(&mut one), 10, "the other heap holds it");
                    assert_eq!(length(&two, two.stack_from(base)[0].get()), 10);
                })
                .unwrap();
            assert_eq!(old_objects(&mut one), 0, "the other heap has ended");
        })
        .unwrap();
}

#[test]
fn an_estate_that_is_refused_goes_to_its_group() {
    let (group, another) = (group(), group());
    let alone = |refuse: &mut dyn FnMut(&mut TestHeap<'_>)| {
        Heap::branded(Config::STRESS, |mut heap| refuse(&mut heap)).unwrap();
    };
    let of_another_group = |refuse: &mut dyn FnMut(&mut TestHeap<'_>)| {
        another.branded(|mut heap| refuse(&mut heap)).unwrap();
    };
    for with_stranger in [&alone as &dyn Fn(&mut dyn FnMut(&mut TestHeap<'_>)), &of_another_group] {
        let end = |mut heap: TestHeap<'_>| {
            chain(&mut heap, 100);
            (share_slot(&mut heap, 0), Some(heap.end()))
        };
        let (shared, mut estate) = group.branded(end).unwrap();
        with_stranger(&mut |stranger| {
            let adopt = AssertUnwindSafe(|| stranger.adopt(estate.take().expect("an estate")));
            catch_unwind(adopt).expect_err("an estate of another group");
        });
        assert_eq!(group.orphans(), 1);
        group.branded(|heap| assert_eq!(length(&heap, heap.import(shared)), 100)).unwrap();
    }
}

/// A chain of so many nodes that nothing but the handle holds.
fn shared_chain(heap: &mut TestHeap<'_>, nodes: u64) -> Shared<LowTag> {
    let base = heap.stack_len();
    chain(heap, nodes);
    let shared = share_slot(heap, base);
    heap.stack_truncate(base);
    shared
}

#[test]
fn what_was_held_back_is_posted_before_what_comes_next() {
    let group = group();
    let hold_both = |one: &mut TestHeap<'_>, two: &mut TestHeap<'_>| {
        two.hold_back();
        let (first, second) = (shared_chain(one, 10), shared_chain(one, 10));
        let handles = [&first, &second].map(|shared| {
            let handle = two.root(two.import(shared.clone()));
            two.collect(Request::Complete);
            assert!(two.holds_batches());
            handle
        });
        while two.post_next() {}
        drop((first, second));
        assert_eq!(old_objects(one), 20, "the other heap holds both");
        handles.iter().for_each(|handle| assert_eq!(length(two, two.rooted(handle)), 10));
    };
    group.branded(|mut one| group.branded(|mut two| hold_both(&mut one, &mut two))).unwrap().unwrap();
}

/// Whether something is held that an audit has not been shown, or it is shown twice who holds it.
#[test]
fn a_batch_has_all_that_one_owner_is_to_hear_and_all_of_it_is_reported() {
    let group = group();
    let shares = |heap: &mut TestHeap<'_>| [(); 3].map(|()| shared_chain(heap, 1));
    let received = |heap: &mut TestHeap<'_>| heap.collect(Request::Complete).received;
    let posts = |one: &mut TestHeap<'_>, two: &mut TestHeap<'_>, mut other: TestHeap<'_>| {
        let shared = [shares(one), shares(two)];
        let imported = [&shared[0][..], &shared[1][1..]].concat();
        let roots: Vec<_> = imported.into_iter().map(|shared| other.root(other.import(shared))).collect();
        let report = other.collect(Request::Complete);
        assert_eq!((report.posted_batches, report.posted), (2, 5));
        assert_eq!([received(one), received(two)], [3, 2]);
        roots.into_iter().for_each(|root| other.unroot(root));
        let report = other.collect(Request::Complete);
        assert_eq!((report.posted_batches, report.posted), (2, 5));
    };
    let with_two = |mut one: TestHeap<'_>| {
        group.branded(|mut two| group.branded(|other| posts(&mut one, &mut two, other)))
    };
    group.branded(with_two).unwrap().unwrap().unwrap();
}

#[test]
fn an_audit_finds_counts_that_are_too_high_or_too_low() {
    let group = group();
    let check = |one: &mut TestHeap<'_>, holder: &mut TestHeap<'_>| {
        let shared = shared_chain(one, 10);
        holder.root(holder.import(shared.clone()));
        holder.collect(Request::Complete);
        one.collect(Request::Complete);
        let mut is_right = |handles: usize, holders: usize| {
            let mut audit = group.audit();
            audit.heap(one);
            (0..holders).for_each(|_| audit.heap(holder));
            (0..handles).for_each(|_| audit.handle(&shared));
            audit.finish().is_ok()
        };
        assert!(is_right(1, 1) && is_right(2, 1), "clones count once");
        assert!(!is_right(0, 1) && !is_right(1, 2));
    };
    group.branded(|mut one| group.branded(|mut holder| check(&mut one, &mut holder))).unwrap().unwrap();
}

/// Nothing says that who is shown to an audit outlives it.
#[test]
fn an_audit_reads_nothing_of_a_heap_that_has_gone() {
    let group = group();
    let checked = |mut holder: TestHeap<'_>| {
        let mut audit = group.audit();
        let shown = |mut heap: TestHeap<'_>| {
            let shared = shared_chain(&mut heap, 1);
            let held = holder.root(holder.import(shared));
            holder.collect(Request::Complete);
            audit.heap(&mut heap);
            holder.unroot(held);
            holder.collect(Request::Complete);
        };
        group.branded(shown).unwrap();
        audit.finish()
    };
    let wrong = group.branded(checked).unwrap().unwrap_err().to_string();
    assert!(wrong.contains("counts 1 more than are claimed"), "{wrong}");
}

/// The last clone of a handle goes when everything is posted, of which it is a part, and not after the first batch.
#[test]
fn a_handle_is_let_go_when_all_owners_have_heard() {
    let group = group();
    let hold = |one: &mut TestHeap<'_>, other: &mut TestHeap<'_>, holder: &mut TestHeap<'_>| {
        holder.hold_back();
        let shared = [shared_chain(one, 10), shared_chain(other, 10)];
        let handles = shared.each_ref().map(|shared| holder.root(holder.import(shared.clone())));
        holder.collect(Request::Complete);
        drop(shared);
        assert!(holder.post_next() && holder.holds_batches(), "a batch for each owner");
        assert_eq!((old_objects(one), old_objects(other)), (10, 10));
        while holder.post_next() {}
        assert_eq!((old_objects(one), old_objects(other)), (10, 10));
        handles.iter().for_each(|handle| assert_eq!(length(holder, holder.rooted(handle)), 10));
        handles.into_iter().for_each(|handle| holder.unroot(handle));
        holder.collect(Request::Complete);
        while holder.post_next() {}
        old_objects(one);
        old_objects(other);
        assert_eq!((old_objects(one), old_objects(other)), (0, 0));
    };
    let with_two = |mut one: TestHeap<'_>, mut other: TestHeap<'_>| {
        group.branded(|mut holder| hold(&mut one, &mut other, &mut holder))
    };
    group.branded(|one| group.branded(|other| with_two(one, other))).unwrap().unwrap().unwrap();
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
            // There are two ways, and the last reference leads to the longer one.
            let behind = |links: usize| {
                (0..links).fold(heap.alloc(&CELL, 0).unwrap().finish(), |to, _| {
                    let mut node = heap.alloc(&NODE, 0).unwrap();
                    node.references_mut()[0] = to.into();
                    node.finish()
                })
            };
            let (short, long) = (behind(1), behind(2));
            let mut node = heap.alloc(&NODE, 0).unwrap();
            node.references_mut().copy_from_slice(&[short.into(), long.into()]);
            let path = vec![0, 0];
            let refused = ShareError::Mutable { path, shape_ids: vec![1, 1, 2] };
            assert_eq!(heap.share_settled(node.finish().into()).unwrap_err(), refused);
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
            // It is not copied again.
            let again = heap.immortalise(heap.rooted(&handle)).expect("immutable");
            assert_eq!(heap.import(again), heap.rooted(&handle));
            let mut node = heap.alloc(&NODE, 0).unwrap();
            node.references_mut()[0] = heap.rooted(&handle);
            let more = heap.import(heap.immortalise(node.finish().into()).expect("immutable"));
            assert_eq!(more.object().map(|node| node.get(0)), Some(heap.rooted(&handle)));
        })
        .unwrap();
}

/// Also a heap that would rather hold a short collection settles what is to be shared.
/// Its copy takes more than one chunk, and imports of it count for nothing.
#[test]
fn what_is_immortal_may_be_large() {
    let config = Config { import_bytes: usize::MAX, ..Config::DEFAULT };
    let group = Group::<LowTag>::new(config).expect("the settings agree");
    let copied = group.branded(|mut heap| {
        chain(&mut heap, 50_000);
        let copy = heap.immortalise(heap.stack_from(0)[0].get()).expect("immutable");
        heap.stack_truncate(0);
        heap.collect(Request::Complete);
        let len = length(&heap, heap.import(copy));
        (len, heap.should_collect())
    });
    assert_eq!(copied, Ok((50_000, false)));
}

#[test]
fn what_is_to_be_shared_is_settled_whatever_it_takes() {
    let config = Config { short_collections: true, cheap_percent: 0, ..Config::DEFAULT };
    let share = |mut heap: TestHeap<'_>| {
        let handle = heap.root(heap.alloc(&CELL, 0).unwrap().finish().into());
        heap.collect(Request::Complete);
        heap.freeze_deep(heap.rooted(&handle));
        heap.share(&handle).expect("frozen");
    };
    Group::new(config).expect("the settings agree").branded(share).unwrap();
}

#[test]
fn a_value_of_another_group_is_refused() {
    let shared = group()
        .branded(|mut heap| {
            chain(&mut heap, 3);
            share_slot(&mut heap, 0)
        })
        .unwrap();
    let import = |heap: TestHeap<'_>| catch_unwind(AssertUnwindSafe(|| heap.import(shared).bits())).is_err();
    assert_eq!(group().branded(import), Ok(true));
}

/// Runs `f` on a thread with a heap of its own.
fn on_a_thread<R: Send>(group: &Group<LowTag>, f: impl FnOnce(TestHeap<'_>) -> R + Send) -> R {
    let run = || group.branded(f).expect("memory");
    std::thread::scope(|scope| scope.spawn(run).join().expect("it does not panic"))
}

#[test]
fn it_does_not_matter_who_ends_first() {
    let group = &group();
    let produce = |mut heap: TestHeap<'_>| {
        chain(&mut heap, 500);
        share_slot(&mut heap, 0)
    };
    let consume = |mut heap: TestHeap<'_>, shared| {
        let base = heap.stack_grow(1).unwrap();
        heap.stack_from(base)[0].set(heap.import(shared));
        heap.collect(Request::Complete);
        length(&heap, heap.stack_from(base)[0].get())
    };
    // The producer ends before the consumer begins, which frees what was left.
    let shared = on_a_thread(group, produce);
    assert_eq!(group.orphans(), 1);
    assert_eq!(on_a_thread(group, |heap| consume(heap, shared)), 500);
    assert_eq!(group.orphans(), 0);
    // The consumer ends, and the producer frees.
    on_a_thread(group, |mut heap| {
        chain(&mut heap, 500);
        let shared = share_slot(&mut heap, 0);
        heap.stack_truncate(0);
        assert_eq!(on_a_thread(group, |heap| consume(heap, shared)), 500);
        assert_eq!(old_objects(&mut heap), 0);
    });
    assert_eq!(group.orphans(), 0);
}

#[test]
fn a_large_buffer_is_shared_as_it_is_and_goes_when_only_a_slice_is_left() {
    const LARGE: usize = 3 << 20;
    let group = group();
    let make = |mut one: TestHeap<'_>| {
        let mut buffer = one.alloc(&BYTES, LARGE).expect("memory");
        buffer.bytes_mut().fill(7);
        let handle = one.root(buffer.finish().into());
        let shared = one.share(&handle).expect("immutable");
        one.unroot(handle);
        let read = |mut two: TestHeap<'_>| {
            let base = two.stack_grow(1).unwrap();
            let before = two.used_bytes();
            two.stack_from(base)[0].set(two.import(shared));
            two.collect(Request::Complete);
            assert!(two.used_bytes() < before + LARGE, "nothing was copied");
            assert_eq!((old_objects(&mut two), old_objects(&mut one)), (0, 1));
            // A slice is a copy, and does not keep the buffer.
            let buffer = two.stack_from(base)[0].get().object().unwrap();
            let mut slice = two.alloc(&BYTES, 16).expect("memory");
            slice.bytes_mut().copy_from_slice(&buffer.bytes()[LARGE - 16..]);
            two.stack_from(base)[0].set(slice.finish().into());
            two.collect(Request::Complete);
            assert_eq!((old_objects(&mut two), old_objects(&mut one)), (1, 0));
            assert!(one.used_bytes() < LARGE, "its memory is the system's again");
            assert_eq!(two.stack_from(base)[0].get().object().unwrap().bytes(), [7; 16]);
        };
        group.branded(read).unwrap();
    };
    group.branded(make).unwrap();
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

#[test]
fn a_thread_hands_its_memory_to_whoever_joins_it() {
    let group = group();
    group
        .branded(|mut heap| {
            let base = heap.stack_grow(4).unwrap();
            group.scope(|scope| {
                let threads: Vec<_> = (0..4)
                    .map(|_| {
                        scope.spawn(|heap| {
                            chain(heap, 100);
                            share_slot(heap, 0)
                        })
                    })
                    .collect();
                for (at, thread) in threads.into_iter().enumerate() {
                    let shared = thread.join(&mut heap).expect("it does not panic");
                    heap.stack_from(base)[at].set(heap.import(shared));
                }
            });
            assert_eq!((old_objects(&mut heap), group.orphans()), (400, 0));
            heap.stack_truncate(base);
            assert_eq!(old_objects(&mut heap), 0);
        })
        .unwrap();
}

#[test]
fn a_thread_is_finished_when_it_is_over() {
    let group = group();
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let spawns = |mut heap: TestHeap<'_>| {
        group.scope(|scope| {
            let thread = scope.spawn(move |_| wait.recv().is_err());
            assert!(!thread.is_finished());
            drop(go);
            let begun = std::time::Instant::now();
            while !thread.is_finished() {
                assert!(begun.elapsed().as_secs() < 60, "it never ends");
                std::thread::yield_now();
            }
            assert!(thread.join(&mut heap).expect("no panic"));
        });
    };
    group.branded(spawns).unwrap();
}

#[test]
fn values_go_through_channels_mailboxes_and_publications() {
    let group = group();
    let (sender, receiver) = frazil::channel::<LowTag>(2);
    let mailbox = frazil::Mailbox::<LowTag>::new();
    let published = group
        .branded(|mut heap| {
            chain(&mut heap, 1);
            let handle = heap.root(heap.stack_from(0)[0].get());
            frazil::Published::new(heap.share(&handle).expect("immutable"))
        })
        .unwrap();
    group
        .branded(|mut heap| {
            let (mailbox, published) = (&mailbox, &published);
            group.scope(|scope| {
                scope.spawn(move |heap| {
                    for len in 1..20 {
                        chain(heap, len);
                        let handle = heap.root(heap.stack_from(0)[0].get());
                        heap.stack_truncate(0);
                        sender.send(heap, &handle).expect("somebody receives");
                        mailbox.put(heap.share(&handle).expect("immutable"));
                        published.publish(heap.share(&handle).expect("immutable"));
                        heap.unroot(handle);
                    }
                });
                let mut len = 1;
                while let Some(value) = receiver.receive(&heap) {
                    assert_eq!(length(&heap, value), len);
                    assert_eq!(length(&heap, heap.import(mailbox.read())), len);
                    assert_eq!(length(&heap, heap.import(mailbox.take())), len);
                    let (edition, newer) = published.newer_than(len);
                    assert!(length(&heap, heap.import(newer)) >= len && edition > len);
                    len += 1;
                    heap.collect(Request::Complete);
                }
                assert_eq!(len, 20);
            });
            assert_eq!(length(&heap, heap.import(published.current().1)), 19);
            heap.collect(Request::Complete);
        })
        .unwrap();
    drop(published);
    assert_eq!(group.orphans(), 0);
}

#[test]
fn who_does_not_wait_gets_what_is_there() {
    let (sender, receiver) = frazil::channel::<LowTag>(1);
    let mailbox = frazil::Mailbox::<LowTag>::new();
    group()
        .branded(|mut heap| {
            assert!(receiver.try_receive(&heap).is_none() && mailbox.try_take().is_none());
            chain(&mut heap, 3);
            let handle = heap.root(heap.stack_from(0)[0].get());
            sender.send(&mut heap, &handle).expect("there is room");
            mailbox.put(heap.share(&handle).expect("immutable"));
            assert_eq!(receiver.try_receive(&heap).map(|value| length(&heap, value)), Some(3));
            assert_eq!(mailbox.try_take().map(|shared| length(&heap, heap.import(shared))), Some(3));
            assert!(receiver.try_receive(&heap).is_none() && mailbox.try_take().is_none());
            drop(receiver);
            assert_eq!(sender.send(&mut heap, &handle), Err(frazil::SendError::Closed));
        })
        .unwrap();
}

/// Only a heap can tell a host of a death, so whoever drops the last handle leaves that to the next one.
/// Each object is found dead when the one before is released: two steps, of which whoever comes by takes 100,000.
#[test]
fn a_long_chain_that_an_ended_heap_has_left_goes_to_its_end() {
    const LONG: u64 = 110_000;
    let group = Group::<LowTag>::new(Config { cluster_objects: u32::MAX, ..Config::DEFAULT })
        .expect("the settings agree");
    let leave = || {
        let shared = |mut heap: TestHeap<'_>| {
            chain(&mut heap, LONG);
            share_slot(&mut heap, 0)
        };
        group.branded(shared).expect("memory")
    };
    drop(leave());
    assert_eq!(group.orphans(), 0, "without a heap all of it goes at once");
    let shared = leave();
    let passes = |mut heap: TestHeap<'_>| {
        heap.import(shared);
        let left = |heap: &mut TestHeap<'_>| (heap.collect(Request::Complete).old_objects, group.orphans());
        assert_eq!([(); 2].map(|()| left(&mut heap)), [(0, 1); 2]);
        // Now it is small, and adopted with what waits in it.
        left(&mut heap);
        assert_eq!((heap.waiting(), group.orphans()), (1, 0));
        assert_eq!(left(&mut heap), (0, 0));
    };
    group.branded(passes).expect("memory");
}

#[test]
fn what_an_ended_heap_wanted_to_hear_of_comes_to_the_next_one() {
    let group = group();
    let finalizable = |mut heap: TestHeap<'_>| {
        chain(&mut heap, 1);
        heap.finalize(heap.stack_from(0)[0].get().object().expect("a node"), 7);
        share_slot(&mut heap, 0)
    };
    let shared = group.branded(finalizable).unwrap();
    drop(shared);
    group.tend();
    assert_eq!(group.orphans(), 1);
    let hear = |mut heap: TestHeap<'_>| {
        heap.collect(Request::Complete);
        assert_eq!(group.orphans(), 0);
        heap.collect(Request::Complete);
        let (node, token) = heap.next_finalizable().expect("it has died");
        assert_eq!((node.raw(0), token), (0, 7));
        assert!(heap.next_finalizable().is_none());
        assert_eq!(old_objects(&mut heap), 0);
    };
    group.branded(hear).unwrap();
}

/// The counts of what is another heap's are changed by that one alone.
#[test]
fn what_is_released_a_part_at_a_time_may_refer_to_others_objects() {
    let group = group();
    let own = |mut owner: TestHeap<'_>| {
        let shared = shared_chain(&mut owner, 1);
        let hold = |mut heap: TestHeap<'_>| {
            let held = heap.import(shared);
            let mut tuple = heap.alloc(&TUPLE, 2000).expect("memory");
            tuple.references_mut().fill(held);
            let tuple = heap.root(tuple.finish().into());
            heap.collect(Request::Complete);
            assert_eq!(old_objects(&mut owner), 1, "the tuple holds it");
            heap.unroot(tuple);
            assert_eq!((old_objects(&mut heap), old_objects(&mut owner)), (0, 0));
        };
        group.branded(hold).unwrap();
    };
    group.branded(own).unwrap();
}

/// Its header would change while others read it.
#[test]
fn what_may_be_shared_already_cannot_be_made_finalizable() {
    let finalize = |mut heap: TestHeap<'_>, private: bool| {
        let node = heap.alloc(&NODE, 0).expect("memory").finish();
        let handle = heap.root(node.into());
        heap.finalize(node, 7);
        heap.collect(Request::Complete);
        let node = heap.rooted(&handle).object().expect("a node");
        assert_eq!(heap.is_private(node), private);
        let again = catch_unwind(AssertUnwindSafe(|| heap.finalize(node, 8)));
        assert_eq!(again.is_ok(), private);
        let cell = heap.root(heap.alloc(&CELL, 0).expect("memory").finish().into());
        heap.collect(Request::Complete);
        let cell = heap.rooted(&cell).object().expect("a cell");
        assert!(heap.is_private(cell), "nobody shares what is mutable");
        heap.finalize(cell, 9);
    };
    group().branded(|heap| finalize(heap, false)).unwrap();
    Heap::branded(Config::STRESS, |heap| finalize(heap, true)).unwrap();
}

/// What dies with its heap, and has never been in a block, has nothing to do with what the heap leaves.
#[test]
fn a_heap_may_end_with_young_objects_that_are_finalizable() {
    let group = group();
    let end = |mut heap: TestHeap<'_>| {
        chain(&mut heap, 1);
        let shared = share_slot(&mut heap, 0);
        for (shape, len) in [(&NODE, 0), (&BYTES, 100 << 10), (&BYTES, 3 << 20), (&CELL, 0)] {
            heap.finalize(heap.alloc(shape, len).expect("memory").finish(), 7);
        }
        (shared, heap.end())
    };
    let (shared, estate) = group.branded(end).unwrap();
    let adopt = |mut heap: TestHeap<'_>| {
        heap.adopt(estate);
        drop(shared);
        assert_eq!(old_objects(&mut heap), 0);
        assert!(heap.next_finalizable().is_none());
    };
    group.branded(adopt).unwrap();
}

/// A handle for so many bytes, and what their heap has left.
fn estate_of(group: &Group<LowTag>, bytes: usize) -> (Shared<LowTag>, Estate<LowTag>) {
    let make = |mut heap: TestHeap<'_>| {
        let bytes = heap.root(heap.alloc(&BYTES, bytes).expect("memory").finish().into());
        (heap.share(&bytes).expect("immutable"), heap.end())
    };
    group.branded(make).unwrap()
}

#[test]
fn what_is_adopted_counts_for_the_heap_limit() {
    const MIB: usize = 1 << 20;
    let config = Config { nursery_bytes: 2 * MIB, limit_bytes: Some(4 * MIB), ..Config::DEFAULT };
    let group = group();
    let adopt = |mut heap: TestHeap<'_>| {
        let (shared, estate) = estate_of(&group, 3 * MIB);
        heap.adopt(estate);
        while heap.alloc(&NODE, 0).is_ok() {}
        assert!(heap.used_bytes() <= 4 * MIB, "{} bytes", heap.used_bytes());
        drop(shared);
        heap.collect(Request::Complete);
        heap.collect(Request::Complete);
        heap.alloc(&NODE, 0).expect("there is room again");
    };
    group.branded_with(config, adopt).unwrap();
}

/// What others have left does not take the room of a heap that comes by.
#[test]
fn a_heap_at_its_limit_adopts_nothing_in_passing() {
    const KIB: usize = 1 << 10;
    let config = Config { nursery_bytes: 64 * KIB, limit_bytes: Some(1000 * KIB), ..Config::DEFAULT };
    let group = group();
    let finalizable = |mut heap: TestHeap<'_>| {
        let bytes = heap.alloc(&BYTES, 400 * KIB).expect("memory").finish();
        heap.finalize(bytes, 7);
        let bytes = heap.root(bytes.into());
        heap.share(&bytes).expect("immutable")
    };
    let pass = |mut heap: TestHeap<'_>| {
        let handle = heap.root(heap.alloc(&BYTES, 700 * KIB).expect("memory").finish().into());
        heap.collect(Request::Complete);
        // An orphan of two objects, of which one dies; and one whose death somebody wants to hear of.
        let two = |mut heap: TestHeap<'_>| {
            [400, 40].map(|kib| {
                let bytes = heap.root(heap.alloc(&BYTES, kib * KIB).expect("memory").finish().into());
                heap.share(&bytes).expect("immutable")
            })
        };
        let [let_go, kept] = group.branded(two).unwrap();
        let heard_of = group.branded(finalizable).unwrap();
        let handles = [let_go, heard_of].map(|shared| heap.root(heap.import(shared)));
        heap.collect(Request::Complete);
        handles.into_iter().for_each(|handle| heap.unroot(handle));
        for _ in 0..3 {
            heap.collect(Request::Complete);
            heap.alloc(&NODE, 0).expect("there is room");
        }
        assert_eq!(group.orphans(), 2);
        heap.unroot(handle);
        for _ in 0..3 {
            heap.collect(Request::Complete);
        }
        assert_eq!(group.orphans(), 1);
        assert!(heap.next_finalizable().is_some());
        assert_eq!(heap.import(kept).object().expect("bytes").bytes().len(), 40 * KIB);
    };
    group.branded_with(config, pass).unwrap();
}

/// A heap that allocates nothing, and adopts what is dead soon, is told to collect.
#[test]
fn a_heap_that_only_adopts_collects_too() {
    let group = Group::<LowTag>::new(Config::DEFAULT).expect("the settings agree");
    let adopt = |mut heap: TestHeap<'_>| {
        for _ in 0..1000 {
            let (shared, estate) = estate_of(&group, 10 << 10);
            heap.adopt(estate);
            drop(shared);
            if heap.should_collect() {
                heap.collect(Request::Auto);
            }
            assert!(heap.used_bytes() < 4 << 20, "{} bytes", heap.used_bytes());
        }
    };
    group.branded(adopt).unwrap();
}

/// What is done to an estate is in the report of whoever adopts it.
#[test]
fn nothing_that_was_posted_to_an_estate_goes_unreported() {
    const LONG: u64 = 100_000;
    let group =
        Group::<LowTag>::new(Config { cluster_objects: 8, ..Config::DEFAULT }).expect("the settings agree");
    let shared = group
        .branded(|mut heap| {
            chain(&mut heap, LONG);
            share_slot(&mut heap, 0)
        })
        .unwrap();
    let hold = |mut heap: TestHeap<'_>| {
        heap.stack_grow(1).expect("room on the stack");
        let step = |heap: &TestHeap<'_>, steps| {
            for _ in 0..steps {
                let node = heap.stack_from(0)[0].get().object().expect("a node");
                heap.stack_from(0)[0].set(node.get(0));
            }
        };
        heap.stack_from(0)[0].set(heap.import(shared.clone()));
        step(&heap, LONG - 10);
        let first = heap.collect(Request::Complete);
        assert_eq!((first.posted, first.received, group.orphans()), (1, 0, 1), "too large to be adopted");
        // That is one change more; and now it is small.
        drop(shared);
        step(&heap, 1);
        let second = heap.collect(Request::Complete);
        assert_eq!((second.posted, second.received, group.orphans()), (2, 0, 0));
        let third = heap.collect(Request::Complete);
        assert_eq!((third.posted, third.received, third.old_objects), (0, 4, 9));
        assert!(third.dissolved > 0);
    };
    group.branded(hold).unwrap();
}

/// Bytes of this process's address space.
#[cfg(target_os = "linux")]
fn mapped() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').next().unwrap().parse::<usize>().unwrap() * 4096
}

/// Whoever is last to let go of a group, what ended heaps have left goes with it, and so does what nobody will hear of.
#[cfg(target_os = "linux")]
#[test]
fn what_waits_for_a_heap_goes_with_its_group() {
    const LARGE: usize = 16 << 20;
    const ROUNDS: usize = 64;
    let leave = |heap: &mut TestHeap<'_>| {
        let bytes = heap.alloc(&BYTES, LARGE).expect("memory").finish();
        heap.finalize(bytes, 7);
        let bytes = heap.root(bytes.into());
        heap.share(&bytes).expect("immutable")
    };
    let before = mapped();
    for round in 0..ROUNDS {
        let group = group();
        let shared = group.branded(|mut heap| leave(&mut heap)).unwrap();
        match round % 4 {
            // The last is the group, after a handle or a heap that had imported it, a handle, an estate.
            0 => drop(shared),
            1 => {
                let hold = |mut heap: TestHeap<'_>| {
                    heap.root(heap.import(shared));
                    heap.collect(Request::Complete);
                    assert_eq!(group.orphans(), 1);
                };
                group.branded(hold).unwrap();
            }
            2 => drop(group),
            _ => {
                let end = |mut heap: TestHeap<'_>| (leave(&mut heap), heap.end());
                let (another, estate) = group.branded(end).unwrap();
                drop((group, shared, another));
                drop(estate);
            }
        }
    }
    let more = mapped().saturating_sub(before);
    assert!(more < ROUNDS * LARGE / 4, "{more} bytes more");
}

/// Each thread leaves something that outlives it. (`benches/threads.rs` does the same with a million.)
#[test]
fn many_short_threads_leave_nothing_behind() {
    let group = group();
    let mut kept = std::collections::VecDeque::new();
    for _ in 0..300 {
        let thread = || {
            group.branded(|mut heap| {
                chain(&mut heap, 20);
                share_slot(&mut heap, 0)
            })
        };
        let shared = std::thread::scope(|scope| scope.spawn(thread).join()).expect("it does not panic");
        kept.push_back(shared.expect("memory"));
        kept.drain(..kept.len().saturating_sub(10));
        assert!(group.orphans() <= 10);
    }
    kept.clear();
    assert_eq!(group.orphans(), 0);
}

/// A heap that comes by releases so much of an orphan that a large object is left half released, and the rest is small
/// enough to be adopted; and it is itself in the midst of a large object.
#[test]
fn two_large_objects_are_released_a_part_at_a_time() {
    const PASSING_OBJECTS: usize = 100_000;
    let drain = Drain::Instalments { objects_per_kib: 1, micros_max: 1_000_000 };
    let config = Config { drain, cluster_objects: u32::MAX, ..Config::DEFAULT };
    let group = Group::<LowTag>::new(config).expect("the settings agree");
    let shared = group
        .branded(|mut heap| {
            let base = heap.stack_grow(1).unwrap();
            let last = heap.root(heap.alloc(&TUPLE, PASSING_OBJECTS).unwrap().finish().into());
            // So many that some hundred steps are left for the object that the first reference leads to.
            let mut tuple = heap.alloc(&TUPLE, PASSING_OBJECTS - 300).unwrap();
            tuple.references_mut()[0] = heap.rooted(&last);
            for slot in &mut tuple.references_mut()[1..] {
                *slot = heap.alloc(&NODE, 0).unwrap().finish().into();
            }
            heap.stack_from(base)[0].set(tuple.finish().into());
            share_slot(&mut heap, base)
        })
        .unwrap();
    assert_eq!(group.orphans(), 1);
    group
        .branded(|mut heap| {
            let base = heap.stack_grow(1).unwrap();
            heap.stack_from(base)[0].set(heap.alloc(&TUPLE, PASSING_OBJECTS).unwrap().finish().into());
            heap.collect(Request::Complete);
            heap.stack_truncate(base);
            heap.import(shared);
            heap.collect(Request::Complete);
            assert_eq!((heap.waiting(), group.orphans()), (1, 1), "both are in the midst of one");
            while heap.collect(Request::Complete).waiting > 0 {}
            assert_eq!((old_objects(&mut heap), group.orphans()), (0, 0));
        })
        .unwrap();
}

/// Who imports has come nearer to the next collection, as if it had allocated.
#[test]
fn in_a_lull_what_was_imported_counts_too() {
    let config =
        Config { nursery_bytes: 64 << 10, nursery_growth: 1, import_bytes: 16 << 10, ..Config::DEFAULT };
    let import = |mut heap: TestHeap<'_>| {
        chain(&mut heap, 3);
        let handle = heap.root(heap.stack_from(0)[0].get());
        let shared = heap.share(&handle).expect("immutable");
        let due = [0; 4].map(|_| {
            heap.import(shared.clone());
            (heap.should_collect_early(), heap.should_collect())
        });
        assert_eq!(due, [(false, false), (false, false), (true, false), (true, true)]);
        heap.collect(Request::Complete);
        heap.import(shared.clone());
        assert!(!heap.should_collect_early(), "that is over");
    };
    Group::new(config).expect("the settings agree").branded(import).unwrap();
}

/// What a heap releases while it is idle, others hear of at once.
#[test]
fn an_idle_drain_tells_others_what_it_released() {
    let group = group();
    let config = Config {
        drain: Drain::Instalments { objects_per_kib: 1, micros_max: 1_000_000 },
        ..group.config().clone()
    };
    let own = |mut owner: TestHeap<'_>| {
        let first = owner.stack_len();
        chain(&mut owner, 5);
        let shared = share_slot(&mut owner, first);
        owner.stack_truncate(first);
        let hold = |mut holder: TestHeap<'_>| {
            let mut last = holder.import(shared);
            for _ in 0..100 {
                let mut node = holder.alloc(&NODE, 0).unwrap();
                node.references_mut()[0] = last;
                last = node.finish().into();
            }
            let list = holder.root(last);
            holder.collect(Request::Complete);
            holder.unroot(list);
            assert_eq!(holder.collect(Request::Complete).waiting, 1);
            old_objects(&mut owner);
            assert_eq!(old_objects(&mut owner), 5);
            assert_eq!(holder.drain(usize::MAX), 0);
            old_objects(&mut owner);
            assert_eq!(old_objects(&mut owner), 0);
        };
        group.branded_with(config, hold).unwrap();
    };
    group.branded(own).unwrap();
}

/// However much an import counts for: the bytes that have come since the last collection do not wrap round.
#[test]
fn an_import_may_count_for_any_number_of_bytes() {
    let config = Config { import_bytes: usize::MAX, ..Config::DEFAULT };
    Group::new(config)
        .expect("the settings agree")
        .branded(|mut heap| {
            chain(&mut heap, 3);
            let handle = heap.root(heap.stack_from(0)[0].get());
            let shared = heap.share(&handle).expect("immutable");
            assert!(!heap.should_collect());
            for _ in 0..3 {
                heap.import(shared.clone());
                assert!(heap.should_collect() && heap.should_collect_early());
            }
        })
        .unwrap();
}
