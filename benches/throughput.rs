//! What the collector's work costs by the object, one workload each (criterion).
//!
//! | bench | imitates | and does not |
//! | ----- | -------- | ------------ |
//! | cells | a functional loop: every object dies before the next collection | touch the old generation |
//! | trees | binary-trees of depth 16: every tree is promoted in part and dies whole | mutate |
//! | build_and_freeze | an evaluator that fills tables, freezes them and drops them after a while | run for long |
//! | promote | collections alone that promote trees of 32-byte nodes, which stay: 512 KiB in warm cells, or 100 MiB in new ones; counted as one, or one by one | release anything |
//! | random_stores | the adversary: fresh records in random slots of a large mutable array | freeze |
//!
//! Each is timed for a fixed number of objects; divide to get the time for one. Times on a busy machine vary by a
//! third; compare two commits run in turn.

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use frazil::{Config, Heap, LowTag, Request, Shape, Value};

const NODE: Shape = Shape::new(1, "node").raw_words(1).references(2);
const RECORD: Shape = Shape::new(2, "record").raw_words(2);
const ENTRY: Shape = Shape::new(3, "entry").raw_words(1).references(2).mutable();
const ARRAY: Shape = Shape::new(4, "array").references_tail().mutable();

type BenchHeap<'id> = Heap<'id, LowTag>;

fn with_heap<R>(config: Config, f: impl for<'id> FnOnce(BenchHeap<'id>) -> R) -> R {
    Heap::branded(config, f).expect("the settings agree")
}

fn safepoint(heap: &mut BenchHeap<'_>) {
    if heap.should_collect() {
        heap.collect(Request::Auto);
    }
}

/// `count` cells, of which nothing stays.
fn cells(heap: &mut BenchHeap<'_>, count: u64) {
    for _ in 0..count {
        safepoint(heap);
        black_box(heap.alloc(&NODE, 0).expect("the machine has the memory").finish());
    }
}

/// A tree of depth `depth`, on top of the root stack, built bottom-up like a binary counter.
fn tree(heap: &mut BenchHeap<'_>, depth: usize) {
    let base = heap.stack_grow(depth + 1).expect("room on the stack");
    for _ in 0..1u64 << depth {
        safepoint(heap);
        let slots = heap.stack_from(base);
        let node = |left, right| {
            let mut fresh = heap.alloc(&NODE, 0).expect("the machine has the memory");
            fresh.references_mut().copy_from_slice(&[left, right]);
            Value::from(fresh.finish())
        };
        let mut tree = node(Value::EMPTY, Value::EMPTY);
        let mut level = 0;
        while slots[level].get() != Value::EMPTY {
            tree = node(slots[level].replace(Value::EMPTY), tree);
            level += 1;
        }
        slots[level].set(tree);
    }
    heap.stack_truncate(base);
}

/// How long the collections take that promote `count` trees of 2^14 nodes, of which `kept` are alive in the end. Then all
/// die, untimed.
fn promote(heap: &mut BenchHeap<'_>, count: u64, kept: usize) -> Duration {
    let ring = heap.stack_grow(kept).expect("room on the stack");
    let mut time = Duration::ZERO;
    for turn in 0..count as usize {
        if turn.is_multiple_of(kept) {
            heap.stack_from(ring).iter().for_each(|slot| slot.set(Value::EMPTY));
            heap.collect(Request::Auto);
        }
        heap.stack_from(ring)[turn % kept].set(young_tree(heap, 14));
        let start = Instant::now();
        heap.collect(Request::Auto);
        time += start.elapsed();
    }
    heap.stack_truncate(ring);
    time
}

/// A tree of 2^levels - 1 nodes of 32 bytes.
fn young_tree<'s, 'id>(heap: &'s BenchHeap<'id>, levels: u32) -> Value<'s, 'id, LowTag> {
    if levels == 0 {
        return Value::EMPTY;
    }
    let below = [young_tree(heap, levels - 1), young_tree(heap, levels - 1)];
    let mut node = heap.alloc(&NODE, 0).expect("the machine has the memory");
    node.references_mut().copy_from_slice(&below);
    node.finish().into()
}

