//! A history happens, to a heap and to the shadow at once.
//!
//! Between two collections the host holds plain objects, which borrow the heap (`Runner::stretch`); then the
//! heap is borrowed for the collection, everything is compared, and a new stretch begins. At the end of every
//! history all roots are given up, everything is finalized, and nothing may be left.

use std::cell::{Cell, RefCell};
use std::fmt;

use frazil::{Heap, Host, Pool};
use rustc_hash::FxHashSet;

use crate::coverage::{Coverage, Event};
use crate::graph::reach;
use crate::history::{Demand, History, Step};
use crate::judge::{Moment, Sighting};
use crate::log::Log;
use crate::plan::Act;
use crate::scene::{self, Audience, Scene};
use crate::shadow::{Age, Answer, Id, Shadow, Word};
use crate::subject::{self, Held, Outcome};
use crate::walk::walk;

/// Who judges the heap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judge {
    /// The shadow graph and the heap's own verifier.
    Both,
    /// The shadow graph alone.
    Shadow,
    /// The verifier alone. When the shadow notices something, the history ends there, as if nothing had
    /// happened: what follows would not be a history of a sound heap.
    Verifier,
}

/// What went wrong, and where in the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The index of the step; as many as there are steps: after the last one.
    pub step: usize,
    /// What differs, and which objects are involved.
    pub what: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at step {}: {}", self.step, self.what)
    }
}
impl std::error::Error for Failure {}

thread_local! {
    static STEP: Cell<usize> = const { Cell::new(0) };
    /// What the heaps of this thread take over from one another: a history is over before the system has mapped memory
    /// for another one.
    static POOL: RefCell<Pool> = RefCell::default();
}

/// The next heap on this thread gets fresh memory from the system. To be called after one that may have written where
/// it should not.
pub fn forget_memory() {
    POOL.take();
}

/// The step that the history running on this thread has come to: where it was if it panics.
pub fn step_reached() -> usize {
    STEP.get()
}

/// Runs `history` on a heap of host `H`.
///
/// # Errors
/// What the heap did wrong.
///
/// # Panics
/// The heap panicked; [`crate::campaign::attempt`] makes a failure of it.
pub fn run<H: Host>(history: &History, judge: Judge) -> Result<Coverage, Failure> {
    run_watched::<H>(history, judge, None, None)
}

/// The same, while `audience` is shown the heap after every step. After a collection that is before anybody
/// judges it, so that what is wrong can be seen. What happens is written to `log`.
///
/// # Errors
/// What the heap did wrong.
pub fn run_watched<H: Host>(
    history: &History,
    judge: Judge,
    audience: Audience<'_>,
    log: Option<&mut Log>,
) -> Result<Coverage, Failure> {
    STEP.set(0);
    let setup = &history.setup;
    let pool = POOL.with_borrow(Pool::clone);
    let result = Heap::<H>::branded_in(&pool, setup.config(), |heap| {
        let mut runner = Runner {
            heap,
            shadow: Shadow::new(setup.stack_words as usize),
            held: Held::default(),
            coverage: Coverage::default(),
            judge,
            audience,
            log,
            large: setup.block.get() / 2,
        };
        match runner.all(&history.steps) {
            Ok(()) => Ok(runner.coverage),
            Err(Stop::Unjudged) => Ok(runner.coverage),
            Err(Stop::Wrong(what)) => Err(Failure { step: step_reached(), what }),
        }
    });
    result.unwrap_or_else(|error| Err(Failure { step: 0, what: format!("no heap: {error}") }))
}

/// Why a history ends early.
enum Stop {
    /// The heap did something wrong.
    Wrong(String),
    /// It did, but the one who noticed was not asked ([`Judge::Verifier`]).
    Unjudged,
}

impl From<String> for Stop {
    fn from(what: String) -> Stop {
        Stop::Wrong(what)
    }
}

struct Runner<'id, 'a, 'l, H: Host> {
    heap: Heap<'id, H>,
    shadow: Shadow,
    held: Held<'id>,
    coverage: Coverage,
    judge: Judge,
    audience: Audience<'a>,
    log: Option<&'l mut Log>,
    /// Objects of more bytes are large.
    large: usize,
}

