//! A vector: a tree with 32 branches everywhere, and the last elements apart (Bagwell; Hickey).

use super::replaced;
use crate::arena::{Gc, Session, Trace};

/// A sequence. Reading, replacing and adding at the end take time that hardly grows with it.
#[derive(Trace)]
pub struct Vector<'gc, T> {
    len: usize,
    /// Levels of branches in the tree.
    levels: u32,
    /// The elements before the tail: full leaves only.
    tree: Option<Tree<'gc, T>>,
    /// The last ones, from 1 to [`WIDTH`] if there are any.
    tail: Option<Gc<'gc, [T]>>,
}

#[derive(Trace)]
enum Tree<'gc, T> {
    Leaf(Gc<'gc, [T]>),
    Branch(Gc<'gc, [Tree<'gc, T>]>),
}

/// Branches of a branch, and elements of a leaf. Larger: shallower. Smaller: less to copy for a change.
const WIDTH: usize = 1 << WIDTH_LOG2;
const WIDTH_LOG2: u32 = 5;

impl<T> Clone for Vector<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Vector<'_, T> {}
impl<T> Default for Vector<'_, T> {
    fn default() -> Self {
        Vector::new()
    }
}
impl<T> Clone for Tree<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Tree<'_, T> {}

impl<T> Vector<'_, T> {
    /// An empty vector.
    pub const fn new() -> Self {
        Vector { len: 0, levels: 0, tree: None, tail: None }
    }
}

impl<'gc, T: Trace<'gc> + Copy> Vector<'gc, T> {
    /// A vector with these elements.
    pub fn from_slice(s: &Session<'gc>, values: &[T]) -> Self {
        let mut vector = Vector::new();
        for leaf in values.chunks(WIDTH) {
            vector = vector.with_full_tail_stored(s);
            vector.tail = Some(s.slice(leaf));
            vector.len += leaf.len();
        }
        vector
    }

    /// How many elements it has.
    pub fn len(self) -> usize {
        self.len
    }

    /// Has it none?
    pub fn is_empty(self) -> bool {
        self.len == 0
    }

    fn tail(&self) -> &'gc [T] {
        self.tail.map_or(&[], Gc::as_ref)
    }

    /// Elements that lie in the tree.
    fn stored(&self) -> usize {
        self.len - self.tail().len()
    }

    /// The leaf that has element `index`.
    fn leaf(&self, index: usize) -> &'gc [T] {
        if index >= self.stored() {
            return self.tail();
        }
        let (mut at, mut level) = (self.tree, self.levels);
        loop {
            match at.expect("what is not in the tail is in the tree") {
                Tree::Leaf(leaf) => return Gc::as_ref(leaf),
                Tree::Branch(branches) => {
                    at = Some(branches[digit(index, level)]);
                    level -= 1;
                }
            }
        }
    }

    /// Element `index`, if there is one.
    pub fn get(self, index: usize) -> Option<T> {
        (index < self.len).then(|| self.leaf(index)[index % WIDTH])
    }

    /// The elements, one after the other.
    pub fn iter(self) -> impl Iterator<Item = T> + 'gc {
        (0..self.len).step_by(WIDTH).flat_map(move |start| self.leaf(start).iter().copied())
    }

    /// The vector in which element `index` is another.
    ///
    /// # Panics
    /// There is no such element.
    #[must_use]
    pub fn set(self, s: &Session<'gc>, index: usize, value: T) -> Self {
        assert!(index < self.len, "element {index} of {}", self.len);
        if index >= self.stored() {
            return Vector { tail: Some(replaced(s, self.tail(), index % WIDTH, value)), ..self };
        }
        let tree = self.tree.expect("what is not in the tail is in the tree");
        Vector { tree: Some(set(s, tree, self.levels, index, value)), ..self }
    }

    /// The vector with one more element at the end.
    #[must_use]
    pub fn push(self, s: &Session<'gc>, value: T) -> Self {
        let vector = self.with_full_tail_stored(s);
        let tail = vector.tail();
        let tail = s.slice_with(tail.len() + 1, |index| *tail.get(index).unwrap_or(&value));
        Vector { len: self.len + 1, tail: Some(tail), ..vector }
    }

    /// A tail that has no room goes into the tree.
    fn with_full_tail_stored(self, s: &Session<'gc>) -> Self {
        let Some(tail) = self.tail.filter(|tail| tail.len() == WIDTH) else { return self };
        let (index, leaf) = (self.stored(), Tree::Leaf(tail));
        let Some(tree) = self.tree else { return Vector { tree: Some(leaf), tail: None, ..self } };
        // A tree of `levels` levels is full with 32 to the power of one more.
        if index >> (WIDTH_LOG2 * (self.levels + 1)) != 0 {
            let above = Tree::Branch(s.slice(&[tree, chain(s, leaf, self.levels)]));
            return Vector { tree: Some(above), levels: self.levels + 1, tail: None, ..self };
        }
        Vector { tree: Some(store(s, tree, self.levels, index, leaf)), tail: None, ..self }
    }

    /// The vector without its last element, and that. `None` if it is empty.
    pub fn pop(self, s: &Session<'gc>) -> Option<(Self, T)> {
        let last = *self.tail().last()?;
        let rest = &self.tail()[..self.tail().len() - 1];
        let (len, stored) = (self.len - 1, self.stored());
        if !rest.is_empty() || stored == 0 {
            let tail = (!rest.is_empty()).then(|| s.slice(rest));
            return Some((Vector { len, tail, ..self }, last));
        }
        // The last leaf of the tree becomes the tail.
        let tree = self.tree.expect("it is stored");
        let (tree, tail) = unstore(s, tree);
        let mut vector = Vector { len, tail: Some(tail), tree, ..self };
        while let Some(Tree::Branch(branches)) = vector.tree
            && branches.len() == 1
        {
            vector.tree = Some(branches[0]);
            vector.levels -= 1;
        }
        if vector.tree.is_none() {
            vector.levels = 0;
        }
        Some((vector, last))
    }
}

