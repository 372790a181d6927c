//! What a history came to under one order of the collector's steps, to be compared with another.
//!
//! Two orders must leave the same heap, but for addresses: the same objects, classed alike, with the same counts,
//! bits and components. (That each holds what it should, the walk from the roots has seen.) Some answers may
//! differ all the same: which of two dead objects is handed out first, or whether blocks that have been filled in
//! another order reach the heap limit. From there on the host does other things, and nothing is to be compared.

use crate::history::Label;
use crate::judge::{Moment, Part, Sighting};
use crate::shadow::{Answer, Id, Shadow};
use crate::subject::Outcome;
use rustc_hash::FxHashMap;

/// What happened, in order.
#[derive(Debug, Default)]
pub struct Log {
    entries: Vec<Entry>,
    /// Acts performed so far.
    acts: u64,
}

#[derive(Debug)]
enum Entry {
    /// The answer to an act, if it is not the usual one.
    Outcome {
        /// Which act.
        act: u64,
        /// The answer.
        answer: String,
    },
    /// What a collection has left.
    Heap(Picture),
}

/// The heap after a step.
#[derive(Debug)]
struct Picture {
    step: usize,
    moment: Moment,
    /// By their numbers, ascending.
    objects: Vec<Portrait>,
}

/// An object, without its address.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Portrait {
    id: Id,
    label: Label,
    part: Part,
    /// The least member of its component.
    component: Option<Id>,
    /// Did a root reach it? In instalments, what nobody wants depends on what has been released so far.
    wanted: bool,
    count: u64,
    retained: bool,
    waiting: bool,
}

impl Log {
    /// The heap has answered.
    pub fn outcome(&mut self, outcome: &Outcome) {
        self.acts += 1;
        if !matches!(outcome, Outcome::Answer(Answer::Done)) {
            self.entries.push(Entry::Outcome { act: self.acts, answer: format!("{outcome:?}") });
        }
    }

    /// The heap was looked at.
    pub fn heap(&mut self, step: usize, moment: Moment, sightings: Vec<Sighting>, shadow: &Shadow) {
        let mut least: FxHashMap<usize, Id> = FxHashMap::default();
        for sighting in &sightings {
            if let Some(component) = sighting.component {
                let first = least.entry(component).or_insert(sighting.id);
                *first = sighting.id.min(*first);
            }
        }
        let portrait = |sighting: Sighting| Portrait {
            id: sighting.id,
            label: shadow.node(sighting.id).label,
            part: sighting.part,
            component: sighting.component.map(|component| least[&component]),
            wanted: shadow.node(sighting.id).reached,
            count: sighting.count,
            retained: sighting.retained,
            waiting: sighting.waiting,
        };
        let mut objects: Vec<Portrait> = sightings.into_iter().map(portrait).collect();
        objects.sort_by_key(|object| object.id);
        self.entries.push(Entry::Heap(Picture { step, moment, objects }));
    }

    /// Compares what two orders came to. Says how many heaps were the same. `exact`: everything is drained by every
    /// collection, so that what nobody wants must agree as well.
    ///
    /// # Errors
    /// The step after which they differ, and what.
    pub fn compare(&self, other: &Log, exact: bool) -> Result<u64, (usize, String)> {
        let mut heaps = 0;
        for pair in self.entries.iter().zip(&other.entries) {
            match pair {
                (Entry::Heap(one), Entry::Heap(two)) if (one.step, one.moment) == (two.step, two.moment) => {
                    one.compare(two, exact).map_err(|what| (one.step, what))?;
                    heaps += 1;
                }
                (Entry::Outcome { act, answer }, Entry::Outcome { act: other_act, answer: other })
                    if (act, answer) == (other_act, other) => {}
                _ => break,
            }
        }
        Ok(heaps)
    }
}

impl Picture {
    fn compare(&self, other: &Picture, exact: bool) -> Result<(), String> {
        let one = self.objects.iter().filter(|object| exact || object.wanted);
        let two = other.objects.iter().filter(|object| exact || object.wanted);
        let by_id: FxHashMap<Id, &Portrait> = two.map(|object| (object.id, object)).collect();
        let mut missing = by_id.len();
        for object in one {
            let Some(twin) = by_id.get(&object.id) else {
                return Err(format!("{} is there, and not", object.label));
            };
            missing -= 1;
            let alike = match exact {
                true => object == *twin,
                false => (object.part, object.component) == (twin.part, twin.component),
            };
            if !alike {
                return Err(format!("{} differs: {} and {}", object.label, object.state(), twin.state()));
            }
        }
        match missing {
            0 => Ok(()),
            _ => Err(format!("{missing} objects are missing")),
        }
    }
}

impl Portrait {
    fn state(&self) -> String {
        let Portrait { part, component, count, retained, waiting, .. } = self;
        format!("{part:?}, count {count}, retained {retained}, waiting {waiting}, component {component:?}")
    }
}
