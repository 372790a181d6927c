//! In checking mode: does every word that should lead to an object lead to one?
//!
//! A host that forgets a root notices nothing at first: the word keeps the address that the object had, and the
//! program goes on until it reads what lies there now. So the roots and all references of all objects are looked
//! at before each collection, while it can still be said what is wrong with them. A host whose roots come from
//! elsewhere after a collection asks for the same with [`Heap::verify_references`] before it goes on.

use blocks::GRANULE_BYTES;
use rustc_hash::FxHashSet;

use crate::heap::Heap;
use crate::host::Host;
use crate::object::{First, ObjRef};
use crate::old::{Old, target};
use crate::shape::{Header, WORD_BYTES};
use crate::space::{Space, chunk_base, chunk_of, granule_of};
use crate::value::{Object, Value};
use crate::verify::{Violation, fail};

impl<'id, H: Host> Heap<'id, H> {
    /// Does every root, and every reference of every object, lead to the start of an object that has not been
    /// freed? It looks at the whole heap, and may be asked whenever a collection could be.
    ///
    /// # Errors
    /// The first word that leads elsewhere: where it is, and what became of the object.
    pub fn verify_references(&mut self) -> Result<(), Violation> {
        let old = self.old.borrow();
        let starts = Starts::new(self, &old);
        for (index, slot) in self.stack.slots().enumerate() {
            starts.check_root(slot.get(), || format!("word {index} of the root stack"))?;
        }
        for (index, slot) in self.handles.slots().enumerate() {
            starts.check_root(slot.get(), || format!("handle {index}"))?;
        }
        for slot in self.finalizers.borrow_mut().ready_slots() {
            starts.check_root(slot.get(), || "an object that is to be finalized".to_owned())?;
        }
        for object in old.space.objects().into_iter().chain(self.young_objects(&old)) {
            let header = object.header();
            for (index, slot) in object.slots::<H>(header).enumerate() {
                starts.check(slot.get(), || {
                    format!("reference {index} of the {} at {:#x}", name(header), object.address())
                })?;
            }
        }
        Ok(())
    }

    /// The object that `word` leads to, for hosts whose words no type vouches for. `None`: the word is no reference,
    /// or no object of this heap begins there. Constant time; in checking mode it looks at all young objects, and after each
    /// collection at all that the heap was given of others.
    ///
    /// # Safety
    /// Unless the heap is in checking mode: if `word` leads to what was allocated since the last collection, then to
    /// the start of an object; and not to one that waits in the freed-object buffer; and if the heap has imported
    /// something, and `word` leads out of its memory, then to an object of its group that it was given.
    pub unsafe fn object_at(&self, word: u64) -> Option<Object<'_, 'id, H>> {
        let address = H::address(word).filter(|address| address.is_multiple_of(WORD_BYTES))?;
        let old = self.old.borrow();
        let begins = if self.young.nursery.contains(address) {
            // SAFETY: in the part of the nursery that is in use, so it can be read.
            let first = unsafe { ObjRef::new(address) }.first();
            matches!(first, First::Header(_)) && (!self.config.check || self.begins_young(&old, address))
        } else if old.space.chunk_bases().contains(&chunk_base(address)) {
            begins_old(&old.space, address) && !(self.config.check && waits(&old, address))
        } else {
            old.space.abroad
                && !self.young.has(address)
                && (!self.config.check || self.was_given(&old, address))
        };
        // SAFETY: an object begins there (the caller's word for what was not looked at), and it is of this heap.
        begins.then(|| unsafe { Value::from_bits(word) }.object()).flatten()
    }

    fn begins_young(&self, old: &Old, address: usize) -> bool {
        self.young_objects(old).into_iter().any(|object| object.address() == address)
    }
}

/// Is the object at this address dead, although its memory is not free yet?
fn waits(old: &Old, address: usize) -> bool {
    old.waiting().any(|object| object.address() == address)
}

/// Does an object begin here that is old, or young and large?
fn begins_old(space: &Space, address: usize) -> bool {
    address.is_multiple_of(GRANULE_BYTES)
        && space.chunk_bases().contains(&chunk_base(address))
        && (chunk_of(address).starts.get(granule_of(address)) || space.begins_young_large(address))
}

/// What a header says of its object, for a person.
fn name(header: Header) -> String {
    format!("object of shape {}", header.shape_id())
}

/// Where objects begin.
struct Starts<'h, 'id, H: Host> {
    heap: &'h Heap<'id, H>,
    young: FxHashSet<usize>,
    space: &'h Space,
    /// Dead, although their memory is not free yet.
    waiting: FxHashSet<ObjRef>,
    /// References may lead to objects of other heaps.
    abroad: bool,
}

impl<'h, 'id, H: Host> Starts<'h, 'id, H> {
    fn new(heap: &'h Heap<'id, H>, old: &'h Old) -> Self {
        Starts {
            heap,
            young: heap.young_objects(old).into_iter().map(ObjRef::address).collect(),
            space: &old.space,
            waiting: old.waiting().collect(),
            abroad: old.space.abroad,
        }
    }

    /// May it be another heap's object? That it still is one, only its owner could tell.
    fn is_foreign(&self, address: usize) -> bool {
        self.abroad
            && !self.space.chunk_bases().contains(&chunk_base(address))
            && self.heap.young.emptied_by(address).is_none()
    }

    fn check(&self, word: u64, place: impl Fn() -> String) -> Result<(), Violation> {
        let Some(address) = H::address(word) else { return Ok(()) };
        if self.young.contains(&address) || begins_old(self.space, address) {
            return Ok(());
        }
        if self.is_foreign(address) {
            return Ok(());
        }
        let fate = match self.heap.young.emptied_by(address) {
            Some(number) => format!(
                "was young until collection {number}, which did not look there: the place was not rooted"
            ),
            None if self.space.chunk_bases().contains(&chunk_base(address)) => {
                "has been freed: the place was not rooted during some collection".to_owned()
            }
            None => "is no object of this heap, or has not been one for long".to_owned(),
        };
        fail("references", format!("{} leads to {address:#x}, which {fate}", place()))
    }

    /// A root does not lead to what is dead, either.
    fn check_root(&self, word: u64, place: impl Fn() -> String) -> Result<(), Violation> {
        self.check(word, &place)?;
        match target::<H>(word) {
            Some(object) if !self.waiting.is_empty() && self.waiting.contains(&object) => fail(
                "references",
                format!(
                    "{} leads to {:#x}, which died and waits to be freed: the place was not rooted",
                    place(),
                    object.address()
                ),
            ),
            _ => Ok(()),
        }
    }
}
