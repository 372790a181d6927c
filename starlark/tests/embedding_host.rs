//! What the embedding program's functions may do: panic, call back, ask who called them, and take memory.

use std::cell::Cell;
use std::fmt;

use frazil::Config;
use frazil_starlark::syntax::Dialect;
use frazil_starlark::{
    Cx, Engine, Error, ErrorKind, FromValue, Handle, HostType, Hosted, Limit, Limits, Member, Panic, Res,
    Value, function, members,
};

// ---------------------------------------------------------------------------------------------- panics

/// A type whose every method panics.
struct Bomb;

#[allow(clippy::panic_in_result_fn)]
impl HostType for Bomb {
    const NAME: &'static str = "bomb";
    const MEMBERS: &'static [Member] = members! { Bomb:
        get size(this, cx) -> usize { panic!("in size") }
        fn tick(this, cx) -> usize { panic!("in tick") }
    };

    fn write(&self, _: &mut dyn fmt::Write) -> fmt::Result {
        panic!("in write")
    }

    fn elements<'s>(_: &Hosted<'s, Bomb>) -> Option<Value<'s>> {
        panic!("in elements")
    }

    fn attributes(_: &Hosted<'_, Bomb>) -> Vec<String> {
        panic!("in attributes")
    }

    fn index<'s>(_: &Hosted<'s, Bomb>, _: Cx<'s>, _: Value<'s>) -> Res<Value<'s>> {
        panic!("in index")
    }

    fn call<'s>(_: &Hosted<'s, Bomb>, _: Cx<'s>, _: &frazil_starlark::Args<'_, 's>) -> Res<Value<'s>> {
        panic!("in call")
    }

    fn operator<'s>(
        _: &Hosted<'s, Bomb>,
        _: Cx<'s>,
        _: &str,
        _: Value<'s>,
        _: bool,
    ) -> Res<Option<Value<'s>>> {
        panic!("in operator")
    }
}

function! { fn bomb(cx) -> Bomb { Bomb } }
function! { fn explode(cx, how: &str) -> () { panic!("said {how}") } }

#[test]
fn panics_are_errors_and_the_engine_goes_on() {
    let mut engine = Engine::new(Config::STRESS, Dialect::STANDARD).unwrap();
    engine.function("bomb", bomb).unwrap();
    engine.function("explode", explode).unwrap();
    engine
        .higher_order("call", |caller, given| {
            let [function] = given.bind(["function"])?;
            let result = caller.call(&function.ok_or(fmt::Error)?, ())?;
            assert!(caller.look(&result, |_, value| value.is_int()), "no int");
            Ok(result)
        })
        .unwrap();
    engine.run("m", "xs = [1]\ndef loop(f):\n  ys = [1, 2]\n  for y in ys: f()\n  return ys").unwrap();
    engine.predeclare_module("m").unwrap();
    for (text, message) in [
        ("explode('boo')", "error in explode: panicked: said boo"),
        ("explode(how = 'x')", "error in explode: panicked: said x"),
        ("loop(lambda: explode('y'))", "error in explode: panicked: said y"),
        ("sorted([1], key = lambda x: explode('z'))", "error in explode: panicked: said z"),
        ("bomb().tick()", "error in tick: panicked: in tick"),
        ("[f() for f in [bomb().tick]]", "error in tick: panicked: in tick"),
        ("bomb().size", "error in size: panicked: in size"),
        ("getattr(bomb(), 'size')", "error in size: panicked: in size"),
        ("bomb()[1]", "panicked: in index"),
        ("bomb()()", "error in bomb: panicked: in call"),
        ("bomb() + 1", "panicked: in operator"),
        ("list(bomb())", "error in list: panicked: in elements"),
        ("[x for x in bomb()]", "panicked: in elements"),
        ("x, y = bomb()", "panicked: in elements"),
        ("len(bomb())", "error in len: panicked: in elements"),
        ("sorted(bomb(), key = len)", "error in sorted: panicked: in elements"),
        ("max(*bomb())", "panicked: in elements"),
        ("1 in bomb()", "panicked: in elements"),
        ("dir(bomb())", "error in dir: panicked: in attributes"),
        ("call(lambda: 'no')", "error in call: panicked: no int"),
        ("call(lambda: call(lambda: 'no'))", "error in call: panicked: no int"),
        ("call(lambda: explode('a'))", "error in explode: panicked: said a"),
    ] {
        let error = engine.evaluate("e", text).expect_err(text);
        assert_eq!(error.message(), message, "{text}");
        if error.kind() == ErrorKind::Host {
            let source = std::error::Error::source(&error).unwrap();
            assert!(source.is::<Panic>(), "{text}");
        }
        let fine = engine.evaluate("e", "loop(lambda: 1) + [str(bomb()), call(lambda: 3)]").unwrap();
        engine.look(&fine, |cx, value| {
            assert_eq!(frazil_starlark::ops::repr::repr(cx, value), "[1, 2, \"<bomb>\", 3]");
        });
    }
    assert!(engine.call(&engine.get_global::<Handle>("m", "loop").unwrap(), (1,)).is_err());
}

