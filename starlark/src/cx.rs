//! What operations need beside their operands: the heap, and a few values that are made once.

use std::any::{Any, TypeId, type_name};
use std::cell::Cell;
use std::marker::PhantomData;

use frazil::{AllocError, TextRoom};

use crate::data::text::Text;
use crate::failure::{Failure, Res};
use crate::machine;
use crate::syntax::Frame;
use crate::value::{Fresh, Heap, KINDS, Kind, Object, Shaped, Value, ValueExt, shapes};

/// Words at the bottom of the root stack that belong to the machine itself.
pub(crate) const ROOT_STATICS: usize = 0;
/// The dict of constant strings, each mapped to itself.
pub(crate) const ROOT_INTERNED: usize = 1;
/// The list of what loaded modules have left (tuples of cells), and of values the host keeps.
pub(crate) const ROOT_KEPT: usize = 2;
/// How many there are.
pub(crate) const ROOT_WORDS: usize = 3;

/// Index in the statics of the empty tuple; below it are the strings of one byte.
const STATIC_EMPTY_TUPLE: usize = 256;
const STATIC_EMPTY_STR: usize = 257;
const STATIC_TYPE_NAMES: usize = 258;
const STATICS: usize = STATIC_TYPE_NAMES + KINDS;

/// So many constant strings are kept for programs to come, and none that is longer than so many bytes.
const INTERNED_MAX: usize = 1 << 14;
const INTERNED_BYTES_MAX: usize = 256;
/// This part of the heap's limit should be free when a function of the embedding program begins.
const HOST_ROOM: usize = 8;
/// The largest buffer that is kept for the next text.
const SCRATCH_MAX: usize = 1 << 16;

/// The context of an operation: cheap to copy, and it borrows the heap, so that nothing is collected while it is
/// in use.
///
/// It is invariant in `'s`. Outside of this crate a context and values can only be had in functions that are
/// generic over `'s`, so a context and values of two interpreters never fit together:
///
/// ```compile_fail
/// # use frazil_starlark::Engine;
/// # fn mix(one: &Engine, other: &Engine) {
/// one.global("m", "list", |cx, list| {
///     other.global("m", "x", |_, x| {
///         frazil_starlark::data::list::push(cx, list.object().unwrap(), x).unwrap();
///     });
/// });
/// # }
/// ```
#[derive(Clone, Copy)]
pub struct Cx<'s> {
    pub(crate) heap: &'s Heap,
    pub(crate) host: &'s crate::host::Host,
    brand: PhantomData<Cell<&'s ()>>,
}

