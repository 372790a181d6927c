//! `frazil repl`: what somebody types is run at once, and the values of expressions are shown.

mod prompt;

use std::cell::RefCell;
use std::fs::File;
use std::io::{ErrorKind, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
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
use crate::out::{Out, can_be_file};
use crate::report::Reporter;
use crate::{Output, Problem, execute, prepare, print_line, tell_problem};
use prompt::Prompt;

/// The exit status after Ctrl-C, as shells have it.
const INTERRUPTED: i32 = 130;
/// What stands before the first line of an input, and before the others.
const PROMPT: &str = ">>> ";
const MORE: &str = "... ";
/// How many inputs are remembered.
const HISTORY: usize = 2000;
/// What the file begins with in which they are.
const HISTORY_MARK: &str = "#V2";
/// So many bytes of a value are shown: a terminal would be busy with a large one for minutes, and have room for nothing
/// else.
const SHOWN_MAX: usize = 10_000;
/// Terminals that cannot move the cursor: a line is not edited there, but read.
const PLAIN_TERMINALS: [&str; 3] = ["dumb", "cons25", "emacs"];

/// Words that leave, unless they mean something else: it is what other prompts are left with.
const LEAVE: [&str; 4] = ["exit", "quit", "exit()", "quit()"];

const HELP: &str = "\
Type an expression to see its value, or any statement. A block ends with an empty line.
  _          the last value
  :help      this
  :quit      leave (or exit, or Ctrl-D)
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
    let history = History::find(request.history.as_deref()).map_err(Problem::Setup)?;
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
    history.load(&mut editor);
    say(&output, &format!("frazil {}, Starlark. :help explains, Ctrl-D leaves.", env!("CARGO_PKG_VERSION")));
    let reporter = Reporter::new(request.run.shown, &std::io::stderr());
    let mut inputs = 0;
    loop {
        let text = match read(&mut editor, request.run.dialect) {
            Ok(text) => text,
            Err(ReadlineError::Interrupted) => continue,
            Err(ReadlineError::Eof) => {
                // The editor goes on to a new line itself, where it edits.
                if is_plain_terminal() {
                    say(&output, "");
                }
                break;
            }
            // Where lines are edited, what is no text is left out.
            Err(ReadlineError::Io(error)) if error.kind() == ErrorKind::InvalidData => {
                say(&output, "this is no UTF-8, and was not run");
                continue;
            }
            Err(error) => return Err(setup(&error)),
        };
        if text.trim().is_empty() {
            continue;
        }
        history.add(&mut editor, text.trim_end());
        match text.trim() {
            ":help" | ":h" | ":?" => say(&output, HELP),
            ":quit" | ":q" => break,
            word if LEAVE.contains(&word) && !is_known(&session.borrow(), word.trim_end_matches("()")) => {
                break;
            }
            command if command.starts_with(':') => {
                say(&output, &format!("there is no command {command}: there are :help and :quit"))
            }
            _ => {
                inputs += 1;
                interrupt.store(false, Ordering::Relaxed);
                run(&mut session.borrow_mut(), &format!("<input {inputs}>"), &text, reporter, &output);
            }
        }
    }
    output.borrow_mut().end().map_err(Problem::Setup)
}

fn is_plain_terminal() -> bool {
    std::env::var_os("TERM").is_some_and(|term| PLAIN_TERMINALS.iter().any(|plain| term == *plain))
}

/// Does a name mean something?
fn is_known(session: &Session, name: &str) -> bool {
    session.complete(name).words.iter().any(|word| word == name)
}

/// Shows a line at once, before the editor writes to the terminal itself.
fn say(output: &Output, line: &str) {
    print_line(output, line);
    let _ = output.borrow_mut().flush();
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
fn run(session: &mut Session, name: &str, text: &str, reporter: Reporter, output: &Output) {
    let result = session.run(name, text, repr);
    // What was printed stands above the error.
    let _ = output.borrow_mut().flush();
    match result {
        Ok(Some(shown)) => say(output, &cut(shown)),
        Ok(None) => {}
        Err(errors) => errors.iter().for_each(|error| reporter.tell(error)),
    }
}

/// The beginning of a value that is too long to be shown.
fn cut(mut shown: String) -> String {
    if shown.len() > SHOWN_MAX {
        let end = (0..=SHOWN_MAX).rev().find(|&at| shown.is_char_boundary(at)).unwrap_or(0);
        let rest = shown.split_off(end);
        shown += &format!(" ... and {} characters more: print(_) shows all", rest.chars().count());
    }
    shown
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

/// Where inputs are remembered.
struct History(Option<PathBuf>);

impl History {
    /// In the file that was said, or in the usual one.
    ///
    /// # Errors
    /// The file that was said has something else in it, or cannot be written. That inputs cannot be remembered in the
    /// usual place is no reason to complain.
    fn find(said: Option<&str>) -> Result<History, String> {
        let Some(said) = said else {
            let usual = usual_file().filter(|file| !file.exists() || is_history(file).is_ok_and(|is| is));
            return Ok(History(usual));
        };
        can_be_file(said)?;
        let file = PathBuf::from(said);
        let there = file.exists();
        if there && !file.is_file() {
            // Nothing is remembered in /dev/null. The editor would make it a private file first.
            return Ok(History(None));
        }
        let opened = File::options().append(true).create(true).open(&file);
        opened.map_err(|error| format!("cannot write {said}: {error}"))?;
        if there && !is_history(&file).map_err(|error| format!("cannot read {said}: {error}"))? {
            return Err(format!("{said} is no history of inputs: it would be written over"));
        }
        Ok(History(Some(file)))
    }

    fn load(&self, editor: &mut Editor<Prompt, FileHistory>) {
        if let Some(file) = &self.0 {
            // There is none the first time.
            let _ = editor.load_history(file);
        }
    }

    /// Remembers an input at once: a terminal may be closed at any time, and other sessions write there, too.
    fn add(&self, editor: &mut Editor<Prompt, FileHistory>, text: &str) {
        let _ = editor.add_history_entry(text);
        if let Some(file) = &self.0 {
            if let Some(folder) = file.parent().filter(|folder| !folder.is_dir()) {
                let _ = std::fs::create_dir_all(folder);
            }
            let _ = editor.append_history(file);
        }
    }
}

/// Does a file begin like a history? An empty one may become one.
fn is_history(file: &Path) -> std::io::Result<bool> {
    let mut beginning = Vec::new();
    File::open(file)?.take(HISTORY_MARK.len() as u64).read_to_end(&mut beginning)?;
    Ok(beginning.is_empty() || beginning == HISTORY_MARK.as_bytes())
}

/// Where inputs are remembered if nobody says.
fn usual_file() -> Option<PathBuf> {
    let folder = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let state = folder("XDG_STATE_HOME").or_else(|| Some(folder("HOME")?.join(".local/state")))?;
    Some(state.join("frazil/history"))
}
