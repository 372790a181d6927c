//! What an embedding program can do: programs, calls, handles, limits, errors, host types.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::error::Error as _;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use frazil::{Config, Request};
use frazil_starlark::syntax::Dialect;
use frazil_starlark::{
    Engine, ErrorKind, Failure, Handle, HostType, Hosted, IntoValue, Key, Limit, Limits, Member, Program,
    Res, Value, function, members,
};

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
    // The constants of texts are kept as long as somebody may use them: here, the ints are in the code.
    assert!(used[3] <= used[0], "{used:?}");
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
            (0..300).try_for_each(|i| Ok::<_, Box<Failure>>(arguments.push(i.into_value(cx)?)))?;
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

// ---------------------------------------------------------------------------------------------- limits

/// Ends with this limit, and leaves the engine as usable as before.
fn limited(engine: &mut Engine, text: &str, limit: Limit) {
    let error = engine.run("limited", text).expect_err(text);
    assert_eq!(error.kind(), ErrorKind::Limit(limit), "{text}: {error}");
    engine.run("after", "x = len([i for i in range(10)])").unwrap();
    assert_eq!(engine.get_global::<i64>("after", "x").unwrap(), 10);
}

#[test]
fn steps_are_counted_in_loops_calls_and_built_in_functions() {
    let mut engine = Engine::default();
    engine.set_limits(Limits { steps: Some(10_000), ..Limits::default() });
    let limit = Limit::Steps(10_000);
    for text in [
        "def f():\n  for i in range(1 << 40):\n    pass\nf()",
        "[i for i in range(1 << 40)]",
        "list(range(1 << 40))",
        "sorted(range(1 << 40))",
        "all(range(1, 1 << 40))",
        "max(range(1 << 40))",
        "dict(zip(range(1 << 40), range(1 << 40)))",
        "bytes([0]) * (1 << 29)",
        "[0] * (1 << 29)",
        "def f(x, n):\n  for i in range(n):\n    x = [x, x]\n  return x\nstr(f(1, 60))",
        "def f(x, n):\n  for i in range(n):\n    x = [x, x]\n  return x\nprint(f(1, 60))",
        "','.join(['x' for i in range(9999)] * 2)",
    ] {
        limited(&mut engine, text, limit);
    }
    // Each run has its own.
    for _ in 0..10 {
        engine.run("m", "x = [i for i in range(9000)]").unwrap();
    }
}

#[test]
fn memory_is_limited_in_and_beside_the_heap() {
    let config = Config { limit_bytes: Some(16 << 20), ..frazil_starlark::CONFIG };
    let mut engine = Engine::new(config, Dialect::STANDARD).unwrap();
    for text in [
        "x = list(range(1000000000000))",
        "x = 'a' * (1 << 29)",
        "x = [0] * (1 << 29)",
        "x = sorted(range(1 << 33))",
        "def f():\n  x = []\n  for i in range(1 << 40):\n    x.append(str(i))\nf()",
        "def f():\n  x = 'ab'\n  for i in range(100):\n    x += x\nf()",
    ] {
        limited(&mut engine, text, Limit::Memory);
    }
}

#[test]
fn what_grows_by_itself_has_an_end_without_any_limit() {
    let mut engine = Engine::default();
    for (text, message) in [
        ("x = 'a' * 1000000000000", "repeat count 1000000000000 too large"),
        ("x = list(range(1 << 60))", "out of memory: "),
        ("def f():\n  x = 3\n  for i in range(40):\n    x *= x\nf()", "int too large"),
        ("('a' * 1000000).replace('a', 'b' * 1000000)", "error in replace: the text is longer than "),
        ("int('9' * 10000000)", "error in int: invalid literal with base 10: "),
    ] {
        let error = engine.run("m", text).expect_err(text);
        assert!(error.message().contains(message), "{text}: {}", error.message());
    }
}

#[test]
fn calls_are_limited_in_depth() {
    let dialect = Dialect { recursion: true, ..Dialect::STANDARD };
    let mut engine = Engine::new(frazil_starlark::CONFIG, dialect).unwrap();
    engine.set_limits(Limits { calls: 100, ..Limits::default() });
    limited(&mut engine, "def f(): f()\nf()", Limit::Calls);
    engine.run("m", "def f(n): return n if n == 0 else f(n - 1)\nf(90)").unwrap();
}

#[test]
fn another_thread_cancels() {
    let mut engine = Engine::default();
    let canceller = engine.canceller();
    let thread = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(50));
        canceller.cancel();
    });
    limited(&mut engine, "def f():\n  for i in range(1 << 60):\n    pass\nf()", Limit::Cancelled);
    thread.join().unwrap();
    // Also what runs in a built-in function, and before it begins.
    engine.canceller().cancel();
    limited(&mut engine, "all(range(1, 1 << 60))", Limit::Cancelled);
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
    assert_eq!(engine.get_global::<i64>("m", "x").unwrap_err().message(), "module m has no x");
}

