//! Handles, and scopes that end many of them at once.

use crate::call::on_heap;
use crate::error::{Outcome, frazil_status, frazil_status::*, refuse};
use crate::pointer::{Out, wanted};
use crate::state::State;
use crate::value::{frazil_handle, frazil_heap, frazil_scope, frazil_value};
use crate::word::{self, value};

/// A scope that is open.
#[derive(Debug)]
pub(crate) struct Scope {
    number: u64,
    /// The handles that end with it. Some may have ended before.
    handles: Vec<u64>,
}

impl State {
    fn hold(&mut self, held: frazil_value) -> Outcome<u64> {
        self.handles.reserve()?;
        let root = self.heap.root(value(&self.heap, held)?);
        self.handles.insert(root)
    }

    fn hold_in_scope(&mut self, held: frazil_value) -> Outcome<u64> {
        let Some(scope) = self.open.last_mut() else {
            return refuse(FRAZIL_WRONG_SCOPE, "no scope is open");
        };
        if scope.handles.try_reserve(1).is_err() {
            return refuse(FRAZIL_FULL, "there is no memory for more handles");
        }
        let number = self.hold(held)?;
        self.open.last_mut().into_iter().for_each(|scope| scope.handles.push(number));
        Ok(number)
    }

    /// Makes sure that a new handle is to be had behind the innermost scope, which is about to end with its own.
    fn reserve_behind_scope(&mut self) -> Outcome {
        let Some((ending, around)) = self.open.split_last_mut() else { return Ok(()) };
        if around.last_mut().is_some_and(|scope| scope.handles.try_reserve(1).is_err()) {
            return refuse(FRAZIL_FULL, "there is no memory for more handles");
        }
        self.handles.reserve().or_else(|full| {
            let frees_one = ending.handles.iter().any(|&handle| self.handles.get(handle).is_ok());
            if frees_one { Ok(()) } else { Err(full) }
        })
    }

    fn let_go(&mut self, handle: u64) -> Outcome {
        let root = self.handles.remove(handle)?;
        self.heap.unroot(root);
        Ok(())
    }
}

/// Makes a handle that holds `held` until [`frazil_handle_free`].
///
/// # Errors
/// `FRAZIL_NULL`, `FRAZIL_NOT_AN_OBJECT`, `FRAZIL_WRONG_HEAP`; `FRAZIL_FULL` beyond 2^24 handles; and as for every call on
/// a heap.
#[unsafe(no_mangle)]
pub extern "C" fn frazil_handle_new(
    heap: frazil_heap,
    held: frazil_value,
    handle: Out<'_, frazil_handle>,
) -> frazil_status {
    on_heap(heap, |state| {
        let handle = wanted(handle, "handle")?;
        handle.write(frazil_handle { bits: state.hold(held)? });
        Ok(())
    })
}

/// Makes a handle that ends with the innermost scope, or with [`frazil_handle_free`].
///
/// # Errors
/// As [`frazil_handle_new`]; `FRAZIL_WRONG_SCOPE` if no scope is open.
#[unsafe(no_mangle)]
pub extern "C" fn frazil_handle_local(
    heap: frazil_heap,
    held: frazil_value,
    handle: Out<'_, frazil_handle>,
) -> frazil_status {
    on_heap(heap, |state| {
        let handle = wanted(handle, "handle")?;
        handle.write(frazil_handle { bits: state.hold_in_scope(held)? });
        Ok(())
    })
}

/// What a handle holds.
///
/// # Errors
/// `FRAZIL_NULL`, `FRAZIL_STALE_HANDLE`, `FRAZIL_WRONG_HEAP`, and as for every call on a heap.
#[unsafe(no_mangle)]
pub extern "C" fn frazil_handle_get(
    heap: frazil_heap,
    handle: frazil_handle,
    held: Out<'_, frazil_value>,
) -> frazil_status {
    on_heap(heap, |state| {
        let held = wanted(held, "value")?;
        held.write(word::word(state.heap.rooted(state.handles.get(handle.bits)?)));
        Ok(())
    })
}

/// Lets a handle hold something else.
///
/// # Errors
/// As [`frazil_handle_get`]; `FRAZIL_NOT_AN_OBJECT`.
#[unsafe(no_mangle)]
pub extern "C" fn frazil_handle_set(
    heap: frazil_heap,
    handle: frazil_handle,
    held: frazil_value,
) -> frazil_status {
    on_heap(heap, |state| {
        let root = state.handles.get(handle.bits)?;
        state.heap.reroot(root, value(&state.heap, held)?);
        Ok(())
    })
}

