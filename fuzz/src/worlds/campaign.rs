//! Many worlds, on all processors, up to the first that fails; which is then shrunk.

use std::fmt;

use frazil::LowTag;

use crate::batches::{self, First};
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
#[derive(Clone, Debug)]
pub struct Found {
    /// Its seed.
    pub seed: u64,
    /// How many did not fail before it.
    pub number: u64,
    /// What went wrong.
    pub failure: String,
    /// The world when shrunk.
    pub small: World,
    /// What goes wrong then.
    pub small_failure: Option<String>,
    /// What happened in the worlds that did not fail.
    pub coverage: Coverage,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {} (after {} others) failed {}", self.seed, self.number, self.failure)?;
        match &self.small_failure {
            Some(failure) => writeln!(f, "shrunk, it fails {failure}")?,
            None => writeln!(f, "shrunk, it did not fail again: something outside the world plays a part")?,
        }
        write!(f, "{}", self.small)
    }
}
impl std::error::Error for Found {}

impl Campaign {
    /// The worlds of `worlds` seeds from `seed`, judged by everybody.
    pub const fn new(seed: u64, worlds: u64) -> Campaign {
        Campaign { seed, worlds, judge: Judge::Both, fault: None, check: true }
    }

    fn world(&self, number: u64) -> World {
        let mut world = World::new(self.seed.wrapping_add(number));
        world.check &= self.check;
        world
    }

    /// Runs the campaign while `goes_on`, which is told how many are done, says so.
    ///
    /// # Errors
    /// The first world that failed.
    pub fn run(&self, goes_on: impl Fn(u64) -> bool + Sync) -> Result<Coverage, Box<Found>> {
        let once = |world: &World| attempt(world, self.judge, self.fault);
        let batch = |before: u64| before.clamp(FIRST_BATCH, BATCH);
        batches::run(self.worlds, batch, goes_on, |number| once(&self.world(number))).map_err(|first| {
            let First { number, failure, tally } = first;
            let small = shrink(&self.world(number), |world| once(world).is_err());
            let small_failure = once(&small).err();
            let seed = self.seed.wrapping_add(number);
            Box::new(Found { seed, number, failure, small, small_failure, coverage: tally })
        })
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
