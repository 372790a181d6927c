//! The models under many random schedules: longer ones than every schedule could be tried of.

use frazil_fuzz_protocol::random::models::{
    Wrong, adopting, coming_home, orphaned, passing_on, walking_down,
};

/// Schedules of each model; `FRAZIL_SCHEDULES` says otherwise.
const SCHEDULES: usize = 50_000;

fn check(model: impl Fn() + Sync + Send + 'static) {
    let schedules = std::env::var("FRAZIL_SCHEDULES").ok().and_then(|number| number.parse().ok());
    shuttle::check_random(model, schedules.unwrap_or(SCHEDULES));
}

#[test]
fn a_heap_walks_down() {
    check(|| walking_down(4, Wrong::Nothing));
}

#[test]
fn a_handle_is_passed_on() {
    check(|| passing_on(Wrong::Nothing));
}

#[test]
fn an_object_comes_home() {
    check(|| coming_home(Wrong::Nothing));
}

#[test]
fn an_estate_is_adopted() {
    check(|| adopting(4, Wrong::Nothing));
}

#[test]
fn an_orphan_is_tended() {
    check(|| orphaned(Wrong::Nothing));
}

#[test]
#[should_panic = "was freed, and is claimed"]
fn decrements_first_are_noticed() {
    check(|| walking_down(4, Wrong::DecrementsFirst));
}

// The count goes below zero, or the object is freed while it is claimed, depending on who comes first.
#[test]
#[should_panic]
fn a_count_in_flight_that_is_forgotten_is_noticed() {
    check(|| passing_on(Wrong::FlightForgotten));
}

#[test]
#[should_panic = "object 0 was freed, and is claimed"]
fn what_is_judged_at_once_is_noticed() {
    check(|| coming_home(Wrong::JudgedAtOnce));
}

// Too little is freed, or too much, depending on what was in it.
#[test]
#[should_panic]
fn a_lost_inbox_is_noticed() {
    check(|| adopting(4, Wrong::LostInbox));
}

#[test]
#[should_panic = "nobody has noticed"]
fn an_orphan_that_is_not_woken_is_noticed() {
    check(|| orphaned(Wrong::NotWoken));
}
