//! A unique object in another object, from where it could be had twice.
//~ `Unique<'_, {integer}>` cannot lie in an arena
use frazil::arena::Arena;

fn main() {
    let mut arena = Arena::<()>::new(|_| ());
    arena.enter(|s, _| {
        s.alloc(s.unique(1));
    });
}
