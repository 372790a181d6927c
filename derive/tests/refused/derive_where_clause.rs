//! The same, written behind.
//~ put these bounds on the functions that need them, not on the type
use frazil::arena::Trace;

#[derive(Trace)]
struct Sorted<T>
where
    T: Ord,
{
    first: T,
}

fn main() {}
