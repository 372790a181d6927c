//! Recording: what happened between two collections is found out around the second of them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io::{self, Write};

use crate::heap::Heap;
use crate::host::Host;
use crate::object::{ObjRef, Slot};
use crate::old::target;
use crate::pacing::Request;
use crate::shape::{BORN_MUTABLE, BYTES, Header, MUTABLE, WORD_BYTES};
use crate::space::CARD_BYTES;
use crate::stats::{Kind, Report};
use crate::tuning::Config;
use crate::weak::fate;

use super::RecordError;
use super::format::{self, END, EPOCH, HEAD, MAGIC, SHAPE, Totals, VERSION, put, put_near, section};

/// What a reference was found to lead to. A young object will be elsewhere when the epoch is written.
#[derive(Clone, Copy)]
enum Target {
    None,
    Old(ObjRef),
    Young(ObjRef),
}

/// Stores in an old object, which has this number: in which references, and what.
struct Stored {
    object: ObjRef,
    number: u64,
    changed: Vec<(usize, Target)>,
}

/// An object that was young before the collection.
struct Born {
    young: ObjRef,
    header: Header,
    /// Where it is, if it survived.
    old: Option<ObjRef>,
}

/// See the module's head. Its memory is in proportion to the old objects.
pub(crate) struct Recorder {
    out: Box<dyn Write>,
    error: Option<io::Error>,
    /// The numbers of old objects. Dead ones stay until their address is used again.
    numbers: HashMap<ObjRef, u64>,
    /// What old mutable objects were last seen to refer to: 0, or an address. Old objects do not move, and what is
    /// referred to is not freed: the same address is the same object.
    known: HashMap<ObjRef, Box<[usize]>>,
    /// Flags, small number and host's number of shapes.
    shapes: HashMap<(u16, u64, usize), u64>,
    roots: [Vec<u64>; 2],
    totals: Totals,
    /// What was frozen since the last collection.
    frozen: RefCell<Vec<ObjRef>>,
    born: Vec<Born>,
    /// What was stored in old objects since the last collection.
    stores: Vec<Stored>,
    freezes: Vec<u64>,
}

impl Recorder {
    fn new(out: Box<dyn Write>) -> Recorder {
        Recorder {
            out,
            error: None,
            numbers: HashMap::new(),
            known: HashMap::new(),
            shapes: HashMap::new(),
            roots: Default::default(),
            totals: Totals::default(),
            frozen: RefCell::default(),
            born: Vec::new(),
            stores: Vec::new(),
            freezes: Vec::new(),
        }
    }

    /// The first error is kept; after it nothing more is written.
    fn write(&mut self, bytes: &[u8]) {
        if self.error.is_none() {
            self.error = self.out.write_all(bytes).err();
        }
    }

    fn write_section(&mut self, kind: u8, held: &[u8]) {
        match section(kind, held) {
            Ok(section) => self.write(&section),
            Err(error) => self.error = self.error.take().or(Some(error)),
        }
    }

    /// Before a collection: everything young, and what was written into the old.
    fn before<H: Host>(&mut self, heap: &Heap<'_, H>) {
        let old = heap.old.borrow();
        let young = heap.young_objects(&old).into_iter();
        self.born = young.map(|young| Born { young, header: young.header(), old: None }).collect();
        for touch in heap.touched.borrow().iter() {
            let (object, header) = (touch.object, touch.object.header());
            let slots = match touch.card {
                None => 0..header.references(),
                Some(card) => of_card(header, card),
            };
            let is_young = |object| old.is_young(object, &heap.young.nursery);
            self.changes::<H>(object, header, slots, is_young);
        }
        for object in std::mem::take(self.frozen.get_mut()) {
            if !old.is_young(object, &heap.young.nursery)
                && let Some(&number) = self.numbers.get(&object)
            {
                self.freezes.push(number);
            }
        }
    }

    /// Notes which of these references of an old object are not what they were.
    fn changes<H: Host>(
        &mut self,
        object: ObjRef,
        header: Header,
        slots: std::ops::Range<usize>,
        is_young: impl Fn(ObjRef) -> bool,
    ) {
        let (Some(known), Some(&number)) = (self.known.get(&object), self.numbers.get(&object)) else {
            return;
        };
        let changed = slots.filter_map(|index| {
            let now = target::<H>(object.slot::<H>(header, index).get());
            let target = match now {
                _ if now.map_or(0, ObjRef::address) == known[index] => return None,
                None => Target::None,
                Some(young) if is_young(young) => Target::Young(young),
                Some(old) => Target::Old(old),
            };
            Some((index, target))
        });
        let changed: Vec<_> = changed.collect();
        if !changed.is_empty() {
            self.stores.push(Stored { object, number, changed });
        }
    }

