//! Playing a trace on a heap, as a host like any other: through the public interface alone.
//!
//! Between two epochs nothing is held but the roots, and a weak reference to each object that will be spoken of again.
//! So the heap frees what the program's heap would have freed, and no trace, however malicious, can lead to what was
//! freed.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use crate::heap::{AllocError, Heap};
use crate::host::LowTag;
use crate::pacing::Request;
use crate::roots::Handle;
use crate::stats::{Kind, Report, Stats};
use crate::tuning::{Config, ConfigError};
use crate::value::{Fresh, Object, Value};
use crate::weak::Weak;

use super::format::{Content, Epoch, Trace};

/// Why a trace could not be played.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplayError {
    /// The settings do not agree.
    Config(ConfigError),
    /// The heap had no room.
    Alloc(AllocError),
    /// The root stack has no room for so many words.
    Roots(usize),
    /// The trace speaks of an object that is dead, or was not made yet.
    Missing {
        /// In this epoch.
        epoch: usize,
        /// The object's number.
        object: u64,
    },
    /// The trace stores where nothing can be stored.
    Store {
        /// In this epoch.
        epoch: usize,
        /// The object's number.
        object: u64,
    },
    /// After a complete collection there are more or fewer objects than when it was recorded.
    Differs {
        /// After this epoch.
        epoch: usize,
        /// Objects then.
        recorded: u64,
        /// Objects now.
        played: u64,
    },
}

impl fmt::Display for ReplayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReplayError::Config(error) => error.fmt(f),
            ReplayError::Alloc(error) => error.fmt(f),
            ReplayError::Roots(len) => write!(f, "the root stack has no room for {len} words"),
            ReplayError::Missing { epoch, object } => {
                write!(f, "epoch {epoch} speaks of object {object}, which is not there")
            }
            ReplayError::Store { epoch, object } => {
                write!(f, "epoch {epoch} stores in object {object}, which cannot be")
            }
            ReplayError::Differs { epoch, recorded, played } => {
                write!(
                    f,
                    "after epoch {epoch} there are {played} objects, and {recorded} when it was recorded"
                )
            }
        }
    }
}
impl std::error::Error for ReplayError {}

/// What a played trace leaves.
#[derive(Clone, Debug)]
pub struct Played {
    /// What the collector did.
    pub stats: Stats,
    /// Bytes allocated since the last collection.
    pub allocated_bytes: usize,
    /// Bytes that the heap takes at the end.
    pub used_bytes: usize,
}

impl Trace {
    /// Plays the trace on a heap with the settings `config`. `observer` is told of every collection. The heap collects
    /// at the end of an epoch, when it wants to; after complete collections that left nothing dead behind, the number of
    /// objects is compared with what was recorded.
    ///
    /// # Errors
    /// See [`ReplayError`].
    pub fn replay(
        &self,
        config: Config,
        observer: impl FnMut(&Report) + 'static,
    ) -> Result<Played, ReplayError> {
        let played = Heap::<LowTag>::branded(config, |mut heap| {
            heap.observe(observer);
            let mut player =
                Player { trace: self, first: 0, weaks: HashMap::new(), handles: BTreeMap::new() };
            for (number, epoch) in self.epochs().enumerate() {
                player.play(&heap, number, &epoch)?;
                if heap.should_collect() {
                    let report = heap.collect(Request::Auto);
                    compare(number, &epoch, &report)?;
                }
            }
            let (allocated_bytes, used_bytes) = (heap.allocated_bytes(), heap.used_bytes());
            Ok(Played { stats: heap.stats().clone(), allocated_bytes, used_bytes })
        });
        played.map_err(ReplayError::Config)?
    }
}

/// Is everything there that should be, and nothing else?
fn compare(number: usize, epoch: &Epoch, report: &Report) -> Result<(), ReplayError> {
    let exact = report.kind == Kind::Complete && report.waiting == 0;
    match epoch.live {
        Some(recorded) if exact && recorded != report.old_objects as u64 => {
            Err(ReplayError::Differs { epoch: number, recorded, played: report.old_objects as u64 })
        }
        _ => Ok(()),
    }
}

