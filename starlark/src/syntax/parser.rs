//! The parser: recursive descent with one token of lookahead, precedence climbing for operators.
//!
//! Errors come in two kinds. A *syntax error* ends its statement: the function that meets it reports it and
//! returns [`Failed`], which travels up to [`Parser::statement`]; there the rest of the line is skipped,
//! and a block below it is parsed for its own errors. A *check* is a sentence of the grammar that the
//! language forbids, like a parameter list in a wrong order: it is reported and parsing goes on, so names
//! stay bound and no further errors follow.
//!
//! Recursion is counted in [`Parser::nested`], through which every cycle of the grammar passes.

mod advice;
mod expressions;
mod fstrings;
mod functions;
mod statements;
mod targets;

use super::MAX_NESTING;
use super::ast::{Expr, File, Ident, Name};
use super::diagnostics::{Diagnostic, Severity};
use super::dialect::Dialect;
use super::lexer::{About, LexError, Lexer};
use super::names::{Names, Symbol};
use super::resolve::Binding;
use super::source::{SourceFile, Span};
use super::token::{Token, TokenKind};

/// What the parser makes of a text.
#[derive(Debug)]
pub struct Parsed {
    /// The tree; statements with syntax errors are missing in it.
    pub file: File,
    /// Errors of the lexer and the parser, in the order of the text.
    pub syntax_errors: Vec<Diagnostic>,
    /// Errors in what could be parsed, in the order of the text.
    pub check_errors: Vec<Diagnostic>,
    /// What the user should know, though nothing is wrong.
    pub warnings: Vec<Diagnostic>,
    /// Where words and characters begin that may not stand where they stand, whatever comes behind them.
    pub(super) misplaced: Vec<u32>,
}

/// Parses a module.
pub fn parse(source: &SourceFile, dialect: &Dialect) -> Parsed {
    let mut parser = Parser::new(source, dialect);
    let body = match source.text().len() {
        0..=SourceFile::MAX_BYTES => parser.file(),
        _ => {
            parser.report(Span::at(0), "file is too large");
            Vec::new()
        }
    };
    parser.finish(body)
}

/// An error has been reported; the current statement is given up.
#[derive(Clone, Copy, Debug)]
struct Failed;

type Result<T> = std::result::Result<T, Failed>;

struct Parser<'a> {
    source: &'a SourceFile,
    text: &'a str,
    dialect: &'a Dialect,
    lexer: Lexer<'a>,
    /// The token to look at.
    token: Token,
    /// The token before it, not counting line ends and indentation.
    previous: Span,
    names: Names,
    /// The brackets around the current token that this statement has opened.
    open: Vec<Token>,
    /// How deep the recursion is; at most [`MAX_NESTING`].
    depth: u32,
    syntax_errors: Vec<Diagnostic>,
    check_errors: Vec<Diagnostic>,
    misplaced: Vec<u32>,
    /// The first type annotation.
    annotated: Option<Span>,
}

