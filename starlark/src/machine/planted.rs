//! Mistakes that a machine like this one could make in keeping its values, to prove that checking mode finds them.
//!
//! None is made unless it is asked for by name. The machine then has the next collections overlook words that it
//! keeps as roots or in objects of its own, just as if it had forgotten them there.

use std::collections::BTreeSet;

use frazil::{Overlooked, Place, Request};

use crate::code::{Code, Link, Op, Reg};
use crate::cx::{ROOT_INTERNED, ROOT_KEPT, ROOT_STATICS};

use super::{Entry, Frame, Machine};

macro_rules! mistakes {
    ($($(#[doc = $doc:literal])* $mistake:ident $name:literal,)*) => {
        /// Something that the machine forgets in every collection.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Mistake { $($(#[doc = $doc])* $mistake,)* }

        impl Mistake {
            /// Every mistake.
            pub const ALL: &[Mistake] = &[$(Mistake::$mistake),*];

            /// Its name.
            pub const fn name(self) -> &'static str {
                match self { $(Mistake::$mistake => $name,)* }
            }

            /// What is done wrong, in a sentence.
            pub const fn deed(self) -> &'static str {
                match self { $(Mistake::$mistake => concat!($($doc),*),)* }
            }
        }
    };
}

mistakes! {
    /// The registers of the running function are not rooted.
    Registers "registers",
    /// The registers of the functions that called it are not rooted.
    CallersRegisters "callers-registers",
    /// The arguments of a call that is about to happen are not rooted.
    Arguments "arguments",
    /// What a loop runs over, and how far it has come, is not rooted.
    LoopState "loop-state",
    /// The list that a comprehension fills is not rooted.
    Accumulator "accumulator",
    /// The state of a built-in function that calls back is not rooted.
    BuiltinState "builtin-state",
    /// The globals of running modules are not looked at.
    Globals "globals",
    /// The constants of a module's code are not looked at.
    Constants "constants",
    /// The default values of parameters are not looked at.
    Defaults "defaults",
    /// The variables that functions have captured are not looked at.
    Captured "captured",
    /// What loaded modules export is not looked at.
    Modules "modules",
    /// Predeclared values are not looked at.
    Predeclared "predeclared",
    /// The machine's own strings are not rooted.
    Strings "strings",
    /// Writes into objects that an earlier collection has seen are not reported.
    Touches "touches",
}

impl Mistake {
    /// The mistake of this name.
    pub fn named(name: &str) -> Option<Mistake> {
        Mistake::ALL.iter().copied().find(|mistake| mistake.name() == name)
    }
}

/// A word of the root stack.
fn root(root: usize) -> Place {
    Place { root, path: Vec::new() }
}

/// References of the object that one leads to from a frame's function.
fn inside(frame: &Frame, way: &[usize], references: impl Iterator<Item = usize>) -> Vec<Place> {
    references.map(|last| Place { root: frame.base as usize, path: [way, &[last]].concat() }).collect()
}

impl Machine {
    /// Collects, and makes a mistake in it.
    #[cold]
    #[allow(unsafe_code)]
    pub(super) fn collect_mistakenly(&mut self, mistake: Mistake, request: Request) {
        let overlooked = Overlooked { places: self.forgotten(mistake), touches: mistake == Mistake::Touches };
        // SAFETY: the heap is in checking mode (see `plant`), so `collect`, the only caller, verifies every
        // reference before anything is read; and if one leads nowhere, it panics, and nothing is read after that
        // (`Engine::plant`).
        unsafe { self.heap.collect_overlooking(request, &overlooked) };
    }

    /// From now on the machine makes a mistake.
    ///
    /// # Panics
    /// The heap is not in checking mode.
    pub(crate) fn plant(&mut self, mistake: Mistake) {
        assert!(
            self.heap.config().check,
            "only checking mode can make sure that nothing is read that is gone"
        );
        self.planted = Some(mistake);
    }

    fn code_of(&self, frame: &Frame) -> &Code {
        &self.host.codes[frame.code as usize]
    }

