//! A borrow that comes in through a type parameter.
//~ `text` does not live long enough
use frazil::arena::{Arena, Static};

fn main() {
    let mut arena = Arena::<()>::new(|_| ());
    let text = String::from("short");
    arena.enter(|s, _| {
        s.alloc(Static(text.as_str()));
    });
    drop(text);
}
