//! What is said of wrong arguments: the words of the Go implementation, behind the name of the function.

use frazil_starlark::Engine;

/// The error that an expression ends with.
fn error(expression: &str) -> String {
    match Engine::default().run("test", format!("x = {expression}")) {
        Ok(()) => "no error".to_owned(),
        Err(error) => error.message().to_owned(),
    }
}

fn errors(cases: &[(&str, &str)]) {
    for (expression, expected) in cases {
        assert_eq!(error(expression), *expected, "{expression}");
    }
}

#[test]
fn arguments_are_counted() {
    errors(&[
        ("len()", "error in len: got 0 arguments, want 1"),
        ("len(1, 2)", "error in len: got 2 arguments, want 1"),
        ("getattr('a')", "error in getattr: got 1 arguments, want at least 2"),
        ("range(1, 2, 3, 4)", "error in range: got 4 arguments, want at most 3"),
        ("str()", "error in str: got 0 arguments, want exactly 1"),
        ("type(1, 2)", "error in type: got 2 arguments, want exactly 1"),
        ("len(x = 1)", "error in len: unexpected keyword arguments"),
        ("chr(x = 1)", "error in chr: chr does not accept keyword arguments"),
        ("zip(a = [])", "error in zip: zip does not accept keyword arguments"),
        ("sorted([1], foo = 1)", "error in sorted: unexpected keyword argument \"foo\""),
        (
            "sorted([1], revers = 1)",
            "error in sorted: unexpected keyword argument \"revers\" (did you mean reverse?)",
        ),
        ("min(key = len)", "error in min: min requires at least one positional argument"),
    ]);
}

#[test]
fn parameters_without_a_name_have_a_number() {
    errors(&[
        ("'a'.find(1)", "error in find: for parameter 1: got int, want string"),
        ("'a'.replace('a', 1)", "error in replace: for parameter 2: got int, want string"),
        ("'a'.split(1)", "error in split: got int for separator, want string"),
        ("','.join(1)", "error in join: for parameter 1: got int, want iterable"),
        ("[].extend(1)", "error in extend: for parameter 1: got int, want iterable"),
        ("[].insert('a', 1)", "error in insert: for parameter 1: got string, want int"),
        ("range('a')", "error in range: for parameter 1: got string, want int"),
        ("range(1, 2.0)", "error in range: for parameter 2: got float, want int"),
        ("all(5)", "error in all: for parameter 1: got int, want iterable"),
        ("set(5)", "error in set: for parameter 1: got int, want iterable"),
        ("hasattr('a', 1)", "error in hasattr: for parameter 2: got int, want string"),
        ("sorted(5)", "error in sorted: for parameter iterable: got int, want iterable"),
        ("sorted([1], reverse = 1)", "error in sorted: for parameter \"reverse\": got int, want bool"),
    ]);
}

#[test]
fn what_is_compared_is_told_as_it_is_compared() {
    errors(&[
        ("min(1, 'a')", "error in min: string < int not implemented"),
        ("max(1, 'a')", "error in max: string > int not implemented"),
        ("max(1, 'a', key = lambda x: x)", "error in max: string > int not implemented"),
        ("sorted([1, 'a'])", "error in sorted: string < int not implemented"),
        ("[] in set()", "unhashable type: list"),
        ("1 if [] in {} else {}[0]", "key 0 not in dict"),
    ]);
}

#[test]
fn parameters_of_functions_are_suggested() {
    errors(&[
        (
            "(lambda name, deps = []: 0)(nmae = 1)",
            "function lambda got an unexpected keyword argument \"nmae\" (did you mean name?)",
        ),
        ("(lambda name: 0)(x = 1)", "function lambda got an unexpected keyword argument \"x\""),
    ]);
}
