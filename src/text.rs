//! Texts: objects that hold UTF-8 from the beginning, and are put together where they lie.

use std::marker::PhantomData;

use crate::heap::{AllocError, Heap};
use crate::host::Host;
use crate::object;
use crate::shape::Shape;
use crate::value::{Fresh, Object};

/// The rest of a text in the making, from the first byte that is not written yet. Its lifetime is its own, so that those of two
/// texts cannot be exchanged.
pub struct TextRoom<'t> {
    next: *mut u8,
    left: usize,
    text: PhantomData<&'t mut [u8]>,
}

impl TextRoom<'_> {
    /// How many bytes are not written yet.
    #[inline(always)]
    pub fn left(&self) -> usize {
        self.left
    }

    /// Writes `part` behind what was written before.
    ///
    /// # Panics
    /// There is no room for it.
    #[inline(always)]
    pub fn push(&mut self, part: &str) {
        assert!(part.len() <= self.left, "the parts of a text are longer than was said");
        // SAFETY: there is room for so many bytes, and nobody else knows this memory; it ends at most behind its end.
        unsafe {
            copy_text(part, self.next);
            self.next = self.next.add(part.len());
        }
        self.left -= part.len();
    }
}

/// Copies a text: most are short, and take a few moves (which overlap where the length is between two of them) and no
/// call.
///
/// # Safety
/// So many bytes can be written at `to`, and nobody else reads or writes them.
#[inline(always)]
unsafe fn copy_text(text: &str, to: *mut u8) {
    let bytes = text.as_bytes();
    /// The first `$n` bytes and the last.
    macro_rules! ends {
        ($n:literal) => {
            if let (Some(first), Some(last)) = (bytes.first_chunk::<$n>(), bytes.last_chunk::<$n>()) {
                to.cast::<[u8; $n]>().write_unaligned(*first);
                to.add(bytes.len() - $n).cast::<[u8; $n]>().write_unaligned(*last);
            }
        };
    }
    // SAFETY: within the text's length, in each case.
    unsafe {
        match bytes.len() {
            0 => {}
            1 => to.write(bytes[0]),
            2..4 => ends!(2),
            4..8 => ends!(4),
            8..16 => ends!(8),
            16..=32 => ends!(16),
            len => to.copy_from_nonoverlapping(bytes.as_ptr(), len),
        }
    }
}

impl<'id, H: Host> Heap<'id, H> {
    /// An object of the text shape `shape` that holds `text`. Its references, if it has any, are [`crate::Value::EMPTY`].
    ///
    /// # Errors
    /// As [`Heap::alloc`].
    ///
    /// # Panics
    /// The shape is not a text shape.
    pub fn text(&self, shape: &Shape, text: &str) -> Result<Object<'_, 'id, H>, AllocError> {
        self.text_with(shape, text.len(), |room| room.push(text))
    }

    /// An object of the text shape `shape` that holds the `len` bytes which `write` puts together.
    ///
    /// ```
    /// # use frazil::{Config, Heap, LowTag, Shape};
    /// # const TEXT: Shape = Shape::new(1, "text").text();
    /// # Heap::<LowTag>::branded(Config::default(), |heap| {
    /// let parts = ["loose ", "young ", "ice"];
    /// let text = heap.text_with(&TEXT, parts.iter().map(|part| part.len()).sum(), |room| {
    ///     parts.iter().for_each(|part| room.push(part));
    /// })?;
    /// assert_eq!(text.text(), "loose young ice");
    /// # Ok::<(), frazil::AllocError>(())
    /// # }).unwrap().unwrap();
    /// ```
    ///
    /// # Errors
    /// As [`Heap::alloc`].
    ///
    /// # Panics
    /// The shape is not a text shape; or `write` writes more bytes or less.
    #[inline]
    pub fn text_with(
        &self,
        shape: &Shape,
        len: usize,
        write: impl FnOnce(&mut TextRoom<'_>),
    ) -> Result<Object<'_, 'id, H>, AllocError> {
        let header = shape.header(len).ok_or(AllocError::TooLong { len })?;
        assert!(shape.is_text(), "{} is no shape of a text", shape.name());
        let address = self.take(header.nursery_bytes())?;
        // SAFETY: the nursery or the old space handed out so many unused bytes; nobody else knows the object yet.
        let object = unsafe { object::initialise_text(address, header, H::EMPTY) };
        let next = std::ptr::with_exposed_provenance_mut(address + header.bytes().0);
        let mut room = TextRoom { next, left: len, text: PhantomData };
        write(&mut room);
        assert!(room.left == 0, "the parts of a text are shorter than was said");
        // Every byte has been written, with UTF-8: from now on it is a text.
        object.set_header(header);
        // SAFETY: it is initialised, and nobody else knows it yet.
        unsafe { Ok(Fresh::new(object, header).finish()) }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;
    use crate::{Config, LowTag};

    const TEXT: Shape = Shape::new(1, "text").text();

    #[test]
    fn texts_of_all_lengths_are_what_was_written() {
        let all: String = (0..100).map(|at| char::from(b'!' + at % 90)).collect();
        Heap::<LowTag>::branded(Config::default(), |heap| {
            for len in 0..=all.len() {
                let whole = heap.text(&TEXT, &all[..len]).unwrap();
                assert_eq!(whole.text(), &all[..len]);
                for cut in 0..=len {
                    let write = |room: &mut TextRoom<'_>| {
                        room.push(&all[..cut]);
                        assert_eq!(room.left(), len - cut);
                        room.push(&all[cut..len]);
                    };
                    assert_eq!(heap.text_with(&TEXT, len, write).unwrap().text(), &all[..len]);
                }
            }
        })
        .unwrap();
    }

    #[test]
    fn nobody_reads_what_has_not_been_written() {
        const BYTES: Shape = Shape::new(2, "bytes").bytes();
        Heap::<LowTag>::branded(Config { nursery_growth: 1, ..Config::DEFAULT }, |mut heap| {
            heap.alloc(&BYTES, 64).unwrap().bytes_mut().fill(7);
            heap.collect(crate::Request::Complete);
            let text = heap.text_with(&TEXT, 64, |room| {
                assert_eq!(heap.picture(64).objects[0].raw, None, "what another object had left there");
                room.push(&"ice ".repeat(16));
                assert_eq!(heap.picture(64).text(0), "");
            });
            assert_eq!(text.unwrap().text().len(), 64);
            assert_eq!(heap.census()[0].raw, Some(u64::from_ne_bytes(*b"ice ice ")));
        })
        .unwrap();
    }

    #[test]
    fn a_text_is_as_long_as_was_said() {
        Heap::<LowTag>::branded(Config::STRESS, |mut heap| {
            for said in [0, 2, 4] {
                let write = |room: &mut TextRoom<'_>| room.push("ice");
                catch_unwind(AssertUnwindSafe(|| heap.text_with(&TEXT, said, write).is_ok())).unwrap_err();
            }
            heap.collect(crate::Request::Complete);
            assert_eq!(heap.text_with(&TEXT, 3, |room| room.push("ice")).unwrap().text(), "ice");
        })
        .unwrap();
    }
}
