//! Looking at the heap while a program runs: at its safepoints, and when memory runs out.

use frazil::{Request, SiteUse, Stats};

use crate::picture::Picture;

use super::Machine;

/// Looks at a heap when there is something to see.
pub trait Watch {
    /// A collection is over, and the program is about to go on.
    fn collected(&mut self, view: &mut View<'_>);

    /// An allocation was refused, and collecting did not help. The calls in progress are still there; the program
    /// is about to end with an error.
    fn exhausted(&mut self, view: &mut View<'_>);
}

/// A machine that stands still, as a [`Watch`] sees it.
pub struct View<'m>(&'m mut Machine);

impl<'m> View<'m> {
    pub(crate) fn new(machine: &'m mut Machine) -> View<'m> {
        View(machine)
    }

    /// Collects everything, so that only what is alive is seen.
    pub fn collect(&mut self) {
        // What can fail is only the room for the registers of the next call, and that call fails again.
        let _ = self.0.collect(Request::Complete);
    }

    /// What the collector did so far.
    pub fn stats(&self) -> &Stats {
        self.0.heap.stats()
    }

    /// Bytes allocated so far.
    pub fn allocated_bytes(&self) -> u64 {
        self.stats().allocated_bytes + self.0.heap.allocated_bytes() as u64
    }

    /// What is old, by where it was born. See [`frazil::Heap::old_by_site`].
    pub fn old_by_site(&self) -> Vec<SiteUse> {
        self.0.heap.old_by_site()
    }

    /// A picture of the heap, with names. See [`frazil::Heap::snapshot`].
    pub fn picture(&mut self) -> Picture {
        Picture::take(self.0)
    }
}

impl Machine {
    /// From now on `watch` looks at the heap, in place of the one before.
    pub(crate) fn set_watch(&mut self, watch: Box<dyn Watch>) {
        self.watch = Some(watch);
    }

    /// Code that is compiled from now on says where it allocates, and the heap remembers it.
    pub(crate) fn profile(&mut self) {
        self.heap.profile();
        self.host.places.get_or_insert_default();
    }

    /// Lets the watch look, if there is one.
    pub(super) fn show(&mut self, look: fn(&mut dyn Watch, &mut View<'_>)) {
        if let Some(mut watch) = self.watch.take() {
            look(&mut *watch, &mut View::new(self));
            self.watch.get_or_insert(watch);
        }
    }
}
