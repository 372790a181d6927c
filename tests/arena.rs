//! What an arena promises: each test of a hazard that has broken others is named after its number in the list of such
//! hazards (S10 to S43). Those that are matters of types (S1 to S9) are the
//! programs of `derive/tests/refused`, and what threads add is in `arena_shared.rs`.

use std::panic::{AssertUnwindSafe, catch_unwind};

use frazil::arena::collections::HashMap;
use frazil::arena::{Arena, Cell, Erased, Family, Gc, Root, Session, SetError, Static, Trace, Weak};
use frazil::{AllocError, BlockBytes, Config, Drain, Request};

const STRESS: Config = Config { short_collections: true, stack_words: 0, ..Config::STRESS };

fn arena<R: Family>(root: impl for<'gc> FnOnce(&mut Session<'gc>) -> R::Of<'gc>) -> Arena<R> {
    Arena::with_config(STRESS, root).expect("the settings agree")
}

/// Miri is some hundred times slower: there, structures are smaller.
const fn sized(len: usize) -> usize {
    if cfg!(miri) { len / 50 } else { len }
}

/// A singly linked list, newest first.
#[derive(Clone, Copy, Trace)]
struct Link<'gc> {
    number: u64,
    next: Option<Gc<'gc, Link<'gc>>>,
}

fn chain<'gc>(s: &Session<'gc>, len: u64) -> Option<Gc<'gc, Link<'gc>>> {
    (0..len).fold(None, |next, number| Some(s.alloc(Link { number, next })))
}

fn numbers<'gc>(mut at: Option<Gc<'gc, Link<'gc>>>) -> Vec<u64> {
    std::iter::from_fn(|| {
        let link = at?;
        at = link.next;
        Some(link.number)
    })
    .collect()
}

/// A node of a graph.
#[derive(Trace)]
struct Node<'gc> {
    number: u64,
    next: Cell<Option<Gc<'gc, Node<'gc>>>>,
    more: [Cell<Option<Gc<'gc, str>>>; 3],
}

fn node<'gc>(s: &Session<'gc>, number: u64) -> Gc<'gc, Node<'gc>> {
    s.alloc(Node { number, next: Cell::new(None), more: Default::default() })
}

