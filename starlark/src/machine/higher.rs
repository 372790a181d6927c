//! Functions of the embedding program that call back: what their arguments are kept in meanwhile, and what happens if they
//! panic.

use std::panic::resume_unwind;

use crate::caller::{Caller, Given};
use crate::cx::Cx;
use crate::failure::{Failure, Res};
use crate::guard::{Panic, caught, guarded};
use crate::handle::Handle;
use crate::host::{Args, HigherFn};
use crate::value::Value;

use super::{Arguments, Machine};

/// Arguments as one value: a tuple of those by position, and one of the names and values of the others.
pub(super) fn state<'s>(cx: Cx<'s>, args: &Args<'_, 's>) -> Res<Value<'s>> {
    let named: Vec<Value<'s>> = args.named.iter().flat_map(|&(name, value)| [name, value]).collect();
    cx.tuple(&[cx.tuple_of_cells(args.positional)?, cx.tuple(&named)?])
}

/// The same as the embedding program gets them.
fn given<'s>(cx: Cx<'s>, state: Value<'s>) -> Given {
    let part = |at: usize| state.object().and_then(|state| state.get(at).object());
    let values = |at: usize| part(at).map(|part| part.references().iter().collect()).unwrap_or_default();
    let (positional, named): (Vec<Value<'s>>, Vec<Value<'s>>) = (values(0), values(1));
    let name = |value: Value<'s>| crate::data::text::lossy_of(value).into_owned();
    Given {
        positional: positional.into_iter().map(|value| Handle::new(cx, value)).collect(),
        named: named.chunks_exact(2).map(|pair| (name(pair[0]), Handle::new(cx, pair[1]))).collect(),
    }
}

impl Machine {
    /// Runs such a function.
    pub(super) fn run_higher(&mut self, function: &HigherFn, slot: usize) -> Res<()> {
        let given = given(self.cx(), self.slot(slot).get());
        let inside = self.inside;
        // A panic of the function leaves the machine as it is between two calls. But one that came from the machine itself is
        // none of the function's.
        let outcome = match caught(|| function(&mut Caller::new(self), &given)) {
            Ok(outcome) => outcome,
            Err(payload) if self.inside != inside => resume_unwind(payload),
            Err(payload) => Err(Failure::host(Panic::of(&*payload))),
        };
        let (result, cx) = (outcome?, self.cx());
        // It may be one of another engine.
        self.slot(slot).set(guarded(|| Ok(result.value(cx)))?);
        Ok(())
    }

    /// A call that such a function makes.
    ///
    /// # Errors
    /// The call failed.
    pub(crate) fn call_back(
        &mut self,
        fill: impl for<'s> Fn(Cx<'s>, &mut Arguments<'s>) -> Res<Value<'s>>,
    ) -> Res<usize> {
        self.inside += 1;
        let outcome = self.call(fill);
        self.inside -= 1;
        outcome
    }
}
