//! Bytes to sections to epochs, and back. Whatever is wrong with a file is found here, before it is played.

use std::{fmt, io};

use blocks::BlockBytes;

use crate::shape::{LEN_MAX, SMALL_MAX, Shape};
use crate::tuning::{Config, Drain};

/// What every trace begins with. It does not survive being taken for text.
pub const MAGIC: [u8; 8] = [0x89, b'f', b'r', b'z', b'\r', b'\n', 0x1a, b'\n'];
/// The version that is written, and the only one so far.
pub(super) const VERSION: u8 = 1;

pub(super) const HEAD: u8 = 1;
pub(super) const SHAPE: u8 = 2;
pub(super) const EPOCH: u8 = 3;
pub(super) const END: u8 = 4;

/// Bytes of a section before what it holds, and after.
const FRAME: (usize, usize) = (5, 4);

/// What is wrong with a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TraceError {
    /// It does not begin like a trace.
    Foreign,
    /// It has a version that is not known here.
    Version(u8),
    /// It ends too early: in the section that begins at this byte, or before its end was marked.
    Truncated {
        /// Where the last section begins.
        at: usize,
    },
    /// The checksum of a section does not match.
    Checksum {
        /// Where the section begins.
        at: usize,
    },
    /// A section makes no sense, although its checksum matches.
    Senseless {
        /// Where the section begins.
        at: usize,
        /// What makes no sense.
        what: &'static str,
    },
}

impl fmt::Display for TraceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TraceError::Foreign => f.write_str("this is no trace: it does not begin like one"),
            TraceError::Version(version) => {
                write!(f, "this trace has version {version}, and only version {VERSION} can be read")
            }
            TraceError::Truncated { at } => {
                write!(
                    f,
                    "the trace ends too early, in or after the section at byte {at}: it was not recorded to its end"
                )
            }
            TraceError::Checksum { at } => {
                write!(f, "the trace is damaged: the section at byte {at} does not match its checksum")
            }
            TraceError::Senseless { at, what } => {
                write!(f, "the trace makes no sense: in the section at byte {at}, {what}")
            }
        }
    }
}
impl std::error::Error for TraceError {}

/// How much a trace has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Epochs.
    pub epochs: u64,
    /// Objects that were born.
    pub objects: u64,
    /// Objects that survived their epoch.
    pub survivors: u64,
    /// Changes of old objects.
    pub stores: u64,
    /// Bytes that were allocated.
    pub bytes: u64,
}

// -------------------------------------------------------------------------------- writing

/// Adds a number.
pub(super) fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// Adds a reference from object `own`: `target` is 0, or one more than a number. Near ones are short.
pub(super) fn put_near(bytes: &mut Vec<u8>, own: u64, target: u64) {
    match target.checked_sub(1) {
        None => put(bytes, 0),
        Some(number) => {
            let apart = own.wrapping_sub(number) as i64;
            put(bytes, (((apart << 1) ^ (apart >> 63)) as u64).wrapping_add(1));
        }
    }
}

/// The length of a section as it stands in a file.
///
/// # Errors
/// It has more than four bytes.
fn length(held: usize) -> io::Result<u32> {
    let too_long =
        |_| io::Error::other("what happened between two collections takes more than 4 GiB of a trace");
    u32::try_from(held).map_err(too_long)
}

/// A section as it stands in a file.
///
/// # Errors
/// It is too long.
pub(super) fn section(kind: u8, held: &[u8]) -> io::Result<Vec<u8>> {
    let mut section = vec![kind];
    section.extend(length(held.len())?.to_le_bytes());
    section.extend(held);
    let sum = crc32fast::hash(&section);
    section.extend(sum.to_le_bytes());
    Ok(section)
}

/// What the head section holds.
pub(super) fn head(producer: &str, config: &Config) -> Vec<u8> {
    let mut head = Vec::new();
    put(&mut head, producer.len() as u64);
    head.extend(producer.as_bytes());
    let (objects, micros) = match config.drain {
        Drain::All => (0, 0),
        Drain::Instalments { objects_per_kib, micros_max } => (objects_per_kib, micros_max),
    };
    for number in [
        config.nursery_bytes as u64,
        config.block_bytes.get() as u64,
        config.short_collections.into(),
        config.nursery_percent_of_traced.into(),
        config.cheap_percent.into(),
        config.growth_percent.into(),
        config.growth_bytes as u64,
        config.limit_bytes.unwrap_or(0) as u64,
        objects.into(),
        micros.into(),
    ] {
        put(&mut head, number);
    }
    head
}

