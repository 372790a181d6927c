//! What arenas of a group share, on several threads, one behaviour at a time.

use std::sync::mpsc;
use std::thread;

use frazil::arena::collections::{HashMap, Vector};
use frazil::arena::{
    Arena, Cell, Gc, Group, Root, Session, SetError, ShareError, Shared, Trace, Weak, persistent,
};
use frazil::{Config, Request};

const STRESS: Config = Config { short_collections: true, stack_words: 0, ..Config::STRESS };

fn group() -> Group {
    Group::with_config(STRESS).expect("the settings agree")
}

/// A node of a graph that is built, frozen and shared.
#[derive(Trace)]
struct Node<'gc> {
    number: u64,
    name: Gc<'gc, str>,
    next: Cell<Option<Gc<'gc, Node<'gc>>>>,
}

fn node<'gc>(s: &Session<'gc>, number: u64, next: Option<Gc<'gc, Node<'gc>>>) -> Gc<'gc, Node<'gc>> {
    s.alloc(Node { number, name: s.str(&number.to_string()), next: Cell::new(next) })
}

/// A ring of `len` nodes, not frozen yet.
fn ring<'gc>(s: &Session<'gc>, len: u64) -> Gc<'gc, Node<'gc>> {
    let last = node(s, 0, None);
    let first = (1..len).fold(last, |next, number| node(s, number, Some(next)));
    s.set(last, Node::NEXT, Some(first));
    first
}

fn sum<'gc>(first: Gc<'gc, Node<'gc>>) -> u64 {
    let (mut at, mut sum) = (first, 0);
    loop {
        assert_eq!(&*at.name, at.number.to_string());
        sum += at.number;
        at = at.next.get().expect("a ring");
        if Gc::ptr_eq(at, first) {
            return sum;
        }
    }
}

/// Takes over what ended arenas have left, and frees it.
fn come_by(arena: &mut Arena<()>) {
    for _ in 0..3 {
        arena.collect();
    }
}

fn shared_ring(arena: &mut Arena<()>, len: u64) -> Shared<Node<'static>> {
    let root = arena.enter(|s, _| {
        let ring = ring(s, len);
        assert_eq!(s.freeze_deep(ring), len as usize);
        s.root(ring)
    });
    arena.share(&root).expect("frozen")
}

#[test]
fn a_frozen_ring_is_read_on_another_thread_and_dies_when_nobody_holds_it() {
    let group = group();
    let mut home = group.arena::<()>(|_| ());
    let shared = shared_ring(&mut home, 100);
    let readers: Vec<_> = (0..3)
        .map(|_| {
            let (group, shared) = (group.clone(), shared.clone());
            thread::spawn(move || {
                let mut arena = group.arena::<()>(|_| ());
                let kept = arena.enter(|s, _| s.root(s.import(&shared)));
                drop(shared);
                for _ in 0..5 {
                    arena.collect();
                    arena.enter(|s, _| {
                        let ring = s.get(&kept);
                        assert_eq!(sum(ring), 4950);
                        assert_eq!(s.try_set(ring, Node::NEXT, None), Err(SetError::Frozen));
                        assert_eq!((s.freeze(ring), s.freeze_deep(ring)), (false, 0));
                    });
                    arena.verify().unwrap();
                }
            })
        })
        .collect();
    readers.into_iter().for_each(|reader| reader.join().unwrap());
    home.collect();
    assert_eq!(home.stats().last.old_objects, 201, "the root, and nodes with names");
    drop(shared);
    home.collect();
    home.collect();
    assert_eq!(home.stats().last.old_objects, 1);
}

