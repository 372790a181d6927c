//! Pieces of work that others may call off.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A module that is evaluated, or one call of `parallel_map`: part of the unit in which it was asked for. The thread that
/// works on a unit looks now and then whether anybody still wants it.
#[derive(Debug, Default)]
pub(crate) struct Unit {
    called_off: AtomicBool,
    around: Option<Arc<Unit>>,
}

impl Unit {
    /// A unit within another one.
    pub fn within(around: Option<&Arc<Unit>>) -> Arc<Unit> {
        Arc::new(Unit { called_off: AtomicBool::new(false), around: around.cloned() })
    }

    /// Nobody wants the result any more.
    pub fn call_off(&self) {
        self.called_off.store(true, Ordering::Relaxed);
    }

    /// Does nobody want its result any more, or that of a unit around it?
    pub fn is_called_off(&self) -> bool {
        let mut unit = Some(self);
        while let Some(here) = unit {
            if here.called_off.load(Ordering::Relaxed) {
                return true;
            }
            unit = here.around.as_deref();
        }
        false
    }
}
