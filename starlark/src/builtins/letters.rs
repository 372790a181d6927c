//! What the standard library does not say of characters: which are decimal digits, and which are two letters in one.

/// The digit zero of each script. Nine more digits follow it.
const ZEROS: [u32; 75] = [
    0x30, 0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50,
    0xed0, 0xf20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40,
    0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10, 0x104a0, 0x10d30, 0x10d40,
    0x11066, 0x110f0, 0x11136, 0x111d0, 0x112f0, 0x11450, 0x114d0, 0x11650, 0x116c0, 0x116d0, 0x116da,
    0x11730, 0x118e0, 0x11950, 0x11bf0, 0x11c50, 0x11d50, 0x11da0, 0x11f50, 0x16a60, 0x16ac0, 0x16b50,
    0x16d70, 0x1ccf0, 0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec, 0x1d7f6, 0x1e140, 0x1e2f0, 0x1e4f0, 0x1e5f1,
    0x1e950, 0x1fbf0,
];

/// Is it a decimal digit of some script? (The numbers `²` and `½` are none.)
#[inline]
pub(super) fn is_digit(c: char) -> bool {
    // Those of ASCII need no search.
    if c.is_ascii() { c.is_ascii_digit() } else { is_other_digit(c) }
}

fn is_other_digit(c: char) -> bool {
    let after = ZEROS.partition_point(|&zero| zero <= u32::from(c));
    after > 0 && u32::from(c) - ZEROS[after - 1] < 10
}

/// Is it a letter? (The number `Ⅷ` is none.)
#[inline]
pub(super) fn is_letter(c: char) -> bool {
    c.is_alphabetic() && !c.is_numeric()
}

/// The letters that are pairs of letters have a third form, of which only the first is a capital.
#[inline]
pub(super) fn title_digraph(c: char) -> Option<char> {
    Some(match c {
        '\u{1c4}'..='\u{1c6}' => '\u{1c5}',
        '\u{1c7}'..='\u{1c9}' => '\u{1c8}',
        '\u{1ca}'..='\u{1cc}' => '\u{1cb}',
        '\u{1f1}'..='\u{1f3}' => '\u{1f2}',
        _ => return None,
    })
}

/// Is it a capital and more in one character?
#[inline]
pub(super) fn is_titlecase(c: char) -> bool {
    !c.is_ascii() && is_other_titlecase(c)
}

fn is_other_titlecase(c: char) -> bool {
    title_digraph(c) == Some(c)
        || matches!(u32::from(c), 0x1f88..=0x1f8f | 0x1f98..=0x1f9f | 0x1fa8..=0x1faf | 0x1fbc | 0x1fcc | 0x1ffc)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_those_of_all_scripts() {
        assert!(ZEROS.is_sorted());
        assert!("09٠٩०९\u{1d7ce}\u{1d7ff}".chars().all(is_digit));
        assert!(!"/:²½Ⅷa".chars().any(is_digit));
        // A wrong entry is found: whatever is a digit is numeric.
        let digits = ZEROS.iter().flat_map(|&zero| zero..zero + 10);
        assert!(digits.into_iter().all(|code| char::from_u32(code).is_some_and(char::is_numeric)));
    }

    #[test]
    fn numbers_are_no_letters() {
        assert!("aéд界ǅ".chars().all(is_letter));
        assert!(!"1Ⅷ_ ".chars().any(is_letter));
    }
}
