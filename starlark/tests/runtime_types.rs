//! Types and modules in detail: each line of a program stands beside what it must give.

use frazil::Config;
use frazil_starlark::syntax::Dialect;
use frazil_starlark::{Engine, Library};

/// A global `x` for an expression, as `repr` shows it, or the error.
fn value(dialect: Dialect, expression: &str) -> String {
    let mut engine = Engine::new(Config::STRESS, dialect).unwrap();
    for library in Library::ALL {
        engine.library(library).unwrap();
    }
    engine.on_warning(|warning| panic!("{}", warning.message));
    match engine.run("test", format!("x = {expression}")) {
        Ok(()) => engine.global("test", "x", frazil_starlark::ops::repr::repr).unwrap(),
        Err(errors) => errors[0].message.clone(),
    }
}

/// Compares expressions with what they give.
fn all(cases: &[(&str, &str)]) {
    for (expression, expected) in cases {
        assert_eq!(value(Dialect::STANDARD, expression), *expected, "{expression}");
    }
}

// ---------------------------------------------------------------------------------------------- strings

#[test]
fn strings_keep_the_bytes_they_are_cut_into() {
    all(&[
        (r#""é"[0]"#, r#""\xc3""#),
        (r#""é"[0] + "é"[1]"#, r#""é""#),
        (r#"("é"[:1] + "x" + "é"[1:]).replace("x", "")"#, r#""é""#),
        (r#""".join(list("世界".elems()))"#, r#""世界""#),
        (r#""世界"[1:5].split("\u754c"[:2])"#, r#"["\xb8\x96", ""]"#),
        (r#""aéb".find("é"[1:])"#, "2"),
        (r#""é"[1:] in "é""#, "True"),
        (r#"{"é"[:1]: 1}["é"[:1]]"#, "1"),
        (r#""%s|%s" % ("é"[:1], "é"[1:])"#, r#""\xc3|\xa9""#),
        (r#""{}{}".format("é"[:1], "é"[1:])"#, r#""é""#),
        (r#"" é"[:2].strip()"#, r#""\xc3""#),
        (r#""é é"[1:].upper()"#, r#""� É""#),
        (r#""é é é"[1:].split()"#, r#"["\xa9", "é", "é"]"#),
        (r#""éa"[1:].partition("a")"#, r#"("\xa9", "a", "")"#),
        (r#"bytes("世"[:2])"#, r#"b"��""#),
        (r#"list("é"[:1].codepoint_ords())"#, "[65533]"),
        (r#"sorted(["é"[1:], "é"[:1], "z"])"#, r#"["z", "\xa9", "\xc3"]"#),
        (r#"hash("é"[:1]) == hash("\ufffd")"#, "True"),
        (r#"json.encode("é"[:1])"#, r#""\"�\"""#),
    ]);
}

#[test]
fn unprintable_characters_are_escaped() {
    assert_eq!(
        value(Dialect::STANDARD, r#""\t\x00\x7f\u200d\U000e0001é""#),
        r#""\t\x00\x7f\u200d\U000e0001é""#
    );
}

#[test]
fn splitting_by_white_space() {
    all(&[
        (r#"" a  b c ".split(None, 1)"#, r#"["a", "b c "]"#),
        (r#"" a  b c ".rsplit(None, 1)"#, r#"[" a  b", "c"]"#),
        (r#"" a b ".split(None, 5)"#, r#"["a", "b"]"#),
        (r#""a,,b".split(",")"#, r#"["a", "", "b"]"#),
        (r#""a--b--c".rsplit("--", 1)"#, r#"["a--b", "c"]"#),
        (r#"("ǆ x").title()"#, r#""ǅ X""#),
    ]);
}

// ---------------------------------------------------------------------------------------------- numbers, ranges

#[test]
fn conversions_name_what_cannot_be_converted() {
    all(&[
        ("int(float('inf'))", "error in int: cannot convert float infinity to integer"),
        ("int(float('nan'))", "error in int: cannot convert float NaN to integer"),
        ("'%d' % float('-inf')", "%d format requires integer: cannot convert float infinity to integer"),
        ("'%x' % 255.9", "\"ff\""),
        ("'%d' % True", "%d format requires integer: cannot convert bool to int"),
        ("'%(x)s%%' % {'x': 1}", "\"1%\""),
    ]);
}

#[test]
fn ranges_show_the_bounds_they_were_given() {
    all(&[
        ("range(0, 10, 3)", "range(0, 10, 3)"),
        ("range(0, 10, -1)", "range(0, 10, -1)"),
        ("range(10)[::-1]", "range(9, -1, -1)"),
        ("range(10)[2:8:3]", "range(2, 8, 3)"),
        ("{range(3): 1}", "unhashable: range"),
    ]);
}

// ---------------------------------------------------------------------------------------------- sorting, structs

#[test]
fn sorting() {
    let numbers: Vec<u32> = (0..200).map(|i| i * 7919 % 200).collect();
    let pairs: Vec<String> = numbers.iter().map(|i| format!("({}, {i})", i % 7)).collect();
    let program = format!(
        "sorted([{}], key = lambda p: (p[0],)) == sorted([{0}], key = lambda p: p[0])",
        pairs.join(", ")
    );
    all(&[
        (&program, "True"),
        ("sorted([3, 1, 2], reverse = True)", "[3, 2, 1]"),
        (
            "sorted([(1, 'b'), (0, 'a'), (1, 'a')], key = lambda p: p[0], reverse = True)",
            "[(1, \"b\"), (1, \"a\"), (0, \"a\")]",
        ),
        ("sorted([1, 2.5, 2])", "[1, 2, 2.5]"),
        ("sorted([1, 'a'])", "error in sorted: string < int not implemented"),
    ]);
}

#[test]
fn structs() {
    all(&[
        ("struct(b = 1, a = 2) + struct(b = 3, c = 4)", "struct(a = 2, b = 3, c = 4)"),
        ("struct(a = 1) == struct(a = 1.0)", "True"),
        ("struct(a = 1) == struct(b = 1)", "False"),
        ("{struct(a = (1,)): 2}[struct(a = (1,))]", "2"),
        ("struct(name = 1).nme", "struct has no .nme attribute (did you mean .name?)"),
        ("struct(a = 1) < struct(a = 2)", "struct < struct not implemented"),
        ("json", "<module \"json\">"),
        ("type(math)", "\"module\""),
        ("math.cosinus", "module has no .cosinus field or method"),
        ("{math: 1}", "unhashable: module"),
    ]);
}

// ---------------------------------------------------------------------------------------------- sets

#[test]
fn sets() {
    all(&[
        ("set([1, 2]).union([3], (2, 4))", "set([1, 2, 3, 4])"),
        ("set([1, 2, 3]).intersection([3, 2], [2])", "set([2])"),
        ("set([1, 2, 3]).difference([1], [2])", "set([3])"),
        ("set([1, 2]).symmetric_difference([2, 3])", "set([1, 3])"),
        ("set([1]).isdisjoint([2, 3])", "True"),
        ("set([1]).isdisjoint([2, 1])", "False"),
        ("set([1]).issubset([1, 2]) and set([1, 2]).issuperset([2])", "True"),
        ("set([1]).union(1)", "error in union: argument #1 is not iterable: int"),
        ("set([1]).difference([], 1)", "error in difference: for parameter 2: got int, want iterable"),
        ("set([1]).issubset(1)", "error in issubset: for parameter 1: got int, want iterable"),
        ("set([1]).remove(2)", "error in remove: missing key 2"),
        ("set([1]) < set([1, 2])", "set < set not implemented"),
        ("sorted([set(), set()])", "error in sorted: set < set not implemented"),
        ("dir(set())[:4]", "[\"add\", \"clear\", \"difference\", \"difference_update\"]"),
    ]);
    let dialect = Dialect { set_order: true, ..Dialect::STANDARD };
    assert_eq!(
        value(dialect, "[set([1]) < set([1, 2]), set([1]) >= set([1]), set([1]) > set([1])]"),
        "[True, True, False]"
    );
    let dialect = Dialect { set: false, ..Dialect::STANDARD };
    assert_eq!(value(dialect, "set()"), "this Starlark dialect does not support sets");
}

/// What a function body returns.
fn returned(body: &str) -> String {
    let mut engine = Engine::new(Config::STRESS, Dialect::STANDARD).unwrap();
    let outcome = engine.run("test", format!("def f():\n  {}\nx = f()", body.replace("; ", "\n  ")));
    match outcome {
        Ok(()) => engine.global("test", "x", frazil_starlark::ops::repr::repr).unwrap(),
        Err(errors) => errors[0].message.clone(),
    }
}

#[test]
fn sets_change_in_place() {
    for (body, expected) in [
        ("s = set([1, 2, 3]); t = s; s -= set([1]); return t", "set([2, 3])"),
        ("s = set([1, 2, 3]); t = s; s &= set([1, 9]); return t", "set([1])"),
        ("s = set([1, 2, 3]); t = s; s ^= set([1, 9]); return t", "set([2, 3, 9])"),
        ("s = set([1]); t = s; s |= set([2]); return t", "set([1, 2])"),
        ("s = set([1, 2, 3]); s.difference_update([1], [2]); return s", "set([3])"),
        ("s = set([1, 2, 3]); s.intersection_update([3, 1]); return s", "set([1, 3])"),
        ("s = set([1, 2]); s.symmetric_difference_update([2, 3]); return s", "set([1, 3])"),
        ("s = set([1]); s -= [1]; return s", "unknown binary op: set - list"),
        (
            "s = set([1]); [s.add(2) for _ in s]; return s",
            "error in add: cannot insert into hash table during iteration",
        ),
    ] {
        assert_eq!(returned(body), expected, "{body}");
    }
}

// ---------------------------------------------------------------------------------------------- json, math

#[test]
fn json() {
    all(&[
        (
            r#"json.encode({"b": [1, 2.5, None, True], "a": ("x", struct(f = range(2)))})"#,
            r#""{\"a\":[\"x\",{\"f\":[0,1]}],\"b\":[1,2.5,null,true]}""#,
        ),
        (r#"json.encode("\"\\\n\x01é")"#, r#""\"\\\"\\\\\\n\\u0001é\"""#),
        ("json.encode(1 << 100)", "\"1267650600228229401496703205376\""),
        (
            "json.encode([{'a': len}])",
            "error in json.encode: at list index 0: in dict key \"a\": cannot encode builtin_function_or_method as JSON",
        ),
        ("json.encode({1: 2})", "error in json.encode: dict has int key, want string"),
        ("json.encode(float('inf'))", "error in json.encode: cannot encode non-finite float +inf"),
        (r#"json.decode('{"a": [1, -2.5e1, "\\u00e9\\ud83d\\ude39", {}], "a": null}')"#, "{\"a\": None}"),
        (
            "json.decode('[1, 1.0, 1267650600228229401496703205376, 1e400]')",
            "error in json.decode: at offset 42, invalid number: 1e400",
        ),
        ("json.decode('[1, 2', default = 'bad')", "\"bad\""),
        ("json.decode('nul')", "error in json.decode: at offset 0, unexpected character 'n'"),
        (
            "json.decode('{\"a\" 1}')",
            "error in json.decode: at offset 5, after object key, got '1', want ':'",
        ),
        ("json.decode('{1: 2}')", "error in json.decode: at offset 2, got int for object key, want string"),
        ("json.decode(x = '1')", "error in json.decode: unexpected keyword argument x"),
        (
            r#"json.indent('{"a":[1,{}],"b":[]}', prefix = ">", indent = " ")"#,
            "\"{\\n> \\\"a\\\": [\\n>  1,\\n>  {}\\n> ],\\n> \\\"b\\\": []\\n>}\"",
        ),
        ("json.encode_indent([1])", "\"[\\n\\t1\\n]\""),
        ("json.indent('[1 2]')", "error in json.indent: invalid character '2' after array element"),
    ]);
    let cycle = "def f():\n  x = [1]\n  x.append({'k': x})\n  return json.encode(x)\nf()";
    let mut engine = Engine::new(Config::default(), Dialect::STANDARD).unwrap();
    engine.library(Library::Json).unwrap();
    let message = &engine.run("cycle", cycle).unwrap_err()[0].message;
    assert_eq!(message, "error in json.encode: at list index 1: in dict key \"k\": cycle in JSON structure");
}

#[test]
fn math() {
    all(&[
        (
            "[math.ceil(1.2), math.floor(-1.2), math.ceil(1 << 70), math.round(2.5)]",
            "[2, -2, 1180591620717411303424, 3.0]",
        ),
        (
            "[math.sqrt(16), math.pow(2, 10), math.hypot(3, 4), math.mod(5, 3), math.remainder(3, 5)]",
            "[4.0, 1024.0, 5.0, 2.0, -2.0]",
        ),
        ("[math.log(math.e), math.log(8, 2), math.exp(0), math.gamma(5)]", "[1.0, 3.0, 1.0, 24.0]"),
        (
            "[math.sin(0), math.cos(0), math.atan2(0, -1) == math.pi, math.degrees(math.pi)]",
            "[0.0, 1.0, True, 180.0]",
        ),
        ("math.sqrt('4')", "error in sqrt: got string, want float or int"),
        ("math.floor(float('nan'))", "error in floor: cannot convert float NaN to integer"),
        ("math.log(2, 1)", "error in log: division by zero"),
        ("len(dir(math))", "30"),
    ]);
}

// ---------------------------------------------------------------------------------------------- dialects

#[test]
fn f_strings() {
    let dialect = Dialect { f_strings: true, ..Dialect::STANDARD };
    for (expression, expected) in [
        (r#"f"a{1 + 1}b{'x'!r}{{}}""#, r#""a2b\"x\"{}""#),
        (r#"f'{[i for i in range(3)][1]}{ {"k": "v"}["k"] }\n\x7b'"#, r#""1v\n{""#),
        (r#"fr"\n{1 != 2}""#, r#""\\nTrue""#),
        (r#"f'''{f"{1}"}'''"#, r#""1""#),
        (r#"f"""#, r#""""#),
        (r#"f"{nonesuch}""#, "undefined: nonesuch"),
        (r#"f"{1 +}""#, "got end of file, want primary expression"),
        (r#"f"{1:>3}""#, "unmatched '{' in f-string, or a format specification, which is not supported"),
        (r#"f"}""#, "single '}' in f-string"),
        (r#"f"{1!x}""#, "unknown conversion in f-string: only !r and !s are supported"),
    ] {
        assert_eq!(value(dialect, expression), expected, "{expression}");
    }
    let message = value(Dialect::STANDARD, r#"f"{1}""#);
    assert_eq!(message, "this Starlark dialect does not support f-strings");
}

#[test]
fn types_are_ignored_with_one_warning() {
    let mut engine =
        Engine::new(Config::default(), Dialect { type_annotations: true, ..Dialect::STANDARD }).unwrap();
    let warnings = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let sink = std::rc::Rc::clone(&warnings);
    engine.on_warning(move |warning| sink.borrow_mut().push(warning.to_string()));
    engine.run("types", "def f(x: int, *y: list[str]) -> int | None:\n  return x\nz: str = f(1)\n").unwrap();
    assert_eq!(*warnings.borrow(), ["types:1:10: type annotations are not checked"]);
    engine.run("none", "z = 1").unwrap();
    assert_eq!(warnings.borrow().len(), 1);
}

#[test]
fn each_switch_stands_for_itself() {
    let programs = [
        ("set", "set()"),
        ("set-order", "set() <= set()"),
        ("recursion", "(lambda f, n: f(f, n))(lambda f, n: f(f, n - 1) if n else 0, 3)"),
        ("lambda", "(lambda: 1)()"),
        ("f-strings", "f'{1}'"),
    ];
    let statements = [
        ("while", "def f():\n  while False:\n    pass\nf()"),
        ("top-level", "for i in [1]:\n  pass"),
        ("reassign", "a = 1\na = 2"),
        ("nested-def", "def f():\n  def g(): pass\nf()"),
        ("types", "a: int = 1"),
    ];
    let all = programs.map(|(name, text)| (name, format!("x = {text}"))).into_iter();
    for (name, text) in all.chain(statements.map(|(name, text)| (name, text.to_owned()))) {
        for on in [true, false] {
            let mut dialect = Dialect::STANDARD;
            assert!(dialect.switch(&format!("{}{name}", if on { "" } else { "no-" })));
            let mut engine = Engine::new(Config::default(), dialect).unwrap();
            assert_eq!(engine.run("test", text.as_str()).is_ok(), on, "{name}: {text}");
        }
    }
}
