//! Phase 1: from roots and traced objects, evacuate what is young and retain what is reached.
//!
//! A traced object that is reached for the first time becomes *gray*: it waits to be scanned. Scanning reaches
//! each of its references in turn. Young objects that may turn out to be counted are left to the classifier
//! (`classify.rs`), which also carries phase 2.

use std::ops::Range;

use nursery::Nursery;

use crate::Fault;
use crate::heap::Touch;
use crate::host::Host;
use crate::object::{First, ObjRef, Slot, Young};
use crate::old::{Old, target};
use crate::order::{Choice, Turn, natural, shuffle, take};
use crate::shape::{Header, MUTABLE, SEEN, WORD_BYTES};
use crate::space::{CARD_BYTES, Lane};
use crate::stats::Report;

use super::classify::Classifier;
use super::cluster::Walks;
use super::promote::Step;
use super::queue::Queue;

/// What a reference leads to, when the slot has been brought up to date.
pub(super) enum Found {
    /// A counted object, or no object at all.
    Counted,
    /// A traced object.
    Traced,
    /// An object whose class is being found out; this is its place on the classifier's path.
    Open(u32),
    /// An object whose class has to be found out: it is in the old generation now, and this is its header.
    Unclassified(ObjRef, Header),
}

/// References by which a scan of a large object is ahead with asking for memory. Larger: more time for it to arrive.
/// Smaller: more objects without that.
const AHEAD: usize = 16;

/// When a mutable object is evacuated, which was made before what it refers to, or one of a cluster, whose walk goes through
/// the nursery upwards: the nursery is asked for what lies so far behind it.
pub(super) const AHEAD_BYTES: isize = 512;

/// The same for an immutable object: what it refers to is older, and mostly made just before it.
pub(super) const BACK_BYTES: [isize; 2] = [-64, -128];

/// What one stage of a collection leaves to the next.
#[derive(Default)]
pub(super) struct Work {
    /// Traced objects that are retained and not yet scanned.
    pub gray: Vec<ObjRef>,
    /// Counted objects that a reference was found to, which has not been counted yet.
    pub put_off: Vec<ObjRef>,
    /// The same, on the way to being counted: the count of something old is not in the cache.
    pub counting: Queue,
    pub classifier: Classifier,
    /// Objects that the walk of `promote.rs` has left for something below them. Empty between two walks.
    pub steps: Vec<Step>,
    pub walks: Walks,
    /// How references are numbered.
    pub turn: Turn,
}

/// What traces, in one collection: what it works on, and what it knows of it.
pub(super) struct Tracer<'h> {
    pub old: &'h mut Old,
    pub nursery: &'h Nursery,
    pub report: &'h mut Report,
    pub work: &'h mut Work,
    /// Something was frozen since the last complete collection: old objects may settle in this one.
    pub settling: bool,
    /// A reference may lead to another owner's object.
    pub abroad: bool,
    /// What is not in the nursery need not be an old object of this heap: large young ones, or others' objects.
    pub mixed: bool,
    /// Old objects may settle, references may lead abroad, or the class of a large young object is still to be found out: so
    /// what is reached has to be looked at. Or the order of the steps is played with.
    pub careful: bool,
    /// Structures that are counted as one are worth trying.
    pub clustering: bool,
    /// Scanned mutable objects are marked, so that their next write is noticed.
    pub marks_seen: bool,
}

/// Moves a young object of so many words to a cell for it, and leaves its address behind.
#[inline(always)]
pub(super) fn move_to(young: ObjRef, cell: usize, words: usize) -> ObjRef {
    // SAFETY: the space has just handed out the cell for an object of so many words.
    let object = unsafe { young.copy_to(cell, words) };
    young.replace_header(cell as u64);
    object
}

/// Asks for the part of the nursery where what a young object refers to is likely to lie.
#[inline(always)]
fn prefetch_around(young: ObjRef, header: Header) {
    if header.has(MUTABLE) {
        young.prefetch_at(AHEAD_BYTES);
    } else if header.references() > 0 {
        BACK_BYTES.iter().for_each(|&offset| young.prefetch_at(offset));
    }
}

