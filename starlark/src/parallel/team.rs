//! The threads that work for an engine: each has a machine and a heap of its own, and does what is offered.
//!
//! They begin when there is something to do for them for the first time, and end when the engine has done what it was asked
//! for: between two calls of an engine there are none, and all there is is in its own heap.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::JoinHandle;

use frazil::{Config, Group};

use crate::engine::Engine;
use crate::error::Error;
use crate::limits::Canceller;
use crate::machine::{Legacy, Loader, Machine};
use crate::syntax::Dialect;
use crate::value::Tagging;

use super::codebook::Codebook;

/// The stack of a helper: as much as the first thread of a program has. Only what is used takes memory.
const STACK_BYTES: usize = 8 << 20;

/// What an engine and its helpers have in common.
pub(crate) struct Team {
    pub group: Group<Tagging>,
    pub book: Arc<Codebook>,
    /// How to make helpers; nothing, if there are none.
    pub recipe: Option<Recipe>,
    board: Mutex<Board>,
    /// Something on the board has changed, or what somebody waits for.
    changed: Condvar,
}

/// A function that gives an engine what its programs may use.
pub(crate) type Setup = Box<dyn Fn(&mut Engine) -> Result<(), Error> + Send + Sync>;

/// How helpers are made.
pub(crate) struct Recipe {
    pub config: Config,
    pub dialect: Dialect,
    pub loader: Arc<dyn Loader + Send + Sync>,
    pub setup: Setup,
    pub helpers: usize,
    /// The names of the built-in functions after the setup.
    pub builtins: OnceLock<Vec<String>>,
    pub canceller: OnceLock<Canceller>,
}

/// Something that several threads can work on.
pub(crate) trait Work: Send + Sync {
    /// Does a part of it. Perhaps there is none left.
    fn turn(self: Arc<Self>, machine: &mut Machine);
}

/// What is offered.
#[derive(Default)]
struct Board {
    offers: Vec<Offer>,
    next: u64,
    /// Helpers are to end.
    closed: bool,
    /// What a helper has panicked with.
    panic: Option<Box<dyn Any + Send>>,
}

struct Offer {
    number: u64,
    work: Arc<dyn Work>,
    /// So many turns may be taken.
    turns: usize,
}

/// Names an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OfferNumber(u64);

impl Board {
    /// The innermost work comes first: somebody waits for it.
    fn take(&mut self) -> Option<Arc<dyn Work>> {
        let offer = self.offers.iter_mut().rev().find(|offer| offer.turns > 0)?;
        offer.turns -= 1;
        Some(Arc::clone(&offer.work))
    }
}

impl Team {
    pub fn new(group: Group<Tagging>, recipe: Option<Recipe>) -> Team {
        let book = Arc::new(Codebook::shared());
        Team { group, book, recipe, board: Mutex::default(), changed: Condvar::new() }
    }

