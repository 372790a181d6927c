//! Which optional parts of the language a module may use.

/// The switches of the language. Hosts start from [`Dialect::STANDARD`] and change what they need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialect {
    /// The built-in `set` may be used.
    pub set: bool,
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
    /// Type annotations of parameters, results and variables: parsed, then ignored.
    pub type_annotations: bool,
}

impl Dialect {
    /// The language as specified.
    pub const STANDARD: Dialect = Dialect {
        set: true,
        recursion: false,
        while_loops: false,
        top_level_control: false,
        global_reassign: false,
        load_binds_globally: false,
        lambda: true,
        nested_def: true,
        type_annotations: false,
    };

    /// Everything allowed.
    pub const EXTENDED: Dialect = Dialect {
        set: true,
        recursion: true,
        while_loops: true,
        top_level_control: true,
        global_reassign: true,
        load_binds_globally: false,
        lambda: true,
        nested_def: true,
        type_annotations: true,
    };
}

impl Default for Dialect {
    fn default() -> Dialect {
        Dialect::STANDARD
    }
}
