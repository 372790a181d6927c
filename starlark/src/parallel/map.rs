//! `parallel_map(f, xs)`: what `[f(x) for x in xs]` gives, on all threads.
//!
//! Whoever has time takes the next element; the caller takes part, so that there is always somebody who goes on, however
//! such calls are nested. Every element is a unit of its own: it may take the steps that the caller had left, what it
//! prints is told in the order of the elements, and of several errors that of the first element counts.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use frazil::{Request, Shared};

use crate::cx::Cx;
use crate::data::{iter, list};
use crate::failure::{Failure, Res, fail};
use crate::host::{Args, Call, Prepared};
use crate::limits::{Limit, Limits};
use crate::machine::{Done, Kept, Machine};
use crate::syntax::diagnostics::Cause;
use crate::value::{Kind, Tagging, Value, ValueExt, none};

use super::refuse;
use super::team::{Team, Work};
use super::unit::Unit;

/// The name of the function.
pub(crate) const MAP: &str = "parallel_map";

/// Places in its state.
const GIVEN: usize = 0;
const RESULTS: usize = 1;
/// Places in what is given.
const FUNCTION: usize = 0;
const ITEMS: usize = 1;

/// How it is called.
pub(crate) fn map_call() -> Call {
    Call::Halves { prepare, run }
}

fn prepare<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Prepared<'s>> {
    let [function, items] = args.bind(["f", "xs"])?;
    let (function, items) = (function.unwrap_or(Value::EMPTY), items.unwrap_or(Value::EMPTY));
    if !matches!(function.kind(), Kind::Function | Kind::Builtin | Kind::Bound) {
        fail!("for parameter f: got {}, want callable", function.type_name());
    }
    let items = iter::collect(cx, items, "xs")?;
    let results = list::of(cx, &vec![none(); items.len()])?;
    let given = cx.tuple(&[function, cx.tuple(&items)?])?;
    Ok(Prepared::Call(cx.tuple(&[given, results])?))
}

fn part<'s>(state: Value<'s>, place: usize) -> Value<'s> {
    state.object().map_or(Value::EMPTY, |state| state.get(place))
}

/// What the elements have in common.
struct Map {
    team: Arc<Team>,
    /// The function and the elements, if there are helpers.
    given: Option<Shared<Tagging>>,
    unit: Arc<Unit>,
    limits: Limits,
    /// How many steps the caller had left.
    steps: u64,
    /// How many calls were active.
    depth: usize,
    around: Vec<u32>,
    rounds: (usize, Option<u32>),
    progress: Mutex<Progress>,
}

#[derive(Default)]
struct Progress {
    next: usize,
    /// Elements from here on are not wanted: one before them has failed.
    end: usize,
    /// By element.
    outcomes: Vec<Option<Outcome>>,
    /// Up to here all elements are done, and these are the steps that they took.
    known: usize,
    known_steps: u64,
    /// The elements that are being worked on.
    running: Vec<(usize, Arc<Unit>)>,
    helpers: usize,
    /// What helpers have made: a tuple of results, and of which elements these are.
    parts: Vec<(Shared<Tagging>, Vec<usize>)>,
}

struct Outcome {
    done: Done,
    error: Option<Box<Failure>>,
}

/// Has somebody asked for all of it to end?
fn is_cancelled(failure: &Failure) -> bool {
    match failure {
        Failure::Limit(limit) => *limit == Limit::Cancelled,
        Failure::Placed(error) => matches!(error.cause, Cause::Limit(Limit::Cancelled)),
        _ => false,
    }
}

impl Progress {
    /// An element is over. If it is known now that no element from some place on is wanted, they are called off.
    fn note(&mut self, element: usize, outcome: Outcome, steps: u64) {
        self.running.retain(|&(running, _)| running != element);
        if outcome.error.is_some() {
            self.end = self.end.min(element + 1);
        }
        self.outcomes[element] = Some(outcome);
        while let Some(Some(outcome)) = self.outcomes.get(self.known) {
            self.known_steps = self.known_steps.saturating_add(outcome.done.steps);
            self.known += 1;
            if self.known_steps > steps {
                self.end = self.end.min(self.known);
            }
        }
        let unwanted = self.running.iter().filter(|(running, _)| *running >= self.end);
        unwanted.for_each(|(_, unit)| unit.call_off());
    }
}

