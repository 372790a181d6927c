//! Making histories up from a seed.
//!
//! Every seed draws its own mixture (swarm testing, Groce and others, 2012): some kinds of step are switched
//! off, others are made more likely, and so are some shapes. A history that never collects shortly, or never
//! unroots anything, gets the heap into states that the average of all mixtures would hardly ever reach. Many
//! seeds have a theme on top (`theme.rs`).

use std::collections::VecDeque;
use std::ops::RangeInclusive;

use frazil::BlockBytes;

use crate::history::{Demand, History, Label, Operand, Setup, Step};
use crate::kind::{Kind, Tail};
use crate::random::Random;
use crate::theme::Theme;

/// How long a history is: 200 steps in the mean.
const STEPS_OF_A_HISTORY: RangeInclusive<u32> = 120..=280;

/// The kinds of step and how likely each is before a seed skews them.
const STEPS: [(Choice, u32); 27] = [
    (Choice::Make, 36),
    (Choice::Ring, 6),
    (Choice::Chain, 4),
    (Choice::Litter, 2),
    (Choice::Store, 24),
    (Choice::Fill, 2),
    (Choice::Poke, 3),
    (Choice::Freeze, 5),
    (Choice::FreezeDeep, 3),
    (Choice::Guard, 1),
    (Choice::Unguard, 1),
    (Choice::Root, 12),
    (Choice::Unroot, 9),
    (Choice::Reroot, 3),
    (Choice::Forget, 1),
    (Choice::Push, 8),
    (Choice::Pop, 4),
    (Choice::Set, 3),
    (Choice::Weak, 4),
    (Choice::Upgrade, 4),
    (Choice::Unweak, 1),
    (Choice::Finalize, 3),
    (Choice::Take, 3),
    (Choice::Complete, 3),
    (Choice::Other, 4),
    (Choice::Drain, 2),
    (Choice::Refuse, 1),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    Make,
    Ring,
    Chain,
    Litter,
    Store,
    Fill,
    Poke,
    Freeze,
    FreezeDeep,
    Guard,
    Unguard,
    Root,
    Unroot,
    Reroot,
    Forget,
    Push,
    Pop,
    Set,
    Weak,
    Upgrade,
    Unweak,
    Finalize,
    Take,
    Complete,
    Other,
    Drain,
    Refuse,
}

/// Steps without which nothing can be tested; a seed may make them rare, but not switch them off.
const NEEDED: [Choice; 4] = [Choice::Make, Choice::Store, Choice::Root, Choice::Complete];

/// Kinds that a ring or a chain can be made of: they have at least one reference.
const LINKS: [Kind; 5] = [Kind::Pair, Kind::Cell, Kind::Row, Kind::Table, Kind::Keyed];

/// The history of `seed`.
pub fn generate(seed: u64) -> History {
    draw(Random::new(seed))
}

/// The history that a source of choices leads to.
pub fn draw(mut random: Random) -> History {
    let theme = Theme::draw(&mut random);
    let mut setup = setup(&mut random);
    theme.adjust(&mut random, &mut setup);
    let mut maker = Maker::new(random, setup.block, theme);
    let count = maker.random.range(*STEPS_OF_A_HISTORY.start(), *STEPS_OF_A_HISTORY.end());
    let steps = (0..count).map(|_| maker.step()).collect();
    History { setup, steps }
}

/// Settings that make the rare common: tiny counts, a tiny nursery, little room to grow.
fn setup(random: &mut Random) -> Setup {
    Setup {
        block: random.pick(&BlockBytes::ALL),
        nursery_kib: random.pick(&[1, 2, 4, 16]),
        traced_percent: random.pick(&[1, 50, 200]),
        short: random.chance(60),
        cheap_percent: random.pick(&[0, 0, 25, 400]),
        growth_percent: random.pick(&[10, 50, 200]),
        growth_kib: random.pick(&[1, 4, 64]),
        limit_kib: if random.chance(10) { random.pick(&[256, 320, 512]) } else { 0 },
        instalment: if random.chance(40) { random.pick(&[1, 1, 2, 8]) } else { 0 },
        count_max: random.pick(&[1, 2, 3, 20, 253]),
        clusters: random.pick(&[0, 1, 2, 2, 5]),
        stack_words: random.pick(&[8, 64, 4096]),
        check: random.chance(6),
        orders: orders(random),
    }
}

