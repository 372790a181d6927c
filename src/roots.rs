//! The roots that the heap keeps for its host: a stack of words, and handles.
//!
//! The stack is for what comes and goes with calls (a virtual machine's registers), a handle for what the host
//! holds by name.

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;

use memoffset::offset_of;

use crate::heap::Heap;
use crate::host::Host;
use crate::object::Slot;
use crate::os::{Mapping, Refused, System};
use crate::shape::WORD_BYTES;
use crate::value::Value;

/// A stack of words at a fixed place, so that slices of it stay valid while it grows.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct RootStack {
    len: Cell<usize>,
    capacity: usize,
    memory: Mapping,
}

impl RootStack {
    /// Where the number of words in use stands in a `RootStack`, for code that works on it inline.
    pub const LEN_OFFSET: usize = offset_of!(Self, len);
    /// Where the largest such number stands.
    pub const CAPACITY_OFFSET: usize = offset_of!(Self, capacity);
    /// Where the address of the first word stands.
    pub const BASE_OFFSET: usize = offset_of!(Self, memory) + Mapping::BASE_OFFSET;

    /// A stack of at most `capacity` words. Memory is taken when it is used.
    pub fn new(capacity: usize, system: &System) -> Result<RootStack, Refused> {
        let mut memory = system.map(capacity.max(1) * WORD_BYTES, WORD_BYTES)?;
        let bytes = memory.range().len();
        system.inherits(&mut memory, bytes);
        Ok(RootStack { memory, capacity, len: Cell::new(0) })
    }

    #[inline(always)]
    pub fn len(&self) -> usize {
        self.len.get()
    }

    #[inline(always)]
    pub fn first(&self) -> *const Cell<u64> {
        std::ptr::with_exposed_provenance(self.memory.range().start)
    }

    /// The words in use.
    #[inline(always)]
    pub fn words(&self) -> &[Cell<u64>] {
        // SAFETY: the mapping has room for `capacity` words; `len` never exceeds it, and `grow` writes the words it adds.
        unsafe { std::slice::from_raw_parts(self.first(), self.len.get()) }
    }

    /// Adds `count` words, each `empty`, and says where they begin; `None` if there is no room.
    #[inline]
    pub fn grow(&self, count: usize, empty: u64) -> Option<usize> {
        let base = self.len.get();
        let len = base.checked_add(count).filter(|&len| len <= self.capacity)?;
        self.len.set(len);
        for word in &self.words()[base..] {
            word.set(empty);
        }
        Some(base)
    }

    #[inline]
    pub fn truncate(&self, len: usize) {
        assert!(len <= self.len.get(), "the root stack has only {} words", self.len.get());
        self.len.set(len);
    }

    pub fn slots(&self) -> impl Iterator<Item = Slot> + use<> {
        slots_of(self.words())
    }
}

/// The slots of words that live at least until the end of the collection under way.
fn slots_of(words: &[Cell<u64>]) -> impl Iterator<Item = Slot> + use<> {
    let (first, len) = (words.as_ptr().expose_provenance(), words.len());
    // SAFETY: places of words that hold values of this heap; the collection does not add or remove any.
    (0..len).map(move |index| unsafe { Slot::new(first + index * WORD_BYTES) })
}

/// A root that the host holds by name. Losing it without [`crate::Heap::unroot`] keeps the object alive for good.
#[derive(Debug)]
pub struct Handle<'id> {
    pub(crate) index: usize,
    pub(crate) brand: PhantomData<Cell<&'id ()>>,
}

/// The words that handles stand for.
#[derive(Debug, Default)]
pub(crate) struct Handles {
    words: RefCell<Vec<Cell<u64>>>,
    free: RefCell<Vec<usize>>,
}

impl Handles {
    pub fn insert(&self, word: u64) -> usize {
        let mut words = self.words.borrow_mut();
        match self.free.borrow_mut().pop() {
            Some(index) => {
                words[index].set(word);
                index
            }
            None => {
                words.push(Cell::new(word));
                words.len() - 1
            }
        }
    }

    #[inline]
    pub fn get(&self, index: usize) -> u64 {
        self.words.borrow()[index].get()
    }

    pub fn set(&self, index: usize, word: u64) {
        self.words.borrow()[index].set(word);
    }

    pub fn remove(&self, index: usize, empty: u64) {
        self.set(index, empty);
        self.free.borrow_mut().push(index);
    }

    /// How many are in use.
    pub fn len(&self) -> usize {
        self.words.borrow().len() - self.free.borrow().len()
    }

    pub fn slots(&self) -> impl Iterator<Item = Slot> + use<> {
        slots_of(&self.words.borrow())
    }
}

impl<'id, H: Host> Heap<'id, H> {
    /// Words in use on the root stack.
    #[inline(always)]
    pub fn stack_len(&self) -> usize {
        self.stack.len()
    }

    /// Adds `count` empty words to the root stack and says where they begin; `None` if it is full.
    #[inline]
    pub fn stack_grow(&self, count: usize) -> Option<usize> {
        self.stack.grow(count, H::EMPTY)
    }

    /// Shortens the root stack to `len` words.
    ///
    /// # Panics
    /// It is shorter already.
    #[inline]
    pub fn stack_truncate(&self, len: usize) {
        self.stack.truncate(len);
    }

    /// The words of the root stack from `base`, as cells: all that are in use now. Those that [`Heap::stack_grow`] adds later
    /// are not among them.
    ///
    /// # Panics
    /// The stack is shorter.
    #[inline(always)]
    pub fn stack_from(&self, base: usize) -> &[Cell<Value<'_, 'id, H>>] {
        let words = &self.stack.words()[base..];
        // SAFETY: `Value` is a transparent word; every word in use on the stack is a value of this heap.
        unsafe { std::slice::from_raw_parts(words.as_ptr().cast(), words.len()) }
    }

    /// Keeps `value` alive until [`Heap::unroot`].
    pub fn root(&self, value: Value<'_, 'id, H>) -> Handle<'id> {
        Handle { index: self.handles.insert(value.bits()), brand: PhantomData }
    }

    /// What a handle holds.
    #[inline]
    pub fn rooted(&self, handle: &Handle<'id>) -> Value<'_, 'id, H> {
        // SAFETY: a handle's word is a root of this heap (its brand) and was brought up to date by every collection.
        unsafe { Value::from_bits(self.handles.get(handle.index)) }
    }

    /// Lets a handle hold something else.
    pub fn reroot(&self, handle: &Handle<'id>, value: Value<'_, 'id, H>) {
        self.handles.set(handle.index, value.bits());
    }

    /// Ends a handle.
    pub fn unroot(&self, handle: Handle<'id>) {
        self.handles.remove(handle.index, H::EMPTY);
    }

    /// Handles in use.
    pub fn handles(&self) -> usize {
        self.handles.len()
    }
}
