//! Rust data as values, and values as Rust data: for arguments and results of functions of the embedding program, and for
//! what it reads of a finished module.
//!
//! | Starlark | Rust |
//! | --- | --- |
//! | `None` | `()`, or an [`Option`] that is `None` |
//! | bool, float, string | `bool`, `f64`, `&str` or `String` |
//! | int | `i64`, `u64`, `i32` and the other ints of Rust up to 64 bits, or [`BigInt`] |
//! | list (read: anything iterable) | [`Vec`], `[T; N]`, `BTreeSet` |
//! | tuple | `(A, B)`, `(A, B, C)` |
//! | dict (read: a struct as well) | `BTreeMap`, `HashMap` (which is not made: it has no order) |
//! | struct | made by [`Cx::fields`] |
//! | a [host value](crate::HostType) | [`Hosted`](crate::Hosted), or the Rust type itself when it is made |
//! | anything | [`Value`], or a [`Handle`] |

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{BuildHasher, Hash};

use num_bigint::BigInt;

use crate::advice;
use crate::cx::Cx;
use crate::data::{int, iter, list, record, table};
use crate::failure::{Failure, Res};
use crate::handle::Handle;
use crate::machine::Arguments;
use crate::ops::repr;
use crate::value::{Kind, Value, ValueExt, boolean, none, shapes};

/// Rust data that a value can become.
pub trait FromValue<'s>: Sized {
    /// The data.
    ///
    /// # Errors
    /// The value is of another type, or beyond what the data can be. The message says what it is, and what is wanted.
    fn from_value(cx: Cx<'s>, value: Value<'s>) -> Res<Self>;
}

/// Rust data that can become a value.
pub trait IntoValue<'s> {
    /// The value.
    ///
    /// # Errors
    /// Memory ran out.
    fn into_value(self, cx: Cx<'s>) -> Res<Value<'s>>;
}

/// Values of this type were wanted.
#[cold]
pub(crate) fn unwanted(value: Value<'_>, wanted: &str) -> Box<Failure> {
    let help = if wanted == "int" { advice::on_int(value) } else { None };
    Failure::new(format!("got {}, want {wanted}", value.type_name())).help_if(help)
}

/// Puts more in front of the message of an error of the program.
#[cold]
pub(crate) fn at(mut failure: Box<Failure>, place: std::fmt::Arguments<'_>) -> Box<Failure> {
    if let Failure::Error(message, _) = &mut *failure {
        *message = format!("{place}{message}");
    }
    failure
}

// ---------------------------------------------------------------------------------------------- from values

impl<'s> FromValue<'s> for Value<'s> {
    fn from_value(_: Cx<'s>, value: Value<'s>) -> Res<Value<'s>> {
        Ok(value)
    }
}

impl<'s> FromValue<'s> for Handle {
    fn from_value(cx: Cx<'s>, value: Value<'s>) -> Res<Handle> {
        Ok(Handle::new(cx, value))
    }
}

impl<'s> FromValue<'s> for () {
    fn from_value(_: Cx<'s>, value: Value<'s>) -> Res<()> {
        if value.is_none() { Ok(()) } else { Err(unwanted(value, "None")) }
    }
}

impl<'s> FromValue<'s> for bool {
    fn from_value(_: Cx<'s>, value: Value<'s>) -> Res<bool> {
        value.as_bool().ok_or_else(|| unwanted(value, "bool"))
    }
}

impl<'s> FromValue<'s> for f64 {
    fn from_value(_: Cx<'s>, value: Value<'s>) -> Res<f64> {
        int::to_float(value).ok_or_else(|| unwanted(value, "float or int"))
    }
}

impl<'s> FromValue<'s> for &'s str {
    fn from_value(_: Cx<'s>, value: Value<'s>) -> Res<&'s str> {
        match (value.as_str(), value.kind()) {
            (Some(text), _) => Ok(text),
            (None, Kind::Str) => Err(Failure::new("the string is not valid UTF-8")),
            _ => Err(unwanted(value, "string")),
        }
    }
}

impl<'s> FromValue<'s> for String {
    fn from_value(cx: Cx<'s>, value: Value<'s>) -> Res<String> {
        <&str>::from_value(cx, value).map(str::to_owned)
    }
}

impl<'s> FromValue<'s> for BigInt {
    fn from_value(_: Cx<'s>, value: Value<'s>) -> Res<BigInt> {
        match value.kind() {
            Kind::Int | Kind::BigInt => int::to_big(value).ok_or_else(|| unwanted(value, "int")),
            _ => Err(unwanted(value, "int")),
        }
    }
}

impl<'s, T: FromValue<'s>> FromValue<'s> for Option<T> {
    fn from_value(cx: Cx<'s>, value: Value<'s>) -> Res<Option<T>> {
        if value.is_none() { Ok(None) } else { T::from_value(cx, value).map(Some) }
    }
}

impl<'s, T: FromValue<'s>> FromValue<'s> for Vec<T> {
    fn from_value(cx: Cx<'s>, value: Value<'s>) -> Res<Vec<T>> {
        elements(cx, value)?.collect()
    }
}

