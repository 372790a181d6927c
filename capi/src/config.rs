//! The settings of a heap.

use frazil::{BlockBytes, Config, Drain};

use crate::call::plain;
use crate::error::{Outcome, frazil_status, frazil_status::*, refuse};
use crate::pointer::{Out, check_size, wanted};

/// The settings of a heap. Start from [`frazil_config_default`].
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct frazil_config {
    /// Bytes of an old block: 4096, 8192, 16384 or 32768.
    pub block_bytes: usize,
    /// Bytes allocated between two collections, at least, give or take an eighth: 1 KiB to 1 TiB.
    pub nursery_bytes: usize,
    /// Bytes that nursery and old blocks may take together, at least 256 KiB; 0: as many as the system gives.
    pub limit_bytes: usize,
    /// Words of the root stack, at most 2^32. Memory is taken when it is used.
    pub stack_words: usize,
    /// While many objects survive, the nursery grows, up to so many times its bytes; 1: it keeps its size.
    pub nursery_growth: u32,
    /// A complete collection is due when the bytes allocated reach this many percent of those that the last one traced.
    pub nursery_percent_of_traced: u32,
    /// 1: the heap may hold short collections, and every store of the host's own must be preceded by the write test.
    pub short_collections: u32,
    /// With short collections: complete ones are held all the same while they trace less than this many percent of
    /// the nursery's bytes.
    pub cheap_percent: u32,
    /// With short collections: a complete one follows when the old generation has grown by this many percent.
    pub growth_percent: u32,
    /// Bytes it may always grow by.
    pub growth_bytes: usize,
    /// Dead objects released per KiB allocated, at the end of a collection; 0: all.
    pub drain_objects_per_kib: u32,
    /// The longest time that may take, in microseconds. Without meaning if all are released.
    pub drain_micros_max: u32,
    /// The largest count outside of the overflow table, 1 to 253. Small values test the overflow.
    pub count_max: u32,
    /// Immutable structures of at least so many objects are counted as one, as long as nothing refers to their inside;
    /// 4294967295: none are.
    pub cluster_objects: u32,
    /// Larger ones are counted in several parts of about so many bytes.
    pub cluster_bytes: usize,
    /// 1: while the old generation grows, a thread of the process's own asks the system for the pages it will need. 0: none
    /// does.
    pub pages_ahead: u32,
    /// 1: checking mode. Slow.
    pub check: u32,
}

/// The settings that a host has chosen: null stands for the default.
///
/// # Errors
/// A wrong size, or a number out of its range.
pub(crate) fn chosen(config: Option<&frazil_config>, config_bytes: usize) -> Outcome<Config> {
    match config {
        Some(config) => {
            check_size::<frazil_config>(config_bytes)?;
            config.to_config()
        }
        None => Ok(Config::DEFAULT),
    }
}

/// What C says with a number, 0 or 1.
///
/// # Errors
/// It is another one.
pub(crate) fn yes(number: u32, name: &str) -> Outcome<bool> {
    match number {
        0 => Ok(false),
        1 => Ok(true),
        _ => refuse(FRAZIL_BAD_ARGUMENT, format!("`{name}` is {number}, neither 0 nor 1")),
    }
}

impl frazil_config {
    fn from_config(config: &Config) -> frazil_config {
        let (drain_objects_per_kib, drain_micros_max) = match config.drain {
            Drain::All => (0, 0),
            Drain::Instalments { objects_per_kib, micros_max } => (objects_per_kib, micros_max),
        };
        frazil_config {
            block_bytes: config.block_bytes.get(),
            nursery_bytes: config.nursery_bytes,
            limit_bytes: config.limit_bytes.unwrap_or(0),
            stack_words: config.stack_words,
            nursery_growth: config.nursery_growth,
            nursery_percent_of_traced: config.nursery_percent_of_traced,
            short_collections: config.short_collections.into(),
            cheap_percent: config.cheap_percent,
            growth_percent: config.growth_percent,
            growth_bytes: config.growth_bytes,
            drain_objects_per_kib,
            drain_micros_max,
            count_max: config.count_max.into(),
            cluster_objects: config.cluster_objects,
            cluster_bytes: config.cluster_bytes,
            pages_ahead: config.pages_ahead.into(),
            check: config.check.into(),
        }
    }

    /// The same for the collector.
    ///
    /// # Errors
    /// A number is out of its range. (Whether the settings agree is found out when the heap is made.)
    fn to_config(self) -> Outcome<Config> {
        let Some(block_bytes) = BlockBytes::from_bytes(self.block_bytes) else {
            return refuse(FRAZIL_BAD_CONFIG, format!("{} is no size of a block", self.block_bytes));
        };
        let Ok(count_max) = self.count_max.try_into() else {
            return refuse(FRAZIL_BAD_CONFIG, "counts in the table must reach at most 253");
        };
        Ok(Config {
            block_bytes,
            nursery_bytes: self.nursery_bytes,
            nursery_growth: self.nursery_growth,
            nursery_percent_of_traced: self.nursery_percent_of_traced,
            short_collections: yes(self.short_collections, "short_collections")?,
            cheap_percent: self.cheap_percent,
            growth_percent: self.growth_percent,
            growth_bytes: self.growth_bytes,
            limit_bytes: (self.limit_bytes != 0).then_some(self.limit_bytes),
            drain: match self.drain_objects_per_kib {
                0 => Drain::All,
                objects_per_kib => Drain::Instalments { objects_per_kib, micros_max: self.drain_micros_max },
            },
            count_max,
            cluster_objects: self.cluster_objects,
            cluster_bytes: self.cluster_bytes,
            pages_ahead: yes(self.pages_ahead, "pages_ahead")?,
            stack_words: self.stack_words,
            check: yes(self.check, "check")?,
            ..Config::DEFAULT
        })
    }
}

/// The settings for a program of ordinary size. `config_bytes` is `sizeof(frazil_config)`.
///
/// # Errors
/// `FRAZIL_NULL`, `FRAZIL_WRONG_SIZE`.
#[unsafe(no_mangle)]
pub extern "C" fn frazil_config_default(
    config: Out<'_, frazil_config>,
    config_bytes: usize,
) -> frazil_status {
    plain(|| {
        let config = wanted(config, "config")?;
        check_size::<frazil_config>(config_bytes)?;
        config.write(frazil_config::from_config(&Config::DEFAULT));
        Ok(())
    })
}

/// The settings for tests: everything that is rare is made common, and the heap checks itself.
///
/// # Errors
/// As [`frazil_config_default`].
#[unsafe(no_mangle)]
pub extern "C" fn frazil_config_stress(config: Out<'_, frazil_config>, config_bytes: usize) -> frazil_status {
    plain(|| {
        let config = wanted(config, "config")?;
        check_size::<frazil_config>(config_bytes)?;
        config.write(frazil_config::from_config(&Config::STRESS));
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_survive_the_way_to_c_and_back() {
        for config in [Config::DEFAULT, Config::STRESS] {
            assert_eq!(frazil_config::from_config(&config).to_config().unwrap(), config);
        }
        let drain = Drain::Instalments { objects_per_kib: 64, micros_max: 500 };
        let config = Config {
            drain,
            limit_bytes: Some(1 << 20),
            short_collections: true,
            pages_ahead: false,
            ..Config::DEFAULT
        };
        assert_eq!(frazil_config::from_config(&config).to_config().unwrap(), config);
    }
}
