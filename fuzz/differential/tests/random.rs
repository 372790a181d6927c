//! Both parsers on programs made up at random, and on real ones with a few tokens changed.
//!
//! `FRAZIL_TEXTS` says how many changed texts (20,000), `FRAZIL_SEED` from where on (1).

use std::env;

use frazil_fuzz_differential::corpus::{Text, chunks, deep, examples, programs, shared};

use frazil_fuzz_differential::tally::Tally;
use fuzz::program::make;
use fuzz::random::Random;
use fuzz::texts::mutate::{excerpt, mutate};

fn setting(name: &str, usual: u64) -> u64 {
    env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

#[test]
fn random_programs() {
    deep(|| {
        let mut tally = Tally::default();
        for seed in 0..500 {
            for module in make(seed).program.modules {
                tally.add(&format!("seed {seed}, {}", module.name), &module.text());
            }
        }
        tally.conclude("random programs");
        // Now and then one makes a mistake, which both must find.
        assert!(tally.accepted > 20 * tally.refused, "random programs are refused");
    });
}

#[test]
fn changed_programs() {
    deep(|| {
        let mut sources: Vec<Text> = examples();
        for folder in ["inputs", "suites"] {
            sources.extend(shared(folder).iter().flat_map(|folder| chunks(&programs(folder))));
        }
        let (texts, seed) = (setting("FRAZIL_TEXTS", 20_000), setting("FRAZIL_SEED", 1));
        let mut tally = Tally::default();
        for number in seed..seed + texts {
            let mut random = Random::new(number);
            let source = &sources[random.below(sources.len() as u32) as usize];
            let text = mutate(excerpt(&source.text, &mut random), &mut random);
            tally.add(&format!("{number}, from {}: {text:?}", source.name), &text);
        }
        tally.conclude("changed programs");
        assert!(tally.accepted > texts / 20 && tally.refused > texts / 20, "one-sided: {tally}");
    });
}
