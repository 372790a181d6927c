//! `frazil fuzz --worlds`: random groups of heaps, and what came of them.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use fuzz::campaign::Observer;
use fuzz::faults::Defect;
use fuzz::worlds::campaign::Campaign;
use fuzz::worlds::play::Coverage;

use crate::hunt::{clock, threads};
use crate::options::fuzz::{Bound, Hunt};
use crate::progress::{Progress, per_second};

/// Hunts, and says what was found.
pub fn hunt(hunt: &Hunt) -> ExitCode {
    let mut out = std::io::stdout();
    let seed = hunt.seed.unwrap_or_else(clock);
    // Nobody is left to tell if standard output is closed, here and below.
    let _ = writeln!(out, "seed {seed}");
    if let Some(fault) = hunt.fault {
        let _ = writeln!(out, "fault {}: {}", fault.name(), fault.deed());
    }
    let worlds = match hunt.bound {
        Bound::Cases(cases) => cases,
        Bound::Time(_) => u64::MAX,
    };
    let Some(pool) = threads(hunt.jobs) else { return ExitCode::from(2) };
    let campaign = Campaign { fault: hunt.fault, ..Campaign::new(seed, worlds) };
    let progress = Progress::start(hunt.bound);
    let result = pool.install(|| campaign.run(|done| Observer::goes_on(&progress, done)));
    let elapsed = progress.elapsed();
    progress.end();
    match result {
        Ok(coverage) => {
            let _ = writeln!(out, "{}nothing failed", table(&coverage, elapsed));
            ExitCode::SUCCESS
        }
        Err(found) => {
            let _ = write!(out, "{}\n{found}", table(&found.coverage, elapsed));
            let _ = writeln!(out, "\nagain: frazil fuzz --worlds --cases 1 --seed {}", found.seed);
            ExitCode::FAILURE
        }
    }
}

/// What happened, and how fast.
fn table(coverage: &Coverage, elapsed: Duration) -> String {
    let lines = [
        (coverage.worlds, "worlds"),
        (coverage.steps, "steps"),
        (coverage.stopped, "steps during which a heap stood still with batches to be posted"),
        (coverage.objects, "objects made"),
        (coverage.shared, "values shared"),
        (coverage.refused, "values refused, because something mutable could be reached"),
        (coverage.imported, "handles imported"),
        (coverage.changes, "changes of counts posted by collections"),
        (coverage.batches, "batches they were posted in"),
        (coverage.ended, "heaps ended"),
        (coverage.adopted, "estates adopted"),
        (coverage.orphans, "estates left to whoever comes by"),
        (coverage.rounds, "rounds it took to free everything, at most"),
    ];
    let mut table = String::new();
    for (times, text) in lines {
        table += &match times {
            0 => format!("{:>12} {text}\n", "! never"),
            times => format!("{times:>12} {text}\n"),
        };
    }
    table + &format!("{:.1} s, {} worlds/s\n", elapsed.as_secs_f64(), per_second(coverage.worlds, elapsed))
}

/// Names all faults between heaps.
pub fn list_faults() {
    let mut out = std::io::stdout();
    for defect in Defect::of_groups() {
        let _ = writeln!(out, "{:<24} {}", defect.name(), defect.deed());
    }
}
