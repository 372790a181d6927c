//! Reachability and strongly connected components of the shadow graph.

use crate::shadow::{Id, Node, Word};

/// The objects that can be reached from some words.
#[derive(Debug)]
pub struct Reached {
    /// In the order in which they were found.
    pub order: Vec<Id>,
    /// By [`Id::index`].
    pub marks: Vec<bool>,
}

impl Reached {
    /// Is `id` among them?
    pub fn has(&self, id: Id) -> bool {
        self.marks[id.index()]
    }
}

/// What can be reached from `words`.
pub fn reach(nodes: &[Node], words: impl IntoIterator<Item = Word>) -> Reached {
    let mut reached = Reached { order: Vec::new(), marks: vec![false; nodes.len()] };
    let mut find = |word: Word, order: &mut Vec<Id>| {
        if let Word::Object(id) = word
            && !std::mem::replace(&mut reached.marks[id.index()], true)
        {
            order.push(id);
        }
    };
    words.into_iter().for_each(|word| find(word, &mut reached.order));
    let mut next = 0;
    while let Some(&id) = reached.order.get(next) {
        next += 1;
        for &word in &nodes[id.index()].refs {
            find(word, &mut reached.order);
        }
    }
    reached
}

/// What the old generation must think of an object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Class {
    /// It is mutable, or reaches something that is.
    pub traced: bool,
    /// The cycle that it belongs to, from one; zero if it belongs to none.
    pub cycle: u32,
}

/// References among objects that have numbers from zero.
#[derive(Debug, Default)]
pub struct Edges {
    targets: Vec<u32>,
    /// Where those of each object end.
    ends: Vec<u32>,
}

impl Edges {
    /// None, with room for those of `objects` objects.
    pub fn with_capacity(objects: usize) -> Edges {
        Edges { targets: Vec::with_capacity(4 * objects), ends: Vec::with_capacity(objects) }
    }

    /// How many objects there are.
    pub fn objects(&self) -> usize {
        self.ends.len()
    }

    /// The next object refers to these.
    pub fn add(&mut self, targets: impl Iterator<Item = usize>) {
        self.targets.extend(targets.map(|target| target as u32));
        self.ends.push(self.targets.len() as u32);
    }

    /// What object `number` refers to.
    pub fn of(&self, number: usize) -> &[u32] {
        let start = number.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.targets[start as usize..self.ends[number] as usize]
    }

    /// Marks with `mark` what can be reached from `starts` and had a greater mark. Adds it to `order`, where it is put
    /// in the order in which it is found.
    pub fn spread<M: Copy + Ord>(
        &self,
        starts: impl Iterator<Item = usize>,
        mark: M,
        marks: &mut [M],
        order: &mut Vec<usize>,
    ) {
        let mut next = order.len();
        let mut find = |number: usize, order: &mut Vec<usize>| {
            if marks[number] > mark {
                marks[number] = mark;
                order.push(number);
            }
        };
        starts.for_each(|number| find(number, order));
        while let Some(&number) = order.get(next) {
            next += 1;
            self.of(number).iter().for_each(|&target| find(target as usize, order));
        }
    }
}

/// The class of every object in `members`, by number. Nothing outside `members` is looked at.
pub fn classes(edges: &Edges, members: &[bool], mutable: impl Fn(usize) -> bool) -> Vec<Class> {
    let count = edges.objects();
    let mut search = Search {
        edges,
        members,
        classes: (0..count).map(|number| Class { traced: mutable(number), cycle: 0 }).collect(),
        index: vec![0; count],
        low: vec![0; count],
        open: Vec::with_capacity(count),
        path: Vec::with_capacity(count),
        next: 1,
        cycles: 0,
    };
    for (start, &member) in members.iter().enumerate() {
        if member && search.index[start] == 0 {
            search.from(start);
        }
    }
    search.classes
}

/// Tarjan's algorithm with a stack of its own. Components are left after everything they lead to, so a
/// component's class follows from classes that are known.
struct Search<'a> {
    edges: &'a Edges,
    members: &'a [bool],
    classes: Vec<Class>,
    /// The order of discovery, from one; zero: not found yet; `DONE`: its component is complete.
    index: Vec<u32>,
    low: Vec<u32>,
    /// Found, in components that are not complete.
    open: Vec<usize>,
    /// The way from the start: an object, and its references that have not been followed yet.
    path: Vec<(usize, &'a [u32])>,
    next: u32,
    cycles: u32,
}

