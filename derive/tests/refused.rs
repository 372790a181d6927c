//! What does not compile: one program in `refused` for each hazard that is a matter of types (S1 to S9), and one for each
//! refusal of the derive.
//!
//! The exact words of the compiler differ from version to version, so there are no files of expected output. Each program
//! says in lines that begin with `//~` what must be found in the errors; the lines are those of our own messages, or of
//! the compiler's that have not changed for long.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

fn programs() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/refused");
    let mut programs: Vec<PathBuf> =
        fs::read_dir(folder).expect("the programs").map(|entry| entry.expect("a program").path()).collect();
    programs.sort();
    programs
}

/// Where copies of the programs are compiled, and their errors written.
fn copies() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("refused")
}

/// Compiles the copies. It is started by the test below, with the environment that makes `trybuild` write errors down.
#[test]
#[ignore = "a part of the other test"]
fn compile() {
    let cases = trybuild::TestCases::new();
    // Some refusals come with the machine code, which is not made unless something is to run.
    cases.pass("tests/accepted.rs");
    cases.compile_fail(copies().join("*.rs"));
}

#[test]
fn every_program_is_refused_with_the_reason() {
    let _ = fs::remove_dir_all(copies());
    fs::create_dir_all(copies()).expect("a folder");
    for program in programs() {
        fs::copy(&program, copies().join(program.file_name().expect("a name"))).expect("a copy");
    }
    let compiled = Command::new(env::current_exe().expect("this program"))
        .args(["--exact", "compile", "--ignored", "--nocapture"])
        .env("TRYBUILD", "overwrite")
        .output()
        .expect("it runs");
    let output = String::from_utf8_lossy(&compiled.stdout) + String::from_utf8_lossy(&compiled.stderr);
    assert!(compiled.status.success(), "{output}");
    let missing: Vec<String> = programs().iter().flat_map(|program| missing(program)).collect();
    assert!(missing.is_empty(), "{}", missing.join("\n\n"));
}

/// What a program says must be found in its errors, and is not.
fn missing(program: &Path) -> Vec<String> {
    let name = program.file_stem().expect("a name").to_string_lossy();
    let text = fs::read_to_string(program).expect("a text");
    let Ok(errors) = fs::read_to_string(copies().join(format!("{name}.stderr"))) else {
        return vec![format!("{name}: no errors were written down")];
    };
    // Lines of errors are broken anywhere.
    let flat = |text: &str| text.split_whitespace().filter(|&word| word != "|").collect::<Vec<_>>().join(" ");
    let expected: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("//~ ")).collect();
    assert!(!expected.is_empty(), "{name} says what is wrong with it");
    let lacks = |line: &&&str| !flat(&errors).contains(&flat(line));
    expected.iter().filter(lacks).map(|line| format!("{name}: not found: {line}\nin\n{errors}")).collect()
}