// -------------------------------------------------------------------------------- reading

/// The numbers of a section.
struct Numbers<'b> {
    held: &'b [u8],
    at: usize,
}

type Sense<T> = Result<T, &'static str>;

impl Numbers<'_> {
    fn number(&mut self) -> Sense<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.held.split_first().ok_or("a number is missing")?;
            self.held = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err("a number is too long")
    }

    fn small<T: TryFrom<u64>>(&mut self) -> Sense<T> {
        T::try_from(self.number()?).map_err(|_| "a number is too large")
    }

    /// How many things follow, each of which takes a byte at least.
    fn count(&mut self) -> Sense<usize> {
        let count = self.small()?;
        if count > self.held.len() { Err("it is shorter than it says") } else { Ok(count) }
    }

    fn near(&mut self, own: u64) -> Sense<u64> {
        match self.number()?.checked_sub(1) {
            None => Ok(0),
            Some(zigzag) => {
                let apart = (zigzag >> 1) as i64 ^ -((zigzag & 1) as i64);
                own.checked_sub_signed(apart)
                    .and_then(|number| number.checked_add(1))
                    .ok_or("a number is out of range")
            }
        }
    }

    fn end(&self) -> Sense<()> {
        if self.held.is_empty() { Ok(()) } else { Err("it is longer than it says") }
    }
}

/// A birth.
#[derive(Clone, Copy, Debug)]
pub(super) struct Birth {
    pub shape: Shape,
    pub len: usize,
    pub survives: bool,
}

/// The references of a survivor.
#[derive(Clone, Copy, Debug)]
pub(super) struct Content {
    pub frozen: bool,
    /// Where they lie in [`Epoch::references`].
    pub first: usize,
    pub count: usize,
}

/// One epoch.
#[derive(Debug, Default)]
pub(super) struct Epoch {
    pub births: Vec<Birth>,
    /// One for each survivor.
    pub contents: Vec<Content>,
    /// Objects or none.
    pub references: Vec<u64>,
    /// Number, index, object or none.
    pub stores: Vec<(u64, usize, u64)>,
    pub freezes: Vec<u64>,
    /// Of the root stack and of handles: how many, and what changed.
    pub roots: [(usize, Vec<(usize, u64)>); 2],
    /// How many objects are old, if no dead ones can be among them.
    pub live: Option<u64>,
}

impl Epoch {
    /// Every object that is spoken of, but for births: its number.
    pub fn mentions(&self) -> impl Iterator<Item = u64> {
        let targets = self.references.iter().copied();
        let targets = targets.chain(self.stores.iter().map(|store| store.2));
        let roots = self.roots.iter().flat_map(|(_, changes)| changes.iter().map(|change| change.1));
        let targets = targets.chain(roots).filter_map(|target| target.checked_sub(1));
        targets.chain(self.stores.iter().map(|store| store.0)).chain(self.freezes.iter().copied())
    }

    fn read(&mut self, numbers: &mut Numbers<'_>, shapes: &[Shape], first: u64) -> Sense<()> {
        self.read_births(numbers, shapes)?;
        self.read_contents(numbers, first)?;
        let objects = numbers.count()?;
        for _ in 0..objects {
            let object = numbers.number()?;
            for _ in 0..numbers.count()? {
                let index = numbers.small()?;
                self.stores.push((object, index, numbers.number()?));
            }
        }
        for _ in 0..numbers.count()? {
            self.freezes.push(numbers.number()?);
        }
        for (len, changes) in &mut self.roots {
            *len = numbers.small::<u32>()? as usize;
            for _ in 0..numbers.count()? {
                let index = numbers.small()?;
                if index >= *len {
                    return Err("a root lies beyond the last one");
                }
                changes.push((index, numbers.number()?));
            }
        }
        self.live = numbers.number()?.checked_sub(1);
        let known = first + self.contents.len() as u64;
        if self.mentions().any(|number| number >= known) {
            return Err("an object is spoken of before its birth");
        }
        numbers.end()
    }

