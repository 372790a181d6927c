//! The heap under test, as the runner uses it. Everything that depends on the collector's interface is here.

use frazil::{
    AllocError, Handle, Heap, Host, LiveObject, Object, Report, Request, StoreError, Tally, Value, Weak,
};

use crate::coverage::{Coverage, Event};
use crate::history::Demand;
use crate::judge::{Moment, Part, Sighting};
use crate::kind::{Kind, Tail};
use crate::plan::Act;
use crate::shadow::{Answer, Id, Word};

/// What the host holds across collections, in the same order as the shadow does.
#[derive(Default)]
pub struct Held<'id> {
    /// The handles.
    pub handles: Vec<Handle<'id>>,
    /// The weak references.
    pub weaks: Vec<Weak<'id>>,
}

/// What the host holds until the next collection: its objects, by [`Id::index`].
pub struct Hand<'s, 'id, H: Host> {
    heap: &'s Heap<'id, H>,
    objects: Vec<Option<Object<'s, 'id, H>>>,
}

/// What the heap says to an act.
#[derive(Debug)]
pub enum Outcome {
    /// Something that the shadow can foretell.
    Answer(Answer),
    /// The object of a weak reference, if it is still there.
    Upgraded(Option<Id>),
    /// The next object to be finalized.
    Taken(Option<(Id, u64)>),
}

/// The bits of an immediate. Their lowest are those of no reference and not those of the empty value.
fn immediate(number: u32) -> u64 {
    u64::from(number) << 3 | 2
}

/// Which object this is.
///
/// # Errors
/// It carries no mark.
pub fn identify<H: Host>(object: Object<'_, '_, H>) -> Result<Id, String> {
    let shape = object.shape_id();
    let kind =
        Kind::of_shape(shape).ok_or_else(|| format!("there is an object of the unknown shape {shape}"))?;
    let mark = match kind.tail() {
        Tail::Bytes => object.number::<u64>(0),
        Tail::Fixed | Tail::References => object.raw(0),
    };
    kind.marked(mark).ok_or_else(|| format!("a {} carries the unknown mark {mark:#x}", kind.name()))
}

/// Is `value` what the shadow says, as far as it can be told without following it?
pub fn is_immediate<H: Host>(value: Value<'_, '_, H>, word: Word) -> bool {
    match word {
        Word::Empty => value == Value::EMPTY,
        Word::Number(number) => value.bits() == immediate(number),
        Word::Object(_) => false,
    }
}

impl<'s, 'id, H: Host> Hand<'s, 'id, H> {
    /// An empty hand for a graph of `count` objects.
    pub fn new(heap: &'s Heap<'id, H>, count: usize) -> Self {
        Hand { heap, objects: vec![None; count] }
    }

    /// The object `id`, if it is in hand.
    pub fn get(&self, id: Id) -> Option<Object<'s, 'id, H>> {
        self.objects.get(id.index()).copied().flatten()
    }

    /// Takes an object in hand.
    pub fn put(&mut self, id: Id, object: Object<'s, 'id, H>) {
        if self.objects.len() <= id.index() {
            self.objects.resize(id.index() + 1, None);
        }
        self.objects[id.index()] = Some(object);
    }

    fn object(&self, id: Id) -> Object<'s, 'id, H> {
        self.get(id).expect("acts are about objects in hand")
    }

    fn value(&self, word: Word) -> Value<'s, 'id, H> {
        match word {
            Word::Empty => Value::EMPTY,
            Word::Number(number) => Value::immediate(immediate(number)),
            Word::Object(id) => self.object(id).into(),
        }
    }

