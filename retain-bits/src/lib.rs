//! Retain bits: which objects the last collection reached from a root or from a traced object.
//!
//! A **retain bit** is set when a collection comes across a reference to the object in a root or in a traced
//! object. It is not a mark bit: it is not transitive through counted objects, whose references are counted
//! instead. An object whose count is zero lives as long as its retain bit is set.
//!
//! Two bits are kept for every granule: `current` for the collection under way (or the last one), `previous`
//! for the one before. What was retained then and is not now has been dropped: `dropped = previous & !current`,
//! a word at a time.
//!
//! Nothing is cleared that is not used. Every block carries the *epoch* (the number of the complete collection)
//! in which its bits were last **flipped**: the first touch of a block in a new epoch makes its current bits
//! the previous ones and starts with none. A block that nobody touches is not looked at.
//!
//! ```text
//!   stamp < epoch                    stamp == epoch
//!   current = bits of an old epoch   current  = retained in this epoch
//!   previous = older still           previous = retained when the block was last touched before
//! ```
//!
//! **Invariant:** between collections every block with a bit in `current` is on its owner's list of touched
//! blocks, whatever its stamp says, and no other is.
//!
//! The tables use cells, so that they can lie in memory that many short-lived references point into. All
//! zeros is the valid state of a table nobody has touched.
#![forbid(unsafe_code)]

use bitvec::prelude::{BitArray, Lsb0};
use std::cell::Cell;
use std::ops::Range;

const WORD_BITS: usize = 64;

/// The epoch of blocks that were never touched. Collections count from 1.
const NEVER: u64 = 0;

/// What [`RetainBits::retain`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retained {
    /// The bit was set already.
    Before,
    /// The bit is new.
    Newly,
    /// The bit is new, and so is its block: it has been flipped and belongs on the list of touched blocks.
    NewlyInBlock,
}

/// The bits of `WORDS * 64` granules in up to `BLOCKS` blocks of equal size. Set = retained.
#[repr(C)]
#[derive(Debug)]
pub struct RetainBits<const WORDS: usize, const BLOCKS: usize> {
    current: BitArray<[Cell<u64>; WORDS], Lsb0>,
    previous: BitArray<[Cell<u64>; WORDS], Lsb0>,
    /// The epoch in which a block was last flipped.
    stamps: [Cell<u64>; BLOCKS],
}

impl<const WORDS: usize, const BLOCKS: usize> RetainBits<WORDS, BLOCKS> {
    /// No bits, all blocks untouched.
    pub fn new() -> Self {
        RetainBits {
            current: BitArray::new([const { Cell::new(0) }; WORDS]),
            previous: BitArray::new([const { Cell::new(0) }; WORDS]),
            stamps: [const { Cell::new(NEVER) }; BLOCKS],
        }
    }

    /// The words of `block`, if a block has `2^shift` granules.
    #[inline]
    fn words(block: usize, shift: u32) -> Range<usize> {
        let words = (1 << shift) / WORD_BITS;
        block * words..(block + 1) * words
    }

    /// Sets the current bit of `granule` in a block of `2^shift` granules, and flips the block if this is its
    /// first touch in `epoch`.
    #[inline]
    pub fn retain(&self, granule: usize, shift: u32, epoch: u64) -> Retained {
        let block = granule >> shift;
        let first = self.stamps[block].get() != epoch;
        if first {
            self.flip(block, shift, epoch);
        }
        let word = &self.current.data[granule / WORD_BITS];
        let bit = 1 << (granule % WORD_BITS);
        let old = word.get();
        if old & bit != 0 {
            return Retained::Before;
        }
        word.set(old | bit);
        if first { Retained::NewlyInBlock } else { Retained::Newly }
    }

    /// Is the bit of `granule` set for `epoch`? `false` in a block not yet touched in it.
    #[inline]
    pub fn is_retained(&self, granule: usize, shift: u32, epoch: u64) -> bool {
        self.stamps[granule >> shift].get() == epoch && self.current_bit(granule)
    }

