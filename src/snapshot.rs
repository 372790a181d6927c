//! A picture of the heap: every object with what it refers to, every root, every block.
//!
//! A [`Snapshot`] borrows nothing and holds no address, so it can be looked at while the program goes on, or kept
//! and compared with a later one. Objects are numbered from 0 as they lie: the young ones first, then block by
//! block. What the numbers are good for is in two files: who keeps an object alive (`paths.rs`), and how much would
//! die with it (`dominators.rs`).

mod dominators;
mod graph;
mod paths;

use std::collections::{HashMap, HashSet};

use blocks::classes::Class;
use blocks::table::Use;
use rustc_hash::FxHashMap;

use crate::address_map::AddressMap;
use crate::heap::Heap;
use crate::host::Host;
use crate::object::{ObjRef, Slot, side_by_side};
use crate::old::{Old, target};
use crate::shape::{BYTES, Header, MARKED, MUTABLE, TEXT};
use crate::space::Lane;

pub use dominators::Dominators;
use graph::Graph;
pub use paths::{Paths, Step};

/// What the collector holds an object for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ObjectKind {
    /// In the nursery, or large and not yet seen by a collection. It may be dead.
    Young,
    /// Old and counted.
    Counted,
    /// Old and traced.
    Traced,
}

/// One object of a snapshot.
#[derive(Clone, Debug)]
pub struct ObjectView {
    /// The host's number for its shape.
    pub shape_id: u16,
    /// Where it is, and how it is kept alive.
    pub kind: ObjectKind,
    /// May it be written?
    pub mutable: bool,
    /// Was it mutable once, and was frozen?
    pub frozen: bool,
    /// Reached by the last collection from a root or a traced object (for a component: any of its members).
    pub retained: bool,
    /// In the freed-object buffer: dead, and not yet released.
    pub waiting: bool,
    /// The component it belongs to: members of one have the same number.
    pub component: Option<u32>,
    /// The site it was born at, 0 if that is not known: see [`Heap::profile`].
    pub site: u32,
    /// Bytes that it takes.
    pub bytes: usize,
    /// References from counted objects outside its component (the component's, if it belongs to one).
    pub count: u64,
    /// Its first raw word, or its first eight bytes, if it has so many.
    pub raw: Option<u64>,
    /// Where its text begins and ends in the snapshot's texts.
    text: (u32, u32),
}

/// Where a root is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RootPlace {
    /// This word of the root stack.
    Stack(usize),
    /// The handle that was given this place.
    Handle(usize),
    /// The queue of objects that died and wait for their finalizer.
    Finalizable,
}

/// A root that leads to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RootView {
    /// Where it is.
    pub place: RootPlace,
    /// The object's number.
    pub object: usize,
}

/// What a block is used for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BlockUse {
    /// Nothing.
    #[default]
    Free,
    /// Cells of objects that were mutable when they were promoted.
    Mutable,
    /// Cells of immutable objects that have references.
    Immutable,
    /// Cells of immutable objects without references.
    Leaves,
    /// Cells of objects that were promoted as part of a cluster.
    Clusters,
    /// One object, too large for a cell.
    Large,
}

/// One block of the old generation, or all blocks of a large object, or free blocks side by side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BlockView {
    /// What it is used for.
    pub used: BlockUse,
    /// Its bytes.
    pub bytes: usize,
    /// Bytes of each cell; 0 unless it has cells.
    pub cell_bytes: usize,
    /// How many cells it has.
    pub cells: usize,
    /// The objects in it: so many from this number on.
    pub objects: std::ops::Range<usize>,
    /// Bytes of its objects.
    pub object_bytes: usize,
    /// How many of the objects are traced.
    pub traced: usize,
    /// How many are mutable.
    pub mutable: usize,
    /// How many the last collection reached from a root or a traced object.
    pub retained: usize,
}

/// A picture of the heap: every object with what it refers to, every root, every block. [`Heap::snapshot`] takes it.
///
/// It borrows nothing and holds no address, so it can be looked at while the program goes on, or kept and compared
/// with a later one.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// All objects: the young ones, dead or alive, then the old ones. They are numbered in this order.
    pub objects: Vec<ObjectView>,
    /// All roots that lead to an object: first those on the root stack, from its bottom.
    pub roots: Vec<RootView>,
    /// All blocks of the old generation, in the order of their chunks.
    pub blocks: Vec<BlockView>,
    /// Bytes of a block.
    pub block_bytes: usize,
    /// Bytes that the objects in the nursery take.
    pub nursery_bytes: usize,
    graph: Graph,
    texts: String,
}

impl Snapshot {
    /// What an object refers to, slot by slot: the number of an object, or `None` for a word that is no reference.
    pub fn references(&self, object: usize) -> impl ExactSizeIterator<Item = Option<usize>> {
        self.graph.targets(object)
    }

