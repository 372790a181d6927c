//! Many cases on all processors, in batches, up to the first that fails.

use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

/// What has happened in some cases.
pub trait Tally: Default + Send {
    /// Adds what happened in others.
    fn merge(&mut self, other: &Self);
}

/// The first case that failed.
pub struct First<T, F> {
    /// How many did not fail before it.
    pub number: u64,
    /// What went wrong.
    pub failure: F,
    /// What happened in the others of its batch, and in all batches before.
    pub tally: T,
}

/// Attempts the cases from 0 to `cases`, as long as `goes_on`, which is told how many are done, says so. `batch` says
/// how many cases come between two looks at whether one has failed, given how many came before. Larger: less waiting
/// for the slowest. Smaller: a failure is reported sooner.
///
/// # Errors
/// The first case that failed: of a batch, the one with the lowest number, on however many threads.
pub fn run<T: Tally, F: Send>(
    cases: u64,
    batch: impl Fn(u64) -> u64,
    goes_on: impl Fn(u64) -> bool + Sync,
    attempt: impl Fn(u64) -> Result<T, F> + Sync,
) -> Result<T, First<T, F>> {
    let mut tally = T::default();
    let done = AtomicU64::new(0);
    let goes_on = || goes_on(done.load(Ordering::Relaxed));
    let mut start = 0;
    while start < cases && goes_on() {
        let end = cases.min(start.saturating_add(batch(start)));
        let one = |number: u64| {
            if !goes_on() {
                return Ok(T::default());
            }
            let result = attempt(number).map_err(|failure| (number, failure));
            done.fetch_add(1, Ordering::Relaxed);
            result
        };
        let results: Vec<Result<T, (u64, F)>> = (start..end).into_par_iter().map(one).collect();
        let mut first = None;
        for result in results {
            match result {
                Ok(one) => tally.merge(&one),
                Err(failed) => first = first.or(Some(failed)),
            }
        }
        if let Some((number, failure)) = first {
            return Err(First { number, failure, tally });
        }
        start = end;
    }
    Ok(tally)
}
