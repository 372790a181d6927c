//! Arenas: data structures in plain Rust on a heap that collects, with nothing unsafe and no barrier.
//!
//! ```
//! use frazil::arena::{Arena, Cell, Gc, Trace};
//!
//! #[derive(Trace)]
//! struct Task<'gc> {
//!     name: Gc<'gc, str>,
//!     needs: Cell<Option<Gc<'gc, Task<'gc>>>>,
//! }
//!
//! let mut arena = Arena::<Task<'static>>::new(|s| Task { name: s.str("link"), needs: Cell::new(None) });
//! arena.enter(|s, link| {
//!     let compile = s.alloc(Task { name: s.str("compile"), needs: Cell::new(Some(link)) });
//!     s.set(link, Task::NEEDS, Some(compile)); // a cycle, as it happens
//! });
//! arena.collect();
//! arena.enter(|_, link| {
//!     let compile = link.needs.get().unwrap();
//!     assert_eq!(format!("{} needs {}", link.name, compile.name), "link needs compile");
//! });
//! ```
//!
//! # The model
//!
//! * An [`Arena`] owns objects. Between sessions it may collect: `collect` takes `&mut self`, and moves what survives.
//! * In a **session**, [`Arena::enter`], nothing moves and nothing is freed. Pointers are [`Gc`], one word, `Copy`, and
//!   dereference like references. They carry the session's brand `'gc`, so none gets out, and none of one arena
//!   into another.
//! * What survives a session hangs on the arena's root, or on a [`Root`] of its own. [`Weak`] pointers keep nothing alive.
//! * `#[derive(Trace)]` tells the collector where a type has pointers. Most types are immutable. A type with a
//!   [`Cell`] in it is mutable, and [`Session::set`] sets it. Objects can be **frozen**, in place and for good.
//! * One arena, one thread. What is frozen can be [`Shared`] among the arenas of a [`Group`], without a copy.
//! * Nothing in an arena is dropped. What owns something outside (a file, a `String`) stays outside.
//!
//! Words for those who come from `gc-arena`: `enter` is `mutate`, [`Session`] is `Mutation`, [`Trace`] is `Collect`,
//! [`Root`] is a stashed dynamic root. There is no `Write`, no `Lock`, no `unlock!`, no `Rootable!`: the type
//! `Task<'static>` names the family of all `Task<'gc>`.
//!
//! The [`guide`] has all this at length. How it works and why it is sound: NOTES.md, *Arenas*.

mod cell;
pub mod collections;
mod erased;
mod frame;
mod gc;
pub mod guide;
pub mod persistent;
mod plain;
mod root;
mod session;
mod shared;
mod trace;
mod types;
mod unique;
mod weak;

use std::marker::PhantomData;
use std::ops::ControlFlow;
use std::rc::Rc;

use crate::heap::Heap;
use crate::pacing::Request;
use crate::roots::Handle;
use crate::stats::{Report, Stats};
use crate::tuning::{Config, ConfigError};
use crate::verify::Violation;

pub use cell::{Cell, Field, SetError};
pub use erased::{Erasable, ErasableFamily, Erased};
pub use frame::Outer;
pub use frazil_derive::Trace;
pub use gc::Gc;
pub use plain::Static;
pub use root::Root;
pub use session::Session;
pub use shared::{Group, ShareError, Shared};
pub use trace::{Family, Layout, Object, ObjectFamily, Trace, ask};
pub use unique::Unique;
pub use weak::Weak;

/// Invariant in the brand, neither `Send` nor `Sync`.
type Brand<'gc> = PhantomData<(std::cell::Cell<&'gc ()>, *const ())>;

/// What goes by the name of the family `F`. Invariant: two families of which one is a subtype of the other
/// (`F<for<'a> fn(&'a u8)>` and `F<fn(&'static u8)>`) may stand for types that have nothing in common.
type Named<F> = PhantomData<fn(*const F) -> *const F>;

/// A heap of objects of any [`Trace`] types, with one root of type `R`: named by its family, `Arena<Task<'static>>`.
pub struct Arena<R: Family> {
    inner: Inner,
    root: Handle<'static>,
    of: Named<R>,
}

/// What a session refers to.
struct Inner {
    heap: Heap<'static, types::Typed>,
    headers: types::Headers,
    returned: Rc<root::Returned>,
    weak: weak::Entries,
    frame: std::cell::Cell<Option<frame::Open>>,
}

impl Inner {
    fn new(heap: Heap<'static, types::Typed>) -> Inner {
        let (headers, returned, weak) = Default::default();
        Inner { heap, headers, returned, weak, frame: std::cell::Cell::new(None) }
    }
}

