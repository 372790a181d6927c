//! Many texts, and what came of them.

use std::fmt;

use crate::compare::{Agreement, Difference, compare};
use crate::known::{Known, known};

/// What came of some texts.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Texts that both accept, as the same tree.
    pub accepted: u64,
    /// Texts that both refuse.
    pub refused: u64,
    /// Nodes of the trees that are the same.
    pub nodes: u64,
    /// The reasons of differences that are known, and how often they were met.
    pub known: Vec<(&'static Known, u64)>,
    /// Differences that are not known: where, and what.
    pub unknown: Vec<String>,
}

/// Differences that are kept; beyond them, counting is enough.
const KEPT: usize = 50;

impl Tally {
    /// Compares the parsers on one more text.
    pub fn add(&mut self, name: &str, text: &str) {
        self.add_with(name, text, false);
    }

    /// The same, with type annotations allowed or not.
    pub fn add_with(&mut self, name: &str, text: &str, types: bool) {
        match compare(text, types) {
            Ok(Agreement::Tree(nodes)) => {
                self.accepted += 1;
                self.nodes += nodes as u64;
            }
            Ok(Agreement::Refused) => self.refused += 1,
            Err(difference) => self.differs(name, text, &difference),
        }
    }

    fn differs(&mut self, name: &str, text: &str, difference: &Difference) {
        match known(text, difference) {
            Some(reason) => match self.known.iter_mut().find(|(other, _)| std::ptr::eq(*other, reason)) {
                Some((_, times)) => *times += 1,
                None => self.known.push((reason, 1)),
            },
            None if self.unknown.len() < KEPT => self.unknown.push(format!("{name}: {difference}")),
            None => {}
        }
    }

    /// How many texts there were.
    pub fn texts(&self) -> u64 {
        let known: u64 = self.known.iter().map(|(_, times)| times).sum();
        self.accepted + self.refused + known + self.unknown.len() as u64
    }

    /// Shows what came of the texts.
    ///
    /// # Panics
    /// There is a difference that is not known.
    pub fn conclude(&self, what: &str) {
        println!("{what}: {self}");
        assert!(self.unknown.is_empty(), "{what}: differences:\n{}", self.unknown.join("\n"));
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} texts, {} of them trees that are the same ({} nodes), {} refused by both",
            self.texts(),
            self.accepted,
            self.nodes,
            self.refused
        )?;
        let mut known = self.known.clone();
        known.sort_by_key(|(_, times)| std::cmp::Reverse(*times));
        for (reason, times) in known {
            write!(f, "\n  {times:>6} known difference: {}", reason.reason)?;
        }
        Ok(())
    }
}
