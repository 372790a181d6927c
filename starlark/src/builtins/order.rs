//! `sorted`, `min` and `max`: the built-in functions that call back. Their state between two calls is a tuple on
//! the root stack; without a key they do not call at all.

use std::cell::Cell;
use std::cmp::Ordering;

use crate::cx::Cx;
use crate::data::{iter, list};
use crate::failure::{Failure, Res, fail};
use crate::host::{Args, Prepared};
use crate::machine::Machine;
use crate::value::{Kind, Object, Value, ValueExt, boolean, none};

use super::functions::{greater, less};

/// Places in the state.
const ITEMS: usize = 0;
const KEYS: usize = 1;
const KEY: usize = 2;
/// For `sorted`: in reverse. For the others: the largest is wanted.
const FLAG: usize = 3;
/// What the items come from ([`iter::source`]), if it is one value: the key function must not change it.
const SOURCE: usize = 4;

fn state<'s>(
    cx: Cx<'s>,
    source: Option<Value<'s>>,
    items: &[Value<'s>],
    key: Value<'s>,
    flag: bool,
) -> Res<Prepared<'s>> {
    let keys = list::with_capacity(cx, items.len())?;
    let items = list::of(cx, items)?;
    let source = source.map_or(Ok(none()), |source| iter::source(cx, source))?;
    Ok(Prepared::Call(cx.tuple(&[items, keys, key, boolean(flag), source])?))
}

fn check_callable<'s>(args: &Args<'_, 's>, key: Value<'s>) -> Res<()> {
    match key.kind() {
        Kind::Function | Kind::Builtin | Kind::Bound => Ok(()),
        _ => fail!("for parameter {}: got {}, want callable", args.label("key", "key"), key.type_name()),
    }
}

/// The first half of `sorted`.
pub fn sorted_prepare<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Prepared<'s>> {
    let [iterable, key, reverse] = args.bind(["iterable", "key?", "reverse?"])?;
    let reverse = match reverse.map(|reverse| (reverse, reverse.as_bool())) {
        None => false,
        Some((_, Some(reverse))) => reverse,
        Some((reverse, None)) => {
            fail!(
                "for parameter {}: got {}, want bool",
                args.label("reverse", "reverse"),
                reverse.type_name()
            )
        }
    };
    let items = iter::collect(cx, iterable.unwrap_or(Value::EMPTY), "iterable")?;
    match key {
        Some(key) => {
            check_callable(args, key)?;
            state(cx, iterable, &items, key, reverse)
        }
        None => {
            let order = sort(cx, &items, reverse)?;
            let sorted: Vec<Value<'s>> = order.into_iter().map(|index| items[index]).collect();
            Ok(Prepared::Done(list::of(cx, &sorted)?))
        }
    }
}

/// The second half of `sorted`: computes the keys, then sorts by them.
pub fn sorted_run(machine: &mut Machine, slot: usize) -> Res<()> {
    compute_keys(machine, slot)?;
    let order = {
        let state = machine.slot(slot).get();
        let keys: Vec<Value<'_>> = list::items(part(state, KEYS)?).collect();
        sort(machine.cx(), &keys, flag(state))?
    };
    // The keys are not computed once more if there is no room for the result.
    machine.with_room(|machine| {
        let items = part(machine.slot(slot).get(), ITEMS)?;
        let sorted = order.iter().map(|&index| list::get(items, index));
        machine.slot(slot).set(list::of_iter(machine.cx(), sorted)?);
        Ok(())
    })
}

/// The indices of the keys in ascending (or descending) order; equal ones stay in their order.
fn sort<'s>(cx: Cx<'s>, keys: &[Value<'s>], reverse: bool) -> Res<Vec<usize>> {
    let mut order: Vec<usize> = (0..keys.len()).collect();
    let towards = |ordering: Ordering| if reverse { ordering.reverse() } else { ordering };
    if keys.iter().all(|key| key.as_small().is_some()) {
        order.sort_by(|&x, &y| towards(keys[x].as_small().cmp(&keys[y].as_small())));
    } else if keys.iter().all(|key| key.kind() == Kind::Str) {
        order.sort_by(|&x, &y| towards(keys[x].as_text().cmp(&keys[y].as_text())));
    } else {
        let less = |x: usize, y: usize| {
            cx.host.meter.step()?;
            if reverse { less(cx, keys[y], keys[x]) } else { less(cx, keys[x], keys[y]) }
        };
        merge_sort(&mut order, less)?;
    }
    Ok(order)
}

/// So many items are sorted by insertion.
const INSERTION_MAX: usize = 20;

