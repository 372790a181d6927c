//! Places for shared values that several threads know: channels, a cell that is full or empty, and a constant that
//! somebody publishes anew.

use std::sync::mpsc::{self, SyncSender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use crate::heap::Heap;
use crate::host::Host;
use crate::roots::Handle;
use crate::value::Value;

use super::shared::{ShareError, Shared};

const NEVER_POISONED: &str = "nobody panics while a place is locked";

/// A channel with room for `room` values (0: each sender waits for a receiver).
pub fn channel<H: Host>(room: usize) -> (Sender<H>, Receiver<H>) {
    let (sender, receiver) = mpsc::sync_channel(room);
    (Sender(sender), Receiver(receiver))
}

/// The end of a [`channel`] that values go into. It may be cloned.
#[derive(Debug)]
pub struct Sender<H: Host>(SyncSender<Shared<H>>);

impl<H: Host> Clone for Sender<H> {
    fn clone(&self) -> Self {
        Sender(self.0.clone())
    }
}

/// Why a value could not be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendError {
    /// It cannot be shared.
    Share(ShareError),
    /// Nobody receives any more.
    Closed,
}

impl std::fmt::Display for SendError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            SendError::Share(error) => error.fmt(f),
            SendError::Closed => f.write_str("nobody receives any more"),
        }
    }
}
impl std::error::Error for SendError {}

impl<H: Host> Sender<H> {
    /// Shares what `handle` holds ([`Heap::share`]) and sends it. Waits while there is no room.
    ///
    /// # Errors
    /// See [`SendError`].
    pub fn send<'id>(&self, heap: &mut Heap<'id, H>, handle: &Handle<'id>) -> Result<(), SendError> {
        let shared = heap.share(handle).map_err(SendError::Share)?;
        self.0.send(shared).map_err(|_| SendError::Closed)
    }
}

/// The end of a [`channel`] that values come out of.
#[derive(Debug)]
pub struct Receiver<H: Host>(mpsc::Receiver<Shared<H>>);

impl<H: Host> Receiver<H> {
    /// Waits for the next value, and imports it. `None` if all senders are gone.
    pub fn receive<'s, 'id>(&self, heap: &'s Heap<'id, H>) -> Option<Value<'s, 'id, H>> {
        self.0.recv().ok().map(|shared| heap.import(shared))
    }

    /// The next value, if there is one now.
    pub fn try_receive<'s, 'id>(&self, heap: &'s Heap<'id, H>) -> Option<Value<'s, 'id, H>> {
        self.0.try_recv().ok().map(|shared| heap.import(shared))
    }
}

/// A place that is full or empty (an MVar). Whoever takes waits until it is full, whoever puts until it is empty. Clones
/// are the same place.
#[derive(Debug)]
pub struct Mailbox<H: Host>(Arc<Place<Option<Shared<H>>>>);

/// A state and the threads that wait for another one.
#[derive(Debug, Default)]
struct Place<T> {
    state: Mutex<T>,
    changed: Condvar,
}

impl<T> Place<T> {
    /// Waits until `ready`, and changes the state.
    fn when<R>(&self, ready: impl Fn(&T) -> bool, change: impl FnOnce(&mut T) -> R) -> R {
        let state = self.state.lock().expect(NEVER_POISONED);
        let mut state: MutexGuard<'_, T> =
            self.changed.wait_while(state, |state| !ready(state)).expect(NEVER_POISONED);
        let result = change(&mut state);
        self.changed.notify_all();
        result
    }
}

impl<H: Host> Clone for Mailbox<H> {
    fn clone(&self) -> Self {
        Mailbox(Arc::clone(&self.0))
    }
}

impl<H: Host> Default for Mailbox<H> {
    fn default() -> Self {
        Mailbox(Arc::new(Place { state: Mutex::new(None), changed: Condvar::new() }))
    }
}

impl<H: Host> Mailbox<H> {
    /// An empty one.
    pub fn new() -> Mailbox<H> {
        Mailbox::default()
    }

    /// Fills it. Waits while it is full.
    pub fn put(&self, shared: Shared<H>) {
        self.0.when(Option::is_none, |state| *state = Some(shared));
    }

    /// Empties it. Waits while it is empty.
    pub fn take(&self) -> Shared<H> {
        self.0.when(Option::is_some, |state| state.take().expect("it is full"))
    }

    /// What is in it, left where it is. Waits while it is empty.
    pub fn read(&self) -> Shared<H> {
        self.0.when(Option::is_some, |state| state.clone().expect("it is full"))
    }

    /// Empties it, if it is full.
    pub fn try_take(&self) -> Option<Shared<H>> {
        self.0.when(|_| true, Option::take)
    }
}

/// A value that one thread publishes, and publishes anew, and that all others may look at: a configuration, a table of
/// modules. Clones are the same place.
#[derive(Debug)]
pub struct Published<H: Host>(Arc<Place<(u64, Shared<H>)>>);

impl<H: Host> Clone for Published<H> {
    fn clone(&self) -> Self {
        Published(Arc::clone(&self.0))
    }
}

impl<H: Host> Published<H> {
    /// Publishes a first value.
    pub fn new(shared: Shared<H>) -> Published<H> {
        Published(Arc::new(Place { state: Mutex::new((1, shared)), changed: Condvar::new() }))
    }

    /// Publishes another value. What others still hold of the old one lives on.
    pub fn publish(&self, shared: Shared<H>) {
        let old = self.0.when(
            |_| true,
            |(edition, current)| {
                *edition += 1;
                std::mem::replace(current, shared)
            },
        );
        drop(old);
    }

    /// The value, and how often one has been published.
    pub fn current(&self) -> (u64, Shared<H>) {
        self.0.state.lock().expect(NEVER_POISONED).clone()
    }

    /// Waits until something newer than this edition is published.
    pub fn newer_than(&self, edition: u64) -> (u64, Shared<H>) {
        self.0.when(|&(current, _)| current > edition, |state| state.clone())
    }
}
