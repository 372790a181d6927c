//! A picture of an interpreter's heap with the names of the program: lines for sites, variables for roots, and ways
//! like `cache["key"][3].deps` for paths.
//!
//! A [`Picture`] borrows nothing: it has the collector's [`Snapshot`] and what is needed to give names. Of an
//! object it knows only what the snapshot says: its shape, its first raw word, and the beginning of its text.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use frazil::{RootPlace, Snapshot, Step};

use crate::code::{Code, Link};
use crate::cx::{ROOT_INTERNED, ROOT_KEPT, ROOT_STATICS};
use crate::machine::Machine;
use crate::syntax::{LineCol, Span};
use crate::value::{KINDS, Kind};

/// Bytes of a string that a picture keeps: names of fields and keys, mostly.
const TEXT_BYTES: usize = 40;

/// Of a long way, so many steps are shown at its beginning and at its end. Slots are steps, too.
const WAY_FIRST: usize = 16;
const WAY_LAST: usize = 8;

/// A place of the program where objects are made.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The number of the function's code.
    pub(crate) code: u32,
    /// The part of the text.
    pub(crate) span: Span,
}

/// A call that was in progress.
#[derive(Debug)]
struct Call {
    code: u32,
    /// Where its registers begin on the root stack.
    base: usize,
    /// The instruction behind the one it was at.
    pc: usize,
}

/// Where objects were born, in words that a programmer knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The module's file.
    pub file: String,
    /// Line and column.
    pub at: LineCol,
    /// The function, or what the top level of a module is called.
    pub function: String,
    /// The text of the line, without the space around it.
    pub text: String,
}

/// Where a path begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// The globals of the module in this file.
    Globals(String),
    /// A variable of a call that was in progress.
    Local {
        /// Its name.
        name: String,
        /// The function.
        function: String,
        /// The module's file.
        file: String,
        /// The line at which the call was.
        line: u32,
    },
    /// A value that a call in progress was working with, and that has no name.
    Temporary {
        /// The function.
        function: String,
        /// The module's file.
        file: String,
        /// The line at which the call was.
        line: u32,
    },
    /// Something of the interpreter's own, or of the program it is part of.
    Interpreter(&'static str),
}

/// See [the module](self).
#[derive(Debug)]
pub struct Picture {
    /// Objects, references, roots and blocks.
    pub snapshot: Snapshot,
    codes: Vec<Arc<Code>>,
    places: Vec<Place>,
    calls: Vec<Call>,
    /// The list of the globals of modules and of what else the interpreter keeps.
    kept: Option<usize>,
    /// From the tuple of a module's globals to the number of its code.
    modules: HashMap<usize, u32>,
    /// What keeps such a tuple together with other things of a module that has not come to its end.
    pairs: HashSet<usize>,
    /// The objects of roots, and where those are.
    roots: HashMap<usize, RootPlace>,
}

impl Picture {
    pub(crate) fn take(machine: &mut Machine) -> Picture {
        let snapshot = machine.heap_mut().snapshot(TEXT_BYTES);
        let mut roots = HashMap::new();
        for root in &snapshot.roots {
            // Of several, the first: a function's own variable rather than the copy that a callee got.
            roots.entry(root.object).or_insert(root.place);
        }
        let calls = machine.calls().map(|(code, base, pc)| Call { code, base, pc }).collect();
        let kept = snapshot.roots.iter().find(|root| root.place == RootPlace::Stack(ROOT_KEPT));
        let mut picture = Picture {
            kept: kept.map(|root| root.object),
            modules: HashMap::new(),
            pairs: HashSet::new(),
            codes: machine.codes().to_vec(),
            places: machine.places().to_vec(),
            calls,
            roots,
            snapshot,
        };
        picture.find_modules(machine.module_places());
        picture
    }

    /// Finds the globals of modules: `kept` says where they are in the list of kept values.
    fn find_modules(&mut self, kept: &[(usize, u32)]) {
        for &(place, code) in kept {
            let first = |object: usize| self.snapshot.references(object).next().flatten();
            let slots = self.kept.and_then(first);
            let at_place = slots.and_then(|slots| self.snapshot.references(slots).nth(place).flatten());
            let Some(object) = at_place else { continue };
            // Until a module is over, its globals are kept together with what its top level refers to.
            match first(object).filter(|&inner| self.kind(inner) == Kind::Tuple) {
                Some(globals) => {
                    self.pairs.insert(object);
                    self.modules.insert(globals, code);
                }
                None => {
                    self.modules.insert(object, code);
                }
            }
        }
    }

    // ------------------------------------------------------------------ sites

