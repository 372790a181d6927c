//! What has happened in some histories, counted, so that nobody fuzzes nothing.

use std::fmt;

use crate::batches::Tally;
use crate::events::events;

events! {
    #![doc = "Something that a history may, and that many histories together must, bring about."]
    /// A history was run to its end.
    History "histories",
    /// A step was reached.
    Step "steps",
    /// An act was performed.
    Act "acts",
    /// A short collection was held.
    Short "short collections",
    /// A complete collection was held.
    Complete "complete collections",
    /// An object was promoted.
    Promoted "objects promoted",
    /// A frozen object became counted.
    Settled "objects settled",
    /// A component was made.
    Component "components made",
    /// An object became part of a cluster.
    Clustered "objects counted in clusters",
    /// An object of a cluster was counted by itself after all.
    Dissolved "objects of dissolved clusters",
    /// A count left its byte.
    Overflowed "counts overflown",
    /// A collection left objects in the freed-object buffer.
    LeftWaiting "collections that left something waiting",
    /// An object with many references was seen released in part.
    Partly "objects released in part",
    /// Something waited and was released between collections.
    Drained "drains between collections that had something to do",
    /// Something was on the touched list.
    Touched "touched objects or chunks",
    /// An object beyond half a block was made.
    Large "large objects",
    /// An object beyond a mebibyte was made.
    Huge "objects beyond a mebibyte",
    /// An allocation was refused.
    Refused "allocations refused",
    /// The system refused memory, and an allocation with it.
    SystemRefused "allocations refused for want of memory from the system",
    /// A store into a frozen object was refused.
    Frozen "stores into frozen objects",
    /// A store into a guarded object was refused.
    Guarded "stores into guarded objects",
    /// The root stack was full.
    StackFull "pushes on a full root stack",
    /// A young object was frozen.
    FrozenYoung "young objects frozen",
    /// An old object was frozen.
    FrozenOld "old objects frozen",
    /// A weak reference was found cleared.
    WeakCleared "weak references found cleared",
    /// A weak reference gave back an object that roots did not reach any more.
    WeakRevived "objects revived by a weak reference",
    /// A dead object was handed out to be finalized.
    Finalized "objects finalized",
    /// A handle was lost.
    Forgotten "handles forgotten",
    /// A history was begun under another order than the natural one.
    Reordered "histories under another order than the natural one",
    /// Two orders of one history came to the same heap after a collection.
    SameHeap "heaps compared between two orders, and the same",
    /// An object was there that nobody wanted, after a short collection.
    Floating "unwanted objects left by short collections",
}

/// How often each event has happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Coverage([u64; Event::ALL.len()]);

impl Default for Coverage {
    fn default() -> Coverage {
        Coverage([0; Event::ALL.len()])
    }
}

impl Coverage {
    /// `event` has happened `times` times.
    pub fn add(&mut self, event: Event, times: u64) {
        self.0[event as usize] += times;
    }

    /// How often `event` has happened.
    pub fn of(&self, event: Event) -> u64 {
        self.0[event as usize]
    }

    /// Events that have never happened.
    pub fn missing(&self) -> impl Iterator<Item = Event> + '_ {
        Event::ALL.iter().copied().filter(|&event| self.of(event) == 0)
    }
}

impl Tally for Coverage {
    fn merge(&mut self, other: &Coverage) {
        for (sum, times) in self.0.iter_mut().zip(other.0) {
            *sum += times;
        }
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Event::ALL.iter().try_for_each(|&event| writeln!(f, "{:>12} {}", self.of(event), event.text()))
    }
}
