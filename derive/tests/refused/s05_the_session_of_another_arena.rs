//! An object of one arena, set by a session of another.
//~ borrowed data escapes outside of closure
use frazil::arena::{Arena, Cell, Trace};

#[derive(Trace)]
struct Holder {
    number: Cell<u64>,
}

fn main() {
    let new = || Arena::<Holder>::new(|_| Holder { number: Cell::new(0) });
    let (mut one, mut other) = (new(), new());
    one.enter(|_, root| other.enter(|t, _| t.set(root, Holder::NUMBER, 1)));
}
