//! Standard output: whoever asked for something that did not arrive there is told so.

use std::io::{BufWriter, ErrorKind, IsTerminal, Result, Write, stdout};
use std::path::Path;
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
                eprintln!("frazil: {error}");
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

/// Is there a folder for this file? To be asked before work that takes long.
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
    fn a_file_needs_a_folder() {
        assert!(has_folder("report").is_ok() && has_folder("src/report").is_ok());
        assert!(has_folder("no/such/report").is_err_and(|error| error.ends_with("no folder no/such")));
    }
}
