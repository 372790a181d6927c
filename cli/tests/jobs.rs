//! Several programs, and several threads: what is printed and how it ends is the same however many threads there are.

use std::path::PathBuf;
use std::process::{Command, Output};

/// A folder for one test, with files in it.
fn folder(name: &str, files: &[(&str, &str)]) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("jobs").join(name);
    for (file, text) in files {
        let path = folder.join(file);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder for tests");
        std::fs::write(path, text).expect("a folder for tests");
    }
    folder
}

/// What a command printed, what it said, and its exit status.
type Told = (String, String, Option<i32>);

fn told(output: Output) -> Told {
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (text(output.stdout), text(output.stderr), output.status.code())
}

fn run(folder: &PathBuf, arguments: &[&str]) -> Told {
    let mut command = Command::new(env!("CARGO_BIN_EXE_frazil"));
    told(command.arg("run").args(arguments).current_dir(folder).output().expect("the command starts"))
}

/// Runs it without threads, and with several numbers of them; all must tell the same.
#[track_caller]
fn same_everywhere(folder: &PathBuf, arguments: &[&str]) -> Told {
    let alone = run(folder, arguments);
    for jobs in ["1", "2", "2", "2", "3", "5", "0"] {
        let several = run(folder, &[arguments, &["--jobs", jobs]].concat());
        assert_eq!(several, alone, "--jobs {jobs}");
    }
    alone
}

#[test]
fn output_comes_in_the_order_of_the_files() {
    let folder = folder(
        "order",
        &[
            ("slow.star", "load('lib.star', 'work')\nprint('slow', work(20000))"),
            ("quick.star", "load('lib.star', 'work')\nprint('quick', work(1))"),
            (
                "deep/other.star",
                "load('lib.star', 'work')\nload(':own.star', 'own')\nprint('other', work(own))",
            ),
            ("deep/own.star", "print('own')\nown = 7"),
            (
                "lib.star",
                "print('lib')\ndef work(n):\n    x = 1\n    for i in range(n): x = (x * 31 + i) % 1000003\n    return x",
            ),
        ],
    );
    let (out, err, status) = same_everywhere(&folder, &["slow.star", "quick.star", "deep/other.star"]);
    assert_eq!((err.as_str(), status), ("", Some(0)));
    let begins: Vec<&str> = out.lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(begins, ["lib", "slow", "quick", "own", "other"]);
    let (other, ..) = same_everywhere(&folder, &["deep/other.star", "slow.star"]);
    assert!(other.starts_with("lib\nown\nother"), "{other}");
}

#[test]
fn a_file_that_another_one_loads_is_run_once() {
    let folder = folder(
        "once",
        &[
            ("a.star", "load('b.star', 'x')\nload('sub/c.star', 'y')\nprint('a', x, y)"),
            ("b.star", "print('b')\nx = 1"),
            ("sub/c.star", "load('//b.star', 'x')\nprint('c')\ny = x + 1"),
        ],
    );
    let (out, ..) = same_everywhere(&folder, &["a.star", "./b.star", "sub/c.star", "a.star", "./a.star"]);
    assert_eq!(out, "b\nc\na 1 2\n");
}

#[test]
fn errors_are_those_of_one_thread() {
    let folder = folder(
        "errors",
        &[
            ("good.star", "load('lib.star', 'f')\nprint('good', f(2))"),
            ("fails.star", "load('lib.star', 'f')\nprint('before')\nf(0)\nprint('after')"),
            ("wrong.star", "x = (1\ny = 2"),
            ("loads_bad.star", "print('begins')\nload('bad.star', 'x')"),
            ("bad.star", "print('bad')\nx = [1][2]"),
            ("lib.star", "def f(x): return 10 // x"),
            ("misses.star", "load('nowhere.star', 'x')"),
        ],
    );
    let files = ["good.star", "fails.star", "wrong.star", "loads_bad.star", "bad.star", "misses.star"];
    let (out, err, status) = same_everywhere(&folder, &files);
    assert_eq!((out.as_str(), status), ("good 5\nbefore\nbegins\nbad\n", Some(1)));
    let places = ["lib.star:1:21", "wrong.star:2:1", "loads_bad.star:2:6", "bad.star:2:8", "misses.star:1:6"];
    let found: Vec<Option<usize>> = places.iter().map(|place| err.find(place)).collect();
    assert!(found.iter().all(Option::is_some), "{found:?}\n{err}");
    assert!(err.find("fails.star:3:2") < err.find("wrong.star:2:1"), "in the order of the files\n{err}");
    for file in files {
        same_everywhere(&folder, &[file]);
    }
    let (_, json, _) = same_everywhere(&folder, &["fails.star", "bad.star", "--error-format", "json"]);
    assert_eq!(json.lines().count(), 2, "{json}");
}

