//! The report as a page.

use super::Outcome;
use super::choice::{Choice, size};
use super::judge::Comparison;
use super::plot::{self, Pauses, Point};
use super::sample::Measure;
use super::search::{Finding, Verdict};
use super::tell::{COLUMNS, Row, cells, rows, seconds};
use super::words::{Words, ratio};
use crate::page::{Colour, Html, Page, Table, details, element, figure, tag, text};
use crate::stats;

/// The whole report.
pub fn html(outcome: &Outcome) -> String {
    let rows = rows(outcome);
    let name = outcome.file.rsplit('/').next().unwrap_or(&outcome.file);
    let about = format!(
        "Settings of the heap for the {} {}: {} choices in {} runs, {}; goal: {}.",
        outcome.what,
        outcome.file,
        rows.len(),
        outcome.processes,
        seconds(outcome.elapsed.as_secs_f64()),
        outcome.goal.name()
    );
    let mut page = Page::new(&format!("Tuning {name}"), &about);
    page.style(STYLE);
    page.card(card(outcome));
    if let Verdict::Confirmed(finding) | Verdict::Withdrawn(finding) = &outcome.verdict {
        page.section("Measured anew");
        page.paragraph(
            "The best choice and the default in turns, from scratch. Ratios to the default; in brackets, where the \
             ratio lies with 95% confidence (bootstrap over the runs).",
        );
        page.push(comparison(finding));
    }
    page.section("At a glance");
    page.push(element("div", &[("class", &"side")], figures(outcome, &rows)));
    page.section("By nursery and block");
    page.paragraph(
        "The darker, the worse. Most choices were run once or twice only, to see whether they are worth more. A dash \
         was not run.",
    );
    page.push(element("div", &[("class", &"side")], heat(outcome, &rows)));
    page.section("All choices");
    page.push(table(outcome, &rows));
    failures(&mut page, outcome);
    page.section("How it was measured");
    for paragraph in method(outcome) {
        page.paragraph(&paragraph);
    }
    page.finish()
}

/// What only this report has.
const STYLE: &str = "\
.heat{font-size:.82rem}
.heat td{text-align:right;white-space:nowrap;border:2px solid var(--paper);padding:.3rem .4rem}
.heat .default{outline:2px solid var(--ink);outline-offset:-3px}
.heat .chosen{outline:3px solid var(--accent);outline-offset:-3px;font-weight:650}
.heat th{background:none}
";

fn card(outcome: &Outcome) -> Html {
    let words = Words::new(outcome);
    let mut headline = words.headline.clone();
    if let Some(first) = headline.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    let mut card = element("p", &[("class", &"verdict")], text(headline + "."));
    let reasons = words.reasons.iter().map(|reason| tag("li", reason)).collect();
    card.push(element("ul", &[], reasons));
    if let Some([command, source]) = words.apply {
        card.push(tag("pre", command));
        card.push(tag("pre", format!("Config {{ {source}, .. }}")));
    }
    card
}

fn comparison(finding: &Finding) -> Html {
    let mut table = Table::new()
        .words("")
        .numbers("default")
        .numbers("the choice")
        .numbers("ratio")
        .numbers("among all others")
        .words("");
    for measure in Measure::ALL {
        let value = |at: usize| text(shown(measure, finding.again[at].value(measure)));
        table.row(
            false,
            [
                text(measure.name()),
                value(1),
                value(0),
                text(ratio(finding.second.ratio(measure))),
                text(ratio(finding.first.ratio(measure))),
                verdict(&finding.second, measure),
            ],
        );
    }
    table.finish()
}

fn verdict(comparison: &Comparison, measure: Measure) -> Html {
    let ratio = comparison.ratio(measure);
    let (class, word) = match () {
        () if ratio.is_better(measure) => ("good", "better"),
        () if ratio.is_no_worse(measure) => ("faint", "no worse"),
        () => ("bad", "may be worse"),
    };
    element("span", &[("class", &class)], text(word))
}

fn shown(measure: Measure, figure: f64) -> String {
    match measure {
        Measure::Time | Measure::Pause => seconds(figure),
        Measure::Memory => stats::bytes(figure as u64),
    }
}

