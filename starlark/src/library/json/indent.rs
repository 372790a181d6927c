//! JSON text with each element on a line of its own.

use crate::cx::Cx;
use crate::data::text::check_length;
use crate::failure::{Failure, Res};

use super::scan::{self, Event, Sink, Stop};

/// Lays out a JSON text: each line but the first begins with `prefix`, and then `unit` for each container around it.
///
/// # Errors
/// The text is no JSON.
pub(super) fn indent(cx: Cx<'_>, json: &str, prefix: &str, unit: &str) -> Res<String> {
    let mut layout =
        Layout { cx, out: String::with_capacity(2 * json.len()), prefix, unit, open: Vec::new() };
    match scan::scan(json, &mut layout) {
        Ok(()) => Ok(layout.out),
        Err(Stop::Sink(failure)) => Err(failure),
        Err(Stop::Text(problem)) => Err(Failure::new(problem.when_indenting())),
    }
}

/// A container that has begun.
struct Open {
    is_object: bool,
    is_empty: bool,
}

struct Layout<'a, 's> {
    cx: Cx<'s>,
    out: String,
    prefix: &'a str,
    unit: &'a str,
    open: Vec<Open>,
}

impl Layout<'_, '_> {
    fn line(&mut self) {
        self.out.push('\n');
        self.out.push_str(self.prefix);
        for _ in &self.open {
            self.out.push_str(self.unit);
        }
    }

    /// What stands before a key, or before an element of an array.
    fn begin_element(&mut self) {
        if let Some(open) = self.open.last_mut() {
            if !std::mem::take(&mut open.is_empty) {
                self.out.push(',');
            }
            self.line();
        }
    }

    /// A value: in an object its key is there already.
    fn begin_value(&mut self) {
        if self.open.last().is_some_and(|open| !open.is_object) {
            self.begin_element();
        }
    }
}

impl Sink for Layout<'_, '_> {
    fn event(&mut self, event: Event<'_>) -> Res<()> {
        // Each line has the unit for every container around it: a text can become as long as its square.
        let len = self.out.len() + self.prefix.len() + self.unit.len() * self.open.len();
        check_length(len)?;
        self.cx.check_room(len / size_of::<u64>())?;
        match event {
            Event::BeginArray | Event::BeginObject => {
                self.begin_value();
                let is_object = event == Event::BeginObject;
                self.out.push(if is_object { '{' } else { '[' });
                self.open.push(Open { is_object, is_empty: true });
            }
            Event::End => {
                let Some(open) = self.open.pop() else { return Ok(()) };
                if !open.is_empty {
                    self.line();
                }
                self.out.push(if open.is_object { '}' } else { ']' });
            }
            Event::Key(key) => {
                self.begin_element();
                self.out.push_str(key);
                self.out.push_str(": ");
            }
            Event::String(text) | Event::Number(text, _) | Event::Word(text) => {
                self.begin_value();
                self.out.push_str(text);
            }
        }
        Ok(())
    }
}
