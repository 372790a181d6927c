//! What was measured, as a table, as CSV and as JSON.

use serde_json::{Value, json};

use super::Outcome;
use super::choice::{Choice, size};
use super::judge::{Comparison, front};
use super::sample::{Measure, Sample, quantile};
use super::search::{Finding, Verdict};
use crate::stats;

/// So many lines the table has, unless more must be in it.
const LINES: usize = 14;

/// All about one choice, for a reader.
pub struct Row {
    /// The choice.
    pub choice: Choice,
    /// How often it was run.
    pub runs: usize,
    /// Seconds.
    pub time: f64,
    /// How far the middle half of the times lies apart, as a share, to each side.
    pub spread: f64,
    /// The share of the time spent collecting.
    pub collecting: f64,
    /// Half of the pauses are not longer (seconds).
    pub p50: f64,
    /// 99 of a hundred are not longer (seconds).
    pub p99: f64,
    /// The longest pause (seconds).
    pub longest: f64,
    /// The most memory that the process had (bytes).
    pub peak: f64,
    /// The share of old blocks that no object took.
    pub fragmentation: f64,
    /// Objects promoted.
    pub promoted: u64,
    /// Blocks whose bits were compared.
    pub blocks_diffed: u64,
    /// Nothing beats it in time, memory and pause at once.
    pub front: bool,
}

impl Row {
    fn new(choice: Choice, sample: &Sample) -> Row {
        let pauses = sample.pauses();
        Row {
            choice,
            runs: sample.runs.len(),
            time: sample.value(Measure::Time),
            spread: sample.spread(|run| run.seconds),
            collecting: sample.median(|run| run.collecting),
            p50: quantile(&pauses, 0.5),
            p99: quantile(&pauses, 0.99),
            longest: sample.value(Measure::Pause),
            peak: sample.value(Measure::Memory),
            fragmentation: sample.median(|run| run.fragmentation),
            promoted: sample.median(|run| run.promoted as f64) as u64,
            blocks_diffed: sample.median(|run| run.blocks_diffed as f64) as u64,
            front: false,
        }
    }

    /// Bits that were compared: one for each granule of a block.
    pub fn bits_diffed(&self) -> u64 {
        self.blocks_diffed * self.choice.block.granules() as u64
    }

    /// The figure that is compared with others.
    pub fn figure(&self, measure: Measure) -> f64 {
        match measure {
            Measure::Time => self.time,
            Measure::Memory => self.peak,
            Measure::Pause => self.longest,
        }
    }
}

/// A row for every choice that was run, from the smallest nursery.
pub fn rows(outcome: &Outcome) -> Vec<Row> {
    let samples = outcome.field.samples.iter();
    let mut rows: Vec<Row> = samples.map(|(&choice, sample)| Row::new(choice, sample)).collect();
    let figures: Vec<_> = rows.iter().map(|row| Measure::ALL.map(|measure| row.figure(measure))).collect();
    for (row, front) in rows.iter_mut().zip(front(&figures)) {
        row.front = front;
    }
    rows
}

/// What is shown of a row, with headings.
pub const COLUMNS: [&str; 13] = [
    "nursery",
    "block",
    "drain",
    "runs",
    "time",
    "spread",
    "collecting",
    "pause 50%",
    "99%",
    "longest",
    "peak memory",
    "fragmentation",
    "promoted",
];

/// The cells of a row.
pub fn cells(row: &Row) -> [String; 13] {
    [
        size(row.choice.nursery),
        size(row.choice.block.get()),
        row.choice.drain_name().to_owned(),
        row.runs.to_string(),
        seconds(row.time),
        if row.runs > 1 { format!("\u{b1}{}", percent(row.spread)) } else { "-".to_owned() },
        percent(row.collecting),
        seconds(row.p50),
        seconds(row.p99),
        seconds(row.longest),
        stats::bytes(row.peak as u64),
        percent(row.fragmentation),
        row.promoted.to_string(),
    ]
}

/// A share.
pub fn percent(share: f64) -> String {
    format!("{:.1}%", share * 100.0)
}

/// A time given in seconds.
pub fn seconds(seconds: f64) -> String {
    match seconds {
        _ if seconds >= 1.0 => format!("{seconds:.2} s"),
        _ if seconds >= 0.1 => format!("{:.0} ms", seconds * 1e3),
        _ if seconds >= 1e-3 => format!("{:.1} ms", seconds * 1e3),
        _ => format!("{:.0} us", seconds * 1e6),
    }
}

