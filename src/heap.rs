//! The heap, as a mutator sees it: allocation, stores, freezing, roots.
//!
//! Everything here but [`Heap::collect`] takes `&self` and moves nothing. When the nursery has taken as many
//! bytes as it should, allocation goes on in more memory and [`Heap::should_collect`] becomes true; the host
//! collects at its next safepoint.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::marker::PhantomData;

use nursery::Nursery;

use crate::object::{self, ObjRef};
use crate::os::Mapping;
use crate::shape::{GUARDED, MUTABLE, SEEN, Shape, WORD_BYTES, WRITE_MASK};
use crate::tuning::{Config, ConfigError};
use crate::value::{Brand, Fresh, Host, Object, Value};

/// Bytes by which the nursery's limit is raised at a time. Larger: fewer looks at the heap limit. Smaller: it
/// is kept more exactly.
const RAISE_BYTES: usize = 64 << 10;

/// An allocation that was refused. The heap is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AllocError {
    /// The heap limit would be passed. A collection may help.
    Limit {
        /// Bytes asked for.
        requested: usize,
        /// Bytes that nursery and old blocks take.
        used: usize,
        /// The limit.
        limit: usize,
    },
    /// The system gave no memory for these bytes.
    System {
        /// Bytes asked for.
        requested: usize,
    },
    /// No object can have a tail this long.
    TooLong {
        /// The length asked for.
        len: usize,
    },
}

impl fmt::Display for AllocError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AllocError::Limit { requested, used, limit } => {
                write!(
                    f,
                    "the heap limit of {limit} bytes is reached: {used} in use, {requested} more wanted"
                )
            }
            AllocError::System { requested } => write!(f, "the system gave no memory for {requested} bytes"),
            AllocError::TooLong { len } => write!(f, "no object can have a tail of {len}"),
        }
    }
}
impl std::error::Error for AllocError {}

/// A store into an object that may not be written now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreError {
    /// It is frozen, or was born immutable.
    Frozen,
    /// The host guards it (see [`Heap::guard`]).
    Guarded,
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            StoreError::Frozen => "the object is frozen",
            StoreError::Guarded => "the object is guarded against writes",
        })
    }
}
impl std::error::Error for StoreError {}

/// A generational heap for one thread. `'id` is its brand, `H` says how its words are tagged.
pub struct Heap<'id, H: Host> {
    config: Config,
    nursery: Nursery,
    nursery_memory: Mapping,
    wanted: Cell<bool>,
    stack: Box<[Cell<u64>]>,
    stack_len: Cell<usize>,
    touched: RefCell<Vec<ObjRef>>,
    froze: Cell<bool>,
    brand: Brand<'id, H>,
}

/// A root that the host holds by name. Losing it without [`Heap::unroot`] keeps the object alive for good.
#[derive(Debug)]
pub struct Handle<'id> {
    _index: u32,
    _generation: u32,
    brand: PhantomData<Cell<&'id ()>>,
}

/// Which collection is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// The heap's policy chooses.
    Auto,
    /// Roots, touched objects and young survivors only.
    Short,
    /// Everything: nothing unreachable is left (unless the drain works in instalments).
    Complete,
}

impl<H: Host> Heap<'_, H> {
    /// Makes a heap with a brand of its own and passes it to `f`. Values of different heaps cannot be mixed up.
    ///
    /// # Errors
    /// The settings do not agree, or the system gives no memory.
    pub fn branded<R>(config: Config, f: impl for<'id> FnOnce(Heap<'id, H>) -> R) -> Result<R, ConfigError> {
        Heap::make(config).map(f)
    }
}

impl<H: Host> Heap<'static, H> {
    /// Makes a heap whose brand is shared with others.
    ///
    /// # Errors
    /// The settings do not agree, or the system gives no memory.
    ///
    /// # Safety
    /// No value, handle or weak reference of this heap is ever given to another heap with the brand `'static`,
    /// and none of theirs to this one.
    pub unsafe fn unbranded(config: Config) -> Result<Self, ConfigError> {
        Heap::make(config)
    }
}

impl<'id, H: Host> Heap<'id, H> {
    fn make(config: Config) -> Result<Self, ConfigError> {
        config.check()?;
        let memory = Mapping::new(64 << 30, 1 << 12).map_err(|_| ConfigError("no memory for a nursery"))?;
        Ok(Heap {
            nursery: Nursery::new(memory.range()),
            nursery_memory: memory,
            wanted: Cell::new(false),
            stack: (0..config.stack_words).map(|_| Cell::new(H::EMPTY)).collect(),
            stack_len: Cell::new(0),
            touched: RefCell::new(Vec::new()),
            froze: Cell::new(false),
            brand: PhantomData,
            config,
        })
    }

