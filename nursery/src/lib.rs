//! The nursery: where objects are born, by moving a finger up.
//!
//! This crate is address arithmetic. It never touches the memory it hands out and never asks the system for
//! more: its owner gives it a *range* of addresses and takes care of the memory behind it.
//!
//! ```text
//! base                 top            limit                    end
//!  |#### objects #######|---- free ----|---- not yet allowed ----|
//! ```
//!
//! **Invariant:** `base <= top <= limit <= end`, and all four are multiples of [`WORD_BYTES`].
//!
//! Allocation fails at the `limit`, not at the `end`: there the owner decides whether a collection is wanted,
//! whether the heap may grow, and how far the limit may be raised. Nothing is collected here. When a range is
//! full before the host reached a safepoint, the owner lets the nursery *spill* into another one.
#![forbid(unsafe_code)]

use std::cell::{Cell, RefCell};
use std::ops::Range;

/// Every object begins at a multiple of this many bytes, and takes a multiple of them. (In a block it takes whole
/// granules, which are larger: here, where most objects die, none pays for what tables of old ones need.)
pub const WORD_BYTES: usize = 8;

/// A place where the finger stood once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Ranges that were filled by then.
    filled: usize,
    top: usize,
}

impl Mark {
    /// The address of the finger then.
    pub fn top(self) -> usize {
        self.top
    }
}

/// The finger, its limits, and the ranges filled since the last reset.
#[derive(Debug)]
#[repr(C)]
pub struct Nursery {
    base: Cell<usize>,
    end: Cell<usize>,
    /// The highest place in this range that the finger was taken back from, or 0.
    rewound: Cell<usize>,
    top: Cell<usize>,
    limit: Cell<usize>,
    /// Ranges that were filled since the last reset, oldest first, without their unused ends.
    filled: RefCell<Vec<Range<usize>>>,
    filled_bytes: Cell<usize>,
    /// Loans that have not been taken back.
    loans: Cell<usize>,
}

impl Nursery {
    /// Where the finger stands in a `Nursery`, for code that bumps it inline.
    pub const TOP_OFFSET: usize = std::mem::offset_of!(Nursery, top);
    /// Where the limit stands in a `Nursery`, for code that bumps the finger inline.
    pub const LIMIT_OFFSET: usize = std::mem::offset_of!(Nursery, limit);

    /// A nursery in `range`, in which nothing may be allocated before the limit is raised.
    ///
    /// # Panics
    /// The range is empty or its ends are no multiples of a word.
    pub fn new(range: Range<usize>) -> Nursery {
        let nursery = Nursery {
            base: Cell::new(0),
            top: Cell::new(0),
            limit: Cell::new(0),
            end: Cell::new(0),
            rewound: Cell::new(0),
            filled: RefCell::default(),
            filled_bytes: Cell::new(0),
            loans: Cell::new(0),
        };
        nursery.enter(range);
        nursery
    }

    fn enter(&self, range: Range<usize>) {
        assert!(range.start < range.end, "an empty range");
        assert!(range.start.is_multiple_of(WORD_BYTES) && range.end.is_multiple_of(WORD_BYTES));
        self.base.set(range.start);
        self.top.set(range.start);
        self.limit.set(range.start);
        self.end.set(range.end);
        self.rewound.set(0);
    }

    /// Takes `bytes` (a multiple of a word), or `None` at the limit. A handful of instructions.
    #[inline(always)]
    pub fn bump(&self, bytes: usize) -> Option<usize> {
        debug_assert!(bytes.is_multiple_of(WORD_BYTES));
        let at = self.top.get();
        if bytes > self.limit.get() - at {
            return None;
        }
        self.top.set(at + bytes);
        Some(at)
    }

    /// Raises the limit so that `bytes` more can be taken, as far as the range goes. Says whether `least`
    /// bytes fit now.
    pub fn raise(&self, bytes: usize, least: usize) -> bool {
        let top = self.top.get();
        let limit = top.saturating_add(bytes).min(self.end.get()) / WORD_BYTES * WORD_BYTES;
        self.limit.set(limit.max(self.limit.get()));
        self.limit.get() - top >= least
    }

