//! Collections that overlook something, to prove that a host which forgets a root is noticed.
//!
//! "Not rooted" is planted exactly: the word is taken out of its place while the collection runs, and put back
//! unchanged when it is over. So the collection does not find the object from there, and the word keeps the
//! address that the object had before.

use crate::heap::Heap;
use crate::host::Host;
use crate::object::{ObjRef, Slot};
use crate::old::target;
use crate::pacing::Request;
use crate::shape::SEEN;
use crate::stats::Report;

/// A place that holds a word: on the root stack, or reached from there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The number of a word on the root stack.
    pub root: usize,
    /// Which reference of the object there, of the object that leads to, and so on.
    pub path: Vec<usize>,
}

/// What a collection is not told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overlooked {
    /// Words that it does not see. A reference of an object that is old and counted is seen all the same: the
    /// collector looked at it when the object was promoted.
    pub places: Vec<Place>,
    /// Writes, as if the host had never tested whether it may.
    pub touches: bool,
}

/// A word that was taken out of its place.
struct Hidden<'a> {
    place: &'a Place,
    word: u64,
}

impl<H: Host> Heap<'_, H> {
    /// Collects like [`Heap::collect`], but overlooks what is said, and leaves the verification to the caller.
    ///
    /// # Safety
    /// The words that were overlooked may lead to no object afterwards. None of them may be read as a value
    /// before [`Heap::verify_references`] has found nothing.
    pub unsafe fn collect_overlooking(&mut self, request: Request, overlooked: &Overlooked) -> Report {
        if overlooked.touches {
            self.forget_touches();
        }
        let hidden: Vec<Hidden<'_>> = overlooked.places.iter().filter_map(|place| self.hide(place)).collect();
        // The invariants would be looked at without the words, and some seem broken although they are not.
        let report = self.collect_unverified(request);
        // All places are found before the first word is put back: no way leads through a word that is stale.
        let slots: Vec<Option<Slot>> =
            hidden.iter().map(|hidden| self.slot_at(hidden.place).map(|(slot, _)| slot)).collect();
        for (hidden, slot) in hidden.iter().zip(slots) {
            if let Some(slot) = slot {
                slot.set(hidden.word);
            }
        }
        report
    }

    /// Makes it so that the host's writes since the last collection were never reported.
    fn forget_touches(&mut self) {
        for touch in std::mem::take(self.touched.get_mut()) {
            if touch.card.is_none() {
                touch.object.set_flags(SEEN);
            }
        }
    }

    fn hide<'a>(&self, place: &'a Place) -> Option<Hidden<'a>> {
        let (slot, holder) = self.slot_at(place)?;
        let word = slot.get();
        target::<H>(word)?;
        let old = self.old.borrow();
        let is_seen = |holder: ObjRef| old.is_open(holder, &self.young.nursery);
        if !holder.is_none_or(is_seen) {
            return None;
        }
        slot.set(H::EMPTY);
        Some(Hidden { place, word })
    }

    /// The slot at a place, and the object that it is in, if it is in one.
    fn slot_at(&self, place: &Place) -> Option<(Slot, Option<ObjRef>)> {
        let mut found = (self.stack.slots().nth(place.root)?, None);
        for &index in &place.path {
            let object = target::<H>(found.0.get())?;
            found = (object.slots::<H>(object.header()).nth(index)?, Some(object));
        }
        Some(found)
    }
}
