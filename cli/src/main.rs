//! The `frazil` command: runs and checks Starlark programs on the collector, and random histories and programs against it.
//!
//! Exit status: 0 if all went well, 1 if a program or a history failed or the text of a program is wrong, 2 if the
//! command line or a file is wrong.

mod check;
mod files;
mod heap;
mod hunt;
mod interrupt;
mod live;
mod options;
mod out;
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
mod worlds;

use std::cell::RefCell;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use starlark::syntax::Diagnostic;
use starlark::{Engine, EngineError, Library};

use files::Files;
use live::Live;
use options::Command;
use options::run::{Input, Run};
use out::{Out, remark};
use report::Reporter;
use stats::{Summary, Tally};
use tune::trial::{self, Log};

fn main() -> ExitCode {
    match options::parse(lexopt::Parser::from_env()) {
        Ok(Command::Help(topic)) => out::tell(topic.text()),
        Ok(Command::Version) => out::tell(concat!("frazil ", env!("CARGO_PKG_VERSION"), "\n")),
        Ok(Command::Run(run)) => execute(&run),
        Ok(Command::Check(request)) => check::check(&request),
        Ok(Command::Repl(request)) => repl::repl(&request),
        Ok(Command::Fuzz(hunt)) => hunt::hunt(&hunt),
        Ok(Command::Replay(replay)) => replay::replay(&replay),
        Ok(Command::Heap(look)) => heap::look(&look),
        Ok(Command::Tune(request)) => tune::tune(&request),
        Ok(Command::FuzzPrograms(hunt)) => programs::hunt(&hunt),
        Ok(Command::FuzzTexts(hunt)) => texts::hunt(&hunt),
        Ok(Command::FuzzWorlds(hunt)) => worlds::hunt(&hunt),
        Ok(Command::ListWorldFaults) => worlds::list_faults(),
        Ok(Command::ListFaults { programs: true }) => programs::list_mistakes(),
        Ok(Command::ListFaults { programs: false }) => hunt::list_faults(),
        Err(error) => {
            let what = match error {
                // It says what cannot be read, and what could.
                lexopt::Error::ParsingFailed { error, .. } => error.to_string(),
                error => error.to_string(),
            };
            remark(format_args!("frazil: {what}\nTry 'frazil --help'."));
            ExitCode::from(2)
        }
    }
}

/// Where the program's lines go.
type Output = Rc<RefCell<Out>>;

