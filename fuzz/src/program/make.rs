//! Programs from choices: modules, functions and blocks, and the forms in them with their holes filled.
//!
//! Each value has a known type, so nearly every statement succeeds; each name is used once, so nothing is
//! shadowed; and what a statement may cost is added up as it is made, times the rounds of the loops around it, so
//! that a program ends soon.

use std::collections::BTreeSet;
use std::iter::Peekable;
use std::str::Lines;

use frazil::BlockBytes;

use super::form::{Form, forms};
use super::forms::{BEGINNING, ONCE, Type};
use super::{Module, Program, Settings, Statement};
use crate::random::Random;

/// Statements that one function may execute, by the estimate.
const FUNCTION_COST_MAX: u32 = 40;
/// The same for the function that is called in the end.
const MAIN_COST_MAX: u32 = 140;
/// How deeply blocks are nested in a function.
const DEPTH_MAX: usize = 3;
/// How deeply expressions are nested.
const EXPRESSION_DEPTH: u32 = 3;

/// A program, and what it is made of.
#[derive(Clone, Debug)]
pub struct Made {
    /// The program.
    pub program: Program,
    /// The numbers of the forms in it.
    pub(super) forms: BTreeSet<usize>,
}

/// The program of a seed.
pub fn make(seed: u64) -> Made {
    draw(Random::new(seed))
}

/// The program that a source of choices leads to.
pub fn draw(mut random: Random) -> Made {
    let settings = Settings {
        block: random.pick(&BlockBytes::ALL[..2]),
        nursery_kib: random.pick(&[1, 2, 4]),
        short: random.chance(50),
        instalment: if random.chance(40) { random.pick(&[1, 8]) } else { 0 },
        check: random.chance(40),
    };
    let libraries = random.below(3) as usize;
    let mut maker = Maker::new(random);
    let mut modules: Vec<Module> = (0..libraries)
        .map(|number| Module { name: module_name(number), statements: maker.library(number) })
        .collect();
    modules.push(Module { name: "main.star".to_owned(), statements: maker.program() });
    Made { program: Program { settings, modules }, forms: maker.used }
}

fn module_name(number: usize) -> String {
    format!("m{number}.star")
}

/// A variable, and what is known of it.
#[derive(Clone, Debug)]
pub(super) struct Variable {
    pub name: String,
    pub is: Type,
    /// The function it belongs to: 0 for the module.
    pub level: usize,
    /// It came from another module.
    pub frozen: bool,
    /// It is never bound again: a parameter of a lambda, a variable of a loop.
    pub fixed: bool,
}

impl Variable {
    /// A statement that prints it.
    fn print(&self) -> Statement {
        Statement::line(format!("print({})", self.is.shown(&self.name)))
    }
}

/// A function of the program that may be called.
#[derive(Clone, Debug)]
pub(super) struct Function {
    pub name: String,
    /// Its parameters: names, types, whether they have defaults.
    pub params: Vec<(String, Type, bool)>,
    /// Does it take any more ints by position? By name?
    pub rest: bool,
    pub named: bool,
    pub returns: Type,
    /// Statements that a call may execute.
    pub cost: u32,
}

/// What is visible at some place.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    variables: usize,
    functions: usize,
}

/// A program in the making.
pub(super) struct Maker {
    pub random: Random,
    pub variables: Vec<Variable>,
    pub functions: Vec<Function>,
    /// What modules export: their numbers, and what is there.
    exported: Vec<(usize, Variable)>,
    exported_functions: Vec<(usize, Function)>,
    /// Nested functions around this place.
    pub level: usize,
    /// Rounds of the loops around this place.
    pub times: u32,
    /// Statements that the function at this place may execute so far, and may at most.
    pub cost: u32,
    pub cost_max: u32,
    /// For the next fresh name.
    next: u32,
    /// The numbers of the forms used so far.
    pub used: BTreeSet<usize>,
}

