//! Which block is used for what, which has room, and which blocks of a chunk are free.
//!
//! A block in use belongs to a *lane* (the owner keeps objects of different fates apart) and a size class. A
//! block with room is *listed* by how full it is, so that the fullest is filled first and the emptiest gets the
//! chance to become empty. Lists are not kept exact: an entry counts only if the block still says so itself.

use std::cell::Cell;

use bitvec::prelude::{BitArray, Lsb0};

use crate::CHUNK_BLOCKS_MAX;
use crate::classes::{CLASSES, Class};

/// Lanes of blocks that are kept apart.
pub const LANES: usize = 4;
/// Quarters of occupancy by which blocks with room are listed.
const QUARTERS: usize = 4;

/// What a block is used for. Zero is free, so a zeroed table is a valid one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Nothing.
    Free,
    /// Equal cells.
    Cells,
    /// The first block of an object that takes whole blocks.
    Head,
    /// A later block of such an object.
    Tail,
    /// The chunk's side tables.
    Tables,
}

/// Where a block with cells stands in the lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listed {
    /// Nowhere: full, as far as anybody knows.
    No,
    /// Its owner is filling it.
    Filling,
    /// Cells were freed in it since it was last listed; it waits to be listed.
    Waiting,
    /// In the list of this quarter, 0 being the emptiest.
    Quarter(u8),
}

/// The state of one block; by default it is free.
#[derive(Debug, Default)]
pub struct BlockState {
    used: Cell<u8>,
    listed: Cell<u8>,
    /// The lane of a block with cells.
    pub lane: Cell<u8>,
    /// The class of a block with cells.
    pub class: Cell<u8>,
    /// Taken cells of a block with cells, as far as its owner has entered them. Blocks of the object, for a head.
    pub live: Cell<u32>,
    /// For a head: the object is young, not yet reached by any collection.
    pub young: Cell<bool>,
    /// Granules of a cell of a block with cells: what its class says, without computing.
    cell: Cell<u16>,
}

impl BlockState {
    /// The block is free again, as if it had never been used.
    pub fn clear(&self) {
        let BlockState { used, listed, lane, class, live, young, cell } = self;
        [used, listed, lane, class].into_iter().for_each(|cell| cell.set(0));
        live.set(0);
        young.set(false);
        cell.set(0);
    }

    /// From now on the block has cells of this class, for a lane, and none is taken.
    pub fn begin_cells(&self, lane: u8, class: Class) {
        self.set_used(Use::Cells);
        self.lane.set(lane);
        self.class.set(class.0);
        self.cell.set(class.granules() as u16);
        self.live.set(0);
    }

    /// Granules of a cell.
    #[inline]
    pub fn cell_granules(&self) -> usize {
        self.cell.get().into()
    }

    /// Does it have cells, for this lane?
    #[inline]
    pub fn is_of_lane(&self, lane: u8) -> bool {
        self.lane.get() == lane && self.used.get() == Use::Cells as u8
    }

    /// Is this the first block of an object that takes whole blocks?
    #[inline]
    pub fn is_head(&self) -> bool {
        self.used.get() == Use::Head as u8
    }

    /// What the block is used for.
    #[inline]
    pub fn used(&self) -> Use {
        [Use::Free, Use::Cells, Use::Head, Use::Tail, Use::Tables][self.used.get() as usize]
    }

    /// Sets what the block is used for.
    pub fn set_used(&self, used: Use) {
        self.used.set(used as u8);
    }

    /// Where the block stands in the lists.
    #[inline]
    pub fn listed(&self) -> Listed {
        match self.listed.get() {
            0 => Listed::No,
            1 => Listed::Filling,
            2 => Listed::Waiting,
            quarter => Listed::Quarter(quarter - 3),
        }
    }

    /// Sets where the block stands in the lists.
    pub fn set_listed(&self, listed: Listed) {
        self.listed.set(match listed {
            Listed::No => 0,
            Listed::Filling => 1,
            Listed::Waiting => 2,
            Listed::Quarter(quarter) => quarter + 3,
        });
    }
}

/// Blocks with room, by lane, class and quarter. A block is named by its address.
#[derive(Debug)]
pub struct Room {
    lists: Vec<[Vec<usize>; QUARTERS]>,
}

impl Default for Room {
    fn default() -> Self {
        Room { lists: (0..LANES * CLASSES).map(|_| Default::default()).collect() }
    }
}

