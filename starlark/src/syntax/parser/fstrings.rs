//! F-strings: `f"a{x}b{y!r}"` is parsed into what `"a{}b{!r}".format(x, y)` would be.

use super::super::ast::{Args, Expr, ExprKind, Name, Primary, Suffix, SuffixKind};
use super::super::lexer::Lexer;
use super::super::literals;
use super::super::source::Span;
use super::super::token::TokenKind;
use super::{Parser, Result};

/// A replacement field, as offsets in the text of the module.
struct Field {
    /// Where the expression ends.
    expression_end: usize,
    /// What stands behind `!`.
    conversion: Option<char>,
    /// Behind the closing brace.
    end: usize,
}

impl Parser<'_> {
    pub(super) fn f_string(&mut self) -> Result<Expr> {
        let token = self.token;
        let literal = self.slice(token.span);
        let (body, offset, raw) = literals::body(literal);
        let start = token.span.start as usize + offset;
        let mut template = String::new();
        let mut args = Args::default();
        let mut at = 0;
        while let Some(brace) = body[at..].find(['{', '}']).map(|found| at + found) {
            self.text_part(&mut template, token.span, &body[at..brace], offset + at, raw);
            let c = body.as_bytes()[brace];
            if body.as_bytes().get(brace + 1) == Some(&c) {
                template.extend([char::from(c); 2]);
                at = brace + 2;
                continue;
            }
            let here = Span::new((start + brace) as u32, (start + brace) as u32 + 1);
            if c == b'}' {
                self.check(here, "single '}' in f-string");
                at = brace + 1;
                continue;
            }
            let Some(field) = field(body, brace + 1) else {
                self.check(
                    here,
                    "unmatched '{' in f-string, or a format specification, which is not supported",
                );
                break;
            };
            match field.conversion {
                None => template.push_str("{}"),
                Some(conversion @ ('r' | 's')) => template.extend(['{', '!', conversion, '}']),
                Some(_) => self.check(here, "unknown conversion in f-string: only !r and !s are supported"),
            }
            args.positional.push(self.field_expression(start + brace + 1, start + field.expression_end)?);
            at = field.end;
        }
        self.text_part(&mut template, token.span, &body[at.min(body.len())..], offset + at, raw);
        self.advance();
        let operand = Expr { span: token.span, kind: ExprKind::Str(template.into()) };
        let name = Name { symbol: self.names.intern("format"), span: token.span };
        let suffixes = vec![
            Suffix { span: token.span, kind: SuffixKind::Attr(name) },
            Suffix { span: token.span, kind: SuffixKind::Call(Box::new(args)) },
        ];
        Ok(Expr { span: token.span, kind: ExprKind::Primary(Box::new(Primary { operand, suffixes })) })
    }

    /// Appends text that stands for itself; braces in it come from escapes.
    fn text_part(&mut self, template: &mut String, literal: Span, text: &str, offset: usize, raw: bool) {
        let value = literals::part(text, offset, raw);
        let value = self.literal_or_default(literal, value);
        template.push_str(&value.replace('{', "{{").replace('}', "}}"));
    }

    /// Parses the expression between two offsets of the text.
    fn field_expression(&mut self, start: usize, end: usize) -> Result<Expr> {
        let inner = Lexer::inside_f_string(&self.text[..end], start);
        let outer = std::mem::replace(&mut self.lexer, inner);
        let (token, previous) = (self.token, self.previous);
        let open = std::mem::take(&mut self.open);
        self.token = self.lexer.next();
        let mut parsed = self.nested(Self::test);
        if parsed.is_ok() && !self.at(TokenKind::Eof) {
            parsed = Err(self.unexpected("'}'"));
        }
        let inner = std::mem::replace(&mut self.lexer, outer);
        self.lexer.errors.extend(inner.errors);
        (self.token, self.previous, self.open) = (token, previous, open);
        parsed
    }
}

/// The field whose expression begins at `start` in the body of an f-string. `None` if it has no end, or a format
/// specification.
fn field(body: &str, start: usize) -> Option<Field> {
    let mut brackets = 0;
    let mut quote = None;
    let mut bytes = body.bytes().enumerate().skip(start).peekable();
    while let Some((at, byte)) = bytes.next() {
        match (quote, byte) {
            (Some(open), byte) if byte == open => quote = None,
            (Some(_), b'\\') => drop(bytes.next()),
            (Some(_), _) => {}
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'(' | b'[' | b'{') => brackets += 1,
            (None, b'}') if brackets == 0 => {
                return Some(Field { expression_end: at, conversion: None, end: at + 1 });
            }
            (None, b')' | b']' | b'}') => brackets -= 1,
            (None, b'!') if brackets == 0 && bytes.peek().is_some_and(|&(_, next)| next != b'=') => {
                let behind = &body[at + 1..];
                let end = behind.find('}')?;
                let mut conversion = behind[..end].chars();
                let conversion = conversion.next().filter(|_| conversion.next().is_none());
                let conversion = Some(conversion.unwrap_or('?'));
                return Some(Field { expression_end: at, conversion, end: at + 1 + end + 1 });
            }
            (None, b':') if brackets == 0 => return None,
            _ => {}
        }
    }
    None
}
