//! Calls: binding arguments to parameters, entering functions, and calling built-in ones.

use std::cell::Cell;

use crate::advice;
use crate::builtins::methods::Method;
use crate::code::{CallSite, Code, WINDOW};
use crate::cx::Cx;
use crate::data::{iter, list, table, text};
use crate::failure::{Failure, Res, fail};
use crate::guard::once;
use crate::host::{Args, Builtin, Call, Host, PlainFn, Prepared};
use crate::limits::Limit;
use crate::residents;
use crate::spelling;
use crate::syntax::{Dialect, Feature};
use crate::value::{Kind, Object, Value, ValueExt, shapes};

use super::{Entry, Frame, ensure_window, higher};

/// Where a call happens.
#[derive(Clone, Copy)]
pub(super) struct Site {
    /// The callee's place on the root stack; the positional arguments stand behind it.
    pub base: usize,
    /// How many positional arguments there are.
    pub count: usize,
    /// The register for the result.
    pub d: u8,
}

/// The arguments of a call that are not simply in registers.
pub(super) struct Gathered<'s> {
    pub positional: Vec<Cell<Value<'s>>>,
    pub named: Vec<(Value<'s>, Value<'s>)>,
}

#[cold]
fn recursive(code: &Code) -> Box<Failure> {
    let failure = Failure::new(format!("function {} called recursively", code.name));
    failure.help(advice::RECURSION).lacking(Feature::Recursion)
}

/// Begins a call of a function: binds the arguments and pushes a frame. If it fails, no register has changed.
#[inline(always)]
pub(super) fn enter<'s>(
    cx: Cx<'s>,
    frames: &mut Vec<Frame>,
    active: &[Cell<u32>],
    dialect: &Dialect,
    function: Object<'s>,
    site: Site,
    gathered: Option<&Gathered<'s>>,
) -> Res<()> {
    if !ensure_window(cx.heap, site.base) || frames.len() >= cx.host.meter.calls() {
        return Err(Box::new(Failure::Limit(Limit::Calls)));
    }
    let window = &cx.heap.stack_from(site.base)[..WINDOW];
    let number = function.raw(0) as u32;
    let code: &Code = &cx.host.codes[number as usize];
    let calls = &active[number as usize];
    if calls.get() > 0 && !dialect.recursion {
        return Err(recursive(code));
    }
    let parameters = if gathered.is_none() && code.params.simple() && site.count == code.params.positional {
        site.count
    } else {
        let count = site.count;
        match gathered {
            None => bind(cx, function, code, &window[1..=count], &[], window)?,
            Some(gathered) => bind(cx, function, code, &gathered.positional, &gathered.named, window)?,
        }
    };
    window[0].set(function.into());
    for register in &window[1 + parameters..code.registers.max(1 + parameters)] {
        register.set(Value::EMPTY);
    }
    calls.set(calls.get() + 1);
    frames.push(Frame { code: number, base: site.base as u32, pc: 0, d: site.d, entry: Entry::Instruction });
    Ok(())
}

/// Begins a call with `before` arguments in registers and behind them the `*args`, if that is a list or tuple and the function
/// has a parameter for each and no others: then its elements go where the parameters are at once. Says whether it has begun.
#[inline(never)]
pub(super) fn enter_spread<'s>(
    cx: Cx<'s>,
    frames: &mut Vec<Frame>,
    active: &[Cell<u32>],
    dialect: &Dialect,
    before: usize,
    base: usize,
    d: u8,
) -> Res<bool> {
    let stack = cx.heap.stack_from(base);
    let Some(function) = stack[0].get().as_kind(Kind::Function) else { return Ok(false) };
    let args = stack[1 + before].get();
    let elements = match (args.kind(), args.object()) {
        (Kind::List, Some(list)) => list::elements(list),
        (Kind::Tuple, Some(tuple)) => tuple.references(),
        _ => return Ok(false),
    };
    let params = &cx.host.codes[function.raw(0) as u32 as usize].params;
    let count = before + elements.len();
    if !params.simple() || params.positional != count {
        return Ok(false);
    }
    cx.host.meter.steps(elements.len())?;
    enter(cx, frames, active, dialect, function, Site { base, count, d }, None)?;
    // Nothing fails any more: these were the registers that the call would be repeated with.
    for (register, element) in cx.heap.stack_from(base)[1 + before..].iter().zip(elements.iter()) {
        register.set(element);
    }
    Ok(true)
}

