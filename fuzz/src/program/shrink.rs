//! A failing program made small: modules and statements go, blocks take the place of their statements, and what is in
//! brackets makes way for something simple.

use super::{Program, Statement};

/// The smallest program found that still fails, in at most `attempts` attempts.
pub fn shrink(program: &Program, attempts: usize, fails: impl Fn(&Program) -> bool) -> Program {
    let mut shrinking = Shrinking { best: program.clone(), left: attempts, fails };
    while shrinking.left > 0 && shrinking.round() {}
    shrinking.best
}

struct Shrinking<F> {
    best: Program,
    left: usize,
    fails: F,
}

impl<F: Fn(&Program) -> bool> Shrinking<F> {
    /// Takes `candidate` if it fails.
    fn take(&mut self, candidate: Program) -> bool {
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        let fails = (self.fails)(&candidate);
        if fails {
            self.best = candidate;
        }
        fails
    }

    /// Tries everything once. Says whether something helped.
    fn round(&mut self) -> bool {
        let before = self.best.to_string().len();
        self.modules();
        for module in 0..self.best.modules.len() {
            self.block(module, &[]);
        }
        for module in 0..self.best.modules.len() {
            self.brackets(module);
        }
        self.best.to_string().len() < before
    }

    /// Tries to do without modules: with the first ones alone, then without one or the other.
    fn modules(&mut self) {
        let count = self.best.modules.len();
        for keep in 1..count {
            let mut candidate = self.best.clone();
            candidate.modules.truncate(keep);
            if self.take(candidate) {
                break;
            }
        }
        for index in (0..self.best.modules.len() - 1).rev() {
            let mut candidate = self.best.clone();
            candidate.modules.remove(index);
            self.take(candidate);
        }
    }

    /// Tries something simple in place of everything in brackets, from the outside in.
    fn brackets(&mut self, module: usize) {
        let mut line = 0;
        while let Some(text) = nth_line(&mut self.best.modules[module].statements, line).cloned() {
            let mut text = text;
            let mut from = 0;
            while let Some((start, end)) = brackets_from(&text, from) {
                from = start + 1;
                for simple in SIMPLE {
                    let shorter = [&text[..start], simple, &text[end..]].concat();
                    let mut candidate = self.best.clone();
                    if shorter.len() < text.len()
                        && let Some(place) = nth_line(&mut candidate.modules[module].statements, line)
                    {
                        place.clone_from(&shorter);
                        if self.take(candidate) {
                            text = shorter;
                            break;
                        }
                    }
                }
            }
            line += 1;
        }
    }

    /// Tries to do without statements of the block at `way` (the numbers of the statements that lead to it): first many
    /// side by side, then fewer, from the end. What is left is made smaller itself.
    fn block(&mut self, module: usize, way: &[usize]) {
        let len =
            |shrinking: &Self| at(&shrinking.best.modules[module].statements, way).map_or(0, <[_]>::len);
        let mut width = len(self);
        while width > 0 {
            let mut end = len(self);
            while end > 0 {
                let start = end.saturating_sub(width);
                self.change(module, way, |statements| _ = statements.drain(start..end));
                end = start;
            }
            width /= 2;
        }
        let mut index = 0;
        while index < len(self) {
            let inner: Vec<usize> = [way, &[index]].concat();
            let is_block =
                at(&self.best.modules[module].statements, &inner).is_some_and(|body| !body.is_empty());
            let unwrapped = is_block
                && self.change(module, way, |statements| {
                    let body = std::mem::take(&mut statements[index].body);
                    statements.splice(index..=index, body);
                });
            if !unwrapped {
                if is_block {
                    self.block(module, &inner);
                }
                index += 1;
            }
        }
    }

    fn change(&mut self, module: usize, way: &[usize], change: impl FnOnce(&mut Vec<Statement>)) -> bool {
        let mut candidate = self.best.clone();
        let mut statements = &mut candidate.modules[module].statements;
        for &index in way {
            statements = &mut statements[index].body;
        }
        change(statements);
        self.take(candidate)
    }
}

/// What is tried in place of something in brackets.
const SIMPLE: [&str; 5] = ["", "0", "()", "[]", "[1]"];

/// A line by its number, counted through all blocks.
fn nth_line(statements: &mut [Statement], mut number: usize) -> Option<&mut String> {
    for statement in statements {
        if number == 0 {
            return Some(&mut statement.line);
        }
        let lines = statement.lines();
        if number < lines {
            return nth_line(&mut statement.body, number - 1);
        }
        number -= lines;
    }
    None
}

/// Where the first bracket from a place on opens, and behind where it closes. Brackets in texts are not told apart:
/// what comes of that is no program, and is not taken.
fn brackets_from(text: &str, from: usize) -> Option<(usize, usize)> {
    let start = from + text.get(from..)?.find(['(', '[', '{'])?;
    let mut depth = 0;
    for (at, sign) in text[start..].char_indices() {
        depth += match sign {
            '(' | '[' | '{' => 1,
            ')' | ']' | '}' => -1,
            _ => 0,
        };
        if depth == 0 {
            return Some((start, start + at + 1));
        }
    }
    None
}

/// The block at the end of a way.
fn at<'s>(statements: &'s [Statement], way: &[usize]) -> Option<&'s [Statement]> {
    match way {
        [] => Some(statements),
        [first, rest @ ..] => at(&statements.get(*first)?.body, rest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::program::{Module, make};

    #[test]
    fn only_what_is_needed_stays() {
        let mut program = make(3).program;
        let inner =
            Statement::block("if True:", vec![Statement::line("needed"), Statement::line("not needed")]);
        let main = program.modules.last_mut().expect("a module");
        main.statements.insert(4, Statement::block("for x in y:", vec![inner]));
        let needed = |program: &Program| program.to_string().lines().any(|line| line.trim() == "needed");
        let small = shrink(&program, 5000, needed);
        assert_eq!((small.main().text().as_str(), small.modules.len()), ("needed\n", 1));
    }

    #[test]
    fn brackets_give_way() {
        let statements = vec![Statement::block("def f():", vec![Statement::line("g(h([1, 2]), (3, [4]))")])];
        let modules = vec![Module { name: "main.star".to_owned(), statements }];
        let program = Program { modules, settings: make(0).program.settings };
        let small = shrink(&program, 100, |program| program.to_string().contains("(3,"));
        assert!(small.lines() <= 2 && small.main().text().contains("g(h, (3, ))"), "{small}");
    }
}
