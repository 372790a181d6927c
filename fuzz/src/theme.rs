//! What a history dwells on. Some mistakes show only when several rare things come together, one right after
//! the other; a theme makes them likely, and plans whole sequences of steps.

use frazil::BlockBytes;

use crate::generate::{Choice, Maker};
use crate::history::{Demand, Label, Operand, Setup, Step};
use crate::kind::Kind;
use crate::random::Random;

/// References to a card (a KiB) of a large object.
const CARD: u32 = 128;
/// Words before the first reference of a [`Kind::Slots`].
const BEFORE: u32 = 2;

/// A theme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Theme {
    /// Nothing in particular.
    None,
    /// Large mutable objects that are written here and there between short collections.
    Cards,
    /// Structures that die while the drain works in instalments.
    Waiting,
    /// Cycles that are made, joined and frozen.
    Cycles,
    /// A heap limit that is reached.
    Limit,
    /// Much of everything: many blocks that fill, empty and go back to the system.
    Bulk,
}

impl Theme {
    /// Any theme.
    pub fn draw(random: &mut Random) -> Theme {
        let often = [Theme::None, Theme::None, Theme::Cards, Theme::Waiting, Theme::Cycles];
        match random.below(200) {
            // It takes a hundred times as long as anything else.
            0 => Theme::Bulk,
            // It fills fresh memory all the time, which is dear.
            1..9 => Theme::Limit,
            _ => random.pick(&often),
        }
    }

    /// The settings that the theme needs.
    pub fn adjust(self, random: &mut Random, setup: &mut Setup) {
        match self {
            Theme::Cards => {
                setup.short = true;
                // Large objects begin at half a block; everybody looks at all of them all the time.
                setup.block = random.pick(&[BlockBytes::K4, BlockBytes::K4, BlockBytes::K8, setup.block]);
            }
            Theme::Waiting => setup.instalment = random.range(1, 2),
            Theme::Limit => setup.limit_kib = 256,
            Theme::None | Theme::Cycles | Theme::Bulk => {}
        }
    }

    /// How much the theme stresses a kind of step.
    pub fn emphasis(self, choice: Choice) -> u32 {
        match (self, choice) {
            (Theme::Cards, Choice::Other | Choice::Unroot) => 3,
            (Theme::Waiting, Choice::Chain | Choice::Drain) => 6,
            (Theme::Waiting, Choice::Unroot | Choice::Pop | Choice::Weak | Choice::Complete) => 3,
            (Theme::Waiting, Choice::Upgrade | Choice::Finalize) => 2,
            (Theme::Cycles, Choice::Ring | Choice::Freeze) => 4,
            (Theme::Cycles, Choice::Store | Choice::FreezeDeep) => 2,
            (Theme::Limit, Choice::Litter) => 10,
            (Theme::Bulk, Choice::Complete | Choice::Unroot) => 6,
            _ => 1,
        }
    }
}

impl Maker {
    /// Plans what is to follow the next step, if anything.
    pub fn plan(&mut self) {
        let chance = self.random.below(100);
        match self.theme {
            Theme::Cards if self.arrays.len() < 2 || chance < 2 => self.make_array(),
            Theme::Cards if chance < 25 => self.write_array(),
            Theme::Waiting if chance < 8 => self.die_slowly(),
            Theme::Cycles if chance < 8 => self.join_rings(),
            Theme::Bulk if chance < 8 => self.much(),
            _ => {}
        }
    }

    /// A large array that is rooted, old and seen.
    fn make_array(&mut self) {
        let least = self.block.get() as u32 / 16;
        let most = least * self.random.pick(&[1, 1, 3]) + CARD;
        let len = self.random.range(least, most);
        let label = self.name(1);
        self.arrays.push((label, len));
        self.planned.extend([
            Step::Make { label, kind: Kind::Slots, len, refs: Vec::new() },
            Step::Root { value: Operand::Object(label) },
            Step::Collect(Demand::Complete),
        ]);
    }

