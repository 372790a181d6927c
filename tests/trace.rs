//! Traces: whatever a program does, its trace played on any heap leaves as many objects after every epoch; and a file
//! that is no good trace is refused.

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;

use frazil::trace::{EPOCH_BYTES, MAGIC, RecordError, ReplayError, Totals, Trace, TraceError};
use frazil::{BlockBytes, Config, Drain, Group, Handle, Heap, Kind, LowTag, Object, Request, Shape, Value};
use fuzz::random::Random;

const PAIR: Shape = Shape::new(1, "pair").raw_words(1).references(2);
const LIST: Shape = Shape::new(2, "list").references_tail().mutable();
const TEXT: Shape = Shape::new(3, "text").text();
const TUPLE: Shape = Shape::new(4, "tuple").references_tail();
const KEYED: Shape = Shape::new(5, "keyed").bytes().references(1).mutable();

/// A file in memory that outlives its writer.
#[derive(Clone, Default)]
struct Memory(Rc<RefCell<Vec<u8>>>);

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

type Rooted<'s, 'id> = Vec<Value<'s, 'id, LowTag>>;

/// What the roots hold, and some of what that refers to.
fn in_hand<'s, 'id>(heap: &'s Heap<'id, LowTag>, handles: &[Handle<'id>]) -> Rooted<'s, 'id> {
    let mut values: Rooted = handles.iter().map(|handle| heap.rooted(handle)).collect();
    values.extend(heap.stack_from(0).iter().map(|cell| cell.get()));
    let deeper: Rooted = values
        .iter()
        .filter_map(|value| value.object())
        .filter(|object| object.reference_count() > 0)
        .map(|object| object.get(object.reference_count() / 2))
        .collect();
    values.extend(deeper);
    values
}

/// Some steps at random between two collections.
fn stretch<'id>(heap: &Heap<'id, LowTag>, handles: &mut Vec<Handle<'id>>, random: &mut Random) {
    let mut values = in_hand(heap, handles);
    values.push(Value::EMPTY);
    for _ in 0..random.range(1, 400) {
        let one = random.pick(&values);
        let other = random.pick(&values);
        let made: Option<Object<'_, 'id, LowTag>> = match random.below(12) {
            0..=2 => {
                let mut fresh = heap.alloc(&PAIR, 0).expect("memory");
                fresh.references_mut().copy_from_slice(&[one, other]);
                Some(fresh.finish())
            }
            3 => Some(heap.alloc(&LIST, random.below(40) as usize).expect("memory").finish()),
            // Large under every block size, now and then: its cards are touched one by one.
            4 if random.chance(10) => Some(heap.alloc(&LIST, 5000).expect("memory").finish()),
            4 => Some(heap.text(&TEXT, &"x".repeat(random.below(200) as usize)).expect("memory")),
            // Large, immutable, and referring to what is younger in the order of the trace.
            5 if random.chance(10) => {
                let mut fresh = heap.alloc(&TUPLE, 3000).expect("memory");
                fresh.references_mut()[..2].copy_from_slice(&[one, other]);
                fresh.references_mut()[2999] = one;
                Some(fresh.finish())
            }
            5 => Some(heap.alloc(&KEYED, random.below(30) as usize).expect("memory").finish()),
            6..=8 => {
                if let Some(object) = one.object().filter(|object| object.reference_count() > 0) {
                    let index = random.below(object.reference_count() as u32) as usize;
                    // It may be frozen: then nothing is stored, in the program as in the trace.
                    let _ = heap.store(object, index, other);
                }
                None
            }
            9 => {
                match one.object() {
                    Some(object) if random.chance(50) => drop(heap.freeze(object)),
                    Some(_) if random.chance(20) => drop(heap.freeze_deep(one)),
                    _ => {}
                }
                None
            }
            10 => {
                match random.below(3) {
                    0 => handles.push(heap.root(one)),
                    1 if !handles.is_empty() => {
                        let at = random.below(handles.len() as u32) as usize;
                        heap.unroot(handles.swap_remove(at));
                    }
                    _ => handles.iter().take(1).for_each(|handle| heap.reroot(handle, other)),
                }
                None
            }
            _ => {
                let len = heap.stack_len();
                match random.chance(60) || len == 0 {
                    true => heap.stack_from(heap.stack_grow(1).expect("room"))[0].set(one),
                    false => heap.stack_truncate(len - 1),
                }
                None
            }
        };
        values.extend(made.map(Value::from));
    }
}

