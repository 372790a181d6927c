//! The tree of `starlark_syntax` as an outline.

use std::ops::Range;

use starlark_syntax::codemap::Span;
use starlark_syntax::lexer::TokenInt;
use starlark_syntax::syntax::ast::{
    Argument, AssignOp, AssignTarget, AstAssignTarget, AstExpr, AstFString, AstLiteral, AstParameter,
    AstStmt, BinOp, CallArgsP, Clause, Expr, ForClause, Load, Parameter, Stmt,
};

use crate::outline::{Outline, label};

/// The outline of a module.
pub fn outline(module: &AstStmt) -> Outline {
    let mut outline = Outline::default();
    stmt(&mut outline, module);
    outline
}

fn place(span: Span) -> Range<usize> {
    span.begin().get() as usize..span.end().get() as usize
}

// ---------------------------------------------------------------------------------------------- statements

fn stmt(out: &mut Outline, node: &AstStmt) {
    let at = place(node.span);
    match &node.node {
        Stmt::Statements(body) => body.iter().for_each(|inner| stmt(out, inner)),
        Stmt::Break => out.leaf("break", at),
        Stmt::Continue => out.leaf("continue", at),
        Stmt::Pass => out.leaf("pass", at),
        Stmt::Return(value) => {
            out.node("return", at, |out| value.iter().for_each(|value| expr(out, value)));
        }
        Stmt::Expression(value) => out.node("expression", at, |out| expr(out, value)),
        Stmt::Assign(assign) => out.node("assign", at, |out| {
            target(out, &assign.lhs);
            expr(out, &assign.rhs);
        }),
        Stmt::AssignModify(lhs, op, rhs) => out.node(format!("assign {}=", assign_op(*op)), at, |out| {
            target(out, lhs);
            expr(out, rhs);
        }),
        Stmt::If(cond, body) => out.node("if", at, |out| {
            expr(out, cond);
            out.node("block", None, |out| stmt(out, body));
        }),
        Stmt::IfElse(cond, bodies) => out.node("if", at, |out| {
            expr(out, cond);
            out.node("block", None, |out| stmt(out, &bodies.0));
            out.node("else", None, |out| stmt(out, &bodies.1));
        }),
        Stmt::For(for_) => out.node("for", at, |out| {
            target(out, &for_.var);
            expr(out, &for_.over);
            out.node("block", None, |out| stmt(out, &for_.body));
        }),
        Stmt::Def(def) => out.node("def", at, |out| {
            out.leaf(format!("name {}", def.name.node.ident), place(def.name.span));
            params(out, &def.params);
            out.node("block", None, |out| stmt(out, &def.body));
        }),
        Stmt::Load(statement) => out.node("load", at, |out| load(out, statement)),
    }
}

fn load(out: &mut Outline, load: &Load) {
    out.leaf(label::string(&load.module.node), place(load.module.span));
    for arg in &load.args {
        let (local, remote) = (&arg.local.node.ident, &arg.their.node);
        out.leaf(format!("name {local}"), (local != remote).then(|| place(arg.local.span)));
        out.leaf(label::string(remote), place(arg.their.span));
    }
}

// ----------------------------------------------------------------------------------------------- functions

fn params(out: &mut Outline, params: &[AstParameter]) {
    for param in params {
        match &param.node {
            Parameter::Slash => out.leaf("parameter /", place(param.span)),
            Parameter::NoArgs => out.leaf("parameter *", None),
            Parameter::Normal(name, _, default) => {
                out.node(format!("parameter {}", name.node.ident), place(name.span), |out| {
                    default.iter().for_each(|default| expr(out, default));
                });
            }
            Parameter::Args(name, _) => {
                out.leaf(format!("parameter *{}", name.node.ident), place(name.span));
            }
            Parameter::KwArgs(name, _) => {
                out.leaf(format!("parameter **{}", name.node.ident), place(name.span));
            }
        }
    }
}

fn args(out: &mut Outline, args: &CallArgsP<starlark_syntax::syntax::ast::AstNoPayload>) {
    for arg in &args.args {
        match &arg.node {
            Argument::Positional(value) => out.node("argument", None, |out| expr(out, value)),
            Argument::Named(name, value) => {
                out.node(format!("argument {}", name.node), place(name.span), |out| expr(out, value));
            }
            Argument::Args(value) => out.node("argument *", None, |out| expr(out, value)),
            Argument::KwArgs(value) => out.node("argument **", None, |out| expr(out, value)),
        }
    }
}

// --------------------------------------------------------------------------------------------- expressions

fn target(out: &mut Outline, node: &AstAssignTarget) {
    let at = place(node.span);
    match &node.node {
        AssignTarget::Identifier(name) => out.leaf(format!("name {}", name.node.ident), place(name.span)),
        AssignTarget::Dot(object, name) => out.node("attribute", at, |out| {
            expr(out, object);
            out.leaf(format!("name {}", name.node), place(name.span));
        }),
        AssignTarget::Index(parts) => out.node("index", at, |out| {
            expr(out, &parts.0);
            expr(out, &parts.1);
        }),
        AssignTarget::Tuple(items) => {
            out.node("sequence", at, |out| items.iter().for_each(|item| target(out, item)));
        }
    }
}

