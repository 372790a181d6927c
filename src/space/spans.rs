//! Where objects go: a free cell for each that is promoted.
//!
//! Each lane and class has a *span*, the rest of a hole in a block. A cell is taken by moving its beginning up; when it is
//! used up, it moves on to the next hole. Only then are the tables told what was given out, all at once.
//!
//! ```text
//!   block  ████░░██▓▓▓▓░░░░██░░░░░░████      █ taken before, ▓ given out since, ░ free
//!                  │   │   │           │
//!              begun next end      limit
//! ```

use std::ops::Range;

use blocks::classes::{CLASSES, Class, EXACT, class_of};
use blocks::table::Listed;
use blocks::{CHUNK_BYTES, GRANULE_BYTES};
use retain_bits::ones;
use static_assertions::const_assert;

use super::chunk::{chunk_base, chunk_of, granule_of};
use super::{Lane, Space};
use crate::object::{LINE_BYTES, prefetch};

// A bit for each class that is being filled.
const_assert!(CLASSES <= u64::BITS as usize);

/// Up to so many bytes behind the hole that is being filled, the block has been asked for. Larger: the next hole is more
/// often among them. Smaller: fewer are asked for in vain.
const AHEAD_BYTES: usize = 512;

/// Where the next objects of a lane and class go: the rest of a hole in a block.
#[derive(Clone, Copy, Default)]
pub(super) struct Span {
    next: usize,
    end: usize,
    /// Cells from here to `next` have been given out, and the tables do not say so yet.
    begun: usize,
    /// The block, or 0 before the first one.
    pub block: usize,
    /// The end of its last cell.
    limit: usize,
}

/// Taken cells side by side, in one block: the bytes from the first to the end of the last.
pub(crate) type Run = Range<usize>;

/// Which [`Span`] it is that objects of some kind go to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    lane: Lane,
    class: Class,
    cell_bytes: u32,
}

impl Place {
    /// For objects of `bytes` bytes.
    pub fn new(lane: Lane, bytes: usize) -> Place {
        let class = class_of(bytes / GRANULE_BYTES);
        Place { lane, class, cell_bytes: class.bytes() as u32 }
    }
}

/// A [`Span`] on loan. Until it is taken back, nothing else is allocated there.
pub(crate) struct Loan {
    place: Place,
    next: usize,
    end: usize,
}

impl Loan {
    /// The next cell, if there is room for it.
    #[inline(always)]
    pub fn cell(&mut self) -> Option<usize> {
        let address = self.next;
        let bytes = self.place.cell_bytes as usize;
        let fits = self.end - address >= bytes;
        self.next += if fits { bytes } else { 0 };
        fits.then_some(address)
    }
}

/// The first hole in a part of a block.
#[inline(always)]
fn hole_in(block: usize, part: Range<usize>, class: Class) -> Option<Range<usize>> {
    let base = chunk_base(block);
    let [from, to] = [part.start, part.end].map(|address| (address - base) / GRANULE_BYTES);
    let hole = chunk_of(block).starts.hole(from..to, class.granules())?;
    Some(base + hole.start * GRANULE_BYTES..base + hole.end * GRANULE_BYTES)
}

/// Asks for a part of a block, or what lies behind it, and for what the tables say of its end.
#[inline(always)]
fn prefetch_part(block: usize, part: Range<usize>) {
    let (chunk, granule) = (chunk_of(block), granule_of(part.end));
    prefetch(chunk.starts.place(granule).cast());
    prefetch(chunk.counts.place(granule).cast());
    let mut line = part.start;
    while line < part.end {
        prefetch(std::ptr::with_exposed_provenance(line));
        line += LINE_BYTES;
    }
}

impl Space {
    /// A free cell for an object of `bytes` bytes, which must not be large. [`Space::reserve`] has seen to it
    /// that there is one. Whether it is taken, the tables say after [`Space::stop_filling`].
    #[inline(always)]
    pub fn cell(&mut self, lane: Lane, bytes: usize) -> usize {
        let granules = bytes / GRANULE_BYTES;
        if granules <= EXACT {
            return self.cell_of(lane, class_of(granules), bytes);
        }
        let class = class_of(granules);
        self.cell_of(lane, class, class.bytes())
    }

    #[inline(always)]
    fn cell_of(&mut self, lane: Lane, class: Class, bytes: usize) -> usize {
        let span = &mut self.spans[lane as usize][class.0 as usize];
        let address = span.next;
        if span.end - address >= bytes {
            span.next = address + bytes;
            return address;
        }
        self.next_hole(lane, class, bytes)
    }

    #[inline(always)]
    fn span(&mut self, place: Place) -> &mut Span {
        &mut self.spans[place.lane as usize][place.class.0 as usize]
    }

    /// A span, to be filled by whoever has a register for its place.
    #[inline(always)]
    pub fn lend(&mut self, place: Place) -> Loan {
        let &mut Span { next, end, .. } = self.span(place);
        Loan { place, next, end }
    }

