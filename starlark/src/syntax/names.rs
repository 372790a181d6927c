//! Interned identifiers: each distinct name of a module is stored once and called by a small number.
//!
//! The resolver indexes vectors with them instead of hashing strings, and the compiler can do the same for
//! its constants.

use std::fmt;

use crate::data::hash::QuickMap;

/// A name of one module's [`Names`]. Symbols of different modules must not be compared.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Symbol(u32);

impl Symbol {
    /// Position in the table: symbols are numbered from 0 without gaps.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Debug for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// The table of a module's names.
#[derive(Clone, Default)]
pub struct Names {
    strings: Vec<Box<str>>,
    by_string: QuickMap<Box<str>, Symbol>,
}

impl Names {
    /// The symbol of `name`, new if need be.
    pub fn intern(&mut self, name: &str) -> Symbol {
        if let Some(&symbol) = self.by_string.get(name) {
            return symbol;
        }
        let symbol = Symbol(self.strings.len() as u32);
        self.strings.push(name.into());
        self.by_string.insert(name.into(), symbol);
        symbol
    }

    /// The symbol of `name` if the module mentions it.
    pub fn find(&self, name: &str) -> Option<Symbol> {
        self.by_string.get(name).copied()
    }

    /// The text of a symbol of this table.
    pub fn get(&self, symbol: Symbol) -> &str {
        &self.strings[symbol.index()]
    }

    /// All symbols with their texts, in the order of the text of the module.
    pub fn iter(&self) -> impl Iterator<Item = (Symbol, &str)> {
        self.strings.iter().zip(0..).map(|(text, number)| (Symbol(number), &**text))
    }

    /// How many names there are; symbols are the numbers below.
    pub fn len(&self) -> usize {
        self.strings.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.strings.is_empty()
    }
}

impl std::ops::Index<Symbol> for Names {
    type Output = str;

    fn index(&self, symbol: Symbol) -> &str {
        self.get(symbol)
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.strings).finish()
    }
}
