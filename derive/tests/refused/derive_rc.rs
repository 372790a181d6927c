//! A pointer that is counted elsewhere (S20).
//~ cannot lie in an arena
use frazil::arena::{Gc, Trace};

#[derive(Trace)]
struct Shared<'gc> {
    text: std::rc::Rc<Gc<'gc, str>>,
}

fn main() {}
