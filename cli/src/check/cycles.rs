//! Files that load each other in a circle, which no program could run.

/// The loads that close a circle: `graph` has for every file the files it loads. Returns the file and the position of the
/// load in its list, in the order in which a walk from the first file on finds them. Every edge is looked at once, and
/// nothing recurses: chains may be long.
pub fn find(graph: &[Vec<Option<usize>>]) -> Vec<(usize, usize)> {
    #[derive(Clone, Copy, PartialEq)]
    enum Visit {
        Never,
        Now,
        Done,
    }
    let mut visits = vec![Visit::Never; graph.len()];
    let mut found = Vec::new();
    for start in 0..graph.len() {
        if visits[start] != Visit::Never {
            continue;
        }
        visits[start] = Visit::Now;
        // The way from the start: each file with the next of its loads.
        let mut way = vec![(start, 0)];
        while let Some((file, next)) = way.last_mut() {
            let (file, at) = (*file, *next);
            *next += 1;
            match graph[file].get(at) {
                None => {
                    visits[file] = Visit::Done;
                    way.pop();
                }
                Some(&Some(loaded)) if visits[loaded] == Visit::Now => found.push((file, at)),
                Some(&Some(loaded)) if visits[loaded] == Visit::Never => {
                    visits[loaded] = Visit::Now;
                    way.push((loaded, 0));
                }
                Some(_) => {}
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn circles_are_found_once_and_diamonds_are_none() {
        let graph = |edges: &[&[usize]]| -> Vec<Vec<Option<usize>>> {
            edges.iter().map(|to| to.iter().map(|&to| Some(to)).collect()).collect()
        };
        assert_eq!(find(&graph(&[&[1, 2], &[3], &[3], &[]])), []);
        assert_eq!(find(&graph(&[&[1], &[2], &[0]])), [(2, 0)]);
        assert_eq!(find(&graph(&[&[0]])), [(0, 0)]);
        assert_eq!(find(&graph(&[&[1], &[2, 1], &[3, 1], &[]])), [(2, 1), (1, 1)]);
        assert_eq!(find(&[vec![None]]), []);
    }

    #[test]
    fn a_long_chain_needs_no_stack() {
        let chain: Vec<Vec<Option<usize>>> =
            (1..100_000).map(|next| vec![Some(next)]).chain([vec![Some(0)]]).collect();
        assert_eq!(find(&chain), [(99_999, 0)]);
    }
}