    /// At the end of a collection, while the nursery still knows: what became of the young objects.
    fn follow(&mut self, fate: impl Fn(ObjRef) -> Option<ObjRef>) {
        for born in &mut self.born {
            born.old = fate(born.young);
        }
    }

    /// After a collection: writes the epoch.
    fn after<H: Host>(&mut self, heap: &mut Heap<'_, H>, report: &Report) {
        let born = std::mem::take(&mut self.born);
        let first = self.totals.survivors;
        let survivors: Vec<ObjRef> = born.iter().filter_map(|born| born.old).collect();
        self.numbers.extend(survivors.iter().copied().zip(first..));
        let mut epoch = Vec::new();
        self.births(&born, &mut epoch);
        for (&object, number) in survivors.iter().zip(first..) {
            self.contents::<H>(object, number, &mut epoch);
        }
        self.changed(&born, &mut epoch);
        let ready = heap.finalizers.get_mut().ready_slots();
        let words = [heap.stack.slots().collect::<Vec<_>>(), heap.handles.slots().chain(ready).collect()];
        for (place, words) in words.into_iter().enumerate() {
            let now: Vec<u64> = words.into_iter().map(|slot| self.number_of::<H>(slot)).collect();
            put_changes(&mut epoch, &self.roots[place], &now);
            self.roots[place] = now;
        }
        let exact = report.kind == Kind::Complete && report.waiting == 0;
        put(&mut epoch, if exact { report.old_objects as u64 + 1 } else { 0 });
        self.totals.epochs += 1;
        self.totals.objects += born.len() as u64;
        self.totals.survivors += survivors.len() as u64;
        self.totals.bytes += born.iter().map(|born| born.header.nursery_bytes() as u64).sum::<u64>();
        self.write_section(EPOCH, &epoch);
    }

    fn births(&mut self, born: &[Born], epoch: &mut Vec<u8>) {
        put(epoch, born.len() as u64);
        for born in born {
            let shape = self.shape(born.header);
            put(epoch, shape << 1 | u64::from(born.old.is_some()));
            put(epoch, born.header.length() as u64);
        }
    }

    /// The number of a shape, which is written when it is met first.
    fn shape(&mut self, header: Header) -> u64 {
        let flags = u64::from(header.has(BYTES)) | u64::from(header.has(BORN_MUTABLE)) << 1;
        let small = if header.has(BYTES) { header.references() } else { header.raw_words() };
        let (key, next) = ((header.shape_id(), flags, small), self.shapes.len() as u64);
        if let Some(&number) = self.shapes.get(&key) {
            return number;
        }
        self.shapes.insert(key, next);
        let mut shape = Vec::new();
        for number in [u64::from(key.0), flags, small as u64] {
            put(&mut shape, number);
        }
        self.write_section(SHAPE, &shape);
        next
    }

    /// What a survivor refers to.
    fn contents<H: Host>(&mut self, object: ObjRef, number: u64, epoch: &mut Vec<u8>) {
        let header = object.header();
        let targets: Vec<u64> = object.slots::<H>(header).map(|slot| self.number_of::<H>(slot)).collect();
        let given = targets.iter().rposition(|&target| target != 0).map_or(0, |last| last + 1);
        put(epoch, (given as u64) << 1 | u64::from(header.was_frozen()));
        for &target in &targets[..given] {
            put_near(epoch, number, target);
        }
        // The address may have been that of another object.
        match header.has(MUTABLE) && !targets.is_empty() {
            true => {
                let address = |slot: Slot| target::<H>(slot.get()).map_or(0, ObjRef::address);
                self.known.insert(object, object.slots::<H>(header).map(address).collect())
            }
            false => self.known.remove(&object),
        };
    }

    /// What was stored in old objects, and which were frozen.
    fn changed(&mut self, born: &[Born], epoch: &mut Vec<u8>) {
        let stores = std::mem::take(&mut self.stores);
        let moved: HashMap<ObjRef, ObjRef> = match stores.is_empty() {
            true => HashMap::new(),
            false => born.iter().filter_map(|born| Some((born.young, born.old?))).collect(),
        };
        put(epoch, stores.len() as u64);
        for Stored { object, number, changed } in stores {
            put(epoch, number);
            put(epoch, changed.len() as u64);
            self.totals.stores += changed.len() as u64;
            for (index, target) in changed {
                let target = match target {
                    Target::None => None,
                    Target::Old(old) => Some(old),
                    // What did not survive was stored in something dead.
                    Target::Young(young) => moved.get(&young).copied(),
                };
                put(epoch, index as u64);
                put(epoch, self.number(target));
                if let Some(known) = self.known.get_mut(&object) {
                    known[index] = target.map_or(0, ObjRef::address);
                }
            }
        }
        let freezes = std::mem::take(&mut self.freezes);
        put(epoch, freezes.len() as u64);
        for number in freezes {
            put(epoch, number);
        }
    }

