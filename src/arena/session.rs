//! A session: making objects and freezing them. Nothing moves while one lasts.

use std::marker::PhantomData;
use std::num::NonZeroUsize;

use super::gc::Gc;
use super::trace::{Layout, Object, Trace};
use super::types::{Checked, leaf};
use super::{Brand, Inner};
use crate::heap::AllocError;
use crate::os::set_accessible;
use crate::shape::{LEN_MAX, WORD_BYTES};
use crate::value::{Object as HeapObject, Value};

/// Access to an arena, for the time of one [`enter`](super::Arena::enter). Everything that is made through it carries
/// its brand `'gc` and cannot leave it, nor be mixed up with what belongs to another arena.
///
/// The methods without `try` panic when memory runs out; then the arena stays as it was.
pub struct Session<'gc> {
    pub(super) inner: &'gc Inner,
    pub(super) brand: Brand<'gc>,
}

impl std::fmt::Debug for Session<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Session").field(&self.inner.heap).finish()
    }
}

impl<'gc> Session<'gc> {
    pub(super) fn new(inner: &'gc Inner) -> Self {
        Session { inner, brand: PhantomData }
    }

    // ------------------------------------------------------------------ making objects

    /// Makes an object that holds `value`. A finger is moved, a header and the value are written.
    ///
    /// # Panics
    /// Memory runs out.
    #[inline(always)]
    pub fn alloc<T: Trace<'gc>>(&self, value: T) -> Gc<'gc, T> {
        match self.try_alloc(value) {
            Ok(object) => object,
            Err(error) => out_of_memory(error),
        }
    }

    /// Makes an object that holds `value`.
    ///
    /// # Errors
    /// The arena's limit is reached, or the system gives no memory.
    #[inline(always)]
    pub fn try_alloc<T: Trace<'gc>>(&self, value: T) -> Result<Gc<'gc, T>, AllocError> {
        const { T::OK };
        let header = self.inner.headers.of::<T>();
        let address = self.room(size_of::<T>(), header)?;
        let place: *mut T = std::ptr::with_exposed_provenance_mut(address.get());
        // SAFETY: unused room of that size, at a multiple of 8.
        unsafe {
            place.write(value);
            Ok(Gc::from_address(address))
        }
    }

