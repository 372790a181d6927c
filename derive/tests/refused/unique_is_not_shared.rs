//! A unique object, used when it is shared.
//~ borrow of moved value: `link`
use frazil::arena::Arena;

fn main() {
    let mut arena = Arena::<()>::new(|_| ());
    arena.enter(|s, _| {
        let mut link = s.unique(1);
        let shared = link.share();
        *link = 2;
        println!("{shared}");
    });
}
