//! How a campaign goes, while it goes: a bar for a person, a line now and then for a log. And when it ends.

use std::fmt::Display;
use std::io::IsTerminal;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use fuzz::batches::Observer;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::options::fuzz::Bound;
use crate::out::remark;

/// Between two movements of the bar.
const BAR: Duration = Duration::from_millis(100);
/// Between two lines.
const LINE: Duration = Duration::from_secs(3);
/// Marks on the bar's scale.
const SCALE: u64 = 1000;

/// Ends a campaign at its bound, and tells of it on standard error.
pub struct Progress {
    started: Instant,
    bound: Bound,
    /// Only if somebody looks on.
    bar: Option<ProgressBar>,
    /// Milliseconds after the start when it is time to tell again.
    next: AtomicU64,
}

impl Progress {
    /// It begins now.
    pub fn start(bound: Bound) -> Progress {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(Some(SCALE), ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("[{elapsed_precise}] [{bar:30}] {msg}");
            bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        Progress { started: Instant::now(), bound, bar, next: AtomicU64::new(0) }
    }

    /// The time since the start.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// There is nothing more to tell.
    pub fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    /// Says how it goes if it was long ago that it was last said. One of the threads that ask does it.
    fn tell(&self, done: u64, elapsed: Duration) {
        let now = elapsed.as_millis() as u64;
        let next = self.next.load(Ordering::Relaxed);
        let pause = if self.bar.is_some() { BAR } else { LINE };
        let then = now + pause.as_millis() as u64;
        if now < next || self.next.compare_exchange(next, then, Ordering::Relaxed, Ordering::Relaxed).is_err()
        {
            return;
        }
        let rate = per_second(done, elapsed);
        match &self.bar {
            Some(bar) => {
                bar.set_position((self.share(done, elapsed) * SCALE as f64) as u64);
                bar.set_message(format!("{done} cases, {rate} cases/s"));
            }
            // The first moment has nothing to tell in a log.
            None if next == 0 => {}
            None => remark(format_args!("{:>6.0} s  {done} cases, {rate} cases/s", elapsed.as_secs_f64())),
        }
    }

    /// How much of the campaign is done.
    fn share(&self, done: u64, elapsed: Duration) -> f64 {
        match self.bound {
            Bound::Cases(cases) => done as f64 / cases as f64,
            Bound::Time(time) => elapsed.as_secs_f64() / time.as_secs_f64(),
        }
    }
}

impl<F: Display> Observer<F> for Progress {
    fn goes_on(&self, done: u64) -> bool {
        let elapsed = self.elapsed();
        self.tell(done, elapsed);
        match self.bound {
            // The campaign counts them itself.
            Bound::Cases(_) => true,
            Bound::Time(time) => elapsed < time,
        }
    }

    fn failed(&self, seed: u64, failure: &F) {
        self.end();
        // Said before shrinking: that takes its time, and a broken heap may not survive it.
        remark(format_args!("seed {seed} failed:\n{failure}\nshrinking it ..."));
    }
}

/// How many there are in a second: with a fraction if they are few, for 0 means that there were none.
pub fn per_second(count: u64, elapsed: Duration) -> String {
    match count as f64 / elapsed.as_secs_f64().max(1e-9) {
        _ if count == 0 => "0".to_owned(),
        many if many >= 9.95 => format!("{many:.0}"),
        some if some >= 0.095 => format!("{some:.1}"),
        few => format!("{few:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_ends_it_and_cases_do_not() {
        let goes_on = |bound, done| Observer::<String>::goes_on(&Progress::start(bound), done);
        assert!(!goes_on(Bound::Time(Duration::ZERO), 0));
        assert!(goes_on(Bound::Time(Duration::from_secs(1000)), u64::MAX));
        assert!(goes_on(Bound::Cases(3), 2));
    }

    #[test]
    fn the_share_is_of_the_bound() {
        let share = |bound, done, elapsed| Progress::start(bound).share(done, Duration::from_secs(elapsed));
        assert_eq!(share(Bound::Cases(4), 1, 99), 0.25);
        assert_eq!(share(Bound::Time(Duration::from_secs(10)), 99, 5), 0.5);
    }

    #[test]
    fn what_is_slow_has_a_rate_too() {
        let rates = [(1000, "333"), (33, "11"), (10, "3.3"), (1, "0.3"), (0, "0")];
        for (count, rate) in rates {
            assert_eq!(per_second(count, Duration::from_secs(3)), rate, "{count}");
        }
        assert_eq!(per_second(1, Duration::from_secs(40)), "0.03");
    }
}
