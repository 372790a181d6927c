//! How a Starlark value looks to the collector: the tagging of words, the shapes of objects, and the questions
//! every part of the runtime asks of a value.
//!
//! A word is one of
//!
//! ```text
//! ...iiiiii0   an int of 63 bits, shifted left once: addition needs no untagging
//! ...aaaaa001  a reference: the address of an object, which is a multiple of 8, plus one
//! ...ppkkkk11  an immediate: kind `k` (four bits from bit 2), payload `p` (from bit 8)
//! ```
//!
//! Ints beyond 63 bits, floats and all else are objects. What can be immutable is born immutable (and is counted
//! by the collector); only lists, dicts, sets and the cells of captured and global variables are mutable.

use frazil::{Host, Shape};

use crate::host_type;

/// The tagging of words described in [the module](self).
#[derive(Debug)]
pub struct Tagging;

#[allow(unsafe_code)]
// SAFETY: references are exactly the words with the low bits 01, which `word` makes of a multiple of 8 and
// `address` undoes; EMPTY ends in 11; both are pure.
unsafe impl Host for Tagging {
    const EMPTY: u64 = immediate(Immediate::Unset, 0);

    #[inline(always)]
    fn address(word: u64) -> Option<usize> {
        (word & 3 == 1).then_some(word.wrapping_sub(1) as usize)
    }

    #[inline(always)]
    fn word(address: usize, _old: u64) -> u64 {
        address as u64 | 1
    }
}

/// The heap of an interpreter. Its brand is the shared one; see [`crate::engine`] for why that is sound.
pub type Heap = frazil::Heap<'static, Tagging>;
/// A Starlark value, or an internal object of the runtime.
pub type Value<'s> = frazil::Value<'s, 'static, Tagging>;
/// A value that is an object.
pub type Object<'s> = frazil::Object<'s, 'static, Tagging>;
/// An object of a shape that is known.
pub type Shaped<'s> = frazil::Shaped<'s, 'static, Tagging>;
/// An object in the making.
pub type Fresh<'s> = frazil::Fresh<'s, 'static, Tagging>;

#[derive(Clone, Copy)]
enum Immediate {
    Unset = 0,
    None = 1,
    Bool = 2,
    Builtin = 3,
}

const fn immediate(kind: Immediate, payload: u32) -> u64 {
    (payload as u64) << 8 | (kind as u64) << 2 | 3
}

const BITS_UNSET: u64 = immediate(Immediate::Unset, 0);
const BITS_NONE: u64 = immediate(Immediate::None, 0);
const BITS_FALSE: u64 = immediate(Immediate::Bool, 0);
const BITS_TRUE: u64 = immediate(Immediate::Bool, 1);

/// The largest int that needs no object.
pub const INT_MAX: i64 = i64::MAX >> 1;
/// The smallest int that needs no object.
pub const INT_MIN: i64 = i64::MIN >> 1;

/// What a value is. The numbers of the object kinds are those of their shapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
#[allow(missing_docs)] // The names say it.
pub enum Kind {
    /// No value: an unbound variable, an unused slot.
    Unset = 0,
    None,
    Bool,
    /// An int in the word itself.
    Int,
    Builtin,
    Str,
    /// An int of any size as an object.
    BigInt,
    Float,
    Bytes,
    Tuple,
    Range,
    List,
    Dict,
    Set,
    Struct,
    /// A module value, such as `json`.
    Module,
    Function,
    /// A method of a built-in type together with its receiver.
    Bound,
    /// What `"abc".elems()` and its relatives return.
    Elems,
    /// A value of one of the embedding program's types.
    Host,
    /// Internal: the variable part of a list, the entries of a dict or set.
    Slots,
    /// Internal: the hash index of a dict or set.
    Index,
    /// Internal: a variable shared by closures.
    Cell,
    /// Internal: what a function refers to outside of itself.
    Links,
}

/// Number of [`Kind`]s.
pub const KINDS: usize = Kind::Links as usize + 1;

