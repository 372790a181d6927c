//! A panic inside of a call says what it has to say in the message of a status, not on the host's standard error.

use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;
use std::thread;

thread_local! {
    /// So many calls are under way in this thread.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
    /// Where the last panic inside of a call came from.
    static PLACE: RefCell<String> = const { RefCell::new(String::new()) };
}

static HOOK: Once = Once::new();

/// Panics of others are still shown as they were.
fn install() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if DEPTH.try_with(Cell::get).unwrap_or(0) == 0 {
            return before(info);
        }
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        let _ = PLACE.try_with(|last| last.replace(place));
    }));
}

/// Runs `body`. A panic in it ends there, in silence.
pub(crate) fn catch<R>(body: impl FnOnce() -> R) -> thread::Result<R> {
    HOOK.call_once(install);
    let count = |change: fn(usize) -> usize| DEPTH.try_with(|depth| depth.set(change(depth.get())));
    let _ = count(|depth| depth + 1);
    let result = panic::catch_unwind(AssertUnwindSafe(body));
    let _ = count(|depth| depth.saturating_sub(1));
    result
}

/// Where the last panic inside of a call came from: file, line and column.
pub(crate) fn place() -> String {
    PLACE.try_with(|place| place.borrow().clone()).unwrap_or_default()
}
