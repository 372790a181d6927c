//! The old generation's memory: chunks with their side tables, cells for objects, whole blocks for large ones.
//!
//! A chunk is a mebibyte, aligned to one, so the side tables of an object are found by masking its address. It
//! begins with a [`Chunk`], the side tables; blocks follow. An object that is larger than half a block gets
//! blocks of its own, and one that is larger than half a chunk a mapping of its own, which begins with the
//! same tables.
//!
//! This file knows where objects are and how large they are, not what they refer to.

mod absorb;
mod check;
mod chunk;
mod large;
mod spans;

use std::ops::Range;
use std::rc::Rc;

use blocks::classes::{CLASSES, Class, cell_bytes_max, class_of};
use blocks::counts::Overflow;
use blocks::table::{BlockState, FreeBlocks, LANES, Listed, Room, Use};
use blocks::{BlockBytes, CHUNK_BYTES, CHUNK_GRANULES, GRANULE_BYTES};
use retain_bits::{Retained, ones};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::ahead;
use crate::exchange::Owner;
use crate::object::{self, ObjRef};
use crate::os::{Mapping, Refused, SPELL, System};
use crate::shape::{Header, MUTABLE};

use chunk::Chunk;
pub(crate) use chunk::{chunk_base, chunk_of, granule_of, object_at};
pub(crate) use large::{CARD_BYTES, card_byte, clear_card};
pub(crate) use spans::{Place, Run};

use spans::Span;

/// Objects of different fates are kept in different blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    /// Mutable when promoted: scanned by every complete collection, so they should lie side by side.
    Mutable,
    /// Immutable with references.
    Immutable,
    /// Immutable without references: freed without being looked at.
    Leaf,
    /// Promoted as part of a cluster: they die together, and leave holes that have room for another one.
    Cluster,
}

impl Lane {
    const ALL: [Lane; LANES] = [Lane::Mutable, Lane::Immutable, Lane::Leaf, Lane::Cluster];

    /// The lane for an object that is promoted with this header.
    #[inline]
    pub fn of(header: Header) -> Lane {
        if header.has(MUTABLE) {
            Lane::Mutable
        } else if header.references() == 0 {
            Lane::Leaf
        } else {
            Lane::Immutable
        }
    }
}

/// A chunk as its owner sees it.
struct Region {
    mapping: Mapping,
    free: FreeBlocks,
}

/// The old generation's memory.
pub(crate) struct Space {
    pub block: BlockBytes,
    pub system: Rc<System>,
    /// Who this is, in a group of heaps.
    pub owner: Owner,
    /// An address may be that of another owner's object. Once set it stays so.
    pub abroad: bool,
    /// The number of the complete collection; blocks are stamped with it.
    pub epoch: u64,
    /// Blocks with a bit in their current table, and those flipped in this epoch.
    pub touched_blocks: Vec<usize>,
    pub overflow: Overflow,
    /// Old objects, and the bytes of their cells.
    pub objects: usize,
    pub bytes: usize,
    /// Large objects that no collection has seen yet.
    pub young_large: Vec<ObjRef>,
    /// Checking mode: what is freed is filled with a pattern.
    pub poison: bool,
    regions: Vec<Region>,
    /// The addresses of all chunks and mappings of large objects.
    bases: FxHashSet<usize>,
    /// No region before this one has a free block.
    hint: usize,
    huge: FxHashMap<usize, Mapping>,
    /// Mappings of freed objects. Their side tables are still looked at until the collection is over.
    dying: Vec<Mapping>,
    huge_bytes: usize,
    spans: Box<[[Span; CLASSES]; LANES]>,
    /// The classes that have a block to fill, a bit for each, by lane.
    filling: [u64; LANES],
    /// The collection makes clusters: their blocks are for them.
    pub making_clusters: bool,
    /// The cells given out since [`Space::begin_runs`], if that is of interest.
    runs: Option<Vec<Run>>,
    room: Room,
    /// Blocks in which cells were freed and that are not listed yet.
    waiting: Vec<usize>,
    blocks_used: usize,
    blocks_free: usize,
    /// Free blocks whose memory has not been given back.
    blocks_backed: usize,
    /// The fewest that there were of these in this spell: so many, nobody has needed.
    blocks_idle: usize,
    /// Collections in this spell.
    spell: u32,
    /// Blocks that the collection has taken for what it promotes.
    blocks_taken: usize,
    /// The next collection's blocks may have their memory asked for ahead of time.
    pub pages_ahead: bool,
}

