//! What a heap leaves behind when its thread ends, and what becomes of it.
//!
//! A heap that ends collects once more without roots: it gives up what it held of others, and everything of its own
//! that others do not count. If nothing is left, that was all. Otherwise its old generation is an *estate*, which
//! goes to a heap that [adopts](Heap::adopt) it (of the thread that joins the ended one), or becomes an *orphan* of
//! the group. An orphan keeps its owner number and its inbox. Nothing happens to it until there is mail for it; then
//! whoever comes by [tends](Orphans::tend) it: does what its mail asks for, and frees what nobody holds any more. A
//! small one is adopted by the heap that comes by, so that many short threads don't leave many small estates.
//!
//! Orphans lie in their group, and know of it only how owners reach each other. So they don't keep it alive: when the last
//! heap, handle and estate of a group are gone, nobody can ask for anything, and what orphans are left go with it.

use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard};
use std::vec;

use crate::Fault;
use crate::collect::drain::Budget;
use crate::finalize::Finalizers;
use crate::heap::Heap;
use crate::host::Host;
use crate::object::ObjRef;
use crate::old::{Listeners, Old};
use crate::os::System;
use crate::space::Space;
use crate::stats::Report;

use super::Abroad;
use super::group::Common;
use super::kernel::{Exchange, Owner};

/// An orphan of at most so many chunks is adopted by whoever comes by. Larger: fewer orphans. Smaller: less time in
/// the pause of the collection that adopts it.
const ADOPTED_CHUNKS: usize = 2;

/// Objects of an orphan that are released at a time by a heap that comes by. Larger: dead memory is freed sooner. Smaller:
/// shorter pauses. (Who ends, or drops a handle, releases all.)
const PASSING_OBJECTS: usize = 100_000;

/// The old generation of a heap that has ended. It does not keep its group alive, in which it may lie: when nobody else does,
/// nobody holds anything of it, and its memory goes with the group.
pub(crate) struct Orphan {
    old: Old,
    /// What its host wanted to hear of. Somebody with a host has to adopt it before that can happen.
    finalizers: Finalizers,
}

// SAFETY: it owns all its memory. Its `Rc` is its own (`Orphan::new`), and the rest of it are numbers and addresses,
// of memory that only the owner writes: who has the orphan.
unsafe impl Send for Orphan {}

impl Old {
    /// Makes this the old generation of a new owner.
    pub(crate) fn enter(&mut self, exchange: &Arc<Exchange>) {
        let owner = exchange.join();
        self.space.owner = owner;
        self.abroad = Some(Box::new(Abroad::new(Arc::clone(exchange), owner)));
    }

    /// What is left after a collection without a mutator: nothing is reached, so what stays is what others count. If it
    /// panics, nobody knows any more what is alive: the memory, which others may read, stays for good.
    fn tended<H: Host>(self, budget: Budget) -> Old {
        let mut old = ManuallyDrop::new(self);
        let mut report = Report::default();
        old.receive::<H>();
        old.space.epoch += 1;
        let previous = std::mem::take(&mut old.space.touched_blocks);
        old.diff::<H>(previous, &mut report);
        old.empty_hand();
        old.drain::<H>(budget, &mut report);
        old.post::<H>(&mut report);
        ManuallyDrop::into_inner(old)
    }
}

impl Orphan {
    /// What is left of `old` when it has no mutator any more.
    fn new<H: Host>(mut old: Old, mut finalizers: Finalizers) -> Orphan {
        old.space.system = Rc::new(System::default());
        old.abroad.iter_mut().for_each(|abroad| abroad.holds_back = false);
        old.space.close_spans();
        // What dies now has no host that could want to hear of it.
        old.listeners.set(Listeners::FINALIZERS, false);
        let mut old = old.tended::<H>(Budget::ALL);
        finalizers.keep(|object| object.chunk().starts.get(object.granule()));
        old.listeners.set(Listeners::FINALIZERS, !finalizers.is_empty());
        old.space.give_all_back();
        Orphan { old, finalizers }
    }

    fn owner(&self) -> Owner {
        self.old.space.owner
    }

    fn is_empty(&self) -> bool {
        self.old.space.objects == 0
    }

    /// Bytes of its blocks.
    fn used_bytes(&self) -> usize {
        self.old.space.used_bytes()
    }

