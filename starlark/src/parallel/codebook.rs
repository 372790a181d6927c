//! Which codes have which numbers, in a machine or in several that share functions.
//!
//! A function names its code by number, so the machines of a team must agree on the numbers. Each has a table of its own, which
//! its instructions read without asking anybody; a machine that imports something [catches up](Codebook::catch_up) with the
//! codebook before. A function is imported only after it was made, and made only after its code was written here: so a
//! machine knows the code of every function that it comes across.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::code::Code;

/// Changes that are remembered one by one. Who is further behind reads everything.
const CHANGES_MAX: usize = 4096;

/// See [the module](self).
#[derive(Debug, Default)]
pub(crate) struct Codebook {
    /// How many changes there were.
    version: AtomicUsize,
    /// Is there more than one machine that reads it?
    shared: bool,
    book: Mutex<Book>,
}

#[derive(Debug, Default)]
struct Book {
    /// Numbers that are free: how many, by the first.
    free: BTreeMap<usize, usize>,
    /// Behind the largest number that was ever taken.
    end: usize,
    /// All codes; none if nobody reads them.
    codes: Vec<Arc<Code>>,
    /// What was changed last.
    changes: Vec<Range<usize>>,
    /// How many changes there were before those.
    forgotten: usize,
}

impl Codebook {
    /// One that several machines have in common.
    pub fn shared() -> Codebook {
        Codebook { shared: true, ..Codebook::default() }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes numbers for the codes of a program, and makes them known.
    pub fn take(&self, codes: &[Arc<Code>]) -> Range<usize> {
        let mut book = self.book();
        let first = book.reserve(codes.len());
        let range = first..first + codes.len();
        if self.shared {
            // They are all free again, or all new.
            if range.end <= book.codes.len() {
                book.codes[range.clone()].clone_from_slice(codes);
            } else {
                book.codes.extend_from_slice(codes);
            }
            self.note(&mut book, range.clone());
        }
        range
    }

    /// Puts `code` in the place of some codes.
    pub fn change(&self, range: Range<usize>, code: &Arc<Code>) {
        if self.shared {
            let mut book = self.book();
            book.codes[range.clone()].fill(Arc::clone(code));
            self.note(&mut book, range);
        }
    }

    /// Nobody has a function with these codes any more; `spent` stands in their place.
    pub fn give_back(&self, range: Range<usize>, spent: &Arc<Code>) {
        self.change(range.clone(), spent);
        put_back(&mut self.book().free, range.start, range.len());
    }

    fn note(&self, book: &mut Book, range: Range<usize>) {
        if book.changes.len() == CHANGES_MAX {
            book.forgotten += book.changes.len();
            book.changes.clear();
        }
        book.changes.push(range);
        self.version.store(book.forgotten + book.changes.len(), Ordering::Release);
    }

    /// Brings the table of a machine up to date which has seen the changes before `seen`.
    pub fn catch_up(&self, seen: &mut usize, codes: &mut Vec<Arc<Code>>) {
        // Whatever led to something that was imported was written before it was given away.
        if self.version.load(Ordering::Acquire) == *seen {
            return;
        }
        let book = self.book();
        let first = codes.len();
        codes.extend(book.codes.iter().skip(first).cloned());
        match seen.checked_sub(book.forgotten) {
            Some(known) => {
                for range in &book.changes[known..] {
                    codes[range.clone()].clone_from_slice(&book.codes[range.clone()]);
                }
            }
            None => codes.clone_from_slice(&book.codes),
        }
        *seen = book.forgotten + book.changes.len();
    }
}

impl Book {
    /// Takes so many consecutive numbers: free ones, or new ones.
    fn reserve(&mut self, count: usize) -> usize {
        let free = self.free.iter().find(|&(_, &free)| free >= count).map(|(&first, &free)| (first, free));
        let Some((first, free)) = free else {
            self.end += count;
            return self.end - count;
        };
        self.free.remove(&first);
        if free > count {
            self.free.insert(first + count, free - count);
        }
        first
    }
}

/// Adds numbers to those that are free, joined with their neighbours.
fn put_back(free: &mut BTreeMap<usize, usize>, mut first: usize, mut count: usize) {
    count += free.remove(&(first + count)).unwrap_or(0);
    if let Some((&before, &size)) = free.range(..first).next_back()
        && before + size == first
    {
        first = before;
        count += size;
    }
    free.insert(first, count);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_join() {
        let mut free = BTreeMap::new();
        for (first, count) in [(0, 2), (6, 1), (4, 2), (8, 2), (2, 2), (7, 1)] {
            put_back(&mut free, first, count);
        }
        assert_eq!(free, BTreeMap::from([(0, 10)]));
    }

    /// As many codes as there are names.
    fn codes(names: &[&str]) -> Vec<Arc<Code>> {
        names.iter().map(|&name| Arc::new(Code { name: name.into(), ..Code::spent() })).collect()
    }

    fn names(codes: &[Arc<Code>]) -> Vec<&str> {
        codes.iter().map(|code| &*code.name).collect()
    }

    #[test]
    fn who_catches_up_knows_what_the_book_knows() {
        let (book, spent) = (Codebook::shared(), Arc::new(Code::spent()));
        let (mut often, mut seen_often) = (Vec::new(), 0);
        let (mut seldom, mut seen_seldom) = (Vec::new(), 0);
        for round in 0..3 * CHANGES_MAX {
            let kept = book.take(&codes(&["a", "b", "c"]));
            let gone = book.take(&codes(&["x", "y"]));
            book.catch_up(&mut seen_often, &mut often);
            assert_eq!(names(&often[gone.clone()]), ["x", "y"]);
            assert_eq!(names(&often[kept.clone()]), ["a", "b", "c"]);
            book.give_back(gone, &spent);
            if round % 2 == 0 {
                book.give_back(kept, &spent);
            }
            if round % 1999 == 0 {
                book.catch_up(&mut seen_often, &mut often);
                book.catch_up(&mut seen_seldom, &mut seldom);
                assert_eq!(names(&often), names(&seldom));
            }
        }
    }
}
