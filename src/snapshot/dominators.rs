//! How much would die with an object: dominators, and the sizes they retain.
//!
//! An object *dominates* another one if every path from a root to that one leads through it. Each object has one
//! nearest dominator, so they form a tree, and what an object *retains* is the sum of its subtree: the bytes that
//! would be free if it were gone.
//!
//! The algorithm is that of Lengauer and Tarjan (1979) with path compression, which takes time near to the number
//! of references on every graph. The simpler iterative ones walk up the tree for each reference: a long chain whose
//! objects all share one string, which programs do build, would take them hours. All recursion is by loop.

use super::Snapshot;
use super::graph::Graph;
use super::paths::starts;

/// No object; also the number of what is above all roots, in the order of the search.
const NONE: u32 = u32::MAX;

/// The dominator tree of a snapshot, from its roots. It takes sixteen bytes for each object.
#[derive(Clone, Debug)]
pub struct Dominators {
    /// For each object, its nearest dominator, or [`NONE`].
    nearest: Vec<u32>,
    /// The objects that are reached; each behind its dominator.
    order: Vec<u32>,
    retained: Vec<u64>,
}

impl Dominators {
    /// The tree of what all roots together reach.
    pub fn new(snapshot: &Snapshot) -> Dominators {
        let bytes = |object: usize| snapshot.objects[object].bytes as u64;
        Dominators::of(&snapshot.graph, &starts(&snapshot.roots), bytes)
    }

    fn of(graph: &Graph, starts: &[usize], bytes: impl Fn(usize) -> u64) -> Dominators {
        let search = Search::new(graph, starts);
        let idom = Tree::new(graph, starts, &search).dominators(&search);
        let mut nearest = vec![NONE; graph.len()];
        let mut retained = vec![0; graph.len()];
        for (&object, &dominator) in search.vertex.iter().zip(&idom).skip(1) {
            nearest[object as usize] = search.vertex[dominator as usize];
            retained[object as usize] = bytes(object as usize);
        }
        for &object in search.vertex[1..].iter().rev() {
            if let Some(above) = known(nearest[object as usize]) {
                retained[above] += retained[object as usize];
            }
        }
        let order = search.vertex[1..].to_vec();
        Dominators { nearest, order, retained }
    }

    /// The nearest object through which every path to `object` leads; `None` if there is none, because a root
    /// refers to it, or it is reached in different ways, or not at all.
    pub fn nearest(&self, object: usize) -> Option<usize> {
        known(self.nearest[object])
    }

    /// The bytes that would be free if `object` were gone, its own included; 0 if no root reaches it.
    pub fn retained(&self, object: usize) -> u64 {
        self.retained[object]
    }

    /// All objects that are reached. Each comes behind its nearest dominator.
    pub fn reached(&self) -> impl ExactSizeIterator<Item = usize> + DoubleEndedIterator {
        self.order.iter().map(|&object| object as usize)
    }
}

fn known(object: u32) -> Option<usize> {
    (object != NONE).then_some(object as usize)
}

/// A depth-first search from something above all starts. What it finds gets numbers from 1 in the order in which it
/// is found; 0 is what is above.
struct Search {
    /// From an object to its number; 0 if it is not reached.
    number: Vec<u32>,
    /// From a number to the object.
    vertex: Vec<u32>,
    /// From a number to that of the object it was found from.
    parent: Vec<u32>,
}

impl Search {
    fn new(graph: &Graph, starts: &[usize]) -> Search {
        let mut search = Search { number: vec![0; graph.len()], vertex: vec![NONE], parent: vec![0] };
        // Objects on the way down, each with the reference to be followed next.
        let mut way: Vec<(u32, u32)> = Vec::new();
        for &start in starts {
            search.find(start as u32, 0, &mut way);
            while let Some((object, next)) = way.last_mut() {
                let slots = graph.slots(*object as usize);
                let Some(&target) = slots.get(*next as usize) else {
                    way.pop();
                    continue;
                };
                *next += 1;
                let from = search.number[*object as usize];
                if target > 0 {
                    search.find(target - 1, from, &mut way);
                }
            }
        }
        search
    }

    fn find(&mut self, object: u32, from: u32, way: &mut Vec<(u32, u32)>) {
        if self.number[object as usize] == 0 {
            self.number[object as usize] = self.vertex.len() as u32;
            self.vertex.push(object);
            self.parent.push(from);
            way.push((object, 0));
        }
    }
}

/// The forest that the algorithm links, bottom up, from the tree of the search. Everything is by number.
struct Tree<'g> {
    sources: Graph,
    is_start: Vec<bool>,
    graph: &'g Graph,
    /// The semidominator; at first each is its own.
    semi: Vec<u32>,
    /// Where the forest leads upwards, or [`NONE`].
    ancestor: Vec<u32>,
    /// What has the least semidominator on the compressed way up.
    label: Vec<u32>,
    /// Numbers whose semidominator is this one, as a list: the first, and for each the next.
    bucket: Vec<u32>,
    behind: Vec<u32>,
    /// Scratch for [`Tree::compress`].
    way: Vec<u32>,
}

