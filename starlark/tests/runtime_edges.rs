//! Corners of the specification, and what the Go implementation does where it is silent: each expression stands beside
//! what it gives, or the error.

use frazil_starlark::Engine;
use frazil_starlark::syntax::Dialect;

/// What `repr` shows of an expression, or the error.
fn outcome(program: &str) -> String {
    let mut engine = Engine::default();
    match engine.run("test", program) {
        Ok(()) => engine.global("test", "x", frazil_starlark::ops::repr::repr).unwrap(),
        Err(error) => error.message().to_owned(),
    }
}

fn all(cases: &[(&str, &str)]) {
    for (expression, expected) in cases {
        assert_eq!(outcome(&format!("x = {expression}")), *expected, "{expression}");
    }
}

#[test]
fn bounds_are_clamped_however_large_they_are() {
    all(&[
        ("'bonbon'.find('on', -1 << 70)", "1"),
        ("'bonbon'.find('on', 1 << 70)", "-1"),
        ("'bonbon'.rfind('on', 0, 1 << 70)", "4"),
        ("'bonbon'.find('', 4, 2)", "4"),
        ("'banana'.count('a', -(1 << 70), 1 << 70)", "3"),
        ("'abc'.endswith('c', -1 << 70, 1 << 70)", "True"),
        ("['a', 'b'].index('b', -1 << 70)", "1"),
        ("['a', 'b'].index('b', 1 << 70)", "error in index: value not in list"),
        ("'abc'[-1 << 70:1 << 70]", "\"abc\""),
    ]);
    assert_eq!(outcome("[1][None] = 2"), "got NoneType, want int");
    assert_eq!(outcome("[1][1 << 70] = 2"), "list index: 1180591620717411303424 out of range");
    assert_eq!(outcome("x = [1]\nx.insert(1 << 70, 2)\nx.insert(-1 << 70, 0)"), "[0, 1, 2]");
}

#[test]
fn bounds_are_ints_or_none() {
    all(&[
        ("'a'.count('a', 'b')", "error in count: invalid start index: got string, want int"),
        ("'a'.find('a', 0, 1.0)", "error in find: invalid end index: got float, want int"),
        ("'a'.startswith('a', True)", "error in startswith: invalid start index: got bool, want int"),
        ("['a'].index('a', None, None)", "0"),
        ("['a'].index('a', 'b')", "error in index: invalid start index: got string, want int"),
        ("[1].pop('a')", "error in pop: for parameter 1: got string, want int"),
        ("[1].pop(None)", "error in pop: for parameter 1: got NoneType, want int"),
        ("[1].pop(1 << 70)", "error in pop: list index: 1180591620717411303424 out of range"),
    ]);
}

#[test]
fn large_ints_are_ints() {
    let too_large = |what: &str| {
        format!("error in {what}: 1180591620717411303424 out of range (want value in signed 63-bit range)")
    };
    all(&[
        ("enumerate([], 1 << 70)", &too_large("enumerate: for parameter 2")),
        ("enumerate([], start = 1 << 70)", &too_large("enumerate: for parameter \"start\"")),
        ("'a'.split('b', 1 << 70)", &too_large("split: for parameter 2")),
        ("'a'.replace('a', 'b', 1 << 70)", &too_large("replace: for parameter 3")),
        ("range(0, 1 << 70)", &too_large("range: for parameter 2")),
        (
            "bytes([1 << 70])",
            "error in bytes: at index 0, 1180591620717411303424 out of range (want value in unsigned 8-bit range)",
        ),
        ("int('1', 1 << 70)", "error in int: base must be an integer >= 2 && <= 36"),
    ]);
}

#[test]
fn a_range_can_be_longer_than_ints_in_the_word_go() {
    all(&[
        ("len(range(-1 << 62, (1 << 62) - 1))", "9223372036854775807"),
        ("len(range(1 << 61, -1 << 62, -1))", "6917529027641081856"),
        ("range(-1 << 62, (1 << 62) - 1)[-1]", "4611686018427387902"),
    ]);
}

