//! The language as programs see it: each test runs a program and compares what it prints, or the error.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::rc::Rc;

use frazil::{Config, Request};
use frazil_starlark::syntax::{Diagnostic, Dialect};
use frazil_starlark::{Engine, Loader};

/// Modules in memory.
#[derive(Default)]
struct Texts(HashMap<&'static str, &'static str>);

impl Loader for Texts {
    fn resolve(&self, name: &str, _: &str) -> Result<String, String> {
        Ok(name.to_owned())
    }

    fn read(&self, key: &str) -> Result<String, String> {
        self.0.get(key).map(|text| (*text).to_owned()).ok_or_else(|| "no such module".to_owned())
    }
}

fn engine(config: Config, dialect: Dialect, texts: Texts) -> (Engine, Rc<RefCell<String>>) {
    let mut engine = Engine::with_loader(config, dialect, Box::new(texts)).unwrap();
    let out = Rc::new(RefCell::new(String::new()));
    let sink = Rc::clone(&out);
    engine.on_print(move |line| writeln!(sink.borrow_mut(), "{line}").unwrap());
    (engine, out)
}

/// What a program prints; it is run in the ordinary way and with a collection at every safepoint.
fn prints(program: &str) -> String {
    let (mut ordinary, out) = engine(Config::default(), Dialect::STANDARD, Texts::default());
    ordinary.run("main", program).unwrap_or_else(|errors| panic!("{}", errors[0].render(false)));
    let stress = Config { stack_words: 1 << 16, ..Config::STRESS };
    let (mut stressed, again) = engine(stress, Dialect::STANDARD, Texts::default());
    stressed.run("main", program).unwrap_or_else(|errors| panic!("{}", errors[0].render(false)));
    assert_eq!(*out.borrow(), *again.borrow(), "collections change the outcome");
    out.take()
}

/// The error a program ends with.
fn error_of(program: &str) -> Diagnostic {
    let (mut engine, _) = engine(Config::default(), Dialect::STANDARD, Texts::default());
    engine.run("main", program).expect_err("the program must fail")[0].clone()
}

fn message(program: &str) -> String {
    error_of(program).message
}

// ---------------------------------------------------------------------------------------------- functions

#[test]
fn arguments_find_their_parameters() {
    let program = "
def f(a, b = 2, *args, c, d = 4, **kwargs):
    return (a, b, args, c, d, kwargs)
print(f(1, c = 3))
print(f(1, 20, 30, 40, c = 3, e = 5))
print(f(c = 3, a = 1, d = 0))
print(f(*[1, 2, 3], **{'c': 4, 'x': 5}))
print((lambda *a, **k: (a, k))(1, z = 4, *(2, 3), **{'y': 5}))
";
    assert_eq!(
        prints(program),
        "(1, 2, (), 3, 4, {})\n\
         (1, 20, (30, 40), 3, 4, {\"e\": 5})\n\
         (1, 2, (), 3, 0, {})\n\
         (1, 2, (3,), 4, 4, {\"x\": 5})\n\
         ((1, 2, 3), {\"z\": 4, \"y\": 5})\n"
    );
}

#[test]
fn wrong_arguments_are_explained() {
    let with = |call: &str| message(&format!("def f(a, b, c = 3, *, d): return 1\n{call}"));
    assert_eq!(with("f(1)"), "function f missing 2 arguments (b, d)");
    assert_eq!(with("f(1, 2, 3, 4, d = 1)"), "function f accepts at most 3 positional arguments (5 given)");
    assert_eq!(with("f(1, 2, d = 1, e = 2)"), "function f got an unexpected keyword argument \"e\"");
    assert_eq!(with("f(1, 2, a = 1, d = 2)"), "function f got multiple values for parameter \"a\"");
    assert_eq!(with("f(*1)"), "argument after * must be iterable, not int");
    assert_eq!(with("f(**1)"), "argument after ** must be a mapping, not int");
    assert_eq!(with("1()"), "invalid call of non-function (int)");
}

