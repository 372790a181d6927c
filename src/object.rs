//! The only place where the collector reads and writes the memory of objects. (A host is shown it as slices, by `value.rs`
//! and `text.rs`; arenas have references to Rust's own types in it.)
//!
//! An [`ObjRef`] is the address of a live object. The obligation lies on *making* one (allocation,
//! evacuation, decoding a word that a host's slot holds) and on *ending* the object (reclaiming its cell,
//! resetting the nursery); reading a field of an `ObjRef` is then safe to write down. Inside this crate a
//! stale `ObjRef` is an error of logic, which the verifier and the address sanitizer look for; it cannot be
//! made through the public interface.

use std::mem::MaybeUninit;
use std::num::NonZeroUsize;
use std::ops::Range;

use static_assertions::const_assert_eq;

use crate::host::{Host, Words};
use crate::os::set_accessible;
use crate::shape::{Header, MARKED, SEEN, TEXT, WORD_BYTES};

const_assert_eq!(nursery::WORD_BYTES, WORD_BYTES);

/// What a freed cell is filled with in checking mode. Its lowest bit is clear, so it is no header.
pub(crate) const POISON: u64 = 0xfefe_fefe_fefe_fefe;

/// The address of a live object: of its header.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ObjRef(NonZeroUsize);

impl std::fmt::Debug for ObjRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:#x}", self.address())
    }
}

/// Bytes of a cache line.
pub(crate) const LINE_BYTES: usize = 64;

/// Asks for the cache line of an address, which will be needed soon. Where there is no way to ask, it comes when it is needed.
#[inline(always)]
pub(crate) fn prefetch(address: *const u8) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    // SAFETY: a prefetch changes nothing and never faults.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(address.cast());
    }
    #[cfg(all(target_arch = "aarch64", not(miri)))]
    // SAFETY: as above.
    unsafe {
        std::arch::asm!("prfm pldl1keep, [{}]", in(reg) address.addr(), options(nomem, nostack, preserves_flags));
    }
    let _ = address;
}

/// What the first word of an object in the nursery, or of one that is being classified, can be.
pub(crate) enum First {
    /// A header: the object is where it was.
    Header(Header),
    /// The lowest bit is clear: a forwarding address (nursery) or an index of the classifier (elsewhere).
    Replaced(u64),
}

/// What has become of an object of the nursery in the collection under way.
pub(crate) enum Young {
    /// Nothing yet: it is where it was.
    Here(Header),
    /// It was evacuated, to here.
    Moved(ObjRef),
}

impl ObjRef {
    /// # Safety
    /// `address` is that of a live object of this heap (or of memory that is being made into one), aligned to
    /// a word, and the reference is not used after the object has ended.
    #[inline]
    pub unsafe fn new(address: usize) -> ObjRef {
        debug_assert!(address != 0 && address.is_multiple_of(WORD_BYTES));
        // SAFETY: no object lies at 0.
        ObjRef(unsafe { NonZeroUsize::new_unchecked(address) })
    }

    #[inline]
    pub fn address(self) -> usize {
        self.0.get()
    }

    /// Asks for the object's first cache line, which will be needed soon.
    #[inline(always)]
    pub fn prefetch(self) {
        self.prefetch_at(0);
    }

    /// Asks for the cache line so many bytes behind the object's beginning, or before it.
    #[inline(always)]
    pub fn prefetch_at(self, offset: isize) {
        prefetch(std::ptr::with_exposed_provenance(self.address().wrapping_add_signed(offset)));
    }

    #[inline]
    fn word(self, index: usize) -> *mut u64 {
        std::ptr::with_exposed_provenance_mut(self.address() + index * WORD_BYTES)
    }

    #[inline]
    fn read(self, index: usize) -> u64 {
        // SAFETY: by the contract of `ObjRef::new` the object is live; callers stay below its `words()`.
        unsafe { self.word(index).read() }
    }

    #[inline]
    fn write(self, index: usize, word: u64) {
        // SAFETY: as in `read`; the heap is owned by one thread and no Rust reference to this word is held
        // across a call into the collector.
        unsafe { self.word(index).write(word) }
    }

    /// The header, or what stands in its place.
    #[inline]
    pub fn first(self) -> First {
        let word = self.read(0);
        if word & crate::shape::HEADER_TAG != 0 { First::Header(Header(word)) } else { First::Replaced(word) }
    }

    /// What has become of this object, which is in the nursery. (No walk is under way that marks what it leaves there.)
    #[inline]
    pub fn young(self) -> Young {
        match self.first() {
            First::Header(header) => Young::Here(header),
            // SAFETY: the forwarding address that the evacuation left.
            First::Replaced(to) => Young::Moved(unsafe { ObjRef::new(to as usize) }),
        }
    }

