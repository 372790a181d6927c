//! Iteration over values, in two forms: for built-in functions, which cannot be interrupted, and for loops of the
//! program, whose state lives in registers.

use crate::advice;
use crate::cx::Cx;
use crate::failure::{Failure, Res};
use crate::resident::Step;
use crate::residents;
use crate::value::{INT_MAX, INT_MIN, Kind, Object, Value, ValueExt, length, none, small_int};

use super::{elems, int, list, sequence, table};

/// Where an iteration over an object stands.
#[derive(Clone, Copy)]
pub struct Iter<'s> {
    cx: Cx<'s>,
    kind: Kind,
    object: Object<'s>,
    at: usize,
    /// Of a host value that is iterated over by itself, where it stands.
    state: Value<'s>,
}

/// Iterates over a value, if it is iterable, without guarding it against changes: only for those who make none.
///
/// # Errors
/// It is a host value that panicked when it was asked for its elements.
#[inline]
pub fn iterate<'s>(cx: Cx<'s>, value: Value<'s>) -> Res<Option<Iter<'s>>> {
    let value = source(cx, value)?;
    let kind = value.kind();
    Ok(match kind {
        Kind::Tuple | Kind::List | Kind::Dict | Kind::Set | Kind::Range | Kind::Elems | Kind::Host => {
            value.object().map(|object| Iter { cx, kind, object, at: 0, state: none() })
        }
        _ => None,
    })
}

/// What a value is iterated over by, which is what [`begin`] and [`end`] can be called with, too: a host value by its elements,
/// unless it hands them out by itself. What is not iterable is not iterable here, either.
///
/// # Errors
/// As [`iterate`].
#[inline]
pub fn source<'s>(cx: Cx<'s>, value: Value<'s>) -> Res<Value<'s>> {
    if value.kind() == Kind::Host { source_of_host(cx, value) } else { Ok(value) }
}

fn source_of_host<'s>(cx: Cx<'s>, value: Value<'s>) -> Res<Value<'s>> {
    let (resident, object) = residents::resident(cx, value)?;
    if resident.is_iterated() {
        return Ok(value);
    }
    let elements = resident.elements(object)?;
    // A host value is not followed any further, so that this ends.
    Ok(elements.filter(|elements| elements.kind() != Kind::Host).unwrap_or(none()))
}

impl<'s> Iter<'s> {
    /// The next element.
    ///
    /// # Errors
    /// Memory or the program's steps ran out.
    #[inline]
    pub fn step(&mut self) -> Res<Option<Value<'s>>> {
        self.cx.host.meter.step()?;
        self.next()
    }

    #[inline]
    fn next(&mut self) -> Res<Option<Value<'s>>> {
        if self.kind == Kind::Host {
            let stepped = step_host(self.cx, self.object, self.state)?;
            return Ok(stepped.map(|(value, state)| {
                self.state = state;
                value
            }));
        }
        Ok(step(self.cx, self.kind, self.object, self.at)?.map(|(value, at)| {
            self.at = at;
            value
        }))
    }

    /// Does `test` hold for one of the elements that are left? A step for each that is looked at.
    ///
    /// # Errors
    /// Memory or the program's steps ran out.
    pub fn any(mut self, test: impl Fn(Value<'s>) -> bool) -> Res<bool> {
        let mut looked_at = 0;
        let counting = |value: Value<'s>| {
            looked_at += 1;
            test(value)
        };
        let found = match self.kind {
            Kind::List => list::items(self.object).skip(self.at).any(counting),
            Kind::Tuple => self.object.references().iter().skip(self.at).any(counting),
            _ => {
                while let Some(value) = self.step()? {
                    if test(value) {
                        return Ok(true);
                    }
                }
                return Ok(false);
            }
        };
        self.cx.host.meter.steps(looked_at)?;
        Ok(found)
    }

    /// How many elements are left at least.
    pub fn size_hint(&self) -> usize {
        sequence::len(self.object.into()).unwrap_or(0)
    }

    /// All elements that are left.
    ///
    /// # Errors
    /// Memory or the program's steps ran out.
    pub fn collect(mut self) -> Res<Vec<Value<'s>>> {
        let len = self.size_hint();
        self.cx.host.meter.steps(len)?;
        let mut all = self.cx.vec(len)?;
        match self.kind {
            Kind::List => all.extend(list::items(self.object).skip(self.at)),
            Kind::Tuple => all.extend(self.object.references().iter().skip(self.at)),
            Kind::Range => {
                let range = sequence::Range::of(self.object);
                for at in self.at..range.len {
                    all.push(int::make(self.cx, range.get(at))?);
                }
            }
            _ => self.collect_into(&mut all)?,
        }
        Ok(all)
    }

    fn collect_into(&mut self, all: &mut Vec<Value<'s>>) -> Res<()> {
        while let Some(value) = self.next()? {
            // Who does not say how many there are may have no end.
            if all.len() == all.capacity() {
                self.cx.host.meter.steps(all.len() + 1)?;
                self.cx.check_room(2 * all.len())?;
            }
            all.push(value);
        }
        Ok(())
    }
}

