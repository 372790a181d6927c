//! A report as a page.

use starlark::Picture;

use crate::page::{Colour, Html, Page, Table, details, element, figure, tag, text};
use crate::stats::bytes;

use super::holders::{Group, Holder, Owner};
use super::report::{ClassUse, Report};
use super::words::{self, count, headlines, percent};
use super::{blocks, curve};

/// Rows of a table; the rest is behind a click, up to a bound.
const ROWS: usize = 12;
const ROWS_MAX: usize = 200;
/// So is what has a smaller share.
const SHOWN: f64 = 0.001;
/// Holders that are taken apart without a click.
const OPEN: usize = 1;

/// What is special to this page.
const STYLE: &str = "\
.bar{display:inline-block;height:.7em;min-width:1px;background:var(--accent);border-radius:2px;vertical-align:baseline}
.track{display:inline-block;width:7rem;background:var(--rule);border-radius:2px;line-height:0}
ul.parts{list-style:none;margin:.2rem 0;padding-left:1.1rem;border-left:2px solid var(--rule)}
ul.parts>li{padding:.15rem 0;font-size:.92rem}
.holder{margin:1.1rem 0}.holder>p{margin:.2rem 0;max-width:none}
.key{display:inline-block;width:.8em;height:.8em;border-radius:2px;margin:0 .35em 0 0;vertical-align:baseline}
.swatches{font-size:.9rem}
.card p{max-width:none}.share{white-space:nowrap}.swatches{max-width:none}.swatches>span{display:inline-block;margin-right:1em}
.code{overflow-wrap:anywhere}td .code{white-space:pre-wrap}
";

/// The page.
pub fn page(report: &Report) -> String {
    let about = format!(
        "The heap {}: {} alive in {}, {} in blocks.",
        words::moment(report),
        bytes(report.live.bytes),
        words::objects(report.live.objects),
        bytes(report.used_bytes())
    );
    let mut page = Page::new(&format!("The heap of {}", report.file), &about);
    page.style(STYLE);
    let mut said = headlines(report).into_iter();
    let first = said.next().unwrap_or_default();
    let verdict = element("p", &[("class", &"verdict")], with_code(&first));
    page.card([verdict].into_iter().chain(said.map(|line| element("p", &[], with_code(&line)))).collect());
    growth(report, &mut page);
    holders(report, &mut page);
    lines(report, &mut page);
    kinds(report, &mut page);
    map(report, &mut page);
    classes(report, &mut page);
    page.finish()
}

/// Text in which what stands between backticks is code.
fn with_code(line: &str) -> Html {
    let piece = |(at, piece)| if at % 2 == 1 { tag("code", piece) } else { text(piece) };
    line.split('`').enumerate().map(piece).collect()
}

fn growth(report: &Report, page: &mut Page) {
    if report.growth.samples.len() < 3 {
        return;
    }
    page.section("What was alive, while the program ran");
    page.push(figure(
        curve::curve(report),
        "To the right, how much has been allocated; upwards, how much of it is alive, by the line that made it. What \
         only rises is never let go. A line that is flat holds what the program needs, and teeth come and go.",
    ));
    let names = report.growth.lines.iter().map(|&line| words::line_name(report, line));
    let colours = curve::colours(report.growth.lines.len()).map(Colour::variable);
    page.push(swatches(names.chain(["all other lines".to_owned()]).zip(colours)));
}

/// What colours mean.
fn swatches(entries: impl Iterator<Item = (String, String)>) -> Html {
    let entry = |(name, colour): (String, String)| -> Html {
        let style = format!("background:{colour}");
        let key = element("span", &[("class", &"key"), ("style", &style)], Html::default());
        element("span", &[], [key, text(name)].into_iter().collect())
    };
    element("p", &[("class", &"swatches")], entries.map(entry).collect())
}

fn holders(report: &Report, page: &mut Page) {
    page.section("Who keeps how much alive");
    page.paragraph(
        "What would be free if only this variable let go of it. What hangs on a variable is summed up by type and by \
         the line that made it; what several variables share is in none of them.",
    );
    for (at, holder) in report.holders.iter().enumerate() {
        page.push(one_holder(report, holder, at < OPEN));
    }
    if report.holders.is_empty() {
        page.paragraph("Nothing keeps much alive.");
    }
}

fn one_holder(report: &Report, holder: &Holder, open: bool) -> Html {
    let group = &holder.group;
    let mut head = vec![bar(report.share(group.retained.bytes)), text(" ")];
    head.push(tag("strong", percent(report.share(group.retained.bytes))));
    head.push(text(format!(", {}: ", bytes(group.retained.bytes))));
    match &holder.owner {
        Owner::Named(..) => {
            head.push(with_code(&words::name(report, holder)));
            head.push(text(format!(", {}", words::with_article(&holder.what))));
        }
        Owner::Several(_) => {
            head.push(with_code(&format!("{} that {}", holder.what, words::held_by(report, holder))))
        }
    }
    let mut about = vec![text("made at "), place(report, group.line)];
    if let Some(line) = holder.filled {
        about.push(text(", filled at "));
        about.push(place(report, line));
    }
    let mut content: Html = [
        element("p", &[], head.into_iter().collect()),
        element("p", &[("class", &"faint")], about.into_iter().collect()),
    ]
    .into_iter()
    .collect();
    if !group.parts.is_empty() {
        let inside = parts(report, group);
        content.push(if open { inside } else { details("what hangs on it", inside) });
    }
    element("div", &[("class", &"holder")], content)
}

