//! Assignments to several targets at once.

use std::cell::Cell;

use crate::advice;
use crate::cx::Cx;
use crate::data::{iter, list, sequence};
use crate::failure::{Failure, Res, fail};
use crate::value::{Kind, Value, ValueExt};

/// `a, b = value`: takes the elements of a value apart.
///
/// # Errors
/// There are more or fewer than targets, or none at all.
pub(super) fn unpack<'s>(cx: Cx<'s>, value: Value<'s>, targets: &[Cell<Value<'s>>]) -> Res<()> {
    let want = targets.len();
    let count = |got: usize| -> Res<()> {
        if got == want {
            return Ok(());
        }
        let what = if got > want { "many" } else { "few" };
        fail!("too {what} values to unpack (got {got}, want {want})")
    };
    match (value.kind(), value.object()) {
        (Kind::Tuple, Some(tuple)) => {
            count(tuple.reference_count())?;
            for (target, value) in targets.iter().zip(tuple.references().iter()) {
                target.set(value);
            }
        }
        (Kind::List, Some(list)) => {
            count(list::len(list))?;
            for (target, value) in targets.iter().zip(list::items(list)) {
                target.set(value);
            }
        }
        _ => {
            let Some(iter) = iter::iterate(cx, value)? else {
                let help = match value.kind() {
                    Kind::Str => Some(advice::TARGETS),
                    _ => advice::on_none(value),
                };
                let message = format!("got {} in sequence assignment", value.type_name());
                return Err(Failure::new(message).help_if(help));
            };
            // A range may have more elements than there is memory.
            sequence::len(value).map_or(Ok(()), count)?;
            let values = iter.collect()?;
            count(values.len())?;
            for (target, value) in targets.iter().zip(values) {
                target.set(value);
            }
        }
    }
    Ok(())
}
