//! The heap, as a mutator sees it: allocation, stores, freezing, roots.
//!
//! Everything here but [`Heap::collect`] takes `&self` and moves nothing. When the nursery has taken as many
//! bytes as it should, allocation goes on in more memory and [`Heap::should_collect`] becomes true; the host
//! collects at its next safepoint.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;

use blocks::GRANULE_BYTES;
use memoffset::offset_of;
use nursery::Nursery;
use static_assertions::const_assert_eq;

use crate::Fault;
use crate::collect::collect;
use crate::collect::drain::Budget;
use crate::exchange::Owner;
use crate::exchange::group::Common;
use crate::finalize::Finalizers;
use crate::host::Host;
use crate::layout::INLINE_BYTES_MAX;
use crate::object::{self, ObjRef};
use crate::old::Old;
use crate::os::{Refused, System};
use crate::pacing::{Pacer, Request};
use crate::pool::Pool;
use crate::roots::{Handles, RootStack};
use crate::shape::{GUARDED, Header, MUTABLE, SEEN, Shape, WORD_BYTES, WRITE_MASK};
use crate::sites::Sites;
use crate::space::{CARD_BYTES, Space, card_byte};
use crate::stats::{Kind, Report, Stats};
use crate::trace::Recorder;
use crate::tuning::{Config, ConfigError};
use crate::value::{Brand, Fresh, Object, Value, check_index};
use crate::weak::{Weaks, old_fate};
use crate::young::Young;

/// Bytes by which the nursery's limit is raised at a time. Larger: fewer looks at the heap limit. Smaller: it
/// is kept more exactly.
const RAISE_BYTES: usize = 64 << 10;

/// A nursery that is larger is opened so far, then raised like one that is full: the side tables of the blocks that survivors
/// may need take a fiftieth of its bytes, and are written when it is opened. Larger: fewer requests to the system. Smaller:
/// a huge nursery takes less time and memory that it may never need.
const OPEN_BYTES_MAX: usize = 1 << 30;

/// This part of the blocks' bytes is kept when free, in addition to the nursery's size. Larger: more goes back
/// to the system. Smaller: fewer page faults.
const KEEP_SHARE: usize = 16;

/// An allocation that was refused. The heap is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AllocError {
    /// The heap limit would be passed. A complete collection may help; if it does not, what is alive leaves no room.
    Limit {
        /// Bytes asked for.
        requested: usize,
        /// Bytes that nursery and old blocks take.
        used: usize,
        /// The limit.
        limit: usize,
    },
    /// The system gave no memory for these bytes. Here, too, a complete collection may help.
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

/// The first write to a seen object since the last collection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Touch {
    pub object: ObjRef,
    /// For a large object: which KiB of it. `None`: all of it.
    pub card: Option<usize>,
}

