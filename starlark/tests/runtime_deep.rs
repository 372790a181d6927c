//! Depth is no danger: a million levels are built, shown, compared, hashed, sorted, frozen, encoded and freed on a small stack
//! of the system. Neither are structures with more paths than there are atoms.

use std::cell::RefCell;
use std::rc::Rc;
use std::thread;

use frazil::{Config, Request};
use frazil_starlark::syntax::Dialect;
use frazil_starlark::{Engine, ErrorKind, Library, Limit, Limits};

/// Levels of what is built; fewer in a slow build.
const DEPTH: usize = if cfg!(debug_assertions) { 200_000 } else { 1_000_000 };

const NEST: &str = "
def lists(n, x = None):
    for _ in range(n):
        x = [x]
    return x

def tuples(n, x = None):
    for _ in range(n):
        x = (x,)
    return x

def dicts(n, x = None):
    for _ in range(n):
        x = {'k': x}
    return x

def structs(n, x = None):
    for _ in range(n):
        x = struct(f = x)
    return x

def cycle(n):
    first = [None]
    last = lists(n, first)
    first[0] = last
    return last
";

/// Runs a program on a thread with 256 KiB of stack; gives what it prints, and the error it ends with.
fn run(program: &str) -> (String, Option<String>) {
    let program = format!("{NEST}{}", program.replace("DEPTH", &DEPTH.to_string()));
    let thread = thread::Builder::new().stack_size(256 << 10).spawn(move || {
        let mut engine = Engine::new(Config::default(), Dialect::STANDARD).unwrap();
        engine.library(Library::Json).unwrap();
        let out = Rc::new(RefCell::new(String::new()));
        let sink = Rc::clone(&out);
        engine.on_print(move |line| sink.borrow_mut().push_str(&format!("{line}\n")));
        let error = engine.run("deep", program).err().map(|errors| errors[0].message.clone());
        assert!(engine.unload("deep") || error.is_some());
        engine.collect(Request::Complete).unwrap();
        assert!(engine.used_bytes() < 1 << 20, "{} bytes stay", engine.used_bytes());
        (out.take(), error)
    });
    thread.unwrap().join().unwrap()
}

fn prints(program: &str, expected: &str) {
    let expected = expected.replace("LENGTH", &(2 * DEPTH + 4).to_string());
    assert_eq!(run(program), (expected, None));
}

#[test]
fn deep_values_are_built_frozen_and_freed() {
    // The globals of a module are frozen at its end.
    prints("x = lists(DEPTH)\ny = dicts(DEPTH)\nz = structs(DEPTH)\n", "");
}

#[test]
fn deep_values_are_shown() {
    prints("print(len(str(lists(DEPTH))), str(lists(DEPTH))[DEPTH - 1:DEPTH + 5])", "LENGTH [None]\n");
}

#[test]
fn deep_values_are_compared() {
    prints("print(lists(DEPTH) == lists(DEPTH), lists(DEPTH) == lists(DEPTH, 1))", "True False\n");
    prints("print(dicts(DEPTH) == dicts(DEPTH), structs(DEPTH) == structs(DEPTH, 1))", "True False\n");
    prints("print(tuples(DEPTH, 1) < tuples(DEPTH, 2), tuples(DEPTH, 3) <= tuples(DEPTH, 3))", "True True\n");
    prints(
        "print(lists(DEPTH, [1]) < lists(DEPTH, [1, 0]), lists(DEPTH, [2]) > lists(DEPTH, [1, 0]))",
        "True True\n",
    );
    prints(
        "print(lists(DEPTH) in [1, lists(DEPTH)], sorted([tuples(DEPTH, 2), tuples(DEPTH, 1)])[0] == tuples(DEPTH, 1))",
        "True True\n",
    );
    let (_, error) = run("lists(DEPTH) < lists(DEPTH, 'x')");
    assert_eq!(error.as_deref(), Some("NoneType < string not implemented"));
}

#[test]
fn comparing_values_inside_of_themselves_ends_with_an_error() {
    for program in [
        "cycle(0) == cycle(0)",
        "cycle(5) == cycle(7)",
        "cycle(20000) == cycle(30000)",
        "cycle(3) < cycle(3)",
    ] {
        assert_eq!(
            run(program).1.as_deref(),
            Some("comparison exceeded maximum recursion depth"),
            "{program}"
        );
    }
}