/// The table for a terminal: what is on the front or was measured most often. Everything is in the files.
pub fn table(outcome: &Outcome) -> String {
    let mut rows = rows(outcome);
    let all = rows.len();
    let (default, chosen) = (outcome.default, outcome.recommended());
    let must = |row: &Row| row.choice == default || Some(row.choice) == chosen;
    let mut order: Vec<usize> = (0..all).collect();
    order.sort_by_key(|&at| (!must(&rows[at]), !rows[at].front, std::cmp::Reverse(rows[at].runs)));
    order.truncate(LINES);
    let mut at = 0..;
    rows.retain(|_| order.contains(&at.next().unwrap_or(0)));
    let mark = |row: &Row| match () {
        () if Some(row.choice) == chosen => ">",
        () if row.choice == default => "d",
        () if row.front => "*",
        () => " ",
    };
    let lines: Vec<[String; 13]> = rows.iter().map(cells).collect();
    let width = |column: usize| {
        let cells = lines.iter().map(|line| line[column].chars().count());
        cells.chain([COLUMNS[column].len()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..COLUMNS.len()).map(width).collect();
    let line = |mark: &str, cells: &[&str]| {
        let cells = cells.iter().zip(&widths).map(|(cell, &width)| format!("{cell:>width$}"));
        format!("{mark} {}\n", cells.collect::<Vec<_>>().join("  "))
    };
    let mut table = line(" ", &COLUMNS);
    for (row, cells) in rows.iter().zip(&lines) {
        table += &line(mark(row), &cells.each_ref().map(String::as_str));
    }
    let left_out =
        if all > rows.len() { format!(", {} of {all} choices", rows.len()) } else { String::new() };
    format!("{table}> recommended, d default, * on the front of time, memory and longest pause{left_out}\n\n")
}

/// All figures, a line for each choice. Times are seconds.
pub fn csv(outcome: &Outcome) -> String {
    let mut csv = "nursery_bytes,block_bytes,drain,runs,time_s,time_spread,collecting_share,pause_p50_s,pause_p99_s,\
                   pause_longest_s,peak_bytes,fragmentation,promoted_objects,blocks_diffed,bits_diffed,front\n"
        .to_owned();
    for row in rows(outcome) {
        csv += &format!(
            "{},{},{},{},{:.6},{:.4},{:.4},{:.7},{:.7},{:.7},{},{:.4},{},{},{},{}\n",
            row.choice.nursery,
            row.choice.block.get(),
            row.choice.drain_name(),
            row.runs,
            row.time,
            row.spread,
            row.collecting,
            row.p50,
            row.p99,
            row.longest,
            row.peak,
            row.fragmentation,
            row.promoted,
            row.blocks_diffed,
            row.bits_diffed(),
            row.front
        );
    }
    csv
}

/// Everything, the single runs included, and the recommendation. Times are seconds.
pub fn json(outcome: &Outcome) -> String {
    let rows: Vec<Value> = rows(outcome).iter().map(|row| row_json(outcome, row)).collect();
    let failures = outcome.field.failures.iter();
    let failures: Vec<Value> =
        failures.map(|(&choice, why)| json!({ "settings": choice_json(choice), "why": why })).collect();
    let verdict = match &outcome.verdict {
        Verdict::Confirmed(finding) => finding_json("confirmed", finding),
        Verdict::Withdrawn(finding) => finding_json("withdrawn", finding),
        Verdict::Nothing => json!({ "is": "keep the default" }),
        Verdict::NoTime(seconds) => json!({ "is": "no time", "seconds_needed": seconds }),
    };
    let value = json!({
        "file": outcome.file,
        "kind": outcome.what,
        "goal": outcome.goal.name(),
        "elapsed_s": outcome.elapsed.as_secs_f64(),
        "processes": outcome.processes,
        "default": choice_json(outcome.default),
        "recommended": outcome.recommended().map(choice_json),
        "verdict": verdict,
        "choices": rows,
        "failures": failures,
    });
    format!("{value:#}\n")
}

fn choice_json(choice: Choice) -> Value {
    json!({
        "nursery_bytes": choice.nursery,
        "block_bytes": choice.block.get(),
        "drain": choice.drain_name(),
    })
}

fn row_json(outcome: &Outcome, row: &Row) -> Value {
    let runs = &outcome.field.samples[&row.choice].runs;
    json!({
        "settings": choice_json(row.choice),
        "time_s": row.time,
        "time_spread": row.spread,
        "collecting_share": row.collecting,
        "pause_s": { "p50": row.p50, "p99": row.p99, "longest": row.longest },
        "peak_bytes": row.peak,
        "fragmentation": row.fragmentation,
        "promoted_objects": row.promoted,
        "blocks_diffed": row.blocks_diffed,
        "bits_diffed": row.bits_diffed(),
        "front": row.front,
        "runs_time_s": runs.iter().map(|run| run.seconds).collect::<Vec<_>>(),
        "runs_peak_bytes": runs.iter().map(|run| run.peak_bytes).collect::<Vec<_>>(),
    })
}

fn finding_json(is: &str, finding: &Finding) -> Value {
    let ratios = |comparison: &Comparison| -> Vec<Value> {
        let ratios = Measure::ALL.into_iter().map(|measure| (measure, comparison.ratio(measure)));
        ratios
            .map(|(measure, ratio)| {
                json!({ "of": measure.name(), "ratio": ratio.found, "low": ratio.low, "high": ratio.high })
            })
            .collect()
    };
    json!({
        "is": is,
        "settings": choice_json(finding.choice),
        "beside_the_default": ratios(&finding.first),
        "measured_anew": ratios(&finding.second),
        "pairs": finding.again[0].runs.len(),
    })
}
