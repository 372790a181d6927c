//! When to collect, and which kind of collection: a policy of a few numbers and the settings, apart from the
//! mechanism. Everything is in bytes.

use std::ops::RangeInclusive;

use crate::patience::Patience;
use crate::stats::{Kind, Report};
use crate::tuning::Config;

/// Which collection is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// The heap's policy chooses.
    Auto,
    /// Roots, touched objects and young survivors only. It becomes a complete one where short ones are not allowed, and where
    /// the heap has not noted writes: behind a complete one that it chose itself, because that was cheap.
    Short,
    /// Everything: nothing unreachable is left (unless the drain works in instalments).
    Complete,
}

/// However near the limit is, a collection is not due before so many bytes.
const TRIGGER_BYTES_MIN: usize = 16 << 10;

/// The nursery is not made larger while less than this many percent of it survive: there is little to win.
const MUCH_PERCENT: usize = 10;

/// A nursery of twice the size is kept if by this many percent less survived in it. On binary trees, 20 million of 68
/// million objects survive a nursery of 1 MiB, and 3 million one of 16 MiB. What is built to stay survives any.
const BETTER_PERCENT: usize = 8;

/// Before it is judged, a size is kept until so many nurseries have been filled, or the survivors would fill so many.
const NURSERIES_JUDGED: usize = 6;
const NURSERIES_SURVIVED: usize = 3;

/// When twice the size was of no use, so many judgements pass before it is tried again, unless this many percent more
/// survive than did then: the program is doing something else now. (What is built to stay survives any nursery, and each
/// trial is a pause of twice the length.)
const PATIENCE: RangeInclusive<u32> = 8..=128;
const MORE_PERCENT: usize = 50;

/// A short collection was of use if what had been written was at most this many percent of what the last complete one
/// traced. Otherwise it is better to trace all, and to let the nursery follow that.
const SHORT_PERCENT: u32 = 50;

/// When a short collection was of no use, so many complete ones pass before one is tried again.
const COMPLETE_ONES: RangeInclusive<u32> = 2..=64;

/// By one part in so many the nursery is larger or smaller from one time to the next. Otherwise it keeps step with a program
/// that builds one structure after the other: each collection comes when one is nearly complete, and promotes all of it.
const VARIATION: usize = 8;

/// What the policy remembers.
#[derive(Debug)]
pub(crate) struct Pacer {
    /// Bytes that may be allocated before a collection is due. Written at the end of each collection.
    pub trigger: usize,
    nursery: NurserySize,
    /// Bytes of old objects after the last complete collection.
    old_bytes: usize,
    /// Bytes that the last complete collection traced, and those of the bits it compared.
    traced_bytes: usize,
    /// Every write into an old mutable object since the last collection has been noticed, so that the next one may be short.
    /// (The verifier looks whether it is true.)
    pub notices_writes: bool,
    /// Complete collections to come before a short one is tried again, for the last was of no use.
    patience: Patience,
    /// Bytes that the next collection will probably trace, or compare.
    recurring: usize,
    /// Collections so far.
    turn: u32,
}

impl Pacer {
    pub fn new(config: &Config) -> Pacer {
        let nursery = NurserySize { bytes: config.nursery_bytes, ..NurserySize::default() };
        Pacer {
            trigger: trigger(config, nursery.bytes, 0),
            nursery,
            old_bytes: 0,
            traced_bytes: 0,
            // There is nothing old yet.
            notices_writes: true,
            patience: Patience::default(),
            recurring: 0,
            turn: 0,
        }
    }

    /// Bytes after which a collection is worth while, although it is not due, if little is alive just now.
    #[inline]
    pub fn early_trigger(&self) -> usize {
        self.trigger / 4 * 3
    }

