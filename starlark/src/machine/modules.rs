//! Modules: finding, compiling, running and freezing them, and what they export.

mod installed;
mod programs;
mod sharing;

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use crate::code::{Code, Link, LoadSite};
use crate::compile::Const;
use crate::cx::{Cx, ROOT_KEPT};
use crate::data::{int, list};
use crate::failure::{Failure, Res, fail};
use crate::guard::guarded;
use crate::ops;
use crate::parallel::{Arranged, Codebook, Graph};
use crate::program::{Exports, Program};
use crate::spelling;
use crate::syntax::{Diagnostic, Environment, SourceFile};
use crate::value::{Value, ValueExt, boolean, builtin, none, shapes};

use super::{Machine, ROUNDS_MAX};
use installed::Installed;
pub(crate) use sharing::{Done, Kept, Legacy, kept_value};

/// Finds the text of modules for an interpreter.
pub trait Loader {
    /// The key of the module that a `load` statement in the module `from` calls `name`. Modules with the same
    /// key are loaded once.
    ///
    /// # Errors
    /// There can be no such module.
    fn resolve(&self, name: &str, from: &str) -> Result<String, String>;

    /// The text of a module.
    ///
    /// # Errors
    /// It cannot be read.
    fn read(&self, key: &str) -> Result<String, String>;
}

/// What a loaded module left.
pub(crate) struct Loaded {
    /// Where the tuple of its globals' cells is in the list of kept values.
    kept: usize,
    /// The places of what it exports among its globals.
    exports: Exports,
}

/// All modules of a machine.
pub(crate) struct Modules {
    loader: Box<dyn Loader>,
    /// By key; `None` while the module is being loaded.
    loaded: HashMap<String, Option<Loaded>>,
    /// Names that the host predeclares for every module, and where their values are in the list of kept values.
    predeclared: HashMap<String, usize>,
    /// In a profiled machine, the globals of every module that was begun: the place of their cells in the list of kept
    /// values, and the number of the top level's code.
    places: Vec<(usize, u32)>,
    /// Places in the list of kept values that are free again.
    pub(super) free: Vec<usize>,
    /// How many loads are nested in each other now.
    depth: usize,
    /// Whose code is there.
    installed: Installed,
    /// Stands for the code of top levels that have run.
    spent: Arc<Code>,
    /// What the `load` statements of the running module lead to, if that has been found out before.
    pub(crate) arranged: Option<Vec<Arranged>>,
    /// What tells the host of the modules that the running one loads, if they have been evaluated before.
    pub(crate) graph: Option<Arc<Graph>>,
}

impl Modules {
    pub(super) fn new(loader: Box<dyn Loader>, numbers: Arc<Codebook>) -> Modules {
        Modules {
            loader,
            loaded: HashMap::new(),
            predeclared: HashMap::new(),
            places: Vec::new(),
            free: Vec::new(),
            depth: 0,
            installed: Installed::new(numbers),
            arranged: None,
            graph: None,
            spent: Arc::new(Code::spent()),
        }
    }

    /// The places of what loaded modules left.
    pub(super) fn kept_modules(&self) -> impl Iterator<Item = usize> {
        self.loaded.values().flatten().map(|loaded| loaded.kept)
    }

    /// The places of predeclared values.
    pub(super) fn kept_values(&self) -> impl Iterator<Item = usize> {
        self.predeclared.values().copied()
    }

    /// A global of a loaded module.
    fn global<'s>(&self, cx: Cx<'s>, key: &str, name: &str) -> Option<Value<'s>> {
        let loaded = self.loaded.get(key)?.as_ref()?;
        let at = *loaded.exports.get(name)?;
        let cells = list::get(kept_list(cx).ok()?, loaded.kept).object()?;
        let value = cells.get(at as usize).object()?.get(0);
        Some(value).filter(|value| !value.is_unset())
    }
}

/// The names that a module of this machine may use without binding them.
pub(super) struct Names<'a>(pub(super) &'a Machine);

