//! Histories for people: one step a line, written and read back.
//!
//! ```text
//! heap block 4096 nursery 4 traced 50 cheap 0 growth 50/4 limit 0 instalment 0 counts 253 stack 64 short
//! n0 = pair (n7, #3)
//! n1 = tuple 300 (n0, -)
//! n2..n5 = ring row (n1)
//! n2[1] = n0
//! freeze n2..n4
//! root n2
//! collect complete
//! ```
//!
//! What follows a `;` on a line is a remark.

use std::fmt;
use std::str::FromStr;

use frazil::BlockBytes;

use crate::history::{Demand, History, Label, Operand, Setup, Step};
use crate::kind::{Kind, Tail};

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "n{}", self.0)
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Operand::Empty => f.write_str("-"),
            Operand::Number(number) => write!(f, "#{number}"),
            Operand::Object(label) => label.fmt(f),
        }
    }
}

impl fmt::Display for Demand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Demand::Short => "short",
            Demand::Complete => "complete",
            Demand::Auto => "auto",
            Demand::IfDue => "if due",
        })
    }
}

/// Consecutive labels: `n3`, or `n3..n6` with both ends.
struct Labels(Label, u32);

impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.1 {
            1 => self.0.fmt(f),
            count => write!(f, "{}..{}", self.0, self.0.plus(count.wrapping_sub(1))),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Make { label, kind, len, refs } => {
                write!(f, "{label} = {}", kind.name())?;
                if kind.tail() != Tail::Fixed {
                    write!(f, " {len}")?;
                }
                let refs: Vec<String> = refs.iter().map(ToString::to_string).collect();
                write!(f, " ({})", refs.join(", "))
            }
            Step::Links { label, count, kind, len, other, ring } => {
                let form = if *ring { "ring" } else { "chain" };
                write!(f, "{} = {form} {}", Labels(*label, *count), kind.name())?;
                if kind.tail() != Tail::Fixed {
                    write!(f, " {len}")?;
                }
                write!(f, " ({other})")
            }
            Step::Litter { count, len } => write!(f, "litter {count} x {len}"),
            Step::Store { object, slot, value } => write!(f, "{object}[{slot}] = {value}"),
            Step::Fill { object, start, count, value } => {
                write!(f, "fill {object} from {start} count {count} with {value}")
            }
            Step::Poke { object, value } => write!(f, "poke {object} {value}"),
            Step::Freeze { object, count } => write!(f, "freeze {}", Labels(*object, *count)),
            Step::FreezeDeep { value } => write!(f, "freeze deep {value}"),
            Step::Guard { object, on: true } => write!(f, "guard {object}"),
            Step::Guard { object, on: false } => write!(f, "unguard {object}"),
            Step::Root { value } => write!(f, "root {value}"),
            Step::Unroot { handle } => write!(f, "unroot {handle}"),
            Step::Reroot { handle, value } => write!(f, "reroot {handle} to {value}"),
            Step::Forget { handle } => write!(f, "forget {handle}"),
            Step::Push { value } => write!(f, "push {value}"),
            Step::Pop { count } => write!(f, "pop {count}"),
            Step::Set { slot, value } => write!(f, "set {slot} to {value}"),
            Step::Weak { object } => write!(f, "weak {object}"),
            Step::Upgrade { weak, root } => write!(f, "upgrade {weak}{}", rooted(*root)),
            Step::Unweak { weak } => write!(f, "unweak {weak}"),
            Step::Finalize { object } => write!(f, "finalize {object}"),
            Step::Take { root } => write!(f, "take{}", rooted(*root)),
            Step::Refuse { after } => write!(f, "refuse memory after {after}"),
            Step::Collect(demand) => write!(f, "collect {demand}"),
            Step::Drain { count } => write!(f, "drain {count}"),
        }
    }
}

fn rooted(root: bool) -> &'static str {
    if root { " and root" } else { "" }
}

impl fmt::Display for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "heap block {} nursery {} traced {} cheap {} growth {}/{} limit {} instalment {} counts {} clusters {} stack {}{}{}",
            self.block.get(),
            self.nursery_kib,
            self.traced_percent,
            self.cheap_percent,
            self.growth_percent,
            self.growth_kib,
            self.limit_kib,
            self.instalment,
            self.count_max,
            self.clusters,
            self.stack_words,
            if self.short { " short" } else { "" },
            if self.check { " check" } else { "" },
        )?;
        if self.orders != [0] {
            let orders: Vec<String> = self.orders.iter().map(ToString::to_string).collect();
            write!(f, " orders {}", orders.join(","))?;
        }
        Ok(())
    }
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.setup)?;
        self.steps.iter().try_for_each(|step| writeln!(f, "{step}"))
    }
}