    /// Complete while there is little to trace, while short ones are of no use, or where the limit is near; otherwise short,
    /// if the host allows it, until the old generation has grown. `old_bytes` are those of old objects now, `used_bytes`
    /// what counts against the limit.
    pub fn choose(&self, config: &Config, request: Request, old_bytes: usize, used_bytes: usize) -> Kind {
        if request == Request::Complete || !config.short_collections || !self.notices_writes {
            return Kind::Complete;
        }
        if request == Request::Short {
            return Kind::Short;
        }
        let growth = percent(self.old_bytes, config.growth_percent).max(config.growth_bytes);
        let grown = old_bytes >= self.old_bytes.saturating_add(growth);
        // Cheap as the last one was: with too much new since then, the next one might not be.
        let cheap = self.traced_bytes < cheap_bytes(config, self.nursery.bytes)
            && old_bytes <= self.old_bytes + self.nursery.bytes;
        let near_limit = config.limit_bytes.is_some_and(|limit| used_bytes > limit / 8 * 7);
        if cheap || grown || near_limit || !self.patience.is_over() { Kind::Complete } else { Kind::Short }
    }

    /// Is the next write into a mutable object to be noticed, after the collection of this kind that begins now? Always if a
    /// trace is recorded, which tells what changed. Otherwise not where the one after it will be complete anyway: then
    /// writes are dearer for nothing.
    pub fn should_notice_writes(
        &self,
        config: &Config,
        request: Request,
        kind: Kind,
        is_recorded: bool,
    ) -> bool {
        if is_recorded {
            return true;
        }
        if kind == Kind::Short || !config.short_collections || request != Request::Auto {
            return config.short_collections;
        }
        // Of the first one nothing is known.
        let cheap = self.turn > 0 && self.traced_bytes < cheap_bytes(config, self.nursery.bytes) / 2;
        self.patience.left <= 1 && !cheap
    }

    /// Learns from a collection when the next one is due, and of which kind it may be.
    pub fn learn(&mut self, config: &Config, report: &Report) {
        let recurring = recurring_bytes(config, report);
        match report.kind {
            Kind::Complete => {
                self.patience.pass();
                self.old_bytes = report.old_bytes;
                self.traced_bytes = recurring;
            }
            Kind::Short if report.touched_bytes > percent(self.traced_bytes, SHORT_PERCENT) => {
                self.patience.renew(COMPLETE_ONES);
            }
            Kind::Short => self.patience.reward(),
        }
        self.nursery.learn(config, report);
        // Where most collections are short, what a complete one traced will not be traced again soon.
        let mostly_short = config.short_collections && self.patience.is_over();
        if report.kind == Kind::Short || !mostly_short {
            self.recurring = recurring;
        }
        self.turn = self.turn.wrapping_add(1);
        let bytes = match config.nursery_growth {
            0 | 1 => self.nursery.bytes,
            _ => varied(self.nursery.bytes, self.turn),
        };
        let wanted = bytes.max(following(config, self.recurring, mostly_short));
        self.trigger = trigger(config, wanted, report.block_bytes);
    }
}

/// The size of the nursery, and what was found of larger and smaller ones.
#[derive(Debug, Default)]
struct NurserySize {
    /// How large it should be.
    bytes: usize,
    /// What was allocated in nurseries of this size, and what of it survived.
    allocated: usize,
    survived: usize,
    /// What survived, in thousandths, when the nursery had half the size.
    half: Option<usize>,
    /// Judgements to come before twice the size is tried, and what survived, in thousandths, when it was of no use.
    patience: Patience,
    given_up: usize,
}

impl NurserySize {
    /// Tries twice the size when much survives, and keeps it if less does then.
    fn learn(&mut self, config: &Config, report: &Report) {
        self.allocated += report.allocated_bytes;
        self.survived += report.promoted_bytes;
        let most = config.nursery_bytes.saturating_mul(config.nursery_growth as usize).min(report.old_bytes);
        if self.bytes > most.max(config.nursery_bytes) {
            return self.resize(most.max(config.nursery_bytes), None);
        }
        if self.allocated < NURSERIES_JUDGED * self.bytes && self.survived < NURSERIES_SURVIVED * self.bytes {
            return;
        }
        let share = self.survived.saturating_mul(1000) / self.allocated.max(1);
        if share * 100 > self.given_up * (100 + MORE_PERCENT) {
            self.patience = Patience::default();
        }
        let useful = self.half.map(|half| share * 100 <= half * (100 - BETTER_PERCENT));
        if useful == Some(true) {
            self.patience.reward();
        }
        if useful == Some(false) {
            self.resize(self.bytes / 2, None);
            self.patience.renew(PATIENCE);
            self.given_up = share;
        } else if share * 100 < MUCH_PERCENT * 1000 / 4 {
            self.resize((self.bytes / 2).max(config.nursery_bytes), None);
        } else if share * 100 > MUCH_PERCENT * 1000 && self.patience.is_over() && self.bytes * 2 <= most {
            self.resize(self.bytes * 2, Some(share));
        } else {
            self.resize(self.bytes, None);
        }
        self.patience.pass();
    }

