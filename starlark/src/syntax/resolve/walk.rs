//! The walk that resolves a module.
//!
//! 1. The names a block binds are declared when the block is entered (`declare`).
//! 2. Each identifier is looked up where it stands: all scopes around it are complete by then.
//! 3. When a function is left, it is known which of its variables nested functions have captured; if there
//!    are any, its body is walked once more to turn [`Binding::Local`] into [`Binding::Cell`].

use super::super::ast::{Clause, Expr, Function, Ident, Stmt, StmtKind, Target, TargetKind};
use super::super::diagnostics::Diagnostic;
use super::super::dialect::{Dialect, Feature};
use super::super::names::Names;
use super::super::source::{SourceFile, Span};
use super::scopes::Scopes;
use super::visit::{Visit, param_idents, walk_clause, walk_defaults, walk_expr, walk_stmt, walk_target};
use super::{Binding, Environment, FunctionInfo, Global, advice, declare};
use crate::spelling;

/// How many errors may come with a spelling hint. A file with more has another problem.
const HINTS: usize = 50;

pub(super) struct Resolver<'a> {
    source: &'a SourceFile,
    names: &'a Names,
    environment: &'a dyn Environment,
    dialect: &'a Dialect,
    scopes: Scopes,
    globals: Vec<Global>,
    /// For each symbol the index of the global with this name.
    global_of: Vec<Option<u32>>,
    /// For each global whether the walk has passed its binding; matters with [`Dialect::global_reassign`].
    is_bound: Vec<bool>,
    /// The next identifier visited is bound where it stands.
    binds: bool,
    /// Loops around the current statement, in the current function.
    loops: u32,
    /// The same for `if` statements.
    conditionals: u32,
    errors: Vec<Diagnostic>,
}

