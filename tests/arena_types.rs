//! What each public type of arenas is and is not: `Send`, `Sync` (S36), its size, its variance (S3).
//!
//! That a type is invariant cannot be asserted here, for then something would not compile: `refused/s03_*.rs` do so.

use frazil::arena::collections::{HashMap, OrderedMap, Vector};
use frazil::arena::{
    Arena, Cell, Erased, Field, Gc, Group, Layout, Outer, Root, Session, SetError, ShareError, Shared,
    Static, Unique, Weak, persistent,
};
use static_assertions::{assert_eq_size, assert_impl_all, assert_not_impl_any};

trait Shape {}
type Words = persistent::HashMap<'static, u64, u64>;

// One arena, one thread: nothing of it goes to another, or is looked at from there.
assert_not_impl_any!(Arena<()>: Send, Sync, Clone);
assert_not_impl_any!(Session<'static>: Send, Sync, Clone, Copy, Default);
assert_not_impl_any!(Gc<'static, u64>: Send, Sync);
assert_not_impl_any!(Gc<'static, str>: Send, Sync);
assert_not_impl_any!(Gc<'static, [u64]>: Send, Sync);
assert_not_impl_any!(Weak<'static, u64>: Send, Sync);
assert_not_impl_any!(Root<u64>: Send, Sync, Clone);
assert_not_impl_any!(Unique<'static, u64>: Send, Sync, Clone, Copy);
assert_not_impl_any!(Erased<'static, dyn Shape>: Send, Sync);
assert_not_impl_any!(Outer<'static, 'static>: Send, Sync);
assert_not_impl_any!(Cell<u64>: Sync, Copy);
assert_not_impl_any!(Vector<'static, u64>: Send, Sync);
assert_not_impl_any!(HashMap<'static, u64, u64>: Send, Sync);
assert_not_impl_any!(OrderedMap<'static, u64, u64>: Send, Sync);
assert_not_impl_any!(persistent::Vector<'static, u64>: Send, Sync);
assert_not_impl_any!(Words: Send, Sync);
assert_not_impl_any!(persistent::OrderedMap<'static, u64, u64>: Send, Sync);

// What people hold in structures of their own can be shown.
assert_impl_all!(Arena<Cell<u64>>: std::fmt::Debug);
assert_impl_all!(Session<'static>: std::fmt::Debug);
assert_impl_all!(OrderedMap<'static, u64, u64>: std::fmt::Debug);

// What is shared goes anywhere, whatever it is.
assert_impl_all!(Group: Send, Sync, Clone);
assert_impl_all!(Shared<u64>: Send, Sync, Clone);
assert_impl_all!(Shared<Cell<Option<Gc<'static, str>>>>: Send, Sync, Clone);
assert_impl_all!(ShareError: Send, Sync, Clone, std::error::Error);

// What holds nothing of an arena is as it would be anywhere.
assert_impl_all!(Layout: Send, Sync, Copy);
assert_impl_all!(Field<u64, Cell<u64>>: Send, Sync, Copy);
assert_impl_all!(Static<u64>: Send, Sync, Copy);
assert_impl_all!(SetError: Send, Sync, Copy, std::error::Error);
assert_impl_all!(Cell<u64>: Send);
assert_impl_all!(Gc<'static, u64>: Copy, std::fmt::Debug, Ord, std::hash::Hash, Unpin);

// A pointer is a word, with or without a length, and so is an optional one.
assert_eq_size!(Gc<'static, u64>, usize);
assert_eq_size!(Gc<'static, str>, usize);
assert_eq_size!(Gc<'static, [u64]>, usize);
assert_eq_size!(Option<Gc<'static, str>>, usize);
assert_eq_size!(Option<Vector<'static, u64>>, usize);
assert_eq_size!(Cell<Option<Gc<'static, str>>>, usize);
assert_eq_size!(Weak<'static, u64>, [u64; 2]);
assert_eq_size!(Unique<'static, [u64]>, usize);

/// Where a longer lifetime inside may stand for a shorter one, as with references.
#[test]
fn what_is_behind_a_pointer_is_covariant() {
    fn gc<'gc, 'short>(longer: Gc<'gc, Static<fn(&'short u8)>>) -> Gc<'gc, Static<fn(&'static u8)>>
    where
        'short: 'static,
    {
        longer
    }
    fn unique<'gc>(longer: Unique<'gc, Static<for<'a> fn(&'a u8)>>) -> Unique<'gc, Static<fn(&'static u8)>> {
        longer
    }
    fn weak<'gc>(longer: Weak<'gc, Static<for<'a> fn(&'a u8)>>) -> Weak<'gc, Static<fn(&'static u8)>> {
        longer
    }
    Arena::<()>::new(|_| ()).enter(|s, _| {
        let f: for<'a> fn(&'a u8) = |_| ();
        gc(s.alloc(Static(f as fn(&'static u8))));
        (unique(s.unique(Static(f))).0)(&1);
        assert!(s.upgrade(weak(s.weak(s.alloc(Static(f))))).is_some());
    });
}
