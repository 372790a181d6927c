//! Carrying out a plan: modules are read, evaluated and shared by whoever has time, and what they print is printed as if they
//! had been loaded one after the other.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use frazil::{Request, Shared};

use crate::failure::{Failure, Help, Res};
use crate::guard::guarded;
use crate::limits::{Limit, Limits};
use crate::machine::{Done, Kept, Machine, kept_value};
use crate::program::Program;
use crate::syntax::diagnostics::Cause;
use crate::syntax::{Diagnostic, SourceFile, Span};
use crate::value::Tagging;

use super::plan::{Fault, Finished, Plan, Task};
use super::record::Event;
use super::refuse;
use super::team::{OfferNumber, Team, Work};
use super::unit::Unit;

/// A load graph that is being evaluated.
pub(crate) struct Graph {
    team: Arc<Team>,
    plan: Mutex<Plan>,
    offer: OnceLock<OfferNumber>,
    /// The texts of modules that have been given, by key.
    texts: HashMap<String, SourceFile>,
    /// Modules that were there before, by key.
    before: HashMap<String, Result<Finished, Fault>>,
    predeclared: Vec<(String, Shared<Tagging>)>,
    limits: Limits,
    unit: Arc<Unit>,
    /// The modules of which the host has been told.
    told: Mutex<Vec<usize>>,
}

impl Work for Graph {
    fn turn(self: Arc<Self>, machine: &mut Machine) {
        // If there is no memory for it, somebody else does the work.
        if self.dress(machine).is_ok() {
            self.work(machine, false);
        }
    }
}

impl Graph {
    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the plan, and tells everybody.
    fn change<R>(&self, change: impl FnOnce(&mut Plan) -> R) -> R {
        let mut plan = self.plan();
        let before = plan.open_tasks();
        let result = change(&mut plan);
        let turns = plan.open_tasks().saturating_sub(before);
        drop(plan);
        if let Some(&offer) = self.offer.get() {
            self.team.announce(offer, turns);
        }
        result
    }

    /// Gives a helper the names that modules may use.
    fn dress(&self, machine: &mut Machine) -> Res<()> {
        if machine.seat_mut().is_some_and(|seat| !seat.is_helper() || seat.is_dressed) {
            return Ok(());
        }
        for (name, value) in &self.predeclared {
            machine.predeclare_shared(name, value)?;
        }
        if let Some(seat) = machine.seat_mut() {
            seat.is_dressed = true;
        }
        Ok(())
    }

    /// Does one task, and says whether there was one.
    fn work(self: &Arc<Self>, machine: &mut Machine, is_own: bool) -> bool {
        let task = self.plan().take(is_own);
        match task {
            None => return false,
            Some(Task::Read(number)) => self.read(machine, number),
            Some(Task::Evaluate(number)) => self.evaluate(machine, number),
        }
        true
    }

    fn read(&self, machine: &Machine, number: usize) {
        let key = self.plan().key(number).to_owned();
        if let Some(before) = self.before.get(&key).filter(|_| !self.texts.contains_key(&key)) {
            return match before.clone() {
                Ok(finished) => self.change(|plan| plan.known(number, finished)),
                Err(fault) => self.change(|plan| plan.not_read(number, fault)),
            };
        }
        match self.analyse(machine, &key) {
            Err(fault) => self.change(|plan| plan.not_read(number, fault)),
            Ok(program) => {
                let loads = self.resolve(&program);
                self.change(|plan| plan.read(number, program, loads));
            }
        }
    }

    fn analyse(&self, machine: &Machine, key: &str) -> Result<Program, Fault> {
        let source = match self.texts.get(key) {
            Some(source) => source.clone(),
            None => SourceFile::new(key, self.ask(|loader| loader.read(key))?),
        };
        machine.compile(&source).map_err(Fault::Wrong)
    }

    /// The keys of the modules that a program loads.
    fn resolve(&self, program: &Program) -> Vec<Result<String, Fault>> {
        let Some(toplevel) = program.0.codes.last() else { return Vec::new() };
        let sites = toplevel.loads.iter();
        sites.map(|site| self.ask(|loader| loader.resolve(&site.module, toplevel.file.name()))).collect()
    }

    /// Asks the loader for something.
    fn ask(&self, ask: impl FnOnce(&dyn crate::Loader) -> Result<String, String>) -> Result<String, Fault> {
        let Some(recipe) = &self.team.recipe else {
            return Err(Fault::Unread("this interpreter loads no modules".to_owned()));
        };
        let outcome = guarded(|| ask(&*recipe.loader).map_err(Failure::new));
        outcome.map_err(|failure| match *failure {
            Failure::Host(_, error) => Fault::Panicked(error),
            Failure::Error(message, _) => Fault::Unread(message),
            other => Fault::Unread(format!("{other:?}")),
        })
    }