impl Room {
    fn lists(&mut self, lane: u8, class: Class) -> &mut [Vec<usize>; QUARTERS] {
        &mut self.lists[lane as usize * CLASSES + class.0 as usize]
    }

    /// Lists a block with `cells` cells by its occupancy.
    pub fn list(&mut self, address: usize, state: &BlockState, cells: usize) {
        let quarter = (state.live.get() as usize * QUARTERS / cells.max(1)).min(QUARTERS - 1);
        state.set_listed(Listed::Quarter(quarter as u8));
        self.lists(state.lane.get(), Class(state.class.get()))[quarter].push(address);
    }

    /// Takes the fullest listed block of a lane and class off its list. `state` finds a block's state.
    pub fn take<'a>(
        &mut self,
        lane: u8,
        class: Class,
        state: impl Fn(usize) -> &'a BlockState,
    ) -> Option<usize> {
        for (quarter, list) in self.lists(lane, class).iter_mut().enumerate().rev() {
            while let Some(address) = list.pop() {
                let state = state(address);
                let counts = state.used() == Use::Cells
                    && state.listed() == Listed::Quarter(quarter as u8)
                    && (state.lane.get(), state.class.get()) == (lane, class.0);
                if counts {
                    return Some(address);
                }
            }
        }
        None
    }

    /// The block that [`Room::take`] will look at next, if nothing happens before.
    pub fn peek(&mut self, lane: u8, class: Class) -> Option<usize> {
        self.lists(lane, class).iter().rev().find_map(|list| list.last().copied())
    }

    /// Every entry that counts if the block still says so: its lane, class and quarter, and the block. For checking.
    pub fn entries(&self) -> impl Iterator<Item = (u8, Class, u8, usize)> {
        self.lists.iter().enumerate().flat_map(|(index, lists)| {
            let (lane, class) = ((index / CLASSES) as u8, Class((index % CLASSES) as u8));
            let quarters = lists.iter().zip(0..);
            quarters
                .flat_map(move |(list, quarter)| list.iter().map(move |&block| (lane, class, quarter, block)))
        })
    }

    /// Forgets the blocks for which `gone` is true: their memory goes away.
    pub fn forget(&mut self, gone: impl Fn(usize) -> bool) {
        for list in self.lists.iter_mut().flatten() {
            list.retain(|&address| !gone(address));
        }
    }
}

/// The free blocks of a chunk, and which of them have memory behind them.
#[derive(Debug)]
pub struct FreeBlocks {
    /// Set: free.
    free: BitArray<[u64; CHUNK_BLOCKS_MAX / 64], Lsb0>,
    /// Set: free, and its memory has not been given back to the system.
    backed: BitArray<[u64; CHUNK_BLOCKS_MAX / 64], Lsb0>,
    /// No block from here on was ever taken.
    reached: usize,
}

impl FreeBlocks {
    /// `blocks` blocks, of which those from `first` are free and without memory.
    pub fn new(first: usize, blocks: usize) -> FreeBlocks {
        let mut free = FreeBlocks { free: BitArray::ZERO, backed: BitArray::ZERO, reached: first };
        free.free[first..blocks].fill(true);
        free
    }

    /// How many blocks are free.
    pub fn len(&self) -> usize {
        self.free.count_ones()
    }

    /// No block from here on was ever taken.
    pub fn reached(&self) -> usize {
        self.reached
    }

    /// Is none free?
    pub fn is_empty(&self) -> bool {
        self.free.not_any()
    }

    /// How many free blocks have memory.
    pub fn backed(&self) -> usize {
        self.backed.count_ones()
    }

    /// Is this block free?
    pub fn is_free(&self, block: usize) -> bool {
        self.free[block]
    }

    /// Takes one block, if possible one with memory, and says whether it has any.
    pub fn take(&mut self) -> Option<(usize, bool)> {
        let block = self.backed.first_one().or_else(|| self.free.first_one())?;
        self.free.set(block, false);
        self.reached = self.reached.max(block + 1);
        Some((block, self.backed.replace(block, false)))
    }

    /// Takes `count` blocks in a row and says which is the first, and how many of them have memory.
    pub fn take_run(&mut self, count: usize) -> Option<(usize, usize)> {
        let mut start = self.free.first_one()?;
        loop {
            let length = self.free[start..].leading_ones();
            if length >= count {
                self.free[start..start + count].fill(false);
                self.reached = self.reached.max(start + count);
                let backed = self.backed[start..start + count].count_ones();
                self.backed[start..start + count].fill(false);
                return Some((start, backed));
            }
            start += length;
            start += self.free[start..].first_one()?;
        }
    }

