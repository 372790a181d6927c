//! A brand is neither made shorter nor longer: all types that have one are invariant in it.
//~ brand_of_erased
//~ brand_of_gc
//~ brand_of_hash_map
//~ brand_of_ordered_map
//~ brand_of_persistent_hash_map
//~ brand_of_persistent_ordered_map
//~ brand_of_persistent_vector
//~ brand_of_session
//~ brand_of_unique
//~ brand_of_vector
//~ brand_of_weak
//~ brand_made_longer
//~ brand_of_outer
//~ brand_of_frame
//~ lifetime may not live long enough
use frazil::arena::{Erased, Gc, Outer, Session, Unique, Weak, collections, persistent};

fn erased<'long: 'short, 'short>(brand_of_erased: Erased<'long, dyn Send + 'static>) -> Erased<'short, dyn Send + 'static> {
    brand_of_erased
}
fn gc<'long: 'short, 'short>(brand_of_gc: Gc<'long, u64>) -> Gc<'short, u64> {
    brand_of_gc
}
fn hash_map<'long: 'short, 'short>(brand_of_hash_map: collections::HashMap<'long, u64, u64>) -> collections::HashMap<'short, u64, u64> {
    brand_of_hash_map
}
fn ordered_map<'long: 'short, 'short>(brand_of_ordered_map: collections::OrderedMap<'long, u64, u64>) -> collections::OrderedMap<'short, u64, u64> {
    brand_of_ordered_map
}
fn persistent_hash_map<'long: 'short, 'short>(brand_of_persistent_hash_map: persistent::HashMap<'long, u64, u64>) -> persistent::HashMap<'short, u64, u64> {
    brand_of_persistent_hash_map
}
fn persistent_ordered_map<'long: 'short, 'short>(brand_of_persistent_ordered_map: persistent::OrderedMap<'long, u64, u64>) -> persistent::OrderedMap<'short, u64, u64> {
    brand_of_persistent_ordered_map
}
fn persistent_vector<'long: 'short, 'short>(brand_of_persistent_vector: persistent::Vector<'long, u64>) -> persistent::Vector<'short, u64> {
    brand_of_persistent_vector
}
fn session<'long: 'short, 'short>(brand_of_session: Session<'long>) -> Session<'short> {
    brand_of_session
}
fn unique<'long: 'short, 'short>(brand_of_unique: Unique<'long, u64>) -> Unique<'short, u64> {
    brand_of_unique
}
fn vector<'long: 'short, 'short>(brand_of_vector: collections::Vector<'long, u64>) -> collections::Vector<'short, u64> {
    brand_of_vector
}
fn weak<'long: 'short, 'short>(brand_of_weak: Weak<'long, u64>) -> Weak<'short, u64> {
    brand_of_weak
}
fn outer<'long: 'short, 'short>(brand_of_outer: Outer<'long, 'short>) -> Outer<'short, 'short> {
    brand_of_outer
}
fn frame<'long: 'short, 'short>(brand_of_frame: Outer<'long, 'long>) -> Outer<'long, 'short> {
    brand_of_frame
}
fn longer<'long: 'short, 'short>(brand_made_longer: Gc<'short, u64>) -> Gc<'long, u64> {
    brand_made_longer
}

fn main() {}
