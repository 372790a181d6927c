//! What an embedder can choose when a heap is made, with the inequalities that must hold.

use std::fmt;

use blocks::BlockBytes;

/// How the freed-object buffer is drained at the end of a collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drain {
    /// To the end: after a complete collection nothing unreachable is left.
    All,
    /// In instalments, so that no pause is long because a large structure died. What is not drained waits in
    /// the buffer, and its memory with it. The first collection behind an allocation that was refused drains to the end.
    Instalments {
        /// Objects released per KiB allocated since the last collection. It must be above zero, or the buffer
        /// grows without bound; 64 releases at least as many bytes as a KiB of the smallest objects takes.
        objects_per_kib: u32,
        /// The longest time one instalment may take, in microseconds. It is looked at every 64 objects, and first after
        /// so many: none is so short that it releases nothing.
        micros_max: u32,
    },
}

/// The settings of a heap. Start from [`Config::default`] or [`Config::STRESS`]; what is said of a default is that of the
/// former, [`Config::DEFAULT`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Bytes of an old block. Larger: fewer blocks to visit, larger cells in blocks, more room lost in blocks
    /// that are nearly empty. Smaller: the reverse. Default: 32 KiB.
    pub block_bytes: BlockBytes,
    /// Bytes allocated between two collections, at least; give or take an eighth if the nursery may grow. Larger: fewer
    /// survivors and collections, a larger footprint, and a nursery that leaves the cache. Smaller: shorter pauses. From
    /// 1 KiB to 1 TiB. Default: 512 KiB.
    pub nursery_bytes: usize,
    /// While many objects survive, and fewer do in a larger nursery, it grows, up to so many times its bytes (but never
    /// beyond those of the old objects); when few survive, it shrinks again. Larger: fewer survivors, a larger
    /// footprint, longer pauses while much survives. 1, the least: it keeps its size. Default: 32.
    pub nursery_growth: u32,
    /// A complete collection is due when the bytes allocated reach this many percent of the bytes that the last
    /// one traced, a bit for each granule of the blocks it compared included. Larger: less tracing, a larger footprint. It
    /// bounds the tracing per allocated byte. Default: 300.
    pub nursery_percent_of_traced: u32,
    /// May the heap hold short collections? Of use for hosts whose mutable data lives long, as that of most interpreters does:
    /// it holds them while they save tracing, and finds out by itself whether they do. The price: the host's own stores
    /// need the write test ([`crate::Heap::store`] has it), and what is old and dies stays until the next complete collection.
    /// Default: no.
    pub short_collections: bool,
    /// With short collections, complete ones are held all the same while they trace less than this many percent of
    /// the nursery's bytes. Larger: less floating garbage. Smaller: less tracing. Default: 25.
    pub cheap_percent: u32,
    /// With short collections, a complete one follows when the old generation has grown by this many percent
    /// since the last complete one. Larger: fewer complete collections, more floating garbage. Default: 50.
    pub growth_percent: u32,
    /// Bytes the old generation may always grow by between two complete collections (with short collections).
    /// Default: 4 MiB.
    pub growth_bytes: usize,
    /// What is imported from another heap of the group counts for so many allocated bytes: a heap that keeps others'
    /// objects alive and allocates nothing collects, too. Larger: less memory is held that nobody needs. Smaller:
    /// fewer collections. Default: 4 KiB.
    pub import_bytes: usize,
    /// The bytes that nursery and old blocks may take together: an allocation that would pass them is refused. During a
    /// collection the survivors are in both, which is not counted; and blocks are taken whole, so that survivors may need
    /// a little more: then everything is refused until something dies. At least 256 KiB. `None`, the default: as much as the
    /// system gives.
    pub limit_bytes: Option<usize>,
    /// How the freed-object buffer is drained. Default: to the end.
    pub drain: Drain,
    /// The largest count kept in the table of counts; larger ones are kept in an exact overflow table. From 1 to 253, the
    /// default; small values serve to test the overflow.
    pub count_max: u8,
    /// Immutable structures that are promoted at one go are counted as one, as a *cluster*, as long as nothing but
    /// their own objects refers to their inside: if they have so many objects at least. Larger: less is lost where it turns
    /// out that something does. Smaller: more structures live and die without a count inside. `u32::MAX`: none are.
    /// Up to 8: they are, whether it pays or not. Default: 128.
    pub cluster_objects: u32,
    /// What is larger becomes several clusters, of about so many bytes each. Larger: less work for each. Smaller: less has
    /// to be counted when something refers to the inside of one. Default: 256 KiB.
    pub cluster_bytes: usize,
    /// While the old generation grows, does a thread ask the system for the pages that the next collection will write? Yes:
    /// promotion into new memory takes two thirds of the time, if a core is free for it, and a heap that has grown takes up to a
    /// thirty-second more memory. There is one such thread in a process, which ends when it has nothing to do, runs nothing of the
    /// host's, and gets no signals. No: this heap needs none, which is a little faster where no core is ever free. Linux only.
    /// Default: yes.
    pub pages_ahead: bool,
    /// Words of the root stack, 8 bytes each; at most 2^32. The memory is taken from the system only when it is used. Default:
    /// 2^20.
    pub stack_words: usize,
    /// Checking mode: [`crate::Heap::should_collect`] is always true, every collection is followed by a
    /// verification of all invariants and preceded by one of all references, freed cells are poisoned, and the memory of
    /// the old nursery is made inaccessible. Slow. Default: no.
    pub check: bool,
}

