//! The four structures on gc-arena 0.7.
#![forbid(unsafe_code)]

use std::collections::HashMap;

use gc_arena::barrier::{field, unlock};
use gc_arena::{Arena, Collect, Gc, Lock, Mutation, RefLock, Rootable};

use crate::{BATCH, Random, WINDOW};

// begin queue
#[derive(Collect)]
#[collect(no_drop)]
struct Item<'gc> {
    value: u64,
    next: Lock<Option<Gc<'gc, Item<'gc>>>>,
}

#[derive(Collect)]
#[collect(no_drop)]
struct Queue<'gc> {
    first: Lock<Option<Gc<'gc, Item<'gc>>>>,
    last: Lock<Option<Gc<'gc, Item<'gc>>>>,
}

fn push<'gc>(mc: &Mutation<'gc>, queue: Gc<'gc, Queue<'gc>>, value: u64) {
    let item = Gc::new(mc, Item { value, next: Lock::new(None) });
    match queue.last.get() {
        Some(last) => unlock!(Gc::write(mc, last), Item, next).set(Some(item)),
        None => unlock!(Gc::write(mc, queue), Queue, first).set(Some(item)),
    }
    unlock!(Gc::write(mc, queue), Queue, last).set(Some(item));
}

fn pop<'gc>(mc: &Mutation<'gc>, queue: Gc<'gc, Queue<'gc>>) -> Option<u64> {
    let first = queue.first.get()?;
    unlock!(Gc::write(mc, queue), Queue, first).set(first.next.get());
    if first.next.get().is_none() {
        unlock!(Gc::write(mc, queue), Queue, last).set(None);
    }
    Some(first.value)
}

pub fn queue(count: u64) -> u64 {
    let mut arena = Arena::<Rootable![Gc<'_, Queue<'_>>]>::new(|mc| {
        Gc::new(mc, Queue { first: Lock::new(None), last: Lock::new(None) })
    });
    let mut sum = 0;
    for start in (0..count).step_by(BATCH) {
        arena.mutate(|mc, queue| {
            for value in start..start + BATCH as u64 {
                push(mc, *queue, value);
                if value >= WINDOW {
                    sum += pop(mc, *queue).unwrap();
                }
            }
        });
        arena.collect_debt();
    }
    sum
}
// end queue

// begin tree
#[derive(Collect)]
#[collect(no_drop)]
struct Node<'gc> {
    key: u64,
    height: Lock<u64>,
    left: Lock<Tree<'gc>>,
    right: Lock<Tree<'gc>>,
}

type Tree<'gc> = Option<Gc<'gc, Node<'gc>>>;

fn height(tree: Tree<'_>) -> u64 {
    tree.map_or(0, |node| node.height.get())
}

fn measure<'gc>(mc: &Mutation<'gc>, node: Gc<'gc, Node<'gc>>) {
    let height = 1 + height(node.left.get()).max(height(node.right.get()));
    unlock!(Gc::write(mc, node), Node, height).set(height);
}

fn rotate_right<'gc>(mc: &Mutation<'gc>, node: Gc<'gc, Node<'gc>>) -> Gc<'gc, Node<'gc>> {
    let left = node.left.get().unwrap();
    unlock!(Gc::write(mc, node), Node, left).set(left.right.get());
    unlock!(Gc::write(mc, left), Node, right).set(Some(node));
    measure(mc, node);
    measure(mc, left);
    left
}

fn rotate_left<'gc>(mc: &Mutation<'gc>, node: Gc<'gc, Node<'gc>>) -> Gc<'gc, Node<'gc>> {
    let right = node.right.get().unwrap();
    unlock!(Gc::write(mc, node), Node, right).set(right.left.get());
    unlock!(Gc::write(mc, right), Node, left).set(Some(node));
    measure(mc, node);
    measure(mc, right);
    right
}

fn insert<'gc>(mc: &Mutation<'gc>, tree: Tree<'gc>, key: u64) -> Gc<'gc, Node<'gc>> {
    let Some(node) = tree else {
        return Gc::new(
            mc,
            Node { key, height: Lock::new(1), left: Lock::new(None), right: Lock::new(None) },
        );
    };
    if key < node.key {
        let left = insert(mc, node.left.get(), key);
        unlock!(Gc::write(mc, node), Node, left).set(Some(left));
    } else if key > node.key {
        let right = insert(mc, node.right.get(), key);
        unlock!(Gc::write(mc, node), Node, right).set(Some(right));
    } else {
        return node;
    }
    measure(mc, node);
    let (left, right) = (node.left.get(), node.right.get());
    if height(left) > height(right) + 1 {
        let left = left.unwrap();
        if height(left.right.get()) > height(left.left.get()) {
            let left = rotate_left(mc, left);
            unlock!(Gc::write(mc, node), Node, left).set(Some(left));
        }
        return rotate_right(mc, node);
    }
    if height(right) > height(left) + 1 {
        let right = right.unwrap();
        if height(right.left.get()) > height(right.right.get()) {
            let right = rotate_right(mc, right);
            unlock!(Gc::write(mc, node), Node, right).set(Some(right));
        }
        return rotate_left(mc, node);
    }
    node
}

