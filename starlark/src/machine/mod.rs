//! The machine: frames, the loop around the instructions, collections, and errors.
//!
//! The instructions themselves ([`dispatch`](self)) run with the heap borrowed, so that values can be held in Rust
//! variables and nothing moves. Whatever needs the heap for itself, a collection above all, ends that borrow: the
//! dispatch loop returns a `Step`, all state being in frames and registers, and is entered again afterwards.

mod back;
mod call;
mod callee;
mod current;
mod dispatch;
mod embed;
mod higher;
mod modules;
mod planted;
mod session;
mod unpack;
mod unwind;
mod watch;

use std::cell::Cell;
use std::sync::Arc;

use frazil::{AllocError, Request};

use crate::code::{Code, WINDOW};
use crate::cx::{self, Cx, ROOT_WORDS};
use crate::failure::{Failure, Res};
use crate::host::Host;
use crate::limits::Limit;
use crate::parallel::{Codebook, Seat};
use crate::picture::Place;
use crate::syntax::{Diagnostic, Dialect};
use crate::value::{Heap, Value};

pub use embed::Arguments;
pub use modules::Loader;
pub(crate) use modules::{Done, Kept, Legacy, Modules, kept_value};
pub use planted::Mistake;
pub(crate) use session::Globals;
pub(crate) use unwind::show_frames;
pub use watch::{View, Watch};

/// How often functions that call back may call the program which calls such functions and so on: each such round takes a
/// piece of the system's stack.
const ROUNDS_MAX: usize = 100;
/// Words by which the root stack is extended at least.
const STACK_STEP: usize = 1024;

/// A call in progress.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    /// The number of its code.
    code: u32,
    /// Where its registers begin on the root stack.
    base: u32,
    /// The instruction to be executed next. That of a caller is the one behind the call.
    pc: u32,
    /// The register of the caller that gets the result.
    d: u8,
    entry: Entry,
}

/// Who made a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Entry {
    /// An instruction.
    Instruction,
    /// The machine: the result goes to the callee's register 0.
    Machine,
    /// The same for a built-in function.
    Builtin(u32),
}

/// Why the dispatch loop stopped.
enum Step {
    /// A collection is due.
    Collect,
    /// The entry frame has returned.
    Done,
    /// A function wants to call back: its state is in this word of the root stack, its result goes to register `d`.
    Reenter { builtin: u32, slot: usize, d: u8 },
    /// A `load` statement.
    Load(u32),
}

/// An interpreter with its heap.
pub struct Machine {
    /// Its place among machines that share values, if there are others. It goes before the heap: a heap that is all that is
    /// left of its group goes at once.
    seat: Option<Seat>,
    heap: Heap,
    host: Host,
    frames: Vec<Frame>,
    /// For each code, how many of its calls are active.
    active: Vec<Cell<u32>>,
    /// Words of the root stack that are in use beyond the last frame.
    reserved: usize,
    /// See [`ROUNDS_MAX`].
    rounds: usize,
    /// The function that calls back now.
    running: Option<u32>,
    /// How many calls of the embedding program's functions are under way in the machine itself: see [`higher`].
    inside: usize,
    /// The instruction (and depth) that is being repeated after memory ran out.
    repeated: Option<(usize, u32)>,
    modules: Modules,
    /// Looks at the heap now and then.
    watch: Option<Box<dyn Watch>>,
    dialect: Dialect,
    /// How many times it may still collect.
    collections_left: u64,
    /// See [`Mistake`].
    planted: Option<Mistake>,
}

impl Machine {
    /// A machine on a heap of its own.
    ///
    /// # Errors
    /// There is no memory even for its own values.
    pub(crate) fn new(
        heap: Heap,
        dialect: Dialect,
        loader: Box<dyn Loader>,
        seat: Option<Seat>,
    ) -> Result<Machine, AllocError> {
        let numbers = match &seat {
            Some(seat) => Arc::clone(&seat.team.book),
            None => Arc::new(Codebook::default()),
        };
        heap.stack_grow(ROOT_WORDS).ok_or(AllocError::System { requested: ROOT_WORDS })?;
        cx::make_roots(&heap)?;
        let host = Host::new(dialect);
        Cx::new(&heap, &host).renew_interned();
        Ok(Machine {
            heap,
            host,
            frames: Vec::new(),
            active: Vec::new(),
            reserved: ROOT_WORDS,
            rounds: 0,
            running: None,
            inside: 0,
            repeated: None,
            modules: Modules::new(loader, numbers),
            watch: None,
            dialect,
            collections_left: u64::MAX,
            planted: None,
            seat,
        })
    }

