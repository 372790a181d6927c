//! What the program means by `value.name`.

use crate::builtins::methods::{self, Method};
use crate::code::AttrSite;
use crate::cx::Cx;
use crate::data::{module, record};
use crate::failure::Res;
use crate::host_type::Member;
use crate::ops::attr;
use crate::value::{Kind, Value, ValueExt};

use super::current::References;

/// What calling an attribute comes to.
pub(super) enum Callee<'s> {
    /// A method of a built-in type.
    Method(&'static Method),
    /// A method of a host type.
    Hosted(&'static Method),
    /// The field of a struct, the member of a module, the attribute of a host value.
    Value(Value<'s>),
}

#[inline(always)]
pub(super) fn method<'s>(
    cx: Cx<'s>,
    receiver: Value<'s>,
    site: &AttrSite,
    links: References<'s>,
) -> Res<Callee<'s>> {
    let kind = receiver.kind();
    if let (Kind::Struct, Some(object)) = (kind, receiver.object()) {
        let name = links.get(site.name as usize);
        if let Some(index) = record::find(object, name, site.hint.get()) {
            site.hint.set(index);
            return Ok(Callee::Value(record::value(object, index)));
        }
    } else if site.method != AttrSite::NO_METHOD
        && let Some(method) = methods::by_name_number(kind, site.method)
    {
        return Ok(Callee::Method(method));
    }
    let name = links.get(site.name as usize);
    match receiver.as_kind(Kind::Module).and_then(module::members) {
        Some(members) => match record::find(members, name, site.hint.get()) {
            Some(index) => {
                site.hint.set(index);
                Ok(Callee::Value(record::value(members, index)))
            }
            None => Err(attr::missing(cx, receiver, name.as_str().unwrap_or(""))),
        },
        None => attribute_of_host(cx, receiver, name),
    }
}

/// The same for a host value, if it is one.
fn attribute_of_host<'s>(cx: Cx<'s>, receiver: Value<'s>, name: Value<'s>) -> Res<Callee<'s>> {
    match attr::member(cx, receiver, name) {
        Some(Member::Method(method)) => Ok(Callee::Hosted(method)),
        Some(Member::Get(name, get)) => attr::get(cx, receiver, name, *get).map(Callee::Value),
        None if receiver.kind() == Kind::Host => match attr::of_host(cx, receiver, name)? {
            Some(value) => Ok(Callee::Value(value)),
            None => Err(attr::missing(cx, receiver, name.as_str().unwrap_or(""))),
        },
        None => Err(attr::missing(cx, receiver, name.as_str().unwrap_or(""))),
    }
}
