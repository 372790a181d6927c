//! From values to JSON: dicts (in the order of their keys) and structs become objects, other iterables arrays.

use std::collections::HashSet;

use crate::cx::Cx;
use crate::data::iter::{self, Iter};
use crate::data::text::check_length;
use crate::data::{int, record, table, text};
use crate::failure::{Failure, Res};
use crate::ops::repr;
use crate::value::{Kind, Value, ValueExt};

/// The JSON text of a value.
///
/// # Errors
/// There is none, or memory ran out.
pub(super) fn encode<'s>(cx: Cx<'s>, value: Value<'s>) -> Res<String> {
    let mut encoder = Encoder { cx, out: String::new(), levels: Vec::new(), open: HashSet::new() };
    encoder.begin(value)?;
    while let Some(level) = encoder.levels.last_mut() {
        check_length(encoder.out.len())?;
        cx.host.meter.step()?;
        match level.next(&mut encoder.out)? {
            Some(value) => encoder.begin(value)?,
            None => {
                encoder.out.push(level.closing());
                encoder.open.remove(&level.value.bits());
                encoder.levels.pop();
            }
        }
    }
    Ok(encoder.out)
}

/// A container that is being written.
struct Level<'s> {
    value: Value<'s>,
    parts: Parts<'s>,
    /// How many parts have begun.
    begun: usize,
}

enum Parts<'s> {
    /// Keys and values, sorted by key.
    Members(Vec<(Value<'s>, Value<'s>)>),
    Elements(Iter<'s>),
}

struct Encoder<'s> {
    cx: Cx<'s>,
    out: String,
    levels: Vec<Level<'s>>,
    open: HashSet<u64>,
}

impl<'s> Level<'s> {
    /// The next part; what stands before it is written.
    fn next(&mut self, out: &mut String) -> Res<Option<Value<'s>>> {
        let next = match &mut self.parts {
            Parts::Elements(elements) => elements.step()?.map(|value| (None, value)),
            Parts::Members(members) => members.get(self.begun).map(|&(key, value)| (Some(key), value)),
        };
        let Some((key, value)) = next else { return Ok(None) };
        if self.begun > 0 {
            out.push(',');
        }
        self.begun += 1;
        if let Some(key) = key {
            quote(out, &text::lossy_of(key));
            out.push(':');
        }
        Ok(Some(value))
    }

    fn closing(&self) -> char {
        if matches!(self.parts, Parts::Members(_)) { '}' } else { ']' }
    }

    /// Where in this container the writing is, for errors.
    fn place(&self, cx: Cx<'s>) -> String {
        let type_name = self.value.type_name();
        match &self.parts {
            Parts::Elements(_) => format!("at {type_name} index {}", self.begun - 1),
            Parts::Members(members) if self.value.kind() == Kind::Dict => {
                format!("in {type_name} key {}", repr::repr(cx, members[self.begun - 1].0))
            }
            Parts::Members(members) => format!("in field .{}", text::lossy_of(members[self.begun - 1].0)),
        }
    }
}

impl<'s> Encoder<'s> {
    /// An error, with the way to its place.
    fn fail<T>(&self, message: impl AsRef<str>) -> Res<T> {
        let mut places: Vec<String> = self.levels.iter().map(|level| level.place(self.cx)).collect();
        places.push(message.as_ref().to_owned());
        Err(Failure::new(places.join(": ")))
    }

    /// Writes a value, or the beginning of a container.
    fn begin(&mut self, value: Value<'s>) -> Res<()> {
        match (value.kind(), value.object()) {
            (Kind::None, _) => self.out.push_str("null"),
            (Kind::Bool, _) => {
                self.out.push_str(if value.as_bool() == Some(true) { "true" } else { "false" });
            }
            (Kind::Int | Kind::BigInt, _) => self.out.push_str(&int::text(value)),
            (Kind::Float, _) => {
                let f = value.as_float().unwrap_or(f64::NAN);
                if !f.is_finite() {
                    return self.fail(format!("cannot encode non-finite float {}", int::float_text(f)));
                }
                self.out.push_str(&int::float_text(f));
            }
            (Kind::Str, _) => quote(&mut self.out, &text::lossy_of(value)),
            (Kind::Dict, Some(dict)) => {
                let mut members: Vec<(Value<'s>, Value<'s>)> = table::positions(dict)
                    .map(|position| (table::key(dict, position), table::value(dict, position)))
                    .collect();
                if let Some((key, _)) = members.iter().find(|(key, _)| key.kind() != Kind::Str) {
                    return self.fail(format!("dict has {} key, want string", key.type_name()));
                }
                members.sort_by(|(a, _), (b, _)| a.as_text().cmp(&b.as_text()));
                self.open(value, Parts::Members(members))?;
            }
            (Kind::Struct, Some(fields)) => {
                self.open(value, Parts::Members(record::fields(fields).collect()))?;
            }
            _ => match iter::iterate(self.cx, value)? {
                Some(elements) => self.open(value, Parts::Elements(elements))?,
                None => return self.fail(format!("cannot encode {} as JSON", value.type_name())),
            },
        }
        Ok(())
    }

    fn open(&mut self, value: Value<'s>, parts: Parts<'s>) -> Res<()> {
        if !self.open.insert(value.bits()) {
            return self.fail("cycle in JSON structure");
        }
        self.out.push(if matches!(parts, Parts::Members(_)) { '{' } else { '[' });
        self.levels.push(Level { value, parts, begun: 0 });
        Ok(())
    }
}

/// Writes a string with quotes.
fn quote(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}
