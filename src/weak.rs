//! Weak references, and the queue of objects whose owner wants to hear of their death.
//!
//! A **weak reference** does not keep its object alive. It is cleared by the collection that finds the object
//! dead; until then it can be upgraded to the object.
//!
//! A **finalizable** object that has died is *revived*: it is kept, with all it refers to, in a queue from
//! which the host takes it after the collection. It is finalized once; then it is an object like any other and
//! its memory is freed by a collection to come. Nothing of the host runs inside a collection.

use std::cell::Cell;
use std::collections::VecDeque;
use std::marker::PhantomData;

use nursery::Nursery;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::heap::Heap;
use crate::host::Host;
use crate::object::{ObjRef, Slot, Young};
use crate::old::Old;
use crate::shape::FINALIZABLE;
use crate::stats::Report;
use crate::value::Object;

/// A weak reference. Losing it without [`crate::Heap::forget_weak`] leaves its entry behind.
#[derive(Debug)]
pub struct Weak<'id> {
    pub(crate) index: usize,
    pub(crate) brand: PhantomData<Cell<&'id ()>>,
}

/// The targets of all weak references: an entry each, `None` once the object is dead.
#[derive(Debug, Default)]
pub(crate) struct Weaks {
    entries: Vec<Option<ObjRef>>,
    free: Vec<usize>,
}

/// What has become of an object, as far as a collection knows at its end: where it is, or that it is dead.
pub(crate) fn fate(object: ObjRef, nursery: &Nursery, old: &Old) -> Option<ObjRef> {
    if nursery.contains(object.address()) {
        return match object.young() {
            Young::Here(_) => None,
            Young::Moved(to) => Some(to),
        };
    }
    if old.space.is_young_large(object.address()) {
        return None;
    }
    old_fate(object, old)
}

/// The same for an object that is known to be old.
pub(crate) fn old_fate(object: ObjRef, old: &Old) -> Option<ObjRef> {
    if !old.space.is_own(object.address()) {
        return Some(object);
    }
    let dead = if object.is_traced() { !old.space.is_retained(object) } else { old.is_dead(object) };
    (!dead).then_some(object)
}

impl Weaks {
    pub fn insert(&mut self, object: ObjRef) -> usize {
        match self.free.pop() {
            Some(index) => {
                self.entries[index] = Some(object);
                index
            }
            None => {
                self.entries.push(Some(object));
                self.entries.len() - 1
            }
        }
    }

    /// Ends all.
    pub fn clear(&mut self) {
        *self = Weaks::default();
    }

    /// What they refer to.
    pub fn objects(&self) -> impl Iterator<Item = ObjRef> + '_ {
        self.entries.iter().copied().flatten()
    }

    /// Is there any?
    pub fn any(&self) -> bool {
        self.entries.len() > self.free.len()
    }

    pub fn get(&self, index: usize) -> Option<ObjRef> {
        self.entries[index]
    }

    pub fn remove(&mut self, index: usize) {
        self.entries[index] = None;
        self.free.push(index);
    }

    /// Follows objects that moved and clears the entries of dead ones. Says how many died.
    pub fn update(&mut self, fate: impl Fn(ObjRef) -> Option<ObjRef>) -> usize {
        let mut cleared = 0;
        for entry in self.entries.iter_mut() {
            if let Some(object) = *entry {
                *entry = fate(object);
                cleared += usize::from(entry.is_none());
            }
        }
        cleared
    }
}

/// Registered objects, and those that have died and wait for the host.
#[derive(Debug, Default)]
pub(crate) struct Finalizers {
    registered: FxHashMap<ObjRef, Vec<u64>>,
    /// Objects registered in this order, for a queue that does not depend on addresses.
    order: Vec<ObjRef>,
    /// Roots, until the host has taken them.
    pub ready: VecDeque<(u64, u64)>,
}

impl Finalizers {
    pub fn register(&mut self, object: ObjRef, token: u64) {
        let tokens = self.registered.entry(object).or_default();
        if tokens.is_empty() {
            self.order.push(object);
        }
        tokens.push(token);
    }

