//! A report in words: the sentences that stand above everything else, and names that all ways of showing it share.

use starlark::Picture;
use starlark::picture::Start;

use crate::stats::bytes;

use super::holders::{Group, Holder, Owner};
use super::report::{LineUse, Report};
use super::watch::Why;

/// Who holds this share of all that is alive has a sentence, in percent.
const HOLDS_MUCH: f64 = 10.0;
/// How many such sentences there are.
const HOLDERS_MAX: usize = 3;
/// A line grows if what it made takes so many times what it took when half as much had been allocated.
const GROWS: f64 = 1.4;

/// The most important in sentences, what a reader should see first.
pub fn headlines(report: &Report) -> Vec<String> {
    let much = |bytes: u64| report.share(bytes) * 100.0 >= HOLDS_MUCH;
    let mut told: Vec<String> = Vec::new();
    let holders = report.holders.iter().filter(|holder| much(holder.group.retained.bytes));
    for holder in holders.take(HOLDERS_MAX) {
        told.push(holds(report, holder));
    }
    if told.is_empty() {
        told.push("No variable keeps much alive by itself.".to_owned());
    }
    let growing: Vec<&LineUse> = report
        .line_uses
        .iter()
        .filter(|used| much(used.live.bytes) && grows(used))
        .take(HOLDERS_MAX)
        .collect();
    if !growing.is_empty() {
        told.push(format!(
            "It keeps growing: of what {} made, {} were alive when {} had been allocated, and {} when {} had.",
            line_names(report, &growing),
            bytes(growing.iter().map(|used| used.half).sum()),
            bytes(report.allocated / 2),
            bytes(growing.iter().map(|used| used.live.bytes).sum()),
            bytes(report.allocated),
        ));
    }
    let (used, live) = (report.used_bytes(), report.live.bytes + report.dead.bytes);
    if used > (4 << 20) && live < used / 2 {
        told.push(format!(
            "Only {} of the {} in blocks are taken by objects: much has died in between what is still alive.",
            percent(live as f64 / used as f64),
            bytes(used)
        ));
    }
    told
}

/// Does a line make more and more? Of what had not begun when half was allocated, nobody knows.
pub fn grows(used: &LineUse) -> bool {
    used.half > 0 && used.live.bytes as f64 >= used.half as f64 * GROWS
}

fn holds(report: &Report, holder: &Holder) -> String {
    let group = &holder.group;
    let share = percent(report.share(group.retained.bytes));
    let size = bytes(group.retained.bytes);
    let mut told = match &holder.owner {
        Owner::Named(..) => {
            let name = name(report, holder);
            format!("{share} of the live heap ({size}) hangs on {name}, {}", with_article(&holder.what))
        }
        Owner::Several(_) => format!(
            "{share} of the live heap ({size}) is {} that {}, made {}",
            holder.what,
            held_by(report, holder),
            made_where(report, group.line)
        ),
    };
    if let Some(line) = holder.filled {
        told += &format!(", filled at {}", with_text(report, line));
    }
    // What is cut off ends in dots already.
    told += if told.ends_with("...") { "" } else { "." };
    if let Some(part) = group.parts.first().filter(|part| part.retained.bytes * 2 > group.retained.bytes) {
        let where_made = match holder.filled {
            Some(line) if line == part.line => "there".to_owned(),
            _ => made_where(report, part.line),
        };
        told += &format!(" Most of it: {}, made {where_made} ({}).", count(part), bytes(part.retained.bytes));
    }
    told
}

/// `3 x tuple`
pub fn count(group: &Group) -> String {
    format!("{} x {}", group.own.objects, Picture::kind_name(group.kind))
}

/// Who a holder is: ``the global `cache` ``. The program's own file goes without saying.
pub fn name(report: &Report, holder: &Holder) -> String {
    match &holder.owner {
        Owner::Several(_) => "several together".to_owned(),
        Owner::Named(name, start) => variable(report, name, start),
    }
}

/// Of what has several holders: who those are.
pub fn held_by(report: &Report, holder: &Holder) -> String {
    match &holder.owner {
        Owner::Several(by) if by.len() > 1 => {
            let names: Vec<String> = by.iter().map(|(name, start)| variable(report, name, start)).collect();
            format!("{} keep alive together", and(names))
        }
        _ => "several things keep alive together".to_owned(),
    }
}

