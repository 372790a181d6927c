//! Numbers that inline code may use. The header has them under the names of C; that they are those of the collector is
//! checked when this crate is compiled, that they are those of the header by a test.

use frazil::{Host, LowTag, layout};
use static_assertions::const_assert_eq;

use crate::state::CHeap;

macro_rules! constants {
    ($($(#[$doc:meta])* $name:ident = $number:literal is $of:expr;)*) => {
        $($(#[$doc])* pub const $name: u64 = $number; const_assert_eq!($name, $of as u64);)*

        /// All of them, with their names.
        pub const ALL: &[(&str, u64)] = &[$((stringify!($name), $name)),*];
    };
}

constants! {
    /// Where in a heap the byte stands that is not 0 when a collection is due.
    FRAZIL_WANTED_OFFSET = 0 is CHeap::WANTED_OFFSET;
    /// Where in a heap the number of words on the root stack stands.
    FRAZIL_STACK_LENGTH_OFFSET = 8 is CHeap::STACK_LEN_OFFSET;
    /// Where in a heap the number stands that it may not pass.
    FRAZIL_STACK_CAPACITY_OFFSET = 16 is CHeap::STACK_CAPACITY_OFFSET;
    /// Where in a heap the address of the root stack's first word stands.
    FRAZIL_STACK_BASE_OFFSET = 24 is CHeap::STACK_BASE_OFFSET;
    /// Where in a heap the address of the next object stands.
    FRAZIL_TOP_OFFSET = 96 is CHeap::TOP_OFFSET;
    /// Where in a heap the address stands that no object may pass.
    FRAZIL_LIMIT_OFFSET = 104 is CHeap::LIMIT_OFFSET;
    /// Objects of at most so many bytes may be allocated inline, in any heap.
    FRAZIL_INLINE_BYTES_MAX = 2048 is layout::INLINE_BYTES_MAX;
    /// Bytes of the header, of a reference, of a raw word. Every object begins at a multiple of it.
    FRAZIL_WORD_BYTES = 8 is layout::WORD_BYTES;
    /// What a reference holds before something is stored. It is no reference.
    FRAZIL_EMPTY = 1 is LowTag::EMPTY;
    /// In a header: always set.
    FRAZIL_HEADER_TAG = 1 is layout::HEADER_TAG;
    /// In a header: the object may be written.
    FRAZIL_HEADER_MUTABLE = 2 is layout::MUTABLE;
    /// In a header: a collection has scanned the object, and nobody has reported a write since.
    FRAZIL_HEADER_SEEN = 4 is layout::SEEN;
    /// In a header: the host refuses writes for a while.
    FRAZIL_HEADER_GUARDED = 8 is layout::GUARDED;
    /// In a header: the object has bytes behind its references, not references behind raw words.
    FRAZIL_HEADER_BYTES = 256 is layout::BYTES;
    /// In a header: the shape is a mutable one, frozen or not.
    FRAZIL_HEADER_BORN_MUTABLE = 512 is layout::BORN_MUTABLE;
    /// A store needs no call when `header & FRAZIL_WRITE_MASK == FRAZIL_HEADER_MUTABLE`.
    FRAZIL_WRITE_MASK = 14 is layout::WRITE_MASK;
    /// Where a header's number of raw words (beside bytes: of references) begins.
    FRAZIL_SMALL_SHIFT = 10 is layout::SMALL_SHIFT;
    /// That number's bits, shifted down.
    FRAZIL_SMALL_MASK = 63 is layout::SMALL_MASK;
    /// Where a header's number of the shape begins: 16 bits.
    FRAZIL_SHAPE_SHIFT = 16 is layout::ID_SHIFT;
    /// Where a header's number of references, or of bytes, begins: the highest 32 bits.
    FRAZIL_LENGTH_SHIFT = 32 is layout::LEN_SHIFT;
}
