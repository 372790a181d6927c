//! A collection while pointers are alive.
//~ cannot borrow `arena` as mutable
use frazil::arena::Arena;

fn main() {
    let mut arena = Arena::<()>::new(|_| ());
    arena.enter(|s, _| {
        let text = s.str("text");
        arena.collect();
        println!("{text}");
    });
}
