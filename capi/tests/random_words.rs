//! Random calls with random words, in checking mode: whatever comes of them, a status says what was wrong with them, and
//! no heap breaks.

use std::ffi::CStr;
use std::mem::MaybeUninit;

use frazil_c::frazil_status::*;
use frazil_c::*;

const PAIR: u16 = 1;
const SLOTS: u16 = 2;
const DATA: u16 = 3;
const TEXT: u16 = 4;
const ARRAY: u16 = 5;

/// A generator of numbers (xorshift).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, count: usize) -> usize {
        (self.next() >> 16) as usize % count
    }

    fn one_of<T: Copy>(&mut self, things: &[T]) -> Option<T> {
        (!things.is_empty()).then(|| things[self.below(things.len())])
    }
}

/// What a call comes to, and what it gives if it succeeds.
fn given<T>(call: impl FnOnce(Out<'_, T>) -> frazil_status) -> (frazil_status, Option<T>) {
    let mut place = MaybeUninit::uninit();
    let status = call(Some(&mut place));
    // SAFETY: the call succeeded, so the place was written.
    (status, (status == FRAZIL_OK).then(|| unsafe { place.assume_init() }))
}

fn result<T>(call: impl FnOnce(Out<'_, T>) -> frazil_status) -> T {
    given(call).1.expect("it succeeds")
}

/// A heap, and what its host has of it.
struct Player {
    heap: frazil_heap,
    /// All words that it ever had, but for those it has forgotten; most are of no use any more.
    words: Vec<frazil_value>,
    handles: Vec<frazil_handle>,
    weaks: Vec<frazil_weak>,
}

impl Player {
    fn new(group: frazil_group) -> Player {
        let heap = result(|heap| frazil_heap_create_in(group, heap));
        for (id, raw_words, references, tail, is_mutable) in [
            (PAIR, 0, 2, frazil_tail::FRAZIL_TAIL_NONE, 0),
            (SLOTS, 1, 0, frazil_tail::FRAZIL_TAIL_REFERENCES, 1),
            (DATA, 0, 0, frazil_tail::FRAZIL_TAIL_BYTES, 1),
            (TEXT, 0, 0, frazil_tail::FRAZIL_TAIL_TEXT, 0),
            (ARRAY, 0, 0, frazil_tail::FRAZIL_TAIL_REFERENCES, 0),
        ] {
            let name = c"a shape".as_ptr();
            let shape = frazil_shape { name, references, raw_words, tail: tail as u32, is_mutable, id };
            assert_eq!(frazil_shape_define(heap, Some(&shape), size_of::<frazil_shape>()), FRAZIL_OK);
        }
        Player { heap, words: Vec::new(), handles: Vec::new(), weaks: Vec::new() }
    }

    /// A word that it has, or one that nobody ever gave it.
    fn word(&self, random: &mut Random) -> frazil_value {
        let recent = &self.words[self.words.len().saturating_sub(40)..];
        let known = random.one_of(recent).map_or(0, |value| value.word);
        let word = match random.below(40) {
            0 => random.next(),
            1 => random.next() & 0xffff_ffff_fff8,
            2 => known.wrapping_add(8 * (random.next() % 512)),
            3 => known ^ 1 << random.below(64),
            4..8 => random.one_of(&self.words).map_or(0, |value| value.word),
            8..10 => random.next() | 1,
            _ => known,
        };
        frazil_value { word }
    }

    fn make(&mut self, made: (frazil_status, Option<frazil_value>)) -> frazil_status {
        self.words.extend(made.1);
        made.0
    }

    fn object(&mut self, shape: u16, references: &[frazil_value], text: &[u8]) -> frazil_status {
        let (heap, of, raw) = (self.heap, references.as_ptr(), text.as_ptr());
        let made = given(|made| frazil_make(heap, shape, of, references.len(), raw, text.len(), made));
        self.make(made)
    }

    /// Makes some call with these words.
    fn play(
        &mut self,
        random: &mut Random,
        [a, b]: [frazil_value; 2],
        shared: &mut Vec<frazil_shared>,
    ) -> frazil_status {
        let (heap, index) = (self.heap, random.below(4));
        let handle = random.one_of(&self.handles).unwrap_or(frazil_handle { bits: a.word });
        let weak = random.one_of(&self.weaks).unwrap_or(frazil_weak { bits: a.word });
        let collections = self.collections();
        let status = match random.below(26) {
            0 => {
                let shape = 1 + random.below(5) as u16;
                let made = given(|made| frazil_alloc(heap, shape, random.below(600), made));
                self.make(made)
            }
            1..4 => self.object(PAIR, &[a, b], b""),
            4 => self.object(SLOTS, &vec![a; 1 + random.below(900)], b""),
            5 => self.object(ARRAY, &vec![b; 1 + random.below(900)], b""),
            6 => self.object(TEXT, &[], b"text"),
            7..9 => self.make(given(|loaded| frazil_load(heap, a, index, loaded))),
            9..11 => frazil_store(heap, a, index, b),
            11 => frazil_initialise(heap, a, index, b),
            12 => frazil_raw_store(heap, a, index, b.word),
            13 => frazil_freeze(heap, a),
            14 => given(|count| frazil_freeze_deep(heap, a, count)).0,
            15 => frazil_guard(heap, a, random.below(2) as u32),
            16 => {
                let (status, handle) = given(|handle| frazil_handle_new(heap, a, handle));
                self.handles.extend(handle);
                status
            }
            17 => self.make(given(|held| frazil_handle_get(heap, handle, held))),
            18 => frazil_handle_set(heap, handle, a),
            19 => {
                self.handles.retain(|&other| other != handle);
                frazil_handle_free(heap, handle)
            }
            20 => {
                let (status, weak) = given(|weak| frazil_weak_new(heap, a, weak));
                self.weaks.extend(weak);
                status
            }
            21 => self.make(given(|to| frazil_weak_get(heap, weak, to))),
            22 => frazil_finalize(heap, a, b.word),
            23 if random.below(4) == 0 => frazil_collect(heap, random.below(3) as u32, None, 0),
            24 => {
                let (status, made) = given(|made| frazil_share(heap, handle, made));
                shared.extend(made);
                status
            }
            25 => {
                let some = random.one_of(shared).unwrap_or(frazil_shared { number: a.word });
                if random.below(3) > 0 {
                    return self.make(given(|value| frazil_import(heap, some, value)));
                }
                shared.retain(|&other| other != some);
                frazil_shared_free(some)
            }
            _ => given(|left| frazil_drain(heap, index, left)).0,
        };
        // After a collection all words are of no use. Many are tried all the same.
        if self.collections() > collections && random.below(3) > 0 {
            self.words.clear();
        }
        status
    }

    fn collections(&self) -> u64 {
        let size = size_of::<frazil_statistics>();
        let (_, statistics) = given(|statistics| frazil_statistics_get(self.heap, statistics, size));
        statistics.map_or(0, |statistics| statistics.last.number)
    }
}

fn message() -> String {
    // SAFETY: the message ends with a zero, and is good until the next call that fails.
    unsafe { CStr::from_ptr(frazil_error_message()) }.to_string_lossy().into_owned()
}

#[test]
fn random_words_are_refused_and_break_nothing() {
    let config = result(|config| frazil_config_stress(config, size_of::<frazil_config>()));
    assert_eq!(config.check, 1);
    let (mut refused, mut wrong_heap) = (0, 0);
    for seed in 1..150 {
        let mut random = Random(seed);
        let group = result(|group| frazil_group_create(Some(&config), size_of::<frazil_config>(), group));
        let mut players = [Player::new(group), Player::new(group)];
        let mut shared = Vec::new();
        for step in 0..600 {
            let at = random.below(2);
            // Now and then a word of the other heap's.
            let words = [at, if random.below(20) == 0 { 1 - at } else { at }];
            let words = words.map(|of| players[of].word(&mut random));
            let status = players[at].play(&mut random, words, &mut shared);
            let broke = matches!(status, FRAZIL_INTERNAL | FRAZIL_BROKEN | FRAZIL_BAD_REFERENCE);
            assert!(!broke, "seed {seed}, step {step}: {status:?}: {}", message());
            refused += usize::from(status == FRAZIL_NOT_AN_OBJECT);
            wrong_heap += usize::from(status == FRAZIL_WRONG_HEAP);
        }
        for player in players {
            assert_eq!(frazil_heap_destroy(player.heap), FRAZIL_OK);
        }
        for shared in shared {
            assert_eq!(frazil_shared_free(shared), FRAZIL_OK);
        }
        assert_eq!(frazil_group_destroy(group), FRAZIL_OK);
    }
    assert!(refused > 1000 && wrong_heap > 100, "{refused}, {wrong_heap}");
}