    /// Lowers the limit so that at most `bytes` more can be taken. What is lent stays so.
    pub fn lower(&self, bytes: usize) {
        let limit = self.top.get().saturating_add(bytes) / WORD_BYTES * WORD_BYTES;
        self.limit.set(limit.min(self.limit.get()));
    }

    /// Goes on in another range; what lies in this one stays.
    pub fn spill(&self, range: Range<usize>) {
        let used = self.base.get()..self.top.get();
        self.filled_bytes.set(self.filled_bytes.get() + used.len());
        self.filled.borrow_mut().push(used);
        self.enter(range);
    }

    /// Lends all that may be allocated, for somebody else to move the finger in it. Until it is taken back it counts as
    /// allocated, and what is taken meanwhile lies behind it.
    #[inline]
    pub fn lend(&self) -> Range<usize> {
        self.loans.set(self.loans.get() + 1);
        self.top.replace(self.limit.get())..self.limit.get()
    }

    /// Takes back what has not been used of what was lent.
    #[inline]
    pub fn take_back(&self, rest: Range<usize>) {
        self.loans.set(self.loans.get() - 1);
        if rest.end == self.top.get() && rest.start >= self.base.get() {
            self.top.set(rest.start);
        } else if !rest.is_empty() {
            self.leave_out(rest);
        }
    }

    /// Something was allocated behind `unused`: no object lies there.
    #[cold]
    fn leave_out(&self, unused: Range<usize>) {
        let mut filled = self.filled.borrow_mut();
        let holds = |used: &Range<usize>| used.start <= unused.start && unused.end <= used.end;
        if holds(&(self.base.get()..self.top.get())) {
            let before = self.base.replace(unused.end)..unused.start;
            self.filled_bytes.set(self.filled_bytes.get() + before.len());
            filled.push(before);
            return;
        }
        let index = filled.iter().position(holds).expect("what was lent lies in a range");
        let behind = unused.end..std::mem::replace(&mut filled[index].end, unused.start);
        self.filled_bytes.set(self.filled_bytes.get() - unused.len());
        filled.insert(index + 1, behind);
    }

    /// Forgets all objects and goes on in `range`.
    pub fn reset(&mut self, range: Range<usize>) {
        self.filled.get_mut().clear();
        self.filled_bytes.set(0);
        self.enter(range);
    }

    /// Is this the address of something allocated since the last reset?
    #[inline(always)]
    pub fn contains(&self, address: usize) -> bool {
        address.wrapping_sub(self.base.get()) < self.top.get() - self.base.get()
            || (self.filled_bytes.get() > 0
                && self.filled.borrow().iter().any(|range| range.contains(&address)))
    }

    /// Where the finger stands.
    pub fn mark(&self) -> Mark {
        Mark { filled: self.filled.borrow().len(), top: self.top.get() }
    }

    /// Is the finger still in the range of that mark?
    pub fn is_in_place(&self, mark: Mark) -> bool {
        self.filled.borrow().len() == mark.filled
    }

    /// Is this the address of something allocated since that mark?
    pub fn is_since(&self, mark: Mark, address: usize) -> bool {
        if self.is_in_place(mark) {
            return (mark.top..self.top.get()).contains(&address);
        }
        let filled = self.filled.borrow();
        (self.base.get()..self.top.get()).contains(&address)
            || (mark.top..filled[mark.filled].end).contains(&address)
            || filled[mark.filled + 1..].iter().any(|range| range.contains(&address))
    }

    /// Forgets what was allocated from `top` on.
    ///
    /// # Panics
    /// That is not between the base of this range and the finger, or no multiple of a word.
    pub fn rewind(&self, top: usize) {
        assert!(self.base.get() <= top && top <= self.top.get() && top.is_multiple_of(WORD_BYTES));
        self.rewound.set(self.rewound.get().max(self.top.get()));
        self.top.set(top);
    }

