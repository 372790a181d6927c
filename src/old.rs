//! The old generation: its memory, the counts and retain bits of its objects, its frozen components, and the
//! objects that wait to be freed.
//!
//! # The invariants
//!
//! At the end of every collection (the numbers are those of `verify.rs`):
//!
//! * **I1** A counted object refers only to counted objects. So the counted part of the heap is closed. After a
//!   complete collection a traced object reaches something mutable.
//! * **I2** The count of a counted object is the number of references to it from counted objects outside its
//!   own component, plus what other heaps hold (`exchange/abroad.rs`). References from traced objects and roots
//!   never count. The count of a traced object is 0. Inside a cluster (`clusters.rs`) no count is kept.
//! * **I3** The retain bit of an object is set exactly if the last complete collection, or a short one since,
//!   reached it from a root or from a traced object. For a traced object that is its mark bit.
//! * **I4** A component is one node: its representative has the bit and the count for all members.
//!   Between nodes, counted objects form no cycle.
//!   A cluster is a node, too: nothing outside refers to a member but its head.
//! * **I5** Every old object was reachable when it was promoted, and is reachable at the end of a complete
//!   collection, or waits in the freed-object buffer, or is held by something that does or by another heap.
//! * **I6** No old object refers to a young one when a collection ends, and afterwards only mutable ones can: those on
//!   the touched list, unless the next collection will be complete.

use blocks::counts::{MEMBER, OVERFLOWN};
use nursery::Nursery;
use rustc_hash::FxHashMap;

use crate::clusters::Clusters;
use crate::exchange::Abroad;
use crate::host::Host;
use crate::object::ObjRef;
use crate::shape::{COMPONENT, FINALIZABLE, Header};
use crate::space::Space;
use crate::tuning::Config;
use crate::{Fault, Slot};

/// Frozen cycles that were settled as one. Empty in most programs.
#[derive(Debug, Default)]
pub(crate) struct Components {
    /// From a representative to the other members (none for an object that refers to itself).
    members: FxHashMap<ObjRef, Box<[ObjRef]>>,
    /// From a member to its representative.
    representative: FxHashMap<ObjRef, ObjRef>,
}

impl Components {
    /// Does `object` represent a component?
    pub fn has(&self, object: ObjRef) -> bool {
        self.members.contains_key(&object)
    }

    /// Takes over all components of another heap.
    pub fn absorb(&mut self, other: Components) {
        self.members.extend(other.members);
        self.representative.extend(other.representative);
    }

    /// Does every member know its representative, and is nothing known of others? For checking.
    pub fn agree(&self) -> bool {
        let others =
            || self.members.iter().flat_map(|(first, others)| others.iter().map(move |other| (other, first)));
        others().count() == self.representative.len()
            && others().all(|(other, first)| self.representative.get(other) == Some(first))
    }

    /// The representatives and their members.
    pub fn iter(&self) -> impl Iterator<Item = (ObjRef, &[ObjRef])> {
        self.members.iter().map(|(&first, others)| (first, &**others))
    }
}

/// Who may have to hear of the death of a counted object. One word, so that a death which nobody has to hear of costs one look.
#[derive(Clone, Copy, Default)]
pub(crate) struct Listeners(u8);

impl Listeners {
    /// Some object is finalizable.
    pub const FINALIZERS: u8 = 1;
    /// Some weak reference is parked at a node (`weak.rs`), whose bit says so.
    pub const WEAK: u8 = 2;

    #[inline(always)]
    pub fn any(self) -> bool {
        self.0 != 0
    }

    pub fn has(self, listener: u8) -> bool {
        self.0 & listener != 0
    }

    pub fn set(&mut self, listener: u8, there: bool) {
        self.0 = if there { self.0 | listener } else { self.0 & !listener };
    }
}

/// See the module's head.
pub(crate) struct Old {
    pub space: Space,
    pub components: Components,
    pub clusters: Clusters,
    /// Objects of clusters that were dissolved since the last collection ended.
    pub dissolved: usize,
    /// Changes of counts, posted by other heaps, that were applied since then.
    pub received: usize,
    /// Counted objects that are dead: their count is zero and their bit clear. Their references still count.
    pub buffer: Vec<ObjRef>,
    /// A large object out of the buffer that is being released a part at a time: its references before the
    /// number have been counted down, and are empty now.
    pub partly: Option<(ObjRef, usize)>,
    /// Who may have to hear of a death.
    pub listeners: Listeners,
    /// Nodes that died, or came apart, and had that bit. Empty between collections, but for what the mutator took apart.
    pub unparked: Vec<ObjRef>,
    /// Finalizable counted objects that died and were retained instead. Empty between collections.
    pub revived: Vec<ObjRef>,
    /// How many objects have got a retain bit since the last complete collection began, for the next one to judge,
    /// although perhaps nothing has reached them.
    pub candidates: usize,
    /// What there is to know of other heaps' objects, if this one belongs to a group.
    pub abroad: Option<Box<Abroad>>,
    count_max: u8,
}

