//! Frazil: a generational collector for people who write language runtimes.
//!
//! Objects are born in a nursery by moving a finger up. A collection moves the survivors to old blocks, where
//! immutable objects are reference counted and mutable ones are traced. The mutator runs no barrier and
//! touches no count; a collection's cost follows the young survivors and the reachable mutable part of the
//! heap, never the size of the frozen old heap; and no cycle leaks.
//!
//! There are two ways to use it. For data structures in Rust, an [`arena`] (with the feature of that name, which is on by
//! default) has typed pointers that are read like references, and a guide. For the values of a language, a [`Heap`] has
//! words, tagged as the host likes, and can collect in the middle of anything; here is [its guide](guide):
//!
//! ```
//! use frazil::{Config, Heap, LowTag, Request, Shape, Value};
//!
//! const PAIR: Shape = Shape::new(1, "pair").references(2);
//! const LIST: Shape = Shape::new(2, "list").references(1).mutable();
//!
//! Heap::<LowTag>::branded(Config::default(), |mut heap| {
//!     let list = heap.alloc(&LIST, 0)?.finish();
//!     let mut pair = heap.alloc(&PAIR, 0)?;
//!     pair.references_mut()[0] = Value::immediate(3);
//!     heap.store(list, 0, pair.finish().into()).unwrap();
//!     heap.freeze(list);
//!     let kept = heap.root(list.into());
//!
//!     heap.collect(Request::Complete); // `list` cannot be used from here on
//!
//!     let list = heap.rooted(&kept).object().unwrap();
//!     assert_eq!(list.get(0).object().unwrap().get(0), Value::immediate(3));
//!     assert!(heap.store(list, 0, Value::EMPTY).is_err());
//!     Ok::<(), frazil::AllocError>(())
//! }).unwrap().unwrap();
//! ```
//!
//! # Reading order, of the code
//!
//! 1. `NOTES.md` up to *Life of one object*.
//! 2. `retain-bits/src/lib.rs`: the idea in a hundred lines.
//! 3. `nursery`, then `blocks/src/lib.rs`.
//! 4. `host.rs`, `shape.rs`, `object.rs`, `value.rs`: what a word is.
//! 5. `old.rs`: the invariants.
//! 6. `collect.rs`, then its files in the order of the phases; `order.rs`: what may trade places.
//! 7. `verify.rs`: the same story as assertions.
//! 8. `exchange.rs`, `exchange/kernel.rs`: what other threads add.
//! 9. `fuzz/src/shadow.rs`: what "correct" means.
//! 10. `arena.rs`, then `arena/trace.rs` and `arena/types.rs`: how Rust's own types lie on the heap.
#![deny(unsafe_code)]

#[cfg(not(all(any(unix, windows), target_pointer_width = "64")))]
compile_error!("frazil needs Unix or Windows (it maps memory), and addresses of 64 bits (a word holds one)");

// What the derive macro writes says `frazil`, also here.
#[cfg(feature = "arena")]
extern crate self as frazil;

mod address_map;
#[allow(unsafe_code)]
mod ahead;
#[cfg(feature = "arena")]
#[allow(unsafe_code)]
pub mod arena;
#[allow(unsafe_code)]
mod burst;
mod clusters;
#[allow(unsafe_code)]
mod collect;
#[allow(unsafe_code)]
mod exchange;
mod fault;
#[allow(unsafe_code)]
mod finalize;
mod freeze;
pub mod guide;
#[allow(unsafe_code)]
mod heap;
#[allow(unsafe_code)]
mod host;
#[allow(unsafe_code)]
mod object;
#[allow(unsafe_code)]
mod old;
mod order;
#[allow(unsafe_code)]
mod os;
mod pacing;
mod patience;
#[allow(unsafe_code)]
mod planted;
mod pool;
#[allow(unsafe_code)]
mod references;
#[allow(unsafe_code)]
mod roots;
mod shape;
#[allow(unsafe_code)]
mod shaped;
mod sites;
mod snapshot;
#[allow(unsafe_code)]
mod space;
mod stats;
#[allow(unsafe_code)]
mod text;
pub mod trace;
mod tuning;
#[allow(unsafe_code)]
mod value;
#[allow(unsafe_code)]
mod verify;
#[allow(unsafe_code)]
mod weak;
mod young;

pub use blocks::BlockBytes;
pub use burst::Burst;
pub use exchange::audit::Audit;
pub use exchange::estate::Estate;
pub use exchange::group::Group;
pub use exchange::immortal::ImmortalError;
pub use exchange::places::{Mailbox, Published, Receiver, SendError, Sender, channel};
pub use exchange::shared::{ShareError, Shared};
pub use exchange::threads::{Scope, Spawned};
pub use fault::Fault;
pub use heap::{AllocError, Heap, StoreError};
pub use host::{Host, LowTag, Words};
pub use order::{Choice, Stage};
pub use pacing::Request;
pub use planted::{Overlooked, Place};
pub use pool::Pool;
pub use roots::Handle;
pub use shape::{LEN_MAX, SMALL_MAX, Shape};
pub use shaped::Shaped;
pub use sites::SiteUse;
pub use snapshot::{
    BlockUse, BlockView, Dominators, ObjectKind, ObjectView, Paths, RootPlace, RootView, Snapshot, Step,
};
pub use stats::{ByRoot, Histogram, Kind, Report, Stats};
pub use text::TextRoom;
pub use tuning::{Config, ConfigError, Drain};
pub use value::{Fresh, Numbers, Object, Plain, References, Value};
pub use verify::{LiveObject, Tally, Violation};
pub use weak::Weak;

/// The layout of an object, for code that works on it inline. See also [`Heap::TOP_OFFSET`].
pub mod layout {
    pub use crate::shape::{
        BORN_MUTABLE, BYTES, GUARDED, HEADER_TAG, Header, ID_SHIFT, LEN_SHIFT, MUTABLE, SEEN, SMALL_MASK,
        SMALL_SHIFT, TEXT, WORD_BYTES, WRITE_MASK,
    };

    /// Objects of at most so many bytes are born in the nursery, whatever the block size: larger ones may have to be
    /// asked for.
    pub const INLINE_BYTES_MAX: usize = blocks::classes::cell_bytes_max(blocks::BlockBytes::K4);

    /// No address of an object has more bits: a host may keep something else in the others.
    pub const ADDRESS_BITS: u32 = 48;
}

/// A place that holds a word.
pub(crate) use object::Slot;
