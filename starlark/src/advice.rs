//! What the user could do about an error at run time. Nothing is said where the message says all there is to say.

use crate::data::{table, text};
use crate::ops::repr;
use crate::spelling;
use crate::value::{Kind, Object, Value, ValueExt};

/// In a dict with more entries than this, no similar key is looked for.
const KEYS_MAX: usize = 1000;

const NONE: &str =
    "None is what a call gives that returns nothing: a function without `return`, or a method like `append`";
const NUMBERS: &str = "`str(x)` makes a string of a number, and `int(x)` a number of a string";
const BOOLS: &str = "`int(x)` of a bool is 0 or 1";
const QUOTIENT: &str =
    "`a // b` of two ints is an int, where `a / b` is a float; `int(x)` cuts the fraction off";
const ELEMS: &str = "`s.elems()` are the elements of a string";

pub const FRACTION: &str = "`float(x)` reads a number with a fraction, which `int` of that cuts off";
pub const RECURSION: &str = "a function cannot be called again while it runs: keep what is left to do in a list, and take \
                             from it in a loop";
pub const ITERATED: &str = "loop over a copy, such as `list(x)`";
pub const JOIN: &str = "`[str(x) for x in xs]` is a list of strings";
pub const LOCAL: &str =
    "a name that a function assigns is local everywhere in it; a global cannot be assigned in a function";
pub const MISSING_KEY: &str =
    "`d.get(key)` is None if there is no such key, and `d.get(key, default)` the default";
pub const TARGETS: &str =
    "`d.items()` are the keys and values of a dict, and `s.elems()` the elements of a string";
pub const UNHASHABLE: &str = "`tuple(x)` of a list can be a key, if all that is in it can";

/// On an operator that there is not for these operands.
#[cold]
pub fn on_binary(operator: &str, a: Value<'_>, b: Value<'_>) -> Option<&'static str> {
    if a.is_none() || b.is_none() {
        return Some(NONE);
    }
    let is_number = |kind| matches!(kind, Kind::Int | Kind::BigInt | Kind::Float);
    Some(match (operator, a.kind(), b.kind()) {
        ("+" | "-" | "/" | "//" | "<" | "<=" | ">" | ">=", Kind::Str, number)
        | ("+" | "-" | "/" | "//" | "%" | "<" | "<=" | ">" | ">=", number, Kind::Str)
            if is_number(number) =>
        {
            NUMBERS
        }
        ("+", Kind::List, Kind::Tuple) | ("+", Kind::Tuple, Kind::List) => {
            "`list(x)` makes a list of a tuple, and `tuple(x)` a tuple of a list"
        }
        ("+", Kind::List, _) => "`xs + [x]` is a list with one element more",
        ("+", Kind::Str, _) | ("+", _, Kind::Str) => "`str(x)` makes a string of any value",
        ("+" | "-" | "*", Kind::Bool, Kind::Bool) => BOOLS,
        ("+" | "-" | "*", Kind::Bool, number) | ("+" | "-" | "*", number, Kind::Bool)
            if is_number(number) =>
        {
            BOOLS
        }
        ("*", Kind::Str | Kind::Bytes | Kind::List | Kind::Tuple, Kind::Float) => QUOTIENT,
        ("+", Kind::Dict, Kind::Dict) => "`a | b` is a dict with the entries of both",
        ("+", Kind::Set, Kind::Set) => "`a | b` is a set with the elements of both",
        _ => return None,
    })
}

