//! Programs that are analysed once and run often.

use std::collections::HashMap;
use std::sync::Arc;

use crate::code::Code;
use crate::compile::{self, Const};
use crate::syntax::{self, Diagnostic, Dialect, Environment, Module, SourceFile};

/// A module that has been parsed, resolved and compiled. It belongs to no engine: it can be run any number of times, on
/// several engines, and by several threads, as long as they predeclare the names that it uses. A copy is cheap.
///
/// ```
/// use frazil_starlark::Engine;
/// let program = Engine::default().compile("rule.star", "def double(x): return 2 * x\ndouble(21)").unwrap();
/// let on_another_thread = program.clone();
/// std::thread::spawn(move || {
///     let mut engine = Engine::default();
///     for _ in 0..3 {
///         let answer = engine.evaluate_program(&on_another_thread).unwrap();
///         assert_eq!(engine.get::<i64>(&answer).unwrap(), 42);
///     }
/// }).join().unwrap();
/// assert_eq!(program.name(), "rule.star");
/// ```
#[derive(Clone, Debug)]
pub struct Program(pub(crate) Arc<Parts>);

/// The names that a module exports, and the places of these among its globals.
pub(crate) type Exports = Arc<HashMap<Box<str>, u32>>;

/// What a program is made of.
#[derive(Debug)]
pub(crate) struct Parts {
    pub source: SourceFile,
    /// Nested functions first, the top level last.
    pub codes: Vec<Arc<Code>>,
    pub constants: Vec<Const>,
    /// How many globals it has.
    pub globals: usize,
    /// The places of what it exports among its globals.
    pub exports: Exports,
    pub warnings: Vec<Diagnostic>,
}

impl Program {
    /// The name of its file.
    pub fn name(&self) -> &str {
        self.0.source.name()
    }

    /// What the user should know about it, though nothing is wrong.
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.0.warnings
    }

    /// The names that it exports, sorted.
    pub fn exports(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.0.exports.keys().map(|name| &**name).collect();
        names.sort_unstable();
        names
    }

    /// Parses, resolves and compiles a module.
    ///
    /// # Errors
    /// All that is wrong with its text.
    pub(crate) fn compile(
        source: &SourceFile,
        environment: &dyn Environment,
        dialect: &Dialect,
        universal: &HashMap<String, u32>,
    ) -> Result<Program, Vec<Diagnostic>> {
        Program::of(syntax::analyze(source, environment, dialect)?, source, dialect, universal)
    }

    /// Compiles a module that has been parsed and resolved.
    ///
    /// # Errors
    /// A function is beyond the limits of the machine.
    pub(crate) fn of(
        module: Module,
        source: &SourceFile,
        dialect: &Dialect,
        universal: &HashMap<String, u32>,
    ) -> Result<Program, Vec<Diagnostic>> {
        let compiled = compile::compile(&module, universal)?;
        let exports = module.globals.iter().zip(0u32..);
        let exports = exports.filter(|(global, _)| !global.loaded || dialect.load_binds_globally);
        let exports = exports.map(|(global, at)| (module.names.get(global.name).into(), at)).collect();
        Ok(Program(Arc::new(Parts {
            source: source.clone(),
            codes: compiled.codes.into_iter().map(Arc::new).collect(),
            constants: compiled.constants,
            globals: module.globals.len(),
            exports: Arc::new(exports),
            warnings: module.warnings,
        })))
    }
}
