//! The types of the standard library that may lie in an arena.

use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

use super::trace::{Family, Layout, Trace, ask};

macro_rules! plain {
    ($($type:ty)*) => {$(
        impl Family for $type {
            type Of<'gc> = $type;
        }
        // SAFETY: no references, no lifetimes, nothing to drop.
        unsafe impl<'gc> Trace<'gc> for $type {
            type Family = $type;
            const LAYOUT: Layout = Layout::None;
            const MUTABLE: bool = false;
        }
    )*};
}
plain! { () bool char u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize f32 f64 std::cmp::Ordering std::time::Duration }

impl<T: ?Sized + Sync + 'static> Family for &'static T {
    type Of<'gc> = &'static T;
}
// SAFETY: it leads to something outside of all arenas that lives for good, holds no brand, and is for all threads.
unsafe impl<'gc, T: ?Sized + Sync + 'static> Trace<'gc> for &'static T {
    type Family = &'static T;
    const LAYOUT: Layout = Layout::None;
    const MUTABLE: bool = false;
}

impl<F: Family> Family for PhantomData<F> {
    type Of<'gc> = PhantomData<F::Of<'gc>>;
}
// SAFETY: it holds nothing.
unsafe impl<'gc, T: Trace<'gc>> Trace<'gc> for PhantomData<T> {
    type Family = PhantomData<T::Family>;
    const LAYOUT: Layout = Layout::None;
    const MUTABLE: bool = false;
}

impl<F: Family> Family for Option<F> {
    type Of<'gc> = Option<F::Of<'gc>>;
}
// SAFETY: the references are those of the value inside, if there is one.
unsafe impl<'gc, T: Trace<'gc>> Trace<'gc> for Option<T> {
    type Family = Option<T::Family>;
    const LAYOUT: Layout = match T::NULLABLE {
        true => T::LAYOUT,
        false => Layout::None.or(T::LAYOUT),
    };
    const MUTABLE: bool = T::MUTABLE;

    #[inline]
    unsafe fn is_reference(this: *const Self, at: usize) -> bool {
        if T::NULLABLE {
            return at == 0;
        }
        // SAFETY: the caller's `this` leads to a value.
        match unsafe { &*this } {
            // SAFETY: a value of type `T`.
            Some(value) => unsafe { ask::<T>(value, std::ptr::from_ref(value).addr() - this.addr(), at) },
            None => false,
        }
    }
}

impl<F: Family, const N: usize> Family for [F; N] {
    type Of<'gc> = [F::Of<'gc>; N];
}
// SAFETY: the references are those of the elements.
unsafe impl<'gc, T: Trace<'gc>, const N: usize> Trace<'gc> for [T; N] {
    type Family = [T::Family; N];
    const LAYOUT: Layout = T::LAYOUT.repeated(size_of::<T>(), N);
    const MUTABLE: bool = T::MUTABLE && N > 0;

    #[inline]
    unsafe fn is_reference(this: *const Self, at: usize) -> bool {
        if size_of::<T>() == 0 {
            return false;
        }
        let element = this.cast::<T>().wrapping_add(at / size_of::<T>());
        // SAFETY: an element of the caller's array.
        unsafe { ask::<T>(element, 0, at % size_of::<T>()) }
    }
}

macro_rules! tuple {
    ($($name:ident $family:ident $index:tt),*) => {
        impl<$($family: Family),*> Family for ($($family,)*) {
            type Of<'gc> = ($($family::Of<'gc>,)*);
        }
        // SAFETY: the references are those of the parts.
        unsafe impl<'gc, $($name: Trace<'gc>),*> Trace<'gc> for ($($name,)*) {
            type Family = ($($name::Family,)*);
            const LAYOUT: Layout = Layout::None$(.with($name::LAYOUT, std::mem::offset_of!(Self, $index)))*;
            const MUTABLE: bool = false $(|| $name::MUTABLE)*;

            #[inline]
            unsafe fn is_reference(this: *const Self, at: usize) -> bool {
                // SAFETY: each part lies at its offset in the caller's value.
                unsafe {
                    false $(|| ask::<$name>(
                        this.wrapping_byte_add(std::mem::offset_of!(Self, $index)).cast(),
                        std::mem::offset_of!(Self, $index),
                        at,
                    ))*
                }
            }
        }
    };
}
tuple!(A FA 0);
tuple!(A FA 0, B FB 1);
tuple!(A FA 0, B FB 1, C FC 2);
tuple!(A FA 0, B FB 1, C FC 2, D FD 3);

/// Plain data of another crate in an arena: no lifetimes, nothing to drop, nothing that changes behind a shared reference.
///
/// Objects may be [shared](super::Shared) among threads, so the data must be `Send` and `Sync`, which excludes the cells of
/// the standard library. Atomics are not excluded: they change when they change, frozen or not, and hold no pointers.
///
/// That nothing is to drop is checked when the first object with it is made: a type that is refused does not compile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Static<T: 'static>(pub T);

impl<T> Deref for Static<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}
impl<T> DerefMut for Static<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}
impl<T: Send + Sync + 'static> Family for Static<T> {
    type Of<'gc> = Static<T>;
}
// SAFETY: nothing `'static` holds a brand; what needs to be dropped is refused when an object is made.
unsafe impl<'gc, T: Send + Sync + 'static> Trace<'gc> for Static<T> {
    type Family = Static<T>;
    const LAYOUT: Layout = Layout::None;
    const MUTABLE: bool = false;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arena::Gc;

    /// What was there before may still lie behind it.
    #[test]
    fn nothing_has_no_pointers() {
        type Pair<'gc> = Option<(u64, Option<Gc<'gc, u64>>)>;
        let nothing: Pair<'_> = None;
        assert_eq!((Pair::LAYOUT, size_of::<Pair<'_>>()), (Layout::Asked, 24));
        // SAFETY: there are so many words.
        assert!((0..24).step_by(8).all(|at| !unsafe { Pair::is_reference(&nothing, at) }));
    }
}