    /// The address of the next object, unless the nursery spills.
    #[inline(always)]
    pub fn top(&self) -> usize {
        self.top.get()
    }

    /// Bytes allocated since the last reset.
    pub fn used(&self) -> usize {
        self.filled_bytes.get() + (self.top.get() - self.base.get())
    }

    /// The same, and those that were allocated and forgotten: so many bytes have been written.
    pub fn reached(&self) -> usize {
        self.filled_bytes.get() + (self.top.get().max(self.rewound.get()) - self.base.get())
    }

    /// Bytes allocated since the last reset, and those that may be before the limit is met.
    pub fn opened(&self) -> usize {
        self.filled_bytes.get() + (self.limit.get() - self.base.get())
    }

    /// The parts that hold objects, oldest first.
    ///
    /// # Panics
    /// Something is lent: how much of it is used, only the borrower knows.
    pub fn occupied(&self) -> Vec<Range<usize>> {
        assert!(
            self.loans.get() == 0,
            "no object can be looked for while a burst of allocations is under way"
        );
        let mut ranges = self.filled.borrow().clone();
        ranges.push(self.base.get()..self.top.get());
        ranges
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_finger_stops_at_the_limit_and_at_the_end() {
        let nursery = Nursery::new(1024..2048);
        assert_eq!(nursery.bump(16), None);
        assert!(nursery.raise(512, 512));
        assert_eq!(nursery.bump(512), Some(1024));
        assert_eq!(nursery.bump(16), None);
        assert!(!nursery.raise(4096, 1024));
        assert_eq!(nursery.bump(512), Some(1536));
        assert_eq!((nursery.used(), nursery.opened()), (1024, 1024));
        assert_eq!(nursery.bump(16), None);
    }

    #[test]
    fn a_limit_that_is_lowered_stays_above_the_finger() {
        let nursery = Nursery::new(1024..2048);
        nursery.raise(512, 0);
        nursery.bump(256);
        nursery.lower(1000);
        assert_eq!(nursery.opened(), 512);
        nursery.lower(67);
        assert_eq!((nursery.opened(), nursery.bump(72)), (320, None));
        // Raising does not lower it.
        assert!(nursery.raise(8, 64) && !nursery.raise(8, 72));
        nursery.raise(133, 0);
        assert_eq!(nursery.opened(), 384, "whole words");
        nursery.lower(0);
        assert_eq!((nursery.opened(), nursery.bump(8)), (256, None));
    }

    #[test]
    fn a_rewound_nursery_forgets_what_came_since() {
        let nursery = Nursery::new(1024..2048);
        nursery.raise(1024, 0);
        let before = nursery.bump(32).unwrap();
        let mark = nursery.mark();
        let since = nursery.bump(64).unwrap();
        assert!(nursery.is_since(mark, since) && !nursery.is_since(mark, before));
        nursery.rewind(mark.top() + 16);
        assert_eq!(
            (nursery.used(), nursery.contains(since), nursery.contains(since + 16)),
            (48, true, false)
        );
        assert_eq!(nursery.reached(), 96);
        nursery.rewind(mark.top() + 16);
        assert_eq!(nursery.reached(), 96, "the highest place counts");
        nursery.spill(8192..9216);
        nursery.raise(1024, 0);
        let elsewhere = nursery.bump(16).unwrap();
        assert!(!nursery.is_in_place(mark));
        assert!(nursery.is_since(mark, since) && nursery.is_since(mark, elsewhere));
        assert!(!nursery.is_since(mark, before) && !nursery.is_since(mark, since + 16));
        nursery.rewind(elsewhere);
        nursery.bump(24);
        nursery.spill(512..768);
        assert!(nursery.is_since(mark, elsewhere + 16) && !nursery.is_since(mark, elsewhere + 24));
        assert_eq!(
            (nursery.used(), nursery.reached()),
            (48 + 24, 48 + 24),
            "another range, from its beginning"
        );
    }

    #[test]
    fn what_was_lent_at_the_end_of_a_range_is_not_taken_back_at_the_beginning_of_the_next() {
        let nursery = Nursery::new(1024..2048);
        nursery.raise(1024, 0);
        nursery.bump(16);
        let lent = nursery.lend();
        nursery.spill(2048..4096);
        nursery.take_back(1080..lent.end);
        assert_eq!((nursery.occupied(), nursery.top()), (vec![1024..1080, 2048..2048, 2048..2048], 2048));
    }

    #[test]
    fn what_is_lent_is_open_to_the_borrower_alone() {
        let nursery = Nursery::new(1024..2048);
        nursery.raise(512, 0);
        nursery.bump(32);
        let lent = nursery.lend();
        assert_eq!((lent.clone(), nursery.bump(8), nursery.lend()), (1056..1536, None, 1536..1536));
        nursery.take_back(1536..1536);
        nursery.take_back(1080..lent.end);
        assert_eq!((nursery.used(), nursery.bump(8)), (56, Some(1080)));
        assert_eq!(nursery.occupied(), vec![1024..1088; 1]);
    }

    #[test]
    fn all_that_there_is_may_be_lent() {
        let nursery = Nursery::new(1024..2048);
        nursery.raise(256, 0);
        let lent = nursery.lend();
        nursery.take_back(lent);
        assert_eq!((nursery.top(), nursery.occupied()), (1024, vec![1024..1024; 1]));
        let lent = nursery.lend();
        nursery.raise(256, 0);
        nursery.bump(16);
        nursery.take_back(lent);
        assert_eq!((nursery.used(), nursery.occupied()), (16, vec![1024..1024, 1280..1296]));
    }

    #[test]
    fn what_was_lent_and_not_used_is_left_out() {
        let nursery = Nursery::new(1024..2048);
        nursery.raise(256, 0);
        nursery.bump(16);
        let first = nursery.lend();
        nursery.raise(256, 0);
        assert_eq!(nursery.bump(16), Some(first.end));
        // Another is lent, and taken back first.
        let second = nursery.lend();
        nursery.take_back(second.start + 24..second.end);
        nursery.take_back(first.start + 8..first.end);
        assert_eq!(nursery.occupied(), [1024..1048, 1280..1320]);
        assert_eq!(nursery.used(), 24 + 40);
        // The third is in a range that is left.
        let third = nursery.lend();
        nursery.spill(8192..9216);
        nursery.raise(256, 0);
        nursery.bump(64);
        nursery.take_back(third.start + 16..third.end);
        assert_eq!(nursery.occupied(), [1024..1048, 1280..1336, 1536..1536, 8192..8256]);
        assert_eq!(nursery.used(), 24 + 56 + 64);
        assert!(nursery.contains(1330) && !nursery.contains(1340) && !nursery.contains(1100));
    }

    #[test]
    fn a_spilled_nursery_remembers_what_it_holds() {
        let mut nursery = Nursery::new(1024..2048);
        nursery.raise(1024, 0);
        let first = nursery.bump(32).unwrap();
        nursery.spill(8192..9216);
        nursery.raise(1024, 0);
        let second = nursery.bump(64).unwrap();
        assert!(nursery.contains(first) && nursery.contains(second));
        assert!(!nursery.contains(first + 32) && !nursery.contains(second + 64));
        assert_eq!(nursery.occupied(), [1024..1056, 8192..8256]);
        assert_eq!((nursery.used(), nursery.opened()), (32 + 64, 32 + 1024));
        nursery.reset(1024..2048);
        assert_eq!((nursery.used(), nursery.reached(), nursery.occupied()), (0, 0, vec![1024..1024; 1]));
        assert!(!nursery.contains(first) && !nursery.contains(second));
    }
}
