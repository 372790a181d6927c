//! The `frazil` command: runs and checks Starlark programs on the collector, and random histories and programs against it.
//!
//! Exit status: 0 if all went well, 1 if a program or a history failed or the text of a program is wrong, 2 if the
//! command line or a file is wrong.

mod check;
mod files;
mod heap;
mod hunt;
mod live;
mod options;
mod page;
mod play;
mod programs;
mod progress;
mod repl;
mod replay;
mod report;
mod stats;
mod texts;
mod tune;

use std::cell::RefCell;
use std::fs::File;
use std::io::{BufWriter, IsTerminal, Read, Write};
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Instant;

use starlark::syntax::Diagnostic;
use starlark::{Engine, Library};

use files::Files;
use live::Live;
use options::Command;
use options::run::{Input, Run};
use report::Reporter;
use stats::Summary;
use tune::trial::{self, Log};

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
        Ok(Command::Check(request)) => check::check(&request),
        Ok(Command::Repl(request)) => repl::repl(&request),
        Ok(Command::Fuzz(hunt)) => hunt::hunt(&hunt),
        Ok(Command::Replay(replay)) => replay::replay(&replay),
        Ok(Command::Heap(look)) => heap::look(&look),
        Ok(Command::Tune(request)) => tune::tune(&request),
        Ok(Command::FuzzPrograms(hunt)) => programs::hunt(&hunt),
        Ok(Command::FuzzTexts(hunt)) => texts::hunt(&hunt),
        Ok(Command::ListFaults { programs: true }) => {
            programs::list_mistakes();
            ExitCode::SUCCESS
        }
        Ok(Command::ListFaults { programs: false }) => {
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
    if run.input == Input::File && play::is_trace(&run.file) {
        return play::play(run);
    }
    let stdout = std::io::stdout();
    let output: Output = match stdout.is_terminal() {
        true => Rc::new(RefCell::new(Box::new(stdout))),
        false => Rc::new(RefCell::new(Box::new(BufWriter::with_capacity(1 << 16, stdout)))),
    };
    let mut live = Live::default();
    let prepared = prepare(run, &output, |engine| {
        if run.progress {
            live = Live::begin(engine);
            let (sink, live) = (Rc::clone(&output), live.clone());
            engine.on_print(move |line| live.aside(|| print_line(&sink, line)));
        }
    });
    let result = prepared.and_then(|mut engine| {
        let log = run.trial.then(Log::default);
        if let Some(log) = &log {
            engine.observe(log.observer());
        }
        let (started, processor) = (Instant::now(), trial::processor_time());
        let result = run_program(run, &mut engine).and(end_record(run, &mut engine));
        let elapsed = started.elapsed();
        let processor = trial::processor_time().zip(processor).map(|(after, before)| after - before);
        live.end();
        // Nobody is left to tell if standard output is closed.
        let _ = output.borrow_mut().flush();
        if let Some(log) = &log {
            eprintln!("{}", log.tell(engine.stats(), elapsed, processor, stats::peak_bytes()));
        }
        let told = tell_stats(run, &Summary::new(&engine, elapsed)).map_err(Problem::Setup);
        result.and(told)
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => tell_problem(problem, run),
    }
}

/// Says what went wrong, and gives the exit status for it.
fn tell_problem(problem: Problem, run: &Run) -> ExitCode {
    match problem {
        Problem::Setup(message) => {
            eprintln!("frazil: {message}");
            ExitCode::from(2)
        }
        Problem::Program(diagnostics) => {
            let reporter = Reporter::new(run.shown, &std::io::stderr());
            diagnostics.iter().for_each(|diagnostic| reporter.tell(diagnostic));
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

/// Makes an engine, lets `set_up` have it, and runs the prelude on it.
fn prepare(run: &Run, output: &Output, set_up: impl FnOnce(&mut Engine)) -> Result<Engine, Problem> {
    let files = Files::new(&run.file, run.root.clone());
    let beside = if run.input == Input::File { files.prelude() } else { None };
    let prelude = run.prelude.clone().or(beside);
    let config = if run.record.is_some() { run.config.recording() } else { run.config.clone() };
    let mut engine = Engine::with_loader(config, run.dialect, Box::new(files))
        .map_err(|error| Problem::Setup(error.to_string()))?;
    if let Some(file) = &run.record {
        begin_record(run, file, &mut engine).map_err(Problem::Setup)?;
    }
    let sink = Rc::clone(output);
    engine.on_print(move |line| print_line(&sink, line));
    let reporter = Reporter::new(run.shown, &std::io::stderr());
    engine.on_warning(move |warning| reporter.tell(warning));
    set_up(&mut engine);
    for library in Library::ALL {
        engine.library(library).map_err(|error| Problem::Program(error.into()))?;
    }
    if let Some(prelude) = prelude {
        let text = files::read(prelude.as_ref()).map_err(Problem::Setup)?;
        engine.run(&prelude, text).map_err(|error| Problem::Program(error.into()))?;
        engine.predeclare_module(&prelude).map_err(|error| Problem::Program(error.into()))?;
    }
    Ok(engine)
}

/// Who records a trace.
const PRODUCER: &str = concat!("frazil ", env!("CARGO_PKG_VERSION"));

fn begin_record(run: &Run, file: &str, engine: &mut Engine) -> Result<(), String> {
    let out = File::create(file).map_err(|error| format!("cannot write {file}: {error}"))?;
    let recorded = engine.record(BufWriter::with_capacity(1 << 16, out), PRODUCER, &run.config);
    recorded.map_err(|error| error.to_string())
}

/// A program that fails leaves a trace, too: up to there.
fn end_record(run: &Run, engine: &mut Engine) -> Result<(), Problem> {
    match run.record.as_ref().map(|file| (file, engine.end_record())) {
        None | Some((_, Ok(_))) => Ok(()),
        Some((file, Err(error))) => Err(Problem::Setup(format!("{file}: {error}"))),
    }
}

fn print_line(output: &Output, line: &str) {
    // A closed pipe must not end the program half-way through its work.
    let _ = writeln!(output.borrow_mut(), "{line}");
}

fn run_program(run: &Run, engine: &mut Engine) -> Result<(), Problem> {
    let text = read_program(run).map_err(Problem::Setup)?;
    engine.run(&run.file, text).map_err(|error| Problem::Program(error.into()))
}

fn read_program(run: &Run) -> Result<String, String> {
    match &run.input {
        Input::File => files::read(run.file.as_ref()),
        Input::Code(code) => Ok(code.clone()),
        Input::Standard => {
            let mut text = String::new();
            let read = std::io::stdin().read_to_string(&mut text);
            read.map(|_| text).map_err(|error| format!("cannot read standard input: {error}"))
        }
    }
}

fn tell_stats(run: &Run, summary: &Summary) -> Result<(), String> {
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
