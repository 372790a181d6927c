//! The plain graph of a world: every object that was ever made, and who holds what.

use super::steps::{Kind, SLOTS};

/// An object: the number of those made before it.
pub type Id = usize;

/// What the graph knows of an object.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its kind.
    pub kind: Kind,
    /// May it be written?
    pub mutable: bool,
    /// What it refers to.
    pub refs: [Option<Id>; 3],
    /// In whose blocks it lies, by a number that no other heap ever has.
    pub owner: usize,
    /// Is there a copy of it that does not die?
    pub immortal: bool,
    /// How often its death is still to be heard of.
    pub unheard: usize,
    /// Its heap has ended, which may have been its death, and then nobody hears of it.
    pub left: bool,
}

/// A heap's roots.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its number.
    pub owner: usize,
    /// Its root stack.
    pub slots: [Option<Id>; SLOTS as usize],
    /// Its weak references.
    pub weaks: std::collections::VecDeque<Id>,
}

/// The graph.
#[derive(Clone, Debug, Default)]
pub struct Shadow {
    /// Every object ever made.
    pub nodes: Vec<Node>,
    /// The heaps that there are.
    pub members: Vec<Member>,
    /// What the handles hold.
    pub handles: Vec<Option<Id>>,
    owners: usize,
}

impl Shadow {
    /// A heap begins.
    pub fn begin(&mut self) {
        self.members.push(Member {
            owner: self.owners,
            slots: Default::default(),
            weaks: Default::default(),
        });
        self.owners += 1;
    }

    /// A heap has ended.
    pub fn leave(&mut self, owner: usize) {
        self.nodes.iter_mut().filter(|node| node.owner == owner).for_each(|node| node.left = true);
    }

    /// Can it be reached from a root or a handle?
    pub fn is_alive(&self, id: Id) -> bool {
        let roots = self.members.iter().flat_map(|member| member.slots);
        self.reach(roots.chain(self.handles.iter().copied()).flatten()).contains(&id)
    }

    /// All objects of one owner get another.
    pub fn adopt(&mut self, from: usize, to: usize) {
        self.nodes.iter_mut().filter(|node| node.owner == from).for_each(|node| node.owner = to);
    }

    /// An object is made.
    pub fn make(&mut self, heap: usize, kind: Kind, refs: [Option<Id>; 3]) -> Id {
        let mutable = matches!(kind, Kind::List | Kind::Table);
        let refs: [Option<Id>; 3] =
            std::array::from_fn(|index| refs[index].filter(|_| index < kind.references()));
        let owner = self.members[heap].owner;
        self.nodes.push(Node { kind, mutable, refs, owner, immortal: false, unheard: 0, left: false });
        self.nodes.len() - 1
    }

    /// Everything that can be reached from `first`, these included.
    pub fn reach(&self, first: impl IntoIterator<Item = Id>) -> Vec<Id> {
        let mut seen = vec![false; self.nodes.len()];
        let mut reached: Vec<Id> =
            first.into_iter().filter(|&id| !std::mem::replace(&mut seen[id], true)).collect();
        let mut at = 0;
        while let Some(&id) = reached.get(at) {
            at += 1;
            for next in self.nodes[id].refs.into_iter().flatten() {
                if !std::mem::replace(&mut seen[next], true) {
                    reached.push(next);
                }
            }
        }
        reached
    }

    /// Can anything mutable be reached from `first`?
    pub fn is_mutable(&self, first: Option<Id>) -> bool {
        self.reach(first).into_iter().any(|id| self.nodes[id].mutable)
    }

    /// The most changes of owner on any path through immutable objects.
    pub fn changes_of_owner(&self) -> usize {
        // An immutable object that was born so refers to older ones; one that was frozen may refer to anything, also in
        // a circle, but a circle has one owner. So a few rounds over all of them, until nothing changes, will do.
        let mut changes = vec![0; self.nodes.len()];
        loop {
            let mut changed = false;
            for (id, node) in self.nodes.iter().enumerate() {
                let below = |next: Id| changes[next] + usize::from(self.nodes[next].owner != node.owner);
                let most = node.refs.into_iter().flatten().map(below).max().unwrap_or(0);
                changed |= most > changes[id];
                changes[id] = most.max(changes[id]);
            }
            if !changed {
                return changes.into_iter().max().unwrap_or(0);
            }
        }
    }
}

impl Kind {
    /// How many references of its objects are used.
    pub const fn references(self) -> usize {
        match self {
            Kind::Leaf => 0,
            Kind::Node => 2,
            Kind::List | Kind::Long | Kind::Table => 3,
        }
    }
}
