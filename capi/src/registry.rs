//! Which heaps there are, by number, and whose they are.
//!
//! A thread knows its own heaps; that is all a call looks at. What every thread knows is only asked when a heap is not
//! found there, to say why.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use rustc_hash::{FxBuildHasher, FxHashMap};

use crate::error::{Outcome, frazil_status::*, refuse};
use crate::state::{CHeap, State};
use crate::value::frazil_heap;

/// A heap as its thread holds it.
pub(crate) type Held = Rc<RefCell<State>>;

thread_local! {
    /// The heaps of this thread. They end with it.
    static HEAPS: RefCell<FxHashMap<u64, Held>> = const { RefCell::new(FxHashMap::with_hasher(FxBuildHasher)) };
}

/// The number of the next heap.
static NEXT: AtomicU64 = AtomicU64::new(1);

/// The numbers of the heaps of all threads.
static LIVING: Mutex<BTreeSet<u64>> = Mutex::new(BTreeSet::new());

fn living<R>(f: impl FnOnce(&mut BTreeSet<u64>) -> R) -> R {
    f(&mut LIVING.lock().unwrap_or_else(PoisonError::into_inner))
}

impl Drop for State {
    fn drop(&mut self) {
        living(|numbers| numbers.remove(&self.number));
    }
}

/// Gives a heap of this thread its number. It is of the group with the number `group`, if it is of one.
///
/// # Errors
/// The thread is about to end.
pub(crate) fn enter(heap: CHeap, group: Option<u64>) -> Outcome<frazil_heap> {
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let state = Rc::new(RefCell::new(State::new(number, heap, group)));
    living(|numbers| numbers.insert(number));
    match HEAPS.try_with(|heaps| heaps.borrow_mut().insert(number, state)) {
        Ok(_) => Ok(frazil_heap { number }),
        Err(_) => refuse(FRAZIL_WRONG_THREAD, "the thread is about to end: it can have no heap any more"),
    }
}

/// The heap with this number, which is this thread's.
///
/// # Errors
/// It belongs to another thread, or has ended.
pub(crate) fn find(heap: frazil_heap) -> Outcome<Held> {
    match HEAPS.try_with(|heaps| heaps.borrow().get(&heap.number).cloned()) {
        Ok(Some(state)) => Ok(state),
        _ if living(|numbers| numbers.contains(&heap.number)) => {
            refuse(FRAZIL_WRONG_THREAD, format!("heap {} belongs to another thread", heap.number))
        }
        _ => refuse(FRAZIL_NO_HEAP, format!("there is no heap {}, or it has been destroyed", heap.number)),
    }
}

/// Ends a heap.
///
/// # Errors
/// As [`find`]; or it is in the middle of a call.
pub(crate) fn destroy(heap: frazil_heap) -> Outcome {
    let state = find(heap)?;
    if state.try_borrow_mut().is_err() {
        return refuse(FRAZIL_BUSY, "the heap is in the middle of another call");
    }
    let _ = HEAPS.try_with(|heaps| heaps.borrow_mut().remove(&heap.number));
    Ok(())
}

/// What `look` finds in a heap of this thread, of those that are not in the middle of a call.
pub(crate) fn find_map<R>(look: impl Fn(&State) -> Option<R>) -> Option<R> {
    let look = |state: &Held| state.try_borrow().ok().and_then(|state| look(&state));
    HEAPS.try_with(|heaps| heaps.borrow().values().find_map(look)).unwrap_or(None)
}
