//! Cells: the parts of a shared object that may change, and how they are set.
//!
//! A cell is read like one of the standard library, through any reference. It is *set* through the session, the object
//! and the name of the field, `session.set(node, Node::NEXT, next)`, for two reasons. The object's header is looked at:
//! a frozen object refuses, and that is all there is to a frozen view. And the collector hears of the first store into
//! an old object, so that it need not look at those nobody writes. It is one compare; there is no write barrier.

use std::cell::UnsafeCell;
use std::fmt;
use std::marker::PhantomData;

use super::gc::Gc;
use super::session::Session;
use super::trace::{Family, Layout, Trace, header_before};
use crate::object::ObjRef;
use crate::shape::{MUTABLE, WORD_BYTES, WRITE_MASK};

/// A part of an object that may be set until the object is frozen: see [`Session::set`].
///
/// A type with a cell in it is mutable. For each field that is a `Cell`, or an array of them, `#[derive(Trace)]` makes
/// a constant of type [`Field`] with its name in capitals.
///
/// ```
/// use frazil::arena::{Arena, Cell, Gc, Trace};
///
/// #[derive(Trace)]
/// struct Person<'gc> {
///     name: Gc<'gc, str>,
///     friend: Cell<Option<Gc<'gc, Person<'gc>>>>,
/// }
///
/// let mut arena = Arena::<Person<'static>>::new(|s| Person { name: s.str("Ada"), friend: Cell::new(None) });
/// arena.enter(|s, ada| {
///     s.set(ada, Person::FRIEND, Some(ada));
///     assert_eq!(&*ada.friend.get().unwrap().name, "Ada");
///     s.freeze(ada);
///     assert!(s.try_set(ada, Person::FRIEND, None).is_err());
/// });
/// ```
#[repr(transparent)]
pub struct Cell<T> {
    value: UnsafeCell<T>,
}

impl<T> Cell<T> {
    /// A cell for an object that is about to be made.
    pub const fn new(value: T) -> Cell<T> {
        Cell { value: UnsafeCell::new(value) }
    }

    /// What is in it, for someone who has it to himself.
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }
}

impl<T: Copy> Cell<T> {
    /// What is in it.
    #[inline(always)]
    pub fn get(&self) -> T {
        // SAFETY: cells are neither `Sync` nor lent out, so nobody writes at the same time.
        unsafe { *self.value.get() }
    }

    /// Refuses to compile, with a word on what to write instead: it is what people try first.
    #[doc(hidden)]
    pub fn set(&self, _value: T)
    where
        T: told::SetByItself,
    {
        unreachable!("no type is set by itself")
    }

    /// # Safety
    /// The cell is not part of a frozen object, and the collector has heard of the store.
    #[inline(always)]
    unsafe fn put(&self, value: T) {
        // SAFETY: as in `get`; nobody holds a reference to what is inside.
        unsafe { *self.value.get() = value }
    }
}

mod told {
    /// No type is: it is there for its message.
    #[diagnostic::on_unimplemented(
        message = "a cell is set through its object, which may be frozen",
        label = "a `Cell` cannot be set by itself",
        note = "the session sets it: `session.set(object, Type::FIELD, value)`; an element of a slice: `session.set_at(slice, index, value)`"
    )]
    pub trait SetByItself {}
}

impl<T: Copy> Clone for Cell<T> {
    /// A cell of its own with the same in it.
    fn clone(&self) -> Self {
        Cell::new(self.get())
    }
}
impl<T: Default> Default for Cell<T> {
    fn default() -> Self {
        Cell::new(T::default())
    }
}
impl<T: Copy + fmt::Debug> fmt::Debug for Cell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

impl<F: Family> Family for Cell<F> {
    type Of<'gc> = Cell<F::Of<'gc>>;
}
// SAFETY: the references are those of what is in it; it says that they may change.
unsafe impl<'gc, T: Trace<'gc>> Trace<'gc> for Cell<T> {
    type Family = Cell<T::Family>;
    const LAYOUT: Layout = T::LAYOUT;
    const MUTABLE: bool = true;

    #[inline]
    unsafe fn is_reference(this: *const Self, at: usize) -> bool {
        // SAFETY: a cell is its value.
        unsafe { T::is_reference(this.cast(), at) }
    }
}

/// The name of a field of type `F` in objects of type `S`, made by `#[derive(Trace)]`.
pub struct Field<S, F> {
    offset: usize,
    of: PhantomData<fn(S) -> F>,
}

impl<S, F> Clone for Field<S, F> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<S, F> Copy for Field<S, F> {}
impl<S, F> fmt::Debug for Field<S, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "field at byte {}", self.offset)
    }
}

impl<S, F> Field<S, F> {
    /// # Safety
    /// A value of type `F` lies at `offset` in every value of type `S`.
    #[doc(hidden)]
    pub const unsafe fn new(offset: usize) -> Self {
        Field { offset, of: PhantomData }
    }

