//! Who keeps an object alive: the shortest way to it from where a search starts.
//!
//! A breadth-first search, which visits each object and reference once. The starts are given in groups, and
//! everything reached from one group is found from there, however short the way from a later one is: so a host can
//! prefer what lasts (a global variable) to what comes and goes (a register that refers to the same object).

use super::graph::Graph;
use super::{RootView, Snapshot};

/// No object, or no reference.
const NONE: u32 = u32::MAX;

/// One step of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The object, by number.
    pub object: usize,
    /// By which of its references the path goes on; `None` for the object that the path leads to.
    pub reference: Option<usize>,
}

/// The shortest paths from some objects to all others. It takes eight bytes for each object.
#[derive(Clone, Debug)]
pub struct Paths {
    /// For each object, the one that the path comes from: itself if it starts there, [`NONE`] if it is not reached.
    from: Vec<u32>,
    /// By which reference of that one.
    by: Vec<u32>,
}

impl Paths {
    /// Searches from each group of objects in turn.
    ///
    /// # Panics
    /// An object that is to be a start is not in the snapshot.
    pub fn new(snapshot: &Snapshot, groups: &[Vec<usize>]) -> Paths {
        Paths::of(&snapshot.graph, groups)
    }

    /// Searches from all roots, without preference.
    pub fn from_roots(snapshot: &Snapshot) -> Paths {
        Paths::new(snapshot, &[starts(&snapshot.roots)])
    }

    fn of(graph: &Graph, groups: &[Vec<usize>]) -> Paths {
        let mut paths = Paths { from: vec![NONE; graph.len()], by: vec![NONE; graph.len()] };
        let mut queue: Vec<u32> = Vec::new();
        for group in groups {
            queue.clear();
            for &start in group {
                if paths.from[start] == NONE {
                    paths.from[start] = start as u32;
                    queue.push(start as u32);
                }
            }
            let mut next = 0;
            while let Some(&object) = queue.get(next) {
                next += 1;
                for (&target, reference) in graph.slots(object as usize).iter().zip(0..) {
                    if target > 0 && paths.from[target as usize - 1] == NONE {
                        paths.from[target as usize - 1] = object;
                        paths.by[target as usize - 1] = reference;
                        queue.push(target - 1);
                    }
                }
            }
        }
        paths
    }

    /// Is there a path to this object?
    pub fn reaches(&self, object: usize) -> bool {
        self.from[object] != NONE
    }

    /// The path to an object, from its start on; empty if there is none.
    pub fn to(&self, object: usize) -> Vec<Step> {
        if !self.reaches(object) {
            return Vec::new();
        }
        let mut steps = vec![Step { object, reference: None }];
        let mut at = object;
        while self.by[at] != NONE {
            let reference = Some(self.by[at] as usize);
            at = self.from[at] as usize;
            steps.push(Step { object: at, reference });
        }
        steps.reverse();
        steps
    }
}

/// The objects of roots.
pub(super) fn starts(roots: &[RootView]) -> Vec<usize> {
    roots.iter().map(|root| root.object).collect()
}

#[cfg(test)]
mod tests {
    use quickcheck::quickcheck;

    use super::super::graph::tests::{of, sparse};
    use super::*;

    /// The least number of steps to each object, found by trying again and again.
    fn distances(graph: &Graph, starts: &[usize]) -> Vec<Option<usize>> {
        let mut distance = vec![None; graph.len()];
        for &start in starts {
            distance[start] = Some(0);
        }
        for _ in 0..graph.len() {
            for from in 0..graph.len() {
                let Some(steps) = distance[from] else { continue };
                for to in graph.targets(from).flatten() {
                    if distance[to].is_none_or(|known| known > steps + 1) {
                        distance[to] = Some(steps + 1);
                    }
                }
            }
        }
        distance
    }

    quickcheck! {
        fn paths_are_real_and_the_shortest(objects: Vec<Vec<u8>>, starts: Vec<u8>) -> bool {
            if objects.is_empty() {
                return true;
            }
            let (graph, starts) = sparse(&objects, &starts);
            let paths = Paths::of(&graph, std::slice::from_ref(&starts));
            let distances = distances(&graph, &starts);
            (0..graph.len()).all(|object| {
                let path = paths.to(object);
                let real = path.windows(2).all(|pair| {
                    let reference = pair[0].reference.expect("a step on the way");
                    graph.targets(pair[0].object).nth(reference) == Some(Some(pair[1].object))
                });
                real && path.len().checked_sub(1) == distances[object]
                    && path.first().is_none_or(|first| starts.contains(&first.object))
                    && path.last().is_none_or(|last| last.object == object && last.reference.is_none())
            })
        }
    }

    #[test]
    fn an_earlier_group_is_preferred_to_a_shorter_path() {
        let graph = of(&[vec![2], vec![3], vec![], vec![3]]);
        let paths = Paths::of(&graph, &[vec![0], vec![3]]);
        let path: Vec<usize> = paths.to(2).iter().map(|step| step.object).collect();
        assert_eq!(path, [0, 1, 2]);
        assert_eq!(paths.to(3), [Step { object: 3, reference: None }]);
        assert!(!Paths::of(&graph, &[vec![1]]).reaches(0));
    }
}
