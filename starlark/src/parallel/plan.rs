//! Which modules there are, what they load, and which may be evaluated now. Nothing here runs a program.
//!
//! A module may be evaluated as soon as all that it loads has been. An error spreads only when the whole graph is known: from
//! then on a module may also be evaluated if what it loads first has failed, and before that nothing. So what a module comes
//! to depends on the graph, and never on who was faster.

use std::collections::{BTreeSet, HashMap};
use std::error::Error;
use std::sync::Arc;

use frazil::Shared;

use crate::machine::Done;
use crate::program::{Exports, Program};
use crate::syntax::Diagnostic;
use crate::value::Tagging;

/// Loads that are nested in each other more deeply are an error.
const DEPTH_MAX: usize = 100;

/// Something that is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    /// Read the text of a module, and analyse it.
    Read(usize),
    /// Evaluate a module.
    Evaluate(usize),
}

/// Why there is no module.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// It was not read.
    Unread(String),
    /// The embedding program's loader panicked.
    Panicked(Arc<dyn Error + Send + Sync>),
    /// It is wrong, or was ended by an error.
    Wrong(Vec<Diagnostic>),
}

/// A module that exists.
#[derive(Clone)]
pub(crate) struct Finished {
    pub exports: Exports,
    /// Its globals. `None`: only the machine of the engine needs them, and has them.
    pub cells: Option<Shared<Tagging>>,
}

/// What a `load` statement leads to.
#[derive(Clone, Debug)]
enum Load {
    Module(usize),
    /// There can be no such module.
    Refused(String),
    Panicked(Arc<dyn Error + Send + Sync>),
    /// The module is being loaded already when this statement is reached.
    Cycle,
    TooDeep,
}

/// What a `load` statement of a module that is evaluated now does.
#[derive(Clone)]
pub(crate) enum Arranged {
    /// Binds names of the module with this key and number, which exists.
    Module(String, usize),
    /// Fails because the module with this number has.
    Failed(usize, Fault),
    /// Fails for a reason of its own.
    Refused(Fault),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Unread,
    Waiting,
    /// To be evaluated, or being evaluated.
    Ready,
    Over,
}

struct Module {
    key: String,
    state: State,
    loads: Vec<Load>,
    dependents: Vec<usize>,
    program: Option<Program>,
    result: Option<Result<Finished, Fault>>,
    outcome: Option<Done>,
}

/// See [the module](self).
#[derive(Default)]
pub(crate) struct Plan {
    modules: Vec<Module>,
    numbers: HashMap<String, usize>,
    roots: Vec<usize>,
    /// Modules to be evaluated, and to be read: what was found first comes first.
    ready: BTreeSet<usize>,
    unread: BTreeSet<usize>,
    /// Modules that are still to be read, or are being read.
    reading: usize,
    /// All modules have been read.
    is_known: bool,
    /// What only the engine's own thread may do.
    own: Option<usize>,
}

impl Plan {
    /// A plan for these modules and all that they load.
    pub fn new(roots: impl IntoIterator<Item = String>) -> Plan {
        let mut plan = Plan::default();
        plan.roots = roots.into_iter().map(|key| plan.number(key)).collect();
        plan.own = match plan.roots[..] {
            [only] => Some(only),
            _ => None,
        };
        plan
    }

    /// The number of a module, which is to be read if it is new.
    fn number(&mut self, key: String) -> usize {
        if let Some(&number) = self.numbers.get(&key) {
            return number;
        }
        let number = self.modules.len();
        self.numbers.insert(key.clone(), number);
        self.unread.insert(number);
        self.reading += 1;
        self.modules.push(Module {
            key,
            state: State::Unread,
            loads: Vec::new(),
            dependents: Vec::new(),
            program: None,
            result: None,
            outcome: None,
        });
        number
    }

    /// Takes something to do. The only root is evaluated by the engine's own thread: what it prints is seen at once.
    pub fn take(&mut self, is_own: bool) -> Option<Task> {
        let allowed = |number: &usize| is_own || self.own != Some(*number);
        if let Some(number) = self.ready.iter().copied().find(allowed) {
            self.ready.remove(&number);
            return Some(Task::Evaluate(number));
        }
        self.unread.pop_first().map(Task::Read)
    }

    /// How many tasks others than the engine's own thread could take.
    pub fn open_tasks(&self) -> usize {
        let own = self.own.is_some_and(|own| self.ready.contains(&own));
        self.ready.len() + self.unread.len() - usize::from(own)
    }

    /// Is there something to take for the engine's own thread?
    pub fn has_tasks(&self) -> bool {
        !self.ready.is_empty() || !self.unread.is_empty()
    }

    /// Has it been found out what becomes of every root?
    pub fn is_over(&self) -> bool {
        self.roots.iter().all(|&root| self.modules[root].state == State::Over)
    }

    /// Is it the one that only the engine's own thread evaluates?
    pub fn is_own(&self, number: usize) -> bool {
        self.own == Some(number)
    }

    pub fn roots(&self) -> &[usize] {
        &self.roots
    }

    /// The number of the module with this key.
    pub fn find(&self, key: &str) -> Option<usize> {
        self.numbers.get(key).copied()
    }

    pub fn key(&self, number: usize) -> &str {
        &self.modules[number].key
    }

    /// The module is there, from before.
    pub fn known(&mut self, number: usize, finished: Finished) {
        self.end(number, Ok(finished), None);
        self.was_read();
    }

