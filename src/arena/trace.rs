//! What may lie in an arena: where a type's references are, and what it is called outside of a session.
//!
//! The collector moves objects as bytes and rewrites the references in them, so of each type it must know where those
//! are. A type says so in three ways, by [`Layout`]: it has none; they are always in the same words; or it depends on
//! the value (an enum), and the value has to be asked. Nobody writes this down but `#[derive(Trace)]`, and no order of
//! fields is asked for.

use std::num::NonZeroUsize;

use crate::shape::{Header, WORD_BYTES};

/// Where the references of a type are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// It never holds any.
    None,
    /// In the words with these bits. Each is a reference or empty.
    Map(u64),
    /// It depends on the value: see [`Trace::is_reference`].
    Asked,
}

/// Words that a map can tell of.
const MAP_WORDS: usize = u64::BITS as usize;

impl Layout {
    /// The layout of something that has `field` at `offset`, beside what `self` tells of.
    #[must_use]
    pub const fn with(self, field: Layout, offset: usize) -> Layout {
        match (self, field) {
            (whole, Layout::None) => whole,
            (Layout::Asked, _) | (_, Layout::Asked) => Layout::Asked,
            (whole, Layout::Map(map)) => {
                let word = offset / WORD_BYTES;
                if word + (MAP_WORDS - map.leading_zeros() as usize) > MAP_WORDS {
                    return Layout::Asked;
                }
                match whole {
                    Layout::Map(before) => Layout::Map(before | map << word),
                    _ => Layout::Map(map << word),
                }
            }
        }
    }

    /// The layout of `count` values of `bytes` bytes each, side by side.
    #[must_use]
    pub const fn repeated(self, bytes: usize, count: usize) -> Layout {
        let mut whole = Layout::None;
        let mut index = 0;
        while index < count && index <= MAP_WORDS {
            whole = whole.with(self, index * bytes);
            index += 1;
        }
        whole
    }

    /// The layout of an enum one of whose variants has a field of layout `field`.
    #[must_use]
    pub const fn or(self, field: Layout) -> Layout {
        match field {
            Layout::None => self,
            _ => Layout::Asked,
        }
    }

    /// Can there be any reference?
    #[must_use]
    pub const fn is_any(self) -> bool {
        !matches!(self, Layout::None)
    }
}

/// What may lie in an arena of brand `'gc`. Derive it: `#[derive(Trace)]`.
///
/// A type is **mutable** if a [`Cell`](super::Cell) lies in it, directly and not behind a [`Gc`](super::Gc), and
/// immutable otherwise. Objects of immutable types are counted once they are old, and no collection looks at them again.
///
/// # Safety
/// * `Self` holds no lifetime but `'gc` and `'static`, and no value of it needs to be dropped.
/// * `LAYOUT` and `is_reference` tell of exactly the [`Gc`](super::Gc)s in it, niche-filled options of them included.
/// * What is not in a `Cell` may be read by several threads at once: it is `Send` and `Sync`, but for `Gc` and `Weak`.
/// * `MUTABLE` is true if one of those may change while the value is shared.
/// * `Family` is `Self` but for its brand: `Family::Of<'gc>` is `Self`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot lie in an arena",
    label = "this does not implement `Trace`",
    note = "a type of your own: `#[derive(Trace)]`",
    note = "`String` or `&str`: `Gc<'gc, str>`; `Vec` or `Box<[T]>`: `Gc<'gc, [T]>` or `frazil::arena::collections::Vector`; `Box` or `Rc`: `Gc`",
    note = "`std::cell::Cell`, `RefCell`, `Mutex`, atomics: `frazil::arena::Cell`, whose stores the collector hears of",
    note = "plain data of another crate without lifetimes, cells and `Drop`: `frazil::arena::Static<T>`; `&'static T`, if `T` is `Sync`"
)]
pub unsafe trait Trace<'gc>: Sized + 'gc {
    /// The type's name outside of sessions.
    type Family: Family;
    /// Where its references are.
    const LAYOUT: Layout;
    /// Is there a [`Cell`](super::Cell) in it?
    const MUTABLE: bool;
    /// `None` of an `Option<Self>` is an empty word, and that is all of it.
    #[doc(hidden)]
    const NULLABLE: bool = false;

    /// With `Layout::Asked`: does a reference stand (or could one stand) at byte `at` of this value now?
    ///
    /// # Safety
    /// `this` leads to a value, and `at` is a multiple of a word, below its size.
    #[doc(hidden)]
    unsafe fn is_reference(this: *const Self, at: usize) -> bool {
        let _ = this;
        match Self::LAYOUT {
            Layout::Map(map) => at / WORD_BYTES < MAP_WORDS && map >> (at / WORD_BYTES) & 1 != 0,
            _ => false,
        }
    }
}

