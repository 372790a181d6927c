//! Pages that will be needed soon, asked for by a thread of its own while the program runs.
//!
//! The system backs a page with memory when it is first written, which costs more than all that a collector writes there.
//! But it need not be asked by who writes. The thread knows ranges of addresses and nothing of what they are for; it does
//! not change what they hold, so it may ask for what is in use. It begins when it is first needed, ends when nothing is
//! asked of it for a while, and begins again.
//!
//! ```text
//!   ask ──▶ waiting ──▶ a piece, with the system        withdraw: no longer waiting, and the piece is over
//! ```
//!
//! All of it is a wish. Where the system knows no such request, where there is one core only, or in a process that was
//! forked, which has no thread, nothing happens.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::os::page_bytes;

/// Bytes that the system is asked for at a time. Larger: fewer requests. Smaller: who gives a range back while it is being
/// asked for waits less, now some 30 us.
const PIECE_BYTES: usize = 64 << 10;

/// Ranges that wait at most; more are forgotten. Larger: more heaps can grow at a time. Smaller: less to look through when one is
/// given back.
const WAITING_MAX: usize = 256;

/// Without work for so long, the thread ends. Larger: it begins more seldom, which takes some 30 us. Smaller: a program that
/// has grown is soon as it was.
const IDLE: Duration = Duration::from_millis(500);

/// The thread needs little.
const STACK_BYTES: usize = 64 << 10;

/// Nobody has asked yet.
const UNASKED: u8 = 0;
/// Who asks first is making ready. Who is forked off meanwhile stays so.
const BEGINNING: u8 = 1;
const READY: u8 = 2;
/// There is no sense in asking.
const OFF: u8 = 3;

/// Only when it says `READY` is the lock worth taking: it may be stuck in a process that was forked.
static STATE: AtomicU8 = AtomicU8::new(UNASKED);

static HELPER: Helper = Helper {
    work: Mutex::new(Work { waiting: VecDeque::new(), piece: 0..0, awaited: false, runs: false }),
    asked: Condvar::new(),
    over: Condvar::new(),
};

/// The thread, as others see it.
struct Helper {
    work: Mutex<Work>,
    /// Something waits.
    asked: Condvar,
    /// The piece is over, and somebody has waited for that.
    over: Condvar,
}

struct Work {
    waiting: VecDeque<Range<usize>>,
    /// What the system is being asked for, or nothing.
    piece: Range<usize>,
    /// Somebody waits for the piece to be over.
    awaited: bool,
    /// There is a thread.
    runs: bool,
}

/// May it be of use to ask?
pub(crate) fn is_of_use() -> bool {
    system::IS_KNOWN && STATE.load(Ordering::Acquire) != OFF
}

/// Wishes for memory behind these ranges, soon, in this order. Before one of them is given back it is withdrawn.
pub(crate) fn ask(ranges: Vec<Range<usize>>) {
    if ranges.is_empty() || !is_ready() {
        return;
    }
    let mut work = HELPER.lock();
    if !is_ready() {
        return;
    }
    let room = WAITING_MAX.saturating_sub(work.waiting.len());
    work.waiting.extend(ranges.into_iter().map(whole_pages).take(room));
    if !work.runs {
        work.runs = begin();
        if !work.runs {
            work.give_up();
        }
    } else if work.piece.is_empty() {
        HELPER.asked.notify_one();
    }
}

