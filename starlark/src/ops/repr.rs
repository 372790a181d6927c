//! `str` and `repr`: values as text. Nested values are walked with a stack of our own, so their depth does not
//! matter; a container inside of itself shows as `...`.

use std::collections::HashSet;
use std::fmt::Write as _;

use crate::cx::Cx;
use crate::data::text::{self, Text};
use crate::data::{elems, int, list, module, record, sequence, table};
use crate::value::{Kind, Object, Value, ValueExt};

/// A container that is being written.
struct Level<'s> {
    kind: Kind,
    object: Object<'s>,
    /// Elements, or positions in a table, written so far.
    at: usize,
    /// Whether an element was written.
    some: bool,
    /// Whether a dict's key was just written.
    value_next: bool,
}

/// The text that `repr` gives.
pub fn repr<'s>(cx: Cx<'s>, value: Value<'s>) -> String {
    let mut out = Text::default();
    write(cx, &mut out, value);
    out.into_string()
}

/// Appends what `str` gives.
pub fn write_str<'s>(cx: Cx<'s>, out: &mut Text, value: Value<'s>) {
    match (value.kind(), value.object()) {
        (Kind::Str, _) => out.push_value(value),
        (Kind::Bytes, Some(bytes)) => out.push_str(&text::lossy(bytes.bytes())),
        (Kind::Host, _) => {
            let resident = cx.host.residents.of(value);
            // Writing to a text cannot fail.
            let _ = resident.map(|resident| resident.write_str(out));
        }
        _ => write(cx, out, value),
    }
}

/// Appends what `repr` gives.
pub fn write<'s>(cx: Cx<'s>, out: &mut Text, value: Value<'s>) {
    if !is_container(value.kind()) {
        return write_leaf(cx, out, value);
    }
    let mut levels: Vec<Level<'s>> = Vec::new();
    let mut open: HashSet<u64> = HashSet::new();
    enter(out, &mut levels, &mut open, value);
    while let (Some(level), false) = (levels.last_mut(), out.is_full()) {
        if cx.host.meter.step().is_err() {
            out.cut();
        }
        match next(level, out) {
            Some(value) if is_container(value.kind()) => enter(out, &mut levels, &mut open, value),
            Some(value) => write_leaf(cx, out, value),
            None => {
                out.push_str(close(level));
                open.remove(&Value::from(level.object).bits());
                levels.pop();
            }
        }
    }
}

fn is_container(kind: Kind) -> bool {
    matches!(kind, Kind::List | Kind::Tuple | Kind::Dict | Kind::Set | Kind::Struct)
}

fn enter<'s>(out: &mut Text, levels: &mut Vec<Level<'s>>, open: &mut HashSet<u64>, value: Value<'s>) {
    let (kind, Some(object)) = (value.kind(), value.object()) else { return };
    let (opening, cyclic) = match kind {
        Kind::List => ("[", "[...]"),
        Kind::Tuple => ("(", "(...)"),
        Kind::Dict => ("{", "{...}"),
        Kind::Set => ("set([", "set(...)"),
        _ => ("struct(", "struct(...)"),
    };
    if !open.insert(value.bits()) {
        out.push_str(cyclic);
        return;
    }
    out.push_str(opening);
    levels.push(Level { kind, object, at: 0, some: false, value_next: false });
}

/// The next part of a container; what stands before it is written.
fn next<'s>(level: &mut Level<'s>, out: &mut Text) -> Option<Value<'s>> {
    let object = level.object;
    if level.value_next {
        level.value_next = false;
        out.push_str(": ");
        level.at += 1;
        return Some(table::value(object, level.at - 1));
    }
    let value = match level.kind {
        Kind::List => (level.at < list::len(object)).then(|| list::get(object, level.at)),
        Kind::Tuple => (level.at < object.reference_count()).then(|| object.get(level.at)),
        Kind::Struct => (level.at < record::len(object)).then(|| record::value(object, level.at)),
        _ => table::next(object, level.at).map(|position| {
            level.at = position;
            table::key(object, position)
        }),
    }?;
    if level.some {
        out.push_str(", ");
    }
    level.some = true;
    if level.kind == Kind::Struct
        && let Some(names) = record::names(object)
    {
        out.push_value(names.get(level.at));
        out.push_str(" = ");
    }
    if level.kind == Kind::Dict {
        level.value_next = true;
    } else {
        level.at += 1;
    }
    Some(value)
}

