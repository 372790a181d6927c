//! The invariants as code: one function for each, under the numbers of `old.rs`.
//!
//! Everything is computed afresh from roots and fields, with none of the collector's own code, and compared
//! with the side tables. It looks at the whole heap several times: it is for tests and for the checking mode.

use std::fmt;

use blocks::counts::{MEMBER, OVERFLOWN};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::exchange::{Owner, owner_of};
use crate::heap::Heap;
use crate::host::Host;
use crate::object::{First, ObjRef, Slot, side_by_side};
use crate::old::{Listeners, Old, target, targets};
use crate::shape::{COMPONENT, FINALIZABLE, MARKED, MUTABLE, SEEN};
use crate::snapshot::{ObjectKind, ObjectView, first_raw};
use crate::space::{chunk_base, chunk_of};
use crate::stats::Kind;

/// An invariant that does not hold, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which one: `I1` to `I6` of NOTES.md, `tables` for the bookkeeping beneath them, or `references` for words
    /// that lead to no object.
    pub invariant: &'static str,
    /// What was found.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.invariant, self.what)
    }
}
impl std::error::Error for Violation {}

/// One object of the heap, as [`Heap::census`] found it.
#[derive(Clone, Debug)]
pub struct LiveObject {
    /// The host's number for its shape.
    pub shape_id: u16,
    /// Its first raw word, or its first eight bytes, if it has so many.
    pub raw: Option<u64>,
    /// Bytes that it takes.
    pub bytes: usize,
    /// Where it is, and how it is kept alive.
    pub kind: ObjectKind,
    /// May it be written?
    pub mutable: bool,
    /// References from counted objects outside its component (the component's, if it belongs to one).
    pub count: u64,
    /// Reached by the last collection from a root or a traced object (for a component: any of its members).
    pub retained: bool,
    /// In the freed-object buffer.
    pub waiting: bool,
    /// The component it belongs to: members of one have the same number.
    pub component: Option<usize>,
    /// What it refers to, as indices into the census; `None` for a word that is no reference.
    pub references: Vec<Option<usize>>,
}

/// What the side tables say of one old object: how it is kept alive.
#[derive(Clone, Copy, Debug)]
pub struct Tally {
    /// The host's number for its shape.
    pub shape_id: u16,
    /// Its first raw word, or its first eight bytes, if it has so many.
    pub raw: Option<u64>,
    /// Is it counted, or else traced?
    pub counted: bool,
    /// References from counted objects outside its component (the component's, if it belongs to one).
    pub count: u64,
    /// Reached by the last collection from a root or a traced object (for a component: any of its members).
    pub retained: bool,
    /// In the freed-object buffer.
    pub waiting: bool,
    /// The component it belongs to: members of one have the same number.
    pub component: Option<usize>,
    /// If it waits: so many of its first slots hold no reference (any more).
    pub released: usize,
}

impl<'id, H: Host> Heap<'id, H> {
    /// Checks every invariant as it must hold directly after a collection. (Later the roots may have changed,
    /// and with them what should be retained.)
    ///
    /// # Errors
    /// The first one found broken.
    pub fn verify(&mut self) -> Result<(), Violation> {
        let old = self.old.borrow();
        let mut check = Check::new(self, &old);
        check.tables()?;
        check.i6_no_young_objects()?;
        check.i6_writes_are_noticed()?;
        check.i1_counted_is_closed()?;
        check.i1_traced_reaches_mutable()?;
        check.i2_counts()?;
        check.i2_clusters()?;
        check.i3_retain_bits()?;
        check.i4_components()?;
        check.i5_everything_reachable()
    }

    /// In checking mode, before a short collection: has the host reported every write? A mutable object that
    /// is still marked as seen must not refer to a young one.
    pub(crate) fn verify_touches(&self) -> Result<(), Violation> {
        let old = self.old.borrow();
        let touched = self.touched_objects();
        for object in old.space.objects() {
            let header = object.header();
            let untouched = header.has(SEEN) && !touched.contains(&object);
            if untouched
                && targets::<H>(object, header).any(|target| old.is_young(target, &self.young.nursery))
            {
                return fail("I6", format!("a write into {} was not reported", describe(&old, object)));
            }
        }
        Ok(())
    }