impl Environment for Names<'_> {
    fn is_predeclared(&self, name: &str) -> bool {
        self.0.modules.predeclared.contains_key(name)
    }

    fn is_universal(&self, name: &str) -> bool {
        matches!(name, "None" | "True" | "False") || self.0.host.universal.contains_key(name)
    }

    fn names(&self) -> Vec<String> {
        let own = ["None", "True", "False"].map(str::to_owned);
        let universal = self.0.host.universal.keys().cloned();
        own.into_iter().chain(universal).chain(self.0.modules.predeclared.keys().cloned()).collect()
    }
}

impl Machine {
    /// Runs a module and keeps its globals, frozen, under `key`.
    ///
    /// # Errors
    /// What is wrong with its text, or the error that ended it.
    pub(crate) fn run_module(&mut self, key: &str, source: &SourceFile) -> Result<(), Vec<Diagnostic>> {
        let program = self.compile(source)?;
        let outcome = self.run_program(key, &program, false);
        outcome.map_err(|failure| vec![self.diagnose(*failure)])
    }

    /// Makes the constants of a module, and the links of its codes; `cell` gives the cell of each of its globals. Keeps
    /// a tuple of the cells and the links of the top level, and returns its place.
    pub(super) fn instantiate(
        &mut self,
        program: &Program,
        codes: Range<usize>,
        cell: impl for<'s> Fn(Cx<'s>, usize) -> Res<Value<'s>>,
    ) -> Res<usize> {
        let cx = Cx::new(&self.heap, &self.host);
        let mut values: Vec<Value<'_>> = Vec::with_capacity(program.0.constants.len());
        for constant in &program.0.constants {
            let value = constant_value(cx, &self.modules, constant, &values)?;
            values.push(value);
        }
        let cells = (0..program.0.globals).map(|number| cell(cx, number));
        let cells: Vec<Value<'_>> = cells.collect::<Res<_>>()?;
        let token = self.modules.installed.token(cx, codes.start)?;
        // Functions nested in others have the lower numbers.
        let mut links: Vec<Value<'_>> = Vec::with_capacity(codes.len());
        for code in &self.host.codes[codes] {
            let mut fresh = cx.alloc(&shapes::LINKS, code.links.len() + 1)?;
            for (slot, link) in fresh.references_mut().iter_mut().zip(&code.links) {
                *slot = match *link {
                    Link::Constant(number) => values[number as usize],
                    Link::Global(number) => cells[number as usize],
                    Link::Code(distance) => links[links.len() - distance as usize],
                };
            }
            fresh.references_mut()[code.links.len()] = token;
            links.push(fresh.finish().into());
        }
        let toplevel = links.last().copied().unwrap_or(Value::EMPTY);
        let module = cx.tuple(&[cx.tuple(&cells)?, toplevel])?;
        keep(cx, &mut self.modules.free, module)
    }

    /// Runs the top level of a module; its result is in the word of the root stack whose place is returned.
    pub(super) fn run_toplevel(&mut self, kept: usize, code: u32) -> Res<usize> {
        self.call(|cx, _| {
            let module = list::get(kept_list(cx)?, kept);
            let mut fresh = cx.alloc(&shapes::FUNCTION, 1)?;
            fresh.raw_mut()[0] = cx.host.function_word(code);
            fresh.references_mut()[0] = module.object().map_or(Value::EMPTY, |module| module.get(1));
            Ok(fresh.finish().into())
        })
    }

    /// Of a module that has run only the cells of its globals are kept, frozen.
    fn freeze_globals(&mut self, kept: usize) -> Res<()> {
        let cx = self.cx();
        let kept_values = kept_list(cx)?;
        let module = list::get(kept_values, kept);
        let cells = module.object().map_or(Value::EMPTY, |module| module.get(0));
        self.heap.freeze_deep(cells);
        list::set(cx, kept_values, kept, cells)
    }

    /// Forgets a kept value.
    pub(super) fn release(&mut self, kept: usize) {
        let cx = Cx::new(&self.heap, &self.host);
        // The list belongs to the machine, so it can always be changed.
        let released = kept_list(cx).and_then(|values| list::set(cx, values, kept, Value::EMPTY));
        if released.is_ok() {
            self.modules.places.retain(|&(place, _)| place != kept);
            self.modules.free.push(kept);
        }
    }

    /// Forgets a loaded module: it would be loaded again. What others hold of it stays.
    pub(crate) fn unload(&mut self, key: &str) -> bool {
        match self.modules.loaded.get(key) {
            Some(Some(loaded)) => {
                let kept = loaded.kept;
                self.modules.loaded.remove(key);
                self.release(kept);
                true
            }
            _ => false,
        }
    }

    /// Predeclares a name for all modules loaded from now on.
    ///
    /// # Errors
    /// Memory ran out.
    pub(crate) fn predeclare(
        &mut self,
        name: &str,
        make: impl for<'s> FnOnce(Cx<'s>) -> Res<Value<'s>>,
    ) -> Res<()> {
        let cx = Cx::new(&self.heap, &self.host);
        let kept = keep(cx, &mut self.modules.free, make(cx)?)?;
        self.set_predeclared(name, kept);
        Ok(())
    }

    /// A kept value takes the place of what a name has meant before.
    pub(super) fn set_predeclared(&mut self, name: &str, kept: usize) {
        if let Some(before) = self.modules.predeclared.insert(name.to_owned(), kept) {
            self.release(before);
        }
    }

    /// Predeclares what a loaded module exports.
    ///
    /// # Errors
    /// Memory ran out.
    pub(crate) fn predeclare_module(&mut self, key: &str) -> Res<()> {
        let names: Vec<String> = self.exports(key).into_iter().map(str::to_owned).collect();
        for name in names {
            let cx = Cx::new(&self.heap, &self.host);
            let Some(value) = self.modules.global(cx, key, &name) else { continue };
            let kept = keep(cx, &mut self.modules.free, value)?;
            self.set_predeclared(&name, kept);
        }
        Ok(())
    }

    /// A global of a loaded module.
    pub(crate) fn global(&self, key: &str, name: &str) -> Option<Value<'_>> {
        self.modules.global(self.cx(), key, name)
    }

    /// Where the globals of all modules are in the list of kept values, with the numbers of their top levels.
    pub(crate) fn module_places(&self) -> &[(usize, u32)] {
        &self.modules.places
    }

    /// The value of a predeclared or universal name.
    pub(super) fn known_value(&self, name: &str) -> Option<Value<'_>> {
        let predeclared = self.modules.predeclared.get(name);
        let predeclared = predeclared.and_then(|&kept| Some(list::get(kept_list(self.cx()).ok()?, kept)));
        predeclared.or_else(|| self.host.universal.get(name).map(|&number| builtin(number)))
    }

    /// Has a module been run to its end?
    pub(crate) fn is_loaded(&self, key: &str) -> bool {
        self.modules.loaded.get(key).is_some_and(Option::is_some)
    }

    /// The names of a module's globals.
    pub(crate) fn exports(&self, key: &str) -> Vec<&str> {
        let loaded = self.modules.loaded.get(key).and_then(Option::as_ref);
        let mut names: Vec<&str> =
            loaded.iter().flat_map(|loaded| loaded.exports.keys()).map(|name| &**name).collect();
        names.sort_unstable();
        names
    }

    /// Executes a `load` statement of the running module.
    pub(super) fn load(&mut self, number: u32) -> Res<()> {
        let Some(frame) = self.frames.last().copied() else { return Ok(()) };
        let code = Arc::clone(&self.host.codes[frame.code as usize]);
        let site = &code.loads[number as usize];
        if let Some(arranged) = &self.modules.arranged {
            let arranged = Arranged::clone(&arranged[number as usize]);
            let key = self.load_arranged(arranged, &code, site)?;
            return self.bind_loaded(&key, &code, site, frame.base as usize);
        }
        let loader = &self.modules.loader;
        let key = guarded(|| {
            let key = loader.resolve(&site.module, code.file.name());
            key.map_err(|error| cannot_load(site, &error))
        })?;
        match self.modules.loaded.get(&key) {
            Some(Some(_)) => {}
            Some(None) => return Err(cannot_load(site, "cycle in load graph")),
            None => self.load_fresh(&key, &code, site)?,
        }
        self.bind_loaded(&key, &code, site, frame.base as usize)
    }

    fn load_fresh(&mut self, key: &str, code: &Code, site: &LoadSite) -> Res<()> {
        if self.modules.depth == ROUNDS_MAX {
            return Err(cannot_load(site, "modules load each other too deeply"));
        }
        let loader = &self.modules.loader;
        let text = guarded(|| loader.read(key).map_err(|error| cannot_load(site, &error)))?;
        self.modules.depth += 1;
        let outcome = self.run_module(key, &SourceFile::new(key, text));
        self.modules.depth -= 1;
        outcome.map_err(|errors| Box::new(Failure::Placed(Box::new(while_loading(errors, code, site)))))
    }

    /// Reads and runs a module that nothing loads.
    ///
    /// # Errors
    /// It cannot be read, or what is wrong with it.
    pub(crate) fn run_root(&mut self, key: &str) -> Result<(), Vec<Diagnostic>> {
        let loader = &self.modules.loader;
        let read =
            guarded(|| loader.read(key).map_err(|error| Failure::new(format!("cannot load {key}: {error}"))));
        let text = read.map_err(|failure| vec![self.diagnose(*failure)])?;
        self.run_module(key, &SourceFile::new(key, text))
    }

    fn bind_loaded(&self, key: &str, code: &Code, site: &LoadSite, base: usize) -> Res<()> {
        let links = self.slot(base).get().object().and_then(|function| function.get(0).object());
        for (global, name, _) in &site.symbols {
            let Some(value) = self.global(key, name) else {
                let hint = spelling::hint(spelling::nearest(name, self.exports(key)));
                fail!("load: name {name} not found in module {}{hint}", site.module);
            };
            if let Some(cell) = links.and_then(|links| links.get(*global as usize).object())
                && self.heap.store(cell, 0, value).is_err()
            {
                fail!("the globals of {} are frozen", code.file.name());
            }
        }
        Ok(())
    }
}

