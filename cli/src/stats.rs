//! What the collector did, for people and for programs.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use frazil::trace::Played;
use frazil::{Config, Report, Stats};
use serde_json::json;
use starlark::Engine;

/// What `frazil help stats` says.
pub const HELP: &str = "\
What --stats-json writes: one object with these fields. Times (ending in _us) are microseconds, sizes are bytes.

  elapsed_us       how long the program ran
  settings         {block_bytes, nursery_bytes}
  collections      {short, complete}: how many of each kind
  pause_us         {total, p50, p99, max}: all collections together, the median, what 99 of 100 do not exceed, the longest
  allocated_bytes  all that was allocated
  promoted         {objects, bytes}: what survived its first collection; bytes of the objects
  traced_objects   how often an object was traced
  freed            {objects, bytes}: old objects that were freed; bytes of their cells, which may be larger
  clusters         {objects, dissolved}: objects counted as part of a cluster, and those counted one by one after all
  settled          {objects, components}: frozen objects that are counted now, and the cycles among them
  blocks_diffed    how many blocks' retain bits were compared
  old              {objects, bytes, block_bytes, block_bytes_max, waiting}: after the last collection, bytes of cells and
                   of the blocks they lie in, the most there were of these, and dead objects still to be released
  heap_bytes       the nursery's objects and the blocks in the end
  peak_bytes       the most memory of the process, or null where the system does not tell

More fields may be added.
";

/// The collections of all heaps of a program that has several. Those of different threads may be at the same time.
#[derive(Clone, Default)]
pub struct Tally(Arc<Mutex<Stats>>);

impl Tally {
    /// A heap has collected.
    pub fn add(&self, report: &Report) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).add(report);
    }

    /// All of them. What is there at the end is in the heap of `engine`.
    pub fn sum(&self, engine: &Engine) -> Stats {
        let stats = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Stats { last: engine.stats().last.clone(), ..stats }
    }
}

/// The sum of a run.
pub struct Summary {
    elapsed: Duration,
    stats: Stats,
    block_bytes: usize,
    nursery_bytes: usize,
    /// Bytes allocated, those since the last collection included.
    allocated_bytes: u64,
    /// Bytes that the heap takes at the end.
    used_bytes: usize,
    /// The most memory that the process ever had, in bytes, if the system tells.
    peak_bytes: Option<u64>,
}

impl Summary {
    /// The sum of what `engine` did in `elapsed`, its collections being `stats`.
    pub fn new(engine: &Engine, stats: Stats, elapsed: Duration) -> Summary {
        let played =
            Played { stats, allocated_bytes: engine.allocated_bytes(), used_bytes: engine.used_bytes() };
        Summary::of(played, engine.config(), elapsed)
    }

    /// The sum of a trace that was played with the settings `config`.
    pub fn of(played: Played, config: &Config, elapsed: Duration) -> Summary {
        let Played { stats, allocated_bytes, used_bytes } = played;
        Summary {
            elapsed,
            block_bytes: config.block_bytes.get(),
            nursery_bytes: config.nursery_bytes,
            allocated_bytes: stats.allocated_bytes + allocated_bytes as u64,
            used_bytes,
            peak_bytes: peak_bytes(),
            stats,
        }
    }

    /// The pause that a share of all does not exceed. The histogram tells it to within a fifth, and none was longer
    /// than the longest.
    fn pause(&self, share: f64) -> Duration {
        self.stats.pauses.quantile(share).min(self.stats.pause_max)
    }

    /// The same as JSON: see [`HELP`].
    pub fn json(&self) -> String {
        let Stats { last, .. } = &self.stats;
        let value = json!({
            "elapsed_us": micros(self.elapsed),
            "settings": { "block_bytes": self.block_bytes, "nursery_bytes": self.nursery_bytes },
            "collections": { "short": self.stats.short, "complete": self.stats.complete },
            "pause_us": {
                "total": micros(self.stats.pause_total),
                "p50": micros(self.pause(0.5)),
                "p99": micros(self.pause(0.99)),
                "max": micros(self.stats.pause_max),
            },
            "allocated_bytes": self.allocated_bytes,
            "promoted": { "objects": self.stats.promoted_objects, "bytes": self.stats.promoted_bytes },
            "traced_objects": self.stats.traced_objects,
            "freed": { "objects": self.stats.freed_objects, "bytes": self.stats.freed_bytes },
            "clusters": { "objects": self.stats.clustered, "dissolved": self.stats.dissolved },
            "settled": { "objects": self.stats.settled, "components": self.stats.components },
            "blocks_diffed": self.stats.blocks_diffed,
            "old": {
                "objects": last.old_objects,
                "bytes": last.old_bytes,
                "block_bytes": last.block_bytes,
                "block_bytes_max": self.stats.block_bytes_max,
                "waiting": last.waiting,
            },
            "heap_bytes": self.used_bytes,
            "peak_bytes": self.peak_bytes,
        });
        format!("{value:#}")
    }
}

