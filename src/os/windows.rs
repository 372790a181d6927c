//! Memory from Windows.
//!
//! All of it is committed, for the collector touches pages wherever it likes: so address space counts for what the system has
//! promised to all programs, but takes no memory before it is touched.

use std::alloc::{Layout, handle_alloc_error};
use std::mem::MaybeUninit;
use std::ops::Range;
use std::ptr;

use windows_sys::Win32::System::Memory::{
    MEM_COMMIT, MEM_DECOMMIT, MEM_RELEASE, MEM_RESERVE, PAGE_NOACCESS, PAGE_READWRITE, VirtualAlloc,
    VirtualFree, VirtualProtect,
};
use windows_sys::Win32::System::SystemInformation::{GetSystemInfo, SYSTEM_INFO};

use super::Refused;

/// What was mapped by one request is unmapped by one, and whole.
pub const CAN_BE_CUT: bool = false;

/// So often, somebody else may take the addresses that were just found to be free. Then memory is refused.
const TRIES: usize = 64;

fn info() -> SYSTEM_INFO {
    let mut info = MaybeUninit::uninit();
    // SAFETY: the call fills it.
    unsafe {
        GetSystemInfo(info.as_mut_ptr());
        info.assume_init()
    }
}

/// Bytes of a page.
pub fn page_bytes() -> usize {
    info().dwPageSize as usize
}

/// Zeroed memory at a multiple of `align`.
pub fn map(bytes: usize, align: usize) -> Result<usize, Refused> {
    if align <= info().dwAllocationGranularity as usize {
        return commit_at(0, bytes).ok_or(Refused);
    }
    let room = bytes.checked_add(align).ok_or(Refused)?;
    let aligned = (0..TRIES).find_map(|_| {
        // SAFETY: addresses of the system's choice, which are nobody's before and afterwards.
        let start = unsafe {
            let start = VirtualAlloc(ptr::null(), room, MEM_RESERVE, PAGE_NOACCESS);
            VirtualFree(start, 0, MEM_RELEASE);
            start.addr()
        };
        if start == 0 { Some(None) } else { commit_at(start.next_multiple_of(align), bytes).map(Some) }
    });
    aligned.flatten().ok_or(Refused)
}

/// Memory at this address, or anywhere if that is 0.
fn commit_at(address: usize, bytes: usize) -> Option<usize> {
    let at = ptr::without_provenance(address);
    // SAFETY: what is in use already is refused.
    let start = unsafe { VirtualAlloc(at, bytes, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE) };
    (!start.is_null()).then(|| start.expose_provenance())
}

/// # Safety
/// Nobody refers to the range, which was mapped by one request.
pub unsafe fn unmap(range: Range<usize>, _align: usize) {
    // SAFETY: passed on.
    let done = unsafe { VirtualFree(ptr::with_exposed_provenance_mut(range.start), 0, MEM_RELEASE) };
    debug_assert_ne!(done, 0);
}

/// Makes the range, which may be accessed, read as zero, and take no memory.
///
/// # Safety
/// Nothing in the range is live.
pub unsafe fn discard(range: Range<usize>) {
    let start = ptr::with_exposed_provenance_mut(range.start);
    // SAFETY: passed on; the addresses stay reserved in between.
    let renewed = unsafe {
        VirtualFree(start, range.len(), MEM_DECOMMIT);
        VirtualAlloc(start, range.len(), MEM_COMMIT, PAGE_READWRITE)
    };
    if renewed.is_null() {
        // Another program was promised at that very moment what this one had: it cannot go on.
        let layout = Layout::from_size_align(range.len(), 1).expect("a range of addresses");
        handle_alloc_error(layout);
    }
}

/// Such pages need a right that programs do not have.
pub fn prefer_huge(_range: Range<usize>) {}

/// # Safety
/// Nothing in the range is live.
pub unsafe fn protect(range: Range<usize>, accessible: bool) {
    let access = if accessible { PAGE_READWRITE } else { PAGE_NOACCESS };
    let mut before = 0;
    // SAFETY: passed on.
    let done = unsafe {
        VirtualProtect(ptr::with_exposed_provenance_mut(range.start), range.len(), access, &mut before)
    };
    debug_assert_ne!(done, 0);
}
