//! The collection. Read [`collect`] first: it is the algorithm.
//!
//! Simplified, for a complete collection, with recursion and without limits:
//!
//! ```text
//! collect:
//!     epoch += 1                                     -- 0. flip: a block's bits become the previous ones
//!     for each root r:  reach(r)                     --    when it is first touched in the new epoch
//!
//! reach(r):                                          -- 1. reach
//!     evacuate what r refers to if it is young       --    (classify it: counted or traced, `classify.rs`)
//!     set its retain bit
//!     if it is traced and the bit is new:  reach each of its references
//!
//! a counted object that was evacuated:               -- 2. counted survivors
//!     evacuate what it refers to;  count each reference
//!
//! for each touched block:                            -- 3. diff
//!     for each object retained before and not now:
//!         traced  -> free it
//!         counted -> if its count is 0, put it in the freed-object buffer (a leaf: free it)
//!
//! while the buffer is not empty:                     -- 4. drain
//!     take an object;  for each reference:  its count -= 1
//!         if it is 0 now and not retained:  put the target in the buffer
//!     free the object
//! ```
//!
//! What the code adds: explicit stacks; the two kinds of collection; components; clusters, inside of which nothing is
//! counted; finalizable objects, which are revived between 1 and 3; weak references, which are cleared after 4;
//! instalments, which end 4 early.
//!
//! A **short** collection begins no epoch. It reaches what roots and *touched* objects refer to, adds bits, and
//! skips 3: nothing that is old and untouched is looked at, and nothing old dies but what waits in the buffer.
//!
//! The order is the proof. No count goes down before the last retain bit is set and the last count has gone up.
//! Within a phase any order will do. What must come before what is written down in `order.rs`, as data.

pub(crate) mod classify;
mod cluster;
pub(crate) mod diff;
pub(crate) mod drain;
mod promote;
mod queue;
pub(crate) mod reach;

use std::time::{Duration, Instant};

use crate::Fault;
use crate::clusters::Outcome;
use crate::heap::{Heap, Touch};
use crate::host::Host;
use crate::object::{ObjRef, Slot};
use crate::old::Old;
use crate::order::{Choice, Stage, Turn, natural, stages, take};
use crate::pacing::Request;
use crate::space::clear_card;
use crate::stats::{ByRoot, Kind, Report};
use crate::tuning::Drain;
use crate::weak::fate;

use drain::Budget;
use reach::{Tracer, Work};

/// Holds one collection. See the module's head. The memory that survivors may need was reserved when the young
/// objects were allocated.
pub(crate) fn collect<H: Host>(heap: &mut Heap<'_, H>, request: Request) -> Report {
    let mut collection = Collection::begin(heap, request);
    for &stage in stages::<H>().iter() {
        collection.perform(stage);
    }
    collection.end()
}

/// A collection under way.
struct Collection<'h, 'id, H: Host> {
    heap: &'h mut Heap<'id, H>,
    report: Report,
    started: Instant,
    /// Blocks that were touched when the epoch began.
    previous: Vec<usize>,
    /// What was written since the last collection.
    touched: Vec<Touch>,
    /// The host has asked for everything, which it does when it has time, or needs memory.
    asked_for: bool,
    /// Something was frozen since the last complete collection.
    settling: bool,
    /// Structures may be counted as one.
    clustering: bool,
    /// The class of some large young object is still to be found out.
    unclassified_large: bool,
    work: Work,
}

impl<'h, 'id, H: Host> Collection<'h, 'id, H> {
    fn begin(heap: &'h mut Heap<'id, H>, request: Request) -> Self {
        let started = Instant::now();
        let kind = heap.kind_for(request);
        let is_recorded = heap.recorder.is_some();
        heap.pacer.notices_writes = heap.pacer.should_notice_writes(&heap.config, request, kind, is_recorded);
        let report = Report {
            number: heap.stats.collections() + 1,
            kind,
            allocated_bytes: heap.allocated_bytes(),
            ..Report::default()
        };
        heap.old.get_mut().set_collecting(true);
        let touched = std::mem::take(heap.touched.get_mut());
        for touch in &touched {
            if let Some(card) = touch.card {
                clear_card(touch.object, card);
            }
        }
        let settling = kind == Kind::Complete && heap.froze.replace(false);
        let work = Work { turn: Turn::choose::<H>(), ..Work::default() };
        let asked_for = request == Request::Complete;
        let clustering = heap.old.get_mut().clusters.are_worth_while();
        heap.old.get_mut().space.making_clusters = clustering;
        let unclassified_large = heap.old.get_mut().space.classify_young_large();
        Collection {
            heap,
            report,
            started,
            previous: Vec::new(),
            touched,
            asked_for,
            settling,
            clustering,
            unclassified_large,
            work,
        }
    }

