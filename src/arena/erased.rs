//! Trait objects: a pointer to an object of some type that has a trait.
//!
//! A pointer in an arena is one word, and says nothing of a vtable. So a pointer to a trait object is two: the object,
//! and a function that makes a reference to the trait object of a reference to the object. The collector sees one
//! pointer and one raw word.

use std::fmt;
use std::ops::Deref;

use super::gc::Gc;
use super::trace::{Family, Layout, Trace};

/// A pointer to an object of which only the trait is known: `Erased<'gc, dyn Shape>`. [`erasable!`](crate::erasable)
/// says of a trait that it is used so.
///
/// ```
/// use frazil::arena::{Arena, Erased, Trace};
///
/// trait Shape {
///     fn area(&self) -> f64;
/// }
/// frazil::erasable!(dyn Shape);
///
/// #[derive(Trace)]
/// struct Square(f64);
/// impl Shape for Square {
///     fn area(&self) -> f64 {
///         self.0 * self.0
///     }
/// }
///
/// #[derive(Trace)]
/// struct Pair<'gc>([Erased<'gc, dyn Shape>; 2]);
/// impl Shape for Pair<'_> {
///     fn area(&self) -> f64 {
///         self.0[0].area() + self.0[1].area()
///     }
/// }
///
/// let mut arena = Arena::<Erased<'static, dyn Shape>>::new(|s| {
///     let square: Erased<'_, dyn Shape> = Erased::new(s.alloc(Square(2.0)), |it| it);
///     Erased::new(s.alloc(Pair([square; 2])), |it| it)
/// });
/// arena.collect();
/// arena.enter(|_, root| assert_eq!(root.area(), 8.0));
/// ```
#[repr(C)]
pub struct Erased<'gc, D: ?Sized + 'gc> {
    object: Gc<'gc, ()>,
    /// From the object to the trait object.
    view: unsafe fn(*const ()) -> *const D,
}

impl<D: ?Sized> Clone for Erased<'_, D> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<D: ?Sized> Copy for Erased<'_, D> {}

impl<'gc, D: ?Sized + 'gc> Erased<'gc, D> {
    /// Forgets what `object` is, but for what `view` makes of it: `Erased::new(object, |it| it)`.
    pub fn new<T: Trace<'gc> + 'gc>(object: Gc<'gc, T>, view: for<'a> fn(&'a T) -> &'a D) -> Self {
        // SAFETY: a function that takes a reference to something sized and returns one is called in the same way as one
        // with pointers of the same kinds. It is called only with the address of the object it was made for.
        unsafe {
            let view =
                std::mem::transmute::<for<'a> fn(&'a T) -> &'a D, unsafe fn(*const ()) -> *const D>(view);
            Erased { object: Gc::from_address(object.address()), view }
        }
    }

    /// Do both lead to the same object?
    pub fn ptr_eq(this: Self, other: Self) -> bool {
        Gc::ptr_eq(this.object, other.object)
    }
}

impl<'gc, D: ?Sized + 'gc> Deref for Erased<'gc, D> {
    type Target = D;
    #[inline]
    fn deref(&self) -> &D {
        let object = std::ptr::with_exposed_provenance(self.object.address().get());
        // SAFETY: the object is of the type that `view` was made for, and lives as long as the session.
        unsafe { &*(self.view)(object) }
    }
}

impl<'gc, D: ?Sized + 'gc + fmt::Debug> fmt::Debug for Erased<'gc, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// A trait object in a session. [`erasable!`](crate::erasable) implements it.
pub trait Erasable<'gc>: 'gc {
    /// The trait object outside of sessions.
    type Family: ?Sized + ErasableFamily<Of<'gc> = Self>;
}

/// A trait object outside of sessions. [`erasable!`](crate::erasable) implements it.
pub trait ErasableFamily: 'static {
    /// The trait object in a session of brand `'gc`.
    type Of<'gc>: ?Sized + Erasable<'gc>;
}

impl<F: ?Sized + ErasableFamily> Family for Erased<'static, F> {
    type Of<'gc> = Erased<'gc, F::Of<'gc>>;
}
// SAFETY: the first word is a pointer, the second one to code.
unsafe impl<'gc, D: ?Sized + Erasable<'gc>> Trace<'gc> for Erased<'gc, D> {
    type Family = Erased<'static, D::Family>;
    const LAYOUT: Layout = Layout::Map(1);
    const MUTABLE: bool = false;
}

/// Says that objects of a trait are pointed to by [`Erased`](crate::arena::Erased): `erasable!(dyn Shape)`, or, if the
/// trait has the brand as its parameter, `erasable!(dyn Shape<'gc>)`.
#[macro_export]
macro_rules! erasable {
    (dyn $($name:ident)::+) => {
        impl<'gc> $crate::arena::Erasable<'gc> for dyn $($name)::+ + 'gc {
            type Family = dyn $($name)::+;
        }
        impl $crate::arena::ErasableFamily for dyn $($name)::+ {
            type Of<'gc> = dyn $($name)::+ + 'gc;
        }
    };
    (dyn $($name:ident)::+ <$brand:lifetime>) => {
        impl<$brand> $crate::arena::Erasable<$brand> for dyn $($name)::+<$brand> + $brand {
            type Family = dyn $($name)::+<'static>;
        }
        impl $crate::arena::ErasableFamily for dyn $($name)::+<'static> {
            type Of<$brand> = dyn $($name)::+<$brand> + $brand;
        }
    };
}
