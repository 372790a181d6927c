//! Values that the embedding program keeps between calls.

use std::cell::RefCell;
use std::rc::Rc;

use crate::cx::Cx;
use crate::value::{Heap, Value};

/// A value that an engine keeps for the embedding program: wherever the collector moves it, and until the last copy of the
/// handle is gone.
///
/// A handle shows nothing by itself: [`Engine::get`](crate::Engine::get) makes Rust data of it, and
/// [`Engine::look`](crate::Engine::look) lends it. It may outlive its engine, and is of no use to another one.
#[derive(Clone, Debug)]
pub struct Handle(Rc<Root>);

/// The root of the heap that a handle stands for.
#[derive(Debug)]
struct Root {
    /// There until it is dropped.
    root: Option<frazil::Handle<'static>>,
    pool: Rc<Pool>,
}

/// What all handles of an engine share: the roots whose handles are gone. (When a handle is dropped, the heap is not at
/// hand.)
#[derive(Debug, Default)]
pub(crate) struct Pool(RefCell<Vec<frazil::Handle<'static>>>);

impl Drop for Root {
    fn drop(&mut self) {
        self.pool.0.borrow_mut().extend(self.root.take());
    }
}

impl Pool {
    /// Gives the roots back whose handles are gone.
    pub fn release(&self, heap: &Heap) {
        for root in self.0.borrow_mut().drain(..) {
            heap.unroot(root);
        }
    }
}

impl Handle {
    /// Keeps a value.
    pub(crate) fn new<'s>(cx: Cx<'s>, value: Value<'s>) -> Handle {
        let pool = Rc::clone(&cx.host.handles);
        pool.release(cx.heap);
        Handle(Rc::new(Root { root: Some(cx.heap.root(value)), pool }))
    }

    /// The value.
    ///
    /// # Panics
    /// The handle belongs to another engine.
    pub fn value<'s>(&self, cx: Cx<'s>) -> Value<'s> {
        assert!(Rc::ptr_eq(&self.0.pool, &cx.host.handles), "a handle of another engine");
        self.0.root.as_ref().map_or(Value::EMPTY, |root| cx.heap.rooted(root))
    }
}
