//! A host whose collector takes directions: in which order to go, and what to do wrong.

use std::borrow::Cow;
use std::cell::RefCell;

use frazil::{Choice, Config, ConfigError, Fault, Group, Heap, Host, LowTag, Stage};

use crate::faults::Defect;
use crate::orders::Directions;

/// What the collectors on one thread are told.
struct Orders {
    fault: Option<Fault>,
    directions: Directions,
}

thread_local! {
    static ORDERS: RefCell<Option<Orders>> = const { RefCell::new(None) };
}

/// The host whose collector does as [`directed`] says.
#[derive(Debug)]
pub struct Directed;

// SAFETY: references are told apart exactly as by `LowTag`, which fulfils the contract.
unsafe impl Host for Directed {
    const EMPTY: u64 = LowTag::EMPTY;
    const REORDERS: bool = true;

    #[inline(always)]
    fn address(word: u64) -> Option<usize> {
        LowTag::address(word)
    }

    #[inline(always)]
    fn word(address: usize, old: u64) -> u64 {
        LowTag::word(address, old)
    }

    fn commits(fault: Fault) -> bool {
        ORDERS.with_borrow(|orders| orders.as_ref().is_some_and(|orders| orders.fault == Some(fault)))
    }

    fn order() -> Cow<'static, [Stage]> {
        ORDERS.with_borrow_mut(|orders| match orders {
            Some(orders) => orders.directions.stages(),
            None => Cow::Borrowed(Stage::NATURAL.as_slice()),
        })
    }

    fn choose(choice: Choice, count: usize) -> usize {
        ORDERS.with_borrow_mut(|orders| match orders {
            Some(orders) => orders.directions.choose(choice, count),
            None => 0,
        })
    }
}

/// A heap of `group`, for a world with any number of them.
///
/// # Errors
/// The settings do not agree, or the system gives no memory.
pub(crate) fn member<H: Host>(group: &Group<H>, config: Config) -> Result<Heap<'static, H>, ConfigError> {
    // SAFETY: a world looks at one heap at a time, and lets go of its values before it looks at another.
    unsafe { group.unbranded(config) }
}

/// Runs `f` while heaps of [`Directed`] on this thread follow the legal order of this number, and have `defect`. (An
/// illegal order takes the place of the legal one.)
pub fn directed<R>(order: u32, defect: Option<Defect>, f: impl FnOnce() -> R) -> R {
    /// Ends the directions even if `f` panics, as it is likely to.
    struct End;
    impl Drop for End {
        fn drop(&mut self) {
            ORDERS.set(None);
        }
    }
    let _end = End;
    let (fault, directions) = match defect {
        None => (None, Directions::legal(order)),
        Some(Defect::Fault(fault)) => (Some(fault), Directions::legal(order)),
        Some(Defect::Order(illegal)) => (None, Directions::illegal(illegal)),
    };
    ORDERS.set(Some(Orders { fault, directions }));
    f()
}
