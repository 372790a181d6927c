//! The `frazil` command: runs Starlark programs on the collector.
//!
//! Exit status: 0 if all went well, 1 if the program failed, 2 if the command line is wrong.

mod files;
mod options;

use std::cell::RefCell;
use std::io::{BufWriter, IsTerminal, Write};
use std::process::ExitCode;
use std::rc::Rc;

use starlark::Engine;
use starlark::syntax::Diagnostic;

use files::Files;
use options::{Command, Run};

fn main() -> ExitCode {
    match options::parse(lexopt::Parser::from_env()) {
        Ok(Command::Help) => {
            print!("{}", options::HELP);
            ExitCode::SUCCESS
        }
        Ok(Command::Run(run)) => execute(&run),
        Err(error) => {
            eprintln!("frazil: {error}\nTry 'frazil --help'.");
            ExitCode::from(2)
        }
    }
}

/// Runs a program.
fn execute(run: &Run) -> ExitCode {
    let out = Rc::new(RefCell::new(BufWriter::new(std::io::stdout())));
    let result = run_file(run, &out);
    // Nobody is left to tell if standard output is closed.
    let _ = out.borrow_mut().flush();
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
    /// Before the program begins.
    Setup(String),
    /// In the program.
    Program(Vec<Diagnostic>),
}

fn run_file(run: &Run, out: &Rc<RefCell<BufWriter<std::io::Stdout>>>) -> Result<(), Problem> {
    let setup = |error: String| Problem::Setup(error);
    let files = Files::new(&run.file, run.root.clone());
    let text = files.entry().map_err(setup)?;
    let mut engine = Engine::with_loader(run.config.clone(), run.dialect, Box::new(files))
        .map_err(|error| Problem::Setup(error.to_string()))?;
    let sink = Rc::clone(out);
    engine.on_print(move |line| {
        // A closed pipe must not end the program half-way through its work.
        let _ = writeln!(sink.borrow_mut(), "{line}");
    });
    if let Some(prelude) = &run.prelude {
        let text = std::fs::read_to_string(prelude).map_err(|error| setup(format!("{prelude}: {error}")))?;
        engine.run(prelude, text).map_err(Problem::Program)?;
        engine.predeclare_module(prelude).map_err(|error| Problem::Program(vec![error]))?;
    }
    engine.run(&run.file, text).map_err(Problem::Program)
}
