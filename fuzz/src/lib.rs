//! Histories of a heap as data, a shadow graph to judge them, and shrinking.
//!
//! A [`History`](history::History) is made up from a seed, happens to a heap and to a plain graph at once, and
//! after every collection the two are compared: the objects that are there, what they hold, how they are
//! classed, every count and every retain bit. What fails is shrunk to a few lines that a person can read, and
//! that can be read back.
//!
//! The order of the collector's steps is part of a history ([`orders`]): whatever it is, the judge must be content,
//! and where a history names several orders, they must all come to the same heap ([`log`]).
//!
//! Reading order: [`history`] (what can happen), [`plan`] (which objects a step is about), [`shadow`] (what the
//! heap must answer), [`judge`] (what a collection must leave), [`run`] (both side by side), [`shrink`],
//! [`campaign`] (many seeds), [`scene`] (the heap as it is shown to people).

pub mod batches;
pub mod campaign;
pub mod caught;
pub mod coverage;
mod events;
pub mod faults;
pub mod generate;
pub mod graph;
pub mod history;
pub mod hosts;
pub mod judge;
pub mod kind;
pub mod log;
pub mod orders;
pub mod plan;
pub mod program;
pub mod random;
pub mod run;
pub mod scene;
pub mod shadow;
pub mod shrink;
pub mod subject;
pub mod text;
pub mod texts;
mod theme;
pub mod walk;
