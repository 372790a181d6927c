//! Structs: a tuple of field names, sorted, and as many values.
//!
//! The names of all structs made at one place of a program are usually one tuple, or at least the same strings.
//! A field is therefore found by identity of its name, and only if that fails by comparing texts.

use crate::cx::Cx;
use crate::failure::{Res, fail};
use crate::value::{Object, Shaped, Value, ValueExt, shapes, unset};

use super::text;

/// The tuple of names.
#[inline(always)]
pub fn names(record: Object<'_>) -> Option<Shaped<'_>> {
    record.shaped(&shapes::STRUCT)?.get(0).object()?.shaped(&shapes::TUPLE)
}

/// The value of field `index`.
#[inline(always)]
pub fn value(record: Object<'_>, index: usize) -> Value<'_> {
    match record.shaped(&shapes::STRUCT) {
        Some(record) => record.get(1 + index),
        None => unset(),
    }
}

/// How many fields there are.
pub fn len(record: Object<'_>) -> usize {
    record.reference_count() - 1
}

/// The index of a field; `hint` is where it was found last time at this place of the program.
#[inline]
pub fn find<'s>(record: Object<'s>, name: Value<'s>, hint: usize) -> Option<usize> {
    let names = names(record)?.references();
    if hint < names.len() && names.get(hint) == name {
        return Some(hint);
    }
    let text = name.as_text()?;
    let has_text = |other: Value<'s>| other.as_text().is_some_and(|other| text::same(other, text));
    // The names of structs that are made from dicts may be other objects than the program's constants.
    if hint < names.len() && has_text(names.get(hint)) {
        return Some(hint);
    }
    names.iter().position(|other| other == name).or_else(|| names.iter().position(has_text))
}

/// All fields in the order of their names.
pub fn fields(record: Object<'_>) -> impl Iterator<Item = (Value<'_>, Value<'_>)> {
    let names = names(record).map(Shaped::references);
    names
        .into_iter()
        .flat_map(|names| names.iter())
        .enumerate()
        .map(move |(index, name)| (name, value(record, index)))
}

/// A struct of fields in any order.
///
/// # Errors
/// A name is given twice, or memory ran out.
pub fn make<'s>(cx: Cx<'s>, mut fields: Vec<(Value<'s>, Value<'s>)>) -> Res<Value<'s>> {
    let text = |field: &(Value<'s>, Value<'s>)| field.0.as_text().unwrap_or_default();
    fields.sort_by(|a, b| text(a).cmp(text(b)));
    if let Some(pair) = fields.windows(2).find(|pair| text(&pair[0]) == text(&pair[1])) {
        fail!("struct: duplicate field {}", text::lossy_of(pair[0].0));
    }
    let names: Vec<Value<'s>> = fields.iter().map(|field| field.0).collect();
    let names = cx.tuple(&names)?;
    let mut fresh = cx.alloc(&shapes::STRUCT, 1 + fields.len())?;
    let slots = fresh.references_mut();
    slots[0] = names;
    for (slot, field) in slots[1..].iter_mut().zip(&fields) {
        *slot = field.1;
    }
    Ok(fresh.finish().into())
}

/// The fields of both structs; those of the second take precedence.
///
/// # Errors
/// Memory ran out.
pub fn union<'s>(cx: Cx<'s>, x: Value<'s>, y: Value<'s>) -> Res<Value<'s>> {
    let (Some(x), Some(y)) = (x.object(), y.object()) else { return Ok(x) };
    let mut all: Vec<(Value<'s>, Value<'s>)> = fields(y).collect();
    all.extend(fields(x).filter(|&(name, _)| find(y, name, 0).is_none()));
    make(cx, all)
}

/// Whether two structs with as many fields have the same names of fields.
pub fn same_names<'s>(x: Object<'s>, y: Object<'s>) -> bool {
    if x.get(0) == y.get(0) {
        return true;
    }
    let (Some(x), Some(y)) = (names(x), names(y)) else { return false };
    // Names that the program spells out are the same objects wherever it does so.
    let mut names = x.references().iter().zip(y.references().iter());
    names.all(|(name, other)| name == other || name.as_text() == other.as_text())
}