/// A heap grows if a collection takes at least so many bytes of blocks. Larger: pages are asked for ahead of time in fewer
/// heaps. Smaller: those that grow slowly gain as well.
const TAKEN_BYTES_MIN: usize = 256 << 10;

/// And if so many bytes of blocks are in use. Larger: fewer programs ever have a second thread. Smaller: small heaps gain as
/// well.
const USED_BYTES_MIN: usize = 8 << 20;

/// At most this part of the bytes in use is asked for ahead of time. Larger: a heap that grows fast gains more. Smaller: less
/// memory is there for nobody when it grows no more.
const AHEAD_SHARE: usize = 32;

impl Space {
    pub fn new(block: BlockBytes, poison: bool, system: Rc<System>, owner: Owner) -> Space {
        Space {
            block,
            system,
            owner,
            abroad: false,
            epoch: 1,
            touched_blocks: Vec::new(),
            overflow: Overflow::default(),
            objects: 0,
            bytes: 0,
            young_large: Vec::new(),
            poison,
            regions: Vec::new(),
            bases: FxHashSet::default(),
            hint: 0,
            huge: FxHashMap::default(),
            dying: Vec::new(),
            huge_bytes: 0,
            spans: Box::new([[Span::default(); CLASSES]; LANES]),
            filling: [0; LANES],
            making_clusters: false,
            runs: None,
            room: Room::default(),
            waiting: Vec::new(),
            blocks_used: 0,
            blocks_free: 0,
            blocks_backed: 0,
            blocks_idle: 0,
            spell: 0,
            blocks_taken: 0,
            pages_ahead: false,
        }
    }

    /// Bytes of blocks in use and of objects with mappings of their own.
    pub fn used_bytes(&self) -> usize {
        self.blocks_used * self.block.get() + self.huge_bytes
    }

    /// Blocks in use.
    pub fn blocks_used(&self) -> usize {
        self.blocks_used
    }

    /// Blocks that are mapped and free.
    pub fn blocks_free(&self) -> usize {
        self.blocks_free
    }

    /// The binary logarithm of a block's granules.
    #[inline(always)]
    pub fn shift(&self) -> u32 {
        self.block.granules_log2()
    }

    /// The first byte of the block that `address` lies in.
    #[inline(always)]
    pub fn block_of(&self, address: usize) -> usize {
        address & !(self.block.get() - 1)
    }

    /// Is the object at this address one of this space's own? It must not be in a nursery.
    #[inline(always)]
    pub fn is_own(&self, address: usize) -> bool {
        !self.abroad || chunk_of(address).owner.get() == self.owner
    }

    /// The number of a block in its chunk.
    #[inline(always)]
    pub fn block_index(&self, block: usize) -> usize {
        (block & (CHUNK_BYTES - 1)) >> self.block.log2()
    }

    #[inline(always)]
    pub fn state<'a>(&self, block: usize) -> &'a BlockState {
        &chunk_of(block).blocks[self.block_index(block)]
    }

    fn granules(&self, block: usize) -> Range<usize> {
        let first = granule_of(block);
        first..first + self.block.granules()
    }

    // ------------------------------------------------------------------ cells

