//! The first look at a block: which names does it bind?
//!
//! A name bound anywhere in a function belongs to the function from its beginning, so the names are
//! collected before any use is resolved. Nested functions and comprehensions are not looked into: what they
//! bind is theirs.

use super::super::ast::{Clause, Ident, Stmt, StmtKind, Target, TargetKind};

/// Calls `found` for each name that the statements bind, in the order of the text. The flag tells names
/// bound by `load`.
pub(super) fn bound_names(body: &[Stmt], found: &mut dyn FnMut(&Ident, bool)) {
    for stmt in body {
        match &stmt.kind {
            StmtKind::Assign(assign) => target_names(&assign.target, found),
            StmtKind::AugAssign(assign) => target_names(&assign.target, found),
            StmtKind::Def(def) => found(&def.name, false),
            StmtKind::If(if_) => {
                if_.branches.iter().for_each(|branch| bound_names(&branch.body, found));
                bound_names(&if_.otherwise, found);
            }
            StmtKind::For(for_) => {
                target_names(&for_.target, found);
                bound_names(&for_.body, found);
            }
            StmtKind::While(while_) => bound_names(&while_.body, found),
            StmtKind::Load(load) => load.symbols.iter().for_each(|symbol| found(&symbol.local, true)),
            StmtKind::Expr(_)
            | StmtKind::Return(_)
            | StmtKind::Break
            | StmtKind::Continue
            | StmtKind::Pass => {}
        }
    }
}

/// The same for the clauses of a comprehension.
pub(super) fn clause_names(clauses: &[Clause], found: &mut dyn FnMut(&Ident, bool)) {
    for clause in clauses {
        if let Clause::For { target, .. } = clause {
            target_names(target, found);
        }
    }
}

fn target_names(target: &Target, found: &mut dyn FnMut(&Ident, bool)) {
    match &target.kind {
        TargetKind::Ident(ident) => found(ident, false),
        TargetKind::Sequence(targets) => {
            targets.iter().for_each(|target| target_names(target, found));
        }
        TargetKind::Attr(_) | TargetKind::Index(_) => {}
    }
}
