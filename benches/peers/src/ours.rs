//! The four structures on frazil's arenas.
#![forbid(unsafe_code)]

use frazil::arena::collections::HashMap;
use frazil::arena::{Arena, Cell, Gc, Session, Trace};

use crate::{BATCH, Random, WINDOW};

// begin queue
#[derive(Trace)]
struct Item<'gc> {
    value: u64,
    next: Cell<Option<Gc<'gc, Item<'gc>>>>,
}

#[derive(Default, Trace)]
struct Queue<'gc> {
    first: Cell<Option<Gc<'gc, Item<'gc>>>>,
    last: Cell<Option<Gc<'gc, Item<'gc>>>>,
}

fn push<'gc>(s: &Session<'gc>, queue: Gc<'gc, Queue<'gc>>, value: u64) {
    let item = s.alloc(Item { value, next: Cell::new(None) });
    match queue.last.get() {
        Some(last) => s.set(last, Item::NEXT, Some(item)),
        None => s.set(queue, Queue::FIRST, Some(item)),
    }
    s.set(queue, Queue::LAST, Some(item));
}

fn pop<'gc>(s: &Session<'gc>, queue: Gc<'gc, Queue<'gc>>) -> Option<u64> {
    let first = queue.first.get()?;
    s.set(queue, Queue::FIRST, first.next.get());
    if first.next.get().is_none() {
        s.set(queue, Queue::LAST, None);
    }
    Some(first.value)
}

pub fn queue(count: u64) -> u64 {
    let mut arena = Arena::<Queue<'static>>::new(|_| Queue::default());
    let mut sum = 0;
    for start in (0..count).step_by(BATCH) {
        arena.enter(|s, queue| {
            for value in start..start + BATCH as u64 {
                push(s, queue, value);
                if value >= WINDOW {
                    sum += pop(s, queue).unwrap();
                }
            }
        });
        arena.collect_if_due();
    }
    sum
}
// end queue

// begin tree
#[derive(Trace)]
struct Node<'gc> {
    key: u64,
    height: Cell<u64>,
    left: Cell<Tree<'gc>>,
    right: Cell<Tree<'gc>>,
}

type Tree<'gc> = Option<Gc<'gc, Node<'gc>>>;

fn height(tree: Tree<'_>) -> u64 {
    tree.map_or(0, |node| node.height.get())
}

fn measure<'gc>(s: &Session<'gc>, node: Gc<'gc, Node<'gc>>) {
    s.set(node, Node::HEIGHT, 1 + height(node.left.get()).max(height(node.right.get())));
}

fn rotate_right<'gc>(s: &Session<'gc>, node: Gc<'gc, Node<'gc>>) -> Gc<'gc, Node<'gc>> {
    let left = node.left.get().unwrap();
    s.set(node, Node::LEFT, left.right.get());
    s.set(left, Node::RIGHT, Some(node));
    measure(s, node);
    measure(s, left);
    left
}

fn rotate_left<'gc>(s: &Session<'gc>, node: Gc<'gc, Node<'gc>>) -> Gc<'gc, Node<'gc>> {
    let right = node.right.get().unwrap();
    s.set(node, Node::RIGHT, right.left.get());
    s.set(right, Node::LEFT, Some(node));
    measure(s, node);
    measure(s, right);
    right
}

fn insert<'gc>(s: &Session<'gc>, tree: Tree<'gc>, key: u64) -> Gc<'gc, Node<'gc>> {
    let Some(node) = tree else {
        return s.alloc(Node { key, height: Cell::new(1), left: Cell::new(None), right: Cell::new(None) });
    };
    if key < node.key {
        s.set(node, Node::LEFT, Some(insert(s, node.left.get(), key)));
    } else if key > node.key {
        s.set(node, Node::RIGHT, Some(insert(s, node.right.get(), key)));
    } else {
        return node;
    }
    measure(s, node);
    let (left, right) = (node.left.get(), node.right.get());
    if height(left) > height(right) + 1 {
        let left = left.unwrap();
        if height(left.right.get()) > height(left.left.get()) {
            s.set(node, Node::LEFT, Some(rotate_left(s, left)));
        }
        return rotate_right(s, node);
    }
    if height(right) > height(left) + 1 {
        let right = right.unwrap();
        if height(right.left.get()) > height(right.right.get()) {
            s.set(node, Node::RIGHT, Some(rotate_right(s, right)));
        }
        return rotate_left(s, node);
    }
    node
}

