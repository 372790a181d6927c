//! The collector behind a C interface: for runtimes in C, Zig, Go or Python, and for code that a compiler emits.
//!
//! The contract is [`include/frazil.h`](../../../capi/include/frazil.h), written by hand; a test compares it with this
//! crate, down to every type, number and offset. A host in C looks like this:
//!
//! ```c
//! #include <frazil.h>
//!
//! frazil_heap heap;
//! frazil_heap_create(NULL, 0, &heap);
//! frazil_shape pair = { .id = 1, .references = 2, .name = "pair" };
//! frazil_shape_define(heap, &pair, sizeof pair);
//!
//! frazil_value parts[2] = { frazil_immediate(3 << 1 | 1), frazil_empty() }, object;
//! frazil_handle kept;
//! if (frazil_make(heap, 1, parts, 2, NULL, 0, &object) != FRAZIL_OK
//!     || frazil_handle_new(heap, object, &kept) != FRAZIL_OK)
//!     fprintf(stderr, "%s\n", frazil_error_message());
//! frazil_collect(heap, FRAZIL_COLLECT_AUTO, NULL, 0);
//! frazil_handle_get(heap, kept, &object);      // the object may have moved; the handle knows where it is
//! frazil_heap_destroy(heap);
//! ```
//!
//! # Linking
//!
//! `capi/install.sh --prefix DIR` puts both libraries, the header and a file for pkg-config in their places:
//!
//! ```sh
//! cc host.c $(pkg-config --cflags --libs frazil)       # shared: at start, libfrazil_c.so.0.1 is asked for
//! cc host.c $(pkg-config --cflags frazil) "$(pkg-config --variable=libdir frazil)/libfrazil_c.a" -lpthread -lm -ldl
//! ```
//!
//! The shared library is asked for by the part of its version that says what is compatible, as Cargo understands it.
//!
//! # Words, handles, frames
//!
//! A [`frazil_value`] is a word: zero or one of the host's own immediates, or a reference to an object. It is good until
//! the next collection, which happens inside [`frazil_collect`] and nowhere else. What has to outlive one is held by
//!
//! * a **handle**, which has a number, and is checked whenever it is used: by whom it was made, and whether it still is
//!   one. Handles made in a *scope* end with it;
//! * a **frame**: words of the heap's root stack that generated code reads and writes in place;
//! * an object that is held itself.
//!
//! # What is refused
//!
//! Every call gives back a [`frazil_status`], and leaves a sentence about it ([`frazil_error_message`]). Nothing unwinds
//! into the caller and nothing ends the process on purpose. Refused are, with a status of their own: null pointers;
//! sizes of structures that are not those of this library; numbers beyond an enumeration; heaps that have ended, or
//! belong to another thread; handles, weak references and scopes that have ended, were made by another heap, or are
//! of another kind; words that lead to no object, or to one of another heap; indices, shapes and lengths that do not
//! fit; stores into frozen objects; frames and scopes that end out of turn; a full root stack; settings that do not
//! agree; sharing what is mutable, and importing from another group; allocation beyond the heap's limit or the system's memory.
//!
//! # What is not
//!
//! * A pointer that is neither null nor valid.
//! * A word that was kept over a collection, when another object was born at that very address since. In checking mode
//!   the memory of old nurseries is not used again for some time, every call looks its words up exactly, and every
//!   collection looks at all of them first.
//! * What code does that uses a [`frazil_raw`] pointer or writes into objects on its own, beyond what checking mode finds
//!   before the next collection. The heap must not have ended.
//! * In a heap of a group that has imported something: a word that leads out of the heap's own memory. It is taken for one
//!   to another heap's object, if not in checking mode, which knows what the heap was given.
//! * A handle whose place has been given out exactly a multiple of 2^28 times since, or that comes from a heap whose
//!   number differs from this one's by a multiple of 1023.
//! * Memory for the collector's own lists, which comes from the Rust allocator: if that is refused, the process ends.
//!   The memory of objects, root stack and side tables comes from the system, and its refusal is a status.
//! * A function of the host's that throws, or jumps out of, an event.
//! * A thread's heaps end with the thread; the raw pointers into them, too.
#![allow(non_camel_case_types)]

mod call;
mod collect;
mod config;
pub mod constants;
mod error;
mod event;
mod finalize;
mod frame;
mod handle;
mod heap;
mod object;
mod pointer;
mod quiet;
mod registry;
mod shape;
mod share;
mod state;
mod stats;
mod table;
mod value;
mod weak;
mod word;

pub use collect::*;
pub use config::*;
pub use error::*;
pub use event::*;
pub use finalize::*;
pub use frame::*;
pub use handle::*;
pub use heap::*;
pub use object::*;
pub use pointer::Out;
pub use shape::*;
pub use share::*;
pub use stats::*;
pub use value::*;
pub use weak::*;

/// What to emit for allocation, stores, polls and frames.
#[doc = include_str!("../EMIT.md")]
pub mod emitting {}
