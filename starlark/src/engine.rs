//! The interpreter as an embedding program sees it.

mod heap;
mod programs;
mod team;

use std::any::{Any, TypeId};
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use frazil::trace::{RecordError, Totals};
use frazil::{AllocError, Config, ConfigError, Group, Report, Stats};

use crate::caller::{Caller, Given};
use crate::convert::{FromValue, IntoValue, PushArguments};
use crate::cx::Cx;
use crate::error::Error;
use crate::failure::{Failure, Res};
use crate::handle::Handle;
use crate::host::{Args, Call};
use crate::library::Library;
use crate::limits::{Canceller, Limit, Limits};
use crate::machine::{Arguments, Loader, Machine, Mistake, View, Watch};
use crate::parallel::{self, Recipe, Root, Seat, Team};
use crate::program::Program;
use crate::syntax::diagnostics::Cause;
use crate::syntax::{Diagnostic, Dialect, SourceFile};
use crate::value::{Heap, Tagging, Value};

/// Why an engine could not be made.
#[derive(Clone, Debug)]
pub enum EngineError {
    /// The settings of the heap do not agree.
    Config(ConfigError),
    /// The heap has no room for the interpreter's own values.
    Alloc(AllocError),
    /// What was to give it what programs may use has failed.
    Setup(Error),
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EngineError::Config(error) => error.fmt(f),
            EngineError::Alloc(error) => error.fmt(f),
            EngineError::Setup(error) => error.fmt(f),
        }
    }
}
impl std::error::Error for EngineError {}

/// A loader for programs that load nothing.
struct NoModules;

impl Loader for NoModules {
    fn resolve(&self, _: &str, _: &str) -> Result<String, String> {
        Err("this interpreter loads no modules".to_owned())
    }

    fn read(&self, _: &str) -> Result<String, String> {
        Err("this interpreter loads no modules".to_owned())
    }
}

/// Settings of the heap that suit Starlark programs: while a module runs, a good part of what lives is mutable, so
/// short collections save most of the tracing; and a nursery that holds the garbage of many calls saves copying. What
/// short collections trace again is little: a nursery larger for its sake would cost more memory than it saves time.
pub const CONFIG: Config = Config {
    short_collections: true,
    nursery_bytes: 2 << 20,
    nursery_percent_of_traced: 100,
    growth_percent: 75,
    ..Config::DEFAULT
};

/// An interpreter: a heap of its own, and the modules that were run on it.
///
/// ```
/// use frazil_starlark::Engine;
/// let mut engine = Engine::default();
/// engine.run("hello.star", "answer = 6 * 7").unwrap();
/// assert_eq!(engine.get_global::<i64>("hello.star", "answer").unwrap(), 42);
/// ```
///
/// Whatever ends a program, an error or a limit, the engine can be used again.
pub struct Engine {
    machine: Machine,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let last = &self.stats().last;
        let mut engine = f.debug_struct("Engine");
        engine
            .field("old_objects", &last.old_objects)
            .field("old_bytes", &last.old_bytes)
            .finish_non_exhaustive()
    }
}

impl Default for Engine {
    /// An interpreter of the standard language that loads no modules.
    ///
    /// # Panics
    /// The system has no memory for it: [`Engine::new`] returns that as an error.
    fn default() -> Engine {
        Engine::new(CONFIG, Dialect::STANDARD).unwrap_or_else(|error| panic!("no engine: {error}"))
    }
}

/// # Making one
impl Engine {
    /// An interpreter that loads no modules.
    ///
    /// # Errors
    /// The heap cannot be made.
    pub fn new(config: Config, dialect: Dialect) -> Result<Engine, EngineError> {
        Engine::with_loader(config, dialect, Box::new(NoModules))
    }

    /// An interpreter that finds modules with a loader.
    ///
    /// # Errors
    /// The heap cannot be made.
    pub fn with_loader(
        config: Config,
        dialect: Dialect,
        loader: Box<dyn Loader>,
    ) -> Result<Engine, EngineError> {
        if dialect.parallel_map {
            let group = Group::new(config.clone()).map_err(EngineError::Config)?;
            return Engine::member(Arc::new(Team::new(group, None)), config, dialect, loader, false);
        }
        let heap = new_heap(None, config).map_err(EngineError::Config)?;
        let machine = Machine::new(heap, dialect, loader, None).map_err(EngineError::Alloc)?;
        Ok(Engine { machine })
    }

    /// What programs may use from now on.
    pub fn set_limits(&mut self, limits: Limits) {
        self.machine.host_mut().meter.limits.set(limits);
    }

    /// What ends the program that runs, from another thread.
    pub fn canceller(&self) -> Canceller {
        self.machine.cx().host.meter.canceller.clone()
    }

    /// What `print` does with a line, instead of writing it to standard output.
    pub fn on_print(&mut self, print: impl Fn(&str) + 'static) {
        self.machine.host_mut().print = Box::new(print);
    }

    /// What is done with a warning about a module that is run all the same; nothing, if this is not called.
    pub fn on_warning(&mut self, warn: impl Fn(&Diagnostic) + 'static) {
        self.machine.host_mut().warn = Box::new(warn);
    }

    /// Gives the host's functions something to share: they find it by its type, with [`Cx::state`]. It takes the place
    /// of what there was of this type. What is to be changed while programs run is in a [`RefCell`](std::cell::RefCell).
    pub fn set_state<T: Any>(&mut self, state: T) {
        self.machine.host_mut().state.insert(TypeId::of::<T>(), Box::new(state));
    }

    /// What [`Engine::set_state`] has put there.
    pub fn state<T: Any>(&self) -> Option<&T> {
        self.machine.cx().host.state.get(&TypeId::of::<T>())?.downcast_ref()
    }

