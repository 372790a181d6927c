//! The options of `frazil heap`.

use lexopt::prelude::*;
use starlark::syntax::Dialect;

use super::run::{self, Run, size};
use super::{Command, Topic, one_file};

/// What `frazil help heap` says.
pub const HELP: &str = "\
Runs a Starlark program and shows what its heap is made of: which variables keep how much alive, which lines made it,
what keeps growing, and how it lies in blocks. For programs that take more memory than they should.

usage: frazil heap [OPTIONS] FILE.star

when to look
  --at peak        when most is alive, to within a quarter (this is the default)
  --at end         when the program is over
  --at SIZE        as soon as so much has been allocated

Whatever was asked for: when memory runs out, or Ctrl-C is pressed, that is the moment. Give --heap-limit to a program
that grows without end. Growth is measured all along, so even a look at the end tells which lines keep growing.

what is told
  --out PREFIX     where the reports go: PREFIX.html, and PREFIX.json, which 'frazil help report' describes (heap-NAME,
                   after the file)
  --quiet          no summary on standard output

as in frazil run
  --heap-limit SIZE, --extended, --dialect LIST, --root DIR, --prelude FILE

What the program prints is thrown away. Every object remembers the line that made it, and everything is collected now and
then to see what is alive: the program takes two to six times as long, most if much of what it makes stays alive.

Sizes are bytes, or end in k, m or g. Exit status: 0 the program went well, 1 it failed (there is a picture all the
same), 2 the command line or a file is wrong, 130 Ctrl-C was pressed (there is one, too).
";

/// When to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// When most is alive.
    Peak,
    /// When the program is over.
    End,
    /// When so many bytes have been allocated.
    After(u64),
}

/// A program to look at.
#[derive(Debug)]
pub struct Look {
    /// The program and the heap it runs on.
    pub run: Run,
    /// When to look.
    pub at: Moment,
    /// Where the reports go, if it was said.
    pub out: Option<String>,
    /// No summary.
    pub quiet: bool,
}

/// Reads what follows `frazil heap`.
///
/// # Errors
/// It is wrong.
pub fn parse(parser: &mut lexopt::Parser) -> Result<Command, lexopt::Error> {
    let mut look = Look { run: Run::default(), at: Moment::Peak, out: None, quiet: false };
    let mut files = Vec::new();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("help") | Short('h') => return Ok(Command::Help(Topic::Heap)),
            Long("at") => look.at = parser.value()?.parse_with(moment)?,
            Long("out") => look.out = Some(parser.value()?.string()?),
            Long("quiet") => look.quiet = true,
            Long("heap-limit") => look.run.config.limit_bytes = Some(parser.value()?.parse_with(size)?),
            Long("extended") => look.run.dialect = Dialect::EXTENDED,
            Long("dialect") => run::dialect(&mut look.run.dialect, &parser.value()?.string()?)?,
            Long("root") => look.run.root = Some(run::root(parser.value()?)?),
            Long("prelude") => look.run.prelude = Some(parser.value()?.string()?),
            Value(file) => files.push(file.string()?),
            _ => return Err(argument.unexpected()),
        }
    }
    look.run.file = one_file(files, "one program to look at must be given: frazil heap FILE.star")?;
    Ok(Command::Heap(look))
}

fn moment(text: &str) -> Result<Moment, String> {
    match text {
        "peak" => Ok(Moment::Peak),
        "end" => Ok(Moment::End),
        size_text => match size(size_text) {
            Ok(bytes) => Ok(Moment::After(bytes as u64)),
            Err(_) => {
                Err(format!("{text:?} is no moment: write peak, end, or how much is to be allocated (50m)"))
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments() {
        assert_eq!(moment("peak"), Ok(Moment::Peak));
        assert_eq!(moment("end"), Ok(Moment::End));
        assert_eq!(moment("2k"), Ok(Moment::After(2048)));
        assert!(moment("noon").unwrap_err().contains("peak, end"));
    }

    #[test]
    fn a_look_needs_one_file() {
        let parse = |words: &[&str]| parse(&mut lexopt::Parser::from_args(words));
        let good = parse(&["a.star", "--at", "end", "--heap-limit", "1m"]);
        assert!(matches!(good, Ok(Command::Heap(Look { at: Moment::End, .. }))));
        assert!(parse(&[]).is_err() && parse(&["a", "b"]).is_err() && parse(&["a", "--at", "noon"]).is_err());
    }
}