#[test]
fn floats_are_the_same_keys_as_equal_ints() {
    // Twenty keys are looked for by their hashes.
    for int in ["1 << 61", "-1 << 62", "1 << 62", "3 << 61", "-3 << 61", "1 << 63", "1 << 70"] {
        let found = format!("x = float({int}) in {{i: i for i in list(range(20)) + [{int}]}}");
        assert_eq!(outcome(&found), "True", "{int}");
    }
}

#[test]
fn floats_are_in_a_range_as_equal_ints_are() {
    all(&[
        ("float(1 << 60) in range((1 << 60) + 1)", "True"),
        ("float(-1 << 62) in range(-1 << 62, 0)", "True"),
        ("float(1 << 62) in range(-1 << 62, (1 << 62) - 1)", "False"),
        (
            "[f in range(-1 << 62, (1 << 62) - 1) for f in [1e300, -1e300, float('nan'), float('-inf'), 0.5]]",
            "[False, False, False, False, False]",
        ),
    ]);
}

#[test]
fn what_has_too_many_elements_to_unpack_is_not_looked_at() {
    assert_eq!(
        outcome("x, y = range(1 << 60)"),
        "too many values to unpack (got 1152921504606846976, want 2)"
    );
    assert_eq!(outcome("x, y = range(1)"), "too few values to unpack (got 1, want 2)");
    assert_eq!(outcome("x, y = range(2)"), "0");
}

#[test]
fn conversions_have_their_words() {
    all(&[
        ("float(1, 2)", "error in float: float got 2 arguments, wants 1"),
        ("float([])", "error in float: float got list, want number or string"),
        ("float('')", "error in float: empty string"),
        ("int('1', 'a')", "error in int: for base, got string, want int"),
        ("int('1', None)", "error in int: for base, got NoneType, want int"),
        ("bytes()", "error in bytes: got 0 arguments, want exactly 1"),
        ("bytes(x = 1)", "error in bytes: bytes does not accept keyword arguments"),
        ("'%x' % float('nan')", "%x format requires integer: cannot convert float NaN to integer"),
        ("-'a'", "unknown unary op: - string"),
        ("+None", "unknown unary op: + NoneType"),
        ("~1.0", "unknown unary op: ~ float"),
    ]);
}

#[test]
fn digits_and_letters_are_told_from_other_numbers() {
    all(&[
        (
            "['1'.isdigit(), '٣'.isdigit(), '²'.isdigit(), '½'.isdigit(), '1²'.isdigit()]",
            "[True, True, False, False, False]",
        ),
        ("['a1'.isalnum(), 'é٣'.isalnum(), '½'.isalnum(), 'Ⅷ'.isalnum()]", "[True, True, False, False]"),
        ("['aé'.isalpha(), 'Ⅷ'.isalpha()]", "[True, False]"),
    ]);
}

#[test]
fn elements_of_equal_strings_are_equal() {
    all(&[
        ("'ab'.elems() == ('a' + 'b').elems()", "True"),
        ("'ab'.elems() == 'ab'.elem_ords()", "False"),
        ("'ab'.elems() != 'abc'.elems()", "True"),
        ("b'ab'.elems() == b'ab'.elems()", "True"),
        ("b'ab'.elems() == 'ab'.elem_ords()", "False"),
    ]);
}

#[test]
fn a_key_function_cannot_change_what_is_sorted() {
    let during = "error in append: cannot append to list during iteration";
    all(&[
        ("[sorted(l, key = lambda _: l.append(1)) for l in [[2, 1]]]", during),
        ("[max(l, key = lambda _: l.append(1)) for l in [[2, 1]]]", during),
        (
            "[min(d, key = lambda _: d.clear()) for d in [{1: 2}]]",
            "error in clear: cannot clear hash table during iteration",
        ),
        ("[min(l[0], l[1], key = lambda _: l.append(1) or 1) for l in [[2, 1]][:0]]", "[]"),
    ]);
    // Afterwards it may be changed, and so may arguments that are compared themselves.
    assert_eq!(
        outcome(
            "x = [3, 1]\nx.append(max(sorted(x, key = lambda i: -i)))\nx.append(min(x, key = lambda i: i))"
        ),
        "[3, 1, 3, 1]"
    );
    assert_eq!(outcome("x = []\nmin(2, 1, key = lambda i: x.append(i) or i)"), "[2, 1]");
}