    /// Makes sure that `bytes` bytes of young objects can be promoted without asking the system again. It is called
    /// before they are allocated, so a collection never fails for want of memory.
    /// `more` free blocks are wanted besides.
    pub fn reserve(&mut self, bytes: usize, more: usize) -> Result<(), Refused> {
        let blocks = self.blocks_for(bytes) + more;
        let fresh = self.block.per_chunk() - self.first_block();
        while self.blocks_free < blocks {
            let chunks = (blocks - self.blocks_free).div_ceil(fresh);
            for mapping in self.system.map_row(chunks, CHUNK_BYTES, CHUNK_BYTES)? {
                self.add_chunk(mapping);
            }
        }
        Ok(())
    }

    /// So many free blocks are enough for `bytes` bytes of survivors.
    fn blocks_for(&self, bytes: usize) -> usize {
        // In blocks, an object takes at most twice what it takes in the nursery, its share of what remains of the block
        // behind the last cell included; each lane and class may begin one block that stays nearly empty.
        let classes = class_of(cell_bytes_max(self.block) / GRANULE_BYTES).0 as usize + 1;
        (2 * bytes).div_ceil(self.block.get()) + LANES * classes
    }

    fn add_chunk(&mut self, mapping: Mapping) {
        let first = self.first_block();
        let free = FreeBlocks::new(first, self.block.per_chunk());
        let chunk = chunk_of(mapping.range().start);
        chunk.index.set(self.regions.len());
        chunk.owner.set(self.owner);
        for state in &chunk.blocks[..first] {
            state.set_used(Use::Tables);
        }
        self.blocks_free += free.len();
        self.bases.insert(mapping.range().start);
        self.regions.push(Region { mapping, free });
    }

    /// The number of the first block behind the side tables.
    fn first_block(&self) -> usize {
        size_of::<Chunk>().div_ceil(self.block.get())
    }

    /// The objects in a run, in order.
    pub fn objects_in_run(&self, run: &Run) -> impl ExactSizeIterator<Item = ObjRef> + use<> {
        let cell = self.state(self.block_of(run.start)).cell_granules() * GRANULE_BYTES;
        // SAFETY: one cell begins where the one before ends, and each is taken.
        run.clone().step_by(cell).map(|address| unsafe { ObjRef::new(address) })
    }

    /// Makes every count in the run `byte`.
    pub fn fill_counts(&self, run: &Run, byte: u8) {
        let first = granule_of(run.start);
        chunk_of(run.start).counts.fill(first..first + run.len() / GRANULE_BYTES, byte);
    }

    /// A free block of its own.
    fn free_block(&mut self) -> Option<usize> {
        while self.hint < self.regions.len() {
            let region = &mut self.regions[self.hint];
            if let Some((index, backed)) = region.free.take() {
                let base = region.mapping.range().start;
                self.take_backed(usize::from(backed));
                self.blocks_free -= 1;
                self.blocks_used += 1;
                self.blocks_taken += 1;
                return Some(base + index * self.block.get());
            }
            self.hint += 1;
        }
        None
    }

    /// So many free blocks with memory are free no more.
    fn take_backed(&mut self, blocks: usize) {
        self.blocks_backed -= blocks;
        self.blocks_idle = self.blocks_idle.min(self.blocks_backed);
    }

    fn put_block(&mut self, block: usize) {
        let region = chunk_of(block).index.get();
        let index = self.block_index(block);
        self.state(block).set_used(Use::Free);
        self.regions[region].free.put(index);
        self.hint = self.hint.min(region);
        self.blocks_free += 1;
        self.blocks_backed += 1;
        self.blocks_used -= 1;
    }

    // ------------------------------------------------------------------ freeing

    /// Frees the cell of a counted object that nobody counts or retains, in a block with this state.
    #[inline]
    pub fn free_cell(&mut self, object: ObjRef, state: &BlockState) {
        let (chunk, granule) = (object.chunk(), object.granule());
        debug_assert!(chunk.starts.get(granule), "freed twice, or never an object: {object:?}");
        debug_assert!(!chunk.traced.get(granule) && chunk.counts.byte(granule) == 0);
        chunk.starts.clear(granule);
        self.spoil(object);
        self.cells_freed(object, state, 1);
    }

