//! Objects larger than half a block: whole blocks of their own, or a mapping of their own.
//!
//! A large object is born where it stays. It is *young* until the first collection reaches it. Behind it lies one
//! byte for each KiB of it, its cards: which parts have been touched since the last collection.

use blocks::CHUNK_BYTES;
use blocks::table::Use;

use crate::object::{self, ObjRef};
use crate::os::{Refused, page_bytes, set_accessible};
use crate::shape::MUTABLE;

use super::{Space, chunk_base, chunk_of};

/// Bytes of a large object whose touching is remembered together. Larger: fewer bytes of cards, more slots to
/// scan for one store. Smaller: the reverse.
pub(crate) const CARD_BYTES: usize = 1 << 10;

/// The byte that says whether card number `card` of the large object at `address` has been touched.
pub(crate) fn card_byte(address: usize, bytes: usize, card: usize) -> *mut u8 {
    std::ptr::with_exposed_provenance_mut(address + bytes + card)
}

/// Forgets that a card of a live large object was touched.
pub(crate) fn clear_card(object: ObjRef, card: usize) {
    // SAFETY: a card byte of a live large object.
    unsafe { *card_byte(object.address(), object.bytes(), card) = 0 };
}

/// The bytes of a large object and of its cards.
fn with_cards(bytes: usize) -> usize {
    bytes + bytes.div_ceil(CARD_BYTES)
}

impl Space {
    /// Blocks, or a mapping, for an object of `bytes` bytes which is to be young until the next collection.
    pub fn large(&mut self, bytes: usize) -> Result<usize, Refused> {
        let blocks = self.blocks_of_large(bytes);
        let address = match blocks {
            0 => self.huge_mapping(with_cards(bytes))?,
            _ => self.block_run(blocks)?,
        };
        set_accessible(address, with_cards(bytes), true);
        let state = self.state(address);
        state.set_used(Use::Head);
        state.live.set(blocks as u32);
        state.young.set(true);
        for card in 0..bytes.div_ceil(CARD_BYTES) {
            // SAFETY: the bytes behind the object were just made its own.
            unsafe { *card_byte(address, bytes, card) = 0 };
        }
        // SAFETY: the caller makes an object of it at once.
        self.young_large.push(unsafe { ObjRef::new(address) });
        Ok(address)
    }

    /// Does an object of so many bytes get blocks, or a mapping, of its own?
    pub fn is_large(&self, bytes: usize) -> bool {
        bytes > blocks::classes::cell_bytes_max(self.block)
    }

    /// How many blocks a large object takes; none if it gets a mapping of its own.
    pub fn blocks_of_large(&self, bytes: usize) -> usize {
        let bytes = with_cards(bytes);
        if bytes > CHUNK_BYTES / 2 { 0 } else { bytes.div_ceil(self.block.get()) }
    }

    /// The bytes of these blocks, or of that mapping.
    pub fn bytes_of_large(&self, bytes: usize) -> usize {
        match self.blocks_of_large(bytes) {
            0 => self.mapping_bytes(with_cards(bytes)).next_multiple_of(page_bytes()),
            blocks => blocks * self.block.get(),
        }
    }

    /// Bytes of side tables and so many others.
    fn mapping_bytes(&self, bytes: usize) -> usize {
        self.first_block() * self.block.get() + bytes
    }

    fn block_run(&mut self, blocks: usize) -> Result<usize, Refused> {
        let (region, first) = loop {
            let found = self.regions.iter_mut().enumerate().skip(self.hint).find_map(|(at, region)| {
                let (first, backed) = region.free.take_run(blocks)?;
                Some((at, first, backed))
            });
            match found {
                Some((region, first, backed)) => {
                    self.take_backed(backed);
                    break (region, first);
                }
                None => {
                    let mapping = self.system.map(CHUNK_BYTES, CHUNK_BYTES)?;
                    self.add_chunk(mapping);
                }
            }
        };
        self.blocks_free -= blocks;
        self.blocks_used += blocks;
        let address = self.regions[region].mapping.range().start + first * self.block.get();
        for tail in 1..blocks {
            self.state(address + tail * self.block.get()).set_used(Use::Tail);
        }
        Ok(address)
    }

