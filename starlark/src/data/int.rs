//! Numbers: ints in the word, ints as objects, floats, and the arithmetic between them.

use std::cmp::Ordering;
use std::fmt::Write as _;

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
    if let Ok(small) = i64::try_from(i)
        && (INT_MIN..=INT_MAX).contains(&small)
    {
        return Ok(small_int(small));
    }
    // As few bytes as hold the int and its sign.
    let spare = if i < 0 { i.leading_ones() } else { i.leading_zeros() } - 1;
    let len = size_of::<i128>() - spare as usize / 8;
    let mut fresh = cx.alloc(&shapes::BIGINT, len)?;
    fresh.bytes_mut().copy_from_slice(&i.to_le_bytes()[..len]);
    Ok(fresh.finish().into())
}

/// The value of an int that fits in 128 bits.
#[inline]
fn to_i128(value: Value<'_>) -> Option<i128> {
    if let Some(small) = value.as_small() {
        return Some(i128::from(small));
    }
    let bytes = value.as_kind(Kind::BigInt)?.bytes();
    let mut wide = [if is_negative(value) { 0xff } else { 0 }; size_of::<i128>()];
    wide.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(i128::from_le_bytes(wide))
}

/// The result of an operator on two ints of 128 bits, where it is one, too, and nothing can go wrong. Hashes and random numbers
/// of 64 bits go through here.
fn wide_at_once(op: BinaryOp, x: i128, y: i128) -> Option<i128> {
    match op {
        BinaryOp::Add => x.checked_add(y),
        BinaryOp::Sub => x.checked_sub(y),
        BinaryOp::Mul => x.checked_mul(y),
        BinaryOp::FloorDiv if y > 0 => Some(x.div_euclid(y)),
        BinaryOp::Mod if y > 0 => Some(x.rem_euclid(y)),
        BinaryOp::BitAnd => Some(x & y),
        BinaryOp::BitOr => Some(x | y),
        BinaryOp::BitXor => Some(x ^ y),
        BinaryOp::ShiftLeft if (0..127).contains(&y) && x << y >> y == x => Some(x << y),
        BinaryOp::ShiftRight if (0..127).contains(&y) => Some(x >> y),
        _ => None,
    }
}

/// A float.
///
/// # Errors
/// Memory ran out.
pub fn make_float<'s>(cx: Cx<'s>, f: f64) -> Res<Value<'s>> {
    let mut fresh = cx.alloc(&shapes::FLOAT, 8)?;
    fresh.bytes_mut().copy_from_slice(&f.to_ne_bytes());
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
    if let (Some(x), Some(y)) = (a.as_small(), b.as_small()) {
        return x.cmp(&y);
    }
    match (a.as_float(), b.as_float()) {
        (None, None) => to_big(a).cmp(&to_big(b)),
        (Some(x), Some(y)) => compare_floats(x, y),
        (Some(x), None) => compare_float_int(x, b),
        (None, Some(y)) => compare_float_int(y, a).reverse(),
    }
}

/// All ints up to this one are floats.
const EXACT_MAX: u64 = 1 << 53;

fn compare_floats(x: f64, y: f64) -> Ordering {
    x.partial_cmp(&y).unwrap_or_else(|| x.is_nan().cmp(&y.is_nan()))
}

