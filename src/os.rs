//! Memory from the system: whole, zeroed, aligned ranges, and giving them back.
//!
//! A range is address space; the system backs a page with memory when it is first written.

use std::cell::Cell;
use std::ops::Range;

/// The system gave no memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused;

/// The system, as one heap sees it. A test can have it refuse a request.
#[derive(Debug, Default)]
pub(crate) struct System {
    /// The next request but so many is refused.
    refuse_after: Cell<Option<usize>>,
}

impl System {
    /// Maps at least `bytes` bytes at a multiple of `align` (a power of two).
    pub fn map(&self, bytes: usize, align: usize) -> Result<Mapping, Refused> {
        match self.refuse_after.get() {
            Some(0) => {
                self.refuse_after.set(None);
                return Err(Refused);
            }
            Some(more) => self.refuse_after.set(Some(more - 1)),
            None => {}
        }
        Mapping::new(bytes, align)
    }

    pub fn refuse_after(&self, requests: usize) {
        self.refuse_after.set(Some(requests));
    }
}

/// A mapped range of zeroed memory, unmapped when dropped.
#[derive(Debug)]
pub(crate) struct Mapping {
    base: usize,
    bytes: usize,
}

/// Miri knows whole mappings only, and no advice. There, ranges come from the allocator, and are not given back.
#[cfg(miri)]
impl Mapping {
    fn new(bytes: usize, align: usize) -> Result<Mapping, Refused> {
        let bytes = bytes.max(1).checked_next_multiple_of(page_bytes()).ok_or(Refused)?;
        let layout =
            std::alloc::Layout::from_size_align(bytes, align.max(page_bytes())).map_err(|_| Refused)?;
        // SAFETY: the layout has a size.
        let start = unsafe { std::alloc::alloc_zeroed(layout) };
        Ok(Mapping { base: start.expose_provenance(), bytes })
    }

    pub fn give_back(&self, range: Range<usize>) {
        // SAFETY: the caller holds nothing live in this part of the mapping.
        unsafe { std::ptr::with_exposed_provenance_mut::<u8>(range.start).write_bytes(0, range.len()) };
    }

    pub fn forbid(&self) {}
}

#[cfg(not(miri))]
impl Mapping {
    fn new(bytes: usize, align: usize) -> Result<Mapping, Refused> {
        let page = page_bytes();
        let bytes = bytes.checked_next_multiple_of(page).ok_or(Refused)?;
        let wanted = bytes.checked_add(align.saturating_sub(page)).ok_or(Refused)?;
        // SAFETY: an anonymous private mapping at an address of the system's choice aliases nothing.
        let start = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                wanted,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
                -1,
                0,
            )
        };
        if start == libc::MAP_FAILED {
            return Err(Refused);
        }
        let start = start.expose_provenance();
        let base = start.next_multiple_of(align);
        unmap(start..base);
        unmap(base + bytes..start + wanted);
        Ok(Mapping { base, bytes })
    }

    /// Gives the pages wholly inside `range` back: they read as zero from now on, and take no memory.
    pub fn give_back(&self, range: Range<usize>) {
        debug_assert!(self.base <= range.start && range.end <= self.base + self.bytes);
        let page = page_bytes();
        let (start, end) = (range.start.next_multiple_of(page), range.end / page * page);
        if start < end {
            // SAFETY: the pages belong to this mapping, and the caller holds nothing live in them.
            let done = unsafe {
                libc::madvise(std::ptr::with_exposed_provenance_mut(start), end - start, libc::MADV_DONTNEED)
            };
            debug_assert_eq!(done, 0);
        }
    }

    /// Makes every later access to the range a fault.
    pub fn forbid(&self) {
        // SAFETY: the mapping is this one's own; the caller holds nothing live in it.
        let done = unsafe {
            libc::mprotect(std::ptr::with_exposed_provenance_mut(self.base), self.bytes, libc::PROT_NONE)
        };
        debug_assert_eq!(done, 0);
    }
}

impl Mapping {
    pub fn range(&self) -> Range<usize> {
        self.base..self.base + self.bytes
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        set_accessible(self.base, self.bytes, true);
        #[cfg(not(miri))]
        unmap(self.range());
    }
}

#[cfg(not(miri))]
fn unmap(range: Range<usize>) {
    if !range.is_empty() {
        // SAFETY: called with ranges of mappings that nobody refers to any more.
        let done = unsafe { libc::munmap(std::ptr::with_exposed_provenance_mut(range.start), range.len()) };
        debug_assert_eq!(done, 0);
    }
}

/// Bytes of a page of the system.
pub(crate) fn page_bytes() -> usize {
    // SAFETY: no arguments that could be wrong.
    let bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(bytes).unwrap_or(4096)
}

/// Tells the address sanitizer whether these bytes may be accessed. It does not see through our allocation
/// otherwise. Without `--cfg frazil_asan` this is nothing.
#[inline(always)]
pub(crate) fn set_accessible(_address: usize, _bytes: usize, _accessible: bool) {
    #[cfg(frazil_asan)]
    {
        unsafe extern "C" {
            fn __asan_poison_memory_region(address: *const u8, bytes: usize);
            fn __asan_unpoison_memory_region(address: *const u8, bytes: usize);
        }
        let place = std::ptr::with_exposed_provenance(_address);
        // SAFETY: the functions only write the sanitizer's shadow of this memory.
        unsafe {
            if _accessible {
                __asan_unpoison_memory_region(place, _bytes);
            } else {
                __asan_poison_memory_region(place, _bytes);
            }
        }
    }
}
