//! Seven workloads, as programs that other memory managers are measured with too: the same objects, the same
//! parameters, the same checksums, whatever the language.
//!
//! | workload | parameters | what |
//! | -------- | ---------- | ---- |
//! | w1 | depth | binary trees that die soon, beside one that stays |
//! | w2 | nodes, cells | short-lived lists beside an old tree |
//! | w3 | rounds, entries, kept | hash tables, built, frozen into arrays, dropped after a while |
//! | w4 | keys, pairs | a persistent AVL tree: deletions and insertions |
//! | w5 | slots, steps | fresh records in random slots of a large mutable array |
//! | w6 | rings, length | doubly linked rings |
//!
//! `cargo bench --bench workloads -- w1 18` prints the checksum, and a line with the time of the phase under test
//! (`elapsed`, `cpu`: seconds), of what it needed before (`setup`), the longest time between two marks of the mutator
//! (`maxgap`), and what the heap reports: collections (`minor`: short, `major`: complete), time in them, their
//! longest, and quantiles. `--json` prints one object instead. Without a workload all are run at a hundredth of their size.
//!
//! The settings are the default; `--nursery`, `--block` (both in KiB) and `--short` change them for experiments.
//!
//! What a program takes that never collects: `--nursery 8000000 --warm 1900000`, with memory for the first of these KiB
//! before the clock starts. (Without it the system is most of what is measured: it gives memory out page by page.)

mod array;
mod churn;
mod map;
mod meter;
mod rings;
mod tables;
mod trees;

use std::process::ExitCode;

use frazil::{BlockBytes, Config, Fresh, Heap, LowTag, Object, Request, Shape, Shaped, Value};
use meter::Meter;

type WorkHeap<'id> = Heap<'id, LowTag>;
type Obj<'s, 'id> = Object<'s, 'id, LowTag>;
type View<'s, 'id> = Shaped<'s, 'id, LowTag>;
type Val<'s, 'id> = Value<'s, 'id, LowTag>;

/// A workload: its name, how many parameters it takes, their values for a short run, and the program.
struct Workload {
    name: &'static str,
    small: &'static [u64],
    run: fn(&mut WorkHeap<'_>, &mut Meter, &[u64]) -> u32,
}

const WORKLOADS: [Workload; 6] = [
    Workload { name: "w1", small: &[12], run: |heap, meter, p| trees::run(heap, meter, p[0]) },
    Workload {
        name: "w2",
        small: &[10_000, 1_000_000],
        run: |heap, meter, p| churn::run(heap, meter, p[0], p[1]),
    },
    Workload {
        name: "w3",
        small: &[30, 1000, 16],
        run: |heap, meter, p| tables::run(heap, meter, p[0], p[1], p[2]),
    },
    Workload { name: "w4", small: &[10_000, 5000], run: |heap, meter, p| map::run(heap, meter, p[0], p[1]) },
    Workload {
        name: "w5",
        small: &[10_000, 100_000],
        run: |heap, meter, p| array::run(heap, meter, p[0], p[1]),
    },
    Workload { name: "w6", small: &[1000, 1000], run: |heap, meter, p| rings::run(heap, meter, p[0], p[1]) },
];

fn main() -> ExitCode {
    match Order::parse(std::env::args().skip(1)) {
        Ok(order) => {
            order.runs.iter().for_each(|(workload, parameters)| order.run(workload, parameters));
            ExitCode::SUCCESS
        }
        Err(wrong) => {
            eprintln!(
                "workloads: {wrong}\nworkloads [w1 DEPTH | w2 NODES CELLS | w3 ROUNDS ENTRIES KEPT | w4 KEYS PAIRS | w5 SLOTS STEPS | w6 RINGS LENGTH]\n          [--json] [--nursery KIB] [--warm KIB] [--block KIB] [--short]"
            );
            ExitCode::from(2)
        }
    }
}

/// What the command line asks for.
struct Order {
    config: Config,
    /// So much of the nursery has memory before a workload begins.
    warm_bytes: usize,
    json: bool,
    runs: Vec<(&'static Workload, Vec<u64>)>,
}

impl Order {
    fn parse(mut words: impl Iterator<Item = String>) -> Result<Order, String> {
        let mut order = Order { config: Config::default(), warm_bytes: 0, json: false, runs: Vec::new() };
        let mut parameters = Vec::new();
        let mut workload = None;
        while let Some(word) = words.next() {
            let mut number = || {
                let text = words.next().ok_or_else(|| format!("{word} wants a number of KiB"))?;
                text.parse::<usize>().map_err(|error| format!("{text}: {error}"))
            };
            match word.as_str() {
                // What `cargo bench` adds.
                "--bench" => {}
                "--json" => order.json = true,
                "--short" => order.config.short_collections = true,
                "--nursery" => order.config.nursery_bytes = number()? << 10,
                "--warm" => order.warm_bytes = number()? << 10,
                "--block" => {
                    let block = BlockBytes::from_bytes(number()? << 10);
                    order.config.block_bytes = block.ok_or("a block has 4, 8, 16 or 32 KiB")?;
                }
                name if workload.is_none() => {
                    let known = WORKLOADS.iter().find(|workload| workload.name == name);
                    workload = Some(known.ok_or_else(|| format!("there is no workload {name}"))?);
                }
                number => parameters.push(number.parse().map_err(|error| format!("{number}: {error}"))?),
            }
        }
        match workload {
            None => {
                order.runs = WORKLOADS.iter().map(|workload| (workload, workload.small.to_vec())).collect()
            }
            Some(workload) if parameters.len() == workload.small.len() => {
                order.runs.push((workload, parameters));
            }
            Some(Workload { name, small, .. }) => {
                return Err(format!("{name} takes {} parameters", small.len()));
            }
        }
        if order.warm_bytes > order.config.nursery_bytes {
            return Err("the nursery is smaller than the part of it that is to be warm".into());
        }
        order.config.check().map_err(|error| error.to_string())?;
        Ok(order)
    }

