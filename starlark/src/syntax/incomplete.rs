//! Whether a text that somebody types may go on: for prompts.

use super::dialect::Dialect;
use super::lexer::Lexer;
use super::parser::parse;
use super::source::SourceFile;
use super::token::TokenKind;

/// Whether more lines are expected: a bracket or a string of several lines is open, a backslash ends the text, or
/// a block was begun. A block ends with an empty line, since every other line may belong to it. What is wrong already
/// is not made right by further lines: none are expected.
///
/// ```
/// use frazil_starlark::syntax::{Dialect, is_incomplete};
/// let typed = |text| is_incomplete(text, &Dialect::STANDARD);
/// assert!(typed("xs = [1,") && typed("def f():") && typed("def f():\n  return 1"));
/// assert!(!typed("xs = [1]") && !typed("def f():\n  return 1\n") && !typed("x = ") && !typed("f(1 2"));
/// ```
pub fn is_incomplete(text: &str, dialect: &Dialect) -> bool {
    if text.ends_with('\\') {
        return true;
    }
    let end = text.len() as u32;
    let mut lexer = Lexer::new(text, dialect.f_strings);
    let (mut brackets, mut blocks, mut known) = (0u32, 0u32, 0);
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
                (last, known) = (kind, token.span.end);
            }
        }
    }
    let last_line = text.rsplit('\n').next().unwrap_or("");
    let ended = text.contains('\n') && last_line.trim().is_empty();
    let is_open = brackets > 0 || (blocks > 0 || last == TokenKind::Colon) && !ended;
    is_open && !is_wrong(text, dialect, known)
}

/// Is something wrong before `end`, where the last word ends? That is sure of a word that may not stand where it stands.
/// Other errors tell of a construct as a whole, such as an `if` without `else`, and may end with it.
fn is_wrong(text: &str, dialect: &Dialect, end: u32) -> bool {
    let parsed = parse(&SourceFile::new("", text), dialect);
    parsed.misplaced.iter().any(|&start| start < end)
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
            "f(a = 1, b",
            "def f(a = 1, b",
            "def f(*",
            "def f(**k",
            "(lambda x",
            "{a",
            "{a: b for",
            "[x for x in y if",
            "x = (a not",
            "x = (a.",
            "f(*",
            "f(-",
            "if x:\n  '''a",
            "load('a',",
            "(a if b",
            "def f():\n  pass\n\ndef g():\n  pass",
        ] {
            assert!(typed(open), "{open:?}");
        }
    }

    #[test]
    fn a_program_is_not_given_up_before_its_end() {
        let program = "load('a', b = 'c')\n\
            def f(a, b = 1, *, c = [1, 2], **d):\n  \
              '''doc\n  more'''\n  \
              for x, (y, z) in {\n   'k': [i for i in a if not i in c], 'l': -1 if a else (lambda q = 2: q)}.items():\n    \
                if x == y and z != 3 or not y: a[1:2] += \\\n b\n    \
                elif x:\n\n      pass\n    \
                else:\n      return {k: v for k, v in f(*a, b = 2, **d)}\n";
        let errors = |text: &str| parse(&SourceFile::new("", text), &Dialect::EXTENDED).syntax_errors;
        assert_eq!(errors(program).len(), 0);
        let in_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || "=!*+\\'".contains(c));
        for (at, _) in program.char_indices() {
            let (text, rest) = program.split_at(at);
            // A word may be a keyword, and an operator have two characters.
            if in_word(text.chars().last()) && in_word(rest.chars().next()) {
                continue;
            }
            let end = text.trim_end().len() as u32;
            let given_up =
                is_wrong(text, &Dialect::EXTENDED, end) && !is_incomplete(text, &Dialect::EXTENDED);
            assert!(!given_up, "{text:?}: {:?}", errors(text));
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
            "def f(:",
            "f(1 2",
            "  1",
            "if x:\n  y = = 1",
            "if x\n  [",
            "xs = [1, $",
        ] {
            assert!(!typed(closed), "{closed:?}");
        }
    }
}