/// Runs a program, and says what came of it.
fn execute(run: &Run) -> ExitCode {
    if run.trial {
        trial::end_with_parent();
    }
    if let Err(error) = spare_programs(run) {
        return tell_problem(Problem::Setup(error), run);
    }
    if run.input == Input::File && run.others.is_empty() && play::is_trace(&run.file) {
        return play::play(run);
    }
    if let Some(file) = &run.stats_json
        && let Err(error) = out::can_be_file(file)
    {
        return tell_problem(Problem::Setup(error), run);
    }
    let output: Output = Rc::new(RefCell::new(Out::new()));
    let live = run.progress.then(Live::begin);
    let log = run.trial.then(Log::default);
    let tally = Tally::default();
    let prepared = prepare(run, &output, watched(run, live.as_ref(), &tally), |engine| {
        if let Some(live) = live.clone() {
            let sink = Rc::clone(&output);
            engine.on_print(move |line| live.aside(|| print_line(&sink, line)));
        }
        if let Some(log) = &log {
            engine.observe(log.observer());
        }
    });
    let result = prepared.and_then(|mut engine| {
        let (started, processor) = (Instant::now(), trial::processor_time());
        let result = run_program(run, &mut engine).and(end_record(run, &mut engine));
        let elapsed = started.elapsed();
        let processor = trial::processor_time().zip(processor).map(|(after, before)| after - before);
        if let Some(live) = &live {
            live.end();
        }
        let arrived = output.borrow_mut().end().map_err(Problem::Setup);
        if let Some(log) = &log
            && result.is_ok()
        {
            remark(format_args!("{}", log.tell(engine.stats(), elapsed, processor, stats::peak_bytes())));
        }
        let stats = if run.jobs > 1 { tally.sum(&engine) } else { engine.stats().clone() };
        let told = tell_stats(run, &Summary::new(&engine, stats, elapsed)).map_err(Problem::Setup);
        result.and(arrived).and(told)
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => tell_problem(problem, run),
    }
}

/// Nothing is written over a program, and trace and figures go to different files.
fn spare_programs(run: &Run) -> Result<(), String> {
    let figures = run.stats_json.as_deref().filter(|file| *file != "-");
    let written: Vec<&str> = run.record.as_deref().into_iter().chain(figures).collect();
    let programs = run.files().filter(|_| run.input == Input::File);
    out::are_apart(&written, programs.chain(run.prelude.as_deref()))
}

/// Says what went wrong, and gives the exit status for it.
fn tell_problem(problem: Problem, run: &Run) -> ExitCode {
    match problem {
        Problem::Setup(message) => {
            remark(format_args!("frazil: {message}"));
            ExitCode::from(2)
        }
        Problem::Program(diagnostics) => {
            let reporter = Reporter::new(run.shown, &std::io::stderr());
            diagnostics.iter().for_each(|diagnostic| reporter.tell(diagnostic));
            interrupt::status(ExitCode::FAILURE)
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

/// What the engine of each thread is told to tell of its collections.
fn watched(run: &Run, live: Option<&Live>, tally: &Tally) -> impl Fn(&mut Engine) + Send + Sync + use<> {
    let (counts, live, tally) = (run.jobs > 1, live.cloned(), tally.clone());
    move |engine| {
        let mut tell = live.as_ref().map(Live::observer);
        let tally = counts.then(|| tally.clone());
        if tell.is_some() || tally.is_some() {
            engine.observe(move |report| {
                tally.iter().for_each(|tally| tally.add(report));
                tell.iter_mut().for_each(|tell| tell(report));
            });
        }
    }
}

/// Makes an engine, lets `set_up` have it, and runs the prelude on it. `each` has the engine of each thread.
fn prepare(
    run: &Run,
    output: &Output,
    each: impl Fn(&mut Engine) + Send + Sync + 'static,
    set_up: impl FnOnce(&mut Engine),
) -> Result<Engine, Problem> {
    let files = Files::new(run.files(), run.root.clone());
    let beside = if run.input == Input::File { files.prelude() } else { None };
    let prelude = run.prelude.clone().or(beside);
    let config = if run.record.is_some() { run.config.recording() } else { run.config.clone() };
    let give = Arc::new(move |engine: &mut Engine| {
        each(engine);
        Library::ALL.into_iter().try_for_each(|library| engine.library(library))
    });
    let is_alone = run.jobs == 1 && run.others.is_empty();
    let made = if is_alone {
        Engine::with_loader(config, run.dialect, Box::new(files))
    } else {
        let give = Arc::clone(&give);
        Engine::parallel(config, run.dialect, Arc::new(files), run.jobs, move |engine| give(engine))
    };
    let mut engine = made.map_err(|error| match error {
        EngineError::Setup(error) => Problem::Program(error.into()),
        error => Problem::Setup(error.to_string()),
    })?;
    if let Some(file) = &run.record {
        begin_record(run, file, &mut engine).map_err(Problem::Setup)?;
    }
    let sink = Rc::clone(output);
    engine.on_print(move |line| print_line(&sink, line));
    let reporter = Reporter::new(run.shown, &std::io::stderr());
    engine.on_warning(move |warning| reporter.tell(warning));
    set_up(&mut engine);
    if is_alone {
        give(&mut engine).map_err(|error| Problem::Program(error.into()))?;
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
    let _ = writeln!(output.borrow_mut(), "{line}");
}

fn run_program(run: &Run, engine: &mut Engine) -> Result<(), Problem> {
    if !run.others.is_empty() {
        return run_several(run, engine);
    }
    // Who is to type the program and presses Ctrl-C ends it there and then.
    let text = read_program(run).map_err(Problem::Setup)?;
    heed(run, engine);
    engine.run(&run.file, text).map_err(|error| Problem::Program(error.into()))
}

/// Runs all files, whatever becomes of each. Nothing is run if one of them is not there.
fn run_several(run: &Run, engine: &mut Engine) -> Result<(), Problem> {
    let files: Vec<&str> = run.files().collect();
    for file in &files {
        File::open(file).map_err(|error| Problem::Setup(format!("cannot read {file}: {error}")))?;
    }
    heed(run, engine);
    let failed = engine.run_all(&files).into_iter().filter_map(Result::err);
    let errors: Vec<Diagnostic> = failed.flat_map(Vec::<Diagnostic>::from).collect();
    if errors.is_empty() { Ok(()) } else { Err(Problem::Program(errors)) }
}

/// A trial ends with `frazil tune`, whose figures it would spoil otherwise.
fn heed(run: &Run, engine: &Engine) {
    if !run.trial {
        interrupt::heed(engine);
    }
}

fn read_program(run: &Run) -> Result<String, String> {
    match &run.input {
        Input::File => files::read(run.file.as_ref()),
        Input::Code(code) => Ok(code.clone()),
        Input::Standard => files::read_standard(),
    }
}

fn tell_stats(run: &Run, summary: &Summary) -> Result<(), String> {
    // Nobody is left to tell if standard error is closed.
    let mut errors = std::io::stderr();
    if run.stats {
        let _ = write!(errors, "{summary}");
    }
    match run.stats_json.as_deref() {
        None => Ok(()),
        Some("-") => {
            let _ = writeln!(errors, "{}", summary.json());
            Ok(())
        }
        Some(file) => std::fs::write(file, summary.json() + "\n")
            .map_err(|error| format!("cannot write {file}: {error}")),
    }
}