const_assert_eq!(Heap::<'static, crate::LowTag>::TOP_OFFSET % 32, 0);

/// What is told of every collection.
type Observer = Box<dyn FnMut(&Report)>;

/// A generational heap for one thread. `'id` is its brand, `H` says how its words are tagged. How one is used, the
/// [guide](crate::guide) shows.
///
/// | what for | methods |
/// | --- | --- |
/// | a heap | [`branded`](Heap::branded), [`branded_in`](Heap::branded_in) a pool, [`unbranded`](Heap::unbranded); of a [`Group`](crate::Group): `Group::branded` |
/// | objects | [`alloc`](Heap::alloc), [`text`](Heap::text), [`text_with`](Heap::text_with), [`burst`](Heap::burst); they are read by themselves ([`Object`]) |
/// | changing them | [`store`](Heap::store), [`writable`](Heap::writable), [`check_writable`](Heap::check_writable), [`guard`](Heap::guard); [`freeze`](Heap::freeze), [`freeze_deep`](Heap::freeze_deep) |
/// | keeping them | [`stack_grow`](Heap::stack_grow), [`stack_from`](Heap::stack_from), [`stack_truncate`](Heap::stack_truncate); [`root`](Heap::root), [`rooted`](Heap::rooted), [`reroot`](Heap::reroot), [`unroot`](Heap::unroot) |
/// | not keeping them | [`weak`](Heap::weak), [`upgrade`](Heap::upgrade), [`cleared`](Heap::cleared); [`finalize`](Heap::finalize), [`next_finalizable`](Heap::next_finalizable) |
/// | collecting | [`should_collect`](Heap::should_collect), [`should_collect_early`](Heap::should_collect_early), [`want_collection`](Heap::want_collection), [`collect`](Heap::collect), [`drain`](Heap::drain) |
/// | other threads | [`share`](Heap::share), [`import`](Heap::import), [`immortalise`](Heap::immortalise), [`end`](Heap::end), [`adopt`](Heap::adopt) |
/// | looking at it | [`stats`](Heap::stats), [`observe`](Heap::observe), [`snapshot`](Heap::snapshot), [`profile`](Heap::profile), [`record`](Heap::record), [`verify`](Heap::verify) |
// What generated code looks at comes first, where its place depends on nothing else.
//
// Aligned, so that the finger stands at the beginning of 32 bytes wherever the heap is: each allocation reads what the last one
// wrote, which otherwise takes half as long again on some machines, in every second run of a program.
#[repr(C, align(64))]
pub struct Heap<'id, H: Host> {
    /// A collection is due.
    pub(crate) wanted: Cell<bool>,
    pub(crate) stack: RootStack,
    pub(crate) young: Young,
    pub(crate) config: Config,
    pub(crate) pacer: Pacer,
    /// The largest object that is born in the nursery.
    cell_bytes_max: usize,
    /// Bytes of large objects allocated since the last collection.
    large_bytes: Cell<usize>,
    /// What was imported or adopted since the last collection, in bytes that it counts for.
    came_bytes: Cell<usize>,
    /// An allocation was refused since the last collection.
    pub(crate) refused: Cell<bool>,
    pub(crate) old: RefCell<Old>,
    pub(crate) handles: Handles,
    /// What was written since the last collection, of what it had seen.
    pub(crate) touched: RefCell<Vec<Touch>>,
    /// Something was frozen since the last complete collection.
    pub(crate) froze: Cell<bool>,
    pub(crate) weaks: RefCell<Weaks>,
    pub(crate) finalizers: RefCell<Finalizers>,
    pub(crate) stats: Stats,
    /// Told of every collection.
    observer: Option<Observer>,
    /// Where objects were born, if somebody wants to know.
    pub(crate) sites: Option<Box<Sites>>,
    /// Notes everything, if it is to be noted.
    pub(crate) recorder: Option<Box<Recorder>>,
    /// The group that it belongs to.
    pub(crate) group: Option<Arc<Common>>,
    brand: Brand<'id, H>,
}

impl<H: Host> fmt::Debug for Heap<'_, H> {
    /// How much the last collection has left; what that is, [`Heap::snapshot`] shows.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let last = &self.stats.last;
        let mut heap = f.debug_struct("Heap");
        heap.field("collections", &last.number).field("old_objects", &last.old_objects);
        heap.field("old_bytes", &last.old_bytes).finish_non_exhaustive()
    }
}

impl<H: Host> Heap<'_, H> {
    /// Makes a heap with a brand of its own and passes it to `f`. Values of different heaps cannot be mixed up.
    ///
    /// # Errors
    /// The settings do not agree, or the system gives no memory.
    pub fn branded<R>(config: Config, f: impl for<'id> FnOnce(Heap<'id, H>) -> R) -> Result<R, ConfigError> {
        Heap::make(config, None, None).map(f)
    }

    /// The same, with memory from `pool`, which gets it back when the heap is dropped.
    ///
    /// # Errors
    /// As [`Heap::branded`].
    pub fn branded_in<R>(
        pool: &Pool,
        config: Config,
        f: impl for<'id> FnOnce(Heap<'id, H>) -> R,
    ) -> Result<R, ConfigError> {
        Heap::make(config, Some(pool), None).map(f)
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
        Heap::make(config, None, None)
    }

    /// The same, with memory from `pool`, which gets it back when the heap is dropped.
    ///
    /// # Errors
    /// As [`Heap::unbranded`].
    ///
    /// # Safety
    /// As [`Heap::unbranded`].
    pub unsafe fn unbranded_in(pool: &Pool, config: Config) -> Result<Self, ConfigError> {
        Heap::make(config, Some(pool), None)
    }
}