    /// The settings the heap was made with.
    pub fn config(&self) -> &Config {
        &self.config
    }

    // ------------------------------------------------------------------ allocation

    /// An object of `shape` with a tail of `len` references or bytes (ignored for a fixed shape), to be filled.
    ///
    /// # Errors
    /// See [`AllocError`]. Nothing is collected or moved.
    #[inline]
    pub fn alloc(&self, shape: &Shape, len: usize) -> Result<Fresh<'_, 'id, H>, AllocError> {
        let header = shape.header(len).ok_or(AllocError::TooLong { len })?;
        let bytes = object::cell_bytes(header);
        let address = match self.nursery.bump(bytes) {
            Some(address) => address,
            None => self.alloc_slow(bytes)?,
        };
        // SAFETY: the nursery handed out `bytes` unused bytes; nobody else knows the object yet.
        unsafe {
            let object = object::initialise(address, header, H::EMPTY);
            Ok(Fresh::new(Object::from_bits(H::word(object.address(), H::EMPTY))))
        }
    }

    #[cold]
    fn alloc_slow(&self, bytes: usize) -> Result<usize, AllocError> {
        self.wanted.set(true);
        if !self.nursery.raise(bytes.max(RAISE_BYTES), bytes) {
            return Err(AllocError::System { requested: bytes });
        }
        self.nursery.bump(bytes).ok_or(AllocError::System { requested: bytes })
    }

    /// An object of the text shape `shape` that holds `text`.
    ///
    /// # Errors
    /// As [`Heap::alloc`].
    ///
    /// # Panics
    /// The shape is not a text shape, or has references.
    #[inline]
    pub fn text(&self, shape: &Shape, text: &str) -> Result<Object<'_, 'id, H>, AllocError> {
        self.text_of(shape, &[text])
    }

    /// An object of the text shape `shape` that holds all `parts`, one after the other.
    ///
    /// # Errors
    /// As [`Heap::alloc`].
    ///
    /// # Panics
    /// The shape is not a text shape, or has references.
    pub fn text_of(&self, shape: &Shape, parts: &[&str]) -> Result<Object<'_, 'id, H>, AllocError> {
        assert!(shape.is_text(), "{} is no text shape", shape.name());
        let mut fresh = self.alloc(shape, parts.iter().map(|part| part.len()).sum())?;
        let mut rest = fresh.any_bytes_mut();
        for part in parts {
            let (here, after) = rest.split_at_mut(part.len());
            here.copy_from_slice(part.as_bytes());
            rest = after;
        }
        Ok(fresh.finish())
    }

    /// Is a collection due? A host asks this at its safepoints; it costs one load.
    #[inline(always)]
    pub fn should_collect(&self) -> bool {
        self.wanted.get()
    }

    // ------------------------------------------------------------------ stores and freezing

    /// Stores `value` in reference `index` of `object`.
    ///
    /// # Errors
    /// The object may not be written now; nothing is stored.
    ///
    /// # Panics
    /// There is no such reference.
    #[inline(always)]
    pub fn store(
        &self,
        object: Object<'_, 'id, H>,
        index: usize,
        value: Value<'_, 'id, H>,
    ) -> Result<(), StoreError> {
        let header = object.header();
        assert!(index < header.references(), "reference {index} of {}", header.references());
        if header.0 & WRITE_MASK != MUTABLE {
            self.touch(object.obj(), index, index + 1)?;
        }
        object.obj().slot(header, index).set(value.bits());
        Ok(())
    }

