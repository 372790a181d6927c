//! Objects: making, reading, writing, freezing.

use std::cell::Cell;

use frazil::{AllocError, Fresh, LowTag, Object, Shape, StoreError, Value, layout};

use crate::call::on_heap;
use crate::config::yes;
use crate::error::{Error, Outcome, frazil_status, frazil_status::*, refuse};
use crate::event::frazil_event;
use crate::pointer::{self, Out, many, wanted};
use crate::shape::{Defined, frazil_object_info, sized, too_long};
use crate::state::{CHeap, State};
use crate::value::{frazil_heap, frazil_value};
use crate::word::{self, object, reopen, value};

/// The C interface's objects.
type Obj<'s> = Object<'s, 'static, LowTag>;

// ---------------------------------------------------------------------- making

/// Runs a call that allocates. The listener hears of it if there is no memory.
fn allocating(heap: frazil_heap, body: impl FnOnce(&mut State) -> Outcome) -> frazil_status {
    on_heap(heap, |state| {
        let outcome = body(state);
        if let Err(Error { status: status @ (FRAZIL_LIMIT | FRAZIL_NO_MEMORY), .. }) = outcome {
            state.tell(frazil_event::refused(status));
        }
        outcome
    })
}

/// An object to be filled.
fn fresh<'s>(heap: &'s CHeap, shape: &Shape, length: usize) -> Outcome<Fresh<'s, 'static, LowTag>> {
    heap.alloc(shape, length).or_else(|refused| match refused {
        AllocError::Limit { .. } => refuse(FRAZIL_LIMIT, refused.to_string()),
        AllocError::System { .. } => refuse(FRAZIL_NO_MEMORY, refused.to_string()),
        AllocError::TooLong { len } => too_long(len),
    })
}

/// Makes an object with a tail of `length` (ignored without a tail). Its references are `frazil_empty()`, its words and
/// bytes zero; until the next collection they may be set with `frazil_initialise...`, even if the object is immutable.
/// Nothing is collected or moved.
///
/// # Errors
/// `FRAZIL_NULL`; `FRAZIL_WRONG_SHAPE` (not defined, or for text: see [`frazil_make`]); `FRAZIL_TOO_LONG`; `FRAZIL_LIMIT`,
/// `FRAZIL_NO_MEMORY`: the heap is as it was, and a collection may help. And as for every call on a heap.
#[unsafe(no_mangle)]
pub extern "C" fn frazil_alloc(
    heap: frazil_heap,
    shape: u16,
    length: usize,
    made: Out<'_, frazil_value>,
) -> frazil_status {
    allocating(heap, |state| {
        let made = wanted(made, "object")?;
        let Defined { shape, name } = state.shapes.get(shape)?;
        if shape.is_text() {
            return refuse(FRAZIL_WRONG_SHAPE, format!("{name:?} is a shape of text, which is made at once"));
        }
        made.write(word::word(fresh(&state.heap, shape, length)?.finish().into()));
        Ok(())
    })
}

/// Makes an object with all that is in it: `count` references, and `raw_bytes` bytes for its raw words (eight each) or its
/// bytes. A tail is as long as what is given; `raw` may be null, with 0 bytes, for raw words that are zero.
///
/// # Errors
/// As [`frazil_alloc`]; `FRAZIL_WRONG_SIZE` if there is more or less than the shape has room for; `FRAZIL_NOT_AN_OBJECT`,
/// `FRAZIL_WRONG_HEAP` for a reference that leads to no object of this heap; `FRAZIL_NOT_UTF8` for text.
#[unsafe(no_mangle)]
pub extern "C" fn frazil_make(
    heap: frazil_heap,
    shape: u16,
    references: *const frazil_value,
    count: usize,
    raw: *const u8,
    raw_bytes: usize,
    made: Out<'_, frazil_value>,
) -> frazil_status {
    allocating(heap, |state| {
        let made = wanted(made, "object")?;
        let references = many(references, count, "references")?;
        let raw = many(raw, raw_bytes, "raw")?;
        let defined = state.shapes.get(shape)?;
        let heap = &state.heap;
        for &reference in references {
            value(heap, reference)?;
        }
        let object = if defined.shape.is_text() {
            text(heap, defined, references, raw)?
        } else {
            let mut fresh = fresh(heap, &defined.shape, tail(defined, count, raw_bytes)?)?;
            fill(heap, &mut fresh, references, raw)?;
            fresh.finish()
        };
        made.write(word::word(object.into()));
        Ok(())
    })
}