impl<'s, T: FromValue<'s> + Ord> FromValue<'s> for BTreeSet<T> {
    fn from_value(cx: Cx<'s>, value: Value<'s>) -> Res<BTreeSet<T>> {
        elements(cx, value)?.collect()
    }
}

impl<'s, K: FromValue<'s> + Ord, V: FromValue<'s>> FromValue<'s> for BTreeMap<K, V> {
    fn from_value(cx: Cx<'s>, value: Value<'s>) -> Res<BTreeMap<K, V>> {
        entries(cx, value)?.collect()
    }
}

impl<'s, K, V, S> FromValue<'s> for HashMap<K, V, S>
where
    K: FromValue<'s> + Hash + Eq,
    V: FromValue<'s>,
    S: BuildHasher + Default,
{
    fn from_value(cx: Cx<'s>, value: Value<'s>) -> Res<HashMap<K, V, S>> {
        entries(cx, value)?.collect()
    }
}

/// The elements of anything that can be iterated over.
fn elements<'s, T: FromValue<'s>>(
    cx: Cx<'s>,
    value: Value<'s>,
) -> Res<impl Iterator<Item = Res<T>> + use<'s, T>> {
    let Some(iter) = iter::iterate(cx, value)? else { return Err(unwanted(value, "iterable")) };
    let convert = move |(index, element)| {
        T::from_value(cx, element).map_err(|failure| at(failure, format_args!("at index {index}, ")))
    };
    Ok(iter.collect()?.into_iter().enumerate().map(convert))
}

/// The entries of a dict, or the fields of a struct.
fn entries<'s, K: FromValue<'s>, V: FromValue<'s>>(
    cx: Cx<'s>,
    value: Value<'s>,
) -> Res<impl Iterator<Item = Res<(K, V)>> + use<'s, K, V>> {
    let all: Vec<(Value<'s>, Value<'s>)> = match (value.kind(), value.object()) {
        (Kind::Dict, Some(dict)) => {
            table::positions(dict).map(|at| (table::key(dict, at), table::value(dict, at))).collect()
        }
        (Kind::Struct, Some(fields)) => record::fields(fields).collect(),
        _ => return Err(unwanted(value, "dict")),
    };
    let entry = move |(key, value)| {
        let shown = || repr::repr(cx, key);
        let found =
            K::from_value(cx, key).map_err(|failure| at(failure, format_args!("key {}: ", shown())))?;
        let value =
            V::from_value(cx, value).map_err(|failure| at(failure, format_args!("at key {}, ", shown())))?;
        Ok((found, value))
    };
    Ok(all.into_iter().map(entry))
}

// ---------------------------------------------------------------------------------------------- into values

impl<'s> IntoValue<'s> for Value<'s> {
    fn into_value(self, _: Cx<'s>) -> Res<Value<'s>> {
        Ok(self)
    }
}