/// Pointers in one variant, raw bits in the other, at the same place: only the value tells.
#[derive(Clone, Copy, Debug, PartialEq, Trace)]
enum Value<'gc> {
    Nothing,
    Number(u64),
    Float(f64),
    Text(Gc<'gc, str>),
    Pair(Gc<'gc, (Value<'gc>, Value<'gc>)>),
    Both(u8, Gc<'gc, str>, u16, Option<Gc<'gc, str>>),
}

// ---------------------------------------------------------------------- what is kept, and what is not

#[test]
fn every_kind_of_object_survives_and_dies() {
    type Everything = (
        (Root<Link<'static>>, Root<str>, Root<[u8]>, Root<[Value<'static>]>),
        (Root<[Cell<Option<Gc<'static, Node<'static>>>>]>, Root<()>, Root<Option<Gc<'static, u8>>>),
    );
    fn all(s: &Session<'_>) -> Everything {
        let text = s.str("text");
        let pair = s.alloc((Value::Text(text), Value::Float(f64::from_bits(u64::from(u32::MAX)))));
        let values = [
            Value::Nothing,
            Value::Number(!7),
            Value::Text(text),
            Value::Pair(pair),
            Value::Both(1, text, 2, None),
            Value::Both(3, text, 4, Some(s.str("other"))),
        ];
        let cells = s.slice_with(20, |index| Cell::new(Some(node(s, index as u64))));
        (
            (
                s.root(chain(s, 10).unwrap()),
                s.root(text),
                s.root(s.slice(b"bytes")),
                s.root(s.slice(&values)),
            ),
            (s.root(cells), s.root(s.alloc(())), s.root(s.alloc(Some(s.alloc(7u8))))),
        )
    }
    fn check(s: &Session<'_>, ((links, text, bytes, values), (cells, unit, option)): &Everything) {
        assert_eq!(numbers(Some(s.get(links))), [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
        assert_eq!((&*s.get(text), &*s.get(bytes)), ("text", &b"bytes"[..]));
        let Value::Pair(pair) = s.get(values)[3] else { panic!("not a pair") };
        assert_eq!(*pair, (Value::Text(s.get(text)), Value::Float(f64::from_bits(u64::from(u32::MAX)))));
        assert_eq!(s.get(values)[1], Value::Number(!7));
        let Value::Both(3, one, 4, Some(two)) = s.get(values)[5] else { panic!("not both") };
        assert_eq!((&*one, &*two), ("text", "other"));
        assert!(s.get(cells).iter().zip(0..).all(|(cell, number)| cell.get().unwrap().number == number));
        assert_eq!((*s.get(unit), **s.get(option).as_ref().unwrap()), ((), 7));
    }
    let mut arena = arena::<()>(|_| ());
    let kept = arena.enter(|s, _| all(s));
    for request in [Request::Short, Request::Complete, Request::Auto, Request::Complete] {
        arena.enter(|s, _| drop(all(s)));
        arena.collect_as(request);
        arena.enter(|s, _| check(s, &kept));
    }
    drop(kept);
    arena.collect();
    assert_eq!(arena.stats().last.old_objects, 1, "the root");
}

/// Numbers that look like pointers to live objects are left alone.
#[test]
fn raw_words_are_never_taken_for_pointers() {
    #[derive(Trace)]
    struct Mixed<'gc> {
        before: u64,
        pointer: Gc<'gc, u64>,
        between: [u64; 2],
        value: Value<'gc>,
        /// Longer than a map of its words could be.
        wide: Option<(Gc<'gc, u64>, [u64; 80])>,
        after: u64,
    }
    let mut arena = arena::<()>(|_| ());
    let (root, bits) = arena.enter(|s, _| {
        let target = s.alloc(42);
        let bits = std::ptr::from_ref(&*target).addr() as u64;
        let value = Value::Number(bits);
        let wide = Some((target, [bits; 80]));
        let mixed = Mixed { before: bits, pointer: target, between: [bits; 2], value, wide, after: bits };
        (s.root(s.alloc(mixed)), bits)
    });
    arena.collect();
    arena.enter(|s, _| {
        let mixed = s.get(&root);
        assert_eq!((mixed.before, mixed.between, mixed.after), (bits, [bits; 2], bits));
        assert_eq!((mixed.value, *mixed.pointer), (Value::Number(bits), 42));
        assert!(mixed.wide.is_some_and(|(pointer, raw)| *pointer == 42 && raw == [bits; 80]));
        assert_ne!(std::ptr::from_ref(&*mixed.pointer).addr() as u64, bits, "it has moved");
    });
}

#[test]
fn cycles_die() {
    let mut arena =
        arena::<Node<'static>>(|_| Node { number: 0, next: Cell::new(None), more: Default::default() });
    arena.enter(|s, root| {
        let (a, b) = (node(s, 1), node(s, 2));
        s.set(a, Node::NEXT, Some(b));
        s.set(b, Node::NEXT, Some(a));
        s.set(b, Node::MORE.at(2), Some(s.str("third")));
        s.set(root, Node::NEXT, Some(a));
    });
    arena.collect();
    assert_eq!(arena.stats().last.old_objects, 4);
    arena.enter(|s, root| {
        let a = root.next.get().unwrap();
        let b = a.next.get().unwrap();
        assert!(Gc::ptr_eq(b.next.get().unwrap(), a));
        assert_eq!(&*b.more[2].get().unwrap(), "third");
        s.set(root, Node::NEXT, None);
    });
    arena.collect();
    assert_eq!(arena.stats().last.old_objects, 1);
}

#[test]
fn freezing_is_in_place_and_for_good() {
    let mut arena =
        arena::<Node<'static>>(|_| Node { number: 0, next: Cell::new(None), more: Default::default() });
    arena.enter(|s, root| {
        let (a, b) = (node(s, 1), node(s, 2));
        s.set(a, Node::NEXT, Some(b));
        s.set(b, Node::NEXT, Some(a));
        assert_eq!(s.freeze_deep(a), 2);
        assert!(!Gc::is_mutable(a));
        assert_eq!(s.try_set(b, Node::NEXT, None), Err(SetError::Frozen));
        assert_eq!(s.try_set(b, Node::MORE.at(0), None), Err(SetError::Frozen));
        s.set(root, Node::NEXT, Some(b));
    });
    arena.collect();
    assert_eq!(arena.stats().last.components, 1, "the frozen cycle is counted as one");
    arena.enter(|s, root| {
        let b = root.next.get().unwrap();
        assert_eq!((b.number, b.next.get().unwrap().number), (2, 1));
        assert_eq!(s.try_set(b, Node::NEXT, None), Err(SetError::Frozen));
        assert!(Gc::is_mutable(root) && !s.freeze(b) && s.freeze(root));
    });
    arena.collect();
    arena.collect();
    assert_eq!(arena.stats().last.traced_objects, 0);
}

#[test]
fn short_collections_hear_of_every_store() {
    let mut arena =
        arena::<Node<'static>>(|_| Node { number: 0, next: Cell::new(None), more: Default::default() });
    arena.collect();
    for round in 0..50 {
        arena.enter(|s, root| {
            let new = node(s, round);
            s.set(new, Node::NEXT, root.next.get());
            s.set(root, Node::NEXT, Some(new));
            s.set(new, Node::MORE.at(1), Some(s.str("new")));
        });
        arena.collect_as(Request::Short);
    }
    arena.enter(|_, root| {
        let mut at = root.next.get();
        for round in (0..50).rev() {
            let node = at.unwrap();
            assert_eq!((node.number, &*node.more[1].get().unwrap()), (round, "new"));
            at = node.next.get();
        }
    });
}

/// Plain data, and what leads somewhere.
#[derive(Trace)]
struct Both<'gc> {
    count: Cell<u64>,
    next: Cell<Option<Gc<'gc, str>>>,
}

fn with_nothing() -> Arena<Both<'static>> {
    arena(|_| Both { count: Cell::new(0), next: Cell::new(None) })
}

#[test]
fn a_store_of_plain_data_is_nothing_to_a_collection() {
    let mut arena = with_nothing();
    arena.collect();
    arena.enter(|s, root| s.set(root, Both::COUNT, 7));
    assert_eq!(arena.collect_as(Request::Short).traced_objects, 0);
    arena.enter(|s, root| s.set(root, Both::NEXT, Some(s.str("text"))));
    assert_eq!(arena.collect_as(Request::Short).traced_objects, 1);
}

#[test]
fn a_large_slice_of_cells_is_looked_at_by_the_piece() {
    const LEN: usize = sized(20_000);
    type Cells = Gc<'static, [Cell<Value<'static>>]>;
    let mut arena = arena::<Cells>(|s| s.slice_with(LEN, |_| Cell::new(Value::Nothing)));
    arena.collect();
    for round in 0..20_u64 {
        arena.enter(|s, cells| {
            let at = round as usize * 7919 % LEN;
            s.set_at(*cells, at, Value::Text(s.str(&round.to_string())));
            s.set_at(*cells, at ^ 1, Value::Number(round));
        });
        arena.collect_as(Request::Short);
        assert!(arena.stats().last.traced_bytes < 8 << 10, "{} bytes", arena.stats().last.traced_bytes);
    }
    arena.enter(|s, cells| {
        for round in 0..20_u64 {
            let at = round as usize * 7919 % LEN;
            assert_eq!(cells[at].get(), Value::Text(s.str(&round.to_string())));
        }
        s.freeze(*cells);
    });
    arena.collect();
    arena.enter(|_, cells| assert_eq!(cells[1].get(), Value::Number(0)));
}

// ---------------------------------------------------------------------- S10 to S17: drop, finalizers, re-entrancy

/// S10: layout on panic. A slice that is given up half-way is garbage, and nothing of it is ever read.
#[test]
fn s10_a_panic_while_a_slice_is_made() {
    let mut arena = arena::<()>(|_| ());
    for len in [1, 7, 100, 5_000] {
        for at in [0, len / 2, len - 1] {
            let unwound = catch_unwind(AssertUnwindSafe(|| {
                arena.enter(|s, _| {
                    s.slice_with(len, |index| match index == at {
                        true => panic!("at {index}"),
                        false => Value::Pair(s.alloc((Value::Nothing, Value::Text(s.str("x"))))),
                    });
                });
            }));
            assert!(unwound.is_err());
            arena.collect();
            assert_eq!(arena.stats().last.old_objects, 1);
        }
    }
}

