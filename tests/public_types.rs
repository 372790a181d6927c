//! What each public type of the collector is and is not: `Send` and `Sync`. For arenas, see `arena_types.rs`.
//!
//! That brands, and borrows of a heap, are invariant cannot be asserted here, for then something would not compile: see
//! `derive/tests/refused/s03_*.rs`.

use std::collections::BTreeSet;

use frazil::trace::{Played, RecordError, ReplayError, Totals, Trace, TraceError};
use frazil::{
    AllocError, Audit, BlockBytes, BlockUse, BlockView, Burst, ByRoot, Choice, Config, ConfigError,
    Dominators, Drain, Estate, Fault, Fresh, Group, Handle, Heap, Histogram, ImmortalError, Kind, LiveObject,
    LowTag, Mailbox, Numbers, Object, ObjectKind, ObjectView, Overlooked, Paths, Place, Pool, Published,
    Receiver, References, Report, Request, RootPlace, RootView, Scope, SendError, Sender, Shape, Shaped,
    ShareError, Shared, SiteUse, Snapshot, Spawned, Stage, Stats, Step, StoreError, Tally, TextRoom, Value,
    Violation, Weak, Words, layout,
};
use static_assertions::{assert_impl_all, assert_not_impl_any};

// A heap is one thread's, and so is whatever leads into it.
assert_not_impl_any!(Heap<'static, LowTag>: Send, Sync, Clone);
assert_not_impl_any!(Value<'static, 'static, LowTag>: Send, Sync);
assert_not_impl_any!(Object<'static, 'static, LowTag>: Send, Sync);
assert_not_impl_any!(Fresh<'static, 'static, LowTag>: Send, Sync, Clone);
assert_not_impl_any!(TextRoom<'static>: Send, Sync, Clone);
assert_not_impl_any!(Burst<'static, 'static, LowTag>: Send, Sync, Clone);
assert_not_impl_any!(References<'static, 'static, LowTag>: Send, Sync);
assert_not_impl_any!(Numbers<'static, u32>: Send, Sync);
assert_not_impl_any!(Shaped<'static, 'static, LowTag>: Send, Sync);
assert_not_impl_any!(Handle<'static>: Sync, Clone);
assert_not_impl_any!(Weak<'static>: Sync, Clone);
assert_not_impl_any!(Pool: Send, Sync);
assert_not_impl_any!(Audit<'static>: Send, Sync);

// What people hold in structures of their own can be shown.
assert_impl_all!(Heap<'static, LowTag>: std::fmt::Debug);
assert_impl_all!(Fresh<'static, 'static, LowTag>: std::fmt::Debug);
assert_impl_all!(Shaped<'static, 'static, LowTag>: std::fmt::Debug);

// What is made to go from one thread to another does.
assert_impl_all!(Group<LowTag>: Send, Sync, Clone);
assert_impl_all!(Shared<LowTag>: Send, Sync, Clone);
assert_impl_all!(Estate<LowTag>: Send);
assert_impl_all!(Sender<LowTag>: Send, Sync, Clone);
assert_impl_all!(Receiver<LowTag>: Send);
assert_impl_all!(Mailbox<LowTag>: Send, Sync, Clone);
assert_impl_all!(Published<LowTag>: Send, Sync, Clone);
assert_impl_all!(Scope<'static, 'static, LowTag>: Send, Sync);
assert_impl_all!(Spawned<'static, u64, LowTag>: Send, Sync);

// What is data is data.
macro_rules! data {
    ($($type:ty),* $(,)?) => {$(
        assert_impl_all!($type: Send, Sync);
    )*};
}
data!(LowTag, Config, ConfigError, BlockBytes, Drain, Request, Shape, layout::Header, Words);
data!(Report, Stats, ByRoot, Histogram, Kind, Violation, LiveObject, Tally, SiteUse);
data!(Snapshot, ObjectView, ObjectKind, RootView, RootPlace, BlockView, BlockUse, Dominators, Paths, Step);
data!(Trace, Totals, Played, Fault, Stage, Choice, Place, Overlooked);

// Errors go anywhere.
macro_rules! errors {
    ($($type:ty),* $(,)?) => {$(
        assert_impl_all!($type: Send, Sync, std::error::Error);
    )*};
}
errors!(AllocError, StoreError, ShareError, SendError, ImmortalError, TraceError, ReplayError, RecordError);

/// The types that these files re-export.
fn exported(sources: &[&str]) -> BTreeSet<String> {
    /// Traits, and the macro: no types.
    const OTHERS: [&str; 9] = [
        "Host",
        "Plain",
        "Erasable",
        "ErasableFamily",
        "Family",
        "Object",
        "ObjectFamily",
        "Trace",
        "frazil_derive",
    ];
    let is_type = |name: &&str| {
        name.starts_with(char::is_uppercase) && name.contains(char::is_lowercase) && !OTHERS.contains(name)
    };
    let uses = sources.iter().flat_map(|source| source.split("\npub use ").skip(1));
    let lists = uses.map(|rest| rest.split_once(';').expect("a use ends").0);
    let names = lists.flat_map(|list| list.split(|c: char| !c.is_alphanumeric() && c != '_'));
    names.filter(is_type).map(str::to_owned).collect()
}

/// The types of which a test's source asserts something.
fn asserted(source: &str) -> BTreeSet<String> {
    let starts = ["assert_impl_all!(", "assert_not_impl_any!(", "data!(", "errors!("];
    let lines = source.lines().filter(|line| starts.iter().any(|start| line.starts_with(start)));
    let names = lines.flat_map(|line| line.split(|c: char| !c.is_alphanumeric()));
    names.map(str::to_owned).collect()
}

/// A type that somebody adds has to be thought about, too.
#[test]
fn no_public_type_is_forgotten() {
    let heap = exported(&[include_str!("../src/lib.rs"), include_str!("../src/trace.rs")]);
    let arena = exported(&[
        include_str!("../src/arena.rs"),
        include_str!("../src/arena/collections.rs"),
        include_str!("../src/arena/persistent.rs"),
    ]);
    assert!(heap.len() > 40 && arena.len() > 15, "{heap:?} {arena:?}");
    let (of_heap, of_arena) =
        (asserted(include_str!("public_types.rs")), asserted(include_str!("arena_types.rs")));
    let missing: Vec<_> = heap.difference(&of_heap).chain(arena.difference(&of_arena)).collect();
    assert!(missing.is_empty(), "nothing is asserted of {missing:?}");
}
