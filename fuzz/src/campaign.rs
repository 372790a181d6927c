//! Many histories, on all processors, up to the first that fails; which is then shrunk.
//!
//! The seed of a failing history is all that is needed to have it again; the shrunk one can be read, and read
//! back.

use frazil::LowTag;

use crate::batches::{self, Case, Observer, Seeds};
use crate::caught::caught;
use crate::coverage::{Coverage, Event};
use crate::faults::Defect;
use crate::generate::generate;
use crate::history::{History, Setup};
use crate::hosts::{Directed, directed};
use crate::log::Log;
use crate::run::{Failure, Judge, forget_memory, run_watched, step_reached};
use crate::scene::Audience;
use crate::shrink::shrink;

/// Histories between two looks at whether one has failed, at most. Larger: less waiting for the slowest. Smaller: a
/// failure is reported sooner.
const BATCH: u64 = 256;
/// Histories before the first look; from then on there are twice as many before each. A collector that is badly
/// broken kills the process sooner or later: it should have failed in a way that can be told before that.
const FIRST_BATCH: u64 = 4;
/// Histories that are tried in shrinking one.
const SHRINK_ATTEMPTS: usize = 5000;

/// A range of seeds and what is to be done with their histories.
#[derive(Clone, Copy, Debug)]
pub struct Campaign {
    /// The first seed; the others follow it.
    pub seed: u64,
    /// How many.
    pub histories: u64,
    /// Who judges the heap.
    pub judge: Judge,
    /// What the collector is to do wrong.
    pub fault: Option<Defect>,
    /// Changes the settings that a seed has drawn.
    pub adjust: fn(u64, &mut Setup),
}

impl Campaign {
    /// The histories of `histories` seeds from `seed`, as they were drawn, judged by everybody.
    pub const fn new(seed: u64, histories: u64) -> Campaign {
        Campaign { seed, histories, judge: Judge::Both, fault: None, adjust: |_, _| {} }
    }

    /// The history of one seed.
    pub fn history(&self, seed: u64) -> History {
        let mut history = generate(seed);
        (self.adjust)(seed, &mut history.setup);
        history
    }

    /// Runs the campaign.
    ///
    /// # Errors
    /// The first history that failed.
    pub fn run(&self) -> Result<Coverage, Box<Found>> {
        self.run_observed(&())
    }

    /// Runs the campaign while `observer` lets it go on. What is covered says how many histories it got to.
    ///
    /// # Errors
    /// The first history that failed.
    pub fn run_observed(&self, observer: &impl Observer<Failure>) -> Result<Coverage, Box<Found>> {
        // Twice as many before each look.
        let batch = |before: u64| before.clamp(FIRST_BATCH, BATCH);
        let seeds = Seeds { first: self.seed, count: self.histories, batch };
        let attempt = |seed| attempt(&self.history(seed), self.judge, self.fault);
        batches::run(seeds, observer, attempt, |seed| self.shrink(seed))
    }

    fn shrink(&self, seed: u64) -> (History, Option<Failure>) {
        let again = |history: &History| attempt(history, self.judge, self.fault).err();
        let small = shrink(&self.history(seed), SHRINK_ATTEMPTS, |history| again(history).is_some());
        let failure = again(&small);
        (small, failure)
    }
}

/// A history that failed.
pub type Found = batches::Found<History, Coverage, Failure>;

impl Case for History {
    const NAME: &'static str = "history";
}

/// Runs one history; a panic is a failure like any other. With a fault, on a heap that commits it.
///
/// That takes a build in which panics unwind, as they do in tests. A heap that breaks so badly that the process
/// is killed cannot be caught here: the histories of its seeds have to be tried one by one.
///
/// # Errors
/// What the heap did wrong.
pub fn attempt(history: &History, judge: Judge, fault: Option<Defect>) -> Result<Coverage, Failure> {
    attempt_watched(history, judge, fault, None)
}

/// The same, while `audience` is shown each scene. If the history names several orders, the audience sees the
/// first, and what the others come to is compared with that.
///
/// # Errors
/// What the heap did wrong.
pub fn attempt_watched(
    history: &History,
    judge: Judge,
    fault: Option<Defect>,
    audience: Audience<'_>,
) -> Result<Coverage, Failure> {
    let (&first, others) = history.setup.orders.split_first().expect("a history has an order");
    let mut log = (!others.is_empty()).then(Log::default);
    let mut coverage = attempt_order(history, judge, fault, first, audience, log.as_mut())?;
    coverage.add(Event::Reordered, u64::from(first != 0));
    let Some(log) = log else { return Ok(coverage) };
    for &other in others {
        let mut other_log = Log::default();
        attempt_order(history, judge, fault, other, None, Some(&mut other_log))?;
        match log.compare(&other_log, history.setup.instalment == 0) {
            Ok(heaps) => coverage.add(Event::SameHeap, heaps),
            Err((step, what)) => {
                return Err(Failure { step, what: format!("under order {first}, {what} (under {other})") });
            }
        }
    }
    Ok(coverage)
}

/// Under one order.
fn attempt_order(
    history: &History,
    judge: Judge,
    fault: Option<Defect>,
    order: u32,
    audience: Audience<'_>,
    log: Option<&mut Log>,
) -> Result<Coverage, Failure> {
    let result = caught(|| match (fault, order) {
        (None, 0) => run_watched::<LowTag>(history, judge, audience, log),
        _ => directed(order, fault, || run_watched::<Directed>(history, judge, audience, log)),
    });
    let result = result.unwrap_or_else(|what| Err(Failure { step: step_reached(), what }));
    if fault.is_some() || result.is_err() {
        forget_memory();
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use frazil::Fault;

    #[test]
    fn an_observer_can_end_a_campaign() {
        struct Ten;
        impl Observer<Failure> for Ten {
            fn goes_on(&self, done: u64) -> bool {
                done < 10
            }
        }
        let coverage = Campaign::new(0, u64::MAX).run_observed(&Ten).expect("a sound collector");
        // Those that other threads had begun come to their end.
        let histories = coverage.of(Event::History);
        assert!((10..10 + 2 * rayon::current_num_threads() as u64).contains(&histories), "{histories}");
    }

    #[test]
    fn a_campaign_finds_what_is_wrong_and_says_how_to_have_it_again() {
        let campaign = Campaign { fault: Some(Defect::Fault(Fault::SkippedCount)), ..Campaign::new(0, 1000) };
        let found = campaign.run().expect_err("a count that is skipped must be noticed");
        assert!(found.small.steps.len() <= 10, "{found}");
        let again: History = found.small.to_string().parse().unwrap();
        assert_eq!(attempt(&again, Judge::Both, campaign.fault).err(), found.small_failure, "{found}");
    }
}