/// S11, S13, S14: nothing of the host runs inside a collection, so there is no destructor that could see its neighbours,
/// allocate, or panic. What there is to do after a death is done from a queue, when everything is in order.
#[test]
fn s11_s13_s14_deaths_are_told_after_the_collection() {
    let mut arena = arena::<()>(|_| ());
    let kept = arena.enter(|s, _| {
        for token in 0..10 {
            s.watch(chain(s, 3).unwrap(), token);
        }
        let kept = chain(s, 1).unwrap();
        s.watch(kept, 10);
        s.root(kept)
    });
    arena.collect();
    let mut dead = Vec::new();
    while let Some(token) = arena.next_dead() {
        // Whatever is done here, the arena is whole.
        arena.enter(|s, _| drop(s.root(chain(s, 5).unwrap())));
        arena.collect();
        dead.push(token);
    }
    assert_eq!(dead, (0..10).collect::<Vec<_>>());
    drop(kept);
    arena.collect();
    assert_eq!((arena.next_dead(), arena.next_dead()), (Some(10), None));
}

/// S12: resurrection. A watched object comes to the queue once, although it is alive again by then.
#[test]
fn s12_an_object_dies_once() {
    let mut arena = arena::<()>(|_| ());
    let root = arena.enter(|s, _| {
        let object = node(s, 1);
        s.set(object, Node::NEXT, Some(object));
        s.watch(object, 1);
        s.watch(object, 2);
        s.root(object)
    });
    arena.collect();
    assert_eq!(arena.next_dead(), None);
    drop(root);
    arena.collect();
    assert_eq!((arena.next_dead(), arena.next_dead(), arena.next_dead()), (Some(1), Some(2), None));
    arena.collect();
    assert_eq!((arena.next_dead(), arena.stats().last.old_objects), (None, 1));
}

/// S15: the order in which things end. Roots outlive their arena and are dropped in any order.
#[test]
fn s15_roots_end_in_any_order() {
    let mut first = arena::<()>(|_| ());
    let mut other = arena::<()>(|_| ());
    let mut roots: Vec<Root<str>> = first.enter(|s, _| (0..10).map(|_| s.root(s.str("first"))).collect());
    let outlives = other.enter(|s, _| s.root(s.str("other")));
    drop(other);
    roots.swap(0, 7);
    roots.truncate(3);
    first.collect();
    assert_eq!(first.stats().last.old_objects, 4);
    drop(first);
    drop((outlives, roots));
}

/// S16, S36: nothing of an arena is sent to another thread, or shared with one. See `arena_types.rs` for each type.
#[test]
fn s16_each_thread_has_arenas_of_its_own() {
    let threads: Vec<_> = (0..4)
        .map(|number| {
            std::thread::spawn(move || {
                let mut arena = arena::<Option<Gc<'static, Link<'static>>>>(|s| chain(s, 100 + number));
                arena.collect();
                arena.enter(|_, links| numbers(*links).len() as u64)
            })
        })
        .collect();
    assert_eq!(threads.into_iter().map(|thread| thread.join().unwrap()).sum::<u64>(), 406);
}

/// S17: an object is in use through a reference into it.
#[test]
fn s17_references_into_objects_are_good_for_the_session() {
    let mut arena = arena::<()>(|_| ());
    arena.enter(|s, _| {
        let inside: &u64 = &Gc::as_ref(s.alloc((1u64, 2u64))).1;
        let text: &str = &Gc::as_ref(s.str("a text"))[2..];
        for _ in 0..sized(15_000) {
            s.alloc([0u64; 10]);
        }
        assert!(s.should_collect());
        assert_eq!((*inside, text), (2, "text"));
    });
}

// ---------------------------------------------------------------------- S18 to S23: counts

/// S18: counts overflow, and nothing is lost.
#[test]
fn s18_a_hub_with_many_referrers() {
    let mut arena = arena::<()>(|_| ());
    let root = arena.enter(|s, _| {
        let hub = s.str("hub");
        s.root(s.slice(&[hub; 5_000]))
    });
    arena.collect();
    arena.enter(|s, _| assert!(s.get(&root).iter().all(|hub| &**hub == "hub")));
    drop(root);
    arena.collect();
    assert_eq!(arena.stats().last.old_objects, 1);
}

/// S19: a root that is forgotten keeps its object, and that is all.
#[test]
#[cfg_attr(frazil_asan, ignore = "a leak, as it says")]
fn s19_a_forgotten_root_is_a_leak() {
    let mut arena = arena::<()>(|_| ());
    arena.enter(|s, _| std::mem::forget(s.root(s.str("forgotten"))));
    let kept = arena.enter(|s, _| s.root(s.str("kept")));
    arena.collect();
    assert_eq!(arena.stats().last.old_objects, 3);
    arena.enter(|s, _| assert_eq!(&*s.get(&kept), "kept"));
}

/// S20: nothing is hidden from the trace by a borrow: cells lend nothing out.
#[test]
fn s20_a_cell_that_is_read_is_traced() {
    let mut arena =
        arena::<Node<'static>>(|_| Node { number: 0, next: Cell::new(None), more: Default::default() });
    let read = arena.enter(|s, root| {
        s.set(root, Node::NEXT, Some(node(s, 5)));
        root.next.get().unwrap().number
    });
    arena.collect();
    arena.enter(|_, root| assert_eq!(root.next.get().unwrap().number, read));
}

/// S21: with no roots but the arena's own, nothing is left.
#[test]
fn s21_nothing_is_left_of_anything() {
    for config in
        [STRESS, Config { drain: Drain::Instalments { objects_per_kib: 1, micros_max: 1000 }, ..STRESS }]
    {
        let mut arena = Arena::<()>::with_config(config, |_| ()).unwrap();
        let root = arena.enter(|s, _| {
            let shared = s.slice_with(200, |_| Value::Text(s.str("x")));
            s.root(s.slice_with(600, |index| (shared, chain(s, 3), Value::Number(index as u64))))
        });
        arena.collect();
        drop(root);
        for _ in 0..10_000 {
            arena.collect();
            if arena.stats().last.old_objects == 1 {
                break;
            }
        }
        assert_eq!(arena.stats().last.old_objects, 1);
    }
}

