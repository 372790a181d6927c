//! Roots: what a host keeps from one session to the next, beside the arena's own root.

use std::cell::RefCell;
use std::fmt;
use std::marker::PhantomData;
use std::num::NonZeroUsize;
use std::rc::Rc;

use super::Named;
use super::gc::Gc;
use super::session::{Session, word};
use super::trace::{Object, ObjectFamily};
use crate::roots::Handle;

/// Keeps an object alive from session to session, until it is dropped. [`Session::root`] makes it, [`Session::get`]
/// gives the object back.
///
/// It borrows nothing: it may be kept anywhere, dropped in any order, also after its arena, and forgotten, which keeps
/// the object alive as long as the arena.
///
/// ```
/// use frazil::arena::{Arena, Root};
///
/// let mut arena = Arena::<()>::new(|_| ());
/// let kept: Root<str> = arena.enter(|s, _| s.root(s.str("kept")));
/// arena.collect();
/// arena.enter(|s, _| assert_eq!(&*s.get(&kept), "kept"));
/// ```
pub struct Root<F: ?Sized + ObjectFamily> {
    /// The number of the heap's handle.
    handle: usize,
    returned: Rc<Returned>,
    of: Named<F>,
}

/// Handles whose roots were dropped since the last session or collection.
#[derive(Default)]
pub(super) struct Returned(RefCell<Vec<usize>>);

impl Returned {
    pub fn take(&self) -> Vec<usize> {
        self.0.take()
    }
}

impl<F: ?Sized + ObjectFamily> Drop for Root<F> {
    fn drop(&mut self) {
        self.returned.0.borrow_mut().push(self.handle);
    }
}

impl<F: ?Sized + ObjectFamily> fmt::Debug for Root<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "root {}", self.handle)
    }
}

impl<'gc> Session<'gc> {
    /// Keeps `object` alive beyond the session, as long as the root lives.
    ///
    /// # Panics
    /// A frame is open ([`Session::frame`]).
    pub fn root<T: ?Sized + Object<'gc>>(&self, object: Gc<'gc, T>) -> Root<T::Family> {
        self.forbid_in_frame("a root");
        let handle = self.inner.heap.root(word(object)).index;
        Root { handle, returned: Rc::clone(&self.inner.returned), of: PhantomData }
    }

    /// The object of a root.
    ///
    /// # Panics
    /// The root belongs to another arena.
    pub fn get<F: ?Sized + ObjectFamily>(&self, root: &Root<F>) -> Gc<'gc, F::Of<'gc>> {
        assert!(Rc::ptr_eq(&root.returned, &self.inner.returned), "a root of another arena");
        let handle = Handle { index: root.handle, brand: PhantomData };
        let bits = self.inner.heap.rooted(&handle).bits() as usize;
        let address = NonZeroUsize::new(bits).expect("a root holds an object until it is dropped");
        // SAFETY: the object of type `F::Of<'_>` that was rooted; every collection brought the word up to date.
        unsafe { Gc::from_address(address) }
    }
}
