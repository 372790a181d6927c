//! Types of the embedding program as types of the language: one definition each.
//!
//! A *host value* is an object of the heap with a number, which leads to the Rust data in a table of the engine, and with
//! references to other values: its *parts*. The collector moves and frees the object like any other; when it has gone, the
//! Rust data is dropped, at the end of that collection. There is no second type for the frozen state: a host value is
//! immutable unless its type says otherwise, and then the object knows whether it is frozen, like a list.

use std::fmt;
use std::ops::Deref;
use std::rc::Rc;

use crate::builtins::methods::Method;
use crate::cx::Cx;
use crate::failure::{Failure, Res, fail};
use crate::host::Args;
use crate::value::{Object, Value, ValueExt};

/// A Rust type whose data can be values of the language.
///
/// Values of the language that belong to the data are its parts: [`Hosted::new`]. (A [`Handle`](crate::Handle) in the data
/// would keep its value alive as long as the data, which a value that leads back to the data would make for ever.)
///
/// What a program calls (methods, the value itself) or sets (attributes, elements) happens once. What it asks for (attributes,
/// elements, operators, iteration) may be asked for twice: if the heap's limit is reached on the way, everything is collected,
/// and the instruction is executed once more. So such methods should have no effects.
///
/// ```
/// use std::fmt;
/// use frazil_starlark::{Engine, HostType, Key, Member, function, members};
///
/// #[derive(Clone)]
/// struct Version(u32, u32);
///
/// impl HostType for Version {
///     const NAME: &'static str = "version";
///     const MEMBERS: &'static [Member] = members! { Version:
///         /// An attribute.
///         get major(this, cx) -> u32 { this.0 }
///         /// A method.
///         fn bump(this, cx, by: u32 = 1) -> Version { Version(this.0, this.1 + by) }
///     };
///     fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result { write!(out, "version({}, {})", self.0, self.1) }
///     /// By this versions are equal, ordered and hashed.
///     fn key(&self) -> Option<Key> { Some(Key::Int(i64::from(self.0) << 32 | i64::from(self.1))) }
/// }
///
/// function! {
///     fn version(cx, major: u32, minor: u32 = 0) -> Version { Version(major, minor) }
/// }
///
/// let mut engine = Engine::default();
/// engine.function("version", version).unwrap();
/// engine.run("m", "
/// v = version(1, minor = 2)
/// shown = '%s %s %s' % (v.bump(), v.major, sorted([version(2), v])[0])
/// same = {v: 'found'}[version(1, 2)]
/// ").unwrap();
/// let shown: String = engine.get_global("m", "shown").unwrap();
/// assert_eq!(shown, "version(1, 3) 1 version(1, 2)");
/// let error = engine.run("wrong", "version('1')").unwrap_err();
/// assert_eq!(error.message(), "error in version: for parameter major: got string, want int");
/// ```
pub trait HostType: Sized + 'static {
    /// What `type` says.
    const NAME: &'static str;
    /// Attributes and methods: see [`members!`](crate::members!).
    const MEMBERS: &'static [Member] = &[];
    /// The data may change, in methods that are `mut fn`: until the value is frozen. Such values are compared by
    /// identity.
    const MUTABLE: bool = false;
    /// It is iterated over by [`HostType::next`]. Otherwise it is by its [`elements`](HostType::elements), if it has any.
    const ITERATED: bool = false;

    /// What `repr` gives.
    ///
    /// # Errors
    /// Those of `out`.
    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        write!(out, "<{}>", Self::NAME)
    }

    /// What `str` and `print` give.
    ///
    /// # Errors
    /// Those of `out`.
    fn write_str(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        self.write(out)
    }

    /// By what values of this type are equal, ordered and hashed. It is asked when the value is made. Without a key
    /// a value is equal to itself only.
    fn key(&self) -> Option<Key> {
        None
    }

    /// What `bool` gives. It is asked when the value is made.
    fn truth(&self) -> bool {
        true
    }

    /// One of its parts that stands for it where it is iterated over, and (unless the methods below say otherwise) asked
    /// for its length, indexed, or searched.
    fn elements<'s>(_this: &Hosted<'s, Self>) -> Option<Value<'s>> {
        None
    }

    /// What `len` gives.
    fn len(this: &Hosted<'_, Self>) -> Option<usize> {
        Self::elements(this).and_then(crate::data::sequence::len)
    }

    /// `this[at]`
    ///
    /// # Errors
    /// There is nothing.
    fn index<'s>(this: &Hosted<'s, Self>, cx: Cx<'s>, at: Value<'s>) -> Res<Value<'s>> {
        match Self::elements(this) {
            Some(elements) => crate::ops::index(cx, elements, at),
            None => fail!("unhandled index operation {}[{}]", Self::NAME, at.type_name()),
        }
    }

    /// `element in this`
    ///
    /// # Errors
    /// That cannot be asked.
    fn contains<'s>(this: &Hosted<'s, Self>, cx: Cx<'s>, element: Value<'s>) -> Res<bool> {
        match Self::elements(this) {
            Some(elements) => crate::ops::contains(cx, elements, element, "in"),
            None => fail!("unknown binary op: {} in {}", element.type_name(), Self::NAME),
        }
    }

    /// `this(...)`
    ///
    /// # Errors
    /// It cannot be called, or the call failed.
    fn call<'s>(_this: &Hosted<'s, Self>, _cx: Cx<'s>, _args: &Args<'_, 's>) -> Res<Value<'s>> {
        fail!("invalid call of non-function ({})", Self::NAME)
    }

    /// An attribute that is not among the [members](HostType::MEMBERS): `this.name`. `None` if there is no such one.
    ///
    /// # Errors
    /// It cannot be had.
    fn attribute<'s>(_this: &Hosted<'s, Self>, _cx: Cx<'s>, _name: &str) -> Res<Option<Value<'s>>> {
        Ok(None)
    }

    /// The names of such attributes, for `dir`.
    fn attributes(_this: &Hosted<'_, Self>) -> Vec<String> {
        Vec::new()
    }

    /// `this.name = value`
    ///
    /// # Errors
    /// That is not allowed, now or ever.
    fn set_attribute<'s>(_this: &Hosted<'s, Self>, _cx: Cx<'s>, name: &str, _value: Value<'s>) -> Res<()> {
        fail!("can't assign to .{name} field of {}", Self::NAME)
    }

    /// `this[at] = value`
    ///
    /// # Errors
    /// That is not allowed, now or ever.
    fn set_index<'s>(_this: &Hosted<'s, Self>, _cx: Cx<'s>, _at: Value<'s>, _value: Value<'s>) -> Res<()> {
        fail!("{} value does not support item assignment", Self::NAME)
    }

    /// The next element, for a type that is [iterated over](HostType::ITERATED) by itself, and the state behind it. The
    /// first state is `None`; what the others are is up to the type. There may be no end.
    ///
    /// # Errors
    /// There is no knowing.
    fn next<'s>(
        _this: &Hosted<'s, Self>,
        _cx: Cx<'s>,
        _state: Value<'s>,
    ) -> Res<Option<(Value<'s>, Value<'s>)>> {
        Ok(None)
    }

    /// `-this`, `+this` or `~this`, by the text of the operator; `None` if there is no such operator.
    ///
    /// # Errors
    /// The operation failed.
    fn unary<'s>(_this: &Hosted<'s, Self>, _cx: Cx<'s>, _operator: &str) -> Res<Option<Value<'s>>> {
        Ok(None)
    }

    /// How many bytes the data takes that it has allocated for itself, beyond the size of the type. They count towards the
    /// heap's limit, and hasten collections. It is asked when the value is made.
    fn bytes(&self) -> usize {
        0
    }

    /// `this + other` and the like, by the text of the operator; `other + this` if it is not on the left. `None` if there
    /// is no such operator, or not with such an `other` ([`Hosted::of`] says whether it is of this type): the error names both
    /// types.
    ///
    /// # Errors
    /// The operation failed.
    fn operator<'s>(
        _this: &Hosted<'s, Self>,
        _cx: Cx<'s>,
        _operator: &str,
        _other: Value<'s>,
        _left: bool,
    ) -> Res<Option<Value<'s>>> {
        Ok(None)
    }
}