    /// The context of operations.
    pub(crate) fn cx(&self) -> Cx<'_> {
        Cx::new(&self.heap, &self.host)
    }

    /// The heap, for what needs it alone.
    pub(crate) fn heap_mut(&mut self) -> &mut Heap {
        &mut self.heap
    }

    /// The heap.
    pub(crate) fn heap(&self) -> &Heap {
        &self.heap
    }

    /// The tables of the host.
    pub(crate) fn host_mut(&mut self) -> &mut Host {
        &mut self.host
    }

    /// The calls in progress, outermost first: the number of the code, where the registers begin on the root stack,
    /// and the instruction behind the one that is being executed.
    pub(crate) fn calls(&self) -> impl Iterator<Item = (u32, usize, usize)> {
        self.frames.iter().map(|frame| (frame.code, frame.base as usize, frame.pc as usize))
    }

    /// All code, by its numbers.
    pub(crate) fn codes(&self) -> &[Arc<Code>] {
        &self.host.codes
    }

    /// Where the program allocates, by site (from 1), if it is profiled.
    pub(crate) fn places(&self) -> &[Place] {
        self.host.places.as_deref().unwrap_or_default()
    }

    /// A word of the root stack.
    pub(crate) fn slot(&self, at: usize) -> &Cell<Value<'_>> {
        &self.heap.stack_from(at)[0]
    }

    /// Gives a function a word of the root stack: the state or the result of a call.
    pub(crate) fn with<R>(
        &self,
        at: usize,
        look: impl for<'s> FnOnce(Cx<'s>, &'s Cell<Value<'s>>) -> R,
    ) -> R {
        look(self.cx(), self.slot(at))
    }

    /// The first word of the root stack that is not in use.
    fn top(&self) -> usize {
        let frame = self
            .frames
            .last()
            .map_or(0, |frame| frame.base as usize + self.host.codes[frame.code as usize].registers);
        frame.max(self.reserved)
    }

    /// Collects. Everything above the registers of the running function is dropped.
    ///
    /// # Errors
    /// The collection failed.
    ///
    /// # Panics
    /// In checking mode, if a register or something else the machine keeps leads to no object.
    pub fn collect(&mut self, request: Request) -> Result<(), AllocError> {
        self.host.handles.release(&self.heap);
        self.heap.stack_truncate(self.top().min(self.heap.stack_len()));
        match self.planted {
            None => _ = self.heap.collect(request),
            Some(mistake) => self.collect_mistakenly(mistake, request),
        }
        self.sweep_codes();
        if self.host.residents.len() > 0 {
            self.host.residents.sweep(&self.heap);
        }
        if self.heap.config().check
            && let Err(violation) = self.heap.verify_references()
        {
            panic!("the program cannot go on after a collection: {violation}");
        }
        let base = self.frames.last().map_or(0, |frame| frame.base as usize);
        if !ensure_window(&self.heap, base.max(self.top().saturating_sub(WINDOW))) {
            return Err(AllocError::System { requested: WINDOW * 8 });
        }
        Ok(())
    }

    /// Runs until the entry frame on top has returned.
    fn run(&mut self) -> Res<()> {
        let depth = self.frames.len();
        loop {
            let stepped =
                dispatch::run(&self.heap, &self.host, &mut self.frames, &self.active, &self.dialect);
            let outcome = match stepped {
                Ok(Step::Done) => return Ok(()),
                Ok(Step::Collect) => {
                    let collected = self.collect_at_safepoint();
                    self.show(|watch, view| watch.collected(view));
                    collected
                }
                Ok(Step::Reenter { builtin, slot, d }) => self.reenter(builtin, slot, d),
                Ok(Step::Load(load)) => self.load(load),
                Err(failure) => self.repeat_after_collection(failure),
            };
            if let Err(failure) = outcome {
                if matches!(*failure, Failure::Alloc(_) | Failure::Refused(_) | Failure::Room(_)) {
                    self.show(|watch, view| watch.exhausted(view));
                }
                return Err(self.unwind(*failure, depth));
            }
        }
    }

    /// Empties the registers of the running function from `end` on: what is in temporaries that are not in use any more, or was
    /// left there by calls that are over, need not be kept alive.
    fn forget_registers(&self, frame: Frame, end: usize) {
        let registers = self.host.codes[frame.code as usize].registers;
        let window = self.heap.stack_from(frame.base as usize);
        for register in window.get(end..registers).unwrap_or_default() {
            register.set(Value::EMPTY);
        }
    }

    /// The same before a collection at the instruction that is about to be executed.
    fn forget_temporaries(&self) {
        if let Some(&frame) = self.frames.last() {
            self.forget_registers(frame, self.host.codes[frame.code as usize].in_use_at(frame.pc as usize));
        }
    }

    fn collect_at_safepoint(&mut self) -> Res<()> {
        spend_collection(&mut self.collections_left)?;
        self.repeated = None;
        self.forget_temporaries();
        self.collect(Request::Auto)?;
        Ok(())
    }

    /// From now on the program may collect so many times: at safepoints, and where memory runs out.
    pub(crate) fn limit_collections(&mut self, collections: u64) {
        self.collections_left = collections;
    }

    /// If memory ran out, collects everything and has the instruction executed once more.
    fn repeat_after_collection(&mut self, failure: Box<Failure>) -> Res<()> {
        let (depth, Some(frame)) = (self.frames.len(), self.frames.last_mut()) else { return Err(failure) };
        if !failure.is_for_want_of_room() || self.repeated == Some((depth, frame.pc)) {
            return Err(failure);
        }
        spend_collection(&mut self.collections_left)?;
        self.repeated = Some((depth, frame.pc));
        frame.pc -= 1;
        self.forget_temporaries();
        self.collect(Request::Complete)?;
        Ok(())
    }

    /// The failure as an error with a place, for the embedding program.
    pub(crate) fn diagnose(&self, failure: Failure) -> Diagnostic {
        match failure {
            Failure::Placed(diagnostic) => *diagnostic,
            other => unwind::without_place(&other),
        }
    }
}

/// Makes sure that a whole window of registers can be addressed at `base`.
fn ensure_window(heap: &Heap, base: usize) -> bool {
    let wanted = base + WINDOW;
    let len = heap.stack_len();
    wanted <= len
        || heap.stack_grow((wanted - len).max(STACK_STEP)).is_some()
        || heap.stack_grow(wanted - len).is_some()
}

/// Counts a collection, if there may be one more.
fn spend_collection(left: &mut u64) -> Res<()> {
    let Some(fewer) = left.checked_sub(1) else {
        return Err(Box::new(Failure::Limit(Limit::Collections)));
    };
    *left = fewer;
    Ok(())
}
