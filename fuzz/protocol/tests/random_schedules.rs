//! The models under many random schedules: longer ones than every schedule could be tried of.

use frazil_fuzz_protocol::random::models::{Wrong, adopting, orphaned, passing_on, walking_down};

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
fn an_estate_is_adopted() {
    check(|| adopting(4, Wrong::Nothing));
}

#[test]
fn an_orphan_is_tended() {
    check(|| orphaned(Wrong::Nothing));
}

#[test]
#[should_panic]
fn decrements_first_are_noticed() {
    check(|| walking_down(4, Wrong::DecrementsFirst));
}

#[test]
#[should_panic]
fn a_lost_inbox_is_noticed() {
    check(|| adopting(4, Wrong::LostInbox));
}
