//! The kernel of the exchange (`src/exchange/kernel.rs`, that very file) built over the primitives of two checkers: loom
//! runs a model under *every* schedule of its threads, shuttle under many random ones.
//!
//! The models are in `models.rs`, written once. Each has a thread that owns objects and applies what comes in its inbox,
//! and others that have claims on them; an object that is freed while somebody has a claim ends the run, and so does a
//! count that goes below zero, mail that nobody takes, and anything that is left at the end.

pub mod every;
pub mod random;
