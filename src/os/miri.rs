//! Miri knows whole mappings only, no advice, and no protection: ranges come from the allocator.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ops::Range;

use super::Refused;

/// What was mapped by one request is unmapped by one, and whole.
pub const CAN_BE_CUT: bool = false;

/// Bytes of a page.
pub fn page_bytes() -> usize {
    4096
}

fn layout(bytes: usize, align: usize) -> Result<Layout, Refused> {
    Layout::from_size_align(bytes, align.max(page_bytes())).map_err(|_| Refused)
}

/// Zeroed memory at a multiple of `align`.
pub fn map(bytes: usize, align: usize) -> Result<usize, Refused> {
    // SAFETY: the layout has a size.
    Ok(unsafe { alloc_zeroed(layout(bytes, align)?) }.expose_provenance())
}

/// # Safety
/// Nobody refers to the range, which was mapped by one request with this alignment.
pub unsafe fn unmap(range: Range<usize>, align: usize) {
    if let Ok(layout) = layout(range.len(), align) {
        // SAFETY: passed on.
        unsafe { dealloc(std::ptr::with_exposed_provenance_mut(range.start), layout) };
    }
}

/// Makes the range read as zero.
///
/// # Safety
/// Nothing in the range is live.
pub unsafe fn discard(range: Range<usize>) {
    // SAFETY: passed on.
    unsafe { std::ptr::with_exposed_provenance_mut::<u8>(range.start).write_bytes(0, range.len()) };
}

/// Nobody looks at huge pages here.
pub fn prefer_huge(_range: Range<usize>) {}

/// Nothing is protected here.
///
/// # Safety
/// None is needed.
pub unsafe fn protect(_range: Range<usize>, _accessible: bool) {}
