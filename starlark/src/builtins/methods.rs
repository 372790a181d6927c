//! The tables of methods, and how a method is found: at compile time a name becomes a number, at run time the
//! number and the kind of the receiver give the method with one look in a table.

use std::sync::OnceLock;

use crate::host::PlainFn;
use crate::value::{KINDS, Kind};

use super::{collections, sets, strings};

/// A method of a built-in type.
pub struct Method {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub call: PlainFn,
}

/// The methods of a type, sorted by name.
pub fn of(kind: Kind) -> &'static [Method] {
    match kind {
        Kind::Str => strings::METHODS,
        Kind::Bytes => strings::BYTES_METHODS,
        Kind::List => collections::LIST_METHODS,
        Kind::Dict => collections::DICT_METHODS,
        Kind::Set => sets::METHODS,
        _ => &[],
    }
}

const WITH_METHODS: [Kind; 5] = [Kind::Str, Kind::Bytes, Kind::List, Kind::Dict, Kind::Set];

/// Numbers of methods: the kind of the receiver and the index among its methods.
const INDEX_BITS: u32 = 8;

/// The number of a method, if there is one.
pub fn number(kind: Kind, name: &str) -> Option<u32> {
    let index = of(kind).iter().position(|method| method.name == name)?;
    Some((kind as u32) << INDEX_BITS | index as u32)
}

/// The method with a number that [`number`] gave.
pub fn by_number(number: u32) -> &'static Method {
    let kind = Kind::ALL[(number >> INDEX_BITS) as usize % KINDS];
    &of(kind)[number as usize & ((1 << INDEX_BITS) - 1)]
}

struct Table {
    /// All names of methods, sorted.
    names: Vec<&'static str>,
    /// For each kind, for each name, the method.
    methods: Vec<Option<&'static Method>>,
}

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut names: Vec<&str> =
            WITH_METHODS.iter().flat_map(|&kind| of(kind)).map(|method| method.name).collect();
        names.sort_unstable();
        names.dedup();
        let mut methods = vec![None; KINDS * names.len()];
        for kind in WITH_METHODS {
            for method in of(kind) {
                if let Ok(name) = names.binary_search(&method.name) {
                    methods[kind as usize * names.len() + name] = Some(method);
                }
            }
        }
        Table { names, methods }
    })
}

/// The number of a name that some method has.
pub fn name_number(name: &str) -> Option<u16> {
    table().names.binary_search(&name).ok().map(|number| number as u16)
}

/// The method of a kind whose name has this number.
#[inline]
pub fn by_name_number(kind: Kind, name: u16) -> Option<&'static Method> {
    let table = table();
    table.methods.get(kind as usize * table.names.len() + name as usize).copied().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_sorted_and_found() {
        for kind in WITH_METHODS {
            assert!(of(kind).is_sorted_by_key(|method| method.name), "{kind:?}");
            for method in of(kind) {
                let found = name_number(method.name).and_then(|name| by_name_number(kind, name));
                assert_eq!(found.map(|found| found.name), Some(method.name));
                let found = number(kind, method.name).map(by_number);
                assert_eq!(found.map(|found| found.name), Some(method.name));
            }
        }
        assert_eq!(name_number("nonesuch"), None);
    }
}
