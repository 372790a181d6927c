//! `frazil check`: what is wrong in many files, without running them.
//!
//! First every file is looked at for itself, on all processors; then what the files load from each other.

mod cycles;
mod files;
mod loads;
mod look;
mod names;

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rayon::ThreadPoolBuilder;
use rayon::prelude::*;
use serde_json::json;
use starlark::syntax::Severity;

use crate::options::check::Check;
use crate::out::{Out, remark};
use crate::progress::per_second;
use crate::report::Reporter;
use look::{Looked, Rules};

/// What happens before this time needs no progress.
const PATIENCE: Duration = Duration::from_millis(500);
/// Between two lines of a log.
const LINE: Duration = Duration::from_secs(3);

/// Checks files, and tells what is wrong.
pub fn check(request: &Check) -> ExitCode {
    let pool = match ThreadPoolBuilder::new().num_threads(request.jobs).build() {
        Ok(pool) => pool,
        Err(error) => return refuse(&error.to_string()),
    };
    match pool.install(|| check_all(request)) {
        Ok(counts) if counts.unreadable > 0 => ExitCode::from(2),
        Ok(counts) if counts.errors > 0 => ExitCode::FAILURE,
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => refuse(&error),
    }
}

fn refuse(error: &str) -> ExitCode {
    remark(format_args!("frazil: {error}"));
    ExitCode::from(2)
}

/// What came of it.
#[derive(Default)]
struct Counts {
    files: usize,
    errors: usize,
    warnings: usize,
    unreadable: usize,
    /// Loads from other repositories.
    not_followed: usize,
}

fn check_all(request: &Check) -> Result<Counts, String> {
    let started = Instant::now();
    let rules = Rules::new(request)?;
    let (paths, barren) = files::find(&request.paths)?;
    for folder in barren {
        // It is no error: a script may check whatever there is. But the folder may be the wrong one.
        remark(format_args!(
            "frazil: no Starlark file is below {}: 'frazil help check' says which are",
            folder.display()
        ));
    }
    let progress = Progress::new(paths.len(), started);
    let mut looked: Vec<Looked> = paths
        .par_iter()
        .map(|path| {
            let looked = look::look(path, &rules);
            progress.step();
            looked
        })
        .collect();
    progress.end();
    let not_followed = loads::check(&mut looked, &rules);
    let mut counts = Counts { files: looked.len(), not_followed, ..Counts::default() };
    tell(request, &looked, &mut counts, started)?;
    Ok(counts)
}

/// Writes what was found, and counts it.
fn tell(request: &Check, looked: &[Looked], counts: &mut Counts, started: Instant) -> Result<(), String> {
    let reporter = Reporter::new(request.shown, &std::io::stdout());
    let mut out = Out::new();
    for file in looked {
        if let Some(error) = &file.unreadable {
            counts.unreadable += 1;
            remark(format_args!("frazil: {error}"));
        }
        for diagnostic in &file.diagnostics {
            match diagnostic.severity {
                Severity::Error => counts.errors += 1,
                Severity::Warning => counts.warnings += 1,
            }
            let _ = out.write_all(reporter.text(diagnostic).as_bytes());
        }
    }
    if !request.quiet {
        let seconds = started.elapsed().as_secs_f64();
        let summary = if request.shown.json { counts.json(seconds) } else { counts.text(seconds) };
        let _ = writeln!(out, "{summary}");
    }
    out.end()
}

impl Counts {
    fn text(&self, seconds: f64) -> String {
        let many = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
        let mut parts =
            vec![many(self.files, "file"), many(self.errors, "error"), many(self.warnings, "warning")];
        if self.unreadable > 0 {
            parts.push(format!("{} could not be read", self.unreadable));
        }
        if self.not_followed > 0 {
            parts.push(format!("{} from other repositories not followed", many(self.not_followed, "load")));
        }
        format!("{} in {seconds:.2} s", parts.join(", "))
    }

    fn json(&self, seconds: f64) -> String {
        let summary = json!({
            "files": self.files,
            "errors": self.errors,
            "warnings": self.warnings,
            "unreadable": self.unreadable,
            "loads_not_followed": self.not_followed,
            "seconds": seconds,
        });
        json!({ "summary": summary }).to_string()
    }
}

/// How it goes: a bar for a person, a line now and then for a log; nothing if it does not take long.
struct Progress {
    started: Instant,
    files: u64,
    done: AtomicU64,
    /// Milliseconds after the start when it is time to tell again.
    next: AtomicU64,
    /// Only if somebody looks on.
    bar: Option<ProgressBar>,
}

impl Progress {
    fn new(files: usize, started: Instant) -> Progress {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(Some(files as u64), ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("[{elapsed_precise}] [{bar:30}] {pos} of {len} files");
            bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        let first = if bar.is_some() { PATIENCE } else { LINE };
        Progress {
            started,
            files: files as u64,
            done: AtomicU64::new(0),
            next: AtomicU64::new(first.as_millis() as u64),
            bar,
        }
    }

    /// Another file is done. One of the threads tells of it now and then.
    fn step(&self) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        let elapsed = self.started.elapsed();
        let (now, next) = (elapsed.as_millis() as u64, self.next.load(Ordering::Relaxed));
        let pause = if self.bar.is_some() { Duration::from_millis(100) } else { LINE };
        let then = now + pause.as_millis() as u64;
        if now < next || self.next.compare_exchange(next, then, Ordering::Relaxed, Ordering::Relaxed).is_err()
        {
            return;
        }
        match &self.bar {
            Some(bar) => bar.set_position(done),
            None => {
                let (seconds, rate) = (elapsed.as_secs_f64(), per_second(done, elapsed));
                remark(format_args!("{seconds:>6.0} s  {done} of {} files, {rate} files/s", self.files));
            }
        }
    }

    fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// How a path is shown: without the `./` that a walk through the current folder begins with.
fn shown(path: &Path) -> String {
    path.strip_prefix("./").unwrap_or(path).display().to_string()
}
