//! A machine among others: values that come from other heaps and go there, units of work, and the end of a helper.

use std::ops::Range;
use std::sync::Arc;

use frazil::{Estate, Request, ShareError, Shared};

use crate::code::{Code, LoadSite};
use crate::cx::Cx;
use crate::data::list;
use crate::failure::{Failure, Res};
use crate::guard::guarded;
use crate::limits::Limits;
use crate::parallel::{Arranged, Event, Fault, Graph, Record, Seat, Team, Unit};
use crate::program::Exports;
use crate::value::{Tagging, Value};

use super::{Loaded, Machine, cannot_load, keep, while_loading};
use crate::machine::ensure_window;

/// What a machine leaves behind when its thread ends.
pub(crate) struct Legacy {
    estate: Estate<Tagging>,
    /// The programs whose functions live: the numbers of their codes, and their tokens.
    programs: Vec<(Range<usize>, Shared<Tagging>)>,
}

/// Why a value is not for others.
pub(crate) enum Kept {
    /// Something mutable is in it.
    Shared(ShareError),
    /// There was no memory.
    Failed(Box<Failure>),
}

/// What a unit came to, beside its result.
pub(crate) struct Done {
    /// What the host is to be told.
    pub record: Record,
    /// The steps that it took.
    pub steps: u64,
}

impl Machine {
    /// The team of this machine, if it has one.
    pub(crate) fn team(&self) -> Option<&Arc<Team>> {
        self.seat.as_ref().map(|seat| &seat.team)
    }

    /// The place in its team.
    pub(crate) fn seat_mut(&mut self) -> Option<&mut Seat> {
        self.seat.as_mut()
    }

    /// Learns the code of all functions that there are: before something is imported.
    pub(crate) fn catch_up(&mut self) {
        if let Some(seat) = &mut self.seat {
            seat.team.book.catch_up(&mut seat.seen, &mut self.host.codes);
            self.active.resize_with(self.host.codes.len(), Default::default);
        }
    }

