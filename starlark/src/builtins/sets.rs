//! The methods of sets, and the operators that change a set in place. What is done with another set can be done
//! with any iterable.

use crate::cx::Cx;
use crate::data::{iter, table};
use crate::failure::{Res, fail};
use crate::host::Args;
use crate::ops;
use crate::syntax::ast::BinaryOp;
use crate::value::{Kind, Object, Value, ValueExt, boolean, none, shapes};

use super::collections::this;
use super::methods::Method;

/// The methods of sets.
pub const METHODS: &[Method] = &[
    Method { name: "add", call: add },
    Method { name: "clear", call: clear },
    Method { name: "difference", call: |cx, args| combined(cx, args, BinaryOp::Sub) },
    Method { name: "difference_update", call: |cx, args| changed(cx, args, BinaryOp::Sub) },
    Method { name: "discard", call: discard },
    Method { name: "intersection", call: |cx, args| combined(cx, args, BinaryOp::BitAnd) },
    Method { name: "intersection_update", call: |cx, args| changed(cx, args, BinaryOp::BitAnd) },
    Method { name: "isdisjoint", call: isdisjoint },
    Method { name: "issubset", call: issubset },
    Method { name: "issuperset", call: issuperset },
    Method { name: "pop", call: pop },
    Method { name: "remove", call: remove },
    Method { name: "symmetric_difference", call: symmetric_difference },
    Method { name: "symmetric_difference_update", call: symmetric_difference_update },
    Method { name: "union", call: |cx, args| combined(cx, args, BinaryOp::BitOr) },
    Method { name: "update", call: |cx, args| changed(cx, args, BinaryOp::BitOr) },
];

// ---------------------------------------------------------------------------------------------- elements

fn add<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let [value] = args.exactly()?;
    table::insert(cx, this(args)?, value, none())?;
    Ok(none())
}

fn clear<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let [] = args.exactly()?;
    // Nothing changes if there is nothing, so that is fine even for a frozen set, as in the Go implementation.
    if table::len(this(args)?) > 0 {
        table::clear(cx, this(args)?)?;
    }
    Ok(none())
}

fn discard<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let [value] = args.exactly()?;
    table::remove(cx, this(args)?, value)?;
    Ok(none())
}

fn remove<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let [value] = args.exactly()?;
    match table::remove(cx, this(args)?, value)? {
        Some(_) => Ok(none()),
        None => fail!("missing key {}", ops::repr::repr(cx, value)),
    }
}

fn pop<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let [] = args.exactly()?;
    let set = this(args)?;
    let Some(first) = table::next(set, 0) else { fail!("empty set") };
    table::check_writable(cx, set, "delete from")?;
    table::remove_first(cx, set, first)
}

// ---------------------------------------------------------------------------------------------- sets

/// The arguments as sets, which are new unless they were sets before.
fn others<'s>(cx: Cx<'s>, args: &Args<'_, 's>, op: BinaryOp) -> Res<Vec<Object<'s>>> {
    if !args.named.is_empty() {
        fail!("does not accept keyword arguments");
    }
    let mut sets = Vec::with_capacity(args.positional.len());
    for (cell, number) in args.positional.iter().zip(1..) {
        let argument = cell.get();
        match as_set(cx, argument)? {
            Some(set) => sets.push(set),
            None if op == BinaryOp::BitOr => {
                fail!("argument #{number} is not iterable: {}", argument.type_name())
            }
            None => return Err(iter::not_iterable(number, argument)),
        }
    }
    Ok(sets)
}

/// The elements of an iterable as a set, if it is one.
fn as_set<'s>(cx: Cx<'s>, iterable: Value<'s>) -> Res<Option<Object<'s>>> {
    if let Some(set) = iterable.as_kind(Kind::Set) {
        return Ok(Some(set));
    }
    let Some(items) = iter::iterate(cx, iterable)? else { return Ok(None) };
    let set = table::with_capacity(cx, &shapes::SET, 0)?;
    for item in items.collect()? {
        table::insert(cx, set, item, none())?;
    }
    Ok(Some(set))
}

