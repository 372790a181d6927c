//! Starlark on the frazil collector.
//!
//! ```text
//! text --syntax--> resolved tree --compile--> code --machine--> effects, and a frozen module
//! ```
//!
//! Reading order: [`value`] (words, shapes), [`data`] (what the types are made of), [`ops`] (what the language does
//! with them), [`code`] and [`compile`], [`machine`] (frames, instructions, collections, errors), [`builtins`], and
//! [`engine`], the face towards an embedding program.
//!
//! Three decisions shape all of it:
//!
//! - **The heap is borrowed while values are held.** Whatever works on values takes a [`cx::Cx`], which borrows the
//!   heap, so nothing is collected or moved meanwhile and nothing has to be rooted. The machine gives the borrow
//!   back at its safepoints: calls and loops. All that lives longer is in registers, which are words of the heap's
//!   root stack.
//! - **What can be immutable is.** Tuples, structs, functions and strings are counted by the collector; only
//!   lists, dicts, sets, captured variables and the globals of a running module are traced. A loaded module is
//!   frozen and then counted as well.
//! - **Operations allocate before they change anything.** So when the heap's limit is reached, the machine collects
//!   everything and repeats the instruction; if that does not help, the program ends with an ordinary error.
#![deny(unsafe_code)]

pub mod builtins;
pub mod code;
pub mod compile;
pub mod cx;
pub mod data;
pub mod engine;
pub mod failure;
pub mod host;
pub mod library;
pub mod machine;
pub mod ops;
pub mod picture;
pub mod syntax;
pub mod value;

pub use engine::{CONFIG, Engine, EngineError};
pub use library::Library;
pub use machine::{Loader, Mistake, View, Watch};
pub use picture::Picture;
