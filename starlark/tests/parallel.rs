//! Several threads for one engine: load graphs and `parallel_map` give what one thread gives, every time.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use frazil::{Config, Request};
use frazil_starlark::syntax::Dialect;
use frazil_starlark::{CONFIG, Engine, Error, ErrorKind, Library, Limit, Limits, Loader};

const DIALECT: Dialect = Dialect { parallel_map: true, ..Dialect::STANDARD };

/// Modules in memory.
#[derive(Clone, Default)]
struct Texts(HashMap<String, String>);

impl Texts {
    fn of(texts: &[(&str, &str)]) -> Texts {
        Texts(texts.iter().map(|&(key, text)| (key.to_owned(), text.to_owned())).collect())
    }
}

impl Loader for Texts {
    fn resolve(&self, name: &str, _: &str) -> Result<String, String> {
        match name {
            "nowhere" => Err("no such place".to_owned()),
            "panic" => panic!("a loader that panics"),
            name => Ok(name.to_owned()),
        }
    }

    fn read(&self, key: &str) -> Result<String, String> {
        self.0.get(key).cloned().ok_or_else(|| "no such module".to_owned())
    }
}

/// What an engine has told, and what came of a program.
type Told = (Vec<String>, Result<(), String>);

fn listen(engine: &mut Engine) -> Rc<RefCell<Vec<String>>> {
    let lines = Rc::new(RefCell::new(Vec::new()));
    let (prints, warnings) = (Rc::clone(&lines), Rc::clone(&lines));
    engine.on_print(move |line| prints.borrow_mut().push(line.to_owned()));
    engine.on_warning(move |warning| warnings.borrow_mut().push(format!("warning: {warning}")));
    lines
}

fn shown(outcome: Result<(), Error>) -> Result<(), String> {
    outcome.map_err(|error| error.to_string())
}

fn parallel(texts: &Texts, config: Config, jobs: usize) -> Engine {
    Engine::parallel(config, DIALECT, Arc::new(texts.clone()), jobs, |engine| engine.library(Library::Json))
        .expect("an engine")
}

/// Runs `main` on so many threads.
fn run(texts: &Texts, config: Config, jobs: usize) -> Told {
    let mut engine = parallel(texts, config, jobs);
    let lines = listen(&mut engine);
    let outcome = engine.run("main", texts.0["main"].clone());
    (lines.take(), shown(outcome))
}

/// Runs `main` as an engine does that knows nothing of threads.
fn run_plainly(texts: &Texts) -> Told {
    let mut engine = Engine::with_loader(CONFIG, DIALECT, Box::new(texts.clone())).expect("an engine");
    engine.library(Library::Json).expect("room");
    let lines = listen(&mut engine);
    let outcome = engine.run("main", texts.0["main"].clone());
    (lines.take(), shown(outcome))
}

/// However many threads there are, the program does what it does on one, and tells it in the same order.
#[track_caller]
fn same_everywhere(texts: &[(&str, &str)]) -> Told {
    let texts = Texts::of(texts);
    let plain = run_plainly(&texts);
    for jobs in [1, 2, 3, 8] {
        for _ in 0..3 {
            assert_eq!(run(&texts, CONFIG, jobs), plain, "{jobs} threads");
        }
    }
    let check = Config { check: true, nursery_bytes: 256 << 10, ..CONFIG };
    assert_eq!(run(&texts, check, 2), plain, "in checking mode");
    plain
}

#[test]
fn a_diamond_is_evaluated_once() {
    let (lines, outcome) = same_everywhere(&[
        (
            "main",
            "print('main begins')\nload('left', 'l')\nprint('between')\nload('right', 'r')\nprint(l, r, l[0] == r[0])",
        ),
        ("left", "load('base', 'xs', 'f')\nprint('left')\nl = (xs, f(1))"),
        ("right", "load('base', 'xs', 'f')\nprint('right')\nr = (xs, f(2))"),
        ("base", "print('base')\nxs = [1, 2]\ndef f(x): return [x] + xs"),
    ]);
    assert_eq!(outcome, Ok(()));
    assert_eq!(
        lines,
        ["main begins", "base", "left", "between", "right", "([1, 2], [1, 1, 2]) ([1, 2], [2, 1, 2]) True"]
    );
}