/// The table. Every line begins with what a person would look for.
impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Stats { last, .. } = &self.stats;
        let collecting = share(self.stats.pause_total.as_secs_f64(), self.elapsed.as_secs_f64());
        let promoted = share(self.stats.promoted_bytes as f64, self.allocated_bytes as f64);
        let pause = |share| time(self.pause(share));
        let mut line = |name: &str, text: String| writeln!(f, "  {name:<12} {text}");
        line("time", format!("{}, {collecting} of it collecting", time(self.elapsed)))?;
        line(
            "collections",
            format!(
                "{} ({} short, {} complete)",
                self.stats.collections(),
                self.stats.short,
                self.stats.complete
            ),
        )?;
        line(
            "pauses",
            format!("median {}, 99% {}, longest {}", pause(0.5), pause(0.99), time(self.stats.pause_max)),
        )?;
        line("allocated", bytes(self.allocated_bytes))?;
        line(
            "promoted",
            format!(
                "{} in {} objects ({promoted} of what was allocated)",
                bytes(self.stats.promoted_bytes),
                self.stats.promoted_objects
            ),
        )?;
        if self.stats.clustered > 0 {
            let (clustered, dissolved) = (self.stats.clustered, self.stats.dissolved);
            line(
                "clusters",
                format!("{clustered} objects counted in clusters, {dissolved} by themselves after all"),
            )?;
        }
        line("traced", format!("{} objects", self.stats.traced_objects))?;
        line(
            "freed",
            format!("{} in {} old objects", bytes(self.stats.freed_bytes), self.stats.freed_objects),
        )?;
        line(
            "frozen",
            format!(
                "{} objects settled in place, {} cycles among them",
                self.stats.settled, self.stats.components
            ),
        )?;
        line(
            "old objects",
            format!(
                "{} with {} in {} of blocks ({:.0}% full), {} waiting to be freed",
                last.old_objects,
                bytes(last.old_bytes as u64),
                bytes(last.block_bytes as u64),
                last.occupancy() * 100.0,
                last.waiting
            ),
        )?;
        let peak = self.peak_bytes.map_or("not told by the system".to_owned(), bytes);
        line(
            "memory",
            format!("heap {} at the end, process {peak} at its peak", bytes(self.used_bytes as u64)),
        )
    }
}

fn micros(time: Duration) -> u64 {
    time.as_micros().try_into().unwrap_or(u64::MAX)
}

fn share(part: f64, whole: f64) -> String {
    format!("{:.1}%", if whole > 0.0 { part / whole * 100.0 } else { 0.0 })
}

/// A length of time for a person.
pub fn time(time: Duration) -> String {
    match time.as_secs_f64() {
        seconds if seconds >= 1.0 => format!("{seconds:.2} s"),
        seconds if seconds >= 1e-3 => format!("{:.1} ms", seconds * 1e3),
        seconds => format!("{:.0} us", seconds * 1e6),
    }
}

/// A number of bytes for a person.
pub fn bytes(bytes: u64) -> String {
    match bytes as f64 {
        count if count >= 1e9 => format!("{:.2} GB", count / 1e9),
        count if count >= 1e6 => format!("{:.1} MB", count / 1e6),
        count if count >= 1e3 => format!("{:.0} kB", count / 1e3),
        _ => format!("{bytes} B"),
    }
}

/// The largest resident set of the process so far.
pub fn peak_bytes() -> Option<u64> {
    kib_of("VmHWM:", &std::fs::read_to_string("/proc/self/status").ok()?)
}

/// The memory that the system could give to all processes together without taking any away, if it tells.
pub fn available_bytes() -> Option<u64> {
    kib_of("MemAvailable:", &std::fs::read_to_string("/proc/meminfo").ok()?)
}

/// Bytes, in a list of names with kibibytes.
fn kib_of(name: &str, list: &str) -> Option<u64> {
    let line = list.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    kib.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short() {
        assert_eq!(
            (bytes(999), bytes(1_500), bytes(2_340_000)),
            ("999 B".into(), "2 kB".into(), "2.3 MB".into())
        );
        assert_eq!(time(Duration::from_micros(1234)), "1.2 ms");
        assert_eq!(share(1.0, 0.0), "0.0%");
    }

    #[test]
    fn the_json_has_what_the_table_has() {
        let mut engine = Engine::new(starlark::CONFIG, Default::default()).expect("an engine");
        engine.run("a.star", "xs = [str(i) for i in range(100000)]").expect("a good program");
        engine.collect(frazil::Request::Complete).expect("memory");
        let summary = Summary::new(&engine, engine.stats().clone(), Duration::from_millis(5));
        let value: serde_json::Value = serde_json::from_str(&summary.json()).expect("JSON");
        assert_eq!(value["elapsed_us"], 5000);
        assert!(value["promoted"]["objects"].as_u64() > Some(100_000), "{value}");
        let [median, p99, longest] = ["p50", "p99", "max"].map(|name| value["pause_us"][name].as_u64());
        assert!(median <= p99 && p99 <= longest, "{value}");
        for field in value.as_object().expect("an object").keys() {
            assert!(HELP.contains(&format!("\n  {field} ")), "{field} is not explained");
        }
        let in_clusters = value["clusters"]["objects"].as_u64() > Some(0);
        assert_eq!(summary.to_string().lines().count(), 10 + usize::from(in_clusters), "{summary}");
    }
}
