//! What an allocation of three words costs beside bumpalo, in turns: a lap of each, and again, so that whatever else the
//! machine does happens to all. Medians of the laps, and their ratio.
//!
//!     cargo bench --bench allocation

use std::hint::black_box;
use std::time::Instant;

use frazil::arena::{Arena, Gc, Session, Trace};

/// Three words, one of them a pointer.
#[derive(Clone, Copy, Trace)]
struct Object<'gc> {
    next: Option<Gc<'gc, Object<'gc>>>,
    numbers: [u64; 2],
}

struct Plain<'a> {
    next: Option<&'a Plain<'a>>,
    numbers: [u64; 2],
}

/// Objects that are made between two times the memory is taken back: they fit the first cache, the second, the third.
const OBJECTS: [u64; 4] = [500, 5_000, 50_000, 500_000];
/// Objects of a lap.
const LAP: u64 = 1_000_000;
const LAPS: usize = 41;

#[inline(never)]
fn list_in_arena<'gc>(s: &Session<'gc>, objects: u64) -> u64 {
    let mut next = None;
    for number in 0..objects {
        next = Some(s.alloc(Object { next, numbers: [number; 2] }));
    }
    black_box(next).map_or(0, |last| last.numbers[0])
}

#[inline(never)]
fn list_in_bump(bump: &bumpalo::Bump, objects: u64) -> u64 {
    let mut next: Option<&Plain<'_>> = None;
    for number in 0..objects {
        next = Some(bump.alloc(Plain { next, numbers: [number; 2] }));
    }
    black_box(next).map_or(0, |last| last.numbers[0] + u64::from(last.next.is_none()))
}

fn median(mut laps: Vec<f64>) -> f64 {
    laps.sort_by(f64::total_cmp);
    laps[laps.len() / 2]
}

/// Nanoseconds by the object, of a lap of `rounds` rounds.
fn lap(objects: u64, rounds: u64, mut round: impl FnMut()) -> f64 {
    let start = Instant::now();
    (0..rounds).for_each(|_| round());
    start.elapsed().as_nanos() as f64 / (objects * rounds) as f64
}

fn main() {
    println!("{:>8} {:>14} {:>14} {:>14}   ratios", "objects", "frame", "collecting", "bumpalo");
    for objects in OBJECTS {
        let rounds = LAP / objects;
        let (mut framed, mut collecting) = (Arena::<()>::new(|_| ()), Arena::<()>::new(|_| ()));
        let mut bump = bumpalo::Bump::new();
        let mut laps = [const { Vec::new() }; 3];
        for _ in 0..LAPS {
            laps[0].push(framed.enter(|s, _| {
                lap(objects, rounds, || {
                    black_box(s.scratch(|f, _| list_in_arena(f, objects)));
                })
            }));
            laps[1].push(lap(objects, rounds, || {
                black_box(collecting.enter(|s, _| list_in_arena(s, objects)));
                collecting.collect_if_due();
            }));
            laps[2].push(lap(objects, rounds, || {
                black_box(list_in_bump(&bump, objects));
                bump.reset();
            }));
        }
        let [frame, collected, bumped] = laps.map(median);
        println!(
            "{objects:8} {frame:11.2} ns {collected:11.2} ns {bumped:11.2} ns   {:.2} and {:.2}",
            frame / bumped,
            collected / bumped
        );
    }
}
