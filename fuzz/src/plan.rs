//! From steps to acts: which objects a step is about is decided here.
//!
//! A step names objects by labels. If the object with that label is *in hand* (the host could reach it after
//! the last collection, or has made it since), the step is about it; otherwise the label, as a number, chooses
//! one of those in hand. Indices are taken modulo what there is, and those of handles, weak references and words
//! of the stack count from the latest. A step for which nothing is there is no act.

use crate::history::{Label, Operand, Step};
use crate::kind::Kind;
use crate::shadow::{Id, Shadow, Word, Words};

/// One thing done to the heap and to the shadow alike, about certain objects.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the steps that the acts come from")]
pub enum Act {
    /// Makes the next object.
    Make { label: Label, kind: Kind, len: u32, refs: Words },
    /// Makes objects that nobody will ever see.
    Litter { count: u32, len: u32 },
    /// Stores one reference.
    Store { object: Id, slot: usize, value: Word },
    /// Stores one reference in many slots.
    Fill { object: Id, start: usize, end: usize, value: Word },
    /// Changes a raw word or byte.
    Poke { object: Id, value: u8 },
    /// Freezes one object.
    Freeze { object: Id },
    /// Freezes all that can be reached.
    FreezeDeep { value: Word },
    /// Refuses or allows writes.
    Guard { object: Id, on: bool },
    /// Takes a handle.
    Root { value: Word },
    /// Gives it back.
    Unroot { handle: usize },
    /// Lets it hold something else.
    Reroot { handle: usize, value: Word },
    /// Loses it.
    Forget { handle: usize },
    /// Pushes on the root stack.
    Push { value: Word },
    /// Shortens the root stack.
    Pop { count: usize },
    /// Overwrites a word of the root stack.
    Set { slot: usize, value: Word },
    /// Makes a weak reference.
    Weak { object: Id },
    /// Asks it for its object.
    Upgrade { weak: usize, root: bool },
    /// Ends it.
    Unweak { weak: usize },
    /// Registers an object to be finalized.
    Finalize { object: Id, token: u64 },
    /// Takes one that is due.
    Take { root: bool },
    /// Has the system refuse memory.
    Refuse { after: usize },
}

/// Objects in hand that are looked at for one that can be written, at most.
const TRIES: usize = 16;

impl Shadow {
    /// The acts that `step` means now. Each is performed before the next; together they are one step.
    pub fn plan(&self, step: &Step, acts: &mut Vec<Act>) {
        acts.clear();
        match *step {
            Step::Make { label, kind, len, ref refs } => {
                let len = kind.length(len);
                let slots = 0..kind.references(len);
                let refs = slots.map(|slot| match refs.len() {
                    0 => Word::Empty,
                    given => self.word(refs[slot % given]),
                });
                acts.push(Act::Make { label, kind, len, refs: refs.collect() });
            }
            Step::Links { .. } => self.plan_links(step, acts),
            Step::Litter { count, len } => acts.push(Act::Litter { count, len: Kind::Bytes.length(len) }),
            Step::Freeze { object, count: 1 } => {
                acts.extend(self.writable(object).map(|object| Act::Freeze { object }));
            }
            Step::Freeze { object, count } => {
                // No more labels than objects: a hand-written range may be absurd.
                let labels = (0..count.min(self.nodes.len() as u32)).map(|nth| object.plus(nth));
                acts.extend(
                    labels.filter_map(|label| self.exactly(label)).map(|object| Act::Freeze { object }),
                );
            }
            Step::Collect(_) | Step::Drain { .. } => {}
            _ => acts.extend(self.plan_one(step)),
        }
    }

    fn plan_one(&self, step: &Step) -> Option<Act> {
        Some(match *step {
            Step::Store { object, slot, value } => {
                let object = self.writable(object)?;
                let slot = modulo(slot, self.node(object).refs.len())?;
                Act::Store { object, slot, value: self.word(value) }
            }
            Step::Fill { object, start, count, value } => {
                let object = self.writable(object)?;
                let slots = self.node(object).refs.len();
                let start = modulo(start, slots)?;
                let end = slots.min(start.saturating_add(count as usize));
                Act::Fill { object, start, end, value: self.word(value) }
            }
            Step::Poke { object, value } => {
                let object = self.writable(object)?;
                let node = self.node(object);
                node.kind.can_be_poked(node.len).then_some(Act::Poke { object, value })?
            }
            Step::FreezeDeep { value } => Act::FreezeDeep { value: self.word(value) },
            Step::Guard { object, on } => {
                let object = self.writable(object)?;
                // Guards are for objects that can be written.
                self.node(object).mutable.then_some(Act::Guard { object, on })?
            }
            Step::Weak { object } => Act::Weak { object: self.object(object)? },
            Step::Finalize { object } => {
                let object = self.object(object)?;
                // The token tells the registrations of one object apart.
                Act::Finalize { object, token: u64::from(object.0) << 32 | self.registrations }
            }
            _ => return self.plan_root(step),
        })
    }

