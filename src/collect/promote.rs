//! Phases 1 and 2 for what most programs promote: young objects without cycles among the immutable ones.
//!
//! What an object becomes is known when the classes of all its references are. Without cycles that is a plain walk in
//! depth first order, which decides on the way back:
//!
//! ```text
//! promote(x):
//!     evacuate x
//!     for each reference y of x:  promote y if it is young
//!     x mutable, or a y traced  -> x is traced
//!     otherwise                 -> x is counted:  count each y
//! ```
//!
//! While the walk is below an object, its forwarding address in the nursery is marked *open*. To come across one that is
//! open means a cycle: what the walk has on its stack then goes to the classifier ([`super::classify`]), which can do
//! everything that is done here, and more, at three times the price. It has the rest, too: collections in which old
//! objects may settle, or with young large objects or foreign ones about.

use crate::host::Host;
use crate::object::{First, ObjRef, Slot, Young};
use crate::old::{target, targets};
use crate::shape::{Header, MUTABLE};

use super::reach::{BACK_BYTES, Tracer};

/// In a forwarding address: the walk is below the object. No address has this bit.
const OPEN: u64 = 1 << 1;

/// Of so many references of an object the targets are asked for when it is evacuated. Larger: less waiting for objects
/// with more of them. Smaller: fewer are asked for that are in the cache.
const PREFETCHED: usize = 4;

/// What lies so many bytes before an object that refers to it has probably been asked for together with that.
const NEAR_BYTES: usize = 256;

/// An object that the walk has left for something below it.
pub(super) struct Step {
    /// Where it is now.
    pub object: ObjRef,
    /// Where it was.
    young: ObjRef,
    pub header: Header,
    /// How many references have been followed.
    next: u32,
    /// The last was followed first.
    backwards: bool,
}

impl Tracer<'_> {
    /// Evacuates a young object, unless that has been done, and everything young below it, and says where it is now.
    /// `slot` holds `word`, by which it was found, and is brought up to date.
    #[inline]
    pub fn promote<H: Host>(&mut self, slot: Slot, word: u64, young: ObjRef) -> ObjRef {
        let (object, header) = match young.young() {
            Young::Here(header) if self.may_head(header) => {
                (self.promote_as_cluster::<H>(young, header), None)
            }
            Young::Here(header) => (self.evacuate(young, header), Some(header)),
            Young::Moved(object) => (object, None),
        };
        slot.set(H::word(object.address(), word));
        let Some(header) = header else { return object };
        if header.has(MUTABLE) {
            object.set_traced(true);
        } else if header.references() > 0 {
            self.walk::<H>(object, young, header);
        }
        object
    }

    /// Promotes what lies below an object, and decides what it is. (The object it is at is not one [`Step`] but its
    /// parts, so that they stay in registers.)
    ///
    /// References are read where the object was, and kept up to date there, too. Where it is now has only been written
    /// yet: who reads there waits until that memory has come into the cache.
    fn walk<H: Host>(&mut self, mut object: ObjRef, mut young: ObjRef, mut header: Header) {
        let mut next = 0;
        let mut backwards = self.look_ahead::<H>(young, header);
        loop {
            while next < header.references() {
                let index = if backwards { header.references() - 1 - next } else { next };
                next += 1;
                let was = young.slot::<H>(header, index);
                let word = was.get();
                let Some(below) = target::<H>(word) else { continue };
                if !self.nursery.contains(below.address()) {
                    below.prefetch_class();
                    below.prefetch_count();
                    continue;
                }
                let slot = object.slot::<H>(header, index);
                let moves_to = |address| [was, slot].iter().for_each(|slot| slot.set(H::word(address, word)));
                let found = match below.first() {
                    First::Header(found) => found,
                    First::Replaced(to) if to & OPEN == 0 && below != young => {
                        moves_to(to as usize);
                        continue;
                    }
                    First::Replaced(_) => {
                        return self.hand_over::<H>(Step {
                            object,
                            young,
                            header,
                            next: next as u32,
                            backwards,
                        });
                    }
                };
                let moved = self.evacuate(below, found);
                moves_to(moved.address());
                if found.has(MUTABLE) {
                    moved.set_traced(true);
                } else if found.references() > 0 {
                    young.replace_header(object.address() as u64 | OPEN);
                    self.work.steps.push(Step { object, young, header, next: next as u32, backwards });
                    (object, young, header) = (moved, below, found);
                    next = 0;
                    backwards = self.look_ahead::<H>(young, header);
                }
            }
            young.replace_header(object.address() as u64);
            if targets::<H>(young, header).any(ObjRef::is_traced) {
                // What refers to it is traced, too, or what the walk began at, and will reach it.
                object.set_traced(true);
            } else {
                for target in targets::<H>(young, header) {
                    if let Some(target) = self.work.counting.exchange(Some(target)) {
                        self.old.increment::<H>(target);
                    }
                }
            }
            let Some(above) = self.work.steps.pop() else { return };
            Step { object, young, header, backwards, .. } = above;
            next = above.next as usize;
        }
    }

    /// Asks for the young objects that `young` refers to, and for what each of them was made of. Says whether to begin
    /// with the last reference: the nearest goes first, for it is in the cache, and the others are on their way meanwhile.
    #[inline(always)]
    fn look_ahead<H: Host>(&self, young: ObjRef, header: Header) -> bool {
        let target = |index| target::<H>(young.slot::<H>(header, index).get());
        for below in (0..header.references().min(PREFETCHED)).filter_map(target) {
            if self.nursery.contains(below.address()) {
                below.prefetch();
                below.prefetch_at(BACK_BYTES[0]);
            }
        }
        let is_near = |index| {
            target(index)
                .is_some_and(|below: ObjRef| young.address().wrapping_sub(below.address()) < NEAR_BYTES)
        };
        header.references() > 1 && !is_near(0) && is_near(header.references() - 1)
    }

    /// There is a cycle: the classifier goes on with everything that the walk has not finished.
    #[cold]
    fn hand_over<H: Host>(&mut self, last: Step) {
        let above = std::mem::take(&mut self.work.steps);
        for step in above.iter().chain([&last]) {
            step.young.replace_header(step.object.address() as u64);
        }
        self.classify_on::<H>(above, last);
    }
}