impl<'a> Parser<'a> {
    fn new(source: &'a SourceFile, dialect: &'a Dialect) -> Parser<'a> {
        let text = source.text();
        let mut lexer = Lexer::new(text, dialect.f_strings);
        let token = lexer.next();
        Parser {
            source,
            text,
            dialect,
            lexer,
            token,
            previous: Span::default(),
            names: Names::default(),
            open: Vec::new(),
            depth: 0,
            syntax_errors: Vec::new(),
            check_errors: Vec::new(),
            misplaced: Vec::new(),
            annotated: None,
        }
    }

    fn finish(mut self, body: Vec<super::ast::Stmt>) -> Parsed {
        for LexError { span, message, about } in std::mem::take(&mut self.lexer.errors) {
            let error = Diagnostic::error(self.source, span, message);
            let help = advice::on_text(self.text, span, about);
            let lacks = match about {
                About::Lacking(feature) => Some(feature),
                _ => None,
            };
            if about == About::Character {
                self.misplaced.push(span.start);
            }
            self.syntax_errors.push(Diagnostic { help, lacks, ..error });
        }
        let ignored = |span| {
            let warning = Diagnostic::error(self.source, span, "type annotations are not checked");
            Diagnostic { severity: Severity::Warning, ..warning }
        };
        let warnings = self.annotated.map(ignored).into_iter().collect();
        self.syntax_errors.sort_by_key(|error| error.span.start);
        self.check_errors.sort_by_key(|error| error.span.start);
        Parsed {
            file: File { source: self.source.clone(), names: self.names, body },
            syntax_errors: self.syntax_errors,
            check_errors: self.check_errors,
            misplaced: self.misplaced,
            warnings,
        }
    }

    // ------------------------------------------------------------------------------------------ tokens

    fn kind(&self) -> TokenKind {
        self.token.kind
    }

    fn at(&self, kind: TokenKind) -> bool {
        self.token.kind == kind
    }

    /// Goes on to the next token and returns the current one.
    fn advance(&mut self) -> Token {
        let token = self.token;
        if !matches!(token.kind, TokenKind::Newline | TokenKind::Indent | TokenKind::Outdent) {
            self.previous = token.span;
        }
        self.token = self.lexer.next();
        token
    }

    /// Skips a token of this kind if it is the current one.
    fn accept(&mut self, kind: TokenKind) -> Option<Token> {
        self.at(kind).then(|| self.advance())
    }

    fn expect(&mut self, kind: TokenKind) -> Result<Token> {
        match self.accept(kind) {
            Some(token) => Ok(token),
            None => Err(self.unexpected(kind.describe())),
        }
    }

    /// Skips the current token, an opening bracket, and remembers it.
    fn open(&mut self) -> Token {
        let token = self.advance();
        self.open.push(token);
        token
    }

    /// Expects the bracket that closes the one opened last.
    fn close(&mut self, kind: TokenKind) -> Result<Token> {
        let token = self.expect(kind)?;
        self.open.pop();
        Ok(token)
    }

    fn slice(&self, span: Span) -> &'a str {
        &self.text[span.range()]
    }

    /// From `start` to the end of what has been parsed.
    fn span_from(&self, start: Span) -> Span {
        Span::new(start.start, self.previous.end)
    }

    // ------------------------------------------------------------------------------------------- names

    fn intern(&mut self, span: Span) -> Symbol {
        let text = self.slice(span);
        self.names.intern(text)
    }

    fn name(&mut self) -> Result<Name> {
        if !self.at(TokenKind::Ident) {
            return Err(self.fail("not an identifier"));
        }
        let span = self.advance().span;
        Ok(Name { symbol: self.intern(span), span })
    }

    fn ident(&mut self) -> Result<Ident> {
        let name = self.name()?;
        Ok(Ident { name: name.symbol, binding: Binding::Unresolved, span: name.span })
    }

    // ------------------------------------------------------------------------------------------ errors

    /// Reports a syntax error at a place.
    fn report(&mut self, span: Span, message: impl Into<String>) {
        self.syntax_errors.push(Diagnostic::error(self.source, span, message));
    }

    /// Reports something that is well-formed but not allowed.
    fn check(&mut self, span: Span, message: impl Into<String>) {
        self.check_errors.push(Diagnostic::error(self.source, span, message));
    }

    /// Reports a syntax error at the current token, unless the lexer has.
    fn fail(&mut self, message: impl Into<String>) -> Failed {
        self.fail_wanting("", message.into())
    }

    /// The same where `want` should have been.
    fn fail_wanting(&mut self, want: &str, message: String) -> Failed {
        if !self.at(TokenKind::Error) {
            let error = Diagnostic::error(self.source, self.token.span, message);
            let (help, lacks) = self.advice(want);
            let error = self.explain(Diagnostic { help, lacks, ..error });
            self.syntax_errors.push(error);
        }
        Failed
    }

    /// Reports that something else than the current token was expected.
    fn unexpected(&mut self, want: &str) -> Failed {
        let got = match self.kind() {
            TokenKind::Reserved => self.slice(self.token.span),
            kind => kind.describe(),
        };
        if !self.at(TokenKind::Error) {
            self.misplaced.push(self.token.span.start);
        }
        self.fail_wanting(want, format!("got {got}, want {want}"))
    }

    /// Adds to an error at the current token what is not evident from it.
    fn explain(&self, error: Diagnostic) -> Diagnostic {
        if self.at(TokenKind::Reserved) {
            let word = self.slice(self.token.span);
            return error.note(format!("`{word}` is a reserved word without a meaning in Starlark"));
        }
        // A bracket on the same line is evident, unless another kind of bracket closes it.
        let is_far = |open: &Token| {
            self.text[open.span.start as usize..self.previous.end as usize].contains('\n')
                || matches!(self.kind(), TokenKind::Newline | TokenKind::Eof)
                || self.kind().closes_bracket()
        };
        match self.open.last().filter(|open| is_far(open)) {
            Some(open) => error.note_at(self.source, open.span, "the bracket was opened here"),
            None => error,
        }
    }

    // --------------------------------------------------------------------------------------- recursion

    /// Runs `parse` one level deeper, or fails if that is too deep.
    fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth == MAX_NESTING {
            return Err(self.fail(format!("nesting is deeper than {MAX_NESTING} levels")));
        }
        self.depth += 1;
        let result = parse(self);
        self.depth -= 1;
        result
    }
}

/// Whether an expression is an identifier without parentheses around it.
fn bare_ident(expr: &Expr) -> Option<Ident> {
    match expr.kind {
        super::ast::ExprKind::Ident(ident) if ident.span == expr.span => Some(ident),
        _ => None,
    }
}

/// Adds to a list that seldom gets more than two items. The first allocation of a vector is for four; with
/// it, trees are nearly twice as large and take half as long again to build.
fn push_few<T>(list: &mut Vec<T>, item: T) {
    if list.capacity() == 0 {
        list.reserve_exact(2);
    }
    list.push(item);
}