impl<H: Host> Runner<'_, '_, '_, H> {
    fn all(&mut self, steps: &[Step]) -> Result<(), Stop> {
        let mut next = 0;
        while next < steps.len() {
            next = self.stretch(steps, next)?;
            self.coverage.add(Event::Step, u64::from(next < steps.len()));
            match steps.get(next) {
                Some(Step::Collect(demand)) => self.collect(*demand)?,
                Some(Step::Drain { count }) => {
                    self.coverage.add(Event::Drained, u64::from(self.heap.waiting() > 0));
                    self.drain(*count as usize)?;
                }
                _ => {}
            }
            next += 1;
        }
        STEP.set(steps.len());
        self.finale()?;
        self.coverage.add(Event::History, 1);
        Ok(())
    }

    /// Performs steps from `next` up to the first one that borrows the heap, and says which that is.
    fn stretch(&mut self, steps: &[Step], mut next: usize) -> Result<usize, Stop> {
        let Runner { heap, shadow, held, coverage, judge, audience, log, large } = self;
        let shadow_judges = *judge != Judge::Verifier;
        let noticed = |what: String| if shadow_judges { Stop::Wrong(what) } else { Stop::Unjudged };
        let mut hand = walk(heap, held, shadow).map_err(noticed)?;
        let mut acts = Vec::new();
        while let Some(step) = steps.get(next) {
            STEP.set(next);
            match step {
                Step::Collect(Demand::IfDue) if !heap.should_collect() => {}
                Step::Collect(_) | Step::Drain { .. } => break,
                _ => shadow.plan(step, &mut acts),
            }
            for act in acts.drain(..) {
                let outcome = hand.perform(&act, held, shadow.next_id()).map_err(noticed)?;
                cover(&act, &outcome, shadow, *large, coverage);
                if let Some(log) = log {
                    log.outcome(&outcome);
                }
                let root = match outcome {
                    Outcome::Answer(Answer::NoMemory | Answer::Refused) => break,
                    Outcome::Answer(answer) => {
                        let expected = shadow.perform(&act);
                        if answer != expected {
                            return Err(noticed(format!(
                                "{act:?}: the answer is {answer:?}, not {expected:?}"
                            )));
                        }
                        None
                    }
                    Outcome::Upgraded(answer) => upgraded(shadow, &act, answer).map_err(noticed)?,
                    Outcome::Taken(answer) => taken(shadow, &act, answer).map_err(noticed)?,
                };
                if let Some(id) = root {
                    let act = Act::Root { value: Word::Object(id) };
                    hand.perform(&act, held, shadow.next_id()).map_err(noticed)?;
                    shadow.perform(&act);
                }
            }
            coverage.add(Event::Step, 1);
            show(heap, shadow, audience, None);
            next += 1;
        }
        Ok(next)
    }

    fn collect(&mut self, demand: Demand) -> Result<(), Stop> {
        let moment = subject::collect(&mut self.heap, demand, &mut self.coverage)?;
        show(&self.heap, &self.shadow, &mut self.audience, Some(moment));
        // In its checking mode the heap has called the verifier itself.
        if self.judge != Judge::Shadow && !self.heap.config().check {
            self.heap.verify().map_err(|violation| format!("the verifier says: {violation}"))?;
        }
        self.look(moment)
    }

    fn drain(&mut self, count: usize) -> Result<(), Stop> {
        let left = self.heap.drain(count);
        show(&self.heap, &self.shadow, &mut self.audience, None);
        if left != self.heap.waiting() {
            return Err(format!("the drain leaves {left}, but {} wait", self.heap.waiting()).into());
        }
        self.look(Moment::Between)
    }

    /// Collects, and drains what has been left waiting.
    fn collect_all(&mut self) -> Result<(), Stop> {
        self.collect(Demand::Complete)?;
        if self.heap.waiting() > 0 { self.drain(usize::MAX) } else { Ok(()) }
    }

    /// Compares the heap and the shadow.
    fn look(&mut self, moment: Moment) -> Result<(), Stop> {
        let looked = self.compare(moment);
        looked.map_err(|what| if self.judge == Judge::Verifier { Stop::Unjudged } else { Stop::Wrong(what) })
    }

    fn compare(&mut self, moment: Moment) -> Result<(), String> {
        let sightings = subject::sightings(&mut self.heap)?;
        let many = |id: Id| self.shadow.nodes.get(id.index()).map_or(0, |node| node.refs.len());
        let partly = |seen: &&Sighting| seen.waiting && seen.released > 0 && seen.released < many(seen.id);
        self.coverage.add(Event::Partly, sightings.iter().filter(partly).count() as u64);
        let floating = self.shadow.judge(&sightings, moment)?;
        if let Some(log) = &mut self.log {
            log.heap(step_reached(), moment, sightings, &self.shadow);
        }
        if moment == Moment::Short {
            self.coverage.add(Event::Floating, floating as u64);
        }
        if moment == Moment::Between {
            return Ok(());
        }
        for (weak, model) in self.held.weaks.iter().zip(&self.shadow.weaks) {
            let target = self.shadow.node(model.target);
            // The others are asked by the steps of the history: asking keeps an object alive.
            let gone = model.cleared || target.age == Age::Dead || target.waiting;
            if gone && self.heap.upgrade(weak).is_some() {
                let target = self.shadow.describe(model.target);
                return Err(format!("a weak reference still leads to {target}, which is dead"));
            }
        }
        Ok(())
    }

    /// Everything is given up, and everything must go, but for what lost handles hold.
    fn finale(&mut self) -> Result<(), Stop> {
        self.collect_all()?;
        self.heap.stack_truncate(0);
        self.shadow.stack.clear();
        for handle in self.held.handles.drain(..) {
            self.heap.unroot(handle);
        }
        self.shadow.handles.clear();
        self.collect_all()?;
        self.finalize_all()?;
        self.collect(Demand::Complete)?;
        let kinds = self.shadow.nodes.iter().map(|node| (node.kind, node.kind.bytes(node.len).div_ceil(16)));
        // One for each size; two, for what is promoted when it is frozen goes elsewhere.
        let begun = 2 * kinds.collect::<FxHashSet<_>>().len();
        Ok(subject::leaks(&self.heap, begun)?)
    }

    /// Takes what has died until there is nothing more to take.
    fn finalize_all(&mut self) -> Result<(), Stop> {
        // Each round hands out at least one of those that have died; what lost handles hold never does.
        for _ in 0..=self.shadow.mourned.len() {
            let held = reach(&self.shadow.nodes, self.shadow.roots());
            let Some(late) = self.shadow.mourned.iter().map(|late| late.object).find(|&id| !held.has(id))
            else {
                return Ok(());
            };
            let before = self.shadow.mourned.len();
            self.stretch(&vec![Step::Take { root: false }; before + 1], 0)?;
            if self.shadow.mourned.len() == before {
                return Err(format!("{} has died and was not handed out", self.shadow.describe(late)).into());
            }
            self.collect_all()?;
        }
        Ok(())
    }
}

