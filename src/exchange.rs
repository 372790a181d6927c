//! Many heaps, one frozen world: what a heap has to do with the objects of others.
//!
//! Each thread owns a heap and collects it alone. Counted objects may be referred to from anywhere; their counts and
//! bits are written by their owner only, and nobody ever writes into them. So reading them takes no lock, and
//! sharing one takes no copy and no atomic count. What the heaps of a [`Group`] have to tell each other is by how
//! much counts change:
//!
//! ```text
//! heap B, which retains or counts objects of A:          heap A, their owner:
//!
//!   trace:  a root or traced object refers to x            receive: the counts of x, y, z change;
//!             -> foreign bit of x;  new: x + 1                      what comes to 0 gets a retain bit, as if the
//!           a promoted object refers to y:  y + 1                   last collection had retained it
//!   diff:   the bit of z is gone:  z - 1                   flip, trace, diff: and so the diff judges it
//!   drain:  a dying object referred to y:  y - 1
//!   post:   net changes, increments first  ───────────▶  inbox of A
//! ```
//!
//! **A handle that is shared holds a count.** [`Heap::share`] adds it before anybody else can have the handle;
//! [`Heap::import`] keeps the handle until the heap's next collection has said what it retains; then the handle's
//! count is taken over or given back. In a steady pipeline, where each graph is imported once, no message is needed
//! for that; when the receiver lets go of it, one change among many goes home in a batch.
//!
//! **A heap that ends** ([`estate`]) collects once more, without roots. If others still hold something of it, its
//! blocks go to the thread that joins it, or to the group's orphanage, where whoever passes by does what the mail
//! asks for.
//!
//! Files: [`kernel`] is how changes travel, and all that threads race for; [`abroad`] is what a heap knows of others.
//! [`group`], [`shared`], [`estate`], [`immortal`] are what its host uses, and [`threads`] and [`places`] if it likes.
//! [`audit`] checks all heaps of a group against each other.

pub(crate) mod abroad;
pub(crate) mod audit;
pub(crate) mod estate;
pub(crate) mod given;
pub(crate) mod group;
pub(crate) mod immortal;
pub(crate) mod kernel;
pub(crate) mod places;
pub(crate) mod shared;
pub(crate) mod threads;

/// What the kernel is made of; the checkers of schedules have their own.
mod primitive {
    pub use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
    pub use std::sync::{Mutex, RwLock};
}

use std::sync::Arc;

use crate::Fault;
use crate::host::Host;
use crate::object::ObjRef;
use crate::old::Old;
use crate::stats::Report;

pub(crate) use abroad::Abroad;
pub(crate) use abroad::owner_of;
use kernel::Adjustment;
pub(crate) use kernel::{Owner, OwnerWord};

impl Old {
    /// Applies what others have posted. An object that comes to count zero becomes a candidate: it gets a retain bit
    /// of the last epoch, so that the diff of the next complete collection will judge it.
    pub fn receive<H: Host>(&mut self) {
        let Some(abroad) = &self.abroad else { return };
        for batch in abroad.exchange.take(abroad.owner) {
            for adjustment in batch.adjustments() {
                self.received += 1;
                self.adjust::<H>(adjustment);
            }
        }
    }

    fn adjust<H: Host>(&mut self, &Adjustment { object, delta }: &Adjustment) {
        // SAFETY: whoever posts has a claim on the object, which counts until the message is applied.
        let object = unsafe { ObjRef::new(object) };
        for _ in 0..delta {
            self.increment::<H>(object);
        }
        for _ in delta..0 {
            let (object, left) = self.lower(object);
            if left > 0 {
                continue;
            }
            if H::commits(Fault::JudgedAtOnce) {
                self.die(object);
            } else {
                self.space.retain(object);
                self.candidates += 1;
            }
        }
    }

    /// A root or a traced object refers to another owner's object.
    pub fn retain_foreign<H: Host>(&mut self, object: ObjRef) {
        if owner_of(object.address()) != Owner::IMMORTAL {
            let epoch = self.space.epoch;
            self.abroad_mut().retain::<H>(object, epoch);
        }
    }

    /// The count of another owner's object is to change.
    pub fn change_foreign(&mut self, object: ObjRef, delta: i64) {
        self.abroad_mut().change(object, delta);
    }

    /// A collection begins or ends.
    pub fn set_collecting(&mut self, is_collecting: bool) {
        if let Some(abroad) = &mut self.abroad {
            abroad.is_collecting = is_collecting;
        }
    }

