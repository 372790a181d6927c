//! Making a failing history small: first whole runs of steps are left out (delta debugging, Zeller and
//! Hildebrandt, 2002), then the settings and each step are made plainer, until nothing more can be spared.
//!
//! Every part of a history is a history, so nothing needs to be repaired on the way.

use crate::history::{Demand, History, Label, Operand, Setup, Step};
use crate::kind::Kind;

/// Makes `history` smaller while `fails` says that it still fails. At most `attempts` histories are tried.
pub fn shrink(history: &History, attempts: usize, fails: impl Fn(&History) -> bool) -> History {
    let mut shrinker = Shrinker { best: history.clone(), left: attempts, fails };
    loop {
        let before = shrinker.best.clone();
        shrinker.leave_out();
        shrinker.plain_setup();
        shrinker.plain_steps();
        if shrinker.best == before || shrinker.left == 0 {
            break;
        }
    }
    shrinker.rename();
    shrinker.best
}

struct Shrinker<F> {
    best: History,
    left: usize,
    fails: F,
}

impl<F: Fn(&History) -> bool> Shrinker<F> {
    /// Takes `candidate` if it fails too.
    fn try_out(&mut self, candidate: History) -> bool {
        if self.left == 0 || candidate == self.best {
            return false;
        }
        self.left -= 1;
        let fails = (self.fails)(&candidate);
        if fails {
            self.best = candidate;
        }
        fails
    }

    /// Leaves out runs of steps, long ones first.
    fn leave_out(&mut self) {
        let mut size = self.best.steps.len();
        while size > 0 {
            // From the end: what comes late depends on what came before, not the other way round.
            let mut end = self.best.steps.len();
            while end > 0 {
                let start = end.saturating_sub(size);
                let mut candidate = self.best.clone();
                candidate.steps.drain(start..end);
                self.try_out(candidate);
                end = start;
            }
            size /= 2;
        }
    }

    fn plain_setup(&mut self) {
        let plain = Setup::plain();
        let changes: [fn(&mut Setup, &Setup); 17] = [
            |setup, plain| *setup = plain.clone(),
            |setup, plain| setup.orders.clone_from(&plain.orders),
            |setup, _| setup.orders.truncate(1),
            |setup, _| setup.orders[0] = 0,
            |setup, plain| setup.check = plain.check,
            |setup, plain| setup.short = plain.short,
            |setup, plain| setup.instalment = plain.instalment,
            |setup, plain| setup.limit_kib = plain.limit_kib,
            |setup, plain| setup.block = plain.block,
            |setup, plain| setup.count_max = plain.count_max,
            |setup, plain| setup.clusters = plain.clusters,
            |setup, plain| setup.nursery_kib = plain.nursery_kib,
            |setup, plain| setup.traced_percent = plain.traced_percent,
            |setup, plain| setup.stack_words = plain.stack_words,
            |setup, plain| setup.cheap_percent = plain.cheap_percent,
            |setup, plain| setup.growth_percent = plain.growth_percent,
            |setup, plain| setup.growth_kib = plain.growth_kib,
        ];
        for change in changes {
            let mut candidate = self.best.clone();
            change(&mut candidate.setup, &plain);
            self.try_out(candidate);
        }
    }

    fn plain_steps(&mut self) {
        for index in (0..self.best.steps.len()).rev() {
            // A plainer step may have plainer ones yet.
            while plainer(&self.best.steps[index]).into_iter().any(|step| self.replace(index, step)) {}
            self.define_labels(index);
        }
    }

    fn replace(&mut self, index: usize, step: Step) -> bool {
        let mut candidate = self.best.clone();
        candidate.steps[index] = step;
        self.try_out(candidate)
    }

    /// A label of an object that is not made any more chooses another one. Says which, for the reader.
    fn define_labels(&mut self, index: usize) {
        let defined: Vec<Label> = self.best.steps[..index].iter().flat_map(defines).collect();
        for nth in 0..uses(&mut self.best.steps[index].clone()).len() {
            let label = *uses(&mut self.best.steps[index].clone())[nth];
            if defined.contains(&label) {
                continue;
            }
            for &other in defined.iter().rev() {
                let mut step = self.best.steps[index].clone();
                *uses(&mut step)[nth] = other;
                if self.replace(index, step) {
                    break;
                }
            }
        }
    }

