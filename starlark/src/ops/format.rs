//! `%` on strings and `str.format`.

use std::fmt::Write as _;

use crate::convert;
use crate::cx::Cx;
use crate::data::text::{self, Text};
use crate::data::{int, table};
use crate::failure::{Res, fail};
use crate::host::Args;
use crate::value::{Kind, Value, ValueExt};

use super::repr;

/// `template % operand`
///
/// # Errors
/// Template and operand do not fit, or memory ran out.
pub fn percent<'s>(cx: Cx<'s>, template: Value<'s>, operand: Value<'s>) -> Res<Value<'s>> {
    cx.build(|out| write_percent(cx, out, template, operand))
}

fn write_percent<'s>(cx: Cx<'s>, out: &mut Text, template: Value<'s>, operand: Value<'s>) -> Res<()> {
    let tuple = operand.as_kind(Kind::Tuple);
    let count = tuple.map_or(1, |tuple| tuple.reference_count());
    let mut taken = 0;
    let bytes = template.as_text().unwrap_or_default();
    let mut at = 0;
    while let Some(percent) = find(b"%", &bytes[at..]) {
        out.push_slice(template, at..at + percent);
        at += percent + 1;
        if bytes.get(at) == Some(&b'%') {
            out.push('%');
            at += 1;
            continue;
        }
        let argument = if bytes.get(at) == Some(&b'(') {
            let Some(end) = find(b")", &bytes[at..]) else { fail!("incomplete format key") };
            let name = &bytes[at + 1..at + end];
            at += end + 1;
            by_name(operand, name)?
        } else {
            let argument = match tuple {
                _ if taken >= count => fail!("not enough arguments for format string"),
                Some(tuple) => tuple.get(taken),
                None => operand,
            };
            taken += 1;
            argument
        };
        let Some(&conversion) = bytes.get(at) else { fail!("incomplete format") };
        if !conversion.is_ascii() {
            let rest = text::lossy(&bytes[at..]);
            fail!("unknown conversion %{}", rest.chars().next().unwrap_or_default());
        }
        at += 1;
        convert_one(cx, out, char::from(conversion), argument)?;
    }
    out.push_slice(template, at..bytes.len());
    // A mapping may have keys that the template does not use.
    if taken < count && !(taken == 0 && operand.kind() == Kind::Dict) {
        fail!("too many arguments for format string");
    }
    Ok(())
}

/// Where the first of some bytes is. Templates are short, so a plain search is the fastest.
#[inline]
fn find(wanted: &[u8], bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|byte| wanted.contains(byte))
}

fn by_name<'s>(operand: Value<'s>, name: &[u8]) -> Res<Value<'s>> {
    let Some(dict) = operand.as_kind(Kind::Dict) else { fail!("format requires a mapping") };
    match table::find_text(dict, name) {
        Some(position) => Ok(table::value(dict, position)),
        None => fail!("key not found: {}", text::lossy(name)),
    }
}

/// One conversion of a `%` template.
fn convert_one<'s>(cx: Cx<'s>, out: &mut Text, conversion: char, value: Value<'s>) -> Res<()> {
    if let ('d' | 'i', Some(i)) = (conversion, value.as_small()) {
        out.push_str(itoa::Buffer::new().format(i));
        return Ok(());
    }
    if let ('o' | 'x' | 'X', Some(i)) = (conversion, value.as_small()) {
        let (sign, i) = (if i < 0 { "-" } else { "" }, i.unsigned_abs());
        // Writing to a text cannot fail.
        let _ = match conversion {
            'o' => write!(out, "{sign}{i:o}"),
            'x' => write!(out, "{sign}{i:x}"),
            _ => write!(out, "{sign}{i:X}"),
        };
        return Ok(());
    }
    match conversion {
        's' => repr::write_str(cx, out, value),
        'r' => repr::write(cx, out, value),
        'd' | 'i' | 'o' | 'x' | 'X' => {
            let within =
                |failure| convert::at(failure, format_args!("%{conversion} format requires integer: "));
            let i = int::truncated(value).map_err(within)?;
            match conversion {
                'o' => out.push_str(&i.to_str_radix(8)),
                'x' => out.push_str(&i.to_str_radix(16)),
                'X' => out.push_str(&i.to_str_radix(16).to_uppercase()),
                _ => out.push_str(&i.to_string()),
            }
        }
        'e' | 'f' | 'g' | 'E' | 'F' | 'G' => match int::to_float(value) {
            Some(f) => out.push_str(&int::float_format(f, conversion)),
            None => fail!("%{conversion} format requires float, not {}", value.type_name()),
        },
        'c' => match (value.as_text(), int::to_big(value)) {
            (Some(text), _) if text::lossy(text).chars().count() == 1 => out.push_value(value),
            (Some(_), _) => fail!("%c format requires a single-character string"),
            (_, Some(code)) => match u32::try_from(&code).ok().and_then(code_point) {
                Some(c) => out.push(c),
                None => fail!("%c format requires a valid Unicode code point, got {code}"),
            },
            _ => fail!("%c format requires int or single-character string, not {}", value.type_name()),
        },
        '%' => out.push('%'),
        _ => fail!("unknown conversion %{conversion}"),
    }
    Ok(())
}

