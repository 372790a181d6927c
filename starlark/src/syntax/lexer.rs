//! The lexer: from text to tokens, one at a time.
//!
//! It knows what a line is (`\n`, `\r\n` or `\r`), turns indentation into [`TokenKind::Indent`] and
//! [`TokenKind::Outdent`], and joins lines inside brackets and behind a backslash. The values of literals
//! are left to `literals`: a token says only where it is.
//!
//! An error becomes a message and a [`TokenKind::Error`] token, and the lexer goes on behind it. If a line
//! inside of brackets begins with a word that only a statement can begin with, the bracket was forgotten:
//! the lexer then acts as if it had been closed, so that the rest of the file can still be checked.

use super::dialect::Feature;
use super::source::Span;
use super::token::{Token, TokenKind, keyword};

/// Columns a tab fills up to.
const TAB: u32 = 8;

/// What is wrong with the text.
pub(crate) struct LexError {
    pub span: Span,
    pub message: String,
    pub about: About,
}

/// What an error of the lexer is about.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum About {
    /// The indentation of a line.
    Indentation,
    /// A string that is not closed.
    String,
    /// A character that may not stand there.
    Character,
    /// A number.
    Number,
    /// Something that the dialect has not.
    Lacking(Feature),
}

/// Produces the tokens of a text.
pub(crate) struct Lexer<'a> {
    text: &'a str,
    bytes: &'a [u8],
    /// Offset of the next byte to look at.
    pos: usize,
    /// Open brackets of any kind.
    depth: u32,
    /// The columns of the enclosing blocks, ascending; the first is 0.
    indents: Vec<u32>,
    /// [`TokenKind::Indent`] (positive) or [`TokenKind::Outdent`] (negative) tokens to deliver first.
    pending: i32,
    /// The next token is the first of a line, and its indentation counts.
    line_start: bool,
    /// Errors found so far, unless `quiet`.
    pub errors: Vec<LexError>,
    /// Set while the parser skips the rest of a statement that is wrong already.
    pub quiet: bool,
    /// Are there f-strings?
    f_strings: bool,
}

impl<'a> Lexer<'a> {
    pub fn new(text: &'a str, f_strings: bool) -> Lexer<'a> {
        Lexer {
            text,
            bytes: text.as_bytes(),
            pos: 0,
            depth: 0,
            indents: vec![0],
            pending: 0,
            line_start: true,
            errors: Vec::new(),
            quiet: false,
            f_strings,
        }
    }

    /// For the expression in an f-string: `text` ends where the expression does.
    pub fn inside_f_string(text: &'a str, start: usize) -> Lexer<'a> {
        Lexer { pos: start, depth: 1, line_start: false, ..Lexer::new(text, true) }
    }

    /// The next token; [`TokenKind::Eof`] for ever at the end.
    pub fn next(&mut self) -> Token {
        loop {
            if self.line_start {
                self.start_line();
            }
            if self.pending != 0 {
                return self.dent();
            }
            self.skip_spaces();
            let start = self.pos;
            let Some(&byte) = self.bytes.get(self.pos) else {
                match self.end_of_file() {
                    Some(kind) => return self.token(kind, start),
                    None => continue,
                }
            };
            let kind = match byte {
                b'\n' | b'\r' => {
                    self.newline();
                    if self.depth > 0 && !(self.quiet && self.is_outside_bracket()) {
                        continue;
                    }
                    self.depth = 0;
                    self.line_start = true;
                    return Token { kind: TokenKind::Newline, span: Span::at(start as u32) };
                }
                b'#' => {
                    self.skip_comment();
                    continue;
                }
                b'\\' if self.continuation() => continue,
                b'"' | b'\'' => self.string(start, TokenKind::Str),
                b'a'..=b'z' | b'A'..=b'Z' | b'_' => match self.word() {
                    Some(kind) => kind,
                    None => return self.forgotten_bracket(start),
                },
                b'0'..=b'9' => self.number(),
                b'.' if self.peek(1).is_ascii_digit() => self.number(),
                _ => self.punctuation(byte),
            };
            return self.token(kind, start);
        }
    }

    fn token(&self, kind: TokenKind, start: usize) -> Token {
        Token { kind, span: Span::new(start as u32, self.pos as u32) }
    }

    /// The byte `ahead` of the current one; 0 behind the end, which no token begins with.
    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.pos + ahead).copied().unwrap_or(0)
    }