    /// What is on the touched list, in whole or in part.
    fn touched_objects(&self) -> FxHashSet<ObjRef> {
        self.touched.borrow().iter().map(|touch| touch.object).collect()
    }

    /// Every object of the heap: the young ones, dead or alive, then the old ones. It looks at all of the heap.
    ///
    /// # Panics
    /// As [`Heap::snapshot`].
    pub fn census(&mut self) -> Vec<LiveObject> {
        // SAFETY: whoever has a `Fresh` borrows the heap.
        unsafe { self.census_beside() }
    }

    /// The same while values are in use, for tools that show a heap between one step of its host and the next.
    ///
    /// # Panics
    /// As [`Heap::snapshot`]; or a [`Heap::burst`] is under way, and the heap is not in checking mode.
    ///
    /// # Safety
    /// No object is in the making: there is no [`Fresh`](crate::Fresh).
    pub unsafe fn census_beside(&self) -> Vec<LiveObject> {
        let snapshot = self.picture(0);
        let entry = |(object, view): (usize, &ObjectView)| LiveObject {
            shape_id: view.shape_id,
            raw: view.raw,
            bytes: view.bytes,
            kind: view.kind,
            mutable: view.mutable,
            count: view.count,
            retained: view.retained,
            waiting: view.waiting,
            component: view.component.map(|number| number as usize),
            references: snapshot.references(object).collect(),
        };
        snapshot.objects.iter().enumerate().map(entry).collect()
    }

    /// What the side tables say of every old object. It looks at all of the heap, and costs much less than
    /// [`Heap::census`].
    pub fn tallies(&mut self) -> Vec<Tally> {
        let old = self.old.borrow();
        let waiting: FxHashSet<ObjRef> = old.waiting().collect();
        let mut components = FxHashMap::default();
        for ((first, others), number) in old.components.iter().zip(0..) {
            components.insert(first, number);
            components.extend(others.iter().map(|&other| (other, number)));
        }
        let implied = old.implied_counts::<H>();
        let tally = |object: ObjRef| {
            let header = object.header();
            let counted = !object.is_traced();
            let waits = !waiting.is_empty() && waiting.contains(&old.representative(object));
            let is_word = |slot: &Slot| target::<H>(slot.get()).is_none();
            Tally {
                shape_id: header.shape_id(),
                raw: first_raw(object, header),
                counted,
                count: if counted {
                    implied.get(&object).copied().unwrap_or_else(|| old.count(object))
                } else {
                    0
                },
                retained: old.is_retained(object),
                waiting: waits,
                component: components.get(&object).copied(),
                released: if waits { object.slots::<H>(header).take_while(is_word).count() } else { 0 },
            }
        };
        old.space.objects().into_iter().map(tally).collect()
    }

    /// Everything in the nursery, and the large objects that no collection has seen: dead or alive.
    pub(crate) fn young_objects(&self, old: &Old) -> Vec<ObjRef> {
        let nursery =
            self.young.nursery.occupied().into_iter().flat_map(side_by_side).map(|(object, _)| object);
        nursery.chain(old.space.young_large.iter().copied()).collect()
    }

    fn root_slots(&self) -> Vec<Slot> {
        let mut slots: Vec<Slot> = self.stack.slots().chain(self.handles.slots()).collect();
        slots.extend(self.finalizers.borrow_mut().ready_slots());
        slots
    }
}

/// One line about an old object: its kind, count, bit, place and header.
fn describe(old: &Old, object: ObjRef) -> String {
    let kind = if object.is_traced() { 'T' } else { 'C' };
    let bit = if old.space.is_retained(object) { '+' } else { '-' };
    let count = old.count(object);
    let First::Header(header) = object.first() else {
        return format!("{kind} rc={count} r{bit} {:#x} without a header", object.address());
    };
    format!("{kind} rc={count} r{bit} {:#x} {header:?}", object.address())
}

