//! What must hold for any history, however it was come by: checked with histories that are cut up, mixed, given
//! other settings, or made of numbers that no generator would draw.

use frazil::BlockBytes;
use fuzz::campaign::attempt;
use fuzz::generate::generate;
use fuzz::history::{Demand, History, Label, Operand, Setup, Step};
use fuzz::kind::Kind;
use fuzz::run::Judge;
use quickcheck::{Arbitrary, Gen, TestResult, quickcheck};

/// Any step at all.
#[derive(Clone, Debug)]
struct AnyStep(Step);

fn label(g: &mut Gen) -> Label {
    // Mostly one that is in use, sometimes one that is out of all bounds.
    Label(if u8::arbitrary(g).is_multiple_of(8) {
        u32::arbitrary(g)
    } else {
        u32::from(u8::arbitrary(g) % 16)
    })
}

fn operand(g: &mut Gen) -> Operand {
    match u8::arbitrary(g) % 8 {
        0 => Operand::Empty,
        1 => Operand::Number(u32::arbitrary(g)),
        _ => Operand::Object(label(g)),
    }
}

fn making(g: &mut Gen) -> Step {
    let kind = *g.choose(Kind::ALL).expect("there are kinds");
    let (label, len) = (label(g), u32::from(u8::arbitrary(g)));
    match u8::arbitrary(g) % 3 {
        0 => {
            let (count, ring) = (u32::from(u8::arbitrary(g) % 16), bool::arbitrary(g));
            Step::Links { label, count, kind, len: kind.length(len), other: operand(g), ring }
        }
        _ => Step::Make {
            label,
            kind,
            len: kind.length(len),
            refs: (0..len % 4).map(|_| operand(g)).collect(),
        },
    }
}

impl Arbitrary for AnyStep {
    fn arbitrary(g: &mut Gen) -> AnyStep {
        let (handle, slot, weak) = (u32::arbitrary(g), u32::arbitrary(g), u32::arbitrary(g));
        let (root, on) = (bool::arbitrary(g), bool::arbitrary(g));
        AnyStep(match u8::arbitrary(g) % 32 {
            0..=7 => making(g),
            8..=11 => Step::Store { object: label(g), slot, value: operand(g) },
            12 => Step::Fill { object: label(g), start: slot, count: handle, value: operand(g) },
            13 => Step::Poke { object: label(g), value: u8::arbitrary(g) },
            14 => Step::Freeze { object: label(g), count: slot },
            15 => Step::FreezeDeep { value: operand(g) },
            16 => Step::Guard { object: label(g), on },
            17..=18 => Step::Root { value: operand(g) },
            19 => Step::Unroot { handle },
            20 => Step::Reroot { handle, value: operand(g) },
            21 => Step::Forget { handle },
            22 => Step::Push { value: operand(g) },
            23 => Step::Pop { count: slot },
            24 => Step::Set { slot, value: operand(g) },
            25 => Step::Weak { object: label(g) },
            26 => Step::Upgrade { weak, root },
            27 => Step::Finalize { object: label(g) },
            28 => Step::Take { root },
            29 => Step::Drain { count: slot },
            30 => Step::Collect(Demand::Short),
            _ => Step::Collect(Demand::Complete),
        })
    }
}

/// Any settings that agree.
#[derive(Clone, Debug)]
struct AnySetup(Setup);

impl Arbitrary for AnySetup {
    fn arbitrary(g: &mut Gen) -> AnySetup {
        AnySetup(Setup {
            block: *g.choose(&BlockBytes::ALL).expect("there are sizes"),
            nursery_kib: 1 + u32::from(u8::arbitrary(g)),
            traced_percent: u32::from(u16::arbitrary(g)),
            short: bool::arbitrary(g),
            cheap_percent: u32::from(u8::arbitrary(g)),
            growth_percent: u32::from(u16::arbitrary(g)),
            growth_kib: u32::from(u16::arbitrary(g)),
            limit_kib: if bool::arbitrary(g) { 0 } else { 256 + u32::from(u16::arbitrary(g)) },
            instalment: u32::from(u8::arbitrary(g) % 4),
            count_max: u8::arbitrary(g).clamp(1, 253),
            clusters: u32::from(u8::arbitrary(g) % 8),
            stack_words: u32::from(u8::arbitrary(g)),
            check: u8::arbitrary(g).is_multiple_of(8),
            orders: vec![u8::arbitrary(g).into()],
        })
    }
}

fn passes(history: &History) -> TestResult {
    match attempt(history, Judge::Both, None) {
        Ok(_) => TestResult::passed(),
        Err(failure) => TestResult::error(format!("{failure}\n{history}")),
    }
}

quickcheck! {
    fn any_steps_under_any_settings(setup: AnySetup, steps: Vec<AnyStep>) -> TestResult {
        passes(&History { setup: setup.0, steps: steps.into_iter().map(|step| step.0).collect() })
    }

    fn any_steps_can_be_written_and_read_back(setup: AnySetup, steps: Vec<AnyStep>) -> bool {
        let history = History { setup: setup.0, steps: steps.into_iter().map(|step| step.0).collect() };
        history.to_string().parse() == Ok(history)
    }

    fn any_part_of_a_history_is_a_history(seed: u64, kept: Vec<bool>) -> TestResult {
        let mut history = generate(seed);
        let mut kept = kept.into_iter().chain(std::iter::repeat(true));
        history.steps.retain(|_| kept.next() == Some(true));
        passes(&history)
    }

    fn one_history_after_another(seeds: (u64, u64), setup: AnySetup) -> TestResult {
        let mut history = generate(seeds.0);
        history.setup = setup.0;
        history.steps.extend(generate(seeds.1).steps);
        passes(&history)
    }
}
