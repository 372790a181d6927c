//! Numbers: ints in the word, ints as objects, floats, and the arithmetic between them.

use std::cmp::Ordering;

use num_bigint::BigInt;

use crate::cx::Cx;
use crate::failure::{Failure, Res, fail};
use crate::limits::INT_BITS_MAX;
use crate::syntax::ast::BinaryOp;
use crate::value::{INT_MAX, INT_MIN, Kind, Value, ValueExt, shapes, small_int};

/// The largest count of a left shift.
const SHIFT_MAX: i64 = 512;

/// An int.
///
/// # Errors
/// Memory ran out.
#[inline(always)]
pub fn make<'s>(cx: Cx<'s>, i: i64) -> Res<Value<'s>> {
    if (INT_MIN..=INT_MAX).contains(&i) { Ok(small_int(i)) } else { make_big(cx, &BigInt::from(i)) }
}

/// An int of any size.
///
/// # Errors
/// Memory ran out.
pub fn make_big<'s>(cx: Cx<'s>, i: &BigInt) -> Res<Value<'s>> {
    if let Ok(small) = i64::try_from(i)
        && (INT_MIN..=INT_MAX).contains(&small)
    {
        return Ok(small_int(small));
    }
    let bytes = i.to_signed_bytes_le();
    let mut fresh = cx.alloc(&shapes::BIGINT, bytes.len())?;
    fresh.bytes_mut().copy_from_slice(&bytes);
    Ok(fresh.finish().into())
}

fn make_i128<'s>(cx: Cx<'s>, i: i128) -> Res<Value<'s>> {
    match i64::try_from(i) {
        Ok(small) => make(cx, small),
        Err(_) => make_big(cx, &BigInt::from(i)),
    }
}

/// A float.
///
/// # Errors
/// Memory ran out.
pub fn make_float<'s>(cx: Cx<'s>, f: f64) -> Res<Value<'s>> {
    let mut fresh = cx.alloc(&shapes::FLOAT, 8)?;
    fresh.bytes_mut().copy_from_slice(&f.to_bits().to_le_bytes());
    Ok(fresh.finish().into())
}

/// The int with these digits, if they are that and not too many: reading them takes time by the square of their number.
pub fn parse(digits: &str, base: u32) -> Option<BigInt> {
    let bits = digits.len() as u64 * u64::from(base.ilog2());
    if bits > INT_BITS_MAX { None } else { BigInt::parse_bytes(digits.as_bytes(), base) }
}

/// The value of an int of any size.
pub fn to_big(value: Value<'_>) -> Option<BigInt> {
    match value.kind() {
        Kind::Int => value.as_small().map(BigInt::from),
        Kind::BigInt => value.object().map(|object| BigInt::from_signed_bytes_le(object.bytes())),
        _ => None,
    }
}

/// The value of an int that fits in 64 bits.
pub fn to_i64(value: Value<'_>) -> Option<i64> {
    value.as_small().or_else(|| to_big(value).and_then(|big| i64::try_from(big).ok()))
}

/// Is this int below zero?
pub fn is_negative(value: Value<'_>) -> bool {
    match value.as_small() {
        Some(i) => i < 0,
        None => {
            value.object().and_then(|object| object.bytes().last().copied()).is_some_and(|top| top >= 128)
        }
    }
}

/// The integral part of a float; `None` if it is not finite.
pub fn from_float(f: f64) -> Option<BigInt> {
    if !f.is_finite() {
        return None;
    }
    let f = f.trunc();
    if f.abs() < 9.0e18 {
        return Some(BigInt::from(f as i64));
    }
    let bits = f.to_bits();
    let (exponent, mantissa) = ((bits >> 52 & 0x7ff) as i64 - 1075, bits & ((1 << 52) - 1) | 1 << 52);
    let magnitude = BigInt::from(mantissa) << usize::try_from(exponent).unwrap_or(0);
    Some(if f < 0.0 { -magnitude } else { magnitude })
}

