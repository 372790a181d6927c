//! Objects whose shape has been checked: where their fields lie is then known without their headers.
//!
//! [`Object::get`] computes a field's place from the header that it has just loaded, so whoever follows a chain of
//! objects waits for two loads at each. After one comparison with a constant shape the place is a constant, and the
//! processor goes on before the header has come.

use std::cell::Cell;

use crate::heap::{Heap, StoreError};
use crate::host::Host;
use crate::shape::{Header, Shape};
use crate::value::{Object, References, Value, check_index};

/// An [`Object`] of a shape that is known.
///
/// ```
/// # use frazil::{Config, Heap, LowTag, Shape, Value};
/// const CELL: Shape = Shape::new(1, "cell").raw_words(1).references(1).mutable();
/// const TEXT: Shape = Shape::new(2, "text").text();
/// Heap::<LowTag>::branded(Config::default(), |heap| {
///     let cell = heap.alloc(&CELL, 0).unwrap().finish();
///     assert!(cell.shaped(&TEXT).is_none());
///     let cell = cell.shaped(&CELL).unwrap();
///     assert_eq!((cell.raw(0), cell.get(0)), (0, Value::EMPTY));
///     cell.raw_cells().unwrap()[0].set(7);
///     assert_eq!(cell.raw(0), 7);
///     let text = heap.text(&TEXT, "ice").unwrap();
///     heap.store_shaped(cell, 0, text.into()).unwrap();
///     assert_eq!(text.shaped(&TEXT).unwrap().text(), "ice");
///     heap.freeze(cell.into());
///     assert!(heap.store_shaped(cell, 0, Value::EMPTY).is_err() && cell.raw_cells().is_none());
///     assert_eq!(cell.references().iter().next(), Some(text.into()));
/// }).unwrap();
/// ```
pub struct Shaped<'s, 'id, H: Host> {
    object: Object<'s, 'id, H>,
    /// The header of a new object of the shape, its length set to the object's own if the shape does not fix it.
    header: Header,
}

impl<H: Host> Clone for Shaped<'_, '_, H> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}
impl<H: Host> Copy for Shaped<'_, '_, H> {}

impl<H: Host> std::fmt::Debug for Shaped<'_, '_, H> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.object.fmt(f)
    }
}

impl<'s, 'id, H: Host> From<Shaped<'s, 'id, H>> for Object<'s, 'id, H> {
    #[inline(always)]
    fn from(shaped: Shaped<'s, 'id, H>) -> Self {
        shaped.object
    }
}

impl<'s, 'id, H: Host> Object<'s, 'id, H> {
    /// The object as one of `shape`, if it is: number and layout are compared.
    #[inline(always)]
    pub fn shaped(self, shape: &Shape) -> Option<Shaped<'s, 'id, H>> {
        let header = shape.header_like(self.header())?;
        Some(Shaped { object: self, header })
    }
}

impl<'s, 'id, H: Host> Shaped<'s, 'id, H> {
    /// How many references it has.
    #[inline(always)]
    pub fn reference_count(self) -> usize {
        self.header.references()
    }

    /// Reference `index`.
    ///
    /// # Panics
    /// There is no such reference.
    #[inline(always)]
    pub fn get(self, index: usize) -> Value<'s, 'id, H> {
        check_index("reference", index, self.header.references());
        // SAFETY: a slot of a live object holds an immediate or a reference to a live object of the same heap.
        unsafe { Value::from_bits(self.object.obj().slot::<H>(self.header, index).get()) }
    }

    /// All references, as they are when each is read.
    #[inline(always)]
    pub fn references(self) -> References<'s, 'id, H> {
        self.object.references_like(self.header)
    }

    /// Raw word `index` (layout *references*).
    ///
    /// # Panics
    /// There is no such word.
    #[inline(always)]
    pub fn raw(self, index: usize) -> u64 {
        check_index("raw word", index, self.header.raw_words());
        self.object.obj().raw(index)
    }

    /// The raw words, to be read and written. `None` unless the object is mutable.
    #[inline(always)]
    pub fn raw_cells(self) -> Option<&'s [Cell<u64>]> {
        self.object.is_mutable().then(|| self.object.raw_cells_like(self.header))
    }

    /// The bytes, if it was born immutable.
    ///
    /// # Panics
    /// The object was born mutable: use [`Object::byte_cells`].
    #[inline(always)]
    pub fn bytes(self) -> &'s [u8] {
        self.object.bytes_like(self.header)
    }

    /// The text, if the shape is a text shape.
    ///
    /// # Panics
    /// It is not.
    #[inline(always)]
    pub fn text(self) -> &'s str {
        self.object.text_like(self.header)
    }
}

impl<'id, H: Host> Heap<'id, H> {
    /// As [`Heap::store`], into an object of a known shape.
    ///
    /// # Errors
    /// The object may not be written now; nothing is stored.
    ///
    /// # Panics
    /// There is no such reference.
    #[inline(always)]
    pub fn store_shaped(
        &self,
        shaped: Shaped<'_, 'id, H>,
        index: usize,
        value: Value<'_, 'id, H>,
    ) -> Result<(), StoreError> {
        self.store_like(shaped.object.obj(), shaped.header, index, value)
    }
}
