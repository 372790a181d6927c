//! Inputs that nobody writes by hand: deep nesting, long chains, random bytes and random tokens. None may
//! overflow the stack or panic, and what is accepted must be consistent.

use std::thread;

use frazil_starlark::syntax::{
    Diagnostic, Dialect, ERRORS_MAX, Environment, MAX_NESTING, Module, SourceFile, analyze,
};
use quickcheck::{Arbitrary, Gen, QuickCheck, TestResult};

/// Accepts every name.
struct Anything;

impl Environment for Anything {
    fn is_predeclared(&self, _: &str) -> bool {
        true
    }

    fn is_universal(&self, _: &str) -> bool {
        false
    }
}

/// Knows no name.
struct Nothing;

impl Environment for Nothing {
    fn is_predeclared(&self, _: &str) -> bool {
        false
    }

    fn is_universal(&self, _: &str) -> bool {
        false
    }
}

fn analyzed(text: String) -> Result<Module, Vec<Diagnostic>> {
    analyze(&SourceFile::new("t", text), &Anything, &Dialect::EXTENDED)
}

/// Analyses a text, drops the tree, and returns the errors, all on a stack of this size.
fn errors_on_stack(kib: usize, text: String) -> Vec<String> {
    let run = move || {
        let errors = analyzed(text).err().unwrap_or_default();
        errors.iter().map(|error| error.message.clone()).collect()
    };
    // The address sanitizer's frames are several times as large.
    let bytes = (kib << 10) * if cfg!(frazil_asan) { 8 } else { 1 };
    thread::Builder::new().stack_size(bytes).spawn(run).unwrap().join().unwrap()
}

/// What opens and what closes one level of nesting, and what stands in the middle.
const NESTED: [(&str, &str, &str); 16] = [
    ("(", "1", ")"),
    ("[", "1", "]"),
    ("{1: ", "1", "}"),
    ("f(", "1", ")"),
    ("f(x=", "1", ")"),
    ("f(*", "1", ")"),
    ("x[", "1", "]"),
    ("x[1:", "1", "]"),
    ("lambda: ", "1", ""),
    ("lambda x=", "1", ": 1"),
    ("not ", "1", ""),
    ("-", "1", ""),
    ("1 if 1 else ", "1", ""),
    ("[x for x in ", "y", "]"),
    ("[x for x in y if ", "z", "]"),
    // Each level adds operators of all precedences to the left: the tallest tree for its nesting.
    ("(", "1", "*b+c<<d&e^f|g==h and i or j)"),
];

fn nested(levels: u32, (open, middle, close): (&str, &str, &str)) -> String {
    format!("{}{middle}{}\n", open.repeat(levels as usize), close.repeat(levels as usize))
}

#[test]
fn nesting_up_to_the_limit_needs_little_stack() {
    for case in NESTED {
        // Some levels count twice: a bracket, and what stands in it.
        let levels = MAX_NESTING / 2;
        assert!(errors_on_stack(512, nested(levels, case)).is_empty(), "{case:?}");
        errors_on_stack(512, nested(MAX_NESTING - 1, case));
    }
}

#[test]
fn nesting_beyond_the_limit_is_an_error() {
    for case in NESTED {
        for levels in [MAX_NESTING + 1, 100_000] {
            let errors = errors_on_stack(512, nested(levels, case));
            assert_eq!(errors, ["nesting is deeper than 200 levels"], "{case:?}");
        }
    }
}

#[test]
fn blocks_are_limited_as_well() {
    let blocks = |levels: u32| -> String {
        let lines = (0..levels).map(|level| format!("{}if x:\n", " ".repeat(level as usize)));
        lines.collect::<String>() + &" ".repeat(levels as usize) + "pass\ny = 1\n"
    };
    assert!(errors_on_stack(512, blocks(MAX_NESTING)).is_empty());
    assert_eq!(errors_on_stack(512, blocks(1000)), ["nesting is deeper than 200 levels"]);
    let defs = blocks(MAX_NESTING - 1).replace("if x", "def f()");
    assert!(errors_on_stack(512, defs).is_empty());
}

#[test]
fn chains_may_be_long() {
    const LINKS: usize = 100_000;
    for (first, link) in [
        ("1", " + 1"),
        ("1", " * 2 - 1"),
        ("a", " and a"),
        ("a", " or a and b"),
        ("a", ".b"),
        ("a", "(b)[c].d"),
        ("a", ", a"),
        ("a", "; a"),
        ("if a: b\n", "elif a: b\n"),
        ("[1 for x in y", " if z"),
    ] {
        let end = if first.starts_with('[') { "]" } else { "" };
        let text = format!("{first}{}{end}\n", link.repeat(LINKS));
        assert!(errors_on_stack(256, text).is_empty(), "{first}{link}");
    }
}

#[test]
fn wide_and_long_inputs_are_fast_enough() {
    let mut text = String::new();
    for i in 0..20_000 {
        text += &format!(
            "def f{i}(a, b = v{i}):\n    c = [a for a in b]\n    return lambda: (a, b, c)\nv{i} = f{i}\n"
        );
    }
    assert!(analyzed(text).is_ok());
    // As many errors as lines.
    assert_eq!(analyzed("x = = 1\n".repeat(20_000)).unwrap_err().len(), ERRORS_MAX);
    // Each of many unknown names is compared with the many known ones, unless that is limited.
    let unknown = (0..20_000).map(|i| format!("known_{i} = unknown_{i}\n")).collect::<String>();
    let source = SourceFile::new("t", unknown);
    assert_eq!(analyze(&source, &Nothing, &Dialect::STANDARD).unwrap_err().len(), ERRORS_MAX);
}