/// Is a value an int?
trait IsInt {
    fn is_int(&self) -> bool;
}

impl IsInt for Value<'_> {
    fn is_int(&self) -> bool {
        frazil_starlark::value::ValueExt::as_small(*self).is_some()
    }
}

#[test]
fn printing_may_panic() {
    let mut engine = Engine::default();
    engine.on_print(|_| panic!("no paper"));
    let error = engine.run("m", "print(1)").unwrap_err();
    assert_eq!(error.message(), "error in print: panicked: no paper");
}

#[test]
fn warnings_may_panic() {
    let dialect = Dialect { type_annotations: true, ..Dialect::STANDARD };
    let mut engine = Engine::new(frazil_starlark::CONFIG, dialect).unwrap();
    engine.on_warning(|_| panic!("no ink"));
    let error = engine.run("m", "def f(x: int): return x").unwrap_err();
    assert_eq!(error.message(), "panicked: no ink");
    engine.on_warning(|_| {});
    engine.run("m", "def f(x: int): return x").unwrap();
}

/// A type that cannot be dropped without noise.
struct Loud;

impl Drop for Loud {
    fn drop(&mut self) {
        panic!("in drop");
    }
}

impl HostType for Loud {
    const NAME: &'static str = "loud";
}

function! { fn loud(cx) -> Loud { Loud } }

#[test]
fn dropping_may_panic() {
    let mut engine = Engine::default();
    engine.function("loud", loud).unwrap();
    engine.run("m", "xs = [loud(), loud()]\ndef f():\n  for _ in range(300): loud()\nf()").unwrap();
    engine.unload("m");
    engine.collect(frazil::Request::Complete).unwrap();
    engine.run("m", "xs = [loud(), loud()]").unwrap();
    // With the engine go two at once.
    drop(engine);
}

/// An error that cannot be shown.
#[derive(Debug)]
struct Unspeakable;

impl fmt::Display for Unspeakable {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("in fmt")
    }
}

impl std::error::Error for Unspeakable {}

function! { fn unspeakable(cx) -> Res<()> { Err(Unspeakable.into()) } }

#[test]
fn showing_an_error_may_panic() {
    let mut engine = Engine::default();
    engine.function("unspeakable", unspeakable).unwrap();
    let error = engine.run("m", "unspeakable()").unwrap_err();
    assert_eq!(error.message(), "error in unspeakable: an error that cannot be shown");
    let source = std::error::Error::source(&error).unwrap();
    assert!(source.is::<Unspeakable>());
}

#[test]
fn what_is_handed_to_a_call_may_panic() {
    let foreign = Engine::default().make(1).unwrap();
    let mut engine = Engine::default();
    let function = foreign.clone();
    engine.higher_order("call", move |caller, _| Ok(caller.call(&function, ())?)).unwrap();
    engine
        .higher_order("fill", |caller, given| {
            Ok(caller.call_with(&given.positional[0], |_, _| panic!("no arguments"))?)
        })
        .unwrap();
    engine.higher_order("give", move |_, _| Ok(foreign.clone())).unwrap();
    for (text, message) in [
        ("call()", "panicked: a handle of another engine"),
        ("fill(len)", "panicked: no arguments"),
        ("give()", "error in give: panicked: a handle of another engine"),
    ] {
        let error = engine.evaluate("e", text).expect_err(text);
        assert_eq!((error.message(), error.kind()), (message, ErrorKind::Host), "{text}");
    }
}

// ---------------------------------------------------------------------------------------------- calling back

/// Calls a function until it returns something that is not `None`, at most so often.
fn add_retry(engine: &mut Engine) {
    engine
        .higher_order("retry", |caller, given| {
            let [function, times] = given.bind(["function", "times?"])?;
            let times = times.map_or(Ok(3), |times| caller.get::<u32>(&times))?;
            let function = function.ok_or_else(|| std::io::Error::other("no function"))?;
            let mut last = caller.make(())?;
            for attempt in 0..times {
                last = caller.call(&function, (attempt,))?;
                if caller.get::<Option<Handle>>(&last)?.is_some() {
                    break;
                }
            }
            Ok(last)
        })
        .unwrap();
}

