//! The heap as it is shown to people, after every step of a history: one line an object.
//!
//! ```text
//!     n3 row      traced  count 0  -> n1, #, n3 x2
//!     n1 pair     counted count 2  retained  component 0  -> n2, n1
//! ```
//!
//! An object is called what the history calls it. If the history has given the name to another one since, the
//! number in the shadow graph follows (`n3/17`). A word that is no reference, or
//! one to something that is not there, is shown as `#`.

use std::fmt;

use frazil::{Heap, Host, LiveObject, ObjectKind};

use crate::judge::Moment;
use crate::kind::Kind;
use crate::shadow::{Id, Shadow};
use crate::subject;

/// Groups of equal references of an object that are shown. An object may have a million.
const REFERENCES: usize = 12;

/// The heap after a step.
pub struct Scene {
    /// Which step; as many as there are steps: after the last one, while everything is given up.
    pub step: usize,
    /// There was a collection just now, of this kind.
    pub collected: Option<Moment>,
    /// Everything that is there.
    pub objects: Vec<Seen>,
}

/// Is shown every scene.
pub type Audience<'a> = Option<&'a mut dyn FnMut(&Scene)>;

/// One object of a scene.
pub struct Seen {
    /// What it is called. Litter, and what a broken collector has overwritten, has no name.
    pub name: Option<String>,
    /// What the census says.
    pub object: LiveObject,
    /// What its references lead to, each with how often it follows itself; the empty name for no reference.
    pub references: Vec<(String, usize)>,
}

/// Everything in the heap.
#[allow(unsafe_code)]
pub fn objects<H: Host>(heap: &Heap<'_, H>, shadow: &Shadow) -> Vec<Seen> {
    // SAFETY: a step makes whole objects.
    let census = unsafe { heap.census_beside() };
    let names: Vec<Option<String>> = census.iter().map(|object| name(object, shadow)).collect();
    let target = |reference: &Option<usize>| match reference.map(|index| names.get(index)) {
        None => String::new(),
        Some(name) => name.cloned().flatten().unwrap_or_else(|| "?".to_owned()),
    };
    let mut groups = Vec::new();
    for object in &census {
        let mut runs: Vec<(String, usize)> = Vec::new();
        for name in object.references.iter().map(target) {
            match runs.last_mut() {
                Some((last, times)) if *last == name => *times += 1,
                _ => runs.push((name, 1)),
            }
        }
        groups.push(runs);
    }
    let rest = names.iter().zip(groups);
    let seen = census.iter().zip(rest).map(|(object, (name, references))| Seen {
        name: name.clone(),
        object: object.clone(),
        references,
    });
    seen.collect()
}

fn name(object: &LiveObject, shadow: &Shadow) -> Option<String> {
    let id: Id = subject::known(object)?;
    let label = shadow.nodes.get(id.index())?.label;
    Some(match shadow.named.get(&label) == Some(&id) {
        true => label.to_string(),
        false => format!("{label}/{}", id.0),
    })
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let object = &self.object;
        let kind = match object.kind {
            ObjectKind::Young => "young",
            ObjectKind::Counted => "counted",
            ObjectKind::Traced => "traced",
        };
        let shape = Kind::of_shape(object.shape_id).map_or("?", Kind::name);
        let name = self.name.as_deref().unwrap_or("?");
        write!(f, "{name:>6} {shape:<8} {kind:<7} count {}", object.count)?;
        if object.retained {
            f.write_str("  retained")?;
        }
        if object.waiting {
            f.write_str("  waiting")?;
        }
        if let Some(component) = object.component {
            write!(f, "  component {component}")?;
        }
        for (nth, (target, times)) in self.references.iter().enumerate() {
            f.write_str(if nth == 0 { "  -> " } else { ", " })?;
            if nth == REFERENCES {
                let left: usize = self.references[nth..].iter().map(|(_, times)| times).sum();
                return write!(f, "and {left} more");
            }
            f.write_str(if target.is_empty() { "#" } else { target })?;
            if *times > 1 {
                write!(f, " x{times}")?;
            }
        }
        Ok(())
    }
}

/// The objects with a name, one a line, then how many have none.
impl fmt::Display for Scene {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let litter = |seen: &&Seen| seen.name.is_none() && seen.object.kind == ObjectKind::Young;
        for seen in self.objects.iter().filter(|seen| !litter(seen)) {
            writeln!(f, "{seen}")?;
        }
        match self.objects.iter().filter(litter).count() {
            0 => Ok(()),
            count => writeln!(f, "{:>6} young objects of litter", count),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::attempt_watched;
    use crate::history::History;
    use crate::run::Judge;

    #[test]
    fn every_step_is_a_scene_and_all_of_the_heap_is_in_it() {
        let text = "heap\nn0 = leaf ()\nn1 = pair (n0, #3)\nn2 = cell (n1)\nlitter 5 x 40\nroot n2\ncollect complete\n";
        let history: History = text.parse().expect("a history");
        let mut scenes = Vec::new();
        let mut audience = |scene: &Scene| scenes.push((scene.step, scene.to_string()));
        attempt_watched(&history, Judge::Both, None, Some(&mut audience)).expect("a sound collector");
        let steps: Vec<usize> = scenes.iter().map(|scene| scene.0).collect();
        assert_eq!(steps[..6], [0, 1, 2, 3, 4, 5]);
        assert!(steps[6..].iter().all(|&step| step == 6), "{steps:?}");
        assert!(scenes[2].1.ends_with("    n2 cell     young   count 0  -> n1\n"), "{}", scenes[2].1);
        assert!(scenes[3].1.ends_with("     5 young objects of litter\n"), "{}", scenes[3].1);
        let old = &scenes[5].1;
        assert!(old.contains("    n1 pair     counted count 0  retained  -> n0, #\n"), "{old}");
        assert!(
            old.contains("    n0 leaf     counted count 1\n") && old.contains("n2 cell     traced"),
            "{old}"
        );
        assert_eq!(scenes.last().expect("scenes").1, "", "at the end nothing is left");
    }
}