    fn error(&mut self, about: About, start: usize, message: impl Into<String>) -> TokenKind {
        if !self.quiet {
            let span = Span::new(start as u32, self.pos as u32);
            self.errors.push(LexError { span, message: message.into(), about });
        }
        TokenKind::Error
    }

    // ------------------------------------------------------------------------------------------- lines

    /// Skips blank lines and sets `pending` from the indentation of the next one.
    fn start_line(&mut self) {
        loop {
            let mut col = 0;
            loop {
                match self.peek(0) {
                    b' ' => col += 1,
                    b'\t' => col = (col / TAB + 1) * TAB,
                    _ => break,
                }
                self.pos += 1;
            }
            match self.bytes.get(self.pos) {
                None => return, // `line_start` stays, to tell the end of the file that a newline came before
                Some(b'\n' | b'\r') => self.newline(),
                Some(b'#') => self.skip_comment(),
                Some(_) => {
                    self.line_start = false;
                    return self.indent(col);
                }
            }
        }
    }

    /// Whether the next line seems to begin a statement although a bracket is open: it stands no deeper
    /// than the block, and closes nothing. Correct programs may look like that, so this is asked only
    /// behind an error.
    fn is_outside_bracket(&self) -> bool {
        let block = self.indents[self.indents.len() - 1] as usize;
        let rest = &self.bytes[self.pos..];
        let col = rest.iter().take_while(|b| matches!(b, b' ' | b'\t')).count();
        let first = rest.get(col).copied().unwrap_or(b'\n');
        col <= block && !matches!(first, b')' | b']' | b'}' | b'#' | b'\n' | b'\r')
    }

    fn indent(&mut self, col: u32) {
        let current = self.indents[self.indents.len() - 1];
        if col > current {
            self.indents.push(col);
            self.pending = 1;
        } else if col < current {
            // Once a block is closed, the line must stand exactly where an open one does. If it stands
            // deeper, it is taken as a line of the block closed last, so that the lines below it raise no
            // further errors.
            let open = self.indents.iter().rposition(|&indent| indent <= col).unwrap_or(0);
            if self.indents[open] == col {
                self.pending = -((self.indents.len() - 1 - open) as i32);
                self.indents.truncate(open + 1);
            } else {
                self.error(
                    About::Indentation,
                    self.pos,
                    "unindent does not match any outer indentation level",
                );
                self.pending = -((self.indents.len() - 2 - open) as i32);
                self.indents.truncate(open + 2);
                self.indents[open + 1] = col;
            }
        }
    }

    fn dent(&mut self) -> Token {
        let kind = if self.pending > 0 { TokenKind::Indent } else { TokenKind::Outdent };
        self.pending -= self.pending.signum();
        self.token(kind, self.pos)
    }

    /// What the end of the text means: a newline if the last line has none and blocks are open, then the
    /// ends of these blocks (`None`: they are pending), then the end.
    fn end_of_file(&mut self) -> Option<TokenKind> {
        if self.indents.len() == 1 {
            return Some(TokenKind::Eof);
        }
        self.depth = 0;
        if !self.line_start {
            self.line_start = true;
            return Some(TokenKind::Newline);
        }
        self.pending = 1 - self.indents.len() as i32;
        self.indents.truncate(1);
        None
    }

    fn newline(&mut self) {
        self.pos += if self.peek(0) == b'\r' && self.peek(1) == b'\n' { 2 } else { 1 };
    }

    fn skip_spaces(&mut self) {
        while matches!(self.peek(0), b' ' | b'\t') {
            self.pos += 1;
        }
    }

    fn skip_comment(&mut self) {
        let rest = &self.bytes[self.pos..];
        self.pos += rest.iter().position(|b| matches!(b, b'\n' | b'\r')).unwrap_or(rest.len());
    }

    /// Skips a backslash that ends a line.
    fn continuation(&mut self) -> bool {
        let ends_line = matches!(self.peek(1), b'\n' | b'\r');
        if ends_line {
            self.pos += 1;
            self.newline();
        }
        ends_line
    }

    /// Closes all brackets before the word that was just read, which starts at `start`: delivers a newline,
    /// and the word again as the beginning of a line.
    fn forgotten_bracket(&mut self, start: usize) -> Token {
        self.depth = 0;
        let breaks = |b: &u8| matches!(b, b'\n' | b'\r');
        self.pos = self.bytes[..start].iter().rposition(breaks).map_or(0, |i| i + 1);
        self.line_start = true;
        // The newline that was skipped as white space, so that the error shows the line the bracket is
        // missing in.
        let end = self.text[..self.pos].trim_ascii_end().len();
        Token { kind: TokenKind::Newline, span: Span::at(end as u32) }
    }

