//! What a host says about the layout of its objects, and the header word that carries it.
//!
//! An object is one header word and a body. The body has one of two layouts, so that the references
//! always lie side by side and the collector needs nothing but the header to find them:
//!
//! ```text
//! references:  header | raw words (0..=63) | references (0..2^32) ...
//! bytes:       header | references (0..=63) | bytes (0..2^32) ..., padded with zeros
//! ```
//!
//! The header word, from its lowest bit:
//!
//! | bits   | meaning |
//! | ------ | ------- |
//! | 0      | always 1 (a forwarding address and a trace index have 0 here) |
//! | 1      | [`MUTABLE`]: may be written; cleared for good by freezing |
//! | 2      | [`SEEN`]: a collection has scanned it and nobody has touched it since |
//! | 3      | [`GUARDED`]: the host refuses writes for a while (it iterates over it, say) |
//! | 4      | [`FINALIZABLE`]: the host wants to hear of its death |
//! | 5      | [`COMPONENT`]: belongs to a frozen cycle that is counted as one, or is or was the head of a cluster |
//! | 6      | [`TEXT`]: its bytes are UTF-8 |
//! | 7      | [`MARKED`]: visited by the walk that is under way (deep freezing); clear at rest, but in what was never finished |
//! | 8      | [`BYTES`]: the layout is *bytes* |
//! | 9      | [`BORN_MUTABLE`]: the shape is a mutable one |
//! | 10..16 | how many raw words (layout *references*) or references (layout *bytes*) |
//! | 16..32 | the host's number for the shape |
//! | 32..64 | how many references, or how many bytes |
//!
//! The write test of a mutator is one compare: `header & WRITE_MASK == MUTABLE`. Code that is generated for a
//! host may inline it, and everything else in this table: these numbers are part of the public interface
//! ([`crate::layout`]).

use static_assertions::const_assert_eq;

/// Bytes in a word: of a header, of a value, of a reference slot.
pub const WORD_BYTES: usize = 8;
const_assert_eq!(WORD_BYTES, size_of::<usize>());

/// The lowest bit of every header.
pub const HEADER_TAG: u64 = 1;
/// Header flag: the object may be written.
pub const MUTABLE: u64 = 1 << 1;
/// Header flag: scanned by a collection and not touched since (see section *Two kinds of collection* in NOTES.md).
pub const SEEN: u64 = 1 << 2;
/// Header flag: the host refuses writes for now.
pub const GUARDED: u64 = 1 << 3;
/// Header flag: on its death the object goes to the finalizer queue.
pub const FINALIZABLE: u64 = 1 << 4;
/// Header flag: representative or member of a settled frozen cycle, or (at some time) the head of a cluster.
pub const COMPONENT: u64 = 1 << 5;
/// Header flag: the bytes are UTF-8.
pub const TEXT: u64 = 1 << 6;
/// Header flag: visited by the walk under way; or a text in the making.
pub const MARKED: u64 = 1 << 7;
/// Header flag: layout *bytes*.
pub const BYTES: u64 = 1 << 8;
/// Header flag: the shape is a mutable one, frozen or not.
pub const BORN_MUTABLE: u64 = 1 << 9;

/// A write needs no further look when `header & WRITE_MASK == MUTABLE`.
pub const WRITE_MASK: u64 = MUTABLE | SEEN | GUARDED;

/// Where a header's number of raw words (or of references beside bytes) begins.
pub const SMALL_SHIFT: u32 = 10;
/// That number's bits, once they are shifted down.
pub const SMALL_MASK: u64 = 0x3f;
/// Where a header's number of the shape begins: 16 bits.
pub const ID_SHIFT: u32 = 16;
/// Where a header's number of references or bytes begins: the highest 32 bits.
pub const LEN_SHIFT: u32 = 32;

/// The largest number of raw words beside references, and of references beside bytes.
pub const SMALL_MAX: usize = SMALL_MASK as usize;
/// The largest number of references, and of bytes, in one object.
pub const LEN_MAX: usize = u32::MAX as usize;

/// The layout of a kind of object, made once as a constant by the host.
///
/// ```
/// use frazil::Shape;
/// const PAIR: Shape = Shape::new(1, "pair").references(2);
/// const TEXT: Shape = Shape::new(2, "text").text();
/// const LIST: Shape = Shape::new(3, "list").raw_words(1).references(1).mutable();
/// const SLOTS: Shape = Shape::new(4, "slots").references_tail().mutable();
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// A header of this shape with length zero or the fixed length.
    template: u64,
    /// `true`: the length is given when an object is made.
    variable: bool,
    name: &'static str,
}

