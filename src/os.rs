//! Memory from the system: whole, aligned ranges, and giving them back.
//!
//! A range is address space; the system backs a page with memory when it is first written. It is zero then, unless
//! it comes from a [`Pool`], which hands on what is in it.

// Each has the same functions, which work on whole pages.
#[cfg_attr(miri, path = "os/miri.rs")]
#[cfg_attr(all(unix, not(miri)), path = "os/unix.rs")]
#[cfg_attr(all(windows, not(miri)), path = "os/windows.rs")]
mod pages;

use std::cell::Cell;
use std::mem::ManuallyDrop;
use std::ops::Range;

use crate::ahead;
use crate::layout::ADDRESS_BITS;
use crate::pool::{KEEP_BYTES, Pool};

/// So much is cleared rather than given back, if a pool would keep it. Larger: more to clear. Smaller: more page faults.
const CLEAR_BYTES_MAX: usize = 1 << 20;

/// Collections in a spell: memory that none of them has needed goes back, be it the nursery's or that of free blocks. Larger:
/// fewer page faults where the nursery grows and shrinks, or much dies at a time, and is needed again soon. Smaller: memory
/// goes back sooner.
pub(crate) const SPELL: u32 = 16;

/// Bytes of a huge page, on most machines. One begins at a multiple of that.
const HUGE_PAGE_BYTES: usize = 2 << 20;

/// The system gave no memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused;

/// The system, as one heap sees it. A test can have it refuse a request.
#[derive(Debug, Default)]
pub(crate) struct System {
    /// The next request but so many is refused.
    refuse_after: Cell<Option<usize>>,
    /// Looked into before the system is asked.
    pool: Option<Pool>,
}

impl System {
    /// The system of a heap that takes what it finds in `pool`.
    pub fn new(pool: Option<&Pool>) -> System {
        System { refuse_after: Cell::new(None), pool: pool.cloned() }
    }

    /// Maps at least `bytes` bytes at a multiple of `align` (a power of two). What they hold is zero, or what the owner
    /// of a mapping of this size and alignment had left in it ([`System::inherits`]).
    pub fn map(&self, bytes: usize, align: usize) -> Result<Mapping, Refused> {
        match self.refuse_after.get() {
            Some(0) => {
                self.refuse_after.set(None);
                return Err(Refused);
            }
            Some(more) => self.refuse_after.set(Some(more - 1)),
            None => {}
        }
        match self.pool.as_ref().and_then(|pool| pool.take(whole_pages(bytes)?, align)) {
            Some(mapping) => Ok(mapping),
            None => Mapping::new(bytes, align, self.has_pool()),
        }
    }

    /// As many as `count` mappings, each as [`System::map`] would give it; fewer if there is no room for more. `bytes` is a
    /// multiple of `align`. Without a pool they come side by side with one request, for requests are dear.
    pub fn map_row(&self, count: usize, bytes: usize, align: usize) -> Result<Vec<Mapping>, Refused> {
        let asks_the_system = !self.has_pool() && self.refuse_after.get().is_none() && pages::CAN_BE_CUT;
        if asks_the_system
            && let Some(all) = bytes.checked_mul(count)
            && let Ok(row) = Mapping::new(all, align, false)
        {
            return Ok(row.split(bytes));
        }
        Ok(vec![self.map(bytes, align)?])
    }

    pub fn has_pool(&self) -> bool {
        self.pool.is_some()
    }

    /// So many bytes of a mapping are not worth giving back: the pool, if there is one, would keep them.
    pub fn keeps(&self) -> usize {
        if self.has_pool() { KEEP_BYTES } else { 0 }
    }

    /// The pool, if there is one, gets `mapping` when it is dropped. For owners who leave it as they would want to find
    /// it. Nothing behind its first `written` bytes was written, or has not been given back.
    pub fn inherits(&self, mapping: &mut Mapping, written: usize) {
        mapping.heir.clone_from(&self.pool);
        mapping.written = written;
    }

    pub fn refuse_after(&self, requests: usize) {
        self.refuse_after.set(Some(requests));
    }
}

/// A mapped range of memory. When dropped it is unmapped, or goes to its heir.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Mapping {
    base: usize,
    bytes: usize,
    /// What the base was to be a multiple of.
    align: usize,
    /// Its owner has a pool, which would rather keep a page than have it mapped again.
    pooled: bool,
    heir: Option<Pool>,
    /// What the heir has to know: so many bytes may have memory behind them.
    written: usize,
}

impl Mapping {
    /// Where the address of the first byte stands in a `Mapping`.
    pub const BASE_OFFSET: usize = std::mem::offset_of!(Self, base);

