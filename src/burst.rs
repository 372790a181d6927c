//! A loop that allocates, with the nursery's finger in a register.
//!
//! An allocation reads finger and limit from the heap, and writes the finger back: half of what it takes to make a cell of
//! a list. In a burst both are variables of the loop. The heap lends it the open part of the nursery, and takes back what is
//! left when the burst is over, or when something does not fit. Whoever else allocates meanwhile does so behind that part.

use std::ops::Range;

use crate::heap::{AllocError, Heap};
use crate::host::Host;
use crate::layout::INLINE_BYTES_MAX;
use crate::object;
use crate::shape::Shape;
use crate::value::Fresh;

/// What allocates in a [`Heap::burst`].
pub struct Burst<'s, 'id, H: Host> {
    heap: &'s Heap<'id, H>,
    /// What was lent and is free: from the finger to the limit.
    rest: Range<usize>,
}

/// What has become of an allocation that did not fit.
struct Refill {
    taken: Result<usize, AllocError>,
    rest: Range<usize>,
}

impl<'id, H: Host> Heap<'id, H> {
    /// Runs a loop that makes many small objects faster than [`Heap::alloc`] makes them one by one.
    ///
    /// ```
    /// # use frazil::{Config, Heap, LowTag, Shape, Value};
    /// # const CELL: Shape = Shape::new(1, "cell").raw_words(1).references(1);
    /// # Heap::<LowTag>::branded(Config::default(), |heap| {
    /// let list = heap.burst(|burst| {
    ///     (0..100).try_fold(Value::EMPTY, |rest, number| {
    ///         let mut cell = burst.alloc(&CELL, 0)?;
    ///         cell.raw_mut()[0] = number;
    ///         cell.references_mut()[0] = rest;
    ///         Ok::<_, frazil::AllocError>(cell.finish().into())
    ///     })
    /// })?;
    /// assert_eq!(list.object().unwrap().raw(0), 99);
    /// # Ok::<(), frazil::AllocError>(())
    /// # }).unwrap().unwrap();
    /// ```
    ///
    /// What it makes is an object like any other, at once. `fill` may do anything with the heap, allocate and begin
    /// another burst included; but until it returns, [`Heap::allocated_bytes`] says what was allocated and lent. Beginning and
    /// end take some twenty instructions.
    #[inline(always)]
    pub fn burst<'s, R>(&'s self, fill: impl FnOnce(&mut Burst<'s, 'id, H>) -> R) -> R {
        fill(&mut Burst { heap: self, rest: self.lend() })
    }

    /// In checking mode, and where sites are noted, somebody wants to know at any time where the last object ends.
    #[inline]
    fn lends(&self) -> bool {
        !self.config.check && self.sites.is_none()
    }

    /// The open part of the nursery, or nothing.
    #[inline]
    fn lend(&self) -> Range<usize> {
        if self.lends() { self.young.nursery.lend() } else { 0..0 }
    }

    #[inline]
    fn take_back(&self, rest: Range<usize>) {
        if self.lends() {
            self.young.nursery.take_back(rest);
        }
    }

    /// Takes `bytes` as [`Heap::alloc`] does, for a burst that has less left.
    #[cold]
    #[inline(never)]
    fn refill(&self, rest: Range<usize>, bytes: usize) -> Refill {
        self.take_back(rest);
        let taken = self.take(bytes);
        Refill { taken, rest: self.lend() }
    }
}

impl<'s, 'id, H: Host> Burst<'s, 'id, H> {
    /// As [`Heap::alloc`].
    ///
    /// # Errors
    /// See [`AllocError`]. Nothing is collected or moved.
    #[inline(always)]
    pub fn alloc(&mut self, shape: &Shape, len: usize) -> Result<Fresh<'s, 'id, H>, AllocError> {
        let header = shape.header(len).ok_or(AllocError::TooLong { len })?;
        let bytes = header.nursery_bytes();
        // (The sum is one of an address and a few KiB; in this loop it is cheaper than the difference.)
        let at = self.rest.start;
        let address = if bytes <= INLINE_BYTES_MAX && at + bytes <= self.rest.end {
            self.rest.start = at + bytes;
            at
        } else {
            let refill = self.heap.refill(self.rest.clone(), bytes);
            self.rest = refill.rest;
            refill.taken?
        };
        // SAFETY: so many bytes of what was lent, or what the heap handed out; nobody else knows the object yet.
        unsafe { Ok(Fresh::new(object::initialise(address, header, H::EMPTY), header)) }
    }
}

impl<H: Host> Drop for Burst<'_, '_, H> {
    #[inline(always)]
    fn drop(&mut self) {
        self.heap.take_back(self.rest.clone());
    }
}