#[test]
fn a_failed_key_function_ends_the_iteration() {
    let dialect = Dialect { recursion: true, ..Dialect::STANDARD };
    let mut engine = Engine::new(frazil_starlark::CONFIG, dialect).unwrap();
    engine
        .predeclare("shared", |cx| frazil_starlark::data::list::of(cx, &[frazil_starlark::value::none()]))
        .unwrap();
    engine.run("one", "sorted(shared, key = lambda x: x.missing)").unwrap_err();
    engine.run("two", "max(shared, key = lambda x: 1 // 0)").unwrap_err();
    let endless = "def f(x):\n  return sorted(shared, key = f)\nf(1)";
    let error = engine.run("endless", endless).unwrap_err();
    assert_eq!(error.message(), "built-in functions call each other too deeply");
    engine.run("three", "shared.append(1)\nx = len(shared)").unwrap();
    assert_eq!(engine.get_global::<i64>("three", "x").unwrap(), 2);
}

#[test]
fn chained_comparisons_are_explained() {
    for operator in ["<", "==", "in", "not in"] {
        let error = Engine::default().run("test", format!("x = 1 {operator} 2 {operator} 3")).unwrap_err();
        assert_eq!(error.message(), format!("{operator} does not associate with {operator} (use parens)"));
        assert_eq!(error[0].help.as_deref(), Some("write `a < b and b < c`"));
    }
}

#[test]
fn errors_name_parameters_as_they_were_given() {
    all(&[
        ("enumerate('a')", "error in enumerate: for parameter 1: got string, want iterable"),
        ("'a'.rsplit(None, 'b')", "error in rsplit: for parameter 2: got string, want int"),
        ("'a'.rsplit(maxsplit = 'b')", "error in rsplit: for parameter \"maxsplit\": got string, want int"),
        ("'a'.splitlines(1)", "error in splitlines: for parameter 1: got int, want bool"),
        ("sorted([], 1)", "error in sorted: for parameter key: got int, want callable"),
        ("sorted([], key = 1)", "error in sorted: for parameter \"key\": got int, want callable"),
        ("max([1], key = 1)", "error in max: for parameter \"key\": got int, want callable"),
        ("(lambda: 1)(x = 2)", "function lambda accepts no arguments (1 given)"),
        ("(lambda *a: 1)(x = 2)", "function lambda got an unexpected keyword argument \"x\""),
    ]);
}

#[test]
fn nothing_can_be_repeated_however_often() {
    all(&[
        ("'' * (1 << 70)", "\"\""),
        ("(1 << 70) * []", "[]"),
        ("() * (1 << 31)", "()"),
        ("b'' * -(1 << 70)", "b\"\""),
        ("'a' * (1 << 70)", "repeat count 1180591620717411303424 too large"),
    ]);
}

#[test]
fn ints_want_ints_where_others_cannot_do() {
    let range = "out of range (want value in unsigned 8-bit range)";
    all(&[
        ("1 << None", "got NoneType, want int"),
        ("(1 << 70) >> 1.0", "got float, want int"),
        ("'a' << 1", "unknown binary op: string << int"),
        ("256 in b'abc'", &format!("int in bytes: 256 {range}")),
        ("-(1 << 70) in b'abc'", &format!("int in bytes: -1180591620717411303424 {range}")),
    ]);
}

#[test]
fn a_step_too_large_for_a_range_leaves_its_one_element() {
    all(&[
        // Steps whose product with 8, or 5, is 0, or 1, if it is cut to 64 bits.
        ("3 in range(0, 100, 8)[::1 << 61]", "False"),
        ("96 in range(0, 100, 8)[::-1 << 70]", "True"),
        ("list(range(0, 100, 8)[::-1 << 61])", "[96]"),
        ("[x for x in range(0, 100, 5)[::-3689348814741910323]]", "[95]"),
        ("range(5, 100, 5)[::1 << 70][:]", "range(5, 9223372036854775807, 9223372036854775807)"),
    ]);
}

