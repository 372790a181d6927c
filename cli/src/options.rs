//! The command line.

use std::path::PathBuf;

use frazil::Config;
use lexopt::prelude::*;
use starlark::syntax::Dialect;

/// What `--help` says.
pub const HELP: &str = "\
Runs Starlark programs on the frazil collector.

usage: frazil run [OPTIONS] FILE

  --root DIR          where load(\"a/b.bzl\") is looked for (default: the folder of FILE and those above)
  --prelude FILE      a program whose globals every module can use
  --extended          allow recursion, while, and statements at top level
  --heap-limit SIZE   refuse to use more memory than this for the heap
  --nursery SIZE      allocate this much between two collections, at least
  --check             verify the heap at every collection (slow)
  --help              show this

Sizes are bytes, or end in k, m or g.
";

/// What is to be done.
pub enum Command {
    /// Explain.
    Help,
    /// Run a program.
    Run(Run),
}

/// A program and how to run it.
pub struct Run {
    /// The program.
    pub file: String,
    /// Where modules are looked for.
    pub root: Option<PathBuf>,
    /// A program to be run before.
    pub prelude: Option<String>,
    /// The settings of the heap.
    pub config: Config,
    /// The language.
    pub dialect: Dialect,
}

/// Reads the command line.
///
/// # Errors
/// It is wrong.
pub fn parse(mut parser: lexopt::Parser) -> Result<Command, lexopt::Error> {
    let mut run = Run {
        file: String::new(),
        root: None,
        prelude: None,
        config: Config::default(),
        dialect: Dialect::STANDARD,
    };
    let mut words = Vec::new();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("help") | Short('h') => return Ok(Command::Help),
            Long("root") => run.root = Some(parser.value()?.into()),
            Long("prelude") => run.prelude = Some(parser.value()?.string()?),
            Long("extended") => run.dialect = Dialect::EXTENDED,
            Long("heap-limit") => run.config.limit_bytes = Some(parser.value()?.parse_with(size)?),
            Long("nursery") => run.config.nursery_bytes = parser.value()?.parse_with(size)?,
            Long("short") => run.config.short_collections = true,
            Long("check") => run.config.check = true,
            Value(word) => words.push(word.string()?),
            _ => return Err(argument.unexpected()),
        }
    }
    match &words[..] {
        [command, file] if command == "run" => {
            run.file.clone_from(file);
            Ok(Command::Run(run))
        }
        [command, ..] if command != "run" => Err(format!("there is no command {command:?}").into()),
        _ => Err("one program to run must be given".into()),
    }
}

/// A size: bytes, or a number with k, m or g.
fn size(text: &str) -> Result<usize, String> {
    let wrong = || format!("{text:?} is no size");
    let (digits, shift) = match text.char_indices().last() {
        Some((at, 'k' | 'K')) => (&text[..at], 10),
        Some((at, 'm' | 'M')) => (&text[..at], 20),
        Some((at, 'g' | 'G')) => (&text[..at], 30),
        _ => (text, 0),
    };
    let number: usize = digits.parse().map_err(|_| wrong())?;
    number.checked_mul(1 << shift).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        assert_eq!(size("64k"), Ok(64 << 10));
        assert_eq!(size("3M"), Ok(3 << 20));
        assert_eq!(size("17"), Ok(17));
        assert!(size("k").is_err() && size("").is_err() && size("1.5m").is_err());
        assert!(size("99999999999999g").is_err());
    }

    #[test]
    fn a_run_needs_one_file() {
        let parse = |words: &[&str]| parse(lexopt::Parser::from_args(words));
        assert!(
            matches!(parse(&["run", "--nursery", "64k", "a.star"]), Ok(Command::Run(run)) if run.file == "a.star")
        );
        assert!(parse(&["run"]).is_err());
        assert!(parse(&["fly", "a.star"]).is_err());
        assert!(parse(&["run", "--nursery", "x", "a.star"]).is_err());
    }
}
