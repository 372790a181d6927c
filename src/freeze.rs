//! Deep freezing: everything mutable that can be reached from a value is frozen in place.
//!
//! The walk visits what is young or traced. A counted object refers only to counted ones, which nothing can
//! change any more, so it is passed by. A visited object carries [`MARKED`] until the walk is over; that a
//! mutable object became frozen is not enough of a mark, for immutable ones lie in between.

use crate::heap::Heap;
use crate::host::Host;
use crate::object::ObjRef;
use crate::old::{target, targets};
use crate::shape::{GUARDED, MARKED, MUTABLE};

/// Freezes what can be reached from `word`, and says how many objects were frozen. Takes time and room
/// proportional to the young and traced objects that are visited.
pub(crate) fn deep<H: Host>(heap: &Heap<'_, H>, word: u64) -> usize {
    let old = heap.old.borrow();
    let is_open = |object: &ObjRef| old.is_open(*object, &heap.young.nursery);
    let mut visited: Vec<ObjRef> = Vec::new();
    let mut pending: Vec<ObjRef> = target::<H>(word).filter(is_open).into_iter().collect();
    let mut frozen = 0;
    while let Some(object) = pending.pop() {
        let header = object.header();
        if header.has(MARKED) {
            continue;
        }
        if header.has(MUTABLE) {
            object.clear_flags(MUTABLE | GUARDED);
            heap.note_frozen(object);
            frozen += 1;
        }
        if header.references() == 0 {
            continue;
        }
        object.set_flags(MARKED);
        visited.push(object);
        pending.extend(targets::<H>(object, header).filter(is_open));
    }
    for object in visited {
        object.clear_flags(MARKED);
    }
    if frozen > 0 {
        heap.froze.set(true);
    }
    frozen
}