/// The only argument as a set.
fn other<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Object<'s>> {
    let [other] = args.exactly()?;
    as_set(cx, other)?.ok_or_else(|| iter::not_iterable(1, other))
}

/// The new set that an operator makes of the receiver and one argument after the other.
fn combined<'s>(cx: Cx<'s>, args: &Args<'_, 's>, op: BinaryOp) -> Res<Value<'s>> {
    let others = others(cx, args, op)?;
    let result = table::copy(cx, this(args)?, &shapes::SET)?;
    for other in others {
        change(cx, op, result, other)?;
    }
    Ok(result.into())
}

/// The same in place.
fn changed<'s>(cx: Cx<'s>, args: &Args<'_, 's>, op: BinaryOp) -> Res<Value<'s>> {
    let others = others(cx, args, op)?;
    table::check_writable(cx, this(args)?, verb(op))?;
    for other in others {
        change(cx, op, this(args)?, other)?;
    }
    Ok(none())
}

/// What errors call a change.
fn verb(op: BinaryOp) -> &'static str {
    if op == BinaryOp::BitOr { "insert into" } else { "delete from" }
}

/// `set op= other` for `|`, `&`, `^` and `-`. If memory runs out on the way, doing it once more does the rest.
///
/// # Errors
/// The set cannot be changed now, or memory ran out.
pub fn change<'s>(cx: Cx<'s>, op: BinaryOp, set: Object<'s>, other: Object<'s>) -> Res<()> {
    let elements = |set: Object<'s>| -> Vec<Value<'s>> {
        table::positions(set).map(|position| table::key(set, position)).collect()
    };
    cx.host.meter.steps(table::len(if op == BinaryOp::BitAnd { set } else { other }))?;
    match op {
        BinaryOp::BitOr => {
            for element in elements(other) {
                table::insert(cx, set, element, none())?;
            }
        }
        BinaryOp::BitAnd => {
            for element in elements(set) {
                if table::find(cx, other, element)?.is_none() {
                    table::remove(cx, set, element)?;
                }
            }
        }
        BinaryOp::BitXor => {
            let result = table::copy(cx, set, &shapes::SET)?;
            for element in elements(other) {
                if table::remove(cx, result, element)?.is_none() {
                    table::insert(cx, result, element, none())?;
                }
            }
            table::adopt(cx, set, result)?;
        }
        _ => {
            for element in elements(other) {
                table::remove(cx, set, element)?;
            }
        }
    }
    Ok(())
}

fn symmetric_difference<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    other(cx, args)?;
    combined(cx, args, BinaryOp::BitXor)
}

fn symmetric_difference_update<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    other(cx, args)?;
    changed(cx, args, BinaryOp::BitXor)
}

// ---------------------------------------------------------------------------------------------- questions

/// Does `larger` contain all of `smaller`?
pub(crate) fn contains_all<'s>(cx: Cx<'s>, larger: Object<'s>, smaller: Object<'s>) -> Res<bool> {
    for position in table::positions(smaller) {
        cx.host.meter.step()?;
        let element = table::key(smaller, position);
        // Equal sets mostly have their elements in the same order: then nothing has to be hashed.
        let in_place = position < table::used(larger) && table::key(larger, position) == element;
        if !in_place && table::find(cx, larger, element)?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

fn isdisjoint<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let (set, other) = (this(args)?, other(cx, args)?);
    for position in table::positions(other) {
        cx.host.meter.step()?;
        if table::find(cx, set, table::key(other, position))?.is_some() {
            return Ok(boolean(false));
        }
    }
    Ok(boolean(true))
}

fn issubset<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    Ok(boolean(contains_all(cx, other(cx, args)?, this(args)?)?))
}

fn issuperset<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    Ok(boolean(contains_all(cx, this(args)?, other(cx, args)?)?))
}
