//! Errors as values, and how they are shown.
//!
//! A [`Diagnostic`] owns all it needs (it holds the [`SourceFile`]), so it may outlive the parser and the
//! machine. It has two faces: one line, `file:line:col: message`, for tools and tests, and the excerpt with
//! carets that rustc made familiar, for people. Errors at run time use the same type and add the call
//! stack.

use std::fmt;
use std::fmt::Write as _;
use std::sync::Arc;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer, Snippet};

use crate::limits::Limit;

use super::dialect::Feature;
use super::source::{LineCol, SourceFile, Span};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The program is not run, or was stopped.
    Error,
    /// The program is run all the same.
    Warning,
}

/// What had to be known to find it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The text alone: it is no sentence of the language.
    Syntax,
    /// The scopes: what the names mean, and which statement may stand where.
    Scope,
    /// The modules around it: what is loaded.
    Load,
    /// The run of the program.
    Run,
}

impl Stage {
    /// Its name for tools.
    pub const fn name(self) -> &'static str {
        match self {
            Stage::Syntax => "syntax",
            Stage::Scope => "scope",
            Stage::Load => "load",
            Stage::Run => "run",
        }
    }
}

/// Something to tell the user about a place in a source file.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// What had to be known to find it.
    pub stage: Stage,
    /// What is wrong, in one line without a period.
    pub message: String,
    /// The file it is about.
    pub file: SourceFile,
    /// The place in it.
    pub span: Span,
    /// Other places that explain the error, and remarks.
    pub notes: Vec<Note>,
    /// What the user could do.
    pub help: Option<String>,
    /// The part of the language that would allow it, and that the dialect has not.
    pub lacks: Option<Feature>,
    /// The active calls, outermost first; empty for static errors.
    pub frames: Vec<Frame>,
    /// Why there is an error.
    pub cause: Cause,
}

/// Why there is an error.
#[derive(Clone, Debug)]
pub enum Cause {
    /// The text is wrong.
    Text,
    /// The program did something it may not.
    Program,
    /// The program called `fail`.
    Fail,
    /// A limit was reached.
    Limit(Limit),
    /// The embedding program had this error.
    Host(Arc<dyn std::error::Error + Send + Sync>),
}

/// A remark on a [`Diagnostic`].
#[derive(Clone, Debug)]
pub struct Note {
    /// The remark.
    pub message: String,
    /// The place it is about, if it is about one.
    pub place: Option<(SourceFile, Span)>,
}

/// An active call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The function's name.
    pub function: String,
    /// The name of its file; `<builtin>` for functions of the host.
    pub file: String,
    /// Where in the file the execution is; unknown for functions of the host.
    pub at: Option<LineCol>,
}

