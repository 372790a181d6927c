//! The options of `frazil tune`.

use std::ffi::OsString;
use std::time::Duration;

use lexopt::prelude::*;
use starlark::syntax::Dialect;

use super::fuzz::positive;
use super::run::{dialect, root, size};
use super::{Command, Topic, one_file};

/// What `frazil help tune` says.
pub const HELP: &str = "\
Measures a program, or a recorded trace of one, under many settings of the heap: block sizes from 4k to 32k, nurseries
from 64k to 16m, the dead released all at once or in instalments. It recommends one if it is better than the default
beyond all noise, and if measuring both once more confirms it. Otherwise the recommendation is to keep the default.

usage: frazil tune [OPTIONS] FILE

FILE is a Starlark program, or a trace that 'frazil run --record' or an embedder wrote. Every run is a process of its
own, one at a time. The default settings are measured between the others again and again. What a program prints is
thrown away.

what is wanted
  --goal balanced  better in time, peak memory or longest pause, and worse in none of them (this is the default)
  --goal time      the least time, whatever it costs
  --goal memory    the least peak memory; it may cost up to a tenth more time
  --goal pause     the shortest longest pause; it may cost up to a tenth more time
  --seconds N      measure for about so long (90)

what is told
  --out PREFIX     where the reports go: PREFIX.html, PREFIX.csv and PREFIX.json (tune-NAME, after the file)
  --quiet          no progress and no table: the recommendation only

as in frazil run
  --extended, --dialect LIST, --root DIR, --prelude FILE, --heap-limit SIZE

Exit status: 0 there is a recommendation, or a reason to keep the default; 1 the program fails with the default
settings; 2 the command line or a file is wrong.
";

/// What the recommendation is to serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// All three, none at the cost of another.
    Balanced,
    /// Time.
    Time,
    /// Peak memory.
    Memory,
    /// The longest pause.
    Pause,
}

impl Goal {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Goal::Balanced => "balanced",
            Goal::Time => "time",
            Goal::Memory => "memory",
            Goal::Pause => "pause",
        }
    }
}

/// What is to be tuned, and how.
#[derive(Debug)]
pub struct Tune {
    /// The program or trace.
    pub file: String,
    /// What the recommendation is to serve.
    pub goal: Goal,
    /// How long to measure.
    pub time: Duration,
    /// Where the reports go, if it was said.
    pub out: Option<String>,
    /// Tell the recommendation only.
    pub quiet: bool,
    /// Options of `frazil run` that every run gets.
    pub passed: Vec<OsString>,
}

/// Reads what follows `frazil tune`.
///
/// # Errors
/// It is wrong.
pub fn parse(parser: &mut lexopt::Parser) -> Result<Command, lexopt::Error> {
    let mut tune = Tune {
        file: String::new(),
        goal: Goal::Balanced,
        time: Duration::from_secs(90),
        out: None,
        quiet: false,
        passed: Vec::new(),
    };
    let mut files = Vec::new();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("help") | Short('h') => return Ok(Command::Help(Topic::Tune)),
            Long("goal") => tune.goal = parser.value()?.parse_with(goal)?,
            Long("seconds") => {
                tune.time = Duration::from_secs(parser.value()?.parse_with(|text| positive(text, "seconds"))?)
            }
            Long("out") => tune.out = Some(parser.value()?.string()?),
            Long("quiet") => tune.quiet = true,
            Long("extended") => tune.passed.push("--extended".into()),
            Long("dialect") => {
                let list = parser.value()?.string()?;
                dialect(&mut Dialect::default(), &list)?;
                tune.passed.push(format!("--dialect={list}").into());
            }
            Long("root") => tune.passed.extend(["--root".into(), root(parser.value()?)?.into()]),
            Long("prelude") => tune.passed.extend(["--prelude".into(), parser.value()?]),
            Long("heap-limit") => {
                let limit = parser.value()?.parse_with(size)?;
                tune.passed.push(format!("--heap-limit={limit}").into());
            }
            Value(file) => files.push(file.string()?),
            _ => return Err(argument.unexpected()),
        }
    }
    tune.file = one_file(files, "one program or trace to tune must be given: frazil tune FILE")?;
    Ok(Command::Tune(tune))
}

fn goal(text: &str) -> Result<Goal, String> {
    let goals = [Goal::Balanced, Goal::Time, Goal::Memory, Goal::Pause];
    let found = goals.into_iter().find(|goal| goal.name() == text);
    found.ok_or_else(|| format!("{text:?} is no goal: balanced, time, memory or pause"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &[&str]) -> Result<Command, lexopt::Error> {
        parse(&mut lexopt::Parser::from_args(words))
    }

    #[test]
    fn what_a_run_needs_is_passed_on() {
        let words = [
            "--goal",
            "pause",
            "--extended",
            "--dialect",
            "no-set,types",
            "--root",
            "..",
            "--heap-limit",
            "1m",
            "a.star",
        ];
        let Ok(Command::Tune(tune)) = parsed(&words) else { panic!("a good command line") };
        assert_eq!((tune.goal, tune.file.as_str()), (Goal::Pause, "a.star"));
        assert_eq!(
            tune.passed,
            ["--extended", "--dialect=no-set,types", "--root", "..", "--heap-limit=1048576"]
        );
    }

    #[test]
    fn wrong_words_are_refused() {
        for wrong in [
            &["--goal", "fame", "a.star"] as &[&str],
            &[],
            &["a", "b"],
            &["--seconds", "x", "a"],
            &["--dialect", "goto", "a"],
        ] {
            assert!(parsed(wrong).is_err(), "{wrong:?}");
        }
    }
}
