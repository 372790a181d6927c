//! The interpreter as an embedding program sees it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use frazil::trace::{RecordError, Totals};
use frazil::{AllocError, Config, ConfigError, Report, Stats};

use crate::cx::Cx;
use crate::failure::Res;
use crate::host::{Args, Call, Prepared};
use crate::library::Library;
use crate::machine::{Loader, Machine, Mistake, View, Watch};
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
/// let mut engine = Engine::new(frazil::Config::DEFAULT, Default::default()).unwrap();
/// engine.run("hello.star", "answer = 6 * 7").unwrap();
/// assert_eq!(engine.global("hello.star", "answer", |_, value| value.bits() >> 1), Some(42));
/// ```
pub struct Engine {
    machine: Machine,
}

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

    /// What `print` does with a line, instead of writing it to standard output.
    pub fn on_print(&mut self, print: impl Fn(&str) + 'static) {
        self.machine.host_mut().print = Box::new(print);
    }

    /// What is done with a warning about a module that is run all the same; nothing, if this is not called.
    pub fn on_warning(&mut self, warn: impl Fn(&Diagnostic) + 'static) {
        self.machine.host_mut().warn = Box::new(warn);
    }

    /// Predeclares a function under a name.
    ///
    /// # Errors
    /// Memory ran out.
    pub fn function(
        &mut self,
        name: &str,
        function: impl for<'s> Fn(Cx<'s>, &Args<'_, 's>) -> Res<Value<'s>> + 'static,
    ) -> Result<(), Diagnostic> {
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
    ) -> Result<(), Diagnostic> {
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
    ) -> Result<(), Diagnostic> {
        self.machine.predeclare(name, make).map_err(|failure| self.machine.diagnose(*failure))
    }

    /// Predeclares a module that comes with the interpreter.
    ///
    /// # Errors
    /// Memory ran out.
    pub fn library(&mut self, library: Library) -> Result<(), Diagnostic> {
        let functions = library.register(self.machine.host_mut());
        self.predeclare(library.name(), |cx| library.value(cx, &functions))
    }

    /// Predeclares what a loaded module exports, for all modules run from now on.
    ///
    /// # Errors
    /// Memory ran out.
    pub fn predeclare_module(&mut self, key: &str) -> Result<(), Diagnostic> {
        self.machine.predeclare_module(key).map_err(|failure| self.machine.diagnose(*failure))
    }

    /// Runs a module. Its globals are frozen and kept under `key`, which is also the name that errors show.
    ///
    /// # Errors
    /// All that is wrong with the text, or the error that ended the run.
    pub fn run(&mut self, key: &str, text: impl Into<String>) -> Result<(), Vec<Diagnostic>> {
        self.machine.run_module(key, &SourceFile::new(key, text))
    }

    /// Lets programs collect this many times from now on; one that would have to collect once more is ended with an
    /// error. As a collection is due whenever so many bytes have been allocated, that bounds what a program
    /// allocates in all; in checking mode, where one is due at every call and in every round of a loop, it bounds the
    /// time it may take.
    pub fn limit_collections(&mut self, collections: u64) {
        self.machine.limit_collections(collections);
    }

    /// A flag for other threads and for signal handlers: when it is set, the program that runs is ended with an error
    /// at its next call or round of a loop, and the flag is cleared. The engine stays usable.
    pub fn interrupt(&self) -> Arc<AtomicBool> {
        self.machine.interrupt()
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
    // of the crate no function has two machines.
    unsafe { Heap::unbranded(config) }
}