    /// The first bytes of an object of a text shape, as many as were asked for; nothing of other objects.
    pub fn text(&self, object: usize) -> &str {
        let (start, end) = self.objects[object].text;
        &self.texts[start as usize..end as usize]
    }

    /// Bytes of all objects.
    pub fn bytes(&self) -> usize {
        self.objects.iter().map(|object| object.bytes).sum()
    }
}

impl<H: Host> Heap<'_, H> {
    /// A picture of the heap as it is now. Of objects of text shapes, it keeps the first `text_bytes` bytes.
    ///
    /// What was allocated since the last collection is in it, dead or alive, and so is what died since; directly
    /// after a complete collection everything in it is alive, or waits to be freed. It looks at every object once
    /// and takes about 80 bytes for each, and four for each reference. Nobody may be filling one meanwhile, so it borrows the
    /// heap as a collection does:
    ///
    /// ```compile_fail,E0502
    /// # use frazil::{Config, Heap, LowTag, Shape, Value};
    /// # const PAIR: Shape = Shape::new(1, "pair").references(2);
    /// Heap::<LowTag>::branded(Config::default(), |mut heap| {
    ///     let mut pair = heap.alloc(&PAIR, 0).expect("memory");
    ///     let references = pair.references_mut();
    ///     heap.snapshot(0);
    ///     references[1] = Value::EMPTY;
    /// });
    /// ```
    ///
    /// # Panics
    /// There are 2^32 objects or more, or as many bytes of text.
    pub fn snapshot(&mut self, text_bytes: usize) -> Snapshot {
        self.picture(text_bytes)
    }

    /// The same. No object is being filled by whoever has a [`Fresh`](crate::Fresh).
    pub(crate) fn picture(&self, text_bytes: usize) -> Snapshot {
        let old = self.old.borrow();
        let mut taker = Taker::new(self, &old, text_bytes);
        taker.young();
        taker.blocks();
        taker.refer();
        let place = |slot: Slot| target::<H>(slot.get()).map(|object| taker.number(object));
        let stack =
            self.stack.slots().zip(0..).filter_map(|(slot, at)| Some((RootPlace::Stack(at), place(slot)??)));
        let handles = self.handles.slots().zip(0..);
        let handles = handles.filter_map(|(slot, at)| Some((RootPlace::Handle(at), place(slot)??)));
        let mut finalizers = self.finalizers.borrow_mut();
        let ready = finalizers.ready_slots().into_iter();
        let ready = ready.filter_map(|slot| Some((RootPlace::Finalizable, place(slot)??)));
        let roots = stack.chain(handles).chain(ready);
        let roots = roots.map(|(place, object)| RootView { place, object }).collect();
        Snapshot {
            roots,
            block_bytes: old.space.block.get(),
            nursery_bytes: self.young.nursery.used(),
            objects: taker.views,
            blocks: taker.blocks,
            graph: taker.graph,
            texts: taker.texts,
        }
    }
}

/// A snapshot in the making.
struct Taker<'h, 'id, H: Host> {
    heap: &'h Heap<'id, H>,
    old: &'h Old,
    text_bytes: usize,
    objects: Vec<ObjRef>,
    views: Vec<ObjectView>,
    /// For each object, its number plus one.
    numbers: AddressMap,
    waiting: HashSet<ObjRef>,
    components: HashMap<ObjRef, u32>,
    /// Counts that are not kept.
    implied: FxHashMap<ObjRef, u64>,
    blocks: Vec<BlockView>,
    graph: Graph,
    texts: String,
}

impl<'h, 'id, H: Host> Taker<'h, 'id, H> {
    fn new(heap: &'h Heap<'id, H>, old: &'h Old, text_bytes: usize) -> Self {
        let components = old.components.iter().zip(0..).flat_map(|((first, others), number)| {
            std::iter::once(first).chain(others.iter().copied()).map(move |object| (object, number))
        });
        Taker {
            heap,
            old,
            text_bytes,
            objects: Vec::with_capacity(old.space.objects),
            views: Vec::with_capacity(old.space.objects),
            numbers: AddressMap::default(),
            waiting: old.waiting().collect(),
            components: components.collect(),
            implied: old.implied_counts::<H>(),
            blocks: Vec::new(),
            graph: Graph::default(),
            texts: String::new(),
        }
    }

    /// Everything in the nursery, and the large objects that no collection has seen.
    fn young(&mut self) {
        let nursery = &self.heap.young.nursery;
        let sites = self.heap.sites.as_ref();
        let born = sites.map(|sites| sites.of_young(nursery.top())).unwrap_or_default();
        for range in nursery.occupied() {
            for (object, _) in side_by_side(range) {
                self.add(object, ObjectKind::Young, born.get(object.address()));
            }
        }
        for &object in &self.old.space.young_large {
            let site = sites.map_or(0, |sites| sites.of_old(object));
            self.add(object, ObjectKind::Young, site);
        }
    }

