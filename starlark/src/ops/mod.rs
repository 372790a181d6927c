//! The operations of the language on values of any type.

pub mod attr;
pub mod format;
pub mod repr;

use crate::advice;
use crate::builtins::sets;
use crate::cx::Cx;
use crate::data::{equal, hash, int, iter, list, record, sequence, table, text};
use crate::failure::{Failure, Res, fail};
use crate::residents;
use crate::spelling;
use crate::syntax::ast::BinaryOp;
use crate::value::{Kind, Object, Value, ValueExt, boolean, none, shapes, small_int};

/// What `if value` decides by.
#[inline(always)]
pub fn truth(value: Value<'_>) -> bool {
    match value.as_bool() {
        Some(b) => b,
        None => truth_of_other(value),
    }
}

fn truth_of_other(value: Value<'_>) -> bool {
    let Some(object) = value.object() else { return !value.is_none() && value.as_small() != Some(0) };
    match value.kind() {
        Kind::Str => object.byte_len() != 0,
        Kind::List => list::len(object) != 0,
        Kind::Dict => table::len(object) != 0,
        Kind::Float => value.as_float() != Some(0.0),
        Kind::Host => residents::truth(object),
        Kind::Elems => true,
        _ => sequence::len(value) != Some(0),
    }
}

/// The result of a binary operator.
///
/// # Errors
/// The operands have no such operation, the operation failed, or memory ran out.
#[inline]
pub fn binary<'s>(cx: Cx<'s>, op: BinaryOp, a: Value<'s>, b: Value<'s>) -> Res<Value<'s>> {
    if let (Some(x), Some(y)) = (a.as_small(), b.as_small())
        && let Some(result) = int::at_once(op, x, y)
    {
        return Ok(small_int(result));
    }
    // Programs put strings together more than anything else that needs an object.
    match (op, a.as_kind(Kind::Str), b.as_kind(Kind::Str)) {
        (BinaryOp::Add, Some(_), Some(_)) => text::concat(cx, a, b),
        (BinaryOp::Mod, Some(_), _) => format::percent(cx, a, b),
        _ => binary_of_others(cx, op, a, b),
    }
}

fn binary_of_others<'s>(cx: Cx<'s>, op: BinaryOp, a: Value<'s>, b: Value<'s>) -> Res<Value<'s>> {
    if is_comparison(op) {
        return match holds_at_once(op, a, b) {
            Some(holds) => Ok(boolean(holds)),
            None => holds(cx, op, a, b).map(boolean),
        };
    }
    if let Some(result) = arithmetic(cx, op, a, b)? {
        return Ok(result);
    }
    if let Some(result) = of_host(cx, op.as_str(), a, b)? {
        return Ok(result);
    }
    match (op, a.kind()) {
        (BinaryOp::ShiftLeft | BinaryOp::ShiftRight, Kind::Int | Kind::BigInt) => {
            fail!("got {}, want int", b.type_name())
        }
        _ => Err(unknown_binary(op.as_str(), a, b)),
    }
}

/// The result of an operator on a host value and another, if its type has that.
fn of_host<'s>(cx: Cx<'s>, op: &str, a: Value<'s>, b: Value<'s>) -> Res<Option<Value<'s>>> {
    for (this, other, left) in [(a, b, true), (b, a, false)] {
        if this.kind() == Kind::Host {
            let (resident, object) = residents::resident(cx, this)?;
            if let Some(result) = resident.operator(object, cx, op, other, left)? {
                return Ok(Some(result));
            }
        }
    }
    Ok(None)
}

/// The result of `-a`, `+a` or `~a`.
///
/// # Errors
/// The operand has no such operation.
pub fn unary<'s>(cx: Cx<'s>, op: &str, a: Value<'s>) -> Res<Value<'s>> {
    if a.kind() == Kind::Host {
        let (resident, object) = residents::resident(cx, a)?;
        if let Some(result) = resident.unary(object, cx, op)? {
            return Ok(result);
        }
    }
    match (op, a.kind()) {
        ("-", _) => int::negate(cx, a),
        ("~", _) => int::invert(cx, a),
        (_, Kind::Int | Kind::BigInt | Kind::Float) => Ok(a),
        _ => fail!("unknown unary op: + {}", a.type_name()),
    }
}

