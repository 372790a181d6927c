//! The session outside, used while a frame is open: what it made would die with the frame.
//~ cannot borrow `*s` as mutable because it is also borrowed as immutable
use frazil::arena::Arena;

fn main() {
    let mut arena = Arena::<()>::new(|_| ());
    arena.enter(|s, _| {
        let kept = s.scratch(|_, _| s.str("text"));
        println!("{kept}");
    });
}
