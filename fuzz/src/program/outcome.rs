//! A program runs twice, and what comes of it is compared.

use std::cell::RefCell;
use std::fmt;
use std::fmt::Write as _;
use std::rc::Rc;

use frazil::{Config, Request, Stats};
use starlark::syntax::Dialect;
use starlark::{Engine, Loader, Mistake};

use super::coverage::{Coverage, Event};
use super::{Made, Module, Program, Settings};
use crate::caught::caught;

/// What a program did, as far as anybody can see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What it printed.
    pub printed: String,
    /// The error that ended it, with its place and calls.
    pub error: Option<String>,
}

/// Why a program failed: not by an error of its own, which is an outcome like any other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The collector or the interpreter panicked.
    Panic(String),
    /// It came to something else than without collections.
    Differs {
        /// With collections.
        busy: Outcome,
        /// Without.
        quiet: Outcome,
    },
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (busy, quiet) = match self {
            Failure::Panic(message) => return f.write_str(message),
            Failure::Differs { busy, quiet } => (busy, quiet),
        };
        let ended = |outcome: &Outcome| outcome.error.clone().unwrap_or_else(|| "it ends well".to_owned());
        let mut lines = busy.printed.lines().zip(quiet.printed.lines()).enumerate();
        match lines.find(|(_, (busy, quiet))| busy != quiet) {
            Some((number, (busy, quiet))) => {
                writeln!(f, "line {} that is printed", number + 1)?;
                writeln!(f, "with collections:    {busy}")?;
                write!(f, "without collections: {quiet}")
            }
            None => {
                let lines = |outcome: &Outcome| outcome.printed.lines().count();
                writeln!(f, "with collections: {} lines, then {}", lines(busy), ended(busy))?;
                write!(f, "without collections: {} lines, then {}", lines(quiet), ended(quiet))
            }
        }
    }
}

/// The modules of a program.
struct Modules(Vec<Module>);

impl Loader for Modules {
    fn resolve(&self, name: &str, _: &str) -> Result<String, String> {
        Ok(name.to_owned())
    }

    fn read(&self, key: &str) -> Result<String, String> {
        let found = self.0.iter().find(|module| module.name == key);
        found.map(Module::text).ok_or_else(|| "no such module".to_owned())
    }
}

/// Runs a program on a heap of its own. When it is over, one more collection settles what its modules left.
fn run(program: &Program, config: Config, mistake: Option<Mistake>) -> (Outcome, Stats) {
    let modules = Modules(program.modules.clone());
    let mut engine = Engine::with_loader(config, Dialect::STANDARD, Box::new(modules))
        .unwrap_or_else(|error| panic!("{error}"));
    let printed = Rc::new(RefCell::new(String::new()));
    let sink = Rc::clone(&printed);
    engine.on_print(move |line| {
        let _ = writeln!(sink.borrow_mut(), "{line}");
    });
    if let Some(mistake) = mistake {
        // SAFETY: a panic ends this function, and the engine with it.
        unsafe { engine.plant(mistake) };
    }
    let main = program.main();
    let result = engine.run(&main.name, main.text());
    let error = result.err().map(|errors| errors.iter().map(|error| error.render(false)).collect());
    let during = engine.stats().clone();
    if during.collections() > 0 {
        engine.collect(Request::Complete).unwrap_or_else(|error| panic!("{error}"));
    }
    let printed = printed.take();
    (
        Outcome { printed, error },
        Stats { short: during.short, complete: during.complete, ..engine.stats().clone() },
    )
}

/// What a program comes to where nothing is collected.
pub fn quiet(program: &Program) -> Outcome {
    run(program, Settings::QUIET, None).0
}

/// Runs a program on two heaps, one of which may commit a mistake in checking mode, and compares.
///
/// # Errors
/// How it failed.
pub fn attempt(program: &Program, mistake: Option<Mistake>) -> Result<Coverage, Failure> {
    let config = Config { check: program.settings.check || mistake.is_some(), ..program.settings.config() };
    let (busy, stats) = caught(|| run(program, config, mistake)).map_err(Failure::Panic)?;
    let (quiet, none) = caught(|| run(program, Settings::QUIET, None)).map_err(Failure::Panic)?;
    if busy != quiet {
        return Err(Failure::Differs { busy, quiet });
    }
    let mut coverage = Coverage::default();
    for (event, times) in [
        (Event::Program, 1),
        (Event::EndedWell, u64::from(busy.error.is_none())),
        (Event::EndedInError, u64::from(busy.error.is_some())),
        (Event::Line, program.lines() as u64),
        (Event::Printed, busy.printed.lines().count() as u64),
        (Event::Checked, u64::from(program.settings.check)),
        (Event::Short, stats.short),
        (Event::Complete, stats.complete),
        (Event::Promoted, stats.promoted_objects),
        (Event::Freed, stats.freed_objects),
        (Event::Settled, stats.settled),
        (Event::Component, stats.components),
        (Event::Overflown, stats.last.overflown as u64),
        (Event::LeftWaiting, u64::from(stats.last.waiting > 0)),
        (Event::Quiet, u64::from(none.collections() == 0)),
    ] {
        coverage.add(event, times);
    }
    Ok(coverage)
}

/// The same for a program fresh from the generator, of which it is known what it is made of.
///
/// # Errors
/// How it failed.
pub fn attempt_made(made: &Made, mistake: Option<Mistake>) -> Result<Coverage, Failure> {
    let mut coverage = attempt(&made.program, mistake)?;
    if coverage.of(Event::EndedWell) > 0 {
        coverage.add_forms(&made.forms);
    }
    Ok(coverage)
}

#[cfg(test)]
mod tests {
    use super::super::{Statement, make};
    use super::*;

    #[test]
    fn an_error_of_the_program_is_an_outcome() {
        let statements = vec![Statement::line("print(1)"), Statement::line("fail(\"so\")")];
        let modules = vec![Module { name: "main.star".to_owned(), statements }];
        let program = Program { modules, settings: make(0).program.settings };
        let outcome = quiet(&program);
        assert_eq!(outcome.printed, "1\n");
        assert!(outcome.error.is_some_and(|error| error.contains("fail: so")));
        assert!(attempt(&program, None).is_ok());
    }

    #[test]
    fn what_differs_is_told() {
        let outcome = |printed: &str, error: Option<&str>| Outcome {
            printed: printed.to_owned(),
            error: error.map(str::to_owned),
        };
        let (busy, quiet) = (outcome("1\n2\n", None), outcome("1\n3\n", None));
        let told = Failure::Differs { busy, quiet }.to_string();
        assert_eq!(told, "line 2 that is printed\nwith collections:    2\nwithout collections: 3");
        let (busy, quiet) = (outcome("1\n", Some("error")), outcome("1\n", None));
        let told = Failure::Differs { busy, quiet }.to_string();
        assert!(
            told.contains("1 lines, then error") && told.contains("1 lines, then it ends well"),
            "{told}"
        );
    }
}
