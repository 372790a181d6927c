//! Built-in functions but those that convert or compare.

use crate::convert::{self, unwanted};
use crate::cx::Cx;
use crate::data::text::{self, Text};
use crate::data::{equal, hash, int, iter, list, record, sequence};
use crate::failure::{Res, fail};
use crate::guard::guarded;
use crate::host::{Args, PlainFn};
use crate::ops::{self, attr, repr};
use crate::value::{Kind, Value, ValueExt, boolean, none, small_int};

use super::convert::string;

/// Name and function.
pub const ALL: &[(&str, PlainFn)] = &[
    ("abs", abs),
    ("all", all),
    ("any", any),
    ("dir", dir),
    ("enumerate", enumerate),
    ("fail", fail_),
    ("getattr", getattr),
    ("hasattr", hasattr),
    ("hash", hash_),
    ("len", len),
    ("print", print),
    ("range", range),
    ("repr", repr_),
    ("reversed", reversed),
    ("struct", struct_),
    ("type", type_),
    ("zip", zip),
];

fn abs<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let [x] = args.exactly()?;
    match x.kind() {
        Kind::Int | Kind::BigInt if int::is_negative(x) => int::negate(cx, x),
        Kind::Int | Kind::BigInt => Ok(x),
        Kind::Float => int::make_float(cx, x.as_float().unwrap_or(0.0).abs()),
        _ => fail!("got {}, want int or float", x.type_name()),
    }
}

fn all<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    Ok(boolean(!some(cx, args, false)?))
}

fn any<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    Ok(boolean(some(cx, args, true)?))
}

/// Is the truth of some element `wanted`?
fn some<'s>(cx: Cx<'s>, args: &Args<'_, 's>, wanted: bool) -> Res<bool> {
    let [iterable] = args.exactly()?;
    match iter::iterate(cx, iterable)? {
        Some(iter) => iter.any(|item| ops::truth(item) == wanted),
        None => Err(iter::not_iterable(1, iterable)),
    }
}

fn dir<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    args.unnamed("dir")?;
    let [value] = args.exactly()?;
    let names: Res<Vec<Value<'s>>> = attr::names(cx, value)?.iter().map(|name| cx.str(name)).collect();
    list::of(cx, &names?)
}

fn enumerate<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let [iterable, start] = args.bind(["iterable", "start?"])?;
    let start = match start {
        None => 0,
        Some(start) => int_parameter(start, || args.label("start", "2"))?,
    };
    let items = iter::collect(cx, iterable.unwrap_or(Value::EMPTY), "1")?;
    list::fill(cx, items.len(), items.into_iter().zip(start..), |(item, number)| {
        cx.tuple(&[int::make(cx, number)?, item])
    })
}

fn fail_<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    // Unlike `print`, it does not take bytes for text.
    let message = join_arguments(cx, args, |message, value| match value.kind() {
        Kind::Bytes => repr::write(cx, message, value),
        _ => repr::write_str(cx, message, value),
    })?;
    Err(crate::failure::Failure::new(message))
}

/// The arguments as `write` writes them, with `sep` between them.
fn join_arguments<'s>(cx: Cx<'s>, args: &Args<'_, 's>, write: impl Fn(&mut Text, Value<'s>)) -> Res<String> {
    let named = Args { this: args.this, positional: &[], named: args.named };
    let [separator] = named.bind(["sep?"])?;
    let separator = match separator {
        Some(separator) => text::lossy(string(separator, "sep")?),
        None => " ".into(),
    };
    let mut message = Text::default();
    for (index, cell) in args.positional.iter().enumerate() {
        if index > 0 {
            message.push_str(&separator);
        }
        write(&mut message, cell.get());
    }
    if message.is_full() {
        // This is why, or the text is too long.
        cx.host.meter.step()?;
        text::check_length(usize::MAX)?;
    }
    Ok(message.into_string())
}

fn print<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let line = join_arguments(cx, args, |line, value| repr::write_str(cx, line, value))?;
    guarded(|| {
        cx.host.print(&line);
        Ok(none())
    })
}

