//! Recording and tuning from the command line.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

const PROGRAM: &str = "\
def work():
    kept = []
    for i in range(20000):
        kept = kept[-50:] + [(i, str(i))]
    return len(kept)
print(work())
";

fn frazil(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_frazil")).args(words).output().expect("the command runs")
}

/// A folder of this test's own, with the program in it.
fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("work.star"), PROGRAM).expect("a file");
    folder
}

#[test]
fn a_recorded_program_can_be_played_and_a_bad_trace_is_refused() {
    let folder = folder("record");
    let path = |name: &str| folder.join(name).to_string_lossy().into_owned();
    // What a file is called does not matter.
    let (program, trace, bad) = (path("work.star"), path("trace.star"), path("bad.frz"));
    let recorded = frazil(&["run", "--record", &trace, &program]);
    assert!(recorded.status.success(), "{recorded:?}");
    assert_eq!(recorded.stdout, b"51\n");
    let played = frazil(&["run", "--check", "--stats", &trace]);
    assert!(played.status.success(), "{played:?}");
    assert!(String::from_utf8_lossy(&played.stderr).contains("collections"), "{played:?}");
    let bytes = fs::read(&trace).expect("the trace");
    fs::write(&bad, &bytes[..bytes.len() / 2]).expect("a file");
    for command in ["run", "tune"] {
        let refused = frazil(&[command, &bad]);
        assert_eq!(refused.status.code(), Some(2), "{refused:?}");
        assert!(String::from_utf8_lossy(&refused.stderr).contains("ends too early"), "{refused:?}");
    }
}

#[test]
fn tuning_tells_and_writes_reports() {
    let folder = folder("tune");
    let path = |name: &str| folder.join(name).to_string_lossy().into_owned();
    let (program, out) = (path("work.star"), path("report"));
    let tuned = frazil(&["tune", "--seconds", "2", "--quiet", "--out", &out, &program]);
    assert!(tuned.status.success(), "{tuned:?}");
    let said = String::from_utf8_lossy(&tuned.stdout);
    assert!(said.starts_with("keep the default (") || said.starts_with("use nursery "), "{said}");
    let html = fs::read_to_string(path("report.html")).expect("a report");
    assert!(html.starts_with("<!DOCTYPE html>") && !html.contains("http:"));
    let json = fs::read_to_string(path("report.json")).expect("figures");
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["default"]["nursery_bytes"], 2 << 20);
    assert!(fs::read_to_string(path("report.csv")).expect("figures").lines().count() > 1);
}

#[test]
fn a_program_that_fails_cannot_be_tuned() {
    let folder = folder("fail");
    let path = |name: &str| folder.join(name).to_string_lossy().into_owned();
    fs::write(path("bad.star"), "fail('on purpose')\n").expect("a file");
    let tuned = frazil(&["tune", "--seconds", "1", &path("bad.star")]);
    assert_eq!(tuned.status.code(), Some(1), "{tuned:?}");
    assert!(String::from_utf8_lossy(&tuned.stderr).contains("on purpose"), "{tuned:?}");
    assert!(!String::from_utf8_lossy(&tuned.stderr).contains("elapsed_ns"), "{tuned:?}");
    assert_eq!(frazil(&["tune", &path("none.star")]).status.code(), Some(2));
}

#[test]
fn a_program_without_end_is_given_up_and_nothing_runs_on_when_tuning_is_killed() {
    let folder = folder("endless");
    let path = |name: &str| folder.join(name).to_string_lossy().into_owned();
    fs::write(path("endless.star"), "def f():\n    for i in range(1 << 40):\n        pass\nf()\n")
        .expect("a file");
    let tuned = frazil(&["tune", "--seconds", "1", &path("endless.star")]);
    assert_eq!(tuned.status.code(), Some(1), "{tuned:?}");
    assert!(String::from_utf8_lossy(&tuned.stderr).contains("it took longer than 1.0 s"), "{tuned:?}");

    // What a trial would find if its parent had been killed: the other end of standard input is closed.
    let trial = frazil(&["run", "--trial", &path("endless.star")]);
    assert_eq!(trial.status.code(), Some(1), "{trial:?}");
}

#[test]
fn no_program_is_written_over() {
    let folder = folder("over");
    let path = |name: &str| folder.join(name).to_string_lossy().into_owned();
    let program = path("work.star");
    // The same file by another name.
    let other = path("../over/work.star");
    for option in ["--record", "--stats-json"] {
        let refused = frazil(&["run", option, &other, &program]);
        assert_eq!(refused.status.code(), Some(2), "{refused:?}");
        assert!(String::from_utf8_lossy(&refused.stderr).contains("that is the program"), "{refused:?}");
        assert_eq!(fs::read_to_string(&program).expect("the program"), PROGRAM);
    }
}
