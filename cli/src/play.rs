//! `frazil run` of a recorded trace: it is played on a heap, and what the collector did is told.

use std::fs::File;
use std::io::Read;
use std::process::ExitCode;
use std::time::Instant;

use frazil::Config;
use frazil::trace::Trace;

use crate::options::run::Run;
use crate::out::remark;
use crate::stats::{self, Summary};
use crate::tell_stats;
use crate::tune::trial::{self, Log};

/// Does the file begin as a trace does? Its name does not matter.
pub fn is_trace(file: &str) -> bool {
    let mut beginning = Vec::new();
    let read = File::open(file).and_then(|file| file.take(8).read_to_end(&mut beginning));
    read.is_ok() && Trace::is_trace(&beginning)
}

/// Reads a trace.
///
/// # Errors
/// It cannot be read, or is no good trace.
pub fn read(file: &str) -> Result<Trace, String> {
    let bytes = std::fs::read(file).map_err(|error| format!("cannot read {file}: {error}"))?;
    Trace::read(bytes).map_err(|error| format!("{file}: {error}"))
}

/// Plays a trace.
pub fn play(run: &Run) -> ExitCode {
    let trace = match read(&run.file) {
        Ok(trace) if run.record.is_none() => trace,
        Ok(_) => return refuse("a trace cannot be recorded once more"),
        Err(error) => return refuse(&error),
    };
    let config = settings(run, &trace);
    let log = Log::default();
    let (started, processor) = (Instant::now(), trial::processor_time());
    let played = trace.replay(bounded(&config, stats::available_bytes()), log.observer());
    let elapsed = started.elapsed();
    let processor = trial::processor_time().zip(processor).map(|(after, before)| after - before);
    let played = match played {
        Ok(played) => played,
        Err(error) => {
            remark(format_args!("frazil: {}: {error}", run.file));
            return ExitCode::FAILURE;
        }
    };
    if run.trial {
        // The program would not have had the trace in memory.
        let peak = stats::peak_bytes().map(|peak| peak.saturating_sub(trace.own_bytes() as u64));
        remark(format_args!("{}", log.tell(&played.stats, elapsed, processor, peak)));
    }
    match tell_stats(run, &Summary::of(played, &config, elapsed)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => refuse(&error),
    }
}

fn refuse(error: &str) -> ExitCode {
    remark(format_args!("frazil: {error}"));
    ExitCode::from(2)
}

/// A hundred bytes of a trace can ask for all the memory there is, and the system would end this process, or others. The
/// program that was recorded had room for what it did; if this machine has not, that is said.
fn bounded(config: &Config, available: Option<u64>) -> Config {
    let available = available.and_then(|bytes| usize::try_from(bytes).ok());
    Config { limit_bytes: config.limit_bytes.or(available), ..config.clone() }
}

/// Those of the command line where it says something, otherwise those of the program that was recorded.
fn settings(run: &Run, trace: &Trace) -> Config {
    let (said, unsaid, recorded) = (&run.config, &starlark::CONFIG, trace.settings());
    let mut config = Config { check: said.check, ..recorded.clone() };
    if run.said.nursery {
        config.nursery_bytes = said.nursery_bytes;
    }
    if run.said.block {
        config.block_bytes = said.block_bytes;
    }
    if run.said.drain {
        config.drain = said.drain;
    }
    if said.limit_bytes != unsaid.limit_bytes {
        config.limit_bytes = said.limit_bytes;
    }
    config
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_limit_has_that_of_the_machine() {
        let limited = |limit_bytes| Config { limit_bytes, ..Config::DEFAULT };
        assert_eq!(bounded(&limited(None), Some(1 << 30)).limit_bytes, Some(1 << 30));
        assert_eq!(bounded(&limited(Some(1 << 40)), Some(1 << 30)).limit_bytes, Some(1 << 40));
        assert_eq!(bounded(&limited(None), None).limit_bytes, None);
        assert!(stats::available_bytes().is_none_or(|bytes| bytes > 1 << 20));
    }
}