fn getattr<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    args.positional(2, 3)?;
    let (value, name) = (args.positional[0].get(), args.positional[1].get());
    let text = string(name, "2")?;
    match (attr::find(cx, value, name)?, args.at(2)) {
        (Some(found), _) => Ok(found),
        (None, Some(default)) => Ok(default),
        (None, None) => Err(attr::missing(cx, value, &text::lossy(text))),
    }
}

fn hasattr<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let [value, name] = args.exactly()?;
    string(name, "2")?;
    Ok(boolean(attr::find(cx, value, name)?.is_some()))
}

fn hash_<'s>(_: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let [value] = args.exactly()?;
    match (value.kind(), value.object()) {
        (Kind::Str, _) => Ok(small_int(i64::from(hash::java(&text::lossy_of(value))))),
        // The 32-bit hash of Fowler, Noll and Vo.
        (Kind::Bytes, Some(object)) => {
            let step = |hash: u32, byte: &u8| (hash ^ u32::from(*byte)).wrapping_mul(16_777_619);
            Ok(small_int(i64::from(object.bytes().iter().fold(2_166_136_261, step))))
        }
        _ => fail!("got {}, want string or bytes", value.type_name()),
    }
}

fn len<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let [value] = args.exactly()?;
    ops::len(cx, value)
}

/// An argument that must be an int, and no large one.
pub(crate) fn int_argument(value: Value<'_>) -> Res<i64> {
    match value.as_small() {
        Some(i) => Ok(i),
        None if value.kind() == Kind::BigInt => {
            fail!("{} out of range (want value in signed 63-bit range)", int::text(value))
        }
        None => Err(unwanted(value, "int")),
    }
}

/// The same for a parameter, which an error calls by its number or name.
#[inline(always)]
pub(super) fn int_parameter(value: Value<'_>, parameter: impl FnOnce() -> String) -> Res<i64> {
    if let Some(i) = value.as_small() {
        return Ok(i);
    }
    int_argument(value)
        .map_err(|failure| convert::at(failure, format_args!("for parameter {}: ", parameter())))
}

fn range<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    args.positional(1, 3)?;
    let argument = |index: usize| int_parameter(args.positional[index].get(), || (index + 1).to_string());
    let (start, stop, step) = match args.positional.len() {
        1 => (0, argument(0)?, 1),
        2 => (argument(0)?, argument(1)?, 1),
        _ => (argument(0)?, argument(1)?, argument(2)?),
    };
    if step == 0 {
        fail!("step argument must not be zero");
    }
    sequence::Range::new(start, stop, step).make(cx)
}

fn repr_<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let [value] = args.exactly()?;
    cx.build(|out| {
        repr::write(cx, out, value);
        Ok(())
    })
}

fn reversed<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let [iterable] = args.exactly()?;
    let mut items = iter::collect(cx, iterable, "1")?;
    items.reverse();
    list::of(cx, &items)
}

fn struct_<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    if !args.positional.is_empty() {
        fail!("unexpected positional arguments");
    }
    record::make(cx, args.named.to_vec())
}

fn type_<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let value = args.only("type")?;
    cx.type_name(value)
}

fn zip<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    args.unnamed("zip")?;
    let mut iters = Vec::with_capacity(args.positional.len());
    for (index, cell) in args.positional.iter().enumerate() {
        match iter::iterate(cx, cell.get())? {
            Some(iter) => iters.push(iter),
            None => fail!("argument #{} is not iterable: {}", index + 1, cell.get().type_name()),
        }
    }
    let mut rows = Vec::new();
    let mut row = Vec::with_capacity(iters.len());
    'rows: while !iters.is_empty() {
        row.clear();
        for iter in &mut iters {
            match iter.step()? {
                Some(item) => row.push(item),
                None => break 'rows,
            }
        }
        rows.push(cx.tuple(&row)?);
    }
    list::of(cx, &rows)
}

/// Is `a` below `b` (for `sorted` and `min`)?
pub(crate) fn less<'s>(cx: Cx<'s>, a: Value<'s>, b: Value<'s>) -> Res<bool> {
    Ok(equal::compare(cx, "<", a, b)?.is_lt())
}

/// Is `a` above `b` (for `max`)?
pub(crate) fn greater<'s>(cx: Cx<'s>, a: Value<'s>, b: Value<'s>) -> Res<bool> {
    Ok(equal::compare(cx, ">", a, b)?.is_gt())
}
