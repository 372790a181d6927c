//! Reading what the host can read: from the roots, reference by reference, every field of every object.
//!
//! The census of the heap says what is there; this says what it holds. It goes through the public interface
//! alone, as a host would, and it is how objects get in hand again after they have moved.

use frazil::{Heap, Host, Object, Value};

use crate::kind::{Kind, Tail};
use crate::shadow::{Id, Node, Shadow, Word};
use crate::subject::{Hand, Held, identify, is_immediate};

/// Beyond so many bytes only some are compared.
const ALL_BYTES: usize = 64;
/// One in so many of them. It is prime, so that no regular mistake hides behind it.
const STRIDE: usize = 61;

/// Takes everything in hand that the shadow says is in hand, and compares it.
///
/// # Errors
/// The first difference, in words.
pub fn walk<'s, 'id, H: Host>(
    heap: &'s Heap<'id, H>,
    held: &Held<'id>,
    shadow: &Shadow,
) -> Result<Hand<'s, 'id, H>, String> {
    let mut walker = Walker { shadow, hand: Hand::new(heap, shadow.nodes.len()) };
    for (number, (handle, &word)) in held.handles.iter().zip(&shadow.handles).enumerate() {
        walker.meet(heap.rooted(handle), word).map_err(|wrong| format!("handle {number} {wrong}"))?;
    }
    if heap.stack_len() != shadow.stack.len() {
        return Err(format!("the root stack has {} words, not {}", heap.stack_len(), shadow.stack.len()));
    }
    for (number, (cell, &word)) in heap.stack_from(0).iter().zip(&shadow.stack).enumerate() {
        walker.meet(cell.get(), word).map_err(|wrong| format!("word {number} of the root stack {wrong}"))?;
    }
    for &id in &shadow.hand {
        walker.compare(id).map_err(|wrong| format!("{} {wrong}", shadow.describe(id)))?;
    }
    Ok(walker.hand)
}

struct Walker<'a, 's, 'id, H: Host> {
    shadow: &'a Shadow,
    hand: Hand<'s, 'id, H>,
}

impl<'s, 'id, H: Host> Walker<'_, 's, 'id, H> {
    /// Is there nothing new about this word? That is so of most: large objects are empty, or full of one reference.
    #[inline]
    fn has_met(&self, value: Value<'s, 'id, H>, word: Word) -> bool {
        match word {
            Word::Empty => value == Value::EMPTY,
            Word::Number(_) => false,
            Word::Object(id) => self.hand.get(id).is_some_and(|object| value == object.into()),
        }
    }

    /// Compares one word. An object that is met for the first time is taken in hand.
    fn meet(&mut self, value: Value<'s, 'id, H>, word: Word) -> Result<(), String> {
        let (id, object) = match (word, value.object()) {
            (Word::Object(id), Some(object)) => (id, object),
            (Word::Object(id), None) => {
                return Err(format!("holds {:#x} instead of {}", value.bits(), self.shadow.describe(id)));
            }
            _ if is_immediate(value, word) => return Ok(()),
            _ => return Err(format!("holds {:#x} instead of {word:?}", value.bits())),
        };
        match self.hand.get(id) {
            Some(known) if known == object => return Ok(()),
            Some(_) => return Err(format!("leads to a second copy of {}", self.shadow.describe(id))),
            None => {}
        }
        match identify(object) {
            Ok(found) if found == id => {
                self.hand.put(id, object);
                Ok(())
            }
            Ok(found) => {
                let (found, id) = (self.shadow.describe(found), self.shadow.describe(id));
                Err(format!("leads to {found} instead of {id}"))
            }
            Err(wrong) => Err(format!("leads to {} no more: {wrong}", self.shadow.describe(id))),
        }
    }

    fn compare(&mut self, id: Id) -> Result<(), String> {
        let node = self.shadow.node(id);
        let object = self.hand.get(id).ok_or("is in no root and in no reference")?;
        if !object.is(node.kind.shape()) {
            return Err(format!("has become one of shape {}", object.shape_id()));
        }
        if object.is_mutable() != node.mutable {
            return Err(format!("may be written: {}, not {}", object.is_mutable(), node.mutable));
        }
        if object.reference_count() != node.refs.len() {
            return Err(format!("has {} references, not {}", object.reference_count(), node.refs.len()));
        }
        for (slot, (value, &word)) in object.references().iter().zip(&node.refs).enumerate() {
            if !self.has_met(value, word) {
                self.meet(value, word).map_err(|wrong| format!("in reference {slot} {wrong}"))?;
            }
        }
        match node.kind.tail() {
            Tail::Bytes => compare_bytes(id, node, object),
            Tail::Fixed | Tail::References => compare_words(id, node, object),
        }
    }
}

fn compare_words<H: Host>(id: Id, node: &Node, object: Object<'_, '_, H>) -> Result<(), String> {
    let last = node.kind.raw_words() - 1;
    for index in 1..=last {
        let expected = match node.poke {
            Some(poke) if index == last => u64::from(poke),
            _ => Kind::word(id, index),
        };
        if object.raw(index) != expected {
            return Err(format!("has {:#x} in raw word {index}, not {expected:#x}", object.raw(index)));
        }
    }
    Ok(())
}

fn compare_bytes<H: Host>(id: Id, node: &Node, object: Object<'_, '_, H>) -> Result<(), String> {
    let len = node.len as usize;
    if object.byte_len() != len {
        return Err(format!("has {} bytes, not {len}", object.byte_len()));
    }
    // The first bytes are the mark, the last one may have been changed.
    let words = (len - 1).min(ALL_BYTES) / Id::BYTES as usize;
    for index in 1..words {
        let (found, expected): (u64, u64) = (object.number(index), Kind::eight_bytes(id, index));
        if found != expected {
            return Err(format!("has {found:#x} in its eight bytes {index}, not {expected:#x}"));
        }
    }
    let all = len.min(ALL_BYTES);
    let rest = (words * 8).max(8)..all;
    let some = (all..len).step_by(STRIDE).chain(len - 1..len);
    for index in rest.chain(some).filter(|&index| index >= Id::BYTES as usize) {
        let expected = match node.poke {
            Some(poke) if index == len - 1 => poke,
            _ => Kind::byte(id, index),
        };
        let found: u8 = object.number(index);
        if found != expected {
            return Err(format!("has {found:#x} in byte {index}, not {expected:#x}"));
        }
    }
    if node.kind == Kind::Text && object.text().len() != len {
        return Err("is a text of another length".to_owned());
    }
    Ok(())
}
