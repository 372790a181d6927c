//! Modules that come with the interpreter. A program finds only those that its host has chosen:
//! [`Engine::library`](crate::Engine::library).

pub mod json;
pub mod math;

use crate::cx::Cx;
use crate::data::module;
use crate::failure::Res;
use crate::host::{Call, Host, PlainFn};
use crate::value::{Value, builtin};

/// A module that comes with the interpreter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Library {
    /// `json`: values as JSON text, and back.
    Json,
    /// `math`: functions on floats. They are computed in software, so they give the same on all systems.
    Math,
}

impl Library {
    /// All of them.
    pub const ALL: [Library; 2] = [Library::Json, Library::Math];

    /// Its name in programs.
    pub fn name(self) -> &'static str {
        match self {
            Library::Json => "json",
            Library::Math => "math",
        }
    }

    /// Adds its functions to those of the host: name in the module, name in errors, function.
    pub(crate) fn register(self, host: &mut Host) -> Vec<(&'static str, u32)> {
        let functions: &[(&str, &str, PlainFn)] = match self {
            Library::Json => json::FUNCTIONS,
            Library::Math => math::FUNCTIONS,
        };
        let add = |&(name, shown, function): &(&'static str, &str, PlainFn)| {
            (name, host.add_builtin(shown, Call::Plain(function)))
        };
        functions.iter().map(add).collect()
    }

    /// The module value, made of its functions.
    ///
    /// # Errors
    /// Memory ran out.
    pub(crate) fn value<'s>(self, cx: Cx<'s>, functions: &[(&'static str, u32)]) -> Res<Value<'s>> {
        let mut members = Vec::with_capacity(functions.len() + 2);
        for &(name, number) in functions {
            members.push((cx.intern(name)?, builtin(number)));
        }
        if self == Library::Math {
            for (name, constant) in math::CONSTANTS {
                members.push((cx.intern(name)?, crate::data::int::make_float(cx, *constant)?));
            }
        }
        module::make(cx, self.name(), members)
    }
}