/// Surrogates cannot be part of a string and become U+FFFD.
fn code_point(code: u32) -> Option<char> {
    if (0xd800..0xe000).contains(&code) { Some('\u{fffd}') } else { char::from_u32(code) }
}

/// `template.format(...)`
///
/// # Errors
/// Template and arguments do not fit, or memory ran out.
pub fn format<'s>(cx: Cx<'s>, template: Value<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    cx.build(|out| write_format(cx, out, template, args))
}

fn write_format<'s>(cx: Cx<'s>, out: &mut Text, template: Value<'s>, args: &Args<'_, 's>) -> Res<()> {
    let mut numbering = Numbering::Unknown;
    let bytes = template.as_text().unwrap_or_default();
    let mut at = 0;
    while let Some(brace) = find(b"{}", &bytes[at..]) {
        out.push_slice(template, at..at + brace);
        at += brace + 1;
        let brace = bytes[at - 1];
        if bytes.get(at) == Some(&brace) {
            out.push(char::from(brace));
            at += 1;
            continue;
        }
        if brace == b'}' {
            fail!("single '}}' in format");
        }
        let Some(end) = find(b"}", &bytes[at..]) else { fail!("unmatched '{{' in format") };
        replacement(cx, out, &text::lossy(&bytes[at..at + end]), args, &mut numbering)?;
        at += end + 1;
    }
    out.push_slice(template, at..bytes.len());
    Ok(())
}

/// How the fields seen so far refer to positional arguments.
enum Numbering {
    Unknown,
    Automatic(usize),
    Manual,
}

fn replacement<'s>(
    cx: Cx<'s>,
    out: &mut Text,
    field: &str,
    args: &Args<'_, 's>,
    numbering: &mut Numbering,
) -> Res<()> {
    if field.contains('{') {
        fail!("nested replacement fields not supported");
    }
    let (field, spec) = field.split_once(':').unwrap_or((field, ""));
    let (name, conversion) = match field.split_once('!') {
        Some((name, conversion)) => (name, conversion),
        None => (field, "s"),
    };
    let value = match name {
        "" => {
            let at = match numbering {
                Numbering::Manual => {
                    fail!("cannot switch from manual field specification to automatic field numbering")
                }
                Numbering::Automatic(next) => *next,
                Numbering::Unknown => 0,
            };
            *numbering = Numbering::Automatic(at + 1);
            positional(args, at)?
        }
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            if let Numbering::Automatic(_) = numbering {
                fail!("cannot switch from automatic field numbering to manual field specification");
            }
            *numbering = Numbering::Manual;
            positional(args, digits.parse().unwrap_or(usize::MAX))?
        }
        name => keyword(args, name)?,
    };
    if !spec.is_empty() {
        fail!("format spec features not supported in replacement fields: {spec}");
    }
    match conversion {
        "s" => repr::write_str(cx, out, value),
        "r" => repr::write(cx, out, value),
        other => fail!("unknown conversion \"{other}\""),
    }
    Ok(())
}

fn positional<'s>(args: &Args<'_, 's>, at: usize) -> Res<Value<'s>> {
    match args.positional.get(at) {
        Some(cell) => Ok(cell.get()),
        None => fail!("tuple index out of range"),
    }
}

fn keyword<'s>(args: &Args<'_, 's>, name: &str) -> Res<Value<'s>> {
    if let Some((_, value)) = args.named.iter().find(|(given, _)| given.as_text() == Some(name.as_bytes())) {
        return Ok(*value);
    }
    if name.contains('.') {
        fail!("attribute syntax x.y is not supported in replacement fields: {name}");
    }
    if name.contains('[') {
        fail!("element syntax a[i] is not supported in replacement fields: {name}");
    }
    fail!("keyword {name} not found")
}
