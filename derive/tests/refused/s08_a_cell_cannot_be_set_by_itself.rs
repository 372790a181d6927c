//! A cell is set through its object, so that frozen objects can refuse.
//~ a cell is set through its object, which may be frozen
//~ the session sets it: `session.set(object, Type::FIELD, value)`
use frazil::arena::{Arena, Cell, Trace};

#[derive(Trace)]
struct One {
    number: Cell<u64>,
}

fn main() {
    let mut arena = Arena::<One>::new(|_| One { number: Cell::new(0) });
    arena.enter(|_, root| root.number.set(1));
}
