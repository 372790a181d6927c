//! How a program goes, while it goes (`frazil run --progress`): a line that is rewritten for a person, a line now and
//! then for a log, on standard error.

use std::io::IsTerminal;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use frazil::Report;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::out::remark;
use crate::stats::{bytes, time};

/// Between two changes of the line.
const REWRITE: Duration = Duration::from_millis(100);
/// Between two lines of a log.
const LINE: Duration = Duration::from_secs(3);

/// What is told.
#[derive(Debug, Default)]
struct Sum {
    allocated: u64,
    live: usize,
    collections: u64,
    longest: Duration,
}

impl Sum {
    /// A heap has collected, in which so many bytes were alive the last time.
    fn add(&mut self, report: &Report, before: usize) {
        self.allocated += report.allocated_bytes as u64;
        self.live = (self.live + report.old_bytes).saturating_sub(before);
        self.collections += 1;
        self.longest = self.longest.max(report.pause);
    }

    fn line(&self) -> String {
        format!(
            "allocated {}, live {}, {} collections, longest pause {}",
            bytes(self.allocated),
            bytes(self.live as u64),
            self.collections,
            time(self.longest)
        )
    }
}

/// The line of a person who looks on; none for a log.
#[derive(Clone)]
pub struct Live {
    bar: Option<ProgressBar>,
    started: Instant,
    /// What all heaps have told, and when it is to be shown again.
    told: Arc<Mutex<(Sum, Duration)>>,
}

impl Live {
    /// From now on it can be told how the program goes.
    pub fn begin() -> Live {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("{elapsed:>4} {wide_msg}");
            let bar = bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
            // The clock goes on when nothing is collected.
            bar.enable_steady_tick(REWRITE);
            bar
        });
        let live = Live { bar, started: Instant::now(), told: Arc::default() };
        live.told.lock().unwrap_or_else(PoisonError::into_inner).1 = live.pause();
        live
    }

    fn pause(&self) -> Duration {
        if self.bar.is_some() { REWRITE } else { LINE }
    }

    /// What is to be told of each collection of one heap.
    pub fn observer(&self) -> impl FnMut(&Report) + use<> {
        let (live, mut before) = (self.clone(), 0);
        move |report| {
            let mut told = live.told.lock().unwrap_or_else(PoisonError::into_inner);
            let (sum, next) = &mut *told;
            sum.add(report, std::mem::replace(&mut before, report.old_bytes));
            let elapsed = live.started.elapsed();
            if elapsed < *next {
                return;
            }
            *next = elapsed + live.pause();
            match &live.bar {
                Some(bar) => bar.set_message(sum.line()),
                None => remark(format_args!("{:>6.0} s  {}", elapsed.as_secs_f64(), sum.line())),
            }
        }
    }

    /// Does something that writes to the terminal, without the line in its way.
    pub fn aside<R>(&self, write: impl FnOnce() -> R) -> R {
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    /// The program is over: the line goes.
    pub fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_has_the_sum() {
        let mut sum = Sum::default();
        for (before, old_bytes, millis) in [(0, 2_000_000, 3), (2_000_000, 1_500_000, 1), (0, 100_000, 2)] {
            let pause = Duration::from_millis(millis);
            sum.add(&Report { allocated_bytes: 1_000_000, old_bytes, pause, ..Report::default() }, before);
        }
        assert_eq!(sum.line(), "allocated 3.0 MB, live 1.6 MB, 3 collections, longest pause 3.0 ms");
    }
}