/// S23: a part of a text is a copy, and does not keep the whole.
#[test]
fn s23_a_part_does_not_keep_the_whole() {
    let mut arena = arena::<()>(|_| ());
    let part = arena.enter(|s, _| {
        let whole = s.str(&"long ".repeat(1000));
        s.root(s.str(&whole[..4]))
    });
    arena.collect();
    assert!(arena.stats().last.old_bytes < 100);
    arena.enter(|s, _| assert_eq!(&*s.get(&part), "long"));
}

// ---------------------------------------------------------------------- S24 to S40: tracing and moving

/// S24: deep structures on a small stack: made, moved, frozen, settled, freed.
#[test]
fn s24_a_chain_of_a_million_on_a_small_stack() {
    const LEN: u64 = sized(1_000_000) as u64;
    let thread = std::thread::Builder::new().stack_size(256 << 10);
    let test = || {
        let mut arena = Arena::<Option<Gc<'static, Link<'static>>>>::new(|s| chain(s, LEN));
        arena.collect();
        assert_eq!(arena.stats().last.old_objects as u64, LEN + 1);
        let mut arena = Arena::<Cell<Option<Gc<'static, Node<'static>>>>>::new(|s| {
            let first = node(s, 0);
            let last = (1..LEN).fold(first, |next, number| {
                let node = node(s, number);
                s.set(node, Node::NEXT, Some(next));
                node
            });
            s.set(first, Node::NEXT, Some(last)); // a ring
            Cell::new(Some(last))
        });
        arena.collect();
        arena.enter(|s, root| assert_eq!(s.freeze_deep(root) as u64, LEN + 1));
        arena.collect();
        assert_eq!(arena.stats().last.components, 1);
    };
    thread.spawn(test).unwrap().join().unwrap();
}

/// S25, S26: nothing moves while a session lasts, however much is made in it.
#[test]
fn s25_s26_pointers_stay_good_while_the_arena_grows() {
    let mut arena = Arena::<()>::with_config(Config { nursery_bytes: 4 << 10, ..STRESS }, |_| ()).unwrap();
    arena.enter(|s, _| {
        let first = s.alloc(42u64);
        let address = std::ptr::from_ref(&*first);
        // More than the first range of the nursery.
        for index in 0..sized(5_000) {
            s.slice_with(1000 + index * 6, |_| 1u8);
        }
        assert_eq!((*first, std::ptr::from_ref(&*first)), (42, address));
    });
    arena.collect();
    assert_eq!(arena.stats().last.old_objects, 1);
}

/// S27: a pointer into an object is a reference of Rust, and cannot be stored; the collector meets starts of objects only.
#[test]
fn s27_every_stored_pointer_leads_to_a_start() {
    let mut arena = arena::<()>(|_| ());
    let root = arena.enter(|s, _| s.root(s.slice(&[s.alloc((1u8, 2u32)), s.alloc((3u8, 4u32))])));
    arena.collect(); // checking mode looks at each
    arena.enter(|s, _| assert_eq!(*s.get(&root)[1], (3, 4)));
}