impl<R: Family> std::fmt::Debug for Arena<R> {
    /// How much the last collection has left. (What is in the root, a session may show.)
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Arena").field(&self.inner.heap).finish()
    }
}

impl<R: Family> Arena<R> {
    /// An arena with the settings of [`Arena::CONFIG`] and a root.
    ///
    /// # Panics
    /// The system gives no memory, or `root` panics.
    pub fn new(root: impl for<'gc> FnOnce(&mut Session<'gc>) -> R::Of<'gc>) -> Arena<R> {
        Arena::with_config(Arena::<R>::CONFIG, root).expect("the settings agree, and the system gives memory")
    }

    /// The settings of an ordinary arena: those of a heap, with short collections.
    ///
    /// No collection interrupts a session, and what it allocates beyond the nursery takes new memory from the system: so the
    /// nursery is twice as large as elsewhere.
    pub const CONFIG: Config = Config {
        nursery_bytes: 2 * Config::DEFAULT.nursery_bytes,
        nursery_growth: Config::DEFAULT.nursery_growth / 2,
        short_collections: true,
        stack_words: 0,
        ..Config::DEFAULT
    };

    /// An arena with a root.
    ///
    /// # Errors
    /// The settings do not agree, or the system gives no memory.
    ///
    /// # Panics
    /// `root` does, or there is no memory for it.
    pub fn with_config(
        config: Config,
        root: impl for<'gc> FnOnce(&mut Session<'gc>) -> R::Of<'gc>,
    ) -> Result<Arena<R>, ConfigError> {
        // SAFETY: the heap is the arena's own; what leaves it carries the brand of a session, or is checked.
        let heap = unsafe { Heap::unbranded(config) }?;
        Ok(Arena::on(Inner::new(heap), root))
    }

    fn on(inner: Inner, root: impl for<'gc> FnOnce(&mut Session<'gc>) -> R::Of<'gc>) -> Arena<R> {
        let mut session = Session::new(&inner);
        let value = root(&mut session);
        let object = session.alloc(value);
        let root = inner.heap.root(session::word(object));
        Arena { inner, root, of: PhantomData }
    }

    /// A session: `f` works on the arena's objects. Nothing that belongs to them can be returned.
    pub fn enter<T>(&mut self, f: impl for<'gc> FnOnce(&mut Session<'gc>, Gc<'gc, R::Of<'gc>>) -> T) -> T {
        self.take_back();
        let root = self.inner.heap.rooted(&self.root).bits() as usize;
        let root = std::num::NonZeroUsize::new(root).expect("the root is an object");
        // SAFETY: the root's handle holds an object of this type from beginning to end.
        f(&mut Session::new(&self.inner), unsafe { Gc::from_address(root) })
    }

    /// Holds sessions until one breaks off, and a collection between two of them when one is due.
    pub fn run<T>(
        &mut self,
        mut f: impl for<'gc> FnMut(&mut Session<'gc>, Gc<'gc, R::Of<'gc>>) -> ControlFlow<T>,
    ) -> T {
        loop {
            if let ControlFlow::Break(result) = self.enter(&mut f) {
                return result;
            }
            self.collect_if_due();
        }
    }

    /// Collects everything that cannot be reached from the root, from a [`Root`], or from what waits to be told dead.
    pub fn collect(&mut self) -> Report {
        self.collect_as(Request::Complete)
    }

    /// Collects if enough was allocated since the last time: the call for every place between two sessions.
    pub fn collect_if_due(&mut self) -> Option<Report> {
        self.inner.heap.should_collect().then(|| self.collect_as(Request::Auto))
    }

    /// Collects.
    pub fn collect_as(&mut self, request: Request) -> Report {
        self.take_back();
        let report = self.inner.heap.collect(request);
        self.inner.weak.sweep(&self.inner.heap);
        report
    }

    /// Everything the collections did so far.
    pub fn stats(&self) -> &Stats {
        self.inner.heap.stats()
    }

    /// Checks every invariant of the heap, as it must hold directly after a collection.
    ///
    /// # Errors
    /// The first one found broken.
    pub fn verify(&mut self) -> Result<(), Violation> {
        self.inner.heap.verify()
    }

    /// For tests of what a host does when memory runs out: see [`Heap::refuse_memory_after`].
    pub fn refuse_memory_after(&self, requests: usize) {
        self.inner.heap.refuse_memory_after(requests);
    }

    /// Ends the handles of roots that were dropped.
    fn take_back(&mut self) {
        for index in self.inner.returned.take() {
            self.inner.heap.unroot(Handle { index, brand: PhantomData });
        }
    }
}
