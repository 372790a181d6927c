//! The values of literals, from their text. The lexer has found where they end; here their insides are
//! checked.

use super::ast::ExprKind;
use super::source::Span;
use crate::data::int::parse;

/// What is wrong inside a literal: where (relative to its start) and what.
type LiteralError = (Span, String);

/// The value of an int literal; `None` if it has too many digits.
pub(crate) fn int(text: &str) -> Option<ExprKind> {
    let (digits, base) = match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => (&text[2..], 16),
        [b'0', b'o' | b'O', ..] => (&text[2..], 8),
        [b'0', b'b' | b'B', ..] => (&text[2..], 2),
        _ => (text, 10),
    };
    match i64::from_str_radix(digits, base) {
        Ok(value) => Some(ExprKind::Int(value)),
        Err(_) => parse(digits, base).map(|big| ExprKind::BigInt(Box::new(big))),
    }
}

/// The value of a float literal; `None` if it is too large.
pub(crate) fn float(text: &str) -> Option<f64> {
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

/// The value of a string literal.
pub(crate) fn string(text: &str) -> Result<Box<str>, LiteralError> {
    let (body, start, raw) = body(text);
    if memchr::memchr2(b'\r', if raw { b'\r' } else { b'\\' }, body.as_bytes()).is_none() {
        return Ok(body.into());
    }
    let mut decoder = Decoder { body, pos: 0, offset: start, raw, is_bytes: false };
    let bytes = decoder.decode()?;
    // Escapes above ASCII are refused in strings and the text is UTF-8, so this is lossless.
    Ok(String::from_utf8_lossy(&bytes).into())
}

/// The value of a bytes literal: text stands for its UTF-8 encoding.
pub(crate) fn bytes(text: &str) -> Result<Box<[u8]>, LiteralError> {
    let (body, start, raw) = body(text);
    let mut decoder = Decoder { body, pos: 0, offset: start, raw, is_bytes: true };
    Ok(decoder.decode()?.into())
}

/// The value of a part of a string literal that begins at `offset` in it.
pub(crate) fn part(text: &str, offset: usize, raw: bool) -> Result<Box<str>, LiteralError> {
    let bytes = Decoder { body: text, pos: 0, offset, raw, is_bytes: false }.decode()?;
    Ok(String::from_utf8_lossy(&bytes).into())
}

/// What is between the quotes, where it starts, and whether the literal is raw.
pub(crate) fn body(text: &str) -> (&str, usize, bool) {
    let open = text.find(['"', '\'']).unwrap_or(0);
    let quote = text.as_bytes()[open];
    let quotes =
        if text.len() >= open + 6 && text.as_bytes()[open..].starts_with(&[quote; 3]) { 3 } else { 1 };
    let raw = text[..open].contains('r');
    (&text[open + quotes..text.len() - quotes], open + quotes, raw)
}

struct Decoder<'a> {
    body: &'a str,
    pos: usize,
    /// Where the body starts in the literal.
    offset: usize,
    raw: bool,
    is_bytes: bool,
}

