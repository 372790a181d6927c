//! The side tables of a chunk, and how they are found from an address.

use std::cell::Cell;
use std::ops::Range;

use blocks::cells::GranuleBits;
use blocks::counts::Counts;
use blocks::table::BlockState;
use blocks::{BlockBytes, CHUNK_BLOCKS_MAX, CHUNK_BYTES, CHUNK_GRANULES, CHUNK_WORDS, GRANULE_BYTES};
use memoffset::offset_of;
use retain_bits::RetainBits;
use static_assertions::{const_assert, const_assert_eq};

use crate::exchange::OwnerWord;
use crate::object::{ObjRef, prefetch};
use crate::shape::WORD_BYTES;

/// The side tables of a chunk, at its start. Memory fresh from the system, all zero, is a valid state.
#[repr(C)]
pub(crate) struct Chunk {
    /// Reached from a root or a traced object.
    pub retain: RetainBits<CHUNK_WORDS, CHUNK_BLOCKS_MAX>,
    /// Set: the object is traced. Clear: it is counted (or no object).
    pub traced: GranuleBits<CHUNK_WORDS>,
    /// Set: an old object begins here.
    pub starts: GranuleBits<CHUNK_WORDS>,
    /// How often each object is counted.
    pub counts: Counts<CHUNK_GRANULES>,
    /// What each block is used for.
    pub blocks: [BlockState; CHUNK_BLOCKS_MAX],
    /// Where the space keeps what it knows of this chunk.
    pub index: Cell<usize>,
    /// Whose all this is. The only part that anybody else may look at.
    pub owner: OwnerWord,
    /// Some bit of the next table was set.
    any_awaited: Cell<bool>,
    /// Set: a weak reference waits for the death of this node (`weak.rs`). Most heaps never write here, so it takes no memory.
    awaited: GranuleBits<CHUNK_WORDS>,
}

impl Chunk {
    /// So many bytes of the tables are written when blocks are filled.
    pub const BUSY_BYTES: usize = offset_of!(Chunk, awaited);

    /// Makes the tables as good as fresh, if no block behind `blocks` was ever used.
    pub fn clear(&self, blocks: Range<usize>, block: BlockBytes) {
        let granules = blocks.start * block.granules()..blocks.end * block.granules();
        self.retain.clear(blocks.clone(), block.granules_log2());
        self.traced.clear_all(granules.clone());
        self.starts.clear_all(granules.clone());
        self.counts.fill(granules, 0);
        for state in &self.blocks[..blocks.end] {
            state.clear();
        }
        self.index.set(0);
        if self.any_awaited.replace(false) {
            self.awaited.clear_all(0..CHUNK_GRANULES);
        }
    }

    /// Which of the nodes of this word of bits are awaited.
    pub fn awaited_word(&self, word: usize) -> u64 {
        self.awaited.word(word)
    }

    /// How many nodes are awaited. For checking.
    pub fn count_awaited(&self) -> usize {
        if self.any_awaited.get() { self.awaited.count(0..CHUNK_GRANULES) } else { 0 }
    }
}
const_assert!(size_of::<Chunk>() <= CHUNK_BYTES / 8);
const_assert_eq!(offset_of!(Chunk, retain), 0);
const_assert_eq!(GRANULE_BYTES % WORD_BYTES, 0);

/// Where the chunk of an address begins.
#[inline(always)]
pub(crate) fn chunk_base(address: usize) -> usize {
    address & !(CHUNK_BYTES - 1)
}

/// The chunk that an old object, a block or a cell lies in.
#[inline(always)]
pub(crate) fn chunk_of<'a>(address: usize) -> &'a Chunk {
    let base = chunk_base(address);
    // SAFETY: callers pass addresses of the old space, whose chunks begin with these tables and are unmapped
    // only when no block is in use. The tables consist of cells; the reference is not kept.
    unsafe { &*std::ptr::with_exposed_provenance::<Chunk>(base) }
}

/// The number of the granule at `address` in its chunk.
#[inline(always)]
pub(crate) fn granule_of(address: usize) -> usize {
    (address & (CHUNK_BYTES - 1)) / GRANULE_BYTES
}

/// The old object that begins at a granule whose start bit is set: bit `bit` of word `word` in the table of the
/// block's chunk.
pub(crate) fn object_at(block: usize, word: usize, bit: usize) -> ObjRef {
    let base = chunk_base(block);
    // SAFETY: the start bit is set, so an old object begins here.
    unsafe { ObjRef::new(base + (word * 64 + bit) * GRANULE_BYTES) }
}

/// Shorthand for the side tables, on the objects themselves.
impl ObjRef {
    #[inline(always)]
    pub fn chunk<'a>(self) -> &'a Chunk {
        chunk_of(self.address())
    }

    #[inline(always)]
    pub fn granule(self) -> usize {
        granule_of(self.address())
    }

    /// Is this old object traced (rather than counted)?
    #[inline(always)]
    pub fn is_traced(self) -> bool {
        self.chunk().traced.get(self.granule())
    }

    /// Does a weak reference wait for the death of this node?
    pub fn is_awaited(self) -> bool {
        self.chunk().awaited.get(self.granule())
    }

    pub fn set_awaited(self, awaited: bool) {
        let chunk = self.chunk();
        if awaited {
            chunk.any_awaited.set(true);
            chunk.awaited.set(self.granule());
        } else {
            chunk.awaited.clear(self.granule());
        }
    }

    /// Asks for the memory of an old object's bits, which will be needed soon.
    #[inline(always)]
    pub fn prefetch_bits(self) {
        prefetch(self.chunk().retain.place(self.granule()).cast());
        self.prefetch_class();
    }

    /// Asks for the bit that says whether an old object is traced, which will be needed soon.
    #[inline(always)]
    pub fn prefetch_class(self) {
        prefetch(self.chunk().traced.place(self.granule()).cast());
    }

    /// Asks for the memory of an old object's start bit, which will be cleared soon.
    #[inline(always)]
    pub fn prefetch_start(self) {
        prefetch(self.chunk().starts.place(self.granule()).cast());
    }

    /// Asks for the memory of an old object's count, which will be needed soon.
    #[inline(always)]
    pub fn prefetch_count(self) {
        prefetch(self.chunk().counts.place(self.granule()).cast());
    }

    #[inline(always)]
    pub fn set_traced(self, traced: bool) {
        if traced {
            self.chunk().traced.set(self.granule())
        } else {
            self.chunk().traced.clear(self.granule())
        }
    }
}
