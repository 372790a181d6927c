//! Between a stack of objects and the work on them: a short queue, in which they wait for their memory.
//!
//! An object that lies somewhere in a large heap takes a hundred nanoseconds to come into the cache, and the work on it
//! five. So the cache is told of each when it leaves the stack, and it is worked on when fifteen more have left it. Objects whose
//! counts are to go up or down wait in the same way, for their counts.

use crate::object::ObjRef;

/// Objects whose memory is on its way. Larger: more time for it to arrive. Smaller: less is pushed out again before it
/// is used, and the order stays nearer to depth first.
const PREFETCHED: usize = 16;

/// Objects on their way from a stack to where they are worked on.
#[derive(Default)]
pub(super) struct Queue {
    waiting: [Option<ObjRef>; PREFETCHED],
    turn: usize,
}

impl Queue {
    /// The object that has waited longest, with others from `stack` behind it. `None`: both are empty.
    #[inline(always)]
    pub fn next(&mut self, mut stack: impl FnMut() -> Option<ObjRef>) -> Option<ObjRef> {
        while let Some(next) = stack() {
            next.prefetch();
            if let Some(first) = self.exchange(Some(next)) {
                return Some(first);
            }
        }
        // After so many turns nothing waits any more.
        (0..PREFETCHED).find_map(|_| self.exchange(None))
    }

    /// Puts one in, or nothing, and takes out what was put in sixteen turns ago.
    #[inline(always)]
    pub fn exchange(&mut self, next: Option<ObjRef>) -> Option<ObjRef> {
        let first = std::mem::replace(&mut self.waiting[self.turn % PREFETCHED], next);
        self.turn += 1;
        first
    }

    /// What still waits.
    pub fn rest(self) -> impl Iterator<Item = ObjRef> {
        self.waiting.into_iter().flatten()
    }
}
