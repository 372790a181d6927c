//! Which choices are run, how often, and in which order.
//!
//! The whole grid is too much to be measured well in a minute and a half, and most of it is hopeless. So choices are run
//! once, first those of a coarse grid, then of finer ones, as far as the time allows; then those that may still serve the goal go through rounds, and
//! each round is for fewer of them. Next to the best ones, the grid is refined. Instalments are tried where releasing
//! the dead is a good part of the longest pause. In every round the order is drawn anew, and the default runs too: when
//! the machine becomes slower, it does so for all.
//!
//! A third of the time is kept for the *confirmation*: the best choice and the default, in turns, from scratch. Who
//! wins among many has been lucky, and only runs that did not choose the winner can tell by how much.

use std::collections::BTreeMap;
use std::time::Duration;

use fuzz::random::Random;

use crate::options::tune::Goal;

use super::choice::Choice;
use super::judge::{self, Comparison, prospect};
use super::sample::{Measure, Sample};
use super::trial::Run;

/// Where choices are run, and the clock.
pub trait Bench {
    /// Runs once, for `limit` at most. `doing` says what for.
    ///
    /// # Errors
    /// The run failed.
    fn run(&mut self, choice: Choice, limit: Duration, doing: &str) -> Result<Run, String>;
    /// The time since the beginning.
    fn elapsed(&self) -> Duration;
}

/// Every `.0`-th nursery and `.1`-th block size, from fine to coarse.
const GRIDS: [(usize, usize); 4] = [(1, 1), (2, 1), (2, 3), (4, 4)];
/// The share of the time that may go by until the grid has been seen once, and until the confirmation.
const SCREENING: f64 = 0.3;
const EXPLORING: f64 = 0.70;
/// How many go into each round. The last number is for all rounds to come.
const ROUNDS: [usize; 5] = [7, 5, 4, 3, 2];
/// So many that were never run join a round in which there is room.
const UNKNOWN: usize = 3;
/// Each in a round should be able to be in so many.
const FAIR: usize = 5;
/// Between two runs of the default in the screening.
const DEFAULT_EVERY: usize = 6;
/// So often the grid is looked at, at most.
const PASSES_MAX: usize = 3;
/// More rounds tell hardly more.
const ROUNDS_MAX: usize = 16;
/// With fewer runs nothing is concluded.
const RUNS_MIN: usize = 4;
/// Pairs of runs that confirm.
const PAIRS: std::ops::RangeInclusive<usize> = 5..=16;
/// Instalments are tried if releasing the dead takes this share of the longest pause.
const DRAIN_SHARE: f64 = 0.2;

/// What has been measured of each choice, and why some could not be.
#[derive(Debug, Default)]
pub struct Field {
    /// The runs.
    pub samples: BTreeMap<Choice, Sample>,
    /// The failures.
    pub failures: BTreeMap<Choice, String>,
}

impl Field {
    /// What a choice is compared with: the runs of `default` from the same laps. A machine that has become slower in the
    /// meantime has become so for both.
    pub fn base(&self, default: Choice, sample: &Sample) -> Option<Sample> {
        let runs = &self.samples.get(&default)?.runs;
        let of_lap = |lap: usize| runs.iter().find(|run| run.lap == lap).cloned();
        let base = Sample { runs: sample.runs.iter().filter_map(|run| of_lap(run.lap)).collect() };
        (!base.runs.is_empty()).then_some(base)
    }
}

/// What came of it.
#[derive(Debug)]
pub enum Verdict {
    /// One choice is better, and was better again when both were measured anew.
    Confirmed(Finding),
    /// One choice seemed to be better, but not when both were measured anew.
    Withdrawn(Finding),
    /// Nothing serves the goal better than the default beyond the noise.
    Nothing,
    /// There was no time for so many runs as it takes to conclude something: so many seconds would be needed.
    NoTime(u64),
}

/// A choice that seemed to be better.
#[derive(Debug)]
pub struct Finding {
    /// The choice.
    pub choice: Choice,
    /// Beside the default, among all others.
    pub first: Comparison,
    /// Beside the default, measured anew.
    pub second: Comparison,
    /// The new runs: of the choice, and of the default.
    pub again: [Sample; 2],
}

/// A search under way.
pub struct Search<'b, B> {
    bench: &'b mut B,
    default: Choice,
    goal: Goal,
    budget: Duration,
    random: Random,
    field: Field,
    /// The number of the lap under way.
    lap: usize,
    /// The mean time of a run, with its process.
    cost: Duration,
    /// Beyond this a run is hopeless.
    limit: Duration,
}