    /// Does what `act` says. A new object gets the number `next`.
    ///
    /// # Errors
    /// What the heap answered makes no sense at all.
    pub fn perform(&mut self, act: &Act, held: &mut Held<'id>, next: Id) -> Result<Outcome, String> {
        let heap = self.heap;
        let answer = match *act {
            Act::Make { kind, len, ref refs, .. } => match self.make(kind, len, refs, next) {
                Ok(object) => {
                    self.put(next, object);
                    Answer::Done
                }
                Err(error) => no_memory(error),
            },
            Act::Litter { count, len } => {
                let made =
                    (0..count).try_for_each(|_| heap.alloc(Kind::Bytes.shape(), len as usize).map(drop));
                made.map_or_else(no_memory, |()| Answer::Done)
            }
            Act::Store { object, slot, value } => {
                stored(heap.store(self.object(object), slot, self.value(value)))
            }
            Act::Fill { object, start, end, value } => {
                let value = self.value(value);
                let cells = heap.writable(self.object(object), start, end);
                stored(cells.map(|cells| cells.iter().for_each(|cell| cell.set(value))))
            }
            Act::Poke { object, value } => self.poke(self.object(object), value)?,
            Act::Freeze { object } => {
                heap.freeze(self.object(object));
                Answer::Done
            }
            Act::FreezeDeep { value } => Answer::Froze(heap.freeze_deep(self.value(value))),
            Act::Guard { object, on } => {
                heap.guard(self.object(object), on);
                Answer::Done
            }
            Act::Upgrade { weak, .. } => return self.upgrade(&held.weaks[weak]).map(Outcome::Upgraded),
            Act::Take { .. } => return self.take().map(Outcome::Taken),
            _ => self.perform_on_roots(act, held),
        };
        Ok(Outcome::Answer(answer))
    }

    fn perform_on_roots(&mut self, act: &Act, held: &mut Held<'id>) -> Answer {
        let heap = self.heap;
        match *act {
            Act::Root { value } => held.handles.push(heap.root(self.value(value))),
            Act::Unroot { handle } => heap.unroot(held.handles.swap_remove(handle)),
            Act::Reroot { handle, value } => heap.reroot(&held.handles[handle], self.value(value)),
            Act::Forget { handle } => drop(held.handles.swap_remove(handle)),
            Act::Push { value } => match heap.stack_grow(1) {
                Some(base) => heap.stack_from(base)[0].set(self.value(value)),
                None => return Answer::StackFull,
            },
            Act::Pop { count } => heap.stack_truncate(heap.stack_len() - count),
            Act::Set { slot, value } => heap.stack_from(slot)[0].set(self.value(value)),
            Act::Weak { object } => held.weaks.push(heap.weak(self.object(object))),
            Act::Unweak { weak } => heap.forget_weak(held.weaks.swap_remove(weak)),
            Act::Finalize { object, token } => heap.finalize(self.object(object), token),
            Act::Refuse { after } => heap.refuse_memory_after(after),
            _ => unreachable!("`perform` does the rest"),
        }
        Answer::Done
    }

    fn make(&self, kind: Kind, len: u32, refs: &[Word], id: Id) -> Result<Object<'s, 'id, H>, AllocError> {
        if kind == Kind::Text {
            let mark = kind.mark(id).to_le_bytes();
            let bytes: Vec<u8> =
                (0..len as usize).map(|at| *mark.get(at).unwrap_or(&Kind::byte(id, at))).collect();
            return self.heap.text(kind.shape(), &String::from_utf8_lossy(&bytes));
        }
        let mut fresh = self.heap.alloc(kind.shape(), len as usize)?;
        for (slot, &word) in fresh.references_mut().iter_mut().zip(refs) {
            *slot = self.value(word);
        }
        if kind.tail() == Tail::Bytes {
            for (at, byte) in fresh.bytes_mut().iter_mut().enumerate() {
                *byte = Kind::byte(id, at);
            }
            fresh.bytes_mut()[..8].copy_from_slice(&kind.mark(id).to_le_bytes());
        } else {
            for (at, word) in fresh.raw_mut().iter_mut().enumerate() {
                *word = if at == 0 { kind.mark(id) } else { Kind::word(id, at) };
            }
        }
        Ok(fresh.finish())
    }

    fn poke(&self, object: Object<'s, 'id, H>, value: u8) -> Result<Answer, String> {
        let answer = stored(self.heap.check_writable(object));
        let cells = (object.raw_cells(), object.byte_cells());
        match (answer, cells) {
            (Answer::Frozen, (None, None)) | (Answer::Guarded, _) => {}
            (Answer::Done, (Some([.., last]), _)) => last.set(u64::from(value)),
            (Answer::Done, (_, Some([.., last]))) => last.set(value),
            (answer, _) => {
                return Err(format!("asked for its raw part, the heap says {answer:?} and disagrees"));
            }
        }
        Ok(answer)
    }

    fn upgrade(&mut self, weak: &Weak<'id>) -> Result<Option<Id>, String> {
        let Some(object) = self.heap.upgrade(weak) else { return Ok(None) };
        let id = identify(object)?;
        self.put(id, object);
        Ok(Some(id))
    }