    /// Numbers the labels from zero.
    fn rename(&mut self) {
        let defined: Vec<Label> = self.best.steps.iter().flat_map(defines).collect();
        let mut candidate = self.best.clone();
        for step in &mut candidate.steps {
            for label in uses(step) {
                if let Some(place) = defined.iter().position(|other| other == label) {
                    *label = Label(place as u32);
                }
            }
            let first = defines(step).first().copied();
            if let (Step::Make { label, .. } | Step::Links { label, .. }, Some(first)) = (step, first)
                && let Some(place) = defined.iter().position(|&other| other == first)
            {
                *label = Label(place as u32);
            }
        }
        // A failure that takes the last attempt must not keep its names for that.
        self.left += 1;
        self.try_out(candidate);
    }
}

/// The labels that a step gives.
fn defines(step: &Step) -> Vec<Label> {
    match step {
        Step::Make { label, .. } => vec![*label],
        Step::Links { label, count, .. } => (0..*count).map(|nth| label.plus(nth)).collect(),
        _ => Vec::new(),
    }
}

/// The labels that a step is about.
fn uses(step: &mut Step) -> Vec<&mut Label> {
    let (object, operands) = match step {
        Step::Make { refs, .. } => (None, refs.iter_mut().collect()),
        Step::Links { other, .. } => (None, vec![other]),
        Step::Store { object, value, .. } | Step::Fill { object, value, .. } => (Some(object), vec![value]),
        Step::Poke { object, .. }
        | Step::Freeze { object, .. }
        | Step::Guard { object, .. }
        | Step::Weak { object }
        | Step::Finalize { object } => (Some(object), vec![]),
        Step::FreezeDeep { value }
        | Step::Root { value }
        | Step::Push { value }
        | Step::Reroot { value, .. }
        | Step::Set { value, .. } => (None, vec![value]),
        _ => (None, vec![]),
    };
    let operands = operands.into_iter().filter_map(|operand| match operand {
        Operand::Object(label) => Some(label),
        Operand::Empty | Operand::Number(_) => None,
    });
    object.into_iter().chain(operands).collect()
}

/// Steps to try instead of `step`, the plainest first.
fn plainer(step: &Step) -> Vec<Step> {
    let with = |change: &dyn Fn(&mut Step)| {
        let mut step = step.clone();
        change(&mut step);
        step
    };
    let mut steps = Vec::new();
    match step {
        Step::Make { label, kind, len, refs } => {
            let make =
                |kind: Kind, len, refs| Step::Make { label: *label, kind, len: kind.length(len), refs };
            steps.push(make(Kind::Leaf, 0, vec![]));
            steps.push(make(if kind.is_mutable() { Kind::Cell } else { Kind::Pair }, 0, refs.clone()));
            let lens = [1, 2, 8, len / 2, len - len / 4, len.saturating_sub(1)];
            steps
                .extend(lens.into_iter().filter(|less| less < len).map(|len| make(*kind, len, refs.clone())));
            for index in 0..refs.len() {
                let mut fewer = refs.clone();
                fewer.remove(index);
                steps.push(make(*kind, *len, fewer));
            }
        }
        Step::Links { label, count, kind, len, other, ring } => {
            let (label, kind, len) = (*label, *kind, *len);
            steps.push(Step::Make { label, kind, len, refs: vec![*other] });
            let links = |count, kind: Kind, len| {
                let len = kind.length(len);
                Step::Links { label, count, kind, len, other: *other, ring: *ring }
            };
            steps.extend([Kind::Pair, Kind::Cell].map(|plain| links(*count, plain, 0)));
            steps.extend([1, 2, 8, len / 2].map(|less| links(*count, kind, less)));
            let less = [1, 2, 3, count / 2, count - count / 4, count.saturating_sub(1)];
            steps.extend(less.map(|count| links(count, kind, len)));
        }
        Step::Litter { count, len } => {
            steps.push(Step::Litter { count: 1, len: *len });
            steps.push(Step::Litter { count: *count / 2, len: *len });
        }
        Step::Fill { object, start, count, value } => {
            steps.push(Step::Store { object: *object, slot: *start, value: *value });
            steps.push(Step::Fill { object: *object, start: *start, count: *count / 2, value: *value });
        }
        Step::FreezeDeep { value: Operand::Object(object) } => {
            steps.push(Step::Freeze { object: *object, count: 1 });
        }
        Step::Collect(demand) if *demand != Demand::Complete => steps.push(Step::Collect(Demand::Complete)),
        _ => {}
    }
    steps.push(with(&zero));
    steps.extend([Operand::Empty, Operand::Number(0)].map(|plain| with(&|step| use_operand(step, plain))));
    steps.retain(|other| other != step && (measure(other) < measure(step) || is_smaller_number(other, step)));
    steps
}

