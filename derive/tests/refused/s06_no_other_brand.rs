//! There is no way to another brand, not even in the same arena: what goes on is a `Root`.
//~ borrowed data escapes outside of closure
use frazil::arena::{Arena, Gc, Weak};

fn main() {
    let mut arena = Arena::<()>::new(|_| ());
    let mut kept: Option<Weak<'_, str>> = None;
    arena.enter(|s, _| kept = Some(s.weak(s.str("text"))));
    let _: Option<Gc<'_, str>> = arena.enter(|s, _| s.upgrade(kept.unwrap()));
}