    /// It has nothing that was imported any more.
    fn has_empty_hands(&self) -> bool {
        self.old.abroad.as_ref().is_none_or(|abroad| abroad.in_hand.is_empty() && abroad.let_go.is_empty())
    }

    /// May the host have to hear of what dies next? Then only a heap can take care of it.
    fn needs_host(&self) -> bool {
        self.old.listeners.has(Listeners::FINALIZERS)
    }

    /// Is anything waiting to be released?
    fn has_dead(&self) -> bool {
        self.old.waiting().next().is_some()
    }

    /// May a heap that comes by, and has so much room, make it its own? Not while a large object of it is released a part at a
    /// time: the heap may be at one already. And not if it is large, unless somebody has to.
    fn is_for_heap(&self, room_bytes: usize) -> bool {
        self.used_bytes() <= room_bytes
            && (self.needs_host() || self.old.space.chunks() <= ADOPTED_CHUNKS && self.old.partly.is_none())
    }
}

/// What a heap has left when its thread ended: memory that others still hold something of. [`Heap::adopt`] makes it
/// part of another heap; when it is dropped instead, the group keeps it until nobody holds anything of it.
pub struct Estate<H: Host> {
    /// With the group that gets it if nobody adopts it.
    left: Option<(Orphan, Arc<Common>)>,
    host: PhantomData<fn(H) -> H>,
}

impl<H: Host> std::fmt::Debug for Estate<H> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let objects = self.left.as_ref().map_or(0, |(orphan, _)| orphan.old.space.objects);
        write!(f, "Estate({objects} objects)")
    }
}

impl<H: Host> Estate<H> {
    const NOTHING: Estate<H> = Estate { left: None, host: PhantomData };

    fn new(orphan: Orphan, group: Arc<Common>) -> Estate<H> {
        if !orphan.is_empty() {
            return Estate { left: Some((orphan, group)), host: PhantomData };
        }
        group.exchange.leave(orphan.owner());
        // What the heap gave up at its end may have been an orphan's, and there may be nobody else.
        (group.tend)(&group);
        Estate::NOTHING
    }

    /// Did nobody hold anything?
    pub fn is_empty(&self) -> bool {
        self.left.is_none()
    }
}

impl<H: Host> Drop for Estate<H> {
    fn drop(&mut self) {
        if let Some((orphan, group)) = self.left.take() {
            group.orphans.put(&group, orphan);
            (group.tend)(&group);
        }
    }
}