    /// A handle for a value that all machines of the team may have; `find` says which one. It may collect.
    pub(crate) fn share(
        &mut self,
        first: Request,
        find: impl for<'s> Fn(Cx<'s>) -> Value<'s>,
    ) -> Result<Shared<Tagging>, Kept> {
        match self.heap.share_settled(find(self.cx())) {
            Err(ShareError::Unsettled) => self.share_fresh(first, find),
            result => result.map_err(Kept::Shared),
        }
    }

    /// The same for what is known to be frozen, and not to be settled yet: it does not look for anything mutable in vain.
    pub(crate) fn share_fresh(
        &mut self,
        first: Request,
        find: impl for<'s> Fn(Cx<'s>) -> Value<'s>,
    ) -> Result<Shared<Tagging>, Kept> {
        self.collect(first).map_err(|error| Kept::Failed(error.into()))?;
        match self.heap.share_settled(find(self.cx())) {
            Err(ShareError::Unsettled) if first != Request::Complete => {
                self.share_fresh(Request::Complete, find)
            }
            result => result.map_err(Kept::Shared),
        }
    }

    /// Could all machines of the team have a value?
    pub(crate) fn could_share(&self, find: impl for<'s> Fn(Cx<'s>) -> Value<'s>) -> Result<(), Kept> {
        match self.heap.share_settled(find(self.cx())) {
            Ok(_) | Err(ShareError::Unsettled) => Ok(()),
            Err(error) => Err(Kept::Shared(error)),
        }
    }

    /// Puts what `make` makes of a value that another machine has shared in a word of the root stack.
    pub(crate) fn import_to(
        &mut self,
        at: usize,
        shared: &Shared<Tagging>,
        make: impl for<'s> Fn(Cx<'s>, Value<'s>) -> Res<Value<'s>>,
    ) -> Res<()> {
        self.catch_up();
        let import = |machine: &Machine| -> Res<()> {
            let made = make(machine.cx(), machine.heap.import(shared.clone()))?;
            machine.slot(at).set(made);
            Ok(())
        };
        self.with_room(|machine| import(machine))
    }

    /// Keeps the globals of a module that another machine has evaluated.
    pub(crate) fn import_module(&mut self, key: &str, cells: &Shared<Tagging>, exports: Exports) -> Res<()> {
        self.catch_up();
        let cx = Cx::new(&self.heap, &self.host);
        let kept = keep(cx, &mut self.modules.free, self.heap.import(cells.clone()))?;
        if let Some(Some(before)) = self.modules.loaded.insert(key.to_owned(), Some(Loaded { kept, exports }))
        {
            self.release(before.kept);
        }
        Ok(())
    }

    /// Is there a module with this key, which has been evaluated?
    pub(crate) fn has_module(&self, key: &str) -> bool {
        matches!(self.modules.loaded.get(key), Some(Some(_)))
    }

    /// All such modules: their keys, what they export, and where their globals are among the kept values.
    pub(crate) fn loaded_modules(&self) -> Vec<(String, Exports, usize)> {
        let loaded = self.modules.loaded.iter();
        let whole = loaded.filter_map(|(key, loaded)| {
            let loaded = loaded.as_ref()?;
            Some((key.clone(), Arc::clone(&loaded.exports), loaded.kept))
        });
        whole.collect()
    }

    /// Where the globals of a module are among the kept values.
    pub(crate) fn kept_of(&self, key: &str) -> Option<usize> {
        Some(self.modules.loaded.get(key)?.as_ref()?.kept)
    }

    /// A `load` statement of which is known what comes of it. Gives the key of the module.
    pub(super) fn load_arranged(&mut self, arranged: Arranged, code: &Code, site: &LoadSite) -> Res<String> {
        let fault = match arranged {
            Arranged::Module(key, number) => {
                self.reach(number)?;
                return Ok(key);
            }
            Arranged::Failed(number, fault) => {
                self.reach(number)?;
                fault
            }
            Arranged::Refused(fault) => fault,
        };
        Err(match fault {
            Fault::Unread(error) => cannot_load(site, &error),
            Fault::Panicked(error) => Box::new(Failure::Host(None, error)),
            Fault::Wrong(errors) => {
                let mut error = while_loading(errors, code, site);
                // Whoever evaluated the module did not know who loads it.
                if !error.frames.is_empty() {
                    error.frames.splice(0..0, self.call_stack());
                }
                Box::new(Failure::Placed(Box::new(error)))
            }
        })
    }

    /// What a module has had the host told belongs here.
    fn reach(&mut self, module: usize) -> Res<()> {
        if let Some(record) = &mut *self.host.recorded.borrow_mut() {
            record.push(Event::Load(module));
            return Ok(());
        }
        match self.modules.graph.clone() {
            Some(graph) => graph.replay(self, module),
            None => Ok(()),
        }
    }

    /// Runs something as a unit of its own: with a count of steps, calls and a record of its own.
    pub(crate) fn in_unit<R>(
        &mut self,
        unit: Arc<Unit>,
        limits: Limits,
        steps: u64,
        run: impl FnOnce(&mut Machine) -> R,
    ) -> (R, Done) {
        let before = self.host.meter.begin_unit(unit, limits, steps);
        let outer = self.host.recorded.replace(Some(Record::new()));
        let first_call = self.host.first_call.replace(self.frames.len());
        let result = run(self);
        self.host.first_call.set(first_call);
        let record = self.host.recorded.replace(outer).unwrap_or_default();
        let steps = self.host.meter.end_unit(before, steps);
        (result, Done { record, steps })
    }

    /// Runs something that ends when the unit is called off: without a count or a record of its own.
    pub(crate) fn under<R>(&mut self, unit: &Arc<Unit>, run: impl FnOnce(&mut Machine) -> R) -> R {
        let before = self.host.meter.set_unit(Some(Arc::clone(unit)));
        let result = run(self);
        self.host.meter.set_unit(before);
        result
    }

    /// The program was cancelled, as another thread has seen: it goes no further, whoever swallows the error.
    pub(crate) fn note_cancelled(&self) {
        self.host.meter.note_cancelled();
    }

    /// Tells the host what was recorded, or adds it to what is being recorded.
    ///
    /// # Errors
    /// The host has panicked.
    pub(crate) fn tell(&self, record: Record) -> Res<()> {
        match &mut *self.host.recorded.borrow_mut() {
            Some(recorded) => {
                recorded.extend(record);
                Ok(())
            }
            None => guarded(|| {
                record.into_iter().for_each(|event| event.tell(&self.host));
                Ok(())
            }),
        }
    }

    /// What a unit within the running one gets: the limits, and the steps that are left. And the running one.
    pub(crate) fn unit_around(&self) -> (Limits, u64, Option<Arc<Unit>>) {
        let meter = &self.host.meter;
        (meter.limits.get(), meter.remaining(), meter.unit())
    }

    /// The numbers of the codes whose calls are active here, or were when a helper began.
    pub(crate) fn active_codes(&self) -> Vec<u32> {
        let outer = self.seat.iter().flat_map(|seat| seat.around.iter().copied());
        outer.chain(self.frames.iter().map(|frame| frame.code)).collect()
    }

    /// How many calls are active.
    pub(crate) fn depth(&self) -> usize {
        self.frames.len()
    }

    /// How many functions that call back have called each other, and which one does so now.
    pub(crate) fn rounds(&self) -> (usize, Option<u32>) {
        (self.rounds, self.running)
    }

    /// For a helper: works as a function that calls back would do, called from calls of the codes `around`. There are `words`
    /// words of the root stack to work with.
    pub(crate) fn as_if_called<R>(
        &mut self,
        around: &[u32],
        (rounds, running): (usize, Option<u32>),
        words: usize,
        run: impl FnOnce(&mut Machine, usize) -> R,
    ) -> R {
        self.catch_up();
        let count = |machine: &Machine, change: u32| {
            for &code in around {
                let calls = &machine.active[code as usize];
                calls.set(calls.get().wrapping_add(change));
            }
        };
        count(self, 1);
        let base = self.top();
        let fits = ensure_window(&self.heap, base);
        debug_assert!(fits, "a helper that does nothing has an empty stack");
        for at in base..base + words {
            self.slot(at).set(Value::EMPTY);
        }
        let seat = self.seat.as_mut().map(|seat| std::mem::replace(&mut seat.around, around.to_vec()));
        let reserved = std::mem::replace(&mut self.reserved, base + words);
        let before =
            (std::mem::replace(&mut self.rounds, rounds), std::mem::replace(&mut self.running, running));
        let result = run(self, base);
        (self.rounds, self.running) = before;
        self.reserved = reserved;
        if let (Some(seat), Some(before)) = (&mut self.seat, seat) {
            seat.around = before;
        }
        count(self, 1u32.wrapping_neg());
        result
    }

    /// Ends a helper: gives out what others hold of its heap.
    pub(crate) fn end(self) -> Legacy {
        let Machine { mut heap, mut host, mut modules, .. } = self;
        host.handles.release(&heap);
        heap.stack_truncate(0);
        heap.collect(Request::Complete);
        modules.installed.sweep(&heap, &mut host.codes, &modules.spent);
        let living = modules.installed.living(&heap).into_iter();
        let programs =
            living.filter_map(|(codes, token)| Some((codes, heap.share_settled(token.into()).ok()?)));
        let programs = programs.collect();
        Legacy { estate: heap.end(), programs }
    }

    /// Takes over what a helper has left: as if everything had happened in this machine.
    pub(crate) fn inherit(&mut self, legacy: Legacy) {
        self.catch_up();
        self.heap.adopt(legacy.estate);
        for (codes, token) in legacy.programs {
            if let Some(token) = self.heap.import(token).object() {
                self.modules.installed.inherit(&self.heap, codes, token);
            }
        }
    }

    /// The outermost call is over: helpers go.
    pub(in crate::machine) fn rest(&mut self) {
        if self.frames.is_empty() && self.rounds == 0 && self.inside == 0 {
            self.dismiss();
        }
    }

    /// Ends the helpers of this machine, and takes over what they leave.
    pub(crate) fn dismiss(&mut self) {
        let Some(seat) = self.seat.as_mut().filter(|seat| !seat.is_busy && seat.has_helpers()) else {
            return;
        };
        for legacy in seat.dismiss() {
            self.inherit(legacy);
        }
    }

    /// Predeclares what another machine has predeclared.
    pub(crate) fn predeclare_shared(&mut self, name: &str, value: &Shared<Tagging>) -> Res<()> {
        self.catch_up();
        let cx = Cx::new(&self.heap, &self.host);
        let kept = keep(cx, &mut self.modules.free, self.heap.import(value.clone()))?;
        self.set_predeclared(name, kept);
        Ok(())
    }

    /// The names that are predeclared, and where their values are among the kept values.
    pub(crate) fn predeclared(&self) -> Vec<(String, usize)> {
        self.modules.predeclared.iter().map(|(name, &kept)| (name.clone(), kept)).collect()
    }

    /// What the `load` statements of the module come to that runs next.
    pub(crate) fn arrange(&mut self, arranged: Option<Vec<Arranged>>) {
        self.modules.arranged = arranged;
    }

    /// What tells the host of modules that have been evaluated before.
    pub(crate) fn set_graph(&mut self, graph: Option<Arc<Graph>>) {
        self.modules.graph = graph;
    }

    /// What programs may use.
    pub(crate) fn limits(&self) -> Limits {
        self.host.meter.limits.get()
    }

    /// The program takes the steps that others took for it.
    ///
    /// # Errors
    /// It may not take so many.
    pub(crate) fn charge(&self, steps: u64) -> Res<()> {
        self.host.meter.charge(steps)
    }

    /// Has the embedding program put values of its own types in this heap?
    pub(crate) fn has_residents(&self) -> bool {
        self.host.residents.len() > 0
    }
}

/// The value at a place among the kept ones.
pub(crate) fn kept_value<'s>(cx: Cx<'s>, kept: usize) -> Value<'s> {
    super::kept_list(cx).map_or(Value::EMPTY, |values| list::get(values, kept))
}
