//! What modules keep alive, and what they do not.

use std::collections::HashMap;

use frazil::{Config, Request};
use frazil_starlark::syntax::Dialect;
use frazil_starlark::{Engine, Loader};

/// Modules in memory.
struct Texts(HashMap<&'static str, &'static str>);

impl Loader for Texts {
    fn resolve(&self, name: &str, _: &str) -> Result<String, String> {
        Ok(name.to_owned())
    }

    fn read(&self, key: &str) -> Result<String, String> {
        self.0.get(key).map(|text| (*text).to_owned()).ok_or_else(|| "no such module".to_owned())
    }
}

const BIG: &str = "
big = list(range(6500000))
small = [1, 2, 3]
def of_small(): return small
def of_big(): return big
def maker():
    def inner(): return [small, len(big)]
    return of_small
";

/// What the heap holds after a module has loaded `names` from a big one, and the big one has gone.
fn retained(program: &'static str) -> (Engine, usize) {
    let texts = Texts(HashMap::from([("big", BIG)]));
    let mut engine = Engine::with_loader(Config::default(), Dialect::STANDARD, Box::new(texts)).unwrap();
    engine.run("main", program).unwrap_or_else(|errors| panic!("{}", errors[0].render(false)));
    engine.collect(Request::Complete).unwrap();
    assert!(engine.used_bytes() > 50_000_000, "the big module is there: {} bytes", engine.used_bytes());
    assert!(engine.unload("big"));
    engine.collect(Request::Complete).unwrap();
    engine.collect(Request::Complete).unwrap();
    let used = engine.used_bytes();
    (engine, used)
}

#[test]
fn a_small_list_does_not_keep_its_big_module() {
    let (mut engine, used) = retained("load('big', 'small')\nprint(small)");
    assert!(used < 1 << 20, "{used} bytes");
    engine.run("again", "load('big', 'small')\nsmall.append(1)").unwrap_err();
}

#[test]
fn a_function_keeps_what_it_uses_and_no_more() {
    let (_, used) = retained("load('big', 'of_small')\nx = of_small()");
    assert!(used < 1 << 20, "{used} bytes");
    let (_, used) = retained("load('big', 'of_big')\nx = len(of_big())");
    assert!(used > 50_000_000, "{used} bytes");
    // What a nested function uses belongs to the function around it.
    let (_, used) = retained("load('big', 'maker')\nx = maker()");
    assert!(used > 50_000_000, "{used} bytes");
}

#[test]
fn a_function_still_works_when_its_module_is_gone() {
    let (mut engine, _) = retained("load('big', 'of_small', 'of_big')\nf = of_small\ng = of_big");
    engine.predeclare_module("main").unwrap();
    engine.run("user", "n = len(f()) + len(g())").unwrap();
    assert_eq!(engine.global("user", "n", |_, n| n.bits() >> 1), Some(6_500_003));
}

#[test]
fn freezing_a_function_freezes_what_it_uses() {
    let mut engine = Engine::new(Config::default(), Dialect::STANDARD).unwrap();
    engine
        .function("freeze", |cx, args| {
            let [value] = args.exactly()?;
            cx.freeze(value);
            Ok(value)
        })
        .unwrap();
    let program = "
used, other = [], []
def f(): return used
freeze(f)
other.append(1)
later = 1
";
    engine.run("main", program).unwrap_or_else(|errors| panic!("{}", errors[0].render(false)));
    let error = engine.run("again", format!("{program}used.append(1)")).unwrap_err()[0].clone();
    assert_eq!(error.message, "error in append: cannot append to frozen list");
}

#[test]
fn modules_that_come_and_go_leave_nothing() {
    let mut engine = Engine::new(Config::default(), Dialect::STANDARD).unwrap();
    let mut used = Vec::new();
    for _ in 0..50 {
        engine.run("guest", "data = [[i] for i in range(10000)]\ndef f(): return data").unwrap();
        assert!(engine.unload("guest") && !engine.unload("guest"));
        engine.run("broken", "data = [1] * 100000\nfail()").unwrap_err();
        engine.collect(Request::Complete).unwrap();
        used.push(engine.used_bytes());
    }
    assert!(used[49] <= used[10], "{} bytes, then {}", used[10], used[49]);
}

#[test]
fn ten_million_calls_on_one_module_need_no_more_memory_than_ten_thousand() {
    let calls: u32 = if cfg!(debug_assertions) { 100_000 } else { 10_000_000 };
    let mut engine = Engine::new(Config::default(), Dialect::STANDARD).unwrap();
    engine.run("module", "def f(i):\n    return struct(a = [i], b = (i, i))\n").unwrap();
    engine.predeclare_module("module").unwrap();
    let run = |engine: &mut Engine, key: &str, calls: u32| {
        engine.run(key, format!("def run():\n    for i in range({calls}):\n        f(i)\nrun()")).unwrap();
        engine.used_bytes()
    };
    let before = run(&mut engine, "few", 10_000);
    let after = run(&mut engine, "many", calls);
    assert!(after < before.max(4 << 20) + (1 << 20), "{before} bytes, then {after}");
}