// ---------------------------------------------------------------------------------------------- host types

thread_local! {
    static ALIVE: Cell<usize> = const { Cell::new(0) };
}

/// A name, and the number of those that live.
struct Name(String);

impl Name {
    fn new(text: &str) -> Name {
        ALIVE.set(ALIVE.get() + 1);
        Name(text.to_owned())
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        ALIVE.set(ALIVE.get() - 1);
    }
}

impl HostType for Name {
    const NAME: &'static str = "name";
    const MEMBERS: &'static [Member] = members! { Name:
        get text(this, cx) -> &str { &this.0 }
        fn plus(this, cx, more: &str, times: usize = 1) -> Name { Name::new(&format!("{}{}", this.0, more.repeat(times))) }
    };

    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        write!(out, "name({:?})", self.0)
    }

    fn write_str(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        out.write_str(&self.0)
    }

    fn key(&self) -> Option<Key> {
        Some(Key::Text(self.0.clone()))
    }

    fn truth(&self) -> bool {
        !self.0.is_empty()
    }

    fn operator<'s>(
        this: &Hosted<'s, Name>,
        cx: frazil_starlark::Cx<'s>,
        operator: &str,
        other: Value<'s>,
        left: bool,
    ) -> Res<Option<Value<'s>>> {
        match (operator, left, Hosted::<Name>::of(cx, other)) {
            ("+", true, Some(other)) => {
                Ok(Some(Name::new(&format!("{}{}", this.0, other.0)).into_value(cx)?))
            }
            _ => Ok(None),
        }
    }
}

/// A mutable box for one value, and how often it was changed; it is iterated over as what is in it.
#[derive(Default)]
struct Slot(RefCell<usize>);

impl HostType for Slot {
    const NAME: &'static str = "slot";
    const MUTABLE: bool = true;
    const MEMBERS: &'static [Member] = members! { Slot:
        get changes(this, cx) -> usize { *this.0.borrow() }
        get content(this, cx) -> Option<Value<'_>> { this.part(0) }
        mut fn put(this, cx, value: Value<'_>) -> Res<()> {
            *this.0.borrow_mut() += 1;
            this.set_part(cx, 0, value)
        }
    };

    fn elements<'s>(this: &Hosted<'s, Slot>) -> Option<Value<'s>> {
        this.part(0)
    }

    fn call<'s>(
        this: &Hosted<'s, Slot>,
        cx: frazil_starlark::Cx<'s>,
        args: &frazil_starlark::Args<'_, 's>,
    ) -> Res<Value<'s>> {
        let [scale] = args.bind(["scale?"])?;
        let scale = scale.map_or(Ok(1), |scale| frazil_starlark::FromValue::from_value(cx, scale))?;
        (*this.0.borrow() * scale).into_value(cx)
    }
}