/// Puts the arguments where the parameters are, and says how many registers those take. `positional` may be the
/// very registers behind the callee: everything is allocated before anything is written.
fn bind<'s>(
    cx: Cx<'s>,
    function: Object<'s>,
    code: &Code,
    positional: &[Cell<Value<'s>>],
    named: &[(Value<'s>, Value<'s>)],
    window: &[Cell<Value<'s>>],
) -> Res<usize> {
    let params = &code.params;
    let given = positional.len();
    if given > params.positional && !params.args {
        return too_many(code, given + named.len());
    }
    let in_place = given.min(params.positional);
    let rest = if params.args { Some(cx.tuple_of_cells(&positional[in_place..])?) } else { None };
    let (by_name, kwargs) = bind_named(cx, code, named, in_place)?;
    let is_missing = |index: usize| {
        by_name.get(index).is_none_or(|value| value.is_unset())
            && default_of(function, code, index).is_unset()
    };
    if (in_place..params.names.len()).any(is_missing) {
        return Err(missing(code, (in_place..params.names.len()).filter(|&index| is_missing(index))));
    }
    for index in 0..in_place {
        window[1 + index].set(positional[index].get());
    }
    for index in in_place..params.names.len() {
        let given = by_name.get(index).copied().unwrap_or(Value::EMPTY);
        window[1 + index].set(if given.is_unset() { default_of(function, code, index) } else { given });
    }
    let mut end = params.names.len();
    for value in rest.into_iter().chain(kwargs) {
        end += 1;
        window[end].set(value);
    }
    Ok(end)
}

/// The default of a parameter; unset if there is none.
fn default_of<'s>(function: Object<'s>, code: &Code, index: usize) -> Value<'s> {
    let params = &code.params;
    let first = params.positional - params.defaults;
    if index < first { Value::EMPTY } else { function.get(1 + index - first) }
}

#[cold]
fn missing(code: &Code, params: impl Iterator<Item = usize>) -> Box<Failure> {
    let names: Vec<&str> = params.map(|index| &*code.params.names[index]).collect();
    let (count, s) = (names.len(), if names.len() > 1 { "s" } else { "" });
    Failure::new(format!("function {} missing {count} argument{s} ({})", code.name, names.join(", ")))
}

#[cold]
fn too_many(code: &Code, given: usize) -> Res<usize> {
    let params = &code.params;
    if params.names.is_empty() && !params.kwargs {
        return Err(none_accepted(code, given));
    }
    let (count, at_most) = (params.positional, if params.defaults > 0 { "at most " } else { "" });
    let s = if count == 1 { "" } else { "s" };
    fail!("function {} accepts {at_most}{count} positional argument{s} ({given} given)", code.name)
}

#[cold]
fn none_accepted(code: &Code, given: usize) -> Box<Failure> {
    Failure::new(format!("function {} accepts no arguments ({given} given)", code.name))
}

/// The named arguments by parameter (unset where there is none), and the dict for `**kwargs` if there is one.
fn bind_named<'s>(
    cx: Cx<'s>,
    code: &Code,
    named: &[(Value<'s>, Value<'s>)],
    in_place: usize,
) -> Res<(Vec<Value<'s>>, Option<Value<'s>>)> {
    let params = &code.params;
    let kwargs = if params.kwargs { Some(table::with_capacity(cx, &shapes::DICT, 0)?) } else { None };
    let mut by_name = vec![Value::EMPTY; if named.is_empty() { 0 } else { params.names.len() }];
    for &(name, value) in named {
        let text = name.as_text().unwrap_or_default();
        let is_new = match (params.names.iter().position(|param| param.as_bytes() == text), kwargs) {
            (Some(index), _) if index < in_place || !by_name[index].is_unset() => false,
            (Some(index), _) => {
                by_name[index] = value;
                true
            }
            (None, Some(kwargs)) => table::insert(cx, kwargs, name, value)?,
            (None, None) if params.names.is_empty() && !params.args => {
                return Err(none_accepted(code, named.len()));
            }
            (None, None) => return Err(unexpected(code, &text::lossy(text))),
        };
        if !is_new {
            fail!("function {} got multiple values for parameter \"{}\"", code.name, text::lossy(text));
        }
    }
    Ok((by_name, kwargs.map(Value::from)))
}

/// The error that a function has no parameter of this name.
#[cold]
fn unexpected(code: &Code, name: &str) -> Box<Failure> {
    let hint = spelling::hint(spelling::nearest(name, code.params.names.iter().map(|name| &**name)));
    Failure::new(format!("function {} got an unexpected keyword argument \"{name}\"{hint}", code.name))
}