impl<'b, B: Bench> Search<'b, B> {
    /// A search for what serves `goal` better than `default`.
    pub fn new(bench: &'b mut B, default: Choice, goal: Goal, budget: Duration) -> Self {
        Search {
            bench,
            default,
            goal,
            budget,
            random: Random::new(0x7475_6e65),
            field: Field::default(),
            lap: 0,
            cost: Duration::ZERO,
            // Nothing can be concluded from a program of which not even one run fits in.
            limit: budget,
        }
    }

    /// Does it all.
    ///
    /// # Errors
    /// The program fails under the default.
    pub fn go(mut self) -> Result<(Field, Verdict), String> {
        self.begin()?;
        self.screen();
        self.refine();
        let verdict = self.conclude();
        Ok((self.field, verdict))
    }

    /// The default, twice: the first run has to load what the others find in memory, and does not count.
    fn begin(&mut self) -> Result<(), String> {
        self.bench.run(self.default, self.limit, "beginning")?;
        let before = self.bench.elapsed();
        let run = self.bench.run(self.default, self.limit, "beginning")?;
        self.cost = self.bench.elapsed().saturating_sub(before).max(Duration::from_micros(1));
        self.limit = self.cost * 5 + Duration::from_secs(1);
        self.field.samples.entry(self.default).or_default().runs.push(run);
        Ok(())
    }

    /// May one more run begin before this share of the time has gone by?
    fn has_time(&self, share: f64) -> bool {
        self.bench.elapsed() + self.cost <= self.budget.mul_f64(share)
    }

    fn measure(&mut self, choice: Choice, doing: &str) {
        if self.field.failures.contains_key(&choice) {
            return;
        }
        let before = self.bench.elapsed();
        let result = self.bench.run(choice, self.limit, doing);
        // The first run was as quick as the machine was then.
        self.cost = (self.cost * 7 + self.bench.elapsed().saturating_sub(before)) / 8;
        match result {
            Ok(run) => {
                let run = Run { lap: self.lap, ..run };
                self.field.samples.entry(choice).or_default().runs.push(run);
            }
            Err(why) => {
                self.field.samples.remove(&choice);
                self.field.failures.insert(choice, why);
            }
        }
    }

    fn shuffle(&mut self, choices: &mut [Choice]) {
        for last in (1..choices.len()).rev() {
            let other = self.random.below(last as u32 + 1) as usize;
            choices.swap(last, other);
        }
    }

    /// Every choice once, coarse grids first, as long as there is time; some more times if they are quick.
    fn screen(&mut self) {
        for _ in 0..PASSES_MAX {
            for (number, choice) in self.grids(|_| true).into_iter().enumerate() {
                if number % DEFAULT_EVERY == 0 && self.has_time(SCREENING) {
                    self.lap += 1;
                    self.measure(self.default, "looking at all");
                }
                if self.has_time(SCREENING) {
                    self.measure(choice, "looking at all");
                }
            }
        }
    }

    /// The choices of all grids but the default, each once, coarse grids first, each grid in an order drawn anew.
    fn grids(&mut self, which: impl Fn(Choice) -> bool) -> Vec<Choice> {
        let mut all: Vec<Choice> = Vec::new();
        for sparse in GRIDS.into_iter().rev() {
            let mut grid = Choice::grid(self.default, sparse);
            grid.retain(|&choice| choice != self.default && which(choice) && !all.contains(&choice));
            self.shuffle(&mut grid);
            all.extend(grid);
        }
        all
    }

    /// Choices that may serve the goal, the most hopeful first.
    fn contenders(&self) -> Vec<Choice> {
        let others = self.field.samples.iter().filter(|(choice, _)| **choice != self.default);
        let mut hopeful: Vec<(f64, Choice)> = others
            .filter_map(|(&choice, sample)| {
                let base = self.field.base(self.default, sample)?;
                Some((prospect(self.goal, sample, &base)?, choice))
            })
            .collect();
        hopeful.sort_by(|a, b| a.0.total_cmp(&b.0));
        hopeful.into_iter().map(|(_, choice)| choice).collect()
    }

    /// Rounds among the contenders.
    fn refine(&mut self) {
        let mut last: Option<Vec<Choice>> = None;
        for round in 0..ROUNDS_MAX {
            let mut chosen = self.contenders();
            // Who has dropped out does not come back: others have more runs by now.
            chosen.retain(|choice| last.as_ref().is_none_or(|last| last.contains(choice)));
            let affordable = self.budget.mul_f64(EXPLORING).saturating_sub(self.bench.elapsed());
            let affordable = (affordable.as_secs_f64() / self.cost.as_secs_f64()) as usize;
            chosen.truncate(ROUNDS[round.min(ROUNDS.len() - 1)].min(affordable / FAIR).max(2));
            if round < 2 {
                chosen.extend(self.beside(&chosen, round));
            }
            if chosen.len() < 2 {
                // There is time left: something may have been passed by.
                let known: Vec<Choice> = self.field.samples.keys().copied().collect();
                let unknown = self.grids(|choice| !known.contains(&choice));
                chosen.extend(unknown.into_iter().take(UNKNOWN));
            }
            if chosen.is_empty() && self.runs(self.default) >= RUNS_MIN {
                return;
            }
            last = Some(chosen.clone());
            self.shuffle(&mut chosen);
            // The default goes first: without it the runs of a lap have nothing to be compared with.
            chosen.insert(0, self.default);
            self.lap += 1;
            for choice in chosen {
                if !self.has_time(EXPLORING) {
                    return;
                }
                let doing = format!("round {} of {ROUNDS_MAX}", round + 1);
                self.measure(choice, &doing);
            }
        }
    }

