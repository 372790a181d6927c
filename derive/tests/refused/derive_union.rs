//! A union.
//~ a union cannot lie in an arena
use frazil::arena::{Gc, Trace};

#[derive(Trace)]
union Either<'gc> {
    text: Gc<'gc, str>,
    number: u64,
}

fn main() {}