    /// Frees the cell or the blocks of an old object. It must have no retain bit, and its count be zero.
    #[inline]
    pub fn free(&mut self, object: ObjRef) {
        let (chunk, granule) = (object.chunk(), object.granule());
        debug_assert!(chunk.starts.get(granule), "freed twice, or never an object: {object:?}");
        chunk.starts.clear(granule);
        chunk.traced.clear(granule);
        chunk.counts.set(granule, 0);
        let state = self.state_of(object);
        if state.is_head() {
            self.objects -= 1;
            self.bytes -= object.bytes();
            self.free_large(object);
        } else {
            self.spoil(object);
            self.cells_freed(object, state, 1);
        }
    }

    /// Frees all cells of a run, whatever their counts are. No retain bit is set there.
    pub fn free_run(&mut self, run: &Run) {
        if self.poison || cfg!(frazil_asan) {
            self.objects_in_run(run).for_each(|object| self.spoil(object));
        }
        self.fill_counts(run, 0);
        let (chunk, first) = (chunk_of(run.start), granule_of(run.start));
        let granules = first..first + run.len() / GRANULE_BYTES;
        let state = self.state(self.block_of(run.start));
        let cells = granules.len() / state.cell_granules();
        chunk.starts.clear_range(granules);
        // SAFETY: an object began here until now; only its address is of interest.
        let object = unsafe { ObjRef::new(run.start) };
        self.cells_freed(object, state, cells as u32);
    }

    /// Frees the objects of one block that `dead` has a bit for, in word `word` of its chunk's tables. They are not looked
    /// at. Their counts are zero.
    pub fn free_word(&mut self, block: usize, word: usize, dead: u64) {
        if dead == 0 {
            return;
        }
        let chunk = chunk_of(block);
        let (state, first) = (self.state(block), object_at(block, word, dead.trailing_zeros() as usize));
        if state.is_head() {
            return self.free(first);
        }
        if self.poison || cfg!(frazil_asan) {
            ones(dead).for_each(|bit| self.spoil(object_at(block, word, bit)));
        }
        chunk.starts.clear_word(word, dead);
        chunk.traced.clear_word(word, dead);
        self.cells_freed(first, state, dead.count_ones());
    }

    /// Where somebody checks, the memory of a freed cell must not look like an object any more.
    #[inline]
    fn spoil(&self, object: ObjRef) {
        if self.poison || cfg!(frazil_asan) {
            let bytes = self.state_of(object).cell_granules() * GRANULE_BYTES;
            // SAFETY: the cell has just been freed.
            unsafe { object::poison(object.address(), bytes) };
        }
    }

    /// `count` cells have become free, one of which was that of `object`, in a block with this state.
    #[inline]
    fn cells_freed(&mut self, object: ObjRef, state: &BlockState, count: u32) {
        self.objects -= count as usize;
        self.bytes -= count as usize * state.cell_granules() * GRANULE_BYTES;
        state.live.set(state.live.get() - count);
        if state.live.get() == 0 || state.listed() == Listed::No {
            self.has_room_now(self.block_of(object.address()), state);
        }
    }

    /// The first cell of a full block has become free, or the last of any.
    fn has_room_now(&mut self, block: usize, state: &BlockState) {
        if state.listed() == Listed::Filling {
            return;
        }
        if state.live.get() == 0 {
            state.set_listed(Listed::No);
            self.put_block(block);
        } else {
            state.set_listed(Listed::Waiting);
            self.waiting.push(block);
        }
    }

    /// The state of the block in which an old object begins.
    #[inline(always)]
    pub fn state_of<'a>(&self, object: ObjRef) -> &'a BlockState {
        self.state(self.block_of(object.address()))
    }

    /// Lists the blocks in which cells were freed, fullest first from now on.
    pub fn list_room(&mut self) {
        for block in std::mem::take(&mut self.waiting) {
            let state = self.state(block);
            if state.listed() == Listed::Waiting {
                let cells = Class(state.class.get()).cells(self.block);
                self.room.list(block, state, cells);
            }
        }
    }

