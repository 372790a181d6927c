//! What lives as long as its group: the language's constants, interned strings, and whatever else everybody refers to.
//!
//! It is copied into chunks of an owner that nobody is. A heap that comes across it sets no bit and counts nothing.

use rustc_hash::{FxHashMap, FxHashSet};

use std::rc::Rc;

use crate::heap::{AllocError, Heap};
use crate::host::Host;
use crate::object::ObjRef;
use crate::old::target;
use crate::os::System;
use crate::shape::{COMPONENT, FINALIZABLE, MARKED};
use crate::space::{Lane, Space};
use crate::tuning::Config;
use crate::value::Value;

use super::kernel::Owner;
use super::shared::{ShareError, Shared};

/// The memory of a group's immortal objects.
pub(crate) struct Immortals(Space);

// SAFETY: it owns all its memory, and its `Rc` is its own. Nothing of it is written after the object that it belongs
// to has been given out.
unsafe impl Send for Immortals {}

impl Immortals {
    pub fn new(config: &Config) -> Immortals {
        Immortals(Space::new(config.block_bytes, false, Rc::new(System::default()), Owner::IMMORTAL))
    }

    /// The addresses of its chunks.
    pub fn chunks(&self) -> FxHashSet<usize> {
        self.0.chunk_bases().clone()
    }
}

/// Why a value cannot be made immortal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImmortalError {
    /// It cannot even be shared.
    Share(ShareError),
    /// There is no memory for it.
    Alloc(AllocError),
}

impl std::fmt::Display for ImmortalError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ImmortalError::Share(error) => error.fmt(f),
            ImmortalError::Alloc(error) => error.fmt(f),
        }
    }
}
impl std::error::Error for ImmortalError {}

impl<'id, H: Host> Heap<'id, H> {
    /// Copies `value`, and all that can be reached from it, to where nothing is ever counted or freed. The copy is for
    /// all heaps of the group, and costs none of them anything. What is immortal already is not copied.
    ///
    /// # Errors
    /// The value is not immutable throughout, or there is no memory.
    pub fn immortalise(&self, value: Value<'_, 'id, H>) -> Result<Shared<H>, ImmortalError> {
        let Some(group) = &self.group else { return Err(ImmortalError::Share(ShareError::Alone)) };
        let Some(object) = target::<H>(value.bits()) else {
            return Ok(Shared::uncounted(group, value.bits()));
        };
        if let Some(error) = self.way_to_mutable(object) {
            return Err(ImmortalError::Share(error));
        }
        let mut immortals = group.immortals.lock().expect("nobody panics here but for want of memory");
        let copy = self.copy_to(&mut immortals.0, object).map_err(ImmortalError::Alloc)?;
        Ok(Shared::uncounted(group, H::word(copy.address(), value.bits())))
    }

    /// Copies the graph below `first`.
    fn copy_to(&self, space: &mut Space, first: ObjRef) -> Result<ObjRef, AllocError> {
        let originals = self.mortal_graph(first);
        let bytes: Vec<usize> = originals.iter().map(|object| object.header().cell_bytes()).collect();
        let copies = reserve_cells(space, &originals, &bytes)?;
        let places: FxHashMap<ObjRef, usize> =
            originals.iter().copied().zip(copies.iter().copied()).collect();
        for ((original, &to), &bytes) in originals.iter().zip(&copies).zip(&bytes) {
            // SAFETY: an unused cell of at least so many bytes.
            let copy = unsafe { original.copy_to(to, original.header().words()) };
            if space.is_large(bytes) {
                space.promote_large(copy, bytes);
            }
            copy.clear_flags(FINALIZABLE | COMPONENT | MARKED);
            for slot in copy.slots::<H>(copy.header()) {
                let word = slot.get();
                if let Some(place) = target::<H>(word).and_then(|target| places.get(&target)) {
                    slot.set(H::word(*place, word));
                }
            }
        }
        space.young_large.clear();
        space.stop_filling();
        // SAFETY: an object was made here.
        Ok(places.get(&first).map_or(first, |&place| unsafe { ObjRef::new(place) }))
    }