#[test]
fn lists_shift_their_elements_at_both_ends() {
    let program = "
x = [1, 2, 3]
x.insert(0, 0)
x.insert(2, 'in')
x.insert(-1, 'near')
x.insert(100, 'end')
x.remove('in')
first = x.pop(0)
x.extend(x)
last = x.pop()
x.remove(3)
x.extend([first, last])";
    assert_eq!(outcome(program), "[1, 2, \"near\", \"end\", 1, 2, \"near\", 3, 0, \"end\"]");
    assert_eq!(outcome("x = [1]\nx.pop()\nx.insert(0, 'a')\n[x.insert(0, 1) for _ in [1]]"), "[1, \"a\"]");
    assert!(outcome("x = [1, 2]\n[x.insert(0, 1) for _ in x]").contains("during iteration"));
}

#[test]
fn dicts_are_equal_in_whatever_order_they_were_made() {
    let large = "{i: [i] for i in range(20)}, {i: [i] for i in reversed(range(20))}";
    all(&[
        ("{'a': 1, 'b': 2} == {'b': 2, 'a': 1}", "True"),
        ("{'a': 1, 'b': 2} == {'a': 2, 'b': 1}", "False"),
        ("{'a': 1, 'b': 2} == {'a': 1, 'c': 2}", "False"),
        ("{1: 'a', 2.0: 'b'} == {1.0: 'a', 2: 'b'}", "True"),
        (&format!("[a == b for a, b in [({large})]]"), "[True]"),
        // What was removed leaves a gap in one of them.
        ("[(a.pop(1), a == b) for a, b in [({1: 1, 2: 2}, {2: 2})]]", "[(1, True)]"),
        ("[(b.pop(1), a == b) for a, b in [({2: 2}, {1: 1, 2: 2})]]", "[(1, True)]"),
    ]);
}

#[test]
fn constants_that_are_looked_through_are_lists_and_tuples_all_the_same() {
    all(&[
        ("[s in ['a', 'b', 1, 2.5] for s in ['a', 'c', 1.0, 2.5, 2]]", "[True, False, True, True, False]"),
        ("[s not in ['a'] for s in ['a', 'c']]", "[False, True]"),
        ("['yes' if s in ['a', 'b'] else 'no' for s in ['b', 'c']]", "[\"yes\", \"no\"]"),
        ("1 in []", "False"),
        ("[('a', 1, 2.5, -1, None) + ('b',) for _ in range(1)]", "[(\"a\", 1, 2.5, -1, None, \"b\")]"),
        ("[('a', (1, 2)), ('a', 1)]", "[(\"a\", (1, 2)), (\"a\", 1)]"),
        ("{(1, 'a'): 2}[(1, 'a')]", "2"),
    ]);
    // A list that is made anew each time can be changed.
    assert_eq!(outcome("def f():\n  l = [1, 2]\n  l.append(3)\n  return l\nf()\nx = f()"), "[1, 2, 3]");
}

/// Operators on literals are applied before the program runs, if they can be; on variables they never are.
#[test]
fn operators_on_literals_do_what_they_do_on_variables() {
    let ints = [
        "0",
        "1",
        "7",
        "-1",
        "-13",
        "40",
        "62",
        "4611686018427387903",
        "9223372036854775807",
        "9223372036854775808",
    ];
    let texts = ["''", "'ab'", "'äö'"];
    let others = ["None", "True", "1.5", "-0.0", "(1, 'a')", "()", "b'x'"];
    let operators = ["+", "-", "*", "//", "%", "&", "|", "^", "<<", ">>", "/"];
    let operands: Vec<&str> = ints.into_iter().chain(texts).chain(others).collect();
    for a in &operands {
        for b in &operands {
            // One program, for there are many; where one of the results is an error it ends there, in both ways.
            let on_literals: Vec<String> =
                operators.iter().map(|op| format!("x.append({a} {op} {b})")).collect();
            let on_variables: Vec<String> =
                operators.iter().map(|op| format!("x.append(a {op} b)")).collect();
            for (literals, variables) in on_literals.iter().zip(&on_variables) {
                assert_eq!(
                    outcome(&format!("x = []\n{literals}\nx.append(type(x[0]))")),
                    outcome(&format!("a = {a}\nb = {b}\nx = []\n{variables}\nx.append(type(x[0]))")),
                    "{literals}"
                );
            }
        }
        for op in ["-", "+", "~", "- -", "not "] {
            assert_eq!(outcome(&format!("x = {op}{a}")), outcome(&format!("a = {a}\nx = {op}a")), "{op}{a}");
        }
    }
}

