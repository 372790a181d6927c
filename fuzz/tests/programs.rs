//! Random programs come to the same with and without collections; and a machine that forgets a root is found.

use frazil_fuzz::program::campaign::Campaign;
use frazil_fuzz::program::coverage::Event;
use frazil_fuzz::program::outcome::{Failure, attempt, quiet};
use frazil_fuzz::program::{Program, draw, make, mistakes};
use frazil_fuzz::random::Random;
use starlark::Mistake;

#[test]
fn programs_come_to_the_same_with_and_without_collections() {
    let coverage = Campaign::new(1, 200).run(&()).unwrap_or_else(|found| panic!("{found}"));
    println!("{coverage}");
    assert_eq!(coverage.of(Event::Program), 200);
    assert_eq!(coverage.of(Event::Quiet), 200, "a program that allocates too much compares nothing");
    assert!(coverage.of(Event::EndedWell) >= 100, "most programs should get to their end:\n{coverage}");
    assert_eq!(coverage.missing().next(), None, "{coverage}");
    assert_eq!(coverage.forms().1, [""; 0], "{coverage}");
}

#[test]
fn every_mistake_of_the_machine_is_found() {
    for mistake in mistakes() {
        let failed = |seed: &u64| attempt(&make(*seed).program, Some(mistake)).err();
        let failure = (0..40).find_map(|seed| failed(&seed));
        let failure = failure.unwrap_or_else(|| panic!("{mistake:?} is not found"));
        let Failure::Panic(message) = &failure else { panic!("{mistake:?}: {failure}") };
        let told = ["the place was not rooted", "was not reported"].iter().any(|told| message.contains(told));
        assert!(told, "{mistake:?}: {message}");
    }
}

#[test]
fn what_fails_is_shrunk_to_a_few_lines() {
    let campaign = Campaign { mistake: Some(Mistake::BuiltinState), ..Campaign::new(0, 40) };
    let found = campaign.run(&()).expect_err("it is to be found");
    assert!(found.small.lines() <= 12, "{found}");
    assert!(found.small_failure.is_some() && attempt(&found.small, campaign.mistake).is_err());
    assert!(attempt(&found.small, None).is_ok(), "the program itself is not to blame: {found}");
}

#[test]
fn bytes_make_programs_too() {
    let programs: Vec<Program> =
        [&b""[..], b"a few bytes", &[255; 300]].map(|bytes| draw(Random::of_bytes(bytes)).program).to_vec();
    assert_ne!(programs[0], programs[1]);
    for program in &programs {
        let outcome = quiet(program);
        assert!(!outcome.printed.is_empty() || outcome.error.is_some(), "{program}");
        assert!(attempt(program, None).is_ok());
    }
    // The same bytes are the same program.
    assert_eq!(draw(Random::of_bytes(b"a few bytes")).program, programs[1]);
}
