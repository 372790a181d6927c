//! A heap is neither one for a subtype of its host nor for a supertype, which may tag words in another way.
//~ host_of_heap
//~ host_of_value
//~ host_of_group
//~ host_of_shared
//~ one type is more general than the other
use frazil::{Group, Heap, Host, Shared, Value};

type Any = for<'a> fn(&'a u8);
type Lasting = fn(&'static u8);

struct Tags<T>(T);

unsafe impl Host for Tags<Any> {
    const EMPTY: u64 = 1;
    fn address(word: u64) -> Option<usize> {
        (word & 7 == 0 && word != 0).then_some(word as usize)
    }
    fn word(address: usize, _old: u64) -> u64 {
        address as u64
    }
}
unsafe impl Host for Tags<Lasting> {
    const EMPTY: u64 = 0;
    fn address(word: u64) -> Option<usize> {
        (word & 7 == 1).then_some(word as usize - 1)
    }
    fn word(address: usize, _old: u64) -> u64 {
        address as u64 + 1
    }
}

fn heap<'id>(host_of_heap: Heap<'id, Tags<Any>>) -> Heap<'id, Tags<Lasting>> {
    host_of_heap
}
fn value<'s, 'id>(host_of_value: Value<'s, 'id, Tags<Any>>) -> Value<'s, 'id, Tags<Lasting>> {
    host_of_value
}
fn group(host_of_group: Group<Tags<Any>>) -> Group<Tags<Lasting>> {
    host_of_group
}
fn shared(host_of_shared: Shared<Tags<Any>>) -> Shared<Tags<Lasting>> {
    host_of_shared
}

fn main() {}
