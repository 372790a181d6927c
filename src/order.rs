//! The order of a collection's steps: what the theory leaves open, and what it does not.
//!
//! A collection is a list of [`Stage`]s. [`Stage::before`] says which stages must be over before another one
//! begins: that partial order is what the proof rests on, and any list that keeps it is *legal*. Within a stage
//! hardly anything is prescribed; where the collector could as well take another step first, there is a
//! [`Choice`].
//!
//! A host that does its work leaves all of this alone ([`crate::Host::REORDERS`]), and then none of it is in its code: it
//! gets [`Stage::NATURAL`], and every choice is the natural one. A host that is tested may play, and the proof machinery
//! does: under every legal order a history must come to the same heap, and every illegal one must be found out.

use std::borrow::Cow;

use crate::host::Host;

/// A step of a collection that is over before another begins.
///
/// A host may have them taken in any legal order ([`crate::Host::order`]), to test itself; their phases are those of *How a
/// collection runs* in `NOTES.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// What other owners have posted is applied.
    Receive,
    /// Phase 0: a new epoch begins, so that a block's current bits become its previous ones when it is touched.
    Flip,
    /// Phases 1 and 2 from the root stack.
    ReachStack,
    /// Phases 1 and 2 from the handles.
    ReachHandles,
    /// Phases 1 and 2 from the touched objects, in a short collection.
    ReachTouched,
    /// Finalizable objects that nothing has reached are revived: they are further roots.
    Revive,
    /// The end of phase 2: counts that were put off go up. (In the natural order none is.)
    Count,
    /// Phase 3, in a complete collection.
    Diff,
    /// Phase 4, and the freed cells may be used again.
    Drain,
    /// Finalizable objects that the drain has revived go to their queue.
    Enqueue,
    /// What the counts of other owners' objects change by is posted.
    Post,
    /// Weak references to what has died are cleared, the others follow what has moved.
    ClearWeak,
}

impl Stage {
    /// All stages, in the order in which a collection takes them.
    pub const NATURAL: [Stage; 12] = [
        Stage::Receive,
        Stage::Flip,
        Stage::ReachStack,
        Stage::ReachHandles,
        Stage::ReachTouched,
        Stage::Revive,
        Stage::Count,
        Stage::Diff,
        Stage::Drain,
        Stage::Enqueue,
        Stage::Post,
        Stage::ClearWeak,
    ];

    /// The stages that must be over before this one begins (and, with them, those before them).
    pub const fn before(self) -> &'static [Stage] {
        match self {
            Stage::Receive => &[],
            // A candidate is taken for something that the last epoch retained, so that the diff judges it.
            Stage::Flip => &[Stage::Receive],
            Stage::ReachStack | Stage::ReachHandles | Stage::ReachTouched => &[Stage::Flip],
            // Until all roots are followed nobody knows what is dead.
            Stage::Revive => &[Stage::ReachStack, Stage::ReachHandles, Stage::ReachTouched],
            Stage::Count => &[Stage::Revive],
            // A bit that comes later would be missed, and so would a count.
            Stage::Diff => &[Stage::Count],
            // No decrement before the last bit is set, the last count has gone up, and the diff has said what
            // was dropped. So no cell is used again in the collection that frees it.
            Stage::Drain => &[Stage::Diff],
            // What the drain releases may be somebody else's.
            Stage::Enqueue | Stage::Post | Stage::ClearWeak => &[Stage::Drain],
        }
    }

    /// Does `order` hold every stage once, and each after those that must be over before it?
    pub fn is_legal(order: &[Stage]) -> bool {
        let ready = |(at, stage): (usize, &Stage)| {
            !order[..at].contains(stage) && stage.before().iter().all(|before| order[..at].contains(before))
        };
        order.len() == Stage::NATURAL.len() && order.iter().enumerate().all(ready)
    }
}

/// Where a collection may take any of several steps next ([`crate::Host::choose`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Choice {
    /// Which root of a stage is looked at.
    Root,
    /// Is what is gray scanned now (0), or after another root?
    Scan,
    /// Which gray object is scanned. The last one: depth first; the first: breadth first.
    Gray,
    /// By how much the references of all objects are rotated before they are followed; backwards, if it is odd.
    Reference,
    /// Is what a root leads to counted one by one (0), or as one?
    Cluster,
    /// Does a count go up now (0), or in its own stage?
    PutOff,
    /// Which of the counts that were put off goes up.
    Count,
    /// Which block is compared.
    Block,
    /// Which object leaves the freed-object buffer.
    Buffer,
    /// How many objects an instalment releases, where only some may be released.
    Instalment,
}

/// The stages of a collection of `H`.
pub(crate) fn stages<H: Host>() -> Cow<'static, [Stage]> {
    if H::REORDERS { H::order() } else { Cow::Borrowed(&Stage::NATURAL) }
}

/// Takes one of `items`: the last one, unless `H` plays.
#[inline(always)]
pub(crate) fn take<H: Host, T>(choice: Choice, items: &mut Vec<T>) -> Option<T> {
    if H::REORDERS && items.len() > 1 {
        return Some(items.remove(H::choose(choice, items.len())));
    }
    items.pop()
}

/// Puts `items` into another order, if `H` plays.
pub(crate) fn shuffle<H: Host, T>(choice: Choice, items: &mut [T]) {
    if H::REORDERS {
        for left in (2..=items.len()).rev() {
            items.swap(left - 1, H::choose(choice, left));
        }
    }
}

/// Do as the natural order would have it, at a choice between that (0) and something else?
#[inline(always)]
pub(crate) fn natural<H: Host>(choice: Choice) -> bool {
    !H::REORDERS || H::choose(choice, 2) == 0
}

/// How the references of objects are numbered while one collection follows them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Turn(usize);

impl Turn {
    pub fn choose<H: Host>() -> Turn {
        Turn(if H::REORDERS { H::choose(Choice::Reference, 1 << 16) } else { 0 })
    }

    /// Which of `count` references is followed after `before` others.
    #[inline(always)]
    pub fn nth<H: Host>(self, before: usize, count: usize) -> usize {
        if !H::REORDERS {
            return before;
        }
        let turned = (before + self.0) % count;
        if self.0.is_multiple_of(2) { turned } else { count - 1 - turned }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_natural_order_is_legal_and_the_reverse_is_not() {
        assert!(Stage::is_legal(&Stage::NATURAL));
        let mut order = Stage::NATURAL;
        order.swap(2, 4);
        assert!(Stage::is_legal(&order));
        order.reverse();
        assert!(!Stage::is_legal(&order));
        assert!(!Stage::is_legal(&Stage::NATURAL[..11]));
    }
}