/// Shows the heap to the audience, if there is one.
fn show<H: Host>(
    heap: &Heap<'_, H>,
    shadow: &Shadow,
    audience: &mut Audience<'_>,
    collected: Option<Moment>,
) {
    if let Some(audience) = audience {
        audience(&Scene { step: step_reached(), collected, objects: scene::objects(heap, shadow) });
    }
}

fn upgraded(shadow: &mut Shadow, act: &Act, answer: Option<Id>) -> Result<Option<Id>, String> {
    let Act::Upgrade { weak, root } = *act else { return Ok(None) };
    shadow.upgraded(weak, answer).map_err(|wrong| format!("weak reference {weak}: {wrong}"))?;
    Ok(answer.filter(|_| root))
}

fn taken(shadow: &mut Shadow, act: &Act, answer: Option<(Id, u64)>) -> Result<Option<Id>, String> {
    let Act::Take { root } = *act else { return Ok(None) };
    shadow.taken(answer).map_err(|wrong| format!("the finalizer queue: {wrong}"))?;
    Ok(answer.map(|(id, _)| id).filter(|_| root))
}

/// Counts what an act has brought about.
fn cover(act: &Act, outcome: &Outcome, shadow: &Shadow, large: usize, coverage: &mut Coverage) {
    coverage.add(Event::Act, 1);
    match (act, outcome) {
        (_, Outcome::Answer(Answer::NoMemory)) => coverage.add(Event::Refused, 1),
        (_, Outcome::Answer(Answer::Refused)) => coverage.add(Event::SystemRefused, 1),
        (_, Outcome::Answer(Answer::Frozen)) => coverage.add(Event::Frozen, 1),
        (_, Outcome::Answer(Answer::Guarded)) => coverage.add(Event::Guarded, 1),
        (_, Outcome::Answer(Answer::StackFull)) => coverage.add(Event::StackFull, 1),
        (Act::Make { kind, len, .. }, _) => {
            let bytes = kind.bytes(*len);
            coverage.add(Event::Large, u64::from(bytes > large));
            coverage.add(Event::Huge, u64::from(bytes > 1 << 20));
        }
        (Act::Freeze { object }, _) if shadow.node(*object).mutable => match shadow.node(*object).age {
            Age::Young => coverage.add(Event::FrozenYoung, 1),
            _ => coverage.add(Event::FrozenOld, 1),
        },
        (Act::Forget { .. }, _) => coverage.add(Event::Forgotten, 1),
        (_, Outcome::Upgraded(Some(id))) if !shadow.node(*id).reached => coverage.add(Event::WeakRevived, 1),
        (_, Outcome::Taken(Some(_))) => coverage.add(Event::Finalized, 1),
        _ => {}
    }
}
