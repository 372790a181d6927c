//! Static errors: what is said, where, how several are found in one run, and how they look.

use frazil_starlark::syntax::{Diagnostic, Dialect, Environment, Frame, LineCol, SourceFile, Span, analyze};

/// Knows a few names of each kind.
struct Host;

impl Environment for Host {
    fn is_predeclared(&self, name: &str) -> bool {
        name == "host"
    }

    fn is_universal(&self, name: &str) -> bool {
        ["None", "True", "len", "print", "set"].contains(&name)
    }

    fn names(&self) -> Vec<String> {
        vec!["host".into(), "len".into(), "print".into()]
    }
}

fn errors_in(text: &str, dialect: &Dialect) -> Vec<Diagnostic> {
    analyze(&SourceFile::new("t", text), &Host, dialect).err().unwrap_or_default()
}

/// The errors of a text as `line:col: message`, one a line.
fn report(text: &str, dialect: &Dialect) -> String {
    let lines = errors_in(text, dialect).into_iter().map(|error| error.to_string()[2..].to_string());
    lines.collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn check(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(&report(text, &Dialect::STANDARD), expected, "for {text:?}");
    }
}

#[test]
fn lexical_errors() {
    check(&[
        ("a ? b", "1:3: unexpected input character '?'"),
        ("x = 'a", "1:5: unexpected EOF in string"),
        ("x = 'a\ny = 1\n", "1:5: unexpected newline in string"),
        ("x = '''a\n", "1:5: unexpected EOF in string"),
        ("x = '\\", "1:5: unexpected EOF in string"),
        ("x = 017", "1:5: obsolete form of octal literal; use 0o17"),
        ("x = 09", "1:5: invalid int literal"),
        ("x = 0x", "1:5: invalid hex literal"),
        ("x = 0o8", "1:5: invalid octal literal"),
        ("x = 0b2", "1:5: invalid binary literal"),
        ("x = 1e+", "1:5: invalid float literal"),
        ("x = 1e999", "1:5: invalid float literal"),
        ("x = 1 \\ + 2", "1:7: stray backslash in program"),
        ("x = 1)", "1:6: unexpected ')'"),
        ("x = f'{a}'", "1:5: this Starlark dialect does not support f-strings"),
        ("é = ¢", "1:5: unexpected input character '¢'"),
    ]);
}

#[test]
fn escape_errors() {
    check(&[
        (r"x = 'a\qb'", r"1:7: invalid escape sequence \q"),
        (r"x = 'a\é'", r"1:7: invalid escape sequence \é"),
        (r"x = '\x4'", r"1:6: truncated escape sequence \x4"),
        (r"x = '\x4g0'", r"1:6: invalid escape sequence \x4g"),
        (r"x = '\u12'", r"1:6: truncated escape sequence \u12"),
        (r"x = '\uD800'", "1:6: invalid Unicode code point U+D800"),
        (r"x = '\U00110000'", r"1:6: code point out of range: \U00110000 (max \U0010ffff)"),
        (r"x = '\xff'", r"1:6: non-ASCII hex escape \xff (use \u00FF for the UTF-8 encoding of U+00FF)"),
        (r"x = '\200'", r"1:6: non-ASCII octal escape \200 (use \u0080 for the UTF-8 encoding of U+0080)"),
        (r"x = b'\400'", r"1:7: invalid escape sequence \400"),
        ("x = '''a\n\\z'''", r"2:1: invalid escape sequence \z"),
    ]);
}

