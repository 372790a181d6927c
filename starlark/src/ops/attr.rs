//! Attributes: the fields of structs and the methods of built-in types.

use crate::advice;
use crate::builtins::methods::{self, Method};
use crate::cx::Cx;
use crate::data::{module, record, text};
use crate::failure::{Failure, Res};
use crate::guard::guarded;
use crate::host_type::{GetFn, Member};
use crate::residents;
use crate::spelling;
use crate::value::{Kind, Value, ValueExt, shapes};

/// What `value.name` is, if it is anything. `hint` is where a struct's field was found last time.
///
/// # Errors
/// Memory ran out.
pub fn find<'s>(cx: Cx<'s>, value: Value<'s>, name: Value<'s>) -> Res<Option<Value<'s>>> {
    if let Some(object) = value.as_kind(Kind::Struct) {
        return Ok(record::find(object, name, 0).map(|index| record::value(object, index)));
    }
    if let Some(members) = value.as_kind(Kind::Module).and_then(module::members) {
        return Ok(record::find(members, name, 0).map(|index| record::value(members, index)));
    }
    match member(cx, value, name) {
        Some(Member::Get(name, getter)) => return get(cx, value, name, *getter).map(Some),
        Some(Member::Method(method)) => return bind_method(cx, value, method).map(Some),
        None if value.kind() == Kind::Host => return of_host(cx, value, name),
        None => {}
    }
    match methods::number(value.kind(), name.as_str().unwrap_or("")) {
        Some(number) => bind(cx, value, u64::from(number)).map(Some),
        None => Ok(None),
    }
}

/// The attribute or method of a host value's type.
pub fn member<'s>(cx: Cx<'s>, value: Value<'s>, name: Value<'s>) -> Option<&'static Member> {
    let (object, name) = (value.as_kind(Kind::Host)?, name.as_str()?);
    cx.host.residents.members(object).iter().find(|member| member.name() == name)
}

/// An attribute that a host type computes.
///
/// # Errors
/// That failed.
pub fn get<'s>(cx: Cx<'s>, value: Value<'s>, name: &str, get: GetFn) -> Res<Value<'s>> {
    guarded(|| get(cx, value))
        .map_err(|failure| if failure.is_host() { failure.inside(name) } else { failure })
}

/// An attribute of a host value that is no member of its type.
///
/// # Errors
/// The embedding program's function failed.
pub fn of_host<'s>(cx: Cx<'s>, value: Value<'s>, name: Value<'s>) -> Res<Option<Value<'s>>> {
    let (resident, object) = residents::resident(cx, value)?;
    resident.attribute(object, cx, name.as_str().unwrap_or(""))
}

/// `value.name = new`
///
/// # Errors
/// It has no such attribute, or none that can be assigned to.
pub fn set<'s>(cx: Cx<'s>, value: Value<'s>, name: Value<'s>, new: Value<'s>) -> Res<()> {
    let name = name.as_str().unwrap_or("");
    if value.kind() == Kind::Host {
        let (resident, object) = residents::resident(cx, value)?;
        return resident.set_attribute(object, cx, name, new);
    }
    let message = format!("can't assign to .{name} field of {}", value.type_name());
    Err(Failure::new(message).help_if(advice::on_setting_attribute(value, name)))
}

/// A method that the receiver's type has, with the receiver, as a value.
///
/// # Errors
/// Memory ran out.
pub fn bind_method<'s>(cx: Cx<'s>, receiver: Value<'s>, method: &Method) -> Res<Value<'s>> {
    let number = match receiver.as_kind(Kind::Host) {
        Some(object) => {
            let members = cx.host.residents.members(object);
            let index = members.iter().position(|member| member.name() == method.name).unwrap_or(0);
            residents::method_number(object, index)
        }
        None => u64::from(methods::number(receiver.kind(), method.name).unwrap_or(0)),
    };
    bind(cx, receiver, number)
}

/// A method with its receiver, as a value.
///
/// # Errors
/// Memory ran out.
fn bind<'s>(cx: Cx<'s>, receiver: Value<'s>, number: u64) -> Res<Value<'s>> {
    let mut fresh = cx.alloc(&shapes::BOUND, 0)?;
    fresh.raw_mut().copy_from_slice(&[number, u64::from(cx.host.next_number())]);
    fresh.references_mut()[0] = receiver;
    Ok(fresh.finish().into())
}

/// The names of all attributes, sorted.
///
/// # Errors
/// It is a host value that panicked when it was asked.
pub fn names<'s>(cx: Cx<'s>, value: Value<'s>) -> Res<Vec<String>> {
    let members = value.as_kind(Kind::Module).and_then(module::members);
    if let Some(object) = members.or(value.as_kind(Kind::Struct)) {
        return Ok(record::fields(object).map(|(name, _)| text::lossy_of(name).into_owned()).collect());
    }
    if let Some(object) = value.as_kind(Kind::Host) {
        let mut names: Vec<String> =
            cx.host.residents.members(object).iter().map(|member| member.name().to_owned()).collect();
        if let Some(resident) = cx.host.residents.of(value) {
            names.extend(resident.attributes(object)?);
        }
        names.sort_unstable();
        return Ok(names);
    }
    Ok(methods::of(value.kind()).iter().map(|method| method.name.to_owned()).collect())
}

/// The error that there is no such attribute.
#[cold]
pub fn missing<'s>(cx: Cx<'s>, value: Value<'s>, name: &str) -> Box<Failure> {
    let help = advice::on_attribute(value, name);
    // Without names there is no hint, and where something better is said none is needed.
    let names = if help.is_none() { names(cx, value).unwrap_or_default() } else { Vec::new() };
    let similar = spelling::nearest(name, names.iter().map(String::as_str));
    let hint = spelling::hint(similar.map(|similar| format!(".{similar}")));
    let what = if value.kind() == Kind::Struct { "attribute" } else { "field or method" };
    Failure::new(format!("{} has no .{name} {what}{hint}", value.type_name())).help_if(help)
}
