//! What identifiers are resolved to: slots, cells, captures and globals.

use frazil_starlark::syntax::resolve::{FunctionInfo, Local};
use frazil_starlark::syntax::{Dialect, Environment, Module, SourceFile, analyze};
use regex_lite::Regex;

/// `p` names are predeclared, `u` names universal.
struct Host;

impl Environment for Host {
    fn is_predeclared(&self, name: &str) -> bool {
        name.starts_with('p')
    }

    fn is_universal(&self, name: &str) -> bool {
        name.starts_with('u')
    }
}

fn module(text: &str) -> Module {
    analyze(&SourceFile::new("t", text), &Host, &Dialect::STANDARD).unwrap_or_else(|errors| {
        panic!("{}", errors[0].render(false));
    })
}

/// All identifiers with their bindings, in the order of the tree: `name:Binding`. They are read from its
/// debug form, which saves a walk over all kinds of nodes.
fn bindings(module: &Module) -> String {
    let identifier = Regex::new(r"Ident \{ name: #(\d+), binding: (\w+)(?:\((\d+)\))?").unwrap();
    let names: Vec<String> = format!("{:?}", module.names)
        .trim_matches(['[', ']'])
        .split(", ")
        .map(|name| name.trim_matches('"').to_string())
        .collect();
    let body = format!("{:?}", module.body);
    let found = identifier.captures_iter(&body).map(|found| {
        let name = &names[found[1].parse::<usize>().unwrap()];
        let index = found.get(3).map_or("", |index| index.as_str());
        format!("{name}:{}{index}", &found[2])
    });
    found.collect::<Vec<_>>().join(" ")
}

/// `a b* c`: the names of the slots, captured ones with a star.
fn slots(module: &Module, info: &FunctionInfo) -> String {
    let slot =
        |local: &Local| format!("{}{}", &module.names[local.name], if local.captured { "*" } else { "" });
    info.locals.iter().map(slot).collect::<Vec<_>>().join(" ")
}

/// The functions of the module: which slots are cells, and where the captures come from; those with fewer
/// captures first.
fn functions(text: &str) -> Vec<(Vec<bool>, Vec<String>)> {
    let body = format!("{:?}", module(text).body);
    let info = Regex::new(r"info: FunctionInfo \{ locals: \[([^\[\]]*)\], captures: \[([^\[\]]*)\]").unwrap();
    let captured = Regex::new(r"captured: (\w+)").unwrap();
    let from = Regex::new(r"from: (\w+\(\d+\))").unwrap();
    let all = info.captures_iter(&body).map(|found| {
        let cells = captured.captures_iter(&found[1]).map(|c| &c[1] == "true").collect();
        let captures = from.captures_iter(&found[2]).map(|c| c[1].to_string()).collect();
        (cells, captures)
    });
    let mut all: Vec<(Vec<bool>, Vec<String>)> = all.collect();
    all.sort_by_key(|(_, captures)| captures.len());
    all
}

#[track_caller]
fn check(text: &str, expected: &str) {
    assert_eq!(bindings(&module(text)), expected, "for {text:?}");
}

#[test]
fn globals_and_outer_names() {
    check("a = p1\nb = u1(a)", "a:Global0 p1:Predeclared b:Global1 u1:Universal a:Global0");
    check("a = b\nb = 1", "a:Global0 b:Global1 b:Global1");
    check("a = u1\nu1 = 1", "a:Global0 u1:Global1 u1:Global1");
    check("load('m', 'a', c='b')\nd = a(c)", "a:Global0 c:Global1 d:Global2 a:Global0 c:Global1");
    let module = module("load('m', 'a')\nb = a");
    let globals: Vec<(&str, bool)> =
        module.globals.iter().map(|global| (&module.names[global.name], global.loaded)).collect();
    assert_eq!(globals, [("a", true), ("b", false)]);
}