/// A choice that has a name of its own.
fn named(outcome: &Outcome, choice: Choice) -> Option<(&'static str, Colour)> {
    match () {
        () if Some(choice) == outcome.recommended() => Some(("recommended", Colour::Accent)),
        () if choice == outcome.default => Some(("default", Colour::Ochre)),
        () => None,
    }
}

fn figures(outcome: &Outcome, rows: &[Row]) -> Html {
    let points = rows.iter().map(|row| Point { row, name: named(outcome, row.choice) });
    let scatter = plot::scatter(&points.collect::<Vec<_>>());
    let series = rows.iter().filter_map(|row| {
        let (name, colour) = named(outcome, row.choice)?;
        Some(Pauses { name, colour, sorted: outcome.field.samples[&row.choice].pauses() })
    });
    let pauses = plot::pauses(&series.collect::<Vec<_>>());
    [
        figure(
            scatter,
            "Time and peak memory of every choice. Nothing beats what is on the green line in both; green dots off it \
             have shorter pauses to show.",
        ),
        figure(
            pauses,
            "How many pauses were at least so long: the longest at the lower right. Each collection counts with the \
             lower quartile of its repetitions.",
        ),
    ]
    .into_iter()
    .collect()
}

/// A small table for each measure, with the nurseries downwards and the blocks across. Of the two ways to release the
/// dead, the default's.
fn heat(outcome: &Outcome, rows: &[Row]) -> Html {
    let same: Vec<&Row> =
        rows.iter().filter(|row| row.choice.instalments == outcome.default.instalments).collect();
    Measure::ALL.into_iter().map(|measure| heat_of(outcome, &same, measure)).collect()
}

fn heat_of(outcome: &Outcome, rows: &[&Row], measure: Measure) -> Html {
    let mut nurseries: Vec<usize> = rows.iter().map(|row| row.choice.nursery).collect();
    nurseries.dedup();
    let figures = || rows.iter().map(|row| row.figure(measure));
    let (low, high) = (figures().fold(f64::MAX, f64::min), figures().fold(0.0, f64::max));
    let cell = |nursery: usize, block: frazil::BlockBytes| {
        let found = rows.iter().find(|row| (row.choice.nursery, row.choice.block) == (nursery, block));
        let Some(row) = found else { return element("td", &[("class", &"faint")], text("\u{2013}")) };
        let figure = row.figure(measure);
        // By ratio, so that what is twice as much looks the same everywhere.
        let heat = if high > low { (figure / low).ln() / (high / low).ln() } else { 0.0 };
        let style = format!("background:color-mix(in srgb,var(--bad) {:.0}%,transparent)", heat * 62.0);
        let class = match named(outcome, row.choice) {
            Some(("recommended", _)) => "chosen",
            Some(_) => "default",
            None => "",
        };
        element("td", &[("class", &class), ("style", &style)], text(shown(measure, figure)))
    };
    let blocks = frazil::BlockBytes::ALL;
    let heads = blocks.map(|block| tag("th", size(block.get())));
    let head = element("tr", &[], std::iter::once(tag("th", measure.name())).chain(heads).collect());
    let lines = nurseries.into_iter().map(|nursery| {
        let cells = blocks.map(|block| cell(nursery, block));
        element("tr", &[], std::iter::once(tag("th", size(nursery))).chain(cells).collect())
    });
    let table = element("table", &[("class", &"heat")], std::iter::once(head).chain(lines).collect());
    element("div", &[("class", &"scroll")], table)
}

fn table(outcome: &Outcome, rows: &[Row]) -> Html {
    let mut table = Table::new();
    for heading in COLUMNS {
        table = if heading == "drain" { table.words(heading) } else { table.numbers(heading) };
    }
    let mut table = table.numbers("blocks diffed").numbers("bits diffed").words("");
    for row in rows {
        let name = named(outcome, row.choice);
        let remark = name.map_or(if row.front { "front" } else { "" }, |(name, _)| name);
        let more = [row.blocks_diffed.to_string(), row.bits_diffed().to_string(), remark.to_owned()];
        table.row(name.is_some(), cells(row).into_iter().chain(more).map(text));
    }
    table.finish()
}

