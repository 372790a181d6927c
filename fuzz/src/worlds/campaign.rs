//! Many worlds, on all processors, up to the first that fails; which is then shrunk.

use frazil::LowTag;

use crate::batches::{self, Case, Observer, Seeds};
use crate::caught::caught;
use crate::faults::Defect;
use crate::hosts::{Directed, directed};
use crate::run::Judge;

use super::play::{Coverage, play};
use super::steps::World;

/// Worlds between two looks at whether one has failed, at most.
const BATCH: u64 = 64;
/// Worlds before the first look; from then on there are twice as many before each.
const FIRST_BATCH: u64 = 4;
/// Worlds that are tried in shrinking one.
const SHRINK_ATTEMPTS: usize = 3000;

/// A range of seeds and what is to be done with their worlds.
#[derive(Clone, Copy, Debug)]
pub struct Campaign {
    /// The first seed; the others follow it.
    pub seed: u64,
    /// How many.
    pub worlds: u64,
    /// Who judges.
    pub judge: Judge,
    /// What the heaps do wrong.
    pub fault: Option<Defect>,
    /// May heaps check themselves? If not, they do not interfere with the judge.
    pub check: bool,
}

/// A world that failed.
pub type Found = batches::Found<World, Coverage, String>;

impl Case for World {
    const NAME: &'static str = "world";
}

impl Campaign {
    /// The worlds of `worlds` seeds from `seed`, judged by everybody.
    pub const fn new(seed: u64, worlds: u64) -> Campaign {
        Campaign { seed, worlds, judge: Judge::Both, fault: None, check: true }
    }

    fn world(&self, seed: u64) -> World {
        let mut world = World::new(seed);
        world.check &= self.check;
        world
    }

    /// Runs the campaign while `observer` lets it go on.
    ///
    /// # Errors
    /// The first world that failed.
    pub fn run(&self, observer: &impl Observer<String>) -> Result<Coverage, Box<Found>> {
        // Twice as many before each look.
        let batch = |before: u64| before.clamp(FIRST_BATCH, BATCH);
        let seeds = Seeds { first: self.seed, count: self.worlds, batch };
        let once = |world: &World| attempt(world, self.judge, self.fault);
        batches::run(
            seeds,
            observer,
            |seed| once(&self.world(seed)),
            |seed| {
                let small = shrink(&self.world(seed), |world| once(world).is_err());
                let failure = once(&small).err();
                (small, failure)
            },
        )
    }
}

/// Lets one world happen; a panic is a failure like any other.
///
/// # Errors
/// What went wrong.
pub fn attempt(world: &World, judge: Judge, fault: Option<Defect>) -> Result<Coverage, String> {
    let result = caught(|| match (fault, world.order) {
        (None, 0) => play::<LowTag>(world, judge),
        _ => directed(world.order, fault, || play::<Directed>(world, judge)),
    });
    result.unwrap_or_else(Err)
}

/// A failing world made small: steps are left out, first many side by side, then fewer.
fn shrink(world: &World, fails: impl Fn(&World) -> bool) -> World {
    let mut best = world.clone();
    let mut left = SHRINK_ATTEMPTS;
    let mut take = |best: &mut World, candidate: World| {
        left = left.saturating_sub(1);
        let fails = left > 0 && fails(&candidate);
        if fails {
            *best = candidate;
        }
        fails
    };
    for simpler in [World { order: 0, ..best.clone() }, World { instalment: 0, ..best.clone() }] {
        take(&mut best, simpler);
    }
    let mut width = best.steps.len();
    while width > 0 {
        let mut helped = false;
        let mut end = best.steps.len();
        while end > 0 {
            let start = end.saturating_sub(width);
            let mut candidate = best.clone();
            candidate.steps.drain(start..end);
            helped |= take(&mut best, candidate);
            end = start;
        }
        width = if width == 1 && helped { 1 } else { width / 2 };
    }
    best
}
