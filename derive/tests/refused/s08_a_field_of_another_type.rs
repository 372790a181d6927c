//! The field of another type.
//~ mismatched types
use frazil::arena::{Arena, Cell, Trace};

#[derive(Trace)]
struct One {
    number: Cell<u64>,
}

#[derive(Trace)]
struct Other {
    first: u64,
    number: Cell<u64>,
}

fn main() {
    let mut arena = Arena::<One>::new(|_| One { number: Cell::new(0) });
    arena.enter(|s, root| s.set(root, Other::NUMBER, 1));
    let _ = Other { first: 1, number: Cell::new(2) };
}
