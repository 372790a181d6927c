//! What must agree in the bookkeeping of a space, looked at one by one. For checking: it looks at all of its blocks.

use blocks::GRANULE_BYTES;
use blocks::classes::Class;
use blocks::counts::MEMBER;
use blocks::table::{BlockState, Listed, Use};
use rustc_hash::FxHashSet;

use super::{Region, Space, chunk_of};
use crate::object::ObjRef;

impl Space {
    /// The first two things that do not agree, if there are any. `objects` are all old ones.
    pub fn contradiction(&self, objects: &[ObjRef]) -> Option<String> {
        self.wrong_total(objects)
            .or_else(|| self.wrong_blocks())
            .or_else(|| self.wrong_list())
            .or_else(|| self.unclean_granule())
    }

    /// What there is of each kind is what is said to be there.
    fn wrong_total(&self, objects: &[ObjRef]) -> Option<String> {
        let bytes = |object: &ObjRef| {
            let state = self.state_of(*object);
            if state.is_head() { object.bytes() } else { state.cell_granules() * GRANULE_BYTES }
        };
        let of_regions = |count: fn(&Region) -> usize| self.regions.iter().map(count).sum::<usize>();
        let used = |region: &Region| {
            let states = &chunk_of(region.mapping.range().start).blocks[..region.free.reached()];
            states.iter().filter(|state| !matches!(state.used(), Use::Free | Use::Tables)).count()
        };
        let totals = [
            ("objects", self.objects, objects.len()),
            ("bytes of objects", self.bytes, objects.iter().map(bytes).sum()),
            ("blocks in use", self.blocks_used, of_regions(used)),
            ("free blocks", self.blocks_free, of_regions(|region| region.free.len())),
            ("free blocks with memory", self.blocks_backed, of_regions(|region| region.free.backed())),
            (
                "bytes in mappings of their own",
                self.huge_bytes,
                self.huge.values().map(|mapping| mapping.range().len()).sum(),
            ),
            ("chunks", self.bases.len(), self.chunks()),
        ];
        let (what, said, found) = totals.into_iter().find(|(_, said, found)| said != found)?;
        Some(format!("{found} {what}, and {said} are said to be there"))
    }

    /// A block is free for its chunk and for itself, or for neither; of one with cells, as many are taken as it says.
    fn wrong_blocks(&self) -> Option<String> {
        if let Some(at) = self.regions[..self.hint].iter().position(|region| !region.free.is_empty()) {
            return Some(format!(
                "chunk {at} has a free block, which nobody looks for before chunk {}",
                self.hint
            ));
        }
        for region in &self.regions {
            let base = region.mapping.range().start;
            for index in self.first_block()..self.block.per_chunk() {
                let state = &chunk_of(base).blocks[index];
                if region.free.is_free(index) != (state.used() == Use::Free) {
                    return Some(format!("block {index} of {base:#x} is {:?}, or is it free?", state.used()));
                }
            }
        }
        let wrong = |(block, state): (usize, &BlockState)| {
            let (cells, said) = (self.count_cells(block), state.live.get() as usize);
            (cells != said).then(|| format!("block {block:#x}: {cells} cells, says {said}"))
        };
        self.cell_blocks().find_map(wrong)
    }

    /// A block with cells is found where it says; if it says nowhere, it has no room. No other block says anything.
    fn wrong_list(&self) -> Option<String> {
        let filled: FxHashSet<usize> = self.spans.iter().flatten().map(|span| span.block).collect();
        let waiting: FxHashSet<usize> = self.waiting.iter().copied().collect();
        let listed: FxHashSet<(u8, Class, u8, usize)> = self.room.entries().collect();
        let is_right = |block: usize, state: &BlockState| {
            let (lane, class) = (state.lane.get(), Class(state.class.get()));
            let listed = match state.listed() {
                _ if state.used() != Use::Cells => return state.listed() == Listed::No,
                Listed::No => state.live.get() as usize == class.cells(self.block),
                Listed::Filling => filled.contains(&block),
                Listed::Waiting => waiting.contains(&block),
                Listed::Quarter(quarter) => listed.contains(&(lane, class, quarter, block)),
            };
            listed && filled.contains(&block) == (state.listed() == Listed::Filling)
        };
        let blocks = self.regions.iter().flat_map(|region| {
            let base = region.mapping.range().start;
            (0..region.free.reached()).map(move |index| base + index * self.block.get())
        });
        let wrong =
            blocks.map(|block| (block, self.state(block))).find(|&(block, state)| !is_right(block, state));
        wrong.map(|(block, state)| format!("block {block:#x} says {:?}, in vain: {state:?}", state.listed()))
    }

    /// Where no object begins, no table says anything of one: whatever begins there next would take it for its own. (In a
    /// cluster's run, all bytes are filled.)
    fn unclean_granule(&self) -> Option<String> {
        self.cell_blocks().find_map(|(block, _)| {
            let chunk = chunk_of(block);
            let is_unclean = |&granule: &usize| {
                let count = chunk.counts.byte(granule);
                !chunk.starts.get(granule)
                    && (chunk.traced.get(granule)
                        || chunk.retain.current_bit(granule)
                        || (count != 0 && count != MEMBER))
            };
            let granule = self.granules(block).find(is_unclean)?;
            Some(format!("the tables say something of granule {granule} in block {block:#x}, which is free"))
        })
    }
}
