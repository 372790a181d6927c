//! A report as one HTML file: it stands alone, loads nothing, follows the reader's light or dark setting, and prints.
//!
//! Text gets into a page through [`text`] and attributes through [`element`], and both escape, so a page cannot be
//! broken by what a program or a file is called. Colours are names ([`Colour`]): a drawing is made with the light
//! ones, and the style sheet gives each its dark counterpart, in drawings of a plotting library too.

use std::fmt::{Display, Write};

/// A piece of HTML, complete in itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Html(String);

/// Text, as a reader sees it.
pub fn text(text: impl Display) -> Html {
    Html(escaped(&text.to_string()))
}

/// An element with `attributes` around `content`.
pub fn element(name: &str, attributes: &[(&str, &dyn Display)], content: Html) -> Html {
    let mut html = Html::default();
    html.open(name, attributes);
    // These have no end, and nothing can be in them.
    if !matches!(name, "br" | "hr" | "col" | "meta") {
        let _ = write!(html.0, "{}</{name}>", content.0);
    }
    html
}

/// An element without attributes that holds text.
pub fn tag(name: &str, content: impl Display) -> Html {
    element(name, &[], text(content))
}

impl Html {
    /// Adds `more` at the end.
    pub fn push(&mut self, more: Html) {
        self.0 += &more.0;
    }

    /// A drawing by a plotting library: the text of an `<svg>` element, which is trusted.
    ///
    /// What names an address (the SVG name space, which HTML knows without being told) is left out.
    pub fn drawing(svg: &str) -> Html {
        Html(svg.trim().replacen(" xmlns=\"http://www.w3.org/2000/svg\"", "", 1))
    }

    fn open(&mut self, name: &str, attributes: &[(&str, &dyn Display)]) {
        let _ = write!(self.0, "<{name}");
        for (attribute, value) in attributes {
            let _ = write!(self.0, " {attribute}=\"{}\"", escaped(&value.to_string()));
        }
        self.0.push('>');
    }
}

impl FromIterator<Html> for Html {
    fn from_iter<I: IntoIterator<Item = Html>>(pieces: I) -> Html {
        Html(pieces.into_iter().map(|piece| piece.0).collect())
    }
}

/// Text in which nothing can be taken for markup, as content or as a quoted attribute.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// What a colour is for. In a style: `var(--name)`; in a drawing by a library: [`Colour::light`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// Behind everything.
    Paper,
    /// Behind a card or a table's head.
    Panel,
    /// Text and axes.
    Ink,
    /// Text of less weight.
    Faint,
    /// Thin lines.
    Rule,
    /// What the reader should look at.
    Accent,
    /// Something good; a second series.
    Good,
    /// Something bad; a third series.
    Bad,
    /// A fourth series.
    Violet,
    /// A fifth series.
    Ochre,
}

impl Colour {
    /// Every colour: its name in styles, and how it looks in light and in dark.
    const ALL: [(Colour, &str, [u8; 3], [u8; 3]); 10] = [
        (Colour::Paper, "paper", [0xfd, 0xfd, 0xfb], [0x15, 0x18, 0x1c]),
        (Colour::Panel, "panel", [0xf1, 0xf3, 0xf1], [0x1f, 0x24, 0x2a]),
        (Colour::Ink, "ink", [0x1c, 0x22, 0x28], [0xe4, 0xe7, 0xe9]),
        (Colour::Faint, "faint", [0x5d, 0x68, 0x72], [0x9a, 0xa5, 0xae]),
        (Colour::Rule, "rule", [0xd5, 0xda, 0xdc], [0x39, 0x41, 0x49]),
        (Colour::Accent, "accent", [0x0b, 0x6b, 0x9e], [0x5c, 0xb8, 0xe6]),
        (Colour::Good, "good", [0x2c, 0x7d, 0x4b], [0x69, 0xc3, 0x88]),
        (Colour::Bad, "bad", [0xb8, 0x3a, 0x2b], [0xf0, 0x84, 0x74]),
        (Colour::Violet, "violet", [0x7a, 0x4f, 0xa3], [0xba, 0x9a, 0xe0]),
        (Colour::Ochre, "ochre", [0xa8, 0x6f, 0x0c], [0xdf, 0xb0, 0x55]),
    ];

