//! What a virtual machine holds in its hands: values, objects, and objects in the making.
//!
//! All of them borrow the heap. As long as one is alive, the heap cannot be borrowed mutably, so it cannot
//! collect; a value kept across a collection does not compile:
//!
//! ```compile_fail
//! # use frazil::{Config, Heap, LowTag, Request, Shape};
//! # const BOX: Shape = Shape::new(1, "box").references(1);
//! Heap::<LowTag>::branded(Config::default(), |mut heap| {
//!     let kept = heap.alloc(&BOX, 0).unwrap().finish();
//!     heap.collect(Request::Complete);
//!     println!("{:?}", kept);
//! }).unwrap();
//! ```
//!
//! The lifetime `'id` is the brand of one heap: a value of one heap stored in another does not compile.
//!
//! ```compile_fail
//! # use frazil::{Config, Heap, LowTag, Shape};
//! # const BOX: Shape = Shape::new(1, "box").references(1);
//! Heap::<LowTag>::branded(Config::default(), |one| {
//!     Heap::<LowTag>::branded(Config::default(), |other| {
//!         let mut fresh = one.alloc(&BOX, 0).unwrap();
//!         fresh.references_mut()[0] = other.alloc(&BOX, 0).unwrap().finish().into();
//!     }).unwrap();
//! }).unwrap();
//! ```

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;

use crate::host::Host;
use crate::object::{ObjRef, Slot};
use crate::shape::{BORN_MUTABLE, Header, MUTABLE, Shape, TEXT, WORD_BYTES};

/// Panics unless there are more than `index` of these. (The panic is apart from its message's figures, which would have to
/// be kept in memory otherwise, for it to refer to them.)
#[inline(always)]
#[track_caller]
pub(crate) fn check_index(what: &str, index: usize, count: usize) {
    if index >= count {
        out_of_bounds(what, index, count);
    }
}

#[cold]
#[inline(never)]
#[track_caller]
fn out_of_bounds(what: &str, index: usize, count: usize) -> ! {
    panic!("{what} {index} of {count}")
}

/// Invariant in the brand and in the host (a subtype may tag its words in another way), neither `Send` nor `Sync`.
pub(crate) type Brand<'id, H> = PhantomData<(Cell<&'id ()>, *mut H)>;

/// A word of the host: a reference into the heap with brand `'id`, or whatever else its tagging says.
///
/// It is as large as a word and may be copied freely; it borrows the heap for `'s`.
#[repr(transparent)]
pub struct Value<'s, 'id, H: Host> {
    bits: u64,
    heap: PhantomData<Cell<&'s ()>>,
    brand: Brand<'id, H>,
}

impl<H: Host> Clone for Value<'_, '_, H> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}
impl<H: Host> Copy for Value<'_, '_, H> {}

impl<'s, 'id, H: Host> Value<'s, 'id, H> {
    /// What an unused slot holds.
    pub const EMPTY: Self = Value { bits: H::EMPTY, heap: PhantomData, brand: PhantomData };

    /// A word that is no reference.
    ///
    /// # Panics
    /// The host's tagging takes `bits` for a reference.
    #[inline(always)]
    pub fn immediate(bits: u64) -> Self {
        assert!(H::address(bits).is_none(), "{bits:#x} is a reference, not an immediate");
        Value { bits, heap: PhantomData, brand: PhantomData }
    }

    /// A word that came from elsewhere: for hosts behind a foreign interface.
    ///
    /// # Safety
    /// `bits` is no reference, or refers to an object of the heap with brand `'id` that lives as long as no
    /// collection happens, and `'s` is no longer than that.
    #[inline(always)]
    pub unsafe fn from_bits(bits: u64) -> Self {
        Value { bits, heap: PhantomData, brand: PhantomData }
    }

    /// The word itself: identity of an object until the next collection, payload of an immediate.
    #[inline(always)]
    pub fn bits(self) -> u64 {
        self.bits
    }

    /// The object, if the value is a reference.
    #[inline(always)]
    pub fn object(self) -> Option<Object<'s, 'id, H>> {
        H::address(self.bits).map(|_| Object { value: self })
    }
}

impl<H: Host> PartialEq for Value<'_, '_, H> {
    /// Identity: the same word.
    #[inline(always)]
    fn eq(&self, other: &Self) -> bool {
        self.bits == other.bits
    }
}
impl<H: Host> Eq for Value<'_, '_, H> {}

