//! Under many random schedules.

/// What the kernel and the models are made of.
pub mod primitive {
    pub use shuttle::sync::atomic::{AtomicBool, AtomicU32, Ordering};
    pub use shuttle::sync::{Arc, Mutex, RwLock};
    pub use shuttle::thread;
}

#[path = "../../../src/exchange/kernel.rs"]
pub mod kernel;
#[path = "models.rs"]
pub mod models;