impl<'s> Cx<'s> {
    #[inline(always)]
    pub(crate) fn new(heap: &'s Heap, host: &'s crate::host::Host) -> Cx<'s> {
        Cx { heap, host, brand: PhantomData }
    }

    /// What the embedding program has put there for its functions: see [`Engine::set_state`](crate::Engine::set_state).
    ///
    /// # Errors
    /// There is nothing of this type.
    pub fn state<T: Any>(self) -> Res<&'s T> {
        let state = self.host.state.get(&TypeId::of::<T>()).and_then(|state| state.downcast_ref());
        state.ok_or_else(|| Failure::new(format!("the host has no state of type {}", type_name::<T>())))
    }

    /// The active calls, outermost first: for functions and methods of the embedding program, where the last one is that of
    /// the caller. Elsewhere there are none.
    ///
    /// ```
    /// use frazil_starlark::{Engine, function};
    /// function! {
    ///     fn here(cx) -> String {
    ///         cx.call_stack().iter().map(|call| format!("{} at {}:{}", call.function, call.file, call.at.unwrap())).collect::<Vec<_>>().join(", ")
    ///     }
    /// }
    /// let mut engine = Engine::default();
    /// engine.function("here", here).unwrap();
    /// engine.run("BUILD", "def rule():\n  return here()\nx = rule()").unwrap();
    /// assert_eq!(engine.get_global::<String>("BUILD", "x").unwrap(), "<toplevel> at BUILD:3:9, rule at BUILD:2:14");
    /// ```
    pub fn call_stack(self) -> Vec<Frame> {
        let frames = self.host.callers.take();
        // Where nobody has lent the calls there are none, not even those of the caller of `parallel_map`.
        let own = frames.get(self.host.first_call.get()..).unwrap_or_default();
        let shown = machine::show_frames(self.host, own);
        self.host.callers.set(frames);
        shown
    }

    /// A word of the root stack.
    pub(crate) fn slot(self, at: usize) -> &'s Cell<Value<'s>> {
        &self.heap.stack_from(at)[0]
    }

    /// Freezes everything that can be reached from a value.
    pub fn freeze(self, value: Value<'s>) {
        self.heap.freeze_deep(value);
    }

    /// An object of a shape, to be filled.
    ///
    /// # Errors
    /// Memory ran out.
    #[inline(always)]
    pub(crate) fn alloc(self, shape: &frazil::Shape, len: usize) -> Result<Fresh<'s>, AllocError> {
        self.heap.alloc(shape, len)
    }

    /// Asks for room for so many words that are not part of the heap, such as the elements of an iterable that are
    /// collected: what is larger than the heap may be is refused as if it were to be in it.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn check_room(self, words: usize) -> Result<(), AllocError> {
        let requested = words.saturating_mul(size_of::<u64>());
        match self.heap.config().limit_bytes {
            Some(limit) if requested > limit => {
                Err(AllocError::Limit { requested, used: self.heap.used_bytes(), limit })
            }
            _ => Ok(()),
        }
    }

    /// Asks for room for so many bytes: for functions of the embedding program, before they have had any effect.
    ///
    /// A function is called once for each call in the program: if it is refused memory because the heap's limit is reached,
    /// and returns that error, the program ends, although a collection might have made room (nothing can be collected while
    /// it holds values). An eighth of the limit is free when it begins, if that is possible at all. One that may need more
    /// asks first, and returns the error it gets: then everything is collected, and it is called once more.
    ///
    /// ```
    /// use frazil_starlark::{Engine, Res, function};
    /// function! {
    ///     fn zeros(cx, count: usize) -> Res<Vec<i64>> {
    ///         cx.want_room(8 * count)?;
    ///         Ok(vec![0; count]) // This, and whatever else it does, happens once.
    ///     }
    /// }
    /// let config = frazil::Config { limit_bytes: Some(16 << 20), ..frazil_starlark::CONFIG };
    /// let mut engine = Engine::new(config, Default::default()).unwrap();
    /// engine.function("zeros", zeros).unwrap();
    /// engine.run("m", "[len(zeros(700000)) for _ in range(9)]").unwrap();
    /// ```
    ///
    /// # Errors
    /// There is no such room.
    pub fn want_room(self, bytes: usize) -> Res<()> {
        match self.room() {
            Some((room, used, limit)) if bytes > room => {
                Err(Box::new(Failure::Room(AllocError::Limit { requested: bytes, used, limit })))
            }
            _ => Ok(()),
        }
    }

    /// Refuses to begin with a function of the embedding program if there is little room, and more than that has come since
    /// the last collection.
    ///
    /// # Errors
    /// A collection is better now.
    pub(crate) fn room_for_host(self) -> Result<(), AllocError> {
        match self.room() {
            Some((room, used, limit)) if room < limit / HOST_ROOM => {
                let new = self.heap.allocated_bytes().saturating_add(self.host.residents.new_bytes());
                let requested = limit / HOST_ROOM;
                if new > room { Err(AllocError::Limit { requested, used, limit }) } else { Ok(()) }
            }
            _ => Ok(()),
        }
    }

    /// If the heap has a limit: what is left of it, what is used, and the limit. The data of host values is part of it.
    pub(crate) fn room(self) -> Option<(usize, usize, usize)> {
        let limit = self.heap.config().limit_bytes?;
        let used = self.heap.used_bytes().saturating_add(self.host.residents.bytes());
        Some((limit.saturating_sub(used), used, limit))
    }

    /// A vector with room for so many values.
    ///
    /// # Errors
    /// Memory ran out.
    pub(crate) fn vec(self, len: usize) -> Result<Vec<Value<'s>>, AllocError> {
        self.check_room(len)?;
        let mut values = Vec::new();
        let reserved = values.try_reserve_exact(len);
        reserved.map_err(|_| AllocError::System { requested: len.saturating_mul(size_of::<u64>()) })?;
        Ok(values)
    }

    /// A string.
    ///
    /// # Errors
    /// Memory ran out.
    #[inline]
    pub fn str(self, text: &str) -> Res<Value<'s>> {
        if let [byte] = text.as_bytes() {
            return Ok(self.byte(*byte));
        }
        Ok(self.heap.text(&shapes::STR, text)?.into())
    }

    /// A string of `len` bytes that `write` puts together.
    ///
    /// # Errors
    /// Memory ran out.
    ///
    /// # Panics
    /// It writes more bytes or less.
    #[inline]
    pub fn str_with(self, len: usize, write: impl FnOnce(&mut TextRoom<'_>)) -> Res<Value<'s>> {
        Ok(self.heap.text_with(&shapes::STR, len, write)?.into())
    }

    /// A string of bytes that may or may not be valid UTF-8.
    ///
    /// # Errors
    /// Memory ran out.
    pub fn text(self, bytes: &[u8]) -> Res<Value<'s>> {
        if let Ok(text) = std::str::from_utf8(bytes) {
            return if text.is_empty() { Ok(self.empty_str()) } else { self.str(text) };
        }
        if let [byte] = bytes {
            return Ok(self.byte(*byte));
        }
        let mut fresh = self.alloc(&shapes::RAW_STR, bytes.len())?;
        fresh.bytes_mut().copy_from_slice(bytes);
        Ok(fresh.finish().into())
    }

    /// The string of one byte.
    #[inline]
    pub fn byte(self, byte: u8) -> Value<'s> {
        self.statics().get(byte as usize)
    }

    /// `()`
    pub fn empty_tuple(self) -> Value<'s> {
        self.statics().get(STATIC_EMPTY_TUPLE)
    }

    /// `""`
    pub fn empty_str(self) -> Value<'s> {
        self.statics().get(STATIC_EMPTY_STR)
    }

    /// The name of a value's type as a string.
    ///
    /// # Errors
    /// Memory ran out.
    pub fn type_name(self, value: Value<'s>) -> Res<Value<'s>> {
        match value.kind() {
            Kind::Elems | Kind::Host => self.intern(value.type_name()),
            kind => Ok(self.statics().get(STATIC_TYPE_NAMES + kind as usize)),
        }
    }

    /// A string that `write` puts together.
    ///
    /// # Errors
    /// Memory ran out, or `write` failed.
    #[inline]
    pub fn build(self, write: impl FnOnce(&mut Text) -> Res<()>) -> Res<Value<'s>> {
        let mut text = self.host.scratch.take();
        text.clear();
        let result = write(&mut text).and_then(|()| text.value(self));
        if text.capacity() <= SCRATCH_MAX {
            self.host.scratch.set(text);
        }
        result
    }

    #[inline(always)]
    fn statics(self) -> Shaped<'s> {
        let statics = self.heap.stack_from(ROOT_STATICS)[0].get().object();
        match statics.and_then(|statics| statics.shaped(&shapes::TUPLE)) {
            Some(statics) => statics,
            None => unreachable!("the machine makes its statics first"),
        }
    }

    /// A tuple of the values.
    ///
    /// # Errors
    /// Memory ran out.
    #[inline]
    pub fn tuple(self, items: &[Value<'s>]) -> Res<Value<'s>> {
        if items.is_empty() {
            return Ok(self.empty_tuple());
        }
        let mut fresh = self.alloc(&shapes::TUPLE, items.len())?;
        fresh.references_mut().copy_from_slice(items);
        Ok(fresh.finish().into())
    }

    /// A struct of fields in any order.
    ///
    /// # Errors
    /// A name is given twice, or memory ran out.
    pub fn fields<'n>(self, fields: impl IntoIterator<Item = (&'n str, Value<'s>)>) -> Res<Value<'s>> {
        let named = |(name, value)| Ok((self.intern(name)?, value));
        let fields: Res<Vec<(Value<'s>, Value<'s>)>> = fields.into_iter().map(named).collect();
        crate::data::record::make(self, fields?)
    }

    /// A tuple of the values in the cells.
    ///
    /// # Errors
    /// Memory ran out.
    #[inline]
    pub fn tuple_of_cells(self, items: &[Cell<Value<'s>>]) -> Res<Value<'s>> {
        if items.is_empty() {
            return Ok(self.empty_tuple());
        }
        let mut fresh = self.alloc(&shapes::TUPLE, items.len())?;
        for (slot, item) in fresh.references_mut().iter_mut().zip(items) {
            *slot = item.get();
        }
        Ok(fresh.finish().into())
    }

    /// The one string that stands for this constant text, unless it is long, and as long as the table of them lasts.
    ///
    /// # Errors
    /// Memory ran out.
    pub(crate) fn intern(self, text: &str) -> Res<Value<'s>> {
        if text.len() > INTERNED_BYTES_MAX {
            return self.str(text);
        }
        let dict = self.interned();
        if let Some(position) = crate::data::table::find_text(dict, text.as_bytes()) {
            return Ok(crate::data::table::key(dict, position));
        }
        let value = self.str(text)?;
        crate::data::table::insert(self, dict, value, value)?;
        Ok(value)
    }

    /// Begins a new table of constant strings if the old one is large: nobody knows which of them are still in use, and a host
    /// may run any number of texts. Strings that are in use live on, and are only shared no longer with those to come.
    pub(crate) fn limit_interned(self) {
        if crate::data::table::len(self.interned()) > INTERNED_MAX {
            self.renew_interned();
        }
    }

    /// Begins a table of constant strings, with those that the machine has anyway: then a program's `"int"` is what `type` gives,
    /// its `"/"` is a character of a string, and the two are equal at once.
    pub(crate) fn renew_interned(self) {
        let renew = || -> Res<()> {
            let fresh = crate::data::table::with_capacity(self, &shapes::DICT, 0)?;
            for text in self.statics().references().iter().filter(|value| value.as_str().is_some()) {
                crate::data::table::insert(self, fresh, text, text)?;
            }
            self.slot(ROOT_INTERNED).set(fresh.into());
            Ok(())
        };
        // Without memory the old one stays.
        _ = renew();
    }

    fn interned(self) -> Object<'s> {
        match self.slot(ROOT_INTERNED).get().object() {
            Some(object) => object,
            None => unreachable!("the machine makes its table of strings first"),
        }
    }
}

/// Makes the values at the bottom of the root stack.
///
/// # Errors
/// Memory ran out.
pub(crate) fn make_roots(heap: &Heap) -> Result<(), AllocError> {
    let mut statics = heap.alloc(&shapes::TUPLE, STATICS)?;
    for byte in 0..=u8::MAX {
        statics.references_mut()[byte as usize] = match std::str::from_utf8(&[byte]) {
            Ok(text) => heap.text(&shapes::STR, text)?.into(),
            Err(_) => {
                let mut fresh = heap.alloc(&shapes::RAW_STR, 1)?;
                fresh.bytes_mut()[0] = byte;
                fresh.finish().into()
            }
        };
    }
    statics.references_mut()[STATIC_EMPTY_TUPLE] = heap.alloc(&shapes::TUPLE, 0)?.finish().into();
    statics.references_mut()[STATIC_EMPTY_STR] = heap.text(&shapes::STR, "")?.into();
    for (slot, kind) in statics.references_mut()[STATIC_TYPE_NAMES..].iter_mut().zip(Kind::ALL) {
        *slot = heap.text(&shapes::STR, kind.type_name())?.into();
    }
    let roots = [
        statics.finish().into(),
        heap.alloc(&shapes::DICT, 0)?.finish().into(),
        heap.alloc(&shapes::LIST, 0)?.finish().into(),
    ];
    for (cell, root) in heap.stack_from(0).iter().zip(roots) {
        cell.set(root);
    }
    debug_assert_eq!(roots.len(), ROOT_WORDS);
    debug_assert!(roots[ROOT_KEPT].kind() == Kind::List);
    Ok(())
}
