//! The options of `frazil run`.

use std::collections::HashSet;
use std::ffi::OsString;
use std::num::NonZero;
use std::path::PathBuf;

use frazil::{BlockBytes, Config, Drain};
use lexopt::prelude::*;
use starlark::syntax::Dialect;

use super::shown::{self, Shown};
use super::{Command, Topic};
use crate::files::{DASH, STANDARD_INPUT};

/// What `frazil help run` says.
pub const HELP: &str = "\
Runs Starlark programs on the frazil collector, or plays a recorded trace of one.

  frazil run build.star                     run a program
  frazil build.star                         the same
  frazil run -c 'print([x * x for x in range(5)])'
  generate | frazil run -                   run what comes from standard input
  frazil run --stats build.star             and say what the collector did
  frazil run --heap-limit 64m build.star    and give it no more memory than this
  frazil run --jobs 0 a.star b.star         run several, and what they load, on all cores
  frazil run --extended script.star         with all of Python's control flow that is there: while, recursion, ...

usage: frazil run [OPTIONS] FILE...|-|-c CODE

  FILE...             of several files, each is run once, also if another one loads it; if one fails the others are
                      run all the same, and errors come last, in the order of the files
  -c CODE             run this text; its lines may be separated by newlines or by ;
  -                   run what comes from standard input
  --jobs N            evaluate files, and the modules that they load, on N threads: 0 for one on each core (1). What is
                      printed, and every error, is the same for any N, and in the same order

what happened
  --stats             when the program is over, say what the collector did
  --stats-json FILE   write the same to FILE as JSON (- for standard error); 'frazil help stats' describes it
  --progress          while the program runs, say how much is allocated and alive, and how long pauses are

  --record TRACE      write what the program does to its heap into a file, for 'frazil tune' (somewhat slower)

memory
  --heap-limit SIZE   refuse to use more than this for the heap: the program ends with an error. (With --jobs, each
                      further thread has a heap of its own, and may use the Nth part of it)
  --nursery SIZE      allocate this much between two collections, at least (2m)
  --block SIZE        size of an old block: 4k, 8k, 16k or 32k (32k)
  --drain HOW         release what has died: all at once, or in instalments, so that no pause is long because a large
                      structure died (all)
  --check             collect at every call and loop, and verify the whole heap every time (slow)

language
  --extended          allow everything below (but load-globals)
  --dialect LIST      switch parts of the language on, or off with no- before the name; comma separated:
                      set (on), lambda (on), nested-def (on), set-order, recursion, while, top-level (if, for and
                      while outside of functions), reassign (of globals), load-globals, f-strings, types
                      (annotations, which are not checked), parallel-map: parallel_map(f, xs) is [f(x) for x in xs],
                      computed on the threads of --jobs, if f and xs are frozen: loaded, for example

modules (json and math are there without loading)
  --root DIR          where load(\"a/b.bzl\") is looked for (the folder of FILE and those above; if several
                      files are run, that of the file with the load statement, and those above)
  --prelude FILE      a program whose globals every module can use (prelude.star beside the first FILE, if
                      there is one)

errors (on standard error)
  --color WHEN        auto (on a terminal, unless NO_COLOR is set), always or never
  --error-format F    text, or json: one object a line; 'frazil help errors' describes it

Sizes are bytes, or end in k, m or g.

Ctrl-C, or being asked to end, ends a program like an error, which says where it was: what it printed arrives, and so do
figures. Pressed twice it ends frazil at once.

Exit status: 0 the program went well; 1 it failed, or its text is wrong; 2 the command line or a file is wrong; 130
Ctrl-C was pressed.
";

/// What `--drain instalments` means: as many bytes are released as are allocated, and no instalment takes longer than
/// a millisecond.
pub const INSTALMENTS: Drain = Drain::Instalments { objects_per_kib: 64, micros_max: 1000 };

/// The most threads that may be asked for.
pub(super) const JOBS_MAX: usize = 1024;

/// Where the text of a program comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// From the file that was named.
    File,
    /// From the command line.
    Code(String),
    /// From standard input.
    Standard,
}

/// A program and how to run it.
#[derive(Clone, Debug)]
pub struct Run {
    /// The program's file, or what stands for it in errors. Of several, the first.
    pub file: String,
    /// The files behind the first.
    pub others: Vec<String>,
    /// How many threads evaluate modules.
    pub jobs: usize,
    /// Where its text comes from.
    pub input: Input,
    /// Where modules are looked for.
    pub root: Option<PathBuf>,
    /// A program to be run before.
    pub prelude: Option<String>,
    /// Say what the collector did.
    pub stats: bool,
    /// Where to write it as JSON.
    pub stats_json: Option<String>,
    /// Say how it goes while it goes.
    pub progress: bool,
    /// Where to record a trace.
    pub record: Option<String>,
    /// For `frazil tune`: tell it all about this run. It is no option for people.
    pub trial: bool,
    /// The settings of the heap.
    pub config: Config,
    /// Which of them were said.
    pub said: Said,
    /// The language.
    pub dialect: Dialect,
    /// How errors are shown.
    pub shown: Shown,
}

