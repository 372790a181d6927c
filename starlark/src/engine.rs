//! The interpreter as an embedding program sees it.

use std::any::{Any, TypeId};
use std::fmt;

use frazil::trace::{RecordError, Totals};
use frazil::{AllocError, Config, ConfigError, Report, Stats};

use crate::convert::{FromValue, IntoValue, PushArguments};
use crate::cx::Cx;
use crate::error::Error;
use crate::failure::{Failure, Res};
use crate::handle::Handle;
use crate::host::{Args, Call, Prepared};
use crate::library::Library;
use crate::limits::{Canceller, Limit, Limits};
use crate::machine::{Arguments, Loader, Machine, Mistake, View, Watch};
use crate::program::Program;
use crate::syntax::diagnostics::Cause;
use crate::syntax::{Diagnostic, Dialect, SourceFile};
use crate::value::{Heap, Value};

/// Why an engine could not be made.
#[derive(Clone, Debug)]
pub enum EngineError {
    /// The settings of the heap do not agree.
    Config(ConfigError),
    /// The heap has no room for the interpreter's own values.
    Alloc(AllocError),
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EngineError::Config(error) => error.fmt(f),
            EngineError::Alloc(error) => error.fmt(f),
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
/// short collections save most of the tracing; and a nursery that holds the garbage of many calls saves copying.
pub const CONFIG: Config =
    Config { short_collections: true, nursery_bytes: 2 << 20, growth_percent: 75, ..Config::DEFAULT };

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
        let heap = new_heap(config).map_err(EngineError::Config)?;
        let machine = Machine::new(heap, dialect, loader).map_err(EngineError::Alloc)?;
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

