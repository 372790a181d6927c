//! A report for a terminal.

use std::fmt::Write;

use starlark::Picture;

use crate::stats::bytes;

use super::holders::{Group, Owner};
use super::report::Report;
use super::words::{self, count, headlines, percent};

/// Rows of a table.
const ROWS: usize = 8;
/// Parts with a smaller share of their holder, in percent, are left out.
const PART_PERCENT: u64 = 10;

/// The summary.
pub fn summary(report: &Report) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "the heap of {} {}", report.file, words::moment(report));
    let _ = writeln!(
        text,
        "alive: {} in {}, in {} of blocks\n",
        bytes(report.live.bytes),
        words::objects(report.live.objects),
        bytes(report.used_bytes())
    );
    for headline in headlines(report) {
        let _ = writeln!(text, "{headline}");
    }
    holders(report, &mut text);
    lines(report, &mut text);
    kinds(report, &mut text);
    text
}

fn holders(report: &Report, text: &mut String) {
    let _ = writeln!(text, "\nwho keeps how much alive");
    for holder in report.holders.iter().take(ROWS) {
        let name = match &holder.owner {
            Owner::Named(..) => format!("{}, {}", words::name(report, holder), holder.what),
            Owner::Several(_) => format!("{} that {}", holder.what, words::held_by(report, holder)),
        };
        row(text, report, holder.group.retained.bytes, &name);
        parts(report, &holder.group, 1, text);
    }
}

fn parts(report: &Report, group: &Group, depth: usize, text: &mut String) {
    let least = group.retained.bytes / 100 * PART_PERCENT;
    for part in group.parts.iter().filter(|part| part.retained.bytes >= least).take(2) {
        let name = format!(
            "{:depth$}{}, {}, such as {}",
            "",
            count(part),
            words::line_name(report, part.line),
            words::way(report, &part.way),
            depth = 2 * depth
        );
        row(text, report, part.retained.bytes, &name);
        parts(report, part, depth + 1, text);
    }
}

fn lines(report: &Report, text: &mut String) {
    let _ = writeln!(text, "\nwhich lines made what is alive");
    for used in report.line_uses.iter().take(ROWS).filter(|used| is_shown(report, used.live.bytes)) {
        let line = &report.lines[used.line];
        let code = if line.file.is_empty() { String::new() } else { format!("  {}", line.text) };
        let name =
            format!("{}: {}{code}", words::line_name(report, used.line), words::objects(used.live.objects));
        row(text, report, used.live.bytes, &name);
    }
}

fn kinds(report: &Report, text: &mut String) {
    let _ = writeln!(text, "\nof which types it is");
    for used in report.kinds.iter().take(ROWS).filter(|used| is_shown(report, used.live.bytes)) {
        let name = format!("{}: {}", Picture::kind_name(used.kind), words::objects(used.live.objects));
        row(text, report, used.live.bytes, &name);
    }
}

/// Is it not nearly nothing?
fn is_shown(report: &Report, bytes: u64) -> bool {
    report.share(bytes) >= 0.001
}

fn row(text: &mut String, report: &Report, size: u64, name: &str) {
    let _ = writeln!(text, "  {:>6}  {:>8}  {name}", percent(report.share(size)), bytes(size));
}
