//! A pointer that is kept from one session to the next.
//~ borrowed data escapes outside of closure
use frazil::arena::Arena;

fn main() {
    let mut arena = Arena::<()>::new(|_| ());
    let mut kept = None;
    arena.enter(|s, _| kept = Some(s.str("text")));
    arena.collect();
    arena.enter(|_, _| println!("{}", kept.unwrap()));
}