    fn read_births(&mut self, numbers: &mut Numbers<'_>, shapes: &[Shape]) -> Sense<()> {
        for _ in 0..numbers.count()? {
            let key: usize = numbers.small()?;
            let shape = *shapes.get(key / 2).ok_or("a shape is not known")?;
            let len = numbers.small()?;
            if len > LEN_MAX {
                return Err("an object is too long");
            }
            self.births.push(Birth { shape, len, survives: key % 2 == 1 });
        }
        Ok(())
    }

    fn read_contents(&mut self, numbers: &mut Numbers<'_>, first: u64) -> Sense<()> {
        let survivors = self.births.iter().filter(|birth| birth.survives);
        for (own, birth) in (first..).zip(survivors) {
            let key: usize = numbers.small()?;
            let content = Content { frozen: key % 2 == 1, first: self.references.len(), count: key / 2 };
            let header = birth.shape.header(birth.len).ok_or("an object is too long")?;
            if content.count > header.references() {
                return Err("an object has more references than its shape");
            }
            for _ in 0..content.count {
                self.references.push(numbers.near(own)?);
            }
            self.contents.push(content);
        }
        Ok(())
    }
}

/// A trace that was read and found to be in order.
pub struct Trace {
    bytes: Vec<u8>,
    producer: String,
    settings: Config,
    totals: Totals,
    shapes: Vec<Shape>,
    /// Where epochs begin and end in the file.
    epochs: Vec<(usize, usize)>,
    /// For each survivor the number of the last epoch that speaks of it.
    pub(super) last_mention: Vec<u32>,
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trace").field("producer", &self.producer).field("totals", &self.totals).finish()
    }
}

impl Trace {
    /// Does a file that begins so claim to be a trace?
    pub fn is_trace(beginning: &[u8]) -> bool {
        beginning.starts_with(&MAGIC)
    }