pub(crate) fn fail<T>(invariant: &'static str, what: String) -> Result<T, Violation> {
    Err(Violation { invariant, what })
}

/// The heap as a graph of numbers, so that each invariant is a walk over arrays.
struct Check<'h, 'id, H: Host> {
    heap: &'h Heap<'id, H>,
    old: &'h Old,
    /// Every old object; its place here is its number.
    objects: Vec<ObjRef>,
    numbers: FxHashMap<ObjRef, usize>,
    /// What all objects refer to, one after the other.
    targets: Vec<usize>,
    /// Where the targets of each object end.
    ends: Vec<usize>,
    /// What the roots refer to.
    roots: Vec<usize>,
    /// Foreign objects that are referred to: by which object, or by a root.
    foreign: Vec<(Option<usize>, ObjRef)>,
    /// References to each object, or component, from counted objects outside of it.
    counts: Vec<u64>,
    /// The representative of each object's component; the object itself, if it belongs to none.
    nodes: Vec<usize>,
}

impl<'h, 'id, H: Host> Check<'h, 'id, H> {
    /// Numbers the objects. What they refer to is read by [`Check::i6_no_young_objects`].
    fn new(heap: &'h Heap<'id, H>, old: &'h Old) -> Self {
        let objects = old.space.objects();
        let mut numbers = FxHashMap::with_capacity_and_hasher(objects.len(), Default::default());
        numbers.extend(objects.iter().copied().zip(0..));
        let (targets, ends, roots, foreign, counts, nodes) = Default::default();
        Check { heap, old, objects, numbers, targets, ends, roots, foreign, counts, nodes }
    }

    fn describe(&self, object: ObjRef) -> String {
        describe(self.old, object)
    }

    /// The numbers of the objects that `number` refers to, one for each reference.
    fn targets(&self, number: usize) -> &[usize] {
        let start = if number == 0 { 0 } else { self.ends[number - 1] };
        &self.targets[start..self.ends[number]]
    }

    fn is_traced(&self, number: usize) -> bool {
        self.objects[number].is_traced()
    }