/// Mostly one order, and mostly not the natural one; now and then two, which must agree.
fn orders(random: &mut Random) -> Vec<u32> {
    let mut other = || 1 + random.below(1 << 20);
    let (one, two) = (other(), other());
    match random.below(32) {
        0..8 => vec![0],
        8 => vec![0, one],
        9 => vec![one, two],
        _ => vec![one],
    }
}

/// One seed's mixture, and what it has named so far.
pub(crate) struct Maker {
    pub random: Random,
    pub block: BlockBytes,
    pub theme: Theme,
    steps: Vec<u32>,
    kinds: Vec<u32>,
    /// Are there objects beyond half a block? Beyond a mebibyte?
    large: bool,
    huge: bool,
    /// Large arrays that a theme writes into, and their lengths.
    pub arrays: Vec<(Label, u32)>,
    /// What comes next, before anything else is drawn.
    pub planned: VecDeque<Step>,
    next: u32,
}

/// A factor that switches off, dampens, keeps or multiplies.
fn skew(random: &mut Random) -> u32 {
    random.pick(&[0, 1, 4, 4, 4, 4, 16])
}

impl Maker {
    fn new(mut random: Random, block: BlockBytes, theme: Theme) -> Maker {
        let steps = STEPS.map(|(choice, weight)| match skew(&mut random) * theme.emphasis(choice) {
            0 if NEEDED.contains(&choice) => weight,
            factor => weight * factor,
        });
        let mut kinds: Vec<u32> = Kind::ALL.iter().map(|_| skew(&mut random)).collect();
        // Immutable pairs and mutable cells are what most other steps need.
        kinds[Kind::Pair as usize] += 4;
        kinds[Kind::Cell as usize] += 4;
        let large = theme == Theme::Bulk || random.chance(15);
        kinds[Kind::Tuple as usize] += if theme == Theme::Waiting && large { 20 } else { 0 };
        let huge = random.chance(1);
        let (arrays, planned) = (Vec::new(), VecDeque::new());
        Maker { random, block, theme, steps: steps.to_vec(), kinds, large, huge, arrays, planned, next: 0 }
    }

    fn step(&mut self) -> Step {
        if let Some(step) = self.planned.pop_front() {
            return step;
        }
        let choice = STEPS[self.random.weighted(&self.steps)].0;
        self.plan();
        match choice {
            Choice::Make => self.make(),
            Choice::Ring | Choice::Chain => self.linked(choice),
            Choice::Litter => {
                let most = if self.theme == Theme::Limit { 8000 } else { 200 };
                Step::Litter { count: self.random.range(1, 40), len: self.random.range(8, most) }
            }
            Choice::Store | Choice::Fill | Choice::Poke => self.write(choice),
            Choice::Freeze => {
                Step::Freeze { object: self.label(), count: self.random.pick(&[1, 1, 2, 3, 8]) }
            }
            Choice::FreezeDeep => Step::FreezeDeep { value: Operand::Object(self.label()) },
            Choice::Guard | Choice::Unguard => {
                Step::Guard { object: self.label(), on: choice == Choice::Guard }
            }
            Choice::Weak => Step::Weak { object: self.label() },
            Choice::Upgrade => Step::Upgrade { weak: self.random.below(16), root: self.random.chance(40) },
            Choice::Unweak => Step::Unweak { weak: self.random.below(16) },
            Choice::Finalize => Step::Finalize { object: self.label() },
            Choice::Take => Step::Take { root: self.random.chance(40) },
            Choice::Complete => Step::Collect(Demand::Complete),
            Choice::Other => {
                Step::Collect(self.random.pick(&[Demand::Short, Demand::Short, Demand::Auto, Demand::IfDue]))
            }
            Choice::Drain => Step::Drain { count: self.random.pick(&[1, 2, 5, 1000]) },
            Choice::Refuse => Step::Refuse { after: self.random.pick(&[0, 0, 1, 3]) },
            _ => self.rooting(choice),
        }
    }

