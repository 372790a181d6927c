//! Size classes: which cell an object of a given size gets.
//!
//! Up to eight granules every size has a class of its own; above, there are four classes to every doubling, so
//! that at most a fifth of a cell is lost. The largest class takes half a block; what is larger gets whole
//! blocks of its own.

use crate::{BlockBytes, GRANULE_BYTES};

/// A size class, counted from the smallest cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Class(pub u8);

/// Granules up to which every size has its own class.
pub const EXACT: usize = 8;
/// Classes to a doubling above that.
const STEPS: usize = 4;
/// The number of classes of the largest block size.
pub const CLASSES: usize = class_of(BlockBytes::K32.granules() / 2).0 as usize + 1;

/// The class of cells with at least `granules` granules.
///
/// `granules` is above zero and at most half a block.
#[inline]
pub const fn class_of(granules: usize) -> Class {
    if granules <= EXACT {
        return Class((granules - 1) as u8);
    }
    // The sizes of one doubling are 2^k * {5, 6, 7, 8} / 4 * 4; `over` counts from the size before the first.
    let log2 = (granules - 1).ilog2();
    let step = 1 << (log2 - STEPS.ilog2());
    let over = (granules - (1 << log2)).div_ceil(step);
    Class((EXACT - 1 + (log2 as usize - EXACT.ilog2() as usize) * STEPS + over) as u8)
}

impl Class {
    /// Granules of a cell.
    #[inline]
    pub const fn granules(self) -> usize {
        let index = self.0 as usize;
        if index < EXACT {
            return index + 1;
        }
        let log2 = EXACT.ilog2() as usize + (index - EXACT) / STEPS;
        let over = (index - EXACT) % STEPS + 1;
        (1 << log2) + over * (1 << (log2 - STEPS.ilog2() as usize))
    }

    /// Bytes of a cell.
    #[inline]
    pub const fn bytes(self) -> usize {
        self.granules() * GRANULE_BYTES
    }

    /// Cells in a block.
    #[inline]
    pub const fn cells(self, block: BlockBytes) -> usize {
        block.granules() / self.granules()
    }
}

/// The largest object that gets a cell in a block, in bytes. Larger ones get whole blocks.
pub const fn cell_bytes_max(block: BlockBytes) -> usize {
    block.get() / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_size_fits_its_class_and_not_the_one_before() {
        for granules in 1..=BlockBytes::K32.granules() / 2 {
            let class = class_of(granules);
            assert!(class.granules() >= granules, "{granules} in {class:?} of {}", class.granules());
            if class.0 > 0 {
                assert!(Class(class.0 - 1).granules() < granules, "{granules} in {class:?}");
            }
            assert!(
                class.granules() * 4 <= granules * 5 || granules <= EXACT,
                "{granules}: too much is lost"
            );
        }
        assert_eq!(Class(CLASSES as u8 - 1).granules(), BlockBytes::K32.granules() / 2);
    }

    #[test]
    fn two_of_the_largest_cells_fit_in_a_block() {
        for block in BlockBytes::ALL {
            let largest = class_of(cell_bytes_max(block) / GRANULE_BYTES);
            assert_eq!((largest.cells(block), largest.bytes() * 2), (2, block.get()));
            assert_eq!((class_of(1).cells(block), class_of(1).bytes()), (block.granules(), GRANULE_BYTES));
            // What is left behind the last cell has no room for another.
            assert_eq!(class_of(3).cells(block), block.granules() / 3);
        }
    }
}
