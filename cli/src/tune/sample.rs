//! What repeated runs of one choice say, and how sure it is.
//!
//! Three things are compared: time (the median of the runs), peak memory (the same), and the longest pause. Of a
//! program that runs thousands of collections, one will be interrupted by the system in every run, and the longest
//! pause of a run says more about the machine than about the collector. But the program is the same every time, and
//! so is its hundredth collection; and what interrupts it makes it longer, never shorter. So each collection counts with
//! the lower quartile of its repetitions, and the longest of these is the *longest pause*. It is preferred to a quantile: the pause that hurts is the one when a large structure
//! dies, and there is only one of it in ten thousand.
//!
//! Whether two choices differ is decided by a bootstrap: pairs of runs, one of each, are drawn anew, with repetition, a
//! thousand times; the interval that holds 95% of the ratios found so is as far as the ratio is known. Only what lies on one
//! side of 1 as a whole is a difference.

use fuzz::random::Random;

use super::trial::Run;

/// So often runs are drawn anew.
const DRAWS: usize = 1000;
/// Of the drawn ratios, so many of a thousand lie on each side of the interval.
const OUTSIDE: usize = 25;

/// What is compared. Less is better, always.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Seconds.
    Time,
    /// Bytes.
    Memory,
    /// Seconds.
    Pause,
}

impl Measure {
    /// All three.
    pub const ALL: [Measure; 3] = [Measure::Time, Measure::Memory, Measure::Pause];

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Measure::Time => "time",
            Measure::Memory => "peak memory",
            Measure::Pause => "longest pause",
        }
    }

    /// By this share a choice must be better, or it is not worth a change: what is smaller depends on where the
    /// linker put things.
    pub fn worthwhile(self) -> f64 {
        match self {
            Measure::Time => 0.015,
            Measure::Memory => 0.02,
            Measure::Pause => 0.1,
        }
    }

    /// By this share a choice may be worse and still pass for not worse.
    pub fn tolerance(self) -> f64 {
        match self {
            Measure::Time => 0.03,
            Measure::Memory => 0.05,
            Measure::Pause => 0.25,
        }
    }
}

/// The runs of one choice.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    /// In the order in which they were run.
    pub runs: Vec<Run>,
}

impl Sample {
    /// The figure that all runs together give.
    pub fn value(&self, measure: Measure) -> f64 {
        let all: Vec<usize> = (0..self.runs.len()).collect();
        Measured::new(self, measure).of(&all)
    }

    /// The median of anything about a run.
    pub fn median(&self, figure: impl Fn(&Run) -> f64) -> f64 {
        median(&mut self.runs.iter().map(figure).collect::<Vec<_>>())
    }

    /// How far the middle half of the runs lies apart, as a share of the median, to each side.
    pub fn spread(&self, figure: impl Fn(&Run) -> f64) -> f64 {
        let mut figures: Vec<f64> = self.runs.iter().map(figure).collect();
        figures.sort_by(f64::total_cmp);
        let middle = quantile(&figures, 0.5);
        let apart = quantile(&figures, 0.75) - quantile(&figures, 0.25);
        if middle > 0.0 { apart / middle / 2.0 } else { 0.0 }
    }

    /// Each collection with the lower quartile of its repetitions, from the shortest. If the runs had different numbers of
    /// collections, those of the run whose longest pause is the median one.
    pub fn pauses(&self) -> Vec<f64> {
        let mut pauses = match self.collections() {
            Some(count) => {
                let of = |at: usize| self.runs.iter().map(move |run| run.pauses[at]);
                (0..count).map(|at| uninterrupted(&mut of(at).collect::<Vec<_>>())).collect()
            }
            None => {
                let mut runs: Vec<&Run> = self.runs.iter().collect();
                runs.sort_by(|a, b| longest(a).total_cmp(&longest(b)));
                runs.get(runs.len() / 2).map(|run| run.pauses.clone()).unwrap_or_default()
            }
        };
        pauses.sort_by(f64::total_cmp);
        pauses
    }

    /// How many collections each run had, if it is the same number for all.
    fn collections(&self) -> Option<usize> {
        let count = self.runs.first()?.pauses.len();
        self.runs.iter().all(|run| run.pauses.len() == count).then_some(count)
    }
}

/// One measure of a sample, ready to be computed many times for other draws of its runs.
struct Measured {
    measure: Measure,
    /// By run: one figure, or the pauses of those collections that can be the longest.
    figures: Vec<Vec<f64>>,
}

impl Measured {
    fn new(sample: &Sample, measure: Measure) -> Measured {
        let runs = &sample.runs;
        let figures = match (measure, sample.collections()) {
            (Measure::Time, _) => runs.iter().map(|run| vec![run.seconds]).collect(),
            (Measure::Memory, _) => runs.iter().map(|run| vec![run.peak_bytes]).collect(),
            (Measure::Pause, None) => runs.iter().map(|run| vec![longest(run)]).collect(),
            (Measure::Pause, Some(count)) => {
                let extreme = |at: usize, of: fn(f64, f64) -> f64| {
                    runs.iter().map(|run| run.pauses[at]).reduce(of).unwrap_or(0.0)
                };
                // A collection that was never longer than another one always was cannot be the longest.
                let sure = (0..count).map(|at| extreme(at, f64::min)).fold(0.0, f64::max);
                let open: Vec<usize> = (0..count).filter(|&at| extreme(at, f64::max) >= sure).collect();
                runs.iter().map(|run| open.iter().map(|&at| run.pauses[at]).collect()).collect()
            }
        };
        Measured { measure, figures }
    }

