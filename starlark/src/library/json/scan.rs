//! The grammar of JSON: from text to a series of events. What is done with them is up to a [`Sink`].

use crate::failure::{Failure, Res};

/// Something of a JSON text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event<'t> {
    /// `[`
    BeginArray,
    /// `{`
    BeginObject,
    /// `]` or `}`
    End,
    /// The key of an object's next member, with its quotes.
    Key(&'t str),
    /// A string, with its quotes.
    String(&'t str),
    /// A number; whether it has a fraction or an exponent.
    Number(&'t str, bool),
    /// `null`, `true` or `false`.
    Word(&'t str),
}

/// What is wrong with a text, and where.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Problem {
    /// The byte offset.
    pub at: usize,
    /// What is there.
    pub kind: ProblemKind,
}

/// What is wrong.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ProblemKind {
    /// The text ends too early.
    End,
    /// A string has no end.
    Unclosed,
    /// No value can begin with this.
    NoValue(char),
    /// Behind an element of an array.
    InArray(char),
    /// Behind a member of an object.
    InObject(char),
    /// Instead of a colon.
    AfterKey(char),
    /// Behind the value.
    AfterValue(char),
    /// Instead of a key; the name of a type.
    Key(&'static str),
    /// Not a number.
    Number(String),
    /// Not an escape sequence, or a character that must be escaped.
    Escape(String),
}

impl Problem {
    /// As `json.decode` words it.
    pub fn when_decoding(&self) -> String {
        use ProblemKind::*;
        let what = match &self.kind {
            End => "unexpected end of file".to_owned(),
            Unclosed => "unclosed string literal".to_owned(),
            NoValue(c) => format!("unexpected character {c:?}"),
            InArray(c) => format!("got {c:?}, want ',' or ']'"),
            InObject(c) => format!("in object, got {c:?}, want ',' or '}}'"),
            AfterKey(c) => format!("after object key, got {c:?}, want ':'"),
            AfterValue(c) => format!("unexpected character {c:?} after value"),
            Key(type_name) => format!("got {type_name} for object key, want string"),
            Number(text) => format!("invalid number: {text}"),
            Escape(message) => message.clone(),
        };
        format!("at offset {}, {what}", self.at)
    }

    /// As `json.indent` words it.
    pub fn when_indenting(&self) -> String {
        use ProblemKind::*;
        match &self.kind {
            End | Unclosed => "unexpected end of JSON input".to_owned(),
            NoValue(c) => format!("invalid character {c:?} looking for beginning of value"),
            InArray(c) => format!("invalid character {c:?} after array element"),
            InObject(c) => format!("invalid character {c:?} after object key:value pair"),
            AfterKey(c) => format!("invalid character {c:?} after object key"),
            AfterValue(c) => format!("invalid character {c:?} after top-level value"),
            Key(_) => "invalid character looking for beginning of object key string".to_owned(),
            Number(text) => format!("invalid character in numeric literal {text}"),
            Escape(message) => message.clone(),
        }
    }
}

/// Does something with events.
pub(super) trait Sink {
    /// # Errors
    /// It could not.
    fn event(&mut self, event: Event<'_>) -> Res<()>;
}

/// Why a scan ended early.
pub(super) enum Stop {
    /// The text is wrong.
    Text(Problem),
    /// The sink could not go on.
    Sink(Box<Failure>),
}

impl From<Box<Failure>> for Stop {
    fn from(failure: Box<Failure>) -> Stop {
        Stop::Sink(failure)
    }
}

/// Reports everything in a text.
///
/// # Errors
/// See [`Stop`]. What came before has been reported.
pub(super) fn scan(text: &str, sink: &mut impl Sink) -> Result<(), Stop> {
    let mut scanner = Scanner { text, at: 0, open: Vec::new() };
    scanner.value(sink)?;
    while let Some(is_object) = scanner.open.last().copied() {
        scanner.after_element(is_object, sink)?;
    }
    match scanner.peek() {
        None => Ok(()),
        Some(c) => Err(scanner.problem(ProblemKind::AfterValue(c))),
    }
}

struct Scanner<'t> {
    text: &'t str,
    at: usize,
    /// The containers around this place: whether each is an object.
    open: Vec<bool>,
}

impl<'t> Scanner<'t> {
    fn problem(&self, kind: ProblemKind) -> Stop {
        Stop::Text(Problem { at: self.at, kind })
    }

    /// The next character that is no white space.
    fn peek(&mut self) -> Option<char> {
        let rest = &self.text[self.at..];
        let trimmed = rest.trim_start_matches([' ', '\t', '\n', '\r']);
        self.at += rest.len() - trimmed.len();
        trimmed.chars().next()
    }

    fn need(&mut self) -> Result<char, Stop> {
        self.peek().ok_or_else(|| self.problem(ProblemKind::End))
    }

    /// A value, or the beginning of a container and all beginnings directly inside of it.
    fn value(&mut self, sink: &mut impl Sink) -> Result<(), Stop> {
        loop {
            let c = self.need()?;
            match c {
                '[' | '{' => {
                    let is_object = c == '{';
                    self.at += 1;
                    sink.event(if is_object { Event::BeginObject } else { Event::BeginArray })?;
                    if self.need()? == closing(is_object) {
                        self.at += 1;
                        sink.event(Event::End)?;
                        return Ok(());
                    }
                    self.open.push(is_object);
                    if is_object {
                        self.key(sink)?;
                    }
                }
                '"' => {
                    let string = self.string()?;
                    sink.event(Event::String(string))?;
                    return Ok(());
                }
                '-' | '0'..='9' => {
                    let (number, is_float) = self.number()?;
                    sink.event(Event::Number(number, is_float))?;
                    return Ok(());
                }
                _ => {
                    let word = self.word(c)?;
                    sink.event(Event::Word(word))?;
                    return Ok(());
                }
            }
        }
    }

    /// What follows an element: the next one, or the end of the container.
    fn after_element(&mut self, is_object: bool, sink: &mut impl Sink) -> Result<(), Stop> {
        let c = self.need()?;
        if c == closing(is_object) {
            self.at += 1;
            self.open.pop();
            sink.event(Event::End)?;
            return Ok(());
        }
        if c != ',' {
            let kind = if is_object { ProblemKind::InObject(c) } else { ProblemKind::InArray(c) };
            return Err(self.problem(kind));
        }
        self.at += 1;
        if is_object {
            self.key(sink)?;
        }
        self.value(sink)
    }

    fn key(&mut self, sink: &mut impl Sink) -> Result<(), Stop> {
        match self.need()? {
            '"' => {}
            '[' => return Err(self.problem(ProblemKind::Key("list"))),
            '{' => return Err(self.problem(ProblemKind::Key("dict"))),
            '-' | '0'..='9' => {
                let (_, is_float) = self.number()?;
                return Err(self.problem(ProblemKind::Key(if is_float { "float" } else { "int" })));
            }
            c => {
                let word = self.word(c)?;
                return Err(self.problem(ProblemKind::Key(if word == "null" { "NoneType" } else { "bool" })));
            }
        }
        let key = self.string()?;
        sink.event(Event::Key(key))?;
        match self.need()? {
            ':' => {
                self.at += 1;
                Ok(())
            }
            c => Err(self.problem(ProblemKind::AfterKey(c))),
        }
    }

    /// A string with its quotes. Its escapes are looked at when it is decoded.
    fn string(&mut self) -> Result<&'t str, Stop> {
        let bytes = self.text.as_bytes();
        let mut at = self.at + 1;
        loop {
            match bytes.get(at) {
                None => return Err(self.problem(ProblemKind::Unclosed)),
                Some(b'\\') => at += 2,
                Some(b'"') => break,
                Some(_) => at += 1,
            }
        }
        let string = &self.text[self.at..=at];
        if let Err(message) = unquote(string) {
            return Err(self.problem(ProblemKind::Escape(message)));
        }
        self.at = at + 1;
        Ok(string)
    }

    /// A number, and whether it has a fraction or an exponent.
    fn number(&mut self) -> Result<(&'t str, bool), Stop> {
        let rest = &self.text[self.at..];
        let len = rest.find(|c: char| !matches!(c, '0'..='9' | '.' | 'e' | 'E' | '+' | '-'));
        let number = &rest[..len.unwrap_or(rest.len())];
        let is_float = number.contains(['.', 'e', 'E']);
        let is_too_large = is_float && number.parse::<f64>().is_ok_and(f64::is_infinite);
        if !is_number(number) || is_too_large {
            return Err(self.problem(ProblemKind::Number(number.to_owned())));
        }
        self.at += number.len();
        Ok((number, is_float))
    }

    fn word(&mut self, first: char) -> Result<&'t str, Stop> {
        for word in ["null", "true", "false"] {
            if self.text[self.at..].starts_with(word) {
                self.at += word.len();
                return Ok(word);
            }
        }
        Err(self.problem(ProblemKind::NoValue(first)))
    }
}