#[test]
fn what_is_loaded_works_as_if_it_were_made_here() {
    let (lines, outcome) = same_everywhere(&[
        (
            "main",
            "load('lib', 'make', 'point', 'table', 'bound', 'deep')\nload('lib2', p2 = 'point')\nf = make(3)
print(f(4), point.x, p2.x, point == p2, table['k'], table.get(point.inner), bound('-'), deep([1])([2]))
print({point.inner: 1}[p2.inner], sorted([point.x, p2.x, 'a']), hash('abc'), json.encode(table['k']))",
        ),
        (
            "lib",
            "def make(n):\n    def inner(x): return (lambda y: x * y + n)(10)\n    return inner
point = struct(x = 'ex', inner = (1, 'two'))\ntable = {'k': [1, {'z': ()}], (1, 'two'): 'tuple'}
def deep(a): return lambda b, c = a: b + c
bound = 'a-b'.split",
        ),
        ("lib2", "point = struct(inner = (1, 'two'), x = 'e' + 'x')"),
    ]);
    assert_eq!(outcome, Ok(()));
    assert_eq!(
        lines,
        [
            "43 ex ex True [1, {\"z\": ()}] tuple [\"a\", \"b\"] [2, 1]",
            "1 [\"a\", \"ex\", \"ex\"] 96354 [1,{\"z\":[]}]"
        ]
    );
}

#[test]
fn what_is_loaded_is_frozen() {
    let (_, outcome) = same_everywhere(&[("main", "load('a', 'xs')\nxs.append(1)"), ("a", "xs = [1, [2]]")]);
    assert!(outcome.unwrap_err().contains("cannot append to frozen list"));
}

#[test]
fn the_first_error_is_the_one_that_counts() {
    let texts = [
        ("main", "print(1)\nload('good', 'g')\nload('bad', 'b')\nload('worse', 'w')\nprint('never')"),
        ("good", "print('good')\ng = 1"),
        ("bad", "load('good', 'g')\nprint('bad')\ndef f(): return g // 0\nb = f()"),
        ("worse", "print('worse')\nw = 1 // 0"),
    ];
    let (lines, outcome) = same_everywhere(&texts);
    assert_eq!(lines, ["1", "good", "bad"]);
    let error = outcome.unwrap_err();
    assert!(error.contains("division by zero") && error.contains("the module is loaded here"), "{error}");
    assert!(error.contains("main:3:6: in <toplevel>") && error.contains("bad:3:19: in f"), "{error}");
}

#[test]
fn every_way_to_fail_is_the_same() {
    let mains = [
        ("load('nowhere', 'x')", "no such place"),
        ("load('missing', 'x')", "no such module"),
        ("load('good', 'x')", "name x not found in module good"),
        ("load('good', 'goof')", "did you mean good?"),
        ("load('wrong', 'x')", "undefined: y"),
        ("load('wrongs', 'x')", "there is another error in the module"),
        ("load('deep', 'x')", "division by zero"),
        ("load('stop', 'x')", "fail: stop"),
        ("x = 1 // 0\nload('good', 'good')", "division by zero"),
        ("load('good', 'good')\nx = undefined", "undefined"),
        ("load('itself', 'x')", "cycle in load graph"),
        ("load('one', 'x')", "cycle in load graph"),
    ];
    for (main, message) in mains {
        let (_, outcome) = same_everywhere(&[
            ("main", main),
            ("good", "good = 1\nprint('good')"),
            ("wrong", "x = y"),
            ("wrongs", "x = y\nz = y2"),
            ("deep", "load('deeper', 'x')"),
            ("deeper", "load('good', 'good')\nload('zero', 'x')"),
            ("zero", "print('zero')\nx = good if False else 1 // 0\ngood = 1"),
            ("stop", "fail('stop')"),
            ("itself", "load('good', 'good')\nload('itself', 'x')"),
            ("one", "print(1)\nload('two', 'x')\nload('zero', y = 'x')"),
            ("two", "print(2)\nload('three', 'x')"),
            ("three", "print(3)\nload('one', 'x')"),
        ]);
        let error = outcome.unwrap_err();
        assert!(error.contains(message), "{main}: {error}");
    }
}