/// S28: no field is forgotten, wherever the compiler puts it.
#[test]
fn s28_every_field_is_traced() {
    #[derive(Trace)]
    struct Wide<'gc, T, const N: usize> {
        flag: bool,
        a: Gc<'gc, str>,
        byte: u8,
        generic: T,
        b: Option<Gc<'gc, [u32]>>,
        array: [(u8, T, u16); N],
        short: u16,
        nested: Option<Option<(u8, Gc<'gc, str>)>>,
        unit: (),
        c: Cell<(bool, Option<Gc<'gc, str>>)>,
    }
    type Family = Wide<'static, Value<'static>, 30>;
    let mut arena = arena::<Family>(|s| Wide {
        flag: true,
        a: s.str("a"),
        byte: 1,
        generic: Value::Text(s.str("generic")),
        b: Some(s.slice(&[1, 2, 3])),
        array: std::array::from_fn(|index| (index as u8, Value::Text(s.str(&index.to_string())), 7)),
        short: 2,
        nested: Some(Some((3, s.str("nested")))),
        unit: (),
        c: Cell::new((true, Some(s.str("c")))),
    });
    for _ in 0..3 {
        arena.enter(|s, wide| {
            assert_eq!(
                (&*wide.a, &*wide.c.get().1.unwrap(), &*wide.nested.unwrap().unwrap().1),
                ("a", "c", "nested")
            );
            assert_eq!((wide.generic, &*wide.b.unwrap()), (Value::Text(s.str("generic")), &[1, 2, 3][..]));
            for (index, element) in wide.array.iter().enumerate() {
                assert_eq!(*element, (index as u8, Value::Text(s.str(&index.to_string())), 7));
            }
            assert_eq!((wide.flag, wide.byte, wide.short, wide.unit), (true, 1, 2, ()));
            s.set(wide, Wide::C, (true, Some(s.str("c"))));
        });
        arena.collect();
        assert_eq!(arena.stats().last.old_objects, 1 + 4 + 1 + 30);
    }
}

/// S29: a large object survives where it is, a small one elsewhere; both keep what they refer to.
#[test]
fn s29_objects_that_move_and_objects_that_stay() {
    for len in [10, 1_000, 10_000, sized(200_000)] {
        let mut arena = arena::<()>(|_| ());
        let root = arena.enter(|s, _| s.root(s.slice_with(len, |index| s.alloc(index))));
        arena.collect();
        arena.collect();
        arena.enter(|s, _| assert!(s.get(&root).iter().zip(0..).all(|(number, index)| **number == index)));
    }
}

/// S30: hashes and orders do not depend on addresses.
#[test]
fn s30_maps_survive_moves() {
    let mut arena = arena::<HashMap<'static, Gc<'static, str>, u32>>(|s| HashMap::new(s));
    for round in 0..5 {
        arena.enter(|s, map| {
            for key in 0..100u32 {
                let known = map.insert(s, s.str(&key.to_string()), key + round);
                assert_eq!(known, round.checked_sub(1).map(|before| key + before));
            }
        });
        arena.collect();
    }
}

/// S31: what owns memory outside cannot lie in an arena; that it died can be heard of.
#[test]
fn s31_files_are_closed_by_their_owner() {
    let mut files: Vec<Option<String>> = vec![Some("a".to_owned()), Some("b".to_owned())];
    let mut arena = arena::<()>(|_| ());
    let kept = arena.enter(|s, _| {
        let handles = [s.alloc(0usize), s.alloc(1usize)];
        handles.iter().for_each(|handle| s.watch(*handle, **handle as u64));
        s.root(handles[1])
    });
    arena.collect();
    while let Some(file) = arena.next_dead() {
        files[file as usize] = None;
    }
    assert_eq!(files, [None, Some("b".to_owned())]);
    drop(kept);
}

/// S32, S33, S34: roots are named, not found; their order does not matter, and an error may carry one.
#[test]
fn s32_s33_s34_roots_in_errors_and_out_of_order() {
    let mut arena = arena::<()>(|_| ());
    let failed: Result<(), Root<str>> = arena.enter(|s, _| Err(s.root(s.str("why"))));
    let mut roots: Vec<Root<u64>> = arena.enter(|s, _| (0..10u64).map(|n| s.root(s.alloc(n))).collect());
    for turn in [3, 0, 5, 1] {
        let gone = roots.remove(turn);
        arena.enter(|s, _| drop(s.root(s.alloc(1000))));
        drop(gone);
        arena.collect();
    }
    arena.enter(|s, _| {
        assert_eq!(roots.iter().map(|root| *s.get(root)).collect::<Vec<_>>(), [1, 4, 5, 6, 8, 9]);
        assert_eq!(&*s.get(&failed.unwrap_err()), "why");
    });
}

/// S35: there is no scope to be left open: what ends a session or a frame is the end of a closure, also by a panic.
#[test]
fn s35_a_frame_that_panics_is_closed() {
    let mut arena = arena::<()>(|_| ());
    let unwound = catch_unwind(AssertUnwindSafe(|| {
        arena.enter(|s, _| {
            s.scratch(|f, _| {
                f.alloc(1);
                panic!("in the middle of a frame")
            })
        })
    }));
    assert!(unwound.is_err());
    let root = arena.enter(|s, _| s.root(s.str("allowed, for no frame is open")));
    arena.collect();
    drop(root);
}

/// S37: a table of symbols is what it looks like: a map that keeps them, or weak pointers that do not.
#[test]
fn s37_a_table_keeps_what_it_says() {
    #[derive(Trace)]
    struct Table<'gc> {
        strong: HashMap<'gc, Gc<'gc, str>, u32>,
        weak: HashMap<'gc, u32, Weak<'gc, str>>,
    }
    let mut arena = arena::<Table<'static>>(|s| Table { strong: HashMap::new(s), weak: HashMap::new(s) });
    arena.enter(|s, table| {
        table.strong.insert(s, s.str("kept"), 1);
        for (number, text) in ["kept", "lost"].into_iter().enumerate() {
            let symbol = table.strong.iter().map(|(key, _)| key).find(|key| &**key == text);
            let symbol = symbol.unwrap_or_else(|| s.str(text));
            table.weak.insert(s, number as u32, s.weak(symbol));
        }
        assert!(table.weak.iter().all(|(_, weak)| s.upgrade(weak).is_some()));
    });
    arena.collect();
    arena.enter(|s, table| {
        let found = |number| s.upgrade(table.weak.get(&number).unwrap()).map(|text| text.to_string());
        assert_eq!((found(0), found(1)), (Some("kept".to_owned()), None));
    });
}

/// S38: memory runs out: an error, and the arena goes on.
#[test]
fn s38_out_of_memory_is_an_error() {
    let config = Config { limit_bytes: Some(512 << 10), ..STRESS };
    let mut arena = Arena::<()>::with_config(config, |_| ()).unwrap();
    let refused = arena
        .enter(|s, _| (0..100_000).find_map(|number| s.try_alloc((number, number)).err()).expect("a limit"));
    assert!(matches!(refused, AllocError::Limit { .. }));
    arena.collect();
    arena.enter(|s, _| assert_eq!(numbers(chain(s, 100)).len(), 100));
    let panicked = catch_unwind(AssertUnwindSafe(|| arena.enter(|s, _| s.slice(&[0u8; 1 << 20]).len())));
    assert!(panicked.unwrap_err().downcast_ref::<String>().unwrap().contains("heap limit of 524288 bytes"));
    arena.collect();
    arena.refuse_memory_after(0);
    let refused = arena.enter(|s, _| (0..300).find_map(|_| s.try_slice(&[0u8; 1000]).err()));
    assert!(matches!(refused, None | Some(AllocError::System { .. } | AllocError::Limit { .. })));
    arena.collect();
    arena.verify().unwrap();
    let too_long = arena.enter(|s, _| s.try_slice_with(usize::MAX / 4, |_| 0u64).err());
    assert_eq!(too_long, Some(AllocError::TooLong { len: usize::MAX / 4 }));
}

/// S39: weak pointers are cleared by the collection alone; no code of the host runs then.
#[test]
fn s39_weak_pointers_are_cleared_and_never_come_back() {
    #[derive(Trace)]
    struct Holder<'gc> {
        weak: Cell<Option<Weak<'gc, Node<'gc>>>>,
        strong: Cell<Option<Gc<'gc, Node<'gc>>>>,
    }
    let mut arena = arena::<Holder<'static>>(|_| Holder { weak: Cell::default(), strong: Cell::default() });
    arena.enter(|s, root| {
        let object = node(s, 1);
        s.set(object, Node::NEXT, Some(object)); // a cycle
        s.set(root, Holder::WEAK, Some(s.weak(object)));
        s.set(root, Holder::STRONG, Some(object));
    });
    arena.collect();
    arena.enter(|s, root| {
        assert_eq!(s.upgrade(root.weak.get().unwrap()).unwrap().number, 1);
        s.set(root, Holder::STRONG, None);
    });
    arena.collect();
    arena.enter(|s, root| {
        assert!(s.upgrade(root.weak.get().unwrap()).is_none());
        // Others get its entry: the old pointer does not lead to them.
        let others: Vec<_> = (0..5).map(|number| s.weak(node(s, number))).collect();
        assert!(others.into_iter().all(|other| s.upgrade(other).is_some()));
        assert!(s.upgrade(root.weak.get().unwrap()).is_none());
    });
}