    fn new(bytes: usize, align: usize, pooled: bool) -> Result<Mapping, Refused> {
        let bytes = whole_pages(bytes).ok_or(Refused)?;
        let base = pages::map(bytes, align)?;
        let mapping = Mapping { base, bytes, align, pooled, heir: None, written: 0 };
        // Hosts rely on it. No system gives more unless it is asked to.
        let is_low = mapping.range().end <= 1 << ADDRESS_BITS;
        is_low.then_some(mapping).ok_or(Refused)
    }

    /// Cuts it into mappings of `bytes` bytes, whole pages.
    fn split(self, bytes: usize) -> Vec<Mapping> {
        let (align, pooled) = (self.align, self.pooled);
        let whole = ManuallyDrop::new(self);
        let part = |base| Mapping { base, bytes, align, pooled, heir: None, written: 0 };
        whole.range().step_by(bytes).map(part).collect()
    }

    /// Drops all of them, with one request for those that lie side by side.
    pub fn drop_all(mut mappings: Vec<Mapping>) {
        mappings.sort_unstable_by_key(|mapping| mapping.base);
        let mut row: Option<Mapping> = None;
        for mapping in mappings {
            match &mut row {
                Some(row) if row.is_followed_by(&mapping) => row.bytes += ManuallyDrop::new(mapping).bytes,
                // The row before is dropped.
                _ => row = Some(mapping),
            }
        }
    }

    fn is_followed_by(&self, next: &Mapping) -> bool {
        let inherited = self.heir.is_some() || next.heir.is_some();
        pages::CAN_BE_CUT && !inherited && self.range().end == next.base
    }

    /// Would a request for so many bytes (whole pages) at a multiple of `align` have made this mapping?
    pub fn suits(&self, bytes: usize, align: usize) -> bool {
        (self.bytes, self.align) == (bytes, align)
    }

    pub fn range(&self) -> Range<usize> {
        self.base..self.base + self.bytes
    }

    /// Gives the pages wholly inside `range` back: they read as zero from now on, and take no memory. (A few that a pool
    /// would keep are only cleared.)
    pub fn give_back(&self, range: Range<usize>) {
        debug_assert!(self.base <= range.start && range.end <= self.base + self.bytes);
        let page = page_bytes();
        let (start, end) = (range.start.next_multiple_of(page), range.end / page * page);
        if start >= end {
            return;
        }
        if self.pooled && end - start <= CLEAR_BYTES_MAX {
            set_accessible(start, end - start, true);
            // SAFETY: the pages belong to this mapping, and the caller holds nothing live in them.
            unsafe { std::ptr::with_exposed_provenance_mut::<u8>(start).write_bytes(0, end - start) };
            set_accessible(start, end - start, false);
        } else {
            ahead::withdraw(&(start..end));
            // SAFETY: as above.
            unsafe { pages::discard(start..end) };
        }
    }

    /// Asks for huge pages for what is not yet in memory behind the first `bytes` bytes, if the system has any to give.
    pub fn prefer_huge_pages(&self, bytes: usize) {
        let range = self.range();
        let start = (range.start + bytes).next_multiple_of(HUGE_PAGE_BYTES);
        if start < range.end {
            pages::prefer_huge(start..range.end);
        }
    }

    /// Makes every later access to the first `bytes` bytes a fault.
    pub fn forbid(&self, bytes: usize) {
        self.protect(bytes, false);
    }

    /// Ends what [`Mapping::forbid`] began.
    pub fn permit(&self, bytes: usize) {
        self.protect(bytes, true);
    }

    fn protect(&self, bytes: usize, accessible: bool) {
        let range = self.base..self.base + bytes.min(self.bytes);
        // (Not every system takes a request for nothing.)
        if !range.is_empty() {
            // SAFETY: the mapping is this one's own; the caller holds nothing live in it.
            unsafe { pages::protect(range, accessible) };
        }
    }

    /// So many bytes of a mapping that is inherited may have memory behind them.
    pub fn written(&self) -> usize {
        self.written
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        set_accessible(self.base, self.bytes, true);
        ahead::withdraw(&self.range());
        match self.heir.take() {
            Some(pool) => pool.put(Mapping { heir: None, ..*self }),
            // SAFETY: nobody refers to the mapping any more.
            None => unsafe { pages::unmap(self.range(), self.align) },
        }
    }
}

fn whole_pages(bytes: usize) -> Option<usize> {
    bytes.max(1).checked_next_multiple_of(page_bytes())
}

