//! Pictures of an interpreter's heap: every object knows its line, every path has a name.

use std::cell::RefCell;
use std::rc::Rc;

use frazil::{Config, Paths, Request};
use frazil_starlark::picture::{Origin, Start};
use frazil_starlark::syntax::Dialect;
use frazil_starlark::value::Kind;
use frazil_starlark::{Engine, Picture, View, Watch};

/// The settings under which programs are run: as always, and with everything rare made common.
fn settings() -> [Config; 3] {
    let tiny = Config { nursery_bytes: 16 << 10, ..frazil_starlark::CONFIG };
    [frazil_starlark::CONFIG, tiny, Config { check: false, ..Config::STRESS }]
}

fn profiled(config: Config, text: &str) -> Engine {
    let mut engine = Engine::new(config, Dialect::EXTENDED).expect("an engine");
    engine.profile();
    if let Err(errors) = engine.run("app.star", text) {
        panic!("{}", errors[0].render(false));
    }
    engine
}

fn picture(engine: &mut Engine) -> Picture {
    engine.collect(Request::Complete).expect("memory");
    engine.view().picture()
}

/// The lines of the program at which the objects of a kind were born, with how many there are.
fn lines(picture: &Picture, kind: Kind) -> Vec<(u32, usize)> {
    let mut lines = std::collections::BTreeMap::new();
    for object in (0..picture.snapshot.objects.len()).filter(|&object| picture.kind(object) == kind) {
        if let Some(origin) = picture.origin(picture.snapshot.objects[object].site) {
            *lines.entry(origin.at.line).or_insert(0) += 1;
        }
    }
    lines.into_iter().collect()
}

const MAKERS: &str = "\
kept = []
def make(n):
    x = {'n': [n]}
    kept.append(x)
    return [
        (n, 'a' + str(n)) for _ in range(3)
    ]
made = [make(i) for i in range(500)]
words = sorted(['%d' % i for i in range(400)], key = lambda w: [
    w + '!',
][0])
loud = [w * 2 for w in words if len(w) > 1]
def late(x, *rest, **named):
    return (x, rest, named)
late_made = late(1, 2, y = [3])
n = 0
while n < 300:
    if n % 3 == 0 or n == 7:
        kept.append((n, n))
    elif n > 250:
        kept.append([n])
    n += 1
";

#[test]
fn every_object_counts_for_the_line_that_made_it() {
    for config in settings() {
        let mut engine = profiled(config, MAKERS);
        let picture = picture(&mut engine);
        // A list of a comprehension counts for the comprehension's first line, its elements for their own.
        assert_eq!(lines(&picture, Kind::Dict), [(3, 500), (15, 1)]);
        let lists = lines(&picture, Kind::List);
        assert_eq!(lists.iter().find(|line| line.0 == 3), Some(&(3, 500)), "{lists:?}");
        assert_eq!(
            lists.iter().filter(|line| line.0 > 15).map(|line| line.1).sum::<usize>(),
            33,
            "{lists:?}"
        );
        let tuples = lines(&picture, Kind::Tuple);
        assert!(tuples.contains(&(6, 1500)) && tuples.contains(&(19, 101)), "{tuples:?}");
        assert!(
            tuples.contains(&(14, 1)) && tuples.contains(&(15, 1)),
            "*rest is made by the call: {tuples:?}"
        );
        let texts = lines(&picture, Kind::Str);
        assert!(texts.contains(&(6, 1500)) && texts.contains(&(9, 390)), "{texts:?}");
        assert!(texts.contains(&(12, 390)), "{texts:?}");
        let slots = lines(&picture, Kind::Slots);
        assert!(slots.contains(&(3, 1000)), "the entries of each dict, and the slots of its list: {slots:?}");
    }
}

#[test]
fn profiled_code_does_what_other_code_does() {
    // Every kind of jump, and errors that leave loops.
    let text = "\
def f(n):
    out = []
    for i in range(n):
        if i % 2 == 0 and i != 4 or i in [5, 7]:
            continue
        out.append(i if i > 3 else -i)
        if len(out) > 5:
            break
    return out, [x + y for x in out for y in out if x < y], {k: v for k, v in zip(out, out) if k > 0}
result = [f(n) for n in range(20)]
";
    let mut plain = Engine::new(frazil_starlark::CONFIG, Dialect::EXTENDED).expect("an engine");
    plain.run("app.star", text).expect("a good program");
    let profiled = profiled(frazil_starlark::CONFIG, text);
    let shown = |engine: &Engine| engine.global("app.star", "result", frazil_starlark::ops::repr::repr);
    assert!(shown(&plain).is_some_and(|text| text.len() > 1000));
    assert_eq!(shown(&plain), shown(&profiled));
}

