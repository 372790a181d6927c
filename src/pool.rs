//! Memory that heaps of one thread take over from one another.
//!
//! A heap asks the system for address space, touches its first pages, and gives all of it back when it ends. For a
//! heap that lives long that is nothing; one that lives for a tenth of a millisecond spends a third of that on it.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use crate::os::Mapping;

/// Mappings that are kept at most. Larger: heaps that are not alike, and large ones, find all they need. Smaller: less
/// memory is kept for nobody.
const MAPPINGS_MAX: usize = 24;
/// Bytes of a mapping that keep their memory. Larger: fewer page faults after a heap that needed much. Smaller: less
/// memory is kept for nobody.
pub(crate) const KEEP_BYTES: usize = 2 << 20;

/// For programs that make many heaps one after the other: the memory of those that have ended, for those to come. See
/// [`crate::Heap::branded_in`].
///
/// A pool is cheap to clone; clones share what is in it. It keeps at most 48 MiB, which go back to the system when the
/// last clone and the last heap of it are dropped. No heap can read what another one has left there.
///
/// ```
/// use frazil::{Config, Heap, LowTag, Pool, Shape};
/// const LEAF: Shape = Shape::new(1, "leaf").raw_words(1);
/// let pool = Pool::new();
/// for request in 0..100 {
///     let answer = Heap::<LowTag>::branded_in(&pool, Config::DEFAULT, |heap| {
///         let mut leaf = heap.alloc(&LEAF, 0).unwrap();
///         leaf.raw_mut()[0] = request;
///         leaf.finish().raw(0)
///     });
///     assert_eq!(answer, Ok(request));
/// }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Pool(Rc<RefCell<VecDeque<Mapping>>>);

impl Pool {
    /// An empty pool.
    pub fn new() -> Pool {
        Pool::default()
    }

    /// A mapping for a request of so many bytes (whole pages), the last one that came, as its memory is likely to be
    /// in the cache.
    pub(crate) fn take(&self, bytes: usize, align: usize) -> Option<Mapping> {
        let mut mappings = self.0.borrow_mut();
        let last = mappings.iter().rposition(|mapping| mapping.suits(bytes, align))?;
        mappings.remove(last)
    }

    /// Keeps a mapping; if there are too many, not the oldest.
    pub(crate) fn put(&self, mapping: Mapping) {
        let range = mapping.range();
        if mapping.written() > KEEP_BYTES {
            mapping.give_back(range.start + KEEP_BYTES..range.end);
        }
        let mut mappings = self.0.borrow_mut();
        mappings.push_back(mapping);
        if mappings.len() > MAPPINGS_MAX {
            mappings.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::os::{System, page_bytes};
    use crate::{BlockBytes, Config, Heap, LowTag, Request, Shape, Value};
    use rustc_hash::FxHashSet;

    #[test]
    fn a_mapping_comes_back_to_who_asks_for_one_like_it() {
        let pool = Pool::new();
        let system = System::new(Some(&pool));
        let map = |bytes, align| {
            let mut mapping = system.map(bytes, align).expect("memory");
            system.inherits(&mut mapping, bytes);
            mapping
        };
        let (page, base) = (page_bytes(), |mapping: &Mapping| mapping.range().start);
        let (first, other) = (map(page, page), map(page, 2 * page));
        let (first_base, other_base) = (base(&first), base(&other));
        drop((first, other));
        assert_eq!(base(&map(page - 1, page)), first_base);
        let (twice, other) = (map(2 * page, page), map(page, 2 * page));
        assert_eq!(base(&other), other_base);
        assert_ne!(base(&twice), first_base);
    }

    /// Chains of objects, some of which die, on blocks of each size in turn: what one heap leaves must not show in the
    /// next.
    #[test]
    fn a_heap_does_not_notice_the_ones_before() {
        const PAIR: Shape = Shape::new(1, "pair").raw_words(1).references(2);
        let pool = Pool::new();
        let mut chunks = Vec::new();
        for block_bytes in BlockBytes::ALL.into_iter().cycle().take(12) {
            let config = Config { block_bytes, count_max: 1, ..Config::DEFAULT };
            let bases = Heap::<LowTag>::branded_in(&pool, config, |mut heap| {
                for round in 0..3 {
                    let mut last = Value::EMPTY;
                    for _ in 0..500 * (3 - round) {
                        let mut pair = heap.alloc(&PAIR, 0).expect("memory");
                        pair.references_mut().fill(last);
                        last = pair.finish().into();
                    }
                    let handle = heap.root(last);
                    heap.collect(Request::Complete);
                    heap.verify().unwrap_or_else(|violation| panic!("{block_bytes:?}: {violation}"));
                    heap.unroot(handle);
                }
                let report = heap.collect(Request::Complete);
                assert_eq!(report.old_objects, 0, "{block_bytes:?}");
                heap.old.borrow().space.chunk_bases().clone()
            });
            chunks.push(bases.expect("a heap"));
        }
        let most = chunks.iter().map(FxHashSet::len).max();
        let all: FxHashSet<usize> = chunks.into_iter().flatten().collect();
        assert_eq!(Some(all.len()), most, "the chunks of one heap are those of the others");
    }

    #[test]
    fn a_pool_keeps_only_so_much() {
        let pool = Pool::new();
        let system = System::new(Some(&pool));
        let mut mappings: Vec<Mapping> = (0..2 * MAPPINGS_MAX)
            .map(|_| system.map(2 * KEEP_BYTES, page_bytes()).expect("memory"))
            .collect();
        for mapping in &mut mappings {
            system.inherits(mapping, 2 * KEEP_BYTES);
        }
        let last = mappings.last().expect("some").range();
        drop(mappings);
        assert_eq!(pool.0.borrow().len(), MAPPINGS_MAX);
        let taken = pool.take(2 * KEEP_BYTES, page_bytes());
        assert_eq!(taken.map(|mapping| mapping.range()), Some(last), "the last that came");
    }
}