    /// What a style calls it, in light and in dark.
    pub fn variable(self) -> String {
        let found = Colour::ALL.iter().find(|entry| entry.0 == self);
        format!("var(--{})", found.map_or("ink", |entry| entry.1))
    }

    /// Its red, green and blue in light.
    pub fn light(self) -> (u8, u8, u8) {
        let found = Colour::ALL.iter().find(|entry| entry.0 == self);
        let [red, green, blue] = found.map_or([0; 3], |entry| entry.2);
        (red, green, blue)
    }
}

/// The palette as custom properties, and the rules that recolour drawings made with the light one.
fn palette() -> String {
    let hex = |[red, green, blue]: [u8; 3]| format!("#{red:02X}{green:02X}{blue:02X}");
    let (mut light, mut dark, mut drawn) = (String::new(), String::new(), String::new());
    for (_, name, by_day, by_night) in Colour::ALL {
        let _ = write!(light, "--{name}:{};", hex(by_day));
        let _ = write!(dark, "--{name}:{};", hex(by_night));
        for property in ["fill", "stroke"] {
            let _ = writeln!(drawn, "svg [{property}=\"{}\"]{{{property}:var(--{name})}}", hex(by_day));
        }
    }
    format!(
        ":root{{color-scheme:light dark;{light}}}\n\
         @media (prefers-color-scheme:dark){{:root{{{dark}}}}}\n\
         @media print{{:root{{color-scheme:light;{light}}}}}\n{drawn}"
    )
}

/// Everything but the colours.
const STYLE: &str = "\
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,'Segoe UI',sans-serif}
main,header,footer{max-width:72rem;margin:0 auto;padding:0 1.5rem}
header{padding-top:2.5rem}
h1{font-size:1.75rem;line-height:1.25;margin:0;font-weight:650;overflow-wrap:anywhere}
h2{font-size:1.2rem;margin:2.75rem 0 .75rem;padding-bottom:.3rem;border-bottom:1px solid var(--rule);font-weight:650}
h3{font-size:1rem;margin:1.5rem 0 .5rem}
p{margin:.6rem 0;max-width:46rem}
.faint,figcaption,footer{color:var(--faint)}
figcaption{font-size:.9rem;max-width:46rem}
footer{font-size:.85rem;padding-top:2.5rem;padding-bottom:2.5rem}
code,pre,.code{font-family:ui-monospace,'SF Mono',Menlo,Consolas,monospace;font-size:.9em}
pre{background:var(--panel);border-radius:6px;padding:.75rem 1rem;overflow-x:auto;margin:.75rem 0}
.card{background:var(--panel);border-left:4px solid var(--accent);border-radius:0 8px 8px 0;padding:1rem 1.25rem;margin:1.5rem 0}
.card>:first-child{margin-top:0}.card>:last-child{margin-bottom:0}
.card .verdict{font-size:1.15rem;font-weight:600}
.card pre{background:var(--paper)}
.good{color:var(--good)}.bad{color:var(--bad)}.accent{color:var(--accent)}
figure{margin:1.25rem 0}
.side{display:grid;grid-template-columns:repeat(auto-fit,minmax(21rem,1fr));gap:1.5rem}
.side figure{margin:0}
svg{max-width:100%;height:auto;display:block}
svg text{font-family:system-ui,-apple-system,'Segoe UI',sans-serif}
.scroll{overflow-x:auto;margin:.75rem 0}
table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums}
caption{caption-side:bottom;text-align:left;color:var(--faint);padding-top:.5rem}
th,td{padding:.3rem .7rem;text-align:left;vertical-align:baseline;border-bottom:1px solid var(--rule)}
thead th{background:var(--panel);font-weight:600;border-bottom:2px solid var(--rule)}
.number{text-align:right;white-space:nowrap}
tr.mark td,tr.mark th{font-weight:650;color:var(--accent)}
tbody tr:hover{background:var(--panel)}
details{margin:1rem 0}summary{cursor:pointer;color:var(--accent)}
@media print{body{font-size:10.5pt}main,header,footer{max-width:none;padding:0}h2{break-after:avoid}
figure,tr,.card{break-inside:avoid}.scroll{overflow:visible}}
";

