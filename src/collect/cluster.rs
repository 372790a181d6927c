//! Phases 1 and 2 for structures that are counted as one (`clusters.rs`): a walk that evacuates and counts nothing.
//!
//! ```text
//! walk(head):
//!     evacuate the head
//!     for each reference of what was evacuated:
//!         to something young     -> evacuate it
//!         to something old       -> it is outside
//!     a cluster of all that, if it is large enough;  count what is outside
//! ```
//!
//! Nothing has to be decided on the way back, so the walk keeps no path, only the places where it has to go on. When it
//! has evacuated enough for one cluster, what remains of those places leads to further ones.
//!
//! It is for immutable objects that were born so: they cannot form cycles, and refer to nothing younger. (A host that fills
//! what others know already can make circles of them. It says so, and then this is for trees: an object that is met twice
//! is an obstacle, unless it is a leaf.) When it meets anything else (something mutable, frozen or finalizable, or
//! something old that is traced) it gives up: all it has evacuated goes to the classifier, as if it had been frozen just
//! now, to be settled as far as possible. That takes three times as long, so whether clusters are worth trying is learnt
//! from what has become of them ([`Clusters::learn`]).
//!
//! [`Clusters::learn`]: crate::clusters::Clusters::learn

use crate::clusters::is_in_runs;
use crate::host::Host;
use crate::object::{ObjRef, Slot, Young};
use crate::old::target;
use crate::shape::{BORN_MUTABLE, FINALIZABLE, Header, ID_SHIFT, LEN_SHIFT};
use crate::space::{Lane, Place, Run};

use super::reach::{AHEAD_BYTES, Tracer, move_to};

/// When so many roots (and references of traced objects) more have not led to a cluster than have, a collection stops
/// trying: where each leads to a handful of objects, a walk costs more than the objects.
const CREDIT: u32 = 16;

/// An object with one of these flags is no part of a cluster. (What is mutable was born so.)
const KEPT_OUT: u64 = BORN_MUTABLE | FINALIZABLE;

/// References of an evacuated object that have not been followed.
#[derive(Clone, Copy)]
struct Rest {
    object: ObjRef,
    /// Where it was. What it refers to is read there, so that nobody has to wait for what has just been written.
    young: ObjRef,
    /// The word that holds the first of them, and the one behind the last.
    next: u32,
    end: u32,
}

impl Rest {
    /// The next reference: where it was.
    #[inline(always)]
    fn from<H: Host>(&self) -> Slot {
        self.young.slot_at::<H>(self.object.header(), self.next as usize)
    }

    /// The next reference: where it is now.
    #[inline(always)]
    fn to<H: Host>(&self) -> Slot {
        self.object.slot_at::<H>(self.object.header(), self.next as usize)
    }

    /// Goes on to the next word that leads to an object. Says whether there is one.
    #[inline(always)]
    fn skip_words<H: Host>(&mut self) -> bool {
        while self.next < self.end && target::<H>(self.from::<H>().get()).is_none() {
            self.next += 1;
        }
        self.next < self.end
    }

    /// Asks for what the second reference leads to. The first is followed at once.
    #[inline(always)]
    fn prefetch_second<H: Host>(&self) {
        let second = Rest { next: self.next + 1, ..*self };
        if second.next < second.end
            && let Some(second) = target::<H>(second.from::<H>().get())
        {
            second.prefetch();
        }
    }
}

/// What would have to be worked out from the header of every object, for all that have the same.
#[derive(Clone, Copy)]
struct Outline {
    header: Header,
    /// The word that holds the first reference, and the one behind the last.
    next: u32,
    end: u32,
    words: u32,
    /// What it takes in a block.
    bytes: u32,
    place: Place,
}

impl Outline {
    fn new(header: Header) -> Outline {
        let (bytes, next) = (header.cell_bytes(), header.first_reference() as u32);
        let place = Place::new(Lane::Cluster, bytes);
        let end = next + header.references() as u32;
        Outline { header, next, end, words: header.words() as u32, bytes: bytes as u32, place }
    }

