//! The `frazil` command: runs Starlark programs on the collector, and random histories against it.
//!
//! Exit status: 0 if all went well, 1 if the program or a history failed, 2 if the command line or a file is wrong.

mod files;
mod hunt;
mod options;
mod progress;
mod replay;
mod stats;

use std::cell::RefCell;
use std::io::{BufWriter, IsTerminal, Write};
use std::process::ExitCode;
use std::rc::Rc;
use std::time::{Duration, Instant};

use starlark::syntax::Diagnostic;
use starlark::{Engine, Library};

use files::Files;
use options::Command;
use options::run::Run;
use stats::Summary;

fn main() -> ExitCode {
    match options::parse(lexopt::Parser::from_env()) {
        Ok(Command::Help(topic)) => {
            print!("{}", topic.text());
            ExitCode::SUCCESS
        }
        Ok(Command::Version) => {
            println!("frazil {}", env!("CARGO_PKG_VERSION"));
            ExitCode::SUCCESS
        }
        Ok(Command::Run(run)) => execute(&run),
        Ok(Command::Fuzz(hunt)) => hunt::hunt(&hunt),
        Ok(Command::Replay(replay)) => replay::replay(&replay),
        Ok(Command::ListFaults) => {
            hunt::list_faults();
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("frazil: {error}\nTry 'frazil --help'.");
            ExitCode::from(2)
        }
    }
}

/// Where the program's lines go: at once to a person, in large pieces to a file or another program.
type Output = Rc<RefCell<Box<dyn Write>>>;

/// Runs a program, and says what came of it.
fn execute(run: &Run) -> ExitCode {
    let stdout = std::io::stdout();
    let output: Output = match stdout.is_terminal() {
        true => Rc::new(RefCell::new(Box::new(stdout))),
        false => Rc::new(RefCell::new(Box::new(BufWriter::with_capacity(1 << 16, stdout)))),
    };
    let result = prepare(run, &output).and_then(|mut engine| {
        let started = Instant::now();
        let result = run_program(run, &mut engine);
        let elapsed = started.elapsed();
        // Nobody is left to tell if standard output is closed.
        let _ = output.borrow_mut().flush();
        let told = tell_stats(run, &engine, elapsed).map_err(Problem::Setup);
        result.and(told)
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Problem::Setup(message)) => {
            eprintln!("frazil: {message}");
            ExitCode::from(2)
        }
        Err(Problem::Program(diagnostics)) => {
            let color = std::io::stderr().is_terminal();
            for diagnostic in diagnostics {
                eprint!("{}", diagnostic.render(color));
            }
            ExitCode::FAILURE
        }
    }
}

/// What can go wrong.
enum Problem {
    /// Outside the program: the command line, a file.
    Setup(String),
    /// In the program.
    Program(Vec<Diagnostic>),
}

/// Makes an engine, and runs the prelude on it.
fn prepare(run: &Run, output: &Output) -> Result<Engine, Problem> {
    let files = Files::new(&run.file, run.root.clone());
    let prelude = run.prelude.clone().or_else(|| files.prelude());
    let mut engine = Engine::with_loader(run.config.clone(), run.dialect, Box::new(files))
        .map_err(|error| Problem::Setup(error.to_string()))?;
    let sink = Rc::clone(output);
    engine.on_print(move |line| {
        // A closed pipe must not end the program half-way through its work.
        let _ = writeln!(sink.borrow_mut(), "{line}");
    });
    engine.on_warning(|warning| eprint!("{}", warning.render(std::io::stderr().is_terminal())));
    for library in Library::ALL {
        engine.library(library).map_err(|error| Problem::Program(vec![error]))?;
    }
    if let Some(prelude) = prelude {
        let text = files::read(prelude.as_ref()).map_err(Problem::Setup)?;
        engine.run(&prelude, text).map_err(Problem::Program)?;
        engine.predeclare_module(&prelude).map_err(|error| Problem::Program(vec![error]))?;
    }
    Ok(engine)
}

fn run_program(run: &Run, engine: &mut Engine) -> Result<(), Problem> {
    let text = files::read(run.file.as_ref()).map_err(Problem::Setup)?;
    engine.run(&run.file, text).map_err(Problem::Program)
}

fn tell_stats(run: &Run, engine: &Engine, elapsed: Duration) -> Result<(), String> {
    let summary = Summary::new(engine, elapsed);
    if run.stats {
        eprint!("{summary}");
    }
    match run.stats_json.as_deref() {
        None => Ok(()),
        Some("-") => {
            eprintln!("{}", summary.json());
            Ok(())
        }
        Some(file) => std::fs::write(file, summary.json() + "\n")
            .map_err(|error| format!("cannot write {file}: {error}")),
    }
}
