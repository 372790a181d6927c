//! Errors as a person or a program reads them.

use std::io::{IsTerminal, Write};

use serde_json::{Value, json};
use starlark::syntax::{Cause, Diagnostic, Frame, Note, Severity, SourceFile, Span};

use crate::options::shown::Shown;

/// What `frazil help errors` says.
pub const HELP: &str = "\
Errors as JSON: with --error-format json, every error or warning is one line on standard error ('frazil check' writes
them to standard output). Each is an object with these fields, all of them always there:

  level      \"error\" or \"warning\"
  kind       what had to be known to find it: \"syntax\" (the text alone), \"scope\" (what names mean, which statement may
             stand where), \"load\" (other modules), or \"run\" (the program was running)
  cause      \"text\" (the text is wrong), \"program\" (it did what it may not), \"fail\" (it called that), \"limit\" (of memory, calls
             or collections), or \"host\" (a function of the embedding program failed)
  message    what is wrong, in one line
  file       the name of the file, as it was given
  span       the place: {\"start\": POSITION, \"end\": POSITION}, the end being behind the last character
  notes      other places and remarks: [{\"message\": ..., \"file\": ..., \"span\": ...}], the last two null if there is no place
  help       what could be done about it, or null
  stack      the active calls, outermost first: [{\"function\": ..., \"file\": ..., \"line\": ..., \"column\": ...}], line and
             column null for built-in functions; empty unless the kind is \"run\"
  rendered   the text that a person would be shown, without colours

A POSITION is {\"byte\": ..., \"line\": ..., \"column\": ...}: bytes count from 0, lines and columns from 1, and columns are
code points. More fields may be added. 'frazil check' ends with a line {\"summary\": {...}}: how many files, errors and
warnings there were, how many loads were not followed, and the seconds it took. What is wrong with the command line or
with reading a file is about no program: that is a line of text, and the exit status is 2.
";

/// Shows errors on one stream.
#[derive(Clone, Copy, Debug)]
pub struct Reporter {
    color: bool,
    json: bool,
}

impl Reporter {
    /// For errors that go to `stream`.
    pub fn new(shown: Shown, stream: &impl IsTerminal) -> Reporter {
        Reporter { color: shown.in_color(stream), json: shown.json }
    }

    /// An error, with an empty line behind it if a person reads it.
    pub fn text(self, diagnostic: &Diagnostic) -> String {
        let text = if self.json { object(diagnostic).to_string() } else { diagnostic.render(self.color) };
        text + "\n"
    }

    /// Writes an error to standard error.
    pub fn tell(self, diagnostic: &Diagnostic) {
        // Nobody is left to tell if standard error is closed.
        let _ = std::io::stderr().write_all(self.text(diagnostic).as_bytes());
    }
}

fn object(diagnostic: &Diagnostic) -> Value {
    let level = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    json!({
        "level": level,
        "kind": diagnostic.stage.name(),
        "cause": cause(&diagnostic.cause),
        "message": diagnostic.message,
        "file": diagnostic.file.name(),
        "span": span(&diagnostic.file, diagnostic.span),
        "notes": diagnostic.notes.iter().map(note).collect::<Vec<Value>>(),
        "help": diagnostic.help,
        "stack": diagnostic.frames.iter().map(frame).collect::<Vec<Value>>(),
        "rendered": diagnostic.render(false),
    })
}

fn cause(cause: &Cause) -> &'static str {
    match cause {
        Cause::Text => "text",
        Cause::Program => "program",
        Cause::Fail => "fail",
        Cause::Limit(_) => "limit",
        Cause::Host(_) => "host",
    }
}

fn note(note: &Note) -> Value {
    let place = note.place.as_ref();
    json!({
        "message": note.message,
        "file": place.map(|(file, _)| file.name()),
        "span": place.map(|(file, place)| span(file, *place)),
    })
}

fn frame(frame: &Frame) -> Value {
    json!({
        "function": frame.function,
        "file": frame.file,
        "line": frame.at.map(|at| at.line),
        "column": frame.at.map(|at| at.col),
    })
}

fn span(file: &SourceFile, span: Span) -> Value {
    json!({ "start": position(file, span.start), "end": position(file, span.end) })
}

fn position(file: &SourceFile, byte: u32) -> Value {
    let at = file.line_col(byte);
    json!({ "byte": byte, "line": at.line, "column": at.col })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_an_error_is_in_its_object() {
        let file = SourceFile::new("é.star", "é = 1\nx = é.y\n");
        let at = Span::new(11, 15);
        let error =
            Diagnostic::error(&file, at, "wrong").note_at(&file, Span::new(0, 2), "bound here").help("do it");
        let object = object(&error);
        assert_eq!(object["span"]["start"], json!({ "byte": 11, "line": 2, "column": 5 }));
        assert_eq!(object["span"]["end"], json!({ "byte": 15, "line": 2, "column": 8 }));
        assert_eq!(object["notes"][0]["span"]["end"]["column"], 2);
        assert_eq!((&object["kind"], &object["help"]), (&json!("run"), &json!("do it")));
        assert!(object["rendered"].as_str().is_some_and(|text| text.starts_with("error: wrong\n")));
    }
}