impl Default for Config {
    fn default() -> Config {
        Config::DEFAULT
    }
}

impl Config {
    /// For a program of ordinary size.
    pub const DEFAULT: Config = Config {
        block_bytes: BlockBytes::K32,
        nursery_bytes: 512 << 10,
        nursery_growth: 32,
        nursery_percent_of_traced: 300,
        short_collections: false,
        cheap_percent: 25,
        growth_percent: 50,
        growth_bytes: 4 << 20,
        import_bytes: 4 << 10,
        limit_bytes: None,
        drain: Drain::All,
        count_max: blocks::COUNT_MAX,
        cluster_objects: 128,
        cluster_bytes: 256 << 10,
        pages_ahead: true,
        stack_words: 1 << 20,
        check: false,
    };

    /// Everything that is rare made common: a tiny nursery, small blocks, counts that overflow at two, and the
    /// checking mode.
    pub const STRESS: Config = Config {
        block_bytes: BlockBytes::K4,
        nursery_bytes: 4 << 10,
        cheap_percent: 0,
        growth_bytes: 4 << 10,
        count_max: 1,
        cluster_objects: 2,
        cluster_bytes: 256,
        check: true,
        stack_words: 1 << 12,
        ..Config::DEFAULT
    };

    /// Do the settings agree with each other? Whoever makes a heap asks that; this is for settings that people type.
    ///
    /// # Errors
    /// The first one that does not, in words.
    pub fn check(&self) -> Result<(), ConfigError> {
        let rules = [
            (self.nursery_bytes >= 1 << 10, "the nursery must have at least 1 KiB"),
            (self.nursery_bytes <= 1 << 40, "the nursery must have at most 1 TiB"),
            (self.nursery_growth >= 1, "the growth of the nursery must be at least 1"),
            (self.count_max >= 1, "counts must reach at least 1"),
            (self.count_max <= blocks::COUNT_MAX, "counts in the table must reach at most 253"),
            (self.stack_words <= 1 << 32, "the root stack must have at most 2^32 words"),
            (
                self.limit_bytes.is_none_or(|limit| limit >= 256 << 10),
                "the heap limit must be at least 256 KiB",
            ),
            (
                !matches!(self.drain, Drain::Instalments { objects_per_kib: 0, .. }),
                "instalments must release at least one object per KiB",
            ),
        ];
        match rules.iter().find(|(holds, _)| !holds) {
            Some((_, rule)) => Err(ConfigError(rule)),
            None => Ok(()),
        }
    }
}

/// Settings that do not agree, or memory that the system refused for the first ranges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConfigError(pub(crate) &'static str);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}
impl std::error::Error for ConfigError {}