/// A random program's trace, and what was recorded.
fn recorded(seed: u64, epochs: u32, settings: &Config) -> (Vec<u8>, Totals) {
    let file = Memory::default();
    let totals = Heap::<LowTag>::branded(settings.recording(), |mut heap| {
        heap.record(file.clone(), "a test", settings).expect("settings for recording");
        let mut random = Random::new(seed);
        let mut handles = Vec::new();
        for _ in 0..epochs {
            stretch(&heap, &mut handles, &mut random);
            let request = random.pick(&[Request::Auto, Request::Short, Request::Complete]);
            heap.collect(request);
        }
        heap.end_record().expect("a file in memory")
    });
    let bytes = file.0.borrow().clone();
    (bytes, totals.expect("good settings"))
}

#[test]
fn a_trace_leaves_the_same_objects_on_every_heap() {
    let mut compared = 0;
    for seed in 0..60 {
        let (bytes, totals) = recorded(seed, 12, &Config::DEFAULT);
        let trace = Trace::read(bytes).expect("a good trace");
        assert_eq!((trace.totals(), trace.producer()), (totals, "a test"));
        assert!(totals.survivors > 0 && totals.stores > 0, "{totals:?}");
        for config in [
            Config { check: true, ..Config::DEFAULT },
            Config { check: true, ..Config::STRESS },
            Config { short_collections: true, ..Config::STRESS },
            Config { block_bytes: BlockBytes::K8, nursery_bytes: EPOCH_BYTES, ..Config::DEFAULT },
            Config {
                drain: Drain::Instalments { objects_per_kib: 1, micros_max: 1000 },
                nursery_bytes: 1 << 10,
                ..Config::DEFAULT
            },
        ] {
            let complete = Rc::new(RefCell::new(0));
            let count = Rc::clone(&complete);
            let played = trace.replay(config, move |report| {
                *count.borrow_mut() += u64::from(report.kind == Kind::Complete && report.waiting == 0);
            });
            let played = played.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
            assert!(
                played.stats.allocated_bytes + played.allocated_bytes as u64 >= totals.bytes,
                "seed {seed}"
            );
            compared += *complete.borrow();
        }
    }
    assert!(compared > 60 * 12, "only {compared} collections could be compared");
}

/// What was frozen, one by one or with all it refers to, before its first collection or after it, is frozen when it is played.
#[test]
fn what_was_frozen_settles_on_every_heap() {
    let file = Memory::default();
    let settled = Heap::<LowTag>::branded(Config::DEFAULT.recording(), |mut heap| {
        heap.record(file.clone(), "a test", &Config::DEFAULT).expect("settings for recording");
        let roots = [(); 4].map(|()| heap.root(heap.alloc(&LIST, 1).expect("memory").finish().into()));
        for pair in [0, 2] {
            let list = heap.rooted(&roots[pair]).object().expect("a list");
            assert!(heap.freeze(list) && heap.freeze_deep(heap.rooted(&roots[pair + 1])) == 1);
            heap.collect(Request::Complete);
        }
        heap.end_record().expect("a file in memory");
        heap.stats().settled
    });
    let trace = Trace::read(file.0.borrow().clone()).expect("a good trace");
    let played = trace.replay(Config { check: true, ..Config::DEFAULT }, |_| {}).expect("room");
    assert_eq!((settled, played.stats.settled), (Ok(4), 4));
}

#[test]
fn the_settings_of_the_program_are_in_its_trace() {
    let settings = Config {
        nursery_bytes: 3 << 20,
        block_bytes: BlockBytes::K16,
        short_collections: true,
        limit_bytes: Some(1 << 30),
        drain: Drain::Instalments { objects_per_kib: 7, micros_max: 900 },
        ..Config::DEFAULT
    };
    let (bytes, _) = recorded(1, 2, &settings);
    assert_eq!(Trace::read(bytes).expect("a good trace").settings(), &settings);
}

