//! Frozen objects that several arenas have in common, each on a thread of its own.
//!
//! Sharing copies nothing. An object that is counted, with all it refers to, is never written again, so every thread may
//! read it; who still needs it, the arenas of a [`Group`] tell each other when they collect. Numbers of types belong to
//! the process, so the other arena's collector reads the same headers. Two things in an object would not mean the same
//! over there. A [`Weak`](super::Weak) pointer knows its arena, and leads nowhere in another. And plain data of other
//! crates ([`Static`](super::Static), `&'static`) must be `Sync`.

use std::fmt;
use std::marker::PhantomData;
use std::num::NonZeroUsize;

use super::gc::Gc;
use super::root::Root;
use super::session::{Session, word};
use super::trace::{Family, Object, ObjectFamily};
use super::types::{self, Typed};
use super::{Arena, Inner, Named};
use crate::exchange::group::Group as HeapGroup;
use crate::exchange::shared::{ShareError as HeapShareError, Shared as HeapShared};
use crate::pacing::Request;
use crate::tuning::{Config, ConfigError};

/// Arenas that may share what is frozen. Clones are the same group.
///
/// ```
/// use frazil::arena::{Gc, Group, Shared, Trace};
///
/// #[derive(Trace)]
/// struct Rule<'gc> {
///     name: Gc<'gc, str>,
///     needs: Option<Gc<'gc, Rule<'gc>>>,
/// }
///
/// let group = Group::new();
/// let mut arena = group.arena::<()>(|_| ());
/// let link = arena.enter(|s, _| {
///     let compile = s.alloc(Rule { name: s.str("compile"), needs: None });
///     s.root(s.alloc(Rule { name: s.str("link"), needs: Some(compile) }))
/// });
/// let shared: Shared<Rule<'static>> = arena.share(&link).unwrap();
///
/// let needed = std::thread::spawn(move || {
///     let mut arena = group.arena::<()>(|_| ());
///     arena.enter(|s, _| s.import(&shared).needs.unwrap().name.to_string()) // no copy but this one
/// });
/// assert_eq!(needed.join().unwrap(), "compile");
/// ```
#[derive(Clone, Debug)]
pub struct Group(HeapGroup<Typed>);

impl Default for Group {
    fn default() -> Self {
        Group::new()
    }
}

impl Group {
    /// A group without arenas. Those that it makes have the settings of [`Arena::CONFIG`].
    pub fn new() -> Group {
        Group::with_config(Arena::<()>::CONFIG).expect("the settings agree")
    }

    /// The same with other settings.
    ///
    /// # Errors
    /// The settings do not agree.
    pub fn with_config(config: Config) -> Result<Group, ConfigError> {
        HeapGroup::new(config).map(Group)
    }

    /// An arena of this group, with a root. When it is dropped, what others hold of it lives on.
    ///
    /// # Panics
    /// The system gives no memory, or `root` panics.
    pub fn arena<R: Family>(&self, root: impl for<'gc> FnOnce(&mut Session<'gc>) -> R::Of<'gc>) -> Arena<R> {
        self.try_arena(root).expect("the system gives memory")
    }

    /// An arena of this group, with a root.
    ///
    /// # Errors
    /// The system gives no memory.
    ///
    /// # Panics
    /// `root` does, or there is no memory for it.
    pub fn try_arena<R: Family>(
        &self,
        root: impl for<'gc> FnOnce(&mut Session<'gc>) -> R::Of<'gc>,
    ) -> Result<Arena<R>, ConfigError> {
        // SAFETY: the heap is the arena's own; what leaves it carries the brand of a session, or is checked.
        let heap = unsafe { self.0.unbranded(self.0.config().clone()) }?;
        Ok(Arena::on(Inner::new(heap), root))
    }

    /// How many arenas have ended of which somebody still holds something, and nobody has taken over the memory.
    pub fn orphans(&self) -> usize {
        self.0.orphans()
    }
}