fn closing(is_object: bool) -> char {
    if is_object { '}' } else { ']' }
}

/// `-? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?`
fn is_number(text: &str) -> bool {
    fn digits(text: &str) -> (&str, &str) {
        text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
    }
    let (whole, mut rest) = digits(text.strip_prefix('-').unwrap_or(text));
    if whole.is_empty() || whole.len() > 1 && whole.starts_with('0') {
        return false;
    }
    if let Some(behind) = rest.strip_prefix('.') {
        let (fraction, behind) = digits(behind);
        if fraction.is_empty() {
            return false;
        }
        rest = behind;
    }
    if let Some(behind) = rest.strip_prefix(['e', 'E']) {
        let (exponent, behind) = digits(behind.strip_prefix(['+', '-']).unwrap_or(behind));
        if exponent.is_empty() {
            return false;
        }
        rest = behind;
    }
    rest.is_empty()
}

/// What a string with quotes stands for. Halves of surrogate pairs become U+FFFD.
///
/// # Errors
/// An escape sequence is wrong, or a character must be escaped and is not.
pub(super) fn unquote(quoted: &str) -> Result<std::borrow::Cow<'_, str>, String> {
    let inner = &quoted[1..quoted.len() - 1];
    if let Some(c) = inner.chars().find(|&c| c < ' ') {
        return Err(format!("invalid character {c:?} in string literal"));
    }
    if !inner.contains('\\') {
        return Ok(inner.into());
    }
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some((before, behind)) = rest.split_once('\\') {
        out.push_str(before);
        let mut chars = behind.chars();
        let c = chars.next().unwrap_or('\\');
        rest = chars.as_str();
        out.push(match c {
            '"' | '\\' | '/' => c,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let (c, behind) = unicode_escape(rest)?;
                rest = behind;
                c
            }
            _ => return Err(format!("invalid character {c:?} in string escape code")),
        });
    }
    out.push_str(rest);
    Ok(out.into())
}