#[test]
fn closures_share_their_variables() {
    let program = "
def counter():
    state = [0]
    step = 1
    def next():
        state[0] += step
        return state[0]
    step = 10
    return next
n = counter()
n()
print(n(), counter()())
def adders():
    return [lambda x, i = i: x + i for i in range(3)]
print([f(10) for f in adders()])
def outer(x):
    def middle():
        def inner():
            return x * 2
        return inner
    return middle
print(outer(21)()())
";
    assert_eq!(prints(program), "20 10\n[10, 11, 12]\n42\n");
}

#[test]
fn functions_may_have_many_variables_and_arguments() {
    let mut program = String::from("def f():\n");
    for i in 0..300 {
        writeln!(program, "    v{i} = {i}").unwrap();
    }
    program.push_str("    def g(): return v0 + v200 + v299\n    v200 = 1000\n    v5 += v250\n");
    program.push_str("    v260 += 1\n    return (v5, v260, v199, g())\nprint(f())\n");
    let items: Vec<String> = (0..300).map(|i| i.to_string()).collect();
    let named: Vec<String> = (0..100).map(|i| format!("k{i} = {i}")).collect();
    writeln!(program, "def count(*a, **k): return (len(a), len(k), a[299], k['k99'])").unwrap();
    writeln!(program, "print(count({}, {}))", items.join(", "), named.join(", ")).unwrap();
    writeln!(program, "print(len([{0}]), len(({0})), len({{'a': 1, 2: 3}}))", items.join(", ")).unwrap();
    assert_eq!(prints(&program), "(255, 261, 199, 1299)\n(300, 100, 299, 99)\n300 300 2\n");
}

#[test]
fn variables_without_a_value_are_errors() {
    assert_eq!(
        message("def f():\n  print(x)\n  x = 1\nf()"),
        "local variable x referenced before assignment"
    );
    assert_eq!(message("print(x)\nx = 1"), "global variable x referenced before assignment");
    assert_eq!(
        message("def f():\n  def g(): return x\n  g()\n  x = 1\nf()"),
        "local variable x referenced before assignment"
    );
    let one_way = "def f(c):\n  if c:\n    x = 1\n  return x\nf(True)\nf(False)";
    assert_eq!(message(one_way), "local variable x referenced before assignment");
    let in_loop = "def f(n):\n  for i in range(n):\n    x = i\n  return x\nf(1)\nf(0)";
    assert_eq!(message(in_loop), "local variable x referenced before assignment");
}

#[test]
fn recursion_is_an_error_unless_allowed() {
    let program = "def f(n): return 1 if n == 0 else n * f(n - 1)\nx = f(20)";
    assert_eq!(message(program), "function f called recursively");
    let (mut recursive, _) = engine(Config::default(), Dialect::EXTENDED, Texts::default());
    recursive.run("main", program).unwrap();
    let text = recursive.global("main", "x", frazil_starlark::ops::repr::repr);
    assert_eq!(text.as_deref(), Some("2432902008176640000"));
    let endless = recursive.run("endless", "def f(): return f()\nf()").unwrap_err();
    assert_eq!(endless[0].message, "Starlark stack overflow");
    assert_eq!(endless[0].frames.len(), 41);
    let through_sort = "def f(x): return sorted([1], key = f)\nf(1)";
    let endless = recursive.run("sort", through_sort).unwrap_err();
    assert_eq!(endless[0].message, "built-in functions call each other too deeply");
}

// ---------------------------------------------------------------------------------------------- control flow

#[test]
fn loops_and_conditions() {
    let program = "
def f():
    out = []
    for i in range(10):
        if i == 2: continue
        elif i == 5: break
        else: out.append(i)
    for i in range(10, 0, -3): out.append(i)
    for k in {'a': 1, 'b': 2}: out.append(k)
    for x, (y, z) in [(1, (2, 3))]: out.append(x + y + z)
    for c in 'xy'.elems(): out.append(c)
    return out
print(f())
def first(xs):
    for x in xs:
        for y in x:
            if y > 2:
                return y
print(first([[1], [2, 3, 4]]), first([]))
print([x * y for x in range(4) if x % 2 for y in (10, 20) if y > 5])
print({k: v for k, v in zip('abc'.elems(), range(3))})
print(1 < 2 and 'yes' or 'no', not [], 1 if {} else 2, None or 0 or '' or 'last')
";
    assert_eq!(
        prints(program),
        "[0, 1, 3, 4, 10, 7, 4, 1, \"a\", \"b\", 6, \"x\", \"y\"]\n3 None\n[10, 20, 30, 60]\n\
         {\"a\": 0, \"b\": 1, \"c\": 2}\nyes True 2 last\n"
    );
}