    /// All blocks, and the old objects in them.
    fn blocks(&mut self) {
        let space = &self.old.space;
        for block in space.blocks() {
            match space.state(block).used() {
                Use::Head => self.block(block, BlockUse::Large, space.large_bytes(block)),
                Use::Cells => self.block(block, lane(space.state(block).lane.get()), space.block.get()),
                _ => self.free_block(space.block.get()),
            }
        }
    }

    /// A free block joins those before it: there can be very many.
    fn free_block(&mut self, bytes: usize) {
        if let Some(last) = self.blocks.last_mut().filter(|last| last.used == BlockUse::Free) {
            last.bytes += bytes;
            return;
        }
        let here = self.views.len();
        self.blocks.push(BlockView {
            used: BlockUse::Free,
            bytes,
            objects: here..here,
            ..BlockView::default()
        });
    }

    /// A block in use, and its objects.
    fn block(&mut self, block: usize, used: BlockUse, bytes: usize) {
        let (space, sites, first) = (&self.old.space, self.heap.sites.as_ref(), self.views.len());
        for object in space.objects_in(block) {
            let kind = if object.is_traced() { ObjectKind::Traced } else { ObjectKind::Counted };
            self.add(object, kind, sites.map_or(0, |sites| sites.of_old(object)));
        }
        let class = Class(space.state(block).class.get());
        let (cell_bytes, cells) = match used {
            BlockUse::Large => (0, 1),
            _ => (class.bytes(), class.cells(space.block)),
        };
        let inside = &self.views[first..];
        let count = |is: fn(&ObjectView) -> bool| inside.iter().filter(|view| is(view)).count();
        self.blocks.push(BlockView {
            used,
            bytes,
            cell_bytes,
            cells,
            objects: first..first + inside.len(),
            object_bytes: inside.iter().map(|view| view.bytes).sum(),
            traced: count(|view| view.kind == ObjectKind::Traced),
            mutable: count(|view| view.mutable),
            retained: count(|view| view.retained),
        });
    }

    fn add(&mut self, object: ObjRef, kind: ObjectKind, site: u32) {
        let header = object.header();
        let young = kind == ObjectKind::Young;
        let text = self.text(object, header);
        self.views.push(ObjectView {
            shape_id: header.shape_id(),
            kind,
            mutable: header.has(MUTABLE),
            frozen: header.was_frozen(),
            retained: !young && self.old.is_retained(object),
            waiting: !young
                && !self.waiting.is_empty()
                && self.waiting.contains(&self.old.representative(object)),
            component: if self.components.is_empty() { None } else { self.components.get(&object).copied() },
            site,
            bytes: if self.heap.young.nursery.contains(object.address()) {
                header.nursery_bytes()
            } else {
                header.cell_bytes()
            },
            count: match kind {
                ObjectKind::Counted => {
                    self.implied.get(&object).copied().unwrap_or_else(|| self.old.count(object))
                }
                _ => 0,
            },
            raw: first_raw(object, header),
            text,
        });
        self.objects.push(object);
        self.numbers.set(object.address(), fit(self.objects.len()));
    }

    /// Keeps the first bytes of a text, up to a whole character.
    fn text(&mut self, object: ObjRef, header: Header) -> (u32, u32) {
        let start = fit(self.texts.len());
        if header.has(TEXT) && self.text_bytes > 0 {
            let text = object.text(header);
            let end = (0..=self.text_bytes.min(text.len())).rev().find(|&end| text.is_char_boundary(end));
            self.texts += &text[..end.unwrap_or(0)];
        }
        (start, fit(self.texts.len()))
    }

    /// Notes what each object refers to, when all of them have numbers.
    fn refer(&mut self) {
        for &object in &self.objects {
            let targets = object.slots::<H>(object.header()).map(|slot| target::<H>(slot.get()));
            self.graph
                .add(targets.map(|target| target.map_or(0, |target| self.numbers.get(target.address()))));
        }
    }

    fn number(&self, object: ObjRef) -> Option<usize> {
        (self.numbers.get(object.address()) as usize).checked_sub(1)
    }
}

fn lane(lane: u8) -> BlockUse {
    match lane {
        lane if lane == Lane::Mutable as u8 => BlockUse::Mutable,
        lane if lane == Lane::Immutable as u8 => BlockUse::Immutable,
        lane if lane == Lane::Leaf as u8 => BlockUse::Leaves,
        _ => BlockUse::Clusters,
    }
}

fn fit(number: usize) -> u32 {
    u32::try_from(number).expect("a snapshot numbers objects and bytes of text below 2^32")
}

/// The first raw word, or the first eight bytes; of a text in the making, nothing: they may not be written yet.
pub(crate) fn first_raw(object: ObjRef, header: Header) -> Option<u64> {
    if header.has(MARKED) {
        None
    } else if header.has(BYTES) {
        let (offset, len) = header.bytes();
        (len >= 8).then(|| object.raw(offset / 8 - 1))
    } else {
        (header.raw_words() > 0).then(|| object.raw(0))
    }
}