/// An int, or a float without its fraction.
///
/// # Errors
/// It is no number, or a float that is not finite.
pub fn truncated(value: Value<'_>) -> Res<BigInt> {
    let Some(f) = value.as_float() else {
        return match to_big(value) {
            Some(i) => Ok(i),
            None => fail!("cannot convert {} to int", value.type_name()),
        };
    };
    match from_float(f) {
        Some(i) => Ok(i),
        None => fail!("cannot convert float {} to integer", if f.is_nan() { "NaN" } else { "infinity" }),
    }
}

/// A number as a float; infinite if it is too large.
pub fn to_float(value: Value<'_>) -> Option<f64> {
    match value.kind() {
        Kind::Int => value.as_small().map(|i| i as f64),
        Kind::Float => value.as_float(),
        Kind::BigInt => to_big(value).map(|big| big_to_float(&big)),
        _ => None,
    }
}

/// The nearest float: decimal digits are parsed with correct rounding.
fn big_to_float(big: &BigInt) -> f64 {
    big.to_string().parse().unwrap_or(f64::INFINITY)
}

/// As [`to_float`], but an int beyond the floats is an error.
///
/// # Errors
/// The int is too large.
pub fn to_finite_float(value: Value<'_>) -> Res<f64> {
    let f = to_float(value).unwrap_or(f64::NAN);
    if f.is_infinite() && value.kind() == Kind::BigInt {
        fail!("int too large to convert to float");
    }
    Ok(f)
}

/// The order of two numbers. NaN equals itself and is above all others.
pub fn compare<'s>(a: Value<'s>, b: Value<'s>) -> Ordering {
    match (a.as_float(), b.as_float()) {
        (None, None) => to_big(a).cmp(&to_big(b)),
        (Some(x), Some(y)) => compare_floats(x, y),
        (Some(x), None) => compare_float_int(x, b),
        (None, Some(y)) => compare_float_int(y, a).reverse(),
    }
}

fn compare_floats(x: f64, y: f64) -> Ordering {
    x.partial_cmp(&y).unwrap_or_else(|| x.is_nan().cmp(&y.is_nan()))
}

fn compare_float_int(x: f64, int: Value<'_>) -> Ordering {
    match from_float(x) {
        None if x == f64::NEG_INFINITY => Ordering::Less,
        None => Ordering::Greater,
        Some(whole) => {
            let order = Some(whole).cmp(&to_big(int));
            order.then(x.fract().partial_cmp(&0.0).unwrap_or(Ordering::Equal))
        }
    }
}

// ---------------------------------------------------------------------------------------------- arithmetic

/// The result of an arithmetic operator on two numbers; `None` if these operands have no such operation.
///
/// # Errors
/// Division by zero and the like, or memory ran out.
#[inline]
pub fn arithmetic<'s>(cx: Cx<'s>, op: BinaryOp, a: Value<'s>, b: Value<'s>) -> Res<Option<Value<'s>>> {
    match (a.as_small(), b.as_small()) {
        (Some(x), Some(y)) => small_arithmetic(cx, op, x, y),
        _ => slow_arithmetic(cx, op, a, b),
    }
}

fn small_arithmetic<'s>(cx: Cx<'s>, op: BinaryOp, x: i64, y: i64) -> Res<Option<Value<'s>>> {
    Ok(Some(match op {
        BinaryOp::Add => make(cx, x + y)?,
        BinaryOp::Sub => make(cx, x - y)?,
        BinaryOp::Mul => make_i128(cx, i128::from(x) * i128::from(y))?,
        BinaryOp::Div => make_float(cx, divide(x as f64, y as f64)?)?,
        BinaryOp::FloorDiv => make(cx, floor_div(x, y)?)?,
        BinaryOp::Mod => make(cx, floor_mod(x, y)?)?,
        BinaryOp::BitAnd => small_int(x & y),
        BinaryOp::BitOr => small_int(x | y),
        BinaryOp::BitXor => small_int(x ^ y),
        BinaryOp::ShiftLeft if (0..=60).contains(&y) => make_i128(cx, i128::from(x) << y)?,
        BinaryOp::ShiftRight if (0..=62).contains(&y) => small_int(x >> y),
        BinaryOp::ShiftLeft | BinaryOp::ShiftRight => {
            return shift(cx, op, &BigInt::from(x), small_int(y)).map(Some);
        }
        _ => return Ok(None),
    }))
}

