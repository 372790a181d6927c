//! `frazil fuzz`: random histories, and what came of them. And the frame of every hunt, whatever is hunted through.

use std::fmt::Display;
use std::io::Write;
use std::process::{Command, ExitCode};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fuzz::batches::{self, Case};
use fuzz::campaign::{Campaign, Found};
use fuzz::coverage::{Coverage, Event};
use fuzz::faults::Defect;
use rayon::ThreadPoolBuilder;

use crate::options::fuzz::{Bound, Hunt, Terms};
use crate::out::{Out, can_be_file, remark};
use crate::progress::{Progress, per_second};

/// Tells a process that it hunts for another one, which goes on if this one does not survive.
const CHILD: &str = "FRAZIL_HUNT";
/// Processes that a broken collector may take with it. One is hardly ever needed.
const CHILDREN: u64 = 8;
/// From the first seed of one of them to that of the next.
const APART: u64 = 1_000_000;

/// Hunts, and says what was found.
pub fn hunt(hunt: &Hunt) -> ExitCode {
    let seed = hunt.terms.seed.unwrap_or_else(clock);
    match hunt.fault {
        Some(fault) if !is_child() => hunt_in_children(&hunt.terms, None, fault, seed),
        _ => hunt_here(hunt, seed),
    }
}

fn hunt_here(hunt: &Hunt, seed: u64) -> ExitCode {
    let campaign = |histories| Campaign { fault: hunt.fault, ..Campaign::new(seed, histories) };
    in_frame(
        &hunt.terms,
        seed,
        |cases, progress| campaign(cases).run_observed(progress),
        table,
        "history",
        |found: &Found, file| {
            let text = text(found, file, hunt.fault);
            std::fs::write(file, text).map_err(|error| format!("cannot write {file}: {error}"))?;
            Ok(replay(file, hunt.fault))
        },
    )
}

/// A seed that is not used twice: two runs are further apart in microseconds than in histories.
pub fn clock() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as u64)
}

/// Lets a campaign of as many cases as `terms` say run from `seed` on as many threads, and says what came of it: what
/// happened, as `table` has it, and a case that failed. `save` writes that to a file and says how to have it again; the
/// file is called after the seed, with this `ending`, unless it has a name.
pub fn in_frame<C: Case + Send, T: Send, F: Display + Send>(
    terms: &Terms,
    seed: u64,
    campaign: impl FnOnce(u64, &Progress) -> Result<T, Box<batches::Found<C, T, F>>> + Send,
    table: impl Fn(&T, Duration) -> String,
    ending: &str,
    save: impl FnOnce(&batches::Found<C, T, F>, &str) -> Result<String, String>,
) -> ExitCode {
    if let Some(file) = &terms.save
        && let Err(error) = can_be_file(file)
    {
        remark(format_args!("frazil: {error}"));
        return ExitCode::from(2);
    }
    let mut out = Out::new();
    let _ = writeln!(out, "seed {seed}");
    // It is told at once: whoever stops the hunt can begin it again.
    let _ = out.flush();
    let cases = match terms.bound {
        Bound::Cases(cases) => cases,
        Bound::Time(_) => u64::MAX,
    };
    let pool = match ThreadPoolBuilder::new().num_threads(terms.jobs.unwrap_or(0)).build() {
        Ok(pool) => pool,
        Err(error) => {
            remark(format_args!("frazil: no threads: {error}"));
            return ExitCode::from(2);
        }
    };
    let progress = Progress::start(terms.bound);
    let result = pool.install(|| campaign(cases, &progress));
    let elapsed = progress.elapsed();
    progress.end();
    match result {
        Ok(tally) => {
            let _ = writeln!(out, "{}nothing failed", table(&tally, elapsed));
            out.status(ExitCode::SUCCESS)
        }
        Err(found) => {
            let _ = write!(out, "{}\n{found}", table(&found.coverage, elapsed));
            let file = terms.save.clone().unwrap_or_else(|| format!("fuzz-{}.{ending}", found.seed));
            match save(&found, &file) {
                Ok(again) => {
                    let _ = writeln!(out, "\nwritten to {file}: {again}");
                }
                Err(error) => remark(format_args!("frazil: {error}")),
            }
            out.status(ExitCode::FAILURE)
        }
    }
}

