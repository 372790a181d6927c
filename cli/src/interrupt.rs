//! Ctrl-C, and being asked to end: the program ends as with an error, which tells where it was; what it printed arrives, and so
//! do figures and reports. Whoever presses twice does not want to wait for that.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::low_level::emulate_default_handler;
use starlark::Engine;

/// The signal that came, or 0.
static CAME: AtomicUsize = AtomicUsize::new(0);
/// Has one come?
static ONCE: AtomicBool = AtomicBool::new(false);

/// From now on what `engine` runs is cancelled by such a signal. Where that cannot be arranged, signals do what they always do.
pub fn heed(engine: &Engine) {
    let cancel = engine.canceller().flag();
    for signal in [SIGINT, SIGTERM].into_iter().filter(|&signal| !is_ignored(signal)) {
        let _ = flag::register_conditional_shutdown(signal, 128 + signal, &ONCE)
            .and_then(|_| flag::register(signal, &ONCE))
            .and_then(|_| flag::register_usize(signal, &CAME, signal as usize))
            .and_then(|_| flag::register(signal, Arc::clone(&cancel)));
    }
}

/// Ends the process in the way in which the signal would have ended it, if one came: so shells know that they are to stop,
/// too. Otherwise this is the exit status.
pub fn status(status: ExitCode) -> ExitCode {
    match CAME.load(Ordering::SeqCst) {
        0 => status,
        signal => {
            let _ = emulate_default_handler(signal as i32);
            ExitCode::from(128 + signal as u8)
        }
    }
}

/// Did whoever started this process want it to ignore the signal, as shells do for what runs in the background? Where nobody
/// tells, it did not.
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let set = ignored.and_then(|set| u64::from_str_radix(set.trim(), 16).ok()).unwrap_or(0);
    set >> (signal - 1) & 1 == 1
}