fn failures(page: &mut Page, outcome: &Outcome) {
    if outcome.field.failures.is_empty() {
        return;
    }
    let failures = outcome.field.failures.iter();
    let failures =
        failures.map(|(choice, why)| [tag("h3", choice), tag("pre", why)].into_iter().collect::<Html>());
    page.push(details("Choices that failed", failures.collect()));
}

fn method(outcome: &Outcome) -> Vec<String> {
    let mut method = vec![
        "Every run is a process of its own, one at a time, in an order drawn anew for every round; the default runs in \
         all of them. Every choice of a grid is run once, then those that may still serve the goal, again and again, \
         fewer in each round."
            .to_owned(),
        "Time is processor time of the run, start of the process apart, and the median of the runs; the spread is half \
         of what the middle half of the runs covers. Peak memory is the largest resident set of the process. The \
         longest pause is that of the longest collection, each collection counted with the lower quartile of its repetitions. \
         Fragmentation is the share of old blocks that no object took, over all collections."
            .to_owned(),
        "A choice is recommended only if it is better than the default beyond the noise (bootstrap over the runs, 95%) \
         by at least 1.5% in time, 2% in memory or 10% in the longest pause, and, for the balanced goal, worse in none \
         of them by 3%, 5% and 25%; and if that holds once more when both are measured anew."
            .to_owned(),
    ];
    if outcome.what == "trace" {
        method.push(super::TRACE_TELLS.to_owned());
    }
    method
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::tune::Goal;
    use crate::tune::sample::Sample;
    use crate::tune::search::Field;
    use crate::tune::trial::Run;
    use crate::tune::{TRACE_TELLS, tell};

    fn outcome() -> Outcome {
        let default = Choice::of(&starlark::CONFIG);
        let better = Choice { nursery: 64 << 10, ..default };
        let run = |figure: f64| Run {
            seconds: figure,
            peak_bytes: figure * 1e7,
            pauses: vec![figure * 1e-4; 10],
            ..Run::default()
        };
        let sample =
            |figure: f64| Sample { runs: (0..5).map(|at| run(figure + f64::from(at) * 1e-3)).collect() };
        let mut field = Field::default();
        field.samples.insert(default, sample(1.0));
        field.samples.insert(better, sample(0.8));
        field.failures.insert(default.other_drain(), "a <crash>".to_owned());
        let comparison = Comparison::new(&sample(0.8), &sample(1.0));
        let again = [sample(0.8), sample(1.0)];
        let finding = Finding { choice: better, first: comparison, second: comparison, again };
        Outcome {
            file: "a/<program>.star".to_owned(),
            what: "trace",
            goal: Goal::Balanced,
            default,
            field,
            verdict: Verdict::Confirmed(finding),
            elapsed: std::time::Duration::from_secs(3),
            processes: 20,
        }
    }

    #[test]
    fn the_page_loads_nothing_and_says_it_all() {
        let page = html(&outcome());
        assert_eq!(crate::page::loaded(&page), [""; 0]);
        for part in [
            "Tuning &lt;program&gt;.star",
            "Use nursery 64k, block 32k: 20% less time, 20% less memory, 20% shorter longest pauses than the default",
            "frazil run --nursery=64k --block=32k --drain=all",
            "a &lt;crash&gt;",
            TRACE_TELLS,
        ] {
            assert!(page.contains(part), "{part}");
        }
        assert_eq!(page.matches("<svg").count(), 2);
    }

    #[test]
    fn table_csv_and_json_agree() {
        let outcome = outcome();
        let csv = tell::csv(&outcome);
        let widths: Vec<usize> = csv.lines().map(|line| line.split(',').count()).collect();
        assert_eq!(widths, [16, 16, 16]);
        assert!(csv.contains("65536,32768,all,5,0.802000,"), "{csv}");
        let json: serde_json::Value = serde_json::from_str(&tell::json(&outcome)).expect("JSON");
        assert_eq!(json["recommended"]["nursery_bytes"], 65536);
        assert_eq!(json["choices"].as_array().map(Vec::len), Some(2));
        assert_eq!(json["verdict"]["is"], "confirmed");
        let table = tell::table(&outcome);
        assert!(table.lines().any(|line| line.starts_with("> ") && line.contains("802 ms")), "{table}");
        assert!(table.lines().any(|line| line.starts_with("d ")), "{table}");
    }
}
