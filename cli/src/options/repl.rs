//! The options of `frazil repl`.

use lexopt::prelude::*;
use starlark::syntax::Dialect;

use super::run::{self, Input, Run};
use super::shown;
use super::{Command, Topic};

/// What `frazil help repl` says.
pub const HELP: &str = "\
Runs what you type, line by line, and shows the value of every expression.

  frazil repl                               begin
  frazil repl --prelude prelude.star        with the globals of a program
  frazil repl < program.star                the same as frazil run --extended -

usage: frazil repl [OPTIONS]

  >>> xs = [3, 1, 2]
  >>> sorted(xs)
  [1, 2, 3]
  >>> _[0]                  the last value
  1
  >>> def twice(x):         a block ends with an empty line
          return 2 * x

  >>> load(\"lib.star\", \"f\")   from this folder or those above
  >>> :quit                 or exit, or Ctrl-D

Tab completes names, and attributes behind a dot. The arrow keys move in the text and in what was typed before. Ctrl-C gives
up the line, or ends the program that runs; pressed twice it ends frazil. Globals stay as they are: nothing is frozen, and
names can be bound again. All of the language is switched on, json and math are there. Of a huge value only the beginning
is shown.

  --dialect LIST, --root DIR, --prelude FILE, --heap-limit SIZE   as in 'frazil run'
  --color WHEN        auto (on a terminal, unless NO_COLOR is set), always or never
  --history FILE      where to keep what was typed ($XDG_STATE_HOME/frazil/history, or the same in ~/.local/state);
                      /dev/null keeps nothing

Exit status: 0 it was left; 1 a program that came from standard input failed; 2 the command line or a file is wrong;
130 Ctrl-C was pressed twice.
";

/// A session, and how it is held.
#[derive(Debug)]
pub struct Repl {
    /// The settings, as for a program from standard input.
    pub run: Run,
    /// Where to keep what was typed, if it was said.
    pub history: Option<String>,
}

/// Reads what follows `frazil repl`.
///
/// # Errors
/// It is wrong.
pub fn parse(parser: &mut lexopt::Parser) -> Result<Command, lexopt::Error> {
    let mut run = Run {
        file: "<standard input>".to_owned(),
        input: Input::Standard,
        dialect: Dialect::EXTENDED,
        ..Run::default()
    };
    let mut history = None;
    while let Some(argument) = parser.next()? {
        match argument {
            Long("help") | Short('h') => return Ok(Command::Help(Topic::Repl)),
            Long("dialect") => run::dialect(&mut run.dialect, &parser.value()?.string()?)?,
            Long("extended") => {}
            Long("root") => run.root = Some(run::root(parser.value()?)?),
            Long("prelude") => run.prelude = Some(parser.value()?.string()?),
            Long("heap-limit") => run.config.limit_bytes = Some(parser.value()?.parse_with(run::size)?),
            Long("color") => run.shown.color = parser.value()?.parse_with(shown::color)?,
            Long("history") => history = Some(parser.value()?.string()?),
            _ => return Err(argument.unexpected()),
        }
    }
    Ok(Command::Repl(Repl { run, history }))
}