/// The length of the tail of an object with so many references and bytes.
///
/// # Errors
/// The shape has no room for them, or for more.
fn tail(defined: &Defined, references: usize, raw_bytes: usize) -> Outcome<usize> {
    let shape = &defined.shape;
    let Some(empty) = shape.header(0) else { return too_long(0) };
    let bytes_tail = shape.is_variable() && empty.has(layout::BYTES);
    let references_tail = shape.is_variable() && !bytes_tail;
    let raw_fits = bytes_tail || raw_bytes == 0 || raw_bytes == empty.raw_words() * layout::WORD_BYTES;
    if !(raw_fits && (references_tail || references == empty.references())) {
        let name = &defined.name;
        return refuse(
            FRAZIL_WRONG_SIZE,
            format!("no object of shape {name:?} has {references} references and {raw_bytes} raw bytes"),
        );
    }
    Ok(if bytes_tail { raw_bytes } else { references })
}

/// A text.
///
/// # Errors
/// It has references, is not UTF-8, or there is no room.
fn text<'s>(heap: &'s CHeap, defined: &Defined, references: &[frazil_value], raw: &[u8]) -> Outcome<Obj<'s>> {
    tail(defined, references.len(), raw.len())?;
    let text = match std::str::from_utf8(raw) {
        Ok(text) => text,
        Err(error) => return refuse(FRAZIL_NOT_UTF8, error.to_string()),
    };
    match heap.text(&defined.shape, text) {
        Ok(object) => {
            for (index, &reference) in references.iter().enumerate() {
                reopen(heap, object)?.references_mut()[index] = value(heap, reference)?;
            }
            Ok(object)
        }
        // The same refusal, in words of its own.
        Err(_) => fresh(heap, &defined.shape, raw.len()).map(Fresh::finish),
    }
}

fn fill<'s>(
    heap: &'s CHeap,
    fresh: &mut Fresh<'s, 'static, LowTag>,
    references: &[frazil_value],
    raw: &[u8],
) -> Outcome {
    for (slot, &reference) in fresh.references_mut().iter_mut().zip(references) {
        *slot = value(heap, reference)?;
    }
    let (words, rest) = raw.as_chunks::<{ layout::WORD_BYTES }>();
    let raw_words = fresh.raw_mut();
    if !raw_words.is_empty() {
        for (slot, word) in raw_words.iter_mut().zip(words) {
            *slot = u64::from_ne_bytes(*word);
        }
    } else if !(words.is_empty() && rest.is_empty()) {
        fresh.bytes_mut().copy_from_slice(raw);
    }
    Ok(())
}

// ---------------------------------------------------------------------- references

/// Is there such a reference, word or byte?
fn check_index(index: usize, count: usize, what: &str) -> Outcome {
    if index >= count {
        return refuse(FRAZIL_OUT_OF_RANGE, format!("{what} {index} of {count}"));
    }
    Ok(())
}

fn refused_store<T>(refused: StoreError) -> Outcome<T> {
    let status = match refused {
        StoreError::Frozen => FRAZIL_FROZEN,
        StoreError::Guarded => FRAZIL_GUARDED,
    };
    refuse(status, refused.to_string())
}

/// Reads reference `index` of an object.
///
/// # Errors
/// `FRAZIL_NULL`; `FRAZIL_NOT_AN_OBJECT`, `FRAZIL_WRONG_HEAP`; `FRAZIL_OUT_OF_RANGE`; and as for every call on a heap.
#[unsafe(no_mangle)]
pub extern "C" fn frazil_load(
    heap: frazil_heap,
    from: frazil_value,
    index: usize,
    loaded: Out<'_, frazil_value>,
) -> frazil_status {
    on_heap(heap, |state| {
        let loaded = wanted(loaded, "value")?;
        let from = object(&state.heap, from)?;
        check_index(index, from.reference_count(), "reference")?;
        loaded.write(word::word(from.get(index)));
        Ok(())
    })
}

/// Stores a value in reference `index` of a mutable object.
///
/// # Errors
/// As [`frazil_load`], for the object and for the value; `FRAZIL_FROZEN`, `FRAZIL_GUARDED`.
#[unsafe(no_mangle)]
pub extern "C" fn frazil_store(
    heap: frazil_heap,
    into: frazil_value,
    index: usize,
    stored: frazil_value,
) -> frazil_status {
    on_heap(heap, |state| {
        let heap = &state.heap;
        let (into, stored) = (object(heap, into)?, value(heap, stored)?);
        check_index(index, into.reference_count(), "reference")?;
        heap.store(into, index, stored).or_else(refused_store)
    })
}