fn close(level: &Level<'_>) -> &'static str {
    match level.kind {
        Kind::List => "]",
        Kind::Tuple if level.object.reference_count() == 1 => ",)",
        Kind::Dict => "}",
        Kind::Set => "])",
        _ => ")",
    }
}

/// Everything that has no parts.
fn write_leaf<'s>(cx: Cx<'s>, out: &mut Text, value: Value<'s>) {
    let object = value.object();
    // Writing to a string cannot fail.
    let _ = match (value.kind(), object) {
        (Kind::None, _) => out.write_str("None"),
        (Kind::Bool, _) => out.write_str(if value.as_bool() == Some(true) { "True" } else { "False" }),
        (Kind::Int, _) => out.write_str(itoa::Buffer::new().format(value.as_small().unwrap_or(0))),
        (Kind::BigInt, _) => out.write_str(&int::text(value)),
        (Kind::Float, _) => out.write_str(&int::float_text(value.as_float().unwrap_or(0.0))),
        (Kind::Str, Some(object)) => {
            match value.as_str() {
                Some(text) => quote_valid(out, text),
                None => quote(out, object.bytes()),
            }
            Ok(())
        }
        (Kind::Bytes, Some(object)) => {
            out.push('b');
            quote(out, object.bytes());
            Ok(())
        }
        (Kind::Range, Some(object)) => write_range(out, sequence::Range::of(object)),
        (Kind::Function, Some(object)) => write!(out, "<function {}>", cx.host.function_name(object)),
        (Kind::Builtin, _) => {
            write!(out, "<built-in function {}>", cx.host.builtin_name(value.as_builtin().unwrap_or(0)))
        }
        (Kind::Bound, Some(object)) => {
            let (method, receiver) = (cx.host.bound_name(object), object.get(0));
            write!(out, "<built-in method {method} of {} value>", receiver.type_name())
        }
        (Kind::Module, Some(object)) => {
            out.push_str("<module ");
            quote(out, module::name(object).as_text().unwrap_or_default());
            out.write_str(">")
        }
        (Kind::Host, _) => match cx.host.residents.of(value) {
            Some(resident) => resident.write(out),
            None => Ok(()),
        },
        (Kind::Elems, Some(object)) => {
            write_leaf(cx, out, object.get(0));
            write!(out, ".{}()", elems::method(object))
        }
        _ => write!(out, "<{}>", value.type_name()),
    };
}

fn write_range(out: &mut Text, range: sequence::Range) -> std::fmt::Result {
    match (range.start, range.step) {
        (0, 1) => write!(out, "range({})", range.stop),
        (start, 1) => write!(out, "range({start}, {})", range.stop),
        (start, step) => write!(out, "range({start}, {}, {step})", range.stop),
    }
}

/// A string or bytes as a literal. Bytes that are no text show as `\x` escapes.
pub fn quote(out: &mut Text, bytes: &[u8]) {
    out.push('"');
    for chunk in bytes.utf8_chunks() {
        quote_text(out, chunk.valid());
        for byte in chunk.invalid() {
            push_fmt(out, format_args!("\\x{byte:02x}"));
        }
    }
    out.push('"');
}

fn quote_valid(out: &mut Text, text: &str) {
    out.push('"');
    quote_text(out, text);
    out.push('"');
}

/// Does this byte stand for something else than itself, or begin what may do so?
#[inline]
fn needs_a_look(byte: u8) -> bool {
    !(b' '..=b'~').contains(&byte) || byte == b'"' || byte == b'\\'
}

fn quote_text(out: &mut Text, text: &str) {
    let mut rest = text;
    // What needs no escape is copied in one go.
    while let Some(at) = rest.bytes().position(needs_a_look) {
        out.push_str(&rest[..at]);
        let mut chars = rest[at..].chars();
        let Some(c) = chars.next() else { return };
        rest = chars.as_str();
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            c if (c as u32) < 0x20 || c as u32 == 0x7f => push_fmt(out, format_args!("\\x{:02x}", c as u32)),
            c if is_printable(c) => out.push(c),
            c if c as u32 <= 0xffff => push_fmt(out, format_args!("\\u{:04x}", c as u32)),
            c => push_fmt(out, format_args!("\\U{:08x}", c as u32)),
        }
    }
    out.push_str(rest);
}

/// Whether a character can be seen: the standard library knows, and leaves such characters as they are when it
/// escapes text for debugging. (At the beginning of a text it escapes marks that combine with what stands before.)
fn is_printable(c: char) -> bool {
    let mut text = [b'a'; 5];
    let len = c.encode_utf8(&mut text[1..]).len();
    std::str::from_utf8(&text[..=len]).is_ok_and(|text| text.escape_debug().count() == 2)
}

fn push_fmt(out: &mut Text, args: std::fmt::Arguments<'_>) {
    // Writing to a text cannot fail.
    let _ = out.write_fmt(args);
}
