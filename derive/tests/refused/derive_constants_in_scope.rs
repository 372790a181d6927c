//! A constant of the host's cannot take the place of a name in what the derive writes: the pointer beside a number that is
//! not the constant's would not be found.
//~ match bindings cannot shadow constants
use frazil::arena::{Gc, Trace};

#[allow(non_upper_case_globals)]
const field_0: &u8 = &0;

#[derive(Trace)]
enum Labelled<'gc> {
    Text(&'static u8, Gc<'gc, str>),
}

fn main() {
    let _ = |text| Labelled::Text(field_0, text);
}
