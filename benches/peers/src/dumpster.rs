//! The four structures on dumpster 2.1, for one thread (`unsync`).
#![forbid(unsafe_code)]

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use dumpster::Trace;
use dumpster::unsync::Gc;

use crate::{BATCH, Random, WINDOW};

// begin queue
#[derive(Trace)]
struct Item {
    value: u64,
    next: RefCell<Option<Gc<Item>>>,
}

#[derive(Default, Trace)]
struct Queue {
    first: RefCell<Option<Gc<Item>>>,
    last: RefCell<Option<Gc<Item>>>,
}

fn push(queue: &Gc<Queue>, value: u64) {
    let item = Gc::new(Item { value, next: RefCell::new(None) });
    match &*queue.last.borrow() {
        Some(last) => *last.next.borrow_mut() = Some(item.clone()),
        None => *queue.first.borrow_mut() = Some(item.clone()),
    }
    *queue.last.borrow_mut() = Some(item);
}

fn pop(queue: &Gc<Queue>) -> Option<u64> {
    let first = queue.first.borrow().clone()?;
    let next = first.next.borrow().clone();
    if next.is_none() {
        *queue.last.borrow_mut() = None;
    }
    *queue.first.borrow_mut() = next;
    Some(first.value)
}

pub fn queue(count: u64) -> u64 {
    let queue = Gc::new(Queue::default());
    let mut sum = 0;
    for value in 0..count.next_multiple_of(BATCH as u64) {
        push(&queue, value);
        if value >= WINDOW {
            sum += pop(&queue).unwrap();
        }
    }
    // A chain is dropped by recursion, which overflows the stack.
    while pop(&queue).is_some() {}
    sum
}
// end queue

// begin tree
#[derive(Trace)]
struct Node {
    key: u64,
    height: Cell<u64>,
    left: RefCell<Tree>,
    right: RefCell<Tree>,
}

type Tree = Option<Gc<Node>>;

fn height(tree: &Tree) -> u64 {
    tree.as_ref().map_or(0, |node| node.height.get())
}

fn measure(node: &Gc<Node>) {
    node.height.set(1 + height(&node.left.borrow()).max(height(&node.right.borrow())));
}

fn rotate_right(node: Gc<Node>) -> Gc<Node> {
    let left = node.left.take().unwrap();
    *node.left.borrow_mut() = left.right.take();
    measure(&node);
    *left.right.borrow_mut() = Some(node);
    measure(&left);
    left
}

fn rotate_left(node: Gc<Node>) -> Gc<Node> {
    let right = node.right.take().unwrap();
    *node.right.borrow_mut() = right.left.take();
    measure(&node);
    *right.left.borrow_mut() = Some(node);
    measure(&right);
    right
}

fn insert(tree: Tree, key: u64) -> Gc<Node> {
    let Some(node) = tree else {
        return Gc::new(Node {
            key,
            height: Cell::new(1),
            left: RefCell::default(),
            right: RefCell::default(),
        });
    };
    if key < node.key {
        let left = insert(node.left.take(), key);
        *node.left.borrow_mut() = Some(left);
    } else if key > node.key {
        let right = insert(node.right.take(), key);
        *node.right.borrow_mut() = Some(right);
    } else {
        return node;
    }
    measure(&node);
    let (left, right) = (height(&node.left.borrow()), height(&node.right.borrow()));
    if left > right + 1 {
        let left = node.left.take().unwrap();
        let heavy = height(&left.right.borrow()) > height(&left.left.borrow());
        *node.left.borrow_mut() = Some(if heavy { rotate_left(left) } else { left });
        return rotate_right(node);
    }
    if right > left + 1 {
        let right = node.right.take().unwrap();
        let heavy = height(&right.left.borrow()) > height(&right.right.borrow());
        *node.right.borrow_mut() = Some(if heavy { rotate_right(right) } else { right });
        return rotate_left(node);
    }
    node
}

fn sum(tree: &Tree) -> u64 {
    tree.as_ref().map_or(0, |node| {
        node.key.wrapping_add(sum(&node.left.borrow())).wrapping_add(sum(&node.right.borrow()))
    })
}

pub fn tree(count: u64) -> u64 {
    let mut random = Random(1);
    let mut tree = None;
    for _ in 0..count.next_multiple_of(BATCH as u64) {
        tree = Some(insert(tree, random.next()));
    }
    sum(&tree)
}
// end tree

// begin graph
#[derive(Trace)]
struct Vertex {
    number: u64,
    edges: RefCell<[Option<Gc<Vertex>>; 4]>,
}

pub fn graph(count: u64) -> u64 {
    let mut window: Vec<Option<Gc<Vertex>>> = vec![None; WINDOW as usize];
    let mut random = Random(2);
    let mut met = 0;
    for start in (0..count).step_by(BATCH) {
        for number in start..start + BATCH as u64 {
            let vertex = Gc::new(Vertex { number, edges: RefCell::default() });
            for edge in 0..4 {
                let other = window[random.below(WINDOW)].clone();
                if let Some(other) = &other {
                    other.edges.borrow_mut()[edge] = Some(vertex.clone());
                    met += other.number;
                }
                vertex.edges.borrow_mut()[edge] = other;
            }
            window[random.below(WINDOW)] = Some(vertex);
        }
        // Whatever hangs on what has left the window goes.
        for vertex in window.iter().flatten() {
            drop(vertex.edges.take());
        }
    }
    met
}
// end graph

// begin symbols
#[derive(Trace)]
struct Symbol {
    name: Gc<str>,
    number: u64,
}

/// A `HashMap` whose keys are pointers can be searched with a `str`, if the pointer can be borrowed as one.
#[derive(Trace)]
struct Name(Gc<str>);

impl std::borrow::Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}
impl std::hash::Hash for Name {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        (*self.0).hash(state);
    }
}
impl PartialEq for Name {
    fn eq(&self, other: &Name) -> bool {
        *self.0 == *other.0
    }
}
impl Eq for Name {}

fn intern(table: &mut HashMap<Name, Gc<Symbol>>, name: &str) -> Gc<Symbol> {
    if let Some(symbol) = table.get(name) {
        return symbol.clone();
    }
    let name: Gc<str> = Gc::from(name);
    let symbol = Gc::new(Symbol { name: name.clone(), number: table.len() as u64 });
    table.insert(Name(name), symbol.clone());
    symbol
}

pub fn symbols(words: &[String]) -> u64 {
    let mut table = HashMap::new();
    let mut sum = 0;
    for word in words {
        let symbol = intern(&mut table, word);
        sum += symbol.number + symbol.name.len() as u64;
    }
    sum
}
// end symbols