#[test]
fn functions_call_back() {
    for config in [frazil_starlark::CONFIG, Config::STRESS] {
        let mut engine = Engine::new(config, Dialect::STANDARD).unwrap();
        add_retry(&mut engine);
        for (text, expected) in [
            ("retry(lambda i: [i] if i == 2 else None)", "[2]"),
            ("retry(lambda i: None, times = 2)", "None"),
            ("retry(lambda i: retry(lambda j: (i, j) if i and j else None), 5)", "(1, 1)"),
            ("retry(str)", "\"0\""),
            ("sorted([2, 1], key = lambda x: retry(lambda i: [x] * 2))", "[1, 2]"),
            ("(lambda *args, **kwargs: retry(*args, **kwargs))(str, times = 1)", "\"0\""),
            ("retry()", "!error in retry: missing argument for function"),
            (
                "retry(1, tmes = 2)",
                "!error in retry: unexpected keyword argument \"tmes\" (did you mean times?)",
            ),
            ("retry(1)", "!invalid call of non-function (int)"),
            ("retry(lambda i: i // 0)", "!floored division by zero"),
            ("retry(str, times = 'x')", "!error in retry: got string, want int"),
        ] {
            let outcome = engine.evaluate("e", format!("repr(({text}))"));
            let outcome = match outcome {
                Ok(shown) => engine.get::<String>(&shown).unwrap(),
                Err(error) => format!("!{}", error.message()),
            };
            assert_eq!(outcome, expected, "{text}");
        }
        let error = engine.run("m", "def f(i):\n  fail('no')\nretry(f)").unwrap_err();
        assert_eq!(
            error[0].stack_text(),
            "call stack (most recent call last):\n  m:3:6: in <toplevel>\n  <builtin>: in retry\n  m:2:7: in f\n  <builtin>: in fail"
        );
        // The callee was not even entered.
        let error = engine.run("m", "def f():\n  retry(lambda: 1)\nf()").unwrap_err();
        assert_eq!(error.message(), "function lambda accepts no arguments (1 given)");
        assert_eq!(
            error[0].stack_text(),
            "call stack (most recent call last):\n  m:3:2: in <toplevel>\n  m:2:8: in f\n  <builtin>: in retry"
        );
        let retry = engine.evaluate("e", "retry").unwrap();
        let str_ = engine.evaluate("e", "str").unwrap();
        let shown = engine.call(&retry, (&str_,)).unwrap();
        assert_eq!(engine.get::<String>(&shown).unwrap(), "0");
    }
}

#[test]
fn limits_hold_in_calls_back() {
    let mut engine = Engine::default();
    add_retry(&mut engine);
    engine
        .higher_order("swallow", |caller, given| {
            let [function] = given.bind(["function"])?;
            let outcome: Result<Handle, Error> = caller.call(&function.ok_or(fmt::Error)?, ());
            caller.make(outcome.err().map(|error| error.message().to_owned()))
        })
        .unwrap();
    engine.set_limits(Limits { steps: Some(1000), ..Limits::default() });
    let error = engine
        .evaluate("e", "[swallow(lambda: [x for x in range(1 << 40)]) for i in range(1 << 40)]")
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit(Limit::Steps(1000)));
    let told = engine.evaluate("e", "swallow(lambda: 1 // 0)").unwrap();
    assert_eq!(engine.get::<String>(&told).unwrap(), "floored division by zero");
    let nested = "(lambda f: f)(1)\ndef deep(i): return retry(deep)\ndeep(0)";
    let mut engine =
        Engine::new(frazil_starlark::CONFIG, Dialect { recursion: true, ..Dialect::STANDARD }).unwrap();
    add_retry(&mut engine);
    let error = engine.run("m", nested).unwrap_err();
    assert_eq!(error.message(), "built-in functions call each other too deeply");
}

// ---------------------------------------------------------------------------------------------- who calls

struct Probe;

impl HostType for Probe {
    const NAME: &'static str = "probe";
    const MEMBERS: &'static [Member] = members! { Probe:
        fn lines(this, cx) -> Vec<u32> { lines(cx) }
    };

    fn call<'s>(_: &Hosted<'s, Probe>, cx: Cx<'s>, _: &frazil_starlark::Args<'_, 's>) -> Res<Value<'s>> {
        frazil_starlark::IntoValue::into_value(lines(cx), cx)
    }
}