    // ------------------------------------------------------------------------------------------- words

    /// An identifier, a keyword, or a string with a prefix. `None` for a word that cannot stand in brackets.
    fn word(&mut self) -> Option<TokenKind> {
        let start = self.pos;
        self.identifier();
        let word = &self.bytes[start..self.pos];
        if matches!(self.peek(0), b'"' | b'\'') {
            match word {
                b"r" => return Some(self.string(start, TokenKind::Str)),
                b"b" | b"rb" | b"br" => return Some(self.string(start, TokenKind::Bytes)),
                b"f" | b"F" | b"fr" | b"rf" => {
                    let kind = self.string(start, TokenKind::FStr);
                    if !self.f_strings {
                        let message = "this Starlark dialect does not support f-strings";
                        return Some(self.error(About::Lacking(Feature::FStrings), start, message));
                    }
                    return Some(kind);
                }
                _ => {}
            }
        }
        let kind = keyword(word).unwrap_or(TokenKind::Ident);
        if self.depth > 0 && kind.begins_statement_only() && self.is_first_of_line(start) {
            return None;
        }
        Some(kind)
    }

    fn is_first_of_line(&self, start: usize) -> bool {
        let before = self.bytes[..start].iter().rev().find(|b| !matches!(b, b' ' | b'\t'));
        matches!(before, Some(b'\n' | b'\r'))
    }

    fn identifier(&mut self) {
        loop {
            match self.peek(0) {
                b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'0'..=b'9' => self.pos += 1,
                0x80.. if self.char().is_alphabetic() => self.pos += self.char().len_utf8(),
                _ => return,
            }
        }
    }

    /// The code point at the current position, which must not be the end.
    fn char(&self) -> char {
        self.text[self.pos..].chars().next().unwrap_or('\0')
    }

    // ----------------------------------------------------------------------------------------- strings

    /// A string literal that starts at `start`, with the quote at the current position.
    fn string(&mut self, start: usize, kind: TokenKind) -> TokenKind {
        let quote = self.bytes[self.pos];
        let triple = self.peek(1) == quote && self.peek(2) == quote;
        self.pos += if triple { 3 } else { 1 };
        loop {
            let Some(&byte) = self.bytes.get(self.pos) else {
                return self.error(About::String, start, "unexpected EOF in string");
            };
            match byte {
                b'\\' => {
                    // Whatever is escaped, it does not end the literal. (Raw strings have this rule, too.)
                    self.pos += 1;
                    match self.peek(0) {
                        b'\n' | b'\r' => self.newline(),
                        _ if self.pos < self.bytes.len() => self.pos += self.char().len_utf8(),
                        _ => {}
                    }
                }
                b'\n' | b'\r' if !triple => {
                    return self.error(About::String, start, "unexpected newline in string");
                }
                _ if byte == quote && !triple => {
                    self.pos += 1;
                    return kind;
                }
                _ if byte == quote && self.peek(1) == quote && self.peek(2) == quote => {
                    self.pos += 3;
                    return kind;
                }
                _ => self.pos += 1,
            }
        }
    }

    // ----------------------------------------------------------------------------------------- numbers

    fn number(&mut self) -> TokenKind {
        let start = self.pos;
        if self.peek(0) == b'0' {
            match self.peek(1) {
                b'x' | b'X' => return self.based_number("hex", |b| b.is_ascii_hexdigit()),
                b'o' | b'O' => return self.based_number("octal", |b| matches!(b, b'0'..=b'7')),
                b'b' | b'B' => return self.based_number("binary", |b| matches!(b, b'0' | b'1')),
                _ => {}
            }
        }
        self.digits(|b| b.is_ascii_digit());
        let mut kind = TokenKind::Int;
        if self.peek(0) == b'.' {
            kind = TokenKind::Float;
            self.pos += 1;
            self.digits(|b| b.is_ascii_digit());
        }
        if matches!(self.peek(0), b'e' | b'E') {
            kind = TokenKind::Float;
            self.pos += if matches!(self.peek(1), b'+' | b'-') { 2 } else { 1 };
            if self.digits(|b| b.is_ascii_digit()) == 0 {
                return self.error(About::Number, start, "invalid float literal");
            }
        }
        if kind == TokenKind::Int { self.check_octal(start) } else { kind }
    }