    /// Reads all of it, and checks all of it. Takes time in proportion to its length.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn read(bytes: Vec<u8>) -> Result<Trace, TraceError> {
        if !Trace::is_trace(&bytes) {
            let cut = !bytes.is_empty() && MAGIC.starts_with(&bytes);
            return Err(if cut { TraceError::Truncated { at: 0 } } else { TraceError::Foreign });
        }
        match bytes.get(MAGIC.len()) {
            None => return Err(TraceError::Truncated { at: 0 }),
            Some(&VERSION) => {}
            Some(&other) => return Err(TraceError::Version(other)),
        }
        let mut trace = Trace {
            bytes: Vec::new(),
            producer: String::new(),
            settings: Config::DEFAULT,
            totals: Totals::default(),
            shapes: Vec::new(),
            epochs: Vec::new(),
            last_mention: Vec::new(),
        };
        let mut at = MAGIC.len() + 1;
        let mut ended = false;
        while !ended {
            let (kind, held) = framed(&bytes, at)?;
            let end = at + FRAME.0 + held.len() + FRAME.1;
            let mut numbers = Numbers { held, at: at + FRAME.0 };
            let first = at == MAGIC.len() + 1;
            trace.section(kind, first, &mut numbers).map_err(|what| TraceError::Senseless { at, what })?;
            ended = kind == END;
            at = end;
        }
        if at < bytes.len() {
            return Err(TraceError::Senseless { at, what: "something follows the end" });
        }
        trace.bytes = bytes;
        Ok(trace)
    }

    fn section(&mut self, kind: u8, first: bool, numbers: &mut Numbers<'_>) -> Sense<()> {
        if first != (kind == HEAD) {
            return Err("the head is not where it should be");
        }
        match kind {
            HEAD => self.read_head(numbers),
            SHAPE => self.read_shape(numbers),
            EPOCH => self.read_epoch(numbers),
            END => self.read_end(numbers),
            _ => Err("its kind is not known"),
        }
    }

    fn read_head(&mut self, numbers: &mut Numbers<'_>) -> Sense<()> {
        let length = numbers.count()?;
        let (name, rest) = numbers.held.split_at(length);
        self.producer = String::from_utf8(name.to_vec()).map_err(|_| "the producer's name is no text")?;
        numbers.held = rest;
        let settings = &mut self.settings;
        settings.nursery_bytes = numbers.small()?;
        let block = numbers.small()?;
        settings.block_bytes = BlockBytes::from_bytes(block).ok_or("there are no blocks of that size")?;
        settings.short_collections = numbers.number()? != 0;
        settings.nursery_percent_of_traced = numbers.small()?;
        settings.cheap_percent = numbers.small()?;
        settings.growth_percent = numbers.small()?;
        settings.growth_bytes = numbers.small()?;
        settings.limit_bytes = Some(numbers.small()?).filter(|&limit| limit > 0);
        let (objects_per_kib, micros_max) = (numbers.small()?, numbers.small()?);
        if objects_per_kib > 0 {
            settings.drain = Drain::Instalments { objects_per_kib, micros_max };
        }
        settings.check().map_err(|error| error.0)?;
        numbers.end()
    }

    fn read_shape(&mut self, numbers: &mut Numbers<'_>) -> Sense<()> {
        let (id, flags, small): (u16, u64, usize) = (numbers.small()?, numbers.number()?, numbers.small()?);
        if flags > 3 || small > SMALL_MAX {
            return Err("there is no such shape");
        }
        let shape = Shape::new(id, "traced");
        let shape = match flags & 1 {
            1 => shape.bytes().references(small),
            _ => shape.raw_words(small).references_tail(),
        };
        self.shapes.push(if flags & 2 == 2 { shape.mutable() } else { shape });
        numbers.end()
    }

    fn read_epoch(&mut self, numbers: &mut Numbers<'_>) -> Sense<()> {
        let place = (numbers.at, numbers.at + numbers.held.len());
        let mut epoch = Epoch::default();
        epoch.read(numbers, &self.shapes, self.totals.survivors)?;
        let number = u32::try_from(self.epochs.len()).map_err(|_| "there are too many epochs")?;
        self.epochs.push(place);
        self.last_mention.resize(self.last_mention.len() + epoch.contents.len(), number);
        for mention in epoch.mentions() {
            self.last_mention[mention as usize] = number;
        }
        self.totals.epochs += 1;
        self.totals.objects += epoch.births.len() as u64;
        self.totals.survivors += epoch.contents.len() as u64;
        self.totals.stores += epoch.stores.len() as u64;
        let headers = epoch.births.iter().filter_map(|birth| birth.shape.header(birth.len));
        self.totals.bytes += headers.map(|header| header.nursery_bytes() as u64).sum::<u64>();
        Ok(())
    }

    fn read_end(&mut self, numbers: &mut Numbers<'_>) -> Sense<()> {
        let totals = Totals {
            epochs: numbers.number()?,
            objects: numbers.number()?,
            survivors: numbers.number()?,
            stores: numbers.number()?,
            bytes: numbers.number()?,
        };
        if totals != self.totals {
            return Err("the totals are not those of what was read");
        }
        numbers.end()
    }

    /// Who recorded it.
    pub fn producer(&self) -> &str {
        &self.producer
    }

    /// The settings of the program's heap when it is not recording.
    pub fn settings(&self) -> &Config {
        &self.settings
    }

    /// How much it has.
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// Bytes that the trace itself takes in memory.
    pub fn own_bytes(&self) -> usize {
        self.bytes.len() + self.epochs.len() * size_of::<(usize, usize)>() + self.last_mention.len() * 4
    }

    /// The epochs in their order. Each is read anew: together they would take much more room than the file.
    pub(super) fn epochs(&self) -> impl Iterator<Item = Epoch> {
        let mut first = 0;
        self.epochs.iter().map(move |&(start, end)| {
            let mut epoch = Epoch::default();
            let mut numbers = Numbers { held: &self.bytes[start..end], at: start };
            // It was read once without an error; a second time it cannot fail.
            let _ = epoch.read(&mut numbers, &self.shapes, first);
            first += epoch.contents.len() as u64;
            epoch
        })
    }
}

