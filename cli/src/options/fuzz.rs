//! The options of `frazil fuzz`.

use std::time::Duration;

use ::fuzz::faults::Defect;
use fuzz::program::mistakes;
use lexopt::prelude::*;
use starlark::Mistake;

use super::run::JOBS_MAX;
use super::{Command, Topic};

/// What `frazil help fuzz` says.
pub const HELP: &str = "\
Lets random histories happen to a heap and to a plain graph at once. After every collection the two are compared:
which objects are there, what they hold, how each is kept alive, every count and every retain bit; and the heap's
own verifier looks at it. Most histories take the collector's steps in another order, as far as the theory allows
it; some happen under two orders, which must come to the same heap. The first history that fails is shrunk to a few
lines, shown, and written to a file.

usage: frazil fuzz [--programs] [--cases N | --seconds N] [--seed N] [--jobs N] [--fault NAME] [--save FILE]
       frazil fuzz --texts [--cases N | --seconds N] [--seed N] [--jobs N] [--save FILE] [PROGRAM.star ...]
       frazil fuzz --replay FILE [--fault NAME] [--quiet]
       frazil fuzz --worlds [--cases N | --seconds N] [--seed N] [--jobs N] [--fault NAME] [--save FILE]
       frazil fuzz [--programs | --worlds] --list-faults

random histories
  --cases N      so many histories
  --seconds N    as many as can be run in this time (10)
  --seed N       the seed of the first; the others follow it (from the clock). With the same seed the same histories
                 are run, on however many threads, and the same one fails first
  --jobs N       threads (one for each processor)
  --save FILE    where the shrunk history is written (fuzz-SEED.history)

random programs
  --programs     instead of histories, run Starlark programs made up at random: each on a heap where collections are
                 as common as can be (many in checking mode), and on one that never collects. What they print, and the
                 error they may end with, must be the same. One that fails is written to fuzz-SEED.star (--save), with
                 the modules it loads beside it, to be run with frazil run --check

texts
  --texts        instead of histories, put texts through the whole interpreter that are programs, nearly programs (the
                 given ones and random ones, with a few tokens changed), or nothing of the kind. None may make it panic
                 or abort; errors must have a place in the text; and nothing may be left behind. A text that does harm
                 is written to fuzz-SEED.star (--save)

random worlds
  --worlds       instead of histories, run worlds: groups of two to five heaps that share what is frozen, stopped
                 between any two messages, while heaps begin and end. After every step all counts are audited, and
                 everything that can be reached is compared with a plain graph. At the end nothing may be left.
                 One that fails is written to fuzz-SEED.world (--save), to be read; its seed runs it again

one history
  --replay FILE  run the history in FILE. Each step is shown, and the heap after it, an object a line: its name, its
                 shape, whether it is young, counted or traced, its count, whether the last collection found it
                 referred to by a root or a traced object (retained), whether it is dead and waits to be released
                 (waiting), the cycle it belongs to (component), and what it refers to (# is no object)
  --quiet        show the verdict only

a broken collector
  --fault NAME   let the collector do one thing wrong, or take its steps in an order that is forbidden, to see that
                 it is found. It may take the process with it; then another begins where it can go on. With
                 --programs, the interpreter forgets to root something; with --worlds, the heaps make a mistake in what
                 they tell each other
  --list-faults  the names of the faults and of the illegal orders, and what is done wrong

A history is text: a line of settings, then a step a line; what follows a ; is a remark. Write one by hand:

  heap
  n0 = leaf ()
  n1 = pair (n0, -)
  n2..n4 = ring row (n1)     three mutable objects on a cycle, all of which refer to n1
  root n2
  collect complete
  freeze deep n2
  collect complete           now they are one counted component

The kinds are leaf, pair, tuple N, bytes N, text N, keyed N (immutable), and cell, row, slots N, counter, buffer N,
table N (mutable). A file that is refused is told what was expected, and that is how to learn the other steps.

Exit status: 0 nothing failed, 1 a history, a program or a text failed, 2 the command line or a file is wrong.
";

/// How long histories are run if nothing is said.
const USUAL: Duration = Duration::from_secs(10);

/// How many cases are run, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// When to stop.
    pub bound: Bound,
    /// The first seed, unless the clock gives it.
    pub seed: Option<u64>,
    /// Threads, unless there is one for each processor.
    pub jobs: Option<usize>,
    /// Where the case that fails is written, unless its seed names the file.
    pub save: Option<String>,
}

/// Random histories to be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hunt {
    /// How.
    pub terms: Terms,
    /// What the collector does wrong.
    pub fault: Option<Defect>,
}

/// Random programs to be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramHunt {
    /// How.
    pub terms: Terms,
    /// What the interpreter forgets.
    pub mistake: Option<Mistake>,
}

