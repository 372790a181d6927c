//! Statements.

use crate::code::{Link, LoadSite, Op};
use crate::syntax::ast::{For, If, Load, Stmt, StmtKind, While};
use crate::syntax::{Binding, Span};

use super::Compiler;
use super::emit::Loop;

impl<'m> Compiler<'m> {
    pub(super) fn statements(&mut self, body: &'m [Stmt]) {
        for stmt in body {
            let mark = self.body.next;
            self.statement(stmt);
            self.release(mark);
        }
    }

    fn statement(&mut self, stmt: &'m Stmt) {
        let span = stmt.span;
        match &stmt.kind {
            StmtKind::Expr(expr) => {
                // A string by itself is documentation.
                if !matches!(expr.kind, crate::syntax::ast::ExprKind::Str(_)) {
                    self.operand(expr);
                }
            }
            StmtKind::Assign(assign) => self.assignment(assign),
            StmtKind::AugAssign(assign) => self.augmented(assign),
            StmtKind::Def(def) => {
                let d = self.temporary(span);
                self.function(&def.function, d);
                self.set_variable(&def.name, d);
            }
            StmtKind::If(branches) => self.if_statement(branches),
            StmtKind::For(statement) => self.for_statement(statement),
            StmtKind::While(statement) => self.while_statement(statement),
            StmtKind::Return(value) => {
                let a = match value {
                    Some(value) => self.operand(value),
                    None => {
                        let a = self.temporary(span);
                        self.emit(Op::None { d: a }, span);
                        a
                    }
                };
                self.end_loops(span);
                self.emit(Op::Return { a }, span);
                self.body.dead = true;
            }
            StmtKind::Break => self.break_statement(span),
            StmtKind::Continue => {
                if let Some((top, state)) = self.body.loops.last().map(|looped| (looped.top, looped.state)) {
                    // The top of a `for` loop is a safepoint itself.
                    let to = top as u32;
                    self.emit(if state.is_some() { Op::Jump { to } } else { Op::Repeat { to } }, span);
                }
                self.body.dead = true;
            }
            StmtKind::Pass => {}
            StmtKind::Load(load) => self.load(load),
        }
    }

    fn if_statement(&mut self, statement: &'m If) {
        let mut ends = Vec::new();
        // What is certainly assigned behind the statement is what every way through it assigns.
        let before = self.body.assigned.clone();
        let was_dead = self.body.dead;
        let mut after: Option<Vec<bool>> = None;
        let mut all_dead = true;
        for branch in &statement.branches {
            let next = self.condition(&branch.cond, false);
            self.statements(&branch.body);
            self.merge(&mut after, &mut all_dead);
            if !self.body.dead {
                ends.push(self.jump(Op::Jump { to: 0 }, branch.cond.span));
            }
            self.body.dead = was_dead;
            self.body.assigned.clone_from(&before);
            self.land(next);
        }
        self.statements(&statement.otherwise);
        self.merge(&mut after, &mut all_dead);
        self.land(ends);
        self.body.dead = all_dead;
        self.body.assigned = after.unwrap_or(before);
    }

    /// The end of one of several ways through a statement.
    fn merge(&self, after: &mut Option<Vec<bool>>, all_dead: &mut bool) {
        if self.body.dead {
            return;
        }
        *all_dead = false;
        match after {
            Some(after) => {
                for (both, this) in after.iter_mut().zip(&self.body.assigned) {
                    *both &= this;
                }
            }
            None => *after = Some(self.body.assigned.clone()),
        }
    }

    fn for_statement(&mut self, statement: &'m For) {
        let span = statement.target.span;
        let state = self.begin_loop(&statement.iterable);
        let (assigned, dead) = (self.body.assigned.clone(), self.body.dead);
        let start = self.here();
        let head = self.loop_head(state, start, &statement.target);
        self.body.loops.push(Loop { top: head.top, state: Some(state), breaks: Vec::new() });
        self.statements(&statement.body);
        self.loop_end(head, span);
        self.leave_loop(assigned, dead);
    }

    fn while_statement(&mut self, statement: &'m While) {
        let (top, span) = (self.here(), statement.cond.span);
        let exit = self.condition(&statement.cond, false);
        let (assigned, dead) = (self.body.assigned.clone(), self.body.dead);
        self.body.loops.push(Loop { top, state: None, breaks: Vec::new() });
        self.statements(&statement.body);
        self.emit(Op::Repeat { to: top as u32 }, span);
        self.land(exit);
        self.leave_loop(assigned, dead);
    }

    /// Behind a loop only what was assigned before it is certain: its body may not have been executed.
    fn leave_loop(&mut self, assigned: Vec<bool>, dead: bool) {
        if let Some(looped) = self.body.loops.pop() {
            self.land(looped.breaks);
        }
        self.body.assigned = assigned;
        self.body.dead = dead;
    }

    fn break_statement(&mut self, span: Span) {
        let state = self.body.loops.last().and_then(|looped| looped.state);
        if let Some(r) = state {
            self.emit(Op::EndFor { r }, span);
        }
        let jump = self.jump(Op::Jump { to: 0 }, span);
        if let Some(looped) = self.body.loops.last_mut() {
            looped.breaks.push(jump);
        }
        self.body.dead = true;
    }

    /// Ends all loops that a `return` leaves.
    fn end_loops(&mut self, span: Span) {
        let states: Vec<_> = self.body.loops.iter().rev().filter_map(|looped| looped.state).collect();
        for r in states {
            self.emit(Op::EndFor { r }, span);
        }
    }

    fn load(&mut self, load: &'m Load) {
        let mut symbols = Vec::with_capacity(load.symbols.len());
        for symbol in &load.symbols {
            match symbol.local.binding {
                Binding::Global(global) => {
                    let global = self.link(Link::Global(global));
                    symbols.push((global, self.text(symbol.remote.symbol).into(), symbol.remote.span));
                }
                _ => self.error(symbol.local.span, "load must bind a global"),
            }
        }
        let site = LoadSite { module: load.module.clone(), span: load.module_span, symbols: symbols.into() };
        self.body.loads.push(site);
        let load_number = self.body.loads.len() as u32 - 1;
        self.emit(Op::Load { load: load_number }, load.module_span);
    }
}