impl Tracer<'_> {
    /// Reaches what `slot` refers to: from now on it is old, classified and retained.
    ///
    /// Of an old object, only the side tables are looked at, unless it may settle: a list of ten thousand old
    /// objects that is scanned again does not bring one of them into the cache.
    #[inline]
    pub fn reach<H: Host>(&mut self, slot: Slot) {
        let word = slot.get();
        let Some(mut object) = target::<H>(word) else { return };
        if self.careful {
            return self.reach_with_care::<H>(slot);
        }
        if self.nursery.contains(object.address()) {
            object = self.promote::<H>(slot, word, object);
        }
        self.retain::<H>(object);
    }

    /// The same for an object that may have to be classified although it is old, may be another owner's, or large.
    fn reach_with_care<H: Host>(&mut self, slot: Slot) {
        let before = slot.get();
        let Some(object) = target::<H>(before) else { return };
        if !self.nursery.contains(object.address()) {
            if !self.old.space.is_own(object.address()) {
                self.report.retained += 1;
                return self.old.retain_foreign::<H>(object);
            }
            if !self.settling && !self.old.space.is_young_large(object.address()) {
                return self.retain::<H>(object);
            }
        } else if H::REORDERS
            && let Young::Here(header) = object.young()
            && self.may_head(header)
            && !natural::<H>(Choice::Cluster)
        {
            let object = self.promote_as_cluster::<H>(object, header);
            slot.set(H::word(object.address(), before));
            return self.retain::<H>(object);
        }
        if let Found::Unclassified(object, header) = self.follow::<H>(slot) {
            self.classify::<H>(object, header);
        }
        if let Some(object) = target::<H>(slot.get()) {
            self.retain::<H>(object);
        }
        if H::commits(Fault::StaleSlot) {
            slot.set(before);
        }
    }

    /// Retains an old, classified object; a traced one becomes gray the first time.
    #[inline(always)]
    pub fn retain<H: Host>(&mut self, object: ObjRef) {
        self.report.retained += 1;
        if self.old.retain::<H>(object) {
            if self.mixed {
                self.promote_if_large(object);
            }
            self.work.gray.push(object);
        }
    }

    /// A large object, if it is one, becomes old when it is reached for the first time.
    #[cold]
    fn promote_if_large(&mut self, object: ObjRef) {
        if self.old.space.is_young_large(object.address()) {
            self.promote_large(object);
        }
    }

    /// Scans what is gray, or some of it if the order of the steps is played with.
    #[inline(always)]
    pub fn scan_some<H: Host>(&mut self) {
        if natural::<H>(Choice::Scan) {
            self.scan_gray::<H>();
        }
    }

    /// Scans until nothing gray is left.
    pub fn scan_gray<H: Host>(&mut self) {
        if self.work.gray.is_empty() {
            return;
        }
        let mut queue = Queue::default();
        while let Some(object) = queue.next(|| take::<H, _>(Choice::Gray, &mut self.work.gray)) {
            self.scan::<H>(object);
        }
    }

    /// Reaches everything a traced object refers to.
    pub fn scan<H: Host>(&mut self, object: ObjRef) {
        let header = object.header();
        self.report.traced_objects += 1;
        self.report.traced_bytes += header.cell_bytes();
        self.scan_references::<H>(object, header, 0..header.references());
        if header.has(MUTABLE) && header.has(SEEN) != self.marks_seen {
            object.set_seen(self.marks_seen);
        }
    }

    /// Reaches what these references of an object lead to.
    #[inline(always)]
    fn scan_references<H: Host>(&mut self, object: ObjRef, header: Header, references: Range<usize>) {
        let Range { start, end } = references;
        for before in start..end {
            if before + AHEAD < end {
                self.prefetch_target::<H>(object.slot::<H>(header, before + AHEAD));
            }
            let index = start + self.work.turn.nth::<H>(before - start, end - start);
            let slot = object.slot::<H>(header, index);
            if H::commits(Fault::SkippedBit) {
                self.follow_only::<H>(slot);
            } else {
                self.reach::<H>(slot);
            }
        }
    }

    /// Asks for the memory that reaching what `slot` refers to will need: its header if it is young, otherwise its bits, and
    /// its count where that may say that it is a member.
    #[inline(always)]
    fn prefetch_target<H: Host>(&self, slot: Slot) {
        if let Some(target) = target::<H>(slot.get()) {
            if self.nursery.contains(target.address()) {
                target.prefetch();
            } else {
                target.prefetch_bits();
                if self.old.has_members() {
                    target.prefetch_count();
                }
            }
        }
    }

    /// Scans what was written since the last collection: objects when they have come into the cache, and cards that lie side
    /// by side at one go.
    pub fn scan_touched<H: Host>(&mut self, touched: &[Touch]) {
        let mut objects: Vec<ObjRef> = Vec::new();
        let mut cards: Vec<(ObjRef, usize)> = Vec::new();
        // What was written first is taken first, from the end.
        for touch in touched.iter().rev() {
            match touch.card {
                Some(card) => cards.push((touch.object, card)),
                None => objects.push(touch.object),
            }
        }
        let mut queue = Queue::default();
        while let Some(object) = queue.next(|| take::<H, _>(Choice::Root, &mut objects)) {
            self.report.touched_bytes += object.bytes();
            self.scan::<H>(object);
            self.scan_some::<H>();
        }
        if H::REORDERS {
            shuffle::<H, _>(Choice::Root, &mut cards);
        } else {
            cards.sort_unstable_by_key(|&(object, card)| (object.address(), card));
        }
        for side_by_side in cards.chunk_by(|one, next| one.0 == next.0 && one.1 + 1 == next.1) {
            let (object, first) = side_by_side[0];
            self.scan_cards::<H>(object, first..first + side_by_side.len());
            self.scan_some::<H>();
        }
    }

    /// Reaches what these cards of a large object refer to.
    fn scan_cards<H: Host>(&mut self, object: ObjRef, cards: Range<usize>) {
        let header = object.header();
        let reference = |word: usize| word.saturating_sub(header.first_reference()).min(header.references());
        let words = CARD_BYTES / WORD_BYTES;
        self.report.traced_bytes += cards.len() * CARD_BYTES;
        self.report.touched_bytes += cards.len() * CARD_BYTES;
        let references = reference(cards.start * words)..reference(cards.end * words);
        self.scan_references::<H>(object, header, references);
    }

    /// For the fault of the same purpose: evacuates, but retains nothing.
    fn follow_only<H: Host>(&mut self, slot: Slot) {
        if let Found::Unclassified(object, header) = self.follow::<H>(slot) {
            self.classify::<H>(object, header);
        }
        if let Some(object) = target::<H>(slot.get())
            && self.old.space.is_own(object.address())
            && object.is_traced()
        {
            self.retain::<H>(object);
        }
    }

    /// Evacuates what `slot` refers to if it is young, brings the slot up to date, and says what is known of
    /// the object.
    #[inline]
    pub fn follow<H: Host>(&mut self, slot: Slot) -> Found {
        let word = slot.get();
        let Some(object) = target::<H>(word) else { return Found::Counted };
        if self.nursery.contains(object.address()) {
            return self.follow_young::<H>(slot, word, object);
        }
        if self.mixed {
            return self.follow_mixed(object);
        }
        self.classified(object)
    }

    /// What is known of an object outside the nursery, wherever it is.
    fn follow_mixed(&mut self, object: ObjRef) -> Found {
        if !self.old.space.is_own(object.address()) {
            return Found::Counted;
        }
        if self.old.space.is_young_large(object.address()) {
            return self.promote_large(object);
        }
        self.classified(object)
    }

    fn follow_young<H: Host>(&mut self, slot: Slot, word: u64, young: ObjRef) -> Found {
        let header = match young.young() {
            Young::Here(header) => header,
            Young::Moved(object) => {
                slot.set(H::word(object.address(), word));
                return self.classified(object);
            }
        };
        let object = self.evacuate(young, header);
        slot.set(H::word(object.address(), word));
        self.begin(object, header)
    }

    /// Moves a young object to the old generation and leaves a forwarding address.
    #[inline(always)]
    pub fn evacuate(&mut self, young: ObjRef, header: Header) -> ObjRef {
        self.report.promoted_objects += 1;
        self.report.promoted_bytes += header.cell_bytes();
        prefetch_around(young, header);
        self.move_out(young, header, Lane::of(header))
    }

    /// The same, for who does the accounts himself.
    #[inline(always)]
    pub fn move_out(&mut self, young: ObjRef, header: Header, lane: Lane) -> ObjRef {
        let address = self.old.space.cell(lane, header.cell_bytes());
        move_to(young, address, header.words())
    }

    fn promote_large(&mut self, object: ObjRef) -> Found {
        let header = object.header();
        let bytes = header.cell_bytes();
        self.old.space.promote_large(object, bytes);
        self.report.promoted_objects += 1;
        self.report.promoted_bytes += bytes;
        self.begin(object, header)
    }

    /// The class of an object that has just become old, as far as its header tells.
    #[inline]
    pub fn begin(&mut self, object: ObjRef, header: Header) -> Found {
        if header.has(MUTABLE) {
            object.set_traced(true);
            Found::Traced
        } else if header.references() == 0 {
            Found::Counted
        } else {
            Found::Unclassified(object, header)
        }
    }

    /// What is known of an old object. The header of a counted one is not looked at.
    #[inline]
    fn classified(&self, object: ObjRef) -> Found {
        if !object.is_traced() {
            return Found::Counted;
        }
        match object.first() {
            First::Replaced(place) => Found::Open((place >> 1) as u32),
            First::Header(header) => {
                let may_settle = self.settling && !header.has(MUTABLE) && !self.old.space.is_retained(object);
                if may_settle { Found::Unclassified(object, header) } else { Found::Traced }
            }
        }
    }
}
