//! What the host holds in its hands: numbers, each in a structure of its own, so that C cannot mix them up.

/// A word: a reference to an object, or an immediate of the host's own. References have their three lowest bits clear
/// and are not zero. Good until the next collection.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct frazil_value {
    /// The word.
    pub word: u64,
}

/// A heap, by its number. Numbers are never used twice.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct frazil_heap {
    /// The number; no heap has 0.
    pub number: u64,
}

/// A root with a number. No handle is 0.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct frazil_handle {
    /// Place, generation, kind and heap.
    pub bits: u64,
}

/// A reference that keeps nothing alive, with a number. None is 0.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct frazil_weak {
    /// Place, generation, kind and heap.
    pub bits: u64,
}

/// A group of heaps that may share frozen data, by its number. None is 0.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct frazil_group {
    /// The number; never used twice.
    pub number: u64,
}

/// Something frozen that any heap of a group may import, by its number. None is 0.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct frazil_shared {
    /// The number; never used twice.
    pub number: u64,
}

/// A scope of handles, with a number. None is 0.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct frazil_scope {
    /// Place, generation, kind and heap.
    pub bits: u64,
}

/// A heap's own memory, for inline code (see [`crate::emitting`]): only its address is of use.
#[repr(C)]
#[derive(Debug)]
pub struct frazil_raw {
    _private: [u8; 0],
}
