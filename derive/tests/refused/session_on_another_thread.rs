//! A session on another thread.
//~ cannot be shared between threads safely
use frazil::arena::Arena;

fn main() {
    let mut arena = Arena::<()>::new(|_| ());
    arena.enter(|s, _| {
        let s = &*s;
        std::thread::scope(|scope| {
            scope.spawn(|| s.allocated_bytes());
        });
    });
}
