//! Parameter lists, argument lists and lambdas.
//!
//! The grammar takes parameters and arguments in any order; which orders the language allows is checked here.

use std::collections::HashSet;

use super::super::ast::{
    Args, Expr, ExprKind, Function, Ident, Name, NamedArg, Param, Params, Stmt, StmtKind,
};
use super::super::diagnostics::Diagnostic;
use super::super::dialect::Feature;
use super::super::names::Symbol;
use super::super::resolve::FunctionInfo;
use super::super::source::Span;
use super::super::token::{Token, TokenKind};
use super::{Parser, Result, bare_ident, push_few};

/// What has been seen of a parameter list.
#[derive(Default)]
struct ParamOrder {
    /// A parameter with a default.
    optional: bool,
    /// `*` or `*args`
    star: Option<Span>,
    /// `**kwargs`
    kwargs: Option<Symbol>,
}

impl Parser<'_> {
    /// A function whose parts have been parsed.
    pub(super) fn function(&self, keyword: Token, name: Symbol, params: Params, body: Vec<Stmt>) -> Function {
        let doc = match body.first().map(|stmt| &stmt.kind) {
            Some(StmtKind::Expr(Expr { kind: ExprKind::Str(doc), .. })) => Some(doc.clone()),
            _ => None,
        };
        let span = self.span_from(keyword.span);
        Function { name, params, body, doc, info: FunctionInfo::default(), span }
    }

    /// `lambda = 'lambda' [params] ':' test`
    ///
    /// Where an `if` behind the lambda belongs to a comprehension around it, `allow_cond` is false.
    pub(super) fn lambda(&mut self, allow_cond: bool) -> Result<Expr> {
        let keyword = self.advance();
        let params = self.params(false)?;
        self.expect(TokenKind::Colon)?;
        let result = self.nested(|p| if allow_cond { p.test() } else { p.test_without_cond() })?;
        if !self.dialect.lambda {
            let message = "this Starlark dialect does not support lambda expressions";
            let error = Diagnostic::error(self.source, keyword.span, message);
            self.check_errors.push(error.lacking(Feature::Lambda));
        }
        let body = vec![Stmt { span: result.span, kind: StmtKind::Return(Some(result)) }];
        let name = self.names.intern("lambda");
        let function = self.function(keyword, name, params, body);
        Ok(Expr { span: function.span, kind: ExprKind::Lambda(Box::new(function)) })
    }

    // -------------------------------------------------------------------------------------- parameters

    /// `params = param {',' param} [',']`, up to the bracket or colon behind. Those of a lambda have no
    /// annotations, because a colon ends them.
    pub(super) fn params(&mut self, annotations: bool) -> Result<Params> {
        let mut params = Params::default();
        let mut order = ParamOrder::default();
        let mut first = true;
        while !matches!(self.kind(), TokenKind::RParen | TokenKind::Colon | TokenKind::Eof) {
            if !first {
                self.expect(TokenKind::Comma)?;
                if self.at(TokenKind::RParen) {
                    break;
                }
            }
            first = false;
            self.param(&mut params, &mut order, annotations)?;
        }
        if let (Some(star), None) = (order.star, params.args)
            && params.keyword_only.is_empty()
        {
            self.check(star, "bare * must be followed by keyword-only parameters");
        }
        Ok(params)
    }

    fn param(&mut self, params: &mut Params, order: &mut ParamOrder, annotations: bool) -> Result<()> {
        match self.kind() {
            TokenKind::Star => {
                let star = self.advance().span;
                let ident = if self.at(TokenKind::Ident) { Some(self.ident()?) } else { None };
                self.annotation(annotations && ident.is_some())?;
                self.star_param(params, order, star, ident);
            }
            TokenKind::StarStar => {
                let stars = self.advance().span;
                let ident = self.ident()?;
                self.annotation(annotations)?;
                if order.kwargs.is_some() {
                    self.check(stars, "multiple ** parameters not allowed");
                }
                order.kwargs = Some(ident.name);
                params.kwargs = Some(ident);
            }
            _ => {
                let name = self.ident()?;
                self.annotation(annotations)?;
                let default = match self.accept(TokenKind::Assign) {
                    Some(_) => Some(self.nested(Self::test)?),
                    None => None,
                };
                self.plain_param(params, order, Param { name, default });
            }
        }
        Ok(())
    }

    fn star_param(&mut self, params: &mut Params, order: &mut ParamOrder, star: Span, ident: Option<Ident>) {
        if let Some(kwargs) = order.kwargs {
            let message = format!("* parameter may not follow **{}", self.names.get(kwargs));
            self.check(star, message);
        } else if order.star.is_some() {
            self.check(star, "multiple * parameters not allowed");
        } else {
            order.star = Some(star);
            params.args = ident;
        }
    }

    fn plain_param(&mut self, params: &mut Params, order: &mut ParamOrder, param: Param) {
        let is_optional = param.default.is_some();
        if let Some(kwargs) = order.kwargs {
            let kind = if is_optional { "optional" } else { "required" };
            let message = format!("{kind} parameter may not follow **{}", self.names.get(kwargs));
            self.check(param.name.span, message);
        } else if order.star.is_some() {
            params.keyword_only.push(param);
            return;
        } else if order.optional && !is_optional {
            self.check(param.name.span, "required parameter may not follow optional");
        }
        order.optional |= is_optional;
        params.positional.push(param);
    }

    /// Skips `: type` if there may be one.
    fn annotation(&mut self, allowed: bool) -> Result<()> {
        if allowed && self.dialect.type_annotations && self.accept(TokenKind::Colon).is_some() {
            self.annotated_type()?;
        }
        Ok(())
    }

    /// Skips a type.
    pub(super) fn annotated_type(&mut self) -> Result<()> {
        let start = self.token.span;
        self.nested(Self::test)?;
        let span = self.span_from(start);
        self.annotated.get_or_insert(span);
        Ok(())
    }

    // --------------------------------------------------------------------------------------- arguments

    /// `args = arg {',' arg} [',']`, up to the bracket behind.
    pub(super) fn args(&mut self) -> Result<Args> {
        let mut args = Args::default();
        let mut first = true;
        while !matches!(self.kind(), TokenKind::RParen | TokenKind::Eof) {
            if !first {
                self.expect(TokenKind::Comma)?;
                if self.at(TokenKind::RParen) {
                    break;
                }
            }
            first = false;
            self.arg(&mut args)?;
        }
        self.check_repeated(&args.named);
        Ok(args)
    }

    fn arg(&mut self, args: &mut Args) -> Result<()> {
        match self.kind() {
            TokenKind::Star => {
                let star = self.advance().span;
                let value = self.test()?;
                if args.kwargs.is_some() {
                    self.check(star, "*args may not follow **kwargs");
                } else if args.args.is_some() {
                    self.check(star, "multiple *args not allowed");
                }
                args.args = Some(value);
            }
            TokenKind::StarStar => {
                let stars = self.advance().span;
                let value = self.test()?;
                if args.kwargs.is_some() {
                    self.check(stars, "multiple **kwargs not allowed");
                }
                args.kwargs = Some(value);
            }
            _ => {
                let value = self.test()?;
                if self.at(TokenKind::Assign) {
                    return self.named_arg(args, &value);
                }
                self.check_positional(args, value.span);
                push_few(&mut args.positional, value);
            }
        }
        Ok(())
    }

    /// An argument whose name has been parsed as an expression.
    fn named_arg(&mut self, args: &mut Args, name: &Expr) -> Result<()> {
        let Some(ident) = bare_ident(name) else {
            return Err(self.fail("keyword argument must have form name=expr"));
        };
        self.advance();
        let value = self.test()?;
        if args.kwargs.is_some() {
            self.check(ident.span, "keyword argument may not follow **kwargs");
        } else if args.args.is_some() {
            self.check(ident.span, "keyword argument may not follow *args");
        }
        let name = Name { symbol: ident.name, span: ident.span };
        push_few(&mut args.named, NamedArg { name, value });
        Ok(())
    }

    fn check_positional(&mut self, args: &Args, span: Span) {
        if args.args.is_some() {
            self.check(span, "positional argument may not follow *args");
        } else if args.kwargs.is_some() {
            self.check(span, "positional argument may not follow **kwargs");
        } else if !args.named.is_empty() {
            self.check(span, "positional argument may not follow named");
        }
    }

    fn check_repeated(&mut self, named: &[NamedArg]) {
        // Nearly all calls have few names, for which comparing each with each is faster than a set.
        const FEW: usize = 8;
        let mut seen = HashSet::new();
        for (i, arg) in named.iter().enumerate() {
            let symbol = arg.name.symbol;
            let repeated = if named.len() <= FEW {
                named[..i].iter().any(|before| before.name.symbol == symbol)
            } else {
                !seen.insert(symbol)
            };
            if repeated {
                let message = format!("keyword argument \"{}\" is repeated", self.names.get(symbol));
                self.check(arg.name.span, message);
            }
        }
    }
}
