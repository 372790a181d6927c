//! A hash map: a trie of hashes, each branch with the places that are taken (Bagwell, 2001).

use std::hash::Hash;

use super::{inserted, removed, replaced};
use crate::arena::collections::HashMap as MutableHashMap;
use crate::arena::{Gc, Session, Trace};

/// A map from keys to values in no order. Finding, inserting and removing take time that hardly grows with it.
///
/// Keys are hashed by what they are, a [`Gc`] by what it leads to: objects move.
#[derive(Trace)]
pub struct HashMap<'gc, K, V> {
    len: usize,
    root: Branch<'gc, K, V>,
}

#[derive(Trace)]
struct Branch<'gc, K, V> {
    /// The digits that are taken.
    map: u32,
    /// An entry or a branch for each, in their order.
    places: Option<Gc<'gc, [Place<'gc, K, V>]>>,
}

#[derive(Trace)]
enum Place<'gc, K, V> {
    Entry(K, V),
    Branch(Gc<'gc, Branch<'gc, K, V>>),
    /// Keys that have all digits in common.
    Same(Gc<'gc, [(K, V)]>),
}

/// Bits of a digit.
const DIGIT_BITS: u32 = 5;

macro_rules! copied {
    ($($name:ident)*) => {$(
        impl<K: Copy, V: Copy> Clone for $name<'_, K, V> {
            fn clone(&self) -> Self {
                *self
            }
        }
        impl<K: Copy, V: Copy> Copy for $name<'_, K, V> {}
    )*};
}
copied! { HashMap Branch Place }

impl<K: Copy, V: Copy> Default for HashMap<'_, K, V> {
    fn default() -> Self {
        HashMap::new()
    }
}

impl<K, V> HashMap<'_, K, V> {
    /// An empty map.
    pub const fn new() -> Self {
        HashMap { len: 0, root: Branch { map: 0, places: None } }
    }
}

/// What became of a place when a key was taken from below it.
enum Without<T> {
    /// The key was not there.
    Unchanged,
    Changed(T),
    Gone,
}

impl<'gc, K: Trace<'gc> + Copy + Hash + Eq, V: Trace<'gc> + Copy> HashMap<'gc, K, V> {
    /// The keys and values of a map that was built by changing it.
    pub fn of(s: &Session<'gc>, map: MutableHashMap<'gc, K, V>) -> Self {
        map.iter().fold(HashMap::new(), |whole, (key, value)| whole.insert(s, key, value))
    }

    /// How many keys it has.
    pub fn len(self) -> usize {
        self.len
    }

    /// Has it none?
    pub fn is_empty(self) -> bool {
        self.len == 0
    }

    /// The value of a key.
    pub fn get(self, key: &K) -> Option<V> {
        let (mut branch, mut hash) = (self.root, hash(key));
        loop {
            match branch.places()[branch.find(hash).ok()?] {
                Place::Entry(other, value) => return (other == *key).then_some(value),
                Place::Same(all) => {
                    return all.iter().find(|(other, _)| other == key).map(|&(_, value)| value);
                }
                Place::Branch(below) => branch = *below,
            }
            hash >>= DIGIT_BITS;
        }
    }

    /// The map in which `key` has this value.
    #[must_use]
    pub fn insert(self, s: &Session<'gc>, key: K, value: V) -> Self {
        let mut added = false;
        let root = self.root.with(s, hash(&key), 0, (key, value), &mut added);
        HashMap { len: self.len + usize::from(added), root }
    }

    /// The map without `key`.
    #[must_use]
    pub fn remove(self, s: &Session<'gc>, key: &K) -> Self {
        match self.root.without(s, hash(key), key) {
            Without::Unchanged => self,
            Without::Changed(root) => HashMap { len: self.len - 1, root },
            Without::Gone => HashMap::new(),
        }
    }

    /// All keys with their values, in no order.
    pub fn iter(self) -> impl Iterator<Item = (K, V)> + 'gc {
        let mut path = vec![self.root.places().iter()];
        let mut same: &'gc [(K, V)] = &[];
        std::iter::from_fn(move || {
            loop {
                if let Some((&first, rest)) = same.split_first() {
                    same = rest;
                    return Some(first);
                }
                match path.last_mut()?.next() {
                    None => drop(path.pop()),
                    Some(&Place::Entry(key, value)) => return Some((key, value)),
                    Some(&Place::Same(all)) => same = Gc::as_ref(all),
                    Some(&Place::Branch(below)) => path.push(Gc::as_ref(below).places().iter()),
                }
            }
        })
    }
}

/// A hash whose lowest bits are as good as the highest.
fn hash<K: Hash>(key: &K) -> u64 {
    let hash = crate::arena::collections::hash_of(key);
    hash ^ hash >> 32
}

