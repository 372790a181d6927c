//! The recommendation in words, with its reason and how to apply it.

use std::fmt;

use super::Outcome;
use super::choice::Choice;
use super::judge::Comparison;
use super::sample::{Measure, Ratio};
use super::search::{Finding, Verdict};

/// The recommendation for a reader.
pub struct Words {
    /// In one sentence.
    pub headline: String,
    /// Why.
    pub reasons: Vec<String>,
    /// The command that applies it, and the settings for an embedder.
    pub apply: Option<[String; 2]>,
}

impl Outcome {
    /// The choice that is recommended, if it is not the default.
    pub fn recommended(&self) -> Option<Choice> {
        match &self.verdict {
            Verdict::Confirmed(finding) => Some(finding.choice),
            _ => None,
        }
    }
}

impl Words {
    /// What is to be said of `outcome`.
    pub fn new(outcome: &Outcome) -> Words {
        let default = outcome.default;
        let (headline, mut reasons) = match &outcome.verdict {
            Verdict::Confirmed(finding) => {
                let gains = listed(&finding.second, &finding.second.gains());
                (format!("use {}: {gains} than the default ({default})", finding.choice), confirmed(finding))
            }
            Verdict::Withdrawn(finding) => (
                format!("keep the default ({default}): what seemed better was not confirmed"),
                withdrawn(finding),
            ),
            Verdict::Nothing => (
                format!("keep the default ({default}): nothing serves the goal better beyond the noise"),
                extremes(outcome),
            ),
            Verdict::NoTime(seconds) => (
                format!("keep the default ({default}): there was no time to find out"),
                vec![format!("a run takes long: --seconds {seconds} would be enough for a few rounds")],
            ),
        };
        if !outcome.field.failures.is_empty() {
            reasons.push(format!("{} choices failed and are left out", outcome.field.failures.len()));
        }
        let apply = outcome.recommended().map(|choice| {
            [format!("frazil run {} {}", choice.options().join(" "), outcome.file), choice.source()]
        });
        Words { headline, reasons, apply }
    }
}

/// The best choice in each measure alone, for who wants to pay for it.
fn extremes(outcome: &Outcome) -> Vec<String> {
    let others = outcome.field.samples.iter().filter(|(choice, _)| **choice != outcome.default);
    let ratios: Vec<_> = others
        .filter_map(|(choice, sample)| {
            let base = outcome.field.base(outcome.default, sample)?;
            let ratio = |measure: Measure| sample.value(measure) / base.value(measure);
            Some((choice, sample.runs.len(), Measure::ALL.map(ratio)))
        })
        .collect();
    let best = Measure::ALL.into_iter().filter_map(|measure| {
        let of = |ratios: &[f64; 3]| ratios[measure as usize];
        let (choice, runs, ratios) = ratios.iter().min_by(|a, b| of(&a.2).total_cmp(&of(&b.2)))?;
        let much = of(ratios) <= 1.0 - 3.0 * measure.worthwhile();
        let [time, memory, pause] = ratios;
        much.then(|| {
            let runs = if *runs == 1 { "1 run".to_owned() } else { format!("{runs} runs") };
            format!(
                "least {}, from {runs} only: {choice}, with time \u{d7}{time:.2}, peak memory \u{d7}{memory:.2}, \
                 longest pause \u{d7}{pause:.2}",
                measure.name().trim_start_matches("longest ")
            )
        })
    });
    let goal = format!("the goal is {}: see 'frazil help tune' for the others", outcome.goal.name());
    std::iter::once(goal).chain(best).collect()
}

fn confirmed(finding: &Finding) -> Vec<String> {
    let pairs = finding.again[0].runs.len();
    let mut reasons = vec![
        format!("measured anew, {pairs} times each in turns: {}", all(&finding.second)),
        format!("before, among all others: {}", all(&finding.first)),
    ];
    let costs = finding.second.costs();
    if !costs.is_empty() {
        reasons.push(format!("it costs something: {}", listed(&finding.second, &costs)));
    }
    reasons
}

fn withdrawn(finding: &Finding) -> Vec<String> {
    vec![
        format!("{} seemed better: {}", finding.choice, all(&finding.first)),
        format!(
            "measured anew, {} times each in turns: {}",
            finding.again[0].runs.len(),
            all(&finding.second)
        ),
    ]
}

/// Some differences, as a person says them.
fn listed(comparison: &Comparison, measures: &[Measure]) -> String {
    let said = measures.iter().map(|&measure| {
        let ratio = comparison.ratio(measure).found;
        let (much, share) = (measure_words(measure, ratio < 1.0), (ratio - 1.0).abs() * 100.0);
        format!("{share:.0}% {much}")
    });
    said.collect::<Vec<_>>().join(", ")
}

fn measure_words(measure: Measure, less: bool) -> &'static str {
    match (measure, less) {
        (Measure::Time, true) => "less time",
        (Measure::Time, false) => "more time",
        (Measure::Memory, true) => "less memory",
        (Measure::Memory, false) => "more memory",
        (Measure::Pause, true) => "shorter longest pauses",
        (Measure::Pause, false) => "longer longest pauses",
    }
}

/// All three ratios with their intervals.
fn all(comparison: &Comparison) -> String {
    let said = Measure::ALL.map(|measure| format!("{} {}", measure.name(), ratio(comparison.ratio(measure))));
    said.join(", ")
}

/// A ratio with the interval that it lies in.
pub fn ratio(ratio: Ratio) -> String {
    format!("\u{d7}{:.2} ({:.2} to {:.2})", ratio.found, ratio.low, ratio.high)
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.headline)?;
        for reason in &self.reasons {
            writeln!(f, "  {reason}")?;
        }
        if let Some([command, source]) = &self.apply {
            writeln!(f, "\n  {command}\n  Config {{ {source}, .. }}")?;
        }
        Ok(())
    }
}
