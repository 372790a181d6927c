//! The same, wrapped.
//~ what lies in an arena is never dropped
use frazil::arena::{Arena, Static};

fn main() {
    let mut arena = Arena::<()>::new(|_| ());
    arena.enter(|s, _| {
        s.alloc(Static(String::new()));
    });
}
