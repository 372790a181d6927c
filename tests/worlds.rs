//! Groups of heaps: nothing that can be reached is lost, everything else is freed, and what breaks that is found.

use std::process::Command;

use frazil::Fault;
use fuzz::faults::Defect;
use fuzz::run::Judge;
use fuzz::worlds::campaign::Campaign;
use fuzz::worlds::play::Coverage;

/// Worlds in an ordinary run; `frazil fuzz --worlds` runs as many as you like.
const WORLDS: u64 = 600;
/// Within so many worlds each fault must be found.
const WORLDS_OF_FAULTS: u64 = 2000;
/// So few steps must be left of the world that finds it.
const STEPS: usize = 25;
/// Millions of seeds: the first of each attempt. A broken heap may take its process with it.
const SEEDS: std::ops::Range<u64> = 42..54;
/// Tells the process of a hunt what it is after.
const HUNT: &str = "FRAZIL_WORLDS_CANARY";

#[test]
fn nothing_is_lost_and_everything_is_freed() {
    let coverage = Campaign::new(0, WORLDS).run(&()).unwrap_or_else(|found| panic!("{found}"));
    let Coverage { shared, imported, stopped, adopted, orphans, heard, drained, .. } = coverage;
    let happened = [shared, imported, stopped, adopted, orphans, heard, drained];
    assert!(happened.into_iter().all(|times| times > 50) && coverage.rounds > 1, "{coverage:?}");
}

#[test]
fn every_fault_between_heaps_is_found() {
    for fault in Fault::BETWEEN_HEAPS {
        for judge in [Judge::Shadow, Judge::Verifier] {
            hunt(Defect::Fault(fault), judge);
        }
    }
}

/// Hunts `fault` in a process of its own, which runs [`one_fault`].
fn hunt(fault: Defect, judge: Judge) {
    let this = std::env::current_exe().expect("a test knows its own file");
    let mut unnoticed = String::new();
    for seed in SEEDS {
        let mut hunt = Command::new(&this);
        hunt.args(["--ignored", "--exact", "one_fault"]);
        hunt.env(HUNT, format!("{} {} {seed}", fault.name(), judge == Judge::Shadow));
        let output = hunt.output().expect("the process starts");
        if cfg!(frazil_asan) && String::from_utf8_lossy(&output.stderr).contains("AddressSanitizer") {
            return; // found by the sanitizer, which ends the process before any judge sees the heaps
        }
        match output.status.code() {
            Some(0) => return,
            Some(_) => unnoticed = String::from_utf8_lossy(&output.stdout).into_owned(),
            // What was freed too early is not there any more, and the system has found that. Other seeds may tell more.
            None => {}
        }
    }
    assert!(unnoticed.is_empty(), "{unnoticed}");
}

#[test]
#[ignore = "it is run by the others, in processes of their own"]
fn one_fault() {
    let hunt = std::env::var(HUNT).expect("set by the process that hunts");
    let words: Vec<&str> = hunt.split(' ').collect();
    let fault = Defect::named(words[0]).expect("a defect");
    let judge = if words[1] == "true" { Judge::Shadow } else { Judge::Verifier };
    let seed = 1_000_000 * words[2].parse::<u64>().expect("a seed");

    let campaign =
        Campaign { judge, fault: Some(fault), check: false, ..Campaign::new(seed, WORLDS_OF_FAULTS) };
    let found = campaign.run(&()).err().unwrap_or_else(|| panic!("{fault:?} goes unnoticed"));
    println!("{found}");
    assert!(found.small_failure.is_some(), "{fault:?} is not found again: {found}");
    assert!(found.small.steps.len() <= STEPS, "{fault:?} is not shrunk enough: {found}");
}
