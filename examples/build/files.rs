//! The files of the workspace: where modules are, and which files a pattern means.

use std::fs;
use std::path::{Path, PathBuf};

use frazil_starlark::Loader;

use crate::label::Label;

/// Finds the modules that `load` statements name by labels.
pub struct Modules(pub PathBuf);

impl Loader for Modules {
    fn resolve(&self, name: &str, from: &str) -> Result<String, String> {
        let package = from.rsplit_once('/').map_or("", |(package, _)| package);
        let label = Label::parse(name, package).map_err(|error| error.to_string())?;
        Ok(format!("{}/{}", label.package, label.name))
    }

    fn read(&self, key: &str) -> Result<String, String> {
        fs::read_to_string(self.0.join(key)).map_err(|error| error.to_string())
    }
}

/// The files below a folder whose paths from there match a pattern of `include` and none of `exclude`, sorted.
pub fn glob(folder: &Path, include: &[&str], exclude: &[&str]) -> std::io::Result<Vec<String>> {
    let mut found = Vec::new();
    walk(folder, "", &mut found)?;
    let among = |patterns: &[&str], path: &str| {
        patterns.iter().any(|pattern| {
            let (pattern, path): (Vec<&str>, Vec<&str>) =
                (pattern.split('/').collect(), path.split('/').collect());
            matches(&pattern, &path)
        })
    };
    found.retain(|path| among(include, path) && !among(exclude, path));
    found.sort();
    Ok(found)
}

fn walk(folder: &Path, prefix: &str, found: &mut Vec<String>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        match entry.file_type()?.is_dir() {
            // A folder with a BUILD file is another package.
            true if entry.path().join("BUILD").exists() => {}
            true => walk(&entry.path(), &format!("{path}/"), found)?,
            false => found.push(path),
        }
    }
    Ok(())
}

/// Does a path match a pattern, both taken apart at slashes? `**` stands for any number of folders.
fn matches(pattern: &[&str], path: &[&str]) -> bool {
    match (pattern, path) {
        ([], []) => true,
        (["**", rest @ ..], _) => {
            matches(rest, path) || path.split_first().is_some_and(|(_, deeper)| matches(pattern, deeper))
        }
        ([first, pattern @ ..], [name, path @ ..]) => matches_name(first, name) && matches(pattern, path),
        _ => false,
    }
}

/// Does a name match a pattern, where `*` stands for anything?
fn matches_name(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, rest)) => name.strip_prefix(start).is_some_and(|name| {
            (0..=name.len()).any(|at| name.get(at..).is_some_and(|name| matches_name(rest, name)))
        }),
    }
}
