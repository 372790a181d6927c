//! Objects whose shape has been checked: where their fields lie is then known without their headers.
//!
//! [`Object::get`] computes a field's place from the header that it has just loaded, so whoever follows a chain of
//! objects waits for two loads at each. After one comparison with a constant shape the place is a constant, and the
//! processor goes on before the header has come.

use crate::shape::{Header, Shape};
use crate::value::{Host, Object, Value};

/// An [`Object`] of a shape that is known.
///
/// ```
/// # use frazil::{Config, Heap, LowTag, Shape, Value};
/// const CELL: Shape = Shape::new(1, "cell").raw_words(1).references(1);
/// const TEXT: Shape = Shape::new(2, "text").text();
/// Heap::<LowTag>::branded(Config::default(), |heap| {
///     let cell = heap.alloc(&CELL, 0).unwrap().finish();
///     assert!(cell.shaped(&TEXT).is_none());
///     let cell = cell.shaped(&CELL).unwrap();
///     assert_eq!((cell.raw(0), cell.get(0)), (0, Value::EMPTY));
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
        assert!(index < self.header.references(), "reference {index} of {}", self.header.references());
        // SAFETY: a slot of a live object holds an immediate or a reference to a live object of the same heap.
        unsafe { Value::from_bits(self.object.obj().slot::<H>(self.header, index).get()) }
    }

    /// Raw word `index` (layout *references*).
    ///
    /// # Panics
    /// There is no such word.
    #[inline(always)]
    pub fn raw(self, index: usize) -> u64 {
        assert!(index < self.header.raw_words(), "raw word {index} of {}", self.header.raw_words());
        self.object.obj().raw(index)
    }
}
