//! A vector that grows.

use crate::arena::{Cell, Gc, Session, Trace};

/// A sequence that grows at its end.
#[derive(Trace)]
pub struct Vector<'gc, T> {
    parts: Gc<'gc, Parts<'gc, T>>,
}

#[derive(Trace)]
struct Parts<'gc, T> {
    len: Cell<usize>,
    /// The elements, and behind them copies of the first one, so that nothing else is kept alive.
    items: Cell<Option<Gc<'gc, [Cell<T>]>>>,
}

impl<T> Clone for Vector<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Vector<'_, T> {}

impl<'gc, T: Trace<'gc> + Copy> Vector<'gc, T> {
    /// An empty vector.
    pub fn new(s: &Session<'gc>) -> Self {
        Vector { parts: s.alloc(Parts { len: Cell::new(0), items: Cell::new(None) }) }
    }

    /// A vector with these elements.
    pub fn from_slice(s: &Session<'gc>, values: &[T]) -> Self {
        let items =
            (!values.is_empty()).then(|| s.slice_with(values.len(), |index| Cell::new(values[index])));
        Vector { parts: s.alloc(Parts { len: Cell::new(values.len()), items: Cell::new(items) }) }
    }

    /// How many elements it has.
    #[inline]
    pub fn len(self) -> usize {
        self.parts.len.get()
    }

    /// Has it none?
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The elements, as they are when each is read.
    #[inline]
    fn cells(self) -> &'gc [Cell<T>] {
        match self.parts.items.get() {
            Some(items) => &Gc::as_ref(items)[..self.len()],
            None => &[],
        }
    }

    /// Element `index`, if there is one.
    #[inline]
    pub fn get(self, index: usize) -> Option<T> {
        self.cells().get(index).map(Cell::get)
    }

    /// The last element, if there is one.
    pub fn last(self) -> Option<T> {
        self.cells().last().map(Cell::get)
    }

    /// The elements, one after the other. What is added meanwhile is not among them.
    pub fn iter(self) -> impl DoubleEndedIterator<Item = T> + ExactSizeIterator + 'gc {
        self.cells().iter().map(Cell::get)
    }

    /// Replaces element `index`.
    ///
    /// # Panics
    /// There is no such element, or the vector is frozen.
    #[track_caller]
    pub fn set(self, s: &Session<'gc>, index: usize, value: T) {
        assert!(index < self.len(), "element {index} of {}", self.len());
        s.set_at(self.items(), index, value);
    }

    /// Adds an element at the end, in constant time on average.
    ///
    /// # Panics
    /// The vector is frozen, or memory runs out.
    #[inline]
    #[track_caller]
    pub fn push(self, s: &Session<'gc>, value: T) {
        let len = self.len();
        match self.parts.items.get() {
            Some(items) if len < items.len() => s.set_at(items, len, value),
            _ => self.grow(s, value),
        }
        s.set(self.parts, Parts::LEN, len + 1);
    }

    /// Twice as many places, and `value` in the next one.
    #[cold]
    #[track_caller]
    fn grow(self, s: &Session<'gc>, value: T) {
        let cells = self.cells();
        let first = self.get(0).unwrap_or(value);
        let items = s.slice_with((2 * cells.len()).max(4), |index| match cells.get(index) {
            Some(cell) => cell.clone(),
            None if index == cells.len() => Cell::new(value),
            None => Cell::new(first),
        });
        s.set(self.parts, Parts::ITEMS, Some(items));
    }

    /// Takes the last element away.
    ///
    /// # Panics
    /// The vector is frozen.
    #[track_caller]
    pub fn pop(self, s: &Session<'gc>) -> Option<T> {
        let last = self.last()?;
        self.truncate(s, self.len() - 1);
        Some(last)
    }

    /// Takes away all elements but the first `len`.
    ///
    /// # Panics
    /// The vector is frozen.
    #[track_caller]
    pub fn truncate(self, s: &Session<'gc>, len: usize) {
        let before = self.len();
        if len >= before {
            return;
        }
        s.set(self.parts, Parts::LEN, len);
        match self.get(0) {
            None => s.set(self.parts, Parts::ITEMS, None),
            Some(first) => (len..before).for_each(|index| s.set_at(self.items(), index, first)),
        }
    }

    /// Freezes the vector, for good.
    pub fn freeze(self, s: &Session<'gc>) {
        self.parts.items.get().map(|items| s.freeze(items));
        s.freeze(self.parts);
    }

    /// May it be changed?
    pub fn is_mutable(self) -> bool {
        Gc::is_mutable(self.parts)
    }

    fn items(self) -> Gc<'gc, [Cell<T>]> {
        self.parts.items.get().expect("a vector with elements has places for them")
    }
}

impl<'gc, T: Trace<'gc> + Copy + std::fmt::Debug> std::fmt::Debug for Vector<'gc, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