fn is_comparison(op: BinaryOp) -> bool {
    use BinaryOp::{Eq, Ge, Gt, In, Le, Lt, Ne, NotIn};
    matches!(op, Eq | Ne | Lt | Le | Gt | Ge | In | NotIn)
}

/// Whether `==` or `!=` holds, if a look at the two is enough. Like this it takes no more registers than it needs, nor memory for
/// an error: programs compare strings all the time.
#[inline(never)]
pub fn holds_at_once<'s>(op: BinaryOp, a: Value<'s>, b: Value<'s>) -> Option<bool> {
    match op {
        BinaryOp::Eq => equal::at_once(a, b),
        BinaryOp::Ne => equal::at_once(a, b).map(|equal| !equal),
        _ => None,
    }
}

/// Whether a comparison holds, which `in` and `not in` are as well, and which [`holds_at_once`] cannot tell.
///
/// # Errors
/// The operands cannot be compared.
#[inline]
pub fn holds<'s>(cx: Cx<'s>, op: BinaryOp, a: Value<'s>, b: Value<'s>) -> Res<bool> {
    match op {
        BinaryOp::Eq => equal::equal_slow(cx, a, b),
        BinaryOp::Ne => equal::equal_slow(cx, a, b).map(|equal| !equal),
        BinaryOp::In => contains_any(cx, b, a, "in"),
        BinaryOp::NotIn => contains_any(cx, b, a, "not in").map(|found| !found),
        _ => holds_in_order(cx, op, a, b),
    }
}

/// Whether `<` or its like holds.
#[inline(never)]
fn holds_in_order<'s>(cx: Cx<'s>, op: BinaryOp, a: Value<'s>, b: Value<'s>) -> Res<bool> {
    if cx.host.dialect.set_order
        && let (Some(x), Some(y)) = (a.as_kind(Kind::Set), b.as_kind(Kind::Set))
    {
        return match op {
            BinaryOp::Lt => Ok(table::len(x) < table::len(y) && sets::contains_all(cx, y, x)?),
            BinaryOp::Le => sets::contains_all(cx, y, x),
            BinaryOp::Gt => Ok(table::len(y) < table::len(x) && sets::contains_all(cx, x, y)?),
            _ => sets::contains_all(cx, x, y),
        };
    }
    equal::compare(cx, op.as_str(), a, b).map(|order| match op {
        BinaryOp::Lt => order.is_lt(),
        BinaryOp::Le => order.is_le(),
        BinaryOp::Gt => order.is_gt(),
        _ => order.is_ge(),
    })
}

#[cold]
fn unknown_binary(op: &str, a: Value<'_>, b: Value<'_>) -> Box<Failure> {
    Failure::new(format!("unknown binary op: {} {op} {}", a.type_name(), b.type_name()))
        .help_if(advice::on_binary(op, a, b))
}

fn arithmetic<'s>(cx: Cx<'s>, op: BinaryOp, a: Value<'s>, b: Value<'s>) -> Res<Option<Value<'s>>> {
    match (op, a.kind(), b.kind()) {
        (BinaryOp::Add, Kind::List, Kind::List) => concat_lists(cx, a, b).map(Some),
        (BinaryOp::Add, Kind::Tuple, Kind::Tuple) => concat_tuples(cx, a, b).map(Some),
        (BinaryOp::Add, Kind::Bytes, Kind::Bytes) => concat_bytes(cx, a, b).map(Some),
        (BinaryOp::Mul, Kind::Int | Kind::BigInt, Kind::Str | Kind::Bytes | Kind::Tuple | Kind::List) => {
            repeat(cx, b, a).map(Some)
        }
        (BinaryOp::Mul, Kind::Str | Kind::Bytes | Kind::Tuple | Kind::List, Kind::Int | Kind::BigInt) => {
            repeat(cx, a, b).map(Some)
        }
        (BinaryOp::Add, Kind::Struct, Kind::Struct) => record::union(cx, a, b).map(Some),
        (BinaryOp::BitOr, Kind::Dict, Kind::Dict) => union_dicts(cx, a, b).map(Some),
        (BinaryOp::BitOr | BinaryOp::BitAnd | BinaryOp::BitXor | BinaryOp::Sub, Kind::Set, Kind::Set) => {
            combine_sets(cx, op, a, b).map(Some)
        }
        _ => int::arithmetic(cx, op, a, b),
    }
}

