//! Equality, order and hashes of deeply nested values, with a stack of our own: the depth may be anything.
//!
//! [`equal`](super::equal) and [`hash`](super::hash) do it by recursion first, which is faster, and come here with what is
//! deep or large. Structures with much in common have far more paths than parts: what was found equal, or has a hash, is
//! remembered until the walk is over, so that the walk takes as long as there are parts (or pairs that meet).

use std::cmp::Ordering;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::cx::Cx;
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
    /// Whether there were containers among them.
    nested: bool,
}

impl<'s> Level<'s> {
    /// The next pair of parts. What one of them lacks is unset.
    fn next(&mut self, cx: Cx<'s>) -> Res<Option<(Value<'s>, Value<'s>)>> {
        cx.host.meter.step()?;
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
                    let other = table::get(cx, y, table::key(x, position))?;
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
    watched: FxHashSet<u64>,
    /// Pairs of containers with containers in them that were found equal.
    equal: FxHashSet<(u64, u64)>,
}

impl<'s> Path<'s> {
    /// Goes into a pair of containers, unless it is known to be equal. A container inside of itself has no end and is an
    /// error.
    fn enter(&mut self, kind: Kind, x: Object<'s>, y: Object<'s>) -> Res<()> {
        if let Some(around) = self.levels.last_mut() {
            around.nested = true;
        }
        if self.equal.contains(&pair(x, y)) {
            return Ok(());
        }
        self.levels.push(Level { kind, x, y, at: 0, nested: false });
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

    /// The pair on top is equal.
    fn leave(&mut self) {
        let Some(level) = self.levels.pop() else { return };
        if level.nested {
            self.equal.insert(pair(level.x, level.y));
        }
        if self.levels.len() >= WATCHED {
            self.watched.remove(&Value::from(level.x).bits());
        }
    }
}

/// What tells a pair of objects from others while nothing moves.
fn pair(x: Object<'_>, y: Object<'_>) -> (u64, u64) {
    (Value::from(x).bits(), Value::from(y).bits())
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
pub(super) fn equal<'s>(cx: Cx<'s>, a: Value<'s>, b: Value<'s>) -> Res<bool> {
    let mut path = Path::default();
    let Some((kind, x, y)) = containers(a, b) else { return equal::equal_leaves(cx, a, b) };
    path.enter(kind, x, y)?;
    while let Some(level) = path.levels.last_mut() {
        if level.at == 0 && !level.may_be_equal() {
            return Ok(false);
        }
        match level.next(cx)? {
            None => path.leave(),
            Some((a, b)) => match containers(a, b) {
                Some((kind, x, y)) => path.enter(kind, x, y)?,
                None if equal::equal_leaves(cx, a, b)? => {}
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
pub(super) fn compare<'s>(cx: Cx<'s>, operator: &str, a: Value<'s>, b: Value<'s>) -> Res<Ordering> {
    let mut path = Path::default();
    let mut pair = Some((a, b));
    loop {
        if let Some((a, b)) = pair {
            match containers(a, b) {
                Some((kind @ (Kind::List | Kind::Tuple), x, y)) => path.enter(kind, x, y)?,
                _ => match equal::compare_leaves(a, b) {
                    Some(Ordering::Equal) => {}
                    Some(order) => return Ok(order),
                    None if equal(cx, a, b)? => {}
                    None => return Err(equal::no_order(operator, a, b)),
                },
            }
        }
        let Some(level) = path.levels.last_mut() else { return Ok(Ordering::Equal) };
        pair = level.next(cx)?;
        if pair.is_none() {
            let lengths = level.lengths();
            if lengths.is_ne() {
                return Ok(lengths);
            }
            path.leave();
        }
    }
}

/// A tuple or struct that is being hashed.
struct Open<'s> {
    object: Object<'s>,
    /// The next of its references.
    next: usize,
    /// The hash of those before.
    hash: u64,
    /// Whether there were tuples or structs among them.
    nested: bool,
}

impl<'s> Open<'s> {
    fn new(value: Value<'s>) -> Option<Open<'s>> {
        let next = match value.kind() {
            Kind::Tuple => 0,
            Kind::Struct => 1,
            _ => return None,
        };
        value.object().map(|object| Open { object, next, hash: hash::SEED, nested: false })
    }

    fn add(&mut self, part: u64) {
        self.hash = hash::combine(self.hash, part);
    }
}

/// The hash of a tuple or struct. (What is hashable has no cycles.)
///
/// # Errors
/// Something in it is of a mutable type.
pub(super) fn hash<'s>(cx: Cx<'s>, value: Value<'s>) -> Res<u64> {
    let Some(outermost) = Open::new(value) else { return hash::leaf(value) };
    // The hashes of those with others in them.
    let mut known: FxHashMap<u64, u64> = FxHashMap::default();
    let mut levels = vec![outermost];
    loop {
        let Some(level) = levels.last_mut() else { return Ok(hash::SEED) };
        cx.host.meter.step()?;
        if level.next < level.object.reference_count() {
            let part = level.object.get(level.next);
            level.next += 1;
            match Open::new(part) {
                None => level.add(hash::leaf(part)?),
                Some(inner) => {
                    level.nested = true;
                    match known.get(&part.bits()) {
                        Some(&hash) => level.add(hash),
                        None => levels.push(inner),
                    }
                }
            }
            continue;
        }
        let Some(whole) = levels.pop() else { return Ok(hash::SEED) };
        if whole.nested {
            known.insert(Value::from(whole.object).bits(), whole.hash);
        }
        match levels.last_mut() {
            None => return Ok(whole.hash),
            Some(around) => around.add(whole.hash),
        }
    }
}
