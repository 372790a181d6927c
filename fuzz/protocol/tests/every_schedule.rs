//! The models under every schedule of their threads. (Where there are hundreds of thousands: every schedule with at most
//! three preemptions.)

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use frazil_fuzz_protocol::every::models::{Wrong, adopting, coming_home, orphaned, passing_on, walking_down};

/// Says how many schedules there were.
fn check(preemptions: Option<usize>, model: impl Fn() + Sync + Send + 'static) {
    let schedules = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&schedules);
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = preemptions;
    builder.check(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        model();
    });
    println!("{} schedules", schedules.load(Ordering::Relaxed));
}

#[test]
fn a_heap_walks_down() {
    check(None, || walking_down(2, Wrong::Nothing));
    check(None, || walking_down(3, Wrong::Nothing));
}

#[test]
fn a_handle_is_passed_on() {
    check(None, || passing_on(Wrong::Nothing));
}

#[test]
fn an_object_comes_home() {
    check(None, || coming_home(Wrong::Nothing));
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
#[should_panic = "object 1 was freed, and is claimed"]
fn decrements_first_are_noticed() {
    check(None, || walking_down(2, Wrong::DecrementsFirst));
}

#[test]
#[should_panic = "the count of object 0 went below zero"]
fn a_count_in_flight_that_is_forgotten_is_noticed() {
    check(None, || passing_on(Wrong::FlightForgotten));
}

#[test]
#[should_panic = "object 0 was freed, and is claimed"]
fn what_is_judged_at_once_is_noticed() {
    check(None, || coming_home(Wrong::JudgedAtOnce));
}

#[test]
#[should_panic = "something is left"]
fn a_lost_inbox_is_noticed() {
    check(None, || adopting(2, Wrong::LostInbox));
}

#[test]
#[should_panic = "nobody has noticed"]
fn an_orphan_that_is_not_woken_is_noticed() {
    check(Some(3), || orphaned(Wrong::NotWoken));
}