#[test]
fn loads_may_be_nested_as_deeply_as_on_one_thread() {
    let chain = |length: usize| {
        let mut texts = Texts::of(&[("main", "load('m1', 'x')\nprint(x)")]);
        for i in 1..length {
            let text = format!("load('m{}', y = 'x')\nx = y + 1\nprint(x)", i + 1);
            texts.0.insert(format!("m{i}"), text);
        }
        texts.0.insert(format!("m{length}"), "x = 1".to_owned());
        texts
    };
    for length in [99, 100, 101, 102] {
        let texts = chain(length);
        let plain = run_plainly(&texts);
        assert_eq!(plain.1.is_ok(), length <= 100, "{length}");
        // Very many active calls are shown in part, counted from another place.
        let (lines, outcome) = run(&texts, CONFIG, 2);
        assert_eq!(lines, plain.0);
        assert_eq!(outcome.is_ok(), plain.1.is_ok());
        assert_eq!(outcome.clone().err(), run(&texts, CONFIG, 1).1.err());
        assert!(outcome.err().is_none_or(|error| error.contains("modules load each other too deeply")));
    }
}

#[test]
fn a_map_gives_what_a_loop_gives() {
    let (lines, outcome) = same_everywhere(&[
        (
            "main",
            "load('lib', 'square', 'nested', 'adder', 'data')
print(parallel_map(square, range(20)))
print(parallel_map(nested, [(1, 2), (3,), ()]))
print(parallel_map(f = len, xs = ['a', 'bc']), parallel_map(square, []), parallel_map(adder(10), (1, 2)))
print(parallel_map(data.get, ['a', 'b', 'c']), parallel_map(str, data))
xs = parallel_map(square, [1, 2])
xs.append(3)
print(xs)",
        ),
        (
            "lib",
            "def square(x):\n    print('square', x)\n    return x * x
def nested(xs): return parallel_map(square, xs)
def adder(n): return data.get if n == 0 else square
data = {'a': [1], 'b': struct(x = 2)}",
        ),
    ]);
    assert_eq!(outcome, Ok(()));
    assert_eq!(lines.iter().filter(|line| line.starts_with("square")).count(), 20 + 3 + 2 + 2);
    assert_eq!(lines[0], "square 0");
    assert_eq!(lines[19], "square 19");
    assert!(lines.contains(&"[[1, 4], [9], []]".to_owned()));
    assert!(lines.contains(&"[[1], struct(x = 2), None] [\"a\", \"b\"]".to_owned()), "{lines:?}");
    assert_eq!(lines.last().map(String::as_str), Some("[1, 4, 3]"));
}

#[test]
fn the_first_element_that_fails_is_the_one_that_counts() {
    let (lines, outcome) = same_everywhere(&[
        (
            "main",
            "load('lib', 'f', 'outer')\nprint(parallel_map(f, range(10)))\nparallel_map(outer, [1, 2, 3])",
        ),
        (
            "lib",
            "def f(x):\n    print(x)\n    return 100 // (x - 20)
def g(x):\n    print('g', x)\n    return 1 // (x - 5)
def outer(x): return parallel_map(g, [x, x + 1, x + 2, x + 3, x + 4])",
        ),
    ]);
    let error = outcome.unwrap_err();
    assert!(error.contains("division by zero") && error.matches("in parallel_map").count() == 2, "{error}");
    assert_eq!(lines[11..], ["g 1", "g 2", "g 3", "g 4", "g 5"]);
}

