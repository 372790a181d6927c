//! The shapes that histories make objects of, and what their raw parts hold.
//!
//! Every object carries its number in the shadow graph, so that it can be recognised wherever it is moved: in
//! its first raw word, or in its first eight bytes. All other raw words and bytes follow from that number.

use frazil::Shape;

use crate::shadow::Id;

/// What the length given to an allocation means for a kind of object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tail {
    /// Nothing: the number of references is fixed.
    Fixed,
    /// That many references.
    References,
    /// That many bytes. At least eight, or there is no room for the number of the object.
    Bytes,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident $name:literal $tail:ident $references:literal $mutable:literal = $shape:expr;)*) => {
        /// A kind of object, one for each layout that the collector must get right.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind { $($(#[$doc])* $kind,)* }

        impl Kind {
            /// Every kind.
            pub const ALL: &[Kind] = &[$(Kind::$kind),*];

            /// What a history calls it.
            pub const fn name(self) -> &'static str {
                match self { $(Kind::$kind => $name,)* }
            }

            /// What the length means.
            pub const fn tail(self) -> Tail {
                match self { $(Kind::$kind => Tail::$tail,)* }
            }

            /// References without those in the tail.
            const fn fixed_references(self) -> usize {
                match self { $(Kind::$kind => $references,)* }
            }

            /// Is it born mutable?
            pub const fn is_mutable(self) -> bool {
                match self { $(Kind::$kind => $mutable,)* }
            }

            /// The shape that the collector is told.
            pub const fn shape(self) -> &'static Shape {
                match self { $(Kind::$kind => const { &$shape },)* }
            }
        }
    };
}

kinds! {
    /// Immutable, no reference.
    Leaf "leaf" Fixed 0 false = Shape::new(1, "leaf").raw_words(1);
    /// Immutable, two references: lists are made of it.
    Pair "pair" Fixed 2 false = Shape::new(2, "pair").raw_words(1).references(2);
    /// Immutable, any number of references: hubs.
    Tuple "tuple" References 0 false = Shape::new(3, "tuple").raw_words(1).references_tail();
    /// Immutable bytes.
    Bytes "bytes" Bytes 0 false = Shape::new(4, "bytes").bytes();
    /// Text.
    Text "text" Bytes 0 false = Shape::new(5, "text").text();
    /// Immutable bytes with a reference before them.
    Keyed "keyed" Bytes 1 false = Shape::new(6, "keyed").bytes().references(1);
    /// Mutable, one reference.
    Cell "cell" Fixed 1 true = Shape::new(7, "cell").raw_words(1).references(1).mutable();
    /// Mutable, four references and a second raw word.
    Row "row" Fixed 4 true = Shape::new(8, "row").raw_words(2).references(4).mutable();
    /// Mutable, any number of references.
    Slots "slots" References 0 true = Shape::new(9, "slots").raw_words(1).references_tail().mutable();
    /// Mutable, raw words only.
    Counter "counter" Fixed 0 true = Shape::new(10, "counter").raw_words(3).mutable();
    /// Mutable bytes.
    Buffer "buffer" Bytes 0 true = Shape::new(11, "buffer").bytes().mutable();
    /// Mutable bytes with three references before them.
    Table "table" Bytes 3 true = Shape::new(12, "table").bytes().references(3).mutable();
}

impl Kind {
    /// The kind that histories call `name`.
    pub fn named(name: &str) -> Option<Kind> {
        Kind::ALL.iter().copied().find(|kind| kind.name() == name)
    }

    /// The kind of the shape with this number.
    pub fn of_shape(id: u16) -> Option<Kind> {
        Kind::ALL.get(usize::from(id).wrapping_sub(1)).copied()
    }

    /// References of an object of this kind with length `len`.
    pub const fn references(self, len: u32) -> usize {
        match self.tail() {
            Tail::References => len as usize,
            Tail::Fixed | Tail::Bytes => self.fixed_references(),
        }
    }