impl Default for Run {
    fn default() -> Run {
        Run {
            file: String::new(),
            others: Vec::new(),
            jobs: 1,
            input: Input::File,
            root: None,
            prelude: None,
            stats: false,
            stats_json: None,
            progress: false,
            record: None,
            trial: false,
            config: starlark::CONFIG,
            said: Said::default(),
            dialect: Dialect::STANDARD,
            shown: Shown::default(),
        }
    }
}

impl Run {
    /// The files to be run.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.file).chain(&self.others).map(String::as_str)
    }
}

/// Settings that were given on the command line, rather than left as they are.
#[derive(Clone, Copy, Debug, Default)]
pub struct Said {
    /// The size of the nursery.
    pub nursery: bool,
    /// The size of a block.
    pub block: bool,
    /// How the dead are released.
    pub drain: bool,
}

/// Reads what follows `frazil run`.
///
/// # Errors
/// It is wrong.
pub fn parse(parser: &mut lexopt::Parser) -> Result<Command, lexopt::Error> {
    parse_after(parser, Vec::new())
}

/// The same behind these files.
///
/// # Errors
/// The command line is wrong.
pub fn parse_after(parser: &mut lexopt::Parser, files: Vec<String>) -> Result<Command, lexopt::Error> {
    parse_rest(parser, Run::default(), files)
}

/// The same behind `-c`.
///
/// # Errors
/// The command line is wrong.
pub fn parse_code(parser: &mut lexopt::Parser) -> Result<Command, lexopt::Error> {
    let input = Input::Code(parser.value()?.string()?);
    parse_rest(parser, Run { input, ..Run::default() }, Vec::new())
}

fn parse_rest(
    parser: &mut lexopt::Parser,
    mut run: Run,
    mut files: Vec<String>,
) -> Result<Command, lexopt::Error> {
    while let Some(argument) = parser.next()? {
        match argument {
            Long("help") | Short('h') => return Ok(Command::Help(Topic::Run)),
            Long("stats") => run.stats = true,
            Long("progress") => run.progress = true,
            Long("stats-json") => run.stats_json = Some(parser.value()?.string()?),
            Long("jobs") | Short('j') => run.jobs = parser.value()?.parse_with(jobs)?,
            Long("record") => run.record = Some(parser.value()?.string()?),
            Long("root") => run.root = Some(root(parser.value()?)?),
            Long("prelude") => run.prelude = Some(parser.value()?.string()?),
            Long("extended") => run.dialect = Dialect::EXTENDED,
            Long("dialect") => dialect(&mut run.dialect, &parser.value()?.string()?)?,
            Long("heap-limit") => run.config.limit_bytes = Some(parser.value()?.parse_with(size)?),
            Long("nursery") => {
                run.config.nursery_bytes = parser.value()?.parse_with(size)?;
                run.said.nursery = true;
            }
            Long("block") => {
                run.config.block_bytes = parser.value()?.parse_with(block)?;
                run.said.block = true;
            }
            Long("drain") => {
                run.config.drain = parser.value()?.parse_with(drain)?;
                run.said.drain = true;
            }
            Long("trial") => run.trial = true,
            Long("check") => run.config.check = true,
            Short('c') => run.input = Input::Code(parser.value()?.string()?),
            Long("color") => run.shown.color = parser.value()?.parse_with(shown::color)?,
            Long("error-format") => run.shown.json = parser.value()?.parse_with(shown::format)?,
            Value(file) => files.push(file.string()?),
            _ => return Err(argument.unexpected()),
        }
    }
    if run.record.is_some() && run.jobs > 1 {
        return Err(
            "a trace is that of one heap, and each thread has its own: --record goes with --jobs 1".into()
        );
    }
    if files.len() > 1 && files.iter().any(|file| file == DASH) {
        return Err("standard input is run alone, or not at all".into());
    }
    run.file = match (&run.input, files.first()) {
        (Input::Code(_), None) => "<command line>".to_owned(),
        (Input::Code(_), Some(_)) => return Err("-c and a file were given, but only one can be run".into()),
        (_, None) => return Err("a program to run must be given: frazil run FILE.star".into()),
        (_, Some(dash)) if dash == DASH => {
            run.input = Input::Standard;
            STANDARD_INPUT.to_owned()
        }
        (_, Some(_)) => files.remove(0),
    };
    if run.input == Input::File {
        run.others = without_repetitions(&run.file, files);
    }
    Ok(Command::Run(run))
}

/// Files that are neither the first nor named twice.
fn without_repetitions(first: &str, files: Vec<String>) -> Vec<String> {
    let path = |file: &str| std::path::absolute(file).unwrap_or_else(|_| file.into());
    let mut seen = HashSet::from([path(first)]);
    files.into_iter().filter(|file| seen.insert(path(file))).collect()
}

