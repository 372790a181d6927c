//! The memory behind the nursery.
//!
//! A nursery has far more address space than it is meant to fill: the host may reach its safepoint late, and the
//! nursery may follow the traced part. Only what is used takes memory, and what was used once too often goes
//! back.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use nursery::Nursery;

use crate::os::{Mapping, Refused, SPELL, System, page_bytes, set_accessible};

/// Bytes of the smallest range. Larger: fewer ranges for late safepoints. Smaller: less address space.
const RANGE_BYTES: usize = if cfg!(miri) { 256 << 10 } else { 64 << 20 };
/// What a nursery has beyond so many bytes asks for huge pages: objects are evacuated in the order of the references to
/// them, and a translation would be missed for each otherwise. Smaller: a heap takes more memory than it uses.
const SMALL_PAGES_BYTES: usize = 4 << 20;
/// So many old nurseries stay inaccessible in checking mode; then their addresses may come again.
const FORBIDDEN_MAX: usize = 8;

/// The young generation, large objects apart.
#[repr(C)]
pub(crate) struct Young {
    pub nursery: Nursery,
    system: Rc<System>,
    /// The configured size.
    bytes: usize,
    /// The range the nursery began in, then those it spilled into.
    ranges: RefCell<Vec<Mapping>>,
    /// Checking mode: the memory of the last nurseries, inaccessible as far as it was used, and when each was emptied.
    forbidden: VecDeque<(Mapping, u64)>,
    /// No more bytes of a range have been written and kept, those in use apart.
    written: usize,
    /// How often the nursery was emptied: once by every collection.
    emptied: u64,
    /// The most that was used since the spell began.
    needed: usize,
    /// Huge pages were asked for.
    huge: Cell<bool>,
}

impl Young {
    /// A nursery of `bytes` bytes, in which nothing may be allocated before it is opened.
    pub fn new(bytes: usize, system: Rc<System>) -> Result<Young, Refused> {
        let range = map(bytes, &system)?;
        Ok(Young {
            nursery: Nursery::new(range.range()),
            system,
            bytes,
            ranges: RefCell::new(vec![range]),
            forbidden: VecDeque::new(),
            written: 0,
            emptied: 0,
            needed: 0,
            huge: Cell::new(false),
        })
    }

    /// So many bytes fit where the nursery begins.
    pub fn range_bytes(&self) -> usize {
        self.ranges.borrow()[0].range().len()
    }

    /// Lets `bytes` bytes be allocated.
    pub fn open(&self, bytes: usize) {
        if bytes > SMALL_PAGES_BYTES && !self.huge.replace(true) {
            self.ranges.borrow()[0].prefer_huge_pages(SMALL_PAGES_BYTES);
        }
        self.nursery.raise(bytes, 0);
    }

    /// Takes `bytes`, although the limit was reached, and lets `more` be allocated in all; in another range if
    /// this one is full.
    pub fn extend(&self, bytes: usize, more: usize) -> Result<usize, Refused> {
        if !self.nursery.raise(more, bytes) {
            let range = map(self.bytes.max(more), &self.system)?;
            self.nursery.spill(range.range());
            self.ranges.borrow_mut().push(range);
            self.nursery.raise(more, bytes);
        }
        self.nursery.bump(bytes).ok_or(Refused)
    }

    /// Ends everything in the nursery. The memory of `keep` bytes is kept. If `forbid` is set, what was used is made
    /// inaccessible and other memory takes its place.
    pub fn empty(&mut self, keep: usize, forbid: bool) {
        let keep = keep.max(self.system.keeps());
        self.emptied += 1;
        let ranges = self.ranges.get_mut();
        let used = self.nursery.reached();
        self.written = self.written.max(if forbid { used } else { used.min(keep) });
        for range in self.nursery.occupied() {
            set_accessible(range.start, range.len(), false);
        }
        if forbid && let Ok(range) = map(self.bytes, &self.system) {
            for old in ranges.drain(..) {
                old.forbid(used);
                self.forbidden.push_back((old, self.emptied));
            }
            ranges.push(range);
            self.huge.set(false);
            self.permit(FORBIDDEN_MAX);
        }
        let ranges = self.ranges.get_mut();
        ranges.truncate(1);
        if used > keep {
            give_back_behind(&ranges[0], keep);
        }
        self.nursery.reset(ranges[0].range());
        self.needed = self.needed.max(used);
        if self.emptied.is_multiple_of(SPELL.into()) {
            let needed = std::mem::take(&mut self.needed);
            self.give_back(keep.max(needed));
        }
    }

