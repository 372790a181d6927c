//! Types that the go suite's own test program defines.

use frazil_starlark::data::{int, table};
use frazil_starlark::ops::attr;
use frazil_starlark::value::{Object, Value, ValueExt, shapes, small_int};
use frazil_starlark::{Cx, Failure, HostType, Hosted, Res};

/// A value with any fields, which can be assigned to. They are a dict, its only part.
pub struct HasFields;

impl HasFields {
    pub fn make(cx: Cx<'_>) -> Res<Value<'_>> {
        let fields = table::with_capacity(cx, &shapes::DICT, 0)?;
        Ok(Hosted::new(cx, HasFields, &[fields.into()])?.value())
    }

    fn fields<'s>(this: &Hosted<'s, HasFields>) -> Res<Object<'s>> {
        this.part(0).and_then(Value::object).ok_or_else(|| Failure::new("hasfields without fields"))
    }
}

impl HostType for HasFields {
    const NAME: &'static str = "hasfields";
    const MUTABLE: bool = true;

    fn attribute<'s>(this: &Hosted<'s, HasFields>, cx: Cx<'s>, name: &str) -> Res<Option<Value<'s>>> {
        table::get(cx, HasFields::fields(this)?, cx.str(name)?)
    }

    fn attributes(this: &Hosted<'_, HasFields>) -> Vec<String> {
        let Ok(fields) = HasFields::fields(this) else { return Vec::new() };
        let names = table::positions(fields).filter_map(|at| table::key(fields, at).as_str());
        let mut names: Vec<String> = names.map(str::to_owned).collect();
        names.sort_unstable();
        names
    }

    fn set_attribute<'s>(this: &Hosted<'s, HasFields>, cx: Cx<'s>, name: &str, value: Value<'s>) -> Res<()> {
        if this.check_writable(cx, "set").is_err() {
            return Err(Failure::new("cannot set field on a frozen hasfields"));
        }
        if name.starts_with("no") {
            return Err(attr::missing(cx, this.value(), name));
        }
        table::insert(cx, HasFields::fields(this)?, cx.str(name)?, value).map(|_| ())
    }

    /// `hasfields() + x` and `x + hasfields()` are 42.
    fn operator<'s>(
        _: &Hosted<'s, HasFields>,
        _: Cx<'s>,
        operator: &str,
        _: Value<'s>,
        _: bool,
    ) -> Res<Option<Value<'s>>> {
        Ok((operator == "+").then(|| small_int(42)))
    }
}

/// An iterable without an end. The state is a pair: the next number, and the one behind it.
pub struct Fibonacci;

impl HostType for Fibonacci {
    const NAME: &'static str = "fib";
    const ITERATED: bool = true;

    fn next<'s>(
        _: &Hosted<'s, Fibonacci>,
        cx: Cx<'s>,
        state: Value<'s>,
    ) -> Res<Option<(Value<'s>, Value<'s>)>> {
        let state = state.object().map(|state| (state.get(0), state.get(1)));
        let (a, b) = state.unwrap_or((small_int(0), small_int(1)));
        let sum =
            int::make_big(cx, &(int::to_big(a).unwrap_or_default() + int::to_big(b).unwrap_or_default()))?;
        Ok(Some((a, cx.tuple(&[b, sum])?)))
    }
}
