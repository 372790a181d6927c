//! The kernel of the exchange: how adjustments of counts get from one owner to another. Nothing else of the
//! collector is needed to understand it, and it uses nothing else: `fuzz/protocol` checks it by itself, under every
//! schedule of a few threads.
//!
//! ```text
//! a heap at the end of its collection:               an owner at the beginning of its next one:
//!     seal:  net change of each foreign object           take:  all that is in the inbox
//!            -> one batch for each owner,                apply: what comes to count zero is a candidate,
//!               all increments before any decrement             judged after the trace, never at once
//!     post:  one batch after the other
//! ```
//!
//! **Why nothing is lost.** Whoever can send a decrement of an object has a claim on it: a retain bit, a counted
//! reference, or a message in flight. Its increment was posted before the claim could be given up, and before
//! whatever led to the object lost its own. An inbox is linearizable: what was posted before is taken before, or
//! together. So no prefix of an inbox takes away a count that another part of it has still to bring.
//!
//! **Why a dead owner's mail arrives.** The objects of an owner stay together: they get another owner all at once
//! ([`Exchange::hand_over`]). Posting looks the owner up, and has posted, while nobody can hand over; handing over
//! moves what is in the inbox before anybody can post to the heir what came later.

use super::primitive::{AtomicBool, AtomicU32, Mutex, Ordering, RwLock};

/// Who may write the counts and bits of a block: a heap, or what an ended one has left. Numbers are used again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Owner(pub u32);

impl Owner {
    /// Of a heap that belongs to no group.
    pub const ALONE: Owner = Owner(0);
    /// Of what lives as long as its group, and is never counted.
    pub const IMMORTAL: Owner = Owner(1);
}

/// The place in a chunk that says whose it is. Anybody may read it.
#[derive(Debug, Default)]
#[repr(transparent)]
pub struct OwnerWord(AtomicU32);

impl OwnerWord {
    /// Whose it is. Whether it is one's own can be asked at any time: only oneself changes that. For whose else it
    /// is, nobody may hand over meanwhile.
    #[inline(always)]
    pub fn get(&self) -> Owner {
        Owner(self.0.load(Ordering::Relaxed))
    }

    /// Only for a new chunk, and within [`Exchange::hand_over`].
    pub fn set(&self, owner: Owner) {
        self.0.store(owner.0, Ordering::Relaxed);
    }
}

/// By how much the count of an object changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Adjustment {
    /// Its address.
    pub object: usize,
    /// Never zero.
    pub delta: i64,
}

/// Adjustments of objects of one owner: all up, or all down. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch(Vec<Adjustment>);

impl Batch {
    /// What is in it.
    pub fn adjustments(&self) -> &[Adjustment] {
        &self.0
    }
}

/// Batches that are to be posted in this order: those that bring counts come before those that take them.
#[derive(Debug, Default)]
pub struct Outgoing(std::collections::VecDeque<Batch>);

impl Outgoing {
    /// Is everything posted?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What has not been posted yet.
    pub fn batches(&self) -> impl Iterator<Item = &Batch> {
        self.0.iter()
    }

    /// For the proof machinery alone: those that take counts come first.
    pub fn reverse(&mut self) {
        self.0.make_contiguous().reverse();
    }
}

/// What others have posted to one owner.
#[derive(Debug, Default)]
struct Inbox {
    batches: Mutex<Vec<Batch>>,
    /// Nobody takes what is in it unless woken.
    orphaned: AtomicBool,
}

#[derive(Debug, Default)]
struct Inboxes {
    /// By the owner's number.
    all: Vec<Inbox>,
    /// Numbers that may be used again.
    free: Vec<Owner>,
}

/// The inboxes of all owners of a group.
#[derive(Debug)]
pub struct Exchange {
    /// Read by whoever posts or takes; written when an owner comes or goes.
    inboxes: RwLock<Inboxes>,
    /// Something was posted to an orphan since somebody last looked.
    woken: AtomicBool,
}

impl Default for Exchange {
    fn default() -> Self {
        // Of the two owners who never get anything.
        let all = vec![Inbox::default(), Inbox::default()];
        Exchange { inboxes: RwLock::new(Inboxes { all, free: Vec::new() }), woken: AtomicBool::new(false) }
    }
}

impl Exchange {
    /// A new owner, with an empty inbox.
    pub fn join(&self) -> Owner {
        let mut inboxes = self.inboxes.write().expect(NEVER_POISONED);
        inboxes.free.pop().unwrap_or_else(|| {
            inboxes.all.push(Inbox::default());
            Owner(inboxes.all.len() as u32 - 1)
        })
    }

