//! What happens to a heap, as data.
//!
//! A history is the heap's settings and a list of steps. **Every** list of steps is a valid history, and so is
//! every part of one: an operand names an object by its label, and if no object with that label is in hand when
//! the step is reached, the label chooses another one that is (see [`crate::plan`]). That makes shrinking a
//! matter of leaving things out.

use frazil::{BlockBytes, Config, Drain};

use crate::kind::Kind;

/// The name a history gives an object when it makes it: `n7`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label(pub u32);

impl Label {
    /// The label `count` places further.
    pub fn plus(self, count: u32) -> Label {
        Label(self.0.wrapping_add(count))
    }
}

/// What a step stores, roots or passes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// The empty value: `-`.
    Empty,
    /// A word that is no reference: `#5`.
    Number(u32),
    /// An object: `n7`.
    Object(Label),
}

/// Which collection a step asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand {
    /// A short one, whatever the policy says.
    Short,
    /// A complete one.
    Complete,
    /// One that the policy chooses.
    Auto,
    /// One that the policy chooses, if the heap says that one is due.
    IfDue,
}

/// One thing that a host does. Handles, weak references and words of the root stack are counted from the latest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Makes an object. Its references are `refs`, over and over again.
    Make {
        /// Its name.
        label: Label,
        /// Its kind.
        kind: Kind,
        /// References or bytes in its tail.
        len: u32,
        /// What it refers to.
        refs: Vec<Operand>,
    },
    /// Makes objects of one kind with consecutive labels: each one's first reference is the one before, all others
    /// are `other`.
    Links {
        /// The name of the first, which all others lead to.
        label: Label,
        /// How many.
        count: u32,
        /// The kind of all. In a ring of an immutable kind the first is a [`Kind::Cell`] instead.
        kind: Kind,
        /// References or bytes in the tail of each.
        len: u32,
        /// The references that are not links, and that of the first.
        other: Operand,
        /// Does the first refer to the last?
        ring: bool,
    },
    /// Makes `count` objects of `len` bytes and forgets them at once.
    Litter {
        /// How many.
        count: u32,
        /// Bytes in each.
        len: u32,
    },
    /// Stores one reference.
    Store {
        /// Where.
        object: Label,
        /// In which reference.
        slot: u32,
        /// What.
        value: Operand,
    },
    /// Stores the same reference in a range of slots.
    Fill {
        /// Where.
        object: Label,
        /// The first slot.
        start: u32,
        /// How many slots.
        count: u32,
        /// What.
        value: Operand,
    },
    /// Changes a raw word or byte.
    Poke {
        /// Where.
        object: Label,
        /// To what.
        value: u8,
    },
    /// Freezes objects with consecutive labels, each in place and by itself.
    Freeze {
        /// The first.
        object: Label,
        /// How many.
        count: u32,
    },
    /// Freezes an object and everything it reaches.
    FreezeDeep {
        /// Where to begin.
        value: Operand,
    },
    /// Refuses or allows writes for a while.
    Guard {
        /// To what.
        object: Label,
        /// `true`: refuses.
        on: bool,
    },
    /// Takes a handle.
    Root {
        /// On what.
        value: Operand,
    },
    /// Gives a handle back.
    Unroot {
        /// Which.
        handle: u32,
    },
    /// Lets a handle hold something else.
    Reroot {
        /// Which.
        handle: u32,
        /// What.
        value: Operand,
    },
    /// Loses a handle without giving it back: what it holds is kept for good.
    Forget {
        /// Which.
        handle: u32,
    },
    /// Pushes a value on the root stack.
    Push {
        /// What.
        value: Operand,
    },
    /// Shortens the root stack.
    Pop {
        /// By how much.
        count: u32,
    },
    /// Overwrites a word of the root stack.
    Set {
        /// Which.
        slot: u32,
        /// With what.
        value: Operand,
    },
    /// Makes a weak reference.
    Weak {
        /// To what.
        object: Label,
    },
    /// Asks a weak reference for its object.
    Upgrade {
        /// Which.
        weak: u32,
        /// Is a handle taken on the answer?
        root: bool,
    },
    /// Ends a weak reference.
    Unweak {
        /// Which.
        weak: u32,
    },
    /// Asks to hear of an object's death.
    Finalize {
        /// Whose.
        object: Label,
    },
    /// Takes the next object that died.
    Take {
        /// Is a handle taken on it?
        root: bool,
    },
    /// Has the system refuse the heap's next request for memory but so many.
    Refuse {
        /// How many requests are granted before.
        after: u32,
    },
    /// Collects.
    Collect(
        /// In which way.
        Demand,
    ),
    /// Releases objects that wait in the freed-object buffer.
    Drain {
        /// At most how many.
        count: u32,
    },
}

