//! The plain graph that says what must be true of the heap.
//!
//! It knows every object that a history ever made: what it refers to, whether it may be written, and whether it
//! can still be there. It does everything the heap is asked to do, in the most obvious way, and says what the
//! heap must answer. What a collection must leave is worked out in [`crate::judge`].

use crate::history::Label;
use crate::kind::Kind;
use crate::plan::Act;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

/// An object of the shadow graph: the number of objects made before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(pub u32);

impl Id {
    /// Bytes that an object's number takes in an object that holds bytes.
    pub const BYTES: u32 = 8;

    /// The number that the object carries. It is above zero: zero is what fresh memory holds.
    pub const fn number(self) -> u32 {
        self.0 + 1
    }

    /// The object that carries this number.
    pub fn of_number(number: u32) -> Option<Id> {
        number.checked_sub(1).map(Id)
    }

    /// Its place in [`Shadow::nodes`].
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a reference, a handle or a word of the root stack holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// Nothing yet.
    Empty,
    /// A word that is no reference.
    Number(u32),
    /// A reference.
    Object(Id),
}

/// What an object refers to: mostly a few words, which then need no memory of their own.
pub type Words = SmallVec<[Word; 4]>;

impl Word {
    /// The object, if it is a reference.
    pub fn object(self) -> Option<Id> {
        match self {
            Word::Object(id) => Some(id),
            Word::Empty | Word::Number(_) => None,
        }
    }
}

/// Where an object is in its life, as far as the last look at the heap tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// Made since the last collection.
    Young,
    /// A collection has kept it.
    Old,
    /// It is gone.
    Dead,
}

/// An object.
#[derive(Clone, Debug)]
pub struct Node {
    /// What the history calls it.
    pub label: Label,
    /// Its kind.
    pub kind: Kind,
    /// References or bytes in its tail.
    pub len: u32,
    /// May it be written, as far as freezing goes?
    pub mutable: bool,
    /// Does the host refuse writes for now?
    pub guarded: bool,
    /// What it refers to.
    pub refs: Words,
    /// What the last raw word or byte was changed to.
    pub poke: Option<u8>,
    /// Where it is in its life.
    pub age: Age,
    /// Does the host hold it, or a way to it? Only then can a step be about it.
    pub in_hand: bool,
    /// At the last collection, did a root reach it, or something to be finalized? Or has it been made since?
    pub reached: bool,
    /// Was it counted when the heap was last looked at?
    pub counted: bool,
    /// Did it wait in the freed-object buffer then?
    pub waiting: bool,
    /// Did the last complete collection have a reason to keep it, or has it been revived since?
    pub kept: bool,
    /// When the heap was last looked at: where it stood in [`Shadow::present`], if it did.
    pub place: u32,
}

/// A weak reference.
#[derive(Clone, Copy, Debug)]
pub struct Weak {
    /// To what.
    pub target: Id,
    /// Has it once answered that its object is gone? Then it must for ever.
    pub cleared: bool,
}

/// An object whose death the host wants to hear of, or has not yet heard of.
#[derive(Clone, Copy, Debug)]
pub struct Mourned {
    /// Which.
    pub object: Id,
    /// What the host gave along with it.
    pub token: u64,
    /// A collection may have found it dead.
    pub condemned: bool,
    /// A collection must have found it dead.
    pub due: bool,
}

/// What an act must answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is done.
    Done,
    /// The object is frozen.
    Frozen,
    /// The object is guarded.
    Guarded,
    /// There is no room on the root stack.
    StackFull,
    /// So many objects were frozen.
    Froze(usize),
    /// The heap limit would be passed. The shadow never says so; the heap may.
    NoMemory,
    /// The system refused the memory. The shadow never says so; the heap may.
    Refused,
}

