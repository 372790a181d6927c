//! A cell that is there in one variant only.
//~ a `Cell` inside an enum cannot be set
use frazil::arena::{Cell, Trace};

#[derive(Trace)]
enum State {
    Off,
    On(Cell<u64>),
}

fn main() {}