impl<'g> Tree<'g> {
    fn new(graph: &'g Graph, starts: &[usize], search: &Search) -> Tree<'g> {
        let mut is_start = vec![false; graph.len()];
        for &start in starts {
            is_start[start] = true;
        }
        let len = search.vertex.len();
        let own: Vec<u32> = (0..len as u32).collect();
        Tree {
            sources: graph.reversed(),
            is_start,
            graph,
            semi: own.clone(),
            ancestor: vec![NONE; len],
            label: own,
            bucket: vec![NONE; len],
            behind: vec![NONE; len],
            way: Vec::new(),
        }
    }

    /// The number of each number's nearest dominator.
    fn dominators(mut self, search: &Search) -> Vec<u32> {
        debug_assert_eq!(self.graph.len(), search.number.len());
        let mut nearest = vec![0; search.vertex.len()];
        for at in (1..search.vertex.len() as u32).rev() {
            self.semi[at as usize] = self.semidominator(at, search);
            let semi = self.semi[at as usize] as usize;
            self.behind[at as usize] = std::mem::replace(&mut self.bucket[semi], at);
            let parent = search.parent[at as usize];
            self.ancestor[at as usize] = parent;
            let mut waiting = std::mem::replace(&mut self.bucket[parent as usize], NONE);
            while waiting != NONE {
                let least = self.least(waiting);
                let earlier = self.semi[least as usize] < self.semi[waiting as usize];
                nearest[waiting as usize] = if earlier { least } else { parent };
                waiting = self.behind[waiting as usize];
            }
        }
        for at in 1..search.vertex.len() {
            if nearest[at] != self.semi[at] {
                nearest[at] = nearest[nearest[at] as usize];
            }
        }
        nearest
    }

    fn semidominator(&mut self, at: u32, search: &Search) -> u32 {
        let object = search.vertex[at as usize] as usize;
        if self.is_start[object] {
            return 0;
        }
        let mut semi = at;
        for index in 0..self.sources.slots(object).len() {
            let source = self.sources.slots(object)[index] as usize - 1;
            let from = search.number[source];
            if from > 0 {
                let least = self.least(from);
                semi = semi.min(self.semi[least as usize]);
            }
        }
        semi
    }

    /// What has the least semidominator on the way up the forest from here.
    fn least(&mut self, at: u32) -> u32 {
        if self.ancestor[at as usize] == NONE {
            return at;
        }
        self.compress(at);
        self.label[at as usize]
    }

    /// Makes the way up short.
    fn compress(&mut self, from: u32) {
        let mut at = from;
        while self.ancestor[self.ancestor[at as usize] as usize] != NONE {
            self.way.push(at);
            at = self.ancestor[at as usize];
        }
        while let Some(at) = self.way.pop() {
            let above = self.ancestor[at as usize] as usize;
            let (label, above_label) = (self.label[at as usize], self.label[above]);
            if self.semi[above_label as usize] < self.semi[label as usize] {
                self.label[at as usize] = above_label;
            }
            self.ancestor[at as usize] = self.ancestor[above];
        }
    }
}

#[cfg(test)]
mod tests {
    use quickcheck::quickcheck;

    use super::super::graph::tests::sparse;
    use super::*;

    /// What can be reached without going through `without`.
    fn reached(graph: &Graph, starts: &[usize], without: Option<usize>) -> Vec<bool> {
        let mut reached = vec![false; graph.len()];
        let mut pending: Vec<usize> = starts.to_vec();
        while let Some(object) = pending.pop() {
            if Some(object) != without && !std::mem::replace(&mut reached[object], true) {
                pending.extend(graph.targets(object).flatten());
            }
        }
        reached
    }

    fn bytes(object: usize) -> u64 {
        1 << (object % 48)
    }

    quickcheck! {
        fn an_object_retains_what_cannot_be_reached_without_it(objects: Vec<Vec<u8>>, starts: Vec<u8>) -> bool {
            if objects.is_empty() {
                return true;
            }
            let (graph, starts) = sparse(&objects[..objects.len().min(48)], &starts);
            let dominators = Dominators::of(&graph, &starts, bytes);
            let all = reached(&graph, &starts, None);
            (0..graph.len()).all(|object| {
                let rest = reached(&graph, &starts, Some(object));
                let gone = (0..graph.len()).filter(|&other| all[other] && !rest[other]);
                dominators.retained(object) == gone.map(bytes).sum::<u64>()
            })
        }

        fn the_nearest_dominator_is_a_dominator_and_none_is_nearer(objects: Vec<Vec<u8>>, starts: Vec<u8>) -> bool {
            if objects.is_empty() {
                return true;
            }
            let (graph, starts) = sparse(&objects, &starts);
            let dominators = Dominators::of(&graph, &starts, bytes);
            let all = reached(&graph, &starts, None);
            let dominates = |above: usize, below: usize| !reached(&graph, &starts, Some(above))[below];
            (0..graph.len()).filter(|&object| all[object]).all(|object| {
                let others = (0..graph.len()).filter(|&other| all[other] && other != object);
                let strict: Vec<usize> = others.filter(|&other| dominates(other, object)).collect();
                match dominators.nearest(object) {
                    None => strict.is_empty(),
                    Some(nearest) => strict.contains(&nearest) && strict.iter().all(|&other| dominates(other, nearest)),
                }
            })
        }
    }

    #[test]
    fn a_long_chain_that_shares_one_object_takes_no_time() {
        // 0 -> 1 -> ... -> n - 2, and all of them refer to n - 1.
        const LEN: u32 = 300_000;
        let mut graph = Graph::default();
        for object in 0..LEN - 1 {
            let next = if object + 2 < LEN { object + 2 } else { 0 };
            graph.add([next, LEN].into_iter());
        }
        graph.add(std::iter::empty());
        let dominators = Dominators::of(&graph, &[0], |_| 1);
        assert_eq!(dominators.nearest(LEN as usize - 1), Some(0));
        assert_eq!(dominators.nearest(LEN as usize - 2), Some(LEN as usize - 3));
        assert_eq!((dominators.retained(0), dominators.retained(1)), (u64::from(LEN), u64::from(LEN) - 2));
        assert_eq!(dominators.reached().len(), LEN as usize);
    }
}
