//! Under every schedule.

/// What the kernel and the models are made of.
pub mod primitive {
    pub use loom::sync::atomic::{AtomicBool, AtomicU32, Ordering};
    pub use loom::sync::{Arc, Mutex, RwLock};
    pub use loom::thread;
}

#[path = "../../../src/exchange/kernel.rs"]
pub mod kernel;
#[path = "models.rs"]
pub mod models;