    fn resize(&mut self, bytes: usize, half: Option<usize>) {
        *self = NurserySize { bytes, half, allocated: 0, survived: 0, ..*self };
    }
}

/// What a collection traced, and the bits of the blocks it compared: a thousand references from one table, each to a structure
/// in a block of its own, are few bytes that are traced, but a thousand blocks.
fn recurring_bytes(config: &Config, report: &Report) -> usize {
    report.traced_bytes + report.blocks_diffed * (config.block_bytes.granules() / 8)
}

/// The nursery follows what is traced, or compared, again and again. Where that is by short collections, only as far as it may
/// grow anyway.
fn following(config: &Config, recurring: usize, mostly_short: bool) -> usize {
    let bytes = percent(recurring, config.nursery_percent_of_traced);
    let most = config.nursery_bytes.saturating_mul(config.nursery_growth as usize);
    if mostly_short { bytes.min(most) } else { bytes }
}

/// How many bytes may be allocated before a collection is due, if it should be `wanted`, beside blocks of `block_bytes`: it
/// keeps away from the limit.
fn trigger(config: &Config, wanted: usize, block_bytes: usize) -> usize {
    match config.limit_bytes {
        None => wanted,
        Some(limit) => wanted.min((limit.saturating_sub(block_bytes) / 2).max(TRIGGER_BYTES_MIN)),
    }
}

/// Complete collections are held, although short ones might be, while they trace less than that.
fn cheap_bytes(config: &Config, nursery: usize) -> usize {
    percent(nursery, config.cheap_percent)
}

/// The size, a little more or less. Multiples of the golden ratio fill the range evenly, and never come round.
fn varied(bytes: usize, turn: u32) -> usize {
    const GOLDEN: u32 = 0x9e37_79b9;
    let share = u64::from(turn.wrapping_mul(GOLDEN));
    let range = bytes / VARIATION * 2;
    bytes - bytes / VARIATION + ((range as u64 * (share >> 16)) >> 16) as usize
}

