//! The collections of arenas against those of the standard library, through collections and freezing.

use std::collections::{BTreeMap, HashMap as StdHashMap};

use frazil::Config;
use frazil::arena::collections::{HashMap, OrderedMap, Vector};
use frazil::arena::{Arena, Family, Gc, Session, persistent};
use quickcheck::{Gen, QuickCheck};

const STRESS: Config = Config { short_collections: true, ..Config::STRESS };

fn arena<R: Family>(root: impl for<'gc> FnOnce(&mut Session<'gc>) -> R::Of<'gc>) -> Arena<R> {
    Arena::with_config(STRESS, root).expect("the settings agree")
}

fn check(cases: u64, property: impl quickcheck::Testable) {
    QuickCheck::new().rng(Gen::new(200)).tests(cases).quickcheck(property);
}

/// Some steps in one session, then a collection.
const STEPS: usize = 16;

#[test]
fn a_vector_is_a_vec() {
    fn property(steps: Vec<(u8, u16)>) -> bool {
        let mut arena = arena::<Vector<'static, Gc<'static, u64>>>(|s| Vector::new(s));
        let mut model: Vec<u64> = Vec::new();
        for steps in steps.chunks(STEPS) {
            arena.enter(|s, vector| {
                for &(kind, value) in steps {
                    match kind % 8 {
                        0 => assert_eq!(vector.pop(s).map(|value| *value), model.pop()),
                        1 if !model.is_empty() => {
                            let index = usize::from(value) % model.len();
                            vector.set(s, index, s.alloc(value.into()));
                            model[index] = value.into();
                        }
                        2 if value % 16 == 0 => {
                            vector.truncate(s, model.len() / 2);
                            model.truncate(model.len() / 2);
                        }
                        _ => {
                            vector.push(s, s.alloc(value.into()));
                            model.push(value.into());
                        }
                    }
                }
            });
            arena.collect();
            arena.enter(|_, vector| {
                assert!(vector.iter().map(|value| *value).eq(model.iter().copied()));
                assert_eq!((vector.len(), vector.get(model.len()).is_none()), (model.len(), true));
            });
        }
        arena.enter(|s, vector| vector.freeze(s));
        arena.collect();
        arena.enter(|_, vector| assert!(vector.iter().map(|value| *value).eq(model.iter().copied())));
        true
    }
    check(30, property as fn(Vec<(u8, u16)>) -> bool);
}

#[test]
fn what_was_popped_is_garbage() {
    let mut arena = arena::<Vector<'static, Gc<'static, str>>>(|s| Vector::new(s));
    arena.enter(|s, vector| (0..100).for_each(|number| vector.push(s, s.str(&number.to_string()))));
    arena.collect();
    let full = arena.stats().last.old_objects;
    arena.enter(|s, vector| vector.truncate(s, 10));
    arena.collect();
    assert_eq!(full - arena.stats().last.old_objects, 90);
    arena.enter(|s, vector| vector.truncate(s, 0));
    arena.collect();
    assert_eq!(arena.stats().last.old_objects, 2, "the root and the vector");
}

#[test]
fn a_hash_map_is_a_hash_map() {
    fn property(steps: Vec<(bool, u8, u16)>) -> bool {
        let mut arena = arena::<HashMap<'static, Gc<'static, str>, u16>>(|s| HashMap::new(s));
        let mut model: StdHashMap<String, u16> = StdHashMap::new();
        for steps in steps.chunks(STEPS) {
            arena.enter(|s, map| {
                for &(removes, key, value) in steps {
                    let key = (key % 64).to_string();
                    match removes {
                        true => assert_eq!(map.remove(s, key.as_str()), model.remove(&key)),
                        false => assert_eq!(map.insert(s, s.str(&key), value), model.insert(key, value)),
                    }
                }
            });
            arena.collect();
            arena.enter(|_, map| {
                let found: StdHashMap<String, u16> =
                    map.iter().map(|(key, value)| (key.to_string(), value)).collect();
                assert_eq!((map.len(), found), (model.len(), model.clone()));
                assert!((0..64).all(|key: u8| {
                    let key = key.to_string();
                    map.get(key.as_str()) == model.get(&key).copied()
                }));
            });
        }
        true
    }
    check(30, property as fn(Vec<(bool, u8, u16)>) -> bool);
}