#[test]
fn deep_values_are_keys() {
    prints(
        "print({tuples(DEPTH): 1}[tuples(DEPTH)], {structs(DEPTH): 2}.get(structs(DEPTH, 1)))",
        "1 None\n",
    );
    prints(
        "print([x == tuples(DEPTH, 1) for x in sorted([tuples(DEPTH, i) for i in [2, 1]])])",
        "[True, False]\n",
    );
    let (_, error) = run("{tuples(DEPTH, []): 1}");
    assert_eq!(error.as_deref(), Some("unhashable type: list"));
}

#[test]
fn deep_values_are_json() {
    prints(
        "text = json.encode(lists(DEPTH))\nprint(len(text), json.decode(text) == lists(DEPTH))",
        "LENGTH True\n",
    );
    prints(
        "text = '[' * 2000 + ']' * 2000\nprint(json.encode(json.decode(json.indent(text))) == text)",
        "True\n",
    );
}

const SHARE: &str = "
def shared(n, make, x):
    for _ in range(n):
        x = make(x)
    return x

def lists(n, x = 0): return shared(n, lambda x: [x, x, x], x)
def tuples(n, x = 0): return shared(n, lambda x: (x, x), x)
def dicts(n, x = 0): return shared(n, lambda x: {1: x, 2: [x]}, x)
def structs(n, x = 0): return shared(n, lambda x: struct(a = x, b = (x, x)), x)
";

#[test]
fn what_is_shared_is_compared_and_hashed_once() {
    let mut engine = Engine::default();
    engine.set_limits(Limits { steps: Some(20_000), ..Limits::default() });
    engine.run("shared", format!("{SHARE}print = None")).unwrap();
    engine.predeclare_module("shared").unwrap();
    for (text, expected) in [
        ("lists(100) == lists(100), lists(100) == lists(100, 1)", "(True, False)"),
        ("dicts(100) == dicts(100), dicts(100) != dicts(100, 1)", "(True, True)"),
        ("structs(100) == structs(100), structs(100) == structs(99)", "(True, False)"),
        ("tuples(100) < tuples(100, 1), tuples(100) <= tuples(100)", "(True, True)"),
        ("[lists(99)] < [lists(99)], [dicts(99)] <= [dicts(99)]", "(False, True)"),
        ("len({tuples(100): 1, tuples(100, 1): 2, tuples(100): 3}.keys())", "!duplicate key"),
        ("len(set([tuples(100), structs(100), tuples(100), structs(100)]))", "2"),
        ("lists(90) in [lists(91), lists(90)]", "True"),
        ("len(sorted([tuples(100)] * 20))", "20"),
        ("[lists(90), lists(80)].index(lists(80))", "1"),
    ] {
        let outcome = match engine.evaluate("e", format!("repr(({text}))")) {
            Ok(shown) => engine.get::<String>(&shown).unwrap(),
            Err(error) => format!("!{}", error.message()),
        };
        assert!(
            outcome == expected || expected.starts_with('!') && outcome.starts_with(expected),
            "{text}: {outcome}"
        );
    }
}

#[test]
fn comparing_takes_steps() {
    let mut engine = Engine::default();
    engine.library(Library::Json).unwrap();
    engine.set_limits(Limits { steps: Some(20_000), ..Limits::default() });
    for text in [
        "x = [0] * 9000\nx == [0] * 9000",
        "x = [0] * 9000\n1 in x, 1 in x",
        "x = [0] * 7000\n[x + [0], x + [0], x + [1]].index(x + [1])",
        "x = {i: 0 for i in range(11000)}\nx == dict(x)",
        "x = (0,) * 7000\n{x: 1, (x, x): 2, 3: 3}",
        "x = ['a'] * 9000\n'b' in x, 'b' in x",
        "x = [0] * 9000\n[x, x, x] < [x, x, x]",
        "x = sorted([(i,) for i in range(2000)])",
        "x = [[]] * 15000\njson.encode(x)",
    ] {
        let error = engine.run("m", text).expect_err(text);
        assert_eq!(error.kind(), ErrorKind::Limit(Limit::Steps(20_000)), "{text}");
    }
}

#[test]
fn comprehensions_have_any_number_of_conditions_but_not_of_loops() {
    let clauses = |clause: &str| run(&format!("print([1 for x in [1]{}])", clause.repeat(50_000)));
    assert_eq!(clauses(" if x"), ("[1]\n".to_owned(), None));
    let too_many = "expression is nested too deeply or has too many operands";
    assert_eq!(clauses(" for x in [x]").1.as_deref(), Some(too_many));
}