/// A line that is not understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// Which line, from one.
    pub line: usize,
    /// Its beginning.
    pub text: String,
    /// What should stand there.
    pub expected: String,
}

/// Characters of a line that an error shows. The file may be anything, lines without end included.
const SHOWN: usize = 60;

impl ParseError {
    /// In line `line` the file has `text` where `expected` should be.
    pub fn new(line: usize, text: &str, expected: impl Into<String>) -> ParseError {
        let text = match text.char_indices().nth(SHOWN) {
            Some((end, _)) => format!("{}...", &text[..end]),
            None => text.to_owned(),
        };
        ParseError { line, text, expected: expected.into() }
    }
}

/// Without the line, so that a name of the file and the line can stand before it.
impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.text.is_empty() {
            true => write!(f, "expected {}, and the file ends", self.expected),
            false => write!(f, "expected {}, found {:?}", self.expected, self.text),
        }
    }
}
impl std::error::Error for ParseError {}

impl FromStr for History {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<History, ParseError> {
        let mut setup = None;
        let mut steps = Vec::new();
        for (full, number) in text.lines().zip(1..) {
            let line = full.split(';').next().unwrap_or("").trim();
            let wrong = |expected: String| ParseError::new(number, full, expected);
            match (line.is_empty(), &setup) {
                (true, _) => {}
                (false, None) => setup = Some(settings(line).map_err(wrong)?),
                (false, Some(_)) => steps.push(read_step(line).ok_or_else(|| wrong(expected(line)))?),
            }
        }
        let missing = || ParseError::new(text.lines().count().max(1), "", SETTINGS);
        Ok(History { setup: setup.ok_or_else(missing)?, steps })
    }
}

/// The first line of a history.
const SETTINGS: &str = "the settings: heap [block 4096|8192|16384|32768] [nursery KIB] [traced PERCENT] \
    [cheap PERCENT] [growth PERCENT/KIB] [limit KIB] [instalment OBJECTS] [counts 1..253] [stack WORDS] [short] [check] \
    [orders NUMBER,...]";

/// The forms of all steps but those that make objects: the words that tell one, and its form.
const FORMS: [(&str, &str); 22] = [
    ("litter", "litter COUNT x BYTES, at most 256 MiB,"),
    ("fill", "fill LABEL from SLOT count COUNT with VALUE"),
    ("poke", "poke LABEL 0..255"),
    ("freeze deep", "freeze deep VALUE"),
    ("freeze", "freeze LABEL or freeze FIRST..LAST"),
    ("guard", "guard LABEL"),
    ("unguard", "unguard LABEL"),
    ("root", "root VALUE"),
    ("unroot", "unroot HANDLE"),
    ("reroot", "reroot HANDLE to VALUE"),
    ("forget", "forget HANDLE"),
    ("push", "push VALUE"),
    ("pop", "pop COUNT"),
    ("set", "set WORD to VALUE"),
    ("weak", "weak LABEL"),
    ("upgrade", "upgrade WEAK or upgrade WEAK and root"),
    ("unweak", "unweak WEAK"),
    ("finalize", "finalize LABEL"),
    ("take", "take or take and root"),
    ("refuse", "refuse memory after COUNT"),
    ("collect", "collect short, collect complete, collect auto or collect if due"),
    ("drain", "drain COUNT"),
];

/// What stands for the things that the forms leave open.
const WORDS: &str = "(LABEL is like n7, VALUE is a label, a number like #5 or -, all others are numbers)";

/// What `line`, which is no step, should have been.
fn expected(line: &str) -> String {
    if let Some((left, _)) = line.split_once('=') {
        if left.contains('[') {
            return format!("LABEL[SLOT] = VALUE {WORDS}");
        }
        let kinds: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        return format!(
            "LABEL = KIND [LEN] (VALUE, ...) or FIRST..LAST = ring|chain KIND [LEN] (VALUE), at most {COUNT_MAX} \
             objects and 256 MiB, with KIND one of {} {WORDS}",
            kinds.join(", ")
        );
    }
    let begins =
        |words: &str| line.strip_prefix(words).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '));
    match FORMS.iter().find(|(words, _)| begins(words)) {
        Some((_, form)) => format!("{form} {WORDS}"),
        None => {
            let words: Vec<&str> = FORMS.iter().map(|(words, _)| *words).collect();
            format!("a step: LABEL = ..., LABEL[SLOT] = ..., or one that begins with {}", words.join(", "))
        }
    }
}

/// KiB of nursery and words of stack that a history can ask for, and bytes that a step can make: a file may be
/// absurd, the time and memory for it may not.
const NURSERY_KIB_MAX: u32 = 1 << 18;
const STACK_WORDS_MAX: u32 = 1 << 22;
const MADE_BYTES_MAX: usize = 1 << 28;
/// The same for objects.
const COUNT_MAX: u32 = 1 << 20;