/// Kinds by the numbers of shapes, as many as a power of two: the number is cut to its bits and needs no test.
const OF_SHAPE: [Kind; KINDS.next_power_of_two()] = {
    let mut kinds = [Kind::Unset; KINDS.next_power_of_two()];
    let mut number = 0;
    while number < KINDS {
        kinds[number] = Kind::ALL[number];
        number += 1;
    }
    kinds
};

impl Kind {
    /// All kinds by their numbers.
    pub const ALL: [Kind; KINDS] = [
        Kind::Unset,
        Kind::None,
        Kind::Bool,
        Kind::Int,
        Kind::Builtin,
        Kind::Str,
        Kind::BigInt,
        Kind::Float,
        Kind::Bytes,
        Kind::Tuple,
        Kind::Range,
        Kind::List,
        Kind::Dict,
        Kind::Set,
        Kind::Struct,
        Kind::Module,
        Kind::Function,
        Kind::Bound,
        Kind::Elems,
        Kind::Host,
        Kind::Slots,
        Kind::Index,
        Kind::Cell,
        Kind::Links,
    ];

    /// What `type` says of values of this kind (of most of them, for [`Kind::Elems`] and [`Kind::Host`]).
    pub fn type_name(self) -> &'static str {
        match self {
            Kind::None => "NoneType",
            Kind::Bool => "bool",
            Kind::Int | Kind::BigInt => "int",
            Kind::Builtin | Kind::Bound => "builtin_function_or_method",
            Kind::Str => "string",
            Kind::Float => "float",
            Kind::Bytes => "bytes",
            Kind::Tuple => "tuple",
            Kind::Range => "range",
            Kind::List => "list",
            Kind::Dict => "dict",
            Kind::Set => "set",
            Kind::Struct => "struct",
            Kind::Module => "module",
            Kind::Function => "function",
            Kind::Elems => "string.elems",
            Kind::Host => "host value",
            Kind::Unset | Kind::Slots | Kind::Index | Kind::Cell | Kind::Links => "internal",
        }
    }
}

/// The shapes of the runtime's objects.
pub mod shapes {
    use super::{Kind, Shape};

    /// A string that is valid UTF-8.
    pub const STR: Shape = Shape::new(Kind::Str as u16, "string").text();
    /// A string that is not: a part of one, cut through a code point.
    pub const RAW_STR: Shape = Shape::new(Kind::Str as u16, "string").bytes();
    /// An int: two's complement in as few bytes as possible, least byte first.
    pub const BIGINT: Shape = Shape::new(Kind::BigInt as u16, "int").bytes();
    /// A float: its bits, least byte first.
    pub const FLOAT: Shape = Shape::new(Kind::Float as u16, "float").bytes();
    /// A bytes value.
    pub const BYTES: Shape = Shape::new(Kind::Bytes as u16, "bytes").bytes();
    /// A tuple: its elements.
    pub const TUPLE: Shape = Shape::new(Kind::Tuple as u16, "tuple").references_tail();
    /// A range: start, stop, step and length.
    pub const RANGE: Shape = Shape::new(Kind::Range as u16, "range").raw_words(4);
    /// A list: length and number of iterations in progress; slots.
    pub const LIST: Shape = Shape::new(Kind::List as u16, "list").raw_words(2).references(1).mutable();
    /// A dict: see [`crate::data::table`].
    pub const DICT: Shape = Shape::new(Kind::Dict as u16, "dict").raw_words(1).references(2).mutable();
    /// A set: see [`crate::data::table`].
    pub const SET: Shape = Shape::new(Kind::Set as u16, "set").raw_words(1).references(2).mutable();
    /// A struct: the tuple of its field names, sorted; then the values in the same order.
    pub const STRUCT: Shape = Shape::new(Kind::Struct as u16, "struct").references_tail();
    /// A module value: its name; a struct of its members.
    pub const MODULE: Shape = Shape::new(Kind::Module as u16, "module").references(2);
    /// A function: the number of its code, and one of its own; links, defaults, captured cells.
    pub const FUNCTION: Shape = Shape::new(Kind::Function as u16, "function").raw_words(1).references_tail();
    /// A bound method: the number of the method, and one of its own; the receiver.
    pub const BOUND: Shape = Shape::new(Kind::Bound as u16, "bound method").raw_words(2).references(1);
    /// The elements of a string or bytes: which elements; the string.
    pub const ELEMS: Shape = Shape::new(Kind::Elems as u16, "elems").raw_words(1).references(1);
    /// A host value: its data and type; the name of its type, its key, its parts (see [`crate::host_type`]).
    pub const HOST: Shape = Shape::new(Kind::Host as u16, "host value").raw_words(1).references_tail();
    /// The same of a mutable type.
    pub const HOST_MUTABLE: Shape =
        Shape::new(Kind::Host as u16, "host value").raw_words(1).references_tail().mutable();
    /// Slots of a list, entries of a dict or set.
    pub const SLOTS: Shape = Shape::new(Kind::Slots as u16, "slots").references_tail().mutable();
    /// Hash index of a dict or set.
    pub const INDEX: Shape = Shape::new(Kind::Index as u16, "index").bytes().mutable();
    /// A captured or global variable.
    pub const CELL: Shape = Shape::new(Kind::Cell as u16, "cell").references(1).mutable();
    /// What the functions with some code refer to: see [`crate::code::Link`].
    pub const LINKS: Shape = Shape::new(Kind::Links as u16, "links").references_tail();
}