/// Sets reference `index` of an object that was made since the last collection and has not been frozen, mutable or not.
///
/// # Errors
/// As [`frazil_load`], for the object and for the value; `FRAZIL_FROZEN` if the object is older, or frozen.
#[unsafe(no_mangle)]
pub extern "C" fn frazil_initialise(
    heap: frazil_heap,
    into: frazil_value,
    index: usize,
    stored: frazil_value,
) -> frazil_status {
    on_heap(heap, |state| {
        let heap = &state.heap;
        let (into, stored) = (object(heap, into)?, value(heap, stored)?);
        check_index(index, into.reference_count(), "reference")?;
        reopen(heap, into)?.references_mut()[index] = stored;
        Ok(())
    })
}

// ---------------------------------------------------------------------- raw words and bytes

/// Reads raw word `index` of an object.
///
/// # Errors
/// As [`frazil_load`].
#[unsafe(no_mangle)]
pub extern "C" fn frazil_raw_load(
    heap: frazil_heap,
    from: frazil_value,
    index: usize,
    loaded: Out<'_, u64>,
) -> frazil_status {
    on_heap(heap, |state| {
        let loaded = wanted(loaded, "word")?;
        let from = object(&state.heap, from)?;
        check_index(index, from.header().raw_words(), "raw word")?;
        loaded.write(from.raw(index));
        Ok(())
    })
}

/// Writes raw word `index` of an object that is mutable, or could still be initialised.
///
/// # Errors
/// As [`frazil_load`]; `FRAZIL_FROZEN`, `FRAZIL_GUARDED`.
#[unsafe(no_mangle)]
pub extern "C" fn frazil_raw_store(
    heap: frazil_heap,
    into: frazil_value,
    index: usize,
    stored: u64,
) -> frazil_status {
    on_heap(heap, |state| {
        let heap = &state.heap;
        let into = object(heap, into)?;
        check_index(index, into.header().raw_words(), "raw word")?;
        match into.raw_cells() {
            Some(cells) => {
                heap.check_writable(into).or_else(refused_store)?;
                cells[index].set(stored);
            }
            None => reopen(heap, into)?.raw_mut()[index] = stored,
        }
        Ok(())
    })
}

/// The object, if it has so many bytes from `offset`.
fn with_bytes(heap: &CHeap, of: frazil_value, offset: usize, length: usize) -> Outcome<Obj<'_>> {
    let of = object(heap, of)?;
    if !of.header().has(layout::BYTES) {
        return refuse(FRAZIL_WRONG_SHAPE, "the object has no bytes");
    }
    let end = offset.checked_add(length).filter(|&end| end <= of.byte_len());
    if end.is_none() {
        return refuse(
            FRAZIL_OUT_OF_RANGE,
            format!("{length} bytes from byte {offset} of {}", of.byte_len()),
        );
    }
    Ok(of)
}

/// Copies `length` bytes of an object, from byte `offset`, to `buffer`.
///
/// # Errors
/// As [`frazil_load`]; `FRAZIL_WRONG_SHAPE` if the object has no bytes.
#[unsafe(no_mangle)]
pub extern "C" fn frazil_bytes_read(
    heap: frazil_heap,
    from: frazil_value,
    offset: usize,
    buffer: *mut u8,
    length: usize,
) -> frazil_status {
    on_heap(heap, |state| {
        let from = with_bytes(&state.heap, from, offset, length)?;
        pointer::copy_out(&word::bytes(from)[offset..offset + length], buffer)
    })
}

/// Copies `length` bytes from `bytes` into an object that is mutable, or could still be initialised, from its byte
/// `offset` on.
///
/// # Errors
/// As [`frazil_bytes_read`]; `FRAZIL_WRONG_SHAPE` also for text; `FRAZIL_FROZEN`, `FRAZIL_GUARDED`.
#[unsafe(no_mangle)]
pub extern "C" fn frazil_bytes_write(
    heap: frazil_heap,
    into: frazil_value,
    offset: usize,
    bytes: *const u8,
    length: usize,
) -> frazil_status {
    on_heap(heap, |state| {
        let heap = &state.heap;
        let into = with_bytes(heap, into, offset, length)?;
        if into.is_text() {
            return refuse(FRAZIL_WRONG_SHAPE, "a text is made at once");
        }
        let places = offset..offset + length;
        match into.byte_cells() {
            Some(cells) => {
                heap.check_writable(into).or_else(refused_store)?;
                pointer::copy_in(bytes, &cells[places])
            }
            None => {
                let mut fresh = reopen(heap, into)?;
                pointer::copy_in(bytes, Cell::from_mut(&mut fresh.bytes_mut()[places]).as_slice_of_cells())
            }
        }
    })
}