#[test]
fn what_is_mutable_is_refused_with_the_way_to_it() {
    let group = group();
    let mut arena = group.arena::<()>(|_| ());
    let root = arena.enter(|s, _| s.root(s.alloc(Some(ring(s, 3)))));
    let Err(ShareError::Mutable { path }) = arena.share(&root) else { panic!("refused") };
    assert_eq!(path.len(), 2);
    assert!(path[0].contains("Option") && path[1].contains("::Node"), "{path:?}");
    arena.enter(|s, _| s.freeze_deep(s.get(&root)));
    assert_eq!(arena.enter(|s, _| s.share(s.get(&root)).err()), Some(ShareError::Unsettled));
    let shared = arena.share(&root).unwrap();
    assert_eq!(arena.enter(|s, _| sum(s.import(&shared).unwrap())), 3);

    let count = arena.enter(|s, _| s.root(s.alloc(Cell::new(7))));
    let refused = ShareError::Mutable { path: vec!["a type without pointers"] };
    assert_eq!(arena.share(&count).unwrap_err(), refused);

    let mut alone = Arena::<()>::with_config(STRESS, |_| ()).unwrap();
    let root = alone.enter(|s, _| s.root(s.str("text")));
    assert_eq!(alone.share(&root).unwrap_err(), ShareError::Alone);
    let refused = ShareError::Mutable { path: vec!["a::Table", "a::Row"] };
    assert!(refused.to_string().ends_with("has to be frozen: a::Table -> a::Row"));
}

/// Also an arena that would rather hold a short collection settles what is to be shared.
#[test]
fn what_is_to_be_shared_is_settled_whatever_it_takes() {
    let group =
        Group::with_config(Config { cheap_percent: 0, ..Arena::<()>::CONFIG }).expect("the settings agree");
    let mut arena = group.arena::<()>(|_| ());
    let root = arena.enter(|s, _| s.root(ring(s, 3)));
    arena.collect();
    arena.enter(|s, _| assert_eq!(s.freeze_deep(s.get(&root)), 3));
    arena.share(&root).expect("frozen");
}