/// S40: stress does not stop: under these settings every look finds a collection due.
#[test]
fn s40_stress_goes_on() {
    let mut arena = arena::<Option<Gc<'static, Link<'static>>>>(|s| chain(s, 10));
    for round in 1..=100 {
        arena.enter(|s, _| assert!(chain(s, 2).is_some()));
        assert!(arena.collect_if_due().is_some());
        assert_eq!(arena.stats().collections(), round);
    }
}

/// S41: sizes and alignments, of values and elements, from nothing to large objects.
#[test]
fn s41_every_size() {
    #[derive(Clone, Copy, Debug, PartialEq, Trace)]
    struct Odd<'gc, const N: usize> {
        bytes: [u8; N],
        text: Gc<'gc, str>,
    }
    fn odd<const N: usize>(block_bytes: BlockBytes) {
        let mut arena = Arena::<()>::with_config(Config { block_bytes, ..STRESS }, |_| ()).unwrap();
        let roots = arena.enter(|s, _| {
            let value = Odd { bytes: [7; N], text: s.str("odd") };
            (
                s.root(s.alloc(value)),
                s.root(s.slice(&[value; 3])),
                s.root(s.alloc([3u8; N])),
                s.root(s.slice(&[[4u8; N]; 2][..usize::from(N > 0)])),
            )
        });
        arena.collect();
        arena.enter(|s, _| {
            let value = Odd { bytes: [7; N], text: s.str("odd") };
            assert_eq!((*s.get(&roots.0), &*s.get(&roots.1)), (value, &[value; 3][..]));
            assert_eq!(*s.get(&roots.2), [3u8; N]);
            assert_eq!(std::ptr::from_ref(&*s.get(&roots.0)).addr() % 8, 0);
        });
    }
    for block_bytes in BlockBytes::ALL {
        odd::<1>(block_bytes);
        odd::<7>(block_bytes);
        odd::<8>(block_bytes);
        odd::<9>(block_bytes);
        odd::<600>(block_bytes);
        odd::<5_000>(block_bytes);
        odd::<70_000>(block_bytes);
    }
    let mut arena = arena::<()>(|_| ());
    arena.enter(|s, _| {
        let (empty, none) = (s.slice::<u64>(&[]), s.slice::<Gc<'_, str>>(&[]));
        assert_eq!((empty.len(), none.len(), &*s.str("")), (0, 0, ""));
        assert!(!Gc::ptr_eq(s.alloc(()), s.alloc(())), "objects of no size are objects");
        let wide = s.alloc(Static([1u16; 5]));
        assert_eq!(wide.iter().sum::<u16>(), 5);
    });
}

/// S42: there is no guard to be alive across a collection; a value that is exclusive borrows nothing but its brand.
#[test]
fn s42_what_is_unique_is_changed_in_place() {
    let mut arena = arena::<()>(|_| ());
    let root = arena.enter(|s, _| {
        let before = s.allocated_bytes();
        let mut sorted = s.unique_slice(1_000, |index| (index * 7919 % 1_000) as u32);
        let made = s.allocated_bytes() - before;
        sorted.sort_unstable();
        let mut link = s.unique(Link { number: 1, next: None });
        link.number += 1;
        *link = Link { next: chain(s, 1), ..*link };
        assert_eq!(s.allocated_bytes() - before, made + 48, "two links, nothing for the sorting");
        assert_eq!(numbers(Some(link.share())), [2, 0]);
        s.root(sorted.share())
    });
    arena.collect();
    arena.enter(|s, _| assert!(s.get(&root).iter().copied().eq(0..1_000)));
}

/// S43: an object that is counted does not change: its cells refuse, and there are no others.
#[test]
fn s43_what_is_counted_does_not_change() {
    let mut arena = arena::<Gc<'static, Node<'static>>>(|s| node(s, 1));
    arena.enter(|s, root| s.freeze(*root));
    arena.collect();
    arena.collect();
    arena.enter(|s, root| {
        assert_eq!(s.try_set(*root, Node::NEXT, Some(node(s, 2))), Err(SetError::Frozen));
        assert_eq!(s.try_set(*root, Node::MORE.at(0), Some(s.str("x"))), Err(SetError::Frozen));
    });
    arena.collect();
    arena.enter(|_, root| assert!(root.next.get().is_none()));
}

// ---------------------------------------------------------------------- frames

#[test]
fn what_a_frame_returns_survives_it() {
    for config in [STRESS, Config { check: false, ..STRESS }] {
        let mut arena = Arena::<Node<'static>>::with_config(config, |_| Node {
            number: 0,
            next: Cell::new(None),
            more: Default::default(),
        })
        .unwrap();
        arena.enter(|s, root| {
            let outside = s.str("outside");
            let before = s.allocated_bytes();
            let kept = s.frame::<(Gc<'static, Node<'static>>, Gc<'static, [Value<'static>]>)>(|f, outer| {
                let mut junk = chain(f, 10);
                let ring = node(f, 1);
                let values = f.slice_with(5, |index| {
                    junk = chain(f, 10);
                    match index {
                        0 => Value::Text(outer.adopt(outside)),
                        1 => Value::Text(f.str("inside")),
                        _ => Value::Number(index as u64),
                    }
                });
                let other = node(f, 2);
                f.set(ring, Node::NEXT, Some(other));
                f.set(other, Node::NEXT, Some(ring));
                f.set(other, Node::MORE.at(0), Some(f.str("more")));
                // What is outside can be read, and not changed.
                let adopted = outer.adopt(root);
                assert_eq!(f.try_set(adopted, Node::NEXT, Some(ring)), Err(SetError::OutsideFrame));
                assert_eq!(adopted.number, 0);
                f.alloc((ring, values))
            });
            let ring = kept.0;
            assert!(Gc::ptr_eq(ring.next.get().unwrap().next.get().unwrap(), ring));
            assert_eq!(&*ring.next.get().unwrap().more[0].get().unwrap(), "more");
            assert_eq!(kept.1[..3], [Value::Text(outside), Value::Text(s.str("inside")), Value::Number(2)]);
            assert!(s.allocated_bytes() - before < 600, "{} bytes", s.allocated_bytes() - before);
            s.set(root, Node::NEXT, Some(ring));
        });
        arena.collect();
        arena.enter(|_, root| assert_eq!(root.next.get().unwrap().next.get().unwrap().number, 2));
        assert_eq!(arena.stats().last.old_objects, 4);
    }
}

