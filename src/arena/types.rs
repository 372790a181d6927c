//! The number that each type has in the headers of its objects, and what the collector learns by it.
//!
//! A header has room for sixteen bits. The first object of a type gets the type a number, for the whole process, so that
//! objects may go from one heap to another; types without references share the number 0 and need none. Finding the number
//! again is a look into a small table of the arena, keyed by the address of the type's description.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{LazyLock, Mutex, PoisonError};

use super::trace::{Layout, Trace};
use crate::host::{Host, Words};
use crate::shape::{BORN_MUTABLE, HEADER_TAG, Header, MUTABLE, Shape, WORD_BYTES};

/// Numbers there are.
const NUMBERS: usize = 1 << 16;
/// Types that an arena remembers the number of. Larger: fewer types that take turns. Smaller: a smaller arena.
const REMEMBERED: usize = 256;

/// The number of all types without references.
const LEAF: Shape = Shape::new(0, "leaf").bytes();
/// The same with cells.
const MUTABLE_LEAF: Shape = Shape::new(0, "leaf").bytes().mutable();

/// How the collector is told where an arena's objects have references. A reference is the address of a value, eight
/// bytes behind its object's header.
pub(crate) struct Typed;

// SAFETY: objects begin at multiples of 8 above zero, and values 8 bytes behind them; 0 is no such address.
unsafe impl Host for Typed {
    const EMPTY: u64 = 0;

    #[inline(always)]
    fn address(word: u64) -> Option<usize> {
        (word & 7 == 0 && word != 0).then(|| (word as usize).wrapping_sub(WORD_BYTES))
    }

    #[inline(always)]
    fn word(address: usize, _old: u64) -> u64 {
        (address + WORD_BYTES) as u64
    }

    #[inline(always)]
    fn words(header: Header) -> Words {
        description(header.shape_id()).map_or(Words::All, |description| description.words)
    }
}

/// What is known of each number. Written once each.
static KNOWN: [AtomicPtr<Description>; NUMBERS] = [const { AtomicPtr::new(std::ptr::null_mut()) }; NUMBERS];

/// What is known of a number; of that of types without references, nothing.
#[inline(always)]
fn description(number: u16) -> Option<&'static Description> {
    // SAFETY: null or a description, which lives for good.
    unsafe { KNOWN[usize::from(number)].load(Ordering::Acquire).as_ref() }
}

/// The name of the type with this number, for messages.
pub(super) fn name(number: u16) -> &'static str {
    description(number).map_or("a type without pointers", |description| (description.name)())
}

/// The numbers that have been given, by the address of the description.
static GIVEN: LazyLock<Mutex<HashMap<usize, u16>>> = LazyLock::new(Mutex::default);

/// What is known of a type with references at compile time.
pub(super) struct Description {
    words: Words,
    name: fn() -> &'static str,
    /// A header with everything but the number; the length is that of one value.
    header: u64,
}

impl Description {
    /// The type's header, with its number, which it is given now if it has none.
    #[cold]
    fn number(&'static self) -> u64 {
        let key = std::ptr::from_ref(self).addr();
        let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
        let next = given.len() + 1;
        let number = *given.entry(key).or_insert_with(|| {
            let number = u16::try_from(next).expect("at most 65535 types with references lie in arenas");
            KNOWN[next].store(std::ptr::from_ref(self).cast_mut(), Ordering::Release);
            number
        });
        self.header | Shape::new(number, "").header_bits()
    }
}

/// An arena's memory of headers, one for each type that it has seen lately.
pub(super) struct Headers([Cell<(usize, u64)>; REMEMBERED]);

impl Default for Headers {
    fn default() -> Headers {
        Headers([const { Cell::new((0, 0)) }; REMEMBERED])
    }
}

impl Headers {
    /// The header of an object that holds one value of type `T`.
    #[inline(always)]
    pub fn of<'gc, T: Trace<'gc>>(&self) -> u64 {
        match T::LAYOUT {
            Layout::None => leaf::<T>(size_of::<T>()),
            _ => self.find(T::DESCRIPTION),
        }
    }

    #[inline(always)]
    fn find(&self, description: &'static Description) -> u64 {
        let key = std::ptr::from_ref(description).addr();
        let place = &self.0[key / align_of::<Description>() % REMEMBERED];
        let (known, header) = place.get();
        if known == key {
            return header;
        }
        let header = description.number();
        place.set((key, header));
        header
    }

    /// The header of a slice of `words` words.
    #[inline]
    pub fn of_slice<'gc, T: Trace<'gc>>(&self, words: usize) -> u64 {
        self.of::<T>() & u64::from(u32::MAX) | (words as u64) << 32
    }
}

/// The header of an object of `bytes` bytes without references.
#[inline(always)]
pub(super) fn leaf<'gc, T: Trace<'gc>>(bytes: usize) -> u64 {
    let shape = if T::MUTABLE { MUTABLE_LEAF } else { LEAF };
    shape.header_bits() | (bytes as u64) << 32
}

/// What every type is asked when an object of it is made, at compile time.
pub(super) trait Checked<'gc>: Trace<'gc> {
    /// Refuses what cannot be an object.
    const OK: () = {
        assert!(
            align_of::<Self>() <= WORD_BYTES,
            "an object's value lies at a multiple of 8: a type that must lie at a multiple of 16 or more (u128, SIMD, \
             `repr(align)`) cannot be one; keep it as words or bytes"
        );
        assert!(
            !std::mem::needs_drop::<Self>(),
            "what lies in an arena is never dropped: a type with `Drop`, or one that owns memory outside, cannot lie \
             there; keep it outside and an index to it inside, and ask `Arena::next_dead` for what died"
        );
        assert!(size_of::<Self>() <= u32::MAX as usize, "an object takes at most 4 GiB");
    };

    /// Refuses what cannot be an element of a slice.
    const ELEMENT_OK: () = {
        let () = Self::OK;
        assert!(
            size_of::<Self>() > 0,
            "a slice in an arena has elements of at least one byte: of such, keep the number"
        );
    };

    const DESCRIPTION: &'static Description = &Description {
        words: match Self::LAYOUT {
            Layout::Map(map) => Words::Mapped { map, stride: stride::<Self>() },
            _ => Words::Asked { is_reference: asked::<Self>, stride: stride::<Self>() },
        },
        name: std::any::type_name::<Self>,
        header: HEADER_TAG
            | if Self::MUTABLE { MUTABLE | BORN_MUTABLE } else { 0 }
            | (stride::<Self>() as u64) << 32,
    };
}
impl<'gc, T: Trace<'gc>> Checked<'gc> for T {}

/// Words of a value.
const fn stride<T>() -> u32 {
    (size_of::<T>() / WORD_BYTES) as u32
}

/// # Safety
/// A value of type `T` lies at `address`, of which `word` is a word.
unsafe fn asked<'gc, T: Trace<'gc>>(address: usize, word: usize) -> bool {
    // SAFETY: passed on.
    unsafe { T::is_reference(std::ptr::with_exposed_provenance(address), word * WORD_BYTES) }
}
