//! The differences that are meant to be, each with its reason and a text that shows it.
//!
//! What is accepted follows the specification; where it is silent, the implementation in Go.

use crate::compare::Difference;

/// A difference that is meant to be.
#[derive(Debug)]
pub struct Known {
    /// Why it is.
    pub reason: &'static str,
    /// A short text that has it.
    pub example: &'static str,
    /// Is it this one? Gets the text, too.
    is: fn(&str, &Difference) -> bool,
}

/// The difference in the list, if it is in the list.
pub fn known(text: &str, difference: &Difference) -> Option<&'static Known> {
    KNOWN.iter().find(|known| (known.is)(text, difference))
}

/// They refuse the text with an error like this, at a place where the text goes on like that.
fn they_refuse(difference: &Difference, message: &str, at: impl Fn(&str) -> bool) -> bool {
    matches!(difference, Difference::OnlyOurs(error, rest) if error.contains(message) && at(rest))
}

/// We refuse the text with an error like this.
fn we_refuse(difference: &Difference, message: &str) -> bool {
    matches!(difference, Difference::OnlyTheirs(error) if error.contains(message))
}

/// The labels of the first nodes that differ, ours and theirs.
fn labels(difference: &Difference) -> Option<(&str, &str)> {
    match difference {
        Difference::Node(Some(ours), Some(theirs), _) => Some((&ours.label, &theirs.label)),
        _ => None,
    }
}

/// A carriage return that is not the first half of a line's end.
fn has_lone_return(text: &str) -> bool {
    text.replace("\r\n", "").contains('\r')
}

/// They take a comma for the last thing in a tuple, because they do not know what stands behind it.
fn refuse_behind_comma(difference: &Difference, is: impl Fn(&str) -> bool) -> bool {
    they_refuse(difference, "unparenthesized tuple with trailing comma", |rest| {
        rest.split(',').skip(1).any(|part| is(part.trim_start_matches(' ')))
    })
}

/// Whether a text begins with a word that has letters beyond ASCII.
fn has_letters(text: &str) -> bool {
    let mut word = text.chars().take_while(|c| c.is_alphanumeric() || *c == '_');
    word.any(|c| !c.is_ascii())
}

/// Whether a text begins with bytes.
fn is_bytes(text: &str) -> bool {
    ["b'", "b\"", "rb'", "rb\"", "br'", "br\""].iter().any(|prefix| text.starts_with(prefix))
}

/// `1` with many signs.
const NESTED: [u8; 300] = {
    let mut text = [b'-'; 300];
    text[299] = b'1';
    text
};

