//! What the collector has to know of a host: how its words are tagged, and where in an object they are references.

use std::borrow::Cow;

use crate::order::{Choice, Stage};
use crate::shape::Header;

/// How a host tells references from other words. [`LowTag`] is one; another, for floats, is in the [guide](crate::guide).
///
/// # Safety
/// * `address(word)` is `Some(a)` only for words made by `word(a, _)`.
/// * `address(word(a, old)) == Some(a)` for every multiple `a` of 8 above zero and below 2^48
///   ([`crate::layout::ADDRESS_BITS`]), whatever `old` was. No object lies elsewhere.
/// * `address(EMPTY)` is `None`.
/// * `address`, `word` and `words` depend on nothing but their arguments.
/// * `order` gives legal orders ([`Stage::is_legal`]), and `choose` numbers below `count`.
/// * `commits` is false, but in a test that expects its heap to break.
/// * No function unwinds, and none uses a heap.
pub unsafe trait Host: Sized + 'static {
    /// What a reference slot holds before the host stores something: no reference.
    const EMPTY: u64;

    /// The address of the object that `word` refers to, if it refers to one.
    fn address(word: u64) -> Option<usize>;

    /// The word that refers to the object at `address`, with the tag bits of `old`.
    fn word(address: usize, old: u64) -> u64;

    /// Which of an object's reference words are references. All of them, for most hosts; a host whose objects mix
    /// references and raw words as it likes says here, by the shape's number, where to look.
    ///
    /// A host that answers anything else has `EMPTY` 0, and its answer stays the same as long as the object lives. Nobody
    /// keeps the other words up to date: it sees to it that none of them is read as a value, by [`crate::Object::references`],
    /// [`crate::Heap::writable`] or [`crate::Fresh::references_mut`].
    #[inline(always)]
    fn words(_header: Header) -> Words {
        Words::All
    }

    /// For the collector's own tests alone: is this fault to be committed now? A collector for such a host is
    /// deliberately broken. The default, never, costs nothing.
    #[inline(always)]
    fn commits(_fault: crate::Fault) -> bool {
        false
    }

    /// For tests: does it play with the order of the collector's steps? If not, as in every program that is no test, the two
    /// functions below are never called, and cost nothing. See *Tests* in the [guide](crate::guide) for a host that does.
    const REORDERS: bool = false;

    /// The stages of the collection that begins. Every legal order leads to the same heap. There is no `self`: what is
    /// decided here, and in `choose`, comes from a thread's own state.
    fn order() -> Cow<'static, [Stage]> {
        Cow::Borrowed(&Stage::NATURAL)
    }

    /// Which of `count` (at least one) possible steps comes next, from 0: any number below `count`.
    fn choose(_choice: Choice, _count: usize) -> usize {
        0
    }
}

/// Which of the words in the reference part of an object are references.
#[derive(Clone, Copy, Debug)]
pub enum Words {
    /// Each of them.
    All,
    /// Those of which `map` has the bit, counted anew every `stride` words. From the 65th on there are none.
    Mapped {
        /// Bit `n`: word `n` is a reference, or empty.
        map: u64,
        /// Words after which it begins again.
        stride: u32,
    },
    /// It depends on what else stands there. The words are asked for in parts of `stride`.
    Asked {
        /// Given the address of a part: is this word of it a reference (or empty) now?
        is_reference: unsafe fn(usize, usize) -> bool,
        /// Words of a part.
        stride: u32,
    },
}

/// The plainest host: a word whose three lowest bits are clear is a reference, zero and all others are not.
#[derive(Debug)]
pub struct LowTag;

// SAFETY: addresses are multiples of 8 above zero, so `address` and `word` are inverse on them; zero is no reference.
unsafe impl Host for LowTag {
    const EMPTY: u64 = 1;

    #[inline(always)]
    fn address(word: u64) -> Option<usize> {
        (word & 7 == 0 && word != 0).then_some(word as usize)
    }

    #[inline(always)]
    fn word(address: usize, _old: u64) -> u64 {
        address as u64
    }
}