/// The quotient, rounded down.
///
/// # Errors
/// The divisor is zero.
#[inline(always)]
pub fn floor_div(x: i64, y: i64) -> Res<i64> {
    if y == 0 {
        fail!("floored division by zero");
    }
    let quotient = x / y;
    Ok(if x % y != 0 && (x < 0) != (y < 0) { quotient - 1 } else { quotient })
}

/// The remainder, with the sign of the divisor.
///
/// # Errors
/// The divisor is zero.
#[inline(always)]
pub fn floor_mod(x: i64, y: i64) -> Res<i64> {
    if y == 0 {
        fail!("integer modulo by zero");
    }
    let rest = x % y;
    Ok(if rest != 0 && (rest < 0) != (y < 0) { rest + y } else { rest })
}

fn divide(x: f64, y: f64) -> Res<f64> {
    if y == 0.0 { Err(Failure::new("floating-point division by zero")) } else { Ok(x / y) }
}

fn slow_arithmetic<'s>(cx: Cx<'s>, op: BinaryOp, a: Value<'s>, b: Value<'s>) -> Res<Option<Value<'s>>> {
    let is_float = |value: Value<'s>| value.kind() == Kind::Float;
    if is_float(a) || is_float(b) || op == BinaryOp::Div {
        if to_float(a).is_none() || to_float(b).is_none() {
            return Ok(None);
        }
        return float_arithmetic(cx, op, to_finite_float(a)?, to_finite_float(b)?);
    }
    let (Some(x), Some(y)) = (to_big(a), to_big(b)) else { return Ok(None) };
    let zero = BigInt::ZERO;
    let result = match op {
        BinaryOp::Add => x + y,
        BinaryOp::Sub => x - y,
        BinaryOp::Mul if x.bits() + y.bits() > INT_BITS_MAX => fail!("int too large"),
        BinaryOp::Mul => x * y,
        BinaryOp::FloorDiv if y == zero => fail!("floored division by zero"),
        BinaryOp::Mod if y == zero => fail!("integer modulo by zero"),
        BinaryOp::FloorDiv => big_floor(&x, &y).0,
        BinaryOp::Mod => big_floor(&x, &y).1,
        BinaryOp::BitAnd => x & y,
        BinaryOp::BitOr => x | y,
        BinaryOp::BitXor => x ^ y,
        BinaryOp::ShiftLeft | BinaryOp::ShiftRight => return shift(cx, op, &x, b).map(Some),
        _ => return Ok(None),
    };
    make_big(cx, &result).map(Some)
}

fn big_floor(x: &BigInt, y: &BigInt) -> (BigInt, BigInt) {
    let (quotient, rest) = (x / y, x % y);
    if rest != BigInt::ZERO && (rest < BigInt::ZERO) != (*y < BigInt::ZERO) {
        (quotient - 1, rest + y)
    } else {
        (quotient, rest)
    }
}

fn shift<'s>(cx: Cx<'s>, op: BinaryOp, x: &BigInt, count: Value<'s>) -> Res<Value<'s>> {
    if is_negative(count) {
        fail!("negative shift count: {}", text(count));
    }
    let steps = to_i64(count).unwrap_or(i64::MAX);
    if op == BinaryOp::ShiftLeft {
        if steps >= SHIFT_MAX {
            fail!("shift count too large: {}", text(count));
        }
        return make_big(cx, &(x << steps));
    }
    // A count beyond all bits leaves the sign.
    make_big(cx, &(x >> steps.min(x.bits() as i64 + 1)))
}

