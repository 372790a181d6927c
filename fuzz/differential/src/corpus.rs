//! Where texts come from: programs of this project, and programs and suites beside it.

use std::fs;
use std::path::{Path, PathBuf};

/// A text with a name to find it by.
pub struct Text {
    /// Its file, and its first line.
    pub name: String,
    /// The text.
    pub text: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A folder beside the project, or `None` with a word about it.
pub fn shared(folder: &str) -> Option<PathBuf> {
    let path = root().join("../shared").join(folder);
    if !path.is_dir() {
        eprintln!("skipped: there is no folder {}", path.display());
        return None;
    }
    Some(path)
}

/// The example programs of the project.
pub fn examples() -> Vec<Text> {
    programs(&root().join("examples"))
}

/// All Starlark files below a folder, in a fixed order.
pub fn programs(folder: &Path) -> Vec<Text> {
    let mut texts = Vec::new();
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .expect("a readable folder")
        .map(|entry| entry.expect("a readable folder").path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            texts.extend(programs(&path));
        } else if is_starlark(&path) {
            let bytes = fs::read(&path).expect("a readable file");
            let name = path.strip_prefix(root()).unwrap_or(&path).display().to_string();
            texts.push(Text { name, text: common(&String::from_utf8_lossy(&bytes)) });
        }
    }
    texts
}

fn is_starlark(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.ends_with(".bzl") || name.ends_with(".star") || name == "BUILD" || name.starts_with("BUILD.")
}

/// The text with other words and blanks for what one parser never takes, so that the rest of it can be compared: they
/// reserve `assert`, which suites use as a name, and refuse tabs. (Both are in the list of known differences.)
pub fn common(text: &str) -> String {
    text.replace("assert", "Assert").replace('\t', "        ")
}

/// The parts of the files of a suite, between lines of three dashes.
pub fn chunks(files: &[Text]) -> Vec<Text> {
    let mut chunks = Vec::new();
    for file in files {
        let mut chunk = Text { name: format!("{}:1", file.name), text: String::new() };
        for (number, line) in file.text.lines().enumerate() {
            if line.trim() == "---" {
                let next = Text { name: format!("{}:{}", file.name, number + 2), text: String::new() };
                chunks.push(std::mem::replace(&mut chunk, next));
            } else {
                chunk.text.push_str(line);
                chunk.text.push('\n');
            }
        }
        chunks.push(chunk);
    }
    chunks
}

/// Runs on a thread with room for the other parser, whose depth is not bounded.
///
/// # Panics
/// `run` panics.
pub fn deep(run: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(256 << 20).spawn(run).expect("a thread");
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}
