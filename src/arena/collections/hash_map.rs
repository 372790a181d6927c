//! A hash map: open addressing, linear probing, and no tombstones.

use std::borrow::Borrow;
use std::hash::{Hash, Hasher};

use rustc_hash::FxHasher;

use crate::arena::{Cell, Gc, Session, Trace};

/// A map from keys to values in no order.
///
/// Keys are hashed by what they are, a [`Gc`] by what it leads to: objects move. The hash function is fast and not meant
/// for keys that an enemy chooses.
#[derive(Trace)]
pub struct HashMap<'gc, K, V> {
    parts: Gc<'gc, Parts<'gc, K, V>>,
}

#[derive(Trace)]
struct Parts<'gc, K, V> {
    len: Cell<usize>,
    /// A power of two of places, of which at least a quarter is empty.
    table: Cell<Table<'gc, K, V>>,
}

type Table<'gc, K, V> = Gc<'gc, [Cell<Option<(K, V)>>]>;

impl<K, V> Clone for HashMap<'_, K, V> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K, V> Copy for HashMap<'_, K, V> {}

/// Places of an empty map.
const PLACES_MIN: usize = 4;

/// The hash of a key, whose upper bits are the best.
pub(in crate::arena) fn hash_of<Q: ?Sized + Hash>(key: &Q) -> u64 {
    let mut hasher = FxHasher::default();
    key.hash(&mut hasher);
    hasher.finish()
}

/// Where a key belongs in a table of so many places.
fn home<Q: ?Sized + Hash>(key: &Q, places: usize) -> usize {
    (hash_of(key) as usize) & (places - 1)
}

impl<'gc, K: Trace<'gc> + Copy + Hash + Eq, V: Trace<'gc> + Copy> HashMap<'gc, K, V> {
    /// An empty map.
    pub fn new(s: &Session<'gc>) -> Self {
        let table = s.slice_with(PLACES_MIN, |_| Cell::new(None));
        HashMap { parts: s.alloc(Parts { len: Cell::new(0), table: Cell::new(table) }) }
    }

    /// How many keys it has.
    pub fn len(self) -> usize {
        self.parts.len.get()
    }

    /// Has it none?
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The place of `key`, or the empty one where it would go.
    #[inline]
    fn place<Q: ?Sized + Hash + Eq>(self, key: &Q) -> (usize, Option<V>)
    where
        K: Borrow<Q>,
    {
        let table = self.parts.table.get();
        let mut at = home(key, table.len());
        loop {
            match table[at].get() {
                None => return (at, None),
                Some((other, value)) if other.borrow() == key => return (at, Some(value)),
                Some(_) => at = (at + 1) & (table.len() - 1),
            }
        }
    }

    /// The value of a key. For keys that are `Gc<str>`, a `str` will do.
    #[inline]
    pub fn get<Q: ?Sized + Hash + Eq>(self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.place(key).1
    }

    /// Gives a key a value. Says what it was before.
    ///
    /// # Panics
    /// The map is frozen, or memory runs out.
    #[track_caller]
    pub fn insert(self, s: &Session<'gc>, key: K, value: V) -> Option<V> {
        let (at, before) = self.place(&key);
        s.set_at(self.parts.table.get(), at, Some((key, value)));
        if before.is_none() {
            s.set(self.parts, Parts::LEN, self.len() + 1);
            self.keep_room(s);
        }
        before
    }

    /// Moves to a table twice as large when three quarters are taken.
    fn keep_room(self, s: &Session<'gc>) {
        let before = self.parts.table.get();
        if self.len() * 4 <= before.len() * 3 {
            return;
        }
        let mut table = s.unique_slice(before.len() * 2, |_| Cell::new(None));
        for (key, value) in self.iter() {
            let mut at = home(&key, table.len());
            while table[at].get().is_some() {
                at = (at + 1) & (table.len() - 1);
            }
            *table[at].get_mut() = Some((key, value));
        }
        s.set(self.parts, Parts::TABLE, table.share());
    }

    /// Takes a key away. Says what its value was.
    ///
    /// # Panics
    /// The map is frozen.
    #[track_caller]
    pub fn remove<Q: ?Sized + Hash + Eq>(self, s: &Session<'gc>, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let (mut hole, before) = self.place(key);
        let value = before?;
        let table = self.parts.table.get();
        s.set_at(table, hole, None);
        s.set(self.parts, Parts::LEN, self.len() - 1);
        // What follows moves up, unless it would come to stand before its home.
        let mask = table.len() - 1;
        let mut at = (hole + 1) & mask;
        while let Some((key, value)) = table[at].get() {
            let distance = |from: usize| at.wrapping_sub(from) & mask;
            if distance(home(&key, table.len())) >= distance(hole) {
                s.set_at(table, hole, Some((key, value)));
                s.set_at(table, at, None);
                hole = at;
            }
            at = (at + 1) & mask;
        }
        Some(value)
    }

    /// All keys with their values, in no order. What is inserted meanwhile may be among them or not.
    pub fn iter(self) -> impl Iterator<Item = (K, V)> + 'gc {
        Gc::as_ref(self.parts.table.get()).iter().filter_map(Cell::get)
    }

    /// Freezes the map, for good.
    pub fn freeze(self, s: &Session<'gc>) {
        s.freeze(self.parts.table.get());
        s.freeze(self.parts);
    }

    /// May it be changed?
    pub fn is_mutable(self) -> bool {
        Gc::is_mutable(self.parts)
    }
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