/// Which branch of a branch at `level` leads to element `index`. Leaves are at level 0.
fn digit(index: usize, level: u32) -> usize {
    index >> (WIDTH_LOG2 * level) & (WIDTH - 1)
}

/// A leaf under so many branches of one branch each.
fn chain<'gc, T: Trace<'gc>>(s: &Session<'gc>, leaf: Tree<'gc, T>, levels: u32) -> Tree<'gc, T> {
    (0..levels).fold(leaf, |below, _| Tree::Branch(s.slice(&[below])))
}

/// The tree with another element.
fn set<'gc, T: Trace<'gc> + Copy>(
    s: &Session<'gc>,
    tree: Tree<'gc, T>,
    level: u32,
    index: usize,
    value: T,
) -> Tree<'gc, T> {
    match tree {
        Tree::Leaf(leaf) => Tree::Leaf(replaced(s, &leaf, index % WIDTH, value)),
        Tree::Branch(branches) => {
            let at = digit(index, level);
            Tree::Branch(replaced(s, &branches, at, set(s, branches[at], level - 1, index, value)))
        }
    }
}

/// The tree with one more leaf, which begins with element `index`.
fn store<'gc, T: Trace<'gc>>(
    s: &Session<'gc>,
    tree: Tree<'gc, T>,
    level: u32,
    index: usize,
    leaf: Tree<'gc, T>,
) -> Tree<'gc, T> {
    let Tree::Branch(branches) = tree else { unreachable!("a full tree gets a level first") };
    let at = digit(index, level);
    Tree::Branch(match branches.get(at) {
        Some(&below) => replaced(s, &branches, at, store(s, below, level - 1, index, leaf)),
        None => super::inserted(s, &branches, at, chain(s, leaf, level - 1)),
    })
}

/// The tree without its last leaf, and that.
fn unstore<'gc, T: Trace<'gc>>(s: &Session<'gc>, tree: Tree<'gc, T>) -> (Option<Tree<'gc, T>>, Gc<'gc, [T]>) {
    match tree {
        Tree::Leaf(leaf) => (None, leaf),
        Tree::Branch(branches) => {
            let last = branches.len() - 1;
            let (below, leaf) = unstore(s, branches[last]);
            let branches = match below {
                Some(below) => Some(replaced(s, &branches, last, below)),
                None => (last > 0).then(|| s.slice(&branches[..last])),
            };
            (branches.map(Tree::Branch), leaf)
        }
    }
}

impl<'gc, T: Trace<'gc> + Copy + std::fmt::Debug> std::fmt::Debug for Vector<'gc, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
