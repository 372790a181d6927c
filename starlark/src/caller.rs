//! Functions of the embedding program that call back.
//!
//! An ordinary one works on borrowed values, and nothing can be collected meanwhile; so it cannot run a program. One that
//! calls is given handles instead, and the interpreter itself.

use crate::convert::{FromValue, IntoValue, PushArguments};
use crate::cx::Cx;
use crate::error::Error;
use crate::failure::Res;
use crate::guard::guarded;
use crate::handle::Handle;
use crate::host;
use crate::machine::{Arguments, Machine};
use crate::syntax::Frame;
use crate::value::Value;

/// The interpreter, as a function sees it that was called by a program and calls back: see
/// [`Engine::higher_order`](crate::Engine::higher_order).
pub struct Caller<'m> {
    machine: &'m mut Machine,
}

/// The arguments of a [`Caller`]'s function, as they were given.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// Given by position.
    pub positional: Vec<Handle>,
    /// Given by name.
    pub named: Vec<(String, Handle)>,
}

impl Given {
    /// The arguments for these parameters, by position or name. A name that ends in `?` need not be given.
    ///
    /// # Errors
    /// There are others, or one is missing.
    pub fn bind<const N: usize>(&self, params: [&str; N]) -> Res<[Option<Handle>; N]> {
        let named = self.named.iter().map(|(name, value)| (name.as_str(), value.clone()));
        host::bind(params, self.positional.iter().cloned(), named)
    }
}

impl<'m> Caller<'m> {
    pub(crate) fn new(machine: &'m mut Machine) -> Caller<'m> {
        Caller { machine }
    }

    /// Calls a function, or whatever else can be called: as [`Engine::call`](crate::Engine::call), but within the limits of
    /// the program that runs.
    ///
    /// # Errors
    /// The error that ended the call. Once a limit was reached, so will all further calls end.
    pub fn call<A>(&mut self, function: &Handle, arguments: A) -> Result<Handle, Error>
    where
        A: for<'s> PushArguments<'s> + Clone,
    {
        self.call_with(function, |cx, given| arguments.clone().push(cx, given))
    }

    /// The same with arguments that `fill` makes. If memory runs out, it may do so twice.
    ///
    /// # Errors
    /// The error that ended the call.
    pub fn call_with(
        &mut self,
        function: &Handle,
        fill: impl for<'s> Fn(Cx<'s>, &mut Arguments<'s>) -> Res<()>,
    ) -> Result<Handle, Error> {
        // A panic in here is the function's own, and not the machine's.
        let outcome = self.machine.call_back(|cx, arguments| {
            guarded(|| {
                fill(cx, arguments)?;
                Ok(function.value(cx))
            })
        });
        match outcome {
            Ok(at) => Ok(self.machine.with(at, |cx, result| Handle::new(cx, result.get()))),
            Err(failure) => Err(self.machine.diagnose_back(*failure).into()),
        }
    }

    /// A value as Rust data.
    ///
    /// # Errors
    /// It is of another type.
    pub fn get<T: for<'s> FromValue<'s>>(&self, handle: &Handle) -> Res<T> {
        let cx = self.machine.cx();
        T::from_value(cx, handle.value(cx))
    }

    /// Makes a value and keeps it.
    ///
    /// # Errors
    /// Memory ran out.
    pub fn make(&mut self, value: impl for<'s> IntoValue<'s>) -> Res<Handle> {
        self.machine.make_room()?;
        let cx = self.machine.cx();
        value.into_value(cx).map(|value| Handle::new(cx, value))
    }

    /// Lends a value, with the context that is needed to do something with it.
    pub fn look<R>(&self, handle: &Handle, look: impl for<'s> FnOnce(Cx<'s>, Value<'s>) -> R) -> R {
        let cx = self.machine.cx();
        look(cx, handle.value(cx))
    }

    /// The active calls, outermost first; the last is that of this function's caller.
    pub fn call_stack(&self) -> Vec<Frame> {
        self.machine.call_stack()
    }
}
