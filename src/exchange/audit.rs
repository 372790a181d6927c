//! All heaps of a stopped group, checked against each other: every count is exactly what is claimed.
//!
//! For each counted object, `count + what is in the mail = references from counted objects of its own heap + claims of
//! others`. A claim is a foreign retain bit, a reference from a counted object of another heap, or a handle. That holds
//! at any moment at which no heap is in the middle of a collection, even while batches are on their way.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::heap::Heap;
use crate::host::Host;
use crate::layout::Header;
use crate::object::ObjRef;
use crate::old::{Old, targets};
use crate::space::chunk_base;
use crate::verify::{Violation, fail};

use super::group::{Common, Group};
use super::kernel::Batch;
use super::shared::{Held, Shared};

/// An audit under way: it has to be shown every heap of the group, and every handle that is not in one.
///
/// It looks into the memory of what it is shown only then, and of what it found there keeps a copy: a heap may be gone before
/// [`Audit::finish`], which then may well find something wrong.
pub struct Audit<'g> {
    common: &'g Common,
    /// Who has the count of each counted object.
    nodes: FxHashMap<usize, usize>,
    /// The counts, by who has them, with their headers.
    counts: FxHashMap<usize, (Header, i64)>,
    /// What the counts should be, or will have changed by, for each object that is named.
    claims: FxHashMap<usize, i64>,
    handles: FxHashSet<*const Held>,
    /// Where the memory is that anybody may refer to.
    chunks: FxHashSet<usize>,
    /// The same, of what is immortal.
    immortal: FxHashSet<usize>,
    /// References from counted objects that lead elsewhere: from, to, and who has the count of `from`.
    references: Vec<(ObjRef, ObjRef)>,
}

impl<H: Host> Group<H> {
    /// Begins an audit. No heap of the group collects until it is over, and none is made or dropped: or the audit finds
    /// something wrong where nothing is.
    pub fn audit(&self) -> Audit<'_> {
        let mut audit = Audit {
            common: &self.common,
            nodes: FxHashMap::default(),
            counts: FxHashMap::default(),
            claims: FxHashMap::default(),
            handles: FxHashSet::default(),
            chunks: FxHashSet::default(),
            immortal: self.common.immortals.lock().map(|immortals| immortals.chunks()).unwrap_or_default(),
            references: Vec::new(),
        };
        self.common.orphans.each(|old| audit.old::<H>(old));
        audit
    }
}

impl Audit<'_> {
    /// Adds a heap of the group.
    pub fn heap<H: Host>(&mut self, heap: &mut Heap<'_, H>) {
        self.old::<H>(heap.old.get_mut());
    }

    /// Adds a handle that is not in a heap. Clones count once.
    pub fn handle<H: Host>(&mut self, shared: &Shared<H>) {
        self.held(&shared.held);
    }

    fn held(&mut self, held: &Arc<Held>) {
        if self.handles.insert(Arc::as_ptr(held))
            && let Some(object) = held.claim()
        {
            self.claim(object, 1);
        }
    }

    fn claim(&mut self, address: usize, claims: i64) {
        *self.claims.entry(address).or_default() += claims;
    }

    /// What is on its way will be in the count, and is not yet.
    fn on_its_way(&mut self, batch: &Batch) {
        for adjustment in batch.adjustments() {
            self.claim(adjustment.object, -adjustment.delta);
        }
    }

    fn old<H: Host>(&mut self, old: &Old) {
        let Some(abroad) = &old.abroad else { return };
        self.chunks.extend(old.space.chunk_bases());
        for object in old.space.objects().into_iter().filter(|object| !object.is_traced()) {
            let node = old.node(object);
            self.nodes.insert(object.address(), node.address());
            self.counts.insert(node.address(), (node.header(), old.count(node) as i64));
            for target in targets::<H>(object, object.header()) {
                self.references.push((node, target));
            }
        }
        abroad.retained().for_each(|address| self.claim(address, 1));
        abroad.in_hand.iter().chain(&abroad.let_go).for_each(|held| self.held(held));
        abroad.outgoing.batches().for_each(|batch| self.on_its_way(batch));
        self.common.exchange.look(abroad.owner).iter().for_each(|batch| self.on_its_way(batch));
    }

    /// Ends the audit.
    ///
    /// # Errors
    /// An object whose count is not what is claimed, or a claim on what is no object.
    pub fn finish(mut self) -> Result<(), Violation> {
        for (from, to) in std::mem::take(&mut self.references) {
            let chunk = chunk_base(to.address());
            if self.immortal.contains(&chunk) {
                continue;
            }
            if !self.chunks.contains(&chunk) {
                return fail("I2", format!("{from:?} refers to {to:?}, where nothing is any more"));
            }
            let inside = self.nodes.get(&to.address()) == Some(&from.address());
            if !inside {
                self.claim(to.address(), 1);
            }
        }
        let mut left = self.counts;
        for (&object, claims) in &self.claims {
            let Some((_, count)) = self.nodes.get(&object).and_then(|node| left.get_mut(node)) else {
                return fail("I2", format!("{claims} claims on {object:#x}, which is no counted object"));
            };
            *count -= claims;
        }
        match left.into_iter().find(|&(_, (_, left))| left != 0) {
            None => Ok(()),
            Some((object, (header, left))) => {
                fail("I2", format!("{object:#x} ({header:?}) counts {left} more than are claimed"))
            }
        }
    }
}
