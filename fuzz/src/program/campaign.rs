//! Many programs, on all processors, up to the first that fails; which is then shrunk.

use starlark::Mistake;

use crate::batches::{self, Case, Observer, Seeds};

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

/// A program that failed.
pub type Found = batches::Found<Program, Coverage, Failure>;

impl Case for Program {
    const NAME: &'static str = "program";
}

impl Campaign {
    /// The programs of `programs` seeds from `seed`.
    pub const fn new(seed: u64, programs: u64) -> Campaign {
        Campaign { seed, programs, mistake: None }
    }

    /// Runs the campaign while `observer` lets it go on. What is covered says how many programs it got to.
    ///
    /// # Errors
    /// The first program that failed.
    pub fn run(&self, observer: &impl Observer<Failure>) -> Result<Coverage, Box<Found>> {
        let seeds = Seeds { first: self.seed, count: self.programs, batch: |_| BATCH };
        let attempt = |seed| attempt_made(&make(seed), self.mistake);
        batches::run(seeds, observer, attempt, |seed| self.shrink(seed))
    }

    fn shrink(&self, seed: u64) -> (Program, Option<Failure>) {
        let again = |program: &Program| attempt(program, self.mistake).err();
        let small = shrink(&make(seed).program, SHRINK_ATTEMPTS, |program| again(program).is_some());
        let failure = again(&small);
        (small, failure)
    }
}