/// The settings, if a heap can have them.
fn settings(line: &str) -> Result<Setup, String> {
    let setup = read_setup(line).ok_or(SETTINGS)?;
    if setup.nursery_kib > NURSERY_KIB_MAX || setup.stack_words > STACK_WORDS_MAX {
        return Err(format!(
            "settings of a small heap (nursery {NURSERY_KIB_MAX} and stack {STACK_WORDS_MAX} at most)"
        ));
    }
    match setup.config().check() {
        Ok(()) => Ok(setup),
        Err(rule) => Err(format!("settings that a heap can have ({rule})")),
    }
}

/// Can a step make `count` objects of `kind` with length `len`?
fn bearable(count: u32, kind: Kind, len: u32) -> Option<()> {
    let bytes = kind.bytes(kind.length(len)).saturating_mul(count as usize);
    (count <= COUNT_MAX && bytes <= MADE_BYTES_MAX).then_some(())
}

fn litter(count: u32, len: u32) -> Option<Step> {
    bearable(count, Kind::Bytes, len).map(|()| Step::Litter { count, len })
}

fn read_setup(line: &str) -> Option<Setup> {
    let mut setup = Setup::plain();
    let mut words = line.split_whitespace();
    (words.next() == Some("heap")).then_some(())?;
    while let Some(word) = words.next() {
        match word {
            "short" => setup.short = true,
            "check" => setup.check = true,
            "block" => setup.block = BlockBytes::from_bytes(words.next()?.parse().ok()?)?,
            "nursery" => setup.nursery_kib = words.next()?.parse().ok()?,
            "traced" => setup.traced_percent = words.next()?.parse().ok()?,
            "cheap" => setup.cheap_percent = words.next()?.parse().ok()?,
            "growth" => {
                let (percent, kib) = words.next()?.split_once('/')?;
                (setup.growth_percent, setup.growth_kib) = (percent.parse().ok()?, kib.parse().ok()?);
            }
            "limit" => setup.limit_kib = words.next()?.parse().ok()?,
            "instalment" => setup.instalment = words.next()?.parse().ok()?,
            "counts" => setup.count_max = words.next()?.parse().ok()?,
            "clusters" => setup.clusters = words.next()?.parse().ok()?,
            "stack" => setup.stack_words = words.next()?.parse().ok()?,
            "orders" => {
                let orders = words.next()?.split(',').map(|number| number.parse().ok());
                setup.orders = orders.collect::<Option<_>>()?;
            }
            _ => return None,
        }
    }
    Some(setup)
}

fn label(text: &str) -> Option<Label> {
    Some(Label(text.strip_prefix('n')?.parse().ok()?))
}

fn labels(text: &str) -> Option<(Label, u32)> {
    match text.split_once("..") {
        None => Some((label(text)?, 1)),
        Some((first, last)) => {
            let (first, last) = (label(first)?, label(last)?);
            Some((first, last.0.wrapping_sub(first.0).wrapping_add(1)))
        }
    }
}

fn operand(text: &str) -> Option<Operand> {
    match text.strip_prefix('#') {
        Some(number) => Some(Operand::Number(number.parse().ok()?)),
        None if text == "-" => Some(Operand::Empty),
        None => Some(Operand::Object(label(text)?)),
    }
}