/// Changes the language by a list of switches.
///
/// # Errors
/// It has an unknown switch.
pub(super) fn dialect(dialect: &mut Dialect, list: &str) -> Result<(), lexopt::Error> {
    match list.split(',').find(|name| !dialect.switch(name)) {
        None => Ok(()),
        Some(unknown) => {
            let known: Vec<&str> = Dialect::switches().collect();
            Err(format!("{unknown:?} is no part of the language that can be switched: {}", known.join(", "))
                .into())
        }
    }
}

/// A folder with modules.
pub(super) fn root(path: OsString) -> Result<PathBuf, lexopt::Error> {
    let path = PathBuf::from(path);
    // In a folder that is not there, no load would find anything, and each would say so of itself.
    if path.is_dir() {
        Ok(path)
    } else {
        Err(format!("--root {}: there is no such folder", path.display()).into())
    }
}

/// The size of an old block.
fn block(text: &str) -> Result<BlockBytes, String> {
    let wrong = || format!("{text:?} is no size of a block: 4k, 8k, 16k or 32k");
    size(text).ok().and_then(BlockBytes::from_bytes).ok_or_else(wrong)
}

/// A number of threads; 0 means one for each core.
pub(super) fn jobs(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Ok(std::thread::available_parallelism().map_or(1, NonZero::get)),
        Ok(jobs) if jobs <= JOBS_MAX => Ok(jobs),
        _ => Err(format!("{text:?} is no number of threads: 0 to {JOBS_MAX}")),
    }
}

/// How the dead are released.
fn drain(text: &str) -> Result<Drain, String> {
    match text {
        "all" => Ok(Drain::All),
        "instalments" => Ok(INSTALMENTS),
        _ => Err(format!("{text:?} is no way to release what has died: all or instalments")),
    }
}

/// A size: bytes, or a number with k, m or g.
pub(super) fn size(text: &str) -> Result<usize, String> {
    let wrong = || format!("{text:?} is no size: write bytes, or a number with k, m or g");
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
    fn blocks() {
        assert_eq!(block("4k"), Ok(BlockBytes::K4));
        assert_eq!(block("32768"), Ok(BlockBytes::K32));
        assert!(block("12k").unwrap_err().contains("4k, 8k, 16k or 32k"));
    }

    #[test]
    fn drains() {
        assert_eq!(drain("all"), Ok(Drain::All));
        assert_eq!(drain("instalments"), Ok(INSTALMENTS));
        assert!(drain("half").unwrap_err().contains("all or instalments"));
    }

    #[test]
    fn dialects() {
        let parse = |words: &[&str]| match parse(&mut lexopt::Parser::from_args(words)) {
            Ok(Command::Run(run)) => Some(run.dialect),
            _ => None,
        };
        let wanted = Dialect { while_loops: true, set: false, ..Dialect::STANDARD };
        assert_eq!(parse(&["--dialect", "while,no-set", "a.star"]), Some(wanted));
        let wanted = Dialect { recursion: false, ..Dialect::EXTENDED };
        assert_eq!(parse(&["--extended", "--dialect", "no-recursion", "a.star"]), Some(wanted));
        assert_eq!(parse(&["--dialect", "goto", "a.star"]), None);
    }

    #[test]
    fn a_run_needs_a_file() {
        let parse = |words: &[&str]| parse(&mut lexopt::Parser::from_args(words));
        assert!(
            matches!(parse(&["--nursery", "64k", "a.star"]), Ok(Command::Run(run)) if run.file == "a.star")
        );
        assert!(parse(&[]).is_err());
        assert!(parse(&["a.star", "-"]).is_err());
        assert!(parse(&["--nursery", "x", "a.star"]).is_err());
    }

    #[test]
    fn several_files_on_several_threads() {
        let parse = |words: &[&str]| match parse(&mut lexopt::Parser::from_args(words)) {
            Ok(Command::Run(run)) => {
                Some((run.jobs, run.files().map(str::to_owned).collect::<Vec<_>>().join(" ")))
            }
            _ => None,
        };
        assert_eq!(parse(&["a.star"]), Some((1, "a.star".to_owned())));
        assert_eq!(parse(&["a.star", "-j3", "b.star", "c"]), Some((3, "a.star b.star c".to_owned())));
        assert_eq!(
            parse(&["a.star", "./a.star", "b/c", "a.star", "b//c"]),
            Some((1, "a.star b/c".to_owned()))
        );
        assert!(parse(&["--jobs", "0", "a.star"]).is_some_and(|(jobs, _)| jobs > 0));
        for wrong in ["-1", "many", "1000000"] {
            assert_eq!(parse(&["--jobs", wrong, "a.star"]), None, "{wrong}");
        }
        assert_eq!(parse(&["--jobs", "2", "--record", "t", "a.star"]), None);
    }
}