#[test]
fn what_can_change_is_refused_and_named() {
    let lib = "def f(x): return x\ndef make(n):\n    return lambda x: x + n\nxs = [[1], [2]]";
    for (program, message) in [
        ("parallel_map(f, [[1], [2]])", "xs[0] is a list that can still change"),
        ("parallel_map(f, [1, (2, struct(y = {}))])", "xs[1][1].y is a dict that can still change"),
        ("parallel_map(make(1), [1, 2])", "f's variable n (lambda) is a variable that can still change"),
        (
            "z = 1\ndef g(x): return x + z\nparallel_map(g, [1, 2])",
            "f's global z (g) is a variable that can still change",
        ),
        ("z = []\nparallel_map(z.append, [1, 2])", "f's receiver is a list that can still change"),
        ("parallel_map(f, 3)", "got int, want iterable"),
        ("parallel_map(3, [])", "for parameter f: got int, want callable"),
    ] {
        let main = format!("load('lib', 'f', 'make', 'xs')\nprint(parallel_map(f, xs))\n{program}");
        let (lines, outcome) = same_everywhere(&[("main", &main), ("lib", lib)]);
        assert_eq!(lines, ["[[1], [2]]"]);
        let error = outcome.unwrap_err();
        assert!(error.contains(message), "{program}: {error}");
    }
}

#[test]
fn results_are_frozen() {
    let (_, outcome) = same_everywhere(&[
        ("main", "load('lib', 'f')\nxs = parallel_map(f, [1, 2, 3])\nprint(xs)\nxs[2].append(1)"),
        ("lib", "def f(x): return [x]"),
    ]);
    assert!(outcome.unwrap_err().contains("cannot append to frozen list"));
}

#[test]
fn functions_made_by_helpers_live_on() {
    let (lines, outcome) = same_everywhere(&[
        (
            "main",
            "load('lib', 'make')\nfs = parallel_map(make, range(6))\nprint([f(2)(3) for f in fs])\nprint(fs)",
        ),
        ("lib", "def make(n):\n    def outer(a): return lambda b: (n, a, b)\n    return outer"),
    ]);
    assert_eq!(outcome, Ok(()));
    assert!(lines[0].starts_with("[(0, 2, 3), (1, 2, 3)"), "{lines:?}");
}

#[test]
fn a_function_does_not_call_itself_through_other_threads() {
    let (_, outcome) = same_everywhere(&[
        ("main", "load('lib', 'f')\nparallel_map(f, [3, 3, 3])"),
        ("lib", "def f(x): return parallel_map(f, [x - 1] * 3) if x else 0"),
    ]);
    assert!(outcome.unwrap_err().contains("function f called recursively"));
}

#[test]
fn fifty_runs_tell_the_same() {
    let texts = layers(6, 6, 40);
    let plain = run_plainly(&texts);
    assert_eq!(plain.1, Ok(()));
    assert!(plain.0.len() > 36);
    for round in 0..50 {
        assert_eq!(run(&texts, CONFIG, 2 + round % 3), plain, "run {round}");
    }
}

/// Layers of modules, of which each loads some of the layer below; what they define is used by those above.
fn layers(depth: usize, width: usize, size: usize) -> Texts {
    let mut texts = Texts::default();
    for layer in 0..depth {
        for at in 0..width {
            let mut text = String::new();
            for (place, below) in [at, (at * 3 + 1) % width, (at + layer) % width].into_iter().enumerate() {
                if layer > 0 {
                    text += &format!("load('m{}_{below}', f{place} = 'f', t{place} = 'table')\n", layer - 1);
                }
            }
            let below = if layer > 0 { "f0(x) + f1(x) - f2(x) + len(t0) - len(t1)" } else { "x" };
            text += &format!(
                "def f(x): return {below} + {at}
table = {{str(i): [f(i), (i, struct(name = 'n' + str(i), deps = [str(j) for j in range(i % 5)]))] for i in range({size})}}
print('{layer}/{at}', f(1), len(table), table['7'])
last = parallel_map(f, range(9))\n"
            );
            texts.0.insert(format!("m{layer}_{at}"), text.replace("last = parallel_map(f, range(9))\n", ""));
        }
    }
    let names: Vec<String> =
        (0..width).map(|at| format!("load('m{}_{at}', f{at} = 'f')\n", depth - 1)).collect();
    let sum: Vec<String> = (0..width).map(|at| format!("parallel_map(f{at}, range(9))")).collect();
    texts.0.insert("main".to_owned(), format!("{}print({})", names.concat(), sum.join(" + ")));
    texts
}

