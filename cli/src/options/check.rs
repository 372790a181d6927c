//! The options of `frazil check`.

use std::path::PathBuf;

use lexopt::prelude::*;
use starlark::syntax::Dialect;

use super::shown::{self, Shown};
use super::{Command, Topic, run};

/// What `frazil help check` says.
pub const HELP: &str = "\
Checks the syntax and the scopes of Starlark files without running them, and that what they load is there.

  frazil check build.star                   one file
  frazil check .                            all below this folder
  frazil check --predeclared host,env .     where a host predeclares these names
  frazil check --prelude prelude.star .     or a program binds them
  frazil check --json . | jq .message       for other programs

usage: frazil check [OPTIONS] FILE|DIR|-...

In a folder these are Starlark files: *.star, *.sky, *.bzl, *.bazel, BUILD, WORKSPACE, BUCK and Tiltfile. Hidden folders are
left out, and links to folders are not followed. A file that is named is checked whatever its name is. What comes from
standard input (-) is checked as a program in the current folder: editors have what was not saved yet.

names
  A name that nothing binds is an error. In all files the built-in names are known; in *.star also json and math. In the
  files of Bazel (*.bzl, BUILD, WORKSPACE, *.bazel) those that Bazel predeclares for that kind of file are known, and
  BUILD files may bind globals again.

  --predeclared LIST  other names that the host predeclares, comma separated
  --prelude FILE      a program whose globals are predeclared
  --any-name          any name may be predeclared

language
  --extended, --dialect LIST                as in 'frazil run', for all files

modules
  What a file loads is looked for as in 'frazil run'. It is a warning if there is no such file, and an error if the file
  has no such name, or if files load each other in a circle. Loads from other repositories (@name//...) that are not
  found are only counted.

  --root DIR          where load(\"a/b.bzl\") is looked for (the folder of the loading file and those above)

how
  --jobs N            use N threads: 0 for one on each core (0)
  --color WHEN        auto (on a terminal, unless NO_COLOR is set), always or never
  --error-format F    text, or json: one object a line; 'frazil help errors' describes it
  --json              short for --error-format json
  --quiet             no summary

What is found goes to standard output, in the order of the files' names.

Exit status: 0 there was no error, 1 there was one, 2 the command line is wrong or a file cannot be read.
";

/// What is to be checked, and how.
#[derive(Debug)]
pub struct Check {
    /// Files and folders.
    pub paths: Vec<PathBuf>,
    /// Names that the host predeclares.
    pub predeclared: Vec<String>,
    /// A program whose globals are predeclared.
    pub prelude: Option<String>,
    /// Any name may be predeclared.
    pub any_name: bool,
    /// Where modules are looked for.
    pub root: Option<PathBuf>,
    /// Threads; 0 for as many as there are processors.
    pub jobs: usize,
    /// No summary.
    pub quiet: bool,
    /// All of the language.
    pub extended: bool,
    /// Lists of switches of the language, which are known to be right.
    pub switches: Vec<String>,
    /// How errors are shown.
    pub shown: Shown,
}

/// Reads what follows `frazil check`.
///
/// # Errors
/// It is wrong.
pub fn parse(parser: &mut lexopt::Parser) -> Result<Command, lexopt::Error> {
    let mut check = Check {
        paths: Vec::new(),
        predeclared: Vec::new(),
        prelude: None,
        any_name: false,
        root: None,
        jobs: 0,
        quiet: false,
        extended: false,
        switches: Vec::new(),
        shown: Shown::default(),
    };
    while let Some(argument) = parser.next()? {
        match argument {
            Long("help") | Short('h') => return Ok(Command::Help(Topic::Check)),
            Long("predeclared") => {
                let list = parser.value()?.string()?;
                let names = list.split(',').map(str::trim).filter(|name| !name.is_empty());
                if let Some(wrong) = names.clone().find(|name| !is_name(name)) {
                    return Err(format!("--predeclared {list:?}: {wrong:?} is no name").into());
                }
                check.predeclared.extend(names.map(str::to_owned));
            }
            Long("prelude") => check.prelude = Some(parser.value()?.string()?),
            Long("any-name") => check.any_name = true,
            Long("root") => check.root = Some(run::root(parser.value()?)?),
            Long("jobs") | Short('j') => check.jobs = parser.value()?.parse_with(run::jobs)?,
            Long("quiet") => check.quiet = true,
            Long("extended") => check.extended = true,
            Long("dialect") => {
                let list = parser.value()?.string()?;
                run::dialect(&mut Dialect::default(), &list)?;
                check.switches.push(list);
            }
            Long("color") => check.shown.color = parser.value()?.parse_with(shown::color)?,
            Long("error-format") => check.shown.json = parser.value()?.parse_with(shown::format)?,
            Long("json") => check.shown.json = true,
            Value(path) => check.paths.push(path.into()),
            _ => return Err(argument.unexpected()),
        }
    }
    if check.paths.is_empty() {
        return Err(
            "files or folders to check must be given: frazil check . checks all below this folder".into()
        );
    }
    Ok(Command::Check(check))
}

/// Can a text be a name in a program?
fn is_name(text: &str) -> bool {
    let is_letter = |c: char| c == '_' || c.is_alphabetic();
    text.starts_with(is_letter) && text.chars().all(|c| is_letter(c) || c.is_numeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_taken_apart_and_checked() {
        let parse = |words: &[&str]| parse(&mut lexopt::Parser::from_args(words));
        let Ok(Command::Check(check)) = parse(&["--predeclared", "a, b", "--predeclared=c", "-j2", "x", "y"])
        else {
            panic!("a good command line")
        };
        assert_eq!((check.predeclared.join(" "), check.jobs, check.paths.len()), ("a b c".to_owned(), 2, 2));
        for wrong in [
            &[] as &[&str],
            &["--dialect", "goto", "x"],
            &["--jobs", "100000", "x"],
            &["--fast", "x"],
            &["--predeclared", "a b", "x"],
        ] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
