//! Who keeps what alive: variables with all that would be free without them, and what that consists of.
//!
//! The dominator tree of a heap is as large as the heap. Here it becomes small: parts of values (the slots of a list)
//! are left out, and of what hangs on an object, all objects of one type from one line are one *group*, whose parts
//! are groups again. A cache of ten thousand structs is then two lines.

use std::collections::HashMap;

use frazil::{Dominators, Paths};
use starlark::Picture;
use starlark::picture::Start;
use starlark::value::Kind;

use super::report::{Amount, Lines};

/// Groups with a smaller share of all that is alive, in thousandths, are not shown.
const LEAST_PER_MILLE: u64 = 5;
/// How many holders, and parts of a group, are shown at most.
const HOLDERS_MAX: usize = 20;
const PARTS_MAX: usize = 6;
/// How deep groups are taken apart.
const DEPTH_MAX: usize = 8;

/// What has the name that makes it a holder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// A variable or the like: its name, and whose it is.
    Named(String, Start),
    /// No single one: so many objects that are reached in several ways.
    Several,
}

/// Somebody who keeps something alive.
#[derive(Debug)]
pub struct Holder {
    /// Who.
    pub owner: Owner,
    /// What it is: `list of 3`.
    pub what: String,
    /// The line that made the place for its elements, the last time it grew.
    pub filled: Option<usize>,
    /// What would be free without it.
    pub group: Group,
}

/// Objects of one type from one line, and what only they keep alive.
#[derive(Debug)]
pub struct Group {
    /// How many they are, and their own bytes.
    pub own: Amount,
    /// What would be free without them.
    pub retained: Amount,
    /// What most of them are.
    pub kind: Kind,
    /// The line that made them.
    pub line: usize,
    /// One of them, the largest: the way to it from a root.
    pub way: (Start, String),
    /// What else hangs on them, most first.
    pub parts: Vec<Group>,
}

/// The holders in a picture, most first; and of each object, whether a root reaches it.
pub fn find(picture: &Picture, lines: &mut Lines) -> (Vec<Holder>, Vec<bool>) {
    let mut tree = Tree::new(picture, lines);
    let reached =
        (0..picture.snapshot.objects.len()).map(|object| tree.dominators.retained(object) > 0).collect();
    let (mut named, mut several) = (Vec::new(), Vec::new());
    for object in tree.below(&[], true) {
        match tree.name(object) {
            Some(owner) => named.push((owner, object)),
            None => several.push(object),
        }
    }
    named.sort_unstable_by_key(|(_, object)| std::cmp::Reverse(tree.dominators.retained(*object)));
    named.truncate(HOLDERS_MAX);
    let mut holders: Vec<Holder> =
        named.into_iter().map(|(owner, object)| tree.holder(owner, object)).collect();
    let groups = tree.groups(several, DEPTH_MAX);
    holders.extend(groups.into_iter().map(|group| Holder {
        owner: Owner::Several,
        what: format!("{} x {}", group.own.objects, Picture::kind_name(group.kind)),
        filled: None,
        group,
    }));
    holders.sort_by_key(|holder| std::cmp::Reverse(holder.group.retained.bytes));
    let least = tree.least;
    holders.retain(|holder| holder.group.retained.bytes >= least);
    (holders, reached)
}

/// The dominator tree, with names.
struct Tree<'p> {
    picture: &'p Picture,
    lines: &'p mut Lines,
    dominators: Dominators,
    paths: Paths,
    /// How many objects each one keeps alive.
    objects: Vec<u32>,
    /// What each one dominates directly, in one row; where each one's begin; and what nothing dominates.
    row: Vec<u32>,
    first: Vec<u32>,
    top: Vec<u32>,
    /// Bytes that are worth showing.
    least: u64,
}

