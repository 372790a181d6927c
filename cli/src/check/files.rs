//! Which files are Starlark files, and of which kind.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use crate::files::DASH;

/// Kinds of files, which differ in the names they know and in the language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A program or module of any host.
    Plain,
    /// A module of Bazel's.
    Bzl,
    /// A BUILD file.
    Build,
    /// MODULE.bazel and what it includes.
    Module,
    /// A WORKSPACE file.
    Workspace,
    /// REPO.bazel and VENDOR.bazel.
    Repo,
}

impl Kind {
    /// The kind of a file, by its name.
    pub fn of(path: &Path) -> Kind {
        match path.file_name().and_then(OsStr::to_str).unwrap_or("") {
            "BUILD" | "BUILD.bazel" => Kind::Build,
            "WORKSPACE" | "WORKSPACE.bazel" | "WORKSPACE.bzlmod" => Kind::Workspace,
            "REPO.bazel" | "VENDOR.bazel" => Kind::Repo,
            name if name.ends_with("MODULE.bazel") => Kind::Module,
            // Templates of BUILD files are often named like this.
            name if name.ends_with(".BUILD") || name.ends_with(".bazel") || name.starts_with("BUILD.") => {
                Kind::Build
            }
            name if name.ends_with(".bzl") => Kind::Bzl,
            _ => Kind::Plain,
        }
    }
}

/// Is it a Starlark file?
fn is_starlark(path: &Path) -> bool {
    let name = path.file_name().and_then(OsStr::to_str).unwrap_or("");
    matches!(name, "BUILD" | "WORKSPACE" | "BUCK" | "Tiltfile")
        || matches!(path.extension().and_then(OsStr::to_str), Some("star" | "sky" | "bzl" | "bazel"))
}

/// All files that are named or lie below the folders that are named, in a stable order, each once; and the folders below
/// which there is none. Standard input is a file that is called -.
///
/// # Errors
/// There is no such file or folder, or a folder cannot be read.
pub fn find(paths: &[PathBuf]) -> Result<(Vec<PathBuf>, Vec<&Path>), String> {
    let (mut files, mut barren) = (Vec::new(), Vec::new());
    for path in paths {
        if path.as_os_str() == DASH {
            files.push(path.clone());
            continue;
        }
        let before = files.len();
        let walk = WalkDir::new(path).sort_by_file_name().into_iter();
        for entry in walk.filter_entry(|entry| entry.depth() == 0 || !is_hidden(entry)) {
            let entry = entry.map_err(|error| unreadable(&error, path))?;
            let is_file = entry.file_type().is_file() || entry.path_is_symlink() && entry.path().is_file();
            if entry.depth() == 0 && !entry.file_type().is_dir() || is_file && is_starlark(entry.path()) {
                files.push(entry.into_path());
            }
        }
        if files.len() == before {
            barren.push(path.as_path());
        }
    }
    let mut seen = std::collections::HashSet::new();
    files.retain(|file| seen.insert(file.clone()));
    Ok((files, barren))
}

/// Why it cannot be read, in the words of all commands.
fn unreadable(error: &walkdir::Error, path: &Path) -> String {
    let why = error.io_error().map_or_else(|| error.to_string(), ToString::to_string);
    format!("cannot read {}: {why}", error.path().unwrap_or(path).display())
}

/// Is it hidden? Tools keep other people's files in such folders.
fn is_hidden(entry: &DirEntry) -> bool {
    entry.file_name().to_str().is_some_and(|name| name.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_the_kind() {
        let kind = |name: &str| Kind::of(Path::new(name));
        assert_eq!(kind("a/b.star"), Kind::Plain);
        assert_eq!(kind("a/b.bzl"), Kind::Bzl);
        assert_eq!(kind("BUILD"), Kind::Build);
        assert_eq!(kind("x/BUILD.foo.bazel"), Kind::Build);
        assert_eq!(kind("MODULE.bazel"), Kind::Module);
        assert_eq!(kind("python.MODULE.bazel"), Kind::Module);
        assert_eq!(kind("WORKSPACE"), Kind::Workspace);
        assert!(is_starlark(Path::new("BUCK")) && !is_starlark(Path::new("a.py")));
    }
}
