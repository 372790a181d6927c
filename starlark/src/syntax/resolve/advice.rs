//! What the user could do about an error of scopes.

/// Advice on a name that nothing binds, if it is known what it means in other languages.
pub(super) fn on_name(name: &str) -> Option<&'static str> {
    Some(match name {
        "null" | "nil" | "undefined" | "NULL" | "nullptr" => "write `None`",
        "true" | "TRUE" => "write `True`",
        "false" | "FALSE" => "write `False`",
        "isinstance" | "typeof" | "issubclass" => "`type(x)` is a string: `type(x) == \"list\"`",
        "map" | "filter" => "write a comprehension: `[f(x) for x in xs if condition]`",
        "sum" => "add up in a loop; there is no built-in for sums",
        "Exception" | "ValueError" | "TypeError" | "KeyError" => {
            "there are no exceptions: `fail(\"message\")` ends the program"
        }
        "open" | "input" | "exec" | "eval" | "__import__" => {
            "programs cannot reach outside, unless the host gives them a function for it"
        }
        "unicode" | "basestring" => "write `str`",
        "xrange" => "write `range`",
        "ascii" | "format" => "write `\"{}\".format(x)` or `\"%s\" % x`",
        "round" | "pow" => "the module `math` has it",
        "object" | "super" | "self" | "this" => {
            "there are no classes: `struct(...)` holds fields and functions"
        }
        _ => return None,
    })
}

/// Advice on an `if` outside of functions.
pub(super) const IF_OUTSIDE: &str = "put it in a function and call that, or write `a if condition else b`";
/// Advice on a loop outside of functions.
pub(super) const LOOP_OUTSIDE: &str = "put it in a function and call that, or write a comprehension";
/// Advice on a `return` outside of functions.
pub(super) const RETURN_OUTSIDE: &str = "outside of functions there is nothing to return to";
/// Advice on a `while`.
pub(super) const UNBOUNDED_LOOP: &str =
    "a loop needs a bound: `for _ in range(limit):`, with `break` when it is done";
/// Advice on a `load` that is not at the top of its file.
pub(super) const LOAD_INSIDE: &str =
    "load at the top of the file: what is loaded must not depend on how the program goes";