#[test]
fn several_programs_are_run_in_one_go() {
    let texts = Texts::of(&[
        ("a", "load('lib', 'x')\nprint('a', x)"),
        ("b", "load('lib', 'x')\nprint('b')\nfail('b')"),
        ("c", "load('bad', 'x')"),
        ("d", "load('a', 'x')\nload('bad', z = 'x')\nprint('d')"),
        ("e", "print('e')\nload('lib', 'x')\ny = x"),
        ("lib", "print('lib')\nx = [1]"),
        ("bad", "print('bad')\nx = 1 // 0"),
    ]);
    let told = |jobs| {
        let mut engine = parallel(&texts, CONFIG, jobs);
        let lines = listen(&mut engine);
        let outcomes = engine.run_all(&["a", "b", "c", "d", "e", "a", "missing", "lib"]);
        let outcomes: Vec<_> = outcomes.into_iter().map(shown).collect();
        assert!(engine.get_global::<Vec<i64>>("e", "y").is_ok_and(|y| y == [1]));
        assert!(engine.run_all(&["e", "lib"]).iter().all(Result::is_ok), "they are there already");
        (lines.take(), outcomes)
    };
    let one = told(1);
    assert_eq!(one.0, ["lib", "a [1]", "b", "bad", "e"]);
    let good: Vec<bool> = one.1.iter().map(Result::is_ok).collect();
    assert_eq!(good, [true, false, false, false, true, true, false, true]);
    assert!(
        one.1[3].as_ref().is_err_and(|error| error.contains("name x not found in module a")),
        "{:?}",
        one.1
    );
    assert!(one.1[6].as_ref().is_err_and(|error| error.contains("cannot load missing: no such module")));
    for _ in 0..5 {
        assert_eq!(told(3), one);
    }
}

#[test]
fn modules_stay_for_later_programs() {
    let texts = Texts::of(&[
        ("lib", "print('lib')\nxs = [1]\ndef f(x): return [x] + xs"),
        ("top", "load('lib', 'f')\ng = f"),
    ]);
    let mut engine = parallel(&texts, CONFIG, 2);
    let lines = listen(&mut engine);
    engine.run("one", "load('lib', 'xs')\nload('top', 'g')\ny = g(2)").unwrap();
    engine.predeclare_module("lib").unwrap();
    engine.run("two", "load('one', 'y')\nload('lib', 'f')\nz = f(y) + xs\nprint(z)").unwrap();
    let g = engine.get_global("top", "g").unwrap();
    let called = engine.call(&g, (5,)).unwrap();
    assert_eq!(engine.get::<Vec<i64>>(&called).unwrap(), [5, 1]);
    assert!(engine.unload("lib"));
    engine.run("three", "load('lib', 'xs')\nprint(parallel_map(f, xs))").unwrap();
    assert_eq!(lines.take(), ["lib", "[[2, 1], 1, 1]", "lib", "[[1, 1]]"]);
    let mut names = engine.exports("lib");
    names.sort_unstable();
    assert_eq!(names, ["f", "xs"]);
}

