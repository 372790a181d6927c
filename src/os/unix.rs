//! Memory from a Unix system.

use std::ffi::c_int;
use std::ops::Range;

use super::Refused;

/// A mapping may be cut into several, and several unmapped at once.
pub const CAN_BE_CUT: bool = true;

const ACCESS: c_int = libc::PROT_READ | libc::PROT_WRITE;
const KIND: c_int = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;

/// Bytes of a page.
pub fn page_bytes() -> usize {
    // SAFETY: no arguments that could be wrong.
    let bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(bytes).unwrap_or(4096)
}

/// Zeroed memory at a multiple of `align`.
pub fn map(bytes: usize, align: usize) -> Result<usize, Refused> {
    let wanted = bytes.checked_add(align.saturating_sub(page_bytes())).ok_or(Refused)?;
    // SAFETY: an anonymous private mapping at an address of the system's choice aliases nothing.
    let start = unsafe { libc::mmap(std::ptr::null_mut(), wanted, ACCESS, KIND, -1, 0) };
    if start == libc::MAP_FAILED {
        return Err(Refused);
    }
    let start = start.expose_provenance();
    let base = start.next_multiple_of(align);
    // SAFETY: the parts before and behind are nobody's.
    unsafe {
        unmap(start..base, align);
        unmap(base + bytes..start + wanted, align);
    }
    Ok(base)
}

/// # Safety
/// Nobody refers to the range, which was mapped.
pub unsafe fn unmap(range: Range<usize>, _align: usize) {
    if !range.is_empty() {
        // SAFETY: passed on.
        let done = unsafe { libc::munmap(std::ptr::with_exposed_provenance_mut(range.start), range.len()) };
        debug_assert_eq!(done, 0);
    }
}

/// Makes the range, which may be accessed, read as zero, and take no memory.
///
/// # Safety
/// Nothing in the range is live.
pub unsafe fn discard(range: Range<usize>) {
    let start = std::ptr::with_exposed_provenance_mut(range.start);
    // SAFETY: passed on.
    let done =
        cfg!(target_os = "linux") && unsafe { libc::madvise(start, range.len(), libc::MADV_DONTNEED) } == 0;
    if !done {
        // SAFETY: passed on.
        unsafe { renew(range) };
    }
}

/// The same where that advice is no promise (on macOS, pages may keep what is in them): other memory takes its place.
///
/// # Safety
/// Nothing in the range is live.
pub unsafe fn renew(range: Range<usize>) {
    let start = std::ptr::with_exposed_provenance_mut(range.start);
    // SAFETY: what is replaced is the caller's.
    let renewed = unsafe { libc::mmap(start, range.len(), ACCESS, KIND | libc::MAP_FIXED, -1, 0) };
    if renewed == libc::MAP_FAILED {
        // SAFETY: the range stays as it was, and may be accessed.
        unsafe { start.cast::<u8>().write_bytes(0, range.len()) };
    }
}

/// A wish, which may be refused.
pub fn prefer_huge(range: Range<usize>) {
    #[cfg(target_os = "linux")]
    // SAFETY: the advice changes no memory.
    unsafe {
        libc::madvise(std::ptr::with_exposed_provenance_mut(range.start), range.len(), libc::MADV_HUGEPAGE);
    }
    let _ = range;
}

/// # Safety
/// Nothing in the range is live.
pub unsafe fn protect(range: Range<usize>, accessible: bool) {
    let access = if accessible { ACCESS } else { libc::PROT_NONE };
    let start = std::ptr::with_exposed_provenance_mut(range.start);
    // SAFETY: passed on.
    let done = unsafe { libc::mprotect(start, range.len(), access) };
    debug_assert_eq!(done, 0);
}