impl Maker {
    fn new(random: Random) -> Maker {
        Maker {
            random,
            variables: Vec::new(),
            functions: Vec::new(),
            exported: Vec::new(),
            exported_functions: Vec::new(),
            level: 0,
            times: 1,
            cost: 0,
            cost_max: FUNCTION_COST_MAX,
            next: 0,
            used: BTreeSet::new(),
        }
    }

    pub fn name(&mut self, prefix: &str) -> String {
        self.next += 1;
        format!("{prefix}{}", self.next)
    }

    fn any_type(&mut self) -> Type {
        self.random.pick(&Type::ALL)
    }

    pub fn mark(&self) -> Mark {
        Mark { variables: self.variables.len(), functions: self.functions.len() }
    }

    pub fn back_to(&mut self, mark: Mark) {
        self.variables.truncate(mark.variables);
        self.functions.truncate(mark.functions);
    }

    // ------------------------------------------------------------------ modules

    /// A module for others to load: values and functions.
    fn library(&mut self, number: usize) -> Vec<Statement> {
        let mut statements = self.begin();
        let mark = self.mark();
        for _ in 0..self.random.range(2, 5) {
            statements.push(self.global());
        }
        // When its functions are called, everything in it is frozen: it would be an error if they changed it.
        let as_frozen = self.random.chance(80);
        for variable in &mut self.variables[mark.variables..] {
            variable.frozen = as_frozen;
        }
        for _ in 0..self.random.range(1, 2) {
            statements.push(self.function());
        }
        if self.random.chance(50) {
            statements.push(self.global());
        }
        self.exported
            .extend(self.variables[mark.variables..].iter().cloned().map(|variable| (number, variable)));
        let functions = self.functions[mark.functions..].iter().cloned();
        self.exported_functions.extend(functions.map(|function| (number, function)));
        statements
    }

    /// The module that is run.
    fn program(&mut self) -> Vec<Statement> {
        let mut statements = self.begin();
        for _ in 0..self.random.range(1, 4) {
            statements.push(self.global());
        }
        for _ in 0..self.random.range(1, 4) {
            statements.push(self.function());
        }
        statements.push(self.main());
        statements.push(Statement::line("main()"));
        statements.extend(self.variables.iter().filter(|variable| !variable.frozen).map(Variable::print));
        statements
    }

    /// The beginning of a module: what it loads from those before it, and what every one has.
    fn begin(&mut self) -> Vec<Statement> {
        self.variables.clear();
        self.functions.clear();
        (self.level, self.times, self.cost, self.cost_max) = (0, 1, 0, FUNCTION_COST_MAX);
        // One name at a time, so that each can be left out.
        let load = |from, name: &str| Statement::line(format!("load(\"{}\", \"{name}\")", module_name(from)));
        let mut statements = Vec::new();
        for (from, variable) in self.exported.clone() {
            if self.random.chance(70) {
                statements.push(load(from, &variable.name));
                self.variables.push(Variable { frozen: true, fixed: true, ..variable });
            }
        }
        for (from, function) in self.exported_functions.clone() {
            if self.random.chance(70) {
                statements.push(load(from, &function.name));
                self.functions.push(function);
            }
        }
        statements.extend(parsed(BEGINNING));
        statements
    }

    fn global(&mut self) -> Statement {
        let is = self.any_type();
        let value = self.expression(is, EXPRESSION_DEPTH);
        let name = self.name("g");
        self.variables.push(Variable { name: name.clone(), is, level: 0, frozen: false, fixed: true });
        Statement::line(format!("{name} = {value}"))
    }

    // ------------------------------------------------------------------ functions

    fn main(&mut self) -> Statement {
        self.body("def main():".to_owned(), MAIN_COST_MAX, Vec::new(), |maker| {
            let count = maker.random.range(4, 10);
            let mut statements = maker.statements(count, DEPTH_MAX);
            for function in maker.functions.clone() {
                statements.extend(maker.called(&function));
            }
            statements.extend(maker.statements(count, DEPTH_MAX));
            if maker.random.chance(30) {
                let error = maker.error();
                let at = maker.random.range(statements.len() as u32 / 2, statements.len() as u32) as usize;
                // It may name what is bound only after it: that is an error, too.
                statements.insert(at, error);
            }
            statements
        })
        .0
    }

