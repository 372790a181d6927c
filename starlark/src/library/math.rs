//! The module `math`. All functions take ints as well as floats.

use crate::cx::Cx;
use crate::data::int;
use crate::failure::{Res, fail};
use crate::host::{Args, PlainFn};
use crate::value::{Kind, Value, ValueExt};

/// Constants by name.
pub(super) const CONSTANTS: &[(&str, f64)] = &[("e", std::f64::consts::E), ("pi", std::f64::consts::PI)];

/// Name, name in errors, function.
pub(super) const FUNCTIONS: &[(&str, &str, PlainFn)] = &[
    ("acos", "acos", |cx, args| of_one(cx, args, libm::acos)),
    ("acosh", "acosh", |cx, args| of_one(cx, args, libm::acosh)),
    ("asin", "asin", |cx, args| of_one(cx, args, libm::asin)),
    ("asinh", "asinh", |cx, args| of_one(cx, args, libm::asinh)),
    ("atan", "atan", |cx, args| of_one(cx, args, libm::atan)),
    ("atan2", "atan2", |cx, args| of_two(cx, args, libm::atan2)),
    ("atanh", "atanh", |cx, args| of_one(cx, args, libm::atanh)),
    ("ceil", "ceil", |cx, args| to_int(cx, args, f64::ceil)),
    ("copysign", "copysign", |cx, args| of_two(cx, args, f64::copysign)),
    ("cos", "cos", |cx, args| of_one(cx, args, libm::cos)),
    ("cosh", "cosh", |cx, args| of_one(cx, args, libm::cosh)),
    ("degrees", "degrees", |cx, args| of_one(cx, args, |x| 360.0 * x / (2.0 * std::f64::consts::PI))),
    ("exp", "exp", |cx, args| of_one(cx, args, libm::exp)),
    ("fabs", "fabs", |cx, args| of_one(cx, args, f64::abs)),
    ("floor", "floor", |cx, args| to_int(cx, args, f64::floor)),
    ("gamma", "gamma", |cx, args| of_one(cx, args, libm::tgamma)),
    ("hypot", "hypot", |cx, args| of_two(cx, args, libm::hypot)),
    ("log", "log", log),
    ("mod", "mod", |cx, args| of_two(cx, args, libm::fmod)),
    ("pow", "pow", |cx, args| of_two(cx, args, libm::pow)),
    ("radians", "radians", |cx, args| of_one(cx, args, |x| 2.0 * std::f64::consts::PI * x / 360.0)),
    ("remainder", "remainder", |cx, args| of_two(cx, args, libm::remainder)),
    ("round", "round", |cx, args| of_one(cx, args, f64::round)),
    ("sin", "sin", |cx, args| of_one(cx, args, libm::sin)),
    ("sinh", "sinh", |cx, args| of_one(cx, args, libm::sinh)),
    ("sqrt", "sqrt", |cx, args| of_one(cx, args, f64::sqrt)),
    ("tan", "tan", |cx, args| of_one(cx, args, libm::tan)),
    ("tanh", "tanh", |cx, args| of_one(cx, args, libm::tanh)),
];

fn number(value: Value<'_>) -> Res<f64> {
    match int::to_float(value) {
        Some(f) => Ok(f),
        None => fail!("got {}, want float or int", value.type_name()),
    }
}

fn of_one<'s>(cx: Cx<'s>, args: &Args<'_, 's>, function: impl Fn(f64) -> f64) -> Res<Value<'s>> {
    let [x] = args.exactly()?;
    int::make_float(cx, function(number(x)?))
}

fn of_two<'s>(cx: Cx<'s>, args: &Args<'_, 's>, function: impl Fn(f64, f64) -> f64) -> Res<Value<'s>> {
    let [x, y] = args.exactly()?;
    int::make_float(cx, function(number(x)?, number(y)?))
}

/// An int is itself, a float is rounded.
fn to_int<'s>(cx: Cx<'s>, args: &Args<'_, 's>, round: impl Fn(f64) -> f64) -> Res<Value<'s>> {
    let [x] = args.exactly()?;
    if x.kind() != Kind::Float {
        number(x)?;
        return Ok(x);
    }
    let rounded = int::make_float(cx, round(number(x)?))?;
    int::make_big(cx, &int::truncated(rounded)?)
}

fn log<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    args.positional(1, 2)?;
    let x = number(args.positional[0].get())?;
    let base = args.at(1).map_or(Ok(std::f64::consts::E), number)?;
    if base == 1.0 {
        fail!("division by zero");
    }
    int::make_float(cx, libm::log(x) / libm::log(base))
}