impl Old {
    pub fn new(space: Space, config: &Config) -> Old {
        Old {
            space,
            components: Components::default(),
            clusters: Clusters::new(config),
            dissolved: 0,
            received: 0,
            buffer: Vec::new(),
            partly: None,
            listeners: Listeners::default(),
            unparked: Vec::new(),
            revived: Vec::new(),
            candidates: 0,
            abroad: None,
            count_max: config.count_max,
        }
    }

    /// Is the object young: in the nursery, or large and not yet seen by a collection?
    #[inline]
    pub fn is_young(&self, object: ObjRef, nursery: &Nursery) -> bool {
        nursery.contains(object.address()) || self.space.is_young_large(object.address())
    }

    /// Is the object young or traced? Everything else is counted, here or elsewhere.
    #[inline]
    pub fn is_open(&self, object: ObjRef, nursery: &Nursery) -> bool {
        self.is_young(object, nursery) || (self.space.is_own(object.address()) && object.is_traced())
    }

    /// Is anybody else's thread kept from reading this object's header now?
    pub fn assert_private(&self, object: ObjRef, nursery: &Nursery) {
        assert!(
            self.abroad.is_none() || self.is_open(object, nursery),
            "the object may be shared already: it has to be registered before"
        );
    }

    /// The object that has the count and the bit for `object`: itself, unless it is a member of a component. (Inside a
    /// cluster, an object has no bit, and its byte says that its count is not kept.)
    #[inline]
    pub fn representative(&self, object: ObjRef) -> ObjRef {
        if object.chunk().counts.byte(object.granule()) != MEMBER {
            return object;
        }
        self.components.representative.get(&object).copied().unwrap_or(object)
    }

    /// The object with whose count `object` lives and dies: the representative of its component, the head of its cluster,
    /// or itself.
    pub fn node(&self, object: ObjRef) -> ObjRef {
        let object = self.representative(object);
        if object.chunk().counts.byte(object.granule()) != MEMBER {
            return object;
        }
        self.clusters.head_of(object).expect("a member belongs to a component or a cluster")
    }

    /// Most heaps have no components and no clusters: where an object is retained, its count need not be looked at.
    #[inline]
    pub fn has_members(&self) -> bool {
        !self.components.representative.is_empty() || !self.clusters.is_empty()
    }

    /// Sets the retain bit of an old object, and of its representative. Says whether it is a traced object
    /// reached for the first time.
    #[inline]
    pub fn retain<H: Host>(&mut self, object: ObjRef) -> bool {
        if !self.space.retain(object) {
            return false;
        }
        if object.is_traced() {
            return true;
        }
        if self.has_members() && object.chunk().counts.byte(object.granule()) == MEMBER {
            self.retain_member::<H>(object);
        }
        false
    }

    #[cold]
    fn retain_member<H: Host>(&mut self, member: ObjRef) {
        let representative = self.representative(member);
        if representative == member {
            self.dissolve_around::<H>(member);
        } else {
            self.space.retain(representative);
        }
    }

    /// Is this counted object retained, by itself or as part of its component?
    #[inline]
    pub fn is_retained(&self, object: ObjRef) -> bool {
        self.space.is_retained(self.representative(object))
    }

    /// The count of `object`, exactly; inside a cluster, that of its head.
    pub fn count(&self, object: ObjRef) -> u64 {
        let object = self.node(object);
        match object.chunk().counts.byte(object.granule()) {
            OVERFLOWN => self.space.overflow.get(object.address()).unwrap_or(0),
            count => count.into(),
        }
    }

    /// One more counted object refers to `object`.
    #[inline]
    pub fn increment<H: Host>(&mut self, object: ObjRef) {
        if !object.chunk().counts.increment(object.granule(), self.count_max) {
            self.increment_elsewhere::<H>(object);
        }
    }

    #[cold]
    fn increment_elsewhere<H: Host>(&mut self, object: ObjRef) {
        let object = self.representative(object);
        let (counts, granule) = (&object.chunk().counts, object.granule());
        if counts.byte(granule) == MEMBER {
            self.dissolve_around::<H>(object);
        }
        if counts.increment(granule, self.count_max) {
            return;
        }
        let overflow = &mut self.space.overflow;
        if counts.byte(granule) == OVERFLOWN {
            overflow.increment(object.address());
        } else {
            let lost = u64::from(H::commits(Fault::LostOverflow));
            overflow.insert(object.address(), u64::from(counts.byte(granule)) + 1 - lost);
            counts.set(granule, OVERFLOWN);
        }
    }

    /// One counted object less refers to `object`, which joins the buffer if that was the last and no root or
    /// traced object retains it.
    #[inline(always)]
    pub fn decrement(&mut self, object: ObjRef) {
        let (object, left) = self.lower(object);
        if left == 0 && !self.space.is_retained(object) {
            self.die(object);
        }
    }

    /// Takes one off the count for `object`. Says who has that count, and whether it is 0 now.
    #[inline(always)]
    pub fn lower(&mut self, object: ObjRef) -> (ObjRef, u8) {
        match object.chunk().counts.decrement(object.granule()) {
            Some(left) => (object, left),
            None => self.lower_elsewhere(object),
        }
    }