    /// A function that others may call from now on.
    fn function(&mut self) -> Statement {
        let returns = self.any_type();
        let name = self.name("f");
        let mut params = Vec::new();
        let mut heads = Vec::new();
        let mut own = Vec::new();
        for _ in 0..self.random.below(4) {
            let (param, is) = (self.name("p"), self.any_type());
            let default = !heads.is_empty() && self.random.chance(40);
            let value = if default { format!(" = {}", self.expression(is, 1)) } else { String::new() };
            heads.push((default, format!("{param}{value}")));
            params.push((param.clone(), is, default));
            own.push((param, is));
        }
        // Those with defaults come last.
        heads.sort_by_key(|(default, _)| *default);
        params.sort_by_key(|(_, _, default)| *default);
        let mut heads: Vec<String> = heads.into_iter().map(|(_, head)| head).collect();
        let (rest, named) = (self.random.chance(25), self.random.chance(25));
        if rest {
            heads.push("*rest".to_owned());
        }
        if named {
            heads.push("**named".to_owned());
        }
        let head = format!("def {name}({}):", heads.join(", "));
        let (statement, cost) = self.body(head, FUNCTION_COST_MAX, own, |maker| {
            let mut statements = Vec::new();
            if rest {
                statements.push(maker.bound_to(Type::Ints, "list(rest)"));
            }
            if named {
                statements.push(maker.bound_to(Type::Table, "named"));
            }
            let count = maker.random.range(1, 6);
            statements.extend(maker.statements(count, DEPTH_MAX - 1));
            let result = maker.expression(returns, 2);
            statements.push(Statement::line(format!("return {result}")));
            statements
        });
        self.functions.push(Function { name, params, rest, named, returns, cost });
        statement
    }

    /// A statement that calls a function, unless that costs too much.
    fn called(&mut self, function: &Function) -> Option<Statement> {
        if !self.affordable(function) {
            return None;
        }
        let call = self.call_of(function, 2);
        Some(self.bound_to(function.returns, &call))
    }

    fn bound_to(&mut self, is: Type, value: &str) -> Statement {
        let name = self.name("v");
        self.variables.push(Variable {
            name: name.clone(),
            is,
            level: self.level,
            frozen: false,
            fixed: false,
        });
        Statement::line(format!("{name} = {value}"))
    }

    /// A function's statement, and what a call costs.
    fn body(
        &mut self,
        head: String,
        cost_max: u32,
        params: Vec<(String, Type)>,
        make: impl FnOnce(&mut Maker) -> Vec<Statement>,
    ) -> (Statement, u32) {
        let mark = self.mark();
        let around = (self.times, self.cost, self.cost_max);
        (self.times, self.cost, self.cost_max) = (1, 1, cost_max);
        self.level += 1;
        for (name, is) in params {
            self.variables.push(Variable { name, is, level: self.level, frozen: false, fixed: false });
        }
        let mut statements = make(self);
        if cost_max == MAIN_COST_MAX {
            statements.extend(self.variables[mark.variables..].iter().map(Variable::print));
        }
        self.level -= 1;
        let cost = self.cost;
        (self.times, self.cost, self.cost_max) = around;
        self.back_to(mark);
        (Statement::block(head, statements), cost)
    }

    // ------------------------------------------------------------------ statements

    /// Some statements one after the other, of which the later ones see the variables of the earlier ones.
    fn statements(&mut self, count: u32, depth: usize) -> Vec<Statement> {
        let mut statements = Vec::new();
        for _ in 0..count {
            if self.cost + self.times > self.cost_max {
                break;
            }
            self.statement(depth, &mut statements);
        }
        statements
    }