    /// Is this the header? (Something else may stand in its place.)
    #[inline(always)]
    pub fn has_header(self, header: Header) -> bool {
        self.read(0) == header.0
    }

    /// The header of an object that is known to have one.
    #[inline]
    pub fn header(self) -> Header {
        let word = self.read(0);
        debug_assert!(word & crate::shape::HEADER_TAG != 0, "no header at {:#x}: {word:#x}", self.address());
        Header(word)
    }

    #[inline]
    pub fn set_header(self, header: Header) {
        self.write(0, header.0);
    }

    /// Puts a word with a clear lowest bit in the header's place.
    #[inline]
    pub fn replace_header(self, word: u64) {
        debug_assert!(word & crate::shape::HEADER_TAG == 0);
        self.write(0, word);
    }

    #[inline]
    pub fn set_flags(self, flags: u64) {
        self.write(0, self.header().0 | flags);
    }

    #[inline]
    pub fn clear_flags(self, flags: u64) {
        self.write(0, self.header().0 & !flags);
    }

    /// Will the next write to this mutable object be noticed?
    pub fn set_seen(self, seen: bool) {
        if seen { self.set_flags(SEEN) } else { self.clear_flags(SEEN) }
    }

    /// Bytes of the object when it is not in the nursery: whole granules.
    #[inline]
    pub fn bytes(self) -> usize {
        self.header().cell_bytes()
    }

    /// The slot of reference `index`, or of nothing if there stands no reference now ([`Host::words`]). `header`
    /// is the object's own (it may be out of place just now).
    #[inline(always)]
    pub fn slot<H: Host>(self, header: Header, index: usize) -> Slot {
        self.slot_at::<H>(header, header.first_reference() + index)
    }

    /// The same for the reference that is word `word` of the object.
    #[inline(always)]
    pub fn slot_at<H: Host>(self, header: Header, word: usize) -> Slot {
        let index = word - header.first_reference();
        debug_assert!(index < header.references());
        let slot = Slot(self.address() + word * WORD_BYTES);
        let within = |stride: u32| if index < stride as usize { index } else { index % stride as usize };
        let is_reference = match H::words(header) {
            Words::All => true,
            Words::Mapped { map, stride } => {
                let word = within(stride);
                word < 64 && map >> word & 1 != 0
            }
            Words::Asked { is_reference, stride } => {
                let word = within(stride);
                // SAFETY: the words are those of an object that the host made under this header, which is live, or
                // dead and whole.
                unsafe { is_reference(slot.0 - word * WORD_BYTES, word) }
            }
        };
        if is_reference { slot } else { Slot::nothing() }
    }

    /// All reference slots.
    #[inline(always)]
    pub fn slots<H: Host>(self, header: Header) -> impl Iterator<Item = Slot> + use<H> {
        (0..header.references()).map(move |index| self.slot::<H>(header, index))
    }

    /// The text of an object of a text shape.
    pub fn text<'a>(self, header: Header) -> &'a str {
        debug_assert!(header.has(TEXT));
        let (offset, len) = header.bytes();
        let first = std::ptr::with_exposed_provenance(self.address() + offset);
        // SAFETY: the bytes of a live object, filled from `str` only and never written afterwards; callers let go of
        // them before the next collection.
        unsafe { std::str::from_utf8_unchecked(std::slice::from_raw_parts(first, len)) }
    }

    #[inline]
    pub fn raw(self, index: usize) -> u64 {
        self.read(1 + index)
    }

    /// Copies the object's `words` words to `to` and returns it there.
    ///
    /// # Safety
    /// `to` is unused memory of at least so many words, aligned to a word; `words` is what the object has.
    #[inline(always)]
    pub unsafe fn copy_to(self, to: usize, words: usize) -> ObjRef {
        set_accessible(to, words * WORD_BYTES, true);
        let target: *mut Word = std::ptr::with_exposed_provenance_mut(to);
        let source: *const Word = std::ptr::with_exposed_provenance(self.address());
        // SAFETY: the source is a live object of so many words, the target unused memory of that size. Most objects have
        // two to eight words: a few moves each, and no call.
        unsafe {
            match words {
                2 => copy::<2>(source, target),
                3 => copy::<3>(source, target),
                4 => copy::<4>(source, target),
                5 => copy::<5>(source, target),
                6 => copy::<6>(source, target),
                7 => copy::<7>(source, target),
                8 => copy::<8>(source, target),
                words => target.copy_from_nonoverlapping(source, words),
            }
            ObjRef::new(to)
        }
    }
}