/// From now on nobody asks the system for anything in `range`.
pub(crate) fn withdraw(range: &Range<usize>) {
    if STATE.load(Ordering::Acquire) == READY {
        let mut work = HELPER.lock();
        work.forget(range);
        while !meet(&work.piece, range).is_empty() {
            work.awaited = true;
            work = HELPER.over.wait(work).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// A process that is forked has no thread, and the lock may be stuck. So it will not ask, nor wait.
fn is_ready() -> bool {
    let begun = STATE.compare_exchange(UNASKED, BEGINNING, Ordering::Acquire, Ordering::Acquire);
    if system::IS_KNOWN && begun.is_ok() {
        let state = if system::on_fork(turn_off) { READY } else { OFF };
        STATE.store(state, Ordering::Release);
    }
    STATE.load(Ordering::Acquire) == READY
}

extern "C" fn turn_off() {
    STATE.store(OFF, Ordering::Relaxed);
}

/// Begins the thread. Says whether there is one.
fn begin() -> bool {
    let thread = thread::Builder::new().name("frazil ahead".into()).stack_size(STACK_BYTES);
    // A signal of the host's must not find a thread that the host knows nothing of.
    system::without_signals(|| thread.spawn(|| HELPER.run()).is_ok())
}

impl Helper {
    fn lock(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The thread.
    fn run(&self) {
        let alone = thread::available_parallelism().is_ok_and(|cores| cores.get() == 1);
        let mut work = self.lock();
        if alone {
            return work.give_up();
        }
        loop {
            if work.take_piece() {
                let piece = work.piece.clone();
                drop(work);
                let is_known = system::populate(&piece);
                work = self.lock();
                work.piece = 0..0;
                if std::mem::take(&mut work.awaited) {
                    self.over.notify_all();
                }
                if !is_known {
                    return work.give_up();
                }
            } else {
                let (more, idle) =
                    self.asked.wait_timeout(work, IDLE).unwrap_or_else(PoisonError::into_inner);
                work = more;
                if idle.timed_out() && work.waiting.is_empty() {
                    work.runs = false;
                    return;
                }
            }
        }
    }
}

impl Work {
    /// The next piece is the first of what waits. Says whether there is one.
    fn take_piece(&mut self) -> bool {
        let Some(Range { start, end }) = self.waiting.pop_front() else { return false };
        self.piece = start..end.min(start + PIECE_BYTES);
        if self.piece.end < end {
            self.waiting.push_front(self.piece.end..end);
        }
        true
    }

    /// Nothing in `range` waits any more.
    fn forget(&mut self, range: &Range<usize>) {
        if self.waiting.iter().any(|asked| !meet(asked, range).is_empty()) {
            let waiting = std::mem::take(&mut self.waiting).into_iter();
            let rest = |asked: Range<usize>| {
                [meet(&asked, &(0..range.start)), meet(&asked, &(range.end..usize::MAX))]
            };
            self.waiting = waiting.flat_map(rest).filter(|part| !part.is_empty()).collect();
        }
    }

    /// The thread has ended, or is about to, and there will be no other.
    fn give_up(&mut self) {
        self.waiting.clear();
        self.runs = false;
        STATE.store(OFF, Ordering::Release);
    }
}

/// What two ranges have in common.
fn meet(one: &Range<usize>, other: &Range<usize>) -> Range<usize> {
    one.start.max(other.start)..one.end.min(other.end)
}

/// The pages in which a range lies.
fn whole_pages(range: Range<usize>) -> Range<usize> {
    let page = page_bytes();
    range.start / page * page..range.end.next_multiple_of(page)
}

/// The calls of the system.
#[cfg(all(target_os = "linux", not(miri), not(frazil_asan)))]
mod system {
    use std::io;
    use std::mem::MaybeUninit;
    use std::ops::Range;
    use std::ptr;

    pub const IS_KNOWN: bool = true;

    /// Asks for memory behind these pages, which hold afterwards what they held before. Says whether the system knows that
    /// request at all.
    pub fn populate(pages: &Range<usize>) -> bool {
        let start = ptr::with_exposed_provenance_mut(pages.start);
        // SAFETY: whatever is there, it stays what it is.
        let done = unsafe { libc::madvise(start, pages.len(), libc::MADV_POPULATE_WRITE) };
        done == 0 || io::Error::last_os_error().raw_os_error() != Some(libc::EINVAL)
    }

    /// From now on, `forked` is called at once in every process that is forked off. Says whether that is so.
    pub fn on_fork(forked: extern "C" fn()) -> bool {
        // SAFETY: the function is good as long as this code is.
        unsafe { libc::pthread_atfork(None, None, Some(forked)) == 0 }
    }

    /// A thread that `f` begins never hears a signal.
    pub fn without_signals<R>(f: impl FnOnce() -> R) -> R {
        let (mut all, mut before) = (MaybeUninit::uninit(), MaybeUninit::uninit());
        // SAFETY: the first call fills the set that the second reads.
        unsafe {
            libc::sigfillset(all.as_mut_ptr());
            libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr());
        }
        let result = f();
        // SAFETY: it is as the second call has left it. (Neither can fail.)
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), ptr::null_mut()) };
        result
    }
}

