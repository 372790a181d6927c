//! A pointer with a lifetime of one's choice.
//~ lifetime may not live long enough
use frazil::arena::{Arena, Gc, Session};

fn text<'gc>(s: &Session<'gc>) -> Gc<'gc, str> {
    s.str("text")
}

fn main() {
    let mut arena = Arena::<()>::new(|_| ());
    arena.enter(|s, _| {
        let text: Gc<'static, str> = text(s);
        println!("{text}");
    });
}