impl<H: Host> Heap<'_, H> {
    /// Ends the heap, like dropping it, and gives out what others still hold of it.
    pub fn end(mut self) -> Estate<H> {
        self.take_estate().unwrap_or(Estate::NOTHING)
    }

    /// For the proof machinery alone: from now on, collections leave their batches to be posted by
    /// [`Heap::post_next`]. Until all are, the heap's mutator must stand still: nothing else may be asked of it.
    pub fn hold_back(&mut self) {
        if let Some(abroad) = &mut self.old.get_mut().abroad {
            abroad.holds_back = true;
        }
    }

    /// Has it batches that were held back?
    pub fn holds_batches(&self) -> bool {
        self.old.borrow().abroad.as_ref().is_some_and(|abroad| !abroad.outgoing.is_empty())
    }

    /// Posts the next batch that was held back, and says whether there was one.
    pub fn post_next(&mut self) -> bool {
        let Some(abroad) = &mut self.old.get_mut().abroad else { return false };
        let posted = abroad.post_next();
        if posted {
            self.pass_orphans();
        }
        posted
    }

    /// Takes everything out of the heap, which is not a member of its group any more. `None` if it was not one, or if
    /// nobody else is left of the group: then all its memory goes, and all orphans', and nothing has to be found out about
    /// what is in it.
    pub(crate) fn take_estate(&mut self) -> Option<Estate<H>> {
        let group = self.group.as_ref()?;
        let abroad = self.old.get_mut().abroad.as_mut()?;
        abroad.post_all();
        if abroad.closes_group(group) {
            return None;
        }
        let group = Arc::clone(group);
        self.let_go();
        let nothing = self.no_old();
        let old = std::mem::replace(self.old.get_mut(), nothing);
        let finalizers = std::mem::take(self.finalizers.get_mut());
        Some(Estate::new(Orphan::new::<H>(old, finalizers), group))
    }

    /// An old generation without anything.
    fn no_old(&self) -> Old {
        let space = Space::new(self.config.block_bytes, false, Rc::new(System::default()), Owner::ALONE);
        Old::new(space, &self.config)
    }

    /// Takes over what another heap of the group has left: from now on it is this heap's own, and so is the duty to free
    /// it. Takes time in proportion to its blocks, and to what this heap refers to of it.
    ///
    /// Its blocks count for as many allocated bytes, so that a heap which only adopts collects, too. They may pass the heap
    /// limit: then every allocation is refused until something dies.
    ///
    /// # Panics
    /// The other heap belonged to another group.
    pub fn adopt(&mut self, mut estate: Estate<H>) {
        if let Some((_, group)) = &estate.left {
            // What is refused is still an estate, and goes to its group.
            let own = self.group.as_ref().expect("only a heap of a group can adopt");
            assert!(Arc::ptr_eq(own, group), "an estate of another group");
        }
        if let Some((orphan, group)) = estate.left.take() {
            let bytes = orphan.used_bytes();
            self.adopt_orphan(&group, orphan);
            self.charge(bytes);
        }
    }

    /// Takes over an estate of this heap's own group.
    fn adopt_orphan(&mut self, group: &Common, mut orphan: Orphan) {
        let old = self.old.get_mut();
        let (from, to) = (orphan.owner(), old.space.owner);
        if H::commits(Fault::LostInbox) {
            group.exchange.take(from);
        }
        group.exchange.hand_over(from, to, || orphan.old.space.rename(to));
        old.absorb::<H>(orphan.old);
        self.finalizers.get_mut().absorb(orphan.finalizers);
        old.listeners.set(Listeners::FINALIZERS, !self.finalizers.get_mut().is_empty());
        self.keep_limit();
    }

    /// After a collection: does what the orphans' mail asks for.
    pub(crate) fn pass_orphans(&mut self) {
        if let Some(abroad) = &self.old.get_mut().abroad
            && abroad.outgoing.is_empty()
            && let Some(group) = self.group.clone()
        {
            group.orphans.tend(&group, Some(self));
        }
    }
}

impl Old {
    /// Takes over the old generation of an owner that has ended, and has got this one's number already.
    fn absorb<H: Host>(&mut self, other: Old) {
        debug_assert!(other.partly.is_none(), "an estate is adopted in the midst of a large object");
        self.components.absorb(other.components);
        self.clusters.absorb(other.clusters);
        self.buffer.extend(other.buffer);
        // Nobody has reported that yet.
        self.dissolved += other.dissolved;
        self.received += other.received;
        let chunks = other.space.chunk_bases().clone();
        self.space.absorb(other.space);
        // What this heap posted to the ended one may only now have come to it.
        self.receive::<H>();
        // What was foreign until now is this heap's own: what it retained keeps its bit, and does not count.
        let now_own = self.abroad_mut().take(&chunks);
        for address in now_own {
            // SAFETY: its bit was set: this heap has a claim on it.
            let object = unsafe { ObjRef::new(address) };
            self.retain::<H>(object);
            self.lower(object);
            // Perhaps only a weak reference was the reason, which is none any more.
            self.candidates += 1;
        }
    }
}

/// The estates that nobody has adopted.
#[derive(Default)]
pub(crate) struct Orphans(Mutex<Vec<Orphan>>);