    fn abroad_mut(&mut self) -> &mut Abroad {
        self.abroad.as_mut().expect("who refers to others' objects belongs to a group")
    }

    /// What was imported is retained by now, or was let go. The count of a handle that is nobody else's is given
    /// back; any other handle is dropped when everything is posted.
    pub fn empty_hand(&mut self) {
        let Some(abroad) = &mut self.abroad else { return };
        for held in std::mem::take(&mut abroad.in_hand) {
            match Arc::try_unwrap(held) {
                Ok(mut held) => {
                    if let Some(object) = held.give_back() {
                        self.decrement_anywhere(object);
                    }
                }
                Err(held) => self.abroad_mut().let_go.push(held),
            }
        }
    }

    /// Posts by how much the counts of others' objects change: all increments before any decrement. What was held back
    /// goes first.
    pub fn post<H: Host>(&mut self, report: &mut Report) {
        let Some(abroad) = &mut self.abroad else { return };
        if abroad.is_silent() {
            return;
        }
        // What was let go of just now waits for what is sealed just now.
        abroad.exchange.post(std::mem::take(&mut abroad.outgoing), owner_of);
        let mut outgoing = abroad.seal();
        if H::commits(Fault::DecrementsFirst) {
            outgoing.reverse();
        }
        report.posted_batches += outgoing.batches().count();
        report.posted += outgoing.batches().map(|batch| batch.adjustments().len()).sum::<usize>();
        abroad.outgoing = outgoing;
        if !abroad.holds_back {
            abroad.post_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::kernel::{Adjustment, Exchange};
    use crate::{Config, Group, Heap, LowTag, Request, Shape};

    const LEAF: Shape = Shape::new(1, "leaf").raw_words(1);

    #[test]
    fn nobody_is_woken_for_who_has_the_number_of_an_orphan() {
        let exchange = Exchange::default();
        let owner = exchange.join();
        exchange.orphan(owner);
        exchange.leave(owner);
        assert_eq!(exchange.join(), owner);
        let change = Adjustment { object: 0, delta: 1 };
        exchange.post(exchange.seal([change], |_| owner), |_| owner);
        assert!(exchange.has_mail(owner) && !exchange.wake());
    }

    #[test]
    fn what_is_let_go_of_leaves_nothing_behind() {
        let group = Group::<LowTag>::new(Config::default()).expect("good settings");
        let make = || group.make(Config::default()).expect("memory");
        let (mut one, mut other) = (make(), make());
        let leaf = one.alloc(&LEAF, 0).expect("memory").finish();
        let handle = one.root(leaf.into());
        let shared = one.share(&handle).expect("frozen");
        let root = other.root(other.import(shared));
        let blocks = |heap: &mut Heap<'_, LowTag>| {
            heap.collect(Request::Complete);
            heap.old.get_mut().abroad.as_ref().map(|abroad| abroad.blocks.len())
        };
        assert_eq!(blocks(&mut other), Some(1));
        other.unroot(root);
        assert_eq!(blocks(&mut other), Some(0));
    }

    /// A candidate has a bit that nothing has reached, which is right until a complete collection has judged it. From then on
    /// the verifier finds such a bit again.
    #[test]
    fn a_complete_collection_leaves_no_candidates() {
        let config = Config { short_collections: true, ..Config::default() };
        let group = Group::<LowTag>::new(config.clone()).expect("good settings");
        let mut heap = group.make(config).expect("memory");
        let mut share = || {
            let leaf = heap.alloc(&LEAF, 0).expect("memory").finish();
            let handle = heap.root(leaf.into());
            let shared = heap.share(&handle).expect("frozen");
            heap.unroot(handle);
            shared
        };
        let (kept, given_up) = (share(), share());
        heap.collect(Request::Complete);
        drop(given_up);
        assert_eq!(heap.collect(Request::Short).received, 1);
        assert_eq!((heap.old.get_mut().candidates, heap.verify()), (1, Ok(())));
        assert_eq!(heap.collect(Request::Complete).old_objects, 1);
        assert_eq!(heap.verify(), Ok(()));
        let kept = heap.import(kept).object().expect("a leaf").obj();
        heap.old.get_mut().space.retain(kept);
        assert_eq!(heap.verify().expect_err("nothing has reached it").invariant, "I3");
    }
}
