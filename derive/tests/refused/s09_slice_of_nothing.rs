//! A slice of elements without a size, whose number would be nowhere.
//~ a slice in an arena has elements of at least one byte
use frazil::arena::Arena;

fn main() {
    let mut arena = Arena::<()>::new(|_| ());
    arena.enter(|s, _| {
        s.slice(&[(), ()]);
    });
}