    fn run(&self, workload: &Workload, parameters: &[u64]) {
        Heap::<LowTag>::branded(self.config.clone(), |mut heap| {
            if self.warm_bytes > 0 {
                let first = fresh(&heap, &FIRST).finish();
                warm(Val::from(first).bits() as usize, self.warm_bytes);
            }
            let mut meter = Meter::default();
            let checksum = (workload.run)(&mut heap, &mut meter, parameters);
            meter.print(workload.name, checksum, heap.stats(), self.json);
        })
        .expect("the settings agree, and there is memory");
    }
}

/// What lies where the nursery begins.
const FIRST: Shape = Shape::new(9, "first");

/// Has the system put memory behind the `bytes` that follow the page of `start`, which belong to the nursery.
#[cfg(target_os = "linux")]
fn warm(start: usize, bytes: usize) {
    let page = 4096;
    let pages = std::ptr::with_exposed_provenance_mut(start.next_multiple_of(page));
    // SAFETY: the request changes nothing that a program could read, wherever it goes.
    let done =
        unsafe { libc::madvise(pages, bytes.saturating_sub(page) / page * page, libc::MADV_POPULATE_WRITE) };
    assert_eq!(
        done,
        0,
        "the system gives no memory before it is written: {}",
        std::io::Error::last_os_error()
    );
}

#[cfg(not(target_os = "linux"))]
fn warm(_start: usize, _bytes: usize) {
    panic!("`--warm` needs Linux");
}

/// Collects if it is time. The workloads ask between pieces of work of a few KiB.
#[inline(always)]
fn safepoint(heap: &mut WorkHeap<'_>) {
    if heap.should_collect() {
        heap.collect(Request::Auto);
    }
}

/// Collects if it is nearly time: where a workload has just frozen what it built.
#[inline(always)]
fn lull(heap: &mut WorkHeap<'_>) {
    if heap.should_collect_early() {
        heap.collect(Request::Auto);
    }
}

/// A fresh object of a fixed shape.
#[inline(always)]
fn fresh<'s, 'id>(heap: &'s WorkHeap<'id>, shape: &Shape) -> Fresh<'s, 'id, LowTag> {
    fresh_of(heap, shape, 0)
}

/// A fresh object with a tail.
#[inline(always)]
fn fresh_of<'s, 'id>(heap: &'s WorkHeap<'id>, shape: &Shape, len: usize) -> Fresh<'s, 'id, LowTag> {
    heap.alloc(shape, len).expect("the machine has the memory")
}

/// The object that a value refers to, which has this shape; `None` if it refers to none.
#[inline(always)]
fn object_of<'s, 'id>(value: Val<'s, 'id>, shape: &Shape) -> Option<View<'s, 'id>> {
    value.object().map(|object| object.shaped(shape).expect("nothing else is stored there"))
}

/// The generator that all peers use.
fn next(state: u32) -> u32 {
    state.wrapping_mul(69069).wrapping_add(1)
}