impl Map {
    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Option<(usize, Arc<Unit>)> {
        let mut progress = self.progress();
        if progress.next >= progress.end {
            return None;
        }
        let (element, unit) = (progress.next, Unit::within(Some(&self.unit)));
        progress.next += 1;
        progress.running.push((element, Arc::clone(&unit)));
        Some((element, unit))
    }

    /// Works on elements until there are none, with the state in the word of the root stack at `slot`. Says of which
    /// elements the results are there.
    fn work(&self, machine: &mut Machine, slot: usize, limits: Limits) -> Vec<usize> {
        let mut made = Vec::new();
        while let Some((element, unit)) = self.take() {
            let (outcome, done) =
                machine.in_unit(unit, limits, self.steps, |machine| call(machine, slot, element));
            let error = outcome.err();
            match &error {
                None => made.push(element),
                // If it was not called off because of another element, it is over for all of them.
                Some(error) if is_cancelled(error) && element < self.progress().end => self.unit.call_off(),
                Some(_) => {}
            }
            self.progress().note(element, Outcome { done, error }, self.steps);
        }
        made
    }

    /// What a helper does.
    fn help(&self, machine: &mut Machine, slot: usize) {
        let Some(given) = &self.given else { return };
        let limits = Limits { calls: self.limits.calls.saturating_sub(self.depth), ..self.limits };
        let state = self.state(machine, given, slot);
        let made = match state {
            Ok(()) => self.work(machine, slot, limits),
            // Others do the work.
            Err(_) => return,
        };
        if made.is_empty() {
            return;
        }
        let shared = gather(machine, slot, &made).and_then(|()| {
            machine.share(Request::Auto, |cx| cx.slot(slot).get()).map_err(|kept| match kept {
                Kept::Failed(failure) => failure,
                Kept::Shared(error) => Failure::new(error.to_string()),
            })
        });
        let mut progress = self.progress();
        match shared {
            Ok(results) => progress.parts.push((results, made)),
            Err(failure) => {
                // One of them has to tell.
                if let Some(Some(outcome)) = made.first().map(|&element| &mut progress.outcomes[element]) {
                    outcome.error.get_or_insert(failure);
                }
            }
        }
    }

    /// The state of a helper, which is like that of the caller.
    fn state(&self, machine: &mut Machine, given: &Shared<Tagging>, slot: usize) -> Res<()> {
        let count = self.progress().outcomes.len();
        machine.import_to(slot, given, |cx, given| cx.tuple(&[given, list::of(cx, &vec![none(); count])?]))
    }

    /// Puts together what everybody has made: the result is in the word at `slot`.
    fn finish(&self, machine: &mut Machine, slot: usize) -> Res<()> {
        let mut progress = std::mem::take(&mut *self.progress());
        let (mut steps, mut error) = (0u64, None);
        for outcome in progress.outcomes.drain(..) {
            let Some(outcome) = outcome else { fail!("a helper is gone") };
            machine.tell(outcome.done.record)?;
            steps = steps.saturating_add(outcome.done.steps);
            error = outcome.error;
            if error.is_some() || steps > self.steps {
                break;
            }
        }
        machine.charge(steps)?;
        if let Some(mut failure) = error {
            if is_cancelled(&failure) {
                machine.note_cancelled();
            }
            if let Failure::Placed(error) = &mut *failure {
                error.frames.splice(0..0, machine.call_stack());
            }
            return Err(failure);
        }
        for (results, elements) in &progress.parts {
            machine.import_to(slot, results, |cx, results| {
                let state = cx.slot(slot).get();
                for (at, &element) in elements.iter().enumerate() {
                    put(cx, part(state, RESULTS), element, part(results, at))?;
                }
                Ok(state)
            })?;
        }
        machine.with(slot, |_, slot| slot.set(part(slot.get(), RESULTS)));
        Ok(())
    }
}

impl Work for Map {
    fn turn(self: Arc<Self>, machine: &mut Machine) {
        {
            let mut progress = self.progress();
            if progress.next >= progress.end {
                return;
            }
            progress.helpers += 1;
        }
        let leaving = Leaving(&self);
        let Map { around, rounds, .. } = &*self;
        machine.as_if_called(around, *rounds, 1, |machine, slot| self.help(machine, slot));
        drop(leaving);
    }
}