    /// A field of this field, which is a structure itself.
    #[must_use]
    pub const fn then<G>(self, inner: Field<F, G>) -> Field<S, G> {
        Field { offset: self.offset + inner.offset, of: PhantomData }
    }
}

impl<S, F, const N: usize> Field<S, [F; N]> {
    /// An element of this field, which is an array.
    ///
    /// # Panics
    /// There is no such element.
    #[must_use]
    #[inline]
    pub const fn at(self, index: usize) -> Field<S, F> {
        assert!(index < N, "the array has fewer elements");
        Field { offset: self.offset + index * size_of::<F>(), of: PhantomData }
    }
}

/// A store that was refused. Nothing was stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetError {
    /// The object is frozen.
    Frozen,
    /// The object is older than the frame that is open ([`Session::frame`]), which must leave no reference behind.
    OutsideFrame,
}

impl fmt::Display for SetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SetError::Frozen => "the object is frozen",
            SetError::OutsideFrame => "the object is older than the frame that is open",
        })
    }
}
impl std::error::Error for SetError {}

impl<'gc> Session<'gc> {
    /// Sets a field of `object`.
    ///
    /// # Panics
    /// The object is frozen, or older than the frame that is open. See [`Session::try_set`].
    #[inline(always)]
    #[track_caller]
    pub fn set<S: Trace<'gc>, T: Trace<'gc> + Copy>(
        &self,
        object: Gc<'gc, S>,
        field: Field<S, Cell<T>>,
        value: T,
    ) {
        if let Err(error) = self.try_set(object, field, value) {
            refused(error);
        }
    }

    /// Sets a field of `object`, if it may be.
    ///
    /// # Errors
    /// See [`SetError`].
    #[inline(always)]
    pub fn try_set<S: Trace<'gc>, T: Trace<'gc> + Copy>(
        &self,
        object: Gc<'gc, S>,
        field: Field<S, Cell<T>>,
        value: T,
    ) -> Result<(), SetError> {
        self.check_store::<S, T>(object, field.offset)?;
        let cell: *const Cell<T> =
            std::ptr::from_ref(Gc::as_ref(object)).wrapping_byte_add(field.offset).cast();
        // SAFETY: by the contract of `Field` there is the cell; the store was allowed.
        unsafe { (*cell).put(value) }
        Ok(())
    }

    /// Sets element `index` of a slice of cells.
    ///
    /// # Panics
    /// There is no such element; the slice is frozen, or older than the frame that is open.
    #[inline(always)]
    #[track_caller]
    pub fn set_at<T: Trace<'gc> + Copy>(&self, slice: Gc<'gc, [Cell<T>]>, index: usize, value: T) {
        if let Err(error) = self.try_set_at(slice, index, value) {
            refused(error);
        }
    }

    /// Sets element `index` of a slice of cells, if it may be.
    ///
    /// # Errors
    /// See [`SetError`].
    ///
    /// # Panics
    /// There is no such element.
    #[inline(always)]
    pub fn try_set_at<T: Trace<'gc> + Copy>(
        &self,
        slice: Gc<'gc, [Cell<T>]>,
        index: usize,
        value: T,
    ) -> Result<(), SetError> {
        let cell = &slice[index];
        self.check_store::<[Cell<T>], T>(slice, index * size_of::<T>())?;
        // SAFETY: the store was allowed.
        unsafe { cell.put(value) }
        Ok(())
    }

    /// May a `T` be stored at `offset` of the object? The collector hears of it.
    #[inline(always)]
    fn check_store<S: ?Sized, T: Trace<'gc>>(
        &self,
        object: Gc<'gc, S>,
        offset: usize,
    ) -> Result<(), SetError> {
        // SAFETY: a `Gc` leads to an object, which has a header.
        let header = unsafe { header_before(object.address()) };
        let quiet = if T::LAYOUT.is_any() { WRITE_MASK } else { MUTABLE };
        if header.0 & quiet != MUTABLE {
            self.touch(object.address().get(), offset / WORD_BYTES, size_of::<T>().div_ceil(WORD_BYTES))?;
        }
        if self.inner.frame.get().is_some() && T::LAYOUT.is_any() && !self.is_in_frame(object.address().get())
        {
            return Err(SetError::OutsideFrame);
        }
        Ok(())
    }

    /// The first store into an old object since the last collection, or one into a frozen object.
    #[cold]
    fn touch(&self, address: usize, word: usize, words: usize) -> Result<(), SetError> {
        // SAFETY: the object of a `Gc` that the caller holds.
        let object = unsafe { ObjRef::new(address - WORD_BYTES) };
        self.inner.heap.touch(object, word, word + words).map_err(|_| SetError::Frozen)
    }
}

#[cold]
#[inline(never)]
#[track_caller]
fn refused(error: SetError) -> ! {
    panic!("{error}")
}