/// `target op= value` where that may change the target in place: lists grow, dicts and sets are updated.
///
/// # Errors
/// As [`binary`].
pub fn in_place<'s>(cx: Cx<'s>, op: BinaryOp, target: Value<'s>, value: Value<'s>) -> Res<Value<'s>> {
    if target.as_small().is_some() {
        return binary(cx, op, target, value);
    }
    match (op, target.kind(), target.object()) {
        (BinaryOp::Add, Kind::List, Some(object)) => {
            let Some(iter) = iter::iterate(cx, value)? else { return binary(cx, op, target, value) };
            list::extend(cx, object, iter.collect()?.into_iter(), "apply += to")?;
            Ok(target)
        }
        (BinaryOp::BitOr, Kind::Dict, Some(object)) if value.kind() == Kind::Dict => {
            table::check_writable(cx, object, "apply |= to")?;
            update_dict(cx, object, value)?;
            Ok(target)
        }
        (BinaryOp::BitOr | BinaryOp::BitAnd | BinaryOp::BitXor | BinaryOp::Sub, Kind::Set, Some(object)) => {
            let Some(other) = value.as_kind(Kind::Set) else { return binary(cx, op, target, value) };
            table::check_writable(cx, object, &format!("apply {}= to", op.as_str()))?;
            sets::change(cx, op, object, other)?;
            Ok(target)
        }
        _ => binary(cx, op, target, value),
    }
}

fn concat_lists<'s>(cx: Cx<'s>, a: Value<'s>, b: Value<'s>) -> Res<Value<'s>> {
    let (Some(x), Some(y)) = (a.object(), b.object()) else { return Ok(none()) };
    list::of_iter(cx, Concat { x: list::items(x), y: list::items(y) })
}

/// One iterator after the other, with a known length.
struct Concat<A, B> {
    x: A,
    y: B,
}

impl<'s, A, B> Iterator for Concat<A, B>
where
    A: ExactSizeIterator<Item = Value<'s>>,
    B: ExactSizeIterator<Item = Value<'s>>,
{
    type Item = Value<'s>;

    fn next(&mut self) -> Option<Value<'s>> {
        self.x.next().or_else(|| self.y.next())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let len = self.x.len() + self.y.len();
        (len, Some(len))
    }
}

impl<'s, A, B> ExactSizeIterator for Concat<A, B>
where
    A: ExactSizeIterator<Item = Value<'s>>,
    B: ExactSizeIterator<Item = Value<'s>>,
{
}

fn concat_tuples<'s>(cx: Cx<'s>, a: Value<'s>, b: Value<'s>) -> Res<Value<'s>> {
    let (Some(x), Some(y)) = (a.object(), b.object()) else { return Ok(none()) };
    let (x, y) = (x.references(), y.references());
    if x.is_empty() || y.is_empty() {
        return Ok(if x.is_empty() { b } else { a });
    }
    let mut fresh = cx.alloc(&shapes::TUPLE, x.len() + y.len())?;
    for (slot, value) in fresh.references_mut().iter_mut().zip(x.iter().chain(y.iter())) {
        *slot = value;
    }
    Ok(fresh.finish().into())
}

fn concat_bytes<'s>(cx: Cx<'s>, a: Value<'s>, b: Value<'s>) -> Res<Value<'s>> {
    let (Some(x), Some(y)) = (a.object(), b.object()) else { return Ok(none()) };
    bytes(cx, &[x.bytes(), y.bytes()].concat())
}

/// A bytes value.
///
/// # Errors
/// Memory ran out.
pub fn bytes<'s>(cx: Cx<'s>, content: &[u8]) -> Res<Value<'s>> {
    let mut fresh = cx.alloc(&shapes::BYTES, content.len())?;
    fresh.bytes_mut().copy_from_slice(content);
    Ok(fresh.finish().into())
}