/// The graph and its roots.
#[derive(Clone, Debug, Default)]
pub struct Shadow {
    /// Every object ever made.
    pub nodes: Vec<Node>,
    /// Those that may still be there, in the order in which they were made.
    pub present: Vec<Id>,
    /// The objects in hand, in the order in which they came there.
    pub hand: Vec<Id>,
    /// The latest object of each label.
    pub named: FxHashMap<Label, Id>,
    /// What the handles hold.
    pub handles: Vec<Word>,
    /// What the handles hold that were lost.
    pub forgotten: Vec<Word>,
    /// The root stack.
    pub stack: Vec<Word>,
    /// Words of the root stack at most.
    pub stack_words: usize,
    /// The weak references.
    pub weaks: Vec<Weak>,
    /// What is to be finalized.
    pub mourned: Vec<Mourned>,
    /// Registrations to be finalized, ever.
    pub registrations: u64,
    /// Objects made before the last complete collection.
    pub made_before_complete: usize,
}

impl Shadow {
    /// An empty graph, for a heap with a root stack of so many words.
    pub fn new(stack_words: usize) -> Shadow {
        Shadow { stack_words, ..Shadow::default() }
    }

    /// The object `id`.
    pub fn node(&self, id: Id) -> &Node {
        &self.nodes[id.index()]
    }

    fn node_mut(&mut self, id: Id) -> &mut Node {
        &mut self.nodes[id.index()]
    }