#[test]
fn chains_that_begin_with_literals_are_applied_from_left_to_right() {
    all(&[
        ("[1 + 2 + n + 3 * 4 for n in [5]]", "[20]"),
        ("[n + 1 + 2 for n in [5]]", "[8]"),
        ("['a' + 'b' * 3 + s + 'c' + 'd' for s in ['-']]", "[\"abbb-cd\"]"),
        ("60 * 60 * 24 - -1", "86401"),
        ("10 - 2 - 3", "5"),
        ("7 // 2 * 2 % 4", "2"),
        ("[n * (2 + 3) - (4 - 9) for n in [1]]", "[10]"),
        ("(1 << 62) + (1 << 62)", "9223372036854775808"),
        ("-(1 << 62)", "-4611686018427387904"),
        ("- -9223372036854775807 + 1", "9223372036854775808"),
        ("(1 + 1, 'a' + 'b', (None, -1.5), True)", "(2, \"ab\", (None, -1.5), True)"),
        ("len(3 * 'ab' * 100)", "600"),
        ("'ab' * -1", "\"\""),
        ("1 + 'a'", "unknown binary op: int + string"),
        ("1 - 1 + 'a' + 'b'", "unknown binary op: int + string"),
        ("'a' + 'b' + 1 + 2", "unknown binary op: string + int"),
        ("5 // 0", "floored division by zero"),
        ("1 + 5 % 0", "integer modulo by zero"),
        ("1 << 600", "shift count too large: 600"),
        ("1 << -1", "negative shift count: -1"),
    ]);
    // What fails does so when it is come to, and there.
    assert_eq!(outcome("def f():\n  return 1 // 0\nx = 1"), "1");
    assert_eq!(outcome("x = 1 if True else 'a' * (1 << 40)"), "1");
    let error = Engine::default().run("test", "x = (1 + 2 +\n  'a')").unwrap_err();
    let place = error.render(false);
    assert!(place.contains("test:1:12"), "{place}");
}

#[test]
fn long_displays_hold_their_elements_in_their_order() {
    let program = "
def make(v, n):
    long = [\"0\", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26,
        27, 28, 29, 30, 31, 32, 33, v, 35, 36, 37, 38, 39, 40, 41, 42.0, 43, v + 10, 45, 46, -47]
    long.append(n)
    other = (v, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26,
        27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, v)
    constant = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26,
        27, 28, 29, 30, 31, 32, 33)
    return long, other, constant
def wrong(long, n):
    expected = ['0'] + list(range(1, 47)) + [-47, n]
    return [(at, long[at]) for at in range(len(expected)) if long[at] != expected[at] or len(long) != 49]
all = [make(34, n) for n in range(3)]
x = [wrong(all[n][0], n) for n in range(3)], all[0][1] == (34,) + tuple(range(1, 47)) + (34,), all[0][2] == tuple(range(34))";
    assert_eq!(outcome(program), "([[], [], []], True, True)");
    // Runs of constants of all kinds, tuples of them, and what is no constant between them.
    let items =
        ["'a'", "-1", "None", "True", "1.5", "('b', (2, -3.5), ())", "1 + 2", "'c' * 3", "len('ab')", "b'd'"];
    let shown = "\"a\", -1, None, True, 1.5, (\"b\", (2, -3.5), ()), 3, \"ccc\", 2, b\"d\"";
    for times in 1..9 {
        let display = format!("[{}]", vec![items.join(", "); times].join(", "));
        assert_eq!(outcome(&format!("x = {display}")), format!("[{}]", vec![shown; times].join(", ")));
    }
}

