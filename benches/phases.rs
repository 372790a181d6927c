//! What each phase of a collection costs by the object, over block sizes (criterion): a change of layout shows here.
//!
//! Every bench makes 1,024 tables of 64 objects each, brings them to where the phase begins, and times the phase
//! alone, as far as it can be had alone:
//!
//! | group | timed | comes with it |
//! | ----- | ----- | ------------- |
//! | allocate | 65,536 objects are born and die | |
//! | evacuate | a collection that promotes records without references | the tables that hold them are scanned |
//! | reach | a complete collection of old mutable objects | a bit is set for each, which the diff compares |
//! | count | a collection that promotes counted nodes, each referring to another twice | evacuation |
//! | diff | a complete collection that finds old records dropped, and puts them in the buffer | |
//! | drain | releasing nodes from the buffer, each counting down another twice | |
//! | freeze | freezing young mutable objects in place | |
//! | settle | a complete collection that makes old frozen objects counted | they are reached |
//!
//! Times on a busy machine vary by a third; compare two commits run in turn.

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use frazil::{BlockBytes, Config, Drain, Heap, LowTag, Object, Request, Shape};

const RECORD: Shape = Shape::new(1, "record").raw_words(2);
const NODE: Shape = Shape::new(2, "node").references(2);
const ENTRY: Shape = Shape::new(3, "entry").raw_words(1).references(2).mutable();
const TABLE: Shape = Shape::new(4, "table").references_tail().mutable();

const TABLES: usize = 1024;
const TABLE_LEN: usize = 64;
const OBJECTS: usize = TABLES * TABLE_LEN;

type BenchHeap<'id> = Heap<'id, LowTag>;
/// Brings a heap to where a phase begins, and says how long that takes.
type Phase = fn(&mut BenchHeap<'_>) -> Duration;

const PHASES: [(&str, Phase); 8] = [
    ("allocate", allocate),
    ("evacuate", evacuate),
    ("reach", reach),
    ("count", count),
    ("diff", diff),
    ("drain", drain),
    ("freeze", freeze),
    ("settle", settle),
];

fn fresh<'s, 'id>(heap: &'s BenchHeap<'id>, shape: &Shape, len: usize) -> Object<'s, 'id, LowTag> {
    heap.alloc(shape, len).expect("the machine has the memory").finish()
}

/// An object of a shape that refers to the one before it in its table, if it can refer to anything.
fn linked<'s, 'id>(
    heap: &'s BenchHeap<'id>,
    shape: &Shape,
    before: Option<Object<'s, 'id, LowTag>>,
) -> Object<'s, 'id, LowTag> {
    let mut object = heap.alloc(shape, 0).expect("the machine has the memory");
    if let Some(before) = before {
        for reference in object.references_mut() {
            *reference = before.into();
        }
    }
    object.finish()
}

/// Tables full of objects of a shape, in a table in word 0 of the root stack.
fn fill(heap: &BenchHeap<'_>, shape: &Shape) {
    heap.stack_grow(1).expect("room on the stack");
    let root = fresh(heap, &TABLE, TABLES);
    heap.stack_from(0)[0].set(root.into());
    for place in 0..TABLES {
        let table = fresh(heap, &TABLE, TABLE_LEN);
        heap.store(root, place, table.into()).expect("mutable");
        let mut before = None;
        for place in 0..TABLE_LEN {
            let object = linked(heap, shape, before);
            heap.store(table, place, object.into()).expect("mutable");
            before = Some(object);
        }
    }
}

/// The same, promoted.
fn fill_old(heap: &mut BenchHeap<'_>, shape: &Shape) {
    fill(heap, shape);
    heap.collect(Request::Complete);
}

fn timed<R>(work: impl FnOnce() -> R) -> Duration {
    let started = Instant::now();
    black_box(work());
    started.elapsed()
}

fn complete(heap: &mut BenchHeap<'_>) -> Duration {
    timed(|| heap.collect(Request::Complete))
}

fn allocate(heap: &mut BenchHeap<'_>) -> Duration {
    timed(|| (0..OBJECTS).for_each(|_| _ = black_box(fresh(heap, &RECORD, 0))))
}

fn evacuate(heap: &mut BenchHeap<'_>) -> Duration {
    fill(heap, &RECORD);
    complete(heap)
}

fn reach(heap: &mut BenchHeap<'_>) -> Duration {
    fill_old(heap, &ENTRY);
    complete(heap)
}

fn count(heap: &mut BenchHeap<'_>) -> Duration {
    fill(heap, &NODE);
    complete(heap)
}

fn diff(heap: &mut BenchHeap<'_>) -> Duration {
    fill_old(heap, &RECORD);
    heap.stack_truncate(0);
    let time = complete(heap);
    assert!(heap.waiting() + 1 >= OBJECTS, "the instalment of this heap is one object");
    time
}

fn drain(heap: &mut BenchHeap<'_>) -> Duration {
    fill_old(heap, &NODE);
    heap.stack_truncate(0);
    heap.collect(Request::Complete);
    let time = timed(|| heap.drain(usize::MAX));
    assert_eq!(heap.census().len(), 0, "everything was released");
    time
}

fn freeze(heap: &mut BenchHeap<'_>) -> Duration {
    fill(heap, &ENTRY);
    let root = heap.stack_from(0)[0].get();
    timed(|| assert_eq!(heap.freeze_deep(root), OBJECTS + TABLES + 1))
}

fn settle(heap: &mut BenchHeap<'_>) -> Duration {
    fill_old(heap, &ENTRY);
    heap.freeze_deep(heap.stack_from(0)[0].get());
    let time = complete(heap);
    assert_eq!(heap.stats().last.settled, OBJECTS + TABLES + 1);
    time
}

/// Takes the memory that the phases need from the system: its pages are not what is to be measured.
fn warm(heap: &mut BenchHeap<'_>) {
    fill_old(heap, &ENTRY);
    heap.stack_truncate(0);
    heap.collect(Request::Complete);
    heap.drain(usize::MAX);
}

/// A heap on which nothing is collected unasked, and next to nothing drained.
fn config(block_bytes: BlockBytes) -> Config {
    Config {
        block_bytes,
        nursery_bytes: 16 << 20,
        drain: Drain::Instalments { objects_per_kib: 1, micros_max: 1_000_000 },
        ..Config::DEFAULT
    }
}

fn phases(c: &mut Criterion) {
    for (name, phase) in PHASES {
        let mut group = c.benchmark_group(name);
        group.sample_size(10);
        group.warm_up_time(Duration::from_millis(200));
        group.measurement_time(Duration::from_secs(1));
        group.throughput(Throughput::Elements(OBJECTS as u64));
        for block in BlockBytes::ALL {
            let once = || {
                let measured = Heap::branded(config(block), |mut heap| {
                    warm(&mut heap);
                    phase(&mut heap)
                });
                measured.expect("the settings agree")
            };
            let size = format!("{}k", block.get() / 1024);
            group.bench_function(BenchmarkId::from_parameter(size), |b| {
                b.iter_custom(|rounds| (0..rounds).map(|_| once()).sum())
            });
        }
        group.finish();
    }
}

criterion_group!(benches, phases);
criterion_main!(benches);