fn compare_float_int(x: f64, int: Value<'_>) -> Ordering {
    if let Some(i) = int.as_small().filter(|i| i.unsigned_abs() <= EXACT_MAX) {
        return compare_floats(x, i as f64);
    }
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

/// The result of an operator on two ints in the word, where it is one, too, and nothing can go wrong.
#[inline(always)]
pub fn at_once(op: BinaryOp, x: i64, y: i64) -> Option<i64> {
    let result = match op {
        BinaryOp::Add => x + y,
        BinaryOp::Sub => x - y,
        BinaryOp::Mul => x.checked_mul(y)?,
        BinaryOp::FloorDiv if y > 0 => x.div_euclid(y),
        BinaryOp::Mod if y > 0 => x.rem_euclid(y),
        BinaryOp::BitAnd => x & y,
        BinaryOp::BitOr => x | y,
        BinaryOp::BitXor => x ^ y,
        // If it goes back to what it was, nothing was lost.
        BinaryOp::ShiftLeft if (0..=62).contains(&y) && x << y >> y == x => x << y,
        BinaryOp::ShiftRight if (0..=62).contains(&y) => x >> y,
        _ => return None,
    };
    (INT_MIN..=INT_MAX).contains(&result).then_some(result)
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
    if let (Some(x), Some(y)) = (a.as_float(), b.as_float()) {
        return float_arithmetic(cx, op, x, y);
    }
    let is_float = |value: Value<'s>| value.kind() == Kind::Float;
    if is_float(a) || is_float(b) || op == BinaryOp::Div {
        if to_float(a).is_none() || to_float(b).is_none() {
            return Ok(None);
        }
        return float_arithmetic(cx, op, to_finite_float(a)?, to_finite_float(b)?);
    }
    if let (Some(x), Some(y)) = (to_i128(a), to_i128(b))
        && let Some(result) = wide_at_once(op, x, y)
    {
        return make_i128(cx, result).map(Some);
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
        BinaryOp::FloorDiv => big_floor_div(&x, &y),
        BinaryOp::Mod => big_floor_mod(&x, &y),
        BinaryOp::BitAnd => x & y,
        BinaryOp::BitOr => x | y,
        BinaryOp::BitXor => x ^ y,
        BinaryOp::ShiftLeft | BinaryOp::ShiftRight => return shift(cx, op, &x, b).map(Some),
        _ => return Ok(None),
    };
    make_big(cx, &result).map(Some)
}

/// The quotient of large ints, rounded down. Dividing them takes long: the remainder is only looked at where it matters.
fn big_floor_div(x: &BigInt, y: &BigInt) -> BigInt {
    let quotient = x / y;
    let is_below_zero = (*x < BigInt::ZERO) != (*y < BigInt::ZERO);
    if is_below_zero && &quotient * y != *x { quotient - 1 } else { quotient }
}

/// The remainder of large ints, with the sign of the divisor.
fn big_floor_mod(x: &BigInt, y: &BigInt) -> BigInt {
    let rest = x % y;
    if rest != BigInt::ZERO && (rest < BigInt::ZERO) != (*y < BigInt::ZERO) { rest + y } else { rest }
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
    // By the order of magnitude: whether it needs an exponent. (Rounding does not change that: the shortest digits that mean a
    // float are below a power of ten if it is.)
    if f == 0.0 || (1e-4..1e6).contains(&f.abs()) {
        let mut plain = String::with_capacity(24);
        // Writing to a string cannot fail.
        let _ = write!(plain, "{f}");
        if !plain.contains('.') {
            plain.push_str(".0");
        }
        return plain;
    }
    let scientific = format!("{f:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    with_exponent(digits, exponent.parse().unwrap_or(0))
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
    fn floats_need_an_exponent_from_a_million_on_and_below_a_ten_thousandth() {
        for (f, text) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (999_999.0, "999999.0"),
            (1e6, "1e+06"),
            (999_999.999_999_999_9, "999999.9999999999"),
            (1e-4, "0.0001"),
            (-1e-4, "-0.0001"),
            (9.999_999_999_999_999e-5, "9.999999999999999e-05"),
            (f64::MIN_POSITIVE, "2.2250738585072014e-308"),
        ] {
            assert_eq!(float_text(f), text);
        }
    }

    /// Ints about which the ways of calculating differ: in the word, 64 bits, 128 bits, and beyond.
    const EDGES: [i128; 12] = [
        0,
        1,
        -1,
        7,
        -13,
        INT_MAX as i128,
        INT_MIN as i128,
        u64::MAX as i128,
        -(u64::MAX as i128),
        1 << 100,
        i128::MAX,
        i128::MIN,
    ];

    #[test]
    fn all_ways_of_calculating_agree() {
        use BinaryOp::{Add, BitAnd, BitOr, BitXor, FloorDiv, Mod, Mul, ShiftLeft, ShiftRight, Sub};
        let engine =
            crate::engine::Engine::new(frazil::Config::DEFAULT, Default::default()).expect("an engine");
        engine.with(|cx| {
            for (x, y) in EDGES.iter().flat_map(|&x| EDGES.map(|y| (x, y))) {
                let (a, b) = (BigInt::from(x), BigInt::from(y));
                assert_eq!(to_i128(make_i128(cx, x).expect("memory")), Some(x));
                assert!(to_big(make_i128(cx, x).expect("memory")) == Some(a.clone()));
                for op in [Add, Sub, Mul, FloorDiv, Mod, BitAnd, BitOr, BitXor, ShiftLeft, ShiftRight] {
                    if matches!(op, FloorDiv | Mod) && y == 0
                        || matches!(op, ShiftLeft | ShiftRight) && !(0..200).contains(&y)
                    {
                        continue;
                    }
                    let expected = match op {
                        Add => &a + &b,
                        Sub => &a - &b,
                        Mul => &a * &b,
                        FloorDiv => big_floor_div(&a, &b),
                        Mod => big_floor_mod(&a, &b),
                        BitAnd => &a & &b,
                        BitOr => &a | &b,
                        BitXor => &a ^ &b,
                        ShiftLeft => &a << y,
                        _ => &a >> y,
                    };
                    let (x, y) = (make_big(cx, &a).expect("memory"), make_big(cx, &b).expect("memory"));
                    let result = arithmetic(cx, op, x, y).expect("a result").expect("an operator");
                    assert_eq!(to_big(result), Some(expected.clone()), "{a} {} {b}", op.as_str());
                    if let (Some(x), Some(y)) = (x.as_small(), y.as_small())
                        && let Some(at_once) = at_once(op, x, y)
                    {
                        assert_eq!(BigInt::from(at_once), expected, "{a} {} {b} in the word", op.as_str());
                    }
                }
            }
        });
    }

    #[test]
    fn floats_and_ints_compare_exactly() {
        let engine =
            crate::engine::Engine::new(frazil::Config::DEFAULT, Default::default()).expect("an engine");
        engine.with(|cx| {
            let exact = EXACT_MAX as i64;
            for (f, i, order) in [
                (0.5, 0, Ordering::Greater),
                (-0.0, 0, Ordering::Equal),
                (exact as f64, exact, Ordering::Equal),
                (exact as f64, exact + 1, Ordering::Less),
                (f64::NAN, 1, Ordering::Greater),
                (f64::INFINITY, INT_MAX, Ordering::Greater),
                (f64::NEG_INFINITY, 3, Ordering::Less),
            ] {
                let float = make_float(cx, f).expect("memory");
                assert_eq!(compare(float, small_int(i)), order, "{f} and {i}");
                assert_eq!(compare(small_int(i), float), order.reverse(), "{i} and {f}");
            }
        });
    }

    #[test]
    fn division_rounds_down() {
        assert_eq!((floor_div(7, -2).ok(), floor_mod(7, -2).ok()), (Some(-4), Some(-1)));
        assert_eq!((floor_div(-7, 2).ok(), floor_mod(-7, 2).ok()), (Some(-4), Some(1)));
        assert!(floor_div(1, 0).is_err());
        for (x, y) in [(7, 2), (7, -2), (-7, 2), (-7, -2), (6, -2), (-6, 2), (1, -2), (-1, 2), (0, -3)] {
            let (a, b) = (BigInt::from(x), BigInt::from(y));
            assert_eq!(floor_div(x, y).ok(), i64::try_from(big_floor_div(&a, &b)).ok(), "{x} // {y}");
            assert_eq!(floor_mod(x, y).ok(), i64::try_from(big_floor_mod(&a, &b)).ok(), "{x} % {y}");
        }
    }
}