/// No value.
pub const fn unset<'s>() -> Value<'s> {
    Value::EMPTY
}

/// `None`
#[inline(always)]
pub fn none<'s>() -> Value<'s> {
    Value::immediate(BITS_NONE)
}

/// `True` or `False`
#[inline(always)]
pub fn boolean<'s>(b: bool) -> Value<'s> {
    Value::immediate(BITS_FALSE + (u64::from(b) << 8))
}

/// The built-in function with this number.
#[inline(always)]
pub fn builtin<'s>(number: u32) -> Value<'s> {
    Value::immediate(immediate(Immediate::Builtin, number))
}

/// An int that is known to be small, such as a length.
#[inline(always)]
pub fn small_int<'s>(i: i64) -> Value<'s> {
    debug_assert!((INT_MIN..=INT_MAX).contains(&i));
    Value::immediate((i << 1) as u64)
}

/// The sum, if both are ints in the word and it is one, too. The words are twice the ints: what is too large overflows.
#[inline(always)]
pub fn add_small<'s>(a: Value<'s>, b: Value<'s>) -> Option<Value<'s>> {
    if (a.bits() | b.bits()) & 1 != 0 {
        return None;
    }
    (a.bits() as i64).checked_add(b.bits() as i64).map(|sum| small_int(sum >> 1))
}

/// The difference, as [`add_small`].
#[inline(always)]
pub fn sub_small<'s>(a: Value<'s>, b: Value<'s>) -> Option<Value<'s>> {
    if (a.bits() | b.bits()) & 1 != 0 {
        return None;
    }
    (a.bits() as i64).checked_sub(b.bits() as i64).map(|difference| small_int(difference >> 1))
}

/// A length as a value.
#[inline(always)]
pub fn length<'s>(len: usize) -> Value<'s> {
    small_int(len as i64)
}

/// What the runtime asks of values.
pub trait ValueExt<'s>: Copy {
    /// What it is.
    fn kind(self) -> Kind;
    /// The int in the word.
    fn as_small(self) -> Option<i64>;
    /// Is it the mark for no value?
    fn is_unset(self) -> bool;
    /// Is it `None`?
    fn is_none(self) -> bool;
    /// The text of a string that is valid UTF-8.
    fn as_str(self) -> Option<&'s str>;
    /// The bytes of any string.
    fn as_text(self) -> Option<&'s [u8]>;
    /// The object, if it is of this kind.
    fn as_kind(self, kind: Kind) -> Option<Object<'s>>;
    /// The truth value of a bool.
    fn as_bool(self) -> Option<bool>;
    /// The number of a built-in function.
    fn as_builtin(self) -> Option<u32>;
    /// The float, if it is one.
    fn as_float(self) -> Option<f64>;
    /// What `type` says.
    fn type_name(self) -> &'s str;
}

