//! What the calls do when nothing is wrong: one behaviour at a time.

use std::ffi::c_void;
use std::mem::MaybeUninit;

use frazil_c::frazil_status::*;
use frazil_c::*;

const LEAF: u16 = 1;
const PAIR: u16 = 2;
const SLOTS: u16 = 3;
const LABEL: u16 = 4;
const BYTES: u16 = 5;
const BUFFER: u16 = 6;

/// What a call wrote to its result.
fn result<T>(call: impl FnOnce(Out<'_, T>) -> frazil_status) -> T {
    let mut place = MaybeUninit::uninit();
    assert_eq!(call(Some(&mut place)), FRAZIL_OK);
    read(place)
}

fn read<T>(place: MaybeUninit<T>) -> T {
    // SAFETY: the call succeeded, so the place was written.
    unsafe { place.assume_init() }
}

fn done(status: frazil_status) {
    assert_eq!(status, FRAZIL_OK);
}

struct TestHeap(frazil_heap);

impl Drop for TestHeap {
    fn drop(&mut self) {
        done(frazil_heap_destroy(self.0));
    }
}

fn new_heap(change: impl FnOnce(&mut frazil_config)) -> TestHeap {
    let mut config = stress();
    change(&mut config);
    define(result(|heap| frazil_heap_create(Some(&config), size_of::<frazil_config>(), heap)))
}

fn stress() -> frazil_config {
    result(|config| frazil_config_stress(config, size_of::<frazil_config>()))
}

/// A heap that knows the shapes.
fn define(heap: frazil_heap) -> TestHeap {
    let shape = |id, raw_words, references, tail: frazil_tail, is_mutable| {
        let name = c"a shape".as_ptr();
        let shape = frazil_shape { name, references, raw_words, tail: tail as u32, is_mutable, id };
        done(frazil_shape_define(heap, Some(&shape), size_of::<frazil_shape>()));
    };
    shape(LEAF, 1, 0, frazil_tail::FRAZIL_TAIL_NONE, 0);
    shape(PAIR, 0, 2, frazil_tail::FRAZIL_TAIL_NONE, 0);
    shape(SLOTS, 0, 0, frazil_tail::FRAZIL_TAIL_REFERENCES, 1);
    shape(LABEL, 0, 1, frazil_tail::FRAZIL_TAIL_TEXT, 0);
    shape(BYTES, 0, 0, frazil_tail::FRAZIL_TAIL_BYTES, 0);
    shape(BUFFER, 0, 0, frazil_tail::FRAZIL_TAIL_BYTES, 1);
    TestHeap(heap)
}

fn leaf(heap: &TestHeap, number: u64) -> frazil_value {
    let leaf = result(|made| frazil_alloc(heap.0, LEAF, 0, made));
    done(frazil_raw_store(heap.0, leaf, 0, number));
    leaf
}

fn number(heap: &TestHeap, leaf: frazil_value) -> u64 {
    result(|word| frazil_raw_load(heap.0, leaf, 0, word))
}

fn slots(heap: &TestHeap, values: &[frazil_value]) -> frazil_value {
    result(|made| frazil_make(heap.0, SLOTS, values.as_ptr(), values.len(), std::ptr::null(), 0, made))
}

fn collect(heap: &TestHeap) -> frazil_report {
    let kind = frazil_collection::FRAZIL_COLLECT_COMPLETE as u32;
    result(|report| frazil_collect(heap.0, kind, report, size_of::<frazil_report>()))
}

fn statistics(heap: &TestHeap) -> frazil_statistics {
    result(|statistics| frazil_statistics_get(heap.0, statistics, size_of::<frazil_statistics>()))
}

#[test]
fn handles_follow_what_moves() {
    let heap = new_heap(|_| ());
    let value = leaf(&heap, 7);
    let handle = result(|handle| frazil_handle_new(heap.0, value, handle));
    collect(&heap);
    let moved = result(|held| frazil_handle_get(heap.0, handle, held));
    assert_ne!(moved, value, "it was promoted");
    assert_eq!(number(&heap, moved), 7);
    done(frazil_handle_set(heap.0, handle, leaf(&heap, 8)));
    assert_eq!(collect(&heap).old_objects, 1, "the other one is gone");
    done(frazil_handle_free(heap.0, handle));
    assert_eq!(collect(&heap).old_objects, 0);
}

#[test]
fn a_scope_ends_its_handles_and_keeps_one() {
    let heap = new_heap(|_| ());
    let outer = result(|scope| frazil_scope_open(heap.0, scope));
    let inner = result(|scope| frazil_scope_open(heap.0, scope));
    let mut handles: Vec<frazil_handle> =
        (0..10).map(|n| result(|handle| frazil_handle_local(heap.0, leaf(&heap, n), handle))).collect();
    done(frazil_handle_free(heap.0, handles[5]));
    done(frazil_scope_close(heap.0, inner, Some(&mut handles[3])));
    assert_eq!((collect(&heap).old_objects, statistics(&heap).handles), (1, 1));
    let kept = result(|held| frazil_handle_get(heap.0, handles[3], held));
    assert_eq!(number(&heap, kept), 3);
    done(frazil_scope_close(heap.0, outer, None));
    assert_eq!((collect(&heap).old_objects, statistics(&heap).handles), (0, 0));
}

#[test]
fn frames_are_roots_that_stay_where_they_are() {
    let heap = new_heap(|_| ());
    let frame: *mut frazil_value = result(|slots| frazil_frame_push(heap.0, 2, slots));
    // SAFETY: the frame has two words, and lives until it is popped.
    unsafe { frame.add(1).write(leaf(&heap, 9)) };
    assert_eq!(collect(&heap).old_objects, 1);
    // SAFETY: as before.
    let (first, second) = unsafe { (frame.read(), frame.add(1).read()) };
    assert_eq!((first.word, number(&heap, second)), (constants::FRAZIL_EMPTY, 9));
    assert_eq!(statistics(&heap).stack_words, 2);
    done(frazil_frame_pop(heap.0, frame, 2));
    assert_eq!(collect(&heap).old_objects, 0);
}

#[test]
fn weak_references_end_with_their_object() {
    let heap = new_heap(|_| ());
    let handle = result(|handle| frazil_handle_new(heap.0, leaf(&heap, 1), handle));
    let held = result(|held| frazil_handle_get(heap.0, handle, held));
    let weak = result(|weak| frazil_weak_new(heap.0, held, weak));
    collect(&heap);
    assert_eq!(number(&heap, result(|to| frazil_weak_get(heap.0, weak, to))), 1);
    done(frazil_handle_free(heap.0, handle));
    // What was looked up was retained for one more collection.
    collect(&heap);
    collect(&heap);
    let mut to = MaybeUninit::uninit();
    assert_eq!(frazil_weak_get(heap.0, weak, Some(&mut to)), FRAZIL_NONE);
    done(frazil_weak_free(heap.0, weak));
    assert_eq!(statistics(&heap).weak_references, 0);
}

#[test]
fn the_dead_come_to_the_queue_with_what_they_refer_to() {
    let heap = new_heap(|_| ());
    let pair: frazil_value = result(|made| frazil_alloc(heap.0, PAIR, 0, made));
    done(frazil_initialise(heap.0, pair, 0, leaf(&heap, 5)));
    done(frazil_finalize(heap.0, pair, 99));
    assert_eq!(collect(&heap).finalizable, 1);
    let (mut next, mut token) = (MaybeUninit::uninit(), MaybeUninit::uninit());
    done(frazil_next_finalizable(heap.0, Some(&mut next), Some(&mut token)));
    let revived = read(next);
    assert_eq!(read(token), 99);
    let child = result(|loaded| frazil_load(heap.0, revived, 0, loaded));
    assert_eq!(number(&heap, child), 5);
    collect(&heap);
    assert_eq!(frazil_next_finalizable(heap.0, Some(&mut next), Some(&mut token)), FRAZIL_NONE);
    assert_eq!(collect(&heap).old_objects, 0);
}

#[test]
fn a_frozen_cycle_is_counted_as_one() {
    let heap = new_heap(|_| ());
    let one = slots(&heap, &[frazil_value { word: 2 }]);
    let other = slots(&heap, &[one]);
    done(frazil_store(heap.0, one, 0, other));
    assert_eq!(result(|count| frazil_freeze_deep(heap.0, one, count)), 2);
    let handle = result(|handle| frazil_handle_new(heap.0, one, handle));
    let report = collect(&heap);
    assert_eq!((report.settled, report.components, report.old_objects), (2, 1, 2));
    assert_eq!(collect(&heap).traced_objects, 0);
    let held = result(|held| frazil_handle_get(heap.0, handle, held));
    let info: frazil_object_info =
        result(|info| frazil_describe(heap.0, held, info, size_of::<frazil_object_info>()));
    assert_eq!((info.shape, info.references, info.is_mutable, info.is_frozen), (SLOTS, 1, 0, 1));
    done(frazil_handle_free(heap.0, handle));
    assert_eq!(collect(&heap).old_objects, 0);
}

#[test]
fn a_cycle_of_immutable_objects_is_counted_as_one() {
    for inline in [false, true] {
        let heap = new_heap(|config| config.check = (!inline).into());
        if inline {
            let _: *mut frazil_raw = result(|raw| frazil_heap_raw(heap.0, raw));
        }
        let pairs: Vec<frazil_value> =
            (0..9).map(|_| result(|made| frazil_alloc(heap.0, PAIR, 0, made))).collect();
        for (index, &pair) in pairs.iter().enumerate() {
            let next = pairs[(index + 1) % pairs.len()];
            match inline {
                // SAFETY: a pair is a header and two references, and was made just now.
                true => unsafe { (pair.word as *mut u64).add(1).write(next.word) },
                false => done(frazil_initialise(heap.0, pair, 0, next)),
            }
        }
        let first = result(|handle| frazil_handle_new(heap.0, pairs[0], handle));
        let report = collect(&heap);
        assert_eq!((report.old_objects, report.components), (9, 1));
        // Somebody holds the inside.
        let pair = result(|held| frazil_handle_get(heap.0, first, held));
        let next = result(|next| frazil_load(heap.0, pair, 0, next));
        let second = result(|handle| frazil_handle_new(heap.0, next, handle));
        done(frazil_handle_free(heap.0, first));
        assert_eq!(collect(&heap).old_objects, 9);
        done(frazil_handle_free(heap.0, second));
        assert_eq!(collect(&heap).old_objects, 0);
    }
}

#[test]
fn a_text_may_have_references() {
    let heap = new_heap(|_| ());
    for text in ["", "ice", "iceberg!", "a floe of loose ice"] {
        let leaf = leaf(&heap, 7);
        let (bytes, length) = (text.as_ptr(), text.len());
        let label = result(|made| frazil_make(heap.0, LABEL, &leaf, 1, bytes, length, made));
        let handle = result(|handle| frazil_handle_new(heap.0, label, handle));
        collect(&heap);
        let label = result(|held| frazil_handle_get(heap.0, handle, held));
        assert_eq!(number(&heap, result(|leaf| frazil_load(heap.0, label, 0, leaf))), 7);
        let mut copy = vec![0; length];
        done(frazil_bytes_read(heap.0, label, 0, copy.as_mut_ptr(), length));
        assert_eq!(copy, text.as_bytes());
        done(frazil_handle_free(heap.0, handle));
    }
}

/// Where an object's bytes are, the host is told; so it may make room among them, or close a gap.
#[test]
fn bytes_move_within_their_object() {
    let heap = new_heap(|_| ());
    for shape in [BYTES, BUFFER] {
        for (from, to, expected) in [(0, 3, b"abcabcdefghi"), (3, 0, b"defghijkljkl")] {
            let letters = b"abcdefghijkl";
            let object = result(|made| {
                frazil_make(heap.0, shape, std::ptr::null(), 0, letters.as_ptr(), letters.len(), made)
            });
            let mut length = MaybeUninit::uninit();
            let bytes = result(|bytes| frazil_bytes_view(heap.0, object, bytes, Some(&mut length)));
            assert_eq!(read(length), letters.len());
            done(frazil_bytes_write(heap.0, object, to, bytes.wrapping_add(from), letters.len() - 3));
            let mut now = [0; 12];
            done(frazil_bytes_read(heap.0, object, 0, now.as_mut_ptr(), now.len()));
            assert_eq!(&now, expected, "shape {shape}");
        }
    }
}

#[test]
fn a_structure_is_released_in_instalments() {
    let heap = new_heap(|config| {
        config.check = 0;
        (config.drain_objects_per_kib, config.drain_micros_max) = (1, 1_000_000);
    });
    let mut list = frazil_value { word: 2 };
    for _ in 0..1000 {
        let parts = [list, list];
        list = result(|made| frazil_make(heap.0, PAIR, parts.as_ptr(), 2, std::ptr::null(), 0, made));
    }
    let handle = result(|handle| frazil_handle_new(heap.0, list, handle));
    assert_eq!(collect(&heap).old_objects, 1000);
    done(frazil_handle_free(heap.0, handle));
    assert!(collect(&heap).waiting > 0, "not all at once");
    while result(|left| frazil_drain(heap.0, 100, left)) > 0 {}
    assert_eq!(collect(&heap).old_objects, 0);
}

/// What a listener was told: the kinds.
extern "C" fn note(event: Option<&frazil_event>, context: *mut c_void) {
    let heap = event.map(|event| event.heap).expect("an event");
    // The heap may be used, and what happens meanwhile comes afterwards.
    done(frazil_want_collection(heap));
    // SAFETY: the context is the test's list, which lives longer than the heap; nobody else looks at it meanwhile.
    let told: &mut Vec<u32> = unsafe { &mut *context.cast() };
    if told.is_empty() {
        done(frazil_collect(heap, 0, None, 0));
        assert!(told.is_empty(), "one after the other");
    }
    told.extend(event.map(|event| event.kind));
}

#[test]
fn the_listener_is_told_in_turn() {
    let mut told: Vec<u32> = Vec::new();
    let heap = new_heap(|_| ());
    done(frazil_listen(heap.0, Some(note), (&raw mut told).cast()));
    done(frazil_finalize(heap.0, leaf(&heap, 1), 1));
    collect(&heap);
    drop(heap);
    let (collected, finalizable) = (
        frazil_event_kind::FRAZIL_EVENT_COLLECTED as u32,
        frazil_event_kind::FRAZIL_EVENT_FINALIZABLE as u32,
    );
    assert_eq!(told, [collected, finalizable, collected]);
}

extern "C" fn end(event: Option<&frazil_event>, _: *mut c_void) {
    done(frazil_heap_destroy(event.map(|event| event.heap).expect("an event")));
}

#[test]
fn a_listener_may_end_the_heap() {
    let heap = new_heap(|_| ());
    done(frazil_listen(heap.0, Some(end), std::ptr::null_mut()));
    done(frazil_finalize(heap.0, leaf(&heap, 1), 1));
    done(frazil_collect(heap.0, 0, None, 0));
    assert_eq!(frazil_check(heap.0), FRAZIL_NO_HEAP);
    std::mem::forget(heap);
}

#[test]
fn two_threads_have_their_own_heaps() {
    let make = || {
        let heap = new_heap(|_| ());
        let handle = result(|handle| frazil_handle_new(heap.0, leaf(&heap, 3), handle));
        collect(&heap);
        number(&heap, result(|held| frazil_handle_get(heap.0, handle, held)))
    };
    let other = std::thread::spawn(make);
    assert_eq!(make(), 3);
    assert_eq!(other.join().expect("the thread ends well"), 3);
}

/// A list of this length whose pairs are shared by several heaps.
const SHARED_PAIRS: u64 = 1000;

fn list(heap: &TestHeap) -> frazil_value {
    (0..SHARED_PAIRS).fold(frazil_value { word: 2 }, |list, n| {
        let parts = [leaf(heap, n), list];
        result(|made| frazil_make(heap.0, PAIR, parts.as_ptr(), 2, std::ptr::null(), 0, made))
    })
}

/// The sum of the numbers in a list.
fn sum(heap: &TestHeap, mut list: frazil_value) -> u64 {
    let mut sum = 0;
    while list.word != 2 {
        sum += number(heap, result(|first| frazil_load(heap.0, list, 0, first)));
        list = result(|rest| frazil_load(heap.0, list, 1, rest));
    }
    sum
}

#[test]
fn frozen_data_goes_from_thread_to_thread_without_a_copy() {
    const SUM: u64 = SHARED_PAIRS * (SHARED_PAIRS - 1) / 2;
    let mut config = stress();
    // Checked afterwards: in checking mode every reading call would look at all young objects.
    config.check = 0;
    let group = result(|group| frazil_group_create(Some(&config), size_of::<frazil_config>(), group));
    let new = move || define(result(|heap| frazil_heap_create_in(group, heap)));
    // Its owner ends before anybody imports it.
    let share = std::thread::spawn(move || {
        let heap = new();
        let handle = result(|handle| frazil_handle_new(heap.0, list(&heap), handle));
        result(|shared| frazil_share(heap.0, handle, shared))
    });
    let shared: frazil_shared = share.join().expect("the thread ends well");
    let readers = [0, 1, 2].map(|_| {
        std::thread::spawn(move || {
            let heap = new();
            let imported = result(|value| frazil_import(heap.0, shared, value));
            // Something of its own that refers to what it was given.
            let own = slots(&heap, &[imported, leaf(&heap, 1)]);
            let handle = result(|handle| frazil_handle_new(heap.0, own, handle));
            for _ in 0..10 {
                collect(&heap);
                let own = result(|held| frazil_handle_get(heap.0, handle, held));
                let list = result(|loaded| frazil_load(heap.0, own, 0, loaded));
                assert_eq!(sum(&heap, list), SUM);
            }
            done(frazil_check(heap.0));
            statistics(&heap).promoted_objects
        })
    });
    for reader in readers {
        let promoted = reader.join().expect("the thread ends well");
        assert_eq!(promoted, 2, "nothing was copied");
    }
    done(frazil_shared_free(shared));
    done(frazil_group_destroy(group));
}
