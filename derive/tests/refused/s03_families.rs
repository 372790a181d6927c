//! The family of an arena, a root or a shared object is neither made shorter nor longer: two families of which one is a
//! subtype of the other may have nothing else in common.
//~ family_of_arena
//~ family_of_root
//~ family_of_shared
//~ one type is more general than the other
use std::marker::PhantomData;

use frazil::arena::{Arena, Family, Root, Shared};

type Any = for<'a> fn(&'a u8);
type Lasting = fn(&'static u8);

struct Named<T>(PhantomData<T>);

impl Family for Named<Any> {
    type Of<'gc> = (usize, usize);
}
impl Family for Named<Lasting> {
    type Of<'gc> = &'static str;
}

fn arena(family_of_arena: Arena<Named<Any>>) -> Arena<Named<Lasting>> {
    family_of_arena
}
fn root(family_of_root: Root<Named<Any>>) -> Root<Named<Lasting>> {
    family_of_root
}
fn shared(family_of_shared: Shared<Named<Any>>) -> Shared<Named<Lasting>> {
    family_of_shared
}

fn main() {
    let mut arena = arena(Arena::new(|_| (0x1234, 8)));
    // An address out of thin air.
    arena.enter(|_, text| println!("{}", *text));
}
