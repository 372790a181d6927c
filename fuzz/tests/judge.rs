//! The judge is judged: what is exactly right passes, and whatever is changed about it does not.

use frazil_fuzz::graph::{Edges, classes, reach};
use frazil_fuzz::history::{Label, Operand, Step};
use frazil_fuzz::judge::{Moment, Part, Sighting};
use frazil_fuzz::kind::Kind;
use frazil_fuzz::plan::Act;
use frazil_fuzz::random::Random;
use frazil_fuzz::shadow::{Answer, Id, Shadow, Word};

fn does(shadow: &mut Shadow, steps: &[&str]) {
    let text = format!("heap block 4096\n{}", steps.join("\n"));
    let history: frazil_fuzz::history::History = text.parse().unwrap_or_else(|error| panic!("{error}"));
    let mut acts = Vec::new();
    for step in &history.steps {
        shadow.plan(step, &mut acts);
        for act in &acts {
            shadow.perform(act);
        }
    }
}

/// Counted and traced objects, a count above one, a frozen ring, and garbage.
fn example() -> Shadow {
    let mut shadow = Shadow::new(64);
    let steps = [
        "n0 = leaf ()",
        "n1..n3 = ring row (n0)",
        "freeze n1..n3",
        "n4 = pair (n1, n0)",
        "n5 = slots 3 (n4, n0, -)",
        "n6 = pair (n5, n4)",
        "n7 = leaf ()",
        "root n6",
        "push n3",
    ];
    does(&mut shadow, &steps);
    shadow
}

/// What a perfect heap would show after a complete collection: the definitions, word for word.
fn perfect(shadow: &Shadow) -> Vec<Sighting> {
    let reached = reach(&shadow.nodes, shadow.roots());
    let mut edges = Edges::default();
    (0..shadow.nodes.len()).for_each(|id| edges.add(shadow.targets(Id(id as u32)).map(Id::index)));
    let classes = classes(&edges, &reached.marks, |id| shadow.nodes[id].mutable);
    let one = |a: Id, b: Id| {
        a == b || classes[a.index()].cycle != 0 && classes[a.index()].cycle == classes[b.index()].cycle
    };
    let references = |from: &dyn Fn(Id) -> bool, to: Id| {
        let sources = reached.order.iter().filter(|&&source| from(source) && !one(source, to));
        let words = sources.flat_map(|source| &shadow.node(*source).refs);
        words.filter(|word| word.object().is_some_and(|target| one(target, to))).count()
    };
    let traced = |id: Id| classes[id.index()].traced;
    let sighting = |&id: &Id| Sighting {
        id,
        part: if traced(id) { Part::Traced } else { Part::Counted },
        count: if traced(id) { 0 } else { references(&|source| !traced(source), id) as u64 },
        retained: traced(id)
            || references(&traced, id) > 0
            || shadow.roots().any(|word| word.object().is_some_and(|root| one(root, id))),
        waiting: false,
        component: (!traced(id) && classes[id.index()].cycle != 0)
            .then_some(classes[id.index()].cycle as usize),
        released: 0,
    };
    reached.order.iter().map(sighting).collect()
}

/// Something wrong with what is seen.
type Change = fn(&mut Sighting);

/// Judges, and goes on to the next collection: only then is it known what was counted before.
fn judge_twice(shadow: &Shadow, second: &[Sighting]) -> Result<usize, String> {
    let mut shadow = shadow.clone();
    shadow.judge(&perfect(&shadow), Moment::Complete).unwrap_or_else(|wrong| panic!("{wrong}"));
    shadow.judge(second, Moment::Complete)
}

