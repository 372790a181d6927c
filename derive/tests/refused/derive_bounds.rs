//! Bounds on the parameters of a type.
//~ the parameters of a type in an arena have no bounds
use frazil::arena::Trace;

#[derive(Trace)]
struct Sorted<T: Ord> {
    first: T,
}

fn main() {}
