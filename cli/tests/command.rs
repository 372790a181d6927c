//! The command line: where programs come from, exit statuses, colours, help.

use std::io::Write;
use std::process::{Command, Output, Stdio};

fn frazil(arguments: &[&str]) -> Output {
    with_input(arguments, "")
}

fn with_input(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_frazil"))
        .args(arguments)
        .env_remove("NO_COLOR")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    // A command that reads nothing may be gone already.
    let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
    child.wait_with_output().expect("it ends")
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[track_caller]
fn assert_prints(output: &Output, expected: &str) {
    assert_eq!((output.status.code(), stdout(output).as_str()), (Some(0), expected), "{}", stderr(output));
}

fn written(name: &str, text: &str) -> String {
    let path = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text).expect("a folder for tests");
    path.display().to_string()
}

#[test]
fn programs_come_from_files_lines_and_standard_input() {
    let file = written("command_hello.star", "print('hello')\n");
    assert_prints(&frazil(&["run", &file]), "hello\n");
    assert_prints(&frazil(&[&file]), "hello\n");
    assert_prints(&frazil(&["-c", "print(6 * 7)"]), "42\n");
    assert_prints(&frazil(&["run", "-c", "x = 1; print(x)\nprint(json.encode([x]))"]), "1\n[1]\n");
    assert_prints(&with_input(&["-"], "print('piped')"), "piped\n");
    assert_prints(&with_input(&["run", "-"], "print('piped')"), "piped\n");
    assert_prints(&frazil(&["-c", "x = 0\nwhile x < 2: x += 1\nprint(x)", "--extended"]), "2\n");
    assert_prints(&frazil(&["--extended", "-c", "x = 0\nwhile x < 2: x += 1\nprint(x)"]), "2\n");
}

#[test]
fn the_exit_status_tells_what_kind_of_thing_went_wrong() {
    let status = |arguments: &[&str]| frazil(arguments).status.code();
    assert_eq!(status(&["-c", "x = 1"]), Some(0));
    assert_eq!(status(&["-c", "fail('no')"]), Some(1));
    assert_eq!(status(&["-c", "x = ("]), Some(1));
    assert_eq!(status(&["run", "no/such/file.star"]), Some(2));
    assert_eq!(status(&["run", "--no-such-option", "x.star"]), Some(2));
    assert_eq!(status(&["run", "-c", "x = 1", "file.star"]), Some(2));
    assert_eq!(status(&["dance"]), Some(2));
    assert_eq!(status(&[]), Some(2));
}

#[test]
fn errors_have_colours_when_somebody_looks_or_asks() {
    let colored = |output: &Output| stderr(output).contains("\u{1b}[");
    assert!(!colored(&frazil(&["-c", "x"])), "a pipe is no terminal");
    assert!(colored(&frazil(&["-c", "x", "--color", "always"])));
    assert!(!colored(&frazil(&["-c", "x", "--color=never"])));
    assert_eq!(frazil(&["-c", "x", "--color", "blue"]).status.code(), Some(2));
}

#[test]
fn every_command_is_explained() {
    for topic in ["run", "check", "repl", "heap", "tune", "fuzz", "errors"] {
        let help = frazil(&["help", topic]);
        assert_eq!(help.status.code(), Some(0));
        assert!(stdout(&help).len() > 500, "{topic}");
        assert!(stdout(&help).lines().all(|line| line.chars().count() <= 128), "{topic}");
    }
    assert!(stdout(&frazil(&["--help"])).contains("frazil repl"));
}

#[test]
fn an_error_in_a_loaded_module_says_where_it_was_loaded() {
    written("command_wrong.star", "x = (1\ny = 2\nz = null null\n");
    let main = written("command_main.star", "load('command_wrong.star', 'x')\n");
    let output = frazil(&[&main]);
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("command_wrong.star:2:1"), "{said}");
    assert!(said.contains("the module is loaded here") && said.contains("command_main.star:1:6"), "{said}");
}

#[test]
fn a_session_without_a_person_is_a_program() {
    assert_prints(&with_input(&["repl"], "x = 1\nx = 2\nwhile x < 5: x += 1\nx\nprint(x)\n"), "5\n");
    let failed = with_input(&["repl"], "fail('no')");
    assert_eq!(failed.status.code(), Some(1));
}
