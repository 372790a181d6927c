//! Expressions.

use super::super::ast::{
    Binary, BinaryOp, BinaryTail, Clause, Conditional, DictComp, DictEntry, Expr, ExprKind, ListComp,
    Primary, Slice, Suffix, SuffixKind, Unary, UnaryOp,
};
use super::super::diagnostics::Diagnostic;
use super::super::literals;
use super::super::source::Span;
use super::super::token::TokenKind;
use super::{Parser, Result, push_few};

/// Precedences of the binary operators, loosest first.
const OR: u8 = 0;
const AND: u8 = 1;
/// Not a binary operator: `not` takes operands that bind tighter than `and`.
const NOT: u8 = 2;
const COMPARISON: u8 = 3;

/// A binary operator with its precedence.
#[derive(Clone, Copy)]
enum Infix {
    Or,
    And,
    Op(u8, BinaryOp),
}

impl Infix {
    fn of(kind: TokenKind) -> Option<Infix> {
        Some(match kind {
            TokenKind::Or => Infix::Or,
            TokenKind::And => Infix::And,
            TokenKind::EqEq => Infix::Op(COMPARISON, BinaryOp::Eq),
            TokenKind::NotEq => Infix::Op(COMPARISON, BinaryOp::Ne),
            TokenKind::Lt => Infix::Op(COMPARISON, BinaryOp::Lt),
            TokenKind::Le => Infix::Op(COMPARISON, BinaryOp::Le),
            TokenKind::Gt => Infix::Op(COMPARISON, BinaryOp::Gt),
            TokenKind::Ge => Infix::Op(COMPARISON, BinaryOp::Ge),
            TokenKind::In => Infix::Op(COMPARISON, BinaryOp::In),
            TokenKind::NotIn => Infix::Op(COMPARISON, BinaryOp::NotIn),
            TokenKind::Pipe => Infix::Op(4, BinaryOp::BitOr),
            TokenKind::Caret => Infix::Op(5, BinaryOp::BitXor),
            TokenKind::Amp => Infix::Op(6, BinaryOp::BitAnd),
            TokenKind::LtLt => Infix::Op(7, BinaryOp::ShiftLeft),
            TokenKind::GtGt => Infix::Op(7, BinaryOp::ShiftRight),
            TokenKind::Plus => Infix::Op(8, BinaryOp::Add),
            TokenKind::Minus => Infix::Op(8, BinaryOp::Sub),
            TokenKind::Star => Infix::Op(9, BinaryOp::Mul),
            TokenKind::Slash => Infix::Op(9, BinaryOp::Div),
            TokenKind::SlashSlash => Infix::Op(9, BinaryOp::FloorDiv),
            TokenKind::Percent => Infix::Op(9, BinaryOp::Mod),
            _ => return None,
        })
    }

    fn precedence(self) -> u8 {
        match self {
            Infix::Or => OR,
            Infix::And => AND,
            Infix::Op(precedence, _) => precedence,
        }
    }
}

