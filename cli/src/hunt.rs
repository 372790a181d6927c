//! `frazil fuzz`: random histories, and what came of them.

use std::io::Write;
use std::process::{Command, ExitCode};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fuzz::campaign::{Campaign, Found};
use fuzz::coverage::{Coverage, Event};
use fuzz::faults::Defect;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::options::fuzz::{Bound, Hunt};
use crate::progress::{Progress, per_second};

/// Tells a process that it hunts for another one, which goes on if this one does not survive.
const CHILD: &str = "FRAZIL_HUNT";
/// Processes that a broken collector may take with it. One is hardly ever needed.
const CHILDREN: u64 = 8;
/// From the first seed of one of them to that of the next.
const APART: u64 = 1_000_000;

/// Hunts, and says what was found.
pub fn hunt(hunt: &Hunt) -> ExitCode {
    let seed = hunt.seed.unwrap_or_else(clock);
    match hunt.fault {
        Some(fault) if std::env::var_os(CHILD).is_none() => hunt_in_children(hunt, fault, seed),
        _ => hunt_here(hunt, seed),
    }
}

/// A seed that is not used twice: two runs are further apart in microseconds than in histories.
pub fn clock() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as u64)
}

/// Threads to hunt with, as many as there are processors if no number is given. If there are none, that has been said.
pub fn threads(jobs: Option<usize>) -> Option<ThreadPool> {
    let pool = ThreadPoolBuilder::new().num_threads(jobs.unwrap_or(0)).build();
    pool.map_err(|error| eprintln!("frazil: no threads: {error}")).ok()
}

fn hunt_here(hunt: &Hunt, seed: u64) -> ExitCode {
    let mut out = std::io::stdout();
    // Nobody is left to tell if standard output is closed, here and below.
    let _ = writeln!(out, "seed {seed}");
    let histories = match hunt.bound {
        Bound::Cases(cases) => cases,
        Bound::Time(_) => u64::MAX,
    };
    let Some(pool) = threads(hunt.jobs) else { return ExitCode::from(2) };
    let campaign = Campaign { fault: hunt.fault, ..Campaign::new(seed, histories) };
    let progress = Progress::start(hunt.bound);
    let result = pool.install(|| campaign.run_observed(&progress));
    let elapsed = progress.elapsed();
    progress.end();
    match result {
        Ok(coverage) => {
            let _ = writeln!(out, "{}nothing failed", table(&coverage, elapsed));
            ExitCode::SUCCESS
        }
        Err(found) => {
            let _ = write!(out, "{}\n{found}", table(&found.coverage, elapsed));
            let file = hunt.save.clone().unwrap_or_else(|| format!("fuzz-{}.history", found.seed));
            match std::fs::write(&file, text(&found, &file, hunt.fault)) {
                Ok(()) => {
                    let _ = writeln!(out, "\nwritten to {file}: {}", replay(&file, hunt.fault));
                }
                Err(error) => eprintln!("frazil: cannot write {file}: {error}"),
            }
            ExitCode::FAILURE
        }
    }
}

/// What happened, each event that never did marked, and how fast.
fn table(coverage: &Coverage, elapsed: Duration) -> String {
    let mut table = String::new();
    for &event in Event::ALL {
        table += &match coverage.of(event) {
            0 => format!("{:>12} {}\n", "! never", event.text()),
            times => format!("{times:>12} {}\n", event.text()),
        };
    }
    let (cases, steps) = (coverage.of(Event::History), coverage.of(Event::Step));
    table += &format!(
        "{:.1} s, {} cases/s, {} steps/s\n",
        elapsed.as_secs_f64(),
        per_second(cases, elapsed),
        per_second(steps, elapsed)
    );
    table
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

/// A broken collector may take the process with it, so the hunt for it is done in others, each from other seeds.
fn hunt_in_children(hunt: &Hunt, fault: Defect, seed: u64) -> ExitCode {
    let mut out = std::io::stdout();
    let _ = writeln!(out, "fault {}: {}", fault.name(), fault.deed());
    for number in 0..CHILDREN {
        let status = match child(hunt, fault, seed.wrapping_add(number * APART))
            .and_then(|mut child| child.status())
        {
            Ok(status) => status,
            Err(error) => {
                eprintln!("frazil: cannot start a process to hunt in: {error}");
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
    let _ = writeln!(out, "the collector takes every process with it: it fails, and no history can be shown");
    ExitCode::FAILURE
}

/// The same hunt from `seed`, in a process that does not pass it on.
fn child(hunt: &Hunt, fault: Defect, seed: u64) -> std::io::Result<Command> {
    let mut child = Command::new(std::env::current_exe()?);
    child.env(CHILD, "1").arg("fuzz").arg(format!("--seed={seed}")).arg(format!("--fault={}", fault.name()));
    child.arg(match hunt.bound {
        Bound::Cases(cases) => format!("--cases={cases}"),
        Bound::Time(time) => format!("--seconds={}", time.as_secs()),
    });
    child.args(hunt.jobs.map(|jobs| format!("--jobs={jobs}")));
    child.args(hunt.save.as_ref().map(|file| format!("--save={file}")));
    Ok(child)
}

/// Names all faults.
pub fn list_faults() {
    let mut out = std::io::stdout();
    for defect in Defect::all() {
        let _ = writeln!(out, "{:<24} {}", defect.name(), defect.deed());
    }
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