impl<'a> Resolver<'a> {
    pub fn new(
        source: &'a SourceFile,
        names: &'a Names,
        environment: &'a dyn Environment,
        dialect: &'a Dialect,
    ) -> Resolver<'a> {
        Resolver {
            source,
            names,
            environment,
            dialect,
            scopes: Scopes::new(names.len()),
            globals: Vec::new(),
            global_of: vec![None; names.len()],
            is_bound: Vec::new(),
            binds: false,
            loops: 0,
            conditionals: 0,
            errors: Vec::new(),
        }
    }

    /// Resolves the module's statements; returns the variables of its top level and its globals.
    pub fn module(mut self, body: &mut [Stmt]) -> Result<(FunctionInfo, Vec<Global>), Vec<Diagnostic>> {
        self.declare_bound();
        declare::bound_names(body, &mut |ident, loaded| self.declare_global(ident, loaded));
        self.block(body);
        if !self.errors.is_empty() {
            self.errors.sort_by_key(|error| error.span.start);
            return Err(self.errors);
        }
        let toplevel = self.scopes.finish();
        make_cells(&toplevel, body);
        Ok((toplevel, self.globals))
    }

    fn error(&mut self, span: Span, message: impl Into<String>) {
        self.errors.push(Diagnostic::error(self.source, span, message));
    }

    /// The same with what the user could do.
    fn error_with_help(&mut self, span: Span, message: impl Into<String>, help: &str) {
        self.errors.push(Diagnostic::error(self.source, span, message).help(help));
    }

    /// Reports what the dialect would have to have.
    fn lacking(&mut self, feature: Feature, span: Span, message: &str, help: Option<&str>) {
        let help = help.map(str::to_owned);
        self.errors
            .push(Diagnostic { help, ..Diagnostic::error(self.source, span, message).lacking(feature) });
    }

    // ---------------------------------------------------------------------------------------- binding

    /// Declares the globals that earlier parts of the module have bound, of those that the text mentions.
    fn declare_bound(&mut self) {
        for (name, text) in self.names.iter() {
            if self.environment.is_bound(text) {
                self.global_of[name.index()] = Some(self.globals.len() as u32);
                self.globals.push(Global { name, span: Span::default(), loaded: false });
                self.is_bound.push(true);
            }
        }
    }

    fn declare_global(&mut self, ident: &Ident, loaded: bool) {
        let loaded = loaded && !self.dialect.load_binds_globally;
        match self.global_of[ident.name.index()] {
            None => {
                self.global_of[ident.name.index()] = Some(self.globals.len() as u32);
                self.globals.push(Global { name: ident.name, span: ident.span, loaded });
                self.is_bound.push(false);
            }
            Some(_) if self.dialect.global_reassign => {}
            Some(index) => self.reassigned(ident, loaded, self.globals[index as usize]),
        }
    }

    fn reassigned(&mut self, ident: &Ident, loaded: bool, first: Global) {
        let name = self.names.get(ident.name);
        let message = if loaded {
            format!("cannot reassign top-level {name}")
        } else {
            let scope = if first.loaded { "local" } else { "global" };
            let place = self.source.position(first.span.start);
            format!("cannot reassign {scope} {name} declared at {place}")
        };
        let error = Diagnostic::error(self.source, ident.span, message);
        let error = error.note_at(self.source, first.span, "it was bound first here");
        self.errors.push(error.lacking(Feature::GlobalReassign));
    }

    fn declare_params(&mut self, function: &mut Function) {
        for ident in param_idents(&mut function.params) {
            if !self.scopes.declare(ident) {
                let message = format!("duplicate parameter: {}", self.names.get(ident.name));
                self.error(ident.span, message);
            }
        }
    }

    // ----------------------------------------------------------------------------------------- lookup

    fn lookup(&mut self, ident: &Ident) -> Binding {
        if let Some(local) = self.scopes.lookup(ident.name) {
            return local;
        }
        if let Some(index) = self.global_of[ident.name.index()] {
            self.is_bound[index as usize] |= self.binds;
            // Where globals may be bound again, only what stands above counts for uses at top level.
            let hidden = self.dialect.global_reassign
                && self.scopes.in_module_block()
                && !self.is_bound[index as usize];
            if !hidden {
                return Binding::Global(index);
            }
        }
        self.lookup_outside(ident)
    }

    /// Names that the module does not bind.
    fn lookup_outside(&mut self, ident: &Ident) -> Binding {
        let name = self.names.get(ident.name);
        if self.environment.is_predeclared(name) {
            return Binding::Predeclared;
        }
        if self.environment.is_universal(name) {
            if name == "set" && !self.dialect.set {
                let message = "this Starlark dialect does not support sets";
                self.lacking(Feature::Set, ident.span, message, None);
            }
            return Binding::Universal;
        }
        let hint = spelling::hint(self.nearest(name));
        let error = Diagnostic::error(self.source, ident.span, format!("undefined: {name}{hint}"));
        let help = advice::on_name(name).map(str::to_owned);
        self.errors.push(Diagnostic { help, ..error });
        Binding::Unresolved
    }

    /// The known name most like this one. All known names are looked through, so only the first errors get
    /// a hint.
    fn nearest(&self, name: &str) -> Option<String> {
        if self.errors.len() >= HINTS {
            return None;
        }
        let known = self.environment.names();
        let mine = self.scopes.visible().chain(self.globals.iter().map(|global| global.name));
        let candidates = mine.map(|symbol| self.names.get(symbol)).chain(known.iter().map(String::as_str));
        // The name itself is among them if it is bound further down, where that does not count.
        let others = candidates.filter(|&candidate| candidate != name);
        spelling::nearest(name, others).map(str::to_string)
    }

    // -------------------------------------------------------------------------------------- statements

    /// Reports a statement that may not stand here.
    fn check_place(&mut self, stmt: &Stmt) {
        let outside = self.scopes.at_top_level();
        let control = outside && !self.dialect.top_level_control;
        match stmt.kind {
            StmtKind::Break if self.loops == 0 => self.error(stmt.span, "break not in a loop"),
            StmtKind::Continue if self.loops == 0 => self.error(stmt.span, "continue not in a loop"),
            StmtKind::Return(_) if outside => {
                self.error_with_help(
                    stmt.span,
                    "return statement not within a function",
                    advice::RETURN_OUTSIDE,
                );
            }
            StmtKind::If(_) if control => {
                let message = "if statement not within a function";
                let help = Some(advice::IF_OUTSIDE);
                self.lacking(Feature::TopLevelControl, keyword(stmt, "if"), message, help);
            }
            StmtKind::For(_) if control => {
                let message = "for loop not within a function";
                let help = Some(advice::LOOP_OUTSIDE);
                self.lacking(Feature::TopLevelControl, keyword(stmt, "for"), message, help);
            }
            StmtKind::While(_) => {
                if !self.dialect.while_loops {
                    let message = "this Starlark dialect does not support while loops";
                    let help = Some(advice::UNBOUNDED_LOOP);
                    self.lacking(Feature::WhileLoops, keyword(stmt, "while"), message, help);
                }
                if control {
                    let message = "while loop not within a function";
                    let help = Some(advice::LOOP_OUTSIDE);
                    self.lacking(Feature::TopLevelControl, keyword(stmt, "while"), message, help);
                }
            }
            StmtKind::Def(_) if !outside && !self.dialect.nested_def => {
                let message = "this Starlark dialect does not support nested def";
                self.lacking(Feature::NestedDef, keyword(stmt, "def"), message, None);
            }
            StmtKind::Load(_) => self.check_load(stmt.span),
            _ => {}
        }
    }

    fn check_load(&mut self, span: Span) {
        let place = if !self.scopes.at_top_level() {
            "a function"
        } else if self.loops > 0 {
            "a loop"
        } else if self.conditionals > 0 {
            "a conditional"
        } else {
            return;
        };
        self.error_with_help(span, format!("load statement within {place}"), advice::LOAD_INSIDE);
    }

    /// Visits names that are bound where they stand.
    fn binding(&mut self, visit: impl FnOnce(&mut Self)) {
        self.binds = true;
        visit(self);
        self.binds = false;
    }
}

