//! Texts from seeds: from random bytes to programs with a few tokens changed.

use crate::program;
use crate::random::Random;

use super::mutate::{excerpt, mutate, token};

/// What is nested in itself: what opens a level, what is innermost, what closes a level.
const NESTS: &[(&str, &str, &str)] = &[
    ("(", "1", ")"),
    ("[", "", "]"),
    ("{1: ", "2", "}"),
    ("-", "1", ""),
    ("not ", "x", ""),
    ("f(", "", ")"),
    ("x[", "0", "]"),
    ("lambda: ", "0", ""),
    ("1 if ", "2", " else 3"),
    ("1 if 2 else ", "3", ""),
    ("[x for x in ", "y", "]"),
    ("a + ", "b", ""),
    ("a.b", "", ""),
    ("f()", "", ""),
    ("f\"{", "x", "}\""),
    ("if x: ", "pass", ""),
    ("a = ", "1", ""),
    ("(a, ", "b", ")"),
    ("*", "a", ""),
    ("a, ", "b", ""),
    ("a and b or ", "c", ""),
    ("1 < ", "2", ""),
];

/// The text of a seed. Some texts are made of `programs`.
pub fn make(seed: u64, programs: &[String]) -> String {
    let mut random = Random::new(seed);
    match random.below(16) {
        0 => bytes(&mut random),
        1 | 2 => tokens(&mut random),
        3 => nested(&mut random),
        4 => huge(&mut random),
        5 => blocks(&mut random),
        6 | 7 => spliced(programs, &mut random),
        8..=11 => joined(programs, &mut random),
        _ => {
            let program = some_program(programs, &mut random);
            mutate(excerpt(&program, &mut random), &mut random)
        }
    }
}

/// One of the programs, or one that is made up.
fn some_program(programs: &[String], random: &mut Random) -> String {
    if programs.is_empty() || random.chance(30) {
        return program::make(random.bits()).program.main().text();
    }
    programs[random.below(programs.len() as u32) as usize].clone()
}

/// What is left of random bytes as text.
fn bytes(random: &mut Random) -> String {
    let length = random.below(200);
    let bytes: Vec<u8> = (0..length).map(|_| random.below(256) as u8).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn tokens(random: &mut Random) -> String {
    let mut text = String::new();
    for _ in 0..random.below(60) {
        text.push_str(token(random));
        if random.chance(50) {
            text.push(' ');
        }
    }
    text
}

/// Something in itself, up to many times more than the parser allows.
fn nested(random: &mut Random) -> String {
    let (open, inner, close) = random.pick(NESTS);
    let depth = random.pick(&[10, 100, 199, 200, 201, 1000, 20_000]);
    let closed = if random.chance(20) { random.below(depth as u32) as usize } else { depth };
    let before = random.pick(&["", "x = ", "def f(x):\n    return ", "load(", "for x in "]);
    format!("{before}{}{inner}{}\n", open.repeat(depth), close.repeat(closed))
}

/// Blocks in blocks, and what is behind them.
fn blocks(random: &mut Random) -> String {
    let head =
        random.pick(&["if x:", "for x in y:", "def f(x):", "while x:", "else:", "if x: pass\nelif y:"]);
    let depth = random.pick(&[3, 150, 250, 2000]);
    let mut text = String::new();
    for level in 0..depth {
        for line in head.lines() {
            text.push_str(&" ".repeat(level));
            text.push_str(line);
            text.push('\n');
        }
    }
    if random.chance(70) {
        text.push_str(&" ".repeat(depth));
        text.push_str("pass\n");
    }
    text.push_str(&" ".repeat(random.below(depth as u32 + 2) as usize));
    text + token(random)
}

/// One literal or name of great length, or very many small things.
fn huge(random: &mut Random) -> String {
    let length = random.pick(&[100, 5000, 40_000]);
    let part = random.pick(&[
        "9", "0", "1.", "a", "\u{e9}", "\\n", "\\x41", "{}", "{{", "%s", "1,", "a=1,", ";", "\n", "#",
    ]);
    let many = part.repeat(length);
    let (before, after) = random.pick(&[
        ("", ""),
        ("x = ", ""),
        ("x = 0x", ""),
        ("x = 1.", ""),
        ("x = 1e", ""),
        ("x = \"", "\""),
        ("x = b'", "'"),
        ("x = \"\"\"", "\"\"\""),
        ("x = f\"", "\""),
        ("x = \"", "\" % 1"),
        ("x = \"", "\".format(1)"),
        ("x = [", "]"),
        ("dict(", ")"),
        ("def f(", "): pass"),
        ("x = int(\"", "\")"),
        ("x = float(\"", "\")"),
        ("print(-1", " * 12345678901234567890)"),
    ]);
    format!("{before}{many}{after}\n")
}

/// Parts of two programs, which mean something together that they did not mean apart.
fn joined(programs: &[String], random: &mut Random) -> String {
    let (first, second) = (some_program(programs, random), some_program(programs, random));
    let (first, second) = (excerpt(&first, random), excerpt(&second, random));
    format!("{first}\n{second}")
}

/// The beginning of one program and the end of another, then changed.
fn spliced(programs: &[String], random: &mut Random) -> String {
    let (first, second) = (some_program(programs, random), some_program(programs, random));
    let (first, second) = (excerpt(&first, random), excerpt(&second, random));
    let cut = |text: &str, random: &mut Random| {
        let mut at = random.below(text.len() as u32 + 1) as usize;
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let (end, start) = (cut(first, random), cut(second, random));
    let spliced = format!("{}{}", &first[..end], &second[start..]);
    if random.chance(50) { mutate(&spliced, random) } else { spliced }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_text() {
        let programs = ["x = 1\n".to_owned()];
        let texts: Vec<String> = (0..100).map(|seed| make(seed, &programs)).collect();
        assert_eq!(texts, (0..100).map(|seed| make(seed, &programs)).collect::<Vec<_>>());
        let different: std::collections::BTreeSet<&String> = texts.iter().collect();
        assert!(different.len() > 80);
    }
}
