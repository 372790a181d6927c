//! An object that borrows something shorter than its arena.
//~ a reference cannot lie in an arena: the object may outlive what it borrows
use frazil::arena::Trace;

#[derive(Trace)]
struct Name<'a> {
    text: &'a str,
}

fn main() {}
