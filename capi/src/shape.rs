//! Shapes by descriptor.

use std::ffi::c_char;
use std::mem::MaybeUninit;

use frazil::{LEN_MAX, SMALL_MAX, Shape};

use crate::call::on_heap;
use crate::config::yes;
use crate::error::{Outcome, frazil_status, frazil_status::*, refuse};
use crate::pointer::{self, Out, check_size, wanted};
use crate::value::frazil_heap;

/// What a kind of object is made of.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct frazil_shape {
    /// What messages call it; it is copied. May be null.
    pub name: *const c_char,
    /// How many references; with a tail of references it is 0, beside bytes at most 63.
    pub references: u32,
    /// How many raw words stand before the references, at most 63; none beside bytes.
    pub raw_words: u32,
    /// One of `FRAZIL_TAIL_...`: what there is as many of as an object is made with.
    pub tail: u32,
    /// 1: objects are born mutable, and each can be frozen. 0: they are immutable.
    pub is_mutable: u32,
    /// The host's number for the shape, which every object carries.
    pub id: u16,
}

/// What an object is made with as many of as the host likes.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum frazil_tail {
    /// Nothing: all objects of the shape have the same size.
    FRAZIL_TAIL_NONE = 0,
    /// References.
    FRAZIL_TAIL_REFERENCES = 1,
    /// Bytes.
    FRAZIL_TAIL_BYTES = 2,
    /// Bytes that are UTF-8; the shape is immutable.
    FRAZIL_TAIL_TEXT = 3,
}

use frazil_tail::*;

/// A shape that was defined.
#[derive(Clone, Debug)]
pub(crate) struct Defined {
    pub shape: Shape,
    pub name: String,
}

/// The shapes of a heap, by the host's numbers.
#[derive(Debug, Default)]
pub(crate) struct Shapes(Vec<Option<Defined>>);

impl Shapes {
    /// The shape with this number.
    ///
    /// # Errors
    /// There is none.
    pub fn get(&self, id: u16) -> Outcome<&Defined> {
        match self.0.get(id as usize) {
            Some(Some(defined)) => Ok(defined),
            _ => refuse(FRAZIL_WRONG_SHAPE, format!("shape {id} has not been defined")),
        }
    }

    fn define(&mut self, id: u16, defined: Defined) -> Outcome {
        if let Ok(before) = self.get(id) {
            return refuse(
                FRAZIL_WRONG_SHAPE,
                format!("shape {id} has been defined already, as {:?}", before.name),
            );
        }
        if self.0.len() <= id as usize {
            self.0.resize(id as usize + 1, None);
        }
        self.0[id as usize] = Some(defined);
        Ok(())
    }
}

impl frazil_shape {
    fn to_shape(self) -> Outcome<Shape> {
        let wrong = |what: &str| refuse(FRAZIL_WRONG_SHAPE, format!("shape {}: {what}", self.id));
        let tail = [FRAZIL_TAIL_NONE, FRAZIL_TAIL_REFERENCES, FRAZIL_TAIL_BYTES, FRAZIL_TAIL_TEXT]
            .into_iter()
            .find(|&tail| tail as u32 == self.tail);
        let Some(tail) = tail else {
            return refuse(FRAZIL_BAD_ARGUMENT, format!("`tail` is {}, which stands for nothing", self.tail));
        };
        let mutable = yes(self.is_mutable, "is_mutable")?;
        let (raw_words, references) = (self.raw_words as usize, self.references as usize);
        let bytes = matches!(tail, FRAZIL_TAIL_BYTES | FRAZIL_TAIL_TEXT);
        if bytes && raw_words != 0 {
            return wrong("raw words stand beside references, not beside bytes");
        }
        if raw_words > SMALL_MAX || (bytes && references > SMALL_MAX) {
            return wrong("at most 63 raw words, and at most 63 references beside bytes");
        }
        if tail == FRAZIL_TAIL_REFERENCES && references != 0 {
            return wrong("the tail has all the references");
        }
        if tail == FRAZIL_TAIL_TEXT && mutable {
            return wrong("text is immutable");
        }
        let shape = Shape::new(self.id, "");
        let shape = match tail {
            FRAZIL_TAIL_NONE => shape.raw_words(raw_words).references(references),
            FRAZIL_TAIL_REFERENCES => shape.raw_words(raw_words).references_tail(),
            FRAZIL_TAIL_BYTES => shape.bytes().references(references),
            FRAZIL_TAIL_TEXT => shape.text().references(references),
        };
        Ok(if mutable { shape.mutable() } else { shape })
    }
}

/// Tells a heap of a shape. `shape_bytes` is `sizeof(frazil_shape)`.
///
/// # Errors
/// `FRAZIL_NULL`, `FRAZIL_WRONG_SIZE`, `FRAZIL_BAD_ARGUMENT`; `FRAZIL_WRONG_SHAPE` if it cannot be, or its number is
/// taken; and as for every call on a heap.
#[unsafe(no_mangle)]
pub extern "C" fn frazil_shape_define(
    heap: frazil_heap,
    shape: Option<&frazil_shape>,
    shape_bytes: usize,
) -> frazil_status {
    on_heap(heap, |state| {
        let shape = wanted(shape, "shape")?;
        check_size::<frazil_shape>(shape_bytes)?;
        let defined = Defined { shape: shape.to_shape()?, name: pointer::text(shape.name) };
        state.shapes.define(shape.id, defined)
    })
}

/// For inline allocation: the header word of a new object of this shape with a tail of `length` (ignored without a tail),
/// and how many bytes it takes.
///
/// # Errors
/// `FRAZIL_NULL`, `FRAZIL_WRONG_SHAPE`, `FRAZIL_TOO_LONG`, and as for every call on a heap.
#[unsafe(no_mangle)]
pub extern "C" fn frazil_shape_header(
    heap: frazil_heap,
    shape: u16,
    length: usize,
    header: Out<'_, u64>,
    bytes: Out<'_, usize>,
) -> frazil_status {
    on_heap(heap, |state| {
        let (place, bytes) = (wanted(header, "header")?, wanted(bytes, "bytes")?);
        let Some(header) = state.shapes.get(shape)?.shape.header(length) else { return too_long(length) };
        place.write(header.bits());
        bytes.write(header.nursery_bytes());
        Ok(())
    })
}

pub(crate) fn too_long<T>(length: usize) -> Outcome<T> {
    refuse(FRAZIL_TOO_LONG, format!("no object can have a tail of {length}, which is more than {LEN_MAX}"))
}

/// What an object is made of, as its header says.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct frazil_object_info {
    /// How many references.
    pub references: usize,
    /// How many bytes.
    pub bytes: usize,
    /// How many raw words.
    pub raw_words: usize,
    /// Bytes that it takes, header and all.
    pub size: usize,
    /// The host's number for its shape.
    pub shape: u16,
    /// 1: it may be written, unless it is guarded.
    pub is_mutable: u8,
    /// 1: it was mutable once, and has been frozen.
    pub is_frozen: u8,
    /// 1: the host guards it.
    pub is_guarded: u8,
    /// Zero.
    pub reserved: [u8; 3],
}

/// A place for a result that was asked for with the size of its structure.
pub(crate) fn sized<'a, T>(out: Out<'a, T>, bytes: usize, name: &str) -> Outcome<&'a mut MaybeUninit<T>> {
    let place = wanted(out, name)?;
    check_size::<T>(bytes)?;
    Ok(place)
}
