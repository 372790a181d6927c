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

use crate::graph::{self, Class, Reached};
use crate::shadow::{Age, Id, Mourned, Shadow, Word};
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
        let view = View::new(self, sightings, moment)?;
        view.presence()?;
        let floating = view.excess()?;
        view.parts()?;
        view.components()?;
        view.counts()?;
        view.retention()?;
        view.waiting()?;
        let View { live, wanted, proper, .. } = view;
        self.pass(moment, &live, &wanted);
        for sighting in sightings {
            let node = &mut self.nodes[sighting.id.index()];
            node.counted = sighting.part == Part::Counted;
            node.waiting = sighting.waiting;
        }
        if moment != Moment::Between {
            let waits = sightings.iter().any(|sighting| sighting.waiting);
            self.condemn(moment == Moment::Complete && !waits, &proper);
        }
        Ok(floating)
    }

    /// Time passes: what was seen is old, the rest is gone, and only what roots reach is in hand.
    fn pass(&mut self, moment: Moment, live: &[bool], wanted: &Reached) {
        self.present.retain(|&id| {
            let (index, node) = (id.index(), &mut self.nodes[id.index()]);
            node.in_hand = false;
            node.age = match node.age {
                Age::Young if moment == Moment::Between => Age::Young,
                _ if live[index] => Age::Old,
                _ => Age::Dead,
            };
            if moment != Moment::Between {
                node.reached = wanted.marks[index];
            }
            if moment == Moment::Complete {
                node.kept = wanted.marks[index];
            }
            node.age != Age::Dead
        });
        if moment == Moment::Complete {
            self.made_before_complete = self.nodes.len();
        }
        self.hand = graph::reach(&self.nodes, self.roots_in_hand()).order;
        for &id in &self.hand {
            self.nodes[id.index()].in_hand = true;
        }
    }

    /// Which objects may, and which must, be handed out to be finalized.
    fn condemn(&mut self, exact: bool, proper: &Reached) {
        let dead: Vec<Mourned> =
            self.mourned.iter().copied().filter(|mourned| !proper.has(mourned.object)).collect();
        for mourned in self.mourned.iter_mut().filter(|mourned| !proper.has(mourned.object)) {
            mourned.condemned = true;
            // What another dead one refers to, or waits to be handed out already, is a root until that has been
            // handed out.
            let queued = dead.iter().any(|other| other.object == mourned.object && other.condemned);
            let others = dead.iter().filter(|other| other.object != mourned.object);
            let held = graph::reach(&self.nodes, others.map(|other| Word::Object(other.object)));
            mourned.due |= exact && !queued && !held.has(mourned.object);
        }
    }
}

/// The heap and the shadow at one moment, side by side. Everything is by [`Id::index`].
struct View<'a> {
    shadow: &'a Shadow,
    moment: Moment,
    sightings: &'a [Sighting],
    /// In the old generation.
    live: Vec<bool>,
    /// In the old generation, and counted.
    counted: Vec<bool>,
    /// Reached from roots.
    proper: Reached,
    /// Reached from roots or from something to be finalized.
    wanted: Reached,
    /// Reached from something that waits.
    held: Reached,
    classes: Vec<Class>,
}

