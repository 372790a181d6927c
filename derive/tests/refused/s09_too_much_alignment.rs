//! A value that must lie at a multiple of 16.
//~ an object's value lies at a multiple of 8
use frazil::arena::Arena;

fn main() {
    let mut arena = Arena::<()>::new(|_| ());
    arena.enter(|s, _| {
        s.alloc(1u128);
    });
}
