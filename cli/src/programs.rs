//! `frazil fuzz --programs`: random programs, and what came of them.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use fuzz::program::campaign::{Campaign, Found};
use fuzz::program::coverage::{Coverage, Event};
use fuzz::program::mistakes;
use starlark::Mistake;

use crate::hunt::{clock, counted, in_frame};
use crate::options::fuzz::ProgramHunt;
use crate::out::Out;
use crate::progress::per_second;

/// Forms that were in no program are named, unless there are more of them.
const NAMED_MAX: usize = 20;

/// Hunts, and says what was found.
pub fn hunt(hunt: &ProgramHunt) -> ExitCode {
    if let Some(mistake) = hunt.mistake {
        let _ = writeln!(std::io::stdout(), "fault {}: {}", mistake.name(), mistake.deed());
    }
    let seed = hunt.terms.seed.unwrap_or_else(clock);
    let campaign = |programs| Campaign { mistake: hunt.mistake, ..Campaign::new(seed, programs) };
    in_frame(
        &hunt.terms,
        seed,
        |cases, progress| campaign(cases).run(progress),
        table,
        "star",
        |found: &Found, file| save(found, file, hunt.mistake).map(|()| replay(found, file)),
    )
}

/// What happened, and how fast.
fn table(coverage: &Coverage, elapsed: Duration) -> String {
    let mut table = counted(Event::ALL.iter().map(|&event| (coverage.of(event), event.text())));
    let (forms, missing) = coverage.forms();
    let used = forms - missing.len();
    table +=
        &format!("{used:>12} of {forms} forms of statements and expressions in programs that ended well\n");
    if missing.len() <= NAMED_MAX {
        for form in missing {
            table += &format!("{:>12} {}\n", "! never", form.lines().next().unwrap_or(form));
        }
    }
    let rate = per_second(coverage.of(Event::Program), elapsed);
    table + &format!("{:.1} s, {rate} programs/s\n", elapsed.as_secs_f64())
}

/// How to run the shrunk program.
fn replay(found: &Found, file: &str) -> String {
    format!("frazil run {} {file}", found.small.arguments())
}

/// Writes the shrunk program, with remarks on where it comes from, and the modules that it loads beside it.
fn save(found: &Found, file: &str, mistake: Option<Mistake>) -> Result<(), String> {
    let mut remarks = format!(
        "# {}\n# shrunk from frazil fuzz --programs --cases 1 --seed {}",
        replay(found, file),
        found.seed
    );
    if let Some(mistake) = mistake {
        remarks += &format!(" --fault {}", mistake.name());
    }
    let failure = found.small_failure.as_ref().unwrap_or(&found.failure).to_string();
    for line in failure.lines() {
        remarks += &format!("\n#   {line}");
    }
    for (number, (name, text)) in found.small.files(file).into_iter().enumerate() {
        let text = if number == 0 { format!("{remarks}\n{text}") } else { text };
        std::fs::write(&name, text).map_err(|error| format!("cannot write {name}: {error}"))?;
    }
    Ok(())
}

/// Names the mistakes of the interpreter that can be found.
pub fn list_mistakes() -> ExitCode {
    let mut out = Out::new();
    for mistake in mistakes() {
        let _ = writeln!(out, "{:<18} {}", mistake.name(), mistake.deed());
    }
    out.status(ExitCode::SUCCESS)
}
