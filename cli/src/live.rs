//! How a program goes, while it goes (`frazil run --progress`): a line that is rewritten for a person, a line now and
//! then for a log, on standard error.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use frazil::Report;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use starlark::Engine;

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
    fn add(&mut self, report: &Report) {
        self.allocated += report.allocated_bytes as u64;
        self.live = report.old_bytes;
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
#[derive(Clone, Default)]
pub struct Live(Option<ProgressBar>);

impl Live {
    /// From now on it is told how the program goes.
    pub fn begin(engine: &mut Engine) -> Live {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("{elapsed:>4} {wide_msg}");
            let bar = bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
            // The clock goes on when nothing is collected.
            bar.enable_steady_tick(REWRITE);
            bar
        });
        let (shown, started) = (bar.clone(), Instant::now());
        let pause = if bar.is_some() { REWRITE } else { LINE };
        let (mut sum, mut next) = (Sum::default(), pause);
        engine.observe(move |report| {
            sum.add(report);
            let elapsed = started.elapsed();
            if elapsed < next {
                return;
            }
            next = elapsed + pause;
            match &shown {
                Some(bar) => bar.set_message(sum.line()),
                None => eprintln!("{:>6.0} s  {}", elapsed.as_secs_f64(), sum.line()),
            }
        });
        Live(bar)
    }

    /// Does something that writes to the terminal, without the line in its way.
    pub fn aside<R>(&self, write: impl FnOnce() -> R) -> R {
        match &self.0 {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    /// The program is over: the line goes.
    pub fn end(&self) {
        if let Some(bar) = &self.0 {
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
        for (old_bytes, millis) in [(2_000_000, 3), (1_500_000, 1)] {
            let pause = Duration::from_millis(millis);
            sum.add(&Report { allocated_bytes: 1_000_000, old_bytes, pause, ..Report::default() });
        }
        assert_eq!(sum.line(), "allocated 2.0 MB, live 1.5 MB, 2 collections, longest pause 3.0 ms");
    }
}