/// Texts to be tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextHunt {
    /// How.
    pub terms: Terms,
    /// Programs that texts are made of, besides random ones.
    pub files: Vec<String>,
}

/// When enough histories or programs have been run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// When there were so many.
    Cases(u64),
    /// When this time is over.
    Time(Duration),
}

/// A history to be run step by step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// The history.
    pub file: String,
    /// What the collector does wrong.
    pub fault: Option<Defect>,
    /// Is only the verdict shown?
    pub quiet: bool,
}

/// Reads what follows `frazil fuzz`.
///
/// # Errors
/// It is wrong.
pub fn parse(parser: &mut lexopt::Parser) -> Result<Command, lexopt::Error> {
    let (mut cases, mut seconds, mut seed, mut jobs, mut save) = (None, None, None, None, None);
    let (mut replay, mut fault, mut quiet) = (None, None::<String>, false);
    let (mut programs, mut texts, mut worlds, mut list, mut files) = (false, false, false, false, Vec::new());
    while let Some(argument) = parser.next()? {
        match argument {
            Long("help") | Short('h') => return Ok(Command::Help(Topic::Fuzz)),
            Long("list-faults") => list = true,
            Long("programs") => programs = true,
            Long("texts") => texts = true,
            Long("worlds") => worlds = true,
            Long("cases") => cases = Some(parser.value()?.parse_with(|text| positive(text, "cases"))?),
            Long("seconds") => seconds = Some(parser.value()?.parse_with(|text| positive(text, "seconds"))?),
            Long("seed") => seed = Some(parser.value()?.parse_with(a_seed)?),
            Long("jobs") => jobs = Some(parser.value()?.parse_with(threads)?),
            Long("save") => save = Some(parser.value()?.string()?),
            Long("replay") => replay = Some(parser.value()?.string()?),
            Long("fault") => fault = Some(parser.value()?.string()?),
            Long("quiet") => quiet = true,
            Value(file) if texts => files.push(file.string()?),
            _ => return Err(argument.unexpected()),
        }
    }
    if texts && (programs || worlds || list || replay.is_some() || fault.is_some()) {
        return Err("--texts goes with --cases, --seconds, --seed, --jobs, --save and files only".into());
    }
    if list {
        return Ok(if worlds { Command::ListWorldFaults } else { Command::ListFaults { programs } });
    }
    if let Some(file) = replay {
        if worlds {
            return Err(
                "--replay runs a history; a world is run again with --worlds --cases 1 --seed N".into()
            );
        }
        if programs {
            return Err("--replay runs a history; a program is run with frazil run --check".into());
        }
        if cases.or(seconds).or(seed).is_some() || jobs.is_some() || save.is_some() {
            return Err("--replay runs one history: --cases, --seconds, --seed, --jobs and --save are for random ones"
                .into());
        }
        let fault = fault.as_deref().map(|text| known_fault(text, "")).transpose()?;
        return Ok(Command::Replay(Replay { file, fault, quiet }));
    }
    if worlds && programs {
        return Err("give --programs or --worlds, not both".into());
    }
    if quiet {
        return Err("--quiet is for --replay".into());
    }
    let bound = match (cases, seconds) {
        (Some(_), Some(_)) => return Err("give --cases or --seconds, not both".into()),
        (Some(cases), None) => Bound::Cases(cases),
        (None, seconds) => Bound::Time(seconds.map_or(USUAL, Duration::from_secs)),
    };
    let terms = Terms { bound, seed, jobs, save };
    if texts {
        return Ok(Command::FuzzTexts(TextHunt { terms, files }));
    }
    if programs {
        let mistake = fault.as_deref().map(known_mistake).transpose()?;
        return Ok(Command::FuzzPrograms(ProgramHunt { terms, mistake }));
    }
    let what = if worlds { "--worlds " } else { "" };
    let fault = fault.as_deref().map(|text| known_fault(text, what)).transpose()?;
    if worlds {
        return Ok(Command::FuzzWorlds(Hunt { terms, fault }));
    }
    if fault.is_some_and(Defect::is_of_groups) {
        return Err("only heaps of a group can have that fault: it goes with --worlds".into());
    }
    Ok(Command::Fuzz(Hunt { terms, fault }))
}

/// A number of `what`, of which there must be one at least.
pub(super) fn positive(text: &str, what: &str) -> Result<u64, String> {
    let number = text.parse().ok().filter(|&number| number > 0);
    number.ok_or_else(|| format!("{text:?} is no number of {what}: 1 or more, without a fraction"))
}

fn a_seed(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("{text:?} is no seed: a number from 0 to 2^64 - 1"))
}

fn threads(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (1..=JOBS_MAX).contains(number));
    number.ok_or_else(|| format!("{text:?} is no number of threads: 1 to {JOBS_MAX}"))
}