/// How much there is to a step: what a plainer one must have less of, so that shrinking ends.
fn measure(step: &Step) -> u64 {
    match step {
        Step::Make { kind, len, refs, .. } => {
            let objects = refs.iter().filter(|operand| **operand != Operand::Empty).count() as u64;
            u64::from(*len) * 4 + refs.len() as u64 * 2 + objects + *kind as u64
        }
        Step::Links { count, kind, len, other, .. } => {
            let each = 40 + u64::from(*len) * 4 + *kind as u64;
            1000 + u64::from(*count) * each + u64::from(*other != Operand::Empty)
        }
        Step::Litter { count, .. } => u64::from(*count),
        Step::Fill { count, .. } => 100 + u64::from(*count),
        Step::FreezeDeep { .. } => 100,
        Step::Freeze { count, .. } => u64::from(*count),
        Step::Collect(demand) => u64::from(*demand != Demand::Complete),
        Step::Store { value, .. }
        | Step::Set { value, .. }
        | Step::Reroot { value, .. }
        | Step::Root { value }
        | Step::Push { value } => match value {
            Operand::Empty => 0,
            Operand::Number(_) => 1,
            Operand::Object(_) => 2,
        },
        Step::Upgrade { root, .. } | Step::Take { root } => u64::from(*root),
        _ => 0,
    }
}

/// The indices of a step.
fn numbers(step: &mut Step) -> Vec<&mut u32> {
    match step {
        Step::Store { slot, .. } | Step::Set { slot, .. } => vec![slot],
        Step::Fill { start, .. } => vec![start],
        Step::Freeze { count, .. } => vec![count],
        Step::Refuse { after } => vec![after],
        Step::Unroot { handle } | Step::Forget { handle } | Step::Reroot { handle, .. } => vec![handle],
        Step::Pop { count } | Step::Drain { count } => vec![count],
        Step::Upgrade { weak, .. } | Step::Unweak { weak } => vec![weak],
        _ => vec![],
    }
}

fn is_smaller_number(one: &Step, other: &Step) -> bool {
    let sum = |step: &Step| numbers(&mut step.clone()).iter().map(|number| u64::from(**number)).sum::<u64>();
    measure(one) == measure(other) && sum(one) < sum(other)
}

fn zero(step: &mut Step) {
    let least = u32::from(matches!(step, Step::Freeze { .. } | Step::Pop { .. } | Step::Drain { .. }));
    for number in numbers(step) {
        *number = least;
    }
    if let Step::Upgrade { root, .. } | Step::Take { root } = step {
        *root = false;
    }
}

fn use_operand(step: &mut Step, plain: Operand) {
    match step {
        Step::Links { other: value, .. }
        | Step::Store { value, .. }
        | Step::Fill { value, .. }
        | Step::Set { value, .. }
        | Step::Reroot { value, .. }
        | Step::Root { value }
        | Step::Push { value } => *value = plain,
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::generate;

    /// "Fails" if a ring of two or more is made, and something is collected later.
    fn fails(history: &History) -> bool {
        let ring = |step: &Step| matches!(step, Step::Links { count, ring: true, .. } if *count >= 2);
        let place = history.steps.iter().position(ring);
        let is_collection = |step: &Step| matches!(step, Step::Collect(_));
        place.is_some_and(|place| history.steps[place..].iter().any(is_collection))
    }

    #[test]
    fn only_what_matters_is_left() {
        let failing = (0..).map(generate).find(fails).unwrap();
        let small = shrink(&failing, 10_000, fails);
        let wanted = "heap block 4096 nursery 4 traced 50 cheap 0 growth 50/4 limit 0 instalment 0 counts 253 clusters 0 stack 64\n\
                      n0..n1 = ring pair (-)\ncollect complete\n";
        assert_eq!(small.to_string(), wanted);
    }
}
