//! A session that no arena began.
//~ fields `inner` and `brand` of struct `Session` are private
use frazil::arena::Session;

fn main() {
    let _session: Session<'static> = Session { inner: todo(), brand: std::marker::PhantomData };
}

fn todo<T>() -> T {
    loop {}
}
