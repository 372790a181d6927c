//! Weak references.
//!
//! A **weak reference** does not keep its object alive. It is cleared by the collection that finds the object
//! dead; until then it can be upgraded to the object.
//!
//! A collection looks at those whose objects are young or traced, as it looks at such objects anyway. The death of a counted
//! object is noticed where it happens ([`Old::die`]), so nothing is done for one that lives.

use std::cell::Cell;
use std::marker::PhantomData;

use nursery::Nursery;
use rustc_hash::FxHashMap;

use crate::heap::Heap;
use crate::host::Host;
use crate::object::{ObjRef, Young};
use crate::old::{Listeners, Old};
use crate::value::Object;

/// A weak reference. Losing it without [`crate::Heap::forget_weak`] leaves its entry behind.
#[derive(Debug)]
pub struct Weak<'id> {
    pub(crate) number: usize,
    pub(crate) brand: PhantomData<Cell<&'id ()>>,
}

impl Weak<'_> {
    /// Its number: no two have the same at a time. Numbers are small, and those of weak references that have ended are used
    /// again.
    pub fn number(&self) -> usize {
        self.number
    }
}

/// The targets of all weak references: an entry each.
///
/// An entry whose object is counted, and this heap's own, is **parked** at the object's node, with whose count it lives and
/// dies ([`Old::node`]): when the node dies, or its cluster is dissolved, all that is parked there is looked at again. The
/// other entries are looked at by every collection. Each entry is in one ring: that of its node, the open one, or that of
/// the dead.
///
/// **Invariant**, at the end of a collection: what is not parked is young, traced or another heap's (or was that until this
/// heap adopted it, a moment ago); and a node has its bit in the side tables exactly if something is parked there.
#[derive(Debug, Default)]
pub(crate) struct Weaks {
    entries: Vec<Entry>,
    free: Vec<usize>,
    /// One of the entries that are not parked.
    open: Option<usize>,
    /// One of those that are, for each node.
    parked: FxHashMap<ObjRef, usize>,
    /// One of those whose objects are dead.
    dead: Option<usize>,
}

#[derive(Debug)]
struct Entry {
    /// `None` once it is dead.
    object: Option<ObjRef>,
    /// Where it is parked.
    node: Option<ObjRef>,
    next: usize,
    before: usize,
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
    let dead = old.space.is_own(object.address()) && old.is_dead(object);
    (!dead).then_some(object)
}

impl Weaks {
    pub fn insert(&mut self, object: ObjRef) -> usize {
        let number = self.free.pop().unwrap_or(self.entries.len());
        let entry = Entry { object: Some(object), node: None, next: number, before: number };
        match self.entries.get_mut(number) {
            Some(free) => *free = entry,
            None => self.entries.push(entry),
        }
        self.open = Some(self.link(number, self.open));
        number
    }

    /// What they refer to.
    pub fn objects(&self) -> impl Iterator<Item = ObjRef> {
        self.entries.iter().filter_map(|entry| entry.object)
    }

    /// What those that are not parked refer to.
    pub fn open_objects(&self) -> impl Iterator<Item = ObjRef> {
        self.ring(self.open).filter_map(|number| self.entries[number].object)
    }

    /// The entries of the ring with this one.
    fn ring(&self, first: Option<usize>) -> impl Iterator<Item = usize> {
        let next = move |&number: &usize| Some(self.entries[number].next).filter(|&next| Some(next) != first);
        std::iter::successors(first, next)
    }

    /// Is there any?
    pub fn any(&self) -> bool {
        self.entries.len() > self.free.len()
    }

    pub fn get(&self, number: usize) -> Option<ObjRef> {
        self.entries[number].object
    }

    /// Those whose objects are dead.
    pub fn cleared(&self) -> impl Iterator<Item = usize> {
        self.ring(self.dead)
    }

    pub fn remove(&mut self, number: usize, old: &mut Old) {
        let rest = self.unlink(number);
        let entry = &mut self.entries[number];
        match (entry.object.take(), entry.node.take(), rest) {
            (None, ..) => self.dead = rest,
            (Some(_), None, _) => self.open = rest,
            (Some(_), Some(node), Some(another)) => drop(self.parked.insert(node, another)),
            (Some(_), Some(node), None) => {
                self.parked.remove(&node);
                old.forget_parked(node, self.parked.is_empty());
            }
        }
        self.free.push(number);
    }

    /// Ends all.
    pub fn clear(&mut self, old: &mut Old) {
        self.parked.keys().for_each(|&node| old.forget_parked(node, true));
        old.unparked.clear();
        *self = Weaks::default();
    }

    /// Follows objects that moved, clears the entries of dead ones, and parks those of counted ones. Says how many died.
    pub fn update(
        &mut self,
        old: &mut Old,
        nursery: &Nursery,
        fate: impl Fn(ObjRef, &Old) -> Option<ObjRef>,
    ) -> usize {
        let mut rings: Vec<usize> = self.open.take().into_iter().collect();
        let unparked = std::mem::take(&mut old.unparked);
        rings.extend(unparked.iter().filter_map(|node| self.parked.remove(node)));
        let mut died = 0;
        for first in rings {
            let mut number = first;
            loop {
                let next = self.entries[number].next;
                let object = self.entries[number].object.and_then(|object| fate(object, old));
                died += usize::from(object.is_none());
                self.place(number, object, old, nursery);
                if next == first {
                    break;
                }
                number = next;
            }
        }
        old.listeners.set(Listeners::WEAK, !self.parked.is_empty());
        died
    }