/// Tables of 64 entries, frozen, the last 256 of them alive.
fn build_and_freeze(heap: &mut BenchHeap<'_>, tables: usize) {
    let ring = heap.stack_grow(256).expect("room on the stack");
    for round in 0..tables {
        safepoint(heap);
        let table = heap.alloc(&ARRAY, 64).expect("the machine has the memory").finish();
        for index in 0..64 {
            let record = heap.alloc(&RECORD, 0).expect("the machine has the memory").finish();
            let entry = heap.alloc(&ENTRY, 0).expect("the machine has the memory").finish();
            heap.store(entry, 0, record.into()).expect("mutable");
            heap.store(table, index, entry.into()).expect("mutable");
        }
        heap.freeze_deep(table.into());
        heap.stack_from(ring)[round % 256].set(table.into());
    }
    heap.stack_truncate(ring);
}

fn random_stores(heap: &mut BenchHeap<'_>, slots: usize, stores: u64) {
    let base = heap.stack_grow(1).expect("room on the stack");
    heap.stack_from(base)[0].set(heap.alloc(&ARRAY, slots).expect("memory").finish().into());
    let mut state = 12345u32;
    for _ in 0..stores {
        safepoint(heap);
        state = state.wrapping_mul(69069).wrapping_add(1);
        let array = heap.stack_from(base)[0].get().object().expect("the array");
        let record = heap.alloc(&RECORD, 0).expect("the machine has the memory").finish();
        heap.store(array, (state >> 8) as usize % slots, record.into()).expect("mutable");
    }
    heap.stack_truncate(base);
}

fn throughput(c: &mut Criterion) {
    let mut group = c.benchmark_group("throughput");
    group.sample_size(10);
    group.throughput(Throughput::Elements(10_000_000));
    group.bench_function("cells", |b| {
        b.iter(|| with_heap(Config::default(), |mut heap| cells(&mut heap, 10_000_000)))
    });
    group.throughput(Throughput::Elements(20 << 17));
    group.bench_function("trees", |b| {
        b.iter(|| with_heap(Config::default(), |mut heap| (0..20).for_each(|_| tree(&mut heap, 16))))
    });
    group.throughput(Throughput::Elements(1 << 14));
    for (place, kept) in [("warm", 1), ("100MiB", 200)] {
        for (way, cluster_objects) in [("as_one", Config::DEFAULT.cluster_objects), ("one_by_one", u32::MAX)]
        {
            let config = Config { cluster_objects, nursery_growth: 1, ..Config::default() };
            group.bench_function(BenchmarkId::new(format!("promote_{way}"), place), |b| {
                b.iter_custom(|count| with_heap(config.clone(), |mut heap| promote(&mut heap, count, kept)))
            });
        }
    }
    group.throughput(Throughput::Elements(20_000 * 64 * 2));
    for short_collections in [false, true] {
        let config = Config { short_collections, ..Config::default() };
        group.bench_function(BenchmarkId::new("build_and_freeze", kind(short_collections)), |b| {
            b.iter(|| with_heap(config.clone(), |mut heap| build_and_freeze(&mut heap, 20_000)))
        });
    }
    group.throughput(Throughput::Elements(1_000_000));
    for short_collections in [false, true] {
        let config = Config { short_collections, ..Config::default() };
        group.bench_function(BenchmarkId::new("random_stores", kind(short_collections)), |b| {
            b.iter(|| with_heap(config.clone(), |mut heap| random_stores(&mut heap, 1_000_000, 1_000_000)))
        });
    }
    group.finish();
}

fn kind(short_collections: bool) -> &'static str {
    if short_collections { "short" } else { "complete" }
}

criterion_group!(benches, throughput);
criterion_main!(benches);
