//! The same four data structures with gc-arena, dumpster and frazil's arenas: how long they take, and how much there is
//! to write. `cargo bench` in this folder; `cargo run --release` counts lines.

pub mod dumpster;
pub mod gc_arena;
pub mod ours;

/// Steps between two places where a collection may happen.
pub const BATCH: usize = 1_000;
/// What is alive at a time, where there is a limit.
pub const WINDOW: u64 = 10_000;

/// Numbers in no order.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed ^ mixed >> 31
    }

    pub fn below(&mut self, bound: u64) -> usize {
        (self.next() % bound) as usize
    }
}

/// Words of a text, some of them often.
pub fn words(count: usize) -> Vec<String> {
    let mut random = Random(3);
    (0..count).map(|_| format!("word{}", random.next() % 1_000 * (random.next() % 100))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_do_the_same() {
        // dumpster looks for cycles by recursion.
        std::thread::Builder::new().stack_size(1 << 30).spawn(compare).unwrap().join().unwrap();
    }

    fn compare() {
        let words = words(5_000);
        assert_eq!([gc_arena::queue(30_000), dumpster::queue(30_000)], [ours::queue(30_000); 2]);
        assert_eq!([gc_arena::tree(10_000), dumpster::tree(10_000)], [ours::tree(10_000); 2]);
        assert_eq!([gc_arena::graph(30_000), dumpster::graph(30_000)], [ours::graph(30_000); 2]);
        assert_eq!([gc_arena::symbols(&words), dumpster::symbols(&words)], [ours::symbols(&words); 2]);
    }
}
