//! Interior mutability that no frozen object could refuse (S43).
//~ cannot lie in an arena
//~ `std::cell::Cell`, `RefCell`, `Mutex`, atomics: `frazil::arena::Cell`, whose stores the collector hears of
use frazil::arena::Trace;

#[derive(Trace)]
struct Counter {
    count: std::cell::RefCell<u64>,
}

fn main() {}
