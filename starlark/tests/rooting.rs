//! What happens when the machine forgets to root something: checking mode notices before the program can read it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use frazil::Config;
use frazil_starlark::syntax::Dialect;
use frazil_starlark::{Engine, Loader, Mistake};

/// One module beside the program.
struct Library;

impl Loader for Library {
    fn resolve(&self, name: &str, _: &str) -> Result<String, String> {
        Ok(name.to_owned())
    }

    fn read(&self, _: &str) -> Result<String, String> {
        Ok("shelf = [['a', 'book'], ['another', 'one']]".to_owned())
    }
}

/// Everything that is kept somewhere, so that each mistake forgets something in it.
const PROGRAM: &str = "
load('library', 'shelf')

names = ['one', 'two', 'three']

def rounds(count):
    total = 0
    for i in range(count):
        total += i
    return total

def caller():
    mine = ['a', 'list', 'of', 'the', 'caller']
    rounds(3)
    return mine

def with_default(given, default = ['of', 'a', 'default']):
    rounds(2)
    default = default + [given]
    return default

def counter():
    count = [0]
    def next():
        rounds(1)
        count.append(len(count))
        return count
    return next

def by_key(pair):
    rounds(1)
    return pair[1]

def loops():
    found = []
    for word in ['of', 'a', 'loop'] + ['only']:
        found.append(word)
    return found

def comprehends():
    return [[word, rounds(1)] for word in names]

def writes(seen):
    for i in range(4):
        seen.append([i])
    return seen

def program():
    next = counter()
    return [
        caller(),
        with_default(given = 'this', default = ['in', 'place', 'of', 'the', 'default']),
        with_default('that'),
        next(), next(),
        sorted([('x', 2), ('y', 1)], key = by_key),
        loops(), comprehends(), writes([]),
        given, shelf[0],
    ]

print(program())
";

const PRINTED: &str = "[[\"a\", \"list\", \"of\", \"the\", \"caller\"], \
    [\"in\", \"place\", \"of\", \"the\", \"default\", \"this\"], [\"of\", \"a\", \"default\", \"that\"], \
    [0, 1, 2], [0, 1, 2], [(\"y\", 1), (\"x\", 2)], [\"of\", \"a\", \"loop\", \"only\"], \
    [[\"one\", 0], [\"two\", 0], [\"three\", 0]], [[0], [1], [2], [3]], [\"given\"], [\"a\", \"book\"]]\n";

/// Runs the program in checking mode, and says what it printed, or with which words it was stopped.
fn run(short: bool, mistake: Option<Mistake>) -> Result<String, String> {
    let config = Config { stack_words: 1 << 16, short_collections: short, ..Config::STRESS };
    let mut engine = Engine::with_loader(config, Dialect::STANDARD, Box::new(Library)).unwrap();
    let out = Rc::new(RefCell::new(String::new()));
    let sink = Rc::clone(&out);
    engine.on_print(move |line| writeln!(sink.borrow_mut(), "{line}").unwrap());
    engine.predeclare("given", |cx| frazil_starlark::data::list::of(cx, &[cx.str("given")?])).unwrap();
    if let Some(mistake) = mistake {
        // SAFETY: the engine is not used after the only call that may panic.
        unsafe { engine.plant(mistake) };
    }
    let result = catch_unwind(AssertUnwindSafe(|| engine.run("main", PROGRAM)));
    match result {
        Ok(result) => {
            result.unwrap_or_else(|errors| panic!("{}", errors[0].render(false)));
            Ok(out.take())
        }
        Err(payload) => Err(payload.downcast_ref::<String>().expect("a message").clone()),
    }
}

#[test]
fn nothing_is_wrong_with_the_machine_as_it_is() {
    for short in [false, true] {
        assert_eq!(run(short, None).as_deref(), Ok(PRINTED));
    }
}

#[test]
fn every_mistake_is_noticed_and_told() {
    let root = "the program cannot go on after a collection: references: word ";
    let inside = "the program cannot go on after a collection: references: reference ";
    let told: HashMap<Mistake, &str> = HashMap::from([
        (Mistake::Globals, inside),
        (Mistake::Constants, inside),
        (Mistake::Defaults, inside),
        (Mistake::Captured, inside),
        (Mistake::Modules, inside),
        (Mistake::Predeclared, inside),
        (Mistake::Touches, "before a short collection: I6: a write into "),
    ]);
    for &mistake in Mistake::ALL {
        let message = run(mistake == Mistake::Touches, Some(mistake));
        let message = message.expect_err(mistake.name());
        println!("{:<18} {message}", mistake.name());
        assert!(message.starts_with(told.get(&mistake).copied().unwrap_or(root)), "{mistake:?}: {message}");
        let remedy =
            if mistake == Mistake::Touches { "was not reported" } else { "the place was not rooted" };
        assert!(message.contains(remedy), "{mistake:?}: {message}");
        assert_eq!(Mistake::named(mistake.name()), Some(mistake));
    }
}

#[test]
#[should_panic(expected = "only checking mode")]
fn mistakes_are_for_checking_mode() {
    let mut engine = Engine::new(Config::default(), Dialect::STANDARD).unwrap();
    // SAFETY: the engine is not used any more.
    unsafe { engine.plant(Mistake::Registers) };
}
