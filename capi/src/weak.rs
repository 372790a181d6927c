//! Weak references.

use crate::call::on_heap;
use crate::error::{frazil_status, nothing};
use crate::pointer::{Out, wanted};
use crate::value::{frazil_heap, frazil_value, frazil_weak};
use crate::word::{self, object};

/// Makes a reference to an object that does not keep it alive.
///
/// # Errors
/// `FRAZIL_NULL`, `FRAZIL_NOT_AN_OBJECT`, `FRAZIL_WRONG_HEAP`; `FRAZIL_FULL` beyond 2^24; and as for every call on a heap.
#[unsafe(no_mangle)]
pub extern "C" fn frazil_weak_new(
    heap: frazil_heap,
    to: frazil_value,
    weak: Out<'_, frazil_weak>,
) -> frazil_status {
    on_heap(heap, |state| {
        let place = wanted(weak, "weak")?;
        state.weaks.reserve()?;
        let weak = state.heap.weak(object(&state.heap, to)?);
        place.write(frazil_weak { bits: state.weaks.insert(weak)? });
        Ok(())
    })
}

/// The object of a weak reference; `FRAZIL_NONE`, and zero, if a collection has found it dead.
///
/// # Errors
/// `FRAZIL_NULL`, `FRAZIL_STALE_HANDLE`, `FRAZIL_WRONG_HEAP`, and as for every call on a heap.
#[unsafe(no_mangle)]
pub extern "C" fn frazil_weak_get(
    heap: frazil_heap,
    weak: frazil_weak,
    to: Out<'_, frazil_value>,
) -> frazil_status {
    on_heap(heap, |state| {
        let to = wanted(to, "object")?;
        match state.heap.upgrade(state.weaks.get(weak.bits)?) {
            Some(object) => to.write(word::word(object.into())),
            None => {
                to.write(frazil_value { word: 0 });
                return nothing();
            }
        };
        Ok(())
    })
}

/// Ends a weak reference.
///
/// # Errors
/// `FRAZIL_STALE_HANDLE`, `FRAZIL_WRONG_HEAP`, and as for every call on a heap.
#[unsafe(no_mangle)]
pub extern "C" fn frazil_weak_free(heap: frazil_heap, weak: frazil_weak) -> frazil_status {
    on_heap(heap, |state| {
        let weak = state.weaks.remove(weak.bits)?;
        state.heap.forget_weak(weak);
        Ok(())
    })
}
