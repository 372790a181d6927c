//! Handles that may go anywhere: each holds one frozen value, whichever thread it is on.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::Fault;
use crate::heap::Heap;
use crate::host::Host;
use crate::object::ObjRef;
use crate::old::target;
use crate::pacing::Request;
use crate::roots::Handle;
use crate::shape::MUTABLE;
use crate::value::Value;

use super::abroad::owner_of;
use super::group::Common;
use super::kernel::{Adjustment, Owner};

/// A value of one heap that any heap of the group may import, from any thread, as often as it likes: a word that is no
/// reference, or a frozen object, with all that it refers to.
///
/// It may be cloned, sent and kept without a heap; all clones together count as one reference. It goes through the
/// channels of `std` and crossbeam, into rayon's closures, and into statics.
pub struct Shared<H: Host> {
    pub(super) held: Arc<Held>,
    host: PhantomData<fn(H) -> H>,
}

impl<H: Host> Shared<H> {
    /// A handle for what nobody counts.
    pub(super) fn uncounted(group: &Arc<Common>, word: u64) -> Shared<H> {
        Shared { held: Arc::new(Held::new(group, word, None)), host: PhantomData }
    }
}

impl<H: Host> Clone for Shared<H> {
    fn clone(&self) -> Self {
        Shared { held: Arc::clone(&self.held), host: PhantomData }
    }
}

impl<H: Host> fmt::Debug for Shared<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Shared({:#x})", self.held.word)
    }
}

/// What the clones of a handle have in common: one count of the object.
pub(crate) struct Held {
    group: Arc<Common>,
    word: u64,
    /// The object, while the count is this handle's. `None` for what is not counted.
    claim: Option<ObjRef>,
}

impl Held {
    fn new(group: &Arc<Common>, word: u64, claim: Option<ObjRef>) -> Held {
        Held { group: Arc::clone(group), word, claim }
    }

    /// Gives the count to the caller.
    pub fn give_back(&mut self) -> Option<ObjRef> {
        self.claim.take()
    }

    /// The address of the object whose count it has.
    pub fn claim(&self) -> Option<usize> {
        self.claim.map(ObjRef::address)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(object) = self.claim.take() {
            self.group.change(object, -1);
            (self.group.tend)(&self.group);
        }
    }
}

impl Common {
    /// Changes the count of an object at once, for somebody who has no heap or cannot wait.
    fn change(&self, object: ObjRef, delta: i64) {
        let change = Adjustment { object: object.address(), delta };
        self.exchange.post(self.exchange.seal([change], owner_of), owner_of);
    }
}

/// Why a value cannot be shared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShareError {
    /// The heap belongs to no group.
    Alone,
    /// Something mutable can be reached.
    Mutable {
        /// The way to it: which reference of the value, of the object there, and so on. Empty if it is the value
        /// itself. There is no shorter way.
        path: Vec<usize>,
        /// The shapes of the objects on that way, by the host's numbers: the value's first, that of the mutable object
        /// last.
        shape_ids: Vec<u16>,
    },
    /// It is frozen throughout, but no collection has seen that yet.
    Unsettled,
}

impl fmt::Display for ShareError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ShareError::Alone => f.write_str("the heap belongs to no group"),
            ShareError::Unsettled => f.write_str("a collection has to settle the value first"),
            ShareError::Mutable { path, shape_ids } => {
                let shape = shape_ids.last().copied().unwrap_or_default();
                match path.as_slice() {
                    [] => write!(f, "the object (of shape {shape}) is mutable"),
                    path => {
                        let path: Vec<String> = path.iter().map(usize::to_string).collect();
                        let path = path.join(", then ");
                        write!(f, "reference {path} leads to a mutable object (of shape {shape})")
                    }
                }
            }
        }
    }
}
impl std::error::Error for ShareError {}

