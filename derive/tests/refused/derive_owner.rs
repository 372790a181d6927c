//! A field that owns memory outside.
//~ `String` cannot lie in an arena
//~ `String` or `&str`: `Gc<'gc, str>`
use frazil::arena::Trace;

#[derive(Trace)]
struct Name {
    text: String,
}

fn main() {}
