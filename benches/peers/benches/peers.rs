//! How long the four structures take on each library.

use std::hint::black_box;

use criterion::{Criterion, criterion_group};
use frazil_peers::{dumpster, gc_arena, ours, words};

fn structures(c: &mut Criterion) {
    let words = words(200_000);
    macro_rules! compare {
        ($($name:ident($argument:expr)),*) => {$(
            let mut group = c.benchmark_group(stringify!($name));
            group.sample_size(10);
            group.bench_function("frazil", |b| b.iter(|| ours::$name(black_box($argument))));
            group.bench_function("gc-arena", |b| b.iter(|| gc_arena::$name(black_box($argument))));
            group.bench_function("dumpster", |b| b.iter(|| dumpster::$name(black_box($argument))));
            group.finish();
        )*};
    }
    compare!(queue(1_000_000), tree(200_000), graph(200_000), symbols(&words));
}

criterion_group!(benches, structures);

/// dumpster looks for cycles by recursion, and needs a stack for the longest path there is.
fn main() {
    let all = || {
        benches();
        Criterion::default().configure_from_args().final_summary();
    };
    std::thread::Builder::new().stack_size(1 << 30).spawn(all).expect("a thread").join().expect("no panic");
}