fn repeat<'s>(cx: Cx<'s>, value: Value<'s>, count: Value<'s>) -> Res<Value<'s>> {
    let Some(object) = value.object() else { return Ok(value) };
    let len = sequence::len(value).unwrap_or(0);
    let count = match int::to_i64(count).and_then(|count| i32::try_from(count).ok()) {
        Some(count) => usize::try_from(count).unwrap_or(0),
        None if len == 0 || int::is_negative(count) => 0,
        None => fail!("repeat count {} too large", int::text(count)),
    };
    text::check_repeat(len, count)?;
    let words = if matches!(value.kind(), Kind::Str | Kind::Bytes) { len * count / 8 } else { len * count };
    cx.check_room(words)?;
    cx.host.meter.steps(words)?;
    match value.kind() {
        Kind::Str => text::repeat(cx, value, count),
        Kind::Bytes => bytes(cx, &object.bytes().repeat(count)),
        Kind::Tuple => {
            let items: Vec<Value<'s>> = object.references().iter().collect();
            cx.tuple(&items.repeat(count))
        }
        _ => {
            let items: Vec<Value<'s>> = list::items(object).collect();
            list::of(cx, &items.repeat(count))
        }
    }
}

fn union_dicts<'s>(cx: Cx<'s>, a: Value<'s>, b: Value<'s>) -> Res<Value<'s>> {
    let Some(first) = a.object() else { return Ok(a) };
    let result = table::copy(cx, first, &shapes::DICT)?;
    update_dict(cx, result, b)?;
    Ok(result.into())
}

/// Inserts all entries of the dict `from`.
///
/// # Errors
/// The dict cannot be changed now, or memory ran out.
pub fn update_dict<'s>(cx: Cx<'s>, dict: Object<'s>, from: Value<'s>) -> Res<()> {
    let Some(from) = from.object() else { return Ok(()) };
    if table::len(dict) == 0 && table::len(from) > 0 {
        return table::copy_into(cx, dict, from);
    }
    for position in table::positions(from) {
        table::insert(cx, dict, table::key(from, position), table::value(from, position))?;
    }
    Ok(())
}

fn combine_sets<'s>(cx: Cx<'s>, op: BinaryOp, a: Value<'s>, b: Value<'s>) -> Res<Value<'s>> {
    let (Some(x), Some(y)) = (a.object(), b.object()) else { return Ok(a) };
    let result = table::copy(cx, x, &shapes::SET)?;
    sets::change(cx, op, result, y)?;
    Ok(result.into())
}

/// Is `element` in `container`, which may be a host value?
///
/// # Errors
/// The container cannot be asked.
#[inline(never)]
pub fn contains_any<'s>(cx: Cx<'s>, container: Value<'s>, element: Value<'s>, operator: &str) -> Res<bool> {
    if container.kind() == Kind::Host {
        let (resident, object) = residents::resident(cx, container)?;
        return resident.contains(object, cx, element);
    }
    contains(cx, container, element, operator)
}

/// Is `element` in `container`, which is no host value? `operator` is what the program wrote.
///
/// # Errors
/// The container cannot be asked.
#[inline]
pub fn contains<'s>(cx: Cx<'s>, container: Value<'s>, element: Value<'s>, operator: &str) -> Res<bool> {
    let Some(object) = container.object() else {
        return Err(unknown_binary(operator, element, container));
    };
    match container.kind() {
        // What cannot be a key is in no dict; for a set it is an error, as in the Go implementation.
        Kind::Dict => match table::find(cx, object, element) {
            Ok(found) => Ok(found.is_some()),
            Err(failure) if matches!(*failure, Failure::Error(..)) => Ok(false),
            Err(failure) => Err(failure),
        },
        Kind::Set => Ok(table::find(cx, object, element)?.is_some()),
        Kind::List => equal::any(cx, list::items(object), element),
        Kind::Tuple => equal::any(cx, object.references().iter(), element),
        Kind::Str => match element.as_text() {
            Some(part) => Ok(text::find(object.bytes(), part).is_some()),
            None => fail!("'in <string>' requires string as left operand, not {}", element.type_name()),
        },
        Kind::Bytes => bytes_contain(object, element),
        Kind::Range => match element.kind() {
            Kind::Int => Ok(element.as_small().is_some_and(|i| sequence::Range::of(object).contains(i))),
            Kind::BigInt => Ok(int::to_i64(element).is_some_and(|i| sequence::Range::of(object).contains(i))),
            Kind::Float => Ok(element.as_float().is_some_and(|f| {
                // What is beyond 64 bits is taken for a number which no range reaches either.
                f.fract() == 0.0 && sequence::Range::of(object).contains(f as i64)
            })),
            _ => fail!("'in <range>' requires integer as left operand, not {}", element.type_name()),
        },
        _ => Err(unknown_binary(operator, element, container)),
    }
}