impl<H: Host> fmt::Debug for Value<'_, '_, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.object() {
            Some(object) => object.fmt(f),
            None => write!(f, "{:#x}", self.bits),
        }
    }
}

/// A value that is known to be a reference.
#[repr(transparent)]
pub struct Object<'s, 'id, H: Host> {
    value: Value<'s, 'id, H>,
}

impl<H: Host> Clone for Object<'_, '_, H> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}
impl<H: Host> Copy for Object<'_, '_, H> {}

impl<'s, 'id, H: Host> From<Object<'s, 'id, H>> for Value<'s, 'id, H> {
    #[inline(always)]
    fn from(object: Object<'s, 'id, H>) -> Self {
        object.value
    }
}

impl<H: Host> PartialEq for Object<'_, '_, H> {
    /// Identity: the same object, whatever tags the words carry.
    #[inline(always)]
    fn eq(&self, other: &Self) -> bool {
        self.obj() == other.obj()
    }
}
impl<H: Host> Eq for Object<'_, '_, H> {}

impl<H: Host> fmt::Debug for Object<'_, '_, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x} {:?}", self.value.bits, self.header())
    }
}

impl<'s, 'id, H: Host> Object<'s, 'id, H> {
    #[inline(always)]
    pub(crate) fn obj(self) -> ObjRef {
        // SAFETY: the value was checked to be a reference when the `Object` was made; and one that is refers to a live
        // object while it borrows the heap.
        unsafe { ObjRef::new(H::address(self.value.bits).unwrap_unchecked()) }
    }

    /// # Safety
    /// As [`Value::from_bits`], and `bits` is a reference.
    #[inline(always)]
    pub(crate) unsafe fn from_bits(bits: u64) -> Self {
        // SAFETY: passed on.
        Object { value: unsafe { Value::from_bits(bits) } }
    }

    /// What its header says.
    #[inline(always)]
    pub fn header(self) -> Header {
        self.obj().header()
    }

    /// Asks for the object's first cache line: for a loop that will look at it a few turns later.
    #[inline(always)]
    pub fn prefetch(self) {
        self.obj().prefetch();
    }

    /// A reference to the same object with the tag bits of `old`, if the host's references have any
    /// ([`Host::word`]).
    #[inline(always)]
    pub fn tagged_like(self, old: u64) -> Value<'s, 'id, H> {
        let bits = H::word(self.obj().address(), old);
        Value { bits, ..self.value }
    }

    /// The host's number for the object's shape.
    #[inline(always)]
    pub fn shape_id(self) -> u16 {
        self.header().shape_id()
    }

    /// Is this object of that shape? Shapes are told apart by their numbers.
    #[inline(always)]
    pub fn is(self, shape: &Shape) -> bool {
        self.header().shape_id() == shape.id()
    }

    /// May it be written (is it mutable and not frozen)?
    #[inline(always)]
    pub fn is_mutable(self) -> bool {
        self.header().has(MUTABLE)
    }

    /// How many references it has.
    #[inline(always)]
    pub fn reference_count(self) -> usize {
        self.header().references()
    }

    /// Reference `index`.
    ///
    /// # Panics
    /// There is no such reference.
    #[inline(always)]
    pub fn get(self, index: usize) -> Value<'s, 'id, H> {
        let header = self.header();
        check_index("reference", index, header.references());
        // SAFETY: a slot of a live object holds an immediate or a reference to a live object of the same heap.
        unsafe { Value::from_bits(self.obj().slot::<H>(header, index).get()) }
    }

    /// All references, as they are when each is read.
    #[inline(always)]
    pub fn references(self) -> References<'s, 'id, H> {
        self.references_like(self.header())
    }

    /// The same, for an object that has the layout and the length of one with this header.
    #[inline(always)]
    pub(crate) fn references_like(self, header: Header) -> References<'s, 'id, H> {
        let first = self.obj().address() + header.first_reference() * WORD_BYTES;
        References { first, len: header.references(), value: PhantomData }
    }

    /// Raw word `index` (layout *references*).
    ///
    /// # Panics
    /// There is no such word.
    #[inline(always)]
    pub fn raw(self, index: usize) -> u64 {
        check_index("raw word", index, self.header().raw_words());
        self.obj().raw(index)
    }

