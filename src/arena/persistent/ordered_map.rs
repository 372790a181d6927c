//! An ordered map: a tree balanced by weight (Adams, 1993; Hirai and Yamamoto, 2011, for the two constants).

use std::cmp::Ordering;

use crate::arena::{Gc, Session, Trace};

/// A map from keys to values in the order of the keys. Finding, inserting and removing take logarithmic time.
#[derive(Trace)]
pub struct OrderedMap<'gc, K, V> {
    root: Tree<'gc, K, V>,
}

type Tree<'gc, K, V> = Option<Gc<'gc, Node<'gc, K, V>>>;

#[derive(Trace)]
struct Node<'gc, K, V> {
    /// Keys in this tree.
    len: usize,
    key: K,
    value: V,
    left: Tree<'gc, K, V>,
    right: Tree<'gc, K, V>,
}

/// No side is heavier than so many times the other.
const HEAVIER: usize = 3;
/// When one side grows too heavy, its inner part goes over if it is not as heavy as so many times the outer one.
const INNER: usize = 2;

impl<K, V> Clone for OrderedMap<'_, K, V> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K, V> Copy for OrderedMap<'_, K, V> {}
impl<K, V> Default for OrderedMap<'_, K, V> {
    fn default() -> Self {
        OrderedMap::new()
    }
}

impl<K, V> OrderedMap<'_, K, V> {
    /// An empty map.
    pub const fn new() -> Self {
        OrderedMap { root: None }
    }
}

impl<'gc, K: Trace<'gc> + Copy + Ord, V: Trace<'gc> + Copy> OrderedMap<'gc, K, V> {
    /// How many keys it has.
    pub fn len(self) -> usize {
        len(self.root)
    }

    /// Has it none?
    pub fn is_empty(self) -> bool {
        self.root.is_none()
    }

    /// The value of a key.
    pub fn get(self, key: &K) -> Option<V> {
        let mut at = self.root;
        while let Some(node) = at {
            at = match key.cmp(&node.key) {
                Ordering::Less => node.left,
                Ordering::Equal => return Some(node.value),
                Ordering::Greater => node.right,
            };
        }
        None
    }

    /// The key number `index` in their order, with its value.
    pub fn nth(self, mut index: usize) -> Option<(K, V)> {
        let mut at = self.root;
        while let Some(node) = at {
            let before = len(node.left);
            at = match index.cmp(&before) {
                Ordering::Less => node.left,
                Ordering::Equal => return Some((node.key, node.value)),
                Ordering::Greater => {
                    index -= before + 1;
                    node.right
                }
            };
        }
        None
    }

    /// The map in which `key` has this value.
    #[must_use]
    pub fn insert(self, s: &Session<'gc>, key: K, value: V) -> Self {
        OrderedMap { root: insert(s, self.root, key, value) }
    }

    /// The map without `key`.
    #[must_use]
    pub fn remove(self, s: &Session<'gc>, key: &K) -> Self {
        match self.get(key) {
            Some(_) => OrderedMap { root: remove(s, self.root, key) },
            None => self,
        }
    }

    /// All keys with their values, in order.
    pub fn iter(self) -> impl Iterator<Item = (K, V)> + 'gc {
        let mut path = Vec::new();
        let mut at = self.root;
        std::iter::from_fn(move || {
            while let Some(node) = at {
                path.push(node);
                at = node.left;
            }
            let node = path.pop()?;
            at = node.right;
            Some((node.key, node.value))
        })
    }
}

fn len<'gc, K: Trace<'gc>, V: Trace<'gc>>(tree: Tree<'gc, K, V>) -> usize {
    tree.map_or(0, |node| node.len)
}

/// A tree of two that are balanced against each other, and what stands between them.
fn join<'gc, K: Trace<'gc>, V: Trace<'gc>>(
    s: &Session<'gc>,
    left: Tree<'gc, K, V>,
    (key, value): (K, V),
    right: Tree<'gc, K, V>,
) -> Tree<'gc, K, V> {
    Some(s.alloc(Node { len: len(left) + 1 + len(right), key, value, left, right }))
}

/// The same when one of them has gained or lost a key since they were.
fn balanced<'gc, K: Trace<'gc> + Copy, V: Trace<'gc> + Copy>(
    s: &Session<'gc>,
    left: Tree<'gc, K, V>,
    middle: (K, V),
    right: Tree<'gc, K, V>,
) -> Tree<'gc, K, V> {
    let (on_left, on_right) = (len(left) + 1, len(right) + 1);
    match (left, right) {
        (_, Some(node)) if on_right > HEAVIER * on_left => {
            if let Some(inner) = node.left.filter(|inner| inner.len + 1 >= INNER * (len(node.right) + 1)) {
                let outer = join(s, inner.right, (node.key, node.value), node.right);
                return join(s, join(s, left, middle, inner.left), (inner.key, inner.value), outer);
            }
            join(s, join(s, left, middle, node.left), (node.key, node.value), node.right)
        }
        (Some(node), _) if on_left > HEAVIER * on_right => {
            if let Some(inner) = node.right.filter(|inner| inner.len + 1 >= INNER * (len(node.left) + 1)) {
                let outer = join(s, node.left, (node.key, node.value), inner.left);
                return join(s, outer, (inner.key, inner.value), join(s, inner.right, middle, right));
            }
            join(s, node.left, (node.key, node.value), join(s, node.right, middle, right))
        }
        _ => join(s, left, middle, right),
    }
}

fn insert<'gc, K: Trace<'gc> + Copy + Ord, V: Trace<'gc> + Copy>(
    s: &Session<'gc>,
    tree: Tree<'gc, K, V>,
    key: K,
    value: V,
) -> Tree<'gc, K, V> {
    let Some(node) = tree else { return join(s, None, (key, value), None) };
    let middle = (node.key, node.value);
    match key.cmp(&node.key) {
        Ordering::Less => balanced(s, insert(s, node.left, key, value), middle, node.right),
        Ordering::Equal => join(s, node.left, (key, value), node.right),
        Ordering::Greater => balanced(s, node.left, middle, insert(s, node.right, key, value)),
    }
}

fn remove<'gc, K: Trace<'gc> + Copy + Ord, V: Trace<'gc> + Copy>(
    s: &Session<'gc>,
    tree: Tree<'gc, K, V>,
    key: &K,
) -> Tree<'gc, K, V> {
    let node = tree?;
    let middle = (node.key, node.value);
    match key.cmp(&node.key) {
        Ordering::Less => balanced(s, remove(s, node.left, key), middle, node.right),
        Ordering::Greater => balanced(s, node.left, middle, remove(s, node.right, key)),
        Ordering::Equal => match least(node.right) {
            Some(next) => balanced(s, node.left, (next.key, next.value), remove(s, node.right, &next.key)),
            None => node.left,
        },
    }
}

fn least<'gc, K: Trace<'gc>, V: Trace<'gc>>(mut tree: Tree<'gc, K, V>) -> Tree<'gc, K, V> {
    while let Some(left) = tree.and_then(|node| node.left) {
        tree = Some(left);
    }
    tree
}

impl<'gc, K, V> std::fmt::Debug for OrderedMap<'gc, K, V>
where
    K: Trace<'gc> + Copy + Ord + std::fmt::Debug,
    V: Trace<'gc> + Copy + std::fmt::Debug,
{
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}