#[test]
fn syntax_errors() {
    check(&[
        ("x = ", "1:5: got end of file, want primary expression"),
        ("x = (1", "1:7: got end of file, want ')'"),
        ("x = [1 2]", "1:8: got int literal, want ']'"),
        ("f(a b)", "1:5: got identifier, want ','"),
        ("f(1 = 2)", "1:5: keyword argument must have form name=expr"),
        ("f((a) = 2)", "1:7: keyword argument must have form name=expr"),
        ("x = 1 < 2 < 3", "1:11: < does not associate with < (use parens)"),
        ("x = 1 == 2 not in 3", "1:12: == does not associate with not in (use parens)"),
        ("x = 1 if 2", "1:7: conditional expression without else clause"),
        ("x = 1 not 2", "1:11: got int literal, want in"),
        ("x = 1,", "1:6: unparenthesized tuple with trailing comma"),
        ("x = y = 1", "1:7: got '=', want newline"),
        ("x = {1}", "1:7: got '}', want ':'"),
        ("def (): pass", "1:5: not an identifier"),
        ("def f(): pass pass", "1:15: got pass, want newline"),
        ("x = is", "1:5: got is, want primary expression"),
        ("[x for x, in y]", "1:11: got in, want primary expression"),
        ("  x = 1", "1:3: got indent, want primary expression"),
        ("def f():\nx = 1", "2:1: got identifier, want indent"),
        ("load('m')", "1:5: load statement must import at least 1 symbol"),
        ("load('m', x)", "1:12: load operand must be \"x\" or x=\"originalname\" (want '=' after x)"),
        ("load('m', x=y)", "1:13: original name of loaded symbol must be quoted: x=\"originalname\""),
        ("x = load", "1:5: got load, want primary expression"),
        ("def f(a: int): pass", "1:8: got ':', want ')'"),
        ("x: int = 1", "1:2: got ':', want newline"),
    ]);
}

#[test]
fn forbidden_sentences() {
    check(&[
        ("1 = 2", "1:1: can't assign to literal"),
        ("host() = 2", "1:1: can't assign to callexpr"),
        ("host[1:] = 2", "1:1: can't assign to sliceexpr"),
        ("a, 1 = 2", "1:4: can't assign to literal"),
        ("[x for 1 in host]", "1:2: undefined: x\n1:8: can't assign to literal"),
        ("a, b += 1", "1:1: can't use tuple expression in augmented assignment"),
        ("host(a=1, a=2)", "1:11: keyword argument \"a\" is repeated"),
        ("host(**1, *2, b=3, 4)", {
            "1:11: *args may not follow **kwargs\n1:15: keyword argument may not follow **kwargs\n\
             1:20: positional argument may not follow *args"
        }),
        ("def f(a=1, b): pass", "1:12: required parameter may not follow optional"),
        ("def f(*): pass", "1:7: bare * must be followed by keyword-only parameters"),
        ("lambda *a, *b: 1", "1:12: multiple * parameters not allowed"),
        ("def f(a, *a): pass", "1:11: duplicate parameter: a"),
        ("load('m', '_x', '')", {
            "1:11: load: names with leading underscores are not exported: _x\n1:17: load: empty identifier"
        }),
    ]);
}

#[test]
fn misplaced_statements() {
    check(&[
        ("return 1", "1:1: return statement not within a function"),
        ("break", "1:1: break not in a loop"),
        ("def f():\n  for x in host:\n    def g():\n      continue", "4:7: continue not in a loop"),
        ("if True: pass", "1:1: if statement not within a function"),
        ("for x in host: pass", "1:1: for loop not within a function"),
        ("def f():\n  load('m', 'x')", "2:3: load statement within a function"),
        ("def f():\n  while 1: pass", "2:3: this Starlark dialect does not support while loops"),
    ]);
}

#[test]
fn names() {
    check(&[
        ("print(lenn)", "1:7: undefined: lenn (did you mean len?)"),
        ("print(zebra)", "1:7: undefined: zebra"),
        ("abc = 1\ndef f(abd): return abe", "2:20: undefined: abe (did you mean abc?)"),
        ("x = 1\nx = 2", "2:1: cannot reassign global x declared at t:1:1"),
        ("x = 1\ndef x(): pass", "2:5: cannot reassign global x declared at t:1:1"),
        ("x = 1\nx += 2", "2:1: cannot reassign global x declared at t:1:1"),
        ("load('m', 'x')\nx = 1", "2:1: cannot reassign local x declared at t:1:12"),
        ("x = 1\nload('m', 'x')", "2:12: cannot reassign top-level x"),
        ("[x for x in x]", "1:13: undefined: x"),
        ("def f(): return x\nx = len\nlen = 1", ""),
    ]);
}