    /// After a collection: gives the memory of free blocks beyond `keep_bytes` back to the system, if nobody has needed
    /// it for a spell, or at once. So do whole chunks when nothing is left in them and the next collection, of at most
    /// `nursery_bytes`, will not ask for them.
    pub fn give_back(&mut self, keep_bytes: usize, nursery_bytes: usize, at_once: bool) {
        // The mappings of freed objects end: nobody looks at their side tables any more.
        self.dying.clear();
        self.spell += 1;
        if at_once {
            // Who wants memory back is not to miss more of it a moment later.
            self.blocks_taken = 0;
        }
        if !at_once && self.spell < SPELL {
            return;
        }
        let idle = if at_once { self.blocks_backed } else { self.blocks_idle };
        let mut excess = idle.saturating_sub(keep_bytes / self.block.get());
        (self.spell, self.blocks_idle) = (0, self.blocks_backed - excess);
        if excess == 0 {
            return;
        }
        self.blocks_backed -= excess;
        // From the back: the chunks in front are filled first.
        for region in self.regions.iter_mut().rev() {
            while excess > 0 {
                let Some(blocks) = region.free.unback(excess) else { break };
                excess -= blocks.len();
                let base = region.mapping.range().start;
                let bytes = |index: usize| base + index * self.block.get();
                region.mapping.give_back(bytes(blocks.start)..bytes(blocks.end));
            }
        }
        self.unmap_empty_chunks(keep_bytes / self.block.get() + self.blocks_for(nursery_bytes));
    }

    /// After a collection: if the old generation grows, the next one will take about as many blocks as this one has. Those of
    /// them that have no memory get it while the program runs, and count as having it.
    pub fn look_ahead(&mut self) {
        let (block, taken) = (self.block.get(), std::mem::take(&mut self.blocks_taken));
        let grows = taken * block >= TAKEN_BYTES_MIN && self.used_bytes() >= USED_BYTES_MIN;
        if !grows || !self.pages_ahead || !ahead::is_of_use() {
            return;
        }
        let (first, most) = (self.first_block(), self.used_bytes() / AHEAD_SHARE / block);
        let mut wanted = taken.min(most).saturating_sub(self.blocks_backed);
        let mut ranges = Vec::new();
        for region in &mut self.regions[self.hint..] {
            if wanted == 0 {
                break;
            }
            let base = region.mapping.range().start;
            while wanted > 0
                && let Some(blocks) = region.free.back(wanted)
            {
                wanted -= blocks.len();
                self.blocks_backed += blocks.len();
                if blocks.start == first {
                    ranges.push(base..base + Chunk::BUSY_BYTES);
                }
                ranges.push(base + blocks.start * block..base + blocks.end * block);
            }
        }
        ahead::ask(ranges);
    }

    /// (No block of an empty chunk is on the list of touched ones, for it has no bit; nor does one wait to be listed.)
    fn unmap_empty_chunks(&mut self, keep_blocks: usize) {
        let empty = self.block.per_chunk() - self.first_block();
        let spare = self.blocks_free.saturating_sub(keep_blocks) / empty;
        if spare == 0 {
            return;
        }
        let gone: Vec<usize> = (0..self.regions.len())
            .rev()
            .filter(|&at| self.regions[at].free.len() == empty && self.regions[at].free.backed() == 0)
            .take(spare)
            .collect();
        if gone.is_empty() {
            return;
        }
        let bases: Vec<usize> = gone.iter().map(|&at| self.regions[at].mapping.range().start).collect();
        debug_assert!(self.waiting.is_empty());
        self.room.forget(|block| bases.contains(&chunk_base(block)));
        let mut left = Vec::with_capacity(gone.len());
        for at in gone {
            let region = self.regions.swap_remove(at);
            self.bases.remove(&region.mapping.range().start);
            left.push(self.leave(region));
            self.blocks_free -= empty;
            if let Some(moved) = self.regions.get(at) {
                chunk_of(moved.mapping.range().start).index.set(at);
            }
        }
        Mapping::drop_all(left);
    }

