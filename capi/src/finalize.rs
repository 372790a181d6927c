//! The finalizer queue: objects whose death the host wants to hear of.

use crate::call::on_heap;
use crate::error::{frazil_status, frazil_status::*, nothing, refuse};
use crate::pointer::{Out, wanted};
use crate::value::{frazil_heap, frazil_value};
use crate::word::{self, object};

/// After its death the object is to come to the finalizer queue, with `token`. Once for each call.
///
/// # Errors
/// `FRAZIL_NOT_AN_OBJECT`, `FRAZIL_WRONG_HEAP`; `FRAZIL_TOO_LATE` in a heap of a group, once the object is settled; and as for
/// every call on a heap.
#[unsafe(no_mangle)]
pub extern "C" fn frazil_finalize(heap: frazil_heap, of: frazil_value, token: u64) -> frazil_status {
    on_heap(heap, |state| {
        let of = object(&state.heap, of)?;
        if !state.heap.is_private(of) {
            return refuse(FRAZIL_TOO_LATE, "the object may have been shared already");
        }
        state.heap.finalize(of, token);
        Ok(())
    })
}

/// The next object of the finalizer queue, with its token; `FRAZIL_NONE`, and zeros, if it is empty. From now on the object
/// is one like any other, with all it refers to.
///
/// # Errors
/// `FRAZIL_NULL`, and as for every call on a heap.
#[unsafe(no_mangle)]
pub extern "C" fn frazil_next_finalizable(
    heap: frazil_heap,
    next: Out<'_, frazil_value>,
    token: Out<'_, u64>,
) -> frazil_status {
    on_heap(heap, |state| {
        let (next, token) = (wanted(next, "object")?, wanted(token, "token")?);
        let Some((object, number)) = state.heap.next_finalizable() else {
            next.write(frazil_value { word: 0 });
            token.write(0);
            return nothing();
        };
        next.write(word::word(object.into()));
        token.write(number);
        Ok(())
    })
}
