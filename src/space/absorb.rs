//! One space takes over another, whose owner has ended: its chunks stay where they are, and so does every object.

use blocks::classes::{CLASSES, Class};
use blocks::table::{LANES, Listed, Use};

use super::{Region, Space, Span, chunk_of};
use crate::exchange::Owner;

impl Space {
    /// Nothing more is allocated in the blocks that were being filled: their free cells count like others.
    pub fn close_spans(&mut self) {
        let spans = std::mem::replace(&mut *self.spans, [[Span::default(); CLASSES]; LANES]);
        self.filling = [0; LANES];
        for span in spans.iter().flatten().filter(|span| span.block != 0) {
            self.list_anew(span.block);
        }
    }

    /// Lists a block with cells by how full it is, wherever it was listed before.
    fn list_anew(&mut self, block: usize) {
        let state = self.state(block);
        let (live, cells) = (state.live.get() as usize, Class(state.class.get()).cells(self.block));
        debug_assert_eq!(live, self.count_cells(block));
        state.set_listed(Listed::No);
        if live == 0 {
            self.put_block(block);
        } else if live < cells {
            state.set_listed(Listed::Waiting);
            self.waiting.push(block);
        }
    }

    /// Gives back everything that holds no object.
    pub fn give_all_back(&mut self) {
        self.list_room();
        self.give_back(0, 0, true);
        self.unmap_empty_chunks(0);
    }

    /// Makes everything that `other` has this space's own. Takes time in proportion to its blocks, whatever is in
    /// them. No collection is under way on either side, and `other` retains nothing.
    pub fn absorb(&mut self, mut other: Space) {
        debug_assert!(self.block == other.block, "the heaps of a group have blocks of one size");
        debug_assert!(
            other.touched_blocks.is_empty() && other.young_large.is_empty() && other.dying.is_empty()
        );
        let first = self.regions.len();
        self.regions.extend(std::mem::take(&mut other.regions));
        for (at, region) in self.regions.iter().enumerate().skip(first) {
            chunk_of(region.mapping.range().start).index.set(at);
        }
        self.huge.extend(std::mem::take(&mut other.huge));
        self.bases.extend(std::mem::take(&mut other.bases));
        self.overflow.absorb(std::mem::take(&mut other.overflow));
        self.objects += other.objects;
        self.bytes += other.bytes;
        self.huge_bytes += other.huge_bytes;
        self.blocks_used += other.blocks_used;
        self.blocks_free += other.blocks_free;
        self.blocks_backed += other.blocks_backed;
        self.abroad |= other.abroad;
        for at in first..self.regions.len() {
            let base = self.regions[at].mapping.range().start;
            for index in 0..self.block.per_chunk() {
                if chunk_of(base).blocks[index].used() == Use::Cells {
                    self.list_anew(base + index * self.block.get());
                }
            }
        }
        self.list_room();
    }

    /// Writes `owner` into every chunk. Only while nobody can post.
    pub fn rename(&mut self, owner: Owner) {
        self.owner = owner;
        let region_bases = self.regions.iter().map(|Region { mapping, .. }| mapping.range().start);
        for base in region_bases.chain(self.huge.keys().copied()) {
            chunk_of(base).owner.set(owner);
        }
    }
}