impl Orphans {
    fn lock(&self) -> MutexGuard<'_, Vec<Orphan>> {
        self.0.lock().expect("nobody panics here but for want of memory")
    }

    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Shows the old generation of each.
    pub fn each(&self, show: impl FnMut(&Old)) {
        self.lock().iter().map(|orphan| &orphan.old).for_each(show);
    }

    /// Does what their mail asks for. With a `heap` that comes by, small ones are adopted by it if they fit into its limit, and
    /// of others only so much is released that it does not take long.
    pub fn tend<H: Host>(&self, common: &Common, mut heap: Option<&mut Heap<'_, H>>) {
        let heap_comes_by = heap.is_some();
        let budget = || match heap_comes_by {
            true => Budget::new(PASSING_OBJECTS, None),
            false => Budget::ALL,
        };
        let mut rests = false;
        while common.exchange.wake() {
            let room_bytes = heap.as_ref().map_or(0, |heap| heap.room_bytes());
            let is_for =
                |orphan: &Orphan| !orphan.needs_host() || (heap_comes_by && orphan.is_for_heap(room_bytes));
            for orphan in self.take_woken(common, is_for, &mut rests) {
                match &mut heap {
                    Some(heap) if orphan.is_for_heap(heap.room_bytes()) => heap.adopt_orphan(common, orphan),
                    // There was room for it before another one was adopted.
                    _ if orphan.needs_host() => self.put(common, orphan),
                    _ => rests |= self.tend_one::<H>(common, orphan, budget()),
                }
            }
        }
        if rests {
            common.exchange.rouse();
        }
    }

    /// Takes out those with something to do, for whoever asked: nobody else acts for them meanwhile. Those that they are
    /// not for stay where they are (put back, they would wake at once who has just looked), and something `rests`.
    fn take_woken<'o>(
        &'o self,
        common: &'o Common,
        is_for: impl Fn(&Orphan) -> bool,
        rests: &mut bool,
    ) -> Woken<'o> {
        let is_taken = |orphan: &mut Orphan| {
            let has_work = orphan.has_dead() || common.exchange.has_mail(orphan.owner());
            *rests |= has_work && !is_for(orphan);
            has_work && is_for(orphan)
        };
        let taken: Vec<Orphan> = self.lock().extract_if(.., is_taken).collect();
        Woken { taken: taken.into_iter(), orphans: self, common }
    }

    /// Puts one in, and sees to it that its mail is noticed: what comes from now on, and what has come already.
    fn put(&self, common: &Common, orphan: Orphan) {
        debug_assert!(orphan.has_empty_hands(), "an orphan would keep its group alive, in which it lies");
        let owner = orphan.owner();
        // Until this is over nobody takes it out: who did might end its owner, whose number could be another heap's.
        let mut orphans = self.lock();
        orphans.push(orphan);
        common.exchange.orphan(owner);
    }

    /// Says whether something is left to be done.
    fn tend_one<H: Host>(&self, common: &Common, mut orphan: Orphan, budget: Budget) -> bool {
        if H::commits(Fault::LostInbox) {
            common.exchange.take(orphan.owner());
        }
        orphan.old = orphan.old.tended::<H>(budget);
        orphan.old.space.give_all_back();
        if orphan.is_empty() {
            common.exchange.leave(orphan.owner());
            return false;
        }
        let rests = orphan.has_dead();
        self.put(common, orphan);
        rests
    }
}

/// Orphans that were taken out, one after the other. When it is dropped, those that nobody came to go back: it was a panic
/// then, and others hold something of them.
struct Woken<'o> {
    taken: vec::IntoIter<Orphan>,
    orphans: &'o Orphans,
    common: &'o Common,
}

impl Iterator for Woken<'_> {
    type Item = Orphan;

    fn next(&mut self) -> Option<Orphan> {
        self.taken.next()
    }
}

impl Drop for Woken<'_> {
    fn drop(&mut self) {
        for orphan in self.taken.by_ref() {
            self.orphans.put(self.common, orphan);
        }
    }
}

