//! The local variables visible at a point of the walk, as one stack.
//!
//! Every visible variable is an entry. For each name, `heads` has its innermost entry, and each entry knows
//! the one it shadows; so a lookup is one step, whatever the nesting. Blocks (function bodies and
//! comprehensions) are closed by popping their entries.

use super::super::ast::Ident;
use super::super::names::Symbol;
use super::{Binding, Capture, CaptureFrom, FunctionInfo, Local};

/// No entry.
const NONE: u32 = u32::MAX;

/// A visible local variable.
struct Entry {
    name: Symbol,
    /// Index of its function in [`Scopes::functions`].
    function: u32,
    slot: u32,
    /// The next entry outwards with this name, or [`NONE`].
    shadowed: u32,
}

/// All local scopes around the current point.
pub(super) struct Scopes {
    /// The functions around the current point, outermost first; the first is the top level of the module.
    functions: Vec<FunctionInfo>,
    /// For each symbol its innermost entry, or [`NONE`].
    heads: Vec<u32>,
    entries: Vec<Entry>,
    /// How many entries there were when each open block was opened.
    blocks: Vec<usize>,
}

impl Scopes {
    pub fn new(names: usize) -> Scopes {
        Scopes {
            functions: vec![FunctionInfo::default()],
            heads: vec![NONE; names],
            entries: Vec::new(),
            blocks: Vec::new(),
        }
    }

    /// Whether the current point is outside of functions.
    pub fn at_top_level(&self) -> bool {
        self.functions.len() == 1
    }

    /// Whether names bound here are globals: outside of functions and comprehensions.
    pub fn in_module_block(&self) -> bool {
        self.blocks.is_empty()
    }

    pub fn open_block(&mut self) {
        self.blocks.push(self.entries.len());
    }

    pub fn close_block(&mut self) {
        let start = self.blocks.pop().unwrap_or(0);
        for entry in self.entries.drain(start..).rev() {
            self.heads[entry.name.index()] = entry.shadowed;
        }
    }

    pub fn enter_function(&mut self) {
        self.functions.push(FunctionInfo::default());
        self.open_block();
    }

    pub fn leave_function(&mut self) -> FunctionInfo {
        self.close_block();
        self.functions.pop().unwrap_or_default()
    }

    /// What is left at the end: the variables of the top level.
    pub fn finish(mut self) -> FunctionInfo {
        self.functions.swap_remove(0)
    }

    /// Makes a variable of the current block, unless it has one with this name; returns whether it is new.
    pub fn declare(&mut self, ident: &Ident) -> bool {
        let start = self.blocks.last().copied().unwrap_or(0);
        let shadowed = self.heads[ident.name.index()];
        if shadowed != NONE && shadowed as usize >= start {
            return false;
        }
        let function = self.functions.len() - 1;
        let locals = &mut self.functions[function].locals;
        let slot = locals.len() as u32;
        locals.push(Local { name: ident.name, span: ident.span, captured: false });
        self.heads[ident.name.index()] = self.entries.len() as u32;
        self.entries.push(Entry { name: ident.name, function: function as u32, slot, shadowed });
        true
    }

    /// The local variable a name refers to, seen from the current function. If it belongs to an enclosing
    /// function, it is captured by all functions in between.
    pub fn lookup(&mut self, name: Symbol) -> Option<Binding> {
        let entry = self.entries.get(self.heads[name.index()] as usize)?;
        let (owner, slot) = (entry.function as usize, entry.slot);
        let current = self.functions.len() - 1;
        if owner == current {
            return Some(Binding::Local(slot));
        }
        self.functions[owner].locals[slot as usize].captured = true;
        let mut from = CaptureFrom::Cell(slot);
        let mut index = 0;
        for function in &mut self.functions[owner + 1..] {
            index = capture(&mut function.captures, Capture { name, from });
            from = CaptureFrom::Free(index);
        }
        Some(Binding::Free(index))
    }

    /// The names of all visible locals, for spelling hints.
    pub fn visible(&self) -> impl Iterator<Item = Symbol> + '_ {
        self.entries.iter().map(|entry| entry.name)
    }
}

/// The index of a captured variable, new if need be. A function stands at one point of the enclosing one,
/// so all its free uses of a name mean the same variable.
fn capture(captures: &mut Vec<Capture>, capture: Capture) -> u32 {
    let known = captures.iter().position(|known| known.name == capture.name);
    let index = known.unwrap_or_else(|| {
        captures.push(capture);
        captures.len() - 1
    });
    index as u32
}
