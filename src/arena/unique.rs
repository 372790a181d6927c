//! Objects that nobody else knows yet: they may be changed in place, whatever their type.

use std::fmt;
use std::ops::{Deref, DerefMut};

use super::gc::Gc;
use super::session::Session;
use super::trace::{Object, Trace};

/// A new object that has not been shared: it is read and written like a `Box`, in place, and without any check.
/// [`Unique::share`] makes an ordinary [`Gc`] of it, after which only its cells may change.
///
/// That nobody else has it, the type proves: it is not `Copy`, and lies in no object.
///
/// ```
/// use frazil::arena::Arena;
///
/// let mut arena = Arena::<()>::new(|_| ());
/// arena.enter(|s, _| {
///     let mut primes = s.unique_slice(10, |_| 0u32);
///     primes[0] = 2;
///     primes[1..].copy_from_slice(&[3, 5, 7, 11, 13, 17, 19, 23, 29]);
///     let shared = primes.share();
///     assert_eq!(shared.iter().sum::<u32>(), 129);
/// });
/// ```
pub struct Unique<'gc, T: ?Sized> {
    object: Gc<'gc, T>,
}

impl<'gc, T: ?Sized + Object<'gc>> Unique<'gc, T> {
    /// The object, for everybody. From now on it does not change but for its cells.
    #[inline(always)]
    pub fn share(self) -> Gc<'gc, T> {
        self.object
    }
}

impl<'gc, T: ?Sized + Object<'gc>> Deref for Unique<'gc, T> {
    type Target = T;
    #[inline(always)]
    fn deref(&self) -> &T {
        Gc::as_ref(self.object)
    }
}

impl<'gc, T: ?Sized + Object<'gc>> DerefMut for Unique<'gc, T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the object lives until the session ends, and this is the only way to it.
        unsafe { &mut *T::at(self.object.address()).cast_mut() }
    }
}

impl<'gc, T: ?Sized + Object<'gc> + fmt::Debug> fmt::Debug for Unique<'gc, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<'gc> Session<'gc> {
    /// Makes an object that may be changed until it is shared.
    ///
    /// # Panics
    /// Memory runs out.
    #[inline(always)]
    pub fn unique<T: Trace<'gc>>(&self, value: T) -> Unique<'gc, T> {
        Unique { object: self.alloc(value) }
    }

    /// Makes a slice that may be changed until it is shared.
    ///
    /// # Panics
    /// Memory runs out, the slice is larger than 4 GiB, or `value` panics.
    pub fn unique_slice<T: Trace<'gc>>(&self, len: usize, value: impl FnMut(usize) -> T) -> Unique<'gc, [T]> {
        Unique { object: self.slice_with(len, value) }
    }
}
