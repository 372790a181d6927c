//! Collections that are built by changing them, and frozen when they are complete.
//!
//! Each is a pointer, `Copy` like a [`Gc`](super::Gc), to an object with cells. What they hold is `Copy`, as everything
//! in an arena should be. `freeze` freezes the collection's own objects, not what its elements refer to;
//! [`Session::freeze_deep`](super::Session::freeze_deep) of whatever holds it freezes everything. Changing a frozen
//! collection panics.
//!
//! ```
//! use frazil::arena::{Arena, Gc, collections::HashMap};
//!
//! let mut arena = Arena::<HashMap<'static, Gc<'static, str>, u32>>::new(|s| HashMap::new(s));
//! arena.enter(|s, ages| {
//!     ages.insert(s, s.str("Ada"), 36);
//!     ages.insert(s, s.str("Grace"), 85);
//!     ages.freeze(s);
//! });
//! arena.collect(); // the keys have moved, but the hash is that of the text
//! arena.enter(|s, ages| assert_eq!(ages.get(&s.str("Ada")), Some(36)));
//! ```

mod hash_map;
mod ordered_map;
mod vector;

pub use hash_map::HashMap;
pub(in crate::arena) use hash_map::hash_of;
pub use ordered_map::OrderedMap;
pub use vector::Vector;
