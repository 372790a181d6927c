//! Two hosts: one that is as it should be, and one whose collector can be told to do something wrong.

use std::cell::Cell;

use frazil::{Fault, Host, LowTag};

thread_local! {
    static COMMITTED: Cell<Option<Fault>> = const { Cell::new(None) };
}

/// The host whose collector commits the fault that [`committing`] switches on.
#[derive(Debug)]
pub struct Faulty;

// SAFETY: references are told apart exactly as by `LowTag`, which fulfils the contract.
unsafe impl Host for Faulty {
    const EMPTY: u64 = LowTag::EMPTY;

    #[inline(always)]
    fn address(word: u64) -> Option<usize> {
        LowTag::address(word)
    }

    #[inline(always)]
    fn word(address: usize, old: u64) -> u64 {
        LowTag::word(address, old)
    }

    fn commits(fault: Fault) -> bool {
        COMMITTED.get() == Some(fault)
    }
}

/// Runs `f` while heaps of [`Faulty`] on this thread commit `fault`.
pub fn committing<R>(fault: Fault, f: impl FnOnce() -> R) -> R {
    /// Switches back even if `f` panics, as it is likely to.
    struct Restore(Option<Fault>);
    impl Drop for Restore {
        fn drop(&mut self) {
            COMMITTED.set(self.0);
        }
    }
    let _restore = Restore(COMMITTED.replace(Some(fault)));
    f()
}
