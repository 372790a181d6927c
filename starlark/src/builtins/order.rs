//! `sorted`, `min` and `max`: the built-in functions that call back. Their state between two calls is a tuple on
//! the root stack; without a key they do not call at all.

use std::cell::Cell;

use crate::cx::Cx;
use crate::data::{iter, list};
use crate::failure::{Failure, Res, fail};
use crate::host::{Args, Prepared};
use crate::machine::Machine;
use crate::ops;
use crate::value::{Kind, Object, Value, ValueExt, boolean};

use super::functions::less;

/// Places in the state.
const ITEMS: usize = 0;
const KEYS: usize = 1;
const KEY: usize = 2;
/// For `sorted`: in reverse. For the others: the largest is wanted.
const FLAG: usize = 3;

fn state<'s>(cx: Cx<'s>, items: &[Value<'s>], key: Value<'s>, flag: bool) -> Res<Prepared<'s>> {
    let keys = list::with_capacity(cx, items.len())?;
    let state = [list::of(cx, items)?, keys, key, boolean(flag)];
    Ok(Prepared::Call(cx.tuple(&state)?))
}

fn check_callable(key: Value<'_>) -> Res<()> {
    match key.kind() {
        Kind::Function | Kind::Builtin | Kind::Bound => Ok(()),
        _ => fail!("for parameter key: got {}, want callable", key.type_name()),
    }
}

/// The first half of `sorted`.
pub fn sorted_prepare<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Prepared<'s>> {
    let [iterable, key, reverse] = args.bind(["iterable", "key?", "reverse?"])?;
    let reverse = reverse.is_some_and(ops::truth);
    let items = iter::collect(cx, iterable.unwrap_or(Value::EMPTY), "iterable")?;
    match key {
        Some(key) => {
            check_callable(key)?;
            state(cx, &items, key, reverse)
        }
        None => {
            let order = sort(&items, reverse)?;
            let sorted: Vec<Value<'s>> = order.into_iter().map(|index| items[index]).collect();
            Ok(Prepared::Done(list::of(cx, &sorted)?))
        }
    }
}

/// The second half of `sorted`: computes the keys, then sorts by them.
pub fn sorted_run(machine: &mut Machine, slot: usize) -> Res<()> {
    compute_keys(machine, slot)?;
    let cx = machine.cx();
    let state = machine.slot(slot).get();
    let (items, keys) = (part(state, ITEMS)?, part(state, KEYS)?);
    let keys: Vec<Value<'_>> = list::items(keys).collect();
    let order = sort(&keys, flag(state))?;
    machine.slot(slot).set(list::of_iter(cx, order.into_iter().map(|index| list::get(items, index)))?);
    Ok(())
}

/// The indices of the keys in ascending (or descending) order; equal ones stay in their order.
fn sort<'s>(keys: &[Value<'s>], reverse: bool) -> Res<Vec<usize>> {
    let mut order: Vec<usize> = (0..keys.len()).collect();
    let mut failure: Option<Box<Failure>> = None;
    order.sort_by(|&x, &y| {
        let (a, b) = if reverse { (keys[y], keys[x]) } else { (keys[x], keys[y]) };
        if failure.is_some() {
            return std::cmp::Ordering::Equal;
        }
        match crate::data::equal::compare("<", a, b) {
            Ok(order) => order,
            Err(error) => {
                failure = Some(error);
                std::cmp::Ordering::Equal
            }
        }
    });
    failure.map_or(Ok(order), Err)
}

/// The first half of `min`.
pub fn min_prepare<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Prepared<'s>> {
    extreme(cx, args, false)
}

/// The first half of `max`.
pub fn max_prepare<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Prepared<'s>> {
    extreme(cx, args, true)
}

fn extreme<'s>(cx: Cx<'s>, args: &Args<'_, 's>, largest: bool) -> Res<Prepared<'s>> {
    let name = if largest { "max" } else { "min" };
    let named = Args { this: args.this, positional: &[], named: args.named };
    let [key] = named.bind(["key?"])?;
    let items = match args.positional {
        [] => fail!("{name} requires at least one positional argument"),
        [iterable] => match iter::iterate(cx, iterable.get()) {
            Some(iter) => iter.collect()?,
            None => fail!("{} value is not iterable", iterable.get().type_name()),
        },
        items => items.iter().map(Cell::get).collect(),
    };
    let Some(&first) = items.first() else { fail!("argument is an empty sequence") };
    match key {
        Some(key) => {
            check_callable(key)?;
            state(cx, &items, key, largest)
        }
        None => {
            let mut best = first;
            for &item in &items[1..] {
                if if largest { less(best, item)? } else { less(item, best)? } {
                    best = item;
                }
            }
            Ok(Prepared::Done(best))
        }
    }
}

/// The second half of `min` and `max`.
pub fn extreme_run(machine: &mut Machine, slot: usize) -> Res<()> {
    compute_keys(machine, slot)?;
    let state = machine.slot(slot).get();
    let (items, keys, largest) = (part(state, ITEMS)?, part(state, KEYS)?, flag(state));
    let mut best = 0;
    for index in 1..list::len(keys) {
        let (a, b) = (list::get(keys, best), list::get(keys, index));
        if if largest { less(a, b)? } else { less(b, a)? } {
            best = index;
        }
    }
    machine.slot(slot).set(list::get(items, best));
    Ok(())
}

/// Calls the key function for each item.
fn compute_keys(machine: &mut Machine, slot: usize) -> Res<()> {
    let count = list::len(part(machine.slot(slot).get(), ITEMS)?);
    for index in 0..count {
        let result = machine.call(slot, 1, |_, state, stack| {
            stack[0].set(state.object().map_or(Value::EMPTY, |state| state.get(KEY)));
            stack[1].set(list::get(part(state, ITEMS)?, index));
            Ok(())
        })?;
        let key = machine.slot(result).get();
        list::push(machine.cx(), part(machine.slot(slot).get(), KEYS)?, key)?;
    }
    Ok(())
}

fn part<'s>(state: Value<'s>, at: usize) -> Res<Object<'s>> {
    match state.object().and_then(|state| state.get(at).object()) {
        Some(part) => Ok(part),
        None => fail!("the state of the call is lost"),
    }
}

fn flag(state: Value<'_>) -> bool {
    state.object().is_some_and(|state| state.get(FLAG) == boolean(true))
}
