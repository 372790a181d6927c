//! A small deterministic source of numbers, so that a seed means the same history everywhere and for ever.

/// SplitMix64 (Steele, Lea and Flood, 2014): one addition and a mix; good enough to choose steps, and there is
/// no bad seed.
///
/// It may be given bytes, too: then each choice takes as many of them as it needs, in order, until none are left. So a
/// fuzzer that changes a byte changes a choice.
#[derive(Clone, Debug)]
pub struct Random {
    state: u64,
    bytes: std::vec::IntoIter<u8>,
}

impl Random {
    /// The source that starts from `seed`.
    pub fn new(seed: u64) -> Random {
        Random { state: seed, bytes: Vec::new().into_iter() }
    }

    /// The source of these bytes, which goes on like that of seed 0 when they are used up.
    pub fn of_bytes(bytes: impl Into<Vec<u8>>) -> Random {
        Random { state: 0, bytes: bytes.into().into_iter() }
    }

    /// A number made of the next bytes, as many as numbers below `bound` need; `None` if there are none left.
    fn taken(&mut self, bound: u32) -> Option<u32> {
        let mut number = u32::from(self.bytes.next()?);
        let mut covered = 1u64 << 8;
        while covered < u64::from(bound) {
            number = number << 8 | u32::from(self.bytes.next().unwrap_or(0));
            covered <<= 8;
        }
        Some(number % bound)
    }

    /// The next number, any of 2^64.
    pub fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which is above zero. (The bias is below 2^-40 for the bounds used here.)
    pub fn below(&mut self, bound: u32) -> u32 {
        if let Some(number) = self.taken(bound) {
            return number;
        }
        ((u128::from(self.bits()) * u128::from(bound)) >> 64) as u32
    }

    /// A number from `low` to `high`, both included.
    pub fn range(&mut self, low: u32, high: u32) -> u32 {
        low + self.below(high - low + 1)
    }

    /// `true` in `percent` of a hundred cases.
    pub fn chance(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }

    /// One of `items`.
    pub fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len() as u32) as usize]
    }

    /// An index, each with a chance in proportion to its weight. Some weight is above zero.
    pub fn weighted(&mut self, weights: &[u32]) -> usize {
        let mut left = self.below(weights.iter().sum());
        for (index, &weight) in weights.iter().enumerate() {
            if left < weight {
                return index;
            }
            left -= weight;
        }
        unreachable!("`left` is below the sum of the weights")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_means_the_same_numbers() {
        let mut random = Random::new(0);
        // The reference implementation's first outputs for seed 0.
        assert_eq!(random.bits(), 0xe220_a839_7b1d_cdaf);
        assert_eq!(random.bits(), 0x6e78_9e6a_a1b9_65f4);
        for _ in 0..1000 {
            assert!(random.below(7) < 7);
            assert!((3..=5).contains(&random.range(3, 5)));
            assert_ne!(random.weighted(&[1, 0, 2]), 1);
        }
    }

    #[test]
    fn bytes_are_choices_in_their_order() {
        let mut random = Random::of_bytes([7, 1, 2, 9]);
        assert_eq!((random.below(4), random.below(1000), random.below(256)), (3, 258, 9));
        let mut zero = Random::new(0);
        assert_eq!(random.below(1 << 30), zero.below(1 << 30));
    }
}
