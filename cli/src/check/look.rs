//! One file by itself: its syntax, its scopes, what it exports and what it loads.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use starlark::Library;
use starlark::syntax::ast::{Load, LoadSymbol, Stmt, StmtKind};
use starlark::syntax::{self, Diagnostic, Dialect, Environment, Module, Names, SourceFile, Span};

use super::files::Kind;
use super::{names, shown};
use crate::files::{self, DASH, STANDARD_INPUT};
use crate::options::check::Check;

/// What the command line says about names and language.
pub struct Rules {
    universal: HashSet<&'static str>,
    predeclared: HashSet<String>,
    any_name: bool,
    extended: bool,
    switches: Vec<String>,
    /// Where modules are looked for.
    pub root: Option<PathBuf>,
}

impl Rules {
    /// # Errors
    /// The prelude cannot be read, or something is wrong with it.
    pub fn new(request: &Check) -> Result<Rules, String> {
        let mut rules = Rules {
            universal: starlark::builtins::names().chain(["None", "True", "False"]).collect(),
            predeclared: request.predeclared.iter().cloned().collect(),
            any_name: request.any_name,
            extended: request.extended,
            switches: request.switches.clone(),
            root: request.root.clone(),
        };
        if let Some(prelude) = &request.prelude {
            let looked = look(Path::new(prelude), &rules);
            match (looked.unreadable, looked.diagnostics.first(), looked.exports) {
                (Some(error), ..) => return Err(error),
                (None, Some(error), None) => return Err(error.to_string()),
                (None, _, exports) => rules.predeclared.extend(exports.unwrap_or_default()),
            }
        }
        Ok(rules)
    }

    fn dialect(&self, kind: Kind) -> Dialect {
        let mut dialect = if self.extended { Dialect::EXTENDED } else { Dialect::STANDARD };
        dialect.global_reassign |= matches!(kind, Kind::Build | Kind::Workspace | Kind::Module | Kind::Repo);
        for name in self.switches.iter().flat_map(|list| list.split(',')) {
            dialect.switch(name);
        }
        dialect
    }
}

/// The names that files of a kind may use without binding them.
struct Known<'a> {
    rules: &'a Rules,
    kind: Kind,
}

impl Environment for Known<'_> {
    fn is_predeclared(&self, name: &str) -> bool {
        self.rules.any_name && !self.rules.universal.contains(name)
            || self.rules.predeclared.contains(name)
            || names::predeclared(self.kind).any(|known| known == name)
            || self.kind == Kind::Plain && Library::ALL.iter().any(|library| library.name() == name)
    }

    fn is_universal(&self, name: &str) -> bool {
        self.rules.universal.contains(name)
    }

    fn names(&self) -> Vec<String> {
        let fixed = self.rules.universal.iter().copied().chain(names::predeclared(self.kind));
        fixed.map(str::to_owned).chain(self.rules.predeclared.iter().cloned()).collect()
    }
}

/// What was seen of a file.
pub struct Looked {
    /// The file.
    pub path: PathBuf,
    /// All that is wrong with it, in the order of its text.
    pub diagnostics: Vec<Diagnostic>,
    /// The names that others can load, if that is known.
    pub exports: Option<HashSet<String>>,
    /// What it loads.
    pub loads: Vec<Loading>,
    /// Why it could not be read.
    pub unreadable: Option<String>,
}

/// A `load` statement.
pub struct Loading {
    /// The file with the statement.
    pub source: SourceFile,
    /// The name of the module, as it is written.
    pub module: String,
    /// Where that stands.
    pub span: Span,
    /// The names that are loaded, and where they stand.
    pub symbols: Vec<(String, Span)>,
}

/// Looks at a file.
pub fn look(path: &Path, rules: &Rules) -> Looked {
    let mut looked = Looked {
        path: path.to_owned(),
        diagnostics: Vec::new(),
        exports: None,
        loads: Vec::new(),
        unreadable: None,
    };
    let is_standard = path.as_os_str() == DASH;
    let read = if is_standard { files::read_standard() } else { files::read(path) };
    let text = match read {
        Ok(text) => text,
        Err(error) => {
            looked.unreadable = Some(error);
            return looked;
        }
    };
    let kind = Kind::of(path);
    let dialect = rules.dialect(kind);
    let name = if is_standard { STANDARD_INPUT.to_owned() } else { shown(path) };
    let source = SourceFile::new(name, text);
    match syntax::analyze(&source, &Known { rules, kind }, &dialect) {
        Ok(module) => {
            looked.exports = Some(exports(&module, &dialect));
            looked.loads = loads(&module.source, &module.names, &module.body);
            looked.diagnostics = module.warnings;
        }
        Err(errors) => {
            looked.diagnostics = errors;
            // What is wrong with one statement says nothing of the loads beside it.
            let file = syntax::parse(&source, &dialect).file;
            looked.loads = loads(&file.source, &file.names, &file.body);
        }
    }
    looked
}

fn exports(module: &Module, dialect: &Dialect) -> HashSet<String> {
    let exported = module.globals.iter().filter(|global| !global.loaded || dialect.load_binds_globally);
    exported.map(|global| module.names.get(global.name).to_owned()).collect()
}

/// Loads stand at the top level only, whatever the dialect.
fn loads(source: &SourceFile, names: &Names, body: &[Stmt]) -> Vec<Loading> {
    let load = |stmt: &Stmt| match &stmt.kind {
        StmtKind::Load(load) => Some(loading(source, names, load)),
        _ => None,
    };
    body.iter().filter_map(load).collect()
}

fn loading(source: &SourceFile, names: &Names, load: &Load) -> Loading {
    let name = |symbol: &LoadSymbol| (names.get(symbol.remote.symbol).to_owned(), symbol.remote.span);
    Loading {
        source: source.clone(),
        module: load.module.to_string(),
        span: load.module_span,
        symbols: load.symbols.iter().map(name).collect(),
    }
}