/// How often what happened, an event a line; those that never did are marked.
pub fn counted(events: impl Iterator<Item = (u64, &'static str)>) -> String {
    let line = |(times, text)| match times {
        0 => format!("{:>12} {text}\n", "! never"),
        times => format!("{times:>12} {text}\n"),
    };
    events.map(line).collect()
}

/// What happened, and how fast.
fn table(coverage: &Coverage, elapsed: Duration) -> String {
    let table = counted(Event::ALL.iter().map(|&event| (coverage.of(event), event.text())));
    let (cases, steps) = (coverage.of(Event::History), coverage.of(Event::Step));
    table
        + &format!(
            "{:.1} s, {} cases/s, {} steps/s\n",
            elapsed.as_secs_f64(),
            per_second(cases, elapsed),
            per_second(steps, elapsed)
        )
}

/// How to have it again.
fn replay(file: &str, fault: Option<Defect>) -> String {
    let fault = fault.map(|fault| format!(" --fault {}", fault.name())).unwrap_or_default();
    format!("frazil fuzz --replay {file}{fault}")
}

/// The shrunk history as a file, with remarks on where it comes from.
fn text(found: &Found, file: &str, fault: Option<Defect>) -> String {
    let what = match &found.small_failure {
        Some(failure) => failure.to_string(),
        None => format!("before it was shrunk, {}, and not since", found.failure),
    };
    let mut text = format!("; {}\n; seed {}, shrunk, fails\n", replay(file, fault), found.seed);
    // What failed may be a panic, whose message may have lines.
    for line in what.lines() {
        text += &format!(";   {line}\n");
    }
    text + &found.small.to_string()
}

/// Does this process hunt for another one?
pub fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

/// A broken collector may take the process with it, so the hunt for it is done in others, each from other seeds. `mode`
/// is the option that says what is hunted through, unless it is histories.
pub fn hunt_in_children(terms: &Terms, mode: Option<&str>, fault: Defect, seed: u64) -> ExitCode {
    let mut out = std::io::stdout();
    let _ = writeln!(out, "fault {}: {}", fault.name(), fault.deed());
    for number in 0..CHILDREN {
        let status = match child(terms, mode, fault, seed.wrapping_add(number * APART))
            .and_then(|mut child| child.status())
        {
            Ok(status) => status,
            Err(error) => {
                remark(format_args!("frazil: cannot start a process to hunt in: {error}"));
                return ExitCode::from(2);
            }
        };
        match status.code() {
            Some(code) => return ExitCode::from(u8::try_from(code).unwrap_or(1)),
            None => {
                let _ =
                    writeln!(out, "the collector took the process with it ({status}); on with other seeds");
            }
        }
    }
    let _ = writeln!(out, "the collector takes every process with it: it fails, and nothing can be shown");
    ExitCode::FAILURE
}

/// The same hunt from `seed`, in a process that does not pass it on.
fn child(terms: &Terms, mode: Option<&str>, fault: Defect, seed: u64) -> std::io::Result<Command> {
    let mut child = Command::new(std::env::current_exe()?);
    child.env(CHILD, "1").arg("fuzz").args(mode);
    child.arg(format!("--seed={seed}")).arg(format!("--fault={}", fault.name()));
    child.arg(match terms.bound {
        Bound::Cases(cases) => format!("--cases={cases}"),
        Bound::Time(time) => format!("--seconds={}", time.as_secs()),
    });
    child.args(terms.jobs.map(|jobs| format!("--jobs={jobs}")));
    child.args(terms.save.as_ref().map(|file| format!("--save={file}")));
    Ok(child)
}

/// Names all faults.
pub fn list_faults() -> ExitCode {
    let mut out = Out::new();
    for defect in Defect::all() {
        let _ = writeln!(out, "{:<24} {}", defect.name(), defect.deed());
    }
    out.status(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_happened_is_marked() {
        let mut coverage = Coverage::default();
        coverage.add(Event::History, 20);
        let table = table(&coverage, Duration::from_secs(2));
        assert!(
            table.contains("          20 histories\n") && table.contains("     ! never steps\n"),
            "{table}"
        );
        assert!(table.ends_with("2.0 s, 10 cases/s, 0 steps/s\n"), "{table}");
        assert_eq!(table.lines().count(), Event::ALL.len() + 1);
    }
}
