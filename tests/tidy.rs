//! What can be checked about the structure of the source is a test.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Folders with source of the project.
const FOLDERS: [&str; 12] = [
    "src",
    "blocks",
    "nursery",
    "retain-bits",
    "derive",
    "starlark",
    "fuzz",
    "cli",
    "capi",
    "tests",
    "benches",
    "examples",
];

/// The only files that may contain the keyword, all in the collector: everything else is safe code.
const UNSAFE: [&str; 37] = [
    "benches/workloads/main.rs",
    "src/ahead.rs",
    "src/burst.rs",
    "src/collect.rs",
    "src/collect/diff.rs",
    "src/collect/promote.rs",
    "src/collect/reach.rs",
    "src/exchange.rs",
    "src/exchange/estate.rs",
    "src/exchange/given.rs",
    "src/exchange/group.rs",
    "src/exchange/immortal.rs",
    "src/exchange/shared.rs",
    "src/finalize.rs",
    "src/heap.rs",
    "src/host.rs",
    "src/object.rs",
    "src/old.rs",
    "src/os.rs",
    "src/os/miri.rs",
    "src/os/unix.rs",
    "src/os/windows.rs",
    "src/planted.rs",
    "src/references.rs",
    "src/roots.rs",
    "src/space.rs",
    "src/space/chunk.rs",
    "src/space/large.rs",
    "src/shaped.rs",
    "src/text.rs",
    "src/value.rs",
    "src/verify.rs",
    "src/weak.rs",
    "tests/burst.rs",
    "tests/collect.rs",
    "tests/references.rs",
    "tests/tidy.rs",
];

/// Hosts declare their tagging (an unsafe trait), and the language makes its one heap, in these; and it can be told to
/// forget roots.
const UNSAFE_HOSTS: [&str; 8] = [
    "fuzz/src/hosts.rs",
    "fuzz/src/program/outcome.rs",
    "fuzz/src/scene.rs",
    "starlark/src/value.rs",
    "starlark/src/engine.rs",
    "starlark/src/engine/heap.rs",
    "starlark/src/machine/planted.rs",
    "starlark/tests/rooting.rs",
];

/// Arenas make objects of Rust's own types; the macro writes the implementations that say where their references are.
const UNSAFE_ARENAS: [&str; 15] = [
    "derive/src/fields.rs",
    "derive/src/lib.rs",
    "src/arena.rs",
    "src/arena/cell.rs",
    "src/arena/erased.rs",
    "src/arena/frame.rs",
    "src/arena/gc.rs",
    "src/arena/plain.rs",
    "src/arena/root.rs",
    "src/arena/session.rs",
    "src/arena/shared.rs",
    "src/arena/trace.rs",
    "src/arena/types.rs",
    "src/arena/unique.rs",
    "src/arena/weak.rs",
];

/// The C interface believes what C says in these; its tests call it as C does.
const UNSAFE_FOREIGN: [&str; 4] =
    ["capi/src/pointer.rs", "capi/src/word.rs", "capi/tests/calls.rs", "capi/tests/random_words.rs"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files with one of these `endings` below `folder`.
fn files_below(folder: &Path, endings: &[&str], found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() {
            // What is built there is not source, what is refused has no rules to keep, and a workspace is an example's own.
            if !["target", "refused", "workspace"].iter().any(|other| path.ends_with(other)) {
                files_below(&path, endings, found);
            }
        } else if path.extension().is_some_and(|extension| endings.iter().any(|&ending| extension == ending))
        {
            found.push(path);
        }
    }
}

/// The files of the project with one of these `endings`, as paths from the root.
fn files(endings: &[&str]) -> BTreeSet<String> {
    let mut paths = Vec::new();
    for folder in FOLDERS {
        files_below(&root().join(folder), endings, &mut paths);
    }
    let relative = |path: &PathBuf| path.strip_prefix(root()).expect("below the root").display().to_string();
    paths.iter().map(relative).collect()
}

/// Every source file: its path from the root, and its text.
fn sources() -> Vec<(String, String)> {
    let text = |path: &String| fs::read_to_string(root().join(path)).expect("a text");
    files(&["rs"]).into_iter().map(|path| (path.clone(), text(&path))).collect()
}

fn offenders(is_wrong: impl Fn(&str, &str) -> bool) -> Vec<String> {
    sources().into_iter().filter(|(path, text)| is_wrong(path, text)).map(|(path, _)| path).collect()
}

#[test]
fn every_file_begins_with_what_it_is_for() {
    assert_eq!(offenders(|_, text| !text.starts_with("//! ")), [""; 0]);
}

