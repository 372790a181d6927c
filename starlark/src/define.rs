//! Functions of the embedding program, and members of its types: as they are written in Rust, with their parameters and
//! their result converted.

use crate::convert::{FromValue, IntoValue, at};
use crate::cx::Cx;
use crate::failure::{Res, fail};
use crate::value::Value;

/// What a function of the embedding program may return: anything that can become a value, or [`Res`] of it.
pub trait IntoResult<'s> {
    /// The value.
    ///
    /// # Errors
    /// The function failed, or memory ran out.
    fn into_result(self, cx: Cx<'s>) -> Res<Value<'s>>;
}

impl<'s, T: IntoValue<'s>> IntoResult<'s> for T {
    fn into_result(self, cx: Cx<'s>) -> Res<Value<'s>> {
        self.into_value(cx)
    }
}

impl<'s, T: IntoValue<'s>> IntoResult<'s> for Res<T> {
    fn into_result(self, cx: Cx<'s>) -> Res<Value<'s>> {
        self?.into_value(cx)
    }
}

/// The argument for a parameter as Rust data.
///
/// # Errors
/// It is of another type.
#[doc(hidden)]
pub fn argument<'s, T: FromValue<'s>>(cx: Cx<'s>, name: &str, value: Option<Value<'s>>) -> Res<T> {
    match value {
        Some(value) => {
            T::from_value(cx, value).map_err(|failure| at(failure, format_args!("for parameter {name}: ")))
        }
        None => fail!("missing argument for {name}"),
    }
}

/// Defines a function for programs. The first parameter is the name of the [`Cx`](crate::Cx); the others are converted
/// by [`FromValue`](crate::FromValue). One with a default need not be given; one that is an `Option` may be `None`. The
/// result is converted by [`IntoValue`](crate::IntoValue), or it is a [`Res`](crate::Res) of such a type.
///
/// ```
/// use frazil_starlark::{Engine, Res, function};
///
/// function! {
///     /// How often a word occurs in some lines.
///     fn count(cx, word: &str, lines: Vec<&str>, most: Option<usize> = None) -> Res<usize> {
///         if word.is_empty() {
///             return Err(std::io::Error::other("no word").into());
///         }
///         let found = lines.iter().map(|line| line.matches(word).count()).sum();
///         Ok(most.map_or(found, |most| most.min(found)))
///     }
/// }
///
/// let mut engine = Engine::default();
/// engine.function("count", count).unwrap();
/// let found = engine.evaluate("m", "count('o', ['foo', 'bar', 'o'], most = 7)").unwrap();
/// assert_eq!(engine.get::<usize>(&found).unwrap(), 3);
/// for (text, message) in [
///     ("count('o', ['foo', 1])", "for parameter lines: at index 1, got int, want string"),
///     ("count('o')", "missing argument for lines"),
///     ("count('', [])", "no word"),
/// ] {
///     let error = engine.evaluate("m", text).unwrap_err();
///     assert_eq!(error.message(), format!("error in count: {message}"));
/// }
/// ```
#[macro_export]
macro_rules! function {
    ($(#[$meta:meta])* $vis:vis fn $name:ident($cx:ident $($parameters:tt)*) -> $result:ty $body:block) => {
        $(#[$meta])*
        $vis fn $name<'s>(
            $cx: $crate::Cx<'s>,
            args: &$crate::host::Args<'_, 's>,
        ) -> $crate::Res<$crate::value::Value<'s>> {
            $crate::__body!($cx, args, ($($parameters)*), $result, $body)
        }
    };
}

/// The body of a function: takes the arguments apart, and makes a value of the result.
#[doc(hidden)]
#[macro_export]
macro_rules! __body {
    (
        $cx:ident, $args:ident,
        ($(, $param:ident : $type:ty $(= $default:expr)?)* $(,)?),
        $result:ty, $body:block
    ) => {{
        let [$($param),*] = $args.bind([$($crate::__parameter!($param $(= $default)?)),*])?;
        $(let $param: $type = $crate::__argument!($cx, $param $(= $default)?);)*
        #[allow(unused_variables, clippy::redundant_closure_call)]
        let result = (|| -> $result { $body })();
        $crate::define::IntoResult::into_result(result, $cx)
    }};
}

/// The name of a parameter, with a question mark if it has a default.
#[doc(hidden)]
#[macro_export]
macro_rules! __parameter {
    ($param:ident) => {
        stringify!($param)
    };
    ($param:ident = $default:expr) => {
        concat!(stringify!($param), "?")
    };
}

/// The converted argument for a parameter, or its default.
#[doc(hidden)]
#[macro_export]
macro_rules! __argument {
    ($cx:ident, $param:ident) => {
        $crate::define::argument($cx, stringify!($param), $param)?
    };
    ($cx:ident, $param:ident = $default:expr) => {
        match $param {
            Some(_) => $crate::define::argument($cx, stringify!($param), $param)?,
            None => $default,
        }
    };
}

/// The members of a [`HostType`](crate::HostType): `get` defines an attribute, `fn` a method, and `mut fn` a method that
/// changes the data and is an error if the value is frozen. `this` is a [`Hosted`](crate::Hosted); parameters and
/// results are as with [`function!`](crate::function!).
#[macro_export]
macro_rules! members {
    ($type:ty : $($rest:tt)*) => {
        $crate::__members!($type; []; $($rest)*)
    };
}

/// Takes the members one by one.
#[doc(hidden)]
#[macro_export]
macro_rules! __members {
    ($type:ty; [$($done:expr,)*];) => {
        &[$($done,)*]
    };
    (
        $type:ty; [$($done:expr,)*];
        $(#[$meta:meta])* get $name:ident($this:ident, $cx:ident) -> $result:ty $body:block $($rest:tt)*
    ) => {
        $crate::__members!($type; [$($done,)* $crate::Member::Get(stringify!($name), |$cx, this| {
            let $this: $crate::Hosted<'_, $type> = $crate::FromValue::from_value($cx, this)?;
            let $this = &$this;
            #[allow(unused_variables, clippy::redundant_closure_call)]
            let result = (|| -> $result { $body })();
            $crate::define::IntoResult::into_result(result, $cx)
        }),]; $($rest)*)
    };
    (
        $type:ty; [$($done:expr,)*];
        $(#[$meta:meta])*
        fn $name:ident($this:ident, $cx:ident $($parameters:tt)*) -> $result:ty $body:block $($rest:tt)*
    ) => {
        $crate::__members!($type; [$($done,)* $crate::Member::Method($crate::Method {
            name: stringify!($name),
            call: |$cx, args| {
                let $this: $crate::Hosted<'_, $type> = $crate::FromValue::from_value($cx, args.this)?;
                let $this = &$this;
                $crate::__body!($cx, args, ($($parameters)*), $result, $body)
            },
        }),]; $($rest)*)
    };
    (
        $type:ty; [$($done:expr,)*];
        $(#[$meta:meta])*
        mut fn $name:ident($this:ident, $cx:ident $($parameters:tt)*) -> $result:ty $body:block $($rest:tt)*
    ) => {
        $crate::__members!($type; [$($done,)* $crate::Member::Method($crate::Method {
            name: stringify!($name),
            call: |$cx, args| {
                let $this: $crate::Hosted<'_, $type> = $crate::FromValue::from_value($cx, args.this)?;
                let $this = &$this;
                $this.check_writable($cx, stringify!($name))?;
                $crate::__body!($cx, args, ($($parameters)*), $result, $body)
            },
        }),]; $($rest)*)
    };
}