/// The kind of the section at `at`, and what it holds.
fn framed(bytes: &[u8], at: usize) -> Result<(u8, &[u8]), TraceError> {
    let truncated = TraceError::Truncated { at };
    let rest = &bytes[at..];
    let Some((&kind, after)) = rest.split_first() else { return Err(truncated) };
    let Some(length) = after.first_chunk() else { return Err(truncated) };
    let held = FRAME.0..FRAME.0 + u32::from_le_bytes(*length) as usize;
    let Some(sum) = rest.get(held.end..).and_then(<[u8]>::first_chunk) else { return Err(truncated) };
    if crc32fast::hash(&rest[..held.end]) != u32::from_le_bytes(*sum) {
        return Err(TraceError::Checksum { at });
    }
    Ok((kind, &rest[held]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_has_a_length_of_four_bytes() {
        assert_eq!(length(7).expect("a length"), 7);
        assert_eq!(length(u32::MAX as usize).expect("a length"), u32::MAX);
        assert!(length(u32::MAX as usize + 1).is_err_and(|error| error.to_string().contains("4 GiB")));
    }

    #[test]
    fn numbers_come_back() {
        for number in [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX] {
            let mut bytes = Vec::new();
            put(&mut bytes, number);
            let mut numbers = Numbers { held: &bytes, at: 0 };
            assert_eq!((numbers.number(), numbers.end()), (Ok(number), Ok(())));
        }
        for (own, target) in [(5, 0), (5, 1), (5, 6), (5, 9), (0, 1), (1 << 40, 3)] {
            let mut bytes = Vec::new();
            put_near(&mut bytes, own, target);
            assert_eq!(Numbers { held: &bytes, at: 0 }.near(own), Ok(target));
        }
        assert!(Numbers { held: &[0xff; 11], at: 0 }.number().is_err());
        assert!(Numbers { held: &[5, 1], at: 0 }.count().is_err());
    }

    #[test]
    fn what_makes_no_sense_is_told() {
        let numbers = |numbers: &[u64]| {
            let mut bytes = Vec::new();
            numbers.iter().for_each(|&number| put(&mut bytes, number));
            bytes
        };
        let read = |sections: &[(u8, Vec<u8>)]| {
            let sections =
                sections.iter().flat_map(|(kind, held)| section(*kind, held).expect("it is short"));
            match Trace::read(MAGIC.into_iter().chain([VERSION]).chain(sections).collect()) {
                Ok(_) => None,
                Err(TraceError::Senseless { what, .. }) => Some(what),
                Err(error) => panic!("{error}"),
            }
        };
        // One object of two references is born, dies, and nothing else happens.
        let good = [
            (HEAD, head("nobody", &Config::DEFAULT)),
            (SHAPE, numbers(&[7, 0, 0])),
            (EPOCH, numbers(&[1, 0, 2, 0, 0, 0, 0, 0, 0, 0])),
            (END, numbers(&[1, 1, 0, 0, 24])),
        ];
        assert_eq!(read(&good), None);
        let with = |at: usize, held: Vec<u8>| {
            let mut sections = good.clone();
            sections[at].1 = held;
            read(&sections)
        };
        for at in 0..good.len() {
            let mut longer = good[at].1.clone();
            longer.push(0);
            assert_eq!(with(at, longer), Some("it is longer than it says"));
            let mut twice = good.to_vec();
            twice.insert(1, good[0].clone());
            assert_eq!(read(&twice), Some("the head is not where it should be"));
            assert_eq!(read(&good[1..]), Some("the head is not where it should be"));
        }
        assert_eq!(with(0, vec![3, b'a', b'b']), Some("it is shorter than it says"));
        let wrong = Config { nursery_bytes: 0, ..Config::DEFAULT };
        let told = wrong.check().map_err(|error| error.0).err();
        assert!(told.is_some() && with(0, head("nobody", &wrong)) == told);
        for shape in [[7, 4, 0], [7, 0, SMALL_MAX as u64 + 1]] {
            assert_eq!(with(1, numbers(&shape)), Some("there is no such shape"));
        }
        let too_long = LEN_MAX as u64 + 1;
        for (epoch, what) in [
            (&[2, 0, 2, 0][..], "a number is missing"),
            (&[1, 2, 2, 0, 0, 0, 0, 0, 0, 0], "a shape is not known"),
            (&[1, 0, too_long, 0, 0, 0, 0, 0, 0, 0], "an object is too long"),
            (&[1, 1, 2, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], "an object has more references than its shape"),
            (&[1, 0, 2, 0, 0, 1, 1, 1, 0, 0, 0, 0], "a root lies beyond the last one"),
            (&[1, 0, 2, 0, 1, 0, 0, 0, 0, 0, 0], "an object is spoken of before its birth"),
            (&[1, 0, 2, 5, 0, 0], "it is shorter than it says"),
        ] {
            assert_eq!(with(2, numbers(epoch)), Some(what));
        }
        for total in 0..5 {
            let mut totals = [1, 1, 0, 0, 24];
            totals[total] += 1;
            assert_eq!(with(3, numbers(&totals)), Some("the totals are not those of what was read"));
        }
    }
}