#[test]
fn nothing_is_left_for_later() {
    let words = ["TO\x44O", "FIX\x4dE", "XX\x58", "db\x67!(", "todo\x21", "unimplemented\x21"];
    let wrong = |_: &str, text: &str| words.iter().any(|word| text.contains(word));
    assert_eq!(offenders(wrong), [""; 0]);
}

#[test]
fn unsafe_code_is_where_it_may_be() {
    let is_unsafe = |line: &str| {
        let code = line.split("//").next().unwrap_or("");
        code.contains("unsafe {") || code.contains("unsafe fn") || code.contains("unsafe impl")
    };
    let wrong = |path: &str, text: &str| {
        let allowed = [&UNSAFE[..], &UNSAFE_HOSTS, &UNSAFE_ARENAS, &UNSAFE_FOREIGN].concat();
        !allowed.contains(&path) && text.lines().any(is_unsafe)
    };
    assert_eq!(offenders(wrong), [""; 0]);
}

#[test]
fn the_leaf_crates_know_nothing_of_each_other() {
    for leaf in ["blocks", "nursery", "retain-bits"] {
        let manifest = fs::read_to_string(root().join(leaf).join("Cargo.toml")).expect("a manifest");
        let (_, dependencies) = manifest.split_once("[dependencies]").expect("a list of dependencies");
        for other in ["frazil", "blocks", "nursery", "retain-bits", "path"] {
            assert!(!dependencies.contains(other), "{leaf} depends on {other}");
        }
    }
}

/// What is published of a package is its folder, and nothing above: the licenses ask to go along.
#[test]
fn every_package_carries_its_licenses() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("a manifest");
    let members =
        manifest.split_once("members = [").and_then(|(_, rest)| rest.split_once(']')).expect("members").0;
    for member in members.split('"').skip(1).step_by(2) {
        for license in ["LICENSE-MIT", "LICENSE-APACHE"] {
            let text = |folder: &Path| fs::read_to_string(folder.join(license)).ok();
            assert_eq!(text(&root().join(member)), text(root()), "{license} of {member}");
        }
    }
}

/// How the names of files with code end.
const CODE: [&str; 5] = ["rs", "c", "h", "py", "sh"];

/// The files that the code map in NOTES.md names: `` `name.rs` `` in a table row of a section headed by a folder.
fn mapped(notes: &str) -> BTreeSet<String> {
    let (_, map) = notes.split_once("## Code map").expect("NOTES.md has a code map");
    let map = map.split("\n## ").next().unwrap_or(map);
    let mut folder = String::new();
    let mut files = BTreeSet::new();
    for line in map.lines() {
        if let Some(heading) = line.strip_prefix("### `") {
            folder = heading.split('`').next().unwrap_or("").trim_end_matches('/').to_owned();
        } else if line.starts_with("| `") {
            let first_cell = line[2..].split(" | ").next().unwrap_or("");
            let is_code =
                |name: &&str| name.rsplit_once('.').is_some_and(|(_, ending)| CODE.contains(&ending));
            for name in first_cell.split('`').filter(is_code) {
                files.insert(format!("{folder}/{name}"));
            }
        }
    }
    files
}

#[test]
fn the_code_map_names_every_file_and_no_other() {
    let notes = fs::read_to_string(root().join("NOTES.md")).expect("NOTES.md");
    let mapped = mapped(&notes);
    let existing = files(&CODE);
    let missing: Vec<_> = existing.difference(&mapped).collect();
    let gone: Vec<_> = mapped.difference(&existing).collect();
    assert!(
        missing.is_empty() && gone.is_empty(),
        "not in the code map: {missing:?}; in it, but gone: {gone:?}"
    );
}

#[test]
fn the_phases_have_the_same_numbers_everywhere() {
    let heads = [
        ("src/collect/reach.rs", "Phase 1"),
        ("src/collect/classify.rs", "Phase 2"),
        ("src/collect/diff.rs", "Phase 3"),
        ("src/collect/drain.rs", "Phase 4"),
    ];
    for (path, phase) in heads {
        let text = fs::read_to_string(root().join(path)).expect("a source file");
        assert!(text.starts_with(&format!("//! {phase}")), "{path} begins with its phase");
    }
    let notes = fs::read_to_string(root().join("NOTES.md")).expect("NOTES.md");
    for (number, name) in ["flip", "reach", "counted survivors", "diff", "drain"].iter().enumerate() {
        assert!(notes.to_lowercase().contains(&format!("{number}. **{name}**")), "NOTES.md: phase {number}");
    }
}