impl<'id, H: Host> Heap<'id, H> {
    /// For code that allocates inline: where in the heap the address of the next object stands. An object of
    /// `n` bytes (eight for each of its words, header included: the next one begins there) may be made there if
    /// `limit - top >= n`; then `top` goes up by `n`.
    pub const TOP_OFFSET: usize = offset_of!(Self, young) + offset_of!(Young, nursery) + Nursery::TOP_OFFSET;
    /// For code that allocates inline: where in the heap the address stands that no object may pass.
    pub const LIMIT_OFFSET: usize =
        offset_of!(Self, young) + offset_of!(Young, nursery) + Nursery::LIMIT_OFFSET;
    /// For code that polls inline: where in the heap the byte stands that is not 0 when a collection is due.
    pub const WANTED_OFFSET: usize = offset_of!(Self, wanted);
    /// For code that makes frames inline: where in the heap the number of words on the root stack stands.
    pub const STACK_LEN_OFFSET: usize = offset_of!(Self, stack) + RootStack::LEN_OFFSET;
    /// For code that makes frames inline: where in the heap the number stands that it may not pass.
    pub const STACK_CAPACITY_OFFSET: usize = offset_of!(Self, stack) + RootStack::CAPACITY_OFFSET;
    /// For code that makes frames inline: where in the heap the address of the root stack's first word stands.
    pub const STACK_BASE_OFFSET: usize = offset_of!(Self, stack) + RootStack::BASE_OFFSET;

