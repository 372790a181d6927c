//! What an embedding program can do: programs, calls, handles, errors.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::fmt;

use frazil::{Config, Request};
use frazil_starlark::syntax::Dialect;
use frazil_starlark::{CONFIG, Engine, ErrorKind, Handle, IntoValue, Program, Res, function};

// ---------------------------------------------------------------------------------------------- programs

#[test]
fn a_program_is_analysed_once_and_runs_anywhere() {
    let text = "
def counter(step):
    count = [0]
    def next():
        count[0] += step * len([None for _ in range(3)])
        return count[0]
    return next
first = counter(2)
def answer(x = 40): return (lambda y: y + 2)(x)
";
    let program = Engine::default().compile("m", text).unwrap();
    assert_eq!(program.exports(), ["answer", "counter", "first"]);
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let program = program.clone();
            std::thread::spawn(move || {
                let mut engine = Engine::default();
                // Other code first, so that the numbers of the program's functions differ.
                engine.run("other", "def f():\n  def g(): return 1\n  return g\n").unwrap();
                for _ in 0..50 {
                    engine.run_program("m", &program).unwrap();
                    let counter: Handle = engine.get_global("m", "counter").unwrap();
                    let next = engine.call(&counter, (2,)).unwrap();
                    let counts: Vec<i64> = (0..3)
                        .map(|_| {
                            let count = engine.call(&next, ()).unwrap();
                            engine.get(&count).unwrap()
                        })
                        .collect();
                    assert_eq!(counts, [6, 12, 18]);
                    let answer: Handle = engine.get_global("m", "answer").unwrap();
                    let answer = engine.call(&answer, ()).unwrap();
                    assert_eq!(engine.get::<i64>(&answer).unwrap(), 42);
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

#[test]
fn a_program_needs_the_names_it_was_compiled_with() {
    let mut engine = Engine::default();
    engine.set("version", "1.2").unwrap();
    let program: Program = engine.compile("m", "x = version").unwrap();
    let error = Engine::default().run_program("m", &program).unwrap_err();
    assert_eq!(error.message(), "version is not predeclared");
    engine.run_program("m", &program).unwrap();
    assert_eq!(engine.get_global::<String>("m", "x").unwrap(), "1.2");
}

#[test]
fn a_program_means_the_same_functions_everywhere() {
    let dialect = Dialect { parallel_map: true, ..Dialect::STANDARD };
    let program = Engine::new(CONFIG, dialect).unwrap().compile("m", "parallel_map(len, ['a'])").unwrap();
    let mut engine = Engine::default();
    engine.function("launch", |_, _| panic!("nobody has called this")).unwrap();
    let error = engine.evaluate_program(&program).unwrap_err();
    assert_eq!(error.message(), "error in parallel_map: this engine has no heap that can be shared");
}

#[test]
fn a_name_that_means_something_new_lets_the_old_go() {
    let mut engine = Engine::default();
    let mut used = Vec::new();
    for _ in 0..3 {
        for _ in 0..100 {
            engine.set("text", "a".repeat(10_000)).unwrap();
        }
        engine.run("m", "n = len(text)").unwrap();
        engine.collect(Request::Complete).unwrap();
        used.push(engine.used_bytes());
    }
    assert!(used[2] < 500_000, "{used:?}");
    assert_eq!(engine.get_global::<usize>("m", "n").unwrap(), 10_000);
}

#[test]
fn making_values_leaves_nothing() {
    let config = Config { limit_bytes: Some(16 << 20), ..CONFIG };
    let mut engine = Engine::new(config, Dialect::STANDARD).unwrap();
    for i in 0..1_000_000u64 {
        engine.make([i, i + 1]).unwrap();
    }
    for i in 0..100_000 {
        engine
            .set("text", format!("a text that takes some hundred bytes of memory, so that they add up: {i}"))
            .unwrap();
    }
    engine
        .higher_order("many", |caller, _| {
            for i in 0..1_000_000u64 {
                caller.make([i, i + 1])?;
            }
            caller.make(())
        })
        .unwrap();
    engine.run("m", "xs = [1]\nmany(xs)\nys = xs").unwrap();
    assert_eq!(engine.get_global::<Vec<u64>>("m", "ys").unwrap(), [1]);
}

#[test]
fn evaluating_leaves_nothing() {
    let mut engine = Engine::default();
    let program = engine.compile("p", "def f(x): return [x] * 100\nf(1)").unwrap();
    let mut used = Vec::new();
    for i in 0..2000 {
        let sum = engine.evaluate("e", format!("{i} + 1")).unwrap();
        assert_eq!(engine.get::<i64>(&sum).unwrap(), i + 1);
        let list = engine.evaluate_program(&program).unwrap();
        assert_eq!(engine.get::<Vec<i64>>(&list).unwrap().len(), 100);
        if i % 500 == 499 {
            engine.collect(Request::Complete).unwrap();
            used.push(engine.used_bytes());
        }
    }
    assert!(used[3] <= used[0], "{used:?}");
    for i in 0..100_000 {
        engine.evaluate("e", format!("'a text of its own, {i}'")).unwrap();
    }
    for i in 0..100 {
        engine.evaluate("e", format!("'{}'", "a".repeat(100_000 + i))).unwrap();
    }
    engine.collect(Request::Complete).unwrap();
    assert!(engine.used_bytes() < used[0] + (4 << 20), "{} bytes", engine.used_bytes());
    let none = engine.evaluate("s", "x = 1").unwrap();
    assert!(engine.get::<Option<i64>>(&none).unwrap().is_none());
}

// ---------------------------------------------------------------------------------------------- calls and handles

#[test]
fn calls_leave_nothing_behind() {
    let mut engine = Engine::default();
    let text = "
def maker():
    recent = [None] * 10
    def step(i):
        made = struct(pair = (i, i + 1), items = [i])
        recent[i % 10] = made
        return made
    return step
maker()";
    let live = engine.evaluate("live", text).unwrap();
    engine.run("frozen", "def step(i): return struct(pair = (i, i), items = [i])").unwrap();
    let frozen: Handle = engine.get_global("frozen", "step").unwrap();
    let mut used = Vec::new();
    for i in 0..100_000 {
        engine.call(&live, (i,)).unwrap();
        engine.call(&frozen, (i,)).unwrap();
        if i % 10_000 == 9_999 {
            engine.collect(Request::Complete).unwrap();
            used.push(engine.used_bytes());
        }
    }
    assert!(used.iter().all(|&bytes| bytes <= used[0] + (64 << 10)), "{used:?}");
}

#[test]
fn handles_keep_values_and_let_them_go() {
    let mut engine = Engine::new(Config { check: true, ..Config::STRESS }, Dialect::STANDARD).unwrap();
    let list = engine.evaluate("e", "[str(i) * 2 for i in range(3)]").unwrap();
    let copy = list.clone();
    drop(list);
    engine.collect(Request::Complete).unwrap();
    assert_eq!(engine.get::<Vec<String>>(&copy).unwrap(), ["00", "11", "22"]);
    let append = engine.evaluate("f", "lambda xs, x: xs.append(x)").unwrap();
    engine.call(&append, (&copy, "new")).unwrap();
    assert_eq!(engine.look(&copy, |_, list| frazil_starlark::data::list::len(list.object().unwrap())), 4);
    engine.freeze(&copy);
    let error = engine.call(&append, (&copy, "more")).unwrap_err();
    assert_eq!(
        (error.kind(), error.message()),
        (ErrorKind::Program, "error in append: cannot append to frozen list")
    );
    assert!(
        error[0].help.as_deref().is_some_and(|help| help.ends_with("change a copy, `list(x)`")),
        "{error}"
    );
    let big = engine.make(vec!["x".repeat(1000); 1000]).unwrap();
    let used = engine.used_bytes();
    drop(big);
    engine.collect(Request::Complete).unwrap();
    assert!(engine.used_bytes() + 900_000 < used);
    // A handle may outlive its engine.
    drop(engine);
    drop(copy);
}

#[test]
#[should_panic(expected = "a handle of another engine")]
fn handles_are_of_no_use_to_another_engine() {
    let (mut one, other) = (Engine::default(), Engine::default());
    let handle = one.make(1).unwrap();
    let _ = other.get::<i64>(&handle);
}

#[test]
fn arguments_are_bound_as_in_the_language() {
    let mut engine = Engine::default();
    let text = "def f(a, b = 2, *args, c, **kwargs): return (a, b, args, c, kwargs)\nf";
    let f = engine.evaluate("f", text).unwrap();
    let bound = engine
        .call_with(&f, |cx, arguments| {
            for i in 0..300 {
                arguments.push(i.into_value(cx)?);
            }
            arguments.named(cx, "c", "see".into_value(cx)?)?;
            arguments.named(cx, "d", [true, false].into_value(cx)?)
        })
        .unwrap();
    type Bound = (i64, i64, Vec<i64>, String, BTreeMap<String, Vec<bool>>);
    let (a, b, args, c, kwargs) = engine.get::<Bound>(&bound).unwrap();
    assert_eq!((a, b, args.len(), args[297], &*c, kwargs["d"].len()), (0, 1, 298, 299, "see", 2));
    let error = engine.call(&f, (1,)).unwrap_err();
    assert_eq!(error.message(), "function f missing 1 argument (c)");
    // Anything that can be called: built-in functions that call back, methods.
    let sorted = engine.evaluate("s", "sorted").unwrap();
    let key = engine.evaluate("k", "lambda x: -x").unwrap();
    let in_reverse = engine
        .call_with(&sorted, |cx, arguments| {
            arguments.push(vec![1, 3, 2].into_value(cx)?);
            arguments.named(cx, "key", key.value(cx))
        })
        .unwrap();
    assert_eq!(engine.get::<Vec<i64>>(&in_reverse).unwrap(), [3, 2, 1]);
    let join = engine.evaluate("j", "','.join").unwrap();
    let joined = engine.call(&join, (["a", "b"],)).unwrap();
    assert_eq!(engine.get::<String>(&joined).unwrap(), "a,b");
    let error = engine.call(&joined, ()).unwrap_err();
    assert_eq!(error.message(), "invalid call of non-function (string)");
}

// ---------------------------------------------------------------------------------------------- errors

#[derive(Debug, PartialEq)]
struct NoSuchThing(u32);

impl fmt::Display for NoSuchThing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no thing {}", self.0)
    }
}

impl std::error::Error for NoSuchThing {}

function! {
    fn find(cx, number: u32) -> Res<()> { Err(NoSuchThing(number).into()) }
}

#[test]
fn errors_have_a_kind_and_a_source() {
    let mut engine = Engine::default();
    engine.function("find", find).unwrap();
    let error = engine.run("m", "def f():\n  find(7)\nf()").unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::Host, "error in find: there is no thing 7"));
    assert_eq!(error.source().unwrap().downcast_ref(), Some(&NoSuchThing(7)));
    let frames: Vec<&str> = error[0].frames.iter().map(|frame| &*frame.function).collect();
    assert_eq!(frames, ["<toplevel>", "f", "find"]);
    let error = engine.run("m", "x = = 1\ny = $").unwrap_err();
    assert_eq!((error.kind(), error.len() > 1, error.source().is_none()), (ErrorKind::Text, true, true));
    assert_eq!(engine.run("m", "fail('x')").unwrap_err().kind(), ErrorKind::Fail);
    assert_eq!(engine.run("m", "1 // 0").unwrap_err().kind(), ErrorKind::Program);
}

#[test]
fn what_the_host_asks_for_in_vain_is_shown_without_a_text() {
    let mut engine = Engine::default();
    engine.run("m", "def on_end(status): return status").unwrap();
    let shown = |error: frazil_starlark::Error| (error.to_string(), error[0].to_string());
    let said = |text: &str| (format!("error: {text}"), text.to_owned());
    assert_eq!(
        shown(engine.get_global::<i64>("m", "on_and").unwrap_err()),
        said("module m has no on_and (did you mean on_end?)")
    );
    assert_eq!(
        shown(engine.get_global::<i64>("n", "x").unwrap_err()),
        said("there is no module n: it was not run, or it failed")
    );
    assert_eq!(shown(engine.get_global::<i64>("m", "on_end").unwrap_err()), said("got function, want int"));
    let on_end: Handle = engine.get_global("m", "on_end").unwrap();
    assert_eq!(
        shown(engine.call(&on_end, ()).unwrap_err()),
        said("function on_end missing 1 argument (status)")
    );
}
