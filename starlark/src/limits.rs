//! How far a program may go: steps, calls, collections, and an embedding program that has changed its mind.
//!
//! A *step* is a call, a round of a loop, or an element that a built-in function goes through. The machine counts down
//! a small stock of them, the *fuel*, and looks at everything else only when that is used up: so a limit costs one
//! decrement where there was a test already, and is the same whether it is set or not.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::failure::{Failure, Res};
use crate::parallel::Unit;

/// Steps between two looks at what is left and at the canceller: some hundred microseconds.
const FUEL: u32 = 1 << 14;
/// How many calls may be active at once, unless [`Limits::calls`] says otherwise.
const CALLS: usize = 20_000;
/// Bits of the largest int. Its text has a million digits, which takes a second to make.
pub(crate) const INT_BITS_MAX: u64 = 1 << 22;
/// Bytes of the longest text that is put together, such as that of a list.
pub(crate) const TEXT_MAX: usize = 1 << 30;

/// What a program may use each time the embedding program runs a module, evaluates a text or calls a function. (How
/// large the heap may become is a setting of the heap: [`frazil::Config::limit_bytes`].)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Steps: calls, rounds of loops, elements that built-in functions go through.
    pub steps: Option<u64>,
    /// Calls that are active at once. A call takes a few hundred bytes of the root stack, and none of the system's.
    pub calls: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { steps: None, calls: CALLS }
    }
}

/// Which limit ended a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// So many steps were allowed.
    Steps(u64),
    /// Too many calls were active at once.
    Calls,
    /// No more collections were allowed.
    Collections,
    /// The heap has no more room, or the system no more memory.
    Memory,
    /// It was cancelled.
    Cancelled,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Limit::Steps(steps) => write!(f, "the program took more than {steps} steps"),
            Limit::Calls => f.write_str("Starlark stack overflow"),
            Limit::Collections => f.write_str("the program was given no more collections"),
            Limit::Memory => f.write_str("out of memory"),
            Limit::Cancelled => f.write_str("the program was cancelled"),
        }
    }
}

/// Cancels what an engine does, from any thread. Copies are the same canceller.
#[derive(Clone, Debug, Default)]
pub struct Canceller(Arc<AtomicBool>);