    /// If nothing is in the nursery: gives back what was written once, but for `keep` bytes.
    pub fn give_back(&mut self, keep: usize) {
        let keep = keep.max(self.system.keeps());
        // What was written in checking mode lies in the old nurseries.
        if self.written > keep && self.nursery.reached() == 0 && self.forbidden.is_empty() {
            give_back_behind(&self.ranges.get_mut()[0], keep);
            self.written = keep;
        }
    }

    /// Leaves only the last `most` nurseries inaccessible.
    fn permit(&mut self, most: usize) {
        for (mut range, _) in self.forbidden.drain(..self.forbidden.len().saturating_sub(most)) {
            if self.system.has_pool() {
                range.permit(self.written);
                self.system.inherits(&mut range, self.written);
            }
        }
    }

    /// Does this address belong to the nursery, in use or not, or in checking mode to one of the last?
    pub fn has(&self, address: usize) -> bool {
        self.ranges.borrow().iter().any(|mapping| mapping.range().contains(&address))
            || self.emptied_by(address).is_some()
    }

    /// In checking mode: the number of the collection that emptied the nursery this address was in, if that is
    /// not long ago.
    pub fn emptied_by(&self, address: usize) -> Option<u64> {
        let (_, number) = self.forbidden.iter().find(|(mapping, _)| mapping.range().contains(&address))?;
        Some(*number)
    }
}

impl Drop for Young {
    fn drop(&mut self) {
        self.permit(0);
        let written = self.written.max(self.nursery.reached());
        for range in self.ranges.get_mut() {
            self.system.inherits(range, written);
        }
    }
}

/// Gives back the memory behind the first `keep` bytes.
fn give_back_behind(mapping: &Mapping, keep: usize) {
    let range = mapping.range();
    mapping.give_back((range.start + keep).min(range.end)..range.end);
}

/// Address space for a nursery of `bytes` bytes.
fn map(bytes: usize, system: &System) -> Result<Mapping, Refused> {
    system.map(bytes.saturating_mul(4).max(RANGE_BYTES), page_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_late_safepoint_took_goes_back() {
        let mut young = Young::new(1 << 20, Rc::default()).expect("memory");
        let first = young.nursery.top();
        young.open(1 << 20);
        // The first range has no room for both.
        for _ in 0..2 {
            let (bytes, more) = (young.range_bytes() / 2 + 8, young.range_bytes() / 2 + 1024);
            let address = young.extend(bytes, more).expect("memory");
            assert!(young.has(address) && young.nursery.bump(1024 - 8).is_some());
        }
        assert_eq!(young.ranges.borrow().len(), 2);
        young.empty(0, false);
        assert_eq!((young.ranges.borrow().len(), young.nursery.used(), young.nursery.top()), (1, 0, first));
    }

    #[test]
    fn what_was_needed_once_goes_back() {
        const MIB: usize = 1 << 20;
        let mut young = Young::new(MIB, Rc::default()).expect("address space");
        let use_up = |young: &mut Young, used: usize, keep: usize| {
            young.extend(used, used).expect("room");
            young.empty(keep, false);
            young.written
        };
        assert_eq!(use_up(&mut young, 32 * MIB, 64 * MIB), 32 * MIB);
        // It may be needed again soon; after a spell in which it was not, it goes.
        assert_eq!(use_up(&mut young, MIB, 4 * MIB), 32 * MIB);
        let left = (0..2 * SPELL).map(|_| use_up(&mut young, 2 * MIB, MIB * 4)).last();
        assert_eq!(left, Some(4 * MIB));
        // A host with time to spare needs not wait, but what is in use stays.
        use_up(&mut young, 32 * MIB, 64 * MIB);
        young.extend(MIB, MIB).expect("room");
        young.give_back(MIB);
        assert_eq!(young.written, 32 * MIB);
        young.empty(64 * MIB, false);
        young.give_back(MIB);
        assert_eq!(young.written, MIB);
    }

    #[test]
    fn what_the_next_heap_will_need_is_not_given_back() {
        const MIB: usize = 1 << 20;
        let pool = crate::Pool::new();
        let mut young = Young::new(MIB, Rc::new(System::new(Some(&pool)))).expect("address space");
        young.extend(2 * MIB, 2 * MIB).expect("room");
        young.empty(0, false);
        assert_eq!(young.written, 2 * MIB);
        young.give_back(0);
        assert_eq!(young.written, 2 * MIB);
    }
}
