//! What collections did: of each a report, and their sum.

use std::time::Duration;

use frazil::{Kind, Report};

use crate::call::on_heap;
use crate::error::frazil_status;
use crate::pointer::Out;
use crate::shape::sized;
use crate::value::frazil_heap;

/// Which collection is asked for, and which one was held.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum frazil_collection {
    /// The heap's policy chooses.
    FRAZIL_COLLECT_AUTO = 0,
    /// Roots, touched objects and young survivors only; complete all the same if the settings allow no short ones.
    FRAZIL_COLLECT_SHORT = 1,
    /// Everything: nothing unreachable is left, unless the settings release it in instalments.
    FRAZIL_COLLECT_COMPLETE = 2,
}

/// What one collection did.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct frazil_report {
    /// Its number, from 1.
    pub number: u64,
    /// `FRAZIL_COLLECT_SHORT` or `FRAZIL_COLLECT_COMPLETE`.
    pub kind: u64,
    /// How long the host stood still, in nanoseconds.
    pub pause_ns: u64,
    /// The part of it that drained the freed-object buffer and gave memory back.
    pub drain_ns: u64,
    /// Bytes allocated since the collection before, large objects included.
    pub allocated_bytes: u64,
    /// Young objects that survived.
    pub promoted_objects: u64,
    /// Their bytes.
    pub promoted_bytes: u64,
    /// Traced objects that were scanned.
    pub traced_objects: u64,
    /// Their bytes.
    pub traced_bytes: u64,
    /// Frozen objects that became counted.
    pub settled: u64,
    /// Frozen cycles among them.
    pub components: u64,
    /// Old objects that were freed.
    pub freed_objects: u64,
    /// Their bytes.
    pub freed_bytes: u64,
    /// Dead objects that wait in the freed-object buffer.
    pub waiting: u64,
    /// Weak references that were cleared.
    pub weak_cleared: u64,
    /// Finalizable objects that died.
    pub finalizable: u64,
    /// Old objects afterwards.
    pub old_objects: u64,
    /// The bytes of their cells.
    pub old_bytes: u64,
    /// The bytes of the blocks they lie in.
    pub block_bytes: u64,
}

/// The sum of all collections of a heap, and how it stands now.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct frazil_statistics {
    /// Short collections.
    pub short_collections: u64,
    /// Complete collections.
    pub complete_collections: u64,
    /// Time in collections, in nanoseconds.
    pub pause_total_ns: u64,
    /// The longest collection.
    pub pause_max_ns: u64,
    /// Half of the collections were no longer, to within a fifth.
    pub pause_median_ns: u64,
    /// 99 of 100 were no longer, to within a fifth.
    pub pause_99_ns: u64,
    /// Bytes allocated, up to now.
    pub allocated_bytes: u64,
    /// Objects promoted.
    pub promoted_objects: u64,
    /// Bytes promoted.
    pub promoted_bytes: u64,
    /// Traced objects scanned.
    pub traced_objects: u64,
    /// Old objects freed.
    pub freed_objects: u64,
    /// Bytes of old objects freed.
    pub freed_bytes: u64,
    /// Frozen objects that became counted.
    pub settled: u64,
    /// The most bytes that old blocks took at the end of a collection.
    pub block_bytes_max: u64,
    /// Bytes that nursery and old blocks take now, which is what the limit bounds.
    pub used_bytes: u64,
    /// Handles in use.
    pub handles: u64,
    /// Weak references in use.
    pub weak_references: u64,
    /// Words in use on the root stack.
    pub stack_words: u64,
    /// The report of the last collection; zeros before the first.
    pub last: frazil_report,
}

impl frazil_report {
    /// Nothing happened.
    pub(crate) const ZERO: frazil_report = frazil_report {
        number: 0,
        kind: 0,
        pause_ns: 0,
        drain_ns: 0,
        allocated_bytes: 0,
        promoted_objects: 0,
        promoted_bytes: 0,
        traced_objects: 0,
        traced_bytes: 0,
        settled: 0,
        components: 0,
        freed_objects: 0,
        freed_bytes: 0,
        waiting: 0,
        weak_cleared: 0,
        finalizable: 0,
        old_objects: 0,
        old_bytes: 0,
        block_bytes: 0,
    };
}

fn nanos(duration: Duration) -> u64 {
    duration.as_nanos().try_into().unwrap_or(u64::MAX)
}

impl frazil_report {
    /// The same for C.
    pub(crate) fn from_report(report: &Report) -> frazil_report {
        let kind = match report.kind {
            Kind::Short => frazil_collection::FRAZIL_COLLECT_SHORT,
            Kind::Complete => frazil_collection::FRAZIL_COLLECT_COMPLETE,
        };
        frazil_report {
            number: report.number,
            kind: kind as u64,
            pause_ns: nanos(report.pause),
            drain_ns: nanos(report.drain),
            allocated_bytes: report.allocated_bytes as u64,
            promoted_objects: report.promoted_objects as u64,
            promoted_bytes: report.promoted_bytes as u64,
            traced_objects: report.traced_objects as u64,
            traced_bytes: report.traced_bytes as u64,
            settled: report.settled as u64,
            components: report.components as u64,
            freed_objects: report.freed_objects as u64,
            freed_bytes: report.freed_bytes as u64,
            waiting: report.waiting as u64,
            weak_cleared: report.weak_cleared as u64,
            finalizable: report.finalizable as u64,
            old_objects: report.old_objects as u64,
            old_bytes: report.old_bytes as u64,
            block_bytes: report.block_bytes as u64,
        }
    }
}

/// Everything the collections did so far. `statistics_bytes` is `sizeof(frazil_statistics)`.
///
/// # Errors
/// `FRAZIL_NULL`, `FRAZIL_WRONG_SIZE`, and as for every call on a heap.
#[unsafe(no_mangle)]
pub extern "C" fn frazil_statistics_get(
    heap: frazil_heap,
    statistics: Out<'_, frazil_statistics>,
    statistics_bytes: usize,
) -> frazil_status {
    on_heap(heap, |state| {
        let place = sized(statistics, statistics_bytes, "statistics")?;
        let (heap, stats) = (&state.heap, state.heap.stats());
        let last = if stats.collections() == 0 {
            Default::default()
        } else {
            frazil_report::from_report(&stats.last)
        };
        place.write(frazil_statistics {
            short_collections: stats.short,
            complete_collections: stats.complete,
            pause_total_ns: nanos(stats.pause_total),
            pause_max_ns: nanos(stats.pause_max),
            pause_median_ns: nanos(stats.pauses.quantile(0.5)),
            pause_99_ns: nanos(stats.pauses.quantile(0.99)),
            allocated_bytes: stats.allocated_bytes + heap.allocated_bytes() as u64,
            promoted_objects: stats.promoted_objects,
            promoted_bytes: stats.promoted_bytes,
            traced_objects: stats.traced_objects,
            freed_objects: stats.freed_objects,
            freed_bytes: stats.freed_bytes,
            settled: stats.settled,
            block_bytes_max: stats.block_bytes_max as u64,
            used_bytes: heap.used_bytes() as u64,
            handles: state.handles.len() as u64,
            weak_references: state.weaks.len() as u64,
            stack_words: heap.stack_len() as u64,
            last,
        });
        Ok(())
    })
}