    /// Predeclares Rust data under a name.
    ///
    /// # Errors
    /// Memory ran out.
    pub fn set(&mut self, name: &str, value: impl for<'s> IntoValue<'s>) -> Result<(), Error> {
        self.predeclare(name, |cx| value.into_value(cx))
    }

    /// Predeclares a function under a name. With arguments that are converted, it is easier to define with
    /// [`function!`](crate::function!).
    ///
    /// It is called once for each call in the program, also near the heap's limit: see [`Cx::want_room`].
    ///
    /// The engine keeps it as long as it lives, even if something else gets its name, for values that refer to it are just its
    /// number. So functions are to be given to an engine once; what differs from run to run is put where they find it
    /// ([`Engine::set_state`]), or is a value that can be called ([`HostType::call`](crate::HostType::call)), which goes when
    /// nothing refers to it.
    ///
    /// # Errors
    /// Memory ran out.
    pub fn function(
        &mut self,
        name: &str,
        function: impl for<'s> Fn(Cx<'s>, &Args<'_, 's>) -> Res<Value<'s>> + 'static,
    ) -> Result<(), Error> {
        let number = self.machine.host_mut().add_builtin(name, Call::Host(Box::new(function)));
        self.predeclare(name, |_| Ok(crate::value::builtin(number)))
    }

    /// Makes a function: for those that are not predeclared under their own name. The engine keeps it as long as it lives, as
    /// with [`Engine::function`].
    pub fn make_function(
        &mut self,
        name: &str,
        function: impl for<'s> Fn(Cx<'s>, &Args<'_, 's>) -> Res<Value<'s>> + 'static,
    ) -> Handle {
        let number = self.machine.host_mut().add_builtin(name, Call::Host(Box::new(function)));
        Handle::new(self.machine.cx(), crate::value::builtin(number))
    }

    /// Predeclares a function that calls functions of the program. It works with handles; an ordinary [function](Engine::function)
    /// is faster, but nothing can be collected, and so no program run, while it holds values.
    ///
    /// ```
    /// use frazil_starlark::{Engine, Handle};
    /// let mut engine = Engine::default();
    /// engine.higher_order("map", |caller, given| {
    ///     let [Some(function), Some(items)] = given.bind(["function", "items"])? else { unreachable!() };
    ///     let items: Vec<Handle> = caller.get(&items)?;
    ///     let mapped: Result<Vec<Handle>, _> = items.iter().map(|item| caller.call(&function, (item,))).collect();
    ///     caller.make(mapped?)
    /// }).unwrap();
    /// let squares = engine.evaluate("m", "map(lambda x: x * x, items = range(4))").unwrap();
    /// assert_eq!(engine.get::<Vec<i64>>(&squares).unwrap(), [0, 1, 4, 9]);
    /// let error = engine.evaluate("m", "map(lambda x: 1 // x, [1, 0])").unwrap_err();
    /// assert_eq!(error.message(), "floored division by zero");
    /// ```
    ///
    /// # Errors
    /// Memory ran out.
    pub fn higher_order(
        &mut self,
        name: &str,
        function: impl Fn(&mut Caller<'_>, &Given) -> Res<Handle> + 'static,
    ) -> Result<(), Error> {
        let number = self.machine.host_mut().add_builtin(name, Call::Higher(Rc::new(function)));
        self.predeclare(name, |_| Ok(crate::value::builtin(number)))
    }

    /// Predeclares a value under a name.
    ///
    /// # Errors
    /// Memory ran out.
    pub fn predeclare(
        &mut self,
        name: &str,
        make: impl for<'s> FnOnce(Cx<'s>) -> Res<Value<'s>>,
    ) -> Result<(), Error> {
        let outcome = self.machine.make_room().and_then(|()| self.machine.predeclare(name, make));
        outcome.map_err(|failure| self.fail(*failure))
    }

    /// Predeclares a module that comes with the interpreter.
    ///
    /// # Errors
    /// Memory ran out.
    pub fn library(&mut self, library: Library) -> Result<(), Error> {
        let functions = library.register(self.machine.host_mut());
        self.predeclare(library.name(), |cx| library.value(cx, &functions))
    }

    /// Predeclares what a loaded module exports, for all modules run from now on.
    ///
    /// # Errors
    /// Memory ran out.
    pub fn predeclare_module(&mut self, key: &str) -> Result<(), Error> {
        let outcome = self.machine.predeclare_module(key);
        outcome.map_err(|failure| self.fail(*failure))
    }

    pub(crate) fn machine_mut(&mut self) -> &mut Machine {
        &mut self.machine
    }

    pub(crate) fn machine(&self) -> &Machine {
        &self.machine
    }

    pub(crate) fn into_machine(self) -> Machine {
        self.machine
    }
}

/// The heap of an engine, and of a group of heaps if there is one.
#[allow(unsafe_code)]
fn new_heap(group: Option<&Group<Tagging>>, config: Config) -> Result<Heap, ConfigError> {
    // SAFETY: the heap goes into the `Machine` of one `Engine`. Code outside of this crate can put a value somewhere
    // only through functions that take it together with a `Cx<'s>`, or into a cell of `Value<'s>`; both are
    // invariant in `'s`, and both are only handed to functions that are generic over `'s`. So a function can never
    // prove that values of another engine have this `'s`, however such functions are nested in each other. Inside
    // of the crate no function has two machines, and a `Handle` gives its value only to the machine that made it.
    // Machines of a team exchange values as `Shared` only.
    unsafe {
        match group {
            None => Heap::unbranded(config),
            Some(group) => group.unbranded(config),
        }
    }
}
