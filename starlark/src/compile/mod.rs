//! From the resolved syntax tree to code, in one walk.
//!
//! A function's variables live in registers 1, 2, ...; temporaries are a stack above them, and an expression is
//! compiled into a register that its user chooses ([`expression`](self)). Variables beyond `VARIABLES_MAX` live
//! in an object of their own, since a register has only a byte for a name.

mod call;
mod comprehension;
mod emit;
mod expression;
mod function;
mod known;
pub(crate) mod sites;
mod statement;
mod target;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use num_bigint::BigInt;

use crate::code::{Code, Link, Reg};
use crate::data::hash::QuickMap;
use crate::syntax::{Diagnostic, Module, Span, Stage};

use emit::Body;

/// How many variables of a function live in registers.
const VARIABLES_MAX: usize = 128;
/// Below this number are all temporaries. The registers behind the last are the state of a loop or the operands of a slice.
const TEMPORARIES_END: usize = Reg::MAX as usize - 8;

/// A constant of a module.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Const {
    /// `None`
    None,
    /// `True` or `False`
    Bool(bool),
    /// A string.
    Str(Box<str>),
    /// An int of 64 bits.
    Int(i64),
    /// An int beyond 64 bits.
    BigInt(BigInt),
    /// A float, by its bits.
    Float(u64),
    /// A bytes value.
    Bytes(Box<[u8]>),
    /// A built-in function.
    Builtin(u32),
    /// What the host predeclares under this name.
    Predeclared(Box<str>),
    /// A tuple of constants with smaller numbers.
    Tuple(Vec<u32>),
}

/// A compiled module.
pub struct Compiled {
    /// Its functions, numbered from 0 on: those nested in others before these, the top level last.
    pub codes: Vec<Code>,
    /// Its constants.
    pub constants: Vec<Const>,
}

/// Compiles a module.
///
/// # Errors
/// A function is beyond the limits of the machine.
pub fn compile(module: &Module, universal: &HashMap<String, u32>) -> Result<Compiled, Vec<Diagnostic>> {
    let globals =
        module.globals.iter().map(|global| (module.names.get(global.name).into(), global.loaded)).collect();
    let mut compiler = Compiler {
        module,
        universal,
        codes: Vec::new(),
        constant_numbers: QuickMap::default(),
        globals,
        errors: Vec::new(),
        body: Body::default(),
    };
    compiler.toplevel();
    if !compiler.errors.is_empty() {
        return Err(compiler.errors);
    }
    // Each constant is kept only once meanwhile, with its number: there may be very many strings.
    let mut constants = vec![Const::Int(0); compiler.constant_numbers.len()];
    for (constant, number) in compiler.constant_numbers {
        constants[number as usize] = constant;
    }
    Ok(Compiled { codes: compiler.codes, constants })
}

/// The state of the walk: what belongs to the module, and the function that is being compiled.
struct Compiler<'m> {
    module: &'m Module,
    universal: &'m HashMap<String, u32>,
    codes: Vec<Code>,
    constant_numbers: QuickMap<Const, u32>,
    globals: Arc<[(Box<str>, bool)]>,
    errors: Vec<Diagnostic>,
    body: Body,
}

impl Compiler<'_> {
    /// The number of something that the function refers to.
    fn link(&mut self, link: Link) -> u32 {
        let number = self.body.links.len() as u32;
        match self.body.link_numbers.entry(link) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => {
                new.insert(number);
                self.body.links.push(link);
                number
            }
        }
    }

    /// The link to a constant.
    fn constant(&mut self, constant: Const) -> u32 {
        let number = self.module_constant(constant);
        self.link(Link::Constant(number))
    }

    /// The number of a constant in the module.
    fn module_constant(&mut self, constant: Const) -> u32 {
        let number = self.constant_numbers.len() as u32;
        *self.constant_numbers.entry(constant).or_insert(number)
    }

    fn constant_str(&mut self, text: &str) -> u32 {
        self.constant(Const::Str(text.into()))
    }

    fn error(&mut self, span: Span, message: impl Into<String>) {
        let error = Diagnostic::error(&self.module.source, span, message);
        self.errors.push(error.found_by(Stage::Syntax));
    }

    /// How many temporaries there may still be.
    fn free_temporaries(&self) -> usize {
        TEMPORARIES_END.saturating_sub(self.body.next)
    }

    /// A new temporary.
    fn temporary(&mut self, span: Span) -> Reg {
        match u8::try_from(self.body.next) {
            Ok(r) if usize::from(r) < TEMPORARIES_END => {
                self.body.next += 1;
                self.body.most = self.body.most.max(self.body.next + 3);
                r
            }
            _ => {
                if self.errors.is_empty() {
                    self.error(span, "expression is nested too deeply or has too many operands");
                }
                self.body.first_temporary
            }
        }
    }
}