#[test]
fn nothing_stays_that_nobody_needs() {
    let big = "big = [[i, str(i)] for i in range(30000)]\nsmall = big[0]\ndef f(i): return [i] * 1000";
    let texts: Vec<(String, String)> = (0..6).map(|i| (format!("big{i}"), big.to_owned())).collect();
    let mut texts = Texts(texts.into_iter().collect());
    let loads: Vec<String> =
        (0..6).map(|i| format!("load('big{i}', s{i} = 'small', f{i} = 'f')\n")).collect();
    texts.0.insert(
        "main".to_owned(),
        format!("{}kept = [s0, s5, f3]\nm = parallel_map(f3, range(99))\nn = len(m)", loads.concat()),
    );
    let mut engine = parallel(&texts, CONFIG, 2);
    let mut used = Vec::new();
    for _ in 0..5 {
        engine.run("main", texts.0["main"].clone()).unwrap();
        engine.collect(Request::Complete).unwrap();
        assert!(engine.used_bytes() > 15_000_000, "{} bytes", engine.used_bytes());
        (0..6).for_each(|i| assert!(engine.unload(&format!("big{i}"))));
        engine.collect(Request::Complete).unwrap();
        engine.collect(Request::Complete).unwrap();
        used.push(engine.used_bytes());
        assert!(engine.unload("main"));
    }
    assert!(used.iter().all(|&used| used < 3 << 20), "a small list keeps a small part: {used:?}");
    assert!(used[4] <= used[1] + (256 << 10), "{used:?}");
}

#[test]
fn steps_are_limited_in_all_threads() {
    let lib = "def loop(n):\n    for _ in range(n): pass\n    return n";
    let told = |main: &str, jobs: usize, steps: u64| {
        let texts = Texts::of(&[
            ("main", main),
            ("lib", lib),
            ("long", "load('lib', 'loop')\nx = loop(900)"),
            ("long2", "load('lib', 'loop')\nx = loop(900)"),
        ]);
        let mut engine = parallel(&texts, CONFIG, jobs);
        engine.set_limits(Limits { steps: Some(steps), ..Limits::default() });
        engine.run("main", main.to_owned()).map_err(|error| (error.kind(), error.to_string()))
    };
    for (main, steps, enough) in [
        ("load('lib', 'loop')\nparallel_map(loop, [100] * 20)", 1000, 2100),
        ("load('lib', 'loop')\nparallel_map(loop, [100, 100, 2000, 1 << 60])", 1000, 1 << 62),
        ("load('long', a = 'x')\nload('long2', b = 'x')\nprint(a)", 1500, 2000),
        ("load('long', a = 'x')\nload('lib', 'loop')\nloop(700)", 1500, 2000),
    ] {
        let error = told(main, 1, steps).unwrap_err();
        assert_eq!(error.0, ErrorKind::Limit(Limit::Steps(steps)), "{main}");
        for jobs in [2, 3] {
            assert_eq!(told(main, jobs, steps).unwrap_err(), error, "{main}");
            if enough < 1 << 60 {
                assert_eq!(told(main, jobs, enough), Ok(()), "{main}");
            }
        }
    }
}

#[test]
fn calls_are_limited_in_all_threads() {
    let dialect = Dialect { recursion: true, ..DIALECT };
    let texts =
        Texts::of(&[("lib", "def f(n): return parallel_map(f, [n + 1, n + 1])\ndef g(n): return g(n + 1)")]);
    for main in ["load('lib', 'f')\nf(0)", "load('lib', 'g')\nparallel_map(g, [1, 2, 3])"] {
        let told = |jobs| {
            let engine = Engine::parallel(CONFIG, dialect, Arc::new(texts.clone()), jobs, |_| Ok(()));
            let outcome = engine.expect("an engine").run("main", main);
            outcome.expect_err("it has no end").to_string()
        };
        let one = told(1);
        assert!(one.contains("too deeply") || one.contains("stack overflow"), "{one}");
        assert_eq!(told(2), one);
    }
}

#[test]
fn a_program_is_cancelled_on_all_threads() {
    let texts = Texts::of(&[
        ("endless", "def loop(n):\n    for _ in range(1 << 60): pass\nloop(1)"),
        ("lib", "def loop(n):\n    for _ in range(1 << 60): pass"),
    ]);
    for main in ["load('endless', 'loop')", "load('lib', 'loop')\nparallel_map(loop, [1, 2, 3, 4])"] {
        let mut engine = parallel(&texts, CONFIG, 3);
        let canceller = engine.canceller();
        let other = std::thread::spawn(move || canceller.cancel());
        let error = engine.run("main", main).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Limit(Limit::Cancelled));
        other.join().unwrap();
        engine.run("after", "x = parallel_map(len, ['a', 'b'])").unwrap();
    }
}

