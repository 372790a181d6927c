//! The command line: which command it is. Each has its options, and explains them, in a file of its own.

pub mod check;
pub mod fuzz;
pub mod heap;
pub mod repl;
pub mod run;
pub mod shown;
pub mod tune;

use lexopt::prelude::*;

/// What `--help` says.
const HELP: &str = "\
frazil: a Starlark interpreter on a garbage collector of its own, and what it takes to look into both.

  frazil build.star                     run a program
  frazil -c 'print(6 * 7)'              run a line of code
  frazil repl                           try things out at a prompt
  frazil check src/                     find what is wrong in many files, without running them
  frazil run --jobs 0 a.star b.star     run several, and what they load, on all cores
  frazil run --stats build.star         run a program, and say what the collector did
  frazil heap build.star                show who keeps what alive in its heap, and which lines made it
  frazil tune build.star                find the block and nursery size that suit a program, if others do better
  frazil fuzz --seconds 30              let random histories happen to the collector, and make what fails small
  frazil fuzz --fault skipped-count     see how a broken collector is found

usage: frazil COMMAND [OPTIONS] [FILE]
       frazil FILE.star|-|-c CODE [OPTIONS]      short for frazil run

commands: run, check, repl, heap, tune, fuzz; 'frazil help COMMAND' explains one; 'frazil help errors', 'stats' and 'report'
explain the JSON of errors, of run --stats-json, and of heap.

  --help, --version

Exit status: 0 all went well; 1 a program or a history failed, or the text of a program is wrong; 2 the command line or
a file is wrong. Errors are in colours on a terminal, unless NO_COLOR is set.
";

/// What is to be done.
#[derive(Debug)]
pub enum Command {
    /// Explain.
    Help(Topic),
    /// Say which version this is.
    Version,
    /// Run a program.
    Run(run::Run),
    /// Check files.
    Check(check::Check),
    /// Run what somebody types.
    Repl(repl::Repl),
    /// Run random histories.
    Fuzz(fuzz::Hunt),
    /// Run random programs.
    FuzzPrograms(fuzz::ProgramHunt),
    /// Try texts.
    FuzzTexts(fuzz::TextHunt),
    /// Run random worlds.
    FuzzWorlds(fuzz::Hunt),
    /// Name the faults between heaps.
    ListWorldFaults,
    /// Run one history, step by step.
    Replay(fuzz::Replay),
    /// Name all faults: of the collector, or of the interpreter.
    ListFaults {
        /// Those of the interpreter.
        programs: bool,
    },
    /// Show a program's heap.
    Heap(heap::Look),
    /// Find the settings that suit a program.
    Tune(tune::Tune),
}

/// What can be explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// The command as a whole.
    Frazil,
    /// `frazil run`
    Run,
    /// `frazil fuzz`
    Fuzz,
    /// `frazil heap`
    Heap,
    /// `frazil tune`
    Tune,
    /// `frazil check`
    Check,
    /// `frazil repl`
    Repl,
    /// Errors as JSON.
    Errors,
    /// What the collector did, as JSON.
    Stats,
    /// A report about a heap, as JSON.
    Report,
}

impl Topic {
    /// The explanation.
    pub fn text(self) -> &'static str {
        match self {
            Topic::Frazil => HELP,
            Topic::Run => run::HELP,
            Topic::Fuzz => fuzz::HELP,
            Topic::Heap => heap::HELP,
            Topic::Tune => tune::HELP,
            Topic::Check => check::HELP,
            Topic::Repl => repl::HELP,
            Topic::Errors => crate::report::HELP,
            Topic::Stats => crate::stats::HELP,
            Topic::Report => crate::heap::REPORT_HELP,
        }
    }
}

