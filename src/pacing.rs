//! When to collect, and which kind of collection: a policy of three numbers and the settings, apart from the
//! mechanism. Everything is in bytes.

use crate::stats::{Kind, Report};
use crate::tuning::Config;

/// Which collection is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// The heap's policy chooses.
    Auto,
    /// Roots, touched objects and young survivors only.
    Short,
    /// Everything: nothing unreachable is left (unless the drain works in instalments).
    Complete,
}

/// However near the limit is, a collection is not due before so many bytes.
const TRIGGER_BYTES_MIN: usize = 16 << 10;

/// What the policy remembers.
#[derive(Debug)]
pub(crate) struct Pacer {
    /// Bytes that may be allocated before a collection is due. Written at the end of each collection.
    pub trigger: usize,
    /// Bytes of old objects after the last complete collection.
    old_bytes: usize,
    /// Bytes that the last complete collection traced.
    traced_bytes: usize,
}

impl Pacer {
    pub fn new(config: &Config) -> Pacer {
        Pacer { trigger: trigger(config, 0, 0), old_bytes: 0, traced_bytes: 0 }
    }

    /// Complete while there is little to trace or the limit is near; otherwise short, if the host allows it,
    /// until the old generation has grown. `old_bytes` are those of old objects now, `used_bytes` what counts
    /// against the limit.
    pub fn choose(&self, config: &Config, request: Request, old_bytes: usize, used_bytes: usize) -> Kind {
        if request == Request::Complete || !config.short_collections {
            return Kind::Complete;
        }
        if request == Request::Short {
            return Kind::Short;
        }
        let growth = percent(self.old_bytes, config.growth_percent).max(config.growth_bytes);
        let grown = old_bytes >= self.old_bytes + growth;
        // Cheap as the last one was: with too much new since then, the next one might not be.
        let cheap = self.traced_bytes < percent(config.nursery_bytes, config.cheap_percent)
            && old_bytes <= self.old_bytes + config.nursery_bytes;
        let near_limit = config.limit_bytes.is_some_and(|limit| used_bytes > limit / 8 * 7);
        if cheap || grown || near_limit { Kind::Complete } else { Kind::Short }
    }

    /// Learns from a collection when the next one is due.
    pub fn learn(&mut self, config: &Config, report: &Report) {
        if report.kind == Kind::Complete {
            self.old_bytes = report.old_bytes;
            self.traced_bytes = report.traced_bytes;
        }
        self.trigger = trigger(config, report.traced_bytes, report.block_bytes);
    }
}

/// How many bytes may be allocated before a collection is due, after one that traced `traced_bytes` and left
/// blocks of `block_bytes`: the nursery follows the traced part (unless short collections save the tracing),
/// but keeps away from the limit.
fn trigger(config: &Config, traced_bytes: usize, block_bytes: usize) -> usize {
    let following = percent(traced_bytes, config.nursery_percent_of_traced);
    let wanted = config.nursery_bytes.max(if config.short_collections { 0 } else { following });
    match config.limit_bytes {
        None => wanted,
        Some(limit) => wanted.min((limit.saturating_sub(block_bytes) / 2).max(TRIGGER_BYTES_MIN)),
    }
}

fn percent(bytes: usize, percent: u32) -> usize {
    bytes / 100 * percent as usize
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
        let config = Config { nursery_bytes: MIB, nursery_percent_of_traced: 50, ..Config::DEFAULT };
        assert_eq!(after_complete(&config, 0, 0).trigger, MIB);
        assert_eq!(after_complete(&config, 100 * MIB, 100 * MIB).trigger, 50 * MIB);
        let limited = Config { limit_bytes: Some(3 * MIB), ..config };
        assert_eq!(after_complete(&limited, 2 * MIB, 0).trigger, MIB / 2);
        assert_eq!(after_complete(&limited, 3 * MIB, 0).trigger, TRIGGER_BYTES_MIN);
    }

    #[test]
    fn short_collections_are_held_when_complete_ones_cost_too_much() {
        let config = Config { nursery_bytes: MIB, short_collections: true, ..Config::DEFAULT };
        let choose = |pacer: &Pacer, now| pacer.choose(&config, Request::Auto, now, 0);
        let cheap = after_complete(&config, 10 * MIB, MIB / 8);
        assert_eq!(choose(&cheap, 10 * MIB), Kind::Complete);
        let dear = after_complete(&config, 10 * MIB, 5 * MIB);
        assert_eq!(choose(&dear, 10 * MIB), Kind::Short);
        assert_eq!(choose(&dear, 15 * MIB), Kind::Complete);
        assert_eq!(dear.choose(&config, Request::Complete, 0, 0), Kind::Complete);
        let near = Config { limit_bytes: Some(16 * MIB), ..config };
        assert_eq!(dear.choose(&near, Request::Auto, 10 * MIB, 15 * MIB), Kind::Complete);
    }
}
