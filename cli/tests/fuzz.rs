//! `frazil fuzz` as a person uses it: through the built command.

use std::path::PathBuf;
use std::process::{Command, Output};

/// Two counted objects that a traced one keeps.
const SMALL: &str = "heap\nn0 = leaf ()\nn1 = pair (n0, -) ; it refers to n0\nn2 = cell (n1)\nroot n2\n\
    collect complete\n";

fn fuzz(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_frazil"));
    command.arg("fuzz").args(arguments).output().expect("the command starts")
}

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// A file with this text.
fn written(name: &str, text: impl AsRef<[u8]>) -> String {
    let path = file(name);
    std::fs::write(&path, text).expect("a folder for tests");
    path.display().to_string()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_history_is_replayed_step_by_step() {
    let file = written("small.history", SMALL);
    let output = fuzz(&["--replay", &file]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{text}{}", stderr(&output));
    let begins = "step 0: n0 = leaf ()\n    n0 leaf     young   count 0\nstep 1: n1 = pair (n0, -)\n";
    assert!(text.starts_with(begins), "{text}");
    let (_, collected) =
        text.split_once("step 4: collect complete (a complete collection)\n").expect("the step");
    let (old, _) = collected.split_once("at the end").expect("the end");
    let mut old: Vec<&str> = old.lines().map(str::trim).collect();
    old.sort_unstable();
    let expected = [
        "n0 leaf     counted count 1",
        "n1 pair     counted count 0  retained  -> n0, #",
        "n2 cell     traced  count 0  retained  -> n1",
    ];
    assert_eq!(old, expected);
    assert!(text.ends_with("collections\n") && text.contains("\nnothing failed: 5 steps, "), "{text}");

    let quiet = fuzz(&["--replay", &file, "--quiet"]);
    assert_eq!((quiet.status.code(), stdout(&quiet).lines().count()), (Some(0), 1));
}

#[test]
fn a_file_that_is_no_history_is_refused_with_its_line() {
    for (name, text, line, expected) in [
        ("foreign", &b"def f():\n    pass\n"[..], 1, "expected the settings: heap "),
        ("step", b"heap\nroot n1\njump n2\n", 3, "expected a step"),
        ("form", b"heap\ncollect sometimes\n", 2, "expected collect short"),
        ("settings", b"heap counts 0\n", 1, "counts must reach at least 1"),
        ("binary", b"heap\n\xff\xfe\n", 2, "a history, which is text"),
        ("empty", b"", 1, "expected the settings"),
    ] {
        let file = written(name, text);
        let output = fuzz(&["--replay", &file]);
        assert_eq!(output.status.code(), Some(2), "{name}");
        let error = stderr(&output);
        assert!(
            error.starts_with(&format!("frazil: {file}:{line}: ")) && error.contains(expected),
            "{error}"
        );
    }
    let output = fuzz(&["--replay", "/there/is/no/such/file"]);
    assert!(output.status.code() == Some(2) && stderr(&output).contains("cannot read"));
}

#[test]
fn a_sound_collector_passes_and_the_table_says_what_happened() {
    let output = fuzz(&["--cases", "300", "--seed", "5", "--jobs", "2"]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{text}{}", stderr(&output));
    assert!(text.starts_with("seed 5\n") && text.ends_with("nothing failed\n"), "{text}");
    assert!(text.contains("         300 histories\n") && text.contains(" cases/s, "), "{text}");
}

#[test]
fn a_fault_is_found_shrunk_written_and_found_again() {
    let path = file("fault.history").display().to_string();
    let output = fuzz(&["--fault", "skipped-count", "--seed", "1", "--cases", "1000", "--save", &path]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(1), "{text}{}", stderr(&output));
    assert!(
        text.contains("shrunk, it fails:\nat step") && text.contains(&format!("written to {path}")),
        "{text}"
    );

    let again = fuzz(&["--replay", &path, "--fault", "skipped-count"]);
    assert_eq!(again.status.code(), Some(1), "{}", stdout(&again));
    assert!(stdout(&again).lines().any(|line| line.starts_with("failed at ")), "{}", stdout(&again));
    // The history is to blame for nothing.
    assert_eq!(fuzz(&["--replay", &path, "--quiet"]).status.code(), Some(0));
}

#[test]
fn a_fault_between_heaps_is_found_though_it_takes_the_process_with_it() {
    let path = file("fault.world").display().to_string();
    let fault = ["--worlds", "--fault", "judged-at-once", "--cases", "1000", "--save", &path];
    for seed in ["1", "5"] {
        let output = fuzz(&[&fault[..], &["--seed", seed]].concat());
        assert_eq!(output.status.code(), Some(1), "{}{}", stdout(&output), stderr(&output));
        assert!(stdout(&output).starts_with("fault judged-at-once: "), "{}", stdout(&output));
    }
}

#[test]
fn wrong_arguments_are_refused_and_help_helps() {
    for wrong in [&["--cases", "x"] as &[&str], &["--fault", "none"], &["--quiet"], &["--frob"]] {
        assert_eq!(fuzz(wrong).status.code(), Some(2), "{wrong:?}");
    }
    let help = fuzz(&["--help"]);
    assert!(help.status.success() && stdout(&help).contains("usage: frazil fuzz"));
    assert_eq!(stdout(&fuzz(&["--list-faults"])).lines().count(), fuzz::faults::Defect::all().count());
}

#[test]
fn programs_come_to_the_same_with_and_without_collections() {
    let output = fuzz(&["--programs", "--cases", "40", "--seed", "5", "--jobs", "2"]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{text}{}", stderr(&output));
    assert!(text.starts_with("seed 5\n") && text.ends_with("nothing failed\n"), "{text}");
    assert!(text.contains("          40 programs\n") && text.contains(" programs/s\n"), "{text}");
}

#[test]
fn texts_do_no_harm() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/shop.star");
    let output = fuzz(&["--texts", "--cases", "40", "--seed", "5", "--jobs", "2", file]);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("40 texts, ") && text.contains(" texts/s"), "{text}");
    assert_eq!(fuzz(&["--texts", "no such file"]).status.code(), Some(2));
}

#[test]
fn a_forgotten_root_is_found_and_the_program_can_be_run() {
    let path = file("forgotten.star").display().to_string();
    let words = ["--programs", "--fault", "loop-state", "--seed", "1", "--cases", "50", "--save", &path];
    let output = fuzz(&words);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(1), "{text}{}", stderr(&output));
    assert!(
        text.contains("the place was not rooted") && text.contains(&format!("written to {path}")),
        "{text}"
    );

    // Nothing is wrong with the program.
    let (_, command) = text.rsplit_once(": frazil ").expect("how to run it");
    let run = Command::new(env!("CARGO_BIN_EXE_frazil")).args(command.split_whitespace()).output();
    let run = run.expect("the command starts");
    assert_ne!(run.status.code(), Some(2), "{}", stderr(&run));
    assert_eq!(
        stdout(&fuzz(&["--programs", "--list-faults"])).lines().count(),
        fuzz::program::mistakes().count()
    );
}
