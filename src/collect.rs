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
//!         counted -> if its count is 0, put it in the freed-object buffer
//!
//! while the buffer is not empty:                     -- 4. drain
//!     take an object;  for each reference:  its count -= 1
//!         if it is 0 now and not retained:  put the target in the buffer
//!     free the object
//! ```
//!
//! What the code adds: explicit stacks; the two kinds of collection; components; finalizable objects, which are
//! revived between 1 and 3; weak references, which are cleared after 4; instalments, which end 4 early.
//!
//! A **short** collection begins no epoch. It reaches what roots and *touched* objects refer to, adds bits, and
//! skips 3: nothing that is old and untouched is looked at, and nothing old dies but what waits in the buffer.
//!
//! The order is the proof. No count goes down before the last retain bit is set and the last count has gone up.
//! Within a phase any order will do.

pub(crate) mod classify;
pub(crate) mod diff;
pub(crate) mod drain;
pub(crate) mod reach;

use std::time::{Duration, Instant};

use crate::Fault;
use crate::heap::Heap;
use crate::object::{ObjRef, Slot};
use crate::pacing::Request;
use crate::space::clear_card;
use crate::stats::{ByRoot, Kind, Report};
use crate::tuning::Drain;
use crate::value::Host;
use crate::weak::fate;

use drain::Budget;
use reach::Trace;

/// Holds one collection. See the module's head. The memory that survivors may need was reserved when the young
/// objects were allocated.
pub(crate) fn collect<H: Host>(heap: &mut Heap<'_, H>, request: Request) -> Report {
    let started = Instant::now();
    let allocated = heap.allocated_bytes();
    let kind = heap.kind_for(request);
    let mut report = Report {
        number: heap.stats.collections() + 1,
        kind,
        allocated_bytes: allocated,
        ..Report::default()
    };
    let previous = begin_epoch(heap, kind);
    reach_everything(heap, &mut report, &previous);
    heap.old.get_mut().space.stop_filling();
    if kind == Kind::Complete {
        heap.old.get_mut().diff::<H>(previous, &mut report);
    }
    let draining = Instant::now();
    let budget = instalment(heap, allocated);
    heap.old.get_mut().drain::<H>(budget, &mut report);
    heap.make_revived_ready(&mut report);
    clear_weak(heap, &mut report);
    heap.record_fates();
    heap.free_young();
    heap.give_memory_back();
    report.drain = draining.elapsed();
    heap.finish_report(&mut report);
    heap.plan(&report);
    report.pause = started.elapsed();
    report
}

/// Phase 0. The blocks touched so far become the previous list; each is flipped when it is touched again.
fn begin_epoch<H: Host>(heap: &mut Heap<'_, H>, kind: Kind) -> Vec<usize> {
    match kind {
        Kind::Short => Vec::new(),
        Kind::Complete => {
            let space = &mut heap.old.get_mut().space;
            space.epoch += 1;
            std::mem::take(&mut space.touched_blocks)
        }
    }
}

/// Phases 1 and 2, from every kind of root.
fn reach_everything<H: Host>(heap: &mut Heap<'_, H>, report: &mut Report, previous: &[usize]) {
    let kind = report.kind;
    let settling = kind == Kind::Complete && heap.froze.replace(false);
    let touched = std::mem::take(heap.touched.get_mut());
    for touch in &touched {
        if let Some(card) = touch.card {
            clear_card(touch.object, card);
        }
    }
    let stack = heap.stack.slots();
    let handles = heap.handles.slots();
    let handles = handles.skip(usize::from(H::commits(Fault::SkippedRoot)));

    let marks_seen = heap.config.short_collections;
    let mut trace = Trace::new(heap.old.get_mut(), &heap.young.nursery, report, settling, marks_seen);
    reach_roots::<H>(&mut trace, stack, |by_root| &mut by_root.stack);
    if H::commits(Fault::EarlyDecrement) && kind == Kind::Complete {
        trace.old.diff::<H>(previous.to_vec(), trace.report);
        trace.old.drain::<H>(Budget::ALL, trace.report);
    }
    reach_roots::<H>(&mut trace, handles, |by_root| &mut by_root.handles);
    if kind == Kind::Short {
        attributed(
            &mut trace,
            |by_root| &mut by_root.touched,
            |trace| {
                for touch in &touched {
                    match touch.card {
                        Some(card) => trace.scan_card::<H>(touch.object, card),
                        None => trace.scan::<H>(touch.object),
                    }
                    trace.scan_gray::<H>();
                }
            },
        );
    }
    let finalizers = heap.finalizers.get_mut();
    if !finalizers.is_empty() {
        let (nursery, old) = (&heap.young.nursery, &*trace.old);
        trace.report.finalizable += finalizers.update::<H>(|object| {
            let counted = !old.is_young(object, nursery) && !object.is_traced();
            if counted { Some(object) } else { fate(object, nursery, old) }
        });
    }
    let ready = finalizers.ready_slots();
    reach_roots::<H>(&mut trace, ready.into_iter(), |by_root| &mut by_root.finalizable);
}

fn reach_roots<H: Host>(
    trace: &mut Trace<'_>,
    slots: impl Iterator<Item = Slot>,
    share: impl Fn(&mut ByRoot) -> &mut usize,
) {
    attributed(trace, share, |trace| {
        for slot in slots {
            trace.reach::<H>(slot);
            trace.scan_gray::<H>();
        }
    });
}

/// Does some of the reaching, and books it to a kind of root.
fn attributed(
    trace: &mut Trace<'_>,
    share: impl Fn(&mut ByRoot) -> &mut usize,
    reach: impl FnOnce(&mut Trace<'_>),
) {
    let (promoted, retained) = (trace.report.promoted_bytes, trace.report.retained);
    reach(trace);
    *share(&mut trace.report.promoted_by_root) = trace.report.promoted_bytes - promoted;
    *share(&mut trace.report.retained_by_root) = trace.report.retained - retained;
}

/// How much this collection may drain, after `allocated` bytes.
fn instalment<H: Host>(heap: &Heap<'_, H>, allocated: usize) -> Budget {
    match heap.config.drain {
        Drain::All => Budget::ALL,
        Drain::Instalments { objects_per_kib, micros_max } => Budget::new(
            (allocated / 1024 + 1).saturating_mul(objects_per_kib as usize),
            Some(Duration::from_micros(micros_max.into())),
        ),
    }
}

/// Brings weak references up to date, before the nursery forgets where its objects went.
fn clear_weak<H: Host>(heap: &mut Heap<'_, H>, report: &mut Report) {
    let kept = H::commits(Fault::KeptWeak);
    let (nursery, old) = (&heap.young.nursery, &*heap.old.get_mut());
    report.weak_cleared +=
        heap.weaks.get_mut().update(|object: ObjRef| fate(object, nursery, old).or(kept.then_some(object)));
}
