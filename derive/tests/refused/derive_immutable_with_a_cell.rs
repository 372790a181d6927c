//! A type that says that it is immutable, and has a cell.
//~ the type is to be immutable (`#[trace(immutable)]`), and a `Cell` lies in it
use frazil::arena::{Cell, Trace};

#[derive(Trace)]
#[trace(immutable)]
struct Counter {
    count: Cell<u64>,
}

fn main() {}
