//! Pointers that are not aligned.
//~ a packed type cannot lie in an arena
use frazil::arena::{Gc, Trace};

#[derive(Trace)]
#[repr(C, packed)]
struct Packed<'gc> {
    byte: u8,
    text: Gc<'gc, str>,
}

fn main() {}
