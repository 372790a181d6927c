//! The invariants as code: one function for each, under the numbers of `old.rs`.
//!
//! Everything is computed afresh from roots and fields, with none of the collector's own code, and compared
//! with the side tables. It looks at the whole heap several times: it is for tests and for the checking mode.

use std::collections::{HashMap, HashSet};
use std::fmt;

use blocks::counts::{MEMBER, OVERFLOWN};
use blocks::table::Listed;

use crate::heap::Heap;
use crate::object::{First, ObjRef, Slot, cell_bytes};
use crate::old::{Old, target, targets};
use crate::shape::{BYTES, COMPONENT, Header, MARKED, MUTABLE, SEEN};
use crate::space::chunk_of;
use crate::stats::Kind;
use crate::value::Host;

/// An invariant that does not hold, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which one: `I1` to `I6` of NOTES.md, or `tables` for the bookkeeping beneath them.
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

/// What an object of the census is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectKind {
    /// In the nursery, or large and not yet seen by a collection. It may be dead.
    Young,
    /// Old and counted.
    Counted,
    /// Old and traced.
    Traced,
}

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

impl<'id, H: Host> Heap<'id, H> {
    /// Checks every invariant as it must hold directly after a collection. (Later the roots may have changed,
    /// and with them what should be retained.)
    ///
    /// # Errors
    /// The first one found broken.
    pub fn verify(&self) -> Result<(), Violation> {
        let old = self.old.borrow();
        let check = Check::new(self, &old);
        check.tables()?;
        check.i6_no_young_objects()?;
        check.i1_counted_is_closed()?;
        check.i1_traced_reaches_mutable()?;
        check.i2_counts()?;
        check.i3_retain_bits()?;
        check.i4_components()?;
        check.i5_everything_reachable()
    }

