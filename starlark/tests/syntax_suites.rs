//! The front end against programs and expectations that are not part of the project.
//!
//! They are looked for in the folder `shared` beside the workspace; without it these tests say that they
//! were skipped.
//! - `inputs`: real programs, which must all be accepted.
//! - `suites/starlark-go/{syntax,resolve}`: static errors, by line and wording. Each expected error must be
//!   found, and no other may be.
//! - `suites/bazelbuild-starlark`, `suites/starlark-go/starlark`: mostly errors of the run time. A chunk
//!   may fail here only where it is expected to fail with this message.

mod beside;

use std::fs;
use std::path::Path;

use frazil_starlark::syntax::{Dialect, Environment, SourceFile, analyze, parse};
use regex_lite::Regex;

use beside::{programs, shared};

fn read(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned()
}

/// The predeclared and universal names of a suite.
struct Known(&'static [&'static str], &'static [&'static str]);

impl Environment for Known {
    fn is_predeclared(&self, name: &str) -> bool {
        self.0.contains(&name)
    }

    fn is_universal(&self, name: &str) -> bool {
        self.1.contains(&name)
    }
}

const UNIVERSE: &[&str] = &[
    "None",
    "True",
    "False",
    "abs",
    "any",
    "all",
    "bool",
    "bytes",
    "chr",
    "dict",
    "dir",
    "enumerate",
    "fail",
    "float",
    "getattr",
    "hasattr",
    "hash",
    "int",
    "len",
    "list",
    "max",
    "min",
    "ord",
    "print",
    "range",
    "repr",
    "reversed",
    "set",
    "sorted",
    "str",
    "tuple",
    "type",
    "zip",
];

/// Accepts every name.
struct Anything;

impl Environment for Anything {
    fn is_predeclared(&self, _: &str) -> bool {
        true
    }

    fn is_universal(&self, _: &str) -> bool {
        false
    }
}

#[test]
fn real_programs_are_accepted() {
    let Some(folder) = shared("inputs") else { return };
    let dialect = Dialect { top_level_control: true, global_reassign: true, ..Dialect::STANDARD };
    let files = programs(&folder, &["bzl", "star"]);
    for path in &files {
        let source = SourceFile::new(path.display().to_string(), read(path));
        if let Err(errors) = analyze(&source, &Anything, &dialect) {
            panic!("{}", errors[0].render(false));
        }
    }
    println!("{} files accepted", files.len());
    assert!(!files.is_empty());
}

// -------------------------------------------------------------------------------------------------- chunks

/// A part of a suite file: a program of its own.
struct Chunk {
    /// Padded with empty lines, so that its lines have the numbers of the file.
    text: String,
    first_line: usize,
    /// Line numbers and patterns.
    expected: Vec<(usize, String)>,
}

fn chunks(text: &str, expectation: fn(&str) -> Option<String>) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    let mut chunk = Chunk { text: String::new(), first_line: 1, expected: Vec::new() };
    for (i, line) in text.lines().enumerate() {
        if line == "---" {
            // As in the suites, the newline before the separator belongs to it.
            chunk.text.pop();
            let text = "\n".repeat(i + 1);
            let next = Chunk { text, first_line: i + 2, expected: Vec::new() };
            chunks.push(std::mem::replace(&mut chunk, next));
            continue;
        }
        chunk.expected.extend(expectation(line).map(|pattern| (i + 1, pattern)));
        chunk.text.push_str(line);
        chunk.text.push('\n');
    }
    chunks.push(chunk);
    chunks
}

/// `### "regex"` or the same in backquotes.
fn quoted_expectation(line: &str) -> Option<String> {
    let quoted = line.split_once("###")?.1.trim();
    if let Some(raw) = quoted.strip_prefix('`') {
        return Some(raw.trim_end_matches('`').to_string());
    }
    let escaped = quoted.strip_prefix('"')?.trim_end_matches('"');
    Some(escaped.replace("\\\\", "\\").replace("\\\"", "\""))
}

/// `### regex` or `### go: regex`.
fn plain_expectation(line: &str) -> Option<String> {
    let pattern = line.split_once("###")?.1.trim();
    let other = ["java:", "rust:"].iter().any(|prefix| pattern.starts_with(prefix));
    (!other).then(|| pattern.strip_prefix("go:").unwrap_or(pattern).trim().to_string())
}

fn dialect_of(chunk: &str) -> Dialect {
    let on = |option: &str| chunk.contains(&format!("option:{option}"));
    Dialect {
        top_level_control: on("toplevelcontrol") || on("globalreassign"),
        global_reassign: on("globalreassign"),
        while_loops: on("while"),
        recursion: on("recursion"),
        load_binds_globally: on("loadbindsglobally"),
        ..Dialect::STANDARD
    }
}

