//! Threads that have a heap each, and hand its memory to whoever joins them.
//!
//! Nothing here is needed to share: a heap may be made on any thread of any kind ([`Group::branded`]). This saves the
//! steps at the end.

use std::thread::{self, ScopedJoinHandle};

use crate::heap::Heap;
use crate::host::Host;

use super::estate::Estate;
use super::group::Group;

/// Where threads with heaps are spawned; see [`Group::scope`].
pub struct Scope<'scope, 'env: 'scope, H: Host> {
    group: Group<H>,
    threads: &'scope thread::Scope<'scope, 'env>,
}

impl<H: Host> std::fmt::Debug for Scope<'_, '_, H> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.group.fmt(f)
    }
}

/// A thread with a heap. If it is not joined, what its heap leaves goes to whoever comes by.
pub struct Spawned<'scope, T, H: Host> {
    thread: ScopedJoinHandle<'scope, (T, Estate<H>)>,
}

impl<T, H: Host> std::fmt::Debug for Spawned<'_, T, H> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.thread.fmt(f)
    }
}

impl<H: Host> Group<H> {
    /// As [`std::thread::scope`]: threads that are spawned in it may borrow, and all are over when it ends.
    ///
    /// ```
    /// # use frazil::{Config, Group, LowTag, Request, Shape, Value};
    /// const LEAF: Shape = Shape::new(1, "leaf").raw_words(1);
    ///
    /// let group = Group::<LowTag>::new(Config::default())?;
    /// group.branded(|mut heap| group.scope(|scope| {
    ///     let threads = [1, 2, 3].map(|number| scope.spawn(move |heap| {
    ///         let mut leaf = heap.alloc(&LEAF, 0).unwrap();
    ///         leaf.raw_mut()[0] = number;
    ///         let leaf = heap.root(leaf.finish().into());
    ///         heap.share(&leaf).unwrap()
    ///     }));
    ///     let mut sum = 0;
    ///     for thread in threads {
    ///         let leaf = thread.join(&mut heap).unwrap();
    ///         sum += heap.import(leaf).object().unwrap().raw(0);
    ///     }
    ///     assert_eq!(sum, 6);
    /// }))?;
    /// # Ok::<(), frazil::ConfigError>(())
    /// ```
    pub fn scope<'env, R>(&self, f: impl for<'scope> FnOnce(&Scope<'scope, 'env, H>) -> R) -> R {
        thread::scope(|threads| f(&Scope { group: self.clone(), threads }))
    }
}

impl<'scope, H: Host> Scope<'scope, '_, H> {
    /// Spawns a thread with a heap of the group. Its result cannot contain values of that heap, but handles
    /// ([`crate::Shared`]).
    pub fn spawn<T: Send + 'scope>(
        &self,
        f: impl for<'id> FnOnce(&mut Heap<'id, H>) -> T + Send + 'scope,
    ) -> Spawned<'scope, T, H> {
        let group = self.group.clone();
        let run = move || {
            let run = |mut heap: Heap<'_, H>| {
                let result = f(&mut heap);
                (result, heap.end())
            };
            group.branded(run).expect("the system gives memory for a nursery")
        };
        Spawned { thread: self.threads.spawn(run) }
    }
}

impl<T, H: Host> Spawned<'_, T, H> {
    /// Waits for the thread's end. What its heap leaves is `heap`'s own from now on.
    ///
    /// # Errors
    /// It panicked: with what (also if the system gave no memory for its heap). Then what its heap left goes to whoever
    /// comes by.
    pub fn join(self, heap: &mut Heap<'_, H>) -> thread::Result<T> {
        let (result, estate) = self.thread.join()?;
        heap.adopt(estate);
        Ok(result)
    }

    /// Is it over?
    pub fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }
}