#[test]
fn a_frame_leaves_nothing_behind() {
    let mut arena = arena::<()>(|_| ());
    arena.enter(|s, _| {
        let before = s.allocated_bytes();
        for round in 0..sized(1_000) as u64 {
            let sum = s.scratch(|f, _| {
                let inner: u64 = f.scratch(|g, _| numbers(chain(g, 10)).iter().sum());
                f.slice_with(sized(150_000), |_| 1u8); // a large one
                numbers(chain(f, round % 20)).iter().sum::<u64>() + inner
            });
            assert_eq!(sum, 45 + (0..round % 20).sum::<u64>());
        }
        assert_eq!(numbers(chain(s, 3)), [2, 1, 0]);
        assert!(s.allocated_bytes() - before < 64 << 10 || s.should_collect());
    });
    arena.collect();
    assert_eq!(arena.stats().last.old_objects, 1);
}

#[test]
fn large_objects_of_a_frame_survive_where_they_are() {
    let mut arena = arena::<()>(|_| ());
    let root = arena.enter(|s, _| {
        let kept = s.frame::<[Gc<'static, [u64]>]>(|f, _| {
            let slices = f.slice_with(3_000, |index| f.slice(&[index as u64; 2]));
            f.slice_with(3_000, |_| f.slice(&[0u64; 3]));
            slices
        });
        s.root(kept)
    });
    arena.collect();
    arena.enter(|s, _| assert!(s.get(&root).iter().zip(0..).all(|(slice, index)| slice[..] == [index; 2])));
    assert_eq!(arena.stats().last.old_objects, 3_002);
}

#[test]
fn a_frame_that_overflows_keeps_everything_for_the_collection() {
    let mut arena = Arena::<()>::new(|_| ());
    let root = arena.enter(|s, _| {
        let kept = s.frame::<Link<'static>>(|f, _| {
            let kept = chain(f, 3).unwrap();
            (0..sized(100_000)).for_each(|_| assert_eq!(f.slice(&[0u64; 100]).len(), 100));
            kept
        });
        assert_eq!(numbers(Some(kept)), [2, 1, 0]);
        s.root(kept)
    });
    arena.collect();
    assert_eq!(arena.stats().last.old_objects, 4);
    drop(root);
}