/// Where the bytes of an object are until the next collection, and how many there are. They may be written there under the
/// same conditions as with [`frazil_bytes_write`].
///
/// # Errors
/// As [`frazil_bytes_read`].
#[unsafe(no_mangle)]
pub extern "C" fn frazil_bytes_view(
    heap: frazil_heap,
    of: frazil_value,
    bytes: Out<'_, *const u8>,
    length: Out<'_, usize>,
) -> frazil_status {
    on_heap(heap, |state| {
        let (place, length) = (wanted(bytes, "bytes")?, wanted(length, "length")?);
        let bytes = word::bytes(with_bytes(&state.heap, of, 0, 0)?);
        place.write(bytes.as_ptr());
        length.write(bytes.len());
        Ok(())
    })
}

/// What an object is made of, and whether it may be written. `info_bytes` is `sizeof(frazil_object_info)`.
///
/// # Errors
/// `FRAZIL_NULL`, `FRAZIL_WRONG_SIZE`, `FRAZIL_NOT_AN_OBJECT`, `FRAZIL_WRONG_HEAP`, and as for every call on a heap.
#[unsafe(no_mangle)]
pub extern "C" fn frazil_describe(
    heap: frazil_heap,
    of: frazil_value,
    info: Out<'_, frazil_object_info>,
    info_bytes: usize,
) -> frazil_status {
    on_heap(heap, |state| {
        let info = sized(info, info_bytes, "info")?;
        let header = object(&state.heap, of)?.header();
        info.write(frazil_object_info {
            references: header.references(),
            bytes: header.bytes().1,
            raw_words: header.raw_words(),
            size: header.cell_bytes(),
            shape: header.shape_id(),
            is_mutable: header.has(layout::MUTABLE).into(),
            is_frozen: header.was_frozen().into(),
            is_guarded: header.has(layout::GUARDED).into(),
            reserved: [0; 3],
        });
        Ok(())
    })
}

// ---------------------------------------------------------------------- freezing

/// Freezes one object in place, for good. What it refers to stays as it is. An object that is not mutable stays as it is,
/// too.
///
/// # Errors
/// `FRAZIL_NOT_AN_OBJECT`, `FRAZIL_WRONG_HEAP`, and as for every call on a heap.
#[unsafe(no_mangle)]
pub extern "C" fn frazil_freeze(heap: frazil_heap, frozen: frazil_value) -> frazil_status {
    on_heap(heap, |state| {
        state.heap.freeze(object(&state.heap, frozen)?);
        Ok(())
    })
}

/// Freezes everything mutable that can be reached from a value, in place, and says in `count` (which may be null) how many
/// objects that were. It visits every object that is young or traced once.
///
/// # Errors
/// `FRAZIL_NOT_AN_OBJECT`, `FRAZIL_WRONG_HEAP`, and as for every call on a heap.
#[unsafe(no_mangle)]
pub extern "C" fn frazil_freeze_deep(
    heap: frazil_heap,
    from: frazil_value,
    count: Out<'_, usize>,
) -> frazil_status {
    on_heap(heap, |state| {
        let from: Value<'_, 'static, LowTag> = value(&state.heap, from)?;
        let frozen = state.heap.freeze_deep(from);
        if let Some(count) = count {
            count.write(frozen);
        }
        Ok(())
    })
}

/// Refuses stores into a mutable object (1), or no longer (0): for a host that iterates over it, say.
///
/// # Errors
/// `FRAZIL_BAD_ARGUMENT`, `FRAZIL_NOT_AN_OBJECT`, `FRAZIL_WRONG_HEAP`; `FRAZIL_FROZEN` if it is not mutable; and as for
/// every call on a heap.
#[unsafe(no_mangle)]
pub extern "C" fn frazil_guard(heap: frazil_heap, guarded: frazil_value, guard: u32) -> frazil_status {
    on_heap(heap, |state| {
        let guard = yes(guard, "guard")?;
        let guarded = object(&state.heap, guarded)?;
        if !guarded.is_mutable() {
            return refused_store(StoreError::Frozen);
        }
        state.heap.guard(guarded, guard);
        Ok(())
    })
}
