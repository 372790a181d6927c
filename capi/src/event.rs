//! Events: the host is told, after the call in which they happened, when the heap is at rest again.

use std::ffi::c_void;

use frazil::Report;

use crate::call::on_heap;
use crate::error::{frazil_status, frazil_status::*};
use crate::stats::frazil_report;
use crate::value::frazil_heap;

/// What happened.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum frazil_event_kind {
    /// A collection is over.
    FRAZIL_EVENT_COLLECTED = 0,
    /// Objects have come to the finalizer queue; `report.finalizable` says how many.
    FRAZIL_EVENT_FINALIZABLE = 1,
    /// An allocation was refused, and `status` says why.
    FRAZIL_EVENT_REFUSED = 2,
}

/// One event.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct frazil_event {
    /// The heap it happened to.
    pub heap: frazil_heap,
    /// One of `FRAZIL_EVENT_...`.
    pub kind: u32,
    /// Why an allocation was refused; otherwise `FRAZIL_OK`.
    pub status: u32,
    /// Of a collection: what it did. Zeros otherwise.
    pub report: frazil_report,
}

/// A function of the host's. It must come back in the ordinary way: it may neither throw nor jump out.
pub type frazil_listener = Option<extern "C" fn(event: Option<&frazil_event>, context: *mut c_void)>;

/// Who is told.
#[derive(Clone, Copy)]
pub(crate) struct Listener {
    function: extern "C" fn(event: Option<&frazil_event>, context: *mut c_void),
    context: *mut c_void,
}

impl Listener {
    pub fn tell(self, event: &frazil_event) {
        (self.function)(Some(event), self.context);
    }
}

impl frazil_event {
    const QUIET: frazil_event = frazil_event {
        heap: frazil_heap { number: 0 },
        kind: frazil_event_kind::FRAZIL_EVENT_COLLECTED as u32,
        status: FRAZIL_OK as u32,
        report: frazil_report::ZERO,
    };

    /// A collection is over.
    pub(crate) fn collected(report: &Report) -> frazil_event {
        frazil_event { report: frazil_report::from_report(report), ..Self::QUIET }
    }

    /// Objects died whose owner wants to hear of it.
    pub(crate) fn finalizable(report: &Report) -> frazil_event {
        let kind = frazil_event_kind::FRAZIL_EVENT_FINALIZABLE as u32;
        frazil_event { kind, ..Self::collected(report) }
    }

    /// An allocation was refused.
    pub(crate) fn refused(status: frazil_status) -> frazil_event {
        let kind = frazil_event_kind::FRAZIL_EVENT_REFUSED as u32;
        frazil_event { kind, status: status as u32, ..Self::QUIET }
    }
}

/// From now on `listener` is told of every event, with `context`; it takes the place of the one before. Null: nobody is.
/// It is called by the thread of the heap at the end of the call in which the event happened, and may use the heap;
/// what happens meanwhile comes to it afterwards.
///
/// # Errors
/// As for every call on a heap.
#[unsafe(no_mangle)]
pub extern "C" fn frazil_listen(
    heap: frazil_heap,
    listener: frazil_listener,
    context: *mut c_void,
) -> frazil_status {
    on_heap(heap, |state| {
        state.events.clear();
        state.listener = listener.map(|function| Listener { function, context });
        Ok(())
    })
}
