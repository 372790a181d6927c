//! The roots that the heap keeps for its host: a stack of words, and handles.
//!
//! The stack is for what comes and goes with calls (a virtual machine's registers), a handle for what the host
//! holds by name.

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;

use crate::object::Slot;
use crate::os::{Mapping, Refused};
use crate::shape::WORD_BYTES;

/// A stack of words at a fixed place, so that slices of it stay valid while it grows.
#[derive(Debug)]
pub(crate) struct RootStack {
    memory: Mapping,
    capacity: usize,
    len: Cell<usize>,
}

impl RootStack {
    /// A stack of at most `capacity` words. Memory is taken when it is used.
    pub fn new(capacity: usize) -> Result<RootStack, Refused> {
        let memory = Mapping::new(capacity.max(1) * WORD_BYTES, WORD_BYTES)?;
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
        // SAFETY: the mapping has room for `capacity` words, all zero at first; `len` never exceeds it.
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
