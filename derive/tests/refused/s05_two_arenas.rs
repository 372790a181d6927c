//! A pointer of one arena in another.
//~ lifetime may not live long enough
use frazil::arena::{Arena, Cell, Gc, Trace};

#[derive(Trace)]
struct Holder<'gc> {
    text: Cell<Option<Gc<'gc, str>>>,
}

fn main() {
    let new = || Arena::<Holder<'static>>::new(|_| Holder { text: Cell::new(None) });
    let (mut one, mut other) = (new(), new());
    one.enter(|s, _| {
        let text = s.str("of one");
        other.enter(|t, root| t.set(root, Holder::TEXT, Some(text)));
    });
}