/// What is held between two epochs.
struct Player<'t, 'id> {
    trace: &'t Trace,
    /// The number of the next survivor.
    first: u64,
    /// Objects that will be spoken of.
    weaks: HashMap<u64, Weak<'id>>,
    /// Those that ever held something, by their places: between two of them there may be any number that did not.
    handles: BTreeMap<usize, Handle<'id>>,
}

/// What is held during one.
struct Scene<'p, 's, 'id> {
    heap: &'s Heap<'id, LowTag>,
    weaks: &'p HashMap<u64, Weak<'id>>,
    number: usize,
    first: u64,
    /// The survivors of this epoch, `None` as long as they are not made.
    made: Vec<Option<Object<'s, 'id, LowTag>>>,
}

impl<'s, 'id> Scene<'_, 's, 'id> {
    fn object(&self, number: u64) -> Option<Object<'s, 'id, LowTag>> {
        match number.checked_sub(self.first) {
            Some(index) => self.made.get(index as usize).copied().flatten(),
            None => self.weaks.get(&number).and_then(|weak| self.heap.upgrade(weak)),
        }
    }

    fn known(&self, number: u64) -> Result<Object<'s, 'id, LowTag>, ReplayError> {
        self.object(number).ok_or(ReplayError::Missing { epoch: self.number, object: number })
    }

    /// `target` is 0 for none, or one more than a number.
    fn value(&self, target: u64) -> Result<Value<'s, 'id, LowTag>, ReplayError> {
        target.checked_sub(1).map_or(Ok(Value::EMPTY), |number| self.known(number).map(Value::from))
    }

    fn store(&self, number: u64, index: usize, target: u64) -> Result<(), ReplayError> {
        let (object, value) = (self.known(number)?, self.value(target)?);
        let wrong = ReplayError::Store { epoch: self.number, object: number };
        if index >= object.reference_count() {
            return Err(wrong);
        }
        self.heap.store(object, index, value).map_err(|_| wrong)
    }
}

/// An immutable object that refers to something younger: it can be made only when that has been.
struct Pending<'s, 'id> {
    survivor: usize,
    fresh: Fresh<'s, 'id, LowTag>,
    /// How many of its references lead to what is there.
    ready: usize,
}

impl<'id> Player<'_, 'id> {
    fn play(&mut self, heap: &Heap<'id, LowTag>, number: usize, epoch: &Epoch) -> Result<(), ReplayError> {
        let made = vec![None; epoch.contents.len()];
        let mut scene = Scene { heap, weaks: &self.weaks, number, first: self.first, made };
        give_birth(&mut scene, epoch)?;
        for (content, own) in epoch.contents.iter().zip(self.first..) {
            let object = scene.known(own)?;
            if object.is_mutable() {
                for (index, &target) in references(epoch, content).iter().enumerate() {
                    if target != 0 {
                        scene.store(own, index, target)?;
                    }
                }
            }
        }
        for &(object, index, target) in &epoch.stores {
            scene.store(object, index, target)?;
        }
        let frozen = epoch.contents.iter().zip(self.first..).filter(|(content, _)| content.frozen);
        for object in frozen.map(|(_, own)| own).chain(epoch.freezes.iter().copied()) {
            heap.freeze(scene.known(object)?);
        }
        set_stack(&scene, &epoch.roots[0])?;
        set_handles(&scene, &mut self.handles, &epoch.roots[1])?;
        let kept: Vec<_> = (self.first..)
            .zip(scene.made)
            .filter(|&(own, _)| self.trace.last_mention[own as usize] as usize > number)
            .filter_map(|(own, object)| Some((own, heap.weak(object?))))
            .collect();
        self.first += epoch.contents.len() as u64;
        self.forget(heap, number, epoch);
        self.weaks.extend(kept);
        Ok(())
    }

    /// Gives up what will not be spoken of again.
    fn forget(&mut self, heap: &Heap<'id, LowTag>, number: usize, epoch: &Epoch) {
        for mention in epoch.mentions() {
            if self.trace.last_mention[mention as usize] as usize == number
                && let Some(weak) = self.weaks.remove(&mention)
            {
                heap.forget_weak(weak);
            }
        }
    }
}

