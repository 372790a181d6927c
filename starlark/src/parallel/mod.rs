//! Several threads for one engine.
//!
//! ```
//! use std::sync::Arc;
//! use frazil_starlark::{CONFIG, Engine, Library, Loader, syntax::Dialect};
//!
//! /// Modules that compute something for others.
//! struct Modules;
//!
//! impl Loader for Modules {
//!     fn resolve(&self, name: &str, _from: &str) -> Result<String, String> { Ok(name.to_owned()) }
//!
//!     fn read(&self, key: &str) -> Result<String, String> {
//!         Ok(format!("def f(x): return x + len('{key}')\nvalues = [f(x) for x in range(3)]\nprint('{key}')"))
//!     }
//! }
//!
//! let dialect = Dialect { parallel_map: true, ..Dialect::STANDARD };
//! let setup = |engine: &mut Engine| engine.library(Library::Json);
//! let mut engine = Engine::parallel(CONFIG, dialect, Arc::new(Modules), 4, setup).unwrap();
//! engine.run("main", "
//! load('a', a = 'values')
//! load('bcd', 'f', b = 'values')
//! both = [a, b]
//! mapped = parallel_map(f, range(3))
//! ").unwrap();
//! assert_eq!(engine.get_global::<Vec<Vec<i64>>>("main", "both").unwrap(), [[1, 2, 3], [3, 4, 5]]);
//! assert_eq!(engine.get_global::<Vec<i64>>("main", "mapped").unwrap(), [3, 4, 5]);
//! ```
//!
//! An [`Engine`](crate::Engine) and its values belong to one thread: neither is `Send`. But one that was made with
//! [`Engine::parallel`](crate::Engine::parallel) has *helpers*, threads with a heap each in the same group of heaps. They
//! begin when there is something to do for them, and end, with all that they have made taken over by the heap of the engine,
//! before the engine's method returns. So between two calls there is one heap, and an embedding program sees no difference.
//!
//! **Modules.** [`Engine::run`](crate::Engine::run) and [`Engine::run_all`](crate::Engine::run_all) read and evaluate what a
//! program loads on all threads, each module once, and share what is frozen without a copy. A module is evaluated when all
//! that it loads has been, wherever in it the `load` statements stand. Results, what is printed, warnings and errors
//! are those of a run that loads one module after the other, and the same in every run. What *could* differ:
//!
//! - Modules behind the first error may have been begun: the host's functions may notice.
//! - A program may take [`Limits::steps`](crate::Limits) steps in all, and so may each module by itself: a program that takes
//!   more ends with an error where the module that was one too many is loaded.
//! - [`Config::limit_bytes`](frazil::Config) bounds the heap of the engine; each helper's heap gets an equal part of it.
//!
//! **`parallel_map(f, xs)`** is there if the [dialect](crate::syntax::Dialect::parallel_map) has it, in every engine. It gives
//! what `[f(x) for x in xs]` does, on all threads. The function and the elements must be frozen: a function of a
//! loaded module is, and one of a module that is being run is not as long as it uses globals of it. What the function
//! returns is frozen. Errors are those of the first element that fails. The host's functions, asked for the [active
//! calls](crate::Cx::call_stack), see those for the element.
//!
//! **The host's functions** run on the thread where they are called, so each thread's engine has its own: the setup that is
//! handed to [`Engine::parallel`](crate::Engine::parallel) makes them. What is predeclared later in the engine itself, a
//! prelude for example, is shared, which it must be fit for; but functions cannot be added later. Values of the host's own
//! types stay on their thread: a module whose globals hold one can be run, and not loaded, and `parallel_map` refuses
//! them.
//!
//! **What it costs.** A thread has a nursery of its own, so memory grows by [`Config::nursery_bytes`](frazil::Config) for each; what
//! modules leave is there once. Sharing a module takes one collection when it is over, which the next module is spared. The
//! example `graph` measures both beside what as many processes get done.
//!
//! Reading order: `plan` (which module when), `graph` (modules on threads), `map`, `team` (threads), `codebook` (how functions
//! find their code), `unit` and `record` (calling off, and telling in order), `refuse` (what cannot be shared).

mod codebook;
mod graph;
mod map;
mod plan;
mod record;
mod refuse;
mod team;
mod unit;

use std::sync::Arc;

use frazil::Config;

use crate::machine::Loader;

pub(crate) use codebook::Codebook;
pub(crate) use graph::{Graph, Root, run};
pub(crate) use map::{MAP, map_call};
pub(crate) use plan::{Arranged, Fault};
pub(crate) use record::{Event, Record};
pub(crate) use team::{Recipe, Seat, Team};
pub(crate) use unit::Unit;

/// The least that a heap may be limited to.
const LIMIT_MIN: usize = 256 << 10;

/// The settings of a helper's heap.
pub(crate) fn helper_config(config: &Config, jobs: usize) -> Config {
    let part = |limit: usize| (limit / jobs.max(1)).max(LIMIT_MIN);
    Config { limit_bytes: config.limit_bytes.map(part), ..config.clone() }
}

impl<T: Loader + ?Sized> Loader for Arc<T> {
    fn resolve(&self, name: &str, from: &str) -> Result<String, String> {
        (**self).resolve(name, from)
    }

    fn read(&self, key: &str) -> Result<String, String> {
        (**self).read(key)
    }
}
