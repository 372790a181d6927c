//! What an embedding program can limit, and what is limited anyway.

use std::time::Duration;

use frazil::Config;
use frazil_starlark::syntax::Dialect;
use frazil_starlark::{Engine, ErrorKind, Library, Limit, Limits};

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
        "[i for i in range(0, 1 << 40, 2)]",
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
    engine.library(Library::Json).unwrap();
    for text in [
        "x = list(range(1000000000000))",
        "x = 'a' * (1 << 29)",
        "x = [0] * (1 << 29)",
        "x = sorted(range(1 << 33))",
        "def f():\n  x = []\n  for i in range(1 << 40):\n    x.append(str(i))\nf()",
        "def f():\n  x = 'ab'\n  for i in range(100):\n    x += x\nf()",
        "json.indent('[' * 100000 + ']' * 100000)",
    ] {
        limited(&mut engine, text, Limit::Memory);
    }
}

#[test]
fn garbage_is_not_in_the_way_of_a_module() {
    let config = Config { limit_bytes: Some(3 << 20), ..frazil_starlark::CONFIG };
    let mut engine = Engine::new(config, Dialect::STANDARD).unwrap();
    for i in 0..20 {
        let garbage = format!("[('a' * 1000) + str(i) for i in range({})] == 1", 100 * i);
        engine.evaluate("e", garbage).unwrap();
        engine.evaluate("e", format!("'{}'", "a".repeat(2_000_000 + i))).unwrap();
    }
}

#[test]
fn garbage_is_not_in_the_way_of_a_result() {
    let config = Config { limit_bytes: Some(16 << 20), ..frazil_starlark::CONFIG };
    let mut engine = Engine::new(config, Dialect::STANDARD).unwrap();
    for megabytes in 1..12 {
        let text = format!(
            "
def garbage():
    x = 'a' * {megabytes}000000
    for i in range(9): len(x)

def f():
    xs = list(range(300000))
    for i in range(9): len(xs)
    garbage()
    return sorted(xs, key = abs)[5]

f()"
        );
        engine.run("m", text).unwrap();
    }
}

#[test]
fn what_grows_by_itself_has_an_end_without_any_limit() {
    let mut engine = Engine::default();
    engine.library(Library::Json).unwrap();
    for (text, message) in [
        ("x = 'a' * 1000000000000", "repeat count 1000000000000 too large"),
        ("x = list(range(1 << 60))", "out of memory: "),
        ("def f():\n  x = 3\n  for i in range(40):\n    x *= x\nf()", "int too large"),
        ("('a' * 1000000).replace('a', 'b' * 1000000)", "error in replace: the text is longer than "),
        ("int('9' * 10000000)", "error in int: invalid literal with base 10: "),
        ("json.decode('9' * 10000000)", "error in json.decode: a number has too many digits"),
    ] {
        let error = engine.run("m", text).expect_err(text);
        assert!(error.message().contains(message), "{text}: {}", error.message());
    }
    let literal = format!("x = {}", "9".repeat(10_000_000));
    assert_eq!(engine.run("m", literal).unwrap_err().message(), "invalid int literal");
}

#[test]
fn errors_quote_no_megabytes() {
    let mut engine = Engine::default();
    engine.library(Library::Json).unwrap();
    for text in [
        "int('1' * 2000000 + 'x')",
        "float('1' * 2000000 + 'x')",
        "{}['a' * 2000000]",
        "{}[tuple(range(200000))]",
        "{}.pop(('a',) * 200000)",
        "set().remove('a' * 2000000)",
        "range(1 << 3000000)",
        "[][1 << 3000000]",
        "getattr(1, 'a' * 2000000)",
        "dict(**{'a' * 2000000: 1}).keys() + (lambda: 1)(**{'a' * 2000000: 1})",
        "('%(' + 'a' * 2000000 + ')s') % {}",
        "('{' + 'a' * 2000000 + '}').format()",
        "('{!' + 'a' * 2000000 + '}').format(1)",
        "json.encode({'a' * 2000000: len})",
        "struct(**{'a' * 2000000: 1}).x",
    ] {
        let error = engine.run("m", text).expect_err(text);
        assert!(error.to_string().len() < 10_000, "{text}: {} bytes", error.to_string().len());
    }
    let name = "n".repeat(1_000_000);
    for text in [
        name.clone(),
        format!("x = [{name}, {name}x]"),
        format!("load('m', {name} = 'y')\n{name} = 1"),
        format!("def f({name}, {name}): pass"),
        format!("def f(): return {name}\n{name} = f()"),
        format!("len({name} = 1)"),
    ] {
        let error = engine.run("m", text).unwrap_err();
        assert!(error.to_string().len() < 10_000, "{}", &error.to_string()[..100]);
    }
    // Where the end says what is wrong, it is shown.
    let error = engine.run("m", "range(int('1' * 5000))").unwrap_err();
    assert!(error.message().ends_with("1 out of range (want value in signed 63-bit range)"), "{error}");
    // What a program says itself is not shortened.
    let error = engine.run("m", "fail('a' * 100000)").unwrap_err();
    assert_eq!(error.message().len(), "fail: ".len() + 100_000);
}

#[test]
fn targets_are_limited_in_number() {
    let mut engine = Engine::default();
    let targets = |count: usize| (0..count).map(|i| format!("a{i}")).collect::<Vec<_>>().join(", ");
    engine.run("m", format!("{} = range(200)\nx = a199", targets(200))).unwrap();
    let error = engine.run("m", format!("{} = range(300)", targets(300))).unwrap_err();
    assert_eq!(error.message(), "too many targets in one assignment (300, and at most 245 here)");
    let error = engine.run("m", format!("def f(x):\n  for {} in x:\n    pass", targets(300))).unwrap_err();
    assert!(error.message().starts_with("too many targets in one assignment (300, "), "{error}");
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
