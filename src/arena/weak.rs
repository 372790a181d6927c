//! Weak pointers, and the news of deaths.

use std::cell::RefCell;
use std::fmt;
use std::marker::PhantomData;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};

use super::gc::Gc;
use super::session::{Session, heap_object};
use super::trace::{Family, Layout, Object, ObjectFamily, Trace};
use super::types::Typed;
use super::{Arena, Brand};
use crate::heap::Heap;
use crate::weak::Weak as HeapWeak;

/// A pointer that does not keep its object alive. It may lie in objects. [`Session::weak`] makes it,
/// [`Session::upgrade`] gives the object, if a collection has not found it dead.
///
/// It takes an entry in a table for as long as its object lives; keep one instead of making many. The table is the
/// arena's: if an object with a weak pointer is shared, the pointer leads nowhere in other arenas. One to an object of
/// another arena keeps that alive, for only its own arena will know when it has died.
pub struct Weak<'gc, T: ?Sized> {
    /// The arena's number: others have entries of their own.
    arena: u64,
    entry: u32,
    /// Tells it from those that had the entry before.
    generation: u32,
    brand: Brand<'gc>,
    to: PhantomData<*const T>,
}

impl<T: ?Sized> Clone for Weak<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T: ?Sized> Copy for Weak<'_, T> {}

impl<T: ?Sized> fmt::Debug for Weak<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "weak {}.{}", self.entry, self.generation)
    }
}

impl<F: ?Sized + ObjectFamily> Family for Weak<'static, F> {
    type Of<'gc> = Weak<'gc, F::Of<'gc>>;
}
// SAFETY: numbers.
unsafe impl<'gc, T: ?Sized + Object<'gc>> Trace<'gc> for Weak<'gc, T> {
    type Family = Weak<'static, T::Family>;
    const LAYOUT: Layout = Layout::None;
    const MUTABLE: bool = false;
}

/// The number of the next arena.
static NEXT_ARENA: AtomicU64 = AtomicU64::new(0);

/// What weak pointers stand for: entries of the heap, which are used again.
pub(super) struct Entries {
    arena: u64,
    /// How often each entry was given out before.
    generations: RefCell<Vec<u32>>,
}

impl Default for Entries {
    fn default() -> Entries {
        Entries { arena: NEXT_ARENA.fetch_add(1, Ordering::Relaxed), generations: RefCell::default() }
    }
}

impl Entries {
    fn insert(&self, weak: HeapWeak<'static>) -> (u32, u32) {
        let entry = u32::try_from(weak.number).expect("fewer than 2^32 weak pointers");
        let mut generations = self.generations.borrow_mut();
        if generations.len() <= weak.number {
            generations.resize(weak.number + 1, 0);
        }
        (entry, generations[weak.number])
    }

    /// The heap's weak reference for an entry, if that still stands for what it stood for in this generation.
    fn get(&self, entry: u32, generation: u32) -> Option<HeapWeak<'static>> {
        let known = self.generations.borrow().get(entry as usize) == Some(&generation);
        known.then_some(HeapWeak { number: entry as usize, brand: PhantomData })
    }

    /// After a collection: the entries of dead objects become free. One whose generations are used up never does.
    pub fn sweep(&mut self, heap: &Heap<'static, Typed>) {
        for number in heap.cleared() {
            let generation = &mut self.generations.get_mut()[number];
            if let Some(next) = generation.checked_add(1) {
                *generation = next;
                heap.forget_weak(HeapWeak { number, brand: PhantomData });
            }
        }
    }
}

impl<'gc> Session<'gc> {
    /// A pointer that does not keep `object` alive.
    ///
    /// # Panics
    /// A frame is open ([`Session::frame`]).
    pub fn weak<T: ?Sized + Object<'gc>>(&self, object: Gc<'gc, T>) -> Weak<'gc, T> {
        self.forbid_in_frame("a weak pointer");
        let (entry, generation) = self.inner.weak.insert(self.inner.heap.weak(heap_object(object)));
        Weak { arena: self.inner.weak.arena, entry, generation, brand: PhantomData, to: PhantomData }
    }

    /// The object of a weak pointer, unless a collection found it dead, or the pointer was made in another arena.
    pub fn upgrade<T: ?Sized + Object<'gc>>(&self, weak: Weak<'gc, T>) -> Option<Gc<'gc, T>> {
        if weak.arena != self.inner.weak.arena {
            return None;
        }
        let entry = self.inner.weak.get(weak.entry, weak.generation)?;
        let object = self.inner.heap.upgrade(&entry)?;
        let bits = crate::value::Value::from(object).bits() as usize;
        // SAFETY: the entry is this arena's, and still stands for the object of type `T` that it was made for.
        NonZeroUsize::new(bits).map(|address| unsafe { Gc::from_address(address) })
    }

    /// When `object` has died, [`Arena::next_dead`] is to tell `token`: the number of a file that belongs to it, say.
    /// Nothing of the host runs inside a collection. Once for each call.
    ///
    /// # Panics
    /// A frame is open ([`Session::frame`]); or the arena belongs to a [`Group`](super::Group), and a collection has found the
    /// object immutable, so that another thread may be reading it: watch it when it is new.
    pub fn watch<T: ?Sized + Object<'gc>>(&self, object: Gc<'gc, T>, token: u64) {
        self.forbid_in_frame("a watch");
        self.inner.heap.finalize(heap_object(object), token);
    }
}

impl<R: Family> Arena<R> {
    /// The token of the next object that was watched and has died. Its memory goes with the collection after the next.
    pub fn next_dead(&mut self) -> Option<u64> {
        self.inner.heap.next_finalizable().map(|(_, token)| token)
    }
}