    /// The figure that the runs with these numbers give together.
    fn of(&self, draw: &[usize]) -> f64 {
        let columns = self.figures.first().map_or(0, Vec::len);
        let mut column = Vec::with_capacity(draw.len());
        let middle = if self.measure == Measure::Pause { uninterrupted } else { median };
        let middles = (0..columns).map(|at| {
            column.clear();
            column.extend(draw.iter().map(|&run| self.figures[run][at]));
            middle(&mut column)
        });
        // No collection is as good as a pause of a microsecond.
        let least = if self.measure == Measure::Pause { 1e-6 } else { 0.0 };
        middles.fold(least, f64::max)
    }
}

fn longest(run: &Run) -> f64 {
    run.pauses.iter().copied().fold(0.0, f64::max)
}

/// A ratio of two samples, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    /// The ratio that was found.
    pub found: f64,
    /// With 95% confidence it is not below this.
    pub low: f64,
    /// With 95% confidence it is not above this.
    pub high: f64,
}

impl Ratio {
    /// Of `sample` to `base`, whose runs are pairs: each was run soon after or before the other, and what the machine was
    /// like then was the same for both. There are some. The same samples give the same ratio every time.
    pub fn new(sample: &Sample, base: &Sample, measure: Measure) -> Ratio {
        let (upper, lower) = (Measured::new(sample, measure), Measured::new(base, measure));
        let pairs = upper.figures.len().min(lower.figures.len()) as u32;
        let mut random = Random::new(1);
        let mut draw: Vec<usize> = (0..pairs as usize).collect();
        let of = |draw: &[usize]| match measure {
            // A figure for each run: that of one by that of its pair, whatever the machine was like just then.
            Measure::Time | Measure::Memory => median(
                &mut draw
                    .iter()
                    .map(|&pair| upper.figures[pair][0] / lower.figures[pair][0])
                    .collect::<Vec<_>>(),
            ),
            Measure::Pause => upper.of(draw) / lower.of(draw),
        };
        let found = of(&draw);
        let mut ratio = || {
            draw.fill_with(|| random.below(pairs) as usize);
            of(&draw)
        };
        let mut ratios: Vec<f64> = (0..DRAWS).map(|_| ratio()).collect();
        ratios.sort_by(f64::total_cmp);
        Ratio { found, low: ratios[OUTSIDE].min(found), high: ratios[DRAWS - 1 - OUTSIDE].max(found) }
    }

    /// Is the first beyond doubt better, and worth a change?
    pub fn is_better(self, measure: Measure) -> bool {
        self.high < 1.0 && self.found <= 1.0 - measure.worthwhile()
    }

    /// Is the first beyond doubt no worse, or hardly?
    pub fn is_no_worse(self, measure: Measure) -> bool {
        self.high <= 1.0 + measure.tolerance()
    }
}

/// What repetitions of one collection took when nothing came between.
fn uninterrupted(pauses: &mut [f64]) -> f64 {
    pauses.sort_by(f64::total_cmp);
    quantile(pauses, 0.25)
}

/// The middle of `figures`, which are put in order. Nothing gives 0.
pub fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    quantile(figures, 0.5)
}

/// What a share of `sorted` does not exceed, between two of them if need be. Nothing gives 0.
pub fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let at = share * last as f64;
    let (below, part) = (at.floor() as usize, at.fract());
    sorted[below] + (sorted[(below + 1).min(last)] - sorted[below]) * part
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs that take about `seconds`, with noise of `noise` per mille.
    fn sample(seed: u64, count: usize, seconds: f64, noise: u32) -> Sample {
        let mut random = Random::new(seed);
        let mut noisy = |figure: f64| figure * (1.0 + f64::from(random.below(noise + 1)) / 1000.0);
        let run = |_| Run {
            seconds: noisy(seconds),
            peak_bytes: noisy(1e6),
            pauses: (1..=20).map(|pause| noisy(f64::from(pause) * 1e-3)).collect(),
            ..Run::default()
        };
        Sample { runs: (0..count).map(run).collect() }
    }

    #[test]
    fn a_difference_within_the_noise_is_none() {
        let mut taken = 0;
        for seed in 0..40 {
            let (one, other) = (sample(seed, 8, 1.0, 60), sample(seed + 100, 8, 1.0, 60));
            taken += usize::from(Ratio::new(&one, &other, Measure::Time).is_better(Measure::Time));
        }
        assert!(taken <= 4, "{taken} of 40 for better");
    }

    #[test]
    fn a_difference_beyond_the_noise_is_one() {
        for seed in 0..40 {
            let (fast, slow) = (sample(seed, 8, 0.9, 60), sample(seed + 100, 8, 1.0, 60));
            let ratio = Ratio::new(&fast, &slow, Measure::Time);
            assert!(ratio.is_better(Measure::Time), "{ratio:?}");
            assert!(ratio.low <= ratio.found && ratio.found <= ratio.high);
            let back = Ratio::new(&slow, &fast, Measure::Time);
            assert!(!back.is_no_worse(Measure::Time), "{back:?}");
        }
    }

    #[test]
    fn a_pause_that_the_system_made_long_once_does_not_count() {
        let mut sample = sample(1, 5, 1.0, 0);
        for (number, run) in sample.runs.iter_mut().enumerate() {
            run.pauses[number] = 0.5;
        }
        assert!((sample.value(Measure::Pause) - 0.020).abs() < 1e-9);
        assert_eq!(sample.pauses().len(), 20);
        // Runs whose collections cannot be matched have only their own longest pause.
        sample.runs[0].pauses.pop();
        assert_eq!(sample.value(Measure::Pause), 0.5);
    }

    #[test]
    fn quantiles() {
        assert_eq!(
            (median(&mut [3.0, 1.0, 2.0]), median(&mut []), quantile(&[1.0, 3.0], 0.75)),
            (2.0, 0.0, 2.5)
        );
    }
}