#[test]
fn an_error_in_profiled_code_has_its_place() {
    let text = "def f(x):\n    for y in [[1], [2]]:\n        y.append(x + [1])\nf(3)\n";
    let error = |profile: bool| {
        let mut engine = Engine::new(frazil_starlark::CONFIG, Dialect::EXTENDED).expect("an engine");
        if profile {
            engine.profile();
        }
        engine.run("app.star", text).expect_err("3 + [1] is no value")[0].render(false)
    };
    assert_eq!(error(true), error(false));
    assert!(error(true).contains("app.star:3"), "{}", error(true));
}

/// The way from a root to the only string with this text.
fn way(picture: &Picture, text: &str) -> (Start, String) {
    let found = |&object: &usize| picture.kind(object) == Kind::Str && picture.snapshot.text(object) == text;
    let object = (0..picture.snapshot.objects.len()).find(found).expect("the text");
    let path = Paths::new(&picture.snapshot, &picture.starts()).to(object);
    (picture.start(path[0].object), picture.way(&path))
}

const HOLDERS: &str = "\
def text(n):
    return 'text %d' % n
registry = {'keys': [text(0), {text(1): (0, 1, text(2))}]}
rule = struct(name = 'x', deps = (struct(more = text(3)),))
def outer():
    secret = text(4)
    def inner(a, b = text(5)):
        return secret
    return inner
closure = outer()
unique = set([text(6)])
by_number = {1: text(7)}
bound = text(8).upper
";

#[test]
fn paths_are_named_as_the_program_would() {
    for config in settings() {
        let mut engine = profiled(config, HOLDERS);
        let picture = picture(&mut engine);
        for (text, expected) in [
            ("text 0", "registry[\"keys\"][0]"),
            ("text 1", "registry[\"keys\"][1](key)"),
            ("text 2", "registry[\"keys\"][1][\"text 1\"][2]"),
            ("text 3", "rule.deps[0].more"),
            ("text 4", "closure(secret, captured by inner)"),
            ("text 5", "closure(default of b of inner)"),
            ("text 6", "unique(element)"),
            ("text 7", "by_number[...]"),
            ("text 8", "bound(receiver)"),
        ] {
            assert_eq!(way(&picture, text), (Start::Globals("app.star".into()), expected.into()));
        }
        let list =
            (0..picture.snapshot.objects.len()).find(|&object| picture.describe(object) == "list of 2");
        let origin = picture.origin(picture.filled_at(list.expect("registry['keys']")).expect("a site"));
        let Origin { at, function, text, .. } = origin.expect("a place");
        assert_eq!((at.line, &*function), (3, "<toplevel>"));
        assert!(text.starts_with("registry = "), "{text}");
        assert!(
            (0..picture.snapshot.objects.len())
                .any(|object| picture.describe(object) == "struct(deps, name)")
        );
    }
}

/// Takes a picture when memory runs out.
struct Last(Rc<RefCell<Option<Picture>>>);

impl Watch for Last {
    fn collected(&mut self, _: &mut View<'_>) {}

    fn exhausted(&mut self, view: &mut View<'_>) {
        *self.0.borrow_mut() = Some(view.picture());
    }
}

#[test]
fn when_memory_runs_out_local_variables_are_still_there() {
    let config = Config { limit_bytes: Some(8 << 20), ..frazil_starlark::CONFIG };
    let mut engine = Engine::new(config, Dialect::EXTENDED).expect("an engine");
    engine.profile();
    let last = Rc::new(RefCell::new(None));
    engine.watch(Last(Rc::clone(&last)));
    let text = "def hoard(n):\n    heap = []\n    for i in range(n):\n        heap.append((i, 'the %d' % i))\n\nhoard(1 << 30)\n";
    let errors = engine.run("app.star", text).expect_err("the limit is reached");
    assert!(errors[0].message.contains("out of memory"), "{}", errors[0].message);
    let picture = last.borrow_mut().take().expect("a picture");
    let (start, way) = way(&picture, "the 100");
    let expected =
        Start::Local { name: "heap".into(), function: "hoard".into(), file: "app.star".into(), line: 4 };
    assert_eq!((start, way), (expected, "[100][1]".into()));
}
