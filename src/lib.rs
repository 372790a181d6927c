//! Frazil: a generational collector for people who write language runtimes.
#![deny(unsafe_code)]

mod fault;
#[allow(unsafe_code)]
mod heap;
#[allow(unsafe_code)]
mod object;
#[allow(unsafe_code)]
mod os;
mod shape;
mod tuning;
#[allow(unsafe_code)]
mod value;

pub use blocks::BlockBytes;
pub use fault::Fault;
pub use heap::{AllocError, Handle, Heap, Request, StoreError};
pub use shape::Shape;
pub use tuning::{Config, ConfigError, Drain};
pub use value::{Fresh, Host, LowTag, Object, Plain, References, Value};