    /// The mapping of a chunk, to be dropped. It may go to a pool, which wants its side tables empty.
    fn leave(&self, mut region: Region) -> Mapping {
        if self.system.has_pool() {
            let range = region.mapping.range();
            chunk_of(range.start).clear(self.first_block()..region.free.reached(), self.block);
            self.system.inherits(&mut region.mapping, range.len());
        }
        region.mapping
    }

    // ------------------------------------------------------------------ retain bits, by address

    /// Sets the retain bit of an old object. Says whether it is new.
    #[inline]
    pub fn retain(&mut self, object: ObjRef) -> bool {
        match object.chunk().retain.retain(object.granule(), self.shift(), self.epoch) {
            Retained::Before => false,
            Retained::Newly => true,
            Retained::NewlyInBlock => {
                self.touched_blocks.push(self.block_of(object.address()));
                true
            }
        }
    }

    /// Has this collection, or a short one since the last complete one, retained the object?
    #[inline]
    pub fn is_retained(&self, object: ObjRef) -> bool {
        object.chunk().retain.is_retained(object.granule(), self.shift(), self.epoch)
    }

    // ------------------------------------------------------------------ looking at everything

    /// Every old object, in no particular order. For checking and for pictures: it looks at all of the heap.
    pub fn objects(&self) -> Vec<ObjRef> {
        let in_blocks = self.regions.iter().flat_map(|region| {
            let base = region.mapping.range().start;
            let used =
                move |&index: &usize| matches!(chunk_of(base).blocks[index].used(), Use::Cells | Use::Head);
            let blocks = (0..region.free.reached()).filter(used);
            blocks.flat_map(move |index| {
                let granules = self.granules(base + index * self.block.get());
                chunk_of(base).starts.ones(granules).map(move |granule| (base, granule))
            })
        });
        let alone = self.huge.keys().flat_map(|&base| {
            chunk_of(base).starts.ones(0..CHUNK_GRANULES).map(move |granule| (base, granule))
        });
        let mut objects = Vec::with_capacity(self.objects);
        // SAFETY: a start bit is set exactly where an old object begins.
        let object = |(base, granule)| unsafe { ObjRef::new(base + granule * GRANULE_BYTES) };
        in_blocks.chain(alone).map(object).for_each(|object| objects.push(object));
        objects
    }

    /// Every block but those with side tables, in the order of the chunks: of a large object, the first one.
    pub fn blocks(&self) -> Vec<usize> {
        let mut bases: Vec<usize> = self.regions.iter().map(|region| region.mapping.range().start).collect();
        bases.sort_unstable();
        let blocks = bases
            .iter()
            .flat_map(|base| (0..self.block.per_chunk()).map(move |at| base + at * self.block.get()));
        let huge = self.huge.keys().map(|base| base + self.first_block() * self.block.get());
        let of_interest = |block: &usize| !matches!(self.state(*block).used(), Use::Tables | Use::Tail);
        blocks.filter(of_interest).chain(huge).collect()
    }

    /// The old objects in a block (for the head of a large object: that one).
    pub fn objects_in(&self, block: usize) -> impl Iterator<Item = ObjRef> {
        let base = chunk_base(block);
        let starts = chunk_of(block).starts.ones(self.granules(block));
        // SAFETY: a start bit is set exactly where an old object begins.
        starts.map(move |granule| unsafe { ObjRef::new(base + granule * GRANULE_BYTES) })
    }

    /// Bytes of the blocks, or of the mapping, of the large object in the block.
    pub fn large_bytes(&self, block: usize) -> usize {
        match self.huge.get(&chunk_base(block)) {
            Some(mapping) => mapping.range().len(),
            None => self.state(block).live.get() as usize * self.block.get(),
        }
    }