    fn rooting(&mut self, choice: Choice) -> Step {
        match choice {
            Choice::Root => Step::Root { value: self.operand() },
            Choice::Unroot => Step::Unroot { handle: self.random.below(32) },
            Choice::Reroot => Step::Reroot { handle: self.random.below(32), value: self.operand() },
            Choice::Forget => Step::Forget { handle: self.random.below(32) },
            Choice::Push => Step::Push { value: self.operand() },
            Choice::Pop => Step::Pop { count: self.random.range(1, 6) },
            _ => Step::Set { slot: self.random.below(32), value: self.operand() },
        }
    }

    fn make(&mut self) -> Step {
        let kind = Kind::ALL[self.random.weighted(&self.kinds)];
        let len = self.len(kind);
        let refs = match kind.references(len) {
            0 => Vec::new(),
            slots => (0..self.random.range(1, slots.min(4) as u32)).map(|_| self.operand()).collect(),
        };
        Step::Make { label: self.name(1), kind, len, refs }
    }

    /// The length of a tail: mostly short, now and then around the sizes where the heap changes its ways.
    fn len(&mut self, kind: Kind) -> u32 {
        let unit = match kind.tail() {
            Tail::Fixed => return 0,
            Tail::References => 8,
            Tail::Bytes => 1,
        };
        let bytes = match self.random.below(100) {
            0 if self.huge => self.random.range(900 << 10, 1300 << 10),
            1..=6 if self.large => {
                self.random.range(self.block.get() as u32 / 4, self.block.get() as u32 * 3)
            }
            7..=14 => self.random.range(8, 3000),
            _ => self.random.range(8, 100),
        };
        kind.length(bytes / unit)
    }

    fn linked(&mut self, choice: Choice) -> Step {
        let kind = self.random.pick(&LINKS);
        let other = self.operand();
        let ring = choice == Choice::Ring;
        let count = match ring {
            true => self.random.pick(&[1, 1, 2, 2, 3, 4, 9]),
            // Everybody looks at a long one after every collection.
            false if self.random.chance(3) => 300,
            false => self.random.pick(&[2, 2, 3, 5, 5, 20, 20, 60]),
        };
        Step::Links { label: self.name(count), count, kind, len: kind.length(2), other, ring }
    }

    fn write(&mut self, choice: Choice) -> Step {
        let object = self.label();
        let slot = if self.random.chance(70) { self.random.below(4) } else { self.random.bits() as u32 >> 8 };
        match choice {
            Choice::Store => Step::Store { object, slot, value: self.operand() },
            Choice::Fill => {
                let count = self.random.pick(&[1, 2, 10, 100]);
                Step::Fill { object, start: slot, count, value: self.operand() }
            }
            _ => Step::Poke { object, value: self.random.bits() as u8 },
        }
    }

    /// A new name for each of `count` objects.
    pub fn name(&mut self, count: u32) -> Label {
        let label = Label(self.next);
        self.next += count;
        label
    }

    /// A name in use: mostly a recent one, often one of the first (which become hubs), else any.
    pub fn label(&mut self) -> Label {
        let bound = self.next.max(1);
        Label(match self.random.below(10) {
            0..=4 => bound - 1 - self.random.below(bound.min(8)),
            5..=6 => self.random.below(bound.min(6)),
            _ => self.random.below(bound),
        })
    }

    pub fn operand(&mut self) -> Operand {
        match self.random.below(20) {
            0..=1 => Operand::Empty,
            2 => Operand::Number(self.random.below(1000)),
            _ => Operand::Object(self.label()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_means_one_history_and_the_settings_agree() {
        assert_eq!(generate(7), generate(7));
        assert_ne!(generate(7), generate(8));
        for seed in 0..200 {
            let history = generate(seed);
            assert_eq!(history.setup.config().check(), Ok(()), "{}", history.setup);
            assert!(STEPS_OF_A_HISTORY.contains(&(history.steps.len() as u32)));
        }
    }
}