    fn based_number(&mut self, base: &str, is_digit: fn(u8) -> bool) -> TokenKind {
        let start = self.pos;
        self.pos += 2;
        match self.digits(is_digit) {
            0 => self.error(About::Number, start, format!("invalid {base} literal")),
            _ => TokenKind::Int,
        }
    }

    /// Refuses `0755` and `089`; zeros only are fine.
    fn check_octal(&mut self, start: usize) -> TokenKind {
        let digits = &self.text[start..self.pos];
        if !digits.starts_with('0') || digits.bytes().all(|b| b == b'0') {
            return TokenKind::Int;
        }
        if digits.bytes().any(|b| b > b'7') {
            return self.error(About::Number, start, "invalid int literal");
        }
        let message = format!("obsolete form of octal literal; use 0o{}", &digits[1..]);
        self.error(About::Number, start, message)
    }

    /// Skips digits and says how many.
    fn digits(&mut self, is_digit: fn(u8) -> bool) -> usize {
        let start = self.pos;
        while is_digit(self.peek(0)) {
            self.pos += 1;
        }
        self.pos - start
    }

    // ------------------------------------------------------------------------------------- punctuation

    fn punctuation(&mut self, byte: u8) -> TokenKind {
        use TokenKind::*;
        let (second, third) = (self.peek(1), self.peek(2));
        let (length, kind) = match (byte, second, third) {
            (b',', ..) => (1, Comma),
            (b'(', ..) => (1, self.open(LParen)),
            (b'[', ..) => (1, self.open(LBracket)),
            (b'{', ..) => (1, self.open(LBrace)),
            (b')', ..) => return self.close(RParen),
            (b']', ..) => return self.close(RBracket),
            (b'}', ..) => return self.close(RBrace),
            (b':', ..) => (1, Colon),
            (b';', ..) => (1, Semi),
            (b'.', ..) => (1, Dot),
            (b'~', ..) => (1, Tilde),
            (b'=', b'=', _) => (2, EqEq),
            (b'=', ..) => (1, Assign),
            (b'!', b'=', _) => (2, NotEq),
            (b'+', b'=', _) => (2, PlusAssign),
            (b'+', ..) => (1, Plus),
            (b'-', b'=', _) => (2, MinusAssign),
            (b'-', b'>', _) => (2, Arrow),
            (b'-', ..) => (1, Minus),
            (b'*', b'*', _) => (2, StarStar),
            (b'*', b'=', _) => (2, StarAssign),
            (b'*', ..) => (1, Star),
            (b'/', b'/', b'=') => (3, SlashSlashAssign),
            (b'/', b'/', _) => (2, SlashSlash),
            (b'/', b'=', _) => (2, SlashAssign),
            (b'/', ..) => (1, Slash),
            (b'%', b'=', _) => (2, PercentAssign),
            (b'%', ..) => (1, Percent),
            (b'&', b'=', _) => (2, AmpAssign),
            (b'&', ..) => (1, Amp),
            (b'|', b'=', _) => (2, PipeAssign),
            (b'|', ..) => (1, Pipe),
            (b'^', b'=', _) => (2, CaretAssign),
            (b'^', ..) => (1, Caret),
            (b'<', b'<', b'=') => (3, LtLtAssign),
            (b'<', b'<', _) => (2, LtLt),
            (b'<', b'=', _) => (2, Le),
            (b'<', ..) => (1, Lt),
            (b'>', b'>', b'=') => (3, GtGtAssign),
            (b'>', b'>', _) => (2, GtGt),
            (b'>', b'=', _) => (2, Ge),
            (b'>', ..) => (1, Gt),
            _ => return self.other(),
        };
        self.pos += length;
        kind
    }

    fn open(&mut self, kind: TokenKind) -> TokenKind {
        self.depth += 1;
        kind
    }

    fn close(&mut self, kind: TokenKind) -> TokenKind {
        self.pos += 1;
        if self.depth == 0 {
            return self.error(About::Character, self.pos - 1, format!("unexpected {}", kind.describe()));
        }
        self.depth -= 1;
        kind
    }

    /// A letter beyond ASCII, or what no token begins with.
    fn other(&mut self) -> TokenKind {
        let (start, c) = (self.pos, self.char());
        if c.is_alphabetic() {
            self.identifier();
            return TokenKind::Ident;
        }
        self.pos += c.len_utf8();
        match c {
            '\\' => self.error(About::Character, start, "stray backslash in program"),
            c => self.error(About::Character, start, format!("unexpected input character {c:?}")),
        }
    }
}