/// A report in the making.
#[derive(Debug)]
pub struct Page {
    title: String,
    style: String,
    head: Html,
    body: Html,
}

impl Page {
    /// An empty page called `title`; `about` says in a line what it is about.
    pub fn new(title: &str, about: &str) -> Page {
        let mut head = tag("h1", title);
        head.push(element("p", &[("class", &"faint")], text(about)));
        Page { title: title.to_owned(), style: String::new(), head, body: Html::default() }
    }

    /// Rules for what is special to this report. They are trusted.
    pub fn style(&mut self, rules: &str) {
        self.style += rules;
    }

    /// Adds `content`.
    pub fn push(&mut self, content: Html) {
        self.body.push(content);
    }

    /// A new section begins.
    pub fn section(&mut self, heading: &str) {
        self.push(tag("h2", heading));
    }

    /// A paragraph of text.
    pub fn paragraph(&mut self, content: &str) {
        self.push(tag("p", content));
    }

    /// What the reader should see first.
    pub fn card(&mut self, content: Html) {
        self.push(element("div", &[("class", &"card")], content));
    }

    /// The whole file. It forbids the browser to load anything.
    pub fn finish(self) -> String {
        let policy = "default-src 'none'; style-src 'unsafe-inline'";
        let head: Html = [
            element("meta", &[("charset", &"utf-8")], Html::default()),
            element(
                "meta",
                &[("http-equiv", &"Content-Security-Policy"), ("content", &policy)],
                Html::default(),
            ),
            element(
                "meta",
                &[("name", &"viewport"), ("content", &"width=device-width, initial-scale=1")],
                Html::default(),
            ),
            tag("title", &self.title),
            element("style", &[], Html(palette() + STYLE + &self.style)),
        ]
        .into_iter()
        .collect();
        let body: Html = [
            element("header", &[], self.head),
            element("main", &[], self.body),
            tag("footer", format!("frazil {}", env!("CARGO_PKG_VERSION"))),
        ]
        .into_iter()
        .collect();
        let html: Html = [element("head", &[], head), element("body", &[], body)].into_iter().collect();
        format!("<!DOCTYPE html>\n{}\n", element("html", &[("lang", &"en")], html).0)
    }
}

/// A drawing with what it shows.
pub fn figure(drawing: Html, caption: &str) -> Html {
    let content = [drawing, tag("figcaption", caption)].into_iter().collect();
    element("figure", &[], content)
}

/// Something long that the reader may open.
pub fn details(summary: &str, content: Html) -> Html {
    let content = [tag("summary", summary), content].into_iter().collect();
    element("details", &[], content)
}

/// A table: its columns have headings, and hold text or numbers.
#[derive(Debug, Default)]
pub struct Table {
    columns: Vec<(String, bool)>,
    rows: Html,
}

impl Table {
    /// A table without columns.
    pub fn new() -> Table {
        Table::default()
    }

    /// One more column, of text.
    pub fn words(mut self, heading: &str) -> Table {
        self.columns.push((heading.to_owned(), false));
        self
    }

    /// One more column, of numbers: they stand to the right.
    pub fn numbers(mut self, heading: &str) -> Table {
        self.columns.push((heading.to_owned(), true));
        self
    }

