//! How long does the mutator stand still? Four questions, each with a table for an answer.
//!
//! 1. Does the longest pause grow with a frozen old heap? (10^5, 10^6, 10^7 nodes live, short-lived garbage.)
//! 2. What does it cost when a frozen structure of 10^7 nodes dies, at once and in instalments?
//! 3. Chains of 10^7 objects, which no recursion would survive: promoted, frozen in place, freed.
//! 4. Does a pause grow with those whose death the host waits for? (10^6 nodes live, of each one.)
//!
//! A program rather than a criterion bench: it asks for the longest of many pauses, not for a mean time. Pauses
//! of single collections are wall-clock times; on a busy machine take the least of several runs. `cargo bench
//! --bench pauses -- 5` makes five runs (three by default).

use std::time::Duration;

use frazil::{AllocError, Config, Drain, Handle, Heap, LowTag, Object, Report, Request, Shape, Value};

const NODE: Shape = Shape::new(1, "node").raw_words(1).references(2);
const LINK: Shape = Shape::new(2, "link").raw_words(1).references(1).mutable();

/// So many of the last short-lived cells are alive: the survivors of each collection.
const WINDOW: usize = 4096;

type BenchHeap<'id> = Heap<'id, LowTag>;
type Result<T> = std::result::Result<T, AllocError>;

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let runs = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(3);
    println!("1. longest pause with a frozen old heap, 2e7 short-lived cells (least of {runs} runs)");
    println!("   {:>10} {:>12} {:>12} {:>12} {:>12}", "old nodes", "longest", "p99", "median", "collections");
    for nodes in [100_000, 1_000_000, 10_000_000] {
        let best = (0..runs)
            .map(|_| churned(nodes, |_, _| ()))
            .collect::<std::result::Result<Vec<_>, Box<dyn std::error::Error>>>()?
            .into_iter()
            .min_by_key(|pauses| pauses.longest)
            .ok_or("no runs")?;
        println!("   {nodes:>10} {best}");
    }
    println!("2. a frozen tree of 1e7 nodes dies (least of {runs} runs)");
    let instalments = Drain::Instalments { objects_per_kib: 64, micros_max: 1000 };
    for (name, drain) in [("at once", Drain::All), ("instalments of 1 ms", instalments)] {
        let config = Config { drain, ..Config::default() };
        let (longest, collections) = (0..runs)
            .map(|_| Ok(Heap::branded(config.clone(), |heap| drop_tree(heap, 10_000_000))??))
            .collect::<std::result::Result<Vec<_>, Box<dyn std::error::Error>>>()?
            .into_iter()
            .min()
            .ok_or("no runs")?;
        println!("   {name:>20}: longest pause {longest:.2?}, gone after {collections} collections");
    }
    println!("3. a chain of 1e7 objects, on a stack of 256 KiB");
    let chain =
        || Heap::branded(Config::default(), chain).map_err(|e| e.to_string())?.map_err(|e| e.to_string());
    let thread = std::thread::Builder::new().stack_size(256 << 10).spawn(chain)?;
    for (step, report) in thread.join().map_err(|_| "the chain did not come through")?? {
        println!(
            "   {step:>20}: {:.1?}, {} promoted, {} traced, {} settled, {} freed",
            report.pause,
            report.promoted_objects,
            report.traced_objects,
            report.settled,
            report.freed_objects
        );
    }
    println!("4. the pauses of one run, if the host waits for the death of each of 1e6 old nodes");
    println!("   {:>10} {:>12} {:>12} {:>12} {:>12}", "by", "longest", "p99", "median", "collections");
    let weakly = churned(1_000_000, |heap, node| {
        heap.weak(node);
    })?;
    println!("   {:>10} {weakly}", "weak");
    let finally = churned(1_000_000, |heap, node| heap.finalize(node, 0))?;
    println!("   {:>10} {finally}", "finalizer");
    Ok(())
}

/// The pauses beside a tree of so many nodes, to each of which something has been done.
fn churned(
    nodes: usize,
    each: impl for<'id> Fn(&BenchHeap<'id>, Object<'_, 'id, LowTag>),
) -> std::result::Result<Pauses, Box<dyn std::error::Error>> {
    Ok(Heap::branded(Config::default(), |heap| churn_beside(heap, nodes, each))??)
}

fn node<'s, 'id>(
    heap: &'s BenchHeap<'id>,
    value: u64,
    children: [Value<'s, 'id, LowTag>; 2],
) -> Result<Object<'s, 'id, LowTag>> {
    let mut fresh = heap.alloc(&NODE, 0)?;
    fresh.raw_mut()[0] = value;
    fresh.references_mut().copy_from_slice(&children);
    Ok(fresh.finish())
}

