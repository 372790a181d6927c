//! Programs in C, built against this crate's header and libraries, and what they came to.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Mutex, PoisonError};

/// What is asked of every program.
const STRICT: [&str; 6] = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-O1", "-g"];

/// A file of this crate.
pub fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A folder for what the test named `test` makes.
pub fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    std::fs::create_dir_all(&folder).expect("a folder for the test");
    folder
}

/// Where the libraries are: beside this test.
pub fn libraries() -> PathBuf {
    let this = std::env::current_exe().expect("a test knows its own file");
    let found = this.ancestors().skip(1).find(|folder| folder.join("libfrazil_c.a").is_file());
    found.expect("the libraries are built with their tests").to_owned()
}

/// Does this command do nothing successfully? If not, a word about it, past the test harness.
pub fn is_there(command: &str, arguments: &[&str]) -> bool {
    let found = Command::new(command).args(arguments).output().is_ok_and(|output| output.status.success());
    if !found {
        let _ = writeln!(std::io::stderr(), "skipped: there is no `{command} {}`", arguments.join(" "));
    }
    found
}

/// Can C be compiled, with these flags?
pub fn compiles(flags: &[&str]) -> bool {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let program = folder("compiles").join(format!("empty{}.c", flags.len()));
    std::fs::write(&program, "int main(void) { return 0; }\n").expect("a file");
    let (program, made) =
        (program.display().to_string(), program.with_extension("out").display().to_string());
    is_there("cc", &[flags, &[program.as_str(), "-o", &made]].concat())
}

/// Runs a command that is to succeed, and gives back what it said.
pub fn run<S: AsRef<OsStr>>(command: impl AsRef<OsStr>, arguments: impl IntoIterator<Item = S>) -> String {
    let mut command = Command::new(command);
    let output = command.args(arguments).env("LC_ALL", "C").output();
    let Output { status, stdout, stderr } = output.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (out, err) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{command:?}: {status}\n{out}{err}");
    assert!(!err.contains("panicked"), "{err}");
    out.into_owned()
}

/// Builds a program of the examples with the static library.
pub fn build(test: &str, example: &str, flags: &[&str]) -> PathBuf {
    let program = folder(test).join(example);
    let source = file("examples").join(example);
    let sources = match source.is_dir() {
        true => {
            std::fs::read_dir(&source).expect("a folder").map(|entry| entry.expect("a file").path()).collect()
        }
        false => vec![source.with_extension("c")],
    };
    let mut arguments: Vec<String> = STRICT.iter().chain(flags).map(ToString::to_string).collect();
    let is_c = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "c");
    arguments.extend(sources.into_iter().filter(is_c).map(|path| path.display().to_string()));
    arguments.push(format!("-I{}", file("include").display()));
    arguments.push(libraries().join("libfrazil_c.a").display().to_string());
    arguments.extend(["-lpthread", "-lm"].map(str::to_owned));
    arguments.extend(cfg!(target_os = "linux").then(|| "-ldl".to_owned()));
    arguments.extend(["-o".to_owned(), program.display().to_string()]);
    run("cc", arguments);
    program
}

/// What the Lisp's programs print, whatever their size and the settings.
pub const LISP: [(&str, &str); 4] = [
    ("trees", "trees 2047\n"),
    ("queens", "queens 4\n"),
    ("rings", "rings 12160\n"),
    ("strings", "strings t\n"),
];

/// Runs each of the Lisp's programs by `command` (the Lisp itself, or something that runs it) with these options.
pub fn run_lisp(command: &[&str], options: &[&str], sizes: [u32; 4]) {
    for ((name, expected), size) in LISP.into_iter().zip(sizes) {
        let prelude = file("examples/lisp/prelude.lisp").display().to_string();
        let program = file("examples/lisp").join(name).with_extension("lisp").display().to_string();
        let size = size.to_string();
        let arguments = [&command[1..], options, &["--size", &size, &prelude, &program]].concat();
        assert_eq!(run(command[0], arguments), expected, "{name} with {options:?}");
    }
}