    fn statement(&mut self, depth: usize, statements: &mut Vec<Statement>) {
        self.cost += self.times;
        match self.random.below(100) {
            0..22 if depth > 0 => self.block(depth, statements),
            22..28 if depth > 0 && self.level < 3 => {
                statements.push(self.function());
                if let Some(function) = self.functions.last().cloned() {
                    statements.extend(self.called(&function));
                }
            }
            28..38 if !self.variables.is_empty() => {
                let at = self.random.below(self.variables.len() as u32) as usize;
                statements.push(self.variables[at].print());
            }
            _ => {
                let form = self.pick(forms().statements.iter());
                statements.push(self.filled(form));
            }
        }
    }

    /// A statement with a block, and perhaps another one after it.
    fn block(&mut self, depth: usize, statements: &mut Vec<Statement>) {
        let form = self.pick(forms().blocks.iter().map(|(form, _)| form));
        let rounds =
            forms().blocks.iter().find(|(is, _)| is.number == form.number).map_or(1, |found| found.1);
        let mark = self.mark();
        let head = self.fill(form, EXPRESSION_DEPTH);
        // What the head of a loop binds is bound again by the loop alone.
        for variable in &mut self.variables[mark.variables..] {
            variable.fixed = true;
        }
        let iterated = if rounds == ONCE { self.guard(&head) } else { None };
        let leave = (rounds > 1 && self.random.chance(15)).then(|| {
            let condition = self.expression(Type::Bool, 1);
            let leave = self.random.pick(&["break", "continue"]);
            Statement::block(format!("if {condition}:"), vec![Statement::line(leave)])
        });
        let times = self.times;
        self.times *= rounds.max(1);
        let count = self.random.range(1, 4);
        let mut body = self.statements(count, depth - 1);
        self.times = times;
        if let Some(leave) = leave {
            let at = self.random.below(body.len() as u32 + 1) as usize;
            body.insert(at, leave);
        }
        if rounds == ONCE {
            body.push(Statement::line("break"));
        }
        if let Some(at) = iterated {
            self.variables[at].frozen = false;
        }
        self.back_to(mark);
        let is_if = head.starts_with("if ");
        statements.push(Statement::block(head, body));
        if is_if && self.random.chance(40) {
            if self.random.chance(30) {
                let condition = self.expression(Type::Bool, 1);
                let body = self.inner(depth);
                statements.push(Statement::block(format!("elif {condition}:"), body));
            }
            let body = self.inner(depth);
            statements.push(Statement::block("else:", body));
        }
    }

    /// Nobody may change what a loop runs over. Says where that variable is, if it could be changed before.
    fn guard(&mut self, head: &str) -> Option<usize> {
        let name = head.trim_end_matches(':').rsplit(' ').next()?;
        let at = self.variables.iter().position(|variable| variable.name == name && !variable.frozen)?;
        self.variables[at].frozen = true;
        Some(at)
    }

    fn inner(&mut self, depth: usize) -> Vec<Statement> {
        let mark = self.mark();
        let count = self.random.range(1, 3);
        let body = self.statements(count, depth - 1);
        self.back_to(mark);
        body
    }

    fn error(&mut self) -> Statement {
        let form = self.pick(forms().errors.iter());
        self.filled(form)
    }

    /// A form as a statement: its first line, and the others in a block below it.
    fn filled(&mut self, form: &Form) -> Statement {
        let text = self.fill(form, EXPRESSION_DEPTH);
        let mut lines = text.lines();
        Statement::block(lines.next().unwrap_or("pass"), lines.map(Statement::line).collect())
    }
}

/// Lines of text as statements, by their indentation.
fn parsed(text: &str) -> Vec<Statement> {
    fn block(lines: &mut Peekable<Lines<'_>>, depth: usize) -> Vec<Statement> {
        let mut statements = Vec::new();
        while let Some(line) = lines.next_if(|line| line.len() - line.trim_start().len() >= 4 * depth) {
            let body = block(lines, depth + 1);
            statements.push(Statement::block(line.trim_start(), body));
        }
        statements
    }
    block(&mut text.lines().peekable(), 0)
}