    pub(crate) fn make(
        config: Config,
        pool: Option<&Pool>,
        group: Option<&Arc<Common>>,
    ) -> Result<Self, ConfigError> {
        config.check()?;
        let refused = |_: Refused| ConfigError("the system gave no memory for the nursery or the root stack");
        let system = Rc::new(System::new(pool));
        let mut space = Space::new(config.block_bytes, config.check, Rc::clone(&system), Owner::ALONE);
        space.pages_ahead = config.pages_ahead && !config.check;
        let stack = RootStack::new(config.stack_words, &system).map_err(refused)?;
        let mut heap = Heap {
            young: Young::new(config.nursery_bytes, system).map_err(refused)?,
            wanted: Cell::new(config.check),
            pacer: Pacer::new(&config),
            cell_bytes_max: blocks::classes::cell_bytes_max(config.block_bytes),
            large_bytes: Cell::new(0),
            came_bytes: Cell::new(0),
            refused: Cell::new(false),
            old: RefCell::new(Old::new(space, &config)),
            stack,
            handles: Handles::default(),
            touched: RefCell::default(),
            froze: Cell::new(false),
            weaks: RefCell::default(),
            finalizers: RefCell::default(),
            stats: Stats::default(),
            observer: None,
            sites: None,
            recorder: None,
            group: group.cloned(),
            brand: PhantomData,
            config,
        };
        if let Some(group) = group {
            heap.old.get_mut().enter(&group.exchange);
        }
        heap.open_nursery();
        Ok(heap)
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
    #[inline(always)]
    pub fn alloc(&self, shape: &Shape, len: usize) -> Result<Fresh<'_, 'id, H>, AllocError> {
        let header = shape.header(len).ok_or(AllocError::TooLong { len })?;
        let address = self.take(header.nursery_bytes())?;
        // SAFETY: the nursery or the old space handed out so many unused bytes; nobody else knows the object yet.
        unsafe { Ok(Fresh::new(object::initialise(address, header, H::EMPTY), header)) }
    }

    /// Room for an object that takes `bytes` bytes in the nursery (whole words).
    #[inline(always)]
    pub(crate) fn take(&self, bytes: usize) -> Result<usize, AllocError> {
        // Where the size is known, the first question is answered at compile time.
        let small = bytes <= INLINE_BYTES_MAX || bytes <= self.cell_bytes_max;
        match if small { self.young.nursery.bump(bytes) } else { None } {
            Some(address) => Ok(address),
            None => self.alloc_slow(bytes),
        }
    }

    /// The limit of the nursery is reached, or the object is a large one.
    #[cold]
    fn alloc_slow(&self, bytes: usize) -> Result<usize, AllocError> {
        let large = bytes > self.cell_bytes_max;
        let cell_bytes = bytes.next_multiple_of(GRANULE_BYTES);
        let takes = || if large { self.old.borrow().space.bytes_of_large(cell_bytes) } else { bytes };
        let used = self.used_bytes();
        if let Some(limit) = self.config.limit_bytes
            && used.saturating_add(takes()) > limit
        {
            self.wanted.set(true);
            self.refused.set(true);
            return Err(AllocError::Limit { requested: bytes, used, limit });
        }
        let top = self.young.nursery.top();
        let address = if large {
            self.alloc_large(cell_bytes)
        } else {
            self.extend_nursery(bytes, RAISE_BYTES.min(self.room_bytes()).max(bytes))
        };
        let address = address.map_err(|_: Refused| {
            self.refused.set(true);
            AllocError::System { requested: bytes }
        })?;
        match &self.sites {
            Some(sites) if large => sites.large(address),
            Some(sites) => sites.extended(top, address),
            None => {}
        }
        self.want_if_due();
        Ok(address)
    }

    /// Bytes that may be taken before the limit is met.
    pub(crate) fn room_bytes(&self) -> usize {
        self.config.limit_bytes.map_or(usize::MAX, |limit| limit.saturating_sub(self.used_bytes()))
    }

    /// Bytes that have come since the last collection, as its policy counts them.
    #[inline]
    fn young_bytes(&self) -> usize {
        self.allocated_bytes().saturating_add(self.came_bytes.get())
    }

    /// Bytes enough have come since the last collection.
    fn want_if_due(&self) {
        if self.young_bytes() >= self.pacer.trigger {
            self.wanted.set(true);
        }
    }

    /// Something has come that was not allocated, and counts for so many bytes.
    pub(crate) fn charge(&self, bytes: usize) {
        self.came_bytes.set(self.came_bytes.get().saturating_add(bytes));
        self.want_if_due();
    }

    /// What has come to the old blocks by another way, the nursery cannot have as well.
    pub(crate) fn keep_limit(&self) {
        self.young.nursery.lower(self.room_bytes());
    }

    fn alloc_large(&self, bytes: usize) -> Result<usize, Refused> {
        let mut old = self.old.borrow_mut();
        let blocks = old.space.blocks_of_large(bytes);
        old.space.reserve(self.young.nursery.opened(), blocks)?;
        let address = old.space.large(bytes)?;
        drop(old);
        self.large_bytes.set(self.large_bytes.get() + bytes);
        self.keep_limit();
        Ok(address)
    }

    /// Lets `more` bytes be allocated in the nursery, if there are blocks for them to survive in, and takes
    /// `bytes` of them.
    fn extend_nursery(&self, bytes: usize, more: usize) -> Result<usize, Refused> {
        self.old.borrow_mut().space.reserve(self.young.nursery.used() + more, 0)?;
        self.young.extend(bytes, more)
    }

    /// For tests of what a host does when memory runs out: the heap's next request to the system but `requests` is
    /// refused. There is one for each MiB of old blocks, each very large object, and each nursery that overflows.
    pub fn refuse_memory_after(&self, requests: usize) {
        self.old.borrow().space.system.refuse_after(requests);
    }

    /// Bytes allocated since the last collection.
    pub fn allocated_bytes(&self) -> usize {
        self.young.nursery.used() + self.large_bytes.get()
    }

    /// Bytes that the nursery's objects and the old blocks take, which is what the limit bounds.
    pub fn used_bytes(&self) -> usize {
        self.young.nursery.used() + self.old.borrow().space.used_bytes()
    }

    /// The object as one in the making, if no collection has seen it yet and it has not been frozen: for hosts behind
    /// a foreign interface, which fill an object after they have got it.
    ///
    /// # Safety
    /// As long as the result is in use, nobody else reads or writes the object; and no borrowed part of it
    /// ([`Object::bytes`]) is in use afterwards.
    pub unsafe fn reopen<'s>(&'s self, object: Object<'s, 'id, H>) -> Option<Fresh<'s, 'id, H>> {
        let header = object.header();
        let open = !header.was_frozen() && self.old.borrow().is_young(object.obj(), &self.young.nursery);
        if open && !header.has(MUTABLE) && header.references() > 0 {
            self.expect_circles();
        }
        // SAFETY: it is initialised; that nobody else works on it is the caller's word.
        open.then(|| unsafe { Fresh::new(object.obj(), header) })
    }