    #[cold]
    fn lower_elsewhere(&mut self, object: ObjRef) -> (ObjRef, u8) {
        let object = self.representative(object);
        let left = match object.chunk().counts.decrement(object.granule()) {
            Some(left) => left,
            None => self.decrement_overflown(object),
        };
        (object, left)
    }

    /// One counted object less refers to `object`, which may be another owner's.
    pub fn decrement_anywhere(&mut self, object: ObjRef) {
        if self.space.is_own(object.address()) {
            self.decrement(object);
        } else {
            self.change_foreign(object, -1);
        }
    }

    /// Is `object` part of the component that `representative` stands for, or itself that?
    pub fn is_in(&self, object: ObjRef, representative: ObjRef) -> bool {
        self.space.is_own(object.address()) && self.representative(object) == representative
    }

    /// A counted object, or the representative of a component, that nobody counts or retains joins the buffer,
    /// from which there is no return. If it is finalizable, or a member of its component is, it is retained
    /// once more instead.
    #[inline]
    pub fn die(&mut self, object: ObjRef) {
        if !(self.listeners.any() && self.tell(object)) {
            object.prefetch();
            self.buffer.push(object);
        }
    }

    /// Tells whoever waits for the death of `object`. Says whether it lives on for that.
    #[cold]
    fn tell(&mut self, object: ObjRef) -> bool {
        self.unpark(object);
        self.listeners.has(Listeners::FINALIZERS) && self.revive(object)
    }

    /// What is parked at this node, if anything is, has to be looked at again.
    pub fn unpark(&mut self, node: ObjRef) {
        if self.listeners.has(Listeners::WEAK) && node.is_awaited() {
            node.set_awaited(false);
            self.unparked.push(node);
        }
    }

    /// Nothing is parked at this node any more, nor anywhere if it was the last.
    pub fn forget_parked(&mut self, node: ObjRef, is_last: bool) {
        node.set_awaited(false);
        if is_last {
            self.listeners.set(Listeners::WEAK, false);
        }
    }

    fn revive(&mut self, object: ObjRef) -> bool {
        let mut members = self.members(object).unwrap_or_else(|| vec![object]);
        members.retain(|member| member.header().has(FINALIZABLE));
        for &member in &members {
            self.space.retain(member);
            self.space.retain(object);
        }
        self.revived.extend(&members);
        !members.is_empty()
    }

    #[cold]
    fn decrement_overflown(&mut self, object: ObjRef) -> u8 {
        match self.space.overflow.decrement(object.address(), self.count_max) {
            Some(left) => {
                object.chunk().counts.set(object.granule(), left);
                left
            }
            None => u8::MAX,
        }
    }

    /// Makes one component of `members`, of which the first is the representative.
    pub fn join(&mut self, members: &[ObjRef]) {
        let (&first, others) = members.split_first().expect("a component has a member");
        for &member in members {
            member.set_flags(COMPONENT);
        }
        for &other in others {
            other.chunk().counts.set(other.granule(), MEMBER);
            self.components.representative.insert(other, first);
        }
        self.components.members.insert(first, others.into());
    }

    /// All members of the component that `first` represents, itself included, if it represents one.
    pub fn members(&self, first: ObjRef) -> Option<Vec<ObjRef>> {
        let others = self.components.members.get(&first)?;
        Some(std::iter::once(first).chain(others.iter().copied()).collect())
    }

    /// Ends the component that `first` represents, and says who its members were.
    pub fn part(&mut self, first: ObjRef) -> Vec<ObjRef> {
        let members = self.members(first).expect("a representative has a component");
        self.components.members.remove(&first);
        for member in &members[1..] {
            self.components.representative.remove(member);
        }
        members
    }

    /// Everything that is dead and waits to be released.
    pub fn waiting(&self) -> impl Iterator<Item = ObjRef> {
        self.buffer.iter().copied().chain(self.partly.map(|(object, _)| object))
    }

    /// Is this object dead: nobody counts, nobody retains its node? (The count of a traced one is 0.)
    pub fn is_dead(&self, object: ObjRef) -> bool {
        let object = self.node(object);
        object.chunk().counts.byte(object.granule()) == 0 && !self.space.is_retained(object)
    }
}

/// The object that `word` refers to.
#[inline(always)]
pub(crate) fn target<H: Host>(word: u64) -> Option<ObjRef> {
    // SAFETY: a slot of a live object or a root holds an immediate or a reference to a live object; which of
    // the two, the host's tagging says (contract of `Host`).
    H::address(word).map(|address| unsafe { ObjRef::new(address) })
}

/// The objects that `object` refers to, one for each reference.
#[inline]
pub(crate) fn targets<H: Host>(object: ObjRef, header: Header) -> impl Iterator<Item = ObjRef> {
    object.slots::<H>(header).filter_map(|slot: Slot| target::<H>(slot.get()))
}