    /// A row; `marked` ones stand out.
    ///
    /// # Panics
    /// It has not as many cells as there are columns.
    pub fn row(&mut self, marked: bool, cells: impl IntoIterator<Item = Html>) {
        let cells: Vec<Html> = cells.into_iter().collect();
        assert_eq!(cells.len(), self.columns.len(), "a cell for each column");
        let cells = cells.into_iter().zip(&self.columns);
        let cells = cells
            .map(|(cell, (_, number))| element("td", class(*number, &"number").as_slice(), cell))
            .collect();
        self.rows.push(element("tr", class(marked, &"mark").as_slice(), cells));
    }

    /// The table, which scrolls by itself if it is wide.
    pub fn finish(self) -> Html {
        let headings = self.columns.iter();
        let headings = headings
            .map(|(heading, number)| element("th", class(*number, &"number").as_slice(), text(heading)));
        let head = element("thead", &[], element("tr", &[], headings.collect()));
        let body = element("tbody", &[], self.rows);
        let table = element("table", &[], [head, body].into_iter().collect());
        element("div", &[("class", &"scroll")], table)
    }
}

/// The attribute `class`, if it applies.
fn class<'a>(applies: bool, name: &'a &'static str) -> Option<(&'static str, &'a dyn Display)> {
    applies.then_some(("class", name as &dyn Display))
}

/// What in a page would make a browser load something, or nothing. Reports test themselves with it.
#[cfg(test)]
pub fn loaded(html: &str) -> Vec<&'static str> {
    let lower = html.to_lowercase();
    let ways = [
        "http:", "https:", "src=", "href=", "srcset", "<link", "<script", "<img", "<iframe", "<object",
        "<embed", "@import", "url(", "//cdn", "xmlns", "<base",
    ];
    ways.into_iter().filter(|way| lower.contains(way)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> Page {
        let mut page = Page::new("a <b> & \"c\"", "what it's about");
        page.section("one");
        page.paragraph("<script>alert(1)</script>");
        page
    }

    #[test]
    fn nothing_that_comes_in_is_taken_for_markup() {
        let html = page().finish();
        assert!(html.contains("<title>a &lt;b&gt; &amp; &quot;c&quot;</title>"), "{html}");
        assert!(html.contains("<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>"), "{html}");
        let name = "x\" onclick=\"y";
        let cell = element("td", &[("title", &name)], text(name));
        assert_eq!(cell.0, "<td title=\"x&quot; onclick=&quot;y\">x&quot; onclick=&quot;y</td>");
    }

    #[test]
    fn a_page_loads_nothing() {
        let mut page = page();
        page.push(figure(
            Html::drawing("<svg width=\"1\" xmlns=\"http://www.w3.org/2000/svg\"><path/></svg>\n"),
            "a drawing",
        ));
        let html = page.finish();
        assert_eq!(loaded(&html), [""; 0]);
        assert!(html.contains("<svg width=\"1\"><path/></svg>"), "{html}");
        assert_eq!(loaded("<IMG SRC='http://x'>"), ["http:", "src=", "<img"]);
    }

    #[test]
    fn a_table_has_a_cell_for_each_column() {
        let mut table = Table::new().words("name").numbers("n");
        table.row(true, [text("a"), text(1)]);
        let html = table.finish().0;
        assert!(html.contains("<th>name</th><th class=\"number\">n</th>"), "{html}");
        assert!(html.contains("<tr class=\"mark\"><td>a</td><td class=\"number\">1</td></tr>"), "{html}");
    }

    #[test]
    fn every_colour_has_a_dark_counterpart() {
        let style = palette();
        for (colour, name, by_day, by_night) in Colour::ALL {
            assert_ne!(by_day, by_night);
            assert_eq!(colour.light(), (by_day[0], by_day[1], by_day[2]));
            assert_eq!(style.matches(&format!("--{name}:#")).count(), 3, "{style}");
        }
        assert!(style.contains("svg [fill=\"#1C2228\"]{fill:var(--ink)}"), "{style}");
    }
}
