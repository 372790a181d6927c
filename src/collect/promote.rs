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

use crate::object::{First, ObjRef, Slot, Young};
use crate::old::{target, targets};
use crate::shape::{Header, MUTABLE};
use crate::value::Host;

use super::reach::Trace;

/// In a forwarding address: the walk is below the object. No address has this bit.
const OPEN: u64 = 1 << 1;

/// Of so many references of an object the targets are asked for when it is evacuated.
const PREFETCHED: usize = 4;

/// An object that the walk has left for something below it.
pub(super) struct Step {
    /// Where it is now.
    pub object: ObjRef,
    /// Where it was.
    young: ObjRef,
    pub header: Header,
    /// The next reference to follow.
    next: u32,
}

impl Trace<'_> {
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
    fn walk<H: Host>(&mut self, mut object: ObjRef, mut young: ObjRef, mut header: Header) {
        let mut next = 0;
        loop {
            while next < header.references() {
                let slot = object.slot::<H>(header, next);
                let word = slot.get();
                let Some(below) = target::<H>(word) else {
                    next += 1;
                    continue;
                };
                if !self.nursery.contains(below.address()) {
                    next += 1;
                    below.prefetch_class();
                    below.prefetch_count();
                    continue;
                }
                let below_header = match below.first() {
                    First::Header(header) => header,
                    First::Replaced(to) if to & OPEN == 0 && below != young => {
                        slot.set(H::word(to as usize, word));
                        next += 1;
                        continue;
                    }
                    First::Replaced(_) => {
                        return self.hand_over::<H>(Step { object, young, header, next: next as u32 });
                    }
                };
                let moved = self.evacuate(below, below_header);
                slot.set(H::word(moved.address(), word));
                next += 1;
                if below_header.has(MUTABLE) {
                    moved.set_traced(true);
                } else if below_header.references() > 0 {
                    self.prefetch_targets::<H>(moved, below_header);
                    young.replace_header(object.address() as u64 | OPEN);
                    self.work.steps.push(Step { object, young, header, next: next as u32 });
                    (object, young, header) = (moved, below, below_header);
                    next = 0;
                }
            }
            young.replace_header(object.address() as u64);
            if targets::<H>(object, header).any(ObjRef::is_traced) {
                self.stay_traced::<H>(object);
            } else {
                for target in targets::<H>(object, header) {
                    if let Some(target) = self.work.counting.exchange(Some(target)) {
                        self.old.increment::<H>(target);
                    }
                }
            }
            let Some(above) = self.work.steps.pop() else { return };
            (object, young, header) = (above.object, above.young, above.header);
            next = above.next as usize;
        }
    }

    /// Asks for what the walk will need of the objects that `object` refers to: the header of a young one, the class
    /// and the count of an old one.
    #[inline(always)]
    pub fn prefetch_targets<H: Host>(&self, object: ObjRef, header: Header) {
        for index in 1..header.references().min(PREFETCHED) {
            let Some(below) = target::<H>(object.slot::<H>(header, index).get()) else { continue };
            if self.nursery.contains(below.address()) {
                below.prefetch();
            } else {
                below.prefetch_class();
                below.prefetch_count();
            }
        }
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
