//! A word on a field that the derive does not know.
//~ on a field there is `#[trace(field)]` only
use frazil::arena::Trace;

#[derive(Trace)]
struct Counter {
    #[trace(skip)]
    count: u64,
}

fn main() {}