impl<'a> View<'a> {
    fn new(shadow: &'a Shadow, sightings: &'a [Sighting], moment: Moment) -> Result<View<'a>, String> {
        let nodes = &shadow.nodes;
        let (mut live, mut counted) = (vec![false; nodes.len()], vec![false; nodes.len()]);
        for sighting in sightings {
            let id = sighting.id;
            match live.get_mut(id.index()) {
                None => return Err(format!("there is {}", shadow.describe(id))),
                Some(true) => return Err(format!("{} is there twice", shadow.describe(id))),
                Some(place) => *place = true,
            }
            counted[id.index()] = sighting.part == Part::Counted;
        }
        let proper = graph::reach(nodes, shadow.roots());
        let mourned = shadow.mourned.iter().map(|mourned| Word::Object(mourned.object));
        let mut wanted = Reached { order: proper.order.clone(), marks: proper.marks.clone() };
        graph::extend(&mut wanted, nodes, mourned);
        let waiting = sightings.iter().filter(|sighting| sighting.waiting).map(|seen| Word::Object(seen.id));
        let held = graph::reach(nodes, waiting);
        let classes = graph::classes(nodes, &live);
        Ok(View { shadow, moment, sightings, live, counted, proper, wanted, held, classes })
    }

    /// Every object that is seen in the old generation.
    fn old(&self) -> impl Iterator<Item = &Sighting> {
        self.sightings.iter()
    }

    fn wrong<T>(&self, id: Id, what: impl std::fmt::Display) -> Result<T, String> {
        Err(format!("{} {what}", self.shadow.describe(id)))
    }

    /// Rules 1 and 3.
    fn presence(&self) -> Result<(), String> {
        for &id in &self.wanted.order {
            let expected = self.moment != Moment::Between || self.shadow.node(id).age == Age::Old;
            if expected && !self.live[id.index()] {
                return self.wrong(id, "is wanted and not in the old generation");
            }
        }
        for sighting in self.old() {
            for target in self.shadow.node(sighting.id).refs.iter().filter_map(|word| word.object()) {
                let young = self.moment == Moment::Between && self.shadow.node(target).age == Age::Young;
                if !young && !self.live[target.index()] {
                    let target = self.shadow.describe(target);
                    return self.wrong(sighting.id, format!("is there and refers to {target}, which is not"));
                }
            }
        }
        Ok(())
    }

    /// Rule 2.
    fn excess(&self) -> Result<usize, String> {
        let mut floating = 0;
        let old = |id: &&Id| self.shadow.node(**id).age == Age::Old;
        let survivors = self.shadow.present.iter().filter(old).map(|&id| Word::Object(id));
        // A short collection may keep what an object refers to that nobody wants any more.
        let mut dragged = Reached { order: self.wanted.order.clone(), marks: self.wanted.marks.clone() };
        if self.moment == Moment::Short {
            graph::extend(&mut dragged, &self.shadow.nodes, survivors);
        }
        for sighting in self.old().filter(|sighting| !self.wanted.has(sighting.id)) {
            let id = sighting.id;
            let node = self.shadow.node(id);
            let early = id.index() < self.shadow.made_before_complete;
            let floats = self.moment != Moment::Complete && (node.kept || !early);
            let complaint = match node.age {
                Age::Dead => "was gone and is there again",
                Age::Young if self.moment == Moment::Between => {
                    "is in the old generation without a collection"
                }
                Age::Young if !dragged.has(id) => "was dead in the nursery and has been promoted",
                _ if self.held.has(id) => continue,
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

    /// Rule 4.
    fn parts(&self) -> Result<(), String> {
        for sighting in self.old() {
            // What was frozen since the last collection counts as it did then.
            let traced = self.classes[sighting.id.index()].traced;
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
        for sighting in self.old() {
            let cycle = self.classes[sighting.id.index()].cycle;
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
    fn key(&self, id: Id) -> usize {
        match self.classes[id.index()].cycle {
            0 => id.index(),
            cycle => self.live.len() + cycle as usize,
        }
    }

    /// All references from objects of the old generation for which `from` holds to objects of it.
    fn edges(&self, from: impl Fn(Id) -> bool) -> impl Iterator<Item = (Id, Id)> {
        let sources = self.old().map(|sighting| sighting.id).filter(move |&id| from(id));
        let edges = sources.flat_map(|source| {
            let targets = self.shadow.node(source).refs.iter().filter_map(|word| word.object());
            targets.map(move |target| (source, target))
        });
        edges.filter(|(_, target)| self.live[target.index()])
    }

    /// Rule 6.
    fn counts(&self) -> Result<(), String> {
        let mut expected = vec![0; 2 * self.live.len() + 1];
        for (source, target) in self.edges(|id| self.counted[id.index()]) {
            if self.key(source) != self.key(target) {
                expected[self.key(target)] += 1;
            }
        }
        for sighting in self.old().filter(|sighting| sighting.part == Part::Counted) {
            let (count, expected) = (sighting.count, expected[self.key(sighting.id)]);
            if count != expected {
                let what = format!("has the count {count}; counted objects refer to it {expected} times");
                return self.wrong(sighting.id, what);
            }
        }
        Ok(())
    }

    /// Rule 7.
    fn retention(&self) -> Result<(), String> {
        let mut must = vec![false; 2 * self.live.len() + 1];
        let mut may = must.clone();
        for id in self.shadow.roots().filter_map(Word::object).filter(|id| self.live[id.index()]) {
            must[self.key(id)] = true;
        }
        for mourned in self.shadow.mourned.iter().filter(|mourned| self.live[mourned.object.index()]) {
            may[self.key(mourned.object)] = true;
        }
        let traced = |id: Id| !self.counted[id.index()];
        // What this collection has made counted was traced while it ran; what is revived may have been a root.
        let new = |id: Id| !self.shadow.node(id).counted || self.wanted.has(id) && !self.proper.has(id);
        for (source, target) in self.edges(|id| traced(id) || new(id)) {
            let certain = traced(source) && self.proper.has(source) && self.key(source) != self.key(target);
            must[self.key(target)] |= certain;
            may[self.key(target)] = true;
        }
        for sighting in self.old().filter(|_| self.moment != Moment::Between) {
            let key = self.key(sighting.id);
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
        for sighting in self.old().filter(|sighting| sighting.waiting) {
            if self.wanted.has(sighting.id) {
                return self.wrong(sighting.id, "is wanted and waits to be freed");
            }
            if sighting.part != Part::Counted || sighting.count != 0 {
                return self.wrong(sighting.id, "waits to be freed and is traced, or has a count above zero");
            }
        }
        Ok(())
    }
}
