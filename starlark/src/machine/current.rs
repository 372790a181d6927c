//! What the loop around the instructions holds of the running frame.

use std::cell::Cell;

use crate::advice;
use crate::code::{CaptureFrom, Code, Link, Op, WINDOW};
use crate::cx::Cx;
use crate::failure::{Failure, Res, fail};
use crate::host::Host;
use crate::value::{Heap, Object, Value, shapes};

use super::Frame;

pub(super) type Window<'s> = &'s [Cell<Value<'s>>; WINDOW];
pub(super) type References<'s> = frazil::References<'s, 'static, crate::value::Tagging>;

/// What the loop holds of the running frame.
pub(super) struct Current<'s> {
    pub base: usize,
    pub code: &'s Code,
    /// The instructions of the code.
    pub ops: &'s [Op],
    pub window: Window<'s>,
    pub links: References<'s>,
}

impl<'s> Current<'s> {
    #[inline(always)]
    pub fn of(heap: &'s Heap, host: &'s Host, frame: Frame) -> Res<Current<'s>> {
        let base = frame.base as usize;
        let Some(window) = heap.stack_from(base).first_chunk::<WINDOW>() else {
            fail!("Starlark stack overflow");
        };
        let links = |function: Object<'s>| function.shaped(&shapes::FUNCTION)?.get(0).object();
        let Some(links) =
            window[0].get().object().and_then(links).and_then(|links| links.shaped(&shapes::LINKS))
        else {
            fail!("the function has no module");
        };
        let code: &'s Code = &host.codes[frame.code as usize];
        Ok(Current { base, code, ops: &code.ops, window, links: links.references() })
    }

    #[cold]
    pub fn unassigned(&self, kind: &str, name: Option<&str>) -> Box<Failure> {
        let is_of_function = kind == "local" && &*self.code.name != "<toplevel>";
        let message = format!("{kind} variable {} referenced before assignment", name.unwrap_or("?"));
        Failure::new(message).help_if(is_of_function.then_some(advice::LOCAL))
    }

    #[cold]
    pub fn unassigned_global(&self, link: u32) -> Box<Failure> {
        let global = match self.code.links.get(link as usize) {
            Some(Link::Global(global)) => self.code.globals.get(*global as usize),
            _ => None,
        };
        match global {
            Some((name, true)) => self.unassigned("local", Some(name)),
            global => self.unassigned("global", global.map(|(name, _)| &**name)),
        }
    }

    pub fn local_name(&self, register: u8) -> Option<&'s str> {
        self.code.locals.get(usize::from(register).wrapping_sub(1)).map(|name| &**name)
    }

    pub fn capture_name(&self, at: u32) -> Option<&'s str> {
        let index = at as usize - 1 - self.code.params.default_slots();
        self.code.captures.get(index).map(|capture| &*capture.name)
    }
    /// A function with the defaults in the registers from `base`, and the captured cells.
    pub fn make_function(&self, cx: Cx<'s>, base: u8, link: u32) -> Res<Value<'s>> {
        let own = self.window[0].get().object();
        let (Some(&Link::Code(distance)), Some(own)) = (self.code.links.get(link as usize), own) else {
            fail!("a function has no code");
        };
        let number = own.raw(0) as u32 - distance;
        let code = &cx.host.codes[number as usize];
        let defaults = code.params.default_slots();
        let mut fresh = cx.alloc(&shapes::FUNCTION, 1 + defaults + code.captures.len())?;
        fresh.raw_mut()[0] = cx.host.function_word(number);
        let slots = fresh.references_mut();
        slots[0] = self.links.get(link as usize);
        for (slot, register) in slots[1..=defaults].iter_mut().zip(&self.window[base as usize..]) {
            *slot = register.get();
        }
        for (slot, capture) in slots[1 + defaults..].iter_mut().zip(&code.captures) {
            *slot = match capture.from {
                CaptureFrom::Register(register) => self.window[register as usize].get(),
                CaptureFrom::Function(at) => own.get(at as usize),
                CaptureFrom::Spilled { from, slot } => {
                    let slots = self.window[from as usize].get().object();
                    slots.map_or(Value::EMPTY, |slots| slots.get(slot as usize))
                }
            };
        }
        Ok(fresh.finish().into())
    }
}
