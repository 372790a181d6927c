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

/// A part of the language that a [`Dialect`] has or has not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    /// See [`Dialect::set`].
    Set,
    /// See [`Dialect::set_order`].
    SetOrder,
    /// See [`Dialect::recursion`].
    Recursion,
    /// See [`Dialect::while_loops`].
    WhileLoops,
    /// See [`Dialect::top_level_control`].
    TopLevelControl,
    /// See [`Dialect::global_reassign`].
    GlobalReassign,
    /// See [`Dialect::load_binds_globally`].
    LoadBindsGlobally,
    /// See [`Dialect::lambda`].
    Lambda,
    /// See [`Dialect::nested_def`].
    NestedDef,
    /// See [`Dialect::f_strings`].
    FStrings,
    /// See [`Dialect::type_annotations`].
    TypeAnnotations,
    /// See [`Dialect::parallel_map`].
    ParallelMap,
}

impl Feature {
    /// All of them.
    pub const ALL: [Feature; 12] = [
        Feature::Set,
        Feature::SetOrder,
        Feature::Recursion,
        Feature::WhileLoops,
        Feature::TopLevelControl,
        Feature::GlobalReassign,
        Feature::LoadBindsGlobally,
        Feature::Lambda,
        Feature::NestedDef,
        Feature::FStrings,
        Feature::TypeAnnotations,
        Feature::ParallelMap,
    ];

    /// Its name for [`Dialect::switch`].
    pub const fn name(self) -> &'static str {
        match self {
            Feature::Set => "set",
            Feature::SetOrder => "set-order",
            Feature::Recursion => "recursion",
            Feature::WhileLoops => "while",
            Feature::TopLevelControl => "top-level",
            Feature::GlobalReassign => "reassign",
            Feature::LoadBindsGlobally => "load-globals",
            Feature::Lambda => "lambda",
            Feature::NestedDef => "nested-def",
            Feature::FStrings => "f-strings",
            Feature::TypeAnnotations => "types",
            Feature::ParallelMap => "parallel-map",
        }
    }
}

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

    /// Whether it has this part of the language.
    fn place(&mut self, feature: Feature) -> &mut bool {
        match feature {
            Feature::Set => &mut self.set,
            Feature::SetOrder => &mut self.set_order,
            Feature::Recursion => &mut self.recursion,
            Feature::WhileLoops => &mut self.while_loops,
            Feature::TopLevelControl => &mut self.top_level_control,
            Feature::GlobalReassign => &mut self.global_reassign,
            Feature::LoadBindsGlobally => &mut self.load_binds_globally,
            Feature::Lambda => &mut self.lambda,
            Feature::NestedDef => &mut self.nested_def,
            Feature::FStrings => &mut self.f_strings,
            Feature::TypeAnnotations => &mut self.type_annotations,
            Feature::ParallelMap => &mut self.parallel_map,
        }
    }

    /// The names of all switches, for [`Dialect::switch`].
    pub fn switches() -> impl Iterator<Item = &'static str> {
        Feature::ALL.into_iter().map(Feature::name)
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
        match Feature::ALL.into_iter().find(|feature| feature.name() == name) {
            Some(feature) => {
                *self.place(feature) = on;
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
