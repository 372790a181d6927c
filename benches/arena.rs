//! What arenas cost: following pointers beside references, stores, frames, and collections of both kinds beside much that
//! is mutable. Plain figures: run it as `cargo bench --bench arena`. What an allocation costs beside bumpalo is in `peers`.
//!
//! `sum_of_pointers` and `sum_of_references` are there to be looked at, too: see NOTES.md, *How to check a change*.

use std::hint::black_box;
use std::time::{Duration, Instant};

use frazil::Config;
use frazil::arena::{Arena, Cell, Gc, Session, Trace};

#[derive(Trace)]
struct Link<'gc> {
    number: u64,
    next: Option<Gc<'gc, Link<'gc>>>,
}

struct PlainLink<'a> {
    number: u64,
    next: Option<&'a PlainLink<'a>>,
}

/// The sum of a list.
#[inline(never)]
fn sum_of_pointers<'gc>(mut list: Option<Gc<'gc, Link<'gc>>>) -> u64 {
    let mut sum = 0u64;
    while let Some(link) = list {
        sum = sum.wrapping_add(link.number);
        list = link.next;
    }
    sum
}

/// The same with references.
#[inline(never)]
fn sum_of_references(mut list: Option<&PlainLink<'_>>) -> u64 {
    let mut sum = 0u64;
    while let Some(link) = list {
        sum = sum.wrapping_add(link.number);
        list = link.next;
    }
    sum
}

#[derive(Trace)]
struct Node<'gc> {
    next: Cell<Option<Gc<'gc, Node<'gc>>>>,
    other: Cell<Option<Gc<'gc, Node<'gc>>>>,
    number: Cell<u64>,
}

fn node<'gc>(s: &Session<'gc>, next: Option<Gc<'gc, Node<'gc>>>) -> Gc<'gc, Node<'gc>> {
    s.alloc(Node { next: Cell::new(next), other: Cell::new(None), number: Cell::new(0) })
}

/// The best of five: time by the step, in nanoseconds.
fn report(what: &str, steps: u64, mut run: impl FnMut()) {
    let timed = (0..5).map(|_| {
        let start = Instant::now();
        run();
        start.elapsed()
    });
    let best = timed.min().expect("five");
    println!("{what:44} {:8.2} ns", best.as_nanos() as f64 / steps as f64);
}

fn following() {
    const LEN: u64 = 10_000;
    const ROUNDS: u64 = 200;
    let mut arena = Arena::<()>::new(|_| ());
    arena.enter(|s, _| {
        let list = (0..LEN).fold(None, |next, number| Some(s.alloc(Link { number, next })));
        report("a pointer followed, and a field read", LEN * ROUNDS, || {
            (0..ROUNDS).for_each(|_| assert_eq!(sum_of_pointers(black_box(list)), LEN * (LEN - 1) / 2));
        });
    });
    let bump: Vec<std::cell::OnceCell<PlainLink<'_>>> =
        (0..LEN).map(|_| std::cell::OnceCell::new()).collect();
    let list = bump
        .iter()
        .zip(0..)
        .fold(None, |next, (place, number)| Some(place.get_or_init(|| PlainLink { number, next })));
    report("the same with references", LEN * ROUNDS, || {
        (0..ROUNDS).for_each(|_| assert_eq!(sum_of_references(black_box(list)), LEN * (LEN - 1) / 2));
    });
}

fn storing() {
    const STEPS: u64 = 1_000_000;
    let mut arena = Arena::<Node<'static>>::new(|_| Node {
        next: Cell::new(None),
        other: Cell::new(None),
        number: Cell::new(0),
    });
    arena.enter(|s, root| {
        report("a pointer stored in a young object", STEPS, || {
            for _ in 0..STEPS {
                s.set(black_box(root), Node::OTHER, Some(root));
            }
        });
        report("a number stored", STEPS, || {
            for number in 0..STEPS {
                s.set(black_box(root), Node::NUMBER, number);
            }
        });
    });
}

/// Frames of which nothing survives, and of which `kept` objects do.
fn frames() {
    const STEPS: u64 = 1_000;
    let mut arena = Arena::<()>::new(|_| ());
    arena.enter(|s, _| {
        report("a frame with 100 objects", STEPS * 100, || {
            for _ in 0..STEPS {
                s.scratch(|f, _| {
                    for number in 0..100 {
                        black_box(f.alloc(Link { number, next: None }));
                    }
                });
            }
        });
    });
    for kept in [1, 10, 100u64] {
        let what = format!("a frame that returns {kept}, by the object returned");
        report(&what, STEPS * kept, || {
            for _ in 0..STEPS / 10 {
                arena.enter(|s, _| {
                    for _ in 0..10 {
                        let list = s.frame::<Link<'static>>(|f, _| {
                            let list =
                                (0..kept).fold(None, |next, number| Some(f.alloc(Link { number, next })));
                            list.expect("at least one")
                        });
                        black_box(list.number);
                    }
                });
                arena.collect_if_due();
            }
        });
    }
}

/// Garbage beside a million mutable nodes, some of which are written.
fn beside_mutable_nodes() {
    const NODES: u64 = 1_000_000;
    const STEPS: u64 = 5_000_000;
    for short_collections in [false, true] {
        let config = Config { short_collections, ..Arena::<()>::CONFIG };
        let mut arena = Arena::<Option<Gc<'static, Node<'static>>>>::with_config(config, |s| {
            (0..NODES).fold(None, |next, _| Some(node(s, next)))
        })
        .expect("the settings agree");
        arena.collect();
        let (start, mut pause) = (Instant::now(), Duration::ZERO);
        for _ in 0..STEPS / 10_000 {
            arena.enter(|s, root| {
                let mut at = root.expect("nodes");
                for _ in 0..10_000 {
                    let garbage = node(s, None);
                    s.set(at, Node::OTHER, Some(garbage));
                    at = at.next.get().expect("more nodes than steps");
                }
            });
            if let Some(report) = arena.collect_if_due() {
                pause = pause.max(report.pause);
            }
        }
        println!(
            "beside a million mutable nodes, {:12} {:8.2} ns an object, {} collections, longest pause {:.2?}",
            if short_collections { "short" } else { "complete" },
            start.elapsed().as_nanos() as f64 / STEPS as f64,
            arena.stats().collections(),
            pause,
        );
    }
}

fn main() {
    following();
    storing();
    frames();
    beside_mutable_nodes();
}