    /// Something young goes into a large array, likely where one card ends and the next begins; then a short
    /// collection must find it.
    fn write_array(&mut self) {
        let latest = self.arrays.len().saturating_sub(3);
        let (object, len) = self.random.pick(&self.arrays[latest..]);
        let kind = self.random.pick(&[Kind::Leaf, Kind::Pair, Kind::Cell, Kind::Bytes]);
        let young = self.name(1);
        let refs = if kind.references(8) > 0 { vec![self.operand()] } else { Vec::new() };
        self.planned.push_back(Step::Make { label: young, kind, len: kind.length(8), refs });
        let boundary = CARD * self.random.range(1, (len + BEFORE) / CARD + 1) - BEFORE;
        let places = [0, boundary.saturating_sub(1), boundary, boundary + 1, len - 1, self.random.below(len)];
        let slot = self.random.pick(&places).min(len - 1);
        let value = Operand::Object(young);
        self.planned.push_back(match self.random.pick(&[1, 1, 2, 10, 300]) {
            1 => Step::Store { object, slot, value },
            count => Step::Fill { object, start: slot.saturating_sub(count / 2), count, value },
        });
        if self.random.chance(60) {
            self.planned.push_back(Step::Collect(Demand::Short));
        }
    }

    /// A chain dies and is released bit by bit; in between, part of it comes back by a weak reference.
    fn die_slowly(&mut self) {
        let len = self.random.range(3, 8);
        let label = self.name(len);
        let inside = label.plus(self.random.below(len - 1));
        let other = self.operand();
        self.planned.extend([
            Step::Links { label, count: len, kind: Kind::Pair, len: 0, other, ring: false },
            Step::Push { value: Operand::Object(label.plus(len - 1)) },
            Step::Weak { object: inside },
            Step::Collect(Demand::Complete),
            Step::Pop { count: 1 },
        ]);
        if self.random.chance(30) {
            self.planned.push_back(Step::Finalize { object: inside });
        }
        self.planned.push_back(Step::Collect(Demand::Complete));
        if self.random.chance(60) {
            self.planned.push_back(Step::Upgrade { weak: 0, root: self.random.chance(60) });
        }
        self.planned.push_back(Step::Drain { count: self.random.range(1, 8) });
    }

    /// Half a mebibyte or more, in objects of one size, on a handle of its own.
    fn much(&mut self) {
        let most = self.block.get() as u32 / 2 - 100;
        let len = self.random.range(most / 8, most);
        let count = self.random.range(600 << 10, 1500 << 10) / len;
        let label = self.name(count);
        let kind = self.random.pick(&[Kind::Keyed, Kind::Table]);
        self.planned.extend([
            Step::Links { label, count, kind, len, other: Operand::Empty, ring: false },
            Step::Root { value: Operand::Object(label.plus(count - 1)) },
            Step::Collect(Demand::Complete),
        ]);
    }

    /// Two rings that lead to each other; all but perhaps one are frozen, young or old.
    fn join_rings(&mut self) {
        let lens = [0; 2].map(|_| self.random.range(1, 4));
        let rings = lens.map(|len| self.name(len));
        for (ring, len) in rings.into_iter().zip(lens) {
            let kind = self.random.pick(&[Kind::Row, Kind::Row, Kind::Table, Kind::Slots]);
            self.planned.push_back(Step::Links {
                label: ring,
                count: len,
                kind,
                len: kind.length(2),
                other: Operand::Empty,
                ring: true,
            });
        }
        let mut join = |from: Label, to: Label| {
            self.planned.push_back(Step::Store { object: from, slot: 1, value: Operand::Object(to) });
        };
        join(rings[0], rings[1]);
        if self.random.chance(70) {
            join(rings[1].plus(lens[1] - 1), rings[0].plus(lens[0] - 1));
        }
        self.planned.push_back(Step::Root { value: Operand::Object(rings[0]) });
        if self.random.chance(60) {
            self.planned.push_back(Step::Collect(self.random.pick(&[Demand::Short, Demand::Complete])));
        }
        let left_out = u32::from(self.random.chance(30));
        self.planned.push_back(Step::Freeze { object: rings[0], count: lens[0] + lens[1] - left_out });
    }
}