fn parts(report: &Report, group: &Group) -> Html {
    let part = |part: &Group| {
        let mut line: Html = [
            tag("strong", percent(report.share(part.retained.bytes))),
            text(format!(", {}: {}, such as ", bytes(part.retained.bytes), count(part))),
            tag("code", words::way(report, &part.way)),
            text(", made at "),
            place(report, part.line),
        ]
        .into_iter()
        .collect();
        if !part.parts.is_empty() {
            line.push(parts(report, part));
        }
        element("li", &[], line)
    };
    element("ul", &[("class", &"parts")], group.parts.iter().map(part).collect())
}

/// The line, and what stands there.
fn place(report: &Report, line: usize) -> Html {
    let code = if line == 0 { "" } else { &report.lines[line].text };
    let code = element("span", &[("class", &"code faint")], text(code));
    [text(words::line_name(report, line)), text(" "), code].into_iter().collect()
}

/// A bar with its figure.
fn share_of(share: f64) -> Html {
    element(
        "span",
        &[("class", &"share")],
        [bar(share), text(format!(" {}", percent(share)))].into_iter().collect(),
    )
}

fn bar(share: f64) -> Html {
    let style = format!("width:{:.1}%", share * 100.0);
    let bar = element("span", &[("class", &"bar"), ("style", &style)], Html::default());
    element("span", &[("class", &"track")], bar)
}

fn lines(report: &Report, page: &mut Page) {
    page.section("Which lines made what is alive");
    page.paragraph(
        "All objects that are alive, by the line whose execution made them. What a built-in function makes counts for \
         the line that called it. Growth compares with the moment when half as much had been allocated.",
    );
    let rows = |from: usize, to: usize| {
        let mut table = Table::new().words("share").numbers("alive").numbers("objects").numbers("growth");
        table = table.words("mostly").words("line").words("what stands there");
        for used in report.line_uses.iter().take(to).skip(from) {
            let line = &report.lines[used.line];
            let growth = match used.half {
                0 => "new".to_owned(),
                half => format!("x {:.1}", used.live.bytes as f64 / half as f64),
            };
            let share = report.share(used.live.bytes);
            let code = if line.file.is_empty() { Html::default() } else { text(&line.text) };
            table.row(
                share >= 0.1 && words::grows(used),
                [
                    share_of(share),
                    text(bytes(used.live.bytes)),
                    text(used.live.objects),
                    text(growth),
                    text(Picture::kind_name(used.kind)),
                    element("span", &[("class", &"share")], text(words::line_name(report, used.line))),
                    element("span", &[("class", &"code")], code),
                ],
            );
        }
        table.finish()
    };
    let uses = &report.line_uses;
    let first = uses.iter().take(ROWS).filter(|used| report.share(used.live.bytes) >= SHOWN).count();
    page.push(rows(0, first));
    if uses.len() > first {
        page.push(details("more lines", rows(first, uses.len().min(ROWS_MAX))));
    }
}

fn kinds(report: &Report, page: &mut Page) {
    page.section("Of which types it is");
    page.paragraph(
        "What is in a list, dict or set lies in slots of its own. Mutable objects are looked at by the collector again \
         and again (they are traced). Frozen and immutable ones that refer to nothing mutable are counted: no \
         collection looks at them until something lets go of them.",
    );
    let mut table = Table::new().words("share").numbers("alive").words("type").numbers("objects");
    table = table.numbers("mutable").numbers("frozen").numbers("traced");
    for used in &report.kinds {
        let share = report.share(used.live.bytes);
        table.row(
            false,
            [
                share_of(share),
                text(bytes(used.live.bytes)),
                text(Picture::kind_name(used.kind)),
                text(used.live.objects),
                text(used.mutable),
                text(used.frozen),
                text(used.traced),
            ],
        );
    }
    page.push(table.finish());
}

fn map(report: &Report, page: &mut Page) {
    page.section("How it lies in memory");
    let (drawing, each) = blocks::map(&report.picture.snapshot);
    let each = match each {
        1 => format!("one block of {} KiB", report.block_bytes >> 10),
        blocks => format!("{blocks} blocks of {} KiB side by side", report.block_bytes >> 10),
    };
    page.push(figure(
        drawing,
        &format!(
            "The old generation in the order of its addresses. A tile is {each}, filled as far as objects fill it; \
             what is empty can only be used by objects of the same size, unless the whole block is. The stripe at a \
             tile's right side says which part of its objects the last collection reached from a variable or from \
             something mutable (retain bits); the others live by the counts of immutable objects."
        ),
    ));
    page.push(swatches(blocks::KEY.iter().map(|(name, colour)| ((*name).to_owned(), colour.variable()))));
}

fn classes(report: &Report, page: &mut Page) {
    page.push(tag("h3", "Blocks by the size of their cells"));
    let mut table = Table::new().words("how full").words("cells of").numbers("blocks").numbers("in blocks");
    table = table.numbers("objects").numbers("their bytes").numbers("cells free");
    for class in &report.classes {
        let full = class.taken.bytes as f64 / class.bytes.max(1) as f64;
        table.row(
            false,
            [
                share_of(full),
                text(cells(class)),
                text(class.blocks),
                text(bytes(class.bytes)),
                text(class.taken.objects),
                text(bytes(class.taken.bytes)),
                text(class.cells - class.taken.objects as usize),
            ],
        );
    }
    page.push(table.finish());
    page.paragraph(&format!(
        "Besides, {} of blocks are free for anything. Objects larger than half a block have blocks of their own.",
        bytes(report.free_bytes)
    ));
}

fn cells(class: &ClassUse) -> String {
    match class.cell_bytes {
        0 => "large objects".to_owned(),
        bytes => format!("{bytes} bytes"),
    }
}