#[test]
fn elements_given_by_a_star_are_the_parameters_in_their_order() {
    let program = "
def f(a, b, c):
    return [a, b, c]
def rest(a, *more):
    return [a, more]
def default(a, b = 2):
    return [a, b]
def calls(l, t):
    return [f(*t), f(0, *l), f(0, 1, *t[2:]), f(*range(3)), f(*t, **{}), rest(*t), default(*l), default(0, *[]), l, t]
x = calls([1, 2], (3, 4, 5))";
    assert_eq!(
        outcome(program),
        "[[3, 4, 5], [0, 1, 2], [0, 1, 5], [0, 1, 2], [3, 4, 5], [3, (4, 5)], [1, 2], [0, 2], [1, 2], (3, 4, 5)]"
    );
    assert_eq!(
        outcome("def f(a, b):\n  pass\nf(1, *[2, 3])"),
        "function f accepts 2 positional arguments (3 given)"
    );
    assert_eq!(outcome("def f(a, b):\n  pass\nf(*[1])"), "function f missing 1 argument (b)");
    assert_eq!(outcome("def f(a):\n  f(*[a])\nf(1)"), "function f called recursively");
}

#[test]
fn parts_are_compared_whatever_they_are() {
    all(&[
        (
            "[a == b for a, b in [([1, 2], [1, 2]), ([1, 2], [1, 3]), ([1, 2], [1]), ([1], [1.0])]]",
            "[True, False, False, True]",
        ),
        ("[float('nan')] == [float('nan')]", "True"),
        ("[1, float('nan')] == [1, 2.0]", "False"),
        ("(1, 'a', [2]) == (1, 'a', [2])", "True"),
        ("(1, 'a', [2]) == (1, 'a', [3])", "False"),
        ("struct(a = 1, b = 2) == struct(b = 2, a = 1)", "True"),
        ("struct(a = 1, b = 2) == struct(a = 1, c = 2)", "False"),
        ("struct(a = 1, b = 2) == struct(a = 1, b = 3)", "False"),
        ("struct(a = 1, b = 2) == struct(**{c + '': i for c, i in [('a', 1), ('b', 2)]})", "True"),
        ("struct() == struct()", "True"),
        ("struct() == struct(a = 1)", "False"),
    ]);
}

#[test]
fn lists_differ_wherever_one_element_does() {
    let program = "
def differs(n, at, other):
    a = list(range(n))
    b = list(a)
    b[at] = other
    return a == list(a) and a != b and b != a and (a, 1) != (b, 1)
def same(n, at, other):
    a, b = list(range(n)), list(range(n))
    a[at] = other[0]
    b[at] = other[1]
    return a == b and tuple(a) == tuple(b)
x = [
    (n, at, other)
    for n in range(1, 40) for at in range(n) for other in [-1, None, 'a', 0.5, 1 << 70]
    if not differs(n, at, other) or not same(n, at, (at, float(at))) or not same(n, at, ('ab', 'a' + 'b'))
]";
    assert_eq!(outcome(program), "[]");
}

#[test]
fn what_stands_alone_equals_only_itself() {
    all(&[
        (
            "[(a == b, b == a, a != b) for a, b in [(None, 0), (None, ''), (None, []), (False, 0), (True, 1), (len, None)]]",
            &format!("[{}]", ["(False, False, True)"; 6].join(", ")),
        ),
        (
            "[a == b for a, b in [(None, None), (True, True), (len, len), (None, False)]]",
            "[True, True, True, False]",
        ),
        ("{None: 1, True: 2, 1: 3} == {1: 3, True: 2, None: 1}", "True"),
        ("set([1, 'a', None]) == set([None, 'a', 1])", "True"),
        ("set([1, 'a', None]) == set([None, 'b', 1])", "False"),
    ]);
}

#[test]
fn methods_are_values() {
    let program = "
l, s, d = [], 'a-b', {1: 2}
push, split, get = l.append, s.split, d.get
def call(f, *args, **kwargs):
    return f(*args, **kwargs)
[push(i) for i in range(3)]
call(push, 3)
x = [l, split('-'), call(split, '-', 0), get(1), get(2), get(2, 3), sorted('cab'.elems(), key = 'abc'.index)]";
    assert_eq!(
        outcome(program),
        "[[0, 1, 2, 3], [\"a\", \"b\"], [\"a-b\"], 2, None, 3, [\"a\", \"b\", \"c\"]]"
    );
    all(&[
        ("[f() for f in [[].append]]", "error in append: got 0 arguments, want 1"),
        ("[f(1) for f in ['a'.find]]", "error in find: for parameter 1: got int, want string"),
    ]);
    assert_eq!(
        outcome("l = [1]\nf = l.append\ndef g():\n  for i in l:\n    f(2)\ng()"),
        "error in append: cannot append to list during iteration"
    );
}

