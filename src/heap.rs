//! The heap, as a mutator sees it: allocation, stores, freezing, roots.
//!
//! Everything here but [`Heap::collect`] takes `&self` and moves nothing. When the nursery has taken as many
//! bytes as it should, allocation goes on in more memory and [`Heap::should_collect`] becomes true; the host
//! collects at its next safepoint.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::marker::PhantomData;

use memoffset::offset_of;
use nursery::Nursery;

use crate::Fault;
use crate::collect::collect;
use crate::collect::drain::Budget;
use crate::object::{self, ObjRef};
use crate::old::Old;
use crate::os::{Mapping, Refused, set_accessible};
use crate::roots::{Handle, Handles, RootStack};
use crate::shape::{FINALIZABLE, GUARDED, MUTABLE, SEEN, Shape, WORD_BYTES, WRITE_MASK};
use crate::space::{CARD_BYTES, Space, card_byte};
use crate::stats::{Kind, Report, Stats};
use crate::tuning::{Config, ConfigError};
use crate::value::{Brand, Fresh, Host, Object, Value};
use crate::weak::{Finalizers, Weak, Weaks, old_fate};

/// Bytes by which the nursery's limit is raised at a time. Larger: fewer looks at the heap limit. Smaller: it
/// is kept more exactly.
const RAISE_BYTES: usize = 64 << 10;

/// An allocation that was refused. The heap is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AllocError {
    /// The heap limit would be passed. A collection may help.
    Limit {
        /// Bytes asked for.
        requested: usize,
        /// Bytes that nursery and old blocks take.
        used: usize,
        /// The limit.
        limit: usize,
    },
    /// The system gave no memory for these bytes.
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

/// What is told of every collection.
type Observer = Box<dyn FnMut(&Report)>;

/// A generational heap for one thread. `'id` is its brand, `H` says how its words are tagged.
pub struct Heap<'id, H: Host> {
    pub(crate) config: Config,
    pub(crate) nursery: Nursery,
    /// The memory behind the nursery: the range it begins in, then those it spilled into.
    ranges: RefCell<Vec<Mapping>>,
    /// Checking mode: the nurseries of the last collections, inaccessible.
    forbidden: VecDeque<Mapping>,
    /// A collection is due.
    wanted: Cell<bool>,
    /// Bytes that may be allocated before a collection is due.
    trigger: Cell<usize>,
    /// The largest object that is born in the nursery.
    cell_bytes_max: usize,
    /// Bytes of large objects allocated since the last collection.
    large_bytes: Cell<usize>,
    pub(crate) old: RefCell<Old>,
    pub(crate) stack: RootStack,
    pub(crate) handles: Handles,
    /// What was written since the last collection, of what it had seen.
    pub(crate) touched: RefCell<Vec<Touch>>,
    /// Something was frozen since the last complete collection.
    pub(crate) froze: Cell<bool>,
    pub(crate) weaks: RefCell<Weaks>,
    pub(crate) finalizers: RefCell<Finalizers>,
    /// Bytes of old objects after the last complete collection.
    old_bytes_complete: usize,
    /// Bytes that the last complete collection traced.
    traced_bytes_complete: usize,
    pub(crate) stats: Stats,
    /// Told of every collection.
    observer: Option<Observer>,
    brand: Brand<'id, H>,
}

/// Which collection is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// The heap's policy chooses.
    Auto,
    /// Roots, touched objects and young survivors only.
    Short,
    /// Everything: nothing unreachable is left (unless the drain works in instalments).
    Complete,
}

impl<H: Host> Heap<'_, H> {
    /// Makes a heap with a brand of its own and passes it to `f`. Values of different heaps cannot be mixed up.
    ///
    /// # Errors
    /// The settings do not agree, or the system gives no memory.
    pub fn branded<R>(config: Config, f: impl for<'id> FnOnce(Heap<'id, H>) -> R) -> Result<R, ConfigError> {
        Heap::make(config).map(f)
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
        Heap::make(config)
    }
}

