//! Modules as files.
//!
//! `a/b.bzl` is looked for in the root, or, if none is given, in the folder of the program and those above it (if there are
//! several programs, in the folder of the loading file and those above it); `:b.bzl` beside the loading file; `//a:b.bzl` in
//! the folder of the loading file and those above it (the repository's root is one of them); `@repo//a:b.bzl` as
//! `repo/a/b.bzl`.

use std::collections::HashMap;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use frazil::trace::Trace;
use starlark::Loader;

/// Finds modules for programs.
pub struct Files {
    /// The first program.
    entry: PathBuf,
    /// What each program was called, by where it is: whoever loads it gets the same module.
    names: HashMap<PathBuf, String>,
    root: Option<PathBuf>,
}

impl Files {
    /// For the programs in these files.
    pub fn new<'f>(entries: impl IntoIterator<Item = &'f str>, root: Option<PathBuf>) -> Files {
        let mut entries = entries.into_iter().peekable();
        let entry = entries.peek().copied().unwrap_or_default().into();
        let names = entries.filter_map(|name| Some((std::path::absolute(name).ok()?, name.to_owned())));
        Files { entry, names: names.collect(), root }
    }

    /// The prelude beside the first program, if there is one, unless that is a program itself.
    pub fn prelude(&self) -> Option<String> {
        let beside = self.entry.with_file_name("prelude.star");
        let is_program = std::path::absolute(&beside).is_ok_and(|path| self.names.contains_key(&path));
        (beside.is_file() && !is_program).then(|| beside.to_string_lossy().into_owned())
    }

    /// Why a module was not found: where it was looked for.
    fn not_found(&self, name: &str, from: &Path) -> String {
        let in_root = !name.starts_with("//") && !name.starts_with(':');
        let from = if in_root && self.names.len() <= 1 { self.entry.as_path() } else { from };
        let folder = from.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.map_or("this folder".to_owned(), |folder| folder.display().to_string());
        match &self.root {
            Some(root) if in_root => format!("no such file in {}", root.display()),
            _ if name.starts_with(':') => format!("no such file in {folder}"),
            _ => format!("no such file in {folder} or those above"),
        }
    }

    fn in_root(&self, relative: &str, from: &Path) -> Option<PathBuf> {
        match &self.root {
            Some(root) => Some(root.join(relative)).filter(|path| path.is_file()),
            None if self.names.len() > 1 => above(from, relative),
            None => above(&self.entry, relative),
        }
    }
}

impl Loader for Files {
    fn resolve(&self, name: &str, from: &str) -> Result<String, String> {
        let from = Path::new(from);
        let found = if let Some(label) = name.strip_prefix('@') {
            self.in_root(&label.replacen("//", "/", 1).replace(':', "/"), from)
        } else if let Some(label) = name.strip_prefix("//") {
            above(from, label.replace(':', "/").trim_start_matches('/'))
        } else if let Some(beside) = name.strip_prefix(':') {
            Some(from.with_file_name(beside)).filter(|path| path.is_file())
        } else {
            self.in_root(name, from)
        };
        match found {
            Some(path) => {
                let path = plain(path);
                let program = std::path::absolute(&path).ok().and_then(|path| self.names.get(&path));
                Ok(program.cloned().unwrap_or_else(|| path.to_string_lossy().into_owned()))
            }
            None => Err(self.not_found(name, from)),
        }
    }

    fn read(&self, key: &str) -> Result<String, String> {
        read(Path::new(key))
    }
}

/// The shortest name for the same file: `a/../b.star` and `./b.star` are one module with `b.star`. (But not if what stands
/// before the dots is a link: then they lead elsewhere.)
fn plain(path: PathBuf) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir if plain.file_name().is_some() => drop(plain.pop()),
            Component::CurDir => {}
            part => plain.push(part),
        }
    }
    // Nearly every path is plain already, and needs no question to the system. (Paths are compared as they are written: for
    // `==`, `a/./b` is `a/b`.)
    if plain.as_os_str() == path.as_os_str() {
        return plain;
    }
    let place = |path: &Path| path.canonicalize().ok();
    if place(&plain).is_some_and(|there| place(&path) == Some(there)) { plain } else { path }
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
    let text = std::fs::read(path).map_err(|error| error.to_string()).and_then(text);
    text.map_err(|error| format!("cannot read {}: {error}", path.display()))
}

