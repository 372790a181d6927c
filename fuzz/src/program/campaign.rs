//! Many programs, on all processors, up to the first that fails; which is then shrunk.

use std::fmt;

use starlark::Mistake;

use crate::batches::{self, First};

use super::coverage::Coverage;
use super::outcome::{Failure, attempt, attempt_made};
use super::shrink::shrink;
use super::{Program, make};

/// Programs between two looks at whether one has failed. Larger: less waiting for the slowest. Smaller: a failure is
/// reported sooner.
const BATCH: u64 = 64;
/// Programs that are tried in shrinking one.
const SHRINK_ATTEMPTS: usize = 2000;

/// A range of seeds and what is to be done with their programs.
#[derive(Clone, Copy, Debug)]
pub struct Campaign {
    /// The first seed; the others follow it.
    pub seed: u64,
    /// How many.
    pub programs: u64,
    /// What the machine is to forget; then all programs are run in checking mode.
    pub mistake: Option<Mistake>,
}

/// Who is told how a campaign goes, and may end it. All threads of the campaign ask and tell.
pub trait Observer: Sync {
    /// `done` programs are done. Shall there be more?
    fn goes_on(&self, done: u64) -> bool {
        let _ = done;
        true
    }

    /// The program of `seed` failed, and is going to be shrunk.
    fn failed(&self, seed: u64, failure: &Failure) {
        let _ = (seed, failure);
    }
}

/// Nobody.
impl Observer for () {}

/// A program that failed.
#[derive(Clone, Debug)]
pub struct Found {
    /// Its seed.
    pub seed: u64,
    /// How many did not fail before it.
    pub number: u64,
    /// What went wrong.
    pub failure: Failure,
    /// The program when shrunk.
    pub small: Program,
    /// What goes wrong then.
    pub small_failure: Option<Failure>,
    /// What happened in the programs that did not fail.
    pub coverage: Coverage,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {} (after {} others) failed:\n{}", self.seed, self.number, self.failure)?;
        match &self.small_failure {
            Some(failure) => writeln!(f, "shrunk, it fails:\n{failure}")?,
            None => writeln!(f, "shrunk, it did not fail again: something outside the program plays a part")?,
        }
        write!(f, "{}", self.small)
    }
}
impl std::error::Error for Found {}

impl Campaign {
    /// The programs of `programs` seeds from `seed`.
    pub const fn new(seed: u64, programs: u64) -> Campaign {
        Campaign { seed, programs, mistake: None }
    }

    /// Runs the campaign while `observer` lets it go on. What is covered says how many programs it got to.
    ///
    /// # Errors
    /// The first program that failed.
    pub fn run(&self, observer: &impl Observer) -> Result<Coverage, Box<Found>> {
        let attempt = |number| attempt_made(&make(self.seed.wrapping_add(number)), self.mistake);
        batches::run(self.programs, |_| BATCH, |done| observer.goes_on(done), attempt).map_err(|first| {
            let First { number, failure, tally } = first;
            observer.failed(self.seed.wrapping_add(number), &failure);
            Box::new(self.shrink(number, failure, tally))
        })
    }

    fn shrink(&self, number: u64, failure: Failure, coverage: Coverage) -> Found {
        let seed = self.seed.wrapping_add(number);
        let again = |program: &Program| attempt(program, self.mistake).err();
        let small = shrink(&make(seed).program, SHRINK_ATTEMPTS, |program| again(program).is_some());
        let small_failure = again(&small);
        Found { seed, number, failure, small, small_failure, coverage }
    }
}
