//! Our tree as an outline.
//!
//! Our tree keeps chains flat, where the other one nests; here they are taken apart again, from the right, so that
//! `a + b - c` becomes a subtraction of an addition.

use std::ops::Range;

use starlark::syntax::ast::{
    Args, Binary, Clause, Expr, ExprKind, File, Function, If, Load, Param, Primary, Stmt, StmtKind,
    SuffixKind, Target, TargetKind, UnaryOp,
};
use starlark::syntax::{Names, Span};

use crate::outline::{Outline, label};

/// The outline of a module.
pub fn outline(file: &File) -> Outline {
    let mut outline = Outline::default();
    Walk { names: &file.names }.block(&mut outline, &file.body);
    outline
}

struct Walk<'a> {
    names: &'a Names,
}

fn place(span: Span) -> Range<usize> {
    span.range()
}

impl Walk<'_> {
    // ------------------------------------------------------------------------------------------ statements

    fn block(&self, out: &mut Outline, body: &[Stmt]) {
        for stmt in body {
            self.stmt(out, stmt);
        }
    }

    fn stmt(&self, out: &mut Outline, stmt: &Stmt) {
        let at = place(stmt.span);
        match &stmt.kind {
            StmtKind::Expr(value) => out.node("expression", at, |out| self.expr(out, value)),
            StmtKind::Assign(assign) => out.node("assign", at, |out| {
                self.target(out, &assign.target);
                self.expr(out, &assign.value);
            }),
            StmtKind::AugAssign(assign) => {
                out.node(format!("assign {}=", assign.op.as_str()), at, |out| {
                    self.target(out, &assign.target);
                    self.expr(out, &assign.value);
                });
            }
            StmtKind::Def(def) => out.node("def", at, |out| {
                out.leaf(format!("name {}", &self.names[def.name.name]), place(def.name.span));
                self.params(out, &def.function);
                out.node("block", None, |out| self.block(out, &def.function.body));
            }),
            StmtKind::If(branches) => self.if_(out, at, branches, 0),
            StmtKind::For(for_) => out.node("for", at, |out| {
                self.target(out, &for_.target);
                self.expr(out, &for_.iterable);
                out.node("block", None, |out| self.block(out, &for_.body));
            }),
            StmtKind::While(while_) => out.node("while", at, |out| {
                self.expr(out, &while_.cond);
                out.node("block", None, |out| self.block(out, &while_.body));
            }),
            StmtKind::Return(value) => {
                out.node("return", at, |out| value.iter().for_each(|value| self.expr(out, value)));
            }
            StmtKind::Break => out.leaf("break", at),
            StmtKind::Continue => out.leaf("continue", at),
            StmtKind::Pass => out.leaf("pass", at),
            StmtKind::Load(load) => self.load(out, at, load),
        }
    }

    /// The branches from `first` on: an `elif` is an `if` in an `else`.
    fn if_(&self, out: &mut Outline, at: impl Into<Option<Range<usize>>>, if_: &If, first: usize) {
        let branch = &if_.branches[first];
        out.node("if", at, |out| {
            self.expr(out, &branch.cond);
            out.node("block", None, |out| self.block(out, &branch.body));
            if first + 1 < if_.branches.len() {
                out.node("else", None, |out| self.if_(out, None, if_, first + 1));
            } else if !if_.otherwise.is_empty() {
                out.node("else", None, |out| self.block(out, &if_.otherwise));
            }
        });
    }

    fn load(&self, out: &mut Outline, at: Range<usize>, load: &Load) {
        out.node("load", at, |out| {
            out.leaf(label::string(&load.module), place(load.module_span));
            for symbol in &load.symbols {
                let (local, remote) = (&self.names[symbol.local.name], &self.names[symbol.remote.symbol]);
                // The other parser puts the quotes in the place of the name, ours leaves them out.
                out.leaf(format!("name {local}"), (local != remote).then(|| place(symbol.local.span)));
                let name = place(symbol.remote.span);
                out.leaf(label::string(remote), name.start - 1..name.end + 1);
            }
        });
    }

    // ------------------------------------------------------------------------------------------- functions

    fn params(&self, out: &mut Outline, function: &Function) {
        let params = &function.params;
        for param in &params.positional {
            self.param(out, param);
        }
        match &params.args {
            Some(args) => {
                out.leaf(format!("parameter *{}", &self.names[args.name]), place(args.span));
            }
            None if !params.keyword_only.is_empty() => out.leaf("parameter *", None),
            None => {}
        }
        for param in &params.keyword_only {
            self.param(out, param);
        }
        if let Some(kwargs) = &params.kwargs {
            out.leaf(format!("parameter **{}", &self.names[kwargs.name]), place(kwargs.span));
        }
    }

    fn param(&self, out: &mut Outline, param: &Param) {
        let name = format!("parameter {}", &self.names[param.name.name]);
        out.node(name, place(param.name.span), |out| {
            param.default.iter().for_each(|default| self.expr(out, default));
        });
    }

    fn lambda(&self, out: &mut Outline, at: Range<usize>, function: &Function) {
        out.node("lambda", at, |out| {
            self.params(out, function);
            if let [Stmt { kind: StmtKind::Return(Some(value)), .. }] = function.body.as_slice() {
                self.expr(out, value);
            }
        });
    }

    fn args(&self, out: &mut Outline, args: &Args) {
        for value in &args.positional {
            out.node("argument", None, |out| self.expr(out, value));
        }
        for named in &args.named {
            let name = format!("argument {}", &self.names[named.name.symbol]);
            out.node(name, place(named.name.span), |out| self.expr(out, &named.value));
        }
        if let Some(value) = &args.args {
            out.node("argument *", None, |out| self.expr(out, value));
        }
        if let Some(value) = &args.kwargs {
            out.node("argument **", None, |out| self.expr(out, value));
        }
    }

    // ----------------------------------------------------------------------------------------- expressions

    fn target(&self, out: &mut Outline, target: &Target) {
        let at = place(target.span);
        match &target.kind {
            TargetKind::Ident(ident) => {
                out.leaf(format!("name {}", &self.names[ident.name]), place(ident.span));
            }
            TargetKind::Attr(attr) => out.node("attribute", at, |out| {
                self.expr(out, &attr.object);
                out.leaf(format!("name {}", &self.names[attr.name.symbol]), place(attr.name.span));
            }),
            TargetKind::Index(index) => out.node("index", at, |out| {
                self.expr(out, &index.object);
                self.expr(out, &index.index);
            }),
            TargetKind::Sequence(targets) => {
                out.node("sequence", at, |out| {
                    targets.iter().for_each(|target| self.target(out, target));
                });
            }
        }
    }

    fn expr(&self, out: &mut Outline, expr: &Expr) {
        let at = place(expr.span);
        match &expr.kind {
            ExprKind::Ident(ident) => {
                out.leaf(format!("name {}", &self.names[ident.name]), place(ident.span));
            }
            ExprKind::Int(value) => out.leaf(label::int(value), at),
            ExprKind::BigInt(value) => out.leaf(label::int(value), at),
            ExprKind::Float(value) => out.leaf(label::float(*value), at),
            ExprKind::Str(value) => out.leaf(label::string(value), at),
            ExprKind::Bytes(value) => out.leaf(label::bytes(value), at),
            ExprKind::Tuple(items) => out.node("tuple", at, |out| self.exprs(out, items)),
            ExprKind::List(items) => out.node("list", at, |out| self.exprs(out, items)),
            ExprKind::Dict(entries) => out.node("dict", at, |out| {
                for entry in entries {
                    self.expr(out, &entry.key);
                    self.expr(out, &entry.value);
                }
            }),
            ExprKind::ListComp(comp) => out.node("list comprehension", at, |out| {
                self.expr(out, &comp.element);
                self.clauses(out, &comp.clauses);
            }),
            ExprKind::DictComp(comp) => out.node("dict comprehension", at, |out| {
                self.expr(out, &comp.entry.key);
                self.expr(out, &comp.entry.value);
                self.clauses(out, &comp.clauses);
            }),
            ExprKind::Unary(unary) => {
                let op = match unary.op {
                    UnaryOp::Plus => "unary +",
                    UnaryOp::Minus => "unary -",
                    UnaryOp::Invert => "unary ~",
                    UnaryOp::Not => "unary not",
                };
                out.node(op, at, |out| self.expr(out, &unary.operand));
            }
            ExprKind::Binary(binary) => self.binary(out, binary, binary.tails.len()),
            ExprKind::And(items) => self.chain(out, "binary and", items),
            ExprKind::Or(items) => self.chain(out, "binary or", items),
            ExprKind::Conditional(conditional) => out.node("conditional", at, |out| {
                self.expr(out, &conditional.cond);
                self.expr(out, &conditional.then);
                self.expr(out, &conditional.otherwise);
            }),
            ExprKind::Lambda(function) => self.lambda(out, at, function),
            ExprKind::Primary(primary) => self.primary(out, primary, primary.suffixes.len()),
        }
    }

    fn exprs(&self, out: &mut Outline, items: &[Expr]) {
        items.iter().for_each(|item| self.expr(out, item));
    }

    /// The first `tails` operators of a chain.
    fn binary(&self, out: &mut Outline, binary: &Binary, tails: usize) {
        let Some(last) = tails.checked_sub(1) else { return self.expr(out, &binary.first) };
        let tail = &binary.tails[last];
        let at = place(binary.first.span.to(tail.operand.span));
        out.node(format!("binary {}", tail.op.as_str()), at, |out| {
            self.binary(out, binary, last);
            self.expr(out, &tail.operand);
        });
    }

    fn chain(&self, out: &mut Outline, op: &str, items: &[Expr]) {
        match items {
            [only] => self.expr(out, only),
            [before @ .., last] => {
                out.node(op, place(items[0].span.to(last.span)), |out| {
                    self.chain(out, op, before);
                    self.expr(out, last);
                });
            }
            [] => {}
        }
    }

    /// The first `suffixes` applications.
    fn primary(&self, out: &mut Outline, primary: &Primary, suffixes: usize) {
        let Some(last) = suffixes.checked_sub(1) else { return self.expr(out, &primary.operand) };
        let suffix = &primary.suffixes[last];
        let at = place(primary.operand.span.to(suffix.span));
        let before = |out: &mut Outline| self.primary(out, primary, last);
        match &suffix.kind {
            SuffixKind::Attr(name) => out.node("attribute", at, |out| {
                before(out);
                out.leaf(format!("name {}", &self.names[name.symbol]), place(name.span));
            }),
            SuffixKind::Index(index) => out.node("index", at, |out| {
                before(out);
                self.expr(out, index);
            }),
            SuffixKind::Slice(slice) => out.node("slice", at, |out| {
                before(out);
                for (part, name) in [(&slice.start, "start"), (&slice.stop, "stop"), (&slice.step, "step")] {
                    if let Some(part) = part {
                        out.node(name, None, |out| self.expr(out, part));
                    }
                }
            }),
            SuffixKind::Call(args) => out.node("call", at, |out| {
                before(out);
                self.args(out, args);
            }),
        }
    }

    fn clauses(&self, out: &mut Outline, clauses: &[Clause]) {
        for clause in clauses {
            match clause {
                Clause::For { target, iterable } => out.node("clause for", None, |out| {
                    self.target(out, target);
                    self.expr(out, iterable);
                }),
                Clause::If(cond) => out.node("clause if", None, |out| self.expr(out, cond)),
            }
        }
    }
}