/// Bytes of a page of the system.
pub(crate) fn page_bytes() -> usize {
    pages::page_bytes()
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

#[cfg(all(test, not(miri)))]
pub(crate) mod tests {
    use super::*;

    /// Writes 7 into every word.
    fn fill(mapping: &Mapping) {
        for address in mapping.range().step_by(8) {
            // SAFETY: the mapping is the test's own.
            unsafe { std::ptr::with_exposed_provenance_mut::<u64>(address).write(7) };
        }
    }

    /// The word at an address, given back or not.
    fn word(address: usize) -> u64 {
        set_accessible(address, 8, true);
        // SAFETY: an address in a mapping of the test's own.
        unsafe { std::ptr::with_exposed_provenance::<u64>(address).read() }
    }

    /// How many pages of a mapping are in memory.
    #[cfg(unix)]
    pub fn resident(range: Range<usize>) -> usize {
        let mut pages = vec![0u8; range.len() / page_bytes()];
        let start = std::ptr::with_exposed_provenance_mut(range.start);
        // SAFETY: there is a byte for each page, and the call changes nothing else.
        let done = unsafe { libc::mincore(start, range.len(), pages.as_mut_ptr().cast()) };
        assert_eq!(done, 0);
        pages.iter().filter(|&page| page & 1 == 1).count()
    }

    #[test]
    fn whole_pages_are_given_back_and_nothing_else() {
        let page = page_bytes();
        for pool in [None, Some(Pool::new())] {
            let mapping = System::new(pool.as_ref()).map(4 * page, page).expect("memory");
            fill(&mapping);
            let Range { start, end } = mapping.range();
            mapping.give_back(start + 8..end - 8);
            let words =
                [start, start + page - 8, start + page, end - page - 8, end - page, end - 8].map(word);
            assert_eq!(words, [7, 7, 0, 0, 7, 7]);
            mapping.give_back(start + 8..start + page + 8);
            assert_eq!(word(start), 7);
        }
    }

    #[test]
    #[cfg(unix)]
    fn pages_are_renewed_where_no_advice_clears_them() {
        let page = page_bytes();
        let mapping = System::default().map(3 * page, page).expect("memory");
        fill(&mapping);
        let Range { start, end } = mapping.range();
        // SAFETY: nobody else knows the mapping.
        unsafe { pages::renew(start + page..end - page) };
        assert_eq!(resident(start..end), 2);
        assert_eq!([start + page - 8, start + page, end - page - 8, end - page].map(word), [7, 0, 0, 7]);
    }

    #[test]
    #[cfg(unix)]
    fn a_few_pages_are_only_cleared_if_a_pool_would_keep_them() {
        let page = page_bytes();
        let bytes = 2 * CLEAR_BYTES_MAX;
        for pool in [None, Some(Pool::new())] {
            let mapping = System::new(pool.as_ref()).map(bytes, page).expect("memory");
            fill(&mapping);
            let Range { start, end } = mapping.range();
            mapping.give_back(start..start + CLEAR_BYTES_MAX);
            // (Reading would bring the zero page.)
            let kept = if pool.is_some() { CLEAR_BYTES_MAX / page } else { 0 };
            assert_eq!(resident(start..start + CLEAR_BYTES_MAX), kept);
            mapping.give_back(start..end);
            assert_eq!(resident(start..end), 0);
        }
    }

    #[test]
    #[cfg(unix)]
    fn an_inherited_mapping_keeps_little_memory() {
        let pool = Pool::new();
        let system = System::new(Some(&pool));
        let page = page_bytes();
        let mut mapping = system.map(4 * KEEP_BYTES, page).expect("memory");
        fill(&mapping);
        system.inherits(&mut mapping, 4 * KEEP_BYTES);
        drop(mapping);
        let mapping = system.map(4 * KEEP_BYTES, page).expect("memory");
        let Range { start, end } = mapping.range();
        assert_eq!(resident(start..end) * page, KEEP_BYTES);
        assert_eq!([start, start + KEEP_BYTES - 8, start + KEEP_BYTES].map(word), [7, 7, 0]);
    }

    /// There are 128 TiB of addresses. Whatever of a request is lost, many of them lose all. (Where all that is mapped is also
    /// promised, there is not that much.)
    #[test]
    #[cfg(unix)]
    fn no_address_is_lost() {
        if cfg!(frazil_asan) {
            println!("skipped: the address sanitizer needs all of the address space for itself");
            return;
        }
        const LARGE: usize = 64 << 30;
        let (system, page) = (System::default(), page_bytes());
        for _ in 0..4 << 10 {
            drop(system.map(page, LARGE).expect("addresses"));
            let row = system.map_row(4, LARGE, page).expect("addresses");
            assert_eq!(row.len(), 4);
            Mapping::drop_all(row);
        }
    }

    #[test]
    fn a_row_is_refused_like_a_single_mapping() {
        let (system, page) = (System::default(), page_bytes());
        system.refuse_after(1);
        assert_eq!(system.map_row(2, page, page).map(|row| row.len()), Ok(1), "one by one, to count them");
        assert!(system.map_row(2, page, page).is_err());
        let row = if pages::CAN_BE_CUT { 2 } else { 1 };
        assert_eq!(system.map_row(2, page, page).map(|row| row.len()), Ok(row));
    }
}
