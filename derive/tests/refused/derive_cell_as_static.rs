//! A cell of the standard library as plain data: threads may share the object (S36, S43).
//~ cannot be shared between threads safely
use frazil::arena::{Static, Trace};

#[derive(Trace)]
struct Counter {
    count: Static<std::cell::Cell<u64>>,
}

fn main() {}
