//! Many cases on all processors, in batches, up to the first that fails; which is then made small.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

/// What has happened in some cases.
pub trait Tally: Default + Send {
    /// Adds what happened in others.
    fn merge(&mut self, other: &Self);
}

/// What can fail: its display is what a person reads to see why.
pub trait Case: fmt::Display {
    /// What it is called.
    const NAME: &'static str;
}

/// Who is told how a campaign goes, and may end it. All threads of the campaign ask and tell.
pub trait Observer<F>: Sync {
    /// `done` cases are done. Shall there be more?
    fn goes_on(&self, done: u64) -> bool {
        let _ = done;
        true
    }

    /// The case of `seed` failed, and is going to be shrunk.
    fn failed(&self, seed: u64, failure: &F) {
        let _ = (seed, failure);
    }
}

/// Nobody.
impl<F> Observer<F> for () {}

/// A case that failed: of a batch, the one with the lowest number, on however many threads.
#[derive(Clone, Debug)]
pub struct Found<C, T, F> {
    /// Its seed.
    pub seed: u64,
    /// How many did not fail before it.
    pub number: u64,
    /// What went wrong.
    pub failure: F,
    /// The case when shrunk.
    pub small: C,
    /// What goes wrong then. Nothing, if it depends on something that is not in the case.
    pub small_failure: Option<F>,
    /// What happened in the others of its batch, and in all batches before.
    pub coverage: T,
}

impl<C: Case, T, F: fmt::Display> fmt::Display for Found<C, T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {} (after {} others) failed:\n{}", self.seed, self.number, self.failure)?;
        match &self.small_failure {
            Some(failure) => writeln!(f, "shrunk, it fails:\n{failure}")?,
            None => {
                let name = C::NAME;
                writeln!(f, "shrunk, it did not fail again: something outside the {name} plays a part")?;
            }
        }
        write!(f, "{}", self.small)
    }
}

impl<C: Case + fmt::Debug, T: fmt::Debug, F: fmt::Display + fmt::Debug> std::error::Error for Found<C, T, F> {}

/// The seeds of a campaign.
#[derive(Clone, Copy, Debug)]
pub struct Seeds {
    /// The first; the others follow it.
    pub first: u64,
    /// How many.
    pub count: u64,
    /// How many cases come between two looks at whether one has failed, given how many came before. Larger: less waiting
    /// for the slowest. Smaller: a failure is reported sooner.
    pub batch: fn(u64) -> u64,
}

/// Attempts the cases of `seeds` while `observer` lets it go on. The first that fails is made small by `shrink`, which
/// is given its seed and says what goes wrong then.
///
/// # Errors
/// The first case that failed.
pub fn run<C, T: Tally, F: Send>(
    seeds: Seeds,
    observer: &impl Observer<F>,
    attempt: impl Fn(u64) -> Result<T, F> + Sync,
    shrink: impl FnOnce(u64) -> (C, Option<F>),
) -> Result<T, Box<Found<C, T, F>>> {
    let mut coverage = T::default();
    let done = AtomicU64::new(0);
    let goes_on = || observer.goes_on(done.load(Ordering::Relaxed));
    let one = |number: u64| {
        if !goes_on() {
            return Ok(T::default());
        }
        let result = attempt(seeds.first.wrapping_add(number)).map_err(|failure| (number, failure));
        done.fetch_add(1, Ordering::Relaxed);
        result
    };
    let mut start = 0;
    while start < seeds.count && goes_on() {
        let end = seeds.count.min(start.saturating_add((seeds.batch)(start)));
        let results: Vec<Result<T, (u64, F)>> = (start..end).into_par_iter().map(one).collect();
        let mut first = None;
        for result in results {
            match result {
                Ok(one) => coverage.merge(&one),
                Err(failed) => first = first.or(Some(failed)),
            }
        }
        if let Some((number, failure)) = first {
            let seed = seeds.first.wrapping_add(number);
            observer.failed(seed, &failure);
            let (small, small_failure) = shrink(seed);
            return Err(Box::new(Found { seed, number, failure, small, small_failure, coverage }));
        }
        start = end;
    }
    Ok(coverage)
}
