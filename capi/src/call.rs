//! What every call does first and last: it finds the heap, keeps panics from its caller, and delivers events.

use crate::error::{Error, Outcome, frazil_status, frazil_status::*, refuse, status_of};
use crate::event::frazil_event;
use crate::quiet;
use crate::registry;
use crate::state::State;
use crate::value::frazil_heap;

#[cfg(panic = "abort")]
compile_error!("a panic must become a status, which takes `panic = \"unwind\"`");

/// Runs a call that needs no heap.
pub(crate) fn plain(body: impl FnOnce() -> Outcome) -> frazil_status {
    status_of(quiet::catch(body).unwrap_or_else(|payload| Err(Error::from_panic(payload))))
}

/// Runs a call on a heap, then tells its listener what there is to tell.
pub(crate) fn on_heap(heap: frazil_heap, body: impl FnOnce(&mut State) -> Outcome) -> frazil_status {
    let mut told = false;
    let status = plain(|| {
        let shared = registry::find(heap)?;
        let Ok(mut state) = shared.try_borrow_mut() else {
            return refuse(FRAZIL_BUSY, "the heap is in the middle of another call");
        };
        if state.broken {
            return refuse(FRAZIL_BROKEN, "after an internal error the heap can only be destroyed");
        }
        let outcome = quiet::catch(|| body(&mut state));
        told = !state.events.is_empty();
        outcome.unwrap_or_else(|payload| {
            state.broken = true;
            Err(Error::from_panic(payload))
        })
    });
    if told {
        deliver(heap);
    }
    status
}

/// Tells the listener what has happened, one event at a time. Nothing is borrowed while it is running, so it may do what it
/// likes, even end the heap.
fn deliver(heap: frazil_heap) {
    let next = || {
        let shared = registry::find(heap).ok()?;
        let mut state = shared.try_borrow_mut().ok()?;
        if state.events.is_empty() || state.telling {
            return None;
        }
        state.telling = true;
        let event = frazil_event { heap, ..state.events.remove(0) };
        state.listener.map(|listener| (listener, event))
    };
    while let Some((listener, event)) = next() {
        listener.tell(&event);
        if let Ok(shared) = registry::find(heap)
            && let Ok(mut state) = shared.try_borrow_mut()
        {
            state.telling = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use frazil::Config;

    use super::*;
    use crate::word;

    fn heap() -> frazil_heap {
        registry::enter(word::heap(Config::DEFAULT, None).unwrap(), None).unwrap()
    }

    fn message() -> String {
        crate::pointer::text(crate::frazil_error_message())
    }

    #[test]
    fn a_panic_is_a_status_and_breaks_its_heap_alone() {
        let (one, other) = (heap(), heap());
        assert_eq!(on_heap(one, |_| panic!("a {} of it", "test")), FRAZIL_INTERNAL);
        assert!(message().starts_with("a test of it (capi/src/call.rs:"), "{}", message());
        assert_eq!(on_heap(one, |_| Ok(())), FRAZIL_BROKEN);
        assert_eq!(on_heap(other, |_| Ok(())), FRAZIL_OK);
        assert_eq!(plain(|| registry::destroy(one)), FRAZIL_OK);
        assert_eq!(on_heap(one, |_| Ok(())), FRAZIL_NO_HEAP);
        assert_eq!(plain(|| registry::destroy(other)), FRAZIL_OK);
    }

    #[test]
    fn a_call_within_a_call_is_refused() {
        let heap = heap();
        let mut inner = FRAZIL_OK;
        let outer = on_heap(heap, |_| {
            inner = on_heap(heap, |_| Ok(()));
            Ok(())
        });
        assert_eq!((outer, inner), (FRAZIL_OK, FRAZIL_BUSY));
        assert_eq!(on_heap(heap, |_| registry::destroy(heap)), FRAZIL_BUSY);
        assert_eq!(plain(|| registry::destroy(heap)), FRAZIL_OK);
    }
}
