//! The built-in functions and methods.

pub mod collections;
pub mod convert;
pub mod functions;
mod letters;
pub mod methods;
pub mod order;
pub(crate) mod sets;
mod string_parts;
pub mod strings;

use crate::host::Call;

/// The functions every module can use.
pub(crate) fn all() -> Vec<(&'static str, Call)> {
    let mut all: Vec<(&'static str, Call)> = vec![
        ("sorted", Call::Halves { prepare: order::sorted_prepare, run: order::sorted_run }),
        ("min", Call::Halves { prepare: order::min_prepare, run: order::extreme_run }),
        ("max", Call::Halves { prepare: order::max_prepare, run: order::extreme_run }),
    ];
    let plain = functions::ALL.iter().chain(convert::ALL);
    all.extend(plain.map(|&(name, function)| (name, Call::Plain(function))));
    all
}

/// The names of these functions.
pub fn names() -> impl Iterator<Item = &'static str> {
    all().into_iter().map(|(name, _)| name)
}