/// A helper that works on elements, until it is dropped.
struct Leaving<'m>(&'m Map);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.progress().helpers -= 1;
        self.0.team.notify();
    }
}

fn put<'s>(cx: Cx<'s>, results: Value<'s>, element: usize, result: Value<'s>) -> Res<()> {
    match results.object() {
        Some(results) => list::set(cx, results, element, result),
        None => fail!("the results are lost"),
    }
}

/// Calls the function for an element, and keeps the result, frozen.
fn call(machine: &mut Machine, slot: usize, element: usize) -> Res<()> {
    let at = machine.call(|cx, arguments| {
        let given = part(cx.slot(slot).get(), GIVEN);
        arguments.push(part(part(given, ITEMS), element));
        Ok(part(given, FUNCTION))
    })?;
    let cx = machine.cx();
    let result = cx.slot(at).get();
    cx.freeze(result);
    if machine.has_residents()
        && let Some(way) = refuse::host_value(cx, result)
    {
        fail!("the result for element {element} cannot be shared: {way}");
    }
    put(cx, part(cx.slot(slot).get(), RESULTS), element, result)
}

/// Puts a tuple of the results of these elements in the word at `slot`.
fn gather(machine: &mut Machine, slot: usize, made: &[usize]) -> Res<()> {
    machine.with_room(|machine| {
        machine.with(slot, |cx, slot| {
            let Some(results) = part(slot.get(), RESULTS).object() else { return Ok(()) };
            let values: Vec<Value<'_>> = made.iter().map(|&element| list::get(results, element)).collect();
            slot.set(cx.tuple(&values)?);
            Ok(())
        })
    })
}

/// The second half.
fn run(machine: &mut Machine, slot: usize) -> Res<()> {
    let Some(team) = machine.team().cloned() else { fail!("this engine has no heap that can be shared") };
    let given = share(machine, &team, slot)?;
    let count = machine.with(slot, |_, slot| {
        part(part(slot.get(), GIVEN), ITEMS).object().map_or(0, |items| items.reference_count())
    });
    let (limits, steps, around) = machine.unit_around();
    let map = Arc::new(Map {
        team: Arc::clone(&team),
        unit: Unit::within(around.as_ref()),
        limits,
        steps,
        depth: machine.depth(),
        around: machine.active_codes(),
        rounds: machine.rounds(),
        progress: Mutex::new(Progress {
            end: count,
            outcomes: std::iter::repeat_with(|| None).take(count).collect(),
            ..Progress::default()
        }),
        given,
    });
    let offer = map.given.as_ref().map(|_| {
        if let Some(seat) = machine.seat_mut() {
            seat.gather();
        }
        team.offer(Arc::clone(&map) as Arc<dyn Work>, team.helpers().min(count - 1))
    });
    map.work(machine, slot, limits);
    if let Some(offer) = offer {
        team.withdraw(offer);
        team.wait(|| map.progress().helpers == 0);
    }
    map.finish(machine, slot)
}

/// What is given, for the helpers if there are any.
///
/// # Errors
/// There is something that cannot be shared.
fn share(machine: &mut Machine, team: &Team, slot: usize) -> Res<Option<Shared<Tagging>>> {
    if machine.has_residents()
        && let Some(way) = refuse::host_value(machine.cx(), part(machine.slot(slot).get(), GIVEN))
    {
        fail!("the arguments cannot be shared: {way}");
    }
    let is_alone = machine.with(slot, |_, slot| {
        let items = part(part(slot.get(), GIVEN), ITEMS).object();
        team.helpers() == 0 || items.is_none_or(|items| items.reference_count() < 2)
    });
    let shared = if is_alone {
        // All that is asked is whether it could be shared.
        machine.could_share(|cx| part(cx.slot(slot).get(), GIVEN)).map(|()| None)
    } else {
        machine.share(Request::Auto, |cx| part(cx.slot(slot).get(), GIVEN)).map(Some)
    };
    shared.map_err(|kept| match kept {
        Kept::Failed(failure) => failure,
        Kept::Shared(error) => {
            let cx = machine.cx();
            Failure::new(refuse::reason(cx, part(cx.slot(slot).get(), GIVEN), &error))
        }
    })
}