    /// How many chunks and mappings of large objects there are.
    pub fn chunks(&self) -> usize {
        self.regions.len() + self.huge.len()
    }

    /// The addresses of all chunks and mappings of large objects.
    pub fn chunk_bases(&self) -> &FxHashSet<usize> {
        &self.bases
    }

    /// Every block with cells: its address and its state.
    pub fn cell_blocks(&self) -> impl Iterator<Item = (usize, &BlockState)> {
        self.regions.iter().flat_map(move |region| {
            let base = region.mapping.range().start;
            (0..region.free.reached())
                .map(move |index| (base + index * self.block.get(), &chunk_of(base).blocks[index]))
                .filter(|(_, state)| state.used() == Use::Cells)
        })
    }

    /// Nodes whose death a weak reference waits for, counted.
    pub fn count_awaited(&self) -> usize {
        self.bases.iter().map(|&base| chunk_of(base).count_awaited()).sum()
    }

    /// Taken cells of a block, counted.
    pub fn count_cells(&self, block: usize) -> usize {
        chunk_of(block).starts.count(self.granules(block))
    }
}

impl Drop for Space {
    fn drop(&mut self) {
        let regions = std::mem::take(&mut self.regions);
        Mapping::drop_all(regions.into_iter().map(|region| self.leave(region)).collect());
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::shape::Shape;
    use crate::{Config, Group, Heap, LowTag, Pool, Request};

    const NODE: Shape = Shape::new(1, "node").raw_words(1).references(2);

    /// Another node in front of the chain in a slot of the root stack.
    fn push(heap: &Heap<'_, LowTag>, slot: usize) {
        let mut node = heap.alloc(&NODE, 0).expect("memory");
        node.references_mut().fill(heap.stack_from(slot)[0].get());
        heap.stack_from(slot)[0].set(node.finish().into());
    }

    /// A chain of so many MiB, on top of the root stack. Says how many free blocks had memory at most after a collection.
    pub fn grow(heap: &mut Heap<'_, LowTag>, mib: usize) -> usize {
        let base = heap.stack_grow(1).expect("room");
        let mut backed = 0;
        for _ in 0..mib << 15 {
            push(heap, base);
            if heap.should_collect() {
                heap.collect(Request::Auto);
                let space = &heap.old.borrow().space;
                assert!(space.blocks_idle <= space.blocks_backed);
                assert_eq!(space.blocks_taken, 0, "what the next collection takes is its own");
                backed = backed.max(space.blocks_backed);
            }
        }
        heap.collect(Request::Auto);
        heap.verify().unwrap_or_else(|violation| panic!("{violation}"));
        backed
    }

    #[test]
    fn an_object_takes_at_most_twice_its_bytes_in_blocks() {
        for block in BlockBytes::ALL {
            let header = |len| Shape::new(1, "tuple").references_tail().header(len).expect("a short one");
            let headers = (0..).map(header).take_while(|header| header.cell_bytes() <= cell_bytes_max(block));
            for header in headers {
                let cells = class_of(header.cell_bytes() / GRANULE_BYTES).cells(block);
                let in_nursery = cells * header.nursery_bytes();
                assert!(2 * in_nursery >= block.get(), "{header:?} in blocks of {}", block.get());
            }
        }
    }

    /// A nursery that keeps its size asks for all that it takes.
    const STEADY: Config = Config { nursery_growth: 1, ..Config::DEFAULT };

    #[test]
    #[cfg_attr(miri, ignore = "too much for it")]
    fn a_heap_that_grows_has_free_blocks_with_memory() {
        let slow = Config { nursery_bytes: TAKEN_BYTES_MIN / 2, ..STEADY };
        let off = Config { pages_ahead: false, ..STEADY };
        // Nor is it worth while in a small one, or where little comes at a time.
        for (config, mib, has_more) in
            [(STEADY, 12, true), (off, 12, false), (STEADY, 7, false), (slow, 12, false)]
        {
            let backed = Heap::<LowTag>::branded(config, |mut heap| grow(&mut heap, mib)).expect("a heap");
            // Without a second core there is no sense in it, which is known as soon as it has been tried.
            if ahead::is_of_use() || !has_more {
                assert_eq!(backed > 0, has_more);
            }
            assert!(backed * STEADY.block_bytes.get() <= ((mib + 1) << 20) / AHEAD_SHARE, "{backed} blocks");
        }
    }

    /// Whether a wish comes true is the system's and the thread's, which may be busy for other tests. So there are some.
    #[test]
    #[cfg(all(target_os = "linux", not(miri), not(frazil_asan)))]
    fn free_blocks_with_memory_have_memory() {
        use crate::os::{page_bytes, tests::resident};
        use std::time::Duration;

        let came = Heap::<LowTag>::branded(STEADY, |mut heap| {
            grow(&mut heap, 12);
            (0..10).any(|_| {
                while !heap.should_collect() {
                    push(&heap, 0);
                }
                heap.collect(Request::Auto);
                let space = &mut heap.old.get_mut().space;
                let mut blocks = Vec::new();
                for region in &mut space.regions {
                    let bytes = |index: usize| region.mapping.range().start + index * space.block.get();
                    while let Some(backed) = region.free.unback(usize::MAX) {
                        space.blocks_backed -= backed.len();
                        blocks.push(bytes(backed.start)..bytes(backed.end));
                    }
                }
                assert!(!blocks.is_empty() || !ahead::is_of_use());
                (0..100).any(|_| {
                    std::thread::sleep(Duration::from_millis(10));
                    blocks.iter().all(|range| resident(range.clone()) == range.len() / page_bytes())
                })
            })
        });
        assert_eq!(came, Ok(true));
    }

    #[test]
    #[cfg_attr(miri, ignore = "too much for it")]
    fn who_wants_memory_back_is_not_to_miss_more_of_it() {
        let backed = Heap::<LowTag>::branded(STEADY, |mut heap| {
            grow(&mut heap, 12);
            while !heap.should_collect() {
                push(&heap, 0);
            }
            heap.collect(Request::Complete);
            heap.old.borrow().space.blocks_backed
        });
        assert_eq!(backed, Ok(0), "what had memory has been taken, and nothing was asked for");
    }

    #[test]
    #[cfg_attr(miri, ignore = "too much for it")]
    fn a_heap_that_grows_may_shrink_or_end_at_any_time() {
        std::thread::scope(|threads| {
            for number in 0..3 {
                threads.spawn(move || {
                    let pool = Pool::new();
                    for round in 1..4 {
                        let grown = Heap::<LowTag>::branded_in(&pool, STEADY, |mut heap| {
                            grow(&mut heap, 12 + 3 * round + number);
                            heap.stack_truncate(0);
                            assert_eq!(heap.collect(Request::Complete).old_objects, 0);
                            assert_eq!(heap.verify(), Ok(()));
                            grow(&mut heap, 10 + round)
                        });
                        grown.expect("a heap");
                    }
                });
            }
        });
    }

    #[test]
    #[cfg_attr(miri, ignore = "too much for it")]
    fn what_a_heap_was_to_get_goes_on_with_its_estate() {
        let group = Group::<LowTag>::new(STEADY).expect("the settings agree");
        let makes = || {
            group.branded(|mut heap| {
                grow(&mut heap, 20);
                let chain = heap.root(heap.stack_from(0)[0].get());
                (heap.share(&chain).expect("frozen"), heap.end())
            })
        };
        let (chain, estate) =
            std::thread::scope(|threads| threads.spawn(makes).join()).expect("no panic").expect("a heap");
        let grown = group.branded(|mut heap| {
            grow(&mut heap, 12);
            heap.adopt(estate);
            heap.root(heap.import(chain));
            grow(&mut heap, 4);
            heap.collect(Request::Complete).old_objects
        });
        assert_eq!(grown, Ok((20 + 12 + 4) << 15));
    }
}
