//! The models under every schedule of their threads. (Where there are many: every
//! schedule with at most three preemptions.)

use frazil_fuzz_protocol::every::models::{Wrong, adopting, orphaned, passing_on, walking_down};

fn check(preemptions: Option<usize>, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = preemptions;
    builder.check(model);
}

#[test]
fn a_heap_walks_down() {
    check(None, || walking_down(2, Wrong::Nothing));
    check(Some(3), || walking_down(3, Wrong::Nothing));
}

#[test]
fn a_handle_is_passed_on() {
    check(Some(3), || passing_on(Wrong::Nothing));
}

#[test]
fn an_estate_is_adopted() {
    check(None, || adopting(2, Wrong::Nothing));
    check(Some(3), || adopting(3, Wrong::Nothing));
}

#[test]
fn an_orphan_is_tended() {
    check(Some(3), || orphaned(Wrong::Nothing));
}

#[test]
#[should_panic]
fn decrements_first_are_noticed() {
    check(None, || walking_down(2, Wrong::DecrementsFirst));
}

#[test]
#[should_panic]
fn a_count_in_flight_that_is_forgotten_is_noticed() {
    check(Some(3), || passing_on(Wrong::FlightForgotten));
}

#[test]
#[should_panic]
fn a_lost_inbox_is_noticed() {
    check(None, || adopting(2, Wrong::LostInbox));
}

#[test]
#[should_panic = "nobody has noticed"]
fn an_orphan_that_is_not_woken_is_noticed() {
    check(Some(3), || orphaned(Wrong::NotWoken));
}
