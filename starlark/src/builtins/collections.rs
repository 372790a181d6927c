//! The methods of lists and dicts.

use crate::cx::Cx;
use crate::data::{equal, iter, list, sequence, table};
use crate::failure::{Res, fail};
use crate::host::Args;
use crate::ops;
use crate::value::{Kind, Object, Value, ValueExt, length, none, shapes, small_int};

use super::convert::{update_from_named, update_from_pairs};
use super::methods::Method;

/// The methods of lists.
pub const LIST_METHODS: &[Method] = &[
    Method { name: "append", call: append },
    Method { name: "clear", call: list_clear },
    Method { name: "extend", call: extend },
    Method { name: "index", call: index },
    Method { name: "insert", call: insert },
    Method { name: "pop", call: list_pop },
    Method { name: "remove", call: list_remove },
];

/// The methods of dicts.
pub const DICT_METHODS: &[Method] = &[
    Method { name: "clear", call: clear },
    Method { name: "get", call: get },
    Method { name: "items", call: items },
    Method { name: "keys", call: keys },
    Method { name: "pop", call: dict_pop },
    Method { name: "popitem", call: popitem },
    Method { name: "setdefault", call: setdefault },
    Method { name: "update", call: dict_update },
    Method { name: "values", call: values },
];

/// The receiver, which is of the type whose method is called.
pub(super) fn this<'s>(args: &Args<'_, 's>) -> Res<Object<'s>> {
    match args.this.object() {
        Some(object) => Ok(object),
        None => fail!("the method has no receiver"),
    }
}

// ---------------------------------------------------------------------------------------------- lists

fn append<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let [value] = args.exactly()?;
    list::push(cx, this(args)?, value)?;
    Ok(none())
}

fn list_clear<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let [] = args.exactly()?;
    list::clear(cx, this(args)?)?;
    Ok(none())
}

fn extend<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let [iterable] = args.exactly()?;
    list::extend(cx, this(args)?, iter::collect(cx, iterable, "1")?.into_iter(), "extend")?;
    Ok(none())
}

fn index<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    args.positional(1, 3)?;
    let (list, wanted) = (this(args)?, args.positional[0].get());
    let (start, end) = span(args, 1, list::len(list))?;
    for at in start..end {
        cx.host.meter.step()?;
        if equal::equal(cx, list::get(list, at), wanted)? {
            return Ok(length(at));
        }
    }
    fail!("value not in list")
}

/// Optional bounds of a search, from argument `first` on, as for a slice.
pub(super) fn span(args: &Args<'_, '_>, first: usize, len: usize) -> Res<(usize, usize)> {
    let len = len as i64;
    let given = |index: usize| args.at(index).unwrap_or(none());
    let start = sequence::bound(given(first), 0, len, 0, len, "start")?;
    let end = sequence::bound(given(first + 1), len, len, start, len, "end")?;
    Ok((start as usize, end as usize))
}

fn insert<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let [at, value] = args.exactly()?;
    let list = this(args)?;
    check_int(at)?;
    let len = list::len(list) as i64;
    let at = sequence::bound(at, 0, len, 0, len, "start")?;
    list::insert(cx, list, at as usize, value)?;
    Ok(none())
}

/// The place that a method takes as its first argument must be an int; a large one is beyond every end.
fn check_int(at: Value<'_>) -> Res<()> {
    match at.kind() {
        Kind::Int | Kind::BigInt => Ok(()),
        _ => fail!("for parameter 1: got {}, want int", at.type_name()),
    }
}

fn list_pop<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    args.positional(0, 1)?;
    let list = this(args)?;
    let at = args.at(0).unwrap_or(small_int(-1));
    check_int(at)?;
    let at = sequence::resolve_index(at, list::len(list), args.this)?;
    list::remove(cx, list, at, "pop from")
}

fn list_remove<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let [wanted] = args.exactly()?;
    let list = this(args)?;
    list::check_writable(cx, list, "remove from")?;
    for at in 0..list::len(list) {
        cx.host.meter.step()?;
        if equal::equal(cx, list::get(list, at), wanted)? {
            list::remove(cx, list, at, "remove from")?;
            return Ok(none());
        }
    }
    fail!("element not found")
}

// ---------------------------------------------------------------------------------------------- dicts

fn clear<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let [] = args.exactly()?;
    table::clear(cx, this(args)?)?;
    Ok(none())
}

fn get<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    args.positional(1, 2)?;
    let found = table::get(cx, this(args)?, args.positional[0].get())?;
    Ok(found.or(args.at(1)).unwrap_or(none()))
}

fn items<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let [] = args.exactly()?;
    let dict = this(args)?;
    list::fill(cx, table::len(dict), table::positions(dict), |position| {
        let mut pair = cx.alloc(&shapes::TUPLE, 2)?;
        pair.references_mut().copy_from_slice(&[table::key(dict, position), table::value(dict, position)]);
        Ok(pair.finish().into())
    })
}

fn keys<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let [] = args.exactly()?;
    let dict = this(args)?;
    list::fill(cx, table::len(dict), table::positions(dict), |position| Ok(table::key(dict, position)))
}

fn values<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let [] = args.exactly()?;
    let dict = this(args)?;
    list::fill(cx, table::len(dict), table::positions(dict), |position| Ok(table::value(dict, position)))
}

fn dict_pop<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    args.positional(1, 2)?;
    match (table::remove(cx, this(args)?, args.positional[0].get())?, args.at(1)) {
        (Some(value), _) | (None, Some(value)) => Ok(value),
        (None, None) => fail!("missing key"),
    }
}

fn popitem<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let [] = args.exactly()?;
    let dict = this(args)?;
    let Some(first) = table::next(dict, 0) else { fail!("empty dict") };
    table::check_writable(cx, dict, "delete from")?;
    let item = cx.tuple(&[table::key(dict, first), table::value(dict, first)])?;
    table::remove_first(cx, dict, first)?;
    Ok(item)
}

fn setdefault<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    args.positional(1, 2)?;
    let (dict, key) = (this(args)?, args.positional[0].get());
    if let Some(value) = table::get(cx, dict, key)? {
        return Ok(value);
    }
    let value = args.at(1).unwrap_or(none());
    table::insert(cx, dict, key, value)?;
    Ok(value)
}

fn dict_update<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    if args.positional.len() > 1 {
        fail!("got {} arguments, want at most 1", args.positional.len());
    }
    let dict = this(args)?;
    match args.at(0) {
        Some(other) if other.kind() == Kind::Dict => ops::update_dict(cx, dict, other)?,
        Some(other) => update_from_pairs(cx, dict, other)?,
        None => {}
    }
    update_from_named(cx, dict, args.named)?;
    Ok(none())
}