fn percent(bytes: usize, percent: u32) -> usize {
    (bytes / 100).saturating_mul(percent as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;

    fn after_complete(config: &Config, old_bytes: usize, traced_bytes: usize) -> Pacer {
        let mut pacer = Pacer::new(config);
        pacer.learn(config, &Report { old_bytes, traced_bytes, block_bytes: old_bytes, ..Report::default() });
        pacer
    }

    #[test]
    fn the_nursery_follows_the_traced_part_and_keeps_away_from_the_limit() {
        let config = Config {
            nursery_bytes: MIB,
            nursery_growth: 1,
            nursery_percent_of_traced: 50,
            ..Config::DEFAULT
        };
        assert_eq!(after_complete(&config, 0, 0).trigger, MIB);
        assert_eq!(after_complete(&config, 100 * MIB, 100 * MIB).trigger, 50 * MIB);
        let limited = Config { limit_bytes: Some(3 * MIB), ..config };
        assert_eq!(after_complete(&limited, 2 * MIB, 0).trigger, MIB / 2);
        assert_eq!(after_complete(&limited, 3 * MIB, 0).trigger, TRIGGER_BYTES_MIN);
    }

    #[test]
    fn the_nursery_follows_the_blocks_that_are_compared() {
        let config = Config { nursery_bytes: MIB, nursery_growth: 1, ..Config::DEFAULT };
        let mut pacer = Pacer::new(&config);
        let report = Report { blocks_diffed: 10_000, old_bytes: 300 * MIB, ..Report::default() };
        pacer.learn(&config, &report);
        assert_eq!(pacer.trigger, percent(10_000 * 256, config.nursery_percent_of_traced));
        let short = Config { short_collections: true, ..config };
        assert_eq!(pacer.choose(&short, Request::Auto, 300 * MIB, 0), Kind::Short);
    }

    /// Lets collections come, of which `survivors` says how much of the nursery survives, and tells the last nursery.
    fn filled(pacer: &mut Pacer, config: &Config, times: usize, survivors: impl Fn(usize) -> usize) -> usize {
        for _ in 0..times {
            let (allocated_bytes, promoted_bytes) = (pacer.trigger, survivors(pacer.trigger));
            let report =
                Report { old_bytes: 100 * MIB, allocated_bytes, promoted_bytes, ..Report::default() };
            pacer.learn(config, &report);
        }
        pacer.nursery.bytes
    }

    #[test]
    fn the_nursery_grows_while_less_survives_for_it() {
        let config = Config { nursery_bytes: MIB, nursery_growth: 8, ..Config::DEFAULT };
        let mut pacer = Pacer::new(&config);
        assert_eq!(filled(&mut pacer, &config, 14, |_| MIB / 2), 4 * MIB);
        assert_eq!(filled(&mut pacer, &config, 100, |_| MIB / 2), 8 * MIB);
        assert_eq!(filled(&mut pacer, &config, 100, |_| 0), MIB);
        // What is built to stay survives in any nursery: a larger one is tried, and given up.
        let sizes: Vec<usize> = (0..100).map(|_| filled(&mut pacer, &config, 1, |bytes| bytes)).collect();
        assert!(sizes.iter().filter(|&&size| size == MIB).count() > 80 && sizes.contains(&(2 * MIB)));
        assert_eq!(*sizes.iter().max().expect("some"), 2 * MIB);
        // Less and less often, until much more survives than did.
        let trials = |pacer: &mut Pacer, survivors: fn(usize) -> usize| {
            (0..1000).filter(|_| filled(pacer, &config, 1, survivors) > MIB).count()
        };
        assert!((1..40).contains(&trials(&mut pacer, |bytes| bytes)));
        let mut pacer = Pacer::new(&config);
        trials(&mut pacer, |bytes| bytes / 5);
        assert_eq!(
            (
                filled(&mut pacer, &config, 40, |bytes| bytes / 5),
                pacer.nursery.patience.last > *PATIENCE.start()
            ),
            (MIB, true)
        );
        assert_eq!(filled(&mut pacer, &config, 14, |_| MIB / 2), 4 * MIB);
    }

    #[test]
    fn what_was_of_use_at_last_is_soon_tried_again() {
        let config = Config { nursery_bytes: MIB, nursery_growth: 8, ..Config::DEFAULT };
        let mut pacer = Pacer::new(&config);
        // A fifth survives in any nursery, and twice the size is given up for longer and longer; then it pays.
        filled(&mut pacer, &config, 400, |bytes| bytes / 5);
        assert!(pacer.nursery.patience.last > *PATIENCE.start());
        filled(&mut pacer, &config, 1000, |_| MIB / 5);
        assert_eq!(pacer.nursery.patience.last, 0);
    }

    #[test]
    fn a_size_is_judged_early_when_nearly_all_survives() {
        let config = Config { nursery_bytes: MIB, nursery_growth: 8, ..Config::DEFAULT };
        let mut pacer = Pacer::new(&config);
        assert_eq!(filled(&mut pacer, &config, 4, |bytes| bytes), 2 * MIB);
    }

    #[test]
    fn the_nursery_follows_what_short_collections_trace_within_bounds() {
        let config = Config {
            nursery_bytes: MIB,
            nursery_growth: 4,
            nursery_percent_of_traced: 300,
            short_collections: true,
            ..Config::DEFAULT
        };
        let trigger = |kind, traced_bytes| {
            let mut pacer = Pacer::new(&config);
            pacer.learn(&config, &Report { kind, traced_bytes, old_bytes: 100 * MIB, ..Report::default() });
            pacer.trigger
        };
        assert_eq!(trigger(Kind::Short, MIB), percent(MIB, 300));
        assert_eq!(trigger(Kind::Short, 100 * MIB), 4 * MIB);
        // What a complete one traced is not traced again soon.
        assert!(trigger(Kind::Complete, 100 * MIB) < 2 * MIB);
    }

    #[test]
    fn the_nursery_is_not_larger_than_the_old_generation() {
        let config = Config { nursery_bytes: MIB, ..Config::DEFAULT };
        let mut pacer = Pacer::new(&config);
        assert!(filled(&mut pacer, &config, 100, |_| MIB / 2) > 3 * MIB);
        pacer.learn(&config, &Report { old_bytes: 3 * MIB, ..Report::default() });
        assert_eq!(pacer.nursery.bytes, 3 * MIB);
    }

    #[test]
    fn no_two_nurseries_on_end_have_the_same_size() {
        let sizes: Vec<usize> = (0..1000).map(|turn| varied(8 * MIB, turn)).collect();
        assert!(sizes.iter().all(|size| (7 * MIB..9 * MIB).contains(size)));
        assert!(sizes.windows(2).all(|two| two[0].abs_diff(two[1]) > MIB / 2));
        let mut pacer = Pacer::new(&Config::DEFAULT);
        let mut next = || {
            pacer.learn(&Config::DEFAULT, &Report::default());
            pacer.trigger
        };
        assert_ne!(next(), next());
        let mean = sizes.iter().sum::<usize>() / sizes.len();
        assert!(mean.abs_diff(8 * MIB) < MIB / 16, "{mean}");
    }

    #[test]
    fn in_a_lull_a_collection_is_due_a_little_early() {
        let config = Config { nursery_bytes: MIB, nursery_growth: 1, ..Config::DEFAULT };
        assert_eq!(after_complete(&config, 0, 0).early_trigger(), MIB / 4 * 3);
    }

    #[test]
    fn short_collections_are_held_when_complete_ones_cost_too_much() {
        let config = Config { nursery_bytes: MIB, short_collections: true, ..Config::DEFAULT };
        let choose = |pacer: &Pacer, now| pacer.choose(&config, Request::Auto, now, 0);
        let cheap = after_complete(&config, 10 * MIB, MIB / 8);
        assert_eq!(choose(&cheap, 10 * MIB), Kind::Complete);
        assert_eq!([0, 1].map(|more| choose(&cheap, 11 * MIB + more)), [Kind::Complete, Kind::Short]);
        let dear = after_complete(&config, 10 * MIB, 5 * MIB);
        assert_eq!(choose(&dear, 10 * MIB), Kind::Short);
        assert_eq!(choose(&dear, 15 * MIB), Kind::Complete);
        let half = percent(10 * MIB, config.growth_percent);
        assert_eq!(
            [half - 1, half].map(|more| choose(&dear, 10 * MIB + more)),
            [Kind::Short, Kind::Complete]
        );
        // What a short one traces says nothing of what a complete one will.
        let mut still_dear = after_complete(&config, 10 * MIB, 5 * MIB);
        still_dear.learn(&config, &Report { kind: Kind::Short, old_bytes: 14 * MIB, ..Report::default() });
        assert_eq!(choose(&still_dear, 14 * MIB), Kind::Short);
        assert_eq!(choose(&still_dear, 15 * MIB), Kind::Complete);
        assert_eq!(dear.choose(&config, Request::Complete, 0, 0), Kind::Complete);
        let never = Config { growth_bytes: usize::MAX, ..config.clone() };
        assert_eq!(dear.choose(&never, Request::Auto, 100 * MIB, 0), Kind::Short);
        let near = Config { limit_bytes: Some(16 * MIB), ..config };
        let used = [0, 1].map(|more| dear.choose(&near, Request::Auto, 10 * MIB, 14 * MIB + more));
        assert_eq!(used, [Kind::Short, Kind::Complete]);
    }

    #[test]
    fn where_most_is_written_short_collections_are_tried_more_and_more_seldom() {
        let config = Config { nursery_bytes: MIB, short_collections: true, ..Config::DEFAULT };
        let mut pacer = after_complete(&config, 10 * MIB, 8 * MIB);
        let mut last = Kind::Short;
        // What is chosen a hundred times, where so much is written each time.
        let mut kinds = |touched_bytes: usize| -> Vec<Kind> {
            let mut next = || {
                let kind = pacer.choose(&config, Request::Auto, 10 * MIB, 0);
                let in_vain = last == Kind::Complete && pacer.notices_writes && kind == Kind::Complete;
                assert!(!in_vain, "writes were noticed for nothing");
                last = kind;
                let noticed = pacer.should_notice_writes(&config, Request::Auto, kind, false);
                assert!(noticed || kind == Kind::Complete);
                pacer.notices_writes = noticed;
                let (old_bytes, traced_bytes) = (10 * MIB, 8 * MIB);
                let report = match kind {
                    Kind::Complete => Report { kind, old_bytes, traced_bytes, ..Report::default() },
                    Kind::Short => Report { kind, old_bytes, touched_bytes, ..Report::default() },
                };
                pacer.learn(&config, &report);
                kind
            };
            (0..100).map(|_| next()).collect()
        };
        assert!(kinds(MIB).iter().all(|&kind| kind == Kind::Short));
        let in_vain = kinds(7 * MIB);
        let runs: Vec<usize> = in_vain.chunk_by(|one, next| one == next).map(<[Kind]>::len).collect();
        assert_eq!(runs[..8], [1, 2, 1, 4, 1, 8, 1, 16]);
        let later = kinds(MIB);
        assert!(later[..64].contains(&Kind::Short) && later[64..].iter().all(|&kind| kind == Kind::Short));
        // It was of use: from then on it is as if it always had been.
        assert_eq!(kinds(7 * MIB)[..5].iter().filter(|&&kind| kind == Kind::Short).count(), 2);
    }

    #[test]
    fn the_nursery_follows_complete_collections_while_short_ones_are_of_no_use() {
        let config =
            Config { nursery_bytes: MIB, nursery_growth: 1, short_collections: true, ..Config::DEFAULT };
        let mut pacer = after_complete(&config, 10 * MIB, 8 * MIB);
        assert_eq!(pacer.trigger, MIB);
        pacer.learn(&config, &Report { kind: Kind::Short, touched_bytes: 8 * MIB, ..Report::default() });
        pacer.learn(&config, &Report { old_bytes: 10 * MIB, traced_bytes: 8 * MIB, ..Report::default() });
        assert_eq!(pacer.trigger, percent(8 * MIB, config.nursery_percent_of_traced));
    }

    #[test]
    fn writes_are_noticed_only_where_a_short_collection_may_follow() {
        let config = Config { nursery_bytes: MIB, short_collections: true, ..Config::DEFAULT };
        let notices = |pacer: &Pacer, config| {
            [Request::Auto, Request::Short, Request::Complete]
                .map(|request| pacer.should_notice_writes(config, request, Kind::Complete, false))
        };
        let cheap = after_complete(&config, 10 * MIB, MIB / 16);
        assert_eq!(notices(&cheap, &config), [false, true, true]);
        assert!(cheap.should_notice_writes(&config, Request::Auto, Kind::Short, false));
        let half = cheap_bytes(&config, MIB) / 2;
        let [cheaper, dear] = [half - 1, half].map(|bytes| after_complete(&config, 10 * MIB, bytes));
        assert_eq!([cheaper, dear].map(|pacer| notices(&pacer, &config)[0]), [false, true]);
        assert_eq!(notices(&Pacer::new(&config), &config), [true; 3], "nothing is known");
        let complete_only = Config { short_collections: false, ..config.clone() };
        assert_eq!(notices(&Pacer::new(&complete_only), &complete_only), [false; 3]);
        let recorded = |config| cheap.should_notice_writes(config, Request::Auto, Kind::Complete, true);
        assert!(recorded(&config) && recorded(&complete_only), "a trace tells of every write");
        assert_eq!(Pacer::new(&complete_only).choose(&complete_only, Request::Short, 0, 0), Kind::Complete);
        // If none was noticed, no collection can be short.
        let unnoticed = Pacer { notices_writes: false, ..cheap };
        assert_eq!(unnoticed.choose(&config, Request::Short, 0, 0), Kind::Complete);
    }
}