    /// Takes a span back.
    #[inline(always)]
    pub fn take_back(&mut self, loan: &Loan) {
        self.span(loan.place).next = loan.next;
    }

    /// The first cell of the next hole, which takes the place of a span that is full.
    #[cold]
    pub fn renew(&mut self, loan: &mut Loan) -> usize {
        let Place { lane, class, cell_bytes } = loan.place;
        self.take_back(loan);
        let address = self.next_hole(lane, class, cell_bytes as usize);
        *loan = self.lend(loan.place);
        address
    }

    /// Moves the span of a lane and class to the next hole, and takes the first cell there.
    #[inline(never)]
    fn next_hole(&mut self, lane: Lane, class: Class, bytes: usize) -> usize {
        self.enter(lane, class);
        // Only these three, for the others have just been written: who reads all at once waits until that has been done.
        let &Span { mut block, mut end, mut limit, .. } = &self.spans[lane as usize][class.0 as usize];
        let mut asked = end + AHEAD_BYTES;
        let hole = loop {
            if block != 0
                && let Some(hole) = hole_in(block, end..limit, class)
            {
                break hole;
            }
            block = self.next_block(lane, class, block);
            (end, limit) = (block, block + class.cells(self.block) * class.bytes());
            asked = end;
        };
        let Range { start, end } = hole;
        self.spans[lane as usize][class.0 as usize] =
            Span { next: start + bytes, end, begun: start, block, limit };
        self.filling[lane as usize] |= 1 << class.0;
        // The next hole is probably near, and nobody has been there for long.
        prefetch_part(block, asked.max(end)..end + AHEAD_BYTES);
        start
    }

    /// Goes on from a full block, or none, to one that has room: a listed one, or a free one. While no clusters are made,
    /// what they have left serves others, too; the block stays one of clusters, for which all objects in it are alike.
    fn next_block(&mut self, lane: Lane, class: Class, full: usize) -> usize {
        if full != 0 {
            self.retire(full);
        }
        let block_size = self.block;
        let index = |address: usize| (address & (CHUNK_BYTES - 1)) >> block_size.log2();
        let state = |block| &chunk_of(block).blocks[index(block)];
        let listed = self.room.take(lane as u8, class, state).or_else(|| {
            let lends = !self.making_clusters && matches!(lane, Lane::Immutable | Lane::Leaf);
            if lends { self.room.take(Lane::Cluster as u8, class, state) } else { None }
        });
        let block = listed.unwrap_or_else(|| {
            let block = self.free_block().expect("a collection reserves the blocks it may need");
            self.state(block).begin_cells(lane as u8, class);
            block
        });
        self.state(block).set_listed(Listed::Filling);
        if let Some(next) = self.room.peek(lane as u8, class) {
            prefetch(std::ptr::from_ref(self.state(next)).cast());
            prefetch_part(next, next..next + AHEAD_BYTES);
        }
        block
    }

    /// The span leaves a block: nothing is allocated in it until it is taken from its list again. It is listed
    /// at once if cells were freed behind the span's back.
    fn retire(&mut self, block: usize) {
        let state = self.state(block);
        state.set_listed(Listed::No);
        let cells = Class(state.class.get()).cells(self.block);
        if (state.live.get() as usize) < cells {
            self.room.list(block, state, cells);
        }
    }

    /// Enters the cells that a span has given out in the tables, all at once.
    fn enter(&mut self, lane: Lane, class: Class) {
        let span = &mut self.spans[lane as usize][class.0 as usize];
        let taken = std::mem::replace(&mut span.begun, span.next)..span.next;
        if taken.is_empty() {
            return;
        }
        let (first, cell, granules) =
            (granule_of(taken.start), class.granules(), taken.len() / GRANULE_BYTES);
        let starts = &chunk_of(taken.start).starts;
        let cells = if granules == cell {
            starts.set(first);
            1
        } else {
            starts.set_cells(first..first + granules, cell);
            granules / cell
        };
        let state = self.state(self.block_of(taken.start));
        state.live.set(state.live.get() + cells as u32);
        self.objects += cells;
        self.bytes += taken.len();
        if let Some(runs) = &mut self.runs {
            runs.push(taken);
        }
    }

    /// Enters the cells that the spans of a lane have given out.
    fn enter_lane(&mut self, lane: Lane) {
        for class in ones(self.filling[lane as usize]) {
            self.enter(lane, Class(class as u8));
        }
    }

    /// From now on it is written down which cells of clusters are given out.
    pub fn begin_runs(&mut self, runs: Vec<Run>) {
        self.runs = Some(runs);
    }

    /// The cells that were given out since then.
    pub fn end_runs(&mut self) -> Vec<Run> {
        self.enter_lane(Lane::Cluster);
        self.runs.take().expect("runs are written down")
    }

    /// Brings the tables up to date for the cells that spans have given out. Called when the last object of a collection
    /// has been promoted, before the first is freed.
    pub fn stop_filling(&mut self) {
        Lane::ALL.into_iter().for_each(|lane| self.enter_lane(lane));
    }
}