impl Shape {
    /// A shape without a body. `id` is the host's number for it, `name` what reports call it.
    pub const fn new(id: u16, name: &'static str) -> Shape {
        let template = HEADER_TAG | (id as u64) << ID_SHIFT;
        Shape { template, variable: false, name }
    }

    /// `count` raw words before the references.
    ///
    /// # Panics
    /// More than [`SMALL_MAX`] words, or the shape has some already, or holds bytes.
    pub const fn raw_words(mut self, count: usize) -> Shape {
        assert!(count <= SMALL_MAX, "too many raw words");
        assert!(self.template & BYTES == 0, "raw words stand beside references, not beside bytes");
        assert!(self.small() == 0, "the number of raw words is fixed already");
        self.template |= (count as u64) << SMALL_SHIFT;
        self
    }

    /// Exactly `count` references.
    ///
    /// # Panics
    /// More than [`LEN_MAX`] references, or more than [`SMALL_MAX`] beside bytes; or the shape has some already.
    pub const fn references(mut self, count: usize) -> Shape {
        if self.template & BYTES != 0 {
            assert!(count <= SMALL_MAX, "too many references beside bytes");
            assert!(self.small() == 0, "the number of references is fixed already");
            self.template |= (count as u64) << SMALL_SHIFT;
        } else {
            assert!(count <= LEN_MAX, "too many references");
            assert!(!self.variable && self.length() == 0, "the number of references is fixed already");
            self.template |= (count as u64) << LEN_SHIFT;
        }
        self
    }

    /// As many references as the host asks for when it makes an object.
    ///
    /// # Panics
    /// The shape has a fixed number of references, or holds bytes.
    pub const fn references_tail(mut self) -> Shape {
        assert!(self.length() == 0, "the number of references is fixed already");
        assert!(self.template & BYTES == 0, "one tail only");
        self.variable = true;
        self
    }

    /// As many raw bytes as the host asks for when it makes an object. Call it before `references`.
    ///
    /// # Panics
    /// The shape has raw words, references or a tail already.
    pub const fn bytes(mut self) -> Shape {
        assert!(self.length() == 0 && !self.variable, "one tail only");
        assert!(self.small() == 0, "call `bytes` first");
        self.template |= BYTES;
        self.variable = true;
        self
    }

    /// As [`Shape::bytes`], and they are always UTF-8. Such a shape cannot be mutable.
    ///
    /// # Panics
    /// It is mutable, or has raw words, references or a tail already.
    pub const fn text(self) -> Shape {
        let mut shape = self.bytes();
        assert!(shape.template & BORN_MUTABLE == 0, "text is immutable");
        shape.template |= TEXT;
        shape
    }

    /// Objects of this shape are born mutable; each can be frozen.
    ///
    /// # Panics
    /// They are texts.
    pub const fn mutable(mut self) -> Shape {
        assert!(self.template & TEXT == 0, "text is immutable");
        self.template |= MUTABLE | BORN_MUTABLE;
        self
    }

    const fn small(&self) -> usize {
        Header(self.template).small()
    }

    const fn length(&self) -> usize {
        Header(self.template).length()
    }

    /// The host's number for the shape.
    #[inline]
    pub const fn id(&self) -> u16 {
        (self.template >> ID_SHIFT) as u16
    }

    /// What reports call objects of this shape.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Is the length given when an object is made?
    pub const fn is_variable(&self) -> bool {
        self.variable
    }

    /// Are objects of this shape born mutable?
    pub const fn is_mutable(&self) -> bool {
        self.template & BORN_MUTABLE != 0
    }

    /// Is the tail UTF-8?
    pub const fn is_text(&self) -> bool {
        self.template & TEXT != 0
    }

    /// The header of an object with a tail of length zero, or the fixed one.
    #[cfg(feature = "arena")]
    pub(crate) const fn header_bits(&self) -> u64 {
        self.template
    }

    /// The header of a new object with a tail of `len` (ignored for a fixed shape), or `None` when `len`
    /// is beyond [`LEN_MAX`].
    #[inline]
    pub const fn header(&self, len: usize) -> Option<Header> {
        if !self.variable {
            return Some(Header(self.template));
        }
        if len > LEN_MAX {
            return None;
        }
        Some(Header(self.template | (len as u64) << LEN_SHIFT))
    }

    /// The header that a new object like that with this header has, if that is one of this shape. For a fixed shape
    /// it does not depend on the header.
    #[inline(always)]
    pub(crate) const fn header_like(&self, header: Header) -> Option<Header> {
        let length = u64::MAX << LEN_SHIFT;
        let (decided, like) = if self.variable {
            (DECIDED, self.template | header.0 & length)
        } else {
            (DECIDED | length, self.template)
        };
        if header.0 & decided == self.template & decided { Some(Header(like)) } else { None }
    }
}

