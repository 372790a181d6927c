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

    /// Sets the bits of the cells in `granules`, which have `cell` granules each. It writes 64 granules at a time.
    pub fn set_cells(&self, granules: Range<usize>, cell: usize) {
        let mut first = granules.start;
        while first < granules.end {
            let (index, bit) = (first / 64, first % 64);
            let behind = index * 64 + 64;
            let beyond = behind.saturating_sub(granules.end);
            let firsts = every(cell) << bit & u64::MAX >> beyond;
            let word = &self.0.data[index];
            word.set(word.get() | firsts);
            if behind >= granules.end {
                return;
            }
            first = next_word(first, cell);
        }
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

    /// Where the bit of `granule` lies, for a prefetch.
    #[inline]
    pub fn place(&self, granule: usize) -> *const Cell<u64> {
        &raw const self.0.data[granule / 64]
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

    /// Clears the bits of `granules`. It writes 64 granules at a time.
    pub fn clear_range(&self, granules: Range<usize>) {
        let mut first = granules.start;
        while first < granules.end {
            let (index, bit) = (first / 64, first % 64);
            let beyond = (index * 64 + 64).saturating_sub(granules.end);
            self.clear_word(index, u64::MAX << bit & u64::MAX >> beyond);
            first = (index + 1) * 64;
        }
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

    /// The first stretch of free cells in `granules`, which are whole cells of `cell` granules each. `None` when all are
    /// taken. It looks at 64 granules at a time.
    #[inline]
    pub fn hole(&self, granules: Range<usize>, cell: usize) -> Option<Range<usize>> {
        debug_assert!(granules.len().is_multiple_of(cell));
        let end = granules.end;
        let start = self.next_cell(granules, cell, |word| !word)?;
        let end = self.next_cell(start..end, cell, |word| word).unwrap_or(end);
        Some(start..end)
    }

    /// The first granule in `granules` that begins a cell and whose bit is set in what `look` makes of its word.
    #[inline(always)]
    fn next_cell(&self, granules: Range<usize>, cell: usize, look: impl Fn(u64) -> u64) -> Option<usize> {
        let mut first = granules.start;
        while first < granules.end {
            let (index, bit) = (first / 64, first % 64);
            let firsts = every(cell) << bit;
            let found = look(self.word(index)) & firsts;
            if found != 0 {
                return Some(index * 64 + found.trailing_zeros() as usize).filter(|&at| at < granules.end);
            }
            if index * 64 + 64 >= granules.end {
                return None;
            }
            first = next_word(first, cell);
        }
        None
    }
}

/// The first granule after `first` that begins a cell, as `first` does, in another word.
#[inline(always)]
fn next_word(first: usize, cell: usize) -> usize {
    let left = 64 - first % 64;
    if cell.is_power_of_two() {
        // Most are, and this takes no division.
        return first + ((left + cell - 1) & !(cell - 1));
    }
    first + (left as u32).next_multiple_of(cell as u32) as usize
}

/// A word with every `cell`-th bit set, from the lowest.
#[inline(always)]
fn every(cell: usize) -> u64 {
    /// The words for cells of less than 64 granules.
    const EVERY: [u64; 64] = {
        let mut words = [1; 64];
        let mut cell = 1;
        while cell < 64 {
            let mut bit = 0;
            while bit < 64 {
                words[cell] |= 1 << bit;
                bit += cell;
            }
            cell += 1;
        }
        words
    };
    EVERY.get(cell).copied().unwrap_or(1)
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
        assert_eq!(bits.hole(0..15, 3), Some(6..9));
        assert_eq!(bits.hole(9..15, 3), Some(12..15));
        assert_eq!(bits.hole(9..12, 3), None);
        assert_eq!(bits.count(0..10), 3);
        assert_eq!(bits.ones(1..16).collect::<Vec<_>>(), [3, 9]);
        bits.clear(3);
        assert_eq!(bits.hole(0..15, 3), Some(3..9));
    }

    #[test]
    fn whole_words_are_cleared_and_others_left() {
        let bits = GranuleBits::<4>::new();
        let all = [0, 63, 64, 130, 191, 192];
        all.into_iter().for_each(|granule| bits.set(granule));
        assert_eq!(bits.ones(0..256).collect::<Vec<_>>(), all);
        bits.clear_all(64..192);
        assert_eq!(bits.ones(0..256).collect::<Vec<_>>(), [0, 63, 192]);
        assert_eq!(bits.place(70).addr() - bits.place(0).addr(), size_of::<u64>());
    }

    #[test]
    fn holes_are_those_that_a_look_at_every_cell_finds() {
        let slowly = |bits: &GranuleBits<8>, granules: Range<usize>, cell| {
            let firsts: Vec<usize> =
                granules.clone().step_by(cell).filter(|first| first + cell <= granules.end).collect();
            let free = firsts.iter().position(|&first| !bits.get(first))?;
            let run = firsts[free..].iter().take_while(|&&first| !bits.get(first)).count();
            Some(firsts[free]..firsts[free] + run * cell)
        };
        let mut state = 12345u32;
        let mut random = |bound: usize| {
            state = state.wrapping_mul(69069).wrapping_add(1);
            (state >> 8) as usize % bound
        };
        for _ in 0..20_000 {
            let (cell, start, share) = (1 + random(70), random(200), random(8));
            let granules = start..start + random(300) / cell * cell;
            let bits = GranuleBits::<8>::new();
            for first in granules.clone().step_by(cell).filter(|first| first + cell <= granules.end) {
                if random(8) < share {
                    bits.set(first);
                }
            }
            let hole = bits.hole(granules.clone(), cell);
            assert_eq!(hole, slowly(&bits, granules.clone(), cell));
            if let Some(hole) = hole {
                let before = bits.count(0..512);
                bits.set_cells(hole.clone(), cell);
                assert_eq!(bits.count(0..512), before + hole.len() / cell);
                assert!(hole.clone().step_by(cell).all(|first| bits.get(first)));
                bits.clear_range(hole);
                assert_eq!(bits.count(0..512), before);
            }
        }
    }
}
