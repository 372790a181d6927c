//! What collections did: a report of each, and their sum. All counters of the collector are here.

use std::fmt;
use std::time::Duration;

/// Which kind a collection was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// Roots, touched objects and young survivors only: nothing old was freed but what waited in the buffer.
    Short,
    /// Everything: nothing unreachable is left, unless it waits in the buffer.
    #[default]
    Complete,
}

/// References to objects that each kind of root led to first, with all that was reached from there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ByRoot {
    /// From the root stack.
    pub stack: usize,
    /// From handles.
    pub handles: usize,
    /// From objects that were touched since the last collection (short collections only).
    pub touched: usize,
    /// From finalizable objects that died and wait for the host.
    pub finalizable: usize,
}

/// What one collection did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Its number, from 1.
    pub number: u64,
    /// Short or complete.
    pub kind: Kind,
    /// How long the mutator stood still.
    pub pause: Duration,
    /// The part of the pause that drained the buffer and gave memory back.
    pub drain: Duration,
    /// Bytes allocated since the collection before, large objects included.
    pub allocated_bytes: usize,
    /// Young objects that survived.
    pub promoted_objects: usize,
    /// Their bytes, in whole granules.
    pub promoted_bytes: usize,
    /// Promoted bytes, by the kind of root that led to them first.
    pub promoted_by_root: ByRoot,
    /// Traced objects that were scanned.
    pub traced_objects: usize,
    /// Their bytes.
    pub traced_bytes: usize,
    /// Those of them that a short collection scanned because they had been written since the collection before.
    pub touched_bytes: usize,
    /// References in roots and traced objects.
    pub retained: usize,
    /// The same, by the kind of root that led to them first.
    pub retained_by_root: ByRoot,
    /// Frozen objects that became counted; of young ones without cycles, not those of short collections.
    pub settled: usize,
    /// Frozen cycles among them.
    pub components: usize,
    /// Promoted objects that are counted as parts of clusters.
    pub clustered: usize,
    /// Objects of clusters that were dissolved, or not made after all: they are counted one by one. Also since the collection
    /// before, and in what was adopted since then.
    pub dissolved: usize,
    /// Blocks whose bits were compared.
    pub blocks_diffed: usize,
    /// Old objects that were freed.
    pub freed_objects: usize,
    /// The bytes of their cells, which may be larger than the objects.
    pub freed_bytes: usize,
    /// Dead objects that wait in the freed-object buffer; what only they refer to waits with them.
    pub waiting: usize,
    /// Weak references that were cleared.
    pub weak_cleared: usize,
    /// Finalizable objects that died.
    pub finalizable: usize,
    /// Changes of counts that other heaps had posted, to this one or to what it has adopted since the collection before.
    pub received: usize,
    /// Changes of counts of other heaps' objects that were posted.
    pub posted: usize,
    /// The batches they were posted in.
    pub posted_batches: usize,
    /// Counts that are in the overflow table.
    pub overflown: usize,
    /// Old objects afterwards.
    pub old_objects: usize,
    /// The bytes of their cells.
    pub old_bytes: usize,
    /// The bytes of the blocks they lie in.
    pub block_bytes: usize,
    /// Blocks in use afterwards.
    pub blocks_used: usize,
    /// Blocks that are mapped and free.
    pub blocks_free: usize,
}

impl Report {
    /// The share of the blocks in use that is taken by objects, from 0 to 1.
    pub fn occupancy(&self) -> f64 {
        if self.block_bytes == 0 { 1.0 } else { self.old_bytes as f64 / self.block_bytes as f64 }
    }
}

/// Pauses by length, in steps of a quarter of a doubling.
#[derive(Clone)]
pub struct Histogram {
    counts: [u64; Histogram::STEPS],
}

impl fmt::Debug for Histogram {
    /// How many pauses were at most how long, without the lengths that none had.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps = (0..Self::STEPS).filter(|&step| self.counts[step] > 0);
        f.debug_map().entries(steps.map(|step| (Self::longest(step), self.counts[step]))).finish()
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Histogram { counts: [0; Histogram::STEPS] }
    }
}

impl Histogram {
    const STEPS: usize = 64 * 4;

    fn add(&mut self, pause: Duration) {
        let nanos = pause.as_nanos().clamp(1, u64::MAX.into()) as f64;
        self.counts[((nanos.log2() * 4.0) as usize).min(Self::STEPS - 1)] += 1;
    }

