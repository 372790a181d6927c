//! What a picture of the heap comes to, as plain figures: what holds what alive, which lines made it, what grows. The
//! summary, the page and the JSON all show this.

use std::collections::HashMap;

use frazil::{BlockUse, ObjectKind};
use starlark::Picture;
use starlark::picture::Origin;
use starlark::value::{KINDS, Kind};

use super::holders::{self, Holder};
use super::watch::{Sample, Seen, Why};

/// Lines that the curve tells apart.
const CURVES: usize = 6;
/// A line with a smaller part of all than one in so many has no curve of its own.
const CURVE_PER: u64 = 100;

/// Some objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// How many.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Amount {
    /// One object more.
    pub fn add(&mut self, bytes: u64) {
        self.objects += 1;
        self.bytes += bytes;
    }
}

/// A line of the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The file; empty for the interpreter itself.
    pub file: String,
    /// The line's number.
    pub number: u32,
    /// The function it belongs to.
    pub function: String,
    /// Its text.
    pub text: String,
}

/// The lines of the program, and which one each site is part of.
pub struct Lines {
    /// All that made something; the first one stands for what the interpreter made by itself.
    pub lines: Vec<Line>,
    known: HashMap<u32, usize>,
}

impl Lines {
    fn new() -> Lines {
        let own = "the interpreter itself".to_owned();
        let unknown = Line { file: String::new(), number: 0, function: String::new(), text: own };
        Lines { lines: vec![unknown], known: HashMap::from([(0, 0)]) }
    }

    /// The number of the line of a site.
    pub fn of(&mut self, picture: &Picture, site: u32) -> usize {
        if let Some(&line) = self.known.get(&site) {
            return line;
        }
        let line = picture.origin(site).map_or(0, |origin| self.add(origin));
        self.known.insert(site, line);
        line
    }

    fn add(&mut self, origin: Origin) -> usize {
        let Origin { file, at, function, text } = origin;
        let known = self.lines.iter().position(|line| line.number == at.line && line.file == file);
        known.unwrap_or_else(|| {
            self.lines.push(Line { file, number: at.line, function, text });
            self.lines.len() - 1
        })
    }
}

/// What a line made that is alive.
#[derive(Debug)]
pub struct LineUse {
    /// The line.
    pub line: usize,
    /// What is alive.
    pub live: Amount,
    /// Bytes that were alive when half as much had been allocated.
    pub half: u64,
    /// What it made most of, by bytes.
    pub kind: Kind,
}

/// What there is of one type.
#[derive(Debug)]
pub struct KindUse {
    /// The type.
    pub kind: Kind,
    /// All of it that is alive.
    pub live: Amount,
    /// How many may be written, how many were frozen, and how many are traced.
    pub mutable: u64,
    pub frozen: u64,
    pub traced: u64,
}

/// Blocks with cells of one size, or large objects.
#[derive(Debug, Default)]
pub struct ClassUse {
    /// Bytes of a cell; 0 for large objects.
    pub cell_bytes: usize,
    /// How many blocks.
    pub blocks: usize,
    /// Their bytes.
    pub bytes: u64,
    /// How many cells they have.
    pub cells: usize,
    /// What is in them.
    pub taken: Amount,
}

/// What was alive over time.
#[derive(Debug)]
pub struct Growth {
    /// The lines that the curve tells apart, most first. All others are summed up.
    pub lines: Vec<usize>,
    /// For each sample: bytes allocated so far; bytes alive of each of the lines, then of all others.
    pub samples: Vec<(u64, Vec<u64>)>,
}

/// See [the module](self).
pub struct Report {
    /// The program.
    pub file: String,
    /// When this was.
    pub why: Why,
    /// Bytes allocated before.
    pub allocated: u64,
    /// All that roots reach.
    pub live: Amount,
    /// What is dead and not yet freed.
    pub dead: Amount,
    /// The lines of the program.
    pub lines: Vec<Line>,
    /// Variables and what else keeps much alive, most first.
    pub holders: Vec<Holder>,
    /// The lines that made what is alive, most first.
    pub line_uses: Vec<LineUse>,
    /// The types, most first.
    pub kinds: Vec<KindUse>,
    /// Blocks by the size of their cells.
    pub classes: Vec<ClassUse>,
    /// Bytes of free blocks.
    pub free_bytes: u64,
    /// Bytes of a block.
    pub block_bytes: usize,
    /// What was alive over time.
    pub growth: Growth,
    /// What it was made from.
    pub picture: Picture,
}

