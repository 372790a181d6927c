//! Equality, order and hashes of deeply nested values, with a stack of our own: the depth may be anything.
//!
//! [`equal`](super::equal) and [`hash`](super::hash) walk the first levels by themselves, which is faster, and come
//! here with what is nested deeper.

use std::cmp::Ordering;
use std::collections::HashSet;

use crate::failure::{Res, fail};
use crate::value::{Kind, Object, Value, ValueExt};

use super::{equal, hash, list, record, table};

/// From this depth on, the walk looks out for cycles.
const WATCHED: usize = 1000;

/// Two containers of the same kind that are being compared.
struct Level<'s> {
    kind: Kind,
    x: Object<'s>,
    y: Object<'s>,
    /// Pairs, or positions in `x`, that have been handed out.
    at: usize,
}

impl<'s> Level<'s> {
    /// The next pair of parts. What one of them lacks is unset.
    fn next(&mut self) -> Res<Option<(Value<'s>, Value<'s>)>> {
        let (x, y) = (self.x, self.y);
        let at = self.at;
        self.at += 1;
        Ok(match self.kind {
            Kind::List if at < list::len(x).min(list::len(y)) => Some((list::get(x, at), list::get(y, at))),
            Kind::Tuple if at < x.reference_count().min(y.reference_count()) => Some((x.get(at), y.get(at))),
            Kind::Struct if at < record::len(x) => Some((record::value(x, at), record::value(y, at))),
            Kind::Dict => match table::next(x, at) {
                Some(position) => {
                    self.at = position + 1;
                    let other = table::get(y, table::key(x, position))?;
                    Some((table::value(x, position), other.unwrap_or(Value::EMPTY)))
                }
                None => None,
            },
            _ => None,
        })
    }

    /// Is there as much in both, and under the same names?
    fn may_be_equal(&self) -> bool {
        self.lengths().is_eq() && (self.kind != Kind::Struct || record::same_names(self.x, self.y))
    }

    fn lengths(&self) -> Ordering {
        match self.kind {
            Kind::List => list::len(self.x).cmp(&list::len(self.y)),
            Kind::Tuple => self.x.reference_count().cmp(&self.y.reference_count()),
            Kind::Dict => table::len(self.x).cmp(&table::len(self.y)),
            _ => record::len(self.x).cmp(&record::len(self.y)),
        }
    }
}

/// The way from the operands to the current pair.
#[derive(Default)]
struct Path<'s> {
    levels: Vec<Level<'s>>,
    /// The first containers of all levels, once there are many.
    watched: HashSet<u64>,
}

impl<'s> Path<'s> {
    /// Goes into a pair of containers. A container inside of itself has no end and is an error.
    fn enter(&mut self, kind: Kind, x: Object<'s>, y: Object<'s>) -> Res<()> {
        self.levels.push(Level { kind, x, y, at: 0 });
        if self.levels.len() < WATCHED {
            return Ok(());
        }
        if self.levels.len() == WATCHED {
            let others = &self.levels[..WATCHED - 1];
            self.watched = others.iter().map(|level| Value::from(level.x).bits()).collect();
        }
        if self.levels.len() > WATCHED && !self.watched.insert(Value::from(x).bits()) {
            fail!("comparison exceeded maximum recursion depth");
        }
        Ok(())
    }

    fn leave(&mut self) {
        if let Some(level) = self.levels.pop()
            && self.levels.len() >= WATCHED
        {
            self.watched.remove(&Value::from(level.x).bits());
        }
    }
}

/// The containers, if both are of the same kind that this walk goes into.
fn containers<'s>(a: Value<'s>, b: Value<'s>) -> Option<(Kind, Object<'s>, Object<'s>)> {
    let kind = a.kind();
    match (kind, a.object(), b.object()) {
        (Kind::List | Kind::Tuple | Kind::Dict | Kind::Struct, Some(x), Some(y)) if b.kind() == kind => {
            Some((kind, x, y))
        }
        _ => None,
    }
}

/// `a == b`
///
/// # Errors
/// A container is inside of itself.
pub(super) fn equal<'s>(a: Value<'s>, b: Value<'s>) -> Res<bool> {
    let mut path = Path::default();
    let Some((kind, x, y)) = containers(a, b) else { return equal::equal_leaves(a, b) };
    path.enter(kind, x, y)?;
    while let Some(level) = path.levels.last_mut() {
        if level.at == 0 && !level.may_be_equal() {
            return Ok(false);
        }
        match level.next()? {
            None => path.leave(),
            Some((a, b)) => match containers(a, b) {
                Some((kind, x, y)) => path.enter(kind, x, y)?,
                None if equal::equal_leaves(a, b)? => {}
                None => return Ok(false),
            },
        }
    }
    Ok(true)
}

/// The order of two values that are parts of others: what has no order may still be equal.
///
/// # Errors
/// The values have no order, or a container is inside of itself.
pub(super) fn compare<'s>(operator: &str, a: Value<'s>, b: Value<'s>) -> Res<Ordering> {
    let mut path = Path::default();
    let mut pair = Some((a, b));
    loop {
        if let Some((a, b)) = pair {
            match containers(a, b) {
                Some((kind @ (Kind::List | Kind::Tuple), x, y)) => path.enter(kind, x, y)?,
                _ => match equal::compare_leaves(a, b) {
                    Some(Ordering::Equal) => {}
                    Some(order) => return Ok(order),
                    None if equal(a, b)? => {}
                    None => return Err(equal::no_order(operator, a, b)),
                },
            }
        }
        let Some(level) = path.levels.last_mut() else { return Ok(Ordering::Equal) };
        pair = level.next()?;
        if pair.is_none() {
            let lengths = level.lengths();
            if lengths.is_ne() {
                return Ok(lengths);
            }
            path.leave();
        }
    }
}

/// The hash of a tuple or struct. (What is hashable has no cycles.)
///
/// # Errors
/// Something in it is of a mutable type.
pub(super) fn hash(value: Value<'_>) -> Res<u64> {
    /// The object, the next of its references, the hash of those before.
    type Open<'s> = (Object<'s>, usize, u64);
    fn open(value: Value<'_>) -> Option<Open<'_>> {
        let first = match value.kind() {
            Kind::Tuple => 0,
            Kind::Struct => 1,
            _ => return None,
        };
        value.object().map(|object| (object, first, hash::SEED))
    }
    let Some(outermost) = open(value) else { return hash::leaf(value) };
    let mut levels = vec![outermost];
    loop {
        let Some((object, next, so_far)) = levels.last_mut() else { return Ok(hash::SEED) };
        if *next < object.reference_count() {
            let part = object.get(*next);
            *next += 1;
            match open(part) {
                Some(inner) => levels.push(inner),
                None => *so_far = hash::combine(*so_far, hash::leaf(part)?),
            }
            continue;
        }
        let whole = *so_far;
        levels.pop();
        match levels.last_mut() {
            None => return Ok(whole),
            Some((_, _, so_far)) => *so_far = hash::combine(*so_far, whole),
        }
    }
}
