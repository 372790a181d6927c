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
//! What the code adds: the recursion is an explicit stack of [`Frame`]s; while an object is on the path, its
//! header is replaced by its place there and its *traced* bit is set, so that a bit that is clear always means
//! counted and needs no look at the object itself.
//!
//! That a traced component may be retained at once is right: the walk began at a reference in a root or a
//! traced object, and everything on the way to a traced object is traced itself.
//!
//! An object that settles gets no count for the references to it: they all come from traced objects and roots.
//! When one of those settles in turn, it counts.

use crate::Fault;
use crate::object::ObjRef;
use crate::old::targets;
use crate::shape::{Header, MUTABLE};
use crate::value::Host;

use super::reach::{Found, Trace};

/// An object whose references are being followed. Small, for a chain of ten million objects has as many of
/// them at once; the object itself is on the path, at its place.
struct Frame {
    /// The object's place on the path.
    place: u32,
    /// The lowest place that it, or what was classified below it, refers to.
    low: u32,
    /// The next reference to follow.
    next: u32,
    /// Something in its component, as far as it is known, is mutable or refers to something traced.
    traced: bool,
    /// It refers to itself.
    loops: bool,
}

/// The stacks of the walk, empty between two walks.
#[derive(Default)]
pub(super) struct Classifier {
    frames: Vec<Frame>,
    /// Objects whose component is not complete, with their headers, in the order in which they were met.
    path: Vec<(ObjRef, Header)>,
}

impl Trace<'_> {
    /// Classifies `object` and everything below it that is not classified yet.
    pub fn classify<H: Host>(&mut self, object: ObjRef, header: Header) {
        self.enter(object, header);
        while let Some(frame) = self.classifier.frames.last_mut() {
            let (object, header) = self.classifier.path[frame.place as usize];
            if frame.next as usize == header.references() {
                self.leave::<H>();
                continue;
            }
            let slot = object.slot(header, frame.next as usize);
            frame.next += 1;
            let found = self.follow::<H>(slot);
            let frame = self.classifier.frames.last_mut().expect("the frame that was just looked at");
            match found {
                Found::Counted => {}
                Found::Traced => frame.traced |= !H::commits(Fault::SettledTooEarly),
                Found::Open(place) => {
                    frame.loops |= place == frame.place;
                    frame.low = frame.low.min(place);
                }
                Found::Unclassified(object, header) => self.enter(object, header),
            }
        }
    }

    fn enter(&mut self, object: ObjRef, header: Header) {
        debug_assert!(!header.has(MUTABLE));
        let place = u32::try_from(self.classifier.path.len()).expect("fewer than 2^32 objects on one path");
        object.set_traced(true);
        object.replace_header(u64::from(place) << 1);
        self.classifier.path.push((object, header));
        self.classifier.frames.push(Frame { place, low: place, next: 0, traced: false, loops: false });
    }

    /// All references of the topmost object have been followed.
    fn leave<H: Host>(&mut self) {
        let frame = self.classifier.frames.pop().expect("called with a frame");
        let complete = frame.low == frame.place;
        if let Some(parent) = self.classifier.frames.last_mut() {
            parent.traced |= frame.traced;
            if !complete {
                parent.low = parent.low.min(frame.low);
            }
        }
        if !complete {
            return;
        }
        let first = frame.place as usize;
        for &(object, header) in &self.classifier.path[first..] {
            object.set_header(header);
        }
        if frame.traced {
            while self.classifier.path.len() > first {
                let (object, _) = self.classifier.path.pop().expect("longer than `first`");
                self.retain(object);
            }
        } else if self.classifier.path.len() == first + 1 && !frame.loops {
            let (object, header) = self.classifier.path.pop().expect("longer than `first`");
            self.settle_one::<H>(object, header);
        } else {
            let members = self.classifier.path.split_off(first);
            self.settle_component::<H>(&members);
        }
    }

    /// An object that is no part of a cycle becomes counted.
    fn settle_one<H: Host>(&mut self, object: ObjRef, header: Header) {
        object.set_traced(false);
        self.report.settled += usize::from(Self::was_frozen(header));
        if H::commits(Fault::UncountedSettle) && Self::was_frozen(header) {
            return;
        }
        for target in targets::<H>(object, header).skip(usize::from(H::commits(Fault::SkippedCount))) {
            self.old.increment::<H>(target);
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
                let inside = self.old.representative(target) == representative;
                if !inside || H::commits(Fault::CountedInside) {
                    self.old.increment::<H>(target);
                }
            }
        }
    }
}