    /// The objects that `id` refers to, one for each reference.
    pub fn targets(&self, id: Id) -> impl Iterator<Item = Id> + '_ {
        self.node(id).refs.iter().filter_map(|word| word.object())
    }

    /// The number of the next object.
    pub fn next_id(&self) -> Id {
        Id(self.nodes.len() as u32)
    }

    /// Everything that the host holds a root on and can get at.
    pub fn roots_in_hand(&self) -> impl Iterator<Item = Word> + '_ {
        self.handles.iter().chain(&self.stack).copied()
    }

    /// Everything that the host holds a root on, lost handles included.
    pub fn roots(&self) -> impl Iterator<Item = Word> + '_ {
        self.roots_in_hand().chain(self.forgotten.iter().copied())
    }

    /// Puts an object in hand.
    pub fn take_in_hand(&mut self, id: Id) {
        if !self.node(id).in_hand {
            self.node_mut(id).in_hand = true;
            self.hand.push(id);
        }
    }

    /// Does what `act` says, and answers what the heap must answer.
    ///
    /// Acts whose answer is the heap's to choose ([`Act::Upgrade`], [`Act::Take`]) change nothing here; see
    /// [`Shadow::upgraded`] and [`Shadow::taken`].
    pub fn perform(&mut self, act: &Act) -> Answer {
        match *act {
            Act::Make { label, kind, len, ref refs } => {
                self.make(label, kind, len, refs.clone());
                Answer::Done
            }
            Act::Store { object, slot, value } => self.write(object, |node| node.refs[slot] = value),
            Act::Fill { object, start, end, value } => {
                self.write(object, |node| node.refs[start..end].fill(value))
            }
            Act::Poke { object, value } => self.write(object, |node| node.poke = Some(value)),
            Act::Freeze { object } => {
                self.node_mut(object).mutable = false;
                Answer::Done
            }
            Act::FreezeDeep { value } => Answer::Froze(self.freeze_deep(value)),
            Act::Guard { object, on } => {
                self.node_mut(object).guarded = on;
                Answer::Done
            }
            Act::Push { .. } if self.stack.len() == self.stack_words => Answer::StackFull,
            _ => {
                self.perform_on_roots(act);
                Answer::Done
            }
        }
    }

    fn perform_on_roots(&mut self, act: &Act) {
        match *act {
            Act::Root { value } => self.handles.push(value),
            Act::Unroot { handle } => {
                self.handles.swap_remove(handle);
            }
            Act::Reroot { handle, value } => self.handles[handle] = value,
            Act::Forget { handle } => {
                let lost = self.handles.swap_remove(handle);
                self.forgotten.push(lost);
            }
            Act::Push { value } => self.stack.push(value),
            Act::Pop { count } => self.stack.truncate(self.stack.len() - count),
            Act::Set { slot, value } => self.stack[slot] = value,
            Act::Weak { object } => self.weaks.push(Weak { target: object, cleared: false }),
            Act::Unweak { weak } => {
                self.weaks.swap_remove(weak);
            }
            Act::Finalize { object, token } => {
                self.registrations += 1;
                self.mourned.push(Mourned { object, token, condemned: false, due: false });
            }
            // The rest changes nothing that the host can see, or is done elsewhere.
            _ => {}
        }
    }

    fn make(&mut self, label: Label, kind: Kind, len: u32, refs: Words) {
        let id = self.next_id();
        self.nodes.push(Node {
            label,
            kind,
            len,
            mutable: kind.is_mutable(),
            guarded: false,
            refs,
            poke: None,
            age: Age::Young,
            in_hand: false,
            reached: true,
            counted: false,
            waiting: false,
            kept: false,
            place: 0,
        });
        self.present.push(id);
        self.named.insert(label, id);
        self.take_in_hand(id);
    }

    fn write(&mut self, object: Id, write: impl FnOnce(&mut Node)) -> Answer {
        let node = self.node_mut(object);
        if !node.mutable {
            return Answer::Frozen;
        }
        if node.guarded {
            return Answer::Guarded;
        }
        write(node);
        Answer::Done
    }

    fn freeze_deep(&mut self, value: Word) -> usize {
        let reached = crate::graph::reach(&self.nodes, [value]);
        let mut frozen = 0;
        for &id in &reached.order {
            frozen += usize::from(self.node(id).mutable);
            self.node_mut(id).mutable = false;
        }
        frozen
    }

    /// The heap's answer to [`Act::Upgrade`] and what follows from it.
    ///
    /// # Errors
    /// The answer cannot be right.
    pub fn upgraded(&mut self, weak: usize, answer: Option<Id>) -> Result<(), String> {
        let Weak { target, cleared } = self.weaks[weak];
        let node = self.node(target);
        match answer {
            Some(id) if id != target => Err(format!("it leads to {}", self.describe(id))),
            Some(_) if cleared => Err("it was cleared already".to_owned()),
            Some(_) if node.age == Age::Dead => Err("its object is gone".to_owned()),
            Some(_) if node.waiting => Err("its object waits to be freed".to_owned()),
            Some(_) => {
                self.take_in_hand(target);
                // It may have been held by something dead alone. The heap keeps it now until it knows better.
                for id in crate::graph::reach(&self.nodes, [Word::Object(target)]).order {
                    self.node_mut(id).kept = true;
                }
                Ok(())
            }
            None if node.reached || node.in_hand => Err("its object is alive".to_owned()),
            None => {
                self.weaks[weak].cleared = true;
                Ok(())
            }
        }
    }

    /// The heap's answer to [`Act::Take`] and what follows from it.
    ///
    /// # Errors
    /// The answer cannot be right.
    pub fn taken(&mut self, answer: Option<(Id, u64)>) -> Result<(), String> {
        let Some((id, token)) = answer else {
            return match self.mourned.iter().find(|mourned| mourned.due) {
                Some(late) => Err(format!("{} has died and was not handed out", self.describe(late.object))),
                None => Ok(()),
            };
        };
        let found = self.mourned.iter().position(|mourned| mourned.object == id && mourned.token == token);
        match found {
            None => {
                Err(format!("{} with {token} was not registered, or is handed out again", self.describe(id)))
            }
            Some(index) if !self.mourned[index].condemned => {
                Err(format!("{} has not died", self.describe(id)))
            }
            Some(index) => {
                self.mourned.swap_remove(index);
                self.take_in_hand(id);
                Ok(())
            }
        }
    }

    /// An object, for a message.
    pub fn describe(&self, id: Id) -> String {
        match self.nodes.get(id.index()) {
            None => format!("an object with the impossible number {}", id.0),
            Some(node) => {
                let state = if node.mutable { "mutable " } else { "" };
                format!("{} ({state}{}, #{})", node.label, node.kind.name(), id.0)
            }
        }
    }
}
