//! What the user could do about a syntax error. Many errors are words of another language; whoever wrote them
//! knows what they meant and only has to learn how it is written here.

use super::super::dialect::Feature;
use super::super::lexer::About;
use super::super::source::Span;
use super::super::token::TokenKind;
use super::Parser;

impl Parser<'_> {
    /// Advice on an error at the current token, where `want` should have been, and what would allow it.
    pub(super) fn advice(&self, want: &str) -> (Option<String>, Option<Feature>) {
        let scene = Scene {
            got: self.kind(),
            word: self.slice(self.token.span),
            want,
            before: self.slice(self.previous),
            joined: self.previous.end == self.token.span.start,
            rest: &self.text[self.token.span.end as usize..],
            line: &self.text[line_start(self.text, self.token.span.start)..self.token.span.start as usize],
        };
        if !self.dialect.type_annotations && scene.is_annotation() {
            let help = "this dialect has no type annotations".to_owned();
            return (Some(help), Some(Feature::TypeAnnotations));
        }
        (scene.advice(), None)
    }
}

/// Advice on an error of the lexer.
pub(super) fn on_text(text: &str, span: Span, about: About) -> Option<String> {
    match about {
        About::String => return Some(unclosed_string(&text[span.range()]).to_owned()),
        About::Indentation => {
            let line = &text[line_start(text, span.start)..];
            let tabs = line.starts_with('\t') || line.trim_start_matches(' ').starts_with('\t');
            let cause = if tabs { "; a tab counts up to the next multiple of 8 columns" } else { "" };
            return Some(format!("indent this line exactly as a line of the block it belongs to{cause}"));
        }
        About::Lacking(_) => return Some("write \"{} {}\".format(a, b), or \"%s %s\" % (a, b)".to_owned()),
        About::Character | About::Number => {}
    }
    let c = text[span.range()].chars().next()?;
    Some(match c {
        '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{2018}' | '\u{2019}' | '\u{201a}' | '\u{ab}' | '\u{bb}'
        | '`' => {
            format!("{c} is no quote in programs: write \" or '")
        }
        '\u{a0}' | '\u{2007}' | '\u{202f}' | '\u{3000}' | '\u{200b}' | '\u{200c}' | '\u{200d}'
        | '\u{2060}' => {
            format!("an invisible character (U+{:04X}): write an ordinary space", u32::from(c))
        }
        '\u{feff}' => "a byte order mark: save the file without it".to_owned(),
        '\u{2212}' | '\u{2013}' | '\u{2014}' => format!("{c} is no minus sign in programs: write -"),
        '!' => "write `not x`".to_owned(),
        '?' => "a conditional expression is written `a if condition else b`".to_owned(),
        '@' => "there are no decorators: write `f = decorate(f)` under another name".to_owned(),
        ')' | ']' | '}' => "no bracket is open here".to_owned(),
        '\\' => "a backslash joins two lines only if nothing follows it in its line".to_owned(),
        _ => return None,
    })
}

fn unclosed_string(literal: &str) -> &'static str {
    let quotes = literal.trim_start_matches(['r', 'b', 'f', 'F']);
    match quotes.as_bytes() {
        [b'"', b'"', b'"', ..] => "close the string with \"\"\"",
        [b'\'', b'\'', b'\'', ..] => "close the string with '''",
        [b'"', ..] => "close the string with \"; only between \"\"\" and \"\"\" it may have several lines",
        _ => "close the string with '; only between ''' and ''' it may have several lines",
    }
}

fn line_start(text: &str, offset: u32) -> usize {
    text[..offset as usize].rfind(['\n', '\r']).map_or(0, |at| at + 1)
}

/// An error and what stands around it.
struct Scene<'a> {
    got: TokenKind,
    /// The text of that token.
    word: &'a str,
    /// What was expected, in the words of the message; empty if the message says it otherwise.
    want: &'a str,
    /// The token before.
    before: &'a str,
    /// Whether nothing stands between them.
    joined: bool,
    /// The text behind the token.
    rest: &'a str,
    /// The line up to the token.
    line: &'a str,
}

