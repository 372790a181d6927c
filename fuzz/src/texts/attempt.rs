//! One text through the whole of the interpreter.

use frazil::Config;
use starlark::syntax::{Diagnostic, Dialect, SourceFile, Span, parse};
use starlark::{Engine, Library};

use crate::caught::caught;

/// Collections after which a program is ended. In checking mode there is one at every call and in every round of a
/// loop, so this bounds its time.
const COLLECTIONS_MAX: u64 = 200;
/// Bytes that a program's objects may take.
const LIMIT_BYTES: usize = 1 << 20;

/// Errors of a text that are shown. Each shows its line, which may be the whole of a long text.
const SHOWN_MAX: usize = 20;

/// What became of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fate {
    /// Could it be parsed?
    pub parsed: bool,
    /// Did it run to its end?
    pub ended: bool,
    /// How many errors it ended with.
    pub errors: u64,
    /// How many collections there were.
    pub collections: u64,
}

/// Parses a text, and runs it within narrow limits. `variant` says in which dialect, and with which collections.
///
/// # Errors
/// The interpreter panicked, or said something about a place that does not exist.
pub fn attempt(text: &str, variant: u64) -> Result<Fate, String> {
    caught(|| unguarded(text, variant))?
}

fn unguarded(text: &str, variant: u64) -> Result<Fate, String> {
    let dialect = if variant.is_multiple_of(4) { Dialect::STANDARD } else { Dialect::EXTENDED };
    let source = SourceFile::new("text", text);
    let parsed = parse(&source, &dialect);
    let static_errors = [&parsed.syntax_errors, &parsed.check_errors, &parsed.warnings];
    static_errors.into_iter().flatten().take(SHOWN_MAX).try_for_each(show)?;
    let config = Config {
        limit_bytes: Some(LIMIT_BYTES),
        stack_words: 1 << 16,
        short_collections: variant & 2 == 0,
        ..Config::STRESS
    };
    let mut engine = Engine::new(config, dialect).map_err(|error| error.to_string())?;
    engine.on_print(|_| {});
    for library in Library::ALL {
        engine.library(library).map_err(|error| error.to_string())?;
    }
    engine.limit_collections(COLLECTIONS_MAX);
    let mut outcome = engine.run("text", text);
    if let Err(errors) = &outcome
        && let Some(prelude) = prelude(errors)
    {
        engine.run("prelude", prelude).map_err(|errors| format!("the prelude fails: {}", errors[0]))?;
        engine.predeclare_module("prelude").map_err(|error| error.to_string())?;
        engine.limit_collections(COLLECTIONS_MAX);
        outcome = engine.run("text", text);
    }
    let errors = match outcome {
        Ok(()) => Vec::new(),
        Err(errors) if errors.is_empty() => return Err("refused without a reason".to_owned()),
        Err(errors) => Vec::from(errors),
    };
    errors.iter().take(SHOWN_MAX).try_for_each(show)?;
    Ok(Fate {
        parsed: parsed.syntax_errors.is_empty() && parsed.check_errors.is_empty(),
        ended: errors.is_empty(),
        errors: errors.len() as u64,
        collections: engine.stats().collections(),
    })
}

/// What names stand for that mean nothing.
const VALUES: &[&str] =
    &["lambda *a, **k: a", "[3, 1, 2]", "{'a': 1, 2: 'b'}", "'words'", "7", "(1, 'b')", "None"];

/// A module that defines the names that a text uses and does not define, if that is all that is wrong with it: pieces of
/// programs would hardly ever run.
fn prelude(errors: &[Diagnostic]) -> Option<String> {
    // Behind the name there may be a proposal. Of a very long one only the ends are told.
    let undefined = |error: &'_ Diagnostic| {
        let name = error.message.strip_prefix("undefined: ")?.split(' ').next()?;
        let is_whole = name.chars().all(|letter| letter == '_' || letter.is_alphanumeric());
        is_whole.then(|| name.to_owned())
    };
    let mut names: Vec<String> = errors.iter().map(undefined).collect::<Option<_>>()?;
    names.sort_unstable();
    names.dedup();
    let lines = names.iter().enumerate().map(|(number, name)| {
        // A name that is private to the prelude would stay undefined; so would others, but no harm is done.
        format!("{name} = {}\n", VALUES[(number + name.len()) % VALUES.len()])
    });
    Some(lines.collect())
}

/// Shows an error in every way there is.
fn show(error: &Diagnostic) -> Result<(), String> {
    check_place(error, &error.file, error.span)?;
    for (file, span) in error.notes.iter().filter_map(|note| note.place.as_ref()) {
        check_place(error, file, *span)?;
    }
    let plain = error.render(false);
    let told = plain.starts_with("error") || plain.starts_with("warning");
    // Control characters are shown as signs for them.
    let words: String = error.message.chars().take_while(|c| !c.is_control()).collect();
    if !told || !plain.contains(words.trim_end()) {
        return Err(format!("an error is not shown: {plain}"));
    }
    if error.render(true).len() < plain.len() {
        return Err(format!("an error is not shown in colour: {plain}"));
    }
    let line = error.to_string();
    if !line.ends_with(&error.message) {
        return Err(format!("an error is not told: {line}"));
    }
    Ok(())
}

fn check_place(error: &Diagnostic, file: &SourceFile, span: Span) -> Result<(), String> {
    let (text, range) = (file.text(), span.range());
    if range.start <= range.end && text.get(range).is_some() {
        return Ok(());
    }
    Err(format!("{span:?} is no place in a text of {} bytes: {error}", text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_any_length_may_be_undefined() {
        for text in ["x + y".to_owned(), "x".repeat(3000), "a".repeat(3000) + " + b"] {
            for variant in 0..4 {
                attempt(&text, variant).unwrap_or_else(|harm| panic!("{harm}"));
            }
        }
    }
}