impl<H: Host> Drop for Heap<'_, H> {
    /// What others hold lives on, if the heap belongs to a group.
    fn drop(&mut self) {
        if self.old.get_mut().abroad.as_ref().is_some_and(|abroad| abroad.is_collecting) {
            // A collection has panicked, so nobody knows any more what is alive.
            let nothing = self.no_old();
            std::mem::forget(std::mem::replace(self.old.get_mut(), nothing));
        }
        drop(self.take_estate());
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Arc;

    use super::super::abroad::owner_of;
    use super::super::kernel::Adjustment;
    use crate::host::Host;
    use crate::{Config, Group, Heap, LowTag, Shape, Shared};

    const LEAF: Shape = Shape::new(1, "leaf").raw_words(1);
    const BOX: Shape = Shape::new(2, "box").references(1);

    fn closes_group(heap: &mut Heap<'_, LowTag>) -> bool {
        let group = heap.group.as_ref().expect("a heap of a group");
        heap.old.get_mut().abroad.as_mut().is_some_and(|abroad| abroad.closes_group(group))
    }

    #[test]
    fn a_heap_goes_at_once_only_if_nobody_else_is_left() {
        let group = Group::<LowTag>::new(Config::default()).expect("good settings");
        let make = || group.make(Config::default()).expect("memory");
        let (mut heap, other) = (make(), make());
        assert!(!closes_group(&mut heap), "the group may make more heaps");
        drop(group);
        assert!(!closes_group(&mut heap), "there is another heap");
        drop(other);
        let leaf = heap.alloc(&LEAF, 0).expect("memory").finish();
        let handle = heap.root(leaf.into());
        let shared = heap.share(&handle).expect("frozen");
        assert!(!closes_group(&mut heap), "there is a handle");
        heap.import(shared.clone());
        assert!(!closes_group(&mut heap), "what is in hand is held by somebody else, too");
        drop(shared);
        assert!(closes_group(&mut heap), "what is in hand is nobody else's");
        assert!(closes_group(&mut heap), "it stays so");
    }

    #[test]
    fn the_last_heap_takes_the_orphans_along() {
        let group = Group::<LowTag>::new(Config::default()).expect("good settings");
        let make = || group.make(Config::default()).expect("memory");
        let (mut heap, mut ended) = (make(), make());
        let leaf = ended.alloc(&LEAF, 0).expect("memory").finish();
        let handle = ended.root(leaf.into());
        let shared = ended.share(&handle).expect("frozen");
        drop(ended);
        assert_eq!(group.orphans(), 1);
        let common = Arc::downgrade(&group.common);
        drop(group);
        heap.import(shared);
        assert!(closes_group(&mut heap), "an orphan asks for nothing");
        drop(heap);
        assert_eq!(common.strong_count(), 0);
    }

    thread_local! {
        /// Where the object is at which [`Unwinding`] panics.
        static PANICS_AT: Cell<Option<usize>> = const { Cell::new(None) };
    }

    /// A host that does what none may.
    struct Unwinding;

    // SAFETY: it is like `LowTag`, but unwinds. The test looks only at what must stay all the same.
    unsafe impl Host for Unwinding {
        const EMPTY: u64 = LowTag::EMPTY;

        fn address(word: u64) -> Option<usize> {
            let address = LowTag::address(word);
            assert!(address.is_none() || address != PANICS_AT.get(), "a host unwinds");
            address
        }

        fn word(address: usize, old: u64) -> u64 {
            LowTag::word(address, old)
        }
    }

    #[test]
    #[cfg_attr(any(miri, frazil_asan), ignore = "it keeps memory for ever, on purpose")]
    fn a_panic_while_orphans_are_tended_frees_nothing_that_others_hold() {
        let group = Group::<Unwinding>::new(Config::default()).expect("good settings");
        let make = || group.make(Config::default()).expect("memory");
        // An orphan of which somebody holds a leaf, and a box with another leaf.
        let leave = || -> [Shared<Unwinding>; 2] {
            let mut ended = make();
            let [held, inside] = [7, 8].map(|number| {
                let mut leaf = ended.alloc(&LEAF, 0).expect("memory");
                leaf.raw_mut()[0] = number;
                leaf.finish()
            });
            let mut outer = ended.alloc(&BOX, 0).expect("memory");
            outer.references_mut()[0] = inside.into();
            let handles = [held.into(), outer.finish().into()].map(|value| ended.root(value));
            handles.map(|handle| ended.share(&handle).expect("frozen"))
        };
        let ([held, outer], [other_held, other_outer]) = (leave(), leave());
        let heap = make();
        let box_of = heap.import(outer.clone()).object().expect("the box");
        PANICS_AT.set(LowTag::address(box_of.get(0).bits()));
        drop(heap);
        // Both boxes are given up before anybody comes by.
        let given_up = [outer, other_outer].map(|mut shared| {
            let held = Arc::get_mut(&mut shared.held).expect("no clones");
            Adjustment { object: held.give_back().expect("it is counted").address(), delta: -1 }
        });
        let exchange = &group.common.exchange;
        exchange.post(exchange.seal(given_up, owner_of), owner_of);
        assert_eq!(group.orphans(), 2);
        catch_unwind(AssertUnwindSafe(|| group.tend())).expect_err("the host unwinds");
        PANICS_AT.set(None);
        assert_eq!(group.orphans(), 1, "nobody knows what is alive of the first one; the other one is back");
        let heap = make();
        let number =
            |shared: &Shared<Unwinding>| heap.import(shared.clone()).object().map(|leaf| leaf.raw(0));
        assert_eq!([number(&held), number(&other_held)], [Some(7); 2]);
        drop(heap);
        drop([held, other_held]);
        assert_eq!(group.orphans(), 0, "the other one was tended like any");
    }
}
