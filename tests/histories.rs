//! Random histories under every setting, each compared with the shadow graph after every collection.
//!
//! The seeds are fixed, so that an ordinary test run means the same everywhere. Every test asserts that what it is
//! about has happened: a fuzzer that fuzzes nothing passes, too.

use frazil::BlockBytes;
use fuzz::campaign::Campaign;
use fuzz::coverage::{Coverage, Event};
use fuzz::history::Setup;
use fuzz::run::Judge;

/// Histories of each of the tests about one block size.
const MANY: u64 = 4000;
/// Histories of each of the others.
const SOME: u64 = 1000;

fn run(campaign: Campaign) -> Coverage {
    campaign.run().unwrap_or_else(|found| panic!("{found}"))
}

/// At least so many of each, in a thousand histories.
fn assert_common(coverage: &Coverage, events: &[(Event, u64)]) {
    for &(event, least) in events {
        let least = least * coverage.of(Event::History) / 1000;
        assert!(coverage.of(event) >= least, "not enough {}:\n{coverage}", event.text());
    }
}

/// As drawn, but with blocks of one size. Everything that can happen must.
fn block_size(number: u64, adjust: fn(u64, &mut Setup)) {
    let coverage = run(Campaign { adjust, ..Campaign::new(number * 1_000_000, MANY) });
    let missing: Vec<&str> = coverage.missing().map(Event::text).collect();
    assert!(missing.is_empty(), "never: {missing:?}");
    let common = [
        (Event::History, 1000),
        (Event::Complete, 5000),
        (Event::Short, 2000),
        (Event::Promoted, 50_000),
        (Event::Settled, 5000),
        (Event::Component, 250),
        (Event::Clustered, 2000),
        (Event::Dissolved, 500),
        (Event::Overflowed, 500),
        (Event::Touched, 2000),
        (Event::Large, 100),
        (Event::LeftWaiting, 100),
        (Event::FrozenYoung, 1000),
        (Event::FrozenOld, 200),
        (Event::WeakCleared, 500),
        (Event::Finalized, 500),
        (Event::Forgotten, 100),
        (Event::Floating, 1000),
    ];
    assert_common(&coverage, &common);
}

#[test]
fn blocks_of_4_kib() {
    block_size(1, |_, setup| setup.block = BlockBytes::K4);
}

#[test]
fn blocks_of_8_kib() {
    block_size(2, |_, setup| setup.block = BlockBytes::K8);
}

#[test]
fn blocks_of_16_kib() {
    block_size(3, |_, setup| setup.block = BlockBytes::K16);
}

#[test]
fn blocks_of_32_kib() {
    block_size(9, |_, setup| setup.block = BlockBytes::K32);
}

#[test]
fn complete_collections_only() {
    let coverage = run(Campaign { adjust: |_, setup| setup.short = false, ..Campaign::new(5_000_000, SOME) });
    assert_eq!(coverage.of(Event::Short), 0);
    assert_eq!(coverage.of(Event::Floating), 0);
}

#[test]
fn short_collections_mostly() {
    let adjust = |_, setup: &mut Setup| {
        (setup.short, setup.cheap_percent) = (true, 0);
        (setup.growth_percent, setup.growth_kib) = (10_000, 1 << 20);
    };
    let coverage = run(Campaign { adjust, ..Campaign::new(6_000_000, SOME) });
    assert_common(&coverage, &[(Event::Short, 5000), (Event::Touched, 3000), (Event::Floating, 10_000)]);
}

#[test]
fn instalments_of_one_object() {
    let coverage =
        run(Campaign { adjust: |_, setup| setup.instalment = 1, ..Campaign::new(7_000_000, SOME) });
    assert_common(&coverage, &[(Event::LeftWaiting, 500), (Event::Drained, 200), (Event::WeakRevived, 50)]);
}

#[test]
fn counts_of_one_overflow() {
    let coverage = run(Campaign { adjust: |_, setup| setup.count_max = 1, ..Campaign::new(8_000_000, SOME) });
    assert_common(&coverage, &[(Event::Overflowed, 2000)]);
}

#[test]
fn a_small_heap_limit() {
    let coverage =
        run(Campaign { adjust: |_, setup| setup.limit_kib = 256, ..Campaign::new(9_000_000, SOME) });
    assert_common(&coverage, &[(Event::Refused, 20)]);
}

#[test]
fn the_checking_mode() {
    run(Campaign { adjust: |_, setup| setup.check = true, ..Campaign::new(10_000_000, SOME) });
}

/// The shadow does not rely on the verifier, which shares some code with the collector.
#[test]
fn without_the_verifier() {
    let campaign = Campaign { judge: Judge::Shadow, ..Campaign::new(11_000_000, SOME) };
    run(Campaign { adjust: |_, setup| setup.check = false, ..campaign });
}
