//! What one heap knows of other heaps' objects: which ones it retains, by how much their counts are to change, and
//! what it was given.
//!
//! **Invariant**, at the end of every collection: the count of a foreign object includes one for its bit here, one
//! for each reference from a counted object of this heap, and one for each handle in hand; or a batch that brings it
//! has been posted. Between two collections nothing is given up, so whatever the mutator can get at from there is
//! alive.
//!
//! The bits work as at home: a block of them is flipped when it is first touched in an epoch, and what the last
//! epoch had and this one has not is dropped. A bit that is new is one count more, one that was dropped one less.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};

use blocks::{CHUNK_BYTES, GRANULE_BYTES};
use retain_bits::{RetainBits, Retained, ones};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::Fault;
use crate::host::Host;
use crate::object::ObjRef;
use crate::space::chunk_of;

use super::given::Given;
use super::group::Common;
use super::kernel::{Adjustment, Exchange, Outgoing, Owner};
use super::shared::Held;

/// Foreign addresses whose bits lie together. Larger: fewer look-ups miss the cache. Smaller: less room for a heap
/// that knows little of many others.
const BLOCK_BYTES: usize = 32 << 10;
const GRANULES: usize = BLOCK_BYTES / GRANULE_BYTES;
const WORDS: usize = GRANULES / 64;
type Bits = RetainBits<WORDS, 1>;

/// See the module's head.
pub(crate) struct Abroad {
    pub exchange: Arc<Exchange>,
    pub owner: Owner,
    /// Every foreign block with a bit, by its address.
    pub(super) blocks: FxHashMap<usize, Box<Bits>>,
    /// By how much the counts of foreign objects change. Empty between collections.
    changes: FxHashMap<usize, i64>,
    /// What was imported since the last collection: it may be in the mutator's hand.
    pub in_hand: Vec<Arc<Held>>,
    /// Handles that others hold, too. They are dropped when everything is posted.
    pub let_go: Vec<Arc<Held>>,
    /// Batches of the last collection that are not posted yet. Empty, unless somebody plays.
    pub outgoing: Outgoing,
    /// A collection of this heap is under way.
    pub is_collecting: bool,
    /// For the proof machinery: batches are not posted before somebody says so.
    pub holds_back: bool,
    /// In checking mode: what the mutator can get at of others'.
    pub given: RefCell<Given>,
}

impl Abroad {
    pub fn new(exchange: Arc<Exchange>, owner: Owner) -> Abroad {
        Abroad {
            exchange,
            owner,
            blocks: FxHashMap::default(),
            changes: FxHashMap::default(),
            in_hand: Vec::new(),
            let_go: Vec::new(),
            outgoing: Outgoing::default(),
            is_collecting: false,
            holds_back: false,
            given: RefCell::default(),
        }
    }

    /// Is this heap all that is left of `group`, but for orphans, so that nobody could ask for anything of it? Then it gives
    /// up what is in hand, without a word to anybody.
    pub fn closes_group(&mut self, group: &Arc<Common>) -> bool {
        let is_own = |held: &mut Arc<Held>| Arc::get_mut(held).is_some();
        if !self.in_hand.iter_mut().all(is_own) || Arc::strong_count(group) != 1 + self.in_hand.len() {
            return false;
        }
        // All that others did with this heap's objects came before they let go of the group.
        fence(Ordering::Acquire);
        for mut held in self.in_hand.drain(..).filter_map(Arc::into_inner) {
            held.give_back();
        }
        true
    }

    /// This collection has reached a foreign object from a root or a traced object.
    pub fn retain<H: Host>(&mut self, object: ObjRef, epoch: u64) {
        let bits = self.blocks.entry(block_of(object)).or_default();
        let granule = granule_of(object);
        let new = bits.retain(granule, SHIFT, epoch) != Retained::Before;
        if new && !bits.previous_bit(granule) && !H::commits(Fault::SkippedForeignBit) {
            self.change(object, 1);
        }
    }

    /// The count of a foreign object is to change.
    #[inline]
    pub fn change(&mut self, object: ObjRef, delta: i64) {
        if chunk_of(object.address()).owner.get() != Owner::IMMORTAL {
            *self.changes.entry(object.address()).or_default() += delta;
        }
    }

    /// Gives up what was retained in the epoch before and is not in this one. Afterwards no previous bit is set, so
    /// that bits which short collections add are new.
    pub fn diff(&mut self, epoch: u64) {
        let changes = &mut self.changes;
        self.blocks.retain(|&block, bits| {
            if !bits.is_touched(0, epoch) {
                bits.flip(0, SHIFT, epoch);
            }
            for (word, dropped) in bits.dropped(0, SHIFT) {
                for bit in ones(dropped) {
                    *changes.entry(block + (word * 64 + bit) * GRANULE_BYTES).or_default() -= 1;
                }
            }
            bits.lose_previous(0, SHIFT);
            bits.any(0, SHIFT)
        });
    }

    /// Forgets, and gives out, what is retained of the objects in the chunks at these addresses.
    pub fn take(&mut self, chunks: &FxHashSet<usize>) -> Vec<usize> {
        let blocks = chunks.iter().flat_map(|&base| (base..base + CHUNK_BYTES).step_by(BLOCK_BYTES));
        let taken: Vec<_> = blocks.filter_map(|block| self.blocks.remove_entry(&block)).collect();
        taken.iter().flat_map(|(block, bits)| addresses(*block, bits)).collect()
    }

    /// Everything changed since the last call, sealed.
    pub fn seal(&mut self) -> Outgoing {
        let changes = self.changes.drain().map(|(object, delta)| Adjustment { object, delta });
        self.exchange.seal(changes, owner_of)
    }

    /// Is there nothing to be said to anybody?
    pub fn is_silent(&self) -> bool {
        self.changes.is_empty() && self.let_go.is_empty()
    }

    /// Posts everything.
    pub fn post_all(&mut self) {
        while self.post_next() {}
    }

    /// Posts the next batch, and says whether there was one.
    pub fn post_next(&mut self) -> bool {
        let posted = self.exchange.post_next(&mut self.outgoing, owner_of);
        if self.outgoing.is_empty() {
            self.let_go.clear();
        }
        posted
    }

    /// The foreign objects whose bit is set.
    pub fn retained(&self) -> impl Iterator<Item = usize> + '_ {
        self.blocks.iter().flat_map(|(&block, bits)| addresses(block, bits))
    }
}

/// Where the current bits of a block are set.
fn addresses(block: usize, bits: &Bits) -> impl Iterator<Item = usize> {
    let granules = (0..GRANULES).filter(|&granule| bits.current_bit(granule));
    granules.map(move |granule| block + granule * GRANULE_BYTES)
}

const SHIFT: u32 = GRANULES.trailing_zeros();

fn block_of(object: ObjRef) -> usize {
    object.address() & !(BLOCK_BYTES - 1)
}

fn granule_of(object: ObjRef) -> usize {
    (object.address() & (BLOCK_BYTES - 1)) / GRANULE_BYTES
}

/// Whose the object at this address is. Somebody has a claim on it, so its chunk is there.
pub(crate) fn owner_of(address: usize) -> Owner {
    chunk_of(address).owner.get()
}