/// A word as it is moved: what is behind an object's last byte was perhaps never written.
type Word = MaybeUninit<u64>;

/// Copies `WORDS` words, in as few moves as the machine has for them.
///
/// # Safety
/// So many words can be read and written, and do not overlap.
#[inline(always)]
unsafe fn copy<const WORDS: usize>(source: *const Word, target: *mut Word) {
    // SAFETY: passed on from the caller.
    unsafe { target.cast::<[Word; WORDS]>().write(source.cast::<[Word; WORDS]>().read()) }
}

/// The objects that lie side by side in `range`, a part of the nursery that begins and ends with whole objects.
/// With those that were evacuated comes where they are now.
pub(crate) fn side_by_side(range: Range<usize>) -> impl Iterator<Item = (ObjRef, Option<ObjRef>)> {
    let mut address = range.start;
    std::iter::from_fn(move || {
        if address >= range.end {
            return None;
        }
        // SAFETY: one object begins where the one before ends, and nothing else lies in the nursery.
        let object = unsafe { ObjRef::new(address) };
        let survivor = match object.young() {
            Young::Here(_) => None,
            Young::Moved(to) => Some(to),
        };
        address += survivor.unwrap_or(object).header().nursery_bytes();
        Some((object, survivor))
    })
}

/// Writes a header and a cleared body: raw words and bytes zero, references `empty`.
///
/// # Safety
/// `address` is unused memory of all the header's words, aligned to a word.
#[inline]
pub(crate) unsafe fn initialise(address: usize, header: Header, empty: u64) -> ObjRef {
    set_accessible(address, header.nursery_bytes(), true);
    // SAFETY: passed on from the caller.
    let object = unsafe { ObjRef::new(address) };
    object.set_header(header);
    let references = header.first_reference()..header.first_reference() + header.references();
    for index in 1..references.start {
        object.write(index, 0);
    }
    for index in references.clone() {
        object.write(index, empty);
    }
    for index in references.end..header.words() {
        object.write(index, 0);
    }
    object
}

/// Writes the header of a text to come, with [`MARKED`] instead of the flag that says it is one: what lies in its place is
/// any bytes. Clears what will be behind its last byte, and lets its references be `empty`.
///
/// # Safety
/// As [`initialise`]; the header is one of a text.
#[inline(always)]
pub(crate) unsafe fn initialise_text(address: usize, header: Header, empty: u64) -> ObjRef {
    set_accessible(address, header.nursery_bytes(), true);
    // SAFETY: passed on from the caller.
    let object = unsafe { ObjRef::new(address) };
    // Of an empty text this is the header, or a reference.
    object.write(header.words() - 1, 0);
    for index in 0..header.references() {
        object.write(header.first_reference() + index, empty);
    }
    object.set_header(Header(header.0 & !TEXT | MARKED));
    object
}

/// Fills memory that is no object any more, and tells the address sanitizer.
///
/// # Safety
/// The `bytes` bytes at `address` belong to the heap and hold nothing live.
pub(crate) unsafe fn poison(address: usize, bytes: usize) {
    // The end of a cell that was larger than its object was never accessible.
    set_accessible(address, bytes, true);
    let words: *mut u64 = std::ptr::with_exposed_provenance_mut(address);
    for index in 0..bytes / WORD_BYTES {
        // SAFETY: inside the range given by the caller.
        unsafe { words.add(index).write(POISON) }
    }
    set_accessible(address, bytes, false);
}

/// A place that holds a word the host may have stored a reference in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd)]
pub(crate) struct Slot(usize);

impl Slot {
    /// # Safety
    /// `address` is a word-aligned place inside a live object or a root area, valid while the slot is used.
    #[inline]
    pub unsafe fn new(address: usize) -> Slot {
        Slot(address)
    }

    /// A slot that holds no reference and is never written, for hosts with [`Words`] that are none.
    #[inline(always)]
    pub fn nothing() -> Slot {
        static NOTHING: u64 = 0;
        Slot(std::ptr::from_ref(&NOTHING).expose_provenance())
    }

    #[inline]
    pub fn get(self) -> u64 {
        // SAFETY: a slot lies inside a live object or root area (contract of its makers).
        unsafe { std::ptr::with_exposed_provenance::<u64>(self.0).read() }
    }

    #[inline]
    pub fn set(self, word: u64) {
        // SAFETY: as in `get`; written only by the thread that owns the heap.
        unsafe { std::ptr::with_exposed_provenance_mut::<u64>(self.0).write(word) }
    }
}
