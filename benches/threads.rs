//! A million threads, one after the other, each with a heap of its own that leaves something behind: memory stays flat,
//! and everything is freed at the end.
//!
//! `cargo bench --bench threads -- [THREADS] [KEPT]`. The last KEPT handles are kept by a thread without a heap.

use std::collections::VecDeque;
use std::time::Instant;

use frazil::{Config, Group, Heap, LowTag, Shape, Shared, Value};

const NODE: Shape = Shape::new(1, "node").raw_words(1).references(1);
const LENGTH: u64 = 100;

/// A list that is shared.
fn leave(heap: &mut Heap<'_, LowTag>) -> Shared<LowTag> {
    let mut list = Value::EMPTY;
    for number in 0..LENGTH {
        let mut node = heap.alloc(&NODE, 0).expect("memory");
        node.raw_mut()[0] = number;
        node.references_mut()[0] = list;
        list = node.finish().into();
    }
    let handle = heap.root(list);
    heap.share(&handle).expect("immutable")
}

/// Resident memory of this process in KiB, if the system says.
fn resident_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?.trim().split(' ').next()?.parse().ok()
}

fn main() {
    let numbers: Vec<usize> = std::env::args().filter_map(|word| word.parse().ok()).collect();
    let (threads, kept_max) = (*numbers.first().unwrap_or(&1_000_000), *numbers.get(1).unwrap_or(&100));
    let group = Group::<LowTag>::new(Config::DEFAULT).expect("the settings agree");
    let mut kept = VecDeque::new();
    let start = Instant::now();
    for number in 0..threads {
        let spawned = {
            let group = group.clone();
            std::thread::spawn(move || group.branded(|mut heap| leave(&mut heap)).expect("memory"))
        };
        kept.push_back(spawned.join().expect("no panic"));
        kept.drain(..kept.len().saturating_sub(kept_max));
        if number % (threads / 10).max(1) == 0 {
            println!(
                "{number:>9} threads, {} orphans, {} KiB resident",
                group.orphans(),
                resident_kib().unwrap_or(0)
            );
        }
    }
    let elapsed = start.elapsed();
    println!("{:.1} us a thread", elapsed.as_micros() as f64 / threads as f64);
    kept.clear();
    println!("at the end: {} orphans, {} KiB resident", group.orphans(), resident_kib().unwrap_or(0));
    assert_eq!(group.orphans(), 0, "everything is freed at the end");
}
