//! `frazil repl` as a person uses it: on a terminal, which the `script` of util-linux provides.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

/// What a terminal shows of a session in which these keys are pressed, or nothing if there is no terminal to be had.
fn session(name: &str, keys: &[&str]) -> Option<String> {
    let folder = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).expect("a folder for tests");
    std::fs::write(folder.join("lib.star"), "def twice(x): return 2 * x\n").expect("a file for tests");
    let command = format!("{} repl --color never --history history", env!("CARGO_BIN_EXE_frazil"));
    let child = Command::new("script")
        .args(["--quiet", "--return", "--command", &command, "/dev/null"])
        .current_dir(&folder)
        .env("TERM", "xterm")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut child) = child else {
        eprintln!("skipped: there is no command `script` to make a terminal");
        return None;
    };
    let mut input = child.stdin.take().expect("a pipe");
    for key in keys {
        // The editor must have taken the terminal over, or given it back to the program that is to be interrupted.
        std::thread::sleep(Duration::from_millis(250));
        input.write_all(key.as_bytes()).expect("the session goes on");
    }
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(0));
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn values_are_shown_and_blocks_go_on() {
    let keys = [
        "xs = [1,\r2]\r",
        "xs.append(40)\r",
        "load('lib.star', 'twice')\r",
        "def sum(xs):\r    n = 0\r    for x in xs: n += x\r    return n\r\r",
        "'sum: ' + str(twice(sum(xs)))\r",
        "len(_)\r",
        ":quit\r",
    ];
    let Some(shown) = session("repl_values", &keys) else { return };
    assert!(shown.contains("\"sum: 86\"\r\n"), "{shown}");
    assert!(shown.contains("\r\n7\r\n"), "{shown}");
    let history = std::env!("CARGO_TARGET_TMPDIR").to_owned() + "/repl_values/history";
    assert!(std::fs::read_to_string(history).is_ok_and(|text| text.contains("xs.append(40)")));
}

#[test]
fn an_error_or_an_interruption_ends_no_session() {
    let keys = ["1 // 0\r", "while True: pass\r", "\u{3}", "given up\u{3}", "'still ' + 'here'\r", "\u{4}"];
    let Some(shown) = session("repl_errors", &keys) else { return };
    assert!(shown.contains("error: floored division by zero"), "{shown}");
    assert!(shown.contains(" --> <input 1>:1:3"), "{shown}");
    assert!(shown.contains("error: the program was cancelled"), "{shown}");
    assert!(shown.contains("\"still here\"\r\n"), "{shown}");
}

#[test]
fn names_are_completed() {
    let Some(shown) = session("repl_names", &["json.enc\t([None])\r", "\u{4}"]) else { return };
    assert!(shown.contains("\"[null]\"\r\n"), "{shown}");
}