    /// Predeclares a function that calls back, in two halves: see [`Call::Reentrant`].
    ///
    /// # Errors
    /// Memory ran out.
    pub fn reentrant_function(
        &mut self,
        name: &str,
        prepare: for<'s> fn(Cx<'s>, &Args<'_, 's>) -> Res<Prepared<'s>>,
        run: fn(&mut Machine, usize) -> Res<()>,
    ) -> Result<(), Error> {
        let number = self.machine.host_mut().add_builtin(name, Call::Reentrant { prepare, run });
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
        let outcome = self.machine.predeclare(name, make);
        outcome.map_err(|failure| self.fail(failure))
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
        outcome.map_err(|failure| self.fail(failure))
    }

    // ------------------------------------------------------------------ programs

    /// Runs a module. Its globals are frozen and kept under `key`, which is also the name that errors show. If there was
    /// a module of this name, it is forgotten.
    ///
    /// # Errors
    /// All that is wrong with the text, or the error that ended the run.
    pub fn run(&mut self, key: &str, text: impl Into<String>) -> Result<(), Error> {
        self.begin()?;
        let outcome = self.machine.run_module(key, &SourceFile::new(key, text));
        outcome.map_err(|diagnostics| self.recover(diagnostics.into()))
    }

    /// Analyses the text of a module, to be run once or often. It may use the names that are predeclared now.
    ///
    /// # Errors
    /// All that is wrong with the text.
    pub fn compile(&self, name: &str, text: impl Into<String>) -> Result<Program, Error> {
        Ok(self.machine.compile(&SourceFile::new(name, text))?)
    }

    /// Runs a module that was compiled, as [`Engine::run`].
    ///
    /// # Errors
    /// The error that ended the run.
    pub fn run_program(&mut self, key: &str, program: &Program) -> Result<(), Error> {
        self.begin()?;
        let outcome = self.machine.run_program(key, program, true);
        outcome.map_err(|diagnostic| self.recover(diagnostic.into()))
    }

    /// The value of an expression, or of the last statement of a program if that is an expression (`None` otherwise).
    /// Nothing else is kept, and nothing frozen.
    ///
    /// # Errors
    /// All that is wrong with the text, or the error that ended the run.
    pub fn evaluate(&mut self, name: &str, text: impl Into<String>) -> Result<Handle, Error> {
        let program = self.compile(name, text)?;
        self.evaluate_with(&program, false)
    }

    /// The same for a program that was compiled.
    ///
    /// # Errors
    /// The error that ended the run.
    pub fn evaluate_program(&mut self, program: &Program) -> Result<Handle, Error> {
        self.evaluate_with(program, true)
    }

    fn evaluate_with(&mut self, program: &Program, again: bool) -> Result<Handle, Error> {
        self.begin()?;
        let outcome = self.machine.evaluate(program, again);
        self.handle(outcome)
    }

    // ------------------------------------------------------------------ calls

    /// Calls a function, or whatever else can be called, with positional arguments: a tuple, or a vector. The function may
    /// be frozen or not.
    ///
    /// ```
    /// use frazil_starlark::Engine;
    /// let mut engine = Engine::default();
    /// engine.run("m", "def greet(name, times = 1): return ' '.join(['hello', name] * times)").unwrap();
    /// let greet = engine.get_global("m", "greet").unwrap();
    /// let greeting = engine.call(&greet, ("you", 2)).unwrap();
    /// assert_eq!(engine.get::<String>(&greeting).unwrap(), "hello you hello you");
    /// ```
    ///
    /// # Errors
    /// The error that ended the call.
    pub fn call<A>(&mut self, function: &Handle, arguments: A) -> Result<Handle, Error>
    where
        A: for<'s> PushArguments<'s> + Clone,
    {
        self.call_with(function, |cx, given| arguments.clone().push(cx, given))
    }

    /// Calls a function with arguments that `fill` makes, by name for example. If memory runs out, it may do so twice.
    ///
    /// # Errors
    /// The error that ended the call.
    pub fn call_with(
        &mut self,
        function: &Handle,
        fill: impl for<'s> Fn(Cx<'s>, &mut Arguments<'s>) -> Res<()>,
    ) -> Result<Handle, Error> {
        self.begin()?;
        let outcome = self.machine.call_from_host(|cx, arguments| {
            fill(cx, arguments)?;
            Ok(function.value(cx))
        });
        self.handle(outcome)
    }

    // ------------------------------------------------------------------ values

    /// A value as Rust data.
    ///
    /// # Errors
    /// It is of another type.
    ///
    /// # Panics
    /// The handle belongs to another engine.
    pub fn get<T: for<'s> FromValue<'s>>(&self, handle: &Handle) -> Result<T, Error> {
        let cx = self.machine.cx();
        T::from_value(cx, handle.value(cx)).map_err(|failure| self.machine.diagnose(*failure).into())
    }

    /// A global of a loaded module as Rust data, or as a [`Handle`].
    ///
    /// # Errors
    /// There is none, or it is of another type.
    pub fn get_global<T: for<'s> FromValue<'s>>(&self, key: &str, name: &str) -> Result<T, Error> {
        let value = match self.machine.global(key, name) {
            Some(value) => T::from_value(self.machine.cx(), value),
            None => Err(Failure::new(format!("module {key} has no {name}"))),
        };
        value.map_err(|failure| self.machine.diagnose(*failure).into())
    }

    /// The names that a loaded module exports, sorted.
    pub fn exports(&self, key: &str) -> Vec<String> {
        self.machine.exports(key).into_iter().map(str::to_owned).collect()
    }

    /// Makes a value and keeps it.
    ///
    /// # Errors
    /// Memory ran out.
    pub fn make(&mut self, value: impl for<'s> IntoValue<'s>) -> Result<Handle, Error> {
        let cx = self.machine.cx();
        let made = value.into_value(cx).map(|value| Handle::new(cx, value));
        made.map_err(|failure| self.fail(failure))
    }

    /// Lends a value, with the context that is needed to do something with it.
    ///
    /// # Panics
    /// The handle belongs to another engine.
    pub fn look<R>(&self, handle: &Handle, look: impl for<'s> FnOnce(Cx<'s>, Value<'s>) -> R) -> R {
        let cx = self.machine.cx();
        look(cx, handle.value(cx))
    }

    /// Freezes a value, and everything that can be reached from it.
    ///
    /// # Panics
    /// The handle belongs to another engine.
    pub fn freeze(&mut self, handle: &Handle) {
        self.look(handle, |cx, value| cx.freeze(value));
    }

    fn begin(&mut self) -> Result<(), Error> {
        let begun = self.machine.begin();
        begun.map_err(|failure| self.fail(failure))
    }

    /// Keeps the result that is in a word of the root stack.
    fn handle(&mut self, outcome: Res<usize>) -> Result<Handle, Error> {
        match outcome {
            Ok(at) => Ok(self.machine.with(at, |cx, result| Handle::new(cx, result.get()))),
            Err(failure) => Err(self.fail(failure)),
        }
    }

    fn fail(&mut self, failure: Box<Failure>) -> Error {
        let diagnostic = self.machine.diagnose(*failure);
        self.recover(diagnostic.into())
    }

    /// A program that had no memory leaves garbage, for which the next one cannot wait.
    fn recover(&mut self, error: Error) -> Error {
        if error.iter().any(|diagnostic| matches!(diagnostic.cause, Cause::Limit(Limit::Memory))) {
            // If this fails, so will the next program, and say so.
            let _ = self.machine.collect(frazil::Request::Complete);
        }
        error
    }

    // ------------------------------------------------------------------ the heap

    /// Lets programs collect this many times from now on; one that would have to collect once more is ended with an
    /// error. As a collection is due whenever so many bytes have been allocated, that bounds what a program
    /// allocates in all; in checking mode, where one is due at every call and in every round of a loop, it bounds the
    /// time it may take.
    pub fn limit_collections(&mut self, collections: u64) {
        self.machine.limit_collections(collections);
    }

    /// For the proof machinery alone: from now on every collection makes this mistake, until checking mode notices.
    ///
    /// # Panics
    /// The heap is not in checking mode.
    pub fn plant(&mut self, mistake: Mistake) {
        self.machine.plant(mistake);
    }

    /// Looks at a global of a module.
    pub fn global<R>(
        &self,
        key: &str,
        name: &str,
        look: impl for<'s> FnOnce(Cx<'s>, Value<'s>) -> R,
    ) -> Option<R> {
        self.machine.global(key, name).map(|value| look(self.machine.cx(), value))
    }

    /// Forgets a module, and says whether it was there. If a program loads it again it is run again; what other
    /// modules and functions use of it stays alive, and only that.
    pub fn unload(&mut self, key: &str) -> bool {
        self.machine.unload(key)
    }

    /// Gives a function the context, to make and look at values.
    pub fn with<R>(&self, look: impl for<'s> FnOnce(Cx<'s>) -> R) -> R {
        look(self.machine.cx())
    }

    /// Remembers of every object where in the program it was made, for pictures. Modules that were loaded before are
    /// left out. Such code runs a good part slower.
    pub fn profile(&mut self) {
        self.machine.profile();
    }

    /// From now on `watch` looks at the heap after collections and when memory runs out, in place of the one before.
    pub fn watch(&mut self, watch: impl Watch + 'static) {
        self.machine.set_watch(Box::new(watch));
    }

    /// The machine, for what is part of the interpreter.
    pub(crate) fn machine_mut(&mut self) -> &mut Machine {
        &mut self.machine
    }

    /// The same.
    pub(crate) fn machine(&self) -> &Machine {
        &self.machine
    }

    /// The interpreter as a watch sees it.
    pub fn view(&mut self) -> View<'_> {
        View::new(&mut self.machine)
    }

    /// What the collector did so far.
    pub fn stats(&self) -> &Stats {
        self.machine.heap().stats()
    }

    /// From now on `observer` is told of every collection, when it is over. It takes the place of the one before.
    pub fn observe(&mut self, observer: impl FnMut(&Report) + 'static) {
        self.machine.heap_mut().observe(observer);
    }

    /// Records everything that happens to the heap from now on ([`frazil::trace`]). The engine was made with settings for
    /// recording; `settings` are those that it has otherwise.
    ///
    /// # Errors
    /// It was made with other settings, or the heap has collected already.
    pub fn record(
        &mut self,
        out: impl std::io::Write + 'static,
        producer: &str,
        settings: &Config,
    ) -> Result<(), RecordError> {
        self.machine.heap_mut().record(out, producer, settings)
    }

    /// Ends the recording, and says how much was recorded.
    ///
    /// # Errors
    /// Nothing is being recorded, or it could not be written.
    pub fn end_record(&mut self) -> Result<Totals, RecordError> {
        self.machine.heap_mut().end_record()
    }

    /// The settings of the heap.
    pub fn config(&self) -> &Config {
        self.machine.heap().config()
    }

    /// Bytes that young objects and old blocks take now.
    pub fn used_bytes(&self) -> usize {
        self.machine.heap().used_bytes()
    }

    /// Bytes allocated since the last collection.
    pub fn allocated_bytes(&self) -> usize {
        self.machine.heap().allocated_bytes()
    }

    /// Collects now.
    ///
    /// # Errors
    /// The collection failed.
    pub fn collect(&mut self, request: frazil::Request) -> Result<(), AllocError> {
        self.machine.collect(request)
    }
}

#[allow(unsafe_code)]
fn new_heap(config: Config) -> Result<Heap, ConfigError> {
    // SAFETY: the heap goes into the `Machine` of one `Engine`. Code outside of this crate can put a value somewhere
    // only through functions that take it together with a `Cx<'s>`, or into a cell of `Value<'s>`; both are
    // invariant in `'s`, and both are only handed to functions that are generic over `'s`. So a function can never
    // prove that values of another engine have this `'s`, however such functions are nested in each other. Inside
    // of the crate no function has two machines, and a `Handle` gives its value only to the machine that made it.
    unsafe { Heap::unbranded(config) }
}