#[test]
fn locals() {
    check("def f(x): return x", "f:Global0 x:Local0 x:Local0");
    check("def f(a, b=1, *args, c, **kw): c", {
        "f:Global0 a:Local0 b:Local1 c:Local2 args:Local3 kw:Local4 c:Local2"
    });
    check(
        "def f(x=p):\n  y = x\n  f(y)",
        "f:Global0 x:Local0 p:Predeclared y:Local1 x:Local0 f:Global0 y:Local1",
    );
    check("def f():\n  p(x)\n  x = 1", "f:Global0 p:Predeclared x:Local0 x:Local0");
    check("def f():\n  if p:\n    for a, b in p: c = a\n  return c", {
        "f:Global0 p:Predeclared a:Local0 b:Local1 p:Predeclared c:Local2 a:Local0 c:Local2"
    });
    check("x = 1\ndef f(): x += 1", "x:Global0 f:Global1 x:Local0");
    check("f = lambda x: x", "f:Global0 x:Local0 x:Local0");
}

#[test]
fn comprehensions_have_scopes_of_their_own() {
    check("def f(x): return [x for x in x]", "f:Global0 x:Local0 x:Local1 x:Local1 x:Local0");
    check("a = [x for x in p if x]", "a:Global0 x:Local0 x:Local0 p:Predeclared x:Local0");
    check("x = [x for x in p]\ny = x", "x:Global0 x:Local0 x:Local0 p:Predeclared y:Global1 x:Global0");
    check("a = [[y for y in x] for x in p]", "a:Global0 y:Local1 y:Local1 x:Local0 x:Local0 p:Predeclared");
    // The first operand is evaluated outside, the others inside, even before their variable is bound.
    check("def f(y): return [1 for x in y for y in y]", {
        "f:Global0 y:Local0 x:Local1 y:Local0 y:Local2 y:Local2"
    });
    let module = module("a = [x for x in p]\nb = {x: y for x, y in p}");
    assert_eq!(slots(&module, &module.toplevel), "x x y");
}

#[test]
fn captured_variables_are_cells() {
    let text = "def f(a, b):\n  def g(): return a\n  return g, a, b";
    check(text, "f:Global0 a:Cell0 b:Local1 g:Local2 a:Free0 g:Local2 a:Cell0 b:Local1");
    assert_eq!(functions(text), [(vec![true, false, false], vec![]), (vec![], vec!["Cell(0)".to_string()])]);
    // The uses before the nested function are cells as well, and so is the variable where it is assigned.
    check("def f():\n  a = 1\n  a\n  return lambda: a", "f:Global0 a:Cell0 a:Cell0 a:Free0");
    check("def f():\n  def g(): return g\n  return g", "f:Global0 g:Cell0 g:Free0 g:Cell0");
    // A default belongs to the function around.
    check("def f(a):\n  def g(b=a): return b\n  return g", {
        "f:Global0 a:Local0 g:Local1 b:Local0 a:Local0 b:Local0 g:Local1"
    });
    check("def f(a): return [lambda: x + a for x in p]", {
        "f:Global0 a:Cell0 x:Free0 a:Free1 x:Cell1 p:Predeclared"
    });
}

#[test]
fn captures_pass_through_the_functions_between() {
    let text = "def f(a):\n  def g(b):\n    def h(): return a + b + a\n    return h\n  return g";
    check(text, "f:Global0 a:Cell0 g:Local1 b:Cell0 h:Local1 a:Free0 b:Free1 a:Free0 h:Local1 g:Local1");
    let expected: [(Vec<bool>, Vec<String>); 3] = [
        (vec![true, false], vec![]),
        (vec![true, false], vec!["Cell(0)".into()]),
        (vec![], vec!["Free(0)".into(), "Cell(0)".into()]),
    ];
    assert_eq!(functions(text), expected);
}

#[test]
fn the_top_level_has_cells_too() {
    let module = module("a = [lambda: x for x in p]");
    assert_eq!(slots(&module, &module.toplevel), "x*");
    assert!(module.toplevel.captures.is_empty());
    assert_eq!(bindings(&module), "a:Global0 x:Free0 x:Cell0 p:Predeclared");
}
