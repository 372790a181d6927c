//! The hash index of a dict or set: a power of two cells of four bytes, probed linearly.
//!
//! A cell is 0 or holds the entry's position plus one in its low bits, as many as the number of cells has; the bits
//! above are part of the key's hash, so that a lookup hardly ever looks at a wrong key.

use std::cell::Cell;

use crate::cx::Cx;
use crate::failure::Res;
use crate::value::{Object, shapes};

/// Cells for this many entries: a power of two that is at most 13/16 full.
pub(super) fn cells_for(entries: usize) -> usize {
    (entries * 16 / 13 + 1).next_power_of_two()
}

/// An empty index.
pub(super) fn make<'s>(cx: Cx<'s>, cells: usize) -> Res<Object<'s>> {
    Ok(cx.alloc(&shapes::INDEX, cells * 4)?.finish())
}

/// The low bits of a cell that hold the entry's number; the rest is part of the hash.
#[inline(always)]
fn cell_parts(hash: u64, cells: usize) -> (u32, u32) {
    let number_mask = (cells - 1) as u32;
    ((hash >> 32) as u32 & !number_mask, number_mask)
}

/// Enters the entry at a position.
#[inline(always)]
pub(super) fn put(index: &[Cell<u32>], hash: u64, position: usize) {
    let (part, mask) = cell_parts(hash, index.len());
    let mut at = hash as usize & mask as usize;
    while index[at].get() != 0 {
        at = (at + 1) & mask as usize;
    }
    index[at].set(part | (position as u32 + 1));
}

/// Looks for the position that satisfies `is_it` among those with this hash.
///
/// # Errors
/// `is_it` failed.
#[inline(always)]
pub(super) fn find<'s>(
    index: Object<'s>,
    hash: u64,
    mut is_it: impl FnMut(usize) -> Res<bool>,
) -> Res<Option<usize>> {
    let cells = index.numbers::<u32>();
    let (part, mask) = cell_parts(hash, cells.len());
    let mut at = hash as usize & mask as usize;
    loop {
        let cell = cells.get(at);
        if cell == 0 {
            return Ok(None);
        }
        if cell & !mask == part {
            let position = (cell & mask) as usize - 1;
            if is_it(position)? {
                return Ok(Some(position));
            }
        }
        at = (at + 1) & mask as usize;
    }
}

/// The number of cells.
#[inline(always)]
pub(super) fn cells(index: Object<'_>) -> usize {
    index.byte_len() / 4
}