/// A key whose hash has no more than three values, and that must be told apart all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, frazil::arena::Trace)]
struct Clash(u8);

impl std::hash::Hash for Clash {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        state.write_u8(self.0 % 3);
    }
}

#[test]
fn persistent_maps_are_maps_and_stay_what_they_were() {
    type Maps = (
        persistent::HashMap<'static, Clash, Gc<'static, u64>>,
        persistent::HashMap<'static, u64, Gc<'static, u64>>,
        persistent::OrderedMap<'static, u64, Gc<'static, u64>>,
    );
    fn property(steps: Vec<(bool, u8)>) -> bool {
        let mut arena = arena::<Vector<'static, Maps>>(|s| Vector::from_slice(s, &[Default::default()]));
        let mut models: Vec<BTreeMap<u64, u64>> = vec![BTreeMap::new()];
        for (&(removes, key), number) in steps.iter().zip(0..) {
            let mut model = models.last().unwrap().clone();
            arena.enter(|s, versions| {
                let (clash, key) = (Clash(key % 40), u64::from(key % 40));
                let (one, two, three) = versions.last().unwrap();
                let value = s.alloc(number);
                versions.push(
                    s,
                    match removes {
                        true => (one.remove(s, &clash), two.remove(s, &key), three.remove(s, &key)),
                        false => (
                            one.insert(s, clash, value),
                            two.insert(s, key, value),
                            three.insert(s, key, value),
                        ),
                    },
                );
                match removes {
                    true => drop(model.remove(&key)),
                    false => drop(model.insert(key, number)),
                }
            });
            models.push(model);
            if number % STEPS as u64 == 0 {
                arena.collect();
            }
        }
        arena.collect();
        arena.enter(|_, versions| {
            for ((one, two, three), model) in versions.iter().zip(&models) {
                assert_eq!([one.len(), two.len(), three.len()], [model.len(); 3]);
                let expected: Vec<(u64, u64)> = model.iter().map(|(&key, &value)| (key, value)).collect();
                assert!(three.iter().map(|(key, value)| (key, *value)).eq(expected.iter().copied()));
                assert_eq!(
                    three.nth(model.len() / 2).map(|(key, value)| (key, *value)),
                    expected.get(model.len() / 2).copied()
                );
                let mut found: Vec<(u64, u64)> = two.iter().map(|(key, value)| (key, *value)).collect();
                found.sort_unstable();
                assert_eq!(found, expected);
                let mut found: Vec<(u64, u64)> =
                    one.iter().map(|(key, value)| (key.0.into(), *value)).collect();
                found.sort_unstable();
                assert_eq!(found, expected);
                for key in 0..40 {
                    let expected = model.get(&u64::from(key)).copied();
                    assert_eq!(one.get(&Clash(key)).map(|value| *value), expected);
                    assert_eq!(two.get(&key.into()).map(|value| *value), expected);
                    assert_eq!(three.get(&key.into()).map(|value| *value), expected);
                }
            }
        });
        true
    }
    check(20, property as fn(Vec<(bool, u8)>) -> bool);
}

#[test]
fn an_ordered_map_stays_balanced() {
    let mut arena = Arena::<OrderedMap<'static, u32, u32>>::new(|s| OrderedMap::new(s));
    arena.enter(|s, map| {
        // In order, which is the worst case of a tree that does not care.
        (0..10_000).for_each(|key| assert_eq!(map.insert(s, key, key), None));
        let before = s.allocated_bytes();
        map.insert(s, 10_000, 0);
        // At most the path, and two nodes for each rotation on it: 2 log2 n at the very most.
        assert!(s.allocated_bytes() - before < 30 * 48, "{} bytes for one key", s.allocated_bytes() - before);
        (0..10_000).step_by(2).for_each(|key| assert_eq!(map.remove(s, &key), Some(key)));
        assert_eq!((map.len(), map.iter().count()), (5_001, 5_001));
        map.freeze(s);
        assert!(!map.is_mutable());
    });
}

