//! In checking mode: which objects of others a heap was given, so that a word which leads elsewhere is noticed.
//!
//! A heap can get at what it imports, at what it held of others at the end of its last collection, and at all that these
//! refer to. Until its next collection ends all of that is alive, and nobody writes into it: so it can be read, which
//! cannot be said of where any other word leads.

use rustc_hash::FxHashSet;

use crate::heap::Heap;
use crate::host::Host;
use crate::object::ObjRef;
use crate::old::{Old, targets};
use crate::space::chunk_base;

use super::abroad::owner_of;
use super::kernel::Owner;

/// See [the module](self).
#[derive(Default)]
pub(crate) struct Given {
    /// Where the objects are that may be freed after the next collection.
    mortal: FxHashSet<usize>,
    /// And those that are never freed.
    immortal: FxHashSet<usize>,
    /// So many collections had been held when that was so.
    collections: u64,
    /// What was held at the end of the last one is among them.
    knows_held: bool,
}

impl Given {
    fn has(&self, address: usize) -> bool {
        self.mortal.contains(&address) || self.immortal.contains(&address)
    }

    /// Only what is never freed is sure to be there after another collection.
    fn renew(&mut self, collections: u64) {
        if self.collections != collections {
            self.collections = collections;
            self.knows_held = false;
            self.mortal.clear();
        }
    }

    /// These were given, and so was all of others' that they refer to.
    fn add<H: Host>(&mut self, mut given: Vec<ObjRef>, is_foreign: impl Fn(ObjRef) -> bool) {
        while let Some(object) = given.pop() {
            let is_immortal = owner_of(object.address()) == Owner::IMMORTAL;
            let known = if is_immortal { &mut self.immortal } else { &mut self.mortal };
            if known.insert(object.address()) {
                given.extend(targets::<H>(object, object.header()).filter(|&target| is_foreign(target)));
            }
        }
    }
}

impl<H: Host> Heap<'_, H> {
    /// In checking mode: an object of somebody else's was imported.
    pub(super) fn note_given(&self, old: &Old, object: ObjRef) {
        if let Some(abroad) = &old.abroad
            && self.leads_abroad(old, object.address())
        {
            let mut given = abroad.given.borrow_mut();
            given.renew(self.stats.collections());
            given.add::<H>(vec![object], |object| self.leads_abroad(old, object.address()));
        }
    }

    /// In checking mode: is it one of others' objects that this heap was given?
    pub(crate) fn was_given(&self, old: &Old, address: usize) -> bool {
        let Some(abroad) = &old.abroad else { return false };
        let is_foreign = |object: ObjRef| self.leads_abroad(old, object.address());
        let mut given = abroad.given.borrow_mut();
        given.renew(self.stats.collections());
        if !given.knows_held {
            given.knows_held = true;
            // SAFETY: its bit is set: this heap has a claim on it.
            let retained = abroad.retained().map(|address| unsafe { ObjRef::new(address) });
            let mut held: Vec<ObjRef> = retained.collect();
            let waiting: FxHashSet<ObjRef> = old.waiting().collect();
            for object in old.space.objects().into_iter().filter(|object| !waiting.contains(object)) {
                held.extend(targets::<H>(object, object.header()).filter(|&target| is_foreign(target)));
            }
            given.add::<H>(held, is_foreign);
        }
        given.has(address)
    }

    /// Does an address lie neither in this heap's blocks nor in its nursery?
    fn leads_abroad(&self, old: &Old, address: usize) -> bool {
        !old.space.chunk_bases().contains(&chunk_base(address)) && !self.young.has(address)
    }
}