    /// The current bit of `granule`, whatever epoch it is of. Right when no epoch is half begun.
    #[inline]
    pub fn current_bit(&self, granule: usize) -> bool {
        self.current.data[granule / WORD_BITS].get() & 1 << (granule % WORD_BITS) != 0
    }

    /// Where the current bit of `granule` lies, for a prefetch.
    #[inline]
    pub fn place(&self, granule: usize) -> *const Cell<u64> {
        &raw const self.current.data[granule / WORD_BITS]
    }

    /// The previous bit of `granule`.
    pub fn previous_bit(&self, granule: usize) -> bool {
        self.previous[granule]
    }

    /// Clears the previous bits of `block`, so that nothing in it counts as dropped. Only a collector that is
    /// broken on purpose has use for it.
    pub fn lose_previous(&self, block: usize, shift: u32) {
        for word in Self::words(block, shift) {
            self.previous.data[word].set(0);
        }
    }

    /// Has `block` been flipped in `epoch`?
    #[inline]
    pub fn is_touched(&self, block: usize, epoch: u64) -> bool {
        self.stamps[block].get() == epoch
    }

    /// Makes the current bits of `block` its previous ones, and begins `epoch` for it without any.
    #[inline]
    pub fn flip(&self, block: usize, shift: u32, epoch: u64) {
        debug_assert!(!self.is_touched(block, epoch), "a block is flipped once an epoch");
        self.stamps[block].set(epoch);
        for word in Self::words(block, shift) {
            self.previous.data[word].set(self.current.data[word].replace(0));
        }
    }

    /// Makes `blocks` as good as never touched. (Their previous bits are overwritten by the next flip.) None of them must be
    /// on the list of touched blocks any more.
    pub fn clear(&self, blocks: Range<usize>, shift: u32) {
        let words = Self::words(blocks.start, shift).start..Self::words(blocks.end, shift).start;
        self.current.data[words].iter().for_each(|word| word.set(0));
        self.stamps[blocks].iter().for_each(|stamp| stamp.set(NEVER));
    }

    /// The words of `block` with something dropped in them: the word's index in the table, and the dropped bits.
    #[inline]
    pub fn dropped(&self, block: usize, shift: u32) -> impl Iterator<Item = (usize, u64)> {
        Self::words(block, shift).filter_map(|word| {
            let dropped = self.previous.data[word].get() & !self.current.data[word].get();
            (dropped != 0).then_some((word, dropped))
        })
    }

    /// Does `block` have any current bit?
    pub fn any(&self, block: usize, shift: u32) -> bool {
        Self::words(block, shift).any(|word| self.current.data[word].get() != 0)
    }

    /// Takes `block` off the list of touched blocks: its next touch, in whatever epoch, will flip it and list
    /// it again. It must have no current bits.
    pub fn forget(&self, block: usize, shift: u32) {
        debug_assert!(!self.any(block, shift), "a block with bits stays on the list");
        self.stamps[block].set(NEVER);
    }
}

impl<const WORDS: usize, const BLOCKS: usize> Default for RetainBits<WORDS, BLOCKS> {
    fn default() -> Self {
        Self::new()
    }
}