#[test]
fn cancelling_reaches_the_program_whoever_has_seen_it_first() {
    let endless = "def loop(n):\n    for _ in range(1 << 60): pass\n";
    let texts = Texts::of(&[
        ("bad", "x = 1 // 0"),
        ("endless", &format!("{endless}loop(1)")),
        ("lib", &format!("{endless}def all(): return parallel_map(loop, [1, 2])")),
    ]);
    let swallow = |engine: &mut Engine| {
        engine.higher_order("swallow", |caller, given| {
            let outcome = caller.call(&given.positional[0], ());
            caller.make(outcome.is_ok())
        })
    };
    for main in [
        &format!("{endless}loop(1)\nload('bad', 'x')\nload('endless', y = 'loop')"),
        "load('lib', 'all')\n[swallow(all) for _ in range(1 << 60)]",
    ] {
        for _ in 0..6 {
            let mut engine = Engine::parallel(CONFIG, DIALECT, Arc::new(texts.clone()), 2, swallow).unwrap();
            let canceller = engine.canceller();
            let (over, is_over) = std::sync::mpsc::channel::<()>();
            // It would never end otherwise.
            let times = std::thread::spawn(move || {
                let mut times = 0;
                while is_over.recv_timeout(Duration::from_millis(if times == 0 { 50 } else { 5000 })).is_err()
                {
                    canceller.cancel();
                    times += 1;
                }
                times
            });
            let error = engine.run("main", main).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Limit(Limit::Cancelled));
            over.send(()).unwrap();
            assert_eq!(times.join().unwrap(), 1, "{main}");
        }
    }
}

#[test]
fn the_hosts_types_may_ask_for_calls_in_a_map() {
    struct Probe;
    impl frazil_starlark::HostType for Probe {
        const NAME: &'static str = "probe";
        const MEMBERS: &'static [frazil_starlark::Member] = frazil_starlark::members! { Probe:
            get calls(this, cx) -> usize { cx.call_stack().len() }
        };
    }
    let setup = |engine: &mut Engine| {
        engine.function("probe", |cx, _| frazil_starlark::IntoValue::into_value(Probe, cx))
    };
    let texts = Arc::new(Texts::default());
    let mut engine = Engine::parallel(CONFIG, DIALECT, texts, 1, setup).unwrap();
    engine.run("main", "x = parallel_map(lambda x: probe().calls, [1, 2])").unwrap();
    assert_eq!(engine.get_global::<Vec<usize>>("main", "x").unwrap(), [0, 0]);
}

#[test]
fn a_host_that_panics_when_it_is_told_something_ends_the_program() {
    let texts = Texts::of(&[("lib", "print('lib')\nx = 1")]);
    for main in ["load('lib', 'x')", "parallel_map(print, ['a', 'b'])"] {
        for jobs in [1, 2] {
            let mut engine = parallel(&texts, CONFIG, jobs);
            engine.on_print(|_| panic!("no paper"));
            let error = engine.run("main", main).unwrap_err();
            assert!(error.message().ends_with("panicked: no paper"), "{error}");
            engine.on_print(|_| {});
            engine.run("main", main).unwrap();
        }
    }
}

#[test]
fn what_comes_behind_an_error_is_called_off() {
    let endless = "def loop(n):\n    for _ in range(1 << 60): pass\n";
    let texts = Texts::of(&[
        ("endless", &format!("{endless}loop(1)")),
        ("bad", "x = 1 // 0"),
        ("lib", &format!("{endless}def f(x): return loop(1) if x else 1 // x")),
    ]);
    for main in
        ["load('bad', 'x')\nload('endless', 'loop')", "load('lib', 'f')\nparallel_map(f, [0, 1, 1, 1])"]
    {
        let mut engine = parallel(&texts, CONFIG, 3);
        let error = engine.run("main", main).unwrap_err();
        assert!(error.message().contains("division by zero"), "{error}");
    }
}