    /// All references of an object with this outline.
    #[inline(always)]
    fn references_of(&self, object: ObjRef, young: ObjRef) -> Rest {
        Rest { object, young, next: self.next, end: self.end }
    }
}

/// Those that were met lately, each where its header says.
struct Outlines([Outline; OUTLINES]);

/// Larger: fewer are worked out twice. Smaller: more of them stay in the cache.
const OUTLINES: usize = 16;

impl Default for Outlines {
    fn default() -> Outlines {
        Outlines([Outline::new(Header::NOTHING); OUTLINES])
    }
}

impl Outlines {
    #[inline(always)]
    fn index(header: Header) -> usize {
        (header.bits() >> ID_SHIFT ^ header.bits() >> LEN_SHIFT) as usize % OUTLINES
    }

    /// What an object with this header is like. It may be something else that stands in the place of the header: then
    /// nothing is known of it.
    #[inline(always)]
    fn known(&self, header: Header) -> Option<&Outline> {
        Some(&self.0[Outlines::index(header)]).filter(|outline| outline.header == header)
    }

    fn learn(&mut self, header: Header) {
        self.0[Outlines::index(header)] = Outline::new(header);
    }
}

/// A cluster in the making. An empty one is as good as another.
#[derive(Default)]
struct Walk {
    head: Option<ObjRef>,
    runs: Vec<Run>,
    outside: Vec<ObjRef>,
    /// Where the walk goes on; when it has enough objects, where other clusters begin.
    rests: Vec<Rest>,
}

impl Walk {
    fn clear(&mut self) {
        self.head = None;
        self.runs.clear();
        self.outside.clear();
        self.rests.clear();
    }
}

/// The clusters in the making. Empty between two promotions.
#[derive(Default)]
pub(super) struct Walks {
    /// Those of which something remains to be followed.
    open: Vec<Walk>,
    /// Those of which all is evacuated.
    done: Vec<Walk>,
    /// Empty ones, with room.
    spare: Vec<Walk>,
    outlines: Outlines,
    /// How many roots more have not led to a cluster than have.
    failed: u32,
}

impl Walks {
    /// Is it worth trying once more in this collection?
    #[inline]
    fn are_worth_while(&self) -> bool {
        self.failed <= CREDIT
    }

    /// It has been tried.
    fn note(&mut self, successful: bool) {
        self.failed = if successful { self.failed.saturating_sub(1) } else { self.failed + 1 };
    }
}

/// The walk has met something that is no part of a cluster and could be mutable.
struct Obstacle;

/// A walk has come to something old.
#[inline(always)]
fn note_outside(outside: &mut Vec<ObjRef>, old: ObjRef) -> Result<(), Obstacle> {
    if old.is_traced() {
        return Err(Obstacle);
    }
    outside.push(old);
    Ok(())
}

