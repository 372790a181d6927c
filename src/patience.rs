//! How long to leave alone what was of no use: twice as long each time.

use std::ops::RangeInclusive;

/// Turns to come before something is tried again.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Patience {
    pub left: u32,
    /// How many turns it was the last time; 0 if it has been of use since.
    pub last: u32,
}

impl Patience {
    /// It was of no use: it is left alone for twice as long as the last time, within these bounds.
    pub fn renew(&mut self, turns: RangeInclusive<u32>) {
        self.last = self.longer(turns);
        self.left = self.last;
    }

    /// The last time was of less use than was thought: it is found out meanwhile that this one should be twice as long, if
    /// it may be.
    pub fn lengthen(&mut self, turns: RangeInclusive<u32>) {
        let longer = self.longer(turns);
        self.left += longer - self.last;
        self.last = longer;
    }

    fn longer(&self, turns: RangeInclusive<u32>) -> u32 {
        (self.last * 2).clamp(*turns.start(), *turns.end())
    }

    /// It seems to be of use: the next time will be half as long.
    pub fn shorten(&mut self) {
        self.last /= 2;
    }

    /// A turn passes.
    pub fn pass(&mut self) {
        self.left = self.left.saturating_sub(1);
    }

    /// It was of use.
    pub fn reward(&mut self) {
        self.last = 0;
    }

    /// May it be tried?
    pub fn is_over(&self) -> bool {
        self.left == 0
    }
}