impl Visit for Resolver<'_> {
    fn ident(&mut self, ident: &mut Ident) {
        ident.binding = self.lookup(ident);
    }

    fn load(&mut self, local: &mut Ident) {
        self.binding(|r| r.ident(local));
    }

    fn target(&mut self, target: &mut Target) {
        match &mut target.kind {
            TargetKind::Ident(ident) => self.binding(|r| r.ident(ident)),
            _ => walk_target(self, target),
        }
    }

    fn stmt(&mut self, stmt: &mut Stmt) {
        self.check_place(stmt);
        match &mut stmt.kind {
            StmtKind::Def(def) => {
                self.binding(|r| r.ident(&mut def.name));
                self.function(&mut def.function);
            }
            StmtKind::If(_) => {
                self.conditionals += 1;
                walk_stmt(self, stmt);
                self.conditionals -= 1;
            }
            StmtKind::For(_) | StmtKind::While(_) => {
                self.loops += 1;
                walk_stmt(self, stmt);
                self.loops -= 1;
            }
            _ => walk_stmt(self, stmt),
        }
    }

    fn function(&mut self, function: &mut Function) {
        walk_defaults(self, &mut function.params);
        self.scopes.enter_function();
        self.declare_params(function);
        declare::bound_names(&function.body, &mut |ident, _| {
            self.scopes.declare(ident);
        });
        let around = (self.loops, self.conditionals);
        (self.loops, self.conditionals) = (0, 0);
        param_idents(&mut function.params).for_each(|ident| self.ident(ident));
        self.block(&mut function.body);
        (self.loops, self.conditionals) = around;
        function.info = self.scopes.leave_function();
        let mut cells = Cells(&function.info);
        param_idents(&mut function.params).for_each(|ident| cells.ident(ident));
        make_cells(&function.info, &mut function.body);
    }

    fn comprehension(&mut self, clauses: &mut [Clause], results: &mut [&mut Expr]) {
        if let Some(Clause::For { iterable, .. }) = clauses.first_mut() {
            walk_expr(self, iterable);
        }
        self.scopes.open_block();
        declare::clause_names(clauses, &mut |ident, _| {
            self.scopes.declare(ident);
        });
        for (i, clause) in clauses.iter_mut().enumerate() {
            match clause {
                Clause::For { target, .. } if i == 0 => self.target(target),
                _ => walk_clause(self, clause),
            }
        }
        results.iter_mut().for_each(|result| walk_expr(self, result));
        self.scopes.close_block();
    }
}

/// The keyword a statement begins with; its whole span would mark blocks of many lines.
fn keyword(stmt: &Stmt, word: &str) -> Span {
    Span::new(stmt.span.start, stmt.span.start + word.len() as u32)
}

/// Step 3: marks the uses of captured variables in the function that owns them.
struct Cells<'a>(&'a FunctionInfo);

fn make_cells(info: &FunctionInfo, body: &mut [Stmt]) {
    if info.locals.iter().any(|local| local.captured) {
        Cells(info).block(body);
    }
}

impl Visit for Cells<'_> {
    fn ident(&mut self, ident: &mut Ident) {
        if let Binding::Local(slot) = ident.binding
            && self.0.locals[slot as usize].captured
        {
            ident.binding = Binding::Cell(slot);
        }
    }

    fn function(&mut self, function: &mut Function) {
        // Its defaults are evaluated here; its body has variables of its own.
        walk_defaults(self, &mut function.params);
    }
}
