//! What the compiler makes and the machine runs.
//!
//! A function runs in a window of 256 registers that slides over the collector's root stack, so that a register is
//! named by a byte and can always be accessed without a check. Register 0 holds the function itself, then come
//! its parameters and other variables, then temporaries. The callee of a call and its arguments stand in
//! consecutive temporaries of the caller: they become registers 0, 1, ... of the callee, and nothing is copied.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use crate::syntax::{LineCol, SourceFile, Span};

mod op;

pub use op::{Near, Op, Reg, WINDOW};

/// A function of the program, or the top level of a module.
#[derive(Clone, Debug)]
pub struct Code {
    /// Its name.
    pub name: Box<str>,
    /// Where it was written.
    pub file: SourceFile,
    /// The instructions.
    pub ops: Box<[Op]>,
    /// For each instruction, where its errors are reported.
    pub spans: Box<[Span]>,
    /// How many registers it uses.
    pub registers: usize,
    /// Its parameters.
    pub params: Params,
    /// The names of the variables in registers; the first is that of register 1.
    pub locals: Box<[Box<str>]>,
    /// Where the cells for a new function with this code are taken from.
    pub captures: Box<[Capture]>,
    /// Attributes that it uses.
    pub attrs: Box<[AttrSite]>,
    /// Calls with more than positional arguments.
    pub calls: Box<[CallSite]>,
    /// Loops, for ending them when an error leaves them.
    pub loops: Box<[LoopSite]>,
    /// `load` statements (of a module's top level).
    pub loads: Box<[LoadSite]>,
    /// What it refers to outside of itself, in the order of the object with [`shapes::LINKS`](crate::value::shapes), where
    /// the token of its program comes last.
    pub links: Box<[Link]>,
    /// The module's globals: their names, and whether they are loaded ones, which only this file sees.
    pub globals: Arc<[(Box<str>, bool)]>,
}

/// Something outside of a function that its code refers to. All functions with this code share an object that holds
/// these things and nothing else of the module, so a function keeps alive (and freezes) only what it uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Link {
    /// A constant of the module.
    Constant(u32),
    /// The cell of a global.
    Global(u32),
    /// The links of a function nested in this one. The number of its code is lower than that of this one by so much:
    /// codes do not know their own numbers, which depend on the machine.
    Code(u32),
}

impl Link {
    /// The same, in the code with this number, where the number of the nested function is given as it is.
    pub(crate) fn from(self, number: u32) -> Link {
        match self {
            Link::Code(nested) => Link::Code(number - nested),
            other => other,
        }
    }
}

impl Code {
    /// The code of a top level that has run.
    pub(crate) fn spent() -> Code {
        Code {
            name: "<toplevel>".into(),
            file: SourceFile::new("", ""),
            ops: Box::new([]),
            spans: Box::new([]),
            registers: 0,
            params: Params::default(),
            locals: Box::new([]),
            captures: Box::new([]),
            attrs: Box::new([]),
            calls: Box::new([]),
            loops: Box::new([]),
            loads: Box::new([]),
            links: Box::new([]),
            globals: Arc::new([]),
        }
    }

    /// Line and column of the instruction at `pc`.
    pub fn place(&self, pc: usize) -> (Span, LineCol) {
        let span = self.spans.get(pc).copied().unwrap_or_default();
        (span, self.file.line_col(span.start))
    }

    /// How many registers are in use when the instruction at `pc` is about to be executed, if it is one at which the program
    /// may be interrupted: temporaries are taken and given back like a stack, and those of a call or loop are the last. (One
    /// that waits for the result of the call, or of one around it, has nothing in it yet but what was there before.)
    pub(crate) fn in_use_at(&self, pc: usize) -> usize {
        let behind = |base: Reg, count: usize| base as usize + 1 + count;
        match self.ops.get(pc) {
            Some(&(Op::Call { base, count, .. } | Op::CallMethod { base, count, .. })) => {
                behind(base, count as usize)
            }
            Some(&(Op::CallWith { base, site, .. } | Op::CallMethodWith { base, site, .. })) => {
                behind(base, self.calls[site as usize].operands())
            }
            // The two words of the loop's state.
            Some(&(Op::Next { r, .. } | Op::Again { r, .. })) => behind(r, 1),
            _ => self.registers,
        }
    }