    fn take(&mut self) -> Result<Option<(Id, u64)>, String> {
        let Some((object, token)) = self.heap.next_finalizable() else { return Ok(None) };
        let id = identify(object)?;
        self.put(id, object);
        Ok(Some((id, token)))
    }
}

fn no_memory(error: AllocError) -> Answer {
    match error {
        AllocError::System { .. } => Answer::Refused,
        AllocError::Limit { .. } | AllocError::TooLong { .. } => Answer::NoMemory,
    }
}

fn stored(result: Result<(), StoreError>) -> Answer {
    match result {
        Ok(()) => Answer::Done,
        Err(StoreError::Frozen) => Answer::Frozen,
        Err(StoreError::Guarded) => Answer::Guarded,
    }
}

/// Collects as `demand` says. What happened is added to `coverage`.
///
/// # Errors
/// The heap refused.
pub fn collect<H: Host>(
    heap: &mut Heap<'_, H>,
    demand: Demand,
    coverage: &mut Coverage,
) -> Result<Moment, String> {
    let request = match demand {
        Demand::Short => Request::Short,
        Demand::Complete => Request::Complete,
        Demand::Auto | Demand::IfDue => Request::Auto,
    };
    let report = heap.collect(request);
    cover(&report, coverage);
    Ok(match report.kind {
        frazil::Kind::Short => Moment::Short,
        frazil::Kind::Complete => Moment::Complete,
    })
}

fn cover(report: &Report, coverage: &mut Coverage) {
    match report.kind {
        frazil::Kind::Short => coverage.add(Event::Short, 1),
        frazil::Kind::Complete => coverage.add(Event::Complete, 1),
    }
    let counts = [
        (Event::Promoted, report.promoted_objects),
        (Event::Settled, report.settled),
        (Event::Component, report.components),
        (Event::Clustered, report.clustered),
        (Event::Dissolved, report.dissolved),
        (Event::Overflowed, report.overflown),
        (Event::LeftWaiting, usize::from(report.waiting > 0)),
        (Event::Touched, report.retained_by_root.touched),
        (Event::WeakCleared, report.weak_cleared),
    ];
    for (event, count) in counts {
        coverage.add(event, count as u64);
    }
}

/// Which object of the census this is, if it carries a mark.
pub fn known(object: &LiveObject) -> Option<Id> {
    Kind::of_shape(object.shape_id).zip(object.raw).and_then(|(kind, mark)| kind.marked(mark))
}

/// Everything that is in the old generation.
///
/// # Errors
/// Something carries no mark.
pub fn sightings<H: Host>(heap: &mut Heap<'_, H>) -> Result<Vec<Sighting>, String> {
    let sighting = |tally: Tally| -> Result<Sighting, String> {
        let Tally { shape_id, raw, .. } = tally;
        let known = Kind::of_shape(shape_id).zip(raw).and_then(|(kind, mark)| kind.marked(mark));
        Ok(Sighting {
            id: known
                .ok_or_else(|| format!("an old object of shape {shape_id} carries the mark {raw:x?}"))?,
            part: if tally.counted { Part::Counted } else { Part::Traced },
            count: tally.count,
            retained: tally.retained,
            waiting: tally.waiting,
            component: tally.component,
            released: tally.released,
        })
    };
    let tallies = heap.tallies();
    let mut sightings = Vec::with_capacity(tallies.len());
    for tally in tallies {
        sightings.push(sighting(tally)?);
    }
    Ok(sightings)
}

/// After a complete collection that left nothing old: does the heap still hold memory for something? It may have
/// begun `begun` blocks that it will fill.
///
/// # Errors
/// It does.
pub fn leaks<H: Host>(heap: &Heap<'_, H>, begun: usize) -> Result<(), String> {
    let report = &heap.stats().last;
    let blocks = report.blocks_used * heap.config().block_bytes.get();
    if report.old_objects > 0 {
        return Ok(());
    }
    if report.blocks_used > begun {
        return Err(format!("nothing is left, but {} blocks are in use", report.blocks_used));
    }
    if heap.used_bytes() != blocks {
        return Err(format!("nothing is left, but {} bytes are in use, not {blocks}", heap.used_bytes()));
    }
    Ok(())
}
