//! Traces: what a program did to its heap, recorded, to be played on heaps with other settings.
//!
//! With a trace an embedder can tune a collector without the program. It has the allocations, the stores, the freezes
//! and the roots; not what the program computed and read, and not what raw words and bytes held.
//!
//! # Recording needs nothing from the mutator
//!
//! A heap that records has the settings of [`Config::recording`]: a small nursery, which is collected every 64 KiB. That
//! is an *epoch*. Before the collection the young objects lie side by side, and their headers say all about them; the
//! collection finds out which survive; after it, their references lead to old objects, which have numbers. What was
//! stored in old objects, the touched list knows. So the trace is exact from one collection to the next, and of what
//! happened in between it has the sum: a store that was undone in the same epoch is not in it, nor is what an object
//! held that died young. No setting with a nursery of 64 KiB or more can tell the difference.
//!
//! Weak references are not in a trace. Objects in the finalizer queue are roots.
//!
//! # The format
//!
//! Version 1. A file begins with the eight bytes of [`MAGIC`] and a byte for the version. Then follow *sections*, each
//! with a byte for its kind, four for the length of what it holds, that, and the CRC-32 of all these (both numbers
//! little endian). In a section every number is a LEB128 varint. An object is its *number*, the first survivor's being
//! 0; where there may be none, 0 is none and all numbers are one more.
//!
//! | kind | section | holds |
//! | --- | --- | --- |
//! | 1 | head, once, first | length and bytes of the producer's name; the settings: nursery, block, short collections (0, 1), their three percentages (traced, cheap, growth), growth bytes, limit or 0, objects per KiB or 0 for all at once, microseconds |
//! | 2 | shape | number of the host; flags: 1 bytes, 2 born mutable; raw words, or references before bytes. Shapes are numbered as they come |
//! | 3 | epoch | how many are born; each: twice its shape, plus one if it survives, and its length. Then for each survivor: twice the number of references that are given, plus one if it was frozen; the references (others are empty): 0, or 1 + zigzag(own number - number). Then changes in old objects: how many objects; each: number, how many references; each: index, object or none. Then how many were frozen, and their numbers. Then the words of the root stack, and those of handles: how many there are, how many changed; each: index, object or none. Then 1 + how many objects are old now, or 0 if dead ones may be among them |
//! | 4 | end, once, last | how many epochs, objects, survivors, stores, bytes |
//!
//! A reader refuses versions that it does not know: a new version changes the byte, and nothing else is said about
//! what it changes. Version 1 will be read for as long as traces are.

mod format;
mod record;
mod replay;

use std::fmt;

use crate::tuning::{Config, Drain};

pub use format::{MAGIC, Totals, Trace, TraceError};
pub(crate) use record::Recorder;
pub use replay::{Played, ReplayError};

/// Bytes of an epoch: the nursery of a heap that records.
pub const EPOCH_BYTES: usize = 64 << 10;

impl Config {
    /// These settings, changed as a heap that records must have them.
    pub fn recording(&self) -> Config {
        Config {
            nursery_bytes: EPOCH_BYTES,
            nursery_growth: 1,
            nursery_percent_of_traced: 0,
            short_collections: true,
            drain: Drain::All,
            ..self.clone()
        }
    }
}

/// Why a trace could not be recorded.
#[derive(Debug)]
pub enum RecordError {
    /// The heap has not the settings of [`Config::recording`].
    Settings,
    /// The heap belongs to a group.
    InGroup,
    /// The heap has collected already.
    TooLate,
    /// Nothing is being recorded.
    NotRecording,
    /// It could not be written.
    Io(std::io::Error),
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RecordError::Settings => {
                f.write_str("a heap that records is made with the settings of Config::recording")
            }
            RecordError::InGroup => f.write_str("the heap of a group cannot be recorded by itself"),
            RecordError::TooLate => f.write_str("recording must begin before the first collection"),
            RecordError::NotRecording => f.write_str("nothing is being recorded"),
            RecordError::Io(error) => write!(f, "the trace cannot be written: {error}"),
        }
    }
}
impl std::error::Error for RecordError {}