impl Canceller {
    /// Ends the program that runs now, or the next one if none does, with [`Limit::Cancelled`]. The one after that runs. See
    /// [`Canceller::withdraw`].
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// The flag behind it, for signal handlers: setting it is cancelling.
    pub fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }

    /// Takes it back, if nothing has been ended yet, and says whether that was so. Between two programs: a watchdog may have
    /// called just when the first was over, and the second is not to end for it.
    ///
    /// ```
    /// # use frazil_starlark::Engine;
    /// let mut engine = Engine::default();
    /// let canceller = engine.canceller();
    /// canceller.cancel(); // too late, or too early
    /// assert!(canceller.withdraw());
    /// assert!(engine.evaluate("next", "1 + 1").is_ok());
    /// ```
    pub fn withdraw(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }

    /// Has it been asked to, and not done so yet?
    pub fn is_pending(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Counts the steps of a program.
#[derive(Debug)]
pub(crate) struct Meter {
    /// Steps until the next look.
    fuel: Cell<u32>,
    /// Steps left after those.
    left: Cell<u64>,
    /// The limit that was reached.
    ended: Cell<Option<Limit>>,
    pub limits: Cell<Limits>,
    pub canceller: Canceller,
    /// What is worked on, if somebody may call it off.
    unit: RefCell<Option<Arc<Unit>>>,
}

/// Where the count of a program stands that is interrupted by a unit with a count of its own.
pub(crate) struct Interrupted {
    fuel: u32,
    left: u64,
    ended: Option<Limit>,
    limits: Limits,
    unit: Option<Arc<Unit>>,
}

impl Meter {
    pub fn new() -> Meter {
        Meter {
            fuel: Cell::new(1),
            left: Cell::new(u64::MAX),
            ended: Cell::new(None),
            limits: Cell::default(),
            canceller: Canceller::default(),
            unit: RefCell::new(None),
        }
    }

    /// What is worked on now.
    pub fn unit(&self) -> Option<Arc<Unit>> {
        self.unit.borrow().clone()
    }

    /// What is worked on is another unit from now on, or none; gives the one before.
    pub fn set_unit(&self, unit: Option<Arc<Unit>>) -> Option<Arc<Unit>> {
        self.unit.replace(unit)
    }

    /// Another thread has seen that the program was cancelled, or that it was called off.
    pub fn note_cancelled(&self) {
        drop(self.end(Limit::Cancelled));
    }

    /// Steps that are left.
    pub fn remaining(&self) -> u64 {
        self.left.get().saturating_add(u64::from(self.fuel.get().saturating_sub(1)))
    }

    /// Begins a unit that may take so many steps. `limits` has the other limits, and the number for the error.
    pub fn begin_unit(&self, unit: Arc<Unit>, limits: Limits, steps: u64) -> Interrupted {
        Interrupted {
            fuel: self.fuel.replace(1),
            left: self.left.replace(steps),
            ended: self.ended.take(),
            limits: self.limits.replace(limits),
            unit: self.unit.replace(Some(unit)),
        }
    }

    /// Ends a unit that was given `steps`, goes on with what was interrupted, and says how many steps the unit took.
    pub fn end_unit(&self, before: Interrupted, steps: u64) -> u64 {
        let taken = steps.saturating_sub(self.remaining());
        self.fuel.set(before.fuel);
        self.left.set(before.left);
        self.ended.set(before.ended);
        self.limits.set(before.limits);
        self.unit.replace(before.unit);
        taken
    }

    /// The program takes the steps that others took for it.
    ///
    /// # Errors
    /// It may not take so many.
    pub fn charge(&self, steps: u64) -> Res<()> {
        self.check_ended()?;
        let left = self.remaining().checked_sub(steps);
        self.fuel.set(1);
        self.left.set(left.unwrap_or(0));
        left.map(|_| ()).ok_or_else(|| self.end(self.out_of_steps()))
    }

    /// A program begins.
    pub fn begin(&self) {
        self.left.set(self.limits.get().steps.unwrap_or(u64::MAX));
        self.ended.set(None);
        // The first step looks whether the program was cancelled before it began.
        self.fuel.set(1);
    }

    /// The program takes a step.
    ///
    /// # Errors
    /// It was the last one.
    #[inline(always)]
    pub fn step(&self) -> Res<()> {
        let fuel = self.fuel.get().wrapping_sub(1);
        self.fuel.set(fuel);
        if fuel == 0 { self.look() } else { Ok(()) }
    }

    /// The program takes many steps at once.
    ///
    /// # Errors
    /// It may not take so many.
    pub fn steps(&self, count: usize) -> Res<()> {
        let fuel = self.fuel.get();
        if count < fuel as usize {
            self.fuel.set(fuel - count as u32);
            return Ok(());
        }
        self.check_ended()?;
        // What the fuel does not cover is taken from the rest. The next step looks again.
        self.fuel.set(1);
        let left = self.left.get().checked_sub(count as u64 + 1 - u64::from(fuel));
        self.left.set(left.unwrap_or(0));
        left.map(|_| ()).ok_or_else(|| self.end(self.out_of_steps()))
    }

    /// How many calls may be active at once.
    #[inline(always)]
    pub fn calls(&self) -> usize {
        self.limits.get().calls
    }

    #[cold]
    #[inline(never)]
    fn look(&self) -> Res<()> {
        self.check_ended()?;
        let left = self.left.get();
        let fuel = left.min(u64::from(FUEL));
        self.left.set(left - fuel);
        // Having no steps left, the next one comes here again.
        self.fuel.set((fuel as u32).max(1));
        if fuel == 0 { Err(self.end(self.out_of_steps())) } else { Ok(()) }
    }

    /// Once a limit is reached, every further step is an error, too: not all who take steps can return one.
    fn check_ended(&self) -> Res<()> {
        match self.ended.get() {
            Some(limit) => Err(self.end(limit)),
            None if self.canceller.0.swap(false, Ordering::Relaxed) => Err(self.end(Limit::Cancelled)),
            None if self.unit.borrow().as_ref().is_some_and(|unit| unit.is_called_off()) => {
                Err(self.end(Limit::Cancelled))
            }
            None => Ok(()),
        }
    }

    fn out_of_steps(&self) -> Limit {
        Limit::Steps(self.limits.get().steps.unwrap_or(u64::MAX))
    }

    fn end(&self, limit: Limit) -> Box<Failure> {
        self.fuel.set(1);
        self.ended.set(Some(limit));
        Box::new(Failure::Limit(limit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many steps of this size a program may take.
    fn taken(limit: u64, size: usize) -> u64 {
        let meter = Meter::new();
        meter.limits.set(Limits { steps: Some(limit), ..Limits::default() });
        meter.begin();
        let step = || if size == 1 { meter.step() } else { meter.steps(size) };
        let taken = (0..u64::MAX).take_while(|_| step().is_ok()).count();
        assert!(step().is_err() && step().is_err(), "it is over for good");
        taken as u64 * size as u64
    }

    #[test]
    fn the_budget_is_kept_to_the_step() {
        for limit in [0, 1, 2, 100, u64::from(FUEL), u64::from(FUEL) + 1, 100_000] {
            assert_eq!(taken(limit, 1), limit);
            for size in [2, 7, 1000, 50_000] {
                let most = taken(limit, size);
                assert!(most <= limit && most + 2 * (size as u64) > limit, "{limit} steps by {size}: {most}");
            }
        }
    }

    #[test]
    fn cancelling_works_once() {
        let meter = Meter::new();
        meter.begin();
        assert!(meter.step().is_ok());
        meter.canceller.cancel();
        let steps = (0..=FUEL).take_while(|_| meter.step().is_ok()).count();
        assert!(steps <= FUEL as usize && !meter.canceller.is_pending());
        meter.begin();
        assert!((0..1000).all(|_| meter.step().is_ok()));
    }
}
