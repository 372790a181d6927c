//! A guide, in the order in which one needs it. All code in it is compiled, and run, by the tests.
//!
//! 1. [`model`]: what a session is, and what carries over from one to the next.
//! 2. [`death`]: when memory dies, and what it costs.
//! 3. [`porting`]: a small runtime, moved from `Rc<RefCell<_>>` step by step.
//! 4. [`tuning`]: settings, and how to see whether they matter.
//! 5. [`threads`]: one arena, one thread; what is frozen, for all.
//! 6. [`pitfalls`]: what does not compile, why, and what to write instead.

#[doc = include_str!("guide/model.md")]
pub mod model {}
#[doc = include_str!("guide/death.md")]
pub mod death {}
#[doc = include_str!("guide/porting.md")]
pub mod porting {}
#[doc = include_str!("guide/tuning.md")]
pub mod tuning {}
#[doc = include_str!("guide/threads.md")]
pub mod threads {}
#[doc = include_str!("guide/pitfalls.md")]
pub mod pitfalls {}