    /// Ends an owner who has no objects any more.
    ///
    /// # Panics
    /// There is something in its inbox.
    pub fn leave(&self, owner: Owner) {
        let mut inboxes = self.inboxes.write().expect(NEVER_POISONED);
        assert!(!inboxes.has_mail(owner), "somebody has a claim on an owner without objects");
        inboxes.end(owner);
    }

    /// Ends the owner `from`: all its objects get the owner `to`, which is what `rename` does, and `to` gets its
    /// inbox. Takes as long as `rename`; nobody posts or takes meanwhile.
    pub fn hand_over(&self, from: Owner, to: Owner, rename: impl FnOnce()) {
        let mut inboxes = self.inboxes.write().expect(NEVER_POISONED);
        let batches = inboxes.take(from);
        inboxes.all[to.0 as usize].batches.lock().expect(NEVER_POISONED).extend(batches);
        rename();
        inboxes.end(from);
    }

    /// Makes batches of `changes`, one for each owner and direction. Changes by zero are left out.
    pub fn seal(
        &self,
        changes: impl IntoIterator<Item = Adjustment>,
        owner_of: impl Fn(usize) -> Owner,
    ) -> Outgoing {
        // While this is held, objects with the same owner are objects that stay together.
        let _nobody_hands_over = self.inboxes.read().expect(NEVER_POISONED);
        let mut sorted: Vec<(bool, Owner, Adjustment)> = changes
            .into_iter()
            .filter(|change| change.delta != 0)
            .map(|change| (change.delta < 0, owner_of(change.object), change))
            .collect();
        sorted.sort_unstable_by_key(|&(down, owner, change)| (down, owner, change.object));
        let batches = sorted.chunk_by(|one, other| (one.0, one.1) == (other.0, other.1));
        Outgoing(batches.map(|batch| Batch(batch.iter().map(|&(.., change)| change).collect())).collect())
    }

    /// Posts the next batch, and says whether there was one.
    pub fn post_next(&self, outgoing: &mut Outgoing, owner_of: impl Fn(usize) -> Owner) -> bool {
        let Some(batch) = outgoing.0.pop_front() else { return false };
        let inboxes = self.inboxes.read().expect(NEVER_POISONED);
        let inbox = &inboxes.all[owner_of(batch.0[0].object).0 as usize];
        inbox.batches.lock().expect(NEVER_POISONED).push(batch);
        if inbox.orphaned.load(Ordering::Acquire) {
            self.woken.store(true, Ordering::Release);
        }
        true
    }

    /// Posts everything.
    pub fn post(&self, mut outgoing: Outgoing, owner_of: impl Fn(usize) -> Owner) {
        while self.post_next(&mut outgoing, &owner_of) {}
    }

    /// Everything that has been posted to `owner`, for itself or whoever acts for it.
    pub fn take(&self, owner: Owner) -> Vec<Batch> {
        self.inboxes.read().expect(NEVER_POISONED).take(owner)
    }

    /// What [`Exchange::take`] would give, left where it is.
    pub fn look(&self, owner: Owner) -> Vec<Batch> {
        let inboxes = self.inboxes.read().expect(NEVER_POISONED);
        inboxes.all[owner.0 as usize].batches.lock().expect(NEVER_POISONED).clone()
    }

    /// Is there anything to take?
    pub fn has_mail(&self, owner: Owner) -> bool {
        self.inboxes.read().expect(NEVER_POISONED).has_mail(owner)
    }

    /// From now on somebody has to be woken for `owner`.
    pub fn orphan(&self, owner: Owner) {
        let inboxes = self.inboxes.read().expect(NEVER_POISONED);
        inboxes.all[owner.0 as usize].orphaned.store(true, Ordering::Release);
        // What came before had nobody to wake.
        if inboxes.has_mail(owner) {
            self.woken.store(true, Ordering::Release);
        }
    }

    /// Whoever comes by next is to look at the orphans.
    pub fn rouse(&self) {
        self.woken.store(true, Ordering::Release);
    }

    /// Has something been posted to an orphan since this was last asked?
    pub fn wake(&self) -> bool {
        self.woken.load(Ordering::Relaxed) && self.woken.swap(false, Ordering::AcqRel)
    }
}

impl Inboxes {
    fn take(&self, owner: Owner) -> Vec<Batch> {
        std::mem::take(&mut self.all[owner.0 as usize].batches.lock().expect(NEVER_POISONED))
    }

    fn has_mail(&self, owner: Owner) -> bool {
        !self.all[owner.0 as usize].batches.lock().expect(NEVER_POISONED).is_empty()
    }

    /// The number may be used again: nobody has an object of this owner, and nobody can look one up.
    fn end(&mut self, owner: Owner) {
        self.all[owner.0 as usize].orphaned.store(false, Ordering::Relaxed);
        self.free.push(owner);
    }
}

/// Nothing panics while it holds one of the locks, but for want of memory.
const NEVER_POISONED: &str = "nobody panicked in the exchange";
