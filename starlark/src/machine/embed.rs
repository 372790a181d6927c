//! Calls that do not come from an instruction: of the embedding program, and of functions that call back.

use std::cell::Cell;

use frazil::Request;

use crate::code::WINDOW;
use crate::cx::Cx;
use crate::failure::{Failure, Res};
use crate::host::Prepared;
use crate::limits::Limit;
use crate::value::{Kind, Value, ValueExt};

use super::{Entry, Machine, call, ensure_window};

/// The arguments of such a call.
pub struct Arguments<'s> {
    /// The registers of the callee, which begin with itself.
    window: &'s [Cell<Value<'s>>],
    count: usize,
    /// Positional ones for which there are no registers.
    more: Vec<Value<'s>>,
    named: Vec<(Value<'s>, Value<'s>)>,
}

impl<'s> Arguments<'s> {
    /// The next positional argument.
    pub fn push(&mut self, value: Value<'s>) {
        match self.window.get(1 + self.count) {
            Some(register) => {
                register.set(value);
                self.count += 1;
            }
            None => self.more.push(value),
        }
    }

    /// An argument by name.
    ///
    /// # Errors
    /// Memory ran out.
    pub fn named(&mut self, cx: Cx<'s>, name: &str, value: Value<'s>) -> Res<()> {
        self.named.push((cx.str(name)?, value));
        Ok(())
    }
}

/// How far such a call has come.
enum Entered {
    /// A function of the program is to be run.
    Function,
    /// The result is there.
    Done,
    /// The second half of a built-in function is to be run.
    Half(u32),
}

impl Machine {
    /// The embedding program wants something: its limits begin anew, and what became garbage since the last time may go.
    ///
    /// # Errors
    /// A collection failed.
    pub(crate) fn begin(&mut self) -> Res<()> {
        self.host.meter.begin();
        self.repeated = None;
        self.cx().limit_interned();
        if self.wants_room() {
            self.collect_at_safepoint()?;
        }
        Ok(())
    }

    /// The embedding program is about to make values, and no program runs meanwhile that would collect: what became garbage
    /// since the last time may go.
    ///
    /// # Errors
    /// A collection failed.
    pub(crate) fn make_room(&mut self) -> Res<()> {
        if self.wants_room() {
            self.collect(Request::Auto)?;
        }
        Ok(())
    }

    /// Does something that has no effect if memory runs out: then everything is collected, and it is done once more.
    ///
    /// # Errors
    /// It failed, or memory ran out for good.
    pub(crate) fn with_room<R>(&mut self, act: impl Fn(&mut Machine) -> Res<R>) -> Res<R> {
        match act(self) {
            Err(failure) if failure.is_for_want_of_room() => {
                self.collect(Request::Complete)?;
                act(self)
            }
            outcome => outcome,
        }
    }

    /// Lets go of the handles that were dropped, and says whether a collection is due. (In checking mode it always would be.)
    fn wants_room(&mut self) -> bool {
        self.host.handles.release(&self.heap);
        self.heap.should_collect_early() && !self.heap.config().check
    }

    /// Calls a value: for the embedding program, or a function that calls back. `fill` says which value, and adds the
    /// arguments. (If memory runs out, that happens twice.) The result is in the word of the root stack whose place is
    /// returned.
    ///
    /// # Errors
    /// The call failed.
    pub(crate) fn call(
        &mut self,
        fill: impl for<'s> Fn(Cx<'s>, &mut Arguments<'s>) -> Res<Value<'s>>,
    ) -> Res<usize> {
        let site = self.heap.site();
        let outcome = self.call_at(self.top(), fill);
        // What the caller makes from now on does not count for the callee's last line.
        self.heap.set_site(site);
        self.rest();
        outcome
    }

    fn call_at(
        &mut self,
        base: usize,
        fill: impl for<'s> Fn(Cx<'s>, &mut Arguments<'s>) -> Res<Value<'s>>,
    ) -> Res<usize> {
        match self.with_room(|machine| machine.enter(base, &fill))? {
            Entered::Function => self.run()?,
            Entered::Done => {}
            Entered::Half(builtin) => {
                let reserved = std::mem::replace(&mut self.reserved, base + 1);
                let outcome = self.run_half(builtin, base);
                self.reserved = reserved;
                outcome?;
            }
        }
        Ok(base)
    }

    fn enter(
        &mut self,
        base: usize,
        fill: &impl for<'s> Fn(Cx<'s>, &mut Arguments<'s>) -> Res<Value<'s>>,
    ) -> Res<Entered> {
        if !ensure_window(&self.heap, base) {
            return Err(Box::new(Failure::Limit(Limit::Calls)));
        }
        let cx = Cx::new(&self.heap, &self.host);
        let window = &self.heap.stack_from(base)[..WINDOW];
        let mut arguments = Arguments { window, count: 0, more: Vec::new(), named: Vec::new() };
        let callee = fill(cx, &mut arguments)?;
        window[0].set(callee);
        let Arguments { count, more, named, .. } = arguments;
        let gathered = (!more.is_empty() || !named.is_empty()).then(|| {
            let positional = window[1..=count].iter().cloned().chain(more.into_iter().map(Cell::new));
            call::Gathered { positional: positional.collect(), named }
        });
        if let Some(function) = callee.as_kind(Kind::Function) {
            let site = call::Site { base, count, d: 0 };
            call::enter(
                cx,
                &mut self.frames,
                &self.active,
                &self.dialect,
                function,
                site,
                gathered.as_ref(),
            )?;
            if let Some(frame) = self.frames.last_mut() {
                frame.entry = self.running.map_or(Entry::Machine, Entry::Builtin);
            }
            return Ok(Entered::Function);
        }
        let (positional, named) = match &gathered {
            Some(gathered) => (&gathered.positional[..], &gathered.named[..]),
            None => (&window[1..=count], &[][..]),
        };
        match call::builtin(cx, &mut self.frames, callee, positional, named)? {
            (_, Prepared::Done(result)) => {
                window[0].set(result);
                Ok(Entered::Done)
            }
            (builtin, Prepared::Call(state)) => {
                window[0].set(state);
                Ok(Entered::Half(builtin))
            }
        }
    }
}
