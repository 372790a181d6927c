//! What the machine has outside of the heap: code, built-in functions, and the hooks of the embedding program.

use std::any::{Any, TypeId};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use crate::builtins::methods::{self, Method};
use crate::caller::{Caller, Given};
use crate::code::Code;
use crate::cx::Cx;
use crate::data::text::Text;
use crate::failure::{Res, fail};
use crate::handle::{Handle, Pool};
use crate::limits::Meter;
use crate::machine::{self, Machine};
use crate::parallel::{self, Event, Record};
use crate::picture::Place;
use crate::residents::Residents;
use crate::spelling;
use crate::syntax::{Diagnostic, Dialect};
use crate::value::{Object, Value, ValueExt};

/// The arguments of a call of a built-in function, as they were given.
pub struct Args<'a, 's> {
    /// The receiver of a method; unset for functions.
    pub this: Value<'s>,
    /// Given by position.
    pub positional: &'a [Cell<Value<'s>>],
    /// Given by name: the names are strings, and different.
    pub named: &'a [(Value<'s>, Value<'s>)],
}

/// A function that cannot call back into the program, and therefore cannot collect.
pub type PlainFn = for<'s> fn(Cx<'s>, &Args<'_, 's>) -> Res<Value<'s>>;

/// A function of the embedding program.
pub type HostFn = Box<dyn for<'s> Fn(Cx<'s>, &Args<'_, 's>) -> Res<Value<'s>>>;