    /// There is no program for the module.
    pub fn not_read(&mut self, number: usize, fault: Fault) {
        self.modules[number].state = State::Waiting;
        // It fails when its turn comes: see the head of this file.
        self.modules[number].result = Some(Err(fault));
        self.was_read();
    }

    /// There is a program for the module, whose `load` statements lead to these modules.
    pub fn read(&mut self, number: usize, program: Program, loads: Vec<Result<String, Fault>>) {
        let loads = loads.into_iter().map(|load| match load {
            Ok(key) => Load::Module(self.number(key)),
            Err(Fault::Panicked(error)) => Load::Panicked(error),
            Err(Fault::Unread(message)) => Load::Refused(message),
            Err(Fault::Wrong(_)) => Load::Refused("it is wrong".to_owned()),
        });
        let loads: Vec<Load> = loads.collect();
        for load in &loads {
            if let Load::Module(loaded) = load {
                self.modules[*loaded].dependents.push(number);
            }
        }
        let module = &mut self.modules[number];
        module.loads = loads;
        module.program = Some(program);
        module.state = State::Waiting;
        self.look_at(number);
        self.was_read();
    }

    fn was_read(&mut self) {
        self.reading -= 1;
        if self.reading == 0 {
            self.find_cycles();
            self.is_known = true;
            (0..self.modules.len()).for_each(|number| self.look_at(number));
        }
    }

    /// May the module be evaluated now?
    fn look_at(&mut self, number: usize) {
        let module = &self.modules[number];
        if module.state != State::Waiting {
            return;
        }
        if module.program.is_none() {
            if self.is_known
                && let Some(result) = self.modules[number].result.take()
            {
                self.end(number, result, None);
            }
            return;
        }
        for load in &module.loads {
            let fails = match load {
                Load::Module(loaded) => match &self.modules[*loaded].result {
                    Some(Ok(_)) => false,
                    Some(Err(_)) if self.modules[*loaded].state == State::Over => true,
                    _ => return,
                },
                _ => true,
            };
            match (fails, self.is_known) {
                (true, true) => break,
                (true, false) => return,
                (false, _) => {}
            }
        }
        self.modules[number].state = State::Ready;
        self.ready.insert(number);
    }

    /// What is needed to evaluate a module: its program, and what its `load` statements do, up to the first that fails.
    pub fn begin(&mut self, number: usize) -> Option<(Program, Vec<Arranged>)> {
        let program = self.modules[number].program.take()?;
        let mut arranged = Vec::new();
        for load in &self.modules[number].loads {
            let refused = |message: &str| Arranged::Refused(Fault::Unread(message.to_owned()));
            arranged.push(match load {
                Load::Module(loaded) => match &self.modules[*loaded].result {
                    Some(Ok(_)) => Arranged::Module(self.modules[*loaded].key.clone(), *loaded),
                    Some(Err(fault)) => Arranged::Failed(*loaded, fault.clone()),
                    None => break,
                },
                Load::Refused(message) => refused(message),
                Load::Panicked(error) => Arranged::Refused(Fault::Panicked(Arc::clone(error))),
                Load::Cycle => refused("cycle in load graph"),
                Load::TooDeep => refused("modules load each other too deeply"),
            });
            if !matches!(arranged.last(), Some(Arranged::Module(..))) {
                break;
            }
        }
        Some((program, arranged))
    }

    /// A module that exists.
    pub fn finished(&self, number: usize) -> Option<&Finished> {
        self.modules[number].result.as_ref()?.as_ref().ok()
    }

    /// Why a module failed.
    pub fn fault(&self, number: usize) -> Option<&Fault> {
        self.modules[number].result.as_ref()?.as_ref().err()
    }

    /// What a module has had its host told, once.
    pub fn take_done(&mut self, number: usize) -> Option<Done> {
        self.modules[number].outcome.take()
    }

    /// A module has been evaluated.
    pub fn end(&mut self, number: usize, result: Result<Finished, Fault>, done: Option<Done>) {
        let module = &mut self.modules[number];
        module.state = State::Over;
        module.result = Some(result);
        module.outcome = done;
        for dependent in std::mem::take(&mut self.modules[number].dependents) {
            self.look_at(dependent);
        }
    }

    /// Goes the way that loading one module after the other would go, and marks where it would come back to a module that
    /// is being loaded, or get too deep.
    fn find_cycles(&mut self) {
        let mut seen = vec![false; self.modules.len()];
        let mut is_open = vec![false; self.modules.len()];
        for root in self.roots.clone() {
            // A module, and which of its loads comes next.
            let mut path = Vec::new();
            if !std::mem::replace(&mut seen[root], true) {
                is_open[root] = true;
                path.push((root, 0));
            }
            while let Some(&mut (here, ref mut next)) = path.last_mut() {
                let at = *next;
                *next += 1;
                match self.modules[here].loads.get(at) {
                    None => {
                        is_open[here] = false;
                        path.pop();
                    }
                    Some(&Load::Module(loaded)) if is_open[loaded] => {
                        self.modules[here].loads[at] = Load::Cycle;
                    }
                    Some(&Load::Module(loaded)) if !seen[loaded] && path.len() > DEPTH_MAX => {
                        self.modules[here].loads[at] = Load::TooDeep;
                    }
                    Some(&Load::Module(loaded)) if !seen[loaded] => {
                        seen[loaded] = true;
                        is_open[loaded] = true;
                        path.push((loaded, 0));
                    }
                    Some(_) => {}
                }
            }
        }
    }
}
