//! The instructions.
//!
//! Everything the loop needs of a frame is in local variables: the window of registers, the instructions, the
//! constants. They are written back or reloaded at calls, returns and exits. The common cases, small ints above
//! all, are decided here; the rest is in [`crate::ops`] and [`crate::data`].

use std::cell::Cell;

use crate::code::Op;
use crate::cx::Cx;
use crate::data::{int, iter, list, sequence, table};
use crate::failure::{Failure, Res};
use crate::host::{Args, Host, Prepared};
use crate::ops::{self, attr};
use crate::syntax::Dialect;
use crate::syntax::ast::BinaryOp;
use crate::value::{
    Heap, INT_MAX, INT_MIN, Kind, Value, ValueExt, add_small, boolean, none, shapes, small_int, sub_small,
};

use super::call::{self, Gathered, Site};
use super::callee::{Callee, method};
use super::current::Current;
use super::unpack::unpack;
use super::{Entry, Frame, Step};

/// Executes instructions of the frame on top, and of those it calls, until something else has to be done.
pub(super) fn run<'s>(
    heap: &'s Heap,
    host: &'s Host,
    frames: &mut Vec<Frame>,
    active: &'s [Cell<u32>],
    dialect: &Dialect,
) -> Res<Step> {
    let cx = Cx::new(heap, host);
    let Some(&frame) = frames.last() else { return Ok(Step::Done) };
    let mut current = Current::of(heap, host, frame)?;
    // The number of the next instruction.
    let mut pc = frame.pc as usize;
    // In checking mode a collection is always due: the safepoint that just collected must let go on.
    let mut resumed = true;

    let outcome = 'exit: {
        /// The value of an operation, or the way out.
        macro_rules! ok {
            ($result:expr) => {
                match $result {
                    Ok(value) => value,
                    Err(failure) => break 'exit Err(failure),
                }
            };
        }
        macro_rules! get {
            ($r:expr) => {
                current.window[$r as usize].get()
            };
        }
        macro_rules! set {
            ($r:expr, $value:expr) => {
                current.window[$r as usize].set($value)
            };
        }
        macro_rules! jump {
            ($to:expr) => {
                pc = $to as usize
            };
        }
        macro_rules! safepoint {
            () => {
                if heap.should_collect() && !std::mem::take(&mut resumed) {
                    pc -= 1;
                    break 'exit Ok(Step::Collect);
                }
                ok!(host.meter.step());
            };
        }
        /// Takes the next element of the loop with state `r`, or ends the loop. Says whether there was one.
        macro_rules! advance {
            ($d:expr, $r:expr) => {{
                safepoint!();
                let (first, second) = (get!($r), get!($r + 1));
                match (first.as_small(), second.as_small()) {
                    (Some(stop), Some(at)) => {
                        let more = at < stop;
                        if more {
                            set!($d, second);
                            set!($r + 1, small_int(at + 1));
                        }
                        more
                    }
                    (None, Some(at)) if first.as_kind(Kind::List).is_some() => {
                        let element = first.object().and_then(|list| list::step(list, at as usize));
                        match element {
                            Some(element) => {
                                set!($d, element);
                                set!($r + 1, small_int(at + 1));
                            }
                            None => iter::end(cx, first),
                        }
                        element.is_some()
                    }
                    _ => match ok!(iter::advance(cx, first, second)) {
                        Some((value, second)) => {
                            set!($d, value);
                            set!($r + 1, second);
                            true
                        }
                        None => {
                            iter::end(cx, first);
                            false
                        }
                    },
                }
            }};
        }
        /// Jumps if a comparison gives `when`.
        macro_rules! jump_compare {
            ($op:expr, $when:expr, $a:expr, $b:expr, $to:expr) => {{
                let (op, a, b) = ($op, $a, $b);
                // Without a jump for each operator.
                let orders = orders(op);
                let at_once = match (a.as_small(), b.as_small()) {
                    _ if orders == 0 => None,
                    (Some(x), Some(y)) => {
                        let order = if x < y { 1 } else { 2 << u32::from(x > y) };
                        Some(orders & order != 0)
                    }
                    _ => ops::holds_at_once(op, a, b),
                };
                let holds = match at_once {
                    Some(holds) => holds,
                    None => ok!(ops::holds(cx, op, a, b)),
                };
                if holds == $when {
                    pc += $to.distance();
                }
            }};
        }
        /// Writes down where this frame is.
        macro_rules! set_pc {
            () => {
                if let Some(frame) = frames.last_mut() {
                    frame.pc = pc as u32;
                }
            };
        }
        /// Goes on in the frame on top.
        macro_rules! reload {
            () => {
                match frames.last() {
                    Some(&frame) => {
                        current = ok!(Current::of(heap, host, frame));
                        jump!(frame.pc);
                    }
                    None => break 'exit Ok(Step::Done),
                }
            };
        }
        /// Calls a value with the arguments behind register `base`.
        macro_rules! call {
            ($callee:expr, $d:expr, $base:expr, $count:expr, $gathered:expr) => {{
                let (callee, d, base, count): (Value<'s>, _, u8, _) = ($callee, $d, $base, $count as usize);
                let gathered: Option<&Gathered<'s>> = $gathered;
                if let Some(function) = callee.as_kind(Kind::Function) {
                    set_pc!();
                    let site = Site { base: current.base + base as usize, count, d };
                    ok!(call::enter(cx, frames, active, dialect, function, site, gathered));
                    reload!();
                } else {
                    let first = base as usize + 1;
                    let (positional, named) = match gathered {
                        Some(gathered) => (&gathered.positional[..], &gathered.named[..]),
                        None => (&current.window[first..first + count], &[][..]),
                    };
                    set_pc!();
                    match ok!(call::builtin(cx, frames, callee, positional, named)) {
                        (_, Prepared::Done(value)) => set!(d, value),
                        (builtin, Prepared::Call(state)) => {
                            set!(base, state);
                            let slot = current.base + base as usize;
                            break 'exit Ok(Step::Reenter { builtin, slot, d });
                        }
                    }
                }
            }};
        }

        loop {
            let Some(op) = current.ops.get(pc) else {
                break 'exit Err(Failure::new("code without an end"));
            };
            pc += 1;
            // Each arm reads the operands it has from the instruction where it is: all of them beforehand take every register.
            match *op {
                // -------------------------------------------------------------- values and variables
                Op::Const { d, k } => set!(d, current.links.get(k as usize)),
                Op::Int { d, i } => set!(d, small_int(i64::from(i))),
                Op::None { d } => set!(d, none()),
                Op::Unset { d } => set!(d, Value::EMPTY),
                Op::Bool { d, b } => set!(d, boolean(b)),
                Op::Move { d, a } => set!(d, get!(a)),
                Op::Global { d, global } => {
                    let value = content(current.links.get(global as usize));
                    if value.is_unset() {
                        break 'exit Err(current.unassigned_global(global));
                    }
                    set!(d, value);
                }
                Op::SetGlobal { a, global } => {
                    if let Some(cell) = current.links.get(global as usize).object() {
                        let stored = heap.store(cell, 0, get!(a));
                        ok!(stored.map_err(|error| Failure::store(error, "assign to", "global variable")));
                    }
                }
                Op::Free { d, at } => {
                    let function = get!(0u8).object().and_then(|function| function.shaped(&shapes::FUNCTION));
                    let value = function.map_or(Value::EMPTY, |function| content(function.get(at as usize)));
                    if value.is_unset() {
                        break 'exit Err(current.unassigned("local", current.capture_name(at)));
                    }
                    set!(d, value);
                }
                Op::Cell { d, cell } => {
                    let value = content(get!(cell));
                    if value.is_unset() {
                        break 'exit Err(current.unassigned("local", current.local_name(cell)));
                    }
                    set!(d, value);
                }
                Op::SetCell { cell, a } => {
                    if let Some(cell) = get!(cell).object() {
                        let stored = heap.store(cell, 0, get!(a));
                        ok!(stored.map_err(|error| Failure::store(error, "assign to", "variable")));
                    }
                }
                Op::NewCell { r } => {
                    let mut fresh = ok!(cx.alloc(&shapes::CELL, 0).map_err(Into::into));
                    fresh.references_mut()[0] = get!(r);
                    set!(r, fresh.finish().into());
                }
                Op::Check { r } => {
                    if get!(r).is_unset() {
                        break 'exit Err(current.unassigned("local", current.local_name(r)));
                    }
                }
                Op::Spill { d, count } => {
                    let fresh = ok!(cx.alloc(&shapes::SLOTS, count as usize).map_err(Into::into));
                    set!(d, fresh.finish().into());
                }
                Op::Spilled { d, from, slot } => {
                    let value = get!(from).object().map_or(Value::EMPTY, |slots| slots.get(slot as usize));
                    if value.is_unset() {
                        break 'exit Err(current.unassigned("local", None));
                    }
                    set!(d, value);
                }
                Op::SetSpilled { a, to, slot } => {
                    if let Some(slots) = get!(to).object() {
                        let stored = heap.store(slots, slot as usize, get!(a));
                        ok!(stored.map_err(|error| Failure::store(error, "assign to", "variable")));
                    }
                }

                // -------------------------------------------------------------- operators
                Op::Add { d, a, b } => {
                    let (a, b) = (get!(a), get!(b));
                    let sum = match add_small(a, b) {
                        Some(sum) => sum,
                        None => ok!(ops::binary(cx, BinaryOp::Add, a, b)),
                    };
                    set!(d, sum);
                }
                Op::Sub { d, a, b } => {
                    let (a, b) = (get!(a), get!(b));
                    let difference = match sub_small(a, b) {
                        Some(difference) => difference,
                        None => ok!(ops::binary(cx, BinaryOp::Sub, a, b)),
                    };
                    set!(d, difference);
                }
                Op::Mul { d, a, b } => {
                    let (a, b) = (get!(a), get!(b));
                    let product = match (a.as_small(), b.as_small()) {
                        (Some(x), Some(y)) => x.checked_mul(y).filter(|product| in_range(*product)),
                        _ => None,
                    };
                    let product = match product {
                        Some(product) => small_int(product),
                        None => ok!(ops::binary(cx, BinaryOp::Mul, a, b)),
                    };
                    set!(d, product);
                }
                Op::Binary { op, d, a, b } => set!(d, ok!(ops::binary(cx, op, get!(a), get!(b)))),
                Op::AddInt { d, a, i } => {
                    let (a, b) = (get!(a), small_int(i64::from(i)));
                    let sum = match add_small(a, b) {
                        Some(sum) => sum,
                        None => ok!(ops::binary(cx, BinaryOp::Add, a, b)),
                    };
                    set!(d, sum);
                }
                Op::SubInt { d, a, i } => {
                    let (a, b) = (get!(a), small_int(i64::from(i)));
                    let difference = match sub_small(a, b) {
                        Some(difference) => difference,
                        None => ok!(ops::binary(cx, BinaryOp::Sub, a, b)),
                    };
                    set!(d, difference);
                }
                Op::BinaryInt { op, d, a, i } => {
                    let (a, i) = (get!(a), i64::from(i));
                    let value = match (op, a.as_small()) {
                        (BinaryOp::Mod, Some(x)) => small_int(ok!(int::floor_mod(x, i))),
                        (BinaryOp::FloorDiv, Some(x)) if i > 0 => small_int(ok!(int::floor_div(x, i))),
                        _ => ok!(ops::binary(cx, op, a, small_int(i))),
                    };
                    set!(d, value);
                }
                Op::AddInPlace { d, a, b } => {
                    let (a, b) = (get!(a), get!(b));
                    let sum = match add_small(a, b) {
                        Some(sum) => sum,
                        None => ok!(ops::in_place(cx, BinaryOp::Add, a, b)),
                    };
                    set!(d, sum);
                }
                Op::InPlace { op, d, a, b } => {
                    set!(d, ok!(ops::in_place(cx, op, get!(a), get!(b))));
                }
                Op::Not { d, a } => set!(d, boolean(!ops::truth(get!(a)))),
                Op::Plus { d, a } => set!(d, ok!(ops::unary(cx, "+", get!(a)))),
                Op::Minus { d, a } => {
                    let a = get!(a);
                    let negated = match sub_small(small_int(0), a) {
                        Some(negated) => negated,
                        None => ok!(ops::unary(cx, "-", a)),
                    };
                    set!(d, negated);
                }
                Op::Invert { d, a } => set!(d, ok!(ops::unary(cx, "~", get!(a)))),

                // -------------------------------------------------------------- control
                Op::Jump { to } => jump!(to),
                Op::Repeat { to } => {
                    safepoint!();
                    jump!(to);
                }
                Op::JumpIf { a, to } => {
                    if ops::truth(get!(a)) {
                        jump!(to);
                    }
                }
                Op::JumpUnless { a, to } => {
                    if !ops::truth(get!(a)) {
                        jump!(to);
                    }
                }
                Op::JumpCompare { op, when, a, b, to } => jump_compare!(op, when, get!(a), get!(b), to),
                Op::JumpCompareInt { op, when, a, i, to } => {
                    jump_compare!(op, when, get!(a), small_int(i64::from(i)), to)
                }
                Op::For { r } => {
                    let [first, second] = ok!(iter::begin(cx, get!(r)));
                    set!(r, first);
                    set!(r + 1, second);
                }
                Op::ForRange { r, a, b } => {
                    let bound = |value: Value<'s>| match value.as_small() {
                        Some(bound) => Ok(bound),
                        None => range_bound(value),
                    };
                    let (start, stop) = (ok!(bound(get!(a))), ok!(bound(get!(b))));
                    set!(r, small_int(stop));
                    set!(r + 1, small_int(start));
                }
                Op::Next { d, r, to } => {
                    if !advance!(d, r) {
                        jump!(to);
                    }
                }
                Op::Again { d, r, to } => {
                    if advance!(d, r) {
                        jump!(to);
                    }
                }
                Op::EndFor { r } => iter::end(cx, get!(r)),

                // -------------------------------------------------------------- calls
                Op::Call { d, base, count } => {
                    safepoint!();
                    let callee = get!(base);
                    match call::plain(host, callee) {
                        Some((this, name, function)) => {
                            let first = base as usize + 1;
                            let positional = &current.window[first..first + count as usize];
                            let args = Args { this, positional, named: &[] };
                            let result = function(cx, &args);
                            set!(d, ok!(result.map_err(|failure| failure.inside(name))));
                        }
                        None => call!(callee, d, base, count, None),
                    }
                }
                Op::CallWith { d, base, site } => {
                    safepoint!();
                    let site = &current.code.calls[site as usize];
                    if site.only_spreads() {
                        set_pc!();
                        let at = current.base + base as usize;
                        if ok!(call::enter_spread(cx, frames, active, dialect, site.positional, at, d)) {
                            reload!();
                            continue;
                        }
                    }
                    let links = current.links;
                    let constant = |k: u32| links.get(k as usize);
                    let stack = &current.window[base as usize + 1..];
                    let gathered = ok!(call::gather(cx, site, constant, stack));
                    call!(get!(base), d, base, 0, Some(&gathered));
                }
                Op::CallMethod { d, base, count, attr } => {
                    safepoint!();
                    let site = &current.code.attrs[attr as usize];
                    match ok!(method(cx, get!(base), site, current.links)) {
                        Callee::Method(method) => {
                            let first = base as usize + 1;
                            let positional = &current.window[first..first + count as usize];
                            let args = Args { this: get!(base), positional, named: &[] };
                            let result = (method.call)(cx, &args);
                            set!(d, ok!(result.map_err(|failure| failure.inside(method.name))));
                        }
                        Callee::Hosted(method) => {
                            let first = base as usize + 1;
                            let positional = &current.window[first..first + count as usize];
                            let args = Args { this: get!(base), positional, named: &[] };
                            set_pc!();
                            set!(d, ok!(call::hosted(cx, frames, method, &args)));
                        }
                        Callee::Value(value) => call!(value, d, base, count, None),
                    }
                }
                Op::CallMethodWith { d, base, site } => {
                    safepoint!();
                    let site = &current.code.calls[site as usize];
                    let links = current.links;
                    let constant = |k: u32| links.get(k as usize);
                    let stack = &current.window[base as usize + 1..];
                    let gathered = ok!(call::gather(cx, site, constant, stack));
                    let attr = &current.code.attrs[site.attr as usize];
                    match ok!(method(cx, get!(base), attr, links)) {
                        Callee::Method(method) => {
                            let args = Args {
                                this: get!(base),
                                positional: &gathered.positional,
                                named: &gathered.named,
                            };
                            let result = (method.call)(cx, &args);
                            set!(d, ok!(result.map_err(|failure| failure.inside(method.name))));
                        }
                        Callee::Hosted(method) => {
                            let args = Args {
                                this: get!(base),
                                positional: &gathered.positional,
                                named: &gathered.named,
                            };
                            set_pc!();
                            set!(d, ok!(call::hosted(cx, frames, method, &args)));
                        }
                        Callee::Value(value) => call!(value, d, base, 0, Some(&gathered)),
                    }
                }
                Op::Return { a } => {
                    let value = get!(a);
                    let Some(frame) = frames.pop() else { break 'exit Ok(Step::Done) };
                    let calls = &active[frame.code as usize];
                    calls.set(calls.get().wrapping_sub(1));
                    if frame.entry != Entry::Instruction {
                        set!(0u8, value);
                        return Ok(Step::Done);
                    }
                    reload!();
                    set!(frame.d, value);
                }
                Op::Function { d, base, link } => {
                    set!(d, ok!(current.make_function(cx, base, link)));
                }
                Op::Load { load } => break 'exit Ok(Step::Load(load)),
                Op::Site { site } => heap.set_site(site),

                // -------------------------------------------------------------- data
                Op::List { d, base, count } => {
                    let items = &current.window[base as usize..base as usize + count as usize];
                    set!(d, ok!(list::of_cells(cx, items)));
                }
                Op::ListFor { d, r } => {
                    let capacity = match (get!(r).as_small(), get!(r + 1).as_small()) {
                        (Some(stop), Some(start)) => (stop - start).clamp(0, LIST_FOR_MAX) as usize,
                        _ => room_for(get!(r)),
                    };
                    set!(d, ok!(list::with_capacity(cx, capacity)));
                }
                Op::Append { list, a } => {
                    if let Some(list) = get!(list).object() {
                        ok!(list::push(cx, list, get!(a)));
                    }
                }
                Op::AppendAll { list, k } => {
                    if let (Some(list), Some(tuple)) =
                        (get!(list).object(), current.links.get(k as usize).object())
                    {
                        ok!(list::extend(cx, list, tuple.references().iter(), "append to"));
                    }
                }
                Op::Tuple { d, base, count } => {
                    let items = &current.window[base as usize..base as usize + count as usize];
                    set!(d, ok!(cx.tuple_of_cells(items)));
                }
                Op::TupleOf { d, a } => {
                    let items: Vec<Value<'s>> = get!(a).object().into_iter().flat_map(list::items).collect();
                    set!(d, ok!(cx.tuple(&items)));
                }
                Op::Dict { d, capacity } => {
                    set!(d, ok!(table::with_capacity(cx, &shapes::DICT, capacity as usize)).into());
                }
                Op::DictOf { d, base, count, k } => {
                    let values = &current.window[base as usize..base as usize + count as usize];
                    let keys = current.links.get(k as usize);
                    if let Some(keys) = keys.object() {
                        set!(d, ok!(table::of_distinct(cx, keys, values)));
                    }
                }
                Op::Insert { dict, key, a } => {
                    if let Some(dict) = get!(dict).object() {
                        ok!(table::insert(cx, dict, get!(key), get!(a)));
                    }
                }
                Op::InsertNew { dict, key, a } => {
                    if let Some(dict) = get!(dict).object() {
                        ok!(ops::insert_new(cx, dict, get!(key), get!(a)));
                    }
                }
                Op::Index { d, a, i } => {
                    let (a, i) = (get!(a), get!(i));
                    let value = match (a.as_kind(Kind::List), i.as_small()) {
                        (Some(object), Some(at)) if at >= 0 && (at as usize) < list::len(object) => {
                            list::get(object, at as usize)
                        }
                        _ => ok!(ops::index(cx, a, i)),
                    };
                    set!(d, value);
                }
                Op::SetIndex { a, i, value } => {
                    let (a, i) = (get!(a), get!(i));
                    match (a.as_kind(Kind::List), i.as_small()) {
                        (Some(object), Some(at)) if at >= 0 && (at as usize) < list::len(object) => {
                            ok!(list::set(cx, object, at as usize, get!(value)));
                        }
                        _ => ok!(ops::set_index(cx, a, i, get!(value))),
                    }
                }
                Op::Slice { d, a, base } => {
                    let value = ok!(sequence::slice(cx, get!(a), get!(base), get!(base + 1), get!(base + 2)));
                    set!(d, value);
                }
                Op::Attr { d, a, attr } => {
                    let site = &current.code.attrs[attr as usize];
                    let value = match ok!(method(cx, get!(a), site, current.links)) {
                        Callee::Value(value) => value,
                        Callee::Method(found) | Callee::Hosted(found) => {
                            ok!(attr::bind_method(cx, get!(a), found))
                        }
                    };
                    set!(d, value);
                }
                Op::SetAttr { a, attr, value } => {
                    let site = &current.code.attrs[attr as usize];
                    ok!(attr::set(cx, get!(a), current.links.get(site.name as usize), get!(value)));
                }
                Op::Unpack { a, base, count } => {
                    let targets = &current.window[base as usize..base as usize + count as usize];
                    ok!(unpack(cx, get!(a), targets));
                }
            }
        }
    };
    if let Some(frame) = frames.last_mut() {
        frame.pc = pc as u32;
    }
    outcome
}