    /// In checking mode, before a short collection: has the host reported every write? A mutable object that
    /// is still marked as seen must not refer to a young one.
    pub(crate) fn verify_touches(&self) -> Result<(), Violation> {
        let old = self.old.borrow();
        let touched: HashSet<ObjRef> = self.touched.borrow().iter().map(|touch| touch.object).collect();
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

    /// Every object of the heap: the young ones, dead or alive, then the old ones. It looks at all of the heap.
    pub fn census(&self) -> Vec<LiveObject> {
        let old = self.old.borrow();
        let mut objects = self.young_objects(&old);
        objects.extend(old.space.objects());
        let index: HashMap<ObjRef, usize> = objects.iter().copied().zip(0..).collect();
        let waiting: HashSet<ObjRef> = old.waiting().collect();
        let components: HashMap<ObjRef, usize> = old
            .components
            .iter()
            .zip(0..)
            .flat_map(|((first, others), number)| {
                std::iter::once(first).chain(others.iter().copied()).map(move |object| (object, number))
            })
            .collect();
        let entry = |&object: &ObjRef| {
            let header = object.header();
            let young = old.is_young(object, &self.young.nursery);
            let kind = match (young, !young && object.is_traced()) {
                (true, _) => ObjectKind::Young,
                (_, true) => ObjectKind::Traced,
                _ => ObjectKind::Counted,
            };
            LiveObject {
                shape_id: header.shape_id(),
                raw: first_raw(object, header),
                bytes: cell_bytes(header),
                kind,
                mutable: header.has(MUTABLE),
                count: if kind == ObjectKind::Counted { old.count(object) } else { 0 },
                retained: !young && old.is_retained(object),
                waiting: !young && waiting.contains(&old.representative(object)),
                component: components.get(&object).copied(),
                references: object
                    .slots(header)
                    .map(|slot| target::<H>(slot.get()).and_then(|target| index.get(&target).copied()))
                    .collect(),
            }
        };
        objects.iter().map(entry).collect()
    }

    /// The young objects, dead or alive: those in the nursery in the order of their birth, then large ones.
    pub(crate) fn young_objects(&self, old: &Old) -> Vec<ObjRef> {
        let mut objects = Vec::new();
        for range in self.young.nursery.occupied() {
            let mut address = range.start;
            while address < range.end {
                // SAFETY: objects lie side by side in the nursery, from its base to its top.
                let object = unsafe { ObjRef::new(address) };
                objects.push(object);
                address += object.bytes();
            }
        }
        objects.extend(&old.space.young_large);
        objects
    }

    fn root_slots(&self) -> Vec<Slot> {
        let mut slots: Vec<Slot> = self.stack.slots().chain(self.handles.slots()).collect();
        slots.extend(self.finalizers.borrow_mut().ready_slots());
        slots
    }
}

/// The first raw word, or the first eight bytes.
fn first_raw(object: ObjRef, header: Header) -> Option<u64> {
    if header.has(BYTES) {
        let (offset, len) = header.bytes();
        (len >= 8).then(|| object.raw(offset / 8 - 1))
    } else {
        (header.raw_words() > 0).then(|| object.raw(0))
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

fn fail<T>(invariant: &'static str, what: String) -> Result<T, Violation> {
    Err(Violation { invariant, what })
}

/// The heap, with what several invariants need.
struct Check<'h, 'id, H: Host> {
    heap: &'h Heap<'id, H>,
    old: &'h Old,
    objects: Vec<ObjRef>,
    live: HashSet<ObjRef>,
}

impl<'h, 'id, H: Host> Check<'h, 'id, H> {
    fn new(heap: &'h Heap<'id, H>, old: &'h Old) -> Self {
        let objects = old.space.objects();
        let live = objects.iter().copied().collect();
        Check { heap, old, objects, live }
    }

    fn describe(&self, object: ObjRef) -> String {
        describe(self.old, object)
    }

    /// The bookkeeping: starts, headers, live cells, lists, overflow, the buffer.
    fn tables(&self) -> Result<(), Violation> {
        let space = &self.old.space;
        for &object in &self.objects {
            match object.first() {
                First::Header(header) if !header.has(MARKED) => {}
                _ => return fail("tables", format!("{} has no clean header", self.describe(object))),
            }
        }
        if space.objects != self.objects.len() {
            return fail("tables", format!("{} objects, but {} counted", self.objects.len(), space.objects));
        }
        for (block, state) in space.cell_blocks() {
            let cells = space.count_cells(block);
            if state.listed() != Listed::Filling && state.live.get() as usize != cells {
                return fail("tables", format!("block {block:#x}: {cells} cells, says {}", state.live.get()));
            }
        }
        let listed: HashSet<usize> = space.touched_blocks.iter().copied().collect();
        if listed.len() != space.touched_blocks.len() {
            return fail("tables", "a block is twice on the list of touched ones".into());
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
        self.buffer()
    }

    fn buffer(&self) -> Result<(), Violation> {
        let mut seen = HashSet::new();
        for object in self.old.waiting() {
            if !self.live.contains(&object) || !seen.insert(object) {
                return fail("tables", format!("{:#x} is twice in the buffer, or free", object.address()));
            }
            if object.is_traced() || !self.old.is_dead(object) {
                return fail("tables", format!("{} waits, but is not dead", self.describe(object)));
            }
        }
        Ok(())
    }

    /// I6: what old objects and roots refer to is old.
    fn i6_no_young_objects(&self) -> Result<(), Violation> {
        for &object in &self.objects {
            for slot in object.slots(object.header()) {
                if let Some(target) = target::<H>(slot.get())
                    && !self.live.contains(&target)
                {
                    let what =
                        if self.old.is_young(target, &self.heap.young.nursery) { "young" } else { "free" };
                    return fail(
                        "I6",
                        format!("{} refers to {what} {:#x}", self.describe(object), target.address()),
                    );
                }
            }
        }
        for slot in self.heap.root_slots() {
            if let Some(target) = target::<H>(slot.get())
                && !self.live.contains(&target)
            {
                return fail("I6", format!("a root refers to {:#x}, which is not old", target.address()));
            }
        }
        Ok(())
    }

    /// I1: a counted object is immutable and refers only to counted objects.
    fn i1_counted_is_closed(&self) -> Result<(), Violation> {
        for &object in self.objects.iter().filter(|object| !object.is_traced()) {
            let header = object.header();
            if header.has(MUTABLE) {
                return fail("I1", format!("{} is mutable", self.describe(object)));
            }
            if let Some(target) = targets::<H>(object, header).find(|target| target.is_traced()) {
                return fail("I1", format!("{} refers to {}", self.describe(object), self.describe(target)));
            }
        }
        Ok(())
    }

    /// I1, the other way round: after a complete collection, a traced object reaches something mutable.
    fn i1_traced_reaches_mutable(&self) -> Result<(), Violation> {
        if self.heap.stats.last.kind == Kind::Short {
            return Ok(());
        }
        let traced = || self.objects.iter().copied().filter(|object| object.is_traced());
        let mut referrers: HashMap<ObjRef, Vec<ObjRef>> = HashMap::new();
        for object in traced() {
            for target in targets::<H>(object, object.header()) {
                referrers.entry(target).or_default().push(object);
            }
        }
        let mut reaching: HashSet<ObjRef> = HashSet::new();
        let mut pending: Vec<ObjRef> = traced().filter(|object| object.header().has(MUTABLE)).collect();
        while let Some(object) = pending.pop() {
            if reaching.insert(object) {
                pending.extend(referrers.get(&object).into_iter().flatten());
            }
        }
        match traced().find(|object| !reaching.contains(object)) {
            Some(object) => fail("I1", format!("{} reaches nothing mutable", self.describe(object))),
            None => Ok(()),
        }
    }

    /// I2: every count, recounted.
    fn i2_counts(&self) -> Result<(), Violation> {
        let mut counts: HashMap<ObjRef, u64> = HashMap::new();
        for &object in self.objects.iter().filter(|object| !object.is_traced()) {
            let from = self.old.representative(object);
            for target in targets::<H>(object, object.header()) {
                let to = self.old.representative(target);
                if to != from {
                    *counts.entry(to).or_default() += 1;
                }
            }
        }
        for &object in &self.objects {
            let byte = object.chunk().counts.byte(object.granule());
            let expected = counts.get(&object).copied().unwrap_or(0);
            if byte != MEMBER && self.old.count(object) != expected {
                return fail("I2", format!("{} has {expected} counted references", self.describe(object)));
            }
        }
        Ok(())
    }

    /// I3: a bit where, and (after a complete collection) only where a root or a traced object refers to.
    fn i3_retain_bits(&self) -> Result<(), Violation> {
        let mut expected: HashSet<ObjRef> = HashSet::new();
        let mut pending: Vec<ObjRef> = Vec::new();
        let mut reach = |word: u64, pending: &mut Vec<ObjRef>| {
            if let Some(object) = target::<H>(word)
                && expected.insert(object)
            {
                expected.insert(self.old.representative(object));
                pending.extend(object.is_traced().then_some(object));
            }
        };
        for slot in self.heap.root_slots() {
            reach(slot.get(), &mut pending);
        }
        while let Some(object) = pending.pop() {
            for slot in object.slots(object.header()) {
                reach(slot.get(), &mut pending);
            }
        }
        let exact = self.heap.stats.last.kind == Kind::Complete;
        for &object in &self.objects {
            let (is, should) = (self.old.space.is_retained(object), expected.contains(&object));
            if should && !is {
                return fail("I3", format!("{} was reached and has no bit", self.describe(object)));
            }
            if exact && is && !should {
                return fail("I3", format!("{} has a bit and was not reached", self.describe(object)));
            }
        }
        Ok(())
    }

    /// I4: components are consistent, and between them counted objects form no cycle.
    fn i4_components(&self) -> Result<(), Violation> {
        for &object in &self.objects {
            let (flag, byte) = (object.header().has(COMPONENT), object.chunk().counts.byte(object.granule()));
            let known = byte == MEMBER || self.old.members(object).is_some();
            if flag != known || (flag && object.is_traced()) {
                return fail("I4", format!("{}: is it part of a component?", self.describe(object)));
            }
        }
        // Take away, again and again, what no other counted node refers to. A cycle would remain.
        let counted = || self.objects.iter().copied().filter(|object| !object.is_traced());
        let mut left: HashMap<ObjRef, u64> = counted()
            .filter(|&object| self.old.representative(object) == object)
            .map(|object| (object, self.old.count(object)))
            .collect();
        let mut pending: Vec<ObjRef> =
            left.iter().filter(|(_, count)| **count == 0).map(|(&object, _)| object).collect();
        while let Some(node) = pending.pop() {
            left.remove(&node);
            for member in self.old.members(node).unwrap_or_else(|| vec![node]) {
                for target in targets::<H>(member, member.header()) {
                    let to = self.old.representative(target);
                    if to != node
                        && let Some(count) = left.get_mut(&to)
                    {
                        *count -= 1;
                        pending.extend((*count == 0).then_some(to));
                    }
                }
            }
        }
        match left.keys().next() {
            Some(&object) => {
                fail("I4", format!("{} is on a cycle of counted objects", self.describe(object)))
            }
            None => Ok(()),
        }
    }

    /// I5: after a complete collection everything old is reachable, or held by what waits in the buffer.
    fn i5_everything_reachable(&self) -> Result<(), Violation> {
        if self.heap.stats.last.kind == Kind::Short {
            return Ok(());
        }
        let roots = self.heap.root_slots().into_iter().filter_map(|slot| target::<H>(slot.get()));
        let mut pending: Vec<ObjRef> = roots.chain(self.old.waiting()).collect();
        pending
            .extend(self.old.buffer.iter().flat_map(|&object| self.old.members(object).unwrap_or_default()));
        let mut reached: HashSet<ObjRef> = HashSet::new();
        while let Some(object) = pending.pop() {
            if reached.insert(object) {
                pending.extend(targets::<H>(object, object.header()));
            }
        }
        match self.objects.iter().find(|object| !reached.contains(object)) {
            Some(&object) => fail("I5", format!("{} is unreachable", self.describe(object))),
            None => Ok(()),
        }
    }
}