/// By what host values are compared.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // The names say it.
pub enum Key {
    Int(i64),
    Text(String),
}

/// Gives an attribute of a host value.
pub type GetFn = for<'s> fn(Cx<'s>, Value<'s>) -> Res<Value<'s>>;

/// An attribute or a method of a host type.
pub enum Member {
    /// Computed when it is asked for.
    Get(&'static str, GetFn),
    /// To be called.
    Method(Method),
}

impl Member {
    /// Its name.
    pub fn name(&self) -> &'static str {
        match self {
            Member::Get(name, _) => name,
            Member::Method(method) => method.name,
        }
    }
}

/// A host value whose Rust type is known; it derefs to the Rust data.
pub struct Hosted<'s, T> {
    data: Rc<T>,
    object: Object<'s>,
}

/// The references of a host value's object: the name of its type, its key, and its parts.
pub(crate) const TYPE: usize = 0;
pub(crate) const KEY: usize = 1;
const PARTS: usize = 2;

impl<'s, T: HostType> Hosted<'s, T> {
    /// A host value with parts: other values that it refers to.
    ///
    /// # Errors
    /// Memory ran out.
    pub fn new(cx: Cx<'s>, data: T, parts: &[Value<'s>]) -> Res<Hosted<'s, T>> {
        let data = Rc::new(data);
        let object = cx.host.residents.make(cx, Rc::clone(&data), parts)?;
        Ok(Hosted { data, object })
    }

    /// The host value of an object and its data.
    pub(crate) fn known(data: Rc<T>, object: Object<'s>) -> Hosted<'s, T> {
        Hosted { data, object }
    }

    /// The host value, if a value is one of this type.
    pub fn of(cx: Cx<'s>, value: Value<'s>) -> Option<Hosted<'s, T>> {
        let resident = cx.host.residents.of(value)?;
        let data = Rc::downcast(resident.any()).ok()?;
        Some(Hosted { data, object: value.object()? })
    }

    /// The value.
    pub fn value(&self) -> Value<'s> {
        self.object.into()
    }

    /// One of its parts, by the place it had when the value was made.
    pub fn part(&self, index: usize) -> Option<Value<'s>> {
        let references = self.object.references();
        (index < references.len() - PARTS).then(|| references.get(PARTS + index))
    }

    /// Puts another value in the place of a part.
    ///
    /// # Errors
    /// The value is frozen, or there is no such part.
    pub fn set_part(&self, cx: Cx<'s>, index: usize, value: Value<'s>) -> Res<()> {
        if self.part(index).is_none() {
            fail!("{} has no part {index}", T::NAME);
        }
        let stored = cx.heap.store(self.object, PARTS + index, value);
        stored.map_err(|error| Failure::store(error, "change", T::NAME))
    }

    /// Whether the data may be changed; `verb` says what is tried.
    ///
    /// # Errors
    /// The value is frozen, or its type immutable.
    pub fn check_writable(&self, cx: Cx<'s>, verb: &str) -> Res<()> {
        let writable = cx.heap.check_writable(self.object);
        writable.map_err(|error| Failure::store(error, verb, T::NAME))
    }
}

impl<T> Deref for Hosted<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.data
    }
}

impl<'s, T: HostType> crate::FromValue<'s> for Hosted<'s, T> {
    fn from_value(cx: Cx<'s>, value: Value<'s>) -> Res<Hosted<'s, T>> {
        Hosted::of(cx, value).ok_or_else(|| crate::convert::unwanted(value, T::NAME))
    }
}

impl<'s, T: HostType> crate::IntoValue<'s> for Hosted<'s, T> {
    fn into_value(self, _: Cx<'s>) -> Res<Value<'s>> {
        Ok(self.value())
    }
}

impl<'s, T: HostType> crate::IntoValue<'s> for T {
    fn into_value(self, cx: Cx<'s>) -> Res<Value<'s>> {
        Ok(Hosted::new(cx, self, &[])?.value())
    }
}
