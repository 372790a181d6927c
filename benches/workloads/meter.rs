//! Takes the time of a phase and of the gaps between its marks, and prints it with what the heap reports.

use std::time::{Duration, Instant};

use frazil::Stats;

/// A stopwatch for one run.
#[derive(Debug, Default)]
pub struct Meter {
    setup: Duration,
    elapsed: Duration,
    processor: Duration,
    longest_gap: Duration,
    began: Option<(Instant, Duration)>,
    marked: Option<Instant>,
}

impl Meter {
    /// Runs what the phase under test needs before.
    pub fn set_up<R>(&mut self, f: impl FnOnce() -> R) -> R {
        let started = Instant::now();
        let result = f();
        self.setup = started.elapsed();
        result
    }

    /// The phase under test begins.
    pub fn begin(&mut self) {
        self.began = Some((Instant::now(), processor_time()));
    }

    /// A piece of work is done; the first mark begins the first gap.
    pub fn mark(&mut self) {
        let now = Instant::now();
        if let Some(before) = self.marked.replace(now) {
            self.longest_gap = self.longest_gap.max(now - before);
        }
    }

    /// The phase under test is over.
    pub fn finish(&mut self) {
        let (started, processor) = self.began.expect("`begin` was called");
        self.elapsed = started.elapsed();
        self.processor = processor_time() - processor;
    }

    pub fn print(&self, name: &str, checksum: u32, stats: &Stats, json: bool) {
        let seconds = |time: Duration| time.as_secs_f64();
        let figures = [
            ("elapsed", seconds(self.elapsed)),
            ("cpu", seconds(self.processor)),
            ("setup", seconds(self.setup)),
            ("maxgap", seconds(self.longest_gap)),
            ("minor", stats.short as f64),
            ("major", stats.complete as f64),
            ("gctime", seconds(stats.pause_total)),
            ("maxpause", seconds(stats.pause_max)),
            ("p50", seconds(stats.pauses.quantile(0.5))),
            ("p99", seconds(stats.pauses.quantile(0.99))),
            ("promoted", stats.promoted_objects as f64),
            ("clustered", stats.clustered as f64),
            ("dissolved", stats.dissolved as f64),
            ("peakmb", peak_bytes() as f64 / (1 << 20) as f64),
        ];
        let parts = figures.iter().map(|(name, figure)| {
            let figure = if figure.fract() == 0.0 { format!("{figure}") } else { format!("{figure:.6}") };
            if json { format!("\"{name}\": {figure}") } else { format!("{name}={figure}") }
        });
        let parts: Vec<String> = parts.collect();
        if json {
            println!("{{\"workload\": \"{name}\", \"checksum\": {checksum}, {}}}", parts.join(", "));
        } else {
            println!("checksum {name}: {checksum}\n{}", parts.join(" "));
        }
    }
}

/// Processor time of the process so far, all threads, in steps of 10 ms; zero where the system does not tell.
fn processor_time() -> Duration {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The second field is the program's name in brackets, which may contain anything.
    let fields = text.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
    Duration::from_millis(10 * fields.filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>())
}

/// The most memory the process had at once; zero where the system does not tell.
fn peak_bytes() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kib = text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
    kib.and_then(|kib| kib.parse::<u64>().ok()).map_or(0, |kib| kib << 10)
}