impl Parser<'_> {
    /// `expressions = test {',' test} [',']`: one expression, or a tuple. The trailing comma needs
    /// parentheses.
    pub(super) fn expressions(&mut self, in_parens: bool) -> Result<Expr> {
        let first = self.test()?;
        if !self.at(TokenKind::Comma) {
            return Ok(first);
        }
        let span = first.span;
        let items = self.expression_list(first, in_parens)?;
        Ok(Expr { span: self.span_from(span), kind: ExprKind::Tuple(items) })
    }

    /// The rest of a list of expressions, from the comma behind the first.
    fn expression_list(&mut self, first: Expr, trailing_comma: bool) -> Result<Vec<Expr>> {
        let mut items = vec![first];
        while let Some(comma) = self.accept(TokenKind::Comma) {
            if self.kind().ends_expressions() {
                if !trailing_comma {
                    let message = "unparenthesized tuple with trailing comma";
                    let error = Diagnostic::error(self.source, comma.span, message);
                    self.syntax_errors.push(error.help("write `(x,)` for a tuple, or leave out the comma"));
                }
                break;
            }
            items.push(self.test()?);
        }
        Ok(items)
    }

    /// `test = binary ['if' binary 'else' test] | lambda`
    pub(super) fn test(&mut self) -> Result<Expr> {
        if self.at(TokenKind::Lambda) {
            return self.lambda(true);
        }
        let then = self.binary(OR)?;
        let Some(keyword) = self.accept(TokenKind::If) else {
            return Ok(then);
        };
        let cond = self.binary(OR)?;
        if self.accept(TokenKind::Else).is_none() {
            if !self.at(TokenKind::Error) {
                self.report(keyword.span, "conditional expression without else clause");
            }
            return Err(super::Failed);
        }
        let otherwise = self.nested(Self::test)?;
        let span = then.span.to(otherwise.span);
        Ok(Expr { span, kind: ExprKind::Conditional(Box::new(Conditional { cond, then, otherwise })) })
    }

    /// A `test` behind which an `if` belongs to a comprehension.
    pub(super) fn test_without_cond(&mut self) -> Result<Expr> {
        if self.at(TokenKind::Lambda) {
            return self.lambda(false);
        }
        self.binary(OR)
    }

    // --------------------------------------------------------------------------------------- operators

    /// Operators that bind at least as tightly as `min`, with their operands.
    fn binary(&mut self, min: u8) -> Result<Expr> {
        let mut left = self.prefix(min)?;
        // The precedence of the operator at the root of `left`, if this loop made it.
        let mut last = None;
        while let Some(infix) = self.infix()? {
            let precedence = infix.precedence();
            if precedence < min {
                break;
            }
            let is_chain = last == Some(precedence);
            if is_chain && precedence == COMPARISON {
                return Err(self.not_associative(&left));
            }
            let op_span = self.advance().span;
            let right = self.nested(|p| p.binary(precedence + 1))?;
            left = combine(left, infix, op_span, right, is_chain);
            last = Some(precedence);
        }
        Ok(left)
    }

    /// `not` and its operand, where one may stand, or a primary.
    fn prefix(&mut self, min: u8) -> Result<Expr> {
        if self.at(TokenKind::Not) && min <= NOT {
            let op_span = self.advance().span;
            let operand = self.nested(|p| p.binary(NOT))?;
            return Ok(unary(UnaryOp::Not, op_span, operand));
        }
        self.primary()
    }

    /// The operator at the current token. `not` must be followed by `in` here, and becomes one token with it.
    fn infix(&mut self) -> Result<Option<Infix>> {
        if self.at(TokenKind::Not) {
            let not = self.advance().span;
            if !self.at(TokenKind::In) {
                return Err(self.unexpected(TokenKind::In.describe()));
            }
            self.token.kind = TokenKind::NotIn;
            self.token.span = not.to(self.token.span);
        }
        Ok(Infix::of(self.kind()))
    }

    fn not_associative(&mut self, left: &Expr) -> super::Failed {
        let before = match &left.kind {
            ExprKind::Binary(binary) => binary.tails[0].op.as_str(),
            _ => "operator",
        };
        let op = self.kind().describe().trim_matches('\'');
        self.fail(format!("{before} does not associate with {op} (use parens)"))
    }

    // --------------------------------------------------------------------------------------- primaries

    /// `primary = operand {'.' name | '[' index or slice ']' | '(' args ')'}`
    pub(super) fn primary(&mut self) -> Result<Expr> {
        let operand = self.operand()?;
        let mut suffixes = Vec::new();
        loop {
            let start = self.token.span;
            let kind = match self.kind() {
                TokenKind::Dot => {
                    self.advance();
                    SuffixKind::Attr(self.name()?)
                }
                TokenKind::LBracket => self.nested(Self::index_suffix)?,
                TokenKind::LParen => {
                    self.open();
                    let args = self.nested(Self::args)?;
                    self.close(TokenKind::RParen)?;
                    SuffixKind::Call(Box::new(args))
                }
                _ => break,
            };
            push_few(&mut suffixes, Suffix { span: self.span_from(start), kind });
        }
        if suffixes.is_empty() {
            return Ok(operand);
        }
        let span = self.span_from(operand.span);
        Ok(Expr { span, kind: ExprKind::Primary(Box::new(Primary { operand, suffixes })) })
    }

    /// `'[' expressions ']' | '[' [expressions] ':' [test] [':' [test]] ']'`
    fn index_suffix(&mut self) -> Result<SuffixKind> {
        self.open();
        let mut slice = Slice { start: None, stop: None, step: None };
        if !self.at(TokenKind::Colon) {
            let index = self.expressions(false)?;
            if self.at(TokenKind::RBracket) {
                self.close(TokenKind::RBracket)?;
                return Ok(SuffixKind::Index(index));
            }
            slice.start = Some(index);
        }
        if self.accept(TokenKind::Colon).is_some()
            && !matches!(self.kind(), TokenKind::Colon | TokenKind::RBracket)
        {
            slice.stop = Some(self.test()?);
        }
        if self.accept(TokenKind::Colon).is_some() && !self.at(TokenKind::RBracket) {
            slice.step = Some(self.test()?);
        }
        self.close(TokenKind::RBracket)?;
        Ok(SuffixKind::Slice(Box::new(slice)))
    }

    fn operand(&mut self) -> Result<Expr> {
        match self.kind() {
            TokenKind::Ident => {
                let ident = self.ident()?;
                Ok(Expr { span: ident.span, kind: ExprKind::Ident(ident) })
            }
            TokenKind::Int | TokenKind::Float | TokenKind::Str | TokenKind::Bytes => Ok(self.literal()),
            TokenKind::FStr => self.f_string(),
            TokenKind::LParen => self.nested(Self::parenthesized),
            TokenKind::LBracket => self.nested(Self::list),
            TokenKind::LBrace => self.nested(Self::dict),
            TokenKind::Minus => self.sign(UnaryOp::Minus),
            TokenKind::Plus => self.sign(UnaryOp::Plus),
            TokenKind::Tilde => self.sign(UnaryOp::Invert),
            _ => Err(self.unexpected("primary expression")),
        }
    }

    fn sign(&mut self, op: UnaryOp) -> Result<Expr> {
        let op_span = self.advance().span;
        let operand = self.nested(Self::primary)?;
        Ok(unary(op, op_span, operand))
    }

    fn literal(&mut self) -> Expr {
        let token = self.advance();
        let text = self.slice(token.span);
        let kind = match token.kind {
            TokenKind::Int => literals::int(text),
            TokenKind::Float => literals::float(text).map(ExprKind::Float),
            TokenKind::Bytes => {
                Some(ExprKind::Bytes(self.literal_or_default(token.span, literals::bytes(text))))
            }
            _ => Some(ExprKind::Str(self.literal_or_default(token.span, literals::string(text)))),
        };
        let kind = kind.unwrap_or_else(|| {
            self.report(token.span, format!("invalid {}", token.kind.describe()));
            ExprKind::Int(0)
        });
        Expr { span: token.span, kind }
    }

    /// The value of a literal; an error in it is reported at its place, and parsing goes on.
    pub(super) fn literal_or_default<T: Default>(
        &mut self,
        literal: Span,
        value: std::result::Result<T, (Span, String)>,
    ) -> T {
        value.unwrap_or_else(|(span, message)| {
            self.report(Span::new(literal.start + span.start, literal.start + span.end), message);
            T::default()
        })
    }

    // ---------------------------------------------------------------------------------------- displays

    /// `'(' [expressions [',']] ')'`
    fn parenthesized(&mut self) -> Result<Expr> {
        let start = self.open().span;
        let mut expr = match self.kind() {
            TokenKind::RParen => Expr { span: start, kind: ExprKind::Tuple(Vec::new()) },
            _ => self.expressions(true)?,
        };
        self.close(TokenKind::RParen)?;
        expr.span = self.span_from(start);
        Ok(expr)
    }

    /// `'[' [test {',' test} [',']] ']' | '[' test clauses ']'`
    fn list(&mut self) -> Result<Expr> {
        let start = self.open().span;
        let kind = if self.at(TokenKind::RBracket) {
            ExprKind::List(Vec::new())
        } else {
            let first = self.test()?;
            if self.at(TokenKind::For) {
                let clauses = self.clauses(TokenKind::RBracket)?;
                ExprKind::ListComp(Box::new(ListComp { element: first, clauses }))
            } else {
                ExprKind::List(self.expression_list(first, true)?)
            }
        };
        self.close(TokenKind::RBracket)?;
        Ok(Expr { span: self.span_from(start), kind })
    }

    /// `'{' [entry {',' entry} [',']] '}' | '{' entry clauses '}'`
    fn dict(&mut self) -> Result<Expr> {
        let start = self.open().span;
        let mut entries = Vec::new();
        while !self.at(TokenKind::RBrace) {
            let entry = self.dict_entry()?;
            if entries.is_empty() && self.at(TokenKind::For) {
                let clauses = self.clauses(TokenKind::RBrace)?;
                self.close(TokenKind::RBrace)?;
                let kind = ExprKind::DictComp(Box::new(DictComp { entry, clauses }));
                return Ok(Expr { span: self.span_from(start), kind });
            }
            entries.push(entry);
            if self.accept(TokenKind::Comma).is_none() {
                break;
            }
        }
        self.close(TokenKind::RBrace)?;
        Ok(Expr { span: self.span_from(start), kind: ExprKind::Dict(entries) })
    }

    fn dict_entry(&mut self) -> Result<DictEntry> {
        let key = self.test()?;
        let colon = self.expect(TokenKind::Colon)?.span;
        let value = self.test()?;
        Ok(DictEntry { key, colon, value })
    }

    /// `clauses = {'for' loop_variables 'in' binary | 'if' test_without_cond}`, up to the bracket behind
    fn clauses(&mut self, close: TokenKind) -> Result<Vec<Clause>> {
        let mut clauses = Vec::new();
        loop {
            if self.accept(TokenKind::For).is_some() {
                let target = self.loop_variables()?;
                self.expect(TokenKind::In)?;
                let iterable = self.binary(OR)?;
                clauses.push(Clause::For { target, iterable });
            } else if self.accept(TokenKind::If).is_some() {
                clauses.push(Clause::If(self.test_without_cond()?));
            } else if self.at(close) {
                return Ok(clauses);
            } else {
                return Err(self.unexpected(&format!("{}, for, or if", close.describe())));
            }
        }
    }
}