    /// From now on, objects that were born immutable may refer to each other in circles: for hosts that fill what they have
    /// allocated inline when others know it already ([`Heap::reopen`] sees to it itself). A circle that nobody expects may
    /// stay for good. Structures whose objects have others in common are no clusters any more, unless these are leaves.
    pub fn expect_circles(&self) {
        self.old.borrow_mut().clusters.trees_only = true;
    }

    /// Is a collection due? A host asks this at its safepoints; it costs one load.
    #[inline(always)]
    pub fn should_collect(&self) -> bool {
        self.wanted.get()
    }

    /// Is a collection due, or nearly so? For the safepoints where little of what is young is alive: a structure was just
    /// frozen or dropped, a request is answered, a statement is over. To collect there, a little early, promotes less than
    /// to collect in the midst of the next structure. It costs a few loads. (Wilson and Moher, *Design of the
    /// opportunistic garbage collector*, 1989.)
    #[inline]
    pub fn should_collect_early(&self) -> bool {
        self.should_collect() || self.young_bytes() >= self.pacer.early_trigger()
    }

    /// Asks for a collection at the next safepoint.
    pub fn want_collection(&self) {
        self.wanted.set(true);
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
        self.store_like(object.obj(), object.header(), index, value)
    }

    /// The same, where it is known that the object has the layout of one with this header.
    #[inline(always)]
    pub(crate) fn store_like(
        &self,
        object: ObjRef,
        header: Header,
        index: usize,
        value: Value<'_, 'id, H>,
    ) -> Result<(), StoreError> {
        check_index("reference", index, header.references());
        if object.header().0 & WRITE_MASK != MUTABLE {
            self.touch(object, index, index + 1)?;
        }
        object.slot::<H>(header, index).set(value.bits());
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

    /// May `object` be written now? For hosts that keep more than references in an object and want the same answer
    /// for its raw parts, which no collection has to hear of.
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

    /// The slow path of the write test: refuses, or puts the object (of a large one, the cards with these
    /// references) on the touched list.
    #[cold]
    pub(crate) fn touch(&self, object: ObjRef, start: usize, end: usize) -> Result<(), StoreError> {
        let header = object.header();
        if !header.has(MUTABLE) {
            return Err(StoreError::Frozen);
        }
        if header.has(GUARDED) {
            return Err(StoreError::Guarded);
        }
        if start == end || H::commits(Fault::MissedTouch) {
            return Ok(());
        }
        let bytes = header.cell_bytes();
        if bytes <= self.cell_bytes_max {
            object.clear_flags(SEEN);
            self.touched.borrow_mut().push(Touch { object, card: None });
            return Ok(());
        }
        let card_of = |reference: usize| (header.first_reference() + reference) * WORD_BYTES / CARD_BYTES;
        for card in card_of(start)..card_of(end - 1) + 1 {
            let byte = card_byte(object.address(), bytes, card);
            // SAFETY: the cards lie behind the large object, which is live; nobody else has a reference to them.
            let untouched = unsafe { byte.replace(1) == 0 };
            if untouched {
                self.touched.borrow_mut().push(Touch { object, card: Some(card) });
            }
        }
        Ok(())
    }

    /// Refuses writes to a mutable object until `guarded` is `false` again; an iteration over it does so.
    #[inline]
    pub fn guard(&self, object: Object<'_, 'id, H>, guarded: bool) {
        if !object.is_mutable() {
            // It refuses writes anyway, and others may be reading its header.
        } else if guarded {
            object.obj().set_flags(GUARDED);
        } else {
            object.obj().clear_flags(GUARDED);
        }
    }

    /// Freezes one object in place, for good. What it refers to stays as it is. Says whether it was mutable.
    pub fn freeze(&self, object: Object<'_, 'id, H>) -> bool {
        let mutable = object.is_mutable();
        if mutable {
            object.obj().clear_flags(MUTABLE | GUARDED);
            self.froze.set(true);
            self.note_frozen(object.obj());
        }
        mutable
    }

    /// Freezes everything mutable that can be reached from `value`, in place. Says how many objects were frozen.
    ///
    /// It visits every object that is young or traced once; counted ones refer to nothing mutable.
    pub fn freeze_deep(&self, value: Value<'_, 'id, H>) -> usize {
        crate::freeze::deep(self, value.bits())
    }

    // ------------------------------------------------------------------ collection

    /// Collects now. No value survives this call; roots, handles and weak references are up to date after it.
    ///
    /// It needs no memory that an allocation has not reserved, so it cannot fail.
    ///
    /// # Panics
    /// In checking mode, if a root or a reference leads to no object, or the verification finds an invariant broken.
    #[inline(never)] // A safepoint stays small.
    pub fn collect(&mut self, request: Request) -> Report {
        let report = self.collect_unverified(request);
        if self.config.check
            && let Err(violation) = self.verify()
        {
            panic!("collection {} broke the heap: {violation}", report.number);
        }
        if let Some(observer) = &mut self.observer {
            observer(&report);
        }
        self.pass_orphans();
        report
    }

    /// Collects. In checking mode, what has to hold before is checked, and nothing else.
    pub(crate) fn collect_unverified(&mut self, request: Request) -> Report {
        let request = self.record_request(request);
        self.record_before();
        if self.config.check {
            self.verify_references().unwrap_or_else(|violation| panic!("before a collection: {violation}"));
        }
        if self.config.check && self.kind_for(request) == Kind::Short {
            self.verify_touches()
                .unwrap_or_else(|violation| panic!("before a short collection: {violation}"));
        }
        let report = collect(self, request);
        self.record_after(&report);
        self.stats.add(&report);
        report
    }

    /// From now on `observer` is told of every collection, when it is over. It takes the place of the one before.
    pub fn observe(&mut self, observer: impl FnMut(&Report) + 'static) {
        self.observer = Some(Box::new(observer));
    }

    /// Releases at most `objects` objects from the freed-object buffer, for a host that is idle. Says how many
    /// are left in it.
    pub fn drain(&mut self, objects: usize) -> usize {
        let mut report = Report::default();
        let budget = Budget::new(objects, None);
        self.old.get_mut().drain::<H>(budget, &mut report);
        self.old.get_mut().post::<H>(&mut report);
        self.make_revived_ready(&mut report);
        let (old, nursery) = (self.old.get_mut(), &self.young.nursery);
        self.weaks.get_mut().update(old, nursery, |object, old| {
            if old.is_young(object, nursery) { Some(object) } else { old_fate(object, old) }
        });
        self.give_memory_back(true);
        self.give_nursery_back();
        self.stats.add_drained(&report);
        report.waiting
    }

    /// Objects in the freed-object buffer.
    pub fn waiting(&self) -> usize {
        self.old.borrow().waiting().count()
    }

    /// Everything the collections did so far.
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// Which kind of collection comes of a request.
    pub(crate) fn kind_for(&self, request: Request) -> Kind {
        let old_bytes = self.old.borrow().space.bytes;
        self.pacer.choose(&self.config, request, old_bytes, self.used_bytes())
    }

    /// Everything young ends, and there are no roots any more.
    pub(crate) fn let_go(&mut self) {
        self.stack.truncate(0);
        self.handles = Handles::default();
        let (finalizers, old) = (self.finalizers.get_mut(), self.old.get_mut());
        self.weaks.get_mut().clear(old);
        finalizers.ready.clear();
        // The side tables, where others can be looked up later, say nothing of what is young.
        finalizers.keep(|object| !old.is_young(object, &self.young.nursery));
        old.space.free_young_large();
    }

    /// Ends the young objects that were not evacuated.
    pub(crate) fn free_young(&mut self) {
        let space = &mut self.old.get_mut().space;
        if let Some(sites) = &mut self.sites {
            sites.note_survivors(self.young.nursery.top(), space);
        }
        space.free_young_large();
        self.large_bytes.set(0);
        self.came_bytes.set(0);
        self.young.empty(self.nursery_keeps(), self.config.check);
        if let Some(sites) = &mut self.sites {
            sites.begin(self.young.nursery.top());
        }
    }

    /// Lists the blocks with room, and gives free memory back that the next collections won't need soon: when the host
    /// has time, at once.
    pub(crate) fn give_memory_back(&mut self, at_once: bool) {
        let space = &mut self.old.get_mut().space;
        space.list_room();
        let keep = self.config.nursery_bytes + space.used_bytes() / KEEP_SHARE;
        // An idle drain comes when much may be young already, whose survivors must find room.
        let young = self.young.nursery.opened().max(self.pacer.trigger + RAISE_BYTES);
        space.give_back(keep, young, at_once);
    }

    /// Gives back what the nursery needed once and will not need soon.
    pub(crate) fn give_nursery_back(&mut self) {
        self.young.give_back(self.nursery_keeps());
    }

    /// Bytes of the nursery whose memory is kept. A host that comes late to its safepoint once comes late again: what it
    /// used by then is kept, within bounds.
    fn nursery_keeps(&self) -> usize {
        self.pacer.trigger * 2 + RAISE_BYTES
    }

    /// Decides when the next collection is due, and opens the nursery up to there.
    pub(crate) fn plan(&mut self, report: &Report) {
        self.pacer.learn(&self.config, report);
        self.wanted.set(self.config.check);
        self.open_nursery();
    }

    /// Opens the nursery up to the trigger, within bounds and as far as its first range goes, if there are blocks for so many
    /// survivors. If the system refuses them, every allocation will ask again.
    fn open_nursery(&mut self) {
        let bounds = [self.young.range_bytes(), self.room_bytes(), OPEN_BYTES_MAX];
        let bytes = bounds.into_iter().fold(self.pacer.trigger, usize::min);
        if self.old.get_mut().space.reserve(bytes, 0).is_ok() {
            self.young.open(bytes);
        }
    }

    pub(crate) fn finish_report(&mut self, report: &mut Report) {
        let old = self.old.get_mut();
        report.overflown = old.space.overflow.len();
        report.old_objects = old.space.objects;
        report.old_bytes = old.space.bytes;
        report.block_bytes = old.space.used_bytes();
        report.blocks_used = old.space.blocks_used();
        report.blocks_free = old.space.blocks_free();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LowTag;

    const LEAF: Shape = Shape::new(1, "leaf").raw_words(1);
    const CELL: Shape = Shape::new(2, "cell").references(1).mutable();

    #[test]
    fn where_the_next_collection_will_be_complete_no_write_is_noted() {
        let config = Config { short_collections: true, ..Config::DEFAULT };
        Heap::<LowTag>::branded(config, |mut heap| {
            let cell = heap.alloc(&CELL, 0).expect("memory").finish();
            let cell = heap.root(cell.into());
            let noted = |request| {
                heap.collect(request);
                let cell = heap.rooted(&cell).object().expect("a cell");
                heap.store(cell, 0, Value::EMPTY).expect("mutable");
                heap.touched.borrow().len()
            };
            // Of the first one nothing is known, and who asks for all of it may ask for a short one next.
            let requests = [Request::Auto, Request::Auto, Request::Complete, Request::Auto];
            assert_eq!(requests.map(noted), [1, 0, 1, 0]);
        })
        .expect("the settings agree");
    }

    #[test]
    fn a_heap_without_a_brand_leaves_its_memory_to_the_next() {
        let pool = Pool::new();
        // SAFETY: what the heap has stays with it.
        let make = || unsafe { Heap::<LowTag>::unbranded_in(&pool, Config::DEFAULT) };
        let chunks_of_next = || {
            let mut heap = make().expect("memory");
            let leaf = heap.alloc(&LEAF, 0).expect("memory").finish();
            let leaf = heap.root(leaf.into());
            assert_eq!(heap.collect(Request::Complete).old_objects, 1);
            assert!(heap.rooted(&leaf).object().is_some_and(|leaf| leaf.raw(0) == 0));
            heap.old.borrow().space.chunk_bases().clone()
        };
        assert_eq!(chunks_of_next(), chunks_of_next());
        let wrong = Config { nursery_bytes: 0, ..Config::DEFAULT };
        // SAFETY: there is no heap.
        assert!(unsafe { Heap::<LowTag>::unbranded_in(&pool, wrong) }.is_err());
    }
}
