//! A reference into the arena, returned from the session.
//~ lifetime may not live long enough
//~ return type of closure
use frazil::arena::{Arena, Gc};

fn main() {
    let mut arena = Arena::<u64>::new(|_| 1);
    let inside: &u64 = arena.enter(|_, root| Gc::as_ref(root));
    println!("{inside}");
}