    /// Everything that can be reached from `first` and is not immortal, each once.
    fn mortal_graph(&self, first: ObjRef) -> Vec<ObjRef> {
        let is_mortal = |object: &ObjRef| !self.is_immortal(*object);
        let mut seen: FxHashSet<ObjRef> = std::iter::once(first).filter(is_mortal).collect();
        let mut graph: Vec<ObjRef> = seen.iter().copied().collect();
        let mut at = 0;
        while let Some(&object) = graph.get(at) {
            at += 1;
            for target in object.slots::<H>(object.header()).filter_map(|slot| target::<H>(slot.get())) {
                if is_mortal(&target) && seen.insert(target) {
                    graph.push(target);
                }
            }
        }
        graph
    }

    fn is_immortal(&self, object: ObjRef) -> bool {
        let old = self.old.borrow();
        !old.is_young(object, &self.young.nursery)
            && !old.space.is_own(object.address())
            && super::abroad::owner_of(object.address()) == Owner::IMMORTAL
    }
}

/// A place for each object, or none for any. Large ones, of which the system may refuse the second, get theirs first.
fn reserve_cells(space: &mut Space, objects: &[ObjRef], bytes: &[usize]) -> Result<Vec<usize>, AllocError> {
    let (large, small): (Vec<usize>, Vec<usize>) = bytes.iter().partition(|&&bytes| space.is_large(bytes));
    let large_blocks = large.iter().map(|&bytes| space.blocks_of_large(bytes)).sum();
    let refused = |_| AllocError::System { requested: bytes.iter().sum() };
    space.reserve(small.iter().sum(), large_blocks).map_err(refused)?;
    let mut places = vec![0; objects.len()];
    for ((place, object), &bytes) in places.iter_mut().zip(objects).zip(bytes) {
        if space.is_large(bytes) {
            *place = space.large(bytes).map_err(|error| {
                space.free_young_large();
                refused(error)
            })?;
            // SAFETY: unused memory of so many bytes. With a header it can be freed.
            unsafe { ObjRef::new(*place) }.set_header(object.header());
        }
    }
    for ((place, object), &bytes) in places.iter_mut().zip(objects).zip(bytes) {
        if *place == 0 {
            *place = space.cell(Lane::of(object.header()), bytes);
        }
    }
    Ok(places)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Group, LowTag, Shape};

    const LEAF: Shape = Shape::new(1, "leaf").raw_words(1);
    const TUPLE: Shape = Shape::new(2, "tuple").references_tail();
    const BYTES: Shape = Shape::new(3, "bytes").bytes();

    #[test]
    fn what_the_system_refuses_in_the_middle_leaves_nothing_behind() {
        let group = Group::<LowTag>::new(Config::default()).expect("good settings");
        let heap = group.make(Config::default()).expect("memory");
        let leaf = heap.alloc(&LEAF, 0).expect("memory").finish();
        heap.immortalise(leaf.into()).expect("memory");
        let mut tuple = heap.alloc(&TUPLE, 3).expect("memory");
        let large = || heap.alloc(&BYTES, 1 << 20).expect("memory").finish().into();
        tuple.references_mut().copy_from_slice(&[leaf.into(), large(), large()]);
        let tuple = tuple.finish();
        let space = |look: &mut dyn FnMut(&Space)| look(&group.common.immortals.lock().expect("sound").0);
        let mut before = None;
        space(&mut |space| {
            before = Some((space.used_bytes(), space.objects));
            space.system.refuse_after(1);
        });
        assert!(matches!(
            heap.immortalise(tuple.into()),
            Err(ImmortalError::Alloc(AllocError::System { .. }))
        ));
        space(&mut |space| assert_eq!(Some((space.used_bytes(), space.objects)), before));
        heap.immortalise(tuple.into()).expect("memory");
        space(&mut |space| {
            assert_eq!((space.contradiction(&space.objects()), space.objects), (None, 5));
            assert!(space.objects().iter().all(|object| !space.is_young_large(object.address())));
        });
    }
}
