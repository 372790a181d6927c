//! Where commands write. Standard output: whoever asked for something that did not arrive there is told so. Standard
//! error, behind which nobody is left to tell. Files, each of which is one thing's alone.

use std::fmt::Display;
use std::fs::{Metadata, metadata};
use std::io::{BufWriter, ErrorKind, IsTerminal, Result, Write, stderr, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What is written here goes on to standard output. Writing never fails: a full disk or a closed pipe must not end a
/// program half-way through its work. What went wrong is told at the end.
pub struct Out {
    to: Box<dyn Write>,
    failed: Option<std::io::Error>,
}

impl Out {
    /// At once to a person, in large pieces to a file or another program.
    pub fn new() -> Out {
        let stdout = stdout();
        match stdout.is_terminal() {
            true => Out::to(stdout),
            false => Out::to(BufWriter::with_capacity(1 << 16, stdout)),
        }
    }

    /// Not to standard output, but there.
    pub fn to(to: impl Write + 'static) -> Out {
        Out { to: Box::new(to), failed: None }
    }

    /// Nothing more is written.
    ///
    /// # Errors
    /// Some of it did not arrive. That a pipe was closed is no error: nobody is left to tell.
    pub fn end(&mut self) -> std::result::Result<(), String> {
        let _ = self.flush();
        match self.failed.take() {
            Some(error) if error.kind() != ErrorKind::BrokenPipe => {
                Err(format!("cannot write standard output: {error}"))
            }
            _ => Ok(()),
        }
    }

    /// Nothing more is written: the exit status of a command that would have `status`.
    pub fn status(mut self, status: ExitCode) -> ExitCode {
        match self.end() {
            Ok(()) => status,
            Err(error) => {
                remark(format_args!("frazil: {error}"));
                ExitCode::from(2)
            }
        }
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        if self.failed.is_none() {
            self.failed = self.to.write_all(bytes).err();
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<()> {
        if self.failed.is_none() {
            self.failed = self.to.flush().err();
        }
        Ok(())
    }
}

/// Writes all of a text to standard output.
pub fn tell(text: &str) -> ExitCode {
    let mut out = Out::new();
    let _ = out.write_all(text.as_bytes());
    out.status(ExitCode::SUCCESS)
}

/// Writes a line to standard error. If that is closed or full, nobody is left to tell.
pub fn remark(line: impl Display) {
    let _ = stderr().write_all(format!("{line}\n").as_bytes());
}

/// May all of `written` be written? Nothing is written over a program that is to be read (one of `read`): it would be
/// gone, and an empty one would run instead. And no two things go to one file.
///
/// # Errors
/// Why not.
pub fn are_apart<'f>(
    written: &[&str],
    read: impl IntoIterator<Item = &'f str>,
) -> std::result::Result<(), String> {
    let read: Vec<Place> = read.into_iter().filter_map(Place::of).collect();
    let mut taken: Vec<(&str, Place)> = Vec::new();
    for &file in written {
        let Some(place) = Place::of(file) else { continue };
        if read.contains(&place) {
            return Err(format!("cannot write {file}: that is the program to be run"));
        }
        if let Some((other, _)) = taken.iter().find(|(_, other)| *other == place) {
            return Err(match *other == file {
                true => format!("cannot write two things to {file}: give each a file of its own"),
                false => {
                    format!("cannot write {file}: it is the same file as {other}, which is written, too")
                }
            });
        }
        taken.push((file, place));
    }
    Ok(())
}

/// Which file a name means, whatever links lead there.
#[derive(PartialEq, Eq)]
enum Place {
    /// One that exists.
    There(Identity),
    /// One that does not.
    Missing(PathBuf),
}

impl Place {
    /// `None` if it is no regular file: what goes to a terminal or to /dev/null is not in each other's way.
    fn of(file: &str) -> Option<Place> {
        let mut path = PathBuf::from(file);
        if let Ok(found) = metadata(&path) {
            return if found.is_file() { identity(&path, &found).map(Place::There) } else { None };
        }
        // A link that leads nowhere is followed to where the file will be. Two that lead to each other lead to none.
        for _ in 0..40 {
            let Ok(target) = path.read_link() else { break };
            path = path.parent().unwrap_or(Path::new("")).join(target);
        }
        let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
        Some(Place::Missing(folder.canonicalize().ok()?.join(path.file_name()?)))
    }
}

/// Device and number of a file, which are the same under all its names.
#[cfg(unix)]
type Identity = (u64, u64);

#[cfg(unix)]
fn identity(_: &Path, found: &Metadata) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt;
    Some((found.dev(), found.ino()))
}

/// Elsewhere, a file with two names of equal right counts as two.
#[cfg(not(unix))]
type Identity = PathBuf;

#[cfg(not(unix))]
fn identity(path: &Path, _: &Metadata) -> Option<Identity> {
    path.canonicalize().ok()
}

/// Can there be such a file? To be asked before work that takes long.
///
/// # Errors
/// It has no name, it is a folder, or there is no folder for it.
pub fn can_be_file(file: &str) -> std::result::Result<(), String> {
    match Path::new(file) {
        path if path.as_os_str().is_empty() => Err("cannot write a file without a name".to_owned()),
        path if path.is_dir() => Err(format!("cannot write {file}: that is a folder")),
        _ => has_folder(file),
    }
}

/// Is there a folder for files whose names begin so? To be asked before work that takes long.
///
/// # Errors
/// There is none.
pub fn has_folder(file: &str) -> std::result::Result<(), String> {
    match Path::new(file).parent() {
        Some(folder) if folder != Path::new("") && !folder.is_dir() => {
            Err(format!("cannot write {file}: there is no folder {}", folder.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes nothing.
    struct Refusing(ErrorKind);

    impl Write for Refusing {
        fn write(&mut self, _: &[u8]) -> Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_did_not_arrive_is_told_at_the_end() {
        let end = |kind| {
            let mut out = Out::to(Refusing(kind));
            writeln!(out, "lost").expect("writing goes on");
            out.end()
        };
        assert!(end(ErrorKind::StorageFull).is_err_and(|error| error.contains("standard output")));
        assert_eq!(end(ErrorKind::BrokenPipe), Ok(()));
        assert_eq!(Out::to(std::io::sink()).end(), Ok(()));
    }

    #[test]
    fn one_file_has_one_thing_in_it() {
        let folder = std::env::temp_dir().join(format!("frazil-out-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("in")).expect("a folder");
        let at = |name: &str| folder.join(name).to_string_lossy().into_owned();
        std::fs::write(at("a"), "").expect("a file");
        std::fs::hard_link(at("a"), at("hard")).expect("a link");
        std::os::unix::fs::symlink("../later", folder.join("in/soft")).expect("a link");
        std::os::unix::fs::symlink("round", folder.join("round")).expect("a link");
        let apart = |written: [&str; 2], read: &str| {
            let written = written.map(at);
            are_apart(&written.each_ref().map(String::as_str), [at(read).as_str()])
        };
        assert_eq!(apart(["x", "in/x"], "a"), Ok(()));
        assert!(apart(["x", "x"], "a").is_err_and(|error| error.contains("two things")));
        assert!(apart(["x", "in/../x"], "a").is_err_and(|error| error.contains("the same file")));
        assert!(apart(["in/soft", "later"], "a").is_err_and(|error| error.contains("the same file")));
        assert!(apart(["a", "hard"], "later").is_err_and(|error| error.contains("the same file")));
        assert!(apart(["x", "hard"], "a").is_err_and(|error| error.contains("that is the program")));
        assert_eq!(apart(["round", "x"], "no/such"), Ok(()));
        assert_eq!(are_apart(&["/dev/null", "/dev/null"], []), Ok(()));
        std::fs::remove_dir_all(folder).expect("it goes");
    }

    #[test]
    fn a_file_needs_a_folder() {
        assert!(has_folder("report").is_ok() && has_folder("src/report").is_ok());
        assert!(has_folder("no/such/report").is_err_and(|error| error.ends_with("no folder no/such")));
        assert!(can_be_file("report").is_ok() && can_be_file("src").is_err() && can_be_file("").is_err());
    }
}
