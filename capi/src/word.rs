//! Words that come from C: all that is believed about them is believed here.
//!
//! A word that is to lead to an object is looked up: an object of this heap must begin there. What cannot be seen, except in
//! checking mode, is that the object is another one than the host thinks. So the objects here are right in every case in
//! which the host kept the rule that words end with a collection, or the collector could notice that it did not.

use frazil::{Config, Fresh, Heap, Host, LowTag, Object, Value};

use crate::error::{Outcome, frazil_status::*, refuse};
use crate::registry;
use crate::state::{CGroup, CHeap, State};
use crate::value::frazil_value;

/// A heap for the C interface, in a group if one is given.
///
/// # Errors
/// The settings do not agree, or the system gives no memory.
pub(crate) fn heap(config: Config, group: Option<&CGroup>) -> Outcome<CHeap> {
    if let Err(rule) = config.check() {
        return refuse(FRAZIL_BAD_CONFIG, rule.to_string());
    }
    // SAFETY: every word that comes from C is looked up in the heap it is given to, and every number of a handle or
    // weak reference carries its heap.
    let heap = unsafe {
        match group {
            Some(group) => group.unbranded(config),
            None => Heap::unbranded(config),
        }
    };
    heap.or_else(|refused| refuse(FRAZIL_NO_MEMORY, refused.to_string()))
}

/// The object that a word leads to, if an object of `heap` begins there.
fn find(heap: &CHeap, value: frazil_value) -> Option<Object<'_, 'static, LowTag>> {
    // SAFETY: that a word into the young part leads to an object is the host's promise, as that it is none of before the
    // last collection, and that a heap which has imported something gets no words but its own and those. In checking mode
    // none of that need be promised.
    unsafe { heap.object_at(value.word) }
}

/// The object that a word leads to.
///
/// # Errors
/// It is an immediate, or leads to no object of this heap.
pub(crate) fn object(heap: &CHeap, value: frazil_value) -> Outcome<Object<'_, 'static, LowTag>> {
    match find(heap, value) {
        Some(object) => Ok(object),
        None => no_object(value),
    }
}

#[cold]
fn no_object<T>(value: frazil_value) -> Outcome<T> {
    let word = value.word;
    if LowTag::address(word).is_none() {
        return refuse(FRAZIL_NOT_AN_OBJECT, format!("{word:#x} is an immediate, not a reference"));
    }
    // The heap that is asking is in the middle of a call.
    let holds = |state: &State| find(&state.heap, value).map(|_| state.number);
    match registry::find_map(holds) {
        Some(number) => refuse(
            FRAZIL_WRONG_HEAP,
            format!("{word:#x} leads to an object of heap {number}, not of this one"),
        ),
        None => refuse(
            FRAZIL_NOT_AN_OBJECT,
            format!("{word:#x} leads to no object: it has moved or died since, or there never was one"),
        ),
    }
}

/// What a word stands for: an immediate, or an object of this heap.
///
/// # Errors
/// It leads to no object of this heap.
pub(crate) fn value(heap: &CHeap, value: frazil_value) -> Outcome<Value<'_, 'static, LowTag>> {
    match LowTag::address(value.word) {
        None => Ok(Value::immediate(value.word)),
        Some(_) => object(heap, value).map(Value::from),
    }
}

/// The word of a value.
pub(crate) fn word(value: Value<'_, 'static, LowTag>) -> frazil_value {
    frazil_value { word: value.bits() }
}

/// The object as one in the making.
///
/// # Errors
/// It is frozen, or a collection has seen it.
pub(crate) fn reopen<'s>(
    heap: &'s CHeap,
    object: Object<'s, 'static, LowTag>,
) -> Outcome<Fresh<'s, 'static, LowTag>> {
    // SAFETY: the thread is in this call and nowhere else, and the call uses one object at a time.
    match unsafe { heap.reopen(object) } {
        Some(fresh) => Ok(fresh),
        None => refuse(FRAZIL_FROZEN, "the object is frozen, or is immutable and a collection has seen it"),
    }
}

/// The bytes of an object with layout *bytes*, for this call.
pub(crate) fn bytes<'s>(object: Object<'s, 'static, LowTag>) -> &'s [u8] {
    let (offset, length) = object.header().bytes();
    let address = LowTag::address(Value::from(object).bits()).unwrap_or_default();
    // SAFETY: inside of a live object, which no collection can move during 's; the thread is in this call, which does not
    // write what it reads in this way.
    unsafe { std::slice::from_raw_parts(std::ptr::with_exposed_provenance(address + offset), length) }
}
