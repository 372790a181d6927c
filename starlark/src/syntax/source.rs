//! Source files, and positions in them.
//!
//! A [`Span`] is two byte offsets and knows no file; a [`SourceFile`] is cheap to clone, so that an error
//! can carry the file along and be rendered long after the front end is done.

use std::fmt;
use std::sync::Arc;

/// A range of bytes in a [`SourceFile`]; `start <= end`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u32,
    /// Offset behind the last byte.
    pub end: u32,
}

impl Span {
    /// The bytes from `start` up to, not including, `end`.
    pub const fn new(start: u32, end: u32) -> Span {
        Span { start, end }
    }

    /// The empty span before the byte at `offset`.
    pub const fn at(offset: u32) -> Span {
        Span { start: offset, end: offset }
    }

    /// The smallest span that contains both.
    pub fn to(self, last: Span) -> Span {
        Span { start: self.start.min(last.start), end: self.end.max(last.end) }
    }

    /// The span as indices into the text.
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.start, self.end)
    }
}

/// A place as people count it: both numbers start at 1, columns count code points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineCol {
    /// Line number.
    pub line: u32,
    /// Column number, in code points.
    pub col: u32,
}

impl fmt::Display for LineCol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.col)
    }
}

/// The name and text of a module, shared by everything that may have to report about it.
#[derive(Clone)]
pub struct SourceFile(Arc<Inner>);

struct Inner {
    name: String,
    text: String,
    /// Offset of the first byte of each line, ascending; the first is 0.
    line_starts: Vec<u32>,
}

/// The name of what is no file.
const NOWHERE: &str = "<host>";

impl SourceFile {
    /// Texts are addressed by `u32` offsets; the parser refuses longer ones.
    pub const MAX_BYTES: usize = u32::MAX as usize - 1;

    /// A file with this name (shown in errors) and text.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> SourceFile {
        let text = text.into();
        let line_starts = line_starts(text.as_bytes());
        SourceFile(Arc::new(Inner { name: name.into(), text, line_starts }))
    }

    /// Where an error is that is in no text: the embedding program asked for something that there is not.
    pub(crate) fn nowhere() -> SourceFile {
        SourceFile::new(NOWHERE, "")
    }

    /// Is there no text to show?
    pub(crate) fn is_nowhere(&self) -> bool {
        self.name() == NOWHERE && self.text().is_empty()
    }

    /// The name given at construction, usually a path.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// The text of a span.
    pub fn slice(&self, span: Span) -> &str {
        &self.0.text[span.range()]
    }

    /// Line and column of a byte offset; offsets behind the end count as the end.
    pub fn line_col(&self, offset: u32) -> LineCol {
        let offset = (offset as usize).min(self.0.text.len());
        let line = self.0.line_starts.partition_point(|&start| start as usize <= offset);
        let start = self.0.line_starts[line - 1] as usize;
        // Counting bytes that begin a code point accepts any offset, even one inside a code point.
        let col = self.0.text.as_bytes()[start..offset].iter().filter(|&&b| b & 0xC0 != 0x80).count();
        LineCol { line: line as u32, col: col as u32 + 1 }
    }

    /// `name:line:col`, the form used in one-line errors and stack traces.
    pub fn position(&self, offset: u32) -> String {
        format!("{}:{}", self.name(), self.line_col(offset))
    }
}

impl fmt::Debug for SourceFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SourceFile({:?}, {} bytes)", self.name(), self.text().len())
    }
}

/// Lines end with `\n`, `\r\n` or a lone `\r`, as for the lexer.
fn line_starts(text: &[u8]) -> Vec<u32> {
    let mut starts = vec![0];
    for at in memchr::memchr2_iter(b'\n', b'\r', text) {
        if text[at] == b'\n' || text.get(at + 1) != Some(&b'\n') {
            starts.push((at + 1) as u32);
        }
    }
    starts
}
