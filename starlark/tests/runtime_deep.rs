//! Depth is no danger: a million levels are built, shown, compared, hashed, frozen, encoded and freed on a small stack
//! of the system.

use std::cell::RefCell;
use std::rc::Rc;
use std::thread;

use frazil::{Config, Request};
use frazil_starlark::syntax::Dialect;
use frazil_starlark::{Engine, Library};

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
