//! A walk over the tree, in evaluation order, for passes that care for a few kinds of nodes only.

use super::super::ast::{
    Args, Clause, Expr, ExprKind, Function, Ident, Params, Primary, Stmt, StmtKind, SuffixKind, Target,
    TargetKind,
};

/// What a pass does at the nodes it cares for; elsewhere it just walks on.
pub(super) trait Visit {
    /// A use of a variable, or its binding by an assignment, a loop or a `def`.
    fn ident(&mut self, ident: &mut Ident);

    /// A `def` or `lambda`, behind its name. Its body is walked only if this does so.
    fn function(&mut self, function: &mut Function);

    /// A name bound by `load`.
    fn load(&mut self, local: &mut Ident) {
        self.ident(local);
    }

    /// A statement.
    fn stmt(&mut self, stmt: &mut Stmt) {
        walk_stmt(self, stmt);
    }

    /// A target of an assignment or a loop.
    fn target(&mut self, target: &mut Target) {
        walk_target(self, target);
    }

    /// A comprehension: its clauses, and what is evaluated inside of them.
    fn comprehension(&mut self, clauses: &mut [Clause], results: &mut [&mut Expr]) {
        for clause in clauses {
            walk_clause(self, clause);
        }
        for result in results {
            walk_expr(self, result);
        }
    }

    /// The statements of a block.
    fn block(&mut self, body: &mut [Stmt]) {
        for stmt in body {
            self.stmt(stmt);
        }
    }
}

pub(super) fn walk_stmt<V: Visit + ?Sized>(v: &mut V, stmt: &mut Stmt) {
    match &mut stmt.kind {
        StmtKind::Expr(expr) | StmtKind::Return(Some(expr)) => walk_expr(v, expr),
        StmtKind::Assign(assign) => {
            walk_expr(v, &mut assign.value);
            v.target(&mut assign.target);
        }
        StmtKind::AugAssign(assign) => {
            walk_expr(v, &mut assign.value);
            v.target(&mut assign.target);
        }
        StmtKind::Def(def) => {
            v.ident(&mut def.name);
            v.function(&mut def.function);
        }
        StmtKind::If(if_) => {
            for branch in &mut if_.branches {
                walk_expr(v, &mut branch.cond);
                v.block(&mut branch.body);
            }
            v.block(&mut if_.otherwise);
        }
        StmtKind::For(for_) => {
            walk_expr(v, &mut for_.iterable);
            v.target(&mut for_.target);
            v.block(&mut for_.body);
        }
        StmtKind::While(while_) => {
            walk_expr(v, &mut while_.cond);
            v.block(&mut while_.body);
        }
        StmtKind::Load(load) => load.symbols.iter_mut().for_each(|symbol| v.load(&mut symbol.local)),
        StmtKind::Return(None) | StmtKind::Break | StmtKind::Continue | StmtKind::Pass => {}
    }
}

pub(super) fn walk_target<V: Visit + ?Sized>(v: &mut V, target: &mut Target) {
    match &mut target.kind {
        TargetKind::Ident(ident) => v.ident(ident),
        TargetKind::Attr(attr) => walk_expr(v, &mut attr.object),
        TargetKind::Index(index) => {
            walk_expr(v, &mut index.object);
            walk_expr(v, &mut index.index);
        }
        TargetKind::Sequence(targets) => targets.iter_mut().for_each(|target| v.target(target)),
    }
}

pub(super) fn walk_clause<V: Visit + ?Sized>(v: &mut V, clause: &mut Clause) {
    match clause {
        Clause::For { target, iterable } => {
            v.target(target);
            walk_expr(v, iterable);
        }
        Clause::If(cond) => walk_expr(v, cond),
    }
}

/// The defaults of parameters.
pub(super) fn walk_defaults<V: Visit + ?Sized>(v: &mut V, params: &mut Params) {
    for param in params.positional.iter_mut().chain(&mut params.keyword_only) {
        if let Some(default) = &mut param.default {
            walk_expr(v, default);
        }
    }
}

/// The parameters themselves, in the order of their slots.
pub(super) fn param_idents(params: &mut Params) -> impl Iterator<Item = &mut Ident> {
    let plain = params.positional.iter_mut().chain(&mut params.keyword_only);
    plain.map(|param| &mut param.name).chain(&mut params.args).chain(&mut params.kwargs)
}

pub(super) fn walk_expr<V: Visit + ?Sized>(v: &mut V, expr: &mut Expr) {
    match &mut expr.kind {
        ExprKind::Ident(ident) => v.ident(ident),
        ExprKind::Int(_)
        | ExprKind::BigInt(_)
        | ExprKind::Float(_)
        | ExprKind::Str(_)
        | ExprKind::Bytes(_) => {}
        ExprKind::Tuple(items) | ExprKind::List(items) | ExprKind::And(items) | ExprKind::Or(items) => {
            walk_exprs(v, items);
        }
        ExprKind::Dict(entries) => {
            for entry in entries {
                walk_expr(v, &mut entry.key);
                walk_expr(v, &mut entry.value);
            }
        }
        ExprKind::ListComp(comp) => v.comprehension(&mut comp.clauses, &mut [&mut comp.element]),
        ExprKind::DictComp(comp) => {
            v.comprehension(&mut comp.clauses, &mut [&mut comp.entry.key, &mut comp.entry.value]);
        }
        ExprKind::Unary(unary) => walk_expr(v, &mut unary.operand),
        ExprKind::Binary(binary) => {
            walk_expr(v, &mut binary.first);
            for tail in &mut binary.tails {
                walk_expr(v, &mut tail.operand);
            }
        }
        ExprKind::Conditional(conditional) => {
            walk_expr(v, &mut conditional.cond);
            walk_expr(v, &mut conditional.then);
            walk_expr(v, &mut conditional.otherwise);
        }
        ExprKind::Lambda(function) => v.function(function),
        ExprKind::Primary(primary) => walk_primary(v, primary),
    }
}

fn walk_primary<V: Visit + ?Sized>(v: &mut V, primary: &mut Primary) {
    walk_expr(v, &mut primary.operand);
    for suffix in &mut primary.suffixes {
        match &mut suffix.kind {
            SuffixKind::Attr(_) => {}
            SuffixKind::Index(index) => walk_expr(v, index),
            SuffixKind::Slice(slice) => {
                let operands = [&mut slice.start, &mut slice.stop, &mut slice.step];
                operands.into_iter().flatten().for_each(|operand| walk_expr(v, operand));
            }
            SuffixKind::Call(args) => walk_args(v, args),
        }
    }
}

fn walk_args<V: Visit + ?Sized>(v: &mut V, args: &mut Args) {
    walk_exprs(v, &mut args.positional);
    args.named.iter_mut().for_each(|arg| walk_expr(v, &mut arg.value));
    [&mut args.args, &mut args.kwargs].into_iter().flatten().for_each(|arg| walk_expr(v, arg));
}

fn walk_exprs<V: Visit + ?Sized>(v: &mut V, exprs: &mut [Expr]) {
    exprs.iter_mut().for_each(|expr| walk_expr(v, expr));
}