#[test]
fn conditions_compare_anything_with_small_ints() {
    for (i, values) in [
        (0, "[-1, 0, 1, 0.0, -0.5, 1 << 70, -(1 << 70)]"),
        (-128, "[-129, -128, -127, -128.0, 127]"),
        (127, "[126, 127, 128, 127.0, 383]"),
        (128, "[127, 128, 129, -128]"),
        (-129, "[-130, -129, -128, 127]"),
    ] {
        for op in ["==", "!=", "<", "<=", ">", ">="] {
            let conditional = format!("x = [1 if v {op} {i} else 0 for v in {values}]");
            let value = format!("x = [int(v {op} i) for i in [{i}] for v in {values}]");
            assert_eq!(outcome(&conditional), outcome(&value), "{conditional}");
            let inverted = format!("x = [0 if not (v {op} {i}) else 1 for v in {values}]");
            assert_eq!(outcome(&inverted), outcome(&value), "{inverted}");
        }
    }
    all(&[
        ("[1 if v == 1 else 0 for v in ['1', None, True, [1], (1,), 1.0]]", "[0, 0, 0, 0, 0, 1]"),
        ("[1 if v != 1 else 0 for v in ['1', None, True, [1], (1,), 1.0]]", "[1, 1, 1, 1, 1, 0]"),
        ("[1 if v < 1 else 0 for v in ['1']]", "string < int not implemented"),
        ("[1 if v in 1 else 0 for v in ['1']]", "unknown binary op: string in int"),
    ]);
}

#[test]
fn strings_are_equal_wherever_they_come_from() {
    all(&[
        (
            "[type(v) == t for v, t in [(1, 'int'), (1 << 70, 'int'), ('', 'string'), (None, 'NoneType'), (len, 'function')]]",
            "[True, True, True, True, False]",
        ),
        (
            "['a/b'[1] == '/', 'a' + '' == 'a', '%s' % 'ab' == 'ab', 'ab'[0:0] == '', 'ä'.elems()[0] == 'ä'[0]]",
            "[True, True, True, True, True]",
        ),
        (
            "[a + b == c for a, b, c in [('a', 'b', 'ac'), ('ab', 'c', 'adc'), ('ab', 'c', 'abc'), ('', 'a', 'b')]]",
            "[False, False, True, False]",
        ),
        (
            "['abc'[:], 'abc'[0:5], ' a '.strip(), 'a'.strip(), ''.strip()]",
            "[\"abc\", \"abc\", \"a\", \"a\", \"\"]",
        ),
        ("list(range((1 << 62) - 3, (1 << 62) - 1))", "[4611686018427387901, 4611686018427387902]"),
    ]);
}

#[test]
fn one_character_is_found_like_any_text() {
    all(&[
        ("['a-b-c'.find(s) for s in ['-', 'c', '', 'x', '-c']]", "[1, 4, 0, -1, 3]"),
        ("['a-b-c'.rfind(s) for s in ['-', 'a', '', 'x', '-b']]", "[3, 0, 5, -1, 1]"),
        ("[s in 'a-b' for s in ['-', 'b', '', 'x', '-b', 'a-b-']]", "[True, True, True, False, True, False]"),
        ("['a-b-c'.count(s) for s in ['-', 'c', '', 'x', '-b']]", "[2, 1, 6, 0, 1]"),
        ("['aaa'.count('a', 1), 'äbä'.count('ä'), 'aaaa'.count('aa')]", "[2, 2, 2]"),
        (
            "['a-b-c'.partition('-'), 'a-b-c'.rpartition('-'), 'a'.partition('-')]",
            "[(\"a\", \"-\", \"b-c\"), (\"a-b\", \"-\", \"c\"), (\"a\", \"\", \"\")]",
        ),
        ("['a-b-c'.replace('-', '+'), 'a'.replace('-', '+')]", "[\"a+b+c\", \"a\"]"),
        ("[b in b'a-b' for b in [b'-', b'', b'x', 45, 46]]", "[True, True, False, True, False]"),
    ]);
}