#[test]
fn every_beginning_of_a_trace_is_refused() {
    let (bytes, _) = recorded(3, 3, &Config::DEFAULT);
    for length in 0..bytes.len() {
        let error = Trace::read(bytes[..length].to_vec()).expect_err("it is cut off");
        let right = matches!(error, TraceError::Truncated { at } if at <= length);
        assert!(right || (length == 0 && error == TraceError::Foreign), "{length} bytes: {error}");
    }
}

#[test]
fn every_flipped_byte_is_noticed() {
    let (bytes, _) = recorded(4, 2, &Config::DEFAULT);
    for at in 0..bytes.len() {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1 << (at % 8);
        Trace::read(bytes).expect_err("a flipped bit");
    }
}

#[test]
fn foreign_files_and_newer_versions_are_refused() {
    let error = |bytes: &[u8]| Trace::read(bytes.to_vec()).expect_err("no trace");
    assert_eq!(error(b"print(1)\n"), TraceError::Foreign);
    assert_eq!(error(b""), TraceError::Foreign);
    let (mut bytes, _) = recorded(5, 1, &Config::DEFAULT);
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(error(&longer).to_string().contains("something follows the end"));
    bytes[MAGIC.len()] = 2;
    assert_eq!(error(&bytes), TraceError::Version(2));
    assert!(error(&bytes).to_string().contains("version 2, and only version 1"));
}

#[test]
fn recording_begins_in_time_and_with_the_right_settings() {
    let begin = |config: Config, collect: bool| {
        Heap::<LowTag>::branded(config, |mut heap| {
            if collect {
                heap.collect(Request::Complete);
            }
            heap.record(Memory::default(), "a test", &Config::DEFAULT)
        })
        .expect("good settings")
    };
    assert!(matches!(begin(Config::DEFAULT, false), Err(RecordError::Settings)));
    assert!(matches!(begin(Config::DEFAULT.recording(), true), Err(RecordError::TooLate)));
    assert!(begin(Config::DEFAULT.recording(), false).is_ok());
    let in_group = Group::<LowTag>::new(Config::DEFAULT.recording())
        .expect("good settings")
        .branded(|mut heap| heap.record(Memory::default(), "a test", &Config::DEFAULT));
    assert!(matches!(in_group, Ok(Err(RecordError::InGroup))));
    let ended = Heap::<LowTag>::branded(Config::DEFAULT, |mut heap| heap.end_record());
    assert!(matches!(ended.expect("good settings"), Err(RecordError::NotRecording)));
}

#[test]
fn a_full_disk_is_told_at_the_end() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let ended = Heap::<LowTag>::branded(Config::DEFAULT.recording(), |mut heap| {
        heap.record(Full, "a test", &Config::DEFAULT).expect("settings for recording");
        heap.end_record()
    });
    assert!(matches!(ended.expect("good settings"), Err(RecordError::Io(_))));
}

/// A disk that was full once, and a file that fails when it is complete: neither is a trace.
#[test]
fn an_error_of_a_file_is_told_whenever_it_comes() {
    struct Once(u32, bool);
    impl Write for Once {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += 1;
            if self.0 == 4 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(bytes.len()) }
        }
        fn flush(&mut self) -> io::Result<()> {
            if self.1 { Ok(()) } else { Err(io::ErrorKind::StorageFull.into()) }
        }
    }
    for (writes, flushes, good) in [(0, true, false), (100, false, false), (100, true, true)] {
        let ended = Heap::<LowTag>::branded(Config::DEFAULT.recording(), |mut heap| {
            heap.record(Once(writes, flushes), "a test", &Config::DEFAULT).expect("settings for recording");
            for _ in 0..5 {
                heap.collect(Request::Complete);
            }
            heap.end_record()
        });
        assert_eq!(ended.expect("good settings").is_ok(), good);
    }
}

