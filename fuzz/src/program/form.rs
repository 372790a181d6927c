//! Forms, taken apart: text, holes and names, and which variables there must be.
//!
//! How a form is written is told in `forms.rs`.

use std::sync::OnceLock;

use super::forms::{BLOCKS, ERRORS, EXPRESSIONS, STATEMENTS, Type};

/// Which variables a hole may be filled with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    /// Any.
    Any,
    /// Those that may be changed.
    Changeable,
    /// Those that may be bound again here.
    Rebindable,
    /// Those that came frozen from another module.
    Frozen,
}

/// A part of a form.
#[derive(Clone, Debug)]
pub(super) enum Piece {
    /// Starlark as it is.
    Text(&'static str),
    /// An expression.
    Expression(Type),
    /// An expression in which the name is a variable of a type.
    Within(Type, char, Type),
    /// A variable, under a letter.
    Variable(char, Which, Type),
    /// That variable again.
    Again(char),
    /// A fresh name; from now on a variable, if there is a type.
    Fresh(char, Option<Type>),
}

/// A form.
#[derive(Debug)]
pub(super) struct Form {
    /// As it is written.
    pub text: &'static str,
    /// Its number among all forms.
    pub number: usize,
    pub pieces: Vec<Piece>,
    /// The variables without which it cannot be filled.
    pub needs: Types,
}

/// For each [`Which`], a set of types.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Types([u16; 4]);

impl Types {
    pub fn add(&mut self, which: Which, is: Type) {
        self.0[which as usize] |= 1 << is as u16;
    }

    pub fn contain(self, other: Types) -> bool {
        self.0.iter().zip(other.0).all(|(have, need)| need & !have == 0)
    }
}

/// All forms.
pub(super) struct Forms {
    /// By type.
    pub expressions: Vec<Vec<Form>>,
    pub statements: Vec<Form>,
    /// And how often their blocks are executed.
    pub blocks: Vec<(Form, u32)>,
    pub errors: Vec<Form>,
}

/// All forms.
pub(super) fn forms() -> &'static Forms {
    static FORMS: OnceLock<Forms> = OnceLock::new();
    FORMS.get_or_init(|| {
        let mut number = 0;
        let mut form = |text: &'static str| {
            number += 1;
            Form::new(text, number - 1)
        };
        let mut expressions: Vec<Vec<Form>> = Type::ALL.iter().map(|_| Vec::new()).collect();
        for (is, text) in EXPRESSIONS {
            expressions[*is as usize].push(form(text));
        }
        let statements = STATEMENTS.iter().map(|text| form(text)).collect();
        let blocks = BLOCKS.iter().map(|(text, rounds)| (form(text), *rounds)).collect();
        let errors = ERRORS.iter().map(|text| form(text)).collect();
        Forms { expressions, statements, blocks, errors }
    })
}

impl Forms {
    /// All but those that end a program, in the order of their numbers.
    pub fn ordinary(&self) -> impl Iterator<Item = &Form> {
        let blocks = self.blocks.iter().map(|(form, _)| form);
        self.expressions.iter().flatten().chain(&self.statements).chain(blocks)
    }
}

impl Form {
    fn new(text: &'static str, number: usize) -> Form {
        let pieces = pieces(text);
        let mut needs = Types::default();
        for piece in &pieces {
            if let Piece::Variable(_, which, is) = piece {
                needs.add(*which, *is);
            }
        }
        Form { text, number, pieces, needs }
    }
}

fn pieces(form: &'static str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = form;
    while let Some(at) = rest.find(['<', '@']) {
        let (plain, special) = rest.split_at(at);
        pieces.push(Piece::Text(plain));
        rest = match hole(special).or_else(|| fresh(special)) {
            Some((piece, after)) => {
                pieces.push(piece);
                after
            }
            None => {
                pieces.push(Piece::Text(&special[..1]));
                &special[1..]
            }
        };
    }
    pieces.push(Piece::Text(rest));
    pieces
}

/// `<...>`, and what follows it. A `<` that is an operator has a space or another sign behind it.
fn hole(special: &'static str) -> Option<(Piece, &'static str)> {
    let (inside, after) = special.strip_prefix('<')?.split_once('>')?;
    if !inside.starts_with(|first: char| first.is_ascii_lowercase()) {
        return None;
    }
    let letter = inside.chars().next()?;
    let piece = match inside.chars().nth(1) {
        None => Piece::Again(letter),
        Some('=') => Piece::Variable(letter, Which::Any, Type::named(&inside[2..])),
        Some('!') => Piece::Variable(letter, Which::Changeable, Type::named(&inside[2..])),
        Some('^') => Piece::Variable(letter, Which::Rebindable, Type::named(&inside[2..])),
        Some('~') => Piece::Variable(letter, Which::Frozen, Type::named(&inside[2..])),
        Some(_) => match inside.split_once('+') {
            None => Piece::Expression(Type::named(inside)),
            Some((is, name)) => {
                let of = name.split_once(':')?.1;
                Piece::Within(Type::named(is), name.chars().next()?, Type::named(of))
            }
        },
    };
    Some((piece, after))
}

/// `@x` or `@x:int`, and what follows it.
fn fresh(special: &'static str) -> Option<(Piece, &'static str)> {
    let name = special.strip_prefix('@')?;
    let (letter, after) = (name.chars().next()?, &name[1..]);
    let is = after.strip_prefix(':').filter(|is| is.starts_with(|first: char| first.is_ascii_lowercase()));
    let Some(is) = is else { return Some((Piece::Fresh(letter, None), after)) };
    let end = is.find(|letter: char| !letter.is_ascii_lowercase()).unwrap_or(is.len());
    Some((Piece::Fresh(letter, Some(Type::named(&is[..end]))), &is[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_taken_apart() {
        let shown = |form| format!("{:?}", pieces(form));
        assert_eq!(
            shown("(<int> << 1 < <a!ints>[<a>])"),
            "[Text(\"(\"), Expression(Int), Text(\" \"), Text(\"<\"), Text(\"\"), Text(\"<\"), Text(\" 1 \"), \
             Text(\"<\"), Text(\" \"), Variable('a', Changeable, Ints), Text(\"[\"), Again('a'), Text(\"])\")]"
        );
        assert_eq!(
            shown("lambda @x: <text+x:int>"),
            "[Text(\"lambda \"), Fresh('x', None), Text(\": \"), Within(Text, 'x', Int), Text(\"\")]"
        );
        assert_eq!(shown("@x:int = 1"), "[Text(\"\"), Fresh('x', Some(Int)), Text(\" = 1\")]");
    }

    #[test]
    fn every_form_can_be_read_and_has_its_number() {
        for (number, form) in forms().ordinary().enumerate() {
            assert_eq!(form.number, number, "{}", form.text);
        }
    }
}
