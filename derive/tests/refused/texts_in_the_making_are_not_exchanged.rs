//! Two texts that are put together at the same time cannot be exchanged: each has a lifetime of its own. Otherwise one of them
//! would have bytes that nobody has written.
//~ inner_text
//~ borrowed data escapes outside of closure
use frazil::{Config, Heap, LowTag, Shape};

const TEXT: Shape = Shape::new(1, "text").text();

fn main() {
    let _ = Heap::<LowTag>::branded(Config::default(), |heap| {
        let _ = heap.text_with(&TEXT, 3, |outer_text| {
            let _ = heap.text_with(&TEXT, 3, |inner_text| std::mem::swap(outer_text, inner_text));
        });
    });
}
