//! Which known name somebody may have meant.

/// The candidate nearest to `name`, if one is near: fewer than half of the letters differ. Case and
/// underscores do not count. Among equals the alphabetically first wins, so that messages do not depend on
/// hash tables.
pub(super) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
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

fn fold(name: &str) -> Vec<char> {
    name.chars().filter(|&c| c != '_').flat_map(char::to_lowercase).collect()
}

/// The least number of letters to insert, delete or replace (Levenshtein).
fn distance(a: &[char], b: &[char]) -> usize {
    // row[j] is the distance between the letters of `a` seen so far and the first j of `b`.
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
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
    }
}
