//! `frazil tune`: which settings suit a program.

mod choice;
mod judge;
mod page;
mod plot;
mod sample;
mod search;
mod show;
mod tell;
pub mod trial;
mod words;

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use crate::options::tune::{Goal, Tune};
use crate::out::{Out, are_apart, has_folder, remark};
use crate::play;
use choice::Choice;
use search::{Bench, Field, Search, Verdict};
use show::Show;
use trial::Trials;

/// What was measured, and what came of it.
pub struct Outcome {
    /// The program or trace.
    pub file: String,
    /// What kind of file that is.
    pub what: &'static str,
    /// What the recommendation was to serve.
    pub goal: Goal,
    /// What the program has if nothing is said.
    pub default: Choice,
    /// Everything that was measured before the confirmation.
    pub field: Field,
    /// The recommendation.
    pub verdict: Verdict,
    /// How long it took.
    pub elapsed: Duration,
    /// How many processes were run.
    pub processes: usize,
}

/// What a replayed trace does, and what it does not do.
const TRACE_TELLS: &str = "A trace has the allocations, stores, freezes and roots of a program, not its computation: \
     time is that of making and linking the same objects and of all collections. What a program computes in between, \
     and what it reads, is lacking, so the share spent collecting is larger than in the program.";

/// Measures, and tells.
pub fn tune(tune: &Tune) -> ExitCode {
    let prefix = tune.out.clone().unwrap_or_else(|| prefix(&tune.file));
    let reports = ["html", "csv", "json"].map(|ending| format!("{prefix}.{ending}"));
    let spared = || are_apart(&reports.each_ref().map(String::as_str), [tune.file.as_str()]);
    let (what, default) = match has_folder(&prefix).and_then(|()| spared()).and_then(|()| subject(&tune.file))
    {
        Ok(subject) => subject,
        Err(error) => {
            remark(format_args!("frazil: {error}"));
            return ExitCode::from(2);
        }
    };
    let trials = Trials { file: tune.file.clone(), passed: tune.passed.clone() };
    let mut show = Show::start(trials, tune.time, tune.quiet);
    let result = Search::new(&mut show, default, tune.goal, tune.time).go();
    show.end();
    match result {
        Err(why) => {
            remark(format_args!("frazil: {} fails with the default settings: {why}", tune.file));
            ExitCode::FAILURE
        }
        Ok((field, verdict)) => {
            let outcome = Outcome {
                file: tune.file.clone(),
                what,
                goal: tune.goal,
                default,
                field,
                verdict,
                elapsed: show.elapsed(),
                processes: show.runs(),
            };
            tell(&outcome, &prefix, tune.quiet)
        }
    }
}

/// What the file is, and its default settings.
fn subject(file: &str) -> Result<(&'static str, Choice), String> {
    if play::is_trace(file) {
        let trace = play::read(file)?;
        return Ok(("trace", Choice::of(trace.settings())));
    }
    crate::files::read(Path::new(file))?;
    Ok(("Starlark program", Choice::of(&starlark::CONFIG)))
}

fn tell(outcome: &Outcome, prefix: &str, quiet: bool) -> ExitCode {
    let mut out = Out::new();
    if !quiet {
        let _ = write!(out, "{}", tell::table(outcome));
    }
    let _ = writeln!(out, "{}", words::Words::new(outcome));
    let files = [
        (format!("{prefix}.html"), page::html(outcome)),
        (format!("{prefix}.csv"), tell::csv(outcome)),
        (format!("{prefix}.json"), tell::json(outcome)),
    ];
    for (file, text) in &files {
        if let Err(error) = std::fs::write(file, text) {
            remark(format_args!("frazil: cannot write {file}: {error}"));
            return out.status(ExitCode::from(2));
        }
    }
    if !quiet {
        let _ = writeln!(out, "report: {prefix}.html, {prefix}.csv, {prefix}.json");
    }
    out.status(ExitCode::SUCCESS)
}

/// Where reports go if nobody said it: into the current folder, after the file.
fn prefix(file: &str) -> String {
    let stem = Path::new(file).file_stem().map_or("program".into(), |stem| stem.to_string_lossy());
    format!("tune-{stem}")
}
