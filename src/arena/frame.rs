//! Frames: what is made in one dies with it, at once.
//!
//! The finger of the nursery goes back to where it stood. That is allowed because nothing older than the frame can refer
//! to what was made in it: objects of the frame have a brand of its own, the session outside cannot be used meanwhile,
//! and stores into older objects are refused. What the frame returns is moved down to where the frame began, with what it
//! refers to, as in a compacting collection of the frame alone.

use std::marker::PhantomData;
use std::num::NonZeroUsize;

use nursery::Mark;

use super::gc::Gc;
use super::session::{Session, heap_object};
use super::trace::{Object, ObjectFamily};
use super::types::Typed;
use super::{Brand, Inner};
use crate::host::Host;
use crate::object::{First, ObjRef, poison};
use crate::old::{target, targets};
use crate::os::set_accessible;
use crate::shape::{Header, WORD_BYTES};

/// Where a frame began.
#[derive(Clone, Copy)]
pub(super) struct Open {
    mark: Mark,
    /// Large objects that were young then.
    large: usize,
}

/// What a frame may use of the session outside.
#[derive(Clone, Copy)]
pub struct Outer<'gc, 'f> {
    outside: Brand<'gc>,
    inside: Brand<'f>,
}

impl<'gc, 'f> Outer<'gc, 'f> {
    const NEW: Self = Outer { outside: PhantomData, inside: PhantomData };

    /// An object of the session outside, so that objects of the frame may refer to it.
    #[inline(always)]
    pub fn adopt<T: ?Sized + Object<'gc>>(
        self,
        object: Gc<'gc, T>,
    ) -> Gc<'f, <T::Family as ObjectFamily>::Of<'f>> {
        // SAFETY: the same object under the brand of a frame in the same arena, which is over before the session is.
        unsafe { Gc::from_address(object.address()) }
    }
}

/// Ends a frame, also when it unwinds.
struct Ending<'s> {
    inner: &'s Inner,
    open: Open,
    before: Option<Open>,
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.inner.frame.set(self.before);
    }
}

impl<'gc> Session<'gc> {
    /// Runs `f` in a frame: what it makes dies with it, except the object that it returns and what that refers to.
    ///
    /// The time it takes at the end follows what is returned, which is found, put in order and moved, and the number of
    /// large objects made, not what dies. If so much was made that the nursery (at least 64 MiB of addresses) had to go
    /// on elsewhere, nothing is moved, and the next collection finds what died.
    ///
    /// In a frame, objects outside may be read, and referred to after [`Outer::adopt`]. They cannot be set (but for cells
    /// that hold no pointers), and nothing can be rooted, watched or pointed to weakly.
    ///
    /// ```
    /// use frazil::arena::Arena;
    ///
    /// let mut arena = Arena::<()>::new(|_| ());
    /// arena.enter(|s, _| {
    ///     let before = s.allocated_bytes();
    ///     let longest = s.frame::<str>(|f, _| {
    ///         let words: Vec<_> = "a nursery is cheap".split(' ').map(|word| f.str(word)).collect();
    ///         words.into_iter().max_by_key(|word| word.len()).unwrap()
    ///     });
    ///     assert_eq!(&*longest, "nursery");
    ///     assert_eq!(s.allocated_bytes() - before, 16); // a header, and seven bytes
    /// });
    /// ```
    pub fn frame<F: ?Sized + ObjectFamily>(
        &mut self,
        f: impl for<'f> FnOnce(&mut Session<'f>, Outer<'gc, 'f>) -> Gc<'f, F::Of<'f>>,
    ) -> Gc<'gc, F::Of<'gc>> {
        let ending = self.open_frame();
        let kept = f(&mut Session::new(self.inner), Outer::NEW);
        let kept = self.inner.close_frame(ending, Some(heap_object(kept).obj()));
        let address = kept.and_then(|kept| NonZeroUsize::new(kept.address() + WORD_BYTES));
        // SAFETY: what the frame returned, where it is now; under the brand of the session it survives in.
        unsafe { Gc::from_address(address.expect("an object was kept")) }
    }

    /// Runs `f` in a frame ([`Session::frame`]) of which no object survives: ending it takes no time.
    pub fn scratch<T>(&mut self, f: impl for<'f> FnOnce(&mut Session<'f>, Outer<'gc, 'f>) -> T) -> T {
        let ending = self.open_frame();
        let result = f(&mut Session::new(self.inner), Outer::NEW);
        self.inner.close_frame(ending, None);
        result
    }

    fn open_frame(&self) -> Ending<'gc> {
        let inner = self.inner;
        let large = inner.heap.old.borrow().space.young_large.len();
        let open = Open { mark: inner.heap.young.nursery.mark(), large };
        Ending { inner, open, before: inner.frame.replace(Some(open)) }
    }

    /// Was the object with its value at `address` made in the frame that is open?
    #[cold]
    pub(super) fn is_in_frame(&self, address: usize) -> bool {
        // SAFETY: the object of a `Gc` that the caller holds.
        let object = unsafe { ObjRef::new(address - WORD_BYTES) };
        self.inner.frame.get().is_some_and(|open| self.inner.is_since(open, object))
    }

    /// # Panics
    /// A frame is open.
    #[track_caller]
    pub(super) fn forbid_in_frame(&self, what: &str) {
        assert!(self.inner.frame.get().is_none(), "{what} would outlive the frame that is open");
    }
}

