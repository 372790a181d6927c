//! Who keeps what alive: variables with all that would be free without them, and what that consists of.
//!
//! The dominator tree of a heap is as large as the heap. Here it becomes small: parts of values (the slots of a list)
//! are left out, and of what hangs on an object, all objects of one type from one line are one *group*, whose parts
//! are groups again. A cache of ten thousand structs is then two lines.

use std::collections::{BTreeMap, HashMap};

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
/// How many variables are named that refer to what has several holders.
const REFERRERS_MAX: usize = 3;
/// How deep groups are taken apart.
const DEPTH_MAX: usize = 8;

/// What has the name that makes it a holder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// A variable or the like: its name, and whose it is.
    Named(String, Start),
    /// No single one: objects that are reached in several ways. With the variables that refer to most of them.
    Several(Vec<Named>),
}

/// A variable's name, and whose it is.
type Named = (String, Start);

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
            Some(name) => named.push((name, object)),
            None => several.push(object),
        }
    }
    named.sort_unstable_by_key(|(_, object)| std::cmp::Reverse(tree.dominators.retained(*object)));
    let referrers = tree.referrers(&named, &several);
    let mut holders = Vec::new();
    for group in tree.groups(several, DEPTH_MAX) {
        let by = referrers.get(&(group.kind as u8, group.line)).into_iter().flatten();
        holders.push(Holder {
            owner: Owner::Several(by.map(|&holder| named[holder].0.clone()).collect()),
            what: format!("{} x {}", group.own.objects, Picture::kind_name(group.kind)),
            filled: None,
            group,
        });
    }
    named.truncate(HOLDERS_MAX);
    holders.extend(named.into_iter().map(|(name, object)| tree.holder(name, object)));
    holders.sort_by_key(|holder| std::cmp::Reverse(holder.group.retained.bytes));
    let least = tree.least;
    holders.retain(|holder| holder.group.retained.bytes >= least);
    (holders, reached)
}

/// Type and line: what objects of a group have in common.
type OriginKey = (u8, usize);

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

    fn origin(&mut self, object: usize) -> OriginKey {
        let line = self.lines.of(self.picture, self.picture.snapshot.objects[object].site);
        (self.picture.kind(object) as u8, line)
    }

    /// For what has several holders, by origin: which of the named ones refer to most of it, as places in `named`.
    fn referrers(&mut self, named: &[(Named, usize)], several: &[usize]) -> HashMap<OriginKey, Vec<usize>> {
        const NOBODY: u32 = u32::MAX;
        let len = self.objects.len();
        let (mut holder, mut is_shared) = (vec![NOBODY; len], vec![false; len]);
        named.iter().zip(0..).for_each(|((_, object), place)| holder[*object] = place);
        several.iter().for_each(|&object| is_shared[object] = true);
        let mut counts: HashMap<OriginKey, BTreeMap<u32, u64>> = HashMap::new();
        let order: Vec<usize> = self.dominators.reached().collect();
        for object in order {
            // What hangs on a named object belongs to it.
            if holder[object] == NOBODY
                && !is_shared[object]
                && let Some(above) = self.dominators.nearest(object)
            {
                holder[object] = holder[above];
            }
            if holder[object] == NOBODY {
                continue;
            }
            for target in
                self.picture.snapshot.references(object).flatten().filter(|&target| is_shared[target])
            {
                *counts.entry(self.origin(target)).or_default().entry(holder[object]).or_insert(0) += 1;
            }
        }
        let most = |counts: BTreeMap<u32, u64>| {
            let mut counts: Vec<(u32, u64)> = counts.into_iter().collect();
            counts.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
            counts.into_iter().take(REFERRERS_MAX).map(|(place, _)| place as usize).collect()
        };
        counts.into_iter().map(|(origin, counts)| (origin, most(counts))).collect()
    }

    /// The name of an object that a variable refers to directly, or something of the interpreter's own.
    fn name(&self, object: usize) -> Option<Named> {
        let path = self.paths.to(object);
        let start = self.picture.start(path.first()?.object);
        let name = match (&start, path.len()) {
            // The globals, the cell of one, the value.
            (Start::Globals(_), 3) => self.picture.way(&path),
            (Start::Local { name, .. }, 1) => name.clone(),
            (Start::Temporary { .. }, 1) => String::new(),
            // What the interpreter keeps for its host is in a list: the list, its slots, the value.
            (Start::Interpreter(_), 1..=3) => String::new(),
            _ => return None,
        };
        Some((name, start))
    }

    fn holder(&mut self, (name, start): Named, object: usize) -> Holder {
        let filled = self.picture.filled_at(object).map(|site| self.lines.of(self.picture, site));
        let origin = self.origin(object);
        Holder {
            owner: Owner::Named(name, start),
            what: self.picture.describe(object),
            filled: filled.filter(|&line| line > 0),
            group: self.group(origin, &[object], self.below(&[object], false), DEPTH_MAX),
        }
    }

    /// Objects as groups, most first.
    fn groups(&mut self, objects: Vec<usize>, depth: usize) -> Vec<Group> {
        let mut by_origin: HashMap<OriginKey, Vec<usize>> = HashMap::new();
        for object in objects {
            by_origin.entry(self.origin(object)).or_default().push(object);
        }
        let mut groups: Vec<_> = by_origin
            .into_iter()
            .map(|(origin, objects)| (self.retained(&objects), origin, objects))
            .collect();
        groups.retain(|group| group.0 >= self.least);
        groups.sort_unstable_by_key(|group| (std::cmp::Reverse(group.0), group.1));
        groups.truncate(PARTS_MAX);
        groups.into_iter().map(|(_, origin, objects)| self.closed_group(origin, objects, depth)).collect()
    }

    fn retained(&self, objects: &[usize]) -> u64 {
        objects.iter().map(|&object| self.dominators.retained(object)).sum()
    }

    /// A group of objects and of all of the same origin that hang on them, as in a tree or a chain.
    fn closed_group(&mut self, origin: OriginKey, objects: Vec<usize>, depth: usize) -> Group {
        let mut group = objects.clone();
        let (mut ring, mut others) = (objects.clone(), Vec::new());
        while !ring.is_empty() {
            let below = self.below(&ring, false);
            ring.clear();
            for object in below {
                if self.origin(object) == origin { &mut ring } else { &mut others }.push(object);
            }
            group.extend(&ring);
        }
        let mut made = self.group(origin, &group, others, depth);
        made.retained.bytes = self.retained(&objects);
        made.retained.objects = objects.iter().map(|&object| u64::from(self.objects[object])).sum();
        made
    }

    /// Objects of one origin, at least one, and what hangs on them.
    fn group(&mut self, origin: OriginKey, objects: &[usize], below: Vec<usize>, depth: usize) -> Group {
        let (mut own, mut retained) = (Amount::default(), Amount::default());
        for &object in objects {
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
            Some(depth) if retained.bytes > own.bytes => self.groups(below, depth),
            _ => Vec::new(),
        };
        Group {
            own,
            retained,
            kind: self.picture.kind(largest),
            line: origin.1,
            way: (start, self.picture.way(&path)),
            parts,
        }
    }
}