fn unary(op: UnaryOp, op_span: Span, operand: Expr) -> Expr {
    let span = op_span.to(operand.span);
    Expr { span, kind: ExprKind::Unary(Box::new(Unary { op, op_span, operand })) }
}

/// `left op right`. If `is_chain`, `left` ends with an operator of the same precedence and just becomes
/// longer.
fn combine(left: Expr, infix: Infix, op_span: Span, right: Expr, is_chain: bool) -> Expr {
    let span = left.span.to(right.span);
    let kind = match (infix, left.kind) {
        (Infix::Or, ExprKind::Or(items)) if is_chain => ExprKind::Or(with(items, right)),
        (Infix::And, ExprKind::And(items)) if is_chain => ExprKind::And(with(items, right)),
        (Infix::Op(_, op), ExprKind::Binary(mut binary)) if is_chain => {
            binary.tails.push(BinaryTail { op, op_span, operand: right });
            ExprKind::Binary(binary)
        }
        (infix, kind) => {
            let left = Expr { span: left.span, kind };
            match infix {
                Infix::Or => ExprKind::Or(vec![left, right]),
                Infix::And => ExprKind::And(vec![left, right]),
                Infix::Op(_, op) => {
                    let tails = vec![BinaryTail { op, op_span, operand: right }];
                    ExprKind::Binary(Box::new(Binary { first: left, tails }))
                }
            }
        }
    };
    Expr { span, kind }
}

fn with(mut items: Vec<Expr>, item: Expr) -> Vec<Expr> {
    items.push(item);
    items
}
