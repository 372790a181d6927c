//! A module that is run piece by piece: its globals stay alive, and can be changed.
//!
//! Every piece is compiled as a module of its own. A name that an earlier piece has bound is a global of the new one
//! too, and they share its cell; so functions see what is assigned later, as in a module.

use std::collections::HashMap;

use crate::cx::Cx;
use crate::data::list;
use crate::failure::{Res, fail};
use crate::program::Program;
use crate::syntax::ast::StmtKind;
use crate::syntax::{self, Diagnostic, Environment, Module, SourceFile};
use crate::value::{Object, Value, ValueExt, none};

use super::Machine;
use super::modules::{Names, fresh_cell, keep, kept_list};

/// The name of the last value.
const LAST: &str = "_";

/// The globals of such a module.
pub(crate) struct Globals {
    /// Where the list of their cells is among the kept values.
    kept: usize,
    /// The place of each in that list.
    places: HashMap<Box<str>, usize>,
}

impl Globals {
    /// Their names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.places.keys().map(|name| &**name)
    }

    fn cells<'s>(&self, cx: Cx<'s>) -> Res<Object<'s>> {
        match list::get(kept_list(cx)?, self.kept).object() {
            Some(cells) => Ok(cells),
            None => fail!("the session has no globals"),
        }
    }

    fn cell<'s>(&self, cx: Cx<'s>, name: &str) -> Option<Object<'s>> {
        let place = *self.places.get(name)?;
        list::get(self.cells(cx).ok()?, place).object()
    }

    fn value<'s>(&self, cx: Cx<'s>, name: &str) -> Option<Value<'s>> {
        self.cell(cx, name).map(|cell| cell.get(0)).filter(|value| !value.is_unset())
    }
}

/// What a piece may use without binding it.
struct Known<'a> {
    around: Names<'a>,
    globals: &'a Globals,
}

impl Environment for Known<'_> {
    fn is_predeclared(&self, name: &str) -> bool {
        self.around.is_predeclared(name)
    }

    fn is_universal(&self, name: &str) -> bool {
        self.around.is_universal(name)
    }

    fn is_bound(&self, name: &str) -> bool {
        self.globals.places.contains_key(name)
    }

    fn names(&self) -> Vec<String> {
        self.globals.names().map(str::to_owned).chain(self.around.names()).collect()
    }
}

impl Machine {
    /// The globals of a module of which nothing has run yet.
    ///
    /// # Errors
    /// Memory ran out.
    pub(crate) fn begin_session(&mut self) -> Res<Globals> {
        let cx = Cx::new(&self.heap, &self.host);
        let kept = keep(cx, &mut self.modules.free, list::of(cx, &[])?)?;
        Ok(Globals { kept, places: HashMap::new() })
    }

    /// Runs a piece. If it ends with an expression, `look` is given its value, unless that is None.
    ///
    /// # Errors
    /// All that is wrong with the text, or the error that ended the run.
    pub(crate) fn run_piece<R>(
        &mut self,
        globals: &mut Globals,
        source: &SourceFile,
        look: impl for<'s> FnOnce(Cx<'s>, Value<'s>) -> R,
    ) -> Result<Option<R>, Vec<Diagnostic>> {
        self.begin().map_err(|failure| vec![self.diagnose(*failure)])?;
        let known = Known { around: Names(self), globals };
        let module = syntax::analyze(source, &known, &self.dialect)?;
        let has_value = module.body.last().is_some_and(|last| matches!(last.kind, StmtKind::Expr(_)));
        let looked = match self.compile_and_run_piece(globals, source, module)? {
            Ok(at) if has_value => Ok(self.last_value(globals, at, look)),
            Ok(_) => Ok(None),
            Err(failure) => Err(vec![self.diagnose(*failure)]),
        };
        self.forget_unbound(globals);
        looked
    }

    /// Runs a piece, and says where its result is on the root stack.
    fn compile_and_run_piece(
        &mut self,
        globals: &mut Globals,
        source: &SourceFile,
        module: Module,
    ) -> Result<Res<usize>, Vec<Diagnostic>> {
        let names = module.globals.iter().map(|global| module.names.get(global.name).to_owned());
        let names: Vec<String> = names.collect();
        let program = Program::of(module, source, &self.dialect, &self.host.universal)?;
        if let Err(failure) = self.warn(&program) {
            return Ok(Err(failure));
        }
        let codes = self.install(&program, false);
        let toplevel = codes.end as u32 - 1;
        let kept = self.make_cells(globals, names.iter().map(|name| &**name).chain([LAST])).and_then(|()| {
            self.instantiate(&program, codes, |cx, number| match globals.cell(cx, &names[number]) {
                Some(cell) => Ok(cell.into()),
                None => fail!("the session lost its global {}", names[number]),
            })
        });
        let ran = kept.and_then(|kept| {
            let ran = self.run_toplevel(kept, toplevel);
            self.release(kept);
            ran
        });
        self.spend(toplevel, false);
        Ok(ran)
    }

    /// Makes cells for names that have none.
    fn make_cells<'n>(&mut self, globals: &mut Globals, names: impl Iterator<Item = &'n str>) -> Res<()> {
        let cx = Cx::new(&self.heap, &self.host);
        let cells = globals.cells(cx)?;
        for name in names {
            if !globals.places.contains_key(name) {
                list::push(cx, cells, fresh_cell(cx)?)?;
                globals.places.insert(name.into(), list::len(cells) - 1);
            }
        }
        Ok(())
    }

    /// Shows the result of a piece, and binds it to `_`.
    fn last_value<R>(
        &self,
        globals: &Globals,
        at: usize,
        look: impl for<'s> FnOnce(Cx<'s>, Value<'s>) -> R,
    ) -> Option<R> {
        let cx = self.cx();
        let value = self.slot(at).get();
        if value == none() {
            return None;
        }
        if let Some(cell) = globals.cell(cx, LAST) {
            // The cells of a session are never frozen by themselves; if a program did so, `_` stays what it was.
            let _ = self.heap.store(cell, 0, value);
        }
        Some(look(cx, value))
    }

    /// A name that hides a built-in one and got no value, because the piece failed before, hides it no longer.
    fn forget_unbound(&self, globals: &mut Globals) {
        let (cx, names) = (self.cx(), Names(self));
        let hides = |name: &str| names.is_predeclared(name) || names.is_universal(name);
        let unbound: Vec<Box<str>> = globals
            .names()
            .filter(|name| hides(name) && globals.value(cx, name).is_none())
            .map(Into::into)
            .collect();
        for name in unbound {
            globals.places.remove(&name);
        }
    }

    /// What a name means in a session, if it has a value.
    pub(crate) fn session_value(&self, globals: &Globals, name: &str) -> Option<Value<'_>> {
        globals.value(self.cx(), name).or_else(|| self.known_value(name))
    }

    /// All names that a piece may use.
    pub(crate) fn session_names(&self, globals: &Globals) -> Vec<String> {
        Known { around: Names(self), globals }.names()
    }
}
