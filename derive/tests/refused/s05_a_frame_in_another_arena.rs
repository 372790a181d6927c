//! A pointer of one arena, adopted by a frame in another.
//~ borrowed data escapes outside of closure
use frazil::arena::Arena;

fn main() {
    let (mut one, mut other) = (Arena::<u64>::new(|_| 1), Arena::<u64>::new(|_| 2));
    one.enter(|_, root| {
        other.enter(|t, _| t.scratch(|_, outer| println!("{}", outer.adopt(root))));
    });
}