    fn perform(&mut self, stage: Stage) {
        match stage {
            Stage::Receive => self.heap.old.get_mut().receive::<H>(),
            Stage::Flip => self.flip(),
            Stage::ReachStack => self.reach(self.heap.stack.slots(), |by_root| &mut by_root.stack),
            Stage::ReachHandles => {
                let skipped = usize::from(H::commits(Fault::SkippedRoot));
                self.reach(self.heap.handles.slots().skip(skipped), |by_root| &mut by_root.handles);
                self.reach_weak_abroad();
            }
            Stage::ReachTouched => self.reach_touched(),
            Stage::Revive => self.revive(),
            Stage::Count => self.count(),
            Stage::Diff => self.diff(),
            Stage::Drain => self.drain(),
            Stage::Enqueue => self.heap.make_revived_ready(&mut self.report),
            Stage::Post => self.heap.old.get_mut().post::<H>(&mut self.report),
            Stage::ClearWeak => self.clear_weak(),
        }
    }

    fn end(mut self) -> Report {
        let freeing = Instant::now();
        self.heap.record_fates();
        self.heap.free_young();
        self.heap.give_memory_back(self.asked_for);
        self.report.drain += freeing.elapsed();
        self.learn_of_clusters();
        self.report.received = std::mem::take(&mut self.heap.old.get_mut().received);
        self.heap.finish_report(&mut self.report);
        self.heap.plan(&self.report);
        if self.asked_for {
            self.heap.give_nursery_back();
        }
        self.heap.old.get_mut().space.look_ahead();
        self.heap.old.get_mut().set_collecting(false);
        self.report.pause = self.started.elapsed();
        self.report
    }

    fn learn_of_clusters(&mut self) {
        let old = self.heap.old.get_mut();
        let (failed, dissolved) = (self.report.dissolved, std::mem::take(&mut old.dissolved));
        old.clusters.learn(Outcome { clustered: self.report.clustered, failed, dissolved });
        self.report.dissolved += dissolved;
    }

    // ------------------------------------------------------------------ phase 0

    /// The blocks touched so far become the previous list; each is flipped when it is touched again.
    fn flip(&mut self) {
        if self.report.kind == Kind::Complete {
            let old = self.heap.old.get_mut();
            old.candidates = 0;
            old.space.epoch += 1;
            self.previous = std::mem::take(&mut old.space.touched_blocks);
        }
    }

    // ------------------------------------------------------------------ phases 1 and 2

