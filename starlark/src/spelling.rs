//! Which known name somebody may have meant: for errors of the language, and of programs around it.

use std::fmt::Display;

/// The longest name for which a similar one is looked for, in bytes.
const NAME_MAX: usize = 256;

/// The candidate nearest to `name`, if one is near: fewer than half of the letters differ. Case and
/// underscores do not count. Among equals the alphabetically first wins, so that messages do not depend on
/// hash tables. A name as long as a page is no typing error, and comparing two such names would take its time.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > NAME_MAX {
        return None;
    }
    let name = fold(name);
    let limit = name.len().div_ceil(2);
    let near = candidates.into_iter().filter_map(|candidate| {
        let folded = fold(candidate);
        if folded.len().abs_diff(name.len()) >= limit {
            return None;
        }
        let distance = distance(&name, &folded);
        (distance < limit).then_some((distance, candidate))
    });
    near.min().map(|(_, candidate)| candidate)
}

/// What an error adds about a name that may have been meant; nothing if there is none.
///
/// ```
/// use frazil_starlark::spelling::{hint, nearest};
/// assert_eq!(hint(nearest("apend", ["append", "extend"])), " (did you mean append?)");
/// assert_eq!(hint(nearest("remove", ["append", "extend"])), "");
/// ```
pub fn hint(similar: Option<impl Display>) -> String {
    similar.map_or_else(String::new, |similar| format!(" (did you mean {similar}?)"))
}

fn fold(name: &str) -> Vec<char> {
    name.chars().filter(|&c| c != '_').flat_map(char::to_lowercase).collect()
}

/// The least number of letters to insert, delete, replace or swap with their neighbour (Damerau and Levenshtein; no
/// letter is changed twice).
fn distance(a: &[char], b: &[char]) -> usize {
    // row[j] is the distance between the letters of `a` seen so far and the first j of `b`; `above` is the row before.
    let mut above = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut below = vec![i];
        for j in 1..=b.len() {
            let replaced = row[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(row[j] + 1).min(below[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(above[j - 2] + 1);
            }
            below.push(least);
        }
        above = std::mem::replace(&mut row, below);
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found() {
        let known = ["append", "extend", "index", "x"];
        assert_eq!(nearest("apend", known), Some("append"));
        assert_eq!(nearest("Ex_Tend", known), Some("extend"));
        assert_eq!(nearest("nonsense", known), None);
        assert_eq!(nearest("y", known), None);
        assert_eq!(nearest("", known), None);
        assert_eq!(nearest("lne", ["len", "list"]), Some("len"));
    }

    #[test]
    fn neighbours_may_be_swapped() {
        let letters = |text: &str| text.chars().collect::<Vec<char>>();
        let of = |a: &str, b: &str| distance(&letters(a), &letters(b));
        assert_eq!(of("nmae", "name"), 1);
        assert_eq!(of("", "abc"), 3);
        assert_eq!(of("abc", ""), 3);
        assert_eq!(of("kitten", "sitting"), 3);
        assert_eq!(of("ca", "abc"), 3);
    }
}
