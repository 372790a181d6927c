//! How errors look: many wrong programs, and what is said of each. They are in `diagnostics.txt`, one behind the other:
//!
//! ```text
//! ====== the program
//! x = nul
//! ------
//! what is written to standard error
//! ```
//!
//! With `FRAZIL_UPDATE=1` the test writes what is said now into that file, to be read and compared by a person.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/diagnostics.txt");
const PROGRAM: &str = "====== ";
const SAID: &str = "------\n";

/// Runs a program from standard input; returns the exit status and standard error.
fn run(program: &str, options: &[&str]) -> (Option<i32>, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_frazil"))
        .arg("run")
        .args(options)
        .args(["--color", "never", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    child.stdin.take().expect("a pipe").write_all(program.as_bytes()).expect("the program is read");
    let output = child.wait_with_output().expect("it ends");
    (output.status.code(), String::from_utf8(output.stderr).expect("UTF-8"))
}

/// Titles, programs, and what is said of them.
fn cases(text: &str) -> Vec<(&str, &str, &str)> {
    let sections = text.split(PROGRAM).filter(|section| !section.is_empty());
    sections
        .map(|section| {
            let (title, rest) = section.split_once('\n').expect("a title");
            let (program, said) = rest.split_once(SAID).unwrap_or((rest, ""));
            (title, program, said)
        })
        .collect()
}

#[test]
fn wrong_programs_are_explained() {
    let text = std::fs::read_to_string(FILE).expect("the programs");
    let cases = cases(&text);
    assert!(cases.len() > 50);
    let update = std::env::var_os("FRAZIL_UPDATE").is_some();
    let mut updated = String::new();
    for (title, program, expected) in cases {
        let (status, said) = run(program, &[]);
        assert_eq!(status, Some(1), "{title}: {said}");
        if update {
            updated += &format!("{PROGRAM}{title}\n{program}{SAID}{said}");
        } else {
            assert_eq!(said, expected, "{title}\n{program}");
        }
    }
    if update {
        std::fs::write(FILE, updated).expect("the file can be written");
    }
}

#[test]
fn the_same_as_json() {
    let text = std::fs::read_to_string(FILE).expect("the programs");
    for (title, program, expected) in cases(&text) {
        let (status, said) = run(program, &["--error-format", "json"]);
        assert_eq!(status, Some(1), "{title}");
        let objects = said.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        let objects: Vec<Value> = objects.collect();
        let rendered: String = objects
            .iter()
            .map(|object| format!("{}\n", object["rendered"].as_str().expect("text")))
            .collect();
        assert_eq!(rendered, expected, "{title}");
        for object in objects {
            assert_eq!(object["file"], "<standard input>");
            let byte = |end: &str| object["span"][end]["byte"].as_u64().expect("a number") as usize;
            assert!(byte("start") <= byte("end") && byte("end") <= program.len(), "{object}");
            let before = &program[..byte("start")];
            let line = before.matches('\n').count() as u64 + 1;
            let column = before.rsplit('\n').next().unwrap_or("").chars().count() as u64 + 1;
            assert_eq!(object["span"]["start"]["line"], line, "{object}");
            assert_eq!(object["span"]["start"]["column"], column, "{object}");
        }
    }
}

#[test]
fn kinds_and_stacks_are_told_apart() {
    let first = |program: &str| {
        let (_, said) = run(program, &["--error-format=json"]);
        serde_json::from_str::<Value>(said.lines().next().expect("an error")).expect("JSON")
    };
    assert_eq!(first("x = (")["kind"], "syntax");
    assert_eq!(first("x = y")["kind"], "scope");
    let run = first("def f(x):\n  return sorted(x, key = lambda y: y.z)\nf([1])\n");
    assert_eq!(run["kind"], "run");
    let functions: Vec<&str> = run["stack"]
        .as_array()
        .expect("a stack")
        .iter()
        .filter_map(|frame| frame["function"].as_str())
        .collect();
    assert_eq!(functions, ["<toplevel>", "f", "sorted", "lambda"]);
    assert_eq!((&run["stack"][1]["line"], &run["stack"][2]["line"]), (&Value::from(2), &Value::Null));
    let (_, said) = run_with_types();
    assert!(said.contains("\"level\":\"warning\""), "{said}");
}

/// A program with a warning.
fn run_with_types() -> (Option<i32>, String) {
    let ran = run("def f(x: int): pass\n", &["--error-format=json", "--dialect", "types"]);
    assert_eq!(ran.0, Some(0), "{}", ran.1);
    ran
}