    /// Puts an entry out of a ring that has ended where it belongs, now that this is what has become of its object.
    fn place(&mut self, number: usize, object: Option<ObjRef>, old: &Old, nursery: &Nursery) {
        let is_parked =
            |object: &ObjRef| old.space.is_own(object.address()) && !old.is_open(*object, nursery);
        let node = object.filter(is_parked).map(|object| old.node(object));
        (self.entries[number].object, self.entries[number].node) = (object, node);
        match node {
            Some(node) => {
                node.set_awaited(true);
                let ring = self.parked.get(&node).copied();
                let ring = self.link(number, ring);
                self.parked.insert(node, ring);
            }
            None if object.is_some() => self.open = Some(self.link(number, self.open)),
            None => self.dead = Some(self.link(number, self.dead)),
        }
    }

    /// Puts an entry into a ring, of which another entry is known if it has any. Says which one is known now.
    fn link(&mut self, number: usize, ring: Option<usize>) -> usize {
        let before = ring.unwrap_or(number);
        let next = if ring.is_some() { self.entries[before].next } else { number };
        (self.entries[number].before, self.entries[number].next) = (before, next);
        self.entries[before].next = number;
        self.entries[next].before = number;
        before
    }

    /// Takes an entry out of its ring. Says which one is left there, if any is.
    fn unlink(&mut self, number: usize) -> Option<usize> {
        let Entry { next, before, .. } = self.entries[number];
        self.entries[before].next = next;
        self.entries[next].before = before;
        (next != number).then_some(next)
    }

    /// Is every entry where it belongs, and nothing else there? For checking: it looks at all of them.
    pub fn agree(&self, old: &Old, nursery: &Nursery) -> bool {
        let is_open = |number: usize| {
            let entry = &self.entries[number];
            let is_counted =
                |object: ObjRef| old.space.is_own(object.address()) && !old.is_open(object, nursery);
            entry.node.is_none() && entry.object.is_some_and(|object| !is_counted(object))
        };
        let is_parked = |number: usize, node: ObjRef| {
            let entry = &self.entries[number];
            entry.node == Some(node) && entry.object.is_some_and(|object| old.node(object) == node)
        };
        let mut in_rings = self.ring(self.open).count();
        let mut awaited = 0;
        for (&node, &first) in &self.parked {
            in_rings += self.ring(Some(first)).count();
            // What the mutator took apart is put in order by the next collection.
            if !old.unparked.contains(&node) {
                awaited += 1;
                if !node.is_awaited() || !self.ring(Some(first)).all(|number| is_parked(number, node)) {
                    return false;
                }
            }
        }
        // What was another heap's until that one ended is looked at once more by the next collection.
        (old.abroad.is_some() || self.ring(self.open).all(is_open))
            && self.cleared().all(|number| self.entries[number].object.is_none())
            && self.cleared().count() + self.objects().count() + self.free.len() == self.entries.len()
            && in_rings == self.objects().count()
            && awaited == old.space.count_awaited()
            && old.listeners.has(Listeners::WEAK) != self.parked.is_empty()
    }
}

impl<'id, H: Host> Heap<'id, H> {
    /// A reference that does not keep `object` alive. (One to another heap's object does: only its owner will know when
    /// it has died.)
    ///
    /// A collection looks at those whose objects are young or mutable. One to an old immutable object costs nothing until that
    /// dies, and some fifty bytes until [`Heap::forget_weak`]. [`Heap::cleared`] says which ones a table has to drop.
    pub fn weak(&self, object: Object<'_, 'id, H>) -> Weak<'id> {
        Weak { number: self.weaks.borrow_mut().insert(object.obj()), brand: PhantomData }
    }

    /// The object of a weak reference, unless a collection found it dead (if it is finalizable, dead for good: see
    /// [`Heap::finalize`]).
    pub fn upgrade(&self, weak: &Weak<'id>) -> Option<Object<'_, 'id, H>> {
        let object = self.weaks.borrow().get(weak.number)?;
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
        self.weaks.borrow().get(weak.number).is_none()
    }

    /// The numbers ([`Weak::number`]) of all weak references whose objects were found dead, until [`Heap::forget_weak`] ends
    /// them.
    pub fn cleared(&self) -> Vec<usize> {
        self.weaks.borrow().cleared().collect()
    }

    /// Ends a weak reference.
    pub fn forget_weak(&self, weak: Weak<'id>) {
        self.weaks.borrow_mut().remove(weak.number, &mut self.old.borrow_mut());
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
            assert_eq!(again.number, 0);
            heap.collect(crate::Request::Complete);
            assert_eq!([&again, &second].map(|weak| heap.upgrade(weak).unwrap().raw(0)), [1, 2]);
            [again, second].into_iter().for_each(|weak| heap.forget_weak(weak));
            assert!(!heap.weaks.borrow().any());
            roots.into_iter().for_each(|root| heap.unroot(root));
        })
        .unwrap();
    }
}
