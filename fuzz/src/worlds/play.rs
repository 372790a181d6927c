//! A world happens: to heaps, and to the graph that judges them.

use std::collections::VecDeque;
use std::mem::ManuallyDrop;

use frazil::{Group, Heap, Host, Object, Request, Shape, ShareError, Shared, Value, Weak};
use rustc_hash::FxHashMap;

use crate::batches::Tally;
use crate::hosts::member;
use crate::run::Judge;

use super::shadow::{Id, Shadow};
use super::steps::{HANDLES, HEAPS, Kind, SLOTS, Step, World};

const LEAF: Shape = Shape::new(1, "leaf").raw_words(1);
const NODE: Shape = Shape::new(2, "node").raw_words(1).references(2);
const LIST: Shape = Shape::new(3, "list").raw_words(1).references(3).mutable();
const LONG: Shape = Shape::new(4, "long").raw_words(1).references_tail();
const TABLE: Shape = Shape::new(5, "table").raw_words(1).references_tail().mutable();
/// References of a large object: more than half a block of the smallest size holds.
const MANY: usize = 300;
/// Where heaps release in instalments, so many rounds are enough to free everything.
const ROUNDS_MAX: usize = 10_000;

impl Kind {
    fn shape(self) -> &'static Shape {
        match self {
            Kind::Leaf => &LEAF,
            Kind::Node => &NODE,
            Kind::List => &LIST,
            Kind::Long => &LONG,
            Kind::Table => &TABLE,
        }
    }
}

/// What has happened in some worlds.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    /// Worlds.
    pub worlds: u64,
    /// Steps that did something.
    pub steps: u64,
    /// Objects made.
    pub objects: u64,
    /// Values shared, and refused because something mutable could be reached.
    pub shared: u64,
    /// See above.
    pub refused: u64,
    /// Handles imported.
    pub imported: u64,
    /// Deaths that were to be heard of, and were.
    pub heard: u64,
    /// Drains between collections that had something to do.
    pub drained: u64,
    /// Changes of counts posted by collections, in batches.
    pub changes: u64,
    /// See above.
    pub batches: u64,
    /// Steps during which a heap stood still with batches to be posted.
    pub stopped: u64,
    /// Heaps ended, and what they left adopted by one that was named.
    pub ended: u64,
    /// See above.
    pub adopted: u64,
    /// Ended heaps that left something, which nobody adopted at once.
    pub orphans: u64,
    /// The most rounds it took to free everything.
    pub rounds: u64,
}

impl Tally for Coverage {
    fn merge(&mut self, other: &Self) {
        self.worlds += other.worlds;
        self.steps += other.steps;
        self.objects += other.objects;
        self.shared += other.shared;
        self.refused += other.refused;
        self.imported += other.imported;
        self.heard += other.heard;
        self.drained += other.drained;
        self.changes += other.changes;
        self.batches += other.batches;
        self.stopped += other.stopped;
        self.ended += other.ended;
        self.adopted += other.adopted;
        self.orphans += other.orphans;
        self.rounds = self.rounds.max(other.rounds);
    }
}

/// A heap of the world.
struct Member<H: Host> {
    heap: Heap<'static, H>,
    weaks: VecDeque<Weak<'static>>,
    /// It has collected, and some batches are not posted: it stands still.
    stopped: bool,
}

struct Play<'w, H: Host> {
    world: &'w World,
    judge: Judge,
    group: Group<H>,
    members: Vec<Member<H>>,
    handles: Vec<Shared<H>>,
    shadow: Shadow,
    coverage: Coverage,
}

/// Lets a world happen.
///
/// # Errors
/// What went wrong, and at which step.
pub fn play<H: Host>(world: &World, judge: Judge) -> Result<Coverage, String> {
    let group = Group::<H>::new(world.config()).map_err(|error| error.to_string())?;
    // Not dropped if the world fails: heaps that are broken had better not collect once more.
    let mut play = ManuallyDrop::new(Play {
        world,
        judge,
        group,
        members: Vec::new(),
        handles: Vec::new(),
        shadow: Shadow::default(),
        coverage: Coverage { worlds: 1, ..Coverage::default() },
    });
    play.happen()?;
    Ok(ManuallyDrop::into_inner(play).coverage)
}