    /// Choices beside the best ones that have not been tried: the next sizes first, then the other way to release the
    /// dead, if that can change anything.
    fn beside(&self, best: &[Choice], round: usize) -> Vec<Choice> {
        let anchors = best.iter().copied();
        let found: Vec<Choice> = match round {
            0 => anchors.take(1).flat_map(Choice::neighbours).collect(),
            _ => {
                let anchors = anchors.take(2).chain([self.default]);
                anchors.filter(|&choice| self.drain_matters(choice)).map(Choice::other_drain).collect()
            }
        };
        found.into_iter().filter(|choice| !self.is_known(*choice)).collect()
    }

    fn is_known(&self, choice: Choice) -> bool {
        self.field.samples.contains_key(&choice) || self.field.failures.contains_key(&choice)
    }

    fn drain_matters(&self, choice: Choice) -> bool {
        self.field.samples.get(&choice).is_some_and(|sample| {
            choice.instalments
                || sample.median(|run| run.drain_max) >= DRAIN_SHARE * sample.value(Measure::Pause)
        })
    }

    fn runs(&self, choice: Choice) -> usize {
        self.field.samples.get(&choice).map_or(0, |sample| sample.runs.len())
    }

    fn conclude(&mut self) -> Verdict {
        let known: Vec<Choice> = self.field.samples.keys().copied().collect();
        let known = known.into_iter().filter(|&choice| self.runs(choice) >= RUNS_MIN);
        let known: Vec<Choice> = known.collect();
        let too_few = !known.contains(&self.default) || (known.len() < 2 && !self.contenders().is_empty());
        if too_few {
            return Verdict::NoTime(self.needed());
        }
        let others = known.iter().filter(|&&choice| choice != self.default);
        let compared: Vec<_> = others
            .filter_map(|&choice| {
                let sample = &self.field.samples[&choice];
                Some((choice, Comparison::new(sample, &self.field.base(self.default, sample)?)))
            })
            .collect();
        match judge::best(self.goal, &compared) {
            Some((choice, first)) => self.confirm(choice, first),
            None => Verdict::Nothing,
        }
    }

    /// Seconds that would be enough for a few rounds.
    fn needed(&self) -> u64 {
        (self.cost.as_secs_f64() * 60.0).ceil() as u64
    }

