//! Numbers for things that may end: each says where its thing is, which of all that were there it is, of what kind, and
//! which heap's.
//!
//! ```text
//! bits   0..24  place      24..52  generation      52..54  kind      54..64  heap
//! ```
//!
//! A number is refused when its thing has ended, unless the place has been given out exactly a multiple of 2^28 times
//! since.

use crate::error::{Outcome, frazil_status::*, refuse};

const PLACE_BITS: u32 = 24;
const GENERATION_BITS: u32 = 28;
const KIND_SHIFT: u32 = PLACE_BITS + GENERATION_BITS;
const HEAP_SHIFT: u32 = KIND_SHIFT + 2;

/// Heaps are told apart by their numbers modulo this. The remainder is stored plus one, so that no number is 0.
const HEAPS: u64 = (1 << (64 - HEAP_SHIFT)) - 1;

/// What a number stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Handle,
    Weak,
    Scope,
}

impl Kind {
    fn name(bits: u64) -> &'static str {
        ["a handle", "a weak reference", "a scope", "nothing"][bits as usize & 3]
    }
}

#[derive(Debug)]
struct Entry<T> {
    generation: u64,
    content: Option<T>,
}

/// Things of one kind and heap, by their numbers.
#[derive(Debug)]
pub(crate) struct Table<T> {
    /// The bits that all numbers of this table have in common.
    stamp: u64,
    entries: Vec<Entry<T>>,
    free: Vec<usize>,
    /// How many places there may be.
    places_max: usize,
}

impl<T> Table<T> {
    pub fn new(kind: Kind, heap: u64) -> Table<T> {
        let stamp = (heap % HEAPS + 1) << HEAP_SHIFT | (kind as u64) << KIND_SHIFT;
        Table { stamp, entries: Vec::new(), free: Vec::new(), places_max: 1 << PLACE_BITS }
    }

    /// For tests of what happens when it is full.
    #[cfg(test)]
    pub fn bound(&mut self, places: usize) {
        self.places_max = places;
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len() - self.free.len()
    }

    /// Makes sure that the next thing gets a number.
    ///
    /// # Errors
    /// There are 2^24 already, or there is no memory for more.
    pub fn reserve(&mut self) -> Outcome {
        let places = self.entries.len();
        // Room in both, so that taking out needs none.
        let room = !self.free.is_empty()
            || (places < self.places_max
                && self.entries.try_reserve(1).is_ok()
                && self.free.try_reserve(self.entries.capacity()).is_ok());
        if !room {
            return refuse(FRAZIL_FULL, format!("there is no room for more than {places}"));
        }
        Ok(())
    }

    /// Gives a thing a number.
    ///
    /// # Errors
    /// As [`Table::reserve`].
    pub fn insert(&mut self, content: T) -> Outcome<u64> {
        self.reserve()?;
        let place = self.free.pop().unwrap_or(self.entries.len());
        if place == self.entries.len() {
            self.entries.push(Entry { generation: 0, content: None });
        }
        let entry = &mut self.entries[place];
        entry.content = Some(content);
        Ok(self.stamp | entry.generation << PLACE_BITS | place as u64)
    }

    fn place(&self, number: u64) -> Outcome<usize> {
        let differs = (number ^ self.stamp) >> KIND_SHIFT;
        if differs >> (HEAP_SHIFT - KIND_SHIFT) != 0 && number != 0 {
            return refuse(FRAZIL_WRONG_HEAP, format!("{number:#x} was made by another heap"));
        }
        if differs != 0 {
            let (is, wanted) = (Kind::name(number >> KIND_SHIFT), Kind::name(self.stamp >> KIND_SHIFT));
            let is = if number == 0 { "nothing" } else { is };
            return refuse(FRAZIL_STALE_HANDLE, format!("{number:#x} is {is}, not {wanted}"));
        }
        let place = number as usize & ((1 << PLACE_BITS) - 1);
        let generation = number >> PLACE_BITS & ((1 << GENERATION_BITS) - 1);
        match self.entries.get(place) {
            Some(entry) if entry.generation == generation && entry.content.is_some() => Ok(place),
            _ => refuse(FRAZIL_STALE_HANDLE, format!("{number:#x} has ended")),
        }
    }

    /// The thing with this number.
    ///
    /// # Errors
    /// It has ended, or belongs to another heap, or is of another kind.
    pub fn get(&self, number: u64) -> Outcome<&T> {
        let place = self.place(number)?;
        match &self.entries[place].content {
            Some(content) => Ok(content),
            None => refuse(FRAZIL_STALE_HANDLE, format!("{number:#x} has ended")),
        }
    }

    /// Ends a number and gives its thing back.
    ///
    /// # Errors
    /// As [`Table::get`].
    pub fn remove(&mut self, number: u64) -> Outcome<T> {
        let place = self.place(number)?;
        let entry = &mut self.entries[place];
        let Some(content) = entry.content.take() else {
            return refuse(FRAZIL_STALE_HANDLE, format!("{number:#x} has ended"));
        };
        entry.generation = (entry.generation + 1) & ((1 << GENERATION_BITS) - 1);
        self.free.push(place);
        Ok(content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status<T>(outcome: Outcome<T>) -> crate::frazil_status {
        outcome.err().expect("refused").status
    }

    #[test]
    fn a_number_ends_with_its_thing() {
        let mut table = Table::new(Kind::Handle, 1);
        let first = table.insert('a').unwrap();
        assert_eq!((table.get(first).copied().unwrap(), table.len()), ('a', 1));
        assert_eq!(table.remove(first).unwrap(), 'a');
        let second = table.insert('b').unwrap();
        assert_ne!(first, second);
        assert_eq!(status(table.get(first)), FRAZIL_STALE_HANDLE);
        assert_eq!(status(table.remove(first)), FRAZIL_STALE_HANDLE);
        assert_eq!((table.get(second).copied().unwrap(), table.len()), ('b', 1));
    }

    #[test]
    fn generations_go_round() {
        let mut table = Table::new(Kind::Handle, 1);
        let first = table.insert(()).unwrap();
        table.entries[0].generation = (1 << GENERATION_BITS) - 1;
        let last = table.insert(()).unwrap();
        assert_eq!(status(table.get(first)), FRAZIL_STALE_HANDLE);
        table.remove(last).unwrap();
        assert_eq!(table.entries[1].generation, 1);
        let full = table.stamp | ((1 << GENERATION_BITS) - 1) << PLACE_BITS;
        table.remove(full).unwrap();
        assert_eq!(table.entries[0].generation, 0);
    }

    #[test]
    fn other_heaps_and_other_kinds_are_refused() {
        let mut table = Table::new(Kind::Handle, 1);
        let number = table.insert(()).unwrap();
        let other = Table::<()>::new(Kind::Handle, 2);
        assert_eq!(status(other.get(number)), FRAZIL_WRONG_HEAP);
        let weak = Table::<()>::new(Kind::Weak, 1);
        assert_eq!(status(weak.get(number)), FRAZIL_STALE_HANDLE);
        assert_eq!(status(table.get(0)), FRAZIL_STALE_HANDLE);
        assert_eq!(status(table.get(number + 1)), FRAZIL_STALE_HANDLE);
        // The remainder is never stored as 0, so no number is.
        for heap in [HEAPS - 1, HEAPS, HEAPS + 1] {
            assert_ne!(Table::new(Kind::Handle, heap).insert(()).unwrap(), 0);
        }
    }
}