    fn evaluate(self: &Arc<Self>, machine: &mut Machine, number: usize) {
        let mut plan = self.plan();
        let (key, is_own) = (plan.key(number).to_owned(), plan.is_own(number));
        let Some((program, arranged)) = plan.begin(number) else { return };
        let mut imports = Vec::new();
        for arranged in &arranged {
            if let super::plan::Arranged::Module(key, number) = arranged
                && !machine.has_module(key)
                && let Some(finished) = plan.finished(*number)
            {
                imports.push((key.clone(), finished.clone()));
            }
        }
        drop(plan);
        let imported = imports.into_iter().try_for_each(|(key, finished)| match finished.cells {
            Some(cells) => machine.import_module(&key, &cells, finished.exports),
            None => Ok(()),
        });
        if let Err(failure) = imported {
            let fault = Fault::Wrong(vec![machine.diagnose(*failure)]);
            return self.change(|plan| plan.end(number, Err(fault), None));
        }
        machine.arrange(Some(arranged));
        let collections = machine.heap().stats().collections();
        let (outcome, done) = if is_own {
            machine.set_graph(Some(Arc::clone(self)));
            // Who sees first that the program is cancelled may be a helper, at work on what this module does not wait for.
            let outcome = machine.under(&self.unit, |machine| machine.run_program(&key, &program, false));
            machine.set_graph(None);
            (outcome, None)
        } else {
            let unit = Unit::within(Some(&self.unit));
            let steps = self.limits.steps.unwrap_or(u64::MAX);
            let run = |machine: &mut Machine| machine.run_program(&key, &program, false);
            let (outcome, done) = machine.in_unit(unit, self.limits, steps, run);
            (outcome, Some(done))
        };
        machine.arrange(None);
        let result = match outcome {
            Ok(()) => {
                let has_collected = machine.heap().stats().collections() != collections;
                self.share(machine, &key, &program, is_own, has_collected)
            }
            Err(failure) => Err(Fault::Wrong(vec![machine.diagnose(*failure)])),
        };
        if let Err(Fault::Wrong(errors)) = &result
            && errors.iter().any(|error| matches!(error.cause, Cause::Limit(Limit::Cancelled)))
        {
            self.unit.call_off();
        }
        self.change(|plan| plan.end(number, result, done));
    }

    /// Makes what a module has left known to all.
    fn share(
        &self,
        machine: &mut Machine,
        key: &str,
        program: &Program,
        is_own: bool,
        has_collected: bool,
    ) -> Result<Finished, Fault> {
        let exports = Arc::clone(&program.0.exports);
        if is_own {
            return Ok(Finished { exports, cells: None });
        }
        // What has been young all the time settles in any collection.
        let first = if has_collected { Request::Complete } else { Request::Auto };
        let cells = share_module(machine, key, self.team.helpers() > 0, |machine, kept| {
            machine.share_fresh(first, |cx| kept_value(cx, kept))
        });
        let cells = cells.map_err(|message| {
            machine.unload(key);
            let mut error = Diagnostic::error(&program.0.source, Span::default(), message);
            error.cause = Cause::Program;
            Fault::Wrong(vec![error])
        });
        Ok(Finished { exports, cells: cells? })
    }

    /// Tells the host what a module has had it told, and those that it loads, each once. The steps that they took count.
    ///
    /// # Errors
    /// These were too many steps.
    pub fn replay(&self, machine: &mut Machine, number: usize) -> Res<()> {
        let done = self.plan().take_done(number);
        let Some(Done { record, steps }) = done else { return Ok(()) };
        self.told.lock().unwrap_or_else(PoisonError::into_inner).push(number);
        for event in record {
            match event {
                Event::Load(loaded) => self.replay(machine, loaded)?,
                event => machine.tell(vec![event])?,
            }
        }
        machine.charge(steps)
    }
}

/// A handle for the globals of a module, if there is anybody to have it.
///
/// # Errors
/// There is something in them that others cannot have: what.
fn share_module(
    machine: &mut Machine,
    key: &str,
    has_helpers: bool,
    share: impl FnOnce(&mut Machine, usize) -> Result<Shared<Tagging>, Kept>,
) -> Result<Option<Shared<Tagging>>, String> {
    let Some(kept) = machine.kept_of(key) else { return Ok(None) };
    if machine.has_residents()
        && let Some(way) = refuse::host_value(machine.cx(), kept_value(machine.cx(), kept))
    {
        return Err(format!("the globals of {key} cannot be shared: {way}"));
    }
    if !has_helpers {
        return Ok(None);
    }
    match share(machine, kept) {
        Ok(shared) => Ok(Some(shared)),
        Err(Kept::Shared(error)) => Err(format!("the globals of {key} cannot be shared: {error}")),
        Err(Kept::Failed(failure)) => Err(machine.diagnose(*failure).message),
    }
}

/// A module to be run: its key, and its text if it is not to be read.
pub(crate) type Root = (String, Option<SourceFile>);

/// What comes of a module.
pub(crate) type Ran = Result<(), Vec<Diagnostic>>;