    fn tracer(&mut self) -> Tracer<'_> {
        let old = self.heap.old.get_mut();
        let abroad = old.space.abroad;
        let mixed = abroad || !old.space.young_large.is_empty();
        let unsettled = self.settling || abroad || self.unclassified_large;
        Tracer {
            old,
            nursery: &self.heap.young.nursery,
            report: &mut self.report,
            work: &mut self.work,
            settling: self.settling,
            abroad,
            mixed,
            careful: unsettled || H::REORDERS,
            clustering: self.clustering && !unsettled,
            marks_seen: self.heap.pacer.notices_writes,
        }
    }

    /// Reaches what `slots` refer to, and what can be reached from there. It is booked to a kind of root.
    fn reach(&mut self, slots: impl Iterator<Item = Slot>, share: impl Fn(&mut ByRoot) -> &mut usize) {
        self.attributed(share, |tracer| {
            if H::REORDERS {
                let mut slots: Vec<Slot> = slots.collect();
                while let Some(slot) = take::<H, _>(Choice::Root, &mut slots) {
                    tracer.reach::<H>(slot);
                    tracer.scan_some::<H>();
                }
            } else {
                for slot in slots {
                    tracer.reach::<H>(slot);
                    tracer.scan_gray::<H>();
                }
            }
        });
    }

    /// In a short collection, what was written since the last one is as good as a root.
    fn reach_touched(&mut self) {
        if self.report.kind == Kind::Complete {
            return;
        }
        let touched = std::mem::take(&mut self.touched);
        self.attributed(|by_root| &mut by_root.touched, |tracer| tracer.scan_touched::<H>(&touched));
    }

    /// When another owner's object dies, only that owner will know: a weak reference to it retains it.
    fn reach_weak_abroad(&mut self) {
        let old = self.heap.old.get_mut();
        if old.space.abroad {
            let nursery = &self.heap.young.nursery;
            let is_foreign =
                |object: &ObjRef| !nursery.contains(object.address()) && !old.space.is_own(object.address());
            let foreign: Vec<ObjRef> = self.heap.weaks.get_mut().open_objects().filter(is_foreign).collect();
            foreign.into_iter().for_each(|object| old.retain_foreign::<H>(object));
        }
    }

    /// Finalizable objects that are dead become roots once more. Whether an old counted one is dead, only the
    /// drain will find out.
    fn revive(&mut self) {
        self.tracer().scan_gray::<H>();
        let finalizers = self.heap.finalizers.get_mut();
        if !finalizers.is_empty() {
            let (nursery, old) = (&self.heap.young.nursery, &*self.heap.old.get_mut());
            self.report.finalizable += finalizers.update::<H>(|object| {
                let counted = !old.is_young(object, nursery) && !object.is_traced();
                if counted { Some(object) } else { fate(object, nursery, old) }
            });
        }
        let ready = finalizers.ready_slots();
        self.reach(ready.into_iter(), |by_root| &mut by_root.finalizable);
        self.tracer().scan_gray::<H>();
    }

    /// Does some of the reaching, and books it to a kind of root.
    fn attributed(&mut self, share: impl Fn(&mut ByRoot) -> &mut usize, reach: impl FnOnce(&mut Tracer<'_>)) {
        let (promoted, retained) = (self.report.promoted_bytes, self.report.retained);
        reach(&mut self.tracer());
        *share(&mut self.report.promoted_by_root) += self.report.promoted_bytes - promoted;
        *share(&mut self.report.retained_by_root) += self.report.retained - retained;
    }

    /// What is left of counting. From here on nothing is promoted.
    fn count(&mut self) {
        let old = self.heap.old.get_mut();
        for target in std::mem::take(&mut self.work.counting).rest() {
            old.increment::<H>(target);
        }
        while let Some(target) = take::<H, _>(Choice::Count, &mut self.work.put_off) {
            old.increment::<H>(target);
        }
        old.space.stop_filling();
    }

    // ------------------------------------------------------------------ phases 3 and 4

    fn diff(&mut self) {
        if self.report.kind == Kind::Complete {
            self.heap.old.get_mut().diff::<H>(std::mem::take(&mut self.previous), &mut self.report);
        }
    }

    fn drain(&mut self) {
        let draining = Instant::now();
        let budget = self.instalment();
        let old = self.heap.old.get_mut();
        old.empty_hand();
        old.drain::<H>(budget, &mut self.report);
        self.report.drain += draining.elapsed();
    }

    /// How much this collection may drain. Who was refused something would be refused it again, if the dead kept their memory.
    fn instalment(&self) -> Budget {
        let refused = self.heap.refused.take();
        match self.heap.config.drain {
            Drain::Instalments { .. } if refused => Budget::ALL,
            Drain::All => Budget::ALL,
            Drain::Instalments { objects_per_kib, micros_max } => {
                let objects =
                    (self.report.allocated_bytes / 1024 + 1).saturating_mul(objects_per_kib as usize);
                let objects = match natural::<H>(Choice::Instalment) {
                    true => objects,
                    false => 1 + H::choose(Choice::Instalment, objects.saturating_mul(2)),
                };
                Budget::new(objects, Some(Duration::from_micros(micros_max.into())))
            }
        }
    }

    /// Brings weak references up to date, before the nursery forgets where its objects went.
    fn clear_weak(&mut self) {
        let kept = H::commits(Fault::KeptWeak);
        let (nursery, old) = (&self.heap.young.nursery, self.heap.old.get_mut());
        if H::commits(Fault::UnheardDeath) {
            old.unparked.clear();
        }
        let fate = |object: ObjRef, old: &Old| fate(object, nursery, old).or(kept.then_some(object));
        self.report.weak_cleared += self.heap.weaks.get_mut().update(old, nursery, fate);
    }
}
