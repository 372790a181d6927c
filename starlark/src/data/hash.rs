//! Hashes of values for dicts and sets: fast, not cryptographic, and independent of addresses, since objects move.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use num_bigint::BigInt;

use crate::advice;
use crate::cx::Cx;
use crate::failure::{Failure, Res, fail};
use crate::host_type::KEY;
use crate::residents;
use crate::value::{INT_MIN, Kind, Value, ValueExt};

use super::effort::{Effort, Stop, or_walk};
use super::{deep, int};

const K1: u64 = 0x9e37_79b9_7f4a_7c15;
const K2: u64 = 0xd6e8_feb8_6659_fd93;

/// Multiplies to 128 bits and folds the halves.
#[inline(always)]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

#[inline(always)]
fn word(bytes: &[u8], at: usize) -> u64 {
    match bytes[at..].first_chunk::<8>() {
        Some(chunk) => u64::from_le_bytes(*chunk),
        None => 0,
    }
}

#[inline(always)]
fn half_word(bytes: &[u8], at: usize) -> u64 {
    match bytes[at..].first_chunk::<4>() {
        Some(chunk) => u64::from(u32::from_le_bytes(*chunk)),
        None => 0,
    }
}

/// The hash of bytes.
#[inline]
pub fn bytes(bytes: &[u8]) -> u64 {
    let len = bytes.len();
    // Spread over the word, so that a length cannot make up for a letter.
    let seed = K1 ^ (len as u64).wrapping_mul(K2);
    match len {
        0 => K2,
        1..=3 => {
            let packed =
                u64::from(bytes[0]) << 16 | u64::from(bytes[len / 2]) << 8 | u64::from(bytes[len - 1]);
            fold(packed ^ seed, K2)
        }
        4..=7 => fold(half_word(bytes, 0) << 32 ^ half_word(bytes, len - 4) ^ seed, K2),
        8..=16 => fold(fold(word(bytes, 0) ^ seed, K2) ^ word(bytes, len - 8), K1),
        _ => {
            let mut hash = seed;
            let mut at = 0;
            while at + 16 < len {
                hash = fold(hash ^ word(bytes, at), K2 ^ word(bytes, at + 8));
                at += 16;
            }
            fold(fold(hash ^ word(bytes, len - 16), K2 ^ word(bytes, len - 8)), K1)
        }
    }
}

#[inline(always)]
fn small(i: i64) -> u64 {
    fold(i as u64 ^ K2, K1)
}

fn big(i: &BigInt) -> u64 {
    bytes(&i.to_signed_bytes_le())
}

/// The hash of a value.
///
/// # Errors
/// It is of a mutable type.
#[inline]
pub fn hash<'s>(cx: Cx<'s>, value: Value<'s>) -> Res<u64> {
    match value.as_small() {
        Some(i) => Ok(small(i)),
        None => match value.as_text() {
            Some(text) => Ok(bytes(text)),
            None => slow(cx, value),
        },
    }
}

fn slow<'s>(cx: Cx<'s>, value: Value<'s>) -> Res<u64> {
    or_walk(hash_at(&mut Effort::new(cx), value, 0), || deep::hash(cx, value))
}

fn hash_at<'s>(effort: &mut Effort<'s>, value: Value<'s>, depth: u32) -> Result<u64, Stop> {
    let first = match value.kind() {
        Kind::Tuple => 0,
        Kind::Struct => 1,
        _ => return Ok(leaf(value)?),
    };
    effort.enter(depth)?;
    let Some(object) = value.object() else { return Ok(SEED) };
    effort.cx.host.meter.steps(object.reference_count())?;
    let mut hash = SEED;
    for field in object.references().iter().skip(first) {
        hash = combine(hash, hash_at(effort, field, depth + 1)?);
    }
    Ok(hash)
}

/// The hash of no fields.
pub(super) const SEED: u64 = K2;

/// The hash of one more field.
#[inline(always)]
pub(super) fn combine(so_far: u64, field: u64) -> u64 {
    fold(so_far ^ field, K1)
}