    pub fn is_empty(&self) -> bool {
        self.registered.is_empty()
    }

    /// All that are registered.
    pub fn objects(&self) -> impl Iterator<Item = ObjRef> + '_ {
        self.registered.keys().copied()
    }

    /// Forgets what is not there any more.
    pub fn keep(&mut self, is_there: impl Fn(ObjRef) -> bool) {
        self.order.retain(|&object| is_there(object));
        self.registered.retain(|&object, _| is_there(object));
    }

    /// Takes over what another heap had registered.
    pub fn absorb(&mut self, other: Finalizers) {
        self.order.extend(other.order);
        self.registered.extend(other.registered);
    }

    /// Follows registered objects that moved, and takes out those that died; they become ready. Says how many
    /// did. Of an old counted object the fate must be to live: whether it is dead, the drain finds out.
    pub fn update<H: Host>(&mut self, fate: impl Fn(ObjRef) -> Option<ObjRef>) -> usize {
        let before = self.ready.len();
        let mut order = std::mem::take(&mut self.order);
        order.retain_mut(|object| match fate(*object) {
            // What stays where it is, as nearly all do that are old, is not looked up.
            Some(there) if there == *object => true,
            Some(moved) => {
                let tokens = self.taken(*object);
                self.registered.insert(moved, tokens);
                *object = moved;
                true
            }
            None => {
                let tokens = self.taken(*object);
                self.make_ready::<H>(*object, tokens);
                false
            }
        });
        self.order = order;
        self.ready.len() - before
    }

    /// The tokens of an object in the order, which is registered no longer.
    fn taken(&mut self, object: ObjRef) -> Vec<u64> {
        self.registered.remove(&object).expect("in order, so registered")
    }

    /// The slots of what is ready, to be reached like other roots.
    pub fn ready_slots(&mut self) -> Vec<Slot> {
        // SAFETY: each is the place of a word in the queue, which does not change during the trace.
        let slot =
            |(word, _): &mut (u64, u64)| unsafe { Slot::new(std::ptr::from_mut(word).expose_provenance()) };
        self.ready.iter_mut().map(slot).collect()
    }

    /// Registered counted objects that died and were retained once more become ready.
    pub fn revive<H: Host>(&mut self, revived: Vec<ObjRef>) {
        let gone: FxHashSet<ObjRef> = revived.iter().copied().collect();
        self.order.retain(|object| !gone.contains(object));
        for object in revived {
            let tokens = self.taken(object);
            self.make_ready::<H>(object, tokens);
        }
    }

    fn make_ready<H: Host>(&mut self, object: ObjRef, tokens: Vec<u64>) {
        object.clear_flags(FINALIZABLE);
        let word = H::word(object.address(), H::EMPTY);
        self.ready.extend(tokens.into_iter().map(|token| (word, token)));
    }
}

