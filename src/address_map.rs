//! A number for each address: four bytes to a word of memory, in tables for the pages in use.
//!
//! A look-up is a shift and two loads as long as the addresses lie near each other. Used where every object gets a
//! number (where it was born, which one of a snapshot it is), never by a collection.

use std::cell::Cell;
use std::collections::HashMap;

use crate::shape::WORD_BYTES;

/// Bytes that one table is for; chunks are aligned to it. Larger: fewer tables to be found. Smaller: a picture of a
/// small heap, which a fuzzer takes a million times, clears less memory.
pub(crate) const PAGE_BYTES: usize = 16 << 10;
const WORDS: usize = PAGE_BYTES / WORD_BYTES;

/// See the module's head. Zero stands for no number.
#[derive(Default)]
pub(crate) struct AddressMap {
    /// From an address without its lowest bits to the place of its table.
    places: HashMap<usize, usize>,
    tables: Vec<Box<[u32]>>,
    /// The page that was looked at last, plus one, and the place of its table.
    last: Cell<(usize, usize)>,
}

impl AddressMap {
    /// The number of an address, or 0.
    #[inline]
    pub fn get(&self, address: usize) -> u32 {
        match self.place(address / PAGE_BYTES) {
            Some(place) => self.tables[place][word(address)],
            None => 0,
        }
    }

    /// Gives an address a number.
    #[inline]
    pub fn set(&mut self, address: usize, number: u32) {
        let page = address / PAGE_BYTES;
        let place = self.place(page).unwrap_or_else(|| {
            let place = self.tables.len();
            self.tables.push(vec![0; WORDS].into());
            self.places.insert(page, place);
            place
        });
        self.tables[place][word(address)] = number;
    }

    #[inline]
    fn place(&self, page: usize) -> Option<usize> {
        let (last, place) = self.last.get();
        if last == page + 1 {
            return Some(place);
        }
        let place = *self.places.get(&page)?;
        self.last.set((page + 1, place));
        Some(place)
    }

    /// How many tables there are.
    pub fn tables(&self) -> usize {
        self.tables.len()
    }

    /// Forgets the numbers of all addresses in pages for which `keep`, given a page's first address, is false.
    pub fn retain(&mut self, keep: impl Fn(usize) -> bool) {
        let mut kept = AddressMap::default();
        for (page, place) in self.places.drain() {
            if keep(page * PAGE_BYTES) {
                kept.places.insert(page, kept.tables.len());
                kept.tables.push(std::mem::take(&mut self.tables[place]));
            }
        }
        *self = kept;
    }
}

#[inline]
fn word(address: usize) -> usize {
    address % PAGE_BYTES / WORD_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_has_a_number_of_its_own() {
        let mut map = AddressMap::default();
        let addresses = [16, 24, PAGE_BYTES - 8, PAGE_BYTES, 7 * PAGE_BYTES + 4096];
        for (address, number) in addresses.into_iter().zip(1..) {
            map.set(address, number);
        }
        assert_eq!(addresses.map(|address| map.get(address)), [1, 2, 3, 4, 5]);
        assert_eq!((map.get(48), map.get(3 * PAGE_BYTES), map.tables()), (0, 0, 3));
        map.retain(|base| base != PAGE_BYTES);
        assert_eq!(addresses.map(|address| map.get(address)), [1, 2, 3, 0, 5]);
        assert_eq!(map.tables(), 2);
    }
}