    /// The loops that are in progress while the instruction at `pc` is executed.
    pub fn loops_at(&self, pc: u32) -> impl Iterator<Item = &LoopSite> {
        self.loops.iter().filter(move |site| (site.start..site.end).contains(&pc))
    }
}

/// The parameters of a function in the order of their registers, which begin at 1.
#[derive(Clone, Debug, Default)]
pub struct Params {
    /// Names of all but `*args` and `**kwargs`: first the positional ones, then those by keyword only.
    pub names: Box<[Box<str>]>,
    /// How many can be given by position.
    pub positional: usize,
    /// How many of the positional ones have a default: the last.
    pub defaults: usize,
    /// Is there `*args`?
    pub args: bool,
    /// Is there `**kwargs`?
    pub kwargs: bool,
}

impl Params {
    /// Parameters by keyword only.
    pub fn keyword_only(&self) -> usize {
        self.names.len() - self.positional
    }

    /// Values that a function object holds for defaults; mandatory parameters by keyword only have an unset one.
    pub fn default_slots(&self) -> usize {
        self.defaults + self.keyword_only()
    }

    /// Only parameters that can be given by position.
    #[inline(always)]
    pub fn simple(&self) -> bool {
        self.positional == self.names.len() && !self.args && !self.kwargs
    }
}

/// A variable that a closure takes along.
#[derive(Clone, Debug)]
pub struct Capture {
    /// Its name.
    pub name: Box<str>,
    /// Where the enclosing function has its cell.
    pub from: CaptureFrom,
}

/// Where a cell is.
#[derive(Clone, Copy, Debug)]
pub enum CaptureFrom {
    /// In a register.
    Register(Reg),
    /// At this place of the enclosing function's object.
    Function(u32),
    /// In the object for variables that have no register.
    Spilled {
        /// The register with the object.
        from: Reg,
        /// The place in it.
        slot: u32,
    },
}

/// A place where the program names an attribute.
#[derive(Clone, Debug)]
pub struct AttrSite {
    /// The link to the name.
    pub name: u32,
    /// The number of the name among those of built-in methods, or [`AttrSite::NO_METHOD`].
    pub method: u16,
    /// Where a struct had the field last time.
    pub hint: Hint,
}

impl AttrSite {
    /// No built-in type has a method of this name.
    pub const NO_METHOD: u16 = u16::MAX;
}

/// A small number that speeds up a search and may be wrong at any time.
#[derive(Debug, Default)]
pub struct Hint(AtomicU8);

impl Clone for Hint {
    fn clone(&self) -> Hint {
        Hint::default()
    }
}

impl Hint {
    /// The number.
    #[inline(always)]
    pub fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed) as usize
    }

    /// Remembers a number if it is small enough.
    #[inline(always)]
    pub fn set(&self, hint: usize) {
        // Threads that share the code would take its cache line from each other.
        if let Ok(hint) = u8::try_from(hint)
            && self.0.load(Ordering::Relaxed) != hint
        {
            self.0.store(hint, Ordering::Relaxed);
        }
    }
}

/// The arguments of a call that has more than positional ones. They stand behind the callee in this order.
#[derive(Clone, Debug)]
pub struct CallSite {
    /// Given by position.
    pub positional: usize,
    /// The links to the names of those given by name.
    pub names: Box<[u32]>,
    /// Is there `*args`?
    pub args: bool,
    /// Is there `**kwargs`?
    pub kwargs: bool,
    /// The attribute, if one is called.
    pub attr: u32,
}

impl CallSite {
    /// Nothing but positional arguments and `*args`.
    #[inline(always)]
    pub fn only_spreads(&self) -> bool {
        self.args && !self.kwargs && self.names.is_empty()
    }

    /// How many registers the arguments take.
    fn operands(&self) -> usize {
        self.positional + self.names.len() + usize::from(self.args) + usize::from(self.kwargs)
    }
}

/// The instructions during which a loop is in progress.
#[derive(Clone, Copy, Debug)]
pub struct LoopSite {
    /// The first.
    pub start: u32,
    /// Behind the last.
    pub end: u32,
    /// The first register of the loop's state.
    pub r: Reg,
}

/// A `load` statement.
#[derive(Clone, Debug)]
pub struct LoadSite {
    /// The module's name as it is written.
    pub module: Box<str>,
    /// Where the name stands.
    pub span: Span,
    /// The link to the global it is bound to, the name in the loaded module, and where that stands.
    pub symbols: Box<[(u32, Box<str>, Span)]>,
}
