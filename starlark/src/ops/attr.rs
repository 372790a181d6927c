//! Attributes: the fields of structs and the methods of built-in types.

use crate::builtins::methods;
use crate::cx::Cx;
use crate::data::{module, record, text};
use crate::failure::{Failure, Res};
use crate::value::{Kind, Object, Value, ValueExt, shapes};

/// What `value.name` is, if it is anything. `hint` is where a struct's field was found last time.
///
/// # Errors
/// Memory ran out.
pub fn find<'s>(cx: Cx<'s>, value: Value<'s>, name: Value<'s>) -> Res<Option<Value<'s>>> {
    if let Some(object) = value.as_kind(Kind::Struct) {
        return Ok(record::find(object, name, 0).map(|index| record::value(object, index)));
    }
    if let Some(members) = value.as_kind(Kind::Module).and_then(module::members) {
        return Ok(record::find(members, name, 0).map(|index| record::value(members, index)));
    }
    match methods::number(value.kind(), name.as_str().unwrap_or("")) {
        Some(number) => bind(cx, value, number).map(Some),
        None => Ok(None),
    }
}

/// A method with its receiver, as a value.
///
/// # Errors
/// Memory ran out.
pub fn bind<'s>(cx: Cx<'s>, receiver: Value<'s>, number: u32) -> Res<Value<'s>> {
    let mut fresh = cx.alloc(&shapes::BOUND, 0)?;
    fresh.raw_mut()[0] = u64::from(number);
    fresh.references_mut()[0] = receiver;
    Ok(fresh.finish().into())
}

/// The method of a bound method.
pub fn bound_method(bound: Object<'_>) -> &'static methods::Method {
    methods::by_number(bound.raw(0) as u32)
}

/// The names of all attributes, sorted.
pub fn names<'s>(value: Value<'s>) -> Vec<String> {
    let members = value.as_kind(Kind::Module).and_then(module::members);
    if let Some(object) = members.or(value.as_kind(Kind::Struct)) {
        return record::fields(object).map(|(name, _)| text::lossy_of(name).into_owned()).collect();
    }
    methods::of(value.kind()).iter().map(|method| method.name.to_owned()).collect()
}

/// The error that there is no such attribute.
#[cold]
pub fn missing(value: Value<'_>, name: &str) -> Box<Failure> {
    let hint = match spelled_like(name, &names(value)) {
        Some(similar) => format!(" (did you mean .{similar}?)"),
        None => String::new(),
    };
    let what = if value.kind() == Kind::Struct { "attribute" } else { "field or method" };
    Failure::new(format!("{} has no .{name} {what}{hint}", value.type_name()))
}

/// The candidate that differs least from a name, if it is near enough for a typing error.
pub fn spelled_like<'a>(name: &str, candidates: &'a [String]) -> Option<&'a str> {
    let plain = |text: &str| text.to_lowercase().replace('_', "");
    let wanted = plain(name);
    candidates
        .iter()
        .map(|candidate| (distance(&wanted, &plain(candidate)), candidate))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, _)| *distance <= name.len() / 2 && *distance <= 2)
        .map(|(_, candidate)| candidate.as_str())
}

/// How many letters have to be inserted, removed, replaced or swapped with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}