/// Reads the command line.
///
/// # Errors
/// It is wrong.
pub fn parse(mut parser: lexopt::Parser) -> Result<Command, lexopt::Error> {
    let mut all = parser.clone();
    let Some(first) = parser.next()? else {
        return Err(
            "say what is to be done, for instance frazil run FILE.star: frazil help names all commands"
                .into(),
        );
    };
    match first {
        Long("help") | Short('h') => Ok(Command::Help(Topic::Frazil)),
        Long("version") | Short('V') => Ok(Command::Version),
        Short('c') => run::parse_code(&mut parser),
        Value(command) => match &*command.string()? {
            "run" => run::parse(&mut parser),
            "check" => check::parse(&mut parser),
            "repl" => repl::parse(&mut parser),
            "fuzz" => fuzz::parse(&mut parser),
            "heap" => heap::parse(&mut parser),
            "tune" => tune::parse(&mut parser),
            "help" => help(&mut parser),
            // No command has such a name.
            file if file == "-" || file.contains(['.', '/']) => {
                run::parse_after(&mut parser, vec![file.to_owned()])
            }
            other => Err(format!(
                "there is no command {other:?}: there are run, check, repl, heap, tune, fuzz and help"
            )
            .into()),
        },
        // The options of `run`, with `-c` or a file behind them.
        _ => run::parse(&mut all),
    }
}

fn help(parser: &mut lexopt::Parser) -> Result<Command, lexopt::Error> {
    let topic = match parser.next()? {
        None => Topic::Frazil,
        Some(Value(topic)) => match &*topic.string()? {
            "run" => Topic::Run,
            "fuzz" => Topic::Fuzz,
            "heap" => Topic::Heap,
            "tune" => Topic::Tune,
            "check" => Topic::Check,
            "repl" => Topic::Repl,
            "errors" => Topic::Errors,
            "stats" => Topic::Stats,
            "report" => Topic::Report,
            other => {
                return Err(
                    format!("there is no command {other:?} to explain: frazil --help names all").into()
                );
            }
        },
        Some(other) => return Err(other.unexpected()),
    };
    Ok(Command::Help(topic))
}

/// The only one of the files that were named.
fn one_file(mut files: Vec<String>, wrong: &str) -> Result<String, lexopt::Error> {
    match (files.pop(), files.is_empty()) {
        (Some(file), true) => Ok(file),
        _ => Err(wrong.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_says_what_is_to_be_done() {
        let parse = |words: &[&str]| parse(lexopt::Parser::from_args(words));
        assert!(matches!(parse(&["run", "a.star"]), Ok(Command::Run(_))));
        assert!(matches!(parse(&["fuzz"]), Ok(Command::Fuzz(_))));
        assert!(matches!(parse(&["-h"]), Ok(Command::Help(Topic::Frazil))));
        assert!(matches!(parse(&["help", "fuzz"]), Ok(Command::Help(Topic::Fuzz))));
        assert!(matches!(parse(&["fuzz", "--help"]), Ok(Command::Help(Topic::Fuzz))));
        assert!(matches!(parse(&["heap", "a.star"]), Ok(Command::Heap(_))));
        assert!(matches!(parse(&["help", "heap"]), Ok(Command::Help(Topic::Heap))));
        assert!(matches!(parse(&["tune", "a.star"]), Ok(Command::Tune(_))));
        assert!(matches!(parse(&["help", "tune"]), Ok(Command::Help(Topic::Tune))));
        assert!(matches!(parse(&["run", "--help"]), Ok(Command::Help(Topic::Run))));
        assert!(matches!(parse(&["check", "."]), Ok(Command::Check(_))));
        assert!(matches!(parse(&["help", "errors"]), Ok(Command::Help(Topic::Errors))));
        assert!(matches!(parse(&["help", "stats"]), Ok(Command::Help(Topic::Stats))));
        assert!(matches!(parse(&["help", "report"]), Ok(Command::Help(Topic::Report))));
        assert!(matches!(parse(&["repl"]), Ok(Command::Repl(_))));
        for short in [&["a.star"] as &[&str], &["-"], &["-c", "x = 1"], &["./a", "--stats"]] {
            assert!(matches!(parse(short), Ok(Command::Run(_))), "{short:?}");
        }
        for wrong in [&[] as &[&str], &["fly"], &["--fly"], &["help", "fly"], &["help", "--fly"]] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