impl<'id, H: Host> Heap<'id, H> {
    /// A handle for what `handle` holds, which must be immutable throughout.
    ///
    /// It takes the same time whatever can be reached, if a collection has settled the value since it was frozen (or
    /// made). Otherwise it collects, and no value survives the call: who has many new values to share roots them all first, so
    /// that one collection settles them. As after any collection, [`Heap::cleared`] and [`Heap::next_finalizable`] may have news.
    ///
    /// # Errors
    /// See [`ShareError`]; never [`ShareError::Unsettled`].
    pub fn share(&mut self, handle: &Handle<'id>) -> Result<Shared<H>, ShareError> {
        for request in [Request::Auto, Request::Complete] {
            match self.share_settled(self.rooted(handle)) {
                Err(ShareError::Unsettled) => self.collect(request),
                result => return result,
            };
        }
        self.share_settled(self.rooted(handle))
    }

    /// A handle for `value`, without a collection.
    ///
    /// # Errors
    /// See [`ShareError`].
    pub fn share_settled(&self, value: Value<'_, 'id, H>) -> Result<Shared<H>, ShareError> {
        let Some(group) = &self.group else { return Err(ShareError::Alone) };
        let mut old = self.old.borrow_mut();
        let shared =
            |claim| Shared { held: Arc::new(Held::new(group, value.bits(), claim)), host: PhantomData };
        let Some(object) = target::<H>(value.bits()) else { return Ok(shared(None)) };
        if old.is_open(object, &self.young.nursery) {
            drop(old);
            return Err(self.way_to_mutable(object).unwrap_or(ShareError::Unsettled));
        }
        if old.space.is_own(object.address()) {
            if !H::commits(Fault::FlightForgotten) {
                old.increment::<H>(object);
            }
        } else if owner_of(object.address()) == Owner::IMMORTAL {
            return Ok(shared(None));
        } else {
            group.change(object, 1);
        }
        Ok(shared(Some(object)))
    }

    /// A value that was shared. It is this heap's like any other: to be kept across a collection, it has to be
    /// reachable from a root.
    ///
    /// It counts for [`crate::Config::import_bytes`] allocated bytes, so that a heap which only imports collects, too.
    ///
    /// # Panics
    /// The value was shared in another group.
    pub fn import(&self, shared: Shared<H>) -> Value<'_, 'id, H> {
        let word = shared.held.word;
        let is_of_group = |group| Arc::ptr_eq(group, &shared.held.group);
        assert!(self.group.as_ref().is_some_and(is_of_group), "{OTHER_GROUP}");
        let old = &mut *self.old.borrow_mut();
        let abroad = old.abroad.as_mut().expect(OTHER_GROUP);
        if let Some(object) = target::<H>(word) {
            old.space.abroad |= owner_of(object.address()) != abroad.owner;
        }
        if shared.held.claim.is_some() {
            abroad.in_hand.push(shared.held);
            self.charge(self.config.import_bytes);
        }
        if self.config.check
            && let Some(object) = target::<H>(word)
        {
            self.note_given(old, object);
        }
        // SAFETY: the object is counted, or immortal, and its count is not given up before the next collection has
        // seen to it that everything this heap refers to is counted again. It is as good as this heap's own.
        unsafe { Value::from_bits(word) }
    }

    /// The shortest way from `object` to something mutable, if there is one.
    pub(super) fn way_to_mutable(&self, object: ObjRef) -> Option<ShareError> {
        let old = self.old.borrow();
        let mut seen = rustc_hash::FxHashMap::default();
        seen.insert(object, None);
        let mut pending = std::collections::VecDeque::from([object]);
        while let Some(object) = pending.pop_front() {
            let header = object.header();
            if header.has(MUTABLE) {
                let mut shape_ids = vec![header.shape_id()];
                let mut path = Vec::new();
                let mut here = object;
                while let Some((from, index)) = seen[&here] {
                    let from: ObjRef = from;
                    path.push(index);
                    shape_ids.push(from.header().shape_id());
                    here = from;
                }
                path.reverse();
                shape_ids.reverse();
                return Some(ShareError::Mutable { path, shape_ids });
            }
            for (index, slot) in object.slots::<H>(header).enumerate() {
                let Some(next) = target::<H>(slot.get()) else { continue };
                if old.is_open(next, &self.young.nursery) && !seen.contains_key(&next) {
                    seen.insert(next, Some((object, index)));
                    pending.push_back(next);
                }
            }
        }
        None
    }
}

const OTHER_GROUP: &str = "the value was shared in another group of heaps";
