//! What another macro makes of a type when the derive has seen it: a pointer that nobody would find, for it dereferences to
//! what the derive has seen.
//~ mismatched types
//~ expected raw pointer `*const u64` found reference `&Gc<'gc, u64>`
use changing::change;
use frazil::arena::{Gc, Trace};

type Pointer<'gc> = Gc<'gc, u64>;
type Number<'gc> = <Gc<'gc, u64> as std::ops::Deref>::Target;

#[derive(Trace)]
#[change(Number Pointer)]
struct Hidden<'gc>(Number<'gc>);

fn main() {}
