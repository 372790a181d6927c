//! The runs as they happen: a bar with the remaining time for a person, a line now and then for a log.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::choice::Choice;
use super::search::Bench;
use super::trial::{Run, Trials};
use crate::out::remark;

/// Between two lines in a log.
const LINE: Duration = Duration::from_secs(10);
/// Marks on the bar's scale.
const SCALE: u64 = 1000;

/// Runs trials, and tells of it on standard error.
pub struct Show {
    trials: Trials,
    started: Instant,
    budget: Duration,
    runs: usize,
    bar: Option<ProgressBar>,
    /// Tell nothing.
    quiet: bool,
    /// When the next line is due.
    next: Duration,
}

impl Show {
    /// It begins now and is meant to take `budget`.
    pub fn start(trials: Trials, budget: Duration, quiet: bool) -> Show {
        let bar = (!quiet && std::io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::with_draw_target(Some(SCALE), ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("[{bar:30}] {msg}");
            bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        Show { trials, started: Instant::now(), budget, runs: 0, bar, quiet, next: LINE }
    }

    /// How many processes have been run.
    pub fn runs(&self) -> usize {
        self.runs
    }

    /// There is nothing more to tell.
    pub fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn tell(&mut self, choice: Choice, doing: &str) {
        let elapsed = self.started.elapsed();
        let left = self.budget.saturating_sub(elapsed).as_secs();
        let line = format!("{} runs, at most {left} s left: {doing}: {choice}", self.runs);
        match &self.bar {
            Some(bar) => {
                let share = elapsed.as_secs_f64() / self.budget.as_secs_f64().max(1e-9);
                bar.set_position((share.min(1.0) * SCALE as f64) as u64);
                bar.set_message(line);
            }
            None if self.quiet || elapsed < self.next => {}
            None => {
                self.next = elapsed + LINE;
                remark(format_args!("{line}"));
            }
        }
    }
}

impl Bench for Show {
    fn run(&mut self, choice: Choice, limit: Duration, doing: &str) -> Result<Run, String> {
        self.tell(choice, doing);
        self.runs += 1;
        self.trials.run(choice, limit)
    }

    fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}
