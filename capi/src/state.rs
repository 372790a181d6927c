//! A heap with what the C interface keeps for it.

use frazil::{Group, Handle, Heap, LowTag, Weak};

use crate::event::{Listener, frazil_event};
use crate::handle::Scope;
use crate::shape::Shapes;
use crate::table::{Kind, Table};
use crate::value::frazil_raw;

/// The heap of the C interface: its words are tagged in the plainest way.
pub(crate) type CHeap = Heap<'static, LowTag>;
/// A group of them.
pub(crate) type CGroup = Group<LowTag>;

/// Everything behind a [`crate::frazil_heap`].
pub(crate) struct State {
    pub heap: CHeap,
    pub number: u64,
    /// The number of its group, if it belongs to one.
    pub group: Option<u64>,
    pub shapes: Shapes,
    pub handles: Table<Handle<'static>>,
    pub weaks: Table<Weak<'static>>,
    pub scopes: Table<()>,
    /// The open scopes, outermost first.
    pub open: Vec<Scope>,
    pub listener: Option<Listener>,
    /// What the listener has not been told yet, oldest first.
    pub events: Vec<frazil_event>,
    /// The listener is running.
    pub telling: bool,
    /// A call ended with a panic: nothing can be said about the heap any more.
    pub broken: bool,
}

impl State {
    /// What is kept for `heap`, which has the number `number`, and is of this group if it is of one.
    pub fn new(number: u64, heap: CHeap, group: Option<u64>) -> State {
        State {
            heap,
            number,
            group,
            shapes: Shapes::default(),
            handles: Table::new(Kind::Handle, number),
            weaks: Table::new(Kind::Weak, number),
            scopes: Table::new(Kind::Scope, number),
            open: Vec::new(),
            listener: None,
            events: Vec::new(),
            telling: false,
            broken: false,
        }
    }

    /// For inline code: where the heap is.
    pub fn raw(&mut self) -> *mut frazil_raw {
        (&raw mut self.heap).cast()
    }

    /// The listener is to be told, if there is one.
    pub fn tell(&mut self, event: frazil_event) {
        if self.listener.is_some() {
            self.events.push(event);
        }
    }
}