/// The name of what comes from standard input, in errors, and on the command line.
pub const STANDARD_INPUT: &str = "<standard input>";
pub const DASH: &str = "-";

/// The text that comes from standard input.
///
/// # Errors
/// It cannot be read.
pub fn read_standard() -> Result<String, String> {
    let mut bytes = Vec::new();
    let read = std::io::stdin().read_to_end(&mut bytes).map_err(|error| error.to_string());
    read.and_then(|_| text(bytes)).map_err(|error| format!("cannot read standard input: {error}"))
}

/// Bytes as text.
///
/// # Errors
/// They are none: from which line on.
pub fn text(bytes: Vec<u8>) -> Result<String, String> {
    if Trace::is_trace(&bytes) {
        return Err("it is a trace, which 'frazil run' plays and 'frazil tune' measures".to_owned());
    }
    String::from_utf8(bytes).map_err(|error| {
        let sound = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + sound.iter().filter(|&&byte| byte == b'\n').count();
        format!("line {line} is no UTF-8: save the file in that encoding")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_one_module_however_it_is_named() {
        let folder = std::env::temp_dir().join(format!("frazil-files-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("sub/deep")).expect("a folder");
        let module = folder.join("module.star");
        std::fs::write(&module, "x = 1\n").expect("a file");
        std::os::unix::fs::symlink(folder.join("sub/deep"), folder.join("link")).expect("a link");
        for name in ["module.star", "./module.star", "sub/../module.star", "sub/./deep/../../module.star"] {
            assert_eq!(plain(folder.join(name)), module, "{name}");
        }
        // `link/..` is `sub`.
        let elsewhere = folder.join("link/../../module.star");
        assert_eq!(plain(elsewhere.clone()), elsewhere);
        // What is compared are texts: paths are equal whatever single dots are in them.
        assert_eq!(plain(folder.join("./module.star")).as_os_str(), module.as_os_str());
        std::fs::remove_dir_all(folder).expect("it was made");
    }

    #[test]
    fn it_is_said_where_a_file_was_looked_for() {
        let why = |entries: &[&str], root: Option<&str>, name: &str, from: &str| {
            let files = Files::new(entries.iter().copied(), root.map(PathBuf::from));
            files.resolve(name, from).expect_err("there is none")
        };
        let (one, two) = (["app/main.star"], ["app/main.star", "b.star"]);
        assert_eq!(why(&one, None, "no.bzl", "lib/x.bzl"), "no such file in app or those above");
        assert_eq!(why(&two, None, "no.bzl", "lib/x.bzl"), "no such file in lib or those above");
        assert_eq!(why(&one, None, "//a:no.bzl", "x.bzl"), "no such file in this folder or those above");
        assert_eq!(why(&one, None, ":no.bzl", "lib/x.bzl"), "no such file in lib");
        assert_eq!(why(&one, Some("base"), "no.bzl", "x.bzl"), "no such file in base");
        assert_eq!(why(&one, Some("base"), "@r//a:no.bzl", "x.bzl"), "no such file in base");
        assert_eq!(why(&one, Some("base"), "//a:no.bzl", "lib/x.bzl"), "no such file in lib or those above");
    }

    #[test]
    fn what_is_no_text_is_refused_with_its_line() {
        assert_eq!(text(b"x = 1\n".to_vec()), Ok("x = 1\n".to_owned()));
        let trace = [&frazil::trace::MAGIC[..], b"..."].concat();
        assert!(text(trace).is_err_and(|error| error.starts_with("it is a trace")));
        assert!(text(b"x = 1\ny = '\xff'\n".to_vec()).is_err_and(|error| error.starts_with("line 2 ")));
    }
}
