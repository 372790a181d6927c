//! Random Starlark programs: what a program is, and its text.
//!
//! A program is run twice: where everything that is rare about collections is common, and where nothing is ever
//! collected. Whatever it prints, and the error that it may end with, must be the same.
//!
//! ```text
//! seed or bytes --make--> Program --outcome--> what it printed, or a panic --shrink--> a few lines
//! ```
//!
//! It is a tree of lines, and that is all the shrinking has to know: what makes no sense without a line that is gone is
//! refused by the front end, in both runs alike.

pub mod campaign;
pub mod coverage;
mod fill;
mod form;
mod forms;
mod make;
pub mod outcome;
mod shrink;

use std::fmt::{self, Write as _};

use frazil::{BlockBytes, Config, Drain};
use starlark::Mistake;

pub use make::{Made, draw, make};

/// The mistakes that random programs can show. What is predeclared is up to the host, and theirs predeclares nothing.
pub fn mistakes() -> impl Iterator<Item = Mistake> {
    Mistake::ALL.iter().copied().filter(|&mistake| mistake != Mistake::Predeclared)
}

/// A statement: its line without indentation, and the block below it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statement {
    /// The line; that of a statement with a block ends in a colon.
    pub line: String,
    /// The block.
    pub body: Vec<Statement>,
}

impl Statement {
    /// A statement of one line.
    pub fn line(line: impl Into<String>) -> Statement {
        Statement { line: line.into(), body: Vec::new() }
    }

    /// A statement with a block.
    pub fn block(line: impl Into<String>, body: Vec<Statement>) -> Statement {
        Statement { line: line.into(), body }
    }

    fn write(&self, text: &mut String, depth: usize) {
        let _ = writeln!(text, "{:1$}{2}", "", 4 * depth, self.line);
        for statement in &self.body {
            statement.write(text, depth + 1);
        }
        if self.body.is_empty() && self.line.ends_with(':') {
            let _ = writeln!(text, "{:1$}pass", "", 4 * (depth + 1));
        }
    }

    /// Lines of it and of its block.
    pub fn lines(&self) -> usize {
        1 + self.body.iter().map(Statement::lines).sum::<usize>()
    }
}

/// Where a program runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Size of a block.
    pub block: BlockBytes,
    /// KiB of the nursery.
    pub nursery_kib: u32,
    /// Are there short collections?
    pub short: bool,
    /// Objects that are released per KiB allocated; 0 if the drain goes on to its end.
    pub instalment: u32,
    /// Checking mode.
    pub check: bool,
}

impl Settings {
    /// The settings of a heap on which much happens.
    pub fn config(&self) -> Config {
        Config {
            block_bytes: self.block,
            nursery_bytes: self.nursery_kib as usize * 1024,
            short_collections: self.short,
            drain: match self.instalment {
                0 => Drain::All,
                objects_per_kib => Drain::Instalments { objects_per_kib, micros_max: 1_000_000 },
            },
            check: self.check,
            stack_words: 1 << 16,
            ..Config::STRESS
        }
    }

    /// The settings of a heap on which nothing happens: what a program of this size allocates fits in the nursery.
    pub const QUIET: Config = Config { nursery_bytes: 8 << 20, stack_words: 1 << 16, ..Config::DEFAULT };
}

/// A module of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// The name by which others load it.
    pub name: String,
    /// Its statements.
    pub statements: Vec<Statement>,
}

impl Module {
    /// The text of the module.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for statement in &self.statements {
            statement.write(&mut text, 0);
        }
        text
    }
}

/// A program of one or more modules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// Where it runs.
    pub settings: Settings,
    /// Its modules. The last one is run; it may load the others, and they those before them.
    pub modules: Vec<Module>,
}

impl Program {
    /// The module that is run.
    pub fn main(&self) -> &Module {
        self.modules.last().expect("a program has a module")
    }

    /// Lines in all modules.
    pub fn lines(&self) -> usize {
        self.modules.iter().flat_map(|module| &module.statements).map(Statement::lines).sum()
    }

    /// The arguments of `frazil run` that come nearest to the settings.
    pub fn arguments(&self) -> String {
        let Settings { block, nursery_kib, .. } = self.settings;
        format!("--check --block {}k --nursery {nursery_kib}k", block.get() / 1024)
    }

    /// The program as files: for each its name and text. The first is the one to run; the others, which it loads,
    /// have names that begin with the first one's.
    pub fn files(&self, main: &str) -> Vec<(String, String)> {
        let stem = main.strip_suffix(".star").unwrap_or(main);
        let renamed = |module: &Module| format!("{stem}-{}", module.name);
        let (last, others) = self.modules.split_last().expect("a program has a module");
        let text = |module: &Module| {
            others.iter().fold(module.text(), |text, other| {
                let path = renamed(other);
                let file = path.rsplit('/').next().unwrap_or(&path);
                text.replace(&format!("load(\"{}\"", other.name), &format!("load(\":{file}\""))
            })
        };
        let others = others.iter().map(|module| (renamed(module), text(module)));
        std::iter::once((main.to_owned(), text(last))).chain(others).collect()
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.modules.iter().try_for_each(|module| write!(f, "# {}\n{}", module.name, module.text()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_block_is_a_statement_all_the_same() {
        let inner = Statement::block("if x:", vec![]);
        let outer = Statement::block("def f(x):", vec![inner, Statement::line("return x")]);
        let module = Module { name: String::new(), statements: vec![outer] };
        assert_eq!(module.text(), "def f(x):\n    if x:\n        pass\n    return x\n");
    }

    #[test]
    fn files_load_each_other_by_their_new_names() {
        let module = |name: &str, lines: &[&str]| Module {
            name: name.to_owned(),
            statements: lines.iter().copied().map(Statement::line).collect(),
        };
        let main = module("main.star", &["load(\"m0.star\", \"x\")", "print(x)"]);
        let program = Program {
            settings: make(1).program.settings,
            modules: vec![module("m0.star", &["x = 1"]), main],
        };
        let files = program.files("some/where/p.star");
        assert_eq!(files[0].0, "some/where/p.star");
        assert_eq!(files[0].1, "load(\":p-m0.star\", \"x\")\nprint(x)\n");
        assert_eq!(files[1], ("some/where/p-m0.star".to_owned(), "x = 1\n".to_owned()));
    }
}