#[test]
fn nothing_is_run_if_a_file_is_not_there() {
    let folder = folder("missing", &[("a.star", "print('a')")]);
    let (out, err, status) = same_everywhere(&folder, &["a.star", "no_such.star"]);
    assert_eq!((out.as_str(), status), ("", Some(2)));
    assert!(err.contains("cannot read no_such.star"), "{err}");
    for wrong in
        [&["a.star", "-"] as &[&str], &["--jobs", "x", "a.star"], &["--jobs", "2", "--record", "t", "a.star"]]
    {
        assert_eq!(run(&folder, wrong).2, Some(2), "{wrong:?}");
    }
    assert_eq!(run(&folder, &["-c", "print(1)", "--jobs", "2"]).0, "1\n");
}

#[test]
fn a_prelude_is_there_for_all_files() {
    let folder = folder(
        "prelude",
        &[
            ("prelude.star", "print('prelude')\ndef twice(x): return [x, x]"),
            ("a.star", "load('lib.star', 'x')\nprint('a', twice(x), json.encode(x))"),
            ("b.star", "print('b', twice(1))"),
            ("lib.star", "x = twice('lib')"),
        ],
    );
    let (out, err, _) = same_everywhere(&folder, &["a.star", "b.star"]);
    assert_eq!(
        out, "prelude\na [[\"lib\", \"lib\"], [\"lib\", \"lib\"]] [\"lib\",\"lib\"]\nb [1, 1]\n",
        "{err}"
    );
}

#[test]
fn parallel_map_says_what_can_still_change_and_where_it_failed() {
    let folder = folder(
        "map",
        &[
            ("lib.star", "def square(x): return x * x\ndef inverse(x):\n    return 12 // x"),
            ("squares.star", "load('lib.star', 'square')\nprint(parallel_map(square, range(9)))"),
            (
                "fails.star",
                "load('lib.star', 'inverse')\ndef all(xs): return parallel_map(inverse, xs)\nall([3, 0, 0])",
            ),
            ("changes.star", "load('lib.star', 'square')\nparallel_map(square, [1, (2, {})])"),
        ],
    );
    let with = |file| same_everywhere(&folder, &[file, "--dialect", "parallel-map"]);
    assert_eq!(with("squares.star").0, "[0, 1, 4, 9, 16, 25, 36, 49, 64]\n");
    let (_, err, status) = with("fails.star");
    assert_eq!(status, Some(1));
    for part in ["division by zero", "lib.star:3:", "fails.star:2:", "fails.star:3:"] {
        assert!(err.contains(part), "{part} in\n{err}");
    }
    let (_, err, _) = with("changes.star");
    assert!(err.contains("xs[1][1] is a dict that can still change"), "{err}");
    let (_, err, _) = same_everywhere(&folder, &["squares.star"]);
    assert!(err.contains("parallel_map"), "it is no part of the language by default\n{err}");
}

#[test]
fn statistics_are_those_of_all_threads() {
    let module = "xs = [str(i) * 3 for i in range(30000)]\nprint(len(xs))";
    let names: Vec<String> = (0..6).map(|i| format!("m{i}.star")).collect();
    let files: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), module)).collect();
    let folder = folder("stats", &files);
    let allocated = |jobs: &str| {
        let mut arguments: Vec<&str> = names.iter().map(String::as_str).collect();
        arguments.extend(["--stats-json", "-", "--jobs", jobs]);
        let (_, json, _) = run(&folder, &arguments);
        let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        json["allocated_bytes"].as_u64().expect("a number")
    };
    let alone = allocated("1");
    for jobs in ["2", "3"] {
        let several = allocated(jobs);
        assert!(several > alone / 10 * 9, "{several} bytes on {jobs} threads, {alone} on one");
    }
    assert!(run(&folder, &["--stats", "m0.star", "m1.star", "--jobs", "2"]).1.contains("collections"));
}
