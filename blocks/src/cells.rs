//! Which cells of a chunk's blocks are taken: one bit a granule, set on the first granule of a taken cell.

use bitvec::prelude::{BitArray, Lsb0};
use std::cell::Cell;
use std::ops::Range;

/// A table of bits, one a granule, that many short-lived references may write through.
#[repr(transparent)]
#[derive(Debug)]
pub struct GranuleBits<const WORDS: usize>(BitArray<[Cell<u64>; WORDS], Lsb0>);

impl<const WORDS: usize> GranuleBits<WORDS> {
    /// All clear.
    pub fn new() -> Self {
        GranuleBits(BitArray::new([const { Cell::new(0) }; WORDS]))
    }

    /// Sets the bit of `granule`.
    #[inline]
    pub fn set(&self, granule: usize) {
        let word = &self.0.data[granule / 64];
        word.set(word.get() | 1 << (granule % 64));
    }

    /// Clears the bit of `granule`.
    #[inline]
    pub fn clear(&self, granule: usize) {
        let word = &self.0.data[granule / 64];
        word.set(word.get() & !(1 << (granule % 64)));
    }

    /// The bit of `granule`.
    #[inline]
    pub fn get(&self, granule: usize) -> bool {
        self.0.data[granule / 64].get() & 1 << (granule % 64) != 0
    }

    /// Word `index` of the table, for work on 64 granules at a time.
    #[inline]
    pub fn word(&self, index: usize) -> u64 {
        self.0.data[index].get()
    }

    /// Clears the bits of word `index` that are set in `mask`.
    #[inline]
    pub fn clear_word(&self, index: usize, mask: u64) {
        let word = &self.0.data[index];
        word.set(word.get() & !mask);
    }

    /// Clears the bits of `granules`, whole words of them.
    pub fn clear_all(&self, granules: Range<usize>) {
        debug_assert!(granules.start.is_multiple_of(64) && granules.end.is_multiple_of(64));
        self.0.data[granules.start / 64..granules.end / 64].iter().for_each(|word| word.set(0));
    }

    /// How many bits are set in `granules`.
    pub fn count(&self, granules: Range<usize>) -> usize {
        self.0[granules].count_ones()
    }

    /// The granules in `granules` whose bit is set, in order.
    pub fn ones(&self, granules: Range<usize>) -> impl Iterator<Item = usize> {
        let words = granules.start / 64..granules.end.div_ceil(64);
        let ones = words.flat_map(move |index| {
            let mut word = self.word(index);
            std::iter::from_fn(move || {
                let bit = (word != 0).then(|| word.trailing_zeros() as usize)?;
                word &= word - 1;
                Some(index * 64 + bit)
            })
        });
        ones.filter(move |granule| granules.contains(granule))
    }

    /// The first stretch of free cells in `granules`, which begins at a cell's first granule; cells have `cell`
    /// granules each. `None` when all are taken.
    pub fn hole(&self, granules: Range<usize>, cell: usize) -> Option<Range<usize>> {
        let free = |at: usize| at + cell <= granules.end && !self.get(at);
        let mut start = granules.start;
        while start + cell <= granules.end {
            if free(start) {
                let mut end = start + cell;
                while free(end) {
                    end += cell;
                }
                return Some(start..end);
            }
            start += cell;
        }
        None
    }
}

impl<const WORDS: usize> Default for GranuleBits<WORDS> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holes_are_found_one_after_the_other() {
        let bits = GranuleBits::<2>::new();
        for granule in [0, 3, 9] {
            bits.set(granule);
        }
        assert_eq!(bits.hole(0..16, 3), Some(6..9));
        assert_eq!(bits.hole(9..16, 3), Some(12..15));
        assert_eq!(bits.hole(15..16, 3), None);
        assert_eq!(bits.count(0..10), 3);
        assert_eq!(bits.ones(1..16).collect::<Vec<_>>(), [3, 9]);
        bits.clear(3);
        assert_eq!(bits.hole(0..16, 3), Some(3..9));
    }
}
