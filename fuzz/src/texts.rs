//! Texts that are programs, nearly programs, or nothing of the kind, through lexer, parser, resolver and evaluator.
//!
//! Whatever the text, nothing may panic or abort; an error has a place inside the text, and can be shown; and when the
//! engine is gone, so is all that it took. ([`crate::program`] has programs that mean something.)
//!
//! ```text
//! seed, programs --make--> text --attempt--> what became of it, or a failure --shrink--> a few words
//! ```

pub mod attempt;
pub mod make;
pub mod mutate;

use std::fmt;
use std::time::{Duration, Instant};

use attempt::{Fate, attempt};
use rayon::prelude::*;

/// Texts between two looks at the clock.
const BATCH: u64 = 256;
/// Texts that are tried in shrinking one.
const SHRINK_ATTEMPTS: usize = 2000;

/// How many texts came to what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// All of them.
    pub texts: u64,
    /// Those that were parsed and whose names mean something.
    pub parsed: u64,
    /// Those that ran to their end.
    pub ended: u64,
    /// Errors in them.
    pub errors: u64,
    /// Collections that were held.
    pub collections: u64,
}

impl Tally {
    fn with(mut self, fate: &Fate) -> Tally {
        self.texts += 1;
        self.parsed += u64::from(fate.parsed);
        self.ended += u64::from(fate.ended);
        self.errors += fate.errors;
        self.collections += fate.collections;
        self
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally { texts, parsed, ended, errors, collections } = self;
        write!(f, "{texts} texts, {parsed} parsed, {ended} of them ran to their end; ")?;
        write!(f, "{errors} errors, {collections} collections")
    }
}

/// A text that failed.
#[derive(Clone, Debug)]
pub struct Found {
    /// Its seed.
    pub seed: u64,
    /// What went wrong.
    pub failure: String,
    /// The text, shrunk.
    pub text: String,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed {}: {}\nshrunk: {:?}", self.seed, self.failure, self.text)
    }
}
impl std::error::Error for Found {}

/// Tries the texts of the seeds from `seed` on, on all processors, until there were `texts` or the time is over. The
/// texts are made of `programs` and of random ones.
///
/// # Errors
/// The first text of a batch that fails.
pub fn hunt(programs: &[String], seed: u64, texts: u64, time: Duration) -> Result<Tally, Box<Found>> {
    let started = Instant::now();
    let mut tally = Tally::default();
    while tally.texts < texts && started.elapsed() < time {
        let first = seed.wrapping_add(tally.texts);
        let count = BATCH.min(texts - tally.texts);
        let fates: Vec<Result<Fate, String>> = (0..count)
            .into_par_iter()
            .map(|number| {
                let seed = first.wrapping_add(number);
                attempt(&make::make(seed, programs), seed)
            })
            .collect();
        for (number, fate) in fates.into_iter().enumerate() {
            match fate {
                Ok(fate) => tally = tally.with(&fate),
                Err(failure) => {
                    let seed = first.wrapping_add(number as u64);
                    let fails = |text: &str| attempt(text, seed).is_err();
                    let text = shrink(&make::make(seed, programs), fails);
                    return Err(Box::new(Found { seed, failure, text }));
                }
            }
        }
    }
    Ok(tally)
}

/// A shorter text that fails, too: without whatever can be left out of it.
fn shrink(text: &str, fails: impl Fn(&str) -> bool) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    let mut attempts = 0;
    let mut piece = chars.len() / 2;
    while piece > 0 && attempts < SHRINK_ATTEMPTS {
        let mut at = 0;
        while at < chars.len() && attempts < SHRINK_ATTEMPTS {
            let end = (at + piece).min(chars.len());
            let shorter: String = chars[..at].iter().chain(&chars[end..]).collect();
            attempts += 1;
            if fails(&shorter) {
                chars.drain(at..end);
            } else {
                at = end;
            }
        }
        piece /= 2;
    }
    chars.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_matter_is_left_out() {
        let text = "some words, then x and y, and more";
        assert_eq!(shrink(text, |text| text.contains('x') && text.contains('y')), "xy");
    }
}
