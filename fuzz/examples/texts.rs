//! Tries texts for as long as you like, and says what was found and whether memory has grown.
//!
//! ```sh
//! cargo run --release -p frazil-fuzz --example texts -- SECONDS [SEED] [FILE.star ...]
//! ```

use std::process::ExitCode;
use std::time::{Duration, Instant};

use frazil_fuzz::texts::hunt;

/// Megabytes that the process has in memory, where that can be asked.
fn resident() -> f64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: f64 = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0.0);
    pages * 4096.0 / 1e6
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let seconds = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(10);
    let seed = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(1);
    let read =
        |file: String| std::fs::read_to_string(&file).map_err(|error| eprintln!("{file}: {error}")).ok();
    let programs: Vec<String> = arguments.filter_map(read).collect();
    let mut seed: u64 = seed;
    let end = Instant::now() + Duration::from_secs(seconds);
    while Instant::now() < end {
        let slice = end.saturating_duration_since(Instant::now()).min(Duration::from_secs(10));
        let started = Instant::now();
        match hunt(&programs, seed, u64::MAX, slice) {
            Ok(tally) => {
                let rate = tally.texts as f64 / started.elapsed().as_secs_f64();
                println!("from seed {seed}: {tally}; {rate:.0} texts/s, {:.1} MB resident", resident());
                seed += tally.texts;
            }
            Err(found) => {
                println!("{found}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}
