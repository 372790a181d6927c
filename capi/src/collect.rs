//! Collections.

use frazil::Request;

use crate::call::on_heap;
use crate::error::{Outcome, frazil_status, frazil_status::*, refuse};
use crate::event::frazil_event;
use crate::pointer::{Out, wanted};
use crate::shape::sized;
use crate::state::State;
use crate::stats::frazil_report;
use crate::value::frazil_heap;

fn request(kind: u32) -> Outcome<Request> {
    [Request::Auto, Request::Short, Request::Complete]
        .get(kind as usize)
        .copied()
        .map_or_else(|| refuse(FRAZIL_BAD_ARGUMENT, format!("{kind} is no kind of collection")), Ok)
}

/// Do all roots and references lead to objects?
pub(crate) fn check(state: &mut State) -> Outcome {
    state.heap.verify_references().or_else(|violation| refuse(FRAZIL_BAD_REFERENCE, violation.to_string()))
}

/// Collects. From here on the words that the host holds lead nowhere; handles, frames and weak references are up to date.
/// `kind` is one of `FRAZIL_COLLECT_...`. `report` may be null (then `report_bytes` is ignored); otherwise
/// `report_bytes` is `sizeof(frazil_report)`.
///
/// It needs no memory that an allocation has not reserved.
///
/// # Errors
/// `FRAZIL_BAD_ARGUMENT`, `FRAZIL_WRONG_SIZE`, and as for every call on a heap. In checking mode:
/// `FRAZIL_BAD_REFERENCE` if a root or a reference leads to no object (nothing was collected, and the heap can still be
/// looked at), `FRAZIL_INTERNAL` if the heap is broken.
#[unsafe(no_mangle)]
pub extern "C" fn frazil_collect(
    heap: frazil_heap,
    kind: u32,
    report: Out<'_, frazil_report>,
    report_bytes: usize,
) -> frazil_status {
    on_heap(heap, |state| {
        let place = match report {
            Some(report) => Some(sized(Some(report), report_bytes, "report")?),
            None => None,
        };
        let request = request(kind)?;
        if state.heap.config().check {
            check(state)?;
        }
        let report = state.heap.collect(request);
        state.tell(frazil_event::collected(&report));
        if report.finalizable > 0 {
            state.tell(frazil_event::finalizable(&report));
        }
        if let Some(place) = place {
            place.write(frazil_report::from_report(&report));
        }
        Ok(())
    })
}

/// Is a collection due? A host asks this at its safepoints, or reads the byte at `FRAZIL_WANTED_OFFSET`.
///
/// # Errors
/// `FRAZIL_NULL`, and as for every call on a heap.
#[unsafe(no_mangle)]
pub extern "C" fn frazil_should_collect(heap: frazil_heap, due: Out<'_, bool>) -> frazil_status {
    on_heap(heap, |state| {
        wanted(due, "due")?.write(state.heap.should_collect());
        Ok(())
    })
}

/// Is a collection due, or nearly so? For the safepoints where little of what is young is alive.
///
/// # Errors
/// `FRAZIL_NULL`, and as for every call on a heap.
#[unsafe(no_mangle)]
pub extern "C" fn frazil_should_collect_early(heap: frazil_heap, due: Out<'_, bool>) -> frazil_status {
    on_heap(heap, |state| {
        wanted(due, "due")?.write(state.heap.should_collect_early());
        Ok(())
    })
}

/// Makes a collection due.
///
/// # Errors
/// As for every call on a heap.
#[unsafe(no_mangle)]
pub extern "C" fn frazil_want_collection(heap: frazil_heap) -> frazil_status {
    on_heap(heap, |state| {
        state.heap.want_collection();
        Ok(())
    })
}

/// Releases at most `objects` objects from the freed-object buffer, for a host that is idle. `*left` (which may be null) is
/// how many are left in it.
///
/// # Errors
/// As for every call on a heap.
#[unsafe(no_mangle)]
pub extern "C" fn frazil_drain(heap: frazil_heap, objects: usize, left: Out<'_, usize>) -> frazil_status {
    on_heap(heap, |state| {
        let waiting = state.heap.drain(objects);
        if let Some(left) = left {
            left.write(waiting);
        }
        Ok(())
    })
}

/// Does every root, and every reference of every object, lead to an object? It looks at the whole heap, and may be asked
/// at any time, in checking mode or not.
///
/// # Errors
/// `FRAZIL_BAD_REFERENCE`, with a message about the first one that does not; and as for every call on a heap.
#[unsafe(no_mangle)]
pub extern "C" fn frazil_check(heap: frazil_heap) -> frazil_status {
    on_heap(heap, check)
}