impl<'id, H: Host> Heap<'id, H> {
    /// For code that allocates inline: where in the heap the address of the next object stands. An object of
    /// `n` bytes (a multiple of 16) may be made there if `limit - top >= n`; then `top` goes up by `n`.
    pub const TOP_OFFSET: usize = offset_of!(Self, nursery) + Nursery::TOP_OFFSET;
    /// For code that allocates inline: where in the heap the address stands that no object may pass.
    pub const LIMIT_OFFSET: usize = offset_of!(Self, nursery) + Nursery::LIMIT_OFFSET;
    /// For code that polls inline: where in the heap the byte stands that is not 0 when a collection is due.
    pub const WANTED_OFFSET: usize = offset_of!(Self, wanted);

    fn make(config: Config) -> Result<Self, ConfigError> {
        config.check()?;
        let refused = |_: Refused| ConfigError("the system gave no memory for the nursery or the root stack");
        let range = nursery_range(config.nursery_bytes).map_err(refused)?;
        let trigger = trigger(&config, 0, 0);
        let heap = Heap {
            nursery: Nursery::new(range.range()),
            ranges: RefCell::new(vec![range]),
            forbidden: VecDeque::new(),
            wanted: Cell::new(config.check),
            trigger: Cell::new(trigger),
            cell_bytes_max: blocks::classes::cell_bytes_max(config.block_bytes),
            large_bytes: Cell::new(0),
            old: RefCell::new(Old::new(Space::new(config.block_bytes, config.check), config.count_max)),
            stack: RootStack::new(config.stack_words).map_err(refused)?,
            handles: Handles::default(),
            touched: RefCell::default(),
            froze: Cell::new(false),
            weaks: RefCell::default(),
            finalizers: RefCell::default(),
            old_bytes_complete: 0,
            traced_bytes_complete: 0,
            stats: Stats::default(),
            observer: None,
            brand: PhantomData,
            config,
        };
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
    #[inline]
    pub fn alloc(&self, shape: &Shape, len: usize) -> Result<Fresh<'_, 'id, H>, AllocError> {
        let header = shape.header(len).ok_or(AllocError::TooLong { len })?;
        let bytes = object::cell_bytes(header);
        let small = bytes <= self.cell_bytes_max;
        let address = match if small { self.nursery.bump(bytes) } else { None } {
            Some(address) => address,
            None => self.alloc_slow(bytes)?,
        };
        // SAFETY: the nursery or the old space handed out `bytes` unused bytes; nobody else knows the object yet.
        unsafe {
            let object = object::initialise(address, header, H::EMPTY);
            Ok(Fresh::new(Object::from_bits(H::word(object.address(), H::EMPTY))))
        }
    }

    /// The limit of the nursery is reached, or the object is a large one.
    #[cold]
    fn alloc_slow(&self, bytes: usize) -> Result<usize, AllocError> {
        let used = self.used_bytes();
        if let Some(limit) = self.config.limit_bytes
            && used.saturating_add(bytes) > limit
        {
            self.wanted.set(true);
            return Err(AllocError::Limit { requested: bytes, used, limit });
        }
        let refused = |_: Refused| AllocError::System { requested: bytes };
        let address = if bytes > self.cell_bytes_max {
            self.large_bytes.set(self.large_bytes.get() + bytes);
            self.old.borrow_mut().space.large(bytes).map_err(refused)?
        } else {
            self.extend_nursery(used, bytes).map_err(refused)?
        };
        if self.allocated_bytes() >= self.trigger.get() {
            self.wanted.set(true);
        }
        Ok(address)
    }

    /// Lets the nursery take some more, in another range if this one is full.
    fn extend_nursery(&self, used: usize, bytes: usize) -> Result<usize, Refused> {
        let allowed = self.config.limit_bytes.map_or(usize::MAX, |limit| limit.saturating_sub(used));
        let more = RAISE_BYTES.min(allowed).max(bytes);
        if !self.nursery.raise(more, bytes) {
            let range = nursery_range(self.config.nursery_bytes)?;
            self.nursery.spill(range.range());
            self.ranges.borrow_mut().push(range);
            self.nursery.raise(more, bytes);
        }
        self.nursery.bump(bytes).ok_or(Refused)
    }

    /// Bytes allocated since the last collection.
    pub fn allocated_bytes(&self) -> usize {
        self.nursery.used() + self.large_bytes.get()
    }

    /// Bytes that the nursery's objects and the old blocks take, which is what the limit bounds.
    pub fn used_bytes(&self) -> usize {
        self.nursery.used() + self.old.borrow().space.used_bytes()
    }

    /// An object of the text shape `shape` that holds `text`.
    ///
    /// # Errors
    /// As [`Heap::alloc`].
    ///
    /// # Panics
    /// The shape is not a text shape, or has references.
    #[inline]
    pub fn text(&self, shape: &Shape, text: &str) -> Result<Object<'_, 'id, H>, AllocError> {
        self.text_of(shape, &[text])
    }

    /// An object of the text shape `shape` that holds all `parts`, one after the other.
    ///
    /// # Errors
    /// As [`Heap::alloc`].
    ///
    /// # Panics
    /// The shape is not a text shape, or has references.
    pub fn text_of(&self, shape: &Shape, parts: &[&str]) -> Result<Object<'_, 'id, H>, AllocError> {
        assert!(shape.is_text(), "{} is no text shape", shape.name());
        let mut fresh = self.alloc(shape, parts.iter().map(|part| part.len()).sum())?;
        let mut rest = fresh.any_bytes_mut();
        for part in parts {
            let (here, after) = rest.split_at_mut(part.len());
            here.copy_from_slice(part.as_bytes());
            rest = after;
        }
        Ok(fresh.finish())
    }

    /// Is a collection due? A host asks this at its safepoints; it costs one load.
    #[inline(always)]
    pub fn should_collect(&self) -> bool {
        self.wanted.get()
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
        let header = object.header();
        assert!(index < header.references(), "reference {index} of {}", header.references());
        if header.0 & WRITE_MASK != MUTABLE {
            self.touch(object.obj(), index, index + 1)?;
        }
        object.obj().slot(header, index).set(value.bits());
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

    /// May `object` be written now? It counts as touched from then on. For hosts that keep more than references
    /// in an object and want the same answer for all of it.
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
    fn touch(&self, object: ObjRef, start: usize, end: usize) -> Result<(), StoreError> {
        let header = object.header();
        if !header.has(MUTABLE) {
            return Err(StoreError::Frozen);
        }
        if header.has(GUARDED) {
            return Err(StoreError::Guarded);
        }
        if H::commits(Fault::MissedTouch) {
            return Ok(());
        }
        let bytes = object::cell_bytes(header);
        if bytes <= self.cell_bytes_max {
            object.clear_flags(SEEN);
            self.touched.borrow_mut().push(Touch { object, card: None });
            return Ok(());
        }
        let card_of = |reference: usize| (header.first_reference() + reference) * WORD_BYTES / CARD_BYTES;
        for card in card_of(start)..card_of(end.max(start + 1) - 1) + 1 {
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
        if guarded {
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
        }
        mutable
    }

    /// Freezes everything mutable that can be reached from `value`, in place. Says how many objects were frozen.
    ///
    /// It visits every object that is young or traced once; counted ones refer to nothing mutable.
    pub fn freeze_deep(&self, value: Value<'_, 'id, H>) -> usize {
        crate::freeze::deep(self, value.bits())
    }

    // ------------------------------------------------------------------ roots

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

    /// The words of the root stack from `base`, as cells.
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

    // ------------------------------------------------------------------ weak references and finalization

    /// A reference that does not keep `object` alive.
    pub fn weak(&self, object: Object<'_, 'id, H>) -> Weak<'id> {
        Weak { index: self.weaks.borrow_mut().insert(object.obj()), brand: PhantomData }
    }

    /// The object of a weak reference, unless a collection found it dead.
    pub fn upgrade(&self, weak: &Weak<'id>) -> Option<Object<'_, 'id, H>> {
        let object = self.weaks.borrow().get(weak.index)?;
        // What only dead objects in the buffer refer to may be found here. It must outlive them now.
        let mut old = self.old.borrow_mut();
        if !old.is_young(object, &self.nursery) {
            old.retain(object);
        }
        // SAFETY: entries of live objects are kept up to date by every collection, those of dead ones cleared.
        Some(unsafe { Object::from_bits(H::word(object.address(), H::EMPTY)) })
    }

    /// Ends a weak reference.
    pub fn forget_weak(&self, weak: Weak<'id>) {
        self.weaks.borrow_mut().remove(weak.index);
    }

    /// After its death `object` is to come to the finalizer queue, with `token`. Once for each call.
    pub fn finalize(&self, object: Object<'_, 'id, H>, token: u64) {
        object.obj().set_flags(FINALIZABLE);
        self.finalizers.borrow_mut().register(object.obj(), token);
        self.old.borrow_mut().any_finalizable = true;
    }

    /// The next object of the finalizer queue, with its token. From now on it is an object like any other.
    ///
    /// When several die in one collection, they come in the order in which they were registered, except that
    /// counted ones come as the drain finds them: those that refer to others before those.
    pub fn next_finalizable(&self) -> Option<(Object<'_, 'id, H>, u64)> {
        let (word, token) = self.finalizers.borrow_mut().ready.pop_front()?;
        // SAFETY: the queue is a root until here; the word was brought up to date by every collection.
        Some((unsafe { Object::from_bits(word) }, token))
    }

    // ------------------------------------------------------------------ collection

    /// Collects now. No value survives this call; roots, handles and weak references are up to date after it.
    ///
    /// # Errors
    /// The system refused memory that the collection needs. Nothing has changed.
    ///
    /// # Panics
    /// In checking mode, if the verification finds an invariant broken.
    pub fn collect(&mut self, request: Request) -> Result<Report, AllocError> {
        if self.config.check && self.choose(request) == Kind::Short {
            self.verify_touches()
                .unwrap_or_else(|violation| panic!("before a short collection: {violation}"));
        }
        let report = collect(self, request)?;
        self.stats.add(&report);
        if self.config.check
            && let Err(violation) = self.verify()
        {
            panic!("collection {} broke the heap: {violation}", report.number);
        }
        if let Some(observer) = &mut self.observer {
            observer(&report);
        }
        Ok(report)
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
        self.make_revived_ready(&mut report);
        let (old, nursery) = (&*self.old.get_mut(), &self.nursery);
        self.weaks.get_mut().update(|object| {
            if old.is_young(object, nursery) { Some(object) } else { old_fate(object, old) }
        });
        self.give_memory_back();
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

    // What follows are the steps of a collection that look at the whole heap.

    /// The policy: complete while there is little to trace or the limit is near; otherwise short, if the host
    /// allows it, until the old generation has grown.
    pub(crate) fn choose(&self, request: Request) -> Kind {
        let config = &self.config;
        if request == Request::Complete || !config.short_collections {
            return Kind::Complete;
        }
        if request == Request::Short {
            return Kind::Short;
        }
        let old_bytes = self.old.borrow().space.bytes;
        let growth = percent(self.old_bytes_complete, config.growth_percent).max(config.growth_bytes);
        let cheap = self.traced_bytes_complete < percent(config.nursery_bytes, config.cheap_percent);
        let grown = old_bytes >= self.old_bytes_complete + growth;
        let near_limit = config.limit_bytes.is_some_and(|limit| self.used_bytes() > limit / 8 * 7);
        // Cheap as the last one was: with so much new since then, this one might not be.
        let still_cheap = cheap && old_bytes <= self.old_bytes_complete + config.nursery_bytes;
        if still_cheap || grown || near_limit { Kind::Complete } else { Kind::Short }
    }

    /// Finalizable counted objects that died in this drain go to the queue.
    pub(crate) fn make_revived_ready(&mut self, report: &mut Report) {
        let (old, finalizers) = (self.old.get_mut(), self.finalizers.get_mut());
        report.finalizable += old.revived.len();
        if !old.revived.is_empty() {
            finalizers.revive::<H>(std::mem::take(&mut old.revived));
        }
        old.any_finalizable = !finalizers.is_empty();
    }

    /// Ends the young objects: large ones that were not reached, and everything in the nursery.
    pub(crate) fn free_young(&mut self) {
        let space = &mut self.old.get_mut().space;
        for object in std::mem::take(&mut space.young_large) {
            if space.state(object.address()).young.get() {
                space.free_large(object);
            }
        }
        self.large_bytes.set(0);
    }

    /// Lists the blocks with room, and gives free memory back that the next collections won't need soon.
    pub(crate) fn give_memory_back(&mut self) {
        let space = &mut self.old.get_mut().space;
        space.list_room();
        let keep = self.config.nursery_bytes + space.used_bytes() / KEEP_SHARE;
        space.give_back(keep, self.trigger.get() + RAISE_BYTES);
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

    /// Decides when the next collection is due, and opens the nursery up to there.
    pub(crate) fn plan(&mut self, report: &Report) {
        if report.kind == Kind::Complete {
            self.old_bytes_complete = report.old_bytes;
            self.traced_bytes_complete = report.traced_bytes;
        }
        self.trigger.set(trigger(&self.config, report.traced_bytes, report.block_bytes));
        self.wanted.set(self.config.check);
        self.renew_nursery();
        self.open_nursery();
    }

    /// Empties the nursery. In checking mode its memory is made inaccessible, and another takes its place.
    fn renew_nursery(&mut self) {
        let ranges = self.ranges.get_mut();
        let used = self.nursery.used();
        for range in self.nursery.occupied() {
            set_accessible(range.start, range.len(), false);
        }
        if self.config.check
            && let Ok(range) = nursery_range(self.config.nursery_bytes)
        {
            for old in ranges.drain(..) {
                old.forbid();
                self.forbidden.push_back(old);
            }
            self.forbidden.drain(..self.forbidden.len().saturating_sub(FORBIDDEN_MAX));
            ranges.push(range);
        }
        ranges.truncate(1);
        let range = ranges[0].range();
        let kept = (range.start + self.trigger.get() + RAISE_BYTES).min(range.end);
        if used > self.trigger.get() + RAISE_BYTES {
            ranges[0].give_back(kept..range.end);
        }
        self.nursery.reset(range);
    }

    fn open_nursery(&self) {
        self.nursery.raise(self.trigger.get(), 0);
    }
}

/// How many bytes may be allocated before a collection is due, after one that traced `traced_bytes` and left
/// blocks of `block_bytes`: the nursery follows the traced part (unless short collections save the tracing),
/// but keeps away from the limit.
fn trigger(config: &Config, traced_bytes: usize, block_bytes: usize) -> usize {
    let following = percent(traced_bytes, config.nursery_percent_of_traced);
    let wanted = config.nursery_bytes.max(if config.short_collections { 0 } else { following });
    match config.limit_bytes {
        None => wanted,
        Some(limit) => wanted.min((limit.saturating_sub(block_bytes) / 2).max(TRIGGER_BYTES_MIN)),
    }
}

fn percent(bytes: usize, percent: u32) -> usize {
    bytes / 100 * percent as usize
}

/// Address space for a nursery: far more than the configured bytes, for the host may reach its safepoint late
/// and the nursery may follow the traced part. Only what is used takes memory.
fn nursery_range(nursery_bytes: usize) -> Result<Mapping, Refused> {
    Mapping::new(nursery_bytes.saturating_mul(4).max(NURSERY_RANGE_BYTES), 1 << 12)
}

/// Bytes of the smallest nursery range. Larger: fewer ranges for late safepoints. Smaller: less address space.
const NURSERY_RANGE_BYTES: usize = 64 << 20;
/// However near the limit is, a collection is not due before so many bytes.
const TRIGGER_BYTES_MIN: usize = 16 << 10;
/// This part of the blocks' bytes is kept when free, in addition to the nursery's size. Larger: more goes back
/// to the system. Smaller: fewer page faults.
const KEEP_SHARE: usize = 16;
/// So many old nurseries stay inaccessible in checking mode; then their addresses may come again.
const FORBIDDEN_MAX: usize = 8;
