//! The Rust data of host values: who lives there, and who has gone.

use std::any::TypeId;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use frazil::AllocError;

use crate::builtins::methods::Method;
use crate::cx::Cx;
use crate::failure::{Res, fail};
use crate::guard::caught;
use crate::host_type::{HostType, KEY, Key, Member, TYPE};
use crate::resident::Resident;
use crate::value::{Heap, Kind, Object, Value, ValueExt, shapes};

/// The raw word of a host value's object: its place in the table, the number of its type, and whether it is false.
const TYPE_SHIFT: u32 = 32;
const FALSE: u64 = 1 << 63;
/// Numbers of methods of host types: this bit, the number of the type, the index among its members.
const METHOD: u64 = 1 << 62;
const MEMBER_BITS: u32 = 16;

/// The data of one host value.
struct Entry {
    resident: Rc<dyn Resident>,
    /// Tells whether the object still lives.
    weak: frazil::Weak<'static>,
    /// What the data takes.
    bytes: usize,
}

/// The data of all host values of an engine, and their types.
#[derive(Default)]
pub(crate) struct Residents {
    entries: RefCell<Vec<Option<Entry>>>,
    free: RefCell<Vec<u32>>,
    /// The place of the entry that has this weak reference, by its number.
    places: RefCell<Vec<u32>>,
    /// The members of each type, by its number.
    types: RefCell<Vec<&'static [Member]>>,
    numbers: RefCell<HashMap<TypeId, u64>>,
    /// What all the data takes, and what it took after the last collection.
    bytes: Cell<usize>,
    bytes_before: Cell<usize>,
}

