//! From JSON to values: objects become dicts, arrays become lists, and numbers ints or floats as they are written.

use crate::cx::Cx;
use crate::data::{int, list, table};
use crate::failure::{Failure, Res};
use crate::value::{Object, Value, boolean, none, shapes};

use super::scan::{self, Event, Sink, Stop};

/// The value of a JSON text, or `default` if it is none.
///
/// # Errors
/// The text is no JSON and there is no default, or memory ran out.
pub(super) fn decode<'s>(cx: Cx<'s>, json: &str, default: Option<Value<'s>>) -> Res<Value<'s>> {
    let mut builder = Builder { cx, open: Vec::new(), result: none() };
    match scan::scan(json, &mut builder) {
        Ok(()) => Ok(builder.result),
        Err(Stop::Sink(failure)) if !matches!(*failure, Failure::Error(..)) => Err(failure),
        Err(_) if default.is_some() => Ok(default.unwrap_or(none())),
        Err(Stop::Sink(failure)) => Err(failure),
        Err(Stop::Text(problem)) => Err(Failure::new(problem.when_decoding())),
    }
}

/// A container that is being filled.
enum Open<'s> {
    List(Vec<Value<'s>>),
    /// With the key of the next member.
    Dict(Object<'s>, Value<'s>),
}

struct Builder<'s> {
    cx: Cx<'s>,
    open: Vec<Open<'s>>,
    result: Value<'s>,
}

impl<'s> Builder<'s> {
    fn add(&mut self, value: Value<'s>) -> Res<()> {
        match self.open.last_mut() {
            None => self.result = value,
            Some(Open::List(items)) => items.push(value),
            Some(Open::Dict(dict, key)) => {
                table::insert(self.cx, *dict, *key, value)?;
            }
        }
        Ok(())
    }

    fn number(&self, text: &str, is_float: bool) -> Res<Value<'s>> {
        if let Ok(i) = text.parse::<i64>() {
            return int::make(self.cx, i);
        }
        // The grammar of both has been checked.
        let number = match is_float {
            true => text.parse().ok().map(|f| int::make_float(self.cx, f)),
            false => int::parse(text, 10).map(|i| int::make_big(self.cx, &i)),
        };
        number.unwrap_or_else(|| Err(Failure::new("a number has too many digits")))
    }

    fn string(&self, quoted: &str) -> Res<Value<'s>> {
        match scan::unquote(quoted) {
            Ok(text) => self.cx.str(&text),
            Err(message) => Err(Failure::new(message)),
        }
    }
}

impl Sink for Builder<'_> {
    fn event(&mut self, event: Event<'_>) -> Res<()> {
        match event {
            Event::BeginArray => self.open.push(Open::List(Vec::new())),
            Event::BeginObject => {
                let dict = table::with_capacity(self.cx, &shapes::DICT, 0)?;
                self.open.push(Open::Dict(dict, none()));
            }
            Event::End => {
                let value = match self.open.pop() {
                    Some(Open::List(items)) => list::of(self.cx, &items)?,
                    Some(Open::Dict(dict, _)) => dict.into(),
                    None => none(),
                };
                self.add(value)?;
            }
            Event::Key(quoted) => {
                let text = self.string(quoted)?;
                if let Some(Open::Dict(_, key)) = self.open.last_mut() {
                    *key = text;
                }
            }
            Event::String(quoted) => self.add(self.string(quoted)?)?,
            Event::Number(text, is_float) => self.add(self.number(text, is_float)?)?,
            Event::Word(word) => self.add(match word {
                "null" => none(),
                word => boolean(word == "true"),
            })?,
        }
        Ok(())
    }
}
