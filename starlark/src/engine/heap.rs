//! The heap of an engine, for those who want to know, or to have a say.

use super::*;

/// # The heap
impl Engine {
    /// Lets programs collect this many times from now on; one that would have to collect once more is ended with an
    /// error. As a collection is due whenever so many bytes have been allocated, that bounds what a program
    /// allocates in all; in checking mode, where one is due at every call and in every round of a loop, it bounds the
    /// time it may take.
    pub fn limit_collections(&mut self, collections: u64) {
        self.machine.limit_collections(collections);
    }

    /// For the proof machinery alone: from now on every collection makes this mistake, until checking mode notices, and panics.
    ///
    /// ```compile_fail,E0133
    /// # use frazil_starlark::{Engine, Mistake};
    /// Engine::default().plant(Mistake::Registers);
    /// ```
    ///
    /// # Safety
    /// After that panic the engine is not used any more, only dropped: its values may lead to no objects.
    ///
    /// # Panics
    /// The heap is not in checking mode.
    #[allow(unsafe_code)]
    pub unsafe fn plant(&mut self, mistake: Mistake) {
        self.machine.plant(mistake);
    }

    /// Looks at a global of a module.
    pub fn global<R>(
        &self,
        key: &str,
        name: &str,
        look: impl for<'s> FnOnce(Cx<'s>, Value<'s>) -> R,
    ) -> Option<R> {
        self.machine.global(key, name).map(|value| look(self.machine.cx(), value))
    }

    /// Forgets a module, and says whether it was there. If a program loads it again it is run again; what other
    /// modules and functions use of it stays alive, and only that.
    pub fn unload(&mut self, key: &str) -> bool {
        self.machine.unload(key)
    }

    /// Gives a function the context, to make and look at values.
    pub fn with<R>(&self, look: impl for<'s> FnOnce(Cx<'s>) -> R) -> R {
        look(self.machine.cx())
    }

    /// Remembers of every object where in the program it was made, for pictures. Modules that were loaded before are
    /// left out. Such code runs a good part slower.
    pub fn profile(&mut self) {
        self.machine.profile();
    }

    /// From now on `watch` looks at the heap after collections and when memory runs out, in place of the one before.
    pub fn watch(&mut self, watch: impl Watch + 'static) {
        self.machine.set_watch(Box::new(watch));
    }

    /// The interpreter as a watch sees it.
    pub fn view(&mut self) -> View<'_> {
        View::new(&mut self.machine)
    }

    /// What the collector did so far.
    pub fn stats(&self) -> &Stats {
        self.machine.heap().stats()
    }

    /// From now on `observer` is told of every collection, when it is over. It takes the place of the one before.
    pub fn observe(&mut self, observer: impl FnMut(&Report) + 'static) {
        self.machine.heap_mut().observe(observer);
    }

    /// Records everything that happens to the heap from now on ([`frazil::trace`]). The engine was made with settings for
    /// recording; `settings` are those that it has otherwise.
    ///
    /// # Errors
    /// It was made with other settings, or the heap has collected already.
    pub fn record(
        &mut self,
        out: impl std::io::Write + 'static,
        producer: &str,
        settings: &Config,
    ) -> Result<(), RecordError> {
        self.machine.heap_mut().record(out, producer, settings)
    }

    /// Ends the recording, and says how much was recorded.
    ///
    /// # Errors
    /// Nothing is being recorded, or it could not be written.
    pub fn end_record(&mut self) -> Result<Totals, RecordError> {
        self.machine.heap_mut().end_record()
    }

    /// The settings of the heap.
    pub fn config(&self) -> &Config {
        self.machine.heap().config()
    }

    /// Bytes that young objects and old blocks take now.
    pub fn used_bytes(&self) -> usize {
        self.machine.heap().used_bytes()
    }

    /// Bytes allocated since the last collection.
    pub fn allocated_bytes(&self) -> usize {
        self.machine.heap().allocated_bytes()
    }

    /// Collects now.
    ///
    /// # Errors
    /// The collection failed.
    pub fn collect(&mut self, request: frazil::Request) -> Result<(), AllocError> {
        self.machine.collect(request)
    }
}