impl Residents {
    /// A host value.
    ///
    /// # Errors
    /// Memory ran out.
    pub fn make<'s, T: HostType>(&self, cx: Cx<'s>, data: Rc<T>, parts: &[Value<'s>]) -> Res<Object<'s>> {
        let bytes = size_of::<T>().saturating_add(data.bytes());
        self.charge(cx, bytes)?;
        let name = cx.intern(T::NAME)?;
        let key = match data.key().filter(|_| !T::MUTABLE) {
            None => Value::EMPTY,
            Some(Key::Int(i)) => crate::data::int::make(cx, i)?,
            Some(Key::Text(text)) => cx.str(&text)?,
        };
        let shape = if T::MUTABLE { &shapes::HOST_MUTABLE } else { &shapes::HOST };
        let mut fresh = cx.alloc(shape, 2 + parts.len())?;
        // What may panic comes before the place is taken, which nobody would give back.
        let falsehood = if data.truth() { 0 } else { FALSE };
        let place = self.free.borrow_mut().pop().unwrap_or_else(|| {
            self.entries.borrow_mut().push(None);
            self.entries.borrow().len() as u32 - 1
        });
        fresh.raw_mut()[0] = u64::from(place) | self.number::<T>() << TYPE_SHIFT | falsehood;
        let references = fresh.references_mut();
        references[TYPE] = name;
        references[KEY] = key;
        references[2..].copy_from_slice(parts);
        let object = fresh.finish();
        let entry = Entry { resident: data, weak: cx.heap.weak(object), bytes };
        let mut places = self.places.borrow_mut();
        if places.len() <= entry.weak.number() {
            places.resize(entry.weak.number() + 1, 0);
        }
        places[entry.weak.number()] = place;
        self.bytes.set(self.bytes.get() + bytes);
        self.entries.borrow_mut()[place as usize] = Some(entry);
        Ok(object)
    }

    /// What all the data takes.
    pub fn bytes(&self) -> usize {
        self.bytes.get()
    }

    /// What of it has come since the last collection.
    pub fn new_bytes(&self) -> usize {
        self.bytes.get().saturating_sub(self.bytes_before.get())
    }

    /// Counts so many bytes of data towards the heap's limit, and asks for a collection when there is much that is new.
    fn charge(&self, cx: Cx<'_>, bytes: usize) -> Res<()> {
        let config = cx.heap.config();
        let (taken, before) = (self.bytes.get().saturating_add(bytes), self.bytes_before.get());
        if let Some((room, used, limit)) = cx.room()
            && bytes > room
        {
            return Err(AllocError::Limit { requested: bytes, used, limit }.into());
        }
        if taken - before.min(taken) > config.nursery_bytes.max(before / 100 * config.growth_percent as usize)
        {
            cx.heap.want_collection();
        }
        Ok(())
    }

    fn number<T: HostType>(&self) -> u64 {
        *self.numbers.borrow_mut().entry(TypeId::of::<T>()).or_insert_with(|| {
            let mut types = self.types.borrow_mut();
            types.push(T::MEMBERS);
            types.len() as u64 - 1
        })
    }

    /// The data of a host value.
    pub fn of(&self, value: Value<'_>) -> Option<Rc<dyn Resident>> {
        let object = value.as_kind(Kind::Host)?;
        let entries = self.entries.borrow();
        entries.get(object.raw(0) as u32 as usize)?.as_ref().map(|entry| Rc::clone(&entry.resident))
    }

    /// The members of a host value's type.
    pub fn members(&self, object: Object<'_>) -> &'static [Member] {
        self.types.borrow()[type_number(object) as usize]
    }

    /// The method with a number that [`method_number`] gave.
    pub fn method(&self, number: u64) -> Option<&'static Method> {
        let number = number.checked_sub(METHOD)?;
        let members = *self.types.borrow().get((number >> MEMBER_BITS) as usize)?;
        match members.get(number as usize & ((1 << MEMBER_BITS) - 1))? {
            Member::Method(method) => Some(method),
            Member::Get(..) => None,
        }
    }

    /// Drops the data of those that died in the last collection.
    pub fn sweep(&self, heap: &Heap) {
        let mut gone = Vec::new();
        for number in heap.cleared() {
            let Some(&place) = self.places.borrow().get(number) else { continue };
            let entry = &mut self.entries.borrow_mut()[place as usize];
            // There are other weak references, and a number may have been one of ours before.
            if entry.as_ref().is_some_and(|entry| entry.weak.number() == number) {
                gone.extend(entry.take());
                self.free.borrow_mut().push(place);
            }
        }
        // Only now: what drops may do anything.
        self.bytes.set(self.bytes.get() - gone.iter().map(|entry| entry.bytes).sum::<usize>());
        self.bytes_before.set(self.bytes.get());
        for Entry { resident, weak, .. } in gone {
            heap.forget_weak(weak);
            drop_guarded(resident);
        }
    }

    /// How many host values have data.
    pub fn len(&self) -> usize {
        self.entries.borrow().len() - self.free.borrow().len()
    }
}

impl Drop for Residents {
    fn drop(&mut self) {
        self.entries.get_mut().drain(..).flatten().for_each(|entry| drop_guarded(entry.resident));
    }
}

/// Drops the data of a host value. If it panics, that is no error of the program, which is not at fault: the others go, too,
/// and the engine goes on. (Whoever listens for panics has heard of it.)
fn drop_guarded(resident: Rc<dyn Resident>) {
    let _ = caught(|| drop(resident));
}

fn type_number(object: Object<'_>) -> u64 {
    (object.raw(0) & !FALSE) >> TYPE_SHIFT
}

/// The number of the method at an index among the members of a host value's type.
pub(crate) fn method_number(object: Object<'_>, index: usize) -> u64 {
    METHOD | type_number(object) << MEMBER_BITS | index as u64
}

/// What `bool` gives of a host value.
pub(crate) fn truth(object: Object<'_>) -> bool {
    object.raw(0) & FALSE == 0
}

/// What tells a host value from all others of its type while both live, and does not change.
pub(crate) fn identity(object: Object<'_>) -> u64 {
    object.raw(0) & !FALSE
}

/// The keys of two host values, if both are of the same type and have one.
pub(crate) fn keys<'s>(x: Object<'s>, y: Object<'s>) -> Option<(Value<'s>, Value<'s>)> {
    let (a, b) = (x.get(KEY), y.get(KEY));
    (type_number(x) == type_number(y) && !a.is_unset() && !b.is_unset()).then_some((a, b))
}

/// The data of a host value, or the error that it has none (which cannot be).
pub(crate) fn resident<'s>(cx: Cx<'s>, value: Value<'s>) -> Res<(Rc<dyn Resident>, Object<'s>)> {
    match (cx.host.residents.of(value), value.object()) {
        (Some(resident), Some(object)) => Ok((resident, object)),
        _ => fail!("a value of type {} has no data", value.type_name()),
    }
}
