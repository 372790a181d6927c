//! What must be true of the old generation, and how what is seen of it is compared with that.
//!
//! *Wanted* is what roots reach, and what is still to be finalized with all that it reaches.
//!
//! 1. Everything wanted is there.
//! 2. After a complete collection nothing else is there, but for what waits in the freed-object buffer and what
//!    is held by something that waits. A short collection frees nothing; until the next complete one, what the
//!    last one had a reason to keep, and what was made since, may be there as well.
//! 3. What is there refers to nothing that is not.
//! 4. An object that reaches something mutable is traced. After a complete collection all others are counted;
//!    a short one may have left some of them traced.
//! 5. Counted objects on a cycle form one component, the others none.
//! 6. A count is the number of references from counted objects outside the object's own component.
//! 7. A retain bit is set if a root or a wanted traced object refers to the object. After a complete collection
//!    it is clear otherwise, unless a reference comes from an object that was counted only just now.
//! 8. What waits is unwanted, counted and has the count zero.

use std::borrow::Cow;

use crate::graph::{self, Class, Edges};
use crate::shadow::{Age, Id, Mourned, Node, Shadow, Word};
use rustc_hash::FxHashMap;

/// When the heap is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Right after a complete collection.
    Complete,
    /// Right after a short collection.
    Short,
    /// At another time.
    Between,
}

/// How an old object is kept alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// By its count and its retain bit.
    Counted,
    /// By being traced.
    Traced,
}

/// What is seen of one object of the old generation.
#[derive(Clone, Debug)]
pub struct Sighting {
    /// Which it is.
    pub id: Id,
    /// How it is kept alive.
    pub part: Part,
    /// Its count, or that of its component.
    pub count: u64,
    /// Its retain bit, or that of its component.
    pub retained: bool,
    /// Is it in the freed-object buffer?
    pub waiting: bool,
    /// Its component.
    pub component: Option<usize>,
    /// If it waits: so many of its references, from the first, have been counted down already (or were empty).
    pub released: usize,
}

impl Shadow {
    /// The number of `id` in a view of this moment.
    fn number(&self, id: Id) -> Option<usize> {
        number(&self.nodes, &self.present, id)
    }

    /// Compares what is seen with what must be there, and takes note of what has gone. Says how many objects
    /// there are that nobody wants and that nothing that waits holds.
    ///
    /// # Errors
    /// The first difference, in words.
    pub fn judge(&mut self, sightings: &[Sighting], moment: Moment) -> Result<usize, String> {
        for sighting in sightings.iter().filter(|sighting| sighting.waiting) {
            // What waits is dead for good, so the graph may forget what it does not hold any more.
            if let Some(node) = self.nodes.get_mut(sighting.id.index()) {
                node.refs.iter_mut().take(sighting.released).for_each(|word| *word = Word::Empty);
            }
        }
        for (&id, place) in self.present.iter().zip(0..) {
            self.nodes[id.index()].place = place;
        }
        let view = View::new(self, sightings, moment)?;
        view.presence()?;
        let floating = view.excess()?;
        view.parts()?;
        view.components()?;
        view.counts()?;
        view.retention()?;
        view.waiting()?;
        let View { live, found, in_hand, .. } = view;
        if moment != Moment::Between {
            let waits = sightings.iter().any(|sighting| sighting.waiting);
            self.condemn(moment == Moment::Complete && !waits, &found);
        }
        self.hand = in_hand;
        self.pass(moment, &live, &found);
        for sighting in sightings {
            let node = &mut self.nodes[sighting.id.index()];
            node.counted = sighting.part == Part::Counted;
            node.waiting = sighting.waiting;
        }
        Ok(floating)
    }

    /// Time passes: what was seen is old, the rest is gone, and only what roots reach is in hand.
    fn pass(&mut self, moment: Moment, live: &[bool], found: &[By]) {
        let mut number = 0;
        self.present.retain(|&id| {
            let node = &mut self.nodes[id.index()];
            node.in_hand = found[number] == By::Hand;
            node.age = match node.age {
                Age::Young if moment == Moment::Between => Age::Young,
                _ if live[number] => Age::Old,
                _ => Age::Dead,
            };
            if moment != Moment::Between {
                node.reached = found[number] != By::Nobody;
            }
            if moment == Moment::Complete {
                node.kept = found[number] != By::Nobody;
            }
            number += 1;
            node.age != Age::Dead
        });
        if moment == Moment::Complete {
            self.made_before_complete = self.nodes.len();
        }
    }