/// What of a header its shape decides, whatever becomes of the object; the length is apart.
const DECIDED: u64 =
    HEADER_TAG | TEXT | BYTES | BORN_MUTABLE | SMALL_MASK << SMALL_SHIFT | 0xffff << ID_SHIFT;

/// A header word that is one: its lowest bit is set.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Header(pub(crate) u64);

impl Header {
    /// No object's header.
    pub(crate) const NOTHING: Header = Header(0);

    /// The word itself.
    #[inline]
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// The host's number for the shape.
    #[inline]
    pub const fn shape_id(self) -> u16 {
        (self.0 >> ID_SHIFT) as u16
    }

    /// Is any of these flags set?
    #[inline]
    pub const fn has(self, flags: u64) -> bool {
        self.0 & flags != 0
    }

    /// Was the object frozen (rather than born immutable)?
    #[inline]
    pub const fn was_frozen(self) -> bool {
        self.has(BORN_MUTABLE) && !self.has(MUTABLE)
    }

    /// References (layout *references*) or bytes (layout *bytes*), as the highest 32 bits say.
    #[inline]
    pub const fn length(self) -> usize {
        (self.0 >> LEN_SHIFT) as usize
    }

    #[inline]
    const fn small(self) -> usize {
        ((self.0 >> SMALL_SHIFT) & SMALL_MASK) as usize
    }

    /// Where the references begin, in words from the header.
    #[inline]
    pub const fn first_reference(self) -> usize {
        if self.has(BYTES) { 1 } else { 1 + self.small() }
    }

    /// How many references the object has.
    #[inline]
    pub const fn references(self) -> usize {
        if self.has(BYTES) { self.small() } else { self.length() }
    }

    /// How many raw words lie before the references (layout *references*).
    #[inline]
    pub const fn raw_words(self) -> usize {
        if self.has(BYTES) { 0 } else { self.small() }
    }

    /// Where the bytes begin, in bytes from the header, and how many there are (layout *bytes*).
    #[inline]
    pub const fn bytes(self) -> (usize, usize) {
        if self.has(BYTES) { ((1 + self.small()) * WORD_BYTES, self.length()) } else { (0, 0) }
    }

    /// Bytes that the object takes in the nursery: whole words.
    #[inline]
    pub const fn nursery_bytes(self) -> usize {
        self.words() * WORD_BYTES
    }

    /// Bytes that the object takes in a block or as a large one: whole granules.
    #[inline]
    pub const fn cell_bytes(self) -> usize {
        self.nursery_bytes().next_multiple_of(blocks::GRANULE_BYTES)
    }

    /// Words of the whole object, header included.
    #[inline]
    pub const fn words(self) -> usize {
        let tail = if self.has(BYTES) { self.length().div_ceil(WORD_BYTES) } else { self.length() };
        1 + self.small() + tail
    }
}

impl std::fmt::Debug for Header {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let flag = |flag, letter| if self.has(flag) { letter } else { '-' };
        write!(
            f,
            "shape {} {}{}{}{}{} refs {} len {}",
            self.shape_id(),
            flag(MUTABLE, 'm'),
            flag(SEEN, 's'),
            flag(GUARDED, 'g'),
            flag(FINALIZABLE, 'f'),
            flag(COMPONENT, 'c'),
            self.references(),
            self.length()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_tells_where_everything_lies() {
        let list = Shape::new(7, "list").raw_words(2).references(3).mutable().header(0).unwrap();
        assert_eq!((list.shape_id(), list.raw_words(), list.first_reference()), (7, 2, 3));
        assert_eq!((list.references(), list.words()), (3, 6));
        assert!(list.has(MUTABLE) && list.has(BORN_MUTABLE));

        let key = Shape::new(8, "key").bytes().references(1).header(9).unwrap();
        assert_eq!((key.references(), key.first_reference(), key.raw_words()), (1, 1, 0));
        assert_eq!((key.bytes(), key.words()), ((16, 9), 4));

        let slots = Shape::new(9, "slots").references_tail();
        assert_eq!(slots.header(0).unwrap().words(), 1);
        assert_eq!(slots.header(LEN_MAX).unwrap().references(), LEN_MAX);
        assert!(slots.header(LEN_MAX + 1).is_none());
    }

    #[test]
    fn what_is_said_of_a_shape_is_said_once() {
        let twice: [fn() -> Shape; 4] = [
            || Shape::new(1, "raw").raw_words(1).raw_words(2),
            || Shape::new(1, "references").references(1).references(2),
            || Shape::new(1, "tail").references_tail().references(2),
            || Shape::new(1, "bytes").bytes().references(1).references(2),
        ];
        for make in twice {
            std::panic::catch_unwind(make).unwrap_err();
        }
    }
}