function! { fn name(cx, text: &str) -> Name { Name::new(text) } }
function! { fn slot(cx, value: Value<'_>) -> Res<Hosted<'_, Slot>> { Hosted::new(cx, Slot::default(), &[value]) } }
function! { fn length(cx, of: Hosted<'_, Name>) -> usize { of.0.len() } }

/// Engines with these types: an ordinary one, and one that collects at each step and checks everything.
fn with_types() -> [Engine; 2] {
    [frazil_starlark::CONFIG, Config { check: true, ..Config::STRESS }].map(|config| {
        let mut engine =
            Engine::new(config, Dialect { top_level_control: true, ..Dialect::STANDARD }).unwrap();
        engine.function("name", name).unwrap();
        engine.function("slot", slot).unwrap();
        engine.function("length", length).unwrap();
        engine
            .function("freeze", |cx, args| {
                args.exactly().map(|[value]| {
                    cx.freeze(value);
                    value
                })
            })
            .unwrap();
        engine
    })
}

#[test]
fn host_values_are_values() {
    let cases = [
        ("type(name('a'))", "\"name\""),
        ("name('a')", "name(\"a\")"),
        ("str(name('a')) + '%s %r' % (name('b'), name('c'))", "\"ab name(\\\"c\\\")\""),
        ("name('a') == name('a'), name('a') != name('b'), name('a') == 'a'", "(True, True, False)"),
        ("name('a') < name('b'), max([name('a'), name('c'), name('b')])", "(True, name(\"c\"))"),
        ("{name('a'): 1}[name('a')], name('b') in [name('b')]", "(1, True)"),
        ("{(name('a'), 1): 2}[(name('a'), 1)]", "2"),
        ("bool(name('')), bool(name('x'))", "(False, True)"),
        ("name('a').plus('b', times = 2).plus('c').text", "\"abbc\""),
        ("[f('x') for f in [name('a').plus, name('b').plus]]", "[name(\"ax\"), name(\"bx\")]"),
        ("name('a') + name('b')", "name(\"ab\")"),
        (
            "dir(name('a')), hasattr(name('a'), 'text'), getattr(name('a'), 'more', 5)",
            "([\"plus\", \"text\"], True, 5)",
        ),
        ("name('a').plus", "<built-in method plus of name value>"),
        ("length(name('abc')), length(of = name(''))", "(3, 0)"),
        ("slot([1, 2])", "<slot>"),
        (
            "[x for x in slot([1, 2])], len(slot('abc')), slot('abc')[1], 2 in slot([1, 2])",
            "([1, 2], 3, \"b\", True)",
        ),
        ("[list(slot([1])), sorted(slot([3, 2])), slot([1]) == slot([1])]", "[[1], [2, 3], False]"),
        (
            "[(s, s.put(1), s.put(2), s(), s(scale = 10), s.changes, s.content)[1:] for s in [slot(0)]]",
            "[(None, None, 2, 20, 2, 2)]",
        ),
        (
            "[(len({s: 1, t: 2}), s in {s: 1}, s in {t: 1}) for s, t in [(slot(0), slot(0))]]",
            "[(2, True, False)]",
        ),
        ("json_free(name('a'))", "!undefined: json_free"),
        ("name(1)", "!error in name: for parameter text: got int, want string"),
        ("length(slot(0))", "!error in length: for parameter of: got slot, want name"),
        ("name('a').txt", "!name has no .txt field or method (did you mean .text?)"),
        (
            "name('a').plus(mroe = 'x')",
            "!error in plus: unexpected keyword argument \"mroe\" (did you mean more?)",
        ),
        ("name('a') < slot(0)", "!name < slot not implemented"),
        ("name('a') - name('b')", "!unknown binary op: name - name"),
        ("name('a')()", "!error in name: invalid call of non-function (name)"),
        ("[x for x in name('a')]", "!name value is not iterable"),
        ("len(name('a'))", "!error in len: value of type name has no len"),
        ("name('a')[0]", "!unhandled index operation name[int]"),
        ("freeze(slot(0)).put(1)", "!error in put: cannot put frozen slot"),
        ("freeze([slot(0)])[0].put(1)", "!error in put: cannot put frozen slot"),
    ];
    for mut engine in with_types() {
        for (text, expected) in cases {
            let outcome = engine.evaluate("e", format!("repr(({text}))"));
            let outcome = match outcome {
                Ok(shown) => engine.get::<String>(&shown).unwrap(),
                Err(error) => format!("!{}", error.message()),
            };
            assert_eq!(outcome, expected, "{text}");
        }
    }
}

#[test]
fn the_data_of_host_values_goes_with_them() {
    let mut engines = with_types();
    for engine in &mut engines {
        let before = ALIVE.get();
        let kept = engine.evaluate("k", "[name(str(i)) for i in range(100)]").unwrap();
        engine
            .run(
                "m",
                "many = [name(str(i)) for i in range(100)]\nfor i in range(5000):\n  name('x').plus('y')",
            )
            .unwrap();
        engine.collect(Request::Complete).unwrap();
        assert_eq!(ALIVE.get() - before, 200);
        engine.unload("m");
        (0..2).for_each(|_| engine.collect(Request::Complete).unwrap());
        assert_eq!(ALIVE.get() - before, 100);
        let texts = engine.get::<Vec<Handle>>(&kept).unwrap();
        assert_eq!(engine.look(&texts[42], |cx, name| Hosted::<Name>::of(cx, name).unwrap().0.clone()), "42");
        drop((texts, kept));
        (0..2).for_each(|_| engine.collect(Request::Complete).unwrap());
        assert_eq!(ALIVE.get(), before);
    }
    drop(engines);
    assert_eq!(ALIVE.get(), 0);
}

#[test]
fn functions_share_state() {
    let lines = Rc::new(RefCell::new(Vec::<String>::new()));
    let mut engine = Engine::default();
    engine.set_state(Rc::clone(&lines));
    function! {
        fn log(cx, line: String) -> Res<()> {
            cx.state::<Rc<RefCell<Vec<String>>>>()?.borrow_mut().push(line);
            Ok(())
        }
    }
    engine.function("log", log).unwrap();
    engine.run("m", "log('one')\nlog('two')").unwrap();
    assert_eq!(*lines.borrow(), ["one", "two"]);
    let mut other = Engine::default();
    other.function("log", log).unwrap();
    assert_eq!(other.run("m", "log('')").unwrap_err().kind(), ErrorKind::Program);
}