/// A frozen object, with all that it refers to, for any arena of the group, on any thread. [`Arena::share`] makes it,
/// [`Session::import`] gives the object.
///
/// It may be cloned, sent and kept anywhere; all clones together count as one reference.
pub struct Shared<F: ?Sized + ObjectFamily> {
    shared: HeapShared<Typed>,
    of: Named<F>,
}

impl<F: ?Sized + ObjectFamily> Clone for Shared<F> {
    fn clone(&self) -> Self {
        Shared { shared: self.shared.clone(), of: PhantomData }
    }
}

impl<F: ?Sized + ObjectFamily> fmt::Debug for Shared<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shared.fmt(f)
    }
}

/// Why an object cannot be shared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShareError {
    /// The arena belongs to no [`Group`].
    Alone,
    /// Something mutable can be reached.
    Mutable {
        /// The types of the objects on the way there: that of the object itself first, that of the mutable one last. Of a
        /// slice, that of its elements. There is no shorter way.
        path: Vec<&'static str>,
    },
    /// It is frozen throughout, but no collection has seen that yet.
    Unsettled,
}

impl From<HeapShareError> for ShareError {
    fn from(error: HeapShareError) -> Self {
        match error {
            HeapShareError::Alone => ShareError::Alone,
            HeapShareError::Unsettled => ShareError::Unsettled,
            HeapShareError::Mutable { shape_ids, .. } => {
                ShareError::Mutable { path: shape_ids.into_iter().map(types::name).collect() }
            }
        }
    }
}

impl fmt::Display for ShareError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ShareError::Alone => f.write_str("the arena belongs to no group"),
            ShareError::Unsettled => f.write_str("a collection has to settle the object first"),
            ShareError::Mutable { path } => {
                write!(
                    f,
                    "it is mutable, or leads to something mutable, and has to be frozen: {}",
                    path.join(" -> ")
                )
            }
        }
    }
}
impl std::error::Error for ShareError {}

impl<R: Family> Arena<R> {
    /// Shares the object of a root, which must be immutable throughout ([`Session::freeze_deep`]).
    ///
    /// It takes the same time whatever can be reached, if a collection has settled the object since it was frozen (or
    /// made). Otherwise it collects.
    ///
    /// # Errors
    /// See [`ShareError`]; never [`ShareError::Unsettled`].
    ///
    /// # Panics
    /// The root belongs to another arena.
    pub fn share<F: ?Sized + ObjectFamily>(&mut self, root: &Root<F>) -> Result<Shared<F>, ShareError> {
        for request in [Request::Auto, Request::Complete] {
            match self.enter(|s, _| s.share_root(root)) {
                Err(ShareError::Unsettled) => self.collect_as(request),
                result => return result,
            };
        }
        self.enter(|s, _| s.share_root(root))
    }
}

impl<'gc> Session<'gc> {
    /// Shares an object that is immutable throughout, if a collection has seen that already.
    ///
    /// # Errors
    /// See [`ShareError`].
    pub fn share<T: ?Sized + Object<'gc>>(
        &self,
        object: Gc<'gc, T>,
    ) -> Result<Shared<T::Family>, ShareError> {
        let shared = self.inner.heap.share_settled(word(object))?;
        Ok(Shared { shared, of: PhantomData })
    }

    fn share_root<F: ?Sized + ObjectFamily>(&self, root: &Root<F>) -> Result<Shared<F>, ShareError> {
        let shared = self.inner.heap.share_settled(word(self.get(root)))?;
        Ok(Shared { shared, of: PhantomData })
    }

    /// The object of a handle. It is this arena's like any other: to be kept, it has to be reachable from a root.
    ///
    /// # Panics
    /// It was shared in another group.
    pub fn import<F: ?Sized + ObjectFamily>(&self, shared: &Shared<F>) -> Gc<'gc, F::Of<'gc>> {
        let bits = self.inner.heap.import(shared.shared.clone()).bits() as usize;
        let address = NonZeroUsize::new(bits).expect("an object was shared");
        // SAFETY: an object of type `F::Of<'_>` of an arena of this group. It is frozen, as all that it refers to, so it
        // is the same under every brand, and on every thread; the heap keeps it alive until the next collection.
        unsafe { Gc::from_address(address) }
    }
}