fn constant_value<'s>(
    cx: Cx<'s>,
    modules: &Modules,
    constant: &Const,
    before: &[Value<'s>],
) -> Res<Value<'s>> {
    match constant {
        Const::None => Ok(none()),
        Const::Bool(b) => Ok(boolean(*b)),
        Const::Str(text) => cx.intern(text),
        Const::Int(i) => int::make(cx, *i),
        Const::BigInt(i) => int::make_big(cx, i),
        Const::Float(bits) => int::make_float(cx, f64::from_bits(*bits)),
        Const::Bytes(bytes) => ops::bytes(cx, bytes),
        Const::Builtin(number) => Ok(builtin(*number)),
        Const::Predeclared(name) => match modules.predeclared.get(&**name) {
            Some(&kept) => Ok(list::get(kept_list(cx)?, kept)),
            None => fail!("{name} is not predeclared"),
        },
        Const::Tuple(items) => {
            let items: Vec<Value<'s>> = items.iter().map(|&item| before[item as usize]).collect();
            cx.tuple(&items)
        }
    }
}

/// The cell of a global that has no value yet.
pub(super) fn fresh_cell(cx: Cx<'_>) -> Res<Value<'_>> {
    Ok(cx.alloc(&shapes::CELL, 0)?.finish().into())
}

/// Of several errors in the text of a loaded module, the first is reported where it was loaded.
fn while_loading(mut errors: Vec<Diagnostic>, code: &Code, site: &LoadSite) -> Diagnostic {
    let first = errors.swap_remove(0).note_at(&code.file, site.span, "the module is loaded here");
    match errors.len() {
        0 => first,
        1 => first.note("there is another error in the module"),
        more => first.note(format!("there are {more} more errors in the module")),
    }
}

/// Puts a value in the list of kept values and says where.
pub(super) fn keep<'s>(cx: Cx<'s>, free: &mut Vec<usize>, value: Value<'s>) -> Res<usize> {
    let kept = kept_list(cx)?;
    if let Some(place) = free.pop() {
        list::set(cx, kept, place, value)?;
        return Ok(place);
    }
    list::push(cx, kept, value)?;
    Ok(list::len(kept) - 1)
}

fn cannot_load(site: &LoadSite, error: &str) -> Box<Failure> {
    Failure::new(format!("cannot load {}: {error}", site.module))
}

pub(super) fn kept_list(cx: Cx<'_>) -> Res<crate::value::Object<'_>> {
    match cx.heap.stack_from(ROOT_KEPT)[0].get().object() {
        Some(list) => Ok(list),
        None => fail!("the machine has no list of kept values"),
    }
}