/// The positions of the bits set in a word, from the lowest.
pub fn ones(mut word: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = (word != 0).then(|| word.trailing_zeros() as usize)?;
        word &= word - 1;
        Some(bit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use quickcheck::quickcheck;
    use std::collections::BTreeSet;

    const SHIFT: u32 = 7;
    type Bits = RetainBits<8, 4>;

    /// What the bits must do, said with sets and without stamps.
    #[derive(Default)]
    struct Naive {
        current: BTreeSet<usize>,
        previous: BTreeSet<usize>,
    }

    /// One complete collection of an owner: flip lazily, retain, diff, keep the list of touched blocks.
    fn collect(bits: &Bits, listed: &mut Vec<usize>, epoch: u64, granules: &[usize]) -> BTreeSet<usize> {
        let before = std::mem::take(listed);
        for &granule in granules {
            if bits.retain(granule, SHIFT, epoch) == Retained::NewlyInBlock {
                listed.push(granule >> SHIFT);
            }
        }
        for block in before {
            if !bits.is_touched(block, epoch) {
                bits.flip(block, SHIFT, epoch);
                listed.push(block);
            }
        }
        let dropped = listed
            .iter()
            .flat_map(|&block| bits.dropped(block, SHIFT))
            .flat_map(|(word, dropped)| ones(dropped).map(move |bit| word * WORD_BITS + bit))
            .collect();
        listed.retain(|&block| {
            let any = bits.any(block, SHIFT);
            if !any {
                bits.forget(block, SHIFT);
            }
            any
        });
        dropped
    }

    quickcheck! {
        fn agrees_with_sets(history: Vec<Vec<u16>>) -> bool {
            let bits = Bits::new();
            let mut naive = Naive::default();
            let mut listed = Vec::new();
            history.iter().enumerate().all(|(epoch, granules)| {
                let granules: Vec<usize> = granules.iter().map(|&g| g as usize % 512).collect();
                naive.previous = std::mem::take(&mut naive.current);
                naive.current = granules.iter().copied().collect();
                let dropped = collect(&bits, &mut listed, epoch as u64 + 1, &granules);
                dropped == naive.previous.difference(&naive.current).copied().collect()
                    && (0..512).all(|g| bits.current_bit(g) == naive.current.contains(&g))
            })
        }
    }

    #[test]
    fn a_bit_added_after_the_diff_is_seen_by_the_next_one() {
        let bits = Bits::new();
        let mut listed = Vec::new();
        collect(&bits, &mut listed, 1, &[5]);
        collect(&bits, &mut listed, 2, &[]);
        // The block has left the list; a short collection in the same epoch touches it again.
        assert_eq!(bits.retain(9, SHIFT, 2), Retained::NewlyInBlock);
        listed.push(0);
        assert_eq!(collect(&bits, &mut listed, 3, &[]), BTreeSet::from([9]));
    }

    #[test]
    fn what_was_cleared_was_never_touched() {
        let bits = Bits::new();
        let granules = [5, 1 << SHIFT, 2 << SHIFT];
        for granule in granules {
            bits.retain(granule, SHIFT, 1);
        }
        bits.clear(1..2, SHIFT);
        assert_eq!(granules.map(|granule| bits.current_bit(granule)), [true, false, true]);
        assert_eq!([0, 1, 2].map(|block| bits.is_touched(block, 1)), [true, false, true]);
        // In the same epoch, too, its first bit is the first of all.
        assert_eq!(bits.retain((1 << SHIFT) + 3, SHIFT, 1), Retained::NewlyInBlock);
        assert_eq!(bits.dropped(1, SHIFT).next(), None);
    }

    #[test]
    fn who_loses_the_previous_bits_of_a_block_drops_nothing_there() {
        let bits = Bits::new();
        let granules = [5, 1 << SHIFT];
        for granule in granules {
            bits.retain(granule, SHIFT, 1);
        }
        [0, 1].into_iter().for_each(|block| bits.flip(block, SHIFT, 2));
        bits.lose_previous(0, SHIFT);
        assert_eq!([0, 1].map(|block| bits.dropped(block, SHIFT).count()), [0, 1]);
        assert_eq!(granules.map(|granule| bits.previous_bit(granule)), [false, true]);
    }

    #[test]
    fn the_place_of_a_bit_is_that_of_its_word() {
        let bits = Bits::new();
        let [first, same, next] = [0, 63, 64].map(|granule| bits.place(granule).addr());
        assert_eq!((same, next), (first, first + size_of::<u64>()));
    }

    #[test]
    fn retain_tells_what_it_found() {
        let bits = Bits::new();
        assert_eq!(bits.retain(130, SHIFT, 1), Retained::NewlyInBlock);
        assert_eq!(bits.retain(130, SHIFT, 1), Retained::Before);
        assert_eq!(bits.retain(131, SHIFT, 1), Retained::Newly);
        assert!(bits.is_retained(130, SHIFT, 1) && !bits.is_retained(130, SHIFT, 2));
        assert!(!bits.is_retained(132, SHIFT, 1));
    }
}
