//! A reference that lasts for good, to something that is one thread's (S36).
//~ `&'static std::cell::Cell<u64>` cannot lie in an arena
use frazil::arena::Trace;

#[derive(Trace)]
struct Counter {
    count: &'static std::cell::Cell<u64>,
}

fn main() {}
