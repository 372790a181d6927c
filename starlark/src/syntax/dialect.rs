//! Which optional parts of the language a module may use.

/// The switches of the language. Hosts start from [`Dialect::STANDARD`] and change what they need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialect {
    /// The built-in `set` may be used.
    pub set: bool,
    /// `<`, `<=`, `>` and `>=` compare sets as subsets, as in the Go implementation. The specification forbids it.
    pub set_order: bool,
    /// Functions may call themselves; checked at run time, not here.
    pub recursion: bool,
    /// `while` loops.
    pub while_loops: bool,
    /// `if`, `for` and `while` outside of functions.
    pub top_level_control: bool,
    /// Globals may be bound several times. As in old BUILD files, a use at top level then refers to what is
    /// bound above it, so a predeclared name may be used first and redefined later.
    pub global_reassign: bool,
    /// Loaded names are ordinary, exported globals.
    pub load_binds_globally: bool,
    /// `lambda` expressions.
    pub lambda: bool,
    /// `def` inside of functions.
    pub nested_def: bool,
    /// `f"{expression}"`, with `!r` and `!s`, and without format specifications.
    pub f_strings: bool,
    /// Type annotations of parameters, results and variables: parsed, then ignored, with a warning in each file.
    pub type_annotations: bool,
    /// The built-in `parallel_map` may be used: see [`crate::parallel`].
    pub parallel_map: bool,
}

/// A switch: its name, and the field it stands for.
type Switch = (&'static str, fn(&mut Dialect) -> &mut bool);

const SWITCHES: [Switch; 12] = [
    ("set", |dialect| &mut dialect.set),
    ("set-order", |dialect| &mut dialect.set_order),
    ("recursion", |dialect| &mut dialect.recursion),
    ("while", |dialect| &mut dialect.while_loops),
    ("top-level", |dialect| &mut dialect.top_level_control),
    ("reassign", |dialect| &mut dialect.global_reassign),
    ("load-globals", |dialect| &mut dialect.load_binds_globally),
    ("lambda", |dialect| &mut dialect.lambda),
    ("nested-def", |dialect| &mut dialect.nested_def),
    ("f-strings", |dialect| &mut dialect.f_strings),
    ("types", |dialect| &mut dialect.type_annotations),
    ("parallel-map", |dialect| &mut dialect.parallel_map),
];

impl Dialect {
    /// The language as specified.
    pub const STANDARD: Dialect = Dialect {
        set: true,
        set_order: false,
        recursion: false,
        while_loops: false,
        top_level_control: false,
        global_reassign: false,
        load_binds_globally: false,
        lambda: true,
        nested_def: true,
        f_strings: false,
        type_annotations: false,
        parallel_map: false,
    };

    /// Everything allowed. (That loaded names become globals allows nothing, and `parallel_map` is no part of the language
    /// but a function more; so these stay off.)
    pub const EXTENDED: Dialect = Dialect {
        set: true,
        set_order: true,
        recursion: true,
        while_loops: true,
        top_level_control: true,
        global_reassign: true,
        load_binds_globally: false,
        lambda: true,
        nested_def: true,
        f_strings: true,
        type_annotations: true,
        parallel_map: false,
    };

    /// The names of all switches, for [`Dialect::switch`].
    pub fn switches() -> impl Iterator<Item = &'static str> {
        SWITCHES.iter().map(|&(name, _)| name)
    }

    /// Turns a switch on, or off if `no-` stands before its name. Says whether there is such a switch.
    ///
    /// ```
    /// use frazil_starlark::syntax::Dialect;
    /// let mut dialect = Dialect::STANDARD;
    /// assert!(dialect.switch("while") && dialect.switch("no-lambda"));
    /// assert_eq!(dialect, Dialect { while_loops: true, lambda: false, ..Dialect::STANDARD });
    /// assert!(!dialect.switch("goto"));
    /// ```
    pub fn switch(&mut self, name: &str) -> bool {
        let (name, on) = name.strip_prefix("no-").map_or((name, true), |name| (name, false));
        match SWITCHES.iter().find(|(known, _)| *known == name) {
            Some((_, field)) => {
                *field(self) = on;
                true
            }
            None => false,
        }
    }
}

impl Default for Dialect {
    fn default() -> Dialect {
        Dialect::STANDARD
    }
}