/// An object that survives its frame.
struct Survivor {
    object: ObjRef,
    header: Header,
    /// Where it goes.
    to: ObjRef,
}

impl Inner {
    fn is_since(&self, open: Open, object: ObjRef) -> bool {
        self.heap.young.nursery.is_since(open.mark, object.address()) || self.is_large_since(open, object)
    }

    fn is_large_since(&self, open: Open, object: ObjRef) -> bool {
        self.heap.old.borrow().space.young_large[open.large..].contains(&object)
    }

    /// Ends what was made in the frame but for what `kept` leads to, and says where that is now.
    fn close_frame(&self, ending: Ending<'_>, kept: Option<ObjRef>) -> Option<ObjRef> {
        let open = ending.open;
        drop(ending);
        let nursery = &self.heap.young.nursery;
        if !nursery.is_in_place(open.mark) {
            return kept;
        }
        let mut survivors = self.survivors(open, kept);
        let end = self.assign(open, &mut survivors);
        let kept = kept.map(|kept| forwarded(&survivors, kept));
        redirect(&survivors);
        self.free_large_since(open, &survivors);
        slide(&survivors);
        self.go_on_at(end);
        kept
    }

    /// Everything made in the frame that can be reached from `kept`, in the order of addresses. In place of each
    /// header stands its number.
    fn survivors(&self, open: Open, kept: Option<ObjRef>) -> Vec<Survivor> {
        let mut survivors: Vec<Survivor> = Vec::new();
        let mut pending: Vec<ObjRef> = kept.into_iter().collect();
        while let Some(object) = pending.pop() {
            if let First::Header(header) = object.first()
                && self.is_since(open, object)
            {
                pending.extend(targets::<Typed>(object, header));
                object.replace_header(0);
                survivors.push(Survivor { object, header, to: object });
            }
        }
        survivors.sort_unstable_by_key(|survivor| survivor.object);
        for (survivor, number) in survivors.iter().zip(0..) {
            survivor.object.replace_header(number << 1);
        }
        survivors
    }

    /// Assigns places to the survivors in the nursery, from the frame's beginning, and says where they end.
    fn assign(&self, open: Open, survivors: &mut [Survivor]) -> usize {
        let mut at = open.mark.top();
        for survivor in survivors {
            if !self.is_large_since(open, survivor.object) {
                // SAFETY: the frame's own memory, at or below the object itself.
                survivor.to = unsafe { ObjRef::new(at) };
                at += survivor.header.nursery_bytes();
            }
        }
        at
    }

    /// Frees the large objects of the frame that do not survive.
    fn free_large_since(&self, open: Open, survivors: &[Survivor]) {
        let space = &mut self.heap.old.borrow_mut().space;
        for object in space.young_large.split_off(open.large) {
            match survivors.binary_search_by_key(&object, |survivor| survivor.object) {
                Ok(_) => space.young_large.push(object),
                Err(_) => space.free_large(object),
            }
        }
    }

    /// The nursery goes on at `end`.
    fn go_on_at(&self, end: usize) {
        let nursery = &self.heap.young.nursery;
        let bytes = nursery.top() - end;
        if self.heap.config.check {
            // SAFETY: what was made in the frame and lay there has ended.
            unsafe { poison(end, bytes) };
        }
        nursery.rewind(end);
        set_accessible(end, bytes, false);
    }
}

/// Where an object is when the survivors have moved.
fn forwarded(survivors: &[Survivor], object: ObjRef) -> ObjRef {
    match object.first() {
        First::Header(_) => object,
        First::Replaced(number) => survivors[(number >> 1) as usize].to,
    }
}

/// Lets all references among the survivors lead to where they will be.
fn redirect(survivors: &[Survivor]) {
    for survivor in survivors {
        for slot in survivor.object.slots::<Typed>(survivor.header) {
            if let Some(object) = target::<Typed>(slot.get()) {
                slot.set(Typed::word(forwarded(survivors, object).address(), slot.get()));
            }
        }
    }
}

/// Moves the survivors, the lowest first, and gives them their headers back.
fn slide(survivors: &[Survivor]) {
    for Survivor { object, header, to } in survivors {
        let from: *const u64 = std::ptr::with_exposed_provenance(object.address());
        let place: *mut u64 = std::ptr::with_exposed_provenance_mut(to.address());
        // SAFETY: whole objects in the frame's memory; what lies at the place has been moved already, or has ended.
        unsafe { place.copy_from(from, header.words()) };
        to.set_header(*header);
    }
}
