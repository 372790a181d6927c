//! Texts that are nearly programs: a few tokens of one are taken out, doubled, swapped, or replaced.

use std::ops::Range;

use crate::random::Random;

/// Tokens that are put where they may not belong.
const TOKENS: &[&str] = &[
    "+",
    "-",
    "*",
    "/",
    "//",
    "%",
    "&",
    "|",
    "^",
    "<<",
    ">>",
    "~",
    ".",
    ",",
    "=",
    ";",
    ":",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "<",
    ">",
    ">=",
    "<=",
    "==",
    "!=",
    "+=",
    "-=",
    "*=",
    "/=",
    "//=",
    "%=",
    "&=",
    "|=",
    "^=",
    "<<=",
    ">>=",
    "**",
    "and",
    "break",
    "continue",
    "def",
    "elif",
    "else",
    "for",
    "if",
    "in",
    "lambda",
    "load",
    "not",
    "or",
    "pass",
    "return",
    "x",
    "f",
    "None",
    "0",
    "1",
    "0x1F",
    "0o17",
    "1.5",
    "1e3",
    "\"s\"",
    "'t'",
    "r\"u\"",
    "b\"v\"",
    "\"\"\"w\"\"\"",
    "\n",
    "\n    ",
    "\n        ",
    "not in",
    "*x",
    "**x",
    "x=1",
    "x: int",
    "not x",
    "lambda: 0",
    "(x, y)",
    "x if y else z",
    "for x in y",
    "# c\n",
    "\\\n",
];

/// Literals, words and characters that are special in one way or another, right and wrong ones.
const SPECIAL: &[&str] = &[
    r#""\q""#,
    r#""\x7f""#,
    r#""\xe9""#,
    r#""\351""#,
    r#""\u00e9""#,
    r#""\ud800""#,
    r#""\U0010ffff""#,
    r#""\U00110000""#,
    r#""\x""#,
    r#""\u12""#,
    r#""\"#,
    "\"\\\n\"",
    r#"r"\"""#,
    r"r'\''",
    r#"r"\\""#,
    r#"b"\xff""#,
    r#"b"\400""#,
    "b\"\u{e9}\"",
    r#"rb"\xff""#,
    r"br'\''",
    r#"b"\ud800""#,
    r#""\0""#,
    r#""\1234""#,
    r#""\8""#,
    "\"a\nb\"",
    "'''a\nb'''",
    "\"a\rb\"",
    "\"\"\"a\r\nb\"\"\"",
    "\r\n",
    "\r",
    "0",
    "00",
    "07",
    "08",
    "0x",
    "0xg",
    "0o8",
    "0b2",
    "0O1",
    "1_0",
    "1.e5",
    "1e",
    "1e+",
    "1.5.5",
    "1e400",
    "1e-400",
    ".5",
    "..",
    "...",
    "9223372036854775808",
    "0xFFFFFFFFFFFFFFFFF",
    "1if x else 2",
    "$",
    "?",
    "!",
    "`",
    "\t",
    "\n\t",
    "\u{e9}",
    "x\u{e9}1",
    "\u{3b1}\u{3b2}",
    "\u{2028}",
    "\u{feff}",
    "\0",
    "\u{c}",
    "while",
    "is",
    "assert",
    "class",
    "yield",
    r#"f"{x}""#,
    r#"f"a{x!r}b{y!s}""#,
    r#"f"{""#,
    r#"f"}""#,
    r#"f"{{}}""#,
    r#"f"{x:>5}""#,
    r#"f"{x!q}""#,
    r#"f"{}""#,
    r#"f"{x + 'a'}""#,
    r#"f'{x["a"]}'"#,
    r#"fr"\n{x}""#,
    r#"F"{x}""#,
    r#"f"{lambda: 0}""#,
    r#"f"{ x }""#,
    r#"f"{x,y}""#,
    r#"f"{ {1: 2}[1] }""#,
    r#"f"{x != y}""#,
    "f\"\"\"{\nx}\"\"\"",
    r#"f"{x["a"]}""#,
    r#"f"\x41{x}""#,
    r#"f"\x7b{x}""#,
    "->",
    "x: int = 1",
    "x, y",
];

