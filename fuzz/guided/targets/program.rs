//! Bytes as the choices of a program, which then runs with and without collections.
#![no_main]

use fuzz::program::draw;
use fuzz::program::outcome::attempt;
use fuzz::random::Random;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let program = draw(Random::of_bytes(bytes)).program;
    if let Err(failure) = attempt(&program, None) {
        panic!("failed:\n{failure}\n{program}");
    }
});
