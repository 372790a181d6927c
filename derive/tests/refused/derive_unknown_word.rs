//! A word that the derive does not know.
//~ on a type there is `#[trace(immutable)]` only
use frazil::arena::Trace;

#[derive(Trace)]
#[trace(mutable)]
struct Counter {
    count: u64,
}

fn main() {}