fn float_arithmetic<'s>(cx: Cx<'s>, op: BinaryOp, x: f64, y: f64) -> Res<Option<Value<'s>>> {
    let result = match op {
        BinaryOp::Add => x + y,
        BinaryOp::Sub => x - y,
        BinaryOp::Mul => x * y,
        BinaryOp::Div => divide(x, y)?,
        BinaryOp::FloorDiv if y == 0.0 => fail!("floored division by zero"),
        BinaryOp::FloorDiv => (x / y).floor(),
        BinaryOp::Mod if y == 0.0 => fail!("floating-point modulo by zero"),
        BinaryOp::Mod => {
            let rest = x % y;
            if rest != 0.0 && (rest < 0.0) != (y < 0.0) { rest + y } else { rest }
        }
        _ => return Ok(None),
    };
    make_float(cx, result).map(Some)
}

/// `-value`
///
/// # Errors
/// The value is no number, or memory ran out.
pub fn negate<'s>(cx: Cx<'s>, value: Value<'s>) -> Res<Value<'s>> {
    match value.kind() {
        Kind::Float => make_float(cx, -value.as_float().unwrap_or(0.0)),
        Kind::Int => make(cx, -value.as_small().unwrap_or(0)),
        _ => match to_big(value) {
            Some(big) => make_big(cx, &-big),
            None => fail!("unknown unary op: - {}", value.type_name()),
        },
    }
}

/// `~value`
///
/// # Errors
/// The value is no int, or memory ran out.
pub fn invert<'s>(cx: Cx<'s>, value: Value<'s>) -> Res<Value<'s>> {
    match to_big(value) {
        Some(big) => make_big(cx, &(-big - 1)),
        None => fail!("unknown unary op: ~ {}", value.type_name()),
    }
}

// ---------------------------------------------------------------------------------------------- text

/// An int in decimal.
pub fn text(value: Value<'_>) -> String {
    match value.as_small() {
        Some(i) => i.to_string(),
        None => to_big(value).unwrap_or_default().to_string(),
    }
}

/// A float as `str` shows it: as short as possible, and never like an int.
pub fn float_text(f: f64) -> String {
    if let Some(text) = non_finite(f) {
        return text.to_owned();
    }
    let scientific = format!("{f:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if !(-4..6).contains(&exponent) {
        return with_exponent(digits, exponent);
    }
    let plain = format!("{f}");
    if plain.contains('.') { plain } else { plain + ".0" }
}

fn non_finite(f: f64) -> Option<&'static str> {
    match f {
        f64::INFINITY => Some("+inf"),
        f64::NEG_INFINITY => Some("-inf"),
        f if f.is_nan() => Some("nan"),
        _ => None,
    }
}

fn with_exponent(digits: &str, exponent: i32) -> String {
    format!("{digits}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs())
}

/// A float as `%e`, `%f` or `%g` (or their capital forms) show it.
pub fn float_format(f: f64, conversion: char) -> String {
    if let Some(text) = non_finite(f) {
        return text.to_owned();
    }
    let text = match conversion.to_ascii_lowercase() {
        'f' => format!("{f:.6}"),
        'e' => {
            let scientific = format!("{f:.6e}");
            let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
            with_exponent(digits, exponent.parse().unwrap_or(0))
        }
        _ => float_text(f),
    };
    if conversion.is_ascii_uppercase() { text.to_uppercase() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_read_as_floats() {
        for (f, text) in [
            (1.0, "1.0"),
            (-0.5, "-0.5"),
            (1e100, "1e+100"),
            (1e-7, "1e-07"),
            (123456789.0, "1.23456789e+08"),
            (123456.0, "123456.0"),
            (f64::INFINITY, "+inf"),
        ] {
            assert_eq!(float_text(f), text);
        }
        assert_eq!(float_format(1.5, 'e'), "1.500000e+00");
    }

    #[test]
    fn division_rounds_down() {
        assert_eq!((floor_div(7, -2).ok(), floor_mod(7, -2).ok()), (Some(-4), Some(-1)));
        assert_eq!((floor_div(-7, 2).ok(), floor_mod(-7, 2).ok()), (Some(-4), Some(1)));
        assert!(floor_div(1, 0).is_err());
        assert_eq!(big_floor(&BigInt::from(-7), &BigInt::from(2)), (BigInt::from(-4), BigInt::from(1)));
    }
}