impl Diagnostic {
    /// An error at a place, found while the program runs. Of a very long message the middle is left out.
    pub fn error(file: &SourceFile, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            severity: Severity::Error,
            stage: Stage::Run,
            message: shortened(message.into()),
            file: file.clone(),
            span,
            notes: Vec::new(),
            help: None,
            lacks: None,
            frames: Vec::new(),
            cause: Cause::Text,
        }
    }

    /// Says what had to be known to find it.
    pub fn found_by(mut self, stage: Stage) -> Diagnostic {
        self.stage = stage;
        self
    }

    /// Adds a remark about another place.
    pub fn note_at(mut self, file: &SourceFile, span: Span, message: impl Into<String>) -> Diagnostic {
        self.notes.push(Note { message: message.into(), place: Some((file.clone(), span)) });
        self
    }

    /// Adds a remark.
    pub fn note(mut self, message: impl Into<String>) -> Diagnostic {
        self.notes.push(Note { message: message.into(), place: None });
        self
    }

    /// Says what the user could do.
    pub fn help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help = Some(help.into());
        self
    }

    /// Says what would allow it, if the dialect had it.
    pub fn lacking(mut self, feature: Feature) -> Diagnostic {
        self.lacks = Some(feature);
        self
    }

    /// Line and column of the place.
    pub fn line_col(&self) -> LineCol {
        self.file.line_col(self.span.start)
    }

    /// The excerpt with carets, notes, help and call stack; ends with a newline.
    pub fn render(&self, color: bool) -> String {
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let title = level.primary_title(self.message.as_str());
        let mut primary = match self.file.is_nowhere() {
            true => Group::with_title(title),
            false => title.element(excerpt(&self.file, self.span)),
        };
        let stack = self.stack_text();
        if !stack.is_empty() {
            primary = primary.element(Level::NOTE.message(stack.as_str()));
        }
        let mut groups = vec![primary];
        self.add_notes(&mut groups);
        if let Some(help) = &self.help {
            groups.push(Group::with_title(Level::HELP.secondary_title(help.as_str())));
        }
        renderer.render(&groups) + "\n"
    }

    fn add_notes<'a>(&'a self, groups: &mut Vec<Group<'a>>) {
        for note in &self.notes {
            let group = Group::with_title(Level::NOTE.secondary_title(note.message.as_str()));
            groups.push(match &note.place {
                Some((file, span)) => group.element(excerpt(file, *span)),
                None => group,
            });
        }
    }

    /// The call stack, one frame a line, or nothing.
    pub fn stack_text(&self) -> String {
        let mut text = String::new();
        if !self.frames.is_empty() {
            text.push_str("call stack (most recent call last):");
        }
        for frame in &self.frames {
            let _ = write!(text, "\n  {frame}");
        }
        text
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at {
            Some(at) => write!(f, "{}:{}: in {}", self.file, at, self.function),
            None => write!(f, "{}: in {}", self.file, self.function),
        }
    }
}

/// The one-line form: `file:line:col: message`, or the message alone if it is about no text.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.file.is_nowhere() {
            return f.write_str(&self.message);
        }
        write!(f, "{}: {}", self.file.position(self.span.start), self.message)
    }
}

impl std::error::Error for Diagnostic {}

/// So many bytes of a message are shown at least, those at its beginning and those at its end.
const MESSAGE_BEGINNING: usize = 1000;
const MESSAGE_END: usize = 200;

/// A message without its middle if it is very long: it quotes something, of which the beginning is enough. (What it says of
/// that may stand behind it.)
fn shortened(message: String) -> String {
    if message.len() <= 2 * MESSAGE_BEGINNING {
        return message;
    }
    let first = floor_char(&message, MESSAGE_BEGINNING as u32);
    let last = ceil_char(&message, (message.len() - MESSAGE_END) as u32);
    format!("{}[... {} bytes ...]{}", &message[..first], last - first, &message[last..])
}

/// The lines a span touches, with the span marked. Only they are handed to the renderer, which would
/// otherwise look through the whole file.
fn excerpt(file: &SourceFile, span: Span) -> Snippet<'_, Annotation<'_>> {
    let text = file.text();
    let (start, end) = (floor_char(text, span.start), ceil_char(text, span.end));
    let is_break = |c: char| c == '\n' || c == '\r';
    let first = text[..start].rfind(is_break).map_or(0, |i| i + 1);
    let last = text[end..].find(is_break).map_or(text.len(), |i| end + i);
    Snippet::source(&text[first..last])
        .path(file.name())
        .line_start(file.line_col(span.start).line as usize)
        .annotation(AnnotationKind::Primary.span(start - first..end - first))
}

/// The start of the code point that `offset` points into.
fn floor_char(text: &str, offset: u32) -> usize {
    let offset = (offset as usize).min(text.len());
    (0..=offset).rev().find(|&i| text.is_char_boundary(i)).unwrap_or(0)
}

/// The end of the code point that `offset` points into.
fn ceil_char(text: &str, offset: u32) -> usize {
    let offset = (offset as usize).min(text.len());
    (offset..text.len()).find(|&i| text.is_char_boundary(i)).unwrap_or(text.len())
}