fn bytes_contain<'s>(object: Object<'s>, element: Value<'s>) -> Res<bool> {
    match (element.kind(), element.object()) {
        (Kind::Bytes, Some(part)) => Ok(text::find(object.bytes(), part.bytes()).is_some()),
        (Kind::Int | Kind::BigInt, _) => match element.as_small().and_then(|i| u8::try_from(i).ok()) {
            Some(byte) => Ok(object.bytes().contains(&byte)),
            None => fail!(
                "int in bytes: {} out of range (want value in unsigned 8-bit range)",
                int::text(element)
            ),
        },
        _ => fail!("'in bytes' requires bytes or int as left operand, not {}", element.type_name()),
    }
}

/// `container[at]`
///
/// # Errors
/// There is no such element.
pub fn index<'s>(cx: Cx<'s>, container: Value<'s>, at: Value<'s>) -> Res<Value<'s>> {
    // Most indices count from the beginning.
    if let (Some(object), Some(at)) = (container.object(), at.as_small())
        && let Ok(at) = usize::try_from(at)
    {
        if let Some(tuple) = object.shaped(&shapes::TUPLE)
            && at < tuple.reference_count()
        {
            return Ok(tuple.get(at));
        }
        if let Some(text) = object.shaped(&shapes::STR)
            && let Some(&byte) = text.bytes().get(at)
        {
            return Ok(cx.byte(byte));
        }
    }
    match (container.kind(), container.object()) {
        (Kind::Dict, Some(dict)) => match table::get(cx, dict, at)? {
            Some(value) => Ok(value),
            None => Err(missing_key(cx, dict, at)),
        },
        (Kind::Host, Some(_)) => {
            let (resident, object) = residents::resident(cx, container)?;
            resident.index(object, cx, at)
        }
        _ => sequence::index(cx, container, at),
    }
}

#[cold]
fn missing_key<'s>(cx: Cx<'s>, dict: Object<'s>, key: Value<'s>) -> Box<Failure> {
    let hint = spelling::hint(advice::similar_key(dict, key));
    Failure::new(format!("key {} not in dict{hint}", repr::repr(cx, key))).help(advice::MISSING_KEY)
}

/// `container[at] = value`
///
/// # Errors
/// The container cannot be changed, or not there, or memory ran out.
pub fn set_index<'s>(cx: Cx<'s>, container: Value<'s>, at: Value<'s>, value: Value<'s>) -> Res<()> {
    match (container.kind(), container.object()) {
        (Kind::List, Some(object)) => {
            // Most indices are small numbers: the test is the one that finding the place begins with.
            if at.as_small().is_none() && at.kind() != Kind::BigInt {
                fail!("got {}, want int", at.type_name());
            }
            let index = sequence::resolve_index(at, list::len(object), container)?;
            list::set(cx, object, index, value)
        }
        (Kind::Dict, Some(object)) => table::insert(cx, object, at, value).map(|_| ()),
        (Kind::Host, Some(_)) => {
            let (resident, object) = residents::resident(cx, container)?;
            resident.set_index(object, cx, at, value)
        }
        _ => {
            let message = format!("{} value does not support item assignment", container.type_name());
            Err(Failure::new(message).help_if(advice::on_setting_index(container)))
        }
    }
}

/// `len(value)`
///
/// # Errors
/// It has none.
pub fn len<'s>(cx: Cx<'s>, value: Value<'s>) -> Res<Value<'s>> {
    let len = match value.object() {
        Some(object) if value.kind() == Kind::Host => {
            cx.host.residents.of(value).map_or(Ok(None), |resident| resident.len(object))?
        }
        _ => sequence::len(value),
    };
    match len {
        // Only a range can have more elements than fit in the word.
        Some(len) => int::make(cx, len as i64),
        None => {
            let message = format!("value of type {} has no len", value.type_name());
            Err(Failure::new(message).help_if(advice::on_none(value)))
        }
    }
}

/// Whether a dict literal may have this key once more.
///
/// # Errors
/// It may not: the key is there already, or unhashable.
pub fn insert_new<'s>(cx: Cx<'s>, dict: Object<'s>, key: Value<'s>, value: Value<'s>) -> Res<()> {
    hash::check(cx, key)?;
    if !table::insert(cx, dict, key, value)? {
        fail!("duplicate key: {}", repr::repr(cx, key));
    }
    Ok(())
}
