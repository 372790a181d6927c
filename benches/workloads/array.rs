//! W5, the adversary: fresh records in random slots of a large mutable array.

use frazil::Shape;

use crate::meter::Meter;
use crate::{Obj, WorkHeap, fresh, fresh_of, next, safepoint};

const ARRAY: Shape = Shape::new(1, "array").references_tail().mutable();
const RECORD: Shape = Shape::new(2, "record").raw_words(2);

pub fn run(heap: &mut WorkHeap<'_>, meter: &mut Meter, slots: u64, steps: u64) -> u32 {
    let base = heap.stack_grow(1).expect("room on the stack");
    heap.stack_from(base)[0].set(fresh_of(heap, &ARRAY, slots as usize).finish().into());
    let mut state = 12345;
    meter.begin();
    meter.mark();
    for step in 0..steps {
        safepoint(heap);
        state = next(state);
        let random = u64::from(state >> 8);
        let mut record = fresh(heap, &RECORD);
        record.raw_mut().copy_from_slice(&[step, random]);
        let array = array(heap, base);
        heap.store(array, (random % slots) as usize, record.finish().into()).expect("mutable");
        if step & 4095 == 4095 {
            meter.mark();
        }
    }
    meter.finish();
    let sum = array(heap, base).references().iter().fold(0, |sum: u32, record| {
        let figure = record.object().map_or(0, |record| (record.raw(0) + record.raw(1)) as u32);
        sum.wrapping_mul(31).wrapping_add(figure)
    });
    heap.stack_truncate(base);
    sum
}

fn array<'s, 'id>(heap: &'s WorkHeap<'id>, base: usize) -> Obj<'s, 'id> {
    heap.stack_from(base)[0].get().object().expect("the array")
}
