//! Ending a program from outside.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::failure::{Res, fail};

use super::Machine;

impl Machine {
    /// The flag that ends the running program at its next safepoint. Whoever sets it may be in another thread.
    pub(crate) fn interrupt(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.host.interrupted)
    }

    /// Ends the program if somebody wants that. The next one may run again.
    pub(super) fn check_interrupt(&self) -> Res<()> {
        if self.host.interrupted.swap(false, Ordering::Relaxed) {
            fail!("interrupted");
        }
        Ok(())
    }
}
