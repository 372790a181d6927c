//! A lifetime beside the brand.
//~ what lies in an arena has one lifetime, the arena's brand `'gc`
use frazil::arena::{Gc, Trace};

#[derive(Trace)]
struct Name<'gc, 'a> {
    text: Gc<'gc, str>,
    more: std::marker::PhantomData<&'a ()>,
}

fn main() {}
