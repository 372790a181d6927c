//! The pointer: one word, copied freely, read like a reference.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::num::NonZeroUsize;
use std::ops::Deref;

use super::Brand;
use super::trace::{Family, Layout, Object, ObjectFamily, Trace, header_before};
use crate::shape::MUTABLE;

/// A pointer to an object of the arena of brand `'gc`.
///
/// It is `Copy` and one word large, also for slices and `str`, whose length the object knows. It dereferences to the
/// object at the cost of a reference: the machine code is the same. It is good for the session it comes from, in which
/// nothing moves; to keep an object longer, refer to it from the arena's root, or make a [`Root`](super::Root).
///
/// Like those of `Rc`, comparisons and hashes are those of the object. Identity is [`Gc::ptr_eq`].
///
/// A pointer does not leave its session:
///
/// ```compile_fail,E0521
/// use frazil::arena::Arena;
/// let mut arena = Arena::<u32>::new(|_| 1);
/// let mut kept = None;
/// arena.enter(|_, root| kept = Some(root));
/// ```
#[repr(transparent)]
pub struct Gc<'gc, T: ?Sized> {
    /// Where the value begins, behind the object's header.
    address: NonZeroUsize,
    brand: Brand<'gc>,
    to: PhantomData<*const T>,
}

impl<T: ?Sized> Clone for Gc<'_, T> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}
impl<T: ?Sized> Copy for Gc<'_, T> {}

impl<'gc, T: ?Sized> Gc<'gc, T> {
    /// # Safety
    /// An object of type `T` with its value at `address` lives in the arena of brand `'gc`.
    #[inline(always)]
    pub(super) unsafe fn from_address(address: NonZeroUsize) -> Self {
        Gc { address, brand: PhantomData, to: PhantomData }
    }

    #[inline(always)]
    pub(super) fn address(self) -> NonZeroUsize {
        self.address
    }

    /// Do both lead to the same object?
    #[inline(always)]
    pub fn ptr_eq(this: Self, other: Self) -> bool {
        this.address == other.address
    }

    /// May fields of the object be set? Immutable objects and frozen ones may not.
    #[inline(always)]
    pub fn is_mutable(this: Self) -> bool {
        // SAFETY: a `Gc` leads to an object, which has a header.
        unsafe { header_before(this.address) }.has(MUTABLE)
    }
}

impl<'gc, T: ?Sized + Object<'gc>> Gc<'gc, T> {
    /// The object, for as long as the session lasts.
    #[inline(always)]
    #[expect(
        clippy::should_implement_trait,
        reason = "it has no receiver, and lives longer than the trait's would"
    )]
    pub fn as_ref(this: Self) -> &'gc T {
        // SAFETY: the object lives, and stays where it is, until the session ends, which `'gc` does not outlast. Its
        // parts that are not in cells are not written meanwhile: a `Unique`, which could, is never copied.
        unsafe { &*T::at(this.address) }
    }
}

impl<'gc, T: ?Sized + Object<'gc>> Deref for Gc<'gc, T> {
    type Target = T;
    #[inline(always)]
    fn deref(&self) -> &T {
        Gc::as_ref(*self)
    }
}

impl<'gc, T: ?Sized + Object<'gc>> Borrow<T> for Gc<'gc, T> {
    fn borrow(&self) -> &T {
        self
    }
}

impl<F: ?Sized + ObjectFamily> Family for Gc<'static, F> {
    type Of<'gc> = Gc<'gc, F::Of<'gc>>;
}
// SAFETY: one word that is a reference. What it leads to is no part of it.
unsafe impl<'gc, T: ?Sized + Object<'gc>> Trace<'gc> for Gc<'gc, T> {
    type Family = Gc<'static, T::Family>;
    const LAYOUT: Layout = Layout::Map(1);
    const MUTABLE: bool = false;
    const NULLABLE: bool = true;
}

impl<'gc, T: ?Sized + Object<'gc> + fmt::Debug> fmt::Debug for Gc<'gc, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
impl<'gc, T: ?Sized + Object<'gc> + fmt::Display> fmt::Display for Gc<'gc, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
impl<'gc, T: ?Sized + Object<'gc> + PartialEq> PartialEq for Gc<'gc, T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}
impl<'gc, T: ?Sized + Object<'gc> + Eq> Eq for Gc<'gc, T> {}
impl<'gc, T: ?Sized + Object<'gc> + PartialOrd> PartialOrd for Gc<'gc, T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (**self).partial_cmp(&**other)
    }
}
impl<'gc, T: ?Sized + Object<'gc> + Ord> Ord for Gc<'gc, T> {
    fn cmp(&self, other: &Self) -> Ordering {
        (**self).cmp(&**other)
    }
}
impl<'gc, T: ?Sized + Object<'gc> + Hash> Hash for Gc<'gc, T> {
    /// The hash of the object, not of its address, which changes.
    fn hash<S: Hasher>(&self, state: &mut S) {
        (**self).hash(state)
    }
}