    /// Which objects may, and which must, be handed out to be finalized.
    fn condemn(&mut self, exact: bool, found: &[By]) {
        let (nodes, present) = (&self.nodes, &self.present);
        let is_dead = |mourned: &Mourned| {
            number(nodes, present, mourned.object).is_none_or(|number| found[number] > By::Root)
        };
        let dead: Vec<Mourned> = self.mourned.iter().copied().filter(is_dead).collect();
        for mourned in self.mourned.iter_mut().filter(|mourned| is_dead(mourned)) {
            mourned.condemned = true;
            // What another dead one refers to, or waits to be handed out already, is a root until that has been
            // handed out.
            let queued = dead.iter().any(|other| other.object == mourned.object && other.condemned);
            let others = dead.iter().filter(|other| other.object != mourned.object);
            let held = graph::reach(nodes, others.map(|other| Word::Object(other.object)));
            mourned.due |= exact && !queued && !held.has(mourned.object);
        }
    }
}

/// By whom an object was found first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum By {
    /// By a root that is in hand.
    Hand,
    /// By another root.
    Root,
    /// By something to be finalized.
    Mourned,
    /// By something old, wanted or not, after a short collection.
    Old,
    /// By none of them.
    Nobody,
}

/// The number of `id` in a view: its place among those present.
fn number(nodes: &[Node], present: &[Id], id: Id) -> Option<usize> {
    let place = nodes.get(id.index())?.place as usize;
    (present.get(place) == Some(&id)).then_some(place)
}

/// The heap and the shadow at one moment, side by side. Objects that may still be there have numbers, their places in
/// [`Shadow::present`]; everything is by number.
struct View<'a> {
    shadow: &'a Shadow,
    moment: Moment,
    sightings: &'a [Sighting],
    /// The number of each sighting.
    numbers: Vec<usize>,
    /// In the old generation.
    live: Vec<bool>,
    /// In the old generation, and counted.
    counted: Vec<bool>,
    /// Who refers to whom.
    edges: Edges,
    /// Something refers to what is not present.
    dangling: bool,
    /// Who wants it.
    found: Vec<By>,
    /// Everything wanted, in the order in which it was found.
    wanted: Vec<usize>,
    /// What roots in hand reach, in the order in which it was found.
    in_hand: Vec<Id>,
    classes: Vec<Class>,
}

