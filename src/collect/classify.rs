//! Phase 2: which immutable objects are counted, and the counting of what they refer to.
//!
//! An immutable object is counted if everything it refers to is. So the class of an object is known when the
//! classes of its references are: the classifier walks depth first through immutable objects that are new in
//! the old generation, or were traced until now and may settle, and decides on the way back. It is Tarjan's
//! algorithm for strongly connected components, for frozen objects can refer to each other in cycles.
//!
//! ```text
//! classify(x):
//!     for each reference y of x:  evacuate y if young
//!         y counted            -> nothing
//!         y mutable or traced  -> the component of x is traced
//!         y on the path        -> y belongs to x's component
//!         y not classified     -> classify(y); if y is traced, so is the component of x
//!     if x is the first of its component on the path:
//!         traced  -> each member is retained, and scanned later (that reaches what it refers to)
//!         counted -> the component settles: each reference that leaves it is counted
//! ```
//!
//! What the code adds: the recursion is a loop with a stack. An object gets a *place* on the path only when the
//! walk has to leave it for something below it, or when it takes part in a cycle; most objects never do. While
//! it has one, its header is replaced by the place and its *traced* bit is set, so that a bit that is clear
//! always means counted and needs no look at the object itself.
//!
//! That a traced component may be retained at once is right: the walk began at a reference in a root or a
//! traced object, and everything on the way to a traced object is traced itself.
//!
//! An object that settles gets no count for the references to it: they all come from traced objects and roots.
//! When one of those settles in turn, it counts.

use crate::Fault;
use crate::host::Host;
use crate::object::ObjRef;
use crate::old::{target, targets};
use crate::order::{Choice, natural};
use crate::shape::{Header, MUTABLE};

use super::promote::Step;
use super::reach::{Found, Tracer};

/// An object whose references are being followed.
struct Visit {
    object: ObjRef,
    header: Header,
    state: State,
}

/// How far that has come. Small, for a chain of ten million objects has as many of them at once; the object and
/// its header are on the path, at its place.
struct State {
    /// The object's place on the path, or [`NOWHERE`].
    place: u32,
    /// The lowest place that it, or what was classified below it, refers to, or [`NOWHERE`].
    low: u32,
    /// The next reference to follow.
    next: u32,
    /// Something in its component, as far as it is known, is mutable or refers to something traced.
    traced: bool,
}

/// Not a place on the path.
const NOWHERE: u32 = u32::MAX;

/// The stacks of the walk, empty between two walks.
#[derive(Default)]
pub(super) struct Classifier {
    /// Objects that the walk has left for something below them.
    left: Vec<State>,
    /// Objects with a place: those that were left, and those of cycles that are not complete. With their headers.
    path: Vec<(ObjRef, Header)>,
}

impl Visit {
    #[inline]
    fn new(object: ObjRef, header: Header) -> Visit {
        Visit { object, header, state: State { place: NOWHERE, low: NOWHERE, next: 0, traced: false } }
    }
}

impl From<Step> for Visit {
    /// What the walk has followed is followed once more, to see what it is.
    fn from(Step { object, header, .. }: Step) -> Visit {
        Visit::new(object, header)
    }
}

