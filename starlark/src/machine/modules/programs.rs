//! Programs on a machine: analysing them, giving their code its numbers, and running them.

use std::ops::Range;
use std::sync::Arc;

use crate::code::Code;
use crate::compile;
use crate::failure::Res;
use crate::guard::guarded;
use crate::picture::Place;
use crate::program::Program;
use crate::syntax::{Diagnostic, SourceFile};

use super::fresh_cell;
use super::{Loaded, Machine, Names};

impl Machine {
    /// Analyses the text of a module, which may use the names that are predeclared now.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub(crate) fn compile(&self, source: &SourceFile) -> Result<Program, Vec<Diagnostic>> {
        Program::compile(source, &Names(self), &self.dialect, &self.host.universal)
    }

    /// Runs a module and keeps its globals, frozen, under `key`. If it is to be run `again`, its code stays.
    ///
    /// # Errors
    /// What ended it.
    pub(crate) fn run_program(&mut self, key: &str, program: &Program, again: bool) -> Res<()> {
        let previous = self.modules.loaded.insert(key.to_owned(), None).flatten();
        let outcome = self.instantiate_and_run(program, again);
        if let Some(previous) = previous {
            self.release(previous.kept);
        }
        match outcome {
            Ok(kept) => {
                let exports = Arc::clone(&program.0.exports);
                self.modules.loaded.insert(key.to_owned(), Some(Loaded { kept, exports }));
                Ok(())
            }
            Err(failure) => {
                self.modules.loaded.remove(key);
                Err(failure)
            }
        }
    }

    /// Runs a module and freezes its globals; says where they are among the kept values.
    fn instantiate_and_run(&mut self, program: &Program, again: bool) -> Res<usize> {
        let (kept, toplevel) = self.prepare(program, again)?;
        let outcome = self.run_toplevel(kept, toplevel).and_then(|_| self.freeze_globals(kept));
        self.spend(toplevel, again);
        // What a failed module made may go, too, unless somebody looks at the heap afterwards.
        if outcome.is_err() && self.host.places.is_none() {
            self.release(kept);
        }
        outcome.map(|()| kept)
    }

    /// Runs a module of which only the value of its last statement is wanted, if that is an expression. The value is in
    /// the word of the root stack whose place is returned. Nothing is frozen.
    ///
    /// # Errors
    /// What ended it.
    pub(crate) fn evaluate(&mut self, program: &Program, again: bool) -> Res<usize> {
        let (kept, toplevel) = self.prepare(program, again)?;
        let outcome = self.run_toplevel(kept, toplevel);
        self.spend(toplevel, again);
        self.release(kept);
        outcome
    }

    /// Makes the objects that a program refers to. Returns the place of the tuple of its cells and its links among the
    /// kept values, and the number of the top level's code.
    fn prepare(&mut self, program: &Program, again: bool) -> Res<(usize, u32)> {
        self.warn(program)?;
        // What is in the way may be garbage. (The code of which no function was made goes with it.)
        let (kept, toplevel) = self.with_room(|machine| machine.install_and_instantiate(program, again))?;
        if self.host.places.is_some() {
            self.modules.places.push((kept, toplevel));
        }
        Ok((kept, toplevel))
    }

    fn install_and_instantiate(&mut self, program: &Program, again: bool) -> Res<(usize, u32)> {
        let codes = self.install(program, again);
        let toplevel = codes.end as u32 - 1;
        Ok((self.instantiate(program, codes, |cx, _| fresh_cell(cx))?, toplevel))
    }

    /// Says what is to be said about a program.
    ///
    /// # Errors
    /// The host has panicked.
    pub(in crate::machine) fn warn(&self, program: &Program) -> Res<()> {
        guarded(|| {
            program.warnings().iter().for_each(|warning| self.host.warn(warning));
            Ok(())
        })
    }

    /// Gives the code of a program its numbers in this machine: the same ones if it is there already.
    pub(in crate::machine) fn install(&mut self, program: &Program, again: bool) -> Range<usize> {
        if let Some(codes) = self.modules.installed.find(program) {
            return codes;
        }
        let codes = self.modules.installed.take(program, again);
        if codes.end > self.host.codes.len() {
            self.host.codes.resize(codes.end, Arc::clone(&self.modules.spent));
            self.active.resize_with(codes.end, Default::default);
        }
        for (code, number) in program.0.codes.iter().zip(codes.clone()) {
            self.host.codes[number] = match &mut self.host.places {
                None => Arc::clone(code),
                Some(places) => {
                    let mut code = Code::clone(code);
                    compile::sites::mark(&mut code, |span| {
                        places.push(Place { code: number as u32, span });
                        places.len() as u32
                    });
                    Arc::new(code)
                }
            };
        }
        codes
    }

    /// After a collection: code that nobody can call any more goes, unless somebody asks for its lines.
    pub(in crate::machine) fn sweep_codes(&mut self) {
        if self.host.places.is_none() {
            self.modules.installed.sweep(&self.heap, &mut self.host.codes, &self.modules.spent);
        }
    }

    /// Nobody can call a top level that has run; what it alone refers to may go, unless somebody asks for its lines.
    pub(in crate::machine) fn spend(&mut self, toplevel: u32, again: bool) {
        if !again && self.host.places.is_none() {
            self.host.codes[toplevel as usize] = Arc::clone(&self.modules.spent);
            self.modules.installed.spend(toplevel as usize, &self.modules.spent);
        }
    }
}
