//! `frazil check` as a person uses it: through the built command.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// A folder of this test's own, with these files.
fn folder(name: &str, files: &[(&str, &str)]) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    for (file, text) in files {
        let path = folder.join(file);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder for tests");
        fs::write(path, text).expect("a file for tests");
    }
    folder
}

fn check(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_frazil"));
    command.current_dir(folder).arg("check").args(arguments).output().expect("the command starts")
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The one-line forms of what was found, and the summary.
fn found(folder: &Path, arguments: &[&str]) -> (Vec<String>, Value) {
    let output = check(folder, &[&["--json"], arguments].concat());
    let lines = stdout(&output);
    let mut objects: Vec<Value> =
        lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let summary = objects.pop().expect("a summary")["summary"].clone();
    let line = |object: &Value| {
        let at = &object["span"]["start"];
        let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
        format!(
            "{}:{}:{} {} {}: {}",
            text(&object["file"]),
            at["line"],
            at["column"],
            text(&object["level"]),
            text(&object["kind"]),
            text(&object["message"])
        )
    };
    (objects.iter().map(line).collect(), summary)
}

#[test]
fn all_below_a_folder_is_checked_in_order() {
    let folder = folder(
        "check_order",
        &[
            ("b/x.star", "x = y\n"),
            ("a/BUILD", "cc_library(name = 'a')\nx = 1\nx = glob(['*'])\n"),
            ("a/z.bzl", "r = rule(implementation = lambda ctx: None)\nq = cc_library\n"),
            ("a.star", "f(\n"),
            ("notes.txt", "not a program (\n"),
            (".hidden/x.star", "(\n"),
        ],
    );
    let expected = [
        "a/z.bzl:2:5 error scope: undefined: cc_library",
        "a.star:2:1 error syntax: got end of file, want ')'",
        "b/x.star:1:5 error scope: undefined: y",
    ];
    for jobs in ["1", "2", "7"] {
        let (lines, summary) = found(&folder, &["--jobs", jobs, "."]);
        assert_eq!(lines, expected);
        assert_eq!((&summary["files"], &summary["errors"]), (&Value::from(4), &Value::from(3)));
    }
    let (lines, _) = found(&folder, &["notes.txt"]);
    assert_eq!(lines.len(), 1, "a file that is named is checked whatever its name is");
}

#[test]
fn names_of_the_host_are_given() {
    let files = [("x.star", "y = host(env)\n"), ("prelude.star", "host = len\nenv = []\n_own = 1\n")];
    let folder = folder("check_names", &files);
    let errors = |arguments: &[&str]| found(&folder, arguments).0.len();
    assert_eq!(errors(&["x.star"]), 2);
    assert_eq!(errors(&["--predeclared", "host", "x.star"]), 1);
    assert_eq!(errors(&["--predeclared", "host,env", "x.star"]), 0);
    assert_eq!(errors(&["--prelude", "prelude.star", "x.star"]), 0);
    assert_eq!(errors(&["--any-name", "x.star"]), 0);
    assert_eq!(check(&folder, &["--prelude", "none.star", "x.star"]).status.code(), Some(2));
}

#[test]
fn loads_are_followed() {
    let folder = folder(
        "check_loads",
        &[
            ("lib.star", "def append(): pass\n_hidden = 1\nload('far.star', 'far')\n"),
            ("far.star", "far = 1\n"),
            ("wrong.star", "x = (\n"),
            (
                "main/main.star",
                "load('lib.star', 'append', a = 'apend')\nload('none.star', 'x')\nload('lib.star', 'far')\n\
                 load('@other//:x.bzl', 'y')\nload('wrong.star', 'z')\nload('//:far.star', f = 'far')\n",
            ),
        ],
    );
    let expected = [
        "main/main.star:1:33 error load: load: name apend not found in module lib.star (did you mean append?)",
        "main/main.star:2:6 warning load: cannot find the module none.star",
        "main/main.star:3:19 error load: load: name far not found in module lib.star",
    ];
    let (lines, summary) = found(&folder, &["main"]);
    assert_eq!(lines, expected);
    assert_eq!(summary["loads_not_followed"], 1);
    // Modules that are checked themselves come to the same.
    let (lines, _) = found(&folder, &["lib.star", "far.star", "main"]);
    assert_eq!(lines, expected);
}

#[test]
fn what_comes_from_standard_input_is_checked() {
    let folder = folder("check_dash", &[("lib.star", "a = 1\n")]);
    let mut frazil = Command::new(env!("CARGO_BIN_EXE_frazil"));
    let frazil = frazil.current_dir(&folder).args(["check", "--quiet", "-", "lib.star"]);
    let piped = frazil.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = piped.expect("the command starts");
    let text = b"load('lib.star', 'a', 'b')\nx = a + c\n";
    child.stdin.take().expect("a pipe").write_all(text).expect("it is read");
    let output = child.wait_with_output().expect("it ends");
    let told = stdout(&output);
    assert!(told.contains("name b not found in module lib.star\n --> <standard input>:1:24\n"), "{told}");
    assert!(told.contains("undefined: c\n --> <standard input>:2:9\n"), "{told}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn loads_are_followed_whatever_else_is_wrong() {
    let files = [
        ("lib.star", "abc = 1\n_b = 2\n"),
        ("names.star", "load('lib.star', 'abd')\nload('none.star', 'x')\nload('lib.star', '_b')\ny = z\n"),
        ("text.star", "load('lib.star', 'abd')\nx = (1 2)\n"),
    ];
    let folder = folder("check_loads_and_more", &files);
    let (lines, _) = found(&folder, &["."]);
    let expected = [
        "names.star:1:19 error load: load: name abd not found in module lib.star (did you mean abc?)",
        "names.star:2:6 warning load: cannot find the module none.star",
        "names.star:3:18 error syntax: load: names with leading underscores are not exported: _b",
        "names.star:4:5 error scope: undefined: z",
        "text.star:1:19 error load: load: name abd not found in module lib.star (did you mean abc?)",
        "text.star:2:8 error syntax: got int literal, want ')'",
    ];
    assert_eq!(lines, expected);
    // Where there is no folder, nothing would be found.
    for command in ["check", "run", "heap", "tune"] {
        let mut frazil = Command::new(env!("CARGO_BIN_EXE_frazil"));
        let frazil = frazil.current_dir(&folder).args([command, "--root", "nowhere", "lib.star"]);
        let output = frazil.output().expect("the command starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.starts_with("frazil: --root nowhere: there is no such folder\n"), "{command}: {said}");
        assert_eq!(output.status.code(), Some(2));
    }
}

#[test]
fn a_folder_without_starlark_files_is_told() {
    let folder = folder("check_barren", &[("with/a.star", "x = 1\n"), ("without/a.py", "x = 1\n")]);
    for quiet in [&["--quiet"] as &[&str], &[]] {
        let output = check(&folder, &[quiet, &["with", "without"]].concat());
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0));
        assert!(told.starts_with("frazil: no Starlark file is below without: "), "{told}");
        assert_eq!(told.lines().count(), 1, "{told}");
    }
}

#[test]
fn circles_of_loads_are_found() {
    let files = [
        ("a.star", "load('b.star', 'b')\na = 1\n"),
        ("b.star", "load('c.star', 'c')\nb = 1\n"),
        ("c.star", "c = 1\nload('a.star', 'a')\n"),
    ];
    let (lines, _) = found(&folder("check_circle", &files), &["."]);
    assert_eq!(lines, ["c.star:2:6 error load: cannot load a.star: cycle in load graph"]);
}

#[test]
fn the_exit_status_counts_errors_only() {
    let files =
        [("good.star", "x = 1\n"), ("bad.star", "x = \n"), ("warned.star", "load('none.star', 'x')\n")];
    let folder = folder("check_status", &files);
    let status = |arguments: &[&str]| check(&folder, arguments).status.code();
    assert_eq!(status(&["good.star"]), Some(0));
    assert_eq!(status(&["warned.star"]), Some(0));
    assert_eq!(status(&["bad.star", "good.star"]), Some(1));
    assert_eq!(status(&["none.star"]), Some(2));
    assert_eq!(status(&[]), Some(2));
    let text = stdout(&check(&folder, &["."]));
    assert!(text.ends_with(" s\n") && text.contains("3 files, 1 error, 1 warning in "), "{text}");
    assert!(text.contains(" --> bad.star:1:5\n"), "{text}");
    assert!(!stdout(&check(&folder, &["--quiet", "."])).contains("3 files"));
}

#[test]
fn the_language_is_chosen() {
    let folder = folder("check_dialect", &[("x.star", "x = 1\nx = 2\nwhile x: pass\n")]);
    let errors = |arguments: &[&str]| found(&folder, arguments).0.len();
    assert_eq!(errors(&["x.star"]), 3);
    assert_eq!(errors(&["--dialect", "reassign", "x.star"]), 2);
    assert_eq!(errors(&["--extended", "x.star"]), 0);
}

#[test]
fn real_projects_are_clean() {
    for project in ["rules_python", "bazel-skylib"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/inputs").join(project);
        if !folder.is_dir() {
            eprintln!("skipped: there is no {}", folder.display());
            continue;
        }
        let (lines, summary) = found(&folder, &["."]);
        assert!(summary["files"].as_u64().is_some_and(|files| files >= 20), "{summary}");
        assert_eq!(summary["errors"], 0, "{lines:#?}");
    }
}
