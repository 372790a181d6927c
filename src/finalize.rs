//! The queue of objects whose owner wants to hear of their death.
//!
//! A **finalizable** object that has died is *revived*: it is kept, with all it refers to, in a queue from
//! which the host takes it after the collection. It is finalized once; then it is an object like any other and
//! its memory is freed by a collection to come. Nothing of the host runs inside a collection.
//!
//! As with weak references (`weak.rs`), a collection looks at those that are young or traced; the drain comes upon the
//! others when they die ([`Old::die`](crate::old::Old::die)).

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

use crate::heap::Heap;
use crate::host::Host;
use crate::object::{ObjRef, Slot};
use crate::old::Listeners;
use crate::shape::FINALIZABLE;
use crate::stats::Report;
use crate::value::Object;

/// Registered objects, and those that have died and wait for the host.
#[derive(Debug, Default)]
pub(crate) struct Finalizers {
    registered: FxHashMap<ObjRef, Vec<u64>>,
    /// Those that are young or traced, in the order in which they were registered, for a queue that does not depend on
    /// addresses.
    open: Vec<ObjRef>,
    /// Roots, until the host has taken them.
    pub ready: VecDeque<(u64, u64)>,
}

impl Finalizers {
    pub fn register(&mut self, object: ObjRef, is_open: bool, token: u64) {
        let tokens = self.registered.entry(object).or_default();
        if tokens.is_empty() && is_open {
            self.open.push(object);
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

    /// Are the open ones those that are traced? For checking, when nothing is young.
    pub fn agree(&self) -> bool {
        let traced = self.objects().filter(|object| object.is_traced()).count();
        self.open.len() == traced
            && self.open.iter().all(|object| object.is_traced() && self.registered.contains_key(object))
    }

    /// Forgets what is not there any more.
    pub fn keep(&mut self, is_there: impl Fn(ObjRef) -> bool) {
        self.open.retain(|&object| is_there(object));
        self.registered.retain(|&object, _| is_there(object));
    }

    /// Takes over what another heap had registered when it ended: of that, nothing is young or traced any more.
    pub fn absorb(&mut self, other: Finalizers) {
        self.registered.extend(other.registered);
    }

    /// Follows open objects that moved, and takes out those that died; they become ready. Those that are counted by now are
    /// open no longer: the drain will find out when they die. Says how many died.
    pub fn update<H: Host>(&mut self, fate: impl Fn(ObjRef) -> Option<ObjRef>) -> usize {
        let before = self.ready.len();
        for object in std::mem::take(&mut self.open) {
            let Some(there) = fate(object) else {
                let tokens = self.taken(object);
                self.make_ready::<H>(object, tokens);
                continue;
            };
            // What stays where it is, as nearly all do that are old, is not looked up.
            if there != object {
                let tokens = self.taken(object);
                self.registered.insert(there, tokens);
            }
            if there.is_traced() {
                self.open.push(there);
            }
        }
        self.ready.len() - before
    }

    /// The tokens of an object, which is registered no longer.
    fn taken(&mut self, object: ObjRef) -> Vec<u64> {
        self.registered.remove(&object).expect("finalizable, so registered")
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
    /// Can nobody else's thread be reading the object, so that [`Heap::finalize`] takes it?
    pub fn is_private(&self, object: Object<'_, 'id, H>) -> bool {
        let old = self.old.borrow();
        old.abroad.is_none() || old.is_open(object.obj(), &self.young.nursery)
    }

    /// After its death `object` is to come to the finalizer queue, with `token`. Once for each call. If it is shared
    /// and outlives this heap, it comes to the queue of the heap that takes over.
    ///
    /// It comes before its memory is used again, with all that it refers to, so the host may read it one last time, or
    /// keep it. Until it dies once more, which nobody is told of, weak references lead to it: who looks it up there may get an
    /// object whose death the host has heard of.
    ///
    /// Each takes about a hundred bytes beside it, and some 15 ns in every collection while it is young or mutable. What is
    /// alive when the heap ends never comes.
    ///
    /// # Panics
    /// The object is another heap's, or is counted and may be shared: it is registered before it is shared.
    pub fn finalize(&self, object: Object<'_, 'id, H>, token: u64) {
        let mut old = self.old.borrow_mut();
        old.assert_private(object.obj(), &self.young.nursery);
        let is_open = old.is_open(object.obj(), &self.young.nursery);
        if !is_open {
            // The death of what is inside a cluster would not be noticed.
            old.dissolve_around::<H>(object.obj());
        }
        old.listeners.set(Listeners::FINALIZERS, true);
        drop(old);
        object.obj().set_flags(FINALIZABLE);
        self.finalizers.borrow_mut().register(object.obj(), is_open, token);
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
        old.listeners.set(Listeners::FINALIZERS, !finalizers.is_empty());
    }
}