#[test]
fn comparisons_of_ints_hold_for_exactly_their_orders() {
    let program = "
def holds(a, b):
    found = []
    if a == b: found.append('==')
    if a != b: found.append('!=')
    if a < b: found.append('<')
    if a <= b: found.append('<=')
    if a > b: found.append('>')
    if not a >= b: found.append('not >=')
    return ' '.join(found)
x = [holds(1, 2), holds(2, 2), holds(3, 2), holds(1 << 70, 2), holds(1.5, 2), holds('b', 'a')]";
    assert_eq!(
        outcome(program),
        "[\"!= < <= not >=\", \"== <=\", \"!= >\", \"!= >\", \"!= < <= not >=\", \"!= >\"]"
    );
}

#[test]
fn structs_from_dicts_have_the_fields_of_their_names() {
    let program = "
names = ['f%d' % i for i in range(30)]
records = [struct(**{name: name + str(at) for name in names[at:]}) for at in range(3)]
x = [[r.f2, r.f29, getattr(r, 'f' + '7'), hasattr(r, 'f0')] for r in records]";
    assert_eq!(
        outcome(program),
        "[[\"f20\", \"f290\", \"f70\", True], [\"f21\", \"f291\", \"f71\", False], [\"f22\", \"f292\", \"f72\", False]]"
    );
}

#[test]
fn calls_take_arguments_from_all_sides() {
    let program = "
def f(a, b = 'b', *args, c, d = 'd', **kwargs):
    return (a, b, args, c, d, kwargs)
x = [
    f(1, c = 2),
    f(c = 4, *[1, 2, 3]),
    f(1, c = 3, *(2,), **{'d': 4, 'e': 5}),
    f(*[], **{'c': 1, 'a': 2}),
]";
    assert_eq!(
        outcome(program),
        "[(1, \"b\", (), 2, \"d\", {}), (1, 2, (3,), 4, \"d\", {}), (1, 2, (), 3, 4, {\"e\": 5}), (2, \"b\", (), 1, \"d\", {})]"
    );
    assert_eq!(outcome("def f(a, b, c = 1, *, d): pass\nf(b = 1)"), "function f missing 2 arguments (a, d)");
}

#[test]
fn texts_are_looked_at_by_characters_whatever_they_begin_with() {
    all(&[
        ("'%x %o %X %x' % (255, 8, 255, -255)", "\"ff 10 FF -ff\""),
        ("'%x' % (1 << 70)", "\"400000000000000000\""),
        (
            "['a1'.isalnum(), '٣'.isdigit(), 'é'.isalpha(), ''.isdigit(), '1a'.isdigit()]",
            "[True, True, True, False, False]",
        ),
        ("list('aé'.codepoints()), list('aé'.codepoint_ords())", "([\"a\", \"é\"], [97, 233])"),
        (
            "[repr('a\"b'), repr('é\\n'), repr('a\\x7f')]",
            "[\"\\\"a\\\\\\\"b\\\"\", \"\\\"é\\\\n\\\"\", \"\\\"a\\\\x7f\\\"\"]",
        ),
        (
            "'abc'.replace('x', 'y') + 'abc'.replace('', '-') + 'aaa'.replace('a', 'b', 2)",
            "\"abc-a-b-c-bba\"",
        ),
        ("[float(s) for s in ['-inf', '+Infinity', 'NaN', '1e3']]", "[-inf, +inf, nan, 1000.0]"),
        ("float('1e999')", "error in float: floating-point number too large"),
        ("float('1x')", "error in float: invalid float literal: 1x"),
        ("dict([('a', 1), ['b', 2], ('a', 3)])", "{\"a\": 3, \"b\": 2}"),
        ("dict([(1, 2, 3)])", "error in dict: dictionary update sequence element #0 has length 3, want 2"),
        (
            "min([3, 1, 2]), max(3, 7, 5), min(2.5, 3), max([1, 1 << 70])",
            "(1, 7, 2.5, 1180591620717411303424)",
        ),
    ]);
}