fn variable(report: &Report, name: &str, start: &Start) -> String {
    match start {
        Start::Globals(file) if name.starts_with('(') => format!("the constants of {file}"),
        Start::Globals(file) => format!("the global `{name}`{}", of(report, file)),
        Start::Local { function, file, line, .. } => {
            format!("the local `{name}` of {} at line {line}{}", function_name(function), of(report, file))
        }
        start => place(report, start),
    }
}

/// Which file, if it is not the program's own.
fn of(report: &Report, file: &str) -> String {
    if file == report.file { String::new() } else { format!(" of {file}") }
}

fn and(mut names: Vec<String>) -> String {
    match names.pop() {
        Some(last) if !names.is_empty() => format!("{} and {last}", names.join(", ")),
        last => last.unwrap_or_default(),
    }
}

/// Where a path begins.
fn place(report: &Report, start: &Start) -> String {
    match start {
        Start::Globals(file) => format!("globals of {file}"),
        Start::Local { name, function, file, line } => {
            format!("local {name} of {} at line {line}{}", function_name(function), of(report, file))
        }
        Start::Temporary { function, file, line } => {
            format!("a value that {} works with at line {line}{}", function_name(function), of(report, file))
        }
        Start::Interpreter(what) => (*what).to_owned(),
    }
}

/// A way as a person would write it down.
pub fn way(report: &Report, way: &(Start, String)) -> String {
    match &way.0 {
        Start::Globals(_) => way.1.clone(),
        Start::Local { name, .. } => format!("{name}{}", way.1),
        start => format!("({}){}", place(report, start), way.1),
    }
}

fn function_name(function: &str) -> &str {
    if function == "<toplevel>" { "the top level" } else { function }
}

/// `line 3, line 5 and line 8`
fn line_names(report: &Report, uses: &[&LineUse]) -> String {
    and(uses.iter().map(|used| line_name(report, used.line)).collect())
}

/// `line 3`, or `line 3 of lib.star` if that is not the program's own file.
pub fn line_name(report: &Report, line: usize) -> String {
    let line = &report.lines[line];
    if line.file.is_empty() {
        line.text.clone()
    } else if line.file == report.file {
        format!("line {}", line.number)
    } else {
        format!("line {} of {}", line.number, line.file)
    }
}

/// `at line 3`, with what stands there.
fn made_where(report: &Report, line: usize) -> String {
    let by_line = !report.lines[line].file.is_empty();
    format!("{} {}", if by_line { "at" } else { "by" }, with_text(report, line))
}

/// `1 object`, `2 objects`
pub fn objects(count: u64) -> String {
    format!("{count} object{}", if count == 1 { "" } else { "s" })
}

/// `a list of 3`, `an int`
pub fn with_article(what: &str) -> String {
    format!("{} {what}", if what.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" })
}

/// The same with what stands there.
fn with_text(report: &Report, line: usize) -> String {
    let name = line_name(report, line);
    if report.lines[line].file.is_empty() {
        name
    } else {
        format!("{name}: `{}`", report.lines[line].text.replace('`', "'"))
    }
}

/// When the picture was taken.
pub fn moment(report: &Report) -> String {
    let when = match report.why {
        Why::Peak => "when most was alive",
        Why::Allocated => "at the moment that was asked for",
        Why::End => "when the program was over",
        Why::Failed => "when the program had failed",
        Why::Exhausted => "when memory ran out",
    };
    format!("{when}, after {} had been allocated", bytes(report.allocated))
}

/// A share.
pub fn percent(share: f64) -> String {
    match share * 100.0 {
        percent if percent >= 9.95 => format!("{percent:.0} %"),
        percent => format!("{percent:.1} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_one_and_an_int_has_its_article() {
        assert_eq!((objects(1).as_str(), objects(2).as_str()), ("1 object", "2 objects"));
        assert_eq!(
            (with_article("int").as_str(), with_article("list of 3").as_str()),
            ("an int", "a list of 3")
        );
    }
}
