//! The same for whatever leads into a heap: its brand is neither made shorter nor longer, nor is what it borrows.
//~ brand_of_fresh
//~ brand_of_handle
//~ brand_of_heap
//~ brand_of_object
//~ brand_of_references
//~ brand_of_shaped
//~ brand_of_value
//~ brand_of_weak
//~ borrow_of_object
//~ borrow_of_value
//~ lifetime may not live long enough
use frazil::{Fresh, Handle, Heap, LowTag, Object, References, Shaped, Value, Weak};

fn fresh<'s, 'long: 'short, 'short: 's>(brand_of_fresh: Fresh<'s, 'long, LowTag>) -> Fresh<'s, 'short, LowTag> {
    brand_of_fresh
}
fn handle<'long: 'short, 'short>(brand_of_handle: Handle<'long>) -> Handle<'short> {
    brand_of_handle
}
fn heap<'long: 'short, 'short>(brand_of_heap: Heap<'long, LowTag>) -> Heap<'short, LowTag> {
    brand_of_heap
}
fn object<'s, 'long: 'short, 'short: 's>(brand_of_object: Object<'s, 'long, LowTag>) -> Object<'s, 'short, LowTag> {
    brand_of_object
}
fn references<'s, 'long: 'short, 'short: 's>(brand_of_references: References<'s, 'long, LowTag>) -> References<'s, 'short, LowTag> {
    brand_of_references
}
fn shaped<'s, 'long: 'short, 'short: 's>(brand_of_shaped: Shaped<'s, 'long, LowTag>) -> Shaped<'s, 'short, LowTag> {
    brand_of_shaped
}
fn value<'s, 'long: 'short, 'short: 's>(brand_of_value: Value<'s, 'long, LowTag>) -> Value<'s, 'short, LowTag> {
    brand_of_value
}
fn weak<'long: 'short, 'short>(brand_of_weak: Weak<'long>) -> Weak<'short> {
    brand_of_weak
}

fn object_borrow<'long: 'short, 'short, 'id>(borrow_of_object: Object<'long, 'id, LowTag>) -> Object<'short, 'id, LowTag> {
    borrow_of_object
}
fn value_borrow<'long: 'short, 'short, 'id>(borrow_of_value: Value<'long, 'id, LowTag>) -> Value<'short, 'id, LowTag> {
    borrow_of_value
}

fn main() {}
