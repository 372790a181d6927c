//! Errors: giving them a place and a call stack, and leaving the calls they end.

use std::error::Error;
use std::sync::Arc;

use crate::cx::Cx;
use crate::data::iter;
use crate::failure::Failure;
use crate::guard::caught;
use crate::host::Host;
use crate::limits::Limit;
use crate::syntax::diagnostics::Cause;
use crate::syntax::{self, Diagnostic, SourceFile, Span};

use super::{Entry, Frame, Machine};

/// Of a very deep call stack, these many outermost and innermost calls are shown.
const FRAMES_FIRST: usize = 10;
const FRAMES_LAST: usize = 30;

impl Machine {
    /// Gives a failure its place and leaves all calls from depth `depth` on.
    pub(super) fn unwind(&mut self, failure: Failure, depth: usize) -> Box<Failure> {
        let placed = match failure {
            Failure::Placed(diagnostic) => diagnostic,
            other => Box::new(self.place(&other)),
        };
        while self.frames.len() >= depth {
            if let Some(frame) = self.frames.pop() {
                self.leave(frame);
            }
        }
        Box::new(Failure::Placed(placed))
    }

    /// The error with the place where the program is.
    fn place(&self, failure: &Failure) -> Diagnostic {
        let Some(frame) = self.frames.last() else { return without_place(failure) };
        let code = &self.host.codes[frame.code as usize];
        let (span, _) = code.place(frame.pc.saturating_sub(1) as usize);
        let mut diagnostic = diagnostic(&code.file, span, failure);
        diagnostic.frames = self.call_stack();
        if let Failure::Builtin(name, ..) | Failure::Host(Some(name), _) = failure {
            diagnostic.frames.push(builtin_frame(name));
        }
        diagnostic
    }

    /// The failure of a call that a function of the embedding program made. One that happened before the callee was entered
    /// has its place where that function was called.
    pub(crate) fn diagnose_back(&self, failure: Failure) -> Diagnostic {
        if matches!(failure, Failure::Placed(_)) {
            return self.diagnose(failure);
        }
        let mut diagnostic = self.place(&failure);
        if let Some(number) = self.running
            && !diagnostic.frames.is_empty()
        {
            let caller = self.call_stack().len();
            diagnostic.frames.insert(caller, builtin_frame(self.host.builtin_name(number)));
        }
        diagnostic
    }

    /// The active calls, outermost first.
    pub(crate) fn call_stack(&self) -> Vec<syntax::Frame> {
        show_frames(&self.host, &self.frames[self.host.first_call.get()..])
    }

    /// Ends the loops that were in progress in a call, so that what they ran over can be changed again.
    fn leave(&self, frame: Frame) {
        let code = &self.host.codes[frame.code as usize];
        let calls = &self.active[frame.code as usize];
        calls.set(calls.get().saturating_sub(1));
        let at = frame.pc.saturating_sub(1);
        let cx = Cx::new(&self.heap, &self.host);
        for site in code.loops_at(at) {
            iter::end(cx, self.slot(frame.base as usize + site.r as usize).get());
        }
    }
}

/// Active calls as the user knows them.
pub(crate) fn show_frames(host: &Host, frames: &[Frame]) -> Vec<syntax::Frame> {
    let mut shown = Vec::new();
    let left_out = frames.len().saturating_sub(FRAMES_FIRST + FRAMES_LAST);
    for (depth, frame) in frames.iter().enumerate() {
        if left_out > 0 && depth == FRAMES_FIRST {
            let function = format!("{left_out} more calls");
            shown.push(syntax::Frame { function, file: "...".to_owned(), at: None });
        }
        if (FRAMES_FIRST..FRAMES_FIRST + left_out).contains(&depth) {
            continue;
        }
        if let Entry::Builtin(number) = frame.entry {
            shown.push(builtin_frame(host.builtin_name(number)));
        }
        shown.push(show_frame(host, frame));
    }
    shown
}

fn show_frame(host: &Host, frame: &Frame) -> syntax::Frame {
    let code = &host.codes[frame.code as usize];
    let (_, at) = code.place(frame.pc.saturating_sub(1) as usize);
    syntax::Frame { function: code.name.to_string(), file: code.file.name().to_owned(), at: Some(at) }
}

fn builtin_frame(name: &str) -> syntax::Frame {
    syntax::Frame { function: name.to_owned(), file: "<builtin>".to_owned(), at: None }
}

/// An error that happened outside of any program.
pub(super) fn without_place(failure: &Failure) -> Diagnostic {
    diagnostic(&SourceFile::nowhere(), Span::default(), failure)
}

fn diagnostic(file: &SourceFile, span: Span, failure: &Failure) -> Diagnostic {
    let (message, cause) = (message(failure), cause(failure));
    let mut diagnostic = match cause {
        // Words of the program, or of its host, are not shortened.
        Cause::Fail | Cause::Host(_) => {
            Diagnostic { cause, message, ..Diagnostic::error(file, span, String::new()) }
        }
        _ => Diagnostic { cause, ..Diagnostic::error(file, span, message) },
    };
    if let Failure::Error(_, help) | Failure::Builtin(_, _, help) = failure {
        diagnostic.help = help.text.as_deref().map(str::to_owned);
        diagnostic.lacks = help.lacks;
    }
    diagnostic
}

fn cause(failure: &Failure) -> Cause {
    match failure {
        Failure::Builtin(name, ..) if name == "fail" => Cause::Fail,
        Failure::Error(..) | Failure::Builtin(..) => Cause::Program,
        Failure::Alloc(_) | Failure::Refused(_) | Failure::Room(_) => Cause::Limit(Limit::Memory),
        Failure::Limit(limit) => Cause::Limit(*limit),
        Failure::Host(_, error) => Cause::Host(Arc::clone(error)),
        Failure::Placed(diagnostic) => diagnostic.cause.clone(),
    }
}

/// The text of an error of the embedding program, which may panic when it is asked for it.
fn shown(error: &dyn Error) -> String {
    caught(|| error.to_string()).unwrap_or_else(|_| "an error that cannot be shown".to_owned())
}

fn message(failure: &Failure) -> String {
    match failure {
        Failure::Error(message, _) => message.clone(),
        Failure::Builtin(name, message, _) if name == "fail" => format!("fail: {message}"),
        Failure::Builtin(name, message, _) => format!("error in {name}: {message}"),
        Failure::Alloc(error) | Failure::Refused(error) | Failure::Room(error) => {
            format!("out of memory: {error}")
        }
        Failure::Limit(limit) => limit.to_string(),
        Failure::Host(Some(name), error) => format!("error in {name}: {}", shown(&**error)),
        Failure::Host(None, error) => shown(&**error),
        Failure::Placed(diagnostic) => diagnostic.message.clone(),
    }
}