#[test]
fn assignments_are_evaluated_in_order() {
    let program = "
def f():
    a, b = 1, 2
    a, b = b, a
    x = [1, 2, 3]
    i = 0
    x[i], i = 10, 2
    x[i] += 5
    s = 'a'
    s = s or s + 'b'
    xs = [4, 5]
    xs = [x * 2 for x in xs]
    y = x
    y += [7]
    [p, q], r = (1, 2), 3
    return (a, b, x, i, s, xs, p + q + r)
print(f())
";
    assert_eq!(prints(program), "(2, 1, [10, 2, 8, 7], 2, \"a\", [8, 10], 6)\n");
}

#[test]
fn collections_cannot_change_while_they_are_iterated() {
    let list = |body: &str| message(&format!("def f():\n  x = [1, 2]\n  for i in x:\n    {body}\nf()"));
    assert_eq!(list("x.append(1)"), "error in append: cannot append to list during iteration");
    assert_eq!(list("x[0] = 1"), "cannot assign to element of list during iteration");
    assert_eq!(list("x += [1]"), "cannot apply += to list during iteration");
    let dict = |body: &str| message(&format!("def f():\n  x = {{1: 2}}\n  for i in x:\n    {body}\nf()"));
    assert_eq!(dict("x[2] = 1"), "cannot insert into hash table during iteration");
    assert_eq!(dict("x.pop(1)"), "error in pop: cannot delete from hash table during iteration");
    let program = "
def f():
    x = [1, 2, 3]
    for i in x:
        for j in x:
            if j == 2: break
        if i == 2: break
    x.append(4)
    def g():
        for i in x: return i
    g()
    x.append(5)
    [i for i in x]
    x.append(6)
    return x
print(f())
";
    assert_eq!(prints(program), "[1, 2, 3, 4, 5, 6]\n");
}

#[test]
fn an_error_ends_the_iterations_it_leaves() {
    let (mut engine, out) = engine(Config::default(), Dialect::STANDARD, Texts::default());
    engine
        .predeclare("shared", |cx| frazil_starlark::data::list::of(cx, &[frazil_starlark::value::none()]))
        .unwrap();
    let failing = "def f():\n  for x in shared:\n    fail([1 for y in shared if y.z])\nf()";
    engine.run("one", failing).unwrap_err();
    engine.run("two", "shared.append(1)\nprint(shared)").unwrap();
    assert_eq!(out.take(), "[None, 1]\n");
}

// ---------------------------------------------------------------------------------------------- data

