//! `frazil heap`: runs a program and shows what its heap is made of.
//!
//! While the program runs, `watch.rs` takes samples and a picture. `report.rs` and `holders.rs` make figures of them,
//! `words.rs` sentences; `text.rs`, `page.rs` and `json.rs` show both.

mod blocks;
mod curve;
mod holders;
mod json;
mod page;
mod report;
mod text;
mod watch;
mod words;

use std::cell::RefCell;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::rc::Rc;

use crate::options::heap::Look;
use crate::out::{Out, are_apart, has_folder};
use crate::{Output, Problem, prepare, run_program, tell_problem};

pub use json::HELP as REPORT_HELP;
use report::Report;
use watch::{Eye, Seen};

/// Runs the program, and tells of its heap.
pub fn look(look: &Look) -> ExitCode {
    match tell(look) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => tell_problem(problem, &look.run),
    }
}

fn tell(look: &Look) -> Result<(), Problem> {
    let prefix = look.out.clone().unwrap_or_else(|| prefix(&look.run.file));
    let (page, json) = (format!("{prefix}.html"), format!("{prefix}.json"));
    let read = look.run.files().chain(look.run.prelude.as_deref());
    has_folder(&prefix).and_then(|()| are_apart(&[&page, &json], read)).map_err(Problem::Setup)?;
    let nowhere: Output = Rc::new(RefCell::new(Out::to(std::io::sink())));
    let mut engine = prepare(&look.run, &nowhere, |_| {}, |engine| engine.profile())?;
    let seen = Rc::new(RefCell::new(Seen::new(look.at)));
    engine.watch(Eye(Rc::clone(&seen)));
    let outcome = run_program(&look.run, &mut engine);
    if matches!(outcome, Err(Problem::Setup(_))) {
        return outcome;
    }
    seen.borrow_mut().end(&mut engine.view(), outcome.is_err());
    drop(engine);
    let report = Report::new(&look.run.file, seen.replace(Seen::new(look.at)));
    let mut written =
        save(&page, page::page(&report)).and_then(|()| save(&json, format!("{:#}\n", json::json(&report))));
    if !look.quiet {
        let files = written.is_ok().then(|| format!("\n{page} shows all of it, {json} is for programs\n"));
        let mut out = Out::new();
        let _ = write!(out, "{}{}", text::summary(&report), files.unwrap_or_default());
        written = written.and(out.end().map_err(Problem::Setup));
    }
    match (outcome, written) {
        // What the program did wrong is more important.
        (Err(problem), Err(other)) => {
            tell_problem(other, &look.run);
            Err(problem)
        }
        (outcome, written) => outcome.and(written),
    }
}

/// Where the reports go if nobody says: `heap-NAME` in the current folder.
fn prefix(file: &str) -> String {
    let name = Path::new(file).file_stem().map_or("program".into(), |name| name.to_string_lossy());
    format!("heap-{name}")
}

fn save(file: &str, text: String) -> Result<(), Problem> {
    std::fs::write(file, text).map_err(|error| Problem::Setup(format!("cannot write {file}: {error}")))
}