    fn huge_mapping(&mut self, bytes: usize) -> Result<usize, Refused> {
        let mapping = self.system.map(self.mapping_bytes(bytes), CHUNK_BYTES)?;
        let range = mapping.range();
        self.huge_bytes += range.len();
        chunk_of(range.start).owner.set(self.owner);
        self.huge.insert(range.start, mapping);
        self.bases.insert(range.start);
        Ok(range.start + self.mapping_bytes(0))
    }

    /// Is this the address of a large object that no collection has reached yet?
    #[inline(always)]
    pub fn is_young_large(&self, address: usize) -> bool {
        !self.young_large.is_empty() && self.is_own(address) && self.state(address).young.get()
    }

    /// Does a large object begin here that no collection has reached yet?
    pub fn begins_young_large(&self, address: usize) -> bool {
        self.is_young_large(address) && self.block_of(address) == address
    }

    /// A mutable object is traced, whatever it refers to: of young large ones this is noted before a collection reaches
    /// anything. Says whether there are others, whose class depends on what they refer to.
    pub fn classify_young_large(&self) -> bool {
        let is_mutable = |object: &&ObjRef| object.header().has(MUTABLE);
        let mutable = self.young_large.iter().filter(is_mutable);
        mutable.map(|object| object.set_traced(true)).count() < self.young_large.len()
    }

    /// A young large object becomes old where it is.
    pub fn promote_large(&mut self, object: ObjRef, bytes: usize) {
        self.state(object.address()).young.set(false);
        self.objects += 1;
        self.bytes += bytes;
        object.chunk().starts.set(object.granule());
    }

    /// Frees the large objects that are still young. From now on there are none.
    pub fn free_young_large(&mut self) {
        for object in std::mem::take(&mut self.young_large) {
            if self.state(object.address()).young.get() {
                object.set_traced(false);
                self.free_large(object);
            }
        }
    }

    /// Frees the memory of a large object, young or old, which is not noted as traced any more.
    pub fn free_large(&mut self, object: ObjRef) {
        let (address, bytes) = (object.address(), object.bytes());
        if self.poison || cfg!(frazil_asan) {
            // SAFETY: the object has ended.
            unsafe { object::poison(address, bytes) };
        }
        let was_young = self.state(address).young.replace(false);
        if let Some(mapping) = self.huge.remove(&chunk_base(address)) {
            self.huge_bytes -= mapping.range().len();
            self.bases.remove(&mapping.range().start);
            // No table ever said anything of a young one, so nobody will look there again.
            if !was_young {
                self.dying.push(mapping);
            }
            return;
        }
        let blocks = self.state(address).live.get() as usize;
        for index in 0..blocks {
            self.put_block(address + index * self.block.get());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use blocks::BlockBytes;

    use super::*;
    use crate::exchange::Owner;
    use crate::shape::Shape;

    /// The last card may be for less than a KiB. Without it, this object would end with its mapping.
    #[test]
    fn all_cards_of_an_object_lie_in_its_memory() {
        let bytes = 193 * (16 << 10) + 1008;
        assert!((bytes + bytes / CARD_BYTES).is_multiple_of(4 << 10) && !bytes.is_multiple_of(CARD_BYTES));
        for block in BlockBytes::ALL {
            let mut space = Space::new(block, false, Rc::default(), Owner::ALONE);
            let address = space.large(bytes).expect("memory");
            let end = chunk_base(address) + space.large_bytes(address);
            assert!(address + bytes + bytes.div_ceil(CARD_BYTES) <= end);
        }
    }

    /// A scratch frame may make and free any number of them before the next collection.
    #[test]
    fn the_mapping_of_what_dies_young_goes_back_at_once() {
        const BUFFER: Shape = Shape::new(1, "buffer").bytes();
        let mut space = Space::new(BlockBytes::K4, false, Rc::default(), Owner::ALONE);
        let header = BUFFER.header(2 * CHUNK_BYTES).expect("a short one");
        let bytes = header.cell_bytes();
        for dies_young in [true, false] {
            let address = space.large(bytes).expect("memory");
            assert_eq!(space.used_bytes(), space.bytes_of_large(bytes));
            // SAFETY: memory for an object of so many bytes.
            let object = unsafe { object::initialise(address, header, 1) };
            space.young_large.clear();
            if !dies_young {
                space.promote_large(object, bytes);
                space.free(object);
            } else {
                space.free_large(object);
            }
            assert_eq!((space.used_bytes(), space.dying.is_empty()), (0, dies_young));
        }
    }
}