    /// Puts a block back that has memory.
    pub fn put(&mut self, block: usize) {
        debug_assert!(!self.free[block], "a block is freed once");
        self.free.set(block, true);
        self.backed.set(block, true);
    }

    /// Says that there is memory behind the first stretch of free blocks without, at most `most` blocks of it, and which
    /// they are.
    pub fn back(&mut self, most: usize) -> Option<std::ops::Range<usize>> {
        let bare = self.free & !self.backed;
        let start = bare.first_one()?;
        let length = bare[start..].leading_ones().min(most);
        self.backed[start..start + length].fill(true);
        Some(start..start + length)
    }

    /// Takes the memory away from the first stretch of backed free blocks, at most `most` blocks of it, and
    /// says which they are.
    pub fn unback(&mut self, most: usize) -> Option<std::ops::Range<usize>> {
        let start = self.backed.first_one()?;
        let length = self.backed[start..].leading_ones().min(most);
        self.backed[start..start + length].fill(false);
        Some(start..start + length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fullest_block_is_filled_first() {
        let states = [1, 7, 4].map(with_live);
        let mut room = Room::default();
        for (address, state) in states.iter().enumerate() {
            room.list(address, state, 8);
        }
        let take = |room: &mut Room| room.take(0, Class(0), |address| &states[address]);
        assert_eq!(room.peek(0, Class(0)), Some(1));
        assert_eq!(take(&mut room), Some(1));
        assert_eq!(room.peek(0, Class(0)), Some(2));
        states[2].set_used(Use::Free);
        assert_eq!(take(&mut room), Some(0));
        assert_eq!(take(&mut room), None);
        assert_eq!(room.peek(0, Class(0)), None);
    }

    #[test]
    fn a_block_that_is_something_else_now_is_not_taken_for_what_it_was() {
        let state = with_live(3);
        let mut room = Room::default();
        let take = |room: &mut Room, class| room.take(0, Class(class), |_| &state);
        room.list(7, &state, 8);
        state.live.set(7);
        room.list(7, &state, 8);
        assert_eq!(room.entries().count(), 2);
        assert_eq!(take(&mut room, 0), Some(7));
        state.set_listed(Listed::Filling);
        assert_eq!(take(&mut room, 0), None, "it was listed twice");
        // Full of objects of one size when it was listed, of another now.
        room.list(7, &state, 8);
        state.begin_cells(0, Class(1));
        assert_eq!(state.live.get(), 0);
        state.live.set(7);
        room.list(7, &state, 8);
        assert_eq!((take(&mut room, 0), take(&mut room, 1)), (None, Some(7)));
    }

    fn with_live(live: u32) -> BlockState {
        let state = BlockState::default();
        state.set_used(Use::Cells);
        state.live.set(live);
        state
    }

    #[test]
    fn free_blocks_are_taken_backed_first_and_in_runs() {
        let mut free = FreeBlocks::new(4, 32);
        assert_eq!(free.take(), Some((4, false)));
        assert_eq!(free.take_run(3), Some((5, 0)));
        free.put(6);
        free.put(4);
        assert_eq!((free.len(), free.backed()), (26, 2));
        assert_eq!(free.take_run(20), Some((8, 0)));
        assert_eq!(free.take_run(5), None);
        assert_eq!(free.take(), Some((4, true)));
        assert_eq!(free.unback(8), Some(6..7));
        assert_eq!(free.unback(8), None);
        (8..11).for_each(|block| free.put(block));
        assert_eq!((free.unback(2), free.unback(2)), (Some(8..10), Some(10..11)));
        assert_eq!(free.take_run(3), Some((8, 0)), "no more than fits");
    }

    #[test]
    fn free_blocks_get_memory_in_order() {
        let mut free = FreeBlocks::new(4, 32);
        assert_eq!(free.take_run(8), Some((4, 0)));
        free.put(6);
        free.put(9);
        free.unback(1);
        assert_eq!((free.back(4), free.back(4), free.back(40)), (Some(6..7), Some(12..16), Some(16..32)));
        assert_eq!((free.back(1), free.backed(), free.len()), (None, 22, 22));
        assert_eq!(
            (free.take(), free.take(), free.take()),
            (Some((6, true)), Some((9, true)), Some((12, true)))
        );
    }
}
