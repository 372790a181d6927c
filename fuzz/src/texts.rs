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

use attempt::{Fate, attempt};

use crate::batches::{self, Case, Observer, Seeds};

/// Texts between two looks at whether one has failed. Larger: less waiting for the slowest. Smaller: a failure is
/// reported sooner.
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
    fn of(fate: &Fate) -> Tally {
        Tally {
            texts: 1,
            parsed: u64::from(fate.parsed),
            ended: u64::from(fate.ended),
            errors: fate.errors,
            collections: fate.collections,
        }
    }
}

impl batches::Tally for Tally {
    fn merge(&mut self, other: &Tally) {
        self.texts += other.texts;
        self.parsed += other.parsed;
        self.ended += other.ended;
        self.errors += other.errors;
        self.collections += other.collections;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally { texts, parsed, ended, errors, collections } = self;
        write!(f, "{texts} texts, {parsed} parsed, {ended} of them ran to their end; ")?;
        write!(f, "{errors} errors, {collections} collections")
    }
}

/// A text, shown with its odd characters escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text(pub String);

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl Case for Text {
    const NAME: &'static str = "text";
}

/// A text that failed.
pub type Found = batches::Found<Text, Tally, String>;

/// A range of seeds, whose texts are made of programs and of random ones.
#[derive(Clone, Debug)]
pub struct Campaign {
    /// The first seed; the others follow it.
    pub seed: u64,
    /// How many.
    pub texts: u64,
    /// The programs.
    pub programs: Vec<String>,
}

impl Campaign {
    /// Tries the texts while `observer` lets it go on.
    ///
    /// # Errors
    /// The first text that failed.
    pub fn run(&self, observer: &impl Observer<String>) -> Result<Tally, Box<Found>> {
        let seeds = Seeds { first: self.seed, count: self.texts, batch: |_| BATCH };
        let text = |seed| make::make(seed, &self.programs);
        let attempt_seed = |seed| attempt(&text(seed), seed).map(|fate| Tally::of(&fate));
        batches::run(seeds, observer, attempt_seed, |seed| {
            let small = shrink(&text(seed), |text| attempt(text, seed).is_err());
            let failure = attempt(&small, seed).err();
            (Text(small), failure)
        })
    }
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