    /// The length that a share of the pauses (0 to 1) does not exceed, to within a fifth.
    pub fn quantile(&self, share: f64) -> Duration {
        let total: u64 = self.counts.iter().sum();
        let wanted = (total as f64 * share).ceil().max(1.0) as u64;
        let mut seen = 0;
        let step = self.counts.iter().position(|&count| {
            seen += count;
            seen >= wanted
        });
        step.map_or(Duration::ZERO, Self::longest)
    }

    /// The longest pause of a step.
    fn longest(step: usize) -> Duration {
        Duration::from_nanos(2f64.powf((step + 1) as f64 / 4.0) as u64)
    }
}

/// The sum of all collections of a heap, and of what was drained between them.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    /// Short collections.
    pub short: u64,
    /// Complete collections.
    pub complete: u64,
    /// Time in collections.
    pub pause_total: Duration,
    /// The longest collection.
    pub pause_max: Duration,
    /// All pauses.
    pub pauses: Histogram,
    /// Bytes allocated, up to the last collection.
    pub allocated_bytes: u64,
    /// Objects promoted.
    pub promoted_objects: u64,
    /// Bytes promoted.
    pub promoted_bytes: u64,
    /// Traced objects scanned.
    pub traced_objects: u64,
    /// Old objects freed.
    pub freed_objects: u64,
    /// Bytes of the cells of old objects freed.
    pub freed_bytes: u64,
    /// Frozen objects that became counted.
    pub settled: u64,
    /// Frozen cycles among them.
    pub components: u64,
    /// Promoted objects that were counted as parts of clusters.
    pub clustered: u64,
    /// Objects of clusters that were dissolved, or not made after all.
    pub dissolved: u64,
    /// Blocks whose bits were compared.
    pub blocks_diffed: u64,
    /// The most bytes that old blocks took at the end of a collection.
    pub block_bytes_max: usize,
    /// The report of the last collection.
    pub last: Report,
}

impl Stats {
    /// Counts one more collection. A heap does that for itself; who has several heaps may sum them up.
    pub fn add(&mut self, report: &Report) {
        match report.kind {
            Kind::Short => self.short += 1,
            Kind::Complete => self.complete += 1,
        }
        self.pause_total += report.pause;
        self.pause_max = self.pause_max.max(report.pause);
        self.pauses.add(report.pause);
        self.allocated_bytes += report.allocated_bytes as u64;
        self.promoted_objects += report.promoted_objects as u64;
        self.promoted_bytes += report.promoted_bytes as u64;
        self.traced_objects += report.traced_objects as u64;
        self.freed_objects += report.freed_objects as u64;
        self.freed_bytes += report.freed_bytes as u64;
        self.settled += report.settled as u64;
        self.components += report.components as u64;
        self.clustered += report.clustered as u64;
        self.dissolved += report.dissolved as u64;
        self.blocks_diffed += report.blocks_diffed as u64;
        self.block_bytes_max = self.block_bytes_max.max(report.block_bytes);
        self.last = report.clone();
    }

    /// Adds what was freed between two collections.
    pub(crate) fn add_drained(&mut self, report: &Report) {
        self.freed_objects += report.freed_objects as u64;
        self.freed_bytes += report.freed_bytes as u64;
    }

    /// Collections of both kinds.
    pub fn collections(&self) -> u64 {
        self.short + self.complete
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_right_to_within_a_fifth() {
        let mut histogram = Histogram::default();
        for micros in 1..=1000 {
            histogram.add(Duration::from_micros(micros));
        }
        let median = histogram.quantile(0.5).as_micros();
        assert!((500..=600).contains(&median), "{median}");
        assert!(histogram.quantile(1.0) >= Duration::from_micros(1000));
        assert_eq!(Histogram::default().quantile(0.5), Duration::ZERO);
    }

    #[test]
    fn lengths_that_no_pause_had_are_not_shown() {
        let mut stats = Stats::default();
        assert!(format!("{stats:?}").contains("pauses: {}"));
        [3, 3, 70].into_iter().for_each(|micros| stats.pauses.add(Duration::from_micros(micros)));
        assert_eq!(format!("{:?}", stats.pauses), "{3.444µs: 2, 77.935µs: 1}");
    }
}