#[test]
fn dialects() {
    let with = |change: fn(&mut Dialect)| {
        let mut dialect = Dialect::STANDARD;
        change(&mut dialect);
        dialect
    };
    let no_set = with(|d| d.set = false);
    assert_eq!(report("set()", &no_set), "1:1: this Starlark dialect does not support sets");
    let no_lambda = with(|d| d.lambda = false);
    let message = "1:5: this Starlark dialect does not support lambda expressions";
    assert_eq!(report("x = lambda: 1", &no_lambda), message);
    let no_nested = with(|d| d.nested_def = false);
    let message = "2:3: this Starlark dialect does not support nested def";
    assert_eq!(report("def f():\n  def g(): pass", &no_nested), message);
    let reassign = with(|d| d.global_reassign = true);
    assert_eq!(report("x = 1\nx = len\nlen = 2\nx = len", &reassign), "");
    assert_eq!(report("x = y\ny = 1", &reassign), "1:5: undefined: y");
    assert_eq!(report("def f(): return y\ny = 1", &reassign), "");
    let globally = with(|d| d.load_binds_globally = true);
    let message = "2:1: cannot reassign global x declared at t:1:12";
    assert_eq!(report("load('m', 'x')\nx = 1", &globally), message);
}

#[test]
fn several_errors_are_found_and_none_follow_from_another() {
    let text = "\
def f(:
    x = 1 +
    return undefined_name
if f(:
    pass
elif g:
    y = = 2
else:
    pass
a = (1, 2
def g():
    return a[
b = 'abc
    c = 1
class D:
    def e(self): return $
z = 1
";
    let expected = "\
1:7: got ':', want ')'
4:6: got ':', want primary expression
7:9: got '=', want primary expression
10:10: got newline, want ')'
13:3: got '=', want ']'
15:1: got class, want primary expression
16:25: unexpected input character '$'";
    assert_eq!(report(text, &Dialect::STANDARD), expected);
}

#[test]
fn the_excerpt_marks_the_place() {
    let errors = errors_in("é = [1,\n    2, x y]\nz = 1\n", &Dialect::STANDARD);
    assert_eq!(errors.len(), 1);
    let expected = "\
error: got identifier, want ']'
 --> t:2:10
  |
2 |     2, x y]
  |          ^
  |
note: the bracket was opened here
 --> t:1:5
  |
1 | é = [1,
  |     ^
help: a comma or an operator is missing before this
";
    assert_eq!(errors[0].render(false), expected);
    assert!(errors[0].render(true).contains("\u{1b}["));
    assert_eq!(errors[0].to_string(), "t:2:10: got identifier, want ']'");
}

#[test]
fn call_stacks_are_shown() {
    let file = SourceFile::new("t", "def f(x):\n  return x[9]\nf([])\n");
    let mut error =
        Diagnostic::error(&file, Span::new(20, 23), "index 9 out of range").help("check the length");
    error.frames = vec![
        Frame { function: "<toplevel>".into(), file: "t".into(), at: Some(LineCol { line: 3, col: 2 }) },
        Frame { function: "f".into(), file: "t".into(), at: Some(LineCol { line: 2, col: 11 }) },
        Frame { function: "len".into(), file: "<builtin>".into(), at: None },
    ];
    let expected = "\
error: index 9 out of range
 --> t:2:11
  |
2 |   return x[9]
  |           ^^^
";
    let shown = error.render(false);
    assert!(shown.starts_with(expected), "{shown}");
    assert!(shown.contains("t:3:2: in <toplevel>") && shown.contains("<builtin>: in len"), "{shown}");
    assert!(shown.contains("help: check the length"), "{shown}");
}
