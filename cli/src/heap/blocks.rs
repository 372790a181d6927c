//! The map of blocks: a tile for each, or for a few side by side if there are very many.

use std::fmt::Write;

use frazil::{BlockView, ObjectKind, Snapshot};

use crate::page::{Colour, Html};

use super::words;

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
    all: f64,
    counted: f64,
    traced: f64,
    mutable: f64,
    objects: f64,
    retained: f64,
}

/// The map, and how many blocks a tile stands for.
pub fn map(snapshot: &Snapshot) -> (Html, usize) {
    let width = |block: &BlockView| block.bytes.div_ceil(snapshot.block_bytes).max(1);
    let each = snapshot.blocks.iter().map(width).sum::<usize>().div_ceil(TILES_MAX).max(1);
    let mut tiles = vec![Tile::default()];
    let mut room = each;
    for block in &snapshot.blocks {
        let width = width(block);
        let part = Tile::of(block, snapshot, width as f64);
        for _ in 0..width {
            if room == 0 {
                tiles.push(Tile::default());
                room = each;
            }
            room -= 1;
            if let Some(tile) = tiles.last_mut() {
                tile.add(&part);
            }
        }
    }
    (draw(&tiles), each)
}

impl Tile {
    /// What is in one of the `parts` blocks that a large object takes; there is one for others.
    fn of(block: &BlockView, snapshot: &Snapshot, parts: f64) -> Tile {
        let share = 1.0 / parts;
        let mut tile = Tile {
            all: block.bytes as f64 * share,
            objects: block.objects.len() as f64 * share,
            retained: block.retained as f64 * share,
            ..Tile::default()
        };
        for object in &snapshot.objects[block.objects.clone()] {
            let bytes = match (object.kind, object.mutable) {
                (ObjectKind::Traced, true) => &mut tile.mutable,
                (ObjectKind::Traced, false) => &mut tile.traced,
                _ => &mut tile.counted,
            };
            *bytes += object.bytes as f64 * share;
        }
        tile
    }

    fn add(&mut self, part: &Tile) {
        self.all += part.all;
        self.counted += part.counted;
        self.traced += part.traced;
        self.mutable += part.mutable;
        self.objects += part.objects;
        self.retained += part.retained;
    }

    fn title(&self) -> String {
        let full = (self.counted + self.traced + self.mutable) * 100.0 / self.all.max(1.0);
        let (objects, retained) = (self.objects.ceil(), self.retained.ceil());
        format!("{full:.0} % full, {}, {retained} of them reached directly", words::objects(objects as u64))
    }
}

/// One path for each colour keeps the drawing small.
fn draw(tiles: &[Tile]) -> Html {
    let mut paths: [String; KEY.len()] = Default::default();
    let mut titles = String::new();
    for (at, tile) in tiles.iter().enumerate() {
        let (x, y) = ((at % ACROSS) as f64 * (TILE + GAP), (at / ACROSS) as f64 * (TILE + GAP));
        rectangle(&mut paths[4], x, y, TILE, TILE);
        let scale = TILE / tile.all.max(1.0);
        let mut bottom = y + TILE;
        for (bytes, path) in [tile.counted, tile.traced, tile.mutable].into_iter().zip(&mut paths) {
            let height = bytes * scale;
            bottom -= height;
            rectangle(path, x, bottom, TILE - STRIPE - 1.0, height);
        }
        let height = if tile.objects > 0.0 { tile.retained / tile.objects * TILE } else { 0.0 };
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
