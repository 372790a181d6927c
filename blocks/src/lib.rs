//! Old blocks: equal cells of one size in 4 to 32 KiB, and the side tables that say which cells are taken and
//! how often each object is counted.
//!
//! Nothing here knows what an object is, and no memory of a cell is ever touched: a cell is a *granule* number
//! inside its chunk. Reading order: [`classes`] (sizes), [`cells`] (which cells are taken), [`counts`]
//! (reference counts), [`table`] (which block has room).
//!
//! ```text
//! chunk (1 MiB, aligned):  | side tables | block | block | ... | block |
//! block (4..32 KiB):       | cell | cell | cell | ... | remainder |
//! cell:                    whole granules of 16 bytes
//! ```
#![forbid(unsafe_code)]

pub mod cells;
pub mod classes;
pub mod counts;
pub mod table;

use static_assertions::const_assert;

pub use counts::COUNT_MAX;

/// Every cell begins at, and takes, a multiple of this many bytes. Larger: smaller side tables, more bytes
/// lost in rounding. Smaller: the reverse. Four values of a word would be the natural next size; most objects
/// of a language runtime have two to five words.
pub const GRANULE_BYTES: usize = 16;

/// Bytes of a chunk, and its alignment: the side tables of an object are found by masking its address.
/// Larger: fewer mappings, coarser return to the system. Smaller: the reverse.
pub const CHUNK_BYTES: usize = 1 << 20;
/// Granules in a chunk, those under the side tables included.
pub const CHUNK_GRANULES: usize = CHUNK_BYTES / GRANULE_BYTES;
/// Words of a bit table with one bit a granule.
pub const CHUNK_WORDS: usize = CHUNK_GRANULES / 64;
/// Blocks in a chunk if they are as small as can be.
pub const CHUNK_BLOCKS_MAX: usize = CHUNK_BYTES / BlockBytes::K4.get();

const_assert!(BlockBytes::K4.granules().is_multiple_of(64));

/// The size of a block, chosen when a heap is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BlockBytes {
    /// 4 KiB.
    K4,
    /// 8 KiB.
    K8,
    /// 16 KiB.
    K16,
    /// 32 KiB.
    K32,
}

impl BlockBytes {
    /// All sizes, from the smallest.
    pub const ALL: [BlockBytes; 4] = [BlockBytes::K4, BlockBytes::K8, BlockBytes::K16, BlockBytes::K32];

    /// The binary logarithm of the size in bytes.
    pub const fn log2(self) -> u32 {
        12 + self as u32
    }

    /// The size in bytes.
    pub const fn get(self) -> usize {
        1 << self.log2()
    }

    /// Granules of a block.
    pub const fn granules(self) -> usize {
        self.get() / GRANULE_BYTES
    }

    /// The binary logarithm of the granules of a block.
    pub const fn granules_log2(self) -> u32 {
        self.log2() - GRANULE_BYTES.trailing_zeros()
    }

    /// Blocks of this size in a chunk.
    pub const fn per_chunk(self) -> usize {
        CHUNK_BYTES / self.get()
    }

    /// The block size of `bytes` bytes, if there is one.
    pub fn from_bytes(bytes: usize) -> Option<BlockBytes> {
        BlockBytes::ALL.into_iter().find(|size| size.get() == bytes)
    }
}
