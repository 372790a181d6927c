//! What can happen in a world.
//!
//! Numbers of heaps, slots and handles (from the newest) are taken modulo what there is, and a step that makes no sense where it stands
//! does nothing. So any part of a list of steps is one, too.

use std::fmt;

use frazil::{BlockBytes, Config, Drain};

use crate::random::Random;

/// Words on the root stack of each heap.
pub const SLOTS: u8 = 6;
/// Heaps at a time, at most.
pub const HEAPS: usize = 5;
/// Handles outside of heaps at a time, at most.
pub const HANDLES: usize = 12;

/// The kinds of objects. Each carries its number, and refers to at most three others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Immutable, no references.
    Leaf,
    /// Immutable, two references.
    Node,
    /// Mutable, three references.
    List,
    /// Immutable, so many references that it gets blocks of its own.
    Long,
    /// Mutable, as large.
    Table,
}

/// One thing that happens. `heap` is who does it, `slot` a word of its root stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // The names say it.
pub enum Step {
    /// An object is made that refers to what some slots hold.
    Make { heap: u8, slot: u8, kind: Kind, from: [u8; 3] },
    /// What a slot holds gets another reference.
    Store { heap: u8, slot: u8, index: u8, from: u8 },
    /// A slot gets what a reference of another slot's object leads to.
    Follow { heap: u8, slot: u8, index: u8, to: u8 },
    /// A slot lets go of what it holds.
    Clear { heap: u8, slot: u8 },
    /// Everything below a slot is frozen.
    Freeze { heap: u8, slot: u8 },
    /// A handle for what a slot holds; if that must be, after a collection.
    Share { heap: u8, slot: u8, settled: bool },
    /// A handle goes into a slot; if it is `moved`, it is gone.
    Import { heap: u8, slot: u8, handle: u8, moved: bool },
    /// A handle has a clone.
    Clone { handle: u8 },
    /// A handle is dropped.
    Drop { handle: u8 },
    /// What a slot holds is copied to where nothing dies.
    Immortalise { heap: u8, slot: u8 },
    /// A weak reference to what a slot holds.
    Weak { heap: u8, slot: u8 },
    /// The oldest weak reference is upgraded into a slot, and ends.
    Upgrade { heap: u8, slot: u8 },
    /// The heap is to hear of the death of what a slot holds, if nobody else can know it yet.
    Finalize { heap: u8, slot: u8 },
    /// A collection; if it is `stopped`, its batches are still to be posted.
    Collect { heap: u8, complete: bool, stopped: bool },
    /// At most so many objects of those that wait are released, and if the heap is then `stopped`, its batches are still to be
    /// posted.
    Drain { heap: u8, objects: u8, stopped: bool },
    /// One batch of a heap that stands still is posted.
    Post { heap: u8 },
    /// A heap begins.
    Begin,
    /// A heap ends. Another one adopts what it leaves, or nobody.
    End { heap: u8, heir: Option<u8> },
}

/// The settings of a world's heaps, and what happens to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct World {
    /// How many there are at first.
    pub heaps: u8,
    /// Do they check themselves, and spoil what they free?
    pub check: bool,
    /// The largest count that fits in its byte.
    pub count_max: u8,
    /// Objects released per KiB allocated; 0: all.
    pub instalment: u32,
    /// In which legal order the collector takes its steps.
    pub order: u32,
    /// What happens.
    pub steps: Vec<Step>,
}

impl World {
    /// The world of a seed.
    pub fn new(seed: u64) -> World {
        let mut random = Random::new(seed);
        let heaps = random.range(2, HEAPS as u32) as u8;
        let length = random.range(40, 500) as usize;
        let mut steps = Vec::with_capacity(length);
        while steps.len() < length {
            match random.weighted(&[95, 4, 1]) {
                0 => steps.push(step(&mut random)),
                1 => steps.extend(passage(&mut random)),
                _ => steps.extend(release(&mut random)),
            }
        }
        World {
            heaps,
            check: random.chance(50),
            count_max: random.range(1, 3) as u8,
            instalment: if random.chance(30) { 1 } else { 0 },
            order: if random.chance(50) { random.range(1, u32::MAX) } else { 0 },
            steps,
        }
    }

    /// The settings as a heap takes them.
    pub fn config(&self) -> Config {
        Config {
            block_bytes: BlockBytes::K4,
            nursery_bytes: 64 << 10,
            short_collections: true,
            count_max: self.count_max,
            cluster_objects: 2,
            cluster_bytes: 192,
            stack_words: usize::from(SLOTS),
            check: self.check,
            drain: match self.instalment {
                0 => Drain::All,
                objects_per_kib => Drain::Instalments { objects_per_kib, micros_max: u32::MAX },
            },
            ..Config::DEFAULT
        }
    }
}

