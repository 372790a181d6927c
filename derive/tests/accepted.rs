//! What is accepted, where no unsafe code is: the derive brings its own.
#![forbid(unsafe_code)]

use frazil::arena::{Arena, Cell, Gc, Static, Trace};

#[derive(Clone, Copy, Trace)]
#[trace(immutable)]
enum Shape<'gc, T, const N: usize> {
    Nothing,
    One(T, &'static str),
    Named { name: Gc<'gc, str>, parts: [Option<Gc<'gc, Shape<'gc, T, N>>>; N] },
}

#[derive(Trace)]
struct Unit;

type Count = Cell<u64>;

/// The name of the brand is free, and names of fields may be strange.
#[derive(Trace)]
pub struct Everything<'a, T> {
    /// A name that is a word of the language.
    pub r#type: Cell<Option<T>>,
    #[trace(field)]
    pub(crate) count: Count,
    plain: (u8, Static<std::net::Ipv4Addr>),
    shapes: Gc<'a, [Shape<'a, T, 2>]>,
    unit: Unit,
}

#[derive(Trace)]
struct Pair<'gc>(Cell<u64>, Gc<'gc, Pair<'gc>>, Cell<u8>);

#[derive(Clone, Copy, Debug, PartialEq, Trace)]
enum Never {}

fn main() {
    let mut arena = Arena::<Everything<'static, Gc<'static, str>>>::new(|s| {
        let named = Shape::Named { name: s.str("named"), parts: [None; 2] };
        let shapes = s.slice(&[Shape::Nothing, Shape::One(s.str("one"), "static"), named]);
        let plain = (1, Static(std::net::Ipv4Addr::LOCALHOST));
        Everything { r#type: Cell::new(None), count: Cell::new(0), plain, shapes, unit: Unit }
    });
    arena.collect();
    arena.enter(|s, root| {
        s.set(root, Everything::TYPE, Some(s.str("type")));
        s.set(root, Everything::COUNT, root.count.get() + 1);
        let Shape::Named { name, parts: [None, None] } = root.shapes[2] else { panic!("another") };
        let Shape::One(one, text) = root.shapes[1] else { panic!("another") };
        assert_eq!((&*name, &*one, text, root.count.get()), ("named", "one", "static", 1));
        assert_eq!((root.plain.0, root.plain.1.is_loopback()), (1, true));
        let Unit = root.unit;
        assert!(s.alloc(None::<Never>).is_none());
        let _ = (Pair::FIELD_0, Pair::FIELD_2, |pair: Pair<'_>| pair.1.0.get());
    });
}
