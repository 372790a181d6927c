//! A trait object that passes for another between two sessions.
//~ type mismatch resolving
use frazil::arena::{Erasable, ErasableFamily};

trait One {}
trait Other {}

impl<'gc> Erasable<'gc> for dyn One + 'gc {
    type Family = dyn Other;
}
impl<'gc> Erasable<'gc> for dyn Other + 'gc {
    type Family = dyn Other;
}
impl ErasableFamily for dyn Other {
    type Of<'gc> = dyn Other + 'gc;
}

fn main() {}
