//! A field's name leads from an object to its own fields, not through a pointer into another object.
//~ mismatched types
use frazil::arena::{Arena, Cell, Gc, Trace};

#[derive(Trace)]
struct Inner {
    number: Cell<u64>,
}

#[derive(Trace)]
struct Outer<'gc> {
    inner: Cell<Gc<'gc, Inner>>,
}

fn main() {
    let mut arena = Arena::<Outer<'static>>::new(|s| Outer { inner: Cell::new(s.alloc(Inner { number: Cell::new(0) })) });
    arena.enter(|s, root| s.set(root, Outer::INNER.then(Inner::NUMBER), 1));
}