fn references<'e>(epoch: &'e Epoch, content: &Content) -> &'e [u64] {
    &epoch.references[content.first..content.first + content.count]
}

/// Makes all objects in their order. Mutable ones are empty for now.
fn give_birth(scene: &mut Scene<'_, '_, '_>, epoch: &Epoch) -> Result<(), ReplayError> {
    let heap = scene.heap;
    // By the survivor that they wait for next: however many wait for each other, each is looked at again only when
    // that one is there.
    let mut waiting: HashMap<usize, Vec<Pending<'_, '_>>> = HashMap::new();
    let mut survivor = 0;
    for birth in &epoch.births {
        let fresh = heap.alloc(&birth.shape, birth.len).map_err(ReplayError::Alloc)?;
        if !birth.survives {
            continue;
        }
        let mut made = Vec::new();
        if birth.shape.is_mutable() {
            scene.made[survivor] = Some(fresh.finish());
            made.push(survivor);
        } else {
            finish(scene, epoch, Pending { survivor, fresh, ready: 0 }, &mut waiting, &mut made)?;
        }
        while let Some(made_now) = made.pop() {
            for pending in waiting.remove(&made_now).into_iter().flatten() {
                finish(scene, epoch, pending, &mut waiting, &mut made)?;
            }
        }
        survivor += 1;
    }
    // What waits still, waits for itself: it was not made, which is found when it is looked for.
    Ok(())
}

/// Fills and finishes an immutable object, and says that it is `made`; or lets it wait for something it refers to that is
/// not made yet.
fn finish<'s, 'id>(
    scene: &mut Scene<'_, 's, 'id>,
    epoch: &Epoch,
    mut pending: Pending<'s, 'id>,
    waiting: &mut HashMap<usize, Vec<Pending<'s, 'id>>>,
    made: &mut Vec<usize>,
) -> Result<(), ReplayError> {
    let targets = references(epoch, &epoch.contents[pending.survivor]);
    let missing = |&target: &u64| {
        let index = target.checked_sub(scene.first + 1)? as usize;
        scene.made[index].is_none().then_some(index)
    };
    for target in &targets[pending.ready..] {
        if let Some(index) = missing(target) {
            waiting.entry(index).or_default().push(pending);
            return Ok(());
        }
        pending.ready += 1;
    }
    for (slot, &target) in pending.fresh.references_mut().iter_mut().zip(targets) {
        *slot = scene.value(target)?;
    }
    scene.made[pending.survivor] = Some(pending.fresh.finish());
    made.push(pending.survivor);
    Ok(())
}

fn set_stack(
    scene: &Scene<'_, '_, '_>,
    (len, changes): &(usize, Vec<(usize, u64)>),
) -> Result<(), ReplayError> {
    let heap = scene.heap;
    match len.checked_sub(heap.stack_len()) {
        Some(more) => {
            heap.stack_grow(more).ok_or(ReplayError::Roots(*len))?;
        }
        None => heap.stack_truncate(*len),
    }
    for &(index, target) in changes {
        heap.stack_from(0)[index].set(scene.value(target)?);
    }
    Ok(())
}

