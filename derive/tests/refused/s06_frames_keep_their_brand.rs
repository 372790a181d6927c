//! A pointer of a frame, kept by the session outside.
//~ borrowed data escapes outside of closure
use frazil::arena::Arena;

fn main() {
    let mut arena = Arena::<()>::new(|_| ());
    arena.enter(|s, _| {
        let mut kept = None;
        s.scratch(|f, _| kept = Some(f.str("text")));
        println!("{}", kept.unwrap());
    });
}