fn read_step(line: &str) -> Option<Step> {
    if let Some((left, right)) = line.split_once(" = ") {
        return match left.split_once('[') {
            None => read_making(left, right),
            Some((object, slot)) => Some(Step::Store {
                object: label(object)?,
                slot: slot.strip_suffix(']')?.parse().ok()?,
                value: operand(right)?,
            }),
        };
    }
    let words: Vec<&str> = line.split_whitespace().collect();
    let number = |text: &str| text.parse::<u32>().ok();
    Some(match words[..] {
        ["litter", count, "x", len] => litter(number(count)?, number(len)?)?,
        ["fill", object, "from", start, "count", count, "with", value] => Step::Fill {
            object: label(object)?,
            start: number(start)?,
            count: number(count)?,
            value: operand(value)?,
        },
        ["poke", object, value] => Step::Poke { object: label(object)?, value: value.parse().ok()? },
        ["freeze", "deep", value] => Step::FreezeDeep { value: operand(value)? },
        ["freeze", objects] => {
            let (object, count) = labels(objects)?;
            Step::Freeze { object, count }
        }
        ["guard", object] => Step::Guard { object: label(object)?, on: true },
        ["unguard", object] => Step::Guard { object: label(object)?, on: false },
        ["root", value] => Step::Root { value: operand(value)? },
        ["unroot", handle] => Step::Unroot { handle: number(handle)? },
        ["reroot", handle, "to", value] => Step::Reroot { handle: number(handle)?, value: operand(value)? },
        ["forget", handle] => Step::Forget { handle: number(handle)? },
        ["push", value] => Step::Push { value: operand(value)? },
        ["pop", count] => Step::Pop { count: number(count)? },
        ["set", slot, "to", value] => Step::Set { slot: number(slot)?, value: operand(value)? },
        ["weak", object] => Step::Weak { object: label(object)? },
        ["upgrade", weak] => Step::Upgrade { weak: number(weak)?, root: false },
        ["upgrade", weak, "and", "root"] => Step::Upgrade { weak: number(weak)?, root: true },
        ["unweak", weak] => Step::Unweak { weak: number(weak)? },
        ["finalize", object] => Step::Finalize { object: label(object)? },
        ["take"] => Step::Take { root: false },
        ["take", "and", "root"] => Step::Take { root: true },
        ["refuse", "memory", "after", after] => Step::Refuse { after: number(after)? },
        ["collect", "short"] => Step::Collect(Demand::Short),
        ["collect", "complete"] => Step::Collect(Demand::Complete),
        ["collect", "auto"] => Step::Collect(Demand::Auto),
        ["collect", "if", "due"] => Step::Collect(Demand::IfDue),
        ["drain", count] => Step::Drain { count: number(count)? },
        _ => return None,
    })
}

fn read_making(left: &str, right: &str) -> Option<Step> {
    let (label, count) = labels(left)?;
    let (what, refs) = right.strip_suffix(')')?.split_once('(')?;
    let refs: Vec<&str> = refs.split(',').map(str::trim).filter(|text| !text.is_empty()).collect();
    let words: Vec<&str> = what.split_whitespace().collect();
    let links = |kind: &str, len: u32, ring: bool| {
        let [other] = refs[..] else { return None };
        let kind = Kind::named(kind)?;
        bearable(count, kind, len)?;
        Some(Step::Links { label, count, kind, len, other: operand(other)?, ring })
    };
    match words[..] {
        ["ring", kind] => links(kind, 0, true),
        ["ring", kind, len] => links(kind, len.parse().ok()?, true),
        ["chain", kind] => links(kind, 0, false),
        ["chain", kind, len] => links(kind, len.parse().ok()?, false),
        [kind] => make(label, kind, 0, &refs),
        [kind, len] => make(label, kind, len.parse().ok()?, &refs),
        _ => None,
    }
}

fn make(label: Label, kind: &str, len: u32, refs: &[&str]) -> Option<Step> {
    let refs = refs.iter().map(|text| operand(text)).collect::<Option<_>>()?;
    Some(Step::Make { label, kind: Kind::named(kind)?, len, refs })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::generate;

    #[test]
    fn what_is_written_can_be_read_back() {
        for seed in 0..300 {
            let history = generate(seed);
            let text = history.to_string();
            let back: History = text.parse().unwrap_or_else(|error| panic!("{error}\n{text}"));
            assert_eq!(back, history, "\n{text}");
        }
    }

    #[test]
    fn a_line_that_is_no_step_is_named() {
        let error = "heap block 4096\n\n; a remark\nroot n1 ; the first\njump n2\n".parse::<History>();
        let error = error.expect_err("there is no such step");
        assert_eq!((error.line, &error.text[..]), (5, "jump n2"));
        assert_eq!("".parse::<History>().unwrap_err().line, 1);
        assert!("heap block 5000".parse::<History>().is_err());
    }

    #[test]
    fn what_was_expected_is_said() {
        let wrong = |step: &str| format!("heap\n{step}\n").parse::<History>().unwrap_err().to_string();
        assert!(wrong("collect sometimes").starts_with("expected collect short, collect complete, "));
        assert!(wrong("freeze deep").starts_with("expected freeze deep VALUE "));
        assert!(wrong("n1 = pear (n2)").contains("pair, tuple, "));
        assert!(wrong("n1[x] = n2").starts_with("expected LABEL[SLOT] = VALUE "));
        assert!(wrong("rooted n1").starts_with("expected a step"));
        assert!(wrong("n3..n1 = ring row (-)").contains("at most 1048576"), "it would be all of the labels");
        assert!(wrong("litter 1000 x 1000000").contains("256 MiB"));
        assert!(wrong("n0..n999 = chain bytes 1000000 (-)").contains("256 MiB"));
        assert!("heap nursery 4000000".parse::<History>().unwrap_err().expected.contains("small heap"));
        assert!("heap counts 254".parse::<History>().unwrap_err().expected.contains("253"));
    }
}