/// Any token.
pub fn token(random: &mut Random) -> &'static str {
    if random.chance(70) { random.pick(TOKENS) } else { random.pick(SPECIAL) }
}

/// The tokens of a text, roughly: words, numbers, strings, runs of blanks, ends of lines, and single characters.
pub fn tokens(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let run = |is: fn(u8) -> bool| bytes[at..].iter().take_while(|&&byte| is(byte)).count();
        let length = match bytes[at] {
            b'"' | b'\'' => string(bytes, at),
            b'#' => run(|byte| byte != b'\n'),
            b' ' | b'\t' => run(|byte| matches!(byte, b' ' | b'\t')),
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'0'..=b'9' | 0x80.. => {
                run(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80)
            }
            _ => 1,
        };
        tokens.push(at..at + length);
        at += length;
    }
    tokens
}

/// Bytes of the string literal that begins at `at`, up to the end of the text if it has no end.
fn string(bytes: &[u8], at: usize) -> usize {
    let quote = bytes[at];
    let triple = bytes[at..].starts_with(&[quote; 3]);
    let close = if triple { vec![quote; 3] } else { vec![quote] };
    let mut end = at + close.len();
    while end < bytes.len() && !bytes[end..].starts_with(&close) {
        end += if bytes[end] == b'\\' { 2 } else { 1 };
    }
    (end + close.len()).min(bytes.len()) - at
}

/// A text with one to three changes. The text is ASCII where a change cuts it, because tokens are.
pub fn mutate(text: &str, random: &mut Random) -> String {
    let mut parts: Vec<&str> = tokens(text).into_iter().map(|token| &text[token]).collect();
    for _ in 0..random.range(1, 3) {
        if parts.len() < 2 {
            break;
        }
        let at = random.below(parts.len() as u32) as usize;
        let other = random.below(parts.len() as u32) as usize;
        match random.below(8) {
            6 => parts.insert(at, random.pick(SPECIAL)),
            7 => parts[at] = random.pick(SPECIAL),
            0 => drop(parts.remove(at)),
            1 => parts.insert(at, random.pick(TOKENS)),
            2 => parts[at] = random.pick(TOKENS),
            3 => parts.swap(at, other),
            4 => parts.insert(at, parts[other]),
            _ => parts[at] = parts[other],
        }
    }
    parts.concat()
}

/// Some lines of a text that belong together: from one that is not indented up to another.
pub fn excerpt<'a>(text: &'a str, random: &mut Random) -> &'a str {
    let mut starts = vec![0];
    for (at, _) in text.match_indices('\n') {
        if text.as_bytes().get(at + 1).is_some_and(|byte| byte.is_ascii_alphabetic()) {
            starts.push(at + 1);
        }
    }
    let first = random.below(starts.len() as u32) as usize;
    let last = (first + random.range(1, 4) as usize).min(starts.len());
    &text[starts[first]..starts.get(last).copied().unwrap_or(text.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_the_whole_text() {
        let text = "x = f('a\\'b', \"\"\"c\"d\"\"\") # e\n  y1 += 0x1";
        let parts: Vec<&str> = tokens(text).into_iter().map(|token| &text[token]).collect();
        assert_eq!(parts.concat(), text);
        assert!(parts.contains(&"'a\\'b'") && parts.contains(&"\"\"\"c\"d\"\"\"") && parts.contains(&"# e"));
    }

    #[test]
    fn an_excerpt_begins_and_ends_at_the_margin() {
        let mut random = Random::new(1);
        for _ in 0..100 {
            let text = excerpt("a\nb:\n  c\nd\n", &mut random);
            assert!(!text.starts_with(' ') && !text.is_empty(), "{text:?}");
        }
    }
}