impl Scene<'_> {
    fn advice(&self) -> Option<String> {
        if self.got == TokenKind::Reserved {
            return reserved(self.word).map(str::to_owned);
        }
        self.operator()
            .map(str::to_owned)
            .or_else(|| self.name())
            .or_else(|| self.layout().map(str::to_owned))
            .or_else(|| self.sequence())
    }

    /// A type is said of a name, or of a result.
    fn is_annotation(&self) -> bool {
        let is_behind_name = self.before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let may_be_typed = matches!(self.want, "newline" | "')'") && !self.rest.starts_with('=');
        self.word == "->" || (self.got == TokenKind::Colon && may_be_typed && is_behind_name)
    }

    /// A name was expected, or a keyword is used as one.
    fn name(&self) -> Option<String> {
        let keyword = if self.want.is_empty() && self.got.is_keyword() {
            self.word
        } else if self.word == "=" && self.line.trim() == self.before && self.want == "primary expression" {
            self.before
        } else {
            return None;
        };
        Some(format!("`{keyword}` is a keyword and can name nothing"))
    }

    /// Operators of other languages. Most are two of ours, of which the second is the error.
    fn operator(&self) -> Option<&'static str> {
        let wants_operand = self.want == "primary expression";
        Some(match (self.before, self.word) {
            ("&", "&") if self.joined => "write `and`",
            ("|", "|") if self.joined => "write `or`",
            ("<", ">") if self.joined => "write `!=`",
            ("=", ">") if self.joined => "write `>=`; or, for a function, `lambda x: ...`",
            ("==" | "!=", "=") if self.joined => "write `==` or `!=`: there are no operators of three signs",
            ("+", _) if wants_operand && self.ends_line() && self.line.trim_end().ends_with("++") => {
                "there is no `++`: write `x += 1`"
            }
            ("-", _) if wants_operand && self.ends_line() && self.line.trim_end().ends_with("--") => {
                "there is no `--`: write `x -= 1`"
            }
            (_, ":") if self.rest.starts_with('=') => {
                "there are no assignments in expressions: assign in a line before"
            }
            (_, "<" | "<=" | ">" | ">=" | "==" | "!=" | "in" | "not in")
                if self.want.is_empty() && self.before != "." =>
            {
                "write `a < b and b < c`"
            }
            (_, "**") => "there is no operator for powers; the module `math` has `pow`",
            (_, "//" | "/") if wants_operand && self.line.trim().is_empty() => "comments begin with `#`",
            (_, "=") if self.want == "':'" || self.want == "')'" => {
                "`==` compares; `=` assigns, and is a statement by itself"
            }
            (_, "=") if self.want == "newline" => {
                "an assignment has no value: assign to one variable after the other"
            }
            _ => return None,
        })
    }

    fn ends_line(&self) -> bool {
        matches!(self.got, TokenKind::Newline | TokenKind::Eof)
    }

    /// Lines, blocks and indentation.
    fn layout(&self) -> Option<&'static str> {
        use TokenKind::*;
        Some(match (self.got, self.want) {
            (If, "':'") if self.before == "else" => "write `elif`",
            (LBrace, "':'") => "a block begins with `:` and is indented; there are no braces around it",
            (Newline | Eof, "':'") => "a `:` is missing at the end of this line",
            (_, "indent") => "indent the block behind the `:`; one that does nothing is `pass`",
            (Indent, _) if self.line.contains('\t') => {
                "this line is indented deeper than the block it stands in: a tab counts up to the next multiple of 8 columns"
            }
            (Indent, _) => "this line is indented deeper than the block it stands in",
            (Def | If | For | While, "primary expression") if self.before == ";" => {
                "what has a block begins a line of its own"
            }
            (Elif | Else, "primary expression") => "no `if` stands before it with the same indentation",
            (Colon, "'('") => "parameters stand in parentheses, even if there are none: `def f():`",
            (Comma | RBrace, "':'") => {
                "there are no set displays: write `set([a, b])`; a dict needs `key: value`"
            }
            (Eof, "primary expression") => "the file ends in the middle of an expression",
            _ => return None,
        })
    }

    /// Two things side by side that cannot stand so.
    fn sequence(&self) -> Option<String> {
        use TokenKind::*;
        let starts_operand =
            matches!(self.got, Ident | Int | Float | Str | FStr | Bytes | LBrace | Lambda | Not | Minus);
        if !starts_operand {
            return None;
        }
        match self.want {
            "newline" => self.statement_like().or_else(|| {
                let strings = self.got == Str && self.before.ends_with(['"', '\'']);
                strings.then(|| "strings side by side are not joined: write `+` between them".to_owned())
            }),
            "','" | "')'" | "']'" | "'}'" if self.got == Str && self.before.ends_with(['"', '\'']) => {
                Some("write a comma between the strings, or `+` to join them".to_owned())
            }
            "','" | "')'" | "']'" | "'}'" if self.line.trim().is_empty() => {
                Some("a comma is missing in the line before, or the bracket was not closed".to_owned())
            }
            "','" | "')'" | "']'" | "'}'" => Some("a comma or an operator is missing before this".to_owned()),
            _ => None,
        }
    }

    /// `print x` and other statements of other languages.
    fn statement_like(&self) -> Option<String> {
        Some(match self.line.trim() {
            word @ "print" => format!("`{word}` is a function: write `{word}(...)`"),
            "var" | "let" | "const" | "auto" | "my" | "local" => {
                format!("a variable is made by assigning to it: write `{} = ...`", self.word)
            }
            "function" | "func" | "fn" | "sub" => {
                format!("functions are made with `def`: `def {}():`", self.word)
            }
            "assert" => "there is no `assert`: write `if not condition: fail(\"message\")`".to_owned(),
            "throw" => "there are no exceptions: `fail(\"message\")` ends the program".to_owned(),
            "elseif" | "elsif" => "write `elif`".to_owned(),
            _ => return None,
        })
    }
}

/// What to do instead of what a reserved word does in Python.
fn reserved(word: &str) -> Option<&'static str> {
    Some(match word {
        "class" => "there are no classes: a function that returns `struct(...)` often does",
        "import" | "from" => "write `load(\"module.star\", \"name\")`",
        "try" | "except" | "finally" | "raise" => {
            "there are no exceptions: `fail(\"message\")` ends the program, and a function can return an error"
        }
        "is" => "write `==`; `x == None` needs no more",
        "del" => "write `x.pop(key)`, or build a new value without it",
        "global" | "nonlocal" => {
            "a function cannot assign to variables around it: let it return the value, or change a list or dict"
        }
        "yield" => "there are no generators: return a list",
        "with" => "there is nothing to be closed: write the body alone",
        "async" | "await" => "a program has one thread: write the call alone",
        "as" => "`load(\"module.star\", new = \"old\")` renames",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quote_decides_how_a_string_is_closed() {
        assert!(unclosed_string("rb'''a").ends_with("'''"));
        assert!(unclosed_string("\"a").contains("several lines"));
        assert!(unclosed_string("'a").starts_with("close the string with ';"));
    }

    #[test]
    fn invisible_characters_are_named() {
        let advice = on_text("x\u{a0}", Span::new(1, 3), About::Character);
        assert!(advice.is_some_and(|advice| advice.contains("U+00A0")));
        assert_eq!(on_text("$", Span::new(0, 1), About::Character), None);
    }
}