impl<'s> IntoValue<'s> for &Handle {
    fn into_value(self, cx: Cx<'s>) -> Res<Value<'s>> {
        Ok(self.value(cx))
    }
}

impl<'s> IntoValue<'s> for Handle {
    fn into_value(self, cx: Cx<'s>) -> Res<Value<'s>> {
        Ok(self.value(cx))
    }
}

impl<'s> IntoValue<'s> for () {
    fn into_value(self, _: Cx<'s>) -> Res<Value<'s>> {
        Ok(none())
    }
}

impl<'s> IntoValue<'s> for bool {
    fn into_value(self, _: Cx<'s>) -> Res<Value<'s>> {
        Ok(boolean(self))
    }
}

impl<'s> IntoValue<'s> for f64 {
    fn into_value(self, cx: Cx<'s>) -> Res<Value<'s>> {
        int::make_float(cx, self)
    }
}

impl<'s> IntoValue<'s> for &str {
    fn into_value(self, cx: Cx<'s>) -> Res<Value<'s>> {
        cx.str(self)
    }
}

impl<'s> IntoValue<'s> for String {
    fn into_value(self, cx: Cx<'s>) -> Res<Value<'s>> {
        cx.str(&self)
    }
}

impl<'s> IntoValue<'s> for &String {
    fn into_value(self, cx: Cx<'s>) -> Res<Value<'s>> {
        cx.str(self)
    }
}

impl<'s> IntoValue<'s> for BigInt {
    fn into_value(self, cx: Cx<'s>) -> Res<Value<'s>> {
        int::make_big(cx, &self)
    }
}

impl<'s, T: IntoValue<'s>> IntoValue<'s> for Option<T> {
    fn into_value(self, cx: Cx<'s>) -> Res<Value<'s>> {
        self.map_or_else(|| Ok(none()), |value| value.into_value(cx))
    }
}

impl<'s, T: IntoValue<'s>> IntoValue<'s> for Vec<T> {
    fn into_value(self, cx: Cx<'s>) -> Res<Value<'s>> {
        list_of(cx, self)
    }
}

impl<'s, T: IntoValue<'s>, const N: usize> IntoValue<'s> for [T; N] {
    fn into_value(self, cx: Cx<'s>) -> Res<Value<'s>> {
        list_of(cx, self)
    }
}

impl<'s, T: Clone + IntoValue<'s>> IntoValue<'s> for &[T] {
    fn into_value(self, cx: Cx<'s>) -> Res<Value<'s>> {
        list_of(cx, self.iter().cloned())
    }
}

impl<'s, T: IntoValue<'s>> IntoValue<'s> for BTreeSet<T> {
    fn into_value(self, cx: Cx<'s>) -> Res<Value<'s>> {
        list_of(cx, self)
    }
}

impl<'s, K: IntoValue<'s>, V: IntoValue<'s>> IntoValue<'s> for BTreeMap<K, V> {
    fn into_value(self, cx: Cx<'s>) -> Res<Value<'s>> {
        let dict = table::with_capacity(cx, &shapes::DICT, self.len())?;
        for (key, value) in self {
            table::insert(cx, dict, key.into_value(cx)?, value.into_value(cx)?)?;
        }
        Ok(dict.into())
    }
}

fn list_of<'s, T: IntoValue<'s>>(cx: Cx<'s>, items: impl IntoIterator<Item = T>) -> Res<Value<'s>> {
    let values: Res<Vec<Value<'s>>> = items.into_iter().map(|item| item.into_value(cx)).collect();
    list::of(cx, &values?)
}

// ---------------------------------------------------------------------------------------------- arguments and tuples

/// Positional arguments of a call that the embedding program makes: a tuple, or a vector.
pub trait PushArguments<'s> {
    /// Adds them.
    ///
    /// # Errors
    /// Memory ran out.
    fn push(self, cx: Cx<'s>, arguments: &mut Arguments<'s>) -> Res<()>;
}

impl<'s, T: IntoValue<'s>> PushArguments<'s> for Vec<T> {
    fn push(self, cx: Cx<'s>, arguments: &mut Arguments<'s>) -> Res<()> {
        for item in self {
            arguments.push(item.into_value(cx)?);
        }
        Ok(())
    }
}

impl<'s> PushArguments<'s> for () {
    fn push(self, _: Cx<'s>, _: &mut Arguments<'s>) -> Res<()> {
        Ok(())
    }
}

/// What can be done with tuples of a length.
macro_rules! tuples {
    ($($T:ident $item:ident),+) => {
        impl<'s, $($T: IntoValue<'s>),+> PushArguments<'s> for ($($T,)+) {
            fn push(self, cx: Cx<'s>, arguments: &mut Arguments<'s>) -> Res<()> {
                let ($($item,)+) = self;
                $(arguments.push($item.into_value(cx)?);)+
                Ok(())
            }
        }

        impl<'s, $($T: IntoValue<'s>),+> IntoValue<'s> for ($($T,)+) {
            fn into_value(self, cx: Cx<'s>) -> Res<Value<'s>> {
                let ($($item,)+) = self;
                cx.tuple(&[$($item.into_value(cx)?),+])
            }
        }

        impl<'s, $($T: FromValue<'s>),+> FromValue<'s> for ($($T,)+) {
            fn from_value(cx: Cx<'s>, value: Value<'s>) -> Res<($($T,)+)> {
                let [$($item),+] = Vec::<Value<'s>>::from_value(cx, value)?[..] else {
                    let wanted = [$(stringify!($item)),+].len();
                    return Err(unwanted(value, &format!("{wanted} elements")));
                };
                Ok(($($T::from_value(cx, $item)?,)+))
            }
        }
    };
}

tuples!(A a);
tuples!(A a, B b);
tuples!(A a, B b, C c);
tuples!(A a, B b, C c, D d);
tuples!(A a, B b, C c, D d, E e);
tuples!(A a, B b, C c, D d, E e, F f);

/// Ints of a fixed size.
macro_rules! ints {
    ($($int:ty),+) => {$(
        impl<'s> FromValue<'s> for $int {
            fn from_value(_: Cx<'s>, value: Value<'s>) -> Res<$int> {
                if !matches!(value.kind(), Kind::Int | Kind::BigInt) {
                    return Err(unwanted(value, "int"));
                }
                let fits = int::to_big(value).and_then(|i| <$int>::try_from(i).ok());
                fits.ok_or_else(|| {
                    let (min, max) = (<$int>::MIN, <$int>::MAX);
                    Failure::new(format!("{} out of range (want value from {min} to {max})", int::text(value)))
                })
            }
        }

        impl<'s> IntoValue<'s> for $int {
            fn into_value(self, cx: Cx<'s>) -> Res<Value<'s>> {
                match i64::try_from(self) {
                    Ok(i) => int::make(cx, i),
                    Err(_) => int::make_big(cx, &BigInt::from(self)),
                }
            }
        }
    )+};
}

ints!(i64, u64, i32, u32, i16, u16, i8, u8, isize, usize);
