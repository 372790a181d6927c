//! Both parsers on real files, on suites, and on the examples of known differences.

use frazil_fuzz_differential::compare::compare;
use frazil_fuzz_differential::corpus::{chunks, deep, examples, programs, shared};
use frazil_fuzz_differential::known::{KNOWN, known};
use frazil_fuzz_differential::tally::Tally;

#[test]
fn real_programs() {
    deep(|| {
        let Some(folder) = shared("inputs") else { return };
        let mut tally = Tally::default();
        for file in programs(&folder) {
            tally.add(&file.name, &file.text);
        }
        tally.conclude("real programs");
        assert_eq!(tally.accepted, tally.texts(), "a real program is refused");
        assert!(tally.accepted > 0);
    });
}

#[test]
fn examples_of_the_project() {
    deep(|| {
        let mut tally = Tally::default();
        for file in examples() {
            tally.add(&file.name, &file.text);
        }
        tally.conclude("examples");
        assert!(tally.accepted > 0 && tally.accepted == tally.texts());
    });
}

#[test]
fn suites() {
    deep(|| {
        let Some(folder) = shared("suites") else { return };
        let mut tally = Tally::default();
        for chunk in chunks(&programs(&folder)) {
            tally.add(&chunk.name, &chunk.text);
        }
        tally.conclude("chunks of suites");
        assert!(tally.accepted > 400);
    });
}

/// Texts with what real files have too little of.
#[test]
fn corners_of_the_grammar() {
    deep(|| {
        let mut tally = Tally::default();
        for text in CORNERS {
            tally.add(text, text);
        }
        tally.conclude("corners");
        assert_eq!(tally.accepted, CORNERS.len() as u64);
    });
}

const CORNERS: &[&str] = &[
    "x = a or b and not c == d | e ^ f & g << h + i * -j",
    "x = -a + +b * ~c - - d // e % f / g",
    "x = not not a in b",
    "x = not a not in b",
    "x = (a < b) == (c >= d)",
    "x = a if b else c if d else e",
    "x = (a if b else c) if d else (e if f else g)",
    "x = lambda: lambda a, *b, c=1, **d: a if b else c",
    "x = [a for a in b if c if d for e in f for g, h in i if j]",
    "x = {a: b for a, (b, [c, d]) in e}",
    "x = a[b:c:d][::][:e][f:][::g][h:i:][-1]",
    "x = f(a, b=c, *d, **e)(g)[h].i(j,)",
    "x = (a)(b)\ny = ((a)).b\nz = (a)[(b)]",
    "(a, [b, c.d, e[f]]) = g\n[a] = b\n(a) = b\n(a,) = b",
    "a.b += c\na[b] -= c\na *= b\na /= b\na //= b\na %= b\na &= b\na |= b\na ^= b\na <<= b\na >>= b",
    "x = 12345678901234567890123\nx = 0xFFFFFFFFFFFFFFFFFFFF\nx = 0o777\nx = 0b101\nx = 0X1f\nx = 2147483648",
    "x = 1.\nx = .5\nx = 1e3\nx = 1.5e-3\nx = 1E+3\nx = 5e-324\nx = 1.7976931348623157e308",
    "x = 'a' + \"b\" + '''c\n'd''' + \"\"\"e\"f\"\"\"",
    "x = '\\a\\b\\f\\n\\r\\t\\v\\\\\\'\\\"\\0\\17\\177\\x7f\\u00e9\\U0001F600'",
    "x = 'a\\\nb'\ny = r'a\\nb'\nz = '\u{e9}\u{1f600}'",
    "x = b'a\\x00\\xff\\377\\u00e9\u{e9}'\ny = rb'\\x'\nz = br\"\\n\"",
    "x = f'a{b}c{d + 1}{{}}{e!r}{f[\"g\"]}'\ny = fr'\\n{a}'\nz = f\"\"\"{a}\n{b}\"\"\"",
    "load('a', 'b', c='d')\nload(\n    \"e\",\n    \"f\",\n)",
    "def f(): pass\ndef g(a, b=1, *c, d, e=2, **f): return\ndef h(*, a): return a, b\ndef i(\n    a,\n): pass",
    "def f():\n    '''doc'''\n    if a: return\n    elif b:\n        pass\n    else: return 1, 2\n    return",
    "for a in b:\n    for c, d in e:\n        if a:\n            break\n        continue\n",
    "if a:\n    b\nelif c:\n    d\nelif e:\n    f\nelse:\n    g\nh",
    "if a:\n\n  # comment\n  b\n\n    # another\n# and one\n  c\nd",
    "a; b; c;\nif a: b; c\nd",
    "x = [\n# c\n1, # d\n\n2\n# e\n]",
    "x = (1 + # c\n 2)\ny = \\\n 3",
    "\n\n# nothing\n",
    "",
    "x = {1: 2, 3: 4,}\ny = {}\nz = []\nw = ()\nv = (1,)\nu = [1,]",
];

/// Each difference in the list must be there, and be told from the others.
#[test]
fn known_differences_are_there() {
    deep(|| {
        for difference in KNOWN {
            match compare(difference.example, false) {
                Err(found) => {
                    let reason = known(difference.example, &found).map(|known| known.reason);
                    assert_eq!(reason, Some(difference.reason), "{:?}: {found}", difference.example);
                }
                Ok(agreement) => panic!("no difference in {:?}: {agreement:?}", difference.example),
            }
        }
    });
}

/// Annotations are in neither outline: both parsers must find the same program around them.
#[test]
fn type_annotations() {
    deep(|| {
        let mut tally = Tally::default();
        for text in [
            "def f(a: int, b: str = 'c', *d: int, e: list[str], **g: dict[str, int]) -> None: pass",
            "x: int = 1\ndef f():\n    y: str | None = g()\n    return y",
            "def f(a: typing.Any, b: (int, str)) -> bool:\n    return a",
        ] {
            tally.add_with(text, text, true);
            tally.add_with(text, text, false);
        }
        tally.conclude("type annotations");
        assert_eq!((tally.accepted, tally.refused), (3, 3));
    });
}