impl<'p> Tree<'p> {
    fn new(picture: &'p Picture, lines: &'p mut Lines) -> Tree<'p> {
        let snapshot = &picture.snapshot;
        let dominators = Dominators::new(snapshot);
        let len = snapshot.objects.len();
        let (mut objects, mut first, mut top) = (vec![0; len], vec![0; len + 1], Vec::new());
        for object in dominators.reached().rev() {
            objects[object] += 1;
            match dominators.nearest(object) {
                Some(above) => {
                    objects[above] += objects[object];
                    first[above + 1] += 1;
                }
                None => top.push(object as u32),
            }
        }
        for object in 0..len {
            first[object + 1] += first[object];
        }
        let (mut row, mut next) = (vec![0; first[len] as usize], first.clone());
        for object in dominators.reached() {
            if let Some(above) = dominators.nearest(object) {
                row[next[above] as usize] = object as u32;
                next[above] += 1;
            }
        }
        let all: u64 = top.iter().map(|&object| dominators.retained(object as usize)).sum();
        let paths = Paths::new(snapshot, &picture.starts());
        Tree {
            picture,
            lines,
            dominators,
            paths,
            objects,
            row,
            first,
            top,
            least: all / 1000 * LEAST_PER_MILLE,
        }
    }

    /// The values directly below these objects, or below none (`top`); what are only parts of values is passed.
    fn below(&self, objects: &[usize], top: bool) -> Vec<usize> {
        let (mut found, mut pending) = (Vec::new(), Vec::<u32>::new());
        let children =
            |object: usize| &self.row[self.first[object] as usize..self.first[object + 1] as usize];
        pending.extend(objects.iter().flat_map(|&object| children(object)));
        if top {
            pending.extend(&self.top);
        }
        while let Some(object) = pending.pop() {
            if self.picture.is_part(object as usize) {
                pending.extend(children(object as usize));
            } else {
                found.push(object as usize);
            }
        }
        found
    }

    /// The name of an object that a variable refers to directly, or something of the interpreter's own.
    fn name(&self, object: usize) -> Option<Owner> {
        let path = self.paths.to(object);
        let start = self.picture.start(path.first()?.object);
        let name = match (&start, path.len()) {
            (Start::Globals(_), 2) => self.picture.way(&path),
            (Start::Local { name, .. }, 1) => name.clone(),
            (Start::Temporary { .. }, 1) => String::new(),
            // What the interpreter keeps for its host is in a list: the list, its slots, the value.
            (Start::Interpreter(_), 1..=3) => String::new(),
            _ => return None,
        };
        Some(Owner::Named(name, start))
    }

    fn holder(&mut self, owner: Owner, object: usize) -> Holder {
        let filled = self.picture.filled_at(object).map(|site| self.lines.of(self.picture, site));
        let mut group = self.group(vec![object], DEPTH_MAX);
        group.retained.bytes = self.dominators.retained(object);
        Holder { owner, what: self.picture.describe(object), filled: filled.filter(|&line| line > 0), group }
    }

    /// Objects as groups, most first.
    fn groups(&mut self, objects: Vec<usize>, depth: usize) -> Vec<Group> {
        let mut by_origin: HashMap<(u8, usize), Vec<usize>> = HashMap::new();
        for object in objects {
            let line = self.lines.of(self.picture, self.picture.snapshot.objects[object].site);
            by_origin.entry((self.picture.kind(object) as u8, line)).or_default().push(object);
        }
        let retained =
            |objects: &[usize]| objects.iter().map(|&object| self.dominators.retained(object)).sum::<u64>();
        let mut groups: Vec<_> =
            by_origin.into_iter().map(|(origin, objects)| (retained(&objects), origin, objects)).collect();
        groups.retain(|group| group.0 >= self.least);
        groups.sort_unstable_by_key(|group| (std::cmp::Reverse(group.0), group.1));
        groups.truncate(PARTS_MAX);
        groups.into_iter().map(|(_, _, objects)| self.group(objects, depth)).collect()
    }

    /// Objects of one type from one line, at least one.
    fn group(&mut self, objects: Vec<usize>, depth: usize) -> Group {
        let (mut own, mut retained) = (Amount::default(), Amount::default());
        for &object in &objects {
            own.add(self.picture.snapshot.objects[object].bytes as u64);
            retained.bytes += self.dominators.retained(object);
            retained.objects += u64::from(self.objects[object]);
        }
        let largest =
            objects.iter().copied().max_by_key(|&object| self.dominators.retained(object)).unwrap_or(0);
        let path = self.paths.to(largest);
        let start =
            path.first().map_or(Start::Interpreter("no root"), |first| self.picture.start(first.object));
        let parts = match depth.checked_sub(1) {
            Some(depth) if retained.bytes > own.bytes => self.groups(self.below(&objects, false), depth),
            _ => Vec::new(),
        };
        Group {
            own,
            retained,
            kind: self.picture.kind(largest),
            line: self.lines.of(self.picture, self.picture.snapshot.objects[largest].site),
            way: (start, self.picture.way(&path)),
            parts,
        }
    }
}