/// All elements of an argument that must be iterable.
///
/// # Errors
/// It is not, or memory ran out.
pub fn collect<'s>(cx: Cx<'s>, value: Value<'s>, parameter: &str) -> Res<Vec<Value<'s>>> {
    match iterate(cx, value)? {
        Some(iter) => iter.collect(),
        None => Err(not_iterable(parameter, value)),
    }
}

/// The error of an argument that must be iterable, and is not.
#[cold]
pub fn not_iterable(parameter: impl std::fmt::Display, value: Value<'_>) -> Box<Failure> {
    let message = format!("for parameter {parameter}: got {}, want iterable", value.type_name());
    Failure::new(message).help_if(advice::on_iteration(value))
}

fn step_host<'s>(cx: Cx<'s>, object: Object<'s>, state: Value<'s>) -> Res<Step<'s>> {
    let (resident, object) = residents::resident(cx, object.into())?;
    resident.next(object, cx, state)
}

/// The element of an iterable at state `at` and the state behind it. States begin at 0.
#[inline(always)]
fn step<'s>(cx: Cx<'s>, kind: Kind, object: Object<'s>, at: usize) -> Res<Option<(Value<'s>, usize)>> {
    Ok(match kind {
        Kind::List if at < list::len(object) => Some((list::get(object, at), at + 1)),
        Kind::Tuple if at < object.reference_count() => Some((object.get(at), at + 1)),
        Kind::Range => {
            let range = sequence::Range::of(object);
            if at < range.len { Some((int::make(cx, range.get(at))?, at + 1)) } else { None }
        }
        Kind::Dict | Kind::Set => table::next_key(object, at),
        Kind::Elems => elems::step(cx, object, at)?,
        _ => None,
    })
}

// ---------------------------------------------------------------------------------------------- loops

/// Begins a loop over a value: it is guarded against changes until [`end`]. The state of a loop is two words: the
/// iterable and a number. A range with step 1 has its bound in the first word instead.
///
/// # Errors
/// The value is not iterable.
pub fn begin<'s>(cx: Cx<'s>, value: Value<'s>) -> Res<[Value<'s>; 2]> {
    match (value.kind(), value.object()) {
        (Kind::List, Some(object)) => list::begin_iteration(cx, object),
        (Kind::Dict | Kind::Set, Some(object)) => table::begin_iteration(cx, object)?,
        (Kind::Range, Some(object)) => {
            let range = sequence::Range::of(object);
            if range.step == 1 && range.len > 0 && range.stop < INT_MAX && range.start >= INT_MIN {
                return Ok([small_int(range.stop), small_int(range.start)]);
            }
        }
        (Kind::Tuple | Kind::Elems, _) => {}
        (Kind::Host, _) => match source_of_host(cx, value)? {
            own if own.kind() == Kind::Host => return Ok([own, none()]),
            none if none.is_none() => return Err(no_source(value)),
            elements => return begin(cx, elements),
        },
        _ => return Err(no_source(value)),
    }
    Ok([value, length(0)])
}

/// The error of a loop over something that is not iterable.
#[cold]
pub fn no_source(value: Value<'_>) -> Box<Failure> {
    Failure::new(format!("{} value is not iterable", value.type_name())).help_if(advice::on_iteration(value))
}

/// The next element and the second word of the state behind it; `None` at the end. (A loop over a list looks for itself.)
///
/// # Errors
/// Memory ran out; the step can be repeated.
#[inline(always)]
pub fn advance<'s>(cx: Cx<'s>, first: Value<'s>, second: Value<'s>) -> Res<Option<(Value<'s>, Value<'s>)>> {
    let at = second.as_small().unwrap_or(0);
    let Some(object) = first.object() else { return Ok(None) };
    if object.shape_id() == Kind::Host as u16 {
        return step_host(cx, object, second);
    }
    advance_other(cx, first, object, at as usize)
}

#[inline(never)]
fn advance_other<'s>(
    cx: Cx<'s>,
    first: Value<'s>,
    object: Object<'s>,
    at: usize,
) -> Res<Option<(Value<'s>, Value<'s>)>> {
    Ok(step(cx, first.kind(), object, at)?.map(|(value, at)| (value, length(at))))
}

/// The loop over this iterable (the first word of its state) is over.
pub fn end<'s>(cx: Cx<'s>, first: Value<'s>) {
    match (first.kind(), first.object()) {
        (Kind::List, Some(object)) => list::end_iteration(cx, object),
        (Kind::Dict | Kind::Set, Some(object)) => table::end_iteration(cx, object),
        _ => {}
    }
}