    /// Words before the references, the header left out (layout *references*).
    pub const fn raw_words(self) -> usize {
        match self {
            Kind::Counter => 3,
            Kind::Row => 2,
            _ => match self.tail() {
                Tail::Bytes => 0,
                Tail::Fixed | Tail::References => 1,
            },
        }
    }

    /// The nearest length that an object of this kind can have in a history.
    pub fn length(self, len: u32) -> u32 {
        match self.tail() {
            Tail::Fixed => 0,
            Tail::References => len.min(1 << 20),
            Tail::Bytes => len.clamp(Id::BYTES, 8 << 20),
        }
    }

    /// Bytes of an object with length `len`, its header included.
    pub const fn bytes(self, len: u32) -> usize {
        match self.tail() {
            Tail::Bytes => 8 * (1 + self.references(len)) + (len as usize).next_multiple_of(8),
            Tail::Fixed | Tail::References => 8 * (1 + self.raw_words() + self.references(len)),
        }
    }

    /// Can one raw word or byte be changed without losing the object's number?
    pub const fn can_be_poked(self, len: u32) -> bool {
        match self {
            Kind::Counter | Kind::Row => true,
            Kind::Buffer | Kind::Table => len > Id::BYTES,
            _ => false,
        }
    }

    /// What the first raw word of object `id` holds, or its first eight bytes as a little-endian number.
    pub fn mark(self, id: Id) -> u64 {
        if self == Kind::Text {
            u64::from_le_bytes(*format!("{:08x}", id.number()).as_bytes().first_chunk().unwrap_or(&[0; 8]))
        } else {
            u64::from(id.number())
        }
    }

    /// The object whose mark this is. The inverse of [`Kind::mark`].
    pub fn marked(self, mark: u64) -> Option<Id> {
        let number = if self == Kind::Text {
            u32::from_str_radix(std::str::from_utf8(&mark.to_le_bytes()).ok()?, 16).ok()?
        } else {
            u32::try_from(mark).ok()?
        };
        Id::of_number(number)
    }

    /// Byte `index` of object `id`, beyond the mark. It is ASCII, so that it serves for texts as well.
    pub fn byte(id: Id, index: usize) -> u8 {
        b'0' + (id.number().wrapping_mul(31) as usize).wrapping_add(index) as u8 % 64
    }

    /// Bytes `8 * index` to `8 * index + 7` of object `id`, beyond the mark, as a little-endian number.
    pub fn eight_bytes(id: Id, index: usize) -> u64 {
        const EACH: u64 = 0x0101_0101_0101_0101;
        // Neither sum leaves its byte.
        let first = (id.number().wrapping_mul(31) as u8).wrapping_add((8 * index) as u8) % 64;
        let each = u64::from(first) * EACH + 0x0706_0504_0302_0100;
        (each & (63 * EACH)) + u64::from(b'0') * EACH
    }

    /// Raw word `index` of object `id`, beyond the mark.
    pub fn word(id: Id, index: usize) -> u64 {
        !u64::from(id.number()) << 8 | index as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_leads_back_to_its_object() {
        for &kind in Kind::ALL {
            assert_eq!(Kind::named(kind.name()), Some(kind));
            assert_eq!(Kind::of_shape(kind.shape().id()), Some(kind));
            assert_eq!(kind.shape().is_mutable(), kind.is_mutable());
            assert_eq!(kind.shape().is_variable(), kind.tail() != Tail::Fixed);
            for index in [0, 1, 77, 1 << 20] {
                assert_eq!(kind.marked(kind.mark(Id(index))), Some(Id(index)));
            }
        }
        for (id, index) in (0..200).map(|number| (Id(number * 77), number as usize)) {
            let bytes = [0, 1, 2, 3, 4, 5, 6, 7].map(|at| Kind::byte(id, 8 * index + at));
            assert_eq!(Kind::eight_bytes(id, index), u64::from_le_bytes(bytes));
        }
        assert_eq!(Kind::Leaf.marked(0), None);
        assert_eq!(Kind::Text.marked(u64::MAX), None);
    }
}
