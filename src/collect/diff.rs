//! Phase 3: what was retained by the last collection and is not by this one.
//!
//! For each block with bits in this epoch or the one before, `dropped = previous & !current`. A dropped traced
//! object is dead: it is freed at once, its fields unseen, for whatever it referred to has lost its own bit by
//! the same token. A dropped counted object is dead if its count is zero, and joins the freed-object buffer; or is freed
//! at once, if it lies where nothing has references.

use blocks::counts::MEMBER;
use retain_bits::ones;

use crate::Fault;
use crate::host::Host;
use crate::object::ObjRef;
use crate::old::{Listeners, Old};
use crate::order::{Choice, shuffle};
use crate::space::{Lane, chunk_of, object_at};
use crate::stats::Report;

impl Old {
    /// Flips the blocks of the previous epoch that this one has not touched, and takes from all touched blocks
    /// what was dropped. `previous` are the blocks that were touched when this collection began.
    pub(crate) fn diff<H: Host>(&mut self, previous: Vec<usize>, report: &mut Report) {
        for block in previous {
            let (retain, index) = (&chunk_of(block).retain, self.space.block_index(block));
            if !retain.is_touched(index, self.space.epoch) {
                retain.flip(index, self.space.shift(), self.space.epoch);
                if !H::commits(Fault::UnlistedBlock) {
                    self.space.touched_blocks.push(block);
                }
            }
        }
        let mut touched = std::mem::take(&mut self.space.touched_blocks);
        shuffle::<H, _>(Choice::Block, &mut touched);
        report.blocks_diffed = touched.len();
        for &block in &touched {
            if H::commits(Fault::BitLostAtFlip) {
                chunk_of(block).retain.lose_previous(self.space.block_index(block), self.space.shift());
            }
            self.diff_block::<H>(block, report);
        }
        touched.retain(|&block| self.stays_touched(block));
        touched.append(&mut self.space.touched_blocks);
        self.space.touched_blocks = touched;
        if let Some(abroad) = &mut self.abroad {
            abroad.diff(self.space.epoch);
        }
    }

    /// A block without bits leaves the list; its next touch lists it again.
    fn stays_touched(&self, block: usize) -> bool {
        let (retain, index) = (&chunk_of(block).retain, self.space.block_index(block));
        let any = retain.any(index, self.space.shift());
        if !any {
            retain.forget(index, self.space.shift());
        }
        any
    }

    fn diff_block<H: Host>(&mut self, block: usize, report: &mut Report) {
        let chunk = chunk_of(block);
        let leaves = self.space.state(block).is_of_lane(Lane::Leaf as u8)
            && !self.listeners.has(Listeners::FINALIZERS);
        for (word, dropped) in chunk.retain.dropped(self.space.block_index(block), self.space.shift()) {
            let dropped = dropped & chunk.starts.word(word);
            let traced = dropped & chunk.traced.word(word);
            let counted = dropped & !traced;
            let dead = if leaves { traced | chunk.counts.zeros(word, counted) } else { traced };
            if self.listeners.has(Listeners::WEAK) {
                for bit in ones(dead & chunk.awaited_word(word)) {
                    self.unpark(object_at(block, word, bit));
                }
            }
            let bytes = self.space.bytes;
            self.space.free_word(block, word, dead);
            report.freed_objects += dead.count_ones() as usize;
            report.freed_bytes += bytes - self.space.bytes;
            if !leaves {
                for bit in ones(counted) {
                    self.dropped_counted::<H>(object_at(block, word, bit));
                }
            }
        }
    }

    fn dropped_counted<H: Host>(&mut self, object: ObjRef) {
        let count = object.chunk().counts.byte(object.granule());
        if count == 0 || (count == MEMBER && H::commits(Fault::FreedMember)) {
            self.die(object);
        }
    }
}