/// Ends a handle.
///
/// # Errors
/// `FRAZIL_STALE_HANDLE`, `FRAZIL_WRONG_HEAP`, and as for every call on a heap.
#[unsafe(no_mangle)]
pub extern "C" fn frazil_handle_free(heap: frazil_heap, handle: frazil_handle) -> frazil_status {
    on_heap(heap, |state| state.let_go(handle.bits))
}

/// Opens a scope inside of those that are open.
///
/// # Errors
/// `FRAZIL_NULL`, `FRAZIL_FULL`, and as for every call on a heap.
#[unsafe(no_mangle)]
pub extern "C" fn frazil_scope_open(heap: frazil_heap, scope: Out<'_, frazil_scope>) -> frazil_status {
    on_heap(heap, |state| {
        let scope = wanted(scope, "scope")?;
        if state.open.try_reserve(1).is_err() {
            return refuse(FRAZIL_FULL, "there is no memory for more scopes");
        }
        let number = state.scopes.insert(())?;
        state.open.push(Scope { number, handles: Vec::new() });
        scope.write(frazil_scope { bits: number });
        Ok(())
    })
}

/// Closes the innermost scope: its handles end. If `kept` is not null, what that handle holds is held by a new one, in the
/// scope around this one (or until it is freed, if there is none), which takes its place in `*kept`.
///
/// # Errors
/// `FRAZIL_STALE_HANDLE` for the scope or the handle, `FRAZIL_WRONG_HEAP`; `FRAZIL_WRONG_SCOPE` if there is a scope inside
/// that is open; `FRAZIL_FULL` if there is no room for the new handle; and as for every call on a heap. Then nothing is
/// closed.
#[unsafe(no_mangle)]
pub extern "C" fn frazil_scope_close(
    heap: frazil_heap,
    scope: frazil_scope,
    kept: Option<&mut frazil_handle>,
) -> frazil_status {
    on_heap(heap, |state| {
        state.scopes.get(scope.bits)?;
        if state.open.last().is_none_or(|innermost| innermost.number != scope.bits) {
            return refuse(FRAZIL_WRONG_SCOPE, "a scope inside of this one is open");
        }
        let held = match &kept {
            Some(kept) => {
                let held = word::word(state.heap.rooted(state.handles.get(kept.bits)?));
                state.reserve_behind_scope()?;
                Some(held)
            }
            None => None,
        };
        state.scopes.remove(scope.bits)?;
        for handle in state.open.pop().map(|scope| scope.handles).unwrap_or_default() {
            // It may have ended before.
            let _ = state.let_go(handle);
        }
        if let (Some(kept), Some(held)) = (kept, held) {
            kept.bits = if state.open.is_empty() { state.hold(held)? } else { state.hold_in_scope(held)? };
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use frazil::Config;

    use super::*;
    use crate::pointer::text;
    use crate::registry;

    #[test]
    fn a_scope_that_cannot_hand_on_what_is_kept_stays_open() {
        let heap = registry::enter(word::heap(Config::DEFAULT, None).unwrap(), None).unwrap();
        let (mut outer, mut inside) = (0, 0);
        let mut scopes = [0; 2];
        let opened = on_heap(heap, |state| {
            state.handles.bound(2);
            for scope in &mut scopes {
                *scope = state.scopes.insert(())?;
                state.open.push(Scope { number: *scope, handles: Vec::new() });
                if outer == 0 {
                    outer = state.hold_in_scope(frazil_value { word: 1 })?;
                }
            }
            inside = state.hold(frazil_value { word: 3 })?;
            Ok(())
        });
        assert_eq!(opened, FRAZIL_OK);
        let [around, ending] = scopes.map(|bits| frazil_scope { bits });
        let mut kept = frazil_handle { bits: outer };
        assert_eq!(frazil_scope_close(heap, ending, Some(&mut kept)), FRAZIL_FULL);
        assert!(text(crate::frazil_error_message()).contains("no room"));
        // It was not closed, and closes as soon as there is room. The handle was not touched.
        assert_eq!((frazil_handle_free(heap, frazil_handle { bits: inside }), kept.bits), (FRAZIL_OK, outer));
        assert_eq!(frazil_scope_close(heap, ending, Some(&mut kept)), FRAZIL_OK);
        assert_ne!(kept.bits, outer);
        // The table is full again, but the scope's own handles make room.
        assert_eq!(frazil_scope_close(heap, around, Some(&mut kept)), FRAZIL_OK);
        assert_eq!(on_heap(heap, |state| state.handles.get(kept.bits).map(|_| ())), FRAZIL_OK);
        assert_eq!(crate::call::plain(|| registry::destroy(heap)), FRAZIL_OK);
    }
}
