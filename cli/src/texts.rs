//! `frazil fuzz --texts`: texts that may or may not be programs, and what came of them.

use std::process::ExitCode;
use std::time::Duration;

use fuzz::texts::{Campaign, Found, Tally};

use crate::files;
use crate::hunt::{clock, in_frame};
use crate::options::fuzz::TextHunt;
use crate::out::remark;
use crate::progress::per_second;
use crate::stats::peak_bytes;

/// Hunts, and says what was found.
pub fn hunt(hunt: &TextHunt) -> ExitCode {
    let programs: Result<Vec<String>, String> =
        hunt.files.iter().map(|file| files::read(file.as_ref())).collect();
    let programs = match programs {
        Ok(programs) => programs,
        Err(error) => {
            remark(format_args!("frazil: {error}"));
            return ExitCode::from(2);
        }
    };
    let seed = hunt.terms.seed.unwrap_or_else(clock);
    in_frame(
        &hunt.terms,
        seed,
        |texts, progress| Campaign { seed, texts, programs }.run(progress),
        table,
        "star",
        |found: &Found, file| {
            std::fs::write(file, &found.small.0).map_err(|error| format!("cannot write {file}: {error}"))?;
            Ok(format!("frazil run --check {file}"))
        },
    )
}

/// What happened, how fast, and whether something was left behind: then memory grows with the time.
fn table(tally: &Tally, elapsed: Duration) -> String {
    let rate = per_second(tally.texts, elapsed);
    let peak = peak_bytes().map_or_else(String::new, |bytes| format!(", {} MiB at most", bytes >> 20));
    format!("{tally}\n{:.1} s, {rate} texts/s{peak}\n", elapsed.as_secs_f64())
}