    /// The raw words, to be read and written. `None` unless the object is mutable.
    #[inline(always)]
    pub fn raw_cells(self) -> Option<&'s [Cell<u64>]> {
        let header = self.header();
        header.has(MUTABLE).then(|| self.raw_cells_like(header))
    }

    /// The same, for a mutable object that has the layout of one with this header.
    #[inline(always)]
    pub(crate) fn raw_cells_like(self, header: Header) -> &'s [Cell<u64>] {
        debug_assert!(self.is_mutable());
        let first = std::ptr::with_exposed_provenance::<Cell<u64>>(self.obj().address() + WORD_BYTES);
        // SAFETY: the words lie inside a live object that cannot move or end during 's, and born-mutable
        // objects hand out their raw words only as cells or by value.
        unsafe { std::slice::from_raw_parts(first, header.raw_words()) }
    }

    /// Bytes in the tail (layout *bytes*), zero otherwise.
    #[inline(always)]
    pub fn byte_len(self) -> usize {
        self.header().bytes().1
    }

    /// The bytes of an object that was born immutable.
    ///
    /// # Panics
    /// The object was born mutable: use [`Object::byte_cells`].
    #[inline(always)]
    pub fn bytes(self) -> &'s [u8] {
        self.bytes_like(self.header())
    }

    /// The same, for an object that has the layout and the length of one with this header.
    #[inline(always)]
    pub(crate) fn bytes_like(self, header: Header) -> &'s [u8] {
        assert!(!header.has(BORN_MUTABLE), "bytes that may have been written since");
        let (offset, len) = header.bytes();
        // SAFETY: inside a live object that cannot move or end during 's and is never written.
        unsafe {
            std::slice::from_raw_parts(std::ptr::with_exposed_provenance(self.obj().address() + offset), len)
        }
    }

    /// Is it of a text shape?
    #[inline(always)]
    pub fn is_text(self) -> bool {
        self.header().has(TEXT)
    }

    /// The text of an object of a text shape.
    ///
    /// # Panics
    /// The shape is not a text shape.
    #[inline(always)]
    pub fn text(self) -> &'s str {
        self.text_like(self.header())
    }

    /// The same, for an object that has the layout and the length of one with this header.
    #[inline(always)]
    pub(crate) fn text_like(self, header: Header) -> &'s str {
        assert!(header.has(TEXT), "not a text");
        // SAFETY: a text is filled from `str` only, and never written afterwards.
        unsafe { std::str::from_utf8_unchecked(self.bytes_like(header)) }
    }

    /// The bytes of a mutable object, to be read and written. `None` unless it is mutable.
    #[inline(always)]
    pub fn byte_cells(self) -> Option<&'s [Cell<u8>]> {
        self.cells()
    }

    /// The bytes of a mutable object as whole little numbers; a remainder is left out. `None` unless it is mutable.
    #[inline(always)]
    pub fn cells<T: Plain>(self) -> Option<&'s [Cell<T>]> {
        let header = self.header();
        let (offset, len) = header.bytes();
        header.has(MUTABLE).then(|| {
            let first = std::ptr::with_exposed_provenance::<Cell<T>>(self.obj().address() + offset);
            // SAFETY: inside a live object that cannot move or end during 's; bytes start at a word and `T` is
            // at most a word without invalid values; born-mutable objects hand out their bytes only as cells
            // or by value.
            unsafe { std::slice::from_raw_parts(first, len / size_of::<T>()) }
        })
    }

    /// Copies the bytes of any object with layout *bytes*, frozen or not.
    ///
    /// ```
    /// # use frazil::{Config, Heap, LowTag, Shape};
    /// # const BYTES: Shape = Shape::new(1, "bytes").bytes().mutable();
    /// # Heap::<LowTag>::branded(Config::default(), |heap| {
    /// let bytes = heap.alloc(&BYTES, 3)?.finish();
    /// bytes.byte_cells().unwrap()[2].set(7);
    /// let mut copy = heap.alloc(&BYTES, 3)?;
    /// bytes.copy_bytes_to(copy.bytes_mut());
    /// assert_eq!(copy.bytes_mut(), [0, 0, 7]);
    /// # Ok::<(), frazil::AllocError>(())
    /// # }).unwrap().unwrap();
    /// ```
    ///
    /// # Panics
    /// There are more of them than `to` has room for, or fewer.
    #[inline]
    pub fn copy_bytes_to(self, to: &mut [u8]) {
        let (offset, len) = self.header().bytes();
        assert!(len == to.len(), "{len} bytes for room of {}", to.len());
        let first = std::ptr::with_exposed_provenance(self.obj().address() + offset);
        // SAFETY: inside a live object; nobody writes it meanwhile, and `to` is nobody else's.
        unsafe { to.as_mut_ptr().copy_from_nonoverlapping(first, len) };
    }

    /// Number `index` in the bytes of any object with layout *bytes*, frozen or not.
    ///
    /// # Panics
    /// There is no such number.
    #[inline(always)]
    pub fn number<T: Plain>(self, index: usize) -> T {
        self.numbers().get(index)
    }

    /// All numbers in the bytes of any object with layout *bytes*, frozen or not: for who reads many.
    ///
    /// ```
    /// # use frazil::{Config, Heap, LowTag, Shape};
    /// # const BYTES: Shape = Shape::new(1, "bytes").bytes().mutable();
    /// # Heap::<LowTag>::branded(Config::default(), |heap| {
    /// let bytes = heap.alloc(&BYTES, 11)?.finish();
    /// bytes.cells::<u32>().unwrap()[1].set(7);
    /// let numbers = bytes.numbers::<u32>();
    /// assert_eq!((numbers.len(), numbers.get(0), numbers.get(1)), (2, 0, 7));
    /// # Ok::<(), frazil::AllocError>(())
    /// # }).unwrap().unwrap();
    /// ```
    #[inline(always)]
    pub fn numbers<T: Plain>(self) -> Numbers<'s, T> {
        let (offset, len) = self.header().bytes();
        Numbers { first: self.obj().address() + offset, len: len / size_of::<T>(), object: PhantomData }
    }
}