/// The hash of a value that is no tuple or struct.
///
/// # Errors
/// It has none.
pub(super) fn leaf(value: Value<'_>) -> Res<u64> {
    match value.kind() {
        Kind::Int => Ok(small(value.as_small().unwrap_or(0))),
        Kind::Str => Ok(bytes(value.as_text().unwrap_or_default())),
        Kind::Bytes => Ok(fold(value.object().map_or(0, |object| bytes(object.bytes())), K2)),
        Kind::BigInt => Ok(int::to_big(value).as_ref().map_or(0, big)),
        Kind::Float => Ok(float(value.as_float().unwrap_or(0.0))),
        Kind::None | Kind::Bool | Kind::Builtin => Ok(fold(value.bits(), K1)),
        // The address may change, but each has a number of its own.
        Kind::Function => Ok(value.object().map_or(0, |object| fold(object.raw(0), K2))),
        Kind::Bound => Ok(value.object().map_or(0, |object| fold(object.raw(1), K1))),
        Kind::Host => match value.object().map(|object| (object, object.get(KEY))) {
            Some((object, key)) if key.is_unset() => Ok(fold(residents::identity(object), K2)),
            Some((_, key)) => Ok(fold(leaf(key)?, K2)),
            None => Ok(0),
        },
        Kind::List => Err(Failure::new("unhashable type: list").help(advice::UNHASHABLE)),
        Kind::Dict | Kind::Set => fail!("unhashable type: {}", value.type_name()),
        _ => fail!("unhashable: {}", value.type_name()),
    }
}

/// Equal numbers have equal hashes, so a float with an integral value hashes as that int, in the word or as an object.
fn float(f: f64) -> u64 {
    if f.fract() == 0.0 {
        // The largest int in the word is no float: the next one is.
        if (INT_MIN as f64..-(INT_MIN as f64)).contains(&f) {
            return small(f as i64);
        }
        if let Some(i) = int::from_float(f) {
            return big(&i);
        }
    }
    fold(f.to_bits(), K1)
}

/// Whether a value can be a key.
///
/// # Errors
/// It cannot.
#[inline]
pub fn check<'s>(cx: Cx<'s>, value: Value<'s>) -> Res<()> {
    match value.kind() {
        Kind::Int | Kind::Str | Kind::Bool | Kind::None => Ok(()),
        _ => slow(cx, value).map(|_| ()),
    }
}

/// Hashes what the front end keeps in maps: names and constants of a program, mostly texts, as the values of the language are
/// hashed. Whoever writes the program could make them collide, as those.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quick(u64);

impl Hasher for Quick {
    fn write(&mut self, text: &[u8]) {
        self.0 = combine(self.0, bytes(text));
    }

    fn write_u8(&mut self, i: u8) {
        self.write_u64(u64::from(i));
    }

    fn write_u32(&mut self, i: u32) {
        self.write_u64(u64::from(i));
    }

    fn write_u64(&mut self, i: u64) {
        self.0 = fold(self.0 ^ i ^ K2, K1);
    }

    fn write_usize(&mut self, i: usize) {
        self.write_u64(i as u64);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// A map that is [`Quick`].
pub type QuickMap<K, V> = HashMap<K, V, BuildHasherDefault<Quick>>;

/// What the built-in `hash` says of a string: the algorithm of Java's `String.hashCode`, over UTF-16.
pub fn java(text: &str) -> i32 {
    let add = |hash: i32, unit: u16| hash.wrapping_mul(31).wrapping_add(i32::from(unit));
    if text.is_ascii() {
        return text.bytes().fold(0, |hash, byte| add(hash, u16::from(byte)));
    }
    text.encode_utf16().fold(0, add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_and_contents_matter() {
        let text = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz";
        let mut all: Vec<u64> = (0..=text.len()).map(|len| bytes(&text.as_bytes()[..len])).collect();
        for at in 0..text.len() {
            let mut changed = text.as_bytes().to_vec();
            changed[at] ^= 1;
            all.push(bytes(&changed));
        }
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }

    #[test]
    fn the_hash_of_java() {
        assert_eq!(java("hello"), 99_162_322);
        assert_eq!(java(""), 0);
        assert_eq!(java("h\u{e9}\u{1f600}"), ((104 * 31 + 233) * 31 + 0xd83d) * 31 + 0xde00);
    }
}
