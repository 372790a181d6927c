//! The code of a machine: which programs have which numbers, and when code goes.
//!
//! Functions name their code by number, and the codes of a program have consecutive ones. The links of all these codes refer
//! to one object, the program's *token*, and every function refers to links: so when the token has died there is nobody who
//! could call the code, and its numbers are free for other programs. Which numbers are taken is in the [`Codebook`], which
//! several machines may have in common.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;

use crate::code::Code;
use crate::cx::Cx;
use crate::failure::Res;
use crate::parallel::Codebook;
use crate::program::Program;
use crate::value::{Heap, Object, Value, shapes};

/// The code of one program.
struct Group {
    count: usize,
    /// The program, if it may be run again: as long as somebody else has it.
    program: Option<Program>,
    /// Tells whether functions of the program live.
    token: Option<frazil::Weak<'static>>,
}

impl Group {
    fn is_dead(&self, heap: &Heap) -> bool {
        self.program.as_ref().is_none_or(|program| Arc::strong_count(&program.0) == 1)
            && self.token.as_ref().is_none_or(|token| heap.is_cleared(token))
    }
}

/// See [the module](self).
pub(in crate::machine) struct Installed {
    /// By the number of the first code.
    groups: BTreeMap<usize, Group>,
    /// The first code of programs that may be run again, by identity.
    again: HashMap<usize, usize>,
    /// Which numbers are taken.
    numbers: Arc<Codebook>,
}

fn identity(program: &Program) -> usize {
    Arc::as_ptr(&program.0) as usize
}

impl Installed {
    pub fn new(numbers: Arc<Codebook>) -> Installed {
        Installed { groups: BTreeMap::new(), again: HashMap::new(), numbers }
    }

    /// The numbers of a program's codes, if it is there to be run again.
    pub fn find(&self, program: &Program) -> Option<Range<usize>> {
        let first = *self.again.get(&identity(program))?;
        Some(first..first + program.0.codes.len())
    }

    /// Takes numbers for the codes of a program.
    pub fn take(&mut self, program: &Program, again: bool) -> Range<usize> {
        let codes = self.numbers.take(&program.0.codes);
        if again {
            self.again.insert(identity(program), codes.start);
        }
        let program = again.then(|| program.clone());
        self.groups.insert(codes.start, Group { count: codes.len(), program, token: None });
        codes
    }

    /// Nobody can call the code with this number any more.
    pub fn spend(&self, code: usize, spent: &Arc<Code>) {
        self.numbers.change(code..code + 1, spent);
    }

    /// The token of the program whose first code has this number.
    ///
    /// # Errors
    /// Memory ran out.
    pub fn token<'s>(&mut self, cx: Cx<'s>, first: usize) -> Res<Value<'s>> {
        let known = self.groups.get(&first).and_then(|group| group.token.as_ref());
        if let Some(token) = known.and_then(|token| cx.heap.upgrade(token)) {
            return Ok(token.into());
        }
        let token = cx.alloc(&shapes::TUPLE, 0)?.finish();
        if let Some(group) = self.groups.get_mut(&first)
            && let Some(dead) = group.token.replace(cx.heap.weak(token))
        {
            cx.heap.forget_weak(dead);
        }
        Ok(token.into())
    }

    /// The programs whose functions live, with their tokens.
    pub fn living<'s>(&self, heap: &'s Heap) -> Vec<(Range<usize>, Object<'s>)> {
        let tokens = self.groups.iter().filter_map(|(&first, group)| {
            Some((first..first + group.count, heap.upgrade(group.token.as_ref()?)?))
        });
        tokens.collect()
    }

    /// Takes over a program that another machine has installed, with its token, which is in this heap now.
    pub fn inherit(&mut self, heap: &Heap, codes: Range<usize>, token: Object<'_>) {
        let token = Some(heap.weak(token));
        self.groups.insert(codes.start, Group { count: codes.len(), program: None, token });
    }

    /// Lets code go that nobody can call any more.
    pub fn sweep(&mut self, heap: &Heap, codes: &mut [Arc<Code>], spent: &Arc<Code>) {
        let dead = self.groups.iter().filter(|(_, group)| group.is_dead(heap)).map(|(&first, _)| first);
        for first in dead.collect::<Vec<usize>>() {
            let Some(group) = self.groups.remove(&first) else { continue };
            if let Some(program) = &group.program {
                self.again.remove(&identity(program));
            }
            if let Some(token) = group.token {
                heap.forget_weak(token);
            }
            let range = first..first + group.count;
            codes[range.clone()].fill(Arc::clone(spent));
            self.numbers.give_back(range, spent);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Engine, Handle};

    /// How many numbers of codes there are, and how many of these codes still have instructions.
    fn codes(engine: &mut Engine) -> (usize, usize) {
        engine.collect(frazil::Request::Complete).expect("room");
        let codes = engine.machine().codes();
        (codes.len(), codes.iter().filter(|code| !code.ops.is_empty()).count())
    }

    #[test]
    fn code_goes_with_its_last_function() {
        let mut engine = Engine::default();
        let text = |i: usize| format!("f = lambda x: (lambda: x + {i})\nf");
        let evaluate = |engine: &mut Engine, i| engine.evaluate("m", text(i)).expect("a function");
        let kept: Handle = evaluate(&mut engine, 7);
        for i in 0..100 {
            let outer = evaluate(&mut engine, i);
            let inner = engine.call(&outer, (1,)).expect("a function");
            drop(outer);
            assert_eq!(codes(&mut engine).1, 4, "those of the one that is kept, and of the inner one");
            let sum = engine.call(&inner, ()).expect("a sum");
            assert_eq!(engine.get::<usize>(&sum).expect("an int"), i + 1);
        }
        assert!(codes(&mut engine).0 <= 9);
        drop(kept);
        assert_eq!(codes(&mut engine).1, 0);
    }

    #[test]
    fn a_program_that_may_be_run_again_keeps_its_code() {
        let mut engine = Engine::default();
        let program = engine.compile("m", "def f(): return 1\nf()").expect("a program");
        for _ in 0..3 {
            engine.evaluate_program(&program).expect("a value");
            assert_eq!(codes(&mut engine), (2, 2));
        }
        engine.run_program("m", &program).expect("a module");
        drop(program);
        assert_eq!(codes(&mut engine), (2, 2));
        engine.unload("m");
        assert_eq!(codes(&mut engine), (2, 0));
    }

    #[test]
    fn unloaded_modules_leave_no_code() {
        let mut engine = Engine::default();
        for i in 0..50 {
            engine
                .run("m", format!("def f(): return [x * {i} for x in range(3)]\ny = f()"))
                .expect("a module");
            engine.collect(frazil::Request::Complete).expect("room");
        }
        assert!(codes(&mut engine).0 <= 6);
        assert!(engine.get_global::<Vec<i64>>("m", "y").is_ok_and(|y| y == [0, 49, 98]));
    }
}