/// On something that only an iterable value can do.
#[cold]
pub fn on_iteration(value: Value<'_>) -> Option<&'static str> {
    match value.kind() {
        Kind::None => Some(NONE),
        Kind::Str => Some(ELEMS),
        Kind::Int => Some("`range(n)` are the numbers below `n`"),
        _ => None,
    }
}

/// On what is no int where one must be.
#[cold]
pub fn on_int(value: Value<'_>) -> Option<&'static str> {
    match value.kind() {
        Kind::None => Some(NONE),
        Kind::Float => Some(QUOTIENT),
        Kind::Str => Some("`int(x)` reads a number from a string"),
        _ => None,
    }
}

/// On what only other types can do: nobody wanted that with None.
#[cold]
pub fn on_none(value: Value<'_>) -> Option<&'static str> {
    value.is_none().then_some(NONE)
}

/// On an attribute that a value does not have, and that may stand for something in other languages.
#[cold]
pub fn on_attribute(value: Value<'_>, name: &str) -> Option<String> {
    let kind = value.kind();
    let is_sized = matches!(
        kind,
        Kind::Str | Kind::Bytes | Kind::List | Kind::Tuple | Kind::Dict | Kind::Set | Kind::Range
    );
    if let Some(dict) = value.as_kind(Kind::Dict)
        && table::find_text(dict, name.as_bytes()).is_some()
    {
        return Some(format!("write `d[\"{name}\"]` for the value of that key"));
    }
    let advice = match (kind, name) {
        (Kind::None, _) => NONE,
        (_, "length" | "len" | "size") if is_sized => "`len(x)` is the number of elements",
        (_, "contains" | "includes" | "has" | "has_key" | "__contains__") if is_sized => "write `a in x`",
        (Kind::List, "add" | "push" | "push_back") => "`append` adds an element to a list",
        (Kind::Set, "append" | "push" | "insert") => "`add` adds an element to a set",
        (Kind::Dict, "add" | "put" | "set" | "insert" | "append") => "write `d[key] = value`",
        (Kind::List, "sort") => "`sorted(xs)` is a sorted list with the same elements",
        (Kind::List, "reverse") => "`reversed(xs)` is a list of the elements from last to first",
        (Kind::List, "copy") => "`list(xs)` is a copy",
        (Kind::Dict, "copy") => "`dict(d)` is a copy",
        (Kind::Set, "copy") => "`set(s)` is a copy",
        (Kind::Str, "trim") => "`strip` takes white space away at both ends",
        (Kind::Str, "substring" | "substr" | "slice") => "write `s[from:to]`",
        (Kind::Str, "encode") => "`bytes(s)` are the bytes of a string",
        (Kind::Bytes, "decode") => "`str(b)` is a string of the bytes",
        _ => return None,
    };
    Some(advice.to_owned())
}

/// On an assignment to an attribute.
#[cold]
pub fn on_setting_attribute(value: Value<'_>, name: &str) -> Option<String> {
    match value.kind() {
        Kind::None => Some(NONE.to_owned()),
        Kind::Struct => Some("a struct does not change: `struct(...)` makes another".to_owned()),
        Kind::Dict => Some(format!("write `d[\"{name}\"] = value`")),
        _ => None,
    }
}

/// On an assignment to an element.
#[cold]
pub fn on_setting_index(value: Value<'_>) -> Option<&'static str> {
    match value.kind() {
        Kind::None => Some(NONE),
        Kind::Tuple => Some("a tuple does not change: `list(x)` makes a list of it, which does"),
        Kind::Str => Some("a string does not change: put another together, or use its method `replace`"),
        Kind::Set => Some("`add` adds an element to a set"),
        _ => None,
    }
}

/// On a change of something frozen, by what it was called.
#[cold]
pub fn on_frozen(noun: &str) -> Option<&'static str> {
    match noun {
        "list" => Some(
            "what is frozen, such as all that a loaded module has made, never changes: change a copy, `list(x)`",
        ),
        "hash table" => Some(
            "what is frozen, such as all that a loaded module has made, never changes: change a copy, `dict(x)`",
        ),
        _ => None,
    }
}

/// The key of a dict that is most like a missing one.
#[cold]
pub fn similar_key<'s>(dict: Object<'s>, key: Value<'s>) -> Option<String> {
    let name = key.as_str()?;
    if table::len(dict) > KEYS_MAX {
        return None;
    }
    let keys = table::positions(dict).map(|position| table::key(dict, position));
    let names: Vec<_> = keys.filter_map(|key| key.as_str()).collect();
    let similar = spelling::nearest(name, names)?;
    let mut quoted = text::Text::default();
    repr::quote(&mut quoted, similar.as_bytes());
    Some(quoted.into_string())
}