#[test]
fn each_thread_has_the_functions_of_the_host() {
    struct Count(std::cell::Cell<u32>);
    let texts = Texts::of(&[
        ("a", "xs = [next() for _ in range(3)]\ndef f(x): return where()"),
        ("b", "load('a', 'xs')\nys = xs + [wrap('b')]"),
    ]);
    for jobs in [1, 2, 4] {
        let mut engine = Engine::parallel(CONFIG, DIALECT, Arc::new(texts.clone()), jobs, |engine| {
            engine.set_state(Count(Default::default()));
            engine.function("next", |cx, _| {
                let count = cx.state::<Count>()?;
                count.0.set(count.0.get() + 1);
                Ok(frazil_starlark::value::small_int(i64::from(count.0.get() > 0)))
            })?;
            engine.function("where", |cx, _| {
                let calls: Vec<String> = cx.call_stack().iter().map(ToString::to_string).collect();
                cx.str(&calls.join(", "))
            })?;
            engine.function("wrap", |cx, args| {
                let [value] = args.exactly()?;
                cx.tuple(&[value])
            })
        })
        .expect("an engine");
        engine
            .run("main", "load('b', 'ys')\nload('a', 'f')\nzs = ys\nw = parallel_map(f, range(4))")
            .unwrap();
        let shown = engine.global("main", "zs", frazil_starlark::ops::repr::repr).unwrap();
        assert_eq!(shown, "[1, 1, 1, (\"b\",)]");
        let places = engine.get_global::<Vec<String>>("main", "w").unwrap();
        assert!(places.iter().all(|place| place == "<builtin>: in parallel_map, a:2:23: in f"), "{places:?}");
    }
}

#[test]
fn values_of_the_host_stay_on_their_thread() {
    struct Opaque;
    impl frazil_starlark::HostType for Opaque {
        const NAME: &'static str = "opaque";
    }
    let texts = Texts::of(&[
        ("holds", "x = [1, (make(), 2)]"),
        ("uses", "def f(x): return str(make())\ndef g(x): return make()\ny = f(1)"),
    ]);
    for jobs in [1, 2] {
        let setup = |engine: &mut Engine| {
            engine.function("make", |cx, _| Ok(frazil_starlark::Hosted::new(cx, Opaque, &[])?.value()))
        };
        let engine = Engine::parallel(CONFIG, DIALECT, Arc::new(texts.clone()), jobs, setup);
        let mut engine = engine.expect("an engine");
        engine.run("alone", "x = make()").expect("nobody loads it");
        engine
            .run("fine", "load('uses', 'f', 'y')\nz = parallel_map(f, [1, 2])")
            .expect("no value goes anywhere");
        for (main, message) in [
            (
                "load('holds', 'x')",
                "the globals of holds cannot be shared: there is a value of the host's type opaque",
            ),
            (
                "load('alone', 'x')",
                "the globals of alone cannot be shared: there is a value of the host's type opaque",
            ),
            (
                "load('uses', 'f')\nparallel_map(f, [1, make()])",
                "the arguments cannot be shared: there is a value of the host's",
            ),
            (
                "load('uses', 'g')\nparallel_map(g, [1, 2])",
                "the result for element 0 cannot be shared: there is a value",
            ),
        ] {
            let error = engine.run("main", main).unwrap_err();
            assert!(error.to_string().contains(message), "{error}");
        }
    }
}

#[test]
fn what_is_predeclared_has_to_be_fit_for_all() {
    let texts = Texts::of(&[("a", "x = version + len(names)")]);
    let mut engine = parallel(&texts, CONFIG, 2);
    engine.set("version", 3).unwrap();
    engine.predeclare("names", |cx| cx.tuple(&[cx.str("one")?])).unwrap();
    engine.run("main", "load('a', 'x')\ny = x").unwrap();
    assert_eq!(engine.get_global::<i64>("main", "y").unwrap(), 4);
    engine.set("list", vec![1, 2]).unwrap();
    let error = engine.run("again", "load('a', 'x')").unwrap_err();
    assert!(error.message().contains("list, which is predeclared, cannot be shared"), "{error}");
}