fn set_handles<'id>(
    scene: &Scene<'_, '_, 'id>,
    handles: &mut BTreeMap<usize, Handle<'id>>,
    (len, changes): &(usize, Vec<(usize, u64)>),
) -> Result<(), ReplayError> {
    let heap = scene.heap;
    for handle in handles.split_off(len).into_values() {
        heap.unroot(handle);
    }
    for &(index, target) in changes {
        let handle = handles.entry(index).or_insert_with(|| heap.root(Value::EMPTY));
        heap.reroot(handle, scene.value(target)?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::format::{END, EPOCH, HEAD, MAGIC, SHAPE, VERSION, head, put, section};
    use super::*;

    fn numbers(numbers: &[u64]) -> Vec<u8> {
        let mut bytes = Vec::new();
        numbers.iter().for_each(|&number| put(&mut bytes, number));
        bytes
    }

    /// A trace of one epoch.
    fn trace(shapes: &[[u64; 3]], epoch: &[u64], totals: &[u64; 5]) -> Trace {
        trace_of(shapes, &[epoch], totals)
    }

    fn trace_of(shapes: &[[u64; 3]], epochs: &[&[u64]], totals: &[u64; 5]) -> Trace {
        let mut sections = vec![(HEAD, head("nobody", &Config::DEFAULT))];
        sections.extend(shapes.iter().map(|shape| (SHAPE, numbers(shape))));
        sections.extend(epochs.iter().map(|epoch| (EPOCH, numbers(epoch))));
        sections.push((END, numbers(totals)));
        let sections = sections.iter().flat_map(|(kind, held)| section(*kind, held).expect("it is short"));
        let bytes = MAGIC.into_iter().chain([VERSION]).chain(sections).collect();
        Trace::read(bytes).expect("a good trace")
    }

    #[test]
    fn a_row_that_was_born_last_first_takes_no_time() {
        // Each refers to the next, which is younger: tried again and again from the first on, it would take hours.
        const LEN: u64 = 300_000;
        let births = std::iter::repeat_n([1, 1], LEN as usize).flatten();
        // One reference each: 1 + zigzag(own number - number), and -1 is 1. The last has none.
        let contents = std::iter::repeat_n([2, 2], LEN as usize - 1).flatten().chain([0]);
        let rest = [0, 0, 1, 1, 0, 1, 0, 0, 0];
        let epoch: Vec<u64> = [LEN].into_iter().chain(births).chain(contents).chain(rest).collect();
        let trace = trace(&[[7, 0, 0]], &epoch, &[1, LEN, LEN, 0, 16 * LEN]);
        let played =
            trace.replay(Config { nursery_bytes: 1 << 20, ..Config::DEFAULT }, |_| {}).expect("room");
        assert_eq!(played.stats.collections(), 1);
    }

    #[test]
    fn a_circle_of_the_immutable_is_refused() {
        let epoch = [2, 1, 1, 1, 1, 2, 2, 2, 3, 0, 0, 0, 0, 0, 0, 0];
        let missing = trace(&[[7, 0, 0]], &epoch, &[1, 2, 2, 0, 32]).replay(Config::DEFAULT, |_| {});
        assert_eq!(missing.err(), Some(ReplayError::Missing { epoch: 0, object: 0 }));
    }

    #[test]
    fn handles_that_hold_nothing_take_no_room() {
        // An epoch in which nothing is born, stored or frozen, and the last of very many handles is set to nothing.
        let handles = u64::from(u32::MAX);
        let trace = trace(&[], &[0, 0, 0, 0, 0, handles, 1, handles - 1, 0, 0], &[1, 0, 0, 0, 0]);
        assert_eq!(trace.replay(Config::DEFAULT, |_| {}).expect("room").stats.collections(), 0);
    }

    #[test]
    fn a_handle_beyond_the_last_one_has_ended() {
        // An object is born, which the second of two handles holds; then there is only the first.
        let born = [1, 1, 0, 0, 0, 0, 0, 0, 2, 1, 1, 1, 0];
        let gone = [0, 0, 0, 0, 0, 1, 0, 1];
        let trace = trace_of(&[[7, 0, 0]], &[&born, &gone], &[2, 1, 1, 0, 8]);
        let played = trace.replay(Config { check: true, ..Config::DEFAULT }, |_| {}).expect("as recorded");
        assert_eq!((played.stats.promoted_objects, played.stats.last.old_objects), (1, 0));
    }

    #[test]
    fn a_store_in_what_is_not_there_is_refused() {
        // A mutable object of one reference, the second of which is set.
        let epoch = [1, 1, 1, 0, 1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0];
        let played = trace(&[[7, 2, 0]], &epoch, &[1, 1, 1, 1, 16]).replay(Config::DEFAULT, |_| {});
        assert_eq!(played.err(), Some(ReplayError::Store { epoch: 0, object: 0 }));
    }
}
