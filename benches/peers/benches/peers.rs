//! How long the four structures take on each library; and what an allocation costs beside bumpalo.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group};
use frazil::arena::{Arena, Gc, Trace};
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

/// Three words, one of them a pointer.
#[derive(Clone, Copy, Trace)]
struct Object<'gc> {
    next: Option<Gc<'gc, Object<'gc>>>,
    numbers: [u64; 2],
}

struct Plain<'a> {
    next: Option<&'a Plain<'a>>,
    numbers: [u64; 2],
}

/// Objects that are made between two times the memory is taken back: some 32 KiB, or half a megabyte.
const OBJECTS: [u64; 2] = [1_000, 16_000];

fn allocation(c: &mut Criterion) {
    for objects in OBJECTS {
        let mut group = c.benchmark_group(format!("allocate/{objects}"));
        group.throughput(Throughput::Elements(objects));
        group.bench_function("frazil, a frame", |b| {
            let mut arena = Arena::<()>::new(|_| ());
            arena.enter(|s, _| {
                b.iter(|| {
                    s.scratch(|f, _| {
                        let mut next = None;
                        for number in 0..objects {
                            next = Some(f.alloc(Object { next, numbers: [number; 2] }));
                        }
                        black_box(next.map(|last| last.numbers[0]))
                    })
                })
            })
        });
        group.bench_function("frazil, collecting", |b| {
            let mut arena = Arena::<()>::new(|_| ());
            b.iter(|| {
                arena.enter(|s, _| {
                    let mut next = None;
                    for number in 0..objects {
                        next = Some(s.alloc(Object { next, numbers: [number; 2] }));
                    }
                    black_box(next.map(|last| last.numbers[0]))
                });
                arena.collect_if_due();
            })
        });
        group.bench_function("bumpalo", |b| {
            let mut bump = bumpalo::Bump::new();
            b.iter(|| {
                let mut next: Option<&Plain<'_>> = None;
                for number in 0..objects {
                    next = Some(bump.alloc(Plain { next, numbers: [number; 2] }));
                }
                black_box(next.map(|last| (last.numbers[0], last.next.is_some())));
                bump.reset();
            })
        });
        group.finish();
    }
}

criterion_group!(benches, allocation, structures);

/// dumpster looks for cycles by recursion, and needs a stack for the longest path there is.
fn main() {
    let all = || {
        benches();
        Criterion::default().configure_from_args().final_summary();
    };
    std::thread::Builder::new().stack_size(1 << 30).spawn(all).expect("a thread").join().expect("no panic");
}
