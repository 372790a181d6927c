//! Modules as files.
//!
//! `a/b.bzl` is looked for in the root, or, if none is given, in the folder of the program and those above it;
//! `:b.bzl` beside the loading file; `//a:b.bzl` in the folder of the loading file and those above it (the
//! repository's root is one of them); `@repo//a:b.bzl` as `repo/a/b.bzl`.

use std::path::{Path, PathBuf};

use starlark::Loader;

/// Finds modules for one program.
pub struct Files {
    entry: PathBuf,
    root: Option<PathBuf>,
}

impl Files {
    /// For the program in this file.
    pub fn new(entry: &str, root: Option<PathBuf>) -> Files {
        Files { entry: PathBuf::from(entry), root }
    }

    /// The prelude beside the program, if there is one, unless that is the program itself.
    pub fn prelude(&self) -> Option<String> {
        let beside = self.entry.with_file_name("prelude.star");
        (beside.is_file() && beside != self.entry).then(|| beside.to_string_lossy().into_owned())
    }

    fn in_root(&self, relative: &str) -> Option<PathBuf> {
        match &self.root {
            Some(root) => Some(root.join(relative)).filter(|path| path.is_file()),
            None => above(&self.entry, relative),
        }
    }
}

impl Loader for Files {
    fn resolve(&self, name: &str, from: &str) -> Result<String, String> {
        let from = Path::new(from);
        let found = if let Some(label) = name.strip_prefix('@') {
            self.in_root(&label.replacen("//", "/", 1).replace(':', "/"))
        } else if let Some(label) = name.strip_prefix("//") {
            above(from, label.replace(':', "/").trim_start_matches('/'))
        } else if let Some(beside) = name.strip_prefix(':') {
            Some(from.with_file_name(beside)).filter(|path| path.is_file())
        } else {
            self.in_root(name)
        };
        match found {
            Some(path) => Ok(path.to_string_lossy().into_owned()),
            None => Err("no such file".to_owned()),
        }
    }

    fn read(&self, key: &str) -> Result<String, String> {
        read(Path::new(key))
    }
}

/// The file with this relative path in the folder of `file` or the nearest one above it.
fn above(file: &Path, relative: &str) -> Option<PathBuf> {
    let folder = std::path::absolute(file).ok()?;
    folder.ancestors().skip(1).map(|folder| folder.join(relative)).find(|path| path.is_file())
}

/// The text of a file.
///
/// # Errors
/// It cannot be read.
pub fn read(path: &Path) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
}
