//! Our parser against `starlark_syntax`, the parser of starlark-rust: what the one accepts the other must accept, as the
//! same tree at the same places, or the difference is listed with its reason.
//!
//! ```text
//! text --+-- our parser ------ ours ----+
//!        |                              +-- outlines -- compare -- the same, or a difference -- known
//!        +-- starlark_syntax -- theirs -+
//! ```
//!
//! Nothing of the runtime is involved: names need not mean anything, and both parsers allow control flow at top level.

pub mod compare;
pub mod corpus;
pub mod known;
pub mod ours;
pub mod outline;
pub mod tally;
pub mod theirs;
