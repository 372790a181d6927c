//! The map of blocks: a tile for each, or for a few side by side if there are very many.

use std::fmt::Write;

use frazil::{BlockUse, BlockView, ObjectKind, Snapshot};

use crate::page::{Colour, Html};

/// Tiles in a row, and at most.
const ACROSS: usize = 64;
const TILES_MAX: usize = 2048;
/// A tile's size and the gap to the next.
const TILE: f64 = 15.0;
const GAP: f64 = 2.0;
/// Width of the stripe for retain bits.
const STRIPE: f64 = 3.0;

/// What the colours mean.
pub const KEY: [(&str, Colour); 5] = [
    ("counted (immutable or frozen)", Colour::Good),
    ("traced, because of what it refers to", Colour::Violet),
    ("traced and mutable", Colour::Ochre),
    ("reached directly by the last collection", Colour::Accent),
    ("empty", Colour::Rule),
];

/// What is in one tile: bytes, but for the last two.
#[derive(Default)]
struct Tile {
    all: usize,
    counted: usize,
    traced: usize,
    mutable: usize,
    objects: usize,
    retained: usize,
}

/// The map, and how many blocks a tile stands for.
pub fn map(snapshot: &Snapshot) -> (Html, usize) {
    let mut tiles = Vec::new();
    let each =
        snapshot.blocks.iter().map(|block| width(block, snapshot)).sum::<usize>().div_ceil(TILES_MAX).max(1);
    let (mut tile, mut wide) = (Tile::default(), 0);
    for block in &snapshot.blocks {
        tile.add(block, snapshot);
        wide += width(block, snapshot);
        if wide >= each {
            // A large object fills as many tiles as its blocks would.
            for _ in 0..wide / each {
                tiles.push(tile.part(wide / each));
            }
            (tile, wide) = (Tile::default(), 0);
        }
    }
    if wide > 0 {
        tiles.push(tile);
    }
    (draw(&tiles), each)
}

/// How many blocks this is: a large object has several.
fn width(block: &BlockView, snapshot: &Snapshot) -> usize {
    block.bytes.div_ceil(snapshot.block_bytes).max(1)
}

impl Tile {
    fn add(&mut self, block: &BlockView, snapshot: &Snapshot) {
        self.all += block.bytes;
        if block.used == BlockUse::Free {
            return;
        }
        for object in &snapshot.objects[block.objects.clone()] {
            match (object.kind, object.mutable) {
                (ObjectKind::Traced, true) => self.mutable += object.bytes,
                (ObjectKind::Traced, false) => self.traced += object.bytes,
                _ => self.counted += object.bytes,
            }
        }
        self.objects += block.objects.len();
        self.retained += block.retained;
    }

    /// One of several equal parts.
    fn part(&self, of: usize) -> Tile {
        let Tile { all, counted, traced, mutable, objects, retained } = *self;
        Tile {
            all: all / of,
            counted: counted / of,
            traced: traced / of,
            mutable: mutable / of,
            objects,
            retained,
        }
    }

    fn title(&self) -> String {
        let full = (self.counted + self.traced + self.mutable) * 100 / self.all.max(1);
        format!("{full} % full, {} objects, {} of them reached directly", self.objects, self.retained)
    }
}

/// One path for each colour keeps the drawing small.
fn draw(tiles: &[Tile]) -> Html {
    let mut paths: [String; KEY.len()] = Default::default();
    let mut titles = String::new();
    for (at, tile) in tiles.iter().enumerate() {
        let (x, y) = ((at % ACROSS) as f64 * (TILE + GAP), (at / ACROSS) as f64 * (TILE + GAP));
        rectangle(&mut paths[4], x, y, TILE, TILE);
        let scale = TILE / tile.all.max(1) as f64;
        let mut bottom = y + TILE;
        for (bytes, path) in [tile.counted, tile.traced, tile.mutable].into_iter().zip(&mut paths) {
            let height = bytes as f64 * scale;
            bottom -= height;
            rectangle(path, x, bottom, TILE - STRIPE - 1.0, height);
        }
        let height = tile.retained as f64 / tile.objects.max(1) as f64 * TILE;
        rectangle(&mut paths[3], x + TILE - STRIPE, y + TILE - height, STRIPE, height);
        let _ = write!(
            titles,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{TILE}\" height=\"{TILE}\" fill-opacity=\"0\"><title>{}</title></rect>",
            tile.title()
        );
    }
    let across = tiles.len().min(ACROSS) as f64 * (TILE + GAP);
    let down = tiles.len().div_ceil(ACROSS) as f64 * (TILE + GAP);
    let mut svg =
        format!("<svg width=\"{across}\" height=\"{down}\" viewBox=\"0 0 {across} {down}\" role=\"img\">");
    // What is empty lies below all else.
    for at in [4, 0, 1, 2, 3] {
        let (red, green, blue) = KEY[at].1.light();
        let _ = write!(svg, "<path fill=\"#{red:02X}{green:02X}{blue:02X}\" d=\"{}\"/>", paths[at]);
    }
    Html::drawing(&format!("{svg}{titles}</svg>"))
}

fn rectangle(path: &mut String, x: f64, y: f64, width: f64, height: f64) {
    if height >= 0.05 {
        let _ = write!(path, "M{x:.0} {y:.1}h{width:.0}v{height:.1}h-{width:.0}z");
    }
}
