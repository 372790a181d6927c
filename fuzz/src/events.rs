//! Events that cases bring about: a macro that makes an enumeration of them, with a text for each.

macro_rules! events {
    (#![$of:meta] $($(#[$doc:meta])* $event:ident $text:literal,)*) => {
        #[$of]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Event { $($(#[$doc])* $event,)* }

        impl Event {
            /// Every event.
            pub const ALL: &[Event] = &[$(Event::$event),*];

            /// The event in words.
            pub const fn text(self) -> &'static str {
                match self { $(Event::$event => $text,)* }
            }
        }
    };
}
pub(crate) use events;
