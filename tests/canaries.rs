//! For every fault that a broken collector can be told to commit, and every illegal order of its steps, the histories
//! find it soon, and what is left after shrinking is short. So a collector that passes them has none of these faults.
//!
//! A broken collector may take its process with it. Each fault is therefore hunted in a process of its own; if
//! that dies, the hunt begins again from other seeds.

use std::process::Command;

use frazil::Fault;
use fuzz::campaign::{Campaign, attempt};
use fuzz::coverage::Event;
use fuzz::faults::Defect;
use fuzz::history::Setup;
use fuzz::run::Judge;

/// Within so many histories each fault must be found. Most are found by the first.
const HISTORIES: u64 = 30;
/// The same for illegal orders. Most are found by the first; what was left waiting is drained too early in one of some
/// hundreds.
const HISTORIES_OF_ORDERS: u64 = 3000;
/// So few steps must be left of the history that finds it.
const STEPS: usize = 10;
/// The first seed of each attempt.
const SEEDS: [u64; 4] = [42_000_000, 43_000_000, 44_000_000, 45_000_000];
/// Tells the process of a hunt what it is after.
const HUNT: &str = "FRAZIL_CANARY";

fn name(judge: Judge) -> &'static str {
    if judge == Judge::Verifier { "verifier" } else { "shadow" }
}

/// Hunts `fault` in a process of its own, which runs [`one_fault`].
fn hunt(fault: Defect, judge: Judge) {
    let this = std::env::current_exe().expect("a test knows its own file");
    for seed in SEEDS {
        let mut hunt = Command::new(&this);
        hunt.args(["--ignored", "--exact", "one_fault"]);
        hunt.env(HUNT, format!("{} {} {seed}", fault.name(), name(judge)));
        let output = hunt.output().expect("the process starts");
        if cfg!(frazil_asan) && String::from_utf8_lossy(&output.stderr).contains("AddressSanitizer") {
            return; // found by the sanitizer, which ends the process before any judge sees the heap
        }
        match output.status.code() {
            Some(0) => return,
            Some(_) => panic!("{}", String::from_utf8_lossy(&output.stdout)),
            None => {} // killed by a signal
        }
    }
    panic!("{fault:?} takes the process with it before it is found, from all of {SEEDS:?}");
}

#[test]
#[ignore = "it is run by the others, in processes of their own"]
fn one_fault() {
    let hunt = std::env::var(HUNT).expect("set by the process that hunts");
    let words: Vec<&str> = hunt.split(' ').collect();
    let fault = Defect::named(words[0]).expect("a defect");
    let judge = [Judge::Shadow, Judge::Verifier].into_iter().find(|&judge| name(judge) == words[1]);
    let seed: u64 = words[2].parse().expect("a seed");

    // In the checking mode the heap would call the verifier itself, whoever is the judge.
    let adjust = |_, setup: &mut Setup| setup.check = false;
    let judge = judge.expect("a judge");
    let histories = if matches!(fault, Defect::Order(_)) { HISTORIES_OF_ORDERS } else { HISTORIES };
    let campaign = Campaign { fault: Some(fault), judge, adjust, ..Campaign::new(seed, histories) };
    let found = campaign.run().err().unwrap_or_else(|| panic!("{fault:?} goes unnoticed"));
    assert!(found.small.steps.len() <= STEPS, "{fault:?} is not shrunk enough: {found}");
    assert!(found.small_failure.is_some(), "{fault:?} is not found again: {found}");
    let sound = attempt(&found.small, Judge::Both, None);
    assert_eq!(sound.err(), None, "without {fault:?} the same history passes: {found}");
}

#[test]
fn the_shadow_finds_every_fault() {
    for fault in Defect::all() {
        hunt(fault, Judge::Shadow);
    }
}

#[test]
fn the_verifier_finds_every_fault_of_one_heap() {
    for fault in Fault::ALL {
        hunt(Defect::Fault(fault), Judge::Verifier);
    }
}

/// The machinery finds nothing where nothing is wrong. (`histories.rs` says so of many more.)
#[test]
fn a_sound_collector_passes() {
    for seed in SEEDS {
        let coverage = Campaign::new(seed, HISTORIES).run().unwrap_or_else(|found| panic!("{found}"));
        assert!(coverage.of(Event::Promoted) > 0);
    }
}