    /// A copy of a text.
    ///
    /// # Panics
    /// Memory runs out, or the text is longer than 4 GiB.
    pub fn str(&self, text: &str) -> Gc<'gc, str> {
        self.try_str(text).unwrap_or_else(|error| out_of_memory(error))
    }

    /// A copy of a text.
    ///
    /// # Errors
    /// Memory runs out, or the text is longer than 4 GiB.
    pub fn try_str(&self, text: &str) -> Result<Gc<'gc, str>, AllocError> {
        let bytes = self.try_slice(text.as_bytes())?;
        // SAFETY: the bytes are those of a text.
        Ok(unsafe { Gc::from_address(bytes.address()) })
    }

    /// A copy of a slice.
    ///
    /// # Panics
    /// Memory runs out, or the slice is larger than 4 GiB.
    pub fn slice<T: Trace<'gc> + Copy>(&self, values: &[T]) -> Gc<'gc, [T]> {
        self.try_slice(values).unwrap_or_else(|error| out_of_memory(error))
    }

    /// A copy of a slice.
    ///
    /// # Errors
    /// Memory runs out, or the slice is larger than 4 GiB.
    pub fn try_slice<T: Trace<'gc> + Copy>(&self, values: &[T]) -> Result<Gc<'gc, [T]>, AllocError> {
        let (address, header) = self.room_for_slice::<T>(values.len())?;
        let first: *mut T = std::ptr::with_exposed_provenance_mut(address.get());
        // SAFETY: unused room for so many values.
        unsafe { first.copy_from_nonoverlapping(values.as_ptr(), values.len()) };
        Ok(finish(address, header))
    }

    /// A slice of `len` values, made one after the other.
    ///
    /// # Panics
    /// Memory runs out, the slice is larger than 4 GiB, or `value` panics.
    pub fn slice_with<T: Trace<'gc>>(&self, len: usize, value: impl FnMut(usize) -> T) -> Gc<'gc, [T]> {
        self.try_slice_with(len, value).unwrap_or_else(|error| out_of_memory(error))
    }

    /// A slice of `len` values, made one after the other.
    ///
    /// # Errors
    /// Memory runs out, or the slice is larger than 4 GiB.
    ///
    /// # Panics
    /// `value` does. What was made until then is garbage.
    pub fn try_slice_with<T: Trace<'gc>>(
        &self,
        len: usize,
        mut value: impl FnMut(usize) -> T,
    ) -> Result<Gc<'gc, [T]>, AllocError> {
        let (address, header) = self.room_for_slice::<T>(len)?;
        let first: *mut T = std::ptr::with_exposed_provenance_mut(address.get());
        for index in 0..len {
            let value = value(index);
            // SAFETY: unused room for `len` values.
            unsafe { first.add(index).write(value) };
        }
        Ok(finish(address, header))
    }

    /// Room for a slice, which looks like one without references until it is complete; and its header then.
    fn room_for_slice<T: Trace<'gc>>(&self, len: usize) -> Result<(NonZeroUsize, u64), AllocError> {
        const { T::ELEMENT_OK };
        let bytes = len.checked_mul(size_of::<T>()).filter(|&bytes| bytes <= LEN_MAX);
        let bytes = bytes.ok_or(AllocError::TooLong { len })?;
        let header = match T::LAYOUT {
            Layout::None => leaf::<T>(bytes),
            _ => self.inner.headers.of_slice::<T>(bytes / WORD_BYTES),
        };
        Ok((self.room(bytes, leaf::<u8>(bytes))?, header))
    }

    /// Takes room for an object, writes its header, and says where the value is to be written.
    #[inline(always)]
    fn room(&self, bytes: usize, header: u64) -> Result<NonZeroUsize, AllocError> {
        let bytes = WORD_BYTES + bytes.next_multiple_of(WORD_BYTES);
        let address = self.inner.heap.take(bytes)?;
        set_accessible(address, bytes, true);
        let place: *mut u64 = std::ptr::with_exposed_provenance_mut(address);
        // SAFETY: the heap handed out these bytes, which nobody uses; an address is above 0.
        unsafe {
            place.write(header);
            Ok(NonZeroUsize::new_unchecked(address + WORD_BYTES))
        }
    }

    // ------------------------------------------------------------------ freezing

    /// Freezes one object in place, for good: its cells can no longer be set. What it refers to stays as it is. Says
    /// whether it was mutable.
    pub fn freeze<T: ?Sized + Object<'gc>>(&self, object: Gc<'gc, T>) -> bool {
        self.inner.heap.freeze(heap_object(object))
    }

    /// Freezes everything mutable that can be reached from an object, in place. Says how many objects were frozen.
    ///
    /// Once the next collection has settled them, they are counted, also if they refer to each other in circles: no
    /// later collection looks at them.
    pub fn freeze_deep<T: ?Sized + Object<'gc>>(&self, object: Gc<'gc, T>) -> usize {
        self.inner.heap.freeze_deep(heap_object(object).into())
    }

    // ------------------------------------------------------------------ asking

    /// Is a collection due? Nothing happens before the session ends.
    #[inline]
    pub fn should_collect(&self) -> bool {
        self.inner.heap.should_collect()
    }

    /// Bytes allocated since the last collection.
    pub fn allocated_bytes(&self) -> usize {
        self.inner.heap.allocated_bytes()
    }
}

/// Gives a complete slice its header.
fn finish<'gc, T>(address: NonZeroUsize, header: u64) -> Gc<'gc, [T]> {
    let place: *mut u64 = std::ptr::with_exposed_provenance_mut(address.get() - WORD_BYTES);
    // SAFETY: the header of an object that nobody knows yet. It has as many bytes as before.
    unsafe {
        place.write(header);
        Gc::from_address(address)
    }
}

/// The object as the heap sees it.
pub(super) fn heap_object<'gc, T: ?Sized>(
    object: Gc<'gc, T>,
) -> HeapObject<'gc, 'static, super::types::Typed> {
    // SAFETY: it leads to an object of the heap that it is used with, by its brand, and lives as long as `'gc`.
    unsafe { HeapObject::from_bits(object.address().get() as u64) }
}

/// The word that refers to it.
pub(super) fn word<'gc, T: ?Sized>(object: Gc<'gc, T>) -> Value<'gc, 'static, super::types::Typed> {
    heap_object(object).into()
}

#[cold]
#[inline(never)]
#[track_caller]
fn out_of_memory(error: AllocError) -> ! {
    panic!("{error}")
}