/// What a protocol is most easily broken by: one heap makes a graph and lets go of it; another one takes it, and keeps
/// the lower part only; and while it stands still, the first collects. Some steps of it may be left out.
fn passage(random: &mut Random) -> Vec<Step> {
    let [one, other] = [(); 2].map(|()| random.below(HEAPS as u32) as u8);
    let [from, slot] = [(); 2].map(|()| random.below(u32::from(SLOTS)) as u8);
    let collect = |heap, stopped| Step::Collect { heap, complete: true, stopped };
    let mut steps = vec![
        Step::Make { heap: one, slot: from, kind: Kind::Leaf, from: [from; 3] },
        Step::Make { heap: one, slot: from, kind: Kind::Node, from: [from; 3] },
        Step::Make { heap: one, slot: from, kind: Kind::Node, from: [from; 3] },
        Step::Share { heap: one, slot: from, settled: false },
        Step::Clear { heap: one, slot: from },
        Step::Import { heap: other, slot, handle: 0, moved: true },
        collect(other, false),
        Step::Follow { heap: other, slot, index: 0, to: slot },
        collect(other, true),
        collect(one, random.chance(50)),
        Step::Post { heap: other },
        collect(one, false),
    ];
    steps.retain(|_| !random.chance(5));
    steps
}

/// The same for what waits to be released: a chain ends at another heap's object, dies, and gives that up between two
/// collections, while the mutator may have got at it anew. Some steps of it may be left out.
fn release(random: &mut Random) -> Vec<Step> {
    let [one, other] = [(); 2].map(|()| random.below(HEAPS as u32) as u8);
    let [from, slot, kept] = [(); 3].map(|()| random.below(u32::from(SLOTS)) as u8);
    let collect = |heap| Step::Collect { heap, complete: true, stopped: false };
    let drain = |objects, stopped| Step::Drain { heap: other, objects, stopped };
    let mut steps = vec![
        Step::Make { heap: one, slot: from, kind: Kind::Leaf, from: [from; 3] },
        Step::Make { heap: one, slot: from, kind: Kind::Node, from: [from; 3] },
        Step::Share { heap: one, slot: from, settled: false },
        Step::Import { heap: other, slot, handle: 0, moved: true },
    ];
    let longer = Step::Make { heap: other, slot, kind: Kind::Node, from: [slot; 3] };
    steps.extend((0..random.range(2, 5)).map(|_| longer));
    steps.extend([collect(other), Step::Share { heap: other, slot, settled: true }]);
    steps.extend([Step::Weak { heap: other, slot }, Step::Clear { heap: one, slot: from }]);
    steps.extend([Step::Drop { handle: 0 }, Step::Clear { heap: other, slot }, collect(other)]);
    steps.extend([drain(1, false), Step::Upgrade { heap: other, slot: kept }, drain(1, random.chance(50))]);
    steps.extend([collect(one), Step::Post { heap: other }, drain(4, random.chance(50)), collect(one)]);
    steps.retain(|_| !random.chance(10));
    steps
}

fn step(random: &mut Random) -> Step {
    let heap = random.below(HEAPS as u32) as u8;
    let handle = random.below(HANDLES as u32) as u8;
    let mut slot = || random.below(u32::from(SLOTS)) as u8;
    let (slot, to, from) = (slot(), slot(), [slot(), slot(), slot()]);
    let index = random.below(3) as u8;
    let kinds = [(Kind::Node, 12), (Kind::List, 3), (Kind::Leaf, 2), (Kind::Long, 1), (Kind::Table, 1)];
    match random.weighted(&[36, 6, 10, 3, 8, 18, 20, 1, 3, 1, 2, 2, 14, 26, 2, 2, 1, 6]) {
        0 => {
            let kind = kinds[random.weighted(&kinds.map(|(_, weight)| weight))].0;
            Step::Make { heap, slot, kind, from }
        }
        1 => Step::Store { heap, slot, index, from: to },
        // To let go of what led to something is how things go wrong.
        2 => Step::Follow { heap, slot, index, to: if random.chance(70) { slot } else { to } },
        3 => Step::Clear { heap, slot },
        4 => Step::Freeze { heap, slot },
        5 => Step::Share { heap, slot, settled: random.chance(15) },
        6 => Step::Import { heap, slot, handle, moved: random.chance(40) },
        7 => Step::Clone { handle },
        8 => Step::Drop { handle },
        9 => Step::Immortalise { heap, slot },
        10 => Step::Weak { heap, slot },
        11 => Step::Upgrade { heap, slot },
        12 => Step::Collect { heap, complete: random.chance(65), stopped: random.chance(50) },
        13 => Step::Post { heap },
        14 => Step::Begin,
        15 => Step::Finalize { heap, slot },
        16 => Step::End { heap, heir: random.chance(40).then(|| random.below(HEAPS as u32) as u8) },
        _ => Step::Drain { heap, objects: random.range(1, 4) as u8, stopped: random.chance(50) },
    }
}

impl fmt::Display for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let World { heaps, check, count_max, instalment, order, .. } = self;
        writeln!(
            f,
            "{heaps} heaps, check {check}, count_max {count_max}, instalment {instalment}, order {order}"
        )?;
        self.steps.iter().try_for_each(|step| writeln!(f, "{step:?}"))
    }
}