impl Decoder<'_> {
    fn decode(&mut self) -> Result<Vec<u8>, LiteralError> {
        let mut out = Vec::with_capacity(self.body.len());
        while self.pos < self.body.len() {
            let rest = &self.body.as_bytes()[self.pos..];
            let is_special = |b: &u8| *b == b'\r' || (*b == b'\\' && !self.raw);
            let plain = rest.iter().position(is_special).unwrap_or(rest.len());
            out.extend_from_slice(&rest[..plain]);
            self.pos += plain;
            match rest.get(plain) {
                Some(b'\r') => {
                    self.line_break();
                    out.push(b'\n');
                }
                Some(_) => self.escape(&mut out)?,
                None => {}
            }
        }
        Ok(out)
    }

    /// Skips `\n`, `\r` or `\r\n`.
    fn line_break(&mut self) {
        self.pos += if self.body[self.pos..].starts_with("\r\n") { 2 } else { 1 };
    }

    /// Decodes the escape at the current position.
    fn escape(&mut self, out: &mut Vec<u8>) -> Result<(), LiteralError> {
        let escaped = self.body.as_bytes().get(self.pos + 1).copied().unwrap_or(b'\\');
        let simple = match escaped {
            b'a' => 7,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'v' => 11,
            b'\\' | b'\'' | b'"' => escaped,
            b'\n' | b'\r' => {
                self.pos += 1;
                self.line_break();
                return Ok(());
            }
            b'0'..=b'7' => return self.octal(out),
            b'x' => return self.hex(out),
            b'u' => return self.code_point(4, out),
            b'U' => return self.code_point(8, out),
            _ => return Err(self.invalid(1)),
        };
        out.push(simple);
        self.pos += 2;
        Ok(())
    }

    /// `\o`, `\oo` or `\ooo`.
    fn octal(&mut self, out: &mut Vec<u8>) -> Result<(), LiteralError> {
        let digits = self.body.as_bytes()[self.pos + 1..].iter().take(3);
        let digits: Vec<u32> =
            digits.take_while(|b| matches!(b, b'0'..=b'7')).map(|b| u32::from(b - b'0')).collect();
        let value = digits.iter().fold(0, |value, digit| value * 8 + digit);
        let length = digits.len();
        if !self.is_bytes && value > 127 {
            let name = format!("octal escape \\{value:o}");
            return Err(self.not_ascii(&name, value, length));
        }
        match u8::try_from(value) {
            Ok(byte) => out.push(byte),
            Err(_) => return Err(self.invalid(length)),
        }
        self.pos += 1 + length;
        Ok(())
    }

    /// `\xhh`
    fn hex(&mut self, out: &mut Vec<u8>) -> Result<(), LiteralError> {
        let value = self.hex_digits(2)?;
        if !self.is_bytes && value > 127 {
            let name = format!("hex escape {}", &self.body[self.pos..self.pos + 4]);
            return Err(self.not_ascii(&name, value, 3));
        }
        out.push(value as u8);
        self.pos += 4;
        Ok(())
    }

    /// `\uhhhh` or `\Uhhhhhhhh`
    fn code_point(&mut self, digits: usize, out: &mut Vec<u8>) -> Result<(), LiteralError> {
        let value = self.hex_digits(digits)?;
        let Some(c) = char::from_u32(value) else {
            let message = match value {
                0xD800..0xE000 => format!("invalid Unicode code point U+{value:04X}"),
                _ => {
                    let escape = &self.body[self.pos..self.pos + 2 + digits];
                    format!("code point out of range: {escape} (max \\U0010ffff)")
                }
            };
            return Err(self.error(1 + digits, message));
        };
        out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        self.pos += 2 + digits;
        Ok(())
    }

    /// The value of the `count` hex digits behind the backslash and its letter.
    fn hex_digits(&self, count: usize) -> Result<u32, LiteralError> {
        let rest = &self.body.as_bytes()[self.pos + 2..];
        let digits = rest.iter().take(count).take_while(|b| b.is_ascii_hexdigit()).count();
        if digits == count {
            let text = &self.body[self.pos + 2..self.pos + 2 + count];
            return u32::from_str_radix(text, 16).map_err(|_| self.invalid(1 + count));
        }
        if digits == rest.len() {
            let escape = &self.body[self.pos..];
            return Err(self.error(escape.len() - 1, format!("truncated escape sequence {escape}")));
        }
        Err(self.invalid(1 + count))
    }

    fn not_ascii(&self, escape: &str, value: u32, length: usize) -> LiteralError {
        let hint = format!("(use \\u{value:04X} for the UTF-8 encoding of U+{value:04X})");
        self.error(length, format!("non-ASCII {escape} {hint}"))
    }

    /// Refuses the backslash at the current position and the `length` code points behind it.
    fn invalid(&self, length: usize) -> LiteralError {
        let escape: String = self.body[self.pos..].chars().take(1 + length).collect();
        self.error(escape.len() - 1, format!("invalid escape sequence {escape}"))
    }

    /// An error at the backslash at the current position and the `length` bytes behind it.
    fn error(&self, length: usize, message: String) -> LiteralError {
        let start = (self.offset + self.pos) as u32;
        (Span::new(start, start + 1 + length as u32), message)
    }
}
