//! Persistent collections: every change makes another one, which shares most of its parts with the one before.
//!
//! They are immutable and `Copy`, a few words each. All their objects are counted once they are old, so however large
//! they grow, no collection looks at them.
//!
//! ```
//! use frazil::arena::{Arena, persistent::HashMap};
//!
//! let mut arena = Arena::<()>::new(|_| ());
//! arena.enter(|s, _| {
//!     let one = HashMap::new().insert(s, "a", 1);
//!     let two = one.insert(s, "b", 2);
//!     assert_eq!((one.len(), two.len()), (1, 2));
//!     assert_eq!((one.get(&"b"), two.get(&"b")), (None, Some(2)));
//! });
//! ```

mod hash_map;
mod ordered_map;
mod vector;

pub use hash_map::HashMap;
pub use ordered_map::OrderedMap;
pub use vector::Vector;

use super::{Gc, Session, Trace};

/// The slice with `value` in place of element `index`.
fn replaced<'gc, T: Trace<'gc> + Copy>(
    s: &Session<'gc>,
    slice: &[T],
    index: usize,
    value: T,
) -> Gc<'gc, [T]> {
    let mut copy = s.unique_slice(slice.len(), |at| slice[at]);
    copy[index] = value;
    copy.share()
}

/// The slice with `value` put in before element `index`.
fn inserted<'gc, T: Trace<'gc> + Copy>(
    s: &Session<'gc>,
    slice: &[T],
    index: usize,
    value: T,
) -> Gc<'gc, [T]> {
    s.slice_with(slice.len() + 1, |at| match at.cmp(&index) {
        std::cmp::Ordering::Less => slice[at],
        std::cmp::Ordering::Equal => value,
        std::cmp::Ordering::Greater => slice[at - 1],
    })
}

/// The slice without element `index`.
fn removed<'gc, T: Trace<'gc> + Copy>(s: &Session<'gc>, slice: &[T], index: usize) -> Gc<'gc, [T]> {
    s.slice_with(slice.len() - 1, |at| slice[if at < index { at } else { at + 1 }])
}