impl Report {
    /// Looks through everything that was seen of a program.
    ///
    /// # Panics
    /// No picture was taken.
    pub fn new(file: &str, seen: Seen) -> Report {
        let shot = seen.shot.expect("there is a picture at the end");
        let picture = shot.picture;
        let mut lines = Lines::new();
        let (holders, reached) = holders::find(&picture, &mut lines);
        let (mut live, mut dead) = (Amount::default(), Amount::default());
        for (object, view) in picture.snapshot.objects.iter().enumerate() {
            if reached[object] { &mut live } else { &mut dead }.add(view.bytes as u64);
        }
        let past = seen.samples.iter().min_by_key(|sample| sample.allocated.abs_diff(shot.allocated / 2));
        let line_uses = line_uses(&picture, &reached, &mut lines, past);
        let free = picture.snapshot.blocks.iter().filter(|block| block.used == BlockUse::Free);
        let growth = growth(&picture, &mut lines, &line_uses, &seen.samples);
        Report {
            file: file.to_owned(),
            why: shot.why,
            allocated: shot.allocated,
            live,
            dead,
            holders,
            line_uses,
            kinds: kinds(&picture, &reached),
            classes: classes(&picture),
            free_bytes: free.map(|block| block.bytes as u64).sum(),
            block_bytes: picture.snapshot.block_bytes,
            growth,
            lines: lines.lines,
            picture,
        }
    }

    /// The share of all that is alive, from 0 to 1.
    pub fn share(&self, bytes: u64) -> f64 {
        bytes as f64 / self.live.bytes.max(1) as f64
    }

    /// Bytes of the blocks in use.
    pub fn used_bytes(&self) -> u64 {
        self.classes.iter().map(|class| class.bytes).sum()
    }
}

/// What was alive of each line in a sample.
fn by_line(picture: &Picture, lines: &mut Lines, sample: &Sample) -> Vec<u64> {
    let mut bytes = Vec::new();
    for used in &sample.by_site {
        let line = lines.of(picture, used.site);
        bytes.resize(bytes.len().max(line + 1), 0);
        bytes[line] += used.bytes as u64;
    }
    bytes
}

fn line_uses(picture: &Picture, reached: &[bool], lines: &mut Lines, past: Option<&Sample>) -> Vec<LineUse> {
    let mut uses: HashMap<usize, (Amount, [u64; KINDS])> = HashMap::new();
    for (object, view) in picture.snapshot.objects.iter().enumerate().filter(|(object, _)| reached[*object]) {
        let (live, kinds) = uses.entry(lines.of(picture, view.site)).or_default();
        live.add(view.bytes as u64);
        kinds[picture.kind(object) as usize] += view.bytes as u64;
    }
    let past = past.map(|sample| by_line(picture, lines, sample)).unwrap_or_default();
    let mut uses: Vec<LineUse> = uses
        .into_iter()
        .map(|(line, (live, kinds))| {
            let most = (0..KINDS).max_by_key(|&kind| kinds[kind]).unwrap_or(0);
            LineUse { line, live, half: past.get(line).copied().unwrap_or(0), kind: Kind::ALL[most] }
        })
        .collect();
    uses.sort_unstable_by_key(|used| (std::cmp::Reverse(used.live.bytes), used.line));
    uses
}

fn kinds(picture: &Picture, reached: &[bool]) -> Vec<KindUse> {
    let none = |kind| KindUse { kind, live: Amount::default(), mutable: 0, frozen: 0, traced: 0 };
    let mut uses: Vec<KindUse> = Kind::ALL.into_iter().map(none).collect();
    for (object, view) in picture.snapshot.objects.iter().enumerate().filter(|(object, _)| reached[*object]) {
        let used = &mut uses[picture.kind(object) as usize];
        used.live.add(view.bytes as u64);
        used.mutable += u64::from(view.mutable);
        used.frozen += u64::from(view.frozen);
        used.traced += u64::from(view.kind == ObjectKind::Traced);
    }
    uses.retain(|used| used.live.objects > 0);
    uses.sort_unstable_by_key(|used| std::cmp::Reverse(used.live.bytes));
    uses
}

fn classes(picture: &Picture) -> Vec<ClassUse> {
    let mut classes: Vec<ClassUse> = Vec::new();
    for block in picture.snapshot.blocks.iter().filter(|block| block.used != BlockUse::Free) {
        let known = classes.iter().position(|class| class.cell_bytes == block.cell_bytes);
        let at = known.unwrap_or_else(|| {
            classes.push(ClassUse { cell_bytes: block.cell_bytes, ..ClassUse::default() });
            classes.len() - 1
        });
        let class = &mut classes[at];
        class.blocks += 1;
        class.bytes += block.bytes as u64;
        class.cells += block.cells;
        class.taken.objects += block.objects.len() as u64;
        class.taken.bytes += block.object_bytes as u64;
    }
    // Large objects come last.
    classes.sort_unstable_by_key(|class| class.cell_bytes.wrapping_sub(1));
    classes
}

fn growth(picture: &Picture, lines: &mut Lines, uses: &[LineUse], samples: &[Sample]) -> Growth {
    let all: u64 = uses.iter().map(|used| used.live.bytes).sum();
    let much = |used: &&LineUse| used.live.bytes * CURVE_PER >= all;
    let most: Vec<usize> = uses.iter().take(CURVES).filter(much).map(|used| used.line).collect();
    let told = |sample: &Sample| {
        let bytes = by_line(picture, lines, sample);
        let mut parts: Vec<u64> = most.iter().map(|&line| bytes.get(line).copied().unwrap_or(0)).collect();
        parts.push(sample.live() - parts.iter().sum::<u64>());
        (sample.allocated, parts)
    };
    let samples = samples.iter().map(told).collect();
    Growth { lines: most, samples }
}
