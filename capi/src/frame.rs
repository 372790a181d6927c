//! Frames: words of the heap's root stack, which generated code reads and writes in place.

use std::cell::Cell;

use frazil::{LowTag, Value};

use crate::call::on_heap;
use crate::error::{frazil_status, frazil_status::*, refuse};
use crate::pointer::{Out, wanted};
use crate::state::CHeap;
use crate::value::{frazil_heap, frazil_value};

/// Where the root stack's words from `base` on are.
fn words(heap: &CHeap, base: usize) -> *mut frazil_value {
    let words: *const [Cell<Value<'_, 'static, LowTag>>] = heap.stack_from(base);
    words.cast::<frazil_value>().cast_mut()
}

/// Pushes a frame of `count` words, each `frazil_empty()`, on the root stack. `*slots` is where they are; they stay there
/// until the frame is popped, and the host reads and writes them itself. Every collection brings them up to date.
///
/// # Errors
/// `FRAZIL_NULL`; `FRAZIL_FULL` if the root stack has no room; and as for every call on a heap.
#[unsafe(no_mangle)]
pub extern "C" fn frazil_frame_push(
    heap: frazil_heap,
    count: usize,
    slots: Out<'_, *mut frazil_value>,
) -> frazil_status {
    on_heap(heap, |state| {
        let slots = wanted(slots, "slots")?;
        match state.heap.stack_grow(count) {
            Some(base) => slots.write(words(&state.heap, base)),
            None => {
                let (used, all) = (state.heap.stack_len(), state.heap.config().stack_words);
                return refuse(
                    FRAZIL_FULL,
                    format!("a frame of {count} words, and {used} of {all} are in use"),
                );
            }
        };
        Ok(())
    })
}

/// Pops the frame on top of the root stack, whose `count` words are at `slots`.
///
/// # Errors
/// `FRAZIL_NULL`; `FRAZIL_WRONG_FRAME` if another one is on top; and as for every call on a heap.
#[unsafe(no_mangle)]
pub extern "C" fn frazil_frame_pop(
    heap: frazil_heap,
    slots: *mut frazil_value,
    count: usize,
) -> frazil_status {
    on_heap(heap, |state| {
        if slots.is_null() {
            return refuse(FRAZIL_NULL, "`slots` is null");
        }
        let base = state.heap.stack_len().checked_sub(count);
        match base.filter(|&base| words(&state.heap, base) == slots) {
            Some(base) => {
                state.heap.stack_truncate(base);
                Ok(())
            }
            None => refuse(FRAZIL_WRONG_FRAME, format!("no frame of {count} words at {slots:?} is on top")),
        }
    })
}
