//! Module values, such as `json`: a name and a struct of members.
//!
//! A program can only read members of a module; unlike a struct, it cannot be compared or hashed.

use crate::cx::Cx;
use crate::failure::Res;
use crate::value::{Object, Value, shapes};

use super::record;

/// Slots in a module.
const NAME: usize = 0;
const MEMBERS: usize = 1;

/// A module of members in any order.
///
/// # Errors
/// A name is given twice, or memory ran out.
pub fn make<'s>(cx: Cx<'s>, name: &str, members: Vec<(Value<'s>, Value<'s>)>) -> Res<Value<'s>> {
    let name = cx.str(name)?;
    let members = record::make(cx, members)?;
    let mut fresh = cx.alloc(&shapes::MODULE, 0)?;
    fresh.references_mut()[NAME] = name;
    fresh.references_mut()[MEMBERS] = members;
    Ok(fresh.finish().into())
}

/// Its name.
pub fn name(module: Object<'_>) -> Value<'_> {
    module.get(NAME)
}

/// The struct of its members.
pub fn members(module: Object<'_>) -> Option<Object<'_>> {
    module.get(MEMBERS).object()
}