    /// The words that a mistake leaves out. A frame's register 0, the function itself, is never among them.
    fn forgotten(&self, mistake: Mistake) -> Vec<Place> {
        let running = self.frames.last();
        match mistake {
            Mistake::Registers => running.map_or(Vec::new(), |frame| {
                let base = frame.base as usize;
                (base + 1..base + self.code_of(frame).registers).map(root).collect()
            }),
            Mistake::CallersRegisters => {
                let registers = |pair: &[Frame]| (pair[0].base as usize + 1..pair[1].base as usize).map(root);
                self.frames.windows(2).flat_map(registers).collect()
            }
            Mistake::Arguments => running.map_or(Vec::new(), |frame| self.arguments(frame)),
            Mistake::LoopState => {
                self.registers(|code, at| code.loops_at(at).flat_map(|site| [site.r, site.r + 1]).collect())
            }
            Mistake::Accumulator => self.registers(accumulators),
            Mistake::BuiltinState => self.builtin_states(),
            Mistake::Globals => self.links(|link| matches!(link, Link::Global(_))),
            Mistake::Constants => self.links(|link| matches!(link, Link::Constant(_))),
            Mistake::Defaults => {
                let count = |frame: &Frame| self.code_of(frame).params.default_slots();
                self.frames.iter().flat_map(|frame| inside(frame, &[], 1..1 + count(frame))).collect()
            }
            Mistake::Captured => {
                let places = |frame: &Frame| {
                    let code = self.code_of(frame);
                    let first = 1 + code.params.default_slots();
                    inside(frame, &[], first..first + code.captures.len())
                };
                self.frames.iter().flat_map(places).collect()
            }
            Mistake::Modules => self.modules.kept_modules().map(kept).collect(),
            Mistake::Predeclared => self.modules.kept_values().map(kept).collect(),
            Mistake::Strings => vec![root(ROOT_STATICS), root(ROOT_INTERNED)],
            Mistake::Touches => Vec::new(),
        }
    }

    /// What the functions of all frames refer to outside of themselves.
    fn links(&self, of_interest: impl Fn(&Link) -> bool) -> Vec<Place> {
        let places = |frame: &Frame| {
            let links = self.code_of(frame).links.iter().enumerate();
            inside(frame, &[0], links.filter(|(_, link)| of_interest(link)).map(|(at, _)| at))
        };
        self.frames.iter().flat_map(places).collect()
    }

    /// Registers of all frames, by code and the instruction in progress.
    fn registers(&self, of: impl Fn(&Code, u32) -> Vec<Reg>) -> Vec<Place> {
        let mut places = Vec::new();
        for (depth, frame) in self.frames.iter().enumerate() {
            // The program counter of a caller is one ahead.
            let at = frame.pc - u32::from(depth + 1 < self.frames.len());
            let registers = of(self.code_of(frame), at);
            places.extend(registers.into_iter().map(|r| root(frame.base as usize + usize::from(r))));
        }
        places
    }

    /// The arguments of the call that the running function is about to make.
    fn arguments(&self, frame: &Frame) -> Vec<Place> {
        let code = self.code_of(frame);
        let count_of = |site: u32| {
            let site = &code.calls[site as usize];
            site.positional + site.names.len() + usize::from(site.args) + usize::from(site.kwargs)
        };
        let (first, count) = match code.ops[frame.pc as usize] {
            Op::Call { base, count, .. } => (base, count as usize),
            Op::CallMethod { base, count, .. } => (base, count as usize),
            Op::CallWith { base, site, .. } | Op::CallMethodWith { base, site, .. } => (base, count_of(site)),
            _ => return Vec::new(),
        };
        let first = frame.base as usize + usize::from(first) + 1;
        (first..first + count).map(root).collect()
    }

    /// Where built-in functions that instructions have called, and that call back now, keep their states.
    fn builtin_states(&self) -> Vec<Place> {
        let state = |pair: &[Frame]| {
            let [caller, callee] = pair else { return None };
            let code = self.code_of(caller);
            match (callee.entry, code.ops[caller.pc as usize - 1]) {
                (Entry::Builtin(_), Op::Call { base, .. } | Op::CallWith { base, .. }) => {
                    Some(root(caller.base as usize + usize::from(base)))
                }
                _ => None,
            }
        };
        self.frames.windows(2).filter_map(state).collect()
    }
}

/// An element of the list of kept values.
fn kept(index: usize) -> Place {
    Place { root: ROOT_KEPT, path: vec![0, index] }
}

/// The lists that comprehensions fill, of those in progress.
fn accumulators(code: &Code, at: u32) -> Vec<Reg> {
    let ops = code.loops_at(at).flat_map(|site| &code.ops[site.start as usize..site.end as usize]);
    let lists = ops.filter_map(|op| match *op {
        Op::Append { list, .. } => Some(list),
        _ => None,
    });
    lists.collect::<BTreeSet<Reg>>().into_iter().collect()
}