/// What a captured or global variable holds.
#[inline(always)]
fn content(cell: Value<'_>) -> Value<'_> {
    let cell = cell.object().and_then(|cell| cell.shaped(&shapes::CELL));
    cell.map_or(Value::EMPTY, |cell| cell.get(0))
}

/// The most elements of a range that a list comprehension reserves room for at once: they need take no memory themselves.
const LIST_FOR_MAX: i64 = 1 << 16;

/// The elements for which a list comprehension over a value reserves room at once.
fn room_for(value: Value<'_>) -> usize {
    let len = sequence::len(value).unwrap_or(0);
    if value.kind() == Kind::Range { len.min(LIST_FOR_MAX as usize) } else { len }
}

#[inline(always)]
fn in_range(i: i64) -> bool {
    (INT_MIN..=INT_MAX).contains(&i)
}

/// With which orders of two ints a comparison holds: less 1, equal 2, greater 4. With none if it is no comparison of ints.
const fn orders(op: BinaryOp) -> u64 {
    match op {
        BinaryOp::Eq => 2,
        BinaryOp::Ne => 5,
        BinaryOp::Lt => 1,
        BinaryOp::Le => 3,
        BinaryOp::Gt => 4,
        BinaryOp::Ge => 6,
        _ => 0,
    }
}

#[cold]
fn range_bound(value: Value<'_>) -> Res<i64> {
    crate::builtins::functions::int_argument(value).map_err(|failure| failure.inside("range"))
}
