//! W7: one thread builds trees of 1,023 nodes and sends them, another one keeps the last 256 and sums each.
//!
//! `cargo bench --bench pipeline -- [MESSAGES] [KEEP] [DEPTH]`. The first line is the checksum that the same program has in
//! every language; then the time, and how many messages about counts it took. Sending shares a handle: its cost does
//! not depend on the tree, which is promoted by a collection that would have come anyway.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use frazil::{Config, Group, Heap, LowTag, Object, Request, Shape, Shared, Value};

const NODE: Shape = Shape::new(1, "node").raw_words(1).references(2);
/// Room in the channel, in trees.
const ROOM: usize = 64;
/// Trees that one collection promotes, before each is sent.
const BATCH: u64 = 16;

/// How often a tree is shared to see how long that takes.
const SHARES: usize = 1000;

/// What goes through the channel.
type Tree = Shared<LowTag>;

/// The tree below number `x`, of `depth` levels. (What is empty is found out before a call, here and in [`sum`]: a call saves
/// registers, whatever comes of it.)
fn tree<'s, 'id>(heap: &'s Heap<'id, LowTag>, x: u64, depth: u32) -> Value<'s, 'id, LowTag> {
    let below = |x| if depth > 1 { tree(heap, x, depth - 1) } else { Value::EMPTY };
    let (left, right) = (below(2 * x), below(2 * x + 1));
    let mut node = heap.alloc(&NODE, 0).expect("memory");
    node.raw_mut()[0] = x;
    node.references_mut().copy_from_slice(&[left, right]);
    node.finish().into()
}

/// The sum over all nodes of a tree.
fn sum(node: Object<'_, '_, LowTag>) -> u64 {
    let node = node.shaped(&NODE).expect("nothing else is in a tree");
    let below = |index| node.get(index).object().map_or(0, sum);
    node.raw(0).wrapping_add(below(0)).wrapping_add(below(1))
}

/// Says how long sharing and sending took, without the collections, and how many batches were posted.
fn produce(
    heap: &mut Heap<'_, LowTag>,
    messages: u64,
    depth: u32,
    out: &SyncSender<Tree>,
) -> (Duration, usize) {
    let base = heap.stack_grow(BATCH as usize).expect("room");
    let (mut sharing, mut posted) = (Duration::ZERO, 0);
    for first in (0..messages).step_by(BATCH as usize) {
        let count = BATCH.min(messages - first);
        for at in 0..count {
            let tree = tree(heap, (first + at) & 1023, depth);
            heap.stack_from(base)[at as usize].set(tree);
        }
        posted += heap.collect(Request::Auto).posted_batches;
        let slots = heap.stack_from(base);
        let start = Instant::now();
        let trees: Vec<Tree> = (0..count as usize)
            .map(|at| heap.share_settled(slots[at].replace(Value::EMPTY)).expect("settled"))
            .collect();
        sharing += start.elapsed();
        trees.into_iter().for_each(|tree| out.send(tree).expect("somebody receives"));
    }
    (sharing, posted)
}

fn consume(heap: &mut Heap<'_, LowTag>, keep: usize, trees: &Receiver<Tree>) -> (u64, usize) {
    let ring = heap.stack_grow(keep).expect("room");
    let (mut total, mut count, mut posted) = (0u64, 0, 0);
    for tree in trees {
        let tree = heap.import(tree);
        total = total.wrapping_add(sum(tree.object().expect("a tree")));
        heap.stack_from(ring)[count % keep].set(tree);
        count += 1;
        if heap.should_collect() {
            posted += heap.collect(Request::Auto).posted_batches;
        }
    }
    let kept = heap.stack_from(ring).iter().filter_map(|slot| slot.get().object());
    (total.wrapping_add(kept.map(sum).sum()), posted)
}

/// How long it takes to share a settled tree of so many levels.
fn sharing(group: &Group<LowTag>, depth: u32) -> Duration {
    let share = |mut heap: Heap<'_, LowTag>| {
        let root = heap.root(tree(&heap, 1, depth));
        heap.collect(Request::Complete);
        let start = Instant::now();
        let shared = [(); SHARES].map(|()| heap.share_settled(heap.rooted(&root)).expect("settled"));
        let elapsed = start.elapsed();
        drop(shared);
        elapsed / SHARES as u32
    };
    group.branded(share).expect("memory")
}

fn main() {
    let numbers: Vec<u64> = std::env::args().filter_map(|word| word.parse().ok()).collect();
    let number = |at: usize, usual| numbers.get(at).copied().unwrap_or(usual);
    let (messages, keep, depth) = (number(0, 20_000), number(1, 256) as usize, number(2, 10) as u32);
    let group = &Group::<LowTag>::new(Config::DEFAULT).expect("the settings agree");
    let (out, trees) = sync_channel(ROOM);
    let start = Instant::now();
    let ((sharing_time, produced), (total, consumed)) = std::thread::scope(|scope| {
        let producer = scope.spawn(move || {
            group.branded(|mut heap| produce(&mut heap, messages, depth, &out)).expect("memory")
        });
        let consumer =
            scope.spawn(move || group.branded(|mut heap| consume(&mut heap, keep, &trees)).expect("memory"));
        (producer.join().expect("no panic"), consumer.join().expect("no panic"))
    });
    let elapsed = start.elapsed();
    println!("checksum w7: {}", total as u32);
    println!("elapsed={:.3}", elapsed.as_secs_f64());
    println!("sharing: {:.0} ns a message", sharing_time.as_nanos() as f64 / messages as f64);
    println!("batches of counts: {:.4} a message", (produced + consumed) as f64 / messages as f64);
    for depth in [3, 10, 17] {
        let nodes = (1 << depth) - 1;
        println!("sharing a settled tree of {nodes} nodes: {:?}", sharing(group, depth));
    }
    assert_eq!(group.orphans(), 0, "everything is freed at the end");
}
