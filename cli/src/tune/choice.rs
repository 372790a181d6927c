//! Settings to choose from.

use std::fmt;

use frazil::{BlockBytes, Config, Drain};

use crate::options::run::INSTALMENTS;

/// The smallest nursery that is tried.
pub const NURSERY_MIN: usize = 64 << 10;
/// Nursery sizes that are tried: each twice the one before.
const NURSERIES: usize = 9;

/// One of the settings that are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Choice {
    /// Bytes of the nursery.
    pub nursery: usize,
    /// Bytes of a block.
    pub block: BlockBytes,
    /// Are the dead released in instalments?
    pub instalments: bool,
}

impl Choice {
    /// What is chosen in `config`.
    pub fn of(config: &Config) -> Choice {
        Choice {
            nursery: config.nursery_bytes,
            block: config.block_bytes,
            instalments: config.drain != Drain::All,
        }
    }

    /// Every nursery size with every block size, and `drain` as it is in `like`; only each `sparse`-th nursery and
    /// block size. The largest nursery and block size are among them.
    pub fn grid(like: Choice, sparse: (usize, usize)) -> Vec<Choice> {
        let nurseries = (0..NURSERIES).rev().step_by(sparse.0).map(|shift| NURSERY_MIN << shift);
        let blocks = || BlockBytes::ALL.into_iter().rev().step_by(sparse.1);
        nurseries.flat_map(|nursery| blocks().map(move |block| Choice { nursery, block, ..like })).collect()
    }

    /// Those that differ by one step in one size.
    pub fn neighbours(self) -> Vec<Choice> {
        let at = BlockBytes::ALL.iter().position(|&block| block == self.block).unwrap_or(0);
        let blocks = [at.checked_sub(1), Some(at + 1)].into_iter().flatten();
        let blocks = blocks.filter_map(|at| BlockBytes::ALL.get(at)).map(|&block| Choice { block, ..self });
        let nurseries = [self.nursery / 2, self.nursery * 2];
        let allowed = NURSERY_MIN..=NURSERY_MIN << (NURSERIES - 1);
        let nurseries = nurseries.into_iter().filter(|nursery| allowed.contains(nursery));
        blocks.chain(nurseries.map(|nursery| Choice { nursery, ..self })).collect()
    }

    /// The same with the other way of releasing the dead.
    pub fn other_drain(self) -> Choice {
        Choice { instalments: !self.instalments, ..self }
    }

    /// The options of `frazil run` that make it so.
    pub fn options(self) -> [String; 3] {
        [
            format!("--nursery={}", size(self.nursery)),
            format!("--block={}", size(self.block.get())),
            format!("--drain={}", self.drain_name()),
        ]
    }

    /// How the dead are released.
    pub fn drain_name(self) -> &'static str {
        if self.instalments { "instalments" } else { "all" }
    }

    /// The same for an embedder.
    pub fn source(self) -> String {
        let drain = match (self.instalments, INSTALMENTS) {
            (true, Drain::Instalments { objects_per_kib, micros_max }) => {
                format!(
                    "Drain::Instalments {{ objects_per_kib: {objects_per_kib}, micros_max: {micros_max} }}"
                )
            }
            _ => "Drain::All".to_owned(),
        };
        let (kib, block) = (self.nursery >> 10, self.block.get() >> 10);
        format!("nursery_bytes: {kib} << 10, block_bytes: BlockBytes::K{block}, drain: {drain}")
    }
}

/// As short as it can be said.
impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let drain = if self.instalments { ", instalments" } else { "" };
        write!(f, "nursery {}, block {}{drain}", size(self.nursery), size(self.block.get()))
    }
}

/// A size as it is written in an option.
pub fn size(bytes: usize) -> String {
    match bytes {
        _ if bytes >= 1 << 20 && bytes.is_multiple_of(1 << 20) => format!("{}m", bytes >> 20),
        _ if bytes >= 1 << 10 && bytes.is_multiple_of(1 << 10) => format!("{}k", bytes >> 10),
        _ => bytes.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grid_has_every_size_and_a_sparse_one_its_ends() {
        let default = Choice::of(&starlark::CONFIG);
        let grid = Choice::grid(default, (1, 1));
        assert_eq!((grid.len(), grid.contains(&default)), (36, true));
        let sparse = Choice::grid(default, (2, 3));
        assert_eq!(sparse.len(), 10);
        assert!(sparse.iter().all(|choice| grid.contains(choice)));
        for nursery in [64 << 10, 16 << 20] {
            assert!(sparse.iter().any(|choice| choice.nursery == nursery));
        }
    }

    #[test]
    fn neighbours_are_near_and_within_bounds() {
        let corner = Choice { nursery: NURSERY_MIN, block: BlockBytes::K32, instalments: false };
        let near = corner.neighbours();
        assert_eq!(near.len(), 2);
        assert!(near.contains(&Choice { nursery: 128 << 10, ..corner }));
        assert!(near.contains(&Choice { block: BlockBytes::K16, ..corner }));
    }

    #[test]
    fn a_choice_can_be_applied() {
        let choice = Choice { nursery: 512 << 10, block: BlockBytes::K8, instalments: true };
        assert_eq!(choice.options(), ["--nursery=512k", "--block=8k", "--drain=instalments"]);
        assert_eq!(choice.to_string(), "nursery 512k, block 8k, instalments");
        assert!(
            choice.source().contains("512 << 10, block_bytes: BlockBytes::K8, drain: Drain::Instalments")
        );
    }
}