impl<'a> View<'a> {
    fn new(shadow: &'a Shadow, sightings: &'a [Sighting], moment: Moment) -> Result<View<'a>, String> {
        let count = shadow.present.len();
        let (mut live, mut counted) = (vec![false; count], vec![false; count]);
        let mut numbers = Vec::with_capacity(sightings.len());
        for sighting in sightings {
            let there = |what| Err(format!("{} {what}", shadow.describe(sighting.id)));
            match shadow.number(sighting.id) {
                None => return there("is there, though it was gone, or never made"),
                Some(number) if live[number] => return there("is there twice"),
                Some(number) => {
                    live[number] = true;
                    counted[number] = sighting.part == Part::Counted;
                    numbers.push(number);
                }
            }
        }
        let mut edges = Edges::with_capacity(count);
        let mut dangling = false;
        for &id in &shadow.present {
            edges.add(shadow.targets(id).filter_map(|target| {
                let number = shadow.number(target);
                dangling |= number.is_none();
                number
            }));
        }
        let mut found = vec![By::Nobody; count];
        let mut wanted = Vec::with_capacity(count);
        let numbers_of = |words: &'a [Word]| {
            words.iter().filter_map(|word| word.object()).filter_map(|id| shadow.number(id))
        };
        let in_hand = numbers_of(&shadow.handles).chain(numbers_of(&shadow.stack));
        edges.spread(in_hand, By::Hand, &mut found, &mut wanted);
        let in_hand = wanted.iter().map(|&number| shadow.present[number]).collect();
        edges.spread(numbers_of(&shadow.forgotten), By::Root, &mut found, &mut wanted);
        let mourned = shadow.mourned.iter().filter_map(|mourned| shadow.number(mourned.object));
        edges.spread(mourned, By::Mourned, &mut found, &mut wanted);
        let mutable = |number: usize| shadow.node(shadow.present[number]).mutable;
        let classes = graph::classes(&edges, &live, mutable);
        Ok(View {
            shadow,
            moment,
            sightings,
            numbers,
            live,
            counted,
            edges,
            dangling,
            found,
            wanted,
            in_hand,
            classes,
        })
    }

    /// Every object that is seen in the old generation.
    fn old(&self) -> impl Iterator<Item = (usize, &Sighting)> {
        self.numbers.iter().copied().zip(self.sightings)
    }

    fn is_wanted(&self, number: usize) -> bool {
        self.found[number] <= By::Mourned
    }

    fn is_proper(&self, number: usize) -> bool {
        self.found[number] <= By::Root
    }

    fn wrong<T>(&self, id: Id, what: impl std::fmt::Display) -> Result<T, String> {
        Err(format!("{} {what}", self.shadow.describe(id)))
    }

    /// Rules 1 and 3.
    fn presence(&self) -> Result<(), String> {
        for &number in &self.wanted {
            let id = self.shadow.present[number];
            let expected = self.moment != Moment::Between || self.shadow.node(id).age == Age::Old;
            if expected && !self.live[number] {
                return self.wrong(id, "is wanted and not in the old generation");
            }
        }
        let young = |id: Id| self.moment == Moment::Between && self.shadow.node(id).age == Age::Young;
        for (number, sighting) in self.old() {
            if !self.dangling && self.edges.of(number).iter().all(|&target| self.live[target as usize]) {
                continue;
            }
            let there =
                |id: &Id| self.shadow.number(*id).is_some_and(|number| self.live[number]) || young(*id);
            if let Some(target) = self.shadow.targets(sighting.id).find(|id| !there(id)) {
                let target = self.shadow.describe(target);
                return self.wrong(sighting.id, format!("is there and refers to {target}, which is not"));
            }
        }
        Ok(())
    }

    /// Rule 2.
    fn excess(&self) -> Result<usize, String> {
        let mut floating = 0;
        let dragged = self.dragged();
        let held = self.held();
        for (number, sighting) in self.old().filter(|&(number, _)| !self.is_wanted(number)) {
            let id = sighting.id;
            let node = self.shadow.node(id);
            let early = id.index() < self.shadow.made_before_complete;
            let floats = self.moment != Moment::Complete && (node.kept || !early);
            let complaint = match node.age {
                Age::Young if self.moment == Moment::Between => {
                    "is in the old generation without a collection"
                }
                Age::Young if dragged[number] == By::Nobody => {
                    "was dead in the nursery and has been promoted"
                }
                _ if held.as_ref().is_some_and(|held| held[number] != By::Nobody) => continue,
                _ if floats => {
                    floating += 1;
                    continue;
                }
                _ => "is there, though nobody wants it, and nothing that waits holds it",
            };
            return self.wrong(id, complaint);
        }
        Ok(floating)
    }

    /// A short collection may keep what an object refers to that nobody wants any more.
    fn dragged(&self) -> Cow<'_, [By]> {
        if self.moment != Moment::Short {
            return Cow::Borrowed(&self.found);
        }
        let mut found = self.found.clone();
        let old = |id: &Id| self.shadow.node(*id).age == Age::Old;
        let survivors = self.shadow.present.iter().enumerate().filter(|(_, id)| old(id));
        self.edges.spread(survivors.map(|(number, _)| number), By::Old, &mut found, &mut Vec::new());
        Cow::Owned(found)
    }

    /// What is reached from something that waits, if anything does.
    fn held(&self) -> Option<Vec<By>> {
        self.sightings.iter().any(|sighting| sighting.waiting).then(|| {
            let waiting = self.old().filter(|(_, sighting)| sighting.waiting).map(|(number, _)| number);
            let mut held = vec![By::Nobody; self.live.len()];
            self.edges.spread(waiting, By::Old, &mut held, &mut Vec::new());
            held
        })
    }

    /// Rule 4.
    fn parts(&self) -> Result<(), String> {
        for (number, sighting) in self.old() {
            // What was frozen since the last collection counts as it did then.
            let traced = self.classes[number].traced;
            match sighting.part {
                Part::Counted if traced => {
                    return self.wrong(sighting.id, "is counted and reaches something mutable");
                }
                Part::Traced if !traced && self.moment == Moment::Complete => {
                    return self.wrong(sighting.id, "is traced and reaches nothing mutable");
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Rule 5.
    fn components(&self) -> Result<(), String> {
        let mut cycle_of = FxHashMap::default();
        let mut component_of = FxHashMap::default();
        for (number, sighting) in self.old() {
            let cycle = self.classes[number].cycle;
            let expected = sighting.part == Part::Counted && cycle != 0;
            let Some(component) = sighting.component else {
                if expected {
                    return self.wrong(sighting.id, "is counted, lies on a cycle and is in no component");
                }
                continue;
            };
            if !expected {
                return self.wrong(sighting.id, "is in a component and not on a cycle of counted objects");
            }
            let one = *cycle_of.entry(component).or_insert(cycle) == cycle;
            let other = *component_of.entry(cycle).or_insert(component) == component;
            if !one || !other {
                return self.wrong(sighting.id, "is not in the same component as the rest of its cycle");
            }
        }
        Ok(())
    }

    /// The key under which an object's count and retention are added up: its own or its cycle's.
    fn key(&self, number: usize) -> usize {
        match self.classes[number].cycle {
            0 => number,
            cycle => self.live.len() + cycle as usize,
        }
    }

    /// The keys are below this.
    fn keys(&self) -> usize {
        2 * self.live.len() + 1
    }

    /// Calls `f` with each reference from an object of the old generation for which `from` holds to one of it.
    fn each_edge(&self, from: impl Fn(usize) -> bool, mut f: impl FnMut(usize, usize)) {
        for &source in self.numbers.iter().filter(|&&number| from(number)) {
            for &target in self.edges.of(source) {
                if self.live[target as usize] {
                    f(source, target as usize);
                }
            }
        }
    }

    /// Rule 6.
    fn counts(&self) -> Result<(), String> {
        let mut expected = vec![0; self.keys()];
        self.each_edge(
            |number| self.counted[number],
            |source, target| {
                let (from, to) = (self.key(source), self.key(target));
                expected[to] += u64::from(from != to);
            },
        );
        for (number, sighting) in self.old().filter(|(_, sighting)| sighting.part == Part::Counted) {
            let (count, expected) = (sighting.count, expected[self.key(number)]);
            if count != expected {
                let what = format!("has the count {count}; counted objects refer to it {expected} times");
                return self.wrong(sighting.id, what);
            }
        }
        Ok(())
    }

    /// Rule 7.
    fn retention(&self) -> Result<(), String> {
        if self.moment == Moment::Between {
            return Ok(());
        }
        let mut must = vec![false; self.keys()];
        let mut may = must.clone();
        let live = |id: Id| self.shadow.number(id).filter(|&number| self.live[number]);
        for number in self.shadow.roots().filter_map(Word::object).filter_map(live) {
            must[self.key(number)] = true;
        }
        for number in self.shadow.mourned.iter().filter_map(|mourned| live(mourned.object)) {
            may[self.key(number)] = true;
        }
        let traced = |number: usize| !self.counted[number];
        // What this collection has made counted was traced while it ran; what is revived may have been a root.
        let new = |number: usize| {
            let revived = self.found[number] == By::Mourned;
            revived || !self.shadow.node(self.shadow.present[number]).counted
        };
        self.each_edge(
            |number| traced(number) || new(number),
            |source, target| {
                let (from, to) = (self.key(source), self.key(target));
                must[to] |= traced(source) && self.is_proper(source) && from != to;
                may[to] = true;
            },
        );
        for (number, sighting) in self.old() {
            let key = self.key(number);
            let counted = sighting.part == Part::Counted;
            match sighting.retained {
                false if must[key] => return self.wrong(sighting.id, "is referred to and not retained"),
                false if !counted => return self.wrong(sighting.id, "is traced and not retained"),
                true if counted && self.moment == Moment::Complete && !must[key] && !may[key] => {
                    return self.wrong(
                        sighting.id,
                        "is retained and neither a root nor a traced object refers to it",
                    );
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Rule 8.
    fn waiting(&self) -> Result<(), String> {
        for (number, sighting) in self.old().filter(|(_, sighting)| sighting.waiting) {
            if self.is_wanted(number) {
                return self.wrong(sighting.id, "is wanted and waits to be freed");
            }
            if sighting.part != Part::Counted || sighting.count != 0 {
                return self.wrong(sighting.id, "waits to be freed and is traced, or has a count above zero");
            }
        }
        Ok(())
    }
}