fn lines(cx: Cx<'_>) -> Vec<u32> {
    cx.call_stack().iter().map(|call| call.at.map_or(0, |at| at.line)).collect()
}

#[test]
fn functions_know_their_callers() {
    let mut engine = Engine::default();
    engine.function("lines", |cx, _| frazil_starlark::IntoValue::into_value(lines(cx), cx)).unwrap();
    engine.predeclare("probe", |cx| Ok(Hosted::new(cx, Probe, &[])?.value())).unwrap();
    engine
        .higher_order("higher", |caller, _| {
            let lines: Vec<u32> =
                caller.call_stack().iter().map(|call| call.at.map_or(0, |at| at.line)).collect();
            caller.make(lines)
        })
        .unwrap();
    engine
        .run(
            "m",
            "
def f(g):
    return g()

def all(x = 1, *xs):
    return [f(lines), probe.lines(), f(probe.lines),
        probe(), sorted([1], key = lambda _: print(lines()))[:0],
        higher(*[])]

a = all()
",
        )
        .unwrap();
    let all = engine.get_global::<Vec<Vec<u32>>>("m", "a").unwrap();
    let expected: [&[u32]; 6] = [&[10, 6, 3], &[10, 6], &[10, 6, 3], &[10, 7], &[], &[10, 8]];
    assert_eq!(all, expected);
    // From outside of any program nobody calls.
    let probe = engine.evaluate("e", "probe").unwrap();
    let lines = engine.call(&probe, ()).unwrap();
    assert_eq!(engine.get::<Vec<u32>>(&lines).unwrap(), []);
}

// ---------------------------------------------------------------------------------------------- memory

thread_local! {
    static ALIVE: Cell<usize> = const { Cell::new(0) };
    static MOST: Cell<usize> = const { Cell::new(0) };
}

/// So many bytes of the system's memory, or so it says.
struct Buffer(usize);

impl Buffer {
    fn new(bytes: usize) -> Buffer {
        ALIVE.set(ALIVE.get() + 1);
        MOST.set(MOST.get().max(ALIVE.get()));
        Buffer(bytes)
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        ALIVE.set(ALIVE.get() - 1);
    }
}

impl HostType for Buffer {
    const NAME: &'static str = "buffer";

    fn bytes(&self) -> usize {
        self.0
    }
}

function! { fn buffer(cx, bytes: usize) -> Buffer { Buffer::new(bytes) } }

function! { fn alive(cx) -> usize { ALIVE.get() } }

#[test]
fn what_calls_have_left_in_registers_dies() {
    let mut engine = Engine::new(Config::STRESS, Dialect::STANDARD).unwrap();
    engine.function("buffer", buffer).unwrap();
    engine.function("alive", alive).unwrap();
    let text = "
def drop():
    one = buffer(1)
    [one, one, one, one, one, one]

def look(*_):
    return alive()

def f(look):
    x = 0
    [x, x, x, x, x, x, x, x, x, x]
    drop()
    called = look(1)
    drop()
    with_more = look(*[1])
    drop()
    looped = [alive() for _ in range(2)][1]
    seen = []
    drop()
    sorted([1], key = lambda _: seen.append(alive()))
    return [called, with_more, looped] + seen

seen = f(look)
";
    engine.run("m", text).unwrap();
    assert_eq!(engine.get_global::<Vec<usize>>("m", "seen").unwrap(), [0, 0, 0, 0]);
}

thread_local! {
    static CALLS: Cell<usize> = const { Cell::new(0) };
}

/// What has an effect, and makes a text of so many bytes.
fn text_of(bytes: usize) -> String {
    CALLS.set(CALLS.get() + 1);
    "a".repeat(bytes)
}

/// The same as a method, as a value that is called, and where it is set.
struct Writer;

impl HostType for Writer {
    const NAME: &'static str = "writer";
    const MEMBERS: &'static [Member] = members! { Writer:
        fn write(this, cx, bytes: usize) -> String { text_of(bytes) }
    };

    fn call<'s>(_: &Hosted<'s, Writer>, cx: Cx<'s>, args: &frazil_starlark::Args<'_, 's>) -> Res<Value<'s>> {
        let [bytes] = args.exactly()?;
        cx.str(&text_of(FromValue::from_value(cx, bytes)?))
    }

    fn set_attribute<'s>(_: &Hosted<'s, Writer>, cx: Cx<'s>, _: &str, bytes: Value<'s>) -> Res<()> {
        cx.str(&text_of(FromValue::from_value(cx, bytes)?)).map(|_| ())
    }

    fn set_index<'s>(_: &Hosted<'s, Writer>, cx: Cx<'s>, _: Value<'s>, bytes: Value<'s>) -> Res<()> {
        cx.str(&text_of(FromValue::from_value(cx, bytes)?)).map(|_| ())
    }
}