/// S22: a heap's decrement is not seen before another one's increment: values go round among threads, each of which
/// holds them for a while only.
#[test]
fn s22_values_that_go_round_are_never_lost() {
    const ROUNDS: u64 = if cfg!(miri) { 3 } else { 40 };
    let group = group();
    let (senders, receivers): (Vec<_>, Vec<_>) =
        (0..3).map(|_| mpsc::channel::<Shared<Node<'static>>>()).unzip();
    let mut next = senders.clone();
    next.rotate_left(1);
    for (number, sender) in senders.iter().enumerate() {
        sender.send(shared_ring(&mut group.arena::<()>(|_| ()), 5 + number as u64)).unwrap();
    }
    drop(senders);
    let threads: Vec<_> = receivers
        .into_iter()
        .zip(next)
        .map(|(receiver, sender)| {
            let group = group.clone();
            thread::spawn(move || {
                let mut arena = group.arena::<Cell<Option<Gc<'static, Node<'static>>>>>(|_| Cell::new(None));
                let mut total = 0;
                for round in 0..ROUNDS {
                    let shared = receiver.recv().expect("three go round");
                    // What goes on is a new node that refers to what has come, and the ring itself.
                    let kept = arena.enter(|s, _| {
                        let ring = s.import(&shared);
                        total += sum(ring);
                        let holder = node(s, round, Some(ring));
                        s.freeze(holder);
                        s.root(holder)
                    });
                    drop(shared);
                    let holder = arena.share(&kept).unwrap();
                    drop(kept);
                    arena.collect_as(if round % 2 == 0 { Request::Short } else { Request::Complete });
                    let ring = arena.enter(|s, _| s.share(s.import(&holder).next.get().unwrap())).unwrap();
                    drop(holder);
                    if sender.send(ring).is_err() {
                        break;
                    }
                }
                total
            })
        })
        .collect();
    let total: u64 = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    assert_eq!(total, ROUNDS * (10 + 15 + 21), "each ring is seen once in every round");
    // Whoever came by last freed what was left.
    let mut last = group.arena::<()>(|_| ());
    come_by(&mut last);
    assert_eq!((group.orphans(), last.stats().last.old_objects), (0, 1));
}

/// S15: who made it ends before who reads it, and the other way round.
#[test]
fn s15_arenas_of_a_group_end_in_any_order() {
    let group = group();
    let mut reader = group.arena::<Cell<Option<Gc<'static, Node<'static>>>>>(|_| Cell::new(None));
    let shared = {
        let mut maker = group.arena::<()>(|_| ());
        shared_ring(&mut maker, 10)
    };
    let outlives = shared.clone();
    let kept: Root<Node<'static>> = reader.enter(|s, _| s.root(s.import(&shared)));
    drop(shared);
    reader.collect();
    reader.enter(|s, _| assert_eq!(sum(s.get(&kept)), 45));
    drop(reader);
    let mut other = group.arena::<()>(|_| ());
    assert_eq!(other.enter(|s, _| sum(s.import(&outlives))), 45);
    drop((kept, outlives));
    come_by(&mut other);
    assert_eq!((group.orphans(), other.stats().last.old_objects), (0, 1));
}

#[test]
fn collections_are_shared_when_they_are_frozen() {
    #[derive(Trace)]
    struct Tables<'gc> {
        names: HashMap<'gc, Gc<'gc, str>, u64>,
        list: Vector<'gc, Gc<'gc, str>>,
        squares: persistent::Vector<'gc, u64>,
    }
    const LEN: u64 = 100;
    let group = group();
    let mut home = group.arena::<()>(|_| ());
    let root = home.enter(|s, _| {
        let squares = (0..LEN).fold(persistent::Vector::new(), |all, number| all.push(s, number * number));
        let tables = Tables { names: HashMap::new(s), list: Vector::new(s), squares };
        for number in 0..LEN {
            let name = s.str(&number.to_string());
            tables.names.insert(s, name, number);
            tables.list.push(s, name);
        }
        let tables = s.alloc(tables);
        s.freeze_deep(tables);
        s.root(tables)
    });
    let shared = home.share(&root).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            group.arena::<()>(|_| ()).enter(|s, _| {
                let tables = s.import(&shared);
                for (index, name) in tables.list.iter().enumerate() {
                    assert_eq!(tables.names.get(&*name), Some(index as u64));
                    assert_eq!(tables.squares.get(index), Some((index * index) as u64));
                }
                // A persistent collection goes on from what another thread made.
                assert_eq!(tables.squares.push(s, 7).len() as u64, LEN + 1);
            });
        });
    });
}

#[test]
fn a_weak_pointer_leads_nowhere_in_another_arena() {
    #[derive(Trace)]
    struct Holder<'gc> {
        text: Gc<'gc, str>,
        weak: Weak<'gc, str>,
    }
    let group = group();
    let (mut home, mut other) = (group.arena::<()>(|_| ()), group.arena::<()>(|_| ()));
    let root = home.enter(|s, _| {
        let text = s.str("text");
        s.root(s.alloc(Holder { text, weak: s.weak(text) }))
    });
    let shared = home.share(&root).unwrap();
    other.enter(|s, _| {
        // The same entry of this arena's own table is another object's.
        let own = s.weak(s.alloc(7u64));
        let holder = s.import(&shared);
        assert!(s.upgrade(own).is_some() && s.upgrade(holder.weak).is_none());
        let weak = s.weak(holder.text);
        assert_eq!(&*s.upgrade(weak).unwrap(), "text");
    });
    home.enter(|s, _| assert_eq!(&*s.upgrade(s.import(&shared).weak).unwrap(), "text"));
}

/// Each of these belongs to others.
#[test]
fn groups_are_kept_apart() {
    let (one, other) = (group(), group());
    let shared = shared_ring(&mut one.arena::<()>(|_| ()), 3);
    let mut arena = other.arena::<()>(|_| ());
    let refused = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        arena.enter(|s, _| s.import(&shared).number);
    }));
    assert!(refused.unwrap_err().downcast_ref::<String>().unwrap().contains("another group"));
    arena.collect();
}
