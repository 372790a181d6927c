//! Who refers to whom: the references of all objects in one row.

/// The references of objects 0, 1, 2, ... in this order.
#[derive(Clone, Debug)]
pub(super) struct Graph {
    /// Where each object's references begin in `targets`; one more entry says where the last one's end.
    first: Vec<usize>,
    /// The target's number plus one, or 0 for a word that is no reference.
    targets: Vec<u32>,
}

impl Default for Graph {
    fn default() -> Self {
        Graph { first: vec![0], targets: Vec::new() }
    }
}

impl Graph {
    /// The references of the next object: numbers plus one, or 0.
    pub fn add(&mut self, targets: impl Iterator<Item = u32>) {
        self.targets.extend(targets);
        self.first.push(self.targets.len());
    }

    /// How many objects there are.
    pub fn len(&self) -> usize {
        self.first.len() - 1
    }

    /// What an object refers to, slot by slot.
    pub fn targets(&self, object: usize) -> impl ExactSizeIterator<Item = Option<usize>> {
        self.slots(object).iter().map(|&target| (target as usize).checked_sub(1))
    }

    /// The same as it is stored.
    pub fn slots(&self, object: usize) -> &[u32] {
        &self.targets[self.first[object]..self.first[object + 1]]
    }

    /// The same graph with every reference turned round; the words that are no references are gone.
    pub fn reversed(&self) -> Graph {
        let mut first = vec![0; self.len() + 1];
        for &target in &self.targets {
            first[target as usize] += 1;
        }
        // Nothing refers to "no object".
        first[0] = 0;
        for object in 0..self.len() {
            first[object + 1] += first[object];
        }
        let mut next = first.clone();
        let mut targets = vec![0; first[self.len()]];
        for from in 0..self.len() {
            for &target in self.slots(from).iter().filter(|&&target| target > 0) {
                let place = &mut next[target as usize - 1];
                targets[*place] = from as u32 + 1;
                *place += 1;
            }
        }
        Graph { first, targets }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A graph of any few objects: each number names a target, or nothing.
    pub fn of(objects: &[Vec<u8>]) -> Graph {
        let mut graph = Graph::default();
        for targets in objects {
            graph.add(targets.iter().map(|&target| u32::from(target) % (objects.len() as u32 + 1)));
        }
        graph
    }

    /// The same with a few references each, and a few places to start at: in a dense graph, and from many, everything is
    /// reached at once.
    pub fn sparse(objects: &[Vec<u8>], starts: &[u8]) -> (Graph, Vec<usize>) {
        let few: Vec<Vec<u8>> =
            objects.iter().map(|targets| targets.iter().copied().take(3).collect()).collect();
        (of(&few), starts.iter().take(3).map(|&start| usize::from(start) % objects.len()).collect())
    }

    #[test]
    fn every_reference_is_turned_round() {
        let graph = of(&[vec![1, 2, 0], vec![3, 3], vec![1]]);
        let targets = |graph: &Graph| (0..3).map(|at| graph.targets(at).collect()).collect::<Vec<Vec<_>>>();
        assert_eq!(targets(&graph), [vec![Some(0), Some(1), None], vec![Some(2), Some(2)], vec![Some(0)]]);
        assert_eq!(
            targets(&graph.reversed()),
            [vec![Some(0), Some(2)], vec![Some(0)], vec![Some(1), Some(1)]]
        );
    }
}