/// Collects the arguments of a call with more than positional ones. They stand behind the callee: positional,
/// named, `*args`, `**kwargs`.
pub(super) fn gather<'s>(
    cx: Cx<'s>,
    site: &CallSite,
    constant: impl Fn(u32) -> Value<'s>,
    stack: &[Cell<Value<'s>>],
) -> Res<Gathered<'s>> {
    let mut positional = Vec::new();
    let mut rest = stack[site.positional..].iter().map(Cell::get);
    let mut named: Vec<(Value<'s>, Value<'s>)> =
        site.names.iter().map(|&name| constant(name)).zip(&mut rest).collect();
    if site.args {
        let args = rest.next().unwrap_or(Value::EMPTY);
        let Some(iter) = iter::iterate(cx, args)? else {
            fail!("argument after * must be iterable, not {}", args.type_name());
        };
        let more = iter.collect()?;
        positional.reserve_exact(site.positional + more.len());
        positional.extend_from_slice(&stack[..site.positional]);
        positional.extend(more.into_iter().map(Cell::new));
    } else {
        positional.extend_from_slice(&stack[..site.positional]);
    }
    if site.kwargs {
        let kwargs = rest.next().unwrap_or(Value::EMPTY);
        let Some(dict) = kwargs.as_kind(Kind::Dict) else {
            fail!("argument after ** must be a mapping, not {}", kwargs.type_name());
        };
        named.reserve_exact(table::len(dict));
        for position in table::positions(dict) {
            let key = table::key(dict, position);
            if key.kind() != Kind::Str {
                fail!("keywords must be strings, not {}", key.type_name());
            }
            named.push((key, table::value(dict, position)));
        }
    }
    Ok(Gathered { positional, named })
}

/// The receiver, if there is one, the name and the function of a callee that needs nothing but its arguments: most built-in
/// functions, and the methods of built-in types.
#[inline(always)]
pub(super) fn plain<'s, 'h>(host: &'h Host, callee: Value<'s>) -> Option<(Value<'s>, &'h str, PlainFn)> {
    if let Some(number) = callee.as_builtin() {
        return match &host.builtins[number as usize] {
            Builtin { name, call: Call::Plain(function) } => Some((Value::EMPTY, name, *function)),
            _ => None,
        };
    }
    let bound = callee.as_kind(Kind::Bound)?;
    let this = bound.get(0);
    if this.kind() == Kind::Host {
        return None;
    }
    let method = host.bound_method(bound);
    Some((this, method.name, method.call))
}

/// Calls a value that is not a function of the program; the caller's frame says where it is. With the result comes the
/// number of the built-in function, for its second half.
pub(super) fn builtin<'s>(
    cx: Cx<'s>,
    frames: &mut Vec<Frame>,
    callee: Value<'s>,
    positional: &[Cell<Value<'s>>],
    named: &[(Value<'s>, Value<'s>)],
) -> Res<(u32, Prepared<'s>)> {
    if let Some(number) = callee.as_builtin() {
        let builtin = &cx.host.builtins[number as usize];
        let args = Args { this: Value::EMPTY, positional, named };
        let outcome = match &builtin.call {
            Call::Plain(function) => function(cx, &args).map(Prepared::Done),
            Call::Host(function) => lending(cx, frames, || function(cx, &args)).map(Prepared::Done),
            Call::Halves { prepare, .. } => prepare(cx, &args),
            Call::Higher(_) => higher::state(cx, &args).map(Prepared::Call),
        };
        return Ok((number, outcome.map_err(|failure| failure.inside(&builtin.name))?));
    }
    if callee.kind() == Kind::Host {
        let (resident, object) = residents::resident(cx, callee)?;
        let args = Args { this: callee, positional, named };
        let result = lending(cx, frames, || resident.call(object, cx, &args));
        return Ok((0, Prepared::Done(result.map_err(|failure| failure.inside(callee.type_name()))?)));
    }
    let Some(bound) = callee.as_kind(Kind::Bound) else {
        let message = format!("invalid call of non-function ({})", callee.type_name());
        return Err(Failure::new(message).help_if(advice::on_none(callee)));
    };
    let method = cx.host.bound_method(bound);
    let args = Args { this: bound.get(0), positional, named };
    let result = match args.this.kind() {
        Kind::Host => hosted(cx, frames, method, &args),
        _ => (method.call)(cx, &args).map_err(|failure| failure.inside(method.name)),
    };
    Ok((0, Prepared::Done(result?)))
}

/// Calls a method of a host type.
pub(super) fn hosted<'s>(
    cx: Cx<'s>,
    frames: &mut Vec<Frame>,
    method: &Method,
    args: &Args<'_, 's>,
) -> Res<Value<'s>> {
    lending(cx, frames, || (method.call)(cx, args)).map_err(|failure| failure.inside(method.name))
}

/// Runs a function of the embedding program, which may ask for the active calls meanwhile.
fn lending<'s, R>(cx: Cx<'s>, frames: &mut Vec<Frame>, run: impl FnOnce() -> Res<R>) -> Res<R> {
    cx.host.callers.set(std::mem::take(frames));
    let outcome = once(cx, run);
    *frames = cx.host.callers.take();
    outcome
}