/// The bytes of an object as numbers, read one at a time: see [`Object::numbers`].
#[derive(Clone, Copy, Debug)]
pub struct Numbers<'s, T> {
    first: usize,
    len: usize,
    /// The object may still be written, by the heap's thread: no other one may look.
    object: PhantomData<&'s Cell<T>>,
}

impl<T: Plain> Numbers<'_, T> {
    /// How many there are; bytes that are left over are none.
    #[inline(always)]
    pub fn len(self) -> usize {
        self.len
    }

    /// Are there none?
    #[inline(always)]
    pub fn is_empty(self) -> bool {
        self.len == 0
    }

    /// Number `index`.
    ///
    /// # Panics
    /// There is no such number.
    #[inline(always)]
    pub fn get(self, index: usize) -> T {
        check_index("number", index, self.len);
        let first = std::ptr::with_exposed_provenance::<T>(self.first);
        // SAFETY: inside the bytes of a live object that cannot move or end during the lifetime; see `Object::cells`.
        unsafe { first.add(index).read() }
    }
}

/// Numbers that any bytes are a value of, at most a word wide.
///
/// # Safety
/// Every bit pattern is valid, and size and alignment are equal and at most eight bytes.
pub unsafe trait Plain: Copy + 'static {}
// SAFETY: an unsigned number.
unsafe impl Plain for u8 {}
// SAFETY: an unsigned number.
unsafe impl Plain for u16 {}
// SAFETY: an unsigned number.
unsafe impl Plain for u32 {}
// SAFETY: an unsigned number.
unsafe impl Plain for u64 {}

/// The references of an object, read one at a time: another holder of a mutable object may write in between.
pub struct References<'s, 'id, H: Host> {
    first: usize,
    len: usize,
    value: PhantomData<Value<'s, 'id, H>>,
}

impl<H: Host> Clone for References<'_, '_, H> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<H: Host> Copy for References<'_, '_, H> {}

impl<H: Host> Default for References<'_, '_, H> {
    /// None, at an address where nothing is.
    fn default() -> Self {
        References { first: WORD_BYTES, len: 0, value: PhantomData }
    }
}

impl<'s, 'id, H: Host> References<'s, 'id, H> {
    /// How many there are.
    #[inline(always)]
    pub fn len(self) -> usize {
        self.len
    }

    /// Are there none?
    #[inline(always)]
    pub fn is_empty(self) -> bool {
        self.len == 0
    }

    /// Reference `index`.
    ///
    /// # Panics
    /// There is no such reference.
    #[inline(always)]
    pub fn get(self, index: usize) -> Value<'s, 'id, H> {
        check_index("reference", index, self.len);
        // SAFETY: a slot of a live object, which holds an immediate or a reference to a live object of this heap.
        unsafe { Value::from_bits(Slot::new(self.first + index * WORD_BYTES).get()) }
    }

