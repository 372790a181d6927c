//! What cannot be shared, in the words of a program.

use std::collections::{HashSet, VecDeque};

use frazil::ShareError;

use crate::code::Link;
use crate::cx::Cx;
use crate::data::record;
use crate::value::{Kind, Object, Value, ValueExt};

/// Why the arguments of `parallel_map`, a tuple of the function and the elements, cannot be shared.
pub(crate) fn reason<'s>(cx: Cx<'s>, arguments: Value<'s>, error: &ShareError) -> String {
    let ShareError::Mutable { path, .. } = error else { return error.to_string() };
    let (way, last) = follow(cx, arguments, path);
    match last.kind() {
        Kind::Cell => format!("{way} is a variable that can still change"),
        kind => format!("{way} is a {} that can still change", name_of(last, kind)),
    }
}

fn name_of(value: Value<'_>, kind: Kind) -> &str {
    match kind {
        Kind::Slots | Kind::Index => "container",
        _ => value.type_name(),
    }
}

/// The way to a value of the embedding program's types, if there is one.
pub(crate) fn host_value<'s>(cx: Cx<'s>, value: Value<'s>) -> Option<String> {
    let mut seen: HashSet<u64> = HashSet::new();
    let mut pending = VecDeque::from([value]);
    while let Some(value) = pending.pop_front() {
        let Some(object) = value.object() else { continue };
        if value.kind() == Kind::Host {
            let of = cx.type_name(value).ok().and_then(|name| name.as_str()).unwrap_or("");
            return Some(format!("there is a value of the host's type {of}"));
        }
        if seen.insert(value.bits()) {
            pending.extend(object.references().iter());
        }
    }
    None
}

/// Follows a way through references, and gives it a name.
fn follow<'s>(cx: Cx<'s>, arguments: Value<'s>, path: &[usize]) -> (String, Value<'s>) {
    let mut way = String::new();
    let (mut here, mut before) = (arguments, Value::EMPTY);
    for (depth, &reference) in path.iter().enumerate() {
        let Some(object) = here.object() else { break };
        match (depth, reference) {
            (0, 0) => way.push('f'),
            (0, _) => way.push_str("xs"),
            _ => way.push_str(&step(cx, before, object, reference)),
        }
        before = here;
        here = object.get(reference);
    }
    (way, here)
}

/// What a reference of an object is called.
fn step<'s>(cx: Cx<'s>, before: Value<'s>, object: Object<'s>, reference: usize) -> String {
    let of = |name: &str, function: Object<'s>| format!("'s {name} ({})", cx.host.function_name(function));
    match Value::from(object).kind() {
        Kind::Tuple => format!("[{reference}]"),
        Kind::Slots => match before.kind() {
            Kind::List => format!("[{reference}]"),
            _ => "[...]".to_owned(),
        },
        Kind::Struct => {
            let names = record::names(object);
            let name = reference.checked_sub(1).and_then(|field| names?.get(field).as_str());
            name.map_or(String::new(), |name| format!(".{name}"))
        }
        Kind::Function => match reference.checked_sub(1 + cx.host.code(object).params.default_slots()) {
            Some(capture) => {
                let capture = cx.host.code(object).captures.get(capture);
                capture.map_or(String::new(), |capture| of(&format!("variable {}", capture.name), object))
            }
            None if reference > 0 => of("default", object),
            None => String::new(),
        },
        Kind::Links => match before.as_kind(Kind::Function) {
            Some(function) => {
                let code = cx.host.code(function);
                let global = code.links.get(reference).and_then(|link| match link {
                    Link::Global(global) => code.globals.get(*global as usize),
                    _ => None,
                });
                global.map_or(String::new(), |(name, _)| of(&format!("global {name}"), function))
            }
            None => String::new(),
        },
        Kind::Bound => "'s receiver".to_owned(),
        _ => String::new(),
    }
}
