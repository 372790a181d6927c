//! Starlark on the frazil collector.
//!
//! ```text
//! text --syntax--> resolved tree --compile--> code --machine--> effects, and a frozen module
//! ```
//!
//! # Embedding it
//!
//! ```
//! use frazil_starlark::{Engine, ErrorKind, Handle, Limit, Limits, function};
//!
//! function! {
//!     /// A function for programs, as one writes it in Rust.
//!     fn shout(cx, words: Vec<&str>, times: usize = 1) -> String { words.join(" ").to_uppercase() + &"!".repeat(times) }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut engine = Engine::default();
//! engine.function("shout", shout)?;
//! engine.set("version", 3)?;
//!
//! // A module runs once; then it is frozen, and its functions can be called.
//! engine.run("config.star", "
//! greeting = shout(['hello', 'world'], times = version)
//! def scale(xs, by = 2): return [x * by for x in xs]
//! ")?;
//! assert_eq!(engine.get_global::<String>("config.star", "greeting")?, "HELLO WORLD!!!");
//! let scale: Handle = engine.get_global("config.star", "scale")?;
//! let scaled = engine.call(&scale, ([1, 2, 3], 10))?;
//! assert_eq!(engine.get::<Vec<i64>>(&scaled)?, [10, 20, 30]);
//!
//! // What is run often is analysed once. (Programs can be shared by engines and threads.)
//! let program = engine.compile("rule.star", "version * 14")?;
//! let answer = engine.evaluate_program(&program)?;
//! assert_eq!(engine.get::<i64>(&answer)?, 42);
//!
//! // A limit ends a program, and not the engine.
//! engine.set_limits(Limits { steps: Some(1000), ..Limits::default() });
//! let error = engine.evaluate("endless.star", "[x for x in range(1 << 60)]").unwrap_err();
//! assert_eq!(error.kind(), ErrorKind::Limit(Limit::Steps(1000)));
//! # Ok(())
//! # }
//! ```
//!
//! | what | where |
//! | --- | --- |
//! | an interpreter; running, evaluating, calling | [`Engine`] |
//! | modules analysed once; values kept between calls | [`Program`], [`Handle`] |
//! | functions with converted arguments | [`function!`], [`FromValue`], [`IntoValue`] |
//! | functions that call back; who called a function | [`Engine::higher_order`]; [`Cx::call_stack`] |
//! | Rust types as types of the language, with methods and operators | [`HostType`], [`members!`], [`Hosted`] |
//! | what functions share | [`Engine::set_state`], [`Cx::state`] |
//! | finding modules | [`Loader`] |
//! | steps, calls, cancelling from another thread | [`Limits`], [`Canceller`]; the heap: [`frazil::Config`] |
//! | errors, with the text for people and the kind for programs | [`Error`], [`ErrorKind`] |
//!
//! A small build system, in `examples/build`, uses most of it.
//!
//! # Reading the code
//!
//! Reading order: [`value`] (words, shapes), [`data`] (what the types are made of), [`ops`] (what the language does
//! with them), [`code`] and [`compile`], [`machine`] (frames, instructions, collections, errors), [`builtins`], and
//! [`engine`], the face towards an embedding program.
//!
//! # The language
//!
//! It is that of the specification; where that says nothing, the Go implementation is followed, and so is the wording
//! of its errors. What a host may switch on or off is in [`syntax::Dialect`]; `json` and `math` come as a
//! [`Library`]. Where the two models differ:
//!
//! - `b"abc"[0]` is the int 97, as specified (the Go implementation gives `b"a"`); sets have no order, as specified,
//!   unless [`set_order`](syntax::Dialect::set_order) is on; `s -= t` and its like change the set `s` itself.
//! - Sets have all methods of the specification: the Go implementation lacks the three `*_update` ones and `isdisjoint`.
//! - Values are compared to any depth. Only one that contains itself is an error (in Go, ten levels are).
//! - Errors of built-in functions begin with `error in sorted: ` where Go says `sorted: `, and may say more: a hint, a name.
//! - The elements of strings are bytes. A slice may cut through a code point: see [`data::text`].
//! - `clear` of an empty frozen set is no error, and `dict.update(None)` is one, as in Go.
//! - Indices beyond the ints of the machine are clamped, as specified, as well (in Go they are out of range). `3.5 in
//!   range(5)` is false (in Go the fraction is cut off).
//! - A method that is missing is missed when it is called: its arguments have been evaluated by then. Operators in
//!   errors are those of the text (Go says `unknown binary op: int in int` of `not in`).
//! - `splitlines` ends lines at `\r` as well, as specified. `strip(None)` strips white space, like `strip()`.
//! - Where a reserved word stands, errors name it (in Go, `illegal token`). A name can be `assert`, as in Go.
//! - Tabs may indent: they count up to the next multiple of 8 columns, as in Go. The specification forbids them.
//! - `print(x = 1)` is an error, as in Go: the specification has it in an example. `split` and `splitlines` take their
//!   arguments by name, too.
//! - `"ß".upper()` is `"SS"`: the letters of Go change one by one. `"İ".lower()` and a final `"Σ"` follow from that, too.
//! - `struct` is there for all programs. Two structs can be added.
//! - Type annotations are parsed if they are allowed, and a warning says that nothing checks them.
//!
//! # Design
//!
//! Four decisions shape all of it:
//!
//! - **The heap is borrowed while values are held.** Whatever works on values takes a [`cx::Cx`], which borrows the
//!   heap, so nothing is collected or moved meanwhile and nothing has to be rooted. The machine gives the borrow
//!   back at its safepoints: calls and loops. All that lives longer is in registers, which are words of the heap's
//!   root stack.
//! - **What can be immutable is.** Tuples, structs, functions and strings are counted by the collector; only
//!   lists, dicts, sets, captured variables and the globals of a running module are traced. A loaded module is
//!   frozen and then counted as well.
//! - **A function refers to what it uses, not to its module**: the constants, cells of globals and nested codes that
//!   its code names ([`code::Link`]). So nothing is kept alive, or frozen, because it stands in the same file.
//! - **Operations allocate before they change anything.** So when the heap's limit is reached, the machine collects
//!   everything and repeats the instruction; if that does not help, the program ends with an ordinary error. What a
//!   function of the embedding program has changed nobody knows: it is called once ([`Cx::want_room`]).
#![deny(unsafe_code)]

