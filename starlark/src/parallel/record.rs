//! What a program has its host told, kept until it is its turn.

use crate::host::Host;
use crate::syntax::Diagnostic;

/// Something that the embedding program is to be told.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// The program printed a line.
    Line(String),
    /// Something is to be said about a module.
    Warning(Diagnostic),
    /// The module with this number is loaded: if it was not before, what it had to say comes here.
    Load(usize),
}

/// What happened, in order.
pub(crate) type Record = Vec<Event>;

impl Event {
    /// Tells it.
    pub fn tell(self, host: &Host) {
        match self {
            Event::Line(line) => (host.print)(&line),
            Event::Warning(warning) => (host.warn)(&warning),
            Event::Load(_) => {}
        }
    }
}