const DONE: u32 = u32::MAX;

impl Search<'_> {
    fn from(&mut self, start: usize) {
        self.enter(start);
        while let Some((object, left)) = self.path.last_mut() {
            let object = *object;
            match left.split_first() {
                None => self.leave(object),
                Some((&target, rest)) => {
                    *left = rest;
                    if self.members[target as usize] {
                        self.follow(object, target as usize);
                    }
                }
            }
        }
    }

    fn enter(&mut self, object: usize) {
        (self.index[object], self.low[object]) = (self.next, self.next);
        self.next += 1;
        self.open.push(object);
        self.path.push((object, self.edges.of(object)));
    }

    fn follow(&mut self, object: usize, target: usize) {
        match self.index[target] {
            0 => self.enter(target),
            DONE => self.classes[object].traced |= self.classes[target].traced,
            index => {
                self.low[object] = self.low[object].min(index);
                // A cycle's members are marked when it is complete; a reference to itself is seen only here.
                if object == target {
                    self.classes[object].cycle = u32::MAX;
                }
            }
        }
    }

    fn leave(&mut self, object: usize) {
        self.path.pop();
        if self.low[object] == self.index[object] {
            self.complete(object);
        }
        if let Some(&(parent, _)) = self.path.last() {
            self.low[parent] = self.low[parent].min(self.low[object]);
            self.classes[parent].traced |= self.classes[object].traced;
        }
    }

    fn complete(&mut self, root: usize) {
        let first = self.open.iter().rposition(|&object| object == root).expect("the root is open");
        let traced = self.open[first..].iter().any(|&object| self.classes[object].traced);
        let single = self.open.len() - first == 1 && self.classes[root].cycle == 0;
        self.cycles += u32::from(!single);
        let class = Class { traced, cycle: if single { 0 } else { self.cycles } };
        for object in self.open.drain(first..) {
            self.classes[object] = class;
            (self.index[object], self.low[object]) = (DONE, DONE);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;
    use crate::shadow::Shadow;
    use crate::{history::Label, kind::Kind, plan::Act};

    fn random_graph(seed: u64) -> Shadow {
        let mut random = Random::new(seed);
        let mut shadow = Shadow::new(0);
        let count = random.range(1, 12);
        for number in 0..count {
            let refs = (0..4).map(|_| match random.below(count + 4) {
                id if id < count && random.chance(50) => Word::Object(Id(id)),
                _ => Word::Empty,
            });
            let refs = refs.collect();
            shadow.perform(&Act::Make { label: Label(number), kind: Kind::Row, len: 0, refs });
            if random.chance(70) {
                shadow.perform(&Act::Freeze { object: Id(number) });
            }
        }
        shadow
    }

    /// The definitions, word for word: quadratic and obvious.
    #[test]
    fn classes_are_what_their_definition_says() {
        for seed in 0..2000 {
            let nodes = random_graph(seed).nodes;
            let from: Vec<Reached> = nodes.iter().map(|node| reach(&nodes, node.refs.clone())).collect();
            let mut edges = Edges::default();
            for node in &nodes {
                edges.add(node.refs.iter().filter_map(|word| word.object()).map(Id::index));
            }
            let classes = classes(&edges, &vec![true; nodes.len()], |number| nodes[number].mutable);
            for (a, node) in nodes.iter().enumerate() {
                let traced = node.mutable || from[a].order.iter().any(|id| nodes[id.index()].mutable);
                assert_eq!(classes[a].traced, traced, "seed {seed} object {a}");
                assert_eq!(classes[a].cycle != 0, from[a].marks[a], "seed {seed} object {a}");
                for b in 0..nodes.len() {
                    let together = a == b || from[a].marks[b] && from[b].marks[a];
                    if a != b && classes[a].cycle != 0 {
                        assert_eq!(classes[a].cycle == classes[b].cycle, together, "seed {seed}: {a} {b}");
                    }
                }
            }
        }
    }
}