mod advice;
pub mod builtins;
pub mod caller;
pub mod code;
pub mod compile;
pub mod convert;
pub mod cx;
pub mod data;
pub mod define;
pub mod engine;
pub mod error;
pub mod failure;
pub mod guard;
pub mod handle;
pub mod host;
pub mod host_type;
pub mod library;
pub mod limits;
pub mod machine;
pub mod ops;
pub mod parallel;
pub mod picture;
pub mod program;
mod resident;
mod residents;
pub mod session;
pub mod spelling;
pub mod syntax;
pub mod value;

pub use builtins::methods::Method;
pub use caller::{Caller, Given};
pub use convert::{FromValue, IntoValue};
pub use cx::Cx;
pub use engine::{CONFIG, Engine, EngineError};
pub use error::{Error, ErrorKind};
pub use failure::{Failure, Res};
/// The collector: for [`frazil::Config`], [`frazil::Stats`] and the like, in the version that goes with this one.
pub use frazil;
pub use guard::Panic;
pub use handle::Handle;
pub use host::Args;
pub use host_type::{HostType, Hosted, Key, Member};
pub use library::Library;
pub use limits::{Canceller, Limit, Limits};
pub use machine::{Arguments, Loader, Mistake, View, Watch};
pub use picture::Picture;
pub use program::Program;
pub use session::Session;
pub use value::Value;

/// The examples in the README are tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
