//! `frazil fuzz --worlds`: random groups of heaps, and what came of them.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use fuzz::faults::Defect;
use fuzz::worlds::campaign::{Campaign, Found};
use fuzz::worlds::play::Coverage;

use crate::hunt::{clock, counted, hunt_in_children, in_frame, is_child};
use crate::options::fuzz::Hunt;
use crate::out::Out;
use crate::progress::per_second;

/// Hunts, and says what was found.
pub fn hunt(hunt: &Hunt) -> ExitCode {
    let seed = hunt.terms.seed.unwrap_or_else(clock);
    if let Some(fault) = hunt.fault.filter(|_| !is_child()) {
        return hunt_in_children(&hunt.terms, Some("--worlds"), fault, seed);
    }
    in_frame(
        &hunt.terms,
        seed,
        |worlds, progress| Campaign { fault: hunt.fault, ..Campaign::new(seed, worlds) }.run(progress),
        table,
        "world",
        |found: &Found, file| {
            std::fs::write(file, found.to_string())
                .map_err(|error| format!("cannot write {file}: {error}"))?;
            Ok(again(found.seed, hunt.fault))
        },
    )
}

/// How to have it again.
fn again(seed: u64, fault: Option<Defect>) -> String {
    let fault = fault.map(|fault| format!(" --fault {}", fault.name())).unwrap_or_default();
    format!("frazil fuzz --worlds --cases 1 --seed {seed}{fault}")
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
        (coverage.heard, "deaths that somebody was to hear of, and did"),
        (coverage.changes, "changes of counts posted by collections"),
        (coverage.batches, "batches they were posted in"),
        (coverage.ended, "heaps ended"),
        (coverage.drained, "drains between collections that had something to do"),
        (coverage.adopted, "estates adopted"),
        (coverage.orphans, "estates left to whoever comes by"),
        (coverage.rounds, "rounds it took to free everything, at most"),
    ];
    let table = counted(lines.into_iter());
    table + &format!("{:.1} s, {} worlds/s\n", elapsed.as_secs_f64(), per_second(coverage.worlds, elapsed))
}

/// Names all faults between heaps.
pub fn list_faults() -> ExitCode {
    let mut out = Out::new();
    for defect in Defect::of_groups() {
        let _ = writeln!(out, "{:<24} {}", defect.name(), defect.deed());
    }
    out.status(ExitCode::SUCCESS)
}
