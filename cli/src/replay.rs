//! `frazil fuzz --replay`: one history, step by step.

use std::fs::File;
use std::io::{Read, Write};
use std::process::ExitCode;

use fuzz::campaign::attempt_watched;
use fuzz::coverage::Event;
use fuzz::history::History;
use fuzz::judge::Moment;
use fuzz::run::Judge;
use fuzz::scene::{Audience, Scene};
use fuzz::text::ParseError;

use crate::options::fuzz::Replay;
use crate::out::{Out, remark};

/// No history that a person reads is longer than that.
const BYTES_MAX: u64 = 16 << 20;

/// Runs the history, shows it, and says whether it failed.
pub fn replay(replay: &Replay) -> ExitCode {
    let history = match read(&replay.file) {
        Ok(history) => history,
        Err(message) => {
            remark(format_args!("frazil: {message}"));
            return ExitCode::from(2);
        }
    };
    let mut out = Out::new();
    let mut ended = false;
    let mut show = |scene: &Scene| {
        let step = match history.steps.get(scene.step) {
            Some(step) => format!("step {}: {step}", scene.step),
            None if ended => "after that".to_owned(),
            None => "at the end everything is given up".to_owned(),
        };
        ended = scene.step >= history.steps.len();
        let collected = match scene.collected {
            Some(Moment::Short) => " (a short collection)",
            Some(Moment::Complete) => " (a complete collection)",
            Some(Moment::Between) | None => "",
        };
        let _ = write!(out, "{step}{collected}\n{scene}");
        // A broken collector may take the process with it.
        let _ = out.flush();
    };
    let audience: Audience<'_> = if replay.quiet { None } else { Some(&mut show) };
    let result = attempt_watched(&history, Judge::Both, replay.fault, audience);
    match result {
        Ok(coverage) => {
            let collections = coverage.of(Event::Short) + coverage.of(Event::Complete);
            let _ = writeln!(out, "nothing failed: {} steps, {collections} collections", history.steps.len());
            out.status(ExitCode::SUCCESS)
        }
        Err(failure) => {
            let step = match history.steps.get(failure.step) {
                Some(step) => format!("step {} ({step})", failure.step),
                None => "the end, where everything is given up".to_owned(),
            };
            let _ = writeln!(out, "failed at {step}: {}", failure.what);
            out.status(ExitCode::FAILURE)
        }
    }
}

/// The history in a file.
///
/// # Errors
/// It cannot be read, or it is none: with the line, and what should stand there.
fn read(file: &str) -> Result<History, String> {
    let mut bytes = Vec::new();
    let read = File::open(file).and_then(|opened| opened.take(BYTES_MAX + 1).read_to_end(&mut bytes));
    read.map_err(|error| format!("cannot read {file}: {error}"))?;
    parse(&bytes).map_err(|(line, message)| format!("{file}:{line}: {message}"))
}

fn parse(bytes: &[u8]) -> Result<History, (usize, String)> {
    if bytes.len() as u64 > BYTES_MAX {
        return Err((1, format!("expected a history, and the file is larger than {} MiB", BYTES_MAX >> 20)));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let sound = &bytes[..error.valid_up_to()];
        let line = 1 + sound.iter().filter(|&&byte| byte == b'\n').count();
        (line, "expected a history, which is text, found bytes that are no UTF-8".to_owned())
    })?;
    text.parse().map_err(|error: ParseError| (error.line, error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_history_is_refused_with_its_line() {
        let line = |bytes: &[u8]| parse(bytes).map(|history| history.steps.len()).map_err(|(line, _)| line);
        assert_eq!(line(b"heap\nroot n0\n"), Ok(1));
        assert_eq!(line(b"heap\n\nroot n0\xff\n"), Err(3));
        assert_eq!(line(b"def f(x):\n    return x\n"), Err(1));
        assert_eq!(line(b"; a remark\n\n"), Err(2));
        assert_eq!(line(b""), Err(1));
        assert_eq!(line(&vec![b'\n'; (BYTES_MAX + 1) as usize]), Err(1));
    }
}