fn expr(out: &mut Outline, node: &AstExpr) {
    let at = place(node.span);
    match &node.node {
        Expr::Identifier(name) => out.leaf(format!("name {}", name.node.ident), place(name.span)),
        Expr::Literal(value) => literal(out, at, value),
        Expr::FString(value) => f_string(out, at, value),
        Expr::Tuple(items) => out.node("tuple", at, |out| exprs(out, items)),
        Expr::List(items) => out.node("list", at, |out| exprs(out, items)),
        Expr::Dict(entries) => out.node("dict", at, |out| {
            for (key, value) in entries {
                expr(out, key);
                expr(out, value);
            }
        }),
        Expr::ListComprehension(element, first, rest) => out.node("list comprehension", at, |out| {
            expr(out, element);
            clauses(out, first, rest);
        }),
        Expr::DictComprehension(entry, first, rest) => out.node("dict comprehension", at, |out| {
            expr(out, &entry.0);
            expr(out, &entry.1);
            clauses(out, first, rest);
        }),
        Expr::Not(operand) => out.node("unary not", at, |out| expr(out, operand)),
        Expr::Minus(operand) => out.node("unary -", at, |out| expr(out, operand)),
        Expr::Plus(operand) => out.node("unary +", at, |out| expr(out, operand)),
        Expr::BitNot(operand) => out.node("unary ~", at, |out| expr(out, operand)),
        Expr::Op(left, op, right) => out.node(format!("binary {}", bin_op(*op)), at, |out| {
            expr(out, left);
            expr(out, right);
        }),
        Expr::If(parts) => out.node("conditional", at, |out| {
            expr(out, &parts.0);
            expr(out, &parts.1);
            expr(out, &parts.2);
        }),
        Expr::Lambda(lambda) => out.node("lambda", at, |out| {
            params(out, &lambda.params);
            expr(out, &lambda.body);
        }),
        Expr::Dot(object, name) => out.node("attribute", at, |out| {
            expr(out, object);
            out.leaf(format!("name {}", name.node), place(name.span));
        }),
        Expr::Index(parts) => out.node("index", at, |out| {
            expr(out, &parts.0);
            expr(out, &parts.1);
        }),
        // An index that is a pair has a node of its own.
        Expr::Index2(parts) => out.node("index", at, |out| {
            expr(out, &parts.0);
            let pair = place(parts.1.span).start..place(parts.2.span).end;
            out.node("tuple", pair, |out| {
                expr(out, &parts.1);
                expr(out, &parts.2);
            });
        }),
        Expr::Slice(object, start, stop, step) => out.node("slice", at, |out| {
            expr(out, object);
            for (part, name) in [(start, "start"), (stop, "stop"), (step, "step")] {
                if let Some(part) = part {
                    out.node(name, None, |out| expr(out, part));
                }
            }
        }),
        Expr::Call(function, arguments) => out.node("call", at, |out| {
            expr(out, function);
            args(out, arguments);
        }),
    }
}

fn exprs(out: &mut Outline, items: &[AstExpr]) {
    items.iter().for_each(|item| expr(out, item));
}

fn literal(out: &mut Outline, at: Range<usize>, value: &AstLiteral) {
    match value {
        AstLiteral::Int(value) => out.leaf(
            match &value.node {
                TokenInt::I32(value) => label::int(value),
                TokenInt::BigInt(value) => label::int(value),
            },
            at,
        ),
        AstLiteral::Float(value) => out.leaf(label::float(value.node), at),
        AstLiteral::String(value) => out.leaf(label::string(&value.node), at),
        AstLiteral::Bytes(value) => out.leaf(label::bytes(&value.node), at),
        AstLiteral::Ellipsis => out.leaf("...", at),
    }
}

/// As the call of `format` that it stands for.
fn f_string(out: &mut Outline, at: Range<usize>, value: &AstFString) {
    out.node("call", at.clone(), |out| {
        out.node("attribute", at.clone(), |out| {
            out.leaf(label::string(&value.node.format.node), at.clone());
            out.leaf("name format", at.clone());
        });
        for inner in &value.node.expressions {
            out.node("argument", None, |out| expr(out, inner));
        }
    });
}

fn clauses(out: &mut Outline, first: &ForClause, rest: &[Clause]) {
    for_clause(out, first);
    for clause in rest {
        match clause {
            Clause::For(clause) => for_clause(out, clause),
            Clause::If(cond) => out.node("clause if", None, |out| expr(out, cond)),
        }
    }
}

fn for_clause(out: &mut Outline, clause: &ForClause) {
    out.node("clause for", None, |out| {
        target(out, &clause.var);
        expr(out, &clause.over);
    });
}

fn bin_op(op: BinOp) -> &'static str {
    match op {
        BinOp::Or => "or",
        BinOp::And => "and",
        BinOp::Equal => "==",
        BinOp::NotEqual => "!=",
        BinOp::Less => "<",
        BinOp::Greater => ">",
        BinOp::LessOrEqual => "<=",
        BinOp::GreaterOrEqual => ">=",
        BinOp::In => "in",
        BinOp::NotIn => "not in",
        BinOp::Subtract => "-",
        BinOp::Add => "+",
        BinOp::Multiply => "*",
        BinOp::Percent => "%",
        BinOp::Divide => "/",
        BinOp::FloorDivide => "//",
        BinOp::BitAnd => "&",
        BinOp::BitOr => "|",
        BinOp::BitXor => "^",
        BinOp::LeftShift => "<<",
        BinOp::RightShift => ">>",
    }
}

fn assign_op(op: AssignOp) -> &'static str {
    match op {
        AssignOp::Add => "+",
        AssignOp::Subtract => "-",
        AssignOp::Multiply => "*",
        AssignOp::Divide => "/",
        AssignOp::FloorDivide => "//",
        AssignOp::Percent => "%",
        AssignOp::BitAnd => "&",
        AssignOp::BitOr => "|",
        AssignOp::BitXor => "^",
        AssignOp::LeftShift => "<<",
        AssignOp::RightShift => ">>",
    }
}