/// A balanced tree of about `nodes` nodes, built from the leaves up, a level's work at a time.
fn tree<'id>(heap: &mut BenchHeap<'id>, nodes: usize) -> Result<Handle<'id>> {
    let depth = (nodes + 1).ilog2() as usize;
    let base = heap.stack_grow(depth + 1).ok_or(AllocError::TooLong { len: depth })?;
    // As a binary counter: slot k holds a finished tree of depth k, or nothing.
    for leaf in 0..1u64 << (depth - 1) {
        if heap.should_collect() {
            heap.collect(Request::Auto);
        }
        let slots = heap.stack_from(base);
        let mut tree = node(heap, leaf, [Value::EMPTY; 2])?;
        let mut level = 0;
        while slots[level].get() != Value::EMPTY {
            tree = node(heap, leaf, [slots[level].replace(Value::EMPTY), tree.into()])?;
            level += 1;
        }
        slots[level].set(tree.into());
    }
    let root = heap.stack_from(base)[depth - 1].get();
    let handle = heap.root(root);
    heap.stack_truncate(base);
    heap.collect(Request::Complete);
    Ok(handle)
}

struct Pauses {
    longest: Duration,
    p99: Duration,
    median: Duration,
    collections: usize,
}

impl std::fmt::Display for Pauses {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Pauses { longest, p99, median, collections } = self;
        write!(f, "{longest:>12.1?} {p99:>12.1?} {median:>12.1?} {collections:>12}")
    }
}

fn churn_beside<'id>(
    mut heap: BenchHeap<'id>,
    nodes: usize,
    each: impl Fn(&BenchHeap<'id>, Object<'_, 'id, LowTag>),
) -> Result<Pauses> {
    let kept = tree(&mut heap, nodes)?;
    let mut below = vec![heap.rooted(&kept)];
    while let Some(value) = below.pop() {
        if let Some(node) = value.object() {
            each(&heap, node);
            below.extend(node.references().iter());
        }
    }
    drop(below);
    heap.collect(Request::Complete);
    let mut pauses = Vec::new();
    let base = heap.stack_grow(WINDOW).ok_or(AllocError::TooLong { len: WINDOW })?;
    for value in 0..20_000_000 {
        if heap.should_collect() {
            pauses.push(heap.collect(Request::Auto).pause);
        }
        let cell = node(&heap, value, [heap.rooted(&kept), Value::EMPTY])?;
        heap.stack_from(base)[value as usize % WINDOW].set(cell.into());
    }
    pauses.sort_unstable();
    Ok(Pauses {
        longest: *pauses.last().expect("the nursery is smaller than the garbage"),
        p99: pauses[pauses.len() * 99 / 100],
        median: pauses[pauses.len() / 2],
        collections: pauses.len(),
    })
}

fn drop_tree(mut heap: BenchHeap<'_>, nodes: usize) -> Result<(Duration, usize)> {
    let kept = tree(&mut heap, nodes)?;
    heap.unroot(kept);
    let mut longest = Duration::ZERO;
    for collections in 1.. {
        let report = heap.collect(Request::Auto);
        longest = longest.max(report.pause);
        if report.old_objects == 0 {
            return Ok((longest, collections));
        }
        // The mutator goes on and allocates a nursery full of garbage.
        while !heap.should_collect() {
            node(&heap, 0, [Value::EMPTY; 2])?;
        }
    }
    unreachable!("the loop ends when nothing is left")
}

fn chain(mut heap: BenchHeap<'_>) -> Result<Vec<(&'static str, Report)>> {
    let length = 10_000_000;
    let mut head = heap.root(Value::EMPTY);
    for value in 0..length {
        let mut fresh = heap.alloc(&LINK, 0)?;
        fresh.raw_mut()[0] = value;
        fresh.references_mut()[0] = heap.rooted(&head);
        let link = fresh.finish();
        heap.reroot(&head, link.into());
    }
    let mut steps = vec![("promoted, mutable", heap.collect(Request::Complete))];
    heap.freeze_deep(heap.rooted(&head));
    steps.push(("frozen and settled", heap.collect(Request::Complete)));
    heap.unroot(head);
    steps.push(("freed", heap.collect(Request::Complete)));

    head = heap.root(Value::EMPTY);
    for value in 0..length {
        let link = node(&heap, value, [heap.rooted(&head), Value::EMPTY])?;
        heap.reroot(&head, link.into());
    }
    steps.push(("promoted, immutable", heap.collect(Request::Complete)));
    heap.unroot(head);
    steps.push(("freed", heap.collect(Request::Complete)));
    Ok(steps)
}