#[test]
fn what_is_right_passes_and_what_is_changed_does_not() {
    let shadow = example();
    let right = perfect(&shadow);
    assert_eq!(judge_twice(&shadow, &right), Ok(0));
    assert_eq!(right.len(), 7, "all but the garbage");
    let changes: [(&str, Change); 6] = [
        ("a count", |sighting| sighting.count += 1),
        ("a bit", |sighting| sighting.retained = !sighting.retained),
        ("a wait", |sighting| sighting.waiting = true),
        ("a component", |sighting| {
            sighting.component = if sighting.component.is_some() { None } else { Some(99) };
        }),
        ("a part", |sighting| {
            sighting.part = if sighting.part == Part::Counted { Part::Traced } else { Part::Counted };
        }),
        ("an object", |sighting| sighting.id = Id(7)),
    ];
    for index in 0..right.len() {
        for (what, change) in changes {
            let mut wrong = right.clone();
            change(&mut wrong[index]);
            // Traced objects have no counts to be wrong.
            let matters = what != "a count" || wrong[index].part == Part::Counted;
            let verdict = judge_twice(&shadow, &wrong);
            assert!(verdict.is_err() || !matters, "{what} of {:?} can be wrong", right[index]);
        }
        let mut less = right.clone();
        less.remove(index);
        assert!(judge_twice(&shadow, &less).is_err(), "{:?} can be missing", right[index]);
    }
}

#[test]
fn what_nobody_wants_must_be_held_by_something_that_waits() {
    let mut shadow = Shadow::new(64);
    does(&mut shadow, &["n0..n2 = chain pair (-)", "push n2"]);
    let right = perfect(&shadow);
    shadow.judge(&right, Moment::Complete).unwrap();
    does(&mut shadow, &["pop 1"]);
    let mut waiting = right;
    for sighting in &mut waiting {
        sighting.retained = false;
        sighting.waiting = sighting.id == Id(2);
    }
    assert_eq!(shadow.clone().judge(&waiting, Moment::Complete), Ok(0));
    waiting.iter_mut().for_each(|sighting| sighting.waiting = false);
    assert!(shadow.clone().judge(&waiting, Moment::Complete).is_err());
    // A short collection frees nothing.
    assert_eq!(shadow.judge(&waiting, Moment::Short), Ok(3));
}

#[test]
fn the_shadow_answers_as_a_heap_must() {
    let mut shadow = Shadow::new(1);
    does(&mut shadow, &["n0 = cell ()", "n1 = pair (n0)"]);
    let store = |object| Act::Store { object, slot: 0, value: Word::Number(1) };
    assert_eq!(shadow.perform(&store(Id(1))), Answer::Frozen);
    shadow.perform(&Act::Guard { object: Id(0), on: true });
    assert_eq!(shadow.perform(&store(Id(0))), Answer::Guarded);
    assert_eq!(shadow.perform(&Act::FreezeDeep { value: Word::Object(Id(1)) }), Answer::Froze(1));
    assert_eq!(shadow.perform(&store(Id(0))), Answer::Frozen);
    assert_eq!(shadow.perform(&Act::Push { value: Word::Empty }), Answer::Done);
    assert_eq!(shadow.perform(&Act::Push { value: Word::Empty }), Answer::StackFull);
}

#[test]
fn a_label_that_is_not_in_hand_chooses_something_that_is() {
    let mut shadow = example();
    assert_eq!(shadow.object(Label(4)), Some(Id(4)));
    shadow.judge(&perfect(&shadow), Moment::Complete).unwrap();
    assert!(shadow.object(Label(7)).is_some_and(|id| id != Id(7)), "n7 is garbage");
    let mut acts = Vec::new();
    for number in 0..100 {
        let object = Label(Random::new(number).below(u32::MAX));
        shadow.plan(&Step::Store { object, slot: number as u32, value: Operand::Empty }, &mut acts);
        let Act::Store { object, slot, .. } = acts[0] else { panic!("{acts:?}") };
        assert_eq!(
            (shadow.node(object).kind, slot < 3),
            (Kind::Slots, true),
            "the only one that can be written"
        );
        shadow.plan(&Step::Unroot { handle: number as u32 }, &mut acts);
        assert_eq!(acts, [Act::Unroot { handle: 0 }], "the only one there is");
    }
}
