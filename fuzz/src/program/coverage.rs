//! What has happened in some programs, counted, and which forms they were made of.

use std::collections::BTreeSet;
use std::fmt;

use crate::batches::Tally;
use crate::events::events;

use super::form::forms;

events! {
    #![doc = "Something that programs bring about."]
    /// A program was run.
    Program "programs",
    /// It ran to its end.
    EndedWell "programs that ran to their end",
    /// It ended in an error of its own.
    EndedInError "programs that ended in an error of their own",
    /// It was run in checking mode.
    Checked "programs in checking mode",
    /// Nothing was collected on the heap where nothing should be.
    Quiet "programs compared with one that never collects",
    /// A line of its text.
    Line "lines",
    /// A line that it printed.
    Printed "lines printed",
    /// A short collection while it ran.
    Short "short collections",
    /// A complete one.
    Complete "complete collections",
    /// An object was promoted.
    Promoted "objects promoted",
    /// An old object was freed.
    Freed "old objects freed",
    /// A frozen object became counted.
    Settled "objects settled",
    /// A component was made.
    Component "components made",
    /// A count left its byte.
    Overflown "counts overflown",
    /// The last collection left objects in the freed-object buffer.
    LeftWaiting "programs at whose end something waited to be freed",
}

/// How often each event has happened, and each form was in a program that ran to its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    events: [u64; Event::ALL.len()],
    forms: BTreeSet<usize>,
}

impl Coverage {
    /// `event` has happened `times` times.
    pub fn add(&mut self, event: Event, times: u64) {
        self.events[event as usize] += times;
    }

    pub(super) fn add_forms(&mut self, numbers: &BTreeSet<usize>) {
        self.forms.extend(numbers);
    }

    /// How often `event` has happened.
    pub fn of(&self, event: Event) -> u64 {
        self.events[event as usize]
    }

    /// Events that have never happened.
    pub fn missing(&self) -> impl Iterator<Item = Event> + '_ {
        Event::ALL.iter().copied().filter(|&event| self.of(event) == 0)
    }

    /// How many forms of statements and expressions there are, and those that were in no program.
    pub fn forms(&self) -> (usize, Vec<&'static str>) {
        let missing = forms().ordinary().filter(|form| !self.forms.contains(&form.number));
        (forms().ordinary().count(), missing.map(|form| form.text).collect())
    }
}

impl Tally for Coverage {
    fn merge(&mut self, other: &Coverage) {
        for (sum, times) in self.events.iter_mut().zip(other.events) {
            *sum += times;
        }
        self.forms.extend(&other.forms);
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Event::ALL.iter().try_for_each(|&event| writeln!(f, "{:>12} {}", self.of(event), event.text()))?;
        let (count, missing) = self.forms();
        writeln!(f, "{:>12} of {count} forms of statements and expressions", count - missing.len())
    }
}