/// Evaluates modules and all that they load.
pub(crate) fn run(machine: &mut Machine, team: &Arc<Team>, roots: Vec<Root>) -> Vec<Ran> {
    let prepared = prepare(machine, team, &roots);
    let graph = match prepared {
        Ok(graph) => Arc::new(graph),
        Err(error) => return roots.iter().map(|_| Err(vec![(*error).clone()])).collect(),
    };
    let is_single = roots.len() == 1;
    begin(machine, &graph);
    while !graph.plan().is_over() {
        if !graph.work(machine, true) {
            team.lend_a_hand(machine, || {
                let plan = graph.plan();
                plan.is_over() || plan.has_tasks()
            });
        }
    }
    // Others may still be at work on what nobody will ask for.
    graph.unit.call_off();
    let roots = graph.plan().roots().to_vec();
    let mut results = Vec::new();
    for root in roots {
        let outcome = if is_single { Ok(()) } else { graph.replay(machine, root) };
        graph.told.lock().unwrap_or_else(PoisonError::into_inner).push(root);
        let plan = graph.plan();
        results.push(match (outcome, plan.fault(root)) {
            (Err(failure), _) => Err(vec![machine.diagnose(*failure)]),
            (Ok(()), None) => Ok(()),
            (Ok(()), Some(Fault::Wrong(errors))) => Err(errors.clone()),
            (Ok(()), Some(fault)) => Err(vec![without_place(machine, plan.key(root), fault)]),
        });
    }
    end(machine, &graph);
    results
}

fn without_place(machine: &Machine, key: &str, fault: &Fault) -> Diagnostic {
    machine.diagnose(match fault {
        Fault::Panicked(error) => Failure::Host(None, Arc::clone(error)),
        Fault::Unread(error) => Failure::Error(format!("cannot load {key}: {error}"), Help::default()),
        Fault::Wrong(_) => Failure::Error(format!("cannot load {key}"), Help::default()),
    })
}

fn prepare(machine: &mut Machine, team: &Arc<Team>, roots: &[Root]) -> Result<Graph, Box<Diagnostic>> {
    let has_helpers = team.helpers() > 0;
    let mut predeclared = Vec::new();
    for (name, kept) in machine.predeclared().into_iter().filter(|_| has_helpers) {
        match machine.share(Request::Complete, |cx| kept_value(cx, kept)) {
            Ok(value) => predeclared.push((name, value)),
            Err(Kept::Failed(failure)) => return Err(Box::new(machine.diagnose(*failure))),
            Err(Kept::Shared(error)) => {
                let message = format!("{name}, which is predeclared, cannot be shared: {error}");
                return Err(Box::new(machine.diagnose(Failure::Error(message, Help::default()))));
            }
        }
    }
    for (key, _) in roots {
        machine.unload(key);
    }
    let mut before = HashMap::new();
    for (key, exports, _) in machine.loaded_modules() {
        let cells = share_module(machine, &key, has_helpers, |machine, kept| {
            machine.share(Request::Complete, |cx| kept_value(cx, kept))
        });
        let finished = cells.map(|cells| Finished { exports, cells });
        let fault = |message| Fault::Wrong(vec![machine.diagnose(Failure::Error(message, Help::default()))]);
        before.insert(key, finished.map_err(fault));
    }
    let given = |(key, source): &Root| Some((key.clone(), source.clone()?));
    Ok(Graph {
        team: Arc::clone(team),
        plan: Mutex::new(Plan::new(roots.iter().map(|(key, _)| key.clone()))),
        offer: OnceLock::new(),
        texts: roots.iter().filter_map(given).collect(),
        before,
        predeclared,
        limits: machine.limits(),
        unit: Unit::within(None),
        told: Mutex::default(),
    })
}

/// From now on everybody may work on it.
fn begin(machine: &mut Machine, graph: &Arc<Graph>) {
    let turns = graph.plan().open_tasks();
    let offer = graph.team.offer(Arc::clone(graph) as Arc<dyn Work>, turns);
    // There are no helpers yet, so nobody has looked at it.
    let _ = graph.offer.set(offer);
    if let Some(seat) = machine.seat_mut() {
        seat.is_busy = true;
        seat.gather();
    }
}

/// Puts the machine in the state in which it would be if the modules had been loaded one after the other.
fn end(machine: &mut Machine, graph: &Arc<Graph>) {
    if let Some(&offer) = graph.offer.get() {
        graph.team.withdraw(offer);
    }
    let mut told = std::mem::take(&mut *graph.told.lock().unwrap_or_else(PoisonError::into_inner));
    told.sort_unstable();
    for (key, _, _) in machine.loaded_modules() {
        let number = graph.plan().find(&key);
        if number.is_some_and(|number| told.binary_search(&number).is_err())
            && !graph.before.contains_key(&key)
        {
            machine.unload(&key);
        }
    }
    for number in told {
        let plan = graph.plan();
        let (key, finished) = (plan.key(number).to_owned(), plan.finished(number).cloned());
        drop(plan);
        if let Some(Finished { exports, cells: Some(cells) }) = finished
            && !machine.has_module(&key)
        {
            // Without memory for it, the module would be loaded again.
            let _ = machine.import_module(&key, &cells, exports);
        }
    }
    if let Some(seat) = machine.seat_mut() {
        seat.is_busy = false;
    }
    machine.dismiss();
}
