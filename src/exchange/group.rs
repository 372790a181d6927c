//! A group of heaps that may share what is frozen.

use std::marker::PhantomData;
use std::sync::{Arc, Mutex};

use crate::heap::Heap;
use crate::host::Host;
use crate::tuning::{Config, ConfigError};

use super::estate::Orphans;
use super::immortal::Immortals;
use super::kernel::Exchange;

/// What the heaps of a group have in common.
pub(crate) struct Common {
    /// How its owners reach each other. That is all that orphans, which lie here themselves, know of their group.
    pub exchange: Arc<Exchange>,
    /// What heaps have left that nobody joined.
    pub orphans: Orphans,
    pub immortals: Mutex<Immortals>,
    pub config: Config,
    /// [`Orphans::tend`] for the host of this group, for handles that are dropped where no heap is.
    pub tend: fn(&Common),
}

/// Heaps that may share what is frozen. Nothing is global: a process may have as many groups as it likes, and what
/// they hold has nothing to do with each other.
///
/// ```
/// use frazil::{Config, Group, LowTag, Shape, Value};
///
/// const PAIR: Shape = Shape::new(1, "pair").references(2);
///
/// let group = Group::<LowTag>::new(Config::default())?;
/// let (sender, receiver) = std::sync::mpsc::channel();
/// std::thread::scope(|scope| {
///     scope.spawn(|| group.branded(|mut heap| {
///         let mut pair = heap.alloc(&PAIR, 0).unwrap();
///         pair.references_mut()[0] = Value::immediate(3);
///         let pair = heap.root(pair.finish().into());
///         sender.send(heap.share(&pair).unwrap()).unwrap();
///     }));
///     scope.spawn(|| group.branded(move |heap| {
///         let pair = heap.import(receiver.recv().unwrap()).object().unwrap();
///         assert_eq!(pair.get(0), Value::immediate(3));
///     }));
/// });
/// # Ok::<(), frazil::ConfigError>(())
/// ```
pub struct Group<H: Host> {
    pub(crate) common: Arc<Common>,
    host: PhantomData<fn(H) -> H>,
}

impl<H: Host> Clone for Group<H> {
    fn clone(&self) -> Self {
        Group { common: Arc::clone(&self.common), host: PhantomData }
    }
}

impl<H: Host> std::fmt::Debug for Group<H> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Group").field("orphans", &self.orphans()).finish_non_exhaustive()
    }
}

impl<H: Host> Group<H> {
    /// A group without heaps. Those that it makes have these settings, unless others are asked for.
    ///
    /// # Errors
    /// The settings do not agree.
    pub fn new(config: Config) -> Result<Group<H>, ConfigError> {
        config.check()?;
        let common = Arc::new(Common {
            exchange: Arc::default(),
            orphans: Orphans::default(),
            immortals: Mutex::new(Immortals::new(&config)),
            config,
            tend: |common| common.orphans.tend::<H>(common, None),
        });
        Ok(Group { common, host: PhantomData })
    }

    /// The settings of its heaps.
    pub fn config(&self) -> &Config {
        &self.common.config
    }

