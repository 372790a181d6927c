//! Phase 4: the freed-object buffer is drained.
//!
//! Each object in the buffer is dead. Every reference it has counts one less; what nobody counts and nobody
//! retains any more joins the buffer; then the cell is free. Not before phase 3 is over: until then it is not
//! known what is retained. Cells freed now are reused by the next collection, for this one promotes nothing
//! any more.
//!
//! In instalments, what remains waits in the buffer. Its references go on counting, so nothing else changes.

use std::time::{Duration, Instant};

use crate::Fault;
use crate::host::{Host, Words};
use crate::object::ObjRef;
use crate::old::{Old, target, targets};
use crate::order::{Choice, take};
use crate::shape::{COMPONENT, Header};
use crate::space::Lane;
use crate::stats::Report;

use super::queue::Queue;

/// Objects (or parts of large ones) released between two looks at the clock. Larger: fewer looks. Smaller: the
/// time is kept better.
const LOOK_EVERY: usize = 64;

/// References of one object that are counted down at a time, between two looks at the budget. Larger: less
/// overhead. Smaller: instalments keep their bounds better.
const PART: usize = 512;

/// So many objects of a cluster, whose cells are freed a block at a time, count as one that is released. Larger, smaller:
/// as for [`PART`].
const CLUSTERED: usize = 64;

/// How much one instalment may release.
pub(crate) struct Budget {
    objects: usize,
    /// How many of them before the next look at the clock. The first comes late enough that every instalment releases some.
    unlooked: usize,
    until: Option<Instant>,
}

impl Budget {
    /// No bound.
    pub const ALL: Budget = Budget { objects: usize::MAX, unlooked: usize::MAX, until: None };

    /// At most so many objects, and no longer than that.
    pub fn new(objects: usize, time: Option<Duration>) -> Budget {
        let until = time.and_then(|time| Instant::now().checked_add(time));
        Budget { objects, unlooked: LOOK_EVERY, until }
    }

    /// Takes so many off, for what was released at one go.
    fn spend(&mut self, objects: usize) {
        self.objects = self.objects.saturating_sub(objects);
        self.unlooked = self.unlooked.saturating_sub(objects);
    }

    fn is_spent(&mut self) -> bool {
        let Some(left) = self.objects.checked_sub(1) else { return true };
        self.objects = left;
        if let Some(left) = self.unlooked.checked_sub(1) {
            self.unlooked = left;
            return false;
        }
        self.unlooked = LOOK_EVERY - 1;
        self.until.is_some_and(|until| Instant::now() >= until)
    }
}

impl Old {
    /// Releases objects from the buffer until it is empty or the budget is spent.
    pub(crate) fn drain<H: Host>(&mut self, mut budget: Budget, report: &mut Report) {
        let mut queue = Queue::default();
        let mut counted_down = Queue::default();
        let (objects, bytes) = (self.space.objects, self.space.bytes);
        while !budget.is_spent() {
            if let Some((object, next)) = self.partly {
                self.release_part::<H>(object, next);
            } else if let Some(object) = queue.next(|| {
                take::<H, _>(Choice::Buffer, &mut self.buffer).inspect(|object| object.prefetch_start())
            }) {
                self.release::<H>(object, &mut counted_down, &mut budget);
            } else if let Some(target) = counted_down.next(|| None) {
                self.decrement(target);
            } else {
                break;
            }
        }
        counted_down.rest().for_each(|target| self.decrement(target));
        self.buffer.extend(queue.rest());
        if H::commits(Fault::ForgottenBuffer) {
            self.buffer.clear();
        }
        report.freed_objects += objects - self.space.objects;
        report.freed_bytes += bytes - self.space.bytes;
        report.waiting = self.waiting().count();
    }

    /// Counts down the next references of an object with many. The slots are emptied, so that those that still
    /// count can be told from those that don't.
    fn release_part<H: Host>(&mut self, object: ObjRef, next: usize) {
        let header = object.header();
        let end = header.references().min(next + PART);
        for index in next..end {
            let slot = object.slot::<H>(header, index);
            if let Some(target) = target::<H>(slot.get()) {
                slot.set(H::EMPTY);
                self.decrement_anywhere(target);
            }
        }
        self.partly = (end < header.references()).then_some((object, end));
        if self.partly.is_none() {
            self.space.free(object);
        }
    }

    /// Most objects are small, and refer to nothing but objects of this heap: they take the short way. What they refer to
    /// is counted down when its count has had the time to come into the cache.
    fn release<H: Host>(&mut self, object: ObjRef, counted_down: &mut Queue, budget: &mut Budget) {
        let block = self.space.state_of(object);
        if !block.is_of_lane(Lane::Leaf as u8) {
            let header = object.header();
            if block.is_head() || self.space.abroad || header.has(COMPONENT) || header.references() > PART {
                return self.release_with_care::<H>(object, header, budget);
            }
            if !H::commits(Fault::SkippedDecrement) {
                for target in targets::<H>(object, header) {
                    target.prefetch_count();
                    if let Some(target) = counted_down.exchange(Some(target)) {
                        self.decrement(target);
                    }
                }
            }
        }
        self.space.free_cell(object, block);
    }

    fn release_with_care<H: Host>(&mut self, object: ObjRef, header: Header, budget: &mut Budget) {
        if header.has(COMPONENT) {
            if let Some(objects) = self.release_cluster::<H>(object) {
                return budget.spend(objects / CLUSTERED);
            }
            if self.components.has(object) {
                return self.release_component::<H>(object);
            }
            // The head of a cluster that was dissolved is an object like any other. (So is, after the fault of that name, a
            // member that was freed by itself.)
        }
        // Whether a word is a reference may depend on one that would be emptied before it.
        let divisible = !matches!(H::words(header), Words::Asked { .. });
        if header.references() > PART && divisible {
            self.partly = Some((object, 0));
            return;
        }
        targets::<H>(object, header).for_each(|target| self.decrement_anywhere(target));
        self.space.free(object);
    }

    /// A component dies as a whole.
    fn release_component<H: Host>(&mut self, first: ObjRef) {
        for member in self.members(first).expect("a representative has a component") {
            for target in targets::<H>(member, member.header()) {
                if !self.is_in(target, first) {
                    self.decrement_anywhere(target);
                }
            }
        }
        for member in self.part(first) {
            self.space.free(member);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_is_looked_at_after_so_much_at_one_go_or_not() {
        let goes_on = |at_one_go| {
            let mut budget = Budget::new(1000, Some(Duration::ZERO));
            budget.spend(at_one_go);
            (0..).take_while(|_| !budget.is_spent()).count()
        };
        assert_eq!([0, 10, LOOK_EVERY].map(goes_on), [LOOK_EVERY, LOOK_EVERY - 10, 0]);
    }
}
