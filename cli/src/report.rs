//! Errors as a person or a program reads them.

use std::borrow::Cow;
use std::io::{IsTerminal, Write};

use serde_json::{Value, json};
use starlark::syntax::{Cause, Diagnostic, Feature, Frame, Note, Severity, SourceFile, Span};

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
  dialect    the part of the language that would allow it, by its name for --dialect, or null
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
        let diagnostic = &with_switch(diagnostic);
        let text = if self.json { object(diagnostic).to_string() } else { diagnostic.render(self.color) };
        text + "\n"
    }

    /// Writes an error to standard error.
    pub fn tell(self, diagnostic: &Diagnostic) {
        // Nobody is left to tell if standard error is closed.
        let _ = std::io::stderr().write_all(self.text(diagnostic).as_bytes());
    }
}

/// Where a part of the language is meant that can be switched on, the help says so: the language itself knows of no command
/// line.
fn with_switch(diagnostic: &Diagnostic) -> Cow<'_, Diagnostic> {
    let Some(feature) = diagnostic.lacks else { return Cow::Borrowed(diagnostic) };
    let allowed = format!("--dialect {} allows it", feature.name());
    let help = match &diagnostic.help {
        Some(help) => format!("{help}; or {allowed}"),
        None => allowed,
    };
    Cow::Owned(diagnostic.clone().help(help))
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
        "dialect": diagnostic.lacks.map(Feature::name),
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
    use starlark::syntax::Dialect;
    use starlark::{Engine, Loader};

    use super::*;

    struct OneModule;

    impl Loader for OneModule {
        fn resolve(&self, path: &str, _: &str) -> Result<String, String> {
            Ok(path.to_owned())
        }

        fn read(&self, _: &str) -> Result<String, String> {
            Ok("x = 1".to_owned())
        }
    }

    #[test]
    fn what_is_said_to_be_allowed_by_a_switch_is() {
        let cases = [
            ("x = set([])", "set"),
            ("f = lambda: 1", "lambda"),
            ("def f():\n  def g(): pass", "nested-def"),
            ("if True: pass", "top-level"),
            ("for x in []: pass", "top-level"),
            ("def f():\n  while False: pass", "while"),
            ("x = f'{1}'", "f-strings"),
            ("x = 1\nx = 2", "reassign"),
            ("load('m', 'x')\nx = 2", "reassign"),
            ("x = 1\nload('m', 'x')", "reassign"),
            ("x: int = 1", "types"),
            ("def f(x: int): pass", "types"),
            ("def f() -> int: pass", "types"),
            ("def f(n): return n and f(n - 1)\nf(3)", "recursion"),
        ];
        for (program, name) in cases {
            let run = |dialect| {
                let loader = Box::new(OneModule);
                let engine = Engine::with_loader(starlark::CONFIG, dialect, loader);
                engine.expect("an engine").run("test", program)
            };
            let mut dialect = Dialect::STANDARD;
            assert!(dialect.switch(&format!("no-{name}")));
            let error = run(dialect).expect_err(program);
            let text = Reporter { color: false, json: false }.text(&error[0]);
            assert!(text.contains(&format!("--dialect {name} allows it\n")), "{text}");
            assert_eq!(object(&error[0])["dialect"], name);
            assert!(dialect.switch(name));
            run(dialect).expect(program);
        }
        let error = Engine::default().run("test", "x = 1 +").expect_err("no program");
        assert_eq!(error[0].lacks, None);
        // Where there are type annotations, none is missing.
        let typed = Dialect { type_annotations: true, ..Dialect::STANDARD };
        let error = Engine::new(starlark::CONFIG, typed).expect("an engine").run("test", "x.y: int = 1");
        assert_eq!(error.expect_err("no program")[0].lacks, None);
    }

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