fn sum(tree: Tree<'_>) -> u64 {
    tree.map_or(0, |node| node.key.wrapping_add(sum(node.left.get())).wrapping_add(sum(node.right.get())))
}

#[derive(Trace)]
struct Root<'gc> {
    tree: Cell<Tree<'gc>>,
}

pub fn tree(count: u64) -> u64 {
    let mut arena = Arena::<Root<'static>>::new(|_| Root { tree: Cell::new(None) });
    let mut random = Random(1);
    for _ in (0..count).step_by(BATCH) {
        arena.enter(|s, root| {
            for _ in 0..BATCH {
                let tree = insert(s, root.tree.get(), random.next());
                s.set(root, Root::TREE, Some(tree));
            }
        });
        arena.collect_if_due();
    }
    arena.enter(|_, root| sum(root.tree.get()))
}
// end tree

// begin graph
#[derive(Trace)]
struct Vertex<'gc> {
    number: u64,
    edges: [Cell<Option<Gc<'gc, Vertex<'gc>>>>; 4],
}

type Vertices = Gc<'static, [Cell<Option<Gc<'static, Vertex<'static>>>>]>;

pub fn graph(count: u64) -> u64 {
    let mut arena = Arena::<Vertices>::new(|s| s.slice_with(WINDOW as usize, |_| Cell::new(None)));
    let mut random = Random(2);
    let mut met = 0;
    for start in (0..count).step_by(BATCH) {
        arena.enter(|s, window| {
            for number in start..start + BATCH as u64 {
                let vertex = s.alloc(Vertex { number, edges: Default::default() });
                for edge in 0..4 {
                    let other = window[random.below(WINDOW)].get();
                    s.set(vertex, Vertex::EDGES.at(edge), other);
                    if let Some(other) = other {
                        s.set(other, Vertex::EDGES.at(edge), Some(vertex));
                        met += other.number;
                    }
                }
                s.set_at(*window, random.below(WINDOW), Some(vertex));
            }
            // Whatever hangs on what has left the window goes.
            for cell in window.iter() {
                if let Some(vertex) = cell.get() {
                    (0..4).for_each(|edge| s.set(vertex, Vertex::EDGES.at(edge), None));
                }
            }
        });
        arena.collect_if_due();
    }
    met
}
// end graph

// begin symbols
#[derive(Clone, Copy, Trace)]
struct Symbol<'gc> {
    name: Gc<'gc, str>,
    number: u64,
}

fn intern<'gc>(
    s: &Session<'gc>,
    table: HashMap<'gc, Gc<'gc, str>, Gc<'gc, Symbol<'gc>>>,
    name: &str,
) -> Gc<'gc, Symbol<'gc>> {
    table.get(name).unwrap_or_else(|| {
        let name = s.str(name);
        let symbol = s.alloc(Symbol { name, number: table.len() as u64 });
        table.insert(s, name, symbol);
        symbol
    })
}

pub fn symbols(words: &[String]) -> u64 {
    let mut arena =
        Arena::<HashMap<'static, Gc<'static, str>, Gc<'static, Symbol<'static>>>>::new(|s| HashMap::new(s));
    let mut sum = 0;
    for words in words.chunks(BATCH) {
        arena.enter(|s, table| {
            for word in words {
                let symbol = intern(s, *table, word);
                sum += symbol.number + symbol.name.len() as u64;
            }
        });
        arena.collect_if_due();
    }
    sum
}
// end symbols