    /// How many threads there may be, beside that of the engine.
    pub fn helpers(&self) -> usize {
        self.recipe.as_ref().map_or(0, |recipe| recipe.helpers)
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Offers work of which so many turns may be taken now.
    pub fn offer(&self, work: Arc<dyn Work>, turns: usize) -> OfferNumber {
        let mut board = self.board();
        let number = board.next;
        board.next += 1;
        board.offers.push(Offer { number, work, turns });
        drop(board);
        self.changed.notify_all();
        OfferNumber(number)
    }

    /// There are more turns to be taken, or something that somebody waits for has happened.
    pub fn announce(&self, number: OfferNumber, turns: usize) {
        let mut board = self.board();
        if let Some(offer) = board.offers.iter_mut().find(|offer| offer.number == number.0) {
            offer.turns += turns;
        }
        drop(board);
        self.changed.notify_all();
    }

    /// Something that somebody waits for has happened.
    pub fn notify(&self) {
        drop(self.board());
        self.changed.notify_all();
    }

    /// Withdraws an offer. Turns that somebody has taken go on.
    pub fn withdraw(&self, number: OfferNumber) {
        self.board().offers.retain(|offer| offer.number != number.0);
    }

    /// Waits until `is_done`, which becomes true before something is announced.
    ///
    /// # Panics
    /// A helper has.
    pub fn wait(&self, is_done: impl Fn() -> bool) {
        let mut board = self.board();
        while !is_done() {
            if let Some(payload) = board.panic.take() {
                drop(board);
                resume_unwind(payload);
            }
            board = self.changed.wait(board).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Takes a turn of what is offered, or waits until `is_done` or there is something.
    ///
    /// # Panics
    /// A helper has.
    pub fn lend_a_hand(&self, machine: &mut Machine, is_done: impl Fn() -> bool) {
        let mut board = self.board();
        while !is_done() {
            if let Some(payload) = board.panic.take() {
                drop(board);
                resume_unwind(payload);
            }
            if let Some(work) = board.take() {
                drop(board);
                return work.turn(machine);
            }
            board = self.changed.wait(board).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// What a helper does until it is dismissed. Says whether its machine is whole.
    fn serve(&self, machine: &mut Machine) -> bool {
        let mut board = self.board();
        while !board.closed {
            let Some(work) = board.take() else {
                board = self.changed.wait(board).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            drop(board);
            let outcome = catch_unwind(AssertUnwindSafe(|| work.turn(machine)));
            board = self.board();
            if let Err(payload) = outcome {
                board.panic.get_or_insert(payload);
                self.changed.notify_all();
                return false;
            }
        }
        true
    }
}

/// The place of a machine in its team.
pub(crate) struct Seat {
    pub team: Arc<Team>,
    /// How much of the codebook the machine has seen.
    pub seen: usize,
    /// Codes whose calls are active where this machine helps.
    pub around: Vec<u32>,
    /// What is predeclared for the modules of the plan is predeclared here, too.
    pub is_dressed: bool,
    /// A plan is being carried out, for which helpers have to stay.
    pub is_busy: bool,
    /// The helpers; only the machine of the engine has some.
    threads: Vec<JoinHandle<Option<Legacy>>>,
    is_helper: bool,
}

impl Seat {
    pub fn new(team: Arc<Team>, is_helper: bool) -> Seat {
        let threads = Vec::new();
        Seat { team, seen: 0, around: Vec::new(), is_dressed: false, is_busy: false, threads, is_helper }
    }

    /// Is this the machine of a helper?
    pub fn is_helper(&self) -> bool {
        self.is_helper
    }

    pub fn has_helpers(&self) -> bool {
        !self.threads.is_empty()
    }

    /// Sees to it that there are helpers. (If the system gives no thread, there are fewer.)
    pub fn gather(&mut self) {
        if self.is_helper || self.has_helpers() {
            return;
        }
        self.team.board().closed = false;
        for number in 0..self.team.helpers() {
            let team = Arc::clone(&self.team);
            let thread =
                std::thread::Builder::new().name(format!("starlark {number}")).stack_size(STACK_BYTES);
            self.threads.extend(thread.spawn(move || help(&team)));
        }
    }

    /// Ends the helpers, and gives what they leave.
    ///
    /// # Panics
    /// One of them has.
    pub fn dismiss(&mut self) -> Vec<Legacy> {
        self.team.board().closed = true;
        self.team.changed.notify_all();
        let ended: Vec<_> = self.threads.drain(..).map(JoinHandle::join).collect();
        if let Some(payload) = self.team.board().panic.take() {
            resume_unwind(payload);
        }
        ended.into_iter().filter_map(|ended| ended.unwrap_or_else(|payload| resume_unwind(payload))).collect()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if self.has_helpers() {
            self.team.board().closed = true;
            self.team.changed.notify_all();
            for thread in self.threads.drain(..) {
                // Whoever drops this has something worse to tell.
                let _ = thread.join();
            }
        }
    }
}

/// The whole life of a helper. One that cannot be made does not help.
fn help(team: &Arc<Team>) -> Option<Legacy> {
    let mut engine = Engine::helper(team)?;
    let is_whole = team.serve(engine.machine_mut());
    is_whole.then(|| engine.into_machine().end())
}