    /// 0, or one more than the number of an old object.
    fn number(&self, object: Option<ObjRef>) -> u64 {
        object.and_then(|object| self.numbers.get(&object)).map_or(0, |number| number + 1)
    }

    /// The same for what an up-to-date slot refers to.
    fn number_of<H: Host>(&self, slot: Slot) -> u64 {
        self.number(target::<H>(slot.get()))
    }

    fn end(mut self) -> Result<Totals, RecordError> {
        let Totals { epochs, objects, survivors, stores, bytes } = self.totals;
        let mut end = Vec::new();
        for number in [epochs, objects, survivors, stores, bytes] {
            put(&mut end, number);
        }
        self.write_section(END, &end);
        match self.error {
            Some(error) => Err(RecordError::Io(error)),
            None => self.out.flush().map(|()| self.totals).map_err(RecordError::Io),
        }
    }
}

/// The references in a card of a large object.
fn of_card(header: Header, card: usize) -> std::ops::Range<usize> {
    let words = CARD_BYTES / WORD_BYTES;
    let reference = |word: usize| word.saturating_sub(header.first_reference()).min(header.references());
    reference(card * words)..reference((card + 1) * words)
}

/// How long a list is, and what is not as it was.
fn put_changes(epoch: &mut Vec<u8>, before: &[u64], now: &[u64]) {
    let changed = || {
        let before = before.iter().chain(std::iter::repeat(&0));
        now.iter().zip(before).enumerate().filter(|(_, (now, before))| now != before)
    };
    put(epoch, now.len() as u64);
    put(epoch, changed().count() as u64);
    for (index, (&now, _)) in changed() {
        put(epoch, index as u64);
        put(epoch, now);
    }
}

impl<H: Host> Heap<'_, H> {
    /// Records everything from now on. `producer` says who records; `settings` are those that the program's heap has
    /// when it does not record. See [`crate::trace`].
    ///
    /// Nothing is slower for it between collections; collections take about twice the time, and one follows every 64 KiB. While
    /// there are weak references all of them are complete: with much mutable data, a program takes several times as long.
    /// Errors of `out` are told at the end.
    ///
    /// # Errors
    /// The heap has not the settings of [`Config::recording`], belongs to a group, or has collected already.
    pub fn record(
        &mut self,
        out: impl Write + 'static,
        producer: &str,
        settings: &Config,
    ) -> Result<(), RecordError> {
        if self.config != self.config.recording() {
            return Err(RecordError::Settings);
        }
        if self.old.get_mut().abroad.is_some() {
            return Err(RecordError::InGroup);
        }
        if self.stats.collections() > 0 {
            return Err(RecordError::TooLate);
        }
        let mut recorder = Recorder::new(Box::new(out));
        recorder.write(&MAGIC);
        recorder.write(&[VERSION]);
        recorder.write_section(HEAD, &format::head(producer, settings));
        self.recorder = Some(Box::new(recorder));
        Ok(())
    }

    /// Ends the recording with a complete collection. Says how much was recorded.
    ///
    /// # Errors
    /// Nothing is being recorded, or it could not be written.
    pub fn end_record(&mut self) -> Result<Totals, RecordError> {
        if self.recorder.is_none() {
            return Err(RecordError::NotRecording);
        }
        self.collect(Request::Complete);
        self.recorder.take().ok_or(RecordError::NotRecording)?.end()
    }

    /// What was frozen is noted, if anybody wants to know.
    #[inline]
    pub(crate) fn note_frozen(&self, object: ObjRef) {
        if let Some(recorder) = &self.recorder {
            recorder.frozen.borrow_mut().push(object);
        }
    }

    /// Before a collection.
    pub(crate) fn record_before(&mut self) {
        if let Some(mut recorder) = self.recorder.take() {
            recorder.before(self);
            self.recorder = Some(recorder);
        }
    }

    /// At the end of a collection, before the nursery is emptied.
    pub(crate) fn record_fates(&mut self) {
        if let Some(recorder) = &mut self.recorder {
            let (nursery, old) = (&self.young.nursery, &*self.old.get_mut());
            recorder.follow(|object| fate(object, nursery, old));
        }
    }

    /// After a collection.
    pub(crate) fn record_after(&mut self, report: &Report) {
        if let Some(mut recorder) = self.recorder.take() {
            recorder.after(self, report);
            self.recorder = Some(recorder);
        }
    }

    /// Weak references can lead to what only a complete collection would have found dead; a trace has no weak
    /// references, so no collection may be short then.
    pub(crate) fn record_request(&self, request: Request) -> Request {
        match self.recorder.is_some() && self.weaks.borrow().any() {
            true => Request::Complete,
            false => request,
        }
    }
}
