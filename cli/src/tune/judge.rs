//! Which choice is better, and whether one is worth recommending.
//!
//! The figures of a choice stand in three dimensions, and most choices trade one for another. The *front* is what no
//! other choice beats in all of them. A recommendation has to be more: for the goal it must differ from the default
//! beyond the noise, and it must not pay with what the goal protects.

use crate::options::tune::Goal;

use super::sample::{Measure, Ratio, Sample};

/// The goals of memory and pauses may cost so much more time.
const TIME_FOR_OTHER: f64 = 1.1;

/// A choice beside the default.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison([Ratio; 3]);

impl Comparison {
    /// Of `sample` with `base`. Both have runs.
    pub fn new(sample: &Sample, base: &Sample) -> Comparison {
        Comparison(Measure::ALL.map(|measure| Ratio::new(sample, base, measure)))
    }

    /// The ratio of one measure.
    pub fn ratio(&self, measure: Measure) -> Ratio {
        self.0[measure as usize]
    }

    /// In what it is better beyond the noise.
    pub fn gains(&self) -> Vec<Measure> {
        Measure::ALL.into_iter().filter(|&measure| self.ratio(measure).is_better(measure)).collect()
    }

    /// In what it may be worse by more than the tolerance.
    pub fn costs(&self) -> Vec<Measure> {
        Measure::ALL.into_iter().filter(|&measure| !self.ratio(measure).is_no_worse(measure)).collect()
    }

    /// Does it serve the goal beyond doubt?
    pub fn serves(&self, goal: Goal) -> bool {
        let better = |measure: Measure| self.ratio(measure).is_better(measure);
        let affordable = self.ratio(Measure::Time).high <= TIME_FOR_OTHER;
        match goal {
            Goal::Balanced => !self.gains().is_empty() && self.costs().is_empty(),
            Goal::Time => better(Measure::Time),
            Goal::Memory => better(Measure::Memory) && affordable,
            Goal::Pause => better(Measure::Pause) && affordable,
        }
    }

    /// How well it serves the goal. Less is better.
    pub fn score(&self, goal: Goal) -> f64 {
        score(goal, Measure::ALL.map(|measure| self.ratio(measure).found))
    }
}

/// How well ratios to the default serve the goal. Less is better. In balance, a halved pause is worth as much as a
/// memory that is smaller by three tenths, or a time shorter by a sixth.
fn score(goal: Goal, [time, memory, pause]: [f64; 3]) -> f64 {
    match goal {
        Goal::Balanced => time * memory.sqrt() * pause.powf(0.25),
        Goal::Time => time,
        Goal::Memory => memory,
        Goal::Pause => pause,
    }
}

/// From few runs: how well a choice seems to serve the goal, or `None` if it hardly can any more. What is known of a
/// measure after one run is less than after ten, and of a pause less than of memory.
pub fn prospect(goal: Goal, sample: &Sample, base: &Sample) -> Option<f64> {
    let ratios = Measure::ALL.map(|measure| sample.value(measure) / base.value(measure));
    let root = (sample.runs.len().min(base.runs.len()) as f64).sqrt();
    let may_be = |measure: Measure, bound: f64| {
        let doubt = match measure {
            Measure::Time => 0.12,
            Measure::Memory => 0.03,
            Measure::Pause => 0.5,
        };
        ratios[measure as usize] <= bound * (1.0 + doubt / root)
    };
    let may_gain = |measure: Measure| may_be(measure, 1.0 - measure.worthwhile());
    let hopeful = match goal {
        Goal::Balanced => {
            Measure::ALL.into_iter().any(may_gain)
                && Measure::ALL.into_iter().all(|measure| may_be(measure, 1.0 + measure.tolerance()))
        }
        Goal::Time => may_gain(Measure::Time),
        Goal::Memory => may_gain(Measure::Memory) && may_be(Measure::Time, TIME_FOR_OTHER),
        Goal::Pause => may_gain(Measure::Pause) && may_be(Measure::Time, TIME_FOR_OTHER),
    };
    hopeful.then(|| score(goal, ratios))
}

/// The best of `candidates` that serve the goal. Among those that serve it equally well, the one that is best in
/// balance.
pub fn best<T: Copy>(goal: Goal, candidates: &[(T, Comparison)]) -> Option<(T, Comparison)> {
    let serving = || candidates.iter().filter(|(_, comparison)| comparison.serves(goal));
    let least = serving().map(|(_, comparison)| comparison.score(goal)).min_by(f64::total_cmp)?;
    serving()
        .filter(|(_, comparison)| comparison.score(goal) <= least * (1.0 + Measure::Time.worthwhile()))
        .min_by(|(_, a), (_, b)| a.score(Goal::Balanced).total_cmp(&b.score(Goal::Balanced)))
        .copied()
}

/// Which of the figures are on the front: no other is as good in everything and better in something by what is worth
/// a change.
pub fn front(figures: &[[f64; 3]]) -> Vec<bool> {
    let beats = |one: &[f64; 3], other: &[f64; 3]| {
        let all = Measure::ALL.into_iter();
        one.iter().zip(other).all(|(one, other)| one <= other)
            && all
                .into_iter()
                .any(|measure| one[measure as usize] < other[measure as usize] * (1.0 - measure.worthwhile()))
    };
    figures.iter().map(|figure| !figures.iter().any(|other| beats(other, figure))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comparison(time: f64, memory: f64, pause: f64) -> Comparison {
        Comparison([time, memory, pause].map(|found| Ratio { found, low: found * 0.99, high: found * 1.01 }))
    }

    #[test]
    fn balance_takes_no_gain_that_something_else_pays_for() {
        assert!(comparison(0.9, 1.0, 1.0).serves(Goal::Balanced));
        assert!(comparison(1.0, 0.9, 1.2).serves(Goal::Balanced));
        assert!(!comparison(0.9, 1.2, 1.0).serves(Goal::Balanced));
        assert!(!comparison(0.99, 0.99, 0.95).serves(Goal::Balanced));
        assert!(!comparison(1.05, 0.5, 0.5).serves(Goal::Balanced));
    }

    #[test]
    fn other_goals_pay_what_they_may() {
        assert!(comparison(0.9, 2.0, 9.0).serves(Goal::Time));
        assert!(comparison(1.08, 0.8, 2.0).serves(Goal::Memory));
        assert!(!comparison(1.2, 0.8, 1.0).serves(Goal::Memory));
        assert!(!comparison(1.2, 1.0, 0.1).serves(Goal::Pause));
        let candidates = [
            (1, comparison(0.90, 2.0, 1.0)),
            (2, comparison(0.905, 1.1, 1.0)),
            (3, comparison(0.95, 0.5, 0.5)),
        ];
        assert_eq!(best(Goal::Time, &candidates).map(|(name, _)| name), Some(2));
        assert_eq!(best(Goal::Balanced, &candidates).map(|(name, _)| name), Some(3));
        assert!(best(Goal::Time, &[(1, comparison(1.0, 0.5, 0.5))]).is_none());
    }

    #[test]
    fn the_front_is_what_nothing_beats() {
        let figures = [[1.0, 5.0, 1.0], [2.0, 2.0, 1.0], [2.0, 6.0, 1.0], [5.0, 1.0, 1.0], [2.01, 2.0, 1.0]];
        assert_eq!(front(&figures), [true, true, false, true, true]);
    }
}
