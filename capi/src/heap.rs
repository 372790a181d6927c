//! Heaps begin and end.

use crate::call::{on_heap, plain};
use crate::config::{self, frazil_config};
use crate::error::frazil_status;
use crate::pointer::{Out, wanted};
use crate::registry;
use crate::value::{frazil_heap, frazil_raw};
use crate::word;

/// Makes a heap for the thread that calls; no other one may use it. `config` may be null: then the settings are those of
/// [`crate::frazil_config_default`], and `config_bytes` is ignored. The heap ends with
/// [`frazil_heap_destroy`], or with its thread.
///
/// # Errors
/// `FRAZIL_NULL`, `FRAZIL_WRONG_SIZE`, `FRAZIL_BAD_ARGUMENT`, `FRAZIL_BAD_CONFIG`, `FRAZIL_NO_MEMORY`;
/// `FRAZIL_WRONG_THREAD` if the thread is about to end.
#[unsafe(no_mangle)]
pub extern "C" fn frazil_heap_create(
    config: Option<&frazil_config>,
    config_bytes: usize,
    heap: Out<'_, frazil_heap>,
) -> frazil_status {
    plain(|| {
        let heap = wanted(heap, "heap")?;
        let config = config::chosen(config, config_bytes)?;
        heap.write(registry::enter(word::heap(config, None)?, None)?);
        Ok(())
    })
}

/// Ends a heap with all that is in it. Its number, its handles and the pointers into it are of no use from here on.
///
/// # Errors
/// `FRAZIL_NO_HEAP`, `FRAZIL_WRONG_THREAD`, `FRAZIL_BUSY`.
#[unsafe(no_mangle)]
pub extern "C" fn frazil_heap_destroy(heap: frazil_heap) -> frazil_status {
    plain(|| registry::destroy(heap))
}

/// Where the heap is, for inline code (see [`crate::emitting`]). It stays there until it ends, and nothing notices if the
/// address is used afterwards.
///
/// # Errors
/// `FRAZIL_NULL`, and as for every call on a heap: `FRAZIL_NO_HEAP`, `FRAZIL_WRONG_THREAD`, `FRAZIL_BUSY`,
/// `FRAZIL_BROKEN`, `FRAZIL_INTERNAL`.
#[unsafe(no_mangle)]
pub extern "C" fn frazil_heap_raw(heap: frazil_heap, raw: Out<'_, *mut frazil_raw>) -> frazil_status {
    on_heap(heap, |state| {
        let raw = wanted(raw, "raw")?;
        // Nobody sees in which order inline code fills what it makes.
        state.heap.expect_circles();
        raw.write(state.raw());
        Ok(())
    })
}