    fn plan_root(&self, step: &Step) -> Option<Act> {
        Some(match *step {
            Step::Root { value } => Act::Root { value: self.word(value) },
            Step::Unroot { handle } => Act::Unroot { handle: latest(handle, self.handles.len())? },
            Step::Reroot { handle, value } => {
                Act::Reroot { handle: latest(handle, self.handles.len())?, value: self.word(value) }
            }
            Step::Forget { handle } => Act::Forget { handle: latest(handle, self.handles.len())? },
            Step::Push { value } => Act::Push { value: self.word(value) },
            Step::Pop { count } => Act::Pop { count: self.stack.len().min(count as usize) },
            Step::Set { slot, value } => {
                Act::Set { slot: latest(slot, self.stack.len())?, value: self.word(value) }
            }
            Step::Upgrade { weak, root } => Act::Upgrade { weak: latest(weak, self.weaks.len())?, root },
            Step::Unweak { weak } => Act::Unweak { weak: latest(weak, self.weaks.len())? },
            Step::Take { root } => Act::Take { root },
            Step::Refuse { after } => Act::Refuse { after: after as usize },
            _ => return None,
        })
    }

    fn plan_links(&self, step: &Step, acts: &mut Vec<Act>) {
        let Step::Links { label, count, kind, len, other, ring } = *step else { return };
        let other = self.word(other);
        let first = self.next_id();
        for nth in 0..count {
            let kind = if ring && nth == 0 && !kind.is_mutable() { Kind::Cell } else { kind };
            let len = kind.length(len);
            let mut refs = Words::from_elem(other, kind.references(len));
            if let (Some(link), Some(before)) = (refs.first_mut(), nth.checked_sub(1)) {
                *link = Word::Object(Id(first.0 + before));
            }
            acts.push(Act::Make { label: label.plus(nth), kind, len, refs });
        }
        let links = acts.iter().all(|act| matches!(act, Act::Make { refs, .. } if !refs.is_empty()));
        if ring && links && count > 0 {
            acts.push(Act::Store { object: first, slot: 0, value: Word::Object(Id(first.0 + count - 1)) });
        }
    }

    /// The object with this very label, if it is in hand.
    fn exactly(&self, label: Label) -> Option<Id> {
        self.named.get(&label).copied().filter(|&id| self.node(id).in_hand)
    }

    /// The object that `label` means now.
    pub fn object(&self, label: Label) -> Option<Id> {
        self.exactly(label).or_else(|| Some(self.hand[modulo(label.0, self.hand.len())?]))
    }

    /// The object that `label` means in a step that writes. One that cannot be written is meant only if the
    /// label says so exactly, or if there is hardly any other.
    fn writable(&self, label: Label) -> Option<Id> {
        self.exactly(label).or_else(|| {
            let start = modulo(label.0, self.hand.len())?;
            let around = self.hand[start..].iter().chain(&self.hand[..start]).copied();
            around.take(TRIES).find(|&id| self.node(id).mutable).or(Some(self.hand[start]))
        })
    }

    /// The word that `operand` means now.
    fn word(&self, operand: Operand) -> Word {
        match operand {
            Operand::Empty => Word::Empty,
            Operand::Number(number) => Word::Number(number),
            Operand::Object(label) => self.object(label).map_or(Word::Empty, Word::Object),
        }
    }
}

/// Handles, weak references and words of the stack are counted from the latest one.
fn latest(number: u32, count: usize) -> Option<usize> {
    modulo(number, count).map(|back| count - 1 - back)
}

fn modulo(number: u32, count: usize) -> Option<usize> {
    (number as usize).checked_rem(count)
}