impl Tracer<'_> {
    /// Classifies `object` and everything below it that is not classified yet.
    pub fn classify<H: Host>(&mut self, object: ObjRef, header: Header) {
        self.classify_from::<H>(Visit::new(object, header));
    }

    /// Goes on with a walk that came across a cycle: it is at `last`, below the steps `above`.
    pub fn classify_on<H: Host>(&mut self, above: Vec<Step>, last: Step) {
        for step in above {
            let mut visit = Visit::from(step);
            self.take_place(&mut visit);
            self.work.classifier.left.push(visit.state);
        }
        self.classify_from::<H>(last.into());
    }

    fn classify_from<H: Host>(&mut self, mut visit: Visit) {
        loop {
            if let Some((below, header)) = self.advance::<H>(&mut visit) {
                self.take_place(&mut visit);
                self.work.classifier.left.push(visit.state);
                visit = Visit::new(below, header);
                continue;
            }
            let (low, traced) = (visit.state.low, visit.state.traced);
            let complete = low >= visit.state.place;
            self.complete::<H>(visit);
            let Some(mut state) = self.work.classifier.left.pop() else { return };
            state.traced |= traced;
            if !complete {
                state.low = state.low.min(low);
            }
            let (object, header) = self.work.classifier.path[state.place as usize];
            visit = Visit { object, header, state };
        }
    }

    /// Follows references until one leads to an object that has to be classified first, which is the answer.
    fn advance<H: Host>(&mut self, visit: &mut Visit) -> Option<(ObjRef, Header)> {
        while (visit.state.next as usize) < visit.header.references() {
            let next = visit.state.next as usize;
            let slot = visit
                .object
                .slot::<H>(visit.header, self.work.turn.nth::<H>(next, visit.header.references()));
            visit.state.next += 1;
            match self.follow::<H>(slot) {
                Found::Counted if target::<H>(slot.get()) != Some(visit.object) => {}
                Found::Counted => {
                    // It refers to itself, and has no place yet by which that could be seen.
                    self.take_place(visit);
                    visit.state.low = visit.state.low.min(visit.state.place);
                }
                Found::Traced => visit.state.traced |= !H::commits(Fault::SettledTooEarly),
                Found::Open(place) => {
                    self.take_place(visit);
                    visit.state.low = visit.state.low.min(place);
                }
                Found::Unclassified(below, header) => {
                    if below != visit.object {
                        return Some((below, header));
                    }
                    self.take_place(visit);
                    visit.state.low = visit.state.low.min(visit.state.place);
                }
            }
        }
        None
    }

    /// Gives the object a place on the path, if it has none yet.
    fn take_place(&mut self, visit: &mut Visit) {
        if visit.state.place != NOWHERE {
            return;
        }
        debug_assert!(!visit.header.has(MUTABLE));
        let place =
            u32::try_from(self.work.classifier.path.len()).expect("fewer than 2^32 objects on one path");
        assert!(place != NOWHERE, "fewer than 2^32 - 1 objects on one path");
        visit.state.place = place;
        visit.object.set_traced(true);
        visit.object.replace_header(u64::from(place) << 1);
        self.work.classifier.path.push((visit.object, visit.header));
    }

    /// All references of an object have been followed. If its component is complete, it is decided.
    fn complete<H: Host>(&mut self, visit: Visit) {
        let Visit { object, header, state } = visit;
        if state.low < state.place {
            return;
        }
        if state.low == NOWHERE {
            if state.place != NOWHERE {
                self.work.classifier.path.pop();
                object.set_header(header);
            }
            return if state.traced {
                self.stay_traced::<H>(object)
            } else {
                self.settle_one::<H>(object, header)
            };
        }
        let members = self.work.classifier.path.split_off(state.place as usize);
        for &(object, header) in &members {
            object.set_header(header);
        }
        if state.traced {
            members.iter().rev().for_each(|&(object, _)| self.stay_traced::<H>(object));
        } else {
            self.settle_component::<H>(&members);
        }
    }

    /// An object that reaches something mutable is traced, and retained by whatever the walk came from.
    fn stay_traced<H: Host>(&mut self, object: ObjRef) {
        object.set_traced(true);
        self.retain::<H>(object);
    }

    /// An object that is no part of a cycle becomes counted.
    fn settle_one<H: Host>(&mut self, object: ObjRef, header: Header) {
        object.set_traced(false);
        self.report.settled += usize::from(header.was_frozen());
        if H::commits(Fault::UncountedSettle) && header.was_frozen() {
            return;
        }
        let targets = targets::<H>(object, header).skip(usize::from(H::commits(Fault::SkippedCount)));
        if self.abroad {
            return targets.for_each(|target| self.count_anywhere::<H>(target));
        }
        for target in targets {
            self.count::<H>(target);
        }
    }

    /// A frozen cycle becomes counted, as one.
    fn settle_component<H: Host>(&mut self, members: &[(ObjRef, Header)]) {
        let objects: Vec<ObjRef> = members.iter().map(|&(object, _)| object).collect();
        let representative = objects[0];
        for &object in &objects {
            object.set_traced(false);
        }
        self.old.join(&objects);
        self.report.settled += objects.len();
        self.report.components += 1;
        for &(object, header) in members {
            for target in targets::<H>(object, header) {
                if !self.old.is_in(target, representative) || H::commits(Fault::CountedInside) {
                    self.count_anywhere::<H>(target);
                }
            }
        }
    }

    /// The same for an object that may be another owner's.
    fn count_anywhere<H: Host>(&mut self, target: ObjRef) {
        if self.old.space.is_own(target.address()) {
            self.count::<H>(target);
        } else if !H::commits(Fault::SkippedForeignCount) {
            self.old.change_foreign(target, 1);
        }
    }

    /// Counts a reference to `target`, or sees to it that it will be before the diff.
    #[inline(always)]
    fn count<H: Host>(&mut self, target: ObjRef) {
        if natural::<H>(Choice::PutOff) {
            self.old.increment::<H>(target);
        } else {
            self.work.put_off.push(target);
        }
    }
}
