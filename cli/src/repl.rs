//! `frazil repl`: what somebody types is run at once, and the values of expressions are shown.

mod prompt;

use std::cell::RefCell;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{CompletionType, Config, Editor};
use signal_hook::consts::SIGINT;
use starlark::Session;
use starlark::ops::repr::repr;
use starlark::syntax::{Dialect, is_incomplete};

use crate::options::repl::Repl;
use crate::out::Out;
use crate::report::Reporter;
use crate::{Output, Problem, execute, prepare, tell_problem};
use prompt::Prompt;

/// The exit status after Ctrl-C, as shells have it.
const INTERRUPTED: i32 = 130;
/// What stands before the first line of an input, and before the others.
const PROMPT: &str = ">>> ";
const MORE: &str = "... ";
/// How many inputs are remembered.
const HISTORY: usize = 2000;

const HELP: &str = "\
Type an expression to see its value, or any statement. A block ends with an empty line.
  _          the last value
  :help      this
  :quit      leave (or Ctrl-D)
Tab completes names, and attributes behind a dot. Ctrl-C gives up the input, or ends the program that runs.";

/// Holds a session with a person; what comes from elsewhere is run as a program.
pub fn repl(request: &Repl) -> ExitCode {
    if !std::io::stdin().is_terminal() {
        return execute(&request.run);
    }
    match hold(request) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => tell_problem(problem, &request.run),
    }
}

fn hold(request: &Repl) -> Result<(), Problem> {
    let output: Output = Rc::new(RefCell::new(Out::new()));
    let engine = prepare(&request.run, &output, |_| {}, |_| {})?;
    let interrupt = engine.canceller().flag();
    let session = Session::new(engine).map_err(|error| Problem::Program(error.into()))?;
    let session = Rc::new(RefCell::new(session));
    let setup = |error: &dyn std::fmt::Display| Problem::Setup(error.to_string());
    // While a line is edited, the terminal hands Ctrl-C to the editor; this is for the time when a program runs.
    // Who presses it twice does not want to wait for a built-in function.
    signal_hook::flag::register_conditional_shutdown(SIGINT, INTERRUPTED, Arc::clone(&interrupt))
        .and_then(|_| signal_hook::flag::register(SIGINT, Arc::clone(&interrupt)))
        .map_err(|error| setup(&error))?;
    let mut editor = editor(&session).map_err(|error| setup(&error))?;
    let history = request.history.clone().map(PathBuf::from).or_else(history_file);
    if let Some(file) = &history {
        // There is none the first time.
        let _ = editor.load_history(file);
    }
    println!("frazil {}, Starlark. :help explains, Ctrl-D leaves.", env!("CARGO_PKG_VERSION"));
    let reporter = Reporter::new(request.run.shown, &std::io::stderr());
    let mut inputs = 0;
    loop {
        let text = match read(&mut editor, request.run.dialect) {
            Ok(text) => text,
            Err(ReadlineError::Interrupted) => continue,
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(setup(&error)),
        };
        match text.trim() {
            "" => continue,
            ":help" | ":h" | ":?" => println!("{HELP}"),
            ":quit" | ":q" => break,
            command if command.starts_with(':') => {
                println!("there is no command {command}: there are :help and :quit")
            }
            _ => {
                inputs += 1;
                interrupt.store(false, Ordering::Relaxed);
                run(&mut session.borrow_mut(), &format!("<input {inputs}>"), &text, reporter);
            }
        }
        let _ = editor.add_history_entry(text.trim_end());
    }
    if let Some(file) = history {
        save(&mut editor, &file);
    }
    Ok(())
}

/// Reads an input: lines, as long as the text may go on.
fn read(editor: &mut Editor<Prompt, FileHistory>, dialect: Dialect) -> Result<String, ReadlineError> {
    let mut text = editor.readline(PROMPT)?;
    while !text.starts_with(':') && is_incomplete(&text, &dialect) {
        text.push('\n');
        text += &editor.readline(MORE).map_err(|error| match error {
            // Only the input is given up.
            ReadlineError::Eof => ReadlineError::Interrupted,
            error => error,
        })?;
    }
    Ok(text)
}

/// Runs what was typed, and shows what it comes to.
fn run(session: &mut Session, name: &str, text: &str, reporter: Reporter) {
    match session.run(name, text, repr) {
        Ok(Some(shown)) => println!("{shown}"),
        Ok(None) => {}
        Err(errors) => errors.iter().for_each(|error| reporter.tell(error)),
    }
}

fn editor(session: &Rc<RefCell<Session>>) -> Result<Editor<Prompt, FileHistory>, ReadlineError> {
    let config = Config::builder()
        .max_history_size(HISTORY)?
        .completion_type(CompletionType::List)
        .tab_stop(4)
        .indent_size(4)
        .build();
    let mut editor = Editor::with_config(config)?;
    editor.set_helper(Some(Prompt::new(Rc::clone(session))));
    Ok(editor)
}

/// Where inputs are remembered if nobody says.
fn history_file() -> Option<PathBuf> {
    let folder = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let state = folder("XDG_STATE_HOME").or_else(|| Some(folder("HOME")?.join(".local/state")))?;
    Some(state.join("frazil/history"))
}

/// That inputs cannot be remembered is no reason to complain.
fn save(editor: &mut Editor<Prompt, FileHistory>, file: &std::path::Path) {
    if let Some(folder) = file.parent() {
        let _ = std::fs::create_dir_all(folder);
    }
    let _ = editor.save_history(file);
}
