//! Code that says where it allocates, for profiling: before each instruction that may allocate, one is put in that
//! tells the heap so ([`Op::Site`]). Code that is not profiled has none, and pays nothing.

use crate::code::{Code, LoopSite, Near, Op};
use crate::syntax::Span;

/// Puts the instructions in. `number` gives each place its number.
///
/// A function so long that its jumps could become too long for an instruction stays as it is: what it allocates
/// counts for whoever called it.
pub(crate) fn mark(code: &mut Code, mut number: impl FnMut(Span) -> u32) {
    if code.ops.len() > Near::MAX / 2 {
        return;
    }
    let mut ops = Vec::with_capacity(code.ops.len() * 2);
    let mut spans = Vec::with_capacity(code.ops.len() * 2);
    // Where each instruction is now, with the one that was put in before it, and where it is without.
    let (mut begins, mut own) = (Vec::with_capacity(code.ops.len() + 1), Vec::with_capacity(code.ops.len()));
    for (&op, &span) in code.ops.iter().zip(&code.spans) {
        begins.push(ops.len());
        if may_allocate(op) {
            ops.push(Op::Site { site: number(span) });
            spans.push(span);
        }
        own.push(ops.len());
        ops.push(op);
        spans.push(span);
    }
    begins.push(ops.len());
    let moved = |to: &mut u32| *to = begins[*to as usize] as u32;
    for (at, &now) in own.iter().enumerate() {
        match &mut ops[now] {
            Op::Jump { to }
            | Op::Repeat { to }
            | Op::JumpIf { to, .. }
            | Op::JumpUnless { to, .. }
            | Op::Next { to, .. }
            | Op::Again { to, .. } => moved(to),
            Op::JumpCompare { to, .. } | Op::JumpCompareInt { to, .. } => {
                *to = Near::new(begins[at + 1 + to.distance()] - (now + 1))
            }
            _ => {}
        }
    }
    for LoopSite { start, end, .. } in &mut code.loops {
        moved(start);
        moved(end);
    }
    code.ops = ops.into();
    code.spans = spans.into();
}

/// Can this instruction, or a built-in function that it calls, make an object?
fn may_allocate(op: Op) -> bool {
    !matches!(
        op,
        Op::Const { .. }
            | Op::Int { .. }
            | Op::None { .. }
            | Op::Unset { .. }
            | Op::Bool { .. }
            | Op::Move { .. }
            | Op::Global { .. }
            | Op::SetGlobal { .. }
            | Op::Free { .. }
            | Op::Cell { .. }
            | Op::SetCell { .. }
            | Op::Check { .. }
            | Op::Spilled { .. }
            | Op::SetSpilled { .. }
            | Op::Not { .. }
            | Op::Plus { .. }
            | Op::Jump { .. }
            | Op::Repeat { .. }
            | Op::JumpIf { .. }
            | Op::JumpUnless { .. }
            | Op::JumpCompare { .. }
            | Op::JumpCompareInt { .. }
            | Op::EndFor { .. }
            | Op::Return { .. }
            | Op::SetAttr { .. }
            | Op::Site { .. }
    )
}