impl<'gc, K: Trace<'gc> + Copy + Hash + Eq, V: Trace<'gc> + Copy> Branch<'gc, K, V> {
    fn places(&self) -> &'gc [Place<'gc, K, V>] {
        self.places.map_or(&[], Gc::as_ref)
    }

    /// Where the lowest digit of `hash` has its place, or would have it.
    fn find(&self, hash: u64) -> Result<usize, usize> {
        let bit = bit(hash);
        let index = (self.map & (bit - 1)).count_ones() as usize;
        if self.map & bit != 0 { Ok(index) } else { Err(index) }
    }

    /// The branch with an entry. `depth` digits of its hash were used to come here.
    fn with(self, s: &Session<'gc>, hash: u64, depth: u32, entry: (K, V), added: &mut bool) -> Self {
        let places = self.places();
        match self.find(hash) {
            Ok(at) => {
                let place = places[at].with(s, hash >> DIGIT_BITS, depth + 1, entry, added);
                Branch { places: Some(replaced(s, places, at, place)), ..self }
            }
            Err(at) => {
                *added = true;
                let places = inserted(s, places, at, Place::Entry(entry.0, entry.1));
                Branch { map: self.map | bit(hash), places: Some(places) }
            }
        }
    }

    fn without(self, s: &Session<'gc>, hash: u64, key: &K) -> Without<Self> {
        let Ok(at) = self.find(hash) else { return Without::Unchanged };
        let places = self.places();
        match places[at].without(s, hash >> DIGIT_BITS, key) {
            Without::Unchanged => Without::Unchanged,
            Without::Changed(place) => {
                Without::Changed(Branch { places: Some(replaced(s, places, at, place)), ..self })
            }
            Without::Gone if places.len() == 1 => Without::Gone,
            Without::Gone => {
                let places = removed(s, places, at);
                Without::Changed(Branch { map: self.map & !bit(hash), places: Some(places) })
            }
        }
    }
}

impl<'gc, K: Trace<'gc> + Copy + Hash + Eq, V: Trace<'gc> + Copy> Place<'gc, K, V> {
    fn with(self, s: &Session<'gc>, hash: u64, depth: u32, entry: (K, V), added: &mut bool) -> Self {
        match self {
            Place::Entry(key, _) if key == entry.0 => Place::Entry(entry.0, entry.1),
            Place::Entry(key, value) if depth * DIGIT_BITS >= u64::BITS => {
                *added = true;
                Place::Same(s.slice(&[(key, value), entry]))
            }
            Place::Entry(key, value) => {
                // One branch more tells the two apart, or the one below it.
                let rest = self::hash(&key) >> (depth * DIGIT_BITS);
                let places = s.slice(&[Place::Entry(key, value)]);
                let branch = Branch { map: bit(rest), places: Some(places) };
                Place::Branch(s.alloc(branch.with(s, hash, depth, entry, added)))
            }
            Place::Branch(below) => Place::Branch(s.alloc(below.with(s, hash, depth, entry, added))),
            Place::Same(all) => match all.iter().position(|(key, _)| *key == entry.0) {
                Some(at) => Place::Same(replaced(s, &all, at, entry)),
                None => {
                    *added = true;
                    Place::Same(inserted(s, &all, all.len(), entry))
                }
            },
        }
    }

    fn without(self, s: &Session<'gc>, hash: u64, key: &K) -> Without<Self> {
        match self {
            Place::Entry(other, _) if other == *key => Without::Gone,
            Place::Entry(..) => Without::Unchanged,
            Place::Branch(below) => match below.without(s, hash, key) {
                Without::Unchanged => Without::Unchanged,
                Without::Gone => Without::Gone,
                Without::Changed(branch) => Without::Changed(match branch.places() {
                    // A branch of one entry is that entry.
                    [only @ Place::Entry(..)] => *only,
                    _ => Place::Branch(s.alloc(branch)),
                }),
            },
            Place::Same(all) => match all.iter().position(|(other, _)| other == key) {
                None => Without::Unchanged,
                Some(at) => Without::Changed(match (at, &all[..]) {
                    (0, &[_, (key, value)]) | (1, &[(key, value), _]) => Place::Entry(key, value),
                    _ => Place::Same(removed(s, &all, at)),
                }),
            },
        }
    }
}

/// The bit of the lowest digit.
fn bit(hash: u64) -> u32 {
    1 << (hash & ((1 << DIGIT_BITS) - 1))
}

impl<'gc, K, V> std::fmt::Debug for HashMap<'gc, K, V>
where
    K: Trace<'gc> + Copy + Hash + Eq + std::fmt::Debug,
    V: Trace<'gc> + Copy + std::fmt::Debug,
{
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}