#[test]
fn nothing_that_outlives_a_frame_is_made_in_it() {
    let attempts: [fn(&Session<'_>); 3] = [
        |f| drop(f.root(f.alloc(1))),
        |f| assert!(f.upgrade(f.weak(f.alloc(1))).is_some()),
        |f| f.watch(f.alloc(1), 1),
    ];
    for attempt in attempts {
        let mut arena = arena::<()>(|_| ());
        let refused = catch_unwind(AssertUnwindSafe(|| arena.enter(|s, _| s.scratch(|f, _| attempt(f)))));
        assert!(
            refused
                .unwrap_err()
                .downcast_ref::<String>()
                .unwrap()
                .ends_with("would outlive the frame that is open")
        );
    }
}

/// What a frame forbids, it forbids after another one in it has ended; and what leads nowhere may be set.
#[test]
fn a_frame_goes_on_after_one_inside() {
    let mut arena = with_nothing();
    arena.enter(|s, root| {
        s.scratch(|f, outer| {
            f.scratch(|inner, _| assert_eq!(&*inner.str("inside"), "inside"));
            let root = outer.adopt(root);
            assert_eq!(f.try_set(root, Both::NEXT, Some(f.str("lost"))), Err(SetError::OutsideFrame));
            assert_eq!(f.try_set(root, Both::COUNT, 7), Ok(()));
            assert!(catch_unwind(AssertUnwindSafe(|| f.root(root))).is_err());
        });
        assert_eq!((root.count.get(), s.try_set(root, Both::NEXT, Some(s.str("kept")))), (7, Ok(())));
    });
}

/// The collector hears of all words of a value that is stored.
#[test]
fn a_value_may_lie_in_two_pieces_of_a_large_slice() {
    type Entry<'gc> = (u64, u64, Option<Gc<'gc, str>>);
    fn nothing<'gc>(_: usize) -> Cell<Entry<'gc>> {
        Cell::new((0, 0, None))
    }
    let mut arena = arena::<()>(|_| ());
    let root: Root<[Cell<Entry<'static>>]> = arena.enter(|s, _| s.root(s.slice_with(sized(10_000), nothing)));
    arena.collect();
    for index in 0..130 {
        arena.enter(|s, _| s.set_at(s.get(&root), index, (1, 2, Some(s.str(&index.to_string())))));
        arena.collect_as(Request::Short);
        let text = arena.enter(|s, _| s.get(&root)[index].get().2.map(|text| text.to_string()));
        assert_eq!(text, Some(index.to_string()));
    }
}

/// So many that those which an arena remembers take turns.
#[test]
fn each_of_many_types_has_pointers_of_its_own() {
    type Check = Box<dyn Fn(&Session<'_>)>;
    fn row<const LEN: usize>(s: &Session<'_>) -> Check {
        let texts = [(); LEN].map(|()| s.str(&LEN.to_string()));
        let root: Root<[Gc<'static, str>; LEN]> = s.root(s.alloc(texts));
        Box::new(move |s| assert!(s.get(&root).iter().all(|text| **text == *LEN.to_string())))
    }
    macro_rules! rows {
        ($($tens:literal)*) => {
            vec![$(
                row::<{ 10 * $tens + 1 }>, row::<{ 10 * $tens + 2 }>, row::<{ 10 * $tens + 3 }>,
                row::<{ 10 * $tens + 4 }>, row::<{ 10 * $tens + 5 }>, row::<{ 10 * $tens + 6 }>,
                row::<{ 10 * $tens + 7 }>, row::<{ 10 * $tens + 8 }>, row::<{ 10 * $tens + 9 }>,
            )*]
        };
    }
    let rows: Vec<fn(&Session<'_>) -> Check> = rows!(0 1 2 3 4 5 6 7 8 9);
    let mut arena = arena::<()>(|_| ());
    let checks: Vec<Check> = arena.enter(|s, _| (0..2).flat_map(|_| &rows).map(|row| row(s)).collect());
    arena.collect();
    arena.enter(|s, _| checks.iter().for_each(|check| check(s)));
}

#[test]
fn a_slice_that_is_too_long_is_not_begun() {
    arena::<()>(|_| ()).enter(|s, _| {
        let never = |_| -> u64 { unreachable!("there is no room for a single one") };
        let error = s.try_slice_with(1 << 30, never).err();
        assert_eq!(error, Some(AllocError::TooLong { len: 1 << 30 }));
    });
}

// ---------------------------------------------------------------------- several arenas, and their ends

#[test]
fn a_root_of_another_arena_is_refused() {
    let (mut one, mut other) = (arena::<()>(|_| ()), arena::<()>(|_| ()));
    let root = one.enter(|s, _| s.root(s.str("one")));
    let refused = catch_unwind(AssertUnwindSafe(|| other.enter(|s, _| s.get(&root).len())));
    assert_eq!(*refused.unwrap_err().downcast_ref::<&str>().unwrap(), "a root of another arena");
}

#[test]
fn trait_objects_are_traced() {
    trait Area<'gc> {
        fn area(&self) -> u64;
        fn parts(&self) -> Vec<Erased<'gc, dyn Area<'gc> + 'gc>>;
    }
    frazil::erasable!(dyn Area<'gc>);
    #[derive(Trace)]
    struct Square(u64);
    #[derive(Trace)]
    struct Several<'gc>(Gc<'gc, [Erased<'gc, dyn Area<'gc> + 'gc>]>);
    impl<'gc> Area<'gc> for Square {
        fn area(&self) -> u64 {
            self.0 * self.0
        }
        fn parts(&self) -> Vec<Erased<'gc, dyn Area<'gc> + 'gc>> {
            Vec::new()
        }
    }
    impl<'gc> Area<'gc> for Several<'gc> {
        fn area(&self) -> u64 {
            self.0.iter().map(|part| part.area()).sum()
        }
        fn parts(&self) -> Vec<Erased<'gc, dyn Area<'gc> + 'gc>> {
            self.0.to_vec()
        }
    }
    let mut arena = arena::<Erased<'static, dyn Area<'static>>>(|s| {
        let square = |side| -> Erased<'_, dyn Area<'_>> { Erased::new(s.alloc(Square(side)), |it| it) };
        let squares = s.slice(&[square(0), square(1), square(2)]);
        Erased::new(s.alloc(Several(squares)), |it| it)
    });
    arena.collect();
    arena.enter(|_, root| {
        assert_eq!((root.area(), root.parts().len(), root.parts()[2].area()), (5, 3, 4));
    });
    assert_eq!(arena.stats().last.old_objects, 6);
}

#[test]
fn sessions_are_held_until_one_breaks_off() {
    let mut arena =
        arena::<Node<'static>>(|_| Node { number: 0, next: Cell::new(None), more: Default::default() });
    let mut rounds = 0;
    let result = arena.run(|s, root| {
        rounds += 1;
        let new = node(s, rounds);
        s.set(new, Node::NEXT, root.next.get());
        s.set(root, Node::NEXT, Some(new));
        if rounds == 20 {
            std::ops::ControlFlow::Break(new.number)
        } else {
            std::ops::ControlFlow::Continue(())
        }
    });
    assert_eq!((result, arena.stats().collections()), (20, 19));
}

/// Pages of this process in memory, in bytes.
#[cfg(target_os = "linux")]
fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

#[cfg(target_os = "linux")]
#[test]
fn the_large_objects_of_a_frame_go_with_it() {
    const MIB: usize = 1 << 20;
    let bytes = vec![1; 8 * MIB];
    Arena::<()>::new(|_| ()).enter(|s, _| {
        let before = resident();
        for _ in 0..64 {
            s.scratch(|f, _| assert_eq!(f.slice(&bytes).len(), bytes.len()));
        }
        assert!(resident() < before + 256 * MIB, "{} bytes more", resident() - before);
    });
}

/// Which words of it are pointers, its first word says: it must not be emptied before the second has been looked at.
#[derive(Clone, Copy, Trace)]
enum Two<'gc> {
    Pointers(Gc<'gc, Node<'gc>>, Gc<'gc, Node<'gc>>),
    Number(u64),
}

#[test]
fn a_long_slice_whose_values_say_where_their_pointers_are_dies_as_a_whole() {
    const { assert!(size_of::<Two>() == 16, "no word beside the pointers says which variant it is") };
    for config in
        [STRESS, Config { drain: Drain::Instalments { objects_per_kib: 1, micros_max: 1_000_000 }, ..STRESS }]
    {
        let mut arena = Arena::<()>::with_config(config, |_| ()).expect("the settings agree");
        arena.collect();
        let before = arena.stats().last.old_objects;
        let kept = arena.enter(|s, _| {
            let frozen = |number| {
                let node = node(s, number);
                s.freeze(node);
                node
            };
            s.root(s.slice_with(600, |index| match index % 3 {
                0 => Two::Number(index as u64 * 8),
                _ => Two::Pointers(frozen(index as u64), frozen(0)),
            }))
        });
        arena.collect();
        assert_eq!(arena.stats().last.old_objects, before + 1 + 800);
        drop(kept);
        for _ in 0..1000 {
            arena.collect();
        }
        assert_eq!(arena.stats().last.old_objects, before);
    }
}
