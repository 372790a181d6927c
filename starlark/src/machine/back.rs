//! Functions that call back: their second half, outside of the loop around the instructions.

use crate::failure::{Res, fail};
use crate::host::Call;

use super::{Machine, ROUNDS_MAX};

impl Machine {
    /// The second half of a function that calls back; its result goes to register `d` of the running frame.
    pub(super) fn reenter(&mut self, builtin: u32, slot: usize, d: u8) -> Res<()> {
        // The arguments are part of the state.
        if let Some(&frame) = self.frames.last() {
            self.forget_registers(frame, slot + 1 - frame.base as usize);
        }
        self.run_half(builtin, slot)?;
        if let Some(frame) = self.frames.last() {
            let result = self.slot(slot).get();
            self.slot(frame.base as usize + d as usize).set(result);
        }
        Ok(())
    }

    /// The second half; its state is in the word of the root stack at `slot`, and there its result will be.
    pub(super) fn run_half(&mut self, builtin: u32, slot: usize) -> Res<()> {
        if self.rounds == ROUNDS_MAX {
            fail!("built-in functions call each other too deeply");
        }
        self.rounds += 1;
        let outer = self.running.replace(builtin);
        let outcome = match &self.host.builtins[builtin as usize].call {
            Call::Halves { run, .. } => {
                let run = *run;
                run(self, slot)
            }
            Call::Higher(function) => {
                let function = std::rc::Rc::clone(function);
                self.run_higher(&function, slot)
            }
            Call::Plain(_) | Call::Host(_) => Ok(()),
        };
        self.running = outer;
        self.rounds -= 1;
        outcome.map_err(|failure| failure.inside(self.host.builtin_name(builtin)))
    }
}