    /// Copies all of them.
    ///
    /// ```
    /// # use frazil::{Config, Heap, LowTag, Shape, Value};
    /// # const SLOTS: Shape = Shape::new(1, "slots").references_tail().mutable();
    /// # Heap::<LowTag>::branded(Config::default(), |heap| {
    /// let slots = heap.alloc(&SLOTS, 3)?.finish();
    /// heap.store(slots, 1, slots.into()).unwrap();
    /// let mut larger = heap.alloc(&SLOTS, 6)?;
    /// slots.references().first(2).copy_to(&mut larger.references_mut()[..2]);
    /// assert!(larger.finish().get(1) == slots.into());
    /// # Ok::<(), frazil::AllocError>(())
    /// # }).unwrap().unwrap();
    /// ```
    ///
    /// # Panics
    /// There are more of them than `to` has room for, or fewer.
    #[inline]
    pub fn copy_to(self, to: &mut [Value<'s, 'id, H>]) {
        assert!(self.len == to.len(), "{} references for room of {}", self.len, to.len());
        let first = std::ptr::with_exposed_provenance(self.first);
        // SAFETY: the slots of a live object, each of which holds an immediate or a reference to a live object of this heap;
        // nobody writes them meanwhile, and `to` is nobody else's.
        unsafe { to.as_mut_ptr().copy_from_nonoverlapping(first, self.len) };
    }

    /// The first `len` of them.
    ///
    /// # Panics
    /// There are not so many.
    #[inline]
    pub fn first(self, len: usize) -> Self {
        assert!(len <= self.len, "{len} of {} references", self.len);
        References { len, ..self }
    }

    /// One after the other.
    #[inline(always)]
    pub fn iter(self) -> impl DoubleEndedIterator<Item = Value<'s, 'id, H>> + ExactSizeIterator + Clone {
        (0..self.len).map(move |index| self.get(index))
    }
}

/// An object in the making: nobody else knows it yet, so it can be filled through plain slices.
///
/// Leaving it without [`Fresh::finish`] wastes its cell until the next collection and does no other harm.
pub struct Fresh<'s, 'id, H: Host> {
    object: ObjRef,
    value: Object<'s, 'id, H>,
    /// The object's own: a constant where the shape is one, so that nothing is computed from memory just written.
    header: Header,
}

impl<H: Host> fmt::Debug for Fresh<'_, '_, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

impl<'s, 'id, H: Host> Fresh<'s, 'id, H> {
    /// # Safety
    /// `object` is initialised, `header` is its header, and no other reference to it exists. It belongs to the heap with
    /// brand `'id`, which is borrowed for `'s`.
    #[inline(always)]
    pub(crate) unsafe fn new(object: ObjRef, header: Header) -> Self {
        // SAFETY: the word refers to the object.
        let value = unsafe { Object::from_bits(H::word(object.address(), H::EMPTY)) };
        Fresh { object, value, header }
    }

    /// The reference slots, all [`Value::EMPTY`] at first.
    #[inline(always)]
    pub fn references_mut(&mut self) -> &mut [Value<'s, 'id, H>] {
        let header = self.header;
        let first = self.object.address() + header.first_reference() * WORD_BYTES;
        // SAFETY: the object is initialised and known to nobody else; `Value` is a transparent word.
        unsafe {
            std::slice::from_raw_parts_mut(std::ptr::with_exposed_provenance_mut(first), header.references())
        }
    }

    /// The raw words, all zero at first (layout *references*).
    #[inline(always)]
    pub fn raw_mut(&mut self) -> &mut [u64] {
        let header = self.header;
        let first = self.object.address() + WORD_BYTES;
        // SAFETY: as in `references_mut`.
        unsafe {
            std::slice::from_raw_parts_mut(std::ptr::with_exposed_provenance_mut(first), header.raw_words())
        }
    }

    /// The bytes, all zero at first (layout *bytes*).
    ///
    /// # Panics
    /// The shape is a text shape: texts are made by [`crate::Heap::text`].
    #[inline(always)]
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        let header = self.header;
        assert!(!header.has(TEXT), "a text is made from text");
        let (offset, len) = header.bytes();
        // SAFETY: as in `references_mut`.
        unsafe {
            std::slice::from_raw_parts_mut(
                std::ptr::with_exposed_provenance_mut(self.object.address() + offset),
                len,
            )
        }
    }

    /// The finished object.
    #[inline(always)]
    pub fn finish(self) -> Object<'s, 'id, H> {
        self.value
    }
}
