//! One run of the program under one choice, in a process of its own: both ends of it.
//!
//! The child is `frazil run --trial`. It notes every collection, and tells all in one line of JSON on standard error.
//! A process of its own makes the peak of memory the run's own; a run that crashes or takes for ever ends alone.

use std::cell::RefCell;
use std::ffi::OsString;
use std::io::Read;
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::sync::mpsc;
use std::time::Duration;

use frazil::{Report, Stats};
use serde_json::{Value, json};

use super::choice::Choice;

/// What one run was like.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Run {
    /// In which lap of the search it was run: each lap has one run of the default.
    pub lap: usize,
    /// Processor time in seconds; elapsed time if the system does not tell.
    pub seconds: f64,
    /// The share of the elapsed time that collections took.
    pub collecting: f64,
    /// The most memory that the process ever had, in bytes.
    pub peak_bytes: f64,
    /// Every pause in its order, in seconds.
    pub pauses: Vec<f64>,
    /// The longest time in one pause that releasing the dead took, in seconds.
    pub drain_max: f64,
    /// The share of old blocks that no object took, on average over all collections.
    pub fragmentation: f64,
    /// Objects promoted.
    pub promoted: u64,
    /// Blocks whose bits were compared.
    pub blocks_diffed: u64,
}

// -------------------------------------------------------------------------------- the child

/// What the child notes of its collections.
#[derive(Clone, Debug, Default)]
pub struct Log(Rc<RefCell<Notes>>);

#[derive(Debug, Default)]
struct Notes {
    pauses: Vec<u64>,
    drain_max: u64,
    old_bytes: u64,
    block_bytes: u64,
}

impl Log {
    /// Notes a collection.
    pub fn observer(&self) -> impl FnMut(&Report) + 'static {
        let notes = Rc::clone(&self.0);
        move |report: &Report| {
            let notes = &mut *notes.borrow_mut();
            notes.pauses.push(nanos(report.pause));
            notes.drain_max = notes.drain_max.max(nanos(report.drain));
            notes.old_bytes += report.old_bytes as u64;
            notes.block_bytes += report.block_bytes as u64;
        }
    }

    /// Everything that [`Run`] has, for a run that took `elapsed`, `processor` of it on a processor.
    pub fn tell(
        &self,
        stats: &Stats,
        elapsed: Duration,
        processor: Option<Duration>,
        peak: Option<u64>,
    ) -> String {
        let notes = self.0.borrow();
        json!({
            "elapsed_ns": nanos(elapsed),
            "processor_ns": processor.map(nanos),
            "collecting_ns": nanos(stats.pause_total),
            "peak_bytes": peak,
            "pauses_ns": notes.pauses,
            "drain_max_ns": notes.drain_max,
            "old_bytes": notes.old_bytes,
            "block_bytes": notes.block_bytes,
            "promoted": stats.promoted_objects,
            "blocks_diffed": stats.blocks_diffed,
        })
        .to_string()
    }
}

/// Ends this process when its parent has ended, in whatever way: nobody is left to read the figures, and a program may
/// run for ever. The parent holds the other end of standard input, and never writes there.
pub fn end_with_parent() {
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(1);
    });
}

fn nanos(time: Duration) -> u64 {
    time.as_nanos().try_into().unwrap_or(u64::MAX)
}

/// The time that the main thread of this process was on a processor, if the system tells. Unlike elapsed time it does
/// not contain what other processes took.
pub fn processor_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/self/schedstat").ok()?;
    text.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

// -------------------------------------------------------------------------------- the parent

/// Starts children.
#[derive(Clone, Debug)]
pub struct Trials {
    /// The program or trace.
    pub file: String,
    /// Options that every run gets.
    pub passed: Vec<OsString>,
}

impl Trials {
    /// Runs once under `choice`, for `limit` at most.
    ///
    /// # Errors
    /// Why there is no result, in words.
    pub fn run(&self, choice: Choice, limit: Duration) -> Result<Run, String> {
        let program = std::env::current_exe().map_err(|error| format!("cannot find itself: {error}"))?;
        let mut child = Command::new(program)
            .args(["run", "--trial"])
            .args(&self.passed)
            .args(choice.options())
            .arg("--")
            .arg(&self.file)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot start a process: {error}"))?;
        let (sender, receiver) = mpsc::channel();
        if let Some(mut stderr) = child.stderr.take() {
            std::thread::spawn(move || {
                let mut told = Vec::new();
                let _ = stderr.read_to_end(&mut told);
                let _ = sender.send(told);
            });
        }
        let told = receiver.recv_timeout(limit);
        if told.is_err() {
            // It may have ended by itself just now, which is as good.
            let _ = child.kill();
        }
        let status = child.wait().map_err(|error| format!("cannot wait for a process: {error}"))?;
        let told = told.map_err(|_| format!("it took longer than {:.1} s", limit.as_secs_f64()))?;
        let told = String::from_utf8_lossy(&told);
        if !status.success() {
            return Err(format!("{status}\n{}", told.trim_end()));
        }
        parse(&told).ok_or_else(|| "its figures cannot be read".to_owned())
    }
}

/// The figures of a run, from what the child told.
fn parse(told: &str) -> Option<Run> {
    let line = told.lines().rev().find(|line| line.starts_with('{'))?;
    let value: Value = serde_json::from_str(line).ok()?;
    let number = |name: &str| value[name].as_f64();
    let elapsed = number("elapsed_ns")?.max(1.0);
    let pauses = value["pauses_ns"].as_array()?.iter();
    let block_bytes = number("block_bytes")?;
    Some(Run {
        lap: 0,
        seconds: number("processor_ns").unwrap_or(elapsed).max(1.0) / 1e9,
        collecting: number("collecting_ns")? / elapsed,
        // What the system does not tell is the same for all.
        peak_bytes: number("peak_bytes").unwrap_or(1.0),
        pauses: pauses.map(|pause| pause.as_f64().map(|nanos| nanos / 1e9)).collect::<Option<_>>()?,
        drain_max: number("drain_max_ns")? / 1e9,
        fragmentation: if block_bytes > 0.0 { 1.0 - number("old_bytes")? / block_bytes } else { 0.0 },
        promoted: value["promoted"].as_u64()?,
        blocks_diffed: value["blocks_diffed"].as_u64()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_child_tells_the_parent_reads() {
        let log = Log::default();
        let mut note = log.observer();
        for millis in [2, 6] {
            note(&Report {
                pause: Duration::from_millis(millis),
                drain: Duration::from_millis(1),
                old_bytes: 30,
                block_bytes: 40,
                ..Report::default()
            });
        }
        let stats = Stats {
            pause_total: Duration::from_millis(8),
            promoted_objects: 7,
            blocks_diffed: 9,
            ..Stats::default()
        };
        let second = Duration::from_secs(1);
        let told = log.tell(&stats, second, Some(second / 2), Some(1000));
        let run = parse(&format!("a warning\n{told}\n")).expect("figures");
        assert_eq!((run.seconds, run.peak_bytes, run.promoted), (0.5, 1000.0, 7));
        assert_eq!((run.pauses, run.drain_max), (vec![0.002, 0.006], 0.001));
        assert_eq!((run.collecting, run.fragmentation, run.blocks_diffed), (0.008, 0.25, 9));
        assert_eq!(parse("no figures"), None);
    }
}