impl Tracer<'_> {
    /// May a young object with this header be the head of a cluster?
    #[inline(always)]
    pub fn may_head(&self, header: Header) -> bool {
        self.clustering
            && !header.has(KEPT_OUT)
            && header.references() > 0
            && self.work.walks.are_worth_while()
    }

    /// Promotes the young object `head` and all that is young below it, and says where it is now.
    pub fn promote_as_cluster<H: Host>(&mut self, head: ObjRef, header: Header) -> ObjRef {
        let (object, outcome) = self.walk_from::<H>(head, header);
        if outcome.and_then(|()| self.follow_rests::<H>()).is_err() {
            self.give_up::<H>(object);
        }
        let before = self.report.clustered;
        self.make_clusters::<H>();
        self.work.walks.note(self.report.clustered > before || self.old.clusters.are_always_made());
        object
    }

    /// Begins a cluster, and evacuates as much as it may have. Says where its head is now.
    fn walk_from<H: Host>(&mut self, head: ObjRef, header: Header) -> (ObjRef, Result<(), Obstacle>) {
        let mut walk = self.work.walks.spare.pop().unwrap_or_default();
        self.old.space.begin_runs(std::mem::take(&mut walk.runs));
        let objects = self.old.space.objects;
        let object = self.move_out(head, header, Lane::Cluster);
        walk.head = Some(object);
        let bytes_max = isize::try_from(self.old.clusters.bytes_max).unwrap_or(isize::MAX);
        let mut room = bytes_max;
        let references = Outline::new(header).references_of(object, head);
        let outcome = self.fill::<H>(&mut walk, references, &mut room);
        walk.runs = self.old.space.end_runs();
        self.report.promoted_objects += self.old.space.objects - objects;
        self.report.promoted_bytes += header.cell_bytes() + (bytes_max - room) as usize;
        self.work.walks.open.push(walk);
        (object, outcome)
    }

    /// Evacuates what can be reached from `at`, as long as there is `room` for more bytes in the cluster.
    fn fill<H: Host>(&mut self, walk: &mut Walk, mut at: Rest, room: &mut isize) -> Result<(), Obstacle> {
        while self.fill_with_known::<H>(walk, &mut at, room) {
            match self.follow_inside::<H>(at.from::<H>().get(), at.to::<H>(), walk)? {
                Some((_, header)) => self.work.walks.outlines.learn(header),
                None => at.next += 1,
            }
        }
        Ok(())
    }

    /// Evacuates what can be reached from `at` through young objects of known outlines, as long as there is `room`. Says
    /// whether to go on: then the next reference of `at` leads to something else.
    fn fill_with_known<H: Host>(&mut self, walk: &mut Walk, at: &mut Rest, room: &mut isize) -> bool {
        let (space, outlines) = (&mut self.old.space, &self.work.walks.outlines);
        let Walk { rests, outside, .. } = walk;
        let header = at.object.header();
        let mut outline = outlines.known(header).copied().unwrap_or_else(|| Outline::new(header));
        let mut cells = space.lend(outline.place);
        let goes_on = 'walk: loop {
            while at.next < at.end {
                let word = at.from::<H>().get();
                let Some(below) = target::<H>(word) else {
                    at.next += 1;
                    continue;
                };
                if !self.nursery.contains(below.address()) {
                    below.prefetch_count();
                    if note_outside(outside, below).is_err() {
                        break 'walk true;
                    }
                    at.next += 1;
                    continue;
                }
                if !below.has_header(outline.header) {
                    let Young::Here(header) = below.young() else { break 'walk true };
                    let Some(known) = outlines.known(header) else { break 'walk true };
                    if known.place != outline.place {
                        space.take_back(&cells);
                        cells = space.lend(known.place);
                    }
                    outline = *known;
                }
                let cell = cells.cell().unwrap_or_else(|| space.renew(&mut cells));
                below.prefetch_at(AHEAD_BYTES);
                let object = move_to(below, cell, outline.words as usize);
                at.to::<H>().set(H::word(cell, word));
                at.next += 1;
                let mut inner = outline.references_of(object, below);
                if inner.skip_words::<H>() {
                    inner.prefetch_second::<H>();
                    let outer = std::mem::replace(at, inner);
                    if outer.next < outer.end {
                        rests.push(outer);
                    }
                }
                *room -= outline.bytes as isize;
                if *room <= 0 {
                    rests.push(*at);
                    break 'walk false;
                }
            }
            match rests.pop() {
                Some(rest) => *at = rest,
                None => break false,
            }
        };
        space.take_back(&cells);
        goes_on
    }

    /// The object that `word` leads to, if that has to be evacuated; anything else is outside. (What was evacuated before
    /// may turn out to be inside, when it is known where everything is.) `slot` is brought up to date for such a one.
    #[inline(always)]
    fn follow_inside<H: Host>(
        &mut self,
        word: u64,
        slot: Slot,
        walk: &mut Walk,
    ) -> Result<Option<(ObjRef, Header)>, Obstacle> {
        let Some(below) = target::<H>(word) else { return Ok(None) };
        let old = if self.nursery.contains(below.address()) {
            match below.young() {
                Young::Here(header) if header.has(KEPT_OUT) => return Err(Obstacle),
                Young::Here(header) => return Ok(Some((below, header))),
                // This closes a circle, perhaps.
                Young::Moved(moved) if self.old.clusters.trees_only && moved.header().references() > 0 => {
                    return Err(Obstacle);
                }
                Young::Moved(moved) => {
                    slot.set(H::word(moved.address(), word));
                    moved
                }
            }
        } else {
            below.prefetch_count();
            below
        };
        note_outside(&mut walk.outside, old)?;
        Ok(None)
    }

    /// Begins other clusters with what those that are large enough have left.
    fn follow_rests<H: Host>(&mut self) -> Result<(), Obstacle> {
        while let Some(mut walk) = self.work.walks.open.pop() {
            match self.next_head::<H>(&mut walk) {
                Ok(None) => self.work.walks.done.push(walk),
                Ok(Some((slot, head, header))) => {
                    let above = self.work.walks.open.len();
                    self.work.walks.open.push(walk);
                    let (moved, outcome) = if header.references() > 0 {
                        self.walk_from::<H>(head, header)
                    } else {
                        (self.evacuate(head, header), Ok(()))
                    };
                    slot.set(H::word(moved.address(), slot.get()));
                    self.work.walks.open[above].outside.push(moved);
                    outcome?;
                }
                Err(obstacle) => {
                    self.work.walks.open.push(walk);
                    return Err(obstacle);
                }
            }
        }
        Ok(())
    }

    /// The next young object that `walk` has come to and not evacuated, and the slot by which it was found.
    fn next_head<H: Host>(&mut self, walk: &mut Walk) -> Result<Option<(Slot, ObjRef, Header)>, Obstacle> {
        while let Some(rest) = walk.rests.last_mut() {
            if rest.next == rest.end {
                walk.rests.pop();
                continue;
            }
            let slot = rest.to::<H>();
            rest.next += 1;
            if let Some((head, header)) = self.follow_inside::<H>(slot.get(), slot, walk)? {
                return Ok(Some((slot, head, header)));
            }
        }
        Ok(None)
    }

    /// Has everything classified that was evacuated for clusters, from the first head on.
    #[cold]
    fn give_up<H: Host>(&mut self, head: ObjRef) {
        let walks = &mut self.work.walks;
        for mut walk in walks.open.drain(..).chain(walks.done.drain(..)) {
            for object in walk.runs.iter().flat_map(|run| self.old.space.objects_in_run(run)) {
                object.set_traced(object.header().references() > 0);
                self.report.dissolved += 1;
            }
            walk.clear();
            walks.spare.push(walk);
        }
        let settling = std::mem::replace(&mut self.settling, true);
        self.classify::<H>(head, head.header());
        self.settling = settling;
    }

    /// Everything is evacuated: makes the clusters, and counts what they refer to outside.
    fn make_clusters<H: Host>(&mut self) {
        let mut done = std::mem::take(&mut self.work.walks.done);
        for walk in &mut done {
            let Walk { head, runs, outside, .. } = walk;
            runs.sort_unstable_by_key(|run| run.start);
            outside.retain(|&object| !is_in_runs(runs, object));
            let head = head.expect("a walk that is done has a head");
            match self.old.make_cluster::<H>(head, runs, outside) {
                (objects, true) => self.report.clustered += objects,
                (objects, false) => self.report.dissolved += objects,
            }
        }
        for walk in &mut done {
            for &object in &walk.outside {
                self.old.increment::<H>(object);
            }
            walk.clear();
        }
        let walks = &mut self.work.walks;
        walks.spare.append(&mut done);
        walks.done = done;
    }
}