/// What waits for its finalizer is a root, what is stored anew is no change, and who may look at weak references sees
/// what complete collections leave.
#[test]
fn only_what_matters_is_in_a_trace() {
    let file = Memory::default();
    let totals = Heap::<LowTag>::branded(Config::DEFAULT.recording(), |mut heap| {
        heap.record(file.clone(), "a test", &Config::DEFAULT).expect("settings for recording");
        let [kept, dead] = [(); 2].map(|()| heap.root(heap.alloc(&LIST, 2).expect("memory").finish().into()));
        heap.finalize(heap.rooted(&dead).object().expect("a list"), 7);
        heap.unroot(dead);
        assert_eq!(heap.collect(Request::Complete).finalizable, 1);
        for value in [heap.rooted(&kept), heap.rooted(&kept), Value::EMPTY, Value::EMPTY] {
            heap.store(heap.rooted(&kept).object().expect("a list"), 0, value).expect("it is mutable");
        }
        assert_eq!(heap.collect(Request::Short).kind, Kind::Short);
        let _weak = heap.weak(heap.rooted(&kept).object().expect("a list"));
        let report = heap.collect(Request::Short);
        assert_eq!((report.kind, report.old_objects), (Kind::Complete, 2));
        heap.end_record().expect("a file in memory")
    });
    let totals = totals.expect("good settings");
    assert_eq!((totals.survivors, totals.stores), (2, 0));
    let trace = Trace::read(file.0.borrow().clone()).expect("a good trace");
    assert!(trace.own_bytes() > file.0.borrow().len());
    let played = trace.replay(Config { check: true, ..Config::DEFAULT }, |_| {}).expect("as recorded");
    assert_eq!(played.stats.last.old_objects, 2);
}

#[test]
fn a_heap_without_room_says_so() {
    let (bytes, _) = recorded(6, 12, &Config::DEFAULT);
    let trace = Trace::read(bytes).expect("a good trace");
    let config = Config { limit_bytes: Some(256 << 10), ..Config::DEFAULT };
    assert!(matches!(trace.replay(config, |_| {}), Err(ReplayError::Alloc(_))));
}

/// Where the sections of a trace begin, and the length of what they hold.
fn sections(bytes: &[u8]) -> Vec<(usize, usize)> {
    let mut sections = Vec::new();
    let mut at = MAGIC.len() + 1;
    while at < bytes.len() {
        let length = u32::from_le_bytes(bytes[at + 1..at + 5].try_into().expect("four bytes")) as usize;
        sections.push((at, length));
        at += 5 + length + 4;
    }
    sections
}

#[test]
fn what_makes_no_sense_is_refused_although_its_checksum_matches() {
    let (mut refused, mut failed, mut played) = (0, 0, 0);
    for seed in 0..40 {
        let mut random = Random::new(seed);
        let mut below = |bound: usize| random.below(bound as u32) as usize;
        let (whole, _) = recorded(seed, 3, &Config::DEFAULT);
        let sections = sections(&whole);
        for _ in 0..50 {
            let (at, length) = sections[below(sections.len())];
            if length == 0 {
                continue;
            }
            let mut held = whole[at + 5..at + 5 + length].to_vec();
            let place = below(length);
            match below(4) {
                0 => held[place] ^= 1 << below(8),
                1 => held[place] = [0, 1, 0x7f, 0xff][below(4)],
                // A number of up to 64 bits instead.
                2 => drop(held.splice(place..=place, [0xff; 9].into_iter().skip(below(9)).chain([1]))),
                _ => drop(held.remove(place)),
            }
            let mut bytes = whole[..at + 1].to_vec();
            bytes.extend((held.len() as u32).to_le_bytes());
            bytes.extend(held);
            bytes.extend(crc32fast::hash(&bytes[at..]).to_le_bytes());
            bytes.extend(&whole[at + 5 + length + 4..]);
            let config = Config { limit_bytes: Some(8 << 20), ..Config::DEFAULT };
            match Trace::read(bytes).map(|trace| trace.replay(config, |_| {})) {
                Err(_) => refused += 1,
                Ok(Err(_)) => failed += 1,
                Ok(Ok(_)) => played += 1,
            }
        }
    }
    assert!(refused > 0 && failed > 0 && played > 0, "{refused} refused, {failed} failed, {played} played");
}
