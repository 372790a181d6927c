//! Expressions as assignment targets.

use super::super::ast::{AttrTarget, Expr, ExprKind, IndexTarget, Primary, SuffixKind, Target, TargetKind};
use super::super::source::Span;
use super::super::token::TokenKind;
use super::{Parser, Result};

impl Parser<'_> {
    /// What an expression is as a target. If it cannot be one, that is reported.
    pub(super) fn target(&mut self, expr: Expr) -> Option<Target> {
        let span = expr.span;
        let kind = match expr.kind {
            ExprKind::Ident(ident) => TargetKind::Ident(ident),
            ExprKind::Tuple(items) | ExprKind::List(items) => {
                let targets = items.into_iter().filter_map(|item| self.target(item));
                TargetKind::Sequence(targets.collect())
            }
            ExprKind::Primary(primary) => self.primary_target(*primary, span)?,
            kind => return self.no_target(span, kind_name(&kind)),
        };
        Some(Target { span, kind })
    }

    /// Splits off the last suffix, which is what the assignment changes.
    fn primary_target(&mut self, mut primary: Primary, span: Span) -> Option<TargetKind> {
        let last = primary.suffixes.pop()?;
        let object = match primary.suffixes.last() {
            Some(suffix) => {
                let span = primary.operand.span.to(suffix.span);
                Expr { span, kind: ExprKind::Primary(Box::new(primary)) }
            }
            None => primary.operand,
        };
        match last.kind {
            SuffixKind::Attr(name) => {
                let dot = Span::new(last.span.start, last.span.start + 1);
                Some(TargetKind::Attr(Box::new(AttrTarget { object, dot, name })))
            }
            SuffixKind::Index(index) => {
                Some(TargetKind::Index(Box::new(IndexTarget { object, brackets: last.span, index })))
            }
            SuffixKind::Slice(_) => self.no_target(span, "sliceexpr"),
            SuffixKind::Call(_) => self.no_target(span, "callexpr"),
        }
    }

    fn no_target<T>(&mut self, span: Span, kind: &str) -> Option<T> {
        self.check(span, format!("can't assign to {kind}"));
        None
    }

    /// `loop_variables = primary {',' primary}`
    ///
    /// A full expression would swallow the `in` behind the variables.
    pub(super) fn loop_variables(&mut self) -> Result<Target> {
        let first = self.primary()?;
        let span = first.span;
        if !self.at(TokenKind::Comma) {
            let target = self.target(first);
            return Ok(target.unwrap_or(Target { span, kind: TargetKind::Sequence(Vec::new()) }));
        }
        let mut targets: Vec<Target> = self.target(first).into_iter().collect();
        while self.accept(TokenKind::Comma).is_some() {
            let next = self.primary()?;
            targets.extend(self.target(next));
        }
        Ok(Target { span: self.span_from(span), kind: TargetKind::Sequence(targets) })
    }
}

/// How error messages call an expression that is no target.
fn kind_name(kind: &ExprKind) -> &'static str {
    match kind {
        ExprKind::Int(_)
        | ExprKind::BigInt(_)
        | ExprKind::Float(_)
        | ExprKind::Str(_)
        | ExprKind::Bytes(_) => "literal",
        ExprKind::Dict(_) => "dictexpr",
        ExprKind::ListComp(_) | ExprKind::DictComp(_) => "comprehension",
        ExprKind::Unary(_) => "unaryexpr",
        ExprKind::Binary(_) | ExprKind::And(_) | ExprKind::Or(_) => "binaryexpr",
        ExprKind::Conditional(_) => "condexpr",
        ExprKind::Lambda(_) => "lambdaexpr",
        // These are targets, at least sometimes.
        ExprKind::Ident(_) | ExprKind::Tuple(_) | ExprKind::List(_) | ExprKind::Primary(_) => "expression",
    }
}
