//! Running the graph in processes of their own, and saying what it took.

use std::error::Error;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::CHILD;

/// One way to evaluate the graph, and what each round of it took.
struct Way {
    name: String,
    processes: usize,
    threads: usize,
    times: Vec<Duration>,
    /// Bytes of the largest process.
    peaks: Vec<u64>,
    /// Hundredths of a second of all processes and rounds.
    processor: u64,
}

/// Evaluates the graph in turns, and prints what it took.
///
/// # Errors
/// A process cannot be started, fails, or prints something else than the others.
pub fn compare(folder: &Path, main: &str, rounds: usize, threads: usize) -> Result<(), Box<dyn Error>> {
    let way = |name: String, processes, threads| Way {
        name,
        processes,
        threads,
        times: vec![],
        peaks: vec![],
        processor: 0,
    };
    let mut ways = [
        way("one thread".to_owned(), 1, 1),
        way(format!("{threads} threads"), 1, threads),
        way(format!("{threads} processes"), threads, 1),
    ];
    let mut expected = None;
    for _ in 0..rounds {
        for way in &mut ways {
            way.run(folder, main, &mut expected)?;
        }
    }
    let [one, several, apart] = &ways;
    println!("{:<14} {:>10} {:>10} {:>10} {:>10}", "", "least", "median", "processor", "peak");
    ways.iter().for_each(Way::tell);
    let gain = |gain: f64| format!("{gain:.2}");
    let bound = |of: fn(&Way) -> f64| threads as f64 * of(one) / of(apart);
    println!(
        "{threads} threads are {} times as fast as one by the least, {} by the median",
        gain(one.least() / several.least()),
        gain(one.median() / several.median())
    );
    println!(
        "{threads} processes at the same time do {} times as much as one by the least, {} by the median",
        gain(bound(Way::least)),
        gain(bound(Way::median))
    );
    if let (Some(one), Some(several)) = (one.peak(), several.peak()) {
        println!("peak memory is {} times that of one thread", gain(several as f64 / one as f64));
    }
    println!(
        "the output was the same {} times",
        rounds * ways.iter().map(|way| way.processes).sum::<usize>()
    );
    Ok(())
}

impl Way {
    fn run(
        &mut self,
        folder: &Path,
        main: &str,
        expected: &mut Option<Vec<u8>>,
    ) -> Result<(), Box<dyn Error>> {
        let started = Instant::now();
        let children: Result<Vec<Child>, _> = (0..self.processes).map(|_| self.start(folder, main)).collect();
        let outputs: Result<Vec<_>, _> = children?.into_iter().map(Child::wait_with_output).collect();
        self.times.push(started.elapsed());
        let mut peak: Option<u64> = None;
        for output in outputs? {
            let told = String::from_utf8_lossy(&output.stderr);
            if !output.status.success() {
                return Err(format!("{} failed: {told}", self.name).into());
            }
            let mut figures = told.split_whitespace().map_while(|figure| figure.parse::<u64>().ok());
            peak = peak.max(figures.next());
            self.processor += figures.next().unwrap_or_default();
            let expected = expected.get_or_insert_with(|| output.stdout.clone());
            if *expected != output.stdout {
                return Err(format!("{} printed something else", self.name).into());
            }
        }
        self.peaks.extend(peak);
        Ok(())
    }

    fn start(&self, folder: &Path, main: &str) -> std::io::Result<Child> {
        Command::new(std::env::current_exe()?)
            .arg(CHILD)
            .arg(folder)
            .arg(main)
            .arg(self.threads.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
    }

    fn least(&self) -> f64 {
        self.times.iter().min().map_or(0.0, Duration::as_secs_f64)
    }

    fn median(&self) -> f64 {
        median(&self.times).map_or(0.0, |time| time.as_secs_f64())
    }

    fn peak(&self) -> Option<u64> {
        median(&self.peaks)
    }

    fn tell(&self) {
        let millis = |seconds: f64| format!("{:.0} ms", seconds * 1e3);
        let peak = self.peak().map_or(String::new(), |peak| format!("{:.1} MB", peak as f64 / 1e6));
        let processor = millis(self.processor as f64 / 100.0 / self.times.len() as f64);
        let (least, median) = (millis(self.least()), millis(self.median()));
        println!("{:<14} {least:>10} {median:>10} {processor:>10} {peak:>10}", self.name);
    }
}

fn median<T: Copy + Ord>(values: &[T]) -> Option<T> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied()
}

/// Tells whoever measures the most memory that this process ever had, in bytes, and the processor time of all its threads, in
/// hundredths of a second: as far as the system tells (Linux does).
pub fn tell_own() {
    let (status, stat) = (proc("status"), proc("stat"));
    let kib: Option<u64> = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix("kB")?.trim().parse().ok());
    let Some(kib) = kib else { return };
    // Behind the name, which may hold anything: the state, ten numbers, the time in the process and in the system.
    let behind = stat.rsplit(')').next().unwrap_or_default();
    let processor: u64 =
        behind.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    eprintln!("{} {processor}", kib * 1024);
}

fn proc(file: &str) -> String {
    std::fs::read_to_string(format!("/proc/self/{file}")).unwrap_or_default()
}
