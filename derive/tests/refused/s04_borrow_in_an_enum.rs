//! The same inside other types.
//~ a reference cannot lie in an arena: the object may outlive what it borrows
use frazil::arena::Trace;

#[derive(Trace)]
enum Name<'a> {
    Nothing,
    Texts(Option<[(u8, &'a str); 2]>),
}

fn main() {}
