//! The word that somebody most likely meant.

/// The one of `known` that `typed` was most likely meant to be: at most two edits away, or its beginning.
pub(crate) fn nearest<'a>(typed: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let typed = typed.to_ascii_lowercase();
    if typed.len() > 40 {
        return None;
    }
    let score = |name: &str| {
        let edits = distance(&typed, name);
        let begins = typed.len() >= 3 && name.starts_with(&typed);
        (edits <= 2 && edits < typed.len().max(2)).then_some(edits).or(begins.then_some(3))
    };
    known.filter_map(|name| Some((score(name)?, name))).min_by_key(|(score, _)| *score).map(|(_, name)| name)
}

/// Edits (insert, delete, replace, swap neighbours) between two short words.
fn distance(one: &str, two: &str) -> usize {
    let (one, two) = (one.as_bytes(), two.as_bytes());
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=two.len()).collect();
    for (i, a) in one.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, b) in two.iter().enumerate() {
            let at = |row: &[usize], at: usize| row.get(at).copied().unwrap_or(usize::MAX / 2);
            let mut best = (at(&row, j) + usize::from(a != b)).min(at(&row, j + 1) + 1).min(at(&next, j) + 1);
            let swapped = i > 0 && j > 0 && one.get(i - 1) == Some(b) && two.get(j - 1) == Some(a);
            if swapped {
                best = best.min(at(&before, j - 1) + 1);
            }
            next.push(best);
        }
        before = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or(0)
}