/// A function of the embedding program that calls back.
pub type HigherFn = Rc<dyn Fn(&mut Caller<'_>, &Given) -> Res<Handle>>;

/// What the first half of a function that calls back comes to.
pub enum Prepared<'s> {
    /// The result: no call was needed.
    Done(Value<'s>),
    /// The state for the second half.
    Call(Value<'s>),
}

/// How a built-in function is called.
pub enum Call {
    /// Directly.
    Plain(PlainFn),
    /// Directly, in the embedding program.
    Host(HostFn),
    /// With handles and the interpreter, to call back.
    Higher(HigherFn),
    /// The same for the interpreter's own functions, in two halves: the first takes the arguments apart and cannot call
    /// back. The second works on the state that the first left in a word of the root stack, and leaves its result there.
    Halves {
        /// The first half.
        prepare: for<'s> fn(Cx<'s>, &Args<'_, 's>) -> Res<Prepared<'s>>,
        /// The second half.
        run: fn(&mut Machine, usize) -> Res<()>,
    },
}

/// A built-in function.
pub struct Builtin {
    /// Its name.
    pub name: String,
    /// How it is called.
    pub call: Call,
}

/// See [the module](self).
pub struct Host {
    /// All code; functions refer to it by number.
    pub codes: Vec<Arc<Code>>,
    /// All built-in functions; values refer to them by number.
    pub builtins: Vec<Builtin>,
    /// The built-in functions every module can use.
    pub universal: HashMap<String, u32>,
    /// What `print` does with a line, unless what happens is recorded.
    pub print: Box<dyn Fn(&str)>,
    /// The places where the program allocates, by site (from 1); none unless the program is profiled.
    pub(crate) places: Option<Vec<Place>>,
    /// What is done with a warning about a module, unless what happens is recorded.
    pub warn: Box<dyn Fn(&Diagnostic)>,
    /// What the host is to be told of later: somebody else's lines come first.
    pub(crate) recorded: RefCell<Option<Record>>,
    /// Of the active calls, those before this one belong to the caller of `parallel_map`, and are not shown.
    pub(crate) first_call: Cell<usize>,
    /// The language.
    pub dialect: Dialect,
    /// A buffer for texts in the making. Whoever uses it takes it out and puts it back.
    pub scratch: Cell<Text>,
    /// Counts the steps of the program.
    pub(crate) meter: Meter,
    /// While a function of the embedding program runs: the active calls.
    pub(crate) callers: Cell<Vec<machine::Frame>>,
    /// How many functions and bound methods were made, modulo 2³².
    functions: Cell<u32>,
    /// What the handles of the embedding program share.
    pub(crate) handles: Rc<Pool>,
    /// The data of host values.
    pub(crate) residents: Residents,
    /// What the embedding program's functions share, by type.
    pub(crate) state: HashMap<TypeId, Box<dyn Any>>,
}

impl Host {
    pub(crate) fn new(dialect: Dialect) -> Host {
        let mut host = Host {
            codes: Vec::new(),
            builtins: Vec::new(),
            universal: HashMap::new(),
            print: Box::new(|line| println!("{line}")),
            warn: Box::new(|_| {}),
            recorded: RefCell::default(),
            first_call: Cell::new(0),
            dialect,
            places: None,
            scratch: Cell::default(),
            meter: Meter::new(),
            callers: Cell::default(),
            functions: Cell::new(0),
            handles: Rc::default(),
            state: HashMap::new(),
            residents: Residents::default(),
        };
        for (name, call) in crate::builtins::all() {
            let number = host.add_builtin(name, call);
            host.universal.insert(name.to_owned(), number);
        }
        // It has its number in any case: a program means the same functions on every engine.
        let number = host.add_builtin(parallel::MAP, parallel::map_call());
        if dialect.parallel_map {
            host.universal.insert(parallel::MAP.to_owned(), number);
        }
        host
    }

    /// The program prints a line.
    pub(crate) fn print(&self, line: &str) {
        match &mut *self.recorded.borrow_mut() {
            Some(record) => record.push(Event::Line(line.to_owned())),
            None => (self.print)(line),
        }
    }

    /// There is something to be said about a module.
    pub(crate) fn warn(&self, warning: &Diagnostic) {
        match &mut *self.recorded.borrow_mut() {
            Some(record) => record.push(Event::Warning(warning.clone())),
            None => (self.warn)(warning),
        }
    }

    /// Adds a built-in function and returns its number.
    pub fn add_builtin(&mut self, name: &str, call: Call) -> u32 {
        self.builtins.push(Builtin { name: name.to_owned(), call });
        self.builtins.len() as u32 - 1
    }

    /// The raw word of a new function object: the number of its code, and a number of its own, by which it is hashed. (Its
    /// address may change.)
    pub(crate) fn function_word(&self, code: u32) -> u64 {
        u64::from(self.next_number()) << 32 | u64::from(code)
    }

    /// A number for a function or bound method that is being made.
    pub(crate) fn next_number(&self) -> u32 {
        let number = self.functions.get().wrapping_add(1);
        self.functions.set(number);
        number
    }

    /// The code of a function object.
    pub fn code(&self, function: Object<'_>) -> &Arc<Code> {
        &self.codes[function.raw(0) as u32 as usize]
    }

    /// The name of a function object.
    pub fn function_name(&self, function: Object<'_>) -> &str {
        &self.code(function).name
    }

    /// The name of a built-in function.
    pub fn builtin_name(&self, number: u32) -> &str {
        &self.builtins[number as usize].name
    }

    /// The name of a bound method.
    pub fn bound_name(&self, bound: Object<'_>) -> &'static str {
        self.bound_method(bound).name
    }

    /// The method of a bound method.
    pub(crate) fn bound_method(&self, bound: Object<'_>) -> &'static Method {
        let number = bound.raw(0);
        self.residents.method(number).unwrap_or_else(|| methods::by_number(number as u32))
    }
}

impl<'a, 's> Args<'a, 's> {
    /// Arguments by position only, `min` to `max` of them.
    ///
    /// # Errors
    /// There are others.
    #[inline(always)]
    pub fn positional(&self, min: usize, max: usize) -> Res<()> {
        match self.named.is_empty() && (min..=max).contains(&self.positional.len()) {
            true => Ok(()),
            false => self.not_positional(min, max),
        }
    }

    #[cold]
    #[inline(never)]
    fn not_positional(&self, min: usize, max: usize) -> Res<()> {
        if !self.named.is_empty() {
            fail!("unexpected keyword arguments");
        }
        let given = self.positional.len();
        let (bound, wanted) = match () {
            () if min == max => ("", min),
            () if given < min => ("at least ", min),
            () => ("at most ", max),
        };
        fail!("got {given} arguments, want {bound}{wanted}")
    }

    /// No arguments by name, for the function `name`, which says so in words of its own.
    ///
    /// # Errors
    /// There are some.
    pub(crate) fn unnamed(&self, name: &str) -> Res<()> {
        if self.named.is_empty() { Ok(()) } else { fail!("{name} does not accept keyword arguments") }
    }

    /// The only argument of the function `name`, which says in words of its own that it must be the only one.
    ///
    /// # Errors
    /// There are more, or none.
    pub(crate) fn only(&self, name: &str) -> Res<Value<'s>> {
        self.unnamed(name)?;
        match self.positional {
            [value] => Ok(value.get()),
            given => fail!("got {} arguments, want exactly 1", given.len()),
        }
    }

    /// Exactly these parameters, by position only.
    ///
    /// # Errors
    /// There are more or fewer.
    #[inline]
    pub fn exactly<const N: usize>(&self) -> Res<[Value<'s>; N]> {
        self.positional(N, N)?;
        Ok(std::array::from_fn(|index| self.positional[index].get()))
    }

    /// The argument at a position, if there is one.
    #[inline]
    pub fn at(&self, index: usize) -> Option<Value<'s>> {
        self.positional.get(index).map(Cell::get)
    }

    /// The arguments for these parameters, by position or name. A name that ends in `?` need not be given.
    ///
    /// # Errors
    /// There are others, or one is missing.
    pub fn bind<const N: usize>(&self, params: [&str; N]) -> Res<[Option<Value<'s>>; N]> {
        let named = self.named.iter().map(|&(name, value)| (name.as_str().unwrap_or(""), value));
        bind(params, self.positional.iter().map(Cell::get), named)
    }

    /// What an error calls a parameter: its name in quotes if the argument was given by name.
    #[cold]
    pub(crate) fn label(&self, name: &str, by_position: &str) -> String {
        let is_named = self.named.iter().any(|(given, _)| given.as_str() == Some(name));
        if is_named { format!("\"{name}\"") } else { by_position.to_owned() }
    }
}

/// The arguments for some parameters; a name that ends in `?` need not be given.
///
/// # Errors
/// There are others, or one is missing.
pub(crate) fn bind<'n, const N: usize, T>(
    params: [&str; N],
    positional: impl ExactSizeIterator<Item = T>,
    named: impl Iterator<Item = (&'n str, T)>,
) -> Res<[Option<T>; N]> {
    let mut bound = [const { None }; N];
    if positional.len() > N {
        fail!("got {} arguments, want at most {N}", positional.len());
    }
    for (slot, value) in bound.iter_mut().zip(positional) {
        *slot = Some(value);
    }
    for (name, value) in named {
        let Some(index) = params.iter().position(|param| param.trim_end_matches('?') == name) else {
            let hint =
                spelling::hint(spelling::nearest(name, params.map(|param| param.trim_end_matches('?'))));
            fail!("unexpected keyword argument \"{name}\"{hint}");
        };
        if bound[index].replace(value).is_some() {
            fail!("got multiple values for keyword argument \"{name}\"");
        }
    }
    match params.iter().zip(&bound).find(|(param, value)| value.is_none() && !param.ends_with('?')) {
        Some((param, _)) => fail!("missing argument for {param}"),
        None => Ok(bound),
    }
}
