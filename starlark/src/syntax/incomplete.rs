//! Whether a text that somebody types may go on: for prompts.

use super::dialect::Dialect;
use super::lexer::Lexer;
use super::token::TokenKind;

/// Whether more lines are expected: a bracket or a string of several lines is open, a backslash ends the text, or
/// a block was begun. A block ends with an empty line, since every other line may belong to it.
///
/// ```
/// use frazil_starlark::syntax::{Dialect, is_incomplete};
/// let typed = |text| is_incomplete(text, &Dialect::STANDARD);
/// assert!(typed("xs = [1,") && typed("def f():") && typed("def f():\n  return 1"));
/// assert!(!typed("xs = [1]") && !typed("def f():\n  return 1\n") && !typed("x = "));
/// ```
pub fn is_incomplete(text: &str, dialect: &Dialect) -> bool {
    if text.ends_with('\\') {
        return true;
    }
    let end = text.len() as u32;
    let mut lexer = Lexer::new(text, dialect.f_strings);
    let (mut brackets, mut blocks) = (0u32, 0u32);
    let mut last = TokenKind::Newline;
    loop {
        let token = lexer.next();
        match token.kind {
            TokenKind::Eof => break,
            // A newline at the very end may be one that the lexer made up, in a bracket.
            TokenKind::Newline if token.span.start < end => brackets = 0,
            TokenKind::Outdent if token.span.start == end => blocks += 1,
            TokenKind::Newline | TokenKind::Indent | TokenKind::Outdent => {}
            kind => {
                match kind {
                    TokenKind::LParen | TokenKind::LBracket | TokenKind::LBrace => brackets += 1,
                    kind if kind.closes_bracket() => brackets = brackets.saturating_sub(1),
                    TokenKind::Error if token.span.end == end && opens_lines(&text[token.span.range()]) => {
                        return true;
                    }
                    _ => {}
                }
                last = kind;
            }
        }
    }
    let last_line = text.rsplit('\n').next().unwrap_or("");
    let ended = text.contains('\n') && last_line.trim().is_empty();
    brackets > 0 || (blocks > 0 || last == TokenKind::Colon) && !ended
}

/// Whether a string that was not closed may have several lines.
fn opens_lines(literal: &str) -> bool {
    let quotes = literal.trim_start_matches(['r', 'b', 'f', 'F']);
    quotes.starts_with("\"\"\"") || quotes.starts_with("'''")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_open_goes_on() {
        let typed = |text: &str| is_incomplete(text, &Dialect::EXTENDED);
        for open in [
            "f(",
            "x = [1,\n2,",
            "{\n",
            "'''a",
            "x = r\"\"\"a\nb",
            "if x:",
            "for i in y:\n  z(i)",
            "def f():\n  g(\n",
            "1 + \\",
            "if x:\n  if y:\n    z",
            "def f():\n  pass\n\ndef g():\n  pass",
        ] {
            assert!(typed(open), "{open:?}");
        }
    }

    #[test]
    fn what_is_over_or_wrong_does_not() {
        let typed = |text: &str| is_incomplete(text, &Dialect::EXTENDED);
        for closed in [
            "",
            "x",
            "x = ",
            "'abc",
            "f(]",
            "if x:\n  y\n",
            "if x: y",
            "def f():\n",
            ")",
            "x = {'a': 1}",
            "[1)",
        ] {
            assert!(!typed(closed), "{closed:?}");
        }
    }
}