/// Elsewhere nothing is asked for. (Miri and the address sanitizer have memory of their own making.)
#[cfg(not(all(target_os = "linux", not(miri), not(frazil_asan))))]
mod system {
    pub const IS_KNOWN: bool = false;

    pub fn populate(_pages: &std::ops::Range<usize>) -> bool {
        IS_KNOWN
    }

    pub fn on_fork(_forked: extern "C" fn()) -> bool {
        IS_KNOWN
    }

    pub fn without_signals<R>(f: impl FnOnce() -> R) -> R {
        f()
    }
}

#[cfg(all(test, target_os = "linux", not(miri), not(frazil_asan)))]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::time::Instant;

    use super::*;
    use crate::os::tests::resident;
    use crate::os::{Mapping, System};
    use crate::space::tests::grow;
    use crate::{Config, Heap, LowTag, Pool};

    const MIB: usize = 1 << 20;

    fn map(bytes: usize) -> Mapping {
        System::default().map(bytes, MIB).expect("memory")
    }

    /// Waits until it is so, or nothing is asked for on this machine. The thread may be busy for other tests.
    fn wait_for(is_so: impl Fn() -> bool) {
        let begun = Instant::now();
        while is_of_use() && !is_so() {
            assert!(begun.elapsed() < Duration::from_secs(60), "it never comes");
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Asks until the pages have come: a wish may be forgotten.
    fn get(range: &Range<usize>) {
        wait_for(|| {
            ask(vec![range.clone()]);
            resident(range.clone()) == range.len() / page_bytes()
        });
    }

    #[test]
    fn what_waits_is_taken_by_pieces_and_given_up_in_parts() {
        let mut work =
            Work { waiting: VecDeque::from([0..10, 20..30]), piece: 0..0, awaited: false, runs: false };
        work.forget(&(10..20));
        assert_eq!(work.waiting, [0..10, 20..30]);
        work.forget(&(4..6));
        assert_eq!(work.waiting, [0..4, 6..10, 20..30]);
        work.forget(&(8..25));
        assert_eq!(work.waiting, [0..4, 6..8, 25..30]);
        work.forget(&(0..26));
        assert_eq!((work.waiting.len(), &work.waiting[0]), (1, &(26..30)));
        work.waiting.push_front(0..PIECE_BYTES + 1);
        let pieces: Vec<_> = std::iter::from_fn(|| work.take_piece().then(|| work.piece.clone())).collect();
        assert_eq!(pieces, [0..PIECE_BYTES, PIECE_BYTES..PIECE_BYTES + 1, 26..30]);
    }

    #[test]
    fn pages_come_and_hold_what_they_held() {
        let mapping = map(MIB);
        let range = mapping.range();
        let words = || range.clone().step_by(MIB / 4).map(std::ptr::with_exposed_provenance_mut::<u64>);
        // SAFETY: the mapping is the test's own.
        words().for_each(|word| unsafe { word.write(7) });
        get(&range);
        // SAFETY: as above.
        assert!(words().all(|word| unsafe { word.read() } == 7));
        // Or none of these tests would test anything.
        let has_cores = thread::available_parallelism().is_ok_and(|cores| cores.get() > 1);
        assert_eq!(is_of_use(), has_cores && system::populate(&range));
    }

    #[test]
    fn nothing_comes_after_it_was_given_back() {
        thread::scope(|threads| {
            for number in 0..4 {
                threads.spawn(move || {
                    for round in 0..20 {
                        let (mapping, other) = (map(2 * MIB), map(MIB));
                        ask(vec![mapping.range()]);
                        thread::sleep(Duration::from_micros(40 * (round + number)));
                        mapping.give_back(mapping.range());
                        // What was asked for later has come.
                        get(&other.range());
                        assert_eq!(resident(mapping.range()), 0, "in round {round}");
                    }
                });
            }
        });
    }

    #[test]
    fn what_waits_is_forgotten_when_it_is_given_back_or_dropped() {
        let pool = Pool::new();
        let system = System::new(Some(&pool));
        let forgets = || {
            // (What goes to a pool is nobody else's meanwhile.)
            let (busy, given_back, mut dropped) =
                (map(16 * MIB), map(MIB), system.map(MIB, MIB).expect("memory"));
            system.inherits(&mut dropped, 0);
            let ranges = [given_back.range(), dropped.range()];
            ask([&[busy.range()], &ranges[..]].concat());
            given_back.give_back(given_back.range());
            drop(dropped);
            get(&map(MIB).range());
            ranges.map(resident) == [0, 0]
        };
        // The thread is at the first for some milliseconds; this one may be kept from its core for longer.
        assert!((0..10).any(|_| forgets()));
    }

    #[test]
    fn pages_are_asked_for_as_a_whole() {
        let page = page_bytes();
        assert_eq!(
            [page + 1..page + 2, 1..page + 1, page..page].map(whole_pages),
            [page..2 * page, 0..2 * page, page..page]
        );
    }

    /// A wish that came too late is no reason to wish for nothing more.
    #[test]
    fn what_is_not_mapped_any_more_does_no_harm() {
        let gone = map(MIB).range();
        assert!(system::populate(&gone));
    }

    /// The signals that this thread does not hear.
    fn blocked() -> u64 {
        let status = std::fs::read_to_string("/proc/thread-self/status").expect("the system tells");
        let mask = status.lines().find_map(|line| line.strip_prefix("SigBlk:")).expect("a thread has it");
        u64::from_str_radix(mask.trim(), 16).expect("a number")
    }

    #[test]
    fn the_thread_hears_no_signals_and_who_began_it_does() {
        let heard = blocked();
        let signals =
            [libc::SIGINT, libc::SIGTERM, libc::SIGCHLD, libc::SIGALRM, libc::SIGPROF, libc::SIGUSR1];
        let all = signals.iter().fold(0, |all, signal| all | 1 << (signal - 1));
        let inherited = system::without_signals(|| thread::spawn(blocked).join().expect("no panic"));
        assert_eq!(inherited & all, all);
        assert_eq!(blocked(), heard);
    }

    #[test]
    fn the_thread_ends_when_nothing_is_to_do_and_begins_again() {
        for _ in 0..2 {
            get(&map(MIB).range());
            wait_for(|| !HELPER.lock().runs);
        }
    }

    #[test]
    fn more_than_can_wait_is_forgotten() {
        let mapping = map(4 * MIB);
        let Range { start, end } = mapping.range();
        let pages: Vec<_> = (start..end).step_by(page_bytes()).map(|page| page..page + 1).collect();
        assert!(pages.len() > WAITING_MAX);
        ask(pages);
        assert!(HELPER.lock().waiting.len() <= WAITING_MAX);
        get(&map(MIB).range());
    }

    /// The lock is taken when the process is forked, and never let go in the new one.
    #[test]
    fn a_process_that_was_forked_does_not_wait() {
        let mapping = map(4 * MIB);
        get(&mapping.range());
        ask(vec![mapping.range()]);
        let work = HELPER.lock();
        // SAFETY: the new process has this thread, which uses no locks of others, and ends without unwinding.
        let forked = unsafe { libc::fork() };
        if forked == 0 {
            let works = || {
                assert!(!is_of_use());
                ask(vec![mapping.range()]);
                mapping.give_back(mapping.range());
                Heap::<LowTag>::branded(Config::DEFAULT, |mut heap| grow(&mut heap, 24))
            };
            let code =
                if catch_unwind(AssertUnwindSafe(works)).is_ok_and(|made| made.is_ok()) { 0 } else { 1 };
            // SAFETY: it has nothing to clean up.
            unsafe { libc::_exit(code) };
        }
        drop(work);
        let (begun, mut status) = (Instant::now(), 0);
        // SAFETY: the process is this one's child, and `status` has room.
        while unsafe { libc::waitpid(forked, &mut status, libc::WNOHANG) } == 0 {
            if begun.elapsed() > Duration::from_secs(60) {
                // SAFETY: as above.
                unsafe { libc::kill(forked, libc::SIGKILL) };
            }
            thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(status, 0);
    }
}