/// Errors by line, in the order of the text.
type Errors = Vec<(usize, String)>;

/// Reports the differences between expected and found errors; every expectation takes one error. Where the
/// reference stops at the first error (`stops`), there may be more behind it.
fn compare(path: &Path, chunk: &Chunk, stops: bool, mut found: Errors, failures: &mut Vec<String>) {
    for (line, pattern) in &chunk.expected {
        let regex = Regex::new(pattern).unwrap_or_else(|_| Regex::new(&regex_lite::escape(pattern)).unwrap());
        match found.iter().position(|(at, message)| at == line && regex.is_match(message)) {
            Some(i) => {
                found.remove(i);
            }
            None => failures.push(format!("{}:{line}: not found: {pattern}; have {found:?}", path.display())),
        }
    }
    let end = chunk.expected.last().filter(|_| stops).map_or(usize::MAX, |(line, _)| *line);
    found.retain(|(line, _)| *line <= end);
    for (line, message) in found {
        failures.push(format!("{}:{line}: not expected: {message}", path.display()));
    }
}

#[test]
fn syntax_errors_are_those_of_the_reference() {
    let Some(folder) = shared("suites/starlark-go/syntax/testdata") else { return };
    let (mut failures, mut count, mut expected) = (Vec::new(), 0, 0);
    for path in programs(&folder, &["bzl", "star"]) {
        for chunk in chunks(&read(&path), quoted_expectation) {
            let source = SourceFile::new(path.display().to_string(), chunk.text.as_str());
            let errors = parse(&source, &Dialect::STANDARD).syntax_errors;
            let found = errors.iter().map(|e| (e.line_col().line as usize, e.message.clone()));
            count += 1;
            expected += chunk.expected.len();
            compare(&path, &chunk, true, found.collect(), &mut failures);
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    println!("{count} chunks with {expected} errors");
}

#[test]
fn name_errors_are_those_of_the_reference() {
    let Some(folder) = shared("suites/starlark-go/resolve/testdata") else { return };
    let (mut failures, mut count, mut expected) = (Vec::new(), 0, 0);
    for path in programs(&folder, &["bzl", "star"]) {
        for chunk in chunks(&read(&path), quoted_expectation) {
            let source = SourceFile::new(path.display().to_string(), chunk.text.as_str());
            let environment = Known(&["M"], &["U", "float"]);
            let errors = analyze(&source, &environment, &dialect_of(&chunk.text)).err().unwrap_or_default();
            let found = errors.iter().map(|e| (e.line_col().line as usize, e.message.clone()));
            count += 1;
            expected += chunk.expected.len();
            compare(&path, &chunk, false, found.collect(), &mut failures);
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    println!("{count} chunks with {expected} errors");
}

/// Analyses the chunks of a suite about the run time; returns how many chunks and static errors there were.
fn run_time_suite(
    folder: &str,
    environment: &Known,
    expectation: fn(&str) -> Option<String>,
) -> Option<(usize, usize)> {
    let folder = shared(folder)?;
    let (mut failures, mut count, mut errors) = (Vec::new(), 0, 0);
    for path in programs(&folder, &["bzl", "star"]) {
        let text = read(&path);
        let options: String = text.lines().take_while(|line| line.starts_with('#')).collect();
        for chunk in chunks(&text, expectation) {
            count += 1;
            let source = SourceFile::new(path.display().to_string(), chunk.text.as_str());
            let dialect = dialect_of(&format!("{options}{}", chunk.text));
            let Err(found) = analyze(&source, environment, &dialect) else { continue };
            errors += found.len();
            for error in found {
                let is_expected = chunk.expected.iter().any(|(_, pattern)| {
                    let known = Regex::new(&format!("(?i){pattern}"));
                    known.is_ok_and(|regex| regex.is_match(&error.message))
                });
                if !is_expected {
                    failures.push(format!("chunk at {}: {error}", chunk.first_line));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    Some((count, errors))
}

#[test]
fn the_common_suite_is_accepted() {
    let environment = Known(&["assert_", "assert_eq", "assert_ne"], UNIVERSE);
    if let Some((chunks, errors)) =
        run_time_suite("suites/bazelbuild-starlark", &environment, plain_expectation)
    {
        println!("{chunks} chunks, {errors} of them with expected static errors");
        assert!(chunks > 400);
    }
}

#[test]
fn the_run_time_suite_of_the_reference_is_accepted() {
    let host: &[&str] =
        &["hasfields", "fibonacci", "struct", "_freeze", "_floateq", "json", "math", "time", "proto"];
    let environment = Known(host, UNIVERSE);
    if let Some((chunks, errors)) =
        run_time_suite("suites/starlark-go/starlark", &environment, quoted_expectation)
    {
        println!("{chunks} chunks, {errors} of them with expected static errors");
    }
}