fn reference<H: Host>(object: Object<'_, '_, H>, index: usize) -> Option<u64> {
    object.get(index).object().map(|object| object.raw(0))
}

impl<H: Host> Play<'_, H> {
    fn happen(&mut self) -> Result<(), String> {
        for _ in 0..self.world.heaps {
            self.begin()?;
        }
        for (number, &step) in self.world.steps.iter().enumerate() {
            let result = self.perform(step).and_then(|()| self.agree());
            result.map_err(|wrong| format!("at step {number}, {step:?}: {wrong}"))?;
        }
        self.end().map_err(|wrong| format!("at the end: {wrong}"))
    }

    fn begin(&mut self) -> Result<(), String> {
        let mut heap = member(&self.group, self.world.config()).map_err(|error| error.to_string())?;
        heap.hold_back();
        heap.stack_grow(usize::from(SLOTS)).ok_or("no room on the stack")?;
        self.members.push(Member { heap, weaks: VecDeque::new(), stopped: false });
        self.shadow.begin();
        Ok(())
    }

    /// The heap of this number, unless it stands still.
    fn acting(&self, heap: u8) -> Option<usize> {
        let heap = usize::from(heap).checked_rem(self.members.len())?;
        (!self.members[heap].stopped).then_some(heap)
    }

    fn slot(&self, heap: usize, slot: u8) -> Option<Id> {
        self.shadow.members[heap].slots[usize::from(slot)]
    }

    fn set_slot(&mut self, heap: usize, slot: u8, id: Option<Id>) {
        self.shadow.members[heap].slots[usize::from(slot)] = id;
    }

    fn perform(&mut self, step: Step) -> Result<(), String> {
        let done = match step {
            Step::Make { heap, slot, kind, from } => {
                self.acting(heap).map(|heap| self.make(heap, slot, kind, from))
            }
            Step::Store { heap, slot, index, from } => {
                self.acting(heap).map(|heap| self.store(heap, slot, index, from))
            }
            Step::Follow { heap, slot, index, to } => {
                self.acting(heap).map(|heap| self.follow(heap, slot, index, to))
            }
            Step::Clear { heap, slot } => self.acting(heap).map(|heap| {
                self.members[heap].heap.stack_from(0)[usize::from(slot)].set(Value::EMPTY);
                self.set_slot(heap, slot, None);
                Ok(())
            }),
            Step::Freeze { heap, slot } => self.acting(heap).map(|heap| self.freeze(heap, slot)),
            Step::Share { heap, slot, settled } => {
                self.acting(heap).map(|heap| self.share(heap, slot, settled))
            }
            Step::Import { heap, slot, handle, moved } => {
                self.acting(heap).map(|heap| self.import(heap, slot, handle, moved))
            }
            Step::Clone { handle } => {
                self.handle(handle).filter(|_| self.handles.len() < HANDLES).map(|handle| {
                    let clone = self.handles[handle].clone();
                    self.handles.push(clone);
                    self.shadow.handles.push(self.shadow.handles[handle]);
                    Ok(())
                })
            }
            Step::Drop { handle } => self.handle(handle).map(|handle| {
                self.handles.swap_remove(handle);
                self.shadow.handles.swap_remove(handle);
                Ok(())
            }),
            Step::Immortalise { heap, slot } => self.acting(heap).map(|heap| self.immortalise(heap, slot)),
            Step::Weak { heap, slot } => self.acting(heap).map(|heap| self.weak(heap, slot)),
            Step::Upgrade { heap, slot } => self.acting(heap).map(|heap| self.upgrade(heap, slot)),
            Step::Finalize { heap, slot } => self.acting(heap).map(|heap| self.finalize(heap, slot)),
            Step::Collect { heap, complete, stopped } => {
                self.acting(heap).map(|heap| self.collect(heap, complete, stopped))
            }
            Step::Drain { heap, objects, stopped } => {
                self.acting(heap).map(|heap| self.drain(heap, objects.into(), stopped))
            }
            Step::Post { heap } => self.post(heap),
            Step::Begin => (self.members.len() < HEAPS).then(|| self.begin()),
            Step::End { heap, heir } => self.acting(heap).map(|heap| self.end_heap(heap, heir)),
        };
        let waiting = self.members.iter().any(|member| member.stopped && member.heap.holds_batches());
        self.coverage.steps += u64::from(done.is_some());
        self.coverage.stopped += u64::from(done.is_some() && waiting);
        done.unwrap_or(Ok(()))
    }

    /// The handle of this number: the newest one is 0.
    fn handle(&self, handle: u8) -> Option<usize> {
        let newest = self.handles.len().checked_sub(1)?;
        Some(newest - usize::from(handle) % self.handles.len())
    }

    fn make(&mut self, at: usize, slot: u8, kind: Kind, from: [u8; 3]) -> Result<(), String> {
        let id = self.shadow.make(at, kind, from.map(|from| self.slot(at, from)));
        let heap = &self.members[at].heap;
        let slots = heap.stack_from(0);
        let mut fresh = heap.alloc(kind.shape(), MANY).map_err(|error| error.to_string())?;
        fresh.raw_mut()[0] = id as u64;
        for (reference, from) in fresh.references_mut().iter_mut().take(kind.references()).zip(from) {
            *reference = slots[usize::from(from)].get();
        }
        slots[usize::from(slot)].set(fresh.finish().into());
        self.coverage.objects += 1;
        self.set_slot(at, slot, Some(id));
        Ok(())
    }

    fn store(&mut self, at: usize, slot: u8, index: u8, from: u8) -> Result<(), String> {
        let Some(id) = self.slot(at, slot) else { return Ok(()) };
        let index = usize::from(index);
        if index >= self.shadow.nodes[id].kind.references() {
            return Ok(());
        }
        let heap = &self.members[at].heap;
        let slots = heap.stack_from(0);
        let object = slots[usize::from(slot)].get().object().ok_or("a slot is empty")?;
        let done = heap.store(object, index, slots[usize::from(from)].get()).is_ok();
        if done != self.shadow.nodes[id].mutable {
            return Err(format!("{id}: a store was {}", if done { "allowed" } else { "refused" }));
        }
        if done {
            self.shadow.nodes[id].refs[index] = self.slot(at, from);
        }
        Ok(())
    }

    fn follow(&mut self, at: usize, slot: u8, index: u8, to: u8) -> Result<(), String> {
        let Some(id) = self.slot(at, slot) else { return Ok(()) };
        let index = usize::from(index);
        if index < self.shadow.nodes[id].kind.references() {
            let slots = self.members[at].heap.stack_from(0);
            let object = slots[usize::from(slot)].get().object().ok_or("a slot is empty")?;
            slots[usize::from(to)].set(object.get(index));
            self.set_slot(at, to, self.shadow.nodes[id].refs[index]);
        }
        Ok(())
    }

    fn freeze(&mut self, at: usize, slot: u8) -> Result<(), String> {
        let heap = &self.members[at].heap;
        heap.freeze_deep(heap.stack_from(0)[usize::from(slot)].get());
        for id in self.shadow.reach(self.slot(at, slot)) {
            self.shadow.nodes[id].mutable = false;
        }
        Ok(())
    }

    fn share(&mut self, at: usize, slot: u8, settled: bool) -> Result<(), String> {
        let id = self.slot(at, slot);
        if self.handles.len() == HANDLES || id.is_none() {
            return Ok(());
        }
        let heap = &mut self.members[at].heap;
        let result = if settled {
            heap.share_settled(heap.stack_from(0)[usize::from(slot)].get())
        } else {
            let handle = heap.root(heap.stack_from(0)[usize::from(slot)].get());
            let result = heap.share(&handle);
            heap.unroot(handle);
            while heap.post_next() {}
            result
        };
        self.hear(at)?;
        let mutable = self.shadow.is_mutable(id);
        match result {
            Ok(shared) if !mutable => {
                self.handles.push(shared);
                self.shadow.handles.push(id);
                self.coverage.shared += 1;
                Ok(())
            }
            Err(ShareError::Mutable { path, .. }) if mutable => {
                let step =
                    |id: Option<Id>, &index: &usize| id.and_then(|id| self.shadow.nodes[id].refs[index]);
                let end = path.iter().fold(id, step);
                self.coverage.refused += 1;
                match end.is_some_and(|id| self.shadow.nodes[id].mutable) {
                    true => Ok(()),
                    false => Err(format!("{path:?} leads to nothing mutable")),
                }
            }
            Err(ShareError::Unsettled) if settled && !mutable => Ok(()),
            Ok(_) => Err("something mutable was shared".to_owned()),
            Err(error) => Err(format!("refused to share: {error}")),
        }
    }

    fn import(&mut self, at: usize, slot: u8, handle: u8, moved: bool) -> Result<(), String> {
        let Some(handle) = self.handle(handle) else { return Ok(()) };
        let id = self.shadow.handles[handle];
        let shared = match moved {
            true => {
                self.shadow.handles.swap_remove(handle);
                self.handles.swap_remove(handle)
            }
            false => self.handles[handle].clone(),
        };
        let heap = &self.members[at].heap;
        heap.stack_from(0)[usize::from(slot)].set(heap.import(shared));
        self.set_slot(at, slot, id);
        self.coverage.imported += 1;
        Ok(())
    }

    fn immortalise(&mut self, at: usize, slot: u8) -> Result<(), String> {
        let id = self.slot(at, slot);
        let heap = &self.members[at].heap;
        let result = heap.immortalise(heap.stack_from(0)[usize::from(slot)].get());
        if result.is_ok() == self.shadow.is_mutable(id) {
            return Err(format!("immortalised: {result:?}"));
        }
        if let Ok(shared) = result {
            heap.stack_from(0)[usize::from(slot)].set(heap.import(shared));
            for id in self.shadow.reach(id) {
                self.shadow.nodes[id].immortal = true;
            }
        }
        Ok(())
    }

    fn weak(&mut self, at: usize, slot: u8) -> Result<(), String> {
        let member = &mut self.members[at];
        if let Some(object) = member.heap.stack_from(0)[usize::from(slot)].get().object() {
            member.weaks.push_back(member.heap.weak(object));
            let id = self.slot(at, slot).ok_or("a slot is not empty")?;
            self.shadow.members[at].weaks.push_back(id);
        }
        Ok(())
    }

    fn upgrade(&mut self, at: usize, slot: u8) -> Result<(), String> {
        let member = &mut self.members[at];
        let Some(weak) = member.weaks.pop_front() else { return Ok(()) };
        let id = self.shadow.members[at].weaks.pop_front().ok_or("as many weak references")?;
        let mut held = false;
        if let Some(object) = member.heap.upgrade(&weak) {
            held = true;
            member.heap.stack_from(0)[usize::from(slot)].set(object.into());
        }
        member.heap.forget_weak(weak);
        let is_rooted = self.shadow.reach(self.shadow.members[at].slots.into_iter().flatten()).contains(&id);
        if held {
            self.set_slot(at, slot, Some(id));
        } else if is_rooted && !self.shadow.nodes[id].immortal {
            return Err(format!("a weak reference to {id} was cleared, which can be reached"));
        }
        Ok(())
    }

    fn finalize(&mut self, at: usize, slot: u8) -> Result<(), String> {
        let heap = &self.members[at].heap;
        if let Some(object) = heap.stack_from(0)[usize::from(slot)].get().object()
            && heap.is_private(object)
        {
            let id = self.slot(at, slot).ok_or("a slot is not empty")?;
            heap.finalize(object, id as u64);
            self.shadow.nodes[id].unheard += 1;
        }
        Ok(())
    }

    /// The heap's host hears of deaths, and lets go of what has died.
    fn hear(&mut self, at: usize) -> Result<(), String> {
        while let Some((object, token)) = self.members[at].heap.next_finalizable() {
            let id = token as Id;
            if object.raw(0) != token {
                return Err(format!("{id} was to be heard of, and {object:?} has come"));
            }
            if self.shadow.is_alive(id) && !self.shadow.nodes[id].immortal {
                return Err(format!("{id} is said to be dead, and can be reached"));
            }
            let unheard = &mut self.shadow.nodes[id].unheard;
            *unheard = unheard.checked_sub(1).ok_or_else(|| format!("{id} has died once more"))?;
            self.coverage.heard += 1;
        }
        Ok(())
    }

    fn collect(&mut self, at: usize, complete: bool, stopped: bool) -> Result<(), String> {
        let member = &mut self.members[at];
        let report = member.heap.collect(if complete { Request::Complete } else { Request::Short });
        self.coverage.changes += report.posted as u64;
        self.coverage.batches += report.posted_batches as u64;
        if self.judge != Judge::Shadow {
            member.heap.verify().map_err(|violation| violation.to_string())?;
        }
        member.stopped = stopped;
        while !stopped && member.heap.post_next() {}
        self.hear(at)
    }

    /// Nothing that the mutator has got at since the last collection may die of it.
    fn drain(&mut self, at: usize, objects: usize, stopped: bool) -> Result<(), String> {
        let member = &mut self.members[at];
        self.coverage.drained += u64::from(member.heap.waiting() > 0);
        let left = member.heap.drain(objects);
        if left != member.heap.waiting() {
            return Err(format!("the drain leaves {left}, but {} wait", member.heap.waiting()));
        }
        member.stopped = stopped;
        while !stopped && member.heap.post_next() {}
        self.hear(at)
    }

    fn post(&mut self, heap: u8) -> Option<Result<(), String>> {
        let mut stopped: Vec<&mut Member<H>> =
            self.members.iter_mut().filter(|member| member.stopped).collect();
        let which = usize::from(heap).checked_rem(stopped.len())?;
        stopped[which].stopped = stopped[which].heap.post_next();
        Some(Ok(()))
    }

    fn end_heap(&mut self, at: usize, heir: Option<u8>) -> Result<(), String> {
        let member = self.members.swap_remove(at);
        let shadow = self.shadow.members.swap_remove(at);
        self.coverage.ended += 1;
        let estate = member.heap.end();
        self.shadow.leave(shadow.owner);
        let left = !estate.is_empty();
        match heir.and_then(|heir| self.acting(heir)) {
            Some(heir) => {
                self.members[heir].heap.adopt(estate);
                self.shadow.adopt(shadow.owner, self.shadow.members[heir].owner);
                self.coverage.adopted += u64::from(left);
            }
            None => self.coverage.orphans += u64::from(left),
        }
        Ok(())
    }

    // ------------------------------------------------------------------ judging

    /// Is everything there that can be reached, and every count what is claimed?
    fn agree(&mut self) -> Result<(), String> {
        if self.judge != Judge::Shadow {
            self.audit()?;
        }
        if self.judge != Judge::Verifier {
            let mut places = FxHashMap::default();
            for (number, member) in self.members.iter().enumerate() {
                let slots = member.heap.stack_from(0).iter().map(|slot| slot.get());
                for (value, &id) in slots.zip(&self.shadow.members[number].slots) {
                    self.compare(value, id, &mut places)
                        .map_err(|wrong| format!("heap {number}: {wrong}"))?;
                }
            }
        }
        Ok(())
    }

    fn audit(&mut self) -> Result<(), String> {
        let mut audit = self.group.audit();
        self.members.iter_mut().for_each(|member| audit.heap(&mut member.heap));
        self.handles.iter().for_each(|handle| audit.handle(handle));
        audit.finish().map_err(|violation| violation.to_string())
    }

    /// Walks through what a root leads to. `places` has the word for each object that was seen.
    fn compare<'s>(
        &self,
        value: Value<'s, 'static, H>,
        id: Option<Id>,
        places: &mut FxHashMap<Id, u64>,
    ) -> Result<(), String> {
        let mut pending = vec![(value, id)];
        while let Some((value, id)) = pending.pop() {
            let (object, id) = match (value.object(), id) {
                (None, None) => continue,
                (Some(object), Some(id)) => (object, id),
                (found, expected) => return Err(format!("{expected:?} is expected, and there is {found:?}")),
            };
            let node = &self.shadow.nodes[id];
            if !object.is(node.kind.shape()) || object.raw(0) != id as u64 {
                return Err(format!("{id} is gone: {object:?} is in its place"));
            }
            if object.is_mutable() != node.mutable {
                return Err(format!("{id} is wrongly mutable or not"));
            }
            match places.insert(id, value.bits()) {
                Some(place) if place == value.bits() => continue,
                Some(_) if !node.immortal => return Err(format!("{id} is in two places")),
                Some(_) => continue,
                None => {}
            }
            for (index, &reference_to) in node.refs.iter().enumerate().take(node.kind.references()) {
                if reference(object, index) != reference_to.map(|id| id as u64) {
                    return Err(format!("reference {index} of {id} is wrong"));
                }
                pending.push((object.get(index), reference_to));
            }
        }
        Ok(())
    }

    // ------------------------------------------------------------------ the end

    /// Everything goes on where it stands still, all handles are looked at, and then everything is let go.
    fn end(&mut self) -> Result<(), String> {
        for member in self.members.iter_mut() {
            while member.heap.post_next() {}
            member.stopped = false;
        }
        if self.members.is_empty() {
            self.begin()?;
        }
        for handle in 0..self.handles.len() as u8 {
            self.import(0, 0, handle, false)?;
            self.agree()?;
        }
        self.handles.clear();
        self.shadow.handles.clear();
        for number in 0..self.members.len() {
            for slot in self.members[number].heap.stack_from(0) {
                slot.set(Value::EMPTY);
            }
            let member = &mut self.members[number];
            member.weaks.drain(..).for_each(|weak| member.heap.forget_weak(weak));
            self.shadow.members[number].slots = Default::default();
        }
        // What dies and is heard of lives once more.
        let in_time = self.world.instalment == 0 && self.shadow.nodes.iter().all(|node| node.unheard == 0);
        let bound = if in_time { self.shadow.changes_of_owner() + 2 } else { ROUNDS_MAX };
        let mut rounds = 0;
        while self.round()? > 0 || self.group.orphans() > 0 {
            rounds += 1;
            if rounds > bound {
                return Err(format!("not everything is free after {bound} rounds"));
            }
        }
        self.coverage.rounds = self.coverage.rounds.max(if in_time { rounds as u64 } else { 0 });
        match self.shadow.nodes.iter().position(|node| node.unheard > 0 && !node.left && !node.immortal) {
            Some(id) => Err(format!("nobody has heard of the death of {id}")),
            None => Ok(()),
        }
    }

    /// Every heap collects once. Says how many objects there are afterwards.
    fn round(&mut self) -> Result<usize, String> {
        for at in 0..self.members.len() {
            self.collect(at, true, false)?;
            self.agree()?;
        }
        Ok(self.members.iter_mut().map(|member| member.heap.tallies().len()).sum())
    }
}