/// All of them.
pub const KNOWN: &[Known] = &[
    // ---- what we accept beyond them
    Known {
        reason: "`assert` is a name, as in Go, whose suites use it; the specification reserves it",
        example: "assert.eq(1, 1)",
        is: |_, difference| {
            let word = |rest: &str| rest.starts_with("assert");
            they_refuse(difference, "cannot use reserved keyword", word)
                || refuse_behind_comma(difference, word)
        },
    },
    Known {
        reason: "tabs are white space and indent to columns of eight; the specification says so",
        example: "if x:\n\ty",
        is: |_, difference| {
            they_refuse(difference, "tabs are not allowed", |_| true)
                || refuse_behind_comma(difference, |rest| rest.starts_with('\t'))
        },
    },
    Known {
        reason: "a tuple without parentheses is an expression statement",
        example: "1, 2",
        is: |_, difference| they_refuse(difference, "expected assignment operator", |_| true),
    },
    Known {
        reason: "an index, and the start of a slice, may be a tuple of any length without parentheses",
        example: "x[1, 2, 3]",
        is: |_, difference| {
            they_refuse(difference, "expected symbol ']'", |rest| rest.starts_with([',', ':']))
        },
    },
    Known {
        reason: "an index that is a tuple without parentheses may be assigned to",
        example: "x[1, 2] = 3",
        is: |_, difference| {
            they_refuse(difference, "left-hand-side of assignment", |rest| rest.contains(','))
        },
    },
    Known {
        reason: "a loop may run through a tuple without parentheses",
        example: "for x in 1, 2: pass",
        is: |_, difference| they_refuse(difference, "unexpected symbol ',', expected symbol ':'", |_| true),
    },
    Known {
        reason: "a condition of a comprehension may be a lambda",
        example: "[x for x in y if lambda: z]",
        is: |_, difference| they_refuse(difference, "unexpected keyword 'lambda', expected", |_| true),
    },
    Known {
        reason: "an integer may be written with several zeros",
        example: "00",
        is: |_, difference| {
            let zeros = |rest: &str| rest.starts_with("00");
            they_refuse(difference, "integer cannot have leading 0", zeros)
                || refuse_behind_comma(difference, zeros)
        },
    },
    Known {
        reason: "identifiers have letters of any script",
        example: "\u{e9} = 1",
        is: |_, difference| {
            they_refuse(difference, "", has_letters) || refuse_behind_comma(difference, has_letters)
        },
    },
    Known {
        reason: "a carriage return alone ends a line, too; in their strings it is dropped",
        example: "x = 1\ry = 2",
        is: |text, _| has_lone_return(text),
    },
    Known {
        reason: "bytes may stand behind a comma in a tuple; their list of what begins an expression lacks them",
        example: "x = (1, b'a')",
        is: |_, difference| {
            they_refuse(difference, "unexpected bytes literal", |_| true)
                || refuse_behind_comma(difference, is_bytes)
        },
    },
    Known {
        reason: "f-strings may begin with `F` and `rf`, too, as in Python",
        example: "F'{x}'",
        is: |text, difference| {
            let has_prefix = ["F\"", "F'", "rf\"", "rf'"].iter().any(|prefix| text.contains(prefix));
            has_prefix && they_refuse(difference, "unexpected string literal", |_| true)
        },
    },
    // ---- what they accept beyond us
    Known {
        reason: "nesting is bounded, so that no text exhausts the stack",
        example: match std::str::from_utf8(&NESTED) {
            Ok(text) => text,
            Err(_) => panic!("ASCII"),
        },
        is: |_, difference| we_refuse(difference, "nesting is deeper than"),
    },
    Known {
        reason: "unknown escapes are errors; the specification says so",
        example: "'\\q'",
        is: |_, difference| we_refuse(difference, "invalid escape sequence"),
    },
    Known {
        reason: "octal and hex escapes in strings end at 127; the specification says so",
        example: "'\\xff'",
        is: |_, difference| we_refuse(difference, "(use \\u"),
    },
    Known {
        reason: "`0x`, `0o` and `0b` begin a number whatever follows, as in Go",
        example: "0or x",
        is: |_, difference| {
            ["hex", "octal", "binary"]
                .iter()
                .any(|base| we_refuse(difference, &format!("invalid {base} literal")))
        },
    },
    Known {
        reason: "a backslash at the start of a line ends its indentation, and a comment behind it is no blank line, as in Go",
        example: "def f():\n\\\n# c\n    pass",
        is: |text, difference| {
            let joined = |line: &str| line.trim_start() == "\\";
            text.lines().any(joined) && matches!(difference, Difference::OnlyTheirs(_))
        },
    },
    Known {
        reason: "floats that are too large are errors, as in Go",
        example: "1e400",
        is: |_, difference| we_refuse(difference, "invalid float literal"),
    },
    Known {
        reason: "loaded names are not empty and not private",
        example: "load('a', '_b')",
        is: |_, difference| we_refuse(difference, "load: "),
    },
    Known {
        reason: "parameters of a lambda have no comma at their end; the specification says so",
        example: "lambda x,: x",
        is: |text, difference| text.contains("lambda") && we_refuse(difference, "not an identifier"),
    },
    Known {
        reason: "a field of an f-string holds no quotes like those around it, and no colon outside brackets",
        example: "f'{x['a']}'",
        is: |_, difference| we_refuse(difference, "unmatched '{' in f-string"),
    },
    // ---- what is another value
    Known {
        reason: "a backslash before a quote stays in a raw string; the specification says so",
        example: "r'\\''",
        is: |_, difference| {
            let bare = |label: &str| label.replace('\\', "").replace("92, ", "");
            labels(difference).is_some_and(|(ours, theirs)| bare(ours) == bare(theirs))
        },
    },
    Known {
        reason: "the conversion `!s` of an f-string, which changes nothing, stays in the template",
        example: "f'{x!s}'",
        is: |_, difference| labels(difference).is_some_and(|(a, b)| a.replace("{!s}", "{}") == b),
    },
];