fn sum(tree: Tree<'_>) -> u64 {
    tree.map_or(0, |node| node.key.wrapping_add(sum(node.left.get())).wrapping_add(sum(node.right.get())))
}

pub fn tree(count: u64) -> u64 {
    let mut arena = Arena::<Rootable![Gc<'_, Lock<Tree<'_>>>]>::new(|mc| Gc::new(mc, Lock::new(None)));
    let mut random = Random(1);
    for _ in (0..count).step_by(BATCH) {
        arena.mutate(|mc, root| {
            for _ in 0..BATCH {
                let tree = insert(mc, root.get(), random.next());
                root.set(mc, Some(tree));
            }
        });
        arena.collect_debt();
    }
    arena.mutate(|_, root| sum(root.get()))
}
// end tree

// begin graph
#[derive(Collect)]
#[collect(no_drop)]
struct Vertex<'gc> {
    number: u64,
    edges: RefLock<[Option<Gc<'gc, Vertex<'gc>>>; 4]>,
}

fn edges<'a, 'gc>(
    mc: &Mutation<'gc>,
    vertex: &'a Gc<'gc, Vertex<'gc>>,
) -> std::cell::RefMut<'a, [Option<Gc<'gc, Vertex<'gc>>>; 4]> {
    field!(Gc::write(mc, *vertex), Vertex, edges).unlock().borrow_mut()
}

pub fn graph(count: u64) -> u64 {
    let mut arena = Arena::<Rootable![Gc<'_, RefLock<Vec<Option<Gc<'_, Vertex<'_>>>>>>]>::new(|mc| {
        Gc::new(mc, RefLock::new(vec![None; WINDOW as usize]))
    });
    let mut random = Random(2);
    let mut met = 0;
    for start in (0..count).step_by(BATCH) {
        arena.mutate(|mc, root| {
            let mut window = root.borrow_mut(mc);
            for number in start..start + BATCH as u64 {
                let vertex = Gc::new(mc, Vertex { number, edges: RefLock::new([None; 4]) });
                for edge in 0..4 {
                    let other = window[random.below(WINDOW)];
                    edges(mc, &vertex)[edge] = other;
                    if let Some(other) = other {
                        edges(mc, &other)[edge] = Some(vertex);
                        met += other.number;
                    }
                }
                window[random.below(WINDOW)] = Some(vertex);
            }
            // Whatever hangs on what has left the window goes.
            for vertex in window.iter().flatten() {
                *edges(mc, vertex) = [None; 4];
            }
        });
        arena.collect_debt();
    }
    met
}
// end graph

// begin symbols
#[derive(Collect)]
#[collect(no_drop)]
struct Symbol<'gc> {
    name: Gc<'gc, String>,
    number: u64,
}

/// A `HashMap` whose keys are pointers can be searched with a `str`, if the pointer can be borrowed as one.
#[derive(Clone, Copy, Collect, PartialEq, Eq, Hash)]
#[collect(no_drop)]
struct Name<'gc>(Gc<'gc, String>);

impl std::borrow::Borrow<str> for Name<'_> {
    fn borrow(&self) -> &str {
        &self.0
    }
}

type Table<'gc> = HashMap<Name<'gc>, Gc<'gc, Symbol<'gc>>>;

fn intern<'gc>(mc: &Mutation<'gc>, table: &mut Table<'gc>, name: &str) -> Gc<'gc, Symbol<'gc>> {
    if let Some(symbol) = table.get(name) {
        return *symbol;
    }
    let name = Gc::new(mc, name.to_owned());
    let symbol = Gc::new(mc, Symbol { name, number: table.len() as u64 });
    table.insert(Name(name), symbol);
    symbol
}

pub fn symbols(words: &[String]) -> u64 {
    let mut arena =
        Arena::<Rootable![Gc<'_, RefLock<Table<'_>>>]>::new(|mc| Gc::new(mc, RefLock::new(HashMap::new())));
    let mut sum = 0;
    for words in words.chunks(BATCH) {
        arena.mutate(|mc, root| {
            let mut table = root.borrow_mut(mc);
            for word in words {
                let symbol = intern(mc, &mut table, word);
                sum += symbol.number + symbol.name.len() as u64;
            }
        });
        arena.collect_debt();
    }
    sum
}
// end symbols