#[test]
fn a_persistent_vector_is_a_vec_and_stays_what_it_was() {
    const LEN: u64 = 3_000; // three levels
    let mut arena =
        arena::<Vector<'static, persistent::Vector<'static, Gc<'static, u64>>>>(|s| Vector::new(s));
    arena.enter(|s, versions| {
        let mut vector = persistent::Vector::new();
        for number in 0..LEN {
            if number % 500 == 0 {
                versions.push(s, vector);
            }
            vector = vector.push(s, s.alloc(number));
        }
        versions.push(s, vector);
        let numbers: Vec<_> = (0..LEN).map(|number| s.alloc(number)).collect();
        let copy = persistent::Vector::from_slice(s, &numbers);
        assert!(copy.iter().map(|number| *number).eq(0..LEN));
        // Every place is another, and what was before stays.
        let other =
            (0..LEN as usize).step_by(7).fold(copy, |vector, at| vector.set(s, at, s.alloc(1_000_000)));
        assert!(copy.iter().map(|number| *number).eq(0..LEN));
        assert!(
            other.iter().zip(0..LEN).all(|(found, at)| *found == if at % 7 == 0 { 1_000_000 } else { at })
        );
    });
    arena.collect();
    arena.enter(|s, versions| {
        for (vector, number) in versions.iter().zip(0..) {
            let len = (number * 500).min(LEN);
            assert_eq!(vector.len() as u64, len);
            assert!(vector.iter().map(|number| *number).eq(0..len));
            assert!((0..len).rev().step_by(3).all(|at| *vector.get(at as usize).unwrap() == at));
        }
        let mut vector = versions.last().unwrap();
        for expected in (0..LEN).rev() {
            let (rest, last) = vector.pop(s).unwrap();
            assert_eq!((*last, rest.len() as u64), (expected, expected));
            assert!(rest.get(expected as usize / 2).is_none_or(|middle| *middle == expected / 2));
            vector = rest;
        }
        assert!(vector.is_empty() && vector.pop(s).is_none());
    });
}

#[test]
fn a_frozen_collection_refuses() {
    let mut arena = arena::<Vector<'static, u32>>(|s| Vector::from_slice(s, &[1]));
    let refused = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        arena.enter(|s, vector| {
            vector.freeze(s);
            vector.push(s, 2);
        });
    }));
    assert_eq!(refused.unwrap_err().downcast_ref::<String>().unwrap(), "the object is frozen");
    arena.collect();
    arena.enter(|_, vector| {
        assert_eq!((vector.len(), vector.get(0), vector.is_mutable()), (1, Some(1), false))
    });
}

#[test]
fn frozen_and_persistent_collections_are_counted() {
    type Both = (Vector<'static, Gc<'static, u64>>, persistent::HashMap<'static, u64, Gc<'static, u64>>);
    let mut arena = arena::<Both>(|s| {
        let vector = Vector::new(s);
        let mut map = persistent::HashMap::new();
        for number in 0..200 {
            let value = s.alloc(number);
            vector.push(s, value);
            map = map.insert(s, number, value);
        }
        (vector, map)
    });
    arena.collect();
    assert!(arena.stats().last.traced_objects > 0, "the vector may change");
    arena.enter(|s, both| both.0.freeze(s));
    arena.collect();
    arena.collect();
    assert_eq!(arena.stats().last.traced_objects, 0);
    arena.enter(|_, both| assert!(both.0.iter().all(|value| both.1.get(&value) == Some(value))));
}
