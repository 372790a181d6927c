//! Expressions for programs: variables, literals, calls, and forms with their holes filled.

use std::collections::HashMap;

use super::form::{Form, Piece, Types, Which, forms};
use super::forms::{LITERALS, Type};
use super::make::{Function, Maker, Variable};

/// Rounds that a comprehension or the key of a sort is taken to make.
const ROUNDS: u32 = 4;

impl Maker {
    /// An expression of a type.
    pub fn expression(&mut self, is: Type, depth: u32) -> String {
        let chance = self.random.below(100);
        if depth == 0 || chance < 25 {
            return self.simple(is);
        }
        if chance < 40
            && let Some(call) = self.call(is, depth)
        {
            return call;
        }
        let form = self.pick(forms().expressions[is as usize].iter());
        self.fill(form, depth)
    }

    /// A variable or a literal.
    fn simple(&mut self, is: Type) -> String {
        if self.random.chance(80)
            && let Some(variable) = self.variable(is, Which::Any)
        {
            // What is frozen is mostly copied: whoever gets it may want to change it.
            if variable.frozen && self.random.chance(85) {
                return is.copied(&variable.name);
            }
            return variable.name;
        }
        let literals = LITERALS.iter().find(|(of, _)| *of == is).map_or(&[][..], |(_, literals)| *literals);
        self.random.pick(literals).to_owned()
    }

    fn variable(&mut self, is: Type, which: Which) -> Option<Variable> {
        let fits = |variable: &Variable| variable.is == is && self.fits(variable, which);
        let found: Vec<usize> = (0..self.variables.len()).filter(|&at| fits(&self.variables[at])).collect();
        if found.is_empty() {
            return None;
        }
        // The latest are the most interesting.
        let last = found.len().min(4);
        let at = if self.random.chance(60) { &found[found.len() - last..] } else { &found[..] };
        Some(self.variables[self.random.pick(at)].clone())
    }

    /// A call of a function of the program.
    fn call(&mut self, is: Type, depth: u32) -> Option<String> {
        let fits = |function: &&Function| function.returns == is && self.affordable(function);
        let found: Vec<Function> = self.functions.iter().filter(fits).cloned().collect();
        if found.is_empty() {
            return None;
        }
        let function = &found[self.random.below(found.len() as u32) as usize];
        Some(self.call_of(function, depth))
    }

    pub fn affordable(&self, function: &Function) -> bool {
        self.cost + self.times * function.cost <= self.cost_max
    }

    pub fn call_of(&mut self, function: &Function, depth: u32) -> String {
        self.cost += self.times * function.cost;
        let mut arguments = Vec::new();
        let mut by_name = false;
        for (name, is, default) in &function.params {
            if *default && self.random.chance(50) {
                // From here on only by name.
                by_name = true;
                continue;
            }
            by_name |= self.random.chance(20);
            let value = self.expression(*is, depth.min(2) - 1);
            arguments.push(if by_name { format!("{name} = {value}") } else { value });
        }
        let all = arguments.len() == function.params.len();
        if function.rest && all && !by_name && self.random.chance(70) {
            let rest = self.simple(Type::Ints);
            arguments.push(format!("*{rest}"));
        }
        if function.named && self.random.chance(70) {
            let value = self.simple(Type::Int);
            arguments.push(match self.random.chance(50) {
                true => format!("**{{\"a\": {value}}}"),
                false => format!("e1 = {value}"),
            });
            // A name may not stand behind `*` or `**`.
            arguments.sort_by_key(|argument| match argument {
                text if text.starts_with("**") => 3,
                text if text.starts_with('*') => 2,
                text if text.split(['(', '[', '{', '"']).next().unwrap_or("").contains(" = ") => 1,
                _ => 0,
            });
        }
        format!("{}({})", function.name, arguments.join(", "))
    }

    // ------------------------------------------------------------------ forms

    /// What variables there are.
    fn have(&self) -> Types {
        let mut have = Types::default();
        for variable in &self.variables {
            for which in [Which::Any, Which::Changeable, Which::Rebindable, Which::Frozen] {
                if self.fits(variable, which) {
                    have.add(which, variable.is);
                }
            }
        }
        have
    }

    fn fits(&self, variable: &Variable, which: Which) -> bool {
        match which {
            Which::Any => true,
            Which::Changeable => !variable.frozen,
            Which::Rebindable => !variable.fixed && variable.level == self.level,
            Which::Frozen => variable.frozen,
        }
    }

    /// One of those forms for which there are variables.
    pub fn pick(&mut self, forms: impl Iterator<Item = &'static Form>) -> &'static Form {
        let have = self.have();
        let possible: Vec<&Form> = forms.filter(|form| have.contain(form.needs)).collect();
        let form = self.random.pick(&possible);
        self.used.insert(form.number);
        form
    }

    /// A form with its holes filled, by expressions less deep than `depth`. Variables that it binds are visible
    /// from then on.
    pub fn fill(&mut self, form: &Form, depth: u32) -> String {
        let mut text = String::new();
        let mut bound: Vec<Variable> = Vec::new();
        let mut fresh: HashMap<char, String> = HashMap::new();
        let mut chosen: HashMap<char, String> = HashMap::new();
        for piece in &form.pieces {
            match *piece {
                Piece::Text(plain) => text += plain,
                Piece::Fresh(letter, is) => {
                    let name = fresh.entry(letter).or_insert_with(|| self.name("v")).clone();
                    text += &name;
                    let bind = |is| Variable { name, is, level: self.level, frozen: false, fixed: false };
                    bound.extend(is.map(bind));
                }
                Piece::Variable(letter, which, is) => {
                    let found = self.variable(is, which).map_or_else(String::new, |found| found.name);
                    text += &found;
                    chosen.insert(letter, found);
                }
                Piece::Again(letter) => text += chosen.get(&letter).map_or("", String::as_str),
                Piece::Expression(is) => text += &self.expression(is, depth - 1),
                Piece::Within(is, letter, of) => {
                    let name = fresh.entry(letter).or_insert_with(|| self.name("v")).clone();
                    text += &self.within(is, name, of, depth);
                }
            }
        }
        self.variables.extend(bound);
        text
    }

    /// An expression in a comprehension or a lambda, where there is one more variable.
    fn within(&mut self, is: Type, name: String, of: Type, depth: u32) -> String {
        let mark = self.mark();
        self.variables.push(Variable { name, is: of, level: usize::MAX, frozen: false, fixed: true });
        let times = self.times;
        self.times *= ROUNDS;
        let value = self.expression(is, depth.min(2) - 1);
        self.times = times;
        self.back_to(mark);
        value
    }
}