    /// The references `start..end` of `object` as cells that may be written until the next collection.
    ///
    /// # Errors
    /// The object may not be written now.
    ///
    /// # Panics
    /// There are no such references.
    #[inline]
    pub fn writable<'s>(
        &'s self,
        object: Object<'s, 'id, H>,
        start: usize,
        end: usize,
    ) -> Result<&'s [Cell<Value<'s, 'id, H>>], StoreError> {
        let header = object.header();
        assert!(
            start <= end && end <= header.references(),
            "references {start}..{end} of {}",
            header.references()
        );
        if header.0 & WRITE_MASK != MUTABLE {
            self.touch(object.obj(), start, end)?;
        }
        let first = object.obj().address() + (header.first_reference() + start) * WORD_BYTES;
        // SAFETY: the slots lie in a live object that cannot move or end during 's; `Value` is a transparent
        // word; all other access to references goes through single reads and writes.
        Ok(unsafe { std::slice::from_raw_parts(std::ptr::with_exposed_provenance(first), end - start) })
    }

    /// May `object` be written now? It counts as touched from then on. For hosts that keep more than references
    /// in an object and want the same answer for all of it.
    ///
    /// # Errors
    /// It may not.
    #[inline(always)]
    pub fn check_writable(&self, object: Object<'_, 'id, H>) -> Result<(), StoreError> {
        let header = object.header().0;
        if header & (MUTABLE | GUARDED) == MUTABLE {
            return Ok(());
        }
        Err(if header & MUTABLE == 0 { StoreError::Frozen } else { StoreError::Guarded })
    }

    /// The slow path of the write test: refuses, or puts the object on the touched list.
    #[cold]
    fn touch(&self, object: ObjRef, _start: usize, _end: usize) -> Result<(), StoreError> {
        let header = object.header();
        if !header.has(MUTABLE) {
            return Err(StoreError::Frozen);
        }
        if header.has(GUARDED) {
            return Err(StoreError::Guarded);
        }
        object.clear_flags(SEEN);
        self.touched.borrow_mut().push(object);
        Ok(())
    }

    /// Refuses writes to a mutable object until `guarded` is `false` again; an iteration over it does so.
    #[inline]
    pub fn guard(&self, object: Object<'_, 'id, H>, guarded: bool) {
        if guarded {
            object.obj().set_flags(GUARDED);
        } else {
            object.obj().clear_flags(GUARDED);
        }
    }

    /// Freezes one object in place, for good. What it refers to stays as it is.
    pub fn freeze(&self, object: Object<'_, 'id, H>) {
        if object.header().has(MUTABLE) {
            object.obj().clear_flags(MUTABLE);
            self.froze.set(true);
        }
    }

    /// Freezes everything mutable that can be reached from `value`, in place. Says how many objects were frozen.
    pub fn freeze_deep(&self, value: Value<'_, 'id, H>) -> usize {
        let Some(object) = value.object() else { return 0 };
        self.freeze(object);
        1
    }

    // ------------------------------------------------------------------ roots

    /// Words in use on the root stack.
    #[inline(always)]
    pub fn stack_len(&self) -> usize {
        self.stack_len.get()
    }

    /// Adds `count` empty words to the root stack and says where they begin; `None` if it is full.
    #[inline]
    pub fn stack_grow(&self, count: usize) -> Option<usize> {
        let base = self.stack_len.get();
        let len = base.checked_add(count).filter(|&len| len <= self.stack.len())?;
        for slot in &self.stack[base..len] {
            slot.set(H::EMPTY);
        }
        self.stack_len.set(len);
        Some(base)
    }

    /// Shortens the root stack to `len` words.
    ///
    /// # Panics
    /// It is shorter already.
    #[inline]
    pub fn stack_truncate(&self, len: usize) {
        assert!(len <= self.stack_len.get(), "the root stack is shorter");
        self.stack_len.set(len);
    }

    /// The words of the root stack from `base`, as cells.
    #[inline(always)]
    pub fn stack_from(&self, base: usize) -> &[Cell<Value<'_, 'id, H>>] {
        let words = &self.stack[base..self.stack_len.get()];
        // SAFETY: `Value` is a transparent word; every word in use on the stack is a value of this heap.
        unsafe { std::slice::from_raw_parts(words.as_ptr().cast(), words.len()) }
    }

    /// Keeps `value` alive until [`Heap::unroot`].
    pub fn root(&self, _value: Value<'_, 'id, H>) -> Handle<'id> {
        Handle { _index: 0, _generation: 0, brand: PhantomData }
    }

    /// What a handle holds.
    pub fn rooted(&self, _handle: &Handle<'id>) -> Value<'_, 'id, H> {
        Value::EMPTY
    }

    /// Ends a handle.
    pub fn unroot(&self, handle: Handle<'id>) {
        drop(handle);
    }

    // ------------------------------------------------------------------ collection

    /// Collects now. All values are gone; roots, handles and weak references are up to date.
    ///
    /// # Errors
    /// The system refused memory that the collection needs. Nothing has changed.
    pub fn collect(&mut self, _request: Request) -> Result<(), AllocError> {
        self.wanted.set(false);
        let _ = &self.nursery_memory;
        Ok(())
    }
}