    /// What a site's number stands for; nothing for 0, and for what is not known.
    pub fn origin(&self, site: u32) -> Option<Origin> {
        let place = self.places.get((site as usize).checked_sub(1)?)?;
        let code = &self.codes[place.code as usize];
        let at = code.file.line_col(place.span.start);
        let text = code.file.text().lines().nth(at.line as usize - 1).unwrap_or("").trim().to_owned();
        Some(Origin { file: code.file.name().to_owned(), at, function: code.name.to_string(), text })
    }

    // ------------------------------------------------------------------ objects

    /// What an object is.
    pub fn kind(&self, object: usize) -> Kind {
        Kind::ALL[self.snapshot.objects[object].shape_id as usize % KINDS]
    }

    /// Is it part of a value rather than a value of the program: the slots of a list, say, or the interpreter's list
    /// of all modules?
    pub fn is_part(&self, object: usize) -> bool {
        self.kept == Some(object)
            || self.is_module(object)
            || self.pairs.contains(&object)
            || matches!(self.kind(object), Kind::Slots | Kind::Index | Kind::Cell | Kind::Links)
    }

    /// What an object of this kind is called in tables.
    pub fn kind_name(kind: Kind) -> &'static str {
        match kind {
            Kind::Slots => "slots of lists, dicts and sets",
            Kind::Index => "hash index of dicts and sets",
            Kind::Cell => "variables shared by functions",
            Kind::Links => "what functions refer to",
            Kind::Bound => "bound method",
            kind => kind.type_name(),
        }
    }

    /// An object in a few words: `list of 3`, `struct(name, deps)`, `string "text"`.
    pub fn describe(&self, object: usize) -> String {
        let raw = self.snapshot.objects[object].raw.unwrap_or(0);
        let references = self.snapshot.references(object).len();
        match self.kind(object) {
            Kind::List => format!("list of {raw}"),
            Kind::Dict | Kind::Set => {
                let live = raw & crate::data::table::COUNT_MASK;
                format!("{} of {live}", self.kind(object).type_name())
            }
            Kind::Tuple => format!("tuple of {references}"),
            Kind::Str => format!("string {}", self.quoted(object)),
            Kind::Struct => format!("struct({})", self.field_names(object)),
            Kind::Function => format!("function {}", self.function_name(object)),
            kind => Picture::kind_name(kind).to_owned(),
        }
    }

    /// What a string begins with.
    fn quoted(&self, string: usize) -> String {
        let text = self.snapshot.text(string);
        let dots = if text.len() + 3 > TEXT_BYTES { "..." } else { "" };
        format!("{text:?}{dots}")
    }

    /// Where the container of a list's, dict's or set's elements was made: where the last one was added that did not
    /// fit any more.
    pub fn filled_at(&self, object: usize) -> Option<u32> {
        if !matches!(self.kind(object), Kind::List | Kind::Dict | Kind::Set) {
            return None;
        }
        let slots = self.snapshot.references(object).next().flatten()?;
        Some(self.snapshot.objects[slots].site).filter(|&site| site > 0)
    }

    fn field_names(&self, record: usize) -> String {
        let Some(names) = self.snapshot.references(record).next().flatten() else { return String::new() };
        let names: Vec<&str> = self
            .snapshot
            .references(names)
            .map(|name| name.map_or("?", |name| self.snapshot.text(name)))
            .collect();
        match names.len() {
            0..=4 => names.join(", "),
            _ => format!("{}, ...", names[..3].join(", ")),
        }
    }

    fn code_of(&self, function: usize) -> Option<&Code> {
        let number = self.snapshot.objects[function].raw?;
        self.codes.get(number as u32 as usize).map(|code| &**code)
    }

    fn function_name(&self, function: usize) -> &str {
        self.code_of(function).map_or("?", |code| &code.name)
    }

    // ------------------------------------------------------------------ roots and paths

    /// The objects of roots in groups, what lasts longest first: the globals of modules, then the variables of calls
    /// in progress, then all else.
    pub fn starts(&self) -> [Vec<usize>; 3] {
        let mut groups = [self.modules.keys().copied().collect::<Vec<_>>(), Vec::new(), Vec::new()];
        groups[0].sort_unstable();
        for root in &self.snapshot.roots {
            let of_call = matches!(root.place, RootPlace::Stack(word) if self.call_at(word).is_some());
            groups[if of_call { 1 } else { 2 }].push(root.object);
        }
        groups
    }

    /// Has this object the globals of a module?
    pub fn is_module(&self, object: usize) -> bool {
        self.modules.contains_key(&object)
    }

    /// The innermost call that has this word of the root stack as a register.
    fn call_at(&self, word: usize) -> Option<&Call> {
        let within =
            |call: &&Call| (call.base..call.base + self.codes[call.code as usize].registers).contains(&word);
        self.calls.iter().rev().find(within)
    }

    /// Where a path that begins with this object begins.
    pub fn start(&self, object: usize) -> Start {
        if let Some(&code) = self.modules.get(&object) {
            return Start::Globals(self.codes[code as usize].file.name().to_owned());
        }
        let word = match self.roots.get(&object) {
            Some(RootPlace::Stack(word)) => *word,
            Some(RootPlace::Handle(_)) => return Start::Interpreter("a handle"),
            Some(RootPlace::Finalizable) => return Start::Interpreter("the finalizer queue"),
            None => return Start::Interpreter("no root"),
        };
        let Some(call) = self.call_at(word) else {
            return Start::Interpreter(match word {
                ROOT_STATICS => "the interpreter's constants",
                ROOT_INTERNED => "constant strings of the program",
                ROOT_KEPT => "values of the interpreter's host",
                _ => "a built-in function at work",
            });
        };
        let code = &self.codes[call.code as usize];
        let (function, file) = (code.name.to_string(), code.file.name().to_owned());
        let line = code.place(call.pc.saturating_sub(1)).1.line;
        match (word - call.base).checked_sub(1).and_then(|local| code.locals.get(local)) {
            Some(name) => Start::Local { name: name.to_string(), function, file, line },
            None => Start::Temporary { function, file, line },
        }
    }

    /// The way along a path, as an expression where there is one. Of a global it begins with the name; of a local,
    /// the name is in [`Picture::start`]. Of a long way, the middle is left out.
    pub fn way(&self, path: &[Step]) -> String {
        let step = |at: usize| {
            let before = at.checked_sub(1).map(|before| path[before].object);
            path[at]
                .reference
                .map_or(String::new(), |reference| self.step(before, path[at].object, reference))
        };
        if path.len() <= WAY_FIRST + WAY_LAST {
            return (0..path.len()).map(step).collect();
        }
        let first: String = (0..WAY_FIRST).map(step).collect();
        let last: String = (path.len() - WAY_LAST..path.len()).map(step).collect();
        format!("{first} ... {last}")
    }

    /// What a reference of `object` is called. What `before` it leads to the object tells whose slots they are.
    fn step(&self, before: Option<usize>, object: usize, reference: usize) -> String {
        match self.kind(object) {
            Kind::Tuple if self.is_module(object) => {
                let names = self.modules.get(&object).map(|&code| &self.codes[code as usize].globals);
                names.and_then(|names| names.get(reference)).map_or("?", |(name, _)| name).to_owned()
            }
            Kind::Links => self.link(before, reference),
            Kind::Slots => match before.map(|before| self.kind(before)) {
                Some(Kind::List) => format!("[{reference}]"),
                Some(Kind::Dict) => self.entry(object, reference),
                Some(Kind::Set) => "(element)".to_owned(),
                _ => "(variable)".to_owned(),
            },
            Kind::Tuple => format!("[{reference}]"),
            Kind::Struct => match reference.checked_sub(1) {
                None => "(names of fields)".to_owned(),
                Some(field) => {
                    let names = self.snapshot.references(object).next().flatten();
                    let name = names.and_then(|names| self.snapshot.references(names).nth(field).flatten());
                    format!(".{}", name.map_or("?", |name| self.snapshot.text(name)))
                }
            },
            Kind::Function => self.part_of_function(object, reference),
            Kind::Bound => "(receiver)".to_owned(),
            Kind::Elems => "(text)".to_owned(),
            _ => String::new(),
        }
    }

    /// A key or a value of a dict.
    fn entry(&self, slots: usize, reference: usize) -> String {
        if reference.is_multiple_of(2) {
            return "(key)".to_owned();
        }
        match self.snapshot.references(slots).nth(reference - 1).flatten() {
            Some(key) if self.kind(key) == Kind::Str => format!("[{}]", self.quoted(key)),
            Some(key) => format!("[{}]", Picture::kind_name(self.kind(key))),
            None => "[...]".to_owned(),
        }
    }

    /// What a function uses of its module.
    fn link(&self, function: Option<usize>, reference: usize) -> String {
        let code =
            function.filter(|&object| self.kind(object) == Kind::Function).and_then(|it| self.code_of(it));
        let link = code.and_then(|code| Some((code, *code.links.get(reference)?)));
        match link {
            Some((code, Link::Global(at))) => {
                code.globals.get(at as usize).map_or(String::new(), |(name, _)| format!(" {name}"))
            }
            _ => String::new(),
        }
    }

    fn part_of_function(&self, function: usize, reference: usize) -> String {
        let (name, Some(code)) = (self.function_name(function), self.code_of(function)) else {
            return String::new();
        };
        let Some(at) = reference.checked_sub(1) else { return format!("(used by {name})") };
        let params = &code.params;
        match at.checked_sub(params.default_slots()) {
            None => {
                let param = params.names.get(params.positional - params.defaults + at);
                format!("(default of {} of {name})", param.map_or("?", |param| param))
            }
            Some(capture) => {
                let capture = code.captures.get(capture);
                format!("({}, captured by {name})", capture.map_or("?", |capture| &capture.name))
            }
        }
    }
}