    /// Measures `choice` and the default anew, in turns.
    fn confirm(&mut self, choice: Choice, first: Comparison) -> Verdict {
        let left = self.budget.saturating_sub(self.bench.elapsed()).as_secs_f64();
        let pairs = (left / (self.cost.as_secs_f64() * 2.0)) as usize;
        let pairs = pairs.clamp(*PAIRS.start(), *PAIRS.end());
        let mut again = [Sample::default(), Sample::default()];
        for pair in 0..pairs {
            let mut order = [(0, choice), (1, self.default)];
            if self.random.chance(50) {
                order.reverse();
            }
            for (place, choice) in order {
                let doing = format!("confirming, {} of {pairs}", pair + 1);
                // A run that fails now confirms nothing: its sample stays smaller.
                if let Ok(run) = self.bench.run(choice, self.limit, &doing) {
                    again[place].runs.push(run);
                }
            }
        }
        let enough = again.iter().all(|sample| sample.runs.len() >= *PAIRS.start());
        if !enough {
            return Verdict::Nothing;
        }
        let second = Comparison::new(&again[0], &again[1]);
        let finding = Finding { choice, first, second, again };
        if second.serves(self.goal) { Verdict::Confirmed(finding) } else { Verdict::Withdrawn(finding) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program as a formula, with noise and a machine that becomes slower, and a clock that it drives.
    struct Model<F> {
        program: F,
        noise: u32,
        seconds: f64,
        random: Random,
        now: Duration,
        runs: usize,
    }

    impl<F: Fn(Choice) -> Option<[f64; 3]>> Model<F> {
        fn new(seed: u64, noise: u32, seconds: f64, program: F) -> Self {
            Model { program, noise, seconds, random: Random::new(seed), now: Duration::ZERO, runs: 0 }
        }
    }

    impl<F: Fn(Choice) -> Option<[f64; 3]>> Bench for Model<F> {
        fn run(&mut self, choice: Choice, _: Duration, _: &str) -> Result<Run, String> {
            self.runs += 1;
            let drift = 1.0 + self.now.as_secs_f64() / 300.0;
            let noise = self.noise;
            let mut noisy = |figure: f64| figure * (1.0 + f64::from(self.random.below(noise + 1)) / 1000.0);
            let [time, memory, pause] = (self.program)(choice).ok_or("it crashed")?;
            let run = Run {
                seconds: noisy(self.seconds * time * drift),
                peak_bytes: noisy(memory),
                pauses: vec![noisy(pause); 3],
                drain_max: pause / 2.0,
                ..Run::default()
            };
            self.now += Duration::from_secs_f64(run.seconds + 0.01);
            Ok(run)
        }

        fn elapsed(&self) -> Duration {
            self.now
        }
    }

    fn default() -> Choice {
        Choice::of(&starlark::CONFIG)
    }

    #[test]
    fn where_nothing_matters_the_default_stays() {
        let mut wrong = 0;
        for seed in 0..20 {
            let mut model = Model::new(seed, 50, 0.5, |_| Some([1.0, 1.0, 1.0]));
            let search = Search::new(&mut model, default(), Goal::Balanced, Duration::from_secs(90));
            let (_, verdict) = search.go().expect("no failure");
            wrong += usize::from(matches!(verdict, Verdict::Confirmed(_)));
        }
        assert_eq!(wrong, 0);
    }

    #[test]
    fn the_best_is_found_and_the_time_is_kept() {
        let best = Choice { nursery: 512 << 10, block: frazil::BlockBytes::K16, instalments: false };
        let program = move |choice: Choice| {
            let far = (choice.nursery as f64 / best.nursery as f64).log2().abs();
            let other = f64::from(choice.block.log2().abs_diff(best.block.log2()));
            Some([1.0 + 0.08 * far + 0.04 * other, 1.0 + 0.1 * far, 1.0])
        };
        for (seed, seconds) in [(1, 0.05), (2, 0.5), (3, 1.0)] {
            let mut model = Model::new(seed, 20, seconds, program);
            let search = Search::new(&mut model, default(), Goal::Time, Duration::from_secs(90));
            let (field, verdict) = search.go().expect("no failure");
            let Verdict::Confirmed(finding) = verdict else { panic!("{seconds}: {verdict:?}") };
            assert_eq!(finding.choice.nursery, best.nursery, "{seconds}");
            assert!(finding.second.ratio(Measure::Time).high < 0.95);
            assert!(model.now < Duration::from_secs(100), "{:?}", model.now);
            assert!(field.samples.len() >= 10);
        }
    }

    #[test]
    fn instalments_are_found() {
        let program = |choice: Choice| Some([1.0, 1.0, if choice.instalments { 0.3 } else { 1.0 }]);
        let mut model = Model::new(5, 20, 0.2, program);
        let search = Search::new(&mut model, default(), Goal::Balanced, Duration::from_secs(60));
        let (_, verdict) = search.go().expect("no failure");
        let Verdict::Confirmed(finding) = verdict else { panic!("{verdict:?}") };
        assert!(finding.choice.instalments);
        assert_eq!(finding.second.gains(), [Measure::Pause]);
    }

    #[test]
    fn choices_that_crash_are_left_out_and_a_default_that_crashes_ends_it() {
        let program = |choice: Choice| (choice.nursery >= 1 << 20).then_some([1.0, 1.0, 1.0]);
        let mut model = Model::new(1, 20, 0.1, program);
        let search = Search::new(&mut model, default(), Goal::Balanced, Duration::from_secs(60));
        let (field, _) = search.go().expect("the default goes well");
        assert!(!field.failures.is_empty());
        assert!(field.failures.keys().all(|choice| !field.samples.contains_key(choice)));
        let mut model = Model::new(1, 20, 0.1, |_| None);
        let search = Search::new(&mut model, default(), Goal::Balanced, Duration::from_secs(60));
        assert_eq!(search.go().expect_err("a failure"), "it crashed");
    }

    #[test]
    fn a_slow_program_needs_more_time() {
        let mut model = Model::new(1, 20, 30.0, |_| Some([1.0, 1.0, 1.0]));
        let search = Search::new(&mut model, default(), Goal::Balanced, Duration::from_secs(90));
        let (_, verdict) = search.go().expect("no failure");
        assert!(matches!(verdict, Verdict::NoTime(seconds) if seconds > 1000), "{verdict:?}");
        assert!(model.runs <= 4);
    }
}
