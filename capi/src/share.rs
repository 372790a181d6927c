//! Groups of heaps, and what they share: frozen data goes from thread to thread without a copy.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use frazil::{Config, Group, LowTag, ShareError, Shared};

use crate::call::{on_heap, plain};
use crate::config::{self, frazil_config};
use crate::error::{Outcome, frazil_status, frazil_status::*, refuse};
use crate::event::frazil_event;
use crate::pointer::{Out, wanted};
use crate::registry;
use crate::state::{CGroup, State};
use crate::value::{frazil_group, frazil_handle, frazil_heap, frazil_shared, frazil_value};
use crate::{collect, word};

/// Things that belong to no thread, by numbers that are never used twice.
struct Numbered<T>(Mutex<(u64, BTreeMap<u64, T>)>);

impl<T> Numbered<T> {
    const fn new() -> Numbered<T> {
        Numbered(Mutex::new((0, BTreeMap::new())))
    }

    fn with<R>(&self, f: impl FnOnce(&mut (u64, BTreeMap<u64, T>)) -> R) -> R {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn insert(&self, thing: T) -> u64 {
        self.with(|(last, things)| {
            *last += 1;
            things.insert(*last, thing);
            *last
        })
    }

    fn remove(&self, number: u64, what: &str) -> Outcome<T> {
        // It is dropped by the caller, when others may look again.
        let removed = self.with(|(_, things)| things.remove(&number));
        removed.map_or_else(|| ended(number, what), Ok)
    }
}

impl<T: Clone> Numbered<T> {
    fn get(&self, number: u64, what: &str) -> Outcome<T> {
        let found = self.with(|(_, things)| things.get(&number).cloned());
        found.map_or_else(|| ended(number, what), Ok)
    }
}

fn ended<T>(number: u64, what: &str) -> Outcome<T> {
    refuse(FRAZIL_STALE_HANDLE, format!("there is no {what} {number}, or it has ended"))
}

static GROUPS: Numbered<CGroup> = Numbered::new();
/// What is shared, with the number of its group.
static SHARED: Numbered<(u64, Shared<LowTag>)> = Numbered::new();

/// Makes a group of heaps, which all have these settings; a null `config` stands for the default. Any thread may use it.
///
/// # Errors
/// `FRAZIL_NULL`, `FRAZIL_WRONG_SIZE`, `FRAZIL_BAD_ARGUMENT`, `FRAZIL_BAD_CONFIG`.
#[unsafe(no_mangle)]
pub extern "C" fn frazil_group_create(
    config: Option<&frazil_config>,
    config_bytes: usize,
    group: Out<'_, frazil_group>,
) -> frazil_status {
    plain(|| {
        let place = wanted(group, "group")?;
        let config: Config = config::chosen(config, config_bytes)?;
        match Group::new(config) {
            Ok(group) => place.write(frazil_group { number: GROUPS.insert(group) }),
            Err(rule) => return refuse(FRAZIL_BAD_CONFIG, rule.to_string()),
        };
        Ok(())
    })
}

/// Ends a group: no more heaps can be made in it. Those that it has go on, and what they share.
///
/// # Errors
/// `FRAZIL_STALE_HANDLE`.
#[unsafe(no_mangle)]
pub extern "C" fn frazil_group_destroy(group: frazil_group) -> frazil_status {
    plain(|| GROUPS.remove(group.number, "group").map(drop))
}

/// Makes a heap of a group for the thread that calls, otherwise as [`crate::frazil_heap_create`]. When it ends, what
/// others hold of it lives on.
///
/// # Errors
/// `FRAZIL_NULL`, `FRAZIL_STALE_HANDLE` (the group has ended), `FRAZIL_NO_MEMORY`, `FRAZIL_WRONG_THREAD`.
#[unsafe(no_mangle)]
pub extern "C" fn frazil_heap_create_in(group: frazil_group, heap: Out<'_, frazil_heap>) -> frazil_status {
    plain(|| {
        let heap = wanted(heap, "heap")?;
        let found = GROUPS.get(group.number, "group")?;
        let made = word::heap(found.config().clone(), Some(&found))?;
        heap.write(registry::enter(made, Some(group.number))?);
        Ok(())
    })
}

impl State {
    /// The number of the heap's group.
    fn group(&self) -> Outcome<u64> {
        match self.group {
            Some(number) => Ok(number),
            None => refuse(FRAZIL_WRONG_GROUP, "the heap belongs to no group"),
        }
    }
}

/// Shares what a handle holds, which must be immutable throughout, with all heaps of the group. It goes on until
/// [`frazil_shared_free`], whatever becomes of this heap. If no collection has seen yet that it is frozen, this is one:
/// the words that the host holds lead nowhere from here on.
///
/// # Errors
/// `FRAZIL_NULL`, `FRAZIL_STALE_HANDLE`, `FRAZIL_WRONG_HEAP`, `FRAZIL_WRONG_GROUP`; `FRAZIL_NOT_SHAREABLE`, with the way to
/// something mutable; in checking mode `FRAZIL_BAD_REFERENCE`; and as for every call on a heap.
#[unsafe(no_mangle)]
pub extern "C" fn frazil_share(
    heap: frazil_heap,
    handle: frazil_handle,
    shared: Out<'_, frazil_shared>,
) -> frazil_status {
    on_heap(heap, |state| {
        let place = wanted(shared, "shared")?;
        let group = state.group()?;
        if state.heap.config().check {
            collect::check(state)?;
        }
        let before = state.heap.stats().collections();
        let result = state.heap.share(state.handles.get(handle.bits)?);
        if state.heap.stats().collections() > before {
            state.tell(frazil_event::collected(&state.heap.stats().last.clone()));
        }
        match result {
            Ok(shared) => place.write(frazil_shared { number: SHARED.insert((group, shared)) }),
            Err(error @ ShareError::Alone) => return refuse(FRAZIL_WRONG_GROUP, error.to_string()),
            Err(error) => return refuse(FRAZIL_NOT_SHAREABLE, error.to_string()),
        };
        Ok(())
    })
}

/// What was shared, as a value of this heap, until the next collection like any other. It may be read as if it were this
/// heap's own.
///
/// # Errors
/// `FRAZIL_NULL`; `FRAZIL_STALE_HANDLE`: it has been freed; `FRAZIL_WRONG_GROUP`; and as for every call on a heap.
#[unsafe(no_mangle)]
pub extern "C" fn frazil_import(
    heap: frazil_heap,
    shared: frazil_shared,
    imported: Out<'_, frazil_value>,
) -> frazil_status {
    on_heap(heap, |state| {
        let imported = wanted(imported, "value")?;
        let (group, shared) = SHARED.get(shared.number, "shared value")?;
        if state.group()? != group {
            return refuse(FRAZIL_WRONG_GROUP, format!("it was shared in group {group}"));
        }
        imported.write(word::word(state.heap.import(shared)));
        Ok(())
    })
}

/// Ends the sharing. Heaps that have imported the value, and hold it, keep it. Any thread may do this.
///
/// # Errors
/// `FRAZIL_STALE_HANDLE`.
#[unsafe(no_mangle)]
pub extern "C" fn frazil_shared_free(shared: frazil_shared) -> frazil_status {
    plain(|| SHARED.remove(shared.number, "shared value").map(drop))
}
