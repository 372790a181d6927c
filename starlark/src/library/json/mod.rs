//! The module `json`: `encode`, `encode_indent`, `decode` and `indent`. Depth does not matter: everything nested is
//! walked with a stack of our own.

mod decode;
mod encode;
mod indent;
mod scan;

use std::borrow::Cow;

use crate::cx::Cx;
use crate::data::text;
use crate::failure::{Res, fail};
use crate::host::{Args, PlainFn};
use crate::value::{Kind, Value, ValueExt};

/// Name, name in errors, function.
pub(super) const FUNCTIONS: &[(&str, &str, PlainFn)] = &[
    ("decode", "json.decode", decode),
    ("encode", "json.encode", encode),
    ("encode_indent", "json.encode_indent", encode_indent),
    ("indent", "json.indent", indent),
];

fn encode<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let [value] = args.exactly()?;
    cx.str(&encode::encode(cx, value)?)
}

fn encode_indent<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let (value, prefix, indent) = layout(args)?;
    let json = encode::encode(cx, value)?;
    cx.str(&indent::indent(cx, &json, &prefix, &indent)?)
}

fn indent<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let (json, prefix, indent) = layout(args)?;
    if json.kind() != Kind::Str {
        fail!("got {}, want string", json.type_name());
    }
    cx.str(&indent::indent(cx, &text::lossy_of(json), &prefix, &indent)?)
}

/// The positional argument, what each line begins with, and the unit of indentation.
fn layout<'a, 's: 'a>(args: &Args<'a, 's>) -> Res<(Value<'s>, Cow<'s, str>, Cow<'s, str>)> {
    let positional = Args { this: args.this, positional: args.positional, named: &[] };
    let named = Args { this: args.this, positional: &[], named: args.named };
    let [value] = positional.exactly()?;
    let [prefix, indent] = named.bind(["prefix?", "indent?"])?;
    let string = |value: Option<Value<'s>>, name: &str, default: &'static str| match value {
        None => Ok(Cow::Borrowed(default)),
        Some(value) if value.kind() == Kind::Str => Ok(text::lossy_of(value)),
        Some(value) => fail!("for parameter {name}: got {}, want string", value.type_name()),
    };
    Ok((value, string(prefix, "prefix", "")?, string(indent, "indent", "\t")?))
}

fn decode<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let [json, default] = args.bind(["x", "default?"])?;
    let Some(json) = json.filter(|_| !args.positional.is_empty()) else {
        fail!("unexpected keyword argument x");
    };
    if json.kind() != Kind::Str {
        fail!("for parameter x: got {}, want string", json.type_name());
    }
    decode::decode(cx, &text::lossy_of(json), default)
}
