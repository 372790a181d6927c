//! Where objects were born: a number that the host gives to each place of its program that allocates.
//!
//! The host says *from now on* ([`Heap::set_site`]), not with each object: allocation stays as it is, in machine
//! code too. The nursery is then a row of *runs*, each born at one site. When a collection is over and before the
//! nursery is emptied, the runs are walked, and where an object has left a forwarding address, the site is noted for
//! where it is now. Old objects do not move, and whatever takes a cell after them brings its own site: nothing has
//! to be done when one dies. So the collection itself knows nothing of sites, and without [`Heap::profile`] all of
//! this costs one test in each collection.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use blocks::CHUNK_BYTES;

use crate::address_map::{AddressMap, PAGE_BYTES};
use crate::heap::Heap;
use crate::host::Host;
use crate::object::{ObjRef, side_by_side};
use crate::space::{Space, chunk_base};
use crate::value::Object;

/// Tables for chunks that are gone are looked for when there are so many more than chunks have.
const SPARE_TABLES: usize = 16 * TABLES_PER_CHUNK;
const TABLES_PER_CHUNK: usize = CHUNK_BYTES / PAGE_BYTES;

/// What was born, one object after the other, at one site.
struct Run {
    start: usize,
    end: usize,
    site: u32,
}

/// See the module's head.
pub(crate) struct Sites {
    current: Cell<u32>,
    /// Where the run under way begins.
    start: Cell<usize>,
    /// The runs of the nursery that are over, in no particular order.
    runs: RefCell<Vec<Run>>,
    /// The sites of old objects and of young large ones, by address.
    noted: RefCell<AddressMap>,
}

impl Sites {
    fn new() -> Sites {
        Sites {
            current: Cell::new(0),
            start: Cell::new(0),
            runs: RefCell::default(),
            noted: RefCell::default(),
        }
    }

    /// The run under way ends at `top`; the next one begins at `next`.
    fn end_run(&self, top: usize, next: usize) {
        let start = self.start.replace(next);
        if top > start {
            self.runs.borrow_mut().push(Run { start, end: top, site: self.current.get() });
        }
    }

    /// A large object was born at `address`.
    pub fn large(&self, address: usize) {
        self.noted.borrow_mut().set(address, self.current.get());
    }

    /// The nursery, whose finger stood at `top`, was extended, perhaps elsewhere; the next object is at `next`.
    pub fn extended(&self, top: usize, next: usize) {
        self.end_run(top, next);
    }

    /// Notes the sites of all that was evacuated out of a nursery with its finger at `top`.
    pub fn note_survivors(&mut self, top: usize, space: &Space) {
        self.end_run(top, top);
        let noted = self.noted.get_mut();
        for run in self.runs.get_mut().drain(..) {
            for (_, survivor) in side_by_side(run.start..run.end) {
                if let Some(survivor) = survivor {
                    noted.set(survivor.address(), run.site);
                }
            }
        }
        if noted.tables() > space.chunks() * TABLES_PER_CHUNK + SPARE_TABLES {
            let bases = space.chunk_bases();
            noted.retain(|page| bases.contains(&chunk_base(page)));
        }
    }

    /// The nursery is empty; its first object will be at `base`.
    pub fn begin(&mut self, base: usize) {
        self.start.set(base);
    }

    /// Where an object was born that is old or large.
    pub fn of_old(&self, object: ObjRef) -> u32 {
        self.noted.borrow().get(object.address())
    }

    /// Where all objects in the nursery, whose finger stands at `top`, were born.
    pub fn of_young(&self, top: usize) -> AddressMap {
        self.end_run(top, top);
        let mut sites = AddressMap::default();
        for run in self.runs.borrow().iter() {
            for (object, _) in side_by_side(run.start..run.end) {
                sites.set(object.address(), run.site);
            }
        }
        sites
    }
}

/// What was born at one site and is old now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SiteUse {
    /// The host's number for the site; 0 where none was set.
    pub site: u32,
    /// How many objects.
    pub objects: usize,
    /// Their bytes.
    pub bytes: usize,
}