/// The fault with this name; `what` is fuzzed.
fn known_fault(text: &str, what: &str) -> Result<Defect, String> {
    Defect::named(text)
        .ok_or_else(|| format!("there is no fault {text:?}: frazil fuzz {what}--list-faults names them"))
}

fn known_mistake(text: &str) -> Result<Mistake, String> {
    mistakes().find(|mistake| mistake.name() == text).ok_or_else(|| {
        format!(
            "there is no fault {text:?} of the interpreter: frazil fuzz --programs --list-faults names them"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &[&str]) -> Result<Command, String> {
        parse(&mut lexopt::Parser::from_args(words)).map_err(|error| error.to_string())
    }

    #[test]
    fn ten_seconds_if_nothing_is_said() {
        let Ok(Command::Fuzz(hunt)) = parsed(&[]) else { panic!("no hunt") };
        let Terms { bound, seed, jobs, .. } = hunt.terms;
        assert_eq!((bound, seed, jobs), (Bound::Time(Duration::from_secs(10)), None, None));
    }

    #[test]
    fn a_hunt_with_everything() {
        let words = ["--cases", "7", "--seed=3", "--jobs", "2", "--save", "x", "--fault", "kept-weak"];
        let Ok(Command::Fuzz(hunt)) = parsed(&words) else { panic!("no hunt") };
        let terms =
            Terms { bound: Bound::Cases(7), seed: Some(3), jobs: Some(2), save: Some("x".to_owned()) };
        assert_eq!(hunt, Hunt { terms, fault: Defect::named("kept-weak") });
    }

    #[test]
    fn programs_have_faults_of_their_own() {
        let words = ["--fault", "captured", "--programs", "--cases", "7"];
        let Ok(Command::FuzzPrograms(hunt)) = parsed(&words) else { panic!("no hunt") };
        assert_eq!((hunt.mistake, hunt.terms.bound), (Some(Mistake::Captured), Bound::Cases(7)));
        // Random programs are given nothing predeclared: there would be nothing to find.
        for other in ["kept-weak", "predeclared"] {
            assert!(
                parsed(&["--programs", "--fault", other]).unwrap_err().contains("interpreter"),
                "{other}"
            );
        }
        assert!(parsed(&["--programs", "--replay", "x"]).unwrap_err().contains("frazil run --check"));
        let list = ["--list-faults", "--programs"];
        assert!(matches!(parsed(&list), Ok(Command::ListFaults { programs: true })));
    }

    #[test]
    fn texts_are_made_of_files() {
        let words = ["--texts", "a.star", "--cases", "7", "b.star"];
        let Ok(Command::FuzzTexts(hunt)) = parsed(&words) else { panic!("no hunt") };
        assert_eq!((hunt.files.join(" ").as_str(), hunt.terms.bound), ("a.star b.star", Bound::Cases(7)));
        for other in ["--programs", "--worlds", "--list-faults", "--quiet"] {
            assert!(parsed(&["--texts", other]).is_err(), "{other}");
        }
    }

    #[test]
    fn worlds_have_faults_of_their_own() {
        let Ok(Command::FuzzWorlds(hunt)) = parsed(&["--worlds", "--fault", "lost-inbox", "--cases", "7"])
        else {
            panic!("no hunt")
        };
        assert_eq!((hunt.fault, hunt.terms.bound), (Defect::named("lost-inbox"), Bound::Cases(7)));
        assert!(parsed(&["--fault", "lost-inbox"]).unwrap_err().contains("--worlds"));
        assert!(matches!(parsed(&["--worlds", "--list-faults"]), Ok(Command::ListWorldFaults)));
        assert!(parsed(&["--worlds", "--fault", "none"]).unwrap_err().contains("--worlds --list-faults"));
        assert!(parsed(&["--worlds", "--replay", "x"]).is_err());
        assert!(parsed(&["--worlds", "--programs"]).is_err());
    }

    #[test]
    fn what_does_not_go_together_is_refused() {
        assert!(matches!(parsed(&["--replay", "x", "--quiet"]), Ok(Command::Replay(replay)) if replay.quiet));
        assert!(parsed(&["--replay", "x", "--jobs", "1"]).unwrap_err().contains("one history"));
        assert!(parsed(&["--cases", "1", "--seconds", "1"]).unwrap_err().contains("not both"));
        assert!(parsed(&["--quiet"]).unwrap_err().contains("--replay"));
        assert!(parsed(&["--fault", "none"]).unwrap_err().contains("--list-faults"));
        for wrong in
            [["--cases", "0"], ["--seed", "-1"], ["--jobs", "0"], ["--jobs", "99999"], ["--seconds", "x"]]
        {
            assert!(parsed(&wrong).is_err(), "{wrong:?}");
        }
        assert!(parsed(&["file"]).is_err() && parsed(&["--replay"]).is_err());
    }
}