    fn counted(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.objects.len()).filter(|&number| !self.is_traced(number))
    }

    /// What can be reached from `pending`, by number, if what `goes_on` says no to is not left again.
    fn reach(&self, mut pending: Vec<usize>, goes_on: impl Fn(usize) -> bool) -> Vec<bool> {
        let mut reached = vec![false; self.objects.len()];
        pending.reserve(self.targets.len());
        while let Some(number) = pending.pop() {
            if !std::mem::replace(&mut reached[number], true) && goes_on(number) {
                pending.extend(self.targets(number).iter().filter(|&&target| !reached[target]));
            }
        }
        reached
    }

    /// The bookkeeping: starts, headers, cells and blocks, lists, overflow, the buffer, what is watched.
    fn tables(&self) -> Result<(), Violation> {
        let space = &self.old.space;
        for &object in &self.objects {
            match object.first() {
                First::Header(header) if !header.has(MARKED) => {}
                _ => return fail("tables", format!("{} has no clean header", self.describe(object))),
            }
        }
        if let Some(what) = space.contradiction(&self.objects) {
            return fail("tables", what);
        }
        let listed: FxHashSet<usize> = space.touched_blocks.iter().copied().collect();
        if listed.len() != space.touched_blocks.len() {
            return fail("tables", "a block is twice on the list of touched ones".into());
        }
        let is_in_vain = |&&block: &&usize| {
            let retain = || &chunk_of(block).retain;
            !space.chunk_bases().contains(&chunk_base(block))
                || !retain().any(space.block_index(block), space.shift())
        };
        if let Some(block) = space.touched_blocks.iter().find(is_in_vain) {
            return fail("tables", format!("block {block:#x} is on the list of touched ones without a bit"));
        }
        for &object in &self.objects {
            let block = space.block_of(object.address());
            let bit = chunk_of(block).retain.current_bit(object.granule());
            if bit && !listed.contains(&block) {
                return fail("tables", format!("{} has a bit in an unlisted block", self.describe(object)));
            }
            let overflown = object.chunk().counts.byte(object.granule()) == OVERFLOWN;
            if overflown != space.overflow.get(object.address()).is_some() {
                return fail(
                    "tables",
                    format!("{}: byte and overflow table disagree", self.describe(object)),
                );
            }
        }
        if !self.old.components.agree() || !self.old.clusters.agree() {
            return fail(
                "tables",
                "what has died is still part of a component or a cluster, or what lives of none".into(),
            );
        }
        self.buffer()?;
        self.watched()
    }

    fn buffer(&self) -> Result<(), Violation> {
        let mut seen = FxHashSet::default();
        for object in self.old.waiting() {
            if !self.numbers.contains_key(&object) || !seen.insert(object) {
                return fail("tables", format!("{:#x} is twice in the buffer, or free", object.address()));
            }
            if object.is_traced() || !self.old.is_dead(object) {
                return fail("tables", format!("{} waits, but is not dead", self.describe(object)));
            }
        }
        Ok(())
    }

    /// What is referred to weakly, or is to be told dead, is there; and of the latter the headers say so.
    fn watched(&self) -> Result<(), Violation> {
        let is_there = |object: &ObjRef| self.numbers.contains_key(object) || self.is_foreign(*object);
        if let Some(gone) = self.heap.weaks.borrow().objects().find(|object| !is_there(object)) {
            return fail(
                "tables",
                format!("a weak reference leads to {:#x}, which is not old", gone.address()),
            );
        }
        if !self.heap.weaks.borrow().agree(self.old, &self.heap.young.nursery) {
            return fail(
                "tables",
                "a weak reference is not where the death of its object would be told".into(),
            );
        }
        let finalizers = self.heap.finalizers.borrow();
        let is_told = |object: &ObjRef| is_there(object) && object.header().has(FINALIZABLE);
        if let Some(object) = finalizers.objects().find(|object| !is_told(object)) {
            return fail("tables", format!("{:#x} is registered, and not finalizable", object.address()));
        }
        if !finalizers.agree() {
            return fail("tables", "a finalizable object is looked at needlessly, or is not".into());
        }
        if finalizers.is_empty() == self.old.listeners.has(Listeners::FINALIZERS) {
            return fail("tables", "something is finalizable, and nobody looks; or nothing is".into());
        }
        Ok(())
    }

    /// I6: what old objects and roots refer to is old. All other invariants are about the graph that is read here.
    fn i6_no_young_objects(&mut self) -> Result<(), Violation> {
        self.ends.reserve(self.objects.len());
        self.targets.reserve(2 * self.objects.len());
        for (at, &object) in self.objects.iter().enumerate() {
            for target in targets::<H>(object, object.header()) {
                if self.is_foreign(target) {
                    self.foreign.push((Some(at), target));
                    continue;
                }
                let Some(&number) = self.numbers.get(&target) else {
                    let young = self.old.is_young(target, &self.heap.young.nursery);
                    let what = if young { "young" } else { "free" };
                    let target = target.address();
                    return fail("I6", format!("{} refers to {what} {target:#x}", self.describe(object)));
                };
                self.targets.push(number);
            }
            self.ends.push(self.targets.len());
        }
        for target in self.heap.root_slots().into_iter().filter_map(|slot| target::<H>(slot.get())) {
            if self.is_foreign(target) {
                self.foreign.push((None, target));
                continue;
            }
            let Some(&number) = self.numbers.get(&target) else {
                return fail("I6", format!("a root refers to {:#x}, which is not old", target.address()));
            };
            self.roots.push(number);
        }
        let node = |&object: &ObjRef| self.numbers.get(&self.old.node(object)).copied();
        match self.objects.iter().map(node).collect() {
            Some(nodes) => self.nodes = nodes,
            None => return fail("I4", "a representative is free".into()),
        }
        Ok(())
    }

    /// So that I6 can be true again after a short collection: the next write into any old mutable object is noticed.
    fn i6_writes_are_noticed(&self) -> Result<(), Violation> {
        if !self.heap.pacer.notices_writes {
            return Ok(());
        }
        let touched = self.heap.touched_objects();
        let is_overlooked = |object: &&ObjRef| {
            let header = object.header();
            header.has(MUTABLE) && !header.has(SEEN) && !touched.contains(object)
        };
        match self.objects.iter().find(is_overlooked) {
            Some(&object) => {
                fail("I6", format!("a write into {} would not be noticed", self.describe(object)))
            }
            None => Ok(()),
        }
    }

    /// I1: a counted object is immutable and refers only to counted objects.
    fn i1_counted_is_closed(&self) -> Result<(), Violation> {
        for number in self.counted() {
            let object = self.objects[number];
            if object.header().has(MUTABLE) {
                return fail("I1", format!("{} is mutable", self.describe(object)));
            }
            if let Some(&target) = self.targets(number).iter().find(|&&target| self.is_traced(target)) {
                let target = self.describe(self.objects[target]);
                return fail("I1", format!("{} refers to {target}", self.describe(object)));
            }
        }
        Ok(())
    }

    /// I1, the other way round: after a complete collection, a traced object reaches something mutable.
    fn i1_traced_reaches_mutable(&self) -> Result<(), Violation> {
        if self.heap.stats.last.kind == Kind::Short {
            return Ok(());
        }
        let traced = || (0..self.objects.len()).filter(|&number| self.is_traced(number));
        // The referrers of each object as a list: its latest edge, and of each edge the source and the edge before.
        let mut latest = vec![None; self.objects.len()];
        let mut edges: Vec<(usize, Option<usize>)> = Vec::with_capacity(self.targets.len());
        for number in traced() {
            for &target in self.targets(number) {
                let before = latest[target].replace(edges.len());
                edges.push((number, before));
            }
        }
        let mut reaching = vec![false; self.objects.len()];
        let is_mutable = |&number: &usize| self.objects[number].header().has(MUTABLE);
        let mut pending: Vec<usize> = traced().filter(is_mutable).collect();
        while let Some(number) = pending.pop() {
            if !std::mem::replace(&mut reaching[number], true) {
                let mut edge = latest[number];
                while let Some((source, before)) = edge.map(|edge| edges[edge]) {
                    pending.push(source);
                    edge = before;
                }
            }
        }
        match traced().find(|&number| !reaching[number]) {
            Some(number) => {
                fail("I1", format!("{} reaches nothing mutable", self.describe(self.objects[number])))
            }
            None => Ok(()),
        }
    }

    /// Is it another heap's object?
    fn is_foreign(&self, object: ObjRef) -> bool {
        self.old.space.abroad
            && !self.old.is_young(object, &self.heap.young.nursery)
            && !self.old.space.is_own(object.address())
    }

    /// I2: every count, recounted. What other heaps hold, they alone know: it can only be bounded here.
    fn i2_counts(&mut self) -> Result<(), Violation> {
        let mut counts = vec![0; self.objects.len()];
        for number in self.counted() {
            for &target in self.targets(number) {
                if self.nodes[target] != self.nodes[number] {
                    counts[self.nodes[target]] += 1;
                }
            }
        }
        for (&object, &expected) in self.objects.iter().zip(&counts) {
            let byte = object.chunk().counts.byte(object.granule());
            let shared = self.old.abroad.is_some() && !object.is_traced();
            let is_right = match self.old.count(object) {
                count if shared => count >= expected,
                count => count == expected,
            };
            if byte != MEMBER && !is_right {
                return fail("I2", format!("{} has {expected} counted references", self.describe(object)));
            }
        }
        self.counts = counts;
        Ok(())
    }

    /// I2, for clusters, of which only the head has a count: nothing outside refers to the inside, no bit is set there, and
    /// all of it can be reached from the head.
    fn i2_clusters(&self) -> Result<(), Violation> {
        let clusters = &self.old.clusters;
        if clusters.is_empty() {
            return Ok(());
        }
        let head = |number: usize| clusters.head_of(self.objects[number]).map(|head| self.numbers[&head]);
        let heads: Vec<Option<usize>> = (0..self.objects.len()).map(head).collect();
        let inside = |number: usize| heads[number].is_some_and(|head| head != number);
        let from_outside = |from: Option<usize>, to: usize| {
            let is_wrong = inside(to) && from.is_none_or(|from| heads[from] != heads[to]);
            is_wrong.then_some(to)
        };
        let numbers = || 0..self.objects.len();
        let referred =
            numbers().find_map(|from| self.targets(from).iter().find_map(|&to| from_outside(Some(from), to)));
        let wrong = referred.or_else(|| self.roots.iter().find_map(|&root| from_outside(None, root)));
        if let Some(number) = wrong {
            let object = self.describe(self.objects[number]);
            return fail("I2", format!("{object} is inside a cluster, and referred to from outside"));
        }
        self.i2_outside(&heads)?;
        let from_heads = clusters.iter().map(|(head, _)| self.numbers[&head]).collect();
        let reached = self.reach(from_heads, |number| heads[number].is_some());
        for number in numbers().filter(|&number| heads[number].is_some()) {
            let object = self.objects[number];
            let byte = object.chunk().counts.byte(object.granule());
            let fits = if inside(number) {
                byte == MEMBER && !self.old.space.is_retained(object)
            } else {
                byte != MEMBER && object.header().has(COMPONENT)
            };
            if !fits || !reached[number] || object.header().has(FINALIZABLE) || object.is_traced() {
                return fail("I2", format!("{} does not fit into its cluster", self.describe(object)));
            }
        }
        Ok(())
    }

    /// I2, for what a cluster has written down: how many objects it has, and each reference that leads out of it. `heads` is
    /// the head of the cluster that each object belongs to.
    fn i2_outside(&self, heads: &[Option<usize>]) -> Result<(), Violation> {
        let mut found: FxHashMap<usize, (usize, Vec<ObjRef>)> = FxHashMap::default();
        for (number, head) in heads.iter().enumerate().filter_map(|(number, head)| Some((number, (*head)?))) {
            let (objects, outside) = found.entry(head).or_default();
            *objects += 1;
            let leaving = self.targets(number).iter().filter(|&&target| heads[target] != Some(head));
            outside.extend(leaving.map(|&target| self.objects[target]));
        }
        for (head, cluster) in self.old.clusters.iter() {
            let (objects, mut outside) = found.remove(&self.numbers[&head]).unwrap_or_default();
            let mut written = cluster.outside().to_vec();
            outside.sort_unstable();
            written.sort_unstable();
            if objects != cluster.objects() || outside != written {
                return fail("I2", format!("{} is the head of something else", self.describe(head)));
            }
        }
        Ok(())
    }

    /// I3: a bit where, and (after a complete collection) only where a root or a traced object refers to.
    fn i3_retain_bits(&self) -> Result<(), Violation> {
        let mut expected = self.reach(self.roots.clone(), |number| self.is_traced(number));
        for number in 0..expected.len() {
            expected[self.nodes[number]] |= expected[number];
        }
        let exact = self.heap.stats.last.kind == Kind::Complete && self.old.candidates == 0;
        self.i3_foreign_bits(&expected)?;
        for (&object, should) in self.objects.iter().zip(expected) {
            let is = self.old.space.is_retained(object);
            if should && !is {
                return fail("I3", format!("{} was reached and has no bit", self.describe(object)));
            }
            if exact && is && !should {
                return fail("I3", format!("{} has a bit and was not reached", self.describe(object)));
            }
        }
        Ok(())
    }

    /// I3, for the objects of other heaps that were reached.
    fn i3_foreign_bits(&self, reached: &[bool]) -> Result<(), Violation> {
        let Some(abroad) = &self.old.abroad else { return Ok(()) };
        let from_here = |from: Option<usize>| from.is_none_or(|from| reached[from] && self.is_traced(from));
        let is_counted = |object: &ObjRef| owner_of(object.address()) != Owner::IMMORTAL;
        let weaks = self.heap.weaks.borrow();
        let weak = weaks.objects().filter(|&object| self.is_foreign(object));
        let referred = self.foreign.iter().filter(|(from, _)| from_here(*from)).map(|&(_, object)| object);
        let expected: FxHashSet<ObjRef> = referred.chain(weak).filter(is_counted).collect();
        let bits: FxHashSet<usize> = abroad.retained().collect();
        if let Some(object) = expected.iter().find(|object| !bits.contains(&object.address())) {
            return fail("I3", format!("foreign {:#x} was reached and has no bit", object.address()));
        }
        let exact = self.heap.stats.last.kind == Kind::Complete;
        if exact && bits.len() > expected.len() {
            return fail(
                "I3",
                format!("{} foreign objects more have a bit than were reached", bits.len() - expected.len()),
            );
        }
        Ok(())
    }

    /// I4: components are consistent, and between them counted objects form no cycle.
    fn i4_components(&self) -> Result<(), Violation> {
        if let Some((first, _)) =
            self.old.components.iter().find(|(first, _)| !self.numbers.contains_key(first))
        {
            return fail("I4", format!("{:#x} represents a component, and is free", first.address()));
        }
        let mut members: Vec<(usize, usize)> = Vec::new();
        for (number, &object) in self.objects.iter().enumerate() {
            let flag = object.header().has(COMPONENT);
            let known = self.old.representative(object) != object || self.old.components.has(object);
            // (The flag stays with the head of a cluster that was dissolved.)
            if (known && !flag) || (flag && object.is_traced()) {
                return fail("I4", format!("{}: is it part of a component?", self.describe(object)));
            }
            members.extend((self.nodes[number] != number).then_some((self.nodes[number], number)));
        }
        members.sort_unstable();
        // Take away, again and again, what no other counted node refers to. A cycle would remain.
        let is_node = |&number: &usize| self.nodes[number] == number;
        let mut left = self.counts.clone();
        let mut taken = 0;
        let mut pending: Vec<usize> =
            self.counted().filter(is_node).filter(|&number| left[number] == 0).collect();
        while let Some(node) = pending.pop() {
            taken += 1;
            let first = members.partition_point(|&(of, _)| of < node);
            let others =
                members[first..].iter().take_while(|&&(of, _)| of == node).map(|&(_, member)| member);
            for member in std::iter::once(node).chain(others) {
                for to in self.targets(member).iter().map(|&target| self.nodes[target]) {
                    if to != node {
                        left[to] -= 1;
                        pending.extend((left[to] == 0).then_some(to));
                    }
                }
            }
        }
        if self.counted().filter(is_node).count() == taken {
            return Ok(());
        }
        let left = self.counted().filter(is_node).find(|&number| left[number] > 0);
        let object = left.map_or_else(String::new, |number| self.describe(self.objects[number]));
        fail("I4", format!("{object} is on a cycle of counted objects"))
    }

    /// I5: after a complete collection everything old is reachable, or held by what waits in the buffer.
    fn i5_everything_reachable(&self) -> Result<(), Violation> {
        if self.heap.stats.last.kind == Kind::Short {
            return Ok(());
        }
        if self.old.candidates > 0 {
            // Others have given something up since the last collection.
            return Ok(());
        }
        let mut pending = self.roots.clone();
        let held_by_others = |&number: &usize| {
            !self.is_traced(number) && self.old.count(self.objects[number]) > self.counts[self.nodes[number]]
        };
        pending.extend((0..self.objects.len()).filter(held_by_others));
        let waits: FxHashSet<usize> = self.old.waiting().map(|object| self.numbers[&object]).collect();
        if !waits.is_empty() {
            pending.extend((0..self.objects.len()).filter(|&number| waits.contains(&self.nodes[number])));
        }
        let reached = self.reach(pending, |_| true);
        match reached.iter().position(|reached| !reached) {
            Some(number) => fail("I5", format!("{} is unreachable", self.describe(self.objects[number]))),
            None => Ok(()),
        }
    }
}