    /// Makes a heap of this group, with a brand of its own, and passes it to `f`. When the heap is dropped, what
    /// others hold of it lives on.
    ///
    /// # Errors
    /// The system gives no memory.
    pub fn branded<R>(&self, f: impl for<'id> FnOnce(Heap<'id, H>) -> R) -> Result<R, ConfigError> {
        self.branded_with(self.config().clone(), f)
    }

    /// The same, with settings of its own.
    ///
    /// # Errors
    /// The settings do not agree, or have another size of blocks than the group's, or the system gives no memory.
    pub fn branded_with<R>(
        &self,
        config: Config,
        f: impl for<'id> FnOnce(Heap<'id, H>) -> R,
    ) -> Result<R, ConfigError> {
        self.make(config).map(f)
    }

    /// Makes a heap of this group whose brand is shared with others.
    ///
    /// # Errors
    /// As [`Group::branded_with`].
    ///
    /// # Safety
    /// As [`Heap::unbranded`].
    pub unsafe fn unbranded(&self, config: Config) -> Result<Heap<'static, H>, ConfigError> {
        self.make(config)
    }

    pub(crate) fn make<'id>(&self, config: Config) -> Result<Heap<'id, H>, ConfigError> {
        if config.block_bytes != self.config().block_bytes {
            return Err(ConfigError("the heaps of a group have blocks of one size"));
        }
        Heap::make(config, None, Some(&self.common))
    }

    /// How many heaps have ended of which somebody still holds something, and nobody has taken over the memory.
    pub fn orphans(&self) -> usize {
        self.common.orphans.len()
    }

    /// Frees what ended heaps have left and nobody holds any more. Heaps do that in passing when they collect, and so
    /// does whoever drops a handle.
    ///
    /// Of an ended heap whose host wanted to hear of deaths, only another heap of the group can take care, which it does in
    /// passing. If none ever comes again, that memory stays as long as the group: until its last heap, handle and estate are
    /// gone, and the last [`Group`]. Then nobody hears of those deaths.
    pub fn tend(&self) {
        (self.common.tend)(&self.common);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{LowTag, Shape};

    const LEAF: Shape = Shape::new(1, "leaf").raw_words(1);

    /// A thread that comes and goes a million times leaves no inbox behind.
    #[test]
    fn the_number_of_a_heap_is_used_again() {
        let group = Group::<LowTag>::new(Config::default()).expect("good settings");
        let numbers = [(); 3].map(|()| {
            let heap = group.make(Config::default()).expect("memory");
            heap.old.borrow().abroad.as_ref().map(|abroad| abroad.owner)
        });
        assert!(numbers[0].is_some() && numbers.iter().all(|&number| number == numbers[0]));
    }

    #[test]
    fn the_number_of_a_heap_that_was_adopted_is_used_again() {
        let group = Group::<LowTag>::new(Config::default()).expect("good settings");
        let make = || group.make(Config::default()).expect("memory");
        let owner = |heap: &Heap<'_, LowTag>| heap.old.borrow().space.owner;
        let (mut heir, mut heap) = (make(), make());
        let ended = owner(&heap);
        let leaf = heap.alloc(&LEAF, 0).expect("memory").finish();
        let handle = heap.root(leaf.into());
        let _shared = heap.share(&handle).expect("frozen");
        let estate = heap.end();
        assert_ne!(owner(&make()), ended, "its estate has it");
        heir.adopt(estate);
        let next = [make(), make()];
        let next = next.each_ref().map(owner);
        assert!(next.contains(&ended), "{next:?}");
    }

    #[test]
    fn the_number_of_an_orphan_is_used_again() {
        let group = Group::<LowTag>::new(Config::default()).expect("good settings");
        let make = || group.make(Config::default()).expect("memory");
        let owner = |heap: &Heap<'_, LowTag>| heap.old.borrow().space.owner;
        let mut heap = make();
        let ended = owner(&heap);
        let leaf = heap.alloc(&LEAF, 0).expect("memory").finish();
        let handle = heap.root(leaf.into());
        let shared = heap.share(&handle).expect("frozen");
        drop(heap);
        assert_eq!((group.orphans(), owner(&make()) == ended), (1, false));
        drop(shared);
        let next = [make(), make()];
        let next = next.each_ref().map(owner);
        assert!(group.orphans() == 0 && next.contains(&ended), "{next:?}");
    }

    #[test]
    fn the_settings_of_a_group_and_its_heaps_agree() {
        let wrong = Config { nursery_bytes: 0, ..Config::default() };
        assert!(Group::<LowTag>::new(wrong.clone()).is_err());
        let group = Group::<LowTag>::new(Config::default()).expect("good settings");
        let other = Config { block_bytes: crate::BlockBytes::K4, ..Config::default() };
        assert_eq!([wrong, other].map(|config| group.make(config).is_err()), [true; 2]);
    }
}