// -------------------------------------------------------------------------------------------------- random

/// What must hold for every text.
fn is_sound(text: &str) -> bool {
    let errors = match analyzed(text.to_string()) {
        Ok(module) => return !format!("{:?}", module.body).contains("Unresolved"),
        Err(errors) => errors,
    };
    let inside = |error: &Diagnostic| {
        let span = error.span;
        span.start <= span.end && text.get(span.range()).is_some()
    };
    let in_order = errors.is_sorted_by_key(|error| error.span.start);
    let shown = errors.iter().take(5).all(|error| error.render(false).starts_with("error: "));
    !errors.is_empty() && errors.iter().all(inside) && in_order && shown
}

/// A text made of words of the language.
#[derive(Clone, Debug)]
struct Words(Vec<&'static str>);

const WORDS: &[&str] = &[
    "\n",
    "\n",
    "\n",
    "\n  ",
    "\n    ",
    "\n\t",
    " ",
    "\\\n",
    "#c\n",
    "a",
    "b",
    "a",
    "b",
    "é",
    "1",
    "2.5",
    "0x1f",
    "'s'",
    "\"\"\"t\n\"\"\"",
    "b'b'",
    "'",
    "'''",
    "(",
    ")",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    ":",
    ";",
    ".",
    "=",
    "=",
    "+",
    "-",
    "*",
    "**",
    "/",
    "//",
    "%",
    "~",
    "==",
    "!=",
    "<",
    ">=",
    "<<",
    "&",
    "|",
    "^",
    "+=",
    "->",
    "def ",
    "def f(",
    "):",
    "if ",
    "elif ",
    "else:",
    "for ",
    " in ",
    "while ",
    "return ",
    "break",
    "continue",
    "pass",
    "load(",
    "lambda ",
    "lambda:",
    " and ",
    " or ",
    "not ",
    " not in ",
    " if ",
    " else ",
    " for a in ",
    "class ",
    "$",
    "\u{0}",
    "\r",
    "\r\n",
    "\\x",
    "f'",
];

impl Arbitrary for Words {
    fn arbitrary(g: &mut Gen) -> Words {
        let count = usize::arbitrary(g) % (2 * g.size());
        Words((0..count).map(|_| g.choose(WORDS).copied().unwrap_or("")).collect())
    }

    fn shrink(&self) -> Box<dyn Iterator<Item = Words>> {
        let words = self.0.clone();
        let shorter = (0..words.len()).map(move |i| {
            let mut words = words.clone();
            words.remove(i);
            Words(words)
        });
        Box::new(shorter)
    }
}

#[test]
fn of_many_errors_the_first_are_told() {
    let told = |count: usize| {
        let errors = analyzed("1 = 2; ".repeat(count)).unwrap_err();
        (errors.len(), errors[errors.len() - 1].notes.first().map(|note| note.message.clone()))
    };
    assert_eq!(told(1), (1, None));
    assert_eq!(told(ERRORS_MAX), (ERRORS_MAX, None));
    assert_eq!(told(ERRORS_MAX + 1), (ERRORS_MAX, Some("and 1 more error in this file".to_owned())));
    assert_eq!(told(20_000), (ERRORS_MAX, Some("and 19900 more errors in this file".to_owned())));
}

#[test]
fn random_words_are_handled() {
    let sound = |words: Words| is_sound(&words.0.concat());
    QuickCheck::new().tests(20_000).quickcheck(sound as fn(Words) -> bool);
}

#[test]
fn random_bytes_are_handled() {
    let sound = |bytes: Vec<u8>| is_sound(&String::from_utf8_lossy(&bytes));
    QuickCheck::new().tests(5_000).quickcheck(sound as fn(Vec<u8>) -> bool);
}

/// A correct program of all constructs, to be damaged.
const PROGRAM: &str = r#"
load("m", "a", b = "c")
def f(x, y = 1, *args, z, **kwargs):
    """Doc."""
    for i, (j, k) in [(1, (2, 3))]:
        if i < j and not k in x: continue
        elif i == 1:
            break
        else:
            x.y[i] += {1: "a\n", 'b': b'\xff'}[k]
    g = lambda q, r = 2: [q * n for n in y if n % 2 for m in n]
    return g(*args, **kwargs)[1:2:3], -x if y else ~z
v = f((1,), z = 0x10 + 1.5e3, **{})
"#;

#[test]
fn damaged_programs_are_handled() {
    assert!(analyzed(PROGRAM.to_string()).is_ok());
    let sound = |cut: usize, length: usize, word: usize| {
        let cut = cut % PROGRAM.len();
        let end = (cut + length % 6).min(PROGRAM.len());
        let text = format!("{}{}{}", &PROGRAM[..cut], WORDS[word % WORDS.len()], &PROGRAM[end..]);
        TestResult::from_bool(is_sound(&text))
    };
    QuickCheck::new().tests(10_000).quickcheck(sound as fn(usize, usize, usize) -> TestResult);
}