/// A stable sort whose comparison may fail, and need not be an order at all. (The one of the standard library would
/// panic then.) It goes on after a failure, and the last one is reported; but a limit ends it at once.
fn merge_sort(items: &mut [usize], mut less: impl FnMut(usize, usize) -> Res<bool>) -> Res<()> {
    let mut failure: Option<Box<Failure>> = None;
    let mut less = |x, y| {
        if failure.as_ref().is_some_and(|failure| matches!(**failure, Failure::Limit(_))) {
            return false;
        }
        less(x, y).unwrap_or_else(|error| {
            failure = Some(error);
            false
        })
    };
    for run in items.chunks_mut(INSERTION_MAX) {
        for end in 1..run.len() {
            let at = (0..end).rev().take_while(|&at| less(run[end], run[at])).last().unwrap_or(end);
            run[at..=end].rotate_right(1);
        }
    }
    let mut width = INSERTION_MAX;
    let mut merged = Vec::with_capacity(items.len());
    while width < items.len() {
        merged.clear();
        for pair in items.chunks(2 * width) {
            let (mut left, mut right) = pair.split_at(width.min(pair.len()));
            while let (&[x, ref more_left @ ..], &[y, ref more_right @ ..]) = (left, right) {
                if less(y, x) {
                    merged.push(y);
                    right = more_right;
                } else {
                    merged.push(x);
                    left = more_left;
                }
            }
            merged.extend(left.iter().chain(right));
        }
        items.copy_from_slice(&merged);
        width *= 2;
    }
    failure.map_or(Ok(()), Err)
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
    let (source, items) = match args.positional {
        [] => fail!("{name} requires at least one positional argument"),
        [iterable] => match iter::iterate(cx, iterable.get())? {
            Some(iter) => (Some(iterable.get()), iter.collect()?),
            None => return Err(iter::no_source(iterable.get())),
        },
        items => (None, items.iter().map(Cell::get).collect()),
    };
    let Some(&first) = items.first() else { fail!("argument is an empty sequence") };
    match key {
        Some(key) => {
            check_callable(args, key)?;
            state(cx, source, &items, key, largest)
        }
        None => {
            let mut best = first;
            let beats = if largest { greater } else { less };
            for &item in &items[1..] {
                let is_better = match (item.as_small(), best.as_small()) {
                    (Some(item), Some(best)) if largest => item > best,
                    (Some(item), Some(best)) => item < best,
                    _ => beats(cx, item, best)?,
                };
                if is_better {
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
    let cx = machine.cx();
    let state = machine.slot(slot).get();
    let (items, keys, largest) = (part(state, ITEMS)?, part(state, KEYS)?, flag(state));
    let beats = if largest { greater } else { less };
    let mut best = 0;
    for index in 1..list::len(keys) {
        let (a, b) = (list::get(keys, best), list::get(keys, index));
        if beats(cx, b, a)? {
            best = index;
        }
    }
    machine.slot(slot).set(list::get(items, best));
    Ok(())
}

/// Calls the key function for each item, during an iteration over what they come from. (It begins here and not with the
/// first half, behind which there may be no second one: functions that call back may be nested too deeply.)
fn compute_keys(machine: &mut Machine, slot: usize) -> Res<()> {
    let begun = source(machine, slot);
    if !begun.is_none() {
        iter::begin(machine.cx(), begun)?;
    }
    let outcome = call_for_each(machine, slot);
    iter::end(machine.cx(), source(machine, slot));
    outcome
}

fn source(machine: &Machine, slot: usize) -> Value<'_> {
    machine.slot(slot).get().object().map_or(none(), |state| state.get(SOURCE))
}

fn call_for_each(machine: &mut Machine, slot: usize) -> Res<()> {
    let count = list::len(part(machine.slot(slot).get(), ITEMS)?);
    for index in 0..count {
        let result = machine.call(|cx, arguments| {
            let state = cx.slot(slot).get();
            arguments.push(list::get(part(state, ITEMS)?, index));
            Ok(state.object().map_or(Value::EMPTY, |state| state.get(KEY)))
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

#[cfg(test)]
mod tests {
    use super::*;

    quickcheck::quickcheck! {
        fn merging_sorts_stably(keys: Vec<u8>) -> bool {
            let keys: Vec<u8> = keys.repeat(5);
            let mut order: Vec<usize> = (0..keys.len()).collect();
            merge_sort(&mut order, |x, y| Ok(keys[x] / 8 < keys[y] / 8)).is_ok()
                && order.is_sorted_by_key(|&index| (keys[index] / 8, index))
        }

        fn nonsense_is_no_reason_to_panic(answers: Vec<bool>, len: u8) -> bool {
            let mut order: Vec<usize> = (0..len as usize).collect();
            let mut answers = answers.into_iter().cycle();
            merge_sort(&mut order, |_, _| Ok(answers.next().unwrap_or(true))).is_ok()
                && { order.sort_unstable(); order.into_iter().eq(0..len as usize) }
        }
    }
}