/// The settings of the heap that a history happens to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setup {
    /// Bytes of a block.
    pub block: BlockBytes,
    /// KiB of nursery, at least one.
    pub nursery_kib: u32,
    /// Percent of the traced bytes that the nursery grows with.
    pub traced_percent: u32,
    /// May there be short collections?
    pub short: bool,
    /// Percent of the nursery's bytes below which tracing is cheap, so that complete collections are held all the same.
    pub cheap_percent: u32,
    /// Percent of growth after which a complete collection is due.
    pub growth_percent: u32,
    /// KiB of growth that never make one due.
    pub growth_kib: u32,
    /// The heap limit in KiB; zero for none.
    pub limit_kib: u32,
    /// Objects released per KiB allocated; zero drains to the end.
    pub instalment: u32,
    /// The largest count that is kept in a byte.
    pub count_max: u8,
    /// Objects of the smallest cluster; zero for no clusters.
    pub clusters: u32,
    /// Words of the root stack.
    pub stack_words: u32,
    /// Is the heap in its checking mode?
    pub check: bool,
    /// The orders of the collector's steps under which the history happens, at least one; 0 is the natural one. All
    /// must come to the same heap.
    pub orders: Vec<u32>,
}

/// Bytes after which a cluster leaves the rest to others: so few that most histories get there.
const CLUSTER_BYTES: usize = 192;

impl Setup {
    /// The plainest settings, towards which shrinking goes.
    pub fn plain() -> Setup {
        Setup {
            block: BlockBytes::K4,
            nursery_kib: 4,
            traced_percent: 50,
            short: false,
            cheap_percent: 0,
            growth_percent: 50,
            growth_kib: 4,
            limit_kib: 0,
            instalment: 0,
            count_max: 253,
            clusters: 0,
            stack_words: 64,
            check: false,
            orders: vec![0],
        }
    }

    /// The settings as the heap takes them.
    pub fn config(&self) -> Config {
        Config {
            block_bytes: self.block,
            nursery_bytes: (self.nursery_kib as usize) << 10,
            nursery_growth: Config::DEFAULT.nursery_growth,
            nursery_percent_of_traced: self.traced_percent,
            short_collections: self.short,
            cheap_percent: self.cheap_percent,
            growth_percent: self.growth_percent,
            growth_bytes: (self.growth_kib as usize) << 10,
            import_bytes: Config::DEFAULT.import_bytes,
            limit_bytes: (self.limit_kib != 0).then_some((self.limit_kib as usize) << 10),
            drain: match self.instalment {
                0 => Drain::All,
                // No limit in time: a history must mean the same on a slow machine.
                objects_per_kib => Drain::Instalments { objects_per_kib, micros_max: u32::MAX },
            },
            count_max: self.count_max,
            cluster_objects: self.clusters.checked_sub(1).map_or(u32::MAX, |less| less + 1),
            cluster_bytes: CLUSTER_BYTES,
            pages_ahead: Config::DEFAULT.pages_ahead,
            stack_words: self.stack_words as usize,
            check: self.check,
        }
    }
}

/// A heap's settings and what happens to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    /// The settings.
    pub setup: Setup,
    /// What happens, in order.
    pub steps: Vec<Step>,
}