#[test]
fn numbers() {
    let program = "
print(7 // -2, 7 % -2, -7 // 2, -7 % 2, 7 / 2, 2.5 // 1, -2.5 % 2)
print(1 << 70, (1 << 70) >> 68, -1 >> 200, 3 & 5, 3 | 5, 3 ^ 5, ~5)
print(4611686018427387903 + 1, -4611686018427387904 - 1, 4611686018427387904 * 4, 3037000500 * 3037000500)
print(1e6, 1.5e-7, 100000.0, float('inf'), -float('inf'), float('nan'), 1.0)
print(1 == 1.0, {1: 'a'}[1.0], 1 << 70 == float(1 << 70), 2 < 2.5, 1 < True if False else 'ok')
print(int('ff', 16), int('-0b101', 0), int(3.99), int(-3.99), abs(-7), hash('hello'))
print('%d %s %r %x %o %e %g' % (3.7, 'a', 'a', 255, 8, 12345.678, 0.5))
";
    assert_eq!(
        prints(program),
        "-4 -1 -4 1 3.5 2.0 1.5\n\
         1180591620717411303424 4 -1 1 7 6 -6\n\
         4611686018427387904 -4611686018427387905 18446744073709551616 9223372037000250000\n\
         1e+06 1.5e-07 100000.0 +inf -inf nan 1.0\n\
         True a True True ok\n\
         255 -5 3 -3 7 99162322\n\
         3 a \"a\" ff 10 1.234568e+04 0.5\n"
    );
}

#[test]
fn strings() {
    let program = r#"
s = "héllo"
print(len(s), s[0], s[-1], s[3:], s[::-1][0], repr(s[1:2]))
print([c for c in s.codepoints()], s.upper(), s.find("l"), s.title())
print(" a  b ".split(), "a,b,c".split(",", 1), "a,b,c".rsplit(",", 1), "a\nb\r\nc".splitlines())
print("{} {x} {{}} {0!r}".format if False else "{} {x} {{}} {!r}".format(1, "q", x = 2))
print("banana".replace("a", "o", 2), "banana".count("an"), "x".join(["1", "2"]), "ab" * 3)
print("abc" < "abd", "b" in "abc", "%s|%s" % ("a", [1]), "%(k)s" % {"k": 1}, "a" + "b")
print("a.b".partition("."), "a.b".rpartition("."), "xxay".lstrip("x"), "k=v".removeprefix("k="))
print(repr('\t"\\\x01'), b"a\xff", list(b"ab".elems()), ord("é"), chr(0x1F600))
"#;
    assert_eq!(
        prints(program),
        "6 h o llo o \"\\xc3\"\n\
         [\"h\", \"é\", \"l\", \"l\", \"o\"] HÉLLO 3 Héllo\n\
         [\"a\", \"b\"] [\"a\", \"b,c\"] [\"a,b\", \"c\"] [\"a\", \"b\", \"c\"]\n\
         1 2 {} \"q\"\n\
         bonona 2 1x2 ababab\n\
         True True a|[1] 1 ab\n\
         (\"a\", \".\", \"b\") (\"a\", \".\", \"b\") ay v\n\
         \"\\t\\\"\\\\\\x01\" a\u{fffd} [97, 98] 233 😀\n"
    );
}

#[test]
fn dicts_keep_their_order_through_growth_and_deletion() {
    let program = "
def f():
    d = {}
    for i in range(100):
        d['k%d' % i] = i
    for i in range(0, 100, 2):
        d.pop('k%d' % i)
    for i in range(100, 110):
        d[i] = i
    d['k1'] = 'new'
    total = [d['k%d' % i] for i in range(3, 100, 2)]
    while_ = []
    for _ in range(55):
        while_.append(d.popitem()[0])
    return (len(total), sum(total), while_[:3], d.items(), 'k2' in d, d.get('k3'))
def sum(xs):
    t = 0
    for x in xs: t += x
    return t
print(f())
def g():
    d = {'x': 1}
    d |= {'y': 2}
    print(d | {'x': 3}, d.setdefault('z', 9), d, dict([(1, 2)], a = 3), d == {'z': 9, 'y': 2, 'x': 1})
g()
print(set([3, 1, 3]) | set([2]), set([1, 2]) & set([2]), set([1, 2]) - set([2]), set([1, 2]) ^ set([2, 3]))
print(set([1, 2]).issubset([1, 2, 3]), 2 in set([2]), len(set([])), set([1]) == set([1.0]))
";
    assert_eq!(
        prints(program),
        "(49, 2499, [\"k1\", \"k3\", \"k5\"], [(105, 105), (106, 106), (107, 107), (108, 108), (109, 109)], \
         False, None)\n\
         {\"x\": 3, \"y\": 2} 9 {\"x\": 1, \"y\": 2, \"z\": 9} {1: 2, \"a\": 3} True\n\
         set([3, 1, 2]) set([2]) set([1]) set([1, 3])\n\
         True True 0 True\n"
    );
    assert_eq!(message("{'a': 1, 'a': 2}"), "duplicate key: \"a\"");
    assert_eq!(message("{}['x']"), "key \"x\" not in dict");
    assert_eq!(message("{[]: 1}"), "unhashable type: list");
}

#[test]
fn lists_tuples_ranges_and_structs() {
    let program = "
x = [3, 1, 2]
x.extend((4, 5)); x.insert(1, 9); x.remove(2)
print(str(x), x.pop(), x.pop(0), x.index(4), x[1:], x[::-1], x + [0], 2 * x)
print(sorted([3, 1, 2], reverse = True), sorted(['bb', 'a'], key = len), min(3, 1), max([1, 5], key = lambda v: -v))
print((1,) + (2, 3), (1, 2) < (1, 3), [1, [2]] == [1, [2.0]], () or 'empty')
print(range(10)[2:8:2], list(range(5, 0, -2)), 4 in range(0, 10, 2), len(range(3, 10, 4)), range(3) == range(0, 3, 1))
s = struct(b = 2, a = 1)
print(s, s.a, dir(s), hasattr(s, 'c'), getattr(s, 'c', 0), s == struct(a = 1, b = 2), {s: 1}[s])
print(list(enumerate(['a', 'b'], 1)), zip([1, 2], [3, 4, 5]), reversed([1, 2]), any([0, 1]), all([1, 0]))
print([].append, len, type(len), type(x.pop), str(struct), repr(lambda: 0), type(print) == type(x.append))
";
    assert_eq!(
        prints(program),
        "[3, 9, 1, 4, 5] 5 3 2 [1, 4] [4, 1, 9] [9, 1, 4, 0] [9, 1, 4, 9, 1, 4]\n\
         [3, 2, 1] [\"a\", \"bb\"] 1 1\n\
         (1, 2, 3) True True empty\n\
         range(2, 8, 2) [5, 3, 1] True 2 True\n\
         struct(a = 1, b = 2) 1 [\"a\", \"b\"] False 0 True 1\n\
         [(1, \"a\"), (2, \"b\")] [(1, 3), (2, 4)] [2, 1] True False\n\
         <built-in method append of list value> <built-in function len> builtin_function_or_method \
         builtin_function_or_method <built-in function struct> <function lambda> True\n"
    );
}

#[test]
fn a_value_inside_of_itself_is_shown_with_dots() {
    assert_eq!(prints("x = [1]\nx.append(x)\nd = {'x': x}\nprint(x, d)"), "[1, [...]] {\"x\": [1, [...]]}\n");
}

// ---------------------------------------------------------------------------------------------- modules, errors

#[test]
fn modules_are_loaded_once_and_frozen() {
    let texts = Texts(HashMap::from([
        (
            "lib",
            "print('loading')\nitems = [1]\ndef add(x): items.append(x)\ndef get(): return items\n_own = 1",
        ),
        ("again", "load('lib', 'get')\nvalue = get()"),
    ]));
    let (mut engine, out) = engine(Config::default(), Dialect::STANDARD, texts);
    engine
        .run("main", "load('lib', 'items', g = 'get')\nload('again', 'value')\nprint(items, g(), value)")
        .unwrap();
    assert_eq!(out.take(), "loading\n[1] [1] [1]\n");
    let error =
        |engine: &mut Engine, key: &str, text: &str| engine.run(key, text).unwrap_err()[0].message.clone();
    assert_eq!(
        error(&mut engine, "a", "load('lib', 'add')\nadd(2)"),
        "error in append: cannot append to frozen list"
    );
    assert_eq!(
        error(&mut engine, "b", "load('lib', 'item')"),
        "load: name item not found in module lib (did you mean items?)"
    );
    assert_eq!(error(&mut engine, "c", "load('nowhere', 'x')"), "cannot load nowhere: no such module");
}

#[test]
fn modules_that_load_each_other_are_an_error() {
    let texts = Texts(HashMap::from([("a", "load('b', 'x')"), ("b", "load('a', 'y')\nx = 1")]));
    let (mut engine, _) = engine(Config::default(), Dialect::STANDARD, texts);
    let errors = engine.run("main", "load('a', 'x')").unwrap_err();
    assert_eq!(errors[0].message, "cannot load a: cycle in load graph");
}

#[test]
fn errors_tell_where_they_happened() {
    let error = error_of("def f(x):\n  return sorted([x], key = g)\ndef g(x):\n  return x + 'a'\nf(1)\n");
    assert_eq!(error.to_string(), "main:4:12: unknown binary op: int + string");
    assert_eq!(
        error.stack_text(),
        "call stack (most recent call last):\n  main:5:2: in <toplevel>\n  main:2:16: in f\n  \
         <builtin>: in sorted\n  main:4:12: in g"
    );
    let error = error_of("x = [1]\nx.append()");
    assert_eq!(error.to_string(), "main:2:2: error in append: got 0 arguments, want 1");
    assert_eq!(error.frames.last().map(|frame| frame.function.as_str()), Some("append"));
    assert_eq!(message("fail('a', 1)"), "fail: a 1");
    assert_eq!(message("fail(b'a', sep = '')"), "fail: b\"a\"");
    assert_eq!(message("''.fin"), "string has no .fin field or method (did you mean .find?)");
}

// ---------------------------------------------------------------------------------------------- memory

#[test]
fn a_program_may_use_its_heap_up_to_the_limit() {
    let config = Config { limit_bytes: Some(4 << 20), ..Config::default() };
    let (mut engine, out) = engine(config, Dialect::STANDARD, Texts::default());
    let garbage = "
def f(n):
    total = 0
    for i in range(n):
        total += len(str(i) + 'x' * 100)
    return total
print(f(200000))
# All garbage between two safepoints: the instruction is repeated after a collection.
print(len([str(x) * 20 for x in range(5000)]))
";
    engine.run("garbage", garbage).unwrap();
    assert_eq!(out.take(), "21088890\n5000\n");
    let error =
        engine.run("grow", "def f():\n  x = []\n  for i in range(1 << 40):\n    x.append(str(i))\nf()");
    let error = error.unwrap_err()[0].clone();
    assert!(error.message.starts_with("out of memory: "), "{}", error.message);
    assert_eq!(error.frames.len(), 2);
    engine.run("after", "print(len(list(range(1000))))").unwrap();
    assert_eq!(out.take(), "1000\n");
}

#[test]
fn what_a_program_drops_is_freed() {
    let (mut engine, _) = engine(Config::default(), Dialect::STANDARD, Texts::default());
    engine.run("keep", "kept = [str(i) for i in range(10)]").unwrap();
    engine.collect(Request::Complete).unwrap();
    let before = engine.used_bytes();
    engine
        .run("drop", "def f():\n  x = {i: [str(i), (i,)] for i in range(20000)}\n  return len(x)\nn = f()")
        .unwrap();
    engine.collect(Request::Complete).unwrap();
    let after = engine.used_bytes();
    // The blocks that stay may be filled differently, no more.
    assert!(after < before + 256 * 1024, "{before} bytes before, {after} after");
}

#[test]
fn a_program_can_be_ended_after_some_collections() {
    let (mut engine, out) = engine(Config::STRESS, Dialect::EXTENDED, Texts::default());
    engine.limit_collections(100);
    let errors = engine.run("main", "print(1)\nwhile True:\n    len([])\n").expect_err("it has no end");
    assert_eq!(errors[0].message, "the program was given no more collections");
    assert_eq!((out.take().as_str(), engine.stats().collections()), ("1\n", 100));
    engine.limit_collections(10);
    engine.run("other", "print(2)").expect("another may go on");
    assert_eq!(out.take(), "2\n");
}

/// A program without calls and loops has no safepoint of its own, and collects only where memory runs out.
#[test]
fn collections_where_memory_runs_out_are_counted() {
    let config = Config { limit_bytes: Some(1 << 20), nursery_bytes: 64 << 10, ..Config::DEFAULT };
    let program = "[0] * 20000\n".repeat(200);
    let run = |collections| {
        let mut engine = Engine::new(config.clone(), Dialect::STANDARD).unwrap();
        engine.limit_collections(collections);
        engine.run("t", program.as_str())
    };
    assert!(run(200).is_ok());
    let errors = run(10).unwrap_err();
    assert_eq!(errors[0].message, "the program was given no more collections");
    assert!((2..200).contains(&errors[0].line_col().line), "{}", errors[0]);
}