function! { fn write(cx, bytes: usize) -> String { text_of(bytes) } }
function! {
    fn write_with_room(cx, bytes: usize) -> Res<String> {
        cx.want_room(bytes)?;
        Ok(text_of(bytes))
    }
}

#[test]
fn functions_are_called_once_near_the_limit() {
    let config = Config { limit_bytes: Some(16 << 20), ..frazil_starlark::CONFIG };
    let mut engine = Engine::new(config, Dialect::STANDARD).unwrap();
    engine.function("write", write).unwrap();
    engine.function("write_with_room", write_with_room).unwrap();
    engine.predeclare("writer", |cx| Ok(Hosted::new(cx, Writer, &[])?.value())).unwrap();
    // Garbage that fills the heap little by little is never in the way of a small result.
    for size in [100, 1000, 100_000, 1_500_000] {
        for call in
            ["write({})", "writer.write({})", "writer({})", "[write][0]({})", "sorted([{}], key = write)"]
        {
            CALLS.set(0);
            let call = call.replace("{}", &size.to_string());
            let text = format!("def f():\n  for i in range(300):\n    [('a' * 30000) + str(i), {call}]\nf()");
            engine.run("m", text).unwrap();
            assert_eq!(CALLS.get(), 300, "{call}");
        }
        for statement in ["writer.x = {}", "writer[0] = {}"] {
            CALLS.set(0);
            let statement = statement.replace("{}", &size.to_string());
            engine.run("m", format!("def f():\n  for i in range(300):\n    {statement}\nf()")).unwrap();
            assert_eq!(CALLS.get(), 300, "{statement}");
        }
    }
    // A large result may not find room: then that is an error, and the function has been called once. It may ask before.
    for (call, succeeds) in [
        ("write({})", false),
        ("writer.write({})", false),
        ("writer({})", false),
        ("write_with_room({})", true),
    ] {
        let call = call.replace("{}", "8000000");
        // What `f` has left is garbage that has survived some collections.
        let text = "def f():\n  x = 'a' * 10000000\n  for i in range(9): len(x)\nf()\n".to_owned() + &call;
        CALLS.set(0);
        let outcome = engine.run("m", text);
        assert_eq!(CALLS.get(), 1, "{call}");
        match outcome {
            Ok(()) => assert!(succeeds, "{call}"),
            Err(error) => {
                assert!(!succeeds, "{call}");
                assert_eq!(error.kind(), ErrorKind::Limit(Limit::Memory));
            }
        }
    }
}

#[test]
fn data_of_the_host_counts_for_the_limit() {
    let config = Config { limit_bytes: Some(64 << 20), ..frazil_starlark::CONFIG };
    let mut engine = Engine::new(config, Dialect::STANDARD).unwrap();
    engine.function("buffer", buffer).unwrap();
    // What is garbage soon goes soon, though its objects are small.
    engine.run("m", "def f():\n  for i in range(3000):\n    buffer(1 << 20)\nf()").unwrap();
    assert!(MOST.get() < 64, "{} buffers lived at once", MOST.get());
    let error = engine.run("m", "xs = [buffer(1 << 20) for i in range(100)]").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit(Limit::Memory));
    engine.run("m", "xs = [buffer(1 << 20) for i in range(50)]").unwrap();
    let error = engine.run("n", "buffer(1 << 40)").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit(Limit::Memory));
}

#[test]
fn closures_are_good_keys() {
    let mut engine = Engine::default();
    engine.set_limits(Limits { steps: Some(200_000), ..Limits::default() });
    engine
        .run("m", "fs = {(lambda: i): i for i in range(20000)}\nok = [fs[f] for f in fs.keys()] == list(range(20000))")
        .unwrap();
    assert!(engine.get_global::<bool>("m", "ok").unwrap());
    engine
        .run("n", "xs = {}.keys\nys = set([xs, xs, {}.keys])\nn = (len(ys), xs == xs, {}.keys == {}.keys)")
        .unwrap();
    assert_eq!(engine.get_global::<(usize, bool, bool)>("n", "n").unwrap(), (2, true, false));
}
