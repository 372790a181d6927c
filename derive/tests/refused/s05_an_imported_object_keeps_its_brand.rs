//! What was shared is imported into a session, and belongs to it from then on.
//~ borrowed data escapes outside of closure
use frazil::arena::{Group, Shared};

fn read(group: &Group, shared: &Shared<str>) -> usize {
    let mut kept = None;
    group.arena::<()>(|_| ()).enter(|s, _| kept = Some(s.import(shared)));
    kept.unwrap().len()
}

fn main() {}
