//! A host type without the type: for an engine that knows only values. Whatever panics here is an error.

use std::any::Any;
use std::fmt;
use std::rc::Rc;

use crate::cx::Cx;
use crate::failure::Res;
use crate::guard::{guarded, once};
use crate::host::Args;
use crate::host_type::{HostType, Hosted};
use crate::value::{Object, Value};

/// A pair of an element and the state behind it.
pub(crate) type Step<'s> = Option<(Value<'s>, Value<'s>)>;

/// The methods of [`HostType`], of the data of one value. (They take `Rc<Self>`, and the object that stands for it in the
/// heap, because that is what a [`Hosted`] is made of.)
pub(crate) trait Resident {
    fn any(self: Rc<Self>) -> Rc<dyn Any>;
    fn is_iterated(&self) -> bool;
    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result;
    fn write_str(&self, out: &mut dyn fmt::Write) -> fmt::Result;
    fn elements<'s>(self: Rc<Self>, object: Object<'s>) -> Res<Option<Value<'s>>>;
    fn len(self: Rc<Self>, object: Object<'_>) -> Res<Option<usize>>;
    fn attributes(self: Rc<Self>, object: Object<'_>) -> Res<Vec<String>>;
    fn attribute<'s>(self: Rc<Self>, object: Object<'s>, cx: Cx<'s>, name: &str) -> Res<Option<Value<'s>>>;
    fn set_attribute<'s>(
        self: Rc<Self>,
        object: Object<'s>,
        cx: Cx<'s>,
        name: &str,
        value: Value<'s>,
    ) -> Res<()>;
    fn index<'s>(self: Rc<Self>, object: Object<'s>, cx: Cx<'s>, at: Value<'s>) -> Res<Value<'s>>;
    fn set_index<'s>(
        self: Rc<Self>,
        object: Object<'s>,
        cx: Cx<'s>,
        at: Value<'s>,
        value: Value<'s>,
    ) -> Res<()>;
    fn next<'s>(self: Rc<Self>, object: Object<'s>, cx: Cx<'s>, state: Value<'s>) -> Res<Step<'s>>;
    fn contains<'s>(self: Rc<Self>, object: Object<'s>, cx: Cx<'s>, element: Value<'s>) -> Res<bool>;
    fn call<'s>(self: Rc<Self>, object: Object<'s>, cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>>;
    fn unary<'s>(self: Rc<Self>, object: Object<'s>, cx: Cx<'s>, operator: &str) -> Res<Option<Value<'s>>>;
    fn operator<'s>(
        self: Rc<Self>,
        object: Object<'s>,
        cx: Cx<'s>,
        operator: &str,
        other: Value<'s>,
        left: bool,
    ) -> Res<Option<Value<'s>>>;
}

/// Runs a method that fails only if `out` does. What panics is shown by the name of its type.
fn shown<T: HostType>(
    out: &mut dyn fmt::Write,
    write: impl FnOnce(&mut dyn fmt::Write) -> fmt::Result,
) -> fmt::Result {
    let mut text = String::new();
    match guarded(|| Ok(write(&mut text)?)) {
        Ok(()) => out.write_str(&text),
        Err(_) => write!(out, "<{}>", T::NAME),
    }
}

impl<T: HostType> Resident for T {
    fn any(self: Rc<T>) -> Rc<dyn Any> {
        self
    }

    fn is_iterated(&self) -> bool {
        T::ITERATED
    }

    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        shown::<T>(out, |out| HostType::write(self, out))
    }

    fn write_str(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        shown::<T>(out, |out| HostType::write_str(self, out))
    }

    fn elements<'s>(self: Rc<T>, object: Object<'s>) -> Res<Option<Value<'s>>> {
        guarded(|| Ok(T::elements(&Hosted::known(self, object))))
    }

    fn len(self: Rc<T>, object: Object<'_>) -> Res<Option<usize>> {
        guarded(|| Ok(T::len(&Hosted::known(self, object))))
    }

    fn attributes(self: Rc<T>, object: Object<'_>) -> Res<Vec<String>> {
        guarded(|| Ok(T::attributes(&Hosted::known(self, object))))
    }

    fn attribute<'s>(self: Rc<T>, object: Object<'s>, cx: Cx<'s>, name: &str) -> Res<Option<Value<'s>>> {
        guarded(|| T::attribute(&Hosted::known(self, object), cx, name))
    }

    fn set_attribute<'s>(
        self: Rc<T>,
        object: Object<'s>,
        cx: Cx<'s>,
        name: &str,
        value: Value<'s>,
    ) -> Res<()> {
        once(cx, || T::set_attribute(&Hosted::known(self, object), cx, name, value))
    }

    fn index<'s>(self: Rc<T>, object: Object<'s>, cx: Cx<'s>, at: Value<'s>) -> Res<Value<'s>> {
        guarded(|| T::index(&Hosted::known(self, object), cx, at))
    }

    fn set_index<'s>(
        self: Rc<T>,
        object: Object<'s>,
        cx: Cx<'s>,
        at: Value<'s>,
        value: Value<'s>,
    ) -> Res<()> {
        once(cx, || T::set_index(&Hosted::known(self, object), cx, at, value))
    }

    fn next<'s>(self: Rc<T>, object: Object<'s>, cx: Cx<'s>, state: Value<'s>) -> Res<Step<'s>> {
        guarded(|| T::next(&Hosted::known(self, object), cx, state))
    }

    fn contains<'s>(self: Rc<T>, object: Object<'s>, cx: Cx<'s>, element: Value<'s>) -> Res<bool> {
        guarded(|| T::contains(&Hosted::known(self, object), cx, element))
    }

    fn call<'s>(self: Rc<T>, object: Object<'s>, cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
        guarded(|| T::call(&Hosted::known(self, object), cx, args))
    }

    fn unary<'s>(self: Rc<T>, object: Object<'s>, cx: Cx<'s>, operator: &str) -> Res<Option<Value<'s>>> {
        guarded(|| T::unary(&Hosted::known(self, object), cx, operator))
    }

    fn operator<'s>(
        self: Rc<T>,
        object: Object<'s>,
        cx: Cx<'s>,
        operator: &str,
        other: Value<'s>,
        left: bool,
    ) -> Res<Option<Value<'s>>> {
        guarded(|| T::operator(&Hosted::known(self, object), cx, operator, other, left))
    }
}