/// The code point behind `\u`, and what follows.
fn unicode_escape(text: &str) -> Result<(char, &str), String> {
    let (first, rest) = hex4(text)?;
    if let Some(c) = char::from_u32(first) {
        return Ok((c, rest));
    }
    // The first half of a pair, if the second follows.
    if let (0xd800..0xdc00, Some(behind)) = (first, rest.strip_prefix("\\u"))
        && let Ok((second @ 0xdc00..0xe000, rest)) = hex4(behind)
        && let Some(c) = char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00))
    {
        return Ok((c, rest));
    }
    Ok(('\u{fffd}', rest))
}

fn hex4(text: &str) -> Result<(u32, &str), String> {
    let wrong = || "invalid character in \\u hexadecimal character escape".to_owned();
    let digits = text.get(..4).ok_or_else(wrong)?;
    if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(wrong());
    }
    Ok((u32::from_str_radix(digits, 16).map_err(|_| wrong())?, &text[4..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        for good in ["0", "-0", "12", "1.5", "0e+1", "-1.25E-7"] {
            assert!(is_number(good), "{good}");
        }
        for bad in ["", "-", "00", "01", "1.", ".5", "1e", "1e+", "1.2.3", "--1", "+1", "1e1e1"] {
            assert!(!is_number(bad), "{bad}");
        }
    }

    #[test]
    fn escapes() {
        assert_eq!(unquote(r#""a\n\u00e9\ud83d\ude39\ud83d\/""#).unwrap(), "a\né😹\u{fffd}/");
        assert!(unquote(r#""\g""#).is_err() && unquote(r#""\u12g4""#).is_err() && unquote("\"\n\"").is_err());
    }
}
