//! How far equality, order and hashes go by recursion. That is fast, and enough for nearly all values; what is deeper or
//! larger is begun anew by the walks in `deep`, which need no stack of the system and look at nothing shared twice.

use crate::cx::Cx;
use crate::failure::{Failure, Res};

/// So many levels are gone into recursively.
const DEPTH_MAX: u32 = 16;
/// So many containers (or pairs of them) are gone into recursively.
///
/// Raised: a structure with much in common takes longer before its parts are remembered. Lowered: more values pay for a
/// memory that they do not need.
const CONTAINERS_MAX: u32 = 1000;

/// Why a recursion came to no result.
pub(super) enum Stop {
    /// It goes on for too long.
    Long,
    /// It failed.
    Failed(Box<Failure>),
}

impl From<Box<Failure>> for Stop {
    fn from(failure: Box<Failure>) -> Stop {
        Stop::Failed(failure)
    }
}

/// What a recursion may still do.
pub(super) struct Effort<'s> {
    pub cx: Cx<'s>,
    containers: u32,
}

impl<'s> Effort<'s> {
    pub fn new(cx: Cx<'s>) -> Effort<'s> {
        Effort { cx, containers: CONTAINERS_MAX }
    }

    /// Goes into a container at this depth.
    ///
    /// # Errors
    /// That would be one too many.
    #[inline]
    pub fn enter(&mut self, depth: u32) -> Result<(), Stop> {
        if depth > DEPTH_MAX || self.containers == 0 {
            return Err(Stop::Long);
        }
        self.containers -= 1;
        Ok(())
    }
}

/// The result of a recursion, or of the walk that does it without.
#[inline]
pub(super) fn or_walk<T>(short: Result<T, Stop>, walk: impl FnOnce() -> Res<T>) -> Res<T> {
    match short {
        Ok(result) => Ok(result),
        Err(Stop::Failed(failure)) => Err(failure),
        Err(Stop::Long) => walk(),
    }
}