/// A type that may lie in an arena, by a name without a brand: `Node<'static>` stands for `Node<'gc>` with whatever
/// `'gc` the session has. There is never a value of the type `Node<'static>` itself. `#[derive(Trace)]` implements it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not name a type that may lie in an arena",
    note = "outside of sessions, a type with the brand `'gc` is named with `'static`: `Arena<Node<'static>>`",
    note = "`#[derive(Trace)]` makes such a name"
)]
pub trait Family: 'static {
    /// The type in a session of brand `'gc`.
    type Of<'gc>: Trace<'gc>;
}

/// What a [`Gc`](super::Gc) can lead to: a [`Trace`] type, a slice of them, or a `str`.
///
/// # Safety
/// `at` finds the value that was made at an address, and `Family::Of<'gc>` is `Self`.
pub unsafe trait Object<'gc>: 'gc {
    /// The type's name outside of sessions.
    type Family: ?Sized + ObjectFamily;

    /// # Safety
    /// Such an object begins at `address` (behind its header).
    #[doc(hidden)]
    unsafe fn at(address: NonZeroUsize) -> *const Self;
}

/// What a [`Root`](super::Root) can lead to, by a name without a brand.
pub trait ObjectFamily: 'static {
    /// The type in a session of brand `'gc`.
    type Of<'gc>: ?Sized + Object<'gc>;
}

impl<F: Family> ObjectFamily for F {
    type Of<'gc> = F::Of<'gc>;
}
impl<F: Family> ObjectFamily for [F] {
    type Of<'gc> = [F::Of<'gc>];
}
impl ObjectFamily for str {
    type Of<'gc> = str;
}

// SAFETY: an object holds its value directly behind the header.
unsafe impl<'gc, T: Trace<'gc>> Object<'gc> for T {
    type Family = T::Family;

    #[inline(always)]
    unsafe fn at(address: NonZeroUsize) -> *const T {
        std::ptr::with_exposed_provenance(address.get())
    }
}

// SAFETY: the elements lie behind the header, which tells their number.
unsafe impl<'gc, T: Trace<'gc>> Object<'gc> for [T] {
    type Family = [T::Family];

    #[inline(always)]
    unsafe fn at(address: NonZeroUsize) -> *const [T] {
        // SAFETY: passed on.
        let header = unsafe { header_before(address) };
        let len = match T::LAYOUT {
            Layout::None => header.length() / size_of::<T>().max(1),
            _ => header.length() / (size_of::<T>() / WORD_BYTES).max(1),
        };
        std::ptr::slice_from_raw_parts(std::ptr::with_exposed_provenance(address.get()), len)
    }
}

// SAFETY: the bytes lie behind the header, which tells their number, and were UTF-8 when the object was made.
unsafe impl<'gc> Object<'gc> for str {
    type Family = str;

    #[inline(always)]
    unsafe fn at(address: NonZeroUsize) -> *const str {
        // SAFETY: passed on.
        let header = unsafe { header_before(address) };
        let first: *const u8 = std::ptr::with_exposed_provenance(address.get());
        std::ptr::slice_from_raw_parts(first, header.length()) as *const str
    }
}

/// The header of an object whose value is at `address`.
///
/// # Safety
/// There is one.
#[inline(always)]
pub(super) unsafe fn header_before(address: NonZeroUsize) -> Header {
    let header: *const u64 = std::ptr::with_exposed_provenance(address.get() - WORD_BYTES);
    // SAFETY: a value in an arena has its object's header before it.
    Header(unsafe { header.read() })
}

/// For derived code: asks a field of type `T` that begins `offset` bytes into a value, whose place is `field`, about
/// byte `at` of the whole.
///
/// # Safety
/// `field` leads to a value of type `T`.
#[doc(hidden)]
#[inline(always)]
pub unsafe fn ask<'gc, T: Trace<'gc>>(field: *const T, offset: usize, at: usize) -> bool {
    let inside = at.wrapping_sub(offset);
    // SAFETY: passed on; the byte lies inside the field.
    T::LAYOUT.is_any() && inside < size_of::<T>() && unsafe { T::is_reference(field, inside) }
}

#[cfg(test)]
mod tests {
    use super::Layout;

    #[test]
    fn layouts_add_up() {
        let gc = Layout::Map(1);
        assert_eq!(Layout::None.with(Layout::None, 8), Layout::None);
        assert_eq!(Layout::None.with(gc, 8).with(gc, 24), Layout::Map(0b1010));
        assert_eq!(Layout::None.with(gc, 63 * 8), Layout::Map(1 << 63));
        assert_eq!(Layout::None.with(gc, 64 * 8), Layout::Asked);
        assert_eq!(Layout::Map(0b101).repeated(24, 3), Layout::Map(0b101_101_101));
        assert_eq!(gc.repeated(8, 64), Layout::Map(u64::MAX));
        assert_eq!(gc.repeated(8, 65), Layout::Asked);
        assert_eq!(Layout::None.repeated(8, 1 << 40), Layout::None);
        assert_eq!((Layout::None.or(Layout::None), Layout::None.or(gc)), (Layout::None, Layout::Asked));
    }
}
