//! The command line: which command it is. Each has its options, and explains them, in a file of its own.

pub mod fuzz;
pub mod heap;
pub mod run;

use lexopt::prelude::*;

/// What `--help` says.
const HELP: &str = "\
frazil: a garbage collector, with a language on it and a fuzzer against it.

usage: frazil COMMAND [OPTIONS] [FILE]

commands
  run FILE.star   run a Starlark program on the collector, and say what the collector did if asked
  fuzz            let random histories happen to a heap, compare it with a model after every collection, and make
                  what fails small; or random programs
  heap FILE.star  run a program and show who keeps what alive in its heap, and which lines made it
  help [COMMAND]  explain

try
  frazil run --stats program.star
  frazil heap program.star
  frazil fuzz --seconds 30
  frazil fuzz --fault skipped-count     see how a broken collector is found
  frazil help fuzz

  --help, --version

Exit status: 0 all went well, 1 the program or a history failed, 2 the command line or a file is wrong.
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
    /// Run random histories.
    Fuzz(fuzz::Hunt),
    /// Run random programs.
    FuzzPrograms(fuzz::ProgramHunt),
    /// Run one history, step by step.
    Replay(fuzz::Replay),
    /// Name all faults: of the collector, or of the interpreter.
    ListFaults {
        /// Those of the interpreter.
        programs: bool,
    },
    /// Show a program's heap.
    Heap(heap::Look),
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
}

impl Topic {
    /// The explanation.
    pub fn text(self) -> &'static str {
        match self {
            Topic::Frazil => HELP,
            Topic::Run => run::HELP,
            Topic::Fuzz => fuzz::HELP,
            Topic::Heap => heap::HELP,
        }
    }
}

/// Reads the command line.
///
/// # Errors
/// It is wrong.
pub fn parse(mut parser: lexopt::Parser) -> Result<Command, lexopt::Error> {
    let Some(first) = parser.next()? else {
        return Err(
            "say what is to be done: frazil run FILE.star, frazil heap FILE.star, or frazil fuzz".into()
        );
    };
    match first {
        Long("help") | Short('h') => Ok(Command::Help(Topic::Frazil)),
        Long("version") | Short('V') => Ok(Command::Version),
        Value(command) => match &*command.string()? {
            "run" => run::parse(&mut parser),
            "fuzz" => fuzz::parse(&mut parser),
            "heap" => heap::parse(&mut parser),
            "help" => help(&mut parser),
            other => Err(format!("there is no command {other:?}: there are run, heap, fuzz and help").into()),
        },
        _ => Err(first.unexpected()),
    }
}

fn help(parser: &mut lexopt::Parser) -> Result<Command, lexopt::Error> {
    let topic = match parser.next()? {
        None => Topic::Frazil,
        Some(Value(topic)) => match &*topic.string()? {
            "run" => Topic::Run,
            "fuzz" => Topic::Fuzz,
            "heap" => Topic::Heap,
            other => return Err(format!("there is no command {other:?} to explain").into()),
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
        assert!(matches!(parse(&["run", "--help"]), Ok(Command::Help(Topic::Run))));
        for wrong in [&[] as &[&str], &["fly"], &["--fly"], &["help", "fly"], &["help", "--fly"]] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