impl<'id, H: Host> Heap<'id, H> {
    /// A reference that does not keep `object` alive. (One to another heap's object does: only its owner will know when
    /// it has died.)
    ///
    /// Every collection looks at each weak reference until [`Heap::forget_weak`], which takes some 15 ns while its object is
    /// alive. A table of them is swept when [`Report::weak_cleared`] says that there is something to sweep.
    pub fn weak(&self, object: Object<'_, 'id, H>) -> Weak<'id> {
        Weak { index: self.weaks.borrow_mut().insert(object.obj()), brand: PhantomData }
    }

    /// The object of a weak reference, unless a collection found it dead.
    pub fn upgrade(&self, weak: &Weak<'id>) -> Option<Object<'_, 'id, H>> {
        let object = self.weaks.borrow().get(weak.index)?;
        // What only dead objects in the buffer refer to may be found here. It must outlive them now.
        let mut old = self.old.borrow_mut();
        if !old.is_young(object, &self.young.nursery) && old.space.is_own(object.address()) {
            old.retain::<H>(object);
        }
        // SAFETY: entries of live objects are kept up to date by every collection, those of dead ones cleared.
        Some(unsafe { Object::from_bits(H::word(object.address(), H::EMPTY)) })
    }

    /// Did a collection find the object of a weak reference dead?
    pub fn is_cleared(&self, weak: &Weak<'id>) -> bool {
        self.weaks.borrow().get(weak.index).is_none()
    }

    /// Ends a weak reference.
    pub fn forget_weak(&self, weak: Weak<'id>) {
        self.weaks.borrow_mut().remove(weak.index);
    }

    /// Can nobody else's thread be reading the object, so that [`Heap::finalize`] takes it?
    pub fn is_private(&self, object: Object<'_, 'id, H>) -> bool {
        let old = self.old.borrow();
        old.abroad.is_none() || old.is_open(object.obj(), &self.young.nursery)
    }

    /// After its death `object` is to come to the finalizer queue, with `token`. Once for each call. If it is shared
    /// and outlives this heap, it comes to the queue of the heap that takes over.
    ///
    /// It comes before its memory is used again, with all that it refers to, so the host may read it one last time. Every
    /// collection looks at each object that is registered (some 15 ns), which takes about a hundred bytes beside it. What is
    /// alive when the heap ends never comes.
    ///
    /// # Panics
    /// The object is another heap's, or is counted and may be shared: it is registered before it is shared.
    pub fn finalize(&self, object: Object<'_, 'id, H>, token: u64) {
        let mut old = self.old.borrow_mut();
        old.assert_private(object.obj(), &self.young.nursery);
        if !old.is_young(object.obj(), &self.young.nursery) {
            // The death of what is inside a cluster would not be noticed.
            old.dissolve_around::<H>(object.obj());
        }
        old.any_finalizable = true;
        drop(old);
        object.obj().set_flags(FINALIZABLE);
        self.finalizers.borrow_mut().register(object.obj(), token);
    }

    /// The next object of the finalizer queue, with its token. From now on it is an object like any other.
    ///
    /// When several die in one collection, they come in the order in which they were registered, except that
    /// counted ones come as the drain finds them: those that refer to others before those.
    pub fn next_finalizable(&self) -> Option<(Object<'_, 'id, H>, u64)> {
        let (word, token) = self.finalizers.borrow_mut().ready.pop_front()?;
        // SAFETY: the queue is a root until here; the word was brought up to date by every collection.
        Some((unsafe { Object::from_bits(word) }, token))
    }

    /// Finalizable counted objects that died in this drain go to the queue.
    pub(crate) fn make_revived_ready(&mut self, report: &mut Report) {
        let (old, finalizers) = (self.old.get_mut(), self.finalizers.get_mut());
        report.finalizable += old.revived.len();
        if !old.revived.is_empty() {
            finalizers.revive::<H>(std::mem::take(&mut old.revived));
        }
        old.any_finalizable = !finalizers.is_empty();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, LowTag, Shape};

    #[test]
    fn the_entry_of_a_weak_reference_that_was_ended_is_used_again() {
        const LEAF: Shape = Shape::new(1, "leaf").raw_words(1);
        Heap::<LowTag>::branded(Config::STRESS, |mut heap| {
            let leaves = [1, 2].map(|number| {
                let mut leaf = heap.alloc(&LEAF, 0).unwrap();
                leaf.raw_mut()[0] = number;
                leaf.finish()
            });
            let weaks = leaves.map(|leaf| heap.weak(leaf));
            let roots = leaves.map(|leaf| heap.root(leaf.into()));
            let [first, second] = weaks;
            heap.forget_weak(first);
            assert!(heap.weaks.borrow().any());
            let again = heap.weak(leaves[0]);
            assert_eq!(again.index, 0);
            heap.collect(crate::Request::Complete);
            assert_eq!([&again, &second].map(|weak| heap.upgrade(weak).unwrap().raw(0)), [1, 2]);
            [again, second].into_iter().for_each(|weak| heap.forget_weak(weak));
            assert!(!heap.weaks.borrow().any());
            roots.into_iter().for_each(|root| heap.unroot(root));
        })
        .unwrap();
    }
}
