//! An ordered map that changes: a cell around a persistent one.

use crate::arena::persistent;
use crate::arena::{Cell, Gc, Session, Trace};

/// A map from keys to values in the order of the keys.
///
/// It is a cell with a [`persistent::OrderedMap`] in it, whose nodes are immutable: a copy at any time is
/// [`OrderedMap::snapshot`] and costs nothing.
#[derive(Trace)]
pub struct OrderedMap<'gc, K, V> {
    holder: Gc<'gc, Holder<'gc, K, V>>,
}

#[derive(Trace)]
struct Holder<'gc, K, V> {
    map: Cell<persistent::OrderedMap<'gc, K, V>>,
}

impl<K, V> Clone for OrderedMap<'_, K, V> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K, V> Copy for OrderedMap<'_, K, V> {}

impl<'gc, K, V> std::fmt::Debug for OrderedMap<'gc, K, V>
where
    K: Trace<'gc> + Copy + Ord + std::fmt::Debug,
    V: Trace<'gc> + Copy + std::fmt::Debug,
{
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.snapshot().fmt(f)
    }
}

impl<'gc, K: Trace<'gc> + Copy + Ord, V: Trace<'gc> + Copy> OrderedMap<'gc, K, V> {
    /// An empty map.
    pub fn new(s: &Session<'gc>) -> Self {
        OrderedMap { holder: s.alloc(Holder { map: Cell::new(persistent::OrderedMap::new()) }) }
    }

    /// The map as it is now, which will never change.
    pub fn snapshot(self) -> persistent::OrderedMap<'gc, K, V> {
        self.holder.map.get()
    }

    /// How many keys it has.
    pub fn len(self) -> usize {
        self.snapshot().len()
    }

    /// Has it none?
    pub fn is_empty(self) -> bool {
        self.snapshot().is_empty()
    }

    /// The value of a key.
    pub fn get(self, key: &K) -> Option<V> {
        self.snapshot().get(key)
    }

    /// Gives a key a value. Says what it was before.
    ///
    /// # Panics
    /// The map is frozen, or memory runs out.
    #[track_caller]
    pub fn insert(self, s: &Session<'gc>, key: K, value: V) -> Option<V> {
        let before = self.get(&key);
        s.set(self.holder, Holder::MAP, self.snapshot().insert(s, key, value));
        before
    }

    /// Takes a key away. Says what its value was.
    ///
    /// # Panics
    /// The map is frozen, or memory runs out.
    #[track_caller]
    pub fn remove(self, s: &Session<'gc>, key: &K) -> Option<V> {
        let before = self.get(key);
        s.set(self.holder, Holder::MAP, self.snapshot().remove(s, key));
        before
    }

    /// All keys with their values, in order, as they are now.
    pub fn iter(self) -> impl Iterator<Item = (K, V)> + 'gc {
        self.snapshot().iter()
    }

    /// Freezes the map, for good.
    pub fn freeze(self, s: &Session<'gc>) {
        s.freeze(self.holder);
    }

    /// May it be changed?
    pub fn is_mutable(self) -> bool {
        Gc::is_mutable(self.holder)
    }
}
