//! The command line: where programs come from, exit statuses, colours, help.

use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
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
#[cfg(target_os = "linux")]
fn what_does_not_arrive_is_told() {
    let file = written("command_full.star", "print('lost')\n");
    let words: [&[&str]; 8] = [
        &["run", &file],
        &["check", &file],
        &["heap", &file, "--out", &(file.clone() + ".heap")],
        &["fuzz", "--cases", "1", "--seed", "1"],
        &["fuzz", "--list-faults"],
        &["help", "run"],
        &["--help"],
        &["--version"],
    ];
    for words in words {
        let full = std::fs::File::create("/dev/full").expect("a device that is always full");
        let mut command = Command::new(env!("CARGO_BIN_EXE_frazil"));
        let output = command.args(words).stdout(full).output().expect("the command starts");
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{words:?}: {said}");
        assert!(said.contains("cannot write standard output: No space"), "{words:?}: {said}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_standard_error_changes_no_exit_status() {
    let words: [(&[&str], i32); 8] = [
        (&["-c", "fail('no')"], 1),
        (&["fly"], 2),
        (&["run", "no/such"], 2),
        (&["check", "no/such"], 2),
        (&["heap", "no/such"], 2),
        (&["tune", "no/such"], 2),
        (&["fuzz", "--replay", "no/such"], 2),
        (&["fuzz", "--texts", "no/such"], 2),
    ];
    for (words, status) in words {
        let full = std::fs::File::create("/dev/full").expect("a device that is always full");
        let mut command = Command::new(env!("CARGO_BIN_EXE_frazil"));
        let output = command.args(words).stderr(full).output().expect("the command starts");
        assert_eq!(output.status.code(), Some(status), "{words:?}");
    }
}

#[test]
fn no_two_things_go_to_one_file() {
    let program = written("command_apart.json", "x = 1\n");
    let trace = written("command_apart.frz", "");
    let link = trace.clone() + ".link";
    let _ = std::fs::remove_file(&link);
    std::os::unix::fs::symlink(&trace, &link).expect("a link");
    let stem = program.trim_end_matches(".json");
    let wrong: [(&[&str], &str); 4] = [
        (&["run", "--record", &trace, "--stats-json", &trace, &program], "cannot write two things to "),
        (&["run", "--record", &trace, "--stats-json", &link, &program], "it is the same file as "),
        (&["heap", "--out", stem, &program], "that is the program to be run\n"),
        (&["tune", "--out", stem, &program], "that is the program to be run\n"),
    ];
    for (words, what) in wrong {
        let output = frazil(words);
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        assert!(stderr(&output).contains(what), "{words:?}: {}", stderr(&output));
    }
    assert_eq!(std::fs::read_to_string(&program).ok().as_deref(), Some("x = 1\n"));
    assert_prints(&frazil(&["run", "--record", "/dev/null", "--stats-json", "/dev/null", &program]), "");
}

#[test]
fn wrong_numbers_files_and_folders_are_told_in_words() {
    let file = written("command_good.star", "x = 1\n");
    let latin = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("command_latin.star");
    std::fs::write(&latin, b"x = 1\ny = '\xe9'\n").expect("a folder for tests");
    let latin = latin.display().to_string();
    let folder = env!("CARGO_TARGET_TMPDIR");
    let wrong: [(&[&str], &str); 15] = [
        (&["run", "--jobs", "many", &file], "frazil: \"many\" is no number of threads: 0 to 1024\n"),
        (&["check", "--jobs", "100000", &file], "frazil: \"100000\" is no number of threads: 0 to 1024\n"),
        (&["tune", "--seconds", "0", &file], "frazil: \"0\" is no number of seconds: 1 or more"),
        (&["fuzz", "--cases", "1.5"], "frazil: \"1.5\" is no number of cases: 1 or more"),
        (&["fuzz", "--seed", "-1"], "frazil: \"-1\" is no seed"),
        (&["run", &latin], "command_latin.star: line 2 is no UTF-8"),
        (&["check", &latin], "command_latin.star: line 2 is no UTF-8"),
        (&["check", "no/such"], "frazil: cannot read no/such: No such file or directory (os error 2)\n"),
        (&["tune", "--out", "no/such/x", &file], "cannot write no/such/x: there is no folder no/such\n"),
        (&["heap", "--out", "no/such/x", &file], "cannot write no/such/x: there is no folder no/such\n"),
        (&["run", "--stats-json", "no/such/x", &file], "there is no folder no/such\n"),
        (&["fuzz", "--cases", "1", "--save", "no/such/x"], "there is no folder no/such\n"),
        (&["run", "--stats-json", folder, &file], "that is a folder\n"),
        (&["run", "--stats-json", "", &file], "cannot write a file without a name\n"),
        (&["fuzz", "--cases", "1", "--save", folder], "that is a folder\n"),
    ];
    for (words, what) in wrong {
        let output = frazil(words);
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        assert!(stderr(&output).contains(what), "{words:?}: {}", stderr(&output));
    }
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

/// A program that has been started, has filled a pipe's worth, and will not end by itself.
fn endless(command: &mut Command) -> std::process::Child {
    let mut child =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command starts");
    let mut begun = [0; 1 << 16];
    child.stdout.as_mut().expect("a pipe").read_exact(&mut begun).expect("it prints");
    child
}

/// Are these tests run by a shell in the background, which has them, and the command, ignore Ctrl-C?
fn ignores_interrupts() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.and_then(|set| u64::from_str_radix(set.trim(), 16).ok()).is_some_and(|set| set & 2 != 0)
}

#[test]
fn ctrl_c_ends_a_program_like_an_error() {
    let program = "print('x' * 70000)\nprint('the end')\n[None for _ in range(1 << 60) if False]\n";
    let file = written("endless.star", program);
    let interrupt = |child: &std::process::Child, signal: &str| {
        let sent = Command::new("kill").args([signal, &child.id().to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()));
    };
    for (signal, number) in [("-INT", 2), ("-TERM", 15)] {
        if number == 2 && ignores_interrupts() {
            println!("skipped: Ctrl-C is ignored here");
            continue;
        }
        for jobs in ["1", "2"] {
            let mut command = Command::new(env!("CARGO_BIN_EXE_frazil"));
            let child = endless(command.args(["run", "--stats", "--jobs", jobs, &file]));
            interrupt(&child, signal);
            let output = child.wait_with_output().expect("it ends");
            assert_eq!(output.status.signal(), Some(number), "{output:?}");
            // What it printed has arrived, and the place is told.
            assert!(stdout(&output).ends_with("x\nthe end\n"));
            let said = stderr(&output);
            assert!(said.contains("error: the program was cancelled\n") && said.contains(":3:"), "{said}");
            assert!(said.contains("  collections "), "{said}");
        }
    }
    // What was started to ignore it, as shells start what runs in the background, does.
    let shell = format!("trap '' INT; exec {} run {file}", env!("CARGO_BIN_EXE_frazil"));
    let mut child = endless(Command::new("sh").args(["-c", &shell]));
    interrupt(&child, "-INT");
    std::thread::sleep(std::time::Duration::from_millis(100));
    assert!(child.try_wait().is_ok_and(|ended| ended.is_none()) || !cfg!(target_os = "linux"));
    child.kill().and_then(|()| child.wait()).expect("it ends");
}
