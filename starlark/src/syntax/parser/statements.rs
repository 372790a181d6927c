//! Statements, blocks, and how parsing resumes behind an error.

use super::super::ast::{
    Assign, AugAssign, BinaryOp, Branch, Def, Expr, ExprKind, For, Ident, If, Load, LoadSymbol, Name, Stmt,
    StmtKind, While,
};
use super::super::literals;
use super::super::resolve::Binding;
use super::super::source::Span;
use super::super::token::{Token, TokenKind};
use super::{Failed, Parser, Result};

impl Parser<'_> {
    /// `file = {statement | newline} eof`
    pub(super) fn file(&mut self) -> Vec<Stmt> {
        let mut body = Vec::new();
        while !self.at(TokenKind::Eof) {
            if self.accept(TokenKind::Newline).is_none() {
                self.statement(&mut body);
            }
        }
        body
    }

    /// Appends the statements of a line, or one with the blocks below it. All errors end here.
    fn statement(&mut self, out: &mut Vec<Stmt>) {
        let result = match self.kind() {
            TokenKind::Def => self.compound(out, Self::def),
            TokenKind::If => self.compound(out, Self::if_),
            TokenKind::For => self.compound(out, Self::for_),
            TokenKind::While => self.compound(out, Self::while_),
            _ => self.simple_statements(out),
        };
        if result.is_err() {
            self.recover(out);
        }
    }

    fn compound(
        &mut self,
        out: &mut Vec<Stmt>,
        parse: fn(&mut Self, Token) -> Result<StmtKind>,
    ) -> Result<()> {
        let keyword = self.advance();
        let kind = parse(self, keyword)?;
        out.push(Stmt { span: self.span_from(keyword.span), kind });
        Ok(())
    }

    // ---------------------------------------------------------------------------------------- recovery

    /// Resumes behind a statement that could not be parsed: at the next line, after the blocks that belong
    /// to it.
    fn recover(&mut self, out: &mut Vec<Stmt>) {
        self.open.clear();
        self.skip_line(out);
        // The branches of an `if` whose head is wrong, or whose body on the same line is.
        while matches!(self.kind(), TokenKind::Elif | TokenKind::Else) {
            self.skip_line(out);
        }
    }

    /// Skips to the end of the line without reporting anything, and parses a block below it.
    fn skip_line(&mut self, out: &mut Vec<Stmt>) {
        self.lexer.quiet = true;
        while !matches!(self.kind(), TokenKind::Newline | TokenKind::Indent | TokenKind::Eof) {
            self.advance();
        }
        self.lexer.quiet = false;
        self.accept(TokenKind::Newline);
        if self.at(TokenKind::Indent) && self.nested_block(out).is_err() {
            self.skip_block();
        }
    }

    /// Parses an indented block, unless it is nested too deeply; then the caller has reported that already.
    fn nested_block(&mut self, out: &mut Vec<Stmt>) -> Result<()> {
        if self.depth == super::MAX_NESTING {
            return Err(Failed);
        }
        self.nested(|p| {
            p.indented(out);
            Ok(())
        })
    }

    /// Skips an indented block.
    fn skip_block(&mut self) {
        let mut blocks = 0;
        loop {
            match self.advance().kind {
                TokenKind::Indent => blocks += 1,
                TokenKind::Outdent => blocks -= 1,
                TokenKind::Eof => return,
                _ => continue,
            }
            if blocks == 0 {
                return;
            }
        }
    }

    // -------------------------------------------------------------------------------------- compounds

    /// `suite = [newline indent {statement} outdent] | simple_statements`
    fn suite(&mut self) -> Result<Vec<Stmt>> {
        let mut body = Vec::new();
        if self.accept(TokenKind::Newline).is_none() {
            self.simple_statements(&mut body)?;
        } else if self.at(TokenKind::Indent) {
            self.nested(|p| {
                p.indented(&mut body);
                Ok(())
            })?;
        } else {
            // What stands here is a statement in its own right, so there is nothing to skip.
            let _ = self.unexpected(TokenKind::Indent.describe());
        }
        Ok(body)
    }

    /// The statements of a block, from its indent to its outdent.
    fn indented(&mut self, out: &mut Vec<Stmt>) {
        self.advance();
        while !matches!(self.kind(), TokenKind::Outdent | TokenKind::Eof) {
            self.statement(out);
        }
        self.accept(TokenKind::Outdent);
    }

    /// A suite behind its colon.
    fn colon_suite(&mut self) -> Result<Vec<Stmt>> {
        self.expect(TokenKind::Colon)?;
        self.suite()
    }

    fn def(&mut self, keyword: Token) -> Result<StmtKind> {
        let name = self.ident()?;
        if !self.at(TokenKind::LParen) {
            return Err(self.unexpected(TokenKind::LParen.describe()));
        }
        self.open();
        let params = self.params(true)?;
        self.close(TokenKind::RParen)?;
        if self.dialect.type_annotations && self.accept(TokenKind::Arrow).is_some() {
            self.annotated_type()?;
        }
        let body = self.colon_suite()?;
        let function = self.function(keyword, name.name, params, body);
        Ok(StmtKind::Def(Box::new(Def { name, function })))
    }

    fn if_(&mut self, _keyword: Token) -> Result<StmtKind> {
        let mut branches = Vec::new();
        loop {
            let cond = self.test()?;
            let body = self.colon_suite()?;
            branches.push(Branch { cond, body });
            if self.accept(TokenKind::Elif).is_none() {
                break;
            }
        }
        let otherwise = match self.accept(TokenKind::Else) {
            Some(_) => self.colon_suite()?,
            None => Vec::new(),
        };
        Ok(StmtKind::If(Box::new(If { branches, otherwise })))
    }

    fn for_(&mut self, _keyword: Token) -> Result<StmtKind> {
        let target = self.loop_variables()?;
        self.expect(TokenKind::In)?;
        let iterable = self.expressions(false)?;
        let body = self.colon_suite()?;
        Ok(StmtKind::For(Box::new(For { target, iterable, body })))
    }

    fn while_(&mut self, _keyword: Token) -> Result<StmtKind> {
        let cond = self.test()?;
        let body = self.colon_suite()?;
        Ok(StmtKind::While(Box::new(While { cond, body })))
    }

    // ---------------------------------------------------------------------------------- simple statements

    /// `simple_statements = simple {';' simple} [';'] newline`; the newline may be missing at the end of
    /// the file.
    fn simple_statements(&mut self, out: &mut Vec<Stmt>) -> Result<()> {
        loop {
            let start = self.token.span;
            let kind = self.simple_statement()?;
            out.push(Stmt { span: self.span_from(start), kind });
            if self.accept(TokenKind::Semi).is_none() {
                break;
            }
            if matches!(self.kind(), TokenKind::Newline | TokenKind::Eof) {
                break;
            }
        }
        if !self.at(TokenKind::Eof) {
            self.expect(TokenKind::Newline)?;
        }
        Ok(())
    }

    fn simple_statement(&mut self) -> Result<StmtKind> {
        let constant = match self.kind() {
            TokenKind::Return => {
                self.advance();
                let ends = matches!(self.kind(), TokenKind::Eof | TokenKind::Newline | TokenKind::Semi);
                return Ok(StmtKind::Return(if ends { None } else { Some(self.expressions(false)?) }));
            }
            TokenKind::Load => return self.load(),
            TokenKind::Break => StmtKind::Break,
            TokenKind::Continue => StmtKind::Continue,
            TokenKind::Pass => StmtKind::Pass,
            _ => return self.expression_statement(),
        };
        self.advance();
        Ok(constant)
    }

    /// An assignment, an augmented assignment, or an expression alone.
    fn expression_statement(&mut self) -> Result<StmtKind> {
        let left = self.expressions(false)?;
        if self.dialect.type_annotations && self.accept(TokenKind::Colon).is_some() {
            self.annotated_type()?;
            if !self.at(TokenKind::Assign) {
                return Ok(StmtKind::Pass);
            }
        }
        if let Some(op) = self.accept(TokenKind::Assign) {
            let value = self.expressions(false)?;
            return Ok(self.assign(left, op, value));
        }
        let Some(op) = augmented(self.kind()) else {
            return Ok(StmtKind::Expr(left));
        };
        let op_token = self.advance();
        let value = self.expressions(false)?;
        match left.kind {
            ExprKind::Tuple(_) => self.check(left.span, augmented_sequence("tuple")),
            ExprKind::List(_) => self.check(left.span, augmented_sequence("list")),
            _ => {
                return Ok(match self.target(left) {
                    Some(target) => {
                        StmtKind::AugAssign(Box::new(AugAssign { target, op, op_span: op_token.span, value }))
                    }
                    None => StmtKind::Expr(value),
                });
            }
        }
        Ok(self.assign(left, op_token, value))
    }

    fn assign(&mut self, left: Expr, op: Token, value: Expr) -> StmtKind {
        match self.target(left) {
            Some(target) => StmtKind::Assign(Box::new(Assign { target, op_span: op.span, value })),
            None => StmtKind::Expr(value),
        }
    }

    // -------------------------------------------------------------------------------------------- load

    /// `load = 'load' '(' string {',' [identifier '='] string} [','] ')'`
    fn load(&mut self) -> Result<StmtKind> {
        self.advance();
        if !self.at(TokenKind::LParen) {
            return Err(self.unexpected(TokenKind::LParen.describe()));
        }
        let paren = self.open();
        if !self.at(TokenKind::Str) {
            return Err(self.fail("first operand of load statement must be a string literal"));
        }
        let (module, module_span) = self.load_string();
        let mut symbols = Vec::new();
        let mut operands = 0;
        while !matches!(self.kind(), TokenKind::RParen | TokenKind::Eof) {
            self.expect(TokenKind::Comma)?;
            if self.at(TokenKind::RParen) {
                break;
            }
            symbols.extend(self.load_symbol()?);
            operands += 1;
        }
        self.close(TokenKind::RParen)?;
        if operands == 0 {
            self.report(paren.span, "load statement must import at least 1 symbol");
        }
        Ok(StmtKind::Load(Box::new(Load { module, module_span, symbols })))
    }

    fn load_symbol(&mut self) -> Result<Option<LoadSymbol>> {
        match self.kind() {
            TokenKind::Str => {
                let remote = self.remote_name();
                Ok(remote.map(|remote| {
                    let (name, span) = (remote.symbol, remote.span);
                    LoadSymbol { local: Ident { name, binding: Binding::Unresolved, span }, remote }
                }))
            }
            TokenKind::Ident => {
                let local = self.ident()?;
                let name = self.slice(local.span);
                if !self.at(TokenKind::Assign) {
                    let form = format!("load operand must be \"{name}\" or {name}=\"originalname\"");
                    return Err(self.fail(format!("{form} (want '=' after {name})")));
                }
                self.advance();
                if !self.at(TokenKind::Str) {
                    let form = format!("{name}=\"originalname\"");
                    return Err(self.fail(format!("original name of loaded symbol must be quoted: {form}")));
                }
                Ok(self.remote_name().map(|remote| LoadSymbol { local, remote }))
            }
            kind => {
                let form = "load operand must be \"name\" or localname=\"name\"";
                Err(self.fail(format!("{form} (got {})", kind.describe())))
            }
        }
    }

    /// The quoted name of something to load. An empty one is reported and dropped.
    fn remote_name(&mut self) -> Option<Name> {
        let (text, literal) = self.load_string();
        // Inside the quotes, where a plain identifier would stand.
        let span = Span::new(literal.start + 1, (literal.end - 1).max(literal.start + 1));
        if text.is_empty() {
            self.check(literal, "load: empty identifier");
            return None;
        }
        if text.starts_with('_') {
            let message = format!("load: names with leading underscores are not exported: {text}");
            self.check(literal, message);
        }
        Some(Name { symbol: self.names.intern(&text), span })
    }

    fn load_string(&mut self) -> (Box<str>, Span) {
        let span = self.advance().span;
        let value = literals::string(self.slice(span));
        (self.literal_or_default(span, value), span)
    }
}

fn augmented_sequence(kind: &str) -> String {
    format!("can't use {kind} expression in augmented assignment")
}

/// The operator of an augmented assignment.
fn augmented(kind: TokenKind) -> Option<BinaryOp> {
    Some(match kind {
        TokenKind::PlusAssign => BinaryOp::Add,
        TokenKind::MinusAssign => BinaryOp::Sub,
        TokenKind::StarAssign => BinaryOp::Mul,
        TokenKind::SlashAssign => BinaryOp::Div,
        TokenKind::SlashSlashAssign => BinaryOp::FloorDiv,
        TokenKind::PercentAssign => BinaryOp::Mod,
        TokenKind::AmpAssign => BinaryOp::BitAnd,
        TokenKind::PipeAssign => BinaryOp::BitOr,
        TokenKind::CaretAssign => BinaryOp::BitXor,
        TokenKind::LtLtAssign => BinaryOp::ShiftLeft,
        TokenKind::GtGtAssign => BinaryOp::ShiftRight,
        _ => return None,
    })
}