impl<'s> ValueExt<'s> for Value<'s> {
    #[inline(always)]
    fn kind(self) -> Kind {
        match self.object() {
            Some(object) => OF_SHAPE[object.shape_id() as usize % OF_SHAPE.len()],
            None if self.bits() & 1 == 0 => Kind::Int,
            None => match self.bits() {
                BITS_UNSET => Kind::Unset,
                BITS_NONE => Kind::None,
                BITS_FALSE | BITS_TRUE => Kind::Bool,
                _ => Kind::Builtin,
            },
        }
    }

    #[inline(always)]
    fn as_small(self) -> Option<i64> {
        (self.bits() & 1 == 0).then_some(self.bits() as i64 >> 1)
    }

    #[inline(always)]
    fn is_unset(self) -> bool {
        self.bits() == BITS_UNSET
    }

    #[inline(always)]
    fn is_none(self) -> bool {
        self.bits() == BITS_NONE
    }

    #[inline(always)]
    fn as_str(self) -> Option<&'s str> {
        Some(self.object()?.shaped(&shapes::STR)?.text())
    }

    #[inline(always)]
    fn as_text(self) -> Option<&'s [u8]> {
        let object = self.object()?;
        match object.shaped(&shapes::STR) {
            Some(text) => Some(text.bytes()),
            None => object.shaped(&shapes::RAW_STR).map(Shaped::bytes),
        }
    }

    #[inline(always)]
    fn as_kind(self, kind: Kind) -> Option<Object<'s>> {
        self.object().filter(|object| object.shape_id() == kind as u16)
    }

    #[inline(always)]
    fn as_bool(self) -> Option<bool> {
        match self.bits() {
            BITS_FALSE => Some(false),
            BITS_TRUE => Some(true),
            _ => None,
        }
    }

    #[inline(always)]
    fn as_builtin(self) -> Option<u32> {
        (self.bits() & 0xff == immediate(Immediate::Builtin, 0)).then_some((self.bits() >> 8) as u32)
    }

    #[inline(always)]
    fn as_float(self) -> Option<f64> {
        self.as_kind(Kind::Float).map(|object| f64::from_bits(object.number::<u64>(0)))
    }

    fn type_name(self) -> &'s str {
        match self.kind() {
            Kind::Host => self.object().and_then(|host| host.get(host_type::TYPE).as_str()).unwrap_or(""),
            Kind::Elems => crate::data::elems::type_name(self),
            kind => kind.type_name(),
        }
    }
}

/// For functions that are given objects of one shape only, and have been given another.
#[cold]
#[inline(never)]
pub(crate) fn misshapen(object: Object<'_>, wanted: &str) -> ! {
    panic!("{object:?} is no {wanted}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_say_what_they_are() {
        for i in [0, 1, -1, 7, INT_MAX, INT_MIN] {
            assert_eq!(small_int(i).as_small(), Some(i));
            assert_eq!(small_int(i).kind(), Kind::Int);
        }
        assert_eq!(none().kind(), Kind::None);
        assert_eq!((boolean(true).as_bool(), boolean(false).as_bool()), (Some(true), Some(false)));
        assert_eq!((builtin(9).kind(), builtin(9).as_builtin()), (Kind::Builtin, Some(9)));
        assert!(unset().is_unset());
        assert_eq!(none().as_builtin(), None);
    }

    #[test]
    fn sums_and_differences_stay_in_the_word_or_are_none() {
        let ints = [0, 1, -1, 7, INT_MAX - 1, INT_MAX, INT_MIN, INT_MIN + 1];
        let in_word = |i: i64| (INT_MIN..=INT_MAX).contains(&i).then(|| small_int(i));
        for (a, b) in ints.iter().flat_map(|&a| ints.map(|b| (a, b))) {
            assert!(add_small(small_int(a), small_int(b)) == in_word(a + b), "{a} + {b}");
            assert!(sub_small(small_int(a), small_int(b)) == in_word(a - b), "{a} - {b}");
        }
        assert!(
            add_small(none(), small_int(1)).is_none() && sub_small(small_int(1), boolean(true)).is_none()
        );
    }

    #[test]
    fn shape_numbers_are_kinds() {
        for (id, kind) in Kind::ALL.iter().enumerate() {
            assert_eq!(id, *kind as usize);
        }
    }
}
