//! Bytes as the choices of a history, which the collector and its model then go through.
#![no_main]

use fuzz::campaign::attempt;
use fuzz::generate::draw;
use fuzz::random::Random;
use fuzz::run::Judge;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let history = draw(Random::of_bytes(bytes));
    if let Err(failure) = attempt(&history, Judge::Both, None) {
        panic!("failed {failure}\n{history}");
    }
});