impl<'id, H: Host> Heap<'id, H> {
    /// From now on the heap remembers of each object at which site it was born. Objects that exist already were
    /// born at site 0.
    ///
    /// It costs four bytes for each sixteen of the old generation and a walk through the nursery at each collection.
    pub fn profile(&mut self) {
        if self.sites.is_none() {
            let sites = Sites::new();
            sites.start.set(self.young.nursery.top());
            self.sites = Some(Box::new(sites));
        }
    }

    /// Objects are born at `site` from now on, if [`Heap::profile`] was called. A host sets it when its program
    /// gets to another place that may allocate.
    #[inline]
    pub fn set_site(&self, site: u32) {
        if let Some(sites) = &self.sites
            && sites.current.get() != site
        {
            let top = self.young.nursery.top();
            sites.end_run(top, top);
            sites.current.set(site);
        }
    }

    /// The site that was set last, or 0.
    pub fn site(&self) -> u32 {
        self.sites.as_ref().map_or(0, |sites| sites.current.get())
    }

    /// Where `object` was born; 0 if that is not known. Takes time proportional to the runs of the nursery.
    pub fn site_of(&self, object: Object<'_, 'id, H>) -> u32 {
        let Some(sites) = &self.sites else { return 0 };
        let address = object.obj().address();
        if !self.young.nursery.contains(address) {
            return sites.of_old(object.obj());
        }
        let top = self.young.nursery.top();
        sites.end_run(top, top);
        let runs = sites.runs.borrow();
        runs.iter().find(|run| (run.start..run.end).contains(&address)).map_or(0, |run| run.site)
    }

    /// What is old, by where it was born, in no particular order; nothing without [`Heap::profile`]. After a
    /// complete collection that is what is alive. It looks at all old objects.
    pub fn old_by_site(&self) -> Vec<SiteUse> {
        let Some(sites) = &self.sites else { return Vec::new() };
        let noted = sites.noted.borrow();
        let (mut uses, mut places) = (Vec::new(), HashMap::new());
        // Neighbours were often born at the same site.
        let (mut last, mut place) = (None, 0);
        for object in self.old.borrow().space.objects() {
            let site = noted.get(object.address());
            if last != Some(site) {
                last = Some(site);
                place = *places.entry(site).or_insert_with(|| {
                    uses.push(SiteUse { site, ..SiteUse::default() });
                    uses.len() - 1
                });
            }
            uses[place].objects += 1;
            uses[place].bytes += object.header().cell_bytes();
        }
        uses
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, LowTag, Request, Shape};

    const BYTES: Shape = Shape::new(1, "bytes").bytes();

    #[test]
    fn the_sites_of_memory_that_has_gone_back_are_forgotten() {
        let check = |mut heap: Heap<'_, LowTag>| {
            heap.profile();
            let tables = |heap: &Heap<'_, LowTag>| {
                heap.sites.as_ref().map_or(0, |sites| sites.noted.borrow().tables())
            };
            let at = |heap: &mut Heap<'_, LowTag>, site| {
                if heap.should_collect() {
                    heap.collect(Request::Auto);
                }
                heap.set_site(site);
            };
            at(&mut heap, 7);
            let kept = heap.root(heap.alloc(&BYTES, 4000).expect("memory").finish().into());
            let mut others = Vec::new();
            for _ in 0..2 * SPARE_TABLES * PAGE_BYTES / 4096 {
                at(&mut heap, 8);
                others.push(heap.root(heap.alloc(&BYTES, 4000).expect("memory").finish().into()));
            }
            heap.collect(Request::Complete);
            let most = tables(&heap);
            assert!(most >= 2 * SPARE_TABLES);
            others.into_iter().for_each(|other| heap.unroot(other));
            for _ in 0..3 {
                heap.collect(Request::Complete);
            }
            assert!((1..most / 2).contains(&tables(&heap)), "{} tables are left", tables(&heap));
            assert_eq!(heap.site_of(heap.rooted(&kept).object().expect("it lives")), 7);
        };
        Heap::branded(Config::DEFAULT, check).expect("memory");
    }
}
